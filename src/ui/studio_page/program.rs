//! The program picture with its frame and tag, and what stands in its place while there is none.

use egui::{CornerRadius, Rect, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, vec2};

use crate::capture::VideoChoice;
use crate::compose::scene::Content;
use crate::studio::live::view::LiveState;
use crate::studio::scenes::MAIN;
use crate::studio::snapshot::SourceState;
use crate::ui::scenes;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{BLACK, BORDER, ON_VIDEO, PLATE, Type, gap};
use crate::ui::text::format;
use crate::ui::video::placeholder::placeholder;
use crate::ui::video::{FrameView, fill_around, fitted};
use crate::ui::view::View;

/// The stage fills `room`.
///
/// While a scene is prepared, it stands to the left of what goes out.
pub fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    picture: &mut FrameView,
    prepared: Option<&mut FrameView>,
    draft: &mut scenes::Draft,
    room: Rect,
) {
    let quality = &view.snapshot.quality;
    let shape = quality.size.width as f32 / (quality.size.height as f32).max(1.0);
    let mut room = room;
    if let Some(prepared) = prepared {
        let (left, right) = room.split_left_right_at_fraction(0.5);
        room = right;
        let rect = fitted(left.shrink(gap::S), shape, ui.pixels_per_point());
        fill_around(ui, left, rect, view.theme.canvas);
        if !prepared.paint(ui, rect) {
            ui.painter().rect_filled(rect, CornerRadius::ZERO, BLACK);
        }
        let frame = Stroke::new(2.0, view.theme.good);
        ui.painter().rect_stroke(rect, CornerRadius::same(2), frame, StrokeKind::Outside);
        label_in(ui, rect, &view.texts.get("preview-tag"));
        crate::ui::scenes::canvas::show(ui, view, draft, rect);
        crate::ui::scenes::playback_bar::show(ui, view, draft, rect);
    }
    let rect = fitted(room.shrink(gap::M), shape, ui.pixels_per_point());

    fill_around(ui, room, rect, view.theme.canvas);
    let painted = program(ui, view, picture, rect);
    // Where there is none, a button may stand in its place.
    if painted && view.snapshot.scenes.prepared.is_none() {
        crate::ui::scenes::canvas::show(ui, view, draft, rect);
        crate::ui::scenes::playback_bar::show(ui, view, draft, rect);
    }
    crate::ui::scenes::canvas::drops::show(ui, view, draft, room);
}

/// The picture itself, or what stands in its place; tells whether it was the picture.
fn program(ui: &mut Ui, view: &mut View<'_>, picture: &mut FrameView, rect: Rect) -> bool {
    let theme = view.theme;
    let response = ui.interact(rect, ui.scope_id().with("program"), Sense::hover());
    let name = view.texts.get("program-preview");
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &*name));
    let state = only_source(view);
    let painted = match state {
        ShownSources::Several
        | ShownSources::One(SourceState::Open | SourceState::Stalled | SourceState::Lost) => {
            picture.paint(ui, rect)
        }
        ShownSources::Nothing | ShownSources::One(SourceState::Opening | SourceState::Failed) => {
            false
        }
    };
    if !painted {
        ui.painter().rect_filled(rect, CornerRadius::ZERO, BLACK);
        let (title, advice, offer) = match state {
            ShownSources::Several | ShownSources::One(SourceState::Opening | SourceState::Open) => {
                (
                    view.texts.get("placeholder-opening"),
                    view.texts.get("placeholder-opening-advice"),
                    false,
                )
            }
            ShownSources::One(SourceState::Failed | SourceState::Lost | SourceState::Stalled) => (
                view.texts.get("placeholder-failed"),
                view.texts.get("placeholder-failed-advice"),
                true,
            ),
            ShownSources::Nothing => (
                view.texts.get("placeholder-empty"),
                view.texts.get("placeholder-empty-advice"),
                true,
            ),
        };
        let icon = if offer { Icon::NoVideo } else { Icon::Camera };
        let button = offer.then(|| view.texts.get("use-test-pattern"));
        if placeholder(ui, rect, icon, &title, &advice, button.as_deref()) {
            scenes::show_test_pattern(view);
        }
    }
    let frame = match view.snapshot.live {
        // Not this picture is on air.
        _ if view.snapshot.passthrough.is_some() => Stroke::new(BORDER, theme.line),
        LiveState::OnAir | LiveState::Stopping => Stroke::new(2.0, theme.live),
        LiveState::Reconnecting { .. } => Stroke::new(2.0, theme.warn),
        LiveState::Idle | LiveState::Connecting { .. } => Stroke::new(BORDER, theme.line),
    };
    ui.painter().rect_stroke(rect, CornerRadius::same(2), frame, StrokeKind::Outside);
    tag(ui, view, rect);
    painted
}

/// What the scene that goes out shows.
#[derive(Copy, Clone, Debug)]
enum ShownSources {
    Nothing,
    /// A source alone, and how it fares.
    One(SourceState),
    /// The picture says how they fare.
    Several,
}

fn only_source(view: &View<'_>) -> ShownSources {
    let scenes = &view.snapshot.scenes;
    let Some(scene) = scenes.collection.current() else { return ShownSources::Nothing };
    match scene.items.as_slice() {
        [] => ShownSources::Nothing,
        [only] => match only.content {
            Content::Source(MAIN) => {
                let video = view.snapshot.video.as_ref();
                let video = video.filter(|video| video.choice != VideoChoice::None);
                video.map_or(ShownSources::Nothing, |video| ShownSources::One(video.state))
            }
            Content::Source(id) => {
                ShownSources::One(scenes.source(id).map_or(SourceState::Opening, |it| it.state))
            }
            Content::Group(_) | Content::Scene(_) => ShownSources::Several,
        },
        _ => ShownSources::Several,
    }
}

/// `PROGRAM 1280×720 · 30` in the corner.
fn tag(ui: &Ui, view: &View<'_>, rect: Rect) {
    let quality = &view.snapshot.quality;
    let text = view.texts.with(
        "program-tag",
        &[
            ("size", format::size(quality.size).into()),
            ("rate", format::rate(quality.frame_rate).into()),
        ],
    );
    let plate = label_in(ui, rect, &text);
    ui.interact(plate, ui.scope_id().with("tag"), Sense::hover())
        .on_hover_text(&*view.texts.get("tip-program"));
}

/// A plate with words in the upper left corner of a picture.
fn label_in(ui: &Ui, rect: Rect, text: &str) -> Rect {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), Type::Tiny.font(), ON_VIDEO);
    let plate =
        Rect::from_min_size(rect.min + Vec2::splat(gap::S), galley.size() + vec2(14.0, 8.0));
    ui.painter().rect_filled(plate, CornerRadius::same(4), PLATE);
    ui.painter().galley(plate.center() - galley.size() / 2.0, galley, ON_VIDEO);
    plate
}
