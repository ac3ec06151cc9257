//! The changing state of the engine, in parts with one purpose each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::base::{Secret, Timestamp, Worker};
use crate::capture::VirtualCamera;
use crate::media::ProgramId;
use crate::mix::StripId;
use crate::studio::command::Command;
use crate::studio::engine::programs::running::{SecondProgram, SourceRecordings};
use crate::studio::engine::scene_state::SceneState;
use crate::studio::engine::system::devices::Devices;
use crate::studio::engine::system::events::SystemEvents;
use crate::studio::engine::system::keep_awake::Awake;
use crate::studio::engine::system::process::Process;
use crate::studio::event;
use crate::studio::event::stats::Stats;
use crate::studio::live::monitor::Monitors;
use crate::studio::live::on_air::OnAir;
use crate::studio::live::passthrough::Opening;
use crate::studio::live::recording::free_space::FreeSpace;
use crate::studio::live::recording::library::Library;
use crate::studio::live::recording::repair::Repairs;
use crate::studio::live::recording::space_again::SpaceAgain;
use crate::studio::live::series::BroadcastSeries;
use crate::studio::live::view::BroadcastSummary;
use crate::studio::mixer::HeldTalkKeys;
use crate::studio::mixer::loudness::LoudnessHistory;
use crate::studio::mixer::monitoring::MonitoringOutput;
use crate::studio::notices::health::Health;
use crate::studio::notices::message::StudioMessage;
use crate::studio::preflight::Preflight;
use crate::studio::preflight::recommendation::Measurement;
use crate::studio::program::Program;
use crate::studio::settings::stream_keys::{KeyPlace, Keys};
use crate::studio::snapshot::RULE_KEYS;
use crate::studio::snapshot::RemoteReport;
use crate::studio::sources::video_filters::Filters;
use crate::studio::targets::Target;
use crate::studio::targets::quality::Quality;

/// State that belongs to no other part.
#[derive(Default)]
pub struct EngineState {
    /// The last reported health.
    pub health: Option<Health>,
    pub program: Option<Program>,
    /// How often each rule key was pressed.
    pub rule_keys: [u32; RULE_KEYS as usize],
    pub stage: SceneState,
    pub listening: Option<MonitoringOutput>,
    /// Strips that capture the monitoring device, so that the mixer does not monitor them.
    pub unmonitored: BTreeSet<StripId>,
    /// The strip that the notice about such strips names.
    pub reported_capture: Option<StripId>,
    pub loudness_history: Arc<LoudnessHistory>,
    /// The push-to-talk keys that are held.
    pub talking: HeldTalkKeys,
    pub monitors: Monitors,
    pub preflight: Option<Preflight>,
    pub measurement: Option<Measurement>,
    /// The requested check or measurement, until it begins.
    pub requested_check: Option<Command>,
    /// The time until which the requested check or measurement waits for the end of earlier ones.
    pub check_by: Timestamp,
    pub quality: Quality,
    pub next_second: Timestamp,
    pub quitting: bool,
    /// True while the window is hidden.
    pub hidden: bool,
    /// True while no window shows the program.
    pub unseen: bool,
    /// Files of filters from a program that is being replaced.
    pub filters: Option<Filters>,
    /// The recordings in their folder, while they are displayed.
    pub library: Library,
    /// Running repairs of earlier recordings.
    pub repairs: Option<Repairs>,
    /// The number of executed commands.
    pub handled_commands: u64,
    /// The password and the state of remote control.
    pub remote_control: RemoteControl,
    /// The virtual camera, while it is on.
    pub virtual_camera: Option<VirtualCamera>,
}

/// Remote control. Its network task is outside the studio, and reports its state.
#[derive(Debug, Default)]
pub struct RemoteControl {
    /// The password, once it is loaded or made.
    pub password: Option<Secret>,
    /// True while the stored password is being loaded.
    pub password_pending: bool,
    pub report: RemoteReport,
}

/// The running outputs, and the data of the current broadcast. `on_air` is `None` while there are
/// no outputs.
#[derive(Debug, Default)]
pub struct Broadcast {
    pub on_air: Option<OnAir>,
    /// The figures of the broadcast that is ending, until its last counters are known.
    pub ending: Option<Stats>,
    /// The counters of earlier broadcasts and recordings.
    pub earlier: Stats,
    /// The outputs of other programs.
    pub others: BTreeMap<ProgramId, OnAir>,
    pub source_recordings: SourceRecordings,
    pub second: SecondProgram,
    /// True if the recording of the main program has failed, so that the recordings beside it end
    /// with the broadcast.
    pub has_recording_failed: bool,
    /// The time of the program that was 0 in the stream when the built-in server began to take the
    /// program's audio for browsers. `None` while it does not.
    pub audio_tapped_at: Option<Timestamp>,
    /// A file that is being inspected before it is sent.
    pub opening: Option<Opening>,
    /// True if the end of the passthrough file was reported.
    pub passthrough_end_reported: bool,
    /// True if the broadcast is ending.
    pub stopping: bool,
    /// True if the encoders could not be started for the replay buffer alone. onair retries after a
    /// setting changes.
    pub replay_failed: bool,
    /// The check whether a full disk has space again.
    pub space: SpaceAgain,
    /// The space for recordings.
    pub free_space: FreeSpace,
    pub series: BroadcastSeries,
    /// The data for the summary of the broadcast.
    pub summary: BroadcastSummary,
    /// The skipped frames before the broadcast, for example of a recording that began earlier.
    pub skipped_before: u64,
    /// The frames that were encoded before the broadcast.
    pub encoded_before: u64,
    /// True once the summary is complete.
    pub is_summarized: bool,
    /// True if the recording began after the summary was complete, so that the recording is not in
    /// the summary.
    pub is_recorded_later: bool,
    /// The file of the last recording of the summary that was stopped. A later recording may begin
    /// before this file is finished.
    pub summarized_file: Option<PathBuf>,
}

