//! The seek bar, which covers the whole duration of a recording, or the DVR window of a broadcast.
//! The first part of this module calculates positions, and the second part draws the bar.

use std::time::Duration;

use egui::{CornerRadius, CursorIcon, Key, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::studio::WatchCommand;
use crate::studio::watch::view::WatchFigures;
use crate::ui::style::theme::{FOCUS_RING_WIDTH, gap};
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::watch::draft::Draft;
use crate::ui::widgets::HandleDrag;

/// The height of the bar's row.
pub const ROW_HEIGHT_POINTS: f32 = 22.0;
/// The distance of a seek with one key press.
pub const SEEK_STEP: Duration = Duration::from_secs(5);
/// A position within this distance of the live edge counts as the live edge.
const LIVE_EDGE_TOLERANCE: Duration = Duration::from_millis(700);
/// The minimum duration of a recording or DVR window that has a seek bar.
const MIN_SEEKABLE_DURATION: Duration = Duration::from_secs(1);

/// The time range of the bar.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Span {
    /// The stream does not support seeking.
    None,
    Recording {
        position: Duration,
        duration: Duration,
    },
    Broadcast {
        range: Duration,
        behind: Duration,
    },
}

impl Span {
    /// Returns the range of a player with these figures.
    pub fn of(figures: &WatchFigures) -> Self {
        if let Some(duration) =
            figures.duration.filter(|duration| *duration >= MIN_SEEKABLE_DURATION)
        {
            let position = figures.position.min(duration);
            return Self::Recording { position, duration };
        }
        match figures.time_shift {
            Some(time_shift) if time_shift.range >= MIN_SEEKABLE_DURATION => {
                let behind = time_shift.behind.min(time_shift.range);
                Self::Broadcast { range: time_shift.range, behind }
            }
            _ => Self::None,
        }
    }

    /// Returns the current position on the bar, 0…1.
    pub fn share(self) -> f32 {
        match self {
            Self::None => 0.0,
            Self::Recording { position, duration } => {
                position.as_secs_f32() / duration.as_secs_f32()
            }
            Self::Broadcast { range, behind } => 1.0 - behind.as_secs_f32() / range.as_secs_f32(),
        }
    }

    /// Returns the command for a click at this position of the bar, 0…1.
    pub fn at(self, share: f32) -> Option<WatchCommand> {
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 1.0 };
        match self {
            Self::None => None,
            Self::Recording { duration, .. } => Some(WatchCommand::Seek(duration.mul_f32(share))),
            Self::Broadcast { range, .. } => Some(behind(range.mul_f32(1.0 - share))),
        }
    }

    /// Returns the command for a step forward or back. The player itself accounts for a pending
    /// seek and for the end of the stream.
    pub fn step(self, by: Duration, ahead: bool) -> Option<WatchCommand> {
        (self != Self::None).then_some(WatchCommand::Step { by, ahead })
    }

    /// Returns the text for a position on the bar: `0:42`, or `−12 s`.
    pub fn words(self, share: f32) -> String {
        match self.at(share) {
            Some(WatchCommand::Seek(to)) => format::minutes(to),
            Some(WatchCommand::SeekBehindLive(behind)) => format::behind(behind),
            _ => format::behind(Duration::ZERO),
        }
    }
}

fn behind(behind: Duration) -> WatchCommand {
    if behind <= LIVE_EDGE_TOLERANCE {
        WatchCommand::GoToLive
    } else {
        WatchCommand::SeekBehindLive(behind)
    }
}

