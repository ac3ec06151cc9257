//! Code that client and server sessions share: their output type, and protocol control
//! (acknowledgements, window sizes, pings).

use bytes::Bytes;

use super::Time;
use crate::base::Timestamp;
use crate::wire::amf0::{self, Decoder, Value, ValueRef};
use crate::wire::byte_block::ByteBlock;
use crate::wire::rtmp::chunk::{Limits, Reader};
use crate::wire::rtmp::message::{
    Control, Kind, Message, UserControl, chunk_stream, split_aggregate,
};
use crate::wire::rtmp::send_queue::SendQueue;
use crate::wire::rtmp::{chunk, command};

/// The next action of a session. Call the session again after each action, until `Timeout` or
/// `Idle`.
#[derive(Clone, Debug, PartialEq)]
pub enum Output<E> {
    /// Send these bytes, then call again. On a slow link, the session chooses the next bytes only
    /// at that time.
    Transmit(Bytes),
    /// An event.
    Event(E),
    /// Nothing to do now. Call `handle_timeout` at this time, if no input arrives before then.
    Timeout(Timestamp),
    /// Nothing to do until input arrives or something is sent.
    Idle,
}

/// The requested window in bytes. It is FFmpeg's value, which every server supports.
pub(super) const ACK_WINDOW_BYTES: u32 = 2_500_000;

/// Both directions of a connection after the handshake.
#[derive(Debug, Default)]
pub(super) struct Connection {
    pub(super) reader: Reader,
    pub(super) out: SendQueue,
    /// Number of received chunk bytes.
    received: u64,
    /// Number of received bytes that were acknowledged to the peer.
    acknowledged: u64,
    /// False if no bytes are acknowledged.
    pub(super) acknowledges: bool,
    /// Acknowledgement window of the peer: it expects an acknowledgement within this many bytes.
    window: Option<u32>,
    /// The last window that was announced to the peer.
    announced_window: Option<u32>,
    /// Bytes that the peer has acknowledged, without wrap-around.
    peer_acknowledged: u64,
}

/// Input bytes, which are a plain slice that is copied, or a block that bodies may share.
pub(super) trait Input {
    /// Returns the remaining bytes.
    fn bytes(&self) -> &[u8];
    /// Skips this many bytes.
    fn pass(&mut self, count: usize);
    /// Reads the next whole message.
    fn next_message(&mut self, reader: &mut Reader) -> Result<Option<Message>, chunk::Error>;

    /// Lets `act` take bytes from the front.
    fn with<T>(&mut self, act: impl FnOnce(&mut &[u8]) -> T) -> T {
        let mut rest = self.bytes();
        let before = rest.len();
        let result = act(&mut rest);
        let taken = before - rest.len();
        self.pass(taken);
        result
    }
}

impl Input for &[u8] {
    fn bytes(&self) -> &[u8] {
        self
    }

    fn pass(&mut self, count: usize) {
        *self = self.get(count..).unwrap_or_default();
    }

    fn next_message(&mut self, reader: &mut Reader) -> Result<Option<Message>, chunk::Error> {
        reader.read(self)
    }
}

impl Input for ByteBlock<'_> {
    fn bytes(&self) -> &[u8] {
        self.as_slice()
    }

    fn pass(&mut self, count: usize) {
        self.advance(count);
    }

    fn next_message(&mut self, reader: &mut Reader) -> Result<Option<Message>, chunk::Error> {
        reader.read_block(self)
    }
}

/// Effect of a control message on a session.
pub(super) enum ConnectionEvent {
    Acknowledged { bytes: u64 },
    User(UserControl),
}

/// Content of a data message.
pub(super) enum Script {
    Metadata {
        value: Value,
        body: Bytes,
    },
    Status(crate::wire::rtmp::status::Status),
    /// Other data. `body` is AMF0 and begins with the name.
    Other {
        name: String,
        body: Bytes,
    },
    /// The message is unreadable or irrelevant.
    Nothing,
}

impl Connection {
    pub(super) fn new(limits: Limits) -> Self {
        Self { reader: Reader::new(limits), acknowledges: true, ..Self::default() }
    }

    /// Reads the next whole message in `input`.
    pub(super) fn read(&mut self, input: &mut impl Input) -> Result<Option<Message>, chunk::Error> {
        let before = input.bytes().len();
        let message = input.next_message(&mut self.reader);
        self.received += (before - input.bytes().len()) as u64;
        message
    }

    /// Sends an acknowledgement after half the peer's window, because some senders stop when the
    /// whole window is used.
    pub(super) fn acknowledge(&mut self) {
        let Some(window) = self.window.filter(|_| self.acknowledges) else { return };
        if self.received - self.acknowledged >= u64::from(window / 2).max(1) {
            self.acknowledged = self.received;
            // The counter in the protocol wraps.
            self.control(Control::Acknowledgement(self.received as u32));
        }
    }

    pub(super) fn control(&mut self, control: Control) {
        self.out.push_control(control.message());
    }

    pub(super) fn user_control(&mut self, control: &UserControl) {
        self.out.push_control(control.message());
    }

    /// Announces the acknowledgement window to the peer.
    pub(super) fn tell_window(&mut self, window: u32) {
        self.announced_window = Some(window);
        self.control(Control::WindowAcknowledgementSize(window));
    }

    pub(super) fn command(&mut self, stream: u32, body: Bytes) {
        self.out.push_control(Message {
            chunk_stream: chunk_stream::COMMAND,
            kind: Kind::COMMAND,
            stream,
            time: Time(0),
            body,
        });
    }

