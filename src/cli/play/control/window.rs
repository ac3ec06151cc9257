//! `--control` beside a window: what lines on standard input ask for is asked of the studio, as the window
//! does.

use super::{Asked, Chat, Look, Way};
use crate::cli::play::args::Buffer;
use crate::cli::play::control;
use crate::player::chat::ChatState;
use crate::studio::watch::picture_view;
use crate::studio::watch::view::{TileView, WatchState};
use crate::studio::{Command, Playing, Snapshot, Studio};

/// Asks for it; the studio's snapshot shows all that was asked before.
///
/// # Errors
/// Why that cannot be.
pub(in crate::cli::play) fn ask(asked: Asked, studio: &Studio) -> Result<(), String> {
    let command = command(asked, &studio.snapshot())?;
    studio.send(command);
    Ok(())
}

fn command(asked: Asked, snapshot: &Snapshot) -> Result<Command, String> {
    let figures = &snapshot.watch_figures;
    let playing = match asked {
        Asked::Volume(volume) => return Ok(Command::SetVolume(volume.on(figures.volume))),
        Asked::Mute(muted) => {
            return Ok(Command::SetPlayerMuted(muted.unwrap_or(!figures.muted)));
        }
        Asked::Stop => return Ok(Command::Quit),
        Asked::Balance(balance) => Playing::SetBalance(balance),
        Asked::Speaker(id) => Playing::SetSpeaker(id),
        Asked::AvOffset(millis) => Playing::SetAvOffset(millis),
        Asked::Buffer(Buffer::Auto) => Playing::SetBuffer(None),
        Asked::Buffer(Buffer::Fixed(buffer)) => Playing::SetBuffer(Some(buffer)),
        Asked::Stream(which) => {
            let tiles = &snapshot.tiles;
            let now = tiles.iter().position(|tile| tile.chosen).unwrap_or(0);
            let next = which.of(tiles.len(), now)?;
            Playing::Choose(tiles.get(next).map(|tile| tile.id).unwrap_or_default())
        }
        Asked::Chat(choice) => Playing::SetChat(chat(&choice, snapshot)),
        Asked::Say(text) if snapshot.chat.state == Some(ChatState::Open) => Playing::Say(text),
        Asked::Say(_) => {
            return Err("there is no chat about it that is open".to_owned());
        }
        Asked::Look(look) => {
            let tile = chosen(snapshot)?;
            Playing::SetLook(tile.id, looked(look, tile.look))
        }
        Asked::Pause(paused) => {
            running(snapshot)?;
            Playing::Pause(paused)
        }
        Asked::Seek(place) => go(control::way(place, &running(snapshot)?.counted)?),
        Asked::Rewind(behind) => go(control::way_back(behind, &running(snapshot)?.counted)?),
        Asked::GoLive => {
            control::live_end(&running(snapshot)?.counted)?;
            Playing::GoToLive
        }
        Asked::Snapshot(path) => Playing::Snapshot(path),
        Asked::Record(Some(path)) => {
            control::recordable(&running(snapshot)?.counted)?;
            Playing::Save(path)
        }
        Asked::Record(None) => Playing::StopSaving,
    };
    Ok(Command::Player(playing))
}

/// The tile that is heard and steered.
fn chosen(snapshot: &Snapshot) -> Result<&TileView, String> {
    snapshot.tiles.iter().find(|tile| tile.chosen).ok_or_else(|| "nothing plays".to_owned())
}

/// The same, where it plays.
fn running(snapshot: &Snapshot) -> Result<&TileView, String> {
    let tile = chosen(snapshot)?;
    match tile.state {
        WatchState::Opening { .. } | WatchState::Playing | WatchState::Reconnecting { .. } => {
            Ok(tile)
        }
        WatchState::Idle | WatchState::Ended | WatchState::Failed { .. } => {
            Err("it does not play".to_owned())
        }
    }
}

fn go(way: Way) -> Playing {
    match way {
        Way::To(place) => Playing::Seek(place),
        Way::Behind(behind) if behind.is_zero() => Playing::GoToLive,
        Way::Behind(behind) => Playing::Rewind(behind),
        Way::Step { by, ahead } => Playing::Step { by, ahead },
    }
}

fn looked(asked: Look, now: picture_view::Look) -> picture_view::Look {
    match asked {
        Look::Shape(aspect) => picture_view::Look { aspect, ..now },
        Look::Zoom(zoom) => picture_view::Look { zoom, ..now },
        Look::Turn(turn) => picture_view::Look { turn, ..now },
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
