//! Converts FLV tags and RTMP messages, legacy and enhanced, to stream events of the first track of
//! each kind. A few bodies with another codec within a stream count as damage, and are ignored. The
//! reader switches to another codec after a valid config has announced it, or after many
//! consecutive bodies with it. This module has no I/O.

#[cfg(test)]
mod tests;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::media::{
    AudioCodec, AudioConfig, EncodedPacket, Priority, Size, StreamEvent, Track, TrackConfig,
    VideoCodec, VideoConfig,
};
use crate::wire::codec::four_cc::{AudioFormat, VideoFormat};
use crate::wire::codec::{self, AudioInfo, Colors, mpeg_audio, vp9_key_size};
use crate::wire::container::flv::audio::{AudioPacket, AudioTag, LegacyAudio};
use crate::wire::container::flv::tag_content::TagContent;
use crate::wire::container::flv::video::{VideoPacket, VideoTag};
use crate::wire::container::flv::{FrameType, Metadata};
use crate::wire::container::track_config::{
    MAX_CONFIG_BYTES, aac_config, audio_config, bare_video_config_with_metadata, in_band,
    video_config_with_metadata,
};

/// Number of consecutive bodies of another codec that count as a real change.
const MIN_CODEC_CHANGE_TAGS: u32 = 12;

/// Result of a body.
#[derive(Clone, Debug)]
pub enum TagEvent {
    Event(StreamEvent),
    /// A codec that is undefined in FLV or has no decoder, reported once.
    UnsupportedVideo(VideoFormat),
    UnsupportedAudio(AudioFormat),
    /// The color description (Enhanced RTMP v2, `colorInfo`).
    Colors(Colors),
    /// The number of audio channels, from the channel layout.
    Channels(AudioFormat, u16),
    /// The body is invalid.
    Damaged,
    /// A config of this length in bytes, which is longer than any real one.
    TooLong(usize),
}

/// At most a config and its first packet.
pub(super) type TagEvents = [Option<TagEvent>; 2];

const NO_EVENTS: TagEvents = [None, None];

/// Converts the bodies of one stream, in order.
#[derive(Debug)]
pub(super) struct BodyReader {
    video: VideoReader,
    audio: AudioReader,
    /// True if a track begins only with its config.
    complete: bool,
}

#[derive(Debug)]
struct VideoReader {
    /// Returns true if a decoder for the codec exists. Other codecs need more evidence.
    decodable: fn(VideoCodec) -> bool,
    /// The declared frame rate, for configs without a frame rate.
    metadata: Metadata,
    /// The track that is read, which is the first that arrived.
    track: Option<u8>,
    /// The format of the stream, once it has begun.
    playing: Option<VideoFormat>,
    /// The last reported config.
    config: Option<(VideoCodec, Bytes)>,
    /// The size of the last reported VP9 frames, which only keyframes contain.
    vp9_size: Size,
    /// A config of another format, perhaps by accident.
    announced: Option<(VideoFormat, Option<VideoConfig>)>,
    /// Consecutive bodies of another codec.
    strange: u32,
    /// Damaged bodies before the first frame, until they are taken.
    strays: u32,
    suspect: Option<VideoFormat>,
    named: Option<VideoFormat>,
}

#[derive(Debug, Default)]
struct AudioReader {
    track: Option<u8>,
    aac: Option<AudioConfig>,
    /// True if the current audio is not AAC.
    other: bool,
    /// True if AAC frames arrived without a config.
    bare: bool,
    /// The unchanged config of a codec other than AAC.
    config: Bytes,
    /// The codec, other than AAC, that a config announced.
    announced: Option<AudioFormat>,
    /// True if the config differs from the last reported one.
    fresh: bool,
    /// Codec of the last config event if it is not AAC.
    reported: Option<(AudioCodec, Option<LegacyAudio>)>,
    strange: u32,
    named: Option<AudioFormat>,
}

