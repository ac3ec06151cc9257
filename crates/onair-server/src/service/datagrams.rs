//! Receives the datagrams of the WebRTC port.

use std::sync::Arc;
use std::time::Duration;

use crate::net::webrtc::DatagramSocket;
use crate::server::registry::Registry;
use crate::server::registry::port::OpenPort;
use crate::server::webrtc::endpoint::MAX_DATAGRAM_BYTES;

/// Pause after a socket error.
const SOCKET_ERROR_PAUSE: Duration = Duration::from_millis(10);
/// Time for which the datagrams of a crowd gather in the socket, so that one wake-up of the system takes many.
const GATHER_TIME: Duration = Duration::from_millis(2);
/// Maximum number of datagrams that are taken before other tasks run.
const MAX_DATAGRAMS_PER_TURN: usize = 256;

/// Passes datagrams to their sessions until the port closes.
pub(super) async fn receive(socket: Arc<DatagramSocket>, registry: Arc<Registry>, open: OpenPort) {
    let whep = &registry.webrtc;
    let stopped = open.closing(&registry);
    tokio::pin!(stopped);
    let mut buffer = vec![0; MAX_DATAGRAM_BYTES];
    loop {
        let mut received = tokio::select! {
            biased;
            () = &mut stopped => return,
            received = socket.receive(&mut buffer) => received,
        };
        if received.is_err() {
            tokio::time::sleep(SOCKET_ERROR_PAUSE).await;
        }
        let mut taken = 0;
        while let Ok((length, from)) = received {
            whep.deliver(buffer.get(..length).unwrap_or_default(), from);
            taken += 1;
            if taken == MAX_DATAGRAMS_PER_TURN {
                break;
            }
            received = socket.try_receive(&mut buffer);
        }
        if taken < MAX_DATAGRAMS_PER_TURN && whep.has_crowd() {
            tokio::time::sleep(GATHER_TIME).await;
        }
    }
}
