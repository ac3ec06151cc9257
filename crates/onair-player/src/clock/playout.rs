//! The playback position: the media time that is presented now. Playback starts when the buffer has
//! settled, and stalls when everything received has been shown. To keep the latency at its target,
//! playback is slightly slower or faster (0.95–1.05×), or jumps if that would take too long. If
//! there is an audio device, the position follows the device's count of played samples (audio
//! master).
//!
//! This module is pure: time is an argument. It runs on the presenter thread.

use std::time::Duration;

use crate::base::Timestamp;

/// A larger delay behind the target, in µs, is corrected by a jump; a smaller one, by faster
/// playback.
pub const JUMP_THRESHOLD_MICROS: i64 = 500_000;
/// Deviation from the target at which speed correction begins, in µs.
const CORRECTION_START_MICROS: i64 = 20_000;
/// Deviation from the target at which speed correction ends, in µs.
const CORRECTION_END_MICROS: i64 = 3_000;
/// The maximum change of speed.
const MAX_SPEED_CHANGE: f64 = 0.05;
/// The deviation in µs at which the change of speed reaches its maximum.
const FULL_CORRECTION_MICROS: f64 = 200_000.0;
/// A start waits at most this long for a burst to end.
const BURST_TIMEOUT: Duration = Duration::from_secs(1);
/// If the position differs from the device's by more than this, in µs, the device's position
/// applies at once.
const DEVICE_SNAP_MICROS: i64 = 40_000;
/// How much of a file must be buffered before playback starts or resumes, in µs.
const MIN_FILE_BUFFER_MICROS: i64 = 100_000;

/// The received part of the stream, as the presenter sees it.
#[derive(Copy, Clone, Debug, Default)]
pub struct ReceivedSpan {
    /// Earliest media time received since the last start.
    pub first: Option<Timestamp>,
    /// Media time after the last received packet.
    pub edge: Option<Timestamp>,
    /// The wanted presentation time minus media time, in µs; `None` for a file.
    pub target: Option<i64>,
    /// True if it is too early to begin: a burst is arriving, or the decoder's speed is not known
    /// yet.
    pub settling: bool,
    /// True if the stream has ended.
    pub ended: bool,
}

/// The result of a step.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// No change.
    None,
    /// Playback begins here.
    Started(Timestamp),
    /// Playback stalls: everything received has been shown.
    Stalled,
    /// Playback resumes at the position of the stall.
    Resumed(Timestamp),
    /// Playback jumped ahead to this position to be on time again.
    Jumped(Timestamp),
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// Playback has not started. `since` is the time of the first data.
    Waiting {
        since: Option<Timestamp>,
    },
    Running,
    /// Playback holds at the position until there is enough data.
    Holding {
        since: Timestamp,
    },
}

/// See the module documentation.
#[derive(Debug)]
pub struct Playout {
    phase: Phase,
    position: Timestamp,
    /// The fraction of a microsecond by which the exact position is ahead of `position`.
    fraction: f64,
    at: Timestamp,
    speed: f64,
    correcting: bool,
}

impl Default for Playout {
    /// Returns the state before playback starts.
    fn default() -> Self {
        Self {
            phase: Phase::Waiting { since: None },
            position: Timestamp::ZERO,
            fraction: 0.0,
            at: Timestamp::ZERO,
            speed: 1.0,
            correcting: false,
        }
    }
}

impl Playout {
    /// Returns the media time presented at the instant of the last step.
    pub fn position(&self) -> Timestamp {
        self.position
    }

    /// Returns the media time at `now`, soon after the last step.
    pub fn position_at(&self, now: Timestamp) -> Timestamp {
        if self.phase == Phase::Running {
            let elapsed = now.micros_since(self.at).max(0);
            self.position.offset((elapsed as f64 * self.speed) as i64)
        } else {
            self.position
        }
    }

    /// Returns the playback speed; 1 is normal.
    pub fn speed(&self) -> f64 {
        if self.phase == Phase::Running { self.speed } else { 1.0 }
    }

