//! Secret texts: stream keys, passwords, tokens. A secret is never printed, and is wiped when
//! dropped. While a secret exists, it is registered, so that onair can remove it from texts of
//! other parties ([`scrub`]).

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use zeroize::Zeroizing;

/// The minimum length, in bytes, of a secret that is replaced. Replacing shorter texts would damage
/// ordinary words.
const MIN_SECRET_LENGTH: usize = 4;
/// The name of the built-in server's stream, which is not secret.
const OWN_NAME: &str = "onair";
/// Maximum number of registered secrets in a list. Beyond this number, onair no longer searches for the
/// oldest ones.
const MAX_SECRETS: usize = 4_096;
/// The maximum wait for the lock of the list, because a crash report must not wait for a thread
/// that has died.
const LOCK_TIMEOUT: Duration = Duration::from_millis(200);

/// Secrets that currently exist. The list holds no copies of the secrets.
type SecretList = Mutex<Vec<Weak<Zeroizing<String>>>>;

/// The secrets of this computer.
static EXISTING_SECRETS: SecretList = Mutex::new(Vec::new());
/// The texts from clients. A client can send any word as its key, so these texts are not replaced in names.
static CLIENT_SECRETS: SecretList = Mutex::new(Vec::new());

/// A secret text. `Debug` and `Display` print `***`. Only [`Secret::expose`] reads the text, and
/// each call to this function needs a review. Clones share the text, so only one copy must be
/// wiped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Takes ownership of the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self::listed(text.into(), &EXISTING_SECRETS)
    }

    /// Takes ownership of a text that a client sent, or that contains names from a client. [`scrub`] replaces this
    /// text, and [`scrub_own`] does not.
    pub fn from_client(text: impl Into<String>) -> Self {
        Self::listed(text.into(), &CLIENT_SECRETS)
    }

    fn listed(text: String, list: &SecretList) -> Self {
        let text = Arc::new(Zeroizing::new(text));
        if text.len() >= MIN_SECRET_LENGTH && text.as_str() != OWN_NAME {
            let mut living = list.lock();
            if living.len() >= living.capacity() {
                living.retain(|secret| secret.strong_count() > 0);
            }
            if living.len() >= MAX_SECRETS {
                living.remove(0);
            }
            living.push(Arc::downgrade(&text));
        }
        Self(text)
    }

    /// Returns the text itself. Only network protocols and the key store may call this function.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns true if the text is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns `text` with every occurrence of the secret replaced by `***`, for messages of
    /// servers. Secrets shorter than 4 bytes are not replaced, because that would damage ordinary
    /// words.
    pub fn redact(&self, text: &str) -> String {
        if self.0.len() < MIN_SECRET_LENGTH {
            text.to_owned()
        } else {
            text.replace(self.expose(), "***")
        }
    }
}

/// Returns true if two secrets are equal, in constant time.
pub fn is_same_secret(one: &[u8], other: &[u8]) -> bool {
    let differ = one.iter().zip(other).fold(0, |differ, (a, b)| differ | (a ^ b));
    one.len() == other.len() && differ == 0
}

/// Returns `text` with every existing secret replaced by `***`. The function replaces each secret
/// in its plain form and in the escaped form of a quoted string, and also the part of a key before
/// its `?`. This function is for texts from code that does not know secrets, such as the message of
/// a panic. Returns `None` if the list of secrets stays locked, for example because a thread
/// panicked while it held the list.
pub fn scrub(text: &str) -> Option<String> {
    let mut secrets = living(&EXISTING_SECRETS)?;
    secrets.extend(living(&CLIENT_SECRETS)?);
    Some(without(text, &secrets))
}

/// Works like [`scrub`], but replaces only the secrets of this computer. This function is for names from clients. A
/// client could otherwise hide a name from the operator: it sends the name as its key.
pub fn scrub_own(text: &str) -> Option<String> {
    Some(without(text, &living(&EXISTING_SECRETS)?))
}

/// Returns the secrets of a list, or `None` if the list stays locked.
fn living(list: &SecretList) -> Option<Vec<Arc<Zeroizing<String>>>> {
    Some(list.try_lock_for(LOCK_TIMEOUT)?.iter().filter_map(Weak::upgrade).collect())
}

/// Returns the text with `***` instead of each of these secrets, in each form in which it can appear.
fn without(text: &str, secrets: &[Arc<Zeroizing<String>>]) -> String {
    let mut hidden: Vec<Zeroizing<String>> = Vec::new();
    for secret in secrets {
        let quoted = Zeroizing::new(format!("{:?}", secret.as_str()));
        let quoted = quoted.trim_matches('"');
        let name = secret.split('?').next().unwrap_or_default();
        for part in [secret.as_str(), quoted, name] {
            if part.len() >= MIN_SECRET_LENGTH && part != OWN_NAME {
                hidden.push(Zeroizing::new(part.to_owned()));
            }
        }
    }
    // One secret can be part of another secret.
    hidden.sort_by_key(|part| std::cmp::Reverse(part.len()));
    let mut text = Zeroizing::new(text.to_owned());
    for part in hidden {
        if text.contains(part.as_str()) {
            *text = text.replace(part.as_str(), "***");
        }
    }
    text.to_string()
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_never_printed() {
        let key = Secret::new("live_1234_abcd");
        assert_eq!(format!("{key} {key:?}"), "*** ***");
        assert_eq!(key.redact("no stream live_1234_abcd here"), "no stream *** here");
        assert_eq!(Secret::new("a").redact("a word"), "a word");
    }

    #[test]
    fn secrets_are_the_same_byte_by_byte_and_in_length() {
        assert!(is_same_secret(b"", b"") && is_same_secret(b"key", b"key"));
        for other in [&b""[..], b"ke", b"kez", b"keyy", b"Key"] {
            assert!(!is_same_secret(b"key", other) && !is_same_secret(other, b"key"), "{other:?}");
        }
    }

    #[test]
    fn what_lives_is_found_in_any_text_and_what_is_gone_is_not() {
        let scrubbed = |text: &str| scrub(text).unwrap();
        let key = Secret::new("pl4nted\"k'ey?auth=hidden");
        let other = key.clone();
        drop(key);
        assert_eq!(scrubbed("at pl4nted\"k'ey?auth=hidden!"), "at ***!");
        assert_eq!(scrubbed(&format!("{:?}", other.expose())), "\"***\"");
        assert_eq!(scrubbed("only pl4nted\"k'ey is said"), "only *** is said");
        drop(other);
        assert_eq!(scrubbed("pl4nted\"k'ey"), "pl4nted\"k'ey");
        // A client can send any word as its key, and this word stays in names.
        let sent = Secret::from_client("pl4nted-name?x=1");
        assert_eq!(scrubbed("at pl4nted-name"), "at ***");
        assert_eq!(scrub_own("at pl4nted-name").unwrap(), "at pl4nted-name");
        let same = Secret::new(sent.expose());
        assert_eq!(scrub_own("at pl4nted-name").unwrap(), "at ***");
        drop((sent, same));
        // Ordinary words are kept.
        let _own = Secret::new("onair");
        let _short = Secret::new("a");
        assert_eq!(scrubbed("onair met a wall"), "onair met a wall");
    }
}
