//! Floor 3: the mixer. Every 10 ms, the mixer's thread produces a block of program audio. The
//! thread waits for the delay of the sources, pulls each strip's source, and filters its audio. The
//! thread applies fader and mute with a ramp, meters and mixes the strips, and passes the block to
//! the encoder, if any. Missing audio becomes silence, so the timestamps continue without a gap or
//! an overlap. If there is neither a source nor a receiver, the thread sleeps. While nobody sees
//! silent meters, the thread sleeps most of the time. The file is long because the thread and its
//! handle share their state.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::base::partial_debug;
use crate::base::queue::Sender;
use crate::base::{Clock, Pool, Stop, Timestamp, Worker};
use crate::media::samples::{frames_to_micros, micros_to_frames};
use crate::media::{AudioFeed, ExtraTrack, ProgramId, SampleBlock};
use crate::mix::block::{Shape, limit};
use crate::mix::meter::{Meter, MeterFall, Reading};
use crate::mix::mix_minus::MixesMinus;
use crate::mix::strip::Strip;
use crate::mix::strip_id::{StripId, StripLamp};
use crate::mix::strips::StripSet;

/// Blocks per second.
const BLOCKS_PER_SECOND: i64 = 100;

/// The delay above which blocks are skipped, because the computer was suspended.
const MAX_BLOCK_DELAY: Duration = Duration::from_secs(2);

/// Maximum number of blocks that are produced in one tick when the program's delay shrinks.
/// Receivers have short queues.
const MAX_BLOCKS_PER_TICK: usize = 8;

/// Maximum delay that a source may request.
const MAX_DELAY: Duration = Duration::from_millis(500);

/// Interval at which an idle mixer checks whether to end.
const IDLE_POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The extra wait of a mixer whose blocks nobody receives, such as in an idle window. It then
/// produces several blocks at once for the meters, so that the processor is woken less often.
const EXTRA_IDLE_WAIT: Duration = Duration::from_millis(40);
/// The same while nobody sees the meters either.
const EXTRA_UNSEEN_WAIT: Duration = Duration::from_millis(200);

/// The cycle in which a mixer that nobody sees or receives works while everything is silent: it
/// produces only the first blocks of each cycle, which are enough to notice that audio begins.
const REST_CYCLE_BLOCKS: i64 = BLOCKS_PER_SECOND / 2;
/// The number of these blocks.
const REST_SAMPLED_BLOCKS: i64 = 10;

/// Number of free blocks to keep. Encoders and monitoring return the blocks of their queues.
const MAX_IDLE_BLOCKS: usize = 32;

/// A meter that the mixer's thread writes and other threads read.
pub type SharedMeter = Arc<Mutex<Meter>>;

/// The format of program audio.
#[derive(Copy, Clone, Debug)]
pub struct Config {
    /// Samples per second per channel.
    pub rate: u32,
    /// Number of interleaved channels.
    pub channels: u16,
    /// The zero of the sample count: the origin of the frame grid.
    pub origin: Timestamp,
    /// The session clock.
    pub clock: Clock,
}

/// The reason why the mixer cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rate or channel count that no encoder supports.
    #[error("onair cannot mix audio at {rate} Hz with {channels} channels")]
    Format { rate: u32, channels: u16 },
    /// The system could not start a thread.
    #[error("starting the mixer: {0}")]
    Thread(#[from] std::io::Error),
}

/// The mixer's counters.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Produced samples per channel.
    pub samples: u64,
    /// The number of these samples in blocks for which no strip had complete audio.
    pub silent: u64,
    /// The number of samples that were skipped because they were due while the computer was
    /// suspended.
    pub skipped: u64,
}

/// A running mixer, which ends when it is dropped. [`Mixer::join`] waits for the end.
#[derive(Debug)]
pub struct Mixer {
    shared: Arc<Shared>,
    config: Config,
    worker: Worker,
}

impl Mixer {
    /// Starts the mixer. The output is silence until a strip has a feed.
    ///
    /// # Errors
    /// Fails if the format is impossible, or the system cannot start a thread.
    pub fn spawn(config: Config) -> Result<Self, Error> {
        let Config { rate, channels, .. } = config;
        if !(8_000..=192_000).contains(&rate) || !(1..=8).contains(&channels) {
            return Err(Error::Format { rate, channels });
        }
        let shared = Arc::new(Shared::default());
        shared.program.lock().measure_loudness(true);
        let its_shared = Arc::clone(&shared);
        let worker = Worker::spawn("mixer", move |stop| run(config, &its_shared, stop))?;
        Ok(Self { shared, config, worker })
    }

