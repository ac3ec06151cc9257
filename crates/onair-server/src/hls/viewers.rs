//! Counts the viewers of HLS, DASH, and recordings over HTTP. There is no connection per viewer: a
//! client with a recent request counts as one, identified by address and user agent. Clients behind
//! a cache count as one viewer. This module is pure.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::base::Timestamp;
use crate::net::subscriber::subscriber;
use crate::server::access::callback::calls::DoneCall;
use crate::server::access::grant::AdmittedViewer;
use crate::server::event::viewer_counts::ViewerCounts;
use crate::server::event::{Ended, Event, NoRoom, Peer, Protocol, ViewerFigures};
use crate::text::Problem;

/// The key of a viewer: the address, a hash of the user agent, and the protocol.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ViewerKey {
    pub address: IpAddr,
    pub client_hash: u64,
    /// HLS or DASH, or HTTP-FLV for the file of a recording.
    pub protocol: Protocol,
}

/// A viewer over HTTP, identified by address and user agent.
#[derive(Debug)]
pub(crate) struct Viewer {
    pub id: u64,
    pub peer: SocketAddr,
    pub protocol: Protocol,
    pub since: Timestamp,
    /// Time of the last request.
    pub last_request: Timestamp,
    pub bytes: u64,
    /// When dropped, informs a callback that the viewer has finished.
    done: Option<Box<DoneCall>>,
    /// True if the viewer continued elsewhere in the broadcast, and reports its end there.
    has_moved: bool,
}

impl Viewer {
    /// Returns the viewer of this stream for the operator.
    pub fn figures(&self, (app, stream): (&str, &str), now: Timestamp) -> ViewerFigures {
        ViewerFigures {
            id: self.id,
            app: app.to_owned(),
            stream: stream.to_owned(),
            protocol: self.protocol,
            address: self.peer,
            since: now.since(self.since),
            bytes: self.bytes,
        }
    }

    /// Returns the event that the viewer has left this stream.
    pub fn leave(&self, (app, stream): (&str, &str), reason: Problem) -> Event {
        let (app, stream) = (app.to_owned(), stream.to_owned());
        let (address, id, protocol) = (self.peer, self.id, self.protocol);
        let after = self.last_request.since(self.since);
        let ended = Ended { reason, after, bytes: self.bytes };
        Event::Leave(Peer { app, stream, address, id, protocol }, ended)
    }
}

/// How long a viewer stays out after it was disconnected.
const BARRED_DURATION: Duration = Duration::from_mins(1);
/// Maximum number of viewers that are kept out; the oldest are forgotten.
const MAX_BARRED_VIEWERS: usize = 64;
/// Number of viewers that the addresses of one subscriber may always have, because many people can share an address.
const VIEWERS_PER_SUBSCRIBER: usize = 64;
/// The addresses of one subscriber may also have this part of the limit. Any client can invent user agents, so it must
/// not use up the whole limit.
const SUBSCRIBER_SHARE: usize = 4;

/// The limit for the viewers of a stream.
#[derive(Copy, Clone, Debug)]
pub(crate) struct ViewerLimit {
    /// Maximum number of viewers, across all protocols.
    pub most: usize,
    /// Number of viewers over other protocols.
    pub others: usize,
    /// True if clients of a proxy share the address.
    pub is_shared: bool,
}

/// All viewers of a stream.
#[derive(Debug, Default)]
pub(crate) struct Viewers {
    all: HashMap<ViewerKey, Viewer>,
    counts: ViewerCounts,
    /// Address and user agent of disconnected viewers, with the time. A disconnected viewer stays out with
    /// any protocol.
    barred: VecDeque<(IpAddr, u64, Timestamp)>,
}

impl Viewers {
    /// Returns the viewers of the next playlist of the stream: nobody yet, and those who were
    /// disconnected stay out.
    pub fn of_next_playlist(&self) -> Self {
        Self { barred: self.barred.clone(), ..Self::default() }
    }

    /// Records a request, and returns true for a new viewer. The id of the admitted viewer and the report of its end are
    /// stored only for a new viewer.
    ///
    /// # Errors
    /// Fails if there is no room for a new viewer.
    pub fn note(
        &mut self,
        key: ViewerKey,
        peer: SocketAddr,
        admitted: AdmittedViewer,
        limit: ViewerLimit,
        now: Timestamp,
    ) -> Result<bool, NoRoom> {
        if let Some(viewer) = self.all.get_mut(&key) {
            viewer.last_request = now;
            return Ok(false);
        }
        self.check_room(key, limit)?;
        let (id, protocol, done) = (admitted.id, key.protocol, begun(admitted.done));
        let (since, last_request, has_moved) = (now, now, false);
        let viewer = Viewer { id, peer, protocol, since, last_request, bytes: 0, done, has_moved };
        self.all.insert(key, viewer);
        self.counts.add(protocol);
        Ok(true)
    }