impl BodyReader {
    /// Creates a reader. `decodable` is true for video codecs that the receiver of the events can
    /// decode.
    pub(super) fn new(decodable: fn(VideoCodec) -> bool) -> Self {
        let video = VideoReader {
            decodable,
            metadata: Metadata::default(),
            track: None,
            playing: None,
            config: None,
            vp9_size: Size::new(0, 0),
            announced: None,
            strange: 0,
            strays: 0,
            suspect: None,
            named: None,
        };
        Self { video, audio: AudioReader::default(), complete: false }
    }

    /// Leaves out tracks whose codec needs a config until it is known.
    pub(super) fn complete(self) -> Self {
        Self { complete: true, ..self }
    }

    /// Reads this audio track instead of the first one.
    pub(super) fn choose_audio(&mut self, track: u8) {
        self.audio.track = Some(track);
    }

    /// Returns the audio track that is read, once it is known.
    pub(super) fn audio_track(&self) -> Option<u8> {
        self.audio.track
    }

    /// Takes the frame rate that the metadata declares.
    pub(super) fn declare_frame_rate(&mut self, frame_rate: f64) {
        self.video.metadata.frame_rate = Some(frame_rate);
    }

    /// Starts a new connection or file, which earlier configs do not describe.
    pub(super) fn restart(&mut self) {
        self.video.settle();
        let (strays, named) = (self.video.strays, self.video.named);
        let audio_format = self.audio.named;
        *self = Self { complete: self.complete, ..Self::new(self.video.decodable) };
        (self.video.strays, self.video.named, self.audio.named) = (strays, named, audio_format);
    }

    /// Returns a format without a decoder that arrived a few times, without a frame of another
    /// format.
    pub(super) fn suspect(&self) -> Option<VideoFormat> {
        self.video.suspect
    }

    /// Takes the number of bodies that turned out to be damage, because valid ones followed.
    pub(super) fn take_strays(&mut self) -> u32 {
        std::mem::take(&mut self.video.strays)
    }

    /// Converts a video body with this DTS. `tag` is `None` if the body cannot be read.
    pub(super) fn video(
        &mut self,
        dts: Timestamp,
        tag: Option<VideoTag>,
        body: &Bytes,
    ) -> TagEvents {
        let Some(tag) = tag else { return one(TagEvent::Damaged) };
        let its = &mut self.video;
        if TagContent::of_video(&tag) == TagContent::Command {
            return NO_EVENTS;
        }
        let (keyframe, nanos) = (tag.frame_type == FrameType::Key, tag.offset_nanos);
        let disposable = tag.frame_type == FrameType::Disposable;
        let read = *its.track.get_or_insert(tag.track.id);
        let Some(track) = tag.into_track(read) else { return NO_EVENTS };
        match track.packet {
            VideoPacket::SequenceStart(config) if config.len() > MAX_CONFIG_BYTES => {
                one(TagEvent::TooLong(config.len()))
            }
            VideoPacket::SequenceStart(config) => its.config(track.format, apart(config, body)),
            VideoPacket::Frame { composition_ms, data } => {
                let micros = i64::from(composition_ms) * 1_000 + i64::from(nanos / 1_000);
                let priority = match keyframe {
                    true => Priority::Key,
                    false if disposable => Priority::Disposable,
                    false => Priority::Inter,
                };
                let pts = dts.offset(micros);
                let data = apart(data, body);
                if self.complete && its.lacks_config(track.format) {
                    return NO_EVENTS;
                }
                its.frame(track.format, packet(Track::Video, (dts, pts), priority, data))
            }
            VideoPacket::Metadata(values) => {
                let values = crate::wire::amf0::decode(&values).unwrap_or_default();
                let colors =
                    Colors::of_enhanced(&values).filter(|colors| *colors != Colors::default());
                colors.map_or(NO_EVENTS, |it| one(TagEvent::Colors(it)))
            }
            _ => NO_EVENTS,
        }
    }

