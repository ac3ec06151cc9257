//! The playback bar below the frame: pauses and seeks the selected source, if it plays a media file
//! or a slide show.

use std::time::Duration;

use egui::{
    Align, CornerRadius, Key, Layout, Rect, Role, Sense, Stroke, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use crate::compose::scene::{Content, SourceId};
use crate::media::playback_control::{Position, TransportCommand};
use crate::studio::{Command, Snapshot};
use crate::ui::input::actions::{Action, key};
use crate::ui::scenes::draft::{Draft, chosen};
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{FOCUS_RING_WIDTH, TEXT_PLATE, Theme, Type, VIDEO_TEXT_COLOR, gap};
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{icon_button, label, row_in};

/// Height of the bar in points.
const BAR_HEIGHT_POINTS: f32 = 36.0;
/// Maximum width of the bar in points.
const MAX_BAR_WIDTH_POINTS: f32 = 460.0;
/// The distance by which a key seeks.
const SEEK_STEP: Duration = Duration::from_secs(5);

/// Returns the source that the bar controls: the selected one, or else the topmost one that plays
/// something.
fn meant(draft: &Draft, snapshot: &Snapshot) -> Option<(SourceId, Position)> {
    let playing = |id: SourceId| snapshot.scenes.source(id).and_then(|source| source.playing);
    let id = draft.source_that(snapshot, |id| playing(id).is_some())?;
    Some((id, playing(id)?))
}

/// Returns the command for a key.
pub fn asked(draft: &Draft, snapshot: &Snapshot, action: Action) -> Option<Command> {
    let (id, now) = meant(draft, snapshot)?;
    let go = match action {
        Action::MediaPause if now.paused => TransportCommand::Resume,
        Action::MediaPause => TransportCommand::Pause,
        Action::MediaRestart => TransportCommand::Restart,
        Action::MediaNext => TransportCommand::Next,
        Action::MediaPrevious => TransportCommand::Previous,
        Action::MediaForward => step(now, true)?,
        Action::MediaBack => step(now, false)?,
        _ => return None,
    };
    Some(Command::Media(id, go))
}

/// Returns the command for a short seek forward or back.
fn step(now: Position, forward: bool) -> Option<TransportCommand> {
    let whole = now.whole?;
    let to = if forward { now.at + SEEK_STEP } else { now.at.saturating_sub(SEEK_STEP) };
    Some(TransportCommand::To(to.min(whole)))
}

/// Returns the selected source, if it has a bar.
fn selected(draft: &Draft, snapshot: &Snapshot) -> Option<(SourceId, Position)> {
    let item = chosen(snapshot, draft).first().copied()?;
    meant(draft, snapshot).filter(|(id, _)| item.content == Content::Source(*id))
}

/// Returns the room for the frame, without that for the bar. The bar does not cover the handles at
/// the lower edge of the frame. It has its room in each scene that plays something, so that the
/// frame does not move under the pointer that selects an item.
pub fn above(draft: &Draft, snapshot: &Snapshot, room: Rect) -> Rect {
    match meant(draft, snapshot) {
        Some(_) => room.with_max_y(room.bottom() - BAR_HEIGHT_POINTS - gap::S),
        None => room,
    }
}

/// Draws the bar below the frame, for the selected source.
pub fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, rect: Rect) {
    let collection = &view.snapshot.scenes.collection;
    let Some((id, now)) = selected(draft, view.snapshot) else { return };
    let name = match collection.source_name(id) {
        "" => view.texts.get("scenes-main").to_string(),
        name => name.to_owned(),
    };
    let width = MAX_BAR_WIDTH_POINTS.min(rect.width() - 2.0 * gap::M);
    if width < 160.0 {
        return;
    }
    let at = pos2(rect.center().x, rect.bottom() + gap::S + BAR_HEIGHT_POINTS / 2.0);
    let plate = Rect::from_center_size(at, vec2(width, BAR_HEIGHT_POINTS));
    // A click beside a button must not reach the canvas below. The keyboard does not stop here.
    ui.interact(plate, ui.scope_id().with("transport"), Sense::CLICK | Sense::DRAG);
    ui.painter().rect_filled(plate, CornerRadius::same(8), TEXT_PLATE);
    let mut row = row_in(ui, plate.shrink2(vec2(gap::S, 0.0)), "transport-row", gap::XS);
    if let Some(go) = buttons(&mut row, view, &name, now) {
        view.send(Command::Media(id, go));
    }
    // The area of the frame is dark in both themes.
    let theme = &Theme::DARK;
    if let Some((index, count)) = now.item {
        let figures =
            [("index", (index + 1).to_string().into()), ("count", count.to_string().into())];
        label(&mut row, &view.texts.with("media-item", &figures), Type::Small, VIDEO_TEXT_COLOR);
    }
    if let Some(whole) = now.whole {
        let time = format!("{} / {}", format::minutes(now.at), format::minutes(whole));
        row.with_layout(Layout::right_to_left(Align::Center), |ui| {
            label(ui, &time, Type::Small, VIDEO_TEXT_COLOR);
            let left = ui.max_rect().left();
            let room = plate.with_min_x(left).with_max_x(ui.cursor().right() - gap::S);
            let name = view.texts.with("media-position", &[("name", name.as_str().into())]);
            if let Some(to) = rail(ui, theme, draft, room, &name, now.at, whole) {
                view.send(Command::Media(id, TransportCommand::To(to)));
            }
        });
    } else if now.item.is_none() {
        label(&mut row, &format::minutes(now.at), Type::Small, VIDEO_TEXT_COLOR);
    }
}

