//! A frame on the screen: taken from its slot when there is a newer one, scaled to the pixels it
//! is shown on, converted once and put where it is drawn from, which is kept: a surface of the
//! window's, or a texture where there are none. While nothing asks for it, nothing is converted.

pub mod placeholder;
mod scaler;
mod surface;

use std::sync::Arc;

use egui::{Color32, ColorImage, Rect, TextureHandle, TextureOptions, Ui, pos2, vec2};

use crate::base::Latest;
use crate::media::{Size, VideoFrame};
pub use crate::studio::watch::viewport::Rotation;

use scaler::{ByteOrder, Fault, Scaler};
pub use surface::{Surface, Surfaces};

/// One frame and what it takes to renew it.
#[derive(Default)]
pub struct FrameView {
    slot: Latest<VideoFrame>,
    seen: u64,
    frame: Option<VideoFrame>,
    sheet: Sheet,
    surfaces: Option<Arc<dyn Surfaces>>,
    /// The size that the sheet was made for.
    made_for: Option<Size>,
    scaler: Scaler,
    name: &'static str,
}

/// What a frame is drawn from.
enum Sheet {
    Surface(Arc<dyn Surface>),
    Texture { texture: Option<TextureHandle>, image: Arc<ColorImage> },
}

impl Default for Sheet {
    fn default() -> Self {
        Self::Texture { texture: None, image: Arc::default() }
    }
}

impl std::fmt::Debug for FrameView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture").field("made_for", &self.made_for).finish_non_exhaustive()
    }
}

impl FrameView {
    /// Shows what comes into `slot`.
    pub fn new(name: &'static str, slot: Latest<VideoFrame>) -> Self {
        Self { slot, name, ..Self::default() }
    }

    /// Is drawn by a surface from now on.
    pub fn lay_on(&mut self, surfaces: &Arc<dyn Surfaces>) {
        self.sheet = Sheet::Surface(surfaces.surface());
        self.surfaces = Some(Arc::clone(surfaces));
        self.made_for = None;
    }

    /// What comes into `slot`, drawn as these frames are.
    pub fn beside(&self, name: &'static str, slot: Latest<VideoFrame>) -> Self {
        let mut picture = Self::new(name, slot);
        if let Some(surfaces) = &self.surfaces {
            picture.lay_on(surfaces);
        }
        picture
    }

    /// The same frames once more, to be shown at another size.
    pub fn again(&self, name: &'static str) -> Self {
        self.beside(name, self.slot.clone())
    }

    /// Shows what comes into this slot from now on, if it is another one.
    pub fn follow(&mut self, slot: &Latest<VideoFrame>) {
        if !self.slot.shares_with(slot) {
            self.slot = slot.clone();
            (self.seen, self.frame) = (0, None);
        }
    }

    /// Returns true if there is a frame to show.
    pub fn is_there(&self) -> bool {
        self.slot.version() != self.seen && self.slot.get().is_some() || self.frame.is_some()
    }

    /// Width over height of the frame, 16:9 while there is none.
    pub fn shape(&self) -> f32 {
        self.frame.as_ref().map_or(16.0 / 9.0, |frame| {
            let size = frame.size();
            size.width as f32 / (size.height as f32).max(1.0)
        })
    }

    /// Its own size, once there is one.
    pub fn size(&mut self) -> Option<Size> {
        if self.frame.is_none() && self.slot.version() != self.seen {
            return self.slot.get().map(|frame| frame.size());
        }
        self.frame.as_ref().map(VideoFrame::size)
    }

