//! What *Ready?* can find, with its words and what helps.

use crate::net::{CertificatePin, Error};
use crate::studio::notices::message::StudioMessage;
use crate::studio::notices::{Level, Notice, Remedy};
use crate::text::Language;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    Picture {
        name: String,
    },
    NoVideo,
    Sound {
        db: String,
    },
    Silence,
    Loud {
        db: String,
    },
    NoAudio,
    /// It is muted here.
    Muted,
    /// Room for so many hours of recording.
    Disk {
        folder: String,
        hours: String,
    },
    DiskLittle {
        folder: String,
        hours: String,
    },
    FolderBad {
        folder: String,
        reason: String,
        cure: &'static str,
    },
    /// The recording that was asked for could not be begun.
    RecordBad {
        path: String,
        reason: String,
        cure: &'static str,
    },
    Clock {
        time: String,
    },
    /// Nothing keeps it right.
    ClockAlone {
        time: String,
    },
    ClockWrong {
        time: String,
    },
    /// The way to a service carried this, in its test mode.
    Upload {
        host: String,
        kbps: String,
    },
    UploadNarrow {
        id: u32,
        host: String,
        kbps: String,
        wanted: String,
    },
    /// There is no test mode: nothing was sent.
    NotMeasured {
        host: String,
    },
    /// How many times faster than needed.
    Encoder {
        times: String,
    },
    /// Fast enough, with little to spare.
    EncoderSlow {
        times: String,
    },
    /// Not fast enough: pictures would be left out.
    EncoderTooSlow {
        times: String,
    },
    EncoderFailed {
        reason: String,
    },
    Target {
        host: String,
        ms: String,
    },
    TargetFailed {
        id: u32,
        host: String,
        cause: String,
        advice: String,
        pin: Option<CertificatePin>,
    },
    /// What a try to go live would say.
    Said(Box<StudioMessage>),
}

impl Finding {
    /// Every name there is, for the test that looks for its texts in each language.
    pub const KEYS: &[&str] = &[
        "found-picture",
        "found-no-picture",
        "found-sound",
        "found-silence",
        "found-loud",
        "found-no-sound",
        "found-muted",
        "found-disk",
        "found-disk-little",
        "found-folder-bad",
        "found-record-bad",
        "found-clock",
        "found-clock-alone",
        "found-clock-wrong",
        "found-upload",
        "found-upload-narrow",
        "found-not-measured",
        "found-encoder",
        "found-encoder-slow",
        "found-encoder-too-slow",
        "found-encoder-failed",
        "found-target",
        "found-target-failed",
    ];

