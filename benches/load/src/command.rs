//! The few RTMP messages that a client needs, as bytes (RTMP 1.0, section 7; AMF0).

/// AMF0 values, appended one after the other.
#[derive(Default)]
pub struct Amf(Vec<u8>);

impl Amf {
    pub fn number(mut self, value: f64) -> Self {
        self.0.push(0);
        self.0.extend(value.to_be_bytes());
        self
    }

    pub fn text(mut self, value: &str) -> Self {
        self.0.push(2);
        self.key(value);
        self
    }

    pub fn null(mut self) -> Self {
        self.0.push(5);
        self
    }

    pub fn object(mut self, members: &[(&str, &str)]) -> Self {
        self.0.push(3);
        for (name, value) in members {
            self.key(name);
            self = self.text(value);
        }
        self.0.extend([0, 0, 9]);
        self
    }

    pub fn bytes(self) -> Vec<u8> {
        self.0
    }

    fn key(&mut self, text: &str) {
        self.0.extend(u16::try_from(text.len()).unwrap_or(0).to_be_bytes());
        self.0.extend(text.as_bytes());
    }
}

/// Appends a message in chunks of `size` bytes: one full header, then continuation headers.
pub fn message(
    kind: u8,
    csid: u8,
    stream: u32,
    time: u32,
    body: &[u8],
    size: usize,
    out: &mut Vec<u8>,
) {
    out.push(csid);
    out.extend(&time.min(0xff_fffe).to_be_bytes()[1..]);
    out.extend(&u32::try_from(body.len()).unwrap_or(0).to_be_bytes()[1..]);
    out.push(kind);
    out.extend(stream.to_le_bytes());
    for (index, part) in body.chunks(size).enumerate() {
        if index > 0 {
            out.push(0xc0 | csid);
        }
        out.extend(part);
    }
}

pub fn connect(app: &str, tc_url: &str) -> Vec<u8> {
    let members =
        [("app", app), ("type", "nonprivate"), ("flashVer", "LNX 9,0,124,2"), ("tcUrl", tc_url)];
    Amf::default().text("connect").number(1.0).object(&members).bytes()
}

pub fn create_stream() -> Vec<u8> {
    Amf::default().text("createStream").number(2.0).null().bytes()
}

pub fn publish(name: &str) -> Vec<u8> {
    Amf::default().text("publish").number(3.0).null().text(name).text("live").bytes()
}

pub fn play(name: &str) -> Vec<u8> {
    Amf::default().text("play").number(3.0).null().text(name).number(-2000.0).bytes()
}

/// The content of a command message, as far as the load client needs it.
pub enum Answer {
    Result { transaction: f64, number: Option<f64> },
    Error,
    Status { code: String },
    Other,
}

/// Reads a command of the server.
pub fn answer(body: &[u8]) -> Answer {
    let Some((name, rest)) = text(body) else { return Answer::Other };
    match name {
        "_result" => {
            let Some((transaction, rest)) = number(rest) else { return Answer::Other };
            // The reply to createStream: null, then the number of the stream.
            let number = rest.strip_prefix(&[5]).and_then(number).map(|(number, _)| number);
            Answer::Result { transaction, number }
        }
        "_error" => Answer::Error,
        "onStatus" => {
            let code = find(body, b"\x00\x04code").and_then(text).map_or("", |(code, _)| code);
            Answer::Status { code: code.to_owned() }
        }
        _ => Answer::Other,
    }
}

fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let rest = bytes.strip_prefix(&[2])?;
    let length = usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?]));
    let text = std::str::from_utf8(rest.get(2..2 + length)?).ok()?;
    Some((text, &rest[2 + length..]))
}

fn number(bytes: &[u8]) -> Option<(f64, &[u8])> {
    let rest = bytes.strip_prefix(&[0])?;
    let value = rest.get(..8)?.try_into().ok().map(f64::from_be_bytes)?;
    Some((value, &rest[8..]))
}

fn find<'b>(bytes: &'b [u8], wanted: &[u8]) -> Option<&'b [u8]> {
    let at = bytes.windows(wanted.len()).position(|window| window == wanted)?;
    bytes.get(at + wanted.len()..)
}
