//! The position at which a playlist continues after another one: after a switch to another variant,
//! or when the audio returns beside the video.

use std::time::Duration;

use crate::player::input::http::hls::follow::{MAX_BOUNDARY_ERROR, MAX_DATE_ERROR, Track, apart};

impl Track {
    /// Continues at the position of `other`, the playlist of another variant or of the video.
    /// `number` is the segment that matches the next one of `other`, if the numbers count.
    pub fn go_on_from(&mut self, other: &Self, number: u64) {
        let (number, overlap) = self.matching(other, number);
        self.begin_at(number);
        (self.behind, self.trust) = (other.behind, other.trust);
        self.readable = other.readable;
        self.gone = if self.live || other.live {
            let before = self.whole().saturating_sub(self.left(self.next, 0));
            other.place(other.next, 0).saturating_sub(before + overlap)
        } else {
            Duration::ZERO
        };
        self.overlap = Some((number, overlap)).filter(|_| !overlap.is_zero());
    }

    /// Returns the number of the segment that contains the beginning of the next segment of
    /// `other`, and the offset of that beginning. Numbers do not identify the content (RFC 8216
    /// §4.3.3.2), so `number` counts only in a broadcast without dates.
    fn matching(&self, other: &Self, number: u64) -> (u64, Duration) {
        let found = if self.live || other.live {
            self.dated(other, number)
        } else {
            let place = other.place(other.next, 0);
            let (number, begins) = self.media.at(place);
            Some((number, place.saturating_sub(begins)))
        };
        let Some((number, offset)) = found else { return (number, Duration::ZERO) };
        let left = self.segment_duration(number).saturating_sub(offset);
        if left < offset && left < MAX_BOUNDARY_ERROR {
            (number.saturating_add(1), Duration::ZERO)
        } else if offset < MAX_BOUNDARY_ERROR {
            (number, Duration::ZERO)
        } else {
            (number, offset)
        }
    }

    /// Works like [`matching`](Self::matching), by the wall-clock times of the segments.
    fn dated(&self, other: &Self, number: u64) -> Option<(u64, Duration)> {
        let wanted = other.media.made(other.next, 0)?;
        let dated = |number| Some((number, self.media.made(number, 0)?));
        // The dates of variants with the same segments can differ a little.
        let near = MAX_DATE_ERROR.min(self.segment_duration(number) / 2);
        if dated(number).is_some_and(|(_, made)| apart(made, wanted) < near) {
            return Some((number, Duration::ZERO));
        }
        let (first, end) = (self.media.sequence, self.media.end());
        let begun = (first..=end).rev().filter_map(dated).find(|(_, made)| *made <= wanted);
        let (number, made) = begun.or_else(|| dated(first))?;
        let distance = apart(made, wanted);
        let offset = if made <= wanted { distance } else { Duration::ZERO };
        // Dates that are further apart are from different clocks.
        (distance <= self.media.target_duration * 2).then_some((number, offset))
    }

