//! A page in Chromium: loads it, passes on its frames, and watches it. The module is long because every message
//! of Chromium, and every request of onair, can change the same few fields.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::capture::browser::backend::cdp::{Arrival, Cdp, wait};
use crate::capture::browser::backend::chromium::Chromium;
use crate::capture::browser::backend::connection::{MessageReader, send};
use crate::capture::browser::backend::frame_image::decode;
use crate::capture::browser::backend::host::{PageHost, SEND_TIMEOUT};
use crate::capture::browser::backend::input::Hands;
use crate::capture::browser::backend::memory;
use crate::capture::browser::studio::PageStudio;
use crate::capture::browser::wire::{PageTask, Report, Request, Trouble};
use crate::capture::browser::{page, pixels, studio};

/// Time limit for the start of Chromium, which reads 300 MB from a disk at first.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// Time limit for an answer during the start.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit for the first frame of an empty page, which shows whether frames have alpha.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// Time limit for the end of Chromium. onair waits a little longer.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Interval between checks of memory and life.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);
/// Number of checks between questions to the page, and between looks for new processes.
const CHECKS_PER_QUESTION: u32 = 4;
/// A page that has not answered for this long hangs.
const HANG_TIMEOUT: Duration = Duration::from_secs(8);
/// Maximum memory of Chromium's processes in bytes.
const MAX_MEMORY: u64 = 1_536 << 20;
/// Maximum number of messages of Chromium between two looks at onair's requests.
const MAX_MESSAGES_AT_ONCE: usize = 256;
/// Time after which a page that was loaded must have sent a frame.
const FIRST_FRAME_TIMEOUT: Duration = Duration::from_secs(1);

/// How frames come.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Capture {
    /// Chromium sends a frame after each change.
    Screencast,
    /// Frames are asked for one after the other.
    Screenshots,
}

/// A running page.
pub(super) struct Session<'a> {
    socket: &'a UnixStream,
    requests: MessageReader,
    task: PageTask,
    host: &'a dyn PageHost,
    chromium: Chromium,
    cdp: Cdp,
    /// The page's id in the protocol.
    session: String,
    capture: Capture,
    /// True while the page is shown.
    shown: bool,
    /// True once the page is there, so that its frames are those of the page.
    is_loaded: bool,
    is_casting: bool,
    /// The numbers of requests whose answers matter: loading, the question, the screenshot.
    loading: Option<u64>,
    question: Option<(u64, Instant)>,
    screenshot: Option<u64>,
    /// The last screenshot, to find changes.
    last_image: String,
    /// The last frame before the page was there.
    early_image: String,
    /// The time by which a loaded page must have sent a frame.
    frame_by: Option<Instant>,
    /// A frame that waits for its answer, with the time of the answer.
    answer: Option<(Instant, Value)>,
    /// The earliest time of the next frame.
    next_frame: Instant,
    style: Option<String>,
    /// The script with the state of the studio.
    studio: Option<String>,
    hands: Hands,
    next_check: Instant,
    checks: u32,
    family: Vec<u32>,
}

impl<'a> Session<'a> {
    /// Starts Chromium with an empty page.
    pub fn start(
        socket: &'a UnixStream,
        requests: MessageReader,
        task: PageTask,
        host: &'a dyn PageHost,
        (profile, sink): (&Path, Option<&str>),
    ) -> Result<Self, Trouble> {
        let (mut chromium, mut cdp) = Chromium::start(&task, profile, host.port(), sink)?;
        let version = cdp.call(None, "Browser.getVersion", &json!({}), START_TIMEOUT);
        let Ok(Some(version)) = version else {
            return Err(Trouble::NotStarted { reason: chromium.last_words() });
        };
        let browser = version.get("product").and_then(Value::as_str).unwrap_or_default();
        let started =
            Report::Started { browser: browser.to_owned(), sandboxed: chromium.sandboxed };
        let now = Instant::now();
        let mut session = Self {
            socket,
            requests,
            task,
            host,
            chromium,
            cdp,
            session: String::new(),
            capture: Capture::Screencast,
            shown: true,
            is_loaded: false,
            is_casting: false,
            loading: None,
            question: None,
            screenshot: None,
            last_image: String::new(),
            early_image: String::new(),
            frame_by: None,
            answer: None,
            next_frame: now,
            style: None,
            studio: None,
            hands: Hands::default(),
            next_check: now,
            checks: 0,
            family: Vec::new(),
        };
        session.report(&started)?;
        session.prepare().map_err(|error| session.trouble(&error))?;
        Ok(session)
    }

