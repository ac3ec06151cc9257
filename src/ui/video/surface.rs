//! Frames laid onto the window past egui's textures. Those are blended, with a color for every
//! pixel, in an order of colors that displays do not use; where the processor draws, that is most of
//! what showing a frame costs. Whoever owns the graphics context brings surfaces; without them
//! frames are textures as any other.

use std::sync::Arc;

use egui::{PaintCallback, Rect};

use super::Rotation;
use crate::media::Size;

/// Makes surfaces.
pub trait Surfaces: Send + Sync {
    /// A surface for one frame. What it takes of the graphics side goes with it.
    fn surface(&self) -> Arc<dyn Surface>;
}

/// What one frame is laid onto the window by. Opaque.
pub trait Surface: Send + Sync {
    /// Lets `fill` write the pixels that are drawn from the next frame on, BGRA row by row.
    fn renew(&self, size: Size, fill: &mut dyn FnMut(&mut [u8]));

    /// To be painted: it fills `rect`, turned as it is seen then. `smooth`: it is stretched there.
    fn shape(self: Arc<Self>, rect: Rect, turn: Rotation, smooth: bool) -> PaintCallback;
}
