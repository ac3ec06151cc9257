//! What is asked for, and what comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::net::web::WebUrl;
use crate::net::{self, Cause, Stage, WebProblem};
use crate::player::opening::Opening;
use crate::player::pull::ability::Ability;
use crate::player::recording::Body;
use crate::wire::flv::Tag;
use crate::wire::unplayed::Unplayed;

/// How what comes is to be played.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::player) enum Pace {
    /// As it comes: a broadcast.
    Live,
    /// As its own times say, from the beginning: a file.
    Recorded,
    /// As its own times say, near the end of what there is.
    Followed(Distance),
}

/// Where to be in what is followed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::player) struct Distance {
    /// So far from the end of what there is.
    pub hold_back: Duration,
    /// As the server wants it: less, where the person wants more to be kept back.
    pub least: Duration,
    /// From the first picture on, and again after a break, instead of being led there.
    pub at_once: bool,
}

/// How much the person wants to be kept back. It may change while a stream is pulled.
#[derive(Debug, Default)]
pub(in crate::player) struct Buffer(AtomicU64);

impl Buffer {
    pub fn new(buffer: Duration) -> Self {
        let wanted = Self::default();
        wanted.set(buffer);
        wanted
    }

    pub fn set(&self, buffer: Duration) {
        self.0.store(u64::try_from(buffer.as_millis()).unwrap_or(0), Ordering::Relaxed);
    }

    pub fn get(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// What came.
#[derive(Debug)]
pub(in crate::player) enum Item {
    Tag(Tag),
    /// A body of a film, at its exact time.
    Body(Body),
    /// Sound that came is heard up to this time at most, in microseconds, and what comes from it on.
    Seam(i64),
    /// A film begins: what carries so many microseconds is its first instant, and played first.
    Begin(i64),
    /// This is in it and not among the tags.
    Unplayed(Unplayed),
    /// From here on.
    Pace(Pace),
    /// What comes next does not follow from what came before.
    Restart,
    /// The next tag is played so long after the beginning of the recording, or after the first that
    /// was known of a broadcast.
    Place(Duration),
    /// The recording is so long, and one can go about in it.
    Length(Duration),
    /// What comes next is of the place that was wanted, so long after the beginning of the recording: what
    /// carries this time (`raw`, microseconds) is seen and heard first. `firm`: its times are believed,
    /// whatever they are.
    Moved {
        raw: i64,
        place: Duration,
        firm: bool,
    },
    /// One cannot go about in it, because the server gives it from its beginning alone.
    Fixed,
    /// The place that was wanted cannot be had, and why: it goes on as before.
    Unmoved(String),
    /// The sound, which has a list of its own, does not come, and why: the picture goes on.
    Unheard(String),
    /// It comes again.
    Heard,
    /// By the sender's clock the next tag was made so many microseconds after 1970 began; `None`: that is
    /// not told.
    Made(Option<i64>),
    /// What there is to go back in of a broadcast, at that instant: places as in [`Item::Place`].
    Listed {
        seen: Instant,
        from: Duration,
        until: Duration,
    },
    /// At that instant the end of what there is was so far from the next tag.
    Edge {
        seen: Instant,
        distance: Duration,
    },
}

/// What is asked for, and how.
#[derive(Clone, Debug)]
pub(in crate::player) struct Ask {
    pub url: WebUrl,
    pub net: net::Options,
    /// What the person wants to be kept back.
    pub buffer: Arc<Buffer>,
    /// What can be decoded in time.
    pub ability: Arc<Ability>,
    /// How long it may take until there is something to play.
    pub opening: Arc<Opening>,
}

impl Ask {
    /// That something else comes than the part that was asked for, as something that may pass.
    pub(in crate::player) fn other_part(&self) -> net::Error {
        let (stage, cause) = (Stage::Media, Cause::Web(WebProblem::OtherPart));
        net::Error { stage, cause, peer: self.url.endpoint().to_string() }
    }
}
