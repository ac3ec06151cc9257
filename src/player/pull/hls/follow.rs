//! Following one media playlist: its segments in order, reloading it while it grows (RFC 8216 §6.3.4),
//! and what to do when it stands still, jumps back or has lost what is wanted.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep_until};

use super::fetch::Fetch;
use super::unpack::Unpack;
use crate::net::Cause;
use crate::net::web::WebUrl;
use crate::player::pull::problem::Problem;
use crate::player::{Failure, Kind};
use crate::wire::flv::Tag;
use crate::wire::hls::{self, Media, Playlist, Segment};

/// A playlist is asked for no sooner again.
const SOONEST: Duration = Duration::from_millis(300);
/// A list that has not changed for so long, and for several of its segments, is dead.
const DEAD: Duration = Duration::from_secs(12);
/// Segments in a row that may be missing.
const MOST_MISSES: u32 = 3;
/// Without a word from the server, players keep so many target durations from the end.
const HOLD_BACK: u32 = 3;
/// The furthest that they do.
const MOST_HOLD_BACK: Duration = Duration::from_secs(60);

/// What came of a segment.
#[derive(Debug)]
pub(super) struct Part {
    pub tags: Vec<Tag>,
    /// It does not follow from what came before.
    pub restart: bool,
    /// When the list was read, and how far its end was from this segment's beginning.
    pub edge: Option<(Instant, Duration)>,
    /// How far it begins from the first segment that was known.
    pub place: Duration,
    /// Of a broadcast: when the list was read, and the places of its beginning and end.
    pub listed: Option<(Instant, Duration, Duration)>,
    pub bytes: usize,
    pub took: Duration,
}

/// A playlist that is followed.
#[derive(Debug)]
pub(super) struct Track {
    url: WebUrl,
    media: Media,
    text: Bytes,
    loaded: Instant,
    /// When it last had something new.
    changed: Instant,
    /// The number of the segment that is next.
    next: u64,
    live: bool,
    restart: bool,
    misses: u32,
    unpack: Unpack,
    buffer: Duration,
    /// How long the segments are that were known once and are not in the list any more.
    gone: Duration,
    /// Somebody went back: where the list goes on without us, its beginning is next.
    behind: bool,
}

fn problem(kind: Kind, what: impl Into<String>, advice: &str) -> Problem {
    Problem::Told(Failure::new(kind, what, advice))
}

/// What a text says, where it is to list segments.
fn media(text: &[u8]) -> Result<Media, Problem> {
    let advice = "Check the URL; if it is right, the broadcaster must be told.";
    match hls::parse(text) {
        Ok(Playlist::Media(media)) => Ok(media),
        Ok(Playlist::Master(_)) => {
            let what = "the playlist leads to playlists that lead to playlists";
            Err(problem(Kind::Unreachable, what, advice))
        }
        Err(error) => {
            let what = format!("the playlist cannot be read: {error}");
            Err(problem(Kind::Unreachable, what, advice))
        }
    }
}

impl Track {
    /// Follows the list `text` that came from `url`; `buffer` is what the person wants to be kept.
    pub fn new(url: WebUrl, text: Bytes, buffer: Duration) -> Result<Self, Problem> {
        let media = media(&text)?;
        let now = Instant::now();
        let mut track = Self {
            url,
            live: !media.ended,
            media,
            text,
            loaded: now,
            changed: now,
            next: 0,
            restart: false,
            misses: 0,
            unpack: Unpack::default(),
            buffer,
            gone: Duration::ZERO,
            behind: false,
        };
        track.next = track.start();
        Ok(track)
    }

    /// Reads the list at `url` and follows it.
    pub async fn open(fetch: &mut Fetch, url: &WebUrl, buffer: Duration) -> Result<Self, Problem> {
        let (text, url) = fetch.playlist(url).await?;
        Self::new(url, text, buffer)
    }

    /// Whether it is still being broadcast.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// How far from the list's end the playing is to be.
    pub fn hold_back(&self) -> Duration {
        let usual = self.media.target_duration * HOLD_BACK;
        self.media.hold_back.unwrap_or(usual).max(self.buffer).min(MOST_HOLD_BACK)
    }

    /// How long all of it is.
    pub fn duration(&self) -> Duration {
        self.media.duration()
    }

    /// How far the segment of this number begins from the first that was known.
    fn place(&self, number: u64) -> Duration {
        self.gone + self.media.duration().saturating_sub(self.media.from(number))
    }

