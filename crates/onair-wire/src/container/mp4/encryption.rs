//! Encryption of MP4 samples (ISO/IEC 23001-7, Common Encryption): `sinf` in the sample description
//! defines the method, and `senc` in a fragment defines the encrypted parts. This module does not
//! decrypt.

use crate::wire::container::mp4::boxes::{BoxSpan, Fields, Name, boxes, child};

/// Maximum number of encrypted parts per sample. No frame has more slices.
const MAX_ENCRYPTED_PARTS: usize = 4_096;

/// Encryption scheme.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `cenc`: AES-128 in CTR mode, all bytes.
    Ctr,
    /// `cbcs`: AES-128 in CBC mode, with a repeated pattern of `encrypted` encrypted and `clear`
    /// clear blocks of 16 bytes.
    Cbc { encrypted: u8, clear: u8 },
}

/// A sample that is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptedSample {
    /// Position of the sample.
    pub at: u64,
    /// Length of the sample in bytes.
    pub size: u32,
    pub scheme: Scheme,
    pub iv: [u8; 16],
    /// Pairs of byte counts: clear, and then possibly encrypted. If empty, the whole sample may be
    /// encrypted.
    pub parts: Vec<(u16, u32)>,
}

/// Encryption of the samples of a track.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Protection {
    scheme: Scheme,
    /// Size of the IV per sample in bytes: 0, 8 or 16.
    iv_size: u8,
    /// The constant IV, if samples have none.
    iv: [u8; 16],
}

/// Removes the protection from a sample description, and returns the original description with its
/// protection.
pub(super) fn unwrap<'a>(entry: &BoxSpan<'a>) -> Option<(BoxSpan<'a>, Option<Protection>)> {
    let head = match &entry.name {
        b"encv" => 78,
        b"enca" => {
            let version = entry.content.get(8..10)?;
            match version {
                [0, 0] => 28,
                [0, 1] => 44,
                _ => 64,
            }
        }
        _ => return None,
    };
    let sinf = child(entry.content.get(head..)?, *b"sinf")?;
    let name: Name = *child(sinf, *b"frma")?.first_chunk()?;
    Some((BoxSpan { name, content: entry.content }, protection(sinf)))
}

fn protection(sinf: &[u8]) -> Option<Protection> {
    let mut fields = Fields::after_version(child(sinf, *b"schm")?)?;
    let scheme: Name = *fields.bytes(4)?.first_chunk()?;
    let (version, mut fields) = Fields::versioned(child(child(sinf, *b"schi")?, *b"tenc")?)?;
    fields.u8()?;
    let pattern = fields.u8()?;
    let is_protected = fields.u8()? != 0;
    let iv_size = fields.u8()?;
    fields.bytes(16)?;
    let mut iv = [0; 16];
    if is_protected && iv_size == 0 {
        let length = fields.u8()?;
        iv = padded(fields.bytes(length.into())?)?;
    }
    let scheme = match &scheme {
        b"cenc" => Scheme::Ctr,
        b"cbcs" if version > 0 => Scheme::Cbc { encrypted: pattern >> 4, clear: pattern & 0xF },
        b"cbcs" => Scheme::Cbc { encrypted: 0, clear: 0 },
        _ => return None,
    };
    matches!(iv_size, 0 | 8 | 16).then_some(Protection { scheme, iv_size, iv })
}

/// Pads an IV of 8 or 16 bytes to 16. The added bytes of a short IV are the counter.
fn padded(bytes: &[u8]) -> Option<[u8; 16]> {
    let mut iv = [0; 16];
    if !matches!(bytes.len(), 8 | 16) {
        return None;
    }
    iv.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(iv)
}

/// Reads the encrypted parts of the samples at these positions, in a fragment of one track. Returns
/// `None` if the data is invalid.
pub(super) fn samples(
    traf: &[u8],
    protection: Protection,
    places: &[(u64, u32)],
) -> Option<Vec<EncryptedSample>> {
    let Protection { scheme, iv_size, iv } = protection;
    let all =
        |&(at, size): &(u64, u32)| EncryptedSample { at, size, scheme, iv, parts: Vec::new() };
    let Some(senc) = boxes(traf).find(|found| found.name == *b"senc") else {
        // This is valid only if there is no per-sample data.
        return (iv_size == 0).then(|| places.iter().map(all).collect());
    };
    let mut fields = Fields(senc.content);
    let (_, flags) = fields.full()?;
    fields.u32()?;
    let mut out = Vec::with_capacity(places.len());
    for place in places {
        let mut sample = all(place);
        if iv_size > 0 {
            sample.iv = padded(fields.bytes(iv_size.into())?)?;
        }
        if flags & 2 != 0 {
            for _ in 0..fields.u16()? {
                let part = (fields.u16()?, fields.u32()?);
                if sample.parts.len() >= MAX_ENCRYPTED_PARTS {
                    return None;
                }
                sample.parts.push(part);
            }
        }
        out.push(sample);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use bytes::{BufMut, BytesMut};

    use super::*;
    use crate::wire::container::mp4::boxes::{put_box, put_full};

    #[test]
    fn descriptions_are_unwrapped_and_samples_distinguished() {
        let mut sinf = BytesMut::new();
        sinf.put_bytes(0, 78);
        put_box(&mut sinf, *b"sinf", |out| {
            put_box(out, *b"frma", |out| out.put_slice(b"avc1"));
            put_full(out, *b"schm", 0, 0, |out| out.put_slice(b"cbcs\0\x01\0\0"));
            put_box(out, *b"schi", |out| {
                put_full(out, *b"tenc", 1, 0, |out| {
                    out.put_slice(&[0, 0x19, 1, 0]);
                    out.put_bytes(7, 16);
                    out.put_u8(16);
                    out.put_bytes(9, 16);
                });
            });
        });
        let entry = BoxSpan { name: *b"encv", content: &sinf };
        let (truth, protection) = unwrap(&entry).unwrap();
        let protection = protection.unwrap();
        let scheme = Scheme::Cbc { encrypted: 1, clear: 9 };
        assert_eq!((&truth.name, protection.scheme, protection.iv), (b"avc1", scheme, [9; 16]));
        assert!(unwrap(&BoxSpan { name: *b"avc1", content: &sinf }).is_none());

        let mut traf = BytesMut::new();
        put_full(&mut traf, *b"senc", 0, 2, |out| {
            out.put_u32(2);
            out.put_slice(&[0, 1, 0, 5, 0, 0, 0, 32]);
            out.put_slice(&[0, 0]);
        });
        let places = [(100, 40), (140, 7)];
        let found = samples(&traf, protection, &places).unwrap();
        assert_eq!((found[0].at, &found[0].parts[..]), (100, &[(5, 32)][..]));
        assert!(found[1].parts.is_empty());
        // One sample more than the data describes.
        assert_eq!(samples(&traf, protection, &[(0, 1); 3]), None);
        assert_eq!(samples(&[], protection, &places).unwrap().len(), 2);
        assert_eq!(samples(&[], Protection { iv_size: 8, ..protection }, &places), None);
    }
}
