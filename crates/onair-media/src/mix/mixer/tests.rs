//! Tests of the mixer over whole programs.

use super::*;
use crate::base::queue::{self, Full};
use crate::media::Pulled;
use crate::mix::block::ramp;
use crate::mix::meter::FLOOR_DBFS;

/// A source in which the value of each sample is its index since the origin, scaled down.
struct Counting {
    origin: Timestamp,
    rate: u32,
    delay: Duration,
}

impl AudioFeed for Counting {
    fn pull(&mut self, at: Timestamp, out: &mut [f32]) -> Pulled {
        let first = micros_to_frames(at.micros_since(self.origin), self.rate);
        for (index, sample) in (first..).zip(out) {
            *sample = index as f32 / 1e6;
        }
        Pulled::Audio
    }

    fn delay(&self) -> Duration {
        self.delay
    }
}

/// Time limit of a wait.
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

/// Returns the number of frames between the previous block and a block that begins at `first`.
fn gap(next: &mut Option<i64>, first: i64, block: &SampleBlock) -> u64 {
    let due = next.replace(first + block.frames() as i64).unwrap_or(first);
    assert!(first >= due, "{first} comes after {due}");
    first.abs_diff(due)
}

#[test]
fn blocks_follow_each_other_exactly_at_odd_rates() {
    for rate in [48_000, 44_100, 22_050, 11_025] {
        let clock = Clock::start();
        let origin = Timestamp::from_micros(77);
        let mixer = Mixer::spawn(Config { rate, channels: 1, origin, clock }).unwrap();
        let delay = Duration::from_millis(5);
        mixer.set_strip(StripId::MAIN, Strip::default());
        mixer.set_feed(StripId::MAIN, Some(Box::new(Counting { origin, rate, delay })));
        let (tx, rx) = queue::bounded("test", 256, Full::Block);
        mixer.attach_encoder(tx);
        let (mut next, mut skipped) = (None, 0);
        for _ in 0..15 {
            let block = rx.recv_timeout(WAIT_TIMEOUT).unwrap();
            let first = micros_to_frames(block.pts.micros_since(origin), rate);
            skipped += gap(&mut next, first, &block);
            // If the computer was suspended for too long, the mixer reports the skipped samples.
            assert!(skipped <= mixer.figures().skipped, "{rate}: {skipped}");
            assert!(clock.now() >= block.end() + delay);
            assert!((block.data[0] - first as f32 / 1e6).abs() < 1e-9);
        }
        mixer.detach_encoder_of(ProgramId::MAIN, clock.now());
        while rx.recv_timeout(WAIT_TIMEOUT).is_ok() {}
        assert_eq!(rx.try_recv().unwrap_err(), queue::Empty::Closed);
        mixer.join(WAIT_TIMEOUT).unwrap();
    }
}

#[test]
fn a_strip_that_is_excluded_from_monitoring_becomes_inaudible_there() {
    let (clock, origin, rate) = (Clock::start(), Timestamp::ZERO, 48_000);
    let mixer = Mixer::spawn(Config { rate, channels: 1, origin, clock }).unwrap();
    let (id, delay) = (StripId::MAIN, Duration::ZERO);
    mixer.set_strip(id, Strip { solo: true, ..Strip::default() });
    mixer.set_feed(id, Some(Box::new(Counting { origin, rate, delay })));
    let (tx, rx) = queue::bounded("test", 256, Full::DropOldest);
    mixer.set_monitoring(Some(tx));
    for (unmonitored, is_audible) in
        [(BTreeSet::new(), true), (BTreeSet::from([id]), false), (BTreeSet::new(), true)]
    {
        mixer.set_unmonitored(unmonitored);
        let deadline = clock.now() + WAIT_TIMEOUT;
        while rx.recv_timeout(WAIT_TIMEOUT).unwrap().data.iter().any(|it| *it > 0.0) != is_audible {
            assert!(clock.now() < deadline, "{is_audible}");
        }
    }
    mixer.join(WAIT_TIMEOUT).unwrap();
}

#[test]
fn an_unseen_silent_mixer_rests_for_most_of_each_cycle() {
    let shared = Shared::default();
    let produced = |shared: &Shared| (0..100).filter(|block| !shared.rests_at(*block)).count();
    assert_eq!(produced(&shared), 100);
    shared.unseen.store(true, Ordering::Relaxed);
    assert_eq!(produced(&shared), 20);
    let meter = shared.meter(StripId::MAIN);
    assert_eq!(produced(&shared), 20);
    meter.lock().push(&[0.5; 480], 1, 48_000);
    assert_eq!(produced(&shared), 100, "audio");
    // The meter falls and holds its peak for a while.
    (0..5_000).for_each(|_| meter.lock().push(&[0.0; 480], 1, 48_000));
    assert_eq!(produced(&shared), 20);
}

