//! The chat in the settings file: `[chat]`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::studio::settings::reading::values::{self, within};
use crate::studio::watch::chat;
use crate::studio::watch::chat::ChatChoices;
use crate::studio::watch::choices::may_be_kept;
use crate::wire::chat::service::ServiceAddress;

#[derive(Debug, Serialize, Deserialize)]
#[serde(remote = "ChatChoices", default = "ChatChoices::default", deny_unknown_fields)]
pub struct ChatLayout {
    #[serde(rename = "still", with = "values::not")]
    flying: bool,
    #[serde(serialize_with = "values::rounded", deserialize_with = "opacity")]
    opacity: f32,
    #[serde(serialize_with = "values::rounded", deserialize_with = "speed")]
    speed: f32,
    #[serde(serialize_with = "values::rounded", deserialize_with = "size")]
    size: f32,
    words: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(with = "places", skip_serializing_if = "Vec::is_empty")]
    places: Vec<(String, String)>,
    #[serde(with = "services", skip_serializing_if = "Vec::is_empty")]
    services: Vec<ServiceAddress>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    youtube_key: bool,
}

within! {
    opacity: f32 = chat::OPACITY_RANGE;
    speed: f32 = chat::SPEED_FACTOR_RANGE;
    size: f32 = chat::TEXT_SIZE_RANGE_POINTS, "points";
}

/// Reads and writes chat addresses. Each entry is a stream, a space, and its chat address.
/// Addresses that can contain secrets are not written.
mod places {
    use super::*;

    pub fn serialize<S: Serializer>(places: &[(String, String)], to: S) -> Result<S::Ok, S::Error> {
        let kept = places.iter().filter(|(stream, chat)| may_be_kept(stream) && may_be_kept(chat));
        to.collect_seq(kept.map(|(stream, chat)| format!("{stream} {chat}")))
    }

    pub fn deserialize<'de, D>(from: D) -> Result<Vec<(String, String)>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let texts = Vec::<String>::deserialize(from)?;
        Ok(texts.iter().filter_map(|text| place(text)).collect())
    }

    /// Splits an entry into the stream and its chat address. Returns `None` if the chat address is
    /// invalid, or if either may contain a secret.
    fn place(text: &str) -> Option<(String, String)> {
        let (stream, chat) = text.rsplit_once(' ')?;
        let good = may_be_kept(stream) && may_be_kept(chat) && chat::check_place(chat).is_ok();
        good.then(|| (stream.to_owned(), chat.to_owned()))
    }
}

/// Reads and writes the chats of services, as `SERVICE:CHANNEL`.
mod services {
    use super::*;

    pub fn serialize<S: Serializer>(services: &[ServiceAddress], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(services.iter().map(ToString::to_string))
    }

    pub fn deserialize<'de, D>(from: D) -> Result<Vec<ServiceAddress>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let texts = Vec::<String>::deserialize(from)?;
        let parsed = texts.iter().map(|text| text.parse().map_err(serde::de::Error::custom));
        parsed.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::settings::Settings;

    #[test]
    fn the_chat_is_read_as_it_was_written() {
        let chat = ChatChoices {
            flying: false,
            opacity: 0.5,
            speed: 1.25,
            size: 32.0,
            words: vec!["spoiler".into()],
            name: "小明".into(),
            places: vec![("rtmp://h/live/a b".into(), "wss://chat.example/live/a/chat".into())],
            services: vec!["twitch:someone".parse().unwrap()],
            youtube_key: true,
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("onair.toml");
        Settings { chat: chat.clone(), ..Settings::default() }.write(&path).unwrap();
        let (read, warnings) = Settings::read(&path);
        assert_eq!((&read.chat, warnings), (&chat, Vec::<crate::text::Problem>::new()));
        // Secrets are written neither for the stream nor for the chat.
        let mut secret = chat.clone();
        secret.put_place("rtmp://h/live/b?key=planted", "ws://h/live/b/chat");
        secret.put_place("rtmp://h/live/c", "ws://h/live/c/chat?token=planted");
        Settings { chat: secret, ..Settings::default() }.write(&path).unwrap();
        assert!(!std::fs::read_to_string(&path).unwrap().contains("planted"));
        assert_eq!(Settings::read(&path).0.chat, chat);
    }

    #[test]
    fn bad_values_fall_back() {
        let (read, warnings) = Settings::parse(
            "[chat]\nopacity = 7\nspeed = \"x\"\nwords = 3\nname = \"\\u202ea\\nb\"\nplaces = [1, \"x\", \"a http://b/c\"]",
        );
        assert_eq!(warnings.len(), 4, "{warnings:?}");
        assert_eq!(read.chat, ChatChoices { name: "a b".into(), ..ChatChoices::default() });
    }
}
