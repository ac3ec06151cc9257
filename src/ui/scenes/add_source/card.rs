//! A card of the grid: an icon above a name.

use egui::{
    Align, CornerRadius, Rect, Response, Role, Sense, StrokeKind, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{CARD_RADIUS, Theme, Type};
use crate::ui::widgets::{Wrapped, focus_ring};

/// Size of a card.
pub const CARD_SIZE: Vec2 = vec2(126.0, 76.0);

/// Draws the card.
pub fn card(ui: &mut Ui, theme: &Theme, icon: Icon, name: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(CARD_SIZE, Sense::click());
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, name));
    let fill = if response.hovered() { theme.hover } else { theme.raised };
    let radius = CornerRadius::same(CARD_RADIUS);
    ui.painter().rect(rect, radius, fill, theme.border(), StrokeKind::Inside);
    let at = pos2(rect.center().x, rect.top() + 24.0);
    icons::paint(ui.painter(), icon, Rect::from_center_size(at, Vec2::splat(24.0)), theme.text);
    // A longer name uses a second line.
    let room = Rect::from_min_max(
        pos2(rect.left() + 6.0, rect.top() + 40.0),
        pos2(rect.right() - 6.0, rect.bottom() - 4.0),
    );
    let (width, height) = (room.width(), room.height());
    let words = Wrapped::new(ui, name, Type::Small, theme.text, width, height, Align::Center);
    words.paint(ui, pos2(room.left(), room.center().y - words.height() / 2.0));
    focus_ring(ui, theme, &response, CARD_RADIUS);
    response
}
