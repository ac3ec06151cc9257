//! A publisher: passes its frames to the stream.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use crate::base::Timestamp;
use crate::net::Cause;
use crate::net::srt::engine::SrtFigures;
use crate::server::access::admission::Purpose;
use crate::server::event::{LinkFigures, Protocol};
use crate::server::outputs::{hls, recordings};
use crate::server::registry::Registry;
use crate::server::relay::pulls;
use crate::server::relay::pushes::push_on;
use crate::server::service::srt::accepted::{Accepted, right};
use crate::server::service::srt::ingest::Ingest;
use crate::server::stream::relayed::RelaySource;
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::rtmp::stream_name::StreamName;

/// Interval at which the link is reported.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// Time limit for closing the connection.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(200);

/// Runs a publisher to its end.
pub(super) async fn run(registry: &Arc<Registry>, accepted: Accepted) {
    let Accepted { id, peer, name, mut grant, mut socket, slot, entry } = accepted;
    let right = right(registry, &grant);
    // A publisher that returns may have another token.
    let query = if grant.signer.is_some() { String::new() } else { name.query.clone() };
    let name = StreamName { query, ..name };
    let of_protocol = (peer, Protocol::Srt);
    let publication = match registry.publish_by(id, of_protocol, &name, right) {
        Ok(publication) => publication,
        Err(refused) => {
            registry.refuse_publisher(of_protocol, &name, refused);
            socket.close(CLOSE_TIMEOUT).await;
            return;
        }
    };
    registry.admission.settle(slot.spot(), Purpose::Publish);
    // The recording must start before the first data is handled.
    let recorded = grant.recorded.take().map(|recorded| *recorded);
    recordings::begin(registry, &publication.stream, recorded);
    hls::begin(registry, &publication.stream);
    publication.stream.set_source(id, RelaySource::default());
    push_on(registry, &publication.stream);
    let reason = {
        let mut feed =
            MediaFeed { registry, id, stream: &publication.stream, ingest: Ingest::default() };
        let (stopped, evicted) = (registry.stopped(), slot.evicted());
        let dismissed = publication.dismissal.stop_reason();
        tokio::pin!(stopped, evicted, dismissed);
        let mut flush_at = None;
        let mut last_media = registry.clock.now();
        let (mut report_at, mut before) = (last_media + REPORT_INTERVAL, SrtFigures::default());
        loop {
            let until = flush_at.unwrap_or(report_at).min(report_at);
            let until = Instant::from_std(registry.clock.instant(until));
            tokio::select! {
                biased;
                () = &mut stopped => break problem!("left-server-stopped"),
                () = &mut evicted => break problem!("left-evicted"),
                reason = &mut dismissed => break reason,
                payload = poll_fn(|cx| socket.poll_next(cx)) => match payload {
                    Ok((payload, _)) => {
                        if let Some(flush) = feed.take(&payload) {
                            last_media = registry.clock.now();
                            flush_at = flush;
                        }
                    }
                    Err(cause) => break end_of(&cause),
                },
                () = tokio::time::sleep_until(until) => {}
            }
            let now = registry.clock.now();
            if flush_at.is_some_and(|at| now >= at) {
                flush_at = None;
                publication.stream.flush();
            }
            publication.stream.send_rest(&registry.admission, now).await;
            if now >= report_at {
                report_at = now + REPORT_INTERVAL;
                let figures = socket.figures();
                publication.stream.note_link(id, link(&before, &figures));
                before = figures;
                if now.since(last_media) >= registry.config.limits.silent_publisher {
                    break problem!("left-silent");
                }
            }
        }
    };
    drop(entry);
    socket.close(CLOSE_TIMEOUT).await;
    registry.admission.unsettle(slot.spot());
    registry.unpublish(&publication, id, peer, reason);
    pulls::resume(registry, &publication.stream);
    drop(grant.done.take());
}

/// Returns why a connection has ended.
pub(super) fn end_of(cause: &Cause) -> Problem {
    match cause {
        Cause::Closed => problem!("left-closed"),
        _ => problem!("left-disconnected"),
    }
}

/// Returns the state of the link since the last report.
fn link(before: &SrtFigures, now: &SrtFigures) -> LinkFigures {
    let received = now.received_packets.saturating_sub(before.received_packets);
    let missing = now.late_packets.saturating_sub(before.late_packets);
    let loss = missing as f32 / received.max(1) as f32;
    LinkFigures { loss: Some(loss.min(1.0)), rtt: now.round_trip }
}

/// The way from the transport stream to the stream.
struct MediaFeed<'a> {
    registry: &'a Registry,
    id: u64,
    stream: &'a crate::server::stream::Stream,
    ingest: Ingest,
}

impl MediaFeed<'_> {
    /// Takes a payload. Returns the time of the next flush if it contained media.
    fn take(&mut self, payload: &[u8]) -> Option<Option<Timestamp>> {
        let received = &self.registry.totals.received_bytes;
        received.fetch_add(payload.len() as u64, Ordering::Relaxed);
        self.ingest.push(payload);
        let messages = self.ingest.messages();
        if messages.is_empty() {
            return None;
        }
        Some(self.stream.take(self.id, messages, self.registry.clock.now()))
    }
}
