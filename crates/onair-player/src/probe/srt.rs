//! Probes a stream over SRT.

use std::future::poll_fn;
use std::time::Duration;

use tokio::time::timeout;

use crate::base::Clock;
use crate::net::{self, ConnectStage};
use crate::player::input::connection::{failure, silent};
use crate::player::input::open_deadline::OpenDeadline;
use crate::player::input::srt;
use crate::player::probe::{
    POLL_INTERVAL, PROBE_TIMEOUT, Prober, Report, interrupted, while_wanted,
};
use crate::player::state::Failure;
use crate::wire::container::ts;

/// Time limit for closing the connection.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(300);

/// Probes a URL; opening may take at most `limit`.
pub(super) async fn probe(
    text: &str,
    net: &net::Options,
    clock: Clock,
    canceled: &dyn Fn() -> bool,
    limit: Duration,
) -> Result<Report, Failure> {
    let url = srt::parse(text)?;
    let start = clock.now();
    let opening = OpenDeadline::new(url.authority(), limit);
    let on_step = |step: net::Step<'_>| opening.step(step);
    let opened = srt::open(&url, net, clock, (&opening, &on_step));
    let mut socket = while_wanted(opened, canceled).await??;
    let (mut prober, began) = (Prober::new(true, start), clock.now());
    let (mut demuxer, mut events) = (ts::Demuxer::new(), ts::StreamEvents::default());
    loop {
        let next = timeout(POLL_INTERVAL, poll_fn(|cx| socket.poll_next(cx))).await;
        let now = clock.now();
        match next {
            Ok(Ok((payload, _))) => demuxer.push(&payload, &mut |event| {
                events.take(event, &mut |event| prober.take_event(&event, now));
            }),
            Err(_) => {}
            Ok(Err(_)) if prober.bodies > 0 => break,
            Ok(Err(cause)) => {
                let (stage, peer) = (ConnectStage::Media, url.authority());
                return Err(failure(&net::Error { stage, cause, peer }));
            }
        }
        if canceled() {
            return if prober.bodies > 0 { Ok(prober.report()) } else { Err(interrupted()) };
        }
        if prober.is_satisfied(now.since(began)) {
            break;
        }
        if prober.bodies == 0 && now.since(began) >= PROBE_TIMEOUT {
            return Err(silent());
        }
    }
    socket.close(CLOSE_TIMEOUT).await;
    Ok(Report { format: "mpegts", ..prober.report() })
}
