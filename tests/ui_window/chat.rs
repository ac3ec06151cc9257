//! Tests of the chat panel next to the player.

use super::*;
use onair::net::web::WebUrl;
use onair::studio::watch::own_chat::ChatCommand;
use onair::wire::chat::{ChatLine, ChatRefusal};

#[test]
fn chat_messages_are_read_and_answered() {
    let mut harness = open("watch-chat");
    harness.get_by_role_and_label(Role::Label, "guest-7 画面真清晰");
    let send = harness.get_by_role_and_label(Role::Button, "Send");
    assert!(send.accesskit_node().is_disabled(), "there is nothing to send yet");
    harness.get_by_role_and_label(Role::TextInput, "Send a message").focus();
    harness.run();
    harness.get_by_role_and_label(Role::TextInput, "Send a message").type_text("a quartz");
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Send").click();
    let command = Command::Player(WatchCommand::Say("a quartz".into()));
    assert_eq!(commands(&mut harness), [command]);
    click(&mut harness, "Chat display");
    harness.get_by_role_and_label(Role::CheckBox, "Danmaku over the video").click();
    let choices = ChatChoices { flying: false, ..ChatChoices::default() };
    assert_eq!(commands(&mut harness), [Command::Player(WatchCommand::SetChat(choices))]);
}

#[test]
fn a_refused_message_is_explained_in_the_language_of_the_window() {
    let mut harness = open("watch-chat");
    for (reason, wait, expected) in [
        ("slow", Some(5), "Slow mode: wait 5 s."),
        ("muted", None, "The streamer has muted you in this chat."),
        ("another", None, "Your message was not sent. Wait a moment, then try again."),
    ] {
        harness.state().demo.change(|snapshot| {
            let mut message = snapshot.chat.lines[0].clone();
            message.line = ChatLine::new("", "Not passed on.").unwrap().into();
            message.refusal = Some(ChatRefusal { reason: reason.to_owned(), wait, number: None });
            snapshot.chat.lines = vec![message].into();
        });
        harness.run();
        assert!(shown(&harness).iter().any(|it| it == expected), "{reason}");
    }
}

#[test]
fn each_refused_message_returns_to_its_field_once() {
    let mut harness = open("watch-chat");
    let field = |harness: &Harness<'static, Window>| {
        let field = harness.get_by_role_and_label(Role::TextInput, "Send a message");
        field.accesskit_node().value().unwrap_or_default()
    };
    let texts = [(1, std::sync::Arc::<str>::from("slowly")), (2, "too much".into())];
    for count in 1..=texts.len() {
        let returned = texts.iter().take(count).cloned().collect();
        harness.state().demo.change(|snapshot| snapshot.chat.returned = returned);
        harness.run();
        harness.run();
        assert_eq!(field(&harness), "slowly", "a text that the user writes stays");
    }
    for (text, next) in [("slowly", "too much"), ("too much", "")] {
        harness.get_by_role_and_label(Role::Button, "Send").click();
        assert_eq!(commands(&mut harness), [Command::Player(WatchCommand::Say(text.into()))]);
        harness.run();
        harness.run();
        assert_eq!(field(&harness), next);
    }
}

#[test]
fn a_message_to_the_own_stream_is_from_the_streamer() {
    let mut harness = open("watch-chat");
    let own = Demo::new("shared").snapshot().server;
    let (name, text) = ("Streamer".to_owned(), "welcome".to_owned());
    let as_viewer = Command::Player(WatchCommand::Say(text.clone()));
    let as_streamer = Command::Chat(ChatCommand::Say { name, text });
    // The user may have chosen another chat for the own stream.
    for (chat, expected) in [
        ("ws://192.168.1.20:8088/live/onair/chat", as_streamer),
        ("wss://chat.example/live/show/chat", as_viewer),
    ] {
        harness.state().demo.change(|snapshot| {
            snapshot.watch_figures.url = own.play_url.clone();
            snapshot.server = own.clone();
            snapshot.chat.address = WebUrl::parse(chat).ok();
        });
        harness.run();
        harness.get_by_role_and_label(Role::TextInput, "Send a message").focus();
        harness.run();
        harness.get_by_role_and_label(Role::TextInput, "Send a message").type_text("welcome");
        harness.run();
        harness.get_by_role_and_label(Role::Button, "Send").click();
        assert_eq!(commands(&mut harness), [expected], "{chat}");
        harness.run();
    }
}

