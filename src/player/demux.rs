//! FLV bodies, from RTMP or a file, become parameters and packets on the continuous media time.
//! Codecs that cannot be played are named once. Runs on the feed thread.

use bytes::Bytes;

use crate::base::Timestamp;
use crate::decode::inventory;
use crate::media::{
    AudioCodec, AudioParameters, BitsPerSecond, EncodedPacket, FrameRate, Priority, Size, Track,
    VideoCodec, VideoParameters,
};
use crate::player::packets::Unit;
use crate::player::timeline::{Timeline, Untidy};
use crate::wire::aac::AudioSpecificConfig;
use crate::wire::carried;
use crate::wire::flv::audio::{AudioPacket, LegacySound};
use crate::wire::flv::video::VideoPacket;
use crate::wire::flv::{self, AudioFormat, FrameType, VideoFormat};
use crate::wire::h264::{DecoderConfig, NalType, avcc_nals};
use crate::wire::mpeg_audio;
use crate::wire::sound::vorbis;

/// So many bodies of another codec in a row are no accident.
const MEANT: u32 = 12;

/// What a body gave.
#[derive(Debug)]
pub(super) enum Found {
    Video(Unit<VideoParameters>),
    Audio(Unit<AudioParameters>),
    /// Pictures of another kind than before, which no configuration announced.
    NewVideo(VideoParameters, EncodedPacket),
    /// Sound of another kind than before.
    NewAudio(AudioParameters, EncodedPacket),
    /// A codec we have no decoder for; told once a codec.
    UnsupportedVideo(VideoFormat),
    UnsupportedAudio(AudioFormat),
    /// The body makes no sense.
    Damaged,
    /// Nothing to decode in it.
    Nothing,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Demux {
    timeline: Timeline,
    /// The format of the pictures that are played, once they can be, and what is known of them.
    playing: Option<VideoFormat>,
    picture: Option<VideoParameters>,
    /// A configuration of another format, which may have come by accident.
    announced: Option<(VideoFormat, Bytes)>,
    /// Whether there is a decoder for the format that was asked for last.
    asked: Option<(VideoFormat, bool)>,
    audio_ready: bool,
    /// The tracks of pictures and sound that are played: those that came first.
    tracks: (Option<u8>, Option<u8>),
    told_video: Option<VideoFormat>,
    told_audio: Option<AudioFormat>,
    /// The configuration of sound that is no AAC, as it came, and what was told of it.
    sound_config: Bytes,
    sound: Option<AudioParameters>,
    /// The last configuration of AAC.
    aac: Option<AudioParameters>,
    /// Bodies of another codec in a row, of pictures and of sound.
    strange: (u32, u32),
    /// Microseconds that the next body is seen or heard past its milliseconds.
    past: u32,
    /// What was found of its times, until it is taken.
    untidy: Option<Untidy>,
    /// Pictures that came before what tells how to decode them.
    headless: u64,
}

impl Demux {
    /// For a stream that comes as it happens, or a file.
    pub(super) fn new(live: bool) -> Self {
        Self {
            timeline: Timeline::new(live),
            playing: None,
            picture: None,
            announced: None,
            asked: None,
            audio_ready: false,
            tracks: (None, None),
            told_video: None,
            told_audio: None,
            sound_config: Bytes::new(),
            sound: None,
            aac: None,
            strange: (0, 0),
            past: 0,
            untidy: None,
            headless: 0,
        }
    }

    /// What comes next with so many milliseconds is played at `at`, see [`Timeline::anchor`].
    pub(super) fn anchor(&mut self, raw_ms: u32, at: Timestamp, firm: bool, now: Timestamp) {
        self.timeline.anchor(raw_ms, at, firm, now);
    }

    /// What comes next is a file's beginning behind its end, see [`Timeline::turn`].
    pub(super) fn turn(&mut self) {
        self.timeline.turn();
    }

    /// The next body is seen or heard so many microseconds, less than a thousand, past its milliseconds.
    pub(super) fn set_past(&mut self, micros: u32) {
        self.past = micros;
    }

    /// What was found of the stream's times since the last call.
    pub(super) fn take_untidy(&mut self) -> Option<Untidy> {
        self.untidy.take()
    }

    /// Pictures that came before what tells how to decode them.
    pub(super) fn headless(&self) -> u64 {
        self.headless
    }

    /// Where a packet is played.
    fn place(&mut self, track: Track, time_ms: u32, now: Timestamp) -> Timestamp {
        let placed = self.timeline.place(track, time_ms, now);
        self.untidy = self.untidy.or(placed.untidy);
        placed.dts
    }

