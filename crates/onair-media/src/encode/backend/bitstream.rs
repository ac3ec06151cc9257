//! The streams of encoder processes: makes the codec config and the packets of onair from the forms
//! that FFmpeg's encoders write.

use bytes::{BufMut, Bytes, BytesMut};

use crate::encode::avcc;
use crate::encode::error::{Error, Flaw};
use crate::media::{FrameRate, VideoCodec};
use crate::wire::codec::h264::{annexb_nals, avcc_nals};
use crate::wire::codec::{av1, av1_record, hevc, hevc_record, obu_packet};

/// NAL unit types of HEVC (H.265 table 7-1): parameter sets, and the units that are not part of
/// packets (delimiters, ends, filler data and SEI).
const HEVC_SETS: [u8; 3] = [32, 33, 34];
const HEVC_NON_PACKET_NAL_TYPES: std::ops::RangeInclusive<u8> = 32..=40;

/// Returns the type of a NAL unit of HEVC.
fn hevc_kind(nal: &[u8]) -> u8 {
    nal.first().map_or(u8::MAX, |header| header >> 1 & 0x3F)
}

/// Makes the codec config from the data before the first frame, or from a keyframe.
pub(super) fn codec_config(
    encoder: &'static str,
    codec: VideoCodec,
    header: &[u8],
    rate: FrameRate,
) -> Result<Bytes, Error> {
    let missing = || Error::Malformed { encoder, flaw: Flaw::NoConfig };
    match codec {
        VideoCodec::Hevc => {
            let of_kind = |kind| -> Vec<Bytes> {
                let its = annexb_nals(header).filter(|nal| hevc_kind(nal) == kind);
                its.map(Bytes::copy_from_slice).collect()
            };
            let [video, sequence, pictures] = HEVC_SETS.map(of_kind);
            if video.is_empty() || pictures.is_empty() {
                return Err(missing());
            }
            hevc_record([&video, &sequence, &pictures]).ok_or_else(missing)
        }
        VideoCodec::Av1 => av1_record(header).ok_or_else(missing),
        _ => {
            let of_kind = |kind| annexb_nals(header).find(|nal| avcc::kind(nal) == kind);
            let (sps, pps) = of_kind(7).zip(of_kind(8)).ok_or_else(missing)?;
            avcc::configuration(sps, pps, rate)
        }
    }
}

/// Makes a packet from an access unit. The packet is empty if there is nothing to decode in it.
pub(super) fn packet(codec: VideoCodec, data: &[u8]) -> Bytes {
    match codec {
        VideoCodec::Hevc => {
            let is_wanted = |nal: &&[u8]| !HEVC_NON_PACKET_NAL_TYPES.contains(&hevc_kind(nal));
            let nals = annexb_nals(data).filter(is_wanted);
            let mut out = BytesMut::with_capacity(nals.clone().map(|nal| 4 + nal.len()).sum());
            for nal in nals {
                out.put_u32(u32::try_from(nal.len()).unwrap_or(u32::MAX));
                out.put_slice(nal);
            }
            out.freeze()
        }
        VideoCodec::Av1 => obu_packet(data),
        _ => avcc::packet_of(annexb_nals(data)),
    }
}

/// Returns true if no other frame refers to the frame in this packet of H.264.
pub(super) fn is_disposable(codec: VideoCodec, packet: &[u8]) -> bool {
    // Slices have types 1 to 5, and say in nal_ref_idc whether others refer to them (H.264, 7.4.1).
    let slice = avcc_nals(packet, 4)
        .flatten()
        .find_map(|nal| nal.first().filter(|first| (1..=5).contains(&(*first & 0x1f))));
    codec == VideoCodec::H264 && slice.is_some_and(|first| first & 0x60 == 0)
}

/// Returns profile and level for display.
pub(super) fn profile_and_level(codec: VideoCodec, config: &[u8]) -> (&'static str, String) {
    let info = match codec {
        VideoCodec::Hevc => hevc(config),
        VideoCodec::Av1 => av1(config),
        _ => None,
    };
    let Some(info) = info else { return ("High", String::new()) };
    let profile = match info.profile.as_deref() {
        Some("Main 10") => "Main 10",
        _ => "Main",
    };
    let level = info.level.map(|level| match codec {
        VideoCodec::Av1 => format!("{}.{}", 2 + level / 4, level % 4),
        _ => format!("{}.{}", level / 30, level % 30 / 3),
    });
    (profile, level.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_of_hevc_stay_and_everything_else_goes() {
        let start = [0, 0, 0, 1];
        let units: [&[u8]; 5] =
            [&[70, 1, 0x50], &[64, 1, 7], &[78, 1, 9], &[40, 1, 3, 4], &[40, 1, 5]];
        let data = units.map(|unit| [&start, unit].concat()).concat();
        let packet = packet(VideoCodec::Hevc, &data);
        assert_eq!(packet[..], [0, 0, 0, 4, 40, 1, 3, 4, 0, 0, 0, 3, 40, 1, 5]);
        let config = codec_config("x265", VideoCodec::Hevc, &data, FrameRate::FPS_30);
        let flaw = Flaw::NoConfig;
        assert_eq!(config, Err(Error::Malformed { encoder: "x265", flaw }));
    }

    #[test]
    fn the_header_of_x265_gives_profile_and_level() {
        // x265 of the preset ultrafast for 1280x720 at 30 fps.
        const HEADER: &[u8] = b"\0\0\0\x01\x40\x01\x0c\x01\xff\xff\x01\x60\0\0\x03\0\x90\0\0\x03\0\
            \0\x03\0\x5d\xba\x02\x40\0\0\0\x01\x42\x01\x01\x01\x60\0\0\x03\0\x90\0\0\x03\0\0\x03\0\
            \x5d\xa0\x02\x80\x80\x2d\x16\x5b\xa4\xa4\xc2\xe6\xa0\x20\x20\x20\x80\0\0\x03\0\x80\0\0\
            \x0f\x04\0\0\0\x01\x44\x01\xc0\x73\xc1\x89";
        let config = codec_config("x265", VideoCodec::Hevc, HEADER, FrameRate::FPS_30).unwrap();
        let described = profile_and_level(VideoCodec::Hevc, &config);
        assert_eq!(described, ("Main", "3.1".to_owned()));
    }

    #[test]
    fn frames_to_which_no_other_frame_refers_are_disposable() {
        let is = |first: u8| {
            let packet = packet(VideoCodec::H264, &[0, 0, 1, 6, 5, 1, 9, 0, 0, 1, first, 0x9a, 1]);
            is_disposable(VideoCodec::H264, &packet)
        };
        assert_eq!([is(0x01), is(0x41), is(0x21), is(0x65)], [true, false, false, false]);
        assert!(!is_disposable(VideoCodec::Hevc, &[0, 0, 0, 2, 0x01, 0x9a]));
    }

    #[test]
    fn a_unit_of_av1_loses_its_delimiter() {
        let unit = b"\x12\0\x0a\x01\x05\x32\x02\x01\x02";
        assert_eq!(packet(VideoCodec::Av1, unit)[..], unit[2..]);
        assert!(packet(VideoCodec::Av1, b"\x12\0").is_empty());
        let config = codec_config("svt-av1", VideoCodec::Av1, b"\x0a\x01\x05", FrameRate::FPS_30);
        assert!(config.is_err(), "{config:?}");
    }
}
