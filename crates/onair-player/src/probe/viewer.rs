//! A light probe of the stream that viewers get. It does not show the stream. It decodes only the
//! keyframes and all audio, without a buffer, so times are arrival times. It uses the same feed
//! thread as the player; a second thread checks for data ten times per second.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::{Clock, Latest, Timestamp, Worker, partial_debug, sandbox};
use crate::media::markers::{self, OnsetReader};
use crate::media::similarity::{FrameSimilarity, LoudnessCurve};
use crate::media::{AudioConfig, EncodedPacket, Track, VideoConfig, VideoFrame};
use crate::net::{self, Runtime};
use crate::player::buffer::packets::{BufferedPacket, Popped};
use crate::player::input::feed::InputFeed;
use crate::player::input::live::LiveInput;
use crate::player::probe::arrivals::{Arrival, Arrivals, SERVER_CACHE_WINDOW};
use crate::player::probe::reading::{Keyframe, ProbeMemory, ProbeReading};
use crate::player::session::config::{Config, Source};
use crate::player::session::shared::Shared;
use crate::player::state::{Failure, State};
use crate::wire::rtmp::Url;
use onair_media::decode::{self, AudioBackend, VideoBackend};

/// Interval between checks for new data.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// A frame this close to a full second may be before or after it, because the marker has whole
/// milliseconds.
const MARKER_TOLERANCE_MICROS: i64 = 1_500;
/// Number of offsets between audio and video from which the median is taken.
const MEDIAN_OFFSETS: usize = 5;
/// Maximum age of the newest offset.
const MAX_OFFSET_AGE: Duration = Duration::from_secs(10);

/// The stream to probe.
#[derive(Clone, Debug)]
pub enum ProbeTarget {
    /// The publishing address: most plain servers also play there.
    Rtmp(Box<Url>),
    /// A separate address, as entered by the user.
    Address(crate::base::Secret),
}

/// Analyzes packets. It also analyzes the sent stream, so that the received stream can be compared
/// with it.
pub struct ProbeWorker {
    clock: Clock,
    video: Option<(VideoConfig, Box<dyn VideoBackend>)>,
    audio: Option<(AudioConfig, Box<dyn AudioBackend>)>,
    onsets: Option<(u32, OnsetReader)>,
    arrivals: Arrivals,
    /// The newest keyframe with a marker: its wall-clock time in milliseconds, and its media time.
    marker: Option<(i64, Timestamp)>,
    offsets: VecDeque<i64>,
    /// Arrival time of the newest offset.
    offset_at: Timestamp,
    newest: Latest<VideoFrame>,
    memory: ProbeMemory,
    /// Measurements of the probe.
    pub seen: ProbeReading,
}

partial_debug!(ProbeWorker {});

impl ProbeWorker {
    /// Creates a worker that stores the newest keyframe in `newest`.
    pub fn new(clock: Clock, memory: ProbeMemory, newest: Latest<VideoFrame>) -> Self {
        Self {
            clock,
            video: None,
            audio: None,
            onsets: None,
            arrivals: Arrivals::default(),
            marker: None,
            offsets: VecDeque::new(),
            offset_at: Timestamp::ZERO,
            newest,
            memory,
            seen: ProbeReading::new(memory),
        }
    }

    /// Sets the config of the following frames.
    pub fn configure_video(&mut self, config: VideoConfig) {
        if self.video.as_ref().is_some_and(|(known, _)| known.has_same_codec_config(&config)) {
            return;
        }
        self.seen.size = Some(config.displayed_size()).filter(|size| size.width > 0);
        let opened = decode::open_video(&config);
        self.seen.is_video_undecodable = opened.is_err();
        match opened {
            Ok(decoder) => {
                self.seen.video = decoder.name().to_owned();
                self.video = Some((config, decoder));
            }
            Err(_) => {
                self.seen.damaged += 1;
                self.video = None;
            }
        }
    }

    /// Sets the config of the following audio.
    pub fn configure_audio(&mut self, config: AudioConfig) {
        if self.audio.as_ref().is_some_and(|(known, _)| *known == config) {
            return;
        }
        match decode::open_audio(&config) {
            Ok(decoder) => {
                self.seen.audio = decoder.name().to_owned();
                self.audio = Some((config, decoder));
            }
            Err(_) => {
                self.seen.damaged += 1;
                self.audio = None;
            }
        }
    }

