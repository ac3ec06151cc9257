//! Tests of video and audio choices and the audio mixer in the window. The file is long because all of them use the
//! same strips.

use super::*;

#[test]
fn the_test_pattern_helps_where_there_is_no_camera() {
    let mut harness = open("first-run");
    // The health bar and the middle of the stage have this button, under different names.
    harness.get_by_label("Use test pattern");
    harness.get_by_label_contains("Use test pattern: ").click();
    let name = "Test pattern".to_owned();
    let scene = onair::studio::Collection::default().current;
    let wanted = Edit::AddSource { scene, name, choice: VideoChoice::Test };
    assert_eq!(commands(&mut harness), [Command::EditProgram(wanted)]);
    // The list of cameras also says that there is none.
    harness.get_by_role_and_label(Role::Button, "Add source…").click_accesskit();
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Camera").click_accesskit();
    harness.run();
    assert_eq!(harness.get_all_by_label("No camera found").count(), 2);
    harness.get_by_label("Search again").click_accesskit();
    assert!(commands(&mut harness).contains(&Command::RefreshDevices));
}

#[test]
fn audio_is_added_beside_the_strips() {
    let mut harness = open("idle");
    assert_eq!(click(&mut harness, "Add audio…"), [Command::RefreshDevices]);
    harness.get_by_role_and_label(Role::MenuItemRadio, "Default microphone").click();
    assert_eq!(commands(&mut harness), [Command::AddStrip(AudioChoice::Mic(None))]);
}

#[test]
fn audio_is_muted_and_the_clip_lamp_is_reset() {
    let mut harness = open("clipped");
    assert_eq!(
        click(&mut harness, "Yeti Stereo Microphone has clipped. Click to reset."),
        [Command::ClearClip(StripLamp::Strip(StripId::MAIN))]
    );
    let mute = "Mute Yeti Stereo Microphone";
    assert_eq!(click(&mut harness, mute), [Command::SetMuted(true)]);
    let unmute = "Unmute Yeti Stereo Microphone";
    assert_eq!(click(&mut harness, unmute), [Command::SetMuted(false)]);
    harness.key_press(Key::Escape);
    harness.key_press(Key::M);
    assert_eq!(commands(&mut harness), [Command::SetMuted(true)]);
    harness.get_by_label("Gain of Yeti Stereo Microphone").set_value_accesskit(-6.0);
    assert_eq!(commands(&mut harness), [Command::SetGain(-6.0)]);
}

#[test]
fn a_strip_is_renamed_by_enter_and_escape_brings_the_old_name_back() {
    for (text, key, renames) in
        [("Guest", Key::Enter, true), ("Guest", Key::Escape, false), ("", Key::Enter, false)]
    {
        let mut harness = open("mixer");
        harness.key_press_modifiers(Modifiers::COMMAND, Key::M);
        harness.run();
        harness.get_all_by_role_and_label(Role::TextInput, "Name").next().unwrap().focus();
        harness.run();
        if !text.is_empty() {
            harness.event(egui::Event::Text(text.into()));
            harness.run();
        }
        harness.key_press(key);
        let sent = commands(&mut harness);
        let is_renamed = sent.iter().any(|it| matches!(it, Command::RenameStrip { .. }));
        assert_eq!(is_renamed, renames, "{text:?}: {sent:?}");
    }
}

#[test]
fn the_only_strip_has_its_own_name() {
    let mut harness = open("mixer");
    harness.state().demo.change(|snapshot| snapshot.strips.truncate(1));
    harness.run();
    assert_eq!(click(&mut harness, "Mute Voice"), [Command::SetMuted(true)]);
}

#[test]
fn strips_have_one_size_and_the_program_is_beside_them() {
    let meters = |state: &str, width: f32, height: f32| {
        let preferences = preferences(Language::English, Theme::Dark);
        let harness = open_as(state, Vec2::new(width, height), preferences);
        let all = harness.get_all_by_role(Role::Meter);
        all.map(|meter| meter.rect()).collect::<Vec<_>>()
    };
    for state in ["idle", "mixer"] {
        let sizes = [(960.0, 600.0), (1280.0, 720.0), (1920.0, 1080.0), (3840.0, 2160.0)].map(
            |(width, height)| {
                let meters = meters(state, width, height);
                let (program, strips) = meters.split_last().unwrap();
                assert!(strips.iter().all(|it| it.width() == strips[0].width()));
                // The program stays near the strips, even in a wide window.
                if width >= 1280.0 {
                    let last = strips.last().unwrap();
                    assert!(program.left() - last.right() < 200.0, "{state} {width}: {meters:?}");
                }
                assert!((program.width() - strips[0].width()).abs() < 1.0, "{meters:?}");
                strips[0].size()
            },
        );
        // Strips become wider for long names if there is room, but do not stretch further.
        assert!(sizes.iter().all(|size| size.y == sizes[0].y && size.x < 410.0), "{sizes:?}");
        assert_eq!(sizes[2], sizes[3], "{state}");
    }
}

