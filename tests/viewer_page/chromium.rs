//! Chromium without a window, driven over its DevTools protocol, so that the tests need no changes
//! to the pages.

use std::cell::RefCell;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

use crate::peers::{LIMIT, Peer, wait_for};

/// A running browser with its own profile.
pub struct Chromium {
    _peer: Peer,
    _profile: tempfile::TempDir,
    connection: RefCell<Connection>,
}

struct Connection {
    socket: WebSocket<TcpStream>,
    next: u64,
    /// Complaints from pages: errors in scripts, and violations of the content security policy.
    complaints: Vec<String>,
}

/// An open page.
pub struct Page<'a> {
    browser: &'a Chromium,
    session: String,
}

impl Chromium {
    /// Starts a browser that prefers this language.
    pub fn start(language: &str) -> Self {
        Self::start_with(language, &[])
    }

    /// Starts a browser with additional flags.
    pub fn start_with(language: &str, flags: &[&str]) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let folder = format!("--user-data-dir={}", profile.path().display());
        let language = format!("--accept-lang={language}");
        let peer = Peer::start(
            "chromium",
            flags.iter().copied().chain([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-dev-shm-usage",
                "--autoplay-policy=no-user-gesture-required",
                "--remote-debugging-port=0",
                &language,
                &folder,
                "about:blank",
            ]),
        );
        let file = profile.path().join("DevToolsActivePort");
        let mut place = None;
        wait_for("the port of DevTools", LIMIT, || {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            place = text.split_once('\n').map(|(port, path)| (port.to_owned(), path.to_owned()));
            place.is_some()
        });
        let (port, path) = place.unwrap();
        let stream = TcpStream::connect(("127.0.0.1", port.parse::<u16>().unwrap())).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let url = format!("ws://127.0.0.1:{port}{}", path.trim());
        let (socket, _) = tungstenite::client(url, stream).unwrap();
        let connection = RefCell::new(Connection { socket, next: 1, complaints: Vec::new() });
        Self { _peer: peer, _profile: profile, connection }
    }

    /// Opens a page, and runs a script before the scripts of the page.
    pub fn open(&self, url: &str, before: &str) -> Page<'_> {
        let target = self.call(
            None,
            "Target.createTarget",
            &json!({ "url": "about:blank", "newWindow": true }),
        );
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = self.call(None, "Target.attachToTarget", &attach);
        let session = attached["sessionId"].as_str().unwrap().to_owned();
        let page = Page { browser: self, session };
        for domain in ["Page", "Runtime", "Log"] {
            page.call(&format!("{domain}.enable"), &json!({}));
        }
        let script = json!({ "source": before });
        page.call("Page.addScriptToEvaluateOnNewDocument", &script);
        page.call("Page.navigate", &json!({ "url": url }));
        page
    }

    /// Returns the complaints of all pages so far.
    pub fn complaints(&self) -> Vec<String> {
        self.connection.borrow().complaints.clone()
    }

    fn call(&self, session: Option<&str>, method: &str, params: &Value) -> Value {
        let mut connection = self.connection.borrow_mut();
        let id = connection.next;
        connection.next += 1;
        let mut request = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            request["sessionId"] = session.into();
        }
        connection.socket.send(Message::text(request.to_string())).unwrap();
        loop {
            let Message::Text(text) = connection.socket.read().unwrap() else { continue };
            let mut answer: Value = serde_json::from_str(&text).unwrap();
            if answer["id"] == id {
                // An expression has no value if its page leaves for another.
                let left = answer["error"]["message"] == "Inspected target navigated or closed";
                assert!(answer["error"].is_null() || left, "{method}: {answer}");
                return answer["result"].take();
            }
            let params = &answer["params"];
            let complaint = match answer["method"].as_str().unwrap_or_default() {
                "Runtime.exceptionThrown" => Some(params["exceptionDetails"].to_string()),
                "Log.entryAdded" if params["entry"]["source"] == "security" => {
                    Some(params["entry"]["text"].to_string())
                }
                _ => None,
            };
            connection.complaints.extend(complaint);
        }
    }
}

impl Page<'_> {
    /// Returns the value of an expression in the page, or null if the expression fails.
    pub fn value(&self, expression: &str) -> Value {
        let params =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        self.call("Runtime.evaluate", &params)["result"]["value"].take()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub fn wait(&self, expression: &str) {
        let start = std::time::Instant::now();
        while self.value(expression) != true {
            let seen =
                "JSON.stringify([document.documentElement.dataset, document.body.innerText])";
            assert!(
                start.elapsed() < LIMIT,
                "waited {LIMIT:?} in vain for {expression}; the page shows {}; it complains of {:?}",
                self.value(seen),
                self.browser.complaints()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Returns the text that an element shows.
    pub fn text(&self, id: &str) -> String {
        let value = self.value(&format!("document.getElementById('{id}').innerText"));
        value.as_str().unwrap_or_default().to_owned()
    }

    /// Sets the size of the page in CSS pixels.
    pub fn resize(&self, width: u32, height: u32) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Writes a screenshot of the page to a PNG file.
    pub fn picture(&self, file: &std::path::Path) {
        let answer = self.call("Page.captureScreenshot", &json!({ "format": "png" }));
        let bytes = data_encoding::BASE64.decode(answer["data"].as_str().unwrap().as_bytes());
        std::fs::write(file, bytes.unwrap()).unwrap();
    }

    fn call(&self, method: &str, params: &Value) -> Value {
        self.browser.call(Some(&self.session), method, params)
    }
}