    /// Resets the state after a reconnect: earlier data no longer counts.
    pub fn gap(&mut self) {
        self.arrivals.clear();
        self.marker = None;
        self.onsets = None;
        self.offsets.clear();
        let seen = &mut self.seen;
        (seen.joined, seen.behind_micros, seen.pace) = (None, None, None);
        (seen.last_video, seen.last_audio, seen.fps) = (None, None, None);
        (seen.latency_ms, seen.av_offset_ms) = (None, None);
        seen.keyframes.clear();
        seen.course = LoudnessCurve::new(self.memory.loudness);
        if let Some((_, decoder)) = &mut self.video {
            decoder.reset();
        }
        if let Some((_, decoder)) = &mut self.audio {
            decoder.reset();
        }
    }

    /// Analyzes a packet; its `captured` time is the arrival.
    pub fn take(&mut self, packet: &EncodedPacket) {
        let at = packet.captured;
        let joined = *self.seen.joined.get_or_insert(at);
        self.seen.last = Some(at);
        let video = packet.track == Track::Video;
        self.arrivals.push(Arrival { at, dts: packet.dts, video, bytes: packet.data.len() });
        if video {
            self.seen.last_video = Some(at);
            if packet.keyframe {
                self.keyframe(packet, at.since(joined) < SERVER_CACHE_WINDOW);
            }
        } else {
            self.seen.last_audio = Some(at);
            self.on_audio(packet);
        }
    }

    fn keyframe(&mut self, packet: &EncodedPacket, stored: bool) {
        let Some((_, decoder)) = &mut self.video else { return };
        let decoded = decoder.decode(packet);
        // The keyframe refers to no other frame, and the following ones are not decoded, so flush
        // it at once.
        let rest = decoder.flush();
        if self.seen.video != decoder.name() {
            decoder.name().clone_into(&mut self.seen.video);
        }
        self.seen.is_video_undecodable = decoded.is_err();
        let mut frames = match decoded {
            Ok(frames) => frames,
            Err(_) => {
                self.seen.damaged += 1;
                decoder.reset();
                return;
            }
        };
        frames.extend(rest);
        let Some(frame) = frames.pop() else { return };
        let (luma, stride, size) = (&frame.planes().y, frame.planes().luma_stride(), frame.size());
        self.seen.size = Some(size);
        if self.seen.keyframes.len() >= self.memory.keyframes.max(1) {
            self.seen.keyframes.pop_front();
        }
        let mut keyframe = Keyframe {
            at: packet.captured,
            pts: packet.pts,
            likeness: FrameSimilarity::of(luma, stride, size),
            inside: FrameSimilarity::inside_bars(luma, stride, size),
            marker: None,
        };
        match markers::read_band(luma, stride, size) {
            Some(time_ms) => {
                let wall = self.clock.wall_micros(packet.captured);
                // The marker has whole milliseconds, rounded down.
                let age = markers::age_ms(time_ms, wall.div_euclid(1_000));
                let made = wall.div_euclid(1_000) - age;
                keyframe.marker = Some(made);
                self.marker = Some((made, packet.pts));
                if !stored {
                    let rest = wall.rem_euclid(1_000) as f64 / 1_000.0;
                    self.seen.latency_ms = Some(age as f64 + rest);
                }
            }
            None => {
                self.marker = None;
                (self.seen.latency_ms, self.seen.av_offset_ms) = (None, None);
                self.offsets.clear();
            }
        }
        self.seen.keyframes.push_back(keyframe);
        self.newest.publish(frame);
    }

    fn on_audio(&mut self, packet: &EncodedPacket) {
        let Some((_, decoder)) = &mut self.audio else { return };
        let samples = match decoder.decode(packet) {
            Ok(Some(samples)) => samples,
            Ok(None) => return,
            Err(_) => {
                self.seen.damaged += 1;
                return;
            }
        };
        self.seen.course.push(&samples);
        // Only streams with markers can have the marker tone.
        if self.marker.is_none() {
            return;
        }
        if self.onsets.as_ref().is_none_or(|(rate, _)| *rate != samples.rate) {
            self.onsets = Some((samples.rate, OnsetReader::new(samples.rate)));
        }
        let Some((_, reader)) = &mut self.onsets else { return };
        let mut onsets = Vec::new();
        reader.push(samples.pts, samples.channels, &samples.data, |at| onsets.push(at));
        for at in onsets {
            self.onset(at);
        }
    }

