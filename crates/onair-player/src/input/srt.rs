//! One connection by SRT: connects, or waits for a caller, and passes on the transport stream. This
//! module runs on the feed thread, which drives the network futures: nothing is read while data is
//! processed, so no queue is needed.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::base::Secret;
use crate::net::srt::handshake::Request;
use crate::net::srt::{self, SrtSocket, SrtUrl, UrlError};
use crate::net::{self, Cause, ConnectStage};
use crate::player::input::connection::{CLOCK_CHECK_INTERVAL, ConnectionWatch, End, failure};
use crate::player::input::feed::InputFeed;
use crate::player::input::open_deadline::{OPEN_TIMEOUT, OpenDeadline};
use crate::player::state::{Failure, FailureKind, State};
use crate::text::problem::problem;
use crate::wire::container::ts::{Demuxer, StreamEvents};

/// Time limit of a handshake. A listener waits for its caller within this time.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit for closing a connection.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(300);

/// The address and options of a stream.
pub(crate) struct Srt {
    url: SrtUrl,
    net: net::Options,
}

/// Parses an address.
pub(crate) fn parse(text: &str) -> Result<SrtUrl, Failure> {
    SrtUrl::parse(text, None::<&Secret>).map_err(|error| {
        let (UrlError::Passphrase(why) | UrlError::Address(why)) = error;
        Failure::new(FailureKind::Usage, problem!("play-bad-url", reason = why.to_string()))
    })
}

/// Connects within `opening`.
pub(crate) async fn open(
    url: &SrtUrl,
    net: &net::Options,
    clock: crate::base::Clock,
    (opening, on_step): (&OpenDeadline, &(dyn Fn(net::Step<'_>) + Send + Sync)),
) -> Result<SrtSocket, Failure> {
    let request = Request { net, limit: HANDSHAKE_TIMEOUT, bitrate: None, clock, on_step };
    let opened = opening.within(srt::connect(url, &request)).await?;
    opened.map_err(|error| failure(&error))
}

impl Srt {
    pub(crate) fn new(url: SrtUrl, net: net::Options) -> Self {
        Self { url, net }
    }

    /// Plays one connection, from the DNS lookup to its end.
    pub(crate) async fn play(&self, feed: &mut InputFeed) -> End {
        let shared = Arc::clone(&feed.shared);
        let first = !feed.has_media();
        let opening = OpenDeadline::new(self.url.authority(), OPEN_TIMEOUT);
        let on_step = |step: net::Step<'_>| {
            opening.step(step);
            if let (net::Step::Stage(stage), true) = (step, first) {
                shared.report.enter(State::Opening { stage: stage.name() });
            }
        };
        let connect = open(&self.url, &self.net, shared.clock, (&opening, &on_step));
        let connected = tokio::select! {
            () = shared.lifetime.stopping.notified() => return End::Stopped,
            connected = connect => connected,
        };
        let mut socket = match connected {
            Ok(socket) => socket,
            Err(failure) => return End::Lost(failure),
        };
        if first {
            shared.report.enter(State::Opening { stage: ConnectStage::Media.name() });
        }
        // Seek requests to the previous connection do not apply to this one.
        shared.requests.give_up();
        let end = self.receive(&mut socket, feed).await;
        socket.close(CLOSE_TIMEOUT).await;
        end
    }

    async fn receive(&self, socket: &mut SrtSocket, feed: &mut InputFeed) -> End {
        let shared = Arc::clone(&feed.shared);
        let mut watch = ConnectionWatch::new(shared.clock.now());
        let (mut demuxer, mut events) = (Demuxer::new(), StreamEvents::default());
        loop {
            let next = tokio::select! {
                biased;
                () = shared.lifetime.stopping.notified() => return End::Stopped,
                () = shared.requests.changed.notified() => {
                    shared.requests.give_up();
                    continue;
                }
                next = timeout(CLOCK_CHECK_INTERVAL, poll_fn(|cx| socket.poll_next(cx))) => next,
            };
            if shared.lifetime.stop.is_set() {
                return End::Stopped;
            }
            let now = shared.clock.now();
            match next {
                Err(_) => {
                    feed.end_file();
                    if let Some(end) = watch.silence(feed, now) {
                        return end;
                    }
                }
                Ok(Ok((payload, _))) => {
                    let mut found = Vec::new();
                    demuxer.push(&payload, &mut |event| {
                        events.take(event, &mut |event| found.push(event));
                    });
                    for event in found {
                        watch.note_event(&event, &shared, now);
                        feed.take_event(event);
                    }
                }
                // The other side has ended the stream.
                Ok(Err(Cause::Closed)) if feed.has_media() => return End::Faded,
                Ok(Err(cause)) => {
                    let (stage, peer) = (ConnectStage::Media, self.url.authority());
                    return End::Lost(failure(&net::Error { stage, cause, peer }));
                }
            }
        }
    }
}
