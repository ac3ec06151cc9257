//! Tests of the adaptation to several links.

use super::*;

const SHARED_ENCODE_TERMS: Terms = Terms { second: true, alone: false, sends: true };

fn target(id: u32, sample: Sample) -> TargetSample {
    TargetSample { id, built_in: false, floor: None, reconnecting: !sample.live, sample }
}

/// Returns a sample of a fast link.
fn wide(at: Timestamp) -> Sample {
    let (queued, silent) = (Duration::ZERO, Duration::ZERO);
    Sample { at, live: true, queued, carried: 2_600_000, silent }
}

/// Runs two targets: the first with a fast link, the second with an extremely slow one.
fn run(adapt: Adapt) -> (Adaptation, Vec<Changed>) {
    let mut adaptation = Adaptation::new(&Quality { adapt, ..Quality::default() });
    let mut changes = Vec::new();
    for step in 0..80_u64 {
        let at = Timestamp::from_micros(step as i64 * 250_000);
        let wide = wide(at);
        let narrow = Sample { queued: Duration::from_millis(200 * step), carried: 600_000, ..wide };
        let targets = [target(1, wide), target(2, narrow)];
        let outcome = adaptation.update(at, targets.into_iter(), SHARED_ENCODE_TERMS);
        changes.extend(outcome.and_then(|outcome| outcome.changed));
    }
    (adaptation, changes)
}

#[test]
fn the_person_says_whose_link_counts() {
    let (slowest, changes) = run(Adapt::Slowest);
    assert!(slowest.bitrate().0 < 700_000, "{:?}", slowest.bitrate());
    assert!(changes.first().is_some_and(|change| change.lower && !change.full));
    for adapt in [Adapt::First, Adapt::Off, Adapt::SecondRendition] {
        let (first, changes) = run(adapt);
        assert_eq!((first.bitrate().0, changes), (2_500_000, Vec::new()));
    }
}

#[test]
fn an_audio_bitrate_that_aac_does_not_allow_leaves_bits_for_the_video() {
    let reduced = |audio_bitrate| {
        let video_bitrate = BitsPerSecond(6_000_000);
        let quality = Quality { video_bitrate, audio_bitrate, ..Quality::default() };
        let mut adaptation = Adaptation::new(&quality);
        for step in 0..40 {
            let at = Timestamp::from_micros(step * 250_000);
            let queued = if step < 20 { Duration::ZERO } else { Duration::from_millis(900) };
            let sample = Sample { queued, carried: 6_000_000, ..wide(at) };
            adaptation.update(at, [target(1, sample)].into_iter(), SHARED_ENCODE_TERMS);
        }
        adaptation.bitrate()
    };
    let (most, more) = (BitsPerSecond(576_000), BitsPerSecond(8_000_000));
    assert_eq!(reduced(more), reduced(most));
    assert!(reduced(more) < BitsPerSecond(6_000_000));
}

#[test]
fn the_built_in_server_is_the_first_target_only_if_it_is_alone() {
    let run = |others: &[u32]| {
        let quality = Quality { adapt: Adapt::First, ..Quality::default() };
        let mut adaptation = Adaptation::new(&quality);
        let mut by = None;
        for step in 0..80_u64 {
            let at = Timestamp::from_micros(step as i64 * 250_000);
            let queued = Duration::from_millis(200 * step);
            let (carried, silent) = (600_000, Duration::ZERO);
            let narrow = Sample { at, live: true, queued, carried, silent };
            let queued = if others.is_empty() { queued } else { Duration::ZERO };
            let sample = Sample { queued, ..narrow };
            let built_in = TargetSample { built_in: true, ..target(0, sample) };
            let others = others.iter().map(|id| target(*id, narrow));
            let targets = std::iter::once(built_in).chain(others);
            let outcome = adaptation.update(at, targets, SHARED_ENCODE_TERMS);
            by = outcome.and_then(|outcome| outcome.changed?.by).or(by);
        }
        (adaptation.bitrate().0 < 700_000, by)
    };
    assert_eq!(run(&[1, 2]), (true, Some(1)));
    assert_eq!(run(&[]), (true, Some(0)));
}

