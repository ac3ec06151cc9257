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
mod scene_mark;
mod select;
mod slider;
mod sparkline;
mod switch;
mod tab_bar;

pub use button::{Button, ButtonWeight, icon_button};
pub use context_menu::{MENU_WIDTH, context_menu, context_menu_among, menu_frame, menu_lines};
pub use field::{Field, FieldOutcome, TextBox, number_field};
pub use figure::{colored_figure, figure, figures};
pub use label::{Wrapped, elided, label, named, paragraph, place, section};
pub use meter::{Level, Levels, meter, upright_meter};
pub use row::{Row, Tag};
pub use scene_mark::SceneMark;
pub use select::{Select, menu_item, menu_rule, scrolled};
pub use slider::slider;
pub use sparkline::{SPARKLINE, sparkline};
pub use switch::{named_switch, switch};
pub use tab_bar::{TAB_BAR, tab_bar, tab_info};

use egui::{CornerRadius, Id, Rect, Response, Stroke, StrokeKind, Ui, UiKind};

use crate::ui::style::theme::{FOCUS, Theme};

/// The space around a control that its ring needs, in points.
const RING: f32 = FOCUS + 2.0;

/// Draws the ring around the control with the keyboard focus, and scrolls the control into view when
/// it gets the focus.
pub fn focus_ring(ui: &Ui, theme: &Theme, response: &Response, radius: u8) {
    if response.has_focus() {
        // The ring of a control at the edge of a scroll area is not cut off.
        let painter = ui.painter().with_clip_rect(ui.clip_rect().expand(RING));
        painter.rect_stroke(
            response.rect.expand(1.0),
            CornerRadius::same(radius.saturating_add(1)),
            Stroke::new(FOCUS, theme.accent),
            StrokeKind::Outside,
        );
        focus_in_view(ui, response.id, response.rect);
    }
}

/// Scrolls to `rect` if the control with this id has just got the keyboard focus, however it got
/// it. Call this in every frame in which the control has the focus.
pub fn focus_in_view(ui: &Ui, id: Id, rect: Rect) {
    let ctx = ui.ctx();
    let (key, pass) = (Id::unique("focus-in-view"), ctx.cumulative_pass_nr());
    let before = ctx.data_mut(|data| {
        data.get_temp_mut_or_default::<Option<(Id, u64)>>(key).replace((id, pass))
    });
    // `gained_focus` is false if the focus moved by an arrow key or after the control was drawn.
    let is_new = before.is_none_or(|(known, at)| known != id || at + 1 < pass);
    // A control must not move away under a pressed pointer.
    if is_new && is_scrolled(ui) && !ctx.input(|input| input.pointer.any_down()) {
        ui.scroll_to_rect(rect.expand(RING), None);
    }
}

/// Returns true if a scroll area of the same window or menu contains these controls. A menu must not
/// scroll the area of the field that opened it.
fn is_scrolled(ui: &Ui) -> bool {
    let mut kinds = ui.stack().iter().filter_map(|it| it.kind());
    let nearest = kinds.find(|kind| *kind == UiKind::ScrollArea || kind.is_area());
    nearest == Some(UiKind::ScrollArea)
}
