//! Seek requests: in a recording, and in the time shift of a live stream. The player's owner sends
//! requests; the feed and the presenter execute them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::player::buffer::dvr_window::SeekTarget;
use crate::player::buffer::pace::PlayPace;
use crate::player::session::requests::TimeShiftPlace;
use crate::player::session::shared::Shared;
use crate::player::state::TimeShiftState;

impl Shared {
    /// Seeks in a recording. Unless the seek may be impossible, the call clears the queues, so that
    /// a waiting feed reacts at once. Returns false if the feed has ended: the rest plays on.
    pub(crate) fn seek(&self, to: Duration) -> bool {
        // The lock stays held, so that new data of the feed is not dropped together with old data.
        let mut wanted = self.requests.wanted.lock();
        if self.packets.is_closed() {
            return false;
        }
        wanted.want(to);
        if self.requests.plays_on.load(Ordering::Relaxed) {
            self.packets.video.nudge();
            self.packets.audio.nudge();
        } else {
            self.packets.video.flush();
            self.packets.audio.flush();
        }
        self.requests.changed.notify_one();
        true
    }

    /// Seeks to a distance behind the live edge in the server's playlist. Returns false if there is
    /// no playlist, or if the feed has ended.
    pub(crate) fn seek_dvr_window(&self, behind: Duration) -> bool {
        if self.packets.is_closed() {
            return false;
        }
        let Some(taken) = self.packets.dvr_window.seek_behind_live(behind, self.clock.now()) else {
            return false;
        };
        let (pace, place) = match taken {
            SeekTarget::Back(place) => (PlayPace::Recorded, place),
            SeekTarget::Live { place, distance } => (PlayPace::Followed(distance), place),
        };
        self.reception.lock().set_pace(pace);
        if pace != PlayPace::Recorded {
            self.requests.set_paused(false);
        }
        self.seek(place)
    }

    /// Handles a pause, during which the server's playlist moves on.
    pub(crate) fn hold_dvr_window(&self) {
        if self.packets.dvr_window.hold() {
            self.reception.lock().set_pace(PlayPace::Recorded);
        }
    }

    /// Returns the current or pending position in the recording.
    pub(crate) fn pending_position(&self) -> Duration {
        let pending = self.requests.wanted.lock().pending();
        pending.unwrap_or_else(|| self.timeline.place())
    }

    /// Returns the range for seeking back in a broadcast, from the current or pending position.
    pub(crate) fn pending_time_shift(&self) -> Option<TimeShiftState> {
        if let Some(time_shift) =
            self.packets.dvr_window.state_at(self.pending_position(), self.clock.now())
        {
            return Some(time_shift);
        }
        // The pending seek is read before the figures, because the figures apply to the new
        // position once the seek has ended.
        let pending = self.requests.wanted_back.lock().pending();
        let time_shift = self.report.figures.lock().time_shift?;
        Some(match pending {
            Some(TimeShiftPlace::Behind(behind)) => {
                TimeShiftState { behind: behind.min(time_shift.range), ..time_shift }
            }
            Some(TimeShiftPlace::Live) => TimeShiftState { behind: Duration::ZERO, ..time_shift },
            None => time_shift,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;
    use crate::base::{Clock, Timestamp};
    use crate::player::buffer::packets::BufferedPacket;
    use crate::player::session::config::{Config, Source};

    #[test]
    fn the_rest_of_a_stream_that_has_ended_is_not_thrown_away_by_a_seek() {
        let config = Config::new(Source::File("film.mp4".into()));
        let (shared, _events) = Shared::new(&config, Clock::start());
        shared.packets.video.push(BufferedPacket::Gap);
        assert!(shared.seek(Duration::from_secs(1)) && shared.packets.video.is_empty());
        assert!(shared.requests.take_wanted().is_some());

        shared.packets.video.push(BufferedPacket::Gap);
        shared.packets.close();
        assert!(!shared.seek(Duration::from_secs(2)) && !shared.packets.video.is_empty());
        assert!(!shared.seek_dvr_window(Duration::from_secs(2)));
        assert!(shared.requests.take_wanted().is_none());
    }

    #[test]
    fn packets_read_at_a_new_position_are_not_discarded_with_those_that_waited() {
        const SEEK_COUNT: u64 = 2_000;
        let config = Config::new(Source::File("film.mp4".into()));
        let (shared, _events) = Shared::new(&config, Clock::start());
        let (asked, looked) = (AtomicU64::new(0), AtomicU64::new(0));
        let wait_until = |is_so: &dyn Fn() -> bool| {
            while !is_so() {
                std::thread::yield_now();
            }
        };
        let missing = std::thread::scope(|scope| {
            // The feed reads a position as soon as it is requested.
            let feed = scope.spawn(|| {
                let mut missing = 0;
                for time in 1..=SEEK_COUNT {
                    wait_until(&|| shared.requests.take_wanted().is_some());
                    shared.move_exactly();
                    shared.packets.audio.push(BufferedPacket::Seam(Timestamp::ZERO));
                    shared.packets.video.push(BufferedPacket::Gap);
                    // Check only after the request has returned.
                    wait_until(&|| asked.load(Ordering::Acquire) == time);
                    missing += u64::from(
                        shared.packets.audio.is_empty() || shared.packets.video.is_empty(),
                    );
                    looked.store(time, Ordering::Release);
                }
                missing
            });
            for time in 1..=SEEK_COUNT {
                shared.seek(Duration::from_secs(time));
                asked.store(time, Ordering::Release);
                wait_until(&|| looked.load(Ordering::Acquire) == time);
            }
            feed.join().unwrap()
        });
        assert_eq!(missing, 0, "of {SEEK_COUNT}");
    }
}