    /// Measures the offset of a tone at this media time from its flash. Flashes are usually not
    /// keyframes; the marker of the last keyframe shows their position.
    fn onset(&mut self, at: Timestamp) {
        let (Some((time_ms, pts)), Some((video, _))) = (self.marker, &self.video) else { return };
        // Use the declared frame rate: dropped frames do not change it.
        let fps = video.frame_rate.as_f64();
        let wall = time_ms * 1_000 + 500;
        let Some(flash) = flash_near(wall, fps, at.micros_since(pts)) else { return };
        if self.offsets.len() >= MEDIAN_OFFSETS {
            self.offsets.pop_front();
        }
        self.offsets.push_back(at.micros_since(pts) - flash);
        self.offset_at = self.seen.last.unwrap_or(self.offset_at);
        let mut sorted: Vec<i64> = self.offsets.iter().copied().collect();
        sorted.sort_unstable();
        self.seen.av_offset_ms = sorted.get(sorted.len() / 2).map(|micros| *micros as f64 / 1e3);
    }

    /// Updates rates and delays to the current time.
    pub fn sum_up(&mut self, now: Timestamp) {
        self.arrivals.forget_old(now);
        if now.since(self.offset_at) > MAX_OFFSET_AGE {
            self.offsets.clear();
            self.seen.av_offset_ms = None;
        }
        let seen = &mut self.seen;
        seen.bitrate = self.arrivals.bitrate(now, seen.joined);
        seen.behind_micros = self.arrivals.behind_micros(now).or(seen.behind_micros);
        seen.fps = self.arrivals.frame_rate(now);
        seen.pace = self.arrivals.pace(seen.joined);
    }
}

/// Finds the first frame of the flash nearest to `wanted`, at `fps`. Returns its distance in
/// microseconds from a frame with the wall-clock time `wall`, or `None` if a frame is so close to
/// the full second that it is uncertain which of the two is earlier. Also returns `None` if `fps`
/// is implausible, or if no flash is near `wanted`.
fn flash_near(wall: i64, fps: f64, wanted: i64) -> Option<i64> {
    if !(1.0..=1_000.0).contains(&fps) {
        return None;
    }
    let second = (wall + wanted + 500_000).div_euclid(1_000_000) * 1_000_000 - wall;
    let period = 1e6 / fps;
    // The first frame at or after the full second.
    let number = (second as f64 / period).ceil();
    let flash = (number * period).round() as i64;
    let before = ((number - 1.0) * period).round() as i64;
    let sure =
        flash - second > MARKER_TOLERANCE_MICROS && second - before > MARKER_TOLERANCE_MICROS;
    (sure && (flash - wanted).abs() < 450_000).then_some(flash)
}

/// A running viewer probe. Dropping the value ends the probe without waiting.
#[derive(Debug)]
pub struct ViewerProbe {
    shared: Arc<Shared>,
    seen: Arc<Mutex<ProbeReading>>,
    threads: Vec<Worker>,
}

impl ViewerProbe {
    /// Starts the probe. The newest keyframe goes to `newest` unchanged.
    ///
    /// # Errors
    /// Fails if the address is invalid or the system cannot start threads.
    pub fn open(
        place: &ProbeTarget,
        net: &net::Options,
        runtime: &Runtime,
        clock: Clock,
        memory: ProbeMemory,
        newest: Latest<VideoFrame>,
    ) -> Result<Self, Failure> {
        // Only the kind matters here: a live stream.
        let mut config = Config::new(Source::Url(String::new()));
        config.net = net.clone();
        let remote = match place {
            ProbeTarget::Rtmp(url) => LiveInput::at((**url).clone(), &config, runtime.clone()),
            ProbeTarget::Address(text) => LiveInput::new(text.expose(), &config, runtime.clone())?,
        };
        let (shared, _) = Shared::new(&config, clock);
        let shared = Arc::new(shared);
        let seen = Arc::new(Mutex::new(ProbeReading::new(memory)));
        let mut probe =
            Self { shared: Arc::clone(&shared), seen: Arc::clone(&seen), threads: Vec::new() };
        let (its, out) = (Arc::clone(&shared), seen);
        let worker = ProbeWorker::new(clock, memory, newest);
        probe.spawn("viewer-probe", move || {
            sandbox::video_decoder();
            run(&its, worker, &out);
        })?;
        probe.spawn("viewer-probe-in", move || remote.run(InputFeed::new(shared, None, true)))?;
        Ok(probe)
    }

