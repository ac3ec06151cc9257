//! The content of a projector.

use egui::{Align2, Rect, Ui};

use crate::compose::ViewOf;
use crate::media::Size;
use crate::studio::scenes::MAIN_SOURCE;
use crate::studio::settings::ProjectorContent;
use crate::studio::{Preferences, Snapshot};
use crate::ui::scenes;
use crate::ui::studio_page::multiview::{self, Multiview};
use crate::ui::style::theme::{FRAME_BACKGROUND, Type, VIDEO_SECONDARY_TEXT_COLOR};
use crate::ui::video::{self, FrameView};
use crate::ui::view::View;
use crate::ui::widgets::place;

/// The state that projectors need for drawing.
#[derive(Debug)]
pub struct ProjectorParts<'a> {
    pub preferences: &'a mut Preferences,
    pub program: &'a FrameView,
    pub scenes: &'a mut scenes::Draft,
    /// True if the processor renders the window.
    pub software: bool,
}

/// Returns true if this content exists. At the start, the first snapshots may arrive before the
/// scenes, so until the program runs, each source may exist.
pub(super) fn is_there(shows: ProjectorContent, snapshot: &Snapshot) -> bool {
    match shows {
        ProjectorContent::Program | ProjectorContent::Preview | ProjectorContent::Multiview => true,
        ProjectorContent::Source(MAIN_SOURCE) => true,
        ProjectorContent::Source(id) => {
            snapshot.audio.is_none() || snapshot.scenes.collection.source(id).is_some()
        }
    }
}

/// Returns the view that the content needs in addition to the program. Returns `None` for the
/// program itself, for the multiview, and for a preview without a scene.
pub(super) fn view_of(shows: ProjectorContent, snapshot: &Snapshot) -> Option<ViewOf> {
    match shows {
        ProjectorContent::Program | ProjectorContent::Multiview => None,
        ProjectorContent::Preview => snapshot.scenes.preview_scene.map(ViewOf::Scene),
        ProjectorContent::Source(id) => Some(ViewOf::Source(id)),
    }
}

/// The frame views of a projector, which are kept between frames of the window.
#[derive(Debug, Default)]
pub(super) struct ProjectorFrame {
    /// The frame view, with the view for which it was created.
    one: Option<(Option<ViewOf>, FrameView)>,
    all: Multiview,
}

impl ProjectorFrame {
    /// Paints the content on black in `room`.
    pub fn paint(
        &mut self,
        ui: &mut Ui,
        view: &mut View<'_>,
        parts: &mut ProjectorParts<'_>,
        shows: ProjectorContent,
        room: Rect,
    ) {
        if shows == ProjectorContent::Multiview {
            self.one = None;
            let place = (room, FRAME_BACKGROUND);
            return multiview::show(ui, view, parts.scenes, &mut self.all, parts.program, place);
        }
        let of = view_of(shows, view.snapshot);
        let slot = of.map(|of| view.snapshot.scenes.views.get(&of));
        if let Some(None) = slot {
            // The view arrives with a later snapshot.
            return;
        }
        let slot = slot.flatten();
        if self.one.as_ref().is_none_or(|(made_for, _)| *made_for != of) {
            let frame = match slot {
                Some(slot) => parts.program.beside("projector", slot.clone()),
                None => parts.program.again("projector"),
            };
            self.one = Some((of, frame));
        }
        let Some((_, frame)) = &mut self.one else { return };
        if let Some(slot) = slot {
            frame.follow(slot);
        }
        let rect = fitted(ui, view.snapshot.quality.size, room);
        if !frame.paint(ui, rect) {
            let words = view.texts.get("placeholder-none");
            let (at, color) = (room.center(), VIDEO_SECONDARY_TEXT_COLOR);
            place(ui, at, Align2::CENTER_CENTER, &words, Type::Title, color);
        }
    }
}

/// Returns the position of a program frame in a window.
fn fitted(ui: &Ui, size: Size, room: Rect) -> Rect {
    let shape = size.aspect();
    video::fitted(room, shape, ui.pixels_per_point())
}
