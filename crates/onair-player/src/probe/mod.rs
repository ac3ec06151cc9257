//! Describes the contents of a stream (from its first seconds) or of a whole file, for `onair
//! probe`. The probe runs on the caller's thread. The module is long because every kind of input
//! fills the same report.

mod arrivals;
pub mod reading;
mod video;
pub mod viewer;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::base::{Clock, Timestamp};
use crate::files;
use crate::files::flv_tags::FlvTags;
use crate::files::samples;
use crate::media::{
    AudioCodec, AudioConfig, EncodedPacket, Metadata, PixelAspect, Rotation, Size, StreamEvent,
    Track, TrackConfig, UnsupportedTrack, VideoConfig,
};
use crate::net::rtmp::{Client, Options};
use crate::net::srt::SrtUrl;
use crate::net::web::WebUrl;
use crate::net::{self, ConnectStage, Runtime};
use crate::player::buffer::pace::PlayPace;
use crate::player::clock::file_timeline::{FileTimeline, Span};
use crate::player::clock::timeline::Timeline;
use crate::player::demux::file_samples::{self, FileFormat};
use crate::player::input::connection::{failure, silent, web_failure};
use crate::player::input::http::{Item, Pull, PullError, PullRequest};
use crate::player::input::open_deadline::OpenDeadline;
use crate::player::input::{file, open_deadline, rtmp, srt, web};
use crate::player::session::config::Source;
use crate::player::state::{Failure, FailureKind};
use crate::text::problem::problem;
use crate::wire::amf0::Value;
use crate::wire::codec;
use crate::wire::codec::aac::AudioSpecificConfig;
use crate::wire::codec::four_cc::{AudioFormat, VideoFormat};
use crate::wire::codec::pcm::Pcm;
use crate::wire::codec::{Colors, mpeg_audio};
use crate::wire::container::flv::{ReadTag, Reader, Tag, TagContent, TagEvent, TagKind};
use crate::wire::container::{self, AudioTrack, Format, Index, TrackId, flv, ts, unsupported};
use crate::wire::rtmp::client::{Event, Purpose};

/// Maximum time for which a stream is probed.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// Time after which all values except the keyframe interval are complete.
const COMPLETE_PROBE_DURATION: Duration = Duration::from_secs(6);
/// Minimum duration for meaningful rates.
const MIN_DURATION: Duration = Duration::from_millis(1_500);
/// Maximum number of bytes that are read from a file.
const MAX_FILE_BYTES: u64 = 256 << 20;
/// Maximum number of keyframes whose bytes are parsed.
const MAX_PARSED_KEYFRAMES: usize = 2;
/// Interval between checks for cancellation.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Maximum number of frame times for the frame rate.
const MAX_FRAME_TIMES: usize = 4_096;

/// Time limit for closing the connection.
const SRT_CLOSE_TIMEOUT: Duration = Duration::from_millis(300);

/// The result of a probe.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// `flv` (RTMP too), `mp4`, `mkv`, `mp3`, `flac`, `ogg`, `aac`, `wav`, `hls` or `mpegts`.
    pub format: &'static str,
    /// Duration in seconds of a file or of a server's recording.
    pub duration: Option<f64>,
    /// `onMetaData`, unchanged.
    pub metadata: Option<Value>,
    pub video: Option<Video>,
    pub audio: Option<Audio>,
    /// The other audio tracks of a file, in order.
    pub further: Vec<Audio>,
    /// Tracks that onair cannot play.
    pub unsupported: Vec<UnsupportedTrack>,
    /// Median keyframe interval in seconds.
    pub gop_s: Option<f64>,
    /// Milliseconds to the first keyframe, from the start of the connection or of reading the file.
    pub first_keyframe_ms: Option<f64>,
}

/// The video of the source.
#[derive(Clone, Debug)]
pub struct Video {
    pub format: VideoFormat,
    pub profile: Option<String>,
    /// The level in the codec's notation: 3.1 is 31 in H.264 and 93 in HEVC.
    pub level: Option<u32>,
    /// The size of the displayed frames.
    pub size: Option<(u32, u32)>,
    /// The width and height of a displayed pixel, if known.
    pub pixel_aspect: Option<(u32, u32)>,
    pub fps: Option<f64>,
    /// Bitrate in bits per second.
    pub bitrate: Option<f64>,
    /// Colors from the stream, or otherwise from the container.
    pub colors: Colors,
}