    /// Goes to the segment at this place; where that begins.
    pub async fn seek(&mut self, fetch: &mut Fetch, to: Duration) -> Duration {
        // What has been added, or is gone, since it was read.
        if self.live
            && self.loaded.elapsed() > SOONEST
            && let Err(error) = self.refresh(fetch).await
        {
            tracing::debug!(?error, "the list cannot be read again");
        }
        let (number, begins) = self.media.at(to.saturating_sub(self.gone));
        (self.next, self.restart, self.misses) = (number, false, 0);
        let usual = self.hold_back() + self.media.target_duration;
        self.behind = self.live && self.media.from(number) > usual;
        self.unpack.restart();
        self.gone + begins
    }

    fn start(&self) -> u64 {
        if self.live { self.media.before_end(self.hold_back()) } else { self.media.sequence }
    }

    /// Goes on where `other`, another form of the same, stands.
    pub fn go_on_from(&mut self, other: &Self) {
        self.next = other.next.clamp(self.media.sequence, self.media.end());
        (self.restart, self.behind) = (false, other.behind);
        let before = self.media.duration().saturating_sub(self.media.from(self.next));
        self.gone = other.place(other.next).saturating_sub(before);
    }

    /// The next segment; `None` after the last.
    pub async fn next(&mut self, fetch: &mut Fetch) -> Result<Option<Part>, Problem> {
        loop {
            if self.next < self.media.sequence {
                // The list has gone on without us.
                tracing::debug!(next = self.next, first = self.media.sequence, "segments are gone");
                self.next = if self.behind { self.media.sequence } else { self.start() };
                self.restart = true;
            }
            let Some(segment) = self.media.segment(self.next).cloned() else {
                if self.media.ended {
                    return Ok(None);
                }
                self.reload(fetch).await?;
                continue;
            };
            let number = self.next;
            self.next += 1;
            if segment.gap {
                self.restart = true;
                continue;
            }
            match self.fetch(fetch, &segment, number).await {
                Ok(part) => {
                    self.misses = 0;
                    return Ok(Some(part));
                }
                Err(Problem::Net(error)) if matches!(error.cause, Cause::Answer { .. }) => {
                    self.misses += 1;
                    self.restart = true;
                    if self.misses >= MOST_MISSES {
                        return Err(Problem::Net(error));
                    }
                    tracing::debug!(%error, number, "a segment is missing");
                    if self.live && self.loaded.elapsed() > self.media.target_duration {
                        // It may be gone from the list meanwhile.
                        self.refresh(fetch).await?;
                    }
                }
                Err(problem) => return Err(problem),
            }
        }
    }

    async fn fetch(
        &mut self,
        fetch: &mut Fetch,
        segment: &Segment,
        number: u64,
    ) -> Result<Part, Problem> {
        let restart = std::mem::take(&mut self.restart) || segment.discontinuity;
        if restart {
            self.unpack.restart();
        }
        let map = match &segment.map {
            Some(map) => Some(fetch.map(&self.url, map).await?),
            None => None,
        };
        let began = Instant::now();
        let data = match fetch.segment(&self.url, segment, number).await {
            Ok(data) => data,
            Err(problem) => {
                self.restart = restart;
                return Err(problem);
            }
        };
        let took = began.elapsed();
        let tags = self.unpack.read(&data, map.as_ref())?;
        let edge = self.live.then(|| (self.changed, self.media.from(number)));
        let whole = (self.changed, self.gone, self.gone + self.media.duration());
        let (place, listed) = (self.place(number), self.live.then_some(whole));
        Ok(Part { tags, restart, edge, place, listed, bytes: data.len(), took })
    }

    /// Waits until it may be asked for again, and does.
    async fn reload(&mut self, fetch: &mut Fetch) -> Result<(), Problem> {
        let target = self.media.target_duration;
        // After a list without anything new, sooner.
        let pause = if self.changed == self.loaded { target } else { target / 2 };
        sleep_until(self.loaded + pause.clamp(SOONEST, DEAD)).await;
        self.refresh(fetch).await
    }

    /// Reads the list again.
    async fn refresh(&mut self, fetch: &mut Fetch) -> Result<(), Problem> {
        let target = self.media.target_duration;
        let (text, url) = fetch.playlist(&self.url).await?;
        (self.url, self.loaded) = (url, Instant::now());
        if text == self.text {
            let stale = self.changed.elapsed();
            if stale > DEAD.max(target * 4) {
                let what = format!("the playlist has not changed for {} s", stale.as_secs());
                return Err(problem(Kind::Lost, what, "Check that the broadcast goes on."));
            }
            return Ok(());
        }
        let media = media(&text)?;
        (self.text, self.changed) = (text, self.loaded);
        let anew = media.end() < self.next;
        let kept = if anew { Duration::ZERO } else { self.media.from(media.sequence) };
        self.gone += self.media.duration().saturating_sub(kept);
        self.media = media;
        if anew {
            // Its numbers begin anew: another broadcast.
            self.next = self.start();
            self.restart = true;
        }
        Ok(())
    }
}
