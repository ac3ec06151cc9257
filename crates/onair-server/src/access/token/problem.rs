//! The reasons why a token is not accepted.

use crate::text::Problem;

/// The reason why a token is not accepted.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenProblem {
    /// The text is not a token, or its claims have the wrong types.
    Malformed,
    /// The token's algorithm is not supported, such as `none`.
    Algorithm,
    /// No key of this server has signed the token.
    Signature,
    /// The server could not fetch any keys yet, or could not fetch a newer key that may have signed
    /// the token.
    NoKeys,
    /// The token never expires.
    NoEnd,
    Expired,
    NotYet,
    OtherServer,
    OtherStream,
    OtherAction,
    OtherAddress,
}

impl TokenProblem {
    /// Returns the cause as one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "token-malformed",
            Self::Algorithm => "token-algorithm",
            Self::Signature => "token-signature",
            Self::NoKeys => "token-no-keys",
            Self::NoEnd => "token-without-end",
            Self::Expired => "token-expired",
            Self::NotYet => "token-not-yet",
            Self::OtherServer => "token-other-server",
            Self::OtherStream => "token-other-stream",
            Self::OtherAction => "token-other-action",
            Self::OtherAddress => "token-other-address",
        }
    }

    /// Returns the reason for the operator and for the user of the client. Its message has the name of the cause.
    pub fn problem(self) -> Problem {
        Problem::new(self.name(), [])
    }

    /// Returns true if the token is valid, but for another stream, action or address.
    pub const fn is_elsewhere(self) -> bool {
        matches!(self, Self::OtherStream | Self::OtherAction | Self::OtherAddress)
    }

    /// Returns true if the token may be a guess, because anybody could have written it.
    pub const fn is_forged(self) -> bool {
        matches!(self, Self::Malformed | Self::Algorithm | Self::Signature)
    }
}
