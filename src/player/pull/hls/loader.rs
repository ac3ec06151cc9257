//! The task behind a list: chooses the variant, follows it and the sound that may go with it, and
//! hands on tags in the order of their times.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::choose::{Bandwidth, first};
use super::fetch::{Fetch, join};
use super::follow::{Part, Track};
use crate::net::web::WebUrl;
use crate::player::pull::item::{Ask, Item, Pace};
use crate::player::pull::problem::Problem;
use crate::wire::flv::Tag;
use crate::wire::hls::{Master, Playlist, parse};

/// Sound may be behind the picture by this much before more of it is read.
const TOGETHER_MS: i32 = 20;
/// Segments of sound that are read for one of picture.
const MOST_SOUND: usize = 16;
/// Tracks further apart than this count from different zeros.
const APART_MS: i32 = 60_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Loader {
    fetch: Fetch,
    master: Option<(WebUrl, Master)>,
    variant: usize,
    bandwidth: Bandwidth,
    main: Track,
    sound: Option<Track>,
    buffer: Duration,
}

impl Loader {
    /// Reads what the first playlist leads to.
    pub async fn open(text: &Bytes, url: &WebUrl, ask: &Ask) -> Result<Self, Problem> {
        let mut fetch = Fetch::new(ask.net.clone());
        let buffer = ask.buffer;
        if let Ok(Playlist::Master(master)) = parse(text) {
            let variant = first(&master.variants);
            let (main, sound) = tracks(&mut fetch, url, &master, variant, buffer).await?;
            let master = Some((url.clone(), master));
            let bandwidth = Bandwidth::default();
            return Ok(Self { fetch, master, variant, bandwidth, main, sound, buffer });
        }
        let main = Track::new(url.clone(), text.clone(), buffer)?;
        let bandwidth = Bandwidth::default();
        Ok(Self { fetch, master: None, variant: 0, bandwidth, main, sound: None, buffer })
    }

    /// How what comes is to be played.
    pub fn pace(&self) -> Pace {
        if self.main.is_live() {
            Pace::Followed { hold_back: self.main.hold_back() }
        } else {
            Pace::Recorded
        }
    }

    /// Reads until the end, or until nobody listens.
    pub async fn run(
        mut self,
        out: &mpsc::Sender<Result<Vec<Item>, Problem>>,
    ) -> Result<(), Problem> {
        while let Some(part) = self.main.next(&mut self.fetch).await? {
            self.bandwidth.note(part.bytes, part.took);
            let items = self.complete(part).await?;
            if out.send(Ok(items)).await.is_err() {
                return Ok(());
            }
            self.change().await?;
        }
        Ok(())
    }

    /// A segment with the sound that belongs to it.
    async fn complete(&mut self, part: Part) -> Result<Vec<Item>, Problem> {
        let Part { mut tags, mut restart, edge, .. } = part;
        if let Some(sound) = &mut self.sound {
            let last = tags.last().map(|tag| tag.time_ms);
            for _ in 0..MOST_SOUND {
                let Some(more) = sound.next(&mut self.fetch).await? else { break };
                restart |= more.restart;
                let end = more.tags.last().map(|tag| tag.time_ms);
                tags.extend(more.tags);
                let (Some(last), Some(end)) = (last, end) else { break };
                let ahead = end.wrapping_sub(last).cast_signed();
                if ahead >= -TOGETHER_MS || ahead.abs() > APART_MS {
                    break;
                }
            }
            in_order(&mut tags);
        }
        let mut items = Vec::with_capacity(tags.len() + 2);
        if restart {
            items.push(Item::Restart);
        }
        items.extend(edge.map(|(seen, distance)| Item::Edge { seen, distance }));
        items.extend(tags.into_iter().map(Item::Tag));
        Ok(items)
    }

    /// Goes to another variant where the line asks for it.
    async fn change(&mut self) -> Result<(), Problem> {
        let Some((url, master)) = &self.master else { return Ok(()) };
        let wanted = self.bandwidth.choose(&master.variants, self.variant);
        if wanted == self.variant {
            return Ok(());
        }
        match tracks(&mut self.fetch, url, master, wanted, self.buffer).await {
            Ok((mut main, sound)) => {
                tracing::info!(from = self.variant, to = wanted, "another variant");
                main.go_on_from(&self.main);
                if let (Some(new), Some(old)) = (sound, &self.sound) {
                    let mut new = new;
                    new.go_on_from(old);
                    self.sound = Some(new);
                }
                (self.main, self.variant) = (main, wanted);
                Ok(())
            }
            // The one that plays will do.
            Err(problem) => {
                tracing::debug!(?problem, "the other variant cannot be read");
                Ok(())
            }
        }
    }
}

/// The lists of a variant.
async fn tracks(
    fetch: &mut Fetch,
    url: &WebUrl,
    master: &Master,
    at: usize,
    buffer: Duration,
) -> Result<(Track, Option<Track>), Problem> {
    let variant = master.variants.get(at);
    let uri = variant.map_or("", |variant| variant.uri.as_str());
    let main = Track::open(fetch, &join(url, uri)?, buffer).await?;
    let sound = variant.and_then(|variant| master.sound_of(variant));
    let sound = match sound.and_then(|sound| sound.uri.as_deref()) {
        Some(uri) => Some(Track::open(fetch, &join(url, uri)?, buffer).await?),
        None => None,
    };
    Ok((main, sound))
}

/// By time, as it wraps; what is of one time stays as it is.
fn in_order(tags: &mut [Tag]) {
    let Some(base) = tags.first().map(|tag| tag.time_ms) else { return };
    tags.sort_by_key(|tag| tag.time_ms.wrapping_sub(base).cast_signed());
}
