//! One RTMP connection: connects, requests the stream, and passes on data. This module runs on the
//! feed thread, which drives the network futures: nothing is read while data is processed, so no
//! queue is needed.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::base::Timestamp;
use crate::media::{Metadata, StreamEvent};
use crate::net;
use crate::net::rtmp::{Client, Options};
use crate::player::demux::can_play_video;
use crate::player::input::connection::{
    CLOCK_CHECK_INTERVAL, ConnectionWatch, End, MEDIA_TIMEOUT, failure, waiting,
};
use crate::player::input::feed::InputFeed;
use crate::player::input::open_deadline::{self, OpenDeadline};
use crate::player::session::shared::Shared;
use crate::player::state::{Failure, FailureKind, State};
use crate::text::problem::problem;
use crate::wire::container::flv::{Reader, Tag, TagContent, TagKind};
use crate::wire::rtmp::Url;
use crate::wire::rtmp::client::{Event, Purpose};
use crate::wire::rtmp::status::code;

/// Time limit for closing a connection.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// The address and options of a stream.
pub(crate) struct Rtmp {
    /// Address that the user entered.
    pub(crate) url: Url,
    /// The current address, after redirects.
    pub(crate) now: Url,
    options: Options,
    reconnect: bool,
    /// The start position of a recorded stream.
    start: Option<Duration>,
    /// The time limit of opening.
    pub(crate) limit: Duration,
    reader: Reader,
}

impl Rtmp {
    pub(crate) fn new(
        url: Url,
        options: Options,
        reconnect: bool,
        start: Option<Duration>,
    ) -> Self {
        let (now, limit, reader) =
            (url.clone(), open_deadline::OPEN_TIMEOUT, Reader::of_player(can_play_video));
        Self { url, now, options, reconnect, start, limit, reader }
    }

