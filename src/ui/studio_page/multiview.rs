//! The multiview: all scenes as small frames at a low rate, with marks for preview and program. A
//! click shows a scene, as in the list of scenes. In studio mode, a second click takes the scene to
//! the program.

use std::collections::BTreeMap;
use std::time::Duration;

use egui::{
    Align, Color32, CornerRadius, Rect, Response, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui,
    Vec2, WidgetInfo, vec2,
};

use crate::capture::VideoChoice;
use crate::compose::scene::{Scene, SceneId, SourceId};
use crate::compose::{ViewDetail, ViewOf};
use crate::studio::live::view::LiveState;
use crate::studio::scenes::MAIN_SOURCE;
use crate::studio::snapshot::SourceState;
use crate::studio::{Command, Notice, Snapshot};
use crate::ui::input::actions::key;
use crate::ui::input::hotkeys::accept_letters;
use crate::ui::input::named::show_scene;
use crate::ui::scenes;
use crate::ui::style::theme::{FRAME_BACKGROUND, TEXT_PLATE, Type, VIDEO_TEXT_COLOR, gap};
use crate::ui::targets::child;
use crate::ui::video::{FrameView, fitted};
use crate::ui::view::View;
use crate::ui::watch::tiles::grid::grid;
use crate::ui::widgets::{SceneMark, elided, focus_ring, one_line, scroll};

/// The minimum width of a cell in points. In less space, the multiview scrolls.
const MIN_CELL_WIDTH_POINTS: f32 = 112.0;
const MIN_CELL_HEIGHT_POINTS: f32 = 54.0;
/// The minimum height of a cell that has text marks, in points.
const MIN_MARKED_CELL_HEIGHT_POINTS: f32 = 64.0;
/// The size of a mark without text, in points.
const SMALL_MARK_SIZE: Vec2 = vec2(16.0, 16.0);
/// The height of the line with a scene's name over its frame.
const NAME_LINE_HEIGHT_POINTS: f32 = 22.0;
/// The repaint interval, if nothing else requests a repaint.
const REPAINT_INTERVAL: Duration = Duration::from_millis(100);

/// The state of the multiview, which is kept between frames.
#[derive(Debug, Default)]
pub struct Multiview {
    frames: BTreeMap<SceneId, FrameView>,
    /// True if the multiview was drawn in this frame.
    pub seen: bool,
}

impl Multiview {
    /// Paints the frame of a scene, as soon as the frame exists. `like` is a frame view with the
    /// same renderer.
    fn paint(&mut self, ui: &Ui, view: &View<'_>, like: &FrameView, scene: SceneId, rect: Rect) {
        let slot = view.snapshot.scenes.views.get(&ViewOf::Scene(scene));
        let painted = slot.is_some_and(|slot| {
            let fresh = || like.beside("multiview", slot.clone());
            let frame = self.frames.entry(scene).or_insert_with(fresh);
            frame.follow(slot);
            frame.paint(ui, rect)
        });
        if !painted {
            ui.painter().rect_filled(rect, CornerRadius::ZERO, FRAME_BACKGROUND);
        }
    }

    /// Requests the frames of the scenes, and removes the views of deleted scenes.
    fn begin(&mut self, snapshot: &Snapshot) {
        self.seen = true;
        self.frames.retain(|id, _| snapshot.scenes.collection.scene(*id).is_some());
    }
}

/// The scenes as thumbnails in a list, with the frame view that supplies their renderer.
#[derive(Debug)]
pub struct SceneThumbnails<'a> {
    pub multiview: &'a mut Multiview,
    pub like: &'a FrameView,
}

impl SceneThumbnails<'_> {
    /// Begins a list. The thumbnails are drawn as often as the program, which is displayed next to
    /// them.
    pub fn begin(&mut self, snapshot: &Snapshot) {
        self.multiview.begin(snapshot);
    }

    /// Draws a scene of the list in this size.
    pub fn show(&mut self, ui: &mut Ui, view: &View<'_>, scene: &Scene, size: Vec2) -> Response {
        let (room, _) = ui.allocate_exact_size(size, Sense::hover());
        let id = ui.scope_id().with(("scene", scene.id.0));
        let response = ui.interact(room, id, Sense::click_and_drag());
        let chosen = is_program(view, scene) || is_preview(view, scene);
        let enabled = ui.is_enabled();
        response
            .widget_info(|| WidgetInfo::selected(Role::RadioButton, enabled, chosen, &scene.name));
        let state = state_of(view, scene);
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(state));
        accept_letters(&response);
        paint_cell(ui, view, self.multiview, self.like, scene, room.shrink(2.0), &response);
        response
    }
}

