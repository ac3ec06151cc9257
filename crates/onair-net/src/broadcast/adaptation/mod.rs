//! Adapts the bitrate to a target's link: reduces it quickly when the backlog grows, and raises it
//! carefully when the link is calm. This module is pure: it takes samples and times, and returns a
//! bitrate.
//!
//! A lost connection provides no information about the bandwidth. The bitrate therefore stays while
//! a target is offline, and the initial backlog of a new connection does not count.

mod frame_size;
mod layers;
mod renditions;

pub use frame_size::SizeSteps;
pub use layers::{LayerChoice, LayerTerms, layer_bitrate, layer_size, without_layers};
pub use renditions::{RenditionChoice, second_bitrate};

use std::time::Duration;

use crate::base::Timestamp;
use crate::broadcast::output::{LinkEstimate, Output, OutputState};
use crate::media::BitsPerSecond;

/// Interval between two samples of a link.
pub const SAMPLE_INTERVAL: Duration = Duration::from_millis(250);

/// A backlog of this length means that the link is slow, unless the backlog shrinks by the next
/// sample: a single large frame would be sent by then.
const HIGH_QUEUE_DELAY: Duration = Duration::from_millis(200);
/// A backlog of at least this length means immediately that the link is slow.
const MAX_BACKLOG: Duration = Duration::from_millis(800);
/// While the backlog is shorter than this, the link keeps up.
const LOW_QUEUE_DELAY: Duration = Duration::from_millis(100);
/// The time that a new connection has for sending its initial backlog.
const SETTLING_TIME: Duration = Duration::from_secs(2);
/// Minimum interval between two reductions, because a lower bitrate takes effect only after the
/// frames encoded before it are sent.
const MIN_REDUCTION_INTERVAL: Duration = Duration::from_secs(1);
/// The calm time after which a higher bitrate is tried.
const INITIAL_PROBE_DELAY: Duration = Duration::from_secs(3);
/// The calm time after a higher bitrate, after which a still higher one is tried: a link that has
/// recovered is soon used as before.
const NEXT_PROBE_DELAY: Duration = Duration::from_secs(1);
/// Maximum calm time before a higher bitrate is tried, after failed tries.
const MAX_PROBE_DELAY: Duration = Duration::from_secs(60);
/// A try that is followed by a growing backlog within this time has failed.
const PROBE_TRIAL_DURATION: Duration = Duration::from_secs(8);

/// After this time without progress, the link does not count as slow, but as stalled or lost.
const STALL_DELAY: Duration = Duration::from_millis(500);
/// The time without progress after which the backlog no longer counts.
const BACKLOG_STALL_TIMEOUT: Duration = Duration::from_millis(1_250);

/// The state of a target's link at one moment.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    pub at: Timestamp,
    /// True if the target is connected and gets data.
    pub live: bool,
    /// The duration of the backlog, measured by its timestamps, without the packets that are on
    /// their way to a distant server.
    pub queued: Duration,
    /// The data sent over the last half second, in bits per second.
    pub carried: u64,
    /// The time for which the server has accepted nothing.
    pub silent: Duration,
}

impl Sample {
    /// Takes a sample of an output at this time.
    pub fn of(output: &dyn Output, at: Timestamp) -> Self {
        let LinkEstimate { carried, silent, round_trip, misleading } =
            output.estimate().unwrap_or_default();
        // A backlog that is caught up with, or that this computer is too busy to send, says as
        // little about the bandwidth as a stall does.
        let silent = if misleading { silent.max(STALL_DELAY) } else { silent };
        let live = output.state() == OutputState::Running;
        let queued = output.backlog().saturating_sub(round_trip);
        Self { at, live, queued, carried, silent }
    }
}

