//! Layers: textures that keep the pixels of a window between frames. The first row of a layer is
//! the top one, as in video frames and in the buffers of displays. A software renderer can
//! therefore copy rows instead of drawing them.
//!
//! Everything happens on the window's thread while it paints, with the context current.

use std::sync::{Arc, Weak};

use eframe::egui::epaint::{ClippedPrimitive, Primitive, Vertex};
use eframe::egui::{Color32, PaintCallback, Rect, pos2};
use eframe::egui_glow::{Painter, ShaderVersion};
use eframe::glow::{self, HasContext as _};
use parking_lot::Mutex;

use crate::app::backend::program::link;
use crate::app::redraw::damage::Area;
use crate::media::Size;
use crate::ui::video::{Rotation, Surface, Surfaces, corners};

const VERTEX_SHADER: &str = "
    uniform vec2 screen;
    in vec2 pos;
    in vec2 uv;
    in vec4 rgba;
    out vec2 at;
    out vec4 tint;
    void main() {
        gl_Position = vec4(2.0 * pos / screen - 1.0, 0.0, 1.0);
        at = uv;
        tint = rgba;
    }
";
/// Colors are multiplied in gamma space, as in egui's painter. A product never exceeds 1, so the
/// bound of 2 changes no color. The bound prevents llvmpipe (Mesa 22) from using its shortcut for
/// whole tiles of 64 × 64 pixels, which confuses `at` with `tint`.
const TINT_FRAGMENT_SHADER: &str = "
    uniform sampler2D picture;
    in vec2 at;
    in vec4 tint;
    out vec4 color;
    void main() { color = min(tint * texture(picture, at), vec4(2.0)); }
";
/// Frames have no tint, so the shortcut of llvmpipe is correct for frames, and fast.
const FRAME_FRAGMENT_SHADER: &str = "
    uniform sampler2D picture;
    in vec2 at;
    in vec4 tint;
    out vec4 color;
    void main() { color = texture(picture, at); }
";

/// State that all layers share. The OpenGL names belong to one context, which lives as long as the
/// window.
pub struct LayerFactory {
    shared: Arc<Shared>,
}

struct Shared {
    gl: Arc<glow::Context>,
    program: LayerProgram,
    frames: LayerProgram,
    attributes: glow::VertexArray,
    /// The vertex buffer. The vertex array in `attributes` refers to the index buffer.
    vertices: glow::Buffer,
    /// Textures and framebuffers of removed surfaces and layers.
    gone: Mutex<Vec<(glow::Texture, Option<glow::Framebuffer>)>>,
}

/// A shader program, and its uniform for the size of the layer in points.
struct LayerProgram {
    program: glow::Program,
    screen: Option<glow::UniformLocation>,
}

impl LayerProgram {
    /// # Safety
    /// The context must be current on this thread.
    unsafe fn new(gl: &glow::Context, version: &str, fragment: &str) -> Result<Self, String> {
        // SAFETY: the caller guarantees this.
        unsafe {
            let program = link(gl, version, [VERTEX_SHADER, fragment], &["pos", "uv", "rgba"])?;
            Ok(Self { program, screen: gl.get_uniform_location(program, "screen") })
        }
    }

    /// Uses the shader program for a layer of this size in points.
    ///
    /// # Safety
    /// The context must be current on this thread.
    unsafe fn bind(&self, gl: &glow::Context, [width, height]: [f32; 2]) {
        // SAFETY: the caller guarantees this; the program belongs to the context.
        unsafe {
            gl.use_program(Some(self.program));
            gl.uniform_2_f32(self.screen.as_ref(), width, height);
        }
    }
}

impl LayerFactory {
    /// Creates the shared state. Returns `None` if OpenGL is too old or too limited.
    ///
    /// This function is called on the thread that owns the context, while it is current.
    pub fn new(gl: &Arc<glow::Context>) -> Option<Self> {
        let version = ShaderVersion::get(gl);
        if version != ShaderVersion::Gl140 {
            return None;
        }
        // SAFETY: the context is current on this thread. Only new objects are created, and bindings
        // that are needed for this are removed again.
        let made = unsafe { build(gl, version.version_declaration()) };
        let shared = made
            .inspect_err(
                |error| tracing::warn!(%error, "drawing whole frames: no memory for a layer"),
            )
            .ok()?;
        let factory = Self { shared: Arc::new(shared) };
        // A layer of any size shows whether the driver supports layers.
        factory.layer().resize([64, 64])?;
        Some(factory)
    }

