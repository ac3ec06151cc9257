//! The chat's part of the settings file.

use serde::Serialize;

use crate::studio::settings::reader::Reader;
use crate::studio::watch::chat;
use crate::studio::watch::chat::ChatChoices;
use crate::studio::watch::choices::may_be_kept;

/// As it is laid out.
#[derive(Debug, Default, Serialize)]
pub(in crate::studio::settings) struct Table {
    /// Lines do not fly over the picture.
    still: bool,
    opacity: f64,
    speed: f64,
    size: f64,
    words: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    /// A stream, a space, and where its chat is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    places: Vec<String>,
}

/// What is written. Addresses that may hold secrets are left out.
pub(in crate::studio::settings) fn table(choices: &ChatChoices) -> Table {
    // As many digits as a person would write.
    let round = |value: f32| (f64::from(value) * 100.0).round() / 100.0;
    Table {
        still: !choices.flying,
        opacity: round(choices.opacity),
        speed: round(choices.speed),
        size: round(choices.size),
        words: choices.words.clone(),
        name: choices.name.clone(),
        places: (choices.places.iter())
            .filter(|(stream, chat)| may_be_kept(stream) && may_be_kept(chat))
            .map(|(stream, chat)| format!("{stream} {chat}"))
            .collect(),
    }
}

/// The stream and its chat in what was written; neither is believed to be an address.
fn place(text: &str) -> Option<(String, String)> {
    let (stream, chat) = text.rsplit_once(' ')?;
    let good = may_be_kept(stream) && may_be_kept(chat) && chat::check_place(chat).is_ok();
    good.then(|| (stream.to_owned(), chat.to_owned()))
}

/// What is read.
pub(in crate::studio::settings) fn read(reader: &mut Reader<'_>) -> ChatChoices {
    let standard = ChatChoices::default();
    let mut number = |path, range: &std::ops::RangeInclusive<f32>, standard: f32| {
        reader.number(path, f64::from(*range.start()), f64::from(*range.end()), f64::from(standard))
    };
    let opacity = number("chat.opacity", &chat::OPACITIES, standard.opacity);
    let speed = number("chat.speed", &chat::SPEEDS, standard.speed);
    let size = number("chat.size", &chat::SIZES, standard.size);
    let choices = ChatChoices {
        flying: !reader.flag("chat.still"),
        opacity,
        speed,
        size,
        words: reader.list("chat.words").into_iter().take(chat::MAX_WORDS).collect(),
        name: reader.text("chat.name").unwrap_or_default(),
        places: reader.list("chat.places").iter().filter_map(|text| place(text)).collect(),
    };
    choices.checked()
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
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("onair.toml");
        Settings { chat: chat.clone(), ..Settings::default() }.write(&path).unwrap();
        let (read, warnings) = Settings::read(&path);
        assert_eq!((&read.chat, warnings), (&chat, Vec::<String>::new()));
        // Neither the stream's nor the chat's secrets are written.
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
        assert_eq!(warnings.len(), 3, "{warnings:?}");
        assert_eq!(read.chat, ChatChoices { name: "a b".into(), ..ChatChoices::default() });
    }
}
