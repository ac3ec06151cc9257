//! Sample tables: all samples of one track in compact form (ISO/IEC 14496-12 §8.6, §8.7).

use bytes::{BufMut, BytesMut};

use crate::base::Timestamp;
use crate::wire::container::mp4::boxes::{Fields, child, put_box, put_full};

/// Maximum gap or overlap in ticks that counts as contiguous, because times are rounded to
/// microseconds.
const CONTIGUITY_TOLERANCE_TICKS: i64 = 2;

/// Converts microseconds to ticks of a track.
pub fn ticks(at: Timestamp, timescale: u32) -> i64 {
    let product = i128::from(at.as_micros()) * i128::from(timescale);
    i64::try_from((product + 500_000).div_euclid(1_000_000)).unwrap_or(i64::MAX)
}

/// Converts ticks of a track to microseconds.
pub fn micros(ticks: i64, timescale: u32) -> Timestamp {
    let product = i128::from(ticks) * 1_000_000 + i128::from(timescale / 2);
    let micros = product.div_euclid(i128::from(timescale.max(1)));
    Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}

/// One sample, in ticks of its track.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub dts: i64,
    /// PTS − DTS in ticks.
    pub composition: i32,
    pub size: u32,
    pub keyframe: bool,
}

/// The sample table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub timescale: u32,
    /// Duration in ticks of a sample that no other sample follows.
    pub default_duration: u32,
    /// Number of ticks by which the last sample is longer in the media than in the presentation.
    pub overhang: u32,
    /// For a copied file, time zero on the timeline of the samples, whose times stay unchanged.
    zero: Option<i64>,
    /// For a copied file with hidden frames after time zero, the ticks from time zero to the first shown frame.
    shown_from: Option<i64>,
    first_dts: Option<i64>,
    last_dts: i64,
    /// Presentation time of the last shown sample.
    last_shown: i64,
    /// Runs of samples with the same duration (sample count, duration), without the last sample.
    durations: Vec<(u32, u32)>,
    compositions: Vec<(u32, i32)>,
    sizes: Vec<u32>,
    /// Numbers of the keyframes, counted from 1.
    keyframes: Vec<u32>,
    /// Position and sample count of each chunk.
    chunks: Vec<(u64, u32)>,
}

/// Aligns a sample with the end of the previous one, whose duration is known, or places it after
/// that sample.
fn settle(dts: i64, last: Option<i64>, duration: Option<u32>) -> i64 {
    let Some(last) = last else { return dts };
    let expected = duration.map(|duration| last + i64::from(duration));
    match expected.filter(|expected| (dts - expected).abs() <= CONTIGUITY_TOLERANCE_TICKS) {
        Some(expected) => expected,
        None => dts.max(last + 1),
    }
}

impl Table {
    pub fn new(timescale: u32, default_duration: u32) -> Self {
        Self { timescale, default_duration, ..Self::default() }
    }

    /// Sets the time zero of a copied file, and the first shown frame if earlier ones are hidden.
    pub fn copying(self, zero: i64, shown_from: Option<i64>) -> Self {
        Self { zero: Some(zero), shown_from, ..self }
    }

    /// Returns the DTS of a sample after alignment.
    pub fn settle(&self, dts: i64, last: Option<i64>) -> i64 {
        // Copied times were not rounded again, so their jitter is kept.
        let snapped = if self.zero.is_some() { None } else { Some(self.default_duration) };
        settle(dts, last, snapped)
    }

    /// Returns the ticks from time zero to the DTS of the first sample.
    fn begins(&self) -> i64 {
        self.first_dts().saturating_sub(self.zero.unwrap_or(0))
    }

    /// Returns the track's end on the movie's timeline, in ticks of the track.
    pub fn end(&self) -> u64 {
        let reaches = i64::try_from(self.duration()).unwrap_or(i64::MAX);
        self.begins().saturating_add(reaches).max(0).unsigned_abs()
    }