    fn spawn(&mut self, name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
        match Worker::spawn(name, move |_| body()) {
            Ok(worker) => {
                self.threads.push(worker);
                Ok(())
            }
            Err(error) => {
                self.shared.halt();
                Err(crate::player::handle::no_threads(&error))
            }
        }
    }

    /// Returns the results so far.
    pub fn seen(&self) -> ProbeReading {
        let mut seen = self.seen.lock().clone();
        seen.state = self.shared.report.state();
        seen
    }

    /// Ends the probe and waits for its threads, at most `limit` in total.
    pub fn stop(mut self, limit: Duration) {
        self.shared.halt();
        let until = self.shared.clock.now() + limit;
        for mut thread in self.threads.drain(..) {
            if let Err(stuck) = thread.wait(until.since(self.shared.clock.now())) {
                tracing::warn!(%stuck, "the viewer monitor failed");
            }
        }
    }
}

impl Drop for ViewerProbe {
    fn drop(&mut self) {
        self.shared.halt();
    }
}

fn run(shared: &Shared, mut worker: ProbeWorker, out: &Mutex<ProbeReading>) {
    while !shared.lifetime.stop.wait(POLL_INTERVAL) {
        let over = take_waiting(shared, &mut worker);
        worker.sum_up(shared.clock.now());
        *out.lock() = worker.seen.clone();
        if over {
            return;
        }
    }
}

