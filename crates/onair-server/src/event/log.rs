//! The last events of a server for the operator. Viewers come and go often, refused clients try again, and callbacks
//! are answered, so these events are in separate lists, and do not displace other events.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use crate::base::Timestamp;
use crate::files::disk_space::Warning;
use crate::server::event::relay::Direction;
use crate::server::event::repeats::{Entry, Repeats};
use crate::server::event::{CallbackAnswer, Ended, Event, Peer, Protocol, RecordingState, Refusal};
use crate::text::{Language, Problem};

/// Number of events in each list.
pub(crate) const MAX_EVENTS: usize = 100;
/// The target of log lines about clients, and of the spans of their sessions. The log of crash reports
/// excludes this target, so a span costs nothing unless such lines are requested.
pub(crate) const SESSION_LOG_TARGET: &str = "onair::server::event";
/// Maximum number of characters of a text in an event.
const MAX_TEXT_CHARS: usize = 200;

/// An event that has been logged.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct LoggedEvent {
    /// The number of the event, which increases by one from event to event.
    pub number: u64,
    /// The time of the event, in microseconds since 1970.
    pub wall_micros: i64,
    /// The name, as in the JSON events.
    pub name: &'static str,
    pub app: Option<String>,
    pub stream: Option<String>,
    pub address: Option<SocketAddr>,
    /// The address of a refused client.
    pub ip: Option<IpAddr>,
    /// The action of a refused client.
    pub action: Option<&'static str>,
    /// How often a client was refused, or a callback had this answer.
    pub times: Option<u64>,
    /// A callback, its receiver, and the HTTP status of the answer.
    pub callback: Option<&'static str>,
    pub host: Option<String>,
    pub status: Option<u16>,
    pub took: Option<Duration>,
    pub id: Option<u64>,
    pub protocol: Option<Protocol>,
    pub state: Option<&'static str>,
    pub file: Option<String>,
    pub rendition: Option<String>,
    pub cause: Option<&'static str>,
    /// The direction of a relay.
    pub direction: Option<Direction>,
    /// The address of a relay.
    pub url: Option<String>,
    pub reason: Option<Problem>,
    pub after: Option<Duration>,
    pub bytes: Option<u64>,
}

impl LoggedEvent {
    /// Returns the reason in this language. For a recording, the text also contains the cure.
    pub fn reason_in(&self, language: Language) -> Option<String> {
        let reason = self.reason.as_ref()?;
        short(&match self.name {
            "recording" => language.say_with_cure(reason),
            _ => language.say(reason),
        })
    }
}

/// The lists of events, and figures that follow from the events.
#[derive(Debug, Default)]
pub(crate) struct EventLog {
    next: u64,
    viewers: VecDeque<LoggedEvent>,
    refused: Repeats<Refusal>,
    callbacks: Repeats<CallbackAnswer>,
    others: VecDeque<LoggedEvent>,
    /// Number of viewers.
    watching: u64,
    /// Maximum number of viewers so far.
    peak: u64,
}

impl EventLog {
    /// Adds an event. Returns the event to report: repeats are reported rarely.
    pub fn note(&mut self, event: Event, now: Timestamp, wall_micros: i64) -> Option<Event> {
        let place = (self.next + 1, wall_micros);
        match event {
            Event::Refused(refusal) => {
                self.next += 1;
                self.refused.note(refusal, now, place).map(Event::Refused)
            }
            Event::Callback(answer) => {
                self.next += 1;
                self.callbacks.note(answer, now, place).map(Event::Callback)
            }
            event => {
                self.add(&event, wall_micros);
                Some(event)
            }
        }
    }

    fn add(&mut self, event: &Event, wall_micros: i64) {
        match event {
            Event::Join(_) => {
                self.watching += 1;
                self.peak = self.peak.max(self.watching);
            }
            Event::Leave(..) => self.watching = self.watching.saturating_sub(1),
            _ => {}
        }
        let logged = logged(event);
        let list = match event {
            Event::Join(_) | Event::Leave(..) => &mut self.viewers,
            _ => &mut self.others,
        };
        self.next += 1;
        list.push_back(LoggedEvent { number: self.next, wall_micros, ..logged });
        if list.len() > MAX_EVENTS {
            list.pop_front();
        }
    }

    /// Returns the last events, newest first. Viewer events are included only on request.
    pub fn latest(&self, with_viewers: bool) -> Vec<LoggedEvent> {
        let viewers = self.viewers.iter().filter(|_| with_viewers);
        let refused = self.refused.entries().map(|it| entry(it, of_refusal));
        let callbacks = self.callbacks.entries().map(|it| entry(it, of_callback));
        let others = self.others.iter().chain(viewers).cloned();
        let mut all: Vec<_> = others.chain(refused).chain(callbacks).collect();
        all.sort_unstable_by_key(|event| std::cmp::Reverse(event.number));
        all.truncate(MAX_EVENTS);
        all
    }

