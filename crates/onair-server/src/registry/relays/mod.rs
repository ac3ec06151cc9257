//! All relays of a server, and their rules and totals. The number of relays is bounded.

pub(crate) mod rules;
pub(crate) mod state;
pub(crate) mod target;

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::base::Timestamp;
use crate::net::random_hex;
use crate::server::event::relay::Direction;
use crate::server::registry::relays::rules::RelayRule;
use crate::server::registry::relays::state::Relay;
use crate::server::registry::relays::target::RelayTarget;

/// Maximum number of running relays.
pub(crate) const MAX_RELAYS: usize = 256;
/// Maximum number of pulls on demand that have received nothing yet. Such pulls are cheap to
/// request.
const MAX_EMPTY_PULLS: usize = 64;
/// Maximum number of pulls on demand without data for the viewers of one network.
pub(crate) const MAX_EMPTY_PULLS_PER_ADDRESS: usize = 8;
/// Minimum time between two events about refused relays.
const REFUSAL_INTERVAL: Duration = Duration::from_secs(10);
/// Length of a server's id in characters.
const SERVER_ID_LENGTH: usize = 16;

/// The relays of a server.
#[derive(Debug)]
pub(crate) struct Relays {
    /// The id of this server. On relay paths, it begins the ids of this server's streams.
    pub id: String,
    /// Hashes the names of streams for relay paths.
    names: RandomState,
    /// The runtime on which the tasks of relays run.
    pub runtime: Handle,
    rules: RwLock<Vec<Arc<RelayRule>>>,
    all: Mutex<HashMap<u64, Arc<Relay>>>,
    /// Totals of relays that have ended, by direction.
    ended: Mutex<BTreeMap<Direction, RelayTotals>>,
    refused: AtomicU64,
    /// True if a relay was refused since the last [`Relays::retry`].
    has_refused: AtomicBool,
    /// True during [`Relays::retry`].
    is_retry: AtomicBool,
    /// The time of the last event about a relay that was refused.
    refusal_reported: Mutex<Option<Timestamp>>,
    /// Signals that there may be room for relays that were refused.
    freed: Notify,
}

/// The result of [`Relays::add`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Addition {
    Added,
    /// There is an equal relay.
    Known,
    /// There are too many relays.
    Full,
    /// There are too many pulls on demand that have received nothing yet.
    TooManyEmpty,
}

/// The totals of relays.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct RelayTotals {
    /// Number of bytes sent or received.
    pub bytes: u64,
    pub reconnects: u64,
    pub dropped_frames: u64,
}

impl RelayTotals {
    fn add(&mut self, relay: &Relay) {
        self.bytes += relay.bytes.load(Ordering::Relaxed);
        self.reconnects += relay.reconnects.load(Ordering::Relaxed);
        self.dropped_frames += relay.dropped_frames.load(Ordering::Relaxed);
    }
}

impl Relays {
    pub fn new(rules: &[RelayRule], runtime: &Handle) -> Self {
        let mut id = random_hex().unwrap_or_else(|| "0".repeat(SERVER_ID_LENGTH));
        id.truncate(SERVER_ID_LENGTH);
        Self {
            id,
            names: RandomState::new(),
            runtime: runtime.clone(),
            rules: RwLock::new(rules.iter().cloned().map(Arc::new).collect()),
            all: Mutex::default(),
            ended: Mutex::default(),
            refused: AtomicU64::new(0),
            has_refused: AtomicBool::new(false),
            is_retry: AtomicBool::new(false),
            refusal_reported: Mutex::default(),
            freed: Notify::new(),
        }
    }

    /// Returns the id of a stream of this server on relay paths.
    pub fn id_of(&self, names: (&str, &str)) -> String {
        format!("{}{:016x}", self.id, self.names.hash_one(names))
    }

    /// Returns the rules.
    pub fn rules(&self) -> Vec<Arc<RelayRule>> {
        self.rules.read().clone()
    }

    /// Returns the running relays, oldest first.
    pub fn all(&self) -> Vec<Arc<Relay>> {
        let mut all: Vec<_> = self.all.lock().values().cloned().collect();
        all.sort_unstable_by_key(|relay| relay.id);
        all
    }

    /// Returns the number of running relays.
    pub fn count(&self) -> usize {
        self.all.lock().len()
    }

    /// Returns the number of relays that were not started, because there were too many.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Returns the totals of one direction since the start.
    pub fn totals(&self, direction: Direction) -> RelayTotals {
        let all = self.all.lock();
        let mut totals = self.ended.lock().get(&direction).copied().unwrap_or_default();
        all.values().filter(|it| it.rule().direction == direction).for_each(|it| totals.add(it));
        totals
    }

    /// Returns the pull of a stream, unless it was asked to end.
    pub fn pull_of(&self, app: &str, stream: &str) -> Option<Arc<Relay>> {
        let all = self.all.lock();
        let is_it = |it: &&Arc<Relay>| {
            let is_pull = it.rule().direction == Direction::Pull && !it.is_stopped();
            is_pull && it.app == app && it.stream == stream
        };
        all.values().find(is_it).cloned()
    }

    /// Returns the first rule for pulls of a stream on demand.
    pub fn demand_rule(&self, app: &str, stream: &str) -> Option<Arc<RelayRule>> {
        let rules = self.rules.read();
        rules.iter().find(|rule| rule.on_demand && rule.applies_to(app, stream)).cloned()
    }

