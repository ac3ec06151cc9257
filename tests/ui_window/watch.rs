//! Tests of the *Watch* page as a viewer uses it.

use onair::player::FailureKind;

use super::player_commands::click_video;
use super::sound::paints;
use super::*;

#[test]
fn a_stream_is_watched() {
    let mut harness = open("idle");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num2);
    harness.run();
    let url = "rtmp://127.0.0.1:1935/live/onair";
    harness.get_all_by_label("Play").next().unwrap().click();
    assert_eq!(commands(&mut harness), [Command::Watch { url: url.into() }]);
    harness.get_by_label_contains("Latency: 380");
    harness.get_by_label_contains("304\u{a0}ms · jitter 4\u{a0}ms");
    assert_eq!(click(&mut harness, "Mute the player"), [Command::SetPlayerMuted(true)]);
    harness.get_by_label("Volume").set_value_accesskit(0.5);
    assert_eq!(commands(&mut harness), [Command::SetVolume(0.5)]);
    click_video(&mut harness);
    harness.key_press(Key::F);
    harness.run();
    assert!(harness.state().requests.contains(&WindowRequest::FullScreen(true)));
    harness.key_press(Key::Escape);
    harness.run();
    assert!(harness.state().requests.contains(&WindowRequest::FullScreen(false)));
    harness.get_all_by_label("Stop").next().unwrap().click();
    assert_eq!(commands(&mut harness), [Command::StopWatching]);
}

#[test]
fn the_own_stream_is_offered_only_while_the_built_in_server_gets_it() {
    let mut harness = open("watch-idle");
    let offer = |harness: &mut Harness<'static, Window>, enabled| {
        harness.state().demo.change(|snapshot| {
            snapshot.live = onair::studio::live::view::LiveState::OnAir;
            let own = &mut snapshot.targets[0];
            own.target.enabled = enabled;
            own.state = Some(onair::studio::targets::TargetState::Live).filter(|_| enabled);
        });
        harness.run();
        harness.query_by_label("Watch your own stream").is_some()
    };
    assert!(!offer(&mut harness, false), "the server is no target");
    assert!(offer(&mut harness, true));
    commands(&mut harness);
    let url = "rtmp://127.0.0.1:1935/live/onair".to_owned();
    assert_eq!(click(&mut harness, "Watch your own stream"), [Command::Watch { url }]);
}

/// Even if a codec has a long name, its label stays readable, and a tooltip shows the whole name.
#[test]
fn a_long_figure_pushes_no_label_aside() {
    let mut harness = open("watching");
    let codec = "HEVC Format Range Extensions 4:2:2 10";
    harness.state().demo.change(|snapshot| snapshot.watch_figures.video = codec.into());
    harness.run();
    let value = shown(&harness).into_iter().find_map(|name| {
        name.strip_prefix("Video: ").filter(|it| it.starts_with(codec)).map(str::to_owned)
    });
    let value = value.expect("the figure has no name");
    let paints = |harness: &Harness<'_, Window>, words: &str| {
        harness.output().shapes.iter().any(|it| laid(&it.shape, words))
    };
    assert!(paints(&harness, "Video"), "the label is cut off");
    assert!(!paints(&harness, &value), "there is room for all of it");
    let line = harness.get_by_label_contains(codec).rect();
    harness.hover_at(line.center());
    harness.run();
    let count = shown(&harness).into_iter().filter(|name| name.starts_with(&value)).count();
    assert_eq!(count, 1, "{:?}", shown(&harness));
}

/// Returns true if exactly this text is painted, without an ellipsis.
pub(super) fn laid(shape: &egui::Shape, words: &str) -> bool {
    match shape {
        egui::Shape::Text(text) => !text.galley.elided && text.galley.text() == words,
        egui::Shape::Vec(shapes) => shapes.iter().any(|shape| laid(shape, words)),
        _ => false,
    }
}