#[test]
fn a_target_may_have_its_own_floor() {
    let mut adaptation = Adaptation::new(&Quality::default());
    let floor = BitsPerSecond(1_500_000);
    let update = |adaptation: &mut Adaptation, step: u64, floor| {
        let at = Timestamp::from_micros(step as i64 * 250_000);
        let queued = Duration::from_millis(200 * step);
        let narrow = Sample { at, live: true, queued, carried: 400_000, silent: Duration::ZERO };
        let target = TargetSample { floor, ..target(1, narrow) };
        adaptation.update(at, [target].into_iter(), SHARED_ENCODE_TERMS);
    };
    (0..80).for_each(|step| update(&mut adaptation, step, Some(floor)));
    assert_eq!(adaptation.bitrate(), floor);
    // The user lowers and raises the minimum on air.
    (80..160).for_each(|step| update(&mut adaptation, step, None));
    assert!(adaptation.bitrate().0 < 700_000, "{:?}", adaptation.bitrate());
    update(&mut adaptation, 160, Some(floor));
    assert_eq!(adaptation.bitrate(), floor);
    // A lower minimum also applies to the second encode.
    let quality = Quality { adapt: Adapt::SecondRendition, ..Quality::default() };
    let (mut adaptation, floor) = (Adaptation::new(&quality), BitsPerSecond(200_000));
    assert!(floor < quality.least_bitrate);
    (0..160).for_each(|step| update(&mut adaptation, step, Some(floor)));
    assert_eq!(adaptation.second().map(|(bitrate, _)| bitrate), Some(floor));
}

#[test]
fn a_new_connection_begins_without_the_estimate_of_an_earlier_one() {
    for adapt in [Adapt::Slowest, Adapt::SecondRendition] {
        let (mut adaptation, _) = run(adapt);
        let is_slow = |adaptation: &Adaptation| {
            adaptation.bitrate().0 < 2_500_000 || adaptation.rendition_id(2) != RenditionId::Main
        };
        assert!(is_slow(&adaptation));
        adaptation.forget(2);
        let at = Timestamp::from_micros(20_000_000);
        let wide = wide(at);
        let targets = [target(1, wide), target(2, wide)];
        let outcome = adaptation.update(at, targets.into_iter(), SHARED_ENCODE_TERMS);
        assert!(!is_slow(&adaptation));
        let (changed, moved) = outcome.map(|it| (it.changed, it.moved)).unwrap_or_default();
        assert!(moved.is_empty() && changed.is_none_or(|changed| !changed.recovered));
    }
}

#[test]
fn below_half_the_bitrate_half_the_frames_are_sent_where_that_is_wanted() {
    for wanted in [true, false] {
        let quality = Quality { adapt_frames: wanted, ..Quality::default() };
        let mut adaptation = Adaptation::new(&quality);
        let mut steps = Vec::new();
        for step in 0..2_000_u64 {
            let at = Timestamp::from_micros(step as i64 * 250_000);
            let slow = step < 80;
            let queued = if slow { Duration::from_secs(1) } else { Duration::ZERO };
            let sample =
                Sample { at, live: true, queued, carried: 700_000, silent: Duration::ZERO };
            adaptation.update(at, [target(1, sample)].into_iter(), SHARED_ENCODE_TERMS);
            if steps.last() != Some(&adaptation.frame_step()) {
                steps.push(adaptation.frame_step());
            }
        }
        assert_eq!(adaptation.bitrate(), quality.video_bitrate);
        assert_eq!(steps, if wanted { vec![1, 2, 1] } else { vec![1] });
    }
}

#[test]
fn a_slow_target_that_reconnects_still_limits_the_bitrate_for_a_while() {
    let restored_after = |reconnecting| {
        let (mut adaptation, _) = run(Adapt::Slowest);
        (80..800_u64).find(|step| {
            let at = Timestamp::from_micros(*step as i64 * 250_000);
            let wide = wide(at);
            let gone = target(2, Sample { live: false, carried: 0, ..wide });
            let targets = [target(1, wide), TargetSample { reconnecting, ..gone }];
            let outcome = adaptation.update(at, targets.into_iter(), SHARED_ENCODE_TERMS);
            outcome.and_then(|it| it.changed).is_some_and(|changed| changed.full)
        })
    };
    // The target was last live in step 79.
    assert_eq!(restored_after(true), Some(79 + 30 * 4));
    // A target that has stopped limits nothing.
    assert_eq!(restored_after(false), Some(80));
}

