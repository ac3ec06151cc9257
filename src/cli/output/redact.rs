//! Handles secrets on the command line: other users of the computer can see these secrets, so onair
//! warns, and never repeats the secrets in its output.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::OnceLock;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::text::problem::{Problem, problem};

/// Replaces a secret in the output.
const SECRET_MASK: &str = "***";
/// Address parameters that are secrets.
const SECRET_PARAMETERS: [&str; 11] = [
    "key",
    "token",
    "auth",
    "pass",
    "password",
    "secret",
    "sig",
    "sign",
    "signature",
    "passphrase",
    "streamid",
];

/// Secrets, and their replacements.
static SECRET_REPLACEMENTS: OnceLock<Vec<(String, String)>> = OnceLock::new();

/// Records the secrets in these words. Only the first call has an effect.
pub fn remember(words: impl IntoIterator<Item = String>) {
    let secrets = words.into_iter().flat_map(|word| secrets(&word));
    let _ = SECRET_REPLACEMENTS.set(longest_first(secrets));
}

/// Returns true if an address in this word contains a password.
pub fn has_password(word: &str) -> bool {
    password(word).is_some()
}

/// Returns a text without the recorded secrets.
pub fn hidden(text: &str) -> Cow<'_, str> {
    hide(text, SECRET_REPLACEMENTS.get().map(Vec::as_slice).unwrap_or_default())
}

/// Returns JSON without the recorded secrets. Only texts contain secrets: a number stays a number,
/// even if a password consists of the same digits.
pub fn hidden_json(json: Value) -> Value {
    match SECRET_REPLACEMENTS.get() {
        Some(secrets) if !secrets.is_empty() => hide_json(json, secrets),
        _ => json,
    }
}

fn hide_json(json: Value, secrets: &[(String, String)]) -> Value {
    let hide_all = |json| hide_json(json, secrets);
    match json {
        Value::String(text) => hide(&text, secrets).into_owned().into(),
        Value::Array(values) => values.into_iter().map(hide_all).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, hide_all(value))).collect()
        }
        other => other,
    }
}

/// Sorts secrets, because a secret can begin with another one.
fn longest_first(secrets: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut secrets: Vec<_> = secrets.collect();
    secrets.sort_by_key(|(secret, _)| Reverse(secret.len()));
    secrets
}

fn hide<'a>(text: &'a str, secrets: &[(String, String)]) -> Cow<'a, str> {
    secrets.iter().fold(Cow::Borrowed(text), |text, (secret, instead)| {
        if text.contains(secret.as_str()) {
            Cow::Owned(text.replace(secret.as_str(), instead))
        } else {
            text
        }
    })
}

/// Returns the password before the host of an address.
fn password(word: &str) -> Option<&str> {
    let (_, rest) = word.split_once("://")?;
    let (before, _) = rest.split(['/', '?', '#']).next()?.rsplit_once('@')?;
    let (_, password) = before.split_once(':')?;
    Some(password).filter(|password| !password.is_empty())
}

