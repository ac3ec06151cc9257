//! Context menus that open on a secondary click or from the keyboard.

use egui::{Context, Frame, Key, Margin, Modifiers, Popup, Response, Ui, Vec2};

use crate::ui::style::theme::Theme;

/// The width of a menu.
pub const MENU_WIDTH: f32 = 216.0;

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

/// Returns the frame of a menu.
pub fn menu_frame(ctx: &Context, theme: &Theme) -> Frame {
    Frame::popup(&ctx.global_style()).fill(theme.panel).inner_margin(Margin::same(4))
}

/// Draws the lines of a menu.
pub fn menu_lines(ui: &mut Ui, list: impl FnOnce(&mut Ui)) {
    ui.spacing_mut().item_spacing = Vec2::new(0.0, 1.0);
    ui.set_width(MENU_WIDTH - 10.0);
    list(ui);
}
