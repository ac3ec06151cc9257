//! A segment that is sent while it grows, or that begins soon. Each part is sent as soon as it is complete, in a body
//! without a length, so that DASH players are as close to the live edge as low-latency HLS players.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream::try_unfold;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::server::hls::listing::{EMPTY_SEGMENT, Listing, TrackSegment};
use crate::server::hls::viewers::ViewerKey;
use crate::server::http::hls::slot::ActiveGuard;
use crate::server::registry::Registry;
use crate::server::renditions::playlist_productions::PlaylistProduction;

/// A segment that grows.
pub(super) struct Growing {
    pub registry: Arc<Registry>,
    pub production: Arc<PlaylistProduction>,
    pub key: ViewerKey,
    /// The connection keeps its slot until the end.
    pub _settled: ActiveGuard,
    pub listing: watch::Receiver<Arc<Listing>>,
    pub segment: TrackSegment,
    /// Maximum wait for the next part.
    pub held: Duration,
}

impl Growing {
    /// Returns the parts as they become complete, or `None` if the first part is not complete in
    /// time. A segment that has nothing of the track is empty.
    pub async fn body(mut self) -> Option<Body> {
        let mut sent = 0;
        let first = self.next(&mut sent).await.ok()?;
        let first = first.unwrap_or_else(|| Bytes::from_static(EMPTY_SEGMENT));
        let rest = try_unfold((self, sent, Some(first)), |(mut it, mut sent, first)| async move {
            let next = match first {
                Some(first) => Some(first),
                None => it.next(&mut sent).await?,
            };
            if let Some(next) = &next {
                it.count(next.len() as u64);
            }
            Ok::<_, io::Error>(next.map(|next| (next, (it, sent, None))))
        });
        Some(Body::from_stream(rest))
    }

    /// Counts bytes that the client gets.
    fn count(&self, bytes: u64) {
        self.production.count(self.key, bytes);
        self.registry.totals.sent_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Returns the next bytes, or `None` at the end of the segment. `sent` is the number of parts
    /// that were sent before.
    async fn next(&mut self, sent: &mut usize) -> io::Result<Option<Bytes>> {
        loop {
            let (TrackSegment { tracks, span, number }, at) = (self.segment, *sent);
            let has_more = |listing: &Arc<Listing>| match listing.parts_of(number) {
                Some((parts, whole)) => {
                    let is_over = whole || listing.has_ended();
                    parts.len() > at || is_over || listing.has_other_span(span, number)
                }
                None => listing.has_ended() || !listing.is_expected(number),
            };
            let listing = tokio::select! {
                biased;
                () = self.registry.stopped() => return Err(io::ErrorKind::ConnectionAborted.into()),
                more = timeout(self.held, self.listing.wait_for(has_more)) => match more {
                    Ok(Ok(listing)) => Arc::clone(&listing),
                    _ => return Err(io::ErrorKind::TimedOut.into()),
                },
            };
            if listing.has_other_span(span, number) {
                return Ok(None);
            }
            // In a body without a length, a missing part would not be noticed.
            let Some((parts, _)) = listing.parts_of(number) else {
                return Err(io::ErrorKind::NotFound.into());
            };
            let Some(part) = parts.get(at) else { return Ok(None) };
            *sent += 1;
            if let Some(chunk) = tracks.chunks(part).next() {
                return Ok(Some(chunk.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::net::Runtime;
    use crate::server::event::Protocol;
    use crate::server::hls::listing::Tracks;
    use crate::server::hls::part::Cut;
    use crate::server::http::hls::tests::growing_window;
    use crate::server::outputs::hls;
    use crate::server::registry::config::Config;
    use crate::server::webrtc::whep::session::tests::{publish, start_registry};

    #[test]
    fn a_growing_segment_is_empty_if_it_ends_without_the_track() {
        let runtime = Runtime::start().unwrap();
        let (registry, _events) = start_registry(&runtime, Config::default());
        let _publication = publish(&registry, 1);
        let mut window = growing_window(7, None, Some(Bytes::from_static(b"packets")));
        let (sender, listing) = watch::channel(Arc::new(window.listing()));
        window.take(vec![Cut::SegmentEnd], Some(Duration::from_secs(2)), 0);
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let spot = registry.admission.admit(address, false, registry.clock.now()).unwrap();
        let body = runtime.block_on(async {
            let growing = Growing {
                registry: Arc::clone(&registry),
                production: hls::of_stream(&registry, "live", "show").unwrap(),
                key: ViewerKey { address, client_hash: 0, protocol: Protocol::Dash },
                _settled: ActiveGuard::new(&registry, &spot).unwrap(),
                listing,
                segment: TrackSegment { tracks: Tracks::Video, span: 7, number: 7 },
                held: Duration::from_secs(60),
            };
            // The request waits for video until the segment is complete.
            let ends = async { sender.send_replace(Arc::new(window.listing())) };
            let (body, before) = tokio::join!(growing.body(), ends);
            assert!(before.segment(7).is_none());
            axum::body::to_bytes(body.unwrap(), usize::MAX).await.unwrap()
        });
        assert_eq!(&body[..], EMPTY_SEGMENT);
    }
}