#[test]
fn gain_ramps_without_a_step() {
    let mut now = 1.0;
    let mut block = vec![1.0; 960];
    ramp(&mut now, 1.0, 2, &mut block);
    assert!(block.iter().all(|&s| s == 1.0));
    ramp(&mut now, 0.0, 2, &mut block);
    assert!(block.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 0.003));
    assert_eq!(block[959], 0.0);
    let mut block = vec![1.0; 960];
    ramp(&mut now, 0.0, 2, &mut block);
    assert!(block.iter().all(|&s| s == 0.0));
}

#[test]
fn it_rests_while_there_is_nothing_to_mix_and_nobody_to_hear_it() {
    let (clock, origin, rate) = (Clock::start(), Timestamp::ZERO, 48_000);
    let mixer = Mixer::spawn(Config { rate, channels: 1, origin, clock }).unwrap();
    mixer.set_strip(StripId::MAIN, Strip { offset_us: -50_000, ..Strip::default() });
    // There is no state to wait for, because nothing happens.
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!((mixer.figures(), mixer.meter()), (Figures::default(), Reading::default()));
    let wait = |done: &dyn Fn() -> bool| {
        let begin = clock.now();
        while !done() {
            assert!(clock.now().since(begin) < WAIT_TIMEOUT);
            std::thread::yield_now();
        }
    };
    wait(&|| mixer.lag() == Duration::from_millis(50));
    // A source is metered although no one uses the audio.
    mixer.set_strip(StripId::MAIN, Strip::default());
    let delay = Duration::ZERO;
    mixer.set_feed(StripId::MAIN, Some(Box::new(Counting { origin, rate, delay })));
    wait(&|| mixer.meter().peak_dbfs > FLOOR_DBFS);
    // A new receiver gets the audio from its attachment on, with each sample at its position.
    mixer.set_feed(StripId::MAIN, None);
    let (tx, rx) = queue::bounded("test", 256, Full::Block);
    let asked = clock.now();
    mixer.attach_encoder(tx);
    let (mut next, mut skipped) = (None, 0);
    for _ in 0..5 {
        let block = rx.recv_timeout(WAIT_TIMEOUT).unwrap();
        let first = micros_to_frames(block.pts.micros_since(origin), rate);
        skipped += gap(&mut next, first, &block);
        assert!(block.end() > asked && skipped <= mixer.figures().skipped);
    }
    mixer.join(WAIT_TIMEOUT).unwrap();
}

#[test]
fn each_clip_lamp_is_reset_separately() {
    struct Loud;
    impl AudioFeed for Loud {
        fn pull(&mut self, _: Timestamp, out: &mut [f32]) -> Pulled {
            out.fill(1.0);
            Pulled::Audio
        }

        fn delay(&self) -> Duration {
            Duration::ZERO
        }
    }
    let (clock, origin) = (Clock::start(), Timestamp::ZERO);
    let mixer = Mixer::spawn(Config { rate: 48_000, channels: 1, origin, clock }).unwrap();
    let [one, two] = [0, 1].map(StripId);
    for id in [one, two] {
        mixer.set_strip(id, Strip::default());
        mixer.set_feed(id, Some(Box::new(Loud)));
    }
    let lit = || {
        let strip = |id| mixer.strip_meter(id).unwrap().clipped;
        [mixer.meter().clipped, strip(one), strip(two)]
    };
    let begin = clock.now();
    while lit() != [true; 3] {
        assert!(clock.now().since(begin) < WAIT_TIMEOUT);
    }
    for id in [one, two] {
        mixer.set_feed(id, None);
    }
    // An idle mixer does not set the meters again.
    while !mixer.shared.meters.lock().values().all(|it| it.lock().reading().peak_dbfs <= FLOOR_DBFS)
    {
        assert!(clock.now().since(begin) < WAIT_TIMEOUT * 2);
    }
    mixer.clear_clip(StripLamp::Strip(two));
    assert_eq!(lit(), [true, true, false]);
    mixer.clear_clip(StripLamp::Program);
    assert_eq!(lit(), [false, true, false]);
    mixer.clear_clip(StripLamp::All);
    assert_eq!(lit(), [false; 3]);
    mixer.join(WAIT_TIMEOUT).unwrap();
}