/// An audio track of the source.
#[derive(Clone, Debug)]
pub struct Audio {
    /// The name of the track.
    pub name: Option<String>,
    pub format: AudioFormat,
    /// The variant of the codec, by ffprobe's name: a layer of MPEG audio, or a sample format.
    pub variant: Option<String>,
    pub profile: Option<String>,
    pub sample_rate: Option<u32>,
    pub channels: Option<u16>,
    /// Bitrate in bits per second.
    pub bitrate: Option<f64>,
}

impl Audio {
    const fn of(format: AudioFormat) -> Self {
        let (name, variant, profile, bitrate) = (None, None, None, None);
        Self { name, format, variant, profile, sample_rate: None, channels: None, bitrate }
    }

    /// Applies a config.
    fn describe(&mut self, config: &AudioConfig) {
        if config.sample_rate > 0 {
            (self.sample_rate, self.channels) = (Some(config.sample_rate), Some(config.channels));
        }
        match config.codec {
            AudioCodec::Aac => {
                if let Ok(parsed) = AudioSpecificConfig::parse(&config.codec_config) {
                    self.profile = Some(parsed.profile().to_owned());
                    self.sample_rate = Some(parsed.output_sample_rate());
                    self.channels = Some(parsed.output_channels());
                }
            }
            AudioCodec::Pcm => {
                self.variant = Pcm::parse(&config.codec_config).map(|pcm| pcm.name());
            }
            _ => {}
        }
    }
}

/// Probes a source; `canceled` is checked at intervals.
///
/// # Errors
/// Returns the same failures as [`Player`](crate::player::handle::Player).
pub fn probe(
    source: &Source,
    net: &net::Options,
    runtime: &Runtime,
    clock: Clock,
    canceled: &dyn Fn() -> bool,
) -> Result<Report, Failure> {
    match source.resolved() {
        Source::File(path) => probe_file(&path, MAX_FILE_BYTES, clock, canceled),
        Source::Url(url) => {
            runtime.block_on(probe_stream(&url, net, clock, canceled, open_deadline::OPEN_TIMEOUT))
        }
    }
}

/// Probes a URL; opening may take at most `limit`.
pub(super) async fn probe_stream(
    url: &str,
    net: &net::Options,
    clock: Clock,
    canceled: &dyn Fn() -> bool,
    limit: Duration,
) -> Result<Report, Failure> {
    if SrtUrl::is_one(url) {
        probe_srt(url, net, clock, canceled, limit).await
    } else if WebUrl::is_one(url) {
        probe_web(url, net, clock, canceled, limit).await
    } else {
        probe_url(url, net, clock, canceled, limit).await
    }
}

/// Probes a file; at most `limit` bytes of an FLV file are read from its beginning.
fn probe_file(
    path: &Path,
    limit: u64,
    clock: Clock,
    canceled: &dyn Fn() -> bool,
) -> Result<Report, Failure> {
    let mut input = file_samples::open(path)?;
    let mut prober = Prober::new(false, clock.now());
    let file_format = file_samples::file_format(&input, path)?;
    if file_format != FileFormat::Container(Format::Flv) {
        file_samples::events(input, path, &mut |event| {
            prober.take_event(&event, clock.now());
            !canceled()
        })?;
        let report = Report { format: file_format.extension(), ..prober.report() };
        return Ok(with_path(report, path));
    }
    let copy = input.try_clone().map_err(|error| file_samples::unreadable(path, &error))?;
    let (mut tags, mut reader) = (FlvTags::new(copy), Reader::new(|_| true));
    let mut begins_ms = None;
    while tags.bytes() < limit && !canceled() {
        let read = tags.next(&mut reader).map_err(|error| file::failure(path, &error))?;
        let Some(read) = read else { break };
        if read.content == TagContent::Frame {
            begins_ms.get_or_insert(read.tag.time_ms);
        }
        prober.take_tag(&read, clock.now());
    }
    if prober.bodies == 0 {
        return Err(Failure::new(
            FailureKind::File,
            problem!("play-nothing-in", place = path.display().to_string()),
        ));
    }
    // Otherwise, only the beginning was measured.
    let is_limited = tags.bytes() >= limit;
    if is_limited || canceled() {
        prober.length = Length::Declared;
    }
    if !is_limited {
        return Ok(with_path(prober.report(), path));
    }
    let mut report = prober.report();
    let length = begins_ms.and_then(|begins_ms| file::length(&mut input, begins_ms));
    report.duration = length.map(|length| length.as_secs_f64()).or(report.duration);
    Ok(report)
}

