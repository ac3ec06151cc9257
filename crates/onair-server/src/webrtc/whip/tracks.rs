//! Makes the messages of a stream from a publisher's frames: H.264 and HEVC in Annex B with parameter sets, AV1 in OBUs,
//! and Opus.

use bytes::Bytes;

use crate::base::Timestamp;
use crate::media::{
    AudioCodec, AudioConfig, BitsPerSecond, Codec, EncodedPacket, StreamConfig, Track, TrackConfig,
    VideoCodec, VideoConfig,
};
use crate::server::stream::Incoming;
use crate::wire::codec::h264::{DecoderConfig, NalType, Sps, annexb_nals, annexb_to_avcc};
use crate::wire::codec::{av1_key, av1_record, hevc_record, obu_packet};
use crate::wire::container::flv::{TagKind, config_body, metadata_body, metadata_by, packet_body};
use crate::wire::container::track_config::video_config;

/// Maximum number of parameter sets of each kind in a frame.
const MAX_SETS: usize = 8;
/// Maximum length of a parameter set in bytes.
const MAX_SET_BYTES: usize = 1_024;
/// Opus in RTP always declares this rate and two channels (RFC 7587 §7).
const OPUS_RATE_HZ: u32 = 48_000;
/// Type of NAL units that only fill space (H.264 table 7-1).
const FILLER: NalType = NalType::Other(12);
/// The NAL units of HEVC that are no part of packets, by their types (H.265 table 7-1): parameter sets, delimiters and
/// filler data.
const HEVC_VPS: u8 = 32;
const HEVC_SPS: u8 = 33;
const HEVC_PPS: u8 = 34;
const HEVC_AUD: u8 = 35;
const HEVC_FILLER: u8 = 38;

/// The tracks of a publisher.
#[derive(Debug)]
pub(super) struct Tracks {
    /// The publisher's software.
    encoder: String,
    audio: Option<AudioConfig>,
    video: Option<VideoConfig>,
    /// True if frames are useless until the next keyframe.
    awaits_keyframe: bool,
    /// True while the audio waits for the first picture, so that all viewers begin with both.
    is_audio_held: bool,
    /// The last parameter sets, which may come before their keyframe.
    sets: ParameterSets,
    messages: Vec<Incoming>,
}

/// Parameter sets as whole NAL units; H.264 has no VPS.
#[derive(Clone, Debug, Default)]
struct ParameterSets {
    vps: Vec<Bytes>,
    sps: Vec<Bytes>,
    pps: Vec<Bytes>,
}

/// Returns the type of a NAL unit of HEVC.
fn hevc_type(nal: &[u8]) -> u8 {
    nal.first().map_or(0, |byte| byte >> 1 & 0x3F)
}

/// Returns width and height of a keyframe, or 1 and 1 if it does not say so.
pub(super) fn size(codec: VideoCodec, frame: &[u8]) -> (u32, u32) {
    let size = match codec {
        VideoCodec::Hevc => {
            let mut sets = ParameterSets::default();
            sets.take(codec, frame);
            sets.config(codec).map(|config| (config.size.width, config.size.height))
        }
        VideoCodec::Av1 => av1_key(frame).and_then(|info| info.size),
        _ => {
            let sets = annexb_nals(frame).filter(|nal| NalType::of(nal) == Some(NalType::Sps));
            let mut sets = sets.filter_map(|sps| Sps::parse_for_decoding(sps).ok());
            sets.next().map(|sps| (sps.width, sps.height))
        }
    };
    size.map_or((1, 1), |(width, height)| (width.max(1), height.max(1)))
}

