//! Makes the playlist of one rendition from messages, in order.

use std::time::Duration;

use crate::base::Timestamp;
use crate::server::hls::Settings;
use crate::server::hls::cutter::Cutter;
use crate::server::hls::drift::Drift;
use crate::server::hls::part::{Cut, SegmentStart};
use crate::server::hls::window::Window;
use crate::server::stream::message::Takes;
use crate::server::stream::message_sink::Arrival;
use crate::wire::container::flv::events::TagEvent;
use crate::wire::container::flv::reader::{ReadTag, Reader};
use crate::wire::container::flv::{Tag, TagKind};
use crate::wire::container::mp4::live::is_live_video;

/// How long a publisher may be away before the playlist ends.
const PUBLISHER_GRACE: Duration = Duration::from_secs(15);

/// Converts messages to a playlist.
#[derive(Debug)]
pub(crate) struct Maker {
    reader: Reader,
    /// The form of the messages.
    takes: Takes,
    cutter: Cutter,
    drift: Drift,
    pub window: Window,
    /// The time since which there is no publisher.
    gone_since: Option<Timestamp>,
    pub ended: bool,
}

impl Maker {
    pub fn new(settings: Settings, window: Window, key_interval: Option<Duration>) -> Self {
        Self::with_cutter(window, Cutter::new(settings.lengths, key_interval))
    }

    /// Creates the maker of a rendition; see [`Cutter::aligned`].
    pub fn of_rendition(settings: Settings, tag: &str, after: Option<u64>) -> Self {
        let window = Window::of_rendition(settings, tag);
        Self::with_cutter(window, Cutter::aligned(settings.lengths, after))
    }

    /// Creates the maker of a rendition with AAC instead of Opus.
    pub fn without_opus(settings: Settings, tag: &str, after: Option<u64>) -> Self {
        Self { takes: Takes::ONE_TRACK_WITHOUT_OPUS, ..Self::of_rendition(settings, tag, after) }
    }

    fn with_cutter(window: Window, cutter: Cutter) -> Self {
        let (reader, drift) = (Reader::of_known_tracks(is_live_video), Drift::default());
        let takes = Takes::ONE_TRACK;
        Self { reader, takes, cutter, drift, window, gone_since: None, ended: false }
    }

    /// Takes the segments of the stream itself.
    pub fn align(&mut self, starts: &[SegmentStart], target: Option<Duration>) {
        self.cutter.align(starts, target);
        if let Some(newest) = starts.last() {
            // The 32-bit times of the stream itself may have wrapped before this rendition began.
            self.reader.resume(0, newest.shown);
        }
    }

    /// Returns the maximum length of a segment, once it is known.
    pub fn target_duration(&self) -> Option<Duration> {
        self.cutter.target_duration()
    }

    /// Handles messages; `wall` is the time in microseconds since 1970.
    pub fn take(&mut self, arrivals: Vec<Arrival>, now: Timestamp, wall: i64) {
        let (tags, newest) = self.read(arrivals);
        // The last data was just created; data that arrived with it waited on the server.
        let offset = newest.map_or(0, |newest| wall.saturating_sub(newest.as_micros()));
        let is_first = self.window.is_empty();
        let end = self.cut(tags, now, offset);
        // A pull begins with a GOP of older media, which can arrive in several reads.
        if is_first && let Some(newest) = self.cutter.newest() {
            self.window.lower_offset(wall.saturating_sub(newest.as_micros()));
        }
        let Some(end) = end else { return };
        let Some(anchor) = self.window.anchor() else { return };
        let late = wall.saturating_sub(end.as_micros());
        if let Some(offset) = self.drift.observe(wall, late, anchor) {
            tracing::debug!(offset, "the clock of the publisher has drifted");
            self.window.correct(Some(offset));
            self.cutter.begin_span();
        }
    }

    /// Handles messages; `offset` is wall clock minus stream time, in microseconds.
    pub fn take_at(&mut self, arrivals: Vec<Arrival>, now: Timestamp, offset: i64) {
        let (tags, _) = self.read(arrivals);
        self.cut(tags, now, offset);
    }

    /// Reads messages. The second result is the time of the newest media.
    fn read(
        &mut self,
        arrivals: Vec<Arrival>,
    ) -> (Vec<Result<ReadTag, Arrival>>, Option<Timestamp>) {
        let mut newest = None;
        let tags: Vec<_> = arrivals
            .into_iter()
            .map(|arrival| match arrival {
                Arrival::Message(message) => {
                    let plain = message.for_viewer(self.takes).unwrap_or(&message);
                    let (kind, time_ms) = (plain.kind, plain.time_ms);
                    let tag = self.reader.read(Tag { kind, time_ms, body: plain.body() });
                    if kind != TagKind::Script {
                        newest = newest.max(Some(tag.dts));
                    }
                    Ok(tag)
                }
                other => {
                    if matches!(other, Arrival::Back) {
                        self.reader.restart();
                    }
                    Err(other)
                }
            })
            .collect();
        (tags, newest)
    }