    /// Checks whether there is room for a new viewer with this key.
    fn check_room(&self, key: ViewerKey, limit: ViewerLimit) -> Result<(), NoRoom> {
        let ViewerLimit { most, others, is_shared } = limit;
        if self.all.len() + others >= most {
            return Err(NoRoom::Stream(most));
        }
        let share = VIEWERS_PER_SUBSCRIBER.max(most / SUBSCRIBER_SHARE);
        if !is_shared && !key.address.is_loopback() && self.of_subscriber(key.address) >= share {
            return Err(NoRoom::Address);
        }
        Ok(())
    }

    fn of_subscriber(&self, address: IpAddr) -> usize {
        let wanted = subscriber(address);
        self.all.keys().filter(|key| subscriber(key.address) == wanted).count()
    }

    /// Returns true if the next request with this key needs the report of the viewer's end.
    pub fn needs_done(&self, key: ViewerKey) -> bool {
        self.all.get(&key).is_none_or(|viewer| viewer.has_moved)
    }

    /// Stores the report of the end of a viewer who is new, or has come back from elsewhere.
    pub fn set_done(&mut self, key: ViewerKey, done: Box<DoneCall>) {
        if let Some(viewer) = self.all.get_mut(&key) {
            viewer.done = begun(Some(done));
            viewer.has_moved = false;
        }
    }

    /// Takes the report of the end of a viewer who continues elsewhere in the broadcast.
    pub fn take_done(&mut self, key: ViewerKey) -> Option<Box<DoneCall>> {
        let viewer = self.all.get_mut(&key)?;
        let done = viewer.done.take()?;
        viewer.has_moved = true;
        Some(done)
    }

    /// Records that a viewer still watches.
    pub fn refresh(&mut self, key: ViewerKey, now: Timestamp) {
        if let Some(viewer) = self.all.get_mut(&key) {
            viewer.last_request = now;
        }
    }

    /// Adds bytes that were sent to a viewer.
    pub fn count(&mut self, key: ViewerKey, bytes: u64) {
        if let Some(viewer) = self.all.get_mut(&key) {
            viewer.bytes += bytes;
        }
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Returns the number of viewers by protocol.
    pub fn by_protocol(&self) -> &BTreeMap<Protocol, usize> {
        self.counts.by_protocol()
    }

    /// Returns the viewers, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Viewer> {
        self.all.values()
    }

    /// Removes the viewers with the chosen ids. `barred` is the time from which they are not served
    /// for a while.
    pub fn disconnect(
        &mut self,
        is_chosen: impl Fn(u64) -> bool,
        barred: Option<Timestamp>,
    ) -> Vec<Viewer> {
        let ended: Vec<_> = self.all.extract_if(|_, viewer| is_chosen(viewer.id)).collect();
        ended.iter().for_each(|(key, _)| self.counts.remove(key.protocol));
        if let Some(now) = barred {
            for (key, _) in &ended {
                self.barred.truncate(MAX_BARRED_VIEWERS - 1);
                self.barred.push_front((key.address, key.client_hash, now));
            }
        }
        ended.into_iter().map(|(_, viewer)| viewer).collect()
    }

    /// Returns true if a disconnected viewer stays out.
    pub fn has_barred(&self, now: Timestamp) -> bool {
        self.barred.iter().any(|(.., since)| now.since(*since) < BARRED_DURATION)
    }

    /// Returns true if a viewer was just disconnected.
    pub fn is_barred(&self, key: ViewerKey, now: Timestamp) -> bool {
        self.barred.iter().any(|&(address, client_hash, since)| {
            (address, client_hash) == (key.address, key.client_hash)
                && now.since(since) < BARRED_DURATION
        })
    }

    /// Removes viewers without a request for this long.
    pub fn remove_idle(&mut self, quiet: Duration, now: Timestamp) -> Vec<Viewer> {
        let gone = self.all.extract_if(|_, viewer| now.since(viewer.last_request) >= quiet);
        let gone: Vec<_> = gone.map(|(_, viewer)| viewer).collect();
        gone.iter().for_each(|viewer| self.counts.remove(viewer.protocol));
        gone
    }
}

