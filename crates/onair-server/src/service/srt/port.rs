//! The UDP port: passes each datagram to its connection, and answers callers.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::net::random_bytes;
use crate::net::srt::accept::{Acceptor, Call, Reply};
use crate::net::srt::port::PortSocket;
use crate::server::registry::Registry;

/// Maximum number of datagrams that wait for the task of a connection. More are dropped, as a
/// network would; SRT repeats them.
const MAX_WAITING_DATAGRAMS: usize = 2_048;
/// Maximum number of callers about which the server is deciding.
const MAX_UNDECIDED: usize = 512;
/// The destination of a datagram, after twelve bytes of its header.
const DESTINATION_PLACE: std::ops::Range<usize> = 12..16;

/// An open port and its connections.
#[derive(Debug)]
pub(crate) struct SrtPort {
    pub(super) socket: Arc<PortSocket>,
    acceptor: Acceptor,
    connections: Mutex<Connections>,
}

#[derive(Debug, Default)]
struct Connections {
    /// By the number of our socket.
    by_id: HashMap<u32, Connection>,
    /// The callers, by their address and the number of their socket.
    callers: HashMap<(SocketAddr, u32), CallerState>,
    undecided: usize,
}

#[derive(Debug)]
struct Connection {
    from: SocketAddr,
    inbox: mpsc::Sender<Bytes>,
}

#[derive(Debug)]
enum CallerState {
    /// The task decides.
    Undecided,
    /// The answer, which is repeated if the caller has not got it.
    Accepted(Bytes),
}

/// Makes a port of its socket.
///
/// # Errors
/// Fails if the system has no randomness.
pub(crate) fn open(socket: PortSocket) -> std::io::Result<Arc<SrtPort>> {
    let acceptor = Acceptor::new().ok_or_else(|| std::io::Error::other("no randomness"))?;
    let socket = Arc::new(socket);
    Ok(Arc::new(SrtPort { socket, acceptor, connections: Mutex::default() }))
}

impl SrtPort {
    /// Returns a new number for a connection, or `None` if the system has no randomness.
    pub(super) fn number(&self) -> Option<u32> {
        // Nobody can guess the number, and none is in use twice.
        (0..16).find_map(|_| {
            let id = (u32::from_be_bytes(random_bytes()?) >> 2).max(1);
            (!self.connections.lock().by_id.contains_key(&id)).then_some(id)
        })
    }

    /// Adds an accepted connection. Its entries are removed when the returned value is dropped.
    pub(super) fn accept(
        self: &Arc<Self>,
        caller: (SocketAddr, u32),
        id: u32,
        answer: &[u8],
    ) -> (mpsc::Receiver<Bytes>, Entry) {
        let (inbox, received) = mpsc::channel(MAX_WAITING_DATAGRAMS);
        let mut connections = self.connections.lock();
        connections.by_id.insert(id, Connection { from: caller.0, inbox });
        let answer = CallerState::Accepted(Bytes::copy_from_slice(answer));
        if matches!(connections.callers.insert(caller, answer), Some(CallerState::Undecided)) {
            connections.undecided -= 1;
        }
        (received, Entry { port: Arc::clone(self), id, caller })
    }

    /// Removes a caller that was not accepted.
    pub(super) fn forget(&self, caller: (SocketAddr, u32)) {
        let mut connections = self.connections.lock();
        if let Some(CallerState::Undecided) = connections.callers.remove(&caller) {
            connections.undecided -= 1;
        }
    }

    /// Ends all connections, because their port closes while the server runs.
    pub(super) fn disconnect(&self) {
        self.connections.lock().by_id.clear();
    }

    /// Passes on a datagram.
    pub(super) fn take(
        &self,
        datagram: &[u8],
        from: SocketAddr,
        registry: &Arc<Registry>,
    ) -> PortAction {
        let Some(id) = datagram.get(DESTINATION_PLACE) else { return PortAction::Nothing };
        let id = id.iter().fold(0, |id, byte| (id << 8) | u32::from(*byte));
        if id != 0 {
            let connections = self.connections.lock();
            if let Some(it) = connections.by_id.get(&id).filter(|it| it.from == from) {
                let _ = it.inbox.try_send(Bytes::copy_from_slice(datagram));
            }
            return PortAction::Nothing;
        }
        let call = match self.acceptor.answer(datagram, from, registry.clock.now()) {
            Reply::None => return PortAction::Nothing,
            Reply::Send(answer) => return PortAction::Answer(answer.into()),
            Reply::Call(call) => call,
        };
        let caller = (from, call.caller_id);
        let mut connections = self.connections.lock();
        match connections.callers.get(&caller) {
            Some(CallerState::Undecided) => return PortAction::Nothing,
            Some(CallerState::Accepted(answer)) => return PortAction::Answer(answer.clone()),
            None if connections.undecided >= MAX_UNDECIDED => return PortAction::Nothing,
            None => {}
        }
        connections.callers.insert(caller, CallerState::Undecided);
        connections.undecided += 1;
        PortAction::Caller(call)
    }
}

/// What a datagram needs.
pub(super) enum PortAction {
    Nothing,
    Answer(Bytes),
    Caller(Box<Call>),
}

/// The entries of a connection in the lists of the port.
#[derive(Debug)]
pub(super) struct Entry {
    port: Arc<SrtPort>,
    id: u32,
    caller: (SocketAddr, u32),
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut connections = self.port.connections.lock();
        connections.by_id.remove(&self.id);
        connections.callers.remove(&self.caller);
    }
}
