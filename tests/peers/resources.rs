//! The memory and descriptors of a process, and a check that the process releases what hostile
//! peers made it allocate.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// Memory that may remain: the allocator keeps freed memory in one arena per thread. A leak grows
/// by far more in each round.
const KEPT: usize = 32 << 20;
/// The same limit for a test whose own process contains the server, and which started with little
/// memory.
const KEPT_INSIDE: usize = 96 << 20;
/// Time limit for the release of resources: connections have deadlines, and sockets linger.
const LIMIT: Duration = Duration::from_secs(45);

/// The descriptors and the memory of a process at one moment.
#[derive(Copy, Clone, Debug)]
pub struct Resources {
    id: u32,
    descriptors: usize,
    resident: usize,
    kept: usize,
}

impl Resources {
    /// Returns the current descriptors and memory of the process with this id.
    pub fn of(id: u32) -> Self {
        // Each network thread opens a ring when it first sends to many viewers.
        let descriptors = open(id).into_iter().filter(|it| !it.contains("io_uring")).count();
        let statm = fs::read_to_string(format!("/proc/{id}/statm")).unwrap();
        let pages: usize = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
        Self { id, descriptors, resident: pages * 4_096, kept: KEPT }
    }

    /// Returns the resources of the test's own process. Returns `None` if other tests share the
    /// process, as under `cargo test` (but not under nextest).
    pub fn of_this_test() -> Option<Self> {
        let alone = std::env::var_os("NEXTEST").is_some();
        alone.then(|| Self { kept: KEPT_INSIDE, ..Self::of(std::process::id()) })
    }

    /// Returns how much more memory the process has now, in bytes.
    pub fn growth(&self) -> usize {
        Self::of(self.id).resident.saturating_sub(self.resident)
    }

    /// Waits until the process has no more resources than at that moment.
    ///
    /// # Panics
    /// When it does not come to that; `after` says after what.
    #[track_caller]
    pub fn returned(&self, after: &str) {
        let since = Instant::now();
        loop {
            let now = Self::of(self.id);
            let more = now.resident.saturating_sub(self.resident);
            if now.descriptors <= self.descriptors && more <= self.kept {
                println!("{after}: {} KiB more", more >> 10);
                return;
            }
            let (kib, fds) = (more >> 10, now.descriptors);
            assert!(
                since.elapsed() < LIMIT,
                "{after}: {fds} descriptors instead of {}, {kib} KiB more; open: {:?}",
                self.descriptors,
                open(self.id)
            );
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Returns the descriptions of the descriptors of a process.
fn open(id: u32) -> Vec<String> {
    let all = fs::read_dir(format!("/proc/{id}/fd")).unwrap().flatten();
    let names = all.filter_map(|entry| fs::read_link(entry.path()).ok());
    names.map(|name| name.display().to_string()).collect()
}
