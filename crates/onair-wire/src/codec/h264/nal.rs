//! NAL units: Annex B (start codes, ITU-T H.264 Annex B) and AVCC format (lengths, ISO/IEC 14496-15
//! §5.3.2), conversion between the two, and emulation prevention (§7.4.1).

use bytes::{BufMut, Bytes, BytesMut};

use super::Error;

/// Types of NAL units (Table 7-1) that onair distinguishes.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum NalType {
    /// A slice of a frame that is not an IDR frame.
    Slice,
    /// One of the data partitions A to C.
    Partition,
    /// A slice of an IDR frame.
    Idr,
    /// Supplemental enhancement information.
    Sei,
    /// Sequence parameter set.
    Sps,
    /// Picture parameter set.
    Pps,
    /// Access unit delimiter.
    Aud,
    /// Anything else.
    Other(u8),
}

impl NalType {
    /// Returns the type in the first byte of a NAL unit.
    pub const fn from_header(header: u8) -> Self {
        match header & 0x1F {
            1 => Self::Slice,
            2..=4 => Self::Partition,
            5 => Self::Idr,
            6 => Self::Sei,
            7 => Self::Sps,
            8 => Self::Pps,
            9 => Self::Aud,
            other => Self::Other(other),
        }
    }

    /// Returns the type of a whole NAL unit, or `None` if it is empty.
    pub fn of(nal: &[u8]) -> Option<Self> {
        nal.first().map(|header| Self::from_header(*header))
    }
}

/// Returns the position of the next `00 00 01` at or after `from`.
fn start_code(data: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    // Check every third byte: a start code can be near only if that byte is 0 or 1.
    while let Some(window) = data.get(at..at + 3) {
        match window {
            [0, 0, 1] => return Some(at),
            [_, _, third] if *third > 1 => at += 3,
            [_, second, _] if *second != 0 => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// Returns the NAL units of Annex B data, without start codes and trailing zeros. Empty units and
/// bytes before the first start code are skipped.
pub fn annexb_nals(data: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    let mut next = start_code(data, 0);
    std::iter::from_fn(move || {
        loop {
            let start = next? + 3;
            next = start_code(data, start);
            let end = next.unwrap_or(data.len());
            let nal = data.get(start..end).unwrap_or_default();
            // A NAL unit never ends with a zero byte (§7.4.1), so these zeros are part of the next start
            // code.
            let length = nal.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            if length > 0 {
                return nal.get(..length);
            }
        }
    })
}

/// Returns the NAL units of AVCC data with length fields of `length_size` bytes (1 to 4). Empty
/// units are skipped. After a length beyond the data, the iterator returns one error and ends.
pub fn avcc_nals(data: &[u8], length_size: usize) -> impl Iterator<Item = Result<&[u8], Error>> {
    let mut rest = data;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let split = rest.split_at_checked(length_size).filter(|_| length_size > 0);
            let length = split.map_or(usize::MAX, |(prefix, _)| {
                prefix.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte))
            });
            match split.and_then(|(_, after)| after.split_at_checked(length)) {
                Some((nal, after)) => {
                    rest = after;
                    if !nal.is_empty() {
                        return Some(Ok(nal));
                    }
                }
                None => {
                    rest = &[];
                    return Some(Err(Error::Length));
                }
            }
        }
    })
}

/// Converts Annex B to AVCC with 4-byte lengths, and keeps the NAL units that `keep` accepts. The
/// conversion makes one allocation.
pub fn annexb_to_avcc(data: &[u8], mut keep: impl FnMut(&[u8]) -> bool) -> Result<Bytes, Error> {
    // If all start codes have 3 bytes, each unit grows by one byte. Units have at least one byte, so there is
    // at most one unit per 4 bytes.
    let units = annexb_nals(data).count();
    let mut out = BytesMut::with_capacity(data.len() + units);
    for nal in annexb_nals(data) {
        if keep(nal) {
            out.put_u32(u32::try_from(nal.len()).map_err(|_| Error::Length)?);
            out.put_slice(nal);
        }
    }
    Ok(out.freeze())
}

/// Joins NAL units to Annex B with 4-byte start codes. This makes one allocation.
pub fn nals_to_annexb<'a>(nals: impl Iterator<Item = &'a [u8]> + Clone) -> Bytes {
    let mut out = BytesMut::with_capacity(nals.clone().map(|nal| nal.len() + 4).sum());
    for nal in nals {
        out.put_u32(1);
        out.put_slice(nal);
    }
    out.freeze()
}

/// Removes the emulation prevention bytes of a NAL unit. The result is its raw payload (RBSP).
pub fn unescape(nal: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(nal.len());
    let mut zeros = 0;
    for byte in nal {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        out.push(*byte);
    }
    out
}

/// Inserts emulation prevention bytes into a raw payload. The result is a NAL unit. A payload that
/// ends with a `cabac_zero_word` gets a byte of value 3 after it (§7.4.1).
pub fn escape(rbsp: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rbsp.len() + rbsp.len() / 2 + 1);
    let mut zeros = 0;
    for byte in rbsp {
        if zeros == 2 && *byte <= 3 {
            out.push(3);
            zeros = 0;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        out.push(*byte);
    }
    if zeros == 2 {
        out.push(3);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_codes_of_both_lengths_and_trailing_zeros() {
        let data = [7, 0, 0, 0, 1, 9, 0xF0, 0, 0, 0, 0, 1, 0x65, 1, 0, 0, 1, 0, 0, 1, 0x41, 0, 0];
        let nals: Vec<_> = annexb_nals(&data).collect();
        assert_eq!(nals, [&[9, 0xF0][..], &[0x65, 1], &[0x41]]);
        assert_eq!(annexb_nals(&[]).count() + annexb_nals(&[0, 0, 1]).count(), 0);
    }

    #[test]
    fn conversions_agree() {
        let annexb = [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x65, 9];
        let avcc = annexb_to_avcc(&annexb, |nal| NalType::of(nal) != Some(NalType::Sps)).unwrap();
        assert_eq!(&avcc[..], [0, 0, 0, 2, 0x65, 9]);
        let sps: &[u8] = &[0x67, 1, 2];
        let nals: Vec<_> = avcc_nals(&avcc, 4).map(Result::unwrap).collect();
        let back = nals_to_annexb([sps].into_iter().chain(nals));
        assert_eq!(&back[..], [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0x65, 9]);
    }

    #[test]
    fn lengths_beyond_the_end_are_one_error() {
        for (data, size) in
            [(&[0, 0, 0, 9, 1][..], 4), (&[1][..], 2), (&[255, 255, 255, 255][..], 4)]
        {
            let items: Vec<_> = avcc_nals(data, size).collect();
            assert_eq!(items, [Err(Error::Length)]);
        }
        assert_eq!(avcc_nals(&[1, 2], 0).count(), 1);
    }
}