#[test]
fn the_page_has_the_players_sentence_below_and_the_health_of_ones_own_broadcast_above() {
    let mut harness = open("on-air");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num2);
    harness.state().demo.change(|snapshot| snapshot.watch = WatchState::Idle);
    harness.run();
    harness.get_by_label("Nothing is playing.");
    harness.get_by_label("All good.");
    let mut status = |times, dropped| {
        harness.state().demo.change(|snapshot| {
            snapshot.watch = WatchState::Playing;
            snapshot.watch_figures.first_frame = Some(Duration::from_millis(41));
            (snapshot.watch_figures.underruns, snapshot.watch_figures.losses) = times;
            snapshot.figures.dropped_frames = dropped;
        });
        harness.run();
        let shown = shown(&harness);
        let plays = shown.iter().any(|words| words == "Playing.");
        (plays, shown.into_iter().find(|words| words.contains("interruption")).unwrap())
    };
    assert_eq!(status((0, 0), 0), (true, "no interruptions".into()));
    assert_eq!(status((1, 0), 0), (true, "one interruption".into()));
    assert_eq!(status((2, 1), 9_000), (true, "2 interruptions".into()));
}

fn asked(harness: &mut Harness<'static, Window>, key: Key) -> Vec<Command> {
    harness.key_press(key);
    commands(harness)
}

#[test]
fn a_broadcast_is_held_gone_back_in_and_brought_to_its_end() {
    let mut harness = open("watch-behind");
    let player = |playing| vec![Command::Player(playing)];
    let seconds = Duration::from_secs;
    assert!(shown(&harness).iter().any(|name| name == "−12\u{a0}s"), "{:?}", shown(&harness));
    assert_eq!(click(&mut harness, "Pause"), player(WatchCommand::Pause(true)));
    assert_eq!(click(&mut harness, "Resume"), player(WatchCommand::Pause(false)));
    assert_eq!(asked(&mut harness, Key::Space), player(WatchCommand::Pause(true)));
    let step = |by, ahead| player(WatchCommand::Step { by: seconds(by), ahead });
    assert_eq!(asked(&mut harness, Key::ArrowLeft), step(5, false));
    assert_eq!(asked(&mut harness, Key::ArrowRight), step(5, true));
    assert_eq!(asked(&mut harness, Key::PageDown), step(30, false));
    // A click in the middle of the bar goes to the middle of the time shift.
    let bar = harness.get_by_role_and_label(Role::Slider, "Position").rect();
    harness.hover_at(bar.center());
    harness.drag_at(bar.center());
    harness.drop_at(bar.center());
    let sent = commands(&mut harness);
    let [Command::Player(WatchCommand::SeekBehindLive(middle))] = sent.as_slice() else {
        panic!("{sent:?}")
    };
    assert!((47.0..50.0).contains(&middle.as_secs_f64()), "{middle:?}");
    assert_eq!(click(&mut harness, "Live"), player(WatchCommand::GoToLive));
    assert!(!shown(&harness).iter().any(|name| name == "Live"), "it is live");
    assert_eq!(click(&mut harness, "Stop recording this stream"), player(WatchCommand::StopSaving));
    click(&mut harness, "Record this stream");
    assert!(harness.state().requests.contains(&WindowRequest::WatchSave));
    click_video(&mut harness);
    asked(&mut harness, Key::S);
    assert!(harness.state().requests.contains(&WindowRequest::WatchScreenshot));
}

#[test]
fn on_a_full_screen_the_controls_come_when_they_are_looked_for() {
    let mut harness = open("watching");
    let controls = |harness: &Harness<'_, Window>| harness.query_by_label("Pause").is_some();
    assert!(controls(&harness));
    asked(&mut harness, Key::F);
    assert!(!controls(&harness), "nothing lies on the picture");
    harness.key_press(Key::Tab);
    harness.step();
    assert!(controls(&harness));
}

#[test]
fn only_a_stream_that_supports_seeking_has_a_seek_bar() {
    for (state, has_bar) in [("watching", false), ("watch-behind", true), ("watch-file", true)] {
        let harness = open(state);
        let bar = harness.query_by_role_and_label(Role::Slider, "Position");
        assert_eq!(bar.is_some(), has_bar, "{state}");
    }
}

