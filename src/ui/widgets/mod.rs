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

pub use button::{Button, ButtonWeight, expander, icon_button, weighted_icon_button};
pub use context_menu::{
    FocusReturn, MENU_WIDTH, context_menu, context_menu_among, menu_frame, menu_lines, popup,
    return_focus, submenu,
};
pub use field::{
    Field, FieldOutcome, NumberFault, TextBox, continue_after_enter, number_fault, number_field,
    select_all,
};
pub use figure::{figure, figures, file_figure, judged_figure};
pub use label::{
    Wrapped, announced, baseline_of, elided, label, line_height_of, named, one_line, paragraph,
    place, section, truncated,
};
pub use meter::{Level, Levels, meter, upright_meter};
pub use row::{Row, RowFocus, Tag, focus_by_arrow, pressed_once, row_by_arrow};
pub use scene_mark::SceneMark;
pub use select::{
    LIST_MARGINS_WIDTH, Select, command_item, menu_item, menu_rule, path_item, scrolled,
};
pub use slider::{
    HandleDrag, byte_slider, is_double_clicked, key_step, log_slider, slider, value_by_keys,
    whole_slider,
};
pub use sparkline::{SPARKLINE_HEIGHT_POINTS, sparkline};
pub use switch::{named_switch, switch};
pub use tab_bar::{TAB_BAR_HEIGHT, tab_bar, tab_id, tab_info};

use egui::scroll_area::{ScrollAreaOutput, ScrollSource};
use egui::{
    Align, AsIdSalt, CornerRadius, FocusDirection, Id, Layout, Rect, Response, ScrollArea, Stroke,
    StrokeKind, Ui, UiBuilder, UiKind,
};

use crate::ui::style::theme::{FOCUS_RING_WIDTH, Theme};

/// The space around a control that its ring needs, in points.
const FOCUS_RING_SPACE_POINTS: f32 = FOCUS_RING_WIDTH + 2.0;
/// The number of passes in which a panel or a section waits for the keyboard focus.
const MAX_ENTER_PASSES: u64 = 4;

/// Draws the ring around the control with the keyboard focus, and scrolls the control into view when
/// it gets the focus.
pub fn focus_ring(ui: &Ui, theme: &Theme, response: &Response, radius: u8) {
    if response.has_focus() {
        // The ring of a control at the edge of a scroll area is not cut off.
        let mut painter = ui.painter().clone();
        painter.set_clip_rect(ui.clip_rect().expand(FOCUS_RING_SPACE_POINTS));
        let (ring, radius) = (response.rect.expand(1.0), radius.saturating_add(1));
        let stroke = Stroke::new(FOCUS_RING_WIDTH, theme.accent);
        painter.rect_stroke(ring, CornerRadius::same(radius), stroke, StrokeKind::Outside);
        focus_in_view(ui, response.id, response.rect);
    }
}

/// Creates a child of `ui` in `rect`, for controls side by side with this gap between them.
pub fn row_in(ui: &mut Ui, rect: Rect, salt: impl AsIdSalt, gap: f32) -> Ui {
    let layout = Layout::left_to_right(Align::Center);
    let mut row = ui.new_child(UiBuilder::new().max_rect(rect).layout(layout).id_salt(salt));
    row.spacing_mut().item_spacing.x = gap;
    row
}

/// Draws buttons at the right end of an empty line, in the reading order.
pub fn at_right_end<R>(ui: &mut Ui, buttons: impl FnOnce(&mut Ui) -> R) -> R {
    let layout = Layout::right_to_left(Align::Center);
    ui.with_layout(layout, |ui| at_line_end(ui, buttons)).inner
}

/// Draws controls at the right end of a line, from left to right. The keyboard reaches controls in the
/// order in which they are drawn, and this is then the reading order. Call this in a layout from right
/// to left, before the text of the line.
pub fn at_line_end<R>(ui: &mut Ui, controls: impl FnOnce(&mut Ui) -> R) -> R {
    let id = ui.next_auto_id().with("line-end");
    let known = ui.data(|data| data.get_temp::<f32>(id));
    let room = ui.available_rect_before_wrap();
    // Until the width is known, the text of the line has no room.
    let first = room.left() + ui.spacing().item_spacing.x;
    let left = known.map_or(first, |width| room.right() - width);
    let layout = Layout::left_to_right(Align::Center);
    let place = UiBuilder::new().max_rect(room.with_min_x(left)).layout(layout);
    let shown = ui.scope_builder(place, controls);
    let width = shown.response.rect.width();
    if known.is_none_or(|known| (known - width).abs() > 0.5) {
        // The width is known only now, so this frame is drawn once more.
        ui.data_mut(|data| data.insert_temp(id, width));
        ui.ctx().request_discard("the width of the controls at the end of a line");
    }
    shown.inner
}

