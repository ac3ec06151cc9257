//! The messages between onair and the process of a plugin: a length, a kind and fields, all
//! little-endian. Pure functions; `backend/connection` moves the bytes.
//!
//! Each side treats the other one as hostile: every length has a limit, every field is checked, and
//! a message must end where its fields end.

use crate::mix::plugin::parameter::{MAX_PARAMETERS, MAX_STATE, PluginParameter, PluginValues};
use crate::mix::plugin::trouble::{PluginDescription, Refusal};

/// Maximum length of a message.
pub(super) const MAX_MESSAGE: usize = 2 << 20;
/// Maximum length of a text. Longer texts are cut.
const MAX_TEXT: usize = 400;
/// Maximum length of a path.
const MAX_PATH: usize = 4_096;
/// Maximum number of plugins in a file.
const MAX_PLUGINS: usize = 500;

/// The plugin that a process loads.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Task {
    pub file: String,
    pub id: String,
    pub rate: u32,
    pub channels: u32,
    pub settings: Settings,
}

/// What a plugin is set to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    /// The number of these settings, which the reports of the plugin repeat.
    pub number: u64,
    /// The state to load; `None` keeps the current one, and an empty one is the default.
    pub state: Option<Vec<u8>>,
    pub values: PluginValues,
}

/// A message to the process.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Request {
    Open(Task),
    Set(Settings),
    /// Shows the plugin's own window.
    Window,
    /// Asks for a sign of life.
    Ping,
    /// Asks for the state at once, before the end.
    Save,
    /// Lists the plugins in a file.
    Scan(String),
}

/// A message from the process.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reply {
    Opened {
        name: String,
        latency: u32,
        has_window: bool,
        has_state: bool,
        parameters: Vec<PluginParameter>,
    },
    Refused(Refusal),
    /// The plugin changed its state. `number` is that of the last settings.
    Saved {
        number: u64,
        state: Vec<u8>,
        values: PluginValues,
    },
    Latency(u32),
    Alive,
    Found(Vec<PluginDescription>),
}

/// The message is not one that this program sends.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Garbage;

/// Reads fields from the start of a message.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Garbage> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Garbage)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Garbage> {
        self.take(N)?.try_into().map_err(|_| Garbage)
    }

    fn u32(&mut self) -> Result<u32, Garbage> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Garbage> {
        self.array().map(u64::from_le_bytes)
    }

    fn number(&mut self) -> Result<f64, Garbage> {
        let number = f64::from_le_bytes(self.array()?);
        if number.is_finite() { Ok(number) } else { Err(Garbage) }
    }

    fn flag(&mut self) -> Result<bool, Garbage> {
        match self.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(Garbage),
        }
    }

    fn bytes(&mut self, most: usize) -> Result<&'a [u8], Garbage> {
        let length = self.u32()? as usize;
        if length > most {
            return Err(Garbage);
        }
        self.take(length)
    }

    fn text(&mut self, most: usize) -> Result<String, Garbage> {
        let text = str::from_utf8(self.bytes(most)?).map_err(|_| Garbage)?;
        if text.contains(char::is_control) { Err(Garbage) } else { Ok(text.to_owned()) }
    }

    /// Reads a list with at most this many entries. The list grows only with data that came.
    fn list<T>(
        &mut self,
        most: usize,
        mut one: impl FnMut(&mut Self) -> Result<T, Garbage>,
    ) -> Result<Vec<T>, Garbage> {
        let count = self.u32()? as usize;
        if count > most {
            return Err(Garbage);
        }
        (0..count).map(|_| one(self)).collect()
    }

    fn values(&mut self) -> Result<PluginValues, Garbage> {
        let values = self.list(MAX_PARAMETERS, |it| Ok((it.u32()?, it.number()?)))?;
        Ok(values.into_iter().collect())
    }

    fn settings(&mut self) -> Result<Settings, Garbage> {
        let number = self.u64()?;
        let state = if self.flag()? { Some(self.bytes(MAX_STATE)?.to_vec()) } else { None };
        Ok(Settings { number, state, values: self.values()? })
    }
}

/// Writes a message.
struct Message(Vec<u8>);

