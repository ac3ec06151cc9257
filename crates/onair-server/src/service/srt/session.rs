//! Decides about a caller, and runs its connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument as _;

use crate::base::Secret;
use crate::net::srt::SrtSocket;
use crate::net::srt::accept::Call as SrtCall;
use crate::net::srt::socket::Road;
use crate::server::access::action::Action;
use crate::server::access::callback::visit::{Call, ClientDetails, Visit};
use crate::server::access::denied::Denied;
use crate::server::access::grant::Grant;
use crate::server::event::log::SESSION_LOG_TARGET;
use crate::server::event::{Protocol, Refusal};
use crate::server::registry::gate::{self, AccessRequest};
use crate::server::registry::port::OpenPort;
use crate::server::registry::{ConnectionSlot, Refused, Registry};
use crate::server::relay::pulls;
use crate::server::service::srt::accepted::{Accepted, right};
use crate::server::service::srt::port::SrtPort;
use crate::server::service::srt::stream_id::WantedStream;
use crate::server::service::srt::{publisher, viewer};
use crate::wire::rtmp::stream_name::StreamName;

/// The latency that the server asks for. Callers may ask for more.
const SERVER_LATENCY: Duration = Duration::from_millis(120);

/// Statuses of rejections, as in HTTP.
mod status {
    pub const BAD_REQUEST: u32 = 400;
    pub const UNAUTHORIZED: u32 = 401;
    pub const OVERLOAD: u32 = 402;
    pub const FORBIDDEN: u32 = 403;
    pub const NOT_FOUND: u32 = 404;
    pub const CONFLICT: u32 = 409;
    pub const UNAVAILABLE: u32 = 503;
}

/// Begins the task of a caller that has proven its address.
pub(super) fn begin(
    registry: &Arc<Registry>,
    port: &Arc<SrtPort>,
    open: &OpenPort,
    call: SrtCall,
    from: SocketAddr,
) {
    let Some(slot) = registry.admit(from) else {
        port.forget((from, call.caller_id));
        drop(port.socket.try_send_to(&call.reject(status::OVERLOAD), from));
        return;
    };
    open.note(from, &slot);
    let (registry, port) = (Arc::clone(registry), Arc::clone(port));
    let id = registry.next_id();
    let span = tracing::info_span!(target: SESSION_LOG_TARGET, "srt", session = id);
    let run = async move {
        if let Err(status) = serve(&registry, &port, &call, (id, from), slot).await {
            port.forget((from, call.caller_id));
            if let Some(answer) = status {
                drop(port.socket.send_to(&answer, from).await);
            }
        }
    };
    // A publisher writes to all its viewers at once, which the task budget must not interrupt halfway.
    tokio::spawn(tokio::task::unconstrained(run.instrument(span)));
}

/// Serves a caller to its end, or fails with the answer that rejects it, if there is one.
async fn serve(
    registry: &Arc<Registry>,
    port: &Arc<SrtPort>,
    call: &SrtCall,
    (id, peer): (u64, SocketAddr),
    slot: ConnectionSlot,
) -> Result<(), Option<Vec<u8>>> {
    let reject = |status| Some(call.reject(status));
    if registry.is_draining() {
        return Err(reject(status::UNAVAILABLE));
    }
    let wanted = call.stream_id.as_ref().and_then(|id| WantedStream::parse(id.expose()));
    let Some(wanted) = wanted else {
        tracing::info!(%peer, "rejected an SRT caller whose stream id names no app/stream");
        return Err(reject(status::BAD_REQUEST));
    };
    let action = wanted.action;
    let decided = {
        let _deciding = Deciding::new(&slot);
        tokio::select! {
            biased;
            () = slot.evicted() => return Err(reject(status::OVERLOAD)),
            decided = decide(registry, wanted, (id, peer)) => decided,
        }
    };
    let (name, grant) = decided.map_err(reject)?;
    let number = port.number().ok_or_else(|| reject(status::UNAVAILABLE))?;
    let passphrase = registry.srt_passphrase.lock().clone();
    let now = (SERVER_LATENCY, registry.clock.now());
    let (agreed, answer) = match call.accept(number, passphrase.as_ref(), now) {
        Ok(agreed) => agreed,
        Err((answer, reason)) => {
            tracing::info!(%peer, reason, "rejected an SRT caller");
            return Err(Some(answer));
        }
    };
    let (inbox, entry) = port.accept((peer, call.caller_id), number, &answer);
    let _ = port.socket.send_to(&answer, peer).await;
    let road = Road::Shared { port: Arc::clone(&port.socket), to: peer, inbox };
    let socket = SrtSocket::new(road, agreed, None, registry.clock);
    let accepted = Accepted { id, peer, name, grant, socket, slot, entry };
    match action {
        Action::Publish => publisher::run(registry, accepted).await,
        Action::Play => viewer::run(registry, accepted).await,
    }
    Ok(())
}