/// The control that had the keyboard focus when it was last drawn.
#[derive(Copy, Clone, Debug, PartialEq)]
struct FocusSeen {
    id: Id,
    pass: u64,
    /// The place of the control, if it got the focus in this pass.
    new: Option<Rect>,
}

fn focus_key() -> Id {
    Id::unique("focus-in-view")
}

/// Scrolls to `rect` if the control with this id has just got the keyboard focus, however it got
/// it. Call this in every frame in which the control has the focus.
pub fn focus_in_view(ui: &Ui, id: Id, rect: Rect) {
    let ctx = ui.ctx();
    let (key, pass) = (focus_key(), ctx.cumulative_pass_nr());
    let before = ctx.data(|data| data.get_temp::<FocusSeen>(key));
    // Some controls call this twice.
    if before.is_some_and(|known| (known.id, known.pass) == (id, pass)) {
        return;
    }
    // `gained_focus` is false if the focus moved by an arrow key or after the control was drawn.
    let is_new = before.is_none_or(|known| known.id != id || known.pass + 1 < pass);
    // A control must not move away under a pressed pointer.
    let scrolls = is_new && is_scrolled(ui) && !ctx.input(|input| input.pointer.any_down());
    let new = scrolls.then_some(rect.expand(FOCUS_RING_SPACE_POINTS));
    ctx.data_mut(|data| data.insert_temp(key, FocusSeen { id, pass, new }));
    if let Some(rect) = new {
        ui.scroll_to_rect(rect, None);
    }
}

/// Returns true if no dialog covers the contents of `ui`.
pub fn is_free(ui: &Ui) -> bool {
    let layer = ui.layer_id();
    ui.memory(|memory| memory.allows_interaction(layer))
}

/// Returns true if a panel or a section no longer waits for the keyboard focus: it gets the focus now,
/// because no dialog covers it, or a dialog has stayed open. `since` is the pass in which the wait
/// began.
pub fn ends_wait(since: &mut Option<u64>, pass: u64, is_free: bool) -> bool {
    let since = *since.get_or_insert(pass);
    is_free || pass > since + MAX_ENTER_PASSES
}

/// Draws contents. If `enters` is true, the first control of the contents gets the keyboard focus.
/// If the contents have no controls, the control with the id `otherwise` gets it, or the focus stays.
pub fn focus_first<R>(
    ui: &mut Ui,
    enters: bool,
    otherwise: Option<Id>,
    contents: impl FnOnce(&mut Ui) -> R,
) -> R {
    if !enters {
        return contents(ui);
    }
    let before = ui.memory_mut(|memory| {
        let before = memory.focused();
        // Without a focused control, Tab goes to the control that is drawn next.
        memory.stop_text_input();
        memory.move_focus(FocusDirection::Next);
        before
    });
    let shown = contents(ui);
    ui.memory_mut(|memory| {
        memory.move_focus(FocusDirection::None);
        if let Some(id) = otherwise.or(before).filter(|_| memory.focused().is_none()) {
            memory.request_focus(id);
        }
    });
    shown
}

/// The area that the mouse wheel scrolls, until the wheel rests.
#[derive(Copy, Clone, Debug)]
struct WheelOwner {
    area: Id,
    /// The time of the last movement.
    at: f64,
}

/// The time in seconds without movement after which the wheel rests.
const WHEEL_REST_SECONDS: f64 = 0.25;

/// Shows a scroll area that is inside of another one, or contains one. egui scrolls only the
/// innermost area to a control that gets the keyboard focus, and the mouse wheel always scrolls the
/// area below the pointer. This function also scrolls the areas around the control, and the wheel
/// keeps the area that it scrolls until it rests. `salt` distinguishes the areas in `ui`.
pub fn scroll<R>(
    area: ScrollArea,
    salt: impl AsIdSalt,
    ui: &mut Ui,
    contents: impl FnOnce(&mut Ui) -> R,
) -> ScrollAreaOutput<R> {
    let (focus, wheel) = (focus_key(), Id::unique("wheel-owner"));
    let (own, pass) = (ui.make_persistent_id(&salt), ui.ctx().cumulative_pass_nr());
    let area = area.id_salt(salt);
    let seen = |ui: &Ui| ui.data(|data| data.get_temp::<FocusSeen>(focus));
    let owner = |ui: &Ui| ui.data(|data| data.get_temp::<WheelOwner>(wheel));
    let moves = |ui: &Ui| ui.input(egui::InputState::smooth_scroll_delta);
    let now = ui.input(|input| input.time);
    let is_others = |it: &WheelOwner| it.area != own && now - it.at < WHEEL_REST_SECONDS;
    let area = match owner(ui).filter(is_others) {
        Some(_) => area.scroll_source(ScrollSource { mouse_wheel: false, ..Default::default() }),
        None => area,
    };
    let (before, moved) = (seen(ui), moves(ui));
    let shown = area.show(ui, contents);
    let inner_scrolled = owner(ui).is_some_and(|it| it.area != own && it.at >= now);
    if moves(ui) != moved && !inner_scrolled {
        ui.data_mut(|data| data.insert_temp(wheel, WheelOwner { area: own, at: now }));
    }
    let is_here = |seen: &FocusSeen| Some(*seen) != before && seen.pass == pass;
    if let Some(rect) = seen(ui).filter(is_here).and_then(|seen| seen.new)
        && is_scrolled(ui)
    {
        // The inner area brings the control to its edge at most.
        let room = shown.inner_rect;
        let at = rect.center().clamp(room.min, room.max);
        let rect = Rect::from_center_size(at, rect.size()).intersect(room);
        ui.scroll_to_rect(rect, None);
    }
    shown
}