    /// Converts an audio body with this DTS. `tag` is `None` if the body cannot be read.
    pub(super) fn audio(
        &mut self,
        dts: Timestamp,
        tag: Option<AudioTag>,
        body: &Bytes,
    ) -> TagEvents {
        let Some(tag) = tag else {
            return if body.is_empty() { NO_EVENTS } else { one(TagEvent::Damaged) };
        };
        let its = &mut self.audio;
        let (legacy, nanos) = (tag.legacy, tag.offset_nanos);
        let read = *its.track.get_or_insert(tag.track.id);
        let Some(mut track) = tag.into_track(read) else { return NO_EVENTS };
        match &mut track.packet {
            AudioPacket::SequenceStart(config) if config.len() > MAX_CONFIG_BYTES => {
                return one(TagEvent::TooLong(config.len()));
            }
            AudioPacket::SequenceStart(part) | AudioPacket::Frame(part) => {
                *part = apart(std::mem::take(part), body);
            }
            AudioPacket::MultichannelConfig { channels } => {
                return one(TagEvent::Channels(track.format, (*channels).into()));
            }
            AudioPacket::SequenceEnd => return NO_EVENTS,
        }
        let pts = dts.offset(i64::from(nanos / 1_000));
        let event = |data| packet(Track::Audio, (dts, pts), Priority::Key, data);
        if track.format == AudioFormat::Aac {
            if self.complete && its.aac.is_none() && matches!(track.packet, AudioPacket::Frame(_)) {
                return NO_EVENTS;
            }
            return match track.packet {
                AudioPacket::SequenceStart(config) => its.aac_config(config),
                AudioPacket::Frame(data) => its.aac_frame(event(data)),
                _ => NO_EVENTS,
            };
        }
        let Some(codec) = audio_codec(track.format, legacy) else {
            let known = its.named.replace(track.format) == Some(track.format);
            return if known { NO_EVENTS } else { one(TagEvent::UnsupportedAudio(track.format)) };
        };
        if its.is_damage(track.format, codec, legacy, &track.packet) {
            return one(TagEvent::Damaged);
        }
        match track.packet {
            AudioPacket::SequenceStart(config) => {
                let read = audio_config(codec, announced(legacy), &config, &[]);
                (its.config, its.fresh, its.other) = (config, true, false);
                // Without AAC, a readable config is no damage, and a playlist can begin with the audio. Otherwise, the
                // config's event is returned with the first frame. Until then, a few bodies of this codec may be damage
                // again.
                if its.aac.is_none() && read.is_some() {
                    return one(its.event(codec, legacy, &[]));
                }
                NO_EVENTS
            }
            AudioPacket::Frame(data) if !data.is_empty() => {
                its.other_frame(codec, legacy, event(data))
            }
            _ => NO_EVENTS,
        }
    }
}

impl VideoReader {
    /// Handles a config of a format.
    fn config(&mut self, format: VideoFormat, config: Bytes) -> TagEvents {
        if self.playing.is_some_and(|playing| playing != format) {
            let codec = self.decodable(format);
            let parsed = codec.and_then(|codec| {
                video_config_with_metadata(codec, config.clone(), &self.metadata)
            });
            let makes_sense = parsed.is_some();
            self.announced = Some((format, parsed));
            if self.is_passing() {
                return if makes_sense { NO_EVENTS } else { one(TagEvent::Damaged) };
            }
            self.give_up_playing(format);
        } else {
            self.announced = None;
        }
        if self.decodable(format).is_none() {
            // A config announces its codec, so a codec that onair knows is reported immediately.
            return self.unsupported(format, format.codec().is_some());
        }
        self.begin(format, config)
    }

