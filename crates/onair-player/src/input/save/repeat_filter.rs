//! The filter of a saved file for packets that the file already contains. Playlists are read again
//! from an earlier position after a seek and after a loss. This module is pure.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;

use crate::media::{EncodedPacket, Track};

/// Maximum number of remembered parts. The oldest ones have left the playlist.
const MAX_PARTS: usize = 40_000;
/// Maximum number of remembered packets: more than those of the last minute, which is the maximum
/// distance from a playlist's end.
const MAX_PACKETS: usize = 16_384;
/// The maximum time between the first packet of a reopened playlist and the newest saved packet, in
/// microseconds: the maximum distance from a playlist's end.
const MAX_OVERLAP_MICROS: i64 = 60_000_000;
/// The maximum difference between two positions of the same packet in a playlist, in microseconds.
const MAX_POSITION_ERROR_MICROS: u64 = 1_000_000;
/// The maximum difference between the DTS of two packets of the same moment in two variants, in
/// microseconds.
const MAX_DTS_ERROR_MICROS: u64 = 1_000_000;

/// The saved packets of a segment or of a part of one. All times are in microseconds.
#[derive(Debug)]
struct SavedPart {
    /// The position in the playlist minus the DTS, if the position is known. Two parts on both sides
    /// of a discontinuity can have the same DTS, but differ here.
    offset: Option<i64>,
    /// The DTS of the first and the last packet of video and audio.
    tracks: [Option<(i64, i64)>; 2],
}

impl SavedPart {
    fn contains(&self, track: usize, dts: i64, offset: Option<i64>) -> bool {
        let is_near = self
            .offset
            .zip(offset)
            .is_none_or(|(own, other)| own.abs_diff(other) <= MAX_POSITION_ERROR_MICROS);
        let range = self.tracks.get(track).copied().flatten();
        is_near && range.is_some_and(|(first, last)| (first..=last).contains(&dts))
    }
}

/// A saved packet.
#[derive(Debug)]
struct SavedPacket {
    hash: u64,
    track: usize,
    dts: i64,
    /// The offset of the packet's part.
    offset: Option<i64>,
    /// The hash of the video's codec config, if there is one. Variants of a stream have different
    /// ones.
    variant: Option<u64>,
}

/// The reason why the next packets can be repeated ones.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
enum RepeatCause {
    #[default]
    None,
    /// A seek, or a playlist of the same broadcast that was opened again.
    Seek,
    /// The playlist was opened again, and may belong to a new broadcast with the same DTS.
    Reopened,
}

/// See the module documentation.
#[derive(Debug, Default)]
pub(super) struct RepeatFilter {
    /// The saved parts, oldest first.
    parts: VecDeque<SavedPart>,
    /// The newest saved packets, oldest first.
    packets: VecDeque<SavedPacket>,
    cause: RepeatCause,
    /// True if the next saved packet begins a part.
    begins: bool,
    /// The difference between the positions in the first playlist and in the current one.
    shift: i64,
    /// The position of the first saved packet, and the highest position.
    from: Option<i64>,
    until: i64,
}

impl RepeatFilter {
    /// Begins a segment, or a part of one.
    pub(super) fn begin_part(&mut self) {
        self.begins = true;
    }

    /// Expects saved packets again after a seek.
    pub(super) fn seek(&mut self) {
        if self.cause != RepeatCause::Reopened {
            self.cause = RepeatCause::Seek;
        }
    }

    /// Expects saved packets again after the playlist was opened again. Positions can differ.
    pub(super) fn reopen(&mut self) {
        self.cause = RepeatCause::Reopened;
    }

    /// Returns true if the file already contains this packet, or if a seek went to a position before
    /// the beginning of the file. Otherwise, the packet counts as saved.
    /// `offset` is its position in the playlist minus its DTS, if the position is known. `config` is
    /// the current codec config of the video.
    pub(super) fn is_repeated(
        &mut self,
        packet: &EncodedPacket,
        offset: Option<i64>,
        config: Option<&Bytes>,
    ) -> bool {
        let track = usize::from(packet.track != Track::Video);
        let dts = packet.dts.as_micros();
        let hash = hash_of(&(track, dts, &packet.data));
        let variant = config.map(hash_of);
        let mut packet = SavedPacket { hash, track, dts, offset, variant };
        if self.cause == RepeatCause::Reopened {
            self.compare_broadcasts(&packet);
        }
        let offset = offset.map(|offset| offset.saturating_add(self.shift));
        packet.offset = offset;
        let position = offset.map(|offset| offset.saturating_add(dts));
        let is_earlier = self.cause == RepeatCause::Seek
            && position.zip(self.from).is_some_and(|(position, from)| position < from);
        let mut parts = self.parts.iter();
        if self.cause != RepeatCause::None
            && (is_earlier || parts.any(|part| part.contains(track, dts, offset)))
        {
            return true;
        }
        // A skipped part can come before other repeated packets.
        if position.is_none_or(|position| position > self.until) {
            self.cause = RepeatCause::None;
        }
        self.from = self.from.or(position);
        self.until = self.until.max(position.unwrap_or(0));
        self.remember(track, dts, offset);
        if self.packets.len() == MAX_PACKETS {
            self.packets.pop_front();
        }
        self.packets.push_back(packet);
        false
    }

