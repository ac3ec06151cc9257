//! Receives the datagrams of the port, and begins the task of each new caller.

use std::sync::Arc;
use std::time::Duration;

use crate::net::srt::MAX_DATAGRAM_BYTES;
use crate::server::registry::Registry;
use crate::server::registry::port::OpenPort;
use crate::server::service::srt::port::{PortAction, SrtPort};
use crate::server::service::srt::session;

/// Pause after a socket error.
const SOCKET_ERROR_PAUSE: Duration = Duration::from_millis(10);
/// Maximum number of datagrams that are taken before other tasks run.
const MAX_DATAGRAMS_PER_TURN: usize = 256;

/// Receives datagrams until the port closes. `open` is dropped last, because whoever waits for its end may use the address
/// again.
pub(crate) async fn receive(open: OpenPort, registry: Arc<Registry>, port: Arc<SrtPort>) {
    let stopped = open.closing(&registry);
    tokio::pin!(stopped);
    let mut buffer = vec![0; MAX_DATAGRAM_BYTES + 1];
    loop {
        let mut received = tokio::select! {
            biased;
            () = &mut stopped => {
                if !registry.is_stopping() {
                    port.disconnect();
                }
                return;
            }
            received = port.socket.recv_from(&mut buffer) => received,
        };
        if received.is_err() {
            tokio::time::sleep(SOCKET_ERROR_PAUSE).await;
        }
        let mut taken = 0;
        while let Ok((length, from)) = received {
            match port.take(buffer.get(..length).unwrap_or_default(), from, &registry) {
                PortAction::Nothing => {}
                // A full buffer of the system loses the answer; the caller asks again.
                PortAction::Answer(answer) => drop(port.socket.try_send_to(&answer, from)),
                PortAction::Caller(call) => session::begin(&registry, &port, &open, *call, from),
            }
            taken += 1;
            if taken == MAX_DATAGRAMS_PER_TURN {
                tokio::task::yield_now().await;
                break;
            }
            received = port.socket.try_recv_from(&mut buffer);
        }
    }
}
