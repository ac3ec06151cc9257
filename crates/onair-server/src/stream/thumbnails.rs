//! Thumbnails of streams for the operator: the last keyframe, decoded and reduced, as JPEG. They are made only
//! while somebody requests them. One sandboxed thread makes all of them, and rests after each, so that it uses
//! at most a quarter of a core.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::base::queue::{Empty, Full, Receiver, Sender, bounded};
use crate::base::worker::{Stop, Worker};
use crate::base::{Timestamp, sandbox};
use crate::decode::{self, VideoBackend};
use crate::media::scale::FrameScaler;
use crate::media::{Planes, Size, StreamEvent, Track, TrackConfig, VideoConfig, VideoFrame};
use crate::server::stream::message::{Message, Takes};
use crate::wire::container::flv::Tag;
use crate::wire::container::flv::events::TagEvent;
use crate::wire::container::flv::reader::Reader;

/// Minimum age of a thumbnail before another one is made.
const MIN_THUMBNAIL_AGE: Duration = Duration::from_secs(5);
/// Maximum size of a thumbnail, with the aspect ratio of the video.
const MAX_THUMBNAIL_SIZE: Size = Size::new(320, 180);
/// Maximum number of pixels of a frame. Larger video gets no thumbnail.
const MAX_PIXELS: usize = 4_096 * 2_304;
/// JPEG quality.
const JPEG_QUALITY: u8 = 75;
/// Maximum number of waiting requests; the server refuses more.
const MAX_WAITING_REQUESTS: usize = 8;
/// The thread ends after this time without a request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// A request is forgotten after this time, because the thread must have ended.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Interval at which the thread checks whether it should stop.
const STOP_CHECK_INTERVAL: Duration = Duration::from_millis(200);
/// After each thumbnail, the thread rests this many times as long as the thumbnail took.
const REST_FACTOR: u32 = 3;
/// Maximum number of kept thumbnails.
const MAX_KEPT_THUMBNAILS: usize = 512;

/// The names of a stream.
type StreamNames = (String, String);

/// All thumbnails of a server.
#[derive(Debug, Default)]
pub(crate) struct Thumbnails {
    kept: Arc<Mutex<HashMap<StreamNames, KeptThumbnail>>>,
    maker: Mutex<Option<Maker>>,
}

#[derive(Debug)]
struct KeptThumbnail {
    /// The id of the publisher.
    publisher: u64,
    /// The time of the last request to the thread.
    made: Timestamp,
    /// True while the thread makes a newer one.
    pending: bool,
    /// The JPEG file; `None` if the video cannot be decoded.
    jpeg: Option<Bytes>,
    /// The same image, for the window of the same program.
    image: Option<Arc<ThumbnailImage>>,
}

/// A small image of a stream.
#[derive(Debug, PartialEq, Eq)]
pub struct ThumbnailImage {
    pub size: Size,
    /// Interleaved RGB.
    pub rgb: Vec<u8>,
}

#[derive(Debug)]
struct Maker {
    jobs: Sender<Job>,
    worker: Worker,
}

/// A request to the thread.
#[derive(Debug)]
struct Job {
    names: StreamNames,
    keyframe: Vec<Arc<Message>>,
    done: oneshot::Sender<Option<Bytes>>,
}

/// The answer to a request for a thumbnail.
#[derive(Debug)]
pub(crate) enum Thumbnail {
    Ready(Bytes),
    /// The thread is making the thumbnail. The receiver gets `None` if the video cannot be decoded.
    Soon(oneshot::Receiver<Option<Bytes>>),
    Undecodable,
    /// There are too many requests.
    Busy,
}

