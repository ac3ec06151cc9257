//! The commands that a user can send to the studio.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::audio::AudioChoice;
use crate::base::Secret;
use crate::capture::VideoChoice;
use crate::capture::browser::PageInput;
use crate::compose::scene::{SceneId, SourceId};
use crate::compose::{ViewDetail, ViewOf};
use crate::media::playback_control::{EndBehavior, TransportCommand};
use crate::media::{FrameRate, ProgramId, Size};
use crate::mix::{Strip, StripId, StripLamp};
use crate::net::CertificatePin;
use crate::server::Fault;
use crate::studio::live::recording::library::RecordingsCommand;
use crate::studio::live::second_canvas::SecondCanvas;
use crate::studio::mixer::TalkMode;
use crate::studio::mixer::monitoring::Monitoring;
use crate::studio::scenes::edits::Edit;
use crate::studio::settings::Preferences;
use crate::studio::settings::RemoteChoices;
use crate::studio::settings::part::PartKind;
use crate::studio::settings::part::versions::VersionId;
use crate::studio::settings::{Rule, VirtualCameraChoices};
use crate::studio::snapshot::RemoteReport;
use crate::studio::targets::Target;
use crate::studio::targets::quality::Quality;
use crate::studio::targets::services::Service;
use crate::studio::targets::sharing::{ServerCertificate, ServerNames, ServerReach};
use crate::studio::watch::choices::WatchCommand;
use crate::studio::watch::own_chat::ChatCommand;

