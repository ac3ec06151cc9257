//! AAC configuration: AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1) here, ADTS in [`adts`]. This
//! module does not decode audio and has no I/O.

pub mod adts;

use bytes::Bytes;

use crate::wire::bits::{self, BitReader, BitWriter};

/// The reason why AAC bytes are invalid.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes end too early.
    #[error("audio configuration: {0}")]
    Bits(#[from] bits::Error),
    /// A reserved sampling frequency index.
    #[error("the sampling frequency index {0} is reserved")]
    SampleRate(u8),
    /// Not an ADTS header.
    #[error("there is no ADTS header")]
    NoAdts,
    /// An ADTS frame whose length does not even cover its header.
    #[error("an ADTS frame claims a length of {0} bytes")]
    AdtsLength(usize),
    /// An ADTS frame with several raw data blocks: legal, but not used in practice.
    #[error("an ADTS frame holds several blocks")]
    AdtsBlocks,
    /// A configuration that the format cannot express.
    #[error("{0} cannot be expressed")]
    Inexpressible(&'static str),
}

/// Audio object types (Table 1.17) that onair uses.
pub mod object_type {
    pub const MAIN: u8 = 1;
    pub const LC: u8 = 2;
    pub const SSR: u8 = 3;
    pub const LTP: u8 = 4;
    /// Spectral band replication: HE-AAC.
    pub const SBR: u8 = 5;
    /// Parametric stereo: HE-AAC v2.
    pub const PS: u8 = 29;
}

/// Sampling frequencies by index (Table 1.18).
const SAMPLE_RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

const EXPLICIT_RATE_INDEX: u8 = 15;

/// An AudioSpecificConfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioSpecificConfig {
    /// Object type of the core, see [`object_type`].
    pub object_type: u8,
    /// Sample rate of the core in Hz.
    pub sample_rate: u32,
    /// Channel configuration, 1…7, or 0 if the program config element or the audio itself defines
    /// the channels.
    pub channel_config: u8,
    /// Number of channels in the program config element.
    pub element_channels: Option<u8>,
    /// Spectral band replication on top of the core.
    pub extension: Option<Extension>,
    /// True if frames have 960 samples instead of 1,024.
    pub short_frames: bool,
    /// `coreCoderDelay`, if the stream depends on a core coder.
    pub core_coder_delay: Option<u16>,
}

/// Signaling of HE-AAC.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Output sample rate in Hz.
    pub sample_rate: u32,
    /// True for parametric stereo (HE-AAC v2).
    pub parametric_stereo: bool,
    /// True for hierarchical signaling, in which the extension comes first. Otherwise a sync word
    /// at the end, which older decoders ignore, signals the extension.
    pub explicit: bool,
}

impl AudioSpecificConfig {
    /// Makes a configuration for AAC-LC. Channel counts without a channel configuration (7, 9 and
    /// more) are an error.
    pub fn lc(sample_rate: u32, channels: u16) -> Result<Self, Error> {
        let channel_config = match channels {
            1..=6 => channels as u8,
            8 => 7,
            _ => return Err(Error::Inexpressible("this number of channels")),
        };
        Ok(Self {
            object_type: object_type::LC,
            sample_rate,
            channel_config,
            element_channels: None,
            extension: None,
            short_frames: false,
            core_coder_delay: None,
        })
    }

    /// Reads a configuration, and ignores the bytes after it.
    pub fn parse(data: &[u8]) -> Result<Self, Error> {
        let mut r = BitReader::new(data);
        let first_type = read_object_type(&mut r)?;
        let sample_rate = read_sample_rate(&mut r)?;
        let channel_config = r.byte(4)?;
        let mut config = Self {
            object_type: first_type,
            sample_rate,
            channel_config,
            element_channels: None,
            extension: None,
            short_frames: false,
            core_coder_delay: None,
        };
        if matches!(first_type, object_type::SBR | object_type::PS) {
            let sample_rate = read_sample_rate(&mut r)?;
            let parametric_stereo = first_type == object_type::PS;
            config.extension = Some(Extension { sample_rate, parametric_stereo, explicit: true });
            config.object_type = read_object_type(&mut r)?;
        }
        if is_general_audio(config.object_type) {
            config.read_general_audio(&mut r)?;
            if config.extension.is_none() {
                config.extension = read_sync_extension(&mut r);
            }
        }
        Ok(config)
    }

