//! onair's side of a page: the thread that starts its process, takes its frames, and starts it again
//! after a failure. The compositor gets the last frame, or none while the process is not there.

use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use crate::base::launcher::{self, Helper};
use crate::base::{Backoff, Latest, Pooled, Stop, Timestamp, Worker};
use crate::capture::browser::backend::connection::{MessageReader, finish, send};
use crate::capture::browser::input::PageInputs;
use crate::capture::browser::page::{self, BrowserPage};
use crate::capture::browser::studio::StudioBoard;
use crate::capture::browser::wire::{PageTask, Report, Request, Trouble};
use crate::capture::source::{self, Context, Error, LiveSetting, Source};
use crate::media::source_status::{SourceFormat, SourceState, SourceStatus};
use crate::media::{Size, VideoFeed, VideoFrame};
use crate::text::Problem;

/// Time limit for sending a request.
const SEND_TIMEOUT: Duration = Duration::from_secs(2);
/// Time limit for the end of the process.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest wait for a message, so that the thread notices changes.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// The same while the user does something on the page.
const INPUT_INTERVAL: Duration = Duration::from_millis(5);
/// Time after the user's last input for which onair looks often.
const INPUT_PAUSE: Duration = Duration::from_secs(3);
/// A process that has not reported for this long hangs. It can take 20 s to start.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(25);
/// Time without requests for frames after which the page is hidden.
const HIDDEN_AFTER: Duration = Duration::from_secs(1);
/// A page that ran for this long has recovered, so that the next wait is short again.
const RECOVERED_AFTER: Duration = Duration::from_secs(60);

/// Opens a page with live properties.
///
/// # Errors
/// Fails if the system cannot start a thread.
pub(in crate::capture) fn open(
    page: &str,
    dial: LiveSetting<BrowserPage>,
    (refreshes, inputs, studio): (LiveSetting<u32>, PageInputs, StudioBoard),
    context: &Context,
) -> Result<Source, Error> {
    let status = SourceStatus::new("", page::name_of(page));
    let latest = Latest::default();
    let requested = Arc::new(AtomicI64::new(context.clock.now().as_micros()));
    let supervisor = Supervisor {
        page: page.to_owned(),
        look: dial.get(),
        dial,
        refreshes,
        inputs,
        studio,
        context: *context,
        status: Arc::clone(&status),
        latest: latest.clone(),
        requested: Arc::clone(&requested),
    };
    let worker = Worker::spawn("browser", move |stop| supervisor.run(stop))?;
    Ok(Source { feed: Box::new(BrowserFeed { latest, requested, _worker: worker }), status })
}

/// The compositor's side.
struct BrowserFeed {
    latest: Latest<VideoFrame>,
    /// The time of the last request, in microseconds.
    requested: Arc<AtomicI64>,
    _worker: Worker,
}

impl VideoFeed for BrowserFeed {
    fn frame(&mut self, at: Timestamp) -> Option<VideoFrame> {
        self.requested.store(at.as_micros(), Ordering::Relaxed);
        self.latest.get().map(|frame| VideoFrame { pts: at, ..frame })
    }
}

/// The thread of a page.
struct Supervisor {
    page: String,
    look: BrowserPage,
    dial: LiveSetting<BrowserPage>,
    /// The number of requests to load the page again.
    refreshes: LiveSetting<u32>,
    /// What the user does on the page.
    inputs: PageInputs,
    studio: StudioBoard,
    context: Context,
    status: Arc<SourceStatus>,
    latest: Latest<VideoFrame>,
    requested: Arc<AtomicI64>,
}

/// The reason why a process is not needed anymore.
enum End {
    /// The source is closed.
    Stopped,
    /// The page is hidden, and is shut down meanwhile.
    Hidden,
    Trouble(Trouble),
}

impl From<Trouble> for End {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl Supervisor {
    fn run(mut self, stop: &Stop) {
        let mut backoff = Backoff::new(u64::from(std::process::id()));
        let mut outage: Option<Instant> = None;
        while !stop.is_set() {
            if let Some(look) = self.dial.change(&self.look) {
                self.look = look;
            }
            if self.look.shut_down_when_hidden && !self.is_shown() {
                if stop.wait(POLL_INTERVAL) {
                    return;
                }
                continue;
            }
            let began = Instant::now();
            let end = self.serve(stop);
            self.latest.clear();
            let trouble = match end {
                End::Stopped => return,
                End::Hidden => continue,
                End::Trouble(trouble) => trouble,
            };
            let reason = Problem::from(&trouble);
            tracing::warn!(page = page::name_of(&self.page), %reason, "a browser page ended");
            let was_open = self.status.state() == SourceState::Open;
            let state = if was_open { SourceState::Lost } else { SourceState::Failed };
            // A page that fails again and again is lost, not new.
            if self.status.state() != SourceState::Lost || was_open {
                self.status.down(state, reason.clone(), reason.to_string());
            }
            if began.elapsed() > RECOVERED_AFTER {
                backoff.reset();
                outage = None;
            }
            let since = *outage.get_or_insert_with(Instant::now);
            if stop.wait(backoff.next_wait(since.elapsed())) {
                return;
            }
        }
    }

