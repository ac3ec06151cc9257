//! Rows of the mixer dialog: a name and its control, which may be a choice of a few values, or a slider
//! with a field.

use std::ops::RangeInclusive;

use egui::{Ui, Vec2, vec2};

use crate::ui::style::theme::gap;
use crate::ui::view::View;
use crate::ui::widgets::filter_list::{NumberDisplay, NumberStep};
use crate::ui::widgets::{Button, filter_list, log_slider, named, number_fault, slider};

/// Size of the names before the controls, in points.
const NAME_SIZE_POINTS: Vec2 = vec2(110.0, 30.0);
/// Width of the field after a slider, in points.
const FIELD_WIDTH_POINTS: f32 = 96.0;

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

/// Draws a slider that returns to `rest`, with a field beside it. `title` is the text before them, and
/// `name` their accessible name.
pub fn slider_line(
    ui: &mut Ui,
    view: &mut View<'_>,
    (title, name): (&str, &str),
    value: &mut f32,
    (range, rest): (&RangeInclusive<f32>, f32),
    display: NumberDisplay,
) {
    let mut fault = None;
    line(ui, view, title, |ui, view| {
        let (theme, field_width) = (view.theme, FIELD_WIDTH_POINTS);
        let width = ui.available_width() - field_width - gap::S;
        if display.step == NumberStep::Logarithmic {
            log_slider(ui, theme, value, range.clone(), rest, name, width);
        } else {
            slider(ui, theme, value, range.clone(), rest, name, width);
        }
        fault = filter_list::number(ui, theme, value, range, display, name, field_width);
    });
    number_fault(ui, view, fault, display.unit);
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
