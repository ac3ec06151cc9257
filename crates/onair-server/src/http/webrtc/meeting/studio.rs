//! The studio's side: a connection out to the server, over which the requests of guests come. A lost connection ends
//! nothing that is connected, and is tried again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::ConnectInfo;
use axum::http::{Request, header};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};

use crate::base::backoff::Backoff;
use crate::net::connect::addresses_of;
use crate::net::random_bytes;
use crate::net::web::Socket;
use crate::server::http::caller::Caller;
use crate::server::http::webrtc::guests;
use crate::server::http::webrtc::meeting::message::{
    IceServerEntry, MAX_MESSAGE_BYTES, PASSED_HEADERS, Question, Reply, SILENCE_LIMIT, ToServer,
    ToStudio, text,
};
use crate::server::registry::Registry;
use crate::server::registry::guests::Guests;
use crate::server::registry::ice_server::IceServer;
use crate::server::registry::meeting::link_name;
use crate::server::registry::meeting::meeting_place::{MeetingPlace, MeetingState};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::rtmp::url::authority;

/// Time limit for the first message of the server.
const WELCOME_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit for finding the addresses of all STUN servers. A name that takes longer is not used.
const STUN_LOOKUP_TIMEOUT: Duration = Duration::from_secs(3);
/// Interval between requests for the public address, which also keep the router's entry for the port. Routers forget
/// it after 30 s or more (RFC 4787 §4.3 recommends two minutes).
const STUN_INTERVAL: Duration = Duration::from_secs(15);
/// Time limit for the first public address. Without one, only guests in networks that the studio reaches can join.
const STUN_TIMEOUT: Duration = Duration::from_secs(1);
/// Interval between looks at whether the public address is known.
const STUN_CHECK_INTERVAL: Duration = Duration::from_millis(20);
/// Time limit for the last message to the server.
const BYE_TIMEOUT: Duration = Duration::from_secs(1);
/// Maximum number of addresses of STUN servers that are asked.
const MAX_STUN_ADDRESSES: usize = 6;
/// Maximum number of requests of guests at the same time. Further ones are refused.
const MAX_REQUESTS: usize = 16;

/// Answers the requests of guests.
type Answering = TowerToHyperService<Router>;

/// The server that the studio names.
type NamedPlace = watch::Receiver<Option<Arc<MeetingPlace>>>;

/// Stays connected to the server that the studio names, until the registry is stopped.
pub(crate) async fn run(registry: Arc<Registry>, guests: Arc<Guests>) {
    let router = guests::add_to(Router::new(), &registry).with_state(Arc::clone(&registry));
    let router = TowerToHyperService::new(router);
    let mut named = guests.meeting();
    while !registry.is_stopping() {
        let place = named.borrow_and_update().clone();
        match &place {
            Some(place) => {
                let visit = Visit { registry: &registry, place, guests: &guests };
                stay_connected(&visit, &mut named, &router).await;
            }
            None => tokio::select! {
                () = registry.stopped() => {}
                () = changed(&mut named) => {}
            },
        }
    }
}

/// Waits until the studio names another server.
async fn changed(named: &mut NamedPlace) {
    if named.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Connects again and again until the registry is stopped, or the studio names another server.
async fn stay_connected(visit: &Visit<'_>, named: &mut NamedPlace, router: &Answering) {
    let seed = random_bytes::<8>().map_or(1, u64::from_le_bytes);
    let (mut backoff, mut lost_at) = (Backoff::new(seed), Instant::now());
    loop {
        let connected = tokio::select! {
            () = visit.registry.stopped() => return,
            () = changed(named) => return,
            connected = visit.connect() => connected,
        };
        let ended = match connected {
            Ok(socket) => {
                backoff.reset();
                // A server that ends waits for its connections, so that the links are dead at once.
                let slot = visit.registry.take_slot(SocketAddr::from(([127, 0, 0, 1], 0)));
                let ended = visit.stay(socket, named, router).await;
                drop(slot);
                lost_at = Instant::now();
                ended
            }
            Err(why) => Err(why),
        };
        let Err(why) = ended else { return };
        tracing::info!(%why, "there is no connection to the server where guests meet the studio");
        visit.place.set_state(MeetingState::Lost(why));
        let wait = backoff.next_wait(lost_at.elapsed());
        tokio::select! {
            () = visit.registry.stopped() => return,
            () = changed(named) => return,
            () = sleep(wait) => {}
        }
    }
}

/// Returns the results that are there in time, in the order of the futures, which run at once.
async fn in_time<T: Send + 'static>(
    futures: Vec<impl Future<Output = T> + Send + 'static>,
    limit: Duration,
) -> Vec<T> {
    let mut results = BTreeMap::new();
    let mut tasks = JoinSet::new();
    for (index, future) in futures.into_iter().enumerate() {
        tasks.spawn(async move { (index, future.await) });
    }
    let all = async {
        while let Some(ended) = tasks.join_next().await {
            results.extend(ended.ok());
        }
    };
    let _ = timeout(limit, all).await;
    results.into_values().collect()
}

