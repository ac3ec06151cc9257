//! WHIP over HTTP (RFC 9725): a publisher posts an offer to `/{app}/{stream}/whip`. The access rules are those of all
//! publishers: addresses, publish keys, tokens, callbacks, and the login of the server as HTTP authentication.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::base::Secret;
use crate::server::access::action::Action;
use crate::server::access::callback::visit::{Call, Visit};
use crate::server::event::{Protocol, Refusal};
use crate::server::http::caller::{Caller, Credentials, client_details};
use crate::server::http::guard;
use crate::server::http::hls::slot::DecisionGuard;
use crate::server::http::path::{encode, encode_name};
use crate::server::http::refusals;
use crate::server::http::webrtc::{
    RETRY_SECONDS, SDP_TYPE, arrival, created, no_session, patch, text,
};
use crate::server::registry::gate::{self, AccessRequest};
use crate::server::registry::{Refused as PublishRefused, Registry};
use crate::server::webrtc::endpoint::Role;
use crate::server::webrtc::whip::session::{AdmittedPublisher, Refused, begin};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::rtmp::stream_name::{MAX_NAME_BYTES, StreamName};

/// The resource of a WHIP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) enum WhipResource {
    /// `/{app}/{stream}/whip`.
    Endpoint,
    /// A session below the endpoint.
    Session(String),
}

/// Splits a path into the stream and the resource.
pub(in crate::http) fn split(path: &str) -> Option<(&str, WhipResource)> {
    if let Some(stream) = path.strip_suffix("/whip") {
        return Some((stream, WhipResource::Endpoint));
    }
    let (stream, session) = path.rsplit_once("/whip/")?;
    Some((stream, WhipResource::Session(session.to_owned()))).filter(|_| !session.contains('/'))
}

