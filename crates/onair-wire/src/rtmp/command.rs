//! NetConnection and NetStream commands (RTMP 1.0, 7.2) and the Enhanced RTMP capabilities in
//! connect: reads and writes their bodies.

use std::borrow::Cow;

use bytes::Bytes;

use crate::wire::amf0::{Data, Decoder, Value, ValueRef};
use crate::wire::rtmp::message::Kind;
use crate::wire::rtmp::status::Status;

/// A received command. Its strings are borrowed from the body.
#[derive(Clone, Debug, PartialEq)]
pub struct Command<'a> {
    /// The name, without the `@` that some peers add.
    pub name: Cow<'a, str>,
    /// Transaction number; 0 if no reply is expected, or if the peer omitted it.
    pub transaction: f64,
    /// The command object, usually null.
    pub object: ValueRef<'a>,
    /// The values after the command object.
    pub arguments: Vec<ValueRef<'a>>,
    /// True if a value after the name cannot be read. This value and all following ones are
    /// missing.
    pub malformed: bool,
}

/// The body of a command has no name.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a command has no name")]
pub struct MissingName;

impl<'a> Command<'a> {
    /// Reads the body of a message of kind 20, or of kind 17, whose AMF0 body follows a zero byte.
    /// Unreadable values after the name are ignored.
    ///
    /// # Errors
    /// Fails if the body has no name.
    pub fn parse(kind: Kind, body: &'a [u8]) -> Result<Self, MissingName> {
        let mut decoder = Decoder::new(amf0_body(kind, body));
        let Ok(Some(Data::String(name))) = decoder.next_value::<Cow<'a, str>>() else {
            return Err(MissingName);
        };
        let name = match name {
            Cow::Borrowed(name) => Cow::Borrowed(name.strip_prefix('@').unwrap_or(name)),
            Cow::Owned(name) => Cow::Owned(name.trim_start_matches('@').to_owned()),
        };
        let (mut values, mut malformed) = (Vec::new(), false);
        loop {
            match decoder.next_value() {
                Ok(Some(value)) => values.push(value),
                Ok(None) => break,
                Err(_) => {
                    malformed = true;
                    break;
                }
            }
        }
        let mut values = values.into_iter();
        let transaction = values.next().and_then(|value: ValueRef<'a>| value.as_number());
        let object = values.next().unwrap_or(Data::Null);
        let arguments = values.collect();
        Ok(Self { name, transaction: transaction.unwrap_or(0.0), object, arguments, malformed })
    }

    /// Returns the string argument at an index; empty if there is none.
    pub fn text(&self, at: usize) -> &str {
        self.arguments.get(at).and_then(Data::as_str).unwrap_or_default()
    }

    /// Returns the numeric argument at an index.
    pub fn number(&self, at: usize) -> Option<f64> {
        self.arguments.get(at).and_then(Data::as_number)
    }

    /// Returns the status in an `onStatus` or a reply: the first argument that is an object,
    /// otherwise the command object.
    pub fn status(&self) -> Status {
        let mut infos = self.arguments.iter().filter(|info| info.properties().is_some());
        let info = infos.next().or(self.arguments.first()).unwrap_or(&self.object);
        Status::parse(info)
    }
}

/// Returns the AMF0 part of a command or data body. Bodies of kinds 15 and 17 begin with a zero
/// byte before it.
pub fn amf0_body(kind: Kind, body: &[u8]) -> &[u8] {
    match (kind, body) {
        (Kind::COMMAND_AMF3 | Kind::DATA_AMF3, [0, rest @ ..])
            if rest.first().is_none_or(|marker| *marker <= 0x11) =>
        {
            rest
        }
        _ => body,
    }
}

/// Makes the body of a command.
pub fn command(name: &str, transaction: f64, object: &Value, arguments: &[Value]) -> Bytes {
    let mut body = Vec::with_capacity(128);
    ValueRef::from(name).encode(&mut body);
    ValueRef::Number(transaction).encode(&mut body);
    object.encode(&mut body);
    for argument in arguments {
        argument.encode(&mut body);
    }
    body.into()
}

/// Makes the body of an `onStatus`.
pub fn on_status(status: &Status) -> Bytes {
    command("onStatus", 0.0, &Value::Null, &[status.to_value()])
}

/// Makes the body of a data message.
pub fn data(values: &[Value]) -> Bytes {
    crate::wire::amf0::encode(values).into()
}

/// The property of connect in which a relaying onair names the servers that the stream has passed,
/// or that wait for it. Other servers ignore it.
pub const RELAY_PATH_PROPERTY: &str = "onairRelayPath";

/// Contents of a client's connect command (RTMP 1.0, 7.2.1.1).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Connect {
    pub app: String,
    pub tc_url: String,
    pub flash_version: String,
    pub swf_url: String,
    pub page_url: String,
    pub enhanced: Enhanced,
    /// The unchanged command object, with all other properties.
    pub properties: Vec<(String, Value)>,
}

