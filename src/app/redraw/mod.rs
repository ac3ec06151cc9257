//! Draws windows on the CPU. Each window keeps its pixels in a layer, and a frame draws only the
//! parts that changed. egui's own painter draws every shape of the window for every frame, so a new
//! video frame would cost as much as a new page.

pub mod damage;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::epaint::ClippedShape;
use eframe::egui::{
    Color32, Context, FullOutput, PaintCallback, PaintCallbackInfo, Plugin, Rect, Shape, TextureId,
    Ui, ViewportId,
};
use eframe::egui_glow::{CallbackFn, Painter};
use eframe::glow;
use parking_lot::Mutex;

use crate::app::backend::layer::{Layer, LayerFactory};
use crate::ui::video::Surfaces;
use damage::{Area, BoundedShape, changed, visible};

/// The interval at which a whole layer is copied to its window. Software renderers keep the pixels
/// of a window after showing them, except in rare cases, such as two changes of the window's size
/// between two frames.
const FULL_COPY_INTERVAL: Duration = Duration::from_secs(1);

/// Returns the surfaces for video frames, if the driver supports them. With software rendering,
/// this function also limits drawing to the changed parts.
///
/// This function is called on the thread that owns the context, while it is current.
pub fn surfaces(
    ctx: &Context,
    gl: &Arc<glow::Context>,
    software: bool,
) -> Option<Arc<dyn Surfaces>> {
    if !software {
        return Some(Arc::new(crate::app::backend::SurfaceFactory::new(gl)?));
    }
    let redraw = Redraw::new(gl)?;
    let surfaces = redraw.factory.surfaces();
    ctx.add_plugin(redraw);
    Some(surfaces)
}

/// Replaces the shapes of each frame with one callback, which draws only the changed parts.
struct Redraw {
    factory: LayerFactory,
    windows: BTreeMap<ViewportId, Arc<Mutex<WindowPixels>>>,
    /// The window whose frame is being drawn.
    current: ViewportId,
}

impl Redraw {
    /// Creates the layers' shared state. Returns `None` if OpenGL is too old or too limited; in
    /// that case, egui draws the windows.
    fn new(gl: &Arc<glow::Context>) -> Option<Self> {
        let factory = LayerFactory::new(gl)?;
        Some(Self { factory, windows: BTreeMap::new(), current: ViewportId::ROOT })
    }
}

impl Plugin for Redraw {
    fn debug_name(&self) -> &'static str {
        "redraw"
    }

    fn on_end_pass(&mut self, ui: &mut Ui) {
        self.current = ui.ctx().viewport_id();
    }

    fn output_hook(&mut self, ctx: &Context, output: &mut FullOutput) {
        let id = self.current;
        if id == ViewportId::ROOT {
            self.windows.retain(|id, _| output.viewport_output.contains_key(id));
        }
        let factory = &self.factory;
        let window = self
            .windows
            .entry(id)
            .or_insert_with(|| Arc::new(Mutex::new(WindowPixels::new(factory.layer()))));
        let window = Arc::clone(window);
        // A text does not change when the font's texture gets more characters.
        let renewed = output.textures_delta.set.keys().filter(|id| **id != TextureId::default());
        let renewed: Vec<TextureId> = renewed.copied().collect();
        for pixels in self.windows.values().filter(|_| !renewed.is_empty()) {
            pixels.lock().renewed.extend(&renewed);
        }
        let ground = match id {
            ViewportId::ROOT => ctx.global_style().visuals.panel_fill,
            _ => Color32::BLACK,
        };
        let shapes = Mutex::new(std::mem::take(&mut output.shapes));
        let ctx = ctx.clone();
        let paint = CallbackFn::new(move |info, painter| {
            let shapes = std::mem::take(&mut *shapes.lock());
            window.lock().paint(painter, &info, &ctx, shapes, ground);
        });
        let size = Rect::from_x_y_ranges(0.0..=1.0, 0.0..=1.0);
        let callback = PaintCallback { rect: size, callback: Arc::new(paint) };
        output.shapes.push(ClippedShape::new(Rect::EVERYTHING, Shape::Callback(callback)));
    }
}

/// The pixels of a window, and the shapes that drew them.
struct WindowPixels {
    layer: Layer,
    drawn: Vec<BoundedShape>,
    /// The textures whose pixels changed since they were last drawn.
    renewed: BTreeSet<TextureId>,
    pixels_per_point: f32,
    ground: Color32,
    /// The time at which the whole layer was last copied to the window.
    whole_at: Option<Instant>,
}

