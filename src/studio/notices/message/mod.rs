//! Every message the studio has for a person: its name, how much it matters, what helps. Its words
//! are in `english`; the window has the same messages in its languages, by the name (`assets/i18n`),
//! and a test holds the two together. (It is long because each message has its place in every list.)

mod disk;
mod english;
pub(in crate::studio) mod names;

use crate::media::source_status::SourceAlarm;
use crate::net::CertificatePin;
use crate::player;
use crate::studio::notices::adaptation::AdaptationMessage;
use crate::studio::notices::scenes::SceneMessage;
use crate::studio::notices::{Level, Next, Notice, Remedy, TileId, monitor};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StudioMessage {
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
        alarm: SourceAlarm,
        device: String,
    },
    /// Another device is the system's default now, and is used.
    DefaultChanged {
        device: String,
    },
    /// Of scenes and their sources.
    Scenes(SceneMessage),
    /// Of pictures that were made to fit a connection.
    Fitted(AdaptationMessage),
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
    PasswordVisible,
    TargetInvalid {
        id: u32,
        host: String,
        reason: String,
    },
    /// The connection carries less than was set.
    BitrateLowered {
        host: String,
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
        pin: Option<CertificatePin>,
        host: String,
        cause: String,
        advice: String,
        next: Next,
    },
    TargetBack {
        id: u32,
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
    CodecsUnannounced {
        host: String,
        codecs: String,
    },
    /// A file cannot be sent, or not to its end.
    PassthroughFailed {
        path: String,
        reason: String,
    },
    /// All of a file was sent.
    PassthroughEnded {
        path: String,
    },
    /// A target was not sent all of a file.
    PassthroughLeftOut {
        id: u32,
        host: String,
    },
    /// The connection to a target is too slow for what is sent.
    FramesDropped {
        id: u32,
        host: String,
    },
    /// …and carries it again, or the target has ended.
    FramesDroppedOver {
        id: u32,
        host: String,
        dropped: String,
        total: String,
        seconds: String,
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
        /// Against what its files met; empty where that is nothing.
        cure: &'static str,
    },
    /// For the history: the broadcast has ended.
    BroadcastEnded {
        time: String,
        sent: String,
        dropped: String,
    },
    ServerSays {
        host: String,
        text: String,
    },
    FaultStruck {
        fault: String,
    },
    /// Beyond this machine, anybody may publish at this address.
    ServerOpen {
        address: String,
    },
    /// Beyond this machine, anybody may play what is published at this address.
    ServerOpenToPlay {
        address: String,
    },
    PortTaken {
        wanted: String,
        used: String,
    },
    ServerFailed {
        reason: String,
    },
    /// Nothing was recorded.
    RecordingNotStarted {
        path: String,
        reason: String,
        cure: &'static str,
    },
    RecordingFailed {
        path: String,
        reason: String,
        cure: &'static str,
    },
    /// The next file cannot be made; this one goes on.
    RecordingHeld {
        path: String,
        reason: String,
        cure: &'static str,
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
        cure: &'static str,
    },
    ReplayEmpty,
    SnapshotSaved {
        path: String,
    },
    SnapshotFailed {
        path: String,
        reason: String,
        cure: &'static str,
    },
    /// Monitoring does not work.
    MonitoringFailed {
        reason: String,
    },
    /// The player could not play or go on; `key` tells the kind.
    Watch {
        key: &'static str,
        cause: String,
        advice: String,
        /// A certificate that its owner may accept, and the tile that it was shown to.
        trust: Option<(TileId, CertificatePin)>,
    },
    /// What the player says about the stream it plays.
    Player(player::PlayerMessage),
    /// An earlier run met an error that nobody expected.
    Crashed {
        path: String,
    },
    SettingsBad {
        reason: String,
    },
    SettingsNotSaved {
        reason: String,
        cure: &'static str,
    },
}

/// The name of an alarm's message.
pub(in crate::studio) const fn alarm_key(alarm: SourceAlarm) -> &'static str {
    match alarm {
        SourceAlarm::Black => "video-black",
        SourceAlarm::Frozen => "video-frozen",
        SourceAlarm::BlackStream => "stream-black",
        SourceAlarm::FrozenStream => "stream-frozen",
        SourceAlarm::BlackFile => "clip-black",
        SourceAlarm::FrozenFile => "clip-frozen",
        SourceAlarm::BlackScreen => "screen-black",
        SourceAlarm::BlackWindow => "window-black",
        SourceAlarm::OtherFormat => "camera-format",
        SourceAlarm::Zero => "audio-zero",
        SourceAlarm::Silent => "audio-silent",
        SourceAlarm::Faint => "audio-faint",
        SourceAlarm::Clipped => "audio-clipped",
        SourceAlarm::SystemSilent => "system-silent",
        SourceAlarm::PlayedSilent => "played-silent",
    }
}

