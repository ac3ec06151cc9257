//! The keyboard on one page.

use egui::{Align, CornerRadius, Layout, ScrollArea, Sense, StrokeKind, Ui, vec2};

use crate::studio::live::view::LiveState;
use crate::ui::dialogs::card::{DialogAnswer, heading, modal};
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::input::actions::Action;
use crate::ui::input::hotkeys::shortcut_text;
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::watch::keys::KEYS;
use crate::ui::widgets::{Button, label, section};

pub fn show(ctx: &egui::Context, view: &View<'_>) -> Option<DialogAnswer> {
    modal(ctx, view.theme, "help", 440.0, |ui| {
        let close = heading(ui, view, &view.texts.get("help"));
        let again = view.texts.get("action-set-up");
        let possible = view.snapshot.live == LiveState::Idle;
        if Button::new(&again).small().enabled(possible).show(ui, view.theme).clicked() {
            return Some(DialogAnswer::Act(Action::SetUp));
        }
        section(ui, view.theme, &view.texts.get("help-shortcuts"));
        ScrollArea::vertical().max_height(440.0).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = gap::XS;
            for action in Action::ALL {
                if let Some(keys) = shortcut_text(ui.ctx(), *action) {
                    line(ui, view, &view.texts.get(action.key()), &keys);
                }
            }
            section(ui, view.theme, &view.texts.get("help-watch"));
            for (_, name, keys, _) in KEYS {
                line(ui, view, &view.texts.get(name), keys);
            }
            line(ui, view, &view.texts.get("key-tile"), "1 – 8");
            section(ui, view.theme, &view.texts.get("help-everywhere"));
            line(ui, view, &view.texts.get("help-tab"), "Tab");
            line(ui, view, &view.texts.get("help-space"), "Space");
            line(ui, view, &view.texts.get("help-escape"), "Esc");
        });
        ui.add_space(gap::S);
        let change = Button::new(&view.texts.get("help-change")).small().show(ui, view.theme);
        if change.clicked() {
            return Some(DialogAnswer::Setting(Setting::Hotkeys));
        }
        close.then_some(DialogAnswer::Close)
    })
}

fn line(ui: &mut Ui, view: &View<'_>, what: &str, keys: &str) {
    ui.allocate_ui_with_layout(
        vec2(ui.available_width(), 26.0),
        Layout::left_to_right(Align::Center),
        |ui| {
            label(ui, what, Type::Body, view.theme.text);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let font = Type::SmallStrong.font();
                let galley = ui.painter().layout_no_wrap(keys.to_owned(), font, view.theme.text);
                let (rect, _) =
                    ui.allocate_exact_size(galley.size() + vec2(14.0, 8.0), Sense::hover());
                ui.painter().rect(
                    rect,
                    CornerRadius::same(4),
                    view.theme.raised,
                    view.theme.border(),
                    StrokeKind::Inside,
                );
                ui.painter().galley(rect.center() - galley.size() / 2.0, galley, view.theme.text);
            });
        },
    );
}
