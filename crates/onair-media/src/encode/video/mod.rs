//! The video encoder: its settings and its thread, `onair-venc`.

mod open;
mod shared;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::worker::Stuck;
use crate::base::{Stop, Worker, queue};
use crate::encode::backend::Replacement;
pub use crate::encode::config::{Choice, Video as Config};
use crate::encode::error::{Error, contain_panic};
use crate::encode::keyframes::Schedule;
use crate::encode::video::open::Open;
pub use crate::encode::video::shared::Incident;
use crate::encode::video::shared::{Shared, packed, unpacked};
use crate::media::{
    BitsPerSecond, EncodedPacket, ExtraRendition, Rendition, RenditionId, Size, Track, VideoConfig,
    VideoFrame,
};

/// Properties and counters of the encoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Number of encoded frames.
    pub encoded: u64,
    /// Number of keyframes among the packets.
    pub keyframes: u64,
    /// Total size of all packets, in bytes.
    pub bytes: u64,
    /// Number of frames that the input queue dropped because the encoder was too slow, or that the
    /// encoder rejected.
    pub skipped: u64,
    /// The total encoding time.
    pub busy: Duration,
    /// The target bitrate of the last frame. It is lower than the bitrate that was set if the level
    /// does not allow the latter.
    pub bitrate: BitsPerSecond,
    /// The current encoded size, which can be smaller than the input.
    pub size: Size,
    /// Name of the library.
    pub name: &'static str,
    pub profile: &'static str,
    pub level: String,
    /// The preset, if the encoder has presets.
    pub preset: Option<&'static str>,
    /// The reason why this encoder was chosen.
    pub why: String,
}

/// A running video encoder. Dropping the encoder asks its thread to stop.
#[derive(Debug)]
pub struct VideoEncoder {
    worker: Worker,
    shared: Arc<Shared>,
    input: Arc<queue::Gauge>,
    config: VideoConfig,
    why: String,
}

impl VideoEncoder {
    /// Opens an encoder, and starts its thread. The encoder takes frames from `input` as they
    /// arrive, and keeps their order.
    ///
    /// # Errors
    /// Fails if the settings cannot be encoded, no backend opens, or no thread starts.
    pub fn spawn(
        config: Config,
        input: queue::Receiver<VideoFrame>,
        output: queue::Sender<EncodedPacket>,
    ) -> Result<Self, Error> {
        Self::spawn_rendition(config, RenditionId::Main, config.size, input, output)
    }

    /// Opens an encoder like [`VideoEncoder::spawn`], but one that no other encoder replaces. If its
    /// process fails again soon after it was restarted, the encoder has failed. Frames of the
    /// configuration's size are scaled to `size`.
    ///
    /// # Errors
    /// Fails with the same errors as [`VideoEncoder::spawn`].
    pub fn spawn_sole(
        config: Config,
        size: Size,
        input: queue::Receiver<VideoFrame>,
        output: queue::Sender<EncodedPacket>,
    ) -> Result<Self, Error> {
        let id = (Track::Video, RenditionId::Main, Replacement::sole());
        Self::spawn_with(config, id, size, input, output)
    }

    /// Opens an encoder like [`VideoEncoder::spawn`], for this rendition. Frames have the size of the
    /// configuration, and are scaled to `size` from the start.
    ///
    /// # Errors
    /// Fails with the same errors as [`VideoEncoder::spawn`].
    pub fn spawn_rendition(
        config: Config,
        rendition_id: RenditionId,
        size: Size,
        input: queue::Receiver<VideoFrame>,
        output: queue::Sender<EncodedPacket>,
    ) -> Result<Self, Error> {
        let id = (Track::Video, rendition_id, Replacement::default());
        Self::spawn_with(config, id, size, input, output)
    }

    /// Opens an encoder like [`VideoEncoder::spawn_rendition`], for this further rendition.
    ///
    /// # Errors
    /// Fails with the same errors as [`VideoEncoder::spawn`].
    pub fn spawn_extra(
        config: Config,
        extra: ExtraRendition,
        size: Size,
        input: queue::Receiver<VideoFrame>,
        output: queue::Sender<EncodedPacket>,
    ) -> Result<Self, Error> {
        let id = (Track::Rendition(extra), RenditionId::Main, Replacement::default());
        Self::spawn_with(config, id, size, input, output)
    }

