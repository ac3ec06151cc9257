//! Draws plans: from the layers' pictures to one picture of the program's size. What has not changed
//! since the last time is not drawn again, what is covered is not drawn at all, and a picture that
//! alone fills the program is handed on as it is.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::{Pool, Pooled};
use crate::compose::blend;
use crate::compose::layout::{Rect, Shape, Spot, spot};
use crate::compose::prepare::{Image, Prepared, Preparer};
use crate::compose::scene::{Blend, Plan, SourceId};
use crate::media::{Planes, Size, VideoFrame};

/// Program pictures on their way at once: encoder queues, preview, transitions.
const IDLE: usize = 8;

/// An image that was not needed for so many drawings is forgotten.
const KEEP: u64 = 64;

/// One layer of a picture, as it was drawn.
#[derive(Clone, Debug)]
struct Drawn {
    key: u64,
    picture: VideoFrame,
    spot: Spot,
    strength: u16,
    blend: Blend,
}

impl PartialEq for Drawn {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.picture.planes, &other.picture.planes)
            && self.picture.color == other.picture.color
            && (self.key, self.strength, self.blend) == (other.key, other.strength, other.blend)
            && self.spot == other.spot
    }
}

impl Drawn {
    /// Where it hides what lies below.
    fn hides(&self) -> Option<Rect> {
        let solid =
            self.strength >= 256 && self.blend == Blend::Normal && self.picture.planes.is_opaque();
        match self.spot.shape {
            Shape::Upright { rect, .. } if solid => Some(rect),
            _ => None,
        }
    }

    fn bounds(&self) -> Rect {
        match self.spot.shape {
            Shape::Upright { rect, .. } | Shape::Free { bounds: rect, .. } => rect,
        }
    }
}

/// The last picture of a plan and what it was made of.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    drawn: Vec<Drawn>,
    next: Vec<Drawn>,
    out: Option<Arc<Pooled<Planes>>>,
}

/// Draws at one size; canvases share what it prepares.
pub(super) struct Stage {
    size: Size,
    pool: Pool<Planes>,
    preparer: Preparer,
    /// By the layers' keys, with the drawing in which each was last needed.
    prepared: HashMap<u64, (Prepared, u64)>,
    drawing: u64,
}

impl Stage {
    pub fn new(size: Size) -> Self {
        Self {
            size,
            pool: Planes::pool(size, IDLE),
            preparer: Preparer::default(),
            prepared: HashMap::new(),
            drawing: 0,
        }
    }

    pub fn size(&self) -> Size {
        self.size
    }

    /// An empty picture of the stage's size, with some old content.
    pub fn take(&self) -> Pooled<Planes> {
        self.pool.take()
    }

    /// The picture of `plan`; the second value tells whether it is another than the last of this
    /// canvas. Layers whose source has no picture are left out.
    pub fn draw(
        &mut self,
        canvas: &mut Canvas,
        plan: &Plan,
        picture: impl Fn(SourceId) -> Option<VideoFrame>,
    ) -> (Arc<Pooled<Planes>>, bool) {
        let Canvas { drawn, next, out } = canvas;
        next.clear();
        for layer in &plan.layers {
            let Some(picture) = picture(layer.source) else { continue };
            let Some(spot) = spot(&layer.places, picture.size(), self.size) else { continue };
            let strength = blend::opacity(layer.opacity);
            next.push(Drawn { key: layer.key, picture, spot, strength, blend: layer.blend });
        }
        if let Some(out) = out.as_ref().filter(|_| drawn == next) {
            return (Arc::clone(out), false);
        }
        // The old picture and what it was made of go back to their pools first.
        *out = None;
        std::mem::swap(drawn, next);
        next.clear();
        let picture = self.paint(drawn);
        *out = Some(Arc::clone(&picture));
        (picture, true)
    }

    fn paint(&mut self, layers: &[Drawn]) -> Arc<Pooled<Planes>> {
        self.drawing += 1;
        let whole = Rect::whole(self.size);
        let ground = layers.iter().rposition(|layer| layer.hides() == Some(whole));
        let layers = layers.get(ground.unwrap_or(0)..).unwrap_or_default();
        let picture = match layers {
            [] => {
                let mut out = self.pool.take();
                blend::blacken(&mut out);
                Arc::new(out)
            }
            // Alone, and as large as the program: no copy.
            [only] if ground.is_some() => self.image(only).planes,
            [first, above @ ..] => {
                let mut out = self.pool.take();
                match first.hides() {
                    Some(rect) if rect == whole => {}
                    Some(rect) => blend::blacken_around(&mut out, rect),
                    None => blend::blacken(&mut out),
                }
                self.lay(first, &mut out);
                for (index, layer) in above.iter().enumerate() {
                    let higher = above.get(index + 1..).unwrap_or_default();
                    let bounds = layer.bounds();
                    let hidden = |it: &Drawn| it.hides().is_some_and(|rect| rect.covers(bounds));
                    if !higher.iter().any(hidden) {
                        self.lay(layer, &mut out);
                    }
                }
                Arc::new(out)
            }
        };
        let oldest = self.drawing.saturating_sub(KEEP);
        self.prepared.retain(|_, (_, last)| *last >= oldest);
        picture
    }

