//! Rows for a list of filters, each with its switch, its name and the buttons that move it, and the
//! effects of the buttons on the list. The mixer and the sources use these rows.

use egui::{Align, Layout, Ui, vec2};

use crate::ui::input::actions::key;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::gap;
use crate::ui::view::View;
use crate::ui::widgets::{Button, icon_button, switch};

/// The side length of the small buttons.
const BUTTON_SIDE_POINTS: f32 = 26.0;

/// The control that was pressed in a row.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// The name, which selects the filter.
    Name,
    Up,
    Down,
    Remove,
}

/// Draws a row. `chosen` means that the filter is selected.
pub fn row(
    ui: &mut Ui,
    view: &View<'_>,
    index: usize,
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
        for (icon, key, one) in [
            (Icon::ChevronUp, key!("filter-up"), Pressed::Up),
            (Icon::ChevronDown, key!("filter-down"), Pressed::Down),
            (Icon::Close, key!("filter-remove"), Pressed::Remove),
        ] {
            let name = texts.with(key, &[("name", name.into())]);
            if icon_button(ui, theme, icon, &name, BUTTON_SIDE_POINTS).clicked() {
                pressed = Some(one);
            }
        }
    });
    pressed
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
