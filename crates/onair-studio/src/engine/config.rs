//! The configuration of a studio.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Clock, Secret};
use crate::player;
use crate::server::MeetingPlace;
use crate::studio::engine::server::Serve;
use crate::studio::engine::server::flags::ServerFlags;
use crate::studio::settings::{ServerToken, Settings};
use crate::studio::targets::services::ServiceList;
use crate::text::Problem;

/// The configuration of a studio; see the module documentation.
#[derive(Clone, Debug)]
pub struct Config {
    pub clock: Clock,
    pub settings: Settings,
    /// The settings file; `None` means that nothing is saved (on the command line).
    pub settings_path: Option<PathBuf>,
    /// The file that records the running broadcast, so that onair can resume it after a crash;
    /// `None` disables the record.
    pub on_air_mark: Option<PathBuf>,
    /// The settings file for changes of the players, if no other settings are saved (`onair play`).
    pub players_path: Option<PathBuf>,
    /// The file for stream keys if there is no keyring; `None` means that no keys are loaded or
    /// stored.
    pub keys_path: Option<PathBuf>,
    /// The journal of unfinished recordings, which the next start repairs; `None` disables the
    /// journal.
    pub journal: Option<PathBuf>,
    /// True to use the desktop's keyring, if there is one.
    pub keyring: bool,
    /// True if no meters are displayed. The studio then polls its parts less often once frames are
    /// produced.
    pub calm: bool,
    /// True to measure loudness and true peak. False if nothing uses these values.
    pub loudness: bool,
    /// The file to which the event log is appended line by line; `None` disables the file.
    pub event_log_path: Option<PathBuf>,
    /// The folder of crash reports, which the studio reports to the user when it starts; `None`
    /// disables this.
    pub crashes: Option<PathBuf>,
    /// The token that allows changes of the built-in server over HTTP; `None` forbids all changes.
    pub server_token: Option<ServerToken>,
    /// The key that viewers of the built-in server need, instead of the stored one. It is not
    /// stored.
    pub play_key: Option<Secret>,
    /// The known services and the user's own services.
    pub services: ServiceList,
    /// True if there is a program, with its sources, compositor and mixer. Otherwise the studio
    /// only sends files and plays streams.
    pub program: bool,
    /// True if all sources are in scenes, as in the window. The source of `--video` then becomes
    /// one of them.
    pub scenes_only: bool,
    /// Problems in the settings file that the studio reports when it starts.
    pub warnings: Vec<Problem>,
    pub serve: Serve,
    pub server: ServerFlags,
    /// Maximum number of guests.
    pub guests: usize,
    /// The server at which guests across the internet meet the studio.
    pub meeting: Option<Arc<MeetingPlace>>,
    /// Trusted certificates and limits of connections to targets.
    pub options: crate::broadcast::protocol::Options,
    /// True to monitor the built-in server's stream, unless the target has its own setting.
    pub monitor_own: bool,
    /// The time for which a target is retried; `None` means forever.
    pub retry_for: Option<Duration>,
    /// The folder for the unnamed files of the stream delay.
    pub delay_folder: PathBuf,
    /// True to search for the chat of a stream if the user gave no chat address.
    pub find_chat: bool,
    /// The player's configuration; [`Command::Watch`](crate::studio::command::Command::Watch) adds
    /// the source.
    pub player: player::Config,
}

impl Config {
    /// Creates the configuration of a studio with these settings. The studio saves nothing, and its
    /// server runs when needed.
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
            event_log_path: None,
            crashes: None,
            server_token: None,
            play_key: None,
            services: ServiceList::default(),
            program: true,
            scenes_only: false,
            warnings: Vec::new(),
            serve: Serve::WhenNeeded,
            server: ServerFlags::default(),
            guests: 0,
            meeting: None,
            options: crate::broadcast::protocol::Options::default(),
            monitor_own: false,
            retry_for: None,
            delay_folder: crate::studio::settings::default_delay_folder(),
            find_chat: true,
            player: player::Config {
                measure: true,
                // In a window, the user ends the player.
                patient: true,
                time_shift: Some(player::TimeShiftDepth::default()),
                ..player::Config::new(player::Source::Url(String::new()))
            },
        }
    }
}