impl Connect {
    /// Reads the command object.
    pub fn parse<S: AsRef<str>>(object: &Data<S>) -> Self {
        let text = |name| object.get_str(name).unwrap_or_default().to_owned();
        Self {
            app: text("app"),
            tc_url: text("tcUrl"),
            flash_version: text("flashVer"),
            swf_url: text("swfUrl"),
            page_url: text("pageUrl"),
            enhanced: Enhanced::parse(object),
            properties: match object.to_value() {
                Value::Object(properties) | Value::EcmaArray(properties) => properties,
                _ => Vec::new(),
            },
        }
    }

    /// Returns true if the client identifies as an encoder, as all encoders do.
    pub fn is_publisher(&self) -> bool {
        let kind = self.properties.iter().find(|(name, _)| name == "type");
        self.flash_version.starts_with("FMLE/")
            || kind.is_some_and(|(_, kind)| kind.as_str() == Some("nonprivate"))
    }

    /// Returns the servers that the stream has passed, if the client is a relaying onair.
    pub fn relay_path(&self) -> Option<&str> {
        let path = self.properties.iter().find(|(name, _)| name == RELAY_PATH_PROPERTY);
        path.and_then(|(_, path)| path.as_str())
    }

    /// Returns the command object of a publisher, in the form of OBS and FMLE.
    pub fn publisher(app: &str, tc_url: &str, enhanced: &Enhanced) -> Value {
        let mut properties = vec![
            ("app".to_owned(), app.into()),
            ("type".to_owned(), "nonprivate".into()),
            ("flashVer".to_owned(), "FMLE/3.0 (compatible; FMSc/1.0)".into()),
            ("swfUrl".to_owned(), tc_url.into()),
            ("tcUrl".to_owned(), tc_url.into()),
        ];
        properties.extend(enhanced.to_properties());
        Value::Object(properties)
    }

    /// Returns the command object of a player.
    pub fn player(app: &str, tc_url: &str, enhanced: &Enhanced) -> Value {
        let mut properties = vec![
            ("app".to_owned(), app.into()),
            ("flashVer".to_owned(), "LNX 9,0,124,2".into()),
            ("tcUrl".to_owned(), tc_url.into()),
            ("fpad".to_owned(), false.into()),
            ("capabilities".to_owned(), 15_u32.into()),
            ("audioCodecs".to_owned(), 4_071_u32.into()),
            ("videoCodecs".to_owned(), 252_u32.into()),
            ("videoFunction".to_owned(), 1_u32.into()),
        ];
        properties.extend(enhanced.to_properties());
        Value::Object(properties)
    }
}

/// Capabilities of a peer beyond plain RTMP (Enhanced RTMP v2, "Enhancing NetConnection connect").
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Enhanced {
    /// `fourCcList`: codecs that the peer accepts; `*` means all.
    pub four_cc_list: Vec<String>,
    /// `videoFourCcInfoMap`: abilities of the peer per codec (or `*`); see [`can`].
    pub video: Vec<(String, u32)>,
    /// `audioFourCcInfoMap`: abilities of the peer per audio codec (or `*`).
    pub audio: Vec<(String, u32)>,
    /// `capsEx`; see [`caps_ex`].
    pub caps_ex: u32,
}

/// Abilities for a codec, as bits of the info maps.
pub mod can {
    pub const DECODE: u32 = 1;
    pub const ENCODE: u32 = 2;
    pub const FORWARD: u32 = 4;
}

/// Bits of `capsEx`.
pub mod caps_ex {
    pub const RECONNECT: u32 = 1;
    pub const MULTITRACK: u32 = 2;
    pub const MOD_EX: u32 = 4;
    pub const NANOSECOND_OFFSET: u32 = 8;
}

impl Enhanced {
    /// Reads the command object of connect, or the information object of its reply. Values of
    /// unexpected type are ignored.
    pub fn parse<S: AsRef<str>>(object: &Data<S>) -> Self {
        let list = object.get("fourCcList").and_then(Data::elements).unwrap_or_default();
        let map = |name| {
            let entries = object.get(name).and_then(Data::properties).unwrap_or_default();
            let entries = entries.iter().take(64);
            entries
                .filter_map(|(codec, bits)| Some((codec.as_ref().to_owned(), number(bits)?)))
                .collect()
        };
        Self {
            four_cc_list: list
                .iter()
                .take(64)
                .filter_map(Data::as_str)
                .map(str::to_owned)
                .collect(),
            video: map("videoFourCcInfoMap"),
            audio: map("audioFourCcInfoMap"),
            caps_ex: object.get("capsEx").and_then(number).unwrap_or(0),
        }
    }

    /// Returns the capabilities of a relay that forwards any codec unchanged.
    pub fn forwards_all() -> Self {
        Self {
            four_cc_list: vec!["*".to_owned()],
            video: vec![("*".to_owned(), can::FORWARD)],
            audio: vec![("*".to_owned(), can::FORWARD)],
            caps_ex: caps_ex::RECONNECT
                | caps_ex::MULTITRACK
                | caps_ex::MOD_EX
                | caps_ex::NANOSECOND_OFFSET,
        }
    }

