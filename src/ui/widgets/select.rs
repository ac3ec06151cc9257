//! A select field with a list.

use egui::accesskit::Action;
use egui::{
    Align, CornerRadius, Event, Id, Key, Popup, PopupCloseBehavior, Response, Role, ScrollArea,
    Sense, StrokeKind, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use crate::ui::input::hotkeys::Keymap;
use crate::ui::input::named::AnyCommand;
use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{CONTROL_RADIUS, Theme, Type, gap, size};
use crate::ui::widgets::context_menu::{follow_ends, item_width, text_width};
use crate::ui::widgets::figure::without_middle;
use crate::ui::widgets::{elided, focus_ring, menu_frame, return_focus};

/// The width of a list around its items, in points.
pub const LIST_MARGINS_WIDTH: f32 = 10.0;
/// The width of an item around its title, with the scroll bar of a long list, in points.
const ITEM_MARGINS_WIDTH: f32 = 54.0;

/// The space before and after the text of an item, in points.
const ITEM_PADDING_POINTS: f32 = 8.0;
/// The width of the mark of the selected item, in points.
const MARK_WIDTH: f32 = 20.0;

/// A field that displays the selected value, and opens a list of values below it. The selected
/// item then gets the keyboard focus, so that the arrow keys begin there.
#[derive(Debug)]
pub struct Select<'a> {
    /// The accessible name.
    pub name: &'a str,
    pub chosen: &'a str,
    pub width: f32,
    /// The minimum width of the list.
    pub list_width: f32,
    /// Titles for which the list has room.
    pub titles: &'a [String],
    pub enabled: bool,
    /// The icon for the kind of the selected value.
    pub icon: Option<Icon>,
    /// True if a click inside the list closes it.
    pub close_on_click: bool,
    /// True if the list opens now, and its field gets the keyboard focus.
    pub opens: bool,
}

impl<'a> Select<'a> {
    /// Creates an enabled field whose list closes after a click.
    pub const fn new(name: &'a str, chosen: &'a str, width: f32) -> Self {
        Self {
            name,
            chosen,
            width,
            list_width: width,
            titles: &[],
            enabled: true,
            icon: None,
            close_on_click: true,
            opens: false,
        }
    }

    /// Adds an icon before the selected value.
    pub const fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// Makes the list as wide as the widest of these titles needs.
    pub const fn room_for(mut self, titles: &'a [String]) -> Self {
        self.titles = titles;
        self
    }

    /// Returns the width of the list. This measures all titles, so only an open list needs it.
    fn needed_list_width(&self, ui: &Ui) -> f32 {
        let needed = |title: &String| {
            text_width(ui, title, Type::Body).ceil() + ITEM_MARGINS_WIDTH + LIST_MARGINS_WIDTH
        };
        self.titles.iter().map(needed).fold(self.list_width, f32::max)
    }

