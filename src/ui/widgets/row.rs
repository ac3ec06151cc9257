//! Selectable rows of a list, the keyboard focus in lists, and chips.

use egui::{
    Align, Align2, Color32, CornerRadius, Event, EventFilter, FocusDirection, Id, Key, Memory,
    Modifiers, Popup, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use crate::ui::input::hotkeys::accept_letters;
use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{CONTROL_RADIUS, Theme, Type, gap, size};
use crate::ui::widgets::{elided, focus_ring, place};

/// The number of passes in which the keyboard focus moves on from a removed row. A menu with which the
/// user removed the row may have had the focus meanwhile.
const MAX_FOCUS_PASSES: u64 = 4;

/// A row that the user can select.
#[derive(Debug)]
pub struct Row<'a> {
    pub icon: Icon,
    pub title: &'a str,
    /// The optional text below the title.
    pub second: &'a str,
    pub chosen: bool,
    /// The color of the lamp at the end of the row.
    pub lamp: Option<Color32>,
}

impl Row<'_> {
    pub fn show(self, ui: &mut Ui, theme: &Theme) -> Response {
        let (rect, response) = ui
            .allocate_exact_size(vec2(ui.available_width(), size::LIST_ROW_HEIGHT), Sense::click());
        response.widget_info(|| {
            WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), self.chosen, self.title)
        });
        if !self.second.is_empty() {
            ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(self.second));
        }
        let fill = if self.chosen {
            theme.selected()
        } else if response.hovered() {
            theme.raised
        } else {
            Color32::TRANSPARENT
        };
        ui.painter().rect_filled(rect, CornerRadius::same(CONTROL_RADIUS), fill);
        let at = pos2(rect.left() + 18.0, rect.center().y);
        let color = if self.chosen { theme.text } else { theme.secondary };
        let icon = icons::paint_at(ui.painter(), self.icon, at, 18.0, color);
        let mut words = rect.with_min_x(icon.right() + 10.0).with_max_x(rect.right() - 10.0);
        if let Some(lamp) = self.lamp {
            ui.painter().circle_filled(pos2(rect.right() - 14.0, rect.center().y), 4.0, lamp);
            words.max.x -= 16.0;
        }
        if self.second.is_empty() {
            elided(ui, words, Align::Min, self.title, Type::Body.font(), theme.text);
        } else {
            let (upper, lower) = words.shrink2(vec2(0.0, 4.0)).split_top_bottom_at_fraction(0.54);
            elided(ui, upper, Align::Min, self.title, Type::Body.font(), theme.text);
            elided(ui, lower, Align::Min, self.second, Type::Small.font(), theme.secondary);
        }
        focus_ring(ui, theme, &response, CONTROL_RADIUS);
        accept_letters(&response);
        response
    }
}

/// Returns the index of the row to which an arrow key moves from this row, if the row has the
/// keyboard focus. In a list that uses this, only one row is a stop of the Tab key.
pub fn row_by_arrow(ui: &Ui, id: Id, index: usize, last: usize) -> Option<usize> {
    if !ui.memory(|memory| memory.has_focus(id)) {
        return None;
    }
    // The arrow keys move in the menu of the row while it is open.
    let vertical_arrows = !Popup::is_any_open(ui.ctx());
    let filter = EventFilter { vertical_arrows, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
    let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    if !vertical_arrows {
        None
    } else if pressed(Key::ArrowDown) {
        Some((index + 1).min(last))
    } else if pressed(Key::ArrowUp) {
        Some(index.saturating_sub(1))
    } else {
        None
    }
}

/// Moves the keyboard focus up or down among the controls of a list with this number of columns, if
/// an arrow key was pressed, or to an end with Home or End. Call this after the controls are drawn.
/// egui alone would also find the rows of a list beside it that are scrolled out of view. Beyond the
/// ends of the list, egui finds the next control.
pub fn focus_by_arrow(ui: &Ui, controls: &[Id], columns: usize) {
    let focused = ui.memory(Memory::focused);
    let index = focused.and_then(|id| controls.iter().position(|it| *it == id));
    let Some(index) = index.filter(|_| !Popup::is_any_open(ui.ctx())) else { return };
    let is_pressed = |key| ui.input(|input| input.modifiers.is_none() && input.key_pressed(key));
    let next = if is_pressed(Key::ArrowDown) {
        index.checked_add(columns)
    } else if is_pressed(Key::ArrowUp) {
        index.checked_sub(columns)
    } else if is_pressed(Key::Home) {
        Some(0)
    } else if is_pressed(Key::End) {
        controls.len().checked_sub(1)
    } else {
        None
    };
    if let Some(id) = next.and_then(|next| controls.get(next)) {
        ui.memory_mut(|memory| {
            memory.request_focus(*id);
            memory.move_focus(FocusDirection::None);
        });
    }
}

/// Keeps the keyboard focus in a list when the row with the focus is removed. The next row gets the
/// focus, or else the previous one, or else a button beside the list. Rows are known by their numbers.
#[derive(Debug, Default)]
pub struct RowFocus {
    /// The rows of the last frame.
    rows: Vec<u64>,
    /// The row that had the focus last, its control, and the pass.
    seen: Option<(u64, Id, u64)>,
    heir: Option<FocusHeir>,
}

/// The row or button that gets the keyboard focus of a removed row.
#[derive(Copy, Clone, Debug)]
struct FocusHeir {
    /// The row; `None` for the button.
    row: Option<u64>,
    /// The control of the removed row.
    gone: Id,
    /// The pass in which the row was gone.
    pass: u64,
}

impl RowFocus {
    /// Begins a frame in which the list has these rows. Call this before the rows are drawn.
    pub fn begin(&mut self, ui: &Ui, rows: Vec<u64>) {
        let pass = ui.ctx().cumulative_pass_nr();
        let is_recent = |at: u64| pass <= at + MAX_FOCUS_PASSES;
        self.heir = self.heir.filter(|heir| is_recent(heir.pass));
        if let Some((row, gone, at)) = self.seen
            && !rows.contains(&row)
        {
            self.seen = None;
            let next = self.neighbor(row, &rows);
            // Another list has other rows.
            if is_recent(at) && (next.is_some() || rows.is_empty()) {
                self.heir = Some(FocusHeir { row: next, gone, pass });
                ui.ctx().request_repaint();
            }
        }
        self.rows = rows;
    }

    /// Returns the row after a removed one that is still there, or else the one before it.
    fn neighbor(&self, row: u64, rows: &[u64]) -> Option<u64> {
        let at = self.rows.iter().position(|it| *it == row)?;
        let (before, after) = self.rows.split_at(at);
        let mut others = after.iter().chain(before.iter().rev());
        others.find(|it| rows.contains(it)).copied()
    }

    /// Follows a row, which gets the focus if it is the heir. Call this after the row was drawn.
    pub fn row(&mut self, row: u64, response: &Response) {
        self.give(Some(row), response);
        self.note(row, response);
    }

    /// Follows another control that belongs to a row.
    pub fn note(&mut self, row: u64, control: &Response) {
        let was_here = self.seen.is_some_and(|(it, id, _)| (it, id) == (row, control.id));
        if control.has_focus() || (was_here && Popup::is_any_open(&control.ctx)) {
            self.seen = Some((row, control.id, control.ctx.cumulative_pass_nr()));
        }
    }

    /// Follows the button that gets the focus when no row is left.
    pub fn button(&mut self, response: &Response) {
        self.give(None, response);
    }

    fn give(&mut self, row: Option<u64>, response: &Response) {
        let focused = response.ctx.memory(Memory::focused);
        let is_heir = |heir: &FocusHeir| {
            heir.row == row && focused.is_none_or(|focused| focused == heir.gone)
        };
        if self.heir.as_ref().is_some_and(is_heir) {
            self.heir = None;
            response.request_focus();
        }
    }
}

/// Returns true if this key was pressed. A held key counts once, because another row may have the
/// keyboard focus when it repeats.
pub fn pressed_once(ui: &Ui, wanted: Key) -> bool {
    let mut pressed = false;
    ui.input_mut(|input| {
        input.events.retain(|event| match event {
            Event::Key { key, pressed: true, repeat, modifiers, .. }
                if *key == wanted && modifiers.matches_logically(Modifiers::NONE) =>
            {
                pressed |= !repeat;
                false
            }
            _ => true,
        });
    });
    pressed
}

/// A chip that displays whether one component is ready.
#[derive(Debug)]
pub struct Tag<'a> {
    pub text: &'a str,
    pub good: bool,
}

