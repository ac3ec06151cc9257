//! A request over HTTP/2 in the form of HTTP/1.1, which all handlers read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::uri::{PathAndQuery, Uri};
use axum::http::{HeaderValue, Request, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// Maximum size of the header of a request in bytes. A larger one, and in HTTP/1.1 one with more than 100 fields, gets
/// status 431 (RFC 6585 §5).
pub(super) const MAX_HEADER_BYTES: usize = 16 << 10;

/// Moves the authority of a request from the address into `Host` (RFC 9113 §8.3.1).
///
/// # Errors
/// Fails with 400 if the request has none, or names two hosts.
pub(super) fn as_over_http1<B>(mut request: Request<B>) -> Result<Request<B>, StatusCode> {
    let uri = std::mem::take(request.uri_mut());
    let mut parts = uri.into_parts();
    let headers = request.headers_mut();
    if let Some(authority) = &parts.authority {
        let host =
            HeaderValue::from_str(authority.as_str()).map_err(|_| StatusCode::BAD_REQUEST)?;
        let mut given = headers.get_all(header::HOST).iter();
        if given.any(|given| !given.as_bytes().eq_ignore_ascii_case(host.as_bytes())) {
            return Err(StatusCode::BAD_REQUEST);
        }
        headers.insert(header::HOST, host);
    }
    if headers.get_all(header::HOST).iter().count() != 1 {
        return Err(StatusCode::BAD_REQUEST);
    }
    let path = parts.path_and_query.take();
    *request.uri_mut() = Uri::from(path.unwrap_or(PathAndQuery::from_static("/")));
    Ok(request)
}

/// The body of a request, which must be there in time. Bodies are short offers and changes.
pub(super) struct TimedBody<B> {
    body: B,
    deadline: Pin<Box<Sleep>>,
}

impl<B> TimedBody<B> {
    pub fn new(body: B, limit: Duration) -> Self {
        Self { body, deadline: Box::pin(sleep(limit)) }
    }
}

impl<B: Body<Data = Bytes, Error = hyper::Error> + Unpin> Body for TimedBody<B> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other)));
        }
        let late = self.deadline.as_mut().poll(cx);
        late.map(|()| Some(Err(io::ErrorKind::TimedOut.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_of_http_2_names_its_host_once() {
        let read = |uri: &str, hosts: &[&str]| {
            let request = Request::builder().uri(uri);
            let request = hosts.iter().fold(request, |it, host| it.header(header::HOST, *host));
            as_over_http1(request.body(()).unwrap()).map(|request| {
                let host = request.headers()[header::HOST].to_str().unwrap().to_owned();
                (host, request.uri().to_string())
            })
        };
        let of = |host: &str, uri: &str| Ok((host.to_owned(), uri.to_owned()));
        assert_eq!(read("https://a.example:8443/live?x=1", &[]), of("a.example:8443", "/live?x=1"));
        assert_eq!(read("https://a.example/live", &["A.example"]), of("a.example", "/live"));
        assert_eq!(read("/live", &["a.example"]), of("a.example", "/live"));
        for (uri, hosts) in [
            ("https://a.example/live", &["b.example"][..]),
            ("https://a.example/live", &["a.example", "b.example"]),
            ("/live", &[]),
            ("/live", &["a.example", "a.example"]),
        ] {
            assert_eq!(read(uri, hosts), Err(StatusCode::BAD_REQUEST), "{uri} {hosts:?}");
        }
    }
}
