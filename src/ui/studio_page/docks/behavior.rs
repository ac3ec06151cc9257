//! The behavior and look of docked panels: their tabs, and the buttons in the tab bars.

use egui::{
    Align, Color32, CornerRadius, CursorIcon, Id, Pos2, Rect, Response, Sense, Stroke, Style, Ui,
    Visuals, WidgetText, vec2,
};
use egui_tiles::{
    Behavior, ResizeState, SimplificationOptions, TabState, Tabs, TileId, Tiles, UiResponse,
};

use crate::studio::settings::Panel;
use crate::ui::input::actions::{Action, key};
use crate::ui::scenes::menu;
use crate::ui::studio_page::docks::shape::DockPosition;
use crate::ui::studio_page::docks::{contents, shape};
use crate::ui::studio_page::parts::PageParts;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{CONTROL_RADIUS, Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::{elided, focus_first, focus_ring, icon_button, row_in, submenu, tab_info};

/// The height of a tab.
const TAB_HEIGHT_POINTS: f32 = 26.0;
/// The usual padding around a tab's name.
pub(super) const TAB_PADDING_POINTS: f32 = 12.0;
/// The padding around a tab's name in a narrow tab bar.
const NARROW_TAB_PADDING: f32 = 4.0;

/// The panels while they are drawn.
pub(super) struct Docked<'a, 'b, 'c> {
    pub view: &'a mut View<'b>,
    pub parts: &'a mut PageParts<'c>,
    pub arranging: bool,
    pub asked: Option<Action>,
    /// The panel that will move to a separate window.
    pub apart: Option<TileId>,
    /// The panel to hide.
    pub hidden: Option<TileId>,
    /// The panel to move, the group of tabs near its new position, and this position.
    pub moved: Option<(TileId, TileId, DockPosition)>,
    /// The groups of tabs, each with its panels, while the user arranges panels.
    pub groups: Vec<(TileId, Vec<Panel>)>,
    /// The panel that gets the keyboard focus.
    pub entered: Option<Panel>,
    /// The id of the tree.
    pub tree: Id,
    /// The control with the keyboard focus before the panels are drawn, and the center of
    /// its visible part.
    pub focus: Option<(Id, Pos2)>,
    /// The panel that contains this control.
    pub focused: Option<Panel>,
    /// The front panel whose tab bar was drawn last, and the room for the panel's buttons.
    pub buttons: Option<(TileId, Rect)>,
    /// The padding around the names of the tab bar, in points.
    pub around: f32,
    /// The maximum width of a tab at which the whole tab bar fits, in points.
    pub most: f32,
    /// True while Tab moves the keyboard focus. It then passes the lines between parts and the free
    /// space of tab bars, which only the mouse can drag.
    pub passes_lines: bool,
}

impl Docked<'_, '_, '_> {
    fn name(&self, panel: Panel) -> String {
        self.view.texts.get(contents::title(panel)).to_string()
    }

    /// Reserves the room for the buttons of the front panel.
    fn make_room(&mut self, ui: &mut Ui, active: TileId, panel: Panel) {
        let count = if panel == Panel::Controls { 1.0 } else { 3.0 };
        // Without space beside the buttons, there is more room for the tabs.
        let space = std::mem::take(&mut ui.spacing_mut().item_spacing.x);
        let (_, room) = ui.allocate_space(vec2(count * TAB_HEIGHT_POINTS, TAB_HEIGHT_POINTS));
        ui.spacing_mut().item_spacing.x = space;
        self.buttons = Some((active, room));
    }

    /// Draws the buttons that move the front panel and hide it. The panel with *Go Live* stays in
    /// the main window.
    fn show_buttons(&mut self, ui: &mut Ui, active: TileId, panel: Panel) {
        self.moving(ui, active, panel);
        if panel != Panel::Controls {
            self.removing(ui, active, panel);
        }
    }

    /// Draws the buttons that move the front panel to a window and hide it.
    fn removing(&mut self, ui: &mut Ui, active: TileId, panel: Panel) {
        let (theme, texts) = (self.view.theme, self.view.texts);
        let named = [("name", self.name(panel).into())];
        let (close, apart) =
            (texts.with("panel-close", &named), texts.with("panel-window", &named));
        if icon_button(ui, theme, Icon::External, &apart, TAB_HEIGHT_POINTS).clicked() {
            self.apart = Some(active);
        }
        if icon_button(ui, theme, Icon::Close, &close, TAB_HEIGHT_POINTS).clicked() {
            self.hidden = Some(active);
        }
    }

    /// Draws the button whose menu moves the front panel, which is the way without a mouse.
    fn moving(&mut self, ui: &mut Ui, active: TileId, panel: Panel) {
        let (theme, texts) = (self.view.theme, self.view.texts);
        let name = texts.with("panel-move", &[("name", self.name(panel).into())]);
        let button = icon_button(ui, theme, Icon::Layout, &name, TAB_HEIGHT_POINTS);
        let (groups, moved) = (&self.groups, &mut self.moved);
        menu::below(&button, self.view, |ui, view| {
            for (group, panels) in groups {
                // In its own group, a panel moves beside the other tabs.
                let Some(near) = panels.iter().find(|it| **it != panel) else { continue };
                let near = texts.get(contents::title(*near));
                // *Go Live* is never behind another tab.
                let is_tab = panel != Panel::Controls && !panels.contains(&Panel::Controls);
                submenu(ui, theme, &near, |ui| {
                    for position in DockPosition::ALL {
                        let name = texts.get(move_key(position));
                        if (is_tab || position != DockPosition::Tab)
                            && menu::line(ui, view, &name, true)
                        {
                            *moved = Some((active, *group, position));
                        }
                    }
                });
            }
        });
    }
}

