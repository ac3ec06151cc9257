//! HLS (RFC 8216): a task loads playlists and segments ahead, and returns stream events in order.
//! Two segments wait in a channel, which blocks when full. The task joins live playlists near their
//! end, and follows low-latency playlists part by part. Recorded playlists play from their
//! beginning, and support seeking.

mod audio_rendition;
pub(in crate::input::http) mod decrypt;
mod event_order;
mod fetch;
mod follow;
mod loader;
mod low_latency;
mod low_latency_trust;
mod reload;
mod segment;
#[cfg(test)]
mod stall_tests;
mod variant_choice;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::net::web::WebUrl;
use crate::player::buffer::pace::PlayPace;
use crate::player::input::http::pull_error::PullError;
use crate::player::input::http::request::{Item, PullRequest};
use loader::{Batch, Loader, LoaderRequest};

/// Maximum number of waiting segments.
const MAX_WAITING_SEGMENTS: usize = 2;

/// A stream that is played from playlists.
#[derive(Debug)]
pub(super) struct Hls {
    segments: mpsc::Receiver<Result<Batch, PullError>>,
    items: VecDeque<Item>,
    task: JoinHandle<()>,
    pace: PlayPace,
    duration: Option<Duration>,
    /// The last request to the task.
    request: LoaderRequest,
    requests: watch::Sender<LoaderRequest>,
}

impl Drop for Hls {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Hls {
    /// Opens the stream of the playlist `text` from `url`.
    ///
    /// # Errors
    /// Fails if the playlist is not playable, or its segments are unreadable.
    pub(super) async fn open(
        text: &Bytes,
        url: &WebUrl,
        ask: &PullRequest,
    ) -> Result<Self, PullError> {
        let (sender, segments) = mpsc::channel(MAX_WAITING_SEGMENTS);
        let request = LoaderRequest::default();
        let (requests, request_receiver) = watch::channel(request);
        let loader = Loader::open(text, url, ask).await?;
        let (pace, duration) = (loader.pace(), loader.duration());
        let task = tokio::spawn(async move {
            if let Err(problem) = loader.run(&sender, request_receiver).await {
                // The receiver may be gone.
                let _ = sender.send(Err(problem)).await;
            }
        });
        Ok(Self { segments, items: VecDeque::new(), task, pace, duration, request, requests })
    }

    /// Returns the duration of a recording.
    pub(super) fn duration(&self) -> Option<Duration> {
        self.duration
    }

    /// Seeks to this position. Its segment is returned from the segment's beginning.
    pub(super) fn seek(&mut self, to: Duration) {
        self.items.retain(outlasts_seek);
        self.request = LoaderRequest { number: self.request.number.wrapping_add(1), to };
        self.requests.send_replace(self.request);
    }

    /// Returns the pace of playback.
    pub(super) fn pace(&self) -> PlayPace {
        self.pace
    }

    /// Returns the next item. After the end, seeking back is still possible. The call is
    /// cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Item, PullError> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Ok(item);
            }
            match self.segments.recv().await {
                Some(batch) => {
                    let batch = batch?;
                    let is_current = batch.request == self.request.number;
                    let items = batch.items.into_iter();
                    self.items.extend(items.filter(|item| is_current || outlasts_seek(item)));
                }
                None => return Ok(Item::END),
            }
        }
    }
}

/// Returns true for an item that still applies after a seek, because the loader sends the item only
/// once.
fn outlasts_seek(item: &Item) -> bool {
    matches!(item, Item::Pace(_) | Item::AudioMissing(_) | Item::AudioReturned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::player::buffer::pace::LiveDistance;

    #[tokio::test]
    async fn a_seek_drops_media_and_keeps_notices() {
        let (sender, segments) = mpsc::channel(3);
        let request = LoaderRequest::default();
        let (requests, _receiver) = watch::channel(request);
        let (items, task) = (VecDeque::new(), tokio::spawn(async {}));
        let (pace, duration) = (PlayPace::Live, None);
        let mut hls = Hls { segments, items, task, pace, duration, request, requests };
        let place = |seconds| Item::Place(Duration::from_secs(seconds));
        let pace = |seconds| {
            let hold_back = Duration::from_secs(seconds);
            let distance = LiveDistance { hold_back, least: hold_back, at_once: false };
            Item::Pace(PlayPace::Followed(distance))
        };
        for (request, items) in [
            (0, vec![place(1), pace(1), place(2)]),
            (0, vec![pace(2), place(3)]),
            (1, vec![place(9)]),
        ] {
            sender.send(Ok(Batch { request, items })).await.unwrap();
        }
        assert!(matches!(hls.next().await, Ok(Item::Place(_))));
        hls.seek(Duration::ZERO);
        for expected in [pace(1), pace(2), place(9)] {
            assert_eq!(format!("{:?}", hls.next().await.unwrap()), format!("{expected:?}"));
        }
    }
}
