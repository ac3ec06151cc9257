//! The controls of the window, in one style: buttons, selects, fields, rows, chips, figures, the
//! meter and the sparkline. Each control has an accessible name, and displays the keyboard focus.

mod button;
mod context_menu;
mod field;
mod figure;
pub mod filter_list;
mod label;
mod meter;
mod row;
mod select;
mod slider;
mod sparkline;
mod switch;
mod tab_bar;

pub use button::{Button, ButtonWeight, icon_button};
pub use context_menu::{MENU_WIDTH, context_menu, context_menu_among, menu_frame, menu_lines};
pub use field::{Field, FieldOutcome, TextBox};
pub use figure::{colored_figure, figure, figures};
pub use label::{Wrapped, elided, label, named, paragraph, place, section};
pub use meter::{Level, Levels, meter, upright_meter};
pub use row::{Row, Tag};
pub use select::{Select, menu_item, menu_rule, scrolled};
pub use slider::slider;
pub use sparkline::{SPARKLINE, sparkline};
pub use switch::{named_switch, switch};
pub use tab_bar::{TAB_BAR, tab_bar, tab_info};

use egui::{CornerRadius, Response, Stroke, StrokeKind, Ui};

use crate::ui::style::theme::{FOCUS, Theme};

/// Draws the ring around the control with the keyboard focus.
pub fn focus_ring(ui: &Ui, theme: &Theme, response: &Response, radius: u8) {
    if response.has_focus() {
        ui.painter().rect_stroke(
            response.rect.expand(1.0),
            CornerRadius::same(radius.saturating_add(1)),
            Stroke::new(FOCUS, theme.accent),
            StrokeKind::Outside,
        );
    }
}
