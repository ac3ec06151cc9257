//! The chats of streaming services in one list, and the field that adds another one.

use egui::text::LayoutJob;
use egui::{Id, Key, Label, ScrollArea, Ui};

use crate::player::chat::ChatState;
use crate::studio::WatchCommand;
use crate::studio::event::service_chat::ServiceLine;
use crate::studio::watch::chat::MAX_SERVICE_CHATS;
use crate::ui::input::actions::key;
use crate::ui::studio_page::chat::draft::Draft;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap, size};
use crate::ui::view::View;
use crate::ui::watch;
use crate::ui::watch::chat::{add_message, append, append_role};
use crate::ui::widgets::{Button, ButtonWeight, Field, icon_button, label, paragraph};
use crate::wire::chat::service::ServiceAddress;

/// The width of the button that adds.
const ADD_BUTTON_WIDTH: f32 = 64.0;
/// The longest address in the field, in characters.
const MAX_ADDRESS_CHARS: usize = 200;
/// The minimum height of the list, in points. In less space, the list is omitted.
const MIN_LIST_HEIGHT: f32 = 60.0;

/// Draws the chats in the available space.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    ui.spacing_mut().item_spacing.y = gap::XS;
    joined(ui, view);
    let below = size::CONTROL_HEIGHT + gap::S + if draft.is_bad_address { 36.0 } else { 0.0 };
    let height = ui.available_height() - below;
    if height >= MIN_LIST_HEIGHT {
        ui.allocate_ui(egui::vec2(ui.available_width(), height), |ui| {
            ui.set_min_height(height);
            lines(ui, view);
        });
    }
    field(ui, view, draft);
}

/// Draws each chat with its state and a button that leaves it.
fn joined(ui: &mut Ui, view: &mut View<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    let states = view.snapshot.service_chats.states.clone();
    let mut left = None;
    for (address, state) in states.iter() {
        ui.horizontal(|ui| {
            let leave = texts.with(key!("chat-service-leave"), &[("chat", title(address).into())]);
            if icon_button(ui, theme, Icon::Close, &leave, size::SMALL_CONTROL_HEIGHT).clicked() {
                left = Some(address);
            }
            label(ui, &title(address), Type::BodyStrong, theme.text);
            let (words, color) = match (state, state.cause()) {
                (ChatState::Connecting, _) => {
                    (texts.get("chat-connecting").to_string(), theme.secondary)
                }
                (_, Some(cause)) => (texts.say(cause), theme.warn),
                (_, None) => (String::new(), theme.secondary),
            };
            ui.add(
                Label::new(egui::RichText::new(words).font(Type::Small.font()).color(color))
                    .truncate(),
            );
        });
    }
    if let Some(left) = left {
        let mut choices = view.snapshot.chat_choices.clone();
        choices.services.retain(|it| *it != **left);
        watch::send(view, WatchCommand::SetChat(choices));
    }
}

/// Returns the name of a chat, such as `Twitch · someone`.
fn title(address: &ServiceAddress) -> String {
    format!("{} · {}", address.service.title(), address.channel)
}

/// Draws the messages, the newest at the bottom.
fn lines(ui: &mut Ui, view: &View<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    let chats = &view.snapshot.service_chats;
    if chats.states.is_empty() {
        label(ui, &texts.get("chat-services-none"), Type::Body, theme.text);
        paragraph(ui, &texts.get("chat-services-advice"), Type::Small, theme.secondary);
        return;
    }
    let several = chats.states.len() > 1;
    ScrollArea::vertical()
        .id_salt("service-chats")
        .auto_shrink([false, false])
        .stick_to_bottom(true)
        .show(ui, |ui| {
            for line in chats.lines.iter() {
                ui.push_id(line.number, |ui| draw(ui, view, line, several));
            }
        });
}

fn draw(ui: &mut Ui, view: &View<'_>, line: &ServiceLine, several: bool) {
    let theme = view.theme;
    let ServiceLine { address, post, .. } = line;
    let mut job = LayoutJob::default();
    job.wrap.max_width = ui.available_width();
    let name = append_role(&mut job, view, post.role, &post.line.name);
    if several {
        append(&mut job, &format!("{} ", address.channel), theme.disabled());
    }
    if !name.is_empty() {
        append(&mut job, &format!("{name} "), theme.secondary);
    }
    append(&mut job, &post.line.text, theme.text);
    add_message(ui, view, post.role, Label::new(job).selectable(true));
}

/// Draws the field for a chat, and the button that joins it.
fn field(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let (theme, texts) = (view.theme, view.texts);
    let choices = &view.snapshot.chat_choices;
    let is_full = choices.services.len() >= MAX_SERVICE_CHATS;
    let mut wanted = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap::S;
        let (name, add) = (texts.get("chat-service-address"), texts.get("chat-service-join"));
        let field = Field {
            name: &name,
            hint: "twitch:name",
            limit: MAX_ADDRESS_CHARS,
            width: ui.available_width() - ADD_BUTTON_WIDTH - gap::S,
            ..Field::new(Id::unique("service-chat-address"), &mut draft.address)
        }
        .show(ui, theme);
        if field.response.changed() {
            draft.is_bad_address = false;
        }
        let entered =
            field.response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let pressed = Button::new(&add)
            .weight(ButtonWeight::Primary)
            .width(ADD_BUTTON_WIDTH)
            .enabled(!is_full && !draft.address.trim().is_empty())
            .show(ui, theme)
            .clicked();
        if !is_full && (pressed || entered) {
            wanted = Some(draft.address.trim().to_owned());
        }
    });
    if draft.is_bad_address {
        paragraph(ui, &texts.get("chat-service-bad"), Type::Small, theme.warn);
    }
    let Some(text) = wanted else { return };
    // A name alone is that of a channel of Twitch.
    let with_service = match text.contains([':', '/']) {
        true => text,
        false => format!("twitch:{text}"),
    };
    match with_service.parse::<ServiceAddress>() {
        Ok(address) => {
            let mut choices = choices.clone();
            choices.services.push(address);
            draft.address.clear();
            draft.is_bad_address = false;
            watch::send(view, WatchCommand::SetChat(choices.checked()));
        }
        Err(_) => draft.is_bad_address = true,
    }
}
