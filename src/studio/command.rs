//! Everything a person can ask of the studio.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::audio::AudioChoice;
use crate::capture::VideoChoice;
use crate::compose::scene::{SceneId, SourceId};
use crate::compose::{ViewDetail, ViewOf};
use crate::media::playback_control::{EndBehavior, TransportCommand};
use crate::media::{FrameRate, ProgramId, Size};
use crate::mix::{Strip, StripId, StripLamp};
use crate::net::CertificatePin;
use crate::server::Fault;
use crate::studio::live::recording::library::RecordingsCommand;
use crate::studio::mixer::TalkMode;
use crate::studio::mixer::monitoring::Monitoring;
use crate::studio::scenes::edits::Edit;
use crate::studio::settings::Preferences;
use crate::studio::settings::part::PartKind;
use crate::studio::settings::part::versions::VersionId;
use crate::studio::targets::Target;
use crate::studio::targets::quality::Quality;
use crate::studio::targets::services::Service;
use crate::studio::watch::choices::WatchCommand;

/// A command of the user in the window or on the command line.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Show this video source.
    SelectVideo(VideoChoice),
    /// Show this scene, by the chosen transition.
    SwitchScene(SceneId),
    /// Put this scene into the preview; `None`: empty it.
    PrepareScene(Option<SceneId>),
    /// These are looked at beside the program, and no others: the snapshot has their pictures.
    LookAt(BTreeMap<ViewOf, ViewDetail>),
    /// Switch the preview to the program, and the previous scene to the preview.
    Transition,
    /// Pause a source that plays something, continue, or go to another place of it.
    Media(SourceId, TransportCommand),
    /// Set the end behavior of a media file.
    AtEnd(SourceId, EndBehavior),
    /// Set a control of a camera, by their names; `None`: to its default. The camera keeps it.
    SetCamera { camera: String, control: String, value: Option<i64> },
    /// All controls of a camera have their defaults again.
    ResetCamera(String),
    /// Open the desktop's dialog for this display or window again; forgets the permission.
    ShareAgain(SourceId),
    /// Change the scenes.
    Edit(Edit),
    /// Take the last change of the scenes back.
    Undo,
    /// Make it again.
    Redo,
    /// Add the scenes in this file: a collection of onair (TOML, JSON) or of OBS (JSON).
    ImportScenes(PathBuf),
    /// Write the scenes into this file: TOML, or JSON by its name.
    ExportScenes(PathBuf),
    /// Anything about scene collections and profiles.
    Part(PartCommand),
    /// Hear this audio source.
    SelectAudio(AudioChoice),
    /// Encode like this.
    SetQuality(Quality),
    /// Record this scene as another program of the same sources, on a separate canvas.
    StartProgram { id: ProgramId, scene: SceneId, size: Size, rate: FrameRate, path: PathBuf },
    /// End it; its file is finished.
    StopProgram(ProgramId),
    /// These are the targets now: those enabled get the stream at the next *Go Live*.
    SetTargets(Vec<Target>),
    /// Adds this target or, by its ID, changes it. On air, an enabled target starts and a disabled
    /// one stops, while the others continue.
    PutTarget(Target),
    /// Forgets this target and its key.
    RemoveTarget(u32),
    /// On air: restarts this target, which has failed.
    StartTarget(u32),
    /// Changes this target; on air, only its own connection reconnects.
    RestartTarget(Target),
    /// Accept this certificate, and no other, from this target; and try it again.
    TrustCertificate { target: u32, pin: CertificatePin },
    /// Look whether everything is ready, without going live.
    Check,
    /// Measure which quality this machine and the way to the target carry, without going live.
    MeasureQuality,
    /// Start broadcasting.
    GoLive,
    /// Send this FLV, MP4 or MKV file to the targets instead of the program, as is, once or in a
    /// loop; [`Command::StopLive`] ends it.
    SendFile { path: PathBuf, again: bool },
    /// End the broadcast properly; the content of the stream delay is dropped.
    StopLive,
    /// The same after the stream delay is sent; a second time, at once.
    StopAfterDelay,
    /// From the next *Go Live* on viewers see the stream this much later, at most 30 min; remembered.
    SetDelay(Duration),
    /// Do not wait for the next try.
    RetryNow,
    /// Record the program to this file: FLV, MP4 or MKV by its extension.
    StartRecording(PathBuf),
    /// Finish the recording.
    StopRecording,
    /// Anything about the recordings in the folder of recordings.
    Recordings(RecordingsCommand),
    /// Pause the recording.
    PauseRecording,
    /// Go on recording, without a gap in the file.
    ResumeRecording,
    /// Set a chapter in the recording; an empty title becomes its number.
    Chapter(String),
    /// Go on recording in a new file.
    SplitRecording,
    /// Save the replay buffer to this file.
    SaveReplay(PathBuf),
    /// Write the frame that is sent into this PNG file.
    Snapshot(PathBuf),
    /// Gain of the audio source in decibels, -60…+20.
    SetGain(f32),
    /// Mute the audio source.
    SetMuted(bool),
    /// Add a strip of audio that hears this.
    AddStrip(AudioChoice),
    /// Remove a strip; the main one stays.
    RemoveStrip(StripId),
    /// Change the source of a strip; for the main one, use [`Command::SelectAudio`].
    SelectStrip { id: StripId, choice: AudioChoice },
    /// Rename a strip; empty: after its source.
    RenameStrip { id: StripId, name: String },
    /// Set a strip: fader, balance, offset, filters and all.
    SetStrip { id: StripId, strip: Strip },
    /// Set the end behavior of a strip's file; a file that a source also shows follows that source.
    SetStripEnd { id: StripId, at_end: EndBehavior },
    /// Set the fallback of a strip; `None`: silence.
    SetIfSilent { id: StripId, choice: Option<AudioChoice> },
    /// Restart a strip's file.
    RestartStrip(StripId),
    /// Set the push-to-talk mode of a strip.
    SetTalk { id: StripId, talk: TalkMode },
    /// The talk key is held, or not.
    PushToTalkKeys(bool),
    /// The same for a single strip, independent of the common key.
    TalkKeyOf { id: StripId, held: bool },
    /// Integrated loudness and true peaks start afresh.
    ResetLoudness,
    /// Set the monitoring device.
    SetMonitoring(Monitoring),
    /// Reset clip indicators.
    ClearClip(StripLamp),
    /// Pull this stream or local file and show it, in the chosen tile.
    Watch { url: String },
    /// Pull all of these and show them, each in a separate tile.
    WatchAll(Vec<String>),
    /// Stop the selected tile.
    StopWatching,
    /// Loudness of the players, 0…1.
    SetVolume(f32),
    /// Change the volume by this much.
    StepVolume(f32),
    /// Silence the players.
    SetPlayerMuted(bool),
    /// Anything else about the players of the *Watch* page.
    Player(WatchCommand),
    /// Set the simulated faults of the built-in server; not saved.
    SetFaults(Vec<Fault>),
    /// Set where clients of the built-in server reconnect when it ends (Enhanced RTMP): a URL with
    /// an application; empty: none. Saved.
    SetSuccessor(String),
    /// Add this service of the person's own or, by the id that it had, change it; remembered.
    PutService { was: Option<String>, service: Service },
    /// Forget this service of the person's own.
    RemoveService(String),
    /// Look for cameras, microphones, screens and windows again.
    RefreshDevices,
    /// Retry failed sources and files now.
    TryAgain,
    /// Look and behave like this; remembered.
    SetPreferences(Preferences),
    /// Go live to the targets and with the scene of a broadcast that a crash ended.
    Resume,
    /// The display and the window are gone; the broadcast continues.
    WindowLost,
    /// The person has read this notice.
    Dismiss(u64),
    /// End everything; [`Snapshot::ended`](crate::studio::snapshot::Snapshot) reports when it is
    /// done.
    Quit,
}

/// A command for scene collections or profiles, by name.
#[derive(Clone, Debug, PartialEq)]
pub enum PartCommand {
    /// Use this one from now on. On air, a collection is a scene change; a profile must wait for
    /// the end.
    Use(PartKind, String),
    /// Create a default one, and use it.
    New(PartKind, String),
    /// Duplicate the one in use under this name, and use it.
    Duplicate(PartKind, String),
    Rename {
        kind: PartKind,
        was: String,
        name: String,
    },
    /// Delete this one; if it is in use, another one is used.
    Delete(PartKind, String),
    /// List the earlier versions of this one.
    ListVersions(PartKind, String),
    /// Restore the one in use to this version.
    Restore(PartKind, VersionId),
    /// Import one from a file of onair or OBS; `with_key`: including OBS's stream key.
    Import {
        kind: PartKind,
        path: PathBuf,
        with_key: bool,
    },
    /// Export one to a file for others, without secrets.
    Export {
        kind: PartKind,
        name: String,
        path: PathBuf,
    },
}