/// Chooses the bitrate for one target.
#[derive(Clone, Debug)]
pub struct Adapter {
    most: u32,
    /// The lowest bitrate, unless `most` is lower.
    floor: u32,
    /// The bitrate of the audio.
    audio: u32,
    now: u32,
    live_since: Option<Timestamp>,
    last: Option<Sample>,
    /// The number of successive samples with a growing backlog.
    growing: u32,
    calm_since: Option<Timestamp>,
    last_down: Option<Timestamp>,
    last_up: Option<Timestamp>,
    probe: Duration,
    /// The time until encoded frames reach the link.
    lag: Duration,
}

impl Adapter {
    /// Starts with the bitrate `most`, and never goes below `least` (or below `most`, if that is
    /// lower). `audio` is the bitrate of the audio on the same link.
    pub fn new(most: BitsPerSecond, least: BitsPerSecond, audio: BitsPerSecond) -> Self {
        Self {
            most: most.0,
            floor: least.0,
            audio: audio.0,
            now: most.0,
            live_since: None,
            last: None,
            growing: 0,
            calm_since: None,
            last_down: None,
            last_up: None,
            probe: INITIAL_PROBE_DELAY,
            lag: Duration::ZERO,
        }
    }

    /// Prepares the adapter for a delayed stream: each step waits until the effect of the previous
    /// one is visible.
    pub fn delayed(self, lag: Duration) -> Self {
        Self { lag, ..self }
    }

    /// Returns the bitrate for the video.
    pub fn bitrate(&self) -> BitsPerSecond {
        BitsPerSecond(self.now)
    }

    /// Returns the minimum bitrate.
    pub fn least(&self) -> BitsPerSecond {
        BitsPerSecond(self.floor)
    }

    /// Immediately applies a new maximum bitrate that the user has chosen.
    pub fn set_most(&mut self, most: BitsPerSecond) {
        let lowered = self.now < self.most;
        self.most = most.0;
        self.now = if lowered { self.now.min(most.0) } else { most.0 };
    }

    /// Applies a new minimum bitrate that the user has chosen.
    pub fn set_least(&mut self, least: BitsPerSecond) {
        self.floor = least.0;
        self.now = self.now.max(self.floor.min(self.most));
    }

    /// Takes a sample, ideally every [`SAMPLE_INTERVAL`].
    pub fn note(&mut self, sample: Sample) {
        if !sample.live || sample.silent >= BACKLOG_STALL_TIMEOUT {
            (self.live_since, self.last, self.calm_since) = (None, None, None);
            self.growing = 0;
        }
        if !sample.live || sample.silent >= STALL_DELAY {
            return;
        }
        let live_since = *self.live_since.get_or_insert(sample.at);
        let last = self.last.replace(sample);
        if sample.at.since(live_since) < SETTLING_TIME {
            return;
        }
        let grows = last.is_some_and(|last| sample.queued >= last.queued);
        self.growing =
            if sample.queued >= HIGH_QUEUE_DELAY && grows { self.growing + 1 } else { 0 };
        let slow = sample.queued >= MAX_BACKLOG || self.growing >= 2;
        if slow {
            self.calm_since = None;
            let since_down = self.last_down.map(|at| sample.at.since(at));
            if since_down.is_none_or(|time| time >= MIN_REDUCTION_INTERVAL + self.lag) {
                self.go_down(&sample);
            }
        } else if sample.queued < LOW_QUEUE_DELAY {
            let calm = *self.calm_since.get_or_insert(sample.at);
            let is_rising = self.last_up.is_some_and(|up| self.last_down < Some(up));
            let (wait, step) = match is_rising {
                true => (NEXT_PROBE_DELAY, (self.most / 10).max(self.now / 4)),
                false => (self.probe, self.most / 10),
            };
            if self.now < self.most && sample.at.since(calm) >= wait + self.lag {
                self.now = self.now.saturating_add(step).min(self.most);
                self.last_up = Some(sample.at);
                self.calm_since = Some(sample.at);
            }
        } else {
            self.calm_since = None;
        }
        let held = self.last_up.is_some_and(|up| {
            self.last_down.is_none_or(|down| up > down)
                && sample.at.since(up) >= PROBE_TRIAL_DURATION + self.lag
        });
        if held {
            self.probe = INITIAL_PROBE_DELAY;
        }
    }

