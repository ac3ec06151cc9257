//! Every message the studio has for a person: its name, its English words, what helps. The window
//! has the same messages in its languages, by the name (`assets/i18n`); a test holds the two
//! together (long because every message stands here once, with all that belongs to it).

use crate::media::source::Alarm;
use crate::net::Pin;
use crate::player;
use crate::studio::fitted::Fitted;
use crate::studio::monitor::words;
use crate::studio::notice::{Level, Notice, Remedy};
use crate::studio::said::Said;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    CameraLost {
        device: String,
    },
    CameraStalled {
        device: String,
    },
    CameraFailed {
        device: String,
        reason: String,
    },
    CameraBack {
        device: String,
    },
    NoCamera,
    MicrophoneLost {
        device: String,
    },
    MicrophoneStalled {
        device: String,
    },
    MicrophoneFailed {
        device: String,
        reason: String,
    },
    MicrophoneBack {
        device: String,
    },
    NoMicrophone,
    /// A source that is neither camera nor microphone does not deliver; a sentence that says why.
    SourceTrouble {
        device: String,
        reason: String,
    },
    SourceBack {
        device: String,
    },
    /// What a source delivers is not as it should be.
    Alarm {
        alarm: Alarm,
        device: String,
    },
    /// Another device is the system's default now, and is used.
    DefaultChanged {
        device: String,
    },
    /// Of scenes and their sources.
    Scenes(Said),
    /// Of pictures that were made to fit a connection.
    Fitted(Fitted),
    FileFailed {
        path: String,
        reason: String,
    },
    EncoderFailed {
        reason: String,
    },
    EncoderSlow {
        percent: String,
    },
    KeyVisible,
    TargetInvalid {
        id: u32,
        reason: String,
    },
    /// The connection carries less than was set.
    BitrateLowered {
        kbps: String,
        wanted: String,
    },
    BitrateRestored {
        kbps: String,
    },
    /// Nothing is switched on to go live to.
    NoTarget,
    /// The stream is not what a service takes; a sentence that says how.
    Misfit {
        sentence: String,
    },
    /// A key could not be kept or read.
    KeyNotKept {
        reason: String,
    },
    /// On the way to the target or on air; `key` tells the kind.
    Target {
        key: &'static str,
        id: u32,
        /// Of a certificate that its owner may accept.
        pin: Option<Pin>,
        host: String,
        cause: String,
        advice: String,
        retrying: bool,
    },
    TargetBack {
        host: String,
        seconds: String,
    },
    /// What viewers of a target get is not what is sent; `key` tells the kind.
    Monitor {
        key: &'static str,
        host: String,
        cause: String,
    },
    /// For the history: viewers get what is sent again.
    MonitorWell {
        host: String,
        seconds: String,
    },
    /// For the history: this machine's network is another.
    NetworkChanged {
        came: String,
        gone: String,
    },
    /// For the history: this machine slept.
    Slept {
        seconds: String,
    },
    /// For the history: the stream has reached a target.
    TargetOnAir {
        host: String,
    },
    /// A server did not say whether it takes what is sent as it is.
    CodecsUnsaid {
        host: String,
        codecs: String,
    },
    /// A file cannot be sent, or not to its end.
    FilmFailed {
        path: String,
        reason: String,
    },
    /// All of a file was sent.
    FilmEnded {
        path: String,
    },
    /// For the history: viewers see the stream so much later.
    DelayOn {
        time: String,
    },
    /// There is no room for the whole stream delay.
    DelayShort {
        time: String,
        wanted: String,
        reason: String,
    },
    /// For the history: the broadcast has ended.
    BroadcastEnded {
        time: String,
        sent: String,
        dropped: String,
    },
    ServerSays {
        text: String,
    },
    FaultStruck {
        fault: String,
    },
    PortTaken {
        wanted: String,
        used: String,
    },
    ServerFailed {
        reason: String,
    },
    RecordingFailed {
        path: String,
        reason: String,
    },
    RecordingRenamed {
        path: String,
    },
    /// The format has no room for the extra sound tracks.
    TracksLeftOut {
        path: String,
    },
    RecordingSaved {
        path: String,
    },
    RecordingRepaired {
        path: String,
    },
    RecordingLost {
        path: String,
        reason: String,
    },
    DiskSpace {
        minutes: String,
        megabytes: String,
    },
    DiskSlow {
        seconds: String,
    },
    ReplaySaved {
        path: String,
    },
    ReplayFailed {
        path: String,
        reason: String,
    },
    ReplayEmpty,
    SnapshotSaved {
        path: String,
    },
    SnapshotFailed {
        path: String,
        reason: String,
    },
    /// What the desk is to hear is not heard.
    PhonesFailed {
        reason: String,
    },
    /// The player could not play or go on; `key` tells the kind.
    Watch {
        key: &'static str,
        cause: String,
        advice: String,
    },
    /// What the player says about the stream it plays.
    Player(player::Message),
    /// An earlier run met an error that nobody expected.
    Crashed {
        path: String,
    },
    SettingsBad {
        reason: String,
    },
    SettingsNotSaved {
        reason: String,
    },
}

