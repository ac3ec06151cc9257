//! Messages between chunks and sessions: kinds, protocol control (RTMP 1.0, 5.4), user control
//! (7.1.7) and aggregates (7.1.6).

use bytes::Bytes;

use super::Time;

/// The message type id (RTMP 1.0, 5.4 and 7.1). Unknown ids are passed on, not rejected.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Kind(pub u8);

impl Kind {
    pub const SET_CHUNK_SIZE: Self = Self(1);
    pub const ABORT: Self = Self(2);
    pub const ACKNOWLEDGEMENT: Self = Self(3);
    pub const USER_CONTROL: Self = Self(4);
    pub const WINDOW_ACKNOWLEDGEMENT_SIZE: Self = Self(5);
    pub const SET_PEER_BANDWIDTH: Self = Self(6);
    pub const AUDIO: Self = Self(8);
    pub const VIDEO: Self = Self(9);
    pub const DATA_AMF3: Self = Self(15);
    pub const COMMAND_AMF3: Self = Self(17);
    pub const DATA: Self = Self(18);
    pub const COMMAND: Self = Self(20);
    pub const AGGREGATE: Self = Self(22);
}

/// A whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The chunk stream of the message: 2 to 65,599.
    pub chunk_stream: u32,
    pub kind: Kind,
    /// The message stream; 0 is the connection itself.
    pub stream: u32,
    pub time: Time,
    pub body: Bytes,
}

/// Chunk streams for sending. Peers may use any, but most expect these.
pub mod chunk_stream {
    /// Protocol control and user control messages.
    pub const CONTROL: u32 = 2;
    /// Commands.
    pub const COMMAND: u32 = 3;
    /// Audio.
    pub const AUDIO: u32 = 4;
    /// Metadata and other data.
    pub const DATA: u32 = 5;
    /// Frames.
    pub const VIDEO: u32 = 6;
    /// Metadata and other data in messages that are encoded once for all viewers. A separate chunk
    /// stream, because the session compresses headers relative to its own messages on a chunk stream.
    pub const SHARED_DATA: u32 = 7;
}

/// The limit type "dynamic" of a bandwidth limit (RTMP 1.0, 5.4.5).
const DYNAMIC_LIMIT_TYPE: u8 = 2;

/// A protocol control message (RTMP 1.0, 5.4).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// The sender's new chunk size in bytes.
    SetChunkSize(u32),
    /// The rest of the current message on this chunk stream will not arrive.
    Abort { chunk_stream: u32 },
    /// Number of bytes received so far, modulo 2^32.
    Acknowledgement(u32),
    /// The sender wants an acknowledgement after this many bytes.
    WindowAcknowledgementSize(u32),
    /// Number of unacknowledged bytes that the receiver may send.
    SetPeerBandwidth { window: u32 },
}

impl Control {
    /// Reads a message of kind 1, 2, 3, 5 or 6. Returns `None` for other kinds and for truncated
    /// bodies.
    pub fn parse(kind: Kind, body: &[u8]) -> Option<Self> {
        let value = u32::from_be_bytes(*body.first_chunk()?);
        Some(match kind {
            Kind::SET_CHUNK_SIZE => Self::SetChunkSize(value),
            Kind::ABORT => Self::Abort { chunk_stream: value },
            Kind::ACKNOWLEDGEMENT => Self::Acknowledgement(value),
            Kind::WINDOW_ACKNOWLEDGEMENT_SIZE => Self::WindowAcknowledgementSize(value),
            Kind::SET_PEER_BANDWIDTH => Self::SetPeerBandwidth { window: value },
            _ => return None,
        })
    }

    /// Makes a message on the control chunk stream.
    pub fn message(self) -> Message {
        let (kind, value, last) = match self {
            Self::SetChunkSize(size) => (Kind::SET_CHUNK_SIZE, size, None),
            Self::Abort { chunk_stream } => (Kind::ABORT, chunk_stream, None),
            Self::Acknowledgement(bytes) => (Kind::ACKNOWLEDGEMENT, bytes, None),
            Self::WindowAcknowledgementSize(size) => {
                (Kind::WINDOW_ACKNOWLEDGEMENT_SIZE, size, None)
            }
            Self::SetPeerBandwidth { window } => {
                (Kind::SET_PEER_BANDWIDTH, window, Some(DYNAMIC_LIMIT_TYPE))
            }
        };
        let body = value.to_be_bytes().into_iter().chain(last).collect();
        control(kind, body)
    }
}

/// A user control message (RTMP 1.0, 7.1.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserControl {
    StreamBegin(u32),
    StreamEof(u32),
    StreamDry(u32),
    SetBufferLength {
        stream: u32,
        millis: u32,
    },
    StreamIsRecorded(u32),
    PingRequest(u32),
    PingResponse(u32),
    /// Another event, such as one that Flash Media Server added, with its number.
    Other(u16),
}

