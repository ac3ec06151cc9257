//! One pull over HTTP(S) or a WebSocket, of any format. The pull runs on the feed thread.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::base::Timestamp;
use crate::media::StreamEvent;
use crate::net::Step;
use crate::net::web::WebUrl;
use crate::player::buffer::pace::PlayPace;
use crate::player::input::connection::{CLOCK_CHECK_INTERVAL, ConnectionWatch, End, web_failure};
use crate::player::input::feed::InputFeed;
use crate::player::input::http::range_retry::{RangeRefusal, RangeRetry};
use crate::player::input::http::{Item, Pull, PullError, PullRequest};
use crate::player::input::open_deadline::{self, OpenDeadline};
use crate::player::input::save::Save;
use crate::player::session::report::PlayerReport;
use crate::player::state::anomaly::Anomaly;
use crate::player::state::{Failure, FailureKind, Severity, State};
use crate::text;
use crate::text::problem::problem;
use crate::wire::container::flv::TagKind;

/// How often the reader checks whether the rest was played.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The address and options of a stream.
pub(crate) struct Web {
    ask: PullRequest,
    reconnect: bool,
    /// The start position, if it is not the beginning.
    start: Option<Duration>,
    /// True if a growing playlist has ended, and was played to its end.
    ended: bool,
    /// An interrupted recording, which continues where it stopped.
    broken: Option<Pull>,
    /// Counts the answers that were not the rest of the recording.
    range_retry: RangeRetry,
    /// The time limit of opening.
    limit: Duration,
}

impl Web {
    pub(crate) fn new(ask: PullRequest, reconnect: bool, start: Option<Duration>) -> Self {
        let limit = open_deadline::OPEN_TIMEOUT;
        let (ended, broken, range_retry) = (false, None, RangeRetry::default());
        Self { ask, reconnect, start, ended, broken, range_retry, limit }
    }

    /// Returns true if the next data continues the previous data.
    pub(crate) fn goes_on(&self) -> bool {
        self.broken.is_some()
    }

    /// Handles an interruption, which can be a refusal by the server. Keeps a resumable download
    /// for a retry.
    fn lose(
        &mut self,
        mut pull: Pull,
        failure: Failure,
        refusal: Option<RangeRefusal>,
        feed: &InputFeed,
    ) -> End {
        let recorded = pull.pace() == PlayPace::Recorded && !pull.is_list();
        if !feed.has_media() || !recorded {
            return End::Lost(failure);
        }
        if !pull.can_go_on() {
            return End::Failed(Failure { kind: FailureKind::Lost, ..failure });
        }
        if let Some(failure) = refusal.and_then(|it| self.range_retry.refused(it, &failure)) {
            return End::Failed(failure);
        }
        self.broken = Some(pull);
        End::Lost(failure)
    }

