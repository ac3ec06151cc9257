//! A listening port and its connections. A port can be closed while the server runs, for example to move it
//! to another address.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::net;
use crate::server::access::admission::Spot;
use crate::server::registry::{ConnectionSlot, Registry};

/// Time limit for the task of a port to drop its socket.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// From this number of connections on, closed ones are removed from the list.
const CLEANUP_THRESHOLD: usize = 64;

/// The side that closes a port. Dropping this side closes the port too.
#[derive(Debug)]
pub(crate) struct Port {
    stop: watch::Sender<bool>,
    connections: Arc<Connections>,
}

/// The side of the listening task. The task drops its socket before it drops this value.
#[derive(Clone, Debug)]
pub(crate) struct OpenPort {
    stop: watch::Receiver<bool>,
    connections: Arc<Connections>,
}

/// The connections of a port. This list does not keep the slots of the connections occupied.
#[derive(Debug, Default)]
struct Connections(Mutex<Vec<(SocketAddr, Weak<Spot>)>>);

/// Creates both sides.
pub(crate) fn port() -> (Port, OpenPort) {
    let (stop, stopped) = watch::channel(false);
    let connections = Arc::<Connections>::default();
    let open = OpenPort { stop: stopped, connections: Arc::clone(&connections) };
    (Port { stop, connections }, open)
}

impl Port {
    /// Accepts no more clients, and waits until the socket is closed. Connections continue.
    pub async fn close(&self) {
        self.stop.send_replace(true);
        // A hanging task costs only the port: the next socket cannot be bound, and the error is reported.
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, self.stop.closed()).await;
    }

    /// Disconnects all clients of other computers.
    pub fn disconnect_others(&self, registry: &Registry) {
        for (peer, spot) in self.connections.0.lock().drain(..) {
            if let Some(spot) = spot.upgrade().filter(|_| !peer.ip().to_canonical().is_loopback()) {
                registry.admission.evict(&spot);
            }
        }
    }
}

impl OpenPort {
    /// Waits until somebody closes the port, or until the server ends.
    pub async fn closing(&self, registry: &Registry) {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            () = registry.stopped() => {}
            // The other side may also be dropped.
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    /// Passes clients to `serve` until the port closes, or refuses them if there are too many connections.
    pub async fn accept(
        self,
        listener: net::Listener,
        registry: &Arc<Registry>,
        mut serve: impl FnMut(net::Stream, SocketAddr, ConnectionSlot),
    ) {
        let closing = self.closing(registry);
        tokio::pin!(closing);
        loop {
            let (stream, peer) = tokio::select! {
                biased;
                () = &mut closing => break,
                client = registry.accept(&listener) => client,
            };
            match registry.admit(peer) {
                Some(place) => {
                    self.note(peer, &place);
                    serve(stream, peer, place);
                }
                None => tracing::debug!(%peer, "refused a connection: too many connections"),
            }
        }
        // A task that waits for the end of `self` may use the address again.
        drop(listener);
    }

    /// Adds a connection.
    pub fn note(&self, peer: SocketAddr, slot: &ConnectionSlot) {
        let mut connections = self.connections.0.lock();
        if connections.len() >= CLEANUP_THRESHOLD && connections.len() == connections.capacity() {
            connections.retain(|(_, spot)| spot.strong_count() > 0);
        }
        connections.push((peer, Arc::downgrade(slot.spot())));
    }
}