    /// Creates a layer for one window.
    pub fn layer(&self) -> Layer {
        Layer { shared: Arc::clone(&self.shared), made: None }
    }

    /// Returns the surfaces that layers draw.
    pub fn surfaces(&self) -> Arc<dyn Surfaces> {
        Arc::new(LayerSurfaces { shared: Arc::clone(&self.shared) })
    }
}

/// # Safety
/// The context must be current on this thread.
unsafe fn build(gl: &Arc<glow::Context>, version: &str) -> Result<Shared, String> {
    // SAFETY: the caller guarantees this; every used name was created here.
    unsafe {
        let program = LayerProgram::new(gl, version, TINT_FRAGMENT_SHADER)?;
        let frames = LayerProgram::new(gl, version, FRAME_FRAGMENT_SHADER)?;
        let attributes = gl.create_vertex_array()?;
        let (vertices, indices) = (gl.create_buffer()?, gl.create_buffer()?);
        gl.bind_vertex_array(Some(attributes));
        gl.bind_buffer(glow::ARRAY_BUFFER, Some(vertices));
        gl.bind_buffer(glow::ELEMENT_ARRAY_BUFFER, Some(indices));
        let stride = size_of::<Vertex>() as i32;
        let pos = std::mem::offset_of!(Vertex, pos) as i32;
        let uv = std::mem::offset_of!(Vertex, uv) as i32;
        let color = std::mem::offset_of!(Vertex, color) as i32;
        gl.vertex_attrib_pointer_f32(0, 2, glow::FLOAT, false, stride, pos);
        gl.vertex_attrib_pointer_f32(1, 2, glow::FLOAT, false, stride, uv);
        gl.vertex_attrib_pointer_f32(2, 4, glow::UNSIGNED_BYTE, true, stride, color);
        (0..3).for_each(|index| gl.enable_vertex_attrib_array(index));
        gl.bind_vertex_array(None);
        gl.bind_buffer(glow::ARRAY_BUFFER, None);
        gl.bind_buffer(glow::ELEMENT_ARRAY_BUFFER, None);
        Ok(Shared {
            gl: Arc::clone(gl),
            program,
            frames,
            attributes,
            vertices,
            gone: Mutex::default(),
        })
    }
}

impl Shared {
    /// Creates a texture in the byte order of displays. Without a sized format, the pixels are
    /// stored in the given order.
    ///
    /// # Safety
    /// The context must be current on this thread. The texture is bound afterwards.
    unsafe fn texture(&self, size: [u32; 2], pixels: Option<&[u8]>) -> Option<glow::Texture> {
        let gl = &self.gl;
        let kind = glow::TEXTURE_2D;
        // SAFETY: the caller guarantees this, and that `pixels` has the right length for this size.
        unsafe {
            let texture = gl.create_texture().ok()?;
            gl.bind_texture(kind, Some(texture));
            for which in [glow::TEXTURE_WRAP_S, glow::TEXTURE_WRAP_T] {
                gl.tex_parameter_i32(kind, which, glow::CLAMP_TO_EDGE as i32);
            }
            for which in [glow::TEXTURE_MIN_FILTER, glow::TEXTURE_MAG_FILTER] {
                gl.tex_parameter_i32(kind, which, glow::NEAREST as i32);
            }
            let [width, height] = size.map(|it| it as i32);
            let (kept, order) = (glow::RGBA as i32, glow::BGRA);
            let pixels = glow::PixelUnpackData::Slice(pixels);
            gl.pixel_store_i32(glow::UNPACK_ALIGNMENT, 1);
            gl.tex_image_2d(kind, 0, kept, width, height, 0, order, glow::UNSIGNED_BYTE, pixels);
            Some(texture)
        }
    }