    fn key(&self) -> &'static str {
        match self {
            Self::Picture { .. } => "found-picture",
            Self::NoVideo => "found-no-picture",
            Self::Sound { .. } => "found-sound",
            Self::Silence => "found-silence",
            Self::Loud { .. } => "found-loud",
            Self::NoAudio => "found-no-sound",
            Self::Muted => "found-muted",
            Self::Disk { .. } => "found-disk",
            Self::DiskLittle { .. } => "found-disk-little",
            Self::FolderBad { .. } => "found-folder-bad",
            Self::RecordBad { .. } => "found-record-bad",
            Self::Clock { .. } => "found-clock",
            Self::ClockAlone { .. } => "found-clock-alone",
            Self::ClockWrong { .. } => "found-clock-wrong",
            Self::Upload { .. } => "found-upload",
            Self::UploadNarrow { .. } => "found-upload-narrow",
            Self::NotMeasured { .. } => "found-not-measured",
            Self::Encoder { .. } => "found-encoder",
            Self::EncoderSlow { .. } => "found-encoder-slow",
            Self::EncoderTooSlow { .. } => "found-encoder-too-slow",
            Self::EncoderFailed { .. } => "found-encoder-failed",
            Self::Target { .. } => "found-target",
            Self::TargetFailed { .. } => "found-target-failed",
            Self::Said(message) => message.key(),
        }
    }

    fn args(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Picture { name } => vec![("name", name.clone())],
            Self::Sound { db } | Self::Loud { db } => vec![("db", db.clone())],
            Self::Encoder { times }
            | Self::EncoderSlow { times }
            | Self::EncoderTooSlow { times } => vec![("times", times.clone())],
            Self::EncoderFailed { reason } => vec![("reason", reason.clone())],
            Self::Target { host, ms } => vec![("host", host.clone()), ("ms", ms.clone())],
            Self::TargetFailed { host, cause, .. } => {
                vec![("host", host.clone()), ("cause", cause.clone())]
            }
            Self::Said(message) => message.args(),
            Self::Disk { folder, hours } | Self::DiskLittle { folder, hours } => {
                vec![("folder", folder.clone()), ("hours", hours.clone())]
            }
            Self::FolderBad { folder, reason, .. } => {
                vec![("folder", folder.clone()), ("reason", reason.clone())]
            }
            Self::RecordBad { path, reason, .. } => {
                vec![("path", path.clone()), ("reason", reason.clone())]
            }
            Self::Clock { time } | Self::ClockAlone { time } | Self::ClockWrong { time } => {
                vec![("time", time.clone())]
            }
            Self::Upload { host, kbps } => vec![("host", host.clone()), ("kbps", kbps.clone())],
            Self::UploadNarrow { host, kbps, wanted, .. } => {
                vec![("host", host.clone()), ("kbps", kbps.clone()), ("wanted", wanted.clone())]
            }
            Self::NotMeasured { host } => vec![("host", host.clone())],
            Self::NoVideo | Self::Silence | Self::NoAudio | Self::Muted => Vec::new(),
        }
    }

    fn level(&self) -> Level {
        match self {
            Self::Picture { .. }
            | Self::Sound { .. }
            | Self::Encoder { .. }
            | Self::Disk { .. }
            | Self::Clock { .. }
            | Self::ClockAlone { .. }
            | Self::Upload { .. }
            | Self::NotMeasured { .. }
            | Self::Target { .. } => Level::Info,
            Self::Silence
            | Self::Loud { .. }
            | Self::NoAudio
            | Self::Muted
            | Self::DiskLittle { .. }
            | Self::FolderBad { .. }
            | Self::UploadNarrow { .. }
            | Self::EncoderSlow { .. } => Level::Warning,
            Self::Said(message) => message.level(),
            _ => Level::Error,
        }
    }

    fn summary(&self) -> String {
        match self {
            Self::Picture { name } => format!("The picture comes from {name}."),
            Self::NoVideo => "The picture source delivers nothing: a slate would go out.".into(),
            Self::Sound { db } => format!("There is sound, {db} dB at its loudest."),
            Self::Silence => "The microphone is silent.".into(),
            Self::Loud { db } => format!("The sound clips: {db} dB."),
            Self::NoAudio => "The sound source delivers nothing: silence would go out.".into(),
            Self::Muted => "The sound is muted.".into(),
            Self::Disk { folder, hours } => {
                format!("Recordings go to {folder}: room for {hours} hours of this quality.")
            }
            Self::DiskLittle { folder, hours } => {
                format!("There is room for only {hours} hours of this quality in {folder}.")
            }
            Self::RecordBad { path, reason, .. } => {
                format!("The recording {path} cannot be begun: {reason}.")
            }
            Self::FolderBad { folder, reason, .. } => {
                format!("Recordings cannot be written to {folder}: {reason}.")
            }
            Self::Clock { time } => format!("The clock is kept right: {time}."),
            Self::ClockAlone { time } => {
                format!("The clock says {time}; nothing on this machine keeps it right.")
            }
            Self::ClockWrong { time } => format!("The clock is wrong: it says {time}."),
            Self::Upload { host, kbps } => {
                format!("The way to {host} carries what is set: {kbps} kbps in its test mode.")
            }
            Self::UploadNarrow { host, kbps, wanted, .. } => {
                format!("The way to {host} carries {kbps} kbps; {wanted} are set.")
            }
            Self::NotMeasured { host } => {
                format!("How much the way to {host} carries was not measured: it has no test mode.")
            }
            Self::Encoder { times } => {
                format!("This machine encodes the chosen quality {times} times faster than needed.")
            }
            Self::EncoderSlow { times } => {
                format!("This machine is hardly fast enough: {times} times what is needed.")
            }
            Self::EncoderTooSlow { times } => {
                format!(
                    "This machine is too slow for the chosen quality: {times} times what is needed."
                )
            }
            Self::EncoderFailed { reason } => format!("The encoder does not work: {reason}"),
            Self::Target { host, ms } => {
                format!("{host} answers after {ms} ms. The key is tried at Go Live.")
            }
            Self::TargetFailed { host, cause, .. } => format!("{host}: {cause}"),
            Self::Said(message) => message.summary(),
        }
    }

    fn advice(&self) -> String {
        match self {
            Self::NoVideo => "Choose another picture, or look why it delivers nothing.".into(),
            Self::Silence => "Say something; look whether it is muted or turned down.".into(),
            Self::Loud { .. } => "Turn the sound down below its meter.".into(),
            Self::NoAudio => "Choose another sound source, or plug it in.".into(),
            Self::Muted => "Unmute it, if it is to be heard.".into(),
            Self::DiskLittle { .. } => "Make room, or choose another folder.".into(),
            Self::FolderBad { cure, .. } | Self::RecordBad { cure, .. } => (*cure).into(),
            Self::ClockAlone { .. } => {
                "If it is right, all is well. Else switch on setting the time from the network."
                    .into()
            }
            Self::ClockWrong { .. } => {
                "Set it: with a wrong clock secure servers are not believed, and some keys refused."
                    .into()
            }
            Self::UploadNarrow { .. } => {
                "Choose a lower bitrate, or stop what else uses the connection.".into()
            }
            Self::EncoderSlow { .. } | Self::EncoderTooSlow { .. } => {
                "Choose a smaller picture or a lower frame rate, or close other programs.".into()
            }
            Self::EncoderFailed { .. } => "Choose another picture size or frame rate.".into(),
            Self::TargetFailed { advice, .. } => advice.clone(),
            Self::Said(message) => message.advice(),
            _ => String::new(),
        }
    }

    fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::TargetFailed { id, pin: Some(pin), .. } => {
                Some(Remedy::TrustCertificate { target: *id, pin: *pin })
            }
            Self::TargetFailed { id, .. } => Some(Remedy::EditTarget(*id)),
            Self::NoVideo => Some(Remedy::UseTestSource),
            Self::NoAudio => Some(Remedy::RefreshDevices),
            Self::Muted => Some(Remedy::Unmute),
            Self::DiskLittle { .. } | Self::FolderBad { .. } | Self::RecordBad { .. } => {
                Some(Remedy::ChooseFolder)
            }
            Self::Said(message) => message.remedy(),
            _ => None,
        }
    }

    /// As people are told it.
    pub fn notice(&self, id: u64) -> Notice {
        Notice {
            target: None,
            id,
            key: self.key(),
            args: self.args(),
            level: self.level(),
            summary: self.summary(),
            advice: self.advice(),
            detail: String::new(),
            remedy: self.remedy(),
        }
        .sanitized()
    }
}

/// A target that does not answer as it should.
pub(super) fn failed(id: u32, host: String, error: &Error) -> Finding {
    Finding::TargetFailed {
        id,
        host,
        cause: error.problem().to_string(),
        advice: Language::English.cure(&error.problem()).unwrap_or_default(),
        pin: error.pin_to_offer(),
    }
}
