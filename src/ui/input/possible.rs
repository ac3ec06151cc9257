//! Which commands are currently possible, and the reasons why the others are not.

use crate::capture::UsedProperties;
use crate::studio::live::view::LiveState;
use crate::studio::notices::health::Health;
use crate::studio::snapshot::health::is_possible;
use crate::studio::snapshot::{TargetView, VideoSource};
use crate::studio::targets::MAX_TARGETS;
use crate::studio::watch::view::WatchState;
use crate::studio::{MAX_STRIPS, Remedy, Snapshot};
use crate::ui::input::actions::{Action, key};
use crate::ui::input::named::{NamedCommand, NamedKind};
use crate::ui::text::Texts;

/// The reason why a command is currently impossible.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ImpossibleReason {
    NotLive,
    Live,
    Stopping,
    NotRecording,
    ReplayOff,
    ReplayEmpty,
    StripsFull,
    TargetsFull,
    NoRecordingChosen,
    NoneUnfinished,
    CopyRuns,
    NoVideo,
    NoAudio,
    NotReconnecting,
    NothingToFix,
    NothingClipped,
    NoLoudness,
    NoScene,
    NoSource,
    NotInProgram,
    ServerBusy,
    ServerOff,
    ServerNotTarget,
    ServerNotLive,
    NoPlayKey,
    NothingToUndo,
    NothingToRedo,
    NoPreview,
    NoMediaSource,
    NotWatching,
    NotLiveStream,
    NoItem,
    SeveralItems,
    TooFewItems,
    Locked,
    AtTop,
    AtBottom,
    NoGroup,
    NoGroupBeside,
    NotInGroup,
    NoOwnSource,
    NoPage,
    NothingCopied,
    LastScene,
    CanvasFits,
    LayoutUnchanged,
    LayoutNotOwn,
    /// The object of the command is gone, or already in use.
    Gone,
}

impl ImpossibleReason {
    fn key(self) -> &'static str {
        match self {
            Self::NotLive => key!("why-not-live"),
            Self::Live => key!("why-live"),
            Self::Stopping => key!("why-stopping"),
            Self::NotRecording => key!("why-not-recording"),
            Self::ReplayOff => key!("why-replay-off"),
            Self::ReplayEmpty => key!("why-replay-empty"),
            Self::StripsFull => key!("why-strips-full"),
            Self::TargetsFull => key!("why-targets-full"),
            Self::NoRecordingChosen => key!("why-no-recording"),
            Self::NoneUnfinished => key!("why-none-unfinished"),
            Self::CopyRuns => key!("why-copy-runs"),
            Self::NoVideo => key!("why-no-video"),
            Self::NoAudio => key!("why-no-audio"),
            Self::NotReconnecting => key!("why-not-reconnecting"),
            Self::NothingToFix => key!("why-nothing-to-fix"),
            Self::NothingClipped => key!("why-nothing-clipped"),
            Self::NoLoudness => key!("why-no-loudness"),
            Self::NoScene => key!("why-no-scene"),
            Self::NoSource => key!("why-no-source"),
            Self::NotInProgram => key!("why-not-in-program"),
            Self::ServerBusy => key!("why-server-busy"),
            Self::ServerOff => key!("why-server-off"),
            Self::ServerNotTarget => key!("why-server-not-target"),
            Self::ServerNotLive => key!("why-server-not-live"),
            Self::NoPlayKey => key!("why-no-play-key"),
            Self::NothingToUndo => key!("why-nothing-to-undo"),
            Self::NothingToRedo => key!("why-nothing-to-redo"),
            Self::NoPreview => key!("why-no-preview"),
            Self::NoMediaSource => key!("why-no-media-source"),
            Self::NotWatching => key!("why-not-watching"),
            Self::NotLiveStream => key!("why-not-live-stream"),
            Self::NoItem => key!("why-no-item"),
            Self::SeveralItems => key!("why-several-items"),
            Self::TooFewItems => key!("why-too-few-items"),
            Self::Locked => key!("why-locked"),
            Self::AtTop => key!("why-at-top"),
            Self::AtBottom => key!("why-at-bottom"),
            Self::NoGroup => key!("why-no-group"),
            Self::NoGroupBeside => key!("why-no-group-beside"),
            Self::NotInGroup => key!("why-not-in-group"),
            Self::NoOwnSource => key!("why-no-own-source"),
            Self::NoPage => key!("why-no-page"),
            Self::NothingCopied => key!("why-nothing-copied"),
            Self::LastScene => key!("why-last-scene"),
            Self::CanvasFits => key!("why-canvas-fits"),
            Self::LayoutUnchanged => key!("why-layout-unchanged"),
            Self::LayoutNotOwn => key!("why-layout-not-own"),
            Self::Gone => key!("why-gone"),
        }
    }

    /// Returns the text of the reason, which contains the remedy if there is one.
    pub fn say(self, texts: &Texts) -> String {
        match self {
            Self::StripsFull => texts.counted(self.key(), MAX_STRIPS),
            Self::TargetsFull => texts.counted(self.key(), MAX_TARGETS),
            _ => texts.get(self.key()).to_string(),
        }
    }
}