    /// Decides whether the reopened playlist, from which this packet comes, belongs to the same
    /// broadcast. If not, forgets everything. A packet decides nothing if its DTS is not in the file,
    /// or if it is audio and the file has video: variants can share their audio's config.
    fn compare_broadcasts(&mut self, packet: &SavedPacket) {
        let saved = self.packets.iter().rev().find(|saved| saved.hash == packet.hash);
        let mut parts = self.parts.iter().rev();
        let part = parts.find(|part| part.contains(packet.track, packet.dts, None));
        // The positions of the reopened playlist continue the earlier ones.
        let offset = match (saved, part.or(self.parts.back())) {
            (Some(saved), _) => saved.offset,
            (None, part) => part.and_then(|part| part.offset),
        };
        let shift = offset.zip(packet.offset).map(|(saved, own)| saved.saturating_sub(own));
        self.shift = shift.unwrap_or(0);
        let has_video = self.parts.iter().any(|part| matches!(part.tracks, [Some(_), _]));
        if part.is_none() || (has_video && packet.track != 0) {
            return;
        }
        let distance = |saved: &SavedPacket| saved.dts.abs_diff(packet.dts);
        let track = || self.packets.iter().filter(|saved| saved.track == packet.track);
        let newest = track().map(|saved| saved.dts).max().unwrap_or(packet.dts);
        let recent = track().filter(|saved| saved.dts >= newest.saturating_sub(MAX_OVERLAP_MICROS));
        let nearest = recent.min_by_key(|saved| distance(saved));
        let nearest = nearest.filter(|saved| distance(saved) <= MAX_DTS_ERROR_MICROS);
        // Two variants have different packets of the same moment, and one variant has the same.
        let is_other_variant =
            nearest.is_some_and(|saved| saved.variant.is_some() && saved.variant != packet.variant);
        if saved.is_some() || is_other_variant {
            self.cause = RepeatCause::Seek;
        } else {
            *self = Self::default();
        }
    }

    fn remember(&mut self, track: usize, dts: i64, offset: Option<i64>) {
        if std::mem::take(&mut self.begins) || self.parts.is_empty() {
            if self.parts.len() == MAX_PARTS {
                self.parts.pop_front();
            }
            self.parts.push_back(SavedPart { offset, tracks: [None, None] });
        }
        let part = self.parts.back_mut();
        if let Some(range) = part.and_then(|part| part.tracks.get_mut(track)) {
            let (first, last) = range.unwrap_or((dts, dts));
            *range = Some((first.min(dts), last.max(dts)));
        }
    }
}

