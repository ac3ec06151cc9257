//! Data that the player's threads share, in parts with one purpose each. Threads hold the locks
//! only briefly.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::base::{Clock, Timestamp, queue};
use crate::player::buffer::pace::BufferTarget;
use crate::player::buffer::reception::{Arrivals, Reception};
use crate::player::clock::jitter::Jitter;
use crate::player::clock::program_date_time::ProgramDateTime;
use crate::player::session::audio_controls::AudioControls;
use crate::player::session::config::{Config, Source};
use crate::player::session::decode_budget::DecodeBudget;
use crate::player::session::lifetime::Lifetime;
use crate::player::session::packets::{Start, WaitingPackets};
use crate::player::session::report::PlayerReport;
use crate::player::session::requests::Requests;
use crate::player::session::timeline::PlayTimeline;
use crate::player::state::{Event, Failure, State};
use onair_media::decode::Prefer;

/// See the module documentation.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) opened: Timestamp,
    pub(crate) prefer: Prefer,
    /// True to wait until a broadcaster who has left returns.
    pub(crate) patient: bool,
    pub(crate) lifetime: Lifetime,
    pub(crate) report: PlayerReport,
    pub(crate) requests: Requests,
    pub(crate) controls: AudioControls,
    pub(crate) timeline: PlayTimeline,
    pub(crate) packets: WaitingPackets,
    /// The timing of received packets.
    pub(crate) reception: Mutex<Reception>,
    /// The wall-clock times of received packets by the sender's clock.
    pub(crate) dated: Mutex<ProgramDateTime>,
    /// Arrival times for the measurement.
    pub(crate) arrivals: Option<Arrivals>,
    /// Buffer duration that the user chose.
    pub(crate) buffer: Arc<BufferTarget>,
    /// The measured decoding speed.
    pub(crate) decode_budget: Arc<DecodeBudget>,
    /// The last seek of the feed in a recording, for the presenter.
    pub(crate) moved: Mutex<Option<SeekDone>>,
}

/// A seek that the feed has executed in a recording.
#[derive(Copy, Clone, Debug)]
pub(crate) struct SeekDone {
    /// The media time of the new position.
    pub(crate) at: Timestamp,
    /// True if the data begins earlier, so that the frame of exactly that time must be shown first.
    pub(crate) exact: bool,
    pub(crate) start: Start,
}

impl Shared {
    /// Creates the data of a new player; also returns the receiver of its events.
    pub(crate) fn new(config: &Config, clock: Clock) -> (Self, queue::Receiver<Event>) {
        let (report, events) = PlayerReport::new(clock);
        let jitter = match config.auto_buffer {
            true => Jitter::automatic(config.buffer),
            false => Jitter::new(config.buffer),
        };
        let live = matches!(config.source, Source::Url(_));
        let shared = Self {
            clock,
            opened: clock.now(),
            prefer: config.decoder,
            patient: config.patient && config.reconnect,
            lifetime: Lifetime::default(),
            report,
            requests: Requests::default(),
            controls: AudioControls::new(config),
            timeline: PlayTimeline::default(),
            packets: WaitingPackets::new(config),
            reception: Mutex::new(Reception::new(live, jitter)),
            dated: Mutex::default(),
            arrivals: config.measure.then(Arrivals::default),
            buffer: Arc::new(BufferTarget::new(config.buffer)),
            decode_budget: Arc::default(),
            moved: Mutex::new(None),
        };
        shared.set_av_offset(config.av_offset_ms);
        (shared, events)
    }

    /// Ends playback with a failure.
    pub(crate) fn fail(&self, failure: Failure) {
        self.report.enter(State::Failed(failure));
        self.halt();
    }

    /// Stops all threads. Nothing is shown from now on.
    pub(crate) fn halt(&self) {
        self.lifetime.end();
        self.requests.wake();
        self.packets.close();
    }

    /// Continues at another position of the recording without a jump in media time. Clears the
    /// queues and decoded data, and returns the current media time.
    pub(crate) fn move_here(&self) -> Timestamp {
        self.go_on(false)
    }

    /// Works like [`Shared::move_here`], but presentation begins exactly at the returned media
    /// time.
    pub(crate) fn move_exactly(&self) -> Timestamp {
        self.go_on(true)
    }

    fn go_on(&self, exact: bool) -> Timestamp {
        // The lock stays held, so that a thread that sees the new start also finds the seek.
        let mut moved = self.moved.lock();
        let position = self.timeline.position();
        let at = if exact { Timestamp::from_millis(position.as_millis()) } else { position };
        *moved = Some(SeekDone { at, exact, start: self.packets.restart() });
        self.requests.wake();
        at
    }

    /// Defines the media time `media` at which the position `own_ms` milliseconds after the start of
    /// a recording plays. This finishes a pending seek.
    pub(crate) fn set_origin(&self, own_ms: i64, media: Timestamp) {
        self.timeline.set_origin(own_ms, media);
        self.requests.give_up();
    }

    /// Sets the time by which audio plays after its timestamps, or before them if `millis` is
    /// negative.
    pub(crate) fn set_av_offset(&self, millis: i32) {
        self.reception.lock().set_av_offset(self.controls.set_av_offset(millis));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::player::session::requests::TimeShiftPlace;

    #[test]
    fn what_a_paused_player_must_do_wakes_its_presenter() {
        let config = Config::new(Source::File("film.mp4".into()));
        let (shared, _events) = Shared::new(&config, Clock::start());
        let is_woken = || shared.requests.wait(Duration::ZERO);
        assert!(!is_woken());
        let changes: [(&str, &dyn Fn()); 5] = [
            ("pause", &|| shared.requests.set_paused(true)),
            ("resume", &|| shared.requests.set_paused(false)),
            ("seek in the time shift", &|| shared.requests.go_back(TimeShiftPlace::Live)),
            ("seek in a recording", &|| {
                shared.move_exactly();
            }),
            ("end", &|| shared.halt()),
        ];
        for (what, change) in changes {
            change();
            assert!(is_woken(), "{what}");
            assert!(!is_woken(), "{what}");
        }
    }
}