/// Returns true if a scroll area of the same window or menu contains these controls. A menu must not
/// scroll the area of the field that opened it.
fn is_scrolled(ui: &Ui) -> bool {
    let mut kinds = ui.stack().iter().filter_map(|it| it.kind());
    let nearest = kinds.find(|kind| *kind == UiKind::ScrollArea || kind.is_area());
    nearest == Some(UiKind::ScrollArea)
}

#[cfg(test)]
mod tests {
    use egui::{
        Context, Event, Modifiers, MouseWheelSource, MouseWheelUnit, RawInput, Sense, Shape,
        TouchPhase, Vec2, pos2, vec2,
    };

    use super::*;

    /// A page with a list on it, both higher than their rooms. The first control of the list has
    /// the id `control`.
    #[derive(Default)]
    struct Nested {
        ctx: Context,
        time: f64,
        control: Option<Id>,
    }

    impl Nested {
        /// Draws the page. Returns the offsets of the page and of the list.
        fn draw(&mut self, events: Vec<Event>) -> (f32, f32) {
            self.time += 0.02;
            let room = Rect::from_min_size(pos2(0.0, 0.0), vec2(200.0, 200.0));
            let (screen_rect, time) = (Some(room), Some(self.time));
            let input = RawInput { screen_rect, time, events, ..RawInput::default() };
            let (mut offsets, mut control) = ((0.0, 0.0), None);
            let mut output = self.ctx.run_ui(input, |ui| {
                let page = ScrollArea::vertical().auto_shrink(false);
                let page = scroll(page, "page", ui, |ui| {
                    ui.allocate_space(vec2(100.0, 220.0));
                    let list = ui.scope(|ui| {
                        let list = ScrollArea::vertical().max_height(100.0);
                        scroll(list, "list", ui, |ui| {
                            ui.allocate_space(vec2(100.0, 300.0));
                            let size = vec2(100.0, 20.0);
                            let (_, response) = ui.allocate_exact_size(size, Sense::click());
                            focus_ring(ui, &Theme::DARK, &response, 0);
                            control = Some(response.id);
                        })
                    });
                    ui.allocate_space(vec2(100.0, 400.0));
                    list.inner.state.clamped_offset().y
                });
                offsets = (page.state.clamped_offset().y, page.inner);
            });
            output.textures_delta.clear();
            self.control = control;
            offsets
        }

        fn wheel(&mut self) -> (f32, f32) {
            self.draw(vec![wheel_step()])
        }
    }

    fn wheel_step() -> Event {
        Event::MouseWheel {
            unit: MouseWheelUnit::Point,
            delta: vec2(0.0, -20.0),
            phase: TouchPhase::Move,
            source: MouseWheelSource::Wheel,
            modifiers: Modifiers::NONE,
        }
    }

    #[test]
    fn the_wheel_keeps_the_area_that_it_scrolls() {
        let mut nested = Nested::default();
        for _ in 0..3 {
            nested.draw(vec![Event::PointerMoved(pos2(50.0, 150.0))]);
        }
        // The list comes below the pointer, and stays as it is.
        let mut offsets = (0.0, 0.0);
        for _ in 0..8 {
            offsets = nested.wheel();
        }
        assert!(offsets.0 > 100.0 && offsets.1 == 0.0, "{offsets:?}");
        for _ in 0..40 {
            offsets = nested.draw(Vec::new());
        }
        let page = offsets.0;
        assert!((80.0..200.0).contains(&page), "the list is in the window: {page}");
        nested.draw(vec![Event::PointerMoved(pos2(50.0, 270.0 - page))]);
        for _ in 0..4 {
            offsets = nested.wheel();
        }
        assert!(offsets.0 == page && offsets.1 > 20.0, "{offsets:?}");
    }