fn with_path(report: Report, path: &Path) -> Report {
    let index = files::MediaFile::open(path).map_err(container::Error::from);
    match index.and_then(|mut source| samples::indexed(&mut source)) {
        Ok(index) => {
            // The times of FLV may jump, so the prober measures the duration.
            let has_span = report.format != Format::Flv.extension();
            let span = has_span.then(|| file_samples::whole_span(&index)).flatten();
            let duration = span.map(|span| span.length().as_secs_f64()).or(report.duration);
            with_tracks(Report { duration, ..report }, &index)
        }
        Err(_) => report,
    }
}

/// Adds the file's color declaration, and all its audio tracks, of which the first was measured.
fn with_tracks(mut report: Report, index: &Index) -> Report {
    if let Some(video) = &mut report.video {
        video.colors = video.colors.or(index.colors);
        // These times are more precise than the milliseconds of the probed packets.
        let shown = index.samples.iter().filter(|place| place.track == TrackId::Video);
        let times = shown.take(MAX_FRAME_TIMES).map(|place| place.pts.as_micros()).collect();
        video.fps = video::measured_frame_rate(&times, video.fps).or(video.fps);
    }
    let name = |track: &AudioTrack| Some(track.name.clone()).filter(|name| !name.is_empty());
    let mut tracks = index.tracks.audio.iter().zip(index.tracks.ids().filter(is_audio));
    if let (Some((first, _)), Some(audio)) = (tracks.next(), &mut report.audio) {
        audio.name = name(first);
    }
    report.further = tracks
        .map(|(track, id)| {
            let mut course = ByteCount::default();
            for place in index.samples.iter().filter(|place| place.track == id) {
                course.add(place.dts, place.size as usize);
            }
            let config = &track.config;
            let mut audio = Audio::of(config.codec.into());
            audio.describe(config);
            if config.codec == AudioCodec::Mp2 {
                audio.variant = Some("mp2".to_owned());
            }
            audio.channels = Some(config.channels);
            Audio { name: name(track), bitrate: course.bitrate(), ..audio }
        })
        .collect();
    report
}

fn is_audio(track: &TrackId) -> bool {
    matches!(track, TrackId::Audio(_))
}

async fn probe_url(
    text: &str,
    net: &net::Options,
    clock: Clock,
    canceled: &dyn Fn() -> bool,
    limit: Duration,
) -> Result<Report, Failure> {
    let url = rtmp::parse(text)?;
    let mut options = Options { buffer: Duration::from_secs(1), ..Options::default() };
    options.net = net.clone();
    let start = clock.now();
    let opening = OpenDeadline::of_rtmp(&url, net, limit);
    let on_step = |step: net::Step<'_>| opening.step(step);
    let connect = Client::connect(&url, Purpose::Play, &options, clock, &on_step);
    let opened = while_wanted(opening.within(connect), canceled).await?;
    let mut client = opened?.map_err(|error| failure(&error))?;
    let (mut prober, mut reader) = (Prober::new(true, start), Reader::new(|_| true));
    let began = clock.now();
    let mut over = false;
    loop {
        let event = timeout(Duration::from_millis(100), client.next_event()).await;
        let now = clock.now();
        match event {
            Ok(Ok(Event::Video { time_ms, body })) => {
                prober.take_tag(&reader.read(Tag { kind: TagKind::Video, time_ms, body }), now);
            }
            Ok(Ok(Event::Audio { time_ms, body })) => {
                prober.take_tag(&reader.read(Tag { kind: TagKind::Audio, time_ms, body }), now);
            }
            Ok(Ok(Event::Metadata { value, .. })) => prober.metadata = Some(value),
            // Broadcasters relay the metadata of files unchanged: the stream has an end only if the
            // server reports a recording.
            Ok(Ok(Event::StreamIsRecorded)) => prober.length = Length::Declared,
            Ok(Ok(Event::Unpublished | Event::StreamEof)) => over = prober.bodies > 0,
            Ok(Ok(_)) | Err(_) => {}
            Ok(Err(_)) if prober.bodies > 0 => over = true,
            Ok(Err(error)) => return Err(failure(&error)),
        }
        if canceled() {
            return if prober.bodies > 0 { Ok(prober.report()) } else { Err(interrupted()) };
        }
        if over || prober.is_satisfied(now.since(began)) {
            break;
        }
        if prober.bodies == 0 && now.since(began) >= PROBE_TIMEOUT {
            return Err(silent());
        }
    }
    client.close(Duration::from_millis(300)).await;
    Ok(prober.report())
}

