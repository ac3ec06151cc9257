//! ICE over TCP (RFC 6544) for viewers without UDP: connections to the WebRTC port, in which each datagram follows
//! its length (RFC 4571).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use crate::net::listener::Listener;
use crate::net::stream::Stream;
use crate::server::registry::port::OpenPort;
use crate::server::registry::{ConnectionSlot, Registry};
use crate::server::webrtc::endpoint::MAX_DATAGRAM_BYTES;
use crate::server::webrtc::mailbox::Mailbox;
use crate::server::webrtc::path::{Path, TcpLink};

/// Time limit for the first datagram.
const FIRST_DATAGRAM_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit between datagrams. Viewers check the connection every few seconds.
const NEXT_DATAGRAM_TIMEOUT: Duration = Duration::from_secs(30);
/// Time limit for the last packets of a session.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Accepts connections until the port closes.
pub(crate) async fn accept(listener: Listener, registry: Arc<Registry>, open: OpenPort) {
    let serve = |stream, peer, slot| {
        tokio::spawn(converse(stream, peer, slot, Arc::clone(&registry)));
    };
    open.accept(listener, &registry, serve).await;
}

/// Serves a connection. Its first datagram names the session.
async fn converse(
    mut stream: Stream,
    peer: SocketAddr,
    slot: ConnectionSlot,
    registry: Arc<Registry>,
) {
    let mut buffer = vec![0; MAX_DATAGRAM_BYTES];
    let first = tokio::select! {
        biased;
        () = registry.stopped() => return,
        () = slot.evicted() => return,
        first = tokio::time::timeout(FIRST_DATAGRAM_TIMEOUT, read(&mut stream, &mut buffer)) => first,
    };
    let Ok(Ok(first)) = first else {
        return tracing::debug!(%peer, "a TCP connection to the port of WebRTC sent no datagram");
    };
    let Some(mailbox) = registry.webrtc.routes.of_request(first) else {
        return tracing::debug!(%peer, "a TCP connection to the port of WebRTC named no session");
    };
    let Some(place) = mailbox.connect() else { return };
    let (link, packets) = TcpLink::new(peer);
    mailbox.datagram(first, Path::Tcp(Arc::clone(&link)));
    // The session has a slot, which also covers its first connection. Later ones can be evicted.
    let slot = (!place.is_first).then_some(slot);
    let evicted = async {
        match &slot {
            Some(slot) => slot.evicted().await,
            None => std::future::pending().await,
        }
    };
    let stalled = registry.config.limits.stalled_viewer;
    stream.set_user_timeout(stalled);
    let (reader, writer) = tokio::io::split(stream);
    tokio::select! {
        () = registry.stopped() => {}
        () = evicted => {}
        () = receive(reader, &mailbox, &link, buffer) => {}
        () = send(writer, packets, &mailbox, stalled) => {}
    }
}

/// Reads a datagram.
async fn read<'a>(
    stream: &mut (impl tokio::io::AsyncRead + Unpin),
    buffer: &'a mut [u8],
) -> io::Result<&'a [u8]> {
    let length = usize::from(stream.read_u16().await?);
    let place = buffer.get_mut(..length).ok_or(io::ErrorKind::InvalidData)?;
    stream.read_exact(place).await?;
    Ok(place)
}

/// Passes datagrams to the session until the connection or the session ends.
async fn receive(
    mut stream: impl tokio::io::AsyncRead + Unpin,
    mailbox: &Mailbox,
    link: &Arc<TcpLink>,
    mut buffer: Vec<u8>,
) {
    while let Ok(Ok(datagram)) =
        tokio::time::timeout(NEXT_DATAGRAM_TIMEOUT, read(&mut stream, &mut buffer)).await
    {
        // Nobody else can send on this connection, so unwanted data ends it.
        if mailbox.is_over() || !mailbox.wants(datagram) {
            return;
        }
        mailbox.datagram(datagram, Path::Tcp(Arc::clone(link)));
    }
}

/// Sends packets until the session ends, or the viewer accepts nothing for the time `stalled`.
async fn send(
    mut stream: impl tokio::io::AsyncWrite + Unpin,
    mut packets: mpsc::Receiver<Vec<u8>>,
    mailbox: &Mailbox,
    stalled: Duration,
) {
    let write = async {
        while let Some(packet) = packets.recv().await {
            let written = tokio::time::timeout(stalled, stream.write_all(&packet)).await;
            if !matches!(written, Ok(Ok(()))) {
                return;
            }
        }
    };
    tokio::pin!(write);
    tokio::select! {
        () = &mut write => return,
        () = mailbox.over() => {}
    }
    // The last packets tell the viewer that the session has ended.
    let _ = tokio::time::timeout(FLUSH_TIMEOUT, &mut write).await;
}
