//! Slots for connections, limited in total and per address. A connection that does not publish or
//! play yet keeps its slot only until other connections need it. If there are too many connections
//! without a purpose, the server closes the oldest one of the address that has the most of them. A
//! connection that has published or played, such as that of an HLS viewer between two requests,
//! rests: it loses its slot only when all slots are taken. New connections then take the slots of
//! resting connections, and do not evict each other. Players never take the last slots, which are
//! reserved for publishers and HTTP requests. A flood of connections therefore does not block other
//! clients.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

use crate::base::Timestamp;
use crate::net::subscriber::subscriber;
use crate::server::access::limits::Limits;

/// Time in which clients usually begin to publish or play. An older connection without a purpose is idle.
const MAX_JOINING_TIME: Duration = Duration::from_secs(5);

/// The slot of a connection.
#[derive(Debug)]
pub(crate) struct Spot {
    address: IpAddr,
    /// A [`State`], changed only under the lock of [`Admission`].
    state: AtomicU8,
    /// The key of this slot in the list of its [`Address`], changed only under the same lock.
    turn: AtomicU64,
    waker: AtomicWaker,
    /// True if the connection ends because its client accepted no data.
    stalled: AtomicBool,
    /// The number of requests of the client about which the receivers of callbacks decide.
    deciding: AtomicUsize,
    /// The number of requests that play. HTTP/2 allows several at once. Changed only under the same lock.
    plays: AtomicUsize,
}

/// The purpose of a connection.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Publish,
    Play,
}

/// The state of a slot.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u8)]
enum State {
    /// The connection has had no purpose yet.
    Undecided,
    Publishing,
    Playing,
    /// The connection had a purpose, and may have one again.
    Resting,
    /// The connection was evicted or closed and no longer counts.
    Over,
}

/// All slots of a server.
#[derive(Debug)]
pub(crate) struct Admission {
    connections: usize,
    per_address: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    all: usize,
    players: usize,
    /// The keys of the undecided slots, with the times of their admission.
    undecided: BTreeMap<u64, Timestamp>,
    resting: usize,
    /// The key of the next slot that waits.
    next_turn: u64,
    addresses: HashMap<IpAddr, Address>,
}

#[derive(Debug, Default)]
struct Address {
    all: usize,
    /// Undecided slots, oldest first.
    undecided: BTreeMap<u64, Arc<Spot>>,
    /// Resting slots, oldest first.
    resting: BTreeMap<u64, Arc<Spot>>,
}

impl Spot {
    fn is(&self, state: State) -> bool {
        self.state.load(Ordering::Acquire) == state as u8
    }

    fn set(&self, state: State) {
        self.state.store(state as u8, Ordering::Release);
    }

    /// Returns true if the connection has a purpose.
    pub fn is_settled(&self) -> bool {
        self.is(State::Publishing) || self.is(State::Playing)
    }

    /// Records that the connection ends because its client accepted no data.
    pub fn note_stall(&self) {
        self.stalled.store(true, Ordering::Release);
    }

    /// Returns true if the connection ends because its client accepted no data.
    pub fn has_stalled(&self) -> bool {
        self.stalled.load(Ordering::Acquire)
    }

    /// Records that the receiver of a callback decides about the client, which suspends the time limit of its
    /// request. Until the receiver has admitted the client, the connection has no purpose, and can be evicted.
    pub fn begin_deciding(&self) {
        self.deciding.fetch_add(1, Ordering::AcqRel);
    }

    /// Ends what [`begin_deciding`](Self::begin_deciding) began.
    pub fn end_deciding(&self) {
        self.deciding.fetch_sub(1, Ordering::AcqRel);
    }

    /// Returns true while the receiver of a callback decides about the client.
    pub fn is_deciding(&self) -> bool {
        self.deciding.load(Ordering::Acquire) > 0
    }