impl Message {
    fn kind(kind: u8) -> Self {
        Self(vec![0, 0, 0, 0, kind])
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn bytes(self, bytes: &[u8]) -> Self {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.raw(&length.to_le_bytes()).raw(bytes)
    }

    fn flag(self, flag: bool) -> Self {
        self.raw(&[u8::from(flag)])
    }

    /// Writes a text without control characters, cut at a character.
    fn text(self, text: &str, most: usize) -> Self {
        let mut text: String = text.chars().filter(|it| !it.is_control()).take(most).collect();
        let end = (0..=text.len().min(most)).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
        self.bytes(text.as_bytes())
    }

    fn list<T>(self, list: &[T], most: usize, one: impl Fn(Self, &T) -> Self) -> Self {
        let list = list.get(..list.len().min(most)).unwrap_or_default();
        let count = u32::try_from(list.len()).unwrap_or(0);
        list.iter().fold(self.raw(&count.to_le_bytes()), one)
    }

    fn values(self, values: &PluginValues) -> Self {
        let values: Vec<(u32, f64)> =
            values.iter().map(|(id, it)| (*id, *it)).filter(|(_, it)| it.is_finite()).collect();
        self.list(&values, MAX_PARAMETERS, |message, (id, value)| {
            message.raw(&id.to_le_bytes()).raw(&value.to_le_bytes())
        })
    }

    fn settings(self, settings: &Settings) -> Self {
        let Settings { number, state, values } = settings;
        let message = self.raw(&number.to_le_bytes()).flag(state.is_some());
        match state {
            Some(state) => message.bytes(state).values(values),
            None => message.values(values),
        }
    }

    fn end(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len().saturating_sub(4)).unwrap_or(u32::MAX);
        if let Some(place) = self.0.first_chunk_mut() {
            *place = length.to_le_bytes();
        }
        self.0
    }
}

impl Request {
    /// Returns the message with its length.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Open(Task { file, id, rate, channels, settings }) => Message::kind(0)
                .text(file, MAX_PATH)
                .text(id, MAX_PATH)
                .raw(&rate.to_le_bytes())
                .raw(&channels.to_le_bytes())
                .settings(settings),
            Self::Set(settings) => Message::kind(1).settings(settings),
            Self::Window => Message::kind(2),
            Self::Ping => Message::kind(3),
            Self::Save => Message::kind(4),
            Self::Scan(file) => Message::kind(5).text(file, MAX_PATH),
        }
        .end()
    }

    /// Reads a message without its length.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Garbage> {
        let mut fields = Fields(bytes);
        let request = match fields.array()? {
            [0] => Self::Open(Task {
                file: fields.text(MAX_PATH)?,
                id: fields.text(MAX_PATH)?,
                rate: fields.u32()?,
                channels: fields.u32()?,
                settings: fields.settings()?,
            }),
            [1] => Self::Set(fields.settings()?),
            [2] => Self::Window,
            [3] => Self::Ping,
            [4] => Self::Save,
            [5] => Self::Scan(fields.text(MAX_PATH)?),
            _ => return Err(Garbage),
        };
        if fields.0.is_empty() { Ok(request) } else { Err(Garbage) }
    }
}

