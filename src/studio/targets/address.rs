//! Targets: from what a person wrote to what a publisher needs, and back from what a publisher
//! reports to what a person is told.

use std::net::SocketAddr;
use std::time::Duration;

use crate::audio::AudioChoice;
use crate::base::{Secret, Timestamp};
use crate::broadcast::publisher::Flow;
use crate::broadcast::{Publisher, publisher};
use crate::capture::VideoChoice;
use crate::media::Rung;
use crate::net::{self, Cause, Stage, Trouble};
use crate::studio::event::{self, TargetState};
use crate::studio::message::Message;
use crate::studio::notice::Next;
use crate::studio::services::Book;
use crate::studio::stats;
use crate::studio::{Place, Target};
use crate::wire::rtmp::status::Status;
use crate::wire::rtmp::url::{Url, authority};

/// Application and name of the program's own stream on the built-in server.
pub(super) const OWN_STREAM: (&str, &str) = ("live", "onair");

/// Where the program publishes on the built-in server.
#[derive(Copy, Clone, Debug)]
pub(super) struct Entrance<'a> {
    pub address: SocketAddr,
    pub key: &'a Secret,
}

/// What a publisher needs of a target that goes in at `built_in`, if it is that one.
///
/// # Errors
/// What is wrong with the URL, in plain words.
pub(super) fn resolve(
    wanted: &Target,
    built_in: Option<Entrance<'_>>,
    options: &crate::net::rtmp::Options,
    retry_for: Option<Duration>,
) -> Result<publisher::Target, String> {
    let url = match &wanted.place {
        Place::BuiltIn => {
            let Entrance { address, key } = built_in.ok_or("the built-in server does not run")?;
            let url = format!("{}?key={}", play_url(address), key.expose());
            Url::parse(&url).map_err(|error| error.to_string())?
        }
        Place::Custom { .. } if wanted.key_apart && wanted.key().is_none() => {
            return Err("the stream key is missing".into());
        }
        Place::Custom { server, .. } => parse(server, wanted.key())?,
    };
    let mut target = publisher::Target::new(url);
    target.options = options.clone();
    if wanted.pin.is_some() {
        target.options.net.trust.pin = wanted.pin;
    }
    wanted.route.apply(&mut target.options.net)?;
    target.retry_for = retry_for;
    target.own_server = wanted.is_built_in();
    Ok(target)
}

/// A target's URL without its key.
pub(super) fn shown(wanted: &Target) -> String {
    match &wanted.place {
        Place::BuiltIn => "built-in".into(),
        Place::Custom { server, .. } => {
            parse(server, wanted.key()).map_or_else(|_| "***".into(), |url| url.to_string())
        }
    }
}

/// Reads a target's URL.
///
/// # Errors
/// What is wrong with it, in plain words without the key.
pub fn parse(url: &str, key: Option<&Secret>) -> Result<Url, String> {
    let url = url.trim();
    match key {
        Some(key) => Url::with_key(url, key.expose()),
        None => Url::parse(url),
    }
    .and_then(Url::require_stream)
    .map_err(|error| error.to_string())
}

/// Whether a target says which stream it is: by a key, or as the last part of its URL.
pub fn names_stream(target: &Target) -> bool {
    let missing = target.key_apart && target.key().is_none();
    target.is_built_in() || (!missing && parse(target.server(), target.key()).is_ok())
}

/// Where the broadcast can be watched on the built-in server.
pub(super) fn play_url(address: SocketAddr) -> String {
    let (app, stream) = OWN_STREAM;
    format!("rtmp://{address}/{app}/{stream}")
}

/// A custom server's URL as it may be remembered: without password, and without the key where that
/// is part of it; `apart`: it is not, though there is none beside it. What was remembered stays as it
/// is.
pub(super) fn without_key(server: &str, key: &Secret, apart: bool) -> String {
    let server = server.trim();
    let url = match key.is_empty() && !apart {
        true => Url::parse(server),
        false => Url::with_key(server, key.expose()),
    };
    let Ok(bare) = url.map(|url| url.tc_url()) else { return server.to_owned() };
    // The last part of a longer path would pass for the key when it is read: a slash at the end says
    // that there is none.
    let passes = Url::parse(&bare).is_ok_and(|url| !url.stream.is_empty());
    if passes && !bare.contains('?') { bare + "/" } else { bare }
}

