//! The left panel: the scenes, and below them the sources of the selected one, the topmost first.

mod drop_line;
mod drop_place;
mod heading;
mod rename;
mod row;
mod scenes;
mod sources;

use egui::{ScrollArea, Ui};

use crate::ui::scenes::Draft;
use crate::ui::studio_page::multiview::SceneThumbnails;
use crate::ui::style::theme::gap;
use crate::ui::view::View;
use crate::ui::widgets::scroll;

/// Draws the panel. With `thumbnails`, scenes are shown as images.
pub fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    thumbnails: Option<SceneThumbnails<'_>>,
) {
    rename::end_without_row(view, draft);
    scroll(ScrollArea::vertical().auto_shrink(false), ui, |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        scenes::show(ui, view, draft, thumbnails);
        ui.add_space(gap::L);
        sources::show(ui, view, draft);
    });
}