fn is_program(view: &View<'_>, scene: &Scene) -> bool {
    scene.id == view.snapshot.scenes.collection.current
}

fn is_preview(view: &View<'_>, scene: &Scene) -> bool {
    view.snapshot.scenes.preview_scene == Some(scene.id)
}

/// Returns what a scene is used for: in the program, on air, in the preview, or nothing. Outside
/// studio mode, the scene in the program is the selected one, so only *on air* is said.
pub fn state_of(view: &View<'_>, scene: &Scene) -> String {
    let (texts, snapshot) = (view.texts, view.snapshot);
    let key = match (is_program(view, scene), &snapshot.live) {
        (true, LiveState::OnAir | LiveState::Stopping) => key!("scene-on-air"),
        (true, _) if snapshot.scenes.preview_scene.is_some() => key!("scene-in-program"),
        (false, _) if is_preview(view, scene) => key!("scene-in-preview"),
        _ => return String::new(),
    };
    texts.get(key).to_string()
}

/// Adds the views that the multiview needs in addition to the program.
pub fn looks_at(snapshot: &Snapshot, views: &mut BTreeMap<ViewOf, ViewDetail>) {
    for scene in &snapshot.scenes.collection.scenes {
        // A larger view that is already requested also serves as a thumbnail.
        views.entry(ViewOf::Scene(scene.id)).or_insert(ViewDetail::Thumbnail);
    }
}

/// Draws all scenes in `room`, on this background.
pub fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut scenes::Draft,
    multiview: &mut Multiview,
    like: &FrameView,
    (room, background): (Rect, Color32),
) {
    multiview.begin(view.snapshot);
    ui.painter().rect_filled(room, CornerRadius::ZERO, background);
    let inner = room.shrink(gap::XS);
    let collection = std::sync::Arc::clone(&view.snapshot.scenes.collection);
    let cells = cells(inner, collection.scenes.len());
    let whole = cells.iter().fold(inner, |whole, cell| whole.union(*cell));
    // At its edges, the list fades to this color.
    ui.visuals_mut().panel_fill = background;
    let mut inside = child(ui, inner, "multiview");
    inside.shrink_clip_rect(room);
    let area = ScrollArea::vertical().auto_shrink(false);
    scroll(area, "multiview", &mut inside, |ui| {
        let (_, at) = ui.allocate_space(vec2(inner.width(), whole.height()));
        for (scene, rect) in collection.scenes.iter().zip(cells) {
            cell(ui, view, draft, multiview, like, scene, rect.translate(at.min - inner.min));
        }
    });
    ui.ctx().request_repaint_after(REPAINT_INTERVAL);
}

/// Returns the cells for `count` scenes. They are as large as possible, and never smaller than the
/// minimum.
fn cells(room: Rect, count: usize) -> Vec<Rect> {
    let fitting = grid(room, count);
    let is_large = |cell: &Rect| {
        cell.width() >= MIN_CELL_WIDTH_POINTS.min(room.width())
            && cell.height() >= MIN_CELL_HEIGHT_POINTS.min(room.height())
    };
    if fitting.first().is_none_or(is_large) {
        return fitting;
    }
    let columns = (room.width() / MIN_CELL_WIDTH_POINTS).floor().max(1.0) as usize;
    let rows = count.div_ceil(columns) as f32;
    let height = room.width() / columns as f32 * 9.0 / 16.0 * rows;
    let tall = Rect::from_min_size(room.min, vec2(room.width(), height.max(room.height())));
    let width = tall.width() / columns as f32;
    let size = vec2(width, tall.height() / rows);
    let place = |index: usize| vec2((index % columns) as f32, (index / columns) as f32) * size;
    (0..count).map(|index| Rect::from_min_size(tall.min + place(index), size).shrink(2.0)).collect()
}

fn cell(
    ui: &Ui,
    view: &mut View<'_>,
    draft: &mut scenes::Draft,
    multiview: &mut Multiview,
    like: &FrameView,
    scene: &Scene,
    room: Rect,
) {
    let (texts, snapshot) = (view.texts, view.snapshot);
    let size = snapshot.quality.size;
    let shape = size.aspect();
    let rect = fitted(room.shrink(3.0), shape, ui.pixels_per_point());
    let response = ui.interact(rect, ui.scope_id().with(("cell", scene.id.0)), Sense::click());
    let (on_program, in_preview) = (is_program(view, scene), is_preview(view, scene));
    let named = [("name", scene.name.clone().into())];
    let name = match (on_program, in_preview) {
        (true, _) => texts.with("multiview-program", &named),
        (false, true) => texts.with("multiview-preview", &named),
        (false, false) => texts.with("multiview-scene", &named),
    };
    response.widget_info(|| {
        WidgetInfo::selected(Role::RadioButton, true, on_program || in_preview, &name)
    });
    accept_letters(&response);
    paint_cell(ui, view, multiview, like, scene, rect, &response);
    if response.double_clicked() && in_preview {
        view.send(Command::Transition);
    } else if response.clicked() && (draft.studio_mode || !on_program) {
        view.send(show_scene(draft.studio_mode, scene.id));
        draft.choose(None);
    }
}

