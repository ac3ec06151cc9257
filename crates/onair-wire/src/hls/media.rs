//! Media playlists (RFC 8216 §4.3.2, §4.3.3), with the partial segments of the second edition
//! (§4.4.4.9) and related tags.

use std::sync::Arc;
use std::time::Duration;

/// A media playlist.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Media {
    /// Maximum segment duration, which defines the reload interval.
    pub target_duration: Duration,
    /// Sequence number of the first segment.
    pub sequence: u64,
    /// True if no more segments will be added.
    pub ended: bool,
    /// True if the playlist keeps its first segments (`EVENT`, `VOD`).
    pub keeps_all: bool,
    pub control: Control,
    /// Maximum part duration; `None` if the playlist has no parts.
    pub part_target: Option<Duration>,
    pub segments: Vec<Segment>,
    /// The available parts of the segment after the last complete one.
    pub pending: Vec<Part>,
    /// Creation time of the segment of `pending`; see [`Segment::made`].
    pub pending_made: Option<i64>,
    /// The preload hint for the next part.
    pub hint: Option<Hint>,
    /// Progress of the other renditions.
    pub reports: Vec<Report>,
}

/// Delivery options of a playlist (EXT-X-SERVER-CONTROL).
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct Control {
    /// Distance from the end that the server wants from players.
    pub hold_back: Option<Duration>,
    /// Distance from the end that the server wants from players that load parts.
    pub part_hold_back: Option<Duration>,
    /// True if the server holds a request for a future part until the part exists.
    pub can_block: bool,
    /// Distance from the end beyond which an update may skip segments.
    pub skip_until: Option<Duration>,
}

/// A segment of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    pub uri: String,
    pub duration: Duration,
    /// True if its timestamps do not continue those of the previous segment.
    pub discontinuity: bool,
    /// True if the segment is missing on the server.
    pub gap: bool,
    /// Byte range of the segment at its address: the first byte and the end.
    pub range: Option<(u64, u64)>,
    pub map: Option<Arc<Map>>,
    pub key: Option<Arc<Key>>,
    /// Parts of the segment, which playlists list only near their end.
    pub parts: Vec<Part>,
    /// Start time by the encoder's clock, in microseconds since 1970, from EXT-X-PROGRAM-DATE-TIME
    /// or derived from an earlier segment.
    pub made: Option<i64>,
}

/// A part of a segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub uri: String,
    pub duration: Duration,
    /// True if the part begins with a keyframe.
    pub independent: bool,
    pub discontinuity: bool,
    pub gap: bool,
    pub range: Option<(u64, u64)>,
    pub map: Option<Arc<Map>>,
    pub key: Option<Arc<Key>>,
}

/// A future part that may be requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    pub uri: String,
    /// First byte and length; `None` if unknown.
    pub range: Option<(u64, Option<u64>)>,
}

/// Progress of another rendition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub uri: String,
    /// Sequence number of the rendition's last segment.
    pub sequence: u64,
    /// Number of the last part of the rendition's last segment.
    pub part: Option<u64>,
}

/// The initialization segment of an MP4.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Map {
    pub uri: String,
    pub range: Option<(u64, u64)>,
    pub key: Option<Arc<Key>>,
}

/// Encryption of segments.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub method: Method,
    pub uri: String,
    /// The IV; `None` means the sequence number of the segment.
    pub iv: Option<u128>,
}

/// Encryption method.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Whole segments are encrypted, with AES-128 in CBC mode.
    Aes128,
    /// Samples are encrypted, with AES-128 in CBC mode. The key is at a plain address.
    SampleAes,
    /// Samples are encrypted, with AES-128 in CTR mode.
    SampleAesCtr,
    /// DRM, for which a license server has the keys.
    Licensed(System),
}

/// The DRM system.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum System {
    FairPlay,
    Widevine,
    PlayReady,
    Other,
}

/// Minimum duration of a part. Shorter parts would cause requests without a pause.
const MIN_PART_DURATION: Duration = Duration::from_millis(50);

impl Media {
    /// Returns the total duration of the segments.
    pub fn duration(&self) -> Duration {
        self.segments.iter().map(|segment| segment.duration).sum()
    }

    /// Returns true if the playlist can be loaded part by part.
    pub fn is_low_latency(&self) -> bool {
        self.control.can_block && self.part_target.is_some_and(|target| target >= MIN_PART_DURATION)
    }

    /// Returns the sequence number of the segment at `place` after the start, and the offset of the
    /// segment's start. If the playlist is shorter, returns the last segment.
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

    /// Returns the segment with this sequence number.
    pub fn segment(&self, number: u64) -> Option<&Segment> {
        let at = usize::try_from(number.checked_sub(self.sequence)?).ok()?;
        self.segments.get(at)
    }

    /// Returns the parts of the segment with this number, complete or not.
    pub fn parts(&self, number: u64) -> &[Part] {
        match self.segment(number) {
            Some(segment) => &segment.parts,
            None if number == self.end() => &self.pending,
            None => &[],
        }
    }

    /// Returns the creation time of this part of this segment; see [`Segment::made`].
    pub fn made(&self, number: u64, part: usize) -> Option<i64> {
        let whole = match self.segment(number) {
            Some(segment) => segment.made?,
            None if number == self.end() => self.pending_made?,
            None => return None,
        };
        let before = self.parts(number).iter().take(part).map(|part| part.duration).sum();
        later(whole, before)
    }

    /// Returns the sequence number after the last complete segment.
    pub fn end(&self) -> u64 {
        self.sequence.saturating_add(self.segments.len() as u64)
    }

    /// Returns the duration of the segments from this sequence number on.
    pub fn from(&self, number: u64) -> Duration {
        let skip = usize::try_from(number.saturating_sub(self.sequence)).unwrap_or(usize::MAX);
        self.segments.iter().skip(skip).map(|segment| segment.duration).sum()
    }

    /// Returns the duration of the playlist from this part of this segment on.
    pub fn from_part(&self, number: u64, part: usize) -> Duration {
        let parts = |parts: &[Part]| parts.iter().map(|part| part.duration).sum::<Duration>();
        let before = self.parts(number);
        let before = parts(before.get(..part.min(before.len())).unwrap_or_default());
        (self.from(number) + parts(&self.pending)).saturating_sub(before)
    }

    /// Returns the number of the last segment that begins at least `distance` before the end. If
    /// the playlist is shorter, returns the number of the first segment.
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

    /// Works like [`before_end`](Self::before_end), but returns the number of a segment, and the
    /// index of one of its parts at which decoding can begin.
    pub fn part_before_end(&self, distance: Duration) -> (u64, usize) {
        let mut left = Duration::ZERO;
        let first = self.before_end(distance);
        for number in (first..=self.end()).rev() {
            let parts = self.parts(number);
            for (at, part) in parts.iter().enumerate().rev() {
                left += part.duration;
                // Reading can start within a segment only if it has a separate initialization
                // segment.
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

/// Adds a duration to a time in microseconds since 1970.
pub(super) fn later(made: i64, by: Duration) -> Option<i64> {
    made.checked_add(i64::try_from(by.as_micros()).ok()?)
}
