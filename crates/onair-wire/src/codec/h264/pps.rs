//! Picture parameter sets (ITU-T H.264 §7.3.2.2).

use super::{Error, Sps};
use crate::wire::bits::BitReader;
use crate::wire::codec::h264::nal::unescape;
use crate::wire::codec::h264::sps::scaling_lists;

/// The longest accepted set in bytes, including slice group maps.
const MAX_PPS_BYTES: usize = 65_536;

/// Number of bytes at the start of a set that are certain to contain its id.
const ID_BYTES: usize = 16;

/// `pic_parameter_set_rbsp()`, without the fields that only the slice data needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pps {
    pub id: u32,
    pub sps_id: u32,
    /// True for CABAC, false for CAVLC.
    pub cabac: bool,
    pub bottom_field_pic_order_present: bool,
    pub num_slice_groups: u32,
    pub weighted_pred: bool,
    pub deblocking_filter_control_present: bool,
    pub redundant_pic_cnt_present: bool,
    pub transform_8x8_mode: bool,
}

/// Checks the header and the length of a NAL unit.
fn check(nal: &[u8]) -> Result<(), Error> {
    let header = *nal.first().ok_or(Error::NoNal)?;
    if header & 0x9F != 8 {
        return Err(Error::WrongNal { header, expected: "PPS" });
    }
    if nal.len() > MAX_PPS_BYTES {
        return Err(Error::Range("pic_parameter_set"));
    }
    Ok(())
}

impl Pps {
    /// Reads only the id of a whole NAL unit.
    pub fn id_of(nal: &[u8]) -> Result<u32, Error> {
        check(nal)?;
        // The fields after the id are not needed.
        let rbsp = unescape(nal.get(..ID_BYTES).unwrap_or(nal));
        let mut r = BitReader::new(&rbsp);
        r.skip(8)?;
        let id = r.ue()?;
        if id > 255 { Err(Error::Range("pic_parameter_set_id")) } else { Ok(id) }
    }

    /// Reads a whole NAL unit. `sps` is needed only for the number of scaling lists of 4:4:4.
    pub fn parse(nal: &[u8], sps: Option<&Sps>) -> Result<Self, Error> {
        check(nal)?;
        let rbsp = unescape(nal);
        let mut r = BitReader::new(&rbsp);
        r.skip(8)?;
        let mut pps = Self { id: r.ue()?, sps_id: r.ue()?, ..Self::default() };
        if pps.id > 255 || pps.sps_id > 31 {
            return Err(Error::Range("pic_parameter_set_id"));
        }
        pps.cabac = r.flag()?;
        pps.bottom_field_pic_order_present = r.flag()?;
        pps.num_slice_groups = r.ue()?.saturating_add(1);
        if pps.num_slice_groups > 1 {
            skip_slice_groups(&mut r, pps.num_slice_groups)?;
        }
        // The default number of active references of lists 0 and 1, minus 1.
        for _ in 0..2 {
            if r.ue()? > 31 {
                return Err(Error::Range("num_ref_idx_default_active"));
            }
        }
        pps.weighted_pred = r.flag()?;
        // The kind of weighted prediction of B slices.
        r.skip(2)?;
        // The first quantizers of slices, and the offset of those of chroma.
        for _ in 0..3 {
            r.se()?;
        }
        pps.deblocking_filter_control_present = r.flag()?;
        // Whether intra prediction is constrained.
        r.skip(1)?;
        pps.redundant_pic_cnt_present = r.flag()?;
        if r.more_rbsp_data() {
            pps.transform_8x8_mode = r.flag()?;
            if r.flag()? {
                let full_chroma = sps.is_some_and(|sps| sps.chroma_format_idc == 3);
                let large = match (pps.transform_8x8_mode, full_chroma) {
                    (false, _) => 0,
                    (true, false) => 2,
                    (true, true) => 6,
                };
                scaling_lists(&mut r, 6 + large)?;
            }
            r.se()?;
        }
        Ok(pps)
    }
}

fn skip_slice_groups(r: &mut BitReader<'_>, count: u32) -> Result<(), Error> {
    if count > 8 {
        return Err(Error::Range("num_slice_groups"));
    }
    match r.ue()? {
        0 => (0..count).try_for_each(|_| r.ue().map(drop))?,
        1 => {}
        2 => (0..2 * (count - 1)).try_for_each(|_| r.ue().map(drop))?,
        3..=5 => {
            r.skip(1)?;
            r.ue()?;
        }
        6 => {
            let units = r.ue()? as usize + 1;
            let bits = (u32::BITS - (count - 1).leading_zeros()) as usize;
            r.skip(units.saturating_mul(bits))?;
        }
        _ => return Err(Error::Range("slice_group_map_type")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cabac_set_of_x264() {
        let pps = Pps::parse(&[0x68, 0xEB, 0xEC, 0xB2, 0x2C], None).unwrap();
        assert!(pps.cabac && pps.transform_8x8_mode && pps.weighted_pred);
        assert_eq!((pps.id, pps.sps_id, pps.num_slice_groups), (0, 0, 1));
        assert!(!Pps::parse(&[0x68, 0xCE, 0x3C, 0x80], None).unwrap().cabac);
    }
}
