//! The field for the successor of the built-in server.

use egui::{Id, Ui};

use crate::studio::Command;
use crate::studio::settings::check_successor;
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::{Field, label, paragraph};

/// Draws the field with its name and explanation.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Option<String>) {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("successor");
    label(ui, &name, Type::Body, theme.text);
    paragraph(ui, &texts.get("successor-note"), Type::Small, theme.secondary);
    field(ui, view, draft);
}

/// Draws only the field, with the text being entered.
pub(super) fn field(ui: &mut Ui, view: &mut View<'_>, draft: &mut Option<String>) {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("successor");
    let text = draft.get_or_insert_with(|| view.snapshot.server.successor.clone());
    let checked = check_successor(text);
    let field = Field {
        name: &name,
        hint: &texts.get("successor-hint"),
        wrong: checked.is_err(),
        limit: 2_048,
        // This leaves space for the scroll bar.
        width: ui.available_width() - gap::M,
        ..Field::new(Id::unique("successor"), text)
    }
    .show(ui, theme);
    match check_successor(text) {
        Ok(url) if field.response.changed() => view.send(Command::SetSuccessor(url)),
        Ok(_) => {}
        Err(why) => {
            paragraph(ui, &texts.say(&why), Type::Small, theme.warn);
        }
    }
    ui.add_space(gap::M);
}
