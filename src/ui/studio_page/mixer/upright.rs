//! Strips with vertical faders, for a tall mixer panel.

use std::ops::RangeInclusive;

use egui::style::HandleShape;
use egui::{
    Align, CornerRadius, Key, Rect, Sense, Slider, SliderClamping, Stroke, StrokeKind, Ui, Vec2,
    pos2, vec2,
};

use crate::mix::StripLamp;
use crate::ui::studio_page::mixer::clip_lamps;
use crate::ui::studio_page::mixer::strip::{self, BUTTON_SIDE_POINTS, Strip, StripParts, part};
use crate::ui::style::icons::{self, Icon};
use crate::ui::style::theme::{CARD_RADIUS, FOCUS_RING_WIDTH, Theme, Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::{
    Level, Levels, elided, is_double_clicked, key_step, row_in, upright_meter, value_by_keys,
};

/// The width of a meter.
const METER_WIDTH_POINTS: f32 = 20.0;
/// The distance between the meter and the middle of a strip with a fader. The scale on the left of the
/// meter and the fader then have room in the narrowest strip.
const METER_OFFSET_POINTS: f32 = 18.0;
/// The size of a lit clip lamp in points.
const CLIP_LAMP_SIZE: Vec2 = vec2(44.0, 22.0);
/// The size of a fader's handle in points.
const FADER_HANDLE_SIZE: Vec2 = vec2(22.0, 11.0);
/// What the gain is rounded to while the handle is dragged, in decibels.
const MOUSE_STEP_DB: f64 = 0.1;
/// The range of a fader in decibels.
const FADER_RANGE_DB: RangeInclusive<f32> = -60.0..=20.0;
/// The aspect ratio of egui's own handle, which the drawn handle covers.
const HANDLE_ASPECT_RATIO: f32 = 0.5;

/// The common parts of all vertical strips, from top to bottom: icon, name, meter, level.
struct Column<'a> {
    icon: Icon,
    name: &'a str,
    level: &'a str,
    color: egui::Color32,
    levels: Levels,
    silent: bool,
    /// True if there is a fader beside the meter.
    fader: bool,
    /// The clip lamp, which is in the place of the icon while it is lit.
    lamp: Option<StripLamp>,
}

/// Draws the column. Returns the space beside the meter.
fn column(ui: &mut Ui, view: &mut View<'_>, column: &Column<'_>, rect: Rect, foot: f32) -> Rect {
    let theme = view.theme;
    ui.painter().rect_filled(rect, CornerRadius::same(CARD_RADIUS), theme.canvas);
    let inner = rect.shrink(gap::S);
    let line = |top: f32, height: f32| {
        Rect::from_min_size(pos2(inner.left(), top), vec2(inner.width(), height))
    };
    let top = line(inner.top(), 18.0).center();
    match column.lamp {
        Some(lamp) => {
            let place = Rect::from_center_size(top, CLIP_LAMP_SIZE);
            clip_lamps::lamp(ui, view, place, column.name, lamp);
        }
        None => {
            icons::paint_at(ui.painter(), column.icon, top, 16.0, theme.secondary);
        }
    }
    let font = Type::Figure.font();
    elided(ui, line(inner.top() + 20.0, 18.0), Align::Center, column.name, font, theme.text);
    let below = line(inner.bottom() - foot - 18.0, 18.0);
    let font = Type::FigureStrong.font();
    elided(ui, below, Align::Center, column.level, font, column.color);
    let room = inner.with_min_y(inner.top() + 44.0).with_max_y(below.top() - gap::XS);
    let left = if column.fader { METER_OFFSET_POINTS } else { METER_WIDTH_POINTS / 2.0 };
    let at = Rect::from_min_size(
        pos2(room.center().x - left, room.top()),
        vec2(METER_WIDTH_POINTS, room.height()),
    );
    let name = view.texts.with("level-of", &[("name", column.name.into())]);
    let muted = column.silent;
    let shown = Level { name: &name, words: column.level, levels: column.levels, muted };
    let mut bar = part(ui, at, "meter");
    upright_meter(&mut bar, theme, &shown, at.size()).on_hover_text(&*view.texts.get("tip-level"));
    room.with_min_x(at.right() + gap::S)
}

