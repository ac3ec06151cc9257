//! Parts of a recording on a web server, asked for one after the other. What the server says of them is
//! looked at: who gives other bytes than were asked for gives none.

use std::time::Duration;

use bytes::Bytes;

use crate::net::web::{Client, Flow, Patience, Span, WebUrl};
use crate::net::{self, Options};

/// Silence is borne for so long, and a part has come by then.
const QUIET: Duration = Duration::from_secs(4);
const WHOLE: Duration = Duration::from_secs(8);

/// See the module.
#[derive(Debug)]
pub(super) struct Parts {
    client: Client,
    options: Options,
    url: WebUrl,
    whole: u64,
    /// What the server called its state, as long as it did.
    mark: Option<String>,
}

impl Parts {
    /// Of what stands there and is so many bytes long.
    pub fn new(url: WebUrl, options: Options, whole: u64) -> Self {
        Self { client: Client::new(options.clone()), options, url, whole, mark: None }
    }

    /// Of this state of it: where the server names another one, what it gives are no parts of it.
    pub fn of(self, mark: Option<&str>) -> Self {
        Self { mark: mark.map(str::to_owned), ..self }
    }

    /// The same by a connection of its own.
    pub fn anew(&self) -> Self {
        Self::new(self.url.clone(), self.options.clone(), self.whole).of(self.mark.as_deref())
    }

    /// Bytes in all.
    pub fn whole(&self) -> u64 {
        self.whole
    }

    /// The rest of it, as it comes. `None` where the server gives something else.
    ///
    /// # Errors
    /// What went wrong on the way.
    pub async fn rest(&self, from: u64) -> Result<Option<Flow>, net::Error> {
        let span = Span { from, until: self.whole };
        Flow::open_span(&self.url, span, &self.options, &|_| {}).await
    }

    /// At most `length` bytes from `from` on: fewer at the end alone. `None` where the server gives
    /// something else.
    ///
    /// # Errors
    /// What went wrong on the way.
    pub async fn read(&mut self, from: u64, length: u64) -> Result<Option<Bytes>, net::Error> {
        let until = from.saturating_add(length).min(self.whole);
        let Ok(most) = usize::try_from(until.saturating_sub(from)) else { return Ok(None) };
        if most == 0 {
            return Ok(Some(Bytes::new()));
        }
        let span = Span { from, until };
        let answer = self.client.get(&self.url, Some(span), &|_| {}).await?;
        let mark = answer.mark();
        let other = self.mark.is_some() && mark.is_some() && self.mark.as_deref() != mark;
        if other || !answer.is_part(span, self.whole) {
            return Ok(None);
        }
        if self.mark.is_none() {
            self.mark = mark.map(str::to_owned);
        }
        let mut patience = Patience::new(QUIET, WHOLE);
        let bytes = self.client.read(answer, most, &mut patience).await?;
        Ok((bytes.len() == most).then_some(bytes))
    }
}
