//! The position of an item on the canvas, and its blending with the layers below.

use egui::{
    Align, Align2, Color32, CornerRadius, DragValue, Layout, Sense, Stroke, StrokeKind, Ui,
    UiBuilder, pos2, vec2,
};

use std::time::Duration;

use crate::compose::scene::{Crop, Item, ItemTransition, ItemTransitionKind, Placement};
use crate::media::Size;
use crate::studio::{Command, Edit};
use crate::ui::input::actions::key;
use crate::ui::scenes::draft::{BLEND_MODES, FIT_MODES, natural};
use crate::ui::scenes::placement;
use crate::ui::scenes::source::fields::{caption, choice, line};
use crate::ui::scenes::source::seconds;
use crate::ui::style::theme::{CONTROL_RADIUS, Type, gap, size};
use crate::ui::view::View;
use crate::ui::widgets::{
    NumberFault, label, number_fault, number_field, paragraph, place, slider,
};

/// Minimum distance of a number from the left edge of its field, in points.
const MIN_MARK_WIDTH_POINTS: f32 = 30.0;
/// Distance of the mark before a number from the left edge of the field, in points.
const MARK_INSET_POINTS: f32 = 10.0;
/// Width of the value after a slider, in points.
const VALUE_WIDTH_POINTS: f32 = 52.0;

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, item: &Item) {
    let texts = view.texts;
    caption(ui, view, &texts.get("inspector-place"));
    if item.locked {
        paragraph(ui, &texts.get("inspector-locked"), Type::Small, view.theme.secondary);
    }
    let mut now = item.place;
    ui.add_enabled_ui(!item.locked, |ui| {
        placed(ui, view, &mut now, natural(view.snapshot, item));
    });
    if now != item.place && !item.locked {
        view.send(Command::Edit(Edit::SetPlace(item.id, now)));
    }
    let mut blend = item.blend;
    choice(ui, view, key!("item-blend"), &BLEND_MODES, &mut blend);
    if blend != item.blend {
        view.send(Command::Edit(Edit::SetBlend(item.id, blend)));
    }
    let name = texts.get("item-opacity").to_string();
    let mut opacity = item.opacity;
    line(ui, view, &name, |ui, view| {
        let width = ui.available_width() - VALUE_WIDTH_POINTS;
        slider(ui, view.theme, &mut opacity, 0.0..=1.0, 1.0, &name, width);
        let percent = format!("{:.0}\u{a0}%", opacity * 100.0);
        label(ui, &percent, Type::FigureStrong, view.theme.text);
    });
    if opacity.to_bits() != item.opacity.to_bits() {
        view.send(Command::Edit(Edit::SetOpacity(item.id, opacity)));
    }
}

/// The transitions of an item with the keys of their names.
const TRANSITIONS: [(&str, Option<ItemTransitionKind>); 6] = [
    (key!("item-transition-none"), None),
    (key!("item-transition-fade"), Some(ItemTransitionKind::Fade)),
    (key!("item-transition-left"), Some(ItemTransitionKind::SlideLeft)),
    (key!("item-transition-right"), Some(ItemTransitionKind::SlideRight)),
    (key!("item-transition-top"), Some(ItemTransitionKind::SlideTop)),
    (key!("item-transition-bottom"), Some(ItemTransitionKind::SlideBottom)),
];

/// Draws how the item appears when it is shown, and disappears when it is hidden.
pub(super) fn transitions(ui: &mut Ui, view: &mut View<'_>, item: &Item) {
    caption(ui, view, &view.texts.get("inspector-transitions"));
    let mut one = |key, before: Option<ItemTransition>| {
        let mut kind = before.map(|it| it.kind);
        choice(ui, view, key, &TRANSITIONS, &mut kind);
        let mut now = kind.map(|kind| ItemTransition { kind, ..before.unwrap_or_default() });
        if let Some(now) = &mut now {
            ui.push_id(key, |ui| {
                let range = Duration::ZERO..=ItemTransition::MAX;
                seconds(ui, view, key!("transition-duration"), &mut now.duration, range);
            });
        }
        (now != before).then_some(now)
    };
    let edits = [
        one(key!("item-show-by"), item.show).map(|it| Edit::SetShow(item.id, it)),
        one(key!("item-hide-by"), item.hide).map(|it| Edit::SetHide(item.id, it)),
    ];
    for edit in edits.into_iter().flatten() {
        view.send(Command::Edit(edit));
    }
}

