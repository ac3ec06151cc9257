//! State machine of the server (long because one state machine is best read in one piece).

use std::collections::VecDeque;
use std::time::Duration;

use super::{Config, Error, Event, Output, Step};
use crate::base::Timestamp;
use crate::wire::amf0::{Data, Value};
use crate::wire::byte_block::ByteBlock;
use crate::wire::rtmp::chunk::Limits;
use crate::wire::rtmp::command::{self, Command, Connect, caps_ex};
use crate::wire::rtmp::connection::{
    ACK_WINDOW_BYTES, Connection, ConnectionEvent, Input, Script, is_media, parts, script,
};
use crate::wire::rtmp::message::{Control, Kind, Message, UserControl};
use crate::wire::rtmp::status::{Level, Status, code};
use crate::wire::rtmp::stream_name::StreamName;
use crate::wire::rtmp::{Time, handshake};

/// Maximum number of bytes of buffered input while a decision is pending.
const MAX_HELD_BYTES: usize = 256 << 10;
/// Maximum number of message streams that a client may create.
const MAX_STREAMS: u32 = 16;

#[derive(Debug)]
enum State {
    Handshake(handshake::Server),
    /// connect has not arrived.
    Greeted,
    /// The client neither publishes nor plays.
    Connected,
    /// The caller must decide.
    Deciding(ClientRequest),
    Publishing,
    Playing,
    /// The client was rejected, or the session was closed.
    Closing,
    /// An error was returned.
    Over,
}

/// A request of the client, with the transaction to answer.
#[derive(Copy, Clone, Debug, PartialEq)]
enum ClientRequest {
    Connect { transaction: f64 },
    Publish,
    Play,
}

/// A server's session with one client. See the [module](super).
#[derive(Debug)]
pub struct Session {
    config: Config,
    state: State,
    link: Connection,
    connect: Connect,
    /// Number of message streams created so far.
    streams: u32,
    /// The message stream that publishes or plays.
    stream: u32,
    /// Name of the stream that is published or played.
    name: StreamName,
    /// True if the client plays a recording.
    is_recorded: bool,
    held: Vec<u8>,
    now: Timestamp,
    deadline: Option<Timestamp>,
    events: VecDeque<Event>,
    finished: bool,
}

impl Session {
    /// Creates a session that waits for a client. `seed` should be different for each session.
    pub fn new(config: Config, now: Timestamp, seed: u64) -> Self {
        let limits = Limits { message: config.first_message_limit, ..Limits::default() };
        let deadline = Some(now + config.handshake_timeout);
        Self {
            config,
            state: State::Handshake(handshake::Server::new(seed)),
            link: Connection::new(limits),
            connect: Connect::default(),
            streams: 0,
            stream: 1,
            name: StreamName::default(),
            is_recorded: false,
            held: Vec::new(),
            now,
            deadline,
            events: VecDeque::new(),
            finished: false,
        }
    }

    /// Handles bytes from the client.
    ///
    /// # Errors
    /// Fails when the session ends, with the cause.
    pub fn handle_input(&mut self, now: Timestamp, input: &[u8]) -> Result<(), Error> {
        self.now = now;
        let result = self.take_input(input);
        self.note(result)
    }

    /// Works like [`Session::handle_input`], but for a block that bodies may share. The whole block
    /// is read, unless the session ends.
    ///
    /// # Errors
    /// Fails when the session ends, with the cause.
    pub fn handle_block(&mut self, now: Timestamp, block: ByteBlock<'_>) -> Result<(), Error> {
        self.now = now;
        let result = self.take_input(block);
        self.note(result)
    }

    /// Checks the deadline.
    ///
    /// # Errors
    /// Fails if the client has not continued in time.
    pub fn handle_timeout(&mut self, now: Timestamp) -> Result<(), Error> {
        self.now = now;
        match self.deadline {
            Some(at) if now >= at => {
                let error = match self.state {
                    State::Handshake(_) => Error::HandshakeTimeout,
                    _ => Error::CommandTimeout,
                };
                self.note(Err(error))
            }
            _ => Ok(()),
        }
    }

