//! FLV and RTMP media bodies as stream events: legacy and enhanced, of the first track of each kind.
//! A few bodies of another codec in the middle of a stream are damage and left out; announced ones, or
//! many of them, change the codec. Pure.

use bytes::Bytes;

use super::{FrameType, parse_audio, parse_video};
use crate::base::Timestamp;
use crate::media::{
    AudioCodec, AudioConfig, BitsPerSecond, EncodedPacket, Priority, StreamEvent, Track,
    TrackConfig, VideoCodec, VideoConfig,
};
use crate::wire::codec::four_cc::{AudioFormat, VideoFormat};
use crate::wire::codec::{self, Colors, mpeg_audio};
use crate::wire::container::flv::audio::{AudioPacket, LegacyAudio};
use crate::wire::container::flv::video::VideoPacket;
use crate::wire::container::track_config::{
    MAX_CONFIG, aac_config, audio_config, bare_video_config, in_band, video_config,
};

/// So many bodies of another codec in a row are no accident.
const MEANT: u32 = 12;

/// What a body gave.
#[derive(Clone, Debug)]
pub enum BodyEvent {
    Event(StreamEvent),
    /// A codec that FLV has no meaning for, or that cannot be decoded; told once.
    UnsupportedVideo(VideoFormat),
    UnsupportedAudio(AudioFormat),
    /// How colours are meant (Enhanced RTMP v2, `colorInfo`).
    Colors(Colors),
    /// How many channels the audio has, by its layout.
    Channels(AudioFormat, u16),
    /// The body makes no sense.
    Damaged,
    /// A config of so many bytes, which is longer than any real one.
    TooLong(usize),
}

/// At most a config and its first packet.
pub type BodyEvents = [Option<BodyEvent>; 2];

const NOTHING: BodyEvents = [None, None];

/// Reads the bodies of one stream, in their order.
#[derive(Debug)]
pub struct BodyReader {
    video: VideoReader,
    audio: AudioReader,
}

#[derive(Debug)]
struct VideoReader {
    /// Whether there is a decoder: what cannot be decoded is doubted longer.
    decodable: fn(VideoCodec) -> bool,
    /// The track that is read: the first that came.
    track: Option<u8>,
    /// What the stream is of, once it has begun.
    playing: Option<VideoFormat>,
    /// The last config event.
    config: Option<(VideoCodec, Bytes)>,
    /// A config of another format, which may have come by accident.
    announced: Option<(VideoFormat, Option<VideoConfig>)>,
    /// Bodies of another codec in a row.
    strange: u32,
    /// Those before the first picture that turned out to be damage, until they are taken.
    strays: u32,
    suspect: Option<VideoFormat>,
    named: Option<VideoFormat>,
}

#[derive(Debug, Default)]
struct AudioReader {
    track: Option<u8>,
    aac: Option<AudioConfig>,
    /// What is played is not AAC.
    other: bool,
    /// Frames of AAC came without a config.
    bare: bool,
    /// The config of what is not AAC, as it came.
    config: Bytes,
    /// Which codec beside AAC a config announced.
    announced: Option<AudioFormat>,
    /// It differs from the one in the last config event.
    fresh: bool,
    /// What the last config event was of, where that is not AAC.
    told: Option<(AudioCodec, Option<LegacyAudio>)>,
    strange: u32,
    named: Option<AudioFormat>,
}

impl BodyReader {
    /// `decodable`: whether video of a codec can be decoded by whoever takes the events.
    pub fn new(decodable: fn(VideoCodec) -> bool) -> Self {
        let video = VideoReader {
            decodable,
            track: None,
            playing: None,
            config: None,
            announced: None,
            strange: 0,
            strays: 0,
            suspect: None,
            named: None,
        };
        Self { video, audio: AudioReader::default() }
    }

    /// What comes next is of another connection or file: nothing of what came before describes it.
    pub fn restart(&mut self) {
        self.video.settle();
        let (strays, named) = (self.video.strays, self.video.named);
        let heard = self.audio.named;
        *self = Self::new(self.video.decodable);
        (self.video.strays, self.video.named, self.audio.named) = (strays, named, heard);
    }

    /// A format that cannot be decoded and came a few times before any picture, and no picture after.
    pub fn suspect(&self) -> Option<VideoFormat> {
        self.video.suspect
    }

