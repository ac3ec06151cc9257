//! The mixer below the program: strips of one size with icon, name, level, meter, mute, fader and
//! settings. The program has its own strip beside them. If the mixer panel is tall enough, the
//! faders are vertical.

pub mod add_audio;
pub mod clip_lamps;
pub mod labels;
pub mod monitoring;
mod strip;
mod strip_menu;
mod upright;

use egui::{Align, Layout, Rect, ScrollArea, Sense, Ui, UiBuilder, pos2, vec2};

use crate::ui::studio_page::mixer::strip::Strip;
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::{paragraph, scroll};

/// The height in points from which the faders are vertical.
const MIN_VERTICAL_FADER_HEIGHT: f32 = 190.0;
/// The widths of a strip with a horizontal fader, in points: the minimum, the usual width, and the
/// maximum for long names.
const HORIZONTAL_STRIP_WIDTHS_POINTS: [f32; 3] = [210.0, 280.0, 420.0];
/// The widths of a strip with a vertical fader, in points: the minimum, the usual width, and the
/// maximum.
const VERTICAL_STRIP_WIDTHS_POINTS: [f32; 3] = [96.0, 144.0, 240.0];
/// The width of the button that adds a strip, if there is no room for its text.
const ADD_BUTTON_WIDTH_POINTS: f32 = 32.0;

/// Returns the common width of all strips and of the program. It depends on the names and the
/// available space, and is limited in wide windows.
fn width_of(ui: &Ui, strips: &[Strip], upright: bool, room: f32) -> f32 {
    let [least, roomy, most] =
        if upright { VERTICAL_STRIP_WIDTHS_POINTS } else { HORIZONTAL_STRIP_WIDTHS_POINTS };
    let needed = strips.iter().map(|strip| strip.width(ui, upright)).fold(roomy, f32::max);
    let share =
        (room - gap::L - ADD_BUTTON_WIDTH_POINTS) / (strips.len().max(1) as f32 + 1.0) - gap::M;
    share.min(needed).clamp(least, most).floor()
}

/// Draws the mixer in `room`. Returns true if the user requested the mixer dialog.
pub fn show(ui: &mut Ui, view: &mut View<'_>, room: Rect) -> bool {
    ui.painter().hline(room.x_range(), room.top() + 0.5, view.theme.border());
    let inner = room.shrink2(vec2(gap::M, gap::S));
    let upright = inner.height() >= MIN_VERTICAL_FADER_HEIGHT;
    let strips = Strip::all(view);
    // Without strips, a text takes the place of one.
    let count = strips.len().max(1) as f32;
    let width = width_of(ui, &strips, upright, inner.width());
    // The program's strip follows directly after the others, even in a wide window.
    let most = (inner.width() - width - gap::L).max(0.0);
    let wanted = count * (width + gap::M);
    let words = add_audio::width(ui, view);
    // If there is no room for this button, strips can be added in the mixer dialog.
    let add = [words, ADD_BUTTON_WIDTH_POINTS].into_iter().find(|add| wanted + add <= most);
    let left = add.map_or((wanted - gap::M).min(most), |add| wanted + add);
    let others = Rect::from_min_size(inner.min, vec2(left, inner.height()));
    let beside = pos2(others.right() + gap::L, inner.top());
    let end = Rect::from_min_size(beside, vec2(width, inner.height()));

    let mut mixer_asked = false;
    let mut child = ui.new_child(UiBuilder::new().max_rect(others).id_salt("strips"));
    scroll(ScrollArea::horizontal(), "strips", &mut child, |ui| {
        ui.spacing_mut().item_spacing.x = gap::M;
        ui.horizontal_top(|ui| {
            if strips.is_empty() {
                let (rect, _) = ui.allocate_exact_size(vec2(width, inner.height()), Sense::hover());
                no_audio_text(ui, view, rect);
            }
            for strip in &strips {
                let (rect, _) = ui.allocate_exact_size(vec2(width, inner.height()), Sense::hover());
                // The strip is drawn in a child, because a scope would take additional space.
                let builder = UiBuilder::new().max_rect(rect).id_salt(("strip", strip.id.0));
                let ui = &mut ui.new_child(builder);
                let parts = match upright {
                    true => upright::show(ui, view, strip, rect),
                    false => strip::show(ui, view, strip, rect),
                };
                mixer_asked |= strip_menu::asks(&parts, view, strip);
            }
            if let Some(add) = add {
                let (rect, _) =
                    ui.allocate_exact_size(vec2(add, ADD_BUTTON_WIDTH_POINTS), Sense::hover());
                add_audio::button(ui, view, rect);
            }
        });
    });
    ui.painter().vline(end.left() - gap::S, end.y_range(), view.theme.border());
    let mut child = ui.new_child(UiBuilder::new().max_rect(end).id_salt("program"));
    match upright {
        true => upright::program(&mut child, view, end),
        false => strip::program(&mut child, view, end),
    }
    mixer_asked
}

/// Draws a text in place of the first strip, because no microphone was found or none was selected.
fn no_audio_text(ui: &mut Ui, view: &View<'_>, rect: Rect) {
    let layout = Layout::top_down(Align::Min);
    let rect = rect.with_min_y(rect.top() + gap::S);
    let mut column = ui.new_child(UiBuilder::new().max_rect(rect).layout(layout).id_salt("none"));
    column.spacing_mut().item_spacing.y = gap::XS;
    let (theme, texts) = (view.theme, view.texts);
    let (title, advice) = match view.snapshot.microphones.is_empty() {
        true => (texts.get("no-microphone-title"), texts.get("no-microphone-advice")),
        false => (texts.get("no-audio-title"), texts.get("no-audio-advice")),
    };
    paragraph(&mut column, &title, Type::BodyStrong, theme.text);
    paragraph(&mut column, &advice, Type::Small, theme.secondary);
}
