//! A running pull of any format.

use std::time::Duration;

use tokio::time::timeout;

use crate::net::Step;
use crate::net::web::{Flow, Unavailable, WebUrl};
use crate::player::buffer::pace::PlayPace;
use crate::player::input::http::body::Single;
use crate::player::input::http::byte_seek::resync;
use crate::player::input::http::hls::Hls;
use crate::player::input::http::indexed_file::IndexedFile;
use crate::player::input::http::pull_error::PullError;
use crate::player::input::http::request::{Item, PullRequest};
use crate::player::input::http::sniff::{Body, refused, sniff};
use crate::text::problem::problem;
use crate::wire::container::Index;
use crate::wire::hls::{self, MAX_PLAYLIST_BYTES};

/// Time limit for a playlist.
const PLAYLIST_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum number of lists of addresses that are followed, one to the next.
const MAX_LISTS: usize = 3;

/// A running transfer of a stream over HTTP.
#[derive(Debug)]
pub(crate) struct Pull {
    form: PulledFormat,
    /// The address behind the lists of addresses.
    url: WebUrl,
    pace: PlayPace,
    pace_reported: bool,
}

#[derive(Debug)]
enum PulledFormat {
    Single(Box<Single>),
    Hls(Box<Hls>),
    Indexed(Box<IndexedFile>),
}

