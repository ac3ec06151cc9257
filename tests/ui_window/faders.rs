//! Tests of the faders of the audio mixer.

use onair::studio::settings::hotkeys::ChosenHotkey;

use super::*;

/// Opens a window with this layout of panels. Ctrl+F2 mutes the music.
fn laid_out(state: &str, layout: &str) -> Harness<'static, Window> {
    let mut chosen = preferences(Language::English, Theme::Dark);
    chosen.panels.layout = layout.to_owned();
    chosen.hotkeys.keys.insert("mute:Music".to_owned(), ChosenHotkey("Ctrl+F2".parse().ok()));
    open_as(state, Vec2::new(1920.0, 1080.0), chosen)
}

/// Returns the gains that were sent to the studio.
fn gains(sent: &[Command]) -> Vec<f32> {
    let gain = |command: &Command| match command {
        Command::SetStrip { strip, .. } => Some(strip.gain_db),
        Command::SetGain(gain) => Some(*gain),
        _ => None,
    };
    sent.iter().filter_map(gain).collect()
}

/// The layouts, and whether their faders are vertical.
const LAYOUTS: [(&str, bool); 2] = [("simple", false), ("studio", true)];

#[test]
fn drawing_a_fader_does_not_change_the_gain() {
    for (layout, is_vertical) in LAYOUTS {
        let mut harness = laid_out("mixer", layout);
        // Faders have steps of 0.01 or 0.1 dB. OBS has gains such as -6.0206 dB.
        harness.state().demo.change(|snapshot| {
            for (strip, gain) in snapshot.strips.iter_mut().zip([-3.47, -6.0206]) {
                strip.audio.strip.gain_db = gain;
            }
        });
        harness.run();
        harness.run();
        let fader = harness.get_by_label("Gain of Voice").rect();
        assert_eq!(fader.height() > fader.width(), is_vertical, "{layout}: {fader:?}");
        let sent = gains(&commands(&mut harness));
        assert!(sent.is_empty(), "{layout}: {sent:?}");
    }
}

#[test]
fn the_arrow_keys_move_every_fader_by_a_decibel() {
    for (layout, is_vertical) in LAYOUTS {
        let mut harness = laid_out("mixer", layout);
        harness.get_by_label("Gain of Music").focus();
        drop(commands(&mut harness));
        let keys = if is_vertical {
            [Key::ArrowUp, Key::ArrowDown]
        } else {
            [Key::ArrowRight, Key::ArrowLeft]
        };
        for (key, wanted) in keys.into_iter().zip([-11.0, -12.0]) {
            harness.key_press(key);
            assert_eq!(gains(&commands(&mut harness)), [wanted], "{layout}: {key:?}");
        }
    }
}

#[test]
fn a_hotkey_that_mutes_a_strip_and_its_fader_work_in_the_same_frame() {
    for (layout, is_vertical) in LAYOUTS {
        let mut harness = laid_out("mixer", layout);
        harness.get_by_label("Gain of Music").focus();
        drop(commands(&mut harness));
        let up = if is_vertical { Key::ArrowUp } else { Key::ArrowRight };
        let press = |key, modifiers| {
            let (physical_key, pressed, repeat) = (None, true, false);
            egui::Event::Key { key, physical_key, pressed, repeat, modifiers }
        };
        let pressed = [press(Key::F2, Modifiers::COMMAND), press(up, Modifiers::NONE)];
        harness.input_mut().events.extend(pressed);
        harness.step();
        let demo = &harness.state().demo;
        assert_eq!(gains(&demo.taken()), [-12.0, -11.0], "{layout}");
        let music = demo.snapshot().strips[1].audio.strip.clone();
        assert_eq!((music.muted, music.gain_db), (true, -11.0), "{layout}");
    }
}

#[test]
fn further_keys_move_every_fader_by_ten_decibels_to_its_ends_and_to_zero() {
    for (layout, _) in LAYOUTS {
        let mut harness = laid_out("mixer", layout);
        harness.get_by_label("Gain of Music").focus();
        drop(commands(&mut harness));
        for (key, wanted) in [
            (Key::PageUp, -2.0),
            (Key::PageDown, -12.0),
            (Key::Home, -60.0),
            (Key::End, 20.0),
            (Key::Backspace, 0.0),
        ] {
            harness.key_press(key);
            assert_eq!(gains(&commands(&mut harness)), [wanted], "{layout}: {key:?}");
        }
    }
}

#[test]
fn a_lit_clip_lamp_is_in_the_place_of_the_icon_of_a_vertical_strip() {
    let harness = laid_out("mixer-clipped", "studio");
    let lit = " has clipped. Click to reset.";
    let names = shown(&harness);
    let mut names = names.iter().filter_map(|name| name.strip_suffix(lit));
    let name = names.find(|name| *name != "Program").expect("a lamp is lit");
    let lamp = harness.get_by_label(&format!("{name}{lit}")).rect();
    let buttons = [format!("Mute {name}"), format!("Audio settings for {name}")];
    let [mute, settings] = buttons.map(|button| harness.get_by_label(&button).rect());
    let middle = f32::midpoint(mute.left(), settings.right());
    assert!((lamp.center().x - middle).abs() <= 1.0, "{lamp:?} {mute:?} {settings:?}");
}
