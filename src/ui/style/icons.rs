//! The icons: one set, drawn as strokes with round corners on a 20×20 grid. They are sharp at 16
//! and 20 points on any display, and have the color of the text beside them. The widget that
//! displays an icon provides its accessible name.

use std::f32::consts::{PI, TAU};

use egui::{
    Color32, CornerRadius, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, Vec2, pos2, vec2,
};

/// The available icons.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Icon {
    Camera,
    TestPattern,
    Film,
    NoVideo,
    Microphone,
    Tone,
    Note,
    Silence,
    Speaker,
    SpeakerOff,
    Eye,
    EyeOff,
    Paste,
    Copy,
    Refresh,
    Settings,
    Sun,
    Moon,
    Play,
    Stop,
    Folder,
    FullScreen,
    Close,
    Check,
    ChevronDown,
    ChevronUp,
    ChevronRight,
    Warning,
    Info,
    Bell,
    Dot,
    Help,
    Search,
    Broadcast,
    Screen,
    Headphones,
    Layout,
    Plus,
    Trash,
    External,
    Pause,
    Flag,
    Replay,
    Next,
    Previous,
    Screenshot,
    Lock,
    Unlock,
    PictureInPicture,
    Scene,
    Window,
    Browser,
    Image,
    Slides,
    Color,
    Text,
    Document,
    Clock,
    Countdown,
    Stopwatch,
    Stream,
    Transition,
    Gear,
    Keyboard,
    Share,
    Eyedropper,
}

/// A pen on the 20×20 grid.
struct Pen<'a> {
    painter: &'a Painter,
    origin: Pos2,
    scale: f32,
    stroke: Stroke,
}

impl Pen<'_> {
    fn at(&self, x: f32, y: f32) -> Pos2 {
        self.origin + vec2(x, y) * self.scale
    }

    fn points(&self, points: &[(f32, f32)]) -> Vec<Pos2> {
        points.iter().map(|&(x, y)| self.at(x, y)).collect()
    }

    fn line(&self, points: &[(f32, f32)]) {
        self.painter.add(Shape::line(self.points(points), self.stroke));
    }

    fn closed(&self, points: &[(f32, f32)]) {
        self.painter.add(Shape::closed_line(self.points(points), self.stroke));
    }

    fn filled(&self, points: &[(f32, f32)]) {
        self.painter.add(Shape::convex_polygon(
            self.points(points),
            self.stroke.color,
            Stroke::new(self.stroke.width * 0.6, self.stroke.color),
        ));
    }

    fn rect(&self, x: f32, y: f32, width: f32, height: f32, radius: f32) {
        let rect = Rect::from_min_size(self.at(x, y), vec2(width, height) * self.scale);
        let radius = CornerRadius::from(radius * self.scale);
        self.painter.rect_stroke(rect, radius, self.stroke, StrokeKind::Middle);
    }

    fn circle(&self, x: f32, y: f32, radius: f32) {
        self.painter.circle_stroke(self.at(x, y), radius * self.scale, self.stroke);
    }

    fn dot(&self, x: f32, y: f32, radius: f32) {
        self.painter.circle_filled(self.at(x, y), radius * self.scale, self.stroke.color);
    }

    /// Draws an arc from `from` to `to` radians, clockwise from three o'clock.
    fn arc(&self, x: f32, y: f32, radius: f32, from: f32, to: f32) {
        let steps = 14;
        let points = (0..=steps)
            .map(|step| {
                let angle = from + (to - from) * step as f32 / steps as f32;
                self.at(x + radius * angle.cos(), y + radius * angle.sin())
            })
            .collect();
        self.painter.add(Shape::line(points, self.stroke));
    }
}

