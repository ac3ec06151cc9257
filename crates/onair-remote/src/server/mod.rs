//! Listens for clients, and gives each one a task. One more task compares the newest snapshot with
//! the one before, and passes the differences to all clients as events.

mod client;
mod execute;
pub mod limits;
mod shared;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, broadcast, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::base::Secret;
use crate::events;
use crate::net::Listener;
use crate::protocol::subscription;
use crate::server::shared::{ClientEntry, Shared, stopped};
use onair_studio::Command;
use onair_studio::engine::handle::StudioLink;
use onair_studio::snapshot::RemoteReport;

/// Interval between two looks for changes, which is also that of volume meters.
const EVENT_INTERVAL: Duration = Duration::from_millis(50);
/// Time limit for telling all clients that the server ends.
const END_TIMEOUT: Duration = Duration::from_secs(2);

/// Where to listen, and what clients must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenOptions {
    pub address: SocketAddr,
    pub password: Secret,
}

/// A running server. Dropping it disconnects all clients.
#[derive(Debug)]
pub struct RemoteServer {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    listening: JoinHandle<()>,
    shared: Arc<Shared>,
}

impl RemoteServer {
    /// Starts to listen. Port 0 picks a free port.
    ///
    /// # Errors
    /// Fails if the address cannot be used.
    pub fn start(link: StudioLink, options: ListenOptions) -> io::Result<Self> {
        let (runtime, clock) = (link.runtime.clone(), link.clock);
        let listener = Listener::bind(runtime.handle(), options.address)?;
        let address = listener.local_addr();
        let (stop, stopped) = watch::channel(false);
        let (events, _) = broadcast::channel(limits::MAX_WAITING_EVENTS);
        let shared = Arc::new(Shared {
            link,
            password: options.password,
            clock,
            wrong_passwords: Mutex::default(),
            clients: Mutex::default(),
            reported: Mutex::default(),
            events,
            meters: watch::Sender::new(Arc::default()),
            work: Semaphore::new(1),
            custom_events: Mutex::new(limits::Rate::of_custom_events(clock.now())),
            stop: stopped,
        });
        let listening = runtime.spawn(listen(listener, Arc::clone(&shared)));
        runtime.spawn(watch_studio(address, Arc::clone(&shared)));
        Ok(Self { address, stop, listening, shared })
    }

    /// Returns the listening address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Disconnects all clients, and waits briefly until the port is free.
    pub async fn end(self) {
        let Self { stop, listening, shared, .. } = self;
        let _ = stop.send(true);
        let ended = async {
            let _ = listening.await;
            while !shared.clients.lock().is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = timeout(END_TIMEOUT, ended).await;
    }
}

/// Accepts clients until the server ends.
async fn listen(listener: Listener, shared: Arc<Shared>) {
    let (mut stop, mut next) = (shared.stop.clone(), 0_u64);
    loop {
        let (stream, peer) = tokio::select! {
            () = stopped(&mut stop) => return,
            accepted = listener.accept() => accepted,
        };
        next += 1;
        let evicted = Arc::new(Notify::new());
        if !shared.admit(next, peer, Arc::clone(&evicted)) {
            tracing::info!(%peer, "remote control: too many clients");
            // Without a handshake, a flood of connections costs little.
            continue;
        }
        let entry = ClientEntry { shared: Arc::clone(&shared), id: next };
        // A client that has left without a word is found.
        stream.set_keepalive();
        stream.set_user_timeout(limits::UNACKNOWLEDGED_TIMEOUT);
        tokio::spawn(async move {
            tokio::select! {
                () = client::serve(stream, peer, entry) => {}
                () = evicted.notified() => {
                    tracing::info!(%peer, "remote control: another client takes the place");
                }
            }
        });
    }
}

/// Reports changes of the studio to clients, and the clients to the studio.
async fn watch_studio(address: SocketAddr, shared: Arc<Shared>) {
    let mut stop = shared.stop.clone();
    let mut ticks = interval(EVENT_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut seen, mut report) = (0, None);
    loop {
        tokio::select! {
            () = stopped(&mut stop) => return,
            _ = ticks.tick() => {}
        }
        let now = RemoteReport { address: Some(address), problem: None, clients: shared.list() };
        if report.as_ref() != Some(&now) {
            let sent = shared.link.send(Command::RemoteControlReport(now.clone()));
            report = sent.map(|_| now);
        }
        let Some(wanted) = shared.wanted_events() else {
            shared.forget_reported();
            continue;
        };
        let Some(snapshot) = shared.link.snapshots.newer(&mut seen).map(Arc::new) else { continue };
        shared.report(&snapshot);
        if wanted & subscription::INPUT_VOLUME_METERS != 0 {
            shared.meters.send_replace(Arc::new(events::meters(&snapshot)));
        }
    }
}