/// Returns the reason unless the condition holds.
fn unless(fulfilled: bool, reason: ImpossibleReason) -> Option<ImpossibleReason> {
    (!fulfilled).then_some(reason)
}

impl Action {
    /// Returns true if the command is currently possible.
    pub fn is_possible(self, snapshot: &Snapshot, health: &Health) -> bool {
        self.why_not(snapshot, health).is_none()
    }

    /// Returns true if the hotkey of the command also acts while the command is impossible. The
    /// studio then reports that nothing was done, because the user relies on the file.
    pub fn answers_always(self) -> bool {
        matches!(self, Self::SaveReplay | Self::PauseRecording | Self::Chapter)
    }

    /// Returns the reason why the command is currently impossible; `None` if it is possible. The
    /// screen adds the reasons that depend on the window, such as the selection.
    pub fn why_not(self, snapshot: &Snapshot, health: &Health) -> Option<ImpossibleReason> {
        use ImpossibleReason as Why;
        if let Some(place) = self.scene() {
            return unless(place < snapshot.scenes.collection.scenes.len(), Why::NoScene);
        }
        match self {
            Self::GoLive => unless(snapshot.live != LiveState::Stopping, Why::Stopping),
            Self::Preflight | Self::SendFile | Self::SetUp => {
                unless(snapshot.live == LiveState::Idle, Why::Live)
            }
            Self::PauseRecording | Self::Chapter => {
                unless(snapshot.recording.is_some(), Why::NotRecording)
            }
            Self::SaveReplay => {
                let is_on = snapshot.preferences.recording.replay.is_some();
                let why = if is_on { Why::ReplayEmpty } else { Why::ReplayOff };
                unless(snapshot.replay.is_some(), why)
            }
            Self::AddAudio => unless(snapshot.strips.len() < MAX_STRIPS, Why::StripsFull),
            Self::AddTarget => unless(snapshot.targets.len() < MAX_TARGETS, Why::TargetsFull),
            Self::RecordingPlay
            | Self::RecordingShow
            | Self::RecordingRename
            | Self::RecordingTrash
            | Self::RecordingCopy
            | Self::RecordingRepair => self.why_not_on_recordings(snapshot),
            Self::Screenshot => unless(snapshot.video.is_some(), Why::NoVideo),
            Self::Mute => unless(snapshot.audio.is_some(), Why::NoAudio),
            Self::RetryNow => unless(is_possible(Remedy::RetryNow, snapshot), Why::NotReconnecting),
            Self::Remedy => unless(health.remedy.is_some(), Why::NothingToFix),
            Self::ClearClip => unless(snapshot.has_clipped(), Why::NothingClipped),
            Self::ResetLoudness => {
                unless(snapshot.loudness.integrated_lufs.is_some(), Why::NoLoudness)
            }
            Self::CopyAddress => unless(!snapshot.server.play_url.is_empty(), Why::ServerOff),
            Self::WatchOwn => {
                let is_target = |it: &TargetView| it.target.is_built_in() && it.target.enabled;
                unless(!snapshot.server.play_url.is_empty(), Why::ServerOff)
                    .or_else(|| unless(snapshot.live == LiveState::OnAir, Why::NotLive))
                    .or_else(|| {
                        unless(snapshot.targets.iter().any(is_target), Why::ServerNotTarget)
                    })
                    .or_else(|| unless(snapshot.plays_own_stream(), Why::ServerNotLive))
            }
            Self::Properties => {
                let camera = |video: &VideoSource| {
                    UsedProperties::of(&video.choice) == Some(UsedProperties::Camera)
                };
                let any = !snapshot.scenes.collection.sources.is_empty();
                unless(any || snapshot.video.as_ref().is_some_and(camera), Why::NoSource)
            }
            Self::SourceDisplay | Self::SourceWindow => {
                unless(!snapshot.scenes.sources.is_empty(), Why::NoSource)
            }
            // The server must not stop during a broadcast that uses it. The Share panel has the
            // same rule.
            Self::Server => unless(!snapshot.is_server_busy(), Why::ServerBusy),
            Self::Network => unless(snapshot.server.is_running(), Why::ServerOff),
            Self::NewPlayKey => unless(snapshot.server.play_key, Why::NoPlayKey),
            Self::Undo => unless(snapshot.scenes.can_undo, Why::NothingToUndo),
            Self::Redo => unless(snapshot.scenes.can_redo, Why::NothingToRedo),
            Self::Transition => unless(snapshot.scenes.preview_scene.is_some(), Why::NoPreview),
            Self::MediaPause
            | Self::MediaRestart
            | Self::MediaNext
            | Self::MediaPrevious
            | Self::MediaForward
            | Self::MediaBack => {
                let any = snapshot.scenes.sources.iter().any(|source| source.playing.is_some());
                unless(any, Why::NoMediaSource)
            }
            Self::MutePlayer
            | Self::WatchBack
            | Self::WatchAhead
            | Self::WatchFarBack
            | Self::WatchFarAhead
            | Self::WatchBeginning => unless(snapshot.watch != WatchState::Idle, Why::NotWatching),
            Self::WatchScreenshot => unless(snapshot.watch.is_busy(), Why::NotWatching),
            Self::WatchRecord if snapshot.watch_figures.saving.is_some() => None,
            Self::WatchLive | Self::WatchRecord => {
                unless(snapshot.watch.is_busy(), Why::NotWatching)
                    .or_else(|| unless(snapshot.watch_figures.live, Why::NotLiveStream))
            }
            _ => None,
        }
    }

