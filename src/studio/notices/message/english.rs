//! What messages say in English, in logs and without a window.

use super::{StudioMessage, in_two};
use crate::media::source_status::SourceAlarm;
use crate::studio::notices::monitor;

impl StudioMessage {
    /// What happened, in English.
    pub fn summary(&self) -> String {
        match self {
            Self::CameraLost { device } => {
                format!("The camera {device} is gone. A slate goes out instead.")
            }
            Self::CameraStalled { device } => {
                format!("The camera {device} sends no pictures. A slate goes out instead.")
            }
            Self::CameraBack { device } => format!("The camera {device} is back."),
            Self::NoCamera => "No camera was found. The test picture goes out.".into(),
            Self::MicrophoneLost { device } => {
                format!("The microphone {device} is gone. Silence goes out instead.")
            }
            Self::MicrophoneStalled { device } => {
                format!("The microphone {device} sends no sound. Silence goes out instead.")
            }
            Self::CameraFailed { reason, .. } | Self::MicrophoneFailed { reason, .. } => {
                format!("{}.", in_two(reason).0)
            }
            Self::MicrophoneBack { device } => format!("The microphone {device} is back."),
            Self::NoMicrophone => "No microphone was found.".into(),
            Self::SourceTrouble { reason, .. } => format!("{reason}."),
            Self::SourceBack { device } => format!("{device} is back."),
            Self::DefaultChanged { device } => {
                format!("The system's default device has changed: {device} is used now.")
            }
            Self::Alarm { alarm, device } => match alarm {
                SourceAlarm::Black
                | SourceAlarm::BlackStream
                | SourceAlarm::BlackFile
                | SourceAlarm::BlackScreen
                | SourceAlarm::BlackWindow => format!("The picture of {device} is black."),
                SourceAlarm::Frozen | SourceAlarm::FrozenStream | SourceAlarm::FrozenFile => {
                    format!("The picture of {device} stands still.")
                }
                SourceAlarm::OtherFormat => format!("{device} has not the format that was chosen."),
                SourceAlarm::Zero => format!("{device} gives digital silence: it seems switched off."),
                SourceAlarm::Silent | SourceAlarm::PlayedSilent => {
                    format!("Nothing is heard from {device}.")
                }
                SourceAlarm::SystemSilent => format!("{device} plays nothing."),
                SourceAlarm::Faint => format!("The sound of {device} is too quiet to be understood."),
                SourceAlarm::Clipped => format!("The sound of {device} is too loud: it is cut off."),
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
            Self::PasswordVisible => {
                "A password is part of the command line: other users of this machine can see it."
                    .into()
            }
            Self::BitrateLowered { host, kbps, wanted } => format!(
                "The connection to {host} does not carry {wanted} kbps: the picture goes out with {kbps} kbps."
            ),
            Self::BitrateRestored { kbps } => {
                format!("The connection carries everything again: {kbps} kbps.")
            }
            Self::Misfit { sentence } => sentence.clone(),
            Self::NoTarget => "No target is switched on.".into(),
            Self::KeyNotKept { reason } => format!("The stream key cannot be kept: {reason}"),
            Self::TargetInvalid { host, reason, .. } => {
                format!("{host}: the address or key cannot be used: {reason}")
            }
            Self::Target { host, cause, next, .. } => {
                format!("{host}: {}. {next}.", cause.trim_end_matches('.'))
            }
            Self::TargetBack { host, seconds, .. } => {
                format!("The connection to {host} is back after {seconds} s.")
            }
            Self::Monitor { key, host, cause } => monitor::summary(key, host, cause),
            Self::MonitorWell { host, seconds } => {
                format!("Viewers of {host} get what is sent again, after {seconds} s.")
            }
            Self::NetworkChanged { came, gone } => {
                format!("This machine's network has changed; gone: {gone}; new: {came}.")
            }
            Self::Slept { seconds } => format!("This machine slept for {seconds} s."),
            Self::TargetOnAir { host } => format!("On air at {host}."),
            Self::CodecsUnannounced { host, codecs } => {
                format!("{host} does not say whether it takes {codecs}.")
            }
            Self::PassthroughFailed { path, reason } => format!("{path} cannot be sent: {reason}"),
            Self::PassthroughEnded { path } => format!("All of {path} was sent."),
            Self::FramesDropped { host, .. } => {
                format!("{host}: the connection is too slow, and frames are being dropped.")
            }
            Self::FramesDroppedOver { host, dropped, total, seconds, .. } => format!(
                "{host}: {dropped} of {total} frames were dropped within {seconds} s. None is dropped now."
            ),
            Self::PassthroughLeftOut { host, .. } => {
                format!("Not all of the file was sent to {host}: the connection is too slow, or broke.")
            }
            Self::DelayOn { time } => format!("Viewers see the stream {time} later."),
            Self::DelayShort { time, wanted, reason, .. } => {
                let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                format!("There is no room to hold {wanted} back: viewers see it {time} later{why}")
            }
            Self::BroadcastEnded { time, sent, dropped } => {
                format!("The broadcast ended after {time}: {sent} sent, {dropped} pictures dropped.")
            }
            Self::ServerSays { host, text } => format!("{host} says: {text}"),
            Self::FaultStruck { fault } => {
                format!("The built-in server misbehaves as asked: {fault}")
            }
            Self::PortTaken { wanted, used } => {
                format!("Port {wanted} is taken; the built-in server uses {used}.")
            }
            Self::ServerOpen { address } => {
                format!("Anybody who can reach {address} may publish and play: there is no key and no login.")
            }
            Self::ServerOpenToPlay { address } => {
                format!("Anybody who can reach {address} may play what is published.")
            }
            Self::ServerFailed { reason } => {
                format!("The built-in server cannot be started: {reason}")
            }
            Self::RecordingNotStarted { path, reason, .. } => {
                format!("Not recording to {path}: {reason}.")
            }
            Self::RecordingHeld { path, reason, .. } => {
                format!("The next file of the recording cannot be made: {reason}. {path} goes on.")
            }
            Self::RecordingFailed { path, reason, .. } => {
                format!("The recording {path} ended early: {reason}.")
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
            Self::ReplayFailed { path, reason, .. } => {
                format!("The replay {path} cannot be saved: {reason}.")
            }
            Self::ReplayEmpty => "There is no replay to save.".into(),
            Self::SnapshotSaved { path } => format!("The picture is saved: {path}"),
            Self::MonitoringFailed { reason } => {
                format!("Audio monitoring does not work: {reason}")
            }
            Self::SnapshotFailed { path, reason, .. } => {
                format!("The picture {path} cannot be saved: {reason}.")
            }
            Self::Watch { cause, .. } => cause.clone(),
            Self::Player(said) => said.summary.clone(),
            Self::Crashed { path } => {
                format!("onair ended unexpectedly, or a part of it did. The report: {path}")
            }
            Self::Scenes(said) => said.summary(),
            Self::Fitted(said) => said.summary(),
            Self::SettingsBad { reason } => reason.clone(),
            Self::SettingsNotSaved { reason, .. } => {
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
            Self::NoCamera => "Plug one in, or go on with the test picture.".into(),
            Self::CameraFailed { reason, .. } | Self::MicrophoneFailed { reason, .. } => {
                format!("{}.", in_two(reason).1)
            }
            Self::NoMicrophone => "Plug one in, or go on without.".into(),
            Self::Alarm { alarm, .. } => match alarm {
                SourceAlarm::Black => "Take the cap off the lens, open its shutter, or switch on a light.",
                SourceAlarm::Frozen => "Unplug the camera and plug it in again, if that is not on purpose.",
                SourceAlarm::BlackStream => {
                    "Tell whoever sends it, or show another scene."
                }
                SourceAlarm::FrozenStream => {
                    "Ask whoever sends it, if that is not on purpose."
                }
                SourceAlarm::BlackFile | SourceAlarm::FrozenFile => {
                    "Choose another file. Its properties also say what viewers see instead until it moves again."
                }
                SourceAlarm::BlackScreen => {
                    "Wake the monitor, or choose another screen. Protected films and programs that draw past the desktop stay black here: show their window, or switch off their hardware acceleration."
                }
                SourceAlarm::BlackWindow => {
                    "Bring it back if it is minimised or on another desktop. Protected films and programs that draw past the desktop stay black here: show the whole screen, or switch off their hardware acceleration."
                }
                SourceAlarm::OtherFormat => {
                    "It is shown in the format that suits. Choose another one in its properties."
                }
                SourceAlarm::Zero => "Look for its switch, and whether the system has it muted.",
                SourceAlarm::Silent => "Look whether it is plugged in, muted, or the wrong one.",
                SourceAlarm::Faint => "Come closer, or raise its level in the system's settings.",
                SourceAlarm::Clipped => "Lower its level in the system's settings, or step back.",
                SourceAlarm::SystemSilent => {
                    "What was chosen for that is heard until it plays again. If it should be heard, look whether it is paused or muted, or plays on another device."
                }
                SourceAlarm::PlayedSilent => "What was chosen for that is heard until it sounds again.",
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
            Self::PasswordVisible => {
                "Give a proxy in the environment (ALL_PROXY), and an address in the window.".into()
            }
            Self::Misfit { .. } => {
                "The service may refuse or cut the stream: change it with the flag that sets it."
                    .into()
            }
            Self::BitrateLowered { .. } => {
                "It rises again by itself. Look who else uses the connection, or choose a lower bitrate."
                    .into()
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
            Self::Monitor { key, .. } => monitor::advice(key).into(),
            Self::ServerFailed { .. } => "Close the program that uses its port.".into(),
            Self::RecordingNotStarted { cure, .. } => (*cure).into(),
            Self::RecordingHeld { cure, .. } => format!("It is tried again all the time. {cure}"),
            Self::RecordingFailed { cure, .. } => {
                format!("What was recorded can be played. {cure}")
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
            Self::CodecsUnannounced { .. } => {
                "Look whether viewers have a picture. H.264 and AAC are taken by every server.".into()
            }
            Self::PassthroughFailed { .. } => {
                "Choose an FLV, MP4 or MKV file with H.264, HEVC, AV1 or VP9 and AAC, Opus, FLAC, AC-3 or MP3."
                    .into()
            }
            Self::FramesDropped { .. } => {
                "Viewers see the picture jump. Choose a lower bitrate, or allow a lower one for this target, and look who else uses the connection."
                    .into()
            }
            Self::PassthroughLeftOut { .. } => {
                "Send a file of a lower bitrate, or look who else uses the connection.".into()
            }
            Self::DelayShort { cure: "", .. } => {
                "Free some space, or choose a shorter delay: the next broadcast tries it again.".into()
            }
            Self::DelayShort { cure, .. } => {
                format!("The next broadcast tries it again, or choose a shorter delay. {cure}")
            }
            Self::MonitoringFailed { .. } => {
                "Choose another monitoring device in the audio mixer. The stream is not affected.".into()
            }
            Self::ReplayFailed { cure, .. } | Self::SnapshotFailed { cure, .. } => (*cure).into(),
            Self::TracksLeftOut { .. } => {
                "Choose MP4 or MKV in the settings to record the other tracks too.".into()
            }
            Self::ReplayEmpty => {
                "Switch the replay buffer on in the settings; it fills while on air or recording.".into()
            }
            Self::Player(said) => said.advice.clone(),
            Self::Scenes(said) => said.advice(),
            Self::Fitted(said) => said.advice(),
            Self::ServerOpen { .. } => {
                "Set publish_keys in the file of --config, or --user and --password-file, or listen \
                 on 127.0.0.1."
                    .into()
            }
            Self::ServerOpenToPlay { .. } => {
                "If that is not for everybody, listen on 127.0.0.1 or close the port in the firewall."
                    .into()
            }
            Self::SettingsNotSaved { cure, .. } => (*cure).into(),
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
            | Self::PassthroughEnded { .. }
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
            | Self::FramesDroppedOver { .. }
            | Self::RecordingSaved { .. } => String::new(),
        }
    }
}