impl Thumbnails {
    /// Returns the thumbnail of a stream: the last one, or a new one of this keyframe if the last
    /// one is old.
    pub fn of_stream(
        &self,
        names: &StreamNames,
        publisher: u64,
        now: Timestamp,
        keyframe: impl FnOnce() -> Option<Vec<Arc<Message>>>,
    ) -> Thumbnail {
        let mut kept = self.kept.lock();
        let known = kept.get(names).filter(|known| known.publisher == publisher);
        if let Some(known) = known
            && now.since(known.made)
                < if known.pending { REQUEST_TIMEOUT } else { MIN_THUMBNAIL_AGE }
        {
            return match (&known.jpeg, known.pending) {
                (Some(jpeg), _) => Thumbnail::Ready(jpeg.clone()),
                (None, true) => Thumbnail::Busy,
                (None, false) => Thumbnail::Undecodable,
            };
        }
        let last = known.and_then(|known| known.jpeg.clone());
        let image = known.and_then(|known| known.image.clone());
        let Some(keyframe) = keyframe() else {
            return last.map_or(Thumbnail::Busy, Thumbnail::Ready);
        };
        let (done, soon) = oneshot::channel();
        if !self.start(Job { names: names.clone(), keyframe, done }) {
            return last.map_or(Thumbnail::Busy, Thumbnail::Ready);
        }
        if kept.len() >= MAX_KEPT_THUMBNAILS {
            kept.retain(|_, known| known.pending || now.since(known.made) < IDLE_TIMEOUT);
        }
        kept.insert(
            names.clone(),
            KeptThumbnail { publisher, made: now, pending: true, jpeg: last, image },
        );
        Thumbnail::Soon(soon)
    }

    /// Returns the last thumbnail as an image.
    pub fn image(&self, names: &StreamNames, publisher: u64) -> Option<Arc<ThumbnailImage>> {
        let kept = self.kept.lock();
        kept.get(names).filter(|known| known.publisher == publisher)?.image.clone()
    }

    /// Passes a request to the thread, which is started if necessary. Returns false if the thread
    /// cannot start, or has too many requests.
    fn start(&self, job: Job) -> bool {
        let mut maker = self.maker.lock();
        if maker.as_ref().is_none_or(|maker| maker.worker.is_finished()) {
            let (jobs, received) = bounded("thumbnails", MAX_WAITING_REQUESTS, Full::Block);
            let kept = Arc::clone(&self.kept);
            let worker = Worker::spawn("thumbnails", move |stop| make_all(&received, &kept, stop));
            let worker = worker.inspect_err(
                |error| tracing::warn!(%error, "starting the thumbnail thread failed"),
            );
            *maker = worker.ok().map(|worker| Maker { jobs, worker });
        }
        let Some(maker) = &*maker else { return false };
        let gauge = maker.jobs.gauge();
        // Only this function sends, and only under the lock, so it never waits for room.
        let waiting = gauge.sent().saturating_sub(gauge.received());
        waiting < MAX_WAITING_REQUESTS as u64 && maker.jobs.send(job).is_ok()
    }
}

/// Makes thumbnails until there are no more requests.
fn make_all(jobs: &Receiver<Job>, kept: &Mutex<HashMap<StreamNames, KeptThumbnail>>, stop: &Stop) {
    // The thread decodes video of untrusted clients.
    sandbox::video_decoder();
    let mut idle = Duration::ZERO;
    while !stop.is_set() && idle < IDLE_TIMEOUT {
        let job = match jobs.recv_timeout(STOP_CHECK_INTERVAL) {
            Ok(job) => job,
            Err(Empty::Waiting) => {
                idle += STOP_CHECK_INTERVAL;
                continue;
            }
            Err(Empty::Closed) => return,
        };
        idle = Duration::ZERO;
        let begun = Instant::now();
        let image = decoded(&job.keyframe).and_then(|frame| rgb(&frame)).map(Arc::new);
        let jpeg = image.as_deref().and_then(jpeg).map(Bytes::from);
        if let Some(known) = kept.lock().get_mut(&job.names) {
            known.pending = false;
            (known.jpeg, known.image) = (jpeg.clone(), image);
        }
        // The client may be gone.
        let _ = job.done.send(jpeg);
        stop.wait(begun.elapsed() * REST_FACTOR);
    }
}

