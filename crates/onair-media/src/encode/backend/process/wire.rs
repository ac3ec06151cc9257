//! The messages between onair and an encoder process: a length, a kind and fields, all
//! little-endian. Pure functions; [`connection`](super::connection) moves the bytes.
//!
//! Each side treats the other one as hostile: every length has a limit, every field is checked, and
//! a message must end where its fields end.

use crate::media::{FrameRate, Size};

/// Maximum length of a message. A keyframe at the highest bitrate of the settings has about 2 MB.
pub(super) const MAX_MESSAGE: usize = 8 << 20;
/// Maximum length of a text. Longer texts are cut.
const MAX_TEXT: usize = 400;
/// Maximum length of a codec config.
const MAX_HEADER: usize = 64 << 10;

/// What the process is to encode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::encode) struct Task {
    /// The encoder's name in the library.
    pub encoder: String,
    /// True if the encoder is a driver of graphics hardware, which needs more of the system.
    pub is_hardware: bool,
    pub size: Size,
    pub frame_rate: FrameRate,
    /// The layout of the frames in the library, and options with their values, in order.
    pub options: Vec<(String, String)>,
}

impl Task {
    /// Returns the layout of the frames that the encoder takes: `yuv420p`, `nv12`, or where they are.
    pub(super) fn pixels(&self) -> &str {
        let option = self.options.iter().find(|(name, _)| name == "pixel_format");
        option.map_or("yuv420p", |(_, value)| value)
    }
}

/// A message to the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Open(Task),
    /// The frame with this number is in the shared memory.
    Frame {
        number: u64,
        key: bool,
    },
    /// Changes these options of the open encoder.
    Change(Vec<(String, String)>),
    /// There are no more frames.
    Finish,
}

/// The reason why an encoder does not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No library was found.
    NoLibrary,
    /// A file was found, but the system cannot load it.
    Unloadable { reason: String },
    /// The library has this major version, whose layout is not known.
    UnknownVersion { major: u32 },
    /// The library lacks a function.
    Incomplete { function: String },
    /// The library was built without this encoder.
    NotInLibrary { version: String },
    /// The encoder did not accept its settings, or found no device.
    Failed { reason: String },
    /// The encoder's own library has this version, which is too old.
    TooOld { version: String },
}

/// A message from the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The encoder is open.
    Opened {
        /// The name and version of the library.
        library: String,
        /// The parameter sets in the library's form.
        header: Vec<u8>,
    },
    Refused(Refusal),
    Packet {
        pts: i64,
        dts: i64,
        key: bool,
        data: Vec<u8>,
    },
    /// All packets that were ready after this frame have been sent.
    Done {
        number: u64,
    },
    /// The encoder failed.
    Failed {
        reason: String,
    },
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

    fn i64(&mut self) -> Result<i64, Garbage> {
        self.array().map(i64::from_le_bytes)
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

    fn text(&mut self) -> Result<String, Garbage> {
        let text = std::str::from_utf8(self.bytes(MAX_TEXT)?).map_err(|_| Garbage)?;
        // The text may reach a terminal.
        Ok(text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect())
    }

    fn options(&mut self) -> Result<Vec<(String, String)>, Garbage> {
        let count = self.u32()?;
        if count > 64 {
            return Err(Garbage);
        }
        (0..count).map(|_| Ok((self.text()?, self.text()?))).collect()
    }
}

/// Appends fields.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn kind(kind: u8) -> Self {
        // The length comes first, and is filled in at the end.
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

    fn text(self, text: &str) -> Self {
        self.bytes(text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default().as_bytes())
    }

    fn options(self, options: &[(String, String)]) -> Self {
        let count = u32::try_from(options.len()).unwrap_or(u32::MAX);
        let start = self.raw(&count.to_le_bytes());
        options.iter().fold(start, |message, (name, value)| message.text(name).text(value))
    }

    fn end(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len() - 4).unwrap_or(u32::MAX);
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
            Self::Open(task) => {
                let (size, rate) = (task.size, task.frame_rate);
                let numbers = [size.width, size.height, rate.num(), rate.den()];
                let start = Message::kind(0).text(&task.encoder).raw(&[task.is_hardware.into()]);
                let start = numbers.iter().fold(start, |it, number| it.raw(&number.to_le_bytes()));
                start.options(&task.options)
            }
            Self::Frame { number, key } => {
                Message::kind(1).raw(&number.to_le_bytes()).raw(&[u8::from(*key)])
            }
            Self::Change(options) => Message::kind(2).options(options),
            Self::Finish => Message::kind(3),
        }
        .end()
    }

    /// Reads a message without its length.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Garbage> {
        let mut fields = Fields(bytes);
        let request = match fields.array()? {
            [0] => {
                let (encoder, is_hardware) = (fields.text()?, fields.flag()?);
                let size = Size::new(fields.u32()?, fields.u32()?);
                let rate = FrameRate::new(fields.u32()?, fields.u32()?).ok_or(Garbage)?;
                let options = fields.options()?;
                Self::Open(Task { encoder, is_hardware, size, frame_rate: rate, options })
            }
            [1] => Self::Frame { number: fields.u64()?, key: fields.flag()? },
            [2] => Self::Change(fields.options()?),
            [3] => Self::Finish,
            _ => return Err(Garbage),
        };
        if fields.0.is_empty() { Ok(request) } else { Err(Garbage) }
    }
}

