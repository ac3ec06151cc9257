//! A slider: a thin rail and a round handle.

use std::ops::RangeInclusive;

use egui::accesskit::Action;
use egui::{Key, Modifiers, PointerButton, Response, Slider, SliderClamping, Ui, ViewportId};

use crate::ui::style::theme::{FOCUS_RING_WIDTH, Theme};
use crate::ui::widgets::focus_in_view;

/// Rounding step of the value while the user drags the handle.
const MOUSE_STEP: f64 = 0.01;

/// The smallest value above zero that the handle of a logarithmic slider reaches.
const MIN_LOG_VALUE: f32 = 0.1;

/// The number of arrow keys that Page Up and Page Down are equal to.
const PAGE_STEPS: f32 = 10.0;

/// The distribution of the values along the rail.
#[derive(Copy, Clone, Debug)]
enum Scale {
    /// Multiples of this step at equal distances.
    Linear(f64),
    Logarithmic,
}

/// The steps of the value on a linear slider.
#[derive(Copy, Clone, Debug)]
struct Steps {
    /// The rounding step while the user drags the handle.
    mouse: f64,
    /// The step of an arrow key.
    key: f32,
}

/// The drag of a bar's handle. It belongs to the window in which it began.
#[derive(Copy, Clone, Debug, Default)]
pub struct HandleDrag(Option<HeldHandle>);

/// A handle that the user holds.
#[derive(Copy, Clone, Debug)]
struct HeldHandle {
    /// The position on the bar, 0…1.
    share: f32,
    window: ViewportId,
    /// The pass in which the bar was drawn last.
    pass: u64,
}

impl HandleDrag {
    /// Follows the pointer, which points to the position `pointed`. Returns the position at which
    /// the user has released the handle.
    pub fn follow(&mut self, ui: &Ui, response: &Response, pointed: Option<f32>) -> Option<f32> {
        let is_held = response.dragged() || response.is_pointer_button_down_on();
        let (window, pass) = (ui.ctx().viewport_id(), ui.ctx().cumulative_pass_nr());
        let released = self.update(is_held.then_some(pointed), window, pass);
        // A click that begins and ends between two frames never holds the handle.
        released.or(pointed.filter(|_| response.clicked()))
    }

    /// Returns the position of the handle while the user holds it.
    pub fn share(&self, ui: &Ui) -> Option<f32> {
        self.0.filter(|it| it.window == ui.ctx().viewport_id()).map(|it| it.share)
    }

    fn update(&mut self, held: Option<Option<f32>>, window: ViewportId, pass: u64) -> Option<f32> {
        if let Some(pointed) = held {
            self.0 = pointed.map(|share| HeldHandle { share, window, pass });
            return None;
        }
        let released = self.0.take_if(|it| it.window == window)?;
        // If another page was drawn in between, the end of the drag is unknown.
        (released.pass + 1 >= pass).then_some(released.share)
    }
}

/// Draws a slider for `value` within `range`. `name` is the accessible name. A double click resets
/// the value to `rest`, and so does Backspace. An arrow key moves the value by about a hundredth of the range.
pub fn slider(
    ui: &mut Ui,
    theme: &Theme,
    value: &mut f32,
    range: RangeInclusive<f32>,
    rest: f32,
    name: &str,
    width: f32,
) -> Response {
    let steps = Steps { mouse: MOUSE_STEP, key: key_step(&range, MOUSE_STEP as f32) };
    moved_by_keys(ui, theme, value, (range, steps), Some(rest), name, width)
}

/// Draws a slider whose value the user changes only to multiples of `step`. Another value stays as
/// it is until then.
pub fn whole_slider(
    ui: &mut Ui,
    theme: &Theme,
    value: &mut f32,
    (range, step): (RangeInclusive<f32>, f32),
    rest: f32,
    name: &str,
    width: f32,
) -> Response {
    let (least, most) = (*range.start(), *range.end());
    let steps = Steps { mouse: MOUSE_STEP, key: key_step(&range, step) };
    let response = moved_by_keys(ui, theme, value, (range, steps), Some(rest), name, width);
    if response.changed() {
        *value = ((*value / step).round() * step).clamp(least, most);
    }
    response
}

