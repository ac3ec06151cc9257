//! The built-in server as run by the studio.

mod certificates;
mod chosen_security;
pub mod flags;
mod guest_desk;
mod guests;
mod meeting;
mod security;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::base::{Clock, Secret};
use crate::net::connect::network::Network;
use crate::net::{CertificatePin, Runtime, own_addresses, random_hex};
use crate::server::access::{AccessRules, AppRules};
use crate::server::config::{
    DEFAULT_HTTP_PORT, DEFAULT_HTTPS_PORT, DEFAULT_RTMP_PORT, DEFAULT_SRT_PORT, DEFAULT_WEBRTC_PORT,
};
use crate::server::guests::GUEST_APP;
use crate::server::{
    self, ChatRules, Fault, KeyframeRequest, Listen, OwnStream, ProgramAudio, ProgramAudioNeed,
    Server,
};
use crate::studio::engine::server::flags::ServerFlags;
use crate::studio::engine::server::guest_desk::GuestDesk;
use crate::studio::engine::server::security::ServerSecurity;
use crate::studio::event::Ready;
use crate::studio::notices::message::StudioMessage;
use crate::studio::settings::{CertificateFiles, ServerToken, Settings};
use crate::studio::snapshot::ServerFigures;
use crate::studio::targets::address;
use crate::studio::targets::sharing::{self, NetworkAddress, ServerNames, ServerReach, ShareLinks};
use crate::studio::watch::own_chat::{ChatCommand, OwnChat};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::chat::ChatPost;

/// Time limit for disconnecting the server's clients.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(500);

/// The time at which the built-in server starts.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Serve {
    /// At the start of the studio (in the window).
    AtOnce,
    /// When a stream is sent to the server.
    WhenNeeded,
}

/// The built-in server, running or not.
#[derive(Debug)]
pub struct BuiltIn {
    serve: Serve,
    server: Option<Server>,
    faults: Vec<Fault>,
    /// The successor server for the built-in server's clients; empty means none.
    successor: String,
    /// The token for clients that make changes over HTTP.
    token: Option<ServerToken>,
    /// The key of the program's own stream, which is secret and new in each run.
    key: Secret,
    /// The key that viewers need; `None` lets everybody watch who reaches the server.
    play_key: Option<Secret>,
    names: ServerNames,
    reach: ServerReach,
    flags: ServerFlags,
    /// What the settings say instead of the flags.
    security: ServerSecurity,
    /// The files of a given certificate.
    certificate_files: Option<CertificateFiles>,
    /// The fingerprint of the certificate that the server made for HTTPS.
    https_pin: Option<CertificatePin>,
    chat_rules: ChatRules,
    /// The function that requests a keyframe for browsers that watch the program's own stream.
    keyframe_request: Option<KeyframeRequest>,
    /// The chat of the program's own stream, if there is a window to show it.
    chat: Option<OwnChat>,
    pub desk: GuestDesk,
    /// The addresses of this computer after their last change.
    networks: Arc<[NetworkAddress]>,
    /// This computer's name in the local network; `None` while the server does not run.
    local_name: Option<String>,
    /// The links to the stream, which use the addresses in `networks`.
    links: Arc<ShareLinks>,
}

impl BuiltIn {
    pub fn new(
        serve: Serve,
        token: Option<ServerToken>,
        play_key: Option<Secret>,
        settings: &Settings,
    ) -> Self {
        // Without random numbers there is no server: see `start`.
        let secret = || Secret::new(random_hex().unwrap_or_default());
        let security = ServerSecurity::new(settings);
        let certificate_files = CertificateFiles::of(security.identity.as_ref(), Instant::now());
        Self {
            serve,
            server: None,
            faults: Vec::new(),
            successor: settings.successor.clone(),
            token,
            key: secret(),
            // Until the stored key is loaded, the server uses a key that nobody knows.
            play_key: play_key.or_else(|| settings.play_key.then(secret)),
            names: settings.server_names.clone(),
            reach: settings.reach,
            flags: ServerFlags::default(),
            security,
            certificate_files,
            https_pin: None,
            chat_rules: settings.chat_rules.clone(),
            keyframe_request: None,
            chat: None,
            desk: GuestDesk::default(),
            networks: Arc::default(),
            local_name: None,
            links: Arc::default(),
        }
    }

