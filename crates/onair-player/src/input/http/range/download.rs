//! A download with its progress. After an interruption, it continues on another connection if its
//! length is known; without a length, it is a broadcast.

use bytes::Bytes;

use crate::net::web::{Flow, Span, Unavailable, WebUrl};
use crate::net::{self, Step};

/// See the module documentation.
#[derive(Debug)]
pub(in crate::input::http) struct Download {
    flow: Flow,
    taken: u64,
    /// The total length in bytes, if announced.
    whole: Option<u64>,
    /// The validator (ETag or date) of the file's version.
    mark: Option<String>,
}

impl Download {
    /// Creates a download from `flow`, of which `taken` bytes were read. `whole` is the total
    /// length.
    pub(in crate::input::http) fn new(flow: Flow, taken: u64, whole: Option<u64>) -> Self {
        let mark = flow.mark().map(str::to_owned);
        Self { flow, taken, whole, mark }
    }

    /// Returns the position of the next bytes.
    pub(in crate::input::http) fn taken(&self) -> u64 {
        self.taken
    }

    /// Returns the next bytes, or `None` at the end. The call is cancel-safe and waits without a
    /// limit.
    pub(in crate::input::http) async fn next(&mut self) -> Result<Option<Bytes>, net::Error> {
        let piece = self.flow.next().await?;
        self.taken += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        Ok(piece)
    }

    /// Returns true if the rest can be requested.
    pub(in crate::input::http) fn can_go_on(&self) -> bool {
        self.whole.is_some_and(|whole| self.taken < whole)
    }

    /// Requests the rest of the file, or returns why the server refuses it.
    pub(in crate::input::http) async fn go_on(
        &mut self,
        url: &WebUrl,
        options: &net::Options,
        on_step: &(dyn Fn(Step<'_>) + Send + Sync),
    ) -> Result<Result<(), Unavailable>, net::Error> {
        let Some(until) = self.whole else { return Ok(Err(Unavailable::OtherPart)) };
        let span = Span { from: self.taken, until };
        let rest = Flow::open_span(url, span, self.mark.as_deref(), options, on_step).await?;
        Ok(rest.map(|flow| self.flow = flow))
    }
}