/// Draws a logarithmic slider, whose middle is in the useful range of frequencies, times and factors.
/// A double click or Backspace resets the value to `rest`.
pub fn log_slider(
    ui: &mut Ui,
    theme: &Theme,
    value: &mut f32,
    range: RangeInclusive<f32>,
    rest: f32,
    name: &str,
    width: f32,
) -> Response {
    let before = *value;
    let mut response = stepped(ui, theme, value, (range.clone(), Scale::Logarithmic), width);
    let presses = presses(ui, &response, [Key::ArrowLeft, Key::ArrowRight]);
    if let Some(moved) = jump_by_key(ui, &response, &range, Some(rest)) {
        *value = moved;
        response.mark_changed();
    } else if presses != 0.0 {
        // An arrow key of egui moves the handle by only one point.
        let percent = (handle_share(before, &range, Scale::Logarithmic) * 100.0).round();
        *value = log_value((percent + presses) / 100.0, &range);
        response.mark_changed();
    } else if is_double_clicked(ui, &response) {
        *value = rest;
        response.mark_changed();
    }
    response.accessible_name(name)
}

/// Returns true if the user double-clicked this slider. A slider of egui senses drags only, so
/// [`Response::double_clicked`] is always false.
pub fn is_double_clicked(ui: &Ui, slider: &Response) -> bool {
    let button = PointerButton::Primary;
    slider.hovered() && ui.input(|input| input.pointer.button_double_clicked(button))
}

fn moved_by_keys(
    ui: &mut Ui,
    theme: &Theme,
    value: &mut f32,
    (range, steps): (RangeInclusive<f32>, Steps),
    rest: Option<f32>,
    name: &str,
    width: f32,
) -> Response {
    let before = *value;
    let scale = Scale::Linear(steps.mouse);
    let mut response = stepped(ui, theme, value, (range.clone(), scale), width);
    let keys = [Key::ArrowLeft, Key::ArrowRight];
    if let Some(moved) = value_by_keys(ui, &response, keys, before, (range, steps.key), rest) {
        *value = moved;
        response.mark_changed();
    } else if let Some(rest) = rest.filter(|_| is_double_clicked(ui, &response)) {
        *value = rest;
        response.mark_changed();
    }
    response.accessible_name(name)
}

/// Returns the step of an arrow key: about a hundredth of the range, and at least `step`.
pub fn key_step(range: &RangeInclusive<f32>, step: f32) -> f32 {
    round_step((range.end() - range.start()) / 100.0).max(step)
}

/// Returns the value of a slider after its keys or a screen reader have moved it from `before`. The first
/// arrow key decreases the value, and the second one increases it. Page Up and Page Down move the value
/// further, Home and End lead to the ends of the range, and Backspace leads to `rest`, if any.
pub fn value_by_keys(
    ui: &Ui,
    response: &Response,
    [less, more]: [Key; 2],
    before: f32,
    (range, key_step): (RangeInclusive<f32>, f32),
    rest: Option<f32>,
) -> Option<f32> {
    if let Some(moved) = jump_by_key(ui, response, &range, rest) {
        return Some(moved);
    }
    let presses = presses(ui, response, [less, more]);
    let moved = ((before / key_step).round() + presses) * key_step;
    (presses != 0.0).then(|| moved.clamp(*range.start(), *range.end()))
}

/// Returns how many steps the keys and a screen reader increase the value of a slider.
fn presses(ui: &Ui, response: &Response, [less, more]: [Key; 2]) -> f32 {
    let has_focus = response.has_focus();
    ui.input_mut(|input| {
        let requests = |action| input.num_accesskit_action_requests(response.id, action) as f32;
        let requests = requests(Action::Increment) - requests(Action::Decrement);
        if !has_focus {
            return requests;
        }
        let [less, more] = [less, more].map(|key| input.num_presses(key) as f32);
        let [up, down] = [Key::PageUp, Key::PageDown]
            .map(|key| input.count_and_consume_key(Modifiers::NONE, key) as f32);
        requests + more - less + (up - down) * PAGE_STEPS
    })
}

