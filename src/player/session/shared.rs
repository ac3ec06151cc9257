//! What the player's threads share: the estimate of when things should be shown, the packets that
//! wait, figures, state, and the wishes of whoever watches. Locks are held for moments only.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};

use std::time::Duration;

use parking_lot::Mutex;

use crate::base::queue::{self, Full};
use crate::base::{Clock, Latest, Stop, Timestamp};
use crate::decode::Prefer;
use crate::media::{AudioConfig, VideoConfig, VideoFrame};
use crate::player::buffer::dvr_window::DvrWindow;
use crate::player::buffer::pace::BufferTarget;
use crate::player::buffer::packets::{BufferedPacket, Packets};
use crate::player::buffer::reception::Reception;
use crate::player::buffer::time_shift::{KeptPacket, TimeShift};
use crate::player::clock::arrivals::Arrivals;
use crate::player::clock::jitter::Jitter;
use crate::player::clock::program_date_time::ProgramDateTime;
use crate::player::session::config::{Config, MAX_AV_OFFSET_MS, Source};
use crate::player::session::decode_budget::DecodeBudget;
use crate::player::session::requests::{SaveRequest, SeekGoal};
use crate::player::state::anomaly::Anomaly;
use crate::player::state::{Event, Failure, Figures, State};

/// Events that wait for whoever watches; older ones go.
const EVENTS: usize = 256;
/// Packets that a file's feed reads ahead, a track.
const FILE_AHEAD: usize = 250;

/// See the module.
#[derive(Debug)]
pub(in crate::player) struct Shared {
    pub(in crate::player) clock: Clock,
    /// Stops all threads.
    pub(in crate::player) stop: Stop,
    /// Wakes a feed that waits for the network, see `feed`.
    pub(in crate::player) stopping: tokio::sync::Notify,
    pub(in crate::player) opened: Timestamp,
    pub(in crate::player) prefer: Prefer,
    pub(in crate::player) reception: Mutex<Reception>,
    pub(in crate::player) video: Packets<VideoConfig>,
    pub(in crate::player) audio: Packets<AudioConfig>,
    /// What its server lists of a live stream, to go back in.
    pub(in crate::player) listed: DvrWindow,
    /// The newest of a live stream, kept to go back in.
    pub(in crate::player) shift: Mutex<TimeShift>,
    pub(in crate::player) figures: Mutex<Figures>,
    /// When what comes was made, by its sender's clock.
    pub(in crate::player) dated: Mutex<ProgramDateTime>,
    /// Where it is measured.
    pub(in crate::player) arrivals: Option<Arrivals>,
    /// How much is to be kept back.
    pub(in crate::player) buffer: Arc<BufferTarget>,
    /// What is decoded in time.
    pub(in crate::player) decode_budget: Arc<DecodeBudget>,
    /// Why a file that is being written will not be whole.
    pub(in crate::player) output_failure: Mutex<Option<Failure>>,
    dropped: AtomicU64,
    state: Mutex<State>,
    pub(in crate::player) events: queue::Sender<Event>,
    volume: AtomicU32,
    muted: AtomicBool,
    /// Microseconds by which sound is later than its stamps say.
    av_offset: AtomicI64,
    paused: AtomicBool,
    /// Where to go on in a recording.
    pub(in crate::player) wanted: Mutex<SeekGoal<Duration>>,
    /// What waits is played until that place is found.
    pub(in crate::player) plays_on: AtomicBool,
    /// Where the feed went in a recording, for the presenter.
    moved: Mutex<Option<SeekDone>>,
    /// Wakes a feed that waits for the network, for a pause or a new place.
    pub(in crate::player) wished: tokio::sync::Notify,
    /// Milliseconds of a recording's own time, less media time.
    origin: AtomicI64,
    /// Media time that is seen and heard.
    position: AtomicI64,
    /// How often playing has begun or gone on.
    begun: AtomicU32,
    /// How long a recording is, in milliseconds; 0 where that is not known.
    duration: AtomicU64,
    /// Where the round through a file begins that is being read, in milliseconds of the recording.
    round: AtomicU64,
    /// Where to go on in what is kept of a live stream.
    pub(in crate::player) wanted_back: Mutex<SeekGoal<TimeShiftPlace>>,
    /// -1 (left) … 1 (right).
    balance: AtomicU32,
    /// Which speaker; and how often that was chosen.
    speaker: Arc<Mutex<Option<String>>>,
    speaker_choices: AtomicU32,
    /// The file of what comes.
    pub(in crate::player) filing: Mutex<SaveRequest>,
    /// What was said once, by its key and what it is of.
    pub(in crate::player) told: Mutex<BTreeSet<(&'static str, String)>>,
    /// Since when the connection is lost.
    lost: Mutex<Option<Timestamp>>,
    /// A broadcaster who leaves is waited for.
    pub(in crate::player) patient: bool,
    /// Until it is asked to end. Held while a picture is put into the slot, which belongs to another
    /// player by the time this one's threads have ended.
    showing: Mutex<bool>,
}

/// A place in what is kept of a live stream.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::player) enum TimeShiftPlace {
    /// So far behind the live end.
    Behind(Duration),
    /// The live end.
    Live,
}