    pub(super) fn data(&mut self, stream: u32, time: Time, values: &[Value]) {
        self.out.push_control(Message {
            chunk_stream: chunk_stream::DATA,
            kind: Kind::DATA,
            stream,
            time,
            body: command::data(values),
        });
    }

    /// Sends a data message whose AMF0 body is complete.
    pub(super) fn script(&mut self, stream: u32, time: Time, body: Bytes) {
        let (chunk_stream, kind) = (chunk_stream::DATA, Kind::DATA);
        self.out.push_control(Message { chunk_stream, kind, stream, time, body });
    }

    pub(super) fn media(&mut self, kind: Kind, stream: u32, time_ms: u32, body: Bytes) {
        let chunk_stream = match kind {
            Kind::AUDIO => chunk_stream::AUDIO,
            _ => chunk_stream::VIDEO,
        };
        let time = Time(time_ms);
        self.out.push_media(Message { chunk_stream, kind, stream, time, body });
    }

    /// Handles a message of kinds 1 to 6.
    pub(super) fn handle_control(&mut self, message: &Message) -> Option<ConnectionEvent> {
        if message.kind == Kind::USER_CONTROL {
            let control = UserControl::parse(&message.body)?;
            if let UserControl::PingRequest(time) = control {
                self.user_control(&UserControl::PingResponse(time));
            }
            return Some(ConnectionEvent::User(control));
        }
        match Control::parse(message.kind, &message.body)? {
            Control::Acknowledgement(bytes) => {
                let more = bytes.wrapping_sub(self.peer_acknowledged as u32);
                self.peer_acknowledged += u64::from(more);
                Some(ConnectionEvent::Acknowledged { bytes: self.peer_acknowledged })
            }
            Control::WindowAcknowledgementSize(size) => {
                self.window = Some(size).filter(|size| *size > 0);
                None
            }
            Control::SetPeerBandwidth { window } => {
                if self.announced_window != Some(window) && window > 0 {
                    self.tell_window(window);
                }
                None
            }
            // The reader has already applied these.
            Control::SetChunkSize(_) | Control::Abort { .. } => None,
        }
    }
}

/// Returns true if a message is audio or video, alone or in an aggregate.
pub(super) fn is_media(kind: Kind) -> bool {
    matches!(kind, Kind::AUDIO | Kind::VIDEO | Kind::AGGREGATE)
}

/// Returns the parts of an aggregate, or the message itself.
pub(super) fn parts(message: Message) -> impl Iterator<Item = Message> {
    let (one, many) = match message.kind {
        Kind::AGGREGATE => (None, Some(split_aggregate(&message))),
        _ => (Some(message), None),
    };
    one.into_iter().chain(many.into_iter().flatten())
}

/// Reads a data message. Data that is not AMF0 (such as time codes) is ignored.
pub(super) fn script(message: &Message) -> Script {
    let body = command::amf0_body(message.kind, &message.body);
    let mut decoder = Decoder::new(body);
    let mut next_text = || match decoder.next_value::<std::borrow::Cow<'_, str>>() {
        Ok(Some(ValueRef::String(text))) => Some((text, decoder.rest().len())),
        _ => None,
    };
    let Some((mut name, mut rest)) = next_text() else { return Script::Nothing };
    let mut from = message.body.len() - body.len();
    if name == "@setDataFrame" {
        from = message.body.len() - rest;
        let Some(inner) = next_text() else { return Script::Nothing };
        (name, rest) = inner;
    }
    let value_at = message.body.len() - rest;
    let value = |most| {
        let value = message.body.get(value_at..).unwrap_or_default();
        amf0::decode_one(value, most).map(|(value, _)| value)
    };
    let name = name.strip_prefix('@').unwrap_or(&name);
    match name {
        // The metadata of a recording may have an index of its keyframes.
        "onMetaData" => match value(amf0::MAX_METADATA_VALUES) {
            Ok(value) => Script::Metadata { value, body: message.body.slice(from..) },
            Err(_) => Script::Nothing,
        },
        "onStatus" => match value(amf0::MAX_VALUES) {
            Ok(value) => Script::Status(crate::wire::rtmp::status::Status::parse(&value)),
            Err(_) => Script::Nothing,
        },
        "|RtmpSampleAccess" => Script::Nothing,
        name => Script::Other { name: name.to_owned(), body: message.body.slice(from..) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledgements_that_were_off_continue() {
        let mut link = Connection::new(Limits::default());
        (link.window, link.received, link.acknowledges) = (Some(100), 100, false);
        link.acknowledge();
        assert_eq!(link.out.queued_bytes(), 0);
        link.acknowledges = true;
        link.acknowledge();
        assert!(link.out.queued_bytes() > 0);
    }

    #[test]
    fn metadata_with_a_long_index_of_keyframes_is_read() {
        let list = || Value::StrictArray(vec![Value::Number(1.0); 3_600]);
        let index = Value::object([("filepositions", list()), ("times", list())]);
        let metadata = [("duration", Value::Number(7_200.0)), ("keyframes", index)];
        let values = ["onMetaData".into(), Value::ecma_array(metadata)];
        let (chunk_stream, kind, time) = (chunk_stream::DATA, Kind::DATA, Time(0));
        let body = command::data(&values);
        let message = Message { chunk_stream, kind, stream: 1, time, body };
        let Script::Metadata { value, .. } = script(&message) else { panic!("not read") };
        assert_eq!(value.get_number("duration"), Some(7_200.0));
    }
}