/// Why a device cannot be used, which names it, and what is to be done about that: its reason is two
/// sentences.
fn in_two(reason: &str) -> (&str, &str) {
    reason
        .rsplit_once(". ")
        .unwrap_or((reason, "It is tried again by itself, or choose another one"))
}

impl StudioMessage {
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
            target: self.target(),
        }
        .sanitized()
    }

    /// The target that it is about.
    fn target(&self) -> Option<u32> {
        match self {
            Self::Target { id, .. }
            | Self::TargetInvalid { id, .. }
            | Self::PassthroughLeftOut { id, .. }
            | Self::FramesDropped { id, .. }
            | Self::FramesDroppedOver { id, .. }
            | Self::TargetBack { id, .. } => Some(*id),
            _ => None,
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
            Self::PasswordVisible => "password-visible",
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
            Self::CodecsUnannounced { .. } => "codecs-unannounced",
            Self::PassthroughFailed { .. } => "passthrough-failed",
            Self::PassthroughEnded { .. } => "passthrough-ended",
            Self::PassthroughLeftOut { .. } => "passthrough-left-out",
            Self::FramesDropped { .. } => "frames-dropped",
            Self::FramesDroppedOver { .. } => "frames-dropped-over",
            Self::DelayOn { .. } => "delay-on",
            Self::DelayShort { .. } => "delay-short",
            Self::BroadcastEnded { .. } => "broadcast-ended",
            Self::ServerSays { .. } => "server-says",
            Self::FaultStruck { .. } => "fault-struck",
            Self::PortTaken { .. } => "port-taken",
            Self::ServerOpen { .. } => "server-open",
            Self::ServerOpenToPlay { .. } => "server-open-to-play",
            Self::ServerFailed { .. } => "server-failed",
            Self::RecordingNotStarted { .. } => "recording-not-started",
            Self::RecordingFailed { .. } => "recording-failed",
            Self::RecordingHeld { .. } => "recording-held",
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
            Self::SnapshotSaved { .. } => "screenshot-saved",
            Self::SnapshotFailed { .. } => "screenshot-failed",
            Self::MonitoringFailed { .. } => "monitoring-failed",
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
            | Self::MicrophoneBack { device }
            | Self::SourceBack { device }
            | Self::Alarm { device, .. }
            | Self::DefaultChanged { device } => vec![("device", device.clone())],
            Self::CameraFailed { device, reason } | Self::MicrophoneFailed { device, reason } => {
                let (what, then) = in_two(reason);
                let (device, what) = (device.clone(), what.to_owned());
                vec![("device", device), ("reason", what), ("then", then.to_owned())]
            }
            Self::SourceTrouble { device, reason } => {
                vec![("device", device.clone()), ("reason", reason.clone())]
            }
            Self::FileFailed { path, reason }
            | Self::PassthroughFailed { path, reason }
            | Self::RecordingLost { path, reason }
            | Self::RecordingNotStarted { path, reason, .. }
            | Self::RecordingFailed { path, reason, .. }
            | Self::RecordingHeld { path, reason, .. }
            | Self::ReplayFailed { path, reason, .. }
            | Self::SnapshotFailed { path, reason, .. } => {
                vec![("path", path.clone()), ("reason", reason.clone())]
            }
            Self::DiskSpace { minutes, megabytes } => {
                vec![("minutes", minutes.clone()), ("megabytes", megabytes.clone())]
            }
            Self::EncoderFailed { reason }
            | Self::MonitoringFailed { reason }
            | Self::KeyNotKept { reason }
            | Self::ServerFailed { reason }
            | Self::SettingsBad { reason }
            | Self::SettingsNotSaved { reason, .. } => vec![("reason", reason.clone())],
            Self::EncoderSlow { percent } => vec![("percent", percent.clone())],
            Self::TargetInvalid { host, reason, .. } => {
                vec![("host", host.clone()), ("reason", reason.clone())]
            }
            Self::Target { host, cause, next, .. } => {
                let cause = cause.trim_end_matches('.').to_owned();
                vec![("host", host.clone()), ("cause", cause), ("next", next.to_string())]
            }
            Self::Monitor { host, cause, .. } => {
                vec![("host", host.clone()), ("cause", cause.clone())]
            }
            Self::TargetBack { host, seconds, .. } | Self::MonitorWell { host, seconds } => {
                vec![("host", host.clone()), ("seconds", seconds.clone())]
            }
            Self::NetworkChanged { came, gone } => {
                vec![("came", came.clone()), ("gone", gone.clone())]
            }
            Self::DiskSlow { seconds } | Self::Slept { seconds } => {
                vec![("seconds", seconds.clone())]
            }
            Self::TargetOnAir { host }
            | Self::PassthroughLeftOut { host, .. }
            | Self::FramesDropped { host, .. } => vec![("host", host.clone())],
            Self::FramesDroppedOver { host, dropped, total, seconds, .. } => vec![
                ("host", host.clone()),
                ("dropped", dropped.clone()),
                ("total", total.clone()),
                ("seconds", seconds.clone()),
            ],
            Self::CodecsUnannounced { host, codecs } => {
                vec![("host", host.clone()), ("codecs", codecs.clone())]
            }
            Self::DelayOn { time } => vec![("time", time.clone())],
            Self::DelayShort { time, wanted, reason, .. } => {
                vec![("time", time.clone()), ("wanted", wanted.clone()), ("reason", reason.clone())]
            }
            Self::BroadcastEnded { time, sent, dropped } => {
                vec![("time", time.clone()), ("sent", sent.clone()), ("dropped", dropped.clone())]
            }
            Self::ServerOpen { address } | Self::ServerOpenToPlay { address } => {
                vec![("address", address.clone())]
            }
            Self::ServerSays { host, text } => {
                vec![("host", host.clone()), ("text", text.clone())]
            }
            Self::FaultStruck { fault } => vec![("fault", fault.clone())],
            Self::PortTaken { wanted, used } => {
                vec![("wanted", wanted.clone()), ("used", used.clone())]
            }
            Self::RecordingRenamed { path }
            | Self::TracksLeftOut { path }
            | Self::RecordingSaved { path }
            | Self::RecordingRepaired { path }
            | Self::ReplaySaved { path }
            | Self::PassthroughEnded { path }
            | Self::Crashed { path }
            | Self::SnapshotSaved { path } => vec![("path", path.clone())],
            Self::Watch { cause, .. } => vec![("cause", cause.clone())],
            Self::Player(said) => vec![("detail", said.detail.clone())],
            Self::Scenes(said) => said.args(),
            Self::Fitted(said) => said.args(),
            Self::BitrateLowered { host, kbps, wanted } => {
                vec![("host", host.clone()), ("kbps", kbps.clone()), ("wanted", wanted.clone())]
            }
            Self::BitrateRestored { kbps } => vec![("kbps", kbps.clone())],
            Self::Misfit { sentence } => vec![("sentence", sentence.clone())],
            Self::NoCamera
            | Self::NoMicrophone
            | Self::KeyVisible
            | Self::PasswordVisible
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
            | Self::PassthroughEnded { .. }
            | Self::MonitorWell { .. }
            | Self::NetworkChanged { .. }
            | Self::Slept { .. }
            | Self::BroadcastEnded { .. }
            | Self::BitrateRestored { .. }
            | Self::FramesDroppedOver { .. }
            | Self::ServerSays { .. }
            | Self::FaultStruck { .. }
            | Self::PortTaken { .. }
            | Self::ServerOpenToPlay { .. }
            | Self::RecordingSaved { .. }
            | Self::RecordingRenamed { .. }
            | Self::RecordingRepaired { .. }
            | Self::ReplaySaved { .. }
            | Self::ReplayEmpty
            | Self::SnapshotSaved { .. }
            | Self::NoCamera
            | Self::NoMicrophone => Level::Info,
            Self::Monitor { key, .. } => monitor::level(key),
            Self::Player(said) if said.severity == player::Severity::Info => Level::Info,
            Self::Scenes(said) => said.level(),
            Self::Fitted(said) => said.level(),
            Self::EncoderFailed { .. }
            | Self::TargetInvalid { .. }
            | Self::NoTarget
            | Self::RecordingNotStarted { .. }
            | Self::RecordingFailed { .. }
            | Self::RecordingLost { .. }
            | Self::ReplayFailed { .. }
            | Self::SnapshotFailed { .. }
            | Self::MonitoringFailed { .. }
            | Self::FileFailed { .. }
            | Self::PassthroughFailed { .. }
            | Self::ServerFailed { .. }
            | Self::Watch { .. }
            | Self::Target { next: Next::GivenUp, .. } => Level::Error,
            _ => Level::Warning,
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
            Self::Watch { trust: Some((tile, pin)), .. } => {
                Some(Remedy::TrustStream { tile: *tile, pin: *pin })
            }
            Self::Target { next: Next::Retry(_), .. } => Some(Remedy::RetryNow),
            Self::Target { next: Next::Waiting, .. } => None,
            Self::Target { id, .. } | Self::TargetInvalid { id, .. } => {
                Some(Remedy::EditTarget(*id))
            }
            Self::RecordingNotStarted { .. }
            | Self::RecordingFailed { .. }
            | Self::ReplayFailed { .. }
            | Self::SnapshotFailed { .. } => Some(Remedy::ChooseFolder),
            Self::FileFailed { .. } => Some(Remedy::TryAgain),
            Self::Scenes(said) => said.remedy(),
            _ => None,
        }
    }
}