    /// Plays one connection, from the DNS lookup to its end.
    pub(crate) async fn play(&mut self, feed: &mut InputFeed) -> End {
        let shared = Arc::clone(&feed.shared);
        let first = !feed.has_media();
        let opening = OpenDeadline::of_rtmp(&self.now, &self.options.net, self.limit);
        let on_step = |step: net::Step<'_>| {
            opening.step(step);
            match step {
                net::Step::Stage(stage) if first => {
                    shared.report.enter(State::Opening { stage: stage.name() });
                }
                net::Step::Elsewhere { to, with_password: false } => {
                    tracing::warn!("redirected to {to}, without the user and password");
                }
                _ => {}
            }
        };
        let connect =
            Client::connect(&self.now, Purpose::Play, &self.options, shared.clock, &on_step);
        let connected = tokio::select! {
            () = shared.lifetime.stopping.notified() => return End::Stopped,
            connected = opening.within(connect) => connected,
        };
        let mut client = match connected {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => return End::Lost(failure(&error)),
            Err(failure) => return End::Lost(failure),
        };
        if first {
            shared.report.enter(State::Opening { stage: "media" });
        }
        // Seek requests to the previous connection do not apply to this one.
        shared.requests.give_up();
        feed.expect_metadata();
        self.reader.restart();
        let end = self.receive(&mut client, feed).await;
        if matches!(end, End::Stopped | End::Over | End::Elsewhere(_)) {
            client.close(CLOSE_TIMEOUT).await;
        }
        end
    }

    async fn receive(&mut self, client: &mut Client, feed: &mut InputFeed) -> End {
        let shared = Arc::clone(&feed.shared);
        let mut watch = ConnectionWatch::new(shared.clock.now());
        loop {
            let event = tokio::select! {
                // A seek request has priority: no data of the old position is accepted after it.
                biased;
                () = shared.lifetime.stopping.notified() => return End::Stopped,
                () = shared.requests.changed.notified() => {
                    self.send_requests(client, feed, &mut watch);
                    continue;
                }
                event = timeout(CLOCK_CHECK_INTERVAL, client.next_event()) => event,
            };
            if shared.lifetime.stop.is_set() {
                return End::Stopped;
            }
            let now = shared.clock.now();
            if shared.requests.paused() && shared.timeline.duration().is_some() {
                // The server was asked to pause.
                watch.since = now;
            }
            match event {
                Err(_) => {
                    feed.end_file();
                    if let Some(end) = watch.silence(feed, now) {
                        return end;
                    }
                }
                Ok(Err(error)) if watch.ended && feed.has_media() => {
                    tracing::debug!(%error, "the server closed the connection after the end of the stream");
                    return closed_after_end(&shared);
                }
                Ok(Err(error)) if !feed.has_media() && !watch.answered => {
                    // The server accepted and closed the connection before any data: some servers
                    // reject a request like this.
                    let failure = failure(&error);
                    let refused = failure.kind == FailureKind::Lost;
                    let kind = if refused { FailureKind::Refused } else { failure.kind };
                    return End::Lost(Failure { kind, ..failure });
                }
                Ok(Err(error)) => return End::Lost(failure(&error)),
                Ok(Ok(event)) => {
                    if let Some(end) = self.take(event, &mut watch, feed, &shared, now) {
                        return end;
                    }
                }
            }
        }
    }

    /// Sends the user's requests to seek, pause or resume a recorded stream.
    fn send_requests(
        &self,
        client: &mut Client,
        feed: &mut InputFeed,
        watch: &mut ConnectionWatch,
    ) {
        let shared = Arc::clone(&feed.shared);
        if shared.timeline.duration().is_none() {
            return;
        }
        let now = shared.clock.now();
        watch.since = now;
        if let Some(to) = shared.requests.take_wanted() {
            client.session().seek(to);
            leave(feed, watch, now);
        }
        let (paused, at) = (shared.requests.paused(), shared.timeline.place());
        if std::mem::replace(&mut watch.paused, paused) != paused {
            client.session().pause(paused, at);
            shared.reception.lock().jitter.forget();
        }
    }

    /// Seeks to the requested start position once the stream is known to be a recording, and its
    /// length is known. After a loss, seeks to the last position.
    fn note_length(&self, watch: &mut ConnectionWatch, feed: &InputFeed, shared: &Shared) {
        let Some(length) = watch.length.filter(|_| watch.recorded) else { return };
        let known = shared.timeline.duration().is_some();
        shared.timeline.set_duration(length);
        // Servers interpret the start of `play` differently: seek once the stream plays.
        let start = match feed.has_media() {
            true => (known && !watch.media).then(|| shared.pending_position()),
            false => self.start,
        };
        if !std::mem::replace(&mut watch.begun, true)
            && let Some(start) = start
        {
            shared.seek(start);
        }
    }

    fn tag(&mut self, tag: Tag, watch: &mut ConnectionWatch, feed: &mut InputFeed, now: Timestamp) {
        let read = self.reader.read(tag);
        watch.note_tag(&read, &feed.shared, now);
        feed.take_tag(read, now);
    }

    fn take(
        &mut self,
        event: Event,
        watch: &mut ConnectionWatch,
        feed: &mut InputFeed,
        shared: &Shared,
        now: Timestamp,
    ) -> Option<End> {
        match event {
            // Data that was sent before the seek. Its configs remain valid, and are not always
            // repeated: nginx-rtmp sends the contents of the file.
            Event::Video { ref body, .. }
                if watch.is_leaving(now)
                    && TagContent::of(TagKind::Video, body) != TagContent::Config => {}
            Event::Audio { ref body, .. }
                if watch.is_leaving(now)
                    && TagContent::of(TagKind::Audio, body) != TagContent::Config => {}
            Event::StreamEof if watch.is_leaving(now) => {}
            Event::Video { time_ms, body } => {
                self.tag(Tag { kind: TagKind::Video, time_ms, body }, watch, feed, now);
            }
            Event::Audio { time_ms, body } => {
                self.tag(Tag { kind: TagKind::Audio, time_ms, body }, watch, feed, now);
            }
            Event::Metadata { body, value, .. } => {
                // Broadcasters relay the metadata of files unchanged: the stream has an end only if
                // the server reports a recording.
                let duration = value.get_number("duration").filter(|it| (0.5..1e7).contains(it));
                watch.length = duration.map(Duration::from_secs_f64);
                self.note_length(watch, feed, shared);
                feed.take_event(StreamEvent::Metadata(Metadata::Script(body)));
            }
            Event::Data { body, .. } => {
                feed.take_event(StreamEvent::Metadata(Metadata::Script(body)));
            }
            Event::StreamIsRecorded => {
                watch.recorded = true;
                self.note_length(watch, feed, shared);
            }
            Event::Status(status) => {
                tracing::debug!(%status, "message from the server");
                let failed = status.code == code::SEEK_FAILED;
                if failed || status.code == code::SEEK_NOTIFY {
                    let was_last = watch.arrive();
                    // If an intermediate seek fails, the result of the last one is still unknown.
                    if failed && was_last {
                        shared.requests.give_up();
                    }
                }
                let complete = matches!(status.code.as_str(), code::PLAY_COMPLETE);
                if complete && feed.has_media() {
                    return Some(End::Over);
                }
            }
            Event::StreamEof | Event::Unpublished => {
                // A recorded stream also ends when it pauses or seeks.
                if shared.requests.paused() && shared.timeline.duration().is_some() {
                    return None;
                }
                if !watch.ended && watch.media {
                    watch.ended = true;
                    watch.since = now;
                    // Buffered data plays to its end.
                    shared.reception.lock().ended = true;
                    if shared.patient && shared.timeline.duration().is_none() {
                        let cause = waiting();
                        shared.report.enter(State::Reconnecting { cause, retry_in: MEDIA_TIMEOUT });
                    }
                }
                if !self.reconnect && feed.has_media() && shared.timeline.duration().is_none() {
                    return Some(End::Over);
                }
            }
            Event::ReconnectRequest { tc_url, description } => {
                if let Some(next) = self.url.asked_to(&self.now, tc_url.as_deref()) {
                    tracing::info!(%next, description, "the server asks to reconnect");
                    return Some(End::Elsewhere(Box::new(next)));
                }
                let problem = match description.is_empty() {
                    true => problem!("play-asked-to-reconnect"),
                    false => problem!("play-asked-to-reconnect-because", words = description),
                };
                return Some(End::Lost(Failure::new(FailureKind::Lost, problem)));
            }
            _ => {}
        }
        // Chat, metadata and other messages do not hide a stall.
        watch.silence(feed, now)
    }
}

