//! HTTP clients: accepted connections, and the client data of each request.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;

use crate::net;
use crate::server::admission::Spot;
use crate::server::http::idle::Idle;
use crate::server::registry::Registry;
use crate::server::service::port::OpenPort;

/// The listener with connection limits.
pub(super) struct Callers {
    pub listener: net::Listener,
    pub registry: Arc<Registry>,
    /// Dropped after the listener.
    pub open: OpenPort,
}

impl axum::serve::Listener for Callers {
    type Io = Idle;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Idle, SocketAddr) {
        loop {
            let (stream, peer) = self.listener.accept().await;
            if let Some(place) = self.registry.admit(peer) {
                self.open.note(peer, &place);
                let limit = self.registry.config.limits.request;
                return (Idle::new(stream, place, limit), peer);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.listener.local_addr())
    }
}

/// The client of a request.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub address: SocketAddr,
    pub spot: Arc<Spot>,
    /// The local address of the connection.
    pub local: Option<IpAddr>,
}

impl Connected<IncomingStream<'_, Callers>> for Caller {
    fn connect_info(stream: IncomingStream<'_, Callers>) -> Self {
        let (address, io) = (*stream.remote_addr(), stream.io());
        Self { address, spot: Arc::clone(io.spot()), local: io.local() }
    }
}
