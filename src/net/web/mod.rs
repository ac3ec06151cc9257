//! Reading from the web: `http`, `https`, `ws` and `wss` (RFC 9110, 9112, 6455) over the same
//! connections, proxies and trust as everything else. It runs on the network runtime.

mod client;
mod socket;
mod stall_timeout;
pub(in crate::net) mod url;

pub use crate::net::error::problem::UrlError;
pub use crate::net::web::url::WebUrl;
pub use client::{Client, Span, WebResponse};
pub use socket::Socket;
pub use stall_timeout::StallTimeout;

use bytes::Bytes;

use crate::net::connect::Options;
use crate::net::error::{Error, Step};

/// Bytes that arrive as long as a stream lasts.
#[derive(Debug)]
pub enum Flow {
    /// The body of an answer.
    Http(Box<WebResponse>),
    /// The binary messages of a WebSocket.
    Socket(Box<Socket>),
}

/// Why a part is unavailable although the server answers.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// The address has another file now.
    Changed,
    /// The server sends the whole file, or another part.
    OtherPart,
}

impl Flow {
    /// Requests a URL, and follows redirects.
    ///
    /// # Errors
    /// Fails with the stage and the cause.
    pub async fn open(
        url: &WebUrl,
        options: &Options,
        on_step: &(dyn Fn(Step<'_>) + Send + Sync),
    ) -> Result<Self, Error> {
        if url.is_websocket() {
            return Ok(Self::Socket(Box::new(Socket::open(url, options, on_step).await?)));
        }
        let answer = Client::new(options.clone()).get(url, None, on_step).await?;
        Ok(Self::Http(Box::new(answer)))
    }

    /// Requests the file at a URL from a position to its end, in the version with this validator.
    ///
    /// # Errors
    /// The same as for [`Flow::open`].
    pub async fn open_span(
        url: &WebUrl,
        span: Span,
        mark: Option<&str>,
        options: &Options,
        on_step: &(dyn Fn(Step<'_>) + Send + Sync),
    ) -> Result<Result<Self, Unavailable>, Error> {
        let answer = match Client::new(options.clone()).get(url, Some(span), on_step).await {
            Ok(answer) => answer,
            // The file was longer before.
            Err(error) if error.is_past_the_end() => return Ok(Err(Unavailable::Changed)),
            Err(error) => return Err(error),
        };
        if answer.is_other(mark) {
            return Ok(Err(Unavailable::Changed));
        }
        Ok(match answer.part() {
            Some((_, Some(whole))) if whole != span.until => Err(Unavailable::Changed),
            Some((its, _)) if its == span => Ok(Self::Http(Box::new(answer))),
            _ => Err(Unavailable::OtherPart),
        })
    }

    /// The next bytes; `None` at the end. It is cancel-safe and waits without a limit.
    ///
    /// # Errors
    /// Fails if the connection is interrupted.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        match self {
            Self::Http(answer) => answer.piece().await,
            Self::Socket(socket) => socket.next().await,
        }
    }

    /// URL after all redirects.
    pub fn url(&self) -> &WebUrl {
        match self {
            Self::Http(answer) => answer.url(),
            Self::Socket(socket) => socket.url(),
        }
    }

    /// The content type (`video/x-flv`), without parameters.
    pub fn content_type(&self) -> Option<&str> {
        match self {
            Self::Http(answer) => answer.content_type(),
            Self::Socket(_) => None,
        }
    }

    /// See [`client::WebResponse::mark`].
    pub fn mark(&self) -> Option<&str> {
        match self {
            Self::Http(answer) => answer.mark(),
            Self::Socket(_) => None,
        }
    }

    /// The remaining bytes if the server announced the length, which means that the data is not a
    /// broadcast.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::Http(answer) => answer.length(),
            Self::Socket(_) => None,
        }
    }
}