    /// Follows these flags, whatever the settings say.
    pub fn with_flags(self, flags: ServerFlags) -> Self {
        let mut flagged = Self { flags, ..self };
        let identity = flagged.given_identity();
        flagged.certificate_files = CertificateFiles::of(identity, Instant::now());
        flagged
    }

    /// Returns where SRT listens, if it is wanted.
    fn srt_listen(&self) -> Option<Listen> {
        let usual =
            || self.reach.srt.then(|| ServerReach::listen(self.reach.http, DEFAULT_SRT_PORT));
        self.flags.srt.map(Listen::exactly).or_else(usual)
    }

    /// Returns where HTTPS listens, if it is wanted.
    fn https_listen(&self) -> Option<Listen> {
        let ServerReach { http, https, .. } = self.reach;
        let usual = || https.then(|| ServerReach::listen(http, DEFAULT_HTTPS_PORT));
        self.flags.https.map(Listen::exactly).or_else(usual)
    }

    pub fn wanted_at_once(&self) -> bool {
        self.serve == Serve::AtOnce
    }

    pub fn is_running(&self) -> bool {
        self.server.is_some()
    }

    /// Sets the host names of the server, and the origins whose pages may read from it.
    pub fn set_names(&mut self, names: ServerNames) {
        self.names = names;
        self.reload();
    }

    /// Returns true if viewers need a key.
    pub fn needs_play_key(&self) -> bool {
        self.play_key.is_some()
    }

    /// Sets the key that viewers need. Viewers with another key, or without one, are disconnected.
    pub fn set_play_key(&mut self, key: Option<Secret>) {
        if self.play_key == key {
            return;
        }
        self.play_key = key;
        self.reload();
        if let (Some(server), true) = (&self.server, self.play_key.is_some()) {
            server.expel_viewers();
        }
        self.look_at_networks();
    }

    /// Makes a new key for viewers, and returns it. Returns `None` if the system has no randomness:
    /// the earlier key then stays. If there is no earlier key, viewers need a hash of the
    /// publishing key, which does not reveal that key.
    pub fn renew_play_key(&mut self) -> Option<Secret> {
        let key = random_hex().map(Secret::new);
        let before = self.play_key.clone();
        let unknown = || Secret::new(HEXLOWER.encode(&Sha256::digest(self.key.expose())));
        let wanted = key.clone().or(before).unwrap_or_else(unknown);
        self.set_play_key(Some(wanted));
        key
    }

    /// Applies the current access rules and names to the running server.
    fn reload(&self) {
        if let Some(server) = &self.server {
            server.reload(&self.config());
        }
    }

    fn config(&self) -> server::Config {
        let (app, stream) = address::OWN_STREAM;
        let own_stream =
            OwnStream { app: app.to_owned(), stream: stream.to_owned(), key: self.key.clone() };
        let mut access = AccessRules::default();
        access.others.play.keys.extend(self.play_key.clone());
        // Other streams need no key, so only programs on this computer may publish them. The
        // program's own stream needs its key.
        access.others.publish.addresses.allow = Network::LOOPBACK.to_vec();
        if let Some(guests) = &self.desk.guests {
            // Only the studio plays guests, and guests publish only with their tokens.
            let mut rules = AppRules::default();
            rules.publish.keys.push(guests.key().clone());
            rules.play.keys.push(guests.key().clone());
            access.apps.insert(GUEST_APP.to_owned(), rules);
        }
        let ServerReach { http, rtmp, .. } = self.reach;
        // A page needs WebRTC wherever it is open.
        let is_https_open = self.flags.https.is_some_and(|https| !https.ip().is_loopback());
        server::Config {
            guests: self.desk.guests.clone(),
            rtmp: ServerReach::listen(rtmp, DEFAULT_RTMP_PORT),
            http: Some(ServerReach::listen(http, DEFAULT_HTTP_PORT)),
            webrtc: Some(ServerReach::listen(
                http || is_https_open || self.desk.meeting.is_some(),
                DEFAULT_WEBRTC_PORT,
            )),
            srt: self.srt_listen(),
            srt_passphrase: self.srt_passphrase(),
            own_stream: Some(own_stream),
            access,
            http_names: self.host_names(),
            cors: self.names.origins.clone(),
            chat: self.chat_rules.clone(),
            http_token: self.token.as_ref().map(|token| token.token.clone()),
            webrtc_certificate: self.token.as_ref().and_then(|token| token.certificate.clone()),
            faults: self.faults.clone(),
            successor: self.next(),
            ..server::Config::default()
        }
    }