    fn spawn_with(
        config: Config,
        (track, rendition_id, replacement): (Track, RenditionId, Replacement),
        size: Size,
        input: queue::Receiver<VideoFrame>,
        output: queue::Sender<EncodedPacket>,
    ) -> Result<Self, Error> {
        let opened = replacement.open(&Config { size, ..config })?;
        let video_config = opened.backend.config().clone();
        let shared = Arc::new(Shared {
            description: Mutex::new(opened.backend.description()),
            incidents: Mutex::default(),
            encoded: AtomicU64::new(0),
            keyframes: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            busy_micros: AtomicU64::new(0),
            keyframe_wanted: AtomicBool::new(false),
            taken: Mutex::default(),
            failure: Mutex::default(),
            bitrate: AtomicU32::new(config.bitrate.0),
            used_bitrate: AtomicU32::new(config.bitrate.0),
            step: AtomicU32::new(1),
            b_frames: AtomicU8::new(config.b_frames),
            size: AtomicU64::new(packed(size)),
            encoded_size: AtomicU64::new(packed(size)),
        });
        let gauge = Arc::clone(input.gauge());
        let its = Arc::clone(&shared);
        let backend = opened.backend;
        let worker = Worker::spawn("onair-venc", move |stop| {
            let open = Open::new(backend, rendition_id, replacement, config.b_frames);
            let work = || run(&config, open, &its, &input, (track, &output), stop);
            if let Err(error) = contain_panic(work) {
                *its.failure.lock() = Some(error);
            }
        })
        .map_err(|error| Error::Thread { thread: "onair-venc", reason: error.to_string() })?;
        Ok(Self { worker, shared, input: gauge, config: video_config, why: opened.why })
    }

    /// Returns the video config, which is known before the first frame. After a size change,
    /// packets carry the new config.
    pub fn config(&self) -> &VideoConfig {
        &self.config
    }

    /// Sets another target bitrate from the next frame on.
    pub fn set_bitrate(&self, bitrate: BitsPerSecond) {
        self.shared.bitrate.store(bitrate.0, Ordering::Relaxed);
    }

    /// Encodes only one in `step` frames, where 1 means all frames. Keyframes keep their times, and
    /// the remaining frames get the whole bitrate.
    pub fn set_frame_step(&self, step: u32) {
        self.shared.step.store(step.max(1), Ordering::Relaxed);
    }

    /// Scales frames to this size from the next frame on. That frame becomes a keyframe. An invalid
    /// size has no effect.
    pub fn set_size(&self, size: Size) {
        self.shared.size.store(packed(size), Ordering::Relaxed);
    }

    /// Encodes no B-frames from the next frame on, which becomes a keyframe if there were B-frames.
    pub fn end_b_frames(&self) {
        self.shared.b_frames.store(0, Ordering::Relaxed);
    }

    /// Returns a function that makes the next frame a keyframe. Scheduled keyframes keep their
    /// times. The function does not keep the encoder alive.
    pub fn keyframe_request(&self) -> impl Fn() + Send + Sync + 'static {
        let shared = Arc::clone(&self.shared);
        move || shared.keyframe_wanted.store(true, Ordering::Relaxed)
    }

    /// Returns the current figures.
    pub fn figures(&self) -> Figures {
        let shared = &self.shared;
        let get = |value: &AtomicU64| value.load(Ordering::Relaxed);
        let description = shared.description.lock().clone();
        Figures {
            encoded: get(&shared.encoded),
            keyframes: get(&shared.keyframes),
            bytes: get(&shared.bytes),
            skipped: get(&shared.refused) + self.input.dropped(),
            busy: Duration::from_micros(get(&shared.busy_micros)),
            bitrate: BitsPerSecond(shared.used_bitrate.load(Ordering::Relaxed)),
            size: unpacked(shared.encoded_size.load(Ordering::Relaxed)),
            name: description.name,
            profile: description.profile,
            level: description.level,
            preset: description.preset,
            why: self.why.clone(),
        }
    }

    /// Returns the failures that were survived since the last call, oldest first.
    pub fn take_incidents(&self) -> Vec<Incident> {
        std::mem::take(&mut *self.shared.incidents.lock())
    }

    /// Returns the mean frame rate of all frames so far by their timestamps, or `None` before the
    /// second frame.
    pub fn mean_frame_rate(&self) -> Option<f64> {
        self.shared.taken.lock().rate()
    }

    /// Returns the reason if the encoder ended before its input.
    pub fn failed(&self) -> Option<Error> {
        self.shared.failure.lock().clone()
    }

    /// Returns true if the thread has ended.
    pub fn is_finished(&self) -> bool {
        self.worker.is_finished()
    }

    /// Waits for at most `limit` until the stream ends (all senders of the input are dropped).
    /// After that, the thread must stop immediately.
    ///
    /// # Errors
    /// Fails with [`Stuck`] if the thread did not end in time.
    pub fn join(mut self, limit: Duration) -> Result<(), Stuck> {
        self.wait(limit)
    }

    /// Works like [`VideoEncoder::join`], but keeps the figures readable.
    ///
    /// # Errors
    /// Fails with [`Stuck`] if the thread did not end in time.
    pub fn wait(&mut self, limit: Duration) -> Result<(), Stuck> {
        self.worker.wait(limit)
    }
}

