//! The server's side: who gives the right name and password comes in. A challenge is good for one
//! answer and for a minute.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Method, adobe_response, llnw_response};
use crate::base::Timestamp;
use crate::wire::percent::percent_decoded_text;
use crate::wire::rtmp::url::Credentials;

/// How long a challenge may be answered.
const VALID: Duration = Duration::from_secs(60);
/// Challenges that may be open; the oldest goes first.
const MOST_OPEN: usize = 256;
/// Longest name that is repeated to who gave it.
const MAX_USER: usize = 128;

/// Asks for a name and a password.
#[derive(Debug)]
pub struct Door {
    method: Method,
    credentials: Credentials,
    /// Challenges not answered yet, oldest first, and since when.
    open: VecDeque<(String, Timestamp)>,
}

/// What the door says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Come in.
    Welcome,
    /// Connect again with what this asks for: the description of a rejection.
    Rejected(String),
}

impl Door {
    /// For one name and password.
    pub fn new(method: Method, credentials: Credentials) -> Self {
        Self { method, credentials, open: VecDeque::new() }
    }

    /// Looks at connect's `app` with its query. `fresh` is at least 16 hexadecimal digits that
    /// nobody can guess, new each time.
    pub fn knock(&mut self, app: &str, fresh: &str, now: Timestamp) -> Verdict {
        let (app, query) = app.split_once('?').unwrap_or((app, ""));
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| percent_decoded_text(value))
        };
        let method = self.method.as_str();
        let reject = |what: String| Verdict::Rejected(format!("[ AccessManager.Reject ] : {what}"));
        if value("authmod").as_deref() != Some(method) {
            return reject(format!("[ code=403 need auth; authmod={method} ] : "));
        }
        let user = value("user").unwrap_or_default();
        let user_fits = user.len() <= MAX_USER && !user.contains(['&', '=', '?', ' ']);
        let challenge_name = match self.method {
            Method::Adobe => "opaque",
            Method::Llnw => "nonce",
        };
        let (Some(response), Some(challenge), true) =
            (value("response"), value(challenge_name), user_fits)
        else {
            let challenge = fresh.to_owned();
            let user = if user_fits { user } else { String::new() };
            let asked = match self.method {
                Method::Adobe => {
                    let salt = salt(&challenge);
                    format!("user={user}&salt={salt}&challenge={challenge}&opaque={challenge}")
                }
                Method::Llnw => format!("user={user}&nonce={challenge}"),
            };
            if self.open.len() >= MOST_OPEN {
                self.open.pop_front();
            }
            self.open.push_back((challenge, now));
            return reject(format!("[ authmod={method} ] : ?reason=needauth&{asked}"));
        };
        self.open.retain(|(_, since)| now.since(*since) < VALID);
        let known = self.open.iter().position(|(open, _)| *open == challenge);
        let known = known.and_then(|at| self.open.remove(at)).is_some();
        let expected = match self.method {
            Method::Adobe => {
                let theirs = value("challenge").unwrap_or_default();
                adobe_response(&self.credentials, salt(&challenge), &challenge, "", &theirs)
            }
            Method::Llnw => {
                let (count, theirs) = (value("nc"), value("cnonce"));
                let (count, theirs) = (count.unwrap_or_default(), theirs.unwrap_or_default());
                llnw_response(&self.credentials, app, &challenge, &count, &theirs)
            }
        };
        if known && user == self.credentials.user && same(&expected, &response) {
            return Verdict::Welcome;
        }
        reject(format!("[ authmod={method} ] : ?reason=authfailed&user={user}"))
    }
}

/// The salt goes with its challenge, so that it need not be kept.
fn salt(challenge: &str) -> &str {
    challenge.get(..8).unwrap_or(challenge)
}

/// Compares to the end, so that time tells nothing.
fn same(one: &str, other: &str) -> bool {
    let differ = one.bytes().zip(other.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    one.len() == other.len() && differ == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::rtmp::auth::{Challenge, next_query};

    const FRESH: &str = "00112233445566778899aabbccddeeff";

    fn login(user: &str, password: &str) -> Credentials {
        Credentials { user: user.into(), password: crate::base::Secret::new(password) }
    }

    /// Knocks as our client does, until the door says the same thing for good.
    fn dialogue(door: &mut Door, login: &Credentials, app: &str) -> Vec<Verdict> {
        let (mut said, mut query) = (Vec::new(), String::new());
        for round in 0..4 {
            let fresh = format!("{round}{FRESH}");
            let verdict = door.knock(&format!("{app}{query}"), &fresh, Timestamp::ZERO);
            said.push(verdict.clone());
            let Verdict::Rejected(text) = verdict else { break };
            let challenge = Challenge::parse(&text).unwrap();
            let Some(next) = next_query(&challenge, login, app, "0a0b0c0d") else { break };
            query = format!("?{next}");
        }
        said
    }

    #[test]
    fn our_client_comes_in_by_both_methods_and_nobody_else_does() {
        for method in [Method::Adobe, Method::Llnw] {
            for app in ["live", "a/b"] {
                let mut door = Door::new(method, login("me", "secret"));
                let said = dialogue(&mut door, &login("me", "secret"), app);
                assert_eq!((said.len(), said.last()), (3, Some(&Verdict::Welcome)), "{said:?}");
                for wrong in [login("me", "Secret"), login("you", "secret"), login("", "")] {
                    let said = dialogue(&mut door, &wrong, app);
                    assert!(!said.contains(&Verdict::Welcome), "{said:?}");
                    let last = said.last();
                    assert!(matches!(last, Some(Verdict::Rejected(t)) if t.contains("authfailed")));
                }
            }
        }
    }

    #[test]
    fn an_answer_counts_once_and_not_for_ever() {
        let me = login("me", "secret");
        let answer = |door: &mut Door, now| {
            let Verdict::Rejected(text) = door.knock("live?authmod=adobe&user=me", FRESH, now)
            else {
                panic!("no challenge")
            };
            let challenge = Challenge::parse(&text).unwrap();
            format!("live?{}", next_query(&challenge, &me, "live", "0a0b0c0d").unwrap())
        };
        let mut door = Door::new(Method::Adobe, me.clone());
        let app = answer(&mut door, Timestamp::ZERO);
        assert_eq!(door.knock(&app, FRESH, Timestamp::ZERO), Verdict::Welcome);
        assert_ne!(door.knock(&app, FRESH, Timestamp::ZERO), Verdict::Welcome);
        let app = answer(&mut door, Timestamp::ZERO);
        assert_ne!(door.knock(&app, FRESH, Timestamp::ZERO + VALID), Verdict::Welcome);
        // Many who only ask cost nothing.
        for _ in 0..10 * MOST_OPEN {
            answer(&mut door, Timestamp::ZERO);
        }
        assert_eq!(door.open.len(), MOST_OPEN);
    }

    #[test]
    fn nonsense_is_asked_again() {
        let mut door = Door::new(Method::Adobe, login("me", "secret"));
        let long = format!("live?authmod=adobe&user={}&response=x&opaque=y", "u".repeat(5_000));
        for app in ["", "live", "live?", "live?authmod", "live?authmod=llnw&user=me", &long] {
            let Verdict::Rejected(text) = door.knock(app, "", Timestamp::ZERO) else { panic!() };
            assert!(text.len() < 300, "{text}");
        }
        let spoofed = "live?authmod=adobe&user=me%26reason=ok&response=x&opaque=y";
        let Verdict::Rejected(text) = door.knock(spoofed, FRESH, Timestamp::ZERO) else { panic!() };
        assert!(text.contains("user=&salt"), "{text}");
    }
}
