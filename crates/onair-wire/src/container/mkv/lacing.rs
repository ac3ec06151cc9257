//! Lacing (RFC 9559 §10.3): several small frames in one block, which muxers use for audio.

use crate::wire::container::mkv::ebml::vint;

/// Number of bytes of a block that are read to find its frames. It is sufficient for 256 sizes of
/// usual length.
pub const MAX_LACE_HEADER_BYTES: usize = 4_096;

/// Returns the position and length of each frame, in bytes from the start of `data`. `data` is the
/// block content after its flags, or the beginning of that content, whose full length is `size`.
/// Returns `None` if the block has no lacing or the sizes do not fit.
pub fn frames(flags: u8, data: &[u8], size: u64) -> Option<Vec<(u64, u32)>> {
    let (first, mut rest) = data.split_first()?;
    let others = usize::from(*first);
    let mut sizes = Vec::with_capacity(others + 1);
    match flags & 0x06 {
        // Xiph lacing: a size is a sum of bytes, where 255 continues.
        0x02 => {
            for _ in 0..others {
                let full = rest.iter().take_while(|byte| **byte == 255).count();
                let last = *rest.get(full)?;
                rest = rest.get(full + 1..)?;
                sizes.push(full as u64 * 255 + u64::from(last));
            }
        }
        // Fixed-size lacing.
        0x04 => {
            let each = size.checked_sub(1)? / (others as u64 + 1);
            sizes.resize(others, each);
        }
        // EBML lacing: the first size, then the differences.
        0x06 => {
            for _ in 0..others {
                let (Some(value), length) = vint(rest)? else { return None };
                rest = rest.get(length..)?;
                let size = match sizes.last() {
                    None => value,
                    Some(before) => {
                        let middle = (1_i64 << (7 * length - 1)) - 1;
                        let by = i64::try_from(value).ok()? - middle;
                        before.checked_add_signed(by)?
                    }
                };
                sizes.push(size);
            }
        }
        _ => return None,
    }
    let mut at = (data.len() - rest.len()) as u64;
    let mut frames = Vec::with_capacity(sizes.len() + 1);
    for length in sizes {
        frames.push((at, u32::try_from(length).ok()?));
        at = at.checked_add(length)?;
    }
    // The last frame takes the remaining bytes.
    frames.push((at, u32::try_from(size.checked_sub(at)?).ok()?));
    Some(frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_each_way_are_found() {
        // Three frames of 800, 500 and 1,000 bytes, the example of the specification (RFC 9559
        // §10.3).
        let sizes = |frames: Option<Vec<(u64, u32)>>| {
            frames.map(|frames| frames.iter().map(|frame| frame.1).collect::<Vec<_>>())
        };
        let xiph = [2, 255, 255, 255, 35, 255, 245];
        let found = frames(0x02, &xiph, 7 + 2_300);
        assert_eq!(found, Some(vec![(7, 800), (807, 500), (1_307, 1_000)]));
        let ebml = [2, 0x43, 0x20, 0x5E, 0xD3];
        let found = frames(0x86, &ebml, 5 + 2_300);
        assert_eq!(found, Some(vec![(5, 800), (805, 500), (1_305, 1_000)]));
        let fixed = frames(0x04, &[2], 1 + 2_400);
        assert_eq!(fixed, Some(vec![(1, 800), (801, 800), (1_601, 800)]));
        // A frame of exactly 255 bytes needs a zero after it; a single frame needs no size.
        assert_eq!(sizes(frames(0x02, &[1, 255, 0], 3 + 300)), Some(vec![255, 45]));
        assert_eq!(sizes(frames(0x06, &[0], 1 + 9)), Some(vec![9]));
        assert_eq!(frames(0x00, &ebml, 2_305), None);
    }

    #[test]
    fn sizes_that_do_not_fit_are_turned_down() {
        for (flags, data, size) in [
            (0x02, &[][..], 0),
            (0x02, &[2, 255, 255], 9_000),
            (0x02, &[1, 200], 100),
            (0x06, &[1, 0xFF], 300),
            (0x06, &[1, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE], 300),
            // A negative size.
            (0x06, &[2, 0x81, 0x80], 300),
            (0x06, &[1], 300),
            (0x04, &[255], 0),
        ] {
            assert_eq!(frames(flags, data, size), None, "{flags:x} {data:x?}");
        }
    }
}
