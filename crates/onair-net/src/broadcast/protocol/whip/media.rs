//! Converts the packets of the hub to the frames of WebRTC, and chooses the formats that a server
//! takes.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use str0m::RtcConfig;
use str0m::format::{Codec, PayloadParams};
use str0m::media::Pt;

use crate::media::{VideoCodec, VideoConfig};
use crate::wire::codec::h264::{DecoderConfig, avcc_nals, nals_to_annexb};
use crate::wire::codec::hevc_parameter_sets;

/// The Constrained Baseline profile, by which servers and browsers also take other profiles.
const CONSTRAINED_BASELINE: (u8, u8) = (0x42, 0xE0);
/// The packetization mode in which packets can contain parts of frames (RFC 6184 §6.3).
const PARTS_OF_FRAMES: u8 = 1;

/// Returns the codec of WebRTC, or `None` if browsers and servers have none.
pub(super) fn codec(video: VideoCodec) -> Option<Codec> {
    match video {
        VideoCodec::H264 => Some(Codec::H264),
        VideoCodec::Hevc => Some(Codec::H265),
        VideoCodec::Av1 => Some(Codec::Av1),
        _ => None,
    }
}

/// Adds the codecs of a stream to a config, and H.264 after another codec, because a server that
/// takes nothing else would refuse the whole offer.
pub(super) fn offered(config: RtcConfig, video: Option<Codec>) -> RtcConfig {
    let config = config.enable_opus(true, false);
    match video {
        Some(Codec::H264) => config.enable_h264(true),
        Some(Codec::H265) => config.enable_h265(true).enable_h264(true),
        Some(Codec::Av1) => config.enable_av1(true).enable_h264(true),
        _ => config,
    }
}

/// Returns the payload type for video with this config among those that both sides support.
pub(super) fn video_type(common: &[PayloadParams], video: &VideoConfig) -> Option<Pt> {
    let codec = codec(video.codec)?;
    let mut fitting = common.iter().filter(|it| it.spec().codec == codec);
    if codec != Codec::H264 {
        return fitting.next().map(PayloadParams::pt);
    }
    let own = match video.codec_config.get(1..3) {
        Some(&[profile, constraints]) => (profile, constraints),
        _ => CONSTRAINED_BASELINE,
    };
    let whole: Vec<&PayloadParams> =
        fitting.filter(|it| it.spec().format.packetization_mode == Some(PARTS_OF_FRAMES)).collect();
    let with_profile = |(profile, constraints): (u8, u8)| {
        let fits = |it: &&&PayloadParams| {
            let [_, its, flags, _] =
                it.spec().format.profile_level_id.unwrap_or_default().to_be_bytes();
            // The flag by which Constrained Baseline differs from Baseline.
            its == profile && (profile != 0x42 || flags & 0x40 == constraints & 0x40)
        };
        whole.iter().find(fits).map(|it| it.pt())
    };
    with_profile(own)
        .or_else(|| with_profile(CONSTRAINED_BASELINE))
        .or_else(|| whole.first().map(|it| it.pt()))
}

/// Returns the payload type for Opus.
pub(super) fn audio_type(common: &[PayloadParams]) -> Option<Pt> {
    common.iter().find(|it| it.spec().codec == Codec::Opus).map(PayloadParams::pt)
}

/// Converts the frames of one config.
#[derive(Debug)]
pub(super) struct FrameWriter {
    /// The config, to recognize another one.
    pub config: VideoConfig,
    /// The size of the length of a NAL unit; `None` for AV1.
    length_size: Option<usize>,
    /// The parameter sets, or the sequence header of AV1.
    head: Vec<Bytes>,
}

impl FrameWriter {
    /// Returns `None` if the config is damaged, or its codec is not one of WebRTC.
    pub fn new(config: &VideoConfig) -> Option<Self> {
        let record = &config.codec_config;
        let (length_size, head) = match config.codec {
            VideoCodec::H264 => {
                let parsed = DecoderConfig::parse(record).ok()?;
                (Some(parsed.length_size), [parsed.sps, parsed.pps].concat())
            }
            VideoCodec::Hevc => {
                let length_size = usize::from(record.get(21)? & 3) + 1;
                (Some(length_size), hevc_parameter_sets(record))
            }
            // The OBUs follow four bytes (AV1-ISOBMFF §2.3.3).
            VideoCodec::Av1 => (None, vec![record.slice(record.len().min(4)..)]),
            _ => return None,
        };
        Some(Self { config: config.clone(), length_size, head })
    }