/// A connection to the server, and what is known before guests come.
struct Connected {
    socket: Socket,
    /// The addresses that answer STUN requests over UDP.
    stun_servers: Vec<SocketAddr>,
}

/// One connection to the server.
struct Visit<'a> {
    registry: &'a Arc<Registry>,
    place: &'a MeetingPlace,
    guests: &'a Guests,
}

impl Visit<'_> {
    /// Connects, takes the ICE servers, and finds the public address.
    async fn connect(&self) -> Result<Connected, Problem> {
        let (url, key, options) = self.place.socket();
        let opened = Socket::open_with_token(url, key, options).await;
        let mut socket = opened.map_err(|error| Problem::from(&error))?;
        let first = timeout(WELCOME_TIMEOUT, async {
            loop {
                match socket.next_text().await {
                    // A ping.
                    Ok(Some(text)) if text.is_empty() => {}
                    other => return other,
                }
            }
        });
        let first = match first.await {
            Ok(Ok(Some(first))) => first,
            Ok(Err(error)) => return Err(Problem::from(&error)),
            Ok(Ok(None)) | Err(_) => return Err(problem!("meeting-full")),
        };
        let Ok(ToStudio::Welcome { webrtc_port, ice_servers }) = serde_json::from_str(&first)
        else {
            return Err(problem!("meeting-no-onair"));
        };
        let given = ice_servers.into_iter().filter_map(IceServerEntry::server);
        let host = url.endpoint().host;
        let own = webrtc_port.and_then(|port| {
            IceServer::new(&format!("stun:{}", authority(&host, port)), None).ok()
        });
        self.place
            .set_ice_servers(own.into_iter().chain(given).take(IceServer::MAX_COUNT).collect());
        let stun_servers = self.stun_addresses().await;
        self.find_public_address(&stun_servers).await;
        Ok(Connected { socket, stun_servers })
    }

    /// Returns the addresses of the servers that answer STUN requests over UDP.
    async fn stun_addresses(&self) -> Vec<SocketAddr> {
        let (_, _, options) = self.place.socket();
        let lookup = |(host, port): (String, u16)| {
            let options = options.clone();
            async move { addresses_of(&host, port, &options).await.unwrap_or_default() }
        };
        let endpoints = self.place.ice_servers();
        let lookups = endpoints.iter().filter_map(IceServer::stun_endpoint).map(lookup).collect();
        let mut found = Vec::new();
        for addresses in in_time(lookups, STUN_LOOKUP_TIMEOUT).await {
            // One of each family is enough.
            for is_ipv4 in [true, false] {
                found.extend(addresses.iter().find(|it| it.is_ipv4() == is_ipv4));
            }
        }
        found.truncate(MAX_STUN_ADDRESSES);
        found
    }

    async fn find_public_address(&self, servers: &[SocketAddr]) {
        let webrtc = &self.registry.webrtc;
        self.ask_for_address(servers);
        let known = async {
            while webrtc.public.known(std::time::Instant::now()).is_empty() {
                sleep(STUN_CHECK_INTERVAL).await;
            }
        };
        if !servers.is_empty() && timeout(STUN_TIMEOUT, known).await.is_err() {
            tracing::info!("no STUN server has answered");
        }
    }

    fn ask_for_address(&self, servers: &[SocketAddr]) {
        servers.iter().for_each(|server| self.registry.webrtc.ask_public_address(*server));
    }

    /// Answers requests until the connection is lost. Returns without a reason if the studio leaves the server.
    async fn stay(
        &self,
        Connected { mut socket, stun_servers }: Connected,
        named: &mut NamedPlace,
        router: &Answering,
    ) -> Result<(), Problem> {
        let local = socket.local_ip();
        let (replies, mut replied) = mpsc::channel::<Reply>(MAX_REQUESTS);
        let slots = Arc::new(Semaphore::new(MAX_REQUESTS));
        let mut changes = self.guests.changes();
        let mut stun = interval(STUN_INTERVAL);
        stun.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = Instant::now();
        let mut next = Some(self.links());
        self.place.set_state(MeetingState::Connected);
        loop {
            if let Some(message) = next.take() {
                socket.send_text(text(&message)).await.map_err(|it| Problem::from(&it))?;
            }
            tokio::select! {
                () = self.registry.stopped() => return farewell(socket).await,
                () = changed(named) => return farewell(socket).await,
                result = changes.changed() => {
                    // The list of guests outlives this connection.
                    next = result.is_ok().then(|| self.links());
                }
                _ = stun.tick() => {
                    self.ask_for_address(&stun_servers);
                    // The server may have forgotten them, for example because it had too many.
                    next = Some(self.links());
                }
                reply = replied.recv() => next = reply.map(ToServer::Answer),
                () = sleep_until(last + SILENCE_LIMIT) => return Err(problem!("meeting-silent")),
                received = socket.next_text() => {
                    last = Instant::now();
                    let received = received.map_err(|it| Problem::from(&it))?;
                    let received = received.ok_or_else(|| problem!("meeting-closed"))?;
                    // An empty text is a ping.
                    if let Ok(ToStudio::Ask(question)) = serde_json::from_str(&received) {
                        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
                            let busy = Reply { id: question.id, status: 503, ..Reply::default() };
                            next = Some(ToServer::Answer(busy));
                            continue;
                        };
                        let (registry, router) = (Arc::clone(self.registry), router.clone());
                        let (host, replies) = (self.place.host(), replies.clone());
                        tokio::spawn(async move {
                            let reply = answer(&registry, &router, (question, host), local).await;
                            // The connection may be lost.
                            let _ = replies.send(reply).await;
                            drop(slot);
                        });
                    }
                }
            }
        }
    }

    fn links(&self) -> ToServer {
        let tokens = self.guests.views().into_iter().map(|view| link_name(view.token.expose()));
        ToServer::Links(tokens.collect())
    }
}