    /// Reads GASpecificConfig (§4.4.1).
    fn read_general_audio(&mut self, r: &mut BitReader<'_>) -> Result<(), Error> {
        self.short_frames = r.flag()?;
        if r.flag()? {
            self.core_coder_delay = Some(r.bits(14)? as u16);
        }
        let extended = r.flag()?;
        if self.channel_config == 0 {
            // The program config element is often missing in practice. The first audio frame then
            // contains it.
            self.element_channels = read_program_config(&mut r.clone()).ok();
            if self.element_channels.is_some() {
                read_program_config(r)?;
            }
        }
        if matches!(self.object_type, 6 | 20) {
            r.skip(3)?;
        }
        if extended {
            match self.object_type {
                22 => r.skip(16)?,
                17 | 19 | 20 | 23 => r.skip(3)?,
                _ => {}
            }
            r.skip(1)?;
        }
        Ok(())
    }

    /// Writes the configuration. A program config element is not written.
    pub fn build(&self) -> Result<Bytes, Error> {
        if self.channel_config > 15 || self.sample_rate >= 1 << 24 {
            return Err(Error::Inexpressible("the rate or the number of channels"));
        }
        let mut w = BitWriter::with_capacity(8);
        match self.extension {
            Some(extension) if extension.explicit => {
                let ps = extension.parametric_stereo;
                write_object_type(&mut w, if ps { object_type::PS } else { object_type::SBR });
                write_sample_rate(&mut w, self.sample_rate);
                w.bits(4, self.channel_config.into());
                write_sample_rate(&mut w, extension.sample_rate);
                write_object_type(&mut w, self.object_type);
            }
            _ => {
                write_object_type(&mut w, self.object_type);
                write_sample_rate(&mut w, self.sample_rate);
                w.bits(4, self.channel_config.into());
            }
        }
        w.flag(self.short_frames);
        w.flag(self.core_coder_delay.is_some());
        if let Some(delay) = self.core_coder_delay {
            w.bits(14, delay.into());
        }
        w.flag(false);
        if let Some(extension) = self.extension.filter(|extension| !extension.explicit) {
            w.bits(11, SBR_SYNC_EXTENSION);
            write_object_type(&mut w, object_type::SBR);
            w.flag(true);
            write_sample_rate(&mut w, extension.sample_rate);
            if extension.parametric_stereo {
                w.bits(11, PS_SYNC_EXTENSION);
                w.flag(true);
            }
        }
        Ok(w.into_bytes().into())
    }

    /// Returns the number of channels of the core; 0 if only the audio itself defines them.
    /// Parametric stereo turns one channel into two, see [`Self::output_channels`].
    pub fn channels(&self) -> u16 {
        match self.channel_config {
            0 => self.element_channels.unwrap_or(0).into(),
            7 | 12 | 14 => 8,
            11 => 7,
            13 => 24,
            other => other.into(),
        }
    }

    /// Returns the number of output channels of a decoder that supports all extensions.
    pub fn output_channels(&self) -> u16 {
        let stereo = self.extension.is_some_and(|extension| extension.parametric_stereo);
        if stereo && self.channels() == 1 { 2 } else { self.channels() }
    }

    /// Returns the output sample rate in Hz of a decoder that supports all extensions.
    pub fn output_sample_rate(&self) -> u32 {
        self.extension.map_or(self.sample_rate, |extension| extension.sample_rate)
    }

    /// Returns the common name of the profile.
    pub fn profile(&self) -> &'static str {
        match (self.extension, self.object_type) {
            (Some(extension), _) if extension.parametric_stereo => "HE-AACv2",
            (Some(_), _) => "HE-AAC",
            (None, object_type::MAIN) => "Main",
            (None, object_type::LC) => "LC",
            (None, object_type::SSR) => "SSR",
            (None, object_type::LTP) => "LTP",
            (None, 23) => "LD",
            (None, 39) => "ELD",
            (None, 42) => "xHE-AAC",
            _ => "unknown",
        }
    }
}

const SBR_SYNC_EXTENSION: u32 = 0x2B7;
const PS_SYNC_EXTENSION: u32 = 0x548;

fn is_general_audio(object_type: u8) -> bool {
    matches!(object_type, 1..=4 | 6 | 7 | 17 | 19..=23)
}

fn read_object_type(r: &mut BitReader<'_>) -> Result<u8, Error> {
    match r.byte(5)? {
        31 => Ok(32 + r.byte(6)?),
        object_type => Ok(object_type),
    }
}

