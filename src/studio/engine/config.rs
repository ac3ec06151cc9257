//! How a studio is started.

use std::path::PathBuf;
use std::time::Duration;

use crate::base::Clock;
use crate::player;
use crate::studio::engine::server::Serve;
use crate::studio::settings::{ServerToken, Settings};
use crate::studio::targets::services::ServiceList;
use crate::text::Problem;

/// See the module.
#[derive(Clone, Debug)]
pub struct Config {
    pub clock: Clock,
    pub settings: Settings,
    /// Where settings are kept; `None`: nothing is remembered (the command line).
    pub settings_path: Option<PathBuf>,
    /// Where it is noted what is on air, for after a crash; `None`: nowhere.
    pub on_air_mark: Option<PathBuf>,
    /// Where what is changed of the players is kept, where nothing else is (`onair play`).
    pub players_path: Option<PathBuf>,
    /// Where stream keys are kept where there is no keyring; `None`: none are fetched or kept.
    pub keys_path: Option<PathBuf>,
    /// The folder in which recordings that are not finished are noted, to be made whole at the next
    /// start; `None`: they are not.
    pub journal: Option<PathBuf>,
    /// Whether the desktop's keyring is used where there is one.
    pub keyring: bool,
    /// Nobody watches meters: once frames flow, parts are looked at less often.
    pub calm: bool,
    /// Loudness and true peak are measured: somebody reads them.
    pub loudness: bool,
    /// Into which file what happens is written, line by line; `None`: into none.
    pub history_path: Option<PathBuf>,
    /// Where reports of crashes are, to be told at the start; `None`: they are not.
    pub crashes: Option<PathBuf>,
    /// Lets programs change something on the built-in server over HTTP; `None`: nobody may.
    pub server_token: Option<ServerToken>,
    /// The services that are known, with a person's own.
    pub services: ServiceList,
    /// Whether there is a program, with its sources, compositor and mixer; without one, the studio sends
    /// files and plays streams.
    pub program: bool,
    /// Scenes have all the sources: the frame of `--video` becomes one of them (the window).
    pub scenes_only: bool,
    /// What was bad about the settings, to be told.
    pub warnings: Vec<Problem>,
    pub serve: Serve,
    /// Trust and limits of connections to targets.
    pub options: crate::net::rtmp::Options,
    /// Whether what viewers of the built-in server get is looked at, unless the target says
    /// otherwise.
    pub monitor_own: bool,
    /// How long a target is tried again; `None`: for ever.
    pub retry_for: Option<Duration>,
    /// Where the stream delay makes files, which have no names.
    pub delay_folder: PathBuf,
    /// Whether the chat beside a stream is looked for where nobody said where it is.
    pub find_chat: bool,
    /// How streams are watched; the source is put in by [`Command::Watch`](crate::studio::command::Command::Watch).
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
