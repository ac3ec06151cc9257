//! Defines, formats and parses faults: `reset@media:3s`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::base::named;
use crate::media::BitsPerSecond;
use crate::text::Problem;
use crate::text::problem::problem;

/// Codes with which a fault may reject `connect`, after `NetConnection.Connect.`.
const CONNECT_CODES: [&str; 5] = ["Rejected", "InvalidApp", "Closed", "Failed", "AppShutdown"];
/// Codes with which a fault may reject `publish`, after `NetStream.Publish.`.
const PUBLISH_CODES: [&str; 5] = ["BadName", "Denied", "Unauthorized", "Rejected", "BadAuth"];
/// Maximum duration in the text of a fault.
const MAX_DURATION: Duration = Duration::from_secs(3_600);
/// Maximum number of strikes of a fault.
const MAX_STRIKES: u32 = 1_000_000;

named! {
    /// The phases of a client in order. A fault strikes when its phase is reached, before the server
    /// answers.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Phase {
        /// The connection is open.
        Handshake = "handshake",
        /// The handshake is done.
        Connect = "connect",
        /// `connect` was answered.
        CreateStream = "createStream",
        /// The client requests to publish.
        Publish = "publish",
        /// The client publishes.
        Media = "media",
    }
    /// Returns the name in the text form.
    fn name;
}

/// A time, or a range from which each connection gets a random time.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub from: Duration,
    pub to: Duration,
}

/// The kind of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The connection is cut (TCP RST).
    Reset,
    /// The connection is closed without a message.
    Close,
    /// The server closes its sending side and keeps reading.
    HalfClose,
    /// Nothing is read, for this long or for a minute.
    Stall { lasts: Option<Span> },
    /// Received data is handled after this delay.
    Delay(Span),
    /// Data is read at most at this rate.
    Throttle(BitsPerSecond),
    /// Garbage is sent.
    Garbage,
    /// The request is rejected with this code.
    Reject(&'static str),
    /// The server reports that the name is in use.
    Busy,
    /// The client is redirected.
    Redirect(String),
    /// Received data is not acknowledged.
    NoAck,
}

impl FaultKind {
    const NAMES: [&str; 11] = [
        "reset",
        "close",
        "half-close",
        "stall",
        "delay",
        "throttle",
        "garbage",
        "reject",
        "busy",
        "redirect",
        "noack",
    ];

    const fn name(&self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Close => "close",
            Self::HalfClose => "half-close",
            Self::Stall { .. } => "stall",
            Self::Delay(_) => "delay",
            Self::Throttle(_) => "throttle",
            Self::Garbage => "garbage",
            Self::Reject(_) => "reject",
            Self::Busy => "busy",
            Self::Redirect(_) => "redirect",
            Self::NoAck => "noack",
        }
    }
}

/// A fault: what happens, when and how often. It is written as `FAULT@PHASE[:VALUE][*TIMES]`, such
/// as `stall@media:2s+8s*1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub what: FaultKind,
    pub phase: Phase,
    /// The delay after the phase was reached; zero except in [`Phase::Media`].
    pub after: Span,
    /// The number of connections that the fault strikes; `None` for all.
    pub times: Option<u32>,
}

/// The reason why a text is not a fault, with the valid values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadFault(#[source] pub Problem);

impl Fault {
    /// Returns true if the fault answers a request instead of acting on the connection.
    pub(super) fn is_decision(&self) -> bool {
        matches!(self.what, FaultKind::Reject(_) | FaultKind::Busy)
            || (matches!(self.what, FaultKind::Redirect(_)) && self.phase == Phase::Connect)
    }
}

impl FromStr for Fault {
    type Err = BadFault;

