//! Responses to requests for streams that do not exist, or that the client may not play.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::server::access::action::Action;
use crate::server::access::denied::Denied;

/// Returns the response for a missing stream.
pub(super) fn no_such_stream() -> Response {
    (StatusCode::NOT_FOUND, "There is no such stream.\n").into_response()
}

/// Returns the response to a client that may not play. Caches must not keep it.
pub(super) fn denied(why: &Denied) -> Response {
    let status = match why {
        Denied::NoSecret | Denied::WrongSecret => StatusCode::UNAUTHORIZED,
        Denied::Token(problem) if !problem.is_elsewhere() => StatusCode::UNAUTHORIZED,
        Denied::Address | Denied::Callback | Denied::Token(_) => StatusCode::FORBIDDEN,
        Denied::NoCallback => StatusCode::SERVICE_UNAVAILABLE,
        Denied::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
    };
    let text = format!("{}\n", why.text(Action::Play));
    let mut response = (status, [(header::CACHE_CONTROL, "no-store")], text).into_response();
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Denied::TooOften(wait) = why {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
    }
    response
}