    /// Draws the field. `list` draws the contents of the list while the list is open.
    pub fn show(self, ui: &mut Ui, theme: &Theme, list: impl FnOnce(&mut Ui)) {
        let sense = if self.enabled { Sense::click() } else { Sense::hover() };
        let (rect, response) =
            ui.allocate_exact_size(vec2(self.width, size::CONTROL_HEIGHT), sense);
        response.widget_info(|| WidgetInfo {
            current_text_value: Some(self.chosen.to_owned()),
            ..WidgetInfo::labeled(Role::ComboBox, self.enabled, self.name)
        });
        let hovered = self.enabled && response.hovered();
        let border = if hovered { theme.secondary } else { theme.line };
        let (radius, stroke) = (CornerRadius::same(CONTROL_RADIUS), egui::Stroke::new(1.0, border));
        ui.painter().rect(rect, radius, theme.raised, stroke, StrokeKind::Inside);
        let mut words = rect.shrink2(vec2(10.0, 0.0));
        words.max.x -= 20.0;
        let color = if self.enabled { theme.text } else { theme.secondary };
        if let Some(icon) = self.icon {
            let center = pos2(words.left() + 8.0, rect.center().y);
            icons::paint_at(ui.painter(), icon, center, 16.0, theme.secondary);
            words.min.x += 24.0;
        }
        elided(ui, words, Align::Min, self.chosen, Type::Body.font(), color);
        if self.enabled {
            let at = pos2(rect.right() - 16.0, rect.center().y);
            icons::paint_at(ui.painter(), Icon::ChevronDown, at, 14.0, theme.secondary);
        }
        focus_ring(ui, theme, &response, CONTROL_RADIUS);
        let popup = Popup::default_response_id(&response);
        if self.opens {
            Popup::open_id(ui.ctx(), popup);
            response.request_focus();
        }
        let is_open = Popup::is_id_open(ui.ctx(), popup) || response.clicked();
        let list_width = if is_open { self.needed_list_width(ui) } else { self.list_width };
        let behavior = if self.close_on_click {
            PopupCloseBehavior::CloseOnClick
        } else {
            PopupCloseBehavior::CloseOnClickOutside
        };
        let mut by_key = false;
        let (begun, chosen_item) = (popup.with("begun"), chosen_item_key());
        ui.data_mut(|data| {
            data.remove::<Id>(chosen_item);
            if !is_open {
                data.remove::<bool>(begun);
            }
        });
        return_focus(&response);
        Popup::menu(&response)
            .width(list_width)
            .gap(gap::XS)
            .close_behavior(behavior)
            .frame(menu_frame(ui.ctx(), theme))
            .show(|ui| {
                ui.spacing_mut().item_spacing = Vec2::new(0.0, 2.0);
                ui.set_width(list_width - LIST_MARGINS_WIDTH);
                list(ui);
                // egui closes the list after a click; this code also closes it after a selection by
                // the keyboard or a screen reader.
                let keys = [Key::Enter, Key::Space];
                let pressed = ui.input(|input| keys.iter().any(|key| input.key_pressed(*key)));
                let focused = ui.memory(egui::Memory::focused);
                let elsewhere = focused.is_some_and(|id| id != response.id);
                let chosen = (pressed && elsewhere) || is_clicked_by_reader(ui, &response);
                by_key = self.close_on_click && chosen;
                if by_key {
                    ui.close();
                } else if !pressed && !ui.is_sizing_pass() {
                    // The key that opened the list does not also select its item.
                    let starts = ui.data_mut(|data| {
                        !std::mem::replace(data.get_temp_mut_or_default::<bool>(begun), true)
                    });
                    let item = ui.data(|data| data.get_temp::<Id>(chosen_item));
                    if let Some(item) = item.filter(|_| starts && !elsewhere) {
                        ui.memory_mut(|memory| memory.request_focus(item));
                    }
                }
            });
        if by_key {
            response.request_focus();
        }
    }
}

/// Returns the key of the selected item of the list that is being drawn.
fn chosen_item_key() -> Id {
    Id::unique("chosen-item")
}

/// Returns true if a screen reader clicked a control other than the one that opens the list.
fn is_clicked_by_reader(ui: &Ui, opener: &Response) -> bool {
    let own = opener.id.accesskit_id();
    ui.input(|input| {
        input.events.iter().any(|event| {
            matches!(event, Event::AccessKitActionRequest(request)
                if request.action == Action::Click && request.target_node != own)
        })
    })
}

/// Draws a list item with a title and an optional second line. Returns true if the item was
/// selected.
pub fn menu_item(
    ui: &mut Ui,
    theme: &Theme,
    title: &str,
    second: &str,
    chosen: bool,
    enabled: bool,
) -> bool {
    item(ui, theme, [title, second, ""], chosen, enabled, false).clicked()
}

/// Draws the list item of a path or an address. A long one is cut in the middle, because its end
/// names the file or stream. Returns true if the item was selected.
pub fn path_item(ui: &mut Ui, theme: &Theme, path: &str) -> bool {
    item(ui, theme, [path, "", ""], false, true, true).clicked()
}

/// Draws the list item of a command, with the command's hotkey at its end. If the command is
/// impossible, the tooltip says why. Returns true if the item was selected.
pub fn command_item(
    ui: &mut Ui,
    theme: &Theme,
    command: impl Into<AnyCommand>,
    title: &str,
    second: &str,
    chosen: bool,
    why_not: Option<&str>,
) -> bool {
    let keys = Keymap::installed(ui.ctx()).text_in_menu(command).unwrap_or_default();
    let response = item(ui, theme, [title, second, &keys], chosen, why_not.is_none(), false);
    let Some(why_not) = why_not else { return response.clicked() };
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(why_not));
    response.on_hover_text(why_not);
    false
}