/// Notifies the receiver of a callback of the beginning of a visit.
fn begun(mut done: Option<Box<DoneCall>>) -> Option<Box<DoneCall>> {
    if let Some(done) = &mut done {
        done.begin();
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Runtime;
    use crate::server::access::callback::CallKind;
    use crate::server::access::callback::calls::tests::Unreachable;
    use crate::server::access::callback::exchange::samples;
    use crate::server::access::callback::visit::Call;

    const LIMIT: ViewerLimit = ViewerLimit { most: 9, others: 0, is_shared: false };

    #[test]
    fn a_client_with_many_user_agents_leaves_room_for_others() {
        let note = |viewers: &mut Viewers, address: &str, client_hash, limit| {
            let peer = SocketAddr::new(address.parse().unwrap(), 5);
            let key = ViewerKey { address: peer.ip(), client_hash, protocol: Protocol::Hls };
            let viewer = AdmittedViewer { id: client_hash, done: None, expelled: 0 };
            viewers.note(key, peer, viewer, limit, Timestamp::from_millis(1_000))
        };
        for (address, neighbor) in [("192.0.2.1", "192.0.2.1"), ("2001:db8::1", "2001:db8::2")] {
            let mut viewers = Viewers::default();
            let limit = ViewerLimit { most: 100, ..LIMIT };
            for client_hash in 0..1_000 {
                let _ = note(&mut viewers, address, client_hash, limit);
            }
            assert_eq!(note(&mut viewers, neighbor, 1_000, limit), Err(NoRoom::Address));
            assert_eq!(note(&mut viewers, address, 0, limit), Ok(false));
            assert_eq!(note(&mut viewers, "198.51.100.7", 0, limit), Ok(true));
        }
        // Many clients share the address of a proxy. A large audience can share any address.
        for (address, (most, others), is_shared) in [
            ("192.0.2.1", (100, 0), true),
            ("127.0.0.1", (100, 0), false),
            ("::1", (100, 0), false),
            ("192.0.2.1", (4_096, 0), false),
            // The share does not depend on viewers over other protocols.
            ("192.0.2.1", (400, 300), false),
        ] {
            let mut viewers = Viewers::default();
            let limit = ViewerLimit { most, others, is_shared };
            for client_hash in 0..100 {
                assert_eq!(note(&mut viewers, address, client_hash, limit), Ok(true));
            }
            if others > 0 {
                let full = Err(NoRoom::Stream(most));
                assert_eq!(note(&mut viewers, "198.51.100.7", 0, limit), full);
            }
        }
    }

    #[test]
    fn the_counts_by_protocol_follow_the_viewers() {
        let mut viewers = Viewers::default();
        let peer: SocketAddr = "192.0.2.1:5".parse().unwrap();
        let now = Timestamp::from_millis(1_000);
        let note = |viewers: &mut Viewers, client_hash, protocol, at| {
            let key = ViewerKey { address: peer.ip(), client_hash, protocol };
            let viewer = AdmittedViewer { id: client_hash, done: None, expelled: 0 };
            viewers.note(key, peer, viewer, LIMIT, at).unwrap();
        };
        let later = now + Duration::from_secs(9);
        for (client_hash, protocol, at) in
            [(1, Protocol::Hls, now), (2, Protocol::Hls, later), (3, Protocol::Dash, later)]
        {
            note(&mut viewers, client_hash, protocol, at);
        }
        note(&mut viewers, 2, Protocol::Hls, later);
        let counts = [(Protocol::Hls, 2), (Protocol::Dash, 1)];
        assert_eq!(*viewers.by_protocol(), BTreeMap::from(counts));
        assert_eq!(viewers.disconnect(|id| id == 3, None).len(), 1);
        assert_eq!(viewers.remove_idle(Duration::from_secs(9), later).len(), 1);
        assert_eq!(*viewers.by_protocol(), BTreeMap::from([(Protocol::Hls, 1)]));
        assert!(viewers.of_next_playlist().by_protocol().is_empty());
    }

    #[test]
    fn a_viewer_who_returns_with_a_pass_after_a_pause_is_another_visit() {
        let runtime = Runtime::start().unwrap();
        let peer: SocketAddr = "192.0.2.1:5".parse().unwrap();
        let key = ViewerKey { address: peer.ip(), client_hash: 1, protocol: Protocol::Hls };
        let now = Timestamp::from_millis(1_000);
        let later = now + Duration::from_secs(13);
        // Without `on_play`, the receiver counts only the ends.
        for (kinds, is_begun) in
            [(&[CallKind::Play, CallKind::PlayDone][..], true), (&[CallKind::PlayDone][..], false)]
        {
            let receiver = Unreachable::new(&runtime, kinds, false);
            let is_notified = || !receiver.notices.is_idle();
            let (visit, call) = (samples::visit(), Call::play());
            let returning = |id| {
                let done = DoneCall::returning(&receiver.callbacks, &visit, &call);
                AdmittedViewer { id, done: Some(Box::new(done.unwrap())), expelled: 0 }
            };
            let mut viewers = Viewers::default();
            let first = AdmittedViewer { id: 1, done: None, expelled: 0 };
            assert_eq!(viewers.note(key, peer, first, LIMIT, now), Ok(true));
            assert_eq!(viewers.note(key, peer, returning(2), LIMIT, now), Ok(false));
            assert_eq!(viewers.remove_idle(Duration::from_secs(12), later).len(), 1);
            assert!(!is_notified());
            assert_eq!(viewers.note(key, peer, returning(3), LIMIT, later), Ok(true));
            assert_eq!(is_notified(), is_begun);
            drop(viewers);
            assert!(is_notified());
        }
    }

    #[test]
    fn a_viewer_who_continues_in_another_file_is_the_same_visit() {
        let runtime = Runtime::start().unwrap();
        let peer: SocketAddr = "192.0.2.1:5".parse().unwrap();
        let key = ViewerKey { address: peer.ip(), client_hash: 1, protocol: Protocol::Hls };
        let now = Timestamp::from_millis(1_000);
        // Without `on_play`, only ends cause notices.
        let receiver = Unreachable::new(&runtime, &[CallKind::PlayDone], false);
        let is_notified = || !receiver.notices.is_idle();
        let (visit, call) = (samples::visit(), Call::play());
        let returning = |id| {
            let done = DoneCall::returning(&receiver.callbacks, &visit, &call);
            AdmittedViewer { id, done: done.map(Box::new), expelled: 0 }
        };
        let without_done = |id| AdmittedViewer { id, done: None, expelled: 0 };
        let (mut first, mut second) = (Viewers::default(), Viewers::default());
        let move_to = |from: &mut Viewers, to: &mut Viewers, id| {
            assert!(to.needs_done(key) && !from.needs_done(key));
            let arrived = to.note(key, peer, without_done(id), LIMIT, now);
            to.set_done(key, from.take_done(key).unwrap());
            arrived
        };
        assert!(first.take_done(key).is_none());
        assert_eq!(first.note(key, peer, returning(1), LIMIT, now), Ok(true));
        // Where there is no room, the viewer stays in the first file.
        let full = ViewerLimit { most: 0, ..LIMIT };
        assert_eq!(second.note(key, peer, without_done(2), full, now), Err(NoRoom::Stream(0)));
        assert!(second.needs_done(key) && !first.needs_done(key));
        assert_eq!(move_to(&mut first, &mut second, 2), Ok(true));
        assert_eq!(move_to(&mut second, &mut first, 3), Ok(false));
        drop(second);
        assert!(!is_notified(), "the viewer continues");
        drop(first);
        assert!(is_notified());
    }

    #[test]
    fn a_disconnected_viewer_stays_out_for_a_while() {
        let mut viewers = Viewers::default();
        let address: SocketAddr = "192.0.2.1:5".parse().unwrap();
        let key =
            |client_hash| ViewerKey { address: address.ip(), client_hash, protocol: Protocol::Hls };
        let viewer = |id| AdmittedViewer { id, done: None, expelled: 0 };
        let now = Timestamp::from_millis(1_000);
        assert_eq!(viewers.note(key(1), address, viewer(7), LIMIT, now), Ok(true));
        assert_eq!(viewers.note(key(2), address, viewer(8), LIMIT, now), Ok(true));
        let ids = |ended: Vec<Viewer>| ended.iter().map(|viewer| viewer.id).collect::<Vec<_>>();
        assert!(viewers.disconnect(|id| id == 6, Some(now)).is_empty());
        assert_eq!(ids(viewers.disconnect(|id| id == 7, Some(now))), [7]);
        assert_eq!((viewers.len(), viewers.is_barred(key(2), now)), (1, false));
        assert!(
            viewers.is_barred(key(1), now + BARRED_DURATION / 2)
                && !viewers.is_barred(key(1), now + BARRED_DURATION)
        );
        let by_dash = ViewerKey { protocol: Protocol::Dash, ..key(1) };
        assert!(viewers.is_barred(by_dash, now), "nor does it go on by DASH");
        for id in 0..1_000 {
            viewers.note(key(id), address, viewer(id), LIMIT, now).unwrap();
            viewers.disconnect(|it| it == id, Some(now));
        }
        assert_eq!(viewers.barred.len(), MAX_BARRED_VIEWERS);
        let next = viewers.of_next_playlist();
        assert!(next.len() == 0 && next.is_barred(key(999), now), "the publisher is back");
        // A viewer who watches another file of the same broadcast stays.
        let mut viewers = Viewers::default();
        viewers.note(key(1), address, viewer(7), LIMIT, now).unwrap();
        viewers.note(key(2), address, viewer(8), LIMIT, now).unwrap();
        let later = now + BARRED_DURATION;
        viewers.refresh(key(2), later);
        assert_eq!(ids(viewers.remove_idle(BARRED_DURATION, later)), [7]);
        // After a new play key, those who have it return at once.
        let mut viewers = Viewers::default();
        viewers.note(key(1), address, viewer(7), LIMIT, now).unwrap();
        assert_eq!(ids(viewers.disconnect(|_| true, None)), [7]);
        assert!(!viewers.is_barred(key(1), now));
    }
}
