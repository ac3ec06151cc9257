//! A request to connect, publish or play, and the decision about it, which may take time.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use crate::base::Secret;
use crate::server::access::action::Action;
use crate::server::access::callback::visit::{Call, ClientDetails, Visit};
use crate::server::access::denied::Denied;
use crate::server::access::grant::Grant;
use crate::server::event::Protocol;
use crate::server::outputs::recordings::playback::recording_name;
use crate::server::recordings::name::stream_of;
use crate::server::registry::Registry;
use crate::server::registry::gate::{self, AccessRequest};
use crate::wire::rtmp::command::Connect;
use crate::wire::rtmp::stream_name::StreamName;

/// The kind of a client's request.
pub(super) enum RequestKind {
    Connect,
    /// Connects to the application of a stream, for this call.
    Application(StreamName, Call),
    Publish(StreamName),
    Play(StreamName),
    /// Plays the recording of this name, from this time on.
    Watch(String, f64),
}

/// A request of the client that waits for a decision. Until the decision, the session keeps further
/// input.
pub(super) struct PendingRequest {
    pub kind: RequestKind,
    decision: Pin<Box<dyn Future<Output = Result<Grant, Denied>> + Send>>,
}

/// Id and address of the client.
pub(super) type ClientId = (u64, SocketAddr);

impl PendingRequest {
    /// Asks whether a client may connect.
    pub fn connect(registry: &Arc<Registry>, client: ClientId, connect: &Connect) -> Self {
        let visit = visit(client, connect, &application_of(connect));
        Self::enter(registry, visit, RequestKind::Connect)
    }

    /// Asks whether a client may connect to the application of a stream, before it publishes or plays the stream.
    pub fn application(
        registry: &Arc<Registry>,
        client: ClientId,
        connect: &Connect,
        name: StreamName,
        call: Call,
    ) -> Self {
        let visit = Visit { stream: String::new(), ..visit(client, connect, &name) };
        Self::enter(registry, visit, RequestKind::Application(name, call))
    }

    fn enter(registry: &Arc<Registry>, visit: Visit, kind: RequestKind) -> Self {
        Self { kind, decision: Box::pin(gate::connect(Arc::clone(registry), visit)) }
    }

    /// Asks whether a client may publish or play.
    pub fn stream(
        registry: &Arc<Registry>,
        client: ClientId,
        connect: &Connect,
        name: StreamName,
        call: Call,
    ) -> Self {
        let mut visit = visit(client, connect, &name);
        let (action, kind) = match call {
            Call::Publish { .. } => (Action::Publish, RequestKind::Publish(name)),
            Call::Play { start, .. } => match recording_name(registry, &name) {
                Some(recording) => {
                    // Clients that may play the stream may also play its recordings.
                    if let Some(of) = stream_of(&recording) {
                        (visit.app, visit.stream) = (of.app, of.stream);
                    }
                    (Action::Play, RequestKind::Watch(recording, start))
                }
                None => (Action::Play, RequestKind::Play(name)),
            },
            _ => (Action::Play, RequestKind::Play(name)),
        };
        let request = AccessRequest { action, visit, call: Some(call) };
        Self { kind, decision: Box::pin(gate::check(Arc::clone(registry), request)) }
    }
}

/// Returns the application and the query of connect, without a stream.
pub(super) fn application_of(connect: &Connect) -> StreamName {
    // Without a name, the last part of the application would be the stream.
    let name = StreamName::resolve(&connect.tc_url, &connect.app, "-");
    StreamName { stream: String::new(), ..name }
}

fn visit((id, peer): ClientId, connect: &Connect, name: &StreamName) -> Visit {
    let given = name.parameter("key").or_else(|| name.parameter("token"));
    let given = Some(given.unwrap_or(&name.query)).filter(|given| !given.is_empty());
    Visit {
        id,
        address: peer.ip().to_canonical(),
        protocol: Protocol::Rtmp,
        app: name.app.clone(),
        stream: name.stream.clone(),
        query: name.query.clone(),
        secret: given.map(Secret::from_client),
        login: None,
        client: ClientDetails {
            client_software: connect.flash_version.clone(),
            swf_url: connect.swf_url.clone(),
            tc_url: connect.tc_url.clone(),
            page_url: connect.page_url.clone(),
        },
    }
}

/// Takes the request, if there is one, after the decision about it.
pub(super) async fn decided(
    pending: &mut Option<Box<PendingRequest>>,
) -> Option<(RequestKind, Result<Grant, Denied>)> {
    let decision = pending.as_mut()?.decision.as_mut().await;
    let request = pending.take()?;
    Some((request.kind, decision))
}
