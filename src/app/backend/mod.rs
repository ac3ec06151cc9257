//! The parts that depend on the graphics driver and on the display.
#![allow(unsafe_code)]

#[cfg(target_os = "linux")]
pub mod activation;
#[cfg(target_os = "linux")]
pub mod dialogs;
#[cfg(target_os = "linux")]
pub mod display;
pub mod layer;
mod program;
mod surfaces;
#[cfg(windows)]
mod windows;

pub use surfaces::SurfaceFactory;
#[cfg(windows)]
pub use windows::{activation, dialogs, display};

use eframe::glow::{self, HasContext as _};

use crate::ui::Renderer;

/// Lets Mesa's software renderer draw on the thread of the window. onair draws small areas, for
/// which threads cost more than the drawing itself. Call this function before other threads start;
/// later, the call has no effect.
pub fn draw_on_one_thread() {
    const LLVMPIPE_THREADS_VARIABLE: &str = "LP_NUM_THREADS";
    let threads = std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
    if threads == 1 && std::env::var_os(LLVMPIPE_THREADS_VARIABLE).is_none() {
        // SAFETY: no other thread reads the environment, because this is the only thread.
        unsafe { std::env::set_var(LLVMPIPE_THREADS_VARIABLE, "0") };
    }
}

/// Determines what draws the window: the GPU or software. Call this function on the thread that
/// owns the context, while the context is current.
pub fn renderer(gl: &glow::Context) -> Renderer {
    // SAFETY: eframe created the context on this thread and passes it while it is current; reading
    // a string changes nothing.
    let name = unsafe { gl.get_parameter_string(glow::RENDERER) };
    let software = ["llvmpipe", "softpipe", "swrast", "swiftshader", "software"]
        .iter()
        .any(|word| name.to_lowercase().contains(word));
    Renderer { name, software }
}