#[test]
fn what_the_operator_hears_is_chosen_beside_the_program() {
    let mut harness = open("mixer");
    let name = shown(&harness).into_iter().find(|it| it.starts_with("Monitoring device: "));
    click(&mut harness, &name.unwrap());
    let sent = click(&mut harness, "Default speakers");
    assert_eq!(sent, [Command::SetMonitoring(Monitoring::Default)]);
}

#[test]
fn every_lamp_that_is_lit_is_put_out() {
    let mut harness = open("mixer");
    // No lamp is lit, so the palette offers no reset.
    let lamps = |harness: &Harness<'static, Window>| {
        shown(harness).into_iter().filter(|name| name.contains("lip")).collect::<Vec<_>>()
    };
    assert_eq!(lamps(&harness), Vec::<String>::new());
    assert!(!harness.state().demo.snapshot().has_clipped());
    let clip = |harness: &mut Harness<'static, Window>| {
        harness.state().demo.change(|snapshot| {
            snapshot.loudness.clipped = true;
            snapshot.strips[1].meter.clipped = true;
            snapshot.strips[2].meter.clipped = true;
        });
        harness.run();
    };
    clip(&mut harness);
    let lit = |name: &str| format!("{name} has clipped. Click to reset.");
    let music = click(&mut harness, &lit("Music"));
    assert_eq!(music, [Command::ClearClip(StripLamp::Strip(StripId(1)))]);
    let guest = lamps(&harness).into_iter().find(|name| name.contains("Yeti")).unwrap();
    // The keyboard works too.
    harness.get_by_label(&guest).focus();
    harness.run();
    harness.key_press(Key::Enter);
    assert_eq!(commands(&mut harness), [Command::ClearClip(StripLamp::Strip(StripId(2)))]);
    let program = click(&mut harness, &lit("Program"));
    assert_eq!(program, [Command::ClearClip(StripLamp::Program)]);
    assert_eq!(lamps(&harness), Vec::<String>::new());
    // The palette resets all lamps.
    clip(&mut harness);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    harness.event(egui::Event::Text("clip indicators".into()));
    harness.run();
    harness.key_press(Key::Enter);
    assert_eq!(commands(&mut harness), [Command::ClearClip(StripLamp::All)]);
    assert!(!harness.state().demo.snapshot().has_clipped());
}

#[test]
fn the_end_behavior_of_an_audio_file_is_chosen_on_its_strip() {
    use onair::media::playback_control::EndBehavior;

    let mut harness = open("mixer");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::M);
    harness.run();
    // A microphone or the program has no end.
    assert!(harness.query_by_label("Go silent").is_none());
    harness.get_by_role_and_label(Role::RadioButton, "Music").click();
    harness.run();
    let id = StripId(1);
    let once = Command::SetStripEnd { id, at_end: EndBehavior::Clear };
    assert_eq!(click(&mut harness, "Go silent"), [once]);
    assert_eq!(click(&mut harness, "Restart Music"), [Command::RestartStrip(id)]);
    // If a source shows the file too, the setting of the source applies.
    harness.state().demo.change(|snapshot| {
        let clip = VideoChoice::File("/opening.mp4".into());
        snapshot.strips[1].audio.choice = AudioChoice::File("/opening.mp4".into());
        snapshot.video.as_mut().unwrap().choice = clip;
    });
    harness.run();
    assert!(harness.query_by_label("Go silent").is_none());
}