impl Tag<'_> {
    pub fn show(self, ui: &mut Ui, theme: &Theme) -> Response {
        let color = if self.good { theme.good } else { theme.warn };
        let galley = ui.painter().layout_no_wrap(self.text.to_owned(), Type::Small.font(), color);
        let width = galley.size().x + 12.0 + gap::XS + 16.0;
        let (rect, response) = ui.allocate_exact_size(vec2(width, 22.0), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, self.text));
        let (radius, stroke) =
            (CornerRadius::same(11), Stroke::new(1.0, color.gamma_multiply(0.5)));
        ui.painter().rect_stroke(rect, radius, stroke, StrokeKind::Inside);
        let icon = if self.good { Icon::Check } else { Icon::Warning };
        let at = pos2(rect.left() + 14.0, rect.center().y);
        let icon = icons::paint_at(ui.painter(), icon, at, 11.0, color);
        let at = pos2(icon.right() + gap::XS, rect.center().y);
        place(ui, at, Align2::LEFT_CENTER, self.text, Type::Small, color);
        response
    }
}

#[cfg(test)]
mod tests {
    use egui::{Context, RawInput, Rect};

    use super::*;

    #[test]
    fn arrow_keys_do_not_leave_a_list_for_a_row_that_is_out_of_view() {
        let (ctx, ids) = (Context::default(), [0_u8, 1, 2].map(Id::unique));
        let pass = |key: Option<Key>| {
            let (physical_key, repeat, modifiers) = (None, false, Modifiers::NONE);
            let press = |key| Event::Key { key, physical_key, pressed: true, repeat, modifiers };
            let input =
                RawInput { events: key.map(press).into_iter().collect(), ..RawInput::default() };
            let mut output = ctx.run_ui(input, |ui| {
                let place = |y: f32| Rect::from_min_size(pos2(0.0, y), vec2(100.0, 20.0));
                // Two rows of another list, which are nearer than the next row.
                ui.interact(place(12.0), Id::unique("hidden"), Sense::click());
                ui.interact(place(52.0), Id::unique("hidden too"), Sense::click());
                for (row, id) in ids.iter().enumerate() {
                    ui.interact(place(row as f32 * 40.0), *id, Sense::click());
                }
                focus_by_arrow(ui, &ids, 1);
            });
            output.textures_delta.clear();
            ctx.memory(Memory::focused)
        };
        pass(None);
        ctx.memory_mut(|memory| memory.request_focus(ids[0]));
        pass(None);
        let down = [(Key::ArrowDown, 1), (Key::ArrowDown, 2)];
        let other = [(Key::ArrowUp, 1), (Key::End, 2), (Key::Home, 0)];
        for (key, index) in down.into_iter().chain(other) {
            assert_eq!(pass(Some(key)), Some(ids[index]), "{key:?}");
        }
    }
}
