//! Opens the own router for a peer behind another router: checks go to every address that the peer named, until the
//! peer has answered one of them or the time is over. Routers let in only datagrams from addresses to which they have
//! sent some, so that the peer's own checks arrive afterwards. A TURN server lets them in as well, because the peer's
//! browser has allowed the public address of this port there.
//!
//! The number of addresses and datagrams is small: a peer with a valid link could name the addresses of victims.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::net::webrtc::{DatagramSocket, UdpPath};
use crate::server::webrtc::mailbox::Mailbox;

/// The waits between two rounds of checks, about ten seconds together.
const WAITS_MS: [u64; 14] =
    [20, 50, 100, 200, 300, 500, 500, 750, 1_000, 1_000, 1_000, 1_500, 1_500, 1_500];

/// Number of rounds that follow each other even if the peer has answered: the answer may have come through a TURN
/// server, and a direct path is better.
const MIN_ROUNDS: usize = 7;

/// Sends these checks until the peer has answered.
pub(super) async fn open_router(
    socket: Arc<DatagramSocket>,
    mailbox: Arc<Mailbox>,
    checks: Vec<(SocketAddr, Vec<u8>)>,
) {
    for (round, wait) in WAITS_MS.into_iter().enumerate() {
        if mailbox.is_over() || (round >= MIN_ROUNDS && mailbox.is_reached()) {
            return;
        }
        for (address, check) in &checks {
            // There may be no network route to some of them, such as those in the peer's own network.
            let _ = socket.send(check, UdpPath::from(*address));
        }
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
}
