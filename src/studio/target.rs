//! Where a stream may go, as it is chosen.

use crate::base::Secret;

/// Where the stream goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetChoice {
    /// The server inside the program, stream `live/onair`.
    BuiltIn,
    /// Any RTMP(S) server: the application's URL and the key, apart. An empty key means that the
    /// URL is whole and its last part is the key.
    Custom { server: String, key: Secret },
}

/// A target as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The server inside the program.
    BuiltIn,
    /// A server's URL; with a key apart, or as its last part.
    Url { url: String, key: Option<Secret> },
}

impl From<TargetChoice> for Wanted {
    fn from(choice: TargetChoice) -> Self {
        match choice {
            TargetChoice::BuiltIn => Self::BuiltIn,
            TargetChoice::Custom { server, key } => {
                let key = Some(key).filter(|key| !key.is_empty());
                Self::Url { url: server.trim().to_owned(), key }
            }
        }
    }
}

/// What a target does.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum TargetState {
    #[default]
    Connecting,
    Live,
    Reconnecting,
    Stopped,
    Failed,
}

impl TargetState {
    /// Its word in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Reconnecting => "reconnecting",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    /// Whether it is not on its way to another state.
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Live | Self::Stopped)
    }
}
