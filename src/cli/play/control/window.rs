//! `--control` beside a window: what lines on standard input ask for is asked of the studio, as the window
//! does.

use super::{Chat, PictureView, PlayCommand, SeekDirection};
use crate::cli::play::args::Buffer;
use crate::cli::play::control;
use crate::player::chat::ChatState;
use crate::studio::watch::picture_view;
use crate::studio::watch::view::{TileView, WatchState};
use crate::studio::{Command, Snapshot, Studio, WatchCommand};

/// Asks for it; the studio's snapshot shows all that was asked before.
///
/// # Errors
/// Why that cannot be.
pub(in crate::cli::play) fn ask(asked: PlayCommand, studio: &Studio) -> Result<(), String> {
    let command = command(asked, &studio.snapshot())?;
    studio.send(command);
    Ok(())
}

fn command(asked: PlayCommand, snapshot: &Snapshot) -> Result<Command, String> {
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
        PlayCommand::Stream(which) => {
            let tiles = &snapshot.tiles;
            let now = tiles.iter().position(|tile| tile.chosen).unwrap_or(0);
            let next = which.of(tiles.len(), now)?;
            WatchCommand::Choose(tiles.get(next).map(|tile| tile.id).unwrap_or_default())
        }
        PlayCommand::Chat(choice) => WatchCommand::SetChat(chat(&choice, snapshot)),
        PlayCommand::Say(text) if snapshot.chat.state == Some(ChatState::Open) => {
            WatchCommand::Say(text)
        }
        PlayCommand::Say(_) => {
            return Err("there is no chat about it that is open".to_owned());
        }
        PlayCommand::Look(look) => {
            let tile = chosen(snapshot)?;
            WatchCommand::SetLook(tile.id, looked(look, tile.look))
        }
        PlayCommand::Pause(paused) => {
            running(snapshot)?;
            WatchCommand::Pause(paused)
        }
        PlayCommand::Seek(place) => go(control::way(place, &running(snapshot)?.counted)?),
        PlayCommand::Rewind(behind) => go(control::way_back(behind, &running(snapshot)?.counted)?),
        PlayCommand::GoLive => {
            control::live_end(&running(snapshot)?.counted)?;
            WatchCommand::GoToLive
        }
        PlayCommand::Snapshot(path) => WatchCommand::Snapshot(path),
        PlayCommand::Record(Some(path)) => {
            control::recordable(&running(snapshot)?.counted)?;
            WatchCommand::Save(path)
        }
        PlayCommand::Record(None) => WatchCommand::StopSaving,
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

fn go(way: SeekDirection) -> WatchCommand {
    match way {
        SeekDirection::To(place) => WatchCommand::Seek(place),
        SeekDirection::Behind(behind) if behind.is_zero() => WatchCommand::GoToLive,
        SeekDirection::Behind(behind) => WatchCommand::Rewind(behind),
        SeekDirection::Step { by, ahead } => WatchCommand::Step { by, ahead },
    }
}

fn looked(asked: PictureView, now: picture_view::PictureView) -> picture_view::PictureView {
    match asked {
        PictureView::Shape(aspect) => picture_view::PictureView { aspect, ..now },
        PictureView::Zoom(zoom) => picture_view::PictureView { zoom, ..now },
        PictureView::Turn(turn) => picture_view::PictureView { turn, ..now },
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