    /// Gives the client its full time for the next step again, from `from` on. A caller that does
    /// not read must not time out the client.
    pub fn restart_deadline(&mut self, from: Timestamp) {
        let timeout = match self.state {
            State::Handshake(_) => self.config.handshake_timeout,
            _ => self.config.command_timeout,
        };
        self.deadline = self.deadline.map(|_| from + timeout);
    }

    /// Returns the next action.
    pub fn poll_output(&mut self) -> Output {
        if let Some(event) = self.events.pop_front() {
            return Output::Event(event);
        }
        if let Some(bytes) = self.link.out.next_slice() {
            return Output::Transmit(bytes);
        }
        if matches!(self.state, State::Closing) && !self.finished {
            self.finished = true;
            return Output::Event(Event::Finished);
        }
        match self.deadline {
            Some(at) => Output::Timeout(at),
            None => Output::Idle,
        }
    }

    /// Accepts the connection.
    ///
    /// # Errors
    /// Fails if input that arrived during the decision ends the session.
    pub fn accept_connect(&mut self) -> Result<(), Error> {
        let State::Deciding(ClientRequest::Connect { transaction }) = self.state else {
            return Ok(());
        };
        self.state = State::Connected;
        self.link.tell_window(ACK_WINDOW_BYTES);
        self.link.control(Control::SetPeerBandwidth { window: ACK_WINDOW_BYTES });
        self.link.out.set_chunk_size(self.config.chunk_size);
        let server = Value::object([
            ("fmsVer", "FMS/3,5,7,7009".into()),
            ("capabilities", 31_u32.into()),
            ("mode", 1_u32.into()),
        ]);
        let status = Status::new(Level::Status, code::CONNECT_SUCCESS, "Connection succeeded.");
        let mut info = status.to_value();
        if let Value::Object(properties) = &mut info {
            properties.push(("objectEncoding".to_owned(), 0_u32.into()));
            if !self.connect.enhanced.is_empty() {
                properties.extend(self.config.enhanced.to_properties());
            }
        }
        self.link.command(0, command::command("_result", transaction, &server, &[info]));
        self.wait(self.config.command_timeout);
        self.resume()
    }

    /// Rejects the connection, with a status such as [`code::CONNECT_REJECTED`].
    pub fn reject_connect(&mut self, status: &Status) {
        self.refuse_connect(&status.to_value());
    }

    /// Redirects the client, by a rejection with the address in `ex.redirect`.
    pub fn redirect_connect(&mut self, url: &str) {
        let ex = Value::object([("code", 302_u32.into()), ("redirect", url.into())]);
        let (level, code) = ("error".into(), code::CONNECT_REJECTED.into());
        self.refuse_connect(&Value::object([("level", level), ("code", code), ("ex", ex)]));
    }

    fn refuse_connect(&mut self, info: &Value) {
        if let State::Deciding(ClientRequest::Connect { transaction }) = self.state {
            let info = std::slice::from_ref(info);
            self.link.command(0, command::command("_error", transaction, &Value::Null, info));
            self.close();
        }
    }

    /// Accepts the client as a publisher.
    ///
    /// # Errors
    /// Fails if input that arrived during the decision ends the session.
    pub fn accept_publish(&mut self) -> Result<(), Error> {
        if !matches!(self.state, State::Deciding(ClientRequest::Publish)) {
            return Ok(());
        }
        self.start(State::Publishing);
        self.status(code::PUBLISH_START, "Publishing.");
        self.resume()
    }

    /// Rejects the publisher. The session ends after this message.
    pub fn reject_publish(&mut self, status: &Status) {
        if matches!(self.state, State::Deciding(ClientRequest::Publish)) {
            self.link.command(self.stream, command::on_status(status));
            self.close();
        }
    }

