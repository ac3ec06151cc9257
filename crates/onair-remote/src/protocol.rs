//! The messages of obs-websocket 5: their encodings, operation codes, statuses and close codes.

use onair_net::net::web::SocketMessage;
use serde_json::{Map, Value, json};

/// The only version of the remote procedure calls.
pub const RPC_VERSION: u64 = 1;
/// The version of obs-websocket that this room speaks.
pub const PROTOCOL_VERSION: &str = "5.5.6";
/// The version of OBS whose interface this room offers. Clients compare it.
pub const OBS_VERSION: &str = "31.0.0";

/// The operation codes.
pub mod op {
    pub const HELLO: u64 = 0;
    pub const IDENTIFY: u64 = 1;
    pub const IDENTIFIED: u64 = 2;
    pub const REIDENTIFY: u64 = 3;
    pub const EVENT: u64 = 5;
    pub const REQUEST: u64 = 6;
    pub const REQUEST_RESPONSE: u64 = 7;
    pub const BATCH: u64 = 8;
    pub const BATCH_RESPONSE: u64 = 9;
}

/// The statuses of requests.
pub mod status {
    pub const SUCCESS: u16 = 100;
    pub const MISSING_TYPE: u16 = 203;
    pub const UNKNOWN_TYPE: u16 = 204;
    pub const UNSUPPORTED_EXECUTION: u16 = 206;
    pub const NOT_READY: u16 = 207;
    pub const MISSING_FIELD: u16 = 300;
    pub const INVALID_FIELD: u16 = 400;
    pub const INVALID_FIELD_TYPE: u16 = 401;
    pub const OUT_OF_RANGE: u16 = 402;
    pub const EMPTY_FIELD: u16 = 403;
    pub const OUTPUT_RUNNING: u16 = 500;
    pub const OUTPUT_NOT_RUNNING: u16 = 501;
    pub const OUTPUT_PAUSED: u16 = 502;
    pub const OUTPUT_NOT_PAUSED: u16 = 503;
    pub const STUDIO_MODE_NOT_ACTIVE: u16 = 506;
    pub const NOT_FOUND: u16 = 600;
    pub const ALREADY_EXISTS: u16 = 601;
    pub const INVALID_STATE: u16 = 604;
    pub const INVALID_INPUT_KIND: u16 = 605;
    pub const NOT_CONFIGURABLE: u16 = 606;
    pub const ACTION_FAILED: u16 = 701;
    pub const PROCESSING_FAILED: u16 = 702;
    pub const CANNOT_ACT: u16 = 703;
}

/// The groups of events that a client can subscribe to, as bits.
pub mod subscription {
    pub const GENERAL: u32 = 1;
    pub const CONFIG: u32 = 1 << 1;
    pub const SCENES: u32 = 1 << 2;
    pub const INPUTS: u32 = 1 << 3;
    pub const TRANSITIONS: u32 = 1 << 4;
    pub const FILTERS: u32 = 1 << 5;
    pub const OUTPUTS: u32 = 1 << 6;
    pub const SCENE_ITEMS: u32 = 1 << 7;
    pub const MEDIA_INPUTS: u32 = 1 << 8;
    pub const UI: u32 = 1 << 10;
    /// All groups with few events, which are the default.
    pub const ALL: u32 = (1 << 12) - 1;
    pub const INPUT_VOLUME_METERS: u32 = 1 << 16;
    pub const INPUT_ACTIVE_STATE: u32 = 1 << 17;
    pub const INPUT_SHOW_STATE: u32 = 1 << 18;
    pub const ITEM_TRANSFORM: u32 = 1 << 19;
}

/// The reason why onair ends a connection.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum CloseReason {
    MessageDecodeError,
    MissingDataField(&'static str),
    InvalidDataFieldType(&'static str),
    InvalidDataFieldValue(&'static str),
    UnknownOpCode,
    NotIdentified,
    AlreadyIdentified,
    AuthenticationFailed,
    UnsupportedRpcVersion,
    /// The password was changed, remote control was turned off, or onair ends.
    SessionInvalidated,
    /// The client does not read.
    TooSlow,
    /// The client did not identify itself in time.
    Silent,
}

impl CloseReason {
    pub const fn code(self) -> u16 {
        match self {
            Self::MessageDecodeError => 4002,
            Self::MissingDataField(_) => 4003,
            Self::InvalidDataFieldType(_) => 4004,
            Self::InvalidDataFieldValue(_) => 4005,
            Self::UnknownOpCode => 4006,
            Self::NotIdentified | Self::Silent => 4007,
            Self::AlreadyIdentified => 4008,
            Self::AuthenticationFailed => 4009,
            Self::UnsupportedRpcVersion => 4010,
            Self::SessionInvalidated => 4011,
            Self::TooSlow => 1013,
        }
    }

    pub fn words(self) -> String {
        match self {
            Self::MessageDecodeError => {
                "The message is not an object in the encoding of this connection.".to_owned()
            }
            Self::MissingDataField(name) => format!("The message lacks the field `{name}`."),
            Self::InvalidDataFieldType(name) => format!("The field `{name}` has a wrong type."),
            Self::InvalidDataFieldValue(name) => format!("The field `{name}` has a wrong value."),
            Self::UnknownOpCode => "The operation code is unknown.".to_owned(),
            Self::NotIdentified => "Send Identify first.".to_owned(),
            Self::AlreadyIdentified => "Identify was already sent.".to_owned(),
            Self::AuthenticationFailed => "The password is wrong.".to_owned(),
            Self::UnsupportedRpcVersion => "onair supports rpcVersion 1.".to_owned(),
            Self::SessionInvalidated => "The session has ended.".to_owned(),
            Self::TooSlow => "The client reads too slowly.".to_owned(),
            Self::Silent => "The client did not identify itself in time.".to_owned(),
        }
    }
}

/// The encoding of a connection's messages.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Encoding {
    Json,
    MessagePack,
}

/// A message of a client.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    pub op: u64,
    pub data: Map<String, Value>,
}