    /// Returns true if playback has started and does not hold.
    pub fn is_running(&self) -> bool {
        self.phase == Phase::Running
    }

    /// Returns true if playback has ever started.
    pub fn has_started(&self) -> bool {
        !matches!(self.phase, Phase::Waiting { .. })
    }

    /// Returns the position at which playback would start at `now`, or the current position if
    /// playback has started. Frames before the returned position are not needed.
    pub fn prospect(&self, now: Timestamp, received: &ReceivedSpan) -> Option<Timestamp> {
        match self.phase {
            Phase::Running => Some(self.position_at(now)),
            Phase::Waiting { .. } => {
                let wanted = received.target.map(|target| now.offset(-target));
                wanted.or(received.first)
            }
            Phase::Holding { .. } => Some(self.position),
        }
    }

    /// Moves the position and keeps the state, because the audio starts later than expected.
    pub fn set_position(&mut self, position: Timestamp) {
        (self.position, self.fraction) = (position, 0.0);
    }

    /// Moves to another position, and continues there as soon as there is enough data.
    pub fn move_to(&mut self, at: Timestamp, now: Timestamp) {
        self.phase = Phase::Holding { since: now };
        self.set_position(at);
        self.at = now;
    }

    /// Waits again for a start position, as at the beginning of playback.
    pub fn begin_again(&mut self) {
        self.phase = Phase::Waiting { since: None };
    }

    /// Holds at the position until a step finds enough data to continue.
    pub fn hold_here(&mut self, now: Timestamp) {
        if self.phase == Phase::Running {
            self.position = self.position_at(now);
            self.phase = Phase::Holding { since: now };
        }
        self.at = now;
    }

    /// Advances the position to `now`. `played` is the media time that leaves the speaker at `now`,
    /// if known; it is then the master clock.
    pub fn step(
        &mut self,
        now: Timestamp,
        received: &ReceivedSpan,
        played: Option<Timestamp>,
    ) -> Change {
        let change = match self.phase {
            Phase::Waiting { since } => self.wait(since, now, received),
            Phase::Running => self.run(now, received, played),
            Phase::Holding { since } => self.hold(since, now, received),
        };
        self.at = now;
        change
    }

    fn wait(
        &mut self,
        since: Option<Timestamp>,
        now: Timestamp,
        received: &ReceivedSpan,
    ) -> Change {
        let (Some(first), Some(edge)) = (received.first, received.edge) else {
            return Change::None;
        };
        let since = since.unwrap_or(now);
        self.phase = Phase::Waiting { since: Some(since) };
        if received.settling && now.since(since) < BURST_TIMEOUT && !received.ended {
            return Change::None;
        }
        let start = match received.target {
            Some(target) => now.offset(-target),
            None if edge.micros_since(first) < MIN_FILE_BUFFER_MICROS && !received.ended => {
                return Change::None;
            }
            None => first,
        };
        if start < first && !received.ended {
            return Change::None;
        }
        self.begin(start.max(first));
        Change::Started(self.position)
    }

    fn run(
        &mut self,
        now: Timestamp,
        received: &ReceivedSpan,
        played: Option<Timestamp>,
    ) -> Change {
        let elapsed = now.micros_since(self.at).max(0) as f64;
        self.advance(elapsed * self.speed);
        if let Some(played) = played {
            let off = played.micros_since(self.position);
            if off.abs() > DEVICE_SNAP_MICROS {
                self.set_position(played);
            } else {
                // The device counts in blocks, so the position follows the count gradually, over a
                // fifth of a second.
                self.advance(off as f64 * (elapsed / 200_000.0).min(1.0));
            }
        }
        if received.ended {
            // After the end of the stream, deviations are not corrected.
            self.speed = 1.0;
            return Change::None;
        }
        if let Some(edge) = received.edge
            && self.position >= edge
        {
            self.set_position(edge);
            self.phase = Phase::Holding { since: now };
            return Change::Stalled;
        }
        let Some(target) = received.target else {
            return Change::None;
        };
        let behind = now.micros_since(self.position).saturating_sub(target);
        if behind > JUMP_THRESHOLD_MICROS {
            let to = now.offset(-target);
            self.begin(to);
            return Change::Jumped(to);
        }
        if behind < -JUMP_THRESHOLD_MICROS {
            self.phase = Phase::Holding { since: now };
            return Change::None;
        }
        self.steer(behind);
        Change::None
    }

