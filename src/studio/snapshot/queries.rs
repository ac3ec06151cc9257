//! Queries of a snapshot, which combine its values.

use crate::capture::VideoChoice;
use crate::compose::scene::SourceId;
use crate::studio::live::recording::library::view::{FileState, RecordingFile};
use crate::studio::live::view::{LiveState, PassthroughView};
use crate::studio::scenes::MAIN_SOURCE;
use crate::studio::snapshot::{Snapshot, SourceState, TargetView, VideoSource};
use crate::studio::targets::{Target, TargetState};

impl Snapshot {
    /// Returns true if the snapshot shows the effect of the first `sent` commands.
    pub fn is_settled(&self, sent: u64) -> bool {
        self.handled_commands >= sent && !self.has_postponed_commands
    }

    /// Returns true if *Go Live* waits, if a passthrough file is being opened, or if targets connect
    /// or wait for the next attempt and no target was live yet. To stop then ends nothing, so it
    /// needs no question.
    pub fn is_starting(&self) -> bool {
        let waits = self.waits_to_go_live && self.live == LiveState::Idle;
        let connects =
            matches!(self.live, LiveState::Connecting { .. } | LiveState::Reconnecting { .. });
        waits || self.opening_file().is_some() || connects && !self.figures.was_live()
    }

    /// Returns true if the key of this target may still come from the keyring.
    pub fn awaits_key(&self, target: &Target) -> bool {
        self.keys_pending && target.remembers_key()
    }

    /// Returns true if the built-in server is a target of the broadcast, so that it does not stop.
    pub fn is_server_busy(&self) -> bool {
        let used = self.targets.iter().any(|it| it.target.is_built_in() && it.target.enabled);
        self.server.is_running() && used && self.live != LiveState::Idle
    }

    /// Returns true if the built-in server sends the broadcast to viewers.
    pub fn plays_own_stream(&self) -> bool {
        let is_live = |it: &TargetView| it.target.enabled && it.state == Some(TargetState::Live);
        self.live == LiveState::OnAir
            && !self.server.play_url.is_empty()
            && self.targets.iter().any(|it| it.target.is_built_in() && is_live(it))
    }

    /// Returns true while there is a broadcast, even one that connects, or a recording. The format of
    /// the program cannot change then.
    pub fn is_live_or_recording(&self) -> bool {
        self.live != LiveState::Idle || self.recording.is_some()
    }

    /// Returns true if this file is being written, even if its recording is paused.
    pub fn is_being_written(&self, file: &RecordingFile) -> bool {
        matches!(file.state, FileState::Changing)
            || self.recording.as_ref().is_some_and(|it| it.path == file.path)
    }

    /// Returns true if this recording was interrupted and is no longer being written.
    pub fn can_repair(&self, file: &RecordingFile) -> bool {
        file.is_unfinished() && !self.is_being_written(file)
    }

    /// Returns the passthrough file that is still being opened.
    pub fn opening_file(&self) -> Option<&PassthroughView> {
        self.passthrough.as_ref().filter(|file| file.opening)
    }

    /// Returns the slot of the selected player.
    pub fn chosen_slot(&self) -> usize {
        self.tiles.iter().find(|tile| tile.chosen).map_or(0, |tile| tile.id.slot())
    }

    /// Returns the choice of a source, including the main video source, or `None` if there is no
    /// source with this id.
    pub fn shown_by(&self, id: SourceId) -> Option<&VideoChoice> {
        match self.scenes.collection.source(id) {
            Some(source) => Some(&source.choice),
            None => self.video.as_ref().map(|it| &it.choice).filter(|_| id == MAIN_SOURCE),
        }
    }

    /// Returns true if nobody watches this target. Only the built-in server knows its viewers.
    pub fn is_unwatched(&self, target: &Target) -> bool {
        target.is_built_in() && self.server.viewers == 0
    }

    /// Returns true if nobody watches the broadcast: it goes only to the built-in server, which has
    /// no viewers.
    pub fn has_no_viewers(&self) -> bool {
        let mut enabled = self.targets.iter().filter(|entry| entry.target.enabled);
        enabled.all(|entry| self.is_unwatched(&entry.target))
    }

    /// Returns the default video source: the source of `--video`, or the bottom source of the
    /// current scene.
    pub fn usual_video(&self) -> Option<VideoSource> {
        let main = self.video.as_ref().filter(|video| video.choice != VideoChoice::None);
        main.cloned().or_else(|| {
            let id = self.scenes.collection.usual_source();
            let source = self.scenes.collection.source(id)?;
            let state = self.scenes.source(id).map_or(SourceState::Opening, |it| it.state);
            let (choice, name) = (source.choice.clone(), source.name.clone());
            Some(VideoSource { choice, state, name, format: None })
        })
    }

    /// Returns true if a source of the current scene delivers frames, or if no video is wanted.
    pub fn delivers_video(&self) -> bool {
        let collection = &self.scenes.collection;
        let open = |id: SourceId| match self.video.as_ref().filter(|_| id == MAIN_SOURCE) {
            Some(video) => {
                video.state == SourceState::Open
                    && video.choice != VideoChoice::None
                    && !video.has_only_audio()
            }
            None => self.scenes.source(id).is_some_and(|it| it.state == SourceState::Open),
        };
        self.audio_only || collection.program_plan(collection.current).sources().any(open)
    }

    /// Returns true if any clip indicator is lit.
    pub fn has_clipped(&self) -> bool {
        self.loudness.clipped
            || self.audio.as_ref().is_some_and(|audio| audio.clipped)
            || self.strips.iter().any(|strip| strip.meter.clipped)
    }
}
