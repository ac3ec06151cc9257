//! What the studio says of pictures that were made to fit a connection: part of
//! [`StudioMessage`](crate::studio::notices::message::StudioMessage).

use crate::studio::notices::Level;

/// Something about the size of the picture, or which encode a target gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdaptationMessage {
    /// The connection carries too few bits for the size.
    Smaller { size: String, wanted: String, kbps: String },
    /// It is as it was set again.
    Whole { size: String },
    /// This target gets the second encode.
    Less { host: String, size: String, kbps: String },
    /// It gets the main one again.
    All { host: String },
    /// There is no second encode for those who need one.
    NoSecond { reason: String },
}

impl AdaptationMessage {
    /// Its name, as in `notice-…` of the texts.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Smaller { .. } => "size-lowered",
            Self::Whole { .. } => "size-restored",
            Self::Less { .. } => "rendition-lowered",
            Self::All { .. } => "rendition-restored",
            Self::NoSecond { .. } => "rendition-failed",
        }
    }

    pub(in crate::studio) fn args(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Smaller { size, wanted, kbps } => {
                vec![("size", size.clone()), ("wanted", wanted.clone()), ("kbps", kbps.clone())]
            }
            Self::Whole { size } => vec![("size", size.clone())],
            Self::Less { host, size, kbps } => {
                vec![("host", host.clone()), ("size", size.clone()), ("kbps", kbps.clone())]
            }
            Self::All { host } => vec![("host", host.clone())],
            Self::NoSecond { reason } => vec![("reason", reason.clone())],
        }
    }

    pub(in crate::studio) fn level(&self) -> Level {
        match self {
            Self::Whole { .. } | Self::All { .. } => Level::Info,
            Self::Smaller { .. } | Self::Less { .. } | Self::NoSecond { .. } => Level::Warning,
        }
    }

    pub(in crate::studio) fn summary(&self) -> String {
        match self {
            Self::Smaller { size, wanted, kbps } => format!(
                "The connection leaves {kbps} kbps: the picture goes out at {size} instead of {wanted}."
            ),
            Self::Whole { size } => format!("The picture goes out at {size} again."),
            Self::Less { host, size, kbps } => format!(
                "The connection to {host} does not carry the picture: it gets a second encode, {size} with {kbps} kbps."
            ),
            Self::All { host } => format!("{host} gets the whole picture again."),
            Self::NoSecond { reason } => format!("No second encode can be made: {reason}"),
        }
    }

    pub(in crate::studio) fn advice(&self) -> String {
        match self {
            Self::Smaller { .. } => {
                "It becomes larger again by itself. A recording goes on in a new file.".into()
            }
            Self::Less { .. } => {
                "The other targets and the recording are not affected. It gets more again by itself."
                    .into()
            }
            Self::NoSecond { .. } => {
                "Pictures that a connection does not carry are left out there; the others are not affected."
                    .into()
            }
            Self::Whole { .. } | Self::All { .. } => String::new(),
        }
    }
}
