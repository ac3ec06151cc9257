//! The reason why an encoder process does not open or does not continue, and what it returns.

use std::io;
use std::time::Duration;

use crate::encode::backend::process::wire::Refusal;
use crate::text::Problem;
use crate::text::problem::problem;

/// The reason why an encoder process does not open or does not continue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The encoder has not been tried yet.
    NotTried,
    /// This program has no launcher, as in tests.
    NoLauncher,
    /// The computer has no device with this name.
    NoDevice {
        device: String,
    },
    /// The encoder exists only on another operating system.
    OtherSystem {
        name: &'static str,
    },
    /// The system cannot start the process.
    NotStarted {
        reason: String,
    },
    Refused(Refusal),
    /// The process ended: it crashed, or was killed.
    Ended,
    /// The process did not answer in time.
    Hung {
        seconds: u64,
    },
    /// The process sent nonsense.
    Garbage,
    /// The encoder reported an error.
    Failed {
        reason: String,
    },
}

/// How a reason begins if no device for frames opens.
pub(super) const NO_DEVICE: &str = "no device";

/// What FFmpeg says if there is no driver, or none of its devices is free.
const ABOUT_DEVICES: [&str; 5] =
    ["Cannot load", "No capable devices", "out of memory", "API version", NO_DEVICE];

impl Trouble {
    /// Returns true if the encoder may open with other settings.
    pub fn is_about_settings(&self) -> bool {
        match self {
            Self::Refused(Refusal::Failed { reason }) => {
                !ABOUT_DEVICES.iter().any(|it| reason.contains(it))
            }
            _ => false,
        }
    }

    pub(super) fn of(error: &io::Error, limit: Duration) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
                Self::Hung { seconds: limit.as_secs() }
            }
            io::ErrorKind::InvalidData => Self::Garbage,
            _ => Self::Ended,
        }
    }
}

impl From<&Trouble> for Problem {
    fn from(trouble: &Trouble) -> Self {
        match trouble {
            Trouble::NotTried => problem!("encode-process-not-tried"),
            Trouble::NoLauncher => problem!("encode-process-none"),
            Trouble::NoDevice { device } => {
                problem!("encode-no-device", device = device.as_str())
            }
            Trouble::OtherSystem { name } => problem!("encode-other-system", system = *name),
            Trouble::NotStarted { reason } => {
                problem!("encode-process-not-started", reason = reason.as_str())
            }
            Trouble::Refused(refusal) => match refusal {
                Refusal::NoLibrary => problem!("encode-library-none"),
                Refusal::Unloadable { reason } => {
                    problem!("encode-library-unloadable", reason = reason.as_str())
                }
                Refusal::UnknownVersion { major } => {
                    problem!("encode-library-version", version = major.to_string())
                }
                Refusal::Incomplete { function } => {
                    problem!("encode-library-incomplete", function = function.as_str())
                }
                Refusal::NotInLibrary { version } => {
                    problem!("encode-library-without", library = version.as_str())
                }
                Refusal::TooOld { version } => {
                    problem!("encode-library-old", version = version.as_str())
                }
                Refusal::Failed { reason } => {
                    problem!("encode-process-refused", reason = reason.as_str())
                }
            },
            Trouble::Ended => problem!("encode-process-ended"),
            Trouble::Hung { seconds } => {
                problem!("encode-process-hung", seconds = seconds.to_string())
            }
            Trouble::Garbage => problem!("encode-process-garbage"),
            Trouble::Failed { reason } => {
                problem!("encode-process-failed", reason = reason.as_str())
            }
        }
    }
}

/// A packet of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::encode) struct Packet {
    /// The number of its frame.
    pub number: i64,
    pub dts: i64,
    pub key: bool,
    pub data: Vec<u8>,
}
