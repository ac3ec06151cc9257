//! The geometry of a frame in its room: aspect ratio, zoom, position and rotation. This module has
//! no side effects.

use egui::{Rect, Vec2, vec2};

use crate::media::{Rotation, Size};
use crate::studio::watch::viewport;
use crate::studio::watch::viewport::{Aspect, ZOOM_RANGE};
use crate::ui::input::actions::key;
use crate::ui::video::fitted;

/// Returns the text key for the name of an aspect ratio.
pub fn key_of(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Fit => key!("aspect-fit"),
        Aspect::Fill => key!("aspect-fill"),
        Aspect::Wide => key!("aspect-wide"),
        Aspect::Classic => key!("aspect-classic"),
        Aspect::Original => key!("aspect-original"),
    }
}

/// The viewport of a frame.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Viewport {
    pub aspect: Aspect,
    pub zoom: f32,
    /// The offset of the frame's center from the center of the room, in widths and heights of the
    /// displayed frame.
    pub pan: Vec2,
    pub turn: Rotation,
}

impl Default for Viewport {
    fn default() -> Self {
        viewport::Viewport::default().into()
    }
}

impl From<viewport::Viewport> for Viewport {
    fn from(viewport: viewport::Viewport) -> Self {
        let viewport::Viewport { aspect, zoom, turn, pan } = viewport;
        Self { aspect, zoom, pan: pan.into(), turn }
    }
}

impl Viewport {
    /// Returns the viewport in the form in which the studio stores it.
    pub fn kept(&self) -> viewport::Viewport {
        viewport::Viewport {
            aspect: self.aspect,
            zoom: self.zoom,
            turn: self.turn,
            pan: self.pan.into(),
        }
    }

    /// Multiplies the zoom by a factor.
    pub fn zoom_by(&mut self, factor: f32) {
        let zoom = (self.zoom * factor).clamp(*ZOOM_RANGE.start(), *ZOOM_RANGE.end());
        self.zoom = if (zoom - 1.0).abs() < 0.02 { 1.0 } else { zoom };
        self.pan *= if self.zoom <= 1.0 { 0.0 } else { 1.0 };
    }

    /// Moves an enlarged frame by this many points, as long as a part of it remains visible.
    pub fn move_by(&mut self, by: Vec2, room: Rect, size: Size, pixels_per_point: f32) {
        let seen = self.place(room, size, pixels_per_point).size();
        if self.zoom > 1.0 && seen.x > 0.0 && seen.y > 0.0 {
            let most = most_pan(seen, room);
            self.pan = self.pan.clamp(-most, most) + by / seen;
            self.pan = self.pan.clamp(-most, most);
        }
    }

    /// Returns the position of a frame of this size, after rotation.
    pub fn place(&self, room: Rect, size: Size, pixels_per_point: f32) -> Rect {
        let (width, height) = (size.width.max(1) as f32, size.height.max(1) as f32);
        let (width, height) =
            if self.turn.is_sideways() { (height, width) } else { (width, height) };
        let own = width / height;
        let rect = match self.aspect {
            Aspect::Fit => fitted(room, own, pixels_per_point),
            Aspect::Wide => fitted(room, 16.0 / 9.0, pixels_per_point),
            Aspect::Classic => fitted(room, 4.0 / 3.0, pixels_per_point),
            Aspect::Fill => {
                let wide = room.width() > room.height() * own;
                let size = if wide {
                    vec2(room.width(), room.width() / own)
                } else {
                    vec2(room.height() * own, room.height())
                };
                Rect::from_center_size(room.center(), size)
            }
            Aspect::Original => {
                Rect::from_center_size(room.center(), vec2(width, height) / pixels_per_point)
            }
        };
        if self.zoom == 1.0 && self.pan == Vec2::ZERO {
            return rect;
        }
        let size = rect.size() * self.zoom;
        let most = most_pan(size, room);
        Rect::from_center_size(rect.center() + self.pan.clamp(-most, most) * size, size)
    }
}

/// Returns the maximum offset at which a part of the frame remains visible.
fn most_pan(size: Vec2, room: Rect) -> Vec2 {
    let most = (size + room.size()) / 2.0 - room.size().min(size) / 4.0;
    let most = most / size.max(Vec2::splat(f32::MIN_POSITIVE));
    most.max(Vec2::ZERO).min(Vec2::splat(viewport::MAX_PAN_DISTANCE))
}

