//! The guide's page of all hotkeys.

use egui::{Align, CornerRadius, Layout, Role, Sense, StrokeKind, Ui, WidgetInfo, vec2};

use crate::ui::dialogs::card::DialogAnswer;
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::input::actions::Action;
use crate::ui::input::hotkeys::{Keymap, shortcut_text, text_of};
use crate::ui::input::named::AnyCommand;
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::watch::keys::keys_of;
use crate::ui::widgets::{Button, label, section};

/// Draws all current hotkeys, and a link to the page where they can be changed.
pub fn list(ui: &mut Ui, view: &View<'_>) -> Option<DialogAnswer> {
    let change = Button::new(&view.texts.get("help-change")).small().show(ui, view.theme);
    ui.add_space(gap::S);
    ui.spacing_mut().item_spacing.y = gap::XS;
    section(ui, view.theme, &view.texts.get("help-shortcuts"));
    let others = Action::ALL.iter().filter(|action| !action.is_about_players());
    for action in others {
        if let Some(keys) = shortcut_text(ui.ctx(), *action) {
            line(ui, view, &view.texts.get(action.key()), &keys);
        }
    }
    let keymap = Keymap::installed(ui.ctx());
    for (command, hotkey) in keymap.all() {
        if let AnyCommand::Named(command) = command {
            line(ui, view, &command.title(view.texts), &text_of(hotkey));
        }
    }
    section(ui, view.theme, &view.texts.get("help-watch"));
    for action in Action::ALL.iter().filter(|action| action.is_about_players()) {
        let keys = keys_of(ui.ctx(), *action);
        if !keys.is_empty() {
            line(ui, view, &view.texts.get(action.key()), &keys);
        }
    }
    line(ui, view, &view.texts.get("key-move"), "Alt + ← → ↑ ↓");
    line(ui, view, &view.texts.get("key-leave"), "Esc");
    line(ui, view, &view.texts.get("key-tile"), "1 – 8");
    section(ui, view.theme, &view.texts.get("help-everywhere"));
    line(ui, view, &view.texts.get("help-tab"), "Tab");
    line(ui, view, &view.texts.get("help-space"), "Space");
    line(ui, view, &view.texts.get("help-escape"), "Esc");
    change.clicked().then_some(DialogAnswer::Setting(Setting::Hotkeys))
}

fn line(ui: &mut Ui, view: &View<'_>, what: &str, keys: &str) {
    ui.allocate_ui_with_layout(
        vec2(ui.available_width().min(560.0), 26.0),
        Layout::left_to_right(Align::Center),
        |ui| {
            label(ui, what, Type::Body, view.theme.text);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let font = Type::SmallStrong.font();
                let galley = ui.painter().layout_no_wrap(keys.to_owned(), font, view.theme.text);
                let (rect, response) =
                    ui.allocate_exact_size(galley.size() + vec2(14.0, 8.0), Sense::hover());
                response.widget_info(|| WidgetInfo::labeled(Role::Label, true, keys));
                let (radius, border) = (CornerRadius::same(4), view.theme.border());
                ui.painter().rect(rect, radius, view.theme.raised, border, StrokeKind::Inside);
                ui.painter().galley(rect.center() - galley.size() / 2.0, galley, view.theme.text);
            });
        },
    );
}