    fn from_str(text: &str) -> Result<Self, BadFault> {
        let bad = |why: Problem| BadFault(problem!("fault-bad", text = text, reason = why));
        let (rest, times) = match text.rsplit_once('*') {
            Some((rest, digits)) => {
                let times = strikes(digits);
                let wrong = || bad(problem!("fault-times", most = MAX_STRIKES));
                (rest, Some(times.ok_or_else(wrong)?))
            }
            None => (text, None),
        };
        let (name, place) = rest.split_once('@').ok_or_else(|| bad(problem!("fault-shape")))?;
        if !FaultKind::NAMES.contains(&name) {
            return Err(bad(problem!("value-none-of", known = FaultKind::NAMES.as_slice())));
        }
        let (phase, value) = match place.split_once(':') {
            Some((phase, value)) => (phase, Some(value)),
            None => (place, None),
        };
        let names = Phase::ALL.map(Phase::name);
        let phase = Phase::ALL
            .into_iter()
            .find(|known| known.name().eq_ignore_ascii_case(phase))
            .ok_or_else(|| bad(problem!("fault-phases", known = names.as_slice())))?;
        let (what, after, counted) = what(name, phase, value).map_err(bad)?;
        let times = times.or(counted);
        Ok(Self { what, phase, after, times })
    }
}

type Parsed = (FaultKind, Span, Option<u32>);

fn what(name: &str, phase: Phase, value: Option<&str>) -> Result<Parsed, Problem> {
    let now = Span::default();
    let needs =
        |example: &str| value.ok_or_else(|| problem!("fault-needs-value", example = example));
    let only = |phases: &[Phase]| match phases.contains(&phase) {
        true => Ok(()),
        false => {
            let names: Vec<_> = phases.iter().map(|phase| phase.name()).collect();
            Err(problem!("fault-only-at", name = name, phases = &names))
        }
    };
    // Other phases pass at once, so there is nothing to wait for.
    let after = |text: Option<&str>| match text.filter(|text| !text.is_empty()) {
        None => Ok(now),
        Some(text) if phase == Phase::Media => span(text),
        Some(_) => Err(problem!("fault-time-at-media", name = name)),
    };
    Ok(match name {
        "reset" => (FaultKind::Reset, after(value)?, None),
        "close" => (FaultKind::Close, after(value)?, None),
        "half-close" => (FaultKind::HalfClose, after(value)?, None),
        "garbage" => (FaultKind::Garbage, after(value)?, None),
        "stall" => {
            let (begin, lasts) = match value.and_then(|text| text.split_once('+')) {
                Some((begin, lasts)) => (Some(begin), Some(span(lasts)?)),
                None => (value, None),
            };
            let begin = after(begin).map_err(|why| problem!("fault-stall-time", reason = why))?;
            (FaultKind::Stall { lasts }, begin, None)
        }
        "delay" => (FaultKind::Delay(span(needs("delay@media:200ms")?)?), now, None),
        "throttle" => (FaultKind::Throttle(needs("throttle@media:500k")?.parse()?), now, None),
        "reject" => {
            only(&[Phase::Connect, Phase::Publish])?;
            let codes = if phase == Phase::Connect { &CONNECT_CODES } else { &PUBLISH_CODES };
            let code =
                codes.iter().find(|code| value.is_some_and(|it| code.eq_ignore_ascii_case(it)));
            let code = code.ok_or_else(|| problem!("fault-codes", known = codes.as_slice()))?;
            (FaultKind::Reject(code), now, None)
        }
        "busy" => {
            only(&[Phase::Publish])?;
            let wrong = |text: &str| problem!("fault-busy-times", text = text);
            let times = value.map(|text| strikes(text).ok_or_else(|| wrong(text)));
            (FaultKind::Busy, now, times.transpose()?)
        }
        "redirect" => {
            only(&[Phase::Connect, Phase::Media])?;
            let url = needs("redirect@connect:rtmp://other.example/app")?;
            if !url.contains("://") || url.len() > 2_000 {
                return Err(problem!("fault-url", url = url));
            }
            (FaultKind::Redirect(url.to_owned()), now, None)
        }
        _ => match value {
            None => (FaultKind::NoAck, now, None),
            Some(_) => return Err(problem!("fault-no-value", name = "noack")),
        },
    })
}

/// Parses a number of strikes.
fn strikes(text: &str) -> Option<u32> {
    text.parse().ok().filter(|times| (1..=MAX_STRIKES).contains(times))
}

/// Parses `2s` or `2s..5s`.
fn span(text: &str) -> Result<Span, Problem> {
    let (from, to) = match text.split_once("..") {
        Some((from, to)) => (time(from)?, time(to)?),
        None => (time(text)?, time(text)?),
    };
    if from > to {
        return Err(problem!("fault-time-order", text = text));
    }
    Ok(Span { from, to })
}

