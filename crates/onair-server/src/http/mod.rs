//! The server over HTTP: operator page and API, metrics, HTTP-FLV and WebSocket-FLV, HLS, DASH, WHEP, WHIP, chats,
//! and the viewer page. The HTTP interface has its own address.

mod assets;
mod caller;
mod chat;
mod closing;
mod connection;
mod flv;
mod guard;
mod hls;
mod metrics;
mod operator;
mod path;
mod refusals;
mod watch;
pub(super) mod webrtc;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::connect_info::ConnectInfo;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use parking_lot::Mutex;
use serde_json::json;

use crate::net::{self, Identity};
use crate::server::access::callback::visit::{Call, Visit};
use crate::server::access::grant::AdmittedViewer;
use crate::server::event::{NoRoom, Protocol, Refusal};
use crate::server::http::caller::{Caller, Credentials, access, client_details, wants_websocket};
use crate::server::http::hls::recorded::RecordedResource;
use crate::server::http::hls::request::{HlsRequest, HlsResource};
use crate::server::http::hls::slot::ActiveGuard;
use crate::server::http::operator::access::rules;
use crate::server::http::operator::{
    drain, events, figures, page, recordings, relays, streams, thumbnail, viewers,
};
use crate::server::http::path::split;
use crate::server::http::watch::WatchResource;
use crate::server::http::webrtc::whep::{self, WhepResource};
use crate::server::http::webrtc::whip::{self, WhipResource};
use crate::server::recordings::opened::VOD_APP;
use crate::server::recordings::playlist::broadcast::EVENT_PLAYLIST_NAME;
use crate::server::registry::Registry;
use crate::server::registry::port::OpenPort;
use crate::server::relay::pulls;

/// Serves until the port is closed or the registry is stopped. With an identity, clients use TLS.
pub(super) async fn serve(
    listener: net::Listener,
    identity: Option<Arc<Mutex<Identity>>>,
    registry: Arc<Registry>,
    open: OpenPort,
) {
    let is_local = listener.local_addr().ip().to_canonical().is_loopback();
    let scope = if identity.is_some() { &registry.https_is_local } else { &registry.http_is_local };
    scope.store(is_local, Ordering::Release);
    let api = Router::new()
        .route("/api/v1/server", get(figures::server))
        .route("/api/v1/streams", get(streams::all))
        .route("/api/v1/streams/{*path}", get(streams::one).delete(streams::end))
        .route("/api/v1/thumbnails/{*path}", get(thumbnail::of_stream))
        .route("/api/v1/viewers", get(viewers::all))
        .route("/api/v1/viewers/{id}", delete(viewers::end))
        .route("/api/v1/chats/{*path}", get(chat::moderation::chat).patch(chat::moderation::change))
        .route("/api/v1/events", get(events::latest))
        .route("/api/v1/recordings", get(recordings::list))
        .route("/api/v1/relays", get(relays::all))
        .route("/api/v1/access", get(rules))
        .route("/api/v1/drain", post(drain::begin))
        .route("/api/v1/recordings/{file}", delete(recordings::delete))
        .route("/api/v1/openapi.json", get(page::openapi))
        .route_layer(from_fn_with_state(Arc::clone(&registry), operator::readers));
    let router =
        webrtc::guests::add_to(webrtc::meeting::add_to(assets::add_to(api), &registry), &registry)
            .route("/", get(page::page))
            .route("/recordings/{file}", get(recordings::file))
            .route("/healthz", get(health))
            .route("/readyz", get(readiness))
            .route("/metrics", get(metrics::metrics))
            .route("/.well-known/acme-challenge/{token}", get(challenge))
            .fallback(media)
            .layer(from_fn_with_state(Arc::clone(&registry), guard::check))
            .layer(from_fn(operator::failures))
            .with_state(Arc::clone(&registry));
    connection::serve(router, (listener, identity), &registry, open).await;
}

/// Returns whether the server works. A full server works too: a restart would only disconnect its
/// clients.
async fn health(State(registry): State<Arc<Registry>>) -> impl IntoResponse {
    let failing: &[&str] = if registry.is_stopping() { &["stopping"] } else { &[] };
    (status_of(failing), Json(json!({"healthy": failing.is_empty(), "failing": failing})))
}

/// Answers the check of an authority that issues the certificate (RFC 8555 §8.3).
async fn challenge(
    State(registry): State<Arc<Registry>>,
    Path(token): Path<String>,
) -> Result<String, StatusCode> {
    registry.challenges.text(&token).ok_or(StatusCode::NOT_FOUND)
}

/// Returns whether the server would accept new clients.
async fn readiness(State(registry): State<Arc<Registry>>) -> impl IntoResponse {
    let refusals = registry.refusals();
    (status_of(&refusals), Json(json!({"ready": refusals.is_empty(), "full": refusals})))
}