/// The numbers of a new start in the queues of both tracks, see `Packets::restart`.
#[derive(Copy, Clone, Debug)]
pub(in crate::player) struct Start {
    pub(in crate::player) video: u32,
    pub(in crate::player) audio: u32,
}

/// The feed went to another place of a recording.
#[derive(Copy, Clone, Debug)]
pub(in crate::player) struct SeekDone {
    /// The media time at which it goes on.
    pub(in crate::player) at: Timestamp,
    /// It begins earlier than that: the picture of that very instant is to be shown first.
    pub(in crate::player) exact: bool,
    pub(in crate::player) start: Start,
}

/// A balance that makes sense.
fn fair(balance: f32) -> f32 {
    if balance.is_finite() { balance.clamp(-1.0, 1.0) } else { 0.0 }
}

/// An offset of sound in microseconds, within what makes sense.
fn within(millis: i32) -> i64 {
    i64::from(millis.clamp(-MAX_AV_OFFSET_MS, MAX_AV_OFFSET_MS)) * 1_000
}

impl Shared {
    /// For a player that is being opened; also the end at which its events come out.
    pub(in crate::player) fn new(config: &Config, clock: Clock) -> (Self, queue::Receiver<Event>) {
        let (events, receiver) = queue::bounded("player events", EVENTS, Full::DropOldest);
        let live = matches!(config.source, Source::Url(_));
        let packets = if live { None } else { Some(FILE_AHEAD) };
        let shared = Self {
            clock,
            stop: Stop::new(),
            stopping: tokio::sync::Notify::new(),
            opened: clock.now(),
            prefer: config.decoder,
            reception: Mutex::new(Reception::new(
                live,
                if config.auto_buffer {
                    Jitter::automatic(config.buffer)
                } else {
                    Jitter::new(config.buffer)
                },
            )),
            video: packets.map_or_else(Packets::default, Packets::new),
            audio: packets.map_or_else(Packets::default, Packets::new),
            listed: DvrWindow::default(),
            shift: Mutex::new(TimeShift::new(config.time_shift.filter(|_| live))),
            dated: Mutex::default(),
            arrivals: config.measure.then(Arrivals::default),
            figures: Mutex::new(Figures { speed: 1.0, ..Figures::default() }),
            buffer: Arc::new(BufferTarget::new(config.buffer)),
            decode_budget: Arc::default(),
            output_failure: Mutex::new(None),
            dropped: AtomicU64::new(0),
            state: Mutex::new(State::Starting),
            events,
            volume: AtomicU32::new(config.volume.to_bits()),
            muted: AtomicBool::new(config.muted),
            av_offset: AtomicI64::new(0),
            paused: AtomicBool::new(false),
            wanted: Mutex::default(),
            plays_on: AtomicBool::new(false),
            moved: Mutex::new(None),
            wished: tokio::sync::Notify::new(),
            origin: AtomicI64::new(0),
            position: AtomicI64::new(0),
            begun: AtomicU32::new(0),
            duration: AtomicU64::new(0),
            round: AtomicU64::new(0),
            wanted_back: Mutex::default(),
            balance: AtomicU32::new(fair(config.balance).to_bits()),
            speaker: Arc::new(Mutex::new(config.device.clone())),
            speaker_choices: AtomicU32::new(0),
            filing: Mutex::default(),
            told: Mutex::default(),
            lost: Mutex::new(None),
            patient: config.patient && config.reconnect,
            showing: Mutex::new(true),
        };
        shared.set_av_offset(config.av_offset_ms);
        (shared, receiver)
    }

    pub(in crate::player) fn state(&self) -> State {
        self.state.lock().clone()
    }