    fn hold(&mut self, since: Timestamp, now: Timestamp, received: &ReceivedSpan) -> Change {
        let Some(edge) = received.edge else {
            return Change::None;
        };
        let wanted = match received.target {
            _ if received.ended => self.position,
            Some(target) => {
                if received.settling && now.since(since) < BURST_TIMEOUT || edge <= self.position {
                    return Change::None;
                }
                now.offset(-target)
            }
            None if edge.micros_since(self.position) < MIN_FILE_BUFFER_MICROS => {
                return Change::None;
            }
            None => self.position,
        };
        let ahead = wanted.micros_since(self.position);
        if ahead < 0 {
            return Change::None;
        }
        if ahead > JUMP_THRESHOLD_MICROS {
            self.begin(wanted);
            return Change::Jumped(wanted);
        }
        self.begin(self.position);
        Change::Resumed(self.position)
    }

    fn begin(&mut self, at: Timestamp) {
        self.phase = Phase::Running;
        self.set_position(at);
        (self.speed, self.correcting) = (1.0, false);
    }

    fn steer(&mut self, behind: i64) {
        if behind.abs() > CORRECTION_START_MICROS {
            self.correcting = true;
        } else if behind.abs() < CORRECTION_END_MICROS {
            self.correcting = false;
        }
        self.speed = if self.correcting {
            let part = (behind as f64 / FULL_CORRECTION_MICROS).clamp(-1.0, 1.0);
            // A minimum correction, so that the correction ends.
            let part = if part.abs() < 0.04 { 0.04_f64.copysign(part) } else { part };
            1.0 + MAX_SPEED_CHANGE * part
        } else {
            1.0
        };
    }

    fn advance(&mut self, micros: f64) {
        let exact = self.fraction + micros;
        let whole = exact.floor();
        self.fraction = exact - whole;
        self.position = self.position.offset(whole as i64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Track;
    use crate::player::clock::jitter::Jitter;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    /// A small, seeded noise source.
    struct Noise(u64);

    impl Noise {
        fn below(&mut self, limit: i64) -> i64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 11) as i64 % limit.max(1)
        }
    }

    /// A sender, a network and a player, stepped in simulated time.
    struct Simulation {
        jitter: Jitter,
        playout: Playout,
        now: i64,
        /// Media microseconds per session microsecond of the sender's clock.
        sender_rate: f64,
        /// The same ratio for the audio device, if any.
        device_rate: Option<f64>,
        played: f64,
        sent: i64,
        /// Time until which nothing is delivered.
        blocked_until: i64,
        /// Deliveries as (arrival, DTS), in order.
        wire: std::collections::VecDeque<(i64, i64)>,
        edge: Option<i64>,
        first: Option<i64>,
        noise: Noise,
        jitter_micros: i64,
        stalled: u32,
        jumped: u32,
    }

    impl Simulation {
        fn new(seed: u64) -> Self {
            Self {
                jitter: Jitter::new(Duration::from_millis(300)),
                playout: Playout::default(),
                now: 0,
                sender_rate: 1.0,
                device_rate: None,
                played: 0.0,
                sent: 0,
                blocked_until: 0,
                wire: std::collections::VecDeque::new(),
                edge: None,
                first: None,
                noise: Noise(seed | 1),
                jitter_micros: 5_000,
                stalled: 0,
                jumped: 0,
            }
        }

