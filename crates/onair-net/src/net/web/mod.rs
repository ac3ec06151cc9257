//! Reading from the web: `http`, `https`, `ws` and `wss` (RFC 9110, 9112, 6455) with the same
//! connections, proxies and trust as in the rest of onair. The code runs on the network runtime.

mod client;
pub(in crate::net) mod http;
mod server_socket;
mod socket;
mod stall_timeout;
pub(in crate::net) mod url;

pub use crate::net::error::problem::UrlError;
pub use crate::net::web::url::WebUrl;
pub use client::{Client, Message, Span, WebResponse};
pub use server_socket::{ServerSocket, SocketMessage};
pub use socket::Socket;
pub use stall_timeout::StallTimeout;

use bytes::Bytes;

use crate::net::connect::Options;
use crate::net::error::{Error, Step};

/// Bytes that arrive as long as a stream lasts.
#[derive(Debug)]
pub enum Flow {
    /// The body of a response.
    Http(Box<WebResponse>),
    /// The binary messages of a WebSocket.
    Socket(Box<Socket>),
}

/// The reason why a part is unavailable although the server answers.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// The address now serves another file.
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

    /// Requests a part of the file at a URL, in the version with this validator. Returns
    /// [`Unavailable`] if the file has changed, or the server returns something else.
    ///
    /// # Errors
    /// Fails with the same errors as [`Flow::open`].
    pub async fn open_span(
        url: &WebUrl,
        span: Span,
        mark: Option<&str>,
        options: &Options,
        on_step: &(dyn Fn(Step<'_>) + Send + Sync),
    ) -> Result<Result<Self, Unavailable>, Error> {
        let answer = match Client::new(options.clone()).get(url, Some(span), on_step).await {
            Ok(answer) => answer,
            // The file was longer earlier, so it has changed.
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

    /// Returns the next bytes, or `None` at the end. This function is cancel-safe, and waits
    /// without a limit.
    ///
    /// # Errors
    /// Fails if the connection is interrupted.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        match self {
            Self::Http(answer) => answer.piece().await,
            Self::Socket(socket) => socket.next().await,
        }
    }

    /// Returns the URL after all redirects.
    pub fn url(&self) -> &WebUrl {
        match self {
            Self::Http(answer) => answer.url(),
            Self::Socket(socket) => socket.url(),
        }
    }

    /// Returns the content type (`video/x-flv`), without parameters.
    pub fn content_type(&self) -> Option<&str> {
        match self {
            Self::Http(answer) => answer.content_type(),
            Self::Socket(_) => None,
        }
    }

    /// Returns the validator of the returned version; see [`client::WebResponse::mark`].
    pub fn mark(&self) -> Option<&str> {
        match self {
            Self::Http(answer) => answer.mark(),
            Self::Socket(_) => None,
        }
    }

    /// Returns the number of remaining bytes if the server announced the length. Such data is not a
    /// broadcast.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::Http(answer) => answer.length(),
            Self::Socket(_) => None,
        }
    }
}
