//! The publisher of a stream: its counters and properties, the importance of its messages, and its
//! dismissal.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::base::Timestamp;
use crate::server::access::publisher_limits::PublisherLimits;
use crate::server::access::rules::AppLimits;
use crate::server::event::{
    AudioFigures, LinkFigures, Protocol, PublisherFigures, Stalls, VideoFigures,
};
use crate::server::stream::bitrate_history::BitrateHistory;
use crate::server::stream::codec_figures;
use crate::server::stream::late_join_cache::CacheRule;
use crate::server::stream::message::Class;
use crate::server::stream::relayed::RelaySource;
use crate::text::Problem;
use crate::wire::codec::four_cc::{AudioFormat, VideoFormat};
use crate::wire::codec::h264::{DecoderConfig, profile_name};
use crate::wire::container::flv::audio::{AudioPacket, AudioTrack};
use crate::wire::container::flv::metadata::parse_script;
use crate::wire::container::flv::video::{VideoPacket, VideoTrack};
use crate::wire::container::flv::{Metadata, TagKind, default_track, parse_audio, parse_video};
use crate::wire::container::track_config;

/// The cache slot for enhanced video metadata (color), outside the tracks.
const COLOR_CACHE_SLOT: u16 = 256;
/// The first cache slot for channel layouts of the audio tracks.
const FIRST_LAYOUT_CACHE_SLOT: u16 = 512;

/// A publisher without data for this long has stalled.
const STALL_TIMEOUT: Duration = Duration::from_secs(1);
/// The bitrate of the last whole second is valid for this long. The next whole second ends earlier,
/// unless the publisher is silent.
const BITRATE_VALIDITY: Duration = Duration::from_secs(2);
/// A longer time between two keyframes is a jump of the publisher's times, and not their interval. Segments are shorter
/// anyway.
const MAX_KEY_INTERVAL_MS: u32 = 20_000;
/// The times of a new publisher stay unchanged if they follow the predecessor's last time by at
/// most the elapsed time plus this value.
const MAX_CONTINUATION_GAP_MS: u32 = 10_000;
/// Maximum length of an encoder's name, in characters.
const MAX_ENCODER_NAME_CHARS: usize = 80;

/// Publisher of a stream.
#[derive(Debug)]
pub(crate) struct Publisher {
    pub id: u64,
    pub protocol: Protocol,
    pub address: SocketAddr,
    pub link: LinkFigures,
    pub layers: Vec<(u32, u32)>,
    pub credentials: String,
    pub since: Timestamp,
    pub last_received: Timestamp,
    pub bytes: u64,
    /// The start of the second that is being counted, and the number of bytes in it.
    second: (Timestamp, u64),
    /// The bitrate over the last whole second with data.
    pub bitrate: u64,
    pub history: BitrateHistory,
    /// The stalls that have ended.
    stalls: Stalls,
    /// The default tracks of video and audio, which are the first ones.
    tracks: (Option<u8>, Option<u8>),
    /// The publisher's metadata.
    pub metadata: Metadata,
    pub video: Option<VideoFigures>,
    pub audio: Option<AudioFigures>,
    pub keys: KeyIntervals,
    pub dismissal: Arc<Dismissal>,
    /// True if the publisher changed its codec configs too often, and nothing more of it is passed on.
    pub is_over: bool,
    limits: PublisherLimits,
    /// The source of the stream.
    pub source: RelaySource,
}

/// Measured keyframe intervals of a stream.
#[derive(Debug, Default)]
pub(crate) struct KeyIntervals {
    last_ms: Option<u32>,
    longest_ms: Option<u32>,
}

impl KeyIntervals {
    /// Records a keyframe.
    pub fn note(&mut self, time_ms: u32) {
        let interval = self.last_ms.map(|last| time_ms.wrapping_sub(last));
        let interval = interval.filter(|interval| *interval <= MAX_KEY_INTERVAL_MS);
        self.longest_ms = self.longest_ms.max(interval);
        self.last_ms = Some(time_ms);
    }

    /// Returns the longest interval so far.
    pub fn longest(&self) -> Option<Duration> {
        self.longest_ms.map(|longest| Duration::from_millis(longest.into()))
    }
}