    /// Runs until onair closes the socket.
    pub fn run(mut self) -> Result<(), Trouble> {
        let done = self.serve();
        match done {
            Ok(()) => Ok(()),
            Err(Fault::Trouble(trouble)) => Err(trouble),
            Err(Fault::Io(error)) => Err(self.trouble(&error)),
            Err(Fault::Over) => {
                self.close();
                Ok(())
            }
        }
    }

    /// Ends Chromium in order, so that it saves logins and storage.
    fn close(&mut self) {
        if self.cdp.send(None, "Browser.close", &json!({})).is_err() {
            return;
        }
        let until = Instant::now() + CLOSE_TIMEOUT;
        // Chromium closes the pipe at its end.
        while Instant::now() < until && self.cdp.next().is_ok() {
            let _ = wait(&[(self.cdp.descriptor(), libc::POLLIN)], CHECK_INTERVAL);
        }
    }

    fn trouble(&self, error: &io::Error) -> Trouble {
        match error.kind() {
            io::ErrorKind::TimedOut => Trouble::Hung { seconds: ANSWER_TIMEOUT.as_secs() },
            io::ErrorKind::InvalidData => Trouble::Garbage,
            _ => Trouble::Ended,
        }
    }

    fn report(&self, report: &Report) -> Result<(), Trouble> {
        send(self.socket, &report.to_bytes(), SEND_TIMEOUT).map_err(|_| Trouble::Ended)
    }