/// Returns how a connection ends that the server closes after the end of the stream: only a
/// broadcaster may return.
fn closed_after_end(shared: &Shared) -> End {
    if shared.timeline.duration().is_some() { End::Over } else { End::Faded }
}

/// Records that a seek was sent, after which the data continues at the new position.
fn leave(feed: &mut InputFeed, watch: &mut ConnectionWatch, now: Timestamp) {
    feed.move_here(now);
    feed.shared.reception.lock().ended = false;
    watch.leave(now);
}

/// Parses a stream URL from the user.
pub(crate) fn parse(text: &str) -> Result<Url, Failure> {
    Url::parse(text).and_then(Url::require_stream).map_err(|error| {
        let reason = error.to_string();
        Failure::new(FailureKind::Usage, problem!("play-bad-url", reason = reason))
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::base::Clock;
    use crate::player::session::config::{Config, Source};
    use crate::wire::amf0::Value;
    use crate::wire::rtmp::status::{Level, Status};

    /// A server's scripted messages.
    struct Talk {
        rtmp: Rtmp,
        shared: Arc<Shared>,
        feed: InputFeed,
        watch: ConnectionWatch,
    }

    impl Talk {
        fn begin(start: Option<Duration>) -> Self {
            let text = "rtmp://127.0.0.1/files/a.flv";
            let clock = Clock::start();
            let (shared, _events) = Shared::new(&Config::new(Source::parse(text)), clock);
            let (shared, url) = (Arc::new(shared), parse(text).unwrap());
            let rtmp = Rtmp::new(url, Options::default(), false, start);
            let feed = InputFeed::new(Arc::clone(&shared), None, true);
            Self { rtmp, feed, watch: ConnectionWatch::new(clock.now()), shared }
        }

        fn take(&mut self, event: Event, ms: i64) {
            let end = self.end(event, ms);
            assert!(end.is_none(), "{end:?}");
        }

        fn end(&mut self, event: Event, ms: i64) -> Option<End> {
            let now = Timestamp::from_millis(ms);
            self.rtmp.take(event, &mut self.watch, &mut self.feed, &self.shared, now)
        }

        fn audio(&mut self, time_ms: u32, body: &'static [u8], ms: i64) {
            self.take(Event::Audio { time_ms, body: Bytes::from_static(body) }, ms);
        }

        fn leave(&mut self, ms: i64) {
            leave(&mut self.feed, &mut self.watch, Timestamp::from_millis(ms));
        }

        fn is_at(&self, ms: u128) -> bool {
            // The position advances by a few milliseconds with the clock.
            self.shared.timeline.place().as_millis().abs_diff(ms) < 100
        }
    }

    const AAC_SEQUENCE_HEADER: &[u8] = b"\xAF\0\x11\x90";
    const AAC_RAW_DATA: &[u8] = b"\xAF\x01abc";

    fn there() -> Event {
        Event::Status(Status::new(Level::Status, code::SEEK_NOTIFY, "Seeking"))
    }

    /// Creates a chat message.
    fn chat_message() -> Event {
        let body = Bytes::from_static(b"\x02\0\x0aonTextData\x02\0\x02hi");
        Event::Data { time_ms: 0, name: "onTextData".into(), body }
    }

    #[test]
    fn chat_hides_no_stall_and_no_missing_stream() {
        // Only metadata or chat arrives from the beginning.
        let mut talk = Talk::begin(None);
        for tick in 0..48 {
            talk.take(chat_message(), tick * 200);
        }
        let end = talk.end(chat_message(), 10_050);
        assert!(
            matches!(&end, Some(End::Lost(it)) if it.kind == FailureKind::NoSuchStream),
            "{end:?}"
        );

        // During playback, with repeated configs.
        let mut talk = Talk::begin(None);
        talk.audio(0, AAC_SEQUENCE_HEADER, 0);
        talk.audio(0, AAC_RAW_DATA, 500);
        for tick in 3..52 {
            talk.take(chat_message(), tick * 200);
            talk.audio(0, AAC_SEQUENCE_HEADER, tick * 200);
        }
        let end = talk.end(chat_message(), 10_600);
        assert!(matches!(&end, Some(End::Lost(it)) if it.kind == FailureKind::Lost), "{end:?}");
    }

    #[test]
    fn packets_before_the_answer_to_a_seek_are_ignored() {
        let mut talk = Talk::begin(None);
        talk.audio(0, AAC_SEQUENCE_HEADER, 0);
        talk.audio(2_000, AAC_RAW_DATA, 10);
        assert!(talk.is_at(2_000));

        talk.leave(20);
        talk.audio(2_023, AAC_RAW_DATA, 21);
        talk.take(Event::StreamEof, 22);
        assert!(!talk.shared.reception.lock().ended);
        talk.take(there(), 23);
        talk.audio(9_000, AAC_RAW_DATA, 24);
        assert!(talk.is_at(9_000), "{:?}", talk.shared.timeline.place());

        // A server that does not confirm seeks is trusted after a while.
        talk.leave(30);
        talk.audio(5_000, AAC_RAW_DATA, 2_100);
        // Nothing has played in the meantime.
        assert!(talk.is_at(5_000 - 2_070), "{:?}", talk.shared.timeline.place());
    }

    #[test]
    fn seek_steps_count_from_the_last_requested_position() {
        let failed = || Event::Status(Status::new(Level::Error, code::SEEK_FAILED, "no"));
        // The server's answers to the first two seeks, and the start of the third step.
        for (first, second, from) in
            [(there(), there(), 90), (failed(), there(), 90), (there(), failed(), 20)]
        {
            let mut talk = Talk::begin(None);
            talk.audio(0, AAC_SEQUENCE_HEADER, 0);
            talk.audio(20_000, AAC_RAW_DATA, 10);
            for (place, ms) in [(50, 20), (90, 30)] {
                talk.shared.seek(Duration::from_secs(place));
                assert_eq!(talk.shared.requests.take_wanted(), Some(Duration::from_secs(place)));
                talk.leave(ms);
            }
            let case = format!("{first:?} {second:?}");
            talk.take(first, 40);
            // Data of the first position, which is no longer wanted.
            talk.audio(50_000, AAC_RAW_DATA, 41);
            assert_eq!(talk.shared.pending_position(), Duration::from_secs(90), "{case}");
            talk.take(second, 50);
            let position = talk.shared.pending_position();
            assert!(
                position.abs_diff(Duration::from_secs(from)) < Duration::from_millis(100),
                "{case} {position:?}"
            );
            if from == 90 {
                talk.audio(90_000, AAC_RAW_DATA, 51);
                assert!(talk.is_at(90_000), "{case} {:?}", talk.shared.timeline.place());
            }
        }
    }

    #[test]
    fn of_the_beginning_that_is_left_at_once_only_how_to_decode_is_taken() {
        let value = Value::object([("duration", 12.0.into())]);
        let metadata = || Event::Metadata { time_ms: 0, body: Bytes::new(), value: value.clone() };
        // The two messages may arrive in either order.
        for recorded_first in [true, false] {
            let mut talk = Talk::begin(Some(Duration::from_secs(10)));
            for recorded in [recorded_first, !recorded_first] {
                assert!(!talk.shared.requests.is_wanted());
                talk.take(if recorded { Event::StreamIsRecorded } else { metadata() }, 0);
            }
            assert_eq!(talk.shared.requests.take_wanted(), Some(Duration::from_secs(10)));
            talk.leave(1);
            talk.take(metadata(), 1);
            assert!(!talk.shared.requests.is_wanted(), "it is said again after each move");
            talk.audio(0, AAC_SEQUENCE_HEADER, 2);
            talk.audio(0, AAC_RAW_DATA, 3);
            talk.audio(23, AAC_RAW_DATA, 4);
            assert!(!talk.feed.has_media(), "the beginning is played");
            talk.take(there(), 5);
            talk.audio(10_000, AAC_RAW_DATA, 6);
            assert!(talk.feed.has_media(), "nobody knows how to decode it");
            assert!(talk.is_at(10_000), "{:?}", talk.shared.timeline.place());
        }
    }

    #[test]
    fn a_broadcast_ends_during_a_pause_and_a_recording_does_not() {
        for recorded in [false, true] {
            let mut talk = Talk::begin(None);
            talk.audio(0, AAC_SEQUENCE_HEADER, 0);
            talk.audio(0, AAC_RAW_DATA, 10);
            if recorded {
                talk.shared.timeline.set_duration(Duration::from_secs(60));
            }
            talk.shared.requests.set_paused(true);
            let end = talk.end(Event::StreamEof, 20);
            let ended = talk.shared.reception.lock().ended;
            assert_eq!(ended, !recorded);
            assert_eq!(matches!(end, Some(End::Over)), !recorded, "{end:?}");
        }
    }

    #[test]
    fn a_recording_goes_on_where_its_connection_was_lost_and_is_not_played_again() {
        let mut talk = Talk::begin(Some(Duration::from_secs(10)));
        assert!(matches!(closed_after_end(&talk.shared), End::Faded));
        let value = Value::object([("duration", 60.0.into())]);
        let metadata = || Event::Metadata { time_ms: 0, body: Bytes::new(), value: value.clone() };
        talk.audio(0, AAC_SEQUENCE_HEADER, 0);
        talk.audio(20_000, AAC_RAW_DATA, 10);
        // Metadata that arrives late on the first connection is no reason to seek.
        talk.take(Event::StreamIsRecorded, 11);
        talk.take(metadata(), 12);
        assert!(!talk.shared.requests.is_wanted());
        assert!(matches!(closed_after_end(&talk.shared), End::Over));

        talk.feed.restart();
        talk.watch = ConnectionWatch::new(Timestamp::from_millis(20));
        talk.take(Event::StreamIsRecorded, 21);
        talk.take(metadata(), 22);
        let wanted = talk.shared.requests.take_wanted().unwrap();
        assert!(wanted.as_millis().abs_diff(20_000) < 100, "{wanted:?}");
        talk.take(metadata(), 23);
        assert!(!talk.shared.requests.is_wanted());
    }
}
