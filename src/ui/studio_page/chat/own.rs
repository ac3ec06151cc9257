//! The chat of onair's own stream: messages with a menu that deletes them and mutes their senders,
//! and a field for new messages.

use egui::text::LayoutJob;
use egui::{Align, Id, Key, Label, Layout, Response, ScrollArea, Sense, Ui, vec2};

use crate::studio::Command;
use crate::studio::watch::own_chat::ChatCommand;
use crate::ui::scenes::menu;
use crate::ui::studio_page::chat::draft::Draft;
use crate::ui::studio_page::chat::rules;
use crate::ui::style::theme::{CONTROL_RADIUS, Type, gap, size};
use crate::ui::view::View;
use crate::ui::watch::chat::{add_message, append, append_role, say_as_streamer};
use crate::ui::widgets::{
    Button, ButtonWeight, Field, focus_ring, label, menu_item, paragraph, row_by_arrow, section,
};
use crate::wire::chat::{ChatPost, ChatRole, MAX_TEXT_CHARS};

/// The width of the button that sends.
const SEND_BUTTON_WIDTH_POINTS: f32 = 64.0;
/// The minimum height of the list, in points. In less space, the list is omitted.
const MIN_LIST_HEIGHT: f32 = 60.0;

/// Draws the chat in the available space.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let (theme, texts) = (view.theme, view.texts);
    let room = vec2(ui.available_width(), size::SMALL_CONTROL_HEIGHT);
    // The button is drawn first, because a heading takes all the available width.
    ui.allocate_ui_with_layout(room, Layout::right_to_left(Align::Center), |ui| {
        rules::button(ui, view, draft);
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            section(ui, theme, &texts.get("chat-own"));
        });
    });
    let height = ui.available_height() - size::CONTROL_HEIGHT - gap::S;
    if height >= MIN_LIST_HEIGHT {
        ui.allocate_ui(vec2(ui.available_width(), height), |ui| {
            ui.set_min_height(height);
            posts(ui, view, draft);
        });
    }
    field(ui, view, draft);
}

/// Draws the messages, the newest at the bottom.
fn posts(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let (theme, texts) = (view.theme, view.texts);
    let Some(chat) = &view.snapshot.server.chat else { return };
    draft.rows.begin(ui, chat.posts.iter().map(|post| post.id).collect());
    if chat.posts.is_empty() {
        label(ui, &texts.get("chat-empty"), Type::Body, theme.text);
        paragraph(ui, &texts.get("chat-own-advice"), Type::Small, theme.secondary);
        return;
    }
    // The list is one stop of the Tab key.
    let selected = chat.posts.iter().position(|post| Some(post.id) == draft.selected);
    let last = chat.posts.len() - 1;
    let tab_stop = selected.unwrap_or(last);
    let (mut ids, mut next) = (Vec::new(), None);
    ScrollArea::vertical()
        .id_salt("own-chat")
        .auto_shrink([false, false])
        .stick_to_bottom(true)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = gap::XS;
            for (index, post) in chat.posts.iter().enumerate() {
                let is_own = post.from == chat.own_id;
                let sense = if index == tab_stop { Sense::click() } else { Sense::CLICK };
                // A message keeps its menu while other messages arrive or disappear.
                let shown = ui.push_id(post.id, |ui| draw(ui, view, post, is_own, sense)).inner;
                draft.rows.row(post.id, &shown);
                if shown.has_focus() || shown.secondary_clicked() {
                    draft.selected = Some(post.id);
                }
                next = next.or(row_by_arrow(ui, shown.id, index, last));
                ids.push(shown.id);
            }
        });
    // The message can get the focus because it is selected when it is drawn next.
    let next = next.and_then(|index| Some((chat.posts.get(index)?, ids.get(index)?)));
    if let Some((post, id)) = next {
        draft.selected = Some(post.id);
        ui.memory_mut(|memory| memory.request_focus(*id));
    }
}

fn draw(ui: &mut Ui, view: &mut View<'_>, post: &ChatPost, is_own: bool, sense: Sense) -> Response {
    let theme = view.theme;
    let mut job = LayoutJob::default();
    job.wrap.max_width = ui.available_width();
    let of_name = if is_own { theme.accent } else { theme.secondary };
    let name = append_role(&mut job, view, post.role, &post.line.name);
    if !name.is_empty() {
        append(&mut job, &format!("{name} "), of_name);
    }
    append(&mut job, &post.line.text, theme.text);
    let message = Label::new(job).selectable(false).sense(sense);
    let response = add_message(ui, view, post.role, message);
    focus_ring(ui, theme, &response, CONTROL_RADIUS - 2);
    menu::context(&response, view, |ui, view| {
        let texts = view.texts;
        let mut line = |ui: &mut Ui, text: &str, command: ChatCommand| {
            if menu_item(ui, theme, text, "", false, true) {
                view.send(Command::Chat(command));
                ui.close();
            }
        };
        line(ui, &texts.get("chat-delete"), ChatCommand::Delete(post.id));
        if post.role == ChatRole::Viewer {
            let name = [("name", post.line.name.as_str().into())];
            line(ui, &texts.with("chat-mute", &name), ChatCommand::Mute(post.from));
        }
    });
    response
}

/// Draws the field for a message, and the button that sends it.
fn field(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let (theme, texts) = (view.theme, view.texts);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap::S;
        let (name, send) = (texts.get("chat-say"), texts.get("chat-send"));
        let field = Field {
            name: &name,
            hint: &texts.get("chat-say-hint"),
            limit: MAX_TEXT_CHARS,
            width: ui.available_width() - SEND_BUTTON_WIDTH_POINTS - gap::S,
            ..Field::new(Id::unique("own-chat-say"), &mut draft.message)
        }
        .show(ui, theme);
        let entered =
            field.response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let can = !draft.message.trim().is_empty();
        let pressed = Button::new(&send)
            .weight(ButtonWeight::Primary)
            .width(SEND_BUTTON_WIDTH_POINTS)
            .enabled(can)
            .show(ui, theme)
            .clicked();
        if can && (pressed || entered) {
            say_as_streamer(view, std::mem::take(&mut draft.message));
        }
        if entered {
            field.response.request_focus();
        }
    });
}
