//! Surfaces for frames, drawn by a graphics processor. A frame is opaque, so a minimal shader
//! copies its pixels without blending, in the byte order that displays use. With software
//! rendering, layers draw the frames instead.
//!
//! Everything happens on the window's thread while it paints, with the context current.

use std::sync::Arc;

use eframe::egui::{PaintCallback, PaintCallbackInfo, Rect};
use eframe::egui_glow::{CallbackFn, ShaderVersion};
use eframe::glow::{self, HasContext as _};
use parking_lot::Mutex;

use crate::app::backend::program::link;
use crate::media::Size;
use crate::ui::video::{Rotation, Surface, Surfaces, corners};

const VERTEX_SHADER: &str = "
    in vec2 corner;
    in vec2 place;
    out vec2 at;
    void main() {
        gl_Position = vec4(corner, 0.0, 1.0);
        at = place;
    }
";
const FRAGMENT_SHADER: &str = "
    uniform sampler2D picture;
    in vec2 at;
    out vec4 color;
    void main() { color = texture(picture, at); }
";
/// Upper left, upper right, lower right and lower left corners of the target area.
const TARGET_CORNERS: [[f32; 2]; 4] = [[-1.0, 1.0], [1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]];
/// Size of a corner's entry in the buffer, in bytes: the position in the window and the position in
/// the frame.
const VERTEX_STRIDE_BYTES: i32 = 16;

/// State that all surfaces share. The OpenGL names belong to one context, which lives as long as
/// the window.
pub struct SurfaceFactory {
    shared: Arc<Shared>,
}

struct Shared {
    program: glow::Program,
    corners: glow::VertexArray,
    buffer: glow::Buffer,
    /// Textures of removed surfaces.
    gone: Mutex<Vec<glow::Texture>>,
}

impl SurfaceFactory {
    /// Creates the state for the window of this context. Returns `None` if OpenGL is too old or too
    /// limited; in that case, textures replace surfaces.
    ///
    /// This function is called on the thread that owns the context, while it is current.
    pub fn new(gl: &glow::Context) -> Option<Self> {
        let version = ShaderVersion::get(gl);
        if version != ShaderVersion::Gl140 {
            return None;
        }
        // SAFETY: the context is current on this thread. Only new objects are created, and bindings
        // that are needed for this are removed again.
        let made = unsafe { build(gl, version.version_declaration()) };
        let (program, corners, buffer) =
            made.inspect_err(|error| tracing::warn!(%error, "drawing video as textures")).ok()?;
        let gone = Mutex::default();
        let shared = Shared { program, corners, buffer, gone };
        Some(Self { shared: Arc::new(shared) })
    }
}

impl Surfaces for SurfaceFactory {
    fn surface(&self) -> Arc<dyn Surface> {
        Arc::new(SingleFrameSurface { shared: Arc::clone(&self.shared), state: Mutex::default() })
    }
}

type Built = (glow::Program, glow::VertexArray, glow::Buffer);

/// # Safety
/// The context must be current on this thread.
unsafe fn build(gl: &glow::Context, version: &str) -> Result<Built, String> {
    // SAFETY: the caller guarantees this; every used name was created here.
    unsafe {
        let program = link(gl, version, [VERTEX_SHADER, FRAGMENT_SHADER], &["corner", "place"])?;
        let (corners, buffer) = (gl.create_vertex_array()?, gl.create_buffer()?);
        gl.bind_vertex_array(Some(corners));
        gl.bind_buffer(glow::ARRAY_BUFFER, Some(buffer));
        for (index, offset) in [(0, 0), (1, VERTEX_STRIDE_BYTES / 2)] {
            gl.enable_vertex_attrib_array(index);
            gl.vertex_attrib_pointer_f32(index, 2, glow::FLOAT, false, VERTEX_STRIDE_BYTES, offset);
        }
        gl.bind_vertex_array(None);
        gl.bind_buffer(glow::ARRAY_BUFFER, None);
        Ok((program, corners, buffer))
    }
}

/// A surface with one frame.
struct SingleFrameSurface {
    shared: Arc<Shared>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The pixels to upload. The vector is empty after the upload.
    pixels: Vec<u8>,
    /// The size of the pixels to upload.
    fresh: Option<Size>,
    texture: Option<(glow::Texture, Size)>,
}

impl Surface for SingleFrameSurface {
    fn renew(&self, size: Size, fill: &mut dyn FnMut(&mut [u8])) {
        let mut state = self.state.lock();
        state.fresh = Some(size);
        state.pixels.resize(size.pixels() * 4, 0);
        fill(&mut state.pixels);
    }

    fn shape(self: Arc<Self>, rect: Rect, rotation: Rotation, smooth: bool) -> PaintCallback {
        let draw = CallbackFn::new(move |info, painter| {
            // SAFETY: painters run callbacks on the thread that owns the context, while it is
            // current.
            unsafe { self.draw(painter.gl(), &info, rotation, smooth) };
        });
        PaintCallback { rect, callback: Arc::new(draw) }
    }
}

