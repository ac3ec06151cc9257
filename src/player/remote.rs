//! An RTMP stream as a source: connect, hand over what comes, tell what went wrong, and come back.
//! Runs on the feed thread, which drives the network's futures itself: reading waits while the
//! media is being handled, and nothing is queued in between.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::base::Timestamp;
use crate::net::rtmp::{Client, Options};
use crate::net::{self, Class, Runtime};
use crate::player::feed::Feed;
use crate::player::shared::Shared;
use crate::player::{Config, Failure, Kind, State};
use crate::wire::flv::TagKind;
use crate::wire::rtmp::Url;
use crate::wire::rtmp::client::{Event, Purpose};
use crate::wire::rtmp::status::code;

/// Without media for this long there is no such stream, or it is lost.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pauses before the tries to come back; the last one again and again.
const BACK_OFF: [u64; 6] = [500, 1_000, 2_000, 3_000, 5_000, 10_000];
/// For the goodbye.
const CLOSE_LIMIT: Duration = Duration::from_millis(500);
/// How often the clock is looked at while nothing comes.
const TICK: Duration = Duration::from_millis(250);

/// See the module.
pub(super) struct Remote {
    url: Url,
    options: Options,
    reconnect: bool,
    runtime: Runtime,
}

/// How a connection ended.
enum End {
    /// We were asked to stop.
    Stopped,
    /// The server says that the stream is over, and it was played.
    Over,
    /// The same, but its broadcaster may come back: the server hung up right after.
    Faded,
    Lost(Failure),
}

impl Remote {
    /// For a URL as a person gave it.
    pub(super) fn new(url: &str, config: &Config, runtime: Runtime) -> Result<Self, Failure> {
        let url = parse(url)?;
        let mut options = Options { buffer: config.buffer, ..Options::default() };
        options.net = config.net.clone();
        Ok(Self { url, options, reconnect: config.reconnect, runtime })
    }

    /// Plays until stopped, until the stream is over, or until it is lost for good.
    pub(super) fn run(self, mut feed: Feed) {
        let runtime = self.runtime.clone();
        runtime.block_on(self.watch(&mut feed));
        feed.finish();
    }

    async fn watch(&self, feed: &mut Feed) {
        let shared = Arc::clone(&feed.shared);
        let (mut tries, mut faded) = (0, None);
        loop {
            let before = feed.bodies();
            let end = self.play(feed).await;
            if feed.bodies() > before {
                (tries, faded) = (0, None);
            }
            let now = shared.clock.now();
            let failure = match end {
                End::Stopped | End::Over => return,
                End::Faded if !self.reconnect => return,
                End::Faded => {
                    faded.get_or_insert(now);
                    Failure::new(Kind::Lost, "the stream has ended", "")
                }
                End::Lost(failure) if !feed.has_media() => return shared.fail(failure),
                End::Lost(failure) if !self.reconnect => {
                    return shared.fail(Failure { kind: Kind::Lost, ..failure });
                }
                End::Lost(failure) => failure,
            };
            if faded.is_some_and(|since| now.since(since) > PATIENCE) {
                return;
            }
            let pause = BACK_OFF.get(tries).or(BACK_OFF.last()).copied().unwrap_or(1_000);
            let retry_in = Duration::from_millis(pause);
            tries += 1;
            shared.figures.lock().reconnects += 1;
            shared.enter(State::Reconnecting { cause: failure.cause, retry_in });
            let waited = timeout(retry_in, shared.stopping.notified()).await;
            if waited.is_ok() || shared.stop.is_set() {
                return;
            }
            feed.restart();
        }
    }

    /// One connection, from the name to its end.
    async fn play(&self, feed: &mut Feed) -> End {
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
            Client::connect(&self.url, Purpose::Play, &self.options, shared.clock, &on_step);
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
        if matches!(end, End::Stopped | End::Over) {
            client.close(CLOSE_LIMIT).await;
        }
        end
    }