    /// Handles a frame of a format.
    fn frame(&mut self, format: VideoFormat, mut packet: EncodedPacket) -> TagEvents {
        let mut fresh = None;
        if self.playing.is_some_and(|playing| playing != format) {
            let announced = self.announced.take_if(|(its, _)| *its == format);
            let parsed = announced.and_then(|(_, parsed)| parsed);
            if packet.keyframe && parsed.is_some() {
                // The format was announced and begins with a keyframe, so the change is real.
                (self.playing, fresh) = (Some(format), parsed);
            } else {
                let makes_sense = parsed.is_some();
                if makes_sense {
                    self.announced = Some((format, parsed));
                }
                if self.is_passing() {
                    return if makes_sense { NO_EVENTS } else { one(TagEvent::Damaged) };
                }
                if let Some(config) = self.give_up_playing(format) {
                    return self.begin(format, config);
                }
            }
        } else {
            self.announced = None;
        }
        let Some(codec) = self.decodable(format) else { return self.unsupported(format, false) };
        if packet.data.is_empty() {
            return NO_EVENTS;
        }
        // A byte for cropping precedes each frame.
        let is_vp6 = matches!(codec, VideoCodec::Vp6 | VideoCodec::Vp6Alpha);
        let crop = if is_vp6 { packet.data.split_to(1) } else { Bytes::new() };
        let known = self.playing == Some(format);
        let has_sets = || codec == VideoCodec::H264 && in_band(&packet.data).is_some();
        let begins = packet.keyframe && !codec.needs_config();
        if known || begins || has_sets() {
            self.settle();
            self.playing = Some(format);
        }
        if is_vp6 && self.playing != Some(format) {
            return NO_EVENTS;
        }
        let same =
            |(its, config): &(VideoCodec, Bytes)| *its == codec && (!is_vp6 || *config == crop);
        let needed = !self.config.as_ref().is_some_and(same);
        let bare =
            || bare_video_config_with_metadata(codec, crop.clone(), &packet.data, &self.metadata);
        let config = fresh.or_else(|| needed.then(bare)).or_else(|| self.resized(codec, &packet));
        let config = config.map(|config| self.event(config));
        [config, Some(TagEvent::Event(StreamEvent::Packet(packet)))]
    }

    /// Returns the config with the size of a VP9 keyframe if the size is new. The config of the
    /// publisher contains no size.
    fn resized(&self, codec: VideoCodec, packet: &EncodedPacket) -> Option<VideoConfig> {
        let (_, config) = self.config.as_ref().filter(|_| codec == VideoCodec::Vp9)?;
        let size = packet.keyframe.then(|| vp9_key_size(&packet.data)).flatten();
        let (width, height) = size?;
        let is_new = Size::new(width, height) != self.vp9_size;
        let metadata = &self.metadata;
        is_new
            .then(|| bare_video_config_with_metadata(codec, config.clone(), &packet.data, metadata))
    }

    /// Starts a new format.
    fn begin(&mut self, format: VideoFormat, config: Bytes) -> TagEvents {
        let config = format
            .codec()
            .and_then(|codec| video_config_with_metadata(codec, config, &self.metadata));
        let Some(mut config) = config else { return one(TagEvent::Damaged) };
        self.settle();
        self.playing = Some(format);
        let same = |(codec, its): &(VideoCodec, Bytes)| {
            (*codec, its) == (config.codec, &config.codec_config)
        };
        if config.codec == VideoCodec::Vp9 && self.config.as_ref().is_some_and(same) {
            config.size = self.vp9_size;
        }
        [Some(self.event(config)), None]
    }

    /// Returns true for the first format of a stream, if its codec needs a config that has not arrived.
    fn lacks_config(&self, format: VideoFormat) -> bool {
        let is_needed = format.codec().is_some_and(VideoCodec::needs_config);
        is_needed && self.config.is_none() && self.announced.is_none()
    }

    fn event(&mut self, config: VideoConfig) -> TagEvent {
        self.config = Some((config.codec, config.codec_config.clone()));
        self.vp9_size = config.size;
        TagEvent::Event(StreamEvent::Config(TrackConfig::Video(config)))
    }

