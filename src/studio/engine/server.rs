//! The built-in server as run by the studio.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Clock, Secret};
use crate::net::{Runtime, own_addresses, random_hex};
use crate::server::config::{DEFAULT_HTTP_PORT, DEFAULT_RTMP_PORT, DEFAULT_WEBRTC_PORT};
use crate::server::{self, ChatRules, Fault, Listen, OwnStream, Protocol, Server};
use crate::studio::event::Ready;
use crate::studio::notices::message::StudioMessage;
use crate::studio::settings::ServerToken;
use crate::studio::targets::address;
use crate::studio::targets::sharing::{self, NetworkAddress, ServerReach, ShareLinks};
use crate::studio::watch::own_chat::{ChatCommand, OwnChat, OwnChatView};
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
    reach: ServerReach,
    chat_rules: ChatRules,
    /// The chat of the program's own stream, if there is a window to show it.
    chat: Option<OwnChat>,
    /// The addresses of this computer as of the last change; the next field has the links with
    /// them.
    networks: Arc<[NetworkAddress]>,
    links: Arc<ShareLinks>,
}

impl BuiltIn {
    pub(in crate::studio) fn new(
        serve: Serve,
        successor: String,
        token: Option<ServerToken>,
        reach: ServerReach,
        chat_rules: ChatRules,
    ) -> Self {
        // Without random numbers there is no server: see `start`.
        let key = Secret::new(random_hex().unwrap_or_default());
        Self {
            serve,
            server: None,
            faults: Vec::new(),
            successor,
            token,
            key,
            reach,
            chat_rules,
            chat: None,
            networks: Arc::default(),
            links: Arc::default(),
        }
    }

    pub(in crate::studio) fn wanted_at_once(&self) -> bool {
        self.serve == Serve::AtOnce
    }

    pub(in crate::studio) fn is_running(&self) -> bool {
        self.server.is_some()
    }

    /// Starts the server on its default ports, or on the next free ports, which is reported.
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
        let ServerReach { http, rtmp } = self.reach;
        let config = server::Config {
            rtmp: ServerReach::listen(rtmp, DEFAULT_RTMP_PORT),
            http: Some(ServerReach::listen(http, DEFAULT_HTTP_PORT)),
            webrtc: Some(ServerReach::listen(http, DEFAULT_WEBRTC_PORT)),
            own_stream: Some(own_stream),
            chat: self.chat_rules.clone(),
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
        if self.serve == Serve::AtOnce {
            self.chat = server.join_chat(app, stream).map(OwnChat::new);
        }
        self.server = Some(server);
        self.look_at_networks();
        Ok(messages.into_iter().flatten().collect())
    }

    /// Returns the chat of the program's own stream, or `None` while the server does not run.
    pub(in crate::studio) fn chat(&self) -> Option<OwnChatView> {
        self.chat.as_ref().map(OwnChat::view)
    }

    pub(in crate::studio) fn poll_chat(&mut self) {
        if let Some(chat) = &mut self.chat {
            chat.poll();
        }
    }

    pub(in crate::studio) fn handle_chat(&mut self, command: ChatCommand) {
        if let Some(chat) = &mut self.chat {
            chat.handle(command);
        }
    }

    /// Sets the rules of all chats.
    pub(in crate::studio) fn set_chat_rules(&mut self, rules: ChatRules) {
        if let Some(server) = &self.server {
            server.set_chat_rules(rules.clone());
        }
        self.chat_rules = rules;
    }

    /// Lists the addresses of this computer again, after these or the server's addresses have
    /// changed.
    pub(in crate::studio) fn look_at_networks(&mut self) {
        let server = self.server.as_ref().map(Server::addresses);
        let networks = server.map(|server| sharing::networks(&own_addresses(), server));
        self.networks = networks.unwrap_or_default().into();
        let links = server.map(|server| sharing::links(&self.networks, server));
        self.links = Arc::new(links.unwrap_or_default());
    }

