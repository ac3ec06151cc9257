//! One pull over the web: HTTP(S) or a WebSocket, whatever stands at the URL. Runs on the feed
//! thread.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::base::Timestamp;
use crate::net::Step;
use crate::net::web::WebUrl;
use crate::player::connection::{End, TICK, Watch, failure};
use crate::player::feed::Feed;
use crate::player::pull::{Ask, Item, Pace, Problem, Pull};
use crate::player::{Failure, Kind, Severity, State};
use crate::wire::flv::TagKind;

/// How often is looked whether the rest has been played.
const LOOK: Duration = Duration::from_millis(20);

/// Where a stream is and how it is reached.
pub(super) struct Web {
    ask: Ask,
    reconnect: bool,
    /// Somebody wants it from another place than its beginning.
    start: Option<Duration>,
    /// A list that was still being written came to its end, which was played.
    ended: bool,
    /// A recording that broke off in the middle: it goes on there.
    broken: Option<Pull>,
}

impl Web {
    pub(super) fn new(ask: Ask, reconnect: bool, start: Option<Duration>) -> Self {
        Self { ask, reconnect, start, ended: false, broken: None }
    }

    /// Whether what comes next follows from what came before.
    pub(super) fn goes_on(&self) -> bool {
        self.broken.is_some()
    }

    /// It broke off: what may go on there is kept for that.
    fn lose(&mut self, pull: Pull, failure: Failure, feed: &Feed) -> End {
        let recorded = pull.pace() == Pace::Recorded && !pull.is_list();
        if !feed.has_media() || !recorded {
            return End::Lost(failure);
        }
        if !pull.can_go_on() {
            return End::Failed(Failure { kind: Kind::Lost, ..failure });
        }
        self.broken = Some(pull);
        End::Lost(failure)
    }