    /// Accepts the client as a player. The caller then sends metadata and media.
    ///
    /// # Errors
    /// Fails if input that arrived during the decision ends the session.
    pub fn accept_play(&mut self) -> Result<(), Error> {
        if !matches!(self.state, State::Deciding(ClientRequest::Play)) {
            return Ok(());
        }
        self.start(State::Playing);
        if self.is_recorded {
            self.link.user_control(&UserControl::StreamIsRecorded(self.stream));
        }
        self.link.user_control(&UserControl::StreamBegin(self.stream));
        self.status(code::PLAY_RESET, "Playing and resetting.");
        self.status(code::PLAY_START, "Started playing.");
        let access = ["|RtmpSampleAccess".into(), true.into(), true.into()];
        self.link.data(self.stream, Time(0), &access);
        // No onStatus with NetStream.Data.Start: players do not need it, and FFmpeg interprets it as
        // a stream with an unknown codec and warns.
        self.resume()
    }

    /// Accepts the client as the player of a recording, in which it may seek.
    ///
    /// # Errors
    /// Fails with the same errors as [`Session::accept_play`].
    pub fn accept_recorded(&mut self) -> Result<(), Error> {
        self.is_recorded = true;
        self.accept_play()
    }

    /// Continues a recording at another position, after [`Event::SeekRequested`].
    pub fn accept_seek(&mut self) {
        if self.is_playing() {
            self.link.user_control(&UserControl::StreamEof(self.stream));
            self.link.user_control(&UserControl::StreamIsRecorded(self.stream));
            self.link.user_control(&UserControl::StreamBegin(self.stream));
            self.status(code::SEEK_NOTIFY, "Seeking.");
            self.status(code::PLAY_START, "Started playing.");
        }
    }

    /// Reports the end of a recording of this duration in seconds. The player stays connected and may seek.
    pub fn complete_play(&mut self, seconds: f64) {
        if self.is_playing() {
            let info = [
                ("level", "status".into()),
                ("code", code::PLAY_COMPLETE.into()),
                ("duration", Value::Number(seconds)),
                ("bytes", 0_u32.into()),
            ];
            let data = ["onPlayStatus".into(), Value::object(info)];
            self.link.data(self.stream, Time(0), &data);
            self.link.user_control(&UserControl::StreamEof(self.stream));
            self.status(code::PLAY_STOP, "The recording has ended.");
        }
    }

    /// Rejects the player; the session ends after this message.
    pub fn reject_play(&mut self, status: &Status) {
        if matches!(self.state, State::Deciding(ClientRequest::Play)) {
            self.link.command(self.stream, command::on_status(status));
            self.close();
        }
    }

    /// Reports to the player that the publisher is gone. The player stays connected and may get
    /// media again.
    pub fn end_play(&mut self) {
        if self.is_playing() {
            self.link.user_control(&UserControl::StreamEof(self.stream));
            self.status(code::PLAY_UNPUBLISHED, "The stream is no longer published.");
        }
    }

    /// Reports to the player that there is a publisher again.
    pub fn resume_play(&mut self) {
        if self.is_playing() {
            self.link.user_control(&UserControl::StreamBegin(self.stream));
            self.status(code::PLAY_PUBLISHED, "The stream is published.");
        }
    }

    /// Returns the contents of the client's connect command.
    pub fn connect(&self) -> &Connect {
        &self.connect
    }

    /// Sends a status to the client, on its message stream.
    pub fn send_status(&mut self, status: &Status) {
        self.link.command(self.stream, command::on_status(status));
    }

    /// Requests that the client connect again, perhaps to another address (Enhanced RTMP).
    pub fn request_reconnect(&mut self, tc_url: Option<&str>, description: &str) {
        let mut info = Status::new(Level::Status, code::RECONNECT_REQUEST, description).to_value();
        if let (Value::Object(properties), Some(tc_url)) = (&mut info, tc_url) {
            properties.push(("tcUrl".to_owned(), tc_url.into()));
        }
        self.link.command(0, command::command("onStatus", 0.0, &Value::Null, &[info]));
    }

