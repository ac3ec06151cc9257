//! The style of the buttons below the player.

use egui::{Color32, Ui};

use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap, size};
use crate::ui::widgets::{Button, ButtonWeight};

/// Returns the width that a label adds to an icon.
pub(super) fn added_width(ui: &Ui, words: &str) -> f32 {
    let font = Type::FigureStrong.font();
    let text = ui.painter().layout_no_wrap(words.to_owned(), font, Color32::PLACEHOLDER);
    (16.0 + gap::S + text.size().x + 2.0 * gap::M - size::CONTROL_HEIGHT).ceil()
}

/// Creates a button of the bar. Its text is `words`, which is empty if there is no room for a text,
/// and its accessible name is `name`.
pub(super) fn control<'a>(icon: Icon, words: &'a str, name: &'a str) -> Button<'a> {
    let button = Button::new(words).icon(icon).weight(ButtonWeight::Quiet).name(name);
    let button = button.height(size::CONTROL_HEIGHT).kind(Type::FigureStrong);
    if words.is_empty() { button.width(size::CONTROL_HEIGHT) } else { button }
}