    /// Returns the maximum number of simultaneous viewers so far.
    pub fn peak(&self) -> u64 {
        self.peak
    }
}

fn entry<T>(entry: &Entry<T>, of: impl Fn(&T) -> LoggedEvent) -> LoggedEvent {
    let (number, wall_micros) = (entry.number, entry.wall_micros);
    LoggedEvent { number, wall_micros, ..of(&entry.event) }
}

fn short(text: &str) -> Option<String> {
    Some(text.chars().take(MAX_TEXT_CHARS).collect())
}

/// Writes an event to the log of the process.
pub(crate) fn trace(event: &Event) {
    if !tracing::enabled!(target: SESSION_LOG_TARGET, tracing::Level::INFO) {
        return;
    }
    let event = logged(event);
    tracing::info!(
        target: SESSION_LOG_TARGET,
        session = event.id,
        app = event.app,
        stream = event.stream,
        peer = event.address.map(tracing::field::display),
        refused = event.ip.map(tracing::field::display),
        action = event.action,
        cause = event.cause,
        times = event.times,
        protocol = event.protocol.map(Protocol::name),
        state = event.state,
        file = event.file,
        reason = event.reason_in(Language::English),
        callback = event.callback,
        host = event.host,
        status = event.status,
        took_ms = event.took.map(millis),
        seconds = event.after.map(|after| after.as_secs_f64()),
        bytes = event.bytes,
        "{}",
        event.name
    );
}

/// Returns the log entry for an event.
fn logged(event: &Event) -> LoggedEvent {
    let name_of = |path: &Path| short(&path.file_name().unwrap_or_default().to_string_lossy());
    match event {
        Event::Publish(peer) => of_peer("publish", peer, None),
        Event::Unpublish(peer, ended) => of_peer("unpublish", peer, Some(ended)),
        Event::Join(peer) => of_peer("join", peer, None),
        Event::Leave(peer, ended) => of_peer("leave", peer, Some(ended)),
        Event::Refused(refusal) => of_refusal(refusal),
        Event::Callback(answer) => of_callback(answer),
        Event::Fault(struck) => LoggedEvent {
            name: "fault",
            address: Some(struck.address),
            id: Some(struck.id),
            reason: Some(struck.fault.to_string().into()),
            ..LoggedEvent::default()
        },
        Event::Recording(recording) => LoggedEvent {
            name: "recording",
            app: short(&recording.app),
            stream: short(&recording.stream),
            state: Some(recording.state.name()),
            file: name_of(&recording.path),
            reason: recording.reason.clone(),
            // The length of a deleted file is unknown.
            after: (recording.state != RecordingState::Deleted).then_some(recording.after),
            bytes: Some(recording.bytes),
            ..LoggedEvent::default()
        },
        Event::Disk(warning) => {
            let (state, after) = match warning {
                Warning::Space { left, .. } => ("full", *left),
                Warning::Slow { queued } => ("slow", *queued),
            };
            LoggedEvent {
                name: "disk",
                state: Some(state),
                after: Some(after),
                ..LoggedEvent::default()
            }
        }
        Event::Held(path, _) => LoggedEvent {
            name: "recording",
            state: Some("waiting"),
            file: name_of(path),
            ..LoggedEvent::default()
        },
        Event::Rendition(change) => LoggedEvent {
            name: "rendition",
            app: short(&change.app),
            stream: short(&change.stream),
            state: Some(change.state.name()),
            rendition: short(&change.rendition),
            cause: change.cause,
            reason: change.reason.clone(),
            ..LoggedEvent::default()
        },
        Event::Relay(change) => LoggedEvent {
            name: "relay",
            direction: Some(change.direction),
            app: short(&change.app),
            stream: short(&change.stream),
            id: Some(change.id),
            state: Some(change.state.name()),
            url: short(&change.url),
            reason: change.cause.clone(),
            ..LoggedEvent::default()
        },
        Event::Unusual(unusual) => LoggedEvent {
            name: "unusual",
            app: short(&unusual.app),
            stream: short(&unusual.stream),
            cause: Some(unusual.cause),
            reason: Some(unusual.reason.clone()),
            ..LoggedEvent::default()
        },
        Event::Drain { successor } => LoggedEvent {
            name: "drain",
            url: successor.as_deref().and_then(short),
            ..LoggedEvent::default()
        },
    }
}

/// Returns a name of an event, if there is one.
fn named(name: &str) -> Option<String> {
    Some(name).filter(|name| !name.is_empty()).and_then(short)
}

