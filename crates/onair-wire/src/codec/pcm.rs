//! Uncompressed audio (PCM) and its sample formats. Files describe these formats in many ways.
//! Between onair's readers and decoders, the config is eleven bytes long: `lpcm`, coding, bytes per
//! value, channels, rate.

use bytes::{BufMut, Bytes, BytesMut};

use crate::media::{AudioCodec, AudioConfig};
use crate::wire::codec::AudioInfo;

/// The first bytes of the config of uncompressed audio.
pub const CONFIG_MAGIC: &[u8; 4] = b"lpcm";
const MAX_CHANNELS: u16 = 16;

/// The coding of a value.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Coding {
    Signed,
    Unsigned,
    Float,
    /// G.711.
    ALaw,
    MuLaw,
}

const CODINGS_BY_CODE: [Coding; 5] =
    [Coding::Signed, Coding::Unsigned, Coding::Float, Coding::ALaw, Coding::MuLaw];
const BIG_ENDIAN_FLAG: u8 = 0x80;

/// Format of uncompressed audio with interleaved channels.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Pcm {
    pub coding: Coding,
    pub big_endian: bool,
    /// Bytes per value.
    pub bytes: u8,
    pub channels: u16,
    pub sample_rate: u32,
}

impl Pcm {
    /// Reads the config bytes that [`config`](Self::config) wrote.
    pub fn parse(config: &[u8]) -> Option<Self> {
        Self::unchecked(config).filter(Self::is_audio)
    }

    /// Works like [`parse`](Self::parse), for a config that may be incomplete.
    pub fn unchecked(config: &[u8]) -> Option<Self> {
        let &[coding, bytes, channels, a, b, c, d] =
            config.strip_prefix(CONFIG_MAGIC)?.first_chunk::<7>()?;
        Some(Self {
            coding: *CODINGS_BY_CODE.get(usize::from(coding & !BIG_ENDIAN_FLAG))?,
            big_endian: coding & BIG_ENDIAN_FLAG != 0,
            bytes,
            channels: channels.into(),
            sample_rate: u32::from_be_bytes([a, b, c, d]),
        })
    }

    /// Reads the format of a WAV file (WAVEFORMATEX, or its extensible form). Returns `None` if it
    /// is another format or invalid.
    pub fn of_wave(format: &[u8]) -> Option<Self> {
        let field = |at: usize| Some(u16::from_le_bytes(*format.get(at..)?.first_chunk()?));
        let bits = field(14)?;
        let kind = match field(0)? {
            // The first bytes of the longer GUID are the plain number.
            0xFFFE => field(24)?,
            kind => kind,
        };
        let coding = match kind {
            1 if bits == 8 => Coding::Unsigned,
            1 => Coding::Signed,
            3 => Coding::Float,
            6 => Coding::ALaw,
            7 => Coding::MuLaw,
            _ => return None,
        };
        let pcm = Self {
            coding,
            big_endian: false,
            bytes: u8::try_from(bits.div_ceil(8)).ok()?,
            channels: field(2)?,
            sample_rate: u32::from(field(6)?) << 16 | u32::from(field(4)?),
        };
        Some(pcm).filter(Self::is_audio)
    }

    /// Returns true if the format is valid.
    pub fn is_audio(&self) -> bool {
        let sizes: &[u8] = match self.coding {
            Coding::Signed | Coding::Unsigned => &[1, 2, 3, 4],
            Coding::Float => &[4, 8],
            Coding::ALaw | Coding::MuLaw => &[1],
        };
        sizes.contains(&self.bytes)
            && (1..=MAX_CHANNELS).contains(&self.channels)
            && (1_000..=384_000).contains(&self.sample_rate)
    }

    /// Writes the config bytes.
    pub fn config(&self) -> Bytes {
        let mut out = BytesMut::from(&CONFIG_MAGIC[..]);
        let coding = CODINGS_BY_CODE.iter().position(|it| *it == self.coding).unwrap_or(0) as u8;
        out.put_u8(coding | if self.big_endian { BIG_ENDIAN_FLAG } else { 0 });
        out.put_u8(self.bytes);
        out.put_u8(u8::try_from(self.channels).unwrap_or(0));
        out.put_u32(self.sample_rate);
        out.freeze()
    }

    /// Returns FFmpeg's name of the format.
    pub fn name(&self) -> String {
        let (coding, bits) = match self.coding {
            Coding::ALaw => return "pcm_alaw".to_owned(),
            Coding::MuLaw => return "pcm_mulaw".to_owned(),
            Coding::Signed => ('s', u32::from(self.bytes) * 8),
            Coding::Unsigned => ('u', u32::from(self.bytes) * 8),
            Coding::Float => ('f', u32::from(self.bytes) * 8),
        };
        let order = match (self.bytes, self.big_endian) {
            (1, _) => "",
            (_, true) => "be",
            (_, false) => "le",
        };
        format!("pcm_{coding}{bits}{order}")
    }

    /// Converts the format to an audio config.
    pub fn audio_config(&self) -> AudioConfig {
        AudioInfo::from(*self).config(AudioCodec::Pcm, self.config())
    }

    /// Returns the number of bytes of one value of every channel.
    pub fn frame(&self) -> u32 {
        u32::from(self.bytes) * u32::from(self.channels)
    }

