//! The event log of the stream: the events of a run with their times and durations, also written
//! line by line to a file per run. It contains the same messages as the notices, without secrets. The
//! file is long because its tests follow messages to their entries and lines.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::civil::DateTime;

use crate::base::Worker;
use crate::base::queue::{self, Full, Sender};
use crate::files::Trouble;
use crate::studio::notices::message::StudioMessage;
use crate::studio::notices::{Notice, groups};
use crate::text::Language;
use crate::text::problem::{Problem, problem};

/// Maximum number of displayed entries. The file contains all entries.
const MAX_ENTRIES: usize = 500;
/// Maximum number of lines that wait for a slow disk.
const MAX_WAITING_LINES: usize = 256;
/// Number of log files in the default folder, including the file of this run.
const MAX_LOG_FILES: usize = 50;
/// Format of the names of log files in the default folder.
const DEFAULT_NAME: &str = "%Y-%m-%dT%H-%M-%SZ.txt";

/// Maximum number of messages that can be merged at the same time.
const MAX_MERGED_MESSAGES: usize = 32;
/// The same message within this time counts as a repetition, because attempts are at most 15 s
/// apart.
const REPEAT_WINDOW: Duration = Duration::from_secs(60);

/// The time of a message.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct LogTime {
    /// Microseconds since the Unix epoch.
    pub wall_micros: i64,
    /// The time since the computer started, including sleep. Unlike the wall clock, nobody sets it.
    pub uptime: Duration,
}

/// An entry of the event log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Microseconds since the Unix epoch.
    pub wall_micros: i64,
    /// The message, whether it was displayed or not.
    pub notice: Notice,
    /// The number of repetitions.
    pub times: u32,
    /// The duration, once the message has ended; `None` if the message has no duration or has not
    /// ended.
    pub lasted: Option<Duration>,
}

/// A message that can repeat.
#[derive(Debug)]
struct Running {
    notice: Notice,
    last: LogTime,
    /// Repetitions that are not yet written to the file.
    unwritten: u32,
}

impl Running {
    /// Returns true if the same message no longer counts as a repetition.
    fn is_past(&self, now: LogTime) -> bool {
        now.uptime.saturating_sub(self.last.uptime) >= REPEAT_WINDOW
    }
}

/// The state of the file, which its thread sets.
#[derive(Debug, Default)]
struct FileState {
    is_open: AtomicBool,
    /// The first error.
    error: OnceLock<Problem>,
}

/// The list of entries, and the file.
#[derive(Debug, Default)]
pub(crate) struct EventLog {
    /// The last message of each subject, oldest first.
    running: Vec<Running>,
    /// The entries, shared with readers, and copied only if they change while a reader holds them.
    entries: Arc<VecDeque<LogEntry>>,
    /// The uptime at each of the entries.
    began: VecDeque<Duration>,
    path: Option<PathBuf>,
    file: Arc<FileState>,
    is_error_reported: bool,
    language: Language,
    /// The time of the last line.
    written: LogTime,
    lines: Option<(Sender<String>, Worker)>,
}

impl EventLog {
    /// Creates an event log that is written to this file, if any. The first line creates the file.
    pub fn new(path: Option<PathBuf>, language: Language) -> Self {
        Self { path, language, ..Self::default() }
    }

    /// Sets the language of later lines.
    pub fn set_language(&mut self, language: Language) {
        self.language = language;
    }