impl ParameterSets {
    /// Takes the parameter sets of a frame. New ones replace all previous ones of their kind.
    fn take(&mut self, codec: VideoCodec, frame: &[u8]) {
        let of = |is_of_kind: &dyn Fn(&[u8]) -> bool| -> Vec<Bytes> {
            let nals = annexb_nals(frame).filter(|nal| is_of_kind(nal));
            nals.filter(|nal| nal.len() <= MAX_SET_BYTES)
                .take(MAX_SETS)
                .map(Bytes::copy_from_slice)
                .collect()
        };
        let [vps, sps, pps] = match codec {
            VideoCodec::Hevc => {
                [HEVC_VPS, HEVC_SPS, HEVC_PPS].map(|kind| of(&|nal| hevc_type(nal) == kind))
            }
            _ => {
                let is = |kind| move |nal: &[u8]| NalType::of(nal) == Some(kind);
                [Vec::new(), of(&is(NalType::Sps)), of(&is(NalType::Pps))]
            }
        };
        for (known, new) in [(&mut self.vps, vps), (&mut self.sps, sps), (&mut self.pps, pps)] {
            if !new.is_empty() {
                *known = new;
            }
        }
    }

    /// Returns the config, or `None` if a set is missing or damaged.
    fn config(&self, codec: VideoCodec) -> Option<VideoConfig> {
        if codec == VideoCodec::Hevc {
            let record = hevc_record([&self.vps, &self.sps, &self.pps])?;
            return video_config(codec, record);
        }
        let mut config =
            DecoderConfig::new(self.sps.first()?.clone(), self.pps.first()?.clone()).ok()?;
        (config.sps, config.pps) = (self.sps.clone(), self.pps.clone());
        video_config(VideoCodec::H264, config.build().ok()?)
    }
}

impl Tracks {
    /// Creates the tracks of a publisher that sends these kinds with this software.
    pub fn new((has_video, has_audio): (bool, bool), encoder: &str) -> Self {
        let audio = AudioConfig {
            codec: AudioCodec::Opus,
            sample_rate: OPUS_RATE_HZ,
            channels: 2,
            bitrate: BitsPerSecond(0),
            codec_config: Bytes::new(),
        };
        let mut tracks = Self {
            encoder: encoder.to_owned(),
            audio: has_audio.then_some(audio),
            video: None,
            awaits_keyframe: has_video,
            is_audio_held: has_video,
            sets: ParameterSets::default(),
            messages: Vec::new(),
        };
        if !has_video {
            tracks.configure();
        }
        tracks
    }

    /// Takes the messages so far.
    pub fn messages(&mut self) -> &mut Vec<Incoming> {
        &mut self.messages
    }

    /// Lets the audio begin without a picture.
    pub fn release_audio(&mut self) {
        if std::mem::take(&mut self.is_audio_held) {
            self.configure();
        }
    }

    /// Returns true while the audio waits for the first picture.
    pub fn is_audio_held(&self) -> bool {
        self.is_audio_held
    }

    /// Drops frames up to the next keyframe.
    pub fn await_keyframe(&mut self) {
        self.awaits_keyframe = true;
    }

    /// Takes a frame: H.264 or HEVC in Annex B, or a temporal unit of AV1. Returns false if it is useless without a
    /// keyframe.
    pub fn video(&mut self, codec: VideoCodec, frame: &[u8], is_key: bool, micros: i64) -> bool {
        if codec != VideoCodec::Av1 {
            self.sets.take(codec, frame);
        }
        if is_key {
            let config = match codec {
                VideoCodec::Av1 => av1_record(frame).and_then(|record| video_config(codec, record)),
                codec => self.sets.config(codec),
            };
            let Some(config) = config else { return false };
            let is_new = self.video.as_ref().is_none_or(|known| *known != config);
            self.video = Some(config);
            if is_new || self.is_audio_held {
                self.is_audio_held = false;
                self.configure();
            }
            self.awaits_keyframe = false;
        }
        if self.awaits_keyframe {
            return false;
        }
        let is_sent = |nal: &[u8]| match codec {
            VideoCodec::Hevc => {
                ![HEVC_VPS, HEVC_SPS, HEVC_PPS, HEVC_AUD, HEVC_FILLER].contains(&hevc_type(nal))
            }
            _ => {
                let dropped = [NalType::Sps, NalType::Pps, NalType::Aud, FILLER];
                !NalType::of(nal).is_some_and(|kind| dropped.contains(&kind))
            }
        };
        let data = match codec {
            VideoCodec::Av1 => obu_packet(frame),
            _ => annexb_to_avcc(frame, is_sent).unwrap_or_default(),
        };
        if !data.is_empty() {
            self.packet(Codec::Video(codec), is_key, micros, data);
        }
        true
    }