#[test]
fn a_recording_that_has_ended_still_shows_its_time_and_seeks() {
    let mut harness = open("watch-file");
    harness.state().demo.change(|snapshot| {
        snapshot.watch = WatchState::Ended;
        snapshot.watch_figures.position = Duration::from_secs(190);
    });
    harness.run();
    assert!(shown(&harness).iter().any(|name| name == "3:10 / 3:10"), "{:?}", shown(&harness));
    let seek = Command::Player(WatchCommand::Seek(Duration::ZERO));
    assert_eq!(asked(&mut harness, Key::Home), [seek]);
}

#[test]
fn a_recording_can_be_seeked() {
    let mut harness = open("watch-file");
    let seek = |to| vec![Command::Player(WatchCommand::Seek(Duration::from_secs(to)))];
    let step = |ahead| Command::Player(WatchCommand::Step { by: Duration::from_secs(5), ahead });
    assert!(shown(&harness).iter().any(|name| name == "0:42 / 3:10"), "{:?}", shown(&harness));
    assert_eq!(asked(&mut harness, Key::ArrowRight), [step(true)]);
    // Two key presses between two frames are two steps.
    harness.key_press(Key::ArrowLeft);
    assert_eq!(asked(&mut harness, Key::ArrowLeft), [step(false), step(false)]);
    assert_eq!(asked(&mut harness, Key::Home), seek(0));
    assert_eq!(asked(&mut harness, Key::L), [], "it has no live end");
    // A file cannot be recorded, and the tooltip says why.
    let record = harness.get_by_label("Record this stream").rect();
    let why = |harness: &Harness<'static, Window>| {
        shown(harness).iter().any(|name| name.starts_with("You can record only live streams here"))
    };
    assert!(!why(&harness));
    harness.hover_at(record.center());
    (0..8).for_each(|_| harness.step());
    assert!(why(&harness), "{:?}", shown(&harness));
}

#[test]
fn the_figures_beside_the_video_are_in_the_language_of_the_window() {
    let size = Vec2::new(1280.0, 720.0);
    let harness = open_as("watch-file", size, preferences(Language::Chinese, Theme::Light));
    let names = shown(&harness);
    let has = |words: &str| names.iter().any(|name| name.contains(words));
    assert!(has("AAC-LC 48 kHz 立体声") && !has("stereo"), "{names:?}");
    assert!(has("1280×720 · 30 帧/秒"), "{names:?}");
    // They are complete in a small window too.
    for language in [Language::English, Language::Chinese] {
        let size = Vec2::new(960.0, 600.0);
        let harness = open_as("watching", size, preferences(language, Theme::Dark));
        let rate = if language == Language::English { "30 fps" } else { "30 帧/秒" };
        for words in ["H.264 High".to_owned(), format!("1280×720 · {rate}")] {
            let mut shapes = harness.output().shapes.iter();
            assert!(shapes.any(|it| laid(&it.shape, &words)), "{words}");
        }
    }
    // A file on this computer has no chat.
    assert!(!names.iter().any(|name| name == "聊天"), "{names:?}");
    let harness = open_as("watching", size, preferences(Language::Chinese, Theme::Light));
    assert!(shown(&harness).iter().any(|name| name == "聊天"));
}

