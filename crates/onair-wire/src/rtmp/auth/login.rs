//! Server side of the login: checks name and password. A challenge contains its time and a
//! signature of the server, so that pending logins need no state. A challenge is valid for a
//! minute, and a correct response is accepted only once.

use std::collections::VecDeque;
use std::time::Duration;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::percent_decode_str;
use sha2::Sha256;

use super::{Method, adobe_response, llnw_response};
use crate::base::secret::is_same_secret;
use crate::base::{Secret, Timestamp};
use crate::wire::rtmp::url::Credentials;

/// The time for which a challenge is valid.
const CHALLENGE_LIFETIME: Duration = Duration::from_secs(60);
/// Maximum number of stored challenges with a correct response, which prevent replay.
const MAX_ANSWERED_CHALLENGES: usize = 1_024;
/// The longest user name that is echoed to the client, in bytes.
const MAX_USER_NAME_BYTES: usize = 128;
/// Number of hexadecimal digits in the random part of a challenge.
const CHALLENGE_DIGITS: usize = 16;
/// Number of hexadecimal digits in the time of a challenge.
const TIME_DIGITS: usize = 12;
/// Number of hexadecimal digits in the signature of a challenge.
const SIGNATURE_DIGITS: usize = 32;

/// The login of a server that requires a name and a password.
#[derive(Debug)]
pub struct Login {
    method: Method,
    credentials: Credentials,
    /// Key for signing challenges.
    secret: Secret,
    /// Challenges with a correct response, oldest first.
    answered: VecDeque<String>,
}

/// Result of a login attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The client is accepted.
    Welcome,
    /// The client must connect again with a response. The text is the description of the rejection.
    Rejected(String),
    /// Name or password is wrong. The text is the description of the rejection.
    Wrong(String),
}

impl Login {
    /// Creates a login for one name and password. `secret` is any value that cannot be guessed.
    pub fn new(method: Method, credentials: Credentials, secret: Secret) -> Self {
        Self { method, credentials, secret, answered: VecDeque::new() }
    }

    /// Requires another name and password from now on. Challenges stay valid, and each still counts only once.
    #[must_use]
    pub fn with_credentials(self, method: Method, credentials: Credentials) -> Self {
        Self { method, credentials, ..self }
    }

    /// Returns true if `app` of connect contains a response to a challenge, correct or not.
    pub fn is_answer(app: &str) -> bool {
        let query = app.split_once('?').map_or("", |(_, query)| query);
        query.split('&').any(|pair| pair.starts_with("response="))
    }

    fn challenge(&self, fresh: &str, now: Timestamp) -> String {
        let chance = fresh.get(..CHALLENGE_DIGITS).unwrap_or_default();
        let millis = now.as_millis().max(0);
        let signed = format!("{chance:0>CHALLENGE_DIGITS$}{millis:0TIME_DIGITS$x}");
        let signature = self.signature(&signed);
        signed + &signature
    }

