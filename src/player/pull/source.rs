//! A pull that runs, in whichever form.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::timeout;

use super::hls::Hls;
use super::item::{Ask, Item, Pace};
use super::problem::Problem;
use super::sniff::{Body, sniff};
use super::tags;
use crate::net::Step;
use crate::net::web::Flow;
use crate::wire::flv::{self, Tag};
use crate::wire::hls::MAX_TEXT;
use crate::wire::ts;

/// A playlist has come by then.
const PLAYLIST: Duration = Duration::from_secs(10);

/// A pull that runs.
#[derive(Debug)]
pub(in crate::player) struct Pull {
    form: Form,
    pace: Pace,
    told: bool,
}

#[derive(Debug)]
enum Form {
    Flv { flow: Flow, demuxer: flv::Demuxer },
    Ts { flow: Flow, demuxer: Box<ts::Demuxer>, tags: VecDeque<Tag>, last_ms: u32 },
    Hls(Box<Hls>),
}

impl Pull {
    /// Asks for it and looks at what it is.
    ///
    /// # Errors
    /// What went wrong, or what it is instead of a stream.
    pub(in crate::player) async fn open(
        ask: &Ask,
        on_step: &(dyn Fn(Step<'_>) + Send + Sync),
    ) -> Result<Self, Problem> {
        let mut flow = Flow::open(&ask.url, &ask.net, on_step).await?;
        let (body, start) = sniff(&mut flow).await?;
        let mut pace = if flow.is_finite() { Pace::Recorded } else { Pace::Live };
        let form = match body {
            Body::Flv => {
                let mut demuxer = flv::Demuxer::new();
                demuxer.push(&start);
                Form::Flv { flow, demuxer }
            }
            Body::Ts => {
                let (mut demuxer, mut tags) = (Box::<ts::Demuxer>::default(), VecDeque::new());
                let mut last_ms = 0;
                demuxer.push(&start, &mut |event| take(event, &mut tags, &mut last_ms));
                Form::Ts { flow, demuxer, tags, last_ms }
            }
            Body::Playlist => {
                let text = timeout(PLAYLIST, rest(&mut flow, start)).await;
                let late = || Problem::no_stream("the playlist does not come to its end", "");
                let text = text.map_err(|_| late())??.freeze();
                let hls = Hls::open(&text, flow.url(), ask).await?;
                pace = hls.pace();
                Form::Hls(Box::new(hls))
            }
        };
        Ok(Self { form, pace, told: false })
    }

    /// How what comes is to be played.
    pub(in crate::player) fn pace(&self) -> Pace {
        self.pace
    }

    /// How long it is, where one can go about in it.
    pub(in crate::player) fn duration(&self) -> Option<Duration> {
        match &self.form {
            Form::Hls(hls) => hls.duration(),
            Form::Flv { .. } | Form::Ts { .. } => None,
        }
    }

    /// What comes next is of this place; for what has a [`Pull::duration`] or tells what is
    /// [`Item::Listed`].
    pub(in crate::player) fn seek(&mut self, to: Duration) {
        if let Form::Hls(hls) = &mut self.form {
            hls.seek(to);
        }
    }

    /// In which form it comes.
    pub(in crate::player) fn format(&self) -> &'static str {
        match &self.form {
            Form::Flv { .. } => "flv",
            Form::Ts { .. } => "mpegts",
            Form::Hls(_) => "hls",
        }
    }

    /// What comes next; `None` at the end. Cancel-safe; waits without a limit.
    ///
    /// # Errors
    /// When the connection breaks off or what comes makes no sense.
    pub(in crate::player) async fn next(&mut self) -> Result<Option<Item>, Problem> {
        if !std::mem::replace(&mut self.told, true) {
            return Ok(Some(Item::Pace(self.pace)));
        }
        match &mut self.form {
            Form::Hls(hls) => {
                let item = hls.next().await?;
                if let Some(Item::Pace(pace)) = &item {
                    self.pace = *pace;
                }
                Ok(item)
            }
            Form::Flv { flow, demuxer } => loop {
                if let Some(tag) = demuxer.next_tag().map_err(|error| Problem::flv(&error))? {
                    return Ok(Some(Item::Tag(tag)));
                }
                match flow.next().await? {
                    Some(bytes) => demuxer.push(&bytes),
                    None => return Ok(None),
                }
            },
            Form::Ts { flow, demuxer, tags, last_ms } => loop {
                if let Some(tag) = tags.pop_front() {
                    return Ok(Some(Item::Tag(tag)));
                }
                match flow.next().await? {
                    Some(bytes) => demuxer.push(&bytes, &mut |event| take(event, tags, last_ms)),
                    None => {
                        demuxer.finish(&mut |event| take(event, tags, last_ms));
                        if tags.is_empty() {
                            return Ok(None);
                        }
                    }
                }
            },
        }
    }
}

fn take(event: ts::Event, tags: &mut VecDeque<Tag>, last_ms: &mut u32) {
    if let Some(tag) = tags::of_ts(event, *last_ms) {
        *last_ms = tag.time_ms;
        tags.push_back(tag);
    }
}

/// All of a playlist.
async fn rest(flow: &mut Flow, mut text: bytes::BytesMut) -> Result<bytes::BytesMut, Problem> {
    while let Some(piece) = flow.next().await? {
        if text.len() + piece.len() > MAX_TEXT {
            return Err(Problem::no_stream("the playlist is too long", ""));
        }
        text.extend_from_slice(&piece);
    }
    Ok(text)
}