/// Until dropped, suspends the time limit of the connection.
struct Deciding<'a>(&'a ConnectionSlot);

impl<'a> Deciding<'a> {
    fn new(slot: &'a ConnectionSlot) -> Self {
        slot.spot().begin_deciding();
        Self(slot)
    }
}

impl Drop for Deciding<'_> {
    fn drop(&mut self) {
        self.0.spot().end_deciding();
    }
}

/// Decides with the rules of all protocols. Fails with the status for the caller.
async fn decide(
    registry: &Arc<Registry>,
    wanted: WantedStream,
    (id, peer): (u64, SocketAddr),
) -> Result<(StreamName, Grant), u32> {
    let WantedStream { action, name, secret, login } = wanted;
    let address = peer.ip().to_canonical();
    if action == Action::Publish {
        log_in(registry, peer, login.as_ref())?;
    }
    let visit = Visit {
        id,
        address,
        protocol: Protocol::Srt,
        app: name.app.clone(),
        stream: name.stream.clone(),
        query: name.query.clone(),
        secret,
        login,
        client: ClientDetails::default(),
    };
    let call = match action {
        Action::Publish => Call::Publish { kind: "live".to_owned() },
        Action::Play => Call::play(),
    };
    let request = AccessRequest { action, visit, call: Some(call) };
    let mut grant =
        gate::check(Arc::clone(registry), request).await.map_err(|why| status_of(&why))?;
    let stream = grant.renamed.take().unwrap_or(name.stream);
    let name = StreamName { stream, ..name };
    match action {
        Action::Publish => {
            let right = right(registry, &grant);
            registry.may_publish(peer, &name, right).map_err(|refused| {
                registry.refuse_publisher((peer, Protocol::Srt), &name, refused);
                match refused {
                    Refused::Taken => status::CONFLICT,
                    Refused::Full | Refused::AppFull(_) => status::OVERLOAD,
                }
            })?;
        }
        Action::Play => {
            let names = (name.app.as_str(), name.stream.as_str());
            pulls::demand_and_wait(registry, names, peer.ip()).await;
            if !registry.find(&name.app, &name.stream).is_some_and(|it| it.is_published()) {
                return Err(status::NOT_FOUND);
            }
        }
    }
    Ok((name, grant))
}

/// Checks the login of a publisher, if the server needs one.
fn log_in(
    registry: &Registry,
    peer: SocketAddr,
    login: Option<&(String, Secret)>,
) -> Result<(), u32> {
    let Err((cause, why)) = registry.check_password(peer.ip(), login) else { return Ok(()) };
    let refusal = Refusal {
        protocol: Some(Protocol::Srt),
        ..Refusal::early(peer.ip(), Action::Publish.name(), (cause, why))
    };
    registry.reporter.refuse(refusal);
    Err(status::UNAUTHORIZED)
}

fn status_of(why: &Denied) -> u32 {
    match why {
        Denied::NoName => status::BAD_REQUEST,
        Denied::Address | Denied::Callback => status::FORBIDDEN,
        Denied::NoSecret | Denied::WrongSecret | Denied::Token(_) | Denied::NoLogin => {
            status::UNAUTHORIZED
        }
        Denied::TooOften(_) => status::OVERLOAD,
        Denied::NoCallback => status::UNAVAILABLE,
    }
}