#[cfg(test)]
mod tests {
    use egui::pos2;

    use super::*;

    const VIEW_RECT: Rect = Rect { min: pos2(0.0, 0.0), max: pos2(800.0, 600.0) };
    const SIZE_720P: Size = Size::new(1280, 720);

    fn place(viewport: Viewport) -> Rect {
        viewport.place(VIEW_RECT, SIZE_720P, 1.0)
    }

    #[test]
    fn every_shape_is_what_it_says() {
        let of = |aspect| place(Viewport { aspect, ..Viewport::default() });
        assert_eq!(of(Aspect::Fit).size(), vec2(800.0, 450.0));
        assert_eq!(of(Aspect::Wide).size(), vec2(800.0, 450.0));
        assert_eq!(of(Aspect::Classic).size(), vec2(800.0, 600.0));
        let fill = of(Aspect::Fill);
        assert!(fill.contains_rect(VIEW_RECT) && (fill.width() - 1_066.7).abs() < 0.1);
        assert_eq!(of(Aspect::Original).size(), vec2(1_280.0, 720.0));
        let half = Viewport { aspect: Aspect::Original, ..Viewport::default() }
            .place(VIEW_RECT, SIZE_720P, 2.0);
        assert_eq!(half.size(), vec2(640.0, 360.0));
        let mut aspect = Aspect::Fit;
        for _ in Aspect::ALL {
            aspect = aspect.next();
        }
        assert_eq!(aspect, Aspect::Fit);
    }

    #[test]
    fn a_frame_on_its_side_is_upright_and_narrow() {
        let rect = place(Viewport { turn: Rotation::Right, ..Viewport::default() });
        assert_eq!(rect.height(), 600.0);
        assert!((rect.width() - 337.5).abs() < 2.0, "{rect:?}");
        let rect = place(Viewport { turn: Rotation::Half, ..Viewport::default() });
        assert_eq!(rect.size(), vec2(800.0, 450.0));
    }

    #[test]
    fn zoom_is_bounded_and_the_frame_cannot_be_lost() {
        let mut viewport = Viewport::default();
        for _ in 0..100 {
            viewport.zoom_by(1.25);
        }
        assert_eq!(viewport.zoom, 4.0);
        viewport.move_by(vec2(1e6, -1e6), VIEW_RECT, SIZE_720P, 1.0);
        assert!(place(viewport).intersects(VIEW_RECT));
        // The first step back moves the frame, however far the pointer went beyond the limit.
        let far = viewport.pan;
        viewport.move_by(vec2(-8.0, 6.0), VIEW_RECT, SIZE_720P, 1.0);
        assert!(viewport.pan.x < far.x && viewport.pan.y > far.y);
        viewport.pan = vec2(1e6, -1e6);
        assert!(place(viewport).intersects(VIEW_RECT));
        for _ in 0..100 {
            viewport.zoom_by(0.8);
        }
        assert_eq!((viewport.zoom, viewport.pan), (0.25, Vec2::ZERO));
        // Only an enlarged frame can be moved.
        viewport.move_by(vec2(9.0, 9.0), VIEW_RECT, SIZE_720P, 1.0);
        assert_eq!(viewport.pan, Vec2::ZERO);
        // An invalid size gives a finite rectangle.
        assert!(Viewport::default().place(VIEW_RECT, Size::new(0, 0), 1.0).is_finite());
    }

    #[test]
    fn the_same_part_is_seen_in_every_room_and_after_a_restart() {
        let mut viewport = Viewport { zoom: 2.0, ..Viewport::default() };
        viewport.move_by(vec2(160.0, -90.0), VIEW_RECT, SIZE_720P, 1.0);
        assert_eq!(place(viewport).center(), VIEW_RECT.center() + vec2(160.0, -90.0));
        // In a room of half the width and height, the offset is half as large.
        let small = Rect::from_min_size(pos2(7.0, 9.0), VIEW_RECT.size() / 2.0);
        let off =
            viewport.place(small, SIZE_720P, 1.0).center() - small.center() - vec2(80.0, -45.0);
        assert!(off.length() < 1.0, "but for what whole pixels take: {off:?}");
        let kept: viewport::Viewport = viewport.kept().to_string().parse().unwrap();
        assert_eq!(Viewport::from(kept), viewport);
    }
}