    async fn receive(&self, client: &mut Client, feed: &mut Feed) -> End {
        let shared = Arc::clone(&feed.shared);
        let mut watch = Watch { since: shared.clock.now(), media: false, ended: false };
        loop {
            let event = tokio::select! {
                () = shared.stopping.notified() => return End::Stopped,
                event = timeout(TICK, client.next_event()) => event,
            };
            if shared.stop.is_set() {
                return End::Stopped;
            }
            let now = shared.clock.now();
            match event {
                Err(_) => {
                    if let Some(end) = self.silence(&watch, feed, now) {
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

    fn take(
        &self,
        event: Event,
        watch: &mut Watch,
        feed: &mut Feed,
        shared: &Shared,
        now: Timestamp,
    ) -> Option<End> {
        match event {
            Event::Video { time_ms, body } => {
                watch.came(shared, now);
                feed.take(TagKind::Video, time_ms, &body, now);
            }
            Event::Audio { time_ms, body } => {
                watch.came(shared, now);
                feed.take(TagKind::Audio, time_ms, &body, now);
            }
            Event::Metadata { time_ms, body, .. } => {
                feed.take(TagKind::Script, time_ms, &body, now);
            }
            Event::Status(status) => {
                tracing::debug!(%status, "the server says");
                let complete = matches!(status.code.as_str(), code::PLAY_COMPLETE);
                if complete && feed.has_media() {
                    return Some(End::Over);
                }
            }
            Event::StreamEof | Event::Unpublished => {
                if !watch.ended && watch.media {
                    watch.ended = true;
                    watch.since = now;
                    // What is buffered is played to its end.
                    shared.reception.lock().ended = true;
                }
                if !self.reconnect && feed.has_media() {
                    return Some(End::Over);
                }
            }
            Event::ReconnectRequest { description, .. } => {
                let cause = format!("the server asks to connect again {description}");
                return Some(End::Lost(Failure::new(Kind::Lost, cause.trim_end(), "")));
            }
            _ => {}
        }
        None
    }

    /// Nothing comes: how long is that to be borne?
    fn silence(&self, watch: &Watch, feed: &Feed, now: Timestamp) -> Option<End> {
        if now.since(watch.since) < PATIENCE {
            return None;
        }
        let seconds = PATIENCE.as_secs();
        Some(match (watch.ended, feed.has_media()) {
            (true, true) => End::Over,
            (false, true) => End::Lost(Failure::new(
                Kind::Lost,
                format!("nothing has come for {seconds} s"),
                "Check the network connection, and that the broadcast goes on.",
            )),
            (_, false) => End::Lost(silent()),
        })
    }
}

/// What came in this connection.
struct Watch {
    /// The last media, the end of the stream, or the connection's start.
    since: Timestamp,
    media: bool,
    /// The server said that the stream has ended.
    ended: bool,
}

impl Watch {
    fn came(&mut self, shared: &Shared, now: Timestamp) {
        self.since = now;
        if !std::mem::replace(&mut self.media, true) {
            shared.regained();
        }
        if std::mem::replace(&mut self.ended, false) {
            shared.reception.lock().resume();
        }
    }
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

/// The server said yes, and then nothing.
pub(super) fn silent() -> Failure {
    let seconds = PATIENCE.as_secs();
    Failure::new(
        Kind::NoSuchStream,
        format!("no picture and no sound has come for {seconds} s: there may be no such stream"),
        "Check the stream's name, and that its broadcast has begun.",
    )
}

/// What went wrong in the network, as the player tells it.
pub(super) fn failure(error: &net::Error) -> Failure {
    let kind = match error.class() {
        Class::Settings => Kind::File,
        Class::Unreachable => Kind::Unreachable,
        Class::Refused => Kind::Refused,
        Class::Lost => Kind::Lost,
        Class::NoSuchStream => Kind::NoSuchStream,
    };
    Failure::new(kind, error.to_string(), error.advice())
}
