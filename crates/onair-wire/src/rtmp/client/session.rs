//! State machine of the client (long because one state machine is best read in one piece).

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::{ClientStage, Config, Error, Event, Output, Purpose, Refused};
use crate::base::Timestamp;
use crate::media::BitsPerSecond;
use crate::wire::amf0::{Data, Value};
use crate::wire::byte_block::ByteBlock;
use crate::wire::rtmp::auth::Challenge;
use crate::wire::rtmp::chunk::Limits;
use crate::wire::rtmp::command::{self, Command, Connect, Enhanced, RELAY_PATH_PROPERTY};
use crate::wire::rtmp::connection::{
    ACK_WINDOW_BYTES, Connection, ConnectionEvent, Input, Script, is_media, parts, script,
};
use crate::wire::rtmp::message::{Kind, Message, UserControl};
use crate::wire::rtmp::status::{Refusal, Status, code};
use crate::wire::rtmp::url::Url;
use crate::wire::rtmp::{Time, handshake};

/// Transaction numbers of commands. Each command is sent once.
mod transaction {
    pub(super) const CONNECT: f64 = 1.0;
    pub(super) const RELEASE_STREAM: f64 = 2.0;
    pub(super) const FC_PUBLISH: f64 = 3.0;
    pub(super) const CREATE_STREAM: f64 = 4.0;
    pub(super) const START: f64 = 5.0;
    pub(super) const FC_UNPUBLISH: f64 = 6.0;
    pub(super) const DELETE_STREAM: f64 = 7.0;
}

/// Chunk size for an unknown bitrate, the same as in OBS.
const CHUNK_SIZE: u32 = 4_096;

#[derive(Debug)]
enum State {
    Handshake(handshake::Client),
    /// connect was sent.
    Connecting,
    /// createStream was sent.
    Creating,
    /// publish or play was sent.
    Starting,
    /// Media is flowing.
    Started,
    /// An error was returned.
    Over,
}

/// Progress of closing.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Closing {
    No,
    /// Close was requested, and media may still be queued.
    Asked,
    /// The last commands are queued.
    Queued,
    Finished,
}

/// A client's session. See the [module](super).
#[derive(Debug)]
pub struct Session {
    config: Config,
    state: State,
    link: Connection,
    /// The message stream id from the server.
    stream: u32,
    /// Time of the last sent media.
    time: Time,
    deadline: Option<(Timestamp, Duration)>,
    events: VecDeque<Event>,
    closing: Closing,
    /// True if the played stream has ended and has not begun again.
    ended: bool,
}

impl Session {
    /// Starts a session, whose first output is the handshake. `seed` should be different for each
    /// session.
    pub fn new(config: Config, now: Timestamp, seed: u64) -> Self {
        let (handshake, hello) = if config.digests {
            handshake::Client::with_digests(seed)
        } else {
            handshake::Client::new(seed)
        };
        let mut link = Connection::new(Limits::default());
        link.out.raw().extend_from_slice(&hello);
        let timeout = config.handshake_timeout;
        Self {
            config,
            state: State::Handshake(handshake),
            link,
            stream: 0,
            time: Time(0),
            deadline: Some((now + timeout, timeout)),
            events: VecDeque::new(),
            closing: Closing::No,
            ended: false,
        }
    }

    /// Handles bytes from the server.
    ///
    /// # Errors
    /// Fails when the session ends, with the cause.
    pub fn handle_input(&mut self, now: Timestamp, input: &[u8]) -> Result<(), Error> {
        let result = self.take_input(now, input);
        self.note(result)
    }

    /// Works like [`Session::handle_input`], but for a block that bodies may share. The whole block
    /// is read, unless the session ends.
    ///
    /// # Errors
    /// Fails when the session ends, with the cause.
    pub fn handle_block(&mut self, now: Timestamp, block: ByteBlock<'_>) -> Result<(), Error> {
        let result = self.take_input(now, block);
        self.note(result)
    }

    fn note(&mut self, result: Result<(), Error>) -> Result<(), Error> {
        if result.is_err() {
            self.state = State::Over;
            self.deadline = None;
        }
        result
    }

    /// Checks the deadline.
    ///
    /// # Errors
    /// Fails if the server has not answered in time.
    pub fn handle_timeout(&mut self, now: Timestamp) -> Result<(), Error> {
        match self.deadline {
            Some((at, after)) if now >= at => {
                let stage = self.stage();
                self.note(Err(Error::Timeout { stage, after }))
            }
            _ => Ok(()),
        }
    }

