//! A viewer: gets the stream as a transport stream.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use crate::net::Cause;
use crate::server::access::admission::Purpose;
use crate::server::event::{Ended, Protocol};
use crate::server::registry::Registry;
use crate::server::service::srt::accepted::Accepted;
use crate::server::service::srt::output::Output;
use crate::server::service::srt::publisher::end_of;
use crate::server::stream::flv_sink::FlvSink;
use crate::server::stream::sink::Sink;
use crate::text::problem::problem;

/// Data is passed to the connection only while it has fewer queued bytes than this, because the rest
/// can still be dropped up to a keyframe.
const MAX_UNSENT_BYTES: usize = 64 << 10;
/// Time limit for closing the connection.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// Runs a viewer to its end.
pub(super) async fn run(registry: &Arc<Registry>, accepted: Accepted) {
    let Accepted { id, peer, name, mut grant, mut socket, slot, entry } = accepted;
    if !registry.admission.settle(slot.spot(), Purpose::Play) {
        socket.close(CLOSE_TIMEOUT).await;
        return;
    }
    let since = registry.clock.now();
    let sink =
        FlvSink::for_viewer_without_opus(id, registry.config.limits.queue_bytes, Protocol::Srt);
    let of_sink = (Arc::<FlvSink>::clone(&sink) as Arc<dyn Sink>, grant.expelled);
    // `join` reports a viewer for whom there is no room.
    let Ok(stream) = registry.join(&name.app, &name.stream, of_sink, peer) else {
        socket.close(CLOSE_TIMEOUT).await;
        return;
    };
    let reason = {
        let mut output = Output::new();
        let (stopped, evicted) = (registry.stopped(), slot.evicted());
        tokio::pin!(stopped, evicted);
        loop {
            let is_full = socket.engine().queued_bytes() >= MAX_UNSENT_BYTES;
            let moved = poll_fn(|cx| {
                if let Poll::Ready(cause) = socket.poll_run(cx) {
                    return Poll::Ready(Err::<(), Cause>(cause));
                }
                // Nobody wants what a viewer sends.
                while socket.discard_received() {}
                match is_full && socket.engine().queued_bytes() < MAX_UNSENT_BYTES {
                    true => Poll::Ready(Ok(())),
                    false => Poll::Pending,
                }
            });
            tokio::select! {
                biased;
                () = &mut stopped => break problem!("left-server-stopped"),
                () = &mut evicted => break problem!("left-evicted"),
                moved = moved => if let Err(cause) = moved {
                    break end_of(&cause);
                },
                flv = poll_fn(|cx| sink.poll_next(cx)), if !is_full => {
                    let Some(flv) = flv else {
                        let reason = sink.dismissed();
                        break reason.unwrap_or_else(|| match sink.was_overrun() {
                            true => problem!("left-stalled"),
                            false => problem!("left-publisher-gone"),
                        });
                    };
                    let sent = &registry.totals.sent_bytes;
                    let is_read = output.push(&flv, &mut |payload| {
                        sent.fetch_add(payload.len() as u64, Ordering::Relaxed);
                        socket.send(payload);
                    });
                    if !is_read {
                        break problem!("left-unreadable");
                    }
                }
            }
        }
    };
    let (bytes, skipped) = (sink.sent(), sink.skipped());
    registry.totals.skipped_messages.fetch_add(skipped, Ordering::Relaxed);
    let after = registry.clock.now().since(since);
    registry.leave(&stream, id, peer, Ended { reason, after, bytes });
    socket.close(CLOSE_TIMEOUT).await;
    drop(entry);
    registry.admission.unsettle(slot.spot());
    drop(grant.done.take());
}
