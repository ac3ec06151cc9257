//! What all tasks of the server share: the clients, and what was reported to them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::{Notify, Semaphore, broadcast, watch};
use tokio::time::sleep;

use crate::base::{Clock, Secret};
use crate::events::{self, Event};
use crate::password::WrongPasswords;
use crate::server::limits::{MAX_CLIENTS, MAX_UNKNOWN_PER_ADDRESS, Rate};
use onair_studio::Snapshot;
use onair_studio::engine::handle::StudioLink;
use onair_studio::snapshot::RemoteClient;

/// A connection.
#[derive(Clone, Debug)]
pub(super) struct ConnectedClient {
    pub address: SocketAddr,
    /// The events that the client wants; `None` until it has proven the password.
    pub subscriptions: Option<u32>,
    /// Ends the connection in favor of another one.
    pub evicted: Arc<Notify>,
}

/// What all tasks of the server share.
#[derive(Debug)]
pub(super) struct Shared {
    pub link: StudioLink,
    pub password: Secret,
    pub clock: Clock,
    pub wrong_passwords: Mutex<WrongPasswords>,
    pub clients: Mutex<BTreeMap<u64, ConnectedClient>>,
    /// The snapshot whose changes were already reported; `None` while nobody listens.
    pub reported: Mutex<Option<Arc<Snapshot>>>,
    pub events: broadcast::Sender<Arc<Event>>,
    pub meters: watch::Sender<Arc<Value>>,
    /// Admits one screenshot at a time.
    pub work: Semaphore,
    pub custom_events: Mutex<Rate>,
    pub stop: watch::Receiver<bool>,
}

impl Shared {
    /// Adds a connection. If there are too many, the oldest one that has not proven the password
    /// ends, so that nobody can keep clients out without the password. Returns false if all have.
    pub fn admit(&self, id: u64, address: SocketAddr, evicted: Arc<Notify>) -> bool {
        let mut clients = self.clients.lock();
        let oldest = in_the_way(&clients, address.ip());
        if let Some(gone) = oldest.and_then(|oldest| clients.remove(&oldest)) {
            gone.evicted.notify_one();
        }
        let is_admitted = clients.len() < MAX_CLIENTS;
        if is_admitted {
            clients.insert(id, ConnectedClient { address, subscriptions: None, evicted });
        }
        is_admitted
    }

    /// Sets what an identified client wants. Changes from now on are reported to it.
    pub fn subscribe(&self, id: u64, subscriptions: u32) {
        let mut reported = self.reported.lock();
        if reported.is_none() {
            *reported = self.link.snapshots.get().map(Arc::new);
        }
        if let Some(client) = self.clients.lock().get_mut(&id) {
            client.subscriptions = Some(subscriptions);
        }
    }

    /// Reports the changes up to this snapshot to all clients. The task that watches the studio does
    /// this at an interval. A client's own change is reported at once, so that a later change
    /// cannot hide it.
    pub fn report(&self, snapshot: &Arc<Snapshot>) {
        let mut reported = self.reported.lock();
        let Some(before) = reported.as_ref() else { return };
        // Another task may already have reported a newer snapshot.
        if snapshot.handled_commands < before.handled_commands {
            return;
        }
        for event in events::changes(before, snapshot) {
            if event.name == events::TRANSITION_STARTED {
                self.end_transition(&event, events::transition_duration(snapshot));
            }
            // A client that does not keep up notices by itself that it has missed events.
            let _ = self.events.send(Arc::new(event));
        }
        *reported = Some(Arc::clone(snapshot));
    }

    /// Reports the end of a transition that has just started.
    fn end_transition(&self, started: &Event, duration: Duration) {
        let (events, data) = (self.events.clone(), started.data.clone());
        tokio::spawn(async move {
            sleep(duration).await;
            for event in events::transition_ends(&data) {
                // Without receivers, nobody misses the event.
                let _ = events.send(Arc::new(event));
            }
        });
    }

    pub fn list(&self) -> Vec<RemoteClient> {
        let clients = self.clients.lock();
        let all = clients.values().map(|it| RemoteClient {
            address: it.address,
            is_identified: it.subscriptions.is_some(),
        });
        all.collect()
    }

    /// Forgets the reported snapshot while no client listens.
    pub fn forget_reported(&self) {
        let mut reported = self.reported.lock();
        // A client may have subscribed meanwhile.
        if self.wanted_events().is_none() {
            *reported = None;
        }
    }

    /// Returns the events that any client wants; `None` if no client is identified.
    pub fn wanted_events(&self) -> Option<u32> {
        let clients = self.clients.lock();
        clients.values().filter_map(|it| it.subscriptions).reduce(|all, it| all | it)
    }
}

/// Returns the connection that must end before this address gets one more, if any.
fn in_the_way(clients: &BTreeMap<u64, ConnectedClient>, address: IpAddr) -> Option<u64> {
    let unknown = || clients.iter().filter(|(_, it)| it.subscriptions.is_none());
    let mut same = unknown().filter(|(_, it)| it.address.ip() == address);
    let oldest = same.next().filter(|_| same.count() + 1 >= MAX_UNKNOWN_PER_ADDRESS);
    let oldest = oldest.or_else(|| unknown().next().filter(|_| clients.len() >= MAX_CLIENTS));
    oldest.map(|(id, _)| *id)
}

/// Removes a client from the list when its task ends.
pub(super) struct ClientEntry {
    pub shared: Arc<Shared>,
    pub id: u64,
}

impl Drop for ClientEntry {
    fn drop(&mut self) {
        self.shared.clients.lock().remove(&self.id);
    }
}

/// Waits until the server ends. The sender is dropped with the server.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_without_the_password_make_room_and_others_stay() {
        let mut clients = BTreeMap::new();
        let mut add = |id: u64, ip: [u8; 4], is_known: bool| {
            let way = in_the_way(&clients, ip.into());
            way.map(|gone| clients.remove(&gone));
            let subscriptions = is_known.then_some(0);
            let address = SocketAddr::from((ip, 4_000));
            let client = ConnectedClient { address, subscriptions, evicted: Arc::default() };
            clients.insert(id, client);
            way
        };
        let (stranger, other) = ([192, 0, 2, 1], [192, 0, 2, 2]);
        assert!((0..4).all(|id| add(id, stranger, false).is_none()));
        assert_eq!(add(4, stranger, false), Some(0), "the oldest of the same address");
        assert_eq!(add(5, other, false), None);
        assert!((6..17).all(|id| add(id, other, true).is_none()));
        assert_eq!(add(17, [192, 0, 2, 3], true), Some(1), "all places are taken");
    }
}
