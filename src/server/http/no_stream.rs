//! The answer if nothing is published under a name.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// There is no such stream, in words.
pub(super) fn no_such_stream() -> Response {
    (StatusCode::NOT_FOUND, "There is no such stream.\n").into_response()
}
