//! Rows for a list of filters, each with its switch, its name and the buttons that move it, the
//! effects of the buttons on the list, and the fields for the numbers of a filter. The mixer and the
//! sources use these rows.

use std::ops::RangeInclusive;

use egui::{Align, DragValue, Id, Layout, Pos2, Rect, Sense, Ui, UiBuilder, vec2};

use crate::ui::input::actions::key;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Theme, gap};
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, NumberFault, number_field, row_in, switch};

/// The side length of the small buttons.
const BUTTON_SIDE_POINTS: f32 = 26.0;
/// The height of a field for a number.
const FIELD_HEIGHT_POINTS: f32 = 26.0;

/// The control that was pressed in a row.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// The name, which selects the filter.
    Name,
    Up,
    Down,
    Remove,
}

/// Draws the row at `index` of `count`. `chosen` means that the filter is selected.
pub fn row(
    ui: &mut Ui,
    view: &View<'_>,
    (index, count): (usize, usize),
    name: &str,
    enabled: &mut bool,
    chosen: bool,
) -> Option<Pressed> {
    let (theme, texts) = (view.theme, view.texts);
    let mut pressed = None;
    let room = vec2(ui.available_width(), 30.0);
    ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| {
        ui.push_id(index, |ui| {
            if switch(ui, theme, name, *enabled) {
                *enabled = !*enabled;
            }
        });
        let width = ui.available_width() - 3.0 * (BUTTON_SIDE_POINTS + gap::S);
        let button = Button::new(name).leading().selected(chosen).width(width).small();
        if button.show(ui, theme).clicked() {
            pressed = Some(Pressed::Name);
        }
        for (icon, key, one, is_possible) in [
            (Icon::ChevronUp, key!("filter-up"), Pressed::Up, index > 0),
            (Icon::ChevronDown, key!("filter-down"), Pressed::Down, index + 1 < count),
            (Icon::Close, key!("filter-remove"), Pressed::Remove, true),
        ] {
            let name = texts.with(key, &[("name", name.into())]);
            let button = Button::new("").icon(icon).weight(ButtonWeight::Quiet).name(&name);
            let button = button.width(BUTTON_SIDE_POINTS).height(BUTTON_SIDE_POINTS);
            let button = button.enabled(is_possible).show(ui, theme);
            if button.on_hover_text(name.as_str()).clicked() {
                pressed = Some(one);
            }
        }
    });
    pressed
}

/// Draws what is below the filters. It keeps the keyboard focus when the number of filters changes.
pub fn below(ui: &mut Ui, draw: impl FnOnce(&mut Ui)) {
    let scope = Id::unique(("below-filters", ui.scope_id()));
    ui.scope_builder(UiBuilder::new().scope_id(scope), draw);
}

/// Scrolls to a filter that the user has added, or that the keyboard enters. `top` is its upper left
/// corner. Call this after the filter and its settings are drawn.
pub fn scroll_to_filter(ui: &Ui, top: Pos2) {
    let rect = Rect::from_min_max(top, ui.min_rect().max);
    // Of settings that are higher than the visible part, the beginning is visible.
    let align = (rect.height() > ui.clip_rect().height()).then_some(Align::Min);
    ui.scroll_to_rect(rect, align);
}

/// The change of a number by an arrow key, or by a drag over one point. The change is never less than
/// the last displayed decimal.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum NumberStep {
    /// A share of the range.
    Linear,
    /// One unit.
    Whole,
    /// A share of the value, for a number with a logarithmic slider.
    Logarithmic,
    /// The last displayed decimal.
    Smallest,
}

/// The display of a number: the factor of the displayed number, its decimals, its unit and its step.
#[derive(Copy, Clone, Debug)]
pub struct NumberDisplay {
    pub factor: f64,
    pub decimals: u8,
    pub unit: &'static str,
    pub step: NumberStep,
}

/// Draws a field for a number of a filter. Returns the reason if its text is not its value.
pub fn number(
    ui: &mut Ui,
    theme: &Theme,
    value: &mut f32,
    range: &RangeInclusive<f32>,
    display: NumberDisplay,
    name: &str,
    width: f32,
) -> Option<NumberFault> {
    let NumberDisplay { factor, decimals, unit, step } = display;
    let before = f64::from(*value) * factor;
    // In `f32`, a limit such as 0.1 is not exact.
    let limit = |end: f32| (f64::from(end) * factor * 100.0).round() / 100.0;
    let (least, most) = (limit(*range.start()), limit(*range.end()));
    let scale = 10_f64.powi(i32::from(decimals));
    let rounded = |number: f64| (number * scale).round();
    // Without a change of the value, the typed text stays in the field. A value that was only rounded
    // for display stays as it is, too.
    let drag = DragValue::from_get_set(|typed| {
        let now = f64::from(*value) * factor;
        match typed.map(rounded) {
            Some(typed) if (typed - rounded(now)).abs() > 0.5 => {
                *value = (typed / scale / factor) as f32;
                f64::from(*value) * factor
            }
            _ => now,
        }
    });
    let speed = match step {
        NumberStep::Linear => (most - least) / 200.0,
        NumberStep::Whole => 1.0,
        NumberStep::Logarithmic => before.abs() * 0.01,
        NumberStep::Smallest => 0.0,
    };
    let drag = drag.max_decimals(usize::from(decimals)).speed(speed.max(scale.recip()));
    // A wide text does not move the other controls.
    let size = vec2(width, FIELD_HEIGHT_POINTS);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let mut field = row_in(ui, rect, ("number", name), 0.0);
    // A value out of range stays as it is until the user changes it.
    let range = least.min(before)..=most.max(before);
    number_field(&mut field, theme, drag, range, (name, unit), size).1
}

/// Moves or removes the entry at `index`. `selected` is the index of the selected entry. A moved
/// entry becomes the selected one. After a removal, the entry before it becomes the selected one,
/// or else the first entry.
pub fn change<T>(slots: &mut Vec<T>, selected: &mut usize, index: usize, pressed: Pressed) {
    match pressed {
        Pressed::Remove if index < slots.len() => {
            slots.remove(index);
            *selected = index.saturating_sub(1);
        }
        Pressed::Up if index > 0 && index < slots.len() => {
            slots.swap(index, index - 1);
            *selected = index - 1;
        }
        Pressed::Down if index + 1 < slots.len() => {
            slots.swap(index, index + 1);
            *selected = index + 1;
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_stays_looked_at_and_the_ends_hold() {
        for (index, pressed, expected, place) in [
            (1, Pressed::Up, "bac", 0),
            (0, Pressed::Up, "abc", 9),
            (1, Pressed::Down, "acb", 2),
            (2, Pressed::Down, "abc", 9),
            (0, Pressed::Remove, "bc", 0),
            (2, Pressed::Remove, "ab", 1),
            (1, Pressed::Name, "abc", 9),
            (7, Pressed::Remove, "abc", 9),
        ] {
            let (mut slots, mut selected) = (vec!['a', 'b', 'c'], 9);
            change(&mut slots, &mut selected, index, pressed);
            assert_eq!(
                (slots.into_iter().collect::<String>().as_str(), selected),
                (expected, place)
            );
        }
    }
}