    /// Returns true if the client declared support for [`Session::request_reconnect`] in connect.
    pub fn reconnects_on_request(&self) -> bool {
        self.connect.enhanced.caps_ex & caps_ex::RECONNECT != 0
    }

    /// Returns true if the client declared support for multitrack bodies in connect.
    pub fn takes_tracks(&self) -> bool {
        self.connect.enhanced.caps_ex & caps_ex::MULTITRACK != 0
    }

    /// Returns true if the client declared in connect that it plays or forwards this codec.
    pub fn takes_codec(&self, four_cc: &str) -> bool {
        self.connect.enhanced.abilities(four_cc) != 0
    }

    /// Sends a ping, to which [`Event::Pong`] is the reply.
    pub fn ping(&mut self, time_ms: u32) {
        self.link.user_control(&UserControl::PingRequest(time_ms));
    }

    /// Closes the session: sends queued data, then returns [`Event::Finished`]. Further input is
    /// ignored.
    pub fn close(&mut self) {
        if !matches!(self.state, State::Over) {
            self.state = State::Closing;
            self.deadline = None;
            self.held = Vec::new();
        }
    }

    /// Sets whether received data is acknowledged; some servers never do that.
    pub fn set_acknowledging(&mut self, acknowledges: bool) {
        self.link.acknowledges = acknowledges;
    }

    /// Returns the progress of the client towards publishing, or `None` if the client plays or is
    /// done.
    pub fn step(&self) -> Option<Step> {
        match self.state {
            State::Handshake(_) => Some(Step::Handshake),
            State::Greeted | State::Deciding(ClientRequest::Connect { .. }) => Some(Step::Connect),
            State::Connected => Some(Step::Connected),
            State::Deciding(ClientRequest::Publish) => Some(Step::Publish),
            State::Publishing => Some(Step::Publishing),
            State::Deciding(ClientRequest::Play)
            | State::Playing
            | State::Closing
            | State::Over => None,
        }
    }

    /// Returns true if the client publishes.
    pub fn is_publishing(&self) -> bool {
        matches!(self.state, State::Publishing)
    }

    /// Returns true if the client plays.
    pub fn is_playing(&self) -> bool {
        matches!(self.state, State::Playing)
    }

    /// Returns the message stream that publishes or plays, which is 1 for nearly all clients.
    pub fn message_stream(&self) -> u32 {
        self.stream
    }

    /// Returns the number of bytes that wait for [`Session::poll_output`].
    pub fn queued_bytes(&self) -> usize {
        self.link.out.queued_bytes()
    }

    fn note(&mut self, result: Result<(), Error>) -> Result<(), Error> {
        if result.is_err() {
            self.state = State::Over;
            self.deadline = None;
            self.held = Vec::new();
        }
        result
    }

    fn start(&mut self, state: State) {
        self.state = state;
        self.deadline = None;
        self.link.reader.set_message_limit(self.config.message_limit);
    }

    /// Continues reading after a decision.
    fn resume(&mut self) -> Result<(), Error> {
        let held = std::mem::take(&mut self.held);
        let result = self.take_input(held.as_slice());
        self.note(result)
    }

    fn wait(&mut self, timeout: Duration) {
        self.deadline = Some(self.now + timeout);
    }

    fn take_input(&mut self, mut input: impl Input) -> Result<(), Error> {
        match &mut self.state {
            State::Over => return Err(Error::Over),
            State::Closing => return Ok(()),
            State::Handshake(handshake) => {
                if !input.with(|input| handshake.read(input, self.link.out.raw()))? {
                    return Ok(());
                }
                self.state = State::Greeted;
                self.wait(self.config.command_timeout);
            }
            _ => {}
        }
        loop {
            if matches!(self.state, State::Closing) {
                return Ok(());
            }
            if matches!(self.state, State::Deciding(_)) {
                if self.held.len() + input.bytes().len() > MAX_HELD_BYTES {
                    return Err(Error::Impatient);
                }
                let count = input.bytes().len();
                self.held.extend_from_slice(input.bytes());
                input.pass(count);
                return Ok(());
            }
            let Some(message) = self.link.read(&mut input)? else { break };
            self.handle_message(message);
        }
        self.link.acknowledge();
        if self.link.out.is_flooded() { Err(Error::Flooded) } else { Ok(()) }
    }

