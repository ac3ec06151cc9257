//! Runs divisible work on a few threads. The caller also works on parts, and continues when all
//! parts are done, so the work can borrow the caller's data. Running a job allocates no memory.

#![allow(unsafe_code)]

use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::base::simd::wide;
use crate::base::worker::{Stop, Worker};

/// Maximum number of threads. More threads do not speed up the work on one frame.
const MAX_THREADS: usize = 4;

/// The number of parts that are handed out together.
const PARTS_PER_BATCH: usize = 8;

type Job<'a> = dyn Fn(usize) + Sync + 'a;

/// Helper threads for divisible work. Dropping the pool ends the threads.
#[derive(Debug)]
pub struct WorkerPool {
    shared: Arc<Shared>,
    helpers: Vec<Worker>,
    /// The lock of the running job, because only one job runs at a time. A caller that finds the
    /// lock taken does its work alone.
    turn: Mutex<()>,
}

#[derive(Debug, Default)]
struct Shared {
    work: Mutex<Work>,
    /// Signals that a job has new parts.
    more: Condvar,
    /// Signals that the last part is done.
    done: Condvar,
}

/// A running job.
#[derive(Debug, Default)]
struct Work {
    job: Option<BorrowedJob>,
    next: usize,
    count: usize,
    /// The number of parts that are being worked on.
    busy: usize,
    /// The panic of a part that ran on a helper.
    fault: Option<Box<dyn Any + Send>>,
}

/// A job with an extended lifetime. [`WorkerPool::share`] guarantees that the job is not used after
/// its borrow has ended.
#[derive(Copy, Clone)]
struct BorrowedJob(*const Job<'static>);

// SAFETY: the job behind the pointer is `Sync`, so any thread may call the job while it exists.
unsafe impl Send for BorrowedJob {}

impl std::fmt::Debug for BorrowedJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BorrowedJob")
    }
}

impl WorkerPool {
    /// Creates a pool without helper threads: the caller does all work.
    pub fn alone() -> Self {
        Self { shared: Arc::default(), helpers: Vec::new(), turn: Mutex::default() }
    }

    /// Creates a pool with as many threads as this computer can use, including the caller's. The
    /// pool has fewer threads if the system refuses to start them.
    pub fn of_this_machine(name: &str) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self::of(name, cores.min(MAX_THREADS))
    }

    /// Creates a pool with this many threads, including the caller's.
    pub fn of(name: &str, threads: usize) -> Self {
        let mut workers = Self::alone();
        for _ in 1..threads {
            let shared = Arc::clone(&workers.shared);
            match Worker::spawn(name, move |stop| help(&shared, stop)) {
                Ok(worker) => workers.helpers.push(worker),
                Err(fault) => {
                    tracing::warn!(%fault, name, "starting a worker thread failed");
                    break;
                }
            }
        }
        workers
    }

    /// Runs `job` for each part, in any order, on any of the threads, with the widest vectors of
    /// the processor. Returns when all parts are done. As with [`wide`], only inlined code uses
    /// those vectors: use `#[inline(always)]` on the closure and the functions it calls.
    pub fn each<T: Send>(&self, parts: impl IntoIterator<Item = T>, job: impl Fn(T) + Sync) {
        let mut parts = parts.into_iter().fuse();
        // The job is inlined only here, because it is long.
        let run = |part| {
            wide(
                #[inline(always)]
                || job(part),
            );
        };
        let turn = if self.helpers.is_empty() { None } else { self.turn.try_lock() };
        let Some(_turn) = turn else {
            return parts.for_each(run);
        };
        loop {
            let mut count = 0;
            let cells: [Mutex<Option<T>>; PARTS_PER_BATCH] = std::array::from_fn(|_| {
                let part = parts.next();
                count += usize::from(part.is_some());
                Mutex::new(part)
            });
            let take = |index: usize| cells.get(index).and_then(|cell| cell.lock().take());
            let one = |index: usize| {
                if let Some(part) = take(index) {
                    run(part);
                }
            };
            match count {
                0 => return,
                1 => one(0),
                count => self.share(count, &one),
            }
            if count < PARTS_PER_BATCH {
                return;
            }
        }
    }

    /// Runs `job` for each number below `count`. A panic on a helper is repeated here, because an
    /// incomplete frame is useless.
    fn share(&self, count: usize, job: &Job<'_>) {
        // SAFETY: only the lifetime changes. Helpers take the job from `work` while they hold its
        // lock, and count themselves as busy before they release it; `Finish` removes the job and
        // waits until no helper is busy, even if `job` panics here.
        let lent =
            BorrowedJob(unsafe { std::mem::transmute::<*const Job<'_>, *const Job<'static>>(job) });
        let mut work = self.shared.work.lock();
        (work.job, work.next, work.count, work.fault) = (Some(lent), 0, count, None);
        drop(work);
        self.shared.more.notify_all();
        let finish = Finish(&self.shared);
        loop {
            let mut work = self.shared.work.lock();
            let Some((_, index)) = work.take() else { break };
            let _busy = Busy(&self.shared);
            drop(work);
            job(index);
        }
        drop(finish);
        let fault = self.shared.work.lock().fault.take();
        if let Some(fault) = fault {
            resume_unwind(fault);
        }
    }
}