    /// # Safety
    /// The context must be current on this thread, with the attributes and the shader program of
    /// this state.
    unsafe fn mesh(&self, texture: glow::Texture, vertices: &[Vertex], indices: &[u32]) {
        let gl = &self.gl;
        // SAFETY: the caller guarantees this. Vertices and indices are plain numbers without
        // padding (`Vertex` is `repr(C)`: five times four bytes), so all their bytes are
        // initialized.
        unsafe {
            let bytes = std::slice::from_raw_parts(vertices.as_ptr().cast(), size_of_val(vertices));
            gl.buffer_data_u8_slice(glow::ARRAY_BUFFER, bytes, glow::STREAM_DRAW);
            let bytes = std::slice::from_raw_parts(indices.as_ptr().cast(), size_of_val(indices));
            gl.buffer_data_u8_slice(glow::ELEMENT_ARRAY_BUFFER, bytes, glow::STREAM_DRAW);
            gl.bind_texture(glow::TEXTURE_2D, Some(texture));
            let count = indices.len() as i32;
            gl.draw_elements(glow::TRIANGLES, count, glow::UNSIGNED_INT, 0);
        }
    }

    /// Deletes the textures and framebuffers that are no longer used.
    ///
    /// # Safety
    /// The context must be current on this thread.
    unsafe fn clean(&self) {
        for (texture, framebuffer) in std::mem::take(&mut *self.gone.lock()) {
            // SAFETY: the caller guarantees this; the names are used nowhere else.
            unsafe {
                self.gl.delete_texture(texture);
                framebuffer.into_iter().for_each(|it| self.gl.delete_framebuffer(it));
            }
        }
    }
}

/// The pixels of one window.
pub struct Layer {
    shared: Arc<Shared>,
    made: Option<LayerTexture>,
}

struct LayerTexture {
    texture: glow::Texture,
    framebuffer: glow::Framebuffer,
    size: [u32; 2],
}

impl Layer {
    /// Prepares the layer for a window of this size in pixels. Returns whether the layer still has
    /// its pixels, or `None` if the driver supports no layers.
    ///
    /// This function is called while the window paints.
    pub fn resize(&mut self, size: [u32; 2]) -> Option<bool> {
        // SAFETY: painters run callbacks on the thread that owns the context, while it is current.
        unsafe {
            self.shared.clean();
            self.shared.gl.disable(glow::RASTERIZER_DISCARD);
        }
        if self.made.as_ref().is_some_and(|made| made.size == size) {
            return Some(true);
        }
        self.release();
        let gl = &self.shared.gl;
        // SAFETY: as above. The framebuffer is bound only here.
        unsafe {
            let texture = self.shared.texture(size, None)?;
            let framebuffer = gl.create_framebuffer().ok()?;
            gl.bind_framebuffer(glow::FRAMEBUFFER, Some(framebuffer));
            let (at, kind) = (glow::COLOR_ATTACHMENT0, glow::TEXTURE_2D);
            gl.framebuffer_texture_2d(glow::FRAMEBUFFER, at, kind, Some(texture), 0);
            let status = gl.check_framebuffer_status(glow::FRAMEBUFFER);
            gl.bind_framebuffer(glow::FRAMEBUFFER, None);
            self.made = Some(LayerTexture { texture, framebuffer, size });
            (status == glow::FRAMEBUFFER_COMPLETE).then_some(false)
        }
    }

    /// Draws these shapes in an area.
    pub fn draw(
        &self,
        painter: &Painter,
        area: Area,
        pixels_per_point: f32,
        primitives: &[ClippedPrimitive],
    ) {
        let Some(made) = &self.made else { return };
        let gl = &self.shared.gl;
        let [width, height] = made.size.map(|it| it as i32);
        // SAFETY: painters run callbacks on the thread that owns the context, while it is current.
        // The state that egui's painter restores after a callback may stay changed.
        unsafe {
            gl.bind_framebuffer(glow::FRAMEBUFFER, Some(made.framebuffer));
            gl.viewport(0, 0, width, height);
            let points = [width, height].map(|it| it as f32 / pixels_per_point);
            self.shared.program.bind(gl, points);
            gl.active_texture(glow::TEXTURE0);
            gl.bind_vertex_array(Some(self.shared.attributes));
            gl.bind_buffer(glow::ARRAY_BUFFER, Some(self.shared.vertices));
            gl.enable(glow::SCISSOR_TEST);
            for ClippedPrimitive { clip_rect, primitive } in primitives {
                let clip = Area::rounded(*clip_rect, pixels_per_point).intersection(area);
                if clip.pixels() == 0 {
                    continue;
                }
                gl.scissor(clip.left, clip.top, clip.width(), clip.height());
                match primitive {
                    Primitive::Mesh(mesh) => {
                        if let Some(texture) = painter.texture(mesh.texture_id) {
                            self.shared.mesh(texture, &mesh.vertices, &mesh.indices);
                        }
                    }
                    Primitive::Callback(callback) => {
                        if let Some(frame) = callback.callback.downcast_ref::<LayerFrame>() {
                            self.shared.frames.bind(gl, points);
                            frame.draw(made.texture, callback.rect, clip, pixels_per_point);
                            self.shared.program.bind(gl, points);
                        }
                    }
                }
            }
            gl.bind_framebuffer(glow::FRAMEBUFFER, None);
        }
    }

