//! One RTMP connection: connect, ask for the stream, hand over what comes. Runs on the feed thread,
//! which drives the network's futures itself: reading waits while the media is being handled, and
//! nothing is queued in between.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::base::Timestamp;
use crate::net;
use crate::net::rtmp::{Client, Options};
use crate::player::connection::{End, TICK, Watch, failure};
use crate::player::feed::Feed;
use crate::player::shared::Shared;
use crate::player::{Failure, Kind, State};
use crate::wire::flv::TagKind;
use crate::wire::rtmp::Url;
use crate::wire::rtmp::client::{Event, Purpose};
use crate::wire::rtmp::status::code;

/// For the goodbye.
const CLOSE_LIMIT: Duration = Duration::from_millis(500);

/// Where a stream is and how it is reached.
pub(super) struct Rtmp {
    /// As the person gave it.
    pub(super) url: Url,
    /// Where it is asked for: elsewhere than `url` once a server has sent us on.
    pub(super) now: Url,
    pub(super) options: Options,
    pub(super) reconnect: bool,
    /// Where a recorded stream is to begin.
    pub(super) start: Option<Duration>,
}

impl Rtmp {
    /// One connection, from the name to its end.
    pub(super) async fn play(&self, feed: &mut Feed) -> End {
        let shared = Arc::clone(&feed.shared);
        let first = !feed.has_media();
        let on_step = |step: net::Step<'_>| match step {
            net::Step::Stage(stage) if first => {
                shared.enter(State::Opening { stage: stage.name() });
            }
            net::Step::Elsewhere { to, with_password: false } => {
                tracing::warn!("sent on to {to}: user and password were not handed to that host");
            }
            _ => {}
        };
        let connect =
            Client::connect(&self.now, Purpose::Play, &self.options, shared.clock, &on_step);
        let connected = tokio::select! {
            () = shared.stopping.notified() => return End::Stopped,
            connected = connect => connected,
        };
        let mut client = match connected {
            Ok(client) => client,
            Err(error) => return End::Lost(failure(&error)),
        };
        if first {
            shared.enter(State::Opening { stage: "media" });
        }
        let end = self.receive(&mut client, feed).await;
        if matches!(end, End::Stopped | End::Over | End::Elsewhere(_)) {
            client.close(CLOSE_LIMIT).await;
        }
        end
    }

    async fn receive(&self, client: &mut Client, feed: &mut Feed) -> End {
        let shared = Arc::clone(&feed.shared);
        let mut watch = Watch::new(shared.clock.now());
        loop {
            let event = tokio::select! {
                () = shared.stopping.notified() => return End::Stopped,
                () = shared.wished.notified() => {
                    self.wish(client, feed, &mut watch);
                    continue;
                }
                event = timeout(TICK, client.next_event()) => event,
            };
            if shared.stop.is_set() {
                return End::Stopped;
            }
            let now = shared.clock.now();
            match event {
                // The server is asked to be silent.
                Err(_) if shared.paused() && shared.duration().is_some() => watch.since = now,
                Err(_) => {
                    if let Some(end) = watch.silence(feed, now) {
                        return end;
                    }
                }
                Ok(Err(error)) if watch.ended && feed.has_media() => {
                    tracing::debug!(%error, "closed after the end of the stream");
                    return End::Faded;
                }
                Ok(Err(error)) if !feed.has_media() && !watch.media => {
                    // Accepted, then cut off before anything came: how some servers say no.
                    let failure = failure(&error);
                    let refused = failure.kind == Kind::Lost;
                    let kind = if refused { Kind::Refused } else { failure.kind };
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

    /// Passes on to the server what the person wants of a recorded stream.
    fn wish(&self, client: &mut Client, feed: &mut Feed, watch: &mut Watch) {
        let shared = Arc::clone(&feed.shared);
        if shared.duration().is_none() {
            return;
        }
        let now = shared.clock.now();
        watch.since = now;
        if let Some(to) = shared.take_wanted() {
            client.session().seek(to);
            leave(feed, watch, now);
        }
        let (paused, at) = (shared.paused(), shared.place());
        if std::mem::replace(&mut watch.paused, paused) != paused {
            client.session().pause(paused, at);
            shared.reception.lock().jitter.forget();
        }
    }

    fn take(
        &self,
        event: Event,
        watch: &mut Watch,
        feed: &mut Feed,
        shared: &Shared,
        now: Timestamp,
    ) -> Option<End> {
        match event {
            // On its way when the server was asked for another place.
            Event::Video { .. } | Event::Audio { .. } | Event::StreamEof
                if watch.is_leaving(now) => {}
            Event::Video { time_ms, body } => {
                watch.came(shared, now);
                feed.take(TagKind::Video, time_ms, &body, now);
            }
            Event::Audio { time_ms, body } => {
                watch.came(shared, now);
                feed.take(TagKind::Audio, time_ms, &body, now);
            }
            Event::Metadata { time_ms, body, value } => {
                // Broadcasters relay the metadata of files as they are: only where the server says
                // that it is recorded is there an end already.
                let duration = value.get_number("duration").filter(|it| (0.5..1e7).contains(it));
                watch.length = duration.map(Duration::from_secs_f64);
                if let Some(duration) = watch.length.filter(|_| watch.recorded) {
                    shared.set_duration(duration);
                    // Servers do not agree on how `play` counts: it is moved once it is there.
                    if let Some(start) = self.start.filter(|_| !feed.has_media()) {
                        shared.seek(start);
                    }
                }
                feed.take(TagKind::Script, time_ms, &body, now);
            }
            Event::Data { time_ms, body, .. } => feed.take(TagKind::Script, time_ms, &body, now),
            Event::StreamIsRecorded => {
                watch.recorded = true;
                if let Some(length) = watch.length {
                    shared.set_duration(length);
                }
            }
            Event::Status(status) => {
                tracing::debug!(%status, "the server says");
                if matches!(status.code.as_str(), code::SEEK_NOTIFY | code::SEEK_FAILED) {
                    watch.moving = None;
                }
                let complete = matches!(status.code.as_str(), code::PLAY_COMPLETE);
                if complete && feed.has_media() {
                    return Some(End::Over);
                }
            }
            Event::StreamEof | Event::Unpublished => {
                // A recorded stream also ends so where it pauses or is moved.
                if shared.paused() {
                    return None;
                }
                if !watch.ended && watch.media {
                    watch.ended = true;
                    watch.since = now;
                    // What is buffered is played to its end.
                    shared.reception.lock().ended = true;
                }
                if !self.reconnect && feed.has_media() && shared.duration().is_none() {
                    return Some(End::Over);
                }
            }
            Event::ReconnectRequest { tc_url, description } => {
                if let Some(next) = self.url.asked_to(&self.now, tc_url.as_deref()) {
                    tracing::info!(%next, description, "the server asks to connect again");
                    return Some(End::Elsewhere(Box::new(next)));
                }
                let cause = format!("the server asks to connect again {description}");
                return Some(End::Lost(Failure::new(Kind::Lost, cause.trim_end(), "")));
            }
            _ => {}
        }
        None
    }
}

/// The server was asked for another place: what it sends goes on there. Before anything has come,
/// nothing of the old place is waited for.
fn leave(feed: &mut Feed, watch: &mut Watch, now: Timestamp) {
    feed.move_here(now);
    feed.shared.reception.lock().ended = false;
    watch.moving = feed.has_media().then_some(now);
}

/// A stream's URL as a person wrote it.
pub(super) fn parse(text: &str) -> Result<Url, Failure> {
    Url::parse(text).and_then(Url::require_stream).map_err(|error| {
        Failure::new(
            Kind::Usage,
            format!("this is no stream's URL: {error}"),
            "Write rtmp://server/application/stream, or the name of an FLV file.",
        )
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::base::Clock;
    use crate::player::{Config, Source};
    use crate::wire::rtmp::status::{Level, Status};

    #[test]
    fn what_was_on_its_way_when_another_place_was_asked_for_is_not_taken_for_it() {
        let text = "rtmp://127.0.0.1/files/a.flv";
        let config = Config::new(Source::parse(text));
        let clock = Clock::start();
        let (shared, _events) = Shared::new(&config, clock);
        let shared = Arc::new(shared);
        let url = parse(text).unwrap();
        let options = Options::default();
        let rtmp = Rtmp { now: url.clone(), url, options, reconnect: false, start: None };
        let mut feed = Feed::new(Arc::clone(&shared), None, true);
        let mut watch = Watch::new(clock.now());
        let take = |feed: &mut Feed, watch: &mut Watch, event, ms| {
            let now = Timestamp::from_millis(ms);
            assert!(rtmp.take(event, watch, feed, &shared, now).is_none());
        };
        let sound = |time_ms, body: &'static [u8]| {
            let body = Bytes::from_static(body);
            Event::Audio { time_ms, body }
        };
        take(&mut feed, &mut watch, sound(0, b"\xAF\0\x11\x90"), 0);
        take(&mut feed, &mut watch, sound(2_000, b"\xAF\x01abc"), 10);
        // The place goes on a few milliseconds with the clock.
        let at = |ms: u128| shared.place().as_millis().abs_diff(ms) < 100;
        assert!(at(2_000));

        leave(&mut feed, &mut watch, Timestamp::from_millis(20));
        take(&mut feed, &mut watch, sound(2_023, b"\xAF\x01abc"), 21);
        take(&mut feed, &mut watch, Event::StreamEof, 22);
        assert!(!shared.reception.lock().ended);
        let there = Status::new(Level::Status, code::SEEK_NOTIFY, "Seeking");
        take(&mut feed, &mut watch, Event::Status(there), 23);
        take(&mut feed, &mut watch, sound(9_000, b"\xAF\x01abc"), 24);
        assert!(at(9_000), "{:?}", shared.place());

        // A server that says nothing is believed after a while.
        leave(&mut feed, &mut watch, Timestamp::from_millis(30));
        take(&mut feed, &mut watch, sound(5_000, b"\xAF\x01abc"), 2_100);
        // Nobody has played meanwhile.
        assert!(at(5_000 - 2_070), "{:?}", shared.place());
    }
}