/// Draws a list item with a title, an optional second line, and optional keys at its end. With
/// `keeps_end`, a long title in one line is cut in the middle.
fn item(
    ui: &mut Ui,
    theme: &Theme,
    [title, second, keys]: [&str; 3],
    chosen: bool,
    enabled: bool,
    keeps_end: bool,
) -> Response {
    let height = if second.is_empty() { 32.0 } else { 46.0 };
    let sense = if enabled { Sense::click() } else { Sense::hover() };
    let mark = if chosen || keys.is_empty() { MARK_WIDTH } else { 0.0 };
    let width = item_width(ui, || {
        let title = text_width(ui, title, Type::Body).max(text_width(ui, second, Type::Small));
        let keys = if keys.is_empty() { 0.0 } else { text_width(ui, keys, Type::Small) + gap::S };
        title + keys + mark + 2.0 * ITEM_PADDING_POINTS + 1.0
    });
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), sense);
    response.widget_info(|| WidgetInfo::selected(Role::MenuItemRadio, enabled, chosen, title));
    if enabled {
        follow_ends(ui, &response);
    }
    if chosen && enabled {
        ui.data_mut(|data| data.insert_temp(chosen_item_key(), response.id));
    }
    if !second.is_empty() {
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(second));
    }
    if enabled && (response.hovered() || response.has_focus()) {
        ui.painter().rect_filled(rect, CornerRadius::same(4), theme.hover);
    } else if chosen {
        ui.painter().rect_filled(rect, CornerRadius::same(4), theme.raised);
    }
    let mut words = rect.shrink2(vec2(ITEM_PADDING_POINTS, 0.0));
    words.max.x -= mark;
    if !keys.is_empty() {
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_keyboard_shortcut(keys));
        let font = Type::Small.font();
        let painted = elided(ui, words, Align::Max, keys, font, theme.secondary);
        words.max.x = painted.left() - gap::S;
    }
    let color = if enabled { theme.text } else { theme.secondary };
    let fits = |text: &str, kind: Type| text_width(ui, text, kind) <= words.width();
    let whole = fits(title, Type::Body) && fits(second, Type::Small);
    if second.is_empty() {
        let font = Type::Body.font();
        let shown = match keeps_end {
            true => without_middle(ui, title, &font, words.width()),
            false => title.to_owned(),
        };
        elided(ui, words, Align::Min, &shown, font, color);
    } else {
        let (upper, lower) = words.shrink2(vec2(0.0, 5.0)).split_top_bottom_at_fraction(0.52);
        elided(ui, upper, Align::Min, title, Type::Body.font(), color);
        elided(ui, lower, Align::Min, second, Type::Small.font(), theme.secondary);
    }
    if chosen {
        let at = pos2(rect.right() - 14.0, rect.center().y);
        icons::paint_at(ui.painter(), Icon::Check, at, 14.0, theme.accent);
    }
    focus_ring(ui, theme, &response, 4);
    match whole {
        true => response,
        false => response.on_hover_text(format!("{title}\n{second}").trim_end()),
    }
}

/// The maximum height of a list of devices in points. Longer lists scroll.
pub const MAX_LIST_HEIGHT_POINTS: f32 = 320.0;

/// Draws the items of a list. The list scrolls if it is too high, and keeps the item with the
/// keyboard focus in view.
pub fn scrolled(ui: &mut Ui, name: &str, lines: impl FnOnce(&mut Ui)) {
    // Without this minimum, a list that gets more items does not become higher.
    let least = MAX_LIST_HEIGHT_POINTS.min(ui.ctx().content_rect().height() * 0.5);
    let area = ScrollArea::vertical()
        .id_salt(name)
        .max_height(MAX_LIST_HEIGHT_POINTS)
        .min_scrolled_height(least);
    area.show(ui, |ui| {
        lines(ui);
        let focused = ui.memory(egui::Memory::focused);
        let id = ui.scope_id().with("focused");
        let before = ui.data_mut(|data| {
            std::mem::replace(data.get_temp_mut_or_default::<Option<egui::Id>>(id), focused)
        });
        if let Some(now) = focused.filter(|_| focused != before)
            && let Some(line) = ui.ctx().read_response(now)
            && ui.min_rect().contains_rect(line.rect)
        {
            ui.scroll_to_rect(line.rect, None);
        }
    });
}

/// Draws the line between the groups of a list.
pub fn menu_rule(ui: &mut Ui, theme: &Theme) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 9.0), Sense::hover());
    ui.painter().hline(rect.x_range(), rect.center().y, theme.border());
}

#[cfg(test)]
mod tests {
    use egui::{Area, Context, Modifiers, PointerButton, Pos2, RawInput, Rect};

    use super::*;
    use crate::ui::widgets::menu_lines;

