//! The left panel: the scenes, and below them the sources of the selected one, the topmost first.

mod drop_line;
mod drop_place;
mod heading;
mod rename;
mod row;
mod scenes;
mod sources;

use egui::{ScrollArea, Ui, vec2};

use crate::ui::scenes::Draft;
use crate::ui::scenes::draft::edited;
use crate::ui::scenes::left_panel::row::ROW_HEIGHT_POINTS;
use crate::ui::studio_page::multiview::SceneThumbnails;
use crate::ui::style::theme::gap;
use crate::ui::view::View;
use crate::ui::widgets::scroll;

/// The minimum height for two lists that scroll separately, in points. In a lower panel, both lists
/// scroll together.
const MIN_HEIGHT_POINTS: f32 = 260.0;
/// Maximum share of the panel's height for the list of scenes.
const MAX_SCENES_SHARE: f32 = 0.6;
/// The height of the headings of both lists and of the gaps, in points.
const HEADINGS_HEIGHT_POINTS: f32 = 75.0;
/// The minimum height for the sources, in points. A row that is cut off shows that the list continues.
const MIN_SOURCES_HEIGHT_POINTS: f32 = 2.5 * (ROW_HEIGHT_POINTS + 1.0);

/// Draws the panel. With `thumbnails`, scenes are shown as images.
pub fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    thumbnails: Option<SceneThumbnails<'_>>,
) {
    rename::end_without_row(view, draft);
    let height = ui.available_height();
    let scenes_height = height * MAX_SCENES_SHARE;
    let width = ui.available_width() - ui.spacing().scroll.allocated_width();
    // An area that is higher than the panel would have a part that no scrolling reaches.
    let all = ScrollArea::vertical().auto_shrink(false).min_scrolled_height(0.0);
    if height < MIN_HEIGHT_POINTS {
        scroll(all, "all", ui, |ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            scenes::head(ui, view, draft);
            scenes::list(ui, view, draft, thumbnails, vec2(width, scenes_height));
            ui.add_space(gap::L);
            sources::head(ui, view, draft);
            sources::list(ui, view, draft);
        });
        return;
    }
    let scenes_height =
        scenes_height.min(height - HEADINGS_HEIGHT_POINTS - MIN_SOURCES_HEIGHT_POINTS);
    ui.spacing_mut().item_spacing.y = 1.0;
    scenes::head(ui, view, draft);
    let few = ScrollArea::vertical().auto_shrink([false, true]).max_height(scenes_height);
    scroll(few, "scenes", ui, |ui| {
        scenes::list(ui, view, draft, thumbnails, vec2(width, scenes_height));
    });
    ui.add_space(gap::L);
    sources::head(ui, view, draft);
    // Each scene keeps its own scroll position.
    let salt = ("sources", edited(view.snapshot));
    scroll(all, salt, ui, |ui| sources::list(ui, view, draft));
}
