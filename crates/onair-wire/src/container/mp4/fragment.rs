//! Writes the header of a fragment (`moof`, ISO/IEC 14496-12 §8.8), and reads its lists of samples.
//! This module has no I/O.

use bytes::{BufMut, BytesMut};

use crate::wire::container::MAX_SAMPLES;
use crate::wire::container::mp4::boxes::{Fields, put_box, put_full};
use crate::wire::container::mp4::sample_table::Entry;

/// Flags (§8.8.3.1) of a sample that depends on other samples and is not a sync sample.
pub(super) const NON_SYNC_SAMPLE_FLAGS: u32 = 0x0101_0000;
/// Flags of a sample that depends on no other sample.
pub(super) const SYNC_SAMPLE_FLAGS: u32 = 0x0200_0000;

/// The flag of a sample that depends on other samples (§8.8.3.1).
const NON_SYNC_SAMPLE_FLAG: u32 = 0x1_0000;
/// The flags of a `trun` whose samples have individual fields (§8.8.8.1).
const SAMPLE_FIELDS: u32 = 0xF00;

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

/// The values of samples without individual fields (§8.8.3).
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct SampleDefaults {
    pub duration: u32,
    pub size: u32,
    pub flags: u32,
}

/// A sample of a `trun`.
#[derive(Copy, Clone, Debug)]
pub(super) struct TrunSample {
    pub duration: u32,
    pub size: u32,
    pub keyframe: bool,
    /// PTS − DTS in ticks.
    pub composition: i32,
}

/// Reads the samples of a `trun` (§8.8.8).
#[derive(Clone, Debug)]
pub(super) struct TrunReader<'a> {
    fields: Fields<'a>,
    flags: u32,
    defaults: SampleDefaults,
    first_flags: Option<u32>,
    /// Number of samples that were not read yet.
    left: usize,
    /// Position of the first sample relative to the base of the `traf`, if the `trun` has one.
    pub offset: Option<i64>,
}

impl<'a> TrunReader<'a> {
    pub fn new(content: &'a [u8], defaults: SampleDefaults) -> Option<Self> {
        let mut fields = Fields(content);
        let ((_, flags), count) = fields.full().zip(fields.u32())?;
        let has_offset = flags & 1 != 0;
        let offset = has_offset.then(|| i64::from(fields.u32().unwrap_or(0).cast_signed()));
        let first_flags = if flags & 4 != 0 { fields.u32() } else { None };
        let sample_bytes = (flags & SAMPLE_FIELDS).count_ones() as usize * 4;
        let most = fields.0.len().checked_div(sample_bytes).unwrap_or(MAX_SAMPLES);
        let left = (count as usize).min(most);
        Some(Self { fields, flags, defaults, first_flags, left, offset })
    }

    /// Returns true if samples have individual fields. Otherwise, all have the defaults.
    pub fn has_fields(&self) -> bool {
        self.flags & SAMPLE_FIELDS != 0
    }

    pub fn next_sample(&mut self) -> Option<TrunSample> {
        self.left = self.left.checked_sub(1)?;
        let Self { fields, flags, defaults, first_flags, .. } = self;
        let mut own = |bit: u32| if *flags & bit != 0 { fields.u32() } else { None };
        let duration = own(0x100).unwrap_or(defaults.duration);
        let size = own(0x200).unwrap_or(defaults.size);
        let sample_flags = own(0x400).or(first_flags.take()).unwrap_or(defaults.flags);
        let composition = own(0x800).unwrap_or(0).cast_signed();
        let keyframe = sample_flags & NON_SYNC_SAMPLE_FLAG == 0;
        Some(TrunSample { duration, size, keyframe, composition })
    }
}
