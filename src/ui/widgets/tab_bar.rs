//! A bar of adjacent tabs, which have the same width if their names allow that.

use egui::{
    Align, CornerRadius, Id, Rect, Response, Role, Sense, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use crate::ui::style::theme::{CONTROL_RADIUS, Theme, Type};
use crate::ui::widgets::{elided, focus_ring};

/// The height of [`tab_bar`].
pub const TAB_BAR_HEIGHT: f32 = 30.0;
/// The gap between the edge of the bar and a tab.
const EDGE_GAP_POINTS: f32 = 2.0;

/// The padding beside the name of a tab.
const TAB_PADDING_POINTS: f32 = 4.0;

/// Sets the information about a tab for screen readers.
pub fn tab_info(response: &Response, name: &str, is_chosen: bool) {
    response.widget_info(|| WidgetInfo::labeled(Role::Tab, true, name));
    response.ctx.accesskit_node_builder(response.id, |node| node.set_selected(is_chosen));
}

/// Returns the id of a tab of a [`tab_bar`] that is drawn in `ui`.
pub fn tab_id(ui: &Ui, index: usize) -> Id {
    ui.scope_id().with(("tab", index))
}

/// Draws tabs with these names, one of which is selected. Returns the index of the pressed tab, if
/// any.
pub fn tab_bar(ui: &mut Ui, theme: &Theme, names: &[&str], chosen: usize) -> Option<usize> {
    let (bar, _) =
        ui.allocate_exact_size(vec2(ui.available_width(), TAB_BAR_HEIGHT), Sense::hover());
    ui.painter().rect_filled(bar, CornerRadius::same(CONTROL_RADIUS + 1), theme.raised);
    let font = Type::FigureStrong.font();
    let natural = names.iter().map(|name| {
        let galley = ui.painter().layout_no_wrap((*name).to_owned(), font.clone(), theme.text);
        galley.size().x + 2.0 * TAB_PADDING_POINTS
    });
    let widths = widths(&natural.collect::<Vec<_>>(), bar.width() - 2.0 * EDGE_GAP_POINTS);
    let (mut pressed, mut left) = (None, bar.left() + EDGE_GAP_POINTS);
    for (index, (name, width)) in names.iter().zip(widths).enumerate() {
        let at = pos2(left, bar.top() + EDGE_GAP_POINTS);
        left += width;
        let rect = Rect::from_min_size(at, vec2(width, TAB_BAR_HEIGHT - 2.0 * EDGE_GAP_POINTS));
        let response = ui.interact(rect, tab_id(ui, index), Sense::click());
        let is_chosen = index == chosen;
        tab_info(&response, name, is_chosen);
        if is_chosen {
            let (radius, line) = (CornerRadius::same(CONTROL_RADIUS - 1), theme.border());
            ui.painter().rect(rect, radius, theme.panel, line, StrokeKind::Inside);
        }
        let lit = is_chosen || response.hovered();
        let color = if lit { theme.text } else { theme.secondary };
        let words = rect.shrink2(vec2(TAB_PADDING_POINTS, 0.0));
        elided(ui, words, Align::Center, name, font.clone(), color);
        focus_ring(ui, theme, &response, CONTROL_RADIUS - 1);
        if response.clicked() {
            pressed = Some(index);
        }
    }
    pressed
}

/// Returns the widths of tabs with these natural widths. All tabs have the same width unless a name
/// would be cut off. In that case, each tab has its natural width and an equal share of the
/// remaining room. If there is not enough room for the natural widths, all tabs have the same
/// width.
fn widths(natural: &[f32], room: f32) -> Vec<f32> {
    let count = natural.len().max(1) as f32;
    let equal = room / count;
    let rest = room - natural.iter().sum::<f32>();
    let fits = natural.iter().all(|width| *width <= equal);
    let width = |natural: &f32| if fits || rest < 0.0 { equal } else { natural + rest / count };
    natural.iter().map(width).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_get_the_room_of_short_ones() {
        assert_eq!(widths(&[30.0, 40.0], 100.0), [50.0, 50.0]);
        assert_eq!(widths(&[70.0, 20.0], 100.0), [75.0, 25.0]);
        assert_eq!(widths(&[90.0, 20.0], 100.0), [50.0, 50.0], "nothing to share");
        assert!(widths(&[], 100.0).is_empty());
    }
}