/// The dismissal of a publisher.
#[derive(Debug, Default)]
pub(crate) struct Dismissal {
    notify: Notify,
    reason: Mutex<Option<Problem>>,
    /// Number of bytes that the publisher had sent when another one replaced it.
    received: AtomicU64,
}

impl Dismissal {
    /// Dismisses the publisher.
    pub fn dismiss(&self, reason: Problem) {
        self.reason.lock().get_or_insert(reason);
        self.notify.notify_one();
    }

    /// Keeps the number of bytes that a replaced publisher has sent, for its last event.
    pub fn keep_received(&self, bytes: u64) {
        self.received.store(bytes, Ordering::Release);
    }

    /// Returns the number of bytes that a replaced publisher has sent.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Acquire)
    }

    /// Waits for the dismissal, and returns the reason.
    pub async fn stop_reason(&self) -> Problem {
        self.notify.notified().await;
        self.reason.lock().clone().unwrap_or_default()
    }
}

impl Publisher {
    /// Creates a publisher.
    pub fn new(id: u64, address: SocketAddr, credentials: &str, now: Timestamp) -> Self {
        Self {
            id,
            protocol: Protocol::Rtmp,
            address,
            link: LinkFigures::default(),
            layers: Vec::new(),
            credentials: credentials.to_owned(),
            since: now,
            last_received: now,
            bytes: 0,
            second: (now, 0),
            bitrate: 0,
            history: BitrateHistory::new(now),
            stalls: Stalls::default(),
            tracks: (None, None),
            metadata: Metadata::default(),
            video: None,
            audio: None,
            keys: KeyIntervals::default(),
            dismissal: Arc::default(),
            is_over: false,
            limits: PublisherLimits::default(),
            source: RelaySource::default(),
        }
    }

    /// Returns the publisher with this protocol.
    #[must_use]
    pub fn by(self, protocol: Protocol) -> Self {
        Self { protocol, ..self }
    }

    /// Returns the publisher with these limits.
    #[must_use]
    pub fn within(mut self, limits: &AppLimits) -> Self {
        self.limits = PublisherLimits::new(limits);
        self
    }

    /// Records that data has arrived.
    pub fn hear(&mut self, now: Timestamp) {
        self.stalls = self.stalls_until(now);
        self.last_received = now;
    }

    /// Returns the stalls so far, with the current one.
    pub fn stalls_until(&self, now: Timestamp) -> Stalls {
        let Stalls { count, longest } = self.stalls;
        let silent = now.since(self.last_received);
        if self.bytes == 0 || silent < STALL_TIMEOUT {
            return self.stalls;
        }
        Stalls { count: count + 1, longest: longest.max(silent) }
    }

    /// Returns the current bitrate, which falls to 0 while the publisher is silent.
    pub fn bitrate_at(&self, now: Timestamp) -> u64 {
        let elapsed = now.since(self.second.0);
        if elapsed < BITRATE_VALIDITY { self.bitrate } else { bitrate(self.second.1, elapsed) }
    }

    /// Returns the encoder's own name, if the publisher sends one.
    pub fn encoder(&self) -> Option<String> {
        let encoder = self.metadata.encoder.as_deref()?.trim();
        Some(encoder.chars().take(MAX_ENCODER_NAME_CHARS).collect()).filter(|_| !encoder.is_empty())
    }

    /// Returns the current figures.
    pub fn figures(&self, now: Timestamp) -> PublisherFigures {
        PublisherFigures {
            id: self.id,
            protocol: self.protocol,
            address: self.address,
            link: self.link,
            layers: self.layers.clone(),
            since: now.since(self.since),
            bytes: self.bytes,
            bitrate: self.bitrate_at(now),
            encoder: self.encoder(),
            stalls: self.stalls_until(now),
            video: self.video.clone(),
            audio: self.audio.clone(),
        }
    }

    /// Counts received data. Too much data disconnects the publisher.
    pub fn count(&mut self, bytes: usize, now: Timestamp) {
        if let Some(reason) = self.limits.count(bytes, now) {
            self.dismissal.dismiss(reason);
        }
        self.bytes += bytes as u64;
        self.history.count(bytes, now);
        self.second.1 += bytes as u64;
        let elapsed = now.since(self.second.0);
        if elapsed >= Duration::from_secs(1) {
            self.bitrate = bitrate(self.second.1, elapsed);
            self.second = (now, 0);
        }
    }