    /// Returns a frame with everything that a decoder needs for it. A damaged frame gives `None`.
    pub fn frame(&self, data: &[u8], is_key: bool) -> Option<Arc<[u8]>> {
        let head: &[Bytes] = if is_key { &self.head } else { &[] };
        let Some(length_size) = self.length_size else {
            let mut units = BytesMut::with_capacity(data.len() + 64);
            // Keyframes usually have the sequence header already, which is the first OBU.
            let has_head = head.iter().any(|head| !head.is_empty() && contains(data, head));
            head.iter().filter(|_| !has_head).for_each(|head| units.extend_from_slice(head));
            units.extend_from_slice(data);
            return Some(Arc::from(&units[..]));
        };
        let own: Result<Vec<&[u8]>, _> = avcc_nals(data, length_size).collect();
        let own = own.ok()?;
        let all = head.iter().map(|set| &set[..]).chain(own.iter().copied());
        Some(Arc::from(&nals_to_annexb(all)[..]))
    }
}

/// Returns true if the first bytes of `data`, after a delimiter, contain `head`.
fn contains(data: &[u8], head: &[u8]) -> bool {
    let start = data.get(..head.len() + 4).unwrap_or(data);
    start.windows(head.len().max(1)).any(|window| window == head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broadcast::protocol::whip::tests::h264;

    fn common(config: RtcConfig) -> Vec<PayloadParams> {
        let mut config = config;
        config.codec_config().params().to_vec()
    }

    #[test]
    fn the_profile_of_the_stream_is_preferred_and_then_the_common_one() {
        let all = common(offered(str0m::Rtc::builder().clear_codecs(), Some(Codec::H264)));
        let format = |pt: Pt| {
            let its = all.iter().find(|it| it.pt() == pt).unwrap().spec().format;
            (its.profile_level_id.unwrap() >> 8, its.packetization_mode)
        };
        let with = |profile: &[u8]| {
            let mut config = h264();
            config.codec_config = [&[1], profile, &config.codec_config[4..]].concat().into();
            config
        };
        let chosen = |all: &[PayloadParams], profile: &[u8]| video_type(all, &with(profile));
        assert_eq!(format(chosen(&all, &[0x64, 0, 0x28]).unwrap()), (0x6400, Some(1)));
        assert_eq!(format(chosen(&all, &[0x4D, 0x40, 0x1F]).unwrap()), (0x4D00, Some(1)));
        assert_eq!(format(chosen(&all, &[0x42, 0xC0, 0x1F]).unwrap()), (0x42E0, Some(1)));
        assert_eq!(format(chosen(&all, &[0x42, 0x00, 0x1F]).unwrap()), (0x4200, Some(1)));
        // A profile that nobody lists.
        assert_eq!(format(chosen(&all, &[0x6E, 0, 0x28]).unwrap()), (0x42E0, Some(1)));
        let whole: Vec<_> = all
            .iter()
            .filter(|it| it.spec().format.packetization_mode == Some(0))
            .copied()
            .collect();
        assert!(!whole.is_empty() && chosen(&whole, &[0x64, 0, 0x28]).is_none());
        assert!(audio_type(&all).is_some() && video_type(&[], &h264()).is_none());
    }

    #[test]
    fn a_keyframe_has_its_parameter_sets_and_other_frames_have_none() {
        let writer = FrameWriter::new(&h264()).unwrap();
        let key = writer.frame(&[0, 0, 0, 2, 0x65, 1], true).unwrap();
        assert!(key.starts_with(&[0, 0, 0, 1, 0x67]) && key.ends_with(&[0, 0, 0, 1, 0x65, 1]));
        assert!(key.windows(5).any(|it| it == [0, 0, 0, 1, 0x68]));
        let other = writer.frame(&[0, 0, 0, 2, 0x41, 1], false).unwrap();
        assert_eq!(*other, [0, 0, 0, 1, 0x41, 1]);
        assert!(writer.frame(&[0, 0, 0, 9, 0x41], false).is_none());
    }

    #[test]
    fn av1_gets_its_sequence_header_once() {
        let header = [0x0A, 0x03, 1, 2, 3];
        let record = [&[0x81, 0, 0, 0][..], &header].concat();
        let config = VideoConfig { codec: VideoCodec::Av1, codec_config: record.into(), ..h264() };
        let writer = FrameWriter::new(&config).unwrap();
        let frame = [0x32, 0x01, 9];
        let whole = [&header[..], &frame].concat();
        assert_eq!(*writer.frame(&frame, true).unwrap(), whole);
        assert_eq!(*writer.frame(&whole, true).unwrap(), whole);
        assert_eq!(*writer.frame(&frame, false).unwrap(), frame);
    }
}
