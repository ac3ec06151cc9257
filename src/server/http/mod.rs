//! The server over HTTP: overview page, metrics, HTTP-FLV and WebSocket-FLV, HLS, WHEP, chats,
//! and the viewer page. It has its own address.

mod api;
mod caller;
mod chat;
mod flv;
mod guard;
mod hls;
mod idle;
mod metrics;
mod no_stream;
mod page;
mod path;
mod watch;
mod whep;

use std::sync::Arc;

use axum::extract::connect_info::ConnectInfo;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use axum::{Json, Router};

use serde_json::json;

use crate::net;
use crate::server::http::caller::{Caller, Callers};
use crate::server::http::hls::{HlsRequest, HlsResource};
use crate::server::http::path::split;
use crate::server::registry::Registry;
use crate::server::service::port::OpenPort;

/// Serves until the port is closed or the registry is stopped.
pub(super) async fn serve(listener: net::Listener, registry: Arc<Registry>, open: OpenPort) {
    let router = watch::assets::add_to(Router::new())
        .route("/", get(page::overview))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readiness))
        .route("/metrics", get(metrics::metrics))
        .route("/api/v1/streams", get(api::streams))
        .route("/api/v1/streams/{*path}", get(api::stream).delete(api::end))
        .route("/api/v1/viewers/{id}", delete(api::end_viewer))
        .route("/api/v1/chats/{*path}", get(chat::moderation::chat).patch(chat::moderation::change))
        .fallback(media)
        .layer(from_fn_with_state(Arc::clone(&registry), guard::check))
        .with_state(Arc::clone(&registry));
    let callers = Callers { listener, registry: Arc::clone(&registry), open: open.clone() };
    let service = router.into_make_service_with_connect_info::<Caller>();
    let stopped = async move { open.closing(&registry).await };
    // This never fails, because accepting retries itself.
    let _ = axum::serve(callers, service).with_graceful_shutdown(stopped).await;
}

/// Whether new clients would be served.
async fn readiness(State(registry): State<Arc<Registry>>) -> impl IntoResponse {
    let refusals = registry.refusals();
    let status = match refusals.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(json!({"ready": refusals.is_empty(), "full": refusals})))
}

/// `/{app}/{stream}.flv`, also as a WebSocket, `/{app}/{stream}.m3u8` and the files below
/// `/{app}/{stream}/hls/`, `/{app}/{stream}/whep` and its sessions, `/{app}/{stream}/chat`, and the
/// viewer page `/watch/{app}/{stream}`; the app can contain slashes. (The router does not support suffixes.)
async fn media(
    State(registry): State<Arc<Registry>>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    request: Request,
) -> Response {
    if let Some(((app, stream), resource)) = watch::find(&request) {
        let (headers, query) = (request.headers(), request.uri().query().unwrap_or_default());
        return watch::response(&registry, headers, (&app, &stream), &resource, query);
    }
    let path = request.uri().path().strip_prefix('/').unwrap_or_default();
    if let Some((app, stream)) = path.strip_suffix("/chat").and_then(split) {
        let (mut parts, _) = request.into_parts();
        return match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => chat::upgraded(registry, caller, &parts.headers, &app, &stream, upgrade),
            Err(no) => no.into_response(),
        };
    }
    if let Some((stream, asked)) = whep::split(path)
        && let Some((app, stream)) = split(stream)
    {
        return whep::response(&registry, &caller, (&app, &stream), asked, request).await;
    }
    let below = path.rsplit_once("/hls/").filter(|(_, file)| hls::is_file(file));
    let found = match (below, path.strip_suffix(".m3u8")) {
        (Some((stream, file)), _) => split(stream).map(|names| (names, HlsResource::Below(file))),
        (None, Some(stream)) => split(stream).map(|names| (names, HlsResource::Stream)),
        (None, None) => None,
    };
    if let Some(((app, stream), asked)) = found {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return StatusCode::METHOD_NOT_ALLOWED.into_response();
        }
        let (headers, query) = (request.headers(), request.uri().query().unwrap_or_default());
        let (app, stream) = (&app, &stream);
        let request = HlsRequest { registry: &registry, caller, headers, query, app, stream };
        return hls::response(request, asked).await;
    }
    let name = path.strip_suffix(".flv");
    let Some((app, stream)) = name.and_then(split) else {
        return (StatusCode::NOT_FOUND, "There is nothing here.\n").into_response();
    };
    if request.headers().contains_key(header::UPGRADE) {
        let (mut parts, _) = request.into_parts();
        return match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => flv::upgraded(registry, caller, &app, &stream, upgrade),
            Err(no) => no.into_response(),
        };
    }
    match *request.method() {
        Method::GET => flv::response(registry, caller, &app, &stream),
        Method::HEAD if registry.find(&app, &stream).is_some_and(|s| s.is_published()) => {
            flv::head()
        }
        Method::HEAD => no_stream::no_such_stream(),
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}