#[test]
fn the_fallback_of_a_silent_strip_is_chosen_on_it() {
    let way = "If silent";
    let mut harness = open("mixer");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::M);
    harness.run();
    // The source of the main strip is the microphone.
    let id = StripId::MAIN;
    assert_eq!(chosen(&harness, way), "Do nothing");
    let firefox = Some(AudioChoice::Application("Firefox".into()));
    let sent = choose(&mut harness, way, "Firefox");
    assert_eq!(sent, [Command::SetIfSilent { id, choice: firefox.clone() }]);
    harness.state().demo.change(|snapshot| snapshot.strips[0].audio.if_silent = firefox);
    harness.run();
    assert_eq!(chosen(&harness, way), "Firefox");
    // The list lies below all filters. Keyboard focus scrolls to it.
    harness.get_by_role_and_label(Role::ComboBox, way).click();
    harness.run();
    // Silence would not help.
    let offered = |name| harness.query_by_role_and_label(Role::MenuItemRadio, name).is_some();
    assert!(offered("Test tone") && !offered("Silence"));
    harness.get_by_role_and_label(Role::MenuItemRadio, "Do nothing").click();
    assert_eq!(commands(&mut harness), [Command::SetIfSilent { id, choice: None }]);
    // A file may be silent on purpose.
    harness.get_by_role_and_label(Role::RadioButton, "Music").click();
    harness.run();
    assert!(harness.query_by_role_and_label(Role::ComboBox, way).is_none());
}

#[test]
fn a_strip_that_waits_for_its_key_does_not_look_muted() {
    let main = open("mixer").state().demo.snapshot().strips[0].clone();
    for name in ["mixer", "idle"] {
        let mut harness = open(name);
        let main = main.clone();
        let of = |harness: &mut Harness<'static, Window>, talk, held, words: &str| {
            harness.state().demo.change(|snapshot| {
                if snapshot.strips.is_empty() {
                    snapshot.strips.push(main.clone());
                }
                let first = &mut snapshot.strips[0];
                (first.audio.talk, first.held) = (talk, held);
            });
            harness.run();
            let found = |harness: &Harness<'static, Window>, words: &str| {
                let mut nodes = harness.root().children_recursive();
                nodes.any(|node| node.accesskit_node().value().is_some_and(|it| it == words))
            };
            for text in ["Key not held", "Key held"] {
                assert_eq!(found(harness, text), text == words, "{name}, {talk:?}, {held}: {text}");
            }
        };
        of(&mut harness, TalkMode::PushToTalk, false, "Key not held");
        of(&mut harness, TalkMode::PushToTalk, true, "");
        of(&mut harness, TalkMode::PushToMute, true, "Key held");
        of(&mut harness, TalkMode::PushToMute, false, "");
    }
}

/// Returns the strip that a command sets.
pub(super) fn strip_set(commands: &[Command]) -> (StripId, Strip) {
    match commands {
        [Command::SetStrip { id, strip, .. }] => (*id, strip.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn strips_are_side_by_side_and_are_set() {
    let mut harness = open("mixer");
    let (id, strip) = strip_set(&click(&mut harness, "Mute Music"));
    assert_eq!((id, strip.muted, strip.gain_db), (StripId(1), true, -12.0));
    harness.get_by_label("Unmute Music");
    harness.get_by_label("Gain of Voice").set_value_accesskit(-6.0);
    let (id, strip) = strip_set(&commands(&mut harness));
    assert_eq!((id, strip.gain_db, strip.filters.len()), (StripId(0), -6.0, 5));
}

#[test]
fn the_mixer_sets_everything_about_a_strip() {
    let mut harness = open("mixer");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::M);
    harness.run();
    assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), Some(Dialog::Mixer));
    let row = |harness: &mut Harness<'static, Window>, name: &str| {
        harness.get_by_role_and_label(Role::RadioButton, name).click();
        harness.run();
    };
    row(&mut harness, "Music");
    let press = |harness: &mut Harness<'static, Window>, name: &str| {
        harness.get_by_role_and_label(Role::CheckBox, name).click();
        strip_set(&commands(harness)).1
    };
    assert!(press(&mut harness, "Solo").solo);
    assert!(press(&mut harness, "Mono").mono);
    assert_eq!(
        strip_set(&click(&mut harness, "Monitor only")).1.monitoring,
        MonitoringMode::MonitorOnly
    );
    assert_eq!(
        strip_set(&click(&mut harness, "Recording tracks only")).1.monitoring,
        MonitoringMode::Tracks
    );
    let tracks = |commands: &[Command]| {
        strip_set(commands).1.tracks.iter().map(ExtraTrack::number).collect::<Vec<_>>()
    };
    assert_eq!(tracks(&click(&mut harness, "Track 6 for Music")), [3, 6]);
    assert_eq!(tracks(&click(&mut harness, "Track 3 for Music")), [6]);
    // Track 1 is the program, so its button changes the monitoring.
    let with = strip_set(&click(&mut harness, "Track 1 for Music")).1;
    assert_eq!(with.monitoring, MonitoringMode::Program);
    harness.get_by_role_and_label(Role::Slider, "Balance").set_value_accesskit(0.5);
    assert_eq!(strip_set(&commands(&mut harness)).1.balance, 0.5);
    let talk = click(&mut harness, "Push to talk");
    assert_eq!(talk, [Command::SetTalk { id: StripId(1), talk: TalkMode::PushToTalk }]);
    assert_eq!(click(&mut harness, "Remove this audio source"), [Command::RemoveStrip(StripId(1))]);
    // Filters are added, removed and set.
    // The button is further down.
    harness.get_by_label("Add a filter").click_accesskit();
    assert_eq!(commands(&mut harness), []);
    let (_, strip) = strip_set(&click(&mut harness, "Compressor"));
    assert_eq!(strip.filters[0].filter.kind(), "compressor");
    row(&mut harness, "Voice");
    let (_, strip) = strip_set(&click(&mut harness, "Remove Gate"));
    assert_eq!(strip.filters.len(), 4);
    harness.get_by_role_and_label(Role::Slider, "Amount").set_value_accesskit(0.25);
    let (_, strip) = strip_set(&commands(&mut harness));
    assert_eq!(strip.filters[0].filter, Filter::Denoise { amount: 0.25 });
    assert_eq!(click(&mut harness, "Reset the loudness measurement"), [Command::ResetLoudness]);
}

