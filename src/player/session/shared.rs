//! What the player's threads share, in parts with one job each. Locks are held for moments only.

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
    /// When what comes should be shown.
    pub(in crate::player) reception: Mutex<Reception>,
    /// When what comes was made, by its sender's clock.
    pub(in crate::player) dated: Mutex<ProgramDateTime>,
    /// Where it is measured.
    pub(in crate::player) arrivals: Option<Arrivals>,
    /// How much is to be kept back.
    pub(in crate::player) buffer: Arc<BufferTarget>,
    /// What is decoded in time.
    pub(in crate::player) decode_budget: Arc<DecodeBudget>,
    /// Where the feed went in a recording, for the presenter.
    moved: Mutex<Option<SeekDone>>,
}

/// The feed went to another place of a recording.
#[derive(Copy, Clone, Debug)]
pub(in crate::player) struct SeekDone {
    /// The media time at which it continues.
    pub(in crate::player) at: Timestamp,
    /// It begins earlier than that: the frame of that very instant is to be shown first.
    pub(in crate::player) exact: bool,
    pub(in crate::player) start: Start,
}

impl Shared {
    /// For a player that is being opened; also the end at which its events come out.
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

    /// Gives up.
    pub(in crate::player) fn fail(&self, failure: Failure) {
        self.report.enter(State::Failed(failure));
        self.halt();
    }

    /// Asks all threads to end. Nothing is shown from here on.
    pub(in crate::player) fn halt(&self) {
        self.lifetime.end();
        self.packets.close();
    }

    /// What comes from here on is of another place of the recording and continues where it is played
    /// now: what waits is thrown away, and what is decoded too. Gives the media time.
    pub(in crate::player) fn move_here(&self) -> Timestamp {
        self.go_on(false)
    }

    /// As [`Shared::move_here`], but what is shown and heard first is exactly that of the media time that
    /// is given.
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

    /// Where the feed went, once.
    pub(in crate::player) fn take_moved(&self) -> Option<SeekDone> {
        self.moved.lock().take()
    }

    /// What lies this many milliseconds after a recording's beginning was placed at `media`. Whoever was on
    /// the way to a place is there.
    pub(in crate::player) fn set_origin(&self, own_ms: i64, media: Timestamp) {
        self.timeline.set_origin(own_ms, media);
        self.requests.give_up();
    }

    /// Audio is heard this much later than its timestamps say (sooner, where negative).
    pub(in crate::player) fn set_av_offset(&self, millis: i32) {
        self.reception.lock().set_av_offset(self.controls.set_av_offset(millis));
    }
}