/// A command of the user in the window or on the command line.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Shows this video source.
    SelectVideo(VideoChoice),
    /// Shows this scene, with the chosen transition.
    SwitchScene(SceneId),
    /// Loads this scene into the preview; `None` empties the preview.
    SetPreviewScene(Option<SceneId>),
    /// Draws exactly these views in addition to the program; the snapshot contains their frames.
    LookAt(BTreeMap<ViewOf, ViewDetail>),
    /// Switches the preview to the program, and the previous scene to the preview.
    Transition,
    /// Moves the T-bar of studio mode: 0 is the program, and 1 the preview, which then becomes the
    /// program.
    TBar(f32),
    /// Sets the scene in which a strip is heard, by its name; empty means always.
    SetStripScene { id: StripId, scene: String },
    /// Pauses, resumes or seeks a source that plays a file or stream.
    Media(SourceId, TransportCommand),
    /// Sets the end behavior of a media file.
    AtEnd(SourceId, EndBehavior),
    /// Turns the virtual camera on or off.
    SwitchVirtualCamera(bool),
    /// Presses the rule key with this number, from 1. Rules can wait for it.
    RuleKey(u8),
    /// Changes the format of the virtual camera.
    SetVirtualCamera(VirtualCameraChoices),
    /// Sets a control of a camera. `camera` and `control` are names. `None` restores the control's
    /// default. The value is saved for this camera.
    SetCamera { camera: String, control: String, value: Option<i64> },
    /// Resets all controls of a camera to their defaults.
    ResetCamera(String),
    /// Replaces the rules.
    SetRules(Vec<Rule>),
    /// Pauses a rule that would run for ever, and reports it.
    PauseRule(Rule),
    /// Loads the page of a browser source again.
    RefreshPage(SourceId),
    /// Passes on what the user does on the page of a browser source.
    PageInput(SourceId, PageInput),
    /// Opens the desktop's dialog for this display or window again, and forgets the earlier
    /// permission.
    ShareAgain(SourceId),
    /// Changes the scenes. In studio mode, viewers see the change after [`Command::Transition`].
    Edit(Edit),
    /// Changes the scenes. Viewers see the change at once, also in studio mode.
    EditProgram(Edit),
    /// Reports that the user holds a mouse button in the window, or no longer does. Similar changes
    /// meanwhile are one undo step.
    Gesture(bool),
    /// Undoes the last change to the scenes.
    Undo,
    /// Redoes the change that was undone last.
    Redo,
    /// Adds the scenes in this file: a collection of onair (TOML, JSON) or OBS (JSON).
    ImportScenes(PathBuf),
    /// Closes the report about the last import.
    CloseImportReport,
    /// Writes the scenes to this file: as JSON if the name ends with `.json`, otherwise as TOML.
    ExportScenes(PathBuf),
    /// Executes a command for scene collections and profiles.
    Part(PartCommand),
    /// Sets the audio source.
    SelectAudio(AudioChoice),
    /// Sets the encoding quality.
    SetQuality(Quality),
    /// Records this scene as another program made from the same sources, on a separate canvas.
    StartProgram { id: ProgramId, scene: SceneId, size: Size, rate: FrameRate, path: PathBuf },
    /// Ends this program; its file is finalized.
    StopProgram(ProgramId),
    /// Executes a command for the second canvas, or for recordings of single sources.
    Programs(ProgramCommand),
    /// Replaces the list of targets. The enabled ones get the stream at the next *Go Live*.
    SetTargets(Vec<Target>),
    /// Adds this target, or changes it if its id exists. On air, an enabled target starts and a
    /// disabled one stops, while the others continue.
    PutTarget(Target),
    /// Removes this target and its key.
    RemoveTarget(u32),
    /// On air, restarts this target after it has failed.
    StartTarget(u32),
    /// Changes this target; on air, only its own connection reconnects.
    RestartTarget(Target),
    /// Accepts only this certificate from this target, and tries the target again.
    TrustCertificate { target: u32, pin: CertificatePin },
    /// Checks whether everything is ready, without going live. `test_stream` is true if the user
    /// agrees to a test stream to each custom server.
    Check { test_stream: bool },
    /// Measures which quality this computer and the connection to the target support, without going
    /// live. `test_stream` is true if the user agrees to a test stream to a custom server.
    MeasureQuality { test_stream: bool },
    /// Starts broadcasting.
    GoLive,
    /// Sends this FLV, MP4 or MKV file to the targets instead of the program, unchanged, once or in
    /// a loop; [`Command::StopLive`] ends it.
    SendFile { path: PathBuf, again: bool },
    /// Ends the broadcast cleanly; the content of the stream delay is dropped. A recording continues.
    StopLive,
    /// Ends the broadcast after the content of the stream delay is sent. If the command is sent
    /// again, it ends the broadcast at once.
    StopAfterDelay,
    /// Delays the stream by this much, at most 30 min, from the next *Go Live* on. The value is
    /// saved.
    SetDelay(Duration),
    /// Makes targets that wait before their next attempt reconnect at once.
    RetryNow,
    /// Records the program to this file: FLV, MP4 or MKV by its extension.
    StartRecording(PathBuf),
    /// Finalizes the recording.
    StopRecording,
    /// Executes a command for the files in the recordings folder.
    Recordings(RecordingsCommand),
    /// Pauses the recording.
    PauseRecording,
    /// Resumes the recording, without a gap in the file.
    ResumeRecording,
    /// Sets a chapter in the recording. If the title is empty, the chapter's number becomes the
    /// title.
    Chapter(String),
    /// Continues the recording in a new file.
    SplitRecording,
    /// Saves the replay buffer to this file.
    SaveReplay(PathBuf),
    /// Writes the current program frame to this PNG file.
    Screenshot(PathBuf),
    /// Sets the gain of the audio source in decibels, -60…+20.
    SetGain(f32),
    /// Mutes or unmutes the audio source.
    SetMuted(bool),
    /// Adds an audio strip with this source.
    AddStrip(AudioChoice),
    /// Adds an audio strip with this source and name.
    AddNamedStrip { choice: AudioChoice, name: String },
    /// Removes a strip. The main strip cannot be removed.
    RemoveStrip(StripId),
    /// Changes the source of a strip; for the main strip, use [`Command::SelectAudio`].
    SelectStrip { id: StripId, choice: AudioChoice },
    /// Renames a strip; if the name is empty, the strip is named after its source.
    RenameStrip { id: StripId, name: String },
    /// Sets those settings of a strip (fader, balance, sync offset, filters and others) in which
    /// `strip` differs from `before`.
    SetStrip { id: StripId, before: Strip, strip: Strip },
    /// Sets the end behavior of a strip's file; a file that a source also shows follows that
    /// source.
    SetStripEnd { id: StripId, at_end: EndBehavior },
    /// Sets the fallback of a strip; `None` means silence.
    SetIfSilent { id: StripId, choice: Option<AudioChoice> },
    /// Restarts the file of a strip.
    RestartStrip(StripId),
    /// Sets the push-to-talk mode of a strip.
    SetTalk { id: StripId, talk: TalkMode },
    /// Reports whether the push-to-talk key is held.
    PushToTalkKeys(bool),
    /// Reports whether the key of a single strip is held, independent of the common key.
    TalkKeyOf { id: StripId, held: bool },
    /// Resets integrated loudness and true peaks.
    ResetLoudness,
    /// Sets the monitoring device.
    SetMonitoring(Monitoring),
    /// Resets clip indicators.
    ClearClip(StripLamp),
    /// Pulls this stream or local file and shows it in the selected tile.
    Watch { url: String },
    /// Pulls all of these streams and files, and shows each in a separate tile.
    WatchAll(Vec<String>),
    /// Stops the selected tile.
    StopWatching,
    /// Sets the volume of the players, 0…1.
    SetVolume(f32),
    /// Changes the volume by this much.
    StepVolume(f32),
    /// Mutes or unmutes the players.
    SetPlayerMuted(bool),
    /// Executes another command for the players of the *Watch* page.
    Player(WatchCommand),
    /// Sets the simulated faults of the built-in server. They are not saved.
    SetFaults(Vec<Fault>),
    /// Sets the URL (with an application) to which clients of the built-in server reconnect when
    /// the server ends (Enhanced RTMP). An empty text means none. The value is saved.
    SetSuccessor(String),
    /// Starts or stops the built-in server. The server does not stop while it is a target of the
    /// broadcast.
    Serve(bool),
    /// Sets which computers can reach the built-in server. The value is saved.
    SetReach(ServerReach),
    /// Sets whether viewers of the built-in server need a key. The value is saved, and the key is
    /// stored with the stream keys.
    SetPlayKey(bool),
    /// Makes a new key for viewers of the built-in server. Links with the old key are invalid, and
    /// current viewers are disconnected.
    NewPlayKey,
    /// Sets the host names of the built-in server, and the origins whose pages may read from it.
    /// The value is saved.
    SetServerNames(ServerNames),
    /// Sets the passphrase that SRT clients of the built-in server need; an empty one means none. It
    /// is stored with the stream keys.
    SetSrtPassphrase(Secret),
    /// Sets where the certificate of the built-in server's HTTPS comes from. The value is saved.
    SetServerCertificate(ServerCertificate),
    /// Sets the key of YouTube's API, for chats; an empty one means none. It is stored with the
    /// stream keys.
    SetYouTubeKey(Secret),
    /// Sets whether other programs can control onair, and where. The value is saved. The first time,
    /// onair makes a password.
    SetRemoteControl(RemoteChoices),
    /// Makes a new password for remote control. Connected clients are disconnected.
    NewRemotePassword,
    /// Reports the state of remote control: its address, clients and problem.
    RemoteControlReport(RemoteReport),
    /// Executes a command for the guests of the show.
    Guest(GuestCommand),
    /// Sends a message to the chat of the program's own stream, or moderates that chat.
    Chat(ChatCommand),
    /// Adds this user-defined service or, if `was` is its previous id, changes it. The services are
    /// saved.
    PutService { was: Option<String>, service: Service },
    /// Removes this user-defined service.
    RemoveService(String),
    /// Searches for cameras, microphones, displays and windows again.
    RefreshDevices,
    /// Retries failed sources and files now.
    TryAgain,
    /// Sets the preferences for appearance and behavior, and saves them. `part_changes` is the
    /// newest [`PartsView::changes`](crate::studio::snapshot::PartsView::changes) that the sender
    /// knows. After a later switch, the profile keeps its own preferences.
    SetPreferences { preferences: Preferences, part_changes: u64 },
    /// Goes live with the targets and the scene of a broadcast that a crash interrupted.
    Resume,
    /// Reports that the display and the window are gone; the broadcast continues.
    WindowLost,
    /// Reports that the user dropped `count` files on the window, which accepts only `most` at once.
    TooManyDropped { count: usize, most: usize },
    /// Dismisses this notice.
    Dismiss(u64),
    /// Reports that the display of this name, which a projector fills, was disconnected or is
    /// connected again.
    ProjectorDisplay { name: String, is_gone: bool },
    /// Reports whether the window is hidden. While it is hidden, the studio looks for changes less
    /// often.
    SetHidden(bool),
    /// Reports whether no window shows the program. Off air, the studio then draws fewer frames.
    SetProgramUnseen(bool),
    /// Ends everything; [`Snapshot::ended`](crate::studio::snapshot::Snapshot) reports when the
    /// studio has ended.
    Quit,
}