/// Returns true if the program is on air, and therefore has red marks. During passthrough, a file is
/// on air instead of the program.
pub(super) fn is_on_air(snapshot: &Snapshot) -> bool {
    matches!(snapshot.live, LiveState::OnAir | LiveState::Stopping)
        && snapshot.passthrough.is_none()
}

/// Returns why the frame of a scene is black or old; `None` if it is not.
fn why_empty(snapshot: &Snapshot, scene: &Scene) -> Option<&'static str> {
    let scenes = &snapshot.scenes;
    let plan = scenes.collection.plan(scene.id);
    let state = |id: SourceId| match (id, &snapshot.video) {
        (MAIN_SOURCE, None) => None,
        (MAIN_SOURCE, Some(video)) if video.choice == VideoChoice::None => None,
        (MAIN_SOURCE, Some(video)) => Some(video.state),
        (id, _) => Some(scenes.source(id).map_or(SourceState::Opening, |source| source.state)),
    };
    let states: Vec<_> = plan.sources().filter_map(state).collect();
    let all = |of: &[SourceState]| states.iter().all(|state| of.contains(state));
    let is_slow =
        |it: &Notice| it.key().starts_with("degradation-") && it.key() != "degradation-over";
    if states.is_empty() {
        let is_hidden = !scene.items.is_empty() && plan.sources().next().is_none();
        return Some(if is_hidden { key!("multiview-hidden") } else { key!("multiview-empty") });
    }
    match () {
        () if all(&[SourceState::Failed, SourceState::Lost, SourceState::Stalled]) => {
            Some(key!("multiview-down"))
        }
        () if all(&[SourceState::Opening]) => Some(key!("multiview-opening")),
        // A slow computer does not draw the thumbnails.
        () => snapshot.notices.iter().any(is_slow).then_some(key!("multiview-slow")),
    }
}

/// Writes a reason in the middle of a frame.
fn paint_reason(ui: &Ui, rect: Rect, reason: &str) {
    let width = (rect.width() - 2.0 * gap::S - 10.0).max(0.0);
    let galley = one_line(ui, reason, width, Type::Tiny.font(), VIDEO_TEXT_COLOR);
    let plate = Rect::from_center_size(rect.center(), galley.size() + vec2(10.0, 6.0));
    ui.painter().rect_filled(plate, CornerRadius::same(3), TEXT_PLATE);
    ui.painter().galley(plate.center() - galley.size() / 2.0, galley, VIDEO_TEXT_COLOR);
}

