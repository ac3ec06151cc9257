//! Media playlists (RFC 8216 §4.3.2, §4.3.3; of its second edition the partial segments of §4.4.4.9
//! and what goes with them): segments, and what holds for them.

use std::sync::Arc;
use std::time::Duration;

/// A list of segments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Media {
    /// No segment is longer; reloading goes by it.
    pub target_duration: Duration,
    /// The number of the first segment.
    pub sequence: u64,
    /// Nothing will be added.
    pub ended: bool,
    /// It never loses its beginning (`EVENT`, `VOD`).
    pub keeps_all: bool,
    pub control: Control,
    /// No part is longer; `None` where the list has none.
    pub part_target: Option<Duration>,
    pub segments: Vec<Segment>,
    /// The parts of the segment after the last, as far as they are there.
    pub pending: Vec<Part>,
    /// When that segment was made, as of each [`Segment::made`].
    pub pending_made: Option<i64>,
    /// The part that comes next.
    pub hint: Option<Hint>,
    /// How far other lists of the same are.
    pub reports: Vec<Report>,
}

/// How a list is delivered (EXT-X-SERVER-CONTROL).
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct Control {
    /// How far from its end the server wants players to be.
    pub hold_back: Option<Duration>,
    /// The same of players that take parts.
    pub part_hold_back: Option<Duration>,
    /// Asked for a part that is not there yet, the server answers when it is.
    pub can_block: bool,
    /// What is further from the end need not be told again.
    pub skip_until: Option<Duration>,
}

/// A piece of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    pub uri: String,
    pub duration: Duration,
    /// What comes does not follow from what came before.
    pub discontinuity: bool,
    /// It is missing at the server.
    pub gap: bool,
    /// Bytes from, and up to, of what is at the address.
    pub range: Option<(u64, u64)>,
    pub map: Option<Arc<Map>>,
    pub key: Option<Arc<Key>>,
    /// The same in parts, while it is near the end of the list.
    pub parts: Vec<Part>,
    /// When it begins by the clock of whoever made it, in microseconds since 1970: as told
    /// (EXT-X-PROGRAM-DATE-TIME), or as it follows from what was told of one before it.
    pub made: Option<i64>,
}

/// A part of a segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub uri: String,
    pub duration: Duration,
    /// It begins with a frame that needs no other.
    pub independent: bool,
    pub discontinuity: bool,
    pub gap: bool,
    pub range: Option<(u64, u64)>,
    pub map: Option<Arc<Map>>,
    pub key: Option<Arc<Key>>,
}

/// A part that is not there yet and may be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    pub uri: String,
    /// From which byte, and how many; `None` where that is not known either.
    pub range: Option<(u64, Option<u64>)>,
}

/// How far another list of the same is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub uri: String,
    /// The number of its last segment, and of the last part in that.
    pub sequence: u64,
    pub part: Option<u64>,
}

/// What is before the segments of an MP4.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Map {
    pub uri: String,
    pub range: Option<(u64, u64)>,
    pub key: Option<Arc<Key>>,
}

/// How segments are encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub method: Method,
    pub uri: String,
    /// None: the segment's number.
    pub iv: Option<u128>,
}

/// By what.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Whole segments, AES-128 in CBC mode.
    Aes128,
    /// Video and audio one by one, AES-128 in CBC mode, with a key that anybody can ask for.
    SampleAes,
    /// The same in CTR mode.
    SampleAesCtr,
    /// A license server has the keys.
    Licensed(System),
}

/// Who has the keys.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum System {
    FairPlay,
    Widevine,
    PlayReady,
    Other,
}

/// Parts that are shorter are none: a list of them would be asked for without a pause.
const MIN_PART: Duration = Duration::from_millis(50);

impl Media {
    /// How long all segments are.
    pub fn duration(&self) -> Duration {
        self.segments.iter().map(|segment| segment.duration).sum()
    }

    /// Whether it can be followed part by part.
    pub fn is_low_latency(&self) -> bool {
        self.control.can_block && self.part_target.is_some_and(|target| target >= MIN_PART)
    }

    /// The number of the segment that is played `place` after the beginning, and how far from there
    /// it begins; the last one where the list is not this long.
    pub fn at(&self, place: Duration) -> (u64, Duration) {
        let (mut number, mut begins) = (self.sequence, Duration::ZERO);
        for segment in self.segments.iter().take(self.segments.len().saturating_sub(1)) {
            if begins + segment.duration > place {
                break;
            }
            begins += segment.duration;
            number = number.saturating_add(1);
        }
        (number, begins)
    }

    /// The segment of this number.
    pub fn segment(&self, number: u64) -> Option<&Segment> {
        let at = usize::try_from(number.checked_sub(self.sequence)?).ok()?;
        self.segments.get(at)
    }

    /// The parts of the segment of this number, whether it is whole or not.
    pub fn parts(&self, number: u64) -> &[Part] {
        match self.segment(number) {
            Some(segment) => &segment.parts,
            None if number == self.end() => &self.pending,
            None => &[],
        }
    }

    /// When this part of the segment of this number was made, see [`Segment::made`].
    pub fn made(&self, number: u64, part: usize) -> Option<i64> {
        let whole = match self.segment(number) {
            Some(segment) => segment.made?,
            None if number == self.end() => self.pending_made?,
            None => return None,
        };
        let before = self.parts(number).iter().take(part).map(|part| part.duration).sum();
        later(whole, before)
    }

    /// The number after the last whole segment's.
    pub fn end(&self) -> u64 {
        self.sequence.saturating_add(self.segments.len() as u64)
    }

    /// How long the segments from this number on are.
    pub fn from(&self, number: u64) -> Duration {
        let skip = usize::try_from(number.saturating_sub(self.sequence)).unwrap_or(usize::MAX);
        self.segments.iter().skip(skip).map(|segment| segment.duration).sum()
    }

    /// How long everything is from this part of this segment on.
    pub fn from_part(&self, number: u64, part: usize) -> Duration {
        let parts = |parts: &[Part]| parts.iter().map(|part| part.duration).sum::<Duration>();
        let before = self.parts(number);
        let before = parts(before.get(..part.min(before.len())).unwrap_or_default());
        (self.from(number) + parts(&self.pending)).saturating_sub(before)
    }

    /// The last segment that begins at least `distance` before the end; the first where there is
    /// not this much.
    pub fn before_end(&self, distance: Duration) -> u64 {
        let mut left = Duration::ZERO;
        for (at, segment) in self.segments.iter().enumerate().rev() {
            left += segment.duration;
            if left >= distance {
                return self.sequence.saturating_add(at as u64);
            }
        }
        self.sequence
    }

    /// The same with parts: a segment, and the part of it with which decoding can begin.
    pub fn part_before_end(&self, distance: Duration) -> (u64, usize) {
        let mut left = Duration::ZERO;
        let first = self.before_end(distance);
        for number in (first..=self.end()).rev() {
            let parts = self.parts(number);
            for (at, part) in parts.iter().enumerate().rev() {
                left += part.duration;
                // Only what has its beginning on its own can be read from its middle on.
                let opens = part.independent && part.map.is_some();
                if left >= distance && (opens || at == 0) {
                    return (number, at);
                }
            }
            if parts.is_empty() {
                left += self.segment(number).map_or(Duration::ZERO, |segment| segment.duration);
                if left >= distance {
                    return (number, 0);
                }
            }
        }
        (first, 0)
    }
}

/// Microseconds since 1970, this much later.
pub(super) fn later(made: i64, by: Duration) -> Option<i64> {
    made.checked_add(i64::try_from(by.as_micros()).ok()?)
}
