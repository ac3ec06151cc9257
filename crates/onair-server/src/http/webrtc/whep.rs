//! WHEP over HTTP (draft-ietf-wish-whep): a client posts an offer to `/{app}/{stream}/whep`, and
//! immediately gets an answer and the URL of the session. A DELETE request to that URL ends the session.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::server::access::grant::AdmittedViewer;
use crate::server::http::caller::Caller;
use crate::server::http::path::{encode, encode_name, query_value};
use crate::server::http::refusals::too_many_viewers;
use crate::server::http::webrtc::{
    RETRY_SECONDS, SDP_TYPE, arrival, created, is_kind, let_in, no_session, patch, text,
};
use crate::server::registry::Registry;
use crate::server::renditions::refusal::Refusal;
use crate::server::webrtc::endpoint::Role;
use crate::server::webrtc::whep::choice::selection::Refused;
use crate::server::webrtc::whep::session::begin;
use crate::text::problem::{Problem, problem};

/// Seconds after which a new attempt is useful for a rendition that was refused.
const RENDITION_RETRY_SECONDS: &str = "30";
/// Maximum length of the choice of a rendition.
const MAX_CHOICE_BYTES: usize = 4 << 10;
/// The relation of the resource that chooses a rendition ("Video Layer Selection" in draft-murillo-whep), without
/// its events.
const LAYER_RELATION: &str = "urn:ietf:params:whep:ext:core:layer";

/// The resource of a WHEP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) enum WhepResource {
    /// `/{app}/{stream}/whep`.
    Endpoint,
    /// A session below the endpoint.
    Session(String),
    /// The resource that chooses the rendition for a session.
    Layer(String),
}

/// Splits a path into the stream and the resource.
pub(in crate::http) fn split(path: &str) -> Option<(&str, WhepResource)> {
    if let Some(stream) = path.strip_suffix("/whep") {
        return Some((stream, WhepResource::Endpoint));
    }
    let (stream, session) = path.rsplit_once("/whep/")?;
    if let Some(session) = session.strip_suffix("/layer").filter(|it| !it.contains('/')) {
        return Some((stream, WhepResource::Layer(session.to_owned())));
    }
    Some((stream, WhepResource::Session(session.to_owned()))).filter(|_| !session.contains('/'))
}

