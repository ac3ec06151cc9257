//! The server at which guests across the internet meet the studio: its address and key, and the state of the connection.

use egui::{Id, Ui};

use crate::base::Secret;
use crate::server::{MeetingPlace, MeetingState};
use crate::studio::Command;
use crate::studio::command::GuestCommand;
use crate::ui::input::actions::key;
use crate::ui::studio_page::share::links::Draft;
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::{Button, Field, label, paragraph};

/// Maximum length of an address or a key.
const MAX_TEXT_CHARS: usize = 512;

/// Draws the connection, or the fields for another one.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let (theme, texts) = (view.theme, view.texts);
    if let Some((host, state)) = view.snapshot.server.meeting.clone() {
        let (key, color) = match state {
            MeetingState::Connecting => (key!("meeting-connecting"), theme.secondary),
            MeetingState::Connected => (key!("meeting-connected"), theme.good),
            MeetingState::Lost(_) => (key!("meeting-again"), theme.warn),
        };
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = gap::S;
            label(ui, &host, Type::Small, theme.text);
            label(ui, &texts.get(key), Type::Small, color);
        });
        if let MeetingState::Lost(reason) = &state {
            paragraph(ui, &texts.say(reason), Type::Small, theme.warn);
        }
        if Button::new(&texts.get("meeting-off")).small().show(ui, theme).clicked() {
            view.send(Command::Guest(GuestCommand::Meet(String::new(), Secret::default())));
        }
        return;
    }
    paragraph(ui, &texts.get("meeting-advice"), Type::Small, theme.secondary);
    let width = ui.available_width();
    let is_wrong =
        !draft.meeting_url.is_empty() && MeetingPlace::check(&draft.meeting_url).is_err();
    Field {
        name: &texts.get("meeting-address"),
        hint: "https://live.example.com",
        wrong: is_wrong,
        limit: MAX_TEXT_CHARS,
        width,
        ..Field::new(Id::unique("meeting address"), &mut draft.meeting_url)
    }
    .show(ui, theme);
    let name = texts.get("meeting-key");
    Field {
        name: &name,
        hint: &name,
        hidden: true,
        limit: MAX_TEXT_CHARS,
        width,
        ..Field::new(Id::unique("meeting key"), &mut draft.meeting_key)
    }
    .show(ui, theme);
    let is_complete = !is_wrong && !draft.meeting_url.is_empty() && !draft.meeting_key.is_empty();
    let connect = texts.get("meeting-connect");
    let connect = Button::new(&connect).small().enabled(is_complete);
    if connect.show(ui, theme).clicked() {
        let key = Secret::new(std::mem::take(&mut draft.meeting_key));
        view.send(Command::Guest(GuestCommand::Meet(draft.meeting_url.trim().to_owned(), key)));
    }
}
