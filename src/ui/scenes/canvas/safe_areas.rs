//! Safe areas over the frame, as defined by EBU R 95 and SMPTE RP 2046-1 for 16:9: action within 93
//! %, titles within 90 %. They are drawn only in the window, not in video frames.

use egui::{Color32, Painter, Rect, Stroke, StrokeKind, Vec2};

/// The action safe area, as a fraction of width and height.
const ACTION_SAFE_FRACTION: f32 = 0.93;
/// The title safe area.
const TITLE_SAFE_FRACTION: f32 = 0.90;
/// Half the size of the center cross, as a fraction of the height.
const CROSS_ARM_FRACTION: f32 = 0.04;

/// Returns the action and the title safe area of a frame in `rect`.
fn frames(rect: Rect) -> [Rect; 2] {
    [ACTION_SAFE_FRACTION, TITLE_SAFE_FRACTION]
        .map(|part| Rect::from_center_size(rect.center(), rect.size() * part))
}

/// Draws both areas over a frame in `rect`.
pub(super) fn paint(painter: &Painter, rect: Rect) {
    let arm = rect.height() * CROSS_ARM_FRACTION;
    let [right, down] = [Vec2::new(arm, 0.0), Vec2::new(0.0, arm)];
    // A dark line under the light line makes the area visible on any frame.
    for stroke in [
        Stroke::new(3.0, Color32::from_black_alpha(120)),
        Stroke::new(1.0, Color32::from_white_alpha(200)),
    ] {
        for frame in frames(rect) {
            painter.rect_stroke(frame, 0.0, stroke, StrokeKind::Middle);
        }
        for way in [right, down] {
            painter.line_segment([rect.center() - way, rect.center() + way], stroke);
        }
    }
}

#[cfg(test)]
mod tests {
    use egui::pos2;

    use super::*;

    #[test]
    fn the_frames_are_those_of_the_recommendation() {
        let program = Rect::from_min_size(pos2(10.0, 20.0), Vec2::new(1920.0, 1080.0));
        let [action, title] = frames(program);
        // R 95, table 1: 67 pixels and 38 lines, 96 pixels and 54 lines in HD.
        let inset = |frame: Rect| (frame.min - program.min).round();
        assert_eq!(inset(action), Vec2::new(67.0, 38.0));
        assert_eq!(inset(title), Vec2::new(96.0, 54.0));
        assert_eq!((action.center(), title.center()), (program.center(), program.center()));
    }
}
