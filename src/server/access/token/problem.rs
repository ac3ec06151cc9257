//! The reasons why a token is not accepted, in plain words.

/// The reason why a token is not accepted.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::server) enum TokenProblem {
    /// The text is not a token, or its claims have the wrong types.
    Malformed,
    /// The token's algorithm is not supported, such as `none`.
    Algorithm,
    /// No key of this server has signed the token.
    Signature,
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
    /// Returns a sentence for the user of the client.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Malformed => "The token cannot be read.",
            Self::Algorithm => "The token's algorithm is not allowed.",
            Self::Signature => "The token was not signed for this server.",
            Self::NoEnd => "The token has no end time.",
            Self::Expired => "The token has expired.",
            Self::NotYet => "The token is not valid yet.",
            Self::OtherServer => "The token is for another server.",
            Self::OtherStream => "The token is for another stream.",
            Self::OtherAction => "The token does not allow this.",
            Self::OtherAddress => "The token is for another address.",
        }
    }

    /// Returns the cause as one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "token-malformed",
            Self::Algorithm => "token-algorithm",
            Self::Signature => "token-signature",
            Self::NoEnd => "token-without-end",
            Self::Expired => "token-expired",
            Self::NotYet => "token-not-yet",
            Self::OtherServer => "token-other-server",
            Self::OtherStream => "token-other-stream",
            Self::OtherAction => "token-other-action",
            Self::OtherAddress => "token-other-address",
        }
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