fn write_object_type(w: &mut BitWriter, object_type: u8) {
    if object_type < 31 {
        w.bits(5, object_type.into());
    } else {
        w.bits(5, 31);
        w.bits(6, u32::from(object_type).saturating_sub(32));
    }
}

fn sample_rate_at(index: u8) -> Result<u32, Error> {
    SAMPLE_RATES.get(usize::from(index)).copied().ok_or(Error::SampleRate(index))
}

fn index_of(sample_rate: u32) -> Option<u8> {
    SAMPLE_RATES.iter().position(|rate| *rate == sample_rate).map(|index| index as u8)
}

fn read_sample_rate(r: &mut BitReader<'_>) -> Result<u32, Error> {
    match r.byte(4)? {
        EXPLICIT_RATE_INDEX => match r.bits(24)? {
            0 => Err(Error::SampleRate(EXPLICIT_RATE_INDEX)),
            rate => Ok(rate),
        },
        index => sample_rate_at(index),
    }
}

fn write_sample_rate(w: &mut BitWriter, sample_rate: u32) {
    if let Some(index) = index_of(sample_rate) {
        w.bits(4, index.into());
    } else {
        w.bits(4, EXPLICIT_RATE_INDEX.into());
        w.bits(24, sample_rate);
    }
}

/// Reads the backward-compatible signaling after the configuration, which may be absent.
fn read_sync_extension(r: &mut BitReader<'_>) -> Option<Extension> {
    if r.bits(11).ok()? != SBR_SYNC_EXTENSION || read_object_type(r).ok()? != object_type::SBR {
        return None;
    }
    if !r.flag().ok()? {
        return None;
    }
    let sample_rate = read_sample_rate(r).ok()?;
    let parametric_stereo = r.bits(11) == Ok(PS_SYNC_EXTENSION) && r.flag() == Ok(true);
    Some(Extension { sample_rate, parametric_stereo, explicit: false })
}

/// Reads a program_config_element (§4.4.1.1) and returns its number of channels.
fn read_program_config(r: &mut BitReader<'_>) -> Result<u8, Error> {
    r.skip(4 + 2 + 4)?;
    let (front, side, back) = (r.byte(4)?, r.byte(4)?, r.byte(4)?);
    let (effects, data, coupling) = (r.byte(2)?, r.byte(3)?, r.byte(4)?);
    for bits in [4, 4, 3] {
        if r.flag()? {
            r.skip(bits)?;
        }
    }
    let mut channels = effects;
    for _ in 0..front + side + back {
        channels += 1 + r.byte(1)?;
        r.skip(4)?;
    }
    r.skip(usize::from(effects) * 4 + usize::from(data) * 4 + usize::from(coupling) * 5)?;
    r.skip(r.remaining() % 8)?;
    let comment = r.bits(8)? as usize;
    r.skip(comment * 8)?;
    if channels == 0 { Err(Error::Inexpressible("no channels")) } else { Ok(channels) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lc_comes_back() {
        let config = AudioSpecificConfig::lc(48_000, 2).unwrap();
        assert_eq!(&config.build().unwrap()[..], [0x11, 0x90]);
        assert_eq!(AudioSpecificConfig::parse(&[0x11, 0x90]), Ok(config));
        assert!(AudioSpecificConfig::lc(48_000, 9).is_err());
        let odd = AudioSpecificConfig::lc(53_000, 8).unwrap();
        assert_eq!(AudioSpecificConfig::parse(&odd.build().unwrap()), Ok(odd));
    }

    #[test]
    fn both_signallings_of_he_aac() {
        let mut config = AudioSpecificConfig::lc(24_000, 1).unwrap();
        for explicit in [true, false] {
            for parametric_stereo in [true, false] {
                let extension = Extension { sample_rate: 48_000, parametric_stereo, explicit };
                config.extension = Some(extension);
                let read = AudioSpecificConfig::parse(&config.build().unwrap()).unwrap();
                assert_eq!(read, config);
                assert_eq!(read.output_channels(), 1 + u16::from(parametric_stereo));
                assert_eq!(read.output_sample_rate(), 48_000);
            }
        }
    }

    #[test]
    fn reserved_indices_are_errors() {
        assert_eq!(AudioSpecificConfig::parse(&[0x16, 0x90]), Err(Error::SampleRate(13)));
        assert!(AudioSpecificConfig::parse(&[]).is_err());
    }
}