/// Answers a WHIP request.
pub(in crate::http) async fn response(
    registry: &Arc<Registry>,
    caller: &Caller,
    names: (&str, &str),
    resource: WhipResource,
    request: Request,
) -> Response {
    if registry.webrtc.endpoint().is_none() {
        return refused(&Refused::Off);
    }
    match (request.method().clone(), resource) {
        (Method::POST, WhipResource::Endpoint) => post(registry, caller, names, request).await,
        (_, resource @ WhipResource::Session(_)) => session(registry, resource, request).await,
        (Method::GET, WhipResource::Endpoint) => {
            (StatusCode::NO_CONTENT, [(header::ACCEPT, SDP_TYPE)]).into_response()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

/// Answers a request about a session.
pub(super) async fn session(
    registry: &Registry,
    resource: WhipResource,
    request: Request,
) -> Response {
    match (request.method().clone(), resource) {
        (Method::DELETE, WhipResource::Session(session)) => {
            let why = problem!("left-unpublished");
            match registry.webrtc.end(Role::Publisher, &session, why) {
                true => StatusCode::OK.into_response(),
                false => no_session(),
            }
        }
        (Method::PATCH, WhipResource::Session(session)) => {
            patch(registry, Role::Publisher, &session, request).await
        }
        (Method::GET | Method::HEAD, WhipResource::Session(session)) => {
            match registry.webrtc.ice(Role::Publisher, &session) {
                Some(_) => StatusCode::NO_CONTENT.into_response(),
                None => no_session(),
            }
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

async fn post(
    registry: &Arc<Registry>,
    caller: &Caller,
    (app, stream): (&str, &str),
    request: Request,
) -> Response {
    if registry.is_draining() {
        let head = [(header::RETRY_AFTER, RETRY_SECONDS)];
        let why = "The server is being replaced. Try again.\n";
        return (StatusCode::SERVICE_UNAVAILABLE, head, why).into_response();
    }
    if app.len().max(stream.len()) > MAX_NAME_BYTES {
        let why = "The name of the application or stream is too long.\n";
        return (StatusCode::URI_TOO_LONG, why).into_response();
    }
    let Credentials { secret, login, .. } = Credentials::of(&request);
    let address = caller.address.ip().to_canonical();
    // A proxy on this computer passes on requests of others, and a browser those of other sites.
    // These are not admitted because of their address alone.
    let is_beyond = address.is_loopback()
        && secret.is_none()
        && login.is_none()
        && !guard::is_local(registry, caller, request.headers());
    let address = if is_beyond { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { address };
    if let Err((status, why)) = log_in(registry, caller, login.as_ref()) {
        let mut response = (status, format!("{why}\n")).into_response();
        let scheme = HeaderValue::from_static("Basic realm=\"onair\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        return response;
    }
    let query = request.uri().query().unwrap_or_default().to_owned();
    // A publisher that returns is recognized by its key, wherever it sends the key.
    let known_by = match &secret {
        Some(key) if query.is_empty() => format!("key={}", key.expose()),
        _ => query.clone(),
    };
    let client = client_details(&request, app, caller.is_secure);
    let encoder = client.client_software.clone();
    let id = registry.next_id();
    let visit = Visit {
        id,
        address,
        protocol: Protocol::Whip,
        app: app.to_owned(),
        stream: stream.to_owned(),
        query,
        secret,
        login,
        client,
    };
    let call = Some(Call::Publish { kind: "live".to_owned() });
    let access = AccessRequest { action: Action::Publish, visit, call };
    let decision = {
        // The receiver of a callback may take as long as a whole request.
        let is_slow = registry.access().callbacks(app).is_some();
        let _deciding = is_slow.then(|| DecisionGuard::new(&caller.spot));
        gate::check(Arc::clone(registry), access).await
    };
    let mut grant = match decision {
        Ok(grant) => grant,
        Err(why) => return refusals::denied_to(&why, Action::Publish),
    };
    let name = StreamName {
        app: app.to_owned(),
        stream: grant.renamed.take().unwrap_or_else(|| stream.to_owned()),
        // A publisher that returns may have another token.
        query: if grant.signer.is_some() { String::new() } else { known_by },
    };
    let (head, body) = request.into_parts();
    let offer = match text(&head.headers, body, SDP_TYPE).await {
        Ok(offer) => offer,
        Err(response) => return *response,
    };
    let arrival = arrival(caller, &head.headers);
    let welcome = registry.is_login_limited();
    let publisher = AdmittedPublisher { id, name, grant, welcome, encoder, guest: None };
    match begin(registry, &offer, (caller.address, arrival), publisher) {
        Ok(begun) => {
            let (app, stream) = (encode(app), encode_name(stream));
            let location = format!("/{app}/{stream}/whip/{}", begun.resource);
            created(registry, &location, &begun.tag, begun.answer)
        }
        Err(why) => refused(&why),
    }
}

/// Checks the login of a publisher, if the server needs one.
fn log_in(
    registry: &Registry,
    caller: &Caller,
    login: Option<&(String, Secret)>,
) -> Result<(), (StatusCode, Problem)> {
    let address = caller.address.ip();
    let Err((cause, why)) = registry.check_password(address, login) else { return Ok(()) };
    let refusal = Refusal {
        protocol: Some(Protocol::Whip),
        ..Refusal::early(address, "publish", (cause, why.clone()))
    };
    registry.reporter.refuse(refusal);
    let status = match cause {
        "too-often" => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::UNAUTHORIZED,
    };
    Err((status, why))
}

pub(super) fn refused(why: &Refused) -> Response {
    let retry = [(header::RETRY_AFTER, RETRY_SECONDS)];
    match why {
        Refused::Off => {
            let why = "WHIP is off at this server, by the setting `webrtc`.\n";
            (StatusCode::NOT_FOUND, why).into_response()
        }
        Refused::Offer(why) => {
            (StatusCode::UNPROCESSABLE_ENTITY, format!("{why}\n")).into_response()
        }
        Refused::Full => {
            let why = "The server has too many connections.\n";
            (StatusCode::SERVICE_UNAVAILABLE, retry, why).into_response()
        }
        Refused::Stream(refused, why) => {
            let status = match refused {
                PublishRefused::Taken => StatusCode::CONFLICT,
                PublishRefused::Full | PublishRefused::AppFull(_) => {
                    StatusCode::SERVICE_UNAVAILABLE
                }
            };
            (status, retry, format!("{why}\n")).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_an_endpoint_or_a_session() {
        assert_eq!(split("live/show/whip"), Some(("live/show", WhipResource::Endpoint)));
        assert_eq!(split("a/b/c/whip/5f"), Some(("a/b/c", WhipResource::Session("5f".into()))));
        assert_eq!(split("live/show/whip/5f/x"), None);
        assert_eq!(split("live/whipper"), None);
    }
}