    /// Returns the capabilities that onair's player declares: it accepts any codec, names H.264 and
    /// AAC as decodable, and supports tracks, time offsets and reconnect requests.
    pub fn plays() -> Self {
        Self::forwards_and(can::DECODE)
    }

    /// Returns the capabilities that onair's publisher declares: it encodes H.264 and AAC, forwards
    /// any codec, and supports tracks, time offsets and reconnect requests.
    pub fn publishes() -> Self {
        Self::forwards_and(can::ENCODE)
    }

    /// Returns the capabilities of a relay that also has this ability for H.264 and AAC.
    fn forwards_and(ability: u32) -> Self {
        let own = |codec: &str| {
            vec![(codec.to_owned(), ability | can::FORWARD), ("*".to_owned(), can::FORWARD)]
        };
        Self { video: own("avc1"), audio: own("mp4a"), ..Self::forwards_all() }
    }

    /// Returns true if the peer declared no capabilities.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the abilities of the peer for a codec, as bits of [`can`].
    pub fn abilities(&self, four_cc: &str) -> u32 {
        let maps = self.video.iter().chain(&self.audio);
        let listed = self.four_cc_list.iter().any(|codec| codec == four_cc || codec == "*");
        maps.filter(|(codec, _)| codec == four_cc || codec == "*")
            .fold(if listed { can::DECODE } else { 0 }, |all, (_, bits)| all | bits)
    }

    /// Converts the capabilities to properties of an object.
    pub fn to_properties(&self) -> Vec<(String, Value)> {
        let mut properties = Vec::new();
        let map = |entries: &[(String, u32)]| {
            Value::Object(
                entries.iter().map(|(codec, bits)| (codec.clone(), (*bits).into())).collect(),
            )
        };
        if !self.four_cc_list.is_empty() {
            let list = self.four_cc_list.iter().map(|codec| codec.as_str().into()).collect();
            properties.push(("fourCcList".to_owned(), Value::StrictArray(list)));
        }
        if !self.video.is_empty() {
            properties.push(("videoFourCcInfoMap".to_owned(), map(&self.video)));
        }
        if !self.audio.is_empty() {
            properties.push(("audioFourCcInfoMap".to_owned(), map(&self.audio)));
        }
        if self.caps_ex != 0 {
            properties.push(("capsEx".to_owned(), self.caps_ex.into()));
        }
        properties
    }
}

fn number<S: AsRef<str>>(value: &Data<S>) -> Option<u32> {
    // The `as` conversion saturates: hostile numbers become 0 or the largest value.
    value.as_number().map(|number| number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_come_back_and_tolerate_what_is_missing() {
        let body = command("publish", 5.0, &Value::Null, &["key".into(), "live".into()]);
        let parsed = Command::parse(Kind::COMMAND, &body).unwrap();
        assert_eq!((parsed.name.as_ref(), parsed.transaction), ("publish", 5.0));
        assert_eq!((parsed.text(0), parsed.text(1), parsed.text(2)), ("key", "live", ""));
        // Command 17: a zero byte, then AMF0.
        let mut amf3 = vec![0];
        amf3.extend_from_slice(&body);
        assert_eq!(Command::parse(Kind::COMMAND_AMF3, &amf3).unwrap(), parsed);
        assert_eq!(Command::parse(Kind::COMMAND_AMF3, &body).unwrap(), parsed);
        // Truncated within an argument, and with an @.
        let cut = Command::parse(Kind::COMMAND, &body[..body.len() - 2]).unwrap();
        assert_eq!(cut.text(0), "key");
        let aliased = command("@connect", 1.0, &Value::Null, &[]);
        assert_eq!(Command::parse(Kind::COMMAND, &aliased).unwrap().name, "connect");
        assert_eq!(Command::parse(Kind::COMMAND, &[5]), Err(MissingName));
        assert_eq!(Command::parse(Kind::COMMAND, &[]), Err(MissingName));
    }

    #[test]
    fn connect_objects_are_read_whatever_their_case() {
        let object = Value::object([("app", "live".into()), ("tcurl", "rtmp://h/live".into())]);
        let connect = Connect::parse(&object);
        assert_eq!((connect.app.as_str(), connect.tc_url.as_str()), ("live", "rtmp://h/live"));
        assert!(connect.enhanced.is_empty());
        let own = Connect::player("live", "rtmp://h/live", &Enhanced::plays());
        assert_eq!(Connect::parse(&own).enhanced, Enhanced::plays());
    }

    #[test]
    fn capabilities_come_back() {
        let all = Enhanced {
            four_cc_list: vec!["av01".into()],
            video: vec![("hvc1".into(), can::DECODE | can::FORWARD)],
            audio: vec![("*".into(), can::FORWARD)],
            caps_ex: 9,
        };
        assert_eq!(Enhanced::parse(&Value::Object(all.to_properties())), all);
        assert_eq!(all.abilities("av01"), can::DECODE | can::FORWARD);
        assert_eq!(Enhanced::parse(&Value::object([("capsEx", "x".into())])).caps_ex, 0);
    }
}