    /// What comes next is of another place of the recording, and is played at `at`.
    pub(super) fn move_to(&mut self, at: Timestamp, now: Timestamp) {
        self.timeline.move_to(at, now);
    }

    /// Whether what comes does so as it happens.
    pub(super) fn set_live(&mut self, live: bool) {
        self.timeline.set_live(live);
    }

    /// The connection was made anew.
    pub(super) fn restart(&mut self) {
        self.timeline.restart();
        (self.playing, self.picture, self.announced) = (None, None, None);
        self.audio_ready = false;
        self.tracks = (None, None);
        (self.sound, self.aac) = (None, None);
    }

    /// A video body with its wire time.
    pub(super) fn video(&mut self, time_ms: u32, body: &Bytes, now: Timestamp) -> Found {
        let Ok(tag) = flv::parse_video(body) else { return Found::Damaged };
        if tag.frame_type == FrameType::Command {
            return Found::Nothing;
        }
        let keyframe = tag.frame_type == FrameType::Key;
        let nanos = tag.offset_nanos + std::mem::take(&mut self.past) * 1_000;
        let played = *self.tracks.0.get_or_insert(tag.track.id);
        let Some(track) = tag.into_track(played) else { return Found::Nothing };
        let format = track.format;
        let picture =
            matches!(track.packet, VideoPacket::Frame { .. } | VideoPacket::SequenceStart(_));
        if !picture {
            return Found::Nothing;
        }
        if let Some(playing) = self.playing
            && playing != format
        {
            if let VideoPacket::SequenceStart(config) = &track.packet {
                self.announced = Some((format, config.clone()));
            }
            if self.is_passing(Track::Video) {
                return Found::Damaged;
            }
            // It is meant: from here on it is this one, where it can be played.
            if self.playable(format).is_some() {
                (self.playing, self.picture) = (None, None);
                if let Some((_, config)) = self.announced.take().filter(|(its, _)| *its == format) {
                    return self.begin(format, config);
                }
            }
        }
        let Some(codec) = self.playable(format) else {
            return if self.told_video.replace(format) == Some(format) {
                Found::Nothing
            } else {
                Found::UnsupportedVideo(format)
            };
        };
        match track.packet {
            VideoPacket::SequenceStart(config) => self.begin(format, config),
            VideoPacket::Frame { composition_ms, data } => {
                let (config, data) = match codec {
                    // The byte that crops the picture stands before each of them.
                    VideoCodec::Vp6 | VideoCodec::Vp6Alpha if !data.is_empty() => {
                        (Some(data.slice(..1)), data.slice(1..))
                    }
                    _ => (None, data),
                };
                let known = self.playing == Some(format);
                // Headers that are missing may stand in the pictures themselves.
                let inside =
                    (!known && codec == VideoCodec::H264).then(|| in_band(&data)).flatten();
                let headless = !known && codec.needs_config() && inside.is_none();
                if data.is_empty() || headless || !known && inside.is_none() && !keyframe {
                    self.headless += u64::from(headless && !data.is_empty());
                    return Found::Nothing;
                }
                self.strange.0 = 0;
                let dts = self.place(Track::Video, time_ms, now);
                // A picture more than ten seconds off its place is a lie.
                let composition = i64::from(composition_ms.clamp(-10_000, 10_000));
                let packet = EncodedPacket {
                    track: Track::Video,
                    pts: dts.offset(composition * 1_000 + i64::from(nanos / 1_000)),
                    dts,
                    keyframe,
                    priority: if keyframe { Priority::Key } else { Priority::Inter },
                    data,
                    captured: now,
                    rendition: None,
                };
                let same = config.is_none()
                    || self.picture.as_ref().map(|its| &its.config) == config.as_ref();
                if known && same {
                    return Found::Video(Unit::Packet(packet));
                }
                let parameters = inside.unwrap_or_else(|| {
                    other_video_parameters(codec, config.unwrap_or_default(), &packet.data)
                });
                (self.playing, self.picture) = (Some(format), Some(parameters.clone()));
                Found::NewVideo(parameters, packet)
            }
            _ => Found::Nothing,
        }
    }

    /// Pictures of this kind from here on.
    fn begin(&mut self, format: VideoFormat, config: Bytes) -> Found {
        let Some(codec) = self.playable(format) else {
            self.told_video = Some(format);
            return Found::UnsupportedVideo(format);
        };
        let parameters = match codec {
            VideoCodec::H264 => video_parameters(config),
            codec if codec.needs_config() && config.is_empty() => None,
            codec => Some(other_video_parameters(codec, config, &[])),
        };
        let Some(parameters) = parameters else { return Found::Damaged };
        self.strange.0 = 0;
        (self.playing, self.picture) = (Some(format), Some(parameters.clone()));
        Found::Video(Unit::Configure(parameters))
    }

