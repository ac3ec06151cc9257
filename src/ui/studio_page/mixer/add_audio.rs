//! *Add audio…*: what may become one more audio source, as a list.

use egui::{Frame, Margin, Popup, PopupCloseBehavior, Rect, Ui, UiBuilder};

use crate::studio::{Command, MAX_STRIPS};
use crate::ui::studio_page::mixer::labels;
use crate::ui::style::icons::Icon;
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{ButtonWeight, icon_button, menu_item, menu_rule, scrolled};

/// Width of the list.
const WIDTH: f32 = 260.0;

/// A small button that opens the list.
pub fn button(ui: &mut Ui, view: &mut View<'_>, rect: Rect) {
    if view.snapshot.strips.len() >= MAX_STRIPS {
        return;
    }
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect).id_salt("add-audio"));
    let name = view.texts.get("add-audio");
    let side = rect.width();
    let pressed = icon_button(&mut child, view.theme, Icon::Plus, &name, side, ButtonWeight::Quiet);
    let style = ui.ctx().global_style();
    let frame = Frame::popup(&style).fill(view.theme.panel).inner_margin(Margin::same(4));
    let menu = Popup::menu(&pressed).close_behavior(PopupCloseBehavior::CloseOnClick);
    menu.width(WIDTH).frame(frame).show(|ui| {
        ui.set_width(WIDTH - 10.0);
        list(ui, view);
    });
}

/// What may become an audio source.
pub fn list(ui: &mut Ui, view: &mut View<'_>) {
    let theme = view.theme;
    labels::look_again(ui, view);
    let choices = labels::choices(view, None);
    scrolled(ui, "sounds", |ui| {
        for choice in choices {
            let title = labels::name_of_choice(view, &choice, "");
            if menu_item(ui, theme, &title, "", false, true) {
                view.send(Command::AddStrip(choice));
            }
        }
    });
    menu_rule(ui, theme);
    if menu_item(ui, theme, &view.texts.get("audio-file"), "", false, true) {
        view.wish(WindowRequest::PickStripFile(None));
    }
}
