//! The DASH manifest of the available segments. These segments are the same as in the playlist, with
//! one file for each track. This module is pure.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::server::hls::cutter::SEGMENT_ROUNDING;
use crate::server::hls::listing::{HOLD_BACK_TARGET_DURATIONS, Listing, Tracks};
use crate::server::hls::segment::{Segment, Span};
use crate::wire::dash::{Manifest, Period, Track, TrackKind, TrackRendition};

/// Name of the resource for the current time, below `/{app}/{stream}/hls/`.
pub(crate) const CLOCK_RESOURCE: &str = "time";
/// Players that read growing segments stay this many parts from the end, and at least
/// [`MIN_LATENCY`].
const LATENCY_PARTS: u32 = 4;
/// The minimum distance from the end of players that read growing segments.
const MIN_LATENCY: Duration = Duration::from_secs(1);

/// The URLs of a manifest.
#[derive(Copy, Clone, Debug)]
struct Urls<'a> {
    folder: &'a str,
    query: &'a str,
}

impl Urls<'_> {
    fn of(self, name: &str) -> String {
        format!("{}{name}{}", self.folder, self.query)
    }
}

impl Listing {
    /// Returns the DASH manifest of the stream with this encoded name. A `query` follows the names of
    /// its segments, and its own name in the address at which players reload it.
    pub fn manifest(&self, name: &str, query: &str, renditions: &[(String, Arc<Self>)]) -> Bytes {
        let folder = format!("{name}/hls/");
        let urls = Urls { folder: &folder, query };
        let listed = self.segments.get(self.listed..).unwrap_or_default();
        let lengths = self.settings.lengths;
        let spans = listed.chunk_by(|one, next| Arc::ptr_eq(&one.span, &next.span));
        let last = spans.clone().count().saturating_sub(1);
        let mut periods: Vec<Period> = spans
            .enumerate()
            .map(|(index, segments)| self.period(segments, urls, index == last))
            .collect();
        // The first segment of a new span is still growing.
        if let Some(open) = &self.open
            && !listed.last().is_some_and(|it| Arc::ptr_eq(&it.span, &open.span))
        {
            periods.push(self.growing_period(open, urls));
        }
        // After the wall clock was set back, a period may begin before an earlier one, but starts must increase.
        let goes_back = |it: &[Period]| matches!(it, [one, next] if one.start >= next.start);
        let first = periods.windows(2).rposition(goes_back);
        periods.drain(..first.map_or(0, |at| at + 1));
        let ends: Vec<i64> = periods.iter().skip(1).map(|next| next.start).collect();
        periods.iter_mut().zip(ends).for_each(|(period, end)| period.end_at(end));
        for period in &mut periods {
            let first = period.first_number;
            let last = first + period.segments.len() as u64;
            if let Some(video) = period.tracks.first_mut()
                && matches!(video.kind, TrackKind::Video { .. })
            {
                let of =
                    |(name, it): &(String, Arc<Self>)| it.track_rendition(name, urls, first..last);
                video.renditions = renditions.iter().filter_map(of).collect();
            }
        }
        let manifest = Manifest {
            is_live: true,
            began: self.began,
            published: self.published,
            ended: self.ended,
            update: lengths.segment,
            window: self.time_shift(listed),
            // Unlike HLS, DASH does not round the durations of segments.
            longest: self.target_duration() + SEGMENT_ROUNDING,
            latency: (lengths.part * LATENCY_PARTS).max(MIN_LATENCY),
            delay: self.target_duration() * HOLD_BACK_TARGET_DURATIONS,
            location: (!query.is_empty()).then(|| format!("{name}.mpd{query}")),
            clock: urls.of(CLOCK_RESOURCE),
            periods,
        };
        manifest.write().into()
    }

    /// Returns how far players can seek back: the duration of the listed segments, plus the
    /// hold-back. dash.js takes this depth as the age of the oldest segment. Without the hold-back,
    /// the newest complete segment of a young stream could be older, and dash.js would play too
    /// late.
    fn time_shift(&self, listed: &[Arc<Segment>]) -> Duration {
        let complete: Duration = listed.iter().map(|segment| segment.duration()).sum();
        complete + self.target_duration() * HOLD_BACK_TARGET_DURATIONS
    }

    /// Returns the period of consecutive segments, of which there is at least one.
    fn period(&self, segments: &[Arc<Segment>], urls: Urls<'_>, is_last: bool) -> Period {
        let (first, last) = (segments.first(), segments.last());
        let end = last.map_or(Timestamp::ZERO, |it| it.start() + it.duration());
        let goes_on = is_last
            && self
                .open
                .as_ref()
                .is_none_or(|open| last.is_some_and(|last| Arc::ptr_eq(&last.span, &open.span)));
        let expected = last.map_or(self.settings.lengths.segment, |it| it.duration());
        let mut period = self.empty_period(first.map(|it| &*it.span), urls, segments);
        period.segments = segments.iter().map(|it| it.start().as_micros()).collect();
        period.first_number = first.map_or(0, |it| it.number);
        period.end = end.as_micros();
        period.next = (goes_on && !self.ended).then(|| self.expectation(expected));
        period
    }