    /// Converts `data` to sample values, mostly between -1 and 1.
    pub fn values(self, data: &[u8]) -> impl Iterator<Item = f32> {
        let Self { coding, big_endian, bytes, .. } = self;
        let size = usize::from(bytes).max(1);
        // Most significant byte first, left-aligned in eight bytes.
        let word = move |value: &[u8]| {
            let add = |word: u64, byte: &u8| word << 8 | u64::from(*byte);
            let word = if big_endian {
                value.iter().fold(0, add)
            } else {
                value.iter().rev().fold(0, add)
            };
            word << (64 - 8 * size.min(8))
        };
        let whole = |word: u64| (word.cast_signed() >> 32) as f32 / 2_147_483_648.0;
        data.chunks_exact(size).map(move |value| match coding {
            Coding::Signed => whole(word(value)),
            Coding::Unsigned => whole(word(value) ^ 1 << 63),
            Coding::Float if size == 8 => f64::from_bits(word(value)) as f32,
            Coding::Float => f32::from_bits((word(value) >> 32) as u32),
            Coding::ALaw => value.first().map_or(0.0, |byte| scaled(a_law(*byte))),
            Coding::MuLaw => value.first().map_or(0.0, |byte| scaled(mu_law(*byte))),
        })
    }
}

fn scaled(value: i16) -> f32 {
    f32::from(value) / 32_768.0
}

/// Decodes A-law (G.711 table 1), in which every second bit is inverted.
fn a_law(value: u8) -> i16 {
    let value = value ^ 0x55;
    let (segment, step) = (value >> 4 & 7, i16::from(value & 0xF));
    let magnitude = match segment {
        0 => (step << 4) + 8,
        segment => ((step << 4) + 0x108) << (segment - 1),
    };
    if value & 0x80 != 0 { magnitude } else { -magnitude }
}

/// Decodes µ-law (G.711 table 2), in which all bits are inverted.
fn mu_law(value: u8) -> i16 {
    let value = !value;
    let (segment, step) = (value >> 4 & 7, i16::from(value & 0xF));
    let magnitude = (((step << 3) + 0x84) << segment) - 0x84;
    if value & 0x80 != 0 { -magnitude } else { magnitude }
}

impl From<Pcm> for AudioInfo {
    fn from(pcm: Pcm) -> Self {
        Self { sample_rate: pcm.sample_rate, channels: pcm.channels }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let audio = Pcm {
            coding: Coding::Float,
            big_endian: true,
            bytes: 8,
            channels: 6,
            sample_rate: 96_000,
        };
        assert_eq!(Pcm::parse(&audio.config()), Some(audio));
        assert_eq!((audio.frame(), audio.name().as_str()), (48, "pcm_f64be"));
        let byte = Pcm { coding: Coding::Unsigned, bytes: 1, ..audio };
        assert_eq!(byte.name(), "pcm_u8");
        for bad in [
            Pcm { bytes: 3, ..audio },
            Pcm { channels: 0, ..audio },
            Pcm { sample_rate: 7, ..audio },
            Pcm { coding: Coding::ALaw, ..audio },
        ] {
            assert_eq!(Pcm::parse(&bad.config()), None);
        }
        assert_eq!(Pcm::parse(b"lpcm\x07\x02\x02\0\0\xBB\x80"), None);
        assert_eq!(Pcm::parse(b"lpcm"), None);
    }

    #[test]
    fn formats_of_wav_are_recognized() {
        // Six channels of 24 bits at 96 kHz, in the extensible form.
        let mut format = vec![0xFE, 0xFF, 6, 0, 0, 0x77, 1, 0, 0, 0x5E, 0x1A, 0, 18, 0, 24, 0];
        format.extend([22, 0, 24, 0, 0x3F, 0, 0, 0, 1, 0]);
        format.extend([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]);
        let pcm = Pcm::of_wave(&format).unwrap();
        assert_eq!((pcm.coding, pcm.bytes, pcm.channels), (Coding::Signed, 3, 6));
        assert_eq!((pcm.sample_rate, pcm.frame(), pcm.big_endian), (96_000, 18, false));
        // ADPCM, a format that ends too early, and one without channels.
        format[24] = 2;
        assert_eq!(Pcm::of_wave(&format), None);
        assert_eq!(Pcm::of_wave(&format[..20]), None);
        let mut plain = [1, 0, 1, 0, 0x40, 0x1F, 0, 0, 0, 0, 0, 0, 1, 0, 8, 0];
        assert_eq!(Pcm::of_wave(&plain).unwrap().coding, Coding::Unsigned);
        plain[2] = 0;
        assert_eq!(Pcm::of_wave(&plain), None);
    }

    #[test]
    fn both_laws_as_the_standard_tables_them() {
        // Smallest, largest and middle values.
        assert_eq!([0xD5, 0x55, 0xAA, 0x2A].map(a_law), [8, -8, 32_256, -32_256]);
        assert_eq!([0xFF, 0x7F, 0x80, 0x00].map(mu_law), [0, 0, 32_124, -32_124]);
        // Values rise without a gap.
        let rising = |law: fn(u8) -> i16| {
            let mut all: Vec<i16> = (0..=255).map(law).collect();
            all.sort_unstable();
            all.windows(2).all(|pair| pair[1] - pair[0] <= 1_024)
        };
        assert!(rising(a_law) && rising(mu_law));
    }
}