    /// Returns the duration of this segment; the target duration if the segment is not listed.
    fn segment_duration(&self, number: u64) -> Duration {
        let target = self.media.target_duration;
        self.media.segment(number).map_or(target, |segment| segment.duration)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::base::Timestamp;
    use crate::media::{EncodedPacket, StreamEvent, Track as MediaTrack};
    use crate::player::input::http::hls::follow::tests::follow;

    #[test]
    fn another_variant_continues_at_the_same_content_and_not_at_the_same_number() {
        let track = |(first, seconds, count, made): (u64, u64, usize, Option<&str>), end: &str| {
            let made = made.map_or_else(String::new, |made| {
                format!("#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:{made}Z\n")
            });
            let segments = format!("#EXTINF:{seconds},\na.ts\n").repeat(count);
            let list = format!(
                "#EXTM3U\n#EXT-X-TARGETDURATION:{seconds}\n#EXT-X-MEDIA-SEQUENCE:{first}\n\
                 {made}{segments}{end}"
            );
            follow(list)
        };
        let whole = "#EXT-X-ENDLIST\n";
        let (short, long) = ((0, 2, 60, None), (0, 10, 12, None));
        for (from, next, to, expected) in [
            // After two seconds, the segment of ten seconds that covers them is next.
            (short, 1, long, (0, 2)),
            (short, 5, long, (1, 0)),
            (long, 3, short, (15, 0)),
            (long, 12, short, (60, 0)),
            (short, 7, short, (7, 0)),
        ] {
            let (mut from, mut to) = (track(from, whole), track(to, whole));
            from.begin_at(next);
            to.go_on_from(&from, next);
            let overlap = Duration::from_secs(expected.1);
            assert_eq!(to.matching(&from, next), (expected.0, overlap), "{next}");
            assert_eq!((to.next, to.gone), (expected.0, Duration::ZERO), "{next}");
            assert_eq!(to.overlap.is_some(), expected.1 > 0, "{next}");
            let place = to.place(to.next, 0) + overlap;
            assert_eq!(place, from.place(next, 0), "{next}");
        }
        // A broadcast: by the dates, also for a segment that is not listed yet, or by the numbers.
        let short = (100, 2, 20, Some("00.000"));
        let long = (7, 10, 4, Some("00.100"));
        for (from, next, to, expected) in [
            (short, 100, long, (7, 0)),
            (short, 108, long, (8, 6)),
            (short, 120, long, (11, 0)),
            (long, 10, short, (115, 0)),
            ((5, 2, 9, None), 7, (3, 2, 9, None), (7, 0)),
            ((5, 2, 9, Some("00.000")), 7, (5, 2, 9, Some("50.000")), (7, 0)),
            // Equal segments whose dates differ a little.
            ((5, 2, 9, Some("00.000")), 7, (5, 2, 9, Some("00.600")), (7, 0)),
            ((5, 2, 9, Some("00.600")), 7, (5, 2, 9, Some("00.000")), (7, 0)),
        ] {
            let (mut from, mut to) = (track(from, ""), track(to, ""));
            from.begin_at(next);
            to.go_on_from(&from, next);
            let offset = to.overlap.map_or(Duration::ZERO, |(_, overlap)| overlap);
            let rounded = (offset + Duration::from_millis(500)).as_secs();
            assert_eq!((to.next, rounded), expected, "{next}");
        }
        // The number that belongs to separate audio counts only without dates.
        for (made, expected) in [(None, 9), (Some("00.000"), 7)] {
            let (mut video, mut audio) = (track((5, 2, 9, made), ""), track((5, 2, 9, made), ""));
            video.begin_at(7);
            audio.go_on_from(&video, 9);
            assert_eq!(audio.next, expected, "{made:?}");
        }
    }

    #[test]
    fn the_dates_of_short_segments_count_more_than_their_numbers() {
        let track = |first: u64| {
            let segments = "#EXTINF:0.4,\na.ts\n".repeat(9);
            let list = format!(
                "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{first}\n\
                 #EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n{segments}"
            );
            follow(list)
        };
        let (mut from, to) = (track(5), track(4));
        from.begin_at(7);
        assert_eq!(to.matching(&from, 7), (6, Duration::ZERO));
    }

    #[test]
    fn another_variant_skips_the_played_part_of_its_segment_up_to_a_keyframe() {
        let track = |seconds: u64, count| {
            let segments = format!("#EXTINF:{seconds},\na.ts\n").repeat(count);
            let head = format!("#EXTM3U\n#EXT-X-TARGETDURATION:{seconds}\n");
            let list = format!("{head}{segments}#EXT-X-ENDLIST\n");
            follow(list)
        };
        let frames = |from: i64, interval: i64| -> Vec<StreamEvent> {
            let frame = |millis: i64| {
                let at = Timestamp::from_millis(from + millis);
                let keyframe = millis % interval == 0;
                let (track, data) = (MediaTrack::Video, Bytes::new());
                StreamEvent::Packet(EncodedPacket::received(track, (at, at), keyframe, data))
            };
            (0..250).map(|number| frame(number * 40)).collect()
        };
        // The switch is at 14 s, within the segment that begins at 10 s.
        for (interval, place, restart) in
            [(2_000, 14_000, false), (3_000, 13_000, true), (10_000, 10_000, true)]
        {
            let (mut short, mut long) = (track(2, 30), track(10, 6));
            short.begin_at(7);
            long.go_on_from(&short, short.next);
            let mut arrival = |from| {
                let piece = long.piece().unwrap();
                let arrival = long.arrival(&piece, frames(from, interval), false);
                let first = arrival.events.first().and_then(StreamEvent::dts).unwrap();
                assert_eq!(Timestamp::ZERO + arrival.place.unwrap(), first);
                (first.as_millis(), arrival.restart)
            };
            assert_eq!(arrival(10_000), (place, restart), "{interval}");
            assert_eq!(arrival(20_000), (20_000, false), "{interval}");
        }
    }

    #[test]
    fn another_variant_repeats_the_parts_of_its_last_segment_from_the_first_one() {
        let track = |target: u64, more: &str| {
            let list = format!(
                "#EXTM3U\n#EXT-X-TARGETDURATION:{target}\n\
                 #EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n{more}"
            );
            follow(list)
        };
        let mut short = track(2, &"#EXTINF:2,\na.ts\n".repeat(6));
        let control = "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n#EXT-X-PART-INF:PART-TARGET=1\n";
        let parts = "#EXT-X-PART:DURATION=1,URI=\"b.mp4\"\n".repeat(3);
        let mut long = track(4, &format!("{control}#EXTINF:4,\na.mp4\n{parts}"));
        short.begin_at(3);
        // Six seconds after the beginning: two seconds after the first part.
        long.go_on_from(&short, short.next);
        let piece = long.piece().unwrap();
        let arrival = long.arrival(&piece, Vec::new(), false);
        let (place, restart) = (arrival.place.unwrap(), arrival.restart);
        assert_eq!((piece.number, piece.part), (1, Some(0)));
        assert_eq!((place, restart), (Duration::from_secs(4), true));
    }

    #[test]
    fn audio_that_continues_beside_a_recording_can_skip_unreadable_segments_too() {
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n#EXT-X-ENDLIST\n";
        let track = || follow(text);
        let (mut audio, mut video) = (track(), track());
        video.readable = true;
        audio.go_on_from(&video, 0);
        assert!(audio.readable);
    }
}
