//! The program frame with its border and tag, or a text in its place.

use egui::{
    Color32, CornerRadius, Rect, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, vec2,
};

use crate::capture::VideoChoice;
use crate::compose::scene::Content;
use crate::studio::live::view::LiveState;
use crate::studio::scenes::MAIN_SOURCE;
use crate::studio::snapshot::SourceState;
use crate::ui::input::actions::key;
use crate::ui::scenes;
use crate::ui::studio_page::multiview::is_on_air;
use crate::ui::studio_page::take::{self, StudioAreas};
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{
    BORDER_WIDTH, FRAME_BACKGROUND, TEXT_PLATE, Type, VIDEO_TEXT_COLOR, gap,
};
use crate::ui::targets::child;
use crate::ui::text::format;
use crate::ui::video::placeholder::placeholder;
use crate::ui::video::{FrameView, Rotation, fill_around, fitted};
use crate::ui::view::View;
use crate::ui::widgets::{Button, one_line};

/// Draws the program in `room`.
///
/// In studio mode, the preview is to the left of the program, or above it.
pub fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    frame: &mut FrameView,
    preview: Option<&mut FrameView>,
    draft: &mut scenes::Draft,
    room: Rect,
) {
    let mut room = room;
    if let Some(preview) = preview {
        let areas = StudioAreas::of(room, view.snapshot.quality.size.aspect());
        room = areas.program;
        let inner = scenes::playback_bar::above(draft, view.snapshot, areas.preview.shrink(gap::M));
        let rect = draft.zoom.place(inner, view.snapshot.quality.size, ui.pixels_per_point());
        let seen = rect.intersect(inner);
        fill_around(ui, areas.preview, seen, view.theme.canvas);
        if !preview.paint_turned(ui, rect, seen, Rotation::None) {
            ui.painter().rect_filled(seen, CornerRadius::ZERO, FRAME_BACKGROUND);
        }
        let frame = Stroke::new(2.0, view.theme.accent);
        ui.painter().rect_stroke(seen, CornerRadius::same(2), frame, StrokeKind::Outside);
        let fill = (view.theme.accent, view.theme.on_accent);
        label_in(ui, seen, &view.texts.get("preview-tag"), fill);
        worked_on(ui, view, draft, (&*preview, true), (rect, seen), inner);
        take::show(ui, view, draft, &areas);
    }
    let inner = room.shrink(gap::M);
    let (size, dots) = (view.snapshot.quality.size, ui.pixels_per_point());
    let shape = size.aspect();
    // The zoom does not apply to a text that replaces the frame.
    let beside = view.snapshot.scenes.preview_scene.is_some();
    // Both frames of studio mode have the same size.
    let inner = scenes::playback_bar::above(draft, view.snapshot, inner);
    let rect = match beside || !shows_video(only_source(view)) {
        true => fitted(inner, shape, dots),
        false => draft.zoom.place(inner, size, dots),
    };
    let seen = rect.intersect(inner);
    fill_around(ui, room, seen, view.theme.canvas);
    let painted = program(ui, view, frame, (rect, seen));
    if !beside {
        worked_on(ui, view, draft, (&*frame, painted), (rect, seen), inner);
    }
    scenes::canvas::drops::show(ui, view, draft, room);
}

/// Draws the controls over the edited frame: handles, the playback bar, and the zoom. While the
/// user picks a key color, another frame replaces all but the zoom. Without a frame, a button may be
/// in the frame's place, which the handles must not cover.
fn worked_on(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut scenes::Draft,
    (frame, is_painted): (&FrameView, bool),
    (rect, seen): (Rect, Rect),
    room: Rect,
) {
    // The next controls keep their ids, and so the focus, if the playback bar comes or goes.
    let ui = &mut child(ui, room, "worked-on");
    let pick = (&mut draft.pick, &mut draft.zoom);
    if scenes::canvas::color_pick::show(ui, view, pick, frame, (rect, seen)) {
        let hint = view.texts.get("video-key-pick-hint");
        label_in(ui, seen, &hint, (TEXT_PLATE, VIDEO_TEXT_COLOR));
    } else if is_painted {
        scenes::canvas::show(ui, view, draft, rect, room);
        scenes::playback_bar::show(ui, view, draft, seen);
        if draft.interaction.is_some() {
            let hint = view.texts.get("page-interact-hint");
            label_in(ui, seen, &hint, (TEXT_PLATE, VIDEO_TEXT_COLOR));
        }
    } else {
        return;
    }
    scenes::canvas::zoom::readout(ui, view, &mut draft.zoom, seen);
}