    /// Bodies that were damage, as is known since what came after them was none.
    pub fn take_strays(&mut self) -> u32 {
        std::mem::take(&mut self.video.strays)
    }

    /// A video body that is decoded at `dts`.
    pub fn video(&mut self, dts: Timestamp, body: &Bytes) -> BodyEvents {
        let Ok(tag) = parse_video(body) else { return one(BodyEvent::Damaged) };
        let its = &mut self.video;
        if tag.frame_type == FrameType::Command {
            return NOTHING;
        }
        let (keyframe, nanos) = (tag.frame_type == FrameType::Key, tag.offset_nanos);
        let disposable = tag.frame_type == FrameType::Disposable;
        let read = *its.track.get_or_insert(tag.track.id);
        let Some(track) = tag.into_track(read) else { return NOTHING };
        match track.packet {
            VideoPacket::SequenceStart(config) if config.len() > MAX_CONFIG => {
                one(BodyEvent::TooLong(config.len()))
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
                its.frame(track.format, packet(Track::Video, (dts, pts), priority, data))
            }
            VideoPacket::Metadata(values) => {
                let values = crate::wire::amf0::decode(&values).unwrap_or_default();
                Colors::of_enhanced(&values).map_or(NOTHING, |it| one(BodyEvent::Colors(it)))
            }
            _ => NOTHING,
        }
    }

    /// An audio body that is decoded at `dts`.
    pub fn audio(&mut self, dts: Timestamp, body: &Bytes) -> BodyEvents {
        let Ok(tag) = parse_audio(body) else {
            return if body.is_empty() { NOTHING } else { one(BodyEvent::Damaged) };
        };
        let its = &mut self.audio;
        let (legacy, nanos) = (tag.legacy, tag.offset_nanos);
        let read = *its.track.get_or_insert(tag.track.id);
        let Some(mut track) = tag.into_track(read) else { return NOTHING };
        match &mut track.packet {
            AudioPacket::SequenceStart(config) if config.len() > MAX_CONFIG => {
                return one(BodyEvent::TooLong(config.len()));
            }
            AudioPacket::SequenceStart(part) | AudioPacket::Frame(part) => {
                *part = apart(std::mem::take(part), body);
            }
            AudioPacket::MultichannelConfig(layout) => {
                return one(BodyEvent::Channels(track.format, layout.channels.into()));
            }
            AudioPacket::SequenceEnd => return NOTHING,
        }
        let pts = dts.offset(i64::from(nanos / 1_000));
        let event = |data| packet(Track::Audio, (dts, pts), Priority::Key, data);
        if track.format == AudioFormat::Aac {
            return match track.packet {
                AudioPacket::SequenceStart(config) => its.aac_config(config),
                AudioPacket::Frame(data) => its.aac_frame(event(data)),
                _ => NOTHING,
            };
        }
        let Some(codec) = audio_codec(track.format, legacy) else {
            let told = its.named.replace(track.format) == Some(track.format);
            return if told { NOTHING } else { one(BodyEvent::UnsupportedAudio(track.format)) };
        };
        if its.is_damage(track.format, codec, legacy, &track.packet) {
            return one(BodyEvent::Damaged);
        }
        match track.packet {
            AudioPacket::SequenceStart(config) => {
                // Its event comes with the first frame; until then a few bodies of it are doubted again.
                (its.config, its.fresh, its.other) = (config, true, false);
                NOTHING
            }
            AudioPacket::Frame(data) if !data.is_empty() => {
                its.other_frame(codec, legacy, event(data))
            }
            _ => NOTHING,
        }
    }
}

impl VideoReader {
    /// A config of a format.
    fn config(&mut self, format: VideoFormat, config: Bytes) -> BodyEvents {
        if self.playing.is_some_and(|playing| playing != format) {
            let codec = self.decodable(format);
            let told = codec.and_then(|codec| video_config(codec, config.clone()));
            let makes_sense = told.is_some();
            self.announced = Some((format, told));
            if self.is_passing() {
                return if makes_sense { NOTHING } else { one(BodyEvent::Damaged) };
            }
            self.give_up_playing(format);
        } else {
            self.announced = None;
        }
        if self.decodable(format).is_none() {
            // What names a codec is believed where there is such a codec.
            return self.unsupported(format, format.codec().is_some());
        }
        self.begin(format, config)
    }

