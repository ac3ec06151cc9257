//! Parts of a recording on a web server, asked for one after the other. What the server says of them is
//! looked at: who gives other bytes than were asked for gives none.

use std::time::Duration;

use bytes::Bytes;

use crate::net::web::{Client, Patience, Span, WebUrl};
use crate::net::{self, Options};

/// Silence is borne for so long, and a part has come by then.
const QUIET: Duration = Duration::from_secs(4);
const WHOLE: Duration = Duration::from_secs(8);

/// See the module.
#[derive(Debug)]
pub(super) struct Parts {
    client: Client,
    url: WebUrl,
    whole: u64,
}

impl Parts {
    /// Of what stands there and is so many bytes long.
    pub fn new(url: WebUrl, options: Options, whole: u64) -> Self {
        Self { client: Client::new(options), url, whole }
    }

    /// Bytes in all.
    pub fn whole(&self) -> u64 {
        self.whole
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
        if !answer.is_part(span, self.whole) {
            return Ok(None);
        }
        let mut patience = Patience::new(QUIET, WHOLE);
        let bytes = self.client.read(answer, most, &mut patience).await?;
        Ok((bytes.len() == most).then_some(bytes))
    }
}
