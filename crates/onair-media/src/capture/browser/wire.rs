//! The messages between onair and the process of a page. Each has a kind, a length and a body. A
//! frame is binary; everything else is JSON. Pure: the bytes come from and go to the callers.

use serde_json::{Value, json};

use crate::capture::browser::input::PageInput;
use crate::media::{Planes, Size};
use crate::text::Problem;
use crate::text::problem::problem;

/// The size of a message's head: its kind and the length of its body.
pub(super) const HEAD: usize = 5;
/// Maximum size of a body: a frame of the largest size with alpha.
pub(super) const MAX_BODY: usize = 48 << 20;
/// The size of the part before the planes.
const SHAPE: usize = 9;
/// Maximum length of a text from the process.
const MAX_TEXT: usize = 300;

const JSON_KIND: u8 = 0;
const FRAME_KIND: u8 = 1;

/// A request of onair.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Request {
    /// The page, which is loaded at once; a later one changes only the properties.
    Page(PageTask),
    /// Whether the page is shown. While it is not, no frames are sent.
    Shown(bool),
    /// Loads the page again.
    Refresh,
    /// The state of the studio.
    Studio(Value),
    /// The user does something on the page.
    Input(PageInput),
}

/// The page and its properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PageTask {
    pub page: String,
    pub size: Size,
    pub fps: u32,
    pub css: String,
    pub local_network: bool,
}

/// The reason why a page does not open or does not continue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// This computer has no Chromium.
    NoBrowser,
    /// This program has no launcher, as in tests.
    NoLauncher,
    /// The process or Chromium cannot be started.
    NotStarted { reason: String },
    /// The page cannot be loaded.
    NotLoaded { reason: String },
    /// The page's own process crashed.
    Crashed,
    /// The page does not answer.
    Hung { seconds: u64 },
    /// The page used too much memory.
    Memory { most: u64 },
    /// Chromium ended.
    Ended,
    /// The process sent nonsense.
    Garbage,
}

/// A report of the process.
#[derive(Debug, PartialEq)]
pub(super) enum Report {
    /// Chromium runs.
    Started {
        browser: String,
        sandboxed: bool,
    },
    /// The process works.
    Alive,
    /// The page asked for an address that it may not use.
    Refused {
        host: String,
    },
    Trouble(Trouble),
    Frame(Planes),
}

impl Request {
    pub fn to_bytes(&self) -> Vec<u8> {
        message(&match self {
            Self::Page(task) => json!({
                "page": task.page, "width": task.size.width, "height": task.size.height,
                "fps": task.fps, "css": task.css, "local": task.local_network,
            }),
            Self::Shown(shown) => json!({ "shown": shown }),
            Self::Refresh => json!({ "refresh": true }),
            Self::Studio(state) => json!({ "studio": state }),
            Self::Input(input) => json!({ "input": input.to_json() }),
        })
    }

    pub fn parse(body: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(body).ok()?;
        if let Some(shown) = value.get("shown").and_then(Value::as_bool) {
            return Some(Self::Shown(shown));
        }
        if value.get("refresh").is_some() {
            return Some(Self::Refresh);
        }
        if let Some(state) = value.get("studio") {
            return Some(Self::Studio(state.clone()));
        }
        if let Some(input) = value.get("input") {
            return PageInput::of_json(input).map(Self::Input);
        }
        let number = |name: &str| value.get(name)?.as_u64().and_then(|it| u32::try_from(it).ok());
        let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        Some(Self::Page(PageTask {
            page: text("page")?,
            size: Size::new(number("width")?, number("height")?),
            fps: number("fps")?,
            css: text("css")?,
            local_network: value.get("local")?.as_bool()?,
        }))
    }
}