#[test]
fn audio_buffer_and_look_are_set() {
    let mut harness = open("watching");
    let player = |playing| vec![Command::Player(playing)];
    harness.get_by_label("Audio: balance, offset, speaker").click();
    harness.run();
    harness.get_by_role_and_label(Role::Slider, "Balance").set_value_accesskit(0.5);
    assert_eq!(commands(&mut harness), player(WatchCommand::SetBalance(0.5)));
    let offset = "Audio offset";
    harness.get_by_role_and_label(Role::Slider, offset).set_value_accesskit(-0.25);
    assert_eq!(commands(&mut harness), player(WatchCommand::SetAvOffset(-250)));
    assert_eq!(
        click(&mut harness, "HDMI Audio"),
        player(WatchCommand::SetSpeaker(Some("hdmi".into())))
    );
    harness.key_press(Key::Escape);
    harness.run();
    click_video(&mut harness);
    let later = player(WatchCommand::StepAvOffset(10));
    assert_eq!(asked(&mut harness, Key::K), later);
    // The key is pressed twice before the next frame.
    harness.key_press(Key::K);
    assert_eq!(asked(&mut harness, Key::K), [later.clone(), later].concat());
    assert_eq!(asked(&mut harness, Key::Num9), [Command::StepVolume(-0.05)]);
    // The hardware has not been probed yet.
    let looked = click(&mut harness, "Video and buffer");
    assert_eq!(looked, player(WatchCommand::ProbeHardware));
    let buffer = Some(Duration::from_secs(1));
    assert_eq!(click(&mut harness, "Buffer 1\u{a0}s"), player(WatchCommand::SetBuffer(buffer)));
    assert_eq!(click(&mut harness, "Buffer Auto"), player(WatchCommand::SetBuffer(None)));
    for (choice, viewport) in [
        ("Fill", "fill 1 0"),
        ("4:3", "4:3 1 0"),
        ("Original size", "original 1 0"),
        ("Rotated by 90 degrees", "original 1 90"),
        ("Reset", "fit 1 0"),
    ] {
        let command = WatchCommand::SetViewport(TileId(0), viewport.parse().unwrap());
        assert_eq!(click(&mut harness, choice), player(command), "{choice}");
    }
    harness.key_press(Key::Escape);
    harness.run();
    click_video(&mut harness);
    for (key, viewport) in [(Key::A, "fill 1 0"), (Key::T, "fill 1 90"), (Key::Plus, "fill 1.1 90")]
    {
        let sent = asked(&mut harness, key);
        let [Command::Player(WatchCommand::SetViewport(_, set))] = sent.as_slice() else {
            panic!("{key:?}: {sent:?}");
        };
        assert_eq!(set.to_string(), viewport);
    }
    // Enlarged video is moved by keyboard and by pointer.
    harness.key_press_modifiers(Modifiers::ALT, Key::ArrowRight);
    let keyed = looked_at(&commands(&mut harness)).pan;
    assert!(keyed[0] > 0.0 && keyed[1] == 0.0, "{keyed:?}");
    let middle = harness.get_by_label("Player video").rect().center();
    harness.drag_at(middle);
    harness.hover_at(middle + egui::vec2(-90.0, 45.0));
    harness.run_steps(2);
    harness.drop_at(middle + egui::vec2(-90.0, 45.0));
    let dragged = looked_at(&commands(&mut harness)).pan;
    assert!(dragged[0] < keyed[0] && dragged[1] > 0.0, "{dragged:?}");
    // Keys that are pressed while there is no video do not move the next video.
    let tiles = harness.state().demo.snapshot().tiles.len();
    for wall in [false, true] {
        let state = |harness: &Harness<'static, Window>, state: WatchState| {
            harness.state().demo.change(|snapshot| {
                for tile in snapshot.tiles.iter_mut().filter(|tile| tile.chosen) {
                    tile.state = state.clone();
                }
                snapshot.watch = state;
            });
        };
        if wall {
            harness = open("watch-wall");
            asked(&mut harness, Key::Plus);
        } else {
            assert!(tiles < 2);
        }
        state(&harness, WatchState::Ended);
        harness.run();
        harness.key_press_modifiers(Modifiers::ALT, Key::ArrowLeft);
        assert_eq!(commands(&mut harness), []);
        state(&harness, WatchState::Playing);
        assert_eq!(commands(&mut harness), [], "{wall}");
    }
}

/// Returns the last view of the video that was sent.
fn looked_at(commands: &[Command]) -> onair::studio::watch::viewport::Viewport {
    let mut looks = commands.iter().filter_map(|command| match command {
        Command::Player(WatchCommand::SetViewport(_, viewport)) => Some(*viewport),
        _ => None,
    });
    looks.next_back().unwrap_or_else(|| panic!("{commands:?}"))
}