impl Pull {
    /// Requests a URL, and identifies the format.
    ///
    /// # Errors
    /// Fails if the request fails, or if the data is not a stream; the error then names the kind of
    /// data.
    pub(crate) async fn open(
        ask: &PullRequest,
        on_step: &(dyn Fn(Step<'_>) + Send + Sync),
    ) -> Result<Self, PullError> {
        let mut ask = ask.clone();
        for _ in 0..MAX_LISTS {
            match Self::open_address(&ask, on_step).await? {
                Ok(pull) => return Ok(pull),
                Err(next) => ask.url = next,
            }
        }
        Err(PullError::no_stream(problem!("hls-empty")))
    }

    /// Requests a URL. Returns the first address of a list of addresses, such as a radio station's.
    async fn open_address(
        ask: &PullRequest,
        on_step: &(dyn Fn(Step<'_>) + Send + Sync),
    ) -> Result<Result<Self, WebUrl>, PullError> {
        let opened = Flow::open(&ask.url, &ask.net, on_step).await;
        let mut flow = opened.map_err(|error| refused(&ask.url, error))?;
        let whole = flow.length();
        let (body, start) = sniff(&mut flow).await?;
        let mut pace = if whole.is_some() { PlayPace::Recorded } else { PlayPace::Live };
        let single = |form, flow| {
            PulledFormat::Single(Box::new(Single::new(form, flow, &start, whole, ask)))
        };
        let form = match body {
            Body::Flv => single(resync::StreamFormat::Flv, flow),
            Body::Ts => single(resync::StreamFormat::Ts, flow),
            Body::Indexed(format) => {
                pace = PlayPace::Recorded;
                let film = IndexedFile::open(format, flow, &start, whole, ask).await?;
                PulledFormat::Indexed(Box::new(film))
            }
            Body::Playlist => {
                let text = timeout(PLAYLIST_TIMEOUT, rest(&mut flow, start)).await;
                let late = || PullError::no_stream(problem!("play-playlist-slow"));
                let text = text.map_err(|_| late())??.freeze();
                if let Some(next) = hls::first_address(&text).map(|next| flow.url().join(&next)) {
                    return next.map(Err).map_err(|error| PullError::no_stream((&error).into()));
                }
                let hls = Hls::open(&text, flow.url(), ask).await?;
                pace = hls.pace();
                PulledFormat::Hls(Box::new(hls))
            }
        };
        Ok(Ok(Self { form, url: ask.url.clone(), pace, pace_reported: false }))
    }

    /// Returns the pace of playback.
    pub(crate) fn pace(&self) -> PlayPace {
        self.pace
    }

    /// Returns the duration, if it is known so far and seeking is possible.
    pub(crate) fn duration(&mut self) -> Option<Duration> {
        match &mut self.form {
            PulledFormat::Hls(hls) => hls.duration(),
            PulledFormat::Indexed(film) => film.duration(),
            PulledFormat::Single(single) => single.duration(),
        }
    }

    /// Returns the duration after waiting for the server's answer.
    pub(crate) async fn settle(&mut self) -> Option<Duration> {
        match &mut self.form {
            PulledFormat::Hls(hls) => hls.duration(),
            PulledFormat::Indexed(film) => film.settle().await,
            PulledFormat::Single(single) => single.settle().await,
        }
    }

    /// Returns the contents of a file, if known in advance.
    pub(crate) fn index(&self) -> Option<&Index> {
        match &self.form {
            PulledFormat::Indexed(film) => Some(film.index()),
            PulledFormat::Hls(_) | PulledFormat::Single(_) => None,
        }
    }

    /// Returns true if seeking is possible or may become possible.
    pub(crate) fn may_be_moved(&mut self) -> bool {
        match &mut self.form {
            PulledFormat::Hls(hls) => hls.duration().is_some(),
            PulledFormat::Indexed(film) => film.may_be_moved(),
            PulledFormat::Single(single) => single.may_be_moved(),
        }
    }

    /// Returns true during the search for a position in a recording. The search has a separate time
    /// limit.
    pub(crate) fn is_looking(&self) -> bool {
        match &self.form {
            PulledFormat::Single(single) => single.is_looking(),
            PulledFormat::Indexed(film) => film.is_looking(),
            PulledFormat::Hls(_) => false,
        }
    }

    /// Returns true for playlists, whose reader has its own time limits.
    pub(crate) fn is_list(&self) -> bool {
        matches!(self.form, PulledFormat::Hls(_))
    }

    /// Returns true if a recording was interrupted, and may continue where it stopped.
    pub(crate) fn can_go_on(&mut self) -> bool {
        match &mut self.form {
            PulledFormat::Single(single) => single.can_go_on(),
            PulledFormat::Indexed(film) => film.can_go_on(),
            PulledFormat::Hls(_) => false,
        }
    }

    /// Requests the rest of an interrupted recording. Returns false if the server sends something
    /// else, possibly temporarily.
    ///
    /// # Errors
    /// Fails if the request fails, or if the file has changed.
    pub(crate) async fn go_on(
        &mut self,
        ask: &PullRequest,
        on_step: &(dyn Fn(Step<'_>) + Send + Sync),
    ) -> Result<bool, PullError> {
        let ask = PullRequest { url: self.url.clone(), ..ask.clone() };
        match &mut self.form {
            PulledFormat::Single(single) => match single.go_on(&ask, on_step).await? {
                Ok(()) => Ok(true),
                Err(Unavailable::OtherPart) => Ok(false),
                Err(Unavailable::Changed) => Err(PullError::changed()),
            },
            // A media file requests its next data itself.
            PulledFormat::Indexed(_) => Ok(true),
            PulledFormat::Hls(_) => Ok(false),
        }
    }

    /// Seeks to this position. Only call this if seeking is [possible](Self::may_be_moved), or
    /// after an [`Item::Listed`].
    pub(crate) fn seek(&mut self, to: Duration) {
        match &mut self.form {
            PulledFormat::Hls(hls) => hls.seek(to),
            PulledFormat::Single(single) => single.seek(to),
            PulledFormat::Indexed(film) => film.seek(to),
        }
    }

    /// Returns the name of the format.
    pub(crate) fn format(&self) -> &'static str {
        match &self.form {
            PulledFormat::Single(single) => single.format(),
            PulledFormat::Indexed(film) => film.format(),
            PulledFormat::Hls(_) => "hls",
        }
    }

    /// Returns the next item. The call is cancel-safe and waits without a limit.
    ///
    /// # Errors
    /// Fails if the connection fails or the data is invalid.
    pub(crate) async fn next(&mut self) -> Result<Item, PullError> {
        if !std::mem::replace(&mut self.pace_reported, true) {
            return Ok(Item::Pace(self.pace));
        }
        match &mut self.form {
            PulledFormat::Hls(hls) => {
                let item = hls.next().await?;
                if let Item::Pace(pace) = &item {
                    self.pace = *pace;
                }
                Ok(item)
            }
            PulledFormat::Single(single) => single.next().await,
            PulledFormat::Indexed(film) => film.next().await,
        }
    }
}

/// Reads the rest of a playlist.
async fn rest(flow: &mut Flow, mut text: bytes::BytesMut) -> Result<bytes::BytesMut, PullError> {
    while let Some(piece) = flow.next().await? {
        if text.len() + piece.len() > MAX_PLAYLIST_BYTES {
            return Err(PullError::no_stream(problem!("play-playlist-too-long")));
        }
        text.extend_from_slice(&piece);
    }
    Ok(text)
}