    /// A frame of a format.
    fn frame(&mut self, format: VideoFormat, mut packet: EncodedPacket) -> BodyEvents {
        let mut fresh = None;
        if self.playing.is_some_and(|playing| playing != format) {
            let announced = self.announced.take_if(|(its, _)| *its == format);
            let told = announced.and_then(|(_, told)| told);
            if packet.keyframe && told.is_some() {
                // Announced, and begun with a picture that the others can begin with: it is meant.
                (self.playing, fresh) = (Some(format), told);
            } else {
                let makes_sense = told.is_some();
                if makes_sense {
                    self.announced = Some((format, told));
                }
                if self.is_passing() {
                    return if makes_sense { NOTHING } else { one(BodyEvent::Damaged) };
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
            return NOTHING;
        }
        // The byte that crops the picture stands before each of them.
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
            return NOTHING;
        }
        let same =
            |(its, config): &(VideoCodec, Bytes)| *its == codec && (!is_vp6 || *config == crop);
        let needed = !self.config.as_ref().is_some_and(same);
        let config =
            fresh.or_else(|| needed.then(|| bare_video_config(codec, crop.clone(), &packet.data)));
        let config = config.map(|config| self.event(config));
        [config, Some(BodyEvent::Event(StreamEvent::Packet(packet)))]
    }

    /// Frames of this format from here on.
    fn begin(&mut self, format: VideoFormat, config: Bytes) -> BodyEvents {
        let config = format.codec().and_then(|codec| video_config(codec, config));
        let Some(config) = config else { return one(BodyEvent::Damaged) };
        self.settle();
        self.playing = Some(format);
        [Some(self.event(config)), None]
    }

    fn event(&mut self, config: VideoConfig) -> BodyEvent {
        self.config = Some((config.codec, config.config.clone()));
        BodyEvent::Event(StreamEvent::Config(TrackConfig::Video(config)))
    }

    /// Another format has come so often that it is meant. Returns its config, where one came.
    fn give_up_playing(&mut self, format: VideoFormat) -> Option<Bytes> {
        self.decodable(format)?;
        self.playing = None;
        let (_, told) = self.announced.take_if(|(its, _)| *its == format)?;
        told.map(|told| told.config)
    }

    /// The codec of a format that can be decoded.
    fn decodable(&self, format: VideoFormat) -> Option<VideoCodec> {
        let codec = format.codec()?;
        (self.playing == Some(format) || (self.decodable)(codec)).then_some(codec)
    }

    fn unsupported(&mut self, format: VideoFormat, announced: bool) -> BodyEvents {
        // Before the first picture too a few of them are damage.
        if self.playing.is_none() && !announced && self.is_passing() {
            // Damage chooses no track.
            (self.track, self.suspect) = (None, Some(format));
            return NOTHING;
        }
        let told = self.named.replace(format) == Some(format);
        if told { NOTHING } else { one(BodyEvent::UnsupportedVideo(format)) }
    }

    fn is_passing(&mut self) -> bool {
        self.strange += 1;
        self.strange < MEANT
    }

    /// A body of the stream itself, or no more come.
    fn settle(&mut self) {
        let strange = std::mem::take(&mut self.strange);
        self.suspect = None;
        if self.playing.is_none() {
            self.strays += strange;
        }
    }
}

impl AudioReader {
    fn aac_config(&mut self, config: Bytes) -> BodyEvents {
        if config.is_empty() {
            return NOTHING;
        }
        let Some(config) = aac_config(config) else { return one(BodyEvent::Damaged) };
        (self.other, self.announced, self.told) = (false, None, None);
        self.aac = Some(config.clone());
        one(BodyEvent::Event(StreamEvent::Config(TrackConfig::Audio(config))))
    }

    fn aac_frame(&mut self, packet: EncodedPacket) -> BodyEvents {
        if packet.data.is_empty() {
            return NOTHING;
        }
        let Some(config) = &self.aac else {
            // What it is of is known, and not how it is decoded.
            let config = (!std::mem::replace(&mut self.bare, true)).then(bare_aac);
            return [config, Some(BodyEvent::Event(StreamEvent::Packet(packet)))];
        };
        // Back from another codec, without a config.
        let back = self
            .told
            .take()
            .is_some()
            .then(|| BodyEvent::Event(StreamEvent::Config(TrackConfig::Audio(config.clone()))));
        (self.strange, self.announced, self.other) = (0, None, false);
        [back, Some(BodyEvent::Event(StreamEvent::Packet(packet)))]
    }

