//! Rows of the mixer dialog: a name and its control, which may be a choice of a few values.

use egui::{Ui, Vec2, vec2};

use crate::ui::style::theme::gap;
use crate::ui::view::View;
use crate::ui::widgets::{Button, named};

/// Size of the names before the controls, in points.
const NAME_SIZE_POINTS: Vec2 = vec2(110.0, 30.0);

/// Draws a name and its control.
pub fn line(
    ui: &mut Ui,
    view: &mut View<'_>,
    name: &str,
    control: impl FnOnce(&mut Ui, &mut View<'_>),
) {
    let theme = view.theme;
    named(ui, theme, NAME_SIZE_POINTS, name, |ui| control(ui, view));
}

/// Draws a few options side by side. Returns the option that was pressed.
pub fn one_of<T: Copy + PartialEq>(
    ui: &mut Ui,
    view: &mut View<'_>,
    name: &str,
    all: &[(&'static str, T)],
    chosen: T,
    tip: Option<&'static str>,
) -> Option<T> {
    let mut pressed = None;
    line(ui, view, name, |ui, view| {
        ui.spacing_mut().item_spacing.x = gap::XS;
        for (key, one) in all {
            let text = view.texts.get(key);
            let is_chosen = *one == chosen;
            let button = Button::new(&text).selected(is_chosen).small();
            let mut response = button.show(ui, view.theme);
            if let Some(tip) = tip {
                response = response.on_hover_text(&*view.texts.get(tip));
            }
            if response.clicked() {
                pressed = Some(*one);
            }
        }
    });
    pressed
}