    /// Returns the configuration.
    pub fn config(&self) -> Config {
        self.config
    }

    /// Adds a strip, or changes the existing strip, from the next block on, without a click. Beyond
    /// [`MAX_STRIPS`](crate::mix::MAX_STRIPS) strips, the call has no effect.
    pub fn set_strip(&self, id: StripId, strip: Strip) {
        self.shared.meter(id);
        self.push_command(BlockCommand::Set(id, Arc::new(strip)));
    }

    /// Sets the source of an existing strip. `None` means silence.
    pub fn set_feed(&self, id: StripId, feed: Option<Box<dyn AudioFeed>>) {
        self.push_command(BlockCommand::Feed(id, feed));
    }

    /// Removes a strip, and closes its source.
    pub fn remove_strip(&self, id: StripId) {
        self.shared.meters.lock().remove(&id);
        self.push_command(BlockCommand::Remove(id));
    }

    /// Sends program audio to an encoder from now on. A queue without a receiver is removed.
    pub fn attach_encoder(&self, encoder: Sender<SampleBlock>) {
        self.attach_encoder_of(ProgramId::MAIN, encoder, self.config.clock.now());
    }

    /// Sends program audio to an encoder from the block at this time on. The encoder belongs to one
    /// of several programs, which share this audio.
    pub fn attach_encoder_of(
        &self,
        program: ProgramId,
        encoder: Sender<SampleBlock>,
        from: Timestamp,
    ) {
        self.push_command(BlockCommand::Encoder(Some(program), Some((encoder, from))));
    }

    /// Stops sending audio to a program's encoder: its queue ends with the block at this time, which
    /// may be produced later.
    pub fn detach_encoder_of(&self, program: ProgramId, end: Timestamp) {
        self.push_command(BlockCommand::EndEncoder(program, end));
    }

    /// Stops sending the audio of extra tracks to the encoders of a program, like
    /// [`Mixer::detach_encoder_of`].
    pub fn detach_tracks_of(&self, program: ProgramId, end: Timestamp) {
        self.push_command(BlockCommand::EndTracks(program, end));
    }

    /// Ends every queue that is ending with the block at this time, if the queue would end later.
    pub fn limit_ends(&self, end: Timestamp) {
        self.push_command(BlockCommand::LimitEnds(end));
    }

    /// Returns the time up to which the program's audio until now is produced within `wait`.
    pub fn end_within(&self, wait: Duration) -> Timestamp {
        self.config.clock.now() - self.lag().saturating_sub(wait)
    }

    /// Sends program audio to this queue from now on, beside the encoders. `None` ends the queue.
    pub fn set_tap(&self, tap: Option<Sender<SampleBlock>>) {
        let from = self.config.clock.now();
        self.push_command(BlockCommand::Encoder(None, tap.map(|tap| (tap, from))));
    }

    /// Sends an extra track's audio to an encoder of this program from now on. `None` ends the queue
    /// of that encoder immediately. A track without an encoder is not mixed.
    pub fn set_track_of(
        &self,
        program: ProgramId,
        track: ExtraTrack,
        encoder: Option<Sender<SampleBlock>>,
    ) {
        let from = self.config.clock.now();
        self.attach_track_of(program, track, encoder.map(|encoder| (encoder, from)));
    }

    /// Works like [`Mixer::set_track_of`], but from the block at this time on.
    pub fn attach_track_of(
        &self,
        program: ProgramId,
        track: ExtraTrack,
        encoder: Option<(Sender<SampleBlock>, Timestamp)>,
    ) {
        self.push_command(BlockCommand::Track((program, track), encoder));
    }

    /// Sends the program without one strip to this queue from now on: the mix for the guest of this number, who must not
    /// hear the own voice. `None` ends the queue.
    pub fn set_mix_minus(&self, guest: u32, mix: Option<(Option<StripId>, Sender<SampleBlock>)>) {
        self.push_command(BlockCommand::MixMinus(guest, mix));
    }

    /// Sends the operator's audio (monitored or solo strips) to this queue. `None` stops this.
    pub fn set_monitoring(&self, monitoring: Option<Sender<SampleBlock>>) {
        self.push_command(BlockCommand::Monitoring(monitoring));
    }