    /// Looks for the stream, or for the rest of what broke off.
    async fn open(
        &mut self,
        ask: &Ask,
        on_step: &(dyn Fn(Step<'_>) + Send + Sync),
    ) -> Result<Pull, Opening> {
        let Some(mut pull) = self.broken.take() else {
            return Pull::open(ask, on_step).await.map_err(Opening::Problem);
        };
        match pull.go_on(ask, on_step).await {
            Ok(true) => Ok(pull),
            Ok(false) => Err(Opening::NoRest),
            Err(problem) => {
                // The next try may find it.
                self.broken = Some(pull);
                Err(Opening::Problem(problem))
            }
        }
    }

    /// One connection, from the name to its end.
    pub(super) async fn play(&mut self, feed: &mut Feed) -> End {
        let shared = Arc::clone(&feed.shared);
        let first = !feed.has_media();
        let on_step = |step: Step<'_>| match step {
            Step::Stage(stage) if first => shared.enter(State::Opening { stage: stage.name() }),
            Step::Elsewhere { to, .. } => tracing::info!("sent on to {to}"),
            _ => {}
        };
        let (ability, buffer) = (Arc::clone(&shared.ability), Arc::clone(&shared.buffer));
        let ask = Ask { ability, buffer, ..self.ask.clone() };
        let opened = tokio::select! {
            () = shared.stopping.notified() => return End::Stopped,
            opened = self.open(&ask, &on_step) => opened,
        };
        let mut pull = match opened {
            Ok(pull) => pull,
            Err(Opening::Problem(problem)) => return End::Lost(told(problem, feed)),
            Err(Opening::NoRest) => return End::Failed(no_rest()),
        };
        if first {
            shared.enter(State::Opening { stage: "media" });
        }
        let followed = matches!(pull.pace(), Pace::Followed(_));
        if self.ended && pull.duration().is_some() {
            // The same still: it is waited for another beginning.
            return End::Faded;
        }
        if std::mem::take(&mut self.ended) {
            // It goes on where the last one ended, however long ago that was.
            feed.move_here(shared.clock.now());
            shared.reception.lock().resume();
        }
        if let Some(duration) = pull.duration() {
            shared.set_duration(duration);
            // After a loss it goes on where it was.
            if let Some(start) = if first { self.start } else { Some(shared.place()) } {
                pull.seek(start);
            }
        } else if self.start.is_some() && first {
            shared.say(
                "player-no-start",
                Severity::Warning,
                "This is played from its beginning, or as it is broadcast.",
                "--start holds for files, recorded lists of HLS, and recorded streams of RTMP servers.",
                "",
            );
        }
        let mut watch = Watch::new(shared.clock.now());
        // All has come; while the rest is played one may still go back.
        let mut over = false;
        loop {
            if let Some(to) = shared.take_wanted() {
                pull.seek(to);
                feed.move_here(shared.clock.now());
                shared.reception.lock().ended = false;
                over = false;
            }
            if over && shared.video.is_empty() && shared.audio.is_empty() {
                self.ended = followed && shared.patient;
                return if self.ended { End::Faded } else { End::Over };
            }
            let limit = if over { LOOK } else { TICK };
            let item = tokio::select! {
                () = shared.stopping.notified() => return End::Stopped,
                () = shared.wished.notified() => continue,
                item = timeout(limit, next(&mut pull, over)) => item,
            };
            if shared.stop.is_set() {
                return End::Stopped;
            }
            let now = shared.clock.now();
            match item {
                Err(_) => {}
                Ok(Ok(Some(Item::Tag(tag)))) => {
                    if tag.kind != TagKind::Script {
                        watch.heard(tag.kind, &tag.body, &shared, now);
                    }
                    feed.take(tag.kind, tag.time_ms, &tag.body, now);
                    if pull.pace() != Pace::Live {
                        // It may have waited for room, in a pause for as long as that lasts.
                        watch.waited(shared.clock.now().since(now));
                    }
                }
                Ok(Ok(Some(Item::Unplayed(track)))) => feed.leave_out(&track),
                // Who has gone back goes on there, and comes to it when they are live again.
                Ok(Ok(Some(Item::Pace(_)))) if shared.listed.is_behind() => {}
                Ok(Ok(Some(Item::Pace(pace)))) => feed.set_pace(pace),
                Ok(Ok(Some(Item::Restart))) => feed.restart(),
                Ok(Ok(Some(Item::Place(place)))) => feed.set_place(place),
                Ok(Ok(Some(Item::Made(made)))) => feed.set_made(made),
                Ok(Ok(Some(Item::Listed { seen, from, until }))) => {
                    if let Pace::Followed(distance) = pull.pace() {
                        shared.listed.see(at(seen, now), from, until, distance);
                    }
                }
                Ok(Ok(Some(Item::Edge { seen, distance }))) => {
                    feed.set_edge(at(seen, now), distance);
                }
                Ok(Ok(None)) if pull.duration().is_some() => over = true,
                Ok(Ok(None)) if followed && shared.patient => {
                    // The broadcast has ended. What is there is played, then it is waited for another.
                    shared.reception.lock().ended = true;
                    over = true;
                }
                Ok(Ok(None)) if pull.pace() != Pace::Live => return End::Over,
                Ok(Ok(None)) => {
                    // What is buffered is played to its end, while its publisher may come back.
                    shared.reception.lock().ended = true;
                    return if self.reconnect && feed.has_media() { End::Faded } else { End::Over };
                }
                Ok(Err(Problem::Told(told))) if !pull.is_list() && pull.pace() != Pace::Live => {
                    // A damaged file: what could be read is played to its end.
                    if !feed.has_media() {
                        return End::Lost(told);
                    }
                    let summary = format!("The file is damaged: {}.", told.cause);
                    shared.say("player-file-damaged", Severity::Warning, summary, &told.advice, "");
                    return End::Over;
                }
                Ok(Err(problem)) => return self.lose(pull, told(problem, feed), feed),
            }
            // A list's reader has limits of its own.
            if !over
                && !pull.is_list()
                && let Some(end) = watch.silence(feed, now)
            {
                return match end {
                    End::Lost(failure) => self.lose(pull, failure, feed),
                    end => end,
                };
            }
        }
    }
}

/// Why nothing was opened.
enum Opening {
    Problem(Problem),
    /// The server does not give the rest of a recording.
    NoRest,
}

fn no_rest() -> Failure {
    Failure::new(
        Kind::Lost,
        "the recording broke off in the middle, and the server cannot go on from there",
        "Play it again from its beginning.",
    )
}

/// An instant of the network's clock in session time.
fn at(seen: Instant, now: Timestamp) -> Timestamp {
    now.offset(-i64::try_from(seen.elapsed().as_micros()).unwrap_or(0))
}

/// What comes next; after the end nothing.
async fn next(pull: &mut Pull, over: bool) -> Result<Option<Item>, Problem> {
    if over { std::future::pending().await } else { pull.next().await }
}

/// What went wrong, as the player tells it. What answers wrongly where a stream has been played is a
/// loss.
fn told(problem: Problem, feed: &Feed) -> Failure {
    match problem {
        Problem::Net(error) => failure(&error),
        Problem::Told(told) if feed.has_media() => Failure { kind: Kind::Lost, ..told },
        // What the segments of a list hold may have been named already.
        Problem::Told(told) => match feed.missing() {
            Some(missing) if told.kind == Kind::NoSuchStream => missing,
            _ => told,
        },
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
