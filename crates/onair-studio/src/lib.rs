//! Floor 5: the state machine of the studio. It takes [`Command`]s, and produces [`Event`]s and a
//! [`Snapshot`]. The window and the command line use the same studio.

use crate as studio;
use onair_base::{base, media, text};
use onair_media::{audio, capture, compose, decode, encode, files, mix, problems};
use onair_net::{broadcast, net};
use onair_platform as platform;
use onair_player as player;
use onair_server as server;
use onair_wire as wire;

pub mod command;
pub mod engine;
pub mod event;
pub mod live;
pub mod mixer;
pub mod notices;
pub mod preflight;
mod program;
pub mod scenes;
pub mod settings;
pub mod snapshot;
mod sources;
pub mod targets;
pub mod watch;

pub use command::{Command, ProgramCommand};
pub use engine::config::Config;
pub use engine::handle::Studio;
pub use engine::server::Serve;
pub use engine::server::flags::ServerFlags;
pub use event::Event;
pub use event::stats::{DelayFigures, DelayState};
pub use live::recording::RecordingChoices;
pub use live::recording::audio_tracks::TrackNames;
pub use live::recording::own_quality::RecordQuality;
pub use mixer::monitoring::Monitoring;
pub use mixer::push_to_talk::PushToTalkKey;
pub use mixer::{
    AudioStrip, MAX_MIXER_STRIPS as MAX_STRIPS, MAX_NAME as MAX_STRIP_NAME, TalkMode, audio_of,
    is_audio_of,
};
pub use notices::TileId;
pub use notices::{Level, Notice, Remedy};
pub use scenes::Collection;
pub use scenes::edits::Edit;
pub use settings::stream_keys::{KeyPlace, keep_addresses, keep_keys};
pub use settings::{Language, Preferences, Settings, Theme};
pub use snapshot::Snapshot;
pub use targets::quality::{Adapt, Quality};
pub use targets::{Route, Target, TargetPlace};
pub use watch::choices::{PlayerChoices, WatchCommand};