    /// Returns the path of the file, once the file is open.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref().filter(|_| self.file.is_open.load(Ordering::Acquire))
    }

    /// Returns a message about the first error of the file, once.
    pub fn take_error(&mut self) -> Option<StudioMessage> {
        let reason = self.file.error.get().filter(|_| !self.is_error_reported)?.clone();
        self.is_error_reported = true;
        let path = self.path.as_ref()?.display().to_string();
        Some(StudioMessage::EventLogFailed { path, reason })
    }

    /// Returns the entries, oldest first.
    pub fn entries(&self) -> Arc<VecDeque<LogEntry>> {
        Arc::clone(&self.entries)
    }

    /// Adds an event.
    pub fn add(&mut self, notice: &Notice, now: LogTime) {
        let is_end = groups::is_end(notice.key());
        if !is_end && self.is_repeated(notice, now) {
            return;
        }
        // Pending repetitions are written before the message that ends them.
        let ends = notice.target.is_none() || is_end;
        let about = |it: &Running| ends && it.notice.target == notice.target;
        // The end of the attempts follows the attempts.
        let before = |it: &Running| it.notice.is_same(notice);
        self.write_repeated(|it| about(it) || before(it) || it.is_past(now));
        if self.running.len() >= MAX_MERGED_MESSAGES {
            let oldest = self.running.remove(0);
            self.write_again(&oldest);
        }
        if !is_end {
            self.running.push(Running { notice: notice.clone(), last: now, unwritten: 0 });
        }

        let lasted = self.close(notice, now);
        let entries = Arc::make_mut(&mut self.entries);
        if entries.len() >= MAX_ENTRIES {
            entries.pop_front();
            self.began.pop_front();
        }
        self.began.push_back(now.uptime);
        let wall_micros = now.wall_micros;
        entries.push_back(LogEntry { wall_micros, notice: notice.clone(), times: 1, lasted: None });
        let cure = self.language.cure(&notice.problem).unwrap_or_default();
        let texts = [self.language.say(&notice.problem), cure, notice.detail.clone()];
        self.write_line(now, &texts, lasted);
    }

    /// Counts a recent identical message instead of adding it again. A message that has become more
    /// severe, because onair gives up, is not identical.
    fn is_repeated(&mut self, notice: &Notice, now: LogTime) -> bool {
        let Some(known) = self
            .running
            .iter_mut()
            .find(|it| it.notice.is_same(notice) && it.notice.level >= notice.level)
        else {
            return false;
        };
        if known.is_past(now) {
            return false;
        }
        let mut entries = Arc::make_mut(&mut self.entries).iter_mut().rev();
        let open = |entry: &&mut LogEntry| entry.notice.is_same(notice) && entry.lasted.is_none();
        let Some(entry) = entries.find(open) else { return false };
        entry.times += 1;
        known.last = now;
        known.unwritten += 1;
        true
    }

    /// Writes the number of repetitions of the matching messages, and stops counting them.
    fn write_repeated(&mut self, which: impl Fn(&Running) -> bool) {
        let running = std::mem::take(&mut self.running);
        let (gone, stay): (Vec<_>, Vec<_>) = running.into_iter().partition(which);
        self.running = stay;
        for running in &gone {
            self.write_again(running);
        }
    }

    fn write_again(&mut self, running: &Running) {
        let Running { notice, last, unwritten } = running;
        if *unwritten > 0 {
            let what = &notice.problem;
            let repeated = problem!("log-repeated", times = *unwritten, what = what);
            // The lines are in the order of time.
            let at = if last.uptime < self.written.uptime { self.written } else { *last };
            self.write_line(at, &[self.language.say(&repeated)], None);
        }
    }

    /// Sets the duration of ended entries, and returns the longest.
    fn close(&mut self, notice: &Notice, now: LogTime) -> Option<Duration> {
        if !groups::is_end(notice.key()) {
            return None;
        }
        let mut longest = None;
        let entries = Arc::make_mut(&mut self.entries).iter_mut().zip(&self.began).rev();
        for (entry, began) in entries.filter(|(entry, _)| groups::ends(notice, &entry.notice)) {
            if entry.lasted.is_some() {
                // Older entries ended together with this one or before it.
                break;
            }
            entry.lasted = Some(now.uptime.saturating_sub(*began));
            longest = longest.max(entry.lasted);
        }
        longest
    }

    /// Records the end of this message for the host or device `of`, or for all of them if `of` is
    /// empty.
    pub fn over(&mut self, key: &str, of: &str, now: LogTime) {
        self.write_repeated(|it| it.notice.key() == key);
        let about = |notice: &Notice| {
            let named = |name| notice.value(name).is_some_and(|it| it == of);
            notice.key() == key && (of.is_empty() || named("host") || named("device"))
        };
        let mut entries = Arc::make_mut(&mut self.entries).iter_mut().zip(&self.began).rev();
        let last = entries.find(|(it, _)| about(&it.notice));
        if let Some((entry, began)) = last.filter(|(entry, _)| entry.lasted.is_none()) {
            let lasted = now.uptime.saturating_sub(*began);
            entry.lasted = Some(lasted);
            let over = problem!("log-over", what = &entry.notice.problem);
            let over = [self.language.say(&over), entry.notice.detail.clone()];
            self.write_line(now, &over, Some(lasted));
        }
    }

    /// Ends all matching messages without a line, because the broadcast or the target that they are
    /// about has ended.
    pub fn end_all(&mut self, which: impl Fn(&Notice) -> bool, now: LogTime) {
        self.write_repeated(|it| which(&it.notice));
        let entries = Arc::make_mut(&mut self.entries).iter_mut().zip(&self.began);
        let is_open = |it: &LogEntry| it.lasted.is_none() && which(&it.notice);
        for (entry, began) in entries.filter(|(entry, _)| is_open(entry)) {
            entry.lasted = Some(now.uptime.saturating_sub(*began));
        }
    }

    /// Writes one entry as a line of text.
    fn write_line(&mut self, at: LogTime, texts: &[String], ended: Option<Duration>) {
        self.written = at;
        let at = jiff::Timestamp::from_microsecond(at.wall_micros)
            .map(|at| at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
            .unwrap_or_default();
        let lasted = ended.map(|time| {
            let seconds = format!("{:.1}", time.as_secs_f64());
            self.language.say(&problem!("log-lasted", seconds = seconds))
        });
        let texts = texts.iter().chain(&lasted).filter(|text| !text.is_empty());
        let texts: Vec<_> = texts.map(String::as_str).collect();
        // Each entry is one line, regardless of what a server's text contains.
        let line = format!("{at}  {}", texts.join("  | "));
        self.write(line.replace(|c: char| c.is_control(), " "));
    }

    fn write(&mut self, line: String) {
        let Some(path) = &self.path else { return };
        if self.lines.is_none() {
            let (sender, receiver) =
                queue::bounded("event log lines", MAX_WAITING_LINES, Full::DropOldest);
            let (path, state) = (path.clone(), Arc::clone(&self.file));
            let worker = Worker::spawn("event-log", move |_| {
                let failed = |error: &io::Error| {
                    let _ = state.error.set(Trouble::problem(error));
                };
                let mut file = match open(&path) {
                    Ok(file) => file,
                    Err(error) => return failed(&error),
                };
                state.is_open.store(true, Ordering::Release);
                while let Some(line) = receiver.recv() {
                    // A full disk affects only the event log.
                    if let Err(error) = writeln!(file, "{line}") {
                        failed(&error);
                    }
                }
            });
            match worker {
                Ok(worker) => self.lines = Some((sender, worker)),
                Err(error) => {
                    tracing::warn!(%error, "writing the event log failed");
                    self.path = None;
                    return;
                }
            }
        }
        if let Some((lines, _)) = &self.lines {
            let _ = lines.send(line);
        }
    }

    /// Writes the remaining lines within `limit`.
    pub fn end(&mut self, limit: Duration) {
        self.write_repeated(|_| true);
        if let Some((lines, mut worker)) = self.lines.take() {
            drop(lines);
            if let Err(stuck) = worker.wait(limit) {
                tracing::warn!(%stuck, "writing the event log failed");
            }
        }
        // Nobody sees another notice.
        if let Some(message) = self.take_error() {
            tracing::warn!("{}", message.problem());
        }
    }
}

