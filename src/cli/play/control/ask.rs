//! Executes the lines of standard input through the studio, as the window does.

use std::time::Duration;

use super::{Chat, PlayCommand, SeekDirection, SeekPlace, StreamSelection, Viewport};
use crate::cli::play::args::Buffer;
use crate::cli::play::control;
use crate::player::chat::ChatState;
use crate::studio::watch::chat::ChatView;
use crate::studio::watch::view::{TileView, WatchState};
use crate::studio::watch::viewport;
use crate::studio::{Command, Snapshot, Studio, WatchCommand};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::chat::ChatRefusal;

/// Time limit for creating a recording file, and for sending a chat message.
const RESULT_TIMEOUT: Duration = Duration::from_secs(1);

/// Executes a command. The studio's snapshot already includes the effects of all earlier commands.
///
/// # Errors
/// Fails with the reason why the command is not possible.
pub fn ask(asked: PlayCommand, studio: &Studio, headless: bool) -> Result<(), Problem> {
    let records = matches!(asked, PlayCommand::Record(Some(_)));
    let says = matches!(asked, PlayCommand::Say(_));
    let snapshot = studio.snapshot();
    if headless {
        check_headless(&asked, &snapshot)?;
    }
    studio.send(command(asked, &snapshot)?);
    if records && studio.settle(RESULT_TIMEOUT) {
        recorded(&studio.snapshot())
    } else if says && studio.settle(RESULT_TIMEOUT) {
        check_sent(&snapshot.chat, &studio.snapshot().chat)
    } else {
        Ok(())
    }
}

/// Checks whether a command is possible without a window. Without a window, viewport commands have
/// no effect, and a muted player stays muted.
fn check_headless(asked: &PlayCommand, snapshot: &Snapshot) -> Result<(), Problem> {
    match asked {
        PlayCommand::SetViewport(_) | PlayCommand::Chat(_) => Err(problem!("control-no-window")),
        PlayCommand::Stream(which) => {
            let tile = other(*which, snapshot)?;
            let number = tile.id.slot() + 1;
            is_running(tile)
                .then_some(())
                .ok_or_else(|| problem!("control-stream-idle", number = number))
        }
        PlayCommand::Screenshot(_) if chosen(snapshot)?.frame.0.get().is_none() => {
            Err(problem!("screenshot-none"))
        }
        _ => Ok(()),
    }
}

/// Checks whether the requested file was created. Fails with the player's message otherwise.
fn recorded(snapshot: &Snapshot) -> Result<(), Problem> {
    if chosen(snapshot)?.figures.counted.saving.is_some() {
        return Ok(());
    }
    let notice = snapshot.notices.iter().rfind(|notice| notice.key() == "watch-file");
    Err(notice.map_or_else(|| problem!("control-no-file-made"), |notice| notice.problem.clone()))
}

/// Checks whether onair could send a message, by the lines of the chat before and after it.
fn check_sent(before: &ChatView, after: &ChatView) -> Result<(), Problem> {
    let last = before.lines.last().map_or(0, |line| line.number);
    let is_unsent = after.lines.iter().filter(|line| line.number > last).any(|line| {
        line.refusal.as_ref().is_some_and(|refusal| refusal.reason == ChatRefusal::UNSENT)
    });
    if is_unsent { Err(problem!("control-not-sent")) } else { Ok(()) }
}

fn command(asked: PlayCommand, snapshot: &Snapshot) -> Result<Command, Problem> {
    let figures = &snapshot.watch_figures;
    let playing = match asked {
        PlayCommand::Volume(volume) => return Ok(Command::SetVolume(volume.on(figures.volume))),
        PlayCommand::Mute(muted) => {
            return Ok(Command::SetPlayerMuted(muted.unwrap_or(!figures.muted)));
        }
        PlayCommand::Stop => return Ok(Command::Quit),
        PlayCommand::Balance(balance) => WatchCommand::SetBalance(balance),
        PlayCommand::Speaker(id) => WatchCommand::SetSpeaker(id),
        PlayCommand::AvOffset(millis) => WatchCommand::SetAvOffset(millis),
        PlayCommand::Buffer(Buffer::Auto) => WatchCommand::SetBuffer(None),
        PlayCommand::Buffer(Buffer::Fixed(buffer)) => WatchCommand::SetBuffer(Some(buffer)),
        PlayCommand::Stream(which) => WatchCommand::Choose(other(which, snapshot)?.id),
        PlayCommand::Chat(choice) => WatchCommand::SetChat(chat(&choice, snapshot)),
        PlayCommand::Say(text) if snapshot.chat.state == Some(ChatState::Open) => {
            WatchCommand::Say(text)
        }
        PlayCommand::Say(_) => {
            return Err(problem!("control-no-chat"));
        }
        PlayCommand::SetViewport(asked) => {
            let tile = chosen(snapshot)?;
            WatchCommand::SetViewport(tile.id, changed(asked, tile.viewport))
        }
        PlayCommand::Pause(paused) => {
            running(snapshot)?;
            WatchCommand::Pause(paused)
        }
        PlayCommand::Seek(place) => {
            let is_ahead = matches!(place, SeekPlace::Ahead(_));
            go(control::way(place, &seekable(snapshot, is_ahead)?.figures.counted)?)
        }
        PlayCommand::Rewind(behind) => {
            go(control::way_back(behind, &seekable(snapshot, false)?.figures.counted)?)
        }
        PlayCommand::GoLive => {
            control::live_end(&running(snapshot)?.figures.counted)?;
            WatchCommand::GoToLive
        }
        PlayCommand::Screenshot(path) => WatchCommand::Screenshot(path),
        PlayCommand::Record(Some(path)) => {
            control::recordable(&running(snapshot)?.figures.counted)?;
            WatchCommand::Save(path)
        }
        PlayCommand::Record(None) => WatchCommand::StopSaving,
    };
    Ok(Command::Player(playing))
}