impl Drop for WorkerPool {
    fn drop(&mut self) {
        self.helpers.iter().for_each(Worker::stop);
        // A helper that has checked the stop flag and found it unset is waiting by now, and is
        // woken.
        drop(self.shared.work.lock());
        self.shared.more.notify_all();
    }
}

impl Work {
    /// Takes the next part, which counts as busy from now on.
    fn take(&mut self) -> Option<(BorrowedJob, usize)> {
        let job = self.job.filter(|_| self.next < self.count)?;
        let index = self.next;
        self.next += 1;
        self.busy += 1;
        Some((job, index))
    }
}

/// Marks a part as busy until this value is dropped.
struct Busy<'a>(&'a Shared);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let mut work = self.0.work.lock();
        work.busy -= 1;
        if work.busy == 0 {
            self.0.done.notify_all();
        }
    }
}

/// When dropped, removes the job, and waits until no helper thread works on it.
struct Finish<'a>(&'a Shared);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        let mut work: MutexGuard<'_, Work> = self.0.work.lock();
        work.job = None;
        while work.busy > 0 {
            self.0.done.wait(&mut work);
        }
    }
}

/// Runs the loop of a helper thread.
fn help(shared: &Shared, stop: &Stop) {
    let mut work = shared.work.lock();
    while !stop.is_set() {
        let Some((job, index)) = work.take() else {
            shared.more.wait(&mut work);
            continue;
        };
        let busy = Busy(shared);
        drop(work);
        // SAFETY: this part is counted as busy, so `Finish` still keeps the owner of the job
        // waiting.
        let done = catch_unwind(AssertUnwindSafe(|| unsafe { (*job.0)(index) }));
        if let Err(fault) = done {
            shared.work.lock().fault = Some(fault);
        }
        drop(busy);
        work = shared.work.lock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Clock;

    #[test]
    fn what_panics_on_a_helper_panics_with_its_owner_and_the_helper_stays() {
        let workers = WorkerPool::of("workers-test", 2);
        let owner = std::thread::current().id();
        for _ in 0..50 {
            let helped = std::sync::atomic::AtomicBool::new(false);
            // The part on the owner's thread waits until a helper has taken a part.
            let work = || {
                workers.each(0..2, |_| {
                    if std::thread::current().id() == owner {
                        let clock = Clock::start();
                        while !helped.load(std::sync::atomic::Ordering::Relaxed) {
                            assert!(clock.now().as_secs_f64() < 30.0, "nobody helps");
                            std::thread::yield_now();
                        }
                    } else {
                        helped.store(true, std::sync::atomic::Ordering::Relaxed);
                        resume_unwind(Box::new("a part"));
                    }
                });
            };
            let fault = catch_unwind(AssertUnwindSafe(work)).unwrap_err();
            assert_eq!(fault.downcast_ref(), Some(&"a part"));
        }
        let mut values = [1, 2, 3];
        workers.each(&mut values, |value| *value += 1);
        assert_eq!(values, [2, 3, 4]);
    }

    #[test]
    fn every_part_is_done_once_with_any_number_of_helpers() {
        for threads in [1, 2, 4] {
            let workers = WorkerPool::of("workers-test", threads);
            for length in [0, 1, 5, 8, 9, 1_000] {
                let mut values = vec![0_u32; length];
                workers.each(values.iter_mut().zip(1..), |(value, by)| *value += by);
                assert!(values.iter().zip(1..).all(|(value, by)| *value == by), "{length}");
            }
        }
    }

    #[test]
    fn the_owner_and_a_helper_work_at_the_same_time() {
        let workers = WorkerPool::of("workers-test", 2);
        // Each of two parts waits for the other: a single thread would never finish.
        let meet = std::sync::Barrier::new(2);
        workers.each(0..2, |_| {
            meet.wait();
        });
    }

    #[test]
    fn helpers_end_with_their_worker_pool() {
        let clock = Clock::start();
        for _ in 0..200 {
            let workers = WorkerPool::of("workers-test", 3);
            workers.each(0..2, |_| {});
            let shared = Arc::downgrade(&workers.shared);
            drop(workers);
            while shared.strong_count() > 0 {
                assert!(clock.now().as_millis() < 20_000, "a helper stays");
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn nested_work_is_done_by_the_thread_that_has_it() {
        let workers = WorkerPool::of("workers-test", 3);
        let mut values = [0_u32; 64];
        workers.each(values.chunks_mut(16), |part| {
            workers.each(part.iter_mut(), |value| *value += 1);
        });
        assert_eq!(values, [1; 64]);
    }

    #[test]
    fn a_part_that_panics_lets_its_owner_go_only_when_all_are_over() {
        let workers = WorkerPool::of("workers-test", 2);
        for _ in 0..20 {
            let mut values = [0_u32; 8];
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                workers.each(values.iter_mut().zip(0..), |(value, index)| {
                    *value = 1;
                    // The panic occurs only on the owner's thread: a helper that is gone is a
                    // separate case.
                    let own = std::thread::current().name() != Some("workers-test");
                    assert!(!(own && index > 3), "as planned");
                });
            }));
            drop(result);
            assert_eq!(workers.shared.work.lock().busy, 0);
        }
        let mut values = [0_u32; 8];
        workers.each(values.iter_mut(), |value| *value = 1);
        assert_eq!(values, [1; 8]);
    }
}