    /// Whether a body of another codec beside AAC came by accident.
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
        self.strange < MEANT
    }

    fn other_frame(
        &mut self,
        codec: AudioCodec,
        legacy: Option<LegacyAudio>,
        packet: EncodedPacket,
    ) -> BodyEvents {
        let told = self.told == Some((codec, legacy)) && !self.fresh;
        if !self.other {
            let read = audio_config(codec, announced(legacy), &self.config, &packet.data);
            if read.is_none() {
                return one(BodyEvent::Damaged);
            }
            self.other = true;
        }
        let config = (!told).then(|| self.event(codec, legacy, &packet.data));
        [config, Some(BodyEvent::Event(StreamEvent::Packet(packet)))]
    }

    fn event(&mut self, codec: AudioCodec, legacy: Option<LegacyAudio>, data: &[u8]) -> BodyEvent {
        (self.told, self.fresh) = (Some((codec, legacy)), false);
        let read = audio_config(codec, announced(legacy), &self.config, data);
        // What cannot be read is left to the decoder to name.
        let config = read.unwrap_or_else(|| {
            let (sample_rate, channels) = announced(legacy).unwrap_or_default();
            let config = self.config.clone();
            AudioConfig { codec, sample_rate, channels, bitrate: BitsPerSecond(0), config }
        });
        BodyEvent::Event(StreamEvent::Config(TrackConfig::Audio(config)))
    }
}

const fn one(event: BodyEvent) -> BodyEvents {
    [Some(event), None]
}

/// AAC of which nothing else is known.
fn bare_aac() -> BodyEvent {
    let (codec, config) = (AudioCodec::Aac, Bytes::new());
    let (sample_rate, channels, bitrate) = (0, 0, BitsPerSecond(0));
    let config = AudioConfig { codec, sample_rate, channels, bitrate, config };
    BodyEvent::Event(StreamEvent::Config(TrackConfig::Audio(config)))
}

/// Sample rate and channels of a legacy header.
fn announced(legacy: Option<LegacyAudio>) -> Option<(u32, u16)> {
    legacy.map(|legacy| (legacy.sample_rate, legacy.channels))
}

fn packet(
    track: Track,
    (dts, pts): (Timestamp, Timestamp),
    priority: Priority,
    data: Bytes,
) -> EncodedPacket {
    let keyframe = priority == Priority::Key;
    EncodedPacket { track, pts, dts, keyframe, priority, data, captured: dts, rendition: None }
}

/// A part of a body, copied where it is so small that it would keep the rest in memory.
fn apart(part: Bytes, body: &Bytes) -> Bytes {
    if part.len() < body.len() / 4 { Bytes::copy_from_slice(&part) } else { part }
}

/// Which codec a format of FLV is, if it is one that may be decoded.
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

