//! Writes the head of a fragment (`moof`, ISO/IEC 14496-12 §8.8). Pure.

use bytes::{BufMut, BytesMut};

use crate::wire::container::mp4::boxes::{put_box, put_full};
use crate::wire::container::mp4::sample_table::Entry;

/// Sample flags (§8.8.3.1): depends on others and is no sync sample; depends on none.
pub(super) const INTER: u32 = 0x0101_0000;
pub(super) const SYNC: u32 = 0x0200_0000;

/// Samples of one track in a fragment.
#[derive(Copy, Clone, Debug)]
pub(super) struct SampleRun<'a> {
    /// Of the track, from 1.
    pub number: u32,
    pub video: bool,
    pub entries: &'a [Entry],
    /// How long the last of them lasts, in the track's ticks; the others last up to the next one.
    pub last_duration: u32,
}

/// The head of a fragment of these runs, whose data follow in their order; the first of them at
/// `data_offset` from the beginning of the head.
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
        // Offsets count from the start of `moof`.
        put_full(out, *b"tfhd", 0, 0x2_0000, |out| out.put_u32(run.number));
        let first = run.entries.first().map_or(0, |entry| entry.dts);
        put_full(out, *b"tfdt", 1, 0, |out| out.put_u64(first.max(0).unsigned_abs()));
        // Offset, and of each sample duration and size; of frames flags and composition too.
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
                    out.put_u32(if entry.keyframe { SYNC } else { INTER });
                    out.put_i32(entry.composition);
                }
            }
        });
    });
}