/// Creates the file of an event log, if it does not exist, and checks that it can be written. The
/// check does not open a pipe, which would wait for a reader.
///
/// # Errors
/// Fails if the file cannot be written.
pub fn try_out(path: &Path) -> io::Result<()> {
    match path.metadata() {
        Ok(found) if !found.is_file() && !found.is_dir() => Ok(()),
        _ => open(path).map(drop),
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
        // A chosen folder belongs to the user.
        if default_folder().as_deref() == Some(folder) {
            forget_old(folder);
        }
    }
    OpenOptions::new().create(true).append(true).open(path)
}

/// Deletes all but the newest log files in the default folder.
fn forget_old(folder: &Path) {
    let Ok(list) = fs::read_dir(folder) else { return };
    let is_log = |path: &PathBuf| {
        let name = path.file_name().and_then(OsStr::to_str);
        name.is_some_and(|name| DateTime::strptime(DEFAULT_NAME, name).is_ok())
    };
    let mut files: Vec<PathBuf> = list.flatten().map(|entry| entry.path()).filter(is_log).collect();
    // The names begin with the time.
    files.sort_unstable();
    for old in files.iter().rev().skip(MAX_LOG_FILES - 1) {
        let _: io::Result<()> = fs::remove_file(old);
    }
}

/// Returns the folder for logs: `onair/history` in the user's state folder; `None` if the system
/// has no such folder.
fn default_folder() -> Option<PathBuf> {
    let folder = dirs::state_dir().or_else(dirs::data_local_dir)?;
    Some(folder.join("onair").join("history"))
}

