//! HTTP clients: accepted connections, and the client data, the credentials and the access of each request.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::Request;
use axum::extract::connect_info::Connected;
use axum::http::header;
use axum::serve::IncomingStream;
use url::form_urlencoded;

use crate::base::Secret;
use crate::net;
use crate::server::access::action::Action;
use crate::server::access::admission::Spot;
use crate::server::access::callback::calls::DoneCall;
use crate::server::access::callback::visit::{Call, ClientDetails, Visit};
use crate::server::access::denied::Denied;
use crate::server::access::gate::{self, AccessRequest};
use crate::server::access::pass::PassScope;
use crate::server::http::idle::Idle;
use crate::server::registry::Registry;
use crate::server::service::port::OpenPort;

/// The listener with connection limits.
pub(super) struct Callers {
    pub listener: net::Listener,
    pub registry: Arc<Registry>,
    /// The open port, which is dropped after the listener.
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

/// The credentials with which a client plays a stream.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    /// A key or token: `?key=…`, `?token=…`, or `Authorization: Bearer …`.
    pub secret: Option<Secret>,
    /// The pass of an address in an HLS playlist: `?pass=…`.
    pub pass: Option<String>,
}

impl Credentials {
    pub fn of(request: &Request) -> Self {
        let mut credentials = Self::default();
        let query = request.uri().query().unwrap_or_default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "key" | "token" if !value.is_empty() => {
                    credentials.secret.get_or_insert_with(|| Secret::from(&*value));
                }
                "pass" => credentials.pass = Some(value.into_owned()),
                _ => {}
            }
        }
        let header = request.headers().get(header::AUTHORIZATION);
        let bearer = header.and_then(|it| it.to_str().ok()?.strip_prefix("Bearer "));
        let bearer = bearer.map(str::trim).filter(|it| !it.is_empty());
        credentials.secret = credentials.secret.or(bearer.map(Secret::from));
        credentials
    }
}

/// Returns the details that a client reports about itself in a request, in RTMP terms.
pub(super) fn client_details(request: &Request, app: &str) -> ClientDetails {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let text = |name| text(name).unwrap_or_default().to_owned();
    ClientDetails {
        program: text(header::USER_AGENT),
        swf_url: String::new(),
        tc_url: format!("http://{}/{app}", text(header::HOST)),
        page_url: text(header::REFERER),
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

/// The result for a client that may play.
#[derive(Default)]
pub(super) struct ViewerEntry {
    /// The pass for the addresses in playlists, if they need one.
    pub pass: Option<String>,
    pub done: Option<Box<DoneCall>>,
    /// The name of the stream, if a callback changed it.
    pub renamed: Option<String>,
}

/// Checks that a client may play. A valid pass is enough.
pub(super) async fn access(
    registry: &Arc<Registry>,
    visit: Visit,
    call: Option<Call>,
    pass: Option<String>,
) -> Result<ViewerEntry, Denied> {
    let Visit { address, app, stream, .. } = visit.clone();
    let now = registry.unix_seconds();
    let opens = |pass: &String| registry.passes.opens(pass, &app, &stream, address, now);
    if let Some(pass) = pass.filter(opens) {
        return Ok(ViewerEntry { pass: Some(pass), ..ViewerEntry::default() });
    }
    let request = AccessRequest { action: Action::Play, visit, call };
    let grant = gate::check(Arc::clone(registry), request).await?;
    let stream = grant.renamed.as_deref().unwrap_or(&stream);
    let scope = PassScope { app: &app, stream, address: grant.address };
    let pass = (grant.proven || grant.asked).then(|| registry.passes.issue(scope, now));
    // A pass outlives the key or token.
    if pass.is_some() && grant.expelled != registry.expulsions() {
        return Err(Denied::WrongSecret);
    }
    Ok(ViewerEntry { pass, done: grant.done, renamed: grant.renamed })
}