    /// Draws a field. Returns the number of texts that it laid out.
    fn laid_out(titles: &[String], opens: bool) -> usize {
        let ctx = Context::default();
        for _ in 0..3 {
            let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, vec2(400.0, 400.0)));
            let input = RawInput { screen_rect, ..RawInput::default() };
            let mut output = ctx.run_ui(input, |ui| {
                let select = Select { opens, ..Select::new("Size", "100 %", 120.0) };
                select.room_for(titles).show(ui, &Theme::DARK, |_| {});
            });
            output.textures_delta.clear();
        }
        ctx.fonts(|fonts| fonts.num_galleys_in_cache())
    }

    #[test]
    fn only_an_open_list_measures_its_titles() {
        let titles: Vec<String> = (0..40).map(|number| format!("Value {number}")).collect();
        assert_eq!(laid_out(&titles, false), laid_out(&[], false));
        assert!(laid_out(&titles, true) >= titles.len());
    }

    #[test]
    fn the_focus_starts_at_the_chosen_item() {
        let (ctx, mut top) = (Context::default(), 0.0);
        for frame in 0..4 {
            let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, vec2(400.0, 400.0)));
            let input = RawInput { screen_rect, ..RawInput::default() };
            let mut output = ctx.run_ui(input, |ui| {
                let select = Select { opens: frame == 0, ..Select::new("Size", "C", 120.0) };
                select.show(ui, &Theme::DARK, |ui| {
                    for title in ["A", "B", "C", "D"] {
                        if title == "C" {
                            top = ui.cursor().top();
                        }
                        menu_item(ui, &Theme::DARK, title, "", title == "C", true);
                    }
                });
            });
            output.textures_delta.clear();
        }
        let focused = ctx.memory(egui::Memory::focused).and_then(|id| ctx.read_response(id));
        let rect = focused.expect("an item has the focus").rect;
        assert!((rect.top() - top).abs() < 0.1, "{rect:?} {top}");
    }

    #[test]
    fn home_and_end_work_in_a_list_that_the_mouse_opened() {
        let (ctx, mut tops) = (Context::default(), (0.0, 0.0));
        let mut frame = |events: Vec<Event>| {
            let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, vec2(400.0, 400.0)));
            let input = RawInput { screen_rect, events, ..RawInput::default() };
            let mut output = ctx.run_ui(input, |ui| {
                // The list has no selected item.
                Select::new("Size", "", 120.0).show(ui, &Theme::DARK, |ui| {
                    tops.0 = ui.cursor().top();
                    for title in ["A", "B", "C"] {
                        tops.1 = ui.cursor().top();
                        menu_item(ui, &Theme::DARK, title, "", false, true);
                    }
                });
            });
            output.textures_delta.clear();
            let focused = ctx.memory(egui::Memory::focused).and_then(|id| ctx.read_response(id));
            (focused.map(|it| it.rect.top()), tops)
        };
        let (pos, button, modifiers) = (pos2(20.0, 15.0), PointerButton::Primary, Modifiers::NONE);
        let click = |pressed| Event::PointerButton { pos, button, pressed, modifiers };
        let (physical_key, repeat) = (None, false);
        let press = |key| Event::Key { key, physical_key, pressed: true, repeat, modifiers };
        frame(Vec::new());
        for event in [Event::PointerMoved(pos), click(true), click(false)] {
            frame(vec![event]);
        }
        frame(Vec::new());
        let (focused, _) = frame(Vec::new());
        assert_eq!(focused, None);
        let (focused, (first, last)) = frame(vec![press(Key::End)]);
        assert!(focused.is_some_and(|top| (top - last).abs() < 0.1), "{focused:?} {last}");
        let (focused, _) = frame(vec![press(Key::Home)]);
        assert!(focused.is_some_and(|top| (top - first).abs() < 0.1), "{focused:?} {first}");
    }

    /// Draws a menu with one item. Returns its width, and that of the title.
    fn widths(title: &str) -> (f32, f32) {
        let (ctx, mut widths) = (Context::default(), (0.0, 0.0));
        for _ in 0..2 {
            let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, vec2(800.0, 400.0)));
            let input = RawInput { screen_rect, ..RawInput::default() };
            let mut output = ctx.run_ui(input, |ui| {
                Area::new(Id::unique("menu")).show(ui.ctx(), |ui| {
                    menu_lines(ui, |ui| {
                        menu_item(ui, &Theme::DARK, title, "", false, true);
                        widths = (ui.min_rect().width(), text_width(ui, title, Type::Body));
                    });
                });
            });
            output.textures_delta.clear();
        }
        widths
    }

    #[test]
    fn a_menu_is_as_wide_as_its_widest_item_needs() {
        let (short, long, longest) =
            (widths("Copy"), widths(&"W".repeat(18)), widths(&"W".repeat(99)));
        assert_eq!((short.0, longest.0), (206.0, 330.0));
        assert!(short.0 < long.0 && long.0 < longest.0, "{long:?}");
        assert!(long.0 - 2.0 * ITEM_PADDING_POINTS - MARK_WIDTH >= long.1, "{long:?}");
    }
}
