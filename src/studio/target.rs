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