    /// Asks the browser.
    fn ask(&mut self, method: &str, params: &Value) -> io::Result<Value> {
        let answer = self.cdp.call(None, method, params, ANSWER_TIMEOUT)?;
        answer.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Asks the page, and waits for the answer.
    fn ask_page(&mut self, method: &str, params: &Value) -> io::Result<Option<Value>> {
        let number = self.tell(method, params)?;
        let until = Instant::now() + ANSWER_TIMEOUT;
        loop {
            let message = match self.cdp.arrival(number, until)? {
                Arrival::Answer(answer) => return Ok(answer),
                Arrival::Other(message) => message,
            };
            // The page may answer only after the answer to its own question.
            let params = |message: &Value| message.get("params").cloned().unwrap_or_default();
            let method = message.get("method").and_then(Value::as_str).map(str::to_owned);
            match method.as_deref() {
                Some("Fetch.requestPaused") => self.decide(&params(&message))?,
                Some("Page.javascriptDialogOpening") => self.dismiss(&params(&message))?,
                _ => self.cdp.keep(message),
            }
        }
    }

    /// Closes a dialog of the page. A page may be left, but gets no answer.
    fn dismiss(&mut self, params: &Value) -> io::Result<()> {
        let accept = params.get("type").and_then(Value::as_str) == Some("beforeunload");
        self.tell("Page.handleJavaScriptDialog", &json!({ "accept": accept })).map(drop)
    }

    /// Lets the page load a file, or refuses it.
    fn decide(&mut self, params: &Value) -> io::Result<()> {
        let id = params.get("requestId");
        let url = params.pointer("/request/url").and_then(Value::as_str).unwrap_or_default();
        if page::may_load(&self.task.page, url) {
            return self.tell("Fetch.continueRequest", &json!({ "requestId": id })).map(drop);
        }
        let refusal = json!({ "requestId": id, "errorReason": "AccessDenied" });
        self.tell("Fetch.failRequest", &refusal)?;
        let report = Report::Refused { host: "file".to_owned() };
        self.report(&report).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Tells the page something without waiting.
    fn tell(&mut self, method: &str, params: &Value) -> io::Result<u64> {
        self.cdp.send(Some(&self.session), method, params)
    }

    /// Opens an empty page, sets its limits, and finds out how its frames can be captured.
    fn prepare(&mut self) -> io::Result<()> {
        self.ask("Browser.setDownloadBehavior", &json!({ "behavior": "deny" }))?;
        let target = self.ask("Target.createTarget", &json!({ "url": "about:blank" }))?;
        let target = target.get("targetId").cloned().unwrap_or_default();
        let attach = json!({ "targetId": target, "flatten": true });
        let attached = self.ask("Target.attachToTarget", &attach)?;
        let session = attached.get("sessionId").and_then(Value::as_str);
        self.session = session.ok_or(io::ErrorKind::InvalidData)?.to_owned();
        // Another page that opens despite the option is closed.
        self.ask("Target.setDiscoverTargets", &json!({ "discover": true }))?;
        for (method, params) in [
            ("Page.enable", json!({})),
            ("Inspector.enable", json!({})),
            ("Fetch.enable", json!({ "patterns": [{ "urlPattern": "file://*" }] })),
            ("Page.setBypassCSP", json!({ "enabled": false })),
            (
                "Emulation.setDefaultBackgroundColorOverride",
                json!({ "color": { "r": 0, "g": 0, "b": 0, "a": 0 } }),
            ),
            ("Emulation.setFocusEmulationEnabled", json!({ "enabled": true })),
        ] {
            self.ask_page(method, &params)?;
        }
        self.set_size()?;
        self.set_style()?;
        self.set_studio(&PageStudio::default().to_json())?;
        self.allow();
        self.capture = self.probe()?;
        self.load()
    }

    fn set_size(&mut self) -> io::Result<()> {
        let size = self.task.size;
        let metrics = json!({
            "width": size.width, "height": size.height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.ask_page("Emulation.setDeviceMetricsOverride", &metrics).map(drop)
    }

    /// Adds the style sheet to every document of the page. A constructed style sheet comes after the
    /// page's own ones, and is not subject to the page's Content Security Policy.
    fn set_style(&mut self) -> io::Result<()> {
        if let Some(identifier) = self.style.take() {
            let params = json!({ "identifier": identifier });
            self.ask_page("Page.removeScriptToEvaluateOnNewDocument", &params)?;
        }
        let css = Value::from(self.task.css.as_str());
        let source = format!(
            "if (window === window.top) {{ const sheet = new CSSStyleSheet(); \
             sheet.replaceSync({css}); \
             document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]; }}"
        );
        let method = "Page.addScriptToEvaluateOnNewDocument";
        let added = self.ask_page(method, &json!({ "source": source }))?;
        let identifier = added.as_ref().and_then(|it| it.get("identifier")?.as_str());
        self.style = identifier.map(str::to_owned);
        Ok(())
    }

    /// Tells the page the state of the studio, also after it loads another document.
    fn set_studio(&mut self, state: &Value) -> io::Result<()> {
        if let Some(identifier) = self.studio.take() {
            let params = json!({ "identifier": identifier });
            self.ask_page("Page.removeScriptToEvaluateOnNewDocument", &params)?;
        }
        let method = "Page.addScriptToEvaluateOnNewDocument";
        let script = studio::script(state);
        let added = self.ask_page(method, &json!({ "source": script }))?;
        let identifier = added.as_ref().and_then(|it| it.get("identifier")?.as_str());
        self.studio = identifier.map(str::to_owned);
        self.update(&state.to_string())
    }

    /// Calls the function of the page that takes news of the studio.
    fn update(&mut self, arguments: &str) -> io::Result<()> {
        let call = format!("window.{0}?.({arguments})", studio::UPDATE);
        self.tell("Runtime.evaluate", &json!({ "expression": call })).map(drop)
    }

    fn allow(&self) {
        let host = page::chosen_local_host(&self.task.page);
        self.host.allow(self.task.local_network, host.as_deref().unwrap_or_default());
    }

    /// Returns whether a screencast has alpha: an empty page must be transparent. A screencast goes on
    /// while a page is loaded, because one that begins meanwhile may never send a frame.
    fn probe(&mut self) -> io::Result<Capture> {
        self.cast(true)?;
        let until = Instant::now() + PROBE_TIMEOUT;
        let mut image = None;
        while image.is_none() {
            while let Some(message) = self.cdp.next()? {
                if message.get("method").and_then(Value::as_str) == Some("Page.screencastFrame") {
                    let number = message.pointer("/params/sessionId").cloned();
                    self.acknowledge(&number.unwrap_or_default())?;
                    image =
                        message.pointer("/params/data").and_then(Value::as_str).and_then(decode);
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            wait(&[(self.cdp.descriptor(), libc::POLLIN)], left)?;
        }
        if image.is_some_and(|it| it.rgba.get(3) == Some(&0)) {
            return Ok(Capture::Screencast);
        }
        self.cast(false)?;
        Ok(Capture::Screenshots)
    }

    fn cast(&mut self, on: bool) -> io::Result<()> {
        if std::mem::replace(&mut self.is_casting, on) == on {
            return Ok(());
        }
        if let Some((_, number)) = self.answer.take() {
            self.acknowledge(&number)?;
        }
        match on {
            true => self.tell("Page.startScreencast", &json!({ "format": "png" })),
            false => self.tell("Page.stopScreencast", &json!({})),
        }
        .map(drop)
    }

    /// Allows Chromium the next frame.
    fn acknowledge(&mut self, number: &Value) -> io::Result<()> {
        self.tell("Page.screencastFrameAck", &json!({ "sessionId": number })).map(drop)
    }

    fn load(&mut self) -> io::Result<()> {
        let url = page::url_of(&self.task.page);
        self.loading = Some(self.tell("Page.navigate", &json!({ "url": url }))?);
        Ok(())
    }

    fn serve(&mut self) -> Result<(), Fault> {
        loop {
            let now = Instant::now();
            if now >= self.next_check {
                self.check(now)?;
            }
            if let Some((_, number)) = self.answer.take_if(|(at, _)| now >= *at) {
                self.acknowledge(&number)?;
            }
            let polls = self.capture == Capture::Screenshots && self.shown && self.is_loaded;
            if polls && self.screenshot.is_none() && now >= self.next_frame {
                let params = json!({ "format": "png", "optimizeForSpeed": true });
                self.screenshot = Some(self.tell("Page.captureScreenshot", &params)?);
                self.next_frame = now.max(self.next_frame + self.period());
            }
            let mut handled = 0;
            while handled < MAX_MESSAGES_AT_ONCE
                && let Some(message) = self.cdp.next()?
            {
                self.handle(&message)?;
                handled += 1;
            }
            let mut next = self.next_check;
            if handled == MAX_MESSAGES_AT_ONCE {
                // Others may already be in memory.
                next = Instant::now();
            }
            if let Some((at, _)) = &self.answer {
                next = next.min(*at);
            }
            if polls && self.screenshot.is_none() {
                next = next.min(self.next_frame);
            }
            let limit = next.saturating_duration_since(Instant::now());
            let descriptors =
                [(self.cdp.descriptor(), libc::POLLIN), (self.socket.as_raw_fd(), libc::POLLIN)];
            let [_, asked] = wait(&descriptors, limit)?;
            if asked {
                self.obey()?;
            }
        }
    }

    fn period(&self) -> Duration {
        Duration::from_secs(1) / self.task.fps.max(1)
    }

    /// Handles a request of onair.
    fn obey(&mut self) -> Result<(), Fault> {
        let limit = Duration::from_millis(1);
        loop {
            let request = self.requests.next(self.socket, limit, |_, body| Request::parse(body));
            match request {
                Err(_) => return Err(Fault::Over),
                Ok(None) => return Ok(()),
                Ok(Some(request)) => self.perform(request)?,
            }
        }
    }

    fn perform(&mut self, request: Request) -> Result<(), Fault> {
        match request {
            Request::Shown(shown) => {
                self.shown = shown;
                self.update(&format!("null, {shown}"))?;
                self.follow()?;
            }
            Request::Refresh => self.reload()?,
            Request::Studio(state) => self.set_studio(&state)?,
            Request::Page(task) => self.change(task)?,
            Request::Input(input) => {
                let (method, params) = self.hands.command(&input, self.task.size);
                self.tell(method, &params)?;
            }
        }
        Ok(())
    }

    /// Captures while the page is shown.
    fn follow(&mut self) -> io::Result<()> {
        if self.capture == Capture::Screencast {
            self.cast(self.shown || !self.is_loaded)?;
        }
        Ok(())
    }

    fn change(&mut self, task: PageTask) -> io::Result<()> {
        let before = std::mem::replace(&mut self.task, task);
        self.allow();
        if before.size != self.task.size {
            self.set_size()?;
        }
        let styled = before.css != self.task.css;
        if styled {
            self.set_style()?;
        }
        if before.page != self.task.page {
            self.load()?;
        } else if styled || before.local_network != self.task.local_network {
            self.reload()?;
        }
        Ok(())
    }

    /// Loads the page again. Until the new document is there, frames are those of the old one.
    fn reload(&mut self) -> io::Result<()> {
        self.is_loaded = false;
        self.tell("Page.reload", &json!({ "ignoreCache": true })).map(drop)
    }

    /// Notes that the page is there, and passes on the frame that came before.
    fn loaded(&mut self, early: &str) -> Result<(), Fault> {
        self.is_loaded = true;
        self.frame_by = Some(Instant::now() + FIRST_FRAME_TIMEOUT);
        self.image(early, true)?;
        self.follow().map_err(Fault::Io)
    }

    /// Handles an answer or an event.
    fn handle(&mut self, message: &Value) -> Result<(), Fault> {
        let params = message.get("params").unwrap_or(&Value::Null);
        let text = |path: &str| params.pointer(path).and_then(Value::as_str).unwrap_or_default();
        if let Some(number) = message.get("id").and_then(Value::as_u64) {
            return self.answered(number, message);
        }
        match message.get("method").and_then(Value::as_str).unwrap_or_default() {
            "Page.screencastFrame" => {
                let now = Instant::now();
                self.next_frame = now.max(self.next_frame + self.period());
                let number = params.get("sessionId").cloned().unwrap_or_default();
                // Two frames can be under way. The pace is that of the last one.
                if let Some((_, earlier)) = self.answer.replace((self.next_frame, number)) {
                    self.acknowledge(&earlier)?;
                }
                if self.is_loaded {
                    self.frame_by = None;
                    self.image(text("/data"), true)?;
                } else {
                    // It may be the only one of a page that does not change.
                    text("/data").clone_into(&mut self.early_image);
                }
            }
            "Page.frameNavigated"
                if !self.is_loaded
                    && self.loading.is_none()
                    && params.pointer("/frame/parentId").is_none() =>
            {
                self.early_image.clear();
                self.loaded("")?;
            }
            "Page.javascriptDialogOpening" => self.dismiss(params)?,
            "Fetch.requestPaused" => self.decide(params)?,
            "Target.targetCreated"
                if params.pointer("/targetInfo/openerId").is_some()
                    && text("/targetInfo/type") == "page" =>
            {
                let close = json!({ "targetId": text("/targetInfo/targetId") });
                self.cdp.send(None, "Target.closeTarget", &close)?;
            }
            "Inspector.targetCrashed" | "Target.targetCrashed" | "Inspector.detached" => {
                return Err(Fault::Trouble(Trouble::Crashed));
            }
            _ => {}
        }
        Ok(())
    }

    fn answered(&mut self, number: u64, message: &Value) -> Result<(), Fault> {
        if self.loading == Some(number) {
            self.loading = None;
            let error = message.pointer("/result/errorText").and_then(Value::as_str);
            if let Some(reason) = error.or_else(|| message.pointer("/error/message")?.as_str()) {
                let reason = match self.host.refused() {
                    Some(host) => format!("{host}: refused, an address of the local network"),
                    None => reason.to_owned(),
                };
                return Err(Fault::Trouble(Trouble::NotLoaded { reason }));
            }
            let early = std::mem::take(&mut self.early_image);
            self.loaded(&early)?;
        } else if self.question.is_some_and(|(question, _)| question == number) {
            self.question = None;
        } else if self.screenshot == Some(number) {
            self.screenshot = None;
            let data = message.pointer("/result/data").and_then(Value::as_str).unwrap_or_default();
            if self.last_image != data {
                data.clone_into(&mut self.last_image);
                self.image(data, false)?;
            }
        }
        Ok(())
    }

    /// Sends an image to onair.
    fn image(&self, data: &str, premultiplied: bool) -> Result<(), Fault> {
        let Some(mut image) = decode(data) else { return Ok(()) };
        if premultiplied {
            pixels::unpremultiply(&mut image.rgba);
        }
        let planes = pixels::planes(&image.rgba, image.width, image.height);
        self.report(&Report::Frame(planes)).map_err(Fault::Trouble)
    }

    /// Checks memory and life.
    fn check(&mut self, now: Instant) -> Result<(), Fault> {
        self.next_check = now + CHECK_INTERVAL;
        self.chromium.drain_words();
        self.report(&Report::Alive)?;
        let is_late = self.frame_by.is_some_and(|by| now > by);
        if is_late && self.capture == Capture::Screencast && self.shown {
            // A screencast that begins sends a frame, also of a page that does not change.
            self.frame_by = None;
            self.cast(false)?;
            self.cast(true)?;
        }
        if let Some(host) = self.host.refused() {
            self.report(&Report::Refused { host })?;
        }
        if self.checks.is_multiple_of(CHECKS_PER_QUESTION) {
            self.family = memory::family(self.chromium.number());
            match self.question {
                // A page that is being loaded can wait for its server.
                Some((_, asked)) if now - asked > HANG_TIMEOUT && self.loading.is_none() => {
                    let seconds = HANG_TIMEOUT.as_secs();
                    return Err(Fault::Trouble(Trouble::Hung { seconds }));
                }
                Some(_) => {}
                None => {
                    let question = self.tell("Runtime.evaluate", &json!({ "expression": "1" }))?;
                    self.question = Some((question, now));
                }
            }
        }
        self.checks = self.checks.wrapping_add(1);
        if memory::used_by(&self.family) > MAX_MEMORY {
            return Err(Fault::Trouble(Trouble::Memory { most: MAX_MEMORY >> 20 }));
        }
        Ok(())
    }
}

/// The end of a session.
enum Fault {
    Io(io::Error),
    Trouble(Trouble),
    /// onair no longer needs the page.
    Over,
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}
