//! The style of the buttons below the player.

use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, size};
use crate::ui::widgets::{Button, ButtonWeight};

/// Creates a button of the bar. Its text is `words`, if there is room for it, and its accessible
/// name is `name`.
pub(super) fn control<'a>(icon: Icon, words: &'a str, name: &'a str) -> Button<'a> {
    let button = Button::new(words).icon(icon).look(ButtonWeight::Quiet).name(name);
    let button = button.height(size::CONTROL).kind(Type::FigureStrong);
    if words.is_empty() { button.width(size::CONTROL) } else { button }
}