    fn handle_message(&mut self, message: Message) {
        let is_published = self.is_publishing() && !self.is_other_stream(message.stream);
        match message.kind {
            Kind::COMMAND | Kind::COMMAND_AMF3 => self.handle_command(&message),
            Kind::DATA | Kind::DATA_AMF3 if is_published => self.handle_data(&message),
            kind if is_media(kind) => {
                if is_published {
                    self.handle_media(message);
                }
            }
            _ => match self.link.handle_control(&message) {
                Some(ConnectionEvent::Acknowledged { bytes }) => {
                    self.events.push_back(Event::Acknowledged { bytes });
                }
                Some(ConnectionEvent::User(UserControl::PingResponse(time_ms))) => {
                    self.events.push_back(Event::Pong { time_ms });
                }
                Some(ConnectionEvent::User(UserControl::SetBufferLength { millis, .. })) => {
                    self.events.push_back(Event::BufferLength { millis });
                }
                Some(ConnectionEvent::User(_)) | None => {}
            },
        }
    }

    /// Returns true for another message stream of the client than the one that publishes or plays.
    /// Some clients use 0 or a wrong id.
    fn is_other_stream(&self, stream: u32) -> bool {
        let created = 1..=self.streams;
        stream != self.stream && created.contains(&stream) && created.contains(&self.stream)
    }

    fn handle_media(&mut self, message: Message) {
        for part in parts(message).filter(|part| !part.body.is_empty()) {
            let time_ms = part.time.0;
            match part.kind {
                Kind::VIDEO => self.events.push_back(Event::Video { time_ms, body: part.body }),
                Kind::AUDIO => self.events.push_back(Event::Audio { time_ms, body: part.body }),
                Kind::DATA | Kind::DATA_AMF3 => self.handle_data(&part),
                _ => {}
            }
        }
    }

    fn handle_data(&mut self, message: &Message) {
        let time_ms = message.time.0;
        match script(message) {
            Script::Metadata { value, body } => {
                self.events.push_back(Event::Metadata { time_ms, value, body });
            }
            Script::Other { name, body } => {
                self.events.push_back(Event::Data { time_ms, name, body });
            }
            Script::Status(_) | Script::Nothing => {}
        }
    }