async fn probe_web(
    text: &str,
    net: &net::Options,
    clock: Clock,
    canceled: &dyn Fn() -> bool,
    limit: Duration,
) -> Result<Report, Failure> {
    let to_failure = |problem| match problem {
        PullError::Net(error) => web_failure(&error),
        PullError::Failed(failure) | PullError::Stalls(failure) => failure,
    };
    let url = web::parse(text)?;
    let start = clock.now();
    let decode_budget = Arc::default();
    let opening = OpenDeadline::new(url.endpoint().to_string(), limit);
    let (buffer, dvr_window, opening) = (Arc::default(), Arc::default(), Arc::new(opening));
    let (net, decodable) = (net.clone(), (|_| true) as _);
    let ask = PullRequest { url, net, buffer, dvr_window, decode_budget, opening, decodable };
    let on_step = |step: net::Step<'_>| ask.opening.step(step);
    let opened = while_wanted(ask.opening.within(Pull::open(&ask, &on_step)), canceled).await?;
    let mut pull = opened?.map_err(to_failure)?;
    let recorded = pull.pace() == PlayPace::Recorded;
    let mut prober = Prober::new(!recorded, start);
    // The file is not read completely.
    prober.length = if recorded { Length::Declared } else { Length::None };
    let began = clock.now();
    let mut looked = began;
    loop {
        let item = timeout(Duration::from_millis(100), pull.next()).await;
        let now = clock.now();
        match item {
            Ok(Ok(Item::Tag(read))) => prober.take_tag(&read, now),
            Ok(Ok(Item::Event(StreamEvent::End))) if prober.is_bare() => return Err(silent()),
            Ok(Ok(Item::Event(StreamEvent::End))) => break,
            Ok(Ok(Item::Event(event))) => prober.take_event(&event, now),
            Ok(Ok(_)) | Err(_) => {}
            Ok(Err(_)) if prober.bodies > 0 => break,
            Ok(Err(problem)) => return Err(to_failure(problem)),
        }
        // A fast server would otherwise cause a thousand checks per second.
        if now.since(looked) >= Duration::from_millis(50) {
            looked = now;
            if canceled() {
                return if prober.bodies > 0 { Ok(prober.report()) } else { Err(interrupted()) };
            }
        }
        // Data that arrives faster than it plays counts with its media duration.
        let watched = now.since(began).max(Duration::from_secs_f64(prober.seconds()));
        if prober.is_satisfied(watched) || now.since(began) >= PROBE_TIMEOUT && !prober.is_bare() {
            break;
        }
        if now.since(began) >= PROBE_TIMEOUT {
            return Err(silent());
        }
    }
    // The file was not read completely: its end shows the duration, if the server supports range
    // requests.
    let measured = loop {
        if !recorded || canceled() {
            break None;
        }
        if let Ok(measured) = timeout(POLL_INTERVAL, pull.settle()).await {
            break measured;
        }
    };
    let report = prober.report();
    let duration = measured.map(|measured| measured.as_secs_f64()).or(report.duration);
    let report = Report { format: pull.format(), duration, ..report };
    Ok(match pull.index() {
        Some(index) => with_tracks(report, index),
        None => report,
    })
}

/// Probes a stream over SRT; opening may take at most `limit`.
async fn probe_srt(
    text: &str,
    net: &net::Options,
    clock: Clock,
    canceled: &dyn Fn() -> bool,
    limit: Duration,
) -> Result<Report, Failure> {
    let url = srt::parse(text)?;
    let start = clock.now();
    let opening = OpenDeadline::new(url.authority(), limit);
    let on_step = |step: net::Step<'_>| opening.step(step);
    let opened = srt::open(&url, net, clock, (&opening, &on_step));
    let mut socket = while_wanted(opened, canceled).await??;
    let (mut prober, began) = (Prober::new(true, start), clock.now());
    let (mut demuxer, mut events) = (ts::Demuxer::new(), ts::StreamEvents::default());
    loop {
        let next = timeout(POLL_INTERVAL, poll_fn(|cx| socket.poll_next(cx))).await;
        let now = clock.now();
        match next {
            Ok(Ok((payload, _))) => demuxer.push(&payload, &mut |event| {
                events.take(event, &mut |event| prober.take_event(&event, now));
            }),
            Err(_) => {}
            Ok(Err(_)) if prober.bodies > 0 => break,
            Ok(Err(cause)) => {
                let (stage, peer) = (ConnectStage::Media, url.authority());
                return Err(failure(&net::Error { stage, cause, peer }));
            }
        }
        if canceled() {
            return if prober.bodies > 0 { Ok(prober.report()) } else { Err(interrupted()) };
        }
        if prober.is_satisfied(now.since(began)) {
            break;
        }
        if prober.bodies == 0 && now.since(began) >= PROBE_TIMEOUT {
            return Err(silent());
        }
    }
    socket.close(SRT_CLOSE_TIMEOUT).await;
    Ok(Report { format: "mpegts", ..prober.report() })
}