/// Returns the text key of a position in the menu that moves a panel.
fn move_key(position: DockPosition) -> &'static str {
    match position {
        DockPosition::Tab => key!("move-tab"),
        DockPosition::Left => key!("move-left"),
        DockPosition::Right => key!("move-right"),
        DockPosition::Above => key!("move-above"),
        DockPosition::Below => key!("move-below"),
    }
}

/// Returns the maximum width at which tabs of these widths fit in `room`. A tab that needs less
/// leaves the rest to the other tabs.
fn longest(widths: impl Iterator<Item = f32>, room: f32) -> f32 {
    let mut widths: Vec<f32> = widths.collect();
    widths.sort_by(f32::total_cmp);
    let (mut left, mut count) = (room, widths.len());
    for width in widths {
        let share = left / count as f32;
        if width > share {
            return share;
        }
        left -= width;
        count -= 1;
    }
    f32::INFINITY
}

impl Behavior<Panel> for Docked<'_, '_, '_> {
    fn pane_ui(&mut self, ui: &mut Ui, tile: TileId, panel: &mut Panel) -> UiResponse {
        let room = ui.max_rect();
        // The keyboard reaches the buttons between the tabs, which are drawn already, and the
        // contents.
        if let Some((_, place)) = self.buttons.take_if(|(active, _)| *active == tile) {
            let mut line = row_in(ui, place, "buttons", 0.0);
            let clip = place.x_range().intersection(ui.clip_rect().x_range());
            line.set_clip_rect(Rect::from_x_y_ranges(clip, place.y_range()));
            self.show_buttons(&mut line, tile, *panel);
        }
        let enters = self.entered == Some(*panel);
        let tab = tile.egui_id(self.tree);
        let otherwise = ui.ctx().read_response(tab).map(|it| it.id);
        let asked = focus_first(ui, enters, otherwise, |ui| {
            contents::show(ui, self.view, self.parts, *panel, room)
        });
        if self.focus.is_some_and(|(id, place)| id == tab || room.contains(place)) {
            self.focused = Some(*panel);
        }
        self.asked = self.asked.or(asked);
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, panel: &Panel) -> WidgetText {
        self.name(*panel).into()
    }

    fn tab_hover_cursor_icon(&self) -> CursorIcon {
        CursorIcon::PointingHand
    }

    fn tab_ui(
        &mut self,
        tiles: &mut Tiles<Panel>,
        ui: &mut Ui,
        id: Id,
        tile: TileId,
        state: &TabState,
    ) -> Response {
        let theme = self.view.theme;
        let name = tiles.get_pane(&tile).map(|panel| self.name(*panel)).unwrap_or_default();
        let font = Type::FigureStrong.font();
        let galley = ui.painter().layout_no_wrap(name.clone(), font.clone(), theme.text);
        ui.add_space(gap::XS);
        let width = (galley.size().x + 2.0 * self.around).min(self.most);
        let (_, room) = ui.allocate_space(vec2(width, ui.available_height()));
        let rect = Rect::from_center_size(room.center(), vec2(width, TAB_HEIGHT_POINTS));
        let response = ui.interact(rect, id, Sense::click_and_drag());
        tab_info(&response, &name, state.active);
        let fill = match (state.active, response.hovered()) {
            (true, _) => theme.raised,
            (false, true) => theme.hover,
            (false, false) => Color32::TRANSPARENT,
        };
        ui.painter().rect_filled(rect, CornerRadius::same(CONTROL_RADIUS), fill);
        let color = if state.active { theme.text } else { theme.secondary };
        elided(ui, rect, Align::Center, &name, font, color);
        focus_ring(ui, theme, &response, CONTROL_RADIUS);
        response
    }

    fn top_bar_right_ui(
        &mut self,
        tiles: &Tiles<Panel>,
        ui: &mut Ui,
        _: TileId,
        tabs: &Tabs,
        _: &mut f32,
    ) {
        let panel = tabs.active.and_then(|active| Some((active, *tiles.get_pane(&active)?)));
        if let Some((active, panel)) = panel.filter(|_| self.arranging) {
            self.make_room(ui, active, panel);
        }
        let panels = tabs.children.iter().filter_map(|tab| tiles.get_pane(tab));
        let names: Vec<f32> = panels
            .map(|panel| {
                let (name, font) = (self.name(*panel), Type::FigureStrong.font());
                ui.painter().layout_no_wrap(name, font, Color32::PLACEHOLDER).size().x
            })
            .collect();
        let count = names.len().max(1) as f32;
        // One point is left for rounding. egui_tiles adds no space between tabs.
        let room = ui.available_width() - gap::XS * count - 1.0;
        let sum: f32 = names.iter().sum();
        let fits = |around: f32| sum + 2.0 * around * count <= room;
        self.around =
            if fits(TAB_PADDING_POINTS) { TAB_PADDING_POINTS } else { NARROW_TAB_PADDING };
        self.most = match fits(self.around) {
            true => f32::INFINITY,
            false => longest(names.iter().map(|name| name + 2.0 * self.around), room)
                .max(TAB_HEIGHT_POINTS),
        };
    }

    fn tab_bar_height(&self, _: &Style) -> f32 {
        shape::TAB_BAR_HEIGHT_POINTS
    }

    fn is_tab_bar_visible(&self, _: TileId, tabs: &Tabs) -> bool {
        self.arranging || tabs.children.len() > 1
    }

    fn is_tile_draggable(&self, _: &Tiles<Panel>, _: TileId) -> bool {
        !self.passes_lines
    }

    fn is_container_resizable(&self, _: &Tiles<Panel>, _: TileId) -> bool {
        !self.passes_lines
    }

    fn gap_width(&self, _: &Style) -> f32 {
        shape::PART_GAP_POINTS
    }

    fn min_size(&self) -> f32 {
        48.0
    }

    fn simplification_options(&self) -> SimplificationOptions {
        shape::SIMPLIFICATION
    }

    fn resize_stroke(&self, _: &Style, state: ResizeState) -> Stroke {
        let theme = self.view.theme;
        match state {
            ResizeState::Idle => theme.border(),
            ResizeState::Hovering | ResizeState::Dragging => Stroke::new(2.0, theme.accent),
        }
    }

    fn tab_bar_color(&self, _: &Visuals) -> Color32 {
        self.view.theme.panel
    }

    fn tab_bar_hline_stroke(&self, _: &Visuals) -> Stroke {
        Stroke::NONE
    }

    fn drag_preview_stroke(&self, _: &Visuals) -> Stroke {
        Stroke::new(1.0, self.view.theme.accent)
    }

    fn drag_preview_color(&self, _: &Visuals) -> Color32 {
        self.view.theme.accent.gamma_multiply(0.25)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_tabs_are_shortened() {
        let most = |widths: &[f32], room| longest(widths.iter().copied(), room);
        assert_eq!(most(&[80.0, 40.0, 60.0], 180.0), f32::INFINITY);
        assert_eq!(most(&[90.0, 40.0, 60.0], 160.0), 60.0);
        assert_eq!(most(&[90.0, 90.0], 100.0), 50.0);
        assert_eq!(most(&[], 100.0), f32::INFINITY);
    }
}