    fn handle_command(&mut self, message: &Message) {
        let Ok(command) = Command::parse(message.kind, &message.body) else { return };
        let transaction = command.transaction;
        if matches!(self.state, State::Greeted) {
            if command.name == "connect" {
                self.state = State::Deciding(ClientRequest::Connect { transaction });
                if command.malformed || command.object.properties().is_none() {
                    let text = "The connect command cannot be read.";
                    self.reject_connect(&Status::new(Level::Error, code::CONNECT_REJECTED, text));
                    return;
                }
                self.connect = Connect::parse(&command.object);
                let connect = Box::new(self.connect.clone());
                self.events.push_back(Event::ConnectRequested(connect));
                self.deadline = None;
            }
            return;
        }
        match command.name.as_ref() {
            "createStream" => {
                self.streams = (self.streams + 1).min(MAX_STREAMS);
                self.reply(transaction, &[self.streams.into()]);
            }
            "releaseStream" | "FCUnpublish" | "_checkbw" => {
                self.reply(transaction, &[Value::Undefined]);
                let (is_end, name) = (command.name == "FCUnpublish", command.text(0));
                if is_end && self.is_publishing() && (name.is_empty() || self.is_named(name)) {
                    self.stop();
                }
            }
            "getStreamLength" => self.reply(transaction, &[0_u32.into()]),
            "FCPublish" | "FCSubscribe" => {
                self.reply(transaction, &[Value::Undefined]);
                let (name, status) = match command.name.as_ref() {
                    "FCPublish" => ("onFCPublish", code::PUBLISH_START),
                    _ => ("onFCSubscribe", code::PLAY_START),
                };
                let info = Value::object([("code", status.into()), ("description", "".into())]);
                self.link.command(0, command::command(name, 0.0, &Value::Null, &[info]));
            }
            "publish" => {
                // publish(false) stops publishing.
                if command.arguments.first() == Some(&Data::Boolean(false)) {
                    if !self.is_other_stream(message.stream) {
                        self.stop();
                    }
                    return;
                }
                let kind = command.text(1).to_owned();
                if self.handle_request(message, &command, ClientRequest::Publish) {
                    let name = self.name.clone();
                    self.events.push_back(Event::PublishRequested { name, kind });
                }
            }
            "play" => {
                let start = command.number(1).unwrap_or(-2.0);
                let duration = command.number(2).unwrap_or_default();
                let reset = command.arguments.get(3) == Some(&Data::Boolean(true));
                if self.handle_request(message, &command, ClientRequest::Play) {
                    let name = self.name.clone();
                    self.events.push_back(Event::PlayRequested { name, start, duration, reset });
                }
            }
            // Some clients send no stream id.
            "deleteStream"
                if command.number(0).is_none_or(|id| !self.is_other_stream(id as u32)) =>
            {
                self.stop();
            }
            "closeStream" if !self.is_other_stream(message.stream) => self.stop(),
            "pause" | "pauseRaw" if self.is_playing() => {
                let paused = command.arguments.first().and_then(Data::as_bool).unwrap_or(false);
                let code = match paused {
                    true => "NetStream.Pause.Notify",
                    false => "NetStream.Unpause.Notify",
                };
                self.status(code, "");
                self.events.push_back(Event::Paused(paused));
            }
            "receiveAudio" | "receiveVideo" if self.is_playing() => {
                let wanted = command.arguments.first().and_then(Data::as_bool).unwrap_or(true);
                self.events.push_back(match command.name.as_ref() {
                    "receiveAudio" => Event::ReceiveAudio(wanted),
                    _ => Event::ReceiveVideo(wanted),
                });
            }
            "seek" if self.is_playing() && self.is_recorded => {
                let millis = command.number(0).unwrap_or_default().clamp(0.0, f64::from(u32::MAX));
                self.events.push_back(Event::SeekRequested { millis: millis as u32 });
            }
            "seek" if self.is_playing() => {
                let status = Status::new(Level::Error, code::SEEK_FAILED, "This is live.");
                self.link.command(self.stream, command::on_status(&status));
            }
            _ => {}
        }
    }

    /// Returns true if the client means the stream that is published or played.
    fn is_named(&self, name: &str) -> bool {
        let Connect { tc_url, app, .. } = &self.connect;
        StreamName::resolve(tc_url, app, name).stream == self.name.stream
    }

    /// Records a request to publish or play. Returns false if the name is invalid.
    fn handle_request(
        &mut self,
        message: &Message,
        command: &Command<'_>,
        request: ClientRequest,
    ) -> bool {
        self.stop();
        self.is_recorded = false;
        self.stream = if message.stream == 0 { 1 } else { message.stream };
        self.name = StreamName::resolve(&self.connect.tc_url, &self.connect.app, command.text(0));
        if !self.name.is_plain() {
            let (code, text) = match request {
                ClientRequest::Play => (code::PLAY_NOT_FOUND, "This is no stream's name."),
                _ => (code::PUBLISH_BAD_NAME, "This is no stream's name."),
            };
            self.link
                .command(self.stream, command::on_status(&Status::new(Level::Error, code, text)));
            self.close();
            return false;
        }
        self.state = State::Deciding(request);
        self.deadline = None;
        true
    }

    /// Handles the end of publishing or playing.
    fn stop(&mut self) {
        match self.state {
            State::Publishing => {
                self.status(code::UNPUBLISH_SUCCESS, "Unpublished.");
                self.events.push_back(Event::Unpublished);
            }
            State::Playing => self.events.push_back(Event::PlayStopped),
            _ => return,
        }
        self.state = State::Connected;
        self.link.reader.set_message_limit(self.config.first_message_limit);
        self.wait(self.config.command_timeout);
    }

