//! FLV bodies (from RTMP or a file) and stream events become codec configs and packets on the continuous
//! media time. Codecs that cannot be played are named once. Runs on the feed thread. (It is long because its tests have a
//! stream for each codec.)

pub(in crate::player) mod codec_info;
pub(in crate::player) mod elementary;
pub(in crate::player) mod file_samples;
pub(in crate::player) mod flv_bodies;
pub(in crate::player) mod sequence_headers;
mod stream_events;
pub(in crate::player) mod track_presence;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::decode::inventory;
use crate::media::{
    AudioCodec, AudioConfig, EncodedPacket, Priority, Track, VideoCodec, VideoConfig,
};
use crate::player::buffer::packets::BufferedPacket;
use crate::player::clock::timeline::{Timeline, TimestampAnomaly};
use crate::player::demux::codec_info::{
    MAX_CONFIG, apart, audio_parameters, can_be_heard, codec, configured, described, in_band,
    is_itself, other_video_parameters,
};
use crate::wire::codec::four_cc::{AudioFormat, VideoFormat};
use crate::wire::container::flv;
use crate::wire::container::flv::FrameType;
use crate::wire::container::flv::audio::{AudioPacket, LegacyAudio};
use crate::wire::container::flv::video::VideoPacket;

/// So many bodies of another codec in a row are no accident.
const MEANT: u32 = 12;

/// A frame that is shown more microseconds than this before or after it is decoded is a lie.
const MAX_COMPOSITION: i64 = 10_000_000;

/// What a body gave.
#[derive(Debug)]
pub(super) enum DemuxedBody {
    Video(BufferedPacket<VideoConfig>),
    Audio(BufferedPacket<AudioConfig>),
    /// Pictures of another kind than before, which no configuration announced.
    NewVideo(VideoConfig, EncodedPacket),
    /// Sound of another kind than before.
    NewAudio(AudioConfig, EncodedPacket),
    /// A codec we have no decoder for; told once a codec.
    UnsupportedVideo(VideoFormat),
    UnsupportedAudio(AudioFormat),
    /// The body makes no sense.
    Damaged,
    /// What tells how to decode is so many bytes long, which no such thing is.
    TooLong(usize),
    /// Nothing to decode in it.
    Nothing,
}