    /// Returns the next event. This function is for times when nothing can be sent.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Returns the time for the next call of [`Session::handle_timeout`].
    pub fn deadline(&self) -> Option<Timestamp> {
        self.deadline.map(|(at, _)| at)
    }

    /// Returns the next action.
    pub fn poll_output(&mut self) -> Output {
        if let Some(event) = self.poll_event() {
            return Output::Event(event);
        }
        loop {
            if let Some(bytes) = self.link.out.next_slice() {
                return Output::Transmit(bytes);
            }
            match self.closing {
                Closing::Asked => {
                    self.say_goodbye();
                    self.closing = Closing::Queued;
                }
                Closing::Queued => {
                    self.closing = Closing::Finished;
                    return Output::Event(Event::Finished);
                }
                Closing::No | Closing::Finished => break,
            }
        }
        match self.deadline {
            Some((at, _)) => Output::Timeout(at),
            None => Output::Idle,
        }
    }

    /// Queues a frame (an FLV tag body). Returns false if publishing has not begun or has ended.
    pub fn send_video(&mut self, time_ms: u32, body: Bytes) -> bool {
        self.send_media(Kind::VIDEO, time_ms, body)
    }

    /// Queues audio (an FLV tag body). Returns false if publishing has not begun or has ended.
    pub fn send_audio(&mut self, time_ms: u32, body: Bytes) -> bool {
        self.send_media(Kind::AUDIO, time_ms, body)
    }

    /// Queues `@setDataFrame onMetaData` at the time of the last media. Returns false if publishing
    /// has not begun or has ended.
    pub fn send_metadata(&mut self, metadata: Value) -> bool {
        let may = self.may_send();
        if may {
            let values = ["@setDataFrame".into(), "onMetaData".into(), metadata];
            self.link.data(self.stream, self.time, &values);
        }
        may
    }

    /// Queues a data message unchanged, for relays: `body` is AMF0 from the name on. Metadata is
    /// sent as `@setDataFrame`. Returns false if publishing has not begun or has ended.
    pub fn send_script(&mut self, time_ms: u32, body: &Bytes, is_metadata: bool) -> bool {
        let may = self.may_send();
        if may {
            let body = match is_metadata {
                true => [&command::data(&["@setDataFrame".into()])[..], body].concat().into(),
                false => body.clone(),
            };
            self.link.script(self.stream, Time(time_ms), body);
        }
        may
    }

    /// Closes cleanly: sends queued data, then FCUnpublish and deleteStream, then returns
    /// [`Event::Finished`].
    pub fn close(&mut self) {
        if self.closing == Closing::No {
            self.closing = Closing::Asked;
            self.deadline = None;
        }
    }

    /// Drops queued media whose first chunk is not sent, in order to close at once or to catch up.
    pub fn discard_queued_media(&mut self) {
        self.link.out.discard_media();
    }

    /// Sets the measured link rate, from which the slice size follows. Audio then waits at most 20
    /// ms behind a frame, if the caller also observes [`Session::unsent_limit`].
    pub fn set_link_rate(&mut self, rate: BitsPerSecond) {
        self.link.out.set_rate(rate);
    }

    /// Returns the maximum number of unsent bytes in the system's buffer before the caller adds
    /// more, because audio cannot overtake the bytes in that buffer. Returns `None` if the link
    /// rate is unknown.
    pub fn unsent_limit(&self) -> Option<u32> {
        self.link.out.unsent_limit()
    }

    /// Returns true if media may be sent or received.
    pub fn is_started(&self) -> bool {
        matches!(self.state, State::Started)
    }

    /// Returns the number of bytes that wait for [`Session::poll_output`].
    pub fn queued_bytes(&self) -> usize {
        self.link.out.queued_bytes()
    }

    /// Returns the outgoing chunk size.
    pub fn chunk_size(&self) -> u32 {
        self.link.out.chunk_size()
    }

    /// Returns the current stage.
    pub fn stage(&self) -> ClientStage {
        match (&self.state, self.config.purpose) {
            (State::Handshake(_), _) => ClientStage::Handshake,
            (State::Connecting, _) => ClientStage::Connect,
            (State::Creating | State::Starting, Purpose::Publish) => ClientStage::Publish,
            (State::Creating | State::Starting, Purpose::Play) => ClientStage::Play,
            (State::Started | State::Over, _) => ClientStage::Media,
        }
    }