    pub fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    /// Returns the DTS of the last sample.
    pub fn last_dts(&self) -> Option<i64> {
        self.first_dts.map(|_| self.last_dts)
    }

    /// Returns the DTS of the first sample.
    pub fn first_dts(&self) -> i64 {
        self.first_dts.unwrap_or(0)
    }

    /// Returns the ticks from the first DTS to the presentation end of the last sample.
    pub fn duration(&self) -> u64 {
        let span = self.last_dts - self.first_dts();
        if self.is_empty() {
            0
        } else {
            span.max(0).unsigned_abs() + u64::from(self.default_duration)
        }
    }

    /// Adds consecutive samples from position `at`.
    pub fn chunk(&mut self, at: u64, entries: &[Entry]) {
        if entries.is_empty() {
            return;
        }
        self.chunks.push((at, u32::try_from(entries.len()).unwrap_or(u32::MAX)));
        for entry in entries {
            self.add(entry);
        }
    }

    fn add(&mut self, entry: &Entry) {
        if self.first_dts.is_some() {
            let delta = u32::try_from(entry.dts - self.last_dts).unwrap_or(0);
            run(&mut self.durations, delta);
        } else {
            self.first_dts = Some(entry.dts);
        }
        self.last_dts = entry.dts;
        self.last_shown = self.last_shown.max(entry.dts.saturating_add(entry.composition.into()));
        run(&mut self.compositions, entry.composition);
        self.sizes.push(entry.size);
        if entry.keyframe {
            self.keyframes.push(u32::try_from(self.sizes.len()).unwrap_or(u32::MAX));
        }
    }

    /// Returns an upper estimate of the number of bytes that [`Table::write`] makes.
    pub fn weight(&self) -> usize {
        200 + self.durations.len() * 8
            + self.compositions.len() * 8
            + (self.sizes.len() + self.keyframes.len()) * 4
            + self.chunks.len() * 20
    }

    /// Writes the boxes of `stbl` other than `stsd`.
    pub fn write(&self, out: &mut BytesMut) {
        let mut durations = self.durations.clone();
        if !self.is_empty() {
            run(&mut durations, self.default_duration.saturating_add(self.overhang));
        }
        list(out, *b"stts", 0, &durations, |out, (count, duration)| {
            out.put_u32(*count);
            out.put_u32(*duration);
        });
        if self.compositions.iter().any(|(_, offset)| *offset != 0) {
            let signed = self.compositions.iter().any(|(_, offset)| *offset < 0);
            list(out, *b"ctts", u8::from(signed), &self.compositions, |out, (count, offset)| {
                out.put_u32(*count);
                out.put_i32(*offset);
            });
        }
        if self.keyframes.len() < self.sizes.len() {
            list(out, *b"stss", 0, &self.keyframes, |out, number| out.put_u32(*number));
        }
        // First chunk of each run, samples per chunk, description.
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for (number, (_, count)) in (1..).zip(&self.chunks) {
            if runs.last().is_none_or(|(_, last)| last != count) {
                runs.push((number, *count));
            }
        }
        list(out, *b"stsc", 0, &runs, |out, (first, count)| {
            out.put_u32(*first);
            out.put_u32(*count);
            out.put_u32(1);
        });
        put_full(out, *b"stsz", 0, 0, |out| {
            out.put_u32(0);
            out.put_u32(u32::try_from(self.sizes.len()).unwrap_or(u32::MAX));
            for size in &self.sizes {
                out.put_u32(*size);
            }
        });
        let far = self.chunks.last().is_some_and(|(at, _)| *at > u64::from(u32::MAX));
        if far {
            list(out, *b"co64", 0, &self.chunks, |out, (at, _)| out.put_u64(*at));
        } else {
            list(out, *b"stco", 0, &self.chunks, |out, (at, _)| {
                out.put_u32(u32::try_from(*at).unwrap_or(u32::MAX));
            });
        }
    }