fn buttons(ui: &mut Ui, view: &View<'_>, name: &str, now: Position) -> Option<TransportCommand> {
    let mut asked = None;
    let mut button = |icon, text: &'static str, go| {
        let text = view.texts.with(text, &[("name", name.into())]);
        if icon_button(ui, &Theme::DARK, icon, &text, 26.0).clicked() {
            asked = Some(go);
        }
    };
    button(Icon::Replay, key!("media-restart"), TransportCommand::Restart);
    if now.item.is_some() {
        button(Icon::Previous, key!("media-previous"), TransportCommand::Previous);
    }
    if now.paused {
        button(Icon::Play, key!("media-resume"), TransportCommand::Resume);
    } else {
        button(Icon::Pause, key!("media-pause"), TransportCommand::Pause);
    }
    if now.item.is_some() {
        button(Icon::Next, key!("media-next"), TransportCommand::Next);
    }
    asked
}

/// Draws a slider with a handle. Returns the requested position.
fn rail(
    ui: &Ui,
    theme: &Theme,
    draft: &mut Draft,
    room: Rect,
    name: &str,
    at: Duration,
    whole: Duration,
) -> Option<Duration> {
    let room = room.shrink2(Vec2::new(gap::S, 0.0));
    if room.width() < 20.0 {
        return None;
    }
    let response = ui.interact(room, ui.scope_id().with("rail"), Sense::click_and_drag());
    let share_at = |x: f32| ((x - room.left()) / room.width()).clamp(0.0, 1.0);
    let pointed = response.interact_pointer_pos().map(|at| share_at(at.x));
    let released = draft.going.follow(ui, &response, pointed);
    let mut asked = released.map(|share| whole.mul_f32(share));
    if response.has_focus() {
        // The arrow keys move the slider, not the focus.
        let filter = egui::EventFilter { horizontal_arrows: true, ..Default::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let pressed = |key| ui.input(|input| input.key_pressed(key));
        if pressed(Key::ArrowLeft) {
            asked = Some(at.saturating_sub(SEEK_STEP));
        } else if pressed(Key::ArrowRight) {
            asked = Some((at + SEEK_STEP).min(whole));
        }
    }
    let share = at.as_secs_f32() / whole.as_secs_f32().max(1e-3);
    let share = draft.going.share(ui).unwrap_or(share).clamp(0.0, 1.0);
    response.widget_info(|| WidgetInfo {
        current_text_value: Some(format::minutes(whole.mul_f32(share))),
        value: Some(f64::from(share)),
        ..WidgetInfo::labeled(Role::Slider, true, name)
    });
    let y = room.center().y;
    let line = |to: f32| Rect::from_x_y_ranges(room.left()..=to, (y - 1.5)..=(y + 1.5));
    let radius = CornerRadius::same(2);
    ui.painter().rect_filled(line(room.right()), radius, theme.secondary);
    let handle = pos2(room.left() + room.width() * share, y);
    ui.painter().rect_filled(line(handle.x), radius, theme.accent);
    ui.painter().circle_filled(handle, if response.hovered() { 7.0 } else { 6.0 }, theme.text);
    if response.has_focus() {
        ui.painter().circle_stroke(handle, 9.0, Stroke::new(FOCUS_RING_WIDTH, theme.accent));
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stay_within_what_is_played() {
        let seconds = Duration::from_secs;
        let at = |at| Position { at: seconds(at), whole: Some(seconds(60)), ..Position::default() };
        assert_eq!(step(at(3), false), Some(TransportCommand::To(Duration::ZERO)));
        assert_eq!(step(at(3), true), Some(TransportCommand::To(seconds(8))));
        assert_eq!(step(at(58), true), Some(TransportCommand::To(seconds(60))));
        assert_eq!(step(Position::default(), true), None, "nothing to go about in");
    }
}