    fn may_send(&self) -> bool {
        self.is_started() && self.closing == Closing::No && self.config.purpose == Purpose::Publish
    }

    fn send_media(&mut self, kind: Kind, time_ms: u32, body: Bytes) -> bool {
        let may = self.may_send();
        if may {
            self.time = Time(time_ms);
            self.link.media(kind, self.stream, time_ms, body);
        }
        may
    }

    fn take_input(&mut self, now: Timestamp, mut input: impl Input) -> Result<(), Error> {
        if let State::Handshake(handshake) = &mut self.state {
            if !input.with(|input| handshake.read(input, self.link.out.raw()))? {
                return Ok(());
            }
            self.events.push_back(Event::HandshakeDone);
            self.deadline = Some((now + self.config.command_timeout, self.config.command_timeout));
            self.state = State::Connecting;
            self.say_connect();
        }
        if matches!(self.state, State::Over) {
            return Err(Error::Over);
        }
        while let Some(message) = self.link.read(&mut input)? {
            self.handle_message(message)?;
        }
        self.link.acknowledge();
        if self.link.out.is_flooded() { Err(Error::Flooded) } else { Ok(()) }
    }

    fn handle_message(&mut self, message: Message) -> Result<(), Error> {
        match message.kind {
            Kind::COMMAND | Kind::COMMAND_AMF3 => self.handle_command(&message),
            Kind::DATA | Kind::DATA_AMF3 => self.handle_data(&message),
            kind if is_media(kind) => self.handle_media(message),
            _ => {
                if let Some(noted) = self.link.handle_control(&message) {
                    self.handle_noted(&noted);
                }
                Ok(())
            }
        }
    }

    fn handle_noted(&mut self, noted: &ConnectionEvent) {
        // Stream 0 is the connection itself; some servers send StreamBegin for it after connect.
        let ours = |stream: u32| stream != 0 && self.config.purpose == Purpose::Play;
        let event = match *noted {
            ConnectionEvent::Acknowledged { bytes } => Event::Acknowledged { bytes },
            ConnectionEvent::User(UserControl::StreamBegin(stream)) if ours(stream) => {
                Event::StreamBegin
            }
            ConnectionEvent::User(UserControl::StreamEof(stream)) if ours(stream) => {
                Event::StreamEof
            }
            ConnectionEvent::User(UserControl::StreamDry(stream)) if ours(stream) => {
                Event::StreamDry
            }
            ConnectionEvent::User(UserControl::StreamIsRecorded(stream)) if ours(stream) => {
                Event::StreamIsRecorded
            }
            ConnectionEvent::User(_) => return,
        };
        self.events.push_back(event);
    }

