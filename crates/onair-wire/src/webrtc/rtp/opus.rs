//! Opus (RFC 6716, RFC 7587): joins two packets of one frame into one packet of two frames.

use bytes::{BufMut as _, Bytes, BytesMut};

/// Maximum length of a frame in bytes (RFC 6716 §3.2.1).
const MAX_FRAME_BYTES: usize = 1_275;
/// The smallest length that needs two bytes (RFC 6716 §3.2.1).
const MIN_TWO_BYTE_LENGTH: usize = 252;
/// The bits of the first byte that say how many frames the packet has.
const FRAME_COUNT_MASK: u8 = 3;
/// Two frames, of which the packet states the length of the first one (RFC 6716 §3.2.4).
const TWO_FRAMES_CODE: u8 = 2;

/// Joins two successive packets, if both have one frame of the same kind and the result is at most
/// `max` bytes long. Frames of more than 60 ms do not exist, so the result is a valid packet.
pub fn join(first: &[u8], second: &[u8], max: usize) -> Option<Bytes> {
    let (&kind, first) = first.split_first()?;
    let (&other, second) = second.split_first()?;
    let length = first.len();
    if kind != other || kind & FRAME_COUNT_MASK != 0 || length.max(second.len()) > MAX_FRAME_BYTES {
        return None;
    }
    let mut packet = BytesMut::with_capacity(3 + length + second.len());
    packet.put_u8(kind | TWO_FRAMES_CODE);
    if length < MIN_TWO_BYTE_LENGTH {
        packet.put_u8(length as u8);
    } else {
        // The length is the first byte plus four times the second one.
        let low = MIN_TWO_BYTE_LENGTH + (length & 3);
        packet.put_u8(low as u8);
        packet.put_u8(((length - low) / 4) as u8);
    }
    packet.put_slice(first);
    packet.put_slice(second);
    (packet.len() <= max).then(|| packet.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONO_20_MS_TOC: u8 = 31 << 3;

    fn packet(kind: u8, length: usize) -> Vec<u8> {
        let mut packet = vec![kind];
        packet.extend((0..length).map(|at| at as u8));
        packet
    }

    #[test]
    fn lengths_are_written_as_the_standard_says() {
        let lengths = [(0, vec![0]), (251, vec![251]), (252, vec![252, 0]), (255, vec![255, 0])];
        let more = [(256, vec![252, 1]), (1_000, vec![252, 187]), (1_275, vec![255, 255])];
        for (length, written) in lengths.into_iter().chain(more) {
            let (first, second) = (packet(MONO_20_MS_TOC, length), packet(MONO_20_MS_TOC, 5));
            let joined = join(&first, &second, 2_000).unwrap();
            let expected =
                [&[MONO_20_MS_TOC | 2], &written[..], &first[1..], &second[1..]].concat();
            assert_eq!(joined, expected, "{length}");
        }
    }

    #[test]
    fn other_packets_stay_alone() {
        let plain = packet(MONO_20_MS_TOC, 100);
        assert!(join(&plain, &plain, 202).is_some());
        assert!(join(&plain, &plain, 201).is_none(), "too long");
        assert!(join(&plain, &packet(30 << 3, 100), 1_000).is_none(), "10 ms");
        assert!(join(&plain, &packet(MONO_20_MS_TOC | 4, 100), 1_000).is_none(), "stereo");
        let two = packet(MONO_20_MS_TOC | 1, 100);
        assert!(join(&two, &two, 1_000).is_none(), "two frames each");
        assert!(join(&[], &plain, 1_000).is_none() && join(&plain, &[], 1_000).is_none());
        let huge = packet(MONO_20_MS_TOC, 1_276);
        assert!(join(&huge, &plain, 9_000).is_none());
    }
}
