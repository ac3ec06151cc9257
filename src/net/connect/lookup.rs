//! Name lookups. The system's resolver blocks a thread of the runtime and cannot be interrupted, so
//! a lookup can continue long after its caller has given up. To leave threads for other work, few
//! lookups run at a time, and callers with the same host share one.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use crate::net::error::Cause;

/// Maximum number of lookups at a time: half of the runtime's threads for blocking work.
const MAX_LOOKUPS: usize = 4;

/// All lookups of this process.
static LOOKUPS: Lookups = Lookups::new();

type LookupAnswer = Result<Vec<SocketAddr>, Cause>;

/// The result of a lookup, once it is known. The channel is open while the lookup runs.
type Lookup = watch::Receiver<Option<LookupAnswer>>;

struct Lookups {
    slots: Semaphore,
    /// Lookups that run, and a few that have ended, by host.
    running: Mutex<BTreeMap<String, Lookup>>,
}

/// Returns the addresses of a host, with port 0. Dropping this future does not end the lookup.
pub(super) async fn resolve(host: &str) -> Result<Vec<SocketAddr>, Cause> {
    LOOKUPS.resolve(host, ask_system).await
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
    const fn new() -> Self {
        let slots = Semaphore::const_new(MAX_LOOKUPS);
        Self { slots, running: Mutex::new(BTreeMap::new()) }
    }

    /// Waits for the lookup of this host. If none runs, starts one with `ask`.
    async fn resolve<F>(&'static self, host: &str, ask: impl FnOnce(String) -> F) -> LookupAnswer
    where
        F: Future<Output = LookupAnswer> + Send + 'static,
    {
        let ended = || Err(Cause::LookupFailed("the lookup was canceled".to_owned()));
        let mut lookup = match self.running(host) {
            Some(lookup) => lookup,
            None => match self.slots.acquire().await {
                Ok(slot) => self.start(host, ask, slot),
                Err(_) => return ended(),
            },
        };
        match lookup.wait_for(Option::is_some).await {
            Ok(answer) => answer.clone().unwrap_or_else(ended),
            Err(_) => ended(),
        }
    }

    fn running(&self, host: &str) -> Option<Lookup> {
        self.running.lock().get(host).filter(|lookup| is_open(lookup)).cloned()
    }

    /// Starts a lookup, which keeps its slot until the system answers.
    fn start<F>(
        &self,
        host: &str,
        ask: impl FnOnce(String) -> F,
        slot: SemaphorePermit<'static>,
    ) -> Lookup
    where
        F: Future<Output = LookupAnswer> + Send + 'static,
    {
        let mut running = self.running.lock();
        running.retain(|_, lookup| is_open(lookup));
        // Another caller can have started this lookup while this caller waited for a slot.
        if let Some(lookup) = running.get(host) {
            return lookup.clone();
        }
        let (answered, lookup) = watch::channel(None);
        let answer = ask(host.to_owned());
        tokio::spawn(async move {
            let answer = answer.await;
            drop(slot);
            let _ = answered.send(Some(answer));
        });
        running.insert(host.to_owned(), lookup.clone());
        lookup
    }
}

/// Returns true while the lookup runs.
fn is_open(lookup: &Lookup) -> bool {
    lookup.has_changed().is_ok()
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::time::timeout;

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
            let (asked, answers) = (AtomicUsize::new(0), Semaphore::new(0));
            Box::leak(Box::new(Self { lookups: Lookups::new(), asked, answers }))
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
}