    /// Copies areas of the layer to the window, whose other pixels are kept. Afterwards, OpenGL
    /// discards all drawing until the next frame, so that nothing clears the window.
    pub fn show(&self, areas: &[Area]) {
        let Some(made) = &self.made else { return };
        let gl = &self.shared.gl;
        // The first row of a window is the bottom one.
        let from_bottom = |y: i32| made.size[1] as i32 - y;
        // SAFETY: as in `draw`. Only the framebuffers of the layer and of the window are used.
        unsafe {
            gl.disable(glow::SCISSOR_TEST);
            gl.bind_framebuffer(glow::READ_FRAMEBUFFER, Some(made.framebuffer));
            for Area { left, top, right, bottom } in areas.iter().copied() {
                let (up, down) = (from_bottom(top), from_bottom(bottom));
                let (what, how) = (glow::COLOR_BUFFER_BIT, glow::NEAREST);
                gl.blit_framebuffer(left, top, right, bottom, left, up, right, down, what, how);
            }
            gl.bind_framebuffer(glow::READ_FRAMEBUFFER, None);
            gl.enable(glow::RASTERIZER_DISCARD);
        }
    }

    fn release(&mut self) {
        if let Some(made) = self.made.take() {
            self.shared.gone.lock().push((made.texture, Some(made.framebuffer)));
        }
    }
}

impl Drop for Layer {
    fn drop(&mut self) {
        // The context may not be current here, so the texture is deleted when a layer is next
        // drawn.
        self.release();
    }
}

struct LayerSurfaces {
    shared: Arc<Shared>,
}

impl Surfaces for LayerSurfaces {
    fn surface(&self) -> Arc<dyn Surface> {
        Arc::new(LayerSurface { shared: Arc::clone(&self.shared), state: Mutex::default() })
    }
}

/// A surface with one frame, which layers draw.
struct LayerSurface {
    shared: Arc<Shared>,
    state: Mutex<FramePixels>,
}

struct FramePixels {
    pixels: Vec<u8>,
    size: Size,
    /// The texture with the pixels, if the surface was drawn stretched or rotated.
    texture: Option<(glow::Texture, Size)>,
    is_uploaded: bool,
    /// The callback for these pixels. While the pixels do not change, the callback stays the same
    /// object, so that nothing is drawn again.
    frame: Option<Arc<LayerFrame>>,
}

impl Default for FramePixels {
    fn default() -> Self {
        let size = Size::new(0, 0);
        Self { pixels: Vec::new(), size, texture: None, is_uploaded: false, frame: None }
    }
}

/// The callback that draws a surface.
struct LayerFrame {
    surface: Weak<LayerSurface>,
    turn: Rotation,
    smooth: bool,
}

impl Surface for LayerSurface {
    fn renew(&self, size: Size, fill: &mut dyn FnMut(&mut [u8])) {
        let mut state = self.state.lock();
        (state.size, state.is_uploaded, state.frame) = (size, false, None);
        state.pixels.resize(size.pixels() * 4, 0);
        fill(&mut state.pixels);
    }

    fn shape(self: Arc<Self>, rect: Rect, turn: Rotation, smooth: bool) -> PaintCallback {
        let mut state = self.state.lock();
        let kept = state.frame.take().filter(|it| it.turn == turn && it.smooth == smooth);
        let frame = kept.unwrap_or_else(|| {
            Arc::new(LayerFrame { surface: Arc::downgrade(&self), turn, smooth })
        });
        state.frame = Some(Arc::clone(&frame));
        PaintCallback { rect, callback: frame }
    }
}

