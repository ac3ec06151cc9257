//! `onair` and `onair studio`: the window around the studio; `onair play` opens it on its player.

use crate::app::{self, Options};
use crate::base::{Clock, Latest};
use crate::cli::exit::Exit;
use crate::cli::globals::Globals;
use crate::cli::output::complain;
use crate::media::VideoFrame;
use crate::player;
use crate::studio::settings::{read_services, services_beside};
use crate::studio::{self, Command, Playing, Serve, Settings, Snapshot, Studio};
use crate::ui::Page;

/// Opens the studio and runs it to its end.
pub fn run(globals: &Globals, clock: Clock) -> Exit {
    let path = globals.settings.clone().or_else(studio::settings::default_path);
    let (settings, mut warnings) = path.as_deref().map(Settings::read).unwrap_or_default();
    let beside = path.as_deref().map(services_beside);
    let (services, wrong) = beside.as_deref().map(read_services).unwrap_or_default();
    warnings.extend(wrong);
    let (preferences, choices) = (settings.preferences.clone(), settings.player.clone());
    let mut config = studio::Config {
        keys_path: path.as_deref().map(studio::settings::keys_beside),
        journal: studio::settings::default_journal(),
        settings_path: path,
        history_path: studio::chronicle::default_path(clock.wall_micros(clock.now())),
        crashes: studio::crashes::default_folder(),
        services,
        warnings,
        serve: Serve::AtOnce,
        monitor_own: true,
        ..studio::Config::new(clock, settings)
    };
    choices.apply(&mut config.player);
    config.player.volume = config.settings.volume.unwrap_or(1.0);
    config.player.muted = config.settings.player_muted;
    open(config, Options { preferences, ..Options::default() }, &[])
}

/// Opens the player with streams, a wall of them where they are several, and runs it to its end.
pub fn play(urls: &[String], player: player::Config, full_screen: bool, clock: Clock) -> Exit {
    let path = studio::settings::default_path();
    let (mut settings, _) = path.as_deref().map(Settings::read).unwrap_or_default();
    // Nobody asked for a camera or a microphone.
    settings.video = Some(crate::capture::VideoChoice::None);
    settings.audio = Some(crate::audio::AudioChoice::None);
    settings.wall.clear();
    let player = player::Config {
        time_shift: Some(player::Depth::default()),
        device: settings.player.speaker.clone(),
        balance: settings.player.balance,
        ..player
    };
    let preferences = settings.preferences.clone();
    let config = studio::Config { player, ..studio::Config::new(clock, settings) };
    let options = Options { preferences, page: Page::Watch, full_screen, ..Options::default() };
    let others = urls.iter().skip(1).map(|url| Playing::Add { url: url.clone() });
    let first = urls.iter().take(1).map(|url| Command::Watch { url: url.clone() });
    let commands: Vec<Command> = first.chain(others.map(Command::Player)).collect();
    open(config, options, &commands)
}

fn open(config: studio::Config, options: Options, first: &[Command]) -> Exit {
    let studio = match Studio::start(config) {
        Ok(studio) => studio,
        Err(error) => {
            complain(&format!("starting: {error}"));
            return Exit::Error;
        }
    };
    for command in first {
        studio.send(command.clone());
    }
    match app::run(studio, options) {
        Ok(()) => Exit::Ok,
        Err(error) => {
            complain(&format!(
                "{error}. Without a display, use `onair live`, `onair serve` or `onair play --headless`"
            ));
            Exit::Device
        }
    }
}

impl app::Studio for Studio {
    fn snapshot(&self) -> Snapshot {
        Self::snapshot(self)
    }

    fn send(&self, command: Command) {
        Self::send(self, command);
    }

    fn program(&self) -> Latest<VideoFrame> {
        Self::program(self)
    }

    fn watched(&self) -> Vec<Latest<VideoFrame>> {
        Self::watched(self)
    }
}