    /// Returns the end of the last part that is complete now.
    fn cut(
        &mut self,
        tags: Vec<Result<ReadTag, Arrival>>,
        now: Timestamp,
        offset: i64,
    ) -> Option<Timestamp> {
        let mut cuts = Vec::new();
        for tag in tags {
            match tag {
                Ok(tag) => {
                    for event in tag.events.into_iter().flatten() {
                        match event {
                            TagEvent::Event(event) => self.cutter.event(&event, &mut cuts),
                            other => tracing::debug!(?other, "not included in the segments"),
                        }
                    }
                }
                Err(Arrival::Gone) => {
                    self.cutter.forget(&mut cuts);
                    self.window.correct(None);
                    self.gone_since = Some(now);
                }
                Err(Arrival::Back) => {
                    self.cutter.forget(&mut cuts);
                    self.window.correct(None);
                    self.gone_since = None;
                }
                Err(_) => self.cutter.interrupt(&mut cuts),
            }
        }
        let end = cuts.iter().rev().find_map(|cut| match cut {
            Cut::Part(part) => Some(part.start + part.duration),
            _ => None,
        });
        self.window.take(cuts, self.cutter.target_duration(), offset);
        end
    }

    /// Keeps the first time at which there was no publisher.
    pub fn note_gone(&mut self, now: Timestamp) {
        self.gone_since.get_or_insert(now);
    }

    /// Ends the playlist if no publisher returns. Returns true if the playlist has just ended.
    pub fn end_if_gone(&mut self, now: Timestamp) -> bool {
        let gone = self.gone_since.is_some_and(|since| now.since(since) >= PUBLISHER_GRACE);
        if !gone || self.ended {
            return false;
        }
        self.window.end();
        self.ended = true;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::server::stream::message::{Class, Message};

    #[test]
    fn a_publisher_that_left_before_the_first_cut_has_the_usual_time_to_return() {
        let settings = Settings::default();
        let mut maker = Maker::new(settings, Window::new(settings, "a", (0, 0)), None);
        let at = |grace: u32| Timestamp::ZERO + PUBLISHER_GRACE * grace;
        assert!(!maker.end_if_gone(at(1)));
        maker.note_gone(at(1));
        maker.take(vec![Arrival::Back], at(1), 0);
        assert!(!maker.end_if_gone(at(2)), "it is back");
        maker.note_gone(at(2));
        // Later checks do not extend the time.
        maker.note_gone(at(3));
        assert!(maker.end_if_gone(at(3)) && !maker.end_if_gone(at(4)));
    }

    #[test]
    fn a_rendition_that_begins_after_the_times_wrapped_has_the_times_of_the_stream() {
        const BEGIN_MS: u32 = u32::MAX - 5_000;
        let audio = |time_ms: u32, body: &'static [u8]| {
            let body = Bytes::from_static(body);
            Arrival::Message(Arc::new(Message::new(TagKind::Audio, Class::Audio, time_ms, &body)))
        };
        let frames = |indexes: Range<u32>| -> Vec<Arrival> {
            let time = |index: u32| BEGIN_MS.wrapping_add(index * 1_024 / 48);
            let frame = |index: u32| audio(time(index), b"\xAF\x01abc");
            let config = audio(time(indexes.start), b"\xAF\0\x11\x90");
            std::iter::once(config).chain(indexes.map(frame)).collect()
        };
        let settings = Settings::default();
        let mut main = Maker::new(settings, Window::new(settings, "a", (7, 0)), None);
        main.take(frames(0..1_000), Timestamp::ZERO, 0);
        let mut rendition = Maker::of_rendition(settings, "b", None);
        let target = main.target_duration();
        rendition.align(main.window.starts(), target);
        rendition.take_at(frames(300..1_000), Timestamp::ZERO, main.window.offset());
        let (main, rendition) = (main.window.listing(), rendition.window.listing());
        let first = rendition.segments.first().expect("a segment");
        let of_stream = main.segment(first.number).expect("the same number");
        assert!(first.start().micros_since(of_stream.start()).abs() <= 100_000);
    }