    fn handle_media(&mut self, message: Message) -> Result<(), Error> {
        let playing = matches!(self.state, State::Starting | State::Started);
        if self.config.purpose != Purpose::Play || !playing {
            return Ok(());
        }
        self.started();
        for part in parts(message).filter(|part| !part.body.is_empty()) {
            let time_ms = part.time.0;
            match part.kind {
                Kind::VIDEO => self.events.push_back(Event::Video { time_ms, body: part.body }),
                Kind::AUDIO => self.events.push_back(Event::Audio { time_ms, body: part.body }),
                Kind::DATA | Kind::DATA_AMF3 => self.handle_data(&part)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn handle_data(&mut self, message: &Message) -> Result<(), Error> {
        let time_ms = message.time.0;
        match script(message) {
            Script::Status(status) => return self.handle_status(status, None, None),
            Script::Metadata { value, body } if self.config.purpose == Purpose::Play => {
                self.events.push_back(Event::Metadata { time_ms, value, body });
            }
            Script::Other { name, body } if self.config.purpose == Purpose::Play => {
                self.events.push_back(Event::Data { time_ms, name, body });
            }
            Script::Metadata { .. } | Script::Other { .. } | Script::Nothing => {}
        }
        Ok(())
    }

    fn handle_command(&mut self, message: &Message) -> Result<(), Error> {
        let Ok(command) = Command::parse(message.kind, &message.body) else { return Ok(()) };
        match command.name.as_ref() {
            "_result" => self.handle_result(&command),
            "_error" => self.handle_error(&command),
            "onStatus" => {
                let tc_url = command.arguments.iter().find_map(|info| info.get_str("tcUrl"));
                let tc_url = tc_url.map(str::to_owned);
                self.handle_status(command.status(), tc_url, Some(&command))
            }
            // Wowza measures bandwidth and waits for the reply.
            "_onbwcheck" => {
                let reply = command::command("_result", command.transaction, &Value::Null, &[]);
                self.link.command(0, reply);
                Ok(())
            }
            "close" => {
                let status = Status::parse(&Value::Null);
                Err(self.refused(Refusal::Closed, status, None))
            }
            // onBWDone, onFCPublish, onFCSubscribe and other messages of servers need no reply.
            _ => Ok(()),
        }
    }

    fn handle_result(&mut self, command: &Command<'_>) -> Result<(), Error> {
        match self.state {
            State::Connecting if command.transaction == transaction::CONNECT => {
                let status = command.status();
                if let Some(refusal) = status.refusal() {
                    return Err(self.refused(refusal, status, Some(command)));
                }
                let enhanced = match command.arguments.first() {
                    Some(info) => Enhanced::parse(info),
                    None => Enhanced::default(),
                };
                let object = Enhanced::parse(&command.object);
                let server = command.object.get_str("fmsVer").unwrap_or_default().to_owned();
                let enhanced = if enhanced.is_empty() { object } else { enhanced };
                self.events.push_back(Event::Connected { server, enhanced });
                self.state = State::Creating;
                self.say_create_stream();
            }
            State::Creating => {
                // Replies to releaseStream and FCPublish have no number.
                let id = command.number(0).filter(|_| {
                    command.transaction != transaction::RELEASE_STREAM
                        && command.transaction != transaction::FC_PUBLISH
                });
                if let Some(id) = id {
                    self.stream = id as u32;
                    self.state = State::Starting;
                    self.say_start();
                }
            }
            State::Starting if command.transaction == transaction::START => {
                let status = command.status();
                match status.refusal() {
                    Some(refusal) => return Err(self.refused(refusal, status, Some(command))),
                    None => self.started(),
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn handle_error(&mut self, command: &Command<'_>) -> Result<(), Error> {
        let status = command.status();
        let matters = match self.state {
            State::Connecting => true,
            State::Creating => command.transaction == transaction::CREATE_STREAM,
            State::Starting => command.transaction == transaction::START,
            _ => false,
        };
        // Servers that do not know releaseStream or FCPublish report an error here, which is
        // harmless.
        if matters || status.refusal().is_some_and(|refusal| refusal != Refusal::Failed) {
            let refusal = status.refusal().unwrap_or(Refusal::Rejected);
            return Err(self.refused(refusal, status, Some(command)));
        }
        let status = self.redacted(status);
        self.events.push_back(Event::Status(status));
        Ok(())
    }

    fn handle_status(
        &mut self,
        status: Status,
        tc_url: Option<String>,
        command: Option<&Command<'_>>,
    ) -> Result<(), Error> {
        if let Some(refusal) = status.refusal() {
            return Err(self.refused(refusal, status, command));
        }
        let starting = matches!(self.state, State::Starting);
        if starting && status.level == crate::wire::rtmp::status::Level::Error {
            return Err(self.refused(Refusal::Rejected, status, None));
        }
        let status = self.redacted(status);
        self.events.push_back(Event::Status(status.clone()));
        match (status.code.as_str(), self.config.purpose) {
            (code::PUBLISH_START, Purpose::Publish) if starting => self.started(),
            (code::PLAY_START | code::PLAY_PUBLISHED, Purpose::Play) => self.started(),
            (code::RECONNECT_REQUEST, _) => {
                let description = status.description;
                self.events.push_back(Event::ReconnectRequest { tc_url, description });
            }
            (_, Purpose::Play) if status.ends_play() && !self.ended => {
                self.ended = true;
                self.events.push_back(Event::Unpublished);
            }
            _ => {}
        }
        Ok(())
    }

    fn started(&mut self) {
        self.ended = false;
        if !matches!(self.state, State::Starting) {
            return;
        }
        self.state = State::Started;
        self.deadline = None;
        self.events.push_back(match self.config.purpose {
            Purpose::Publish => Event::PublishStarted,
            Purpose::Play => Event::PlayStarted,
        });
    }

    fn say_connect(&mut self) {
        match self.config.bitrate {
            Some(rate) => self.link.out.set_rate(rate),
            None => self.link.out.set_chunk_size(CHUNK_SIZE),
        }
        let Url { app, .. } = &self.config.url;
        let with_query = |text: &str| match &self.config.auth_query {
            Some(query) if text.contains('?') => format!("{text}&{query}"),
            Some(query) => format!("{text}?{query}"),
            None => text.to_owned(),
        };
        let (app, tc_url) = (with_query(app), with_query(&self.config.url.tc_url()));
        let mut object = match self.config.purpose {
            Purpose::Publish => Connect::publisher(&app, &tc_url, &self.config.enhanced),
            Purpose::Play => Connect::player(&app, &tc_url, &self.config.enhanced),
        };
        if let (Value::Object(properties), Some(path)) = (&mut object, &self.config.relay_path) {
            properties.push((RELAY_PATH_PROPERTY.to_owned(), path.as_str().into()));
        }
        let body = command::command("connect", transaction::CONNECT, &object, &[]);
        self.link.command(0, body);
    }

    /// Sends createStream and, for publishing, releaseStream and FCPublish before it. SRS requires
    /// exactly this order, and nginx-rtmp replies only to createStream.
    fn say_create_stream(&mut self) {
        self.link.tell_window(ACK_WINDOW_BYTES);
        if self.config.purpose == Purpose::Publish {
            self.say(0, "releaseStream", transaction::RELEASE_STREAM, &[self.key()]);
            self.say(0, "FCPublish", transaction::FC_PUBLISH, &[self.key()]);
        }
        self.say(0, "createStream", transaction::CREATE_STREAM, &[]);
    }

    fn say_start(&mut self) {
        match self.config.purpose {
            Purpose::Publish => {
                let arguments = [self.key(), "live".into()];
                self.say(self.stream, "publish", transaction::START, &arguments);
            }
            Purpose::Play => {
                // Any negative start means live; FFmpeg sends this value.
                let arguments = [self.key(), Value::Number(-2_000.0)];
                self.say(self.stream, "play", transaction::START, &arguments);
                let millis = u32::try_from(self.config.buffer.as_millis()).unwrap_or(u32::MAX);
                let stream = self.stream;
                self.link.user_control(&UserControl::SetBufferLength { stream, millis });
            }
        }
    }

    /// While playing, requests a pause of a recorded stream at this position, or the end of the
    /// pause.
    pub fn pause(&mut self, paused: bool, at: Duration) {
        if self.is_started() && self.config.purpose == Purpose::Play {
            let arguments = [Value::Boolean(paused), Value::Number(at.as_millis() as f64)];
            self.say(self.stream, "pause", 0.0, &arguments);
        }
    }

    /// While playing, requests a seek in a recorded stream.
    pub fn seek(&mut self, to: Duration) {
        if self.is_started() && self.config.purpose == Purpose::Play {
            self.say(self.stream, "seek", 0.0, &[Value::Number(to.as_millis() as f64)]);
        }
    }

    fn say_goodbye(&mut self) {
        if !matches!(self.state, State::Starting | State::Started) {
            return;
        }
        if self.config.purpose == Purpose::Publish {
            self.say(0, "FCUnpublish", transaction::FC_UNPUBLISH, &[self.key()]);
        }
        let stream = Value::from(self.stream);
        self.say(0, "deleteStream", transaction::DELETE_STREAM, &[stream]);
    }

    fn say(&mut self, stream: u32, name: &str, transaction: f64, arguments: &[Value]) {
        let body = command::command(name, transaction, &Value::Null, arguments);
        self.link.command(stream, body);
    }

    fn key(&self) -> Value {
        self.config.url.stream.expose().into()
    }

    fn redacted(&self, status: Status) -> Status {
        Status { description: self.config.url.redact(&status.description), ..status }
    }

    fn refused(&self, refusal: Refusal, status: Status, command: Option<&Command<'_>>) -> Error {
        let challenge = Challenge::parse(&status.description);
        let infos = command.map(|command| command.arguments.as_slice()).unwrap_or_default();
        let redirect = infos.iter().filter_map(|info| info.get("ex")).find_map(|ex| {
            let text = ex.get("redirect").and_then(Data::as_str)?;
            Some(text.to_owned())
        });
        let refusal = if challenge.is_some() { Refusal::Unauthorized } else { refusal };
        let (stage, status) = (self.stage(), self.redacted(status));
        Error::Refused(Box::new(Refused { stage, refusal, status, challenge, redirect }))
    }
}