    /// Counts a codec config that replaces another one. Too many disconnect the publisher.
    pub fn count_change(&mut self, now: Timestamp) {
        if let Some(reason) = self.limits.change_config(now) {
            self.dismissal.dismiss(reason);
            self.is_over = true;
        }
    }

    /// Returns the importance of a body, and its part for viewers without multitrack support, if
    /// that differs. An unreadable body is passed on like any other.
    pub fn classify(
        &mut self,
        kind: TagKind,
        body: &Bytes,
        metadata: bool,
    ) -> (Class, CacheRule, Option<Option<Bytes>>) {
        match kind {
            TagKind::Script if metadata => {
                if let Ok(Some(value)) = parse_script(body) {
                    self.metadata = Metadata::from_value(&value);
                }
                (Class::Vital, CacheRule::Metadata, None)
            }
            TagKind::Script => (Class::Audio, CacheRule::Nothing, None),
            TagKind::Video => {
                let Ok(tag) = parse_video(body) else {
                    return (Class::Inter, CacheRule::Media, None);
                };
                let track = *self.tracks.0.get_or_insert(tag.track.id);
                let plain = tag.is_multitrack.then(|| default_track(kind, body, track));
                let ours = tag.tracks().find(|it| it.id == track);
                // The publisher itself says which frames are keyframes, so each config and frame of each track counts.
                // For H.264 and HEVC, only the configs have sizes.
                self.check_sizes(tag.tracks().flat_map(codec_figures::coded_sizes));
                if let Some(track) = ours.filter(|_| tag.is_keyframe()) {
                    self.observe_key(track);
                }
                let (class, keep) = match tag.track.packet {
                    _ if tag.is_sequence_start() => {
                        if let Some(track) = ours {
                            self.observe_video(track);
                        }
                        (Class::Vital, CacheRule::Header(tag.track.id.into()))
                    }
                    _ if tag.is_keyframe() && ours.is_some() => (Class::Key, CacheRule::Media),
                    VideoPacket::Metadata(_) => (Class::Vital, CacheRule::Header(COLOR_CACHE_SLOT)),
                    VideoPacket::SequenceEnd => (Class::Vital, CacheRule::Nothing),
                    _ => (Class::Inter, CacheRule::Media),
                };
                (class, keep, plain)
            }
            TagKind::Audio => {
                let Ok(tag) = parse_audio(body) else {
                    return (Class::Audio, CacheRule::Media, None);
                };
                let track = *self.tracks.1.get_or_insert(tag.track.id);
                let plain = tag.is_multitrack.then(|| default_track(kind, body, track));
                let unknown = |it: &AudioFigures| it.sample_rate.is_none();
                let other = tag.track.format != AudioFormat::Aac && tag.track.id == track;
                if other && (tag.is_sequence_start() || self.audio.as_ref().is_none_or(unknown)) {
                    self.audio = Some(codec_figures::of_audio(&tag, &self.metadata));
                }
                if !tag.is_sequence_start() {
                    return (Class::Audio, CacheRule::Media, plain);
                }
                if tag.track.id == track {
                    self.observe_audio(&tag.track);
                }
                let slot = if tag.is_layout() { FIRST_LAYOUT_CACHE_SLOT } else { 0 };
                (Class::Vital, CacheRule::Header(slot + u16::from(tag.track.id)), plain)
            }
        }
    }

    /// Records the figures of a keyframe. A keyframe without a size does not replace a known size.
    fn observe_key(&mut self, track: &VideoTrack) {
        let is_known = self.video.as_ref().is_some_and(|video| video.size.is_some());
        let is_h264 = track.format == VideoFormat::H264;
        if !is_h264 && (!is_known || !codec_figures::coded_sizes(track).is_empty()) {
            self.video = Some(codec_figures::of_video(track, &self.metadata));
        }
        self.check_declared_size(track);
    }

    /// Checks the recorded size of a track, which is the declared one if the server cannot read the size itself. A
    /// decoder of H.264, AV1 or VP9 needs the size that the server reads.
    fn check_declared_size(&self, track: &VideoTrack) {
        if !matches!(track.format, VideoFormat::H264 | VideoFormat::Av1 | VideoFormat::Vp9) {
            self.check_sizes(self.video.as_ref().and_then(|video| video.size).into_iter());
        }
    }