/// A source that reports each pull, and returns when allowed.
struct Held {
    asked: crossbeam_channel::Sender<()>,
    go: crossbeam_channel::Receiver<()>,
}

impl AudioFeed for Held {
    fn pull(&mut self, _: Timestamp, out: &mut [f32]) -> Pulled {
        let _ = self.asked.try_send(());
        let _ = self.go.recv();
        out.fill(0.5);
        Pulled::Audio
    }

    fn delay(&self) -> Duration {
        Duration::ZERO
    }
}

#[test]
fn an_encoder_hears_from_when_it_was_attached_however_late_the_mixer_is() {
    let tries = 10;
    // A block that is too late because the computer was suspended is reported separately.
    let held = (0..tries).any(|_| {
        let (clock, origin) = (Clock::start(), Timestamp::ZERO);
        let mixer = Mixer::spawn(Config { rate: 48_000, channels: 1, origin, clock }).unwrap();
        let ((asked, was_asked), (release, go)) =
            (crossbeam_channel::bounded(1), crossbeam_channel::bounded(1));
        mixer.set_strip(StripId::MAIN, Strip::default());
        mixer.set_feed(StripId::MAIN, Some(Box::new(Held { asked, go })));
        was_asked.recv_timeout(WAIT_TIMEOUT).unwrap();
        let (tx, rx) = queue::bounded("test", 256, Full::Block);
        let before = clock.now();
        mixer.attach_encoder(tx);
        let attached = clock.now();
        while clock.now().since(attached) < Duration::from_millis(100) {
            std::thread::yield_now();
        }
        drop(release);
        let block = rx.recv_timeout(WAIT_TIMEOUT).unwrap();
        let skipped = mixer.figures().skipped;
        let held = block.pts <= attached && block.end() > before;
        assert!(held || skipped > 0, "{block:?}");
        mixer.join(WAIT_TIMEOUT).unwrap();
        held
    });
    assert!(held, "the machine stood {tries} times");
}

#[test]
fn silence_flows_without_a_source() {
    let (clock, origin) = (Clock::start(), Timestamp::ZERO);
    let mixer = Mixer::spawn(Config { rate: 48_000, channels: 2, origin, clock }).unwrap();
    let (tx, rx) = queue::bounded("test", 64, Full::Block);
    mixer.attach_encoder(tx);
    let block = rx.recv_timeout(WAIT_TIMEOUT).unwrap();
    assert_eq!((block.frames(), block.channels), (480, 2));
    assert!(block.data.iter().all(|&s| s == 0.0));
    assert!(mixer.figures().silent >= 480);
    assert_eq!(mixer.meter().peak_dbfs, FLOOR_DBFS);
}

#[test]
fn the_tap_gets_what_the_encoder_gets_until_it_is_removed() {
    let (clock, origin) = (Clock::start(), Timestamp::ZERO);
    let mixer = Mixer::spawn(Config { rate: 48_000, channels: 2, origin, clock }).unwrap();
    let (encoder, encoded) = queue::bounded("test", 256, Full::DropOldest);
    let (tap, tapped) = queue::bounded("test", 256, Full::DropOldest);
    mixer.set_tap(Some(tap));
    mixer.attach_encoder(encoder);
    let block = tapped.recv_timeout(WAIT_TIMEOUT).unwrap();
    let same = std::iter::from_fn(|| encoded.recv_timeout(WAIT_TIMEOUT).ok());
    let same = same.take_while(|other| other.pts <= block.pts + Duration::from_secs(1));
    let next = tapped.recv_timeout(WAIT_TIMEOUT).unwrap();
    assert_eq!(next.pts, block.end());
    assert!(same.take(20).any(|other| other == next), "both have this block");
    mixer.set_tap(None);
    assert!(std::iter::from_fn(|| tapped.recv()).count() <= 256, "its queue ends");
    assert!(encoded.recv_timeout(WAIT_TIMEOUT).is_ok(), "the encoder goes on");
}