#[test]
fn the_chat_of_a_stream_that_opens_is_not_called_absent() {
    let mut harness = open("watch-chat");
    harness.state().demo.change(|snapshot| {
        (snapshot.chat.state, snapshot.chat.lines) = (None, Vec::new().into());
        snapshot.watch = WatchState::Opening { stage: None };
    });
    harness.run();
    let says = |harness: &Harness<'static, Window>, text: &str| {
        shown(harness).iter().any(|it| it.starts_with(text))
    };
    let (absent, unsought) = ("onair found no chat", "onair does not look for a chat");
    assert!(!says(&harness, absent) && !says(&harness, unsought));
    harness.state().demo.change(|snapshot| snapshot.watch = WatchState::Playing);
    harness.run();
    assert!(!says(&harness, absent) && says(&harness, unsought), "the player did not look for it");
    let chat = WebUrl::parse("ws://192.168.1.20:8088/live/show/chat").ok();
    harness.state().demo.change(|snapshot| snapshot.chat.address = chat);
    harness.run();
    assert!(says(&harness, absent) && !says(&harness, unsought));
}

#[test]
fn a_small_window_shows_messages_rather_than_the_graph() {
    let small = Vec2::new(960.0, 600.0);
    let harness = open_as("watch-chat", small, preferences(Language::English, Theme::Dark));
    harness.get_by_role_and_label(Role::Label, "guest-7 画面真清晰");
    assert_eq!(harness.query_all_by_label("Buffer, last minute").count(), 0);
    let harness = open("watch-chat");
    assert_ne!(harness.query_all_by_label("Buffer, last minute").count(), 0);
}

#[test]
fn how_lines_fly_which_are_kept_out_and_ones_name_are_set() {
    let mut harness = open("watch-chat");
    // Keeps the choices, as the studio does.
    let sent = |harness: &mut Harness<'static, Window>| {
        let sent = commands(harness);
        let Some(Command::Player(WatchCommand::SetChat(choices))) = sent.last().cloned() else {
            panic!("{sent:?}");
        };
        harness.state().demo.change(|snapshot| snapshot.chat_choices = choices.clone());
        choices
    };
    click(&mut harness, "Chat display");
    let mut wanted = ChatChoices::default();
    for (name, value) in [("Opacity", 0.5), ("Speed", 1.5), ("Size", 32.0)] {
        harness.get_by_role_and_label(Role::Slider, name).set_value_accesskit(value.into());
        let place = match name {
            "Opacity" => &mut wanted.opacity,
            "Speed" => &mut wanted.speed,
            _ => &mut wanted.size,
        };
        *place = value;
        assert_eq!(sent(&mut harness), wanted, "{name}");
    }
    for (name, typed) in
        [("Hide messages with these words", "spoiler， 画面,"), ("Your name", "Ada")]
    {
        harness.get_by_role_and_label(Role::TextInput, name).focus();
        harness.run();
        harness.get_by_role_and_label(Role::TextInput, name).type_text(typed);
        if name == "Your name" {
            wanted.name = typed.to_owned();
        } else {
            wanted.words = vec!["spoiler".to_owned(), "画面".to_owned()];
        }
        assert_eq!(sent(&mut harness), wanted, "{name}");
    }
    // The words are still there when the menu opens again.
    harness.key_press(Key::Escape);
    harness.run();
    click(&mut harness, "Chat display");
    let words = harness.get_by_role_and_label(Role::TextInput, "Hide messages with these words");
    assert_eq!(words.accesskit_node().value().as_deref(), Some("spoiler, 画面"));
}

#[test]
fn the_chat_is_found_where_a_person_says() {
    let mut harness = open("watch-chat");
    let name = "Chat address";
    click(&mut harness, "Chat display");
    let type_text = |harness: &mut Harness<'static, Window>, text: &str| {
        harness.get_by_role_and_label(Role::TextInput, name).focus();
        harness.run();
        harness.get_by_role_and_label(Role::TextInput, name).type_text(text);
        harness.run();
        harness.key_press(Key::Enter);
        commands(harness)
    };
    assert_eq!(type_text(&mut harness, "http://"), []);
    assert!(shown(&harness).iter().any(|it| it.starts_with("the chat address is invalid")));
    for _ in 0..7 {
        harness.get_by_role_and_label(Role::TextInput, name).focus();
        harness.run();
        harness.key_press(Key::Backspace);
        harness.run();
    }
    let address = "wss://chat.example/live/show/chat";
    let wanted = Command::Player(WatchCommand::SetChatAddress(address.into()));
    assert_eq!(type_text(&mut harness, address), [wanted]);
}