/// Interval between checks for a stop request while there are no frames.
const STOP_POLL_INTERVAL: Duration = Duration::from_millis(50);

fn run(
    config: &Config,
    mut open: Open,
    shared: &Shared,
    input: &queue::Receiver<VideoFrame>,
    (track, output): (Track, &queue::Sender<EncodedPacket>),
    stop: &Stop,
) -> Result<(), Error> {
    let mut schedule = Schedule::new(config.frame_rate, config.keyframe_interval);
    // Number of frames since the last encoded one.
    let mut since = 0;
    let deliver = |mut packet: EncodedPacket, rendition: &Arc<Rendition>| {
        (packet.track, packet.rendition) = (track, Some(Arc::clone(rendition)));
        shared.encoded.fetch_add(1, Ordering::Relaxed);
        shared.keyframes.fetch_add(u64::from(packet.keyframe), Ordering::Relaxed);
        shared.bytes.fetch_add(packet.data.len() as u64, Ordering::Relaxed);
        output.send(packet).is_ok()
    };
    while !stop.is_set() {
        let frame = match input.recv_timeout(STOP_POLL_INTERVAL) {
            Ok(frame) => frame,
            Err(queue::Empty::Waiting) => continue,
            Err(queue::Empty::Closed) => break,
        };
        if frame.size() != config.size {
            if shared.refused.fetch_add(1, Ordering::Relaxed) == 0 {
                let error = Error::Size { expected: config.size, got: frame.size() };
                tracing::warn!(%error, "skipped a frame");
            }
            continue;
        }
        let step = shared.step.load(Ordering::Relaxed);
        // The rate control expects every frame of the configured rate.
        let wanted = shared.bitrate.load(Ordering::Relaxed).saturating_mul(step);
        let wanted = BitsPerSecond(wanted);
        let due = schedule.is_due(frame.pts);
        let asked = shared.keyframe_wanted.swap(false, Ordering::Relaxed);
        let change = (due || asked, wanted);
        let Some(is_new) = open.follow(change, config, shared, &deliver)? else { return Ok(()) };
        let asked = asked || is_new;
        since += 1;
        if since < step && !due && !asked {
            continue;
        }
        since = 0;
        shared.taken.lock().add(frame.pts);
        let started = std::time::Instant::now();
        let scaled = open.scaler.scale(&frame);
        open.encode(&scaled, (due || asked, wanted), config, shared)?;
        shared.used_bitrate.store(open.used_bitrate.0 / step, Ordering::Relaxed);
        let took = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        shared.busy_micros.fetch_add(took, Ordering::Relaxed);
        open.took(Duration::from_micros(took), config, shared);
        // Return the frame to its pool before the packet waits for space in the queue.
        drop((frame, scaled));
        if !open.drain(&deliver)? {
            return Ok(());
        }
    }
    open.finish()?;
    open.drain(&deliver).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Pooled;
    use crate::base::Timestamp;
    use crate::base::queue::Full;
    use crate::encode::backend::pipelined::CRASHING_BITRATE;
    use crate::encode::config::{Preset, RateControl};
    use crate::encode::video::shared::TakenFrames;
    use crate::media::{Codec, Color, FrameRate, Planes, VideoCodec};
    use crate::wire::container::flv::{self, Reader, Tag, TagKind};

    const JOIN_TIMEOUT: Duration = Duration::from_secs(30);
    const FRAME_SIZE: Size = Size::new(160, 120);

    fn config(bitrate: u32, encoder: Choice) -> Config {
        Config {
            size: FRAME_SIZE,
            frame_rate: FrameRate::new(25, 1).unwrap(),
            bitrate: BitsPerSecond(bitrate),
            keyframe_interval: Duration::from_secs(1),
            encoder,
            preset: Preset::Auto,
            rate_control: RateControl::Cbr,
            b_frames: 0,
            look_ahead: 0,
        }
    }

    /// Returns the packets of a pipelining, reordering encoder for `frames` frames, with a size
    /// change at the frame `resized_at`.
    fn encoded(frames: i64, resized_at: i64) -> Vec<EncodedPacket> {
        let (feed, input) = queue::bounded("frames", 1, Full::Block);
        let (output, packets) = queue::bounded("packets", 256, Full::Block);
        let encoder =
            VideoEncoder::spawn(config(1_000_000, Choice::Pipelined), input, output).unwrap();
        for number in 0..frames {
            if number == resized_at {
                // The earlier frames are accepted with the old size.
                while encoder.input.received() < encoder.input.sent() {
                    Stop::new().wait(Duration::from_millis(1));
                }
                encoder.set_size(Size::new(80, 60));
            }
            let pts = Timestamp::from_millis(1_000 + number * 40);
            let planes = Arc::new(Pooled::unpooled(Planes::black(FRAME_SIZE)));
            feed.send(VideoFrame { pts, surface: planes.into(), color: Color::PROGRAM }).unwrap();
        }
        drop(feed);
        encoder.join(JOIN_TIMEOUT).unwrap();
        std::iter::from_fn(|| packets.recv()).collect()
    }

    #[test]
    fn frames_of_an_encoder_that_reorders_all_come_out_with_their_own_times() {
        let packets = encoded(60, i64::MAX);
        let mut shown: Vec<i64> = packets.iter().map(|it| it.pts.as_millis()).collect();
        assert!(!shown.is_sorted(), "it reorders");
        shown.sort_unstable();
        let all: Vec<i64> = (0..60).map(|number| 1_000 + number * 40).collect();
        assert_eq!(shown, all);
        assert!(packets.windows(2).all(|pair| pair[0].dts < pair[1].dts), "decoded in order");
        assert!(packets.iter().all(|it| it.dts <= it.pts));
        let keyframes: Vec<i64> =
            packets.iter().filter(|it| it.keyframe).map(|it| it.pts.as_millis()).collect();
        assert_eq!(keyframes, [1_000, 2_000, 3_000]);
        // In FLV, the times are those of the frames.
        let mut reader = Reader::new(|_| true);
        for packet in &packets {
            let body = flv::packet_body(Codec::Video(VideoCodec::H264), packet).unwrap();
            let time_ms = u32::try_from(packet.dts.as_millis()).unwrap();
            let read = reader.read(Tag { kind: TagKind::Video, time_ms, body });
            assert_eq!(read.packet().map(|it| it.pts), Some(packet.pts));
        }
    }

    #[test]
    fn frames_that_come_at_once_have_the_rate_of_their_timestamps() {
        let mut taken = TakenFrames::default();
        assert_eq!(taken.rate(), None);
        taken.add(Timestamp::from_millis(1_000));
        assert_eq!(taken.rate(), None);
        (1..12).for_each(|number| taken.add(Timestamp::from_millis(1_000 + number * 40)));
        assert_eq!(taken.rate(), Some(25.0));
    }

    #[test]
    fn the_figures_contain_the_bitrate_that_the_level_allows() {
        let (feed, input) = queue::bounded("frames", 1, Full::Block);
        let (output, packets) = queue::bounded("packets", 256, Full::Block);
        let encoder = VideoEncoder::spawn(config(60_000, Choice::OpenH264), input, output).unwrap();
        let bitrate_after = |number: i64, bitrate: u32| {
            encoder.set_bitrate(BitsPerSecond(bitrate));
            let pts = Timestamp::from_millis(number * 40);
            let planes = Arc::new(Pooled::unpooled(Planes::black(FRAME_SIZE)));
            feed.send(VideoFrame { pts, surface: planes.into(), color: Color::PROGRAM }).unwrap();
            packets.recv().unwrap();
            encoder.figures().bitrate.0
        };
        assert_eq!(bitrate_after(0, 60_000), 60_000);
        // The High profile of level 1.1 allows 1.25 × 192 kbit/s.
        assert_eq!(bitrate_after(1, 1_000_000), 240_000);
        assert_eq!(bitrate_after(2, 200_000), 200_000);
        drop(feed);
        encoder.join(JOIN_TIMEOUT).unwrap();
    }

    #[test]
    fn an_encoder_whose_process_crashes_twice_is_replaced_at_a_keyframe() {
        let (feed, input) = queue::bounded("frames", 1, Full::Block);
        let (output, packets) = queue::bounded("packets", 256, Full::Block);
        let encoder =
            VideoEncoder::spawn(config(1_000_000, Choice::Pipelined), input, output).unwrap();
        let send = |number: i64| {
            let pts = Timestamp::from_millis(number * 40);
            let planes = Arc::new(Pooled::unpooled(Planes::black(FRAME_SIZE)));
            feed.send(VideoFrame { pts, surface: planes.into(), color: Color::PROGRAM }).unwrap();
        };
        send(0);
        let first = packets.recv().unwrap();
        encoder.set_bitrate(CRASHING_BITRATE);
        send(1);
        let next = packets.recv().unwrap();
        assert_eq!((next.pts.as_millis(), next.keyframe), (40, true));
        let config = |it: &EncodedPacket| it.rendition.as_ref().unwrap().video.codec_config.clone();
        assert_ne!(config(&first), config(&next), "the packet has its own encoder's config");
        let incidents = encoder.take_incidents();
        let names: Vec<_> = incidents.iter().map(|it| (it.encoder, it.now)).collect();
        assert_eq!(names, [("pipelined", "pipelined"), ("pipelined", "openh264")]);
        assert_eq!(encoder.figures().name, "openh264");
        // The replacement stays, also at another size.
        encoder.set_size(Size::new(80, 60));
        send(2);
        let small = packets.recv().unwrap();
        assert_eq!(small.rendition.as_ref().unwrap().video.size, Size::new(80, 60));
        assert_eq!((encoder.take_incidents(), encoder.failed()), (Vec::new(), None));
        drop(feed);
        encoder.join(JOIN_TIMEOUT).unwrap();
    }

    #[test]
    fn an_encoder_that_crashes_ten_times_on_air_loses_only_the_frames_in_it() {
        let (feed, input) = queue::bounded("frames", 1, Full::Block);
        let (output, packets) = queue::bounded("packets", 256, Full::Block);
        let encoder =
            VideoEncoder::spawn(config(1_000_000, Choice::Pipelined), input, output).unwrap();
        let send = |millis: i64| {
            let pts = Timestamp::from_millis(millis);
            let planes = Arc::new(Pooled::unpooled(Planes::black(FRAME_SIZE)));
            feed.send(VideoFrame { pts, surface: planes.into(), color: Color::PROGRAM }).unwrap();
        };
        let mut config = None;
        for minute in 1..=10 {
            // Each minute, the encoder crashes with a frame in it.
            (-5..3).for_each(|frame| send(minute * 60_000 + frame * 40));
            let is_crash = |it: &EncodedPacket| it.pts.as_millis() == minute * 60_000;
            let mut before = Vec::new();
            let after = loop {
                let packet = packets.recv().unwrap();
                if is_crash(&packet) {
                    break packet;
                }
                before.push(packet.pts.as_millis() - minute * 60_000);
            };
            let newest = before.iter().max().unwrap();
            assert!(after.keyframe && *newest >= -120, "minute {minute}: {before:?}");
            // Receivers need no new config.
            let its = after.rendition.clone().unwrap();
            assert!(Arc::ptr_eq(config.get_or_insert(Arc::clone(&its)), &its));
            let incidents = encoder.take_incidents();
            let names: Vec<_> = incidents.iter().map(|it| (it.encoder, it.now)).collect();
            assert_eq!(names, [("pipelined", "pipelined")], "minute {minute}");
        }
        drop(feed);
        encoder.join(JOIN_TIMEOUT).unwrap();
    }

    #[test]
    fn an_encoder_without_a_replacement_has_failed_after_its_process_crashed_twice() {
        let (feed, input) = queue::bounded("frames", 1, Full::Block);
        let (output, packets) = queue::bounded("packets", 256, Full::Block);
        let config = config(CRASHING_BITRATE.0, Choice::Pipelined);
        let mut encoder = VideoEncoder::spawn_sole(config, config.size, input, output).unwrap();
        let planes = Arc::new(Pooled::unpooled(Planes::black(FRAME_SIZE)));
        let (pts, color) = (Timestamp::ZERO, Color::PROGRAM);
        feed.send(VideoFrame { pts, surface: planes.into(), color }).unwrap();
        encoder.wait(JOIN_TIMEOUT).unwrap();
        assert!(matches!(encoder.failed(), Some(Error::Process { .. })));
        let incidents = encoder.take_incidents();
        assert!(incidents.iter().all(|it| it.now == "pipelined"), "{incidents:?}");
        assert!(packets.recv().is_none());
    }

    #[test]
    fn an_encoder_ends_its_b_frames_with_a_keyframe_and_loses_nothing() {
        let (feed, input) = queue::bounded("frames", 1, Full::Block);
        let (output, packets) = queue::bounded("packets", 256, Full::Block);
        let config = Config { b_frames: 2, ..config(1_000_000, Choice::Pipelined) };
        let encoder = VideoEncoder::spawn(config, input, output).unwrap();
        for number in 0..20 {
            if number == 11 {
                // The earlier frames are accepted with B-frames.
                while encoder.input.received() < encoder.input.sent() {
                    Stop::new().wait(Duration::from_millis(1));
                }
                encoder.end_b_frames();
            }
            let pts = Timestamp::from_millis(number * 40);
            let planes = Arc::new(Pooled::unpooled(Planes::black(FRAME_SIZE)));
            feed.send(VideoFrame { pts, surface: planes.into(), color: Color::PROGRAM }).unwrap();
        }
        drop(feed);
        encoder.join(JOIN_TIMEOUT).unwrap();
        let packets: Vec<_> = std::iter::from_fn(|| packets.recv()).collect();
        assert_eq!(packets.len(), 20);
        let keyframes: Vec<i64> =
            packets.iter().filter(|it| it.keyframe).map(|it| it.pts.as_millis() / 40).collect();
        assert_eq!(keyframes.len(), 2, "{keyframes:?}");
        assert!((10..=11).contains(&keyframes[1]), "{keyframes:?}");
    }

    #[test]
    fn an_encoder_that_panics_has_failed() {
        let (feed, input) = queue::bounded("frames", 1, Full::Block);
        let (output, packets) = queue::bounded("packets", 256, Full::Block);
        let mut encoder =
            VideoEncoder::spawn(config(1_000_000, Choice::Pipelined), input, output).unwrap();
        encoder.set_bitrate(BitsPerSecond(0));
        let planes = Arc::new(Pooled::unpooled(Planes::black(FRAME_SIZE)));
        let (pts, color) = (Timestamp::ZERO, Color::PROGRAM);
        feed.send(VideoFrame { pts, surface: planes.into(), color }).unwrap();
        // The input is still open.
        encoder.wait(JOIN_TIMEOUT).unwrap();
        assert_eq!(encoder.failed(), Some(Error::Crashed));
        assert!(packets.recv().is_none());
    }

    #[test]
    fn nothing_that_is_inside_is_lost_where_the_size_changes() {
        let packets = encoded(31, 17);
        assert_eq!(packets.len(), 31);
        let size = |it: &EncodedPacket| it.rendition.as_ref().unwrap().video.size;
        let small: Vec<_> = packets.iter().filter(|it| size(it) != FRAME_SIZE).collect();
        let first = small.first().unwrap();
        assert!(first.keyframe);
        // Packets sent before the change have the old size, and come first.
        assert!(small.iter().all(|it| it.pts >= first.pts));
        let old = packets.iter().filter(|it| size(it) == FRAME_SIZE);
        assert!(old.clone().all(|it| it.pts < first.pts));
        assert_eq!(old.count() + small.len(), 31);
    }
}