    /// Starts the server on its default ports, or on the next free ports, which is reported.
    pub fn start(
        &mut self,
        runtime: &Runtime,
        clock: Clock,
    ) -> Result<Vec<StudioMessage>, Box<StudioMessage>> {
        if self.key.is_empty() {
            let reason = problem!("server-no-randomness");
            return Err(Box::new(StudioMessage::ServerFailed { reason }));
        }
        let mut config = self.config();
        let mut insecure = None;
        if let Some(listen) = self.https_listen() {
            match self.https_identity(listen) {
                Ok(identity) => {
                    (config.https, config.identity) = (Some(listen), Some(identity));
                }
                // Without secure pages, the server does everything else.
                Err(reason) => insecure = Some(StudioMessage::ServerNotMoved { reason }),
            }
        }
        self.use_authority(&mut config);
        let server = Server::start(runtime, clock, config).map_err(|error| {
            Box::new(StudioMessage::ServerFailed { reason: Problem::from(&error) })
        })?;
        server.set_keyframe_request(self.keyframe_request.clone());
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
            moved(addresses.webrtc_moved, DEFAULT_WEBRTC_PORT, addresses.webrtc),
            insecure,
        ];
        if self.serve == Serve::AtOnce {
            let (app, stream) = address::OWN_STREAM;
            self.chat = server.join_chat(app, stream).map(OwnChat::new);
        }
        let rtmp = sharing::here(addresses.rtmp);
        self.desk.entrance.set(self.desk.guests.as_ref().map(|it| (rtmp, it.key().clone())));
        self.server = Some(server);
        self.look_at_networks();
        Ok(messages.into_iter().flatten().collect())
    }

    /// Polls the chat, in which the streamer has this name.
    pub fn poll_chat(&mut self, name: &str) {
        if let Some(chat) = &mut self.chat {
            chat.set_name(name);
            chat.poll();
        }
    }

    /// Returns the messages of the chat.
    pub fn chat_posts(&self) -> Arc<[ChatPost]> {
        self.chat.as_ref().map(|chat| chat.view().posts).unwrap_or_default()
    }

    pub fn handle_chat(&mut self, command: ChatCommand) {
        if let Some(chat) = &mut self.chat {
            chat.handle(command);
        }
    }

    /// Returns whether browsers need the program's audio.
    pub fn program_audio_need(&self) -> ProgramAudioNeed {
        let server = self.server.as_ref();
        server.map_or(ProgramAudioNeed::Unneeded, Server::program_audio_need)
    }

    /// Passes the program's audio to the browsers that listen.
    pub fn serve_program_audio(&self, audio: ProgramAudio) {
        if let Some(server) = &self.server {
            server.serve_program_audio(audio);
        }
    }

    /// Sets the function that requests a keyframe for browsers that watch the program's own stream.
    pub fn set_keyframe_request(&mut self, request: Option<&KeyframeRequest>) {
        if self.keyframe_request.as_ref() == request {
            return;
        }
        self.keyframe_request = request.cloned();
        if let Some(server) = &self.server {
            server.set_keyframe_request(self.keyframe_request.clone());
        }
    }

    /// Takes over the rules of all chats if they were changed over HTTP. Returns the changed rules.
    pub fn changed_chat_rules(&mut self) -> Option<ChatRules> {
        let rules = self.server.as_ref()?.chat_rules();
        if *rules == self.chat_rules {
            return None;
        }
        self.chat_rules.clone_from(&rules);
        Some(self.chat_rules.clone())
    }

    /// Sets the rules of all chats.
    pub fn set_chat_rules(&mut self, rules: ChatRules) {
        if let Some(server) = &self.server {
            server.set_chat_rules(rules.clone());
        }
        self.chat_rules = rules;
    }

    /// Lists the addresses of this computer again after they or the server's addresses have
    /// changed.
    pub fn look_at_networks(&mut self) {
        let server = self.server.as_ref().map(Server::addresses);
        let networks = server.map(|server| sharing::networks(&own_addresses(), server));
        self.networks = networks.unwrap_or_default().into();
        self.local_name = server.and_then(|_| server::own_local_name());
        let key = self.play_key.as_ref().map(Secret::expose);
        let links = server.map(|server| sharing::links(&self.networks, server, key));
        self.links = Arc::new(links.unwrap_or_default());
    }

    /// Sets whether other computers can reach the server. Ports whose reach does not change are
    /// left alone.
    pub fn set_reach(&mut self, reach: ServerReach) -> Result<(), Box<StudioMessage>> {
        let was = std::mem::replace(&mut self.reach, reach);
        let with_identity = self.https_listen().filter(|_| {
            let is_changed = (was.https, was.http) != (reach.https, reach.http);
            is_changed && self.server.is_some() && self.flags.https.is_none()
        });
        let identity = with_identity.map(|listen| self.https_identity(listen)).transpose();
        if identity.is_err() {
            // Nothing has moved.
            self.reach = was;
        }
        let not_moved = |reason| Box::new(StudioMessage::ServerNotMoved { reason });
        let secured = match self.https_listen() {
            _ if self.server.is_none() || self.flags.https.is_some() => None,
            Some(listen) if (was.https, was.http) != (reach.https, reach.http) => {
                identity.map_err(not_moved)?.map(|identity| Some((identity, listen)))
            }
            None if was.https => Some(None),
            _ => None,
        };
        let is_srt_moved = (was.srt, was.http) != (reach.srt, reach.http);
        let srt = (is_srt_moved && self.flags.srt.is_none()).then_some(self.srt_listen());
        let Some(server) = &mut self.server else { return Ok(()) };
        let addresses = server.addresses();
        // The ports stay the same, so that links stay valid.
        let listen = |open, port| Listen { or_next: false, ..ServerReach::listen(open, port) };
        let mut moved = Ok(());
        if was.http != reach.http {
            let http = addresses.http.map_or(DEFAULT_HTTP_PORT, |http| http.port());
            let webrtc = addresses.webrtc.map_or(DEFAULT_WEBRTC_PORT, |webrtc| webrtc.port());
            let webrtc = ServerReach::listen(reach.http || self.desk.meeting.is_some(), webrtc);
            moved = server.move_http(listen(reach.http, http), webrtc);
        }
        if was.rtmp != reach.rtmp && moved.is_ok() {
            moved = server.move_rtmp(listen(reach.rtmp, addresses.rtmp.port()));
        }
        if let (Some(https), true) = (secured, moved.is_ok()) {
            moved = server.set_https(https);
        }
        if let (Some(srt), true) = (srt, moved.is_ok()) {
            let present = |usual| addresses.srt.map_or(usual, |it| listen(reach.http, it.port()));
            moved = server.set_srt(srt.map(present));
        }
        if moved.is_err() {
            // A part may have moved: an open port must not be shown as closed.
            let server::Addresses { http, rtmp, https, srt, .. } = server.addresses();
            let is_open = |address: SocketAddr| !address.ip().is_loopback();
            let http = http.is_some_and(is_open);
            let (rtmp, https, srt) = (is_open(rtmp), https.is_some(), srt.is_some());
            self.reach = ServerReach { http, rtmp, https, srt };
        }
        let rtmp = self.rtmp();
        self.desk.entrance.set_address(rtmp);
        self.look_at_networks();
        moved.map_err(|error| {
            Box::new(StudioMessage::ServerNotMoved { reason: Problem::from(&error) })
        })
    }

    pub fn reach(&self) -> ServerReach {
        self.reach
    }

    fn next(&self) -> Option<String> {
        Some(self.successor.clone()).filter(|url| !url.is_empty())
    }

    /// Sets the successor server; empty means none.
    pub fn set_successor(&mut self, successor: String) {
        self.successor = successor;
        if let Some(server) = &self.server {
            server.set_successor(self.next());
        }
    }

    /// Sets the simulated faults.
    pub fn set_faults(&mut self, faults: Vec<Fault>) {
        if let Some(server) = &self.server {
            server.set_faults(faults.clone());
        }
        self.faults = faults;
    }

    /// Returns the RTMP address for this computer.
    pub fn rtmp(&self) -> Option<SocketAddr> {
        self.server.as_ref().map(|server| sharing::here(server.addresses().rtmp))
    }

    /// Returns the RTMP and HTTP addresses for this computer.
    pub fn local(&self) -> (String, String) {
        let http = self.server.as_ref().and_then(|server| server.addresses().http);
        let url = |scheme: &str, address: Option<SocketAddr>| {
            address.map(|it| format!("{scheme}://{}", sharing::here(it))).unwrap_or_default()
        };
        (url("rtmp", self.rtmp()), url("http", http))
    }

    /// Returns the address for publishing the program's own stream, with its key.
    pub fn entrance(&self) -> Option<address::BuiltInIngest<'_>> {
        self.rtmp().map(|address| address::BuiltInIngest { address, key: &self.key })
    }

    /// Returns all addresses; empty while the server does not run.
    pub fn ready(&self) -> Ready {
        let Some(server) = &self.server else { return Ready::default() };
        let addresses = server.addresses();
        // The play key is secret.
        let key = self.play_key.as_ref().map(|_| "***");
        let ShareLinks { page, hls, dash, hls_ts, rtmp, flv, whep, .. } =
            sharing::links(&self.networks, addresses, key);
        let known = |link: String| Some(link).filter(|link| !link.is_empty());
        Ready {
            rtmp: format!("rtmp://{}", addresses.rtmp),
            rtmps: addresses.rtmps.map(|rtmps| format!("rtmps://{rtmps}")),
            rtmpt: addresses.rtmpt.map(|rtmpt| format!("rtmpt://{rtmpt}")),
            http: addresses.http.map(|http| format!("http://{http}")),
            https: addresses.https.map(|https| format!("https://{https}")),
            https_fingerprint: addresses.https.and(self.https_pin).map(|pin| pin.to_string()),
            webrtc: addresses.webrtc.map(|webrtc| webrtc.to_string()),
            srt: addresses.srt.map(|srt| format!("srt://{srt}")),
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

    /// Returns the server's state for the snapshot.
    pub fn figures(&self) -> ServerFigures {
        let (rtmp, http) = self.local();
        let server = self.server.as_ref();
        let webrtc = server.and_then(|server| server.addresses().webrtc);
        let https = server.and_then(|server| server.addresses().https);
        let pin = https.and(self.https_pin);
        let key = self.play_key.as_ref().map(|key| format!("?key={}", key.expose()));
        let play_url = |address| address::play_url(address) + &key.unwrap_or_default();
        let viewers_by = server.map(Server::viewers_by_protocol).unwrap_or_default();
        ServerFigures {
            rtmp,
            http,
            https: https.map(|it| format!("https://{}", sharing::here(it))).unwrap_or_default(),
            https_fingerprint: pin.map(|pin| pin.to_string()).unwrap_or_default(),
            webrtc_port: webrtc.map(|webrtc| webrtc.port()),
            play_url: self.rtmp().map(play_url).unwrap_or_default(),
            page_url: self.links.page.clone(),
            links: Arc::clone(&self.links),
            networks: Arc::clone(&self.networks),
            reach: self.reach,
            play_key: self.needs_play_key(),
            names: self.names.clone(),
            certificate: self.security.certificate.clone(),
            srt_passphrase: self.srt_passphrase().is_some(),
            local_name: self.local_name.clone(),
            viewers: viewers_by.values().sum(),
            viewers_by,
            chat: self.chat.as_ref().map(OwnChat::view),
            chat_rules: self.chat_rules.clone(),
            faults: self.faults.clone(),
            successor: self.successor.clone(),
            meeting: self.desk.meeting.as_ref().map(|it| (it.host(), it.state())),
        }
    }

    /// Returns the number of viewers of all streams.
    pub fn viewers(&self) -> usize {
        self.server.as_ref().map_or(0, Server::viewers)
    }

    /// Returns the events of clients since the last call.
    pub fn poll(&self) -> Vec<server::Event> {
        let mut events = Vec::new();
        if let Some(server) = &self.server {
            while let Ok(event) = server.events().try_recv() {
                events.push(event);
            }
        }
        events
    }

    pub fn shutdown(&mut self) {
        self.chat = None;
        if let Some(server) = self.server.take() {
            server.shutdown(SHUTDOWN_TIMEOUT);
        }
        self.look_at_networks();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_was_not_moved_is_not_shown_as_moved() {
        let runtime = Runtime::start().unwrap();
        let mut built_in = BuiltIn::new(Serve::WhenNeeded, None, None, &Settings::default());
        built_in.start(&runtime, Clock::start()).unwrap();
        let addresses = built_in.server.as_ref().unwrap().addresses();
        let (closed, http) = (ServerReach::default(), addresses.http.unwrap());
        assert_eq!(built_in.reach(), closed);
        // Another program uses this port of another address, so all addresses are not free.
        let taken = std::net::TcpListener::bind(("127.0.0.2", http.port())).unwrap();
        built_in.set_reach(ServerReach { http: true, rtmp: true, ..closed }).unwrap_err();
        assert_eq!(built_in.reach(), closed);
        drop(taken);
        built_in.shutdown();
    }
}
