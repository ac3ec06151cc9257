//! Connections of HTTP clients: HTTP/1.1, and over TLS also HTTP/2. TLS and ALPN choose the version.

mod http2;
mod idle;
mod request;
mod watch;

use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use parking_lot::Mutex;
use tokio::sync::watch::{Receiver, Sender};

use crate::net::{HttpVersion, Identity, Listener, Stream};
use crate::server::http::caller::Caller;
use crate::server::http::connection::idle::Idle;
use crate::server::http::connection::request::MAX_HEADER_BYTES;
use crate::server::registry::port::OpenPort;
use crate::server::registry::{ConnectionSlot, Registry};

/// Maximum size of a connection's buffer in bytes, for each direction.
const MAX_BUFFER_BYTES: usize = 32 << 10;

/// Serves clients until the port closes. Then it waits until the requests in progress are over. With an identity, the
/// clients use TLS.
pub(super) async fn serve(
    router: Router,
    (listener, identity): (Listener, Option<Arc<Mutex<Identity>>>),
    registry: &Arc<Registry>,
    open: OpenPort,
) {
    let close = Sender::new(false);
    let router = TowerToHyperService::new(router);
    let closed = close.subscribe();
    let serve = move |stream: Stream, address, place: ConnectionSlot| {
        let identity = identity.as_ref().map(|identity| identity.lock().clone());
        let spot = Arc::clone(place.spot());
        let (local, is_secure) = (stream.local_ip(), identity.is_some());
        let caller = Caller { address, spot, local, is_secure, meets: false };
        let connection = (stream, place);
        let (router, closed, registry) = (router.clone(), closed.clone(), Arc::clone(registry));
        match identity {
            None => {
                let stream = Idle::new(connection.0, connection.1, &registry.config.limits);
                tokio::spawn(converse(stream, caller, router, closed));
            }
            Some(identity) => {
                tokio::spawn(secured(connection, identity, caller, router, (closed, registry)));
            }
        }
    };
    open.accept(listener, registry, serve).await;
    close.send_replace(true);
    close.closed().await;
}

/// Answers the requests of one connection over TLS.
async fn secured(
    (stream, place): (Stream, ConnectionSlot),
    identity: Identity,
    caller: Caller,
    router: TowerToHyperService<Router>,
    (close, registry): (Receiver<bool>, Arc<Registry>),
) {
    let peer = caller.address;
    let welcomed = tokio::select! {
        biased;
        () = registry.stopped() => return,
        () = place.evicted() => return,
        welcomed = Box::pin(identity.welcome_web(stream)) => welcomed,
    };
    let limits = &registry.config.limits;
    match welcomed {
        Ok((stream, HttpVersion::Http1)) => {
            converse(Idle::new(stream, place, limits), caller, router, close).await;
        }
        Ok((stream, HttpVersion::Http2)) => {
            http2::converse((stream, place), caller, router, (close, limits)).await;
        }
        Err(cause) => tracing::debug!(%peer, %cause, "the TLS handshake failed"),
    }
}

/// Answers the requests of one connection over HTTP/1.1.
async fn converse(
    stream: Idle,
    caller: Caller,
    router: TowerToHyperService<Router>,
    mut close: Receiver<bool>,
) {
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(caller.clone()));
        router.call(request)
    });
    let mut settings = http1::Builder::new();
    settings.max_header_size(MAX_HEADER_BYTES).max_buf_size(MAX_BUFFER_BYTES);
    let connection = settings.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = close.wait_for(|close| *close) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "an HTTP connection failed");
    }
}