/// Returns the value to which Home, End or Backspace moves a slider with the focus.
fn jump_by_key(
    ui: &Ui,
    response: &Response,
    range: &RangeInclusive<f32>,
    rest: Option<f32>,
) -> Option<f32> {
    let ends = [(Key::Home, Some(*range.start())), (Key::End, Some(*range.end()))];
    let keys = ends.into_iter().chain([(Key::Backspace, rest)]);
    let is_pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    let mut values = keys.filter_map(|(key, value)| Some((key, value?)));
    let pressed = values.find(|(key, _)| response.has_focus() && is_pressed(*key));
    pressed.map(|(_, value)| value)
}

/// Returns the value at this position on the rail of a logarithmic slider, 0…1.
fn log_value(share: f32, range: &RangeInclusive<f32>) -> f32 {
    let (least, most) = (*range.start(), *range.end());
    if share <= 0.0 {
        return least;
    }
    let start = least.max(MIN_LOG_VALUE);
    (start * (most / start).powf(share)).clamp(least, most)
}

/// Rounds a step to 1, 2 or 5 times a power of ten.
fn round_step(step: f32) -> f32 {
    let unit = 10_f32.powf(step.log10().floor());
    let factor = step / unit;
    let factor = [1.0, 2.0, 5.0].into_iter().find(|it| factor <= it * 1.5).unwrap_or(10.0);
    factor * unit
}

/// Draws a slider for a whole number from 0 to 255, which has no default value.
pub fn byte_slider(ui: &mut Ui, theme: &Theme, value: &mut u8, name: &str, width: f32) -> Response {
    let (mut number, steps) = (f32::from(*value), Steps { mouse: 1.0, key: 1.0 });
    let response = moved_by_keys(ui, theme, &mut number, (0.0..=255.0, steps), None, name, width);
    *value = number.round() as u8;
    response
}

fn stepped(
    ui: &mut Ui,
    theme: &Theme,
    value: &mut f32,
    (range, scale): (RangeInclusive<f32>, Scale),
    width: f32,
) -> Response {
    let response = ui
        .scope(|ui| {
            ui.spacing_mut().slider_width = width;
            ui.spacing_mut().interact_size.y = 20.0;
            let widgets = &mut ui.visuals_mut().widgets;
            // The handle has the text color, and the rail has the line color.
            widgets.inactive.bg_fill = theme.line;
            for widget in [&mut widgets.inactive, &mut widgets.hovered, &mut widgets.active] {
                widget.fg_stroke.color = theme.line;
            }
            ui.visuals_mut().selection.bg_fill = theme.secondary;
            // A value between two steps stays as it is until the user moves the handle.
            let slider = Slider::new(value, range.clone()).clamping(SliderClamping::Edits);
            let slider = match scale {
                Scale::Linear(step) => slider.step_by(step).smart_aim(false),
                Scale::Logarithmic => {
                    slider.logarithmic(true).smallest_positive(f64::from(MIN_LOG_VALUE))
                }
            };
            ui.add(slider.show_value(false))
        })
        .inner;
    // This draws a solid handle over egui's ring; its radius and travel are those of
    // `egui::Slider`.
    let travel = response.rect.x_range().shrink(response.rect.height() / 2.5);
    let share = handle_share(*value, &range, scale);
    let at = egui::pos2(travel.min + travel.span() * share, response.rect.center().y);
    let radius = if response.hovered() || response.dragged() { 8.0 } else { 7.0 };
    ui.painter().circle_filled(at, radius, theme.text);
    if response.has_focus() {
        let ring = egui::Stroke::new(FOCUS_RING_WIDTH, theme.accent);
        ui.painter().circle_stroke(at, radius + 3.0, ring);
        focus_in_view(ui, response.id, response.rect);
    }
    response
}

