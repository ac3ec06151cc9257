//! The chat panel of the studio: the chat of the watched stream, or an explanation of how to get
//! one.

use egui::Ui;

use crate::ui::input::actions::Action;
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::watch;
use crate::ui::widgets::{Button, label, paragraph};

/// Draws the chat in the available space; returns the action that the user selected.
pub fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut watch::Draft) -> Option<Action> {
    if view.snapshot.chat.state.is_some() || !view.snapshot.chat.lines.is_empty() {
        watch::chat::show(ui, view, draft, false);
        return None;
    }
    let (theme, texts) = (view.theme, view.texts);
    ui.spacing_mut().item_spacing.y = gap::S;
    label(ui, &texts.get("chat-studio-none"), Type::BodyStrong, theme.text);
    paragraph(ui, &texts.get("chat-studio-advice"), Type::Body, theme.secondary);
    let (text, action) = if Action::WatchOwn.is_possible(view.snapshot, view.health) {
        (texts.get("action-watch-own"), Action::WatchOwn)
    } else {
        (texts.get("chat-studio-open"), Action::Watch)
    };
    Button::new(&text).small().show(ui, theme).clicked().then_some(action)
}
