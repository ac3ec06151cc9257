//! Data that the player's threads share, in parts with one job each. Locks are held only briefly.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::base::{Clock, Timestamp, queue};
use crate::decode::Prefer;
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

/// See the module.
#[derive(Debug)]
pub(in crate::player) struct Shared {
    pub(in crate::player) clock: Clock,
    pub(in crate::player) opened: Timestamp,
    pub(in crate::player) prefer: Prefer,
    /// A broadcaster who leaves is waited for.
    pub(in crate::player) patient: bool,
    pub(in crate::player) lifetime: Lifetime,
    pub(in crate::player) report: PlayerReport,
    pub(in crate::player) requests: Requests,
    pub(in crate::player) controls: AudioControls,
    pub(in crate::player) timeline: PlayTimeline,
    pub(in crate::player) packets: WaitingPackets,
    /// The timing of received packets.
    pub(in crate::player) reception: Mutex<Reception>,
    /// The wall-clock times of received packets by the sender's clock.
    pub(in crate::player) dated: Mutex<ProgramDateTime>,
    /// For measuring.
    pub(in crate::player) arrivals: Option<Arrivals>,
    /// The user's buffer.
    pub(in crate::player) buffer: Arc<BufferTarget>,
    /// The decoder's speed.
    pub(in crate::player) decode_budget: Arc<DecodeBudget>,
    /// The position to which the feed went in a recording, for the presenter.
    moved: Mutex<Option<SeekDone>>,
}

/// The feed went to another place of a recording.
#[derive(Copy, Clone, Debug)]
pub(in crate::player) struct SeekDone {
    /// The media time at which it continues.
    pub(in crate::player) at: Timestamp,
    /// The data begins earlier: the frame of exactly that instant must be shown first.
    pub(in crate::player) exact: bool,
    pub(in crate::player) start: Start,
}

impl Shared {
    /// For a player that is being opened; also returns the receiver of its events.
    pub(in crate::player) fn new(config: &Config, clock: Clock) -> (Self, queue::Receiver<Event>) {
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

    /// Fails.
    pub(in crate::player) fn fail(&self, failure: Failure) {
        self.report.enter(State::Failed(failure));
        self.halt();
    }

    /// Asks all threads to end. Nothing is shown from now on.
    pub(in crate::player) fn halt(&self) {
        self.lifetime.end();
        self.packets.close();
    }

    /// The next data is from another position of the recording, and plays at the present media
    /// time: clears the queues and decoded data. Returns the media time.
    pub(in crate::player) fn move_here(&self) -> Timestamp {
        self.go_on(false)
    }

    /// Like [`Shared::move_here`], but presentation begins exactly at the returned media time.
    pub(in crate::player) fn move_exactly(&self) -> Timestamp {
        self.go_on(true)
    }

    fn go_on(&self, exact: bool) -> Timestamp {
        // Held meanwhile, so that whoever meets something of the new start finds what it is.
        let mut moved = self.moved.lock();
        let position = self.timeline.position();
        let at = if exact { Timestamp::from_millis(position.as_millis()) } else { position };
        *moved = Some(SeekDone { at, exact, start: self.packets.restart() });
        at
    }

    /// The position to which the feed went, once.
    pub(in crate::player) fn take_moved(&self) -> Option<SeekDone> {
        self.moved.lock().take()
    }

    /// The position this many milliseconds after the beginning of a recording plays at `media`. A
    /// running seek is finished.
    pub(in crate::player) fn set_origin(&self, own_ms: i64, media: Timestamp) {
        self.timeline.set_origin(own_ms, media);
        self.requests.give_up();
    }

    /// Sets how much later audio plays than its timestamps (negative: earlier).
    pub(in crate::player) fn set_av_offset(&self, millis: i32) {
        self.reception.lock().set_av_offset(self.controls.set_av_offset(millis));
    }
}