/// Waits for a future, until the probe is canceled.
async fn while_wanted<T>(
    opening: impl Future<Output = T>,
    canceled: &dyn Fn() -> bool,
) -> Result<T, Failure> {
    tokio::pin!(opening);
    loop {
        match timeout(POLL_INTERVAL, &mut opening).await {
            Ok(opened) => return Ok(opened),
            Err(_) if canceled() => return Err(interrupted()),
            Err(_) => {}
        }
    }
}

fn interrupted() -> Failure {
    Failure::new(FailureKind::System, problem!("play-interrupted"))
}

/// The source of the length.
#[derive(Copy, Clone, Debug)]
enum Length {
    /// A broadcast has no end.
    None,
    /// The length comes from the metadata.
    Declared,
    /// The length is measured, because the metadata of a file that was cut declares its old length.
    Measured,
}

/// Collects the values of a probe.
struct Prober {
    length: Length,
    start: Timestamp,
    timeline: Timeline,
    metadata: Option<Value>,
    bodies: u64,
    video: Option<Video>,
    /// Colors declared outside the stream.
    declared_colors: Colors,
    rotation: Rotation,
    length_size: usize,
    audio: Option<Audio>,
    video_bytes: ByteCount,
    audio_bytes: ByteCount,
    video_timeline: FileTimeline,
    audio_timeline: FileTimeline,
    /// Presentation times of frames.
    times: VecDeque<i64>,
    /// The frame rate in the parameter sets.
    declared_fps: Option<f64>,
    keyframes: Vec<i64>,
    first_keyframe: Option<Timestamp>,
    unsupported: Vec<UnsupportedTrack>,
}

/// The number of bytes over time.
#[derive(Default)]
struct ByteCount {
    first: Option<i64>,
    last: i64,
    bytes: u64,
    /// Size of the last body in bytes. The duration of that body extends beyond the last time.
    last_bytes: u64,
}

impl ByteCount {
    fn add(&mut self, at: Timestamp, bytes: usize) {
        self.first.get_or_insert(at.as_micros());
        self.last = self.last.max(at.as_micros());
        self.bytes += bytes as u64;
        self.last_bytes = bytes as u64;
    }

    fn seconds(&self) -> f64 {
        self.first.map_or(0.0, |first| (self.last - first) as f64 / 1e6)
    }

    fn bitrate(&self) -> Option<f64> {
        let seconds = self.seconds();
        (seconds > 0.2).then(|| ((self.bytes - self.last_bytes) as f64 * 8.0 / seconds).round())
    }
}

impl Prober {
    fn new(live: bool, start: Timestamp) -> Self {
        Self {
            length: if live { Length::None } else { Length::Measured },
            start,
            timeline: Timeline::new(live),
            metadata: None,
            bodies: 0,
            video: None,
            declared_colors: Colors::default(),
            rotation: Rotation::None,
            length_size: 4,
            audio: None,
            video_bytes: ByteCount::default(),
            audio_bytes: ByteCount::default(),
            video_timeline: FileTimeline::default(),
            audio_timeline: FileTimeline::default(),
            times: VecDeque::new(),
            declared_fps: None,
            keyframes: Vec::new(),
            first_keyframe: None,
            unsupported: Vec::new(),
        }
    }

    /// Returns true if nothing was found.
    fn is_bare(&self) -> bool {
        self.bodies == 0 && self.unsupported.is_empty()
    }