    fn signature(&self, signed: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.secret.expose().as_bytes()) else {
            return String::new();
        };
        mac.update(signed.as_bytes());
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        let mut signature = HEXLOWER.encode(&digest);
        signature.truncate(SIGNATURE_DIGITS);
        signature
    }

    /// Returns true for a challenge of this server that is still valid.
    fn is_open(&self, challenge: &str, now: Timestamp) -> bool {
        let Some((signed, signature)) = challenge.split_at_checked(CHALLENGE_DIGITS + TIME_DIGITS)
        else {
            return false;
        };
        let asked =
            signed.get(CHALLENGE_DIGITS..).and_then(|time| i64::from_str_radix(time, 16).ok());
        let age = asked.map(|asked| now.since(Timestamp::from_millis(asked)));
        is_same_secret(self.signature(signed).as_bytes(), signature.as_bytes())
            && age.is_some_and(|age| age < CHALLENGE_LIFETIME)
            && !self.answered.iter().any(|answered| answered == challenge)
    }

    /// Returns true if the name and the password are right, as HTTP authentication gives them.
    pub fn is_right(&self, user: &str, password: &Secret) -> bool {
        let known = &self.credentials;
        // Both are compared in any case, so that the time does not tell which is wrong.
        let is_user = is_same_secret(known.user.as_bytes(), user.as_bytes());
        let is_password =
            is_same_secret(known.password.expose().as_bytes(), password.expose().as_bytes());
        is_user & is_password
    }

    /// Checks `app` of connect with its query. `fresh` is at least 16 unpredictable hexadecimal
    /// digits, which must be new for each call.
    pub fn check_login(&mut self, app: &str, fresh: &str, now: Timestamp) -> Verdict {
        let (app, query) = app.split_once('?').unwrap_or((app, ""));
        let decoded = |value| percent_decode_str(value).decode_utf8_lossy().into_owned();
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| decoded(value))
        };
        let method = self.method.as_str();
        let message = |what: String| format!("[ AccessManager.Reject ] : {what}");
        let reject = |what: String| Verdict::Rejected(message(what));
        if value("authmod").as_deref() != Some(method) {
            return reject(format!("[ code=403 need auth; authmod={method} ] : "));
        }
        let user = value("user").unwrap_or_default();
        let user_fits = user.len() <= MAX_USER_NAME_BYTES && !user.contains(['&', '=', '?', ' ']);
        let challenge_name = match self.method {
            Method::Adobe => "opaque",
            Method::Llnw => "nonce",
        };
        let (Some(response), Some(challenge), true) =
            (value("response"), value(challenge_name), user_fits)
        else {
            let challenge = self.challenge(fresh, now);
            let user = if user_fits { user } else { String::new() };
            let asked = match self.method {
                Method::Adobe => {
                    let salt = salt(&challenge);
                    format!("user={user}&salt={salt}&challenge={challenge}&opaque={challenge}")
                }
                Method::Llnw => format!("user={user}&nonce={challenge}"),
            };
            return reject(format!("[ authmod={method} ] : ?reason=needauth&{asked}"));
        };
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
        let right = user == self.credentials.user
            && is_same_secret(expected.as_bytes(), response.as_bytes());
        if right && self.is_open(&challenge, now) {
            if self.answered.len() >= MAX_ANSWERED_CHALLENGES {
                self.answered.pop_front();
            }
            self.answered.push_back(challenge);
            return Verdict::Welcome;
        }
        let failed = format!("[ authmod={method} ] : ?reason=authfailed&user={user}");
        Verdict::Wrong(message(failed))
    }
}

