//! Uncompressed audio in MP4 (ISO/IEC 23003-5) and QuickTime ("Audio Sample Descriptions"): its
//! description, and its samples. A sample has only one value per channel, so samples are grouped.

use crate::wire::codec::pcm::{Coding, Pcm};
use crate::wire::container::mp4::boxes::{self, BoxSpan, Fields, child};
use crate::wire::container::mp4::sample_table::SampleCursor;
use crate::wire::container::{Error, FilePart, Index, TrackId};

/// Maximum number of samples in a group.
const MAX_GROUP_SAMPLES: u32 = 1_024;

/// Reads a sample description of uncompressed audio. The rate is 0 if the track's timescale defines
/// it.
pub(super) fn described(entry: &BoxSpan<'_>) -> Option<Pcm> {
    let mut fields = Fields(entry.content);
    fields.bytes(8)?;
    let version = fields.u16()?;
    fields.bytes(6)?;
    let (channels, bits) = (fields.u16()?, fields.u16()?);
    fields.bytes(8)?;
    let sample_rate = boxes::sample_rate(entry)?;
    let inner = match (version, &entry.name) {
        // Only QuickTime's names have more fields in version 1.
        (0, _) | (1, b"ipcm" | b"fpcm") => fields.0,
        (1, _) => fields.0.get(16..)?,
        _ => fields.0.get(36..)?,
    };
    // Only these two names are also used for little-endian audio, which a nested box marks.
    let little = || {
        let enda = child(inner, *b"enda").or_else(|| child(child(inner, *b"wave")?, *b"enda"));
        enda.is_some_and(|enda| enda == [0, 1])
    };
    let of = |coding, big_endian, bytes| Pcm { coding, big_endian, bytes, channels, sample_rate };
    let small = bits == 8;
    Some(match &entry.name {
        b"sowt" => of(Coding::Signed, false, if small { 1 } else { 2 }),
        b"twos" => of(Coding::Signed, true, if small { 1 } else { 2 }),
        b"raw " => of(Coding::Unsigned, true, if small { 1 } else { 2 }),
        b"in24" => of(Coding::Signed, !little(), 3),
        b"in32" => of(Coding::Signed, !little(), 4),
        b"fl32" => of(Coding::Float, !little(), 4),
        b"fl64" => of(Coding::Float, !little(), 8),
        b"alaw" => of(Coding::ALaw, false, 1),
        b"ulaw" => of(Coding::MuLaw, false, 1),
        b"ipcm" | b"fpcm" => {
            let mut fields = Fields::after_version(child(inner, *b"pcmC")?)?;
            let (flags, bits) = (fields.u8()?, fields.u8()?);
            let float = entry.name == *b"fpcm";
            let coding = if float { Coding::Float } else { Coding::Signed };
            of(coding, flags & 1 == 0, bits.div_ceil(8))
        }
        b"lpcm" if version == 2 => {
            // The size of the structure, then rate, channels, a constant and bits.
            fields.bytes(4)?;
            let rate = f64::from_bits(fields.u64()?);
            let channels = u16::try_from(fields.u32()?).ok()?;
            fields.u32()?;
            let (bits, flags) = (fields.u32()?, fields.u32()?);
            let coding = match (flags & 1 != 0, flags & 4 != 0) {
                (true, _) => Coding::Float,
                (false, true) => Coding::Signed,
                (false, false) => Coding::Unsigned,
            };
            let bytes = u8::try_from(bits.div_ceil(8)).ok()?;
            let sample_rate = if (1.0..1e6).contains(&rate) { rate as u32 } else { 0 };
            Pcm { coding, big_endian: flags & 2 != 0, bytes, channels, sample_rate }
        }
        _ => return None,
    })
}

