//! The pieces of a frame that are drawn: layers and bundles of layers.

use crate::compose::layout::{FramePlacement, Rect, Shape};
use crate::compose::scene::Blend;
use crate::media::VideoFrame;

/// One drawn layer of a frame.
#[derive(Clone, Debug)]
pub struct DrawnLayer {
    pub key: u64,
    pub frame: VideoFrame,
    pub spot: FramePlacement,
    pub strength: u16,
    pub blend: Blend,
}

impl PartialEq for DrawnLayer {
    fn eq(&self, other: &Self) -> bool {
        self.frame.is_same(&other.frame)
            && self.frame.color == other.frame.color
            && (self.key, self.strength, self.blend) == (other.key, other.strength, other.blend)
            && self.spot == other.spot
    }
}

impl DrawnLayer {
    /// Returns the area that the layer hides completely.
    fn hides(&self) -> Option<Rect> {
        let solid =
            self.strength >= 256 && self.blend == Blend::Normal && self.frame.planes().is_opaque();
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

/// Pieces that are drawn as one image.
#[derive(Debug, PartialEq)]
pub struct Bundle {
    pub key: u64,
    pub strength: u16,
    pub blend: Blend,
    pub pieces: Vec<DrawStep>,
    /// The rectangle around all pieces.
    pub bounds: Rect,
}

impl Clone for Bundle {
    fn clone(&self) -> Self {
        Self { pieces: self.pieces.clone(), ..*self }
    }

    /// Reuses the existing list.
    fn clone_from(&mut self, from: &Self) {
        let mut pieces = std::mem::take(&mut self.pieces);
        pieces.clone_from(&from.pieces);
        *self = Self { pieces, ..*from };
    }
}

/// A piece of a frame.
#[derive(Debug, PartialEq)]
pub enum DrawStep {
    Layer(DrawnLayer),
    Bundle(Bundle),
}

impl Clone for DrawStep {
    fn clone(&self) -> Self {
        match self {
            Self::Layer(layer) => Self::Layer(layer.clone()),
            Self::Bundle(bundle) => Self::Bundle(bundle.clone()),
        }
    }

    fn clone_from(&mut self, from: &Self) {
        match (self, from) {
            (Self::Bundle(own), Self::Bundle(from)) => own.clone_from(from),
            (own, from) => *own = from.clone(),
        }
    }
}

impl DrawStep {
    /// Returns the area that the piece hides completely.
    pub fn hides(&self) -> Option<Rect> {
        match self {
            Self::Layer(layer) => layer.hides(),
            Self::Bundle(_) => None,
        }
    }

    pub fn bounds(&self) -> Rect {
        match self {
            Self::Layer(layer) => layer.bounds(),
            Self::Bundle(bundle) => bundle.bounds,
        }
    }

    /// Returns the opacity and blend mode of the piece.
    pub fn way(&self) -> (u16, Blend) {
        match self {
            Self::Layer(layer) => (layer.strength, layer.blend),
            Self::Bundle(bundle) => (bundle.strength, bundle.blend),
        }
    }
}

/// Empties a list, but keeps the buffers of its groups.
pub fn empty(pieces: &mut Vec<DrawStep>, spare: &mut Vec<Vec<DrawStep>>) {
    for piece in pieces.drain(..) {
        if let DrawStep::Bundle(mut bundle) = piece {
            empty(&mut bundle.pieces, spare);
            spare.push(bundle.pieces);
        }
    }
}
