//! The responses of HLS and DASH: their headers for caches, their bodies, and refusals.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body::{Body as _, Frame, SizeHint};

use crate::server::event::Protocol;
use crate::server::hls::viewers::ViewerKey;
use crate::server::http::caller::Caller;
use crate::server::registry::Registry;
use crate::server::renditions::refusal::Refusal;
use crate::text::Problem;

pub(super) const PLAYLIST_TYPE: &str = "application/vnd.apple.mpegurl";
pub(super) const MANIFEST_TYPE: &str = "application/dash+xml";
pub(super) const MP4_MEDIA_TYPE: &str = "video/mp4";
pub(super) const TS_MEDIA_TYPE: &str = "video/mp2t";
/// The answer for codecs that old devices do not know.
pub(super) const UNSUPPORTED_TS_TEXT: &str =
    "MPEG-TS has H.264 or HEVC video here, and AAC or MP3 audio.\n";
/// How long caches keep files: their names are never reused.
const FILE_AGE: &str = "max-age=3600, immutable";
/// How long caches keep the response for a missing file, which may appear soon.
pub(super) const MISSING_FILE_CACHE_CONTROL: &str = "max-age=1";

pub(super) fn viewer_key(caller: &Caller, headers: &HeaderMap, protocol: Protocol) -> ViewerKey {
    let mut hasher = DefaultHasher::new();
    headers.get(header::USER_AGENT).map(HeaderValue::as_bytes).hash(&mut hasher);
    ViewerKey {
        address: caller.address.ip().to_canonical(),
        client_hash: hasher.finish(),
        protocol,
    }
}

/// Returns which caches may keep the media of an application. A shared cache would also send it to addresses that the
/// rules refuse.
pub(super) fn cache_scope(registry: &Registry, app: &str) -> &'static str {
    match registry.access().rules.of(app).play.restricts_addresses() {
        true => "private",
        false => "public",
    }
}

/// Returns which caches keep a file that this request asks for, and how long. Other clients do not have the
/// `Authorization` header of this one.
pub(super) fn file_age(scope: &str, headers: &HeaderMap) -> String {
    let is_authorized = headers.contains_key(header::AUTHORIZATION);
    let scope = if is_authorized { "private" } else { scope };
    format!("{scope}, {FILE_AGE}")
}

/// Returns true if the client has the content with this entity tag.
pub(super) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    known.is_some_and(|known| known.split(',').map(str::trim).any(|it| it == tag || it == "*"))
}

/// The header of a response.
pub(super) struct ResponseHead {
    pub kind: &'static str,
    pub age: String,
    /// The entity tag of exactly these bytes.
    pub tag: String,
}

impl ResponseHead {
    pub fn respond(self, headers: &HeaderMap, body: Body) -> Response {
        let is_known = is_known(headers, &self.tag);
        let head = [(header::CACHE_CONTROL, self.age), (header::ETAG, self.tag)];
        if is_known {
            return (StatusCode::NOT_MODIFIED, head).into_response();
        }
        (head, [(header::CONTENT_TYPE, self.kind)], body).into_response()
    }
}

/// Returns the size of the body that the client gets. With status 304, and for a HEAD request, there is none.
pub(super) fn sent_size(method: &Method, response: &Response) -> u64 {
    match *method == Method::HEAD {
        true => 0,
        false => response.body().size_hint().exact().unwrap_or_default(),
    }
}

pub(super) fn failed(status: StatusCode, why: &'static str) -> Response {
    (status, [(header::CACHE_CONTROL, MISSING_FILE_CACHE_CONTROL)], why).into_response()
}

pub(super) fn missing() -> Response {
    failed(StatusCode::NOT_FOUND, "That segment is not there.\n")
}

/// Returns a response for an overloaded server, which is not cached.
pub(super) fn busy(why: &'static str) -> Response {
    let head = [(header::CACHE_CONTROL, "no-store"), (header::RETRY_AFTER, "1")];
    (StatusCode::SERVICE_UNAVAILABLE, head, why).into_response()
}

/// Returns the response for a viewer whom the operator has just disconnected.
pub(super) fn disconnected() -> Response {
    let head = [(header::CACHE_CONTROL, "no-store")];
    let why = "The operator has disconnected this viewer.\n";
    (StatusCode::FORBIDDEN, head, why).into_response()
}

/// Consecutive chunks, shared by all requests.
pub(super) struct ChunkBody {
    pub chunks: VecDeque<Bytes>,
    pub left: u64,
    pub registry: Arc<Registry>,
}

impl http_body::Body for ChunkBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(chunk) = self.chunks.pop_front() else { return Poll::Ready(None) };
        let length = chunk.len() as u64;
        self.left = self.left.saturating_sub(length);
        self.registry.totals.sent_bytes.fetch_add(length, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.chunks.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Returns the response for a rendition that is not available. Except for an unknown rendition, the
/// response is not cached, because the rendition may become available soon. The CPU load is measured every second.
pub(super) fn refused(why: &Refusal) -> Response {
    if *why == Refusal::Absent {
        return missing();
    }
    let seconds = if why.is_passing() { "2" } else { "30" };
    let head = [(header::CACHE_CONTROL, "no-store"), (header::RETRY_AFTER, seconds)];
    let text = format!("{}\n", Problem::from(why));
    (StatusCode::SERVICE_UNAVAILABLE, head, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_caches_do_not_keep_files_for_authorized_clients() {
        let mut headers = HeaderMap::new();
        assert!(file_age("public", &headers).starts_with("public,"));
        assert!(file_age("private", &headers).starts_with("private,"));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer k3y"));
        assert!(file_age("public", &headers).starts_with("private,"));
    }

    #[test]
    fn an_answer_without_its_body_counts_as_nothing_sent() {
        let sent = |method, headers: &HeaderMap| {
            let (age, tag) = ("no-store".to_owned(), "\"b\"".to_owned());
            let head = ResponseHead { kind: PLAYLIST_TYPE, age, tag };
            sent_size(&method, &head.respond(headers, Body::from("text")))
        };
        let mut headers = HeaderMap::new();
        assert_eq!((sent(Method::GET, &headers), sent(Method::HEAD, &headers)), (4, 0));
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"b\""));
        assert_eq!(sent(Method::GET, &headers), 0);
    }

    #[test]
    fn a_client_retries_soon_after_a_passing_refusal() {
        let seconds = |why| refused(&why).headers()[header::RETRY_AFTER].clone();
        assert_eq!(seconds(Refusal::Busy { percent: 95, is_passing: true }), "2");
        assert_eq!(seconds(Refusal::Busy { percent: 95, is_passing: false }), "30");
    }

    #[test]
    fn a_client_names_the_contents_that_it_has() {
        let known = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static(value));
            is_known(&headers, "\"b\"")
        };
        assert!(known("\"b\"") && known("\"a\", \"b\"") && known("*"));
        assert!(!known("\"a\"") && !known("b") && !known(""));
        assert!(!is_known(&HeaderMap::new(), "\"b\""));
    }
}