    #[test]
    fn a_list_below_the_scrolled_one_does_not_take_the_wheel() {
        let (ctx, mut time) = (Context::default(), 0.0);
        let mut draw = |events: Vec<Event>| {
            time += 0.02;
            let room = Rect::from_min_size(pos2(0.0, 0.0), vec2(200.0, 200.0));
            let (screen_rect, time) = (Some(room), Some(time));
            let input = RawInput { screen_rect, time, events, ..RawInput::default() };
            let mut offsets = [0.0, 0.0];
            let mut output = ctx.run_ui(input, |ui| {
                offsets = ["upper", "lower"].map(|salt| {
                    let area = ScrollArea::vertical().max_height(90.0);
                    let shown = scroll(area, salt, ui, |ui| {
                        ui.allocate_space(vec2(100.0, 300.0));
                    });
                    shown.state.clamped_offset().y
                });
            });
            output.textures_delta.clear();
            offsets
        };
        for _ in 0..3 {
            draw(vec![Event::PointerMoved(pos2(50.0, 40.0))]);
        }
        for _ in 0..3 {
            draw(vec![wheel_step()]);
        }
        draw(vec![Event::PointerMoved(pos2(50.0, 140.0))]);
        let mut offsets = [0.0, 0.0];
        for _ in 0..4 {
            offsets = draw(vec![wheel_step()]);
        }
        assert!(offsets[0] > 0.0 && offsets[1] == 0.0, "{offsets:?}");
        // Once the wheel rests, it scrolls the list below the pointer.
        for _ in 0..40 {
            draw(Vec::new());
        }
        for _ in 0..4 {
            offsets = draw(vec![wheel_step()]);
        }
        assert!(offsets[1] > 0.0, "{offsets:?}");
    }

    #[test]
    fn controls_at_the_end_of_a_line_are_drawn_from_left_to_right() {
        let room = Rect::from_min_size(pos2(0.0, 0.0), vec2(300.0, 100.0));
        let input = RawInput { screen_rect: Some(room), ..RawInput::default() };
        let mut places = Vec::new();
        let mut output = Context::default().run_ui(input, |ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let one = |ui: &mut Ui, width| {
                    ui.allocate_exact_size(vec2(width, 20.0), Sense::click()).0
                };
                places = at_line_end(ui, |ui| vec![one(ui, 40.0), one(ui, 60.0)]);
            });
        });
        output.textures_delta.clear();
        // The first frame is complete.
        let [first, second] = places[..] else { panic!("{places:?}") };
        assert!(first.right() <= second.left(), "{places:?}");
        assert!((second.right() - room.right()).abs() < 0.5, "{places:?}");
    }

    #[test]
    fn the_edge_of_an_area_does_not_cut_the_ring_off() {
        let (ctx, control) = (Context::default(), Id::unique("control"));
        let place = Rect::from_min_size(pos2(40.0, 40.0), vec2(50.0, 20.0));
        ctx.memory_mut(|memory| memory.request_focus(control));
        let mut output = ctx.run_ui(RawInput::default(), |ui| {
            ui.set_clip_rect(place);
            let response = ui.interact(place, control, Sense::click());
            focus_ring(ui, &Theme::DARK, &response, 0);
        });
        output.textures_delta.clear();
        let is_ring = |shape: &Shape| matches!(shape, Shape::Rect(it) if it.stroke.width > 1.0);
        let ring = output.shapes.iter().find(|it| is_ring(&it.shape)).unwrap();
        assert!(ring.clip_rect.contains_rect(ring.shape.visual_bounding_rect()), "{ring:?}");
    }

    #[test]
    fn the_focus_scrolls_the_page_around_a_list() {
        let mut nested = Nested::default();
        nested.draw(Vec::new());
        let control = nested.control.unwrap();
        nested.ctx.memory_mut(|memory| memory.request_focus(control));
        let mut offsets = (0.0, 0.0);
        for _ in 0..60 {
            offsets = nested.draw(Vec::new());
        }
        assert_eq!(nested.ctx.memory(egui::Memory::focused), Some(control));
        assert!(offsets.1 > 200.0, "the list: {offsets:?}");
        assert!(offsets.0 > 50.0, "the page: {offsets:?}");
        let rect = nested.ctx.read_response(control).unwrap().rect;
        assert!(rect.max.y <= 200.0 && rect.min.y >= 0.0 && rect.size() != Vec2::ZERO, "{rect:?}");
    }
}
