//! A picture on the screen: taken from its slot when there is a newer one, scaled to the pixels it
//! is shown on, converted once and put into a texture that is kept. While nothing asks for it,
//! nothing is converted.

use std::sync::Arc;

use egui::{Color32, ColorImage, Rect, TextureHandle, TextureOptions, Ui, pos2, vec2};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use yuv::{YuvPlanarImage, YuvRange, YuvStandardMatrix};

use crate::base::Latest;
use crate::media::color::{Matrix, Range};
use crate::media::{Size, VideoFrame};

/// The texture of one picture and what it takes to renew it.
#[derive(Default)]
pub struct Picture {
    slot: Latest<VideoFrame>,
    seen: u64,
    frame: Option<VideoFrame>,
    texture: Option<TextureHandle>,
    /// The size that the texture was made for.
    made_for: Option<Size>,
    image: Arc<ColorImage>,
    scaler: Scaler,
    name: &'static str,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture").field("made_for", &self.made_for).finish_non_exhaustive()
    }
}

impl Picture {
    /// Shows what comes into `slot`.
    pub fn new(name: &'static str, slot: Latest<VideoFrame>) -> Self {
        Self { slot, name, ..Self::default() }
    }

    /// The same pictures once more, to be shown at another size.
    pub fn again(&self, name: &'static str) -> Self {
        Self::new(name, self.slot.clone())
    }

    /// Whether there is a picture to show.
    pub fn is_there(&self) -> bool {
        self.slot.version() != self.seen && self.slot.get().is_some() || self.frame.is_some()
    }

    /// Width over height of the picture, 16:9 while there is none.
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

    /// Draws the picture turned, filling `rect` as it is seen then, and cut off at `room`; tells
    /// whether there was one.
    pub fn paint_turned(&mut self, ui: &Ui, rect: Rect, room: Rect, turn: Turn) -> bool {
        let upright = if turn.is_sideways() {
            Rect::from_center_size(rect.center(), vec2(rect.height(), rect.width()))
        } else {
            rect
        };
        self.renew(ui.ctx(), pixels(upright, ui.pixels_per_point()));
        let Some(texture) = self.texture.as_ref().filter(|_| self.frame.is_some()) else {
            return false;
        };
        let mut mesh = egui::Mesh::with_texture(texture.id());
        let corners = [rect.left_top(), rect.right_top(), rect.right_bottom(), rect.left_bottom()];
        let whole = [pos2(0.0, 0.0), pos2(1.0, 0.0), pos2(1.0, 1.0), pos2(0.0, 1.0)];
        // Turned to the right, the picture's lower left corner comes to the upper left.
        let turned = whole.iter().cycle().skip(4 - turn.quarters());
        for (pos, uv) in corners.into_iter().zip(turned) {
            mesh.vertices.push(egui::epaint::Vertex { pos, uv: *uv, color: Color32::WHITE });
        }
        mesh.indices.extend([0, 1, 2, 0, 2, 3]);
        ui.painter().with_clip_rect(room.intersect(ui.clip_rect())).add(mesh);
        true
    }

    /// Draws the picture, filling `rect`; tells whether there was one.
    pub fn paint(&mut self, ui: &Ui, rect: Rect) -> bool {
        self.renew(ui.ctx(), pixels(rect, ui.pixels_per_point()));
        let Some(texture) = self.texture.as_ref().filter(|_| self.frame.is_some()) else {
            return false;
        };
        let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        ui.painter().image(texture.id(), rect, whole, Color32::WHITE);
        true
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
        let image = match Arc::get_mut(&mut self.image) {
            Some(image) => image,
            None => {
                self.image = Arc::default();
                let Some(image) = Arc::get_mut(&mut self.image) else { return };
                image
            }
        };
        let (width, height) = (size.width as usize, size.height as usize);
        if image.size != [width, height] {
            *image = ColorImage::new([width, height], vec![Color32::BLACK; width * height]);
        }
        if let Err(error) = self.scaler.convert(frame, size, image.as_raw_mut()) {
            tracing::warn!(%error, picture = self.name, "a picture cannot be shown");
            return;
        }
        // One texel a pixel needs no filter, which is dear where the processor draws.
        let options = if size == wanted { TextureOptions::NEAREST } else { TextureOptions::LINEAR };
        match self.texture.as_mut() {
            Some(texture) if self.made_for == Some(size) => {
                texture.set_partial([0, 0], Arc::clone(&self.image), options);
            }
            Some(texture) => texture.set(Arc::clone(&self.image), options),
            None => {
                self.texture = Some(ctx.load_texture(self.name, Arc::clone(&self.image), options));
            }
        }
        self.made_for = Some(size);
    }
}