    /// Writes the boxes of `stbl` without samples, for a fragmented file.
    pub fn write_empty(out: &mut BytesMut) {
        for name in [*b"stts", *b"stsc", *b"stco"] {
            put_full(out, name, 0, 0, |out| out.put_u32(0));
        }
        put_full(out, *b"stsz", 0, 0, |out| out.put_u64(0));
    }

    /// Writes the edit list if the track does not begin at zero or has hidden frames (§8.6.6): an empty edit, and then
    /// the media without the part before zero or the hidden frames.
    pub fn write_edits(&self, movie_timescale: u32, out: &mut BytesMut) {
        let begins = self.begins();
        let is_whole = begins == 0 || self.zero.is_none() && begins < 0;
        if is_whole && self.shown_from.is_none() {
            return;
        }
        let movie = |ticks: u64| {
            let product = u128::from(ticks) * u128::from(movie_timescale);
            let scale = u128::from(self.timescale.max(1));
            u64::try_from((product + scale / 2) / scale).unwrap_or(u64::MAX)
        };
        // Presentation time of the first frame: readers expect a keyframe there.
        let shown = self.compositions.first().map_or(0, |(_, offset)| i64::from(*offset)).max(0);
        let first = begins.saturating_add(shown);
        let (nothing, from) = match self.shown_from {
            Some(at) => (at, at.saturating_sub(begins)),
            None if first < 0 => (0, begins.saturating_neg()),
            None => (first, shown),
        };
        // The edit lasts as long as the decoding, or until the last sample was shown.
        let last = self.last_shown.saturating_sub(self.first_dts()).saturating_sub(from);
        let last = last.saturating_add(self.default_duration.into()).max(0).unsigned_abs();
        let hidden = from.saturating_sub(shown).max(0).unsigned_abs();
        let length = self.duration().saturating_sub(hidden);
        let length = if self.zero.is_some() { length.max(last) } else { length };
        put_box(out, *b"edts", |out| {
            put_full(out, *b"elst", 1, 0, |out| {
                let edits = [(nothing.max(0).unsigned_abs(), -1), (length, from)];
                let edits = edits.get(usize::from(nothing <= 0)..).unwrap_or_default();
                out.put_u32(u32::try_from(edits.len()).unwrap_or(0));
                for (duration, from) in edits {
                    out.put_u64(movie(*duration));
                    out.put_i64(*from);
                    out.put_u32(0x1_0000);
                }
            });
        });
    }
}

fn run<T: PartialEq>(runs: &mut Vec<(u32, T)>, value: T) {
    match runs.last_mut() {
        Some((count, last)) if *last == value => *count += 1,
        _ => runs.push((1, value)),
    }
}

fn list<T>(
    out: &mut BytesMut,
    name: [u8; 4],
    version: u8,
    list: &[T],
    put: impl Fn(&mut BytesMut, &T),
) {
    put_full(out, name, version, 0, |out| {
        out.put_u32(u32::try_from(list.len()).unwrap_or(u32::MAX));
        for entry in list {
            put(out, entry);
        }
    });
}

/// A run-length list for consecutive samples.
pub(super) struct Runs<'a> {
    fields: Fields<'a>,
    left: u32,
    value: u32,
}

impl<'a> Runs<'a> {
    pub(super) fn new(content: Option<&'a [u8]>) -> Option<Self> {
        let mut fields = Fields::after_version(content?)?;
        fields.u32()?;
        Some(Self { fields, left: 0, value: 0 })
    }

    pub(super) fn next(&mut self) -> Option<u32> {
        while self.left == 0 {
            self.left = self.fields.u32()?;
            self.value = self.fields.u32()?;
        }
        self.left -= 1;
        Some(self.value)
    }
}

/// The numbers of the keyframes (§8.6.2). Without a list, every sample is a keyframe.
pub(super) struct KeyframeList<'a> {
    list: Option<Fields<'a>>,
    next: Option<u32>,
}