/// What a publisher does, in the studio's words.
pub(super) fn state(state: publisher::State) -> TargetState {
    match state {
        publisher::State::Connecting => TargetState::Connecting,
        publisher::State::Live => TargetState::Live,
        publisher::State::Reconnecting => TargetState::Reconnecting,
        publisher::State::Stopped => TargetState::Stopped,
        publisher::State::Failed(_) => TargetState::Failed,
    }
}

/// A publisher's report as an event.
pub(super) fn told(
    (id, label): (u32, &str),
    target: &publisher::Target,
    built_in: bool,
    report: &publisher::Report,
) -> event::Target {
    let exit = match report.state {
        publisher::State::Failed(class) => Some(class.exit_code()),
        _ => None,
    };
    let elsewhere = report.error.as_ref().and_then(|error| sent_on(target, error));
    let unanswered = elsewhere.is_some() && report.stage <= Stage::Handshake;
    let cause = report.cause().map(|cause| match elsewhere {
        Some(peer) => format!("it sends the stream on to {peer}: {cause}"),
        None => cause,
    });
    let advice = report.advice().map(|advice| match unanswered {
        true => "Tell whoever runs the server, or use another address of its service.".into(),
        false => advice,
    });
    event::Target {
        index: id as usize,
        url: if built_in { target.url.display_with_name() } else { target.url.to_string() },
        host: label.to_owned(),
        state: state(report.state),
        stage: Some(report.stage.name()),
        code: report.code().map(str::to_owned),
        cause,
        advice,
        retry_in: report.retry_in,
        gap: report.gap,
        exit,
        trouble: report.error.as_ref().map(net::Error::trouble),
        pin: report
            .error
            .as_ref()
            .and_then(net::Error::pin_to_offer)
            .filter(|_| elsewhere.is_none()),
    }
}

/// The server at which an error happened, where the target's own had sent us on there.
fn sent_on<'a>(target: &publisher::Target, error: &'a net::Error) -> Option<&'a str> {
    let url = &target.url;
    let own = |port| authority(&url.host, port) == error.peer;
    let mut ports = target.options.net.ports.iter().copied().chain([url.port]);
    let is_own = error.peer == url.host || ports.any(own);
    (!is_own).then_some(error.peer.as_str())
}

/// What messages call a target: by its name or service, where it has one, and where it is.
pub(super) fn label(target: &Target, place: &str, services: &Book, all: &[Target]) -> String {
    let service = || services.of_target(&target.service, target.server());
    let named = match target.name.trim() {
        "" => service().map(|service| service.name.to_string()),
        name => Some(name.to_owned()),
    };
    let alike = |other: &&Target| {
        let url = parse(other.server(), other.key()).ok();
        other.enabled && other.id != target.id && url.is_some_and(|it| it.authority() == place)
    };
    let numbered = || {
        let at = all.iter().position(|it| it.id == target.id)?;
        let more = place.is_empty() || all.iter().any(|it| alike(&it));
        more.then(|| format!("Target {}", at + 1))
    };
    match named.or_else(numbered) {
        Some(name) if place.is_empty() => name,
        Some(name) => format!("{name} ({place})"),
        None => place.to_owned(),
    }
}

/// A publisher's figures.
pub(super) fn figures(
    publisher: &Publisher,
    meter: &mut stats::Meter,
    now: Timestamp,
) -> stats::Target {
    let figures = publisher.figures();
    stats::Target {
        state: state(publisher.state()),
        sent_bytes: figures.sent_bytes,
        bitrate: meter.rate(figures.sent_bytes, now),
        queued_ms: u64::try_from(figures.queued.as_millis()).unwrap_or(u64::MAX),
        dropped_frames: figures.dropped_frames,
        dropped_sounds: figures.dropped_sounds,
        sent_frames: figures.total_frames.saturating_sub(figures.dropped_frames),
        reconnects: figures.reconnects,
        picture_age_ms: figures.picture_age.map(|age| age.as_secs_f64() * 1_000.0),
        round_trip_ms: figures.round_trip.map(|trip| trip.as_secs_f64() * 1_000.0),
        rung: rung(&figures),
        size: figures.rendition.as_ref().map(|rendition| rendition.video.size),
        monitor: None,
    }
}

