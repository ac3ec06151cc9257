//! Floor 3: the mixer. On its own thread it makes a block of program sound every 10 ms: pulls the
//! chosen source, later by the source's delay, applies gain and mute with a ramp, meters, and hands
//! the block to the encoder while there is one. Sound that is missing is silence: the time stamps
//! go on without a gap or an overlap.

mod meter;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

pub use self::meter::{FLOOR_DBFS, Reading};

use self::meter::Meter;
use crate::base::queue::Sender;
use crate::base::{Clock, Stop, Timestamp, Worker};
use crate::media::samples::{frames_to_micros, micros_to_frames};
use crate::media::{AudioFeed, Pulled, Samples};

/// Blocks a second.
const BLOCKS: i64 = 100;

/// Blocks due longer ago than this are not made at all: the machine slept.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest delay a source may ask for.
const MOST_DELAY: Duration = Duration::from_millis(500);

/// What the program sounds like.
#[derive(Copy, Clone, Debug)]
pub struct Config {
    /// Samples a second and channel.
    pub rate: u32,
    /// Channels, interleaved.
    pub channels: u16,
    /// Where samples are counted from: the origin of the frame grid.
    pub origin: Timestamp,
    /// The session clock.
    pub clock: Clock,
}

/// Why there is no mixer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rate or channel count that nothing encodes.
    #[error("sound at {rate} Hz with {channels} channels cannot be mixed")]
    Format { rate: u32, channels: u16 },
    /// The system gave no thread.
    #[error("starting the mixer: {0}")]
    Thread(#[from] std::io::Error),
}

/// What the mixer has done since it was started.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Samples (a channel) made.
    pub samples: u64,
    /// Of these, samples in blocks that the source could not fill.
    pub silent: u64,
    /// Samples that were due and were not made, because the machine slept.
    pub skipped: u64,
}

/// The running mixer. Dropping it ends it; [`Mixer::join`] waits for that.
#[derive(Debug)]
pub struct Mixer {
    shared: Arc<Shared>,
    config: Config,
    worker: Worker,
}

impl Mixer {
    /// Starts mixing, silence until there is a feed.
    ///
    /// # Errors
    /// An impossible format, or no thread.
    pub fn spawn(config: Config) -> Result<Self, Error> {
        let Config { rate, channels, .. } = config;
        if !(8_000..=192_000).contains(&rate) || !(1..=8).contains(&channels) {
            return Err(Error::Format { rate, channels });
        }
        let shared = Arc::new(Shared::default());
        let its_shared = Arc::clone(&shared);
        let worker = Worker::spawn("mixer", move |stop| run(config, &its_shared, stop))?;
        Ok(Self { shared, config, worker })
    }

    /// What was asked for.
    pub fn config(&self) -> Config {
        self.config
    }

    /// Hears this source from the next block on; `None`: silence.
    pub fn set_feed(&self, feed: Option<Box<dyn AudioFeed>>) {
        self.shared.inbox.lock().feed = Some(feed);
    }

    /// Gain in decibels, kept within −60…+20; −60 is silence. Takes effect without a click.
    pub fn set_gain_db(&self, gain: f32) {
        let gain = if gain.is_finite() { gain.clamp(-60.0, 20.0) } else { 0.0 };
        self.shared.inbox.lock().gain_db = gain;
    }

    /// Mutes or not, without a click.
    pub fn set_muted(&self, muted: bool) {
        self.shared.inbox.lock().muted = muted;
    }

    /// Sends program sound to an encoder from the next block on. A queue whose receiver is gone is
    /// let go by itself.
    pub fn attach_encoder(&self, encoder: Sender<Samples>) {
        self.shared.inbox.lock().encoder = Some(Some(encoder));
    }

    /// Sends no more sound to the encoder: its queue ends with the block being made.
    pub fn detach_encoder(&self) {
        self.shared.inbox.lock().encoder = Some(None);
    }

    /// The level of what goes out, after gain and mute.
    pub fn meter(&self) -> Reading {
        self.shared.meter.lock().reading()
    }

