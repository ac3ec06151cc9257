//! A live stream as a source. The input connects, passes on data, reports errors, and reconnects.
//! The input runs on the feed thread.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::base::{Backoff, Timestamp};
use crate::net::Runtime;
use crate::net::rtmp::Options;
use crate::net::srt::SrtUrl;
use crate::net::web::WebUrl;
use crate::player::demux::can_play_video;
use crate::player::input::connection::{CLOCK_CHECK_INTERVAL, End, MEDIA_TIMEOUT, waiting};
use crate::player::input::feed::InputFeed;
use crate::player::input::http::PullRequest;
use crate::player::input::rtmp::Rtmp;
use crate::player::input::srt::Srt;
use crate::player::input::web::Web;
use crate::player::input::{rtmp, srt, web};
use crate::player::session::config::Config;
use crate::player::state::{Failure, FailureKind, State};
use crate::text::problem::problem;
use crate::wire::rtmp::Url;

/// Maximum number of consecutive redirects.
const MAX_REDIRECTS: u32 = 3;
/// A connection that lasts this long resets the redirect count, and counts as a success.
const STEADY_CONNECTION_TIME: Duration = Duration::from_secs(10);

/// The retries after a loss of the connection.
struct Reconnects {
    backoff: Backoff,
    /// Time of the loss; `None` while connected.
    since: Option<Timestamp>,
}

impl Reconnects {
    fn new(seed: u64) -> Self {
        Self { backoff: Backoff::new(seed), since: None }
    }

    /// Records the end of a connection; `came` means that it delivered data. A server that sends
    /// little and closes repeatedly does not count as recovered.
    fn lasted(&mut self, time: Duration, came: bool) {
        if came && time >= STEADY_CONNECTION_TIME {
            self.backoff.reset();
            self.since = None;
        }
    }

    /// Returns the pause before the next attempt.
    fn pause(&mut self, now: Timestamp) -> Duration {
        let since = *self.since.get_or_insert(now);
        self.backoff.next_wait(now.since(since))
    }
}

/// See the module documentation.
pub(crate) struct LiveInput {
    way: LiveProtocol,
    reconnect: bool,
    runtime: Runtime,
}

/// The protocol of the connection.
enum LiveProtocol {
    Rtmp(Box<Rtmp>),
    Web(Box<Web>),
    Srt(Box<Srt>),
}

impl LiveInput {
    /// Creates an input for a URL from the user.
    pub(crate) fn new(url: &str, config: &Config, runtime: Runtime) -> Result<Self, Failure> {
        if WebUrl::is_one(url) {
            let reconnect = config.reconnect;
            let url = web::parse(url)?;
            // The values come from the player or from the connection, see [`Web::play`].
            let (buffer, decode_budget, opening) = (Arc::default(), Arc::default(), Arc::default());
            let (dvr_window, net) = (Arc::default(), config.net.clone());
            let decodable = can_play_video as _;
            let ask =
                PullRequest { url, net, buffer, dvr_window, decode_budget, opening, decodable };
            let way = LiveProtocol::Web(Box::new(Web::new(ask, reconnect, config.start)));
            return Ok(Self { way, reconnect, runtime });
        }
        if SrtUrl::is_one(url) {
            let way = Srt::new(srt::parse(url)?, config.net.clone());
            let reconnect = config.reconnect;
            return Ok(Self { way: LiveProtocol::Srt(Box::new(way)), reconnect, runtime });
        }
        Ok(Self::at(rtmp::parse(url)?, config, runtime))
    }

    /// Creates an input for a parsed RTMP URL.
    pub(crate) fn at(url: Url, config: &Config, runtime: Runtime) -> Self {
        let mut options = Options { buffer: config.buffer, ..Options::default() };
        options.net = config.net.clone();
        let reconnect = config.reconnect;
        let way = LiveProtocol::Rtmp(Box::new(Rtmp::new(url, options, reconnect, config.start)));
        Self { way, reconnect, runtime }
    }

    /// Plays until the player stops, the stream ends, or the connection is permanently lost.
    pub(crate) fn run(mut self, mut feed: InputFeed) {
        let runtime = self.runtime.clone();
        runtime.block_on(self.watch(&mut feed));
        feed.finish();
    }