#[test]
fn monitoring_scene_and_side_chain_of_a_strip_are_set_in_the_mixer() {
    let mut harness = open("mixer");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::M);
    harness.run();
    // Audio monitoring.
    harness.get_by_role_and_label(Role::RadioButton, "Music").click();
    harness.run();
    for (name, mode) in [
        ("Monitor and output", MonitoringMode::Both),
        ("Monitor only", MonitoringMode::MonitorOnly),
        ("Recording tracks only", MonitoringMode::Tracks),
        ("Off", MonitoringMode::Program),
    ] {
        // The push-to-talk list below also has an entry *Off*.
        harness.get_all_by_label(name).next().unwrap().click();
        let (id, strip) = strip_set(&commands(&mut harness));
        assert_eq!((id, strip.monitoring, strip.gain_db), (StripId(1), mode, -12.0), "{name}");
    }
    // The sync offset is at most 20 s, in both directions.
    for (millis, micros, label) in [
        (250.0, 250_000, "Delayed"),
        (-120.5, -120_500, "Earlier (delays everything else)"),
        (20_000.0, 20_000_000, "Delayed"),
        (-20_000.0, -20_000_000, "Earlier (delays everything else)"),
        (0.0, 0, ""),
    ] {
        let offset = harness.get_by_role_and_label(Role::SpinButton, "Sync offset");
        offset.set_value_accesskit(millis);
        let (id, strip) = strip_set(&commands(&mut harness));
        assert_eq!((id, strip.offset_us), (StripId(1), micros));
        harness.run();
        for note in ["Delayed", "Earlier (delays everything else)"] {
            assert_eq!(harness.query_by_label(note).is_some(), note == label, "{millis}: {note}");
        }
    }
    harness.get_by_role_and_label(Role::SpinButton, "Sync offset").set_value_accesskit(90_000.0);
    assert_eq!(strip_set(&commands(&mut harness)).1.offset_us, 20_000_000, "no further");

    // The sidechain of a compressor is the strip itself or any other strip.
    harness.state().demo.change(|snapshot| {
        // With a single filter, nothing needs to scroll.
        snapshot.strips[0].audio.strip.filters.retain(|it| it.filter.kind() == "compressor");
    });
    harness.get_by_role_and_label(Role::RadioButton, "Voice").click();
    harness.run();
    let chain = |harness: &mut Harness<'static, Window>, name: &str| {
        let list = |harness: &Harness<'static, Window>, press: bool| {
            let node = harness.get_by_role_and_label(Role::ComboBox, "Sidechain");
            if press { node.click() } else { node.scroll_down() }
        };
        // The list lies below the visible part of the dialog.
        for press in [false, false, false, true] {
            list(harness, press);
            harness.run();
        }
        let offered = harness.get_all_by_role(Role::MenuItemRadio).count();
        harness.get_by_role_and_label(Role::MenuItemRadio, name).click();
        let (id, strip) = strip_set(&commands(harness));
        let Filter::Compressor { side_chain, .. } = strip.filters[0].filter else {
            panic!("{:?}", strip.filters[0])
        };
        assert_eq!((id, offered), (StripId(0), 3), "its own and two others, not itself");
        harness.run();
        side_chain
    };
    assert_eq!(chain(&mut harness, "Music"), Some(StripId(1)));
    assert_eq!(chain(&mut harness, "This source"), None);

    // The monitoring device.
    let monitoring = |harness: &mut Harness<'static, Window>, name: &str| {
        harness.get_by_role_and_label(Role::ComboBox, "Monitoring device").click();
        harness.run();
        harness.get_by_role_and_label(Role::MenuItemRadio, name).click();
        let sent = commands(harness);
        harness.run();
        sent
    };
    let hdmi = Monitoring::Device("hdmi".into());
    assert_eq!(monitoring(&mut harness, "HDMI Audio"), [Command::SetMonitoring(hdmi.clone())]);
    harness.state().demo.change(|snapshot| snapshot.monitoring = hdmi.clone());
    harness.run();
    let default = [Command::SetMonitoring(Monitoring::Default)];
    assert_eq!(monitoring(&mut harness, "Default speakers"), default);
    assert_eq!(monitoring(&mut harness, "Off"), [Command::SetMonitoring(Monitoring::Off)]);
}

