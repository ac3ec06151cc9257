//! How a picture lies in its room: its shape, how large it is, and which way is up. Pure geometry.

use egui::{Rect, Vec2, vec2};

use crate::media::Size;
use crate::studio::look::{self, Aspect, Turn, ZOOM};
use crate::ui::actions::key;
use crate::ui::picture::fitted;

/// The key of a shape's name.
pub fn key_of(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Fit => key!("aspect-fit"),
        Aspect::Fill => key!("aspect-fill"),
        Aspect::Wide => key!("aspect-wide"),
        Aspect::Classic => key!("aspect-classic"),
        Aspect::Original => key!("aspect-original"),
    }
}

/// How a picture is looked at.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Look {
    pub aspect: Aspect,
    pub zoom: f32,
    /// The middle of the picture lies so far from that of the room, in points.
    pub pan: Vec2,
    pub turn: Turn,
}

impl Default for Look {
    fn default() -> Self {
        look::Look::default().into()
    }
}

impl From<look::Look> for Look {
    fn from(look: look::Look) -> Self {
        let look::Look { aspect, zoom, turn } = look;
        Self { aspect, zoom, pan: Vec2::ZERO, turn }
    }
}

impl Look {
    /// What of it is kept.
    pub fn kept(&self) -> look::Look {
        look::Look { aspect: self.aspect, zoom: self.zoom, turn: self.turn }
    }

    /// Makes it larger or smaller.
    pub fn zoom_by(&mut self, factor: f32) {
        let zoom = (self.zoom * factor).clamp(*ZOOM.start(), *ZOOM.end());
        self.zoom = if (zoom - 1.0).abs() < 0.02 { 1.0 } else { zoom };
        self.pan *= if self.zoom <= 1.0 { 0.0 } else { 1.0 };
    }

    /// Where a picture of this size lies, as it is seen (turned).
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
        // Never so far that nothing of it is seen.
        let most = (size + room.size()) / 2.0 - room.size().min(size) / 4.0;
        let pan = self.pan.clamp(-most, most);
        Rect::from_center_size(rect.center() + pan, size)
    }
}

#[cfg(test)]
mod tests {
    use egui::pos2;

    use super::*;

    const ROOM: Rect = Rect { min: pos2(0.0, 0.0), max: pos2(800.0, 600.0) };
    const HD: Size = Size::new(1280, 720);

    fn place(look: Look) -> Rect {
        look.place(ROOM, HD, 1.0)
    }

    #[test]
    fn every_shape_is_what_it_says() {
        let of = |aspect| place(Look { aspect, ..Look::default() });
        assert_eq!(of(Aspect::Fit).size(), vec2(800.0, 450.0));
        assert_eq!(of(Aspect::Wide).size(), vec2(800.0, 450.0));
        assert_eq!(of(Aspect::Classic).size(), vec2(800.0, 600.0));
        let fill = of(Aspect::Fill);
        assert!(fill.contains_rect(ROOM) && (fill.width() - 1_066.7).abs() < 0.1);
        assert_eq!(of(Aspect::Original).size(), vec2(1_280.0, 720.0));
        let half = Look { aspect: Aspect::Original, ..Look::default() }.place(ROOM, HD, 2.0);
        assert_eq!(half.size(), vec2(640.0, 360.0));
        let mut aspect = Aspect::Fit;
        for _ in Aspect::ALL {
            aspect = aspect.next();
        }
        assert_eq!(aspect, Aspect::Fit);
    }

    #[test]
    fn a_picture_on_its_side_is_upright_and_narrow() {
        let rect = place(Look { turn: Turn::Right, ..Look::default() });
        assert_eq!(rect.height(), 600.0);
        assert!((rect.width() - 337.5).abs() < 2.0, "{rect:?}");
        let rect = place(Look { turn: Turn::Half, ..Look::default() });
        assert_eq!(rect.size(), vec2(800.0, 450.0));
    }

    #[test]
    fn zoom_is_bounded_and_the_picture_cannot_be_lost() {
        let mut look = Look::default();
        for _ in 0..100 {
            look.zoom_by(1.25);
        }
        assert_eq!(look.zoom, 4.0);
        look.pan = vec2(1e6, -1e6);
        assert!(place(look).intersects(ROOM));
        for _ in 0..100 {
            look.zoom_by(0.8);
        }
        assert_eq!((look.zoom, look.pan), (0.25, Vec2::ZERO));
        // Nothing of a size that makes no sense.
        assert!(Look::default().place(ROOM, Size::new(0, 0), 1.0).is_finite());
    }
}