        /// The presenter's default interval in µs.
        const PRESENTER_INTERVAL_MICROS: i64 = 8_000;
        const PACKET_INTERVAL_MICROS: i64 = 20_000;

        fn run(&mut self, micros: i64) {
            let end = self.now + micros;
            while self.now < end {
                self.tick();
            }
        }

        fn tick(&mut self) {
            self.now += Self::PRESENTER_INTERVAL_MICROS;
            let media_now = self.now as f64 * self.sender_rate;
            while (self.sent as f64) <= media_now {
                let leaves = (self.sent as f64 / self.sender_rate) as i64;
                let arrival = leaves + 8_000 + self.noise.below(self.jitter_micros);
                let arrival = arrival.max(self.blocked_until);
                let arrival = arrival.max(self.wire.back().map_or(0, |&(at, _)| at));
                self.wire.push_back((arrival, self.sent));
                self.sent += Self::PACKET_INTERVAL_MICROS;
            }
            while let Some(&(arrival, dts)) = self.wire.front() {
                if arrival > self.now {
                    break;
                }
                self.wire.pop_front();
                let (dts, arrival) = (Timestamp::from_micros(dts), Timestamp::from_micros(arrival));
                self.jitter.arrived(Track::Video, dts, arrival);
                self.edge = Some(dts.as_micros() + Self::PACKET_INTERVAL_MICROS);
                self.first.get_or_insert(dts.as_micros());
            }
            let now = Timestamp::from_micros(self.now);
            let received = ReceivedSpan {
                first: self.first.map(Timestamp::from_micros),
                edge: self.edge.map(Timestamp::from_micros),
                target: self.jitter.target(now),
                settling: self.jitter.settling(now),
                ended: false,
            };
            let played = match self.device_rate {
                Some(rate) if self.playout.is_running() => {
                    self.played +=
                        Self::PRESENTER_INTERVAL_MICROS as f64 * rate * self.playout.speed();
                    // The device counts in blocks of 10 ms.
                    let lumps = (self.played / 10_000.0).floor() * 10_000.0;
                    Some(Timestamp::from_micros(lumps as i64))
                }
                _ => None,
            };
            match self.playout.step(now, &received, played) {
                Change::Stalled => {
                    self.stalled += 1;
                    self.jitter.broke(now);
                }
                Change::Jumped(to) => {
                    self.jumped += 1;
                    self.played = to.as_micros() as f64;
                }
                Change::Started(to) | Change::Resumed(to) => {
                    self.played = to.as_micros() as f64;
                }
                Change::None => {}
            }
        }

        /// Returns how far the displayed frame is behind the sender's clock, in milliseconds.
        fn latency(&self) -> f64 {
            let sent = self.now as f64 * self.sender_rate;
            (sent - self.playout.position().as_micros() as f64) / 1_000.0
        }

        fn assert_on_target(&self, extra: f64) {
            let latency = self.latency();
            assert!(
                (latency - 308.0 - extra).abs() < 50.0,
                "latency {latency} at {} s",
                self.now / 1_000_000
            );
        }
    }

    #[test]
    fn ten_hours_of_drift_stay_at_the_target_with_and_without_a_device() {
        for (sender, device) in [
            (1.0 + 200e-6, None),
            (1.0 - 200e-6, None),
            (1.0 + 200e-6, Some(1.0 - 200e-6)),
            (1.0 - 200e-6, Some(1.0 + 200e-6)),
        ] {
            let mut simulation = Simulation::new(7);
            (simulation.sender_rate, simulation.device_rate) = (sender, device);
            for _ in 0..600 {
                simulation.run(60_000_000);
                simulation.assert_on_target(0.0);
            }
            assert_eq!((simulation.stalled, simulation.jumped), (0, 0), "{sender} {device:?}");
        }
    }