#[test]
fn one_application_is_chosen_and_changes_of_the_mixer_are_undone() {
    let mut harness = open("mixer");
    let firefox = AudioChoice::Application("Firefox".into());
    // The list may have to scroll to this entry.
    let choose = |harness: &mut Harness<'static, Window>, name: &str| {
        harness.get_by_role_and_label(Role::ComboBox, "Device or file").click();
        harness.run();
        harness.get_by_role_and_label(Role::MenuItemRadio, name).click_accesskit();
        let mut sent = commands(harness);
        sent.retain(|command| *command != Command::RefreshDevices);
        harness.run();
        sent
    };
    harness.key_press_modifiers(Modifiers::COMMAND, Key::M);
    harness.run();
    let id = StripId::MAIN;
    for (name, choice) in
        [("Firefox", firefox.clone()), ("System audio", AudioChoice::System(None))]
    {
        assert_eq!(choose(&mut harness, name), [Command::SelectStrip { id, choice }]);
    }
    harness.get_by_label("Clock drift: −38 ppm");
    // Applications start and end, so the list searches once when it opens.
    assert_eq!(click(&mut harness, "Add an audio source"), [Command::RefreshDevices]);
    harness.get_by_role_and_label(Role::MenuItemRadio, "Firefox").click();
    assert_eq!(commands(&mut harness), [Command::AddStrip(firefox)]);
    // Undo works as it does for scenes. There is nothing to redo.
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    assert_eq!(commands(&mut harness), [Command::Undo]);
    let redo = [(Modifiers::COMMAND, Key::Y), (Modifiers::COMMAND | Modifiers::SHIFT, Key::Z)];
    for (modifiers, key) in redo {
        harness.key_press_modifiers(modifiers, key);
        assert_eq!(commands(&mut harness), []);
    }
    // Both usual hotkeys redo.
    harness.state().demo.change(|snapshot| snapshot.scenes.can_redo = true);
    for (modifiers, key) in redo {
        harness.key_press_modifiers(modifiers, key);
        assert_eq!(commands(&mut harness), [Command::Redo], "{modifiers:?} {key:?}");
    }
}