impl Report {
    /// Returns the message, of which a frame's planes are separate parts.
    pub fn to_bytes(&self) -> Vec<u8> {
        let json = match self {
            Self::Started { browser, sandboxed } => {
                json!({ "started": browser, "sandboxed": sandboxed })
            }
            Self::Alive => json!({ "alive": true }),
            Self::Refused { host } => json!({ "refused": host }),
            Self::Trouble(trouble) => match trouble {
                Trouble::NoBrowser => json!({ "trouble": "none" }),
                Trouble::NoLauncher => json!({ "trouble": "launcher" }),
                Trouble::NotStarted { reason } => json!({ "trouble": "start", "reason": reason }),
                Trouble::NotLoaded { reason } => json!({ "trouble": "load", "reason": reason }),
                Trouble::Crashed => json!({ "trouble": "crash" }),
                Trouble::Hung { seconds } => json!({ "trouble": "hang", "number": seconds }),
                Trouble::Memory { most } => json!({ "trouble": "memory", "number": most }),
                Trouble::Ended => json!({ "trouble": "end" }),
                Trouble::Garbage => json!({ "trouble": "garbage" }),
            },
            Self::Frame(planes) => return frame(planes),
        };
        message(&json)
    }

    /// Reads a message of the process, in which nothing is believed.
    pub fn parse(kind: u8, body: &[u8]) -> Option<Self> {
        match kind {
            JSON_KIND => Self::of_json(&serde_json::from_slice(body).ok()?),
            FRAME_KIND => planes(body).map(Self::Frame),
            _ => None,
        }
    }

    fn of_json(value: &Value) -> Option<Self> {
        let text = |name: &str| Some(bounded(value.get(name)?.as_str()?));
        let number = || value.get("number").and_then(Value::as_u64).unwrap_or_default();
        if let Some(browser) = text("started") {
            let sandboxed = value.get("sandboxed").and_then(Value::as_bool).unwrap_or_default();
            return Some(Self::Started { browser, sandboxed });
        }
        if value.get("alive").is_some() {
            return Some(Self::Alive);
        }
        if let Some(host) = text("refused") {
            return Some(Self::Refused { host });
        }
        let reason = text("reason").unwrap_or_default();
        Some(Self::Trouble(match text("trouble")?.as_str() {
            "none" => Trouble::NoBrowser,
            "launcher" => Trouble::NoLauncher,
            "start" => Trouble::NotStarted { reason },
            "load" => Trouble::NotLoaded { reason },
            "crash" => Trouble::Crashed,
            "hang" => Trouble::Hung { seconds: number() },
            "memory" => Trouble::Memory { most: number() },
            "end" => Trouble::Ended,
            "garbage" => Trouble::Garbage,
            _ => return None,
        }))
    }
}

impl From<&Trouble> for Problem {
    fn from(trouble: &Trouble) -> Self {
        match trouble {
            Trouble::NoBrowser => problem!("browser-none"),
            Trouble::NoLauncher => problem!("browser-no-launcher"),
            Trouble::NotStarted { reason } => {
                problem!("browser-not-started", reason = reason.as_str())
            }
            Trouble::NotLoaded { reason } => {
                problem!("browser-not-loaded", reason = reason.as_str())
            }
            Trouble::Crashed => problem!("browser-crashed"),
            Trouble::Hung { seconds } => problem!("browser-hung", seconds = seconds.to_string()),
            Trouble::Memory { most } => problem!("browser-memory", most = most.to_string()),
            Trouble::Ended => problem!("browser-ended"),
            Trouble::Garbage => problem!("browser-garbage"),
        }
    }
}

/// Returns a text of the process in bounded length and without control characters.
fn bounded(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).take(MAX_TEXT).collect()
}

fn head(kind: u8, length: usize) -> [u8; HEAD] {
    let [a, b, c, d] = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    [kind, a, b, c, d]
}

/// Returns the kind and the length of the body, or `None` if no message is so long.
pub(super) fn parse_head(head: [u8; HEAD]) -> Option<(u8, usize)> {
    let [kind, a, b, c, d] = head;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    (length <= MAX_BODY).then_some((kind, length))
}

fn message(json: &Value) -> Vec<u8> {
    let body = json.to_string();
    let mut message = head(JSON_KIND, body.len()).to_vec();
    message.extend_from_slice(body.as_bytes());
    message
}

fn frame(planes: &Planes) -> Vec<u8> {
    let alpha = planes.alpha.as_deref().unwrap_or_default();
    let length = SHAPE + planes.y.len() + planes.u.len() + planes.v.len() + alpha.len();
    let mut message = Vec::with_capacity(HEAD + length);
    message.extend_from_slice(&head(FRAME_KIND, length));
    message.extend_from_slice(&planes.size().width.to_le_bytes());
    message.extend_from_slice(&planes.size().height.to_le_bytes());
    message.push(u8::from(planes.alpha.is_some()));
    for plane in [&planes.y, &planes.u, &planes.v, alpha] {
        message.extend_from_slice(plane);
    }
    message
}

