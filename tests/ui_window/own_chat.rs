//! Tests of the chat of the streamer's own stream: reading, writing and moderating.

use super::*;
use onair::server::ChatRules;
use onair::studio::watch::own_chat::ChatCommand;
use onair::wire::chat::blocked_words::BlockedWords;
use onair::wire::chat::{ChatPost, ChatRole};

fn panel(state: &str) -> Harness<'static, Window> {
    let mut harness = open(state);
    harness.get_by_role_and_label(Role::Tab, "Chat").click();
    harness.run();
    harness.run();
    harness
}

fn message(harness: &Harness<'static, Window>, text: &str) -> egui::Rect {
    harness.get_by_label(text).rect()
}

#[test]
fn a_message_is_deleted_and_its_sender_muted_from_its_menu() {
    let mut harness = panel("shared");
    let spam = "eve buy followers at example.com";
    harness.get_by_label(spam).click_secondary();
    harness.run();
    harness.run();
    harness.get_by_label("Delete message").click();
    assert_eq!(commands(&mut harness), [Command::Chat(ChatCommand::Delete(4))]);
    // By the menu key of the keyboard.
    harness.get_by_label(spam).focus();
    harness.run();
    harness.key_press(Key::Menu);
    harness.run();
    harness.run();
    harness.get_by_label("Mute eve").click();
    assert_eq!(commands(&mut harness), [Command::Chat(ChatCommand::Mute(9))]);
    // Nobody mutes the streamer or a moderator.
    let moderated = "Moderator eve buy followers at example.com";
    harness.state().demo.change(|snapshot| {
        let chat = snapshot.server.chat.as_mut().unwrap();
        let moderator = |post: &ChatPost| match post.line.name.as_str() {
            "eve" => ChatPost { role: ChatRole::Moderator, ..post.clone() },
            _ => post.clone(),
        };
        chat.posts = chat.posts.iter().map(moderator).collect();
    });
    harness.run();
    harness.get_by_label(moderated).click_secondary();
    harness.run();
    harness.run();
    harness.get_by_label("Delete message");
    assert!(harness.query_by_label("Mute eve").is_none());
    harness.key_press(Key::Escape);
    harness.run();
    let own = "Streamer A 16 MHz quartz, from the drawer of old parts";
    assert!(message(&harness, own).top() < message(&harness, moderated).top());
    harness.get_by_label(own).click_secondary();
    harness.run();
    harness.run();
    harness.get_by_label("Delete message");
    assert!(harness.query_by_label("Mute Streamer").is_none());
}

#[test]
fn a_message_is_sent_under_the_name_of_the_streamer() {
    let mut harness = panel("shared");
    let field = |harness: &mut Harness<'static, Window>| {
        harness.get_by_role_and_label(Role::TextInput, "Send a message").focus();
        harness.run();
        harness.get_by_role_and_label(Role::TextInput, "Send a message").type_text("welcome");
        harness.run();
        harness.key_press(Key::Enter);
    };
    field(&mut harness);
    let chat_message = |name: &str| {
        Command::Chat(ChatCommand::Say { name: name.to_owned(), text: "welcome".to_owned() })
    };
    assert_eq!(commands(&mut harness), [chat_message("Streamer")]);
    harness.state().demo.change(|snapshot| snapshot.chat_choices.name = "Ada".to_owned());
    harness.run();
    field(&mut harness);
    assert_eq!(commands(&mut harness), [chat_message("Ada")]);
}

#[test]
fn rules_are_set_and_people_let_in_again() {
    let mut harness = panel("shared");
    click(&mut harness, "Moderation");
    harness.run();
    let sent = click(&mut harness, "Slow mode: 10\u{a0}s");
    let rules = |slow, words: &[&str]| {
        let slow = Duration::from_secs(slow);
        Command::Chat(ChatCommand::SetRules(ChatRules { slow, words: BlockedWords::new(words) }))
    };
    assert_eq!(sent, [rules(10, &[])]);
    let field = (Role::TextInput, "Blocked words");
    harness.get_by_role_and_label(field.0, field.1).focus();
    harness.run();
    harness.get_by_role_and_label(field.0, field.1).type_text("spoiler， 画面,");
    harness.run();
    assert_eq!(commands(&mut harness), [], "half a word would block too much");
    harness.key_press(Key::Enter);
    assert_eq!(commands(&mut harness), [rules(0, &["spoiler", "画面"])]);
    assert_eq!(click(&mut harness, "Unmute mallory"), [Command::Chat(ChatCommand::Unmute(4))]);
}

