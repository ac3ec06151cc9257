//! A pull that runs, in whichever form.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::timeout;

use super::download::Download;
use super::hls::Hls;
use super::item::{Ask, Item, Pace};
use super::problem::Problem;
use super::sniff::{Body, sniff};
use super::tags;
use crate::net::Step;
use crate::net::web::Flow;
use crate::wire::flv;
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
    Flv { flow: Download, demuxer: flv::Demuxer },
    Ts { flow: Download, demuxer: Box<ts::Demuxer>, items: VecDeque<Item>, last_ms: u32 },
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
        let whole = flow.length();
        let (body, start) = sniff(&mut flow).await?;
        let taken = start.len();
        let mut pace = if whole.is_some() { Pace::Recorded } else { Pace::Live };
        let form = match body {
            Body::Flv => {
                let mut demuxer = flv::Demuxer::new();
                demuxer.push(&start);
                let flow = Download::new(flow, taken, whole);
                Form::Flv { flow, demuxer }
            }
            Body::Ts => {
                let (mut demuxer, mut items) = (Box::<ts::Demuxer>::default(), VecDeque::new());
                let mut last_ms = 0;
                let flow = Download::new(flow, taken, whole);
                demuxer.push(&start, &mut |event| take(event, &mut items, &mut last_ms));
                Form::Ts { flow, demuxer, items, last_ms }
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

    /// Whether it is followed by playlists, whose reader has limits of its own.
    pub(in crate::player) fn is_list(&self) -> bool {
        matches!(self.form, Form::Hls(_))
    }

    /// Whether it broke off in the middle of a recording that may go on there.
    pub(in crate::player) fn can_go_on(&self) -> bool {
        match &self.form {
            Form::Flv { flow, .. } | Form::Ts { flow, .. } => flow.can_go_on(),
            Form::Hls(_) => false,
        }
    }

    /// Asks for what is missing of such a recording. False where the server gives no rests.
    ///
    /// # Errors
    /// What went wrong on the way.
    pub(in crate::player) async fn go_on(
        &mut self,
        ask: &Ask,
        on_step: &(dyn Fn(Step<'_>) + Send + Sync),
    ) -> Result<bool, Problem> {
        match &mut self.form {
            Form::Flv { flow, .. } | Form::Ts { flow, .. } => {
                Ok(flow.go_on(&ask.url, &ask.net, on_step).await?)
            }
            Form::Hls(_) => Ok(false),
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
            Form::Ts { flow, demuxer, items, last_ms } => loop {
                if let Some(item) = items.pop_front() {
                    return Ok(Some(item));
                }
                match flow.next().await? {
                    Some(bytes) => demuxer.push(&bytes, &mut |event| take(event, items, last_ms)),
                    None => {
                        demuxer.finish(&mut |event| take(event, items, last_ms));
                        if items.is_empty() {
                            return Ok(None);
                        }
                    }
                }
            },
        }
    }
}

fn take(event: ts::Event, items: &mut VecDeque<Item>, last_ms: &mut u32) {
    items.extend(tags::unplayed(&event).map(Item::Unplayed));
    if let Some(tag) = tags::of_ts(event, *last_ms) {
        *last_ms = tag.time_ms;
        items.push_back(Item::Tag(tag));
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
