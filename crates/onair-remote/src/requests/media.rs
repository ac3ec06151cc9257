//! Playback of media files and streams.

use std::time::Duration;

use serde_json::{Value, json};

use crate::call::{Call, CallResult, Failure, Outcome, RequestEntry};
use crate::compose::scene::SourceId;
use crate::protocol::status;
use onair_base::media::playback_control::{Position, TransportCommand};
use onair_studio::Command;
use onair_studio::snapshot::{SceneSource, SourceState};

pub const REQUESTS: &[RequestEntry] = &[
    ("GetMediaInputStatus", media_status),
    ("SetMediaInputCursor", set_cursor),
    ("OffsetMediaInputCursor", offset_cursor),
    ("TriggerMediaInputAction", trigger),
];

/// The longest position in milliseconds, a year.
const MAX_CURSOR_MILLIS: f64 = 31_536_000_000.0;

/// Returns the state of a source in the form of OBS.
pub fn state_of(source: &SceneSource) -> &'static str {
    match (source.state, source.playing) {
        (SourceState::Opening, _) => "OBS_MEDIA_STATE_OPENING",
        (SourceState::Failed, _) => "OBS_MEDIA_STATE_ERROR",
        (SourceState::Stalled | SourceState::Lost, _) => "OBS_MEDIA_STATE_BUFFERING",
        (SourceState::Open, None) => "OBS_MEDIA_STATE_NONE",
        (SourceState::Open, Some(Position { stopped: true, .. })) => "OBS_MEDIA_STATE_ENDED",
        (SourceState::Open, Some(Position { paused: true, .. })) => "OBS_MEDIA_STATE_PAUSED",
        (SourceState::Open, Some(_)) => "OBS_MEDIA_STATE_PLAYING",
    }
}

/// Returns the source of the input, and its position.
fn playing(call: &Call<'_>) -> Result<(SourceId, Position), Failure> {
    let input = call.input()?;
    let id = input.source;
    let position = id.and_then(|id| call.studio.scenes.source(id)).and_then(|it| it.playing);
    id.zip(position).ok_or_else(|| {
        let comment = format!("The input `{}` plays nothing.", input.name);
        Failure::new(status::INVALID_STATE, comment)
    })
}

fn millis(duration: Option<Duration>) -> Value {
    duration.map(|it| (it.as_millis() as u64).into()).unwrap_or_default()
}

fn media_status(call: &Call<'_>) -> CallResult {
    let input = call.input()?;
    let source = input.source.and_then(|id| call.studio.scenes.source(id));
    let position = source.and_then(|it| it.playing);
    Ok(Outcome::Answer(json!({
        "mediaState": source.map_or("OBS_MEDIA_STATE_NONE", state_of),
        "mediaDuration": millis(position.and_then(|it| it.whole)),
        "mediaCursor": millis(position.map(|it| it.at)),
    })))
}

/// Moves to this position, which the file may not reach.
fn move_to(id: SourceId, position: Position, millis: f64) -> CallResult {
    let Some(whole) = position.whole else {
        return Err(Failure::new(status::CANNOT_ACT, "The input cannot seek."));
    };
    let to = Duration::from_millis(millis.max(0.0) as u64).min(whole);
    Ok(Outcome::command(Command::Media(id, TransportCommand::To(to))))
}

fn set_cursor(call: &Call<'_>) -> CallResult {
    let (id, position) = playing(call)?;
    move_to(id, position, call.number("mediaCursor", (0.0, MAX_CURSOR_MILLIS))?)
}

fn offset_cursor(call: &Call<'_>) -> CallResult {
    let (id, position) = playing(call)?;
    let limits = (-MAX_CURSOR_MILLIS, MAX_CURSOR_MILLIS);
    let offset = call.number("mediaCursorOffset", limits)?;
    move_to(id, position, position.at.as_millis() as f64 + offset)
}

fn trigger(call: &Call<'_>) -> CallResult {
    let ((id, position), action) = (playing(call)?, call.text("mediaAction")?);
    let go = match action.strip_prefix("OBS_WEBSOCKET_MEDIA_INPUT_ACTION_") {
        Some("NONE") => return Ok(Outcome::nothing()),
        Some("PLAY") if position.stopped => TransportCommand::Restart,
        Some("PLAY") => TransportCommand::Resume,
        Some("PAUSE") => TransportCommand::Pause,
        Some("RESTART") => TransportCommand::Restart,
        Some("NEXT") => TransportCommand::Next,
        Some("PREVIOUS") => TransportCommand::Previous,
        Some("STOP") => {
            let comment = "A source cannot be stopped. Pause it instead.";
            return Err(Failure::new(status::CANNOT_ACT, comment));
        }
        _ => return Err(Failure::new(status::INVALID_FIELD, "The media action is unknown.")),
    };
    Ok(Outcome::command(Command::Media(id, go)))
}