impl UserControl {
    /// Reads the body of a message of kind 4. A missing stream id (seen with events 31 and 32) is
    /// read as 0. Returns `None` only if even the event number is missing.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let (event, rest) = body.split_first_chunk::<2>()?;
        let (first, rest) = word(rest);
        let (second, _) = word(rest);
        Some(match u16::from_be_bytes(*event) {
            0 => Self::StreamBegin(first),
            1 => Self::StreamEof(first),
            2 => Self::StreamDry(first),
            3 => Self::SetBufferLength { stream: first, millis: second },
            4 => Self::StreamIsRecorded(first),
            6 => Self::PingRequest(first),
            7 => Self::PingResponse(first),
            other => Self::Other(other),
        })
    }

    /// Makes a message on the control chunk stream.
    pub fn message(&self) -> Message {
        let (event, first, second) = match *self {
            Self::StreamBegin(stream) => (0, Some(stream), None),
            Self::StreamEof(stream) => (1, Some(stream), None),
            Self::StreamDry(stream) => (2, Some(stream), None),
            Self::SetBufferLength { stream, millis } => (3, Some(stream), Some(millis)),
            Self::StreamIsRecorded(stream) => (4, Some(stream), None),
            Self::PingRequest(time) => (6, Some(time), None),
            Self::PingResponse(time) => (7, Some(time), None),
            Self::Other(event) => (event, None, None),
        };
        let words = first.into_iter().chain(second).flat_map(u32::to_be_bytes);
        control(Kind::USER_CONTROL, event.to_be_bytes().into_iter().chain(words).collect())
    }
}

fn word(bytes: &[u8]) -> (u32, &[u8]) {
    match bytes.split_first_chunk::<4>() {
        Some((word, rest)) => (u32::from_be_bytes(*word), rest),
        None => (0, &[]),
    }
}

fn control(kind: Kind, body: Bytes) -> Message {
    Message { chunk_stream: chunk_stream::CONTROL, kind, stream: 0, time: Time(0), body }
}

/// Returns the messages inside an aggregate. Their times are shifted so that the first one has the
/// time of the aggregate. The iterator ends at the first part that is truncated or itself an
/// aggregate.
pub fn split_aggregate(aggregate: &Message) -> impl Iterator<Item = Message> + use<> {
    let mut rest = aggregate.body.clone();
    let (stream, chunk_stream, base) = (aggregate.stream, aggregate.chunk_stream, aggregate.time);
    let mut first: Option<Time> = None;
    std::iter::from_fn(move || {
        let header = rest.first_chunk::<11>()?;
        let [kind, l0, l1, l2, t0, t1, t2, t3, ..] = *header;
        let length = u32::from_be_bytes([0, l0, l1, l2]) as usize;
        let time = Time(u32::from_be_bytes([t3, t0, t1, t2]));
        let kind = Kind(kind);
        if kind == Kind::AGGREGATE || rest.len() < 11 + length {
            rest.clear();
            return None;
        }
        let start = *first.get_or_insert(time);
        let body = rest.slice(11..11 + length);
        // A back pointer of 4 bytes follows the body; some peers omit it at the end.
        rest = rest.slice((11 + length + 4).min(rest.len())..);
        let time = base.plus(time.since(start).cast_unsigned());
        Some(Message { chunk_stream, kind, stream, time, body })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_messages_come_back() {
        for control in [
            Control::SetChunkSize(4_096),
            Control::Abort { chunk_stream: 7 },
            Control::Acknowledgement(u32::MAX),
            Control::WindowAcknowledgementSize(2_500_000),
            Control::SetPeerBandwidth { window: 5 },
        ] {
            let message = control.message();
            assert_eq!(Control::parse(message.kind, &message.body), Some(control));
            assert_eq!(message.chunk_stream, chunk_stream::CONTROL);
        }
        assert_eq!(Control::parse(Kind::SET_CHUNK_SIZE, &[0, 0, 1]), None);
        assert_eq!(Control::parse(Kind::AUDIO, &[0; 4]), None);
    }

    #[test]
    fn user_control_messages_come_back() {
        for control in [
            UserControl::StreamBegin(1),
            UserControl::StreamEof(1),
            UserControl::StreamDry(9),
            UserControl::SetBufferLength { stream: 1, millis: 300 },
            UserControl::StreamIsRecorded(1),
            UserControl::PingRequest(77),
            UserControl::PingResponse(77),
            UserControl::Other(99),
        ] {
            assert_eq!(UserControl::parse(&control.message().body), Some(control));
        }
        assert_eq!(UserControl::parse(&[0, 31]), Some(UserControl::Other(31)));
        assert_eq!(UserControl::parse(&[0]), None);
    }

    #[test]
    fn aggregates_come_apart_and_do_not_nest() {
        let mut body = Vec::new();
        for (kind, time, payload) in
            [(9, 1_000_u32, b"video"), (8, 1_023, b"audio"), (22, 0, b"nestd")]
        {
            let [t3, t0, t1, t2] = time.to_be_bytes();
            body.extend([kind, 0, 0, 5, t0, t1, t2, t3, 0, 0, 0]);
            body.extend(payload);
            body.extend(16_u32.to_be_bytes());
        }
        let aggregate = Message {
            chunk_stream: 6,
            kind: Kind::AGGREGATE,
            stream: 1,
            time: Time(50),
            body: body.clone().into(),
        };
        let parts: Vec<_> =
            split_aggregate(&aggregate).map(|part| (part.kind, part.time.0)).collect();
        assert_eq!(parts, [(Kind::VIDEO, 50), (Kind::AUDIO, 73)]);
        let short = Message { body: body.get(..20).unwrap().to_vec().into(), ..aggregate };
        assert_eq!(split_aggregate(&short).count(), 1);
        assert_eq!(split_aggregate(&Message { body: vec![9; 15].into(), ..short }).count(), 0);
    }
}
