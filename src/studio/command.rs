//! Everything a person can ask of the studio.

use std::path::PathBuf;
use std::time::Duration;

use crate::audio::AudioChoice;
use crate::capture::VideoChoice;
use crate::compose::scene::{SceneId, SourceId};
use crate::media::playback_control::{EndBehavior, TransportCommand};
use crate::media::{FrameRate, ProgramId, Size};
use crate::mix::{Strip, StripId, StripLamp};
use crate::net::CertificatePin;
use crate::server::Fault;
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

/// A wish of the person at the window or on the command line.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Show this video source.
    SelectVideo(VideoChoice),
    /// Show this scene, by the chosen transition.
    SwitchScene(SceneId),
    /// Show this scene apart, before it is sent; `None`: nothing is prepared any more.
    PrepareScene(Option<SceneId>),
    /// The prepared scene is sent, and the one that went out is prepared.
    Transition,
    /// Pause a source that plays something, continue, or go to another place of it.
    Media(SourceId, TransportCommand),
    /// What becomes of a media file when it has been played to its end.
    AtEnd(SourceId, EndBehavior),
    /// Set a control of a camera, by their names; `None`: to its default. Remembered by the camera.
    SetCamera { camera: String, control: String, value: Option<i64> },
    /// All controls of a camera have their defaults again.
    ResetCamera(String),
    /// The desktop asks once more what this screen or window is to be; what it allowed is forgotten.
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
    /// Adds this target or, by its id, changes it. On air, one that is switched on starts and one
    /// that is switched off stops, while the others continue.
    PutTarget(Target),
    /// Forgets this target and its key.
    RemoveTarget(u32),
    /// On air: starts this target again, which has given up.
    StartTarget(u32),
    /// Changes this target; on air, its own connection alone is made again with what it is now.
    RestartTarget(Target),
    /// Accept this certificate, and no other, from this target; and try it again.
    TrustCertificate { target: u32, pin: CertificatePin },
    /// Look whether everything is ready, without going live.
    Check,
    /// Measure which quality this machine and the way to the target carry, without going live.
    MeasureQuality,
    /// Start broadcasting.
    GoLive,
    /// Send this FLV, MP4 or MKV file to the targets instead of the program, as it is, once or again
    /// and again; [`Command::StopLive`] ends it.
    SendFile { path: PathBuf, again: bool },
    /// End the broadcast cleanly; what the stream delay holds is dropped.
    StopLive,
    /// The same once what the stream delay holds has gone out; a second time, now.
    StopAfterDelay,
    /// From the next *Go Live* on viewers see the stream this much later, at most 30 min; remembered.
    SetDelay(Duration),
    /// Do not wait for the next try.
    RetryNow,
    /// Record what is sent into this file: FLV, MP4 or MKV by its name.
    StartRecording(PathBuf),
    /// Finish the recording.
    StopRecording,
    /// Leave from the recording what comes from here on.
    PauseRecording,
    /// Go on recording, without a gap in the file.
    ResumeRecording,
    /// Set a chapter in the recording; an empty title becomes its number.
    Chapter(String),
    /// Go on recording in a new file.
    SplitRecording,
    /// Write what the replay buffer has into this file.
    SaveReplay(PathBuf),
    /// Write the frame that is sent into this PNG file.
    Snapshot(PathBuf),
    /// Gain of the audio source in decibels, -60…+20.
    SetGain(f32),
    /// Mute the audio source.
    SetMuted(bool),
    /// Add a strip of audio that hears this.
    AddStrip(AudioChoice),
    /// Take a strip away; the main one stays.
    RemoveStrip(StripId),
    /// Another source for a strip; the main one's is chosen by [`Command::SelectAudio`].
    SelectStrip { id: StripId, choice: AudioChoice },
    /// What a strip is called; empty: after its source.
    RenameStrip { id: StripId, name: String },
    /// Set a strip: fader, balance, offset, filters and all.
    SetStrip { id: StripId, strip: Strip },
    /// What becomes of the file that a strip plays when it has been played; one that a source shows too
    /// does as that source does.
    SetStripEnd { id: StripId, at_end: EndBehavior },
    /// What is heard in a strip's stead while it is silent or gone; `None`: the silence.
    SetIfSilent { id: StripId, choice: Option<AudioChoice> },
    /// What a strip plays begins again.
    RestartStrip(StripId),
    /// What the talk key does with a strip.
    SetTalk { id: StripId, talk: TalkMode },
    /// The talk key is held, or not.
    PushToTalkKeys(bool),
    /// The same of one strip alone, whatever the key of all is.
    TalkKeyOf { id: StripId, held: bool },
    /// Integrated loudness and true peaks start afresh.
    ResetLoudness,
    /// Where monitored and solo strips are heard.
    SetMonitoring(Monitoring),
    /// Put clip lamps out.
    ClearClip(StripLamp),
    /// Pull this stream or local file and show it, in the chosen tile.
    Watch { url: String },
    /// Pull all of these and show them, each in a separate tile.
    WatchAll(Vec<String>),
    /// Stop showing what is in the chosen tile.
    StopWatching,
    /// Loudness of the players, 0…1.
    SetVolume(f32),
    /// So much louder than now.
    StepVolume(f32),
    /// Silence the players.
    SetPlayerMuted(bool),
    /// Anything else about the players of the *Watch* page.
    Player(WatchCommand),
    /// The built-in server does these things wrong from now on, and no others; not remembered.
    SetFaults(Vec<Fault>),
    /// When the built-in server ends, clients that understand it (Enhanced RTMP) are asked to go to
    /// this URL of an application; empty: nowhere else. Remembered.
    SetSuccessor(String),
    /// Add this service of the person's own or, by the id that it had, change it; remembered.
    PutService { was: Option<String>, service: Service },
    /// Forget this service of the person's own.
    RemoveService(String),
    /// Look for cameras, microphones, screens and windows again.
    RefreshDevices,
    /// Open at once what could not be opened, rather than when it comes or is another.
    TryAgain,
    /// Look and behave like this; remembered.
    SetPreferences(Preferences),
    /// Go live to the targets and with the scene of a broadcast that a crash ended.
    Resume,
    /// The display is gone, and the window with it; what is on air continues.
    WindowLost,
    /// The person has read this notice.
    Dismiss(u64),
    /// End everything; [`Snapshot::ended`](crate::studio::snapshot::Snapshot) tells when it is done.
    Quit,
}

/// A wish about scene collections or profiles, which are kept by name.
#[derive(Clone, Debug, PartialEq)]
pub enum PartCommand {
    /// Use this one from now on. On air a collection is a scene change; a profile waits for the end.
    Use(PartKind, String),
    /// Make one as at a first start, and use it.
    New(PartKind, String),
    /// Make one like the one in use, by this name, and use it.
    Duplicate(PartKind, String),
    Rename {
        kind: PartKind,
        was: String,
        name: String,
    },
    /// Forget this one; where it is in use, another one is used.
    Delete(PartKind, String),
    /// Show the earlier versions of this one.
    ListVersions(PartKind, String),
    /// Make the one in use what it was in this version.
    Restore(PartKind, VersionId),
    /// Add one from a file of onair or OBS; `with_key`: the stream key that OBS has in it too.
    Import {
        kind: PartKind,
        path: PathBuf,
        with_key: bool,
    },
    /// Write one into a file for others, with nothing secret in it.
    Export {
        kind: PartKind,
        name: String,
        path: PathBuf,
    },
}
