//! What comes from the web, as FLV tags: an FLV body that never ends, or one that does. What it is
//! is told by its first bytes, not by its name. Used on the feed thread and by the probe.

mod problem;
mod sniff;

use crate::net::web::{Flow, WebUrl};
use crate::net::{self, Step};
use crate::wire::flv::{Demuxer, Tag};

pub(super) use problem::Problem;
use sniff::{Body, sniff};

/// How what comes is to be played.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// As it comes: a broadcast.
    Live,
    /// As its own times say, from the beginning: a file.
    Recorded,
}

/// What came.
#[derive(Debug)]
pub(super) enum Item {
    Tag(Tag),
    /// From here on.
    Pace(Pace),
}

/// A pull that runs.
pub(super) struct Pull {
    flow: Flow,
    demuxer: Demuxer,
    pace: Pace,
    told: bool,
}

impl Pull {
    /// Asks for what stands at `url` and looks at what it is.
    ///
    /// # Errors
    /// What went wrong, or what it is instead of a stream.
    pub(super) async fn open(
        url: &WebUrl,
        options: &net::Options,
        on_step: &(dyn Fn(Step<'_>) + Send + Sync),
    ) -> Result<Self, Problem> {
        let mut flow = Flow::open(url, options, on_step).await?;
        let (body, start) = sniff(&mut flow).await?;
        let mut demuxer = Demuxer::new();
        match body {
            Body::Flv => demuxer.push(&start),
        }
        let pace = if flow.is_finite() { Pace::Recorded } else { Pace::Live };
        Ok(Self { flow, demuxer, pace, told: false })
    }

    /// How what comes is to be played.
    pub(super) fn pace(&self) -> Pace {
        self.pace
    }

    /// In which form it comes.
    pub(super) fn format(&self) -> &'static str {
        "flv"
    }

    /// What comes next; `None` at the end. Cancel-safe; waits without a limit.
    ///
    /// # Errors
    /// When the connection breaks off or what comes makes no sense.
    pub(super) async fn next(&mut self) -> Result<Option<Item>, Problem> {
        if !std::mem::replace(&mut self.told, true) {
            return Ok(Some(Item::Pace(self.pace)));
        }
        loop {
            if let Some(tag) = self.demuxer.next_tag().map_err(|error| Problem::flv(&error))? {
                return Ok(Some(Item::Tag(tag)));
            }
            match self.flow.next().await? {
                Some(bytes) => self.demuxer.push(&bytes),
                None => return Ok(None),
            }
        }
    }
}
