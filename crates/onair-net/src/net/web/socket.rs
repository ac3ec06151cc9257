//! A WebSocket (RFC 6455). For streams, the socket returns the bytes of binary messages; for chat,
//! it exchanges text messages. Messages and frames have size limits.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Request, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as Tungstenite, Message};

use super::WebUrl;
use crate::base::Secret;
use crate::net::connect;
use crate::net::connect::Options;
use crate::net::error::{Cause, ConnectStage, Error, Step, WebProblem};
use crate::net::stream::Stream;
use crate::net::web::client::follow;
use crate::text::problem::problem;

/// Time limit of the handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum number of redirects.
const MAX_REDIRECTS: usize = 5;
/// Maximum size of a message in bytes. The largest keyframes are several megabytes long.
const MAX_MESSAGE_BYTES: usize = 8 << 20;
/// Maximum size of a text message for a program, in bytes.
const MAX_TEXT_BYTES: usize = 512 << 10;
/// Time limit for the last message.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(300);

/// An open WebSocket.
#[derive(Debug)]
pub struct Socket {
    inner: WebSocketStream<Stream>,
    url: WebUrl,
}

impl Socket {
    /// Connects and performs the handshake, and follows redirects.
    ///
    /// # Errors
    /// Fails with the stage and the cause.
    pub async fn open(
        url: &WebUrl,
        options: &Options,
        on_step: &(dyn Fn(Step<'_>) + Send + Sync),
    ) -> Result<Self, Error> {
        let has_credentials = url.has_credentials();
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let endpoint = url.endpoint();
            let fail =
                |cause| Error { stage: ConnectStage::Request, cause, peer: endpoint.to_string() };
            let request = request(&url).map_err(fail)?;
            let stream = connect(&endpoint, options, on_step).await?;
            on_step(Step::Stage(ConnectStage::Request));
            let config = WebSocketConfig::default()
                .max_message_size(Some(MAX_MESSAGE_BYTES))
                .max_frame_size(Some(MAX_MESSAGE_BYTES));
            let handshake =
                tokio_tungstenite::client_async_with_config(request, stream, Some(config));
            match timeout(HANDSHAKE_TIMEOUT, handshake).await {
                Err(_) => return Err(fail(Cause::TimedOut { after: HANDSHAKE_TIMEOUT })),
                Ok(Ok((inner, _))) => return Ok(Self { inner, url }),
                Ok(Err(Tungstenite::Http(response))) if response.status().is_redirection() => {
                    let to = response.headers().get(header::LOCATION);
                    let to = to.and_then(|to| to.to_str().ok()).unwrap_or_default();
                    url = follow(&url, to).map_err(fail)?;
                    let with_password = url.has_credentials() || !has_credentials;
                    on_step(Step::Elsewhere { to: &url.to_string(), with_password });
                }
                Ok(Err(Tungstenite::Http(response))) => {
                    let status = response.status();
                    let reason = status.canonical_reason().unwrap_or_default().to_owned();
                    let (status, cookie) = (status.as_u16(), false);
                    return Err(fail(Cause::Answer { status, reason, cookie }));
                }
                Ok(Err(error)) => return Err(fail(cause(&error))),
            }
        }
        let cause = Cause::Web(WebProblem::RoundAndRound);
        Err(Error { stage: ConnectStage::Request, cause, peer: url.endpoint().to_string() })
    }

    /// Connects with a token for the server (RFC 6750), and performs the handshake. Redirects are not followed, because
    /// the token is for this server alone.
    ///
    /// # Errors
    /// Fails with the stage and the cause.
    pub async fn open_with_token(
        url: &WebUrl,
        token: &Secret,
        options: &Options,
    ) -> Result<Self, Error> {
        let endpoint = url.endpoint();
        let fail =
            |cause| Error { stage: ConnectStage::Request, cause, peer: endpoint.to_string() };
        let mut request = request(url).map_err(fail)?;
        if let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", token.expose())) {
            value.set_sensitive(true);
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        let stream = connect(&endpoint, options, &|_| {}).await?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_TEXT_BYTES))
            .max_frame_size(Some(MAX_TEXT_BYTES));
        let handshake = tokio_tungstenite::client_async_with_config(request, stream, Some(config));
        match timeout(HANDSHAKE_TIMEOUT, handshake).await {
            Err(_) => Err(fail(Cause::TimedOut { after: HANDSHAKE_TIMEOUT })),
            Ok(Ok((inner, _))) => Ok(Self { inner, url: url.clone() }),
            Ok(Err(Tungstenite::Http(response))) => {
                let status = response.status();
                let reason = status.canonical_reason().unwrap_or_default().to_owned();
                Err(fail(Cause::Answer { status: status.as_u16(), reason, cookie: false }))
            }
            Ok(Err(error)) => Err(fail(cause(&error))),
        }
    }

    /// Returns the local address of the connection.
    pub fn local_ip(&self) -> Option<IpAddr> {
        self.inner.get_ref().local_ip()
    }

    /// Closes the connection, so that the other side knows that it was on purpose.
    pub async fn close(mut self) {
        let _ = timeout(CLOSE_TIMEOUT, self.inner.close(None)).await;
    }

    /// Returns the bytes of the next binary message, or `None` once the server closes properly.
    /// This function is cancel-safe, and waits without a limit.
    ///
    /// # Errors
    /// Fails if the connection is interrupted, or the server violates the protocol.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            match self.inner.next().await {
                Some(Ok(Message::Binary(bytes))) => return Ok(Some(bytes)),
                None | Some(Ok(Message::Close(_)) | Err(Tungstenite::ConnectionClosed)) => {
                    return Ok(None);
                }
                // Pings are answered automatically; text messages are not part of a stream.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(self.broken(&error)),
            }
        }
    }

    /// Returns the next text message, or an empty text for a ping. Returns `None` once the server
    /// closes properly. This function is cancel-safe, and waits without a limit.
    ///
    /// # Errors
    /// Fails if the connection is interrupted, or the server violates the protocol.
    pub async fn next_text(&mut self) -> Result<Option<String>, Error> {
        match self.inner.next().await {
            Some(Ok(Message::Text(text))) => Ok(Some(text.as_str().to_owned())),
            None | Some(Ok(Message::Close(_)) | Err(Tungstenite::ConnectionClosed)) => Ok(None),
            Some(Ok(_)) => Ok(Some(String::new())),
            Some(Err(error)) => Err(self.broken(&error)),
        }
    }

    /// Sends a text message, within ten seconds.
    ///
    /// # Errors
    /// Fails if the connection fails or accepts no data.
    pub async fn send_text(&mut self, text: String) -> Result<(), Error> {
        self.send(Message::Text(text.into())).await
    }

    /// Sends a binary message, within ten seconds.
    ///
    /// # Errors
    /// Fails if the connection fails or accepts no data.
    pub async fn send_bytes(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        self.send(Message::Binary(bytes.into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Error> {
        match timeout(HANDSHAKE_TIMEOUT, self.inner.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.broken(&error)),
            Err(_) => {
                let cause = Cause::NoProgress { after: HANDSHAKE_TIMEOUT };
                let peer = self.url.endpoint().to_string();
                Err(Error { stage: ConnectStage::Media, cause, peer })
            }
        }
    }

    fn broken(&self, error: &Tungstenite) -> Error {
        let peer = self.url.endpoint().to_string();
        Error { stage: ConnectStage::Media, cause: cause(error), peer }
    }

    /// Returns the URL after all redirects.
    pub fn url(&self) -> &WebUrl {
        &self.url
    }
}

fn request(url: &WebUrl) -> Result<Request<()>, Cause> {
    let request = url.bare().into_client_request().map_err(|error| cause(&error));
    let mut request = request?;
    let headers = request.headers_mut();
    let agent = HeaderValue::from_static(concat!("onair/", env!("CARGO_PKG_VERSION")));
    headers.insert(header::USER_AGENT, agent);
    if let Some(value) = url.authorization().and_then(|text| HeaderValue::from_str(&text).ok()) {
        headers.insert(header::AUTHORIZATION, value);
    }
    Ok(request)
}

fn cause(error: &Tungstenite) -> Cause {
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    match error {
        Tungstenite::Io(error) => Cause::from_io(error),
        Tungstenite::ConnectionClosed
        | Tungstenite::AlreadyClosed
        | Tungstenite::Protocol(
            ProtocolError::ResetWithoutClosingHandshake | ProtocolError::HandshakeIncomplete,
        ) => Cause::Closed,
        Tungstenite::Capacity(_) => {
            Cause::Protocol(problem!("net-message-too-long", kib = MAX_MESSAGE_BYTES >> 10))
        }
        other => Cause::Protocol(other.to_string().into()),
    }
}
