//! Draws plans, by combining the layers' frames into one frame of the program's size. Unchanged
//! parts are not drawn again, and hidden parts are not drawn at all. Static layers at the bottom
//! are one cached frame, which is copied only where moving layers covered it. A single frame that
//! fills the program is passed on unchanged.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::base::{Fresh, Pool, Pooled, WorkerPool};
use crate::compose::draw::blend;
use crate::compose::draw::composed::{ComposedFrames, FilterInput, around};
use crate::compose::draw::layer::{Bundle, DrawStep, DrawnLayer, empty};
use crate::compose::draw::prepare::{Image, Prepared, Preparer};
use crate::compose::draw::static_layers::{BufferContent, StaticAreas, StaticLayers};
use crate::compose::layout::{FramePlacement, Rect, spot, spot_scaled};
use crate::compose::scene::{
    Blend, Composed, Fit, Layer, LayerGroup, MAX_DEPTH, Placement, Plan, SourceId,
};
use crate::media::{Planes, Size, VideoFrame};

/// Number of program frames that the pool keeps for reuse. Frames in use are in encoder queues, the
/// preview and transitions.
const MAX_PROGRAM_FRAMES: usize = 8;

/// Maximum number of buffers whose content is tracked.
const MAX_TRACKED_BUFFERS: usize = 2 * MAX_PROGRAM_FRAMES;

/// Number of drawings after which an unused image is dropped.
const MAX_UNUSED_DRAWINGS: u64 = 64;

/// Number of frames of one group that the pool keeps for reuse.
const MAX_GROUP_FRAMES: usize = 2;

/// The key of the prepared cover frame.
const COVER_KEY: u64 = u64::MAX;

/// The inputs and the result of a bundle.
struct CachedBundle {
    pieces: Vec<DrawStep>,
    image: Image,
    pool: (Size, Pool<Planes>, Pool<Vec<u8>>),
    /// The number of the drawing that last used the bundle.
    last: u64,
}

/// The last frame of a plan, and its layers.
#[derive(Debug, Default)]
pub struct Canvas {
    drawn: Vec<DrawStep>,
    next: Vec<DrawStep>,
    /// Lists of groups, kept for reuse.
    spare: Vec<Vec<DrawStep>>,
    out: Option<Arc<Pooled<Planes>>>,
    settled: StaticLayers,
}

/// A renderer for one size. The canvases share the renderer's prepared images.
pub struct LayerRenderer {
    size: Size,
    /// The size of the program to which the plans belong.
    program: Size,
    pool: Pool<Planes>,
    preparer: Preparer,
    /// Prepared images by the keys of the layers, with the drawing in which each was last needed.
    prepared: HashMap<u64, (Prepared, u64)>,
    bundles: HashMap<u64, CachedBundle>,
    /// The scenes and groups with filters.
    composed: ComposedFrames,
    drawing: u64,
    /// The content of the pool's buffers by their numbers, with at most [`MAX_TRACKED_BUFFERS`]
    /// entries.
    written: Vec<(u64, BufferContent)>,
    /// The number of static frames so far.
    settled: u64,
    workers: Arc<WorkerPool>,
    /// The number of pieces drawn so far.
    #[cfg(test)]
    laid: usize,
    /// The number of static pixels copied so far.
    #[cfg(test)]
    copied: usize,
}

impl LayerRenderer {
    /// Creates a renderer of a program's size. `workers` helps with large frames.
    pub fn new(size: Size, workers: Arc<WorkerPool>) -> Self {
        Self::scaled(size, size, workers)
    }

    /// Creates a renderer of this size, which shows a program of another size.
    pub fn scaled(size: Size, program: Size, workers: Arc<WorkerPool>) -> Self {
        Self {
            size,
            program,
            pool: Planes::pool(size, MAX_PROGRAM_FRAMES),
            preparer: Preparer::default(),
            prepared: HashMap::new(),
            bundles: HashMap::new(),
            composed: ComposedFrames::default(),
            drawing: 0,
            written: Vec::with_capacity(MAX_TRACKED_BUFFERS),
            settled: 0,
            workers,
            #[cfg(test)]
            laid: 0,
            #[cfg(test)]
            copied: 0,
        }
    }

    pub fn size(&self) -> Size {
        self.size
    }

    /// Takes a frame of this size, with arbitrary old content.
    pub fn take(&mut self) -> Fresh<Planes> {
        self.fresh().0
    }