/// Draws a vertical slider with a wide handle.
fn fader(ui: &mut Ui, theme: &Theme, value: &mut f32, name: &str, height: f32) -> egui::Response {
    ui.spacing_mut().slider_width = height;
    let visuals = ui.visuals_mut();
    visuals.widgets.inactive.bg_fill = theme.line;
    visuals.handle_shape = HandleShape::Rect { aspect_ratio: HANDLE_ASPECT_RATIO };
    visuals.slider_trailing_fill = false;
    let before = *value;
    // A gain between two steps stays as it is until the user moves the handle.
    let slider = Slider::new(value, FADER_RANGE_DB).clamping(SliderClamping::Edits);
    let slider = slider.vertical().show_value(false).step_by(MOUSE_STEP_DB);
    let response = ui.add(slider).accessible_name(name);
    let keys = [Key::ArrowDown, Key::ArrowUp];
    let step = key_step(&FADER_RANGE_DB, MOUSE_STEP_DB as f32);
    if let Some(moved) =
        value_by_keys(ui, &response, keys, before, (FADER_RANGE_DB, step), Some(0.0))
    {
        *value = moved;
    }
    // The travel is that of `egui::Slider`.
    let travel = response.rect.y_range().shrink(response.rect.width() / 2.5 * HANDLE_ASPECT_RATIO);
    let share = (*value - FADER_RANGE_DB.start()) / (FADER_RANGE_DB.end() - FADER_RANGE_DB.start());
    let at = pos2(response.rect.center().x, travel.max - travel.span() * share.clamp(0.0, 1.0));
    let handle = Rect::from_center_size(at, FADER_HANDLE_SIZE);
    ui.painter().rect_filled(handle, CornerRadius::same(3), theme.text);
    ui.painter().hline(handle.shrink(3.0).x_range(), at.y, Stroke::new(1.0, theme.canvas));
    if response.has_focus() {
        let ring = Stroke::new(FOCUS_RING_WIDTH, theme.accent);
        let radius = CornerRadius::same(5);
        ui.painter().rect_stroke(handle.expand(2.0), radius, ring, StrokeKind::Outside);
    }
    response
}

/// Draws a strip.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, strip: &Strip, rect: Rect) -> StripParts {
    let shown = Column {
        icon: strip.icon,
        name: &strip.name,
        level: &strip.level,
        color: strip.color(view),
        levels: strip.levels,
        silent: strip.silent.is_some(),
        fader: true,
        lamp: strip.clipped.then_some(StripLamp::Strip(strip.id)),
    };
    let area = ui.interact(rect, ui.scope_id().with("strip"), Sense::CLICK);
    let foot = BUTTON_SIDE_POINTS + gap::XS;
    let beside = column(ui, view, &shown, rect, foot);
    let mut at = part(ui, beside, "fader");
    let mut gain = strip.gain_db;
    let name = strip.fader_name(view);
    let moved = fader(&mut at, view.theme, &mut gain, &name, beside.height());
    if is_double_clicked(ui, &moved) || moved.dragged() && gain.abs() < 0.6 {
        gain = 0.0;
    }
    let moved = moved.on_hover_text(&*view.texts.get("tip-gain"));
    let line = button_row(rect).with_min_x(rect.center().x - BUTTON_SIDE_POINTS - 2.0);
    let mut buttons = row_in(ui, line, "buttons", gap::XS);
    let (mute, muted) = strip.mute(&mut buttons, view);
    if muted != strip.muted || gain.to_bits() != strip.gain_db.to_bits() {
        strip.set(view, gain, muted);
    }
    let settings = strip.settings(&mut buttons, view);
    StripParts { area, controls: [mute, moved, settings] }
}

/// Returns the row of buttons at the end of a strip.
fn button_row(strip: Rect) -> Rect {
    let bottom = strip.bottom() - gap::S;
    strip.with_min_y(bottom - BUTTON_SIDE_POINTS).with_max_y(bottom)
}

/// Draws the program's strip.
pub(super) fn program(ui: &mut Ui, view: &mut View<'_>, rect: Rect) {
    let reading = view.snapshot.loudness;
    let (name, level) = (view.texts.get("mixer-program").to_string(), strip::loudness(view));
    let shown = Column {
        icon: Icon::Broadcast,
        name: &name,
        level: &level,
        color: if reading.clipped { view.theme.live } else { view.theme.secondary },
        levels: reading.into(),
        silent: false,
        fader: false,
        lamp: reading.clipped.then_some(StripLamp::Program),
    };
    column(ui, view, &shown, rect, BUTTON_SIDE_POINTS + gap::XS);
    let line = button_row(rect.shrink2(vec2(gap::XS, 0.0)));
    let mut at = part(ui, line, "monitoring");
    crate::ui::studio_page::mixer::monitoring::button(&mut at, view, line.width(), false);
}
