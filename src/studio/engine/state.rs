//! What changes while the engine runs, in parts with one job each.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Secret, Timestamp, Worker};
use crate::media::ProgramId;
use crate::studio::KeyPlace;
use crate::studio::command::Command;
use crate::studio::engine::scene_state::SceneState;
use crate::studio::engine::system::devices::Devices;
use crate::studio::engine::system::events::SystemEvents;
use crate::studio::engine::system::process::Process;
use crate::studio::event;
use crate::studio::live::history::History;
use crate::studio::live::monitor::Monitors;
use crate::studio::live::on_air::OnAir;
use crate::studio::live::passthrough::Opening;
use crate::studio::live::recording::repair::Repairs;
use crate::studio::live::recording::space_again::SpaceAgain;
use crate::studio::mixer::HeldTalkKeys;
use crate::studio::mixer::monitoring::Listening;
use crate::studio::notices::health::Health;
use crate::studio::notices::message::StudioMessage;
use crate::studio::preflight::Preflight;
use crate::studio::preflight::recommendation::Measurement;
use crate::studio::program::Program;
use crate::studio::settings::stream_keys::Keys;
use crate::studio::sources::video_filters::Filters;
use crate::studio::targets::Target;
use crate::studio::targets::quality::Quality;

/// What belongs to none of the other parts.
#[derive(Default)]
pub(in crate::studio) struct EngineState {
    /// How the studio was when it was told last.
    pub health: Option<Health>,
    pub program: Option<Program>,
    pub stage: SceneState,
    pub listening: Option<Listening>,
    /// The talk keys that are held.
    pub talking: HeldTalkKeys,
    pub monitors: Monitors,
    pub preflight: Option<Preflight>,
    pub measurement: Option<Measurement>,
    pub quality: Quality,
    /// The wall clock at the start, in microseconds.
    pub born: u64,
    pub next_second: Timestamp,
    pub quitting: bool,
    /// What filters worked with in a program that another one follows.
    pub filters: Option<Filters>,
    /// Earlier recordings that are being made whole.
    pub repairs: Option<Repairs>,
    /// How many commands have been carried out.
    pub obeyed: u64,
}

/// The broadcast, if one is on.
#[derive(Debug, Default)]
pub(in crate::studio) struct Broadcast {
    pub on_air: Option<OnAir>,
    /// What is sent of other programs.
    pub others: BTreeMap<ProgramId, OnAir>,
    /// A file that is to are sent is being looked into.
    pub opening: Option<Opening>,
    /// It was told that the file on air has ended.
    pub passthrough_end_reported: bool,
    /// It is being ended.
    pub stopping: bool,
    /// The encoders could not run for the replay buffer alone: not tried again until something is
    /// changed.
    pub replay_failed: bool,
    /// Whether a full disk has room again.
    pub space: SpaceAgain,
    pub history: History,
}

impl Broadcast {
    /// Whether something is on the way to a target.
    pub fn is_publishing(&self) -> bool {
        self.on_air.as_ref().is_some_and(OnAir::is_publishing)
    }

    /// Whether it goes anywhere, the replay buffer apart.
    pub fn is_busy(&self) -> bool {
        self.on_air.as_ref().is_some_and(OnAir::is_busy)
    }

    /// Whether a file is sent instead of the program.
    pub fn is_passthrough(&self) -> bool {
        self.on_air.as_ref().is_some_and(|on_air| on_air.passthrough().is_some())
    }
}

/// What must be known before anything is sent.
#[derive(Debug, Default)]
pub(in crate::studio) struct Startup {
    /// A source (video, audio) was not chosen by a person and follows what devices there are.
    pub undecided: (bool, bool),
    /// When they are decided at the latest, whatever was found by then.
    pub decide_by: Timestamp,
    /// What must wait until they are decided, and for files of filters: going live, recording.
    pub postponed: Vec<Command>,
    /// Until when it waits for those.
    pub read_by: Option<Timestamp>,
}

impl Startup {
    /// Whether a source is still to be chosen.
    pub fn is_undecided(&self) -> bool {
        self.undecided != (false, false)
    }
}

/// This machine: its devices, its events, what this process costs it.
#[derive(Debug, Default)]
pub(in crate::studio) struct Machine {
    pub devices: Devices,
    pub events: SystemEvents,
    pub process: Option<Process>,
    /// Processor time and memory, as they were read last.
    pub usage: (f32, u64),
}

/// The targets, and what was told of them.
#[derive(Debug, Default)]
pub(in crate::studio) struct TargetList {
    pub list: Vec<Target>,
    /// What was said of each target since it was live: the same is not said at every try.
    pub said: BTreeMap<u32, BTreeSet<(&'static str, Option<String>)>>,
    /// What each target did last, by its id.
    pub told: BTreeMap<u32, event::Target>,
    /// Targets that were edited while they are sought, and when they are tried with what was typed.
    pub edited: BTreeMap<u32, Timestamp>,
    /// What was told of limits of services that the stream exceeds.
    pub misfits: Vec<StudioMessage>,
}

/// Stream keys and other secrets, which are kept outside the settings.
#[derive(Debug, Default)]
pub(in crate::studio) struct KeptSecrets {
    pub keys: Option<Keys>,
    pub place: Option<KeyPlace>,
    /// Keys from an earlier run are still being fetched.
    pub pending: bool,
    /// What is kept of addresses with something secret in them, by its name.
    pub addresses: BTreeMap<String, Secret>,
    /// Targets whose key is to be kept when the settings are.
    pub changed: BTreeSet<u32>,
}

/// What is being ended or completed in the background.
#[derive(Debug, Default)]
pub(in crate::studio) struct Endings {
    /// Publishers, a recording, a whole broadcast.
    pub broadcasts: Vec<Worker>,
    /// Replays and frames that are being saved.
    pub saving: Vec<Worker>,
    pub monitors: Vec<Worker>,
}

impl Endings {
    /// Whether all of it is.
    pub fn are_over(&self) -> bool {
        let mut all = self.broadcasts.iter().chain(&self.saving).chain(&self.monitors);
        all.all(Worker::is_finished)
    }
}