#[test]
fn many_speakers_are_a_list_that_is_scrolled() {
    let mut harness = open("watching");
    harness.state().demo.change(|snapshot| {
        let device = |number| onair::studio::snapshot::Device {
            id: format!("s{number}"),
            name: format!("Speaker {number}"),
            default: number == 0,
        };
        snapshot.speakers = (0..30).map(device).collect();
    });
    harness.run();
    harness.get_by_label("Audio: balance, offset, speaker").click();
    harness.run();
    let line = |harness: &Harness<'static, Window>, number: u32| {
        let name = format!("Speaker {number}");
        harness.get_by_role_and_label(Role::MenuItemRadio, &name).rect()
    };
    let room = egui::Rect::from_min_size(egui::Pos2::ZERO, harness.ctx.content_rect().size());
    assert!(room.contains_rect(line(&harness, 2)), "{:?}", line(&harness, 2));
    let first = line(&harness, 2);
    // The last speaker is out of view until it gets the focus.
    harness.get_by_role_and_label(Role::MenuItemRadio, "Speaker 29").focus();
    harness.run();
    harness.run();
    assert!(line(&harness, 2).top() < first.top() - 500.0, "it was scrolled");
    assert!(room.contains_rect(line(&harness, 29)), "{:?}", line(&harness, 29));
    harness.key_press(Key::Enter);
    let last = WatchCommand::SetSpeaker(Some("s29".into()));
    assert_eq!(commands(&mut harness), [Command::Player(last)]);
}

#[test]
fn the_figures_lie_over_the_video() {
    let mut harness = open("watching");
    let over = |harness: &Harness<'static, Window>| {
        shown(harness).into_iter().find(|name| name.starts_with("Statistics: "))
    };
    assert_eq!(over(&harness), None);
    asked(&mut harness, Key::I);
    let statistics = over(&harness).unwrap();
    for part in ["H.264 High", "1280×720", "2\u{a0}498\u{a0}kbps", "380\u{a0}ms", "Reconnects: 0"]
    {
        assert!(statistics.contains(part), "{part}: {statistics}");
    }
    assert!(statistics.contains("Decoder: –"), "{statistics}");
    // All attempts after one loss are one reconnect.
    harness.state().demo.change(|snapshot| {
        (snapshot.watch_figures.reconnects, snapshot.watch_figures.losses) = (27, 1);
    });
    harness.run();
    assert!(over(&harness).unwrap().contains("Reconnects: 1"), "{:?}", over(&harness));
    for (hardware, words) in
        [(None, "Decoder: FFmpeg, on the CPU"), (Some("VAAPI"), "Decoder: FFmpeg with VAAPI")]
    {
        harness.state().demo.change(|snapshot| {
            snapshot.watch_figures.decoder = Some(DecoderInfo { library: "FFmpeg", hardware });
        });
        harness.run();
        assert!(over(&harness).unwrap().contains(words), "{words}: {:?}", over(&harness));
    }
    // The statistics do not cover the reason for a failure.
    let failed = WatchState::Failed { cause: "no stream".into(), kind: FailureKind::NoSuchStream };
    harness.state().demo.change(|snapshot| snapshot.watch = failed);
    harness.run();
    assert_eq!(over(&harness), None);
    harness.state().demo.change(|snapshot| snapshot.watch = WatchState::Playing);
    harness.run();
    assert!(over(&harness).is_some());
    click(&mut harness, "Statistics overlay");
    assert_eq!(over(&harness), None);
}

#[test]
fn hardware_decoding_is_probed_once_and_shown_with_its_reason() {
    let mut harness = open("watching");
    let asked = [Command::Player(WatchCommand::ProbeHardware)];
    assert_eq!(click(&mut harness, "Video and buffer"), asked);
    harness.run();
    assert_eq!(commands(&mut harness), []);
    harness.state().demo.change(|snapshot| {
        snapshot.hardware = Some(Err("onair cannot open a VAAPI device (I/O error)".into()));
    });
    harness.run();
    harness.get_by_label("No hardware decoding: onair cannot open a VAAPI device (I/O error).");
    harness.state().demo.change(|snapshot| snapshot.hardware = Some(Ok("VAAPI")));
    harness.run();
    harness.get_by_label_contains("Hardware decoding available: VAAPI");
}

