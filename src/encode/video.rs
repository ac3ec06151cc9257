//! The picture encoder: its settings and its thread, `onair-venc`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::worker::Stuck;
use crate::base::{Stop, Worker, queue};
use crate::encode::backend::{self, Description, VideoBackend};
pub use crate::encode::config::{Choice, Video as Config};
use crate::encode::error::Error;
use crate::encode::keyframes::Schedule;
use crate::media::{BitsPerSecond, EncodedPacket, VideoFrame, VideoParameters};

/// What the encoder is and has done since its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Pictures encoded.
    pub encoded: u64,
    /// Of which keyframes.
    pub keyframes: u64,
    /// Bytes of all packets.
    pub bytes: u64,
    /// Pictures that the input queue threw away because the encoder was too slow, or that were
    /// refused.
    pub skipped: u64,
    /// How long encoding took, all pictures together.
    pub busy: Duration,
    /// The target now.
    pub bitrate: BitsPerSecond,
    /// Of the library.
    pub name: &'static str,
    pub profile: &'static str,
    pub level: String,
    /// Why it is this encoder.
    pub why: String,
}

/// A running picture encoder. Dropping it asks its thread to stop.
#[derive(Debug)]
pub struct VideoEncoder {
    worker: Worker,
    shared: Arc<Shared>,
    input: Arc<queue::Gauge>,
    parameters: VideoParameters,
    description: Description,
    why: String,
}

#[derive(Debug)]
struct Shared {
    encoded: AtomicU64,
    keyframes: AtomicU64,
    bytes: AtomicU64,
    refused: AtomicU64,
    busy_micros: AtomicU64,
    bitrate: AtomicU32,
    /// One of so many pictures is encoded.
    step: AtomicU32,
    keyframe_wanted: AtomicBool,
    failure: Mutex<Option<Error>>,
}

impl VideoEncoder {
    /// Opens an encoder and starts its thread. Pictures are taken from `input` as fast as they
    /// come and leave in the same order.
    ///
    /// # Errors
    /// When the settings cannot be encoded, no backend opens, or no thread starts.
    pub fn spawn(
        config: Config,
        input: queue::Receiver<VideoFrame>,
        output: queue::Sender<EncodedPacket>,
    ) -> Result<Self, Error> {
        let opened = backend::open_video(&config)?;
        let shared = Arc::new(Shared {
            encoded: AtomicU64::new(0),
            keyframes: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            busy_micros: AtomicU64::new(0),
            bitrate: AtomicU32::new(config.bitrate.0),
            step: AtomicU32::new(1),
            keyframe_wanted: AtomicBool::new(false),
            failure: Mutex::new(None),
        });
        let (parameters, description) =
            (opened.backend.parameters().clone(), opened.backend.description());
        let gauge = Arc::clone(input.gauge());
        let its = Arc::clone(&shared);
        let mut backend = opened.backend;
        let worker = Worker::spawn("onair-venc", move |stop| {
            let result = run(&config, backend.as_mut(), &its, &input, &output, stop);
            if let Err(error) = result {
                *its.failure.lock() = Some(error);
            }
        })
        .map_err(|error| Error::Thread { thread: "onair-venc", reason: error.to_string() })?;
        Ok(Self { worker, shared, input: gauge, parameters, description, why: opened.why })
    }

    /// What a decoder must know; known before the first picture.
    pub fn parameters(&self) -> &VideoParameters {
        &self.parameters
    }

    /// Another target bitrate, from the next picture on.
    pub fn set_bitrate(&self, bitrate: BitsPerSecond) {
        self.shared.bitrate.store(bitrate.0, Ordering::Relaxed);
    }

    /// Encodes one of so many pictures from now on, 1 for all of them; keyframes come when they did.
    /// The bitrate is spent on those that remain.
    pub fn set_frame_step(&self, step: u32) {
        self.shared.step.store(step.max(1), Ordering::Relaxed);
    }

    /// Makes the next picture a keyframe. Those of the schedule stay where they are.
    pub fn request_keyframe(&self) {
        self.shared.keyframe_wanted.store(true, Ordering::Relaxed);
    }