    #[test]
    fn the_same_input_gives_the_same_positions() {
        let trace = || {
            let mut simulation = Simulation::new(99);
            simulation.jitter_micros = 250_000;
            let mut positions = Vec::new();
            for round in 0..200 {
                if round % 40 == 20 {
                    simulation.blocked_until = simulation.now + 700_000;
                }
                simulation.run(100_000);
                positions.push(simulation.playout.position());
            }
            positions
        };
        assert_eq!(trace(), trace());
    }

    #[test]
    fn a_short_hiccup_costs_nothing_and_a_long_one_is_caught_up() {
        let mut simulation = Simulation::new(3);
        simulation.run(5_000_000);
        simulation.blocked_until = simulation.now + 200_000;
        simulation.run(5_000_000);
        assert_eq!(simulation.stalled, 0);
        // Nothing arrives for 600 ms. Playback stalls for about 300 ms, and is then faster.
        simulation.blocked_until = simulation.now + 600_000;
        simulation.run(1_000_000);
        assert_eq!((simulation.stalled, simulation.jumped), (1, 0));
        assert!(simulation.latency() > 450.0 && simulation.playout.speed() > 1.03);
        simulation.run(20_000_000);
        simulation.assert_on_target(0.0);
    }

    #[test]
    fn a_long_stall_ends_with_a_jump_to_the_live_edge() {
        for stall in [3_000_000, 30_000_000] {
            let mut simulation = Simulation::new(4);
            simulation.run(5_000_000);
            simulation.blocked_until = simulation.now + stall;
            simulation.run(stall + 500_000);
            assert_eq!((simulation.stalled, simulation.jumped), (1, 1), "{stall}");
            simulation.assert_on_target(0.0);
        }
    }

    #[test]
    fn a_path_that_becomes_slower_for_good_is_followed() {
        let mut simulation = Simulation::new(5);
        simulation.run(5_000_000);
        for _ in 0..2_000 {
            simulation.blocked_until = simulation.now + 400_000;
            simulation.tick();
        }
        simulation.run(2_000_000);
        assert!(simulation.stalled <= 4, "{}", simulation.stalled);
    }

    #[test]
    fn a_cached_burst_starts_at_the_live_edge_without_waiting_for_the_buffer() {
        let (mut jitter, mut playout) =
            (Jitter::new(Duration::from_millis(300)), Playout::default());
        for frame in 0..60 {
            jitter.arrived(Track::Video, at(frame * 33), at(1_000 + frame / 10));
        }
        let mut started = None;
        for now in 1_006..1_100 {
            let received = ReceivedSpan {
                first: Some(at(0)),
                edge: Some(at(60 * 33)),
                target: jitter.target(at(now)),
                settling: jitter.settling(at(now)),
                ended: false,
            };
            if let Change::Started(position) = playout.step(at(now), &received, None) {
                started = Some((now, position.as_millis()));
                break;
            }
        }
        let (now, position) = started.unwrap();
        assert!(now <= 1_050, "{now}");
        assert!((position - (59 * 33 - 300)).abs() < 50, "{position}");
    }

    #[test]
    fn a_file_plays_at_its_own_speed_and_holds_when_the_disk_is_slow() {
        let mut playout = Playout::default();
        let received = |edge| ReceivedSpan {
            first: Some(at(0)),
            edge: Some(at(edge)),
            ..ReceivedSpan::default()
        };
        assert_eq!(playout.step(at(0), &received(50), None), Change::None);
        assert_eq!(playout.step(at(10), &received(200), None), Change::Started(at(0)));
        assert_eq!(playout.step(at(160), &received(200), None), Change::None);
        assert_eq!(playout.position(), at(150));
        assert_eq!(playout.step(at(260), &received(200), None), Change::Stalled);
        assert_eq!(playout.step(at(900), &received(400), None), Change::Resumed(at(200)));
        let ended = ReceivedSpan { ended: true, ..received(400) };
        assert_eq!(playout.step(at(1_900), &ended, None), Change::None);
        assert_eq!(playout.position(), at(1_200));
    }
}
