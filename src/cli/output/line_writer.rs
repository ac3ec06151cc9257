//! Thread that writes lines, so that a reader that stops reading delays neither a command nor its
//! end.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::base::Worker;

/// Maximum number of lines that wait for the reader.
const MAX_WAITING_LINES: usize = 4_096;
/// How long the end of a command waits for a reader that reads nothing.
pub(super) const READER_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the end waits for a reader that is slow.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(10);

/// Writes lines in their order. Dropping this value waits like [`LineWriter::flush`].
#[derive(Debug)]
pub(super) struct LineWriter {
    shared: Arc<Shared>,
    reader_timeout: Duration,
    _worker: Worker,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<WaitingLines>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct WaitingLines {
    lines: VecDeque<OutputLine>,
    /// True while the thread writes a line, which is no longer in `lines`.
    is_writing: bool,
    /// The number of lines written so far.
    written: u64,
    /// The number of dropped lines that are not reported yet.
    dropped: u64,
    /// The value of `written` at which the reader read nothing for too long.
    given_up_at: Option<u64>,
    /// True if no more lines follow.
    is_over: bool,
}

#[derive(Debug)]
struct OutputLine {
    text: String,
    /// True if later lines replace this one.
    is_replaceable: bool,
}

impl LineWriter {
    /// Starts the thread, which writes each line with `write`, and passes the number of lines that
    /// were dropped before a line to `report`. At the end, a reader that reads nothing for
    /// `reader_timeout` loses the rest.
    pub fn start(
        name: &str,
        write: impl Fn(&str) + Send + 'static,
        report: impl Fn(u64) + Send + 'static,
        reader_timeout: Duration,
    ) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let its_shared = Arc::clone(&shared);
        let worker = Worker::spawn(name, move |_| {
            while let Some((line, dropped)) = its_shared.next() {
                if dropped > 0 {
                    report(dropped);
                }
                write(&line);
                its_shared.written();
            }
        })?;
        Ok(Self { shared, reader_timeout, _worker: worker })
    }

    /// Adds a line, and does not wait. If too many lines are waiting, drops the oldest replaceable
    /// one, or else the oldest one.
    pub fn push(&self, text: String, is_replaceable: bool) {
        let mut waiting = self.shared.waiting.lock();
        if waiting.lines.len() >= MAX_WAITING_LINES {
            let oldest = waiting.lines.iter().position(|line| line.is_replaceable);
            drop(waiting.lines.remove(oldest.unwrap_or(0)));
            waiting.dropped += 1;
        }
        waiting.lines.push_back(OutputLine { text, is_replaceable });
        self.shared.changed.notify_all();
    }

    /// Waits until all lines are written, as long as the reader reads, and at most
    /// [`FLUSH_TIMEOUT`].
    pub fn flush(&self) {
        let began = Instant::now();
        let mut waiting = self.shared.waiting.lock();
        while waiting.is_busy()
            && waiting.given_up_at != Some(waiting.written)
            && began.elapsed() < FLUSH_TIMEOUT
        {
            let before = waiting.written;
            let is_same = |it: &mut WaitingLines| it.written == before;
            self.shared.changed.wait_while_for(&mut waiting, is_same, self.reader_timeout);
            if waiting.written == before {
                waiting.given_up_at = Some(before);
            }
        }
    }
}

impl Drop for LineWriter {
    fn drop(&mut self) {
        self.flush();
        self.shared.waiting.lock().is_over = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    /// Waits for the next line, and returns it with the number of lines that were dropped since the
    /// last one. Returns `None` at the end.
    fn next(&self) -> Option<(String, u64)> {
        let mut waiting = self.waiting.lock();
        self.changed.wait_while(&mut waiting, |it| it.lines.is_empty() && !it.is_over);
        let line = waiting.lines.pop_front()?;
        waiting.is_writing = true;
        Some((line.text, std::mem::take(&mut waiting.dropped)))
    }

    /// Counts a written line.
    fn written(&self) {
        let mut waiting = self.waiting.lock();
        waiting.is_writing = false;
        waiting.written += 1;
        self.changed.notify_all();
    }
}

impl WaitingLines {
    fn is_busy(&self) -> bool {
        self.is_writing || !self.lines.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Stop;

    /// A reader that reads nothing until its gate opens.
    #[derive(Clone, Default)]
    struct Reader {
        is_waiting: Stop,
        gate: Stop,
        read: Arc<Mutex<Vec<String>>>,
    }

    impl Reader {
        fn writer(&self, timeout: Duration) -> LineWriter {
            let (reader, read) = (self.clone(), Arc::clone(&self.read));
            let write = move |line: &str| {
                reader.is_waiting.set();
                wait(&reader.gate);
                reader.read.lock().push(line.to_owned());
            };
            let report = move |dropped: u64| read.lock().push(format!("{dropped} dropped"));
            LineWriter::start("test", write, report, timeout).unwrap()
        }
    }

    fn wait(stop: &Stop) {
        while !stop.wait(Duration::from_secs(1)) {}
    }

    #[test]
    fn a_slow_reader_loses_old_statistics_first_and_learns_their_number() {
        let reader = Reader::default();
        let writer = reader.writer(Duration::from_secs(600));
        writer.push("first".to_owned(), false);
        wait(&reader.is_waiting);
        for number in 0..2 {
            writer.push(format!("stats {number}"), true);
        }
        let event = |number: usize| format!("event {number}");
        for number in 0..=MAX_WAITING_LINES {
            writer.push(event(number), false);
        }
        reader.gate.set();
        writer.flush();
        let events = (1..=MAX_WAITING_LINES).map(event);
        let expected: Vec<_> =
            ["first", "3 dropped"].map(str::to_owned).into_iter().chain(events).collect();
        assert!(*reader.read.lock() == expected, "other lines were dropped");
    }

    #[test]
    fn the_end_does_not_wait_for_a_reader_that_reads_nothing() {
        let reader = Reader::default();
        let writer = reader.writer(Duration::ZERO);
        for line in ["event", "summary"] {
            writer.push(line.to_owned(), false);
            writer.flush();
        }
        drop(writer);
        assert_eq!(*reader.read.lock(), Vec::<String>::new());
        reader.gate.set();
    }
}