/// Returns the salt, which is not stored, because it is derived from the challenge.
fn salt(challenge: &str) -> &str {
    challenge.get(..8).unwrap_or(challenge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::rtmp::auth::{Challenge, next_query};

    const NONCE_HEX: &str = "00112233445566778899aabbccddeeff";

    fn login(user: &str, password: &str) -> Credentials {
        Credentials { user: user.into(), password: crate::base::Secret::new(password) }
    }

    /// Logs in like onair's client, until the result no longer changes.
    fn dialogue(server: &mut Login, login: &Credentials, app: &str) -> Vec<Verdict> {
        let (mut verdicts, mut query) = (Vec::new(), String::new());
        for round in 0..4 {
            let fresh = format!("{round}{NONCE_HEX}");
            let verdict = server.check_login(&format!("{app}{query}"), &fresh, Timestamp::ZERO);
            verdicts.push(verdict.clone());
            let (Verdict::Rejected(text) | Verdict::Wrong(text)) = verdict else { break };
            let challenge = Challenge::parse(&text).unwrap();
            let Some(next) = next_query(&challenge, login, app, "0a0b0c0d") else { break };
            query = format!("?{next}");
        }
        verdicts
    }

    #[test]
    fn our_client_comes_in_by_both_methods_and_nobody_else_does() {
        for method in [Method::Adobe, Method::Llnw] {
            for app in ["live", "a/b"] {
                let mut server = Login::new(method, login("me", "secret"), "signs".into());
                let verdicts = dialogue(&mut server, &login("me", "secret"), app);
                let end = (verdicts.len(), verdicts.last());
                assert_eq!(end, (3, Some(&Verdict::Welcome)), "{verdicts:?}");
                for wrong in [login("me", "Secret"), login("you", "secret"), login("", "")] {
                    let verdicts = dialogue(&mut server, &wrong, app);
                    assert!(!verdicts.contains(&Verdict::Welcome), "{verdicts:?}");
                    let last = verdicts.last();
                    assert!(matches!(last, Some(Verdict::Wrong(t)) if t.contains("authfailed")));
                }
            }
        }
    }

    #[test]
    fn an_answer_counts_once_and_not_for_ever() {
        let me = login("me", "secret");
        let answer = |server: &mut Login, now| {
            let Verdict::Rejected(text) =
                server.check_login("live?authmod=adobe&user=me", NONCE_HEX, now)
            else {
                panic!("no challenge")
            };
            let challenge = Challenge::parse(&text).unwrap();
            format!("live?{}", next_query(&challenge, &me, "live", "0a0b0c0d").unwrap())
        };
        let mut server = Login::new(Method::Adobe, me.clone(), "signs".into());
        // Login attempts without a response do not block other clients.
        let app = answer(&mut server, Timestamp::ZERO);
        for _ in 0..10_000 {
            answer(&mut server, Timestamp::ZERO);
        }
        assert_eq!(server.check_login(&app, NONCE_HEX, Timestamp::ZERO), Verdict::Welcome);
        assert_ne!(server.check_login(&app, NONCE_HEX, Timestamp::ZERO), Verdict::Welcome);
        let app = answer(&mut server, Timestamp::ZERO);
        assert_ne!(
            server.check_login(&app, NONCE_HEX, Timestamp::ZERO + CHALLENGE_LIFETIME),
            Verdict::Welcome
        );
        assert_eq!(server.answered.len(), 1, "who asks, or is wrong, costs nothing");
        // A challenge of another server, or a made-up one, is not accepted.
        let mut other = Login::new(Method::Adobe, me.clone(), "signs otherwise".into());
        let app = answer(&mut other, Timestamp::ZERO);
        assert!(matches!(server.check_login(&app, NONCE_HEX, Timestamp::ZERO), Verdict::Wrong(_)));
    }

    #[test]
    fn challenges_survive_a_change_of_the_credentials() {
        let (method, new) = (Method::Adobe, login("me", "new"));
        let answer = |server: &mut Login| {
            let app = "live?authmod=adobe&user=me";
            let verdict = server.check_login(app, NONCE_HEX, Timestamp::ZERO);
            let Verdict::Rejected(text) = verdict else { panic!("no challenge") };
            let challenge = Challenge::parse(&text).unwrap();
            format!("live?{}", next_query(&challenge, &new, "live", "0a0b0c0d").unwrap())
        };
        let mut server = Login::new(method, login("me", "old"), "signs".into());
        let app = answer(&mut server);
        let mut server = server.with_credentials(method, new.clone());
        assert_eq!(server.check_login(&app, NONCE_HEX, Timestamp::ZERO), Verdict::Welcome);
        let mut server = server.with_credentials(method, new.clone());
        let again = server.check_login(&app, NONCE_HEX, Timestamp::ZERO);
        assert!(matches!(again, Verdict::Wrong(_)), "{again:?}");
    }

    #[test]
    fn nonsense_is_asked_again() {
        let mut server = Login::new(Method::Adobe, login("me", "secret"), "signs".into());
        let long = format!("live?authmod=adobe&user={}&response=x&opaque=y", "u".repeat(5_000));
        for app in ["", "live", "live?", "live?authmod", "live?authmod=llnw&user=me", &long] {
            let verdict = server.check_login(app, "", Timestamp::ZERO);
            let (Verdict::Rejected(text) | Verdict::Wrong(text)) = verdict else { panic!() };
            assert!(text.len() < 300, "{text}");
        }
        let spoofed = "live?authmod=adobe&user=me%26reason=ok&response=x&opaque=y";
        let Verdict::Rejected(text) = server.check_login(spoofed, NONCE_HEX, Timestamp::ZERO)
        else {
            panic!()
        };
        assert!(text.contains("user=&salt"), "{text}");
    }
}