    /// Takes a buffer, with its content if known. From this call on, the content counts as unknown.
    fn fresh(&mut self) -> (Fresh<Planes>, Option<BufferContent>) {
        let out = self.pool.fresh();
        let noted = self.written.iter().position(|(number, _)| *number == out.number());
        let written = noted.map(|index| self.written.swap_remove(index).1);
        (out, written)
    }

    /// Draws the frame of `plan`. Also returns whether it differs from the last frame of this
    /// canvas. Layers whose source has no frame are skipped.
    pub fn draw(
        &mut self,
        canvas: &mut Canvas,
        plan: &Plan,
        filters: &FilterInput<'_>,
        frame: impl Fn(SourceId) -> Option<VideoFrame>,
    ) -> (Arc<Pooled<Planes>>, bool) {
        let Canvas { drawn, next, spare, out, settled } = canvas;
        empty(next, spare);
        for composed in &plan.composed {
            self.compose(composed, filters, &frame, spare);
        }
        let groups = plan.together.as_slice();
        self.collect(&plan.layers, 0..plan.layers.len(), groups, &frame, next, spare);
        if let Some(out) = out.as_ref().filter(|_| drawn == next) {
            return (Arc::clone(out), false);
        }
        // The old frame and its inputs go back to their pools first.
        *out = None;
        let same = drawn.iter().zip(next.iter()).take_while(|(old, new)| old == new).count();
        std::mem::swap(drawn, next);
        empty(next, spare);
        let frame = self.paint(drawn, same, settled);
        *out = Some(Arc::clone(&frame));
        (frame, true)
    }

    /// Works like [`LayerRenderer::draw`], without filters of scenes and groups.
    #[cfg(test)]
    fn draw_plain(
        &mut self,
        canvas: &mut Canvas,
        plan: &Plan,
        frame: impl Fn(SourceId) -> Option<VideoFrame>,
    ) -> (Arc<Pooled<Planes>>, bool) {
        let (filters, at) = (std::collections::BTreeMap::new(), crate::base::Timestamp::ZERO);
        let input = FilterInput { filters: &filters, at, lean: false, placeholder: None };
        self.draw(canvas, plan, &input, frame)
    }

    /// Draws a scene or group with filters as a frame of its own.
    fn compose(
        &mut self,
        it: &Composed,
        filters: &FilterInput<'_>,
        frame: &impl Fn(SourceId) -> Option<VideoFrame>,
        spare: &mut Vec<Vec<DrawStep>>,
    ) {
        let mut pieces = spare.pop().unwrap_or_default();
        let all = 0..it.layers.len();
        self.collect(&it.layers, all, &it.together, frame, &mut pieces, spare);
        let whole = Rect::whole(self.size);
        let area = if it.id.as_scene().is_some() { Some(whole) } else { around(&pieces) };
        let (key, bounds) = (u64::from(it.id.0), area.unwrap_or(whole));
        let mut bundle = Bundle { key, strength: 256, blend: Blend::Normal, pieces, bounds };
        let image = area.map(|_| self.bundle(&bundle));
        empty(&mut bundle.pieces, spare);
        spare.push(bundle.pieces);
        let scale = f64::from(self.size.width) / f64::from(self.program.width.max(1));
        self.composed.put(it.id, image, filters, (self.drawing, scale), &self.workers);
    }

    /// Returns the frame of a layer and its placement on this canvas.
    fn placed(
        &self,
        layer: &Layer,
        frame: &impl Fn(SourceId) -> Option<VideoFrame>,
    ) -> Option<(VideoFrame, FramePlacement)> {
        let (size, program) = (self.size, self.program);
        if !layer.source.is_composed() {
            let frame = frame(layer.source)?;
            let spot = spot_scaled(&layer.places, layer.framed, frame.size(), size, program)?;
            return Some((frame, spot));
        }
        let (frame, own) = self.composed.get(layer.source, size)?;
        // The frame of a group is only a part of its canvas.
        let mut places = [Placement::default(); MAX_DEPTH + 1];
        let given = places.get_mut(..layer.places.len())?;
        given.copy_from_slice(&layer.places);
        *given.last_mut()? = own;
        let spot = spot_scaled(given, layer.framed, frame.size(), size, program)?;
        Some((frame.clone(), spot))
    }