    /// Gives up the current format after enough packets of another one. Returns the config of the
    /// new format, if one arrived.
    fn give_up_playing(&mut self, format: VideoFormat) -> Option<Bytes> {
        self.decodable(format)?;
        self.playing = None;
        let (_, parsed) = self.announced.take_if(|(its, _)| *its == format)?;
        parsed.map(|parsed| parsed.codec_config)
    }

    /// Returns the codec of a format, if it can be decoded.
    fn decodable(&self, format: VideoFormat) -> Option<VideoCodec> {
        let codec = format.codec()?;
        (self.playing == Some(format) || (self.decodable)(codec)).then_some(codec)
    }

    fn unsupported(&mut self, format: VideoFormat, announced: bool) -> TagEvents {
        // Before the first frame, a few such bodies are damage too.
        if self.playing.is_none() && !announced && self.is_passing() {
            // Damage must not choose the track.
            (self.track, self.suspect) = (None, Some(format));
            return NO_EVENTS;
        }
        let is_reported = self.named.replace(format) == Some(format);
        if is_reported { NO_EVENTS } else { one(TagEvent::UnsupportedVideo(format)) }
    }

    fn is_passing(&mut self) -> bool {
        self.strange += 1;
        self.strange < MIN_CODEC_CHANGE_TAGS
    }

    /// Counts the pending bodies as damage, after a valid body or at the end of the stream.
    fn settle(&mut self) {
        let strange = std::mem::take(&mut self.strange);
        self.suspect = None;
        if self.playing.is_none() {
            self.strays += strange;
        }
    }
}

impl AudioReader {
    fn aac_config(&mut self, config: Bytes) -> TagEvents {
        if config.is_empty() {
            return NO_EVENTS;
        }
        let Some(config) = aac_config(config) else { return one(TagEvent::Damaged) };
        (self.other, self.announced, self.reported) = (false, None, None);
        self.aac = Some(config.clone());
        one(TagEvent::Event(StreamEvent::Config(TrackConfig::Audio(config))))
    }

    fn aac_frame(&mut self, packet: EncodedPacket) -> TagEvents {
        if packet.data.is_empty() {
            return NO_EVENTS;
        }
        let Some(config) = &self.aac else {
            // The codec is known, but not its parameters.
            let config = (!std::mem::replace(&mut self.bare, true)).then(bare_aac);
            return [config, Some(TagEvent::Event(StreamEvent::Packet(packet)))];
        };
        // The stream returns from another codec without a config.
        let back = self
            .reported
            .take()
            .is_some()
            .then(|| TagEvent::Event(StreamEvent::Config(TrackConfig::Audio(config.clone()))));
        (self.strange, self.announced, self.other) = (0, None, false);
        [back, Some(TagEvent::Event(StreamEvent::Packet(packet)))]
    }

    /// Returns true if a body of a codec other than AAC arrived by accident.
    fn is_damage(
        &mut self,
        format: AudioFormat,
        codec: AudioCodec,
        legacy: Option<LegacyAudio>,
        packet: &AudioPacket,
    ) -> bool {
        if self.aac.is_none() || self.other {
            return false;
        }
        if let AudioPacket::SequenceStart(config) = packet
            && audio_config(codec, announced(legacy), config, &[]).is_some()
        {
            self.announced = Some(format);
        }
        if self.announced == Some(format) || is_itself(codec, packet) {
            return false;
        }
        self.strange += 1;
        self.strange < MIN_CODEC_CHANGE_TAGS
    }

    fn other_frame(
        &mut self,
        codec: AudioCodec,
        legacy: Option<LegacyAudio>,
        packet: EncodedPacket,
    ) -> TagEvents {
        let is_reported = self.reported == Some((codec, legacy)) && !self.fresh;
        if !self.other {
            let read = audio_config(codec, announced(legacy), &self.config, &packet.data);
            // In a stream with AAC, this is damage. Otherwise, this is the codec of the stream,
            // even if the frame cannot be read.
            if read.is_none() && self.aac.is_some() {
                return one(TagEvent::Damaged);
            }
            self.other = true;
        }
        let config = (!is_reported).then(|| self.event(codec, legacy, &packet.data));
        [config, Some(TagEvent::Event(StreamEvent::Packet(packet)))]
    }

