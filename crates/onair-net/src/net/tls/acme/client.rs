//! The requests to an authority, over onair's own web client.

use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body::Body as _;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use parking_lot::Mutex;

use crate::net::connect::Options;
use crate::net::web::{Client, Message, StallTimeout, WebUrl};

/// Maximum size of a response in bytes. A chain of certificates has a few kilobytes.
const MAX_RESPONSE_BYTES: usize = 256 << 10;
/// Time limit of a response, from its first byte to its last one.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(20);

/// The wait that the authority asked for with its last error (`Retry-After`).
#[derive(Clone, Debug, Default)]
pub(super) struct WantedWait(Arc<Mutex<Option<Duration>>>);

impl WantedWait {
    pub fn take(&self) -> Option<Duration> {
        self.0.lock().take()
    }

    /// Notes the answer with this status and this field, which has seconds. Authorities also use it while they work on a
    /// request.
    fn note(&self, status: u16, field: Option<&str>) {
        let seconds = field.and_then(|it| it.trim().parse().ok()).filter(|_| status >= 400);
        if let Some(seconds) = seconds {
            *self.0.lock() = Some(Duration::from_secs(seconds));
        }
    }
}

/// The client.
#[derive(Clone, Debug)]
pub(super) struct AcmeClient {
    pub options: Options,
    pub wanted_wait: WantedWait,
}

impl HttpClient for AcmeClient {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.clone();
        Box::pin(async move { exchange(request, client).await.map_err(Error::Other) })
    }
}

async fn exchange(
    request: Request<BodyWrapper<Bytes>>,
    AcmeClient { options, wanted_wait }: AcmeClient,
) -> Result<BytesResponse, Box<dyn StdError + Send + Sync>> {
    let (head, mut body) = request.into_parts();
    let url = WebUrl::parse(&head.uri.to_string()).map_err(|error| error.to_string())?;
    let mut bytes = Bytes::new();
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        if let Ok(data) = frame?.into_data() {
            bytes = data;
        }
    }
    let message = match head.method {
        http::Method::POST => Message {
            method: "POST",
            content_type: Some("application/jose+json"),
            body: &bytes,
            ..Message::default()
        },
        // A nonce comes with GET, too (RFC 8555 §7.2), and without the special case of a body that does not come.
        _ => Message { method: "GET", ..Message::default() },
    };
    let mut client = Client::new(options);
    let received = client.send(&url, &message, &|_| {}).await?;
    wanted_wait.note(received.status(), received.field("retry-after"));
    // The answer to GET has no body, and that to HEAD would have none anyway.
    let status = match received.status() {
        204 if head.method == http::Method::HEAD => 200,
        status => status,
    };
    let mut response = Response::builder().status(status);
    for (name, value) in received.all_fields() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response = response.header(name, value);
        }
    }
    let mut limit = StallTimeout::new(RESPONSE_TIMEOUT, RESPONSE_TIMEOUT);
    let body = client.read(received, MAX_RESPONSE_BYTES, &mut limit).await?;
    let (parts, ()) = response.body(()).map_err(io::Error::other)?.into_parts();
    Ok(BytesResponse { parts, body: Box::new(body) })
}