/// Draws `icon` into the largest square in the middle of `rect`.
pub fn paint(painter: &Painter, icon: Icon, rect: Rect, color: Color32) {
    let side = rect.width().min(rect.height());
    let corner = rect.center() - Vec2::splat(side / 2.0);
    let origin =
        pos2(painter.round_to_pixel_center(corner.x), painter.round_to_pixel_center(corner.y))
            - Vec2::splat(0.5 / painter.pixels_per_point());
    let scale = side / 20.0;
    let pen = Pen { painter, origin, scale, stroke: Stroke::new((1.6 * scale).max(1.25), color) };
    draw(&pen, icon);
}

/// Draws `icon` into a square with this center and side, and returns the square.
pub fn paint_at(painter: &Painter, icon: Icon, center: Pos2, side: f32, color: Color32) -> Rect {
    let square = Rect::from_center_size(center, Vec2::splat(side));
    paint(painter, icon, square, color);
    square
}

fn draw(pen: &Pen<'_>, icon: Icon) {
    match icon {
        Icon::Camera => {
            pen.rect(2.0, 5.0, 11.0, 10.0, 2.0);
            pen.closed(&[(13.0, 9.0), (18.0, 6.0), (18.0, 14.0), (13.0, 11.0)]);
        }
        Icon::TestPattern => {
            pen.rect(2.5, 4.0, 15.0, 12.0, 2.0);
            pen.line(&[(6.5, 4.0), (6.5, 12.0)]);
            pen.line(&[(10.0, 4.0), (10.0, 12.0)]);
            pen.line(&[(13.5, 4.0), (13.5, 12.0)]);
            pen.line(&[(2.5, 12.0), (17.5, 12.0)]);
        }
        Icon::Film => {
            pen.rect(3.0, 3.0, 14.0, 14.0, 2.0);
            pen.line(&[(6.5, 3.0), (6.5, 17.0)]);
            pen.line(&[(13.5, 3.0), (13.5, 17.0)]);
            for y in [7.6, 12.4] {
                pen.line(&[(3.0, y), (6.5, y)]);
                pen.line(&[(13.5, y), (17.0, y)]);
            }
        }
        Icon::NoVideo => {
            pen.rect(2.5, 4.0, 15.0, 12.0, 2.0);
            pen.line(&[(5.0, 17.5), (15.0, 2.5)]);
        }
        Icon::Microphone => {
            pen.rect(7.0, 2.0, 6.0, 9.5, 3.0);
            pen.arc(10.0, 9.5, 5.5, 0.0, PI);
            pen.line(&[(10.0, 15.0), (10.0, 18.0)]);
            pen.line(&[(7.0, 18.0), (13.0, 18.0)]);
        }
        Icon::Tone => {
            let wave: Vec<(f32, f32)> = (0..=24)
                .map(|step| {
                    let x = 2.0 + 16.0 * step as f32 / 24.0;
                    (x, 10.0 - 5.5 * ((x - 2.0) / 16.0 * TAU).sin())
                })
                .collect();
            pen.line(&wave);
        }
        Icon::Note => {
            pen.circle(6.0, 14.5, 2.5);
            pen.circle(14.5, 12.5, 2.5);
            pen.line(&[(8.5, 14.5), (8.5, 5.0), (17.0, 3.0), (17.0, 12.5)]);
        }
        Icon::Silence => {
            pen.rect(7.0, 2.0, 6.0, 9.5, 3.0);
            pen.arc(10.0, 9.5, 5.5, 0.0, PI);
            pen.line(&[(10.0, 15.0), (10.0, 18.0)]);
            pen.line(&[(3.0, 17.0), (17.0, 3.0)]);
        }
        Icon::Speaker | Icon::SpeakerOff => {
            pen.closed(&[
                (2.5, 7.5),
                (5.5, 7.5),
                (9.5, 4.0),
                (9.5, 16.0),
                (5.5, 12.5),
                (2.5, 12.5),
            ]);
            if icon == Icon::Speaker {
                pen.arc(9.5, 10.0, 4.0, -0.9, 0.9);
                pen.arc(9.5, 10.0, 7.5, -0.9, 0.9);
            } else {
                pen.line(&[(13.0, 7.5), (18.0, 12.5)]);
                pen.line(&[(18.0, 7.5), (13.0, 12.5)]);
            }
        }
        Icon::Eye | Icon::EyeOff => {
            pen.arc(10.0, 14.2, 9.2, PI + 0.5, TAU - 0.5);
            pen.arc(10.0, 5.8, 9.2, 0.5, PI - 0.5);
            pen.circle(10.0, 10.0, 2.4);
            if icon == Icon::EyeOff {
                pen.line(&[(4.0, 16.5), (16.0, 3.5)]);
            }
        }
        Icon::Paste => {
            pen.rect(4.0, 4.0, 12.0, 14.0, 2.0);
            pen.rect(7.5, 2.0, 5.0, 4.0, 1.2);
        }
        Icon::Copy => {
            pen.rect(7.0, 7.0, 10.0, 10.5, 2.0);
            pen.line(&[(13.0, 4.0), (13.0, 3.0), (3.0, 3.0), (3.0, 13.5), (4.2, 13.5)]);
        }
        Icon::Refresh => {
            pen.arc(10.0, 10.0, 6.5, -0.2, TAU - 1.2);
            pen.line(&[(12.8, 0.9), (13.0, 4.6), (9.4, 5.4)]);
        }
        Icon::Settings => {
            for (y, knob) in [(6.0, 13.0), (14.0, 7.0)] {
                pen.line(&[(2.0, y), (knob - 2.8, y)]);
                pen.line(&[(knob + 2.8, y), (18.0, y)]);
                pen.circle(knob, y, 2.8);
            }
        }
        Icon::Sun => {
            pen.circle(10.0, 10.0, 3.6);
            for step in 0..8 {
                let (sin, cos) = (step as f32 * TAU / 8.0).sin_cos();
                pen.line(&[
                    (10.0 + 6.2 * cos, 10.0 + 6.2 * sin),
                    (10.0 + 8.2 * cos, 10.0 + 8.2 * sin),
                ]);
            }
        }
        Icon::Moon => {
            pen.arc(9.5, 10.5, 7.0, 0.15, 4.55);
            pen.arc(13.6, 6.4, 5.6, 1.05, 3.70);
        }
        Icon::Play => pen.filled(&[(5.5, 3.5), (16.5, 10.0), (5.5, 16.5)]),
        Icon::Stop => pen.filled(&[(4.5, 4.5), (15.5, 4.5), (15.5, 15.5), (4.5, 15.5)]),
        Icon::Folder => {
            pen.closed(&[
                (2.5, 15.5),
                (2.5, 4.5),
                (8.0, 4.5),
                (9.8, 6.8),
                (17.5, 6.8),
                (17.5, 15.5),
            ]);
        }
        Icon::FullScreen => {
            pen.line(&[(3.0, 7.0), (3.0, 3.0), (7.0, 3.0)]);
            pen.line(&[(13.0, 3.0), (17.0, 3.0), (17.0, 7.0)]);
            pen.line(&[(17.0, 13.0), (17.0, 17.0), (13.0, 17.0)]);
            pen.line(&[(7.0, 17.0), (3.0, 17.0), (3.0, 13.0)]);
        }
        Icon::Close => {
            pen.line(&[(5.0, 5.0), (15.0, 15.0)]);
            pen.line(&[(15.0, 5.0), (5.0, 15.0)]);
        }
        Icon::Check => pen.line(&[(4.0, 10.5), (8.2, 14.8), (16.0, 5.5)]),
        Icon::ChevronDown => pen.line(&[(5.0, 7.5), (10.0, 12.5), (15.0, 7.5)]),
        Icon::ChevronUp => pen.line(&[(5.0, 12.5), (10.0, 7.5), (15.0, 12.5)]),
        Icon::ChevronRight => pen.line(&[(7.5, 5.0), (12.5, 10.0), (7.5, 15.0)]),
        Icon::Warning => {
            pen.closed(&[(10.0, 2.8), (18.0, 16.8), (2.0, 16.8)]);
            pen.line(&[(10.0, 8.0), (10.0, 12.0)]);
            pen.dot(10.0, 14.4, 1.0);
        }
        Icon::Info => {
            pen.circle(10.0, 10.0, 7.6);
            pen.line(&[(10.0, 9.2), (10.0, 14.0)]);
            pen.dot(10.0, 6.4, 1.1);
        }
        Icon::Dot => pen.dot(10.0, 10.0, 5.5),
        Icon::Plus => {
            pen.line(&[(10.0, 4.0), (10.0, 16.0)]);
            pen.line(&[(4.0, 10.0), (16.0, 10.0)]);
        }
        Icon::Trash => {
            pen.line(&[(3.5, 5.5), (16.5, 5.5)]);
            pen.line(&[(7.5, 5.5), (8.0, 3.0), (12.0, 3.0), (12.5, 5.5)]);
            pen.line(&[(5.0, 5.5), (5.8, 17.0), (14.2, 17.0), (15.0, 5.5)]);
            pen.line(&[(8.5, 8.5), (8.7, 14.0)]);
            pen.line(&[(11.5, 8.5), (11.3, 14.0)]);
        }
        Icon::External => {
            pen.line(&[(8.0, 4.5), (4.0, 4.5), (4.0, 16.0), (15.5, 16.0), (15.5, 12.0)]);
            pen.line(&[(9.5, 10.5), (16.5, 3.5)]);
            pen.line(&[(11.5, 3.5), (16.5, 3.5), (16.5, 8.5)]);
        }
        Icon::Share => {
            pen.line(&[(14.0, 5.0), (6.0, 10.0), (14.0, 15.0)]);
            for (x, y) in [(15.0, 4.5), (5.0, 10.0), (15.0, 15.5)] {
                pen.dot(x, y, 2.4);
            }
        }
        Icon::Pause => {
            pen.filled(&[(5.0, 4.0), (8.2, 4.0), (8.2, 16.0), (5.0, 16.0)]);
            pen.filled(&[(11.8, 4.0), (15.0, 4.0), (15.0, 16.0), (11.8, 16.0)]);
        }
        Icon::Flag => {
            pen.line(&[(5.0, 17.5), (5.0, 3.0)]);
            pen.closed(&[(5.0, 3.5), (16.0, 3.5), (13.2, 7.2), (16.0, 11.0), (5.0, 11.0)]);
        }
        Icon::Next => {
            pen.filled(&[(4.5, 4.5), (12.5, 10.0), (4.5, 15.5)]);
            pen.line(&[(15.0, 4.5), (15.0, 15.5)]);
        }
        Icon::Previous => {
            pen.filled(&[(15.5, 4.5), (7.5, 10.0), (15.5, 15.5)]);
            pen.line(&[(5.0, 4.5), (5.0, 15.5)]);
        }
        Icon::Replay => {
            pen.arc(10.0, 10.5, 6.5, -2.3, 3.0);
            pen.line(&[(2.8, 4.2), (5.7, 5.7), (7.4, 2.6)]);
            pen.filled(&[(8.5, 7.8), (13.0, 10.5), (8.5, 13.2)]);
        }
        Icon::Screenshot => {
            pen.rect(2.5, 5.5, 15.0, 10.5, 2.0);
            pen.line(&[(6.8, 5.5), (7.8, 3.5), (12.2, 3.5), (13.2, 5.5)]);
            pen.circle(10.0, 10.6, 3.1);
        }
        Icon::Lock => {
            pen.rect(4.5, 9.0, 11.0, 8.0, 2.0);
            pen.arc(10.0, 7.5, 3.5, PI, TAU);
            pen.line(&[(6.5, 7.5), (6.5, 9.0)]);
            pen.line(&[(13.5, 7.5), (13.5, 9.0)]);
        }
        Icon::Unlock => {
            pen.rect(4.5, 9.0, 11.0, 8.0, 2.0);
            pen.arc(10.0, 6.0, 3.5, PI, TAU - 0.3);
            pen.line(&[(6.5, 6.0), (6.5, 9.0)]);
        }
        Icon::Help => {
            pen.circle(10.0, 10.0, 7.6);
            pen.arc(10.0, 8.2, 2.5, PI, TAU + 0.9);
            pen.line(&[(11.5, 10.2), (10.0, 11.2), (10.0, 12.2)]);
            pen.dot(10.0, 14.5, 1.0);
        }
        Icon::Bell => {
            pen.line(&[
                (6.0, 8.6),
                (6.0, 11.6),
                (4.4, 14.2),
                (15.6, 14.2),
                (14.0, 11.6),
                (14.0, 8.6),
            ]);
            pen.arc(10.0, 8.4, 4.0, PI, TAU);
            pen.line(&[(8.6, 17.0), (11.4, 17.0)]);
        }
        Icon::Search => {
            pen.circle(8.5, 8.5, 5.5);
            pen.line(&[(12.6, 12.6), (17.0, 17.0)]);
        }
        Icon::Broadcast => {
            pen.dot(10.0, 10.0, 2.0);
            for radius in [4.8, 8.0] {
                pen.arc(10.0, 10.0, radius, -0.8, 0.8);
                pen.arc(10.0, 10.0, radius, PI - 0.8, PI + 0.8);
            }
        }
        Icon::Scene => {
            pen.rect(3.0, 8.5, 14.0, 8.5, 1.5);
            pen.closed(&[(3.0, 8.5), (2.4, 5.2), (15.6, 2.6), (16.2, 5.6)]);
            pen.line(&[(6.6, 4.4), (9.4, 7.0)]);
            pen.line(&[(11.0, 3.6), (13.4, 6.1)]);
        }
        Icon::Window => {
            pen.rect(2.5, 3.5, 15.0, 13.0, 2.0);
            pen.line(&[(2.5, 7.5), (17.5, 7.5)]);
            pen.dot(5.3, 5.5, 0.9);
            pen.dot(8.0, 5.5, 0.9);
        }
        Icon::Browser => {
            pen.rect(2.5, 3.5, 15.0, 13.0, 2.0);
            pen.line(&[(2.5, 7.5), (17.5, 7.5)]);
            pen.line(&[(8.0, 10.0), (5.6, 12.0), (8.0, 14.0)]);
            pen.line(&[(12.0, 10.0), (14.4, 12.0), (12.0, 14.0)]);
        }
        Icon::Image => {
            pen.rect(2.5, 3.0, 15.0, 14.0, 2.0);
            pen.circle(7.2, 7.6, 1.6);
            pen.line(&[(4.5, 17.0), (12.6, 9.4), (17.5, 13.6)]);
        }
        Icon::Slides => {
            pen.rect(2.5, 6.5, 11.5, 10.0, 1.5);
            pen.line(&[(6.0, 6.5), (6.0, 3.5), (17.5, 3.5), (17.5, 13.0), (14.0, 13.0)]);
        }
        Icon::Color => {
            pen.line(&[(10.0, 2.5), (5.6, 8.4)]);
            pen.line(&[(10.0, 2.5), (14.4, 8.4)]);
            pen.arc(10.0, 11.8, 5.5, -0.66, PI + 0.66);
        }
        Icon::Eyedropper => {
            pen.closed(&[(10.5, 6.5), (13.5, 9.5), (6.0, 17.0), (3.0, 17.0), (3.0, 14.0)]);
            pen.line(&[(8.5, 4.5), (15.5, 11.5)]);
            pen.filled(&[(11.5, 6.0), (14.5, 3.0), (17.0, 5.5), (14.0, 8.5)]);
        }
        Icon::Text => {
            pen.line(&[(3.5, 6.0), (3.5, 3.5), (16.5, 3.5), (16.5, 6.0)]);
            pen.line(&[(10.0, 3.5), (10.0, 16.5)]);
            pen.line(&[(7.5, 16.5), (12.5, 16.5)]);
        }
        Icon::Document => {
            pen.closed(&[(4.5, 2.5), (11.5, 2.5), (15.5, 6.5), (15.5, 17.5), (4.5, 17.5)]);
            pen.line(&[(7.5, 9.5), (12.5, 9.5)]);
            pen.line(&[(7.5, 13.0), (12.5, 13.0)]);
        }
        Icon::Clock => {
            pen.circle(10.0, 10.0, 7.5);
            pen.line(&[(10.0, 5.5), (10.0, 10.0), (13.2, 11.8)]);
        }
        Icon::Countdown => {
            pen.line(&[(5.0, 2.5), (15.0, 2.5)]);
            pen.line(&[(5.0, 17.5), (15.0, 17.5)]);
            pen.closed(&[
                (6.0, 2.5),
                (14.0, 2.5),
                (14.0, 5.5),
                (6.0, 14.5),
                (6.0, 17.5),
                (14.0, 17.5),
                (14.0, 14.5),
                (6.0, 5.5),
            ]);
        }
        Icon::Stopwatch => {
            pen.circle(10.0, 11.5, 6.2);
            pen.line(&[(8.0, 2.0), (12.0, 2.0)]);
            pen.line(&[(10.0, 11.5), (12.8, 8.7)]);
        }
        Icon::Stream => {
            pen.circle(10.0, 10.0, 7.5);
            pen.line(&[(2.5, 10.0), (17.5, 10.0)]);
            pen.arc(17.5, 10.0, 10.0, PI - 0.84, PI + 0.84);
            pen.arc(2.5, 10.0, 10.0, -0.84, 0.84);
        }
        Icon::Gear => {
            pen.circle(10.0, 10.0, 2.6);
            // The gear has six teeth around its rim.
            let teeth: Vec<(f32, f32)> = (0..6_u8)
                .flat_map(|tooth| {
                    let middle = f32::from(tooth) * TAU / 6.0 + TAU / 12.0;
                    [(-0.36, 5.7), (-0.24, 8.4), (0.24, 8.4), (0.36, 5.7)].map(|(turn, radius)| {
                        let (sin, cos) = (middle + turn).sin_cos();
                        (10.0 + radius * cos, 10.0 + radius * sin)
                    })
                })
                .collect();
            pen.closed(&teeth);
        }
        Icon::Keyboard => {
            pen.rect(2.0, 5.0, 16.0, 10.5, 2.0);
            for (x, y) in [(5.5, 8.5), (8.5, 8.5), (11.5, 8.5), (14.5, 8.5)] {
                pen.dot(x, y, 0.9);
            }
            pen.line(&[(6.5, 12.3), (13.5, 12.3)]);
        }
        Icon::Transition => {
            pen.line(&[(3.0, 7.0), (16.5, 7.0)]);
            pen.line(&[(13.0, 3.5), (16.5, 7.0)]);
            pen.line(&[(17.0, 13.0), (3.5, 13.0)]);
            pen.line(&[(7.0, 16.5), (3.5, 13.0)]);
        }
        Icon::PictureInPicture => {
            pen.rect(2.0, 4.0, 16.0, 12.0, 2.0);
            pen.filled(&[(10.0, 9.5), (15.5, 9.5), (15.5, 13.5), (10.0, 13.5)]);
        }
        Icon::Layout => {
            pen.rect(2.5, 3.0, 15.0, 14.0, 2.0);
            pen.line(&[(8.0, 3.0), (8.0, 17.0)]);
            pen.line(&[(8.0, 10.0), (17.5, 10.0)]);
        }
        Icon::Headphones => {
            pen.arc(10.0, 11.0, 7.0, PI, TAU);
            pen.rect(2.2, 11.0, 3.6, 6.0, 1.4);
            pen.rect(14.2, 11.0, 3.6, 6.0, 1.4);
        }
        Icon::Screen => {
            pen.rect(2.5, 3.5, 15.0, 10.5, 2.0);
            pen.line(&[(7.0, 17.0), (13.0, 17.0)]);
            pen.line(&[(10.0, 14.0), (10.0, 17.0)]);
        }
    }
}
