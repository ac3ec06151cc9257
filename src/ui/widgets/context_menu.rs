//! Context menus that open on a secondary click or from the keyboard, their submenus, and popups with
//! controls.

use egui::accesskit::HasPopup;
use egui::containers::menu::{MenuConfig, SubMenu, menu_style};
use egui::{
    Align, Color32, Context, CornerRadius, Frame, Id, Key, Margin, Memory, Modifiers, Popup,
    PopupCloseBehavior, Response, Role, ScrollArea, Sense, Style, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Theme, Type, gap};
use crate::ui::widgets::{elided, focus_ring};

/// The minimum width of a menu.
pub const MENU_WIDTH: f32 = 216.0;
/// The maximum width of a menu. A menu is as wide as its widest item needs.
const MAX_MENU_WIDTH: f32 = 340.0;
/// The width of a menu around its items.
const MENU_MARGINS_WIDTH: f32 = 10.0;
/// The margin of a menu.
const MENU_MARGIN: Margin = Margin::same(4);
/// The height of an item that opens a submenu, the same as of other items with one line.
const SUBMENU_ITEM_HEIGHT_POINTS: f32 = 32.0;
/// The width of an item that opens a submenu around its title.
const SUBMENU_MARGINS_WIDTH: f32 = 36.0;
/// The number of passes after the end of a menu or dialog in which the keyboard focus returns. The
/// control with which the user closed it is gone in the next frame, which may have two passes.
const MAX_RETURN_PASSES: u64 = 4;
/// The maximum height of a menu as a part of the window's height. A higher menu scrolls.
const MAX_HEIGHT_PART: f32 = 0.9;

/// Opens a menu at the pointer after a secondary click on `response`. If `response` has the
/// keyboard focus, the menu key and Shift+F10 open the menu below it.
pub fn context_menu(response: &Response, theme: &Theme, list: impl FnOnce(&mut Ui)) {
    open(response, response.has_focus(), theme, list);
}

/// Opens a menu like [`context_menu`], for an area that contains these controls. The controls open
/// the menu in the same way as the area itself.
pub fn context_menu_among(
    area: &Response,
    controls: &[Response],
    theme: &Theme,
    list: impl FnOnce(&mut Ui),
) {
    let all = controls.iter().fold(area.clone(), |all, control| all.union(control.clone()));
    open(&all, controls.iter().any(Response::has_focus), theme, list);
}

fn open(response: &Response, focused: bool, theme: &Theme, list: impl FnOnce(&mut Ui)) {
    return_focus(response);
    let ctx = &response.ctx;
    let id = Popup::default_response_id(response);
    let frame = menu_frame(ctx, theme);
    let mut menu = Popup::context_menu(response).width(MENU_WIDTH).frame(frame);
    if focused && asked_by_key(ctx) {
        Popup::open_id(ctx, id);
    }
    if Popup::is_id_open(ctx, id) && Popup::position_of_id(ctx, id).is_none() {
        let room = response.rect;
        let low = room.height() > 2.0 * MENU_WIDTH;
        menu = menu.anchor(if low { room.center() } else { room.left_bottom() });
    }
    menu.show(|ui| menu_lines(ui, list));
}

/// Returns true if the menu key or Shift+F10 was pressed.
fn asked_by_key(ctx: &Context) -> bool {
    ctx.input_mut(|input| {
        input.consume_key(Modifiers::NONE, Key::Menu)
            || input.consume_key(Modifiers::SHIFT, Key::F10)
    })
}

/// Draws the popup of a button, with controls. Returns true if the popup is open.
pub fn popup(button: &Response, theme: &Theme, width: f32, contents: impl FnOnce(&mut Ui)) -> bool {
    return_focus(button);
    let frame = menu_frame(&button.ctx, theme).inner_margin(Margin::same(12));
    Popup::menu(button)
        .width(width)
        .frame(frame)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing = Vec2::splat(gap::XS);
            contents(ui);
        })
        .is_some()
}

