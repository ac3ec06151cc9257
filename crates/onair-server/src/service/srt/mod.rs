//! SRT at the server: publishers and players on one UDP port. The stream id says who wants what.
//!
//! `receive` takes the datagrams of the port, and `port` passes those of a known connection to its
//! task. A caller becomes known only after it has returned the cookie, see `net::srt`. Then a task
//! decides about it with the same rules and callbacks as for RTMP, answers, and runs as `publisher`
//! or `viewer`. The publisher's transport stream becomes messages of FLV, as of every publisher, so
//! everything else (RTMP, HLS, WHEP, recordings) works with it. A viewer is a reader of the stream as
//! FLV, which is converted to a transport stream.
//!
//! What must never happen: a datagram of one address that reaches the connection of another one; a
//! task, or an entry in a list, for a caller that has not proven its address; a slow or silent
//! connection that delays others.

mod accepted;
mod ingest;
mod output;
mod port;
mod publisher;
mod receive;
mod session;
mod stream_id;
mod viewer;

use port::SrtPort;
use receive::receive;

use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use crate::net::Runtime;
use crate::net::srt::port::{PortSocket, bind_or_next};
use crate::server::registry::Registry;
use crate::server::registry::config::Listen;
use crate::server::registry::port::{Port, port};
use crate::server::service::listen::{Error, MAX_PORT_TRIES};

/// Opens the UDP port of SRT, or one of the next ports. Returns it with its address.
pub(crate) fn open_port(
    runtime: &Runtime,
    Listen { address, or_next }: Listen,
) -> Result<(Arc<SrtPort>, SocketAddr), Error> {
    let failed = |source| Error { what: "SRT", address, source };
    let tries = if or_next && address.port() != 0 { MAX_PORT_TRIES } else { 0 };
    let socket = bind_or_next(runtime, address, tries).map_err(failed)?;
    let at = socket.local_addr().map_err(failed)?;
    Ok((port::open(socket).map_err(failed)?, at))
}

/// The listening port, and its socket, which the connections share.
#[derive(Debug)]
pub(super) struct SrtListener {
    pub port: Port,
    pub socket: Weak<PortSocket>,
}

/// Serves SRT on this socket.
pub(super) fn serve(
    runtime: &Runtime,
    registry: &Arc<Registry>,
    opened: Arc<SrtPort>,
) -> SrtListener {
    let (port, open) = port();
    let socket = Arc::downgrade(&opened.socket);
    runtime.spawn(receive(open, Arc::clone(registry), opened));
    SrtListener { port, socket }
}