    fn is_shown(&self) -> bool {
        let last = Timestamp::from_micros(self.requested.load(Ordering::Relaxed));
        self.context.clock.now().since(last) < HIDDEN_AFTER
    }

    fn task(&self) -> PageTask {
        let rate = self.context.grid.rate.as_f64().round() as u32;
        let size = self.look.size.unwrap_or(self.context.size);
        let side = |side: u32| side.clamp(BrowserPage::MIN_SIDE, BrowserPage::MAX_SIDE) & !1;
        PageTask {
            page: self.page.clone(),
            size: Size::new(side(size.width), side(size.height)),
            fps: self.look.fps.unwrap_or(rate).clamp(1, BrowserPage::MAX_FPS),
            css: self.look.css.clone(),
            local_network: self.look.local_network,
        }
    }

    /// Starts a process, and serves it to its end.
    fn serve(&mut self, stop: &Stop) -> End {
        let not_started = |error: io::Error| match error.kind() {
            io::ErrorKind::Unsupported => Trouble::NoLauncher,
            _ => Trouble::NotStarted { reason: error.to_string() },
        };
        let started = launcher::stream().and_then(|(socket, theirs)| {
            let files: [&dyn AsRawFd; 1] = [&theirs];
            Ok((socket, launcher::launch("browser-process", &files)?))
        });
        let (socket, process): (_, Helper) = match started {
            Ok(started) => started,
            Err(error) => return not_started(error).into(),
        };
        tracing::debug!(process = process.number(), "browser process");
        let sent = |request: &Request| {
            send(&socket, &request.to_bytes(), SEND_TIMEOUT).map_err(|_| Trouble::Ended)
        };
        if let Err(trouble) = sent(&Request::Page(self.task())) {
            return trouble.into();
        }
        let mut reader = MessageReader::default();
        let mut last_report = Instant::now();
        let mut shown = true;
        let mut refreshes = self.refreshes.get();
        let mut studio = None;
        // What was meant for an earlier page could press something else on this one.
        drop(self.inputs.take());
        let mut last_input: Option<Instant> = None;
        loop {
            if stop.is_set() {
                finish(&socket, &mut reader, CLOSE_TIMEOUT);
                return End::Stopped;
            }
            let is_used = last_input.is_some_and(|at| at.elapsed() < INPUT_PAUSE);
            let interval = if is_used { INPUT_INTERVAL } else { POLL_INTERVAL };
            match reader.next(&socket, interval, Report::parse) {
                Ok(Some(report)) => {
                    last_report = Instant::now();
                    if let Err(trouble) = self.take(report) {
                        return trouble.into();
                    }
                }
                Ok(None) if last_report.elapsed() > SILENCE_TIMEOUT => {
                    return Trouble::Hung { seconds: SILENCE_TIMEOUT.as_secs() }.into();
                }
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return Trouble::Garbage.into();
                }
                Err(_) => return Trouble::Ended.into(),
            }
            let mut requests: Vec<Request> =
                self.inputs.take().into_iter().map(Request::Input).collect();
            if !requests.is_empty() {
                last_input = Some(Instant::now());
            }
            if let Some(look) = self.dial.change(&self.look) {
                let before = self.task();
                self.look = look;
                if self.task() != before {
                    requests.push(Request::Page(self.task()));
                }
            }
            if let Some(state) = self.studio.change(studio.as_ref()) {
                requests.push(Request::Studio(state.to_json()));
                studio = Some(state);
            }
            if let Some(count) = self.refreshes.change(&refreshes) {
                refreshes = count;
                requests.push(Request::Refresh);
            }
            if self.is_shown() != shown {
                shown = !shown;
                if !shown && self.look.shut_down_when_hidden {
                    finish(&socket, &mut reader, CLOSE_TIMEOUT);
                    return End::Hidden;
                }
                requests.push(Request::Shown(shown));
                if shown && self.look.refresh_when_shown {
                    self.latest.clear();
                    requests.push(Request::Refresh);
                }
            }
            for request in &requests {
                if let Err(trouble) = sent(request) {
                    return trouble.into();
                }
            }
        }
    }

    fn take(&self, report: Report) -> Result<(), Trouble> {
        match report {
            Report::Started { browser, sandboxed } => {
                let page = page::name_of(&self.page);
                if sandboxed {
                    tracing::info!(page, browser, "a browser page starts");
                } else {
                    tracing::warn!(
                        page,
                        browser,
                        "a browser page has no sandbox, because onair runs as root"
                    );
                }
            }
            Report::Alive => {}
            Report::Refused { host } => {
                let page = page::name_of(&self.page);
                tracing::warn!(
                    page,
                    host,
                    "a browser page asked for an address that it may not use"
                );
            }
            Report::Trouble(trouble) => return Err(trouble),
            Report::Frame(planes) => {
                let size = planes.size();
                self.latest.publish(source::frame(Pooled::unpooled(planes)));
                let fps = f64::from(self.task().fps);
                let format = SourceFormat::Video { size, fps };
                let report = self.status.report();
                if report.state != SourceState::Open || report.format != format {
                    self.status.open(format);
                }
            }
        }
        Ok(())
    }
}