    /// Collects the pieces of some layers. `groups` contains the groups that can be among them.
    fn collect(
        &self,
        list: &[Layer],
        layers: Range<usize>,
        mut groups: &[LayerGroup],
        frame: &impl Fn(SourceId) -> Option<VideoFrame>,
        pieces: &mut Vec<DrawStep>,
        spare: &mut Vec<Vec<DrawStep>>,
    ) {
        let mut at = layers.start;
        while at < layers.end {
            while groups.first().is_some_and(|group| group.layers.start < at) {
                groups = groups.get(1..).unwrap_or_default();
            }
            if let [group, inner @ ..] = groups
                && group.layers.start == at
                && (at + 1..=layers.end).contains(&group.layers.end)
            {
                let mut members = spare.pop().unwrap_or_default();
                self.collect(list, group.layers.clone(), inner, frame, &mut members, spare);
                if let Some(bounds) = around(&members) {
                    let (key, strength) = (group.key, blend::opacity(group.opacity));
                    let (blend, pieces_of) = (group.blend, members);
                    let bundle = Bundle { key, strength, blend, pieces: pieces_of, bounds };
                    pieces.push(DrawStep::Bundle(bundle));
                } else {
                    spare.push(members);
                }
                at = group.layers.end;
                continue;
            }
            if let Some(layer) = list.get(at)
                && let Some((frame, spot)) = self.placed(layer, frame)
            {
                let (key, strength) = (layer.key, blend::opacity(layer.opacity));
                let drawn = DrawnLayer { key, frame, spot, strength, blend: layer.blend };
                pieces.push(DrawStep::Layer(drawn));
            }
            at += 1;
        }
    }

    /// Draws `above` on top of `below`, which it covers without a gap.
    pub fn cover(&mut self, below: &Planes, above: &VideoFrame) -> Arc<Pooled<Planes>> {
        let place = Placement { fit: Fit::Cover, ..Placement::default() };
        let mut out = self.take();
        out.copy_pixels(below);
        if let Some(spot) = spot(&[place], 0, above.size(), self.size) {
            let before = self.prepared.remove(&COVER_KEY).map(|(prepared, _)| prepared);
            let prepared = self.preparer.prepare(above, &spot, before, &self.workers);
            blend::lay(&prepared.image, 256, Blend::Normal, &mut out, &self.workers);
            self.prepared.insert(COVER_KEY, (prepared, self.drawing));
        }
        out.share()
    }

    /// Draws the pieces. The `same` lowest pieces were also the lowest of this canvas's last frame.
    fn paint(
        &mut self,
        layers: &[DrawStep],
        same: usize,
        settled: &mut StaticLayers,
    ) -> Arc<Pooled<Planes>> {
        self.drawing += 1;
        let whole = Rect::whole(self.size);
        let ground = layers.iter().rposition(|layer| layer.hides() == Some(whole));
        let below = ground.unwrap_or(0);
        let (layers, same) = (layers.get(below..).unwrap_or_default(), same.saturating_sub(below));
        let frame = match layers {
            [] => {
                settled.clear();
                let mut out = self.take();
                blend::blacken(&mut out);
                out.share()
            }
            // A single frame of the program's size needs no copy.
            [only] if ground.is_some() => {
                settled.clear();
                self.image(only).planes
            }
            layers => {
                if let Some(still) = settled.due(layers, same).and_then(|due| layers.get(..due)) {
                    let frame = match still {
                        [only] if ground.is_some() => self.image(only).planes,
                        still => {
                            let mut out = self.take();
                            self.begin(still, &mut out);
                            self.lay_all(still, 0, &mut out);
                            out.share()
                        }
                    };
                    self.settled += 1;
                    settled.keep(still, frame, self.settled);
                }
                let (mut out, written) = self.fresh();
                if let Some((count, frame, number)) = settled.kept() {
                    self.restore(frame, number, written, &mut out);
                    self.lay_all(layers, count, &mut out);
                    let above = StaticAreas::of(layers.get(count..).unwrap_or_default(), self.size);
                    if self.written.len() == MAX_TRACKED_BUFFERS {
                        self.written.remove(0);
                    }
                    self.written.push((out.number(), BufferContent { below: number, above }));
                } else {
                    self.begin(layers, &mut out);
                    self.lay_all(layers, 0, &mut out);
                }
                out.share()
            }
        };
        let oldest = self.drawing.saturating_sub(MAX_UNUSED_DRAWINGS);
        self.prepared.retain(|_, (_, last)| *last >= oldest);
        self.bundles.retain(|_, bundle| bundle.last >= oldest);
        if !self.composed.is_empty() {
            self.composed.forget(oldest);
        }
        frame
    }