/// Returns an image as a JPEG file.
fn jpeg(image: &ThumbnailImage) -> Option<Vec<u8>> {
    let mut jpeg = Vec::new();
    let Size { width, height } = image.size;
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY);
    encoder.write_image(&image.rgb, width, height, ExtendedColorType::Rgb8).ok()?;
    Some(jpeg)
}

/// Decodes the keyframe that follows its codec configs.
fn decoded(messages: &[Arc<Message>]) -> Option<VideoFrame> {
    let mut reader = Reader::new(|_| true);
    let mut decoder: Option<Box<dyn VideoBackend>> = None;
    for message in messages {
        let plain = message.for_viewer(Takes::ONE_TRACK).unwrap_or(message);
        let (kind, time_ms) = (plain.kind, plain.time_ms);
        let read = reader.read(Tag { kind, time_ms, body: plain.body() });
        for event in read.events.into_iter().flatten() {
            match event {
                TagEvent::Event(StreamEvent::Config(TrackConfig::Video(config))) => {
                    decoder = open(&config);
                }
                TagEvent::Event(StreamEvent::Packet(packet)) if packet.track == Track::Video => {
                    let decoder = decoder.as_mut()?;
                    let frames = decoder.decode(&packet).ok()?;
                    return frames.into_iter().chain(decoder.flush()).next();
                }
                _ => {}
            }
        }
    }
    None
}

fn open(config: &VideoConfig) -> Option<Box<dyn VideoBackend>> {
    let fits = config.displayed_size().pixels() <= MAX_PIXELS;
    let opened = fits.then(|| decode::open_video(config));
    opened?.inspect_err(|error| tracing::debug!(%error, "decoding a thumbnail failed")).ok()
}

/// Returns a small copy of the frame as interleaved RGB.
fn rgb(frame: &VideoFrame) -> Option<ThumbnailImage> {
    let own = frame.size();
    let size = own.fitted_into(MAX_THUMBNAIL_SIZE);
    let mut planes = Planes::black(size);
    if own.width > size.width {
        let Planes { y, u, v, .. } = &mut planes;
        FrameScaler::default().scale(frame.planes(), [y, u, v], size).ok()?;
    } else {
        planes = frame.planes().clone();
    }
    let rgb = planes.to_rgb(frame.color).ok()?;
    Some(ThumbnailImage { size: planes.size(), rgb })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::stream::message::Class;
    use crate::wire::container::flv::TagKind;

    fn names(number: usize) -> StreamNames {
        ("live".to_owned(), number.to_string())
    }

    /// Returns a keyframe that no decoder accepts, as hostile publishers send it.
    fn damaged() -> Option<Vec<Arc<Message>>> {
        let body = Bytes::from_static(&[0x17, 1, 0, 0, 0, 0, 0, 0, 2, 0x65, 0x88]);
        Some(vec![Arc::new(Message::new(TagKind::Video, Class::Key, 0, &body))])
    }

    #[test]
    fn a_damaged_keyframe_gives_nothing_and_is_not_tried_again_at_once() {
        let thumbnails = Thumbnails::default();
        let now = Timestamp::from_millis(10_000);
        let Thumbnail::Soon(soon) = thumbnails.of_stream(&names(0), 1, now, damaged) else {
            panic!("the thread makes it");
        };
        assert_eq!(soon.blocking_recv().unwrap(), None);
        let asked = || panic!("the last one is young");
        let again = thumbnails.of_stream(&names(0), 1, now, asked);
        assert!(matches!(again, Thumbnail::Undecodable), "{again:?}");
        let other = thumbnails.of_stream(&names(0), 2, now, || None);
        assert!(matches!(other, Thumbnail::Busy), "another publisher: {other:?}");
    }

    #[test]
    fn work_is_bounded() {
        let thumbnails = Thumbnails::default();
        let now = Timestamp::from_millis(10_000);
        let all: Vec<_> =
            (0..1_000).map(|it| thumbnails.of_stream(&names(it), 1, now, damaged)).collect();
        assert!(all.iter().any(|it| matches!(it, Thumbnail::Busy)), "there is a limit");
        assert!(thumbnails.kept.lock().len() <= MAX_KEPT_THUMBNAILS);
    }
}
