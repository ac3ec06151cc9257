//! The series of a broadcast, by the second: the bitrate of the last ten minutes, connection losses,
//! and whether the computer keeps up.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::base::Timestamp;
use crate::studio::event::stats::Stats;
use crate::studio::event::{self, TargetState};
use crate::studio::live::target_events::count_or_none;
use crate::studio::notices::message::StudioMessage;

/// Seconds of bitrate to keep.
const SERIES_SECONDS: usize = 600;
/// The share of skipped frames above which the computer no longer keeps up.
const OVERLOAD_SHARE: f64 = 0.05;
/// The share of skipped frames below which the computer keeps up again.
const RECOVERED_SHARE: f64 = 0.01;
/// The notice gets the new share after a change by at least this much.
const MIN_SHARE_CHANGE: f64 = 0.05;
/// The number of seconds over which the share is measured.
const SHARE_WINDOW_SECONDS: usize = 5;

/// In the texts of `target-back`, the target's own server.
const SAME_SERVER: &str = "same";

/// News that the computer no longer keeps up, or keeps up again.
#[derive(Debug, PartialEq, Eq)]
pub enum PaceNews {
    Slow(StudioMessage),
    /// The computer does not keep up by another share.
    Changed(StudioMessage),
    Over,
}

#[derive(Debug, Default)]
pub struct BroadcastSeries {
    bitrates: VecDeque<u32>,
    /// The counters at each of the last seconds: the due frames, those that the main encode lacks,
    /// and those that the second encode lacks.
    pace: VecDeque<[u64; 3]>,
    /// The reported share of skipped frames, while the computer does not keep up.
    slow: Option<f64>,
    /// The targets that were live, and that the user has not switched off since.
    live: BTreeSet<usize>,
    /// The time at which the connection of each target was lost.
    lost_at: BTreeMap<usize, Timestamp>,
    /// The total duration of the outages of each target that are over.
    interrupted: BTreeMap<usize, Duration>,
    /// The longest such total of a target that the user has removed.
    longest_removed: Duration,
}

impl BroadcastSeries {
    /// Restarts the measurement of skipped frames, because new encoders count from zero.
    pub fn begin_pace(&mut self) {
        self.pace.clear();
        self.slow = None;
    }

    /// Adds the figures of another second.
    pub fn second(&mut self, stats: &Stats) {
        let bitrate = stats.targets.iter().map(|target| target.bitrate).max().unwrap_or_default();
        self.bitrates.push_back(bitrate);
        if self.bitrates.len() > SERIES_SECONDS {
            self.bitrates.pop_front();
        }
        if let Some(video) = &stats.video {
            let due = video.captured + video.undrawn;
            self.pace.push_back([due, video.skipped, video.undrawn + video.second_skipped]);
            if self.pace.len() > SHARE_WINDOW_SECONDS + 1 {
                self.pace.pop_front();
            }
        }
    }

