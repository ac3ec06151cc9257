//! The built-in server in the settings file: `[server]`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::net::tls::acme::domain::check_domain;
use crate::problems::ToProblem;
use crate::server::{MAX_SLOW_MODE_INTERVAL, MeetingPlace};
use crate::studio::settings::reading::lenient::Document;
use crate::studio::settings::reading::values::{self, form, is_usual, layout};
use crate::studio::settings::sections::all::Settings;
use crate::studio::targets::services;
use crate::studio::targets::sharing::{check_host, check_names, check_origin};
use crate::text::problem::{Problem, problem};
use crate::wire::chat::blocked_words::BlockedWords;
use crate::wire::rtmp::url::Url;

layout! {
    struct Table of Settings = Settings::default(); {
        #[serde(skip_serializing_if = "is_usual", deserialize_with = "successor")]
        successor: String = successor,
        /// True if other computers can reach the ports of HTTP and WebRTC.
        #[serde(skip_serializing_if = "is_usual")]
        network: bool = reach.http,
        /// True if other computers can reach the RTMP port.
        #[serde(skip_serializing_if = "is_usual")]
        network_rtmp: bool = reach.rtmp,
        /// True if the server also serves HTTPS.
        #[serde(skip_serializing_if = "is_usual")]
        https: bool = reach.https,
        /// True if the server also serves SRT.
        #[serde(skip_serializing_if = "is_usual")]
        srt: bool = reach.srt,
        /// Slow mode of the chats, in seconds.
        #[serde(
            skip_serializing_if = "is_usual",
            serialize_with = "values::as_seconds",
            deserialize_with = "slow"
        )]
        chat_slow: Duration = chat_rules.slow,
        #[serde(skip_serializing_if = "is_usual", with = "blocked_words")]
        blocked_words: BlockedWords = chat_rules.words,
        /// True if viewers need the play key. Any other value than `false` counts as true, so that
        /// a mistake does not let everybody in.
        #[serde(skip_serializing_if = "is_usual")]
        play_key: Option<toml::Value>,
        #[serde(skip_serializing_if = "is_usual", deserialize_with = "hosts")]
        names: Vec<String> = server_names.hosts,
        #[serde(skip_serializing_if = "is_usual", deserialize_with = "origins")]
        origins: Vec<String> = server_names.origins,
        /// The files of the certificate of HTTPS.
        #[serde(skip_serializing_if = "is_usual")]
        cert: String = server_certificate.cert,
        #[serde(skip_serializing_if = "is_usual")]
        cert_key: String = server_certificate.key,
        /// The domains for which an authority issues the certificate.
        #[serde(skip_serializing_if = "is_usual", deserialize_with = "domains")]
        acme: Vec<String> = server_certificate.domains,
        /// True if SRT clients need the stored passphrase. Any other value than `false` counts as
        /// true, as for the play key.
        #[serde(skip_serializing_if = "is_usual")]
        srt_passphrase: Option<toml::Value>,
        /// The server at which guests across the internet meet the studio.
        #[serde(skip_serializing_if = "is_usual", deserialize_with = "meeting")]
        meet: String = meeting,
    }
}

impl Table {
    /// Formats the section.
    pub fn written(settings: &Settings) -> Self {
        Self {
            play_key: settings.play_key.then_some(true.into()),
            srt_passphrase: settings.srt_passphrase.then_some(true.into()),
            ..Self::of(settings)
        }
    }

    /// Sets the values of the section.
    pub fn apply(&self, settings: &mut Settings, from: &mut Document<'_>) {
        self.put(settings);
        if let Some(needed) = &self.srt_passphrase {
            settings.srt_passphrase = needed.as_bool().unwrap_or_else(|| {
                from.note("server.srt_passphrase", &problem!("server-play-key-bad"));
                true
            });
        }
        if let Some(needed) = &self.play_key {
            settings.play_key = needed.as_bool().unwrap_or_else(|| {
                from.note("server.play_key", &problem!("server-play-key-bad"));
                true
            });
        }
    }
}

form! {
    blocked_words: BlockedWords;
    write words => words.words();
    read words: Vec::<String>::deserialize => Ok(BlockedWords::new(words));
}

fn slow<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let interval = Duration::from_secs(u64::deserialize(from)?);
    if interval > MAX_SLOW_MODE_INTERVAL {
        let most = MAX_SLOW_MODE_INTERVAL.as_secs();
        return Err(values::refuse(problem!("chat-slow-range", most = most)));
    }
    Ok(interval)
}

fn successor<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    check_successor(&String::deserialize(from)?).map_err(values::refuse)
}

fn meeting<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let url = String::deserialize(from)?;
    let url = url.trim();
    if !url.is_empty() {
        MeetingPlace::check(url).map_err(values::refuse)?;
    }
    Ok(url.to_owned())
}

fn hosts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    check_names(texts.iter().map(String::as_str), check_host).map_err(values::refuse)
}

fn domains<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    check_names(texts.iter().map(String::as_str), check_domain).map_err(values::refuse)
}

fn origins<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    check_names(texts.iter().map(String::as_str), check_origin).map_err(values::refuse)
}

/// Checks the successor of a server: the URL of an application, or empty. `{app}` in the URL stands
/// for the application of each client.
///
/// # Errors
/// Fails with the problem of the URL.
pub fn check_successor(url: &str) -> Result<String, Problem> {
    let url = url.trim();
    if !url.is_empty() {
        let parsed = Url::with_key(&services::completed(url), "stream");
        let parsed = parsed.map_err(|error| error.to_problem())?;
        if parsed.credentials.is_some() {
            return Err(problem!("address-with-login"));
        }
    }
    Ok(url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::ChatRules;
    use crate::studio::targets::sharing::{ServerCertificate, ServerNames, ServerReach};

    #[test]
    fn the_server_is_read_as_it_was_written() {
        let settings = Settings {
            reach: ServerReach { http: true, rtmp: false, https: true, srt: true },
            chat_rules: ChatRules {
                slow: Duration::from_secs(30),
                words: BlockedWords::new(["spoiler", "剧透"]),
            },
            play_key: true,
            srt_passphrase: true,
            server_certificate: ServerCertificate {
                cert: "/etc/cert.pem".to_owned(),
                key: "/etc/key.pem".to_owned(),
                domains: vec!["live.example.com".to_owned()],
            },
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
        assert_eq!(read.srt_passphrase, settings.srt_passphrase);
        assert_eq!(read.server_certificate, settings.server_certificate);
        assert_eq!((read.play_key, read.server_names), (true, settings.server_names));
    }

    #[test]
    fn only_the_login_of_a_successor_is_refused() {
        for url in ["rtmp://host/live?sign=a@b", "rtmp://host/li@ve"] {
            assert_eq!(check_successor(url), Ok(url.to_owned()));
        }
        for url in ["rtmp://me:tulip@host/live", "rtmp://me@host/live"] {
            assert_eq!(check_successor(url).unwrap_err().id(), "address-with-login", "{url}");
        }
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