/// Paints the frame of a scene with its name and marks.
fn paint_cell(
    ui: &Ui,
    view: &View<'_>,
    multiview: &mut Multiview,
    like: &FrameView,
    scene: &Scene,
    rect: Rect,
    response: &Response,
) {
    let (theme, texts) = (view.theme, view.texts);
    let (on_program, in_preview) = (is_program(view, scene), is_preview(view, scene));
    if !ui.is_rect_visible(rect) {
        return;
    }
    multiview.paint(ui, view, like, scene.id, rect);
    if let Some(reason) = why_empty(view.snapshot, scene) {
        paint_reason(ui, rect, &view.texts.get(reason));
    }
    let line = rect.with_min_y(rect.bottom() - NAME_LINE_HEIGHT_POINTS.min(rect.height()));
    ui.painter().rect_filled(line, CornerRadius::ZERO, TEXT_PLATE);
    // On a small frame, a text mark would cover the scene.
    let is_small = rect.height() < MIN_MARKED_CELL_HEIGHT_POINTS;
    let shape = match (on_program, in_preview) {
        (true, _) => Some(SceneMark::Program),
        (false, true) => Some(SceneMark::Preview),
        (false, false) => None,
    };
    if let Some(shape) = shape.filter(|_| is_small) {
        // The line below belongs to the name.
        let plate = Rect::from_min_size(rect.min + Vec2::splat(gap::XS), SMALL_MARK_SIZE);
        ui.painter().rect_filled(plate, CornerRadius::same(3), TEXT_PLATE);
        shape.paint(ui.painter(), plate.center(), VIDEO_TEXT_COLOR);
    }
    let words = line.shrink2(vec2(if is_small { gap::XS } else { gap::S }, 0.0));
    elided(ui, words, Align::Min, &scene.name, Type::Small.font(), VIDEO_TEXT_COLOR);
    // The mark also has a text, because a color alone is not accessible.
    let mark = match (on_program, in_preview) {
        (true, _) if is_on_air(view.snapshot) => {
            Some((texts.get("program-mark"), theme.live_fill, VIDEO_TEXT_COLOR))
        }
        (true, _) => Some((texts.get("program-mark"), TEXT_PLATE, VIDEO_TEXT_COLOR)),
        (false, true) => Some((texts.get("preview-tag"), theme.accent, theme.on_accent)),
        (false, false) => None,
    };
    if let Some((text, fill, color)) = mark.filter(|_| !is_small) {
        let galley = ui.painter().layout_no_wrap(text.to_string(), Type::Tiny.font(), color);
        let size = galley.size() + vec2(10.0, 4.0);
        let plate = Rect::from_min_size(rect.min + Vec2::splat(gap::XS), size);
        ui.painter().rect_filled(plate, CornerRadius::same(3), fill);
        ui.painter().galley(plate.center() - galley.size() / 2.0, galley, color);
    }
    let stroke = match (on_program, in_preview, response.hovered()) {
        (true, _, _) if is_on_air(view.snapshot) => Stroke::new(2.0, theme.live),
        // In studio mode, the accent color belongs to the preview.
        (true, _, _) if view.snapshot.scenes.preview_scene.is_some() => {
            Stroke::new(2.0, theme.secondary)
        }
        (true, _, _) | (_, true, _) => Stroke::new(2.0, theme.accent),
        (false, false, true) => Stroke::new(2.0, theme.secondary),
        (false, false, false) => theme.border(),
    };
    ui.painter().rect_stroke(rect, CornerRadius::same(2), stroke, StrokeKind::Outside);
    focus_ring(ui, theme, response, 2);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use egui::pos2;

    use super::*;
    use crate::compose::scene::ItemId;
    use crate::studio::snapshot::VideoSource;
    use crate::studio::{Collection, Edit};

    #[test]
    fn a_black_frame_says_why() {
        let mut collection = Collection::default();
        assert!(collection.apply(&Edit::AddScene("Empty".into())));
        let mut snapshot = Snapshot::default();
        let mut set = |state: Option<SourceState>, is_hidden: bool| {
            collection.apply(&Edit::HideItem(ItemId(1), is_hidden));
            snapshot.scenes.collection = Arc::new(collection.clone());
            snapshot.video = state.map(|state| {
                let (name, format) = (String::new(), None);
                VideoSource { choice: VideoChoice::Test, state, name, format }
            });
            let scenes = &snapshot.scenes.collection.scenes;
            (why_empty(&snapshot, &scenes[0]), why_empty(&snapshot, &scenes[1]))
        };
        let empty = Some("multiview-empty");
        assert_eq!(set(Some(SourceState::Open), false), (None, empty));
        assert_eq!(set(Some(SourceState::Open), true), (Some("multiview-hidden"), empty));
        assert_eq!(set(Some(SourceState::Lost), false).0, Some("multiview-down"));
        assert_eq!(set(Some(SourceState::Opening), false).0, Some("multiview-opening"));
        assert_eq!(set(None, false).0, empty);
    }

    #[test]
    fn all_scenes_have_a_place_and_none_is_too_small() {
        for size in [vec2(700.0, 150.0), vec2(1920.0, 1080.0), vec2(120.0, 90.0)] {
            let room = Rect::from_min_size(pos2(10.0, 20.0), size);
            for count in [1, 2, 4, 9, 40] {
                let cells = cells(room, count);
                assert_eq!(cells.len(), count);
                for (index, cell) in cells.iter().enumerate() {
                    let what = format!("{size:?}, {index} of {count}: {cell:?}");
                    assert!(cell.width() > 100.0 && cell.height() > 50.0, "{what}");
                    let inside = cell.left() >= room.left() && cell.right() <= room.right();
                    assert!(inside && cell.top() >= room.top(), "{what}");
                    let apart = cells.iter().skip(index + 1).all(|it| !it.intersects(*cell));
                    assert!(apart, "{what}");
                }
            }
        }
        assert!(cells(Rect::ZERO, 0).is_empty());
    }
}