impl LayerFrame {
    /// Draws the frame in `rect`, clipped to `clip`, into the bound framebuffer of `layer`.
    ///
    /// # Safety
    /// The context must be current on this thread, with the state of [`Layer::draw`].
    unsafe fn draw(&self, layer: glow::Texture, rect: Rect, clip: Area, pixels_per_point: f32) {
        let Some(surface) = self.surface.upgrade() else { return };
        let mut state = surface.state.lock();
        let at = Area::rounded(rect, pixels_per_point);
        let clip = clip.intersection(at);
        let own = [state.size.width as i32, state.size.height as i32];
        if clip.pixels() == 0 || state.pixels.is_empty() {
            return;
        }
        let (gl, kind) = (&surface.shared.gl, glow::TEXTURE_2D);
        let (order, part) = (glow::BGRA, glow::UNSIGNED_BYTE);
        // SAFETY: the caller guarantees this. `clip` is inside `at`, which has the size of the
        // pixels.
        if self.turn == Rotation::None && own == [at.width(), at.height()] {
            unsafe {
                gl.bind_texture(kind, Some(layer));
                gl.pixel_store_i32(glow::UNPACK_ALIGNMENT, 1);
                gl.pixel_store_i32(glow::UNPACK_ROW_LENGTH, at.width());
                gl.pixel_store_i32(glow::UNPACK_SKIP_PIXELS, clip.left - at.left);
                gl.pixel_store_i32(glow::UNPACK_SKIP_ROWS, clip.top - at.top);
                let pixels = glow::PixelUnpackData::Slice(Some(&state.pixels));
                let [width, height] = [clip.width(), clip.height()];
                let (x, y) = (clip.left, clip.top);
                gl.tex_sub_image_2d(kind, 0, x, y, width, height, order, part, pixels);
                for which in
                    [glow::UNPACK_ROW_LENGTH, glow::UNPACK_SKIP_PIXELS, glow::UNPACK_SKIP_ROWS]
                {
                    gl.pixel_store_i32(which, 0);
                }
            }
            return;
        }
        // SAFETY: the caller guarantees this; the texture has the size of the pixels.
        unsafe {
            let Some(texture) = state.uploaded(&surface.shared) else { return };
            let filter = if self.smooth { glow::LINEAR } else { glow::NEAREST } as i32;
            gl.bind_texture(kind, Some(texture));
            for which in [glow::TEXTURE_MIN_FILTER, glow::TEXTURE_MAG_FILTER] {
                gl.tex_parameter_i32(kind, which, filter);
            }
            let places =
                [rect.left_top(), rect.right_top(), rect.right_bottom(), rect.left_bottom()];
            let pairs = places.into_iter().zip(corners(self.turn));
            let vertices: Vec<Vertex> = pairs
                .map(|(pos, [u, v])| Vertex { pos, uv: pos2(u, v), color: Color32::WHITE })
                .collect();
            // A frame is opaque.
            gl.disable(glow::BLEND);
            surface.shared.mesh(texture, &vertices, &[0, 1, 2, 0, 2, 3]);
            gl.enable(glow::BLEND);
        }
    }
}

impl FramePixels {
    /// Returns the texture with the current pixels.
    ///
    /// # Safety
    /// The context must be current on this thread.
    unsafe fn uploaded(&mut self, shared: &Shared) -> Option<glow::Texture> {
        if self.is_uploaded {
            return self.texture.map(|(texture, _)| texture);
        }
        let (gl, kind) = (&shared.gl, glow::TEXTURE_2D);
        let [width, height] = [self.size.width as i32, self.size.height as i32];
        // SAFETY: the caller guarantees this; `pixels` has the length of a frame of this size.
        unsafe {
            match self.texture {
                Some((texture, made_for)) if made_for == self.size => {
                    gl.bind_texture(kind, Some(texture));
                    gl.pixel_store_i32(glow::UNPACK_ALIGNMENT, 1);
                    let pixels = glow::PixelUnpackData::Slice(Some(&self.pixels));
                    let (order, part) = (glow::BGRA, glow::UNSIGNED_BYTE);
                    gl.tex_sub_image_2d(kind, 0, 0, 0, width, height, order, part, pixels);
                }
                old => {
                    old.into_iter().for_each(|(texture, _)| gl.delete_texture(texture));
                    let size = [self.size.width, self.size.height];
                    let texture = shared.texture(size, Some(&self.pixels))?;
                    self.texture = Some((texture, self.size));
                }
            }
        }
        self.is_uploaded = true;
        self.texture.map(|(texture, _)| texture)
    }
}

impl Drop for LayerSurface {
    fn drop(&mut self) {
        if let Some((texture, _)) = self.state.lock().texture.take() {
            self.shared.gone.lock().push((texture, None));
        }
    }
}