impl SingleFrameSurface {
    /// # Safety
    /// The context must be current on this thread.
    unsafe fn draw(
        &self,
        gl: &glow::Context,
        info: &PaintCallbackInfo,
        rotation: Rotation,
        smooth: bool,
    ) {
        let mut state = self.state.lock();
        // SAFETY: the caller guarantees this. The names belong to this context, which all windows
        // of onair share. egui restores its state after every callback.
        unsafe {
            for gone in std::mem::take(&mut *self.shared.gone.lock()) {
                gl.delete_texture(gone);
            }
            let Some(texture) = state.current_texture(gl) else { return };
            let [left, bottom, width, height] = viewport(info);
            let filter = if smooth { glow::LINEAR } else { glow::NEAREST } as i32;
            gl.active_texture(glow::TEXTURE0);
            gl.bind_texture(glow::TEXTURE_2D, Some(texture));
            for which in [glow::TEXTURE_MIN_FILTER, glow::TEXTURE_MAG_FILTER] {
                gl.tex_parameter_i32(glow::TEXTURE_2D, which, filter);
            }
            let pairs = TARGET_CORNERS.into_iter().zip(corners(rotation));
            let corners: Vec<u8> = pairs
                .flat_map(|(corner, at)| [corner, at])
                .flatten()
                .flat_map(f32::to_ne_bytes)
                .collect();
            gl.bind_buffer(glow::ARRAY_BUFFER, Some(self.shared.buffer));
            gl.buffer_data_u8_slice(glow::ARRAY_BUFFER, &corners, glow::STREAM_DRAW);
            gl.bind_vertex_array(Some(self.shared.corners));
            gl.disable(glow::BLEND);
            gl.use_program(Some(self.shared.program));
            gl.viewport(left, bottom, width, height);
            gl.draw_arrays(glow::TRIANGLE_FAN, 0, 4);
        }
    }
}

impl State {
    /// Returns the texture with the current pixels, if there are any.
    ///
    /// # Safety
    /// The context must be current on this thread.
    unsafe fn current_texture(&mut self, gl: &glow::Context) -> Option<glow::Texture> {
        let Some(size) = self.fresh.take() else { return self.texture.map(|(texture, _)| texture) };
        let (width, height) = (size.width as i32, size.height as i32);
        let kind = glow::TEXTURE_2D;
        let (order, part) = (glow::BGRA, glow::UNSIGNED_BYTE);
        let pixels = glow::PixelUnpackData::Slice(Some(&self.pixels));
        // SAFETY: the caller guarantees this; `pixels` has the length of a frame of this size.
        unsafe {
            gl.pixel_store_i32(glow::UNPACK_ALIGNMENT, 1);
            gl.active_texture(glow::TEXTURE0);
            match self.texture {
                Some((texture, made_for)) if made_for == size => {
                    gl.bind_texture(kind, Some(texture));
                    gl.tex_sub_image_2d(kind, 0, 0, 0, width, height, order, part, pixels);
                }
                old => {
                    let texture = match old {
                        Some((texture, _)) => texture,
                        None => gl.create_texture().ok()?,
                    };
                    gl.bind_texture(kind, Some(texture));
                    for which in [glow::TEXTURE_WRAP_S, glow::TEXTURE_WRAP_T] {
                        gl.tex_parameter_i32(kind, which, glow::CLAMP_TO_EDGE as i32);
                    }
                    for which in [glow::TEXTURE_MIN_FILTER, glow::TEXTURE_MAG_FILTER] {
                        gl.tex_parameter_i32(kind, which, glow::NEAREST as i32);
                    }
                    // Without a sized format, the pixels are stored in the given order.
                    let kept = glow::RGBA as i32;
                    gl.tex_image_2d(kind, 0, kept, width, height, 0, order, part, pixels);
                    self.texture = Some((texture, size));
                }
            }
        }
        self.texture.map(|(texture, _)| texture)
    }
}

impl Drop for SingleFrameSurface {
    fn drop(&mut self) {
        if let Some((texture, _)) = self.state.lock().texture.take() {
            // The context may not be current here, so the texture is deleted when a surface is next
            // drawn.
            self.shared.gone.lock().push(texture);
        }
    }
}

/// Returns the left edge, the bottom edge (from the window's lower edge), the width and the height
/// of the target area in pixels. The area can be partly outside the window.
fn viewport(info: &PaintCallbackInfo) -> [i32; 4] {
    let pixel = |points: f32| (points * info.pixels_per_point).round() as i32;
    let Rect { min, max } = info.viewport;
    let [left, top, right, bottom] = [min.x, min.y, max.x, max.y].map(pixel);
    let [_, window] = info.screen_size_px;
    [left, window as i32 - bottom, right - left, bottom - top]
}

#[cfg(test)]
mod tests {
    use eframe::egui::{pos2, vec2};

    use super::*;

    #[test]
    fn viewports_are_counted_from_the_lower_edge_in_pixels() {
        let info = |min, size, pixels_per_point| PaintCallbackInfo {
            viewport: Rect::from_min_size(min, size),
            clip_rect: Rect::EVERYTHING,
            pixels_per_point,
            screen_size_px: [1280, 720],
        };
        let whole = info(pos2(0.0, 0.0), vec2(1280.0, 720.0), 1.0);
        assert_eq!(viewport(&whole), [0, 0, 1280, 720]);
        let upper = info(pos2(10.0, 20.0), vec2(320.0, 180.0), 2.0);
        assert_eq!(viewport(&upper), [20, 720 - 400, 640, 360]);
        // A zoomed frame reaches beyond the window and keeps its size.
        let beyond = info(pos2(-640.0, -360.0), vec2(2560.0, 1440.0), 1.0);
        assert_eq!(viewport(&beyond), [-640, -360, 2560, 1440]);
    }
}