    /// Leaves these strips out of monitoring, even while they are solo.
    pub fn set_unmonitored(&self, ids: BTreeSet<StripId>) {
        self.push_command(BlockCommand::Unmonitored(ids));
    }

    /// Sets whether to measure loudness and true peak. In a broadcast without a display, these
    /// measurements are a sixth of the audio work.
    pub fn measure_loudness(&self, wanted: bool) {
        self.shared.program.lock().measure_loudness(wanted);
    }

    /// Sets whether nobody sees the meters.
    pub fn set_unseen(&self, unseen: bool) {
        self.shared.unseen.store(unseen, Ordering::Relaxed);
        self.shared.more.notify_one();
    }

    /// Sets the fall rate of all meters.
    pub fn set_fall(&self, fall: MeterFall) {
        *self.shared.fall.lock() = fall;
        self.shared.program.lock().fall = fall;
        self.shared.meters.lock().values().for_each(|meter| meter.lock().fall = fall);
    }

    /// Returns the level and loudness of the program.
    pub fn meter(&self) -> Reading {
        self.shared.program.lock().reading()
    }

    /// Returns the level of a strip after fader and mute. The loudness of strips is not measured.
    pub fn strip_meter(&self, id: StripId) -> Option<Reading> {
        let meter = self.shared.meters.lock().get(&id).map(Arc::clone)?;
        let reading = meter.lock().reading();
        Some(reading)
    }

    /// Resets clip indicators.
    pub fn clear_clip(&self, lamp: StripLamp) {
        if matches!(lamp, StripLamp::All | StripLamp::Program) {
            self.shared.program.lock().clear_clip();
        }
        for (id, meter) in self.shared.meters.lock().iter() {
            if lamp == StripLamp::All || lamp == StripLamp::Strip(*id) {
                meter.lock().clear_clip();
            }
        }
    }

    /// Resets integrated loudness and true peak.
    pub fn reset_loudness(&self) {
        self.shared.program.lock().reset_loudness();
    }

    /// Returns the delay after which the program audio of an instant is produced, without the delay
    /// of the sources. Strips with a negative offset or with look-ahead filters cause this delay,
    /// because all other audio must wait for them.
    pub fn lag(&self) -> Duration {
        let micros = self.shared.lag_us.load(Ordering::Relaxed);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    /// Returns the counters since the start.
    pub fn figures(&self) -> Figures {
        Figures {
            samples: self.shared.samples.load(Ordering::Relaxed),
            silent: self.shared.silent.load(Ordering::Relaxed),
            skipped: self.shared.skipped.load(Ordering::Relaxed),
        }
    }

    /// Ends the thread, drops the feeds and the encoder queues, and waits.
    ///
    /// # Errors
    /// Fails if the thread does not end within `limit`.
    pub fn join(self, limit: Duration) -> Result<(), crate::base::worker::Stuck> {
        self.worker.join(limit)
    }

    /// Returns the last settings of a strip.
    #[cfg(any(test, feature = "test-support"))]
    pub fn strip_settings(&self, id: StripId) -> Option<Arc<Strip>> {
        self.shared.commanded.lock().strips.get(&id).cloned()
    }

    /// Returns the strips that are left out of monitoring.
    #[cfg(any(test, feature = "test-support"))]
    pub fn unmonitored(&self) -> BTreeSet<StripId> {
        self.shared.commanded.lock().unmonitored.clone()
    }

    /// Queues a command. Commands are executed in order before the next block. A user cannot
    /// produce many commands within 10 ms.
    fn push_command(&self, command: BlockCommand) {
        #[cfg(any(test, feature = "test-support"))]
        self.shared.commanded.lock().note(&command);
        let mut inbox = self.shared.inbox.lock();
        if inbox.len() >= MAX_COMMANDS {
            // The queue is full only if the thread is stuck. The oldest command is dropped.
            inbox.pop_front();
        }
        inbox.push_back(command);
        self.shared.more.notify_one();
    }
}

/// Maximum number of pending commands.
const MAX_COMMANDS: usize = 1_024;

#[derive(Default)]
struct Shared {
    inbox: Mutex<VecDeque<BlockCommand>>,
    /// Signals a new command.
    more: Condvar,
    program: Mutex<Meter>,
    meters: Mutex<BTreeMap<StripId, SharedMeter>>,
    /// The fall rate of future meters.
    fall: Mutex<MeterFall>,
    lag_us: AtomicI64,
    samples: AtomicU64,
    silent: AtomicU64,
    skipped: AtomicU64,
    unseen: AtomicBool,
    #[cfg(any(test, feature = "test-support"))]
    commanded: Mutex<CommandedState>,
}

/// The state after all queued commands.
#[cfg(any(test, feature = "test-support"))]
#[derive(Default)]
struct CommandedState {
    strips: BTreeMap<StripId, Arc<Strip>>,
    unmonitored: BTreeSet<StripId>,
}

#[cfg(any(test, feature = "test-support"))]
impl CommandedState {
    fn note(&mut self, command: &BlockCommand) {
        match command {
            BlockCommand::Set(id, strip) => drop(self.strips.insert(*id, Arc::clone(strip))),
            BlockCommand::Remove(id) => drop(self.strips.remove(id)),
            BlockCommand::Unmonitored(ids) => self.unmonitored.clone_from(ids),
            _ => {}
        }
    }
}

partial_debug!(Shared { samples });

/// A command for the thread before the next block.
enum BlockCommand {
    Set(StripId, Arc<Strip>),
    Feed(StripId, Option<Box<dyn AudioFeed>>),
    Remove(StripId),
    /// The encoder of a program, or the tap.
    Encoder(Option<ProgramId>, Option<(Sender<SampleBlock>, Timestamp)>),
    Track(TrackKey, Option<(Sender<SampleBlock>, Timestamp)>),
    EndEncoder(ProgramId, Timestamp),
    EndTracks(ProgramId, Timestamp),
    LimitEnds(Timestamp),
    MixMinus(u32, Option<(Option<StripId>, Sender<SampleBlock>)>),
    Monitoring(Option<Sender<SampleBlock>>),
    Unmonitored(BTreeSet<StripId>),
}

/// An extra track, and the program whose encoder gets it.
type TrackKey = (ProgramId, ExtraTrack);

/// The queue of an encoder or of the tap.
struct BlockReceiver<Key> {
    key: Key,
    queue: Sender<SampleBlock>,
    /// Audio before this time is not sent.
    since: Timestamp,
    /// The queue ends with the block at this time.
    end: Option<Timestamp>,
}

impl<Key: PartialEq> BlockReceiver<Key> {
    /// Replaces the receiver with this key. A receiver that is ending stays until its end.
    fn replace(all: &mut Vec<Self>, key: Key, with: Option<(Sender<SampleBlock>, Timestamp)>) {
        all.retain(|it| it.key != key || it.end.is_some());
        all.extend(with.map(|(queue, since)| Self { key, queue, since, end: None }));
    }

