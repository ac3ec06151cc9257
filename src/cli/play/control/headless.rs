//! `--control` without a window: what lines on standard input ask for is asked of the players.

use std::path::Path;

use super::{PlayCommand, SeekDirection, WINDOW};
use crate::cli::control::{Lines, MAX_COMMANDS_PER_TURN};
use crate::cli::output::{Output, events};
use crate::cli::play::args::Buffer;
use crate::cli::play::control;
use crate::cli::play::report::sentence;
use crate::cli::play::session::Watching;
use crate::player::chat::ChatState;
use crate::player::present::screenshot;
use crate::player::{Config, Player, TimeShiftDepth};
use crate::studio::{Event, event};
use crate::wire::chat::ChatLine;

/// Obeys lines.
#[derive(Debug)]
pub(in crate::cli::play) struct Steering {
    lines: Lines,
    /// Streams that were asked for, and which of them is heard and steered.
    streams: usize,
    chosen: usize,
    volume: f32,
    muted: bool,
}

impl Steering {
    /// # Errors
    /// When the system grants no thread.
    pub(in crate::cli::play) fn listen(config: &Config, streams: usize) -> std::io::Result<Self> {
        let (volume, muted) = (config.volume, config.muted);
        Ok(Self { lines: Lines::listen()?, streams, chosen: 0, volume, muted })
    }

    /// What is kept to go back in is bounded for all players together.
    pub(in crate::cli::play) fn share_memory(all: &[Watching<'_>]) {
        let each = TimeShiftDepth::default().bytes / all.len().max(1);
        all.iter().for_each(|stream| stream.player.set_time_shift_bytes(each));
    }

    /// Obeys the lines that wait; whether the end was asked for.
    pub(in crate::cli::play) fn handle(&mut self, all: &[Watching<'_>], output: &Output) -> bool {
        for _ in 0..MAX_COMMANDS_PER_TURN {
            let Some(line) = self.lines.take() else { break };
            let done = match control::parse(&line.text) {
                Ok(None) => continue,
                Ok(Some(PlayCommand::Stop)) => {
                    line.answer(output, &Ok(()));
                    return true;
                }
                Ok(Some(asked)) => self.carry_out(&asked, all, output),
                Err(why) => Err(why),
            };
            line.answer(output, &done);
        }
        false
    }

    fn carry_out(
        &mut self,
        asked: &PlayCommand,
        all: &[Watching<'_>],
        output: &Output,
    ) -> Result<(), String> {
        let each = |set: &dyn Fn(&Player)| all.iter().for_each(|stream| set(&stream.player));
        match asked {
            PlayCommand::Volume(volume) => {
                self.volume = volume.on(self.volume);
                each(&|player| player.set_volume(self.volume));
            }
            PlayCommand::Mute(muted) => {
                self.muted = muted.unwrap_or(!self.muted);
                self.hear(all);
            }
            PlayCommand::Balance(balance) => each(&|player| player.set_balance(*balance)),
            PlayCommand::Speaker(id) => each(&|player| player.set_speaker(id.clone())),
            PlayCommand::AvOffset(millis) => each(&|player| player.set_av_offset(*millis)),
            PlayCommand::Buffer(Buffer::Auto) => each(&|player| player.set_buffer(None)),
            PlayCommand::Buffer(Buffer::Fixed(buffer)) => {
                each(&|player| player.set_buffer(Some(*buffer)));
            }
            PlayCommand::Stream(which) => {
                let number = which.of(self.streams, self.chosen)?;
                playing(all, number)?;
                self.chosen = number;
                self.hear(all);
            }
            PlayCommand::Look(_) | PlayCommand::Chat(_) => return Err(WINDOW.to_owned()),
            _ => ask(playing(all, self.chosen)?, asked, output)?,
        }
        Ok(())
    }

    /// The chosen one is heard, as far as any is.
    fn hear(&self, all: &[Watching<'_>]) {
        for stream in all {
            stream.player.set_muted(self.muted || stream.number() != self.chosen);
        }
    }
}

/// The stream of this number, as long as it plays.
fn playing<'a, 'b>(all: &'a [Watching<'b>], number: usize) -> Result<&'a Watching<'b>, String> {
    let stream = all.iter().find(|stream| stream.number() == number && stream.ended.is_none());
    stream.ok_or_else(|| format!("stream {} does not play", number + 1))
}

/// Asks something of one player.
fn ask(stream: &Watching<'_>, asked: &PlayCommand, output: &Output) -> Result<(), String> {
    let (player, figures) = (&stream.player, stream.player.figures());
    match asked {
        PlayCommand::Pause(paused) => player.pause(*paused),
        PlayCommand::Seek(place) => go(player, control::way(*place, &figures)?)?,
        PlayCommand::Rewind(behind) => go(player, control::way_back(*behind, &figures)?)?,
        PlayCommand::GoLive => {
            control::live_end(&figures)?;
            player.go_live();
        }
        PlayCommand::Snapshot(path) => save_frame(player, path, output)?,
        PlayCommand::Record(Some(path)) => {
            control::recordable(&figures)?;
            make_folder(path)?;
            player.start_saving(path).map_err(|failure| sentence(&failure))?;
        }
        PlayCommand::Record(None) => player.stop_saving(),
        PlayCommand::Say(text) => say(stream, text)?,
        _ => {}
    }
    Ok(())
}

fn go(player: &Player, way: SeekDirection) -> Result<(), String> {
    let went = match way {
        SeekDirection::To(place) => player.seek(place),
        SeekDirection::Behind(behind) if !behind.is_zero() => player.rewind(behind),
        SeekDirection::Behind(_) => {
            player.go_live();
            true
        }
        SeekDirection::Step { by, ahead } => player.step(by, ahead),
    };
    if went { Ok(()) } else { Err("one cannot go there: it plays no more".to_owned()) }
}

/// The folder of a file that is to be made.
fn make_folder(path: &Path) -> Result<(), String> {
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.map_err(|error| format!("{}: {error}", path.display()))
}

fn save_frame(player: &Player, path: &Path, output: &Output) -> Result<(), String> {
    let picture = player.picture().ok_or("there is no picture yet")?;
    make_folder(path)?;
    let path = screenshot::write(path, &picture).map_err(|failure| sentence(&failure))?;
    events::print(output, &Event::Snapshot(event::Snapshot { path, reason: None, trouble: None }));
    Ok(())
}

fn say(stream: &Watching<'_>, text: &str) -> Result<(), String> {
    let chat = stream.chat.as_ref().ok_or("no chat is followed: start with --chat")?;
    let line = ChatLine::new("", text).ok_or("there is nothing in it that could be said")?;
    match chat.state() {
        ChatState::Open if chat.say(line) => Ok(()),
        ChatState::Open => Err("too much waits to be said already".to_owned()),
        _ => Err("the chat is not open".to_owned()),
    }
}
