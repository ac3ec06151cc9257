//! One row of the left panel: an icon, a name, a lamp, and space for buttons at the end.

use egui::{
    Align, Color32, CornerRadius, Id, Memory, Rect, Response, Role, Sense, Stroke, Ui, Vec2,
    WidgetInfo, pos2, vec2,
};

use crate::ui::input::hotkeys::accept_letters;
use crate::ui::scenes::kind::RowLamp;
use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{CONTROL_RADIUS, Type};
use crate::ui::view::View;
use crate::ui::widgets::{SceneMark, elided, focus_ring};

/// Height of a row, in points.
pub const ROW_HEIGHT_POINTS: f32 = 32.0;
/// The indentation of a member in its group, in points.
const MEMBER_INDENT_POINTS: f32 = 12.0;
/// Maximum number of nested groups whose members are indented.
const MAX_INDENTS: u32 = 4;
/// Width and height of a button of a source, in points.
pub const BUTTON_SIDE_POINTS: f32 = 24.0;
/// Width of the two buttons of a source, in points.
pub const BUTTONS_WIDTH_POINTS: f32 = 50.0;

/// Returns the indentation at this nesting depth, in points.
pub fn indent(depth: u32) -> f32 {
    depth.min(MAX_INDENTS) as f32 * MEMBER_INDENT_POINTS
}

/// Returns the number of nesting levels by which a horizontal drag changes the depth.
pub fn levels(points: f32) -> i64 {
    (points / MEMBER_INDENT_POINTS).round() as i64
}

/// Scrolls to the row of an object that was selected since the last frame. A hotkey or the canvas may
/// have selected it. Call this after the rows of the list are drawn.
pub fn follow_selection(ui: &Ui, list: &str, row: Option<Id>) {
    follow(ui, (list, "selected"), row.map(|row| (row, 0)));
}

/// Scrolls to the row with the keyboard focus if it has another place among `rows` than in the last
/// frame. Keys may have moved it. Call this after the rows are drawn.
pub fn follow_focus(ui: &Ui, list: &str, rows: &[Id]) {
    let focused = ui.memory(Memory::focused);
    let place = rows.iter().position(|row| Some(*row) == focused);
    follow(ui, (list, "focused"), focused.zip(place));
}

/// Scrolls to the row if the row or its place differs from the last frame.
fn follow(ui: &Ui, salt: (&str, &str), row: Option<(Id, usize)>) {
    let key = ui.scope_id().with(salt);
    let before = ui.data_mut(|data| {
        std::mem::replace(data.get_temp_mut_or_default::<Option<(Id, usize)>>(key), row)
    });
    let new = row.filter(|_| row != before);
    if let Some(row) = new.and_then(|(row, _)| ui.ctx().read_response(row)) {
        ui.scroll_to_rect(row.rect, None);
    }
}

/// A row of the panel.
#[derive(Debug)]
pub struct PanelRow<'a> {
    pub icon: Icon,
    pub title: &'a str,
    pub selected: bool,
    pub lamp: RowLamp,
    /// The nesting depth within groups.
    pub depth: u32,
    /// True if the object is not visible.
    pub dimmed: bool,
    /// The tooltip, or an empty text. If the title is cut off, the tooltip begins with it.
    pub tip: &'a str,
    /// The width at the end that belongs to buttons, in points.
    pub buttons: f32,
}

impl PanelRow<'_> {
    /// Draws the row. `salt` distinguishes it from other rows.
    pub fn show(&self, ui: &mut Ui, view: &View<'_>, salt: (&str, u32)) -> Response {
        let response = self.draw(ui, view, ui.scope_id().with(salt));
        let (enabled, selected, title) = (ui.is_enabled(), self.selected, self.title);
        response.widget_info(|| WidgetInfo::selected(Role::RadioButton, enabled, selected, title));
        response
    }

    fn draw(&self, ui: &mut Ui, view: &View<'_>, id: egui::Id) -> Response {
        let theme = view.theme;
        let (whole, _) =
            ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT_POINTS), Sense::hover());
        let rect = whole.with_max_x(whole.right() - self.buttons);
        let response = ui.interact(rect, id, Sense::click_and_drag());
        let (selected, title) = (self.selected, self.title);
        let fill = match (selected, response.hovered() || response.dragged()) {
            (true, _) => theme.selected(),
            (false, true) => theme.raised,
            (false, false) => Color32::TRANSPARENT,
        };
        ui.painter().rect_filled(whole, CornerRadius::same(CONTROL_RADIUS), fill);
        let at = pos2(rect.left() + 16.0 + indent(self.depth), rect.center().y);
        let strong = selected && !self.dimmed;
        let color = if strong { theme.text } else { theme.secondary };
        icons::paint_at(ui.painter(), self.icon, at, 16.0, color);
        let end = rect.right();
        let mut words = rect.with_min_x(at.x + 17.0).with_max_x(end - 6.0);
        if self.lamp != RowLamp::None {
            let inset = if self.buttons > 0.0 { 9.0 } else { 12.0 };
            let center = pos2(end - inset, at.y);
            self.lamp(ui, view, Rect::from_center_size(center, Vec2::splat(14.0)));
            words.max.x = center.x - 10.0;
        }
        let color = if self.dimmed { theme.secondary } else { theme.text };
        let font = Type::Body.font();
        elided(ui, words, Align::Min, title, font.clone(), color);
        // The ring encloses the buttons too, because they are part of the row.
        focus_ring(ui, theme, &Response { rect: whole, ..response.clone() }, CONTROL_RADIUS);
        accept_letters(&response);
        let whole = ui.painter().layout_no_wrap(title.to_owned(), font, color).size().x;
        match (whole > words.width(), self.tip) {
            (false, "") => response,
            (false, tip) => response.on_hover_text(tip),
            (true, "") => response.on_hover_text(title),
            (true, tip) => response.on_hover_text(format!("{title}\n{tip}")),
        }
    }

    /// Draws the row as a button.
    pub fn button(&self, ui: &mut Ui, view: &View<'_>) -> Response {
        let response = self.draw(ui, view, ui.scope_id().with(self.title));
        let enabled = ui.is_enabled();
        response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, self.title));
        response
    }

    fn lamp(&self, ui: &Ui, view: &View<'_>, rect: Rect) {
        let (theme, painter, at) = (view.theme, ui.painter(), rect.center());
        let filled = |radius, color| {
            painter.circle_filled(at, radius, color);
        };
        match self.lamp {
            RowLamp::None => {}
            RowLamp::Good => filled(3.5, theme.good),
            RowLamp::OnAir => SceneMark::Program.paint(painter, at, theme.live),
            RowLamp::Program => SceneMark::Program.paint(painter, at, theme.secondary),
            RowLamp::OffAir => {
                painter.circle_stroke(at, 3.5, Stroke::new(1.5, theme.warn));
            }
            RowLamp::Preview => SceneMark::Preview.paint(painter, at, theme.accent),
            RowLamp::Opening => {
                painter.circle_stroke(at, 3.5, Stroke::new(1.5, theme.secondary));
            }
            RowLamp::Bad => icons::paint(painter, Icon::Warning, rect, theme.warn),
        }
    }
}