#[test]
fn blocked_words_with_a_comma_stay_as_they_are_while_nobody_edits_them() {
    let mut harness = panel("shared");
    let words = BlockedWords::new(["no, thanks"]);
    harness.state().demo.change(|snapshot| snapshot.server.chat_rules.words = words.clone());
    click(&mut harness, "Moderation");
    harness.run();
    harness.get_by_role_and_label(Role::TextInput, "Blocked words").focus();
    harness.run();
    for _ in 0..2 {
        harness.key_press(Key::Escape);
        harness.run();
        harness.run();
    }
    assert!(harness.query_by_label("Blocked words").is_none(), "the popup is closed");
    assert_eq!(commands(&mut harness), []);
}

#[test]
fn the_chat_of_another_stream_has_a_tab_beside_the_own_one() {
    let mut harness = panel("idle");
    harness.get_by_label("No chat yet");
    let own = Demo::new("shared").snapshot().server.chat;
    let other = Demo::new("watch-chat").snapshot().chat;
    harness.state().demo.change(|snapshot| {
        snapshot.server.chat = own.clone();
        snapshot.chat = other.clone();
        snapshot.watch_figures.url = "rtmp://other.example/live/hall".to_owned();
    });
    harness.run();
    harness.get_by_label("小明 画面真清晰");
    harness.get_by_role_and_label(Role::Tab, "hall · other.example").click();
    harness.run();
    harness.run();
    harness.get_by_label("guest-7 画面真清晰");
}

#[test]
fn the_messages_are_one_stop_of_tab_and_the_arrow_keys_move_among_them() {
    let mut harness = panel("shared");
    let focused = |harness: &Harness<'static, Window>| {
        let node = harness.root().children_recursive().find(|node| node.is_focused()).unwrap();
        let node = node.accesskit_node();
        node.label().or_else(|| node.value()).unwrap_or_default()
    };
    let press = |harness: &mut Harness<'static, Window>, modifiers, key| {
        harness.key_press_modifiers(modifiers, key);
        harness.run();
        harness.run();
        focused(harness)
    };
    let [first, newest] = ["guest-5 which crystal is that?", "eve buy followers at example.com"];
    harness.get_by_label("Moderation").focus();
    harness.run();
    assert_eq!(press(&mut harness, Modifiers::NONE, Key::Tab), newest);
    assert_eq!(press(&mut harness, Modifiers::NONE, Key::ArrowDown), newest);
    for _ in 0..2 {
        press(&mut harness, Modifiers::NONE, Key::ArrowUp);
    }
    assert_eq!(press(&mut harness, Modifiers::NONE, Key::ArrowUp), first);
    // The message keeps the focus when another one arrives, and Tab leaves the list.
    harness.state().demo.change(|snapshot| {
        let chat = snapshot.server.chat.as_mut().unwrap();
        let post = ChatPost { id: 99, ..chat.posts[0].clone() };
        chat.posts = chat.posts.iter().cloned().chain([post]).collect();
    });
    harness.run();
    assert_eq!(press(&mut harness, Modifiers::NONE, Key::Tab), "Send a message");
    assert_eq!(press(&mut harness, Modifiers::SHIFT, Key::Tab), first);
    assert_eq!(press(&mut harness, Modifiers::SHIFT, Key::Tab), "Moderation");
}

#[test]
fn when_the_message_with_the_focus_is_removed_its_neighbor_gets_the_focus() {
    let mut harness = panel("shared");
    let [before, spam] = [
        "Streamer A 16 MHz quartz, from the drawer of old parts",
        "eve buy followers at example.com",
    ];
    harness.get_by_label(spam).focus();
    harness.run();
    let remove = |harness: &mut Harness<'static, Window>, all: bool| {
        harness.state().demo.change(|snapshot| {
            let chat = snapshot.server.chat.as_mut().unwrap();
            let kept = chat.posts.iter().filter(|post| !all && post.id != 4);
            chat.posts = kept.cloned().collect();
        });
        harness.run();
        harness.run();
    };
    remove(&mut harness, false);
    assert!(harness.query_by_label(spam).is_none());
    let node = harness.root().children_recursive().find(|node| node.is_focused()).unwrap();
    assert_eq!(node.rect(), message(&harness, before));
    // Without messages, the button above the list gets the focus.
    remove(&mut harness, true);
    assert!(harness.get_by_label("Moderation").is_focused());
}