    fn status(&mut self, code: &str, text: &str) {
        let described = match text {
            "" => self.name.stream.clone(),
            text => text.to_owned(),
        };
        let status = Status::new(Level::Status, code, described);
        self.link.command(self.stream, command::on_status(&status));
    }

    fn reply(&mut self, transaction: f64, arguments: &[Value]) {
        let body = command::command("_result", transaction, &Value::Null, arguments);
        self.link.command(0, body);
    }
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};

    use super::*;
    use crate::wire::rtmp::chunk::Writer;
    use crate::wire::rtmp::message::chunk_stream;

    /// Returns messages, each with its message stream, as a client sends them.
    fn written<const N: usize>(messages: [(u32, Kind, Bytes); N]) -> Vec<u8> {
        let (mut writer, mut bytes) = (Writer::new(), Vec::new());
        for (stream, kind, body) in messages {
            let (chunk_stream, time) = (chunk_stream::COMMAND, Time(0));
            let message = Message { chunk_stream, kind, stream, time, body };
            writer.write(&message, &mut bytes);
        }
        bytes
    }

    #[test]
    fn messages_of_the_clients_other_stream_are_ignored() {
        let mut session = Session::new(Config::default(), Timestamp::ZERO, 1);
        session.connect.app = "live".to_owned();
        session.name = StreamName::resolve("", "live", "second?token=1");
        session.state = State::Publishing;
        (session.streams, session.stream) = (2, 2);
        let audio = |byte| Bytes::from(vec![0xAF, 1, byte]);
        let say = |name, arguments: &[Value]| command::command(name, 0.0, &Value::Null, arguments);
        let data = Bytes::from(crate::wire::amf0::encode(&[Value::from("onCue"), Value::Null]));
        let first = written([
            (1, Kind::AUDIO, audio(1)),
            (2, Kind::AUDIO, audio(2)),
            (1, Kind::DATA, data),
            (1, Kind::COMMAND, say("closeStream", &[])),
            (1, Kind::COMMAND, say("publish", &[false.into()])),
            (0, Kind::COMMAND, say("FCUnpublish", &["first".into()])),
            (0, Kind::COMMAND, say("deleteStream", &[1_u32.into()])),
            // Some clients use a wrong id.
            (0, Kind::AUDIO, audio(3)),
            (7, Kind::AUDIO, audio(4)),
            (0, Kind::COMMAND, say("FCUnpublish", &["second".into()])),
        ]);
        session.handle_input(Timestamp::ZERO, &first).unwrap();
        let sent = [2, 3, 4].map(|byte| Event::Audio { time_ms: 0, body: audio(byte) });
        let expected: Vec<_> = sent.into_iter().chain([Event::Unpublished]).collect();
        assert_eq!(session.events, expected);
    }

    #[test]
    fn bytes_after_a_request_are_taken_from_their_block() {
        let mut session = Session::new(Config::default(), Timestamp::ZERO, 1);
        session.connect.app = "live".to_owned();
        session.state = State::Publishing;
        // The publisher changes to another name, and does not wait for the answer.
        let arguments: [Value; 2] = ["show".into(), "live".into()];
        let publish = command::command("publish", 5.0, &Value::Null, &arguments);
        let audio = Bytes::from_static(&[0xAF, 1, 7]);
        let bytes = written([(1, Kind::COMMAND, publish), (1, Kind::AUDIO, audio.clone())]);
        let mut block = BytesMut::from(&bytes[..]);
        session.handle_block(Timestamp::ZERO, ByteBlock::new(&mut block)).unwrap();
        assert!(block.is_empty(), "the next read must not read them again");
        session.accept_publish().unwrap();
        let received = Event::Audio { time_ms: 0, body: audio };
        assert_eq!(session.events.iter().filter(|event| **event == received).count(), 1);
    }
}
