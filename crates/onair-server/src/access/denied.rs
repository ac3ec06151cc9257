//! The reasons why a client may not publish or play.

use std::time::Duration;

use crate::server::access::action::Action;
use crate::server::access::token::problem::TokenProblem;
use crate::text::problem::{Problem, problem};
use crate::wire::rtmp::status::code;

/// The reason why a client is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// The client has not named a stream.
    NoName,
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
    /// A callback refuses the client, but may accept a user name and password.
    NoLogin,
    /// A callback should decide, but does not answer.
    NoCallback,
}

impl Denied {
    /// Returns the cause as one word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NoName => "no-name",
            Self::Address => "address",
            Self::NoSecret => "no-key",
            Self::WrongSecret => "wrong-key",
            Self::TooOften(_) => "too-often",
            Self::Token(problem) => problem.name(),
            Self::Callback | Self::NoLogin => "callback",
            Self::NoCallback => "no-callback",
        }
    }

    /// Returns the RTMP status of a client that connects.
    pub const fn connect_code(&self) -> &'static str {
        if self.is_temporary() { code::CONNECT_FAILED } else { code::CONNECT_REJECTED }
    }

    /// Returns the RTMP status of a publisher.
    pub const fn publish_code(&self) -> &'static str {
        match self {
            _ if self.is_temporary() => code::CONNECT_FAILED,
            Self::NoName => code::PUBLISH_BAD_NAME,
            Self::Address | Self::Callback | Self::NoLogin => code::PUBLISH_DENIED,
            _ => code::PUBLISH_UNAUTHORIZED,
        }
    }

    /// Returns the RTMP status of a player.
    pub const fn play_code(&self) -> &'static str {
        match self {
            _ if self.is_temporary() => code::CONNECT_FAILED,
            Self::NoName => code::PLAY_NOT_FOUND,
            _ => code::PLAY_UNAUTHORIZED,
        }
    }

    /// Returns true if the server may accept the same request later.
    const fn is_temporary(&self) -> bool {
        matches!(self, Self::TooOften(_) | Self::NoCallback | Self::Token(TokenProblem::NoKeys))
    }

    /// Returns the reason for the operator and for the user of the client.
    pub fn problem(&self, action: Action) -> Problem {
        match self {
            Self::NoName => problem!("denied-no-name"),
            Self::Address => problem!("denied-address", action = action.name()),
            Self::NoSecret => problem!("denied-no-key", action = action.name()),
            Self::WrongSecret => problem!("denied-wrong-key", action = action.name()),
            Self::TooOften(wait) => too_often("keys", *wait),
            Self::Token(problem) => problem.problem(),
            Self::Callback | Self::NoLogin => problem!("denied-callback", action = action.name()),
            Self::NoCallback => problem!("denied-no-callback"),
        }
    }
}

/// Returns the reason after too many wrong `keys`, `passwords` or `tokens`.
pub(crate) fn too_often(what: &str, wait: Duration) -> Problem {
    problem!("denied-too-often", what = what, seconds = wait.as_secs() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;
    use crate::wire::rtmp::status::{Level, Refusal, Status};

    /// Returns every refusal.
    fn all() -> impl Iterator<Item = Denied> {
        let tokens = [
            TokenProblem::Malformed,
            TokenProblem::Algorithm,
            TokenProblem::Signature,
            TokenProblem::NoKeys,
            TokenProblem::NoEnd,
            TokenProblem::Expired,
            TokenProblem::NotYet,
            TokenProblem::OtherServer,
            TokenProblem::OtherStream,
            TokenProblem::OtherAction,
            TokenProblem::OtherAddress,
        ];
        let others = [
            Denied::NoName,
            Denied::Address,
            Denied::NoSecret,
            Denied::WrongSecret,
            Denied::TooOften(Duration::from_secs(9)),
            Denied::Callback,
            Denied::NoLogin,
            Denied::NoCallback,
        ];
        tokens.map(Denied::Token).into_iter().chain(others)
    }

    #[test]
    fn clients_try_again_only_after_a_temporary_refusal() {
        let temporary = ["too-often", "no-callback", "token-no-keys"];
        for denied in all() {
            let of = |code, action| {
                let text = denied.problem(action).to_string();
                Status::new(Level::Error, code, text).refusal()
            };
            let is_temporary = temporary.contains(&denied.name());
            let expected = match denied {
                _ if is_temporary => [Refusal::Failed; 2],
                Denied::NoName => [Refusal::Rejected, Refusal::NotFound],
                _ => [Refusal::Unauthorized; 2],
            };
            let publish = of(denied.publish_code(), Action::Publish);
            let play = of(denied.play_code(), Action::Play);
            assert_eq!([publish, play], expected.map(Some), "{denied:?}");
            let at_connect = of(denied.connect_code(), Action::Play).unwrap();
            assert_eq!(at_connect.may_pass(), is_temporary, "{denied:?}");
        }
    }

    #[test]
    fn every_refusal_is_reported_in_both_languages_and_clients_get_english() {
        for denied in all() {
            for action in [Action::Publish, Action::Play] {
                let problem = denied.problem(action);
                let chinese = Language::Chinese.say(&problem);
                assert!(chinese.ends_with('。'), "{chinese}");
                assert!(!chinese.contains(|it: char| it.is_ascii_alphabetic()), "{chinese}");
                assert!(problem.to_string().ends_with('.'), "{problem}");
            }
        }
        let say = |denied: Denied, action| denied.problem(action).to_string();
        assert_eq!(say(Denied::NoName, Action::Publish), "The stream name is empty.");
        let address = "This address is not allowed to publish streams.";
        assert_eq!(say(Denied::Address, Action::Publish), address);
        assert_eq!(say(Denied::NoSecret, Action::Play), "A play key or a token is required.");
        assert_eq!(say(Denied::WrongSecret, Action::Publish), "The publish key is wrong.");
        assert_eq!(say(Denied::Callback, Action::Play), "You may not play this stream.");
        let often = "Too many wrong passwords from this address: try again in 10 s.";
        assert_eq!(too_often("passwords", Duration::from_secs(9)).to_string(), often);
    }
}