/// The control that had the keyboard focus before a menu or dialog. It gets the focus back after the
/// menu or dialog has closed, unless another control has got it.
#[derive(Copy, Clone, Debug, Default)]
pub struct FocusReturn {
    before: Option<Id>,
    /// The pass in which the menu or dialog was open last, until the focus has returned.
    open_pass: Option<u64>,
}

impl FocusReturn {
    /// Follows whether the menu or dialog is open. Call this in every frame, before the menu or
    /// dialog is drawn.
    pub fn follow(&mut self, ctx: &Context, is_open: bool) {
        let (focused, pass) = (ctx.memory(Memory::focused), ctx.cumulative_pass_nr());
        if is_open {
            if self.open_pass.is_none() {
                self.before = focused;
            }
            self.open_pass = Some(pass);
            return;
        }
        let Some(open_pass) = self.open_pass else { return };
        let is_recent = pass.saturating_sub(open_pass) <= MAX_RETURN_PASSES;
        let before = self.before.filter(|id| is_recent && ctx.read_response(*id).is_some());
        let Some(before) = before else {
            *self = Self::default();
            return;
        };
        // The control with which the user closed the menu or dialog loses the focus later.
        if focused.is_none() {
            ctx.memory_mut(|memory| memory.request_focus(before));
            *self = Self::default();
        }
        ctx.request_repaint();
    }

    /// Works like [`Self::follow`] for dialogs. An item of a menu that opens a dialog is gone when
    /// the dialog closes, so the control before the menu gets the focus.
    pub fn follow_dialog(&mut self, ctx: &Context, is_open: bool) {
        let opens = is_open && self.open_pass.is_none();
        self.follow(ctx, is_open);
        let menu = ctx.data(|data| data.get_temp::<Self>(last_menu_key()));
        if let Some(Self { before, open_pass: Some(pass) }) = menu.filter(|_| opens)
            && ctx.cumulative_pass_nr().saturating_sub(pass) <= MAX_RETURN_PASSES
        {
            self.before = before;
        }
    }
}

/// Returns the key of the [`FocusReturn`] of the menu that was open last.
fn last_menu_key() -> Id {
    Id::unique("last-menu-focus")
}

/// Gives the keyboard focus back to the control that had it before the menu of `opener`; see
/// [`FocusReturn`]. Call this in every frame, before the menu is drawn.
pub fn return_focus(opener: &Response) {
    let (ctx, popup) = (&opener.ctx, Popup::default_response_id(opener));
    let (id, is_open) = (popup.with("focus-return"), Popup::is_id_open(ctx, popup));
    let known = ctx.data(|data| data.get_temp::<FocusReturn>(id));
    if known.is_none() && !is_open {
        return;
    }
    let mut focus = known.unwrap_or_default();
    focus.follow(ctx, is_open);
    ctx.data_mut(|data| {
        if is_open {
            data.insert_temp(last_menu_key(), focus);
        }
        match focus.open_pass {
            Some(_) => drop(data.insert_temp(id, focus)),
            None => data.remove::<FocusReturn>(id),
        }
    });
}

/// Returns the frame of a menu.
pub fn menu_frame(ctx: &Context, theme: &Theme) -> Frame {
    Frame::popup(&ctx.global_style()).fill(theme.panel).inner_margin(MENU_MARGIN)
}

/// Draws the lines of a menu, which scroll if the menu is higher than a small window.
pub fn menu_lines(ui: &mut Ui, list: impl FnOnce(&mut Ui)) {
    let height = ui.ctx().content_rect().height() * MAX_HEIGHT_PART;
    ui.spacing_mut().item_spacing = Vec2::new(0.0, 1.0);
    // A submenu is placed by the margin of the menu that contains its item.
    ui.spacing_mut().menu_margin = MENU_MARGIN;
    // The first pass, which is invisible, finds out how wide the items are.
    let room = if ui.is_sizing_pass() { 0.0 } else { ui.available_width() };
    let [least, most] = [MENU_WIDTH, MAX_MENU_WIDTH].map(|width| width - MENU_MARGINS_WIDTH);
    ui.set_width(room.clamp(least, most));
    ui.spacing_mut().menu_width = most;
    ScrollArea::vertical().max_height(height).min_scrolled_height(height).show(ui, list);
}

