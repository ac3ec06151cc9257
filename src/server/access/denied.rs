//! The reasons why a client may not publish or play, in plain words.

use std::time::Duration;

use crate::server::access::action::Action;
use crate::server::access::token::problem::TokenProblem;

/// The reason why a client is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) enum Denied {
    /// The client's address is not allowed.
    Address,
    /// The client has no key or token, and needs one.
    NoSecret,
    /// The client's key is wrong.
    WrongSecret,
    /// There were too many wrong keys from this address; attempts are ignored for this long.
    TooOften(Duration),
    /// The client's token is not valid for this action.
    Token(TokenProblem),
    /// A callback refuses the client.
    Callback,
    /// A callback should decide, but does not answer.
    NoCallback,
}

impl Denied {
    /// Returns the cause as one word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::NoSecret => "no-key",
            Self::WrongSecret => "wrong-key",
            Self::TooOften(_) => "too-often",
            Self::Token(problem) => problem.name(),
            Self::Callback => "callback",
            Self::NoCallback => "no-callback",
        }
    }

    /// Returns a sentence for the user of the client.
    pub fn text(&self, action: Action) -> String {
        let (verb, key) = match action {
            Action::Publish => ("publish", "publish key"),
            Action::Play => ("play", "play key"),
        };
        match self {
            Self::Address => format!("This address may not {verb} here."),
            Self::NoSecret => format!("A {key} is needed, or a token."),
            Self::WrongSecret => format!("The {key} is wrong."),
            Self::TooOften(wait) => too_often("keys", *wait),
            Self::Token(problem) => problem.text().to_owned(),
            Self::Callback => format!("You may not {verb} this stream."),
            Self::NoCallback => "The server cannot check this now. Try again later.".to_owned(),
        }
    }
}

/// Returns the message after too many wrong attempts.
pub(in crate::server) fn too_often(what: &str, wait: Duration) -> String {
    let seconds = wait.as_secs() + 1;
    format!("Too many wrong {what} from this address: try again in {seconds} s.")
}