/// Returns whole milliseconds.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn of_callback(answer: &CallbackAnswer) -> LoggedEvent {
    LoggedEvent {
        name: "callback",
        app: named(&answer.app),
        stream: named(&answer.stream),
        callback: Some(answer.callback),
        host: short(&answer.host),
        id: Some(answer.id),
        state: Some(answer.result.name()),
        status: answer.status,
        took: Some(answer.took),
        cause: answer.cause,
        reason: answer.reason.clone(),
        times: Some(answer.times),
        ..LoggedEvent::default()
    }
}

fn of_refusal(refusal: &Refusal) -> LoggedEvent {
    LoggedEvent {
        name: "refused",
        app: named(&refusal.app),
        stream: named(&refusal.stream),
        ip: Some(refusal.address),
        protocol: refusal.protocol,
        action: Some(refusal.action),
        cause: Some(refusal.cause),
        reason: Some(refusal.reason.clone()),
        times: Some(refusal.times),
        ..LoggedEvent::default()
    }
}

fn of_peer(name: &'static str, peer: &Peer, ended: Option<&Ended>) -> LoggedEvent {
    LoggedEvent {
        name,
        app: short(&peer.app),
        stream: short(&peer.stream),
        address: Some(peer.address),
        id: Some(peer.id),
        protocol: Some(peer.protocol),
        reason: ended.map(|ended| ended.reason.clone()),
        after: ended.map(|ended| ended.after),
        bytes: ended.map(|ended| ended.bytes),
        ..LoggedEvent::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::event::{CallbackResult, Recording};

    fn peer(stream: &str) -> Peer {
        Peer {
            app: "live".to_owned(),
            stream: stream.to_owned(),
            address: "192.0.2.1:5".parse().unwrap(),
            id: 7,
            protocol: Protocol::HttpFlv,
        }
    }

    #[test]
    fn viewers_displace_only_viewers_and_texts_are_short() {
        let mut log = EventLog::default();
        let mut note = |event| log.note(event, Timestamp::ZERO, 1).is_some();
        assert!(note(Event::Publish(peer(&"x".repeat(60_000)))));
        for _ in 0..500 {
            note(Event::Join(peer("show")));
        }
        let ended = Ended { reason: "gone".into(), after: Duration::ZERO, bytes: 9 };
        note(Event::Leave(peer("show"), ended));
        let others = log.latest(false);
        assert_eq!((others.len(), others[0].name, others[0].number), (1, "publish", 1));
        assert_eq!(others[0].stream.as_ref().unwrap().len(), MAX_TEXT_CHARS);
        let all = log.latest(true);
        assert_eq!((all.len(), all[0].name, all[0].bytes), (MAX_EVENTS, "leave", Some(9)));
        assert_eq!((log.peak(), log.watching), (500, 499));
    }

    #[test]
    fn only_a_recording_that_still_exists_has_a_length() {
        for (state, after) in [
            (RecordingState::Deleted, None),
            (RecordingState::Finished, Some(Duration::from_secs(3))),
        ] {
            let recording = Recording {
                app: "live".to_owned(),
                stream: "show".to_owned(),
                path: "live-show.flv".into(),
                state,
                after: after.unwrap_or_default(),
                bytes: 9,
                reason: None,
            };
            let logged = logged(&Event::Recording(recording));
            assert_eq!((logged.after, logged.bytes), (after, Some(9)));
        }
    }

    #[test]
    fn the_answer_of_a_callback_has_the_id_of_its_client() {
        let answer = CallbackAnswer {
            callback: "on_publish",
            host: "auth.example:80".to_owned(),
            id: 7,
            app: "live".to_owned(),
            stream: "show".to_owned(),
            result: CallbackResult::Accepted,
            status: Some(200),
            cause: None,
            reason: None,
            took: Duration::ZERO,
            times: 1,
        };
        assert_eq!(logged(&Event::Callback(answer)).id, Some(7));
    }

    #[test]
    fn refused_clients_displace_no_other_events() {
        let mut log = EventLog::default();
        for _ in 0..MAX_EVENTS {
            log.note(Event::Publish(peer("show")), Timestamp::ZERO, 1);
        }
        for last in 0..1_000_u32 {
            let refusal = Refusal {
                address: std::net::Ipv4Addr::from(last).into(),
                protocol: Some(Protocol::Rtmp),
                action: "publish",
                app: "live".to_owned(),
                stream: String::new(),
                cause: "wrong-key",
                reason: "The publish key is wrong.".into(),
                times: 1,
            };
            log.note(Event::Refused(refusal), Timestamp::ZERO, 2);
        }
        let all = log.latest(true);
        assert_eq!((all.len(), all[0].name, all[0].stream.as_ref()), (MAX_EVENTS, "refused", None));
        assert_eq!(all.iter().filter(|it| it.name == "publish").count(), MAX_EVENTS - 20);
    }
}