    #[test]
    fn a_stream_that_begins_with_a_burst_has_no_drift() {
        const BEGIN: i64 = 1_700_000_000_000_000;
        let audio = |time_ms: u32, body: &'static [u8]| {
            let body = Bytes::from_static(body);
            Arrival::Message(Arc::new(Message::new(TagKind::Audio, Class::Audio, time_ms, &body)))
        };
        let time = |index: u32| index * 1_024 / 48;
        let frames = |indexes: Range<u32>| -> Vec<Arrival> {
            indexes.map(|index| audio(time(index), b"\xAF\x01abc")).collect()
        };
        let settings = Settings::default();
        let mut maker = Maker::new(settings, Window::new(settings, "a", (7, 0)), None);
        let wall = |last: u32| BEGIN + i64::from(time(last)) * 1_000;
        maker.take(vec![audio(0, b"\xAF\0\x11\x90")], Timestamp::ZERO, wall(234));
        // Two reads get the first five seconds. A first segment is not complete before the second one.
        maker.take(frames(0..50), Timestamp::ZERO, wall(234));
        assert!(!maker.window.listing().is_ready());
        maker.take(frames(50..235), Timestamp::ZERO, wall(234));
        let listing = maker.window.listing();
        assert!(listing.is_ready() && listing.began == BEGIN, "{}", listing.began - BEGIN);
        for index in 235..6_000 {
            maker.take(frames(index..index + 1), Timestamp::ZERO, wall(index));
        }
        assert_eq!(maker.window.next_discontinuity(), 1);
        let newest = Arc::clone(maker.window.listing().segments.last().unwrap());
        assert_eq!(newest.made - newest.start().as_micros(), BEGIN);
    }

    #[test]
    fn the_clock_of_a_publisher_does_not_correct_that_of_the_next_one() {
        const BEGIN: i64 = 1_700_000_000_000_000;
        let audio = |time_ms: u32, body: &'static [u8]| {
            let body = Bytes::from_static(body);
            Arrival::Message(Arc::new(Message::new(TagKind::Audio, Class::Audio, time_ms, &body)))
        };
        let settings = Settings::default();
        let mut maker = Maker::new(settings, Window::new(settings, "a", (7, 0)), None);
        let publish = |maker: &mut Maker, from_ms: u32| {
            maker.take(vec![Arrival::Back, audio(from_ms, b"\xAF\0\x11\x90")], Timestamp::ZERO, 0);
            for index in 0..200 {
                let time_ms = from_ms + index * 1_024 / 48;
                let wall = BEGIN + i64::from(time_ms) * 1_000;
                maker.take(vec![audio(time_ms, b"\xAF\x01abc")], Timestamp::ZERO, wall);
            }
        };
        publish(&mut maker, 0);
        maker.window.correct(Some(BEGIN + 3_000_000));
        maker.take(vec![Arrival::Gone], Timestamp::ZERO, BEGIN + 5_000_000);
        publish(&mut maker, 5_000);
        assert_eq!(maker.window.offset(), BEGIN);
    }

    #[test]
    fn new_media_has_the_right_time_two_minutes_after_the_wall_clock_is_set() {
        const BEGIN: i64 = 1_700_000_000_000_000;
        const HOUR: i64 = 3_600_000_000;
        let audio = |time_ms: u32, body: &'static [u8]| {
            let body = Bytes::from_static(body);
            Arrival::Message(Arc::new(Message::new(TagKind::Audio, Class::Audio, time_ms, &body)))
        };
        for step in [-HOUR, HOUR] {
            let settings = Settings::default();
            let mut maker = Maker::new(settings, Window::new(settings, "a", (7, 0)), None);
            maker.take(vec![audio(0, b"\xAF\0\x11\x90")], Timestamp::ZERO, BEGIN);
            // The clock is set after 100 s, in the middle of an observation.
            for time_ms in (0..10_313_u32).map(|index| index * 1_024 / 48) {
                let offset = if time_ms < 100_000 { BEGIN } else { BEGIN + step };
                let wall = offset + i64::from(time_ms) * 1_000;
                maker.take(vec![audio(time_ms, b"\xAF\x01abc")], Timestamp::ZERO, wall);
            }
            let listing = maker.window.listing();
            let newest = listing.segments.last().unwrap();
            let off = newest.made - newest.start().as_micros() - (BEGIN + step);
            assert!(off.abs() < 1_000_000, "{step}: {off}");
            assert_eq!(maker.window.next_discontinuity(), 2, "{step}");
            // Manifests cannot contain times before the beginning.
            assert!(listing.began <= newest.span.start, "{step}");
        }
    }

    #[test]
    fn manifests_follow_a_publisher_whose_clock_drifts() {
        const BEGIN: i64 = 1_700_000_000_000_000;
        let audio = |time_ms: u32, body: &'static [u8]| {
            let body = Bytes::from_static(body);
            Arrival::Message(Arc::new(Message::new(TagKind::Audio, Class::Audio, time_ms, &body)))
        };
        for percent in [-1, 1] {
            let wall = |micros: i64| BEGIN + micros + micros / 100 * percent;
            let settings = Settings::default();
            let mut maker = Maker::new(settings, Window::new(settings, "a", (7, 0)), None);
            maker.take(vec![audio(0, b"\xAF\0\x11\x90")], Timestamp::ZERO, wall(0));
            // Ten minutes, during which the clocks drift apart by 6 s.
            for index in 0..28_125_u32 {
                let time_ms = index * 1_024 / 48;
                let frame = vec![audio(time_ms, b"\xAF\x01abc")];
                maker.take(frame, Timestamp::ZERO, wall(i64::from(time_ms) * 1_000));
            }
            let newest = Arc::clone(maker.window.listing().segments.last().unwrap());
            let end = (newest.start() + newest.duration()).as_micros();
            let off = newest.span_end() - wall(end);
            assert!(off.abs() < 2_500_000, "{percent}: {off}");
            let spans = maker.window.next_discontinuity();
            assert!((3..9).contains(&spans), "{percent}: {spans}");
        }
    }
}