impl Command {
    /// Returns the path that the studio saves because of this command. An edit checks its own paths.
    pub(crate) fn saved_path(&self) -> Option<&Path> {
        match self {
            Self::SelectVideo(choice) => choice.path(),
            Self::SelectAudio(choice)
            | Self::AddStrip(choice)
            | Self::AddNamedStrip { choice, .. }
            | Self::SelectStrip { choice, .. }
            | Self::SetIfSilent { choice: Some(choice), .. } => choice.path(),
            Self::SetPreferences { preferences, .. } => preferences.saved_folder(),
            _ => None,
        }
    }
}

/// A command for a program beside the main one.
#[derive(Clone, Debug, PartialEq)]
pub enum ProgramCommand {
    /// Changes the second canvas. The value is saved.
    SetCanvas(SecondCanvas),
    /// Reports whether the window shows the second canvas.
    ShowCanvas(bool),
    /// Records the second canvas to this file from the next broadcast or recording on, or now if
    /// one runs.
    RecordCanvas(PathBuf),
    /// Records these sources alone, each to its file, from the next broadcast or recording on, or
    /// now if one runs. They end with it.
    RecordSources(BTreeMap<SourceId, PathBuf>),
    /// Ends the recording of this source alone.
    StopSource(SourceId),
}

/// A command for the guests of the show, most by the id of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestCommand {
    /// Makes a place with a new link.
    Invite,
    /// Sets the server at which guests across the internet meet the studio, with the server's key; an empty address
    /// means none. Both are saved, the key with the stream keys.
    Meet(String, Secret),
    /// Reports all guests again.
    List,
    /// Puts a guest from the lobby on air, in the scene that viewers see.
    Admit(String),
    /// Takes a guest off air, back into the lobby.
    Dismiss(String),
    /// Takes a guest's place away. The link is dead then.
    Remove(String),
    /// Mutes or unmutes a guest on air.
    Mute(String, bool),
    /// Hides or shows a guest on air, who is still heard.
    Hide(String, bool),
    /// Shows or hides the name tag on a guest's video, now or as soon as the guest is on air.
    Tag(String, bool),
}

/// A command for scene collections or profiles, by name.
#[derive(Clone, Debug, PartialEq)]
pub enum PartCommand {
    /// Uses this collection or profile from now on. On air, a switch to another collection is a
    /// scene change. A switch to another profile is possible only after the broadcast.
    Use(PartKind, String),
    /// Creates a collection or profile with default content, and uses it.
    New(PartKind, String),
    /// Duplicates the current collection or profile under this name, and uses the copy.
    Duplicate(PartKind, String),
    Rename {
        kind: PartKind,
        was: String,
        name: String,
    },
    /// Deletes this collection or profile. If it is in use, onair switches to another one first.
    Delete(PartKind, String),
    /// Lists the earlier versions of this collection or profile.
    ListVersions(PartKind, String),
    /// Restores this collection or profile, which can be in use, unused or deleted, to this version.
    Restore {
        kind: PartKind,
        name: String,
        id: VersionId,
    },
    /// Imports a collection or profile from an onair or OBS file; `with_key` includes the stream
    /// key of OBS.
    Import {
        kind: PartKind,
        path: PathBuf,
        with_key: bool,
    },
    /// Exports a collection or profile to a file for other users, without secrets.
    Export {
        kind: PartKind,
        name: String,
        path: PathBuf,
    },
}
