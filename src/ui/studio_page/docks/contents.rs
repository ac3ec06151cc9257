//! The contents of each panel.

use egui::{Rect, ScrollArea, Ui, vec2};

use crate::studio::settings::{Panel, Panels};
use crate::ui::dialogs::event_log;
use crate::ui::input::actions::{Action, key};
use crate::ui::scenes::{inspector, left_panel};
use crate::ui::studio_page::mixer;
use crate::ui::studio_page::multiview::SceneThumbnails;
use crate::ui::studio_page::parts::PageParts;
use crate::ui::studio_page::projectors::second_canvas;
use crate::ui::studio_page::{chat, go_live, guests, loudness, multiview, program, share, stats};
use crate::ui::style::theme::gap;
use crate::ui::targets::child;
use crate::ui::view::View;
use crate::ui::widgets::scroll;
use crate::ui::{targets, watch};

/// The minimum height of the panel with scenes and sources for thumbnails, in points. In a lower
/// panel, they would leave no room for the sources.
const MIN_THUMBNAILS_HEIGHT_POINTS: f32 = 240.0;

/// Returns the text key for the title of a panel.
pub(super) fn title(panel: Panel) -> &'static str {
    match panel {
        Panel::Sources => key!("panel-sources"),
        Panel::Program => key!("panel-program"),
        Panel::Mixer => key!("panel-mixer"),
        Panel::Loudness => key!("panel-loudness"),
        Panel::Broadcast => key!("tab-broadcast"),
        Panel::Inspector => key!("tab-inspector"),
        Panel::Chat => key!("tab-chat"),
        Panel::Danmaku => key!("panel-danmaku"),
        Panel::Share => key!("tab-share"),
        Panel::Guests => key!("panel-guests"),
        Panel::Stats => key!("panel-stats"),
        Panel::EventLog => key!("panel-event-log"),
        Panel::Players => key!("panel-players"),
        Panel::Multiview => key!("panel-multiview"),
        Panel::Controls => key!("panel-controls"),
    }
}

/// Returns true if the list of scenes has thumbnails in the current layout.
pub(super) fn has_thumbnails(panels: &Panels) -> bool {
    panels.layout != Panels::SIMPLE
}

/// Draws a panel in `room`. Returns the action that the user selected.
pub(super) fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    parts: &mut PageParts<'_>,
    panel: Panel,
    room: Rect,
) -> Option<Action> {
    let inner = room.shrink2(vec2(14.0, gap::S));
    match panel {
        Panel::Sources => {
            let mut child = child(ui, room.shrink(gap::M), "sources");
            child.shrink_clip_rect(room);
            let thumbnails =
                SceneThumbnails { multiview: &mut *parts.multiview, like: &*parts.program };
            let is_high = room.height() >= MIN_THUMBNAILS_HEIGHT_POINTS;
            let thumbnails = (is_high && has_thumbnails(parts.panels)).then_some(thumbnails);
            left_panel::show(&mut child, view, parts.scenes, thumbnails);
            None
        }
        Panel::Program => {
            let room = second_canvas::beside(ui, view, parts.target, room);
            let preview = parts.preview.as_deref_mut();
            program::show(ui, view, parts.program, preview, parts.scenes, room);
            None
        }
        Panel::Mixer => {
            let mut mixer_ui = child(ui, room, "mixer");
            mixer::show(&mut mixer_ui, view, room).then_some(Action::Mixer)
        }
        Panel::Loudness => scrolled(ui, inner, "loudness", |ui| {
            loudness::show(ui, view, &mut parts.panels.loudness_target, inner.height());
            None
        }),
        Panel::Broadcast => {
            scrolled(ui, inner, "broadcast", |ui| targets::broadcast(ui, view, parts.target))
        }
        Panel::Inspector => scrolled(ui, inner, "inspector", |ui| {
            parts.inspected = true;
            inspector::show(ui, view, parts.scenes);
            None
        }),
        Panel::Chat => chat::show(&mut child(ui, inner, "chat"), view, parts.chat, parts.watch),
        Panel::Danmaku => scrolled(ui, inner, "danmaku", |ui| {
            chat::danmaku::show(ui, view, parts.chat, inner.height())
        }),
        Panel::Share => scrolled(ui, inner, "share", |ui| {
            share::show(ui, view, parts.share);
            None
        }),
        Panel::Guests => scrolled(ui, inner, "guests", |ui| {
            guests::show(ui, view, parts.share);
            None
        }),
        Panel::Stats => scrolled(ui, inner, "stats", |ui| {
            stats::show(ui, view, inner.height());
            None
        }),
        Panel::EventLog => scrolled(ui, inner, "event-log", |ui| {
            event_log::lines(ui, view);
            None
        }),
        Panel::Players => watch::in_panel(ui, view, parts.watch, parts.watched, room),
        Panel::Multiview => {
            let place = (room, view.theme.canvas);
            multiview::show(ui, view, parts.scenes, parts.multiview, parts.program, place);
            None
        }
        Panel::Controls => {
            let inner = room.shrink2(vec2(14.0, gap::M));
            go_live::show(&mut child(ui, inner, "go-live"), view)
        }
    }
}

/// Draws contents that may be higher than their panel.
fn scrolled(
    ui: &mut Ui,
    room: Rect,
    salt: &str,
    contents: impl FnOnce(&mut Ui) -> Option<Action>,
) -> Option<Action> {
    // The scroll bar is in the margin, beside the figures.
    let mut child = child(ui, room.with_max_x(room.right() + gap::S), salt);
    let area = ScrollArea::vertical().auto_shrink(false);
    let shown = scroll(area, salt, &mut child, |ui| {
        ui.set_width(room.width());
        contents(ui)
    });
    shown.inner
}
