//! Surfaces, which draw frames into the window without egui's textures. egui blends textures with a
//! color for every pixel, and their byte order differs from that of displays. With software
//! rendering, the blending and the reordering are most of the cost of displaying a frame. The owner
//! of the graphics context provides the surfaces. Without surfaces, frames are ordinary textures.

use std::sync::Arc;

use egui::{PaintCallback, Rect};

use super::Rotation;
use crate::media::Size;

/// A factory for surfaces.
pub trait Surfaces: Send + Sync {
    /// Creates a surface for the frames of one view. The surface releases its graphics resources
    /// when it is dropped.
    fn surface(&self) -> Arc<dyn Surface>;
}

/// An opaque surface, which draws the current frame of a view into the window.
pub trait Surface: Send + Sync {
    /// Lets `fill` write the pixels of a new frame of this size, as rows of BGRA. The surface draws
    /// this frame until the next call.
    fn renew(&self, size: Size, fill: &mut dyn FnMut(&mut [u8]));

    /// Returns the callback that paints the rotated surface so that it fills `rect`. With `smooth`,
    /// a filter smooths the stretched surface.
    fn shape(self: Arc<Self>, rect: Rect, turn: Rotation, smooth: bool) -> PaintCallback;
}