    fn go_down(&mut self, sample: &Sample) {
        if self.last_up.is_some_and(|up| sample.at.since(up) < PROBE_TRIAL_DURATION + self.lag) {
            self.probe = (self.probe * 3 / 2).min(MAX_PROBE_DELAY);
        }
        let carried = sample.carried as f64;
        // The backlog should be sent within three seconds, with a reserve for the next drop in
        // bandwidth.
        let waits = f64::from(self.now + self.audio) * sample.queued.as_secs_f64() / 3.0;
        let fits = 0.95 * carried - f64::from(self.audio) - waits.min(carried / 2.0);
        // A short stall of the link must not reduce the bitrate too far.
        let next = (fits as u32).min(self.now - self.now / 7).max(self.now / 3);
        self.now = next.max(self.floor.min(self.most));
        self.last_down = Some(sample.at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A simulated link with a given bandwidth and backlog, fed by an encoder that follows the
    /// adapter.
    struct Link {
        adapter: Adapter,
        at: Timestamp,
        waiting_bits: f64,
        worst: Duration,
        silent: Duration,
    }

    impl Link {
        fn new() -> Self {
            let rate = BitsPerSecond;
            Self {
                adapter: Adapter::new(rate(2_500_000), rate(300_000), rate(128_000)),
                at: Timestamp::ZERO,
                waiting_bits: 0.0,
                worst: Duration::ZERO,
                silent: Duration::ZERO,
            }
        }

        fn run(&mut self, seconds: f64, width: f64, live: bool) {
            self.worst = Duration::ZERO;
            for _ in 0..(seconds * 4.0) as u32 {
                self.at += SAMPLE_INTERVAL;
                let made = f64::from(self.adapter.bitrate().0 + 128_000) * 0.25;
                let room = if live { width * 0.25 } else { 0.0 };
                let carried = (self.waiting_bits + made).min(room);
                self.waiting_bits = (self.waiting_bits + made - carried).max(0.0);
                // A real publisher, too, drops frames when the backlog exceeds a few seconds.
                self.waiting_bits = self.waiting_bits.min(6.0 * 2_628_000.0);
                let queued = self.waiting_bits / f64::from(self.adapter.bitrate().0 + 128_000);
                let queued = Duration::from_secs_f64(queued);
                self.worst = self.worst.max(queued);
                let carried = (carried * 4.0) as u64;
                self.silent = if live && width == 0.0 {
                    self.silent + SAMPLE_INTERVAL
                } else {
                    Duration::ZERO
                };
                let silent = self.silent;
                self.adapter.note(Sample { at: self.at, live, queued, carried, silent });
            }
        }
    }

    #[test]
    fn a_wide_link_is_left_alone() {
        let mut link = Link::new();
        link.run(60.0, 10e6, true);
        assert_eq!(link.adapter.bitrate().0, 2_500_000);
    }

    /// A target with a wide link to a distant server.
    #[derive(Debug)]
    struct DistantTarget {
        backlog: Duration,
        round_trip: Duration,
        misleading: bool,
    }

    impl Output for DistantTarget {
        fn state(&self) -> OutputState {
            OutputState::Running
        }

        fn estimate(&self) -> Option<LinkEstimate> {
            let round_trip = self.round_trip;
            Some(LinkEstimate {
                carried: 2_628_000,
                round_trip,
                misleading: self.misleading,
                ..Default::default()
            })
        }

        fn backlog(&self) -> Duration {
            self.backlog
        }

        fn ask_to_stop(&self, _: Duration) {}

        fn stop(&mut self, _: Duration) {}
    }

    #[test]
    fn a_distant_server_is_no_narrow_link() {
        let mut link = Link::new();
        link.run(10.0, 1.2e6, true);
        // Packets stay in the backlog until the server has acknowledged them.
        let round_trip = Duration::from_millis(260);
        for number in 0..120 * 4 {
            link.at += SAMPLE_INTERVAL;
            let backlog = round_trip + Duration::from_millis(10) * (number % 4);
            let target = DistantTarget { backlog, round_trip, misleading: false };
            link.adapter.note(Sample::of(&target, link.at));
        }
        assert_eq!(link.adapter.bitrate().0, 2_500_000);
        // A real queue still counts.
        for number in 0..40 {
            link.at += SAMPLE_INTERVAL;
            let backlog = round_trip + Duration::from_millis(20) * number;
            let target = DistantTarget { backlog, round_trip, misleading: false };
            link.adapter.note(Sample::of(&target, link.at));
        }
        assert!(link.adapter.bitrate().0 < 2_200_000, "{:?}", link.adapter.bitrate());
    }

    #[test]
    fn a_catch_up_and_a_busy_computer_are_no_narrow_link() {
        let mut link = Link::new();
        link.run(10.0, 10e6, true);
        for number in 0..40 {
            link.at += SAMPLE_INTERVAL;
            let backlog = Duration::from_millis(100) * number;
            let target = DistantTarget { backlog, round_trip: Duration::ZERO, misleading: true };
            link.adapter.note(Sample::of(&target, link.at));
        }
        assert_eq!(link.adapter.bitrate().0, 2_500_000);
    }

    #[test]
    fn a_narrow_link_is_found_quickly_and_kept_to() {
        let mut link = Link::new();
        link.run(10.0, 1.2e6, true);
        assert!(link.adapter.bitrate().0 < 1_072_000, "{:?}", link.adapter.bitrate());
        assert!(link.worst < Duration::from_secs(6), "{:?}", link.worst);
        link.run(120.0, 1.2e6, true);
        let settled = link.adapter.bitrate().0;
        assert!((700_000..1_300_000).contains(&settled), "{settled}");
        assert!(link.worst < Duration::from_millis(1_500), "{:?}", link.worst);
    }

    #[test]
    fn half_the_link_gone_costs_no_frame() {
        // Frames are dropped when the backlog exceeds 900 ms.
        for part in [0.75, 0.6, 0.5] {
            let mut link = Link::new();
            link.run(10.0, 2.7e6, true);
            link.run(30.0, part * 2.7e6, true);
            assert!(link.worst < Duration::from_millis(900), "{part}: {:?}", link.worst);
        }
    }

    #[test]
    fn a_link_that_halves_is_followed_within_two_seconds_and_used_again_within_ten() {
        // While the link is narrow, failed tries delay the next one.
        for seconds in [4.0, 8.0, 12.0, 25.0] {
            let mut link = Link::new();
            link.run(10.0, 3.0e6, true);
            assert_eq!(link.adapter.bitrate().0, 2_500_000);
            link.run(2.0, 1.5e6, true);
            let lowered = link.adapter.bitrate().0 + 128_000;
            assert!((500_000..=1_500_000).contains(&lowered), "{lowered}");
            link.run(seconds - 2.0, 1.5e6, true);
            assert!(link.worst < Duration::from_secs(1), "{:?}", link.worst);
            link.run(10.0, 3.0e6, true);
            assert_eq!(link.adapter.bitrate().0, 2_500_000, "after {seconds} s");
        }
    }

    #[test]
    fn a_link_that_recovers_is_used_again() {
        let mut link = Link::new();
        link.run(20.0, 1.0e6, true);
        link.run(90.0, 10e6, true);
        assert_eq!(link.adapter.bitrate().0, 2_500_000);
    }

    #[test]
    fn it_never_goes_below_the_floor_and_comes_back_from_it() {
        let mut link = Link::new();
        link.run(60.0, 50_000.0, true);
        assert_eq!(link.adapter.bitrate().0, 300_000);
        link.run(120.0, 10e6, true);
        assert_eq!(link.adapter.bitrate().0, 2_500_000);
    }

    #[test]
    fn an_outage_is_no_narrow_link() {
        let mut link = Link::new();
        link.run(10.0, 10e6, true);
        for _ in 0..5 {
            link.run(10.0, 10e6, false);
            assert_eq!(link.adapter.bitrate().0, 2_500_000);
            // The new connection sends its backlog first.
            link.run(5.0, 40e6, true);
            assert_eq!(link.adapter.bitrate().0, 2_500_000);
        }
    }

    #[test]
    fn a_stalled_link_is_no_narrow_link() {
        let mut link = Link::new();
        link.run(10.0, 10e6, true);
        for seconds in [0.5, 1.0, 2.0, 4.0] {
            link.run(seconds, 0.0, true);
            assert_eq!(link.adapter.bitrate().0, 2_500_000, "after {seconds} s of silence");
            link.run(5.0, 40e6, true);
            assert_eq!(link.adapter.bitrate().0, 2_500_000, "it caught up with {seconds} s");
        }
        // If the link becomes slow after that, the adapter detects it.
        link.run(2.0, 0.0, true);
        link.run(10.0, 1.2e6, true);
        assert!(link.adapter.bitrate().0 < 1_072_000, "{:?}", link.adapter.bitrate());
    }

    #[test]
    fn with_a_delay_it_waits_for_what_its_steps_do() {
        const DELAY_SAMPLES: usize = 40;
        let rate = BitsPerSecond;
        let adapter = Adapter::new(rate(2_500_000), rate(300_000), rate(128_000));
        let mut adapter = adapter.delayed(SAMPLE_INTERVAL * DELAY_SAMPLES as u32);
        // A link of 1.5 Mbit/s behind a delay of ten seconds; a backlog of more than 1 s is
        // dropped.
        let mut held = std::collections::VecDeque::from(vec![2_628_000.0; DELAY_SAMPLES]);
        let (mut waiting, mut at) = (0.0_f64, Timestamp::ZERO);
        let mut steps = Vec::new();
        for _ in 0..4 * 60 {
            at += SAMPLE_INTERVAL;
            held.push_back(f64::from(adapter.bitrate().0 + 128_000));
            let rate = held.pop_front().unwrap();
            let carried = (waiting + rate * 0.25).min(375_000.0);
            waiting = (waiting + rate * 0.25 - carried).min(rate);
            let queued = Duration::from_secs_f64(waiting / rate);
            let before = adapter.bitrate();
            let (carried, silent) = ((carried * 4.0) as u64, Duration::ZERO);
            adapter.note(Sample { at, live: true, queued, carried, silent });
            if adapter.bitrate() != before {
                steps.push(adapter.bitrate().0);
            }
        }
        // Without the wait, the bitrate would be at the minimum before the effect of the first step
        // is visible.
        assert!(steps.iter().all(|rate| *rate > 600_000), "{steps:?}");
        assert!((700_000..1_700_000).contains(&adapter.bitrate().0), "{steps:?}");
    }

    #[test]
    fn a_new_maximum_bitrate_applies() {
        let mut link = Link::new();
        link.adapter.set_most(BitsPerSecond(4_000_000));
        assert_eq!(link.adapter.bitrate().0, 4_000_000);
        link.run(20.0, 1.0e6, true);
        let narrow = link.adapter.bitrate();
        link.adapter.set_most(BitsPerSecond(6_000_000));
        assert_eq!(link.adapter.bitrate(), narrow);
        link.adapter.set_most(BitsPerSecond(200_000));
        assert_eq!(link.adapter.bitrate().0, 200_000);
        // The lowest bitrate applies again afterwards.
        link.adapter.set_most(BitsPerSecond(6_000_000));
        link.run(30.0, 0.3e6, true);
        assert_eq!(link.adapter.bitrate().0, 300_000);
    }
}