/// Returns the selected tile.
fn chosen(snapshot: &Snapshot) -> Result<&TileView, Problem> {
    snapshot.tiles.iter().find(|tile| tile.chosen).ok_or_else(|| problem!("control-nothing-plays"))
}

/// Returns the tile that `which` selects.
fn other(which: StreamSelection, snapshot: &Snapshot) -> Result<&TileView, Problem> {
    let tiles = &snapshot.tiles;
    let now = tiles.iter().position(|tile| tile.chosen).unwrap_or(0);
    let next = which.of(tiles.len(), now)?;
    tiles.get(next).ok_or_else(|| problem!("control-nothing-plays"))
}

fn is_running(tile: &TileView) -> bool {
    match tile.state {
        WatchState::Opening { .. } | WatchState::Playing | WatchState::Reconnecting { .. } => true,
        WatchState::Idle | WatchState::Ended | WatchState::Failed { .. } => false,
    }
}

/// Returns the selected tile, if it is playing.
fn running(snapshot: &Snapshot) -> Result<&TileView, Problem> {
    chosen(snapshot)
        .and_then(|tile| is_running(tile).then_some(tile).ok_or_else(|| problem!("control-idle")))
}

/// Returns the selected tile, if it is playing or contains a recording that has ended. A seek plays
/// such a recording again, unless it goes ahead.
fn seekable(snapshot: &Snapshot, is_ahead: bool) -> Result<&TileView, Problem> {
    let tile = chosen(snapshot)?;
    let is_over = tile.state == WatchState::Ended && tile.figures.counted.duration.is_some();
    if is_over && !is_ahead { Ok(tile) } else { running(snapshot) }
}

fn go(way: SeekDirection) -> WatchCommand {
    match way {
        SeekDirection::To(place) => WatchCommand::Seek(place),
        SeekDirection::Behind(behind) if behind.is_zero() => WatchCommand::GoToLive,
        SeekDirection::Behind(behind) => WatchCommand::SeekBehindLive(behind),
        SeekDirection::Step { by, ahead } => WatchCommand::Step { by, ahead },
    }
}

fn changed(asked: Viewport, now: viewport::Viewport) -> viewport::Viewport {
    match asked {
        Viewport::Shape(aspect) => viewport::Viewport { aspect, ..now },
        Viewport::Zoom(zoom) => viewport::Viewport { zoom, ..now },
        Viewport::Turn(turn) => viewport::Viewport { turn, ..now },
    }
}

fn chat(asked: &Chat, snapshot: &Snapshot) -> crate::studio::watch::chat::ChatChoices {
    let mut choices = snapshot.chat_choices.clone();
    match asked {
        Chat::Flying(flying) => choices.flying = *flying,
        Chat::Opacity(opacity) => choices.opacity = *opacity,
        Chat::Speed(speed) => choices.speed = *speed,
        Chat::Size(size) => choices.size = *size,
        Chat::Hide(words) => choices.words.clone_from(words),
    }
    choices.checked()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::watch::view::WatchFigures;

    #[test]
    fn a_recording_that_has_ended_can_be_played_again_by_a_seek() {
        let seconds = Duration::from_secs;
        let of = |asked, duration| {
            let mut figures = WatchFigures::default();
            figures.counted.duration = duration;
            let state = WatchState::Ended;
            let tile = TileView { chosen: true, state, figures, ..TileView::default() };
            let snapshot = Snapshot { tiles: vec![tile], ..Snapshot::default() };
            command(asked, &snapshot).map_err(|problem| problem.id())
        };
        let length = Some(seconds(12));
        for place in [SeekPlace::At(seconds(3)), SeekPlace::Back(seconds(3))] {
            assert!(of(PlayCommand::Seek(place), length).is_ok(), "{place:?}");
            assert_eq!(of(PlayCommand::Seek(place), None).err(), Some("control-idle"));
        }
        assert!(of(PlayCommand::Rewind(None), length).is_ok());
        for asked in [PlayCommand::Seek(SeekPlace::Ahead(seconds(3))), PlayCommand::Pause(true)] {
            assert_eq!(of(asked, length).err(), Some("control-idle"));
        }
    }
}
