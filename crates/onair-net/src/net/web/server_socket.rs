//! The server's end of a WebSocket (RFC 6455), on a connection that carries nothing else. The client
//! may propose subprotocols. Messages have a size limit.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::{ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as Tungstenite, Message};

use crate::net::stream::Stream;

/// Time limit of the handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// Time limit for the close frame, and for the answer to it.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A message that a client sends or receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketMessage {
    Text(String),
    Binary(Bytes),
}

impl SocketMessage {
    /// Returns the length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An open WebSocket to a client.
#[derive(Debug)]
pub struct ServerSocket {
    inner: WebSocketStream<Stream>,
    protocol: Option<&'static str>,
    is_of_page: bool,
}

impl ServerSocket {
    /// Performs the handshake, and accepts the first of these subprotocols that the client
    /// proposes. Returns `None` if the client does not complete the handshake. No message may be
    /// longer than `max_bytes`.
    #[allow(clippy::result_large_err, reason = "the library defines the type of the refusal")]
    pub async fn accept(
        stream: Stream,
        protocols: &[&'static str],
        max_bytes: usize,
    ) -> Option<Self> {
        let (mut chosen, mut is_of_page) = (None, false);
        let choose = |request: &Request, mut response: Response| -> Result<_, ErrorResponse> {
            is_of_page = request.headers().contains_key(ORIGIN);
            let proposed = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).into_iter();
            let proposed = proposed.filter_map(|it| it.to_str().ok());
            let mut proposed = proposed.flat_map(|it| it.split(',').map(str::trim));
            chosen = proposed.find_map(|it| protocols.iter().copied().find(|known| *known == it));
            if let Some(name) = chosen {
                response
                    .headers_mut()
                    .insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(name));
            }
            Ok(response)
        };
        let config = WebSocketConfig::default()
            .max_message_size(Some(max_bytes))
            .max_frame_size(Some(max_bytes));
        let accepted =
            tokio_tungstenite::accept_hdr_async_with_config(stream, choose, Some(config));
        let inner = timeout(HANDSHAKE_TIMEOUT, accepted).await.ok()?.ok()?;
        Some(Self { inner, protocol: chosen, is_of_page })
    }

    /// Returns the accepted subprotocol.
    pub fn protocol(&self) -> Option<&'static str> {
        self.protocol
    }

    /// Returns true if a web page opened the connection: browsers name the page's origin.
    pub fn is_of_page(&self) -> bool {
        self.is_of_page
    }

    /// Returns the next message, or `None` after the end of the connection. A message that is too
    /// long or malformed also ends the connection. This function is cancel-safe.
    pub async fn next(&mut self) -> Option<SocketMessage> {
        loop {
            match self.inner.next().await {
                Some(Ok(Message::Text(text))) => {
                    return Some(SocketMessage::Text(text.as_str().to_owned()));
                }
                Some(Ok(Message::Binary(bytes))) => return Some(SocketMessage::Binary(bytes)),
                None | Some(Ok(Message::Close(_))) => return None,
                // Pings are answered automatically.
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    let code = match error {
                        Tungstenite::Capacity(_) => u16::from(CloseCode::Size),
                        Tungstenite::Utf8(_) => u16::from(CloseCode::Invalid),
                        Tungstenite::Protocol(_) => u16::from(CloseCode::Protocol),
                        _ => return None,
                    };
                    self.close(code, "").await;
                    return None;
                }
            }
        }
    }

    /// Sends a message within `limit`. Returns false if that is not possible.
    pub async fn send(&mut self, message: SocketMessage, limit: Duration) -> bool {
        let message = match message {
            SocketMessage::Text(text) => Message::Text(text.into()),
            SocketMessage::Binary(bytes) => Message::Binary(bytes),
        };
        matches!(timeout(limit, self.inner.send(message)).await, Ok(Ok(())))
    }

    /// Ends the connection with this code and reason, and waits briefly for the client's answer.
    pub async fn close(&mut self, code: u16, reason: &str) {
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        let ended = async {
            if self.inner.send(Message::Close(Some(frame))).await.is_ok() {
                while matches!(self.inner.next().await, Some(Ok(_))) {}
            }
        };
        let _ = timeout(CLOSE_TIMEOUT, ended).await;
    }
}