    fn take_event(&mut self, event: &StreamEvent, now: Timestamp) {
        self.bodies += u64::from(event.track().is_some());
        match event {
            StreamEvent::Config(TrackConfig::Video(config)) => self.video_config(config),
            StreamEvent::Config(TrackConfig::Audio(config)) => self.audio_config(config),
            StreamEvent::Packet(packet) if packet.track == Track::Video => {
                self.video_packet(packet, now);
            }
            StreamEvent::Packet(packet) => self.audio_packet(packet, now),
            StreamEvent::Metadata(Metadata::Script(body)) => {
                if let Ok(Some(value)) = flv::metadata::parse_script(body) {
                    self.metadata.get_or_insert(value);
                }
            }
            StreamEvent::Metadata(Metadata::Unsupported(track)) => {
                unsupported::note(&mut self.unsupported, track);
            }
            StreamEvent::Metadata(Metadata::Chapter(_))
            | StreamEvent::Discontinuity
            | StreamEvent::End => {}
        }
    }

    fn take_tag(&mut self, read: &ReadTag, now: Timestamp) {
        for event in read.events.iter().flatten() {
            match event {
                TagEvent::Event(event) => self.take_event(event, now),
                TagEvent::UnsupportedVideo(format) => {
                    self.bodies += 1;
                    self.video(*format);
                }
                TagEvent::UnsupportedAudio(format) => {
                    self.bodies += 1;
                    self.audio(*format);
                }
                TagEvent::Colors(colors) => self.declared_colors = colors.or(self.declared_colors),
                TagEvent::Channels(format, channels) => {
                    self.audio(*format).channels = Some(*channels);
                }
                TagEvent::Damaged | TagEvent::TooLong(_) => {}
            }
        }
    }

    fn video_config(&mut self, described: &VideoConfig) {
        let config = &described.codec_config;
        let format = described.codec.into();
        self.rotation = described.rotation;
        let video = self.video(format);
        let Size { width, height } = described.size;
        video.size = Some((width, height)).filter(|_| width > 0 && height > 0).or(video.size);
        video.pixel_aspect = described.pixel_aspect.map(PixelAspect::sides).or(video.pixel_aspect);
        if config.is_empty() {
            return;
        }
        self.length_size = video::length_size(format, config);
        self.declared_fps = video::frame_rate(format, config);
        let video = self.video(format);
        if let Some(info) = video::described(format, config) {
            video.profile = info.profile;
            video.level = info.level;
            video.size = info.size.or(video.size);
            video.colors = info.colors.or(video.colors);
        }
    }

    fn video_packet(&mut self, packet: &EncodedPacket, now: Timestamp) {
        let Some(format) = self.video.as_ref().map(|video| video.format) else { return };
        let dts = self.timeline.place(Track::Video, packet.dts.as_micros(), now).dts;
        // The first keyframes contain all metadata.
        if packet.keyframe && self.keyframes.len() < MAX_PARSED_KEYFRAMES {
            let more = video::beside(format, &packet.data, self.length_size);
            let video = self.video(format);
            video.size = video.size.or(more.size);
            video.colors = more.colors.or(video.colors);
        }
        self.video_bytes.add(dts, packet.data.len());
        let composition = packet.pts.micros_since(packet.dts);
        let limit = file::MAX_COMPOSITION_MICROS;
        let pts = dts.as_micros() + composition.clamp(-limit, limit);
        self.video_timeline.add(pts);
        if self.times.len() < MAX_FRAME_TIMES {
            self.times.push_back(pts);
        }
        if packet.keyframe {
            self.first_keyframe.get_or_insert(now);
            if self.keyframes.len() < MAX_FRAME_TIMES {
                self.keyframes.push(dts.as_micros());
            }
        }
    }

    fn audio_config(&mut self, config: &AudioConfig) {
        self.audio(config.codec.into()).describe(config);
    }

    fn audio_packet(&mut self, packet: &EncodedPacket, now: Timestamp) {
        let Some(format) = self.audio.as_ref().map(|audio| audio.format) else { return };
        let dts = self.timeline.place(Track::Audio, packet.dts.as_micros(), now).dts;
        let audio = self.audio(format);
        // AC-3 has no config: each frame contains the parameters.
        if audio.channels.is_none()
            && matches!(format, AudioFormat::Ac3 | AudioFormat::Eac3)
            && let Some(info) = codec::ac3(&packet.data)
        {
            (audio.sample_rate, audio.channels) = (Some(info.sample_rate), Some(info.channels));
        }
        // The FLV header of MP3 cannot declare rates above 44.1 kHz, and other containers declare
        // no rate.
        if format == AudioFormat::Mp3
            && let Some(info) = mpeg_audio::header(&packet.data)
        {
            (audio.sample_rate, audio.channels) = (Some(info.sample_rate), Some(info.channels));
            audio.variant = Some(format!("mp{}", info.layer));
        }
        self.audio_bytes.add(dts, packet.data.len());
        self.audio_timeline.add(dts.as_micros());
    }

