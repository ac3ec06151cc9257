//! HLS (RFC 8216): a task reads playlists and segments ahead (two segments wait in a channel, a full
//! one makes it wait) and gives their content as FLV tags, in order. Live lists are joined near their
//! end, recorded ones at their beginning.

mod choose;
mod fetch;
mod follow;
mod loader;
mod unpack;

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::item::{Ask, Item, Pace};
use super::problem::Problem;
use crate::net::web::WebUrl;
use loader::Loader;

/// Segments that wait.
const AHEAD: usize = 2;

/// A list that is being played.
#[derive(Debug)]
pub(super) struct Hls {
    segments: mpsc::Receiver<Result<Vec<Item>, Problem>>,
    items: VecDeque<Item>,
    task: JoinHandle<()>,
    pace: Pace,
}

impl Drop for Hls {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Hls {
    /// Begins with the playlist `text`, which came from `url`.
    ///
    /// # Errors
    /// Where it cannot be played, or what it leads to cannot be read.
    pub(super) async fn open(text: &Bytes, url: &WebUrl, ask: &Ask) -> Result<Self, Problem> {
        let (sender, segments) = mpsc::channel(AHEAD);
        let loader = Loader::open(text, url, ask).await?;
        let pace = loader.pace();
        let task = tokio::spawn(async move {
            if let Err(problem) = loader.run(&sender).await {
                // Nobody may be listening any more.
                let _ = sender.send(Err(problem)).await;
            }
        });
        Ok(Self { segments, items: VecDeque::new(), task, pace })
    }

    /// How what comes is to be played.
    pub(super) fn pace(&self) -> Pace {
        self.pace
    }

    /// What comes next. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Option<Item>, Problem> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Ok(Some(item));
            }
            match self.segments.recv().await {
                Some(items) => self.items.extend(items?),
                None => return Ok(None),
            }
        }
    }
}