#[test]
fn an_address_is_pasted_wherever_nothing_is_being_typed() {
    let mut harness = open("watching");
    let url = "https://host/live.m3u8";
    let paste = |harness: &mut Harness<'static, Window>| {
        harness.event(egui::Event::Paste(url.into()));
        commands(harness)
    };
    let played = [Command::Watch { url: url.into() }];
    // A button has the focus.
    harness.get_by_label("Video and buffer").focus();
    harness.run();
    assert_eq!(paste(&mut harness), played);
    // In the address field itself, the pasted address is not played before Enter.
    harness.get_by_role_and_label(Role::TextInput, "Stream address").focus();
    harness.run();
    assert_eq!(paste(&mut harness), []);
    // Pasting works on the full screen, and in the separate window.
    let mut harness = open("watching");
    asked(&mut harness, Key::F);
    assert_eq!(paste(&mut harness), played);
    let mut harness = open("watching");
    asked(&mut harness, Key::D);
    assert!(harness.state().screen.as_ref().unwrap().plays_apart());
    assert_eq!(paste(&mut harness).first(), played.first());
}

#[test]
fn the_player_is_muted_by_a_key_on_the_page_and_in_its_windows() {
    let mut harness = open("watching");
    let mute = |on| [Command::SetPlayerMuted(on)];
    assert_eq!(asked(&mut harness, Key::M), mute(true));
    assert_eq!(asked(&mut harness, Key::M), mute(false));
    for place in [Key::D, Key::P] {
        let mut harness = open("watching");
        asked(&mut harness, place);
        assert!(harness.state().screen.as_ref().unwrap().plays_apart());
        assert_eq!(asked(&mut harness, Key::M), mute(true));
    }
}

#[test]
fn streams_are_offered_again_and_forgotten() {
    let mut harness = open("watch-idle");
    let url = "rtmp://live.example.com/app/main-hall";
    harness.get_by_label("Recent streams").click();
    harness.run();
    let forget = Command::Player(WatchCommand::Forget(url.into()));
    assert_eq!(click(&mut harness, "Forget main-hall · live.example.com"), [forget]);
    let mut harness = open("watch-idle");
    harness.get_by_label("Recent streams").click();
    harness.run();
    assert_eq!(click(&mut harness, url), [Command::Watch { url: url.into() }]);
    let pasted = "https://host/live.m3u8?token=1";
    harness.event(egui::Event::Paste(pasted.into()));
    assert_eq!(commands(&mut harness), [Command::Watch { url: pasted.into() }]);
    harness.event(egui::Event::Paste("no address".into()));
    assert_eq!(commands(&mut harness), []);
}

#[test]
fn a_wall_shows_each_players_state_in_its_tile() {
    let mut harness = open("watch-wall");
    let player = |playing| vec![Command::Player(playing)];
    let hall = "main-hall · live.example.com";
    let nobody = "nobody · live.example.com";
    harness.get_by_label(&format!("{nobody}: Playback failed"));
    harness.get_by_label("stage · live.example.com: The stream was lost");
    // The notice of a tile that is not selected is visible. The selected tile can show its
    // statistics.
    harness.get_by_label("Part of the data is damaged, so onair skips it.");
    assert!(harness.query_by_label_contains("Statistics: ").is_none());
    asked(&mut harness, Key::I);
    harness.get_by_label_contains("Statistics: ");
    asked(&mut harness, Key::I);
    assert_eq!(
        click(&mut harness, &format!("Play {nobody} again")),
        player(WatchCommand::Again(TileId(4)))
    );
    assert_eq!(
        click(&mut harness, &format!("Remove {nobody}")),
        player(WatchCommand::Remove(TileId(4)))
    );
    let workshop = "workshop · live.example.com: Playing";
    harness.get_by_label(workshop).focus();
    harness.run();
    harness.key_press(Key::Enter);
    assert_eq!(commands(&mut harness), player(WatchCommand::Choose(TileId(1))));
    harness.get_by_label(workshop);
    assert_eq!(click(&mut harness, "Add tile").len(), 1);
    // A second Enter shows this tile alone, and Escape returns to the wall.
    harness.get_by_label(workshop).focus();
    harness.run();
    harness.key_press(Key::Enter);
    assert_eq!(commands(&mut harness), player(WatchCommand::Choose(TileId(1))));
    harness.get_by_label("Player video");
    assert_eq!(asked(&mut harness, Key::Escape), []);
    harness.get_by_role_and_label(Role::RadioButton, &format!("{hall}: Playing"));
}

