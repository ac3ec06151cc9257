//! One pull over the web: HTTP(S) or a WebSocket, whatever stands at the URL. Runs on the feed
//! thread.

use std::sync::Arc;

use tokio::time::timeout;

use crate::net::Step;
use crate::net::web::WebUrl;
use crate::player::connection::{End, TICK, Watch, failure};
use crate::player::feed::Feed;
use crate::player::pull::{Ask, Item, Pace, Problem, Pull};
use crate::player::{Failure, Kind, Severity, State};

/// Where a stream is and how it is reached.
pub(super) struct Web {
    pub(super) ask: Ask,
    pub(super) reconnect: bool,
    /// Somebody wants it from another place than its beginning.
    pub(super) start: bool,
}

impl Web {
    /// One connection, from the name to its end.
    pub(super) async fn play(&self, feed: &mut Feed) -> End {
        let shared = Arc::clone(&feed.shared);
        let first = !feed.has_media();
        let on_step = |step: Step<'_>| match step {
            Step::Stage(stage) if first => shared.enter(State::Opening { stage: stage.name() }),
            Step::Elsewhere { to, .. } => tracing::info!("sent on to {to}"),
            _ => {}
        };
        let opened = tokio::select! {
            () = shared.stopping.notified() => return End::Stopped,
            opened = Pull::open(&self.ask, &on_step) => opened,
        };
        let mut pull = match opened {
            Ok(pull) => pull,
            Err(problem) => return End::Lost(told(problem, feed)),
        };
        if first {
            shared.enter(State::Opening { stage: "media" });
        }
        if self.start && first {
            shared.say(
                "player-no-start",
                Severity::Warning,
                "This is played from its beginning, or as it is broadcast.",
                "--start holds for files, and for recorded streams of RTMP servers.",
                "",
            );
        }
        let mut watch = Watch::new(shared.clock.now());
        loop {
            let item = tokio::select! {
                () = shared.stopping.notified() => return End::Stopped,
                item = timeout(TICK, pull.next()) => item,
            };
            if shared.stop.is_set() {
                return End::Stopped;
            }
            let now = shared.clock.now();
            match item {
                // A list's reader has limits of its own.
                Err(_) if pull.pace() != Pace::Live => {}
                Err(_) => {
                    if let Some(end) = watch.silence(feed, now) {
                        return end;
                    }
                }
                Ok(Ok(Some(Item::Tag(tag)))) => {
                    if tag.kind != crate::wire::flv::TagKind::Script {
                        watch.came(&shared, now);
                    }
                    feed.take(tag.kind, tag.time_ms, &tag.body, now);
                }
                Ok(Ok(Some(Item::Pace(pace)))) => feed.set_pace(pace),
                Ok(Ok(Some(Item::Restart))) => feed.restart(),
                Ok(Ok(Some(Item::Edge { seen, distance }))) => {
                    let ago = i64::try_from(seen.elapsed().as_micros()).unwrap_or(0);
                    feed.set_edge(now.offset(-ago), distance);
                }
                Ok(Ok(None)) if pull.pace() != Pace::Live => return End::Over,
                Ok(Ok(None)) => {
                    // What is buffered is played to its end, while its publisher may come back.
                    shared.reception.lock().ended = true;
                    return if self.reconnect && feed.has_media() { End::Faded } else { End::Over };
                }
                Ok(Err(problem)) => return End::Lost(told(problem, feed)),
            }
        }
    }
}

/// What went wrong, as the player tells it. What answers wrongly where a stream has been played is a
/// loss.
fn told(problem: Problem, feed: &Feed) -> Failure {
    match problem {
        Problem::Net(error) => failure(&error),
        Problem::Told(told) if feed.has_media() => Failure { kind: Kind::Lost, ..told },
        Problem::Told(told) => told,
    }
}

/// An address as a person wrote it.
pub(super) fn parse(text: &str) -> Result<WebUrl, Failure> {
    WebUrl::parse(text).map_err(|error| {
        Failure::new(
            Kind::Usage,
            format!("this is no stream's URL: {error}"),
            "Write http://server/path/stream.flv, or the name of a file.",
        )
    })
}