    fn video(&mut self, format: VideoFormat) -> &mut Video {
        self.video.get_or_insert(Video {
            format,
            profile: None,
            level: None,
            size: None,
            pixel_aspect: None,
            fps: None,
            bitrate: None,
            colors: Colors::default(),
        })
    }

    fn audio(&mut self, format: AudioFormat) -> &mut Audio {
        self.audio.get_or_insert_with(|| Audio::of(format))
    }

    /// Returns the duration of the observed media in seconds.
    fn seconds(&self) -> f64 {
        self.video_bytes.seconds().max(self.audio_bytes.seconds())
    }

    /// Returns the length in the metadata, in seconds.
    fn declared_duration(&self) -> Option<f64> {
        let seconds = self.metadata.as_ref()?.get_number("duration")?;
        (seconds > 0.0 && seconds.is_finite()).then_some(seconds)
    }

    /// Returns true if enough is known about a live stream.
    fn is_satisfied(&self, watched: Duration) -> bool {
        if watched >= PROBE_TIMEOUT {
            return self.bodies > 0;
        }
        let expected = |name: &str| {
            self.metadata.as_ref().is_none_or(|metadata| metadata.get_number(name).is_some())
        };
        let missing = |there: bool, name: &str| !there && expected(name);
        if missing(self.video.is_some(), "videocodecid")
            || missing(self.audio.is_some(), "audiocodecid")
        {
            return false;
        }
        let gop = self.video.is_none() || self.keyframes.len() >= 3;
        watched >= MIN_DURATION && (gop || watched >= COMPLETE_PROBE_DURATION)
    }

