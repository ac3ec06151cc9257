//! WebRTC over HTTP: a client posts an offer, and immediately gets an answer and the URL of the session. A PATCH request
//! to that URL restarts ICE, and a DELETE request ends the session. `whep` is for viewers, `whip` for publishers.

pub(super) mod guests;
pub(crate) mod meeting;
pub(super) mod whep;
pub(super) mod whip;

use std::net::IpAddr;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::server::http::caller::Caller;
use crate::server::registry::Registry;
use crate::server::webrtc::endpoint::{Arrival, Role};
use crate::wire::webrtc::candidates::udp_addresses;
use crate::wire::webrtc::sdp::{Credentials, MAX_OFFER, fragment_ufrag};

const SDP_TYPE: &str = "application/sdp";
const SDP_FRAGMENT_TYPE: &str = "application/trickle-ice-sdpfrag";
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
/// Seconds after which a new attempt is useful.
const RETRY_SECONDS: &str = "2";

/// Returns the response with the answer to an offer, at this URL of the session and with this entity tag of its ICE
/// state.
fn created(registry: &Registry, location: &str, tag: &str, answer: String) -> Response {
    let head = [
        (header::CONTENT_TYPE, SDP_TYPE),
        (header::LOCATION, location),
        (header::CACHE_CONTROL, "no-store"),
        (header::ETAG, tag),
        (ACCEPT_PATCH, SDP_FRAGMENT_TYPE),
    ];
    let mut response = (StatusCode::CREATED, head, answer).into_response();
    for server in &registry.rules().ice_servers {
        if let Ok(mut link) = server.link().expose().parse::<HeaderValue>() {
            link.set_sensitive(true);
            response.headers_mut().append(header::LINK, link);
        }
    }
    response
}

/// Returns true if the body has this type.
fn is_kind(headers: &HeaderMap, kind: &str) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let given = given.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    given.eq_ignore_ascii_case(kind)
}

/// Restarts ICE if the fragment has new credentials. Accepts and ignores the peer's candidates, because its STUN
/// requests identify the peer.
async fn patch(registry: &Registry, role: Role, session: &str, request: Request) -> Response {
    let Some(known) = registry.webrtc.ice(role, session) else { return no_session() };
    let (head, body) = request.into_parts();
    let fragment = match text(&head.headers, body, SDP_FRAGMENT_TYPE).await {
        Ok(fragment) => fragment,
        Err(response) => return *response,
    };
    if !head.headers.contains_key(header::IF_MATCH) {
        return StatusCode::PRECONDITION_REQUIRED.into_response();
    }
    if !has_tag(&head.headers, &known.tag()) {
        return StatusCode::PRECONDITION_FAILED.into_response();
    }
    if fragment_ufrag(&fragment).is_none_or(|ufrag| ufrag == known.remote) {
        return StatusCode::NO_CONTENT.into_response();
    }
    let Some(credentials) = Credentials::of_fragment(&fragment) else {
        let why = "The fragment has no valid ICE credentials.\n";
        return (StatusCode::UNPROCESSABLE_ENTITY, why).into_response();
    };
    let credentials = (credentials.ufrag, credentials.password);
    let restarted = registry.webrtc.restart(role, session, credentials).await;
    match (restarted, registry.webrtc.ice(role, session)) {
        (Some(fragment), Some(names)) => {
            let head = [
                (header::CONTENT_TYPE, SDP_FRAGMENT_TYPE.to_owned()),
                (header::ETAG, names.tag()),
                (header::CACHE_CONTROL, "no-store".to_owned()),
            ];
            (StatusCode::OK, head, fragment).into_response()
        }
        _ => no_session(),
    }
}

/// Returns true if `If-Match` lists this tag (RFC 9110 §13.1.1) or any tag. The examples of the draft have the asterisk
/// in quotation marks.
fn has_tag(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(header::IF_MATCH).into_iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|it| ["*", "\"*\"", tag].contains(&it.trim()))
}

/// Reads the body of a request, which must have this type.
async fn text(headers: &HeaderMap, body: Body, kind: &str) -> Result<String, Box<Response>> {
    if !is_kind(headers, kind) {
        let why = format!("The content type must be {kind}.\n");
        return Err(Box::new((StatusCode::UNSUPPORTED_MEDIA_TYPE, why).into_response()));
    }
    short_text(body).await
}

/// Reads the body of a request of any type, which must be a text.
async fn short_text(body: Body) -> Result<String, Box<Response>> {
    let failed = |status: StatusCode, why: &'static str| Box::new((status, why).into_response());
    let bytes = to_bytes(body, MAX_OFFER).await.map_err(|_| {
        failed(StatusCode::PAYLOAD_TOO_LARGE, "The body is too long, or was cut off.\n")
    })?;
    String::from_utf8(bytes.to_vec())
        .map_err(|_| failed(StatusCode::UNPROCESSABLE_ENTITY, "The body is no text.\n"))
}

/// Returns how a request came.
fn arrival(caller: &Caller, headers: &HeaderMap) -> Arrival {
    // The host of a request from across the internet is that of the server at which guests and studio meet.
    let host = host_address(headers).filter(|_| !caller.meets);
    Arrival { local: caller.local, host, meets: caller.meets }
}

/// Lets the own router pass the peer of a new session, if the peer comes from across the internet.
fn let_in(registry: &Registry, caller: &Caller, role: Role, resource: &str, offer: &str) {
    if caller.meets {
        registry.webrtc.reach(role, resource, udp_addresses(offer));
    }
}

/// Returns the IP address in the `Host` header, if any.
fn host_address(headers: &HeaderMap) -> Option<IpAddr> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split_once(']')?.0.parse().ok();
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name).parse().ok()
}

fn no_session() -> Response {
    (StatusCode::NOT_FOUND, "There is no such session.\n").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asterisk_in_quotation_marks_matches_any_tag() {
        let matches = |lists: &[&str]| {
            let mut headers = HeaderMap::new();
            for list in lists {
                headers.append(header::IF_MATCH, list.parse().unwrap());
            }
            has_tag(&headers, "\"known\"")
        };
        assert!(matches(&["*"]) && matches(&["\"*\""]) && matches(&["\"known\""]));
        assert!(matches(&["\"old\" , \"known\""]) && matches(&["\"old\"", "\"known\""]));
        assert!(!matches(&["\"old\""]) && !matches(&["known"]) && !matches(&[]));
    }

    #[test]
    fn the_address_of_a_host_is_read() {
        let of = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            host_address(&headers).map(|address| address.to_string())
        };
        assert_eq!(of("192.0.2.1:8088").as_deref(), Some("192.0.2.1"));
        assert_eq!(of("192.0.2.1").as_deref(), Some("192.0.2.1"));
        assert_eq!(of("[2001:db8::1]:8088").as_deref(), Some("2001:db8::1"));
        assert_eq!(of("studio.example:8088"), None);
    }
}
