//! AVCDecoderConfigurationRecord ("avcC", ISO/IEC 14496-15 §5.3.3.1).

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::{Error, Sps};

/// A decoder configuration record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecoderConfig {
    pub profile_idc: u8,
    /// Constraint flags; `constraint_set0_flag` is bit 7.
    pub constraints: u8,
    pub level_idc: u8,
    /// Size of a NAL unit's length field in bytes: 1, 2 or 4. The illegal value 3 is accepted.
    pub length_size: usize,
    /// Sequence parameter sets as whole NAL units.
    pub sps: Vec<Bytes>,
    /// Picture parameter sets as whole NAL units.
    pub pps: Vec<Bytes>,
    /// Chroma format and bit depths, if the record has its high-profile fields.
    pub extension: Option<Extension>,
}

/// Additional fields of the high profiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    pub chroma_format: u8,
    pub bit_depth_luma: u8,
    pub bit_depth_chroma: u8,
    /// SPS extensions as whole NAL units.
    pub sps_ext: Vec<Bytes>,
}

impl DecoderConfig {
    /// Makes a record with 4-byte lengths from the parameter sets of an encoder (whole NAL units).
    pub fn new(sps: Bytes, pps: Bytes) -> Result<Self, Error> {
        let parsed = Sps::parse_for_decoding(&sps)?;
        let high = !matches!(parsed.profile_idc, 66 | 77 | 88);
        Ok(Self {
            profile_idc: parsed.profile_idc,
            constraints: parsed.constraints,
            level_idc: parsed.level_idc,
            length_size: 4,
            sps: vec![sps],
            pps: vec![pps],
            extension: high.then_some(Extension {
                chroma_format: parsed.chroma_format_idc as u8,
                bit_depth_luma: parsed.bit_depth_luma as u8,
                bit_depth_chroma: parsed.bit_depth_chroma as u8,
                sps_ext: Vec::new(),
            }),
        })
    }

    /// Reads a record. The parameter sets share the bytes of the record. The high-profile fields
    /// are optional, because many writers omit them.
    pub fn parse(record: &Bytes) -> Result<Self, Error> {
        let mut rest = record.clone();
        if rest.len() < 6 {
            return Err(Error::Length);
        }
        if rest.get_u8() != 1 {
            return Err(Error::Range("configurationVersion"));
        }
        let (profile_idc, constraints, level_idc) = (rest.get_u8(), rest.get_u8(), rest.get_u8());
        let length_size = usize::from(rest.get_u8() & 3) + 1;
        let sps_count = rest.get_u8() & 0x1F;
        let sps = read_sets(&mut rest, sps_count)?;
        let pps_count = if rest.is_empty() { 0 } else { rest.get_u8() };
        let pps = read_sets(&mut rest, pps_count)?;
        let extension = if rest.len() >= 4 {
            let chroma_format = rest.get_u8() & 3;
            let bit_depth_luma = (rest.get_u8() & 7) + 8;
            let bit_depth_chroma = (rest.get_u8() & 7) + 8;
            let count = rest.get_u8();
            let sps_ext = read_sets(&mut rest, count).unwrap_or_default();
            Some(Extension { chroma_format, bit_depth_luma, bit_depth_chroma, sps_ext })
        } else {
            None
        };
        Ok(Self {
            profile_idc,
            constraints,
            level_idc,
            length_size,
            sps,
            pps,
            extension: extension.filter(|_| !matches!(profile_idc, 66 | 77 | 88)),
        })
    }

    /// Writes the record. Fails if there are too many parameter sets, or if one is too long.
    pub fn build(&self) -> Result<Bytes, Error> {
        let sets = self.sps.iter().chain(&self.pps).map(|set| set.len() + 2).sum::<usize>();
        let mut out = BytesMut::with_capacity(sets + 16);
        out.put_slice(&[1, self.profile_idc, self.constraints, self.level_idc]);
        let length_size_minus1 = match self.length_size {
            1..=4 => (self.length_size - 1) as u8,
            _ => return Err(Error::Range("lengthSizeMinusOne")),
        };
        out.put_u8(0xFC | length_size_minus1);
        let sps_count = u8::try_from(self.sps.len()).ok().filter(|count| *count < 32);
        out.put_u8(0xE0 | sps_count.ok_or(Error::Range("numOfParameterSets"))?);
        write_sets(&mut out, &self.sps)?;
        let pps_count = u8::try_from(self.pps.len());
        out.put_u8(pps_count.map_err(|_| Error::Range("numOfParameterSets"))?);
        write_sets(&mut out, &self.pps)?;
        if let Some(extension) = &self.extension {
            out.put_u8(0xFC | extension.chroma_format);
            out.put_u8(0xF8 | extension.bit_depth_luma.saturating_sub(8));
            out.put_u8(0xF8 | extension.bit_depth_chroma.saturating_sub(8));
            let count = u8::try_from(extension.sps_ext.len());
            out.put_u8(count.map_err(|_| Error::Range("numOfParameterSets"))?);
            write_sets(&mut out, &extension.sps_ext)?;
        }
        Ok(out.freeze())
    }

    /// Returns all parameter sets, SPS before PPS, in the order that decoders need before a
    /// keyframe.
    pub fn parameter_sets(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.sps.iter().chain(&self.pps).map(|set| &set[..])
    }

    /// Parses the first sequence parameter set.
    pub fn first_sps(&self) -> Result<Sps, Error> {
        Sps::parse_for_decoding(self.sps.first().ok_or(Error::NoNal)?)
    }
}

fn read_sets(rest: &mut Bytes, count: u8) -> Result<Vec<Bytes>, Error> {
    (0..count)
        .map(|_| {
            if rest.len() < 2 {
                return Err(Error::Length);
            }
            let length = usize::from(rest.get_u16());
            if length > rest.len() {
                return Err(Error::Length);
            }
            Ok(rest.split_to(length))
        })
        .collect()
}

fn write_sets(out: &mut BytesMut, sets: &[Bytes]) -> Result<(), Error> {
    for set in sets {
        out.put_u16(u16::try_from(set.len()).map_err(|_| Error::Length)?);
        out.put_slice(set);
    }
    Ok(())
}
