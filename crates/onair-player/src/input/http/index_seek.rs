//! Seeks in a media file on a web server: by the file's index, or by bisection without one. If data
//! is missing, the caller fetches it and calls the search again, which finds the earlier data in
//! the cache.

use std::time::Duration;

use tokio::time::Instant;

use crate::base::Timestamp;
use crate::player::demux::file_samples::{PRE_ROLL_MICROS, is_needed, start_of};
use crate::player::input::http::bisection::Bisection;
use crate::player::input::http::range::blocks::Blocks;
use crate::wire::container::{
    Demuxer, Error, FilePart, ReadAt, SampleLocation, TrackId, Unit, read,
};

/// Time limit of the search.
pub(super) const SEEK_TIMEOUT: Duration = Duration::from_secs(8);
/// Maximum number of samples from the start of a unit to the position in it.
const MAX_SAMPLES: usize = 65_536;
/// Maximum number of units that are checked for a keyframe.
const MAX_CHECKED_UNITS: u32 = 6;
/// Distance between the units that are checked for a keyframe, in microseconds.
const UNIT_DISTANCE_MICROS: i64 = 5_000_000;
/// Sizes of the search windows for a unit, in bytes, in ascending order.
const SEARCH_WINDOW_BYTES: [u64; 3] = [64 << 10, 1 << 20, 4 << 20];
/// A unit is close enough if it is at most this long before the position, in microseconds.
const SEEK_TOLERANCE_MICROS: i64 = 2_000_000;

/// A search for a position.
#[derive(Debug)]
pub(super) struct Search {
    /// The position relative to the start.
    pub to: Duration,
    /// The position in the file's own time.
    until: Timestamp,
    pub began: Instant,
    /// The reader for a file with unknown samples.
    reader: Option<Box<dyn Demuxer>>,
    /// The end time of the file.
    ends: Timestamp,
    tries: u32,
    halves: Option<Bisection>,
    /// The unit to read from.
    landed: Option<Unit>,
    gathered: Vec<SampleLocation>,
    goes_on: bool,
}

/// The result of a search.
#[derive(Debug)]
pub(super) enum IndexedPlace {
    /// All samples are known. The value is the start of the needed samples, see [`start_of`].
    Whole((usize, Timestamp)),
    /// These samples and the following ones; the flag is true if more follow.
    On(Box<dyn Demuxer>, Vec<SampleLocation>, bool),
}

impl Search {
    /// Creates a search for the position `until` in the file's own time; `ends` is the end of the
    /// file.
    pub fn new(
        reader: Option<Box<dyn Demuxer>>,
        to: Duration,
        until: Timestamp,
        ends: Timestamp,
    ) -> Self {
        Self {
            to,
            until,
            began: Instant::now(),
            reader,
            ends,
            tries: 0,
            halves: None,
            landed: None,
            gathered: Vec::new(),
            goes_on: true,
        }
    }

    /// Continues the search; `samples` are all samples, if known.
    ///
    /// # Errors
    /// Fails with a problem of the file, or because bytes are missing.
    pub fn step(
        &mut self,
        samples: &[SampleLocation],
        blocks: &mut Blocks,
    ) -> Result<IndexedPlace, Error> {
        let until = self.until;
        let all = (0, until.offset(-PRE_ROLL_MICROS));
        let Some(reader) = self.reader.as_deref_mut() else {
            let start = start_of(samples, until).unwrap_or(all);
            first_bytes(blocks, samples, start)?;
            return Ok(IndexedPlace::Whole(start));
        };
        reader.look_up(blocks)?;
        loop {
            let unit = match self.landed {
                Some(unit) => unit,
                None => {
                    let halves = &mut self.halves;
                    let unit = unit(reader, blocks, until, self.ends, self.tries, halves)?;
                    reader.go_to(unit);
                    self.goes_on = true;
                    self.gathered.clear();
                    *self.landed.insert(unit)
                }
            };
            while self.goes_on && !is_past(reader, &self.gathered, until) {
                self.goes_on = reader.read_on(blocks, &mut self.gathered)?;
            }
            let is_last = unit.at == reader.beginning().at || self.tries >= MAX_CHECKED_UNITS;
            let start = start_of(&self.gathered, until).or(is_last.then_some(all));
            let Some(start) = start else {
                // The unit has no frame at which decoding can begin.
                self.tries += 1;
                (self.landed, self.halves) = (None, None);
                continue;
            };
            first_bytes(blocks, &self.gathered, start)?;
            let places = self.gathered.iter().enumerate();
            let needed = places.filter(|(number, place)| is_needed(start, *number, place));
            let needed = needed.map(|(_, place)| *place).collect();
            return Ok(IndexedPlace::On(reader.boxed(), needed, self.goes_on));
        }
    }
}