#[test]
fn the_audio_of_sources_in_scenes_is_offered_once() {
    let mut harness = open("media");
    let clip = AudioChoice::File("/opening.mp4".into());
    harness.key_press_modifiers(Modifiers::COMMAND, Key::M);
    harness.run();
    click(&mut harness, "Add an audio source");
    harness.get_by_role_and_label(Role::MenuItemRadio, "Opening").click();
    assert_eq!(commands(&mut harness), [Command::AddStrip(clip.clone())]);
    // Audio that already has a strip is not offered again.
    let strip = StripView {
        audio: AudioStrip { name: "Loud".into(), ..AudioStrip::new(StripId(7), clip) },
        name: "Loud".into(),
        device: String::new(),
        state: SourceState::Open,
        shown: true,
        held: false,
        has_no_audio: true,
        drift_ppm: None,
        meter: Default::default(),
    };
    harness.state().demo.change(|snapshot| snapshot.strips.push(strip));
    harness.run();
    click(&mut harness, "Add an audio source");
    assert!(harness.query_by_role_and_label(Role::MenuItemRadio, "Opening").is_none());
    harness.key_press(Key::Escape);
    harness.run();
    assert!(harness.query_all_by_label("No audio").next().is_some());
}

/// Returns true if a part of the window paints this text.
pub fn paints(shape: &egui::Shape, words: &str) -> bool {
    match shape {
        egui::Shape::Text(text) => text.galley.text() == words,
        egui::Shape::Vec(shapes) => shapes.iter().any(|shape| paints(shape, words)),
        _ => false,
    }
}

#[test]
fn without_chosen_audio_none_is_shown_as_opening() {
    let mut harness = open("idle");
    for (choice, opening) in [(AudioChoice::System(None), true), (AudioChoice::None, false)] {
        harness.state_mut().demo.change(|snapshot| {
            let audio = snapshot.audio.as_mut().unwrap();
            (audio.choice, audio.state) = (choice.clone(), SourceState::Opening);
        });
        harness.run();
        harness.run();
        let is_shown = harness.output().shapes.iter().any(|it| paints(&it.shape, "Opening…"));
        assert_eq!(is_shown, opening, "{choice}");
    }
}

#[test]
fn names_of_strips_are_whole_where_the_mixer_has_room_for_them() {
    for (size, layout) in [((1280.0, 720.0), "simple"), ((1920.0, 1080.0), "studio")] {
        let panels = onair::studio::settings::Panels {
            layout: layout.into(),
            ..onair::studio::settings::Panels::default()
        };
        let preferences =
            Preferences { panels: Box::new(panels), ..preferences(Language::English, Theme::Dark) };
        let harness = open_as("idle", size.into(), preferences);
        let meter = harness.get_by_role_and_label(Role::Meter, "Level of Yeti Stereo Microphone");
        let add = harness.get_by_role_and_label(Role::Button, "Add audio…").rect();
        // The strip is wide enough for its name and its level, and the button shows its text.
        let from = if layout == "simple" { 250.0 } else { 0.0 };
        assert!(meter.rect().width() > from, "{layout}: {:?}", meter.rect());
        assert!(add.width() > 100.0 && add.left() > meter.rect().right(), "{layout}: {add:?}");
    }
}

#[test]
fn a_lost_device_does_not_widen_its_strip() {
    let mut harness = open("idle");
    let width = |harness: &Harness<'static, Window>| {
        let name = "Level of Yeti Stereo Microphone";
        harness.get_by_role_and_label(Role::Meter, name).rect().width()
    };
    let before = width(&harness);
    for (state, words) in
        [(SourceState::Lost, "Disconnected"), (SourceState::Failed, "Cannot open")]
    {
        harness.state().demo.change(|snapshot| snapshot.audio.as_mut().unwrap().state = state);
        harness.run();
        assert!((width(&harness) - before).abs() < 0.5, "{before} {}", width(&harness));
        let is_whole = |it: &egui::epaint::ClippedShape| super::watch::laid(&it.shape, words);
        assert!(harness.output().shapes.iter().any(is_whole), "{words}");
    }
}