/// Returns the position of the handle on the rail, 0…1.
fn handle_share(value: f32, range: &RangeInclusive<f32>, scale: Scale) -> f32 {
    let (start, end) = (*range.start(), *range.end());
    let share = match scale {
        Scale::Linear(_) => (value - start) / (end - start),
        Scale::Logarithmic => {
            let start = start.max(MIN_LOG_VALUE);
            (value.max(start) / start).ln() / (end / start).ln()
        }
    };
    share.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use egui::epaint::ClippedShape;
    use egui::{
        Context, Event, Id, Modifiers, PointerButton, Pos2, RawInput, Rect, Sense, Shape, pos2,
        vec2,
    };

    use super::*;

    #[test]
    fn drawing_a_slider_does_not_change_its_value() {
        // Values between two steps, and one out of range.
        for before in [0.3333_f32, 0.005, 1.5] {
            let (ctx, mut value) = (Context::default(), before);
            for _ in 0..3 {
                let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, vec2(400.0, 400.0)));
                let input = RawInput { screen_rect, ..RawInput::default() };
                let mut output = ctx.run_ui(input, |ui| {
                    let range = 0.0..=1.0;
                    let moved = slider(ui, &Theme::DARK, &mut value, range, 1.0, "Opacity", 200.0);
                    assert!(!moved.changed(), "{before}");
                });
                output.textures_delta.clear();
            }
            assert_eq!(value.to_bits(), before.to_bits());
        }
    }

    type Draw = fn(&mut Ui, &mut f32) -> Response;

    /// A linear slider, and logarithmic ones that start above zero and at zero.
    const SLIDERS: [Draw; 3] = [
        |ui, value| slider(ui, &Theme::DARK, value, 1.0..=100.0, 20.0, "Size", 200.0),
        |ui, value| log_slider(ui, &Theme::DARK, value, 1.0..=100.0, 20.0, "Size", 200.0),
        |ui, value| log_slider(ui, &Theme::DARK, value, 0.0..=64.0, 20.0, "Size", 200.0),
    ];

    /// Draws a slider at this time. Returns its place and the shapes of the frame.
    fn frame(
        ctx: &Context,
        time: f64,
        events: Vec<Event>,
        draw: Draw,
        value: &mut f32,
    ) -> (Rect, Vec<ClippedShape>) {
        let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, vec2(400.0, 400.0)));
        let input = RawInput { screen_rect, time: Some(time), events, ..RawInput::default() };
        let mut rect = Rect::NOTHING;
        let mut output = ctx.run_ui(input, |ui| rect = draw(ui, value).rect);
        output.textures_delta.clear();
        (rect, std::mem::take(&mut output.shapes))
    }

    fn key_event(key: Key, pressed: bool) -> Event {
        let (physical_key, repeat, modifiers) = (None, false, Modifiers::NONE);
        Event::Key { key, physical_key, pressed, repeat, modifiers }
    }

    fn button(pos: Pos2, pressed: bool) -> Event {
        let (button, modifiers) = (PointerButton::Primary, Modifiers::NONE);
        Event::PointerButton { pos, button, pressed, modifiers }
    }

    #[test]
    fn a_double_click_resets_every_slider() {
        for draw in SLIDERS {
            let (ctx, mut value) = (Context::default(), 50.0);
            let (rect, _) = frame(&ctx, 0.0, Vec::new(), draw, &mut value);
            let pos = pos2(rect.left() + 30.0, rect.center().y);
            let [down, up] = [true, false].map(|pressed| button(pos, pressed));
            let click = [(0.04, down.clone()), (0.06, up.clone())];
            let moved = (0.02, Event::PointerMoved(pos));
            for (time, event) in [moved].into_iter().chain(click) {
                frame(&ctx, time, vec![event], draw, &mut value);
            }
            assert!(value < 20.0, "one click moves the handle: {value}");
            for (time, event) in [(0.08, down), (0.10, up)] {
                frame(&ctx, time, vec![event], draw, &mut value);
            }
            assert_eq!(value.to_bits(), 20.0_f32.to_bits(), "{value}");
        }
    }

    #[test]
    fn keys_move_every_slider_to_its_ends_and_its_rest() {
        for draw in SLIDERS {
            let (ctx, mut value) = (Context::default(), 50.0);
            let press = |key, value: &mut f32| {
                for pressed in [true, false] {
                    frame(&ctx, 0.0, vec![key_event(key, pressed)], draw, value);
                }
                *value
            };
            // Tab gives the focus to the slider.
            press(Key::Tab, &mut value);
            assert!(press(Key::PageUp, &mut value) > 51.0, "{value}");
            assert!(press(Key::PageDown, &mut value) < 51.0, "{value}");
            let [least, most] = [Key::Home, Key::End].map(|key| press(key, &mut value));
            assert!(least <= 1.0 && most >= 64.0, "{least} {most}");
            assert!((press(Key::Backspace, &mut value) - 20.0).abs() < 1e-3, "{value}");
            // Ten arrow keys are as much as one page.
            let page = press(Key::PageUp, &mut value);
            press(Key::PageDown, &mut value);
            let arrows = [Key::ArrowRight; 10].map(|key| press(key, &mut value));
            assert!((arrows[9] / page - 1.0).abs() < 1e-3, "{arrows:?} {page}");
        }
    }

    #[test]
    fn a_slider_without_a_default_value_has_no_key_for_it() {
        let draw: Draw = |ui, value| {
            let mut byte = *value as u8;
            let response = byte_slider(ui, &Theme::DARK, &mut byte, "Red", 200.0);
            assert!(!response.changed());
            *value = f32::from(byte);
            response
        };
        let (ctx, mut value) = (Context::default(), 50.0);
        for key in [Key::Tab, Key::Backspace] {
            frame(&ctx, 0.0, vec![key_event(key, true)], draw, &mut value);
        }
        assert!((value - 50.0).abs() < 0.1, "{value}");
    }

    #[test]
    fn every_slider_has_a_solid_handle_below_the_pointer() {
        for draw in SLIDERS {
            let (ctx, mut value) = (Context::default(), 50.0);
            let (rect, _) = frame(&ctx, 0.0, Vec::new(), draw, &mut value);
            let pos = pos2(rect.left() + 80.0, rect.center().y);
            frame(&ctx, 0.02, vec![Event::PointerMoved(pos)], draw, &mut value);
            frame(&ctx, 0.04, vec![button(pos, true)], draw, &mut value);
            let (_, shapes) = frame(&ctx, 0.06, Vec::new(), draw, &mut value);
            let handle = shapes.iter().rev().find_map(|it| match &it.shape {
                Shape::Circle(circle) if circle.fill == Theme::DARK.text => Some(circle.center),
                _ => None,
            });
            let handle = handle.expect("a solid handle");
            assert!((handle.x - pos.x).abs() < 2.0, "{handle:?} {pos:?}");
        }
    }

    #[test]
    fn a_handle_that_was_released_on_another_page_stays_where_it_was() {
        let window = ViewportId::ROOT;
        let mut drag = HandleDrag::default();
        assert_eq!(drag.update(Some(Some(0.25)), window, 1), None);
        assert_eq!(drag.update(Some(Some(0.5)), window, 2), None);
        assert_eq!(drag.update(None, window, 3), Some(0.5));
        assert_eq!(drag.update(None, window, 4), None, "released once");
        // The user changes the page by a key during the drag, and releases the button there.
        assert_eq!(drag.update(Some(Some(0.75)), window, 5), None);
        assert_eq!(drag.update(None, window, 90), None);
        assert_eq!(drag.update(None, window, 91), None);
    }

    #[test]
    fn a_click_between_two_frames_moves_the_handle() {
        let (ctx, mut drag, mut released) = (Context::default(), HandleDrag::default(), Vec::new());
        let pos = pos2(100.0, 10.0);
        let click = [Event::PointerMoved(pos), button(pos, true), button(pos, false)];
        for events in [Vec::new(), click.to_vec(), Vec::new()] {
            let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, vec2(400.0, 400.0)));
            let input = RawInput { screen_rect, events, ..RawInput::default() };
            let mut output = ctx.run_ui(input, |ui| {
                let bar = Rect::from_min_size(Pos2::ZERO, vec2(400.0, 20.0));
                let response = ui.interact(bar, Id::unique("bar"), Sense::click_and_drag());
                let pointed = response.interact_pointer_pos().map(|at| at.x / 400.0);
                released.extend(drag.follow(ui, &response, pointed));
            });
            output.textures_delta.clear();
        }
        assert_eq!(released, [0.25]);
    }

    #[test]
    fn the_bar_of_another_window_does_not_end_a_drag() {
        let (window, other) = (ViewportId::ROOT, ViewportId::from_hash_of("other"));
        let mut drag = HandleDrag::default();
        assert_eq!(drag.update(Some(Some(0.25)), window, 10), None);
        assert_eq!(drag.update(None, other, 3), None);
        assert_eq!(drag.update(None, window, 11), Some(0.25));
    }
}
