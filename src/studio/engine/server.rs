//! Runs the built-in server for the studio.

use std::net::SocketAddr;
use std::time::Duration;

use crate::base::{Clock, Secret};
use crate::net::{Runtime, random_hex};
use crate::server::config::{DEFAULT_HTTP_PORT, DEFAULT_RTMP_PORT};
use crate::server::{self, Fault, OwnStream, Server};
use crate::studio::event::Ready;
use crate::studio::notices::message::StudioMessage;
use crate::studio::settings::ServerToken;
use crate::studio::targets::address;
use crate::text::Problem;

/// Time limit for disconnecting the server's clients.
const END: Duration = Duration::from_millis(500);

/// The time at which the built-in server starts.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Serve {
    /// From the start (in the window).
    AtOnce,
    /// When a stream is sent to it.
    WhenNeeded,
}

/// The built-in server, running or not.
#[derive(Debug)]
pub(in crate::studio) struct BuiltIn {
    serve: Serve,
    server: Option<Server>,
    faults: Vec<Fault>,
    /// The successor server for its clients; empty means none.
    successor: String,
    /// The token for clients that make changes over HTTP.
    token: Option<ServerToken>,
    /// The key of the program's own stream, which is secret and new in each run.
    key: Secret,
}

impl BuiltIn {
    pub(in crate::studio) fn new(
        serve: Serve,
        successor: String,
        token: Option<ServerToken>,
    ) -> Self {
        // Without random numbers there is no server: see `start`.
        let key = Secret::new(random_hex().unwrap_or_default());
        Self { serve, server: None, faults: Vec::new(), successor, token, key }
    }

    pub(in crate::studio) fn wanted_at_once(&self) -> bool {
        self.serve == Serve::AtOnce
    }

    pub(in crate::studio) fn is_running(&self) -> bool {
        self.server.is_some()
    }

    /// Starts it on its default ports, or on the next free ones (which is reported).
    pub(in crate::studio) fn start(
        &mut self,
        runtime: &Runtime,
        clock: Clock,
    ) -> Result<Vec<StudioMessage>, Box<StudioMessage>> {
        if self.key.is_empty() {
            let reason = "the system has no randomness".into();
            return Err(Box::new(StudioMessage::ServerFailed { reason }));
        }
        let (app, stream) = address::OWN_STREAM;
        let own_stream =
            OwnStream { app: app.to_owned(), stream: stream.to_owned(), key: self.key.clone() };
        let config = server::Config {
            own_stream: Some(own_stream),
            http_token: self.token.as_ref().map(|token| token.token.clone()),
            webrtc_certificate: self.token.as_ref().and_then(|token| token.certificate.clone()),
            faults: self.faults.clone(),
            successor: self.next(),
            ..server::Config::default()
        };
        let server = Server::start(runtime, clock, config).map_err(|error| {
            Box::new(StudioMessage::ServerFailed { reason: Problem::from(&error) })
        })?;
        let addresses = server.addresses();
        let moved = |moved: bool, wanted: u16, used: Option<SocketAddr>| {
            used.filter(|_| moved).map(|used| StudioMessage::PortTaken {
                wanted: wanted.to_string(),
                used: used.port().to_string(),
            })
        };
        let messages = [
            moved(addresses.rtmp_moved, DEFAULT_RTMP_PORT, Some(addresses.rtmp)),
            moved(addresses.http_moved, DEFAULT_HTTP_PORT, addresses.http),
        ];
        self.server = Some(server);
        Ok(messages.into_iter().flatten().collect())
    }

    fn next(&self) -> Option<String> {
        Some(self.successor.clone()).filter(|url| !url.is_empty())
    }

    /// The successor server for its clients.
    pub(in crate::studio) fn successor(&self) -> &str {
        &self.successor
    }

    /// Sets the successor server; empty means none.
    pub(in crate::studio) fn set_successor(&mut self, successor: String) {
        self.successor = successor;
        if let Some(server) = &self.server {
            server.set_successor(self.next());
        }
    }

    /// The simulated faults.
    pub(in crate::studio) fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Sets the simulated faults.
    pub(in crate::studio) fn set_faults(&mut self, faults: Vec<Fault>) {
        if let Some(server) = &self.server {
            server.set_faults(faults.clone());
        }
        self.faults = faults;
    }

    /// The RTMP address.
    pub(in crate::studio) fn rtmp(&self) -> Option<SocketAddr> {
        self.server.as_ref().map(|server| server.addresses().rtmp)
    }

    /// The address for publishing the program's own stream, with its key.
    pub(in crate::studio) fn entrance(&self) -> Option<address::Entrance<'_>> {
        self.rtmp().map(|address| address::Entrance { address, key: &self.key })
    }

    /// All addresses; empty while it does not run.
    pub(in crate::studio) fn ready(&self) -> Ready {
        let Some(server) = &self.server else { return Ready::default() };
        let addresses = server.addresses();
        let (app, stream) = address::OWN_STREAM;
        Ready {
            rtmp: format!("rtmp://{}", addresses.rtmp),
            rtmps: addresses.rtmps.map(|rtmps| format!("rtmps://{rtmps}")),
            rtmpt: addresses.rtmpt.map(|rtmpt| format!("rtmpt://{rtmpt}")),
            http: addresses.http.map(|http| format!("http://{http}")),
            play: Some(address::play_url(addresses.rtmp)),
            hls: addresses.http.map(|http| format!("http://{http}/{app}/{stream}.m3u8")),
            whep: addresses
                .http
                .filter(|_| addresses.webrtc.is_some())
                .map(|http| format!("http://{http}/{app}/{stream}/whep")),
            watch: addresses.http.map(|http| format!("http://{http}/watch/{app}/{stream}")),
            token_file: self.token.as_ref().map(|token| token.path.display().to_string()),
        }
    }

    /// The number of viewers of all streams.
    pub(in crate::studio) fn viewers(&self) -> usize {
        self.server.as_ref().map_or(0, Server::viewers)
    }

    /// Events of clients since the last call.
    pub(in crate::studio) fn poll(&self) -> Vec<server::Event> {
        let mut events = Vec::new();
        if let Some(server) = &self.server {
            while let Ok(event) = server.events().try_recv() {
                events.push(event);
            }
        }
        events
    }

    pub(in crate::studio) fn shutdown(&mut self) {
        if let Some(server) = self.server.take() {
            server.shutdown(END);
        }
    }
}
