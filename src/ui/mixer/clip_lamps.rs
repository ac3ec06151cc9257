//! Clip lamps: lit when full scale was reached, until somebody puts them out. And the program's own,
//! beside the strips, with its level.

use egui::{
    Align, Align2, Color32, CornerRadius, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo,
    vec2,
};

use crate::mix::StripLamp;
use crate::studio::Command;
use crate::ui::input::actions::key;
use crate::ui::style::theme::{BORDER, RADIUS, Type, gap};
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{elided, focus_ring, place};

/// Height of a lamp.
pub const HEIGHT: f32 = 26.0;

/// A lamp, pressed to put it out; `of` is the name of what has clipped where there are several.
pub fn lamp(
    ui: &mut Ui,
    view: &mut View<'_>,
    rect: Rect,
    of: Option<&str>,
    which: StripLamp,
    lit: bool,
) {
    let (theme, texts) = (view.theme, view.texts);
    let sense = if lit { Sense::click() } else { Sense::hover() };
    let response = ui.interact(rect, ui.scope_id().with("clip"), sense);
    let name = match of {
        None => texts
            .get(if lit { key!("clip-indicator-on") } else { key!("clip-indicator-off") })
            .to_string(),
        Some(name) => {
            let key =
                if lit { key!("clip-indicator-on-of") } else { key!("clip-indicator-off-of") };
            texts.with(key, &[("name", name.into())])
        }
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Button, lit, &*name));
    let (fill, border, text) = if lit {
        (theme.live_tint, theme.live, theme.live)
    } else {
        (Color32::TRANSPARENT, theme.line, theme.secondary)
    };
    let stroke = Stroke::new(BORDER, border);
    ui.painter().rect(rect, CornerRadius::same(RADIUS), fill, stroke, StrokeKind::Inside);
    let text_of_it = texts.get("clip");
    place(ui, rect.center(), Align2::CENTER_CENTER, &text_of_it, Type::SmallStrong, text);
    focus_ring(ui, theme, &response, RADIUS);
    if response.on_hover_text(&*name).clicked() {
        view.send(Command::ClearClip(which));
    }
}

/// The program beside its strips: its level, and its lamp.
pub fn program(ui: &mut Ui, view: &mut View<'_>, rect: Rect) {
    let (theme, texts) = (view.theme, view.texts);
    let reading = view.snapshot.loudness;
    let line = |y: f32, height: f32| {
        Rect::from_min_size(rect.min + vec2(0.0, y), vec2(rect.width(), height))
    };
    let name = texts.get("mixer-program");
    elided(ui, line(0.0, 18.0), Align::Min, &name, Type::BodyStrong.font(), theme.text);
    let level = line(24.0, 20.0);
    let text = format::decibels(reading.peak_dbfs);
    elided(ui, level, Align::Min, &text, Type::FigureStrong.font(), theme.secondary);
    let response = ui.interact(level, ui.scope_id().with("program-level"), Sense::hover());
    let of = texts.with("level-of", &[("name", (&*name).into())]);
    response.widget_info(|| WidgetInfo {
        current_text_value: Some(text.clone()),
        ..WidgetInfo::labeled(Role::Label, true, &of)
    });
    response.on_hover_text(&*texts.get("tip-level"));
    lamp(ui, view, line(62.0 - gap::XS, HEIGHT), Some(&name), StripLamp::Program, reading.clipped);
}
