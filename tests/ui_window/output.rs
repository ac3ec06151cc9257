//! Tests of the recording, the audio format and the quality in the window.

use super::*;

#[test]
fn recording_starts_and_stops() {
    let mut harness = open("idle");
    harness.get_by_label("Record").click();
    harness.run();
    assert!(harness.state().requests.contains(&WindowRequest::Record));
    let mut harness = open("recording");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::R);
    assert_eq!(commands(&mut harness), [Command::StopRecording]);
}

#[test]
fn the_audio_tracks_of_recordings_are_named_in_the_settings() {
    let mut harness = open("mixer");
    settings_page(&mut harness, "Recording");
    harness.get_by_label("Audio tracks in recordings: 3");
    harness.get_by_label("Name of track 3").focus();
    harness.run();
    harness.get_by_label("Name of track 3").type_text("The band");
    harness.run();
    harness.key_press(Key::Tab);
    harness.run();
    let screen = harness.state().screen.as_ref().unwrap();
    let names = &screen.preferences().recording.track_names;
    assert_eq!(names[..4], ["", "", "The band", ""]);
    assert!(
        harness
            .state()
            .requests
            .iter()
            .any(|request| matches!(request, WindowRequest::Preferences))
    );
    // Without extra tracks, only the program is recorded.
    let mut harness = open("idle");
    settings_page(&mut harness, "Recording");
    harness.get_by_label("Audio tracks in recordings: 1");
    assert!(harness.query_by_label("Name of track 1").is_none());
}

#[test]
fn the_audio_format_is_chosen_in_the_settings() {
    use onair::media::BitsPerSecond;

    let mut harness = open("idle");
    settings_page(&mut harness, "Output");
    // The keyboard reaches settings below the fold.
    let click = |harness: &mut Harness<'static, Window>, name: &str| {
        harness.get_by_label(name).focus();
        harness.run();
        harness.key_press(Key::Enter);
        commands(harness)
    };
    let quality = |commands: &[Command]| match commands {
        [Command::SetQuality(quality)] => {
            (quality.audio_bitrate.0, quality.sample_rate, quality.channels)
        }
        other => panic!("{other:?}"),
    };
    harness.get_by_role_and_label(Role::Slider, "Audio bitrate").set_value_accesskit(194.0);
    assert_eq!(quality(&commands(&mut harness)), (192_000, 48_000, 2));
    assert_eq!(quality(&click(&mut harness, "Sample rate 44.1\u{a0}kHz")), (192_000, 44_100, 2));
    harness.get_by_role_and_label(Role::Slider, "Audio bitrate").set_value_accesskit(320.0);
    assert_eq!(quality(&commands(&mut harness)), (320_000, 44_100, 2));
    // Mono has a lower maximum bitrate.
    assert_eq!(quality(&click(&mut harness, "Channels Mono")), (256_000, 44_100, 1));
    assert_eq!(quality(&click(&mut harness, "Channels Stereo")), (256_000, 44_100, 2));
    assert_eq!(harness.state().demo.snapshot().quality.audio_bitrate, BitsPerSecond(256_000));
    // On air, the format cannot change.
    let mut harness = open("on-air");
    settings_page(&mut harness, "Output");
    assert!(click(&mut harness, "Channels Mono").is_empty());
}

#[test]
fn size_rate_and_bitrate_are_chosen_beside_the_targets() {
    let mut harness = open("idle");
    harness.get_by_role_and_label(Role::ComboBox, "Quality").click();
    harness.run();
    let quality = |commands: &[Command]| match commands {
        [Command::SetQuality(it)] => (it.size.to_string(), it.frame_rate, it.video_bitrate.0),
        other => panic!("{other:?}"),
    };
    let fps = |num| onair::media::FrameRate::new(num, 1).unwrap();
    let sent = quality(&click(&mut harness, "Resolution 1080p"));
    assert_eq!(sent, ("1920x1080".into(), fps(30), 2_500_000));
    let sent = quality(&click(&mut harness, "Frame rate 60"));
    assert_eq!(sent, ("1920x1080".into(), fps(60), 2_500_000));
    harness.get_by_role_and_label(Role::Slider, "Bitrate").set_value_accesskit(6_000.0);
    assert_eq!(quality(&commands(&mut harness)).2, 6_000_000);
    harness.get_by_role_and_label(Role::Slider, "Bitrate").focus();
    harness.run();
    harness.key_press(Key::ArrowRight);
    let more = quality(&commands(&mut harness)).2;
    assert!((6_100_000..=7_000_000).contains(&more), "{more}");
    harness.key_press(Key::ArrowLeft);
    assert_eq!(quality(&commands(&mut harness)).2, 6_000_000);
    // Rare settings are only in the settings dialog.
    for name in ["Stream delay 5:00", "Channels Mono", "Keyframe interval 2 s"] {
        assert!(harness.query_by_label(name).is_none(), "{name}");
    }
}

#[test]
fn the_record_button_says_that_it_records_beside_other_buttons() {
    for (width, height) in [(960.0, 600.0), (1280.0, 720.0)] {
        let size = Vec2::new(width, height);
        let harness = open_as("recording", size, preferences(Language::English, Theme::Dark));
        let mut shapes = harness.output().shapes.iter();
        let is_whole = shapes.any(|it| super::watch::laid(&it.shape, "REC 12:30"));
        assert!(is_whole, "{width} × {height}");
    }
}