    /// Puts the clip lamp out.
    pub fn clear_clip(&self) {
        self.shared.meter.lock().clear_clip();
    }

    /// Figures since the start.
    pub fn figures(&self) -> Figures {
        Figures {
            samples: self.shared.samples.load(Ordering::Relaxed),
            silent: self.shared.silent.load(Ordering::Relaxed),
            skipped: self.shared.skipped.load(Ordering::Relaxed),
        }
    }

    /// Ends mixing, drops feed and encoder queue, and waits.
    ///
    /// # Errors
    /// When the thread does not end within `limit`.
    pub fn join(self, limit: Duration) -> Result<(), crate::base::worker::Stuck> {
        self.worker.join(limit)
    }
}

#[derive(Default)]
struct Shared {
    inbox: Mutex<Inbox>,
    meter: Mutex<Meter>,
    samples: AtomicU64,
    silent: AtomicU64,
    skipped: AtomicU64,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("samples", &self.samples).finish_non_exhaustive()
    }
}

/// Wishes: the outer `Some` of feed and encoder is one not yet carried out.
#[derive(Default)]
struct Inbox {
    feed: Option<Option<Box<dyn AudioFeed>>>,
    encoder: Option<Option<Sender<Samples>>>,
    gain_db: f32,
    muted: bool,
}

impl Inbox {
    /// The factor that gain and mute come to.
    fn factor(&self) -> f32 {
        if self.muted || self.gain_db <= -60.0 { 0.0 } else { 10_f32.powf(self.gain_db / 20.0) }
    }
}

/// The tick loop.
fn run(config: Config, shared: &Shared, stop: &Stop) {
    let Config { rate, channels, origin, clock } = config;
    let first_of = |block: i64| block * i64::from(rate) / BLOCKS;
    let instant = |sample: i64| origin.offset(frames_to_micros(sample, rate));
    let now = micros_to_frames(clock.now().micros_since(origin), rate);
    let mut block = now * BLOCKS / i64::from(rate);
    let mut feed: Option<Box<dyn AudioFeed>> = None;
    let mut encoder: Option<Sender<Samples>> = None;
    let mut ramp = Ramp::default();
    loop {
        let factor = {
            let mut inbox = shared.inbox.lock();
            if let Some(wish) = inbox.feed.take() {
                feed = wish;
            }
            if let Some(wish) = inbox.encoder.take() {
                encoder = wish;
            }
            inbox.factor()
        };
        let (first, end) = (first_of(block), first_of(block + 1));
        let delay = feed.as_ref().map_or(Duration::ZERO, |feed| feed.delay()).min(MOST_DELAY);
        let due = instant(end) + delay;
        let now = clock.now();
        if now < due {
            if stop.wait(due.since(now)) {
                return;
            }
            // The delay may have changed meanwhile.
            continue;
        }
        if stop.is_set() {
            return;
        }
        if now.since(due) > PATIENCE {
            let behind = micros_to_frames(now.micros_since(due), rate) * BLOCKS / i64::from(rate);
            shared.skipped.fetch_add(first_of(behind).unsigned_abs(), Ordering::Relaxed);
            block += behind;
            continue;
        }
        let frames = usize::try_from(end - first).unwrap_or(0);
        let mut data = vec![0.0; frames * usize::from(channels)];
        let pts = instant(first);
        let pulled = feed.as_mut().map_or(Pulled::Silence, |feed| feed.pull(pts, &mut data));
        ramp.apply(factor, channels, &mut data);
        shared.meter.lock().push(&data, frames as f32 / rate as f32);
        for sample in &mut data {
            // Beyond full scale, and for what is no number, encoders wrap around.
            *sample = if sample.is_nan() { 0.0 } else { sample.clamp(-1.0, 1.0) };
        }
        shared.samples.fetch_add(frames as u64, Ordering::Relaxed);
        if pulled == Pulled::Silence {
            shared.silent.fetch_add(frames as u64, Ordering::Relaxed);
        }
        let samples = Samples { pts, rate, channels, data };
        if encoder.as_ref().is_some_and(|encoder| encoder.send(samples).is_err()) {
            encoder = None;
        }
        block += 1;
    }
}

