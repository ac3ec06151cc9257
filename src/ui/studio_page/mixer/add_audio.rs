//! *Add audio…*: the list of audio that can be added as another audio source.

use egui::{Color32, Popup, PopupCloseBehavior, Rect, Ui, UiBuilder};

use crate::studio::{Command, MAX_STRIPS};
use crate::ui::studio_page::mixer::labels;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{
    Button, ButtonWeight, menu_frame, menu_item, menu_rule, return_focus, scrolled,
};

/// The width of the list.
const LIST_WIDTH_POINTS: f32 = 260.0;

/// Returns the width of the button with its text.
pub fn width(ui: &Ui, view: &View<'_>) -> f32 {
    let text = view.texts.get("add-audio").to_string();
    let font = Type::FigureStrong.font();
    let words = ui.painter().layout_no_wrap(text, font, Color32::PLACEHOLDER).size().x.ceil();
    words + 16.0 + gap::S + 2.0 * gap::M
}

/// Draws the button that opens the list, with its text if there is enough room.
pub fn button(ui: &mut Ui, view: &mut View<'_>, rect: Rect) {
    if view.snapshot.strips.len() >= MAX_STRIPS {
        return;
    }
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect).id_salt("add-audio"));
    let name = view.texts.get("add-audio");
    let text = if rect.width() > rect.height() { &*name } else { "" };
    let button = Button::new(text).small().weight(ButtonWeight::Quiet).icon(Icon::Plus);
    let button = button.height(rect.height()).width(rect.width()).name(&name);
    let pressed = button.show(&mut child, view.theme).on_hover_text(&*name);
    let frame = menu_frame(ui.ctx(), view.theme);
    return_focus(&pressed);
    let menu = Popup::menu(&pressed).close_behavior(PopupCloseBehavior::CloseOnClick);
    menu.width(LIST_WIDTH_POINTS).frame(frame).show(|ui| {
        ui.set_width(LIST_WIDTH_POINTS - 10.0);
        list(ui, view);
    });
}

/// Draws the list of possible audio sources.
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
        view.request(WindowRequest::PickStripFile(None));
    }
}