/// Returns true if all data for the position, or the maximum number of samples, was read.
fn is_past(reader: &dyn Demuxer, gathered: &[SampleLocation], until: Timestamp) -> bool {
    let has_video = reader.index().tracks.video.is_some();
    let counts = |place: &&SampleLocation| place.track == TrackId::Video || !has_video;
    let last = gathered.iter().rev().find(counts);
    gathered.len() >= MAX_SAMPLES || last.is_some_and(|last| last.dts > until)
}

/// Finds the unit to read from.
fn unit(
    reader: &dyn Demuxer,
    blocks: &mut Blocks,
    until: Timestamp,
    ends: Timestamp,
    tries: u32,
    halves: &mut Option<Bisection>,
) -> Result<Unit, Error> {
    let wanted = until.offset(-PRE_ROLL_MICROS);
    let units = reader.units();
    if units.is_empty() {
        let first = reader.beginning();
        let low = (first.at, first.time.as_micros());
        let halves =
            halves.get_or_insert_with(|| Bisection::new(low, (blocks.size(), ends.as_micros())));
        let wanted = wanted.offset(-UNIT_DISTANCE_MICROS * i64::from(tries));
        return before(halves, reader, blocks, wanted.as_micros());
    }
    let before = units.partition_point(|unit| unit.time <= wanted);
    let unit = before.checked_sub(1 + tries as usize).and_then(|number| units.get(number));
    Ok(unit.copied().unwrap_or_else(|| reader.beginning()))
}

/// Checks that the first packets are available.
fn first_bytes(
    blocks: &mut Blocks,
    places: &[SampleLocation],
    start: (usize, Timestamp),
) -> Result<(), Error> {
    let mut places = places.iter().enumerate();
    match places.find(|(number, place)| is_needed(start, *number, place)) {
        Some((_, place)) => {
            read(blocks, place.at, place.size.into(), 32 << 20, FilePart::Samples).map(|_| ())
        }
        None => Ok(()),
    }
}

/// Finds the last unit before `wanted`, or one that is close enough.
fn before(
    halves: &mut Bisection,
    reader: &dyn Demuxer,
    blocks: &mut Blocks,
    wanted: i64,
) -> Result<Unit, Error> {
    while let Some(guess) = halves.guess(wanted, reader.stretch(), SEEK_TOLERANCE_MICROS) {
        let first = first_unit(reader, blocks, guess, halves.end())?;
        halves.note(guess, wanted, first.map(|unit| (unit.at, unit.time.as_micros())));
    }
    let (at, time) = halves.low();
    Ok(Unit { time: Timestamp::from_micros(time), at })
}

/// Finds the first unit between these bytes.
fn first_unit(
    reader: &dyn Demuxer,
    blocks: &mut Blocks,
    from: u64,
    until: u64,
) -> Result<Option<Unit>, Error> {
    for window in SEARCH_WINDOW_BYTES {
        let bytes = window_at(blocks, from, window)?;
        let mut units = reader.units_in(&bytes, from).into_iter();
        if let Some(unit) = units.find(|unit| unit.at < until) {
            return Ok(Some(unit));
        }
        if from.saturating_add(window) >= until {
            break;
        }
    }
    Ok(None)
}

fn window_at(blocks: &mut Blocks, from: u64, window: u64) -> Result<bytes::Bytes, Error> {
    let length = blocks.size().saturating_sub(from).min(window);
    read(blocks, from, length, window as usize, FilePart::Index)
}

/// Finds the unit for reading the end of the file: the last in the index, or one found by a search.
///
/// # Errors
/// Fails with the same errors as [`Search::step`].
pub(super) fn last_unit(reader: &dyn Demuxer, blocks: &mut Blocks) -> Result<Option<Unit>, Error> {
    if let Some(last) = reader.units().last() {
        return Ok(Some(*last));
    }
    for window in SEARCH_WINDOW_BYTES {
        let from = blocks.size().saturating_sub(window);
        let bytes = window_at(blocks, from, window)?;
        if let Some(unit) = reader.units_in(&bytes, from).pop() {
            return Ok(Some(unit));
        }
        if from == 0 {
            break;
        }
    }
    Ok(None)
}
