//! The rules of the built-in server's chats: slow mode, blocked words, and the muted people.

use std::time::Duration;

use egui::{Align, Id, Layout, ScrollArea, Ui, vec2};

use crate::server::ChatRules;
use crate::studio::Command;
use crate::studio::watch::own_chat::ChatCommand;
use crate::ui::studio_page::chat::draft::Draft;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, size};
use crate::ui::view::View;
use crate::ui::widgets::{
    Button, ButtonWeight, Field, icon_button, label, paragraph, popup, scroll, section,
};
use crate::wire::chat::blocked_words::{BlockedWords, MAX_BLOCKED_WORD_CHARS, MAX_BLOCKED_WORDS};

const POPUP_WIDTH_POINTS: f32 = 280.0;
/// The intervals of slow mode to choose from, in seconds.
const SLOW_MODE_CHOICES_SECONDS: [u64; 5] = [0, 5, 10, 30, 120];
/// The maximum height of the list of muted people.
const MAX_MUTED_HEIGHT_POINTS: f32 = 120.0;

/// Draws the button that opens the rules.
pub(super) fn button(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let theme = view.theme;
    let name = view.texts.get("chat-moderation");
    let button = icon_button(ui, theme, Icon::Settings, &name, size::SMALL_CONTROL_HEIGHT);
    let is_open = popup(&button, theme, POPUP_WIDTH_POINTS, |ui| {
        slow_mode(ui, view);
        words(ui, view, draft);
        muted(ui, view);
    });
    draft.rows.button(&button);
    if !is_open {
        // The text in the field also applies when the popup is closed while the user edits it.
        put_words(view, draft.words.take());
    }
}

fn set(view: &mut View<'_>, rules: ChatRules) {
    if rules != view.snapshot.server.chat_rules {
        view.send(Command::Chat(ChatCommand::SetRules(rules)));
    }
}

fn slow_mode(ui: &mut Ui, view: &mut View<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    let rules = view.snapshot.server.chat_rules.clone();
    let title = texts.get("chat-slow");
    section(ui, theme, &title);
    paragraph(ui, &texts.get("chat-slow-note"), Type::Small, theme.secondary);
    ui.horizontal_wrapped(|ui| {
        for seconds in SLOW_MODE_CHOICES_SECONDS {
            let text = match seconds {
                0 => texts.get("chat-slow-off").to_string(),
                1..60 => format!("{seconds}\u{a0}s"),
                _ => format!("{}\u{a0}min", seconds / 60),
            };
            let name = format!("{title}: {text}");
            let chosen = rules.slow.as_secs() == seconds;
            let button = Button::new(&text).name(&name).small().selected(chosen);
            let weight = if chosen { ButtonWeight::Primary } else { ButtonWeight::Plain };
            if button.weight(weight).show(ui, theme).clicked() {
                let slow = Duration::from_secs(seconds);
                set(view, ChatRules { slow, ..rules.clone() });
            }
        }
    });
}

fn words(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("chat-blocked");
    section(ui, theme, &name);
    paragraph(ui, &texts.get("chat-blocked-note"), Type::Small, theme.secondary);
    let now = || view.snapshot.server.chat_rules.words.words().join(", ");
    let mut typed = draft.words.clone().unwrap_or_else(now);
    let width = ui.available_width();
    let field = Field {
        name: &name,
        hint: &texts.get("chat-words-hint"),
        limit: MAX_BLOCKED_WORDS * (MAX_BLOCKED_WORD_CHARS + 2),
        width,
        ..Field::new(Id::unique("chat-blocked"), &mut typed)
    }
    .show(ui, theme);
    // A word with a comma stays one word as long as nobody edits the field.
    if field.response.changed() {
        draft.words = Some(typed);
    }
    // Half a word would block too much, so nothing applies while the user types.
    if field.response.lost_focus() {
        put_words(view, draft.words.take());
    }
}

/// Blocks the typed words, which are separated by commas.
fn put_words(view: &mut View<'_>, typed: Option<String>) {
    let Some(typed) = typed else { return };
    let words = BlockedWords::new(typed.split([',', '，', '、']));
    set(view, ChatRules { words, ..view.snapshot.server.chat_rules.clone() });
}

fn muted(ui: &mut Ui, view: &mut View<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    section(ui, theme, &texts.get("chat-muted"));
    let muted = view.snapshot.server.chat.iter().flat_map(|chat| chat.muted.iter());
    let muted: Vec<_> = muted.cloned().collect();
    if muted.is_empty() {
        paragraph(ui, &texts.get("chat-muted-none"), Type::Small, theme.secondary);
        return;
    }
    let area = ScrollArea::vertical().max_height(MAX_MUTED_HEIGHT_POINTS);
    scroll(area, "chat-muted", ui, |ui| {
        for person in &muted {
            let room = vec2(ui.available_width(), size::SMALL_CONTROL_HEIGHT);
            ui.allocate_ui_with_layout(room, Layout::right_to_left(Align::Center), |ui| {
                let text = texts.get("chat-unmute");
                let name = [("name", person.name.as_str().into())];
                let name = texts.with("chat-unmute-name", &name);
                if Button::new(&text).name(&name).small().show(ui, theme).clicked() {
                    view.send(Command::Chat(ChatCommand::Unmute(person.id)));
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    label(ui, &person.name, Type::Body, theme.text);
                });
            });
        }
    });
}