    /// The codec of a format that can be decoded here.
    fn playable(&mut self, format: VideoFormat) -> Option<VideoCodec> {
        let codec = format.codec()?;
        if self.playing == Some(format) {
            return Some(codec);
        }
        let (of, can) = self.asked.get_or_insert((format, false));
        if *of != format || !*can {
            (*of, *can) = (format, inventory::video_decoder(codec).is_ok());
        }
        can.then_some(codec)
    }

    /// An audio body with its wire time.
    pub(super) fn audio(&mut self, time_ms: u32, body: &Bytes, now: Timestamp) -> Found {
        let Ok(tag) = flv::parse_audio(body) else {
            return if body.is_empty() { Found::Nothing } else { Found::Damaged };
        };
        let legacy = tag.legacy;
        let nanos = tag.offset_nanos + std::mem::take(&mut self.past) * 1_000;
        let played = *self.tracks.1.get_or_insert(tag.track.id);
        let Some(track) = tag.into_track(played) else { return Found::Nothing };
        let format = track.format;
        if format != AudioFormat::Aac {
            let Some(codec) = codec(format, legacy).filter(|codec| can_be_heard(*codec)) else {
                return if self.told_audio.replace(format) == Some(format) {
                    Found::Nothing
                } else {
                    Found::UnsupportedAudio(format)
                };
            };
            if self.aac.is_some() && self.sound.is_none() && self.is_passing(Track::Audio) {
                return Found::Damaged;
            }
            return self.other_sound(codec, legacy, track.packet, time_ms, nanos, now);
        }
        match track.packet {
            AudioPacket::SequenceStart(config) if config.is_empty() => Found::Nothing,
            AudioPacket::SequenceStart(config) => match audio_parameters(config) {
                Some(parameters) => {
                    self.audio_ready = true;
                    self.sound = None;
                    self.aac = Some(parameters.clone());
                    Found::Audio(Unit::Configure(parameters))
                }
                None => Found::Damaged,
            },
            AudioPacket::Frame(data) => {
                if data.is_empty() || !self.audio_ready {
                    return Found::Nothing;
                }
                self.strange.1 = 0;
                let packet = self.sound_packet(data, time_ms, nanos, now);
                match self.aac.clone().filter(|_| self.sound.take().is_some()) {
                    // Back from another codec, without a word.
                    Some(parameters) => Found::NewAudio(parameters, packet),
                    None => Found::Audio(Unit::Packet(packet)),
                }
            }
            _ => Found::Nothing,
        }
    }

    /// A packet of sound in its place.
    fn sound_packet(
        &mut self,
        data: Bytes,
        time_ms: u32,
        nanos: u32,
        now: Timestamp,
    ) -> EncodedPacket {
        let dts = self.place(Track::Audio, time_ms, now);
        EncodedPacket {
            track: Track::Audio,
            pts: dts.offset((nanos / 1_000).into()),
            dts,
            keyframe: true,
            priority: Priority::Key,
            data,
            captured: now,
            rendition: None,
        }
    }

    /// Another codec in the middle of a stream: a few bodies of it are garbage, more are meant.
    fn is_passing(&mut self, track: Track) -> bool {
        let count = match track {
            Track::Video => &mut self.strange.0,
            Track::Audio | Track::Extra(_) => &mut self.strange.1,
        };
        *count += 1;
        *count < MEANT
    }

