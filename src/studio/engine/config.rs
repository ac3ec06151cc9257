//! The configuration of a studio.

use std::path::PathBuf;
use std::time::Duration;

use crate::base::Clock;
use crate::player;
use crate::studio::engine::server::Serve;
use crate::studio::settings::{ServerToken, Settings};
use crate::studio::targets::services::ServiceList;
use crate::text::Problem;

/// See the module documentation.
#[derive(Clone, Debug)]
pub struct Config {
    pub clock: Clock,
    pub settings: Settings,
    /// The settings file; `None`: nothing is saved (the command line).
    pub settings_path: Option<PathBuf>,
    /// The file that notes the running broadcast, for after a crash; `None`: none.
    pub on_air_mark: Option<PathBuf>,
    /// The settings file for changes of the players, if nothing else is saved (`onair play`).
    pub players_path: Option<PathBuf>,
    /// The file for stream keys without a keyring; `None`: no keys are loaded or stored.
    pub keys_path: Option<PathBuf>,
    /// The journal of unfinished recordings, which the next start repairs; `None`: none.
    pub journal: Option<PathBuf>,
    /// True if to use the desktop's keyring, if there is one.
    pub keyring: bool,
    /// Nobody watches meters: once frames flow, parts are looked at less often.
    pub calm: bool,
    /// Loudness and true peak are measured: somebody reads them.
    pub loudness: bool,
    /// The file of the event log, line by line; `None`: none.
    pub history_path: Option<PathBuf>,
    /// The folder of crash reports, reported at the start; `None`: none.
    pub crashes: Option<PathBuf>,
    /// Allows changes of the built-in server over HTTP; `None`: nobody may.
    pub server_token: Option<ServerToken>,
    /// The known services and the user's own.
    pub services: ServiceList,
    /// True if there is a program, with its sources, compositor and mixer; without one, the studio
    /// sends files and plays streams.
    pub program: bool,
    /// All sources are in scenes: the one of `--video` becomes one of them (the window).
    pub scenes_only: bool,
    /// Problems of the settings, to report.
    pub warnings: Vec<Problem>,
    pub serve: Serve,
    /// Trust and limits of connections to targets.
    pub options: crate::net::rtmp::Options,
    /// True if to monitor the built-in server's stream, unless the target decides.
    pub monitor_own: bool,
    /// How long to retry a target; `None`: forever.
    pub retry_for: Option<Duration>,
    /// The folder for the unnamed files of the stream delay.
    pub delay_folder: PathBuf,
    /// True if to look for a stream's chat without an address.
    pub find_chat: bool,
    /// The player's configuration; [`Command::Watch`](crate::studio::command::Command::Watch) adds
    /// the source.
    pub player: player::Config,
}

impl Config {
    /// A studio with these settings, remembered nowhere, whose server runs when needed.
    pub fn new(clock: Clock, settings: Settings) -> Self {
        Self {
            clock,
            settings,
            settings_path: None,
            on_air_mark: None,
            players_path: None,
            keys_path: None,
            journal: None,
            keyring: true,
            calm: false,
            loudness: true,
            history_path: None,
            crashes: None,
            server_token: None,
            services: ServiceList::default(),
            program: true,
            scenes_only: false,
            warnings: Vec::new(),
            serve: Serve::WhenNeeded,
            options: crate::net::rtmp::Options::default(),
            monitor_own: false,
            retry_for: None,
            delay_folder: crate::studio::settings::default_delay_folder(),
            find_chat: true,
            player: player::Config {
                measure: true,
                // Who watches in a window ends it themselves.
                patient: true,
                time_shift: Some(player::TimeShiftDepth::default()),
                ..player::Config::new(player::Source::Url(String::new()))
            },
        }
    }
}
