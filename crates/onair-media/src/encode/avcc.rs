//! Converts the encoder's Annex B byte stream (ITU-T H.264 annex B) to the packets of onair: NAL
//! units with 4-byte lengths, without parameter sets.

use bytes::{BufMut, Bytes, BytesMut};

use crate::encode::error::{Error, Flaw};
use crate::media::{Color, FrameRate};
use crate::wire::codec::h264::{DecoderConfig, VuiChanges, rewrite_sps_vui};

/// NAL unit types that are not part of packets: SEI, SPS, PPS, access unit delimiter.
const NON_PACKET_NAL_TYPES: [u8; 4] = [6, 7, 8, 9];

/// Returns the NAL unit without its start code.
pub(super) fn strip_start_code(unit: &[u8]) -> Option<&[u8]> {
    unit.strip_prefix(&[0, 0, 0, 1]).or_else(|| unit.strip_prefix(&[0, 0, 1]))
}

/// Returns the type of a NAL unit (§7.4.1).
pub(super) fn kind(nal: &[u8]) -> u8 {
    nal.first().map_or(0, |header| header & 0x1f)
}

/// Joins NAL units, each of which has its start code, into one packet. The data is copied once.
pub(super) fn packet<'a>(units: impl Iterator<Item = &'a [u8]> + Clone) -> Result<Bytes, Error> {
    if units.clone().any(|unit| strip_start_code(unit).is_none()) {
        return Err(Error::Malformed { encoder: "H.264", flaw: Flaw::NoStartCode });
    }
    Ok(packet_of(units.filter_map(strip_start_code)))
}

/// Joins NAL units without start codes into one packet. The data is copied once.
pub(super) fn packet_of<'a>(nals: impl Iterator<Item = &'a [u8]> + Clone) -> Bytes {
    let wanted = |nal: &&[u8]| !nal.is_empty() && !NON_PACKET_NAL_TYPES.contains(&kind(nal));
    let nals = nals.filter(wanted);
    let mut out = BytesMut::with_capacity(nals.clone().map(|nal| 4 + nal.len()).sum());
    for nal in nals {
        out.put_u32(u32::try_from(nal.len()).unwrap_or(u32::MAX));
        out.put_slice(nal);
    }
    out.freeze()
}

/// Creates the codec config from the encoder's SPS and PPS. The SPS gets data that encoders omit
/// and players need: the color space, the frame rate, and the absence of frame reordering.
pub(super) fn configuration(sps: &[u8], pps: &[u8], rate: FrameRate) -> Result<Bytes, Error> {
    let fault = |_| Error::Malformed { encoder: "H.264", flaw: Flaw::BadConfig };
    let changes =
        VuiChanges { color: Some(Color::PROGRAM), frame_rate: Some(rate), no_reordering: true };
    let sps = rewrite_sps_vui(sps, &changes).map_err(fault)?;
    let config = DecoderConfig::new(sps, Bytes::copy_from_slice(pps)).map_err(fault)?;
    config.build().map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_stay_and_everything_else_goes() {
        let units: [&[u8]; 5] = [
            &[0, 0, 0, 1, 0x09, 0xf0],
            &[0, 0, 0, 1, 0x67, 1],
            &[0, 0, 0, 1, 0x68, 2],
            &[0, 0, 0, 1, 0x65, 3, 4],
            &[0, 0, 1, 0x65, 5],
        ];
        let packet = packet(units.into_iter()).unwrap();
        assert_eq!(packet[..], [0, 0, 0, 3, 0x65, 3, 4, 0, 0, 0, 2, 0x65, 5]);
        assert!(super::packet([&[1_u8, 2][..]].into_iter()).is_err());
    }
}