#[test]
fn the_selected_one_of_several_tiles_plays_its_own_stream_again() {
    let mut harness = open("watch-wall");
    harness.state().demo.change(|snapshot| {
        for tile in &mut snapshot.tiles {
            (tile.state, tile.chosen) = (WatchState::Idle, tile.id == TileId(1));
        }
        snapshot.watch = WatchState::Idle;
        snapshot.watch_figures = snapshot.tiles[1].figures.clone();
    });
    harness.run();
    let again = [Command::Player(WatchCommand::Again(TileId(1)))];
    assert_eq!(asked(&mut harness, Key::Space), again);
    // The last of these buttons is below the video. The first plays the address beside it.
    harness.get_all_by_label("Play").last().unwrap().click();
    assert_eq!(commands(&mut harness), again);
    harness.get_all_by_label("Play").next().unwrap().click();
    assert!(matches!(commands(&mut harness)[..], [Command::Watch { .. }]));
}

/// Returns true if video is painted, and not only text and lines.
fn paints_a_picture(harness: &Harness<'static, Window>) -> bool {
    fn is_picture(shape: &egui::Shape) -> bool {
        match shape {
            egui::Shape::Mesh(mesh) => mesh.texture_id != egui::TextureId::default(),
            egui::Shape::Vec(shapes) => shapes.iter().any(is_picture),
            _ => false,
        }
    }
    harness.output().shapes.iter().any(|it| is_picture(&it.shape))
}

#[test]
fn the_first_frame_is_shown_while_the_buffer_still_fills() {
    let (buffering, waiting) = ("Buffering…", "Waiting for the first frame.");
    let words = |harness: &Harness<'static, Window>| {
        let labels = shown(harness);
        [buffering, waiting].map(|words| labels.iter().any(|name| name == words))
    };
    let mut harness = open("watch-opening");
    assert!(paints_a_picture(&harness));
    assert_eq!(words(&harness), [true, false], "{:?}", shown(&harness));
    harness.state().demo.watched.clear();
    harness.run();
    assert!(!paints_a_picture(&harness));
    assert_eq!(words(&harness), [false, true], "{:?}", shown(&harness));

    let hall = "main-hall · live.example.com";
    let mut harness = open("watch-wall");
    harness.state().demo.change(|snapshot| {
        snapshot.tiles.truncate(2);
        snapshot.tiles[0].state = WatchState::Opening { stage: None };
    });
    harness.run();
    assert!(paints_a_picture(&harness));
    let painted = |harness: &Harness<'static, Window>| {
        let shapes = &harness.output().shapes;
        shapes.iter().any(|it| paints(&it.shape, buffering))
    };
    assert!(painted(&harness), "over the picture");
    // The name of the tile has the same state as its video.
    harness.get_by_role_and_label(Role::RadioButton, &format!("{hall}: {buffering}"));
    harness.state().demo.watched.clear();
    harness.run();
    assert!(!painted(&harness) && !paints_a_picture(&harness));
    harness.get_by_role_and_label(Role::RadioButton, &format!("{hall}: Opening…"));
}

#[test]
fn the_players_move_into_their_own_window_and_back() {
    let mut harness = open("watching");
    click(&mut harness, "Separate window");
    assert!(harness.state().screen.as_ref().unwrap().plays_apart());
    // In this test, the other window lies inside this one.
    harness.get_all_by_label("Back to the main window").next().unwrap().click_accesskit();
    harness.run();
    assert!(!harness.state().screen.as_ref().unwrap().plays_apart());
    click_video(&mut harness);
    asked(&mut harness, Key::P);
    assert!(harness.state().screen.as_ref().unwrap().plays_apart());
    asked(&mut harness, Key::Escape);
    assert!(!harness.state().screen.as_ref().unwrap().plays_apart());
}
