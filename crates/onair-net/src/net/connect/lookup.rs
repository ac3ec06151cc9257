//! Name lookups. The system's resolver blocks a thread of the runtime and cannot be interrupted, so
//! a lookup can continue long after its caller has given up. To leave threads for other work, few
//! lookups run at a time, and callers with the same host share one. A slow lookup passes its slot on,
//! and the next lookup of its host waits for a slot for slow ones, so that dead names delay no others.
//! The answer of a slow lookup stays valid for a while, because its caller may have given up.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::timeout;

use crate::net::error::Cause;

/// Maximum number of lookups at a time, except slow ones.
const MAX_LOOKUPS: usize = 4;
/// Maximum number of slow lookups at a time. The runtime has threads for all lookups, and for other
/// work.
const MAX_SLOW_LOOKUPS: usize = 12;
/// A lookup without an answer for this long is slow.
const SLOW_LOOKUP_TIME: Duration = Duration::from_secs(1);
/// Lifetime of the answer of a slow lookup.
const SLOW_ANSWER_LIFETIME: Duration = Duration::from_secs(60);
/// Maximum number of remembered hosts with slow lookups.
const MAX_SLOW_HOSTS: usize = 256;

/// All lookups of this process.
static LOOKUPS: Lookups = Lookups::new(SLOW_LOOKUP_TIME);

type LookupAnswer = Result<Vec<SocketAddr>, Cause>;

/// The answer of a lookup that has ended.
struct EndedLookup {
    answer: LookupAnswer,
    /// Time until which later callers get this answer too. `None` if they must ask again.
    valid_until: Option<Instant>,
}

/// The result of a lookup, once it is known. The channel is open while the lookup runs.
type Lookup = watch::Receiver<Option<EndedLookup>>;

struct Lookups {
    slow_after: Duration,
    slots: Semaphore,
    slow_slots: Semaphore,
    /// The hosts whose last lookup was slow.
    slow_hosts: Mutex<BTreeSet<String>>,
    /// Lookups that run, and a few that have ended, by host.
    running: Mutex<BTreeMap<String, Lookup>>,
}

/// Returns the addresses of a host, with port 0. Dropping this future does not end the lookup.
pub(super) async fn resolve(host: &str) -> Result<Vec<SocketAddr>, Cause> {
    LOOKUPS.resolve(host, ask_system).await
}

/// Lets later callers ask the system again, after the network has returned. A lookup that still runs
/// may wait for a resolver of the lost network; only its own callers get its answer.
pub fn forget_lookups() {
    LOOKUPS.forget();
}

async fn ask_system(host: String) -> LookupAnswer {
    match tokio::net::lookup_host((host, 0)).await {
        Ok(found) => Ok(found.collect()),
        Err(error) => Err(lookup_cause(&error)),
    }
}

/// Returns the cause of a resolver error, which contains only a text. "Name or service not known"
/// and similar texts mean an unknown host; "Temporary failure in name resolution" means a failed
/// lookup.
fn lookup_cause(error: &io::Error) -> Cause {
    let text = error.to_string();
    let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
    let unknown = ["not known", "No address", "nodename nor servname", "No such host"];
    if unknown.iter().any(|known| text.contains(known)) {
        Cause::NoSuchHost
    } else {
        Cause::LookupFailed(text.to_owned())
    }
}

impl Lookups {
    const fn new(slow_after: Duration) -> Self {
        Self {
            slow_after,
            slots: Semaphore::const_new(MAX_LOOKUPS),
            slow_slots: Semaphore::const_new(MAX_SLOW_LOOKUPS),
            slow_hosts: Mutex::new(BTreeSet::new()),
            running: Mutex::new(BTreeMap::new()),
        }
    }