/// Returns the log file of a run that begins now: `TIME.txt` in the default folder.
pub fn default_path(wall_micros: i64) -> Option<PathBuf> {
    let at = jiff::Timestamp::from_microsecond(wall_micros).ok()?;
    Some(default_folder()?.join(at.strftime(DEFAULT_NAME).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::notices::Next;
    use crate::studio::notices::message::StudioMessage;
    use crate::text::Problem;

    /// Returns a time on a clock that nobody sets.
    fn moment(micros: i64) -> LogTime {
        LogTime { wall_micros: micros, uptime: Duration::from_micros(micros.unsigned_abs()) }
    }

    fn lost(host: &str) -> Notice {
        let message = StudioMessage::Target {
            key: "target-lost",
            id: 1,
            pin: None,
            host: host.into(),
            cause: Problem::from("the connection was reset").with_cure("Check the network.".into()),
            next: Next::Retry(Duration::from_millis(500)),
        };
        message.notice(1, "")
    }

    fn back(host: &str) -> Notice {
        StudioMessage::TargetBack {
            id: 1,
            host: host.into(),
            server: "same".into(),
            seconds: "2.5".into(),
            frames: "none".into(),
        }
        .notice(2, "")
    }

    #[test]
    fn the_end_of_the_attempts_is_no_repetition_of_them() {
        let mut log = EventLog::default();
        let message = |next| {
            let (key, host) = ("target-unreachable", "host:1".to_owned());
            let cause = problem!("net-connection-refused");
            StudioMessage::Target { key, id: 1, pin: None, host, cause, next }.notice(1, "")
        };
        let retry = message(Next::Retry(Duration::from_secs(1)));
        for seconds in 0..3 {
            log.add(&retry, moment(seconds * 1_000_000));
        }
        log.add(&message(Next::TimeOver(Duration::from_secs(3))), moment(3_000_000));
        let entries = log.entries();
        let texts = entries.iter().map(|it| (it.times, Language::English.say(&it.notice.problem)));
        let [(3, first), (1, last)] = &texts.collect::<Vec<_>>()[..] else { panic!("{entries:?}") };
        assert!(first.contains("Retrying in 1 s"), "{first}");
        assert!(last.contains("--retry-for 3 s"), "{last}");
    }

    #[test]
    fn what_ends_gives_what_began_its_length() {
        let mut log = EventLog::new(None, Language::English);
        log.add(&lost("a:1935"), moment(1_000_000));
        log.add(&lost("a:1935"), moment(2_000_000));
        log.add(&lost("b:1935"), moment(2_500_000));
        log.add(&back("a:1935"), moment(3_500_000));
        let seen: Vec<_> = log
            .entries()
            .iter()
            .map(|entry| (entry.notice.key(), entry.times, entry.lasted))
            .collect();
        assert_eq!(
            seen,
            [
                ("target-lost", 2, Some(Duration::from_micros(2_500_000))),
                ("target-lost", 1, None),
                ("target-back", 1, None),
            ]
        );
        // Another loss is a separate entry.
        log.add(&lost("a:1935"), moment(9_000_000));
        log.add(&back("a:1935"), moment(9_500_000));
        let entries = log.entries();
        assert_eq!(entries[3].lasted, Some(Duration::from_micros(500_000)));
        assert_eq!(entries[0].lasted, Some(Duration::from_micros(2_500_000)));
    }

    #[test]
    fn a_clock_that_was_set_changes_no_length_and_hides_no_message() {
        let mut log = EventLog::new(None, Language::English);
        let moment = |wall_seconds, seconds| LogTime {
            wall_micros: i64::from(wall_seconds) * 1_000_000,
            uptime: Duration::from_secs(seconds),
        };
        log.add(&lost("a:1935"), moment(10_000, 100));
        // The clock is set back, forward and back again.
        log.add(&lost("a:1935"), moment(2_800, 102));
        log.add(&lost("a:1935"), moment(90_000, 104));
        log.add(&back("a:1935"), moment(50_000, 110));
        log.add(&lost("a:1935"), moment(50_010, 120));
        log.add(&lost("a:1935"), moment(1_000, 220));
        let seen: Vec<_> =
            log.entries().iter().map(|it| (it.wall_micros, it.times, it.lasted)).collect();
        let wall = |seconds: i64| seconds * 1_000_000;
        assert_eq!(
            seen,
            [
                (wall(10_000), 3, Some(Duration::from_secs(10))),
                (wall(50_000), 1, None),
                (wall(50_010), 1, None),
                (wall(1_000), 1, None),
            ]
        );
        log.over("target-lost", "a:1935", moment(100_000, 225));
        assert_eq!(log.entries()[3].lasted, Some(Duration::from_secs(5)));
    }

    #[test]
    fn the_file_has_a_line_for_each_and_other_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..60 {
            let name = format!("2026-01-01T00-00-{number:02}Z.txt");
            fs::write(folder.path().join(name), "of the user").unwrap();
        }
        let path = folder.path().join("2026-11-20T12-00-00Z.txt");
        let mut log = EventLog::new(Some(path.clone()), Language::English);
        assert_eq!(log.path(), None);
        log.add(&lost("a:1935"), moment(1_000_000));
        let mut odd = back("a:1935");
        odd.detail = "two\nlines".into();
        log.add(&odd, moment(2_500_000));
        log.end(Duration::from_secs(5));
        assert_eq!(log.path(), Some(&*path));
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(
            lines[0].starts_with("1970-01-01T00:00:01.000Z  a:1935: the connection was reset"),
            "{text}"
        );
        assert!(lines[1].ends_with("  | the problem lasted 1.5 s"), "{text}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 61);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_reported_once() {
        let folder = tempfile::tempdir().unwrap();
        for (path, is_open) in [(folder.path(), false), (Path::new("/dev/full"), true)] {
            let mut log = EventLog::new(Some(path.to_owned()), Language::English);
            log.add(&lost("a:1935"), moment(1_000_000));
            log.add(&back("a:1935"), moment(2_500_000));
            let (lines, mut worker) = log.lines.take().unwrap();
            drop(lines);
            worker.wait(Duration::from_secs(30)).unwrap();
            assert_eq!(log.path().is_some(), is_open);
            let text = Language::English.say(&log.take_error().unwrap().problem());
            assert!(text.contains(path.to_str().unwrap()), "{text}");
            assert_eq!(log.take_error(), None);
        }
    }

    #[test]
    fn only_old_logs_leave_the_default_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: String| folder.path().join(name);
        let log = |number: usize| path(format!("2026-01-01T00-00-{number:02}Z.txt"));
        let note = |number: usize| path(format!("note-{number}.txt"));
        for number in 0..60 {
            fs::write(log(number), "old").unwrap();
            fs::write(note(number), "of the user").unwrap();
        }
        let name = default_path(1_800_000_000_000_000).unwrap().file_name().unwrap().to_owned();
        fs::write(folder.path().join(name), "newest").unwrap();
        forget_old(folder.path());
        assert!((0..60).all(|number| note(number).exists()));
        // The newest file is one of those that stay.
        assert!((0..60).filter(|number| log(*number).exists()).eq(12..60));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 60 + MAX_LOG_FILES - 1);
    }

    #[test]
    fn what_is_over_without_a_message_has_a_length_and_a_line_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("why.txt");
        let mut log = EventLog::new(Some(path.clone()), Language::English);
        let black = |host: &str| {
            let cause = "black for 4 s".into();
            StudioMessage::Monitor { key: "monitor-black", host: host.into(), cause }.notice(1, "")
        };
        log.add(&black("a:1935"), moment(1_000_000));
        log.add(&black("b:1935"), moment(1_500_000));
        log.over("monitor-black", "a:1935", moment(8_000_000));
        let lasted: Vec<_> = log.entries().iter().map(|entry| entry.lasted).collect();
        assert_eq!(lasted, [Some(Duration::from_secs(7)), None]);
        log.end(Duration::from_secs(5));
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.lines().nth(2).unwrap().contains("Resolved: Viewers of a:1935 see black"),
            "{text}"
        );
        assert!(text.ends_with("the problem lasted 7.0 s\n"), "{text}");
    }

    #[test]
    fn repetitions_are_one_line_with_a_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("why.txt");
        let mut log = EventLog::new(Some(path.clone()), Language::English);
        let refused = |id: u32, seconds: u64| {
            let message = StudioMessage::Target {
                key: "target-unreachable",
                id,
                pin: None,
                host: format!("host{id}:1935"),
                cause: "connection refused".into(),
                next: Next::Retry(Duration::from_secs(seconds)),
            };
            message.notice(1, "")
        };
        // Two targets at the same time, each with several attempts at varying intervals.
        for at in 0..15 {
            log.add(&refused(1, at % 3), moment(at as i64 * 800_000));
            log.add(&refused(2, at % 2), moment(at as i64 * 800_000 + 100_000));
        }
        let back = StudioMessage::TargetBack {
            id: 2,
            host: "host2:1935".into(),
            server: "same".into(),
            seconds: "12".into(),
            frames: "none".into(),
        };
        log.add(&back.notice(2, ""), moment(13_000_000));
        let of = |log: &EventLog| {
            let entries = log.entries();
            entries.iter().map(|it| (it.notice.target, it.times)).collect::<Vec<_>>()
        };
        assert_eq!(of(&log), [(Some(1), 15), (Some(2), 15), (Some(2), 1)]);
        // Much later, the same message counts as new.
        log.add(&refused(1, 1), moment(600_000_000));
        assert_eq!(of(&log).len(), 4);
        log.end(Duration::from_secs(30));
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 6, "{text}");
        for (line, words) in lines.iter().zip([
            "host1:1935: connection refused. Retrying in 0 s.",
            "host2:1935: connection refused. Retrying in 0 s.",
            "Repeated 14 more times: host2:1935: connection refused.",
            "after 12 s",
            "Repeated 14 more times: host1:1935: connection refused.",
            "host1:1935: connection refused. Retrying in 1 s.",
        ]) {
            assert!(line.contains(words), "{words}: {text}");
        }
        assert!(lines[2].starts_with("1970-01-01T00:00:11.300Z"), "when it was said last: {text}");
        assert!(lines.is_sorted_by_key(|line| line.get(..24)), "the order of time: {text}");
    }

    #[test]
    fn memory_is_bounded() {
        let mut log = EventLog::new(None, Language::English);
        for number in 0..2_000 {
            log.add(&lost(&format!("host{number}:1935")), moment(number));
        }
        assert_eq!(log.entries().len(), MAX_ENTRIES);
        assert!(log.running.len() <= MAX_MERGED_MESSAGES);
    }
}