/// Answers a WHEP request.
pub(in crate::http) async fn response(
    registry: &Arc<Registry>,
    (caller, viewer): (&Caller, AdmittedViewer),
    names: (&str, &str),
    resource: WhepResource,
    request: Request,
) -> Response {
    if registry.webrtc.endpoint().is_none() {
        return refused(&Refused::Off);
    }
    match (request.method().clone(), resource) {
        (Method::POST, WhepResource::Endpoint) => {
            post(registry, (caller, viewer), names, request).await
        }
        (Method::GET, WhepResource::Endpoint) => {
            (StatusCode::NO_CONTENT, [(header::ACCEPT, SDP_TYPE)]).into_response()
        }
        // Players use this to check for WHEP support.
        (Method::HEAD, WhepResource::Endpoint) => {
            [(header::CONTENT_TYPE, SDP_TYPE)].into_response()
        }
        (Method::DELETE, WhepResource::Session(session)) => {
            if registry.webrtc.end(Role::Viewer, &session, problem!("left-player")) {
                StatusCode::OK.into_response()
            } else {
                no_session()
            }
        }
        (Method::POST, WhepResource::Layer(session)) => layer(registry, &session, request).await,
        (Method::PATCH, WhepResource::Session(session)) => {
            patch(registry, Role::Viewer, &session, request).await
        }
        (Method::GET | Method::HEAD, WhepResource::Session(session)) => {
            match registry.webrtc.ice(Role::Viewer, &session) {
                Some(_) => StatusCode::NO_CONTENT.into_response(),
                None => no_session(),
            }
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

async fn post(
    registry: &Arc<Registry>,
    (caller, viewer): (&Caller, AdmittedViewer),
    (app, stream): (&str, &str),
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let offer = match text(&head.headers, body, SDP_TYPE).await {
        Ok(offer) => offer,
        Err(response) => return *response,
    };
    let arrival = arrival(caller, &head.headers);
    let rendition = query_value(head.uri.query().unwrap_or_default(), "rendition");
    let wanted = (&*offer, rendition.as_deref());
    match begin(registry, (app, stream), wanted, (caller.address, arrival), viewer).await {
        Ok(begun) => {
            let_in(registry, caller, Role::Viewer, &begun.resource, &offer);
            let (app, stream) = (encode(app), encode_name(stream));
            let location = format!("/{app}/{stream}/whep/{}", begun.resource);
            let mut response = created(registry, &location, &begun.tag, begun.answer);
            if begun.has_choice {
                let link = format!("<{location}/layer>; rel=\"{LAYER_RELATION}\"");
                if let Ok(link) = link.parse::<HeaderValue>() {
                    response.headers_mut().append(header::LINK, link);
                }
            }
            response
        }
        Err(why) => refused(&why),
    }
}

/// The choice of a rendition: its name as `encodingId`, or no name for the best one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LayerChoice {
    encoding_id: Option<String>,
}

/// Chooses the rendition for a session.
async fn layer(registry: &Registry, session: &str, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if !is_kind(&head.headers, "application/json") {
        let why = "The content type must be application/json.\n";
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, why).into_response();
    }
    let bytes = to_bytes(body, MAX_CHOICE_BYTES).await.unwrap_or_default();
    let Ok(LayerChoice { encoding_id }) = serde_json::from_slice(&bytes) else {
        let why = "The body must be JSON, such as {\"encodingId\":\"480p\"}.\n";
        return (StatusCode::UNPROCESSABLE_ENTITY, why).into_response();
    };
    match registry.webrtc.choose(session, encoding_id).await {
        Some(Ok(())) => StatusCode::OK.into_response(),
        Some(Err(why)) => refused(&Refused::Rendition(why)),
        None => no_session(),
    }
}

fn refused(why: &Refused) -> Response {
    // Clients interpret 406 as a counter-offer from the server.
    match why {
        Refused::Off => {
            let why = "WHEP is off at this server, by the setting `webrtc`.\n";
            (StatusCode::NOT_FOUND, why).into_response()
        }
        Refused::NotPublished => {
            let head = [(header::RETRY_AFTER, RETRY_SECONDS)];
            (StatusCode::CONFLICT, head, "Nobody publishes this stream now.\n").into_response()
        }
        Refused::Unplayable(why) => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, why.text()).into_response()
        }
        Refused::Offer(why) => {
            (StatusCode::UNPROCESSABLE_ENTITY, format!("{why}\n")).into_response()
        }
        Refused::Rendition(why @ Refusal::Absent) => {
            (StatusCode::NOT_FOUND, format!("{}\n", Problem::from(why))).into_response()
        }
        Refused::Rendition(why) => {
            let head = [(header::RETRY_AFTER, RENDITION_RETRY_SECONDS)];
            let why = format!("{}\n", Problem::from(why));
            (StatusCode::SERVICE_UNAVAILABLE, head, why).into_response()
        }
        Refused::Full(why) => too_many_viewers(*why),
        // The next attempt needs a key or token that is valid at that time.
        Refused::Expelled => {
            let head = [(header::RETRY_AFTER, RETRY_SECONDS)];
            let why = "The play key has just changed.\n";
            (StatusCode::SERVICE_UNAVAILABLE, head, why).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Runtime;
    use crate::server::access::denied::Denied;
    use crate::server::access::token::problem::TokenProblem;
    use crate::server::event::NoRoom;
    use crate::server::http::refusals::denied;

    #[test]
    fn paths_name_an_endpoint_or_a_session() {
        assert_eq!(split("live/show/whep"), Some(("live/show", WhepResource::Endpoint)));
        assert_eq!(split("a/b/c/whep/5f"), Some(("a/b/c", WhepResource::Session("5f".into()))));
        let layer = Some(("live/show", WhepResource::Layer("5f".into())));
        assert_eq!(split("live/show/whep/5f/layer"), layer);
        assert_eq!(split("live/show/whep/5f/x"), None);
        assert_eq!(split("live/whepper"), None);
    }

    /// The page reads the words, because the status is the same as for a busy encoder.
    #[test]
    fn the_viewer_page_knows_how_the_refusals_begin() {
        let page = include_str!("../../../../../assets/web/whep.js");
        let runtime = Runtime::start().unwrap();
        let callback = denied(&Denied::NoCallback);
        let no_keys = denied(&Denied::Token(TokenProblem::NoKeys));
        let [server, stream, address] = [NoRoom::Server, NoRoom::Stream(3), NoRoom::Address]
            .map(|why| refused(&Refused::Full(why)));
        for response in [server, stream, address, refused(&Refused::Expelled), callback, no_keys] {
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            let body = runtime.block_on(to_bytes(response.into_body(), usize::MAX)).unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            let mut quoted = page.split('\'').filter(|words| words.len() > 20);
            assert!(quoted.any(|words| body.starts_with(words)), "{body}");
        }
    }

    #[test]
    fn a_query_names_a_rendition() {
        let rendition = |query| query_value(query, "rendition");
        assert_eq!(rendition("key=a&rendition=480p").as_deref(), Some("480p"));
        assert_eq!(rendition("key=rendition"), None);
    }
}
