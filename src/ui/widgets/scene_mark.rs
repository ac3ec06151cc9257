//! The marks of the program and the preview. They differ in shape, because a color alone is not
//! accessible.

use egui::{Color32, Painter, Pos2, Shape, Stroke, pos2};

/// What a scene is used for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum SceneMark {
    /// A disc in a ring: the scene is in the program.
    Program,
    /// A triangle that points to the right: the scene comes next.
    Preview,
}

impl SceneMark {
    /// Paints the mark around a point.
    pub fn paint(self, painter: &Painter, at: Pos2, color: Color32) {
        match self {
            Self::Program => {
                painter.circle_filled(at, 2.5, color);
                painter.circle_stroke(at, 5.0, Stroke::new(1.5, color));
            }
            Self::Preview => {
                let points = [(-3.5, -5.0), (5.0, 0.0), (-3.5, 5.0)];
                let points = points.map(|(x, y)| pos2(at.x + x, at.y + y)).to_vec();
                painter.add(Shape::convex_polygon(points, color, Stroke::NONE));
            }
        }
    }
}
