//! The *Studio* page: scenes and sources, the program, the mixer, and the right panel.

pub mod chat;
pub mod docks;
pub mod go_live;
mod guests;
pub mod loudness;
pub mod mixer;
pub mod multiview;
pub mod parts;
pub mod program;
pub mod projectors;
pub mod right_panel;
pub mod share;
mod stats;
mod take;

use egui::{Rect, Ui, pos2, vec2};

use crate::studio::settings::Panel;
use crate::ui::input::actions::Action;
use crate::ui::scenes::{self, left_panel};
use crate::ui::studio_page::docks::Docks;
use crate::ui::studio_page::parts::PageParts;
use crate::ui::studio_page::projectors::second_canvas;
use crate::ui::style::theme::{gap, size};
use crate::ui::targets::child;
use crate::ui::view::View;
use crate::ui::widgets::focus_first;

/// Draws the page. Returns the action that the user selected.
pub fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    parts: &mut PageParts<'_>,
    docks: &mut Docks,
    room: Rect,
    sides: (f32, f32),
) -> Option<Action> {
    if docks.needs_no_tree(parts.panels) {
        let entered = docks.take_entered(ui);
        return simple(ui, view, parts, (room, sides), entered);
    }
    if parts.scenes.follow(view.snapshot) {
        docks.reveal(Panel::Inspector);
    }
    let asked = docks.show(ui, view, parts, room);
    if !parts.inspected && !docks.is_apart(Panel::Inspector) {
        scenes::inspector::keep_typed(view, parts.scenes, None);
    }
    asked
}

/// Draws the simple layout. `left` and `right` are the widths of the panels. The panel `entered` gets
/// the keyboard focus.
fn simple(
    ui: &mut Ui,
    view: &mut View<'_>,
    parts: &mut PageParts<'_>,
    (room, (left, right)): (Rect, (f32, f32)),
    entered: Option<Panel>,
) -> Option<Action> {
    let theme = view.theme;
    let split = room.right() - right;
    let (rest, side) = room.split_left_right_at_x(split);
    let strip = rest.with_min_y(room.bottom() - size::MIXER_HEIGHT);
    let has_bar = guests::has_bar(view);
    let above = strip.top() - if has_bar { guests::bar_height(view) } else { 0.0 };
    let sources_room = Rect::from_min_max(room.min, pos2(room.left() + left, above));
    let bar = strip.with_max_y(strip.top()).with_min_y(sources_room.bottom());
    let stage_room = Rect::from_min_max(sources_room.right_top(), bar.right_top());

    ui.painter().vline(sources_room.right() - 0.5, sources_room.y_range(), theme.border());
    let mut panel = child(ui, sources_room.shrink2(vec2(gap::S, gap::M)), "sources");
    panel.shrink_clip_rect(sources_room);
    focus_first(&mut panel, entered == Some(Panel::Sources), None, |panel| {
        left_panel::show(panel, view, parts.scenes, None);
    });

    // The controls after the program keep their ids, and so the focus, if the placeholder comes or
    // goes.
    let mut stage = child(ui, stage_room, "stage");
    let preview = parts.preview.as_deref_mut();
    focus_first(&mut stage, entered == Some(Panel::Program), None, |ui| {
        let room = second_canvas::beside(ui, view, parts.target, stage_room);
        program::show(ui, view, parts.program, preview, parts.scenes, room);
    });
    let mut guests_ui = child(ui, bar, "guests");
    if has_bar {
        focus_first(&mut guests_ui, entered == Some(Panel::Guests), None, |ui| {
            guests::bar(ui, view, parts.share, bar);
        });
    }
    let mut mixer_ui = child(ui, strip, "mixer");
    let mixer_asked = focus_first(&mut mixer_ui, entered == Some(Panel::Mixer), None, |ui| {
        mixer::show(ui, view, strip).then_some(Action::Mixer)
    });
    let asked = right_panel::show(ui, view, parts, side, entered);
    mixer_asked.or(asked)
}