    /// Changes the state and tells. A final state stays.
    pub(in crate::player) fn enter(&self, next: State) {
        {
            let mut state = self.state.lock();
            if state.is_final() || *state == next {
                return;
            }
            if matches!(next, State::Reconnecting { .. }) {
                self.lost.lock().get_or_insert(self.clock.now());
            }
            *state = next.clone();
        }
        // Nobody may be listening.
        let _ = self.events.send(Event::State(next));
    }

    /// Media come again after a loss.
    pub(in crate::player) fn regained(&self) {
        let lost = matches!(*self.state.lock(), State::Reconnecting { .. });
        if lost {
            self.enter(State::Playing);
        }
        if let Some(since) = self.lost.lock().take() {
            self.odd(&Anomaly::Regained(self.clock.now().since(since).as_secs()));
        }
    }

    /// Gives up.
    pub(in crate::player) fn fail(&self, failure: Failure) {
        self.enter(State::Failed(failure));
        self.halt();
    }

    /// Asks all threads to end. Nothing is shown from here on.
    pub(in crate::player) fn halt(&self) {
        *self.showing.lock() = false;
        self.stop.set();
        self.stopping.notify_one();
        self.video.close();
        self.audio.close();
    }

    /// Shows a picture, unless it was asked to end.
    pub(in crate::player) fn show(&self, screen: &Latest<VideoFrame>, frame: VideoFrame) {
        let showing = self.showing.lock();
        if *showing {
            screen.publish(frame);
        }
    }

    /// Packets thrown away because the decoder could not keep up.
    pub(in crate::player) fn add_dropped(&self, count: u64) {
        if count > 0 {
            self.dropped.fetch_add(count, Ordering::Relaxed);
        }
    }

    pub(in crate::player) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(in crate::player) fn set_volume(&self, volume: f32) {
        let volume = if volume.is_finite() { volume.clamp(0.0, 1.0) } else { 1.0 };
        self.volume.store(volume.to_bits(), Ordering::Relaxed);
    }

    pub(in crate::player) fn set_muted(&self, muted: bool) {
        self.muted.store(muted, Ordering::Relaxed);
    }

    pub(in crate::player) fn volume(&self) -> f32 {
        f32::from_bits(self.volume.load(Ordering::Relaxed))
    }

    /// Holds where it is, or goes on.
    pub(in crate::player) fn set_paused(&self, paused: bool) {
        if self.paused.swap(paused, Ordering::Relaxed) != paused {
            self.wished.notify_one();
        }
    }