    /// Returns the period of a segment that grows and is the first one of its span.
    fn growing_period(&self, open: &Segment, urls: Urls<'_>) -> Period {
        let mut period = self.empty_period(Some(&open.span), urls, &[]);
        period.first_number = open.number;
        period.end = open.start().as_micros();
        period.next = Some(self.expectation(self.settings.lengths.segment));
        period
    }

    /// Returns this playlist as a rendition in a period whose segments have these numbers.
    fn track_rendition(
        &self,
        name: &str,
        urls: Urls<'_>,
        numbers: std::ops::Range<u64>,
    ) -> Option<TrackRendition> {
        let segments: Vec<_> =
            self.segments.iter().filter(|it| numbers.contains(&it.number)).collect();
        let (first, last) = (segments.first()?, segments.last()?);
        let of = &last.span.initialization;
        of.video.as_ref()?;
        let whole: Vec<_> = segments.iter().map(|it| Arc::clone(it)).collect();
        Some(TrackRendition {
            id: name.to_owned(),
            kind: TrackKind::Video { size: of.size, frame_rate: of.frame_rate },
            codec: browser_codec(of.codecs.first()?),
            bandwidth: bandwidth(&whole, Tracks::Video),
            initialization: urls.of(&format!("{}-v{}.mp4", self.tag, last.span.number)),
            media: urls.of(&format!("{}-v{}-$Number$.m4s", self.tag, last.span.number)),
            segments: segments.iter().map(|it| it.start().as_micros()).collect(),
            end: (last.start() + last.duration()).as_micros(),
            first_number: first.number,
        })
    }

    /// Returns the expected length of segments, and how long before their end they can be
    /// requested.
    fn expectation(&self, expected: Duration) -> (Duration, Duration) {
        (expected, expected.saturating_sub(self.settings.lengths.part))
    }

    fn empty_period(
        &self,
        span: Option<&Span>,
        urls: Urls<'_>,
        segments: &[Arc<Segment>],
    ) -> Period {
        Period {
            id: span.map_or(0, |span| span.number),
            start: span.map_or(0, |span| span.start),
            origin: span.map_or(0, |span| span.origin.as_micros()),
            segments: Vec::new(),
            end: 0,
            first_number: 0,
            next: None,
            tracks: span.map_or_else(Vec::new, |span| self.tracks(span, urls, segments)),
        }
    }

    fn tracks(&self, span: &Span, urls: Urls<'_>, segments: &[Arc<Segment>]) -> Vec<Track> {
        let of = &span.initialization;
        let mut codecs = of.codecs.iter();
        let video = of.video.as_ref().map(|_| {
            (Tracks::Video, 'v', TrackKind::Video { size: of.size, frame_rate: of.frame_rate })
        });
        let audio = of.audio.as_ref();
        let audio =
            audio.map(|_| (Tracks::Audio, 'a', TrackKind::Audio { sample_rate: of.sample_rate }));
        let tracks = video.into_iter().chain(audio).map(|(tracks, letter, kind)| Track {
            kind,
            codec: browser_codec(codecs.next().map_or("", String::as_str)),
            bandwidth: bandwidth(segments, tracks),
            initialization: urls.of(&format!("{}-{letter}{}.mp4", self.tag, span.number)),
            media: urls.of(&format!("{}-{letter}{}-$Number$.m4s", self.tag, span.number)),
            renditions: Vec::new(),
        });
        tracks.collect()
    }
}

/// Returns the name of a codec for browsers, which differs from the one in playlists for two
/// codecs.
pub(crate) fn browser_codec(name: &str) -> String {
    if matches!(name, "Opus" | "fLaC") { name.to_ascii_lowercase() } else { name.to_owned() }
}