    /// Sets the end of the receivers with these keys that are not ending yet.
    fn set_end(all: &mut Vec<Self>, is_it: impl Fn(&Key) -> bool, end: Timestamp) {
        Self::end_those(all, end, |it| is_it(&it.key) && it.end.is_none());
    }

    /// Ends all receivers that are ending at this time at the latest.
    fn limit_ends(all: &mut Vec<Self>, end: Timestamp) {
        Self::end_those(all, end, |it| it.end.is_some());
    }

    /// Sets the end of these receivers, or an earlier end. Removes receivers that get no audio
    /// before their end.
    fn end_those(all: &mut Vec<Self>, end: Timestamp, which: impl Fn(&Self) -> bool) {
        for it in all.iter_mut().filter(|it| which(it)) {
            it.end = Some(it.end.map_or(end, |earlier| earlier.min(end)));
        }
        all.retain(|it| it.end.is_none_or(|end| end > it.since));
    }

    /// Sends a block. Returns false if the queue has ended.
    fn send(&self, block: SampleBlock) -> bool {
        let is_last = self.end.is_some_and(|end| block.end() >= end);
        self.queue.send(block).is_ok() && !is_last
    }
}

/// The outputs of the mixer thread.
#[derive(Default)]
struct Outputs {
    /// The encoders of the programs and the tap.
    encoders: Vec<BlockReceiver<Option<ProgramId>>>,
    /// Encoders of the extra tracks.
    tracks: Vec<BlockReceiver<TrackKey>>,
    mixes_minus: MixesMinus,
    monitoring: Option<Sender<SampleBlock>>,
}

/// Runs the tick loop.
fn run(config: Config, shared: &Shared, stop: &Stop) {
    let Config { rate, channels, origin, clock } = config;
    let width = usize::from(channels);
    let first_of = |block: i64| block * i64::from(rate) / BLOCKS_PER_SECOND;
    let instant = |sample: i64| origin.offset(frames_to_micros(sample, rate));
    let now = micros_to_frames(clock.now().micros_since(origin), rate);
    let mut block = now * BLOCKS_PER_SECOND / i64::from(rate);
    // The next block of the program; it is behind `block` while a strip needs an advance.
    let mut next = block;
    let mut strip_set = StripSet::new(Shape { rate, channels: width });
    let blocks = Pool::new(MAX_IDLE_BLOCKS, Vec::new);
    let silence = |frames: usize| {
        let mut data = blocks.take();
        data.clear();
        data.resize(frames * width, 0.0);
        data
    };
    let mut outputs = Outputs::default();
    loop {
        handle(shared, &mut strip_set, &mut outputs);
        let (first, end) = (first_of(block), first_of(block + 1));
        if outputs.are_none() && (shared.is_quiet(&strip_set) || shared.rests_at(block)) {
            shared.lag_us.store(frames_to_micros(strip_set.lag(), rate), Ordering::Relaxed);
            shared.wait_for_more(IDLE_POLL_INTERVAL);
            if stop.is_set() {
                return;
            }
            // The next block is the one in progress.
            let now = micros_to_frames(clock.now().micros_since(origin), rate);
            block = now * BLOCKS_PER_SECOND / i64::from(rate);
            next = block;
            strip_set.skip_to(first_of(block));
            continue;
        }
        let due = instant(end) + strip_set.delay().min(MAX_DELAY);
        let now = clock.now();
        if now < due {
            if outputs.are_none() {
                // Processes of plugins need their time for each block.
                let extra = match strip_set.has_plugins() {
                    true => Duration::ZERO,
                    false => shared.extra_wait(),
                };
                shared.wait_for_more(due.since(now) + extra);
            } else if stop.wait(due.since(now)) {
                return;
            }
            // The delay may have changed meanwhile.
            continue;
        }
        if stop.is_set() {
            return;
        }
        if now.since(due) > MAX_BLOCK_DELAY {
            let behind =
                micros_to_frames(now.micros_since(due), rate) * BLOCKS_PER_SECOND / i64::from(rate);
            let skipped = first_of(block + behind) - first;
            shared.skipped.fetch_add(skipped.unsigned_abs(), Ordering::Relaxed);
            block += behind;
            next += behind;
            strip_set.skip_to(first_of(block));
            continue;
        }
        let frames = usize::try_from(end - first).unwrap_or(0);
        let taken = strip_set.take(first, instant(first), frames, first - first_of(next));
        if taken.silent {
            shared.silent.fetch_add(frames as u64, Ordering::Relaxed);
        }
        if let Some(monitoring) = &outputs.monitoring {
            let mut data = silence(frames);
            strip_set.monitoring(&mut data);
            limit(&mut data);
            let samples = SampleBlock { pts: instant(first), rate, channels, data };
            if monitoring.send(samples).is_err() {
                outputs.monitoring = None;
            }
        }
        let lag = strip_set.lag();
        for _ in 0..MAX_BLOCKS_PER_TICK {
            if first_of(next + 1) > end - lag {
                break;
            }
            let (first, end) = (first_of(next), first_of(next + 1));
            let frames = usize::try_from(end - first).unwrap_or(0);
            let mut data = silence(frames);
            strip_set.program(first, &mut data);
            shared.program.lock().push(&data, width, rate);
            limit(&mut data);
            shared.samples.fetch_add(frames as u64, Ordering::Relaxed);
            let samples = SampleBlock { pts: instant(first), rate, channels, data };
            outputs.send(samples);
            outputs.mixes_minus.send(|without| {
                let mut data = silence(frames);
                strip_set.program_without(without, first, &mut data);
                limit(&mut data);
                SampleBlock { pts: instant(first), rate, channels, data }
            });
            outputs.tracks.retain(|encoder| {
                if instant(end) <= encoder.since {
                    return true;
                }
                let mut data = silence(frames);
                strip_set.track(encoder.key.1, first, &mut data);
                limit(&mut data);
                encoder.send(SampleBlock { pts: instant(first), rate, channels, data })
            });
            next += 1;
        }
        // The remaining blocks are still late by this much.
        let lag = if first_of(next + 1) > end - lag { lag } else { end - first_of(next) };
        shared.lag_us.store(frames_to_micros(lag, rate), Ordering::Relaxed);
        block += 1;
    }
}

impl Shared {
    /// Waits until a request is in the inbox, for at most this time.
    fn wait_for_more(&self, limit: Duration) {
        let mut inbox = self.inbox.lock();
        if inbox.is_empty() {
            self.more.wait_for(&mut inbox, limit);
        }
    }

