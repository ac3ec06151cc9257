//! onair's only tokio runtime, for sockets and timers, not for media work.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;

/// The runtime, which has two named worker threads. Clones share the runtime. The runtime ends when
/// the last clone is dropped, without waiting for tasks, or by [`Runtime::shutdown`].
#[derive(Clone, Debug)]
pub struct Runtime {
    handle: Handle,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner(Mutex<Option<tokio::runtime::Runtime>>);

impl Runtime {
    /// Starts the runtime.
    ///
    /// # Errors
    /// Fails if the system cannot start threads or a poller.
    pub fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            // Name lookups use at most 16 of them.
            .max_blocking_threads(24)
            .thread_name("onair-net")
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        Ok(Self { handle, inner: Arc::new(Inner(Mutex::new(Some(runtime)))) })
    }

    /// Returns the handle, for code that spawns tasks itself (an HTTP server).
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Starts a task. When the runtime ends, the task is dropped at its next await.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(task)
    }

    /// Runs a future to its end on this thread. This function must not be called within the
    /// runtime.
    pub fn block_on<F: Future>(&self, task: F) -> F::Output {
        self.handle.block_on(task)
    }

    /// Ends all tasks at their next await, and waits for the threads for at most `limit`.
    pub fn shutdown(&self, limit: Duration) {
        let runtime = self.inner.0.lock().take();
        if let Some(runtime) = runtime {
            runtime.shutdown_timeout(limit);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // A runtime must not be dropped where blocking is forbidden (inside one of its own tasks).
        if let Some(runtime) = self.0.get_mut().take() {
            runtime.shutdown_background();
        }
    }
}
