//! A video frame in the window. The view takes a new frame from its slot, scales it to the
//! displayed pixels, and converts it once. A surface of the window stores the result, or a texture
//! if there are no surfaces. Frames that are not displayed are not converted.

mod mean_color;
pub mod placeholder;
mod scaler;
mod surface;

use std::sync::Arc;

use egui::{Color32, ColorImage, Rect, TextureHandle, TextureOptions, Ui, Vec2, pos2, vec2};

use crate::base::{Latest, partial_debug};
pub use crate::media::Rotation;
use crate::media::{Size, VideoFrame};

use mean_color::mean_color;
use scaler::{ByteOrder, Fault, Scaler};
pub use surface::{Surface, Surfaces};

/// A view of the frames in one slot, with the state that it needs to convert them.
#[derive(Default)]
pub struct FrameView {
    slot: Latest<VideoFrame>,
    seen: u64,
    frame: Option<VideoFrame>,
    sheet: RenderTarget,
    surfaces: Option<Arc<dyn Surfaces>>,
    /// The size of the converted frame that the sheet contains.
    made_for: Option<Size>,
    scaler: Scaler,
    name: &'static str,
}

/// The destination of converted frames.
enum RenderTarget {
    Surface(Arc<dyn Surface>),
    Texture { texture: Option<TextureHandle>, image: Arc<ColorImage> },
}

impl Default for RenderTarget {
    fn default() -> Self {
        Self::Texture { texture: None, image: Arc::default() }
    }
}

partial_debug!(FrameView { made_for });

impl FrameView {
    /// Creates a view of the frames in `slot`.
    pub fn new(name: &'static str, slot: Latest<VideoFrame>) -> Self {
        Self { slot, name, ..Self::default() }
    }

    /// Changes the view to draw with a surface.
    pub fn lay_on(&mut self, surfaces: &Arc<dyn Surfaces>) {
        self.sheet = RenderTarget::Surface(surfaces.surface());
        self.surfaces = Some(Arc::clone(surfaces));
        self.made_for = None;
    }

    /// Creates a view of the frames in `slot`, with the same kind of surface as this view.
    pub fn beside(&self, name: &'static str, slot: Latest<VideoFrame>) -> Self {
        let mut view = Self::new(name, slot);
        if let Some(surfaces) = &self.surfaces {
            view.lay_on(surfaces);
        }
        view
    }

    /// Creates another view of the same frames, for a different size.
    pub fn again(&self, name: &'static str) -> Self {
        self.beside(name, self.slot.clone())
    }

    /// Changes the view to this slot, if it is another one.
    pub fn follow(&mut self, slot: &Latest<VideoFrame>) {
        if !self.slot.shares_with(slot) {
            self.slot = slot.clone();
            (self.seen, self.frame) = (0, None);
        }
    }

    /// Returns true if there is a frame to display.
    pub fn is_there(&self) -> bool {
        self.slot.version() != self.seen && self.slot.get().is_some() || self.frame.is_some()
    }

    /// Returns the aspect ratio of the frame; 16:9 while there is no frame.
    pub fn shape(&self) -> f32 {
        self.frame.as_ref().map_or(16.0 / 9.0, |frame| frame.size().aspect())
    }

    /// Returns the size of the frame, if there is one.
    pub fn size(&mut self) -> Option<Size> {
        if self.frame.is_none() && self.slot.version() != self.seen {
            return self.slot.get().map(|frame| frame.size());
        }
        self.frame.as_ref().map(VideoFrame::size)
    }

    /// Returns the mean color around a point of the displayed frame, in sRGB. The point is 0…1 in
    /// each direction.
    pub fn color_at(&self, at: Vec2) -> Option<[u8; 3]> {
        mean_color(self.frame.as_ref()?, at)
    }

    /// Draws the rotated frame so that it fills `rect`, clipped to `room`. Returns true if there
    /// was a frame.
    pub fn paint_turned(&mut self, ui: &Ui, rect: Rect, room: Rect, turn: Rotation) -> bool {
        let upright = if turn.is_sideways() {
            Rect::from_center_size(rect.center(), vec2(rect.height(), rect.width()))
        } else {
            rect
        };
        let wanted = pixels(upright, ui.pixels_per_point());
        self.renew(ui.ctx(), wanted);
        let Some(size) = self.made_for.filter(|_| self.frame.is_some()) else {
            return false;
        };
        let painter = ui.painter().with_clip_rect(room.intersect(ui.clip_rect()));
        match &self.sheet {
            RenderTarget::Surface(surface) => {
                painter.add(Arc::clone(surface).shape(rect, turn, size != wanted));
            }
            RenderTarget::Texture { texture: Some(texture), .. } => {
                painter.add(turned_mesh(texture.id(), rect, turn));
            }
            RenderTarget::Texture { texture: None, .. } => return false,
        }
        true
    }