    /// Sets whether other computers can reach the server. Ports whose reach does not change are
    /// left alone.
    pub(in crate::studio) fn set_reach(
        &mut self,
        reach: ServerReach,
    ) -> Result<(), Box<StudioMessage>> {
        let was = std::mem::replace(&mut self.reach, reach);
        let Some(server) = &mut self.server else { return Ok(()) };
        let addresses = server.addresses();
        // The ports stay the same, so that links stay valid.
        let listen = |open, port| Listen { or_next: false, ..ServerReach::listen(open, port) };
        let mut moved = Ok(());
        if let (true, Some(http)) = (was.http != reach.http, addresses.http) {
            let webrtc = addresses.webrtc.map_or(DEFAULT_WEBRTC_PORT, |webrtc| webrtc.port());
            let webrtc = ServerReach::listen(reach.http, webrtc);
            moved = server.move_http(listen(reach.http, http.port()), webrtc);
            self.reach.http = if moved.is_ok() { reach.http } else { was.http };
        }
        if was.rtmp != reach.rtmp && moved.is_ok() {
            moved = server.move_rtmp(listen(reach.rtmp, addresses.rtmp.port()));
            self.reach.rtmp = if moved.is_ok() { reach.rtmp } else { was.rtmp };
        }
        self.look_at_networks();
        moved.map_err(|error| {
            Box::new(StudioMessage::ServerNotMoved { reason: Problem::from(&error) })
        })
    }

    pub(in crate::studio) fn reach(&self) -> ServerReach {
        self.reach
    }

    /// Returns the addresses of this computer; empty while the server does not run.
    pub(in crate::studio) fn networks(&self) -> &Arc<[NetworkAddress]> {
        &self.networks
    }

    /// Returns the links of the stream for others; empty while the server does not run.
    pub(in crate::studio) fn links(&self) -> &Arc<ShareLinks> {
        &self.links
    }

    fn next(&self) -> Option<String> {
        Some(self.successor.clone()).filter(|url| !url.is_empty())
    }

    /// Returns the successor server for its clients.
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

    /// Returns the simulated faults.
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

    /// Returns the RTMP address for this computer.
    pub(in crate::studio) fn rtmp(&self) -> Option<SocketAddr> {
        self.server.as_ref().map(|server| sharing::here(server.addresses().rtmp))
    }

    /// Returns the RTMP and HTTP addresses for this computer.
    pub(in crate::studio) fn local(&self) -> (String, String) {
        let http = self.server.as_ref().and_then(|server| server.addresses().http);
        let url = |scheme: &str, address: Option<SocketAddr>| {
            address.map(|it| format!("{scheme}://{}", sharing::here(it))).unwrap_or_default()
        };
        (url("rtmp", self.rtmp()), url("http", http))
    }

    /// Returns the address for publishing the program's own stream, with its key.
    pub(in crate::studio) fn entrance(&self) -> Option<address::Entrance<'_>> {
        self.rtmp().map(|address| address::Entrance { address, key: &self.key })
    }

    /// Returns all addresses; empty while the server does not run.
    pub(in crate::studio) fn ready(&self) -> Ready {
        let Some(server) = &self.server else { return Ready::default() };
        let addresses = server.addresses();
        let ShareLinks { page, hls, dash, hls_ts, rtmp, flv, whep } = (*self.links).clone();
        let known = |link: String| Some(link).filter(|link| !link.is_empty());
        Ready {
            rtmp: format!("rtmp://{}", addresses.rtmp),
            rtmps: addresses.rtmps.map(|rtmps| format!("rtmps://{rtmps}")),
            rtmpt: addresses.rtmpt.map(|rtmpt| format!("rtmpt://{rtmpt}")),
            http: addresses.http.map(|http| format!("http://{http}")),
            play: known(rtmp),
            hls: known(hls),
            dash: known(dash),
            hls_ts: known(hls_ts),
            flv: known(flv),
            whep: known(whep),
            watch: known(page),
            token_file: self.token.as_ref().map(|token| token.path.display().to_string()),
        }
    }

    /// Returns the number of viewers of all streams.
    pub(in crate::studio) fn viewers(&self) -> usize {
        self.server.as_ref().map_or(0, Server::viewers)
    }

    /// Returns the number of viewers of all streams by protocol.
    pub(in crate::studio) fn viewers_by_protocol(&self) -> BTreeMap<Protocol, usize> {
        self.server.as_ref().map(Server::viewers_by_protocol).unwrap_or_default()
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
        self.chat = None;
        if let Some(server) = self.server.take() {
            server.shutdown(END);
        }
        self.look_at_networks();
    }
}