    /// Returns the bitrates in bits per second, the oldest first.
    pub fn bitrates(&self) -> impl Iterator<Item = u32> + '_ {
        self.bitrates.iter().copied()
    }

    /// Reports that the computer no longer keeps up, keeps up by another share, or keeps up again.
    pub fn pace(&mut self) -> Option<PaceNews> {
        let (first, last) = (self.pace.front()?, self.pace.back()?);
        if self.pace.len() <= SHARE_WINDOW_SECONDS {
            return None;
        }
        let ([due, main, second], [due_then, main_then, second_then]) = (last, first);
        let skipped = main.saturating_sub(*main_then).max(second.saturating_sub(*second_then));
        let share = skipped as f64 / (due.saturating_sub(*due_then) as f64).max(1.0);
        let message = || StudioMessage::EncoderSlow { percent: format!("{:.0} %", share * 100.0) };
        let (slow, news) = match self.slow {
            None if share >= OVERLOAD_SHARE => (Some(share), PaceNews::Slow(message())),
            Some(_) if share < RECOVERED_SHARE => (None, PaceNews::Over),
            Some(reported) if (share - reported).abs() >= MIN_SHARE_CHANGE => {
                (Some(share), PaceNews::Changed(message()))
            }
            _ => return None,
        };
        self.slow = slow;
        Some(news)
    }

    /// Records that a target is not live. If it was live before, its connection is lost.
    pub fn lost(&mut self, event: &event::Target, at: Timestamp) {
        match event.state {
            TargetState::Connecting | TargetState::Reconnecting | TargetState::Failed => {
                if self.live.contains(&event.index) {
                    self.lost_at.entry(event.index).or_insert(at);
                }
            }
            TargetState::Stopped => self.switched_off(event.index, at),
            TargetState::Live => {}
        }
    }

    /// Records that the user has switched a target off or changes its address. The time after this
    /// is no loss.
    pub fn switched_off(&mut self, index: usize, at: Timestamp) {
        self.live.remove(&index);
        if let Some(lost) = self.lost_at.remove(&index) {
            self.add_outage(index, at.since(lost));
        }
    }

    /// Records that the user has removed a target. A new target may get the same index.
    pub fn removed(&mut self, index: usize, at: Timestamp) {
        self.switched_off(index, at);
        let interrupted = self.interrupted.remove(&index).unwrap_or_default();
        self.longest_removed = self.longest_removed.max(interrupted);
    }

    /// Records that a target is live. Returns a message if the target had been lost.
    pub fn live_again(&mut self, event: &event::Target, at: Timestamp) -> Option<StudioMessage> {
        self.live.insert(event.index);
        let lost = self.lost_at.remove(&event.index)?;
        // A loss is detected some time after it began, so the reported gap is preferred.
        let gone = event.gap.unwrap_or_else(|| at.since(lost));
        self.add_outage(event.index, gone);
        let (id, seconds) = (u32::try_from(event.index).unwrap_or_default(), gone.as_secs_f64());
        Some(StudioMessage::TargetBack {
            id,
            host: event.host.clone(),
            server: event.server.clone().unwrap_or_else(|| SAME_SERVER.to_owned()),
            seconds: format!("{seconds:.1}"),
            frames: count_or_none(event.lost_frames),
        })
    }

    fn add_outage(&mut self, index: usize, gone: Duration) {
        *self.interrupted.entry(index).or_default() += gone;
    }

    /// Returns how long the target with the longest outages was lost, up to this time.
    pub fn interrupted(&self, at: Timestamp) -> Duration {
        let indices = self.interrupted.keys().chain(self.lost_at.keys());
        let gone = indices.map(|index| {
            let over = self.interrupted.get(index).copied().unwrap_or_default();
            over + self.lost_at.get(index).map_or(Duration::ZERO, |lost| at.since(*lost))
        });
        gone.max().unwrap_or_default().max(self.longest_removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::event::stats;

    #[test]
    fn a_target_that_was_switched_off_is_not_called_reconnected() {
        let mut series = BroadcastSeries::default();
        let target = |state| event::Target { index: 1, state, ..event::Target::default() };
        let mut is_back = |states: &[TargetState]| {
            series.live_again(&target(TargetState::Live), Timestamp::ZERO);
            states.iter().for_each(|state| series.lost(&target(*state), Timestamp::ZERO));
            let minute = Timestamp::from_micros(60_000_000);
            series.live_again(&target(TargetState::Live), minute).is_some()
        };
        assert!(is_back(&[TargetState::Reconnecting]));
        assert!(!is_back(&[TargetState::Reconnecting, TargetState::Stopped]));
    }

    #[test]
    fn a_target_that_is_back_names_the_server_that_it_is_connected_to() {
        let mut series = BroadcastSeries::default();
        let mut back = |server: Option<&str>| {
            let target = |state| event::Target {
                host: "a:1935".into(),
                state,
                server: server.map(str::to_owned),
                gap: Some(Duration::from_secs(2)),
                ..event::Target::default()
            };
            series.live_again(&target(TargetState::Live), Timestamp::ZERO);
            series.lost(&target(TargetState::Reconnecting), Timestamp::ZERO);
            let message = series.live_again(&target(TargetState::Live), Timestamp::ZERO);
            message.unwrap().problem().to_string()
        };
        assert_eq!(back(None), "Reconnected to a:1935 after 2.0 s.");
        assert_eq!(back(Some("b:1935")), "Reconnected to b:1935 after 2.0 s.");
    }

    #[test]
    fn the_outages_of_a_target_are_added_up_to_its_end() {
        let mut series = BroadcastSeries::default();
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let target = |index, state| event::Target { index, state, ..event::Target::default() };
        for index in [1, 2] {
            assert!(series.live_again(&target(index, TargetState::Live), at(1)).is_none());
        }
        assert_eq!(series.interrupted(at(5)), Duration::ZERO);
        series.lost(&target(1, TargetState::Reconnecting), at(10));
        assert_eq!(series.interrupted(at(13)), Duration::from_secs(3));
        // The reported gap is longer than the detected outage.
        let gap = Some(Duration::from_secs(19));
        series.live_again(&event::Target { gap, ..target(1, TargetState::Live) }, at(28)).unwrap();
        series.lost(&target(1, TargetState::Reconnecting), at(40));
        series.lost(&target(1, TargetState::Stopped), at(41));
        series.lost(&target(2, TargetState::Reconnecting), at(40));
        assert_eq!(series.interrupted(at(45)), Duration::from_secs(20));
        assert_eq!(series.interrupted(at(70)), Duration::from_secs(30), "of another target");
    }

    #[test]
    fn the_outages_of_a_removed_target_do_not_continue_in_a_new_one() {
        let mut series = BroadcastSeries::default();
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let target = |state| event::Target { index: 1, state, ..event::Target::default() };
        for (lost, removed) in [(10, 30), (50, 65)] {
            series.live_again(&target(TargetState::Live), at(lost));
            series.lost(&target(TargetState::Reconnecting), at(lost));
            series.removed(1, at(removed));
            assert_eq!(series.interrupted(at(70)), Duration::from_secs(20), "{lost}");
        }
    }

    #[test]
    fn an_outage_begins_with_any_state_of_a_target_that_was_live() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let target = |state| event::Target { index: 1, state, ..event::Target::default() };
        for state in [TargetState::Connecting, TargetState::Reconnecting, TargetState::Failed] {
            let mut series = BroadcastSeries::default();
            // A target that was never live cannot be interrupted.
            series.lost(&target(state), at(1));
            assert_eq!(series.interrupted(at(9)), Duration::ZERO, "{state:?}");
            series.live_again(&target(TargetState::Live), at(10));
            series.lost(&target(state), at(20));
            series.lost(&target(TargetState::Reconnecting), at(25));
            assert_eq!(series.interrupted(at(30)), Duration::from_secs(10), "{state:?}");
            series.switched_off(1, at(40));
            series.lost(&target(TargetState::Connecting), at(50));
            assert_eq!(series.interrupted(at(60)), Duration::from_secs(20), "{state:?}");
        }
    }

    /// Adds seconds with 60 due frames each, of which these were not drawn, not encoded, and not
    /// encoded by the second encoder. Returns the news.
    fn seconds(
        series: &mut BroadcastSeries,
        video: &mut stats::Video,
        count: u32,
        [undrawn, refused, second]: [u64; 3],
    ) -> Vec<PaceNews> {
        let mut news = Vec::new();
        for _ in 0..count {
            video.captured += 60 - undrawn;
            video.undrawn += undrawn;
            video.skipped += undrawn + refused;
            video.second_skipped += second;
            series.second(&Stats { video: Some(*video), ..Stats::default() });
            news.extend(series.pace());
        }
        news
    }

    #[test]
    fn a_computer_that_is_too_slow_is_reported_and_the_report_ends() {
        for lost in [[26, 0, 0], [0, 26, 0], [0, 0, 26]] {
            let (mut series, mut video) = (BroadcastSeries::default(), stats::Video::default());
            for _ in 0..2 {
                assert_eq!(seconds(&mut series, &mut video, 10, [0, 0, 0]).last(), None);
                let slow = seconds(&mut series, &mut video, 10, lost);
                assert!(matches!(slow[..], [PaceNews::Slow(_), ..]), "{slow:?}");
                let over = seconds(&mut series, &mut video, 10, [0, 0, 0]);
                assert_eq!(over.last(), Some(&PaceNews::Over));
            }
        }
    }

    #[test]
    fn the_share_of_skipped_frames_is_that_of_all_due_frames_and_stays_current() {
        for at in [0, 20] {
            for lost in [[30, 0, 0], [0, 30, 0], [20, 10, 10]] {
                let (mut series, mut video) = (BroadcastSeries::default(), stats::Video::default());
                seconds(&mut series, &mut video, at, [0, 0, 0]);
                let news = seconds(&mut series, &mut video, 10, lost);
                let percent = "50 %".to_owned();
                let Some(PaceNews::Slow(last) | PaceNews::Changed(last)) = news.last() else {
                    panic!("{news:?}")
                };
                assert_eq!(*last, StudioMessage::EncoderSlow { percent }, "{news:?}");
                let begun = news.iter().filter(|it| matches!(it, PaceNews::Slow(_))).count();
                assert_eq!(begun, 1, "{news:?}");
            }
        }
    }

    #[test]
    fn one_skipped_frame_of_a_new_recording_is_not_compared_with_an_earlier_one() {
        let mut series = BroadcastSeries::default();
        let second = |series: &mut BroadcastSeries, captured, skipped| {
            let video = stats::Video { captured, skipped, ..stats::Video::default() };
            series.second(&Stats { video: Some(video), ..Stats::default() });
            series.pace()
        };
        for number in 1..=10 {
            assert_eq!(second(&mut series, number * 30, 0), None);
        }
        series.begin_pace();
        assert_eq!(series.bitrates().count(), 10, "the graph continues");
        for number in 1..=10 {
            assert_eq!(second(&mut series, number * 30 - 1, 1), None);
        }
        // A new recording on a slow computer is reported again.
        for _ in 0..2 {
            series.begin_pace();
            let seconds = 1..=10;
            let news = seconds.filter_map(|it| second(&mut series, it * 15, it * 15)).count();
            assert_eq!(news, 1);
        }
    }
}