/// The even size in pixels of a place on the screen.
fn pixels(rect: Rect, pixels_per_point: f32) -> Size {
    let pixels = rect.size() * pixels_per_point;
    Size::new((pixels.x.round() as u32).max(2) & !1, (pixels.y.round() as u32).max(2) & !1)
}

/// By how much a picture is turned, clockwise.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Turn {
    #[default]
    None,
    Right,
    Half,
    Left,
}

impl Turn {
    pub const ALL: [Self; 4] = [Self::None, Self::Right, Self::Half, Self::Left];

    fn quarters(self) -> usize {
        Self::ALL.iter().position(|it| *it == self).unwrap_or(0)
    }

    /// 0, 90, 180 or 270.
    pub fn degrees(self) -> usize {
        self.quarters() * 90
    }

    /// Whether width and height change places.
    pub fn is_sideways(self) -> bool {
        matches!(self, Self::Right | Self::Left)
    }

    /// A quarter further.
    pub fn next(self) -> Self {
        Self::ALL.get(self.quarters() + 1).copied().unwrap_or_default()
    }
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

/// I420 of any size to RGBA of a smaller or equal one.
#[derive(Default)]
struct Scaler {
    resizer: Resizer,
    planes: [Vec<u8>; 3],
}

/// Why a picture could not be converted.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("scaling a picture: {0}")]
    Scale(String),
    #[error("converting a picture: {0}")]
    Convert(String),
}

impl Scaler {
    fn convert(&mut self, frame: &VideoFrame, size: Size, rgba: &mut [u8]) -> Result<(), Fault> {
        let source = &frame.planes;
        let from = source.size();
        let image = if from == size {
            planar(&source.y, &source.u, &source.v, size)
        } else {
            let half = |size: Size| Size::new(size.width / 2, size.height / 2);
            let [y, u, v] = &mut self.planes;
            scale(&mut self.resizer, &source.y, from, y, size)?;
            scale(&mut self.resizer, &source.u, half(from), u, half(size))?;
            scale(&mut self.resizer, &source.v, half(from), v, half(size))?;
            planar(y, u, v, size)
        };
        let range = match frame.color.range {
            Range::Limited => YuvRange::Limited,
            Range::Full => YuvRange::Full,
        };
        let matrix = match frame.color.matrix {
            Matrix::Bt601 => YuvStandardMatrix::Bt601,
            Matrix::Bt709 => YuvStandardMatrix::Bt709,
        };
        yuv::yuv420_to_rgba(&image, rgba, size.width * 4, range, matrix)
            .map_err(|error| Fault::Convert(error.to_string()))
    }
}

fn planar<'a>(y: &'a [u8], u: &'a [u8], v: &'a [u8], size: Size) -> YuvPlanarImage<'a, u8> {
    YuvPlanarImage {
        y_plane: y,
        y_stride: size.width,
        u_plane: u,
        u_stride: size.width / 2,
        v_plane: v,
        v_stride: size.width / 2,
        width: size.width,
        height: size.height,
    }
}

fn scale(
    resizer: &mut Resizer,
    source: &[u8],
    from: Size,
    out: &mut Vec<u8>,
    to: Size,
) -> Result<(), Fault> {
    let fault = |error: &dyn std::fmt::Display| Fault::Scale(error.to_string());
    out.resize(to.pixels(), 0);
    let source =
        ImageRef::new(from.width, from.height, source, PixelType::U8).map_err(|e| fault(&e))?;
    let mut target =
        Image::from_slice_u8(to.width, to.height, out, PixelType::U8).map_err(|e| fault(&e))?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    resizer.resize(&source, &mut target, &options).map_err(|e| fault(&e))
}

/// Fills `room` save `hole`, which a picture is going to cover: where the processor draws, each
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
    use super::*;
    use crate::base::{Pool, Timestamp};
    use crate::media::{Color, Planes};

    fn grey(size: Size, luma: u8) -> VideoFrame {
        let pool: Pool<Planes> = Planes::pool(size, 1);
        let mut planes = pool.take();
        planes.y.fill(luma);
        VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, planes: Arc::new(planes) }
    }

    #[test]
    fn grey_stays_grey_at_every_size() {
        let mut scaler = Scaler::default();
        for size in [Size::new(128, 72), Size::new(64, 36), Size::new(50, 28)] {
            let mut rgba = vec![0; size.pixels() * 4];
            scaler.convert(&grey(Size::new(128, 72), 126), size, &mut rgba).unwrap();
            for pixel in rgba.chunks_exact(4) {
                assert!(pixel[..3].iter().all(|channel| channel.abs_diff(128) <= 1), "{pixel:?}");
                assert_eq!(pixel[3], 255);
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