    /// Returns the meter of a strip, and creates the meter if it is missing.
    fn meter(&self, id: StripId) -> SharedMeter {
        let fall = *self.fall.lock();
        let fresh = || Arc::new(Mutex::new(Meter::of_source(fall)));
        self.meters.lock().entry(id).or_insert_with(fresh).clone()
    }

    /// Returns the meter of a strip for the thread. A strip that is removed by a later command has
    /// no meter any more, and gets one that nothing reads.
    fn existing_meter(&self, id: StripId) -> SharedMeter {
        self.meters.lock().get(&id).cloned().unwrap_or_default()
    }

    /// Returns the extra wait of a mixer without receivers.
    fn extra_wait(&self) -> Duration {
        if self.unseen.load(Ordering::Relaxed) { EXTRA_UNSEEN_WAIT } else { EXTRA_IDLE_WAIT }
    }

    /// Returns true if no strip has a source, and all meters are silent. In this case, no audio is
    /// left in the delay lines, because a meter holds its peak for the maximum delay of a strip.
    fn is_quiet(&self, strip_set: &StripSet) -> bool {
        !strip_set.has_sources() && self.is_silent()
    }

    /// Returns true if the meters are silent. See [`Shared::is_quiet`].
    fn is_silent(&self) -> bool {
        self.program.lock().is_at_rest()
            && self.meters.lock().values().all(|meter| meter.lock().is_at_rest())
    }