fn planes(body: &[u8]) -> Option<Planes> {
    let (shape, mut rest) = body.split_first_chunk::<SHAPE>()?;
    let [a, b, c, d, e, f, g, h, alpha] = *shape;
    let size = Size::new(u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
    let side = |side: u32| (2..=Size::MAX_SIDE).contains(&side) && side.is_multiple_of(2);
    if !side(size.width) || !side(size.height) || alpha > 1 {
        return None;
    }
    let luma = size.pixels();
    if rest.len() != luma + luma / 2 + if alpha == 1 { luma } else { 0 } {
        return None;
    }
    let mut planes = Planes::black(size);
    for plane in [&mut planes.y, &mut planes.u, &mut planes.v] {
        let (bytes, after) = rest.split_at_checked(plane.len())?;
        plane.copy_from_slice(bytes);
        rest = after;
    }
    planes.alpha = (alpha == 1).then(|| rest.to_vec());
    Some(planes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::capture::browser::input::{HeldKeys, PageKey, PointerButton, PointerPress};

    fn split(message: &[u8]) -> (u8, Vec<u8>) {
        let (head, body) = message.split_first_chunk::<HEAD>().unwrap();
        let (kind, length) = parse_head(*head).unwrap();
        assert_eq!(length, body.len());
        (kind, body.to_vec())
    }

    #[test]
    fn messages_read_back_as_written() {
        let page = PageTask {
            page: "https://h/a?token=ä".into(),
            size: Size::new(640, 360),
            fps: 30,
            css: "body {}\n\"".into(),
            local_network: true,
        };
        let studio = Request::Studio(json!({ "scene": "A" }));
        let keys = HeldKeys { ctrl: true, ..HeldKeys::default() };
        let (at, press) = ((1.5, 2.0), PointerPress::Down(PointerButton::Right, 2));
        let key = PageKey::named("Enter").unwrap();
        let inputs = [
            PageInput::Pointer { at, press, keys },
            PageInput::Wheel { at, by: (0.0, -120.0), keys },
            PageInput::Key { key, down: true, keys },
            PageInput::Text("ä".into()),
        ];
        let plain = [Request::Page(page), Request::Shown(false), Request::Refresh, studio];
        for request in plain.into_iter().chain(inputs.map(Request::Input)) {
            let (_, body) = split(&request.to_bytes());
            assert_eq!(Request::parse(&body), Some(request));
        }
        let mut clear = Planes::transparent(Size::new(4, 2));
        clear.y[3] = 77;
        for report in [
            Report::Started { browser: "Chrome/156".into(), sandboxed: true },
            Report::Alive,
            Report::Refused { host: "10.0.0.1".into() },
            Report::Trouble(Trouble::NoBrowser),
            Report::Trouble(Trouble::NotStarted { reason: "a".into() }),
            Report::Trouble(Trouble::NotLoaded { reason: "b".into() }),
            Report::Trouble(Trouble::Hung { seconds: 3 }),
            Report::Trouble(Trouble::Memory { most: 3 }),
            Report::Frame(Planes::black(Size::new(4, 2))),
            Report::Frame(clear),
        ] {
            let (kind, body) = split(&report.to_bytes());
            assert_eq!(Report::parse(kind, &body), Some(report));
        }
    }

    #[test]
    fn a_frame_of_another_length_than_its_size_is_refused() {
        let (kind, body) = split(&frame(&Planes::transparent(Size::new(4, 2))));
        for end in 0..body.len() {
            assert_eq!(Report::parse(kind, &body[..end]), None, "{end}");
        }
        let mut odd = body;
        odd[0] = 3;
        assert_eq!(Report::parse(kind, &odd), None);
        assert_eq!(parse_head([0, 255, 255, 255, 255]), None);
    }

    proptest! {
        #[test]
        fn nothing_that_a_process_sends_panics(kind in 0..4_u8, body in any::<Vec<u8>>()) {
            let _ = Report::parse(kind, &body);
            let _ = Request::parse(&body);
        }
    }
}
