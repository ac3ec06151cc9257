//! The page *Network*: the user's own services, and the successor of the built-in server.

use egui::Ui;

use crate::ui::dialogs::DialogAnswer;
use crate::ui::dialogs::card::Needs;
use crate::ui::dialogs::settings::draft::SettingsDraft;
use crate::ui::dialogs::settings::row::{row, wide_row};
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::dialogs::successor;
use crate::ui::input::actions::Action;
use crate::ui::view::View;
use crate::ui::widgets::Button;

pub(super) fn services(
    ui: &mut Ui,
    view: &View<'_>,
    draft: &mut SettingsDraft,
) -> Option<DialogAnswer> {
    let mut pressed = false;
    row(ui, view, draft, Setting::Services, None, |ui, _| {
        let count = view.snapshot.services.own().len();
        let text = view.texts.counted("setting-services-edit", count);
        pressed = Button::new(&text).small().show(ui, view.theme).clicked();
    });
    pressed.then_some(DialogAnswer::Act(Action::Services))
}

pub(super) fn successor(
    ui: &mut Ui,
    view: &mut View<'_>,
    needs: &mut Needs<'_>,
    draft: &mut SettingsDraft,
) {
    wide_row(ui, view, draft, Setting::Successor, None, |ui, view, _| {
        successor::field(ui, view, needs.successor);
    });
}