fn hash_of<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    /// Returns the seconds of a stream whose video packets are saved. One packet is one second long
    /// and one segment. The position is the DTS plus `offset`. `variant` is in the bodies; its first
    /// character is the codec config.
    fn saved(
        filter: &mut RepeatFilter,
        variant: &'static str,
        offset: i64,
        seconds: impl IntoIterator<Item = i64>,
    ) -> Vec<i64> {
        let is_new = |second: &i64| {
            filter.begin_part();
            let dts = Timestamp::from_millis(second * 1_000);
            let data = Bytes::from_static(variant.as_bytes());
            let config = data.slice(..1);
            let packet = EncodedPacket::received(Track::Video, (dts, dts), true, data);
            !filter.is_repeated(&packet, Some(offset * 1_000_000), Some(&config))
        };
        seconds.into_iter().filter(is_new).collect()
    }

    #[test]
    fn repeated_packets_are_saved_once() {
        let mut filter = RepeatFilter::default();
        filter.seek();
        assert_eq!(saved(&mut filter, "a", 0, 100..105), [100, 101, 102, 103, 104]);
        // Without a seek, a step back is another part of the stream.
        assert_eq!(saved(&mut filter, "a", 0, [104, 90, 91]), [104, 90, 91]);
        assert_eq!(saved(&mut filter, "a", 0, 92..110).len(), 18);
        filter.seek();
        assert_eq!(saved(&mut filter, "a", 0, 95..100), Vec::<i64>::new());
        // Another seek before the end of the repetition.
        filter.seek();
        assert_eq!(saved(&mut filter, "a", 0, 93..112), [110, 111]);
        // A seek that skips a part, and one into this part.
        filter.seek();
        assert_eq!(saved(&mut filter, "a", 0, [120, 121]), [120, 121]);
        filter.seek();
        assert_eq!(saved(&mut filter, "a", 0, 115..124), [115, 116, 117, 118, 119, 122, 123]);
    }

    #[test]
    fn a_seek_before_the_beginning_of_the_file_adds_no_earlier_part() {
        let mut filter = RepeatFilter::default();
        assert_eq!(saved(&mut filter, "a", 0, 100..103), [100, 101, 102]);
        filter.seek();
        assert_eq!(saved(&mut filter, "a", 0, 96..105), [103, 104]);
    }

    #[test]
    fn packets_on_both_sides_of_a_discontinuity_are_saved_once() {
        let mut filter = RepeatFilter::default();
        assert_eq!(saved(&mut filter, "a", -1_000, 1_000..1_003).len(), 3);
        assert_eq!(saved(&mut filter, "a", 3, 0..3).len(), 3);
        filter.seek();
        assert_eq!(saved(&mut filter, "a", -1_000, 1_000..1_003), Vec::<i64>::new());
        assert_eq!(saved(&mut filter, "a", 3, 0..4), [3]);
        // The same advertisement at another position.
        filter.seek();
        assert_eq!(saved(&mut filter, "a", 7, 0..3), [0, 1, 2]);
    }

    #[test]
    fn a_reopened_playlist_is_saved_once_and_a_new_broadcast_completely() {
        let mut filter = RepeatFilter::default();
        assert_eq!(saved(&mut filter, "a", 0, 0..40).len(), 40);
        filter.reopen();
        assert_eq!(saved(&mut filter, "a", -30, 30..44), [40, 41, 42, 43]);
        // The positions continue those of the first playlist.
        filter.seek();
        assert_eq!(saved(&mut filter, "a", -30, 20..45), [44]);
        // A restart of the broadcast has the same DTS.
        filter.reopen();
        assert_eq!(saved(&mut filter, "a, restarted", 0, 0..50).len(), 50);
    }

    #[test]
    fn a_reopened_playlist_with_another_variant_is_saved_once() {
        let mut filter = RepeatFilter::default();
        assert_eq!(saved(&mut filter, "high", 0, 0..40).len(), 40);
        filter.reopen();
        assert_eq!(saved(&mut filter, "low", -30, 30..44), [40, 41, 42, 43]);
        filter.reopen();
        assert_eq!(saved(&mut filter, "low", -35, 35..46), [44, 45]);
    }

    #[test]
    fn a_reopened_playlist_that_begins_in_a_gap_is_saved_once() {
        for variant in ["high", "low"] {
            let mut filter = RepeatFilter::default();
            assert_eq!(saved(&mut filter, "high", 0, (0..20).chain(30..40)).len(), 30);
            filter.reopen();
            let expected: Vec<_> = (25..30).chain(40..44).collect();
            assert_eq!(saved(&mut filter, variant, -20, 25..44), expected, "{variant}");
        }
    }

    #[test]
    fn after_a_long_outage_a_seek_finds_the_saved_packets() {
        let mut filter = RepeatFilter::default();
        assert_eq!(saved(&mut filter, "high", 0, 0..40).len(), 40);
        filter.reopen();
        assert_eq!(saved(&mut filter, "low", -5, [100, 101]), [100, 101]);
        filter.seek();
        let expected: Vec<_> = (40..100).chain([102]).collect();
        assert_eq!(saved(&mut filter, "low", -5, 35..103), expected);
    }

    #[test]
    fn a_broadcast_that_restarts_is_saved_completely() {
        let mut filter = RepeatFilter::default();
        assert_eq!(saved(&mut filter, "high", 0, 0..100).len(), 100);
        filter.reopen();
        // Even with another codec config.
        assert_eq!(saved(&mut filter, "low", 0, 0..150).len(), 150);
        for offset in [0, -3_600] {
            let mut filter = RepeatFilter::default();
            assert_eq!(saved(&mut filter, "a", offset, 3_600..3_700).len(), 100);
            filter.reopen();
            assert_eq!(saved(&mut filter, "a, restarted", 0, 0..50).len(), 50, "{offset}");
        }
    }
}
