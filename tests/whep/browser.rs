//! Chromium without a window.

use std::time::Duration;

use crate::peers::Peer;

/// The time limit for a browser on a busy computer.
const LIMIT: Duration = Duration::from_secs(90);

/// A running browser with its own profile.
pub struct Browser {
    peer: Peer,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Opens a page in a new browser.
    pub fn open(url: &str) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let folder = format!("--user-data-dir={}", profile.path().display());
        let peer = Peer::start(
            "chromium",
            [
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
                &folder,
                url,
            ],
        );
        Self { peer, _profile: profile }
    }

    /// Waits for a condition that the page should bring about.
    pub fn wait(&mut self, what: &str, condition: impl Fn() -> bool) {
        self.peer.wait_until(what, LIMIT, |_| condition());
    }
}