    /// Waits for the lookup of this host. If none runs, starts one with `ask`.
    async fn resolve<F>(&'static self, host: &str, ask: impl FnOnce(String) -> F) -> LookupAnswer
    where
        F: Future<Output = LookupAnswer> + Send + 'static,
    {
        let ended = || Err(Cause::LookupFailed("the lookup was canceled".to_owned()));
        let mut lookup = match self.running(host) {
            Some(lookup) => lookup,
            None => match self.slots_for(host).acquire().await {
                Ok(slot) => self.start(host, ask, slot),
                Err(_) => return ended(),
            },
        };
        match lookup.wait_for(Option::is_some).await {
            Ok(known) => known.as_ref().map_or_else(ended, |known| known.answer.clone()),
            Err(_) => ended(),
        }
    }

    fn forget(&self) {
        self.running.lock().clear();
    }

    fn running(&self, host: &str) -> Option<Lookup> {
        self.running.lock().get(host).filter(|lookup| is_usable(lookup)).cloned()
    }

    /// Returns the slots for a lookup of this host.
    fn slots_for(&'static self, host: &str) -> &'static Semaphore {
        if self.slow_hosts.lock().contains(host) { &self.slow_slots } else { &self.slots }
    }

    fn note_slow(&self, host: String) {
        let mut hosts = self.slow_hosts.lock();
        if hosts.len() >= MAX_SLOW_HOSTS {
            hosts.clear();
        }
        hosts.insert(host);
    }

    /// Waits for the answer of the system. The slot is in use until then, or until the lookup is slow.
    async fn answer(
        &'static self,
        host: String,
        answer: impl Future<Output = LookupAnswer>,
        mut slot: SemaphorePermit<'static>,
    ) -> EndedLookup {
        let mut answer = pin!(answer);
        if let Ok(answer) = timeout(self.slow_after, answer.as_mut()).await {
            self.slow_hosts.lock().remove(&host);
            return EndedLookup { answer, valid_until: None };
        }
        self.note_slow(host);
        if let Ok(slow_slot) = self.slow_slots.try_acquire() {
            slot = slow_slot;
        }
        let answer = answer.await;
        drop(slot);
        let valid_until = answer.is_ok().then(|| Instant::now() + SLOW_ANSWER_LIFETIME);
        EndedLookup { answer, valid_until }
    }

    /// Starts a lookup.
    fn start<F>(
        &'static self,
        host: &str,
        ask: impl FnOnce(String) -> F,
        slot: SemaphorePermit<'static>,
    ) -> Lookup
    where
        F: Future<Output = LookupAnswer> + Send + 'static,
    {
        let mut running = self.running.lock();
        running.retain(|_, lookup| is_usable(lookup));
        // Another caller can have started this lookup while this caller waited for a slot.
        if let Some(lookup) = running.get(host) {
            return lookup.clone();
        }
        let (answered, lookup) = watch::channel(None);
        let answer = self.answer(host.to_owned(), ask(host.to_owned()), slot);
        tokio::spawn(async move {
            let _ = answered.send(Some(answer.await));
        });
        running.insert(host.to_owned(), lookup.clone());
        lookup
    }
}

/// Returns true while the lookup runs.
fn is_open(lookup: &Lookup) -> bool {
    lookup.has_changed().is_ok()
}

/// Returns true while the lookup runs, and while its answer is valid.
fn is_usable(lookup: &Lookup) -> bool {
    let is_valid = |ended: &EndedLookup| ended.valid_until.is_some_and(|it| Instant::now() < it);
    is_open(lookup) || lookup.borrow().as_ref().is_some_and(is_valid)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::sleep;

    use super::*;
    use crate::net::runtime::Runtime;

    const SHORT: Duration = Duration::from_millis(5);
    const LIMIT: Duration = Duration::from_secs(60);

    /// A resolver that does not answer until there is a permit.
    struct SilentResolver {
        lookups: Lookups,
        asked: AtomicUsize,
        answers: Semaphore,
    }

    impl SilentResolver {
        fn new() -> &'static Self {
            Self::with_slow_lookups(LIMIT)
        }

        /// Returns a resolver whose lookups are slow after this time.
        fn with_slow_lookups(after: Duration) -> &'static Self {
            let (asked, answers) = (AtomicUsize::new(0), Semaphore::new(0));
            Box::leak(Box::new(Self { lookups: Lookups::new(after), asked, answers }))
        }

        async fn resolve(&'static self, host: &str) -> LookupAnswer {
            let ask = move |_| {
                self.asked.fetch_add(1, Ordering::Relaxed);
                self.answer()
            };
            self.lookups.resolve(host, ask).await
        }

        async fn answer(&self) -> LookupAnswer {
            drop(self.answers.acquire().await);
            Ok(vec![SocketAddr::from(([127, 0, 0, 1], 0))])
        }
    }