impl Reply {
    /// Returns the message with its length.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Opened { library, header } => Message::kind(0).text(library).bytes(header),
            Self::Refused(refusal) => {
                let with = |kind: u8, text: &str| Message::kind(1).raw(&[kind]).text(text);
                match refusal {
                    Refusal::NoLibrary => with(0, ""),
                    Refusal::Unloadable { reason } => with(1, reason),
                    Refusal::UnknownVersion { major } => with(2, &major.to_string()),
                    Refusal::Incomplete { function } => with(3, function),
                    Refusal::NotInLibrary { version } => with(4, version),
                    Refusal::Failed { reason } => with(5, reason),
                    Refusal::TooOld { version } => with(6, version),
                }
            }
            Self::Packet { pts, dts, key, data } => Message::kind(2)
                .raw(&pts.to_le_bytes())
                .raw(&dts.to_le_bytes())
                .raw(&[u8::from(*key)])
                .bytes(data),
            Self::Done { number } => Message::kind(3).raw(&number.to_le_bytes()),
            Self::Failed { reason } => Message::kind(4).text(reason),
        }
        .end()
    }

    /// Reads a message without its length.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Garbage> {
        let mut fields = Fields(bytes);
        let reply = match fields.array()? {
            [0] => {
                let (library, header) = (fields.text()?, fields.bytes(MAX_HEADER)?.to_vec());
                Self::Opened { library, header }
            }
            [1] => {
                let [kind] = fields.array()?;
                let text = fields.text()?;
                Self::Refused(match kind {
                    0 => Refusal::NoLibrary,
                    1 => Refusal::Unloadable { reason: text },
                    2 => Refusal::UnknownVersion { major: text.parse().map_err(|_| Garbage)? },
                    3 => Refusal::Incomplete { function: text },
                    4 => Refusal::NotInLibrary { version: text },
                    5 => Refusal::Failed { reason: text },
                    6 => Refusal::TooOld { version: text },
                    _ => return Err(Garbage),
                })
            }
            [2] => {
                let (pts, dts, key) = (fields.i64()?, fields.i64()?, fields.flag()?);
                Self::Packet { pts, dts, key, data: fields.bytes(MAX_MESSAGE)?.to_vec() }
            }
            [3] => Self::Done { number: fields.u64()? },
            [4] => Self::Failed { reason: fields.text()? },
            _ => return Err(Garbage),
        };
        if fields.0.is_empty() { Ok(reply) } else { Err(Garbage) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn requests() -> Vec<Request> {
        let options =
            vec![("preset".to_owned(), "veryfast".to_owned()), (String::new(), "é".into())];
        let task = Task {
            encoder: "libx264".into(),
            is_hardware: false,
            size: Size::new(1280, 720),
            frame_rate: FrameRate::FPS_30,
            options: options.clone(),
        };
        let frame = Request::Frame { number: u64::MAX, key: true };
        vec![Request::Open(task), frame, Request::Change(options), Request::Finish]
    }

    fn replies() -> Vec<Reply> {
        let refusals = [
            Refusal::NoLibrary,
            Refusal::Unloadable { reason: "file too short".into() },
            Refusal::UnknownVersion { major: 63 },
            Refusal::Incomplete { function: "av_opt_set".into() },
            Refusal::NotInLibrary { version: "7.1".into() },
            Refusal::Failed { reason: "out of memory (10)".into() },
            Refusal::TooOld { version: "1.4.1".into() },
        ];
        let header = vec![0, 0, 0, 1, 0x67];
        let mut all = vec![
            Reply::Opened { library: "libavcodec 59.37.100".into(), header },
            Reply::Packet { pts: -1, dts: i64::MIN, key: false, data: vec![1, 2, 3] },
            Reply::Done { number: 7 },
            Reply::Failed { reason: "no".into() },
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
            assert_eq!(Request::parse(&bytes[4..bytes.len() - 1]), Err(Garbage));
        }
    }

    #[test]
    fn texts_lose_control_characters_and_are_cut_at_a_character() {
        let reason = format!("{}\u{1b}[2J{}", "é".repeat(150), "x".repeat(400));
        let bytes = Reply::Failed { reason }.to_bytes();
        let Ok(Reply::Failed { reason }) = Reply::parse(&bytes[4..]) else { panic!() };
        assert!(reason.len() <= MAX_TEXT && !reason.contains('\u{1b}'), "{reason}");
        let bytes = Reply::Failed { reason: "é".repeat(300) }.to_bytes();
        assert!(Reply::parse(&bytes[4..]).is_ok());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_or_garbage(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Reply::parse(&bytes);
            let _ = Request::parse(&bytes);
        }
    }
}