    /// Returns the reason why a command for recordings is impossible. The studio reads the
    /// recordings while their page is open.
    fn why_not_on_recordings(self, snapshot: &Snapshot) -> Option<ImpossibleReason> {
        let files = &snapshot.recordings.files;
        let any = match self {
            Self::RecordingCopy => files.iter().any(|file| file.details().is_some()),
            _ => !files.is_empty(),
        };
        let other = match self {
            Self::RecordingCopy => {
                unless(snapshot.recordings.copy.is_none(), ImpossibleReason::CopyRuns)
            }
            Self::RecordingRepair => {
                let unfinished = files.iter().any(|file| snapshot.can_repair(file));
                unless(unfinished, ImpossibleReason::NoneUnfinished)
            }
            _ => None,
        };
        unless(any, ImpossibleReason::NoRecordingChosen).or(other)
    }
}

impl NamedCommand {
    /// Returns the reason why the command is currently impossible; `None` if it is possible.
    pub fn why_not(&self, snapshot: &Snapshot) -> Option<ImpossibleReason> {
        let is_source = self.kind == NamedKind::Source
            && snapshot.scenes.collection.sources.iter().any(|it| it.name == self.name);
        let why = if is_source { ImpossibleReason::NotInProgram } else { ImpossibleReason::Gone };
        unless(self.is_possible(snapshot), why)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::studio::Target;
    use crate::studio::live::recording::library::details::Details;
    use crate::studio::live::recording::library::view::{FileState, RecordingFile, RecordingsView};
    use crate::studio::snapshot::RecordingFigures;
    use crate::studio::targets::TargetState;

    #[test]
    fn a_command_is_impossible_for_the_reason_that_the_user_can_change() {
        let mut snapshot = Snapshot::default();
        let why =
            |snapshot: &Snapshot, action: Action| action.why_not(snapshot, &Health::of(snapshot));
        assert_eq!(why(&snapshot, Action::SaveReplay), Some(ImpossibleReason::ReplayOff));
        snapshot.preferences.recording.replay = Some(std::time::Duration::from_secs(30));
        assert_eq!(why(&snapshot, Action::SaveReplay), Some(ImpossibleReason::ReplayEmpty));
        assert_eq!(why(&snapshot, Action::WatchOwn), Some(ImpossibleReason::ServerOff));
        snapshot.server.play_url = "rtmp://localhost/live/onair".into();
        assert_eq!(why(&snapshot, Action::WatchOwn), Some(ImpossibleReason::NotLive));
        snapshot.live = LiveState::OnAir;
        assert_eq!(why(&snapshot, Action::WatchOwn), Some(ImpossibleReason::ServerNotTarget));
        let state = Some(TargetState::Live);
        snapshot.targets = vec![TargetView { state, ..TargetView::idle(Target::built_in()) }];
        assert_eq!(why(&snapshot, Action::WatchOwn), None);
        for other in [TargetState::Connecting, TargetState::Reconnecting, TargetState::Failed] {
            snapshot.targets[0].state = Some(other);
            assert_eq!(why(&snapshot, Action::WatchOwn), Some(ImpossibleReason::ServerNotLive));
        }
        (snapshot.targets[0].state, snapshot.targets[0].target.enabled) = (state, false);
        assert_eq!(why(&snapshot, Action::WatchOwn), Some(ImpossibleReason::ServerNotTarget));
        assert_eq!(why(&snapshot, Action::SetUp), Some(ImpossibleReason::Live));
        // One target reconnects while another is live.
        assert_eq!(why(&snapshot, Action::RetryNow), Some(ImpossibleReason::NotReconnecting));
        snapshot.targets[0].retry_in = Some(std::time::Duration::from_secs(2));
        assert_eq!(why(&snapshot, Action::RetryNow), None);
        assert_eq!(
            why(&snapshot, Action::RecordingRepair),
            Some(ImpossibleReason::NoRecordingChosen)
        );
        assert_eq!(why(&snapshot, Action::Scene9), Some(ImpossibleReason::NoScene));
    }

    #[test]
    fn a_paused_recording_is_not_repaired() {
        let details = Details {
            duration: Duration::from_secs(1),
            video: None,
            audio: Vec::new(),
            keyframes: Vec::new(),
            thumbnail: None,
            unfinished: true,
        };
        let (path, state) = ("show.mkv".into(), FileState::Known(Arc::new(details)));
        let file = RecordingFile { path, bytes: 1, wall_micros: 0, state };
        let recording = RecordingFigures {
            path: file.path.clone(),
            duration: Duration::from_secs(1),
            bytes: 1,
            paused: true,
            chapters: 0,
        };
        let recordings =
            Arc::new(RecordingsView { files: vec![file], ..RecordingsView::default() });
        let mut snapshot = Snapshot { recordings, ..Snapshot::default() };
        let why =
            |snapshot: &Snapshot| Action::RecordingRepair.why_not(snapshot, &Health::of(snapshot));
        assert_eq!(why(&snapshot), None);
        snapshot.recording = Some(recording);
        assert_eq!(why(&snapshot), Some(ImpossibleReason::NoneUnfinished));
    }

    #[test]
    fn the_commands_for_a_playing_stream_need_one_that_plays() {
        use ImpossibleReason as Why;
        let mut snapshot = Snapshot::default();
        let why = |snapshot: &Snapshot| {
            [Action::WatchScreenshot, Action::WatchLive, Action::WatchRecord]
                .map(|action| action.why_not(snapshot, &Health::of(snapshot)))
        };
        for state in [WatchState::Idle, WatchState::Ended] {
            snapshot.watch = state;
            assert_eq!(why(&snapshot), [Some(Why::NotWatching); 3]);
        }
        snapshot.watch = WatchState::Playing;
        assert_eq!(why(&snapshot), [None, Some(Why::NotLiveStream), Some(Why::NotLiveStream)]);
        snapshot.watch_figures.live = true;
        assert_eq!(why(&snapshot), [None; 3]);
    }
}