    /// Sound that is no AAC. Most of it has no configuration: what its bodies say is one, told
    /// when it changes.
    fn other_sound(
        &mut self,
        codec: AudioCodec,
        legacy: Option<LegacySound>,
        packet: AudioPacket,
        time_ms: u32,
        nanos: u32,
        now: Timestamp,
    ) -> Found {
        match packet {
            AudioPacket::SequenceStart(config) => {
                self.sound_config = config;
                self.sound = None;
                Found::Nothing
            }
            AudioPacket::Frame(data) if !data.is_empty() => {
                let Some(parameters) = described(codec, legacy, &self.sound_config, &data) else {
                    return Found::Damaged;
                };
                let packet = self.sound_packet(data, time_ms, nanos, now);
                if self.sound.as_ref() == Some(&parameters) {
                    return Found::Audio(Unit::Packet(packet));
                }
                self.sound = Some(parameters.clone());
                Found::NewAudio(parameters, packet)
            }
            _ => Found::Nothing,
        }
    }
}

/// Whether there is a decoder for it, or silence in its place.
fn can_be_heard(codec: AudioCodec) -> bool {
    codec == AudioCodec::Speex || inventory::audio_decoder(codec).is_ok()
}

/// Which codec a format is, if it is one that may be decoded.
pub(super) fn codec(format: AudioFormat, legacy: Option<LegacySound>) -> Option<AudioCodec> {
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

/// What a configuration, or else a packet by itself, tells of sound that is no AAC.
fn described(
    codec: AudioCodec,
    legacy: Option<LegacySound>,
    config: &Bytes,
    data: &[u8],
) -> Option<AudioParameters> {
    let mut codec = codec;
    let (sample_rate, channels, config) = match codec {
        AudioCodec::Mp3 => {
            let header = mpeg_audio::header(data)?;
            if header.layer != 3 {
                codec = AudioCodec::Mp2;
            }
            (header.sample_rate, header.channels, Bytes::new())
        }
        AudioCodec::Ac3 | AudioCodec::Eac3 => {
            let told = carried::ac3(data)?;
            (told.sample_rate, told.channels, Bytes::new())
        }
        AudioCodec::Opus => {
            let told = carried::opus(config);
            (48_000, told.map_or(2, |told| told.channels), config.clone())
        }
        AudioCodec::Flac => {
            let told = carried::flac(config)?;
            // The stream marker and a block's head may stand before it.
            let from = if config.starts_with(b"fLaC") { 8 } else { 0 };
            (
                told.sample_rate,
                told.channels,
                config.get(from..from + 34).map(|_| config.slice(from..from + 34))?,
            )
        }
        AudioCodec::Vorbis => {
            let told = vorbis::told(config)?;
            (told.sample_rate, told.channels, config.clone())
        }
        AudioCodec::Pcm => {
            let told = carried::pcm::Pcm::parse(config)?;
            (told.sample_rate, told.channels, told.config())
        }
        _ => {
            let legacy = legacy?;
            let mono = matches!(codec, AudioCodec::Speex | AudioCodec::Nellymoser);
            (legacy.sample_rate, if mono { 1 } else { legacy.channels }, Bytes::new())
        }
    };
    Some(AudioParameters { codec, sample_rate, channels, bitrate: BitsPerSecond(0), config })
}

/// What the parameter sets in a picture's body tell, where they stand in it.
fn in_band(body: &Bytes) -> Option<VideoParameters> {
    let (mut sps, mut pps) = (None, None);
    // Without a configuration the lengths are of the usual size.
    for nal in avcc_nals(body, 4) {
        let nal = nal.ok()?;
        match NalType::of(nal) {
            Some(NalType::Sps) => sps = sps.or_else(|| Some(body.slice_ref(nal))),
            Some(NalType::Pps) => pps = pps.or_else(|| Some(body.slice_ref(nal))),
            _ => {}
        }
    }
    video_parameters(DecoderConfig::new(sps?, pps?).ok()?.build().ok()?)
}

fn video_parameters(config: Bytes) -> Option<VideoParameters> {
    let parsed = DecoderConfig::parse(&config).ok()?;
    let sps = parsed.first_sps().ok()?;
    let rate = sps.frame_rate().and_then(|(num, den)| FrameRate::new(num, den));
    Some(VideoParameters {
        codec: VideoCodec::H264,
        size: Size::new(sps.width, sps.height),
        frame_rate: rate.unwrap_or(FrameRate::FPS_30),
        bitrate: BitsPerSecond(0),
        config,
    })
}

/// Parameters of pictures that are no H.264: of their size what the configuration or the first of
/// them tells, which is nothing that a decoder needs.
fn other_video_parameters(codec: VideoCodec, config: Bytes, picture: &[u8]) -> VideoParameters {
    let told = match codec {
        VideoCodec::Hevc => carried::hevc(&config).and_then(|told| told.size),
        VideoCodec::Av1 => carried::av1(&config).and_then(|told| told.size),
        VideoCodec::Vp9 => carried::vp9_key_size(picture),
        _ => None,
    };
    let (width, height) = told.unwrap_or((0, 0));
    VideoParameters {
        codec,
        size: Size::new(width, height),
        frame_rate: FrameRate::FPS_30,
        bitrate: BitsPerSecond(0),
        config,
    }
}

fn audio_parameters(config: Bytes) -> Option<AudioParameters> {
    let parsed = AudioSpecificConfig::parse(&config).ok()?;
    Some(AudioParameters {
        codec: AudioCodec::Aac,
        sample_rate: parsed.output_sample_rate(),
        channels: parsed.output_channels(),
        bitrate: BitsPerSecond(0),
        config,
    })
}
