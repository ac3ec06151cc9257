//! The hidden command `browser-process`.

use crate::audio;
use crate::capture::browser;
use crate::net;

/// If onair started this process for a browser page, shows the page until onair closes the socket,
/// and ends the process.
pub fn run() {
    if std::env::args_os().nth(1).is_some_and(|word| word == "browser-process") {
        std::process::exit(browser::run(|| {
            Ok(Host { guard: net::PageGuard::start()?, sink: None })
        }));
    }
}

/// The proxy and the sink of the page.
struct Host {
    guard: net::PageGuard,
    sink: Option<audio::PageSink>,
}

impl browser::PageHost for Host {
    fn port(&self) -> u16 {
        self.guard.port()
    }

    fn allow(&self, local: bool, chosen: &str) {
        self.guard.allow(local, chosen);
    }

    fn refused(&self) -> Option<String> {
        self.guard.refused()
    }
    fn create_sink(&mut self, name: &str) -> bool {
        self.sink = audio::PageSink::open(name);
        self.sink.is_some()
    }
}