    /// Disconnects the publisher if one of these sizes is too large.
    fn check_sizes(&self, sizes: impl Iterator<Item = (u32, u32)>) {
        if let Some(reason) = self.limits.check_sizes(sizes) {
            self.dismissal.dismiss(reason);
        }
    }

    /// Records the figures of a config.
    fn observe_video(&mut self, track: &VideoTrack) {
        if track.format != VideoFormat::H264 {
            self.video = Some(codec_figures::of_video(track, &self.metadata));
            self.check_declared_size(track);
        } else if let VideoPacket::SequenceStart(config) = &track.packet
            && let Some(video) =
                track_config::h264_config_with_metadata(config.clone(), &self.metadata)
        {
            self.video = Some(VideoFigures {
                codec: "H.264".to_owned(),
                profile: h264_profile(config),
                size: Some((video.size.width, video.size.height)),
                pixel_aspect: video.pixel_aspect,
                fps: Some(video.frame_rate.as_f64()),
            });
        }
    }

    /// Records the figures of an AAC config.
    fn observe_audio(&mut self, track: &AudioTrack) {
        if let AudioPacket::SequenceStart(config) = &track.packet
            && track.format == AudioFormat::Aac
            && let Some(audio) =
                track_config::aac_config_with_metadata(config.clone(), &self.metadata)
        {
            self.audio = Some(AudioFigures {
                codec: "AAC".to_owned(),
                sample_rate: Some(audio.sample_rate),
                channels: Some(audio.channels),
            });
        }
    }
}

/// Returns the time shift of a new publisher, in milliseconds.
pub(super) fn shift(last: Option<(u32, Timestamp)>, first_ms: u32, now: Timestamp) -> u32 {
    let Some((last_ms, at)) = last else { return 0 };
    let elapsed = u32::try_from(now.since(at).as_millis()).unwrap_or(u32::MAX).max(1);
    let ahead_ms = first_ms.wrapping_sub(last_ms);
    if (1..=elapsed.saturating_add(MAX_CONTINUATION_GAP_MS)).contains(&ahead_ms) {
        // The times already continue, like those of onair's own publisher after a lost connection.
        return 0;
    }
    last_ms.wrapping_add(elapsed).wrapping_sub(first_ms)
}

/// Returns the bitrate of this number of bytes.
fn bitrate(bytes: u64, elapsed: Duration) -> u64 {
    (bytes as f64 * 8.0 / elapsed.as_secs_f64()) as u64
}