/// Passes the samples of an ordinary track to `take` (time, position, duration), grouped by chunk.
/// Returns the end time of the passed samples, and true if the file has all samples. Returns `None`
/// if the sample sizes differ.
pub(super) fn samples(
    stbl: &[u8],
    frame: u32,
    file_size: u64,
    take: &mut dyn FnMut(i64, u64, u32) -> Result<(), Error>,
) -> Result<Option<(i64, bool)>, Error> {
    let list = |name| Fields::after_version(child(stbl, name)?);
    let sizes = list(*b"stsz").and_then(|mut sizes| Some((sizes.u32()?, sizes.u32()?)));
    let Some((fixed @ 1.., mut left)) = sizes else { return Ok(None) };
    // Old writers use size 1; the description has the real frame size.
    if fixed != frame && fixed != 1 {
        return Ok(None);
    }
    let first =
        list(*b"stts").and_then(|mut times| Some((times.u32()?, times.u32()?, times.u32()?)));
    let lasts = first.map_or(1, |(_, _, duration)| duration.max(1));
    // Samples of another description are read too.
    let mut chunks = SampleCursor::new(stbl, Vec::new()).ok_or(Error::Damaged(FilePart::Index))?;
    let mut dts = 0_i64;
    while left > 0
        && let Some((mut at, in_chunk)) = chunks.next_chunk()
    {
        let mut rest = in_chunk.min(left);
        left -= rest;
        while rest > 0 {
            let count = rest.min(MAX_GROUP_SAMPLES);
            rest -= count;
            let size = count.saturating_mul(frame);
            let end = at.saturating_add(size.into());
            if end > file_size {
                return Ok(Some((dts, false)));
            }
            take(dts, at, size)?;
            at = end;
            dts = dts.saturating_add(i64::from(count) * i64::from(lasts));
        }
    }
    Ok(Some((dts, true)))
}

/// Merges a sample of a fragment into the previous one. Returns true if that was possible. A sample
/// that is no whole value stays separate: otherwise, a small file could claim far more samples than
/// the limit, and all of them would be read.
pub(super) fn is_joined(id: TrackId, frame: u32, at: u64, size: u32, index: &mut Index) -> bool {
    let Some(last) = index.samples.last_mut() else { return false };
    let together = last.size.saturating_add(size);
    let follows = last.track == id && last.at.saturating_add(last.size.into()) == at;
    let is_whole = size.is_multiple_of(frame);
    let joined = follows && is_whole && together <= frame.saturating_mul(MAX_GROUP_SAMPLES);
    if joined {
        last.size = together;
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::wire::container::SampleLocation;
    use crate::wire::container::mp4::boxes::put_full;

    #[test]
    fn a_file_that_lost_its_last_samples_is_noticed() {
        let mut stbl = bytes::BytesMut::new();
        let lists: [(_, &[u32]); 4] = [
            (*b"stsz", &[4, 3_000]),
            (*b"stts", &[1, 3_000, 1]),
            (*b"stco", &[1, 100]),
            (*b"stsc", &[1, 1, 3_000, 1]),
        ];
        for (name, values) in lists {
            put_full(&mut stbl, name, 0, 0, |out| {
                values.iter().for_each(|value| out.extend_from_slice(&value.to_be_bytes()));
            });
        }
        for (file_size, groups, end) in [(12_100, 3, (3_000, true)), (12_099, 2, (2_048, false))] {
            let mut count = 0;
            let mut take = |_, _, _| {
                count += 1;
                Ok(())
            };
            assert_eq!(samples(&stbl, 4, file_size, &mut take).unwrap(), Some(end));
            assert_eq!(count, groups);
        }
    }

    #[test]
    fn only_whole_values_are_joined() {
        let (track, dts) = (TrackId::Audio(0), Timestamp::ZERO);
        for (size, joined) in [(8, true), (16, true), (1, false), (12, false)] {
            let first = SampleLocation { track, keyframe: true, dts, pts: dts, at: 100, size: 8 };
            let mut index = Index { samples: vec![first], ..Index::default() };
            assert_eq!(is_joined(track, 8, 108, size, &mut index), joined, "{size}");
            let together = if joined { 8 + size } else { 8 };
            assert_eq!(index.samples[0].size, together, "{size}");
        }
    }
}
