//! The audio tracks of a recording. The first track contains the program's audio. Extra tracks
//! contain selected strips, for recordings only.

use std::fmt;

/// Maximum number of audio tracks, including that of the program.
pub const MAX_TRACKS: u8 = 6;

/// An extra track, identified by its number: from 2 to [`MAX_TRACKS`].
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExtraTrack(u8);

impl ExtraTrack {
    /// Returns the track with this number, if the number is valid.
    pub const fn new(number: u8) -> Option<Self> {
        if number >= 2 && number <= MAX_TRACKS { Some(Self(number)) } else { None }
    }

    /// Returns the track at this position after the first audio track of a file. A file can have
    /// more tracks than onair records.
    pub const fn behind_first(place: u8) -> Self {
        Self(if place > 30 { 31 } else { place + 1 })
    }

    /// Returns all extra tracks that a recording may have.
    pub fn all() -> impl Iterator<Item = Self> {
        (2..=MAX_TRACKS).filter_map(Self::new)
    }

    /// Returns the number of the track.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Returns the index among the extra tracks, from 0.
    pub const fn place(self) -> usize {
        self.0.saturating_sub(2) as usize
    }
}

impl fmt::Display for ExtraTrack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A set of extra tracks.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ExtraTracks(u32);

impl ExtraTracks {
    /// The empty set of tracks.
    pub const NONE: Self = Self(0);

    /// Returns true if the set contains this track.
    pub const fn has(self, track: ExtraTrack) -> bool {
        self.0 & 1 << track.0 != 0
    }

    /// Adds or removes this track.
    #[must_use]
    pub const fn with(self, track: ExtraTrack, there: bool) -> Self {
        let bit = 1 << track.0;
        if there { Self(self.0 | bit) } else { Self(self.0 & !bit) }
    }

    /// Returns the union of both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the tracks in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = ExtraTrack> {
        ExtraTrack::all().filter(move |track| self.has(*track))
    }
}

impl FromIterator<ExtraTrack> for ExtraTracks {
    fn from_iter<I: IntoIterator<Item = ExtraTrack>>(tracks: I) -> Self {
        tracks.into_iter().fold(Self::NONE, |all, track| all.with(track, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_from_two_to_six() {
        let made: Vec<_> = (0..=255).filter_map(ExtraTrack::new).collect();
        assert_eq!(made, ExtraTrack::all().collect::<Vec<_>>());
        let places: Vec<_> = made.iter().map(|track| (track.number(), track.place())).collect();
        assert_eq!(places, [(2, 0), (3, 1), (4, 2), (5, 3), (6, 4)]);
    }

    #[test]
    fn sets_hold_what_was_put_in() {
        let (two, six) = (ExtraTrack::new(2).unwrap(), ExtraTrack::new(6).unwrap());
        let some: ExtraTracks = [six, two, two].into_iter().collect();
        assert_eq!(some.iter().collect::<Vec<_>>(), [two, six]);
        assert!(some.has(six) && !some.with(six, false).has(six));
        assert_eq!(ExtraTracks::NONE.with(two, true).and(ExtraTracks::NONE.with(six, true)), some);
        assert!(some.with(two, false).with(six, false).is_empty());
    }
}