impl Reply {
    /// Returns the message with its length.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Opened { name, latency, has_window, has_state, parameters } => Message::kind(0)
                .text(name, MAX_TEXT)
                .raw(&latency.to_le_bytes())
                .flag(*has_window)
                .flag(*has_state)
                .list(parameters, MAX_PARAMETERS, |message, it| {
                    let numbers = [it.lowest, it.highest, it.rest, it.value];
                    let message = message.raw(&it.id.to_le_bytes()).text(&it.name, MAX_TEXT);
                    let message = message.flag(it.stepped);
                    numbers.iter().fold(message, |it, number| it.raw(&number.to_le_bytes()))
                }),
            Self::Refused(refusal) => {
                let (kind, text) = match refusal {
                    Refusal::Unloadable { reason } => (0, reason.as_str()),
                    Refusal::NotAPlugin => (1, ""),
                    Refusal::NotInFile => (2, ""),
                    Refusal::NoAudio => (3, ""),
                    Refusal::Failed { step } => (4, step.as_str()),
                };
                Message::kind(1).raw(&[kind]).text(text, MAX_TEXT)
            }
            Self::Saved { number, state, values } => {
                Message::kind(2).raw(&number.to_le_bytes()).bytes(state).values(values)
            }
            Self::Latency(latency) => Message::kind(3).raw(&latency.to_le_bytes()),
            Self::Alive => Message::kind(4),
            Self::Found(plugins) => Message::kind(5).list(plugins, MAX_PLUGINS, |message, it| {
                let texts = [&it.id, &it.name, &it.vendor, &it.version];
                texts.iter().fold(message, |it, text| it.text(text, MAX_TEXT)).flag(it.is_effect)
            }),
        }
        .end()
    }

    /// Reads a message without its length.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Garbage> {
        let mut fields = Fields(bytes);
        let reply = match fields.array()? {
            [0] => Self::Opened {
                name: fields.text(MAX_TEXT)?,
                latency: fields.u32()?,
                has_window: fields.flag()?,
                has_state: fields.flag()?,
                parameters: fields.list(MAX_PARAMETERS, |it| {
                    let (id, name, stepped) = (it.u32()?, it.text(MAX_TEXT)?, it.flag()?);
                    let (lowest, highest) = (it.number()?, it.number()?);
                    let (rest, value) = (it.number()?, it.number()?);
                    if lowest > highest {
                        return Err(Garbage);
                    }
                    Ok(PluginParameter { id, name, lowest, highest, rest, stepped, value })
                })?,
            },
            [1] => {
                let [kind] = fields.array()?;
                let text = fields.text(MAX_TEXT)?;
                Self::Refused(match kind {
                    0 => Refusal::Unloadable { reason: text },
                    1 => Refusal::NotAPlugin,
                    2 => Refusal::NotInFile,
                    3 => Refusal::NoAudio,
                    4 => Refusal::Failed { step: text },
                    _ => return Err(Garbage),
                })
            }
            [2] => {
                let (number, state) = (fields.u64()?, fields.bytes(MAX_STATE)?.to_vec());
                Self::Saved { number, state, values: fields.values()? }
            }
            [3] => Self::Latency(fields.u32()?),
            [4] => Self::Alive,
            [5] => Self::Found(fields.list(MAX_PLUGINS, |it| {
                Ok(PluginDescription {
                    id: it.text(MAX_TEXT)?,
                    name: it.text(MAX_TEXT)?,
                    vendor: it.text(MAX_TEXT)?,
                    version: it.text(MAX_TEXT)?,
                    is_effect: it.flag()?,
                })
            })?),
            _ => return Err(Garbage),
        };
        if fields.0.is_empty() { Ok(reply) } else { Err(Garbage) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settings(state: Option<Vec<u8>>) -> Settings {
        Settings { number: 9, state, values: PluginValues::from([(1, -0.5), (u32::MAX, 1e300)]) }
    }

    fn requests() -> Vec<Request> {
        let (file, id) = ("/a/é.clap".to_owned(), "org.a".to_owned());
        let settings = settings(Some(vec![0, 255]));
        let task = Task { file, id, rate: 48_000, channels: 2, settings };
        let set = Request::Set(self::settings(None));
        let scan = Request::Scan("/b.clap".into());
        vec![Request::Open(task), set, Request::Window, Request::Ping, Request::Save, scan]
    }

    fn replies() -> Vec<Reply> {
        let parameter = PluginParameter {
            id: 3,
            name: "Gain".into(),
            lowest: -60.0,
            highest: 12.0,
            rest: 0.0,
            stepped: true,
            value: 1.0,
        };
        let plugin = PluginDescription {
            id: "org.a".into(),
            name: "A".into(),
            vendor: String::new(),
            version: "1.0".into(),
            is_effect: true,
        };
        let mut all = vec![
            Reply::Opened {
                name: "A".into(),
                latency: 64,
                has_window: true,
                has_state: false,
                parameters: vec![parameter.clone(), parameter],
            },
            Reply::Saved { number: 1, state: vec![1; 9], values: settings(None).values },
            Reply::Latency(7),
            Reply::Alive,
            Reply::Found(vec![plugin]),
        ];
        let refusals = [
            Refusal::Unloadable { reason: "file too short".into() },
            Refusal::NotAPlugin,
            Refusal::NotInFile,
            Refusal::NoAudio,
            Refusal::Failed { step: "activate".into() },
        ];
        all.extend(refusals.map(Reply::Refused));
        all
    }

    #[test]
    fn every_message_arrives_as_it_was_sent() {
        for request in requests() {
            assert_eq!(Request::parse(&request.to_bytes()[4..]), Ok(request));
        }
        for reply in replies() {
            let bytes = reply.to_bytes();
            assert_eq!(bytes.len() - 4, u32::from_le_bytes(*bytes.first_chunk().unwrap()) as usize);
            assert_eq!(Reply::parse(&bytes[4..]), Ok(reply));
        }
    }

    #[test]
    fn cut_and_lengthened_messages_are_garbage() {
        for bytes in replies().iter().map(Reply::to_bytes) {
            for end in 4..bytes.len() {
                assert_eq!(Reply::parse(&bytes[4..end]), Err(Garbage), "{bytes:?} to {end}");
            }
            assert_eq!(Reply::parse(&[&bytes[4..], &[0]].concat()), Err(Garbage));
        }
        for bytes in requests().iter().map(Request::to_bytes) {
            for end in 4..bytes.len() {
                assert_eq!(Request::parse(&bytes[4..end]), Err(Garbage));
            }
        }
    }

    #[test]
    fn texts_lose_control_characters_and_the_largest_state_fits() {
        let name = format!("{}\u{1b}[2J", "é".repeat(500));
        let refused = Reply::Refused(Refusal::Failed { step: name });
        let Ok(Reply::Refused(Refusal::Failed { step })) = Reply::parse(&refused.to_bytes()[4..])
        else {
            panic!()
        };
        assert!(step.len() <= MAX_TEXT && !step.contains('\u{1b}'), "{step}");
        let state = vec![7; MAX_STATE];
        let saved = Reply::Saved { number: 1, state, values: PluginValues::new() };
        assert!(saved.to_bytes().len() < MAX_MESSAGE);
        assert_eq!(Reply::parse(&saved.to_bytes()[4..]), Ok(saved));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_or_garbage(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Reply::parse(&bytes);
            let _ = Request::parse(&bytes);
        }
    }
}