/// Returns the profile in an H.264 config (avcC, ISO/IEC 14496-15 §5.3.3.1).
fn h264_profile(config: &Bytes) -> Option<&'static str> {
    let config = DecoderConfig::parse(config).ok()?;
    Some(profile_name(config.profile_idc, config.constraints)).filter(|name| *name != "unknown")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Size;
    use crate::wire::amf0::Value;
    use crate::wire::codec::hevc_record;
    use crate::wire::container::flv::metadata_body;

    #[test]
    fn stalls_are_counted_once_data_has_come() {
        let at = Timestamp::from_millis;
        let mut publisher =
            Publisher::new(1, SocketAddr::from(([127, 0, 0, 1], 1)), "", Timestamp::ZERO);
        publisher.hear(at(3_000));
        for (time, bytes) in [(3_000, 10), (3_999, 10), (5_199, 10), (8_000, 10)] {
            publisher.hear(at(time));
            publisher.count(bytes, at(time));
        }
        let longest = Duration::from_millis(2_801);
        assert_eq!(publisher.stalls, Stalls { count: 2, longest });
    }

    #[test]
    fn a_silent_publisher_has_stalled_and_sends_nothing() {
        let at = Timestamp::from_millis;
        let mut publisher =
            Publisher::new(1, SocketAddr::from(([127, 0, 0, 1], 1)), "", Timestamp::ZERO);
        assert_eq!(publisher.stalls_until(at(5_000)), Stalls::default(), "no data yet");
        for time in (0..=3_000).step_by(500) {
            publisher.hear(at(time));
            publisher.count(1_000, at(time));
        }
        let figures = |publisher: &Publisher, time| {
            let stalls = publisher.stalls_until(at(time));
            (publisher.bitrate_at(at(time)), stalls.count, stalls.longest.as_millis())
        };
        assert_eq!(figures(&publisher, 3_999), (16_000, 0, 0));
        assert_eq!(figures(&publisher, 4_500), (16_000, 1, 1_500));
        assert_eq!(figures(&publisher, 10_000), (0, 1, 7_000));
        publisher.hear(at(10_000));
        publisher.count(1_000, at(10_000));
        assert_eq!(figures(&publisher, 10_500).1, 1, "counted once");
    }

    #[test]
    fn a_jump_of_the_times_is_no_keyframe_interval() {
        let mut keys = KeyIntervals::default();
        let times = [10_000, 12_000, 14_000, 0, 2_000, 3_600_000, 3_602_000];
        times.into_iter().for_each(|time_ms| keys.note(time_ms));
        assert_eq!(keys.longest(), Some(Duration::from_secs(2)));
    }

    #[test]
    fn a_config_without_a_frame_rate_has_that_of_the_metadata() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let mut publisher = Publisher::new(1, address, "", Timestamp::ZERO);
        let metadata = Value::ecma_array([("framerate", Value::Number(60.0))]);
        publisher.classify(TagKind::Script, &metadata_body(&metadata), true);
        // Without VUI.
        let (sps, pps) = ([0x67, 66, 0xc0, 10, 0xda, 0x0a, 0x1f, 0x90], [0x68, 0xce, 0x38, 0x80]);
        let [sps, pps] = [&sps[..], &pps].map(Bytes::copy_from_slice);
        let config = DecoderConfig::new(sps, pps).unwrap().build().unwrap();
        let body = Bytes::from([b"\x17\0\0\0\0", &config[..]].concat());
        publisher.classify(TagKind::Video, &body, false);
        assert_eq!(publisher.video.as_ref().and_then(|video| video.fps), Some(60.0));
    }

    #[test]
    fn anamorphic_video_has_its_displayed_size() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let mut publisher = Publisher::new(1, address, "", Timestamp::ZERO);
        // 720×576 with the pixel aspect 64:45.
        let sps = b"\x67\x42\xc0\x1e\xda\x02\xd0\x49\xbf\xf0\x04\x00\x02\xd0\x08";
        let (sps, pps) = (Bytes::from_static(sps), Bytes::from_static(b"\x68\xce\x38\x80"));
        let config = DecoderConfig::new(sps, pps).unwrap().build().unwrap();
        let body = Bytes::from([b"\x17\0\0\0\0", &config[..]].concat());
        publisher.classify(TagKind::Video, &body, false);
        let video = publisher.video.as_ref().unwrap();
        assert_eq!(video.size, Some((720, 576)));
        assert_eq!(video.displayed_size(), Some(Size::new(1_024, 576)));
    }

    /// A VP9 config, which has no size.
    const VP9_CONFIG: &[u8] = b"\x90vp09\x01\0\0\0\0\x0a\x82\x01\x01\x01\0\0";

    /// Sends bodies after metadata with this size to a publisher with a limit of 640x360. Returns the recorded size,
    /// and whether a video of 1920x1080 disconnects the publisher.
    fn after_declaring(
        (width, height): (f64, f64),
        bodies: &[&[u8]],
    ) -> (Option<(u32, u32)>, bool) {
        let limits = AppLimits { size: Some((640, 360)), ..AppLimits::default() };
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let mut publisher = Publisher::new(1, address, "", Timestamp::ZERO).within(&limits);
        let declared = [("width", Value::Number(width)), ("height", Value::Number(height))];
        let metadata = metadata_body(&Value::ecma_array(declared));
        publisher.classify(TagKind::Script, &metadata, true);
        for body in bodies {
            publisher.classify(TagKind::Video, &Bytes::copy_from_slice(body), false);
        }
        let reason = publisher.dismissal.reason.lock().as_ref().map(Problem::to_string);
        if let Some(reason) = &reason {
            assert!(reason.contains("1920x1080"), "{reason}");
        }
        (publisher.video.and_then(|video| video.size), reason.is_some())
    }

    /// Works like [`after_declaring`] with a size within the limit.
    fn after(bodies: &[&[u8]]) -> (Option<(u32, u32)>, bool) {
        after_declaring((320.0, 180.0), bodies)
    }

    #[test]
    fn the_size_of_each_frame_is_limited() {
        let config = VP9_CONFIG;
        let small = &b"\x91vp09\x82\x49\x83\x42\x40\x27\xf0\x16\x70"[..];
        let frame = &b"\x82\x49\x83\x42\x40\x77\xf0\x43\x70"[..];
        let [large, unmarked, second] =
            [&b"\x91vp09"[..], b"\xa1vp09", b"\x96\x01vp09\x01"].map(|it| [it, frame].concat());
        assert_eq!(after(&[config]), (Some((320, 180)), false));
        assert_eq!(after(&[config, small]), (Some((640, 360)), false));
        assert_eq!(after(&[config, &large]), (Some((1_920, 1_080)), true));
        assert_eq!(after(&[config, small, &large]), (Some((1_920, 1_080)), true));
        for hidden in [unmarked, second] {
            assert_eq!(after(&[config, small, &hidden]), (Some((640, 360)), true), "{hidden:?}");
        }
    }

    #[test]
    fn the_size_of_each_parameter_set_is_limited() {
        let sets =
            |small: &'static [u8], large: &'static [u8]| [small, large].map(Bytes::from_static);
        let [small, large] =
            sets(b"\x67\x42\xc0\x0d\xda\x05\x05\xc4", b"\x67\x42\xc0\x28\xda\x01\xe0\x08\x97\x95");
        let mut h264 = DecoderConfig::new(small, Bytes::from_static(b"\x68\xce\x38\x80")).unwrap();
        h264.sps.push(large);
        let h264 = [b"\x17\0\0\0\0", &h264.build().unwrap()[..]].concat();
        assert_eq!(after(&[&h264]), (Some((320, 176)), true));
        let hevc = sets(
            b"\x42\x01\x01\0\0\x03\0\0\x03\0\0\x03\0\0\x03\0\0\x03\0\0\xa0\x0a\x08\x0b\x54",
            b"\x42\x01\x01\0\0\x03\0\0\x03\0\0\x03\0\0\x03\0\0\x03\0\0\xa0\x03\xc0\x80\x10\xe5",
        );
        let hevc = hevc_record([&[], &hevc, &[]]).unwrap();
        let hevc = [b"\x90hvc1", &hevc[..]].concat();
        assert_eq!(after(&[&hevc]), (Some((320, 180)), true));
        let av1 = b"\x90av01\x81\x05\0\0\x0a\x08\0\0\0\x0d\x57\x7f\x86\xf0";
        assert_eq!(after(&[av1]), (Some((1_920, 1_080)), true));
    }

    #[test]
    fn the_declared_size_is_limited_if_the_server_cannot_read_the_size() {
        let (unreadable, vp8) = (&b"\x90hvc1\x01"[..], &b"\x91vp08\0"[..]);
        for body in [unreadable, vp8] {
            let declared = after_declaring((1_920.0, 1_080.0), &[body]);
            assert_eq!(declared, (Some((1_920, 1_080)), true), "{body:?}");
            assert_eq!(after(&[body]), (Some((320, 180)), false), "{body:?}");
        }
        let declared = after_declaring((1_920.0, 1_080.0), &[VP9_CONFIG]);
        assert_eq!(declared, (Some((1_920, 1_080)), false), "the frames of VP9 have a size");
    }

    /// The AudioSpecificConfig of stereo AAC-LC at 48 kHz.
    const ASC_48_KHZ: [u8; 2] = [0x11, 0x90];
    /// The AudioSpecificConfig of stereo AAC-LC at 44.1 kHz.
    const ASC_44_KHZ: [u8; 2] = [0x12, 0x10];

    #[test]
    fn figures_are_those_of_the_default_track() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let mut publisher = Publisher::new(1, address, "", Timestamp::ZERO);
        let legacy = Bytes::from([&[0xAF, 0][..], &ASC_48_KHZ].concat());
        publisher.classify(TagKind::Audio, &legacy, false);
        let rate = |publisher: &Publisher| publisher.audio.as_ref().unwrap().sample_rate;
        assert_eq!(rate(&publisher), Some(48_000));
        // Multitrack body with one track, number 1 (Enhanced RTMP v2, "Enhanced Audio").
        let second = Bytes::from([&b"\x95\x00mp4a\x01"[..], &ASC_44_KHZ].concat());
        publisher.classify(TagKind::Audio, &second, false);
        assert_eq!(rate(&publisher), Some(48_000));
    }
}
