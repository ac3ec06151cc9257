//! The built-in server in the settings file: `[server]`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::server::{ChatRules, MAX_SLOW_MODE_INTERVAL};
use crate::studio::settings::reading::lenient::Document;
use crate::studio::settings::reading::values;
use crate::studio::targets::address::parse;
use crate::studio::targets::sharing::{
    ServerNames, ServerReach, check_host, check_names, check_origin,
};
use crate::text::problem::{Problem, problem};
use crate::wire::chat::blocked_words::BlockedWords;

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::studio::settings) struct Table {
    #[serde(deserialize_with = "successor", skip_serializing_if = "String::is_empty")]
    pub successor: String,
    /// True if other computers can reach the ports of HTTP and WebRTC.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    network: bool,
    /// True if other computers can reach the RTMP port.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    network_rtmp: bool,
    /// Slow mode of the chats, in seconds.
    #[serde(deserialize_with = "slow", skip_serializing_if = "is_zero")]
    chat_slow: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blocked_words: Vec<String>,
    /// True if viewers need the play key. Any other value than `false` counts as true, so that a
    /// mistake does not let everybody in.
    #[serde(skip_serializing_if = "Option::is_none")]
    play_key: Option<toml::Value>,
    #[serde(deserialize_with = "hosts", skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
    #[serde(deserialize_with = "origins", skip_serializing_if = "Vec::is_empty")]
    origins: Vec<String>,
}

impl Table {
    pub fn of(
        successor: &str,
        reach: ServerReach,
        chat_rules: &ChatRules,
        play_key: bool,
        names: &ServerNames,
    ) -> Self {
        Self {
            successor: successor.to_owned(),
            network: reach.http,
            network_rtmp: reach.rtmp,
            chat_slow: chat_rules.slow.as_secs(),
            blocked_words: chat_rules.words.words().to_vec(),
            play_key: play_key.then_some(toml::Value::Boolean(true)),
            names: names.hosts.clone(),
            origins: names.origins.clone(),
        }
    }

    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub fn reach(&self) -> ServerReach {
        ServerReach { http: self.network, rtmp: self.network_rtmp }
    }

    /// Returns true if viewers need the play key.
    pub fn play_key(&self, document: &mut Document<'_>) -> bool {
        match &self.play_key {
            None | Some(toml::Value::Boolean(false)) => false,
            Some(toml::Value::Boolean(true)) => true,
            Some(_) => {
                document.note("server.play_key", &problem!("server-play-key-bad"));
                true
            }
        }
    }

    pub fn names(&self) -> ServerNames {
        ServerNames { hosts: self.names.clone(), origins: self.origins.clone() }
    }

    pub fn chat_rules(&self) -> ChatRules {
        let slow = Duration::from_secs(self.chat_slow);
        ChatRules { slow, words: BlockedWords::new(&self.blocked_words) }
    }
}

// The signature is that of serde.
#[expect(clippy::trivially_copy_pass_by_ref)]
fn is_zero(seconds: &u64) -> bool {
    *seconds == 0
}

fn slow<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let most = MAX_SLOW_MODE_INTERVAL.as_secs();
    let seconds = u64::deserialize(from)?;
    if seconds > most {
        return Err(values::refuse(problem!("chat-slow-range", most = most)));
    }
    Ok(seconds)
}

fn successor<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    check_successor(&String::deserialize(from)?).map_err(values::refuse)
}

fn hosts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    check_names(texts.iter().map(String::as_str), check_host).map_err(values::refuse)
}

fn origins<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    check_names(texts.iter().map(String::as_str), check_origin).map_err(values::refuse)
}

/// Checks the successor of a server: the URL of an application, or empty.
///
/// # Errors
/// Fails with the problem of the URL.
pub fn check_successor(url: &str) -> Result<String, Problem> {
    let url = url.trim();
    if !url.is_empty() {
        parse(url, Some(&"stream".into()))?;
        if url.contains('@') {
            return Err(problem!("address-with-login"));
        }
    }
    Ok(url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::settings::Settings;

    #[test]
    fn the_server_is_read_as_it_was_written() {
        let settings = Settings {
            reach: ServerReach { http: true, rtmp: false },
            chat_rules: ChatRules {
                slow: Duration::from_secs(30),
                words: BlockedWords::new(["spoiler", "剧透"]),
            },
            play_key: true,
            server_names: ServerNames {
                hosts: vec!["studio.example".to_owned()],
                origins: vec!["https://example.com".to_owned()],
            },
            ..Settings::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("onair.toml");
        settings.write(&path).unwrap();
        let (read, warnings) = Settings::read(&path);
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!((read.reach, read.chat_rules), (settings.reach, settings.chat_rules));
        assert_eq!((read.play_key, read.server_names), (true, settings.server_names));
    }

    #[test]
    fn a_bad_play_key_lets_nobody_in_and_bad_names_are_left_out() {
        let text =
            "[server]\nplay_key = \"tulip\"\nnames = [\"a b\"]\norigins = [\"example.com\"]\n";
        let (read, warnings) = Settings::parse(text);
        assert_eq!(warnings.len(), 3, "{warnings:?}");
        assert!(warnings.iter().all(|it| !it.to_string().contains("tulip")), "{warnings:?}");
        assert_eq!((read.play_key, read.server_names), (true, ServerNames::default()));
        assert!(!Settings::parse("[server]\nplay_key = false\n").0.play_key);
    }

    #[test]
    fn bad_values_leave_the_server_closed() {
        let text =
            "[server]\nnetwork = 1\nnetwork_rtmp = \"yes\"\nchat_slow = 601\nblocked_words = 7\n";
        let (read, warnings) = Settings::parse(text);
        assert_eq!(warnings.len(), 4, "{warnings:?}");
        assert_eq!((read.reach, read.chat_rules), Default::default());
    }
}