/// Analyzes the waiting packets, and reports the state. Returns true if the stream has ended.
fn take_waiting(shared: &Shared, worker: &mut ProbeWorker) -> bool {
    let mut any = false;
    while let (_, Popped::Unit(unit)) = shared.packets.video.pop(Duration::ZERO) {
        match unit {
            BufferedPacket::Configure(config) => worker.configure_video(config),
            BufferedPacket::Packet(packet) => {
                any = true;
                worker.take(&packet);
            }
            BufferedPacket::Gap => worker.gap(),
            BufferedPacket::Seam(_) => {}
        }
    }
    while let (_, Popped::Unit(unit)) = shared.packets.audio.pop(Duration::ZERO) {
        match unit {
            BufferedPacket::Configure(config) => worker.configure_audio(config),
            BufferedPacket::Packet(packet) => {
                any = true;
                worker.take(&packet);
            }
            BufferedPacket::Gap | BufferedPacket::Seam(_) => {}
        }
    }
    // The feed reports itself that data arrives again after a loss.
    if any && !matches!(shared.report.state(), State::Reconnecting { .. }) {
        shared.report.enter(State::Playing);
    }
    let over = shared.packets.video.is_finished() && shared.packets.audio.is_finished();
    if over {
        shared.report.enter(State::Ended);
    }
    over
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{Size, VideoCodec};
    use crate::wire::container::track_config::bare_video_config;

    /// Creates a probe that received this many audio packets, one every 20 ms.
    fn worker(packets: i64) -> ProbeWorker {
        let memory = ProbeMemory { keyframes: 10, loudness: 1_000 };
        let mut worker = ProbeWorker::new(Clock::start(), memory, Latest::default());
        for number in 0..packets {
            for track in [Track::Video, Track::Audio] {
                let at = Timestamp::from_millis(number * 20);
                let data = vec![0; 100].into();
                worker.take(&EncodedPacket::received(track, (at, at), false, data));
            }
        }
        worker
    }

    #[test]
    fn while_nothing_comes_there_are_no_figures_of_what_comes() {
        let mut worker = worker(1_000);
        let rates =
            |seen: &ProbeReading| (seen.pace.map(|pace| (pace * 10.0).round()), seen.fps.is_some());
        worker.sum_up(Timestamp::from_millis(20_000));
        assert_eq!(rates(&worker.seen), (Some(10.0), true));
        assert!(worker.seen.bitrate > 70_000, "{}", worker.seen.bitrate);
        // Two seconds without data do not reduce the speed to 82 %.
        worker.sum_up(Timestamp::from_millis(22_000));
        assert_eq!(rates(&worker.seen), (Some(10.0), true));
        worker.sum_up(Timestamp::from_millis(24_000));
        assert!(!rates(&worker.seen).1);
        worker.sum_up(Timestamp::from_millis(31_000));
        assert_eq!((rates(&worker.seen), worker.seen.bitrate), ((None, false), 0));
    }

    #[test]
    fn video_that_cannot_be_decoded_has_the_size_of_its_config() {
        let mut worker = worker(0);
        let size = Size::new(320, 180);
        let video = bare_video_config(VideoCodec::H264, vec![0].into(), &[]);
        worker.configure_video(VideoConfig { size, ..video });
        assert!(worker.seen.is_video_undecodable && worker.seen.size == Some(size));
    }

    #[test]
    fn after_a_new_connection_nothing_of_the_old_one_counts() {
        let mut worker = worker(1_000);
        worker.gap();
        let seen = &worker.seen;
        assert_eq!((seen.joined, seen.last_video, seen.last_audio), (None, None, None));
        assert!(seen.keyframes.is_empty() && seen.course.until().is_none());
        assert_eq!((seen.pace, seen.fps, seen.latency_ms), (None, None, None));
    }

    /// Returns the data of a probe, and one of its packets.
    fn probed() -> (Shared, EncodedPacket) {
        let config = Config::new(Source::Url("rtmp://host/live/a".into()));
        let times = (Timestamp::ZERO, Timestamp::ZERO);
        let packet = EncodedPacket::received(Track::Audio, times, true, vec![0; 100].into());
        (Shared::new(&config, Clock::start()).0, packet)
    }

    #[test]
    fn a_lost_stream_does_not_play_until_the_feed_says_so() {
        let ((shared, packet), mut worker) = (probed(), worker(0));
        shared.packets.audio.push(BufferedPacket::Packet(packet.clone()));
        assert!(!take_waiting(&shared, &mut worker));
        assert_eq!(shared.report.state(), State::Playing);
        // The last packet is analyzed after the loss, and each attempt to connect begins with a gap.
        let cause = crate::text::Problem::words("lost");
        let lost = State::Reconnecting { cause, retry_in: POLL_INTERVAL };
        shared.packets.audio.push(BufferedPacket::Packet(packet.clone()));
        shared.report.enter(lost.clone());
        take_waiting(&shared, &mut worker);
        shared.packets.gap();
        take_waiting(&shared, &mut worker);
        assert_eq!(shared.report.state(), lost);
        shared.report.regained();
        shared.packets.audio.push(BufferedPacket::Packet(packet));
        take_waiting(&shared, &mut worker);
        assert_eq!(shared.report.state(), State::Playing);
    }

    #[test]
    fn the_end_of_the_stream_is_an_end_of_the_probe() {
        let ((shared, packet), mut worker) = (probed(), worker(0));
        shared.packets.audio.push(BufferedPacket::Packet(packet));
        shared.packets.close();
        assert!(take_waiting(&shared, &mut worker));
        assert!(worker.seen.last.is_some());
        assert_eq!(shared.report.state(), State::Ended);
    }

    #[test]
    fn flashes_are_where_the_markers_say() {
        // A keyframe 0.8 s into a second, 30 fps: the next second begins 200 ms later, between
        // frames 5 (166.7 ms) and 6 (200.0 ms).
        let wall = 7_000_800_000_i64 + 10_000;
        // 190 ms after the keyframe, a full second begins; frame 6 is its first.
        assert_eq!(flash_near(wall, 30.0, 205_000), Some(200_000));
        assert_eq!(flash_near(wall, 30.0, 185_000), Some(200_000));
        // A second later: 1,190 ms, frame 36.
        assert_eq!(flash_near(wall, 30.0, 1_230_000), Some(1_200_000));
        // The second before it began 810 ms earlier, at frame −24.
        assert_eq!(flash_near(wall, 30.0, -790_000), Some(-800_000));
        // At the boundary, there is no result.
        assert_eq!(flash_near(7_000_800_000, 30.0, 200_000), None);
        assert_eq!(flash_near(wall, f64::NAN, 0), None);
        assert_eq!(flash_near(wall, 30.0, 650_000), None);
    }
}