    async fn watch(&mut self, feed: &mut InputFeed) {
        let shared = Arc::clone(&feed.shared);
        // The seed differs between players and between computers.
        let address = Arc::as_ptr(&shared).addr() as u64;
        let seed = address ^ shared.clock.wall_micros(shared.clock.now()).cast_unsigned();
        let (mut tries, mut faded, mut elsewhere) = (Reconnects::new(seed), None, 0);
        loop {
            let (before, since) = (feed.bodies(), shared.clock.now());
            let end = match &mut self.way {
                LiveProtocol::Rtmp(rtmp) => rtmp.play(feed).await,
                LiveProtocol::Web(web) => web.play(feed).await,
                LiveProtocol::Srt(srt) => srt.play(feed).await,
            };
            let now = shared.clock.now();
            let came = feed.bodies() > before;
            if came {
                faded = None;
            }
            tries.lasted(now.since(since), came);
            let failure = match end {
                End::Stopped | End::Over => return,
                End::Failed(failure) => return shared.fail(failure),
                End::Elsewhere(next) => {
                    elsewhere =
                        if now.since(since) >= STEADY_CONNECTION_TIME { 1 } else { elsewhere + 1 };
                    match &mut self.way {
                        LiveProtocol::Rtmp(rtmp) if elsewhere <= MAX_REDIRECTS => {
                            rtmp.now = *next;
                            shared.report.figures.lock().reconnects += 1;
                            feed.restart();
                            continue;
                        }
                        _ => {
                            let failure =
                                Failure::new(FailureKind::Lost, problem!("net-sent-too-often"));
                            if !self.reconnect || !feed.has_media() {
                                return shared.fail(failure);
                            }
                            failure
                        }
                    }
                }
                End::Faded if !self.reconnect => return,
                End::Faded => {
                    faded.get_or_insert(now);
                    Failure::new(FailureKind::Lost, problem!("play-ended"))
                }
                End::Lost(failure) if !feed.has_media() => return shared.fail(failure),
                End::Lost(failure) if !self.reconnect => {
                    return shared.fail(Failure { kind: FailureKind::Lost, ..failure });
                }
                End::Lost(failure) => failure,
            };
            elsewhere = 0;
            if let LiveProtocol::Rtmp(rtmp) = &mut self.way {
                // The redirection failed: the next attempt uses the original address.
                rtmp.now.clone_from(&rtmp.url);
            }
            if !shared.patient && faded.is_some_and(|since| now.since(since) > MEDIA_TIMEOUT) {
                return;
            }
            let retry_in = tries.pause(now);
            {
                let mut figures = shared.report.figures.lock();
                figures.reconnects += 1;
                // One loss counts once, however many attempts it takes.
                figures.losses += u32::from(came);
            }
            let waits = shared.patient && faded.is_some();
            let cause = if waits { waiting() } else { failure.problem };
            shared.report.enter(State::Reconnecting { cause, retry_in });
            let mut left = retry_in;
            while !left.is_zero() {
                let step = left.min(CLOCK_CHECK_INTERVAL);
                let waited = timeout(step, shared.lifetime.stopping.notified()).await;
                if waited.is_ok() || shared.lifetime.stop.is_set() {
                    return;
                }
                feed.end_file();
                left -= step;
            }
            if !matches!(&self.way, LiveProtocol::Web(web) if web.goes_on()) {
                feed.restart();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gives_a_little_and_hangs_up_is_asked_less_and_less_often() {
        let mut now = Timestamp::ZERO;
        let mut tries = Reconnects::new(1);
        let mut after = |seconds, came| {
            now += Duration::from_secs(seconds);
            tries.lasted(Duration::from_secs(seconds), came);
            let pause = tries.pause(now);
            now += pause;
            pause.as_millis()
        };
        let mut pauses = (0..60).map(|_| after(1, true));
        for most in [500, 1_000, 2_000, 2_000] {
            let pause = pauses.next().unwrap();
            assert!((most * 3 / 4..=most).contains(&pause), "{pause} of {most}");
        }
        assert!(pauses.last().unwrap() > 10_000);
        // Ten seconds of silence are not a broadcast.
        assert!(after(10, false) > 10_000);
        assert!(after(10, true) <= 500);
        assert!((750..=1_000).contains(&after(1, true)));
        assert!(after(3_600, true) <= 500);
    }

    #[test]
    fn players_that_lost_the_same_server_do_not_reconnect_in_step() {
        let pauses = [1, 2].map(|seed| Reconnects::new(seed).pause(Timestamp::ZERO));
        assert_ne!(pauses[0], pauses[1]);
    }
}