    pub(in crate::player) fn paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }

    /// What comes from here on is of another place of the recording and goes on where it is played
    /// now: what waits is thrown away, and what is decoded too. Gives the media time.
    pub(in crate::player) fn move_here(&self) -> Timestamp {
        // Held meanwhile, so that whoever meets something of the new start finds what it is.
        let mut moved = self.moved.lock();
        let at = self.position();
        let video = self.video.restart_with_parameters();
        let audio = self.audio.restart_with_parameters();
        *moved = Some(SeekDone { at, exact: false, start: Start { video, audio } });
        at
    }

    /// As [`Shared::move_here`], but what is shown and heard first is exactly that of the media time that
    /// is given.
    pub(in crate::player) fn move_exactly(&self) -> Timestamp {
        let mut moved = self.moved.lock();
        let at = Timestamp::from_millis(self.position().as_millis());
        let video = self.video.restart_with_parameters();
        let audio = self.audio.restart_with_parameters();
        let start = Start { video, audio };
        *moved = Some(SeekDone { at, exact: true, start });
        at
    }

    /// Where the feed went, once.
    pub(in crate::player) fn take_moved(&self) -> Option<SeekDone> {
        self.moved.lock().take()
    }

    /// Media time that is seen and heard.
    pub(in crate::player) fn set_position(&self, at: Timestamp) {
        self.position.store(at.as_micros(), Ordering::Release);
    }

    /// As last told.
    pub(in crate::player) fn position(&self) -> Timestamp {
        Timestamp::from_micros(self.position.load(Ordering::Acquire))
    }

    /// Playing begins or goes on there, maybe elsewhere than it was. Counted before and after, so that
    /// who looks at the position first and then here never takes a jump for time that passed.
    pub(in crate::player) fn begin_at(&self, at: Timestamp) {
        self.begun.fetch_add(1, Ordering::Release);
        self.set_position(at);
        self.begun.fetch_add(1, Ordering::Release);
    }

    /// Another number each time that it did.
    pub(in crate::player) fn begun(&self) -> u32 {
        self.begun.load(Ordering::Acquire)
    }

    /// What lies so many milliseconds after a recording's beginning was placed at `media`. Whoever was on
    /// the way to a place is there.
    pub(in crate::player) fn set_origin(&self, own_ms: i64, media: Timestamp) {
        self.origin.store(own_ms - media.as_millis(), Ordering::Relaxed);
        self.wanted.lock().end();
    }

    /// Where in the recording it is.
    pub(in crate::player) fn place(&self) -> Duration {
        let origin = self.origin.load(Ordering::Relaxed);
        let millis = self.position().as_millis().saturating_add(origin);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    pub(in crate::player) fn set_duration(&self, duration: Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(0);
        self.duration.store(millis, Ordering::Relaxed);
    }

    /// What comes now of a file that goes around begins so long after it began to be played.
    pub(in crate::player) fn set_round(&self, at: Duration) {
        let millis = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        self.round.store(millis, Ordering::Relaxed);
    }

    /// Whether what is being read is of another round than what is played.
    pub(in crate::player) fn is_read_beyond(&self) -> bool {
        self.place() < Duration::from_millis(self.round.load(Ordering::Relaxed))
    }

    pub(in crate::player) fn duration(&self) -> Option<Duration> {
        let millis = self.duration.load(Ordering::Relaxed);
        (millis > 0).then(|| Duration::from_millis(millis))
    }

    /// Sound is heard so much later than its stamps say (sooner, where negative).
    pub(in crate::player) fn set_av_offset(&self, millis: i32) {
        self.av_offset.store(within(millis), Ordering::Relaxed);
        self.reception.lock().set_av_offset(within(millis));
    }

    pub(in crate::player) fn av_offset(&self) -> i64 {
        self.av_offset.load(Ordering::Relaxed)
    }

    pub(in crate::player) fn muted(&self) -> bool {
        self.muted.load(Ordering::Relaxed)
    }

    /// Hands on what came, or only keeps it while the player is behind. Returns how many packets were
    /// thrown away for it.
    pub(in crate::player) fn hand_on(&self, kept: KeptPacket) -> u64 {
        // Held while it is handed on, so that nothing comes between a new start and what it begins
        // with.
        let mut shift = self.shift.lock();
        if shift.push(&kept) { self.hand_over(kept) } else { 0 }
    }

    /// Puts a unit where its decoder takes it from.
    pub(in crate::player) fn hand_over(&self, kept: KeptPacket) -> u64 {
        match kept {
            KeptPacket::Video(unit) => self.video.push(unit),
            KeptPacket::Audio(unit) => {
                self.audio.push(unit);
                0
            }
        }
    }

    /// Packets are missing here, of both tracks.
    pub(in crate::player) fn gap(&self) {
        self.hand_on(KeptPacket::Video(BufferedPacket::Gap));
        self.hand_on(KeptPacket::Audio(BufferedPacket::Gap));
    }

    pub(in crate::player) fn set_balance(&self, balance: f32) {
        self.balance.store(fair(balance).to_bits(), Ordering::Relaxed);
    }

    pub(in crate::player) fn balance(&self) -> f32 {
        f32::from_bits(self.balance.load(Ordering::Relaxed))
    }

    /// Which speaker is wanted, for whoever opens it.
    pub(in crate::player) fn speaker(&self) -> Arc<Mutex<Option<String>>> {
        Arc::clone(&self.speaker)
    }

    pub(in crate::player) fn choose_speaker(&self, id: Option<String>) {
        *self.speaker.lock() = id;
        self.speaker_choices.fetch_add(1, Ordering::Release);
    }

    /// How often a speaker was chosen.
    pub(in crate::player) fn speaker_choices(&self) -> u32 {
        self.speaker_choices.load(Ordering::Acquire)
    }

    /// What the speaker is set to.
    pub(in crate::player) fn loudness(&self) -> f32 {
        if self.muted() { 0.0 } else { self.volume() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Pooled;
    use crate::media::{Color, Planes, Size};

    #[test]
    fn who_is_asked_to_end_leaves_no_picture_behind() {
        let config = Config::new(Source::Url("rtmp://host/app/name".into()));
        let (shared, _events) = Shared::new(&config, Clock::start());
        let planes = Arc::new(Pooled::unpooled(Planes::black(Size::new(2, 2))));
        let picture = || VideoFrame {
            pts: Timestamp::ZERO,
            color: Color::PROGRAM,
            surface: Arc::clone(&planes).into(),
        };
        let slot = Latest::default();
        shared.show(&slot, picture());
        assert!(slot.get().is_some());
        shared.halt();
        slot.clear();
        shared.show(&slot, picture());
        assert!(slot.get().is_none());
    }
}