fn time(text: &str) -> Result<Duration, Problem> {
    let fault = || problem!("fault-time", text = text);
    let (number, millis) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 1.0),
        (None, Some(number)) => (number, 1_000.0),
        (None, None) => return Err(fault()),
    };
    let plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = number.parse::<f64>().ok().filter(|_| plain).ok_or_else(fault)?;
    let time = Duration::from_millis((number * millis) as u64);
    if time <= MAX_DURATION { Ok(time) } else { Err(fault()) }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.from)?;
        if self.to > self.from { write!(f, "..{:?}", self.to) } else { Ok(()) }
    }
}

/// Formats the fault in the syntax of the parser.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.what.name(), self.phase.name())?;
        let later = self.after != Span::default();
        match &self.what {
            FaultKind::Stall { lasts } if later || lasts.is_some() => {
                f.write_str(":")?;
                if later {
                    self.after.fmt(f)?;
                }
                lasts.map_or(Ok(()), |lasts| write!(f, "+{lasts}"))?;
            }
            FaultKind::Delay(span) => write!(f, ":{span}")?,
            FaultKind::Throttle(rate) => write!(f, ":{}", Rate(*rate))?,
            FaultKind::Reject(code) => write!(f, ":{code}")?,
            FaultKind::Redirect(url) => write!(f, ":{url}")?,
            FaultKind::Busy => {
                return self.times.map_or(Ok(()), |times| write!(f, ":{times}"));
            }
            _ if later => write!(f, ":{}", self.after)?,
            _ => {}
        }
        self.times.map_or(Ok(()), |times| write!(f, "*{times}"))
    }
}

struct Rate(BitsPerSecond);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.0 {
            bits if bits % 1_000 == 0 => write!(f, "{}k", bits / 1_000),
            bits => write!(f, "{bits}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_read_as_they_are_written() {
        for text in [
            "reset@media:3s",
            "reset@handshake",
            "close@createStream*2",
            "half-close@media:2.5s..4s*1",
            "stall@media",
            "stall@media:2s+8s*1",
            "stall@connect:+5s",
            "delay@media:200ms",
            "delay@publish:100ms..2s",
            "throttle@media:500k",
            "throttle@connect:1500",
            "garbage@handshake",
            "reject@connect:InvalidApp",
            "reject@publish:Denied*3",
            "busy@publish",
            "busy@publish:2",
            "redirect@connect:rtmp://127.0.0.1:1935/app",
            "redirect@media:rtmp://other.example/app*1",
            "noack@media",
        ] {
            let fault: Fault = text.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(fault.to_string(), text);
        }
        assert_eq!("busy@publish:2".parse::<Fault>().map(|fault| fault.times), Ok(Some(2)));
    }

    #[test]
    fn an_unknown_fault_is_reported_with_the_possible_ones() {
        for (text, word) in [
            ("", "FAULT@PHASE"),
            ("reset", "FAULT@PHASE"),
            ("explode@media", "half-close"),
            ("reset@lunch", "createStream"),
            ("reset@media:soon", "200ms"),
            ("reset@media:-3s", "200ms"),
            ("reset@media:1e3s", "200ms"),
            ("reset@media:99999s", "hour"),
            ("reset@media:5s..2s", "smaller"),
            ("reset@connect:3s", "only in the media phase"),
            ("stall@connect:3s", "stall duration"),
            ("delay@media", "200ms"),
            ("throttle@media", "500k"),
            ("throttle@media:0", "2500k"),
            ("reject@connect", "InvalidApp"),
            ("reject@publish:InvalidApp", "Unauthorized"),
            ("reject@media:Denied", "connect, publish"),
            ("busy@connect:2", "publish"),
            ("busy@publish:many", "busy@publish:2"),
            ("redirect@connect", "rtmp://"),
            ("redirect@connect:nowhere", "rtmp://"),
            ("redirect@publish:rtmp://x/y", "connect, media"),
            ("noack@media:3s", "no value"),
            ("reset@media*0", "how many times"),
            ("reset@media*x", "how many times"),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