impl<'a> KeyframeList<'a> {
    pub(super) fn new(stss: Option<&'a [u8]>) -> Self {
        let mut list = stss.map(|stss| Fields(stss.get(8..).unwrap_or_default()));
        let next = list.as_mut().and_then(Fields::u32);
        Self { list, next }
    }

    /// Returns true if this sample is a keyframe. The numbers of successive calls must ascend.
    pub(super) fn contains(&mut self, number: u32) -> bool {
        let Some(list) = &mut self.list else { return true };
        let is_next = self.next == Some(number);
        if is_next {
            self.next = list.u32();
        }
        is_next
    }
}

/// The positions of consecutive samples (§8.7.4, §8.7.5).
pub(super) struct SampleCursor<'a> {
    /// Position of the sample. The caller adds its size.
    pub(super) at: u64,
    /// True if the sample has the description of its track.
    pub(super) fits: bool,
    positions: Fields<'a>,
    /// True if the positions have 64 bits.
    is_wide: bool,
    runs: Fields<'a>,
    /// The next run of chunks: its first chunk, samples per chunk, and sample description.
    following: Option<(u32, u32, u32)>,
    /// Sample descriptions that differ from the description of the track.
    others: Vec<u32>,
    chunk: u32,
    samples_per_chunk: u32,
    /// Number of further samples of the chunk.
    left: u32,
}

impl<'a> SampleCursor<'a> {
    pub(super) fn new(stbl: &'a [u8], others: Vec<u32>) -> Option<Self> {
        let wide = child(stbl, *b"co64");
        let mut positions = Fields::after_version(wide.or_else(|| child(stbl, *b"stco"))?)?;
        let _count = positions.u32();
        let mut runs = Fields::after_version(child(stbl, *b"stsc")?)?;
        let _count = runs.u32();
        Some(Self {
            at: 0,
            fits: true,
            positions,
            is_wide: wide.is_some(),
            following: next_run(&mut runs),
            runs,
            others,
            chunk: 0,
            samples_per_chunk: 0,
            left: 0,
        })
    }

    /// Returns the position of the next chunk, and its number of samples.
    pub(super) fn next_chunk(&mut self) -> Option<(u64, u32)> {
        self.chunk = self.chunk.saturating_add(1);
        if let Some((first, samples, description)) = self.following
            && self.chunk >= first
        {
            self.samples_per_chunk = samples;
            self.fits = !self.others.contains(&description);
            self.following = next_run(&mut self.runs);
        }
        let positions = &mut self.positions;
        let at = if self.is_wide { positions.u64()? } else { positions.u32()?.into() };
        Some((at, self.samples_per_chunk))
    }

    /// Goes to the next sample. Returns `None` if it has no chunk.
    pub(super) fn next_sample(&mut self) -> Option<()> {
        while self.left == 0 {
            (self.at, self.left) = self.next_chunk()?;
        }
        self.left -= 1;
        Some(())
    }
}

fn next_run(runs: &mut Fields<'_>) -> Option<(u32, u32, u32)> {
    Some((runs.u32()?, runs.u32()?, runs.u32()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_to_microseconds_leaves_no_trace() {
        // Audio whose time zero is between two samples.
        let origin = 1_234_567;
        let mut last = None;
        for n in 0..100_000_i64 {
            let micros = 5_000_000 + (n * 1_024 * 1_000_000).div_euclid(48_000) - origin;
            let at = ticks(Timestamp::from_micros(micros), 48_000);
            let dts = settle(at, last, Some(1_024));
            assert!(last.is_none_or(|last| dts - last == 1_024), "{n}");
            last = Some(dts);
        }
    }

    #[test]
    fn a_gap_stays_a_gap_and_time_never_runs_backwards() {
        assert_eq!(settle(5_000, Some(1_000), Some(1_024)), 5_000);
        assert_eq!(settle(900, Some(1_000), Some(1_024)), 1_001);
        let there = ticks(Timestamp::from_millis(33), 44_100);
        assert!((micros(there, 44_100).as_micros() - 33_000).abs() <= 12);
    }
}
