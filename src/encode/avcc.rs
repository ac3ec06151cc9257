//! From the encoder's Annex B byte stream (ITU-T H.264 annex B) to what flows down the street:
//! NAL units with 4-byte lengths, parameter sets apart.

use bytes::{BufMut, Bytes, BytesMut};

use crate::encode::Error;

/// NAL unit types that do not travel in packets: SEI, SPS, PPS, access unit delimiter.
const APART: [u8; 4] = [6, 7, 8, 9];

/// One NAL unit without its start code.
pub(super) fn strip_start_code(unit: &[u8]) -> Option<&[u8]> {
    unit.strip_prefix(&[0, 0, 0, 1]).or_else(|| unit.strip_prefix(&[0, 0, 1]))
}

/// The type of a NAL unit (§7.4.1).
pub(super) fn kind(nal: &[u8]) -> u8 {
    nal.first().map_or(0, |header| header & 0x1f)
}

/// Joins NAL units (each with its start code) into one packet, in one copy.
pub(super) fn packet<'a>(units: impl Iterator<Item = &'a [u8]> + Clone) -> Result<Bytes, Error> {
    let wanted = |unit: &'a [u8]| match strip_start_code(unit) {
        None => Some(Err(Error::Malformed { encoder: "the encoder", what: "no start code" })),
        Some(nal) if nal.is_empty() || APART.contains(&kind(nal)) => None,
        Some(nal) => Some(Ok(nal)),
    };
    let mut len = 0;
    for nal in units.clone().filter_map(wanted) {
        len += 4 + nal?.len();
    }
    let mut out = BytesMut::with_capacity(len);
    for nal in units.filter_map(wanted) {
        let nal = nal?;
        out.put_u32(u32::try_from(nal.len()).unwrap_or(u32::MAX));
        out.put_slice(nal);
    }
    Ok(out.freeze())
}

/// AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1) of one SPS and one PPS, 4-byte
/// lengths, 4:2:0, 8 bits.
pub(super) fn configuration(sps: &[u8], pps: &[u8]) -> Option<Bytes> {
    let (profile, compatibility, level) = (*sps.get(1)?, *sps.get(2)?, *sps.get(3)?);
    let mut out = BytesMut::with_capacity(sps.len() + pps.len() + 15);
    out.put_slice(&[1, profile, compatibility, level, 0xff, 0xe1]);
    out.put_u16(u16::try_from(sps.len()).ok()?);
    out.put_slice(sps);
    out.put_u8(1);
    out.put_u16(u16::try_from(pps.len()).ok()?);
    out.put_slice(pps);
    if matches!(profile, 100 | 110 | 122 | 144) {
        // chroma_format 1, both bit depths 8, no SPS extensions
        out.put_slice(&[0xfd, 0xf8, 0xf8, 0]);
    }
    Some(out.freeze())
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