    /// Becomes ready when other connections need the slot. Only one task may wait at a time.
    pub fn poll_evicted(&self, cx: &Context<'_>) -> Poll<()> {
        self.waker.register(cx.waker());
        if self.is(State::Over) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Admission {
    pub fn new(limits: &Limits) -> Self {
        Self {
            connections: limits.connections,
            per_address: limits.per_address,
            inner: Mutex::default(),
        }
    }

    /// Returns the maximum number of waiting connections without a purpose.
    fn max_undecided(&self) -> usize {
        (self.connections / 4).max(2)
    }

    /// Returns the maximum number of waiting connections without a purpose from one address;
    /// `is_shared` means that many clients share the address.
    fn max_undecided_of(&self, is_shared: bool) -> usize {
        let all = self.max_undecided();
        if is_shared { (all / 2).max(1) } else { (all / 8).max(1) }
    }

    /// Returns the number of slots that players cannot take.
    fn reserve(&self) -> usize {
        (self.connections / 16).max(1)
    }

    /// Takes a slot for one more connection; `None` if there is none. On loopback, and behind a proxy
    /// (`is_proxy`), clients share an address.
    pub fn admit(&self, address: IpAddr, is_proxy: bool, now: Timestamp) -> Option<Arc<Spot>> {
        let address = subscriber(address);
        let is_shared = is_proxy || address.is_loopback();
        let mut inner = self.inner.lock();
        let of_address = inner.addresses.get(&address);
        let (of_it, undecided) = of_address.map_or((0, 0), |it| (it.all, it.undecided.len()));
        let crowded = of_it >= self.per_address && !is_shared;
        let are_many = undecided >= self.max_undecided_of(is_shared);
        if (crowded || are_many) && !inner.evict_of(address, !are_many) {
            return None;
        }
        let are_many = inner.undecided.len() >= self.max_undecided();
        if are_many || inner.all >= self.connections {
            let rests = inner.resting > 0 && inner.undecided.len() < self.reserve();
            let waiting = |it: &Address| match rests {
                true => (it.resting.len(), 0),
                false => (it.undecided.len(), it.resting.len()),
            };
            let most = inner.addresses.iter().max_by_key(|(_, it)| waiting(it));
            let most = most.map(|(address, _)| *address);
            if !most.is_some_and(|most| inner.evict_of(most, rests)) {
                return None;
            }
        }
        let state = AtomicU8::new(State::Undecided as u8);
        let (turn, waker) = (AtomicU64::new(0), AtomicWaker::new());
        let stalled = AtomicBool::new(false);
        let (deciding, plays) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let spot = Arc::new(Spot { address, state, turn, waker, stalled, deciding, plays });
        inner.all += 1;
        inner.addresses.entry(address).or_default().all += 1;
        let turn = inner.wait(&spot, State::Undecided);
        inner.undecided.insert(turn, now);
        Some(spot)
    }

    /// Sets the purpose of a connection. Returns false if there is no slot for this purpose.
    pub fn settle(&self, spot: &Arc<Spot>, purpose: Purpose) -> bool {
        self.settle_locked(&mut self.inner.lock(), spot, purpose)
    }

    /// Adds a request that plays, among several of a connection. Returns false if there is no slot for a player.
    pub fn begin_play(&self, spot: &Arc<Spot>) -> bool {
        let mut inner = self.inner.lock();
        let settled = self.settle_locked(&mut inner, spot, Purpose::Play);
        spot.plays.fetch_add(usize::from(settled), Ordering::Relaxed);
        settled
    }

    /// Ends what [`begin_play`](Self::begin_play) began. After the last one, the connection has no purpose.
    pub fn end_play(&self, spot: &Arc<Spot>) {
        let mut inner = self.inner.lock();
        if spot.plays.fetch_sub(1, Ordering::Relaxed) == 1 {
            inner.unsettle(spot);
        }
    }

    fn settle_locked(&self, inner: &mut Inner, spot: &Arc<Spot>, purpose: Purpose) -> bool {
        let full = inner.players + self.reserve() >= self.connections;
        if purpose == Purpose::Play && full {
            return false;
        }
        if !(spot.is(State::Undecided) || spot.is(State::Resting)) {
            return !spot.is(State::Over);
        }
        inner.take(spot);
        match purpose {
            Purpose::Publish => spot.set(State::Publishing),
            Purpose::Play => {
                spot.set(State::Playing);
                inner.players += 1;
            }
        }
        true
    }

    /// Removes the purpose of a connection.
    pub fn unsettle(&self, spot: &Arc<Spot>) {
        self.inner.lock().unsettle(spot);
    }

    /// Returns true if no slot is free or has a resting connection.
    pub fn is_full(&self) -> bool {
        let inner = self.inner.lock();
        inner.all - inner.resting >= self.connections
    }

    /// Returns true if clients are joining: there are new connections without a purpose.
    pub fn has_joining(&self, now: Timestamp) -> bool {
        let inner = self.inner.lock();
        let newest = inner.undecided.values().next_back();
        newest.is_some_and(|since| now.since(*since) < MAX_JOINING_TIME)
    }

    /// Frees the slot of a closed connection.
    pub fn leave(&self, spot: &Arc<Spot>) {
        let mut inner = self.inner.lock();
        if spot.is(State::Over) {
            return;
        }
        inner.players -= usize::from(spot.is(State::Playing));
        inner.take(spot);
        spot.set(State::Over);
        inner.forget_one(spot.address);
    }

    /// Frees the slot of a connection, whatever its purpose, and ends the connection.
    pub fn evict(&self, spot: &Arc<Spot>) {
        self.leave(spot);
        spot.waker.wake();
    }
}

impl Inner {
    fn unsettle(&mut self, spot: &Arc<Spot>) {
        if !spot.is_settled() {
            return;
        }
        self.players -= usize::from(spot.is(State::Playing));
        self.wait(spot, State::Resting);
    }

    /// Evicts the oldest undecided connection of an address, or else its oldest resting one. With
    /// `rests_first`, evicts in the reverse order. Returns false if there is no such connection.
    fn evict_of(&mut self, address: IpAddr, rests_first: bool) -> bool {
        let Some(of_address) = self.addresses.get(&address) else { return false };
        let (first, then) = match rests_first {
            true => (&of_address.resting, &of_address.undecided),
            false => (&of_address.undecided, &of_address.resting),
        };
        let oldest = first.values().chain(then.values()).next();
        let Some(spot) = oldest.map(Arc::clone) else { return false };
        self.take(&spot);
        spot.set(State::Over);
        spot.waker.wake();
        self.forget_one(address);
        true
    }

    /// Adds a connection to the waiting ones, as undecided or resting. Returns its key.
    fn wait(&mut self, spot: &Arc<Spot>, state: State) -> u64 {
        let turn = self.next_turn;
        self.next_turn += 1;
        spot.turn.store(turn, Ordering::Relaxed);
        spot.set(state);
        let of_address = self.addresses.entry(spot.address).or_default();
        let list = match state {
            State::Undecided => &mut of_address.undecided,
            _ => {
                self.resting += 1;
                &mut of_address.resting
            }
        };
        list.insert(turn, Arc::clone(spot));
        turn
    }

    /// Removes a connection from the waiting ones, if it is one of them.
    fn take(&mut self, spot: &Spot) {
        let turn = spot.turn.load(Ordering::Relaxed);
        let Some(of_address) = self.addresses.get_mut(&spot.address) else { return };
        self.undecided.remove(&turn);
        of_address.undecided.remove(&turn);
        self.resting -= usize::from(of_address.resting.remove(&turn).is_some());
    }

    fn forget_one(&mut self, address: IpAddr) {
        self.all -= 1;
        if let Some(of_address) = self.addresses.get_mut(&address) {
            of_address.all -= 1;
            if of_address.all == 0 {
                self.addresses.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission() -> Admission {
        Admission::new(&Limits { connections: 64, per_address: 20, ..Limits::default() })
    }

    fn is_evicted(spot: &Spot) -> bool {
        spot.poll_evicted(&Context::from_waker(std::task::Waker::noop())).is_ready()
    }

    const FLOOD_ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const HOME_ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));
    const LOCAL_ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn a_flood_of_idle_connections_keeps_nobody_out() {
        for flood in [FLOOD_ADDRESS, LOCAL_ADDRESS] {
            let places = admission();
            let idle: Vec<_> =
                (0..1_000).filter_map(|_| places.admit(flood, false, Timestamp::ZERO)).collect();
            assert_eq!(idle.len(), 1_000, "each newcomer gets its chance");
            let left = idle.iter().filter(|spot| !is_evicted(spot)).count();
            assert_eq!(left, places.max_undecided_of(flood == LOCAL_ADDRESS));
            let publisher = places.admit(HOME_ADDRESS, false, Timestamp::ZERO).unwrap();
            assert!(places.settle(&publisher, Purpose::Publish));
            let more: Vec<_> =
                (0..1_000).filter_map(|_| places.admit(flood, false, Timestamp::ZERO)).collect();
            assert!(!is_evicted(&publisher));
            idle.iter().chain(&more).chain([&publisher]).for_each(|spot| places.leave(spot));
            let inner = places.inner.lock();
            assert_eq!((inner.all, inner.undecided.len(), inner.players), (0, 0, 0));
            assert!(inner.addresses.is_empty());
        }
    }

    #[test]
    fn many_addresses_that_wait_lose_their_own_places() {
        let places = admission();
        let first = places.admit(HOME_ADDRESS, false, Timestamp::ZERO).unwrap();
        for number in 0..1_000_u32 {
            let address = IpAddr::from([198, 51, 100, (number % 7) as u8]);
            assert!(places.admit(address, false, Timestamp::ZERO).is_some());
        }
        assert!(!is_evicted(&first), "others have more");
    }

    #[test]
    fn players_leave_places_for_publishers_and_pages() {
        let places = admission();
        let mut playing = 0;
        for _ in 0..200 {
            let Some(spot) = places.admit(LOCAL_ADDRESS, false, Timestamp::ZERO) else { break };
            playing += usize::from(places.settle(&spot, Purpose::Play));
        }
        assert_eq!(playing, 64 - places.reserve());
        let publisher = places.admit(HOME_ADDRESS, false, Timestamp::ZERO).unwrap();
        assert!(places.settle(&publisher, Purpose::Publish));
    }

    #[test]
    fn viewers_between_two_requests_stay_while_others_come() {
        let places = admission();
        let play = |address, is_proxy| {
            let spot = places.admit(address, is_proxy, Timestamp::ZERO).unwrap();
            assert!(places.settle(&spot, Purpose::Play));
            spot
        };
        // These are more connections than may wait without a purpose.
        let viewers: Vec<_> = (0..40).map(|_| play(LOCAL_ADDRESS, false)).collect();
        viewers.iter().for_each(|viewer| places.unsettle(viewer));
        let newcomers: Vec<_> =
            (0..20).map(|_| places.admit(LOCAL_ADDRESS, false, Timestamp::ZERO).unwrap()).collect();
        assert!(viewers.iter().all(|viewer| places.settle(viewer, Purpose::Play)));
        viewers.iter().for_each(|viewer| places.unsettle(viewer));
        // When all slots are taken, most connections without a purpose go first.
        let others: Vec<_> = (0..21).map(|_| play(FLOOD_ADDRESS, true)).collect();
        let left = newcomers.iter().filter(|newcomer| !is_evicted(newcomer)).count();
        assert_eq!(left, places.reserve() - 1);
        assert!(!viewers.iter().any(|viewer| is_evicted(viewer)) && !places.is_full());
        // The last newcomers take the slots of viewers, and do not evict each other.
        newcomers.iter().for_each(|newcomer| places.leave(newcomer));
        let filling: Vec<_> = (0..3).map(|_| play(FLOOD_ADDRESS, true)).collect();
        let publisher = places.admit(HOME_ADDRESS, false, Timestamp::ZERO).unwrap();
        assert!(is_evicted(&viewers[0]) && !is_evicted(&viewers[1]), "the oldest one");
        let page = places.admit(HOME_ADDRESS, false, Timestamp::ZERO).unwrap();
        assert!(is_evicted(&viewers[1]) && !is_evicted(&publisher));
        assert!(places.settle(&publisher, Purpose::Publish));
        places.leave(&page);
        filling.iter().for_each(|filling| places.leave(filling));
        viewers.iter().chain(&others).chain([&publisher]).for_each(|spot| places.leave(spot));
        let inner = places.inner.lock();
        assert_eq!((inner.all, inner.undecided.len(), inner.resting, inner.players), (0, 0, 0, 0));
    }

    #[test]
    fn a_connection_rests_when_the_last_of_its_requests_ends() {
        let places = admission();
        let spot = places.admit(HOME_ADDRESS, false, Timestamp::ZERO).unwrap();
        assert!(places.begin_play(&spot) && places.begin_play(&spot));
        places.end_play(&spot);
        assert!(spot.is_settled() && places.inner.lock().players == 1);
        places.end_play(&spot);
        assert!(!spot.is_settled() && places.inner.lock().players == 0);
    }

    #[test]
    fn an_evicted_connection_frees_its_slot_once() {
        let places = admission();
        let playing = places.admit(FLOOD_ADDRESS, false, Timestamp::ZERO).unwrap();
        assert!(places.settle(&playing, Purpose::Play));
        places.evict(&playing);
        assert!(is_evicted(&playing));
        places.leave(&playing);
        let inner = places.inner.lock();
        assert_eq!((inner.all, inner.undecided.len(), inner.players), (0, 0, 0));
    }

    #[test]
    fn only_new_connections_without_a_purpose_are_joining() {
        let places = admission();
        let at = |seconds| Timestamp::ZERO + Duration::from_secs(seconds);
        let joining = |seconds| places.has_joining(at(seconds));
        assert!(!joining(0));
        // A page or a program that keeps its connection between two requests of the API.
        let idle = places.admit(LOCAL_ADDRESS, false, at(0)).unwrap();
        assert!(joining(4) && !joining(5));
        let viewer = places.admit(HOME_ADDRESS, false, at(6)).unwrap();
        assert!(joining(6));
        assert!(places.settle(&viewer, Purpose::Play));
        assert!(!joining(6));
        places.unsettle(&viewer);
        assert!(!joining(6), "it rests");
        places.leave(&idle);
        assert!(places.inner.lock().undecided.is_empty());
    }

    #[test]
    fn one_address_has_a_share() {
        let places = admission();
        let playing: Vec<_> = (0..100)
            .map_while(|_| places.admit(FLOOD_ADDRESS, false, Timestamp::ZERO))
            .filter(|spot| places.settle(spot, Purpose::Play))
            .collect();
        assert_eq!(playing.len(), 20);
        // A proxy brings many clients.
        let proxied: Vec<_> = (0..30)
            .map_while(|_| places.admit(FLOOD_ADDRESS, true, Timestamp::ZERO))
            .filter(|spot| places.settle(spot, Purpose::Play))
            .collect();
        assert_eq!(proxied.len(), 30);
        // A connection that stops playing makes room for the next one.
        places.unsettle(&playing[0]);
        assert!(
            places.admit(FLOOD_ADDRESS, false, Timestamp::ZERO).is_some()
                && is_evicted(&playing[0])
        );
        assert!(!places.settle(&playing[0], Purpose::Play), "it has gone");
    }
}
