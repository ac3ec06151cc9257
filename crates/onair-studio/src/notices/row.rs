//! What the table of notices says about each, besides its texts.

/// Notices that are withdrawn or looked for together.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Group {
    /// Notices about sources that do not deliver.
    SourceDown,
    /// Notices about open audio sources that do not deliver.
    AudioDown,
    /// Notices about scene sources that are not displayed.
    SceneSource,
    /// Notices about files that a source skips.
    SkippedFile,
    /// Notices about files that filters need.
    Filter,
    /// Notices about transitions.
    Transition,
    /// Notices about a target, which a new attempt makes obsolete. The first two are about the target's
    /// settings, not about its connection.
    Target,
    /// Notices about a recording that ended too early.
    RecordingEnded,
    /// Notices about frames that are dropped for a target.
    DroppedFrames,
    /// Notices that apply only during a broadcast.
    Broadcast,
    /// Notices about adaptations to a slow connection.
    Adaptation,
    /// Notices from the viewer monitor.
    Monitor,
    /// Notices about players.
    Player,
    /// Notices about the stream that a player plays, which end when the user ends the playback. Notices
    /// about files that a player writes remain.
    Playback,
    /// Notices about the progress of a playback, which also end when the stream or file ends. Notices
    /// about its contents remain.
    Progress,
    /// Notices about a computer that does not keep up.
    Degradation,
    /// Notices about what viewers get or about the recording that are in no other such group.
    Program,
}

impl Group {
    /// Returns true if its notices are about what viewers get, or about the recording. Others
    /// concern only the operator.
    pub fn is_about_program(self) -> bool {
        match self {
            Self::SourceDown
            | Self::AudioDown
            | Self::SceneSource
            | Self::SkippedFile
            | Self::Filter
            | Self::Transition
            | Self::Target
            | Self::RecordingEnded
            | Self::DroppedFrames
            | Self::Adaptation
            | Self::Monitor
            | Self::Program => true,
            Self::Broadcast
            | Self::Player
            | Self::Playback
            | Self::Progress
            | Self::Degradation => false,
        }
    }
}

/// A notice, or several that differ only in their names.
#[derive(Debug)]
pub struct Row {
    pub keys: &'static [&'static str],
    /// The variables of the texts.
    pub variables: &'static [&'static str],
    pub groups: &'static [Group],
    /// The keys of the notices that end this one. They withdraw it, and give its entry in the event
    /// log a duration.
    pub ended_by: &'static [&'static str],
    /// The value that names the subject of both; empty if there is only one subject.
    pub subject: &'static str,
}

impl Row {
    /// A notice about which there is nothing to say.
    pub const NONE: Self =
        Self { keys: &[], variables: &[], groups: &[], ended_by: &[], subject: "" };
}