/// Whether an audio packet is one whole frame of this codec by its own header.
fn is_itself(codec: AudioCodec, packet: &AudioPacket) -> bool {
    let AudioPacket::Frame(data) = packet else { return false };
    let length = match codec {
        AudioCodec::Mp3 => mpeg_audio::header(data).map(|header| header.length),
        AudioCodec::Ac3 | AudioCodec::Eac3 => codec::ac3_frame(data).map(|(length, _)| length),
        _ => None,
    };
    length == Some(data.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::codec::h264::DecoderConfig;

    const SPS: [u8; 25] = [
        0x67, 0x64, 0x00, 0x20, 0xac, 0xd9, 0x40, 0xc0, 0x29, 0xb0, 0x11, 0x00, 0x00, 0x03, 0x00,
        0x01, 0x00, 0x00, 0x03, 0x00, 0x32, 0x0f, 0x18, 0x31, 0x96,
    ];

    fn word(event: BodyEvent) -> String {
        match event {
            BodyEvent::Event(StreamEvent::Config(config)) => config.codec().name().to_owned(),
            BodyEvent::Event(StreamEvent::Packet(packet)) => {
                String::from_utf8_lossy(&packet.data).into_owned()
            }
            BodyEvent::UnsupportedVideo(format) => format!("no {format}"),
            BodyEvent::UnsupportedAudio(format) => format!("no {format}"),
            BodyEvent::Colors(_) | BodyEvent::Channels(..) => "told".to_owned(),
            BodyEvent::Damaged => "damaged".to_owned(),
            BodyEvent::TooLong(bytes) => format!("{bytes} bytes"),
        }
    }

    fn words(events: BodyEvents) -> Vec<String> {
        events.into_iter().flatten().map(word).collect()
    }

    fn video(reader: &mut BodyReader, body: &[u8]) -> Vec<String> {
        words(reader.video(Timestamp::ZERO, &Bytes::copy_from_slice(body)))
    }

    fn audio(reader: &mut BodyReader, body: &[u8]) -> Vec<String> {
        words(reader.audio(Timestamp::ZERO, &Bytes::copy_from_slice(body)))
    }

    fn aac_plays() -> BodyReader {
        let mut reader = BodyReader::new(|_| true);
        assert_eq!(audio(&mut reader, b"\xAF\x00\x11\x90"), ["AAC"]);
        assert_eq!(audio(&mut reader, b"\xAF\x01abc"), ["abc"]);
        reader
    }

    #[test]
    fn sound_that_is_announced_or_shows_what_it_is_follows_aac_at_once() {
        // STREAMINFO of 48 kHz and two channels.
        let mut flac = b"\x90fLaC".to_vec();
        flac.extend([0x10, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0x0B, 0xB8, 0x02, 0xF0]);
        flac.extend([0; 20]);
        let mut reader = aac_plays();
        assert!(audio(&mut reader, &flac).is_empty());
        assert_eq!(audio(&mut reader, b"\x91fLaCrest"), ["FLAC", "rest"]);
        assert_eq!(audio(&mut reader, b"\x91fLaCmore"), ["more"]);
        // Back without a config.
        assert_eq!(audio(&mut reader, b"\xAF\x01abc"), ["AAC", "abc"]);
        // A whole frame of MP3, 128 kbit/s at 44.1 kHz.
        let mut mp3 = vec![0x2F, 0xFF, 0xFB, 0x90, 0x64];
        mp3.resize(1 + 417, 0);
        let mut reader = aac_plays();
        assert_eq!(audio(&mut reader, &mp3[..300]), ["damaged"], "a part is no frame");
        assert_eq!(audio(&mut reader, &mp3)[0], "MP3");
        assert_eq!(audio(&mut reader, b"\x9Fabcd"), ["damaged"]);
    }

    #[test]
    fn sound_without_a_config_is_named_and_legacy_heads_tell_rate_and_channels() {
        let mut reader = BodyReader::new(|_| true);
        assert_eq!(audio(&mut reader, b"\xAF\x01abc"), ["AAC", "abc"]);
        assert_eq!(audio(&mut reader, b"\xAF\x01abc"), ["abc"]);
        let mut reader = BodyReader::new(|_| true);
        let [Some(BodyEvent::Event(StreamEvent::Config(TrackConfig::Audio(told)))), Some(_)] =
            reader.audio(Timestamp::ZERO, &Bytes::from_static(b"\x3Bab"))
        else {
            panic!("no config")
        };
        assert_eq!(
            (told.codec, told.sample_rate, told.channels),
            (AudioCodec::PcmS16Le, 22_050, 2)
        );
        assert_eq!(audio(&mut reader, b"\xCFab"), ["no audio codec 12"]);
        assert!(audio(&mut reader, b"\xCFab").is_empty(), "said once");
    }

    #[test]
    fn times_are_those_of_the_body_to_the_microsecond() {
        let mut reader = BodyReader::new(|_| true);
        let take = |reader: &mut BodyReader, body: &'static [u8]| {
            let at = Timestamp::from_micros(1_000_001);
            reader.video(at, &Bytes::from_static(body)).into_iter().flatten().find_map(
                |it| match it {
                    BodyEvent::Event(StreamEvent::Packet(it)) => {
                        Some((it.dts.as_micros(), it.pts.as_micros()))
                    }
                    _ => None,
                },
            )
        };
        assert_eq!(take(&mut reader, b"\x17\x01\x00\x00\x28abcd"), Some((1_000_001, 1_040_001)));
        // ModEx: 500,000 ns more.
        let mut reader = BodyReader::new(|_| true);
        assert_eq!(
            take(&mut reader, b"\x97\x02\x07\xA1\x20\x01vp09\x05"),
            Some((1_000_001, 1_000_501))
        );
    }

    #[test]
    fn a_config_has_a_bound_and_keeps_nothing_else() {
        let mut reader = BodyReader::new(|_| true);
        let long = [format!("{} bytes", MAX_CONFIG + 1)];
        let config = vec![0; MAX_CONFIG + 1];
        assert_eq!(video(&mut reader, &[&b"\x17\0\0\0\0"[..], &config].concat()), long);
        assert_eq!(video(&mut reader, &[&b"\x90hvc1"[..], &config].concat()), long);
        assert_eq!(audio(&mut reader, &[&b"\xAF\0"[..], &config].concat()), long);
        // The smallest of the parts of a large body is kept without the others.
        let body = Bytes::from(vec![0; 1 << 20]);
        let within = |part: &Bytes| body.as_ptr_range().contains(&part.as_ptr());
        assert!(!within(&apart(body.slice(9..99), &body)));
        assert!(within(&apart(body.slice(9..), &body)));
    }

    #[test]
    fn before_the_first_picture_a_few_of_no_codec_are_damage_and_more_are_meant() {
        let mut reader = BodyReader::new(|_| true);
        let strange = b"\x1F\x01\x00\x00\x00picture";
        for _ in 1..MEANT {
            assert!(video(&mut reader, strange).is_empty());
        }
        assert_eq!((reader.suspect(), reader.take_strays()), (Some(VideoFormat::Legacy(15)), 0));
        assert_eq!(video(&mut reader, strange), ["no unknown codec 15"]);
        // A new connection counts anew, and what comes after them decides what they were.
        let mut reader = BodyReader::new(|_| true);
        for _ in 1..MEANT {
            video(&mut reader, strange);
        }
        reader.restart();
        assert_eq!((reader.suspect(), reader.take_strays()), (None, MEANT - 1));
        // One of many tracks, of a codec that nobody knows.
        assert!(video(&mut reader, b"\x96\x01abcd\x25picture").is_empty());
        let config = DecoderConfig::new(
            Bytes::from_static(&SPS),
            Bytes::from_static(&[0x68, 0xEB, 0xE3, 0xCB, 0x22, 0xC0]),
        );
        let config = config.unwrap().build().unwrap();
        assert_eq!(video(&mut reader, &[b"\x17\0\0\0\0", &config[..]].concat()), ["H.264"]);
        assert!(reader.take_strays() > 0 && reader.suspect().is_none());
        // A codec that is known is believed as soon as it is announced.
        let mut reader = BodyReader::new(|codec| codec != VideoCodec::Vvc);
        assert_eq!(video(&mut reader, b"\x90vvc1config"), ["no VVC"]);
    }

    #[test]
    fn pictures_of_another_codec_begin_with_their_first_keyframe_where_they_were_announced() {
        let mut reader = BodyReader::new(|_| true);
        assert_eq!(video(&mut reader, b"\x90vp09conf"), ["VP9"]);
        assert_eq!(video(&mut reader, b"\x91vp09picture"), ["picture"]);
        assert!(video(&mut reader, b"\x90av01conf").is_empty());
        // One picture of the first, and the announcement was an accident.
        assert_eq!(video(&mut reader, b"\xA1vp09picture"), ["picture"]);
        assert_eq!(video(&mut reader, b"\x91av01picture"), ["damaged"]);
        assert!(video(&mut reader, b"\x90av01conf").is_empty());
        assert!(video(&mut reader, b"\xA1av01picture").is_empty(), "none to begin with");
        assert_eq!(video(&mut reader, b"\x91av01picture"), ["AV1", "picture"]);
        assert_eq!(video(&mut reader, b"\xA1av01more"), ["more"]);
    }

    #[test]
    fn the_byte_that_crops_vp6_is_its_config_and_tells_when_it_changes() {
        let mut reader = BodyReader::new(|_| true);
        assert!(video(&mut reader, b"\x24\x10inter").is_empty(), "none to begin with");
        let take = |reader: &mut BodyReader, body: &'static [u8]| {
            let events = reader.video(Timestamp::ZERO, &Bytes::from_static(body));
            let config = events.into_iter().flatten().find_map(|it| match it {
                BodyEvent::Event(StreamEvent::Config(TrackConfig::Video(it))) => Some(it.config),
                _ => None,
            });
            config.map(|config| config.to_vec())
        };
        assert_eq!(take(&mut reader, b"\x14\x10key"), Some(vec![0x10]));
        assert_eq!(take(&mut reader, b"\x24\x10inter"), None);
        assert_eq!(take(&mut reader, b"\x14\x20key"), Some(vec![0x20]));
    }
}