    fn lay(&mut self, layer: &Drawn, out: &mut Planes) {
        let image = self.image(layer);
        blend::lay(&image, layer.strength, layer.blend, out);
    }

    fn image(&mut self, layer: &Drawn) -> Image {
        let before = self.prepared.remove(&layer.key).map(|(prepared, _)| prepared);
        let prepared = self.preparer.prepare(&layer.picture, &layer.spot, before);
        let image = prepared.image.clone();
        self.prepared.insert(layer.key, (prepared, self.drawing));
        image
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::compose::scene::{Layer, Place};
    use crate::media::Color;

    const SIZE: Size = Size::new(160, 90);

    fn flat(size: Size, luma: u8, alpha: Option<u8>) -> VideoFrame {
        let mut planes = Planes::black(size);
        planes.y.fill(luma);
        planes.alpha = alpha.map(|alpha| vec![alpha; size.pixels()]);
        let planes = Arc::new(Pooled::unpooled(planes));
        VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, planes }
    }

    fn layer(source: u32, place: Place) -> Layer {
        Layer {
            key: source.into(),
            source: SourceId(source),
            places: vec![place],
            opacity: 1.0,
            blend: Blend::Normal,
        }
    }

    fn corner() -> Place {
        Place { x: 0.5, y: 0.5, width: 0.5, height: 0.5, ..Place::default() }
    }

    #[test]
    fn shapes_are_kept_on_black() {
        let mut stage = Stage::new(SIZE);
        for from in [Size::new(64, 48), Size::new(320, 100), Size::new(2, 90), Size::new(160, 90)] {
            let frame = flat(from, 200, None);
            let plan = Plan::simple(SourceId(0));
            let (out, _) = stage.draw(&mut Canvas::default(), &plan, |_| Some(frame.clone()));
            assert_eq!(out.size(), SIZE);
            let inner = from.fitted_into(SIZE);
            let lit = out.y.iter().filter(|&&y| y == 200).count();
            let black = out.y.iter().filter(|&&y| y == 16).count();
            assert_eq!((lit, lit + black), (inner.pixels(), SIZE.pixels()), "{from}");
            assert_eq!(out.y[45 * 160 + 79], 200);
        }
    }

    #[test]
    fn layers_lie_over_each_other_and_only_changes_are_drawn() {
        let mut stage = Stage::new(SIZE);
        let mut canvas = Canvas::default();
        let (ground, above) = (flat(SIZE, 60, None), flat(Size::new(40, 40), 180, Some(128)));
        let square = Place { fit: crate::compose::scene::Fit::Stretch, ..corner() };
        let plan = Plan { layers: vec![layer(0, Place::default()), layer(1, square)] };
        let pictures = |id: SourceId| Some(if id.0 == 0 { ground.clone() } else { above.clone() });
        let (first, new) = stage.draw(&mut canvas, &plan, pictures);
        assert!(new);
        assert_eq!((first.y[0], first.y[43 * 160 + 159]), (60, 60));
        assert!(
            first.y[46 * 160 + 81].abs_diff(120) <= 1 && first.y[87 * 160 + 159].abs_diff(120) <= 1
        );
        let (second, new) = stage.draw(&mut canvas, &plan, pictures);
        assert!(!new && Arc::ptr_eq(&first, &second));
        let (without, new) =
            stage.draw(&mut canvas, &plan, |id| pictures(id).filter(|_| id.0 == 0));
        assert!(new && Arc::ptr_eq(&without, &ground.planes), "the ground itself");
    }

    #[test]
    fn what_is_covered_is_not_even_prepared() {
        let mut stage = Stage::new(SIZE);
        let mut canvas = Canvas::default();
        let small = flat(Size::new(32, 18), 90, None);
        let top = flat(SIZE, 200, None);
        let plan = Plan { layers: vec![layer(0, corner()), layer(1, Place::default())] };
        let pictures = |id: SourceId| Some(if id.0 == 1 { top.clone() } else { small.clone() });
        let (out, _) = stage.draw(&mut canvas, &plan, pictures);
        assert!(Arc::ptr_eq(&out, &top.planes) && stage.prepared.len() == 1);
        // Beside each other below one that covers one of them.
        let half =
            Place { width: 0.5, fit: crate::compose::scene::Fit::Stretch, ..Place::default() };
        let layers = vec![layer(2, half), layer(0, corner()), layer(3, corner())];
        stage.draw(&mut canvas, &Plan { layers }, |_| Some(small.clone()));
        assert!(stage.prepared.contains_key(&3) && !stage.prepared.contains_key(&0));
    }

    #[test]
    fn nothing_is_allocated_for_pictures_once_warm() {
        let mut stage = Stage::new(SIZE);
        let mut canvas = Canvas::default();
        let plan = Plan { layers: vec![layer(0, Place::default()), layer(1, corner())] };
        let frames: Vec<_> = (0..40).map(|luma| flat(Size::new(64, 36), luma * 5, None)).collect();
        let mut seen = std::collections::BTreeSet::new();
        for frame in &frames {
            let (out, new) = stage.draw(&mut canvas, &plan, |_| Some(frame.clone()));
            assert!(new);
            seen.insert(out.y.as_ptr() as usize);
        }
        assert!(seen.len() <= 3, "{} buffers", seen.len());
    }
}
