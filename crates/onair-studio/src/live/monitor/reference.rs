//! Decodes the sent stream as a viewer does, for the monitor's comparison. A thread reads from the
//! hub, which never waits for the thread.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::{Clock, Latest, Stop, Timestamp, Worker};
use crate::broadcast::hub::subscription::NextPacket;
use crate::broadcast::{Hub, Limits};
use crate::media::{EncodedPacket, RenditionId, Size, StreamConfig};
use crate::player::probe::reading::ProbeMemory;
use crate::player::probe::viewer::ProbeWorker;
use crate::studio::live::monitor::evidence::SentStream;

/// The length of the stored history: more than half an hour of audio and keyframes, because the
/// stream delay can be half an hour.
const REFERENCE_MEMORY: ProbeMemory = ProbeMemory { keyframes: 1_200, loudness: 100_000 };
/// A stream with at most this many sent frames or audio packets has just begun.
const MAX_NEW_STREAM_PACKETS: u64 = 200;
/// Maximum deviation of a complete frame rate, as a fraction of the configured rate.
const FRAME_RATE_TOLERANCE: f64 = 0.05;
/// Interval at which the thread checks whether it should stop.
const STOP_CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// The decoded sent stream. Dropping it stops the thread.
#[derive(Debug)]
pub struct Reference {
    worker: Arc<Mutex<ProbeWorker>>,
    parameters: StreamConfig,
    /// The time at which listening began, or `None` if the stream had just begun.
    since: Option<Timestamp>,
    /// All frame sizes since the start, because targets can get different sizes, and get them with
    /// a delay.
    sizes: Arc<Mutex<Vec<Size>>>,
    /// The time since which the frame rate has been complete.
    complete_since: Option<Timestamp>,
    _thread: Worker,
}

impl Reference {
    /// Starts to listen to this hub.
    ///
    /// # Errors
    /// Fails if the system provides no thread.
    pub fn start(hub: &Hub, clock: Clock) -> std::io::Result<Self> {
        let parameters = hub.config().clone();
        let since = (!has_just_begun(hub)).then(|| clock.now());
        let mut worker = ProbeWorker::new(clock, REFERENCE_MEMORY, Latest::default());
        if let Some(video) = &parameters.video {
            worker.configure_video(video.clone());
        }
        if let Some(audio) = &parameters.audio {
            worker.configure_audio(audio.clone());
        }
        let worker = Arc::new(Mutex::new(worker));
        let its = Arc::clone(&worker);
        let packets = hub.subscribe_to_all("monitor", Limits::LIVE);
        let sizes: Arc<Mutex<Vec<Size>>> = Arc::default();
        let (its_sizes, mut shown) = (Arc::clone(&sizes), parameters.video.clone());
        let thread = Worker::spawn("monitor", move |stop: &Stop| {
            while !stop.is_set() {
                match packets.next_timeout(STOP_CHECK_INTERVAL) {
                    NextPacket::Tag(tag) => {
                        if let Some(new) = tag.rendition.as_ref().filter(|_| tag.starts_gop()) {
                            let (size, mut sizes) = (new.video.displayed_size(), its_sizes.lock());
                            if !sizes.contains(&size) {
                                sizes.push(size);
                            }
                            if new.rendition_id == RenditionId::Main
                                && shown.as_ref() != Some(&new.video)
                            {
                                shown = Some(new.video.clone());
                                its.lock().configure_video(new.video.clone());
                            }
                        }
                        if tag.rendition_id() == Some(RenditionId::Second) {
                            continue;
                        }
                        // The time at which the frame was in the program is relevant.
                        let captured = tag.pts;
                        its.lock().take(&EncodedPacket { captured, ..EncodedPacket::clone(&tag) });
                    }
                    NextPacket::Waiting => {}
                    NextPacket::Ended => return,
                }
            }
        })?;
        Ok(Self { worker, parameters, since, sizes, complete_since: None, _thread: thread })
    }

    /// Passes the current data to `look`, and returns its result.
    pub fn with<R>(&mut self, now: Timestamp, look: impl FnOnce(&SentStream<'_>) -> R) -> R {
        let mut worker = self.worker.lock();
        worker.sum_up(now);
        let video = self.parameters.video.as_ref();
        let video = video.map(|video| (video.displayed_size(), video.frame_rate.as_f64()));
        let is_complete = video
            .zip(worker.seen.fps)
            .is_some_and(|((_, full), fps)| (fps - full).abs() <= full * FRAME_RATE_TOLERANCE);
        self.complete_since = is_complete.then(|| self.complete_since.unwrap_or(now));
        look(&SentStream {
            video,
            sizes: &self.sizes.lock(),
            complete_since: self.complete_since,
            has_audio: self.parameters.audio.is_some(),
            since: self.since,
            keyframes: &worker.seen.keyframes,
            course: &worker.seen.course,
        })
    }
}

/// Returns true if only the very beginning of the stream is missing.
fn has_just_begun(hub: &Hub) -> bool {
    let figures = hub.figures();
    figures.frames.max(figures.audio_packets) <= MAX_NEW_STREAM_PACKETS
}