/// Draws the frame as the canvas shows it, its rotation, the crop, and the fit.
fn placed(ui: &mut Ui, view: &mut View<'_>, now: &mut Placement, natural: Size) {
    let texts = view.texts;
    let canvas = view.snapshot.quality.size;
    let frame = placement::tight(now, natural, canvas);
    let [mut x, mut y, mut width, mut height] = placement::pixels(&frame, canvas);
    let most = 50.0 * f64::from(canvas.width.max(canvas.height));
    let corner = [
        Number { mark: "X", name: key!("placement-x"), value: &mut x, range: [-most, most] },
        Number { mark: "Y", name: key!("placement-y"), value: &mut y, range: [-most, most] },
    ];
    pair(ui, view, corner, "");
    let range = [2.0, most];
    let sides = [
        Number { mark: "W", name: key!("placement-width"), value: &mut width, range },
        Number { mark: "H", name: key!("placement-height"), value: &mut height, range },
    ];
    pair(ui, view, sides, "");
    *now = placement::framed(now, natural, canvas, [x, y, width, height]);
    let name = texts.get("placement-rotation").to_string();
    let mut fault = None;
    line(ui, view, &name, |ui, view| {
        let turns = [-360.0, 360.0];
        let (name, value) = (key!("placement-rotation"), &mut now.rotation);
        let width = (ui.available_width() - gap::S) / 2.0;
        fault = number(ui, view, Number { mark: "", name, value, range: turns }, "°", width);
    });
    number_fault(ui, view, fault, "°");
    caption(ui, view, &texts.get("inspector-crop"));
    let Crop { left, top, right, bottom } = now.crop;
    let shown = [left, top, right, bottom].map(|side| side * 100.0);
    let [mut left, mut top, mut right, mut bottom] = shown;
    let range = [0.0, 99.0];
    let marks = [
        key!("crop-mark-left"),
        key!("crop-mark-right"),
        key!("crop-mark-top"),
        key!("crop-mark-bottom"),
    ]
    .map(|key| texts.get(key).to_string());
    let [l, r, t, b] = &marks;
    let across = [
        Number { mark: l, name: key!("crop-left"), value: &mut left, range },
        Number { mark: r, name: key!("crop-right"), value: &mut right, range },
    ];
    pair(ui, view, across, "\u{a0}%");
    let down = [
        Number { mark: t, name: key!("crop-top"), value: &mut top, range },
        Number { mark: b, name: key!("crop-bottom"), value: &mut bottom, range },
    ];
    pair(ui, view, down, "\u{a0}%");
    let sides = [left, top, right, bottom];
    // The conversion to percent and back can round.
    if sides.map(f64::to_bits) != shown.map(f64::to_bits) {
        let [left, top, right, bottom] = sides.map(|side| side / 100.0);
        now.crop = Crop { left, top, right, bottom };
    }
    choice(ui, view, key!("placement-fit"), &FIT_MODES, &mut now.fit);
}

/// A number field with a letter or a short word before it.
struct Number<'a> {
    /// Empty if a caption already names the number.
    mark: &'a str,
    name: &'static str,
    value: &'a mut f64,
    range: [f64; 2],
}

fn pair(ui: &mut Ui, view: &View<'_>, numbers: [Number<'_>; 2], unit: &str) {
    let width = (ui.available_width() - gap::S) / 2.0;
    let mut faults = Vec::new();
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap::S;
        for one in numbers {
            faults.extend(number(ui, view, one, unit, width));
        }
    });
    faults.dedup();
    for fault in faults {
        number_fault(ui, view, Some(fault), unit);
    }
}

/// Draws a number field. Returns the reason if its text is not its value.
fn number(
    ui: &mut Ui,
    view: &View<'_>,
    number: Number<'_>,
    unit: &str,
    width: f32,
) -> Option<NumberFault> {
    let Number { mark, name, value, range: [least, most] } = number;
    let theme = view.theme;
    let (rect, _) = ui.allocate_exact_size(vec2(width, size::CONTROL_HEIGHT), Sense::hover());
    let radius = CornerRadius::same(CONTROL_RADIUS);
    ui.painter().rect(rect, radius, theme.raised, theme.border(), StrokeKind::Inside);
    let at = pos2(rect.left() + MARK_INSET_POINTS, rect.center().y);
    // A word needs more room than a letter.
    let kind = if mark.chars().nth(1).is_some() { Type::Small } else { Type::Body };
    place(ui, at, Align2::LEFT_CENTER, mark, kind, theme.secondary);
    let words = ui.painter().layout_no_wrap(mark.to_owned(), kind.font(), theme.secondary);
    let left = (MARK_INSET_POINTS + words.size().x).max(MIN_MARK_WIDTH_POINTS);
    let inner = rect.with_min_x(rect.left() + left).shrink(2.0);
    // The numbers of a column end at the same place, however long their marks are.
    let layout = Layout::right_to_left(Align::Center).with_main_align(Align::Max);
    let salt = ("number", name);
    let mut field = ui.new_child(UiBuilder::new().max_rect(inner).layout(layout).id_salt(salt));
    let widgets = &mut field.visuals_mut().widgets;
    for look in [&mut widgets.inactive, &mut widgets.hovered, &mut widgets.active] {
        (look.weak_bg_fill, look.bg_fill) = (Color32::TRANSPARENT, Color32::TRANSPARENT);
        look.bg_stroke = Stroke::NONE;
    }
    let before = *value;
    // An item that is only selected keeps its number, also outside the usual range. The field shows
    // one decimal.
    let range = least.min((before * 10.0).floor() / 10.0)..=most.max((before * 10.0).ceil() / 10.0);
    let drag = DragValue::new(value).max_decimals(1).speed(1.0);
    let name = view.texts.get(name);
    let (_, fault) = number_field(&mut field, theme, drag, range, (&name, unit), inner.size());
    // A value that was only rounded for display stays unchanged.
    if (*value - before).abs() < 0.051 {
        *value = before;
    }
    fault
}