/// Draws the bar. Returns the command that the user requested. A stream that does not support seeking
/// has no bar, because an empty one would look like a stream that does not advance.
pub fn bar(
    ui: &mut Ui,
    view: &View<'_>,
    draft: &mut Draft,
    span: Span,
    room: Rect,
) -> Option<WatchCommand> {
    if span == Span::None {
        draft.seeking = HandleDrag::default();
        return None;
    }
    let theme = view.theme;
    let rail = room.shrink2(vec2(gap::S, 0.0));
    let response = ui.interact(room, ui.scope_id().with("seek"), Sense::click_and_drag());
    let under = |at: egui::Pos2| ((at.x - rail.left()) / rail.width()).clamp(0.0, 1.0);
    let pointed = response.interact_pointer_pos().map(under);
    let released = draft.seeking.follow(ui, &response, pointed);
    let mut asked = released.and_then(|share| span.at(share));
    if response.has_focus() {
        // The arrow keys move the bar's position, not the keyboard focus.
        ui.memory_mut(|memory| {
            memory.set_focus_lock_filter(
                response.id,
                egui::EventFilter { horizontal_arrows: true, ..egui::EventFilter::default() },
            );
        });
        // Two key presses between two frames are two steps.
        let pressed = |key| ui.input(|input| input.num_presses(key));
        for (key, ahead) in [(Key::ArrowLeft, false), (Key::ArrowRight, true)] {
            let times = u32::try_from(pressed(key)).unwrap_or(u32::MAX);
            if times > 0 {
                asked = span.step(SEEK_STEP.saturating_mul(times), ahead);
            }
        }
    }
    let share = draft.seeking.share(ui).unwrap_or_else(|| span.share());
    let name = view.texts.get("seek");
    response.widget_info(|| WidgetInfo {
        current_text_value: Some(span.words(share)),
        value: Some(f64::from(share)),
        ..WidgetInfo::labeled(Role::Slider, true, &*name)
    });
    let y = room.center().y;
    let line = |from: f32, to: f32| Rect::from_x_y_ranges(from..=to, (y - 1.5)..=(y + 1.5));
    let radius = CornerRadius::same(2);
    ui.painter().rect_filled(line(rail.left(), rail.right()), radius, theme.line);
    let at = pos2(rail.left() + rail.width() * share, y);
    ui.painter().rect_filled(line(rail.left(), at.x), radius, theme.accent);
    let hovered = response.hovered() || response.dragged();
    ui.painter().circle_filled(at, if hovered { 7.0 } else { 6.0 }, theme.text);
    if response.has_focus() {
        ui.painter().circle_stroke(at, 9.0, Stroke::new(FOCUS_RING_WIDTH, theme.accent));
    }
    if let Some(share) = response.hover_pos().map(under) {
        let response = response.on_hover_cursor(CursorIcon::PointingHand);
        response.on_hover_text_at_pointer(span.words(share));
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::player::TimeShiftState;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn broadcast(range: u64, behind: u64) -> Span {
        Span::Broadcast { range: seconds(range), behind: seconds(behind) }
    }

    #[test]
    fn what_is_played_tells_what_the_bar_is() {
        let mut figures = WatchFigures::default();
        assert_eq!(Span::of(&figures), Span::None);
        let time_shift = |range, behind| {
            Some(TimeShiftState { range: seconds(range), behind: seconds(behind), bytes: 0 })
        };
        figures.time_shift = time_shift(0, 0);
        assert_eq!(Span::of(&figures), Span::None);
        figures.time_shift = time_shift(60, 90);
        assert_eq!(Span::of(&figures), broadcast(60, 60));
        figures.duration = Some(seconds(10));
        figures.position = seconds(12);
        let whole = Span::Recording { position: seconds(10), duration: seconds(10) };
        assert_eq!(Span::of(&figures), whole);
    }

    #[test]
    fn seek_positions_and_steps_in_a_recording_stay_in_it() {
        let span = Span::Recording { position: seconds(3), duration: seconds(60) };
        assert_eq!(span.share(), 0.05);
        assert_eq!(span.at(0.5), Some(WatchCommand::Seek(seconds(30))));
        assert_eq!(span.at(7.0), Some(WatchCommand::Seek(seconds(60))));
        assert_eq!(span.at(f32::NAN), Some(WatchCommand::Seek(seconds(60))));
        let step = |ahead| Some(WatchCommand::Step { by: SEEK_STEP, ahead });
        assert_eq!(
            (span.step(SEEK_STEP, false), span.step(SEEK_STEP, true)),
            (step(false), step(true))
        );
        assert_eq!(span.words(0.5), "0:30");
    }

    #[test]
    fn a_broadcast_is_gone_back_in_and_its_end_is_live() {
        let span = broadcast(100, 25);
        assert_eq!(span.share(), 0.75);
        assert_eq!(span.at(0.5), Some(WatchCommand::SeekBehindLive(seconds(50))));
        assert_eq!(
            (span.at(1.0), span.at(0.999)),
            (Some(WatchCommand::GoToLive), Some(WatchCommand::GoToLive))
        );
        assert_eq!(
            span.step(SEEK_STEP, false),
            Some(WatchCommand::Step { by: SEEK_STEP, ahead: false })
        );
        assert_eq!(span.words(0.88), "−12\u{a0}s");
        assert_eq!((Span::None.at(0.5), Span::None.step(SEEK_STEP, true)), (None, None));
    }
}