/// Which encode goes to a target.
pub(super) fn rung(figures: &publisher::Figures) -> Rung {
    figures.rendition.as_ref().map_or(Rung::Main, |rendition| rendition.rung)
}

/// Whether a server says this to everybody and it means nothing to a person.
pub(super) fn is_routine(status: &Status) -> bool {
    const ROUTINE: &[&str] = &[
        "NetStream.Publish.Start",
        "NetStream.Unpublish.Success",
        "NetStream.FCPublish.Start",
        "NetConnection.Connect.Success",
    ];
    ROUTINE.contains(&status.code.as_str())
}

/// The message's name for a kind of trouble.
const fn key(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Settings => "target-settings",
        Trouble::NoSuchHost => "target-no-such-host",
        Trouble::NoNetwork => "target-no-network",
        Trouble::Unreachable => "target-unreachable",
        Trouble::Timeout => "target-timeout",
        Trouble::Certificate => "target-certificate",
        Trouble::NotRtmp => "target-not-rtmp",
        Trouble::Refused | Trouble::NoSuchStream => "target-refused",
        Trouble::Busy => "target-busy",
        Trouble::Silent => "target-silent",
        Trouble::Lost => "target-lost",
        Trouble::Failed => "target-failed",
    }
}

/// What a person is told when a target's state changes, if it is worth a notice.
pub(super) fn message(told: &event::Target) -> Option<Message> {
    let trouble = told.trouble?;
    let next = match (told.state, told.retry_in) {
        (TargetState::Failed, _) => Next::GivenUp,
        // Each try anew would only repeat it: once, when the wait for the next begins.
        (TargetState::Connecting | TargetState::Reconnecting, Some(wait)) => Next::Retry(wait),
        _ => return None,
    };
    Some(Message::Target {
        key: key(trouble),
        id: u32::try_from(told.index).unwrap_or_default(),
        pin: told.pin.filter(|_| told.state == TargetState::Failed),
        host: told.host.clone(),
        cause: told.cause.clone().unwrap_or_default(),
        advice: told.advice.clone().unwrap_or_default(),
        next,
    })
}

/// What a person is told of a live target to which nothing gets through; `None`: something does again.
pub(super) fn stalled(id: u32, host: &str, flow: Flow) -> Option<Message> {
    let cause = match flow {
        Flow::Through => return None,
        Flow::Silent => Cause::Silent,
        Flow::NoNetwork => Cause::NoNetwork,
    };
    let error = net::Error { stage: Stage::Media, cause, peer: String::new() };
    Some(Message::Target {
        key: key(error.trouble()),
        id,
        pin: None,
        host: host.to_owned(),
        cause: error.cause.to_string(),
        advice: error.advice(),
        next: Next::Waiting,
    })
}

/// The names of what [`stalled`] tells.
pub(super) const STALLED: [&str; 2] = [key(Trouble::Silent), key(Trouble::NoNetwork)];

/// The word of a picture choice in events, and whether it is a device.
pub(super) fn video_kind(choice: &VideoChoice) -> (&'static str, bool) {
    match choice {
        VideoChoice::Camera(_) => ("camera", true),
        VideoChoice::Test => ("test", false),
        VideoChoice::File(_) => ("file", false),
        VideoChoice::Screen(_) => ("screen", false),
        VideoChoice::Window(_) => ("window", false),
        VideoChoice::Stream(_) => ("stream", false),
        VideoChoice::Text(_) => ("text", false),
        VideoChoice::Image(_) => ("image", false),
        VideoChoice::Slides(_) => ("slides", false),
        VideoChoice::Color(_) => ("color", false),
        VideoChoice::None => ("none", false),
    }
}

/// The word of a sound choice in events, and whether it is a device.
pub(super) fn audio_kind(choice: &AudioChoice) -> (&'static str, bool) {
    match choice {
        AudioChoice::Mic(_) => ("mic", true),
        AudioChoice::Stream(_) => ("stream", false),
        AudioChoice::System(_) => ("system", false),
        AudioChoice::Application(_) => ("app", false),
        AudioChoice::Tone => ("tone", false),
        AudioChoice::Silence => ("silence", false),
        AudioChoice::File(_) => ("file", false),
        AudioChoice::None => ("none", false),
    }
}