    /// Copies the static frame with this number into a buffer. If the buffer's content is known,
    /// copies only the parts that differ.
    fn restore(&mut self, from: &Planes, number: u64, is: Option<BufferContent>, out: &mut Planes) {
        if let Some(above) = is.filter(|is| is.below == number).map(|is| is.above) {
            above.copy(from, out);
            #[cfg(test)]
            {
                self.copied += above.pixels();
            }
            return;
        }
        out.copy_pixels(from);
        #[cfg(test)]
        {
            self.copied += self.size.pixels();
        }
    }

    /// Fills the frame with black where the lowest piece would leave old content visible.
    fn begin(&self, layers: &[DrawStep], out: &mut Planes) {
        match layers.first().and_then(DrawStep::hides) {
            Some(rect) if rect == Rect::whole(self.size) => {}
            Some(rect) => blend::blacken_around(out, rect),
            None => blend::blacken(out),
        }
    }

    /// Draws the pieces from index `from` on, except those that a piece above hides.
    fn lay_all(&mut self, layers: &[DrawStep], from: usize, out: &mut Planes) {
        for (index, layer) in layers.iter().enumerate().skip(from) {
            let higher = layers.get(index + 1..).unwrap_or_default();
            let bounds = layer.bounds();
            let hides = |it: &DrawStep| it.hides().is_some_and(|rect| rect.covers(bounds));
            if !higher.iter().any(hides) {
                self.lay(layer, out);
            }
        }
    }

    fn lay(&mut self, piece: &DrawStep, out: &mut Planes) {
        #[cfg(test)]
        {
            self.laid += 1;
        }
        let image = self.image(piece);
        let (strength, mode) = piece.way();
        blend::lay(&image, strength, mode, out, &self.workers);
    }

    fn image(&mut self, piece: &DrawStep) -> Image {
        match piece {
            DrawStep::Layer(layer) => self.layer(layer),
            DrawStep::Bundle(bundle) => self.bundle(bundle),
        }
    }

    /// Draws the pieces of a bundle as one image. An unchanged bundle is not drawn again.
    fn bundle(&mut self, bundle: &Bundle) -> Image {
        let size = bundle.bounds.size();
        let mut before = self.bundles.remove(&bundle.key);
        if let Some(kept) = &mut before
            && kept.pieces == bundle.pieces
        {
            kept.last = self.drawing;
            let image = kept.image.clone();
            self.bundles.extend(before.map(|kept| (bundle.key, kept)));
            return image;
        }
        // The results go back to their pools first; the list of inputs is reused.
        let (mut pieces, pool) = match before {
            Some(CachedBundle { pieces, pool, .. }) if pool.0 == size => (pieces, pool),
            _ => {
                let half = Size::new(size.width / 2, size.height / 2).pixels();
                let alphas = Pool::new(MAX_GROUP_FRAMES, move || vec![0; half]);
                (Vec::new(), (size, Planes::alpha_pool(size, MAX_GROUP_FRAMES), alphas))
            }
        };
        let (mut planes, mut chroma_alpha) = (pool.1.fresh(), pool.2.fresh());
        let clear: &mut Planes = &mut planes;
        for plane in [&mut clear.y, &mut clear.u, &mut clear.v].into_iter().chain(&mut clear.alpha)
        {
            plane.fill(0);
        }
        chroma_alpha.fill(0);
        for piece in &bundle.pieces {
            let image = self.image(piece);
            let rect = Rect {
                x: image.rect.x - bundle.bounds.x,
                y: image.rect.y - bundle.bounds.y,
                ..image.rect
            };
            let (strength, mode) = piece.way();
            let image = Image { rect, ..image };
            blend::gather(&image, strength, mode, &mut planes, &mut chroma_alpha, &self.workers);
        }
        let (planes, chroma_alpha) = (planes.share(), Some(chroma_alpha.share()));
        let image = Image { rect: bundle.bounds, planes, chroma_alpha };
        pieces.clone_from(&bundle.pieces);
        let kept = CachedBundle { pieces, image: image.clone(), pool, last: self.drawing };
        self.bundles.insert(bundle.key, kept);
        image
    }

    fn layer(&mut self, layer: &DrawnLayer) -> Image {
        let before = self.prepared.remove(&layer.key).map(|(prepared, _)| prepared);
        let prepared = self.preparer.prepare(&layer.frame, &layer.spot, before, &self.workers);
        let image = prepared.image.clone();
        self.prepared.insert(layer.key, (prepared, self.drawing));
        image
    }
}
