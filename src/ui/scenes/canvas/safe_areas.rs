//! Safe areas over the picture, as EBU R 95 and SMPTE RP 2046-1 have them for 16:9: what happens stays within
//! 93 % of it, titles within 90 %. Only the window has them; no frame does.

use egui::{Color32, Painter, Rect, Stroke, StrokeKind, Vec2};

/// Of width and height, around what happens.
const ACTION: f32 = 0.93;
/// Around titles.
const TITLE: f32 = 0.90;
/// Half of the cross in the middle, of the height.
const CROSS: f32 = 0.04;

/// Both frames, for a picture in `rect`.
fn frames(rect: Rect) -> [Rect; 2] {
    [ACTION, TITLE].map(|part| Rect::from_center_size(rect.center(), rect.size() * part))
}

/// Draws them over a picture in `rect`.
pub(super) fn paint(painter: &Painter, rect: Rect) {
    let arm = rect.height() * CROSS;
    let [right, down] = [Vec2::new(arm, 0.0), Vec2::new(0.0, arm)];
    // A dark line under the light one: seen on any picture.
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
        let picture = Rect::from_min_size(pos2(10.0, 20.0), Vec2::new(1920.0, 1080.0));
        let [action, title] = frames(picture);
        // R 95, table 1: 67 pixels and 38 lines, 96 pixels and 54 lines of HD.
        let inset = |frame: Rect| (frame.min - picture.min).round();
        assert_eq!(inset(action), Vec2::new(67.0, 38.0));
        assert_eq!(inset(title), Vec2::new(96.0, 54.0));
        assert_eq!((action.center(), title.center()), (picture.center(), picture.center()));
    }
}
