//! Converts the reports of a publisher to events and messages.

use crate::audio::AudioChoice;
use crate::broadcast::publisher;
use crate::capture::VideoChoice;
use crate::media::RenditionId;
use crate::net::{self, ConnectStage};
use crate::studio::event::{self, TargetState};
use crate::studio::notices::Next;
use crate::studio::notices::message::StudioMessage;
use crate::studio::targets::address::key;
use crate::text::problem::problem;

/// Returns the studio's target state for a publisher's state.
pub(crate) fn state(state: publisher::State) -> TargetState {
    match state {
        publisher::State::Connecting => TargetState::Connecting,
        publisher::State::Live => TargetState::Live,
        publisher::State::Reconnecting => TargetState::Reconnecting,
        publisher::State::Stopped => TargetState::Stopped,
        publisher::State::Failed(_) => TargetState::Failed,
    }
}

/// Converts a publisher's report to an event.
pub(crate) fn target_event(
    (id, label): (u32, &str),
    target: &publisher::Target,
    built_in: bool,
    report: &publisher::Report,
) -> event::Target {
    let exit = match report.state {
        publisher::State::Failed(class) => Some(class.exit_code()),
        _ => None,
    };
    let elsewhere = report.elsewhere(target);
    let unanswered = elsewhere.is_some() && report.stage <= ConnectStage::Handshake;
    let cause = report.problem().map(|problem| match elsewhere {
        Some(peer) => problem!("net-sent-on", peer = peer, cause = problem),
        None => problem,
    });
    let cause = cause.map(|problem| match unanswered {
        true => problem.with_cure(problem!("net-cure-sent-on")),
        false => problem,
    });
    event::Target {
        index: id as usize,
        program: event::ProgramName::Main,
        url: if built_in { target.url.shown_with_name() } else { target.url.to_string() },
        host: label.to_owned(),
        state: state(report.state),
        server: elsewhere.filter(|_| report.error.is_none()).map(str::to_owned),
        stage: Some(report.stage.name()),
        code: report.code().map(str::to_owned),
        cause,
        retry_in: report.retry_in,
        gap: report.gap,
        lost_frames: report.lost_frames,
        is_earlier: report.history.is_earlier,
        retried_for: report.history.retried_for,
        exit,
        trouble: report.error.as_ref().map(net::Error::trouble),
        pin: report
            .error
            .as_ref()
            .and_then(net::Error::pin_to_offer)
            .filter(|_| elsewhere.is_none()),
    }
}

/// Returns a number for a message; `none` means that the message does not mention it.
pub(crate) fn count_or_none(count: u64) -> String {
    if count == 0 { "none".to_owned() } else { count.to_string() }
}

/// Returns the rendition of a target.
pub(crate) fn rendition_id(figures: &publisher::Figures) -> RenditionId {
    figures.rendition.as_ref().map_or(RenditionId::Main, |rendition| rendition.rendition_id)
}

/// Returns the notice for a state change of a target, if one is needed.
pub(crate) fn message(event: &event::Target) -> Option<StudioMessage> {
    let trouble = event.trouble?;
    let next = match (event.state, event.retry_in) {
        (TargetState::Failed, _) => event.retried_for.map_or(Next::GivenUp, Next::TimeOver),
        // Further attempts would only repeat the problem, so it is reported once, when the wait for
        // the next attempt begins.
        (TargetState::Connecting | TargetState::Reconnecting, Some(wait)) => Next::Retry(wait),
        _ => return None,
    };
    Some(StudioMessage::Target {
        key: key(trouble),
        id: u32::try_from(event.index).unwrap_or_default(),
        pin: event.pin.filter(|_| event.state == TargetState::Failed),
        host: event.host.clone(),
        cause: event.cause.clone().unwrap_or_default(),
        next,
    })
}

/// Returns the name of a video choice in events, and whether it is a device.
pub(crate) fn video_kind(choice: &VideoChoice) -> (&'static str, bool) {
    match choice {
        VideoChoice::Camera(_) => ("camera", true),
        VideoChoice::Test => ("test", false),
        VideoChoice::File(_) => ("file", false),
        VideoChoice::Screen(_) => ("screen", false),
        VideoChoice::Window(_) => ("window", false),
        VideoChoice::Stream(_) => ("stream", false),
        VideoChoice::Guest(_) => ("guest", false),
        VideoChoice::Browser(_) => ("browser", false),
        VideoChoice::Text(_) => ("text", false),
        VideoChoice::Image(_) => ("image", false),
        VideoChoice::Slides(_) => ("slides", false),
        VideoChoice::Color(_) => ("color", false),
        VideoChoice::None => ("none", false),
    }
}

/// Returns the name of an audio choice in events, and whether it is a device.
pub(crate) fn audio_kind(choice: &AudioChoice) -> (&'static str, bool) {
    match choice {
        AudioChoice::Mic(_) => ("mic", true),
        AudioChoice::Stream(_) => ("stream", false),
        AudioChoice::Guest(_) => ("guest", false),
        AudioChoice::System(_) => ("system", false),
        AudioChoice::Application(_) => ("app", false),
        AudioChoice::Tone => ("tone", false),
        AudioChoice::Silence => ("silence", false),
        AudioChoice::File(_) => ("file", false),
        AudioChoice::None => ("none", false),
    }
}