    fn event(&mut self, codec: AudioCodec, legacy: Option<LegacyAudio>, data: &[u8]) -> TagEvent {
        (self.reported, self.fresh) = (Some((codec, legacy)), false);
        let read = audio_config(codec, announced(legacy), &self.config, data);
        // An unreadable config is left to the decoder, which reports the error.
        let config = read.unwrap_or_else(|| {
            let (sample_rate, channels) = announced(legacy).unwrap_or_default();
            AudioInfo { sample_rate, channels }.config(codec, self.config.clone())
        });
        TagEvent::Event(StreamEvent::Config(TrackConfig::Audio(config)))
    }
}

const fn one(event: TagEvent) -> TagEvents {
    [Some(event), None]
}

/// Returns the event of AAC without a known config.
fn bare_aac() -> TagEvent {
    let config = AudioInfo::default().config(AudioCodec::Aac, Bytes::new());
    TagEvent::Event(StreamEvent::Config(TrackConfig::Audio(config)))
}

/// Returns the sample rate and channels of a legacy header.
fn announced(legacy: Option<LegacyAudio>) -> Option<(u32, u16)> {
    legacy.map(|legacy| (legacy.sample_rate, legacy.channels))
}

fn packet(
    track: Track,
    times: (Timestamp, Timestamp),
    priority: Priority,
    data: Bytes,
) -> EncodedPacket {
    let keyframe = priority == Priority::Key;
    EncodedPacket { priority, ..EncodedPacket::received(track, times, keyframe, data) }
}

/// Returns a part of a body. A small part is copied, because it would keep the whole body in
/// memory.
fn apart(part: Bytes, body: &Bytes) -> Bytes {
    if part.len() < body.len() / 4 { Bytes::copy_from_slice(&part) } else { part }
}

/// Returns the codec of an FLV audio format, if it may be decoded.
pub fn audio_codec(format: AudioFormat, legacy: Option<LegacyAudio>) -> Option<AudioCodec> {
    Some(match format {
        AudioFormat::Aac => AudioCodec::Aac,
        AudioFormat::Mp3 => AudioCodec::Mp3,
        AudioFormat::Opus => AudioCodec::Opus,
        AudioFormat::Flac => AudioCodec::Flac,
        AudioFormat::Vorbis => AudioCodec::Vorbis,
        AudioFormat::Legacy(0 | 3) if legacy.is_some_and(|legacy| legacy.sample_bits == 8) => {
            AudioCodec::PcmU8
        }
        AudioFormat::Legacy(0 | 3) => AudioCodec::PcmS16Le,
        AudioFormat::Legacy(7) => AudioCodec::PcmAlaw,
        AudioFormat::Legacy(8) => AudioCodec::PcmMulaw,
        AudioFormat::Legacy(11) => AudioCodec::Speex,
        AudioFormat::Ac3 => AudioCodec::Ac3,
        AudioFormat::Eac3 => AudioCodec::Eac3,
        AudioFormat::Pcm => AudioCodec::Pcm,
        AudioFormat::Legacy(1) => AudioCodec::AdpcmSwf,
        AudioFormat::Legacy(4..=6) => AudioCodec::Nellymoser,
        _ => return None,
    })
}

/// Returns true if an audio packet is one whole frame of this codec, judged by the frame's own
/// header.
fn is_itself(codec: AudioCodec, packet: &AudioPacket) -> bool {
    let AudioPacket::Frame(data) = packet else { return false };
    let length = match codec {
        AudioCodec::Mp3 => mpeg_audio::header(data).map(|header| header.length),
        AudioCodec::Ac3 | AudioCodec::Eac3 => codec::ac3_frame(data).map(|(length, _)| length),
        _ => None,
    };
    length == Some(data.len())
}
