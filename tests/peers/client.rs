//! onair's client session on a blocking socket. A test controls every byte that it sends to a
//! server.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpStream;

use bytes::Bytes;
use onair::base::{Clock, Timestamp};
use onair::media::BitsPerSecond;
use onair::wire::container::flv::TagKind;
use onair::wire::rtmp::client::{Config, Event, Output, Session};
use onair::wire::rtmp::url::Url;

use super::LIMIT;

/// A client session on a blocking socket with a time limit.
pub struct Client {
    socket: TcpStream,
    pub session: Session,
    clock: Clock,
    events: VecDeque<Event>,
    pub failed: Option<String>,
}

impl Client {
    /// Connects a client that publishes.
    pub fn publish(url: &str) -> Self {
        let url = Url::parse(url).unwrap();
        let mut client = Self::new(Config::publish(url, BitsPerSecond(50_000_000)));
        client.wait("the start of publishing", |event| *event == Event::PublishStarted);
        client
    }

    /// Connects a client that plays.
    pub fn play(url: &str) -> Self {
        let mut client = Self::new(Config::play(Url::parse(url).unwrap()));
        client.wait("the start of playing", |event| *event == Event::PlayStarted);
        client
    }

    pub fn new(config: Config) -> Self {
        let socket = TcpStream::connect((config.url.host.as_str(), config.url.port)).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        let clock = Clock::start();
        let session = Session::new(config, clock.now(), 7);
        Self { socket, session, clock, events: VecDeque::new(), failed: None }
    }

    /// Sends the output of the session.
    pub fn pump(&mut self) {
        loop {
            match self.session.poll_output() {
                Output::Transmit(bytes) => {
                    if let Err(error) = self.socket.write_all(&bytes) {
                        self.failed = Some(error.to_string());
                        return;
                    }
                }
                Output::Event(event) => self.events.push_back(event),
                Output::Timeout(_) | Output::Idle => return,
            }
        }
    }

    /// Returns the next event, or `None` at the end of the connection.
    pub fn next(&mut self) -> Option<Event> {
        let mut buffer = vec![0; 65_536];
        loop {
            self.pump();
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            if self.failed.is_some() {
                return None;
            }
            match self.socket.read(&mut buffer) {
                Ok(0) => self.failed = Some("closed".into()),
                Ok(length) => {
                    let now: Timestamp = self.clock.now();
                    if let Err(error) = self.session.handle_input(now, &buffer[..length]) {
                        self.pump();
                        self.failed = Some(error.to_string());
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => self.failed = Some(error.to_string()),
            }
        }
    }

    pub fn wait(&mut self, what: &str, wanted: impl Fn(&Event) -> bool) -> Event {
        loop {
            let event = self.next();
            let event = event.unwrap_or_else(|| panic!("no {what}: {:?}", self.failed));
            if wanted(&event) {
                return event;
            }
        }
    }

    /// Returns the next media: kind, time and body.
    pub fn media(&mut self) -> (TagKind, u32, Bytes) {
        loop {
            match self.next() {
                Some(Event::Video { time_ms, body }) => return (TagKind::Video, time_ms, body),
                Some(Event::Audio { time_ms, body }) => return (TagKind::Audio, time_ms, body),
                Some(_) => {}
                None => panic!("no media: {:?}", self.failed),
            }
        }
    }

    pub fn send(&mut self, (kind, time_ms, body): &(TagKind, u32, Bytes)) {
        match kind {
            TagKind::Video => drop(self.session.send_video(*time_ms, body.clone())),
            _ => drop(self.session.send_audio(*time_ms, body.clone())),
        }
        self.pump();
    }
}