/// Returns the highest bitrate of a track, in bits per second.
fn bandwidth(segments: &[Arc<Segment>], tracks: Tracks) -> u64 {
    let rate = |segment: &Segment| {
        let chunks = segment.parts.iter().flat_map(|part| tracks.chunks(part));
        let bytes: usize = chunks.map(Bytes::len).sum();
        (bytes as f64 * 8.0 / segment.duration().as_secs_f64().max(0.1)) as u64
    };
    segments.iter().map(|segment| rate(segment)).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media;
    use crate::server::hls::Settings;
    use crate::server::hls::cutter::Cutter;
    use crate::server::hls::tests::{TARGET_LENGTHS, cut, packet, video_config};
    use crate::server::hls::window::Window;

    /// Returns the value of an attribute in microseconds, at its first place in a text.
    fn micros(text: &str, name: &str) -> i64 {
        let value = text.split(&format!(" {name}=\"PT")).nth(1).expect(name);
        let (seconds, fraction) = value.split('S').next().unwrap().split_once('.').unwrap();
        format!("{seconds}{fraction}").parse().unwrap()
    }

    /// Returns frames with a keyframe every two seconds.
    fn frames(milliseconds: std::ops::Range<i64>) -> Vec<media::StreamEvent> {
        let indexes = milliseconds.start * 30 / 1_000..milliseconds.end * 30 / 1_000;
        let frame = |it: i64| packet(media::Track::Video, it * 1_000 / 30, it % 60 == 0);
        indexes.map(frame).collect()
    }

    #[test]
    fn periods_begin_one_after_another_if_the_wall_clock_was_set_back() {
        const OFFSET: i64 = 1_700_000_000_000_000;
        const EARLIER: i64 = OFFSET - 3_600_000_000;
        let mut window = Window::new(Settings::default(), "a", (7, 0));
        let mut cutter = Cutter::new(TARGET_LENGTHS, None);
        let mut take = |events: &[_], offset: i64| {
            if ![OFFSET, window.offset()].contains(&offset) {
                window.correct(Some(offset));
                cutter.begin_span();
            }
            window.take(cut(&mut cutter, events), cutter.target_duration(), offset);
            window.listing()
        };
        take(&[video_config(1_280)], OFFSET);
        let listings = [
            take(&frames(0..6_000), OFFSET),
            take(&frames(6_000..10_500), EARLIER),
            take(&frames(10_500..12_500), EARLIER),
        ];
        assert!(listings.is_sorted_by(|one, next| one.published < next.published));
        for listing in &listings[1..] {
            let text = String::from_utf8(listing.manifest("show", "", &[]).to_vec()).unwrap();
            let periods: Vec<_> = text.split("<Period ").skip(1).collect();
            let [only] = periods[..] else { panic!("{text}") };
            assert_eq!(micros(only, "start"), 0);
            assert!(only.contains("<S t=\"6000000\" d=\"2000000\"/>"), "{only}");
        }
    }

    #[test]
    fn periods_of_a_publisher_whose_clock_was_fast_follow_one_another() {
        const OFFSET: i64 = 1_700_000_000_000_000;
        let mut main = Window::new(Settings::default(), "a", (7, 0));
        let mut rendition = Window::of_rendition(Settings::default(), "a_480p");
        let mut cutters =
            [Cutter::new(TARGET_LENGTHS, None), Cutter::aligned(TARGET_LENGTHS, None)];
        let mut take = |events: &[_], offset: i64| {
            let [cutter, aligned] = &mut cutters;
            if ![OFFSET, main.offset()].contains(&offset) {
                main.correct(Some(offset));
                cutter.begin_span();
            }
            main.take(cut(cutter, events), cutter.target_duration(), offset);
            aligned.align(main.starts(), cutter.target_duration());
            rendition.take(cut(aligned, events), cutter.target_duration(), main.offset());
            main.listing()
        };
        take(&[video_config(1_280)], OFFSET);
        let before = take(&frames(0..6_000), OFFSET).published;
        let corrected = OFFSET - 1_500_000;
        assert!(take(&frames(6_000..7_200), corrected).published >= before);
        let listing = take(&frames(7_200..12_500), corrected);
        assert!(listing.published > before);
        let renditions = [("480p".to_owned(), Arc::new(rendition.listing()))];
        main.end();
        for (listing, is_live) in [(listing, true), (main.listing(), false)] {
            let text = listing.manifest("show", "", &renditions);
            let text = String::from_utf8(text.to_vec()).unwrap();
            let periods: Vec<_> = text.split("<Period ").skip(1).collect();
            let [first, second] = periods[..] else { panic!("{text}") };
            assert_eq!((micros(first, "start"), micros(second, "start")), (0, 4_500_000));
            assert!(is_live || micros(first, "duration") == 4_500_000, "{first}");
            for (period, segments) in
                [(first, ["0", "2000000", "4000000"]), (second, ["6000000", "8000000", "10000000"])]
            {
                let (_, of_rendition) = period.split_once("id=\"480p\"").expect(period);
                for at in segments {
                    let segment = format!("<S t=\"{at}\" d=\"2000000\"/>");
                    assert!(period.matches(&segment).count() == 2, "{at}: {period}");
                    assert!(of_rendition.contains(&segment), "{at}: {period}");
                }
            }
        }
    }
}