/// Ends all links at the server.
async fn farewell(mut socket: Socket) -> Result<(), Problem> {
    let _ = timeout(BYE_TIMEOUT, socket.send_text(text(&ToServer::Bye))).await;
    socket.close().await;
    Ok(())
}

/// Answers a request of a guest like one from the own network.
async fn answer(
    registry: &Arc<Registry>,
    router: &Answering,
    (question, host): (Question, String),
    local: Option<std::net::IpAddr>,
) -> Reply {
    let Question { id, method, path, content_type, if_match, body, from } = question;
    let refused = |status: u16| Reply { id, status, ..Reply::default() };
    let Ok(address) = from.parse::<SocketAddr>() else { return refused(400) };
    let Some(slot) = registry.admit(address) else { return refused(503) };
    let mut request =
        Request::builder().method(method.as_str()).uri(path.as_str()).header(header::HOST, host);
    for (name, value) in [(header::CONTENT_TYPE, content_type), (header::IF_MATCH, if_match)] {
        if !value.is_empty() {
            request = request.header(name, value);
        }
    }
    let Ok(mut request) = request.body(Body::from(body)) else { return refused(400) };
    let spot = Arc::clone(slot.spot());
    let caller = Caller { address, spot, local, is_secure: true, meets: true };
    request.extensions_mut().insert(ConnectInfo(caller));
    let response = match router.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let (head, body) = response.into_parts();
    let Ok(body) = to_bytes(body, MAX_MESSAGE_BYTES / 4).await else { return refused(500) };
    let value = |name: &&str| {
        let value = head.headers.get(*name)?.to_str().ok()?;
        Some(((*name).to_owned(), value.to_owned()))
    };
    Reply {
        id,
        status: head.status.as_u16(),
        headers: PASSED_HEADERS.iter().filter_map(value).collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lookup_that_never_ends_costs_the_others_only_the_time_limit() {
        let lookup = |result: Option<u8>| async move {
            match result {
                Some(result) => result,
                None => std::future::pending().await,
            }
        };
        let lookups = [Some(1), None, Some(3), None].map(lookup).into();
        assert_eq!(in_time(lookups, Duration::from_millis(50)).await, [1, 3]);
    }
}