/// Draws the program frame, or a text in its place. Returns true if it drew the frame.
///
/// `rect` is the position of the frame, and `seen` is its visible part.
fn program(
    ui: &mut Ui,
    view: &mut View<'_>,
    frame: &mut FrameView,
    (rect, seen): (Rect, Rect),
) -> bool {
    let theme = view.theme;
    let response = ui.interact(seen, ui.scope_id().with("program"), Sense::hover());
    let name = view.texts.get("program-preview");
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &*name));
    let state = only_source(view);
    let painted = shows_video(state) && frame.paint_turned(ui, rect, seen, Rotation::None);
    if !painted {
        ui.painter().rect_filled(seen, CornerRadius::ZERO, FRAME_BACKGROUND);
        let (title, advice, offer) = match state {
            ShownSources::Several | ShownSources::One(SourceState::Opening | SourceState::Open) => {
                (key!("placeholder-opening"), key!("placeholder-opening-advice"), false)
            }
            ShownSources::One(SourceState::Failed | SourceState::Lost | SourceState::Stalled) => {
                (key!("placeholder-failed"), key!("placeholder-failed-advice"), true)
            }
            ShownSources::Unchosen if view.snapshot.cameras.is_empty() => {
                (key!("placeholder-no-camera"), key!("placeholder-no-camera-advice"), true)
            }
            ShownSources::Unchosen => {
                (key!("placeholder-unchosen"), key!("placeholder-unchosen-advice"), true)
            }
            ShownSources::Nothing => {
                (key!("placeholder-empty"), key!("placeholder-empty-advice"), true)
            }
        };
        let (title, advice) = (view.texts.get(title), view.texts.get(advice));
        let icon = if offer { Icon::NoVideo } else { Icon::Camera };
        let button = offer.then(|| view.texts.get("use-test-pattern"));
        // The health bar may have the same button, so this name also contains the title beside it.
        let name = format!("{}: {title}", button.as_deref().unwrap_or_default());
        let button = button.as_deref().map(|text| Button::new(text).name(&name));
        if placeholder(ui, seen, icon, &title, &advice, button) {
            scenes::show_test_pattern(view);
        }
    }
    let frame = match view.snapshot.live {
        // During passthrough, the program frame is not on air.
        _ if view.snapshot.passthrough.is_some() => Stroke::new(BORDER_WIDTH, theme.line),
        LiveState::OnAir | LiveState::Stopping => Stroke::new(2.0, theme.live),
        LiveState::Reconnecting { .. } => Stroke::new(2.0, theme.warn_frame),
        // In studio mode, the program is as prominent as the preview beside it.
        _ if view.snapshot.scenes.preview_scene.is_some() => Stroke::new(2.0, theme.secondary),
        LiveState::Idle | LiveState::Connecting { .. } => Stroke::new(BORDER_WIDTH, theme.line),
    };
    ui.painter().rect_stroke(seen, CornerRadius::same(2), frame, StrokeKind::Outside);
    tag(ui, view, seen);
    painted
}

/// The sources in the program scene.
#[derive(Copy, Clone, Debug)]
enum ShownSources {
    Nothing,
    /// Only the main source, for which no device is selected.
    Unchosen,
    /// Only one source, with its state.
    One(SourceState),
    /// Several sources, whose states are visible in the frame.
    Several,
}

/// Returns true if the scene shows a frame, and not a text in its place.
fn shows_video(state: ShownSources) -> bool {
    match state {
        ShownSources::Several
        | ShownSources::One(SourceState::Open | SourceState::Stalled | SourceState::Lost) => true,
        ShownSources::Nothing
        | ShownSources::Unchosen
        | ShownSources::One(SourceState::Opening | SourceState::Failed) => false,
    }
}

fn only_source(view: &View<'_>) -> ShownSources {
    let scenes = &view.snapshot.scenes;
    let Some(scene) = scenes.collection.program_scene() else { return ShownSources::Nothing };
    match scene.items.as_slice() {
        [] => ShownSources::Nothing,
        [only] => match only.content {
            Content::Source(MAIN_SOURCE) => {
                let video = view.snapshot.video.as_ref();
                let video = video.filter(|video| video.choice != VideoChoice::None);
                video.map_or(ShownSources::Unchosen, |video| ShownSources::One(video.state))
            }
            Content::Source(id) => {
                ShownSources::One(scenes.source(id).map_or(SourceState::Opening, |it| it.state))
            }
            Content::Group(_) | Content::Scene(_) => ShownSources::Several,
        },
        _ => ShownSources::Several,
    }
}

/// Draws the tag `PROGRAM 1280×720 · 30 fps` in the corner.
fn tag(ui: &Ui, view: &View<'_>, rect: Rect) {
    let quality = &view.snapshot.quality;
    let (size, rate) = (format::size(quality.size), format::rate(quality.frame_rate));
    let text = view.texts.with("program-tag", &[("size", size.into()), ("rate", rate.into())]);
    let beside = view.snapshot.scenes.preview_scene.is_some();
    let marked = beside && is_on_air(view.snapshot);
    let fill = if marked { view.theme.live_fill } else { TEXT_PLATE };
    let plate = label_in(ui, rect, &text, (fill, VIDEO_TEXT_COLOR));
    ui.interact(plate, ui.scope_id().with("tag"), Sense::hover())
        .on_hover_text(&*view.texts.get("tip-program"));
}

/// Draws a plate with a text in the upper left corner of a frame. A text that is too long for the
/// frame ends in an ellipsis.
pub(super) fn label_in(ui: &Ui, rect: Rect, text: &str, (fill, color): (Color32, Color32)) -> Rect {
    let margin = vec2(14.0, 8.0);
    let width = (rect.width() - 2.0 * gap::S - margin.x).max(0.0);
    let galley = one_line(ui, text, width, Type::Tiny.font(), color);
    let plate = Rect::from_min_size(rect.min + Vec2::splat(gap::S), galley.size() + margin);
    ui.painter().rect_filled(plate, CornerRadius::same(4), fill);
    ui.painter().galley(plate.center() - galley.size() / 2.0, galley, color);
    plate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_label_stays_in_its_frame() {
        let ctx = egui::Context::default();
        ctx.set_fonts(crate::ui::style::fonts::definitions());
        let frame = Rect::from_min_size(egui::pos2(20.0, 10.0), vec2(160.0, 90.0));
        let mut plate = Rect::NOTHING;
        let text = "Click the color in the source that becomes transparent.";
        let mut draw =
            |ui: &mut Ui| plate = label_in(ui, frame, text, (TEXT_PLATE, VIDEO_TEXT_COLOR));
        // The fonts are available from the second frame on.
        for _ in 0..2 {
            ctx.run_ui(egui::RawInput::default(), &mut draw).textures_delta.clear();
        }
        assert!(frame.contains_rect(plate) && plate.width() > 80.0, "{plate}");
    }
}
