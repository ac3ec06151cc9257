//! Responses to requests for streams that do not exist, have moved, or that the client may not play.

use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::server::access::action::Action;
use crate::server::access::denied::Denied;
use crate::server::access::token::problem::TokenProblem;
use crate::server::event::NoRoom;
use crate::server::registry::http_successor::HttpSuccessor;

/// Returns the response for a path that names no resource.
pub(super) fn nothing_here(path: &str) -> Response {
    if lacks_stream_name(path) {
        return denied(&Denied::NoName);
    }
    (StatusCode::NOT_FOUND, "There is nothing here.\n").into_response()
}

/// Returns true for the path of a resource of a stream, if the stream name is empty.
fn lacks_stream_name(path: &str) -> bool {
    let ends = ["/.flv", "/.m3u8", "/.mpd", "//chat", "//whep", "//whip", "//state", "//code.svg"];
    ends.iter().any(|end| path.ends_with(end)) || path.contains("//hls/")
}

/// Returns the response for a missing stream.
pub(super) fn no_such_stream() -> Response {
    (StatusCode::NOT_FOUND, "There is no such stream.\n").into_response()
}

/// Returns the response for a stream that is at the successor of this server now. The method stays
/// the same, as WHEP requires ("Load balancing and redirections" in draft-ietf-wish-whep).
pub(super) fn moved(successor: &HttpSuccessor, uri: &Uri) -> Response {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let head = [
        (header::LOCATION, format!("{successor}{path}")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (StatusCode::TEMPORARY_REDIRECT, head, "The stream has moved.\n").into_response()
}

/// Returns the response to a viewer for whom there is no room. Caches must not keep it. The reason in the extensions
/// causes a report about the viewer.
pub(super) fn too_many_viewers(why: NoRoom) -> Response {
    let head = [(header::CACHE_CONTROL, "no-store"), (header::RETRY_AFTER, "1")];
    let text = format!("{}\n", why.problem());
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, head, text).into_response();
    response.extensions_mut().insert(why);
    response
}

/// Returns the response to a client that may not play. Caches must not keep it.
pub(super) fn denied(why: &Denied) -> Response {
    denied_to(why, Action::Play)
}

/// Returns the response to a client that may not do this. Caches must not keep it.
pub(super) fn denied_to(why: &Denied, action: Action) -> Response {
    let status = match why {
        Denied::NoName => StatusCode::NOT_FOUND,
        Denied::NoCallback | Denied::Token(TokenProblem::NoKeys) => StatusCode::SERVICE_UNAVAILABLE,
        Denied::NoSecret | Denied::WrongSecret | Denied::NoLogin => StatusCode::UNAUTHORIZED,
        Denied::Token(problem) if !problem.is_elsewhere() => StatusCode::UNAUTHORIZED,
        Denied::Address | Denied::Callback | Denied::Token(_) => StatusCode::FORBIDDEN,
        Denied::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
    };
    let text = format!("{}\n", why.problem(action));
    let mut response = (status, [(header::CACHE_CONTROL, "no-store")], text).into_response();
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        let scheme = if *why == Denied::NoLogin { "Basic realm=\"onair\"" } else { "Bearer" };
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
    }
    if let Denied::TooOften(wait) = why {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_without_a_stream_name_differs_from_other_unknown_paths() {
        for path in ["/live/.flv", "/live/.m3u8", "/a/b/.mpd", "/live//whep", "/live//hls/1.m4s"] {
            assert!(lacks_stream_name(path), "{path}");
        }
        for path in ["/", "/.env", "/live/show.flv", "/live/show", "//", "/live/hls/x"] {
            assert!(!lacks_stream_name(path), "{path}");
        }
    }
}