    /// [`VideoEncoder::request_keyframe`] for whoever must not hold the encoder.
    pub fn keyframe_request(&self) -> impl Fn() + Send + Sync + 'static {
        let shared = Arc::clone(&self.shared);
        move || shared.keyframe_wanted.store(true, Ordering::Relaxed)
    }

    /// The figures now.
    pub fn figures(&self) -> Figures {
        let shared = &self.shared;
        let get = |value: &AtomicU64| value.load(Ordering::Relaxed);
        Figures {
            encoded: get(&shared.encoded),
            keyframes: get(&shared.keyframes),
            bytes: get(&shared.bytes),
            skipped: get(&shared.refused) + self.input.dropped(),
            busy: Duration::from_micros(get(&shared.busy_micros)),
            bitrate: BitsPerSecond(shared.bitrate.load(Ordering::Relaxed)),
            name: self.description.name,
            profile: self.description.profile,
            level: self.description.level.clone(),
            why: self.why.clone(),
        }
    }

    /// Why the encoder ended before its input did, if it did.
    pub fn failed(&self) -> Option<Error> {
        self.shared.failure.lock().clone()
    }

    /// Whether the thread has ended.
    pub fn is_finished(&self) -> bool {
        self.worker.is_finished()
    }

    /// Waits for the end of the stream (all senders of the input dropped), at most `limit`; after
    /// that the thread is asked to stop at once.
    ///
    /// # Errors
    /// [`Stuck`] when the thread did not end in time.
    pub fn join(mut self, limit: Duration) -> Result<(), Stuck> {
        self.worker.wait(limit)
    }
}

/// How often a stop is looked for while no picture comes.
const PATIENCE: Duration = Duration::from_millis(50);

fn run(
    config: &Config,
    backend: &mut dyn VideoBackend,
    shared: &Shared,
    input: &queue::Receiver<VideoFrame>,
    output: &queue::Sender<EncodedPacket>,
    stop: &Stop,
) -> Result<(), Error> {
    let mut schedule = Schedule::new(config.frame_rate, config.keyframe_interval);
    let mut bitrate = config.bitrate;
    // Pictures since the last that was encoded.
    let mut since = 0;
    let deliver = |packet: EncodedPacket| {
        shared.encoded.fetch_add(1, Ordering::Relaxed);
        shared.keyframes.fetch_add(u64::from(packet.keyframe), Ordering::Relaxed);
        shared.bytes.fetch_add(packet.data.len() as u64, Ordering::Relaxed);
        output.send(packet).is_ok()
    };
    while !stop.is_set() {
        let frame = match input.recv_timeout(PATIENCE) {
            Ok(frame) => frame,
            Err(queue::Empty::Waiting) => continue,
            Err(queue::Empty::Closed) => break,
        };
        if frame.size() != config.size {
            if shared.refused.fetch_add(1, Ordering::Relaxed) == 0 {
                let error = Error::Size { expected: config.size, got: frame.size() };
                tracing::warn!(%error, "picture left out");
            }
            continue;
        }
        let step = shared.step.load(Ordering::Relaxed);
        // The rate control counts on every picture of the rate that was set.
        let wanted = shared.bitrate.load(Ordering::Relaxed).saturating_mul(step);
        let wanted = BitsPerSecond(wanted);
        if wanted != bitrate {
            backend.set_bitrate(wanted)?;
            bitrate = wanted;
        }
        let due = schedule.is_due(frame.pts);
        let asked = shared.keyframe_wanted.swap(false, Ordering::Relaxed);
        since += 1;
        if since < step && !due && !asked {
            continue;
        }
        since = 0;
        let started = std::time::Instant::now();
        let packet = backend.encode(&frame, due || asked)?;
        let took = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        shared.busy_micros.fetch_add(took, Ordering::Relaxed);
        // Back to its pool before the packet waits for room.
        drop(frame);
        if !deliver(packet) {
            return Ok(());
        }
    }
    for packet in backend.flush()? {
        if !deliver(packet) {
            break;
        }
    }
    Ok(())
}