    /// Draws the frame so that it fills `rect`. Returns true if there was a frame.
    pub fn paint(&mut self, ui: &Ui, rect: Rect) -> bool {
        self.paint_turned(ui, rect, rect, Rotation::None)
    }

    fn renew(&mut self, ctx: &egui::Context, wanted: Size) {
        let version = self.slot.version();
        let fresh = version != self.seen;
        if fresh {
            self.seen = version;
            self.frame = self.slot.get();
        }
        let Some(frame) = self.frame.as_ref() else {
            return;
        };
        // A frame is never scaled up here, because the renderer stretches it.
        let own = frame.size();
        let smaller = wanted.width < own.width && wanted.height <= own.height;
        let size = if smaller { wanted } else { own };
        if !fresh && self.made_for == Some(size) {
            return;
        }
        let scaler = &mut self.scaler;
        let made = match &mut self.sheet {
            RenderTarget::Surface(surface) => {
                let mut made = Ok(());
                surface.renew(size, &mut |pixels| {
                    made = scaler.convert(frame, size, ByteOrder::Bgra, pixels);
                });
                made
            }
            RenderTarget::Texture { texture, image } => {
                // One texel per pixel needs no filter, which is expensive with software rendering.
                let options =
                    if size == wanted { TextureOptions::NEAREST } else { TextureOptions::LINEAR };
                let is_made = self.made_for == Some(size);
                convert(scaler, frame, size, image).map(|()| match texture.as_mut() {
                    Some(texture) if is_made => {
                        texture.set_partial([0, 0], Arc::clone(image), options);
                    }
                    Some(texture) => texture.set(Arc::clone(image), options),
                    None => {
                        *texture = Some(ctx.load_texture(self.name, Arc::clone(image), options));
                    }
                })
            }
        };
        match made {
            Ok(()) => self.made_for = Some(size),
            Err(error) => {
                tracing::warn!(%error, view = self.name, "showing a frame failed");
            }
        }
    }
}

/// Converts a frame into an image, which is reused if it has the right size and no other owner.
fn convert(
    scaler: &mut Scaler,
    frame: &VideoFrame,
    size: Size,
    image: &mut Arc<ColorImage>,
) -> Result<(), Fault> {
    let (width, height) = (size.width as usize, size.height as usize);
    let fits = Arc::get_mut(image).is_some_and(|image| image.size == [width, height]);
    if !fits {
        *image = Arc::new(ColorImage::filled([width, height], Color32::BLACK));
    }
    let Some(image) = Arc::get_mut(image) else { return Ok(()) };
    scaler.convert(frame, size, ByteOrder::Rgba, image.as_raw_mut())
}

/// Creates a mesh with a rotated texture that fills `rect`.
fn turned_mesh(texture: egui::TextureId, rect: Rect, turn: Rotation) -> egui::Mesh {
    let mut mesh = egui::Mesh::with_texture(texture);
    let places = [rect.left_top(), rect.right_top(), rect.right_bottom(), rect.left_bottom()];
    for (pos, [u, v]) in places.into_iter().zip(corners(turn)) {
        let uv = pos2(u, v);
        mesh.vertices.push(egui::epaint::Vertex { pos, uv, color: Color32::WHITE });
    }
    mesh.indices.extend([0, 1, 2, 0, 2, 3]);
    mesh
}

/// Returns the size of a rectangle in pixels, rounded to even numbers.
fn pixels(rect: Rect, pixels_per_point: f32) -> Size {
    let pixels = rect.size() * pixels_per_point;
    Size::new((pixels.x.round() as u32).max(2) & !1, (pixels.y.round() as u32).max(2) & !1)
}

/// Returns the texture coordinates (0…1 from the upper left) at the upper left, upper right, lower
/// right and lower left corners of a rotated frame.
pub fn corners(turn: Rotation) -> [[f32; 2]; 4] {
    let mut corners = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
    // After a rotation to the right, the lower left corner of the frame is at the upper left.
    corners.rotate_right(turn.quarters());
    corners
}

/// Returns the largest centered rectangle in `room` with the aspect ratio `shape`, in whole and
/// even pixels.
pub fn fitted(room: Rect, shape: f32, pixels_per_point: f32) -> Rect {
    let size = if room.width() > room.height() * shape {
        vec2(room.height() * shape, room.height())
    } else {
        vec2(room.width(), room.width() / shape)
    };
    let even =
        |points: f32| (points * pixels_per_point / 2.0).floor().max(1.0) * 2.0 / pixels_per_point;
    let size = vec2(even(size.x), even(size.y));
    let corner = room.center() - size / 2.0;
    let whole = |points: f32| (points * pixels_per_point).round() / pixels_per_point;
    Rect::from_min_size(pos2(whole(corner.x), whole(corner.y)), size)
}

