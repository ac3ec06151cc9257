//! The program picture with its frame and tag, and what stands in its place while there is none.

use egui::{CornerRadius, Rect, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, vec2};

use crate::capture::VideoChoice;
use crate::compose::scene::Content;
use crate::studio::Command;
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
}

/// The picture itself, or what stands in its place; tells whether it was the picture.
fn program(ui: &mut Ui, view: &mut View<'_>, picture: &mut FrameView, rect: Rect) -> bool {
    let theme = view.theme;
    let response = ui.interact(rect, ui.scope_id().with("program"), Sense::hover());
    let name = view.texts.get("program-preview");
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &*name));
    let state = view.snapshot.video.as_ref().map(|video| (video.state, &video.choice));
    // A scene with more than the chosen picture is always shown.
    let shown =
        view.snapshot.scenes.collection.current().is_some_and(|scene| {
            scene.items.iter().any(|item| item.content != Content::Source(MAIN))
        });
    let painted = match state {
        _ if shown => picture.paint(ui, rect),
        Some((SourceState::Open | SourceState::Stalled | SourceState::Lost, choice))
            if *choice != VideoChoice::None =>
        {
            picture.paint(ui, rect)
        }
        _ => false,
    };
    if !painted {
        ui.painter().rect_filled(rect, CornerRadius::ZERO, BLACK);
        let (title, advice, offer) = match state {
            Some((SourceState::Opening | SourceState::Open, choice))
                if *choice != VideoChoice::None =>
            {
                (
                    view.texts.get("placeholder-opening"),
                    view.texts.get("placeholder-opening-advice"),
                    false,
                )
            }
            Some((SourceState::Failed | SourceState::Lost | SourceState::Stalled, _)) => (
                view.texts.get("placeholder-failed"),
                view.texts.get("placeholder-failed-advice"),
                true,
            ),
            _ => (
                view.texts.get("placeholder-none"),
                view.texts.get("placeholder-none-advice"),
                true,
            ),
        };
        let icon = if offer { Icon::NoVideo } else { Icon::Camera };
        let button = offer.then(|| view.texts.get("use-test-pattern"));
        if placeholder(ui, rect, icon, &title, &advice, button.as_deref()) {
            view.send(Command::SelectVideo(VideoChoice::Test));
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