#[test]
fn a_detached_encoder_gets_audio_up_to_the_end_although_it_is_produced_later() {
    let (clock, origin) = (Clock::start(), Timestamp::ZERO);
    let mixer = Mixer::spawn(Config { rate: 48_000, channels: 1, origin, clock }).unwrap();
    mixer.set_strip(StripId::MAIN, Strip { offset_us: -300_000, ..Strip::default() });
    let track = ExtraTrack::new(2).unwrap();
    let (encoder, encoded) = queue::bounded("test", 256, Full::DropOldest);
    let (second, track_encoded) = queue::bounded("test", 256, Full::DropOldest);
    mixer.attach_encoder(encoder);
    mixer.set_track_of(ProgramId::MAIN, track, Some(second));
    let first = [&encoded, &track_encoded].map(|it| it.recv_timeout(WAIT_TIMEOUT).unwrap().pts);
    let end = mixer.end_within(Duration::MAX);
    assert!(first.iter().all(|first| *first < end));
    mixer.detach_encoder_of(ProgramId::MAIN, end);
    mixer.detach_tracks_of(ProgramId::MAIN, end);
    // The next encoder does not end the audio of this one.
    let (next, _waiting) = queue::bounded("test", 256, Full::DropOldest);
    mixer.attach_encoder(next);
    for queue in [encoded, track_encoded] {
        let last = std::iter::from_fn(|| queue.recv_timeout(WAIT_TIMEOUT).ok()).last().unwrap();
        assert!(last.pts < end && last.end() >= end, "{:?}, not {end:?}", last.end());
    }
}

/// Returns a mixer without a thread, whose commands wait as they do within a block.
fn within_a_block() -> Mixer {
    let config =
        Config { rate: 48_000, channels: 1, origin: Timestamp::ZERO, clock: Clock::start() };
    let worker = Worker::spawn("mixer", |_| ()).unwrap();
    Mixer { shared: Arc::default(), config, worker }
}

#[test]
fn the_end_of_audio_is_as_far_back_as_audio_is_late_after_the_wait() {
    let mixer = within_a_block();
    mixer.shared.lag_us.store(20_000_000, Ordering::Relaxed);
    for (wait, late) in [(0, 20), (1, 19), (30, 0)] {
        let before = mixer.config.clock.now();
        let end = mixer.end_within(Duration::from_secs(wait)) + Duration::from_secs(late);
        assert!(before <= end && end <= mixer.config.clock.now(), "{end:?}");
    }
}

#[test]
fn only_the_limit_of_all_ends_makes_an_end_earlier() {
    let mixer = within_a_block();
    let mut strip_set = StripSet::new(Shape { rate: 48_000, channels: 1 });
    let mut outputs = Outputs::default();
    let track = ExtraTrack::new(2).unwrap();
    let (encoder, encoded) = queue::bounded("test", 1, Full::DropOldest);
    let (second, track_encoded) = queue::bounded("test", 1, Full::DropOldest);
    let (next, _waiting) = queue::bounded("test", 1, Full::DropOldest);
    let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
    mixer.attach_encoder_of(ProgramId::MAIN, encoder, at(1));
    mixer.set_track_of(ProgramId::MAIN, track, Some(second));
    mixer.attach_encoder_of(ProgramId(1), next, at(1));
    let mut ends = |mixer: &Mixer| {
        handle(&mixer.shared, &mut strip_set, &mut outputs);
        let encoders: Vec<_> = outputs.encoders.iter().map(|it| it.end).collect();
        (encoders, outputs.tracks.iter().map(|it| it.end).collect::<Vec<_>>())
    };
    // A second end is for a later queue with the same key.
    for end in [3_000, 2_000, 5_000] {
        mixer.detach_encoder_of(ProgramId::MAIN, at(end));
        mixer.detach_tracks_of(ProgramId::MAIN, at(end));
        let expected = Some(at(3_000));
        assert_eq!(ends(&mixer), (vec![expected, None], vec![expected]));
    }
    // Queues that are not ending go on.
    mixer.limit_ends(at(1_000));
    let expected = Some(at(1_000));
    assert_eq!(ends(&mixer), (vec![expected, None], vec![expected]));
    // The queues contain nothing before their end.
    mixer.limit_ends(at(-1));
    assert_eq!(ends(&mixer), (vec![None], Vec::new()));
    assert_eq!(encoded.try_recv().unwrap_err(), queue::Empty::Closed);
    assert_eq!(track_encoded.try_recv().unwrap_err(), queue::Empty::Closed);
}

#[test]
fn a_strip_that_is_set_and_removed_within_a_block_leaves_no_meter() {
    let mixer = within_a_block();
    let mut strip_set = StripSet::new(Shape { rate: 48_000, channels: 1 });
    let mut outputs = Outputs::default();
    let id = StripId(7);
    for is_added_again in [false, true] {
        mixer.set_strip(id, Strip::default());
        mixer.remove_strip(id);
        if is_added_again {
            mixer.set_strip(id, Strip::default());
        }
        handle(&mixer.shared, &mut strip_set, &mut outputs);
        assert_eq!(mixer.strip_meter(id).is_some(), is_added_again);
    }
}
