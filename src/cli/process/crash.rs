//! Writes the report of an unexpected error (a panic): message, location, thread, backtrace and the
//! last log lines, in a file that only its owner can read, without secrets. The code runs on the
//! thread that failed.

use std::backtrace::Backtrace;
use std::collections::VecDeque;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use tracing_subscriber::fmt::MakeWriter;

use crate::base::secret::scrub;
use crate::cli::output::standard_error;
use crate::net::webrtc::panics;
use crate::platform::files::private;
use crate::studio::engine::system::crash_reports;

/// The number of log lines that are kept for a report.
const MAX_LOG_LINES: usize = 200;
/// Length in bytes to which a log line is cut.
const MAX_LINE_BYTES: usize = 1_000;
/// Maximum number of reports of one run.
const MAX_CRASH_REPORTS: u32 = 5;
/// The time limit for the lock of the lines, because the thread that holds the lock may have died.
const LOCK_TIMEOUT: Duration = Duration::from_millis(200);

/// The last lines of the log.
#[derive(Clone, Debug, Default)]
pub struct LastLines(Arc<Mutex<VecDeque<String>>>);

impl LastLines {
    fn text(&self) -> String {
        let lines = self.0.try_lock_for(LOCK_TIMEOUT);
        lines.map_or_else(String::new, |lines| lines.iter().map(String::as_str).collect())
    }
}

/// Takes one line from the log's formatter.
#[derive(Debug)]
pub struct LogLine(LastLines);

impl Write for LogLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Secrets are removed before the line is cut, because half a key would not be found.
        let Some(mut line) = scrub(&String::from_utf8_lossy(bytes)) else { return Ok(bytes.len()) };
        line.truncate(line.floor_char_boundary(MAX_LINE_BYTES));
        if !line.ends_with('\n') {
            line.push('\n');
        }
        let mut lines = self.0.0.lock();
        if lines.len() >= MAX_LOG_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LastLines {
    type Writer = LogLine;

    fn make_writer(&self) -> LogLine {
        LogLine(self.clone())
    }
}

/// Installs the panic handler. From this call on, each panic leaves a report in `folder`, if any,
/// and a sentence on standard error. The log mentions the first panic of str0m that onair catches.
pub fn install(folder: Option<PathBuf>, lines: LastLines) {
    let written = AtomicU32::new(0);
    let contained = AtomicBool::new(false);
    std::panic::set_hook(Box::new(move |panic| {
        if panics::are_contained() {
            if !contained.swap(true, Ordering::Relaxed) {
                let place = panic.location().map(ToString::to_string).unwrap_or_default();
                let error = words(panic);
                tracing::warn!(%place, error, "str0m panicked on the data of a viewer, whose session does not continue");
            }
            return;
        }
        let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
        if written.fetch_add(1, Ordering::Relaxed) >= MAX_CRASH_REPORTS {
            report_at_once(format!("another unexpected error on thread {thread}"));
            return;
        }
        let report = scrub(&report(panic, &thread, &lines.text()));
        // No details are better than a report that contains a key.
        let report = report.unwrap_or_else(|| format!("onair {}\n", env!("CARGO_PKG_VERSION")));
        let folder = folder.as_deref().ok_or_else(|| io::Error::other("there is no state folder"));
        match folder.and_then(|folder| write(folder, &report)) {
            Ok(path) => report_at_once(format!(
                "an unexpected error on thread {thread}; report without keys: {}",
                path.display()
            )),
            Err(error) => {
                let first: String = report.lines().take(4).collect::<Vec<_>>().join(" · ");
                report_at_once(format!(
                    "an unexpected error, and no report of it ({error}): {first}"
                ));
            }
        }
    }));
}

/// Prints a sentence, and waits until it is written, because the process may end now.
fn report_at_once(text: String) {
    standard_error::complain(text);
    standard_error::flush();
}

fn words<'a>(panic: &'a PanicHookInfo<'_>) -> &'a str {
    panic.payload_as_str().unwrap_or("no words")
}

fn report(panic: &PanicHookInfo<'_>, thread: &str, lines: &str) -> String {
    let error = words(panic);
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    format!(
        "onair {version} ({system} {machine})\nthread: {thread}\nplace: {place}\nerror: {error}\n\n\
         The way there:\n{way}\n\nThe last lines of the log:\n{lines}",
        version = env!("CARGO_PKG_VERSION"),
        system = std::env::consts::OS,
        machine = std::env::consts::ARCH,
        way = Backtrace::force_capture(),
    )
}

fn write(folder: &Path, report: &str) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let path = crash_reports::path_of(folder, i64::try_from(now.as_micros()).unwrap_or(i64::MAX));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let mut file = private(&mut options).open(&path)?;
    if let Err(error) = file.write_all(report.as_bytes()) {
        // The next start would otherwise report an empty file.
        let _ = fs::remove_file(&path);
        return Err(error);
    }
    Ok(path)
}
