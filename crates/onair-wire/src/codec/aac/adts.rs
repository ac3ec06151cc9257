//! ADTS (ISO/IEC 14496-3 Annex 1.A): AAC frames that each have a header, as in `.aac` files.

use super::{AudioSpecificConfig, Error, index_of, sample_rate_at};

/// Length of a header without a checksum, in bytes.
pub const MIN_HEADER_BYTES: usize = 7;

/// One ADTS frame.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct AdtsFrame<'a> {
    pub head: AdtsHeader,
    /// The access unit.
    pub payload: &'a [u8],
}

/// The header of a frame. The rest of the frame may not have arrived yet.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct AdtsHeader {
    /// Audio object type: Main, LC, SSR or LTP.
    pub object_type: u8,
    /// Sample rate in Hz.
    pub sample_rate: u32,
    /// Channel configuration, as in [`AudioSpecificConfig::channel_config`].
    pub channel_config: u8,
    /// Length of the header in bytes.
    pub header_length: usize,
    /// Length of the whole frame in bytes.
    pub length: usize,
}

/// Reads the header at the start of `data`. Returns `None` if `data` is too short.
pub fn head(data: &[u8]) -> Result<Option<AdtsHeader>, Error> {
    let Some(header) = data.first_chunk::<MIN_HEADER_BYTES>() else { return Ok(None) };
    let [sync, flags, profile, channels, length, fullness, blocks] = *header;
    // 12 bits of sync, any MPEG version, layer 0.
    if sync != 0xFF || flags & 0xF6 != 0xF0 {
        return Err(Error::NoAdts);
    }
    let header_length = if flags & 1 == 1 { MIN_HEADER_BYTES } else { MIN_HEADER_BYTES + 2 };
    let total =
        usize::from(channels & 3) << 11 | usize::from(length) << 3 | usize::from(fullness) >> 5;
    if total < header_length {
        return Err(Error::AdtsLength(total));
    }
    if blocks & 3 != 0 {
        return Err(Error::AdtsBlocks);
    }
    Ok(Some(AdtsHeader {
        object_type: (profile >> 6) + 1,
        sample_rate: sample_rate_at((profile >> 2) & 0xF)?,
        channel_config: (profile & 1) << 2 | channels >> 6,
        header_length,
        length: total,
    }))
}

/// Reads the frame at the start of `data`, and returns it with the bytes after it. Returns `None`
/// if the frame is incomplete.
pub fn parse(data: &[u8]) -> Result<Option<(AdtsFrame<'_>, &[u8])>, Error> {
    let Some(head) = head(data)? else { return Ok(None) };
    let Some((frame, rest)) = data.split_at_checked(head.length) else { return Ok(None) };
    let payload = frame.get(head.header_length..).unwrap_or_default();
    Ok(Some((AdtsFrame { head, payload }, rest)))
}

/// Makes the header for a payload of `length` bytes.
pub fn header(
    config: &AudioSpecificConfig,
    length: usize,
) -> Result<[u8; MIN_HEADER_BYTES], Error> {
    let total = length + MIN_HEADER_BYTES;
    if total >= 1 << 13 {
        return Err(Error::AdtsLength(total));
    }
    let index = index_of(config.sample_rate).ok_or(Error::Inexpressible("the sample rate"))?;
    if !(1..=4).contains(&config.object_type) || config.channel_config > 7 {
        return Err(Error::Inexpressible("the object type or channels"));
    }
    Ok([
        0xFF,
        0xF1,
        (config.object_type - 1) << 6 | index << 2 | config.channel_config >> 2,
        (config.channel_config & 3) << 6 | (total >> 11) as u8,
        (total >> 3) as u8,
        ((total & 7) << 5) as u8 | 0x1F,
        0xFC,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_back() {
        let config = AudioSpecificConfig::lc(44_100, 2).unwrap();
        let mut data = header(&config, 3).unwrap().to_vec();
        data.extend([1, 2, 3, 0xFF]);
        let (AdtsFrame { head, payload }, rest) = parse(&data).unwrap().unwrap();
        assert_eq!((payload, rest), (&[1, 2, 3][..], &[0xFF][..]));
        assert_eq!((head.object_type, head.sample_rate, head.channel_config), (2, 44_100, 2));
        for cut in 0..10 {
            assert_eq!(parse(&data[..cut]), Ok(None));
        }
        assert_eq!(parse(&[0; 7]), Err(Error::NoAdts));
        assert!(header(&config, 8_185).is_err());
    }
}
