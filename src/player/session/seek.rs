//! Where somebody wants to go: another place of a recording, and of what is kept of a live stream. Wishes
//! come from whoever holds the player; the feed and the presenter carry them out.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::player::buffer::dvr_window::SeekTarget;
use crate::player::buffer::pace::PlayPace;
use crate::player::session::shared::{Shared, TimeShiftPlace};
use crate::player::state::Rewind;

impl Shared {
    /// Goes on at another place of a recording. What waits is thrown away, so that the feed, which
    /// may wait for room, looks at once; or stays, where that place may turn out not to be had.
    pub(in crate::player) fn seek(&self, to: Duration) {
        // Held meanwhile: what the feed reads there must not be thrown away with what waited before.
        let mut wanted = self.wanted.lock();
        wanted.want(to);
        if self.plays_on.load(Ordering::Relaxed) {
            self.video.nudge();
            self.audio.nudge();
        } else {
            self.video.flush();
            self.audio.flush();
        }
        self.wished.notify_one();
    }

    /// Whether what waits is played until a place that is wanted is found.
    pub(in crate::player) fn set_plays_on(&self, plays_on: bool) {
        self.plays_on.store(plays_on, Ordering::Relaxed);
    }

    /// Goes so far behind the live end of what a server lists. False where it lists nothing.
    pub(in crate::player) fn rewind_list(&self, behind: Duration) -> bool {
        let Some(taken) = self.listed.rewind(behind, self.clock.now()) else { return false };
        let (pace, place) = match taken {
            SeekTarget::Back(place) => (PlayPace::Recorded, place),
            SeekTarget::Live { place, distance } => (PlayPace::Followed(distance), place),
        };
        self.reception.lock().set_pace(pace);
        if pace != PlayPace::Recorded {
            self.set_paused(false);
        }
        self.seek(place);
        true
    }

    /// In a pause what a server lists goes on without us.
    pub(in crate::player) fn hold_list(&self) {
        if self.listed.hold() {
            self.reception.lock().set_pace(PlayPace::Recorded);
        }
    }

    /// Whether another place is wanted.
    pub(in crate::player) fn is_wanted(&self) -> bool {
        self.wanted.lock().waits()
    }

    /// The place that is wanted, once.
    pub(in crate::player) fn take_wanted(&self) -> Option<Duration> {
        self.wanted.lock().take()
    }

    /// The place that was taken up is not gone to any more.
    pub(in crate::player) fn give_up(&self) {
        self.wanted.lock().end();
    }

    /// Where in the recording it is, or is on its way to.
    pub(in crate::player) fn aimed(&self) -> Duration {
        let aim = self.wanted.lock().aim();
        aim.unwrap_or_else(|| self.place())
    }

    /// What there is of a broadcast to go back in, from where it is or is on its way to.
    pub(in crate::player) fn aimed_back(&self) -> Option<Rewind> {
        if let Some(rewind) = self.listed.rewind_at(self.aimed(), self.clock.now()) {
            return Some(rewind);
        }
        // Before the figures, which are those of the new place once it is the aim no more.
        let aim = self.wanted_back.lock().aim();
        let rewind = self.figures.lock().rewind?;
        Some(match aim {
            Some(TimeShiftPlace::Behind(behind)) => {
                Rewind { behind: behind.min(rewind.range), ..rewind }
            }
            Some(TimeShiftPlace::Live) => Rewind { behind: Duration::ZERO, ..rewind },
            None => rewind,
        })
    }

    /// Goes to another place of what is kept.
    pub(in crate::player) fn go_back(&self, to: TimeShiftPlace) {
        self.wanted_back.lock().want(to);
    }

    /// The place that is wanted, once.
    pub(in crate::player) fn take_back(&self) -> Option<TimeShiftPlace> {
        self.wanted_back.lock().take()
    }

    /// The figures are those of the place that was taken up, or it is not gone to.
    pub(in crate::player) fn end_back(&self) {
        self.wanted_back.lock().end();
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
    fn what_is_read_of_a_place_is_not_thrown_away_with_what_waited_before() {
        const TIMES: u64 = 2_000;
        let config = Config::new(Source::File("film.mp4".into()));
        let (shared, _events) = Shared::new(&config, Clock::start());
        let (asked, looked) = (AtomicU64::new(0), AtomicU64::new(0));
        let wait_until = |is_so: &dyn Fn() -> bool| {
            while !is_so() {
                std::thread::yield_now();
            }
        };
        let missing = std::thread::scope(|scope| {
            // The feed: as soon as a place is wanted, it is read.
            let feed = scope.spawn(|| {
                let mut missing = 0;
                for time in 1..=TIMES {
                    wait_until(&|| shared.take_wanted().is_some());
                    shared.move_exactly();
                    shared.audio.push(BufferedPacket::Seam(Timestamp::ZERO));
                    shared.video.push(BufferedPacket::Gap);
                    // Only when whoever asked is through with asking.
                    wait_until(&|| asked.load(Ordering::Acquire) == time);
                    missing += u64::from(shared.audio.is_empty() || shared.video.is_empty());
                    looked.store(time, Ordering::Release);
                }
                missing
            });
            for time in 1..=TIMES {
                shared.seek(Duration::from_secs(time));
                asked.store(time, Ordering::Release);
                wait_until(&|| looked.load(Ordering::Acquire) == time);
            }
            feed.join().unwrap()
        });
        assert_eq!(missing, 0, "of {TIMES}");
    }
}
