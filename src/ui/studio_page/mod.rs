//! The *Studio* page: sources, the program, the mixer, targets and the big button.

pub mod go_live;
pub mod program;

use egui::{Rect, ScrollArea, Ui, pos2, vec2};

use crate::studio::live::view::LiveState;
use crate::ui::input::actions::Action;
use crate::ui::scenes::left_panel;
use crate::ui::style::theme::{gap, size};
use crate::ui::targets::child;
use crate::ui::video::FrameView;
use crate::ui::view::View;
use crate::ui::{mixer, scenes, targets};

/// What the *Studio* page works with.
#[derive(Debug)]
pub struct PageParts<'a> {
    pub target: &'a mut targets::Draft,
    pub scenes: &'a mut scenes::Draft,
    pub program: &'a mut FrameView,
    pub prepared: Option<&'a mut FrameView>,
}

/// The page; gives an action that was asked for.
pub fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    parts: &mut PageParts<'_>,
    room: Rect,
    left: f32,
    right: f32,
) -> Option<Action> {
    let PageParts { target: draft, scenes, program, prepared } = parts;
    let theme = view.theme;
    let split = room.right() - right;
    let strip = Rect::from_min_max(
        pos2(room.left(), room.bottom() - size::MIXER),
        pos2(split, room.bottom()),
    );
    let sources_room = Rect::from_min_max(room.min, pos2(room.left() + left, strip.top()));
    let stage_room = Rect::from_min_max(sources_room.right_top(), strip.right_top());
    let side = Rect::from_min_max(pos2(split, room.top()), room.max);

    ui.painter().vline(sources_room.right() - 0.5, sources_room.y_range(), theme.border());
    let mut panel = child(ui, sources_room.shrink2(vec2(gap::M, gap::M)), "sources");
    panel.shrink_clip_rect(sources_room);
    left_panel::show(&mut panel, view, scenes);

    program::show(ui, view, program, prepared.as_deref_mut(), scenes, stage_room);
    let mut sound = child(ui, strip, "mixer");
    let mixer_asked = mixer::show(&mut sound, view, strip);

    ui.painter().vline(side.left() + 0.5, side.y_range(), theme.border());
    let inner = side.shrink2(vec2(gap::L, gap::M));
    let buttons =
        Rect::from_min_max(pos2(inner.left(), inner.bottom() - go_live::HEIGHT), inner.max);
    let above = Rect::from_min_max(inner.min, pos2(inner.right(), buttons.top() - gap::M));
    let mut upper = child(ui, above, "target");
    let mut asked = None;
    ScrollArea::vertical().auto_shrink(false).show(&mut upper, |ui| {
        // Room for focus rings at the edges.
        ui.set_width(above.width());
        if matches!(view.snapshot.live, LiveState::Idle | LiveState::Connecting { .. }) {
            asked = targets::idle(ui, view, draft);
        } else {
            asked = targets::on_air(ui, view, draft);
        }
    });
    let mut lower = child(ui, buttons, "go-live");
    if mixer_asked {
        return Some(Action::Mixer);
    }
    if asked.is_some() {
        return asked;
    }
    go_live::show(&mut lower, view).map(|pressed| match pressed {
        go_live::Pressed::GoLive | go_live::Pressed::Stop => Action::GoLive,
    })
}