/// Returns the width of an item that needs this width, if the list with the item can be wider. Only
/// menus can; see [`menu_lines`].
pub(super) fn item_width(ui: &Ui, needed: impl FnOnce() -> f32) -> f32 {
    let (room, most) = (ui.available_width(), ui.spacing().menu_width);
    if ui.is_sizing_pass() { needed().ceil().min(most).max(room) } else { room }
}

/// Returns the width of a text in one line.
pub(super) fn text_width(ui: &Ui, text: &str, kind: Type) -> f32 {
    ui.painter().layout_no_wrap(text.to_owned(), kind.font(), Color32::PLACEHOLDER).size().x
}

/// The first and the last item of a list.
#[derive(Copy, Clone, Debug)]
struct ListEnds {
    pass: u64,
    first: Id,
    /// The item that was drawn last in this pass.
    last: Id,
    /// The last item of the previous pass.
    end: Id,
}

/// Moves the keyboard focus from an item to the first or last one of its list, if Home or End is
/// pressed. The keys also work while no item has the focus yet.
pub(super) fn follow_ends(ui: &Ui, item: &Response) {
    let (key, id) = (ui.layer_id().id.with("list-ends"), item.id);
    let pass = ui.ctx().cumulative_pass_nr();
    let ends = match ui.data(|data| data.get_temp::<ListEnds>(key)) {
        Some(known) if known.pass == pass => ListEnds { last: id, ..known },
        known => {
            let end = known.map_or(id, |known| known.last);
            ListEnds { pass, first: id, last: id, end }
        }
    };
    ui.data_mut(|data| data.insert_temp(key, ends));
    let is_pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    let keys = [(Key::Home, ends.first), (Key::End, ends.end)];
    let is_meant = item.has_focus() || (ends.first == id && is_without_focus(ui));
    let to = keys.into_iter().find(|(key, _)| is_meant && is_pressed(*key));
    if let Some((_, to)) = to {
        ui.memory_mut(|memory| memory.request_focus(to));
    }
}

/// Returns true if the list is open, and no control but its opener has the keyboard focus.
fn is_without_focus(ui: &Ui) -> bool {
    let (ctx, popup) = (ui.ctx(), ui.layer_id().id);
    let opener = |id| ctx.read_response(id).map(|it| Popup::default_response_id(&it));
    let focused = ctx.memory(Memory::focused);
    Popup::is_id_open(ctx, popup) && focused.is_none_or(|id| opener(id) == Some(popup))
}

/// Draws an item of a menu that opens a submenu beside it. The pointer, Enter, the arrow keys and
/// a screen reader open the submenu.
pub fn submenu(ui: &mut Ui, theme: &Theme, title: &str, list: impl FnOnce(&mut Ui)) {
    let width = item_width(ui, || text_width(ui, title, Type::Body) + SUBMENU_MARGINS_WIDTH);
    let room = vec2(width, SUBMENU_ITEM_HEIGHT_POINTS);
    let (rect, response) = ui.allocate_exact_size(room, Sense::click());
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::labeled(Role::MenuItem, enabled, title));
    follow_ends(ui, &response);
    let config = MenuConfig::new().style(|style: &mut Style| {
        menu_style(style);
        style.spacing.menu_margin = MENU_MARGIN;
    });
    let shown = SubMenu::new().config(config).show(ui, &response, |ui| menu_lines(ui, list));
    let open = shown.is_some();
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_has_popup(HasPopup::Menu);
        node.set_expanded(open);
    });
    if open || response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, CornerRadius::same(4), theme.hover);
    }
    let mut words = rect.shrink2(vec2(8.0, 0.0));
    words.max.x -= 20.0;
    elided(ui, words, Align::Min, title, Type::Body.font(), theme.text);
    let at = pos2(rect.right() - 14.0, rect.center().y);
    icons::paint_at(ui.painter(), Icon::ChevronRight, at, 14.0, theme.secondary);
    focus_ring(ui, theme, &response, 4);
}