    /// Takes a packet of Opus.
    pub fn audio(&mut self, packet: &[u8], micros: i64) {
        if !self.is_audio_held && !packet.is_empty() {
            let data = Bytes::copy_from_slice(packet);
            self.packet(Codec::Audio(AudioCodec::Opus), true, micros, data);
        }
    }

    fn packet(&mut self, codec: Codec, is_key: bool, micros: i64, data: Bytes) {
        let (track, kind) = match codec {
            Codec::Video(_) => (Track::Video, TagKind::Video),
            Codec::Audio(_) => (Track::Audio, TagKind::Audio),
        };
        let at = Timestamp::from_micros(micros);
        let packet = EncodedPacket::received(track, (at, at), is_key, data);
        if let Some(body) = packet_body(codec, &packet) {
            self.push(kind, micros, body, false);
        }
    }

    /// Adds the metadata and the configs of all known tracks.
    fn configure(&mut self) {
        let known = StreamConfig { video: self.video.clone(), audio: self.audio.clone() };
        let metadata = metadata_body(&metadata_by(&known, &self.encoder));
        self.push(TagKind::Script, 0, metadata, true);
        let video = self.video.clone().map(TrackConfig::Video);
        let audio = self.audio.clone().map(TrackConfig::Audio);
        for (kind, config) in [(TagKind::Video, video), (TagKind::Audio, audio)] {
            if let Some(body) = config.as_ref().and_then(config_body) {
                self.push(kind, 0, body, false);
            }
        }
    }