    /// Draws the frame turned, filling `rect` as it is seen then, and cut off at `room`; tells
    /// whether there was one.
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
            Sheet::Surface(surface) => {
                painter.add(Arc::clone(surface).shape(rect, turn, size != wanted));
            }
            Sheet::Texture { texture: Some(texture), .. } => {
                painter.add(turned_mesh(texture.id(), rect, turn));
            }
            Sheet::Texture { texture: None, .. } => return false,
        }
        true
    }

    /// Draws the frame, filling `rect`; tells whether there was one.
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
        // Larger than it is: the graphics side stretches it.
        let own = frame.size();
        let smaller = wanted.width < own.width && wanted.height <= own.height;
        let size = if smaller { wanted } else { own };
        if !fresh && self.made_for == Some(size) {
            return;
        }
        let scaler = &mut self.scaler;
        let made = match &mut self.sheet {
            Sheet::Surface(surface) => {
                let mut made = Ok(());
                surface.renew(size, &mut |pixels| {
                    made = scaler.convert(frame, size, ByteOrder::Bgra, pixels);
                });
                made
            }
            Sheet::Texture { texture, image } => {
                // One texel a pixel needs no filter, which is dear where the processor draws.
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
                tracing::warn!(%error, picture = self.name, "a picture cannot be shown");
            }
        }
    }
}

/// Converts into an image that is used again where nobody else holds it any more.
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

/// A texture that fills `rect`, turned.
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

/// The even size in pixels of a place on the screen.
fn pixels(rect: Rect, pixels_per_point: f32) -> Size {
    let pixels = rect.size() * pixels_per_point;
    Size::new((pixels.x.round() as u32).max(2) & !1, (pixels.y.round() as u32).max(2) & !1)
}

/// Which places of a frame that is turned, each 0…1 from its upper left, come to the upper left, upper
/// right, lower right and lower left.
pub fn corners(turn: Rotation) -> [[f32; 2]; 4] {
    let mut corners = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
    // Turned to the right, the frame's lower left corner comes to the upper left.
    corners.rotate_right(turn.quarters());
    corners
}

/// The largest rectangle of shape `shape` in the middle of `room`, on whole and even pixels.
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

/// Fills `room` save `hole`, which a frame is going to cover: where the processor draws, each
/// pixel drawn twice costs.
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

    /// Counts what is written to it.
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

    /// Uploaded once for each new frame, at the size shown; by a surface and by a texture.
    #[test]
    fn a_picture_is_uploaded_once_at_the_size_shown() {
        let place = Rect::from_min_size(pos2(0.0, 0.0), vec2(320.0, 180.0));
        let shown = Size::new(320, 180);
        for by_surface in [true, false] {
            let slot: Latest<VideoFrame> = Latest::default();
            let mut picture = FrameView::new("test", slot.clone());
            let written = Arc::new(Counted::default());
            if by_surface {
                let surfaces: Arc<dyn Surfaces> = Arc::new(Counting(Arc::clone(&written)));
                picture.lay_on(&surfaces);
            }
            let ctx = egui::Context::default();
            let mut uploads = Vec::new();
            let mut frame = |picture: &mut FrameView, place: Rect, shows: bool| {
                let mut output = ctx.run_ui(egui::RawInput::default(), |ui| {
                    if shows {
                        picture.paint(ui, place);
                    }
                });
                // The first is that of the letters.
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
            assert_eq!(frame(&mut picture, place, true), [], "there is none yet");
            slot.publish(black());
            for _ in 0..5 {
                assert_eq!(frame(&mut picture, place, true), [shown]);
            }
            // Frames that come while nothing shows them are not converted; then the last one is.
            for _ in 0..5 {
                slot.publish(black());
                assert_eq!(frame(&mut picture, place, false), [shown]);
            }
            assert_eq!(frame(&mut picture, place, true), [shown; 2]);
            // Shown at another size.
            let smaller = Rect::from_min_size(pos2(0.0, 0.0), vec2(160.0, 90.0));
            for _ in 0..2 {
                let uploads = frame(&mut picture, smaller, true);
                assert_eq!(uploads, [shown, shown, Size::new(160, 90)]);
            }
        }
    }

    #[test]
    fn a_picture_keeps_its_shape_on_even_pixels() {
        let room = Rect::from_min_size(pos2(220.0, 44.0), vec2(736.0, 520.0));
        let rect = fitted(room, 16.0 / 9.0, 1.0);
        assert_eq!(rect.size(), vec2(736.0, 414.0));
        let rect = fitted(Rect::from_min_size(pos2(0.0, 0.0), vec2(300.0, 100.0)), 1.0, 1.5);
        assert!((rect.width() * 1.5 % 2.0).abs() < 1e-3);
    }
}