    /// Opens the stream, or the rest of an interrupted one.
    async fn open(
        &mut self,
        ask: &PullRequest,
        on_step: &(dyn Fn(Step<'_>) + Send + Sync),
    ) -> Result<Pull, Closed> {
        let Some(mut pull) = self.broken.take() else {
            let opened = ask.opening.within(Pull::open(ask, on_step)).await;
            return opened.map_err(PullError::Failed).flatten().map_err(Closed::Broken);
        };
        // The next attempt may succeed where this one fails.
        let goes_on = ask.opening.within(pull.go_on(ask, on_step)).await;
        match goes_on.map_err(PullError::Failed).flatten() {
            Ok(true) => Ok(pull),
            Ok(false) if pull.duration().is_some() => {
                Err(Closed::Rest(pull, web_failure(&ask.other_part()), Some(RangeRefusal::Other)))
            }
            // The server never supported ranges.
            Ok(false) => {
                let problem = problem!("play-recording-broken-off");
                Err(Closed::Never(Failure::new(FailureKind::Lost, problem)))
            }
            Err(PullError::Net(error)) => {
                let refusal = RangeRefusal::of(&error);
                Err(Closed::Rest(pull, web_failure(&error), refusal))
            }
            Err(PullError::Failed(failure)) if failure.kind == FailureKind::Lost => {
                Err(Closed::Never(failure))
            }
            Err(PullError::Failed(failure) | PullError::Stalls(failure)) => {
                Err(Closed::Rest(pull, failure, None))
            }
        }
    }

    /// Plays one connection, from the DNS lookup to its end.
    pub(crate) async fn play(&mut self, feed: &mut InputFeed) -> End {
        let shared = Arc::clone(&feed.shared);
        let first = !feed.has_media();
        let resumes = self.broken.is_some();
        let peer = self.ask.url.endpoint().to_string();
        let opening = Arc::new(OpenDeadline::new(peer, self.limit));
        let on_step = |step: Step<'_>| {
            opening.step(step);
            match step {
                Step::Stage(stage) if first => {
                    shared.report.enter(State::Opening { stage: stage.name() });
                }
                Step::Elsewhere { to, with_password: true } => {
                    tracing::info!("redirected to {to}");
                }
                Step::Elsewhere { to, with_password: false } => {
                    tracing::warn!("redirected to {to}, without the user and password");
                }
                _ => {}
            }
        };
        let ask = PullRequest {
            decode_budget: Arc::clone(&shared.decode_budget),
            buffer: Arc::clone(&shared.buffer),
            dvr_window: Arc::clone(&shared.packets.dvr_window),
            opening: Arc::clone(&opening),
            ..self.ask.clone()
        };
        let opened = tokio::select! {
            () = shared.lifetime.stopping.notified() => return End::Stopped,
            opened = self.open(&ask, &on_step) => opened,
        };
        let mut pull = match opened {
            Ok(pull) => pull,
            Err(Closed::Broken(problem)) => return End::Lost(to_failure(problem, feed)),
            Err(Closed::Never(failure)) => return End::Failed(failure),
            Err(Closed::Rest(pull, failure, refusal)) => {
                return self.lose(pull, failure, refusal, feed);
            }
        };
        if first {
            shared.report.enter(State::Opening { stage: "media" });
        }
        shared.requests.plays_on.store(!pull.is_list(), Ordering::Relaxed);
        if pull.is_list() && !shared.requests.paused() {
            // Playback begins live again, also for a viewer who had gone back in the previous list.
            shared.packets.dvr_window.forget();
        }
        if pull.format() == "flv" && !resumes {
            feed.expect_metadata();
        }
        let followed = matches!(pull.pace(), PlayPace::Followed(_));
        if self.ended && pull.duration().is_some() {
            // The ended playlist is unchanged: wait for a new beginning.
            return End::Faded;
        }
        if std::mem::take(&mut self.ended) {
            feed.save.iter_mut().for_each(Save::begin_broadcast);
            // The new broadcast continues where the last one ended, however long ago that was.
            feed.move_here(shared.clock.now());
            shared.reception.lock().resume();
        } else if pull.is_list() && !first {
            feed.save.iter_mut().for_each(Save::reopen);
            feed.replace_origins();
            // The waiting packets arrive again. A paused viewer of a live list keeps them, because
            // the new list plays from a later position.
            if !shared.packets.dvr_window.is_behind() {
                feed.move_here(shared.clock.now());
            }
        }
        if let Some(duration) = pull.duration() {
            shared.timeline.set_duration(duration);
        }
        if pull.may_be_moved() {
            // After a loss, playback continues at the last position.
            let place = if first { self.start } else { Some(shared.pending_position()) };
            if let Some(place) = place.filter(|_| !resumes) {
                pull.seek(place);
            }
        } else {
            shared.requests.give_up();
            if self.start.is_some() && first {
                no_start(&shared.report, "");
            }
        }
        let mut watch = ConnectionWatch::new(shared.clock.now());
        // True once everything was received; the user may still seek back while the rest plays.
        let mut over = false;
        loop {
            if let Some(to) = shared.requests.take_wanted() {
                pull.seek(to);
                watch.wait_anew(shared.clock.now());
                // Formats other than playlists move once the position is found.
                if pull.is_list() {
                    feed.move_here(shared.clock.now());
                    if pull.duration().is_none() {
                        feed.save.iter_mut().for_each(Save::seek);
                    }
                }
                shared.reception.lock().ended = false;
                over = false;
            }
            if over && shared.packets.is_empty() {
                self.ended = followed && shared.patient;
                return if self.ended { End::Faded } else { End::Over };
            }
            let limit = if over { POLL_INTERVAL } else { CLOCK_CHECK_INTERVAL };
            let item = tokio::select! {
                () = shared.lifetime.stopping.notified() => return End::Stopped,
                () = shared.requests.changed.notified() => continue,
                item = timeout(limit, next(&mut pull, over)) => item,
            };
            if shared.lifetime.stop.is_set() {
                return End::Stopped;
            }
            let now = shared.clock.now();
            match item {
                Err(_) => feed.end_file(),
                Ok(Ok(Item::Tag(read))) => {
                    if read.tag.kind != TagKind::Script {
                        watch.note_tag(&read, &shared, now);
                        self.range_retry.came();
                    }
                    feed.take_tag(*read, now);
                    if pull.pace() != PlayPace::Live {
                        // The feed may have waited for room, for example until the end of a pause.
                        watch.waited(shared.clock.now().since(now));
                    }
                }
                Ok(Ok(Item::Event(StreamEvent::End))) if pull.duration().is_some() => over = true,
                Ok(Ok(Item::Event(StreamEvent::End))) if followed && shared.patient => {
                    // The broadcast has ended. The buffered data plays, then the player waits for
                    // another broadcast.
                    shared.reception.lock().ended = true;
                    over = true;
                }
                Ok(Ok(Item::Event(StreamEvent::End))) if pull.pace() != PlayPace::Live => {
                    return End::Over;
                }
                Ok(Ok(Item::Event(StreamEvent::End))) => {
                    // Buffered data plays to its end, while the publisher may return.
                    shared.reception.lock().ended = true;
                    return if self.reconnect && feed.has_media() { End::Faded } else { End::Over };
                }
                Ok(Ok(Item::Event(event))) => {
                    if event.track().is_some() {
                        watch.note_event(&event, &shared, now);
                        self.range_retry.came();
                    }
                    feed.take_event(event);
                    watch.waited(shared.clock.now().since(now));
                }
                Ok(Ok(Item::Seam(at))) => feed.seam(at),
                Ok(Ok(Item::Begin(raw))) => feed.begin(raw, true, now),
                // A viewer who has gone back keeps the pace until the next live playback.
                Ok(Ok(Item::Pace(_))) if shared.packets.dvr_window.is_behind() => {}
                Ok(Ok(Item::Pace(pace))) => feed.set_pace(pace),
                Ok(Ok(Item::Place(place))) => {
                    if pull.is_list() {
                        let is_live = pull.duration().is_none();
                        let saves = feed.save.iter_mut();
                        saves.for_each(|save| save.begin_segment(&shared, place, is_live));
                    }
                    feed.set_place(place);
                }
                Ok(Ok(Item::Sought(place))) => feed.set_sought(place),
                Ok(Ok(Item::Length(length))) => shared.timeline.set_duration(length),
                Ok(Ok(Item::Moved { raw, place, firm })) => {
                    feed.move_to(raw, place, firm, now);
                    watch.wait_anew(now);
                }
                Ok(Ok(Item::Unmoved(why))) => {
                    shared.requests.give_up();
                    if feed.has_media() {
                        shared.report.report_anomaly(&Anomaly::Unmoved(why));
                    } else {
                        no_start(&shared.report, &why.to_string());
                    }
                }
                Ok(Ok(Item::AudioMissing(why))) => {
                    feed.audio_missing = true;
                    shared.report.report_anomaly(&Anomaly::AudioMissing(why));
                }
                Ok(Ok(Item::AudioReturned)) => {
                    feed.resume_audio();
                    shared.report.is_over("player-audio-missing");
                }
                Ok(Ok(Item::Fixed)) if self.start.is_some() && first => {}
                Ok(Ok(Item::Fixed)) => shared.report.report_anomaly(&Anomaly::Fixed),
                Ok(Ok(Item::Made(made))) => feed.made = Some(made),
                Ok(Ok(Item::Listed { seen, range })) => {
                    if let PlayPace::Followed(distance) = pull.pace() {
                        shared.packets.dvr_window.see(at(seen, now), range, distance);
                    }
                }
                Ok(Ok(Item::Edge { seen, distance })) => {
                    feed.edge = Some((at(seen, now), distance));
                }
                Ok(Err(PullError::Failed(failure)))
                    if !pull.is_list() && pull.pace() != PlayPace::Live =>
                {
                    // A damaged file: the readable part plays to its end.
                    if !feed.has_media() {
                        return End::Lost(failure);
                    }
                    // The address now serves something else.
                    if failure.kind == FailureKind::Lost {
                        return End::Failed(failure);
                    }
                    let problem = problem!("player-file-damaged", reason = failure.problem);
                    shared.report.say(problem, Severity::Warning, "");
                    return End::Over;
                }
                Ok(Err(problem)) => {
                    let refusal = problem.refusal();
                    // Only a server with range support sends the rest, and the support may still be
                    // unknown.
                    if feed.has_media() {
                        tokio::select! {
                            () = shared.lifetime.stopping.notified() => return End::Stopped,
                            _ = pull.settle() => {}
                        }
                    }
                    return self.lose(pull, to_failure(problem, feed), refusal, feed);
                }
            }
            if !over
                && !watch.media
                && let Some(failure) = opening.overdue()
            {
                return self.lose(pull, failure, None, feed);
            }
            if pull.is_looking() {
                watch.wait_anew(now);
            }
            // The playlist reader has its own time limits.
            if !over
                && !pull.is_list()
                && let Some(end) = watch.silence(feed, now)
            {
                return match end {
                    End::Lost(failure) => self.lose(pull, failure, None, feed),
                    end => end,
                };
            }
        }
    }
}

/// Reports that the start position is impossible.
fn no_start(report: &PlayerReport, why: &str) {
    report.say(problem!("player-no-start"), Severity::Warning, why);
}

/// The reason why opening failed.
enum Closed {
    Broken(PullError),
    /// Opening the rest of a recording failed: the error, and the server's refusal, if it was one.
    Rest(Pull, Failure, Option<RangeRefusal>),
    /// The rest is no longer available.
    Never(Failure),
}

/// Converts a time of the network clock to session time.
fn at(seen: Instant, now: Timestamp) -> Timestamp {
    now - seen.elapsed()
}

/// Returns the next item; waits forever after the end.
async fn next(pull: &mut Pull, over: bool) -> Result<Item, PullError> {
    if over { std::future::pending().await } else { pull.next().await }
}

/// Converts the error to a failure of the player. A wrong answer after playback has begun counts as
/// a loss.
fn to_failure(problem: PullError, feed: &InputFeed) -> Failure {
    match problem {
        PullError::Net(error) => web_failure(&error),
        PullError::Failed(failure) | PullError::Stalls(failure) if feed.has_media() => {
            Failure { kind: FailureKind::Lost, ..failure }
        }
        // The segments may already have shown unsupported contents.
        PullError::Failed(failure) | PullError::Stalls(failure) => match feed.missing() {
            Some(missing) if failure.kind == FailureKind::NoSuchStream => missing,
            _ => failure,
        },
    }
}

/// Parses an address from the user.
pub(crate) fn parse(text: &str) -> Result<WebUrl, Failure> {
    WebUrl::parse(text).map_err(|error| {
        let reason = text::Problem::from(&error);
        Failure::new(FailureKind::Usage, problem!("play-bad-web-url", reason = reason))
    })
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::base::Clock;
    use crate::player::buffer::dvr_window::WindowRange;
    use crate::player::buffer::pace::LiveDistance;
    use crate::player::session::config::{Config, Source};
    use crate::player::session::shared::Shared;

    /// A total limit much below the limit of any step.
    const SHORT_TOTAL_TIMEOUT: Duration = Duration::from_secs(1);

    /// A server's reaction to a request.
    #[derive(Copy, Clone)]
    enum Does {
        SendsOn(&'static str),
        Says(&'static str),
        /// Sends one byte of a body at a time, with pauses.
        Trickles(u8),
        /// Accepts the request, but does not answer.
        Nothing,
    }

    /// The server's reaction to each path.
    type Habit = fn(&str) -> Does;

    async fn answer(mut socket: TcpStream, does: Habit) -> std::io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let path = head.split(' ').nth(1).unwrap_or_default();
        match does(path) {
            Does::SendsOn(to) => {
                let head = format!(
                    "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\
                     Connection: close\r\n\r\n"
                );
                socket.write_all(head.as_bytes()).await
            }
            Does::Says(text) => {
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
                    text.len()
                );
                socket.write_all(head.as_bytes()).await
            }
            Does::Trickles(byte) => {
                socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                loop {
                    socket.write_all(&[byte]).await?;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
            Does::Nothing => socket.read_u8().await.map(|_| ()),
        }
    }

    async fn serve(does: Habit) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                // The client closes the connection.
                tokio::spawn(async move { drop(answer(socket, does).await) });
            }
        });
        port
    }

    /// Opens a stream on a server with this reaction, and returns the server's address and the
    /// result.
    async fn open(does: Habit) -> (String, End) {
        open_again(does, |_| {}).await
    }

    /// Works like [`open`], but after a previous connection left the player in some state.
    async fn open_again(does: Habit, previous: impl FnOnce(&Arc<Shared>)) -> (String, End) {
        let peer = format!("127.0.0.1:{}", serve(does).await);
        let text = format!("http://{peer}/live");
        let (shared, _events) = Shared::new(&Config::new(Source::parse(&text)), Clock::start());
        let shared = Arc::new(shared);
        previous(&shared);
        let mut feed = InputFeed::new(shared, None, true);
        let ask = PullRequest::usual(parse(&text).unwrap());
        let mut web = Web { limit: SHORT_TOTAL_TIMEOUT, ..Web::new(ask, true, None) };
        (peer, web.play(&mut feed).await)
    }

    const TS_PLAYLIST: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n";
    const MP4_PLAYLIST: &str =
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:URI=\"map\"\n#EXTINF:1,\na.mp4\n";

    #[tokio::test]
    async fn opening_has_a_time_limit_and_names_the_stage() {
        let cases: [(Habit, &str); 5] = [
            (|path| if path == "/live" { Does::SendsOn("/b") } else { Does::Nothing }, "response"),
            (|_| Does::Trickles(0x47), "response"),
            (
                |path| match path {
                    "/live" => Does::Says("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n"),
                    _ => Does::Trickles(b'#'),
                },
                "playlist",
            ),
            (
                |path| if path == "/live" { Does::Says(TS_PLAYLIST) } else { Does::Nothing },
                "segment",
            ),
            (
                |path| if path == "/live" { Does::Says(MP4_PLAYLIST) } else { Does::Trickles(0) },
                "stream header",
            ),
        ];
        for (does, owes) in cases {
            let (peer, end) = open(does).await;
            let End::Lost(failure) = end else { panic!("{owes}: {end:?}") };
            let message = format!("no {owes} within 1 s ({peer})");
            assert_eq!((failure.kind, failure.to_string()), (FailureKind::Unreachable, message));
            let cure = text::Language::English.cure(&failure.problem).unwrap();
            assert!(cure.contains("too slow"), "{cure}");
        }
    }

    #[tokio::test]
    async fn one_who_had_gone_back_in_a_list_is_live_in_the_next_one_unless_paused() {
        for paused in [false, true] {
            let mut kept = None;
            let does: Habit =
                |path| if path == "/live" { Does::Says(TS_PLAYLIST) } else { Does::Nothing };
            let (_, end) = open_again(does, |shared| {
                let dvr_window = &shared.packets.dvr_window;
                let hold_back = Duration::from_secs(3);
                let distance = LiveDistance { hold_back, least: hold_back, at_once: false };
                let (from, until) = (Duration::ZERO, Duration::from_secs(100));
                let range = WindowRange { from, until, grows: true, slides: true };
                dvr_window.see(Timestamp::ZERO, range, distance);
                assert!(
                    dvr_window.seek_behind_live(Duration::from_secs(20), Timestamp::ZERO).is_some()
                );
                assert!(dvr_window.is_behind());
                shared.requests.set_paused(paused);
                kept = Some(Arc::clone(shared));
            })
            .await;
            assert!(matches!(end, End::Lost(_)), "{end:?}");
            assert_eq!(kept.unwrap().packets.dvr_window.is_behind(), paused);
        }
    }
}
