//! The menu above the scenes: the collection in use, and a link to all collections.

use egui::Ui;

use crate::studio::Command;
use crate::studio::command::PartCommand;
use crate::studio::settings::part::PartKind;
use crate::ui::input::actions::Action;
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{command_item, menu_item, menu_rule};

/// Draws the contents of the menu.
pub fn menu(ui: &mut Ui, view: &mut View<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    let parts = &view.snapshot.parts;
    let kind = PartKind::Collection;
    for name in parts.names(kind) {
        let in_use = parts.in_use.name(kind) == name;
        if menu_item(ui, theme, name, "", in_use, true) {
            if !in_use {
                view.send(Command::Part(PartCommand::Use(kind, name.clone())));
            }
            ui.close();
        }
    }
    menu_rule(ui, theme);
    let manage = Action::CollectionsAndProfiles;
    if command_item(ui, theme, manage, &texts.get(manage.key()), "", false, None) {
        view.request(WindowRequest::ShowParts);
        ui.close();
    }
}