    fn report(self) -> Report {
        let number =
            |name: &str| self.metadata.as_ref().and_then(|metadata| metadata.get_number(name));
        let declared_rate = self.declared_fps.or_else(|| number("framerate"));
        let fps = video::measured_frame_rate(&self.times, declared_rate);
        let longest = self.seconds();
        let declared_duration = self.declared_duration();
        let upright = |(w, h)| if self.rotation.is_sideways() { (h, w) } else { (w, h) };
        let video = self.video.map(|video| Video {
            fps: fps.or_else(|| number("framerate").filter(|rate| *rate > 0.0)),
            size: video.size.map(upright).or_else(|| {
                let side = |name| number(name).filter(|side| (1.0..=65_535.0).contains(side));
                side("width").zip(side("height")).map(|(w, h)| (w as u32, h as u32))
            }),
            pixel_aspect: video.pixel_aspect.map(upright),
            bitrate: self.video_bytes.bitrate(),
            colors: video.colors.or(self.declared_colors),
            ..video
        });
        let audio = self.audio.map(|audio| Audio {
            sample_rate: audio.sample_rate.or_else(|| {
                let rate = number("audiosamplerate").filter(|r| (1.0..1e6).contains(r));
                rate.map(|rate| rate as u32)
            }),
            bitrate: self.audio_bytes.bitrate(),
            ..audio
        });
        let mut distances: Vec<i64> =
            self.keyframes.iter().zip(self.keyframes.iter().skip(1)).map(|(a, b)| b - a).collect();
        distances.sort_unstable();
        let gop = distances.get(distances.len() / 2);
        let span = Span::of(&self.video_timeline, &self.audio_timeline);
        let measured = span.map_or(0.0, |span| span.length().as_secs_f64());
        Report {
            format: Format::Flv.extension(),
            duration: match self.length {
                Length::None => None,
                Length::Declared => declared_duration,
                Length::Measured if longest > 0.0 => Some(measured),
                Length::Measured => declared_duration.or(Some(measured)),
            },
            metadata: self.metadata,
            video,
            audio,
            further: Vec::new(),
            unsupported: self.unsupported,
            gop_s: gop.map(|micros| *micros as f64 / 1e6),
            first_keyframe_ms: self
                .first_keyframe
                .map(|at| (at.micros_since(self.start) as f64 / 100.0).round() / 10.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};

    use super::*;
    use crate::media::VideoCodec;
    use crate::player::demux::file_samples::SampleFile;
    use crate::wire::container::track_config::{aac_config, bare_video_config};
    use crate::wire::container::{Muxer, Tracks, mkv};

    /// Creates a file with ten seconds of audio from `begins` milliseconds on.
    fn film(begins: u32) -> BytesMut {
        let mut film = BytesMut::from(&flv::file_header(true, false)[..]);
        for number in 0..500 {
            let mut body = vec![0xAF, 1];
            body.resize(1_000, 9);
            flv::write_tag(TagKind::Audio, begins + number * 20, &body, &mut film);
        }
        film
    }

    /// Returns the length of a file whose end is beyond the limit, in milliseconds.
    fn length_of(film: &[u8]) -> Option<f64> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.flv");
        std::fs::write(&path, film).unwrap();
        let report = probe_file(&path, 100_000, Clock::start(), &|| false).unwrap();
        report.duration.map(|seconds| (seconds * 1_000.0).round())
    }

    #[test]
    fn a_long_flv_file_is_as_long_as_its_end_says() {
        assert_eq!(length_of(&film(3_600_000)), Some(9_980.0));
        let film = film(0);
        assert_eq!(length_of(&film), Some(9_980.0));
        assert_eq!(length_of(&film[..film.len() - 500]), Some(9_980.0), "the last tag was cut");
        let unreadable = [&film[..], &vec![0xFF; 3 << 20]].concat();
        assert_eq!(length_of(&unreadable), None);
    }

    #[test]
    fn a_short_flv_file_is_as_long_as_what_is_left_of_it() {
        let metadata = Value::object([("duration", Value::Number(60.0))]);
        let metadata = crate::wire::amf0::encode(&[Value::from("onMetaData"), metadata]);
        let mut film = BytesMut::from(&flv::file_header(true, false)[..]);
        flv::write_tag(TagKind::Script, 0, &metadata, &mut film);
        flv::write_tag(TagKind::Audio, 0, &[0xAF, 0, 0x12, 0x10], &mut film);
        assert_eq!(length_of(&film), Some(60_000.0), "nothing is left to measure");
        for number in 0..=50 {
            flv::write_tag(TagKind::Audio, number * 20, &[0xAF, 1, 9, 9], &mut film);
        }
        assert_eq!(length_of(&film), Some(1_020.0));
    }

    /// Returns the track and the time in milliseconds of each packet in a file with audio from 0 s
    /// to 6 s, and video from 4 s to 10 s.
    fn late_video() -> Vec<(Track, u32)> {
        let audio = (0..300).map(|number| (Track::Audio, number * 20));
        let video = (0..150).map(|number| (Track::Video, 4_000 + number * 40));
        let mut packets: Vec<_> = audio.chain(video).collect();
        packets.sort_by_key(|(_, ms)| *ms);
        packets
    }

    #[test]
    fn an_flv_file_lasts_from_its_first_track_to_the_end_of_its_last() {
        let mut film = BytesMut::from(&flv::file_header(true, true)[..]);
        flv::write_tag(TagKind::Audio, 0, &[0xAF, 0, 0x12, 0x10], &mut film);
        for (track, ms) in late_video() {
            let (kind, body) = match track {
                Track::Video | Track::Rendition(_) => {
                    (TagKind::Video, &[0x17, 1, 0, 0, 0, 9, 9][..])
                }
                Track::Audio | Track::Extra(_) => (TagKind::Audio, &[0xAF, 1, 9, 9][..]),
            };
            flv::write_tag(kind, ms, body, &mut film);
        }
        assert_eq!(length_of(&film), Some(10_000.0));
    }

    #[test]
    fn a_file_with_an_index_lasts_as_long_as_it_plays() {
        let video = bare_video_config(VideoCodec::H264, Bytes::new(), &[]);
        let audio = aac_config(Bytes::from_static(&[0x11, 0x90])).unwrap().into();
        let mut writer = mkv::Writer::new(Tracks { video: Some(video), audio: vec![audio] });
        let mut film = writer.begin().to_vec();
        for (track, ms) in late_video() {
            let at = Timestamp::from_millis(ms.into());
            let data = Bytes::from_static(&[0, 0, 0, 2, 0x65, 7]);
            let packet = EncodedPacket::received(track, (at, at), true, data);
            writer.write(&StreamEvent::Packet(packet));
        }
        film.extend(writer.flush(film.len() as u64).append);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.mkv");
        std::fs::write(&path, film).unwrap();
        let report = probe_file(&path, MAX_FILE_BYTES, Clock::start(), &|| false).unwrap();
        let played = SampleFile::open(file_samples::open(&path).unwrap(), &path).unwrap().unwrap();
        assert_eq!(report.duration, Some(played.span.length().as_secs_f64()));
        assert_eq!(report.duration, Some(10.0));
    }
}
