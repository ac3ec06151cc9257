//! The answer if no stream is published under a name.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// The answer for a missing stream.
pub(super) fn no_such_stream() -> Response {
    (StatusCode::NOT_FOUND, "There is no such stream.\n").into_response()
}