fn status_of(reasons: &[&str]) -> StatusCode {
    if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// A resource of a stream.
enum MediaResource {
    /// The viewer page and its data.
    Watch(WatchResource),
    Chat,
    Whep(WhepResource),
    Whip(WhipResource),
    Hls(HlsResource),
    Recorded(RecordedResource),
    /// HTTP-FLV, also as a WebSocket.
    Flv,
}

impl MediaResource {
    /// Returns the application, the stream and the resource of a request; the app can contain
    /// slashes. (The router does not support suffixes.)
    fn find(request: &Request) -> Option<((String, String), Self)> {
        if let Some((names, resource)) = watch::find(request) {
            return Some((names, Self::Watch(resource)));
        }
        let path = request.uri().path().strip_prefix('/').unwrap_or_default();
        if let Some((name, resource)) = RecordedResource::find(path) {
            return Some(((VOD_APP.to_owned(), name), Self::Recorded(resource)));
        }
        if let Some(names) = path.strip_suffix("/chat").and_then(split) {
            return Some((names, Self::Chat));
        }
        if let Some((stream, asked)) = whep::split(path)
            && let Some(names) = split(stream)
        {
            return Some((names, Self::Whep(asked)));
        }
        if let Some((stream, asked)) = whip::split(path)
            && let Some(names) = split(stream)
        {
            return Some((names, Self::Whip(asked)));
        }
        let below = path.rsplit_once("/hls/").filter(|(_, file)| hls::is_file(file));
        if let Some((stream, file)) = below {
            return Some((split(stream)?, Self::Hls(HlsResource::Below(file.to_owned()))));
        }
        if let Some(stream) = path.strip_suffix(".m3u8") {
            return Some((split(stream)?, Self::Hls(HlsResource::Stream)));
        }
        if let Some(stream) = path.strip_suffix(".mpd") {
            return Some((split(stream)?, Self::Hls(HlsResource::Manifest)));
        }
        Some((split(path.strip_suffix(".flv")?)?, Self::Flv))
    }

    /// Returns true if only clients that may play get this resource. The viewer page is the same
    /// for all streams, and the URL of a WHEP session is a secret itself.
    fn is_protected(&self, method: &Method) -> bool {
        match self {
            Self::Watch(resource) => *resource == WatchResource::State,
            Self::Whep(resource) => *resource == WhepResource::Endpoint && *method == Method::POST,
            Self::Chat | Self::Hls(_) | Self::Flv => true,
            // The recorded stream is protected instead, and other rules are for publishers.
            Self::Recorded(_) | Self::Whip(_) => false,
        }
    }

    /// Returns true if the successor of a draining server can answer the request instead. Segments and
    /// sessions are only here.
    fn can_move(&self) -> bool {
        match self {
            Self::Watch(resource) => *resource == WatchResource::Page,
            Self::Whep(resource) => *resource == WhepResource::Endpoint,
            Self::Whip(WhipResource::Endpoint) => true,
            Self::Hls(HlsResource::Below(name)) => {
                name.ends_with(".m3u8") && name != EVENT_PLAYLIST_NAME
            }
            Self::Hls(HlsResource::Stream | HlsResource::Manifest) | Self::Flv | Self::Chat => true,
            Self::Recorded(_) | Self::Whip(WhipResource::Session(_)) => false,
        }
    }

    /// Returns true if the request of a viewer who may play can begin a pull on demand. Segments exist
    /// only if the stream is already on this server.
    fn may_begin_pull(&self, request: &Request) -> bool {
        let is_segment =
            matches!(self, Self::Hls(HlsResource::Below(name)) if !name.ends_with(".m3u8"));
        self.is_protected(request.method()) && self.protocol(request).is_some() && !is_segment
    }

    /// Returns the protocol of a viewer, or `None` if the request does not play.
    fn protocol(&self, request: &Request) -> Option<Protocol> {
        match self {
            Self::Flv if wants_websocket(request.headers()) => Some(Protocol::WsFlv),
            Self::Flv => (*request.method() == Method::GET).then_some(Protocol::HttpFlv),
            Self::Hls(asked) => {
                let dash = *asked == HlsResource::Manifest;
                let protocol = if dash { Protocol::Dash } else { Protocol::Hls };
                // A HEAD request needs the same playlist, so it starts the same work.
                matches!(*request.method(), Method::GET | Method::HEAD).then_some(protocol)
            }
            Self::Whep(_) => Some(Protocol::Whep),
            Self::Watch(_) | Self::Chat | Self::Recorded(_) | Self::Whip(_) => None,
        }
    }
}

/// Serves a resource of a stream, and reports a viewer for whom there is no room.
async fn media(
    State(registry): State<Arc<Registry>>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    request: Request,
) -> Response {
    let Some((names, resource)) = MediaResource::find(&request) else {
        return refusals::nothing_here(request.uri().path());
    };
    let client = (caller.address.ip(), resource.protocol(&request));
    let (app, stream) = names.clone();
    let response = serve_media(Arc::clone(&registry), caller, names, resource, request).await;
    if let Some(why) = response.extensions().get::<NoRoom>() {
        registry.reporter.refuse(Refusal::of_viewer(client, (&app, &stream), *why));
    }
    response
}

/// Serves a resource of a stream to a client that may play it.
async fn serve_media(
    registry: Arc<Registry>,
    caller: Caller,
    (app, mut stream): (String, String),
    resource: MediaResource,
    request: Request,
) -> Response {
    let (mut pass, mut renamed) = (None, false);
    let expelled = registry.expulsions();
    let mut viewer = AdmittedViewer { id: registry.next_id(), done: None, expelled };
    if resource.is_protected(request.method()) {
        let is_hls = matches!(resource, MediaResource::Hls(_));
        let protocol = resource.protocol(&request);
        let Credentials { secret, login, pass: shown } = Credentials::of(&request);
        let visit = Visit {
            id: viewer.id,
            address: caller.address.ip().to_canonical(),
            protocol: protocol.unwrap_or(Protocol::HttpFlv),
            app: app.clone(),
            stream: stream.clone(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            secret,
            login,
            client: client_details(&request, &app, caller.is_secure),
        };
        let call = protocol.map(|_| Call::play());
        let client = (&registry, &caller.spot);
        match access(client, visit, call, (shown.filter(|_| is_hls), None)).await {
            Ok(entry) => {
                pass = entry.pass.filter(|_| is_hls);
                viewer.done = entry.done;
                renamed = entry.renamed.is_some();
                stream = entry.renamed.unwrap_or(stream);
            }
            Err(why) => return refusals::denied(&why),
        }
    }
    // A callback may have renamed the stream.
    if let Some(successor) = registry.moved_to(&app, &stream).filter(|_| resource.can_move()) {
        return refusals::moved(&successor, request.uri());
    }
    if resource.may_begin_pull(&request) {
        // This wait may exceed the time limit of the request.
        let _active = ActiveGuard::new(&registry, &caller.spot);
        pulls::demand_and_wait(&registry, (&app, &stream), caller.address.ip()).await;
    }
    let (headers, query) = (request.headers(), request.uri().query().unwrap_or_default());
    let takes_opus = flv::takes_opus(query, headers);
    match resource {
        MediaResource::Recorded(asked) => {
            hls::recorded::response(&registry, caller, &stream, asked, request).await
        }
        MediaResource::Watch(resource) => {
            watch::response(&registry, headers, (&app, &stream), &resource, query)
        }
        MediaResource::Chat => {
            let (mut parts, _) = request.into_parts();
            match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
                Ok(upgrade) => chat::upgraded(
                    registry,
                    (caller, viewer),
                    &parts.headers,
                    (&app, &stream),
                    upgrade,
                ),
                Err(no) => no.into_response(),
            }
        }
        MediaResource::Whep(asked) => {
            whep::response(&registry, (&caller, viewer), (&app, &stream), asked, request).await
        }
        MediaResource::Whip(asked) => {
            whip::response(&registry, &caller, (&app, &stream), asked, request).await
        }
        MediaResource::Hls(asked) => {
            if !matches!(*request.method(), Method::GET | Method::HEAD) {
                return StatusCode::METHOD_NOT_ALLOWED.into_response();
            }
            let (app, stream, path) = (&app, &stream, request.uri().path());
            let (registry, method) = (&registry, request.method());
            let request = HlsRequest {
                registry,
                caller,
                method,
                headers,
                path,
                query,
                app,
                stream,
                renamed,
                pass,
            };
            hls::response(request, viewer, &asked).await
        }
        MediaResource::Flv if wants_websocket(headers) => {
            let (mut parts, _) = request.into_parts();
            match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
                Ok(upgrade) => {
                    flv::upgraded(registry, (caller, viewer), (&app, &stream), takes_opus, upgrade)
                }
                Err(no) => no.into_response(),
            }
        }
        MediaResource::Flv => match *request.method() {
            Method::GET => flv::response(registry, (caller, viewer), (&app, &stream), takes_opus),
            Method::HEAD if registry.find(&app, &stream).is_some_and(|s| s.is_published()) => {
                flv::head()
            }
            Method::HEAD => refusals::no_such_stream(),
            _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        },
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn a_client_that_offers_http_2_gets_the_stream_over_http() {
        let protocol = |upgrade: &str| {
            let request = axum::http::Request::builder().header("Upgrade", upgrade);
            MediaResource::Flv.protocol(&request.body(Body::empty()).unwrap())
        };
        assert_eq!(protocol("h2c"), Some(Protocol::HttpFlv));
        assert_eq!(protocol("WebSocket"), Some(Protocol::WsFlv));
        assert_eq!(protocol("h2c, websocket"), Some(Protocol::WsFlv));
    }

    #[test]
    fn a_head_request_for_hls_is_a_viewer_like_any_other() {
        let playlist = MediaResource::Hls(HlsResource::Stream);
        let protocol = |method: Method| {
            let request = axum::http::Request::builder().method(method).uri("/live/show.m3u8");
            playlist.protocol(&request.body(Body::empty()).unwrap())
        };
        assert_eq!(protocol(Method::HEAD), Some(Protocol::Hls));
        assert_eq!((protocol(Method::GET), protocol(Method::POST)), (Some(Protocol::Hls), None));
    }
}
