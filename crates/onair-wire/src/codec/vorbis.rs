//! Durations of Vorbis packets (Vorbis I specification), which depend on the headers.

use bytes::Bytes;

use crate::wire::codec::AudioInfo;

/// The first bytes of a config between onair's readers and decoders.
pub const CONFIG_MAGIC: &[u8; 4] = b"vorb";
/// The name that follows the number at the start of the three headers (§4.2.1).
const HEADER_MAGIC: &[u8] = b"vorbis";
/// Length of the first header in bytes.
const IDENTIFICATION_HEADER_BYTES: usize = 30;
/// The maximum number of modes.
const MAX_MODES: usize = 64;
/// Length of a mode in bits (§4.2.4): the flag for long blocks, window and transform (both always
/// 0), and mapping.
const MODE_BITS: usize = 41;

/// The state from which the duration of each packet follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocks {
    pub audio: AudioInfo,
    /// Sizes of short and long blocks.
    sizes: [u32; 2],
    /// For each mode, true if its blocks are long.
    long: Vec<bool>,
    /// Length of a mode number in bits.
    bits: u32,
    /// The size of the previous block.
    before: Option<u32>,
}

/// Makes onair's config, which contains the first and the third header, from `laced`, which
/// contains all three as in Matroska.
pub fn unlaced(laced: &[u8]) -> Option<Bytes> {
    let (&2, mut rest) = laced.split_first()? else { return None };
    let mut sizes = [0_usize; 2];
    for size in &mut sizes {
        loop {
            let (byte, after) = rest.split_first()?;
            rest = after;
            *size += usize::from(*byte);
            if *byte != 255 {
                break;
            }
        }
    }
    let [identity, comments] = sizes;
    let first = rest.get(..identity)?;
    let setup = rest.get(identity.checked_add(comments)?..)?;
    config(first, setup)
}

/// Makes the config from the first and the third header.
pub fn config(identity: &[u8], setup: &[u8]) -> Option<Bytes> {
    let identity = identity.get(..IDENTIFICATION_HEADER_BYTES)?;
    let fits = is_header(1, identity) && is_header(5, setup);
    fits.then(|| [identity, setup].concat().into())
}

/// Returns true if a packet is the header with this number.
pub fn is_header(number: u8, packet: &[u8]) -> bool {
    packet
        .split_first()
        .is_some_and(|(first, rest)| *first == number && rest.starts_with(HEADER_MAGIC))
}

/// Reads the properties of a config.
pub fn audio_info(config: &[u8]) -> Option<AudioInfo> {
    Blocks::of(config).map(|blocks| blocks.audio)
}

impl Blocks {
    /// Reads a config. Returns `None` if it is invalid.
    pub fn of(config: &[u8]) -> Option<Self> {
        let (identity, setup) = config.split_at_checked(IDENTIFICATION_HEADER_BYTES)?;
        if !is_header(1, identity) || !is_header(5, setup) {
            return None;
        }
        let channels = u16::from(*identity.get(11)?);
        let sample_rate = u32::from_le_bytes(*identity.get(12..)?.first_chunk()?);
        let sizes = identity.get(28)?;
        let (short, long) = (sizes & 0xF, sizes >> 4);
        if !(6..=13).contains(&short) || !(short..=13).contains(&long) {
            return None;
        }
        if channels == 0 || !(1..=768_000).contains(&sample_rate) {
            return None;
        }
        let modes = modes(setup)?;
        // The number of bits for the highest mode number.
        let bits = usize::BITS - (modes.len() - 1).leading_zeros();
        let sizes = [1 << short, 1 << long];
        let audio = AudioInfo { sample_rate, channels };
        Some(Self { audio, sizes, long: modes, bits, before: None })
    }

    /// Returns the number of samples that a packet adds to those of the previous packets, or `None`
    /// if the packet is not audio.
    pub fn lasts(&mut self, packet: &[u8]) -> Option<u32> {
        let first = *packet.first()?;
        if first & 1 == 1 {
            return None;
        }
        let mode = usize::from(first >> 1) & ((1 << self.bits) - 1);
        let size = *self.sizes.get(usize::from(*self.long.get(mode)?))?;
        let before = self.before.replace(size);
        Some(before.map_or(0, |before| (before + size) / 4))
    }
}

/// Reads, for each mode, whether its blocks are long. The modes are at the end of the last header,
/// after many fields that are hard to parse, so they are read backwards from the end.
fn modes(setup: &[u8]) -> Option<Vec<bool>> {
    let bit = |at: usize| -> Option<bool> { Some(setup.get(at / 8)? >> (at % 8) & 1 == 1) };
    let number = |at: usize, count: usize| -> Option<u32> {
        (0..count).try_fold(0, |number, place| Some(number | u32::from(bit(at + place)?) << place))
    };
    // The last bit that is set ends the header.
    let last = setup.iter().rposition(|byte| *byte != 0)?;
    let end = last * 8 + 7 - setup.get(last)?.leading_zeros() as usize;
    let (mut at, mut count, mut found) = (end, 0, None);
    while count < MAX_MODES {
        let Some(begin) = at.checked_sub(MODE_BITS) else { break };
        let plain = number(begin + 1, 32)? == 0 && number(begin + 33, 8)? < 64;
        if !plain {
            break;
        }
        (at, count) = (begin, count + 1);
        // The mode count, minus one, precedes the modes.
        if at.checked_sub(6).and_then(|at| number(at, 6)) == u32::try_from(count - 1).ok() {
            found = Some((at, count));
        }
    }
    let (at, count) = found?;
    (0..count).map(|mode| bit(at + mode * MODE_BITS)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packs values into bytes, the lowest bit of each byte first.
    fn packed(bits: &[(u64, usize)]) -> Vec<u8> {
        let mut all = Vec::new();
        for (value, count) in bits {
            all.extend((0..*count).map(|place| value >> place & 1 == 1));
        }
        let byte =
            |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
        all.chunks(8).map(byte).collect()
    }

    fn identity() -> Vec<u8> {
        let mut header = b"\x01vorbis\0\0\0\0\x02".to_vec();
        header.extend(44_100_u32.to_le_bytes());
        header.extend([0; 12]);
        header.extend([0xB8, 1]);
        header
    }

    #[test]
    fn packets_last_as_their_blocks_say() {
        let modes =
            packed(&[(0x2AA, 11), (1, 6), (0, 1), (0, 40), (1, 1), (0, 32), (1, 8), (1, 1)]);
        let setup = [b"\x05vorbis".as_slice(), &modes].concat();
        let config = config(&identity(), &setup).unwrap();
        let mut blocks = Blocks::of(&config).unwrap();
        assert_eq!(blocks.audio, AudioInfo { sample_rate: 44_100, channels: 2 });
        // Short blocks have 256 samples, long ones 2,048.
        let lasts = [0, 0, 2, 2, 0, 1].map(|packet| blocks.lasts(&[packet]));
        assert_eq!(lasts, [Some(0), Some(128), Some(576), Some(1_024), Some(576), None]);
        let laced = [&[2, 30, 3][..], &identity(), b"abc", &setup].concat();
        assert_eq!(unlaced(&laced), Some(config));
    }

    #[test]
    fn what_makes_no_sense_is_none() {
        assert_eq!(unlaced(&[2, 255, 255]), None);
        assert_eq!(config(b"", b""), None);
        for length in 0..40 {
            assert_eq!(Blocks::of(&[0xFF; 40][..length]), None);
        }
        let empty = [identity().as_slice(), b"\x05vorbis\0\0"].concat();
        assert_eq!(Blocks::of(&empty), None);
    }
}