    /// Returns true if a mixer without receivers need not produce this block.
    fn rests_at(&self, block: i64) -> bool {
        self.unseen.load(Ordering::Relaxed)
            && block.rem_euclid(REST_CYCLE_BLOCKS) >= REST_SAMPLED_BLOCKS
            && self.is_silent()
    }
}

impl Outputs {
    fn are_none(&self) -> bool {
        self.encoders.is_empty()
            && self.tracks.is_empty()
            && self.mixes_minus.is_empty()
            && self.monitoring.is_none()
    }

    fn send(&mut self, samples: SampleBlock) {
        let end = samples.end();
        let mut samples = Some(samples);
        let mut left = self.encoders.len();
        self.encoders.retain(|encoder| {
            left -= 1;
            // The last receiver gets the block without a copy.
            let block = if left == 0 { samples.take() } else { samples.clone() };
            end <= encoder.since || block.is_some_and(|block| encoder.send(block))
        });
    }
}

/// Executes the commands since the last block.
fn handle(shared: &Shared, strip_set: &mut StripSet, outputs: &mut Outputs) {
    loop {
        // The lock is released while a source is closed or a filter created.
        let Some(command) = shared.inbox.lock().pop_front() else { return };
        match command {
            BlockCommand::Set(id, strip) => {
                let meter = || shared.existing_meter(id);
                if let Some(channel) = strip_set.strip(id, meter) {
                    channel.set(strip);
                }
            }
            BlockCommand::Feed(id, feed) => {
                let meter = || shared.existing_meter(id);
                if let Some(channel) = strip_set.strip(id, meter) {
                    channel.set_feed(feed);
                }
            }
            BlockCommand::Remove(id) => strip_set.remove(id),
            BlockCommand::Encoder(program, encoder) => {
                BlockReceiver::replace(&mut outputs.encoders, program, encoder);
            }
            BlockCommand::Track(track, encoder) => {
                BlockReceiver::replace(&mut outputs.tracks, track, encoder);
            }
            BlockCommand::EndEncoder(program, end) => {
                BlockReceiver::set_end(&mut outputs.encoders, |it| *it == Some(program), end);
            }
            BlockCommand::EndTracks(program, end) => {
                BlockReceiver::set_end(&mut outputs.tracks, |(its, _)| *its == program, end);
            }
            BlockCommand::LimitEnds(end) => {
                BlockReceiver::limit_ends(&mut outputs.encoders, end);
                BlockReceiver::limit_ends(&mut outputs.tracks, end);
            }
            BlockCommand::MixMinus(guest, mix) => outputs.mixes_minus.set(guest, mix),
            BlockCommand::Monitoring(monitoring) => outputs.monitoring = monitoring,
            BlockCommand::Unmonitored(ids) => strip_set.set_unmonitored(ids),
        }
    }
}