    fn push(&mut self, kind: TagKind, micros: i64, body: Bytes, metadata: bool) {
        let time_ms = (micros / 1_000).max(0) as u32;
        self.messages.push(Incoming { kind, time_ms, body, metadata });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::container::flv::{parse_audio, parse_video};

    const SPS: &[u8] =
        b"\x67\x64\0\x20\xac\xd9\x40\xc0\x29\xb0\x11\0\0\x03\0\x01\0\0\x03\0\x32\x0f\x18\x31\x96";
    const PPS: &[u8] = b"\x68\xeb\xe3\xcb\x22\xc0";

    const H264: VideoCodec = VideoCodec::H264;

    fn frame(nals: &[&[u8]]) -> Vec<u8> {
        nals.iter().flat_map(|nal| [&[0, 0, 0, 1][..], nal].concat()).collect()
    }

    fn kinds(tracks: &mut Tracks) -> Vec<(TagKind, u32, bool)> {
        let messages = std::mem::take(tracks.messages());
        messages.iter().map(|it| (it.kind, it.time_ms, it.metadata)).collect()
    }

    #[test]
    fn a_stream_begins_with_its_first_keyframe() {
        let mut tracks = Tracks::new((true, true), "test");
        tracks.audio(&[0xFC, 1], 10_000);
        assert!(!tracks.video(H264, &frame(&[&[0x41, 1, 2]]), false, 20_000));
        assert!(
            !tracks.video(H264, &frame(&[&[0x65, 1, 2]]), true, 30_000),
            "without parameter sets"
        );
        assert!(kinds(&mut tracks).is_empty());
        let key = frame(&[&[0x09, 0x10], SPS, PPS, &[0x06, 5, 1, 1], &[0x65, 1, 2], &[0x0C, 0xFF]]);
        assert!(tracks.video(H264, &key, true, 40_000));
        let messages = std::mem::take(tracks.messages());
        let order: Vec<_> = messages.iter().map(|it| it.kind).collect();
        assert_eq!(order, [TagKind::Script, TagKind::Video, TagKind::Audio, TagKind::Video]);
        assert!(messages[0].metadata && messages[0].body.windows(4).any(|it| it == b"test"));
        assert!(parse_video(&messages[1].body).unwrap().is_sequence_start());
        assert!(parse_audio(&messages[2].body).unwrap().is_sequence_start());
        let picture = &messages[3];
        assert!(parse_video(&picture.body).unwrap().is_keyframe() && picture.time_ms == 40);
        let nals = [&[0, 0, 0, 4, 0x06, 5, 1, 1, 0, 0, 0, 3, 0x65, 1, 2][..]].concat();
        assert!(picture.body.ends_with(&nals), "only what decoders need: {:?}", picture.body);
        tracks.audio(&[0xFC, 1], 50_000);
        assert!(tracks.video(H264, &frame(&[&[0x41, 1]]), false, 60_000));
        assert!(tracks.video(H264, &key, true, 70_000));
        let (audio, video) = ((TagKind::Audio, 50, false), |at| (TagKind::Video, at, false));
        assert_eq!(kinds(&mut tracks), [audio, video(60), video(70)], "the config is the same");
    }

    #[test]
    fn frames_after_a_loss_wait_for_a_keyframe() {
        let mut tracks = Tracks::new((true, false), "");
        let key = frame(&[SPS, PPS, &[0x65, 1]]);
        assert!(tracks.video(H264, &key, true, 0));
        tracks.await_keyframe();
        assert!(!tracks.video(H264, &frame(&[&[0x41, 1]]), false, 1_000));
        assert!(tracks.video(H264, &key, true, 2_000) && tracks.video(H264, &key, false, 3_000));
    }

    #[test]
    fn audio_without_video_begins_when_it_is_released() {
        let mut tracks = Tracks::new((true, true), "");
        tracks.audio(&[0xFC, 1], 0);
        assert!(tracks.is_audio_held() && kinds(&mut tracks).is_empty());
        tracks.release_audio();
        tracks.audio(&[0xFC, 1], 20_000);
        let config = [(TagKind::Script, 0, true), (TagKind::Audio, 0, false)];
        assert_eq!(kinds(&mut tracks), [&config[..], &[(TagKind::Audio, 20, false)]].concat());
        let mut alone = Tracks::new((false, true), "");
        assert_eq!(kinds(&mut alone), config);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_or_dropped(
            parts in prop::collection::vec((0_u8..4, prop::collection::vec(any::<u8>(), 0..60)), 0..12),
            is_key in any::<bool>(),
        ) {
            let mut tracks = Tracks::new((true, true), "");
            for (number, (kind, bytes)) in (0_i64..).zip(&parts) {
                let nals = match kind {
                    0 => frame(&[SPS, PPS, bytes]),
                    1 => frame(&[&[&[0x67], &bytes[..]].concat(), PPS, &[0x65, 1]]),
                    2 => frame(&[SPS, &[&[0x68], &bytes[..]].concat(), &[0x65, 1]]),
                    _ => bytes.clone(),
                };
                for codec in [H264, VideoCodec::Hevc, VideoCodec::Av1] {
                    tracks.video(codec, &nals, is_key, number * 1_000);
                    prop_assert!(size(codec, &nals).0 > 0);
                }
                tracks.audio(bytes, number * 1_000);
            }
            for message in std::mem::take(tracks.messages()) {
                match message.kind {
                    TagKind::Video => prop_assert!(parse_video(&message.body).is_ok()),
                    TagKind::Audio => prop_assert!(parse_audio(&message.body).is_ok()),
                    TagKind::Script => prop_assert!(message.metadata),
                }
            }
        }
    }
}
