//! Tests of strips and of their import.

use super::*;

#[test]
fn the_push_to_talk_key_opens_and_closes_the_strip() {
    let strip = |talk, muted| AudioStrip {
        talk,
        strip: Strip { muted, ..Strip::default() },
        ..AudioStrip::main()
    };
    // The columns: mode, muted by the user, muted while the key is held, muted otherwise.
    let table = [
        (TalkMode::Open, false, false, false),
        (TalkMode::Open, true, true, true),
        (TalkMode::PushToTalk, false, false, true),
        (TalkMode::PushToTalk, true, true, true),
        (TalkMode::PushToMute, false, true, false),
    ];
    for (talk, muted, held, otherwise) in table {
        assert_eq!(strip(talk, muted).is_muted(true, false), held, "{talk:?}");
        assert_eq!(strip(talk, muted).is_muted(false, false), otherwise, "{talk:?}");
    }
    // A microphone has no video, so it is not muted for that reason.
    let clip = "file:/a.mp4".parse().unwrap();
    let clip = AudioStrip { choice: clip, ..strip(TalkMode::WhileShown, false) };
    assert!(clip.is_muted(false, false) && !clip.is_muted(false, true));
    assert!(!strip(TalkMode::WhileShown, false).is_muted(false, false));
}

#[test]
fn a_source_that_cannot_start_is_reported_without_its_secrets() {
    let clock = crate::base::Clock::start();
    let origin = clock.now();
    let config = crate::mix::Config { rate: 48_000, channels: 2, origin, clock };
    let mixer = Mixer::spawn(config).unwrap();
    let choice = "stream:rtmp://me:planted_word@host/app/name?token=planted_token";
    let strip = AudioStrip::new(StripId(1), choice.parse().unwrap());
    let mut refuse = |_: &AudioChoice, _: EndBehavior| Err("no".into());
    let mut strips = Strips::default();
    let messages = strips.sync(
        &[strip],
        &|it| it.effective_strip(false, true),
        &|it| it.at_end,
        &mut refuse,
        &mixer,
    );
    let messages: Vec<&StudioMessage> = messages.iter().map(|(_, message)| message).collect();
    let text = format!("{messages:?} {:?}", strips.report(StripId(1)));
    assert!(text.contains("host") && !text.contains("planted"), "{text}");
}

#[test]
fn strips_that_are_taken_in_double_no_source() {
    let named = |choice, name: &str| AudioStrip {
        name: name.into(),
        ..AudioStrip::new(StripId(9), choice)
    };
    let mut strips = vec![AudioStrip::main(), AudioStrip::new(StripId(1), AudioChoice::Tone)];
    let (mic, system) = (AudioChoice::Mic(None), AudioChoice::System(None));
    let taken = vec![named(system, "Desktop"), named(mic.clone(), "A"), named(mic.clone(), "B")];
    let whole = (vec![true; 3], Vec::new());
    assert_eq!(take_in(&mut strips, Some(&mic), taken.clone()), whole);
    let found: Vec<_> = strips.iter().map(|it| (it.id.0, it.name.as_str())).collect();
    assert_eq!(found, [(0, "A"), (1, ""), (2, "Desktop"), (3, "B")]);
    assert_eq!(take_in(&mut strips, Some(&mic), taken), whole);
    assert_eq!(strips.len(), 4);
    // If there is not enough space, this is reported, and existing strips are still changed.
    strips.extend(
        (10..)
            .map(|id| AudioStrip::new(StripId(id), AudioChoice::Silence))
            .take(MAX_MIXER_STRIPS - 4),
    );
    let file = |name: &str| AudioChoice::File(name.into());
    let taken = vec![
        named(file("/secret.mp3"), ""),
        named(file("/b.mp3"), "B2"),
        named(AudioChoice::Tone, "Sine"),
    ];
    let (came, left_out) = take_in(&mut strips, Some(&mic), taken);
    assert_eq!((came, strips.len()), (vec![false, false, true], MAX_MIXER_STRIPS));
    assert_eq!(strips[1].name, "Sine");
    let expected = ["'file'", "'B2'"]
        .map(|it| format!("the audio source {it} (limit of 32 audio sources reached)"));
    assert_eq!(left_out, expected);
}

#[test]
fn side_chains_of_strips_that_are_taken_in_follow_them() {
    use crate::mix::filter::Slot;
    let with = |id, choice, filters: &[Filter]| {
        let slot = |filter: &Filter| Slot { enabled: true, filter: filter.clone() };
        let filters = filters.iter().map(slot).collect();
        let strip = Strip { filters, ..Strip::default() };
        AudioStrip { strip, ..AudioStrip::new(StripId(id), choice) }
    };
    let ducks = |side| Filter::Compressor {
        threshold_dbfs: -30.0,
        ratio: 4.0,
        attack_ms: 6.0,
        release_ms: 60.0,
        gain_db: 0.0,
        side_chain: Some(StripId(side)),
    };
    let gain = Filter::Gain { db: 3.0 };
    let (mic, system) = (AudioChoice::Mic(None), AudioChoice::System(None));
    let mut strips =
        vec![AudioStrip::main(), with(1, AudioChoice::Tone, std::slice::from_ref(&gain))];
    let taken = vec![
        with(1, system, &[ducks(2), ducks(7), gain.clone()]),
        with(2, mic.clone(), &[]),
        with(3, AudioChoice::Tone, &[]),
    ];
    let (came, left_out) = take_in(&mut strips, Some(&mic), taken);
    assert_eq!(came, [true; 3]);
    assert_eq!(
        left_out,
        ["a compressor filter on 'system' (its sidechain source was not imported)"]
    );
    let filters = |place: usize| -> Vec<Filter> {
        strips[place].strip.filters.iter().map(|slot| slot.filter.clone()).collect()
    };
    assert_eq!(filters(2), [ducks(0), gain.clone()], "the microphone is the main strip here");
    assert_eq!(filters(1), [gain], "what brings none keeps its own");
}

#[test]
fn names_are_one_short_line() {
    assert_eq!(clean_name("  my\nmic\u{7} "), "mymic");
    assert_eq!(clean_name(&"x".repeat(1_000)).len(), MAX_NAME);
}
