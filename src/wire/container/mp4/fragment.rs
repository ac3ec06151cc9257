//! Writes the header of a fragment (`moof`, ISO/IEC 14496-12 §8.8). This module has no I/O.

use bytes::{BufMut, BytesMut};

use crate::wire::container::mp4::boxes::{put_box, put_full};
use crate::wire::container::mp4::sample_table::Entry;

/// Flags (§8.8.3.1) of a sample that depends on other samples and is not a sync sample.
pub(super) const NON_SYNC_SAMPLE_FLAGS: u32 = 0x0101_0000;
/// Flags of a sample that depends on no other sample.
pub(super) const SYNC_SAMPLE_FLAGS: u32 = 0x0200_0000;

/// Samples of one track in a fragment.
#[derive(Copy, Clone, Debug)]
pub(super) struct SampleRun<'a> {
    /// Track number, from 1.
    pub number: u32,
    pub video: bool,
    pub entries: &'a [Entry],
    /// Duration of the last sample in the track's ticks. Each other sample lasts until the next
    /// one.
    pub last_duration: u32,
}

/// Makes the header of a fragment with these runs. The runs' data follows in the same order, and
/// begins `data_offset` bytes after the start of the header.
pub(super) fn moof(sequence: u32, runs: &[SampleRun<'_>], data_offset: u32) -> BytesMut {
    let mut out = BytesMut::new();
    put_box(&mut out, *b"moof", |out| {
        put_full(out, *b"mfhd", 0, 0, |out| out.put_u32(sequence));
        let mut offset = data_offset;
        for run in runs {
            put_traf(out, run, offset);
            offset = run.entries.iter().fold(offset, |sum, it| sum.saturating_add(it.size));
        }
    });
    out
}

fn put_traf(out: &mut BytesMut, run: &SampleRun<'_>, offset: u32) {
    put_box(out, *b"traf", |out| {
        // Offsets are relative to the start of `moof`.
        put_full(out, *b"tfhd", 0, 0x2_0000, |out| out.put_u32(run.number));
        let first = run.entries.first().map_or(0, |entry| entry.dts);
        put_full(out, *b"tfdt", 1, 0, |out| out.put_u64(first.max(0).unsigned_abs()));
        // Offset; duration and size per sample; for video also flags and composition time.
        let flags = if run.video { 0xF01 } else { 0x301 };
        put_full(out, *b"trun", 1, flags, |out| {
            out.put_u32(u32::try_from(run.entries.len()).unwrap_or(u32::MAX));
            out.put_u32(offset);
            let following = run.entries.iter().skip(1).map(Some).chain(std::iter::once(None));
            for (entry, next) in run.entries.iter().zip(following) {
                let length = next.map(|next| next.dts - entry.dts);
                let length = length.and_then(|length| u32::try_from(length).ok());
                out.put_u32(length.unwrap_or(run.last_duration));
                out.put_u32(entry.size);
                if run.video {
                    out.put_u32(if entry.keyframe {
                        SYNC_SAMPLE_FLAGS
                    } else {
                        NON_SYNC_SAMPLE_FLAGS
                    });
                    out.put_i32(entry.composition);
                }
            }
        });
    });
}
