//! Frame headers of MPEG audio (ISO/IEC 11172-3 §2.4.1.3, 13818-3): MP1, MP2, MP3, and MPEG 2.5's
//! lower rates. This module has no I/O.

/// Fields of a frame header.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Layer 1, 2 or 3.
    pub layer: u8,
    pub sample_rate: u32,
    pub channels: u16,
    /// Samples per channel.
    pub samples: u32,
    /// Bitrate in bits per second.
    pub bitrate: u32,
    /// Length of the whole frame in bytes.
    pub length: usize,
}

/// Length of a header in bytes.
pub const HEADER_BYTES: usize = 4;

/// Reads the header at the start of `data`. Returns `None` if there is no header, or if its bitrate
/// is free.
pub fn header(data: &[u8]) -> Option<Header> {
    let &[sync, b1, b2, b3] = data.first_chunk::<HEADER_BYTES>()?;
    if sync != 0xFF || b1 & 0xE0 != 0xE0 {
        return None;
    }
    let (version, layer) = (b1 >> 3 & 3, 4 - (b1 >> 1 & 3));
    // Reserved: version 1, layer 0.
    if version == 1 || layer == 4 {
        return None;
    }
    let first = version == 3;
    const SAMPLE_RATES_HZ: [u32; 3] = [44_100, 48_000, 32_000];
    let halvings = match version {
        3 => 0,
        2 => 1,
        _ => 2,
    };
    let sample_rate = SAMPLE_RATES_HZ.get(usize::from(b2 >> 2 & 3))? >> halvings;
    const MPEG1_LAYER1_KBPS: [u32; 14] =
        [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448];
    const MPEG1_LAYER2_KBPS: [u32; 14] =
        [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384];
    const MPEG1_LAYER3_KBPS: [u32; 14] =
        [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const MPEG2_LAYER1_KBPS: [u32; 14] =
        [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256];
    const MPEG2_LAYER23_KBPS: [u32; 14] =
        [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    let table = match (first, layer) {
        (true, 1) => &MPEG1_LAYER1_KBPS,
        (true, 2) => &MPEG1_LAYER2_KBPS,
        (true, _) => &MPEG1_LAYER3_KBPS,
        (false, 1) => &MPEG2_LAYER1_KBPS,
        (false, _) => &MPEG2_LAYER23_KBPS,
    };
    let bitrate = table.get(usize::from(b2 >> 4).checked_sub(1)?)? * 1_000;
    let padding = u32::from(b2 >> 1 & 1);
    let samples = match (layer, first) {
        (1, _) => 384,
        (3, false) => 576,
        _ => 1_152,
    };
    let length = if layer == 1 {
        (12 * bitrate / sample_rate + padding) * 4
    } else {
        samples / 8 * bitrate / sample_rate + padding
    };
    let channels = if b3 >> 6 == 3 { 1 } else { 2 };
    let length = length as usize;
    (length > HEADER_BYTES).then_some(Header {
        layer,
        sample_rate,
        channels,
        samples,
        bitrate,
        length,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_as_lame_writes_them() {
        // 128 kbit/s, 44.1 kHz, joint stereo; padding adds one byte.
        let plain = header(&[0xFF, 0xFB, 0x90, 0x64]).unwrap();
        assert_eq!((plain.layer, plain.sample_rate, plain.channels), (3, 44_100, 2));
        assert_eq!((plain.samples, plain.length), (1_152, 417));
        assert_eq!(header(&[0xFF, 0xFB, 0x92, 0x64]).unwrap().length, 418);
        // MPEG-2, 64 kbit/s, 22.05 kHz mono; MPEG 2.5, 8 kHz.
        let half = header(&[0xFF, 0xF3, 0x80, 0xC4]).unwrap();
        assert_eq!((half.sample_rate, half.channels, half.samples), (22_050, 1, 576));
        assert_eq!(half.length, 208);
        assert_eq!(header(&[0xFF, 0xE3, 0x18, 0xC4]).unwrap().sample_rate, 8_000);
        for none in [[0xFF, 0xFB, 0x00, 0], [0xFF, 0xFB, 0xF0, 0], [0xFF, 0xFB, 0x9C, 0]] {
            assert_eq!(header(&none), None);
        }
        assert_eq!(header(&[0xFF, 0xEB, 0x90, 0]), None);
        assert_eq!(header(&[0xFF, 0xFB]), None);
    }
}
