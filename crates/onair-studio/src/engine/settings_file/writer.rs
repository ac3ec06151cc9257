//! The thread that writes the settings, earlier versions, the user's own services, and the record of
//! the running broadcast. A disk can be slow or hang, so the studio does not wait for the thread.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::base::Worker;
use crate::base::queue::{self, Closed, Empty, Full, Receiver, Sender};

/// Maximum number of waiting tasks: a save of the settings, and a change of the record.
const MAX_WAITING_TASKS: usize = 2;

/// A task for the thread.
struct Task(Box<dyn FnOnce() + Send>);

impl fmt::Debug for Task {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Task")
    }
}

/// The result of a task that may still be running.
#[derive(Debug)]
pub struct TaskResult<T>(Option<Receiver<T>>);

impl<T> Default for TaskResult<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> TaskResult<T> {
    /// Returns true if there is a task whose result was not taken yet.
    pub fn is_pending(&self) -> bool {
        self.0.is_some()
    }

    /// Takes the result, and waits for it for at most `limit`. Returns `None` if there is no result
    /// yet, and an error if the task has panicked.
    pub fn take(&mut self, limit: Duration) -> Option<Result<T, Closed>> {
        let result = match self.0.as_ref()?.recv_timeout(limit) {
            Ok(result) => Ok(result),
            Err(Empty::Closed) => Err(Closed),
            Err(Empty::Waiting) => return None,
        };
        self.0 = None;
        Some(result)
    }
}

/// The thread, which the first task starts; see the module documentation. Dropping the value ends
/// the thread after the waiting tasks.
#[derive(Debug, Default)]
pub struct FileWriter {
    thread: Option<(Sender<Task>, Worker)>,
}

impl FileWriter {
    /// Executes a task after all earlier ones. If the system provides no thread, the task is
    /// executed here, so that nothing is lost.
    pub fn begin<T: Send + 'static>(
        &mut self,
        result: &mut TaskResult<T>,
        task: impl FnOnce() -> T + Send + 'static,
    ) {
        let (sender, receiver) = queue::bounded("settings results", 1, Full::DropOldest);
        result.0 = Some(receiver);
        let task = Task(Box::new(move || {
            // The studio may have ended in the meantime.
            let _ = sender.send(task());
        }));
        if self.thread.as_ref().is_none_or(|(_, worker)| worker.is_finished()) {
            let started = start().inspect_err(|error| {
                tracing::warn!(%error, "starting the thread that writes the settings failed");
            });
            self.thread = started.ok();
        }
        match &self.thread {
            Some((tasks, _)) => {
                let _ = tasks.send(task);
            }
            None => (task.0)(),
        }
    }
}

fn start() -> io::Result<(Sender<Task>, Worker)> {
    let (tasks, waiting) = queue::bounded("settings writes", MAX_WAITING_TASKS, Full::Block);
    let worker = Worker::spawn("settings-file", move |_| {
        while let Some(Task(execute)) = waiting.recv() {
            execute();
        }
    })?;
    Ok((tasks, worker))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    #[test]
    fn tasks_are_executed_in_order_while_nobody_waits() {
        let (release, hold) = queue::bounded::<()>("hold", 1, Full::Block);
        let mut writer = FileWriter::default();
        let (mut first, mut second) = (TaskResult::default(), TaskResult::default());
        let (order, executed) = queue::bounded("order", 2, Full::Block);
        let other = order.clone();
        writer.begin(&mut first, move || {
            hold.recv();
            order.send(1)
        });
        writer.begin(&mut second, move || other.send(2));
        assert_eq!((first.take(Duration::ZERO), second.take(Duration::ZERO)), (None, None));
        assert!(first.is_pending() && second.is_pending());
        drop(release);
        assert_eq!(second.take(LIMIT), Some(Ok(Ok(true))));
        assert_eq!(first.take(LIMIT), Some(Ok(Ok(true))));
        assert!(!first.is_pending() && first.take(LIMIT).is_none());
        assert_eq!((executed.recv(), executed.recv()), (Some(1), Some(2)));
    }

    #[test]
    fn a_task_that_panics_is_reported_and_the_next_one_is_executed() {
        let (mut writer, mut result) = (FileWriter::default(), TaskResult::default());
        writer.begin(&mut result, || panic!("planted"));
        assert_eq!(result.take(LIMIT), Some(Err(Closed)));
        while writer.thread.as_ref().is_some_and(|(_, worker)| !worker.is_finished()) {
            std::thread::yield_now();
        }
        writer.begin(&mut result, || 3);
        assert_eq!(result.take(LIMIT), Some(Ok(3)));
    }
}