impl Encoding {
    /// The names of the subprotocols.
    pub const SUBPROTOCOLS: [&str; 2] = ["obswebsocket.json", "obswebsocket.msgpack"];

    /// Returns the encoding of this subprotocol; JSON without one.
    pub fn of(protocol: Option<&str>) -> Self {
        match protocol {
            Some("obswebsocket.msgpack") => Self::MessagePack,
            _ => Self::Json,
        }
    }

    /// # Errors
    /// Fails if the message has another encoding or form. The connection must then end.
    pub fn decode(self, message: &SocketMessage) -> Result<Incoming, CloseReason> {
        let value: Option<Value> = match (self, message) {
            (Self::Json, SocketMessage::Text(text)) => serde_json::from_str(text).ok(),
            (Self::MessagePack, SocketMessage::Binary(bytes)) => rmp_serde::from_slice(bytes).ok(),
            _ => None,
        };
        let Some(Value::Object(mut fields)) = value else {
            return Err(CloseReason::MessageDecodeError);
        };
        let op = fields.get("op").ok_or(CloseReason::MissingDataField("op"))?;
        let op = op.as_u64().ok_or(CloseReason::InvalidDataFieldType("op"))?;
        match fields.remove("d") {
            Some(Value::Object(data)) => Ok(Incoming { op, data }),
            Some(_) => Err(CloseReason::InvalidDataFieldType("d")),
            None => Err(CloseReason::MissingDataField("d")),
        }
    }

    /// Encodes a message.
    pub fn encode(self, op: u64, data: &Value) -> SocketMessage {
        let message = json!({ "op": op, "d": data });
        match self {
            Self::Json => SocketMessage::Text(message.to_string()),
            // A JSON value has a form in MessagePack; only memory could fail.
            Self::MessagePack => {
                SocketMessage::Binary(rmp_serde::to_vec_named(&message).unwrap_or_default().into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_read_what_they_wrote() {
        for encoding in [Encoding::Json, Encoding::MessagePack] {
            let data = json!({ "name": "场景", "list": [1, -2.5, null, true] });
            let message = encoding.encode(op::EVENT, &data);
            let read = encoding.decode(&message).unwrap();
            assert_eq!((read.op, Value::Object(read.data)), (op::EVENT, data));
        }
    }

    #[test]
    fn malformed_messages_name_the_close_code_of_the_protocol() {
        let text = |text: &str| Encoding::Json.decode(&SocketMessage::Text(text.to_owned()));
        let deep = "[".repeat(100_000);
        for (message, code) in [
            ("", 4002),
            ("7", 4002),
            (&deep, 4002),
            ("{", 4002),
            ("{}", 4003),
            (r#"{"op":"1","d":{}}"#, 4004),
            (r#"{"op":-1,"d":{}}"#, 4004),
            (r#"{"op":1}"#, 4003),
            (r#"{"op":1,"d":[]}"#, 4004),
        ] {
            assert_eq!(text(message).unwrap_err().code(), code, "{}", message.len());
        }
        let binary = SocketMessage::Binary(b"{}".as_slice().into());
        assert_eq!(Encoding::Json.decode(&binary), Err(CloseReason::MessageDecodeError));
        let deep = SocketMessage::Binary(vec![0x91; 100_000].into());
        assert_eq!(Encoding::MessagePack.decode(&deep), Err(CloseReason::MessageDecodeError));
        // An array that claims to have four billion entries.
        let long = SocketMessage::Binary(vec![0xDD, 0xFF, 0xFF, 0xFF, 0xFF].into());
        assert_eq!(Encoding::MessagePack.decode(&long), Err(CloseReason::MessageDecodeError));
    }
}
