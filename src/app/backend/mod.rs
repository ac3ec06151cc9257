//! The parts that depend on the graphics driver.
#![allow(unsafe_code)]

pub mod display;
pub mod layer;
mod program;
mod surfaces;

pub use surfaces::Window as Surfaces;

use eframe::glow::{self, HasContext as _};

use crate::ui::Renderer;

/// Determines what draws the window: the GPU or software. It is called on the thread that owns the
/// context, while it is current.
pub fn renderer(gl: &glow::Context) -> Renderer {
    // SAFETY: eframe created the context on this thread and passes it while it is current; reading
    // a string changes nothing.
    let name = unsafe { gl.get_parameter_string(glow::RENDERER) };
    let software = ["llvmpipe", "softpipe", "swrast", "swiftshader", "software"]
        .iter()
        .any(|word| name.to_lowercase().contains(word));
    Renderer { name, software }
}