    /// Adds a relay, unless there are too many, or `is_same` finds an equal one.
    pub fn add(&self, relay: &Arc<Relay>, is_same: impl Fn(&Relay) -> bool) -> Addition {
        let mut all = self.all.lock();
        if all.values().any(|it| !it.is_stopped() && is_same(it)) {
            return Addition::Known;
        }
        let is_full = all.len() >= MAX_RELAYS;
        if is_full || is_fruitless(&all, relay.opened_by) {
            let is_first = !self.is_retry.load(Ordering::Relaxed);
            self.refused.fetch_add(is_first.into(), Ordering::Relaxed);
            self.has_refused.store(true, Ordering::Relaxed);
            return if is_full { Addition::Full } else { Addition::TooManyEmpty };
        }
        all.insert(relay.id, Arc::clone(relay));
        Addition::Added
    }

    /// Returns true if the operator gets an event about a refused relay. With many refusals, only some are events. A
    /// relay that is refused again is no event.
    pub fn is_refusal_reported(&self, now: Timestamp) -> bool {
        let mut last = self.refusal_reported.lock();
        let is_news = !self.is_retry.load(Ordering::Relaxed)
            && last.is_none_or(|last| now.since(last) >= REFUSAL_INTERVAL);
        if is_news {
            *last = Some(now);
        }
        is_news
    }

    /// Returns true if the server cannot run more relays.
    pub fn is_full(&self) -> bool {
        self.count() >= MAX_RELAYS
    }

    /// Waits until there may be room for relays that were refused.
    pub async fn freed(&self) {
        self.freed.notified().await;
    }

    /// Signals that there may be room for relays that were refused.
    pub fn free(&self) {
        // A relay that is being refused holds this lock, and must not miss the signal.
        let _all = self.all.lock();
        self.signal_free();
    }

    /// Works like [`Relays::free`], but for callers that hold the lock of `all`.
    fn signal_free(&self) {
        if self.has_refused.load(Ordering::Relaxed) {
            self.freed.notify_one();
        }
    }

    /// Calls `start`, which starts the relays that were refused. They count only once as refused.
    pub fn retry(&self, start: impl FnOnce()) {
        self.has_refused.store(false, Ordering::Relaxed);
        self.is_retry.store(true, Ordering::Relaxed);
        start();
        self.is_retry.store(false, Ordering::Relaxed);
        // `start` does not try all relays if the server is full.
        self.has_refused.fetch_or(self.is_full(), Ordering::Relaxed);
    }

    /// Returns true while a push may still send the rest of a stream to a server of this rule.
    pub fn is_pushed_to(&self, rule: &RelayRule, (app, stream): (&str, &str)) -> bool {
        let authorities: Vec<_> = rule.targets.iter().map(RelayTarget::authority).collect();
        self.all.lock().values().any(|it| {
            let other = it.rule();
            let is_push =
                other.direction == Direction::Push && it.app == app && it.stream == stream;
            is_push && other.targets.iter().any(|to| authorities.contains(&to.authority()))
        })
    }

    /// Removes a relay that is over.
    pub fn remove(&self, relay: &Relay) {
        let mut all = self.all.lock();
        if all.remove(&relay.id).is_some() {
            self.ended.lock().entry(relay.rule().direction).or_default().add(relay);
            self.signal_free();
        }
    }

    /// Replaces the rules. A pull goes on by another rule for its stream, so its viewers stay. Other relays of removed
    /// rules are asked to end.
    pub fn set_rules(&self, rules: &[RelayRule]) {
        let mut known = self.rules.write();
        let kept = |rule: &RelayRule| known.iter().find(|it| ***it == *rule).cloned();
        let new: Vec<_> =
            rules.iter().map(|rule| kept(rule).unwrap_or_else(|| Arc::new(rule.clone()))).collect();
        known.clone_from(&new);
        drop(known);
        for relay in self.all() {
            match rule_of(&relay, &new) {
                Some(rule) => relay.set_rule(rule),
                None => relay.stop(),
            }
        }
    }
}

/// Returns the rule by which a running relay goes on. A permanent pull takes the place of one on demand.
fn rule_of<'a>(relay: &Relay, rules: &'a [Arc<RelayRule>]) -> Option<&'a Arc<RelayRule>> {
    let current = relay.rule();
    let kept = rules.iter().find(|rule| Arc::ptr_eq(rule, &current));
    if current.direction == Direction::Push {
        return kept;
    }
    let mut pulls = rules.iter().filter(|rule| {
        rule.direction == Direction::Pull && rule.applies_to(&relay.app, &relay.stream)
    });
    pulls.clone().find(|rule| rule.is_static_pull()).or(kept).or_else(|| pulls.next())
}

/// Returns true if there are too many pulls on demand without a result.
fn is_fruitless(all: &HashMap<u64, Arc<Relay>>, opened_by: Option<IpAddr>) -> bool {
    let Some(address) = opened_by else { return false };
    let (mut total, mut of_address) = (0, 0);
    for relay in all.values().filter(|relay| relay.opened_by.is_some()) {
        if relay.bytes.load(Ordering::Relaxed) == 0 {
            total += 1;
            of_address += usize::from(relay.opened_by == Some(address));
        }
    }
    total >= MAX_EMPTY_PULLS || of_address >= MAX_EMPTY_PULLS_PER_ADDRESS
}