/// Returns true if a secret is hidden wherever it occurs. A short secret, or one that could be a
/// word, is hidden only in addresses, because hiding it everywhere would hide much of the output.
fn is_rare(secret: &str) -> bool {
    secret.len() >= 5 && !secret.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn secrets(word: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if let Some(password) = password(word) {
        found.push((format!(":{password}@"), format!(":{SECRET_MASK}@")));
        let decoded = percent_decode_str(password).decode_utf8_lossy();
        for secret in [password.to_owned(), decoded.into_owned()] {
            if is_rare(&secret) {
                found.push((secret, SECRET_MASK.to_owned()));
            }
        }
    }
    let query = word.split_once("://").and_then(|(_, rest)| rest.split_once('?'));
    let pairs = query.map_or("", |(_, query)| query).split(['&', '#', '?']);
    for (name, value) in pairs.filter_map(|pair| pair.split_once('=')) {
        if SECRET_PARAMETERS.iter().any(|secret| name.eq_ignore_ascii_case(secret))
            && !value.is_empty()
        {
            found.push((format!("{name}={value}"), format!("{name}={SECRET_MASK}")));
            if is_rare(value) {
                found.push((value.to_owned(), SECRET_MASK.to_owned()));
            }
        }
    }
    found
}

/// Returns a text without the stream keys of the RTMP addresses in these words. An address in the
/// wrong place of a command line may contain a key.
pub fn without_keys(text: &str, words: impl IntoIterator<Item = String>) -> String {
    let addresses = longest_first(words.into_iter().filter_map(|word| rtmp_address(&word)));
    hide(text, &addresses).into_owned()
}

/// Returns the RTMP address in this word, with and without its key, which follows the application.
fn rtmp_address(word: &str) -> Option<(String, String)> {
    let (before, rest) = word.split_once("://")?;
    let scheme = before.rsplit('=').next()?;
    let (end, _) = rest.match_indices('/').nth(1)?;
    let app = rest.get(..end)?;
    let is_rtmp = scheme.to_ascii_lowercase().starts_with("rtmp");
    is_rtmp.then(|| (format!("{scheme}://{rest}"), format!("{scheme}://{app}/{SECRET_MASK}")))
}

/// Checks that a file name is not an address. The error does not repeat the address, because an
/// address can contain a key.
///
/// # Errors
/// Fails if the name is an address.
pub fn check_file(path: &std::path::Path) -> Result<(), Problem> {
    match path.to_string_lossy().split_once("://") {
        Some((scheme, _)) if !scheme.is_empty() && !scheme.contains('/') && !path.exists() => {
            Err(problem!("cli-address-for-file"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_of_addresses_are_hidden_wherever_they_are_repeated() {
        let words = [
            "--successor=rtmp://me:Pl4nted@host/app",
            "http://u:p%40ssw0rd@proxy:3128",
            "rtmp://u:x@host/app",
            "https://host/a.flv?Token=T0k3n&part=2",
        ];
        let all: Vec<_> = words.iter().flat_map(|word| secrets(word)).collect();
        let text = "invalid 'rtmp://me:Pl4nted@host/app'; Pl4nted; u:p%40ssw0rd@proxy p@ssw0rd \
                    rtmp://u:x@host next x https://host/a.flv?Token=T0k3n&part=2";
        let shown = hide(text, &all);
        for secret in ["Pl4nted", "ssw0rd", ":x@", "T0k3n"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("rtmp://me:***@host/app") && shown.contains("next x"), "{shown}");
        assert!(shown.contains("part=2"), "{shown}");
        assert!(words[..3].iter().all(|word| has_password(word)));
        for plain in ["rtmp://host/app/a:b@c", "me:secret@host", "rtmp://me@host/x", "a.flv"] {
            assert!(!has_password(plain) && secrets(plain).is_empty(), "{plain}");
        }
    }

    #[test]
    fn a_password_of_digits_damages_no_number_in_json() {
        let all = secrets("rtmp://me:12345@host/app");
        let event = json!({
            "bytes": 1_234_567,
            "url": "rtmp://me:12345@host/app",
            "targets": [{"cause": "12345 is \"wrong\"", "bitrate": 12345}],
        });
        let shown = json!({
            "bytes": 1_234_567,
            "url": "rtmp://me:***@host/app",
            "targets": [{"cause": "*** is \"wrong\"", "bitrate": 12345}],
        });
        assert_eq!(hide_json(event, &all), shown);
    }

    #[test]
    fn an_address_in_the_wrong_place_is_repeated_without_its_key() {
        let words = ["live", "--tu=rtmp://h/app/0penKey?a=b", "rtmps://h:443/app/0penKey/c"];
        let text =
            "unexpected argument '--tu=rtmp://h/app/0penKey?a=b' and rtmps://h:443/app/0penKey/c";
        let shown = without_keys(text, words.map(str::to_owned));
        assert_eq!(shown, "unexpected argument '--tu=rtmp://h/app/***' and rtmps://h:443/app/***");
        assert_eq!(without_keys("rtmp://h/app", ["rtmp://h/app".to_owned()]), "rtmp://h/app");
        let words = ["rtmp://h/app/0pen", "rtmp://h/app/0penKey"].map(str::to_owned);
        assert_eq!(without_keys("rtmp://h/app/0penKey", words), "rtmp://h/app/***");
    }

    #[test]
    fn an_address_is_no_file() {
        assert!(check_file("rtmp://h/app/key".as_ref()).is_err());
        assert!(check_file("show://".as_ref()).is_err());
        assert_eq!(check_file("/a/b.flv".as_ref()), Ok(()));
        assert_eq!(check_file("a/rtmp://x".as_ref()), Ok(()));
    }
}