impl WindowPixels {
    fn new(layer: Layer) -> Self {
        Self {
            layer,
            drawn: Vec::new(),
            renewed: BTreeSet::new(),
            pixels_per_point: 0.0,
            ground: Color32::PLACEHOLDER,
            whole_at: None,
        }
    }

    /// Draws the parts that changed since the last frame, in the layer and in the window.
    fn paint(
        &mut self,
        painter: &Painter,
        info: &PaintCallbackInfo,
        ctx: &Context,
        shapes: Vec<ClippedShape>,
        ground: Color32,
    ) {
        let (scale, size) = (info.pixels_per_point, info.screen_size_px);
        let now: Vec<BoundedShape> = shapes.into_iter().filter_map(BoundedShape::new).collect();
        let Some(kept) = self.layer.resize(size) else { return };
        let is_comparable =
            kept && self.pixels_per_point.to_bits() == scale.to_bits() && self.ground == ground;
        let areas = match is_comparable {
            true => changed(&self.drawn, &now, &self.renewed, scale, size),
            false => vec![Area::whole(size)],
        };
        for area in &areas {
            let shapes = visible(&now, *area, scale, ground);
            let primitives = ctx.tessellate(shapes, scale);
            self.layer.draw(painter, *area, scale, &primitives);
        }
        let whole = [Area::whole(size)];
        let is_due = self.whole_at.is_none_or(|at| at.elapsed() >= FULL_COPY_INTERVAL);
        if is_due || !is_comparable {
            self.whole_at = Some(Instant::now());
            self.layer.show(&whole);
        } else {
            self.layer.show(&areas);
        }
        let pixels: i64 = areas.iter().map(|area| area.pixels()).sum();
        tracing::trace!(areas = areas.len(), pixels, "redrawn areas");
        (self.drawn, self.pixels_per_point, self.ground) = (now, scale, ground);
        self.renewed.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use eframe::egui::epaint::Primitive;
    use eframe::egui::{RawInput, pos2, vec2};

    use super::*;
    use crate::audio::AudioChoice;
    use crate::base::{Latest, Timestamp};
    use crate::capture::VideoChoice;
    use crate::media::{Color, Planes, Size, VideoFrame};
    use crate::studio::live::view::LiveState;
    use crate::studio::snapshot::{AudioSource, SourceState, VideoSource};
    use crate::studio::{Preferences, Snapshot};
    use crate::ui::video::{Rotation, Surface};
    use crate::ui::{Page, Screen};

    const WINDOW_SIZE: [u32; 2] = [1280, 720];

    /// A surface that creates a new callback object for each new frame, like a layer's surface.
    struct CountedSurface(Mutex<Arc<u64>>, AtomicU64);

    struct CountedSurfaces;

    impl Surfaces for CountedSurfaces {
        fn surface(&self) -> Arc<dyn Surface> {
            Arc::new(CountedSurface(Mutex::default(), AtomicU64::default()))
        }
    }

    impl Surface for CountedSurface {
        fn renew(&self, size: Size, fill: &mut dyn FnMut(&mut [u8])) {
            fill(&mut vec![0; size.pixels() * 4]);
            *self.0.lock() = Arc::new(self.1.fetch_add(1, Ordering::Relaxed));
        }

        fn shape(self: Arc<Self>, rect: Rect, _: Rotation, _: bool) -> PaintCallback {
            PaintCallback { rect, callback: Arc::clone(&*self.0.lock()) as _ }
        }
    }

    fn on_air(level: f32) -> Snapshot {
        let video = VideoSource {
            choice: VideoChoice::Test,
            state: SourceState::Open,
            name: "Test".into(),
            format: None,
        };
        let audio = AudioSource {
            choice: AudioChoice::Tone,
            chosen: true,
            state: SourceState::Open,
            name: "Tone".into(),
            gain_db: 0.0,
            muted: false,
            peak_dbfs: level,
            channels_dbfs: Some([level; 2]),
            held_dbfs: level,
            rms_dbfs: level,
            clipped: false,
            drift_ppm: None,
        };
        let (video, audio) = (Some(video), Some(audio));
        Snapshot { video, audio, live: LiveState::OnAir, ..Snapshot::default() }
    }

    fn black() -> VideoFrame {
        let planes = Arc::new(Planes::black(Size::new(1280, 720)).into());
        let surface = crate::media::Surface::I420(planes);
        VideoFrame { pts: Timestamp::ZERO, color: Color::default(), surface }
    }

    /// Returns the numbers of pixels and triangles that are drawn for these areas.
    fn cost(ctx: &Context, shapes: &[BoundedShape], areas: &[Area]) -> (i64, usize) {
        let triangles = areas.iter().map(|area| {
            let primitives = ctx.tessellate(visible(shapes, *area, 1.0, Color32::BLACK), 1.0);
            let meshes = primitives.iter().map(|it| match &it.primitive {
                Primitive::Mesh(mesh) => mesh.indices.len() / 3,
                Primitive::Callback(_) => 2,
            });
            meshes.sum::<usize>()
        });
        (areas.iter().map(|area| area.pixels()).sum(), triangles.sum())
    }

    #[test]
    fn on_air_a_frame_draws_the_video_and_the_levels_and_a_still_one_nothing() {
        let ctx = Context::default();
        let program = Latest::default();
        let mut screen = Screen::new(&ctx, Preferences::default(), program.clone(), Vec::new());
        screen.set_surfaces(&(Arc::new(CountedSurfaces) as Arc<dyn Surfaces>));
        let none = BTreeSet::new();
        let mut time = 0.0;
        let mut frame = |level: f32| -> Vec<BoundedShape> {
            time += 1.0;
            screen.set_snapshot(on_air(level));
            let room = Rect::from_min_size(
                pos2(0.0, 0.0),
                vec2(WINDOW_SIZE[0] as f32, WINDOW_SIZE[1] as f32),
            );
            let input =
                RawInput { screen_rect: Some(room), time: Some(time), ..RawInput::default() };
            let mut output = ctx.run_ui(input, |ui| drop(screen.show(ui)));
            output.textures_delta.clear();
            output.shapes.into_iter().filter_map(BoundedShape::new).collect()
        };
        program.publish(black());
        for _ in 0..4 {
            frame(-30.0);
        }
        let before = frame(-30.0);
        let still = frame(-30.0);
        assert_eq!(changed(&before, &still, &none, 1.0, WINDOW_SIZE), []);
        program.publish(black());
        let now = frame(-12.0);
        let areas = changed(&still, &now, &none, 1.0, WINDOW_SIZE);
        let (pixels, triangles) = cost(&ctx, &now, &areas);
        let (all_pixels, all_triangles) = cost(&ctx, &now, &[Area::whole(WINDOW_SIZE)]);
        let shape = now.iter().filter(|it| it.is_video()).count();
        assert_eq!(shape, 1, "the program is shown");
        // The video fills 40 % of the window, and hides what is below it.
        assert!(pixels * 2 < all_pixels, "{pixels} of {all_pixels}: {areas:?}");
        assert!(triangles * 6 < all_triangles, "{triangles} of {all_triangles}: {areas:?}");
    }

    #[test]
    fn a_window_in_which_nothing_changes_draws_nothing_and_asks_for_no_frame() {
        for (page, live) in [
            (Page::Studio, LiveState::Idle),
            (Page::Studio, LiveState::OnAir),
            (Page::Watch, LiveState::Idle),
            (Page::Recordings, LiveState::Idle),
        ] {
            let ctx = Context::default();
            let program = Latest::default();
            let mut screen = Screen::new(&ctx, Preferences::default(), program.clone(), Vec::new());
            screen.set_surfaces(&(Arc::new(CountedSurfaces) as Arc<dyn Surfaces>));
            screen.set_page(page);
            program.publish(black());
            let room = Rect::from_min_size(
                pos2(0.0, 0.0),
                vec2(WINDOW_SIZE[0] as f32, WINDOW_SIZE[1] as f32),
            );
            let (mut before, mut drawn) = (Vec::new(), 0);
            // The window is drawn once per second, for its timers.
            for second in 0..30 {
                screen.set_snapshot(Snapshot { live: live.clone(), ..on_air(-90.0) });
                let time = Some(f64::from(second));
                let input = RawInput { screen_rect: Some(room), time, ..RawInput::default() };
                let mut output = ctx.run_ui(input, |ui| drop(screen.show(ui)));
                output.textures_delta.clear();
                let delay = output.viewport_output[&ViewportId::ROOT].repaint_delay;
                let shapes = std::mem::take(&mut output.shapes).into_iter();
                let now: Vec<BoundedShape> = shapes.filter_map(BoundedShape::new).collect();
                // The first frames settle the layout.
                if second >= 5 {
                    drawn += changed(&before, &now, &BTreeSet::new(), 1.0, WINDOW_SIZE).len();
                    assert!(delay > Duration::from_secs(60), "{page:?} {live:?}: in {delay:?}");
                }
                before = now;
            }
            assert_eq!(drawn, 0, "{page:?} {live:?}");
        }
    }
}
