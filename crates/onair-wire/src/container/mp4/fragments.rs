//! Finds the fragments of an MP4, by the index before them (`sidx`, ISO/IEC 14496-12 §8.16.3), the
//! index after them (`mfra`, §8.8.9), or their signature.

use crate::base::Timestamp;
use crate::wire::container::Unit;
use crate::wire::container::mp4::boxes::{Fields, Name, boxes, child, header};
use crate::wire::container::mp4::movie::{Movie, Track};

/// The share of the file that a `sidx` must cover to count as an index of the whole file.
const MIN_COMPLETE_SHARE: f64 = 0.98;

/// Reads a `sidx` that ends at `end` in a file of `size` bytes. Returns the fragments and the end
/// time of the last one. Returns `None` if the `sidx` is invalid or covers only part of the file.
pub(super) fn sidx(content: &[u8], end: u64, size: u64) -> Option<(Vec<Unit>, Timestamp)> {
    let (version, mut fields) = Fields::versioned(content)?;
    fields.u32()?;
    let timescale = fields.u32()?.max(1);
    let mut time = fields.long(version)?;
    let mut at = end.checked_add(fields.long(version)?)?;
    fields.bytes(2)?;
    let count = fields.u16()?;
    let clock = |time: u64| {
        let ticks = i64::try_from(time).unwrap_or(i64::MAX).min(i64::MAX / 4);
        crate::wire::container::mp4::sample_table::micros(ticks, timescale)
    };
    let mut units = Vec::with_capacity(count.into());
    for _ in 0..count {
        let (length, duration) = (fields.u32()? & 0x7FFF_FFFF, fields.u32()?);
        fields.u32()?;
        units.push(Unit { time: clock(time), at });
        time = time.checked_add(duration.into())?;
        at = at.checked_add(length.into()).filter(|at| *at <= size)?;
    }
    let whole = at as f64 >= size as f64 * MIN_COMPLETE_SHARE;
    (whole && !units.is_empty()).then(|| (units, clock(time)))
}

/// Returns the position of `mfra`, from the last 16 bytes of a file of this size.
pub(super) fn mfra_at(last: &[u8], size: u64) -> Option<u64> {
    let mut fields = Fields::after_version(child(last, *b"mfro")?)?;
    let length = fields.u32()?;
    size.checked_sub(length.into()).filter(|at| *at < size)
}

/// Reads the fragments of the video track from `mfra`.
pub(super) fn mfra(bytes: &[u8], movie: &Movie, size: u64) -> Option<Vec<Unit>> {
    let content = child(bytes, *b"mfra")?;
    let main = movie.main()?;
    let lists = boxes(content).filter(|found| found.name == *b"tfra");
    let mut found = lists.filter_map(|list| tfra(list.content, main, size));
    let mut units = found.find(|units| !units.is_empty())?;
    units.sort_unstable_by_key(|unit| (unit.time, unit.at));
    units.dedup_by_key(|unit| unit.at);
    Some(units)
}

fn tfra(content: &[u8], track: &Track, size: u64) -> Option<Vec<Unit>> {
    let (version, mut fields) = Fields::versioned(content)?;
    if fields.u32()? != track.track_id() {
        return None;
    }
    let lengths = fields.u32()?;
    let rest = [4, 2, 0].iter().map(|shift| (lengths >> shift & 3) as usize + 1).sum();
    let count = fields.u32()?;
    let mut units = Vec::new();
    // Reads the entries whose bytes are available.
    for _ in 0..count {
        let (Some(time), Some(at)) = (fields.long(version), fields.long(version)) else { break };
        if fields.bytes(rest).is_none() {
            break;
        }
        if at < size {
            units.push(Unit { time: track.time(time), at });
        }
    }
    Some(units)
}

/// Returns the fragments that begin in these bytes, which are at `at` in the file. The result may
/// contain false matches.
pub(super) fn units_in(bytes: &[u8], at: u64, movie: &Movie) -> Vec<Unit> {
    let Some(main) = movie.main() else { return Vec::new() };
    const MOOF_NAME: &Name = b"moof";
    let named = bytes.windows(MOOF_NAME.len()).enumerate().filter(|(_, four)| *four == MOOF_NAME);
    let unit = |(offset, _): (usize, &[u8])| {
        let offset = offset.checked_sub(4)?;
        let rest = bytes.get(offset..)?;
        let (head, _, length) = header(rest)?;
        let length = usize::try_from(length).ok()?.min(rest.len());
        let content = rest.get(head..length)?;
        let trafs = boxes(content).filter(|found| found.name == *b"traf");
        let time = trafs.filter_map(|traf| time(traf.content, main)).next()?;
        Some(Unit { time, at: at.saturating_add(offset as u64) })
    };
    named.filter_map(unit).collect()
}

/// Returns the start time of a track's fragment.
fn time(traf: &[u8], track: &Track) -> Option<Timestamp> {
    let mut fields = Fields::after_version(child(traf, *b"tfhd")?)?;
    if fields.u32()? != track.track_id() {
        return None;
    }
    let (version, mut fields) = Fields::versioned(child(traf, *b"tfdt")?)?;
    Some(track.time(fields.long(version)?))
}