#[test]
fn a_strip_has_a_menu_by_mouse_and_by_keyboard() {
    let mut harness = open("mixer");
    let item = |harness: &mut Harness<'static, Window>, name: &str| {
        harness.run();
        harness.run();
        harness.get_by_role_and_label(Role::MenuItemRadio, name).click();
        commands(harness)
    };
    harness.get_by_label("Mute Music").click_secondary();
    let sent = item(&mut harness, "Set to 0 dB");
    let [Command::SetStrip { id: StripId(1), strip, .. }] = &sent[..] else { panic!("{sent:?}") };
    assert!(strip.gain_db == 0.0 && strip.balance > 0.0, "{strip:?}");
    harness.get_by_label("Gain of Music").focus();
    harness.run();
    harness.key_press(Key::Menu);
    let sent = item(&mut harness, "Monitoring: Monitor only");
    let [Command::SetStrip { strip, .. }] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(strip.monitoring, MonitoringMode::MonitorOnly);
    harness.get_by_label("Mute Music").click_secondary();
    let sent = item(&mut harness, "Remove this audio source");
    assert_eq!(sent, [Command::RemoveStrip(StripId(1))]);
    // The main strip cannot be removed, but its dialog opens.
    harness.get_by_label("Audio settings for Voice").click_secondary();
    harness.run();
    harness.run();
    assert!(harness.query_by_label("Remove this audio source").is_none());
    item(&mut harness, "Settings…");
    harness.run();
    harness.get_by_label("Audio sources");
}

#[test]
fn a_large_window_shows_all_filters_of_a_strip_without_scrolling() {
    let size = Vec2::new(1920.0, 1080.0);
    let mut harness = open_as("mixer", size, preferences(Language::English, Theme::Dark));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::M);
    harness.run();
    harness.run();
    // This field is below the filters.
    let is_whole = harness.output().shapes.iter().any(|it| match &it.shape {
        egui::Shape::Text(text) if text.galley.text() == "Add a filter" => {
            it.clip_rect.contains_rect(text.visual_bounding_rect())
        }
        _ => false,
    });
    assert!(is_whole, "{:?}", shown(&harness));
}

/// The audio source is in neither the program nor the headphones.
#[test]
fn a_strip_on_monitor_only_with_monitoring_off_says_so_and_offers_to_turn_it_on() {
    let mut harness = open("mixer");
    harness.state().demo.change(|snapshot| {
        snapshot.monitoring = Monitoring::Off;
        snapshot.strips[1].audio.strip.monitoring = MonitoringMode::MonitorOnly;
    });
    harness.run();
    let levels = |harness: &Harness<'static, Window>| {
        let all = harness.query_all_by_label_contains("Level of");
        all.filter_map(|it| it.accesskit_node().value()).filter(|it| it == "Not heard").count()
    };
    assert_eq!(levels(&harness), 1);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::M);
    harness.run();
    harness.get_by_role_and_label(Role::RadioButton, "Music").click();
    harness.run();
    harness.get_by_label_contains("Nobody hears this audio source");
    let sent = click(&mut harness, "Turn on monitoring");
    assert_eq!(sent, [Command::SetMonitoring(Monitoring::Default)]);
    harness.state().demo.change(|snapshot| snapshot.monitoring = Monitoring::Default);
    harness.run();
    assert!(harness.query_by_label_contains("Nobody hears this audio source").is_none());
    assert_eq!(levels(&harness), 0);
}

#[test]
fn the_rest_of_the_window_works_while_the_mixer_is_open() {
    let mut harness = open("mixer");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::M);
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Record").click_accesskit();
    harness.run();
    assert!(harness.state().requests.contains(&WindowRequest::Record));
    let dialog =
        |harness: &Harness<'static, Window>| harness.state().screen.as_ref().unwrap().dialog();
    assert_eq!(dialog(&harness), Some(Dialog::Mixer));
    harness.key_press(Key::Escape);
    harness.run();
    assert_eq!(dialog(&harness), None);
}

#[test]
fn live_commands_work_over_every_open_dialog_but_not_while_typing() {
    for opened in
        [Dialog::Mixer, Dialog::Settings, Dialog::Help, Dialog::EventLog, Dialog::Preflight]
    {
        let mut harness = super::open("on-air");
        harness.state_mut().screen.as_mut().unwrap().open(opened);
        harness.run();
        harness.state_mut().requests.clear();
        drop(commands(&mut harness));
        if !harness.ctx.text_edit_focused() {
            harness.key_press(Key::M);
            assert_eq!(commands(&mut harness), [Command::SetMuted(true)], "{opened:?}");
        }
        harness.key_press_modifiers(Modifiers::COMMAND, Key::R);
        harness.run();
        assert!(harness.state().requests.contains(&WindowRequest::Record), "{opened:?}");
        harness.key_press_modifiers(Modifiers::COMMAND, Key::L);
        harness.run();
        let dialog = harness.state().screen.as_ref().unwrap().dialog();
        assert_eq!(dialog, Some(Dialog::ConfirmStop), "{opened:?}");
    }
}