#[test]
fn only_a_live_target_with_a_fast_connection_has_recovered() {
    let recovered = |slow_target: fn(Sample) -> Option<TargetSample>| {
        let (mut adaptation, _) = run(Adapt::Slowest);
        (80..2_000_u64).find_map(|step| {
            let wide = wide(Timestamp::from_micros(step as i64 * 250_000));
            let targets = [Some(target(1, wide)), slow_target(wide)].into_iter().flatten();
            let outcome = adaptation.update(wide.at, targets, SHARED_ENCODE_TERMS)?;
            outcome.changed.filter(|changed| changed.full).map(|changed| changed.recovered)
        })
    };
    assert_eq!(recovered(|wide| Some(target(2, wide))), Some(true));
    assert_eq!(recovered(|_| None), Some(false), "it has ended");
    let gone = |wide: Sample| Some(target(2, Sample { live: false, carried: 0, ..wide }));
    assert_eq!(recovered(gone), Some(false), "it reconnects for long");
    let raised = |wide: Sample| {
        let floor = Some(Quality::default().video_bitrate);
        Some(TargetSample { floor, ..target(2, wide) })
    };
    assert_eq!(recovered(raised), Some(false), "its minimum bitrate is the chosen bitrate");
}

#[test]
fn with_nobody_live_it_stays() {
    let (mut adaptation, _) = run(Adapt::Slowest);
    let before = adaptation.bitrate();
    let at = Timestamp::from_micros(60_000_000);
    let gone =
        Sample { at, live: false, queued: Duration::ZERO, carried: 0, silent: Duration::ZERO };
    let targets = [target(1, gone), target(2, gone)];
    assert_eq!(adaptation.update(at, targets.into_iter(), SHARED_ENCODE_TERMS), None);
    assert_eq!(adaptation.bitrate(), before);
}

#[test]
fn a_recording_without_a_broadcast_gets_the_chosen_bitrate() {
    let (mut adaptation, _) = run(Adapt::Slowest);
    let terms = Terms { sends: false, ..SHARED_ENCODE_TERMS };
    let update = |adaptation: &mut Adaptation, seconds: i64| {
        let at = Timestamp::from_micros(seconds * 1_000_000);
        adaptation.update(at, std::iter::empty(), terms).and_then(|it| it.changed)
    };
    // The broadcast has ended, and the recording goes on.
    let restored = update(&mut adaptation, 60);
    assert!(restored.is_some_and(|changed| changed.full && !changed.lower), "{restored:?}");
    let video_bitrate = BitsPerSecond(6_000_000);
    adaptation.set(&Quality { video_bitrate, ..Quality::default() });
    update(&mut adaptation, 61);
    assert_eq!(adaptation.bitrate(), video_bitrate);
}

/// Runs one target whose link has varying bandwidth, and returns the sizes of the main encode.
fn sizes(quality: &Quality) -> Vec<u32> {
    let mut adaptation = Adaptation::new(quality);
    let mut sizes = vec![adaptation.size().height];
    for step in 0..2_000_u64 {
        let at = Timestamp::from_micros(step as i64 * 250_000);
        let queued = Duration::from_secs(u64::from(step < 80));
        let sample = Sample { at, live: true, queued, carried: 700_000, silent: Duration::ZERO };
        adaptation.update(at, [target(1, sample)].into_iter(), SHARED_ENCODE_TERMS);
        if sizes.last() != Some(&adaptation.size().height) {
            sizes.push(adaptation.size().height);
        }
    }
    sizes
}

#[test]
fn with_few_bits_the_frame_becomes_smaller_where_that_is_wanted() {
    let quality = Quality { adapt_size: true, ..Quality::default() };
    let seen = sizes(&quality);
    assert!(seen.contains(&360) && seen.last() == Some(&720), "{seen:?}");
    assert_eq!(sizes(&Quality { adapt_size: false, ..quality }), [720]);
    assert_eq!(sizes(&Quality { adapt: Adapt::Off, ..quality }), [720]);
    // The other targets get the unchanged main encode.
    assert_eq!(sizes(&Quality { adapt: Adapt::SecondRendition, ..quality }), [720]);
}

