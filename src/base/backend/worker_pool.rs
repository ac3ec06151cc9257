//! A few threads that help with divisible work: the caller also takes parts, and returns when all
//! are done, so the work can borrow its data. A piece of work allocates nothing.

#![allow(unsafe_code)]

use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::base::simd::wide;
use crate::base::worker::{Stop, Worker};

/// More threads do not speed up one frame.
const MAX_THREADS: usize = 4;

/// Parts that are handed out together.
const PARTS: usize = 8;

type Job<'a> = dyn Fn(usize) + Sync + 'a;

/// Helper threads for divisible work. Dropping it ends its threads.
#[derive(Debug)]
pub struct WorkerPool {
    shared: Arc<Shared>,
    helpers: Vec<Worker>,
    /// One piece of work at a time; a caller that finds it locked works alone.
    turn: Mutex<()>,
}

#[derive(Debug, Default)]
struct Shared {
    work: Mutex<Work>,
    /// There are parts to take.
    more: Condvar,
    /// The last part is done.
    done: Condvar,
}

/// A piece of work under way.
#[derive(Debug, Default)]
struct Work {
    job: Option<Lent>,
    next: usize,
    count: usize,
    /// Parts that are being worked on.
    busy: usize,
    /// The panic of a helper's part.
    fault: Option<Box<dyn Any + Send>>,
}

/// A job with an extended lifetime. [`WorkerPool::share`] guarantees that it does not outlive its
/// borrow.
#[derive(Copy, Clone)]
struct Lent(*const Job<'static>);

// SAFETY: what it points to is `Sync`: any thread may call it while it is there.
unsafe impl Send for Lent {}

impl std::fmt::Debug for Lent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lent")
    }
}

impl WorkerPool {
    /// Without helpers: the caller does everything.
    pub fn alone() -> Self {
        Self { shared: Arc::default(), helpers: Vec::new(), turn: Mutex::default() }
    }

    /// Uses as many threads as this machine can use, including the caller's. Fewer if the system
    /// refuses threads.
    pub fn of_this_machine(name: &str) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self::of(name, cores.min(MAX_THREADS))
    }

    /// Uses this many threads, including the caller's.
    pub fn of(name: &str, threads: usize) -> Self {
        let mut workers = Self::alone();
        for _ in 1..threads {
            let shared = Arc::clone(&workers.shared);
            match Worker::spawn(name, move |stop| help(&shared, stop)) {
                Ok(worker) => workers.helpers.push(worker),
                Err(fault) => {
                    tracing::warn!(%fault, name, "no thread to help");
                    break;
                }
            }
        }
        workers
    }

    /// Runs this for each part, in any order, on any of its threads, with the processor's widest
    /// vectors; returns when all are done. As with [`wide`], only inlined code uses those vectors:
    /// use `#[inline(always)]` on the closure and the functions it calls.
    pub fn each<T: Send>(&self, parts: impl IntoIterator<Item = T>, job: impl Fn(T) + Sync) {
        let mut parts = parts.into_iter().fuse();
        // Once: the job is long.
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
            let cells: [Mutex<Option<T>>; PARTS] = std::array::from_fn(|_| {
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
            if count < PARTS {
                return;
            }
        }
    }

    /// Runs `job` for each number below `count`. A panic on a helper is repeated here, because half
    /// a frame is useless.
    fn share(&self, count: usize, job: &Job<'_>) {
        // SAFETY: only the lifetime changes. Helpers take the job from `work` while they hold its
        // lock and count themselves as busy before they let go of it; `Finish` takes the job away
        // and waits until nobody is busy, however this function is left.
        let lent = Lent(unsafe { std::mem::transmute::<*const Job<'_>, *const Job<'static>>(job) });
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
        // Whoever has looked whether to end, and found not, waits by now and is woken.
        drop(self.shared.work.lock());
        self.shared.more.notify_all();
    }
}

impl Work {
    /// The next part, which counts as worked on from now on.
    fn take(&mut self) -> Option<(Lent, usize)> {
        let job = self.job.filter(|_| self.next < self.count)?;
        let index = self.next;
        self.next += 1;
        self.busy += 1;
        Some((job, index))
    }
}

/// A part that is being worked on, until this is dropped.
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

/// Takes the job away and waits until nobody works on it.
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

/// The loop of a helper.
fn help(shared: &Shared, stop: &Stop) {
    let mut work = shared.work.lock();
    while !stop.is_set() {
        let Some((job, index)) = work.take() else {
            shared.more.wait(&mut work);
            continue;
        };
        let busy = Busy(shared);
        drop(work);
        // SAFETY: a part of it is counted as busy, so that `Finish` has not let its owner go.
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
            // The owner's part waits until a helper has taken one.
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
    fn every_part_is_done_once_whoever_helps() {
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
        // Each of two parts waits for the other: one thread alone would never end.
        let meet = std::sync::Barrier::new(2);
        workers.each(0..2, |_| {
            meet.wait();
        });
    }

    #[test]
    fn helpers_end_with_their_crew() {
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
    fn work_within_work_is_done_by_whoever_has_it() {
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
                    // On the owner's thread only: a helper that is gone is another matter.
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