/// The name of an alarm's message.
pub(super) const fn alarm_key(alarm: Alarm) -> &'static str {
    match alarm {
        Alarm::Black => "picture-black",
        Alarm::Frozen => "picture-frozen",
        Alarm::Zero => "sound-zero",
        Alarm::Silent => "sound-silent",
        Alarm::Faint => "sound-faint",
        Alarm::Clipped => "sound-clipped",
    }
}

impl Message {
    /// Every name there is, for the test that looks for its texts in each language.
    pub const KEYS: &[&str] = &[
        "camera-lost",
        "camera-stalled",
        "camera-failed",
        "camera-back",
        "no-camera",
        "microphone-lost",
        "microphone-stalled",
        "microphone-failed",
        "microphone-back",
        "no-microphone",
        "source-trouble",
        "source-back",
        "picture-black",
        "picture-frozen",
        "sound-zero",
        "sound-silent",
        "sound-faint",
        "sound-clipped",
        "default-changed",
        "file-failed",
        "encoder-failed",
        "encoder-slow",
        "key-visible",
        "bitrate-lowered",
        "bitrate-restored",
        "size-lowered",
        "size-restored",
        "rung-lowered",
        "rung-restored",
        "rung-failed",
        "no-target",
        "key-not-kept",
        "misfit",
        "target-invalid",
        "target-no-such-host",
        "target-unreachable",
        "target-timeout",
        "target-certificate",
        "target-not-rtmp",
        "target-refused",
        "target-busy",
        "target-lost",
        "target-failed",
        "target-back",
        "target-on-air",
        "codecs-unsaid",
        "film-failed",
        "film-ended",
        "delay-on",
        "delay-short",
        "monitor-unreachable",
        "monitor-no-stream",
        "monitor-stalled",
        "monitor-black",
        "monitor-frozen",
        "monitor-silent",
        "monitor-late",
        "monitor-wrong-size",
        "monitor-well",
        "network-changed",
        "slept",
        "broadcast-ended",
        "server-says",
        "fault-struck",
        "port-taken",
        "server-failed",
        "recording-failed",
        "recording-renamed",
        "tracks-left-out",
        "recording-saved",
        "recording-repaired",
        "recording-lost",
        "disk-space",
        "disk-slow",
        "replay-saved",
        "replay-failed",
        "replay-empty",
        "snapshot-saved",
        "snapshot-failed",
        "phones-failed",
        "watch-no-stream",
        "watch-unreachable",
        "watch-refused",
        "watch-lost",
        "watch-codec",
        "watch-file",
        "watch-failed",
        "crashed",
        "settings-bad",
        "settings-not-saved",
        "scene-source-failed",
        "scene-source-lost",
        "scene-source-back",
        "filter-failed",
        "scenes-imported",
        "scenes-left-out",
        "scenes-import-failed",
        "scenes-exported",
        "scenes-export-failed",
        "strain-preview",
        "strain-transitions",
        "transition-failed",
        "strain-filters",
        "strain-rate",
        "strain-over",
    ];