impl Broadcast {
    /// Returns true if a stream is being sent to a target.
    pub fn is_publishing(&self) -> bool {
        self.all().any(OnAir::is_publishing)
    }

    /// Returns the outputs of all programs, those of the main program first.
    pub fn all(&self) -> impl Iterator<Item = &OnAir> {
        self.on_air.iter().chain(self.others.values())
    }

    /// Returns the outputs of the program that is sent to this target.
    pub fn sending_to(&mut self, id: u32) -> Option<&mut OnAir> {
        let mut all = self.on_air.iter_mut().chain(self.others.values_mut());
        all.find(|on_air| on_air.publishes_to(id))
    }

    /// Returns true if a program is sent to this target.
    pub fn sends_to(&self, id: u32) -> bool {
        self.all().any(|on_air| on_air.publishes_to(id))
    }

    /// Returns true if there are outputs other than the replay buffer.
    pub fn is_busy(&self) -> bool {
        self.all().any(OnAir::is_busy)
    }

    /// Counts the viewers for the summary, until the summary is complete.
    pub fn note_viewers(&mut self, viewers: usize) {
        if !self.is_summarized {
            self.summary.peak_viewers = self.summary.peak_viewers.max(viewers);
        }
    }

    /// Returns true if a file is being sent instead of the program.
    pub fn is_passthrough(&self) -> bool {
        self.on_air.as_ref().is_some_and(|on_air| on_air.passthrough().is_some())
    }
}

/// The state of the startup, before anything is sent.
#[derive(Debug, Default)]
pub struct Startup {
    /// True, for video and for audio, if the source follows the available devices because the user
    /// chose none.
    pub undecided: (bool, bool),
    /// The time by which the sources must be chosen.
    pub decide_by: Timestamp,
    /// Commands, such as going live and recording, that wait until the sources are chosen, the
    /// files of filters are read, and an earlier broadcast has ended.
    pub postponed: Vec<Command>,
    /// The time until which the postponed commands wait for the files of filters.
    pub read_by: Option<Timestamp>,
}

impl Startup {
    /// Returns true if a source still has to be chosen.
    pub fn is_undecided(&self) -> bool {
        self.undecided != (false, false)
    }
}

/// The state of this computer: devices, events, and the resources of this process.
#[derive(Debug, Default)]
pub struct Machine {
    pub devices: Devices,
    pub events: SystemEvents,
    pub awake: Awake,
    pub process: Option<Process>,
    /// The last reading of CPU use and memory.
    pub usage: (f32, u64),
}

/// The targets, and their reports.
#[derive(Debug, Default)]
pub struct TargetList {
    pub list: Vec<Target>,
    /// Causes reported for each target since it was last live, to avoid repetition.
    pub reported_causes: BTreeMap<u32, BTreeSet<(&'static str, Option<String>)>>,
    /// The last event of each target, by its id.
    pub events: BTreeMap<u32, event::Target>,
    /// Targets that were edited while connecting: the times at which the edits are applied, and the
    /// targets before the edits.
    pub edited: BTreeMap<u32, (Timestamp, Target)>,
    /// Targets that were added during this broadcast without a valid address or a key, and that were
    /// not connected or switched off since.
    pub unfinished: BTreeSet<u32>,
    /// Reported settings that exceed the limits of services.
    pub misfits: Vec<StudioMessage>,
}

/// Stream keys and other secrets, which are stored outside the settings.
#[derive(Debug, Default)]
pub struct KeptSecrets {
    pub keys: Option<Keys>,
    pub place: Option<KeyPlace>,
    /// True if keys from an earlier run are still being loaded.
    pub pending: bool,
    /// The number of the last request for all keys. Only its answer ends the wait.
    pub fetch: u32,
    /// The number of the last request for all keys that was answered. The answer may come after the
    /// wait.
    pub answered: u32,
    /// The time until which onair waits for the keys. `None` while no keys are loading, or after
    /// that time.
    pub wait_until: Option<Timestamp>,
    /// True if the key of the built-in server's viewers is still being loaded.
    pub play_key_pending: bool,
    /// Targets whose key must be stored when the settings are saved.
    pub changed: BTreeSet<u32>,
}

/// Tasks that are ending in the background.
#[derive(Debug, Default)]
pub struct EndingTasks {
    /// Publishers, recordings, and whole broadcasts.
    pub broadcasts: Vec<Worker>,
    /// Replays and screenshots that are being saved.
    pub saving: Vec<Worker>,
    pub monitors: Vec<Worker>,
    /// Checks and measurements. onair ends without waiting for them.
    pub checks: Vec<Worker>,
}

impl EndingTasks {
    /// Returns true if all tasks have ended, apart from checks.
    pub fn are_over(&self) -> bool {
        let mut all = self.broadcasts.iter().chain(&self.saving).chain(&self.monitors);
        all.all(Worker::is_finished)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewers_who_come_after_a_broadcast_are_not_in_its_summary() {
        let mut live = Broadcast::default();
        live.note_viewers(2);
        live.is_summarized = true;
        live.note_viewers(5);
        assert_eq!(live.summary.peak_viewers, 2);
    }
}