#[test]
fn a_second_encode_runs_for_those_who_need_it_and_as_long() {
    let quality = Quality { adapt: Adapt::SecondRendition, adapt_size: true, ..Quality::default() };
    let mut adaptation = Adaptation::new(&quality);
    let mut moved = Vec::new();
    let mut look = |adaptation: &mut Adaptation, step: u64, slow: bool| {
        let at = Timestamp::from_micros(step as i64 * 250_000);
        let wide = wide(at);
        let queued = Duration::from_secs(u64::from(slow));
        let narrow = Sample { queued, carried: 700_000, ..wide };
        let targets = [target(1, wide), target(2, narrow)];
        let outcome = adaptation.update(at, targets.into_iter(), SHARED_ENCODE_TERMS);
        moved.extend(outcome.into_iter().flat_map(|outcome| outcome.moved));
    };
    look(&mut adaptation, 0, false);
    assert_eq!(adaptation.second(), None);
    (1..60).for_each(|step| look(&mut adaptation, step, true));
    assert_eq!(
        (adaptation.rendition_id(1), adaptation.rendition_id(2)),
        (RenditionId::Main, RenditionId::Second)
    );
    let (bitrate, size) = adaptation.second().unwrap();
    assert!(bitrate.0 < 700_000 && size.height == 360, "{bitrate:?} {size}");
    assert_eq!(adaptation.bitrate(), quality.video_bitrate);
    (60..2_000).for_each(|step| look(&mut adaptation, step, false));
    assert_eq!(adaptation.second(), None);
    assert_eq!(moved, [(2, RenditionId::Second), (2, RenditionId::Main)]);
    // If another output needs the full size, everything is restored at once.
    let look = |adaptation: &mut Adaptation, step: i64| {
        let at = Timestamp::from_micros(step * 250_000);
        let queued = Duration::from_secs(1);
        let narrow = Sample { at, live: true, queued, carried: 700_000, silent: Duration::ZERO };
        adaptation.update(at, [target(2, narrow)].into_iter(), SHARED_ENCODE_TERMS);
    };
    (2_000..2_040).for_each(|step| look(&mut adaptation, step));
    assert_eq!(adaptation.rendition_id(2), RenditionId::Second);
    adaptation.set(&Quality { adapt: Adapt::Off, ..quality });
    look(&mut adaptation, 2_041);
    assert_eq!((adaptation.rendition_id(2), adaptation.second()), (RenditionId::Main, None));
}

#[test]
fn for_one_target_alone_the_main_encode_follows() {
    let quality = Quality { adapt: Adapt::SecondRendition, ..Quality::default() };
    let mut adaptation = Adaptation::new(&quality);
    let look = |adaptation: &mut Adaptation, step: i64, alone| {
        let at = Timestamp::from_micros(step * 250_000);
        let queued = Duration::from_secs(1);
        let narrow = Sample { at, live: true, queued, carried: 700_000, silent: Duration::ZERO };
        let terms = Terms { alone, ..SHARED_ENCODE_TERMS };
        adaptation.update(at, [target(1, narrow)].into_iter(), terms)
    };
    for step in 0..60 {
        let outcome = look(&mut adaptation, step, true);
        assert!(outcome.is_none_or(|it| it.moved.is_empty()));
    }
    assert!(adaptation.bitrate().0 < 700_000, "{:?}", adaptation.bitrate());
    assert_eq!((adaptation.rendition_id(1), adaptation.second()), (RenditionId::Main, None));
    // A recording or another target needs full-size frames.
    let changed = look(&mut adaptation, 60, false).and_then(|it| it.changed);
    assert!(changed.is_some_and(|changed| changed.full && !changed.recovered));
    (61..120).for_each(|step| drop(look(&mut adaptation, step, false)));
    assert_eq!(adaptation.bitrate(), quality.video_bitrate);
    assert_eq!(adaptation.rendition_id(1), RenditionId::Second);
    assert!(adaptation.second().is_some());
    // The other output has ended.
    let outcome = look(&mut adaptation, 120, true).unwrap();
    assert_eq!((&outcome.moved[..], outcome.by_links), (&[(1, RenditionId::Main)][..], false));
    assert!(outcome.changed.is_some_and(|changed| changed.lower));
    assert_eq!(adaptation.second(), None);
}