/// Goes from one gain to the next within a block.
#[derive(Default)]
struct Ramp {
    /// `None` before the first block, which begins at its gain.
    factor: Option<f32>,
}

impl Ramp {
    fn apply(&mut self, to: f32, channels: u16, data: &mut [f32]) {
        let from = self.factor.replace(to).unwrap_or(to);
        if from == to {
            if to != 1.0 {
                data.iter_mut().for_each(|sample| *sample *= to);
            }
            return;
        }
        let channels = usize::from(channels.max(1));
        let frames = (data.len() / channels) as f32;
        for (index, frame) in data.chunks_mut(channels).enumerate() {
            let factor = from + (to - from) * (index as f32 + 1.0) / frames;
            frame.iter_mut().for_each(|sample| *sample *= factor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::queue::{self, Full};

    /// Each sample is its own index since the origin, scaled down.
    struct Counting {
        origin: Timestamp,
        rate: u32,
        delay: Duration,
    }

    impl AudioFeed for Counting {
        fn pull(&mut self, at: Timestamp, out: &mut [f32]) -> Pulled {
            let first = micros_to_frames(at.micros_since(self.origin), self.rate);
            for (index, sample) in (first..).zip(out) {
                *sample = index as f32 / 1e6;
            }
            Pulled::Sound
        }

        fn delay(&self) -> Duration {
            self.delay
        }
    }

    #[test]
    fn blocks_follow_each_other_exactly_at_odd_rates() {
        for rate in [48_000, 44_100, 22_050, 11_025] {
            let clock = Clock::start();
            let origin = Timestamp::from_micros(77);
            let mixer = Mixer::spawn(Config { rate, channels: 1, origin, clock }).unwrap();
            let delay = Duration::from_millis(5);
            mixer.set_feed(Some(Box::new(Counting { origin, rate, delay })));
            let (tx, rx) = queue::bounded("test", 256, Full::Block);
            mixer.attach_encoder(tx);
            let mut next = None;
            for _ in 0..15 {
                let block = rx.recv_timeout(Duration::from_secs(10)).unwrap();
                let first = micros_to_frames(block.pts.micros_since(origin), rate);
                assert!(next.is_none_or(|next| next == first), "{rate}");
                assert!(clock.now() >= block.end() + delay);
                assert!((block.data[0] - first as f32 / 1e6).abs() < 1e-9);
                next = Some(first + block.frames() as i64);
            }
            mixer.detach_encoder();
            while rx.recv_timeout(Duration::from_secs(10)).is_ok() {}
            assert_eq!(rx.try_recv().unwrap_err(), queue::Empty::Closed);
            mixer.join(Duration::from_secs(5)).unwrap();
        }
    }

    #[test]
    fn gain_ramps_without_a_step() {
        let mut ramp = Ramp::default();
        let mut block = vec![1.0; 960];
        ramp.apply(1.0, 2, &mut block);
        assert!(block.iter().all(|&s| s == 1.0));
        ramp.apply(0.0, 2, &mut block);
        assert!(block.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 0.003));
        assert_eq!(block[959], 0.0);
        let mut block = vec![1.0; 960];
        ramp.apply(0.0, 2, &mut block);
        assert!(block.iter().all(|&s| s == 0.0));
    }

    #[test]
    fn silence_flows_without_a_source() {
        let (clock, origin) = (Clock::start(), Timestamp::ZERO);
        let mixer = Mixer::spawn(Config { rate: 48_000, channels: 2, origin, clock }).unwrap();
        let (tx, rx) = queue::bounded("test", 64, Full::Block);
        mixer.attach_encoder(tx);
        let block = rx.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!((block.frames(), block.channels), (480, 2));
        assert!(block.data.iter().all(|&s| s == 0.0));
        assert!(mixer.figures().silent >= 480);
        assert_eq!(mixer.meter().peak_dbfs, FLOOR_DBFS);
        mixer.set_gain_db(f32::NAN);
    }
}