    /// The message as a notice with this number, and what the machine said.
    pub fn notice(&self, id: u64, detail: impl Into<String>) -> Notice {
        Notice {
            id,
            key: self.key(),
            args: self.args(),
            level: self.level(),
            summary: self.summary(),
            advice: self.advice(),
            detail: detail.into(),
            remedy: self.remedy(),
        }
    }

    /// Its name.
    pub fn key(&self) -> &'static str {
        match self {
            Self::CameraLost { .. } => "camera-lost",
            Self::CameraStalled { .. } => "camera-stalled",
            Self::CameraFailed { .. } => "camera-failed",
            Self::CameraBack { .. } => "camera-back",
            Self::NoCamera => "no-camera",
            Self::MicrophoneLost { .. } => "microphone-lost",
            Self::MicrophoneStalled { .. } => "microphone-stalled",
            Self::MicrophoneFailed { .. } => "microphone-failed",
            Self::MicrophoneBack { .. } => "microphone-back",
            Self::NoMicrophone => "no-microphone",
            Self::SourceTrouble { .. } => "source-trouble",
            Self::SourceBack { .. } => "source-back",
            Self::Alarm { alarm, .. } => alarm_key(*alarm),
            Self::DefaultChanged { .. } => "default-changed",
            Self::Scenes(said) => said.key(),
            Self::Fitted(said) => said.key(),
            Self::FileFailed { .. } => "file-failed",
            Self::EncoderFailed { .. } => "encoder-failed",
            Self::EncoderSlow { .. } => "encoder-slow",
            Self::KeyVisible => "key-visible",
            Self::BitrateLowered { .. } => "bitrate-lowered",
            Self::BitrateRestored { .. } => "bitrate-restored",
            Self::NoTarget => "no-target",
            Self::KeyNotKept { .. } => "key-not-kept",
            Self::Misfit { .. } => "misfit",
            Self::TargetInvalid { .. } => "target-invalid",
            Self::Target { key, .. } | Self::Watch { key, .. } | Self::Monitor { key, .. } => key,
            Self::MonitorWell { .. } => "monitor-well",
            Self::NetworkChanged { .. } => "network-changed",
            Self::Slept { .. } => "slept",
            Self::TargetBack { .. } => "target-back",
            Self::TargetOnAir { .. } => "target-on-air",
            Self::CodecsUnsaid { .. } => "codecs-unsaid",
            Self::FilmFailed { .. } => "film-failed",
            Self::FilmEnded { .. } => "film-ended",
            Self::DelayOn { .. } => "delay-on",
            Self::DelayShort { .. } => "delay-short",
            Self::BroadcastEnded { .. } => "broadcast-ended",
            Self::ServerSays { .. } => "server-says",
            Self::FaultStruck { .. } => "fault-struck",
            Self::PortTaken { .. } => "port-taken",
            Self::ServerFailed { .. } => "server-failed",
            Self::RecordingFailed { .. } => "recording-failed",
            Self::RecordingRenamed { .. } => "recording-renamed",
            Self::TracksLeftOut { .. } => "tracks-left-out",
            Self::RecordingSaved { .. } => "recording-saved",
            Self::RecordingRepaired { .. } => "recording-repaired",
            Self::RecordingLost { .. } => "recording-lost",
            Self::DiskSpace { .. } => "disk-space",
            Self::DiskSlow { .. } => "disk-slow",
            Self::ReplaySaved { .. } => "replay-saved",
            Self::ReplayFailed { .. } => "replay-failed",
            Self::ReplayEmpty => "replay-empty",
            Self::SnapshotSaved { .. } => "snapshot-saved",
            Self::SnapshotFailed { .. } => "snapshot-failed",
            Self::PhonesFailed { .. } => "phones-failed",
            Self::Player(said) => said.key,
            Self::Crashed { .. } => "crashed",
            Self::SettingsBad { .. } => "settings-bad",
            Self::SettingsNotSaved { .. } => "settings-not-saved",
        }
    }

    /// The values its texts name.
    pub fn args(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::CameraLost { device }
            | Self::CameraStalled { device }
            | Self::CameraBack { device }
            | Self::MicrophoneLost { device }
            | Self::MicrophoneStalled { device }
            | Self::MicrophoneBack { device } => vec![("device", device.clone())],
            Self::SourceBack { device }
            | Self::Alarm { device, .. }
            | Self::DefaultChanged { device } => vec![("device", device.clone())],
            Self::CameraFailed { device, reason }
            | Self::MicrophoneFailed { device, reason }
            | Self::SourceTrouble { device, reason } => {
                vec![("device", device.clone()), ("reason", reason.clone())]
            }
            Self::PhonesFailed { reason } => vec![("reason", reason.clone())],
            Self::FileFailed { path, reason }
            | Self::FilmFailed { path, reason }
            | Self::RecordingFailed { path, reason }
            | Self::RecordingLost { path, reason }
            | Self::ReplayFailed { path, reason }
            | Self::SnapshotFailed { path, reason } => {
                vec![("path", path.clone()), ("reason", reason.clone())]
            }
            Self::DiskSpace { minutes, megabytes } => {
                vec![("minutes", minutes.clone()), ("megabytes", megabytes.clone())]
            }
            Self::DiskSlow { seconds } => vec![("seconds", seconds.clone())],
            Self::EncoderFailed { reason }
            | Self::TargetInvalid { reason, .. }
            | Self::KeyNotKept { reason }
            | Self::ServerFailed { reason }
            | Self::SettingsBad { reason }
            | Self::SettingsNotSaved { reason } => vec![("reason", reason.clone())],
            Self::EncoderSlow { percent } => vec![("percent", percent.clone())],
            Self::Target { host, cause, .. } | Self::Monitor { host, cause, .. } => {
                vec![("host", host.clone()), ("cause", cause.clone())]
            }
            Self::TargetBack { host, seconds } | Self::MonitorWell { host, seconds } => {
                vec![("host", host.clone()), ("seconds", seconds.clone())]
            }
            Self::NetworkChanged { came, gone } => {
                vec![("came", came.clone()), ("gone", gone.clone())]
            }
            Self::Slept { seconds } => vec![("seconds", seconds.clone())],
            Self::TargetOnAir { host } => vec![("host", host.clone())],
            Self::CodecsUnsaid { host, codecs } => {
                vec![("host", host.clone()), ("codecs", codecs.clone())]
            }
            Self::DelayOn { time } => vec![("time", time.clone())],
            Self::DelayShort { time, wanted, reason } => {
                vec![("time", time.clone()), ("wanted", wanted.clone()), ("reason", reason.clone())]
            }
            Self::BroadcastEnded { time, sent, dropped } => {
                vec![("time", time.clone()), ("sent", sent.clone()), ("dropped", dropped.clone())]
            }
            Self::ServerSays { text } => vec![("text", text.clone())],
            Self::FaultStruck { fault } => vec![("fault", fault.clone())],
            Self::PortTaken { wanted, used } => {
                vec![("wanted", wanted.clone()), ("used", used.clone())]
            }
            Self::RecordingRenamed { path }
            | Self::TracksLeftOut { path }
            | Self::RecordingSaved { path }
            | Self::RecordingRepaired { path }
            | Self::ReplaySaved { path }
            | Self::FilmEnded { path }
            | Self::Crashed { path }
            | Self::SnapshotSaved { path } => vec![("path", path.clone())],
            Self::Watch { cause, .. } => vec![("cause", cause.clone())],
            Self::Player(said) => vec![("detail", said.detail.clone())],
            Self::Scenes(said) => said.args(),
            Self::Fitted(said) => said.args(),
            Self::BitrateLowered { kbps, wanted } => {
                vec![("kbps", kbps.clone()), ("wanted", wanted.clone())]
            }
            Self::BitrateRestored { kbps } => vec![("kbps", kbps.clone())],
            Self::Misfit { sentence } => vec![("sentence", sentence.clone())],
            Self::NoCamera
            | Self::NoMicrophone
            | Self::KeyVisible
            | Self::NoTarget
            | Self::ReplayEmpty => Vec::new(),
        }
    }

    /// How much it matters.
    pub fn level(&self) -> Level {
        match self {
            Self::CameraBack { .. }
            | Self::MicrophoneBack { .. }
            | Self::SourceBack { .. }
            | Self::DefaultChanged { .. }
            | Self::TargetBack { .. }
            | Self::TargetOnAir { .. }
            | Self::DelayOn { .. }
            | Self::FilmEnded { .. }
            | Self::MonitorWell { .. }
            | Self::NetworkChanged { .. }
            | Self::Slept { .. }
            | Self::BroadcastEnded { .. }
            | Self::BitrateRestored { .. }
            | Self::ServerSays { .. }
            | Self::FaultStruck { .. }
            | Self::PortTaken { .. }
            | Self::RecordingSaved { .. }
            | Self::RecordingRenamed { .. }
            | Self::RecordingRepaired { .. }
            | Self::ReplaySaved { .. }
            | Self::ReplayEmpty
            | Self::SnapshotSaved { .. }
            | Self::NoCamera
            | Self::NoMicrophone => Level::Info,
            Self::Monitor { key, .. } => words::level(key),
            Self::Player(said) if said.severity == player::Severity::Info => Level::Info,
            Self::Scenes(said) => said.level(),
            Self::Fitted(said) => said.level(),
            Self::EncoderFailed { .. }
            | Self::TargetInvalid { .. }
            | Self::NoTarget
            | Self::RecordingFailed { .. }
            | Self::RecordingLost { .. }
            | Self::ReplayFailed { .. }
            | Self::SnapshotFailed { .. }
            | Self::PhonesFailed { .. }
            | Self::FileFailed { .. }
            | Self::FilmFailed { .. }
            | Self::ServerFailed { .. }
            | Self::Watch { .. }
            | Self::Target { retrying: false, .. } => Level::Error,
            _ => Level::Warning,
        }
    }

    /// What happened, in English.
    pub fn summary(&self) -> String {
        match self {
            Self::CameraLost { device } => {
                format!("The camera {device} is gone. A slate goes out instead.")
            }
            Self::CameraStalled { device } => {
                format!("The camera {device} sends no pictures. A slate goes out instead.")
            }
            Self::CameraFailed { device, reason } => {
                format!("The camera {device} cannot be used: {reason}")
            }
            Self::CameraBack { device } => format!("The camera {device} is back."),
            Self::NoCamera => "No camera was found. The test picture goes out.".into(),
            Self::MicrophoneLost { device } => {
                format!("The microphone {device} is gone. Silence goes out instead.")
            }
            Self::MicrophoneStalled { device } => {
                format!("The microphone {device} sends no sound. Silence goes out instead.")
            }
            Self::MicrophoneFailed { device, reason } => {
                format!("The microphone {device} cannot be used: {reason}")
            }
            Self::MicrophoneBack { device } => format!("The microphone {device} is back."),
            Self::NoMicrophone => "No microphone was found.".into(),
            Self::SourceTrouble { reason, .. } => format!("{reason}."),
            Self::SourceBack { device } => format!("{device} is back."),
            Self::DefaultChanged { device } => {
                format!("The system's default device has changed: {device} is used now.")
            }
            Self::Alarm { alarm, device } => match alarm {
                Alarm::Black => format!("The picture of {device} is black."),
                Alarm::Frozen => format!("The picture of {device} stands still."),
                Alarm::Zero => format!("{device} gives digital silence: it seems switched off."),
                Alarm::Silent => format!("Nothing is heard from {device}."),
                Alarm::Faint => format!("The sound of {device} is too quiet to be understood."),
                Alarm::Clipped => format!("The sound of {device} is too loud: it is cut off."),
            },
            Self::FileFailed { path, reason } => format!("{path} cannot be played: {reason}"),
            Self::EncoderFailed { reason } => format!("The encoder failed: {reason}"),
            Self::EncoderSlow { percent } => {
                format!("This machine is too slow for the chosen quality: {percent} of the pictures are skipped.")
            }
            Self::KeyVisible => {
                "The stream key is part of the command line: other users of this machine can see it."
                    .into()
            }
            Self::BitrateLowered { kbps, wanted } => format!(
                "The connection does not carry {wanted} kbps: the picture goes out with {kbps} kbps."
            ),
            Self::BitrateRestored { kbps } => {
                format!("The connection carries everything again: {kbps} kbps.")
            }
            Self::Misfit { sentence } => sentence.clone(),
            Self::NoTarget => "No target is switched on.".into(),
            Self::KeyNotKept { reason } => format!("The stream key cannot be kept: {reason}"),
            Self::TargetInvalid { reason, .. } => {
                format!("The target's address is wrong: {reason}")
            }
            Self::Target { cause, retrying: true, .. } => {
                format!("Not on air, trying again: {cause}")
            }
            Self::Target { cause, .. } => format!("Not on air: {cause}"),
            Self::TargetBack { host, seconds } => {
                format!("The connection to {host} is back after {seconds} s.")
            }
            Self::Monitor { key, host, cause } => words::summary(key, host, cause),
            Self::MonitorWell { host, seconds } => {
                format!("Viewers of {host} get what is sent again, after {seconds} s.")
            }
            Self::NetworkChanged { came, gone } => {
                format!("This machine's network has changed; gone: {gone}; new: {came}.")
            }
            Self::Slept { seconds } => format!("This machine slept for {seconds} s."),
            Self::TargetOnAir { host } => format!("On air at {host}."),
            Self::CodecsUnsaid { host, codecs } => {
                format!("{host} does not say whether it takes {codecs}.")
            }
            Self::FilmFailed { path, reason } => format!("{path} cannot be sent: {reason}"),
            Self::FilmEnded { path } => format!("All of {path} was sent."),
            Self::DelayOn { time } => format!("Viewers see the stream {time} later."),
            Self::DelayShort { time, wanted, reason } => {
                let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                format!("There is no room to hold {wanted} back: viewers see it {time} later{why}")
            }
            Self::BroadcastEnded { time, sent, dropped } => {
                format!("The broadcast ended after {time}: {sent} sent, {dropped} pictures dropped.")
            }
            Self::ServerSays { text } => format!("The server says: {text}"),
            Self::FaultStruck { fault } => {
                format!("The built-in server misbehaves as asked: {fault}")
            }
            Self::PortTaken { wanted, used } => {
                format!("Port {wanted} is taken; the built-in server uses {used}.")
            }
            Self::ServerFailed { reason } => {
                format!("The built-in server cannot be started: {reason}")
            }
            Self::RecordingFailed { path, reason } => {
                format!("The recording {path} ended early: {reason}")
            }
            Self::TracksLeftOut { path } => {
                format!("Only the program's sound is recorded in {path}: FLV keeps one sound track.")
            }
            Self::RecordingRenamed { path } => {
                format!("There is a file of that name already; the recording is {path}.")
            }
            Self::RecordingSaved { path } => format!("The recording is saved: {path}"),
            Self::RecordingRepaired { path } => {
                format!("A recording that was cut off earlier is whole again: {path}")
            }
            Self::RecordingLost { path, reason } => {
                format!("A recording that was cut off earlier cannot be repaired: {path} ({reason})")
            }
            Self::DiskSpace { minutes, megabytes } => {
                format!("The disk is full in about {minutes} min: {megabytes} MB are free.")
            }
            Self::DiskSlow { seconds } => {
                format!("The disk is too slow: {seconds} s of the recording wait to be written.")
            }
            Self::ReplaySaved { path } => format!("The replay is saved: {path}"),
            Self::ReplayFailed { path, reason } => {
                format!("The replay {path} cannot be saved: {reason}")
            }
            Self::ReplayEmpty => "There is no replay to save.".into(),
            Self::SnapshotSaved { path } => format!("The picture is saved: {path}"),
            Self::PhonesFailed { reason } => {
                format!("The sound desk cannot be heard: {reason}")
            }
            Self::SnapshotFailed { path, reason } => {
                format!("The picture {path} cannot be saved: {reason}")
            }
            Self::Watch { cause, .. } => cause.clone(),
            Self::Player(said) => said.summary.clone(),
            Self::Crashed { path } => {
                format!("onair ended unexpectedly, or a part of it did. The report: {path}")
            }
            Self::Scenes(said) => said.summary(),
            Self::Fitted(said) => said.summary(),
            Self::SettingsBad { reason } => reason.clone(),
            Self::SettingsNotSaved { reason } => {
                format!("The settings cannot be saved: {reason}")
            }
        }
    }

    /// What to do about it, in English.
    pub fn advice(&self) -> String {
        match self {
            Self::CameraLost { .. } | Self::MicrophoneLost { .. } => {
                "Plug it in again; it is taken back by itself.".into()
            }
            Self::CameraStalled { .. } | Self::MicrophoneStalled { .. } => {
                "It is being opened again. If that does not help, unplug it and plug it in.".into()
            }
            Self::CameraFailed { .. } => {
                "Close other programs that use it, or choose another picture.".into()
            }
            Self::NoCamera => "Plug one in, or go on with the test picture.".into(),
            Self::MicrophoneFailed { .. } => {
                "Close other programs that use it, or choose another microphone.".into()
            }
            Self::NoMicrophone => "Plug one in, or go on without.".into(),
            Self::Alarm { alarm, .. } => match alarm {
                Alarm::Black => "Take the cap off the lens, open its shutter, or switch on a light.",
                Alarm::Frozen => "Unplug the camera and plug it in again, if that is not on purpose.",
                Alarm::Zero => "Look for its switch, and whether the system has it muted.",
                Alarm::Silent => "Look whether it is plugged in, muted, or the wrong one.",
                Alarm::Faint => "Come closer, or raise its level in the system's settings.",
                Alarm::Clipped => "Lower its level in the system's settings, or step back.",
            }
            .into(),
            Self::SourceTrouble { .. } => {
                "It is taken back by itself; or choose another source.".into()
            }
            Self::FileFailed { .. } => {
                "Choose another file: the user guide lists what can be shown and heard.".into()
            }
            Self::EncoderFailed { .. } => "Choose another picture size or frame rate.".into(),
            Self::EncoderSlow { .. } => {
                "Choose a smaller picture or a lower frame rate, or close other programs.".into()
            }
            Self::KeyVisible => "Use --key-env, --key-file or --key-stdin.".into(),
            Self::Misfit { .. } => {
                "The service may refuse or cut the stream: change it with the flag that sets it."
                    .into()
            }
            Self::BitrateLowered { .. } => {
                "It rises again by itself. Other programs or people may use the connection.".into()
            }
            Self::NoTarget => "Switch one on in the list of targets.".into(),
            Self::KeyNotKept { .. } => {
                "It is used until onair is closed. Unlock the keyring, or type it again next time."
                    .into()
            }
            Self::TargetInvalid { .. } => {
                "Write it as rtmp://HOST/APP, with the stream key in its own field.".into()
            }
            Self::Target { advice, .. } | Self::Watch { advice, .. } => advice.clone(),
            Self::Monitor { key, .. } => words::advice(key).into(),
            Self::ServerFailed { .. } => "Close the program that uses its port.".into(),
            Self::RecordingFailed { .. } => {
                "What was recorded can be played. Free some space, or choose another folder.".into()
            }
            Self::RecordingLost { .. } => "The file is left as it is.".into(),
            Self::DiskSpace { .. } => {
                "Make room, or record elsewhere: the recording ends before the disk is full, whole; the stream goes on."
                    .into()
            }
            Self::DiskSlow { .. } => {
                "Record to another disk. After half a minute pictures are left out of the recording; the stream goes on."
                    .into()
            }
            Self::CodecsUnsaid { .. } => {
                "Look whether viewers have a picture. H.264 and AAC are taken by every server.".into()
            }
            Self::FilmFailed { .. } => {
                "Choose an FLV, MP4 or MKV file with H.264, HEVC, AV1 or VP9 and AAC, Opus, FLAC, AC-3 or MP3."
                    .into()
            }
            Self::DelayShort { .. } => {
                "Free some space, or choose a shorter delay: the next broadcast tries it again.".into()
            }
            Self::PhonesFailed { .. } => {
                "Choose other speakers in the sound desk. The stream is not touched by this.".into()
            }
            Self::ReplayFailed { .. } | Self::SnapshotFailed { .. } => {
                "Free some space, or choose another folder.".into()
            }
            Self::TracksLeftOut { .. } => {
                "Choose MP4 or MKV in the settings to record the other tracks too.".into()
            }
            Self::ReplayEmpty => {
                "Switch the replay buffer on in the settings; it fills while on air or recording.".into()
            }
            Self::Player(said) => said.advice.clone(),
            Self::Scenes(said) => said.advice(),
            Self::Fitted(said) => said.advice(),
            Self::SettingsNotSaved { .. } => "Check that the folder can be written to.".into(),
            Self::Crashed { .. } => {
                "It holds no keys. Send it to who makes onair, with what you did before.".into()
            }
            Self::SettingsBad { .. } => "The default is used.".into(),
            Self::CameraBack { .. }
            | Self::MicrophoneBack { .. }
            | Self::SourceBack { .. }
            | Self::DefaultChanged { .. }
            | Self::TargetBack { .. }
            | Self::TargetOnAir { .. }
            | Self::DelayOn { .. }
            | Self::FilmEnded { .. }
            | Self::MonitorWell { .. }
            | Self::NetworkChanged { .. }
            | Self::Slept { .. }
            | Self::BroadcastEnded { .. }
            | Self::BitrateRestored { .. }
            | Self::ServerSays { .. }
            | Self::FaultStruck { .. }
            | Self::PortTaken { .. }
            | Self::RecordingRenamed { .. }
            | Self::RecordingRepaired { .. }
            | Self::ReplaySaved { .. }
            | Self::SnapshotSaved { .. }
            | Self::RecordingSaved { .. } => String::new(),
        }
    }

    /// The button that helps.
    pub fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::CameraFailed { .. } | Self::CameraStalled { .. } => Some(Remedy::UseTestSource),
            Self::NoCamera | Self::NoMicrophone => Some(Remedy::RefreshDevices),
            Self::Target { id, pin: Some(pin), .. } => {
                Some(Remedy::TrustCertificate { target: *id, pin: *pin })
            }
            Self::Target { retrying: true, .. } => Some(Remedy::RetryNow),
            Self::Target { id, .. } | Self::TargetInvalid { id, .. } => {
                Some(Remedy::EditTarget(*id))
            }
            Self::RecordingFailed { .. }
            | Self::ReplayFailed { .. }
            | Self::SnapshotFailed { .. } => Some(Remedy::ChooseFolder),
            _ => None,
        }
    }
}
