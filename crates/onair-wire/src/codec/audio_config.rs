//! Configurations of audio codecs: Opus, FLAC, AC-3 and E-AC-3.

use bytes::Bytes;

use crate::media::{AudioCodec, AudioConfig, BitsPerSecond};

/// Properties of an audio stream.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct AudioInfo {
    pub sample_rate: u32,
    pub channels: u16,
}

impl AudioInfo {
    /// Makes the config of audio with these properties. Its bitrate is unknown.
    pub const fn config(self, codec: AudioCodec, codec_config: Bytes) -> AudioConfig {
        let Self { sample_rate, channels } = self;
        AudioConfig { codec, sample_rate, channels, bitrate: BitsPerSecond(0), codec_config }
    }
}

/// Reads an identification header (`OpusHead`). Opus always decodes at 48 kHz.
pub fn opus(config: &[u8]) -> Option<AudioInfo> {
    let [_version, channels, ..] = config.strip_prefix(b"OpusHead")? else { return None };
    Some(AudioInfo { sample_rate: 48_000, channels: (*channels).into() })
}

/// Reads STREAMINFO, alone or after a `fLaC` stream marker.
pub fn flac(config: &[u8]) -> Option<AudioInfo> {
    let info = match config.strip_prefix(b"fLaC") {
        Some(block) => block.get(4..)?,
        None => config,
    };
    let &[a, b, c] = info.get(10..)?.first_chunk::<3>()?;
    let sample_rate = u32::from_be_bytes([0, a, b, c]) >> 4;
    let channels = u16::from(c >> 1 & 7) + 1;
    (sample_rate > 0).then_some(AudioInfo { sample_rate, channels })
}

/// Reads a syncframe of AC-3 or E-AC-3.
pub fn ac3(frame: &[u8]) -> Option<AudioInfo> {
    let &[0x0B, 0x77, _, _, b4, b5, b6, ..] = frame else { return None };
    const AC3_SAMPLE_RATES_HZ: [u32; 3] = [48_000, 44_100, 32_000];
    const AC3_CHANNEL_COUNTS: [u16; 8] = [2, 1, 2, 3, 3, 4, 4, 5];
    let enhanced = b5 >> 3 > 10;
    let (rate, mode, low) = if enhanced {
        let rate = match b4 >> 6 {
            3 => AC3_SAMPLE_RATES_HZ.get(usize::from(b4 >> 4 & 3)).map(|rate| rate / 2),
            code => AC3_SAMPLE_RATES_HZ.get(usize::from(code)).copied(),
        };
        (rate, b4 >> 1 & 7, b4 & 1)
    } else {
        let mode = b6 >> 5;
        // The mode decides which mix levels precede the flag.
        let mut before = 3;
        before += if mode & 1 == 1 && mode != 1 { 2 } else { 0 };
        before += if mode & 4 != 0 { 2 } else { 0 };
        before += if mode == 2 { 2 } else { 0 };
        // At most 7 bits precede the flag, so it is within the byte.
        let low = b6 >> (7_u8.saturating_sub(before)) & 1;
        (AC3_SAMPLE_RATES_HZ.get(usize::from(b4 >> 6)).copied(), mode, low)
    };
    let channels = AC3_CHANNEL_COUNTS.get(usize::from(mode))? + u16::from(low);
    Some(AudioInfo { sample_rate: rate?, channels })
}

/// Returns the length in bytes, and the number of samples per channel, of the syncframe of AC-3
/// (ETSI TS 102 366 table 4.13) or E-AC-3 (§E.1.3.1) at the start of `frame`. The number is 0 for
/// a frame that only adds channels to the frame before it.
pub fn ac3_frame(frame: &[u8]) -> Option<(usize, u32)> {
    let &[0x0B, 0x77, b2, b3, b4, b5, ..] = frame else { return None };
    if b5 >> 3 > 10 {
        let blocks = match (b4 >> 6, b4 >> 4 & 3) {
            _ if b2 >> 6 == 1 => 0,
            // At half the sample rate, a frame always has six blocks.
            (3, _) | (_, 3) => 6,
            (_, code) => u32::from(code) + 1,
        };
        let words = usize::from(b2 & 7) << 8 | usize::from(b3);
        return Some(((words + 1) * 2, blocks * 256));
    }
    const AC3_BITRATES_KBPS: [usize; 19] =
        [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];
    let kbps = AC3_BITRATES_KBPS.get(usize::from(b4 & 0x3F) / 2)?;
    let words = match b4 >> 6 {
        0 => kbps * 2,
        1 => kbps * 320 / 147 + usize::from(b4 & 1),
        2 => kbps * 3,
        _ => return None,
    };
    Some((words * 2, 1_536))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rates_and_channels() {
        let audio = |sample_rate, channels| Some(AudioInfo { sample_rate, channels });
        assert_eq!(opus(b"OpusHead\x01\x06\x38\x01\x80\xBB\0\0\0\0\0"), audio(48_000, 6));
        let mut flac_config = b"fLaC\x80\x00\x00\x22".to_vec();
        // 44,100 Hz in 20 bits, two channels, 16 bits per sample.
        flac_config.extend([16, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0x0A, 0xC4, 0x42, 0xF0]);
        assert_eq!(flac(&flac_config), audio(44_100, 2));
        assert_eq!(flac(&flac_config[8..]), audio(44_100, 2));
        // The start of FFmpeg's output for 48 kHz stereo and 5.1.
        assert_eq!(ac3(&[0x0B, 0x77, 0, 0, 0x14, 0x40, 0x43, 0]), audio(48_000, 2));
        assert_eq!(ac3(&[0x0B, 0x77, 0, 0, 0x1E, 0x40, 0xE1, 0]), audio(48_000, 6));
        assert_eq!(ac3(&[0x0B, 0x77, 1, 0xFF, 0x34, 0x86, 0, 0]), audio(48_000, 2));
        assert_eq!(opus(b"OpusHead"), None);
        // 192 kbit/s at 48 kHz; 44.1 kHz with and without the extra word; E-AC-3 of 768 bytes.
        assert_eq!(ac3_frame(&[0x0B, 0x77, 0, 0, 0x14, 0x40]), Some((768, 1_536)));
        assert_eq!(ac3_frame(&[0x0B, 0x77, 0, 0, 0x54, 0x40]), Some((834, 1_536)));
        assert_eq!(ac3_frame(&[0x0B, 0x77, 0, 0, 0x55, 0x40]), Some((836, 1_536)));
        assert_eq!(ac3_frame(&[0x0B, 0x77, 1, 0x7F, 0x34, 0x86]), Some((768, 1_536)));
        // A dependent substream, as in 7.1.
        assert_eq!(ac3_frame(&[0x0B, 0x77, 0x41, 0x7F, 0x34, 0x86]), Some((768, 0)));
        assert_eq!(ac3_frame(&[0x0B, 0x77, 0, 0, 0xFF, 0x40]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = (opus(&bytes), flac(&bytes), ac3(&bytes), ac3_frame(&bytes));
            let _ = ac3(&[&[0x0B, 0x77], bytes.as_slice()].concat());
        }
    }
}