    #[test]
    fn a_retry_joins_the_lookup_that_still_runs() {
        let resolver = SilentResolver::new();
        Runtime::start().unwrap().block_on(async {
            for _ in 0..20 {
                assert!(timeout(SHORT, resolver.resolve("host")).await.is_err());
            }
            let mut retry = pin!(resolver.resolve("host"));
            assert!(timeout(SHORT, retry.as_mut()).await.is_err());
            resolver.answers.add_permits(1);
            assert_eq!(timeout(LIMIT, retry).await.unwrap().unwrap().len(), 1);
            assert_eq!(resolver.asked.load(Ordering::Relaxed), 1);
        });
    }

    #[test]
    fn a_slow_answer_is_kept_for_the_next_attempt() {
        let resolver = SilentResolver::with_slow_lookups(SHORT);
        let lookups = &resolver.lookups;
        Runtime::start().unwrap().block_on(async {
            assert!(timeout(SHORT, resolver.resolve("host")).await.is_err());
            while !lookups.slow_hosts.lock().contains("host") {
                sleep(SHORT).await;
            }
            resolver.answers.add_permits(1);
            while lookups.running.lock().get("host").is_some_and(is_open) {
                sleep(SHORT).await;
            }
            assert_eq!(resolver.resolve("host").await.unwrap().len(), 1);
            assert_eq!(resolver.asked.load(Ordering::Relaxed), 1);
            // An address of the lost network is useless.
            lookups.forget();
            assert_eq!(resolver.resolve("host").await.unwrap().len(), 1);
            assert_eq!(resolver.asked.load(Ordering::Relaxed), 2);
        });
    }

    #[test]
    fn a_lookup_of_a_lost_network_is_not_joined_after_its_return() {
        let resolver = SilentResolver::new();
        Runtime::start().unwrap().block_on(async {
            let mut first = pin!(resolver.resolve("host"));
            assert!(timeout(SHORT, first.as_mut()).await.is_err());
            resolver.lookups.forget();
            let mut second = pin!(resolver.resolve("host"));
            assert!(timeout(SHORT, second.as_mut()).await.is_err());
            assert_eq!(resolver.asked.load(Ordering::Relaxed), 2);
            resolver.answers.add_permits(2);
            for lookup in [first, second] {
                assert!(timeout(LIMIT, lookup).await.unwrap().is_ok());
            }
        });
    }

    #[test]
    fn few_lookups_run_at_a_time_and_the_others_wait() {
        let resolver = SilentResolver::new();
        Runtime::start().unwrap().block_on(async {
            for number in 0..20 {
                let host = format!("host{number}");
                assert!(timeout(SHORT, resolver.resolve(&host)).await.is_err());
            }
            let mut another = pin!(resolver.resolve("another"));
            assert!(timeout(SHORT, another.as_mut()).await.is_err());
            assert_eq!(resolver.asked.load(Ordering::Relaxed), MAX_LOOKUPS);
            resolver.answers.add_permits(1);
            assert!(timeout(LIMIT, another).await.unwrap().is_ok());
        });
    }

    #[test]
    fn dead_names_do_not_delay_other_names() {
        let resolver = SilentResolver::with_slow_lookups(SHORT);
        Runtime::start().unwrap().block_on(async {
            for number in 0..MAX_LOOKUPS {
                let host = format!("dead{number}");
                assert!(timeout(SHORT, resolver.resolve(&host)).await.is_err());
            }
            let alive = |_| async { Ok(Vec::new()) };
            let other = timeout(LIMIT, resolver.lookups.resolve("alive", alive)).await;
            assert_eq!(other, Ok(Ok(Vec::new())));
            // Even many dead names take a limited number of threads.
            for number in 0..40 {
                let host = format!("dead{number}");
                assert!(timeout(SHORT, resolver.resolve(&host)).await.is_err());
            }
            let most = MAX_LOOKUPS + MAX_SLOW_LOOKUPS;
            assert!(resolver.asked.load(Ordering::Relaxed) <= most);
        });
    }

    #[test]
    fn a_dead_name_waits_for_a_slot_of_slow_ones() {
        let resolver = SilentResolver::with_slow_lookups(LIMIT);
        let lookups = &resolver.lookups;
        lookups.note_slow("dead".to_owned());
        assert!(std::ptr::eq(lookups.slots_for("dead"), &raw const lookups.slow_slots));
        assert!(std::ptr::eq(lookups.slots_for("alive"), &raw const lookups.slots));
        Runtime::start().unwrap().block_on(async {
            resolver.answers.add_permits(1);
            assert!(resolver.resolve("dead").await.is_ok());
        });
        assert!(std::ptr::eq(lookups.slots_for("dead"), &raw const lookups.slots));
    }
}