/// A frame of a source, not placed yet: times are microseconds.
struct Frame {
    format: VideoFormat,
    codec: VideoCodec,
    keyframe: bool,
    /// When it is decoded, by the source.
    raw: i64,
    /// So much later it is shown.
    composition: i64,
    data: Bytes,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Demux {
    timeline: Timeline,
    /// The format of the pictures that are played, once they can be, and what is known of them.
    playing: Option<VideoFormat>,
    picture: Option<VideoConfig>,
    /// A configuration of another format, which may have come by accident, and what it tells.
    announced: Option<(VideoFormat, Bytes, Option<VideoConfig>)>,
    /// Whether there is a decoder for the format that was asked for last.
    asked: Option<(VideoFormat, bool)>,
    audio_ready: bool,
    /// The tracks of pictures and sound that are played: those that came first.
    tracks: (Option<u8>, Option<u8>),
    told_video: Option<VideoFormat>,
    told_audio: Option<AudioFormat>,
    /// The configuration of sound that is no AAC, as it came, which kind of sound it announced beside
    /// AAC, and what was told of it.
    audio_config: Bytes,
    audio_announced: Option<AudioFormat>,
    sound: Option<AudioConfig>,
    /// The last configuration of AAC.
    aac: Option<AudioConfig>,
    /// Bodies of another codec in a row, of pictures and of sound.
    strange: (u32, u32),
    /// Such ones before the first picture that turned out to be none, until they are taken.
    strays: u32,
    /// What they were of.
    suspect: Option<VideoFormat>,
    /// When the next body is seen or heard, where that is known better than the body says.
    exact_pts: Option<i64>,
    /// What the events of a source are of.
    source: (Option<VideoCodec>, Option<AudioCodec>),
    /// What was found of its times, until it is taken.
    untidy: Option<TimestampAnomaly>,
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
            audio_config: Bytes::new(),
            audio_announced: None,
            sound: None,
            aac: None,
            strange: (0, 0),
            strays: 0,
            suspect: None,
            exact_pts: None,
            source: (None, None),
            untidy: None,
            headless: 0,
        }
    }

    /// What comes next with so many microseconds is played at `at`, see [`Timeline::anchor`].
    pub(super) fn anchor(&mut self, raw: i64, at: Timestamp, firm: bool, now: Timestamp) {
        self.timeline.anchor(raw, at, firm, now);
    }

    /// What comes next is a file's beginning behind its end, see [`Timeline::turn`].
    pub(super) fn turn(&mut self) {
        self.timeline.turn();
    }

    /// The next body is seen or heard at these microseconds, whatever it says.
    pub(super) fn set_pts(&mut self, pts: i64) {
        self.exact_pts = Some(pts);
    }

    /// What was found of the stream's times since the last call.
    pub(super) fn take_untidy(&mut self) -> Option<TimestampAnomaly> {
        self.untidy.take()
    }

    /// What cannot be decoded here and came a few times before any picture, and no picture after it.
    pub(super) fn suspect(&self) -> Option<VideoFormat> {
        self.suspect
    }

    /// Bodies that made no sense, as is known since what came after them does.
    pub(super) fn take_strays(&mut self) -> u32 {
        std::mem::take(&mut self.strays)
    }

    /// Pictures that came before what tells how to decode them.
    pub(super) fn headless(&self) -> u64 {
        self.headless
    }

    /// Where a packet is played.
    fn place(&mut self, track: Track, raw: i64, now: Timestamp) -> Timestamp {
        let placed = self.timeline.place(track, raw, now);
        self.untidy = self.untidy.or(placed.untidy);
        placed.dts
    }

    /// Where sound was played says nothing of what comes next of it.
    pub(super) fn forget_audio(&mut self) {
        self.timeline.forget(Track::Audio);
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
        self.begin_anew();
    }

    /// What comes next is of another file; `firm`: its times are believed, whatever they are.
    pub(super) fn take_file(&mut self, firm: bool) {
        self.timeline.set_firm(firm);
        self.begin_anew();
    }

    /// Nothing of what came before tells what comes.
    fn begin_anew(&mut self) {
        self.settle();
        self.strange.1 = 0;
        (self.playing, self.picture, self.announced) = (None, None, None);
        self.audio_ready = false;
        self.tracks = (None, None);
        (self.sound, self.aac, self.audio_announced) = (None, None, None);
        self.source = (None, None);
    }

    /// A video body with its time in microseconds.
    pub(super) fn video(&mut self, raw: i64, body: &Bytes, now: Timestamp) -> DemuxedBody {
        let exact_pts = self.exact_pts.take();
        let Ok(tag) = flv::parse_video(body) else { return DemuxedBody::Damaged };
        if tag.frame_type == FrameType::Command {
            return DemuxedBody::Nothing;
        }
        let keyframe = tag.frame_type == FrameType::Key;
        let nanos = tag.offset_nanos;
        let played = *self.tracks.0.get_or_insert(tag.track.id);
        let Some(mut track) = tag.into_track(played) else { return DemuxedBody::Nothing };
        let format = track.format;
        match &mut track.packet {
            VideoPacket::SequenceStart(config) if config.len() > MAX_CONFIG => {
                return DemuxedBody::TooLong(config.len());
            }
            VideoPacket::SequenceStart(part) | VideoPacket::Frame { data: part, .. } => {
                *part = apart(std::mem::take(part), body);
            }
            _ => return DemuxedBody::Nothing,
        }
        let mut fresh = None;
        if let Some(playing) = self.playing
            && playing != format
        {
            if let VideoPacket::SequenceStart(config) = &track.packet {
                let codec = self.playable(format);
                let told = codec.and_then(|codec| configured(codec, config.clone()));
                self.announced = Some((format, config.clone(), told));
            }
            let announced = self.announced.as_ref().filter(|(its, ..)| *its == format);
            let told = announced.and_then(|(.., told)| told.clone());
            if keyframe && told.is_some() && matches!(track.packet, VideoPacket::Frame { .. }) {
                // Announced, and begun with a picture that the others can begin with: it is meant.
                (self.playing, self.picture) = (Some(format), told.clone());
                (self.announced, fresh) = (None, told);
            } else if self.is_passing(Track::Video) {
                return if told.is_some() { DemuxedBody::Nothing } else { DemuxedBody::Damaged };
            } else if self.playable(format).is_some() {
                // It is meant: from here on it is this one, where it can be played.
                (self.playing, self.picture) = (None, None);
                if let Some((_, config, _)) =
                    self.announced.take().filter(|(its, ..)| *its == format)
                {
                    return self.begin(format, config);
                }
            }
        } else {
            self.announced = None;
        }
        let Some(codec) = self.playable(format) else {
            let announced =
                matches!(track.packet, VideoPacket::SequenceStart(_)) && format.codec().is_some();
            // Before the first picture too a few of them are garbage.
            if self.playing.is_none() && !announced && self.is_passing(Track::Video) {
                // Garbage chooses no track.
                (self.tracks.0, self.suspect) = (None, Some(format));
                return DemuxedBody::Nothing;
            }
            return if self.told_video.replace(format) == Some(format) {
                DemuxedBody::Nothing
            } else {
                DemuxedBody::UnsupportedVideo(format)
            };
        };
        match track.packet {
            VideoPacket::SequenceStart(config) => self.begin(format, config),
            VideoPacket::Frame { composition_ms, data } => {
                let (config, data) = match codec {
                    // The byte that crops the picture stands before each of them.
                    VideoCodec::Vp6 | VideoCodec::Vp6Alpha if !data.is_empty() => {
                        (data.get(..1).map(Bytes::copy_from_slice), data.slice(1..))
                    }
                    _ => (None, data),
                };
                let said = i64::from(composition_ms) * 1_000 + i64::from(nanos / 1_000);
                let composition = exact_pts.map_or(said, |pts| pts.saturating_sub(raw));
                let frame = Frame { format, codec, keyframe, raw, composition, data };
                self.frame(frame, config, fresh, now)
            }
            _ => DemuxedBody::Nothing,
        }
    }

    /// A frame, which may begin what is played: by the `config` that stands before it, or by a `fresh`
    /// one that announced it.
    fn frame(
        &mut self,
        frame: Frame,
        config: Option<Bytes>,
        fresh: Option<VideoConfig>,
        now: Timestamp,
    ) -> DemuxedBody {
        let Frame { format, codec, keyframe, raw, composition, data } = frame;
        let known = self.playing == Some(format);
        // Headers that are missing may stand in the pictures themselves.
        let inside = (!known && codec == VideoCodec::H264).then(|| in_band(&data)).flatten();
        let headless = !known && codec.needs_config() && inside.is_none();
        if data.is_empty() || headless || !known && inside.is_none() && !keyframe {
            self.headless += u64::from(headless && !data.is_empty());
            return DemuxedBody::Nothing;
        }
        self.settle();
        let dts = self.place(Track::Video, raw, now);
        let packet = EncodedPacket {
            track: Track::Video,
            pts: dts.offset(composition.clamp(-MAX_COMPOSITION, MAX_COMPOSITION)),
            dts,
            keyframe,
            priority: if keyframe { Priority::Key } else { Priority::Inter },
            data,
            captured: now,
            rendition: None,
        };
        let same =
            config.is_none() || self.picture.as_ref().map(|its| &its.config) == config.as_ref();
        if known && same && fresh.is_none() {
            return DemuxedBody::Video(BufferedPacket::Packet(packet));
        }
        let parameters = fresh.or(inside).unwrap_or_else(|| {
            other_video_parameters(codec, config.unwrap_or_default(), &packet.data)
        });
        (self.playing, self.picture) = (Some(format), Some(parameters.clone()));
        DemuxedBody::NewVideo(parameters, packet)
    }

    /// Pictures of this kind from here on.
    fn begin(&mut self, format: VideoFormat, config: Bytes) -> DemuxedBody {
        let Some(codec) = self.playable(format) else {
            self.told_video = Some(format);
            return DemuxedBody::UnsupportedVideo(format);
        };
        let Some(parameters) = configured(codec, config) else { return DemuxedBody::Damaged };
        self.settle();
        (self.playing, self.picture) = (Some(format), Some(parameters.clone()));
        DemuxedBody::Video(BufferedPacket::Configure(parameters))
    }

    /// A picture that makes sense, or what tells of one; or no more come.
    fn settle(&mut self) {
        let strange = std::mem::take(&mut self.strange.0);
        self.suspect = None;
        if self.playing.is_none() {
            self.strays += strange;
        }
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

    /// An audio body with its time in microseconds.
    pub(super) fn audio(&mut self, raw: i64, body: &Bytes, now: Timestamp) -> DemuxedBody {
        let exact_pts = self.exact_pts.take();
        let Ok(tag) = flv::parse_audio(body) else {
            return if body.is_empty() { DemuxedBody::Nothing } else { DemuxedBody::Damaged };
        };
        let legacy = tag.legacy;
        let said = i64::from(tag.offset_nanos / 1_000);
        let time = (raw, exact_pts.map_or(said, |pts| pts.saturating_sub(raw)));
        let played = *self.tracks.1.get_or_insert(tag.track.id);
        let Some(mut track) = tag.into_track(played) else { return DemuxedBody::Nothing };
        let format = track.format;
        match &mut track.packet {
            AudioPacket::SequenceStart(config) if config.len() > MAX_CONFIG => {
                return DemuxedBody::TooLong(config.len());
            }
            AudioPacket::SequenceStart(part) | AudioPacket::Frame(part) => {
                *part = apart(std::mem::take(part), body);
            }
            _ => {}
        }
        if format != AudioFormat::Aac {
            let Some(codec) = codec(format, legacy).filter(|codec| can_be_heard(*codec)) else {
                return if self.told_audio.replace(format) == Some(format) {
                    DemuxedBody::Nothing
                } else {
                    DemuxedBody::UnsupportedAudio(format)
                };
            };
            if self.aac.is_some() && self.sound.is_none() {
                if let AudioPacket::SequenceStart(config) = &track.packet
                    && described(codec, legacy, config, &[]).is_some()
                {
                    self.audio_announced = Some(format);
                }
                let meant = self.audio_announced == Some(format) || is_itself(codec, &track.packet);
                if !meant && self.is_passing(Track::Audio) {
                    return DemuxedBody::Damaged;
                }
            }
            return self.other_audio(codec, legacy, track.packet, time, now);
        }
        match track.packet {
            AudioPacket::SequenceStart(config) => self.aac_config(config),
            AudioPacket::Frame(data) => self.aac_frame(data, time, now),
            _ => DemuxedBody::Nothing,
        }
    }

    fn aac_config(&mut self, config: Bytes) -> DemuxedBody {
        if config.is_empty() {
            return DemuxedBody::Nothing;
        }
        let Some(parameters) = audio_parameters(config) else { return DemuxedBody::Damaged };
        self.audio_ready = true;
        (self.sound, self.audio_announced) = (None, None);
        self.aac = Some(parameters.clone());
        DemuxedBody::Audio(BufferedPacket::Configure(parameters))
    }

    fn aac_frame(&mut self, data: Bytes, time: (i64, i64), now: Timestamp) -> DemuxedBody {
        if data.is_empty() || !self.audio_ready {
            return DemuxedBody::Nothing;
        }
        (self.strange.1, self.audio_announced) = (0, None);
        let packet = self.audio_packet(data, time, now);
        match self.aac.clone().filter(|_| self.sound.take().is_some()) {
            // Back from another codec, without a word.
            Some(parameters) => DemuxedBody::NewAudio(parameters, packet),
            None => DemuxedBody::Audio(BufferedPacket::Packet(packet)),
        }
    }

    /// A packet of sound in its place; `time`: its own, and how much later it is heard.
    fn audio_packet(
        &mut self,
        data: Bytes,
        (raw, later): (i64, i64),
        now: Timestamp,
    ) -> EncodedPacket {
        let dts = self.place(Track::Audio, raw, now);
        EncodedPacket {
            track: Track::Audio,
            pts: dts.offset(later.clamp(0, MAX_COMPOSITION)),
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
    fn other_audio(
        &mut self,
        codec: AudioCodec,
        legacy: Option<LegacyAudio>,
        packet: AudioPacket,
        time: (i64, i64),
        now: Timestamp,
    ) -> DemuxedBody {
        match packet {
            AudioPacket::SequenceStart(config) => {
                self.audio_config = config;
                self.sound = None;
                DemuxedBody::Nothing
            }
            AudioPacket::Frame(data) if !data.is_empty() => {
                let Some(parameters) = described(codec, legacy, &self.audio_config, &data) else {
                    return DemuxedBody::Damaged;
                };
                let packet = self.audio_packet(data, time, now);
                if self.sound.as_ref() == Some(&parameters) {
                    return DemuxedBody::Audio(BufferedPacket::Packet(packet));
                }
                self.sound = Some(parameters.clone());
                DemuxedBody::NewAudio(parameters, packet)
            }
            _ => DemuxedBody::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::codec::h264::DecoderConfig;

    const SPS: [u8; 25] = [
        0x67, 0x64, 0x00, 0x20, 0xac, 0xd9, 0x40, 0xc0, 0x29, 0xb0, 0x11, 0x00, 0x00, 0x03, 0x00,
        0x01, 0x00, 0x00, 0x03, 0x00, 0x32, 0x0f, 0x18, 0x31, 0x96,
    ];

    fn aac_plays() -> Demux {
        let mut demux = Demux::new(true);
        let mut take =
            |body: &'static [u8]| demux.audio(0, &Bytes::from_static(body), Timestamp::ZERO);
        assert!(matches!(
            take(b"\xAF\x00\x11\x90"),
            DemuxedBody::Audio(BufferedPacket::Configure(_))
        ));
        assert!(matches!(take(b"\xAF\x01abc"), DemuxedBody::Audio(BufferedPacket::Packet(_))));
        demux
    }

    #[test]
    fn sound_that_is_announced_or_shows_what_it_is_follows_aac_at_once() {
        let now = Timestamp::ZERO;
        // STREAMINFO of 48 kHz and two channels.
        let mut flac = b"\x90fLaC".to_vec();
        flac.extend([0x10, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0x0B, 0xB8, 0x02, 0xF0]);
        flac.extend([0; 20]);
        let mut demux = aac_plays();
        assert!(matches!(demux.audio(20, &flac.into(), now), DemuxedBody::Nothing));
        let frame = Bytes::from_static(b"\x91fLaC\xFF\xF8rest");
        let DemuxedBody::NewAudio(parameters, _) = demux.audio(20, &frame, now) else { panic!() };
        assert_eq!((parameters.codec, parameters.sample_rate), (AudioCodec::Flac, 48_000));
        // A whole frame of MP3, 128 kbit/s at 44.1 kHz.
        let mut mp3 = vec![0x2F, 0xFF, 0xFB, 0x90, 0x64];
        mp3.resize(1 + 417, 0);
        let mut demux = aac_plays();
        let cut = Bytes::copy_from_slice(&mp3[..300]);
        assert!(matches!(demux.audio(20, &cut, now), DemuxedBody::Damaged), "a part is no frame");
        let DemuxedBody::NewAudio(parameters, _) = demux.audio(20, &mp3.into(), now) else {
            panic!()
        };
        assert_eq!((parameters.codec, parameters.sample_rate), (AudioCodec::Mp3, 44_100));
    }

    #[test]
    fn what_tells_how_to_decode_has_a_bound_and_keeps_nothing_else() {
        let now = Timestamp::ZERO;
        let mut demux = Demux::new(true);
        for (head, audio) in
            [(&b"\x17\0\0\0\0"[..], false), (b"\x90hvc1", false), (b"\xAF\0", true)]
        {
            let body = Bytes::from([head, &[0; MAX_CONFIG + 1]].concat());
            let found = match audio {
                false => demux.video(0, &body, now),
                true => demux.audio(0, &body, now),
            };
            assert!(
                matches!(found, DemuxedBody::TooLong(bytes) if bytes == MAX_CONFIG + 1),
                "{found:?}"
            );
        }
        // The smallest of the parts of a large body is kept without the others.
        let body = Bytes::from(vec![0; 1 << 20]);
        let within = |part: &Bytes| body.as_ptr_range().contains(&part.as_ptr());
        assert!(!within(&apart(body.slice(9..99), &body)));
        assert!(within(&apart(body.slice(9..), &body)));
    }

    #[test]
    fn before_the_first_picture_a_few_of_no_codec_are_garbage_and_more_are_meant() {
        let now = Timestamp::ZERO;
        let mut demux = Demux::new(true);
        let strange = Bytes::from_static(b"\x1F\x01\x00\x00\x00picture");
        for _ in 1..MEANT {
            assert!(matches!(demux.video(0, &strange, now), DemuxedBody::Nothing));
        }
        assert_eq!((demux.suspect(), demux.take_strays()), (Some(VideoFormat::Legacy(15)), 0));
        assert!(matches!(demux.video(0, &strange, now), DemuxedBody::UnsupportedVideo(_)));
        // A new connection counts anew, and what comes after them decides what they were.
        let mut demux = Demux::new(true);
        for _ in 1..MEANT {
            demux.video(0, &strange, now);
        }
        demux.restart();
        assert_eq!((demux.suspect(), demux.take_strays()), (None, MEANT - 1));
        // One of many tracks, of a codec that nobody knows.
        let many = Bytes::from_static(b"\x96\x01abcd\x25picture");
        assert!(matches!(demux.video(0, &many, now), DemuxedBody::Nothing));
        let config = DecoderConfig::new(
            Bytes::from_static(&SPS),
            Bytes::from_static(&[0x68, 0xEB, 0xE3, 0xCB, 0x22, 0xC0]),
        );
        let mut body = b"\x17\x00\x00\x00\x00".to_vec();
        body.extend(config.unwrap().build().unwrap());
        let found = demux.video(0, &body.into(), now);
        assert!(matches!(found, DemuxedBody::Video(BufferedPacket::Configure(_))), "{found:?}");
        assert!(demux.take_strays() > 0 && demux.suspect().is_none());
        // A codec that is known is believed as soon as it is announced.
        let vvc = Bytes::from_static(b"\x90vvc1config");
        if inventory::video_decoder(VideoCodec::Vvc).is_err() {
            assert!(matches!(
                Demux::new(true).video(0, &vvc, now),
                DemuxedBody::UnsupportedVideo(_)
            ));
        }
    }

    #[cfg(feature = "ffmpeg")]
    #[test]
    fn pictures_of_another_codec_begin_with_their_first_keyframe_where_they_were_announced() {
        let now = Timestamp::ZERO;
        let mut demux = Demux::new(true);
        let mut take = |body: &'static [u8]| demux.video(0, &Bytes::from_static(body), now);
        assert!(
            matches!(take(b"\x90vp09conf"), DemuxedBody::Video(BufferedPacket::Configure(_))),
            "VP9"
        );
        assert!(matches!(take(b"\x91vp09picture"), DemuxedBody::Video(BufferedPacket::Packet(_))));
        assert!(matches!(take(b"\x90av01conf"), DemuxedBody::Nothing));
        // One picture of the first, and the announcement was an accident.
        assert!(matches!(take(b"\xA1vp09picture"), DemuxedBody::Video(BufferedPacket::Packet(_))));
        assert!(matches!(take(b"\x91av01picture"), DemuxedBody::Damaged));
        assert!(matches!(take(b"\x90av01conf"), DemuxedBody::Nothing));
        assert!(matches!(take(b"\xA1av01picture"), DemuxedBody::Nothing), "none to begin with");
        let DemuxedBody::NewVideo(parameters, packet) = take(b"\x91av01picture") else { panic!() };
        assert_eq!((parameters.codec, parameters.config.as_ref()), (VideoCodec::Av1, &b"conf"[..]));
        assert_eq!(packet.data.as_ref(), b"picture");
        assert!(matches!(take(b"\xA1av01more"), DemuxedBody::Video(BufferedPacket::Packet(_))));
    }
}