/// Fills `room` except `hole`, which a frame will cover. Software rendering is faster if no pixel
/// is drawn twice.
pub fn fill_around(ui: &Ui, room: Rect, hole: Rect, color: Color32) {
    let (left, right) = (room.left()..=hole.left(), hole.right()..=room.right());
    for (x, y) in [
        (room.left()..=room.right(), room.top()..=hole.top()),
        (room.left()..=room.right(), hole.bottom()..=room.bottom()),
        (left, hole.top()..=hole.bottom()),
        (right, hole.top()..=hole.bottom()),
    ] {
        let strip = Rect::from_x_y_ranges(x, y);
        if strip.is_positive() {
            ui.painter().rect_filled(strip, 0.0, color);
        }
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;
    use crate::base::Timestamp;
    use crate::media::{Color, Planes};

    /// A surface that records the sizes of the frames written to it.
    #[derive(Default)]
    struct Counted(Mutex<Vec<Size>>);

    struct Counting(Arc<Counted>);

    impl Surfaces for Counting {
        fn surface(&self) -> Arc<dyn Surface> {
            Arc::clone(&self.0) as Arc<dyn Surface>
        }
    }

    impl Surface for Counted {
        fn renew(&self, size: Size, fill: &mut dyn FnMut(&mut [u8])) {
            fill(&mut vec![0; size.pixels() * 4]);
            self.0.lock().push(size);
        }

        fn shape(
            self: Arc<Self>,
            rect: Rect,
            _turn: Rotation,
            _smooth: bool,
        ) -> egui::PaintCallback {
            egui::PaintCallback { rect, callback: Arc::new(()) }
        }
    }

    fn black() -> VideoFrame {
        VideoFrame {
            pts: Timestamp::ZERO,
            color: Color::default(),
            surface: crate::media::Surface::I420(Arc::new(
                Planes::black(Size::new(1280, 720)).into(),
            )),
        }
    }

    /// Checks that each new frame is uploaded once, at the displayed size, by a surface and by a
    /// texture.
    #[test]
    fn a_frame_is_uploaded_once_at_the_size_shown() {
        let place = Rect::from_min_size(pos2(0.0, 0.0), vec2(320.0, 180.0));
        let shown = Size::new(320, 180);
        for by_surface in [true, false] {
            let slot: Latest<VideoFrame> = Latest::default();
            let mut view = FrameView::new("test", slot.clone());
            let written = Arc::new(Counted::default());
            if by_surface {
                let surfaces: Arc<dyn Surfaces> = Arc::new(Counting(Arc::clone(&written)));
                view.lay_on(&surfaces);
            }
            let ctx = egui::Context::default();
            let mut uploads = Vec::new();
            let mut frame = |view: &mut FrameView, place: Rect, shows: bool| {
                let mut output = ctx.run_ui(egui::RawInput::default(), |ui| {
                    if shows {
                        view.paint(ui, place);
                    }
                });
                // The first texture belongs to the font.
                let textures = output.textures_delta.set.iter();
                let textures = textures.filter(|(id, _)| **id != egui::TextureId::default());
                uploads.extend(textures.flat_map(|(_, deltas)| deltas).map(|delta| {
                    let [width, height] = delta.image.size();
                    Size::new(width as u32, height as u32)
                }));
                output.textures_delta.clear();
                uploads.append(&mut written.0.lock());
                uploads.clone()
            };
            assert_eq!(frame(&mut view, place, true), [], "there is none yet");
            slot.publish(black());
            for _ in 0..5 {
                assert_eq!(frame(&mut view, place, true), [shown]);
            }
            // Frames that arrive while the view is hidden are not converted. When the view is
            // displayed again, only the last frame is converted.
            for _ in 0..5 {
                slot.publish(black());
                assert_eq!(frame(&mut view, place, false), [shown]);
            }
            assert_eq!(frame(&mut view, place, true), [shown; 2]);
            // The frame is now displayed at another size.
            let smaller = Rect::from_min_size(pos2(0.0, 0.0), vec2(160.0, 90.0));
            for _ in 0..2 {
                let uploads = frame(&mut view, smaller, true);
                assert_eq!(uploads, [shown, shown, Size::new(160, 90)]);
            }
        }
    }

    #[test]
    fn a_frame_keeps_its_shape_on_even_pixels() {
        let room = Rect::from_min_size(pos2(220.0, 44.0), vec2(736.0, 520.0));
        let rect = fitted(room, 16.0 / 9.0, 1.0);
        assert_eq!(rect.size(), vec2(736.0, 414.0));
        let rect = fitted(Rect::from_min_size(pos2(0.0, 0.0), vec2(300.0, 100.0)), 1.0, 1.5);
        assert!((rect.width() * 1.5 % 2.0).abs() < 1e-3);
    }
}
