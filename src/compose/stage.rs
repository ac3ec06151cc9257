//! Draws plans: from the layers' pictures to one picture of the program's size. What has not changed
//! since the last time is not drawn again, what is covered is not drawn at all, what lies still below
//! the rest is one picture of which only that is copied which was covered by what moves, and a picture
//! that alone fills the program is handed on as it is.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::base::{Crew, Fresh, Pool, Pooled};
use crate::compose::blend;
use crate::compose::layout::{Rect, spot};
use crate::compose::piece::{Bundle, Drawn, Piece, empty};
use crate::compose::prepare::{Image, Prepared, Preparer};
use crate::compose::scene::{Blend, Fit, Place, Plan, SourceId, Together};
use crate::compose::settled::{Places, Settled, Written};
use crate::media::{Planes, Size, VideoFrame};

/// Program pictures on their way at once: encoder queues, preview, transitions.
const IDLE: usize = 8;

/// Buffers of which it is known what is in them.
const NOTED: usize = 2 * IDLE;

/// An image that was not needed for so many drawings is forgotten.
const KEEP: u64 = 64;

/// Pictures of one group that may be on their way at once.
const GROUPS: usize = 2;

/// The key under which what covers everything is prepared.
const COVER: u64 = u64::MAX;

/// What a bundle was made of and became.
struct Gathered {
    pieces: Vec<Piece>,
    image: Image,
    pool: (Size, Pool<Planes>, Pool<Vec<u8>>),
    /// The drawing in which it was last needed.
    last: u64,
}

/// The last picture of a plan and what it was made of.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    drawn: Vec<Piece>,
    next: Vec<Piece>,
    /// Lists of groups that are used again.
    spare: Vec<Vec<Piece>>,
    out: Option<Arc<Pooled<Planes>>>,
    settled: Settled,
}

/// Draws at one size; canvases share what it prepares.
pub(super) struct Stage {
    size: Size,
    pool: Pool<Planes>,
    preparer: Preparer,
    /// By the layers' keys, with the drawing in which each was last needed.
    prepared: HashMap<u64, (Prepared, u64)>,
    bundles: HashMap<u64, Gathered>,
    drawing: u64,
    /// What is in the buffers of the pool, by their numbers; of at most [`NOTED`].
    written: Vec<(u64, Written)>,
    /// Pictures of what had settled so far.
    settled: u64,
    crew: Arc<Crew>,
    /// Pieces laid down so far.
    #[cfg(test)]
    laid: usize,
    /// Pixels of what had settled that were copied so far.
    #[cfg(test)]
    copied: usize,
}

impl Stage {
    /// `crew` helps with large pictures.
    pub fn new(size: Size, crew: Arc<Crew>) -> Self {
        Self {
            size,
            pool: Planes::pool(size, IDLE),
            preparer: Preparer::default(),
            prepared: HashMap::new(),
            bundles: HashMap::new(),
            drawing: 0,
            written: Vec::with_capacity(NOTED),
            settled: 0,
            crew,
            #[cfg(test)]
            laid: 0,
            #[cfg(test)]
            copied: 0,
        }
    }

    pub fn size(&self) -> Size {
        self.size
    }

    /// An empty picture of the stage's size, with some old content.
    pub fn take(&mut self) -> Fresh<Planes> {
        self.fresh().0
    }

    /// The same; and what is in it, where that is known. It is not any more from now on.
    fn fresh(&mut self) -> (Fresh<Planes>, Option<Written>) {
        let out = self.pool.fresh();
        let noted = self.written.iter().position(|(number, _)| *number == out.number());
        let written = noted.map(|index| self.written.swap_remove(index).1);
        (out, written)
    }

    /// The picture of `plan`; the second value tells whether it is another than the last of this
    /// canvas. Layers whose source has no picture are left out.
    pub fn draw(
        &mut self,
        canvas: &mut Canvas,
        plan: &Plan,
        picture: impl Fn(SourceId) -> Option<VideoFrame>,
    ) -> (Arc<Pooled<Planes>>, bool) {
        let Canvas { drawn, next, spare, out, settled } = canvas;
        empty(next, spare);
        let groups = plan.together.as_slice();
        self.collect(plan, 0..plan.layers.len(), groups, &picture, next, spare);
        if let Some(out) = out.as_ref().filter(|_| drawn == next) {
            return (Arc::clone(out), false);
        }
        // The old picture and what it was made of go back to their pools first.
        *out = None;
        let same = drawn.iter().zip(next.iter()).take_while(|(old, new)| old == new).count();
        std::mem::swap(drawn, next);
        empty(next, spare);
        let picture = self.paint(drawn, same, settled);
        *out = Some(Arc::clone(&picture));
        (picture, true)
    }

    /// The pieces of some of the plan's layers. `groups`: those that may lie within them.
    fn collect(
        &self,
        plan: &Plan,
        layers: Range<usize>,
        mut groups: &[Together],
        picture: &impl Fn(SourceId) -> Option<VideoFrame>,
        pieces: &mut Vec<Piece>,
        spare: &mut Vec<Vec<Piece>>,
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
                self.collect(plan, group.layers.clone(), inner, picture, &mut members, spare);
                if let Some(bounds) = members.iter().map(Piece::bounds).reduce(Rect::around) {
                    let (key, strength) = (group.key, blend::opacity(group.opacity));
                    let (blend, pieces_of) = (group.blend, members);
                    let bundle = Bundle { key, strength, blend, pieces: pieces_of, bounds };
                    pieces.push(Piece::Bundle(bundle));
                } else {
                    spare.push(members);
                }
                at = group.layers.end;
                continue;
            }
            if let Some(layer) = plan.layers.get(at)
                && let Some(picture) = picture(layer.source)
                && let Some(spot) = spot(&layer.places, picture.size(), self.size)
            {
                let (key, strength) = (layer.key, blend::opacity(layer.opacity));
                let drawn = Drawn { key, picture, spot, strength, blend: layer.blend };
                pieces.push(Piece::Layer(drawn));
            }
            at += 1;
        }
    }

    /// `below` with a picture over all of it, as large as leaves no gap.
    pub fn cover(&mut self, below: &Planes, above: &VideoFrame) -> Arc<Pooled<Planes>> {
        let place = Place { fit: Fit::Cover, ..Place::default() };
        let mut out = self.take();
        out.copy_pixels(below);
        if let Some(spot) = spot(&[place], above.size(), self.size) {
            let before = self.prepared.remove(&COVER).map(|(prepared, _)| prepared);
            let prepared = self.preparer.prepare(above, &spot, before, &self.crew);
            blend::lay(&prepared.image, 256, Blend::Normal, &mut out, &self.crew);
            self.prepared.insert(COVER, (prepared, self.drawing));
        }
        out.share()
    }

    /// The `same` lowest pieces were the lowest of this canvas's last picture too.
    fn paint(
        &mut self,
        layers: &[Piece],
        same: usize,
        settled: &mut Settled,
    ) -> Arc<Pooled<Planes>> {
        self.drawing += 1;
        let whole = Rect::whole(self.size);
        let ground = layers.iter().rposition(|layer| layer.hides() == Some(whole));
        let below = ground.unwrap_or(0);
        let (layers, same) = (layers.get(below..).unwrap_or_default(), same.saturating_sub(below));
        let picture = match layers {
            [] => {
                settled.clear();
                let mut out = self.take();
                blend::blacken(&mut out);
                out.share()
            }
            // Alone, and as large as the program: no copy.
            [only] if ground.is_some() => {
                settled.clear();
                self.image(only).planes
            }
            layers => {
                if let Some(still) = settled.due(layers, same).and_then(|due| layers.get(..due)) {
                    let picture = match still {
                        [only] if ground.is_some() => self.image(only).planes,
                        still => {
                            let mut out = self.take();
                            self.begin(still, &mut out);
                            self.lay_all(still, 0, &mut out);
                            out.share()
                        }
                    };
                    self.settled += 1;
                    settled.keep(still, picture, self.settled);
                }
                let (mut out, written) = self.fresh();
                if let Some((count, picture, number)) = settled.kept() {
                    self.restore(picture, number, written, &mut out);
                    self.lay_all(layers, count, &mut out);
                    let above = Places::of(layers.get(count..).unwrap_or_default(), self.size);
                    if self.written.len() == NOTED {
                        self.written.remove(0);
                    }
                    self.written.push((out.number(), Written { below: number, above }));
                } else {
                    self.begin(layers, &mut out);
                    self.lay_all(layers, 0, &mut out);
                }
                out.share()
            }
        };
        let oldest = self.drawing.saturating_sub(KEEP);
        self.prepared.retain(|_, (_, last)| *last >= oldest);
        self.bundles.retain(|_, bundle| bundle.last >= oldest);
        picture
    }

    /// Brings what had settled, which has this number, into a buffer: only where something else is in it,
    /// where that is known.
    fn restore(&mut self, from: &Planes, number: u64, is: Option<Written>, out: &mut Planes) {
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

    /// Black where the lowest piece leaves the old content to be seen.
    fn begin(&self, layers: &[Piece], out: &mut Planes) {
        match layers.first().and_then(Piece::hides) {
            Some(rect) if rect == Rect::whole(self.size) => {}
            Some(rect) => blend::blacken_around(out, rect),
            None => blend::blacken(out),
        }
    }

    /// Lays the pieces from `from` on, each unless one above hides it.
    fn lay_all(&mut self, layers: &[Piece], from: usize, out: &mut Planes) {
        for (index, layer) in layers.iter().enumerate().skip(from) {
            let higher = layers.get(index + 1..).unwrap_or_default();
            let bounds = layer.bounds();
            let hides = |it: &Piece| it.hides().is_some_and(|rect| rect.covers(bounds));
            if !higher.iter().any(hides) {
                self.lay(layer, out);
            }
        }
    }

    fn lay(&mut self, piece: &Piece, out: &mut Planes) {
        #[cfg(test)]
        {
            self.laid += 1;
        }
        let image = self.image(piece);
        let (strength, mode) = piece.way();
        blend::lay(&image, strength, mode, out, &self.crew);
    }

    fn image(&mut self, piece: &Piece) -> Image {
        match piece {
            Piece::Layer(layer) => self.layer(layer),
            Piece::Bundle(bundle) => self.bundle(bundle),
        }
    }

    /// The pieces of a bundle as one image; made anew only where one of them is another.
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
        // What was made goes back to its pools first; the list of what it was made of is used again.
        let (mut pieces, pool) = match before {
            Some(Gathered { pieces, pool, .. }) if pool.0 == size => (pieces, pool),
            _ => {
                let half = Size::new(size.width / 2, size.height / 2).pixels();
                let alphas = Pool::new(GROUPS, move || vec![0; half]);
                (Vec::new(), (size, Planes::alpha_pool(size, GROUPS), alphas))
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
            blend::gather(&image, strength, mode, &mut planes, &mut chroma_alpha, &self.crew);
        }
        let (planes, chroma_alpha) = (planes.share(), Some(chroma_alpha.share()));
        let image = Image { rect: bundle.bounds, planes, chroma_alpha };
        pieces.clone_from(&bundle.pieces);
        let kept = Gathered { pieces, image: image.clone(), pool, last: self.drawing };
        self.bundles.insert(bundle.key, kept);
        image
    }

    fn layer(&mut self, layer: &Drawn) -> Image {
        let before = self.prepared.remove(&layer.key).map(|(prepared, _)| prepared);
        let prepared = self.preparer.prepare(&layer.picture, &layer.spot, before, &self.crew);
        let image = prepared.image.clone();
        self.prepared.insert(layer.key, (prepared, self.drawing));
        image
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::compose::scene::Layer;
    use crate::media::Color;

    const SIZE: Size = Size::new(160, 90);

    fn flat(size: Size, luma: u8, alpha: Option<u8>) -> VideoFrame {
        let mut planes = Planes::black(size);
        planes.y.fill(luma);
        planes.alpha = alpha.map(|alpha| vec![alpha; size.pixels()]);
        let planes = Arc::new(Pooled::unpooled(planes));
        VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, planes }
    }

    fn layer(source: u32, place: Place) -> Layer {
        Layer {
            key: source.into(),
            source: SourceId(source),
            places: vec![place],
            opacity: 1.0,
            blend: Blend::Normal,
        }
    }

    fn plan_of(layers: Vec<Layer>) -> Plan {
        Plan { layers, ..Plan::default() }
    }

    fn corner() -> Place {
        Place { x: 0.5, y: 0.5, width: 0.5, height: 0.5, ..Place::default() }
    }

    #[test]
    fn shapes_are_kept_on_black() {
        let mut stage = Stage::new(SIZE, Arc::new(Crew::alone()));
        for from in [Size::new(64, 48), Size::new(320, 100), Size::new(2, 90), Size::new(160, 90)] {
            let frame = flat(from, 200, None);
            let plan = Plan::simple(SourceId(0));
            let (out, _) = stage.draw(&mut Canvas::default(), &plan, |_| Some(frame.clone()));
            assert_eq!(out.size(), SIZE);
            let inner = from.fitted_into(SIZE);
            let lit = out.y.iter().filter(|&&y| y == 200).count();
            let black = out.y.iter().filter(|&&y| y == 16).count();
            assert_eq!((lit, lit + black), (inner.pixels(), SIZE.pixels()), "{from}");
            assert_eq!(out.y[45 * 160 + 79], 200);
        }
    }

    #[test]
    fn layers_lie_over_each_other_and_only_changes_are_drawn() {
        let mut stage = Stage::new(SIZE, Arc::new(Crew::alone()));
        let mut canvas = Canvas::default();
        let (ground, above) = (flat(SIZE, 60, None), flat(Size::new(40, 40), 180, Some(128)));
        let square = Place { fit: crate::compose::scene::Fit::Stretch, ..corner() };
        let plan = plan_of(vec![layer(0, Place::default()), layer(1, square)]);
        let pictures = |id: SourceId| Some(if id.0 == 0 { ground.clone() } else { above.clone() });
        let (first, new) = stage.draw(&mut canvas, &plan, pictures);
        assert!(new);
        assert_eq!((first.y[0], first.y[43 * 160 + 159]), (60, 60));
        assert!(
            first.y[46 * 160 + 81].abs_diff(120) <= 1 && first.y[87 * 160 + 159].abs_diff(120) <= 1
        );
        let (second, new) = stage.draw(&mut canvas, &plan, pictures);
        assert!(!new && Arc::ptr_eq(&first, &second));
        let (without, new) =
            stage.draw(&mut canvas, &plan, |id| pictures(id).filter(|_| id.0 == 0));
        assert!(new && Arc::ptr_eq(&without, &ground.planes), "the ground itself");
    }

    #[test]
    fn what_lies_still_below_is_drawn_once() {
        let mut stage = Stage::new(SIZE, Arc::new(Crew::alone()));
        let mut canvas = Canvas::default();
        let place = |x| Place {
            x,
            width: 0.25,
            fit: crate::compose::scene::Fit::Stretch,
            ..Place::default()
        };
        let layers = vec![
            layer(0, Place::default()),
            layer(1, place(0.1)),
            layer(2, place(0.3)),
            layer(3, place(0.2)),
            layer(4, place(0.6)),
        ];
        let plan = plan_of(layers);
        let mut still: Vec<_> =
            (0..5).map(|n| flat(Size::new(64, 36), 40 + n * 30, (n > 0).then_some(128))).collect();
        still[0] = flat(SIZE, 60, None);
        let mut laid = Vec::new();
        for n in 0..20 {
            // The fourth has a new picture each time, the second another in the middle.
            if n == 10 {
                still[1] = flat(Size::new(64, 36), 220, Some(128));
            }
            still[3] = flat(Size::new(64, 36), 100 + n, Some(128));
            let picture = |id: SourceId| still.get(id.0 as usize).cloned();
            let before = stage.laid;
            let (out, new) = stage.draw(&mut canvas, &plan, picture);
            laid.push(stage.laid - before);
            let mut alone = Stage::new(SIZE, Arc::new(Crew::alone()));
            let (whole, _) = alone.draw(&mut Canvas::default(), &plan, picture);
            assert!(new && out.y == whole.y && out.u == whole.u && out.v == whole.v, "{n}");
        }
        // All five, until the three below have been still for a while; from then on the two above.
        assert_eq!(laid[..4], [5, 5, 5, 5]);
        assert_eq!(laid[4..10], [2; 6]);
        assert_eq!(laid[10..13], [5, 5, 5]);
        assert_eq!(laid[14..], [2; 6]);
    }

    #[test]
    fn of_what_lies_still_only_that_is_copied_which_was_covered() {
        let mut stage = Stage::new(SIZE, Arc::new(Crew::alone()));
        let (mut one, mut other) = (Canvas::default(), Canvas::default());
        let place = |x, y, width, height| Place {
            x,
            y,
            width,
            height,
            fit: crate::compose::scene::Fit::Stretch,
            ..Place::default()
        };
        let mut ground = flat(SIZE, 60, None);
        // What is seen where nothing is left of the one before.
        let speckled = |luma: u8| {
            let mut planes = Planes::black(SIZE);
            planes.y.iter_mut().enumerate().for_each(|(at, y)| *y = luma + (at % 97) as u8);
            let planes = Arc::new(Pooled::unpooled(planes));
            VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, planes }
        };
        let corner = flat(Size::new(32, 18), 200, None);
        let mut held = std::collections::VecDeque::new();
        let mut copied = Vec::new();
        for n in 0..120_u8 {
            // A line that moves along the lower edge, and a small thing that goes about; one more still
            // layer for a while, another ground in the middle, and another canvas now and then.
            let x = f64::from(n) / 160.0;
            let mut layers = vec![layer(0, Place::default())];
            if (30..60).contains(&n) {
                layers.push(layer(3, place(0.8, 0.0, 0.2, 0.2)));
            }
            layers.push(layer(1, place(0.0, 0.8, 1.0, 0.2)));
            layers.push(layer(2, place(x, x / 2.0, 0.1, 0.1)));
            if n == 80 {
                ground = speckled(3);
            }
            let ticker = flat(Size::new(64, 10), 100 + n, Some(128));
            let pictures = |id: SourceId| match id.0 {
                0 => Some(ground.clone()),
                1 => Some(ticker.clone()),
                _ => Some(corner.clone()),
            };
            let plan = plan_of(layers);
            let canvas = if n % 16 == 9 { &mut other } else { &mut one };
            let before = stage.copied;
            let (out, new) = stage.draw(canvas, &plan, pictures);
            copied.push(stage.copied - before);
            let mut alone = Stage::new(SIZE, Arc::new(Crew::alone()));
            let (whole, _) = alone.draw(&mut Canvas::default(), &plan, pictures);
            assert!(new && out.y == whole.y && out.u == whole.u && out.v == whole.v, "{n}");
            // An encoder that is now and then behind, and something that writes over a buffer.
            held.push_back(out);
            while held.len() > usize::from(n % 5) {
                held.pop_front();
            }
            if n % 11 == 3 {
                let mut other = stage.take();
                other.y.fill(1);
                drop(other.share());
            }
        }
        // Once all buffers have it: the line and the small thing, and no whole picture.
        let moving = SIZE.width as usize * 18 + 16 * 10;
        let small = copied[90..].iter().filter(|it| (1..=moving).contains(*it)).count();
        assert!(small >= 20, "{copied:?}");
        // A buffer that had something else in it takes all of it.
        assert!(copied.iter().any(|it| *it == SIZE.pixels()), "{copied:?}");
    }

    #[test]
    fn what_is_covered_is_not_even_prepared() {
        let mut stage = Stage::new(SIZE, Arc::new(Crew::alone()));
        let mut canvas = Canvas::default();
        let small = flat(Size::new(32, 18), 90, None);
        let top = flat(SIZE, 200, None);
        let plan = plan_of(vec![layer(0, corner()), layer(1, Place::default())]);
        let pictures = |id: SourceId| Some(if id.0 == 1 { top.clone() } else { small.clone() });
        let (out, _) = stage.draw(&mut canvas, &plan, pictures);
        assert!(Arc::ptr_eq(&out, &top.planes) && stage.prepared.len() == 1);
        // Beside each other below one that covers one of them.
        let half =
            Place { width: 0.5, fit: crate::compose::scene::Fit::Stretch, ..Place::default() };
        let layers = vec![layer(2, half), layer(0, corner()), layer(3, corner())];
        stage.draw(&mut canvas, &plan_of(layers), |_| Some(small.clone()));
        assert!(stage.prepared.contains_key(&3) && !stage.prepared.contains_key(&0));
    }

    #[test]
    fn nothing_is_allocated_for_pictures_once_warm() {
        let mut stage = Stage::new(SIZE, Arc::new(Crew::alone()));
        let mut canvas = Canvas::default();
        let plan = plan_of(vec![layer(0, Place::default()), layer(1, corner())]);
        let frames: Vec<_> = (0..40).map(|luma| flat(Size::new(64, 36), luma * 5, None)).collect();
        let mut seen = std::collections::BTreeSet::new();
        for frame in &frames {
            let (out, new) = stage.draw(&mut canvas, &plan, |_| Some(frame.clone()));
            assert!(new);
            seen.insert(out.y.as_ptr() as usize);
        }
        assert!(seen.len() <= 3, "{} buffers", seen.len());
    }

    #[test]
    fn a_group_is_laid_down_as_one_thing_and_drawn_anew_only_when_it_changes() {
        let mut stage = Stage::new(SIZE, Arc::new(Crew::alone()));
        let mut canvas = Canvas::default();
        let place = |x, width| Place {
            x,
            width,
            fit: crate::compose::scene::Fit::Stretch,
            ..Place::default()
        };
        // Over the ground a group at half strength: two that lie over each other.
        let layers =
            vec![layer(0, Place::default()), layer(1, place(0.0, 0.75)), layer(2, place(0.5, 0.5))];
        let mut group = Together {
            key: 9,
            layers: 1..3,
            opacity: 0.5,
            blend: crate::compose::scene::Blend::Normal,
        };
        let pictures: Vec<_> = [40, 100, 200].map(|luma| flat(SIZE, luma, None)).into();
        let picture = |id: SourceId| pictures.get(id.0 as usize).cloned();
        let plan = Plan { layers: layers.clone(), together: vec![group.clone()] };
        let (out, _) = stage.draw(&mut canvas, &plan, picture);
        let at = |out: &Planes, x: usize| out.y[45 * 160 + x];
        let seen = |out: &Planes| (at(out, 10), at(out, 100), at(out, 150));
        assert_eq!(seen(&out), (70, 120, 120), "what is above hides what is below in the group");
        let made = Arc::as_ptr(&stage.bundles[&9].image.planes);
        // Another ground: the group stays.
        group.opacity = 1.0;
        group.blend = crate::compose::scene::Blend::Lighten;
        let plan = Plan { layers, together: vec![group] };
        let (out, new) = stage.draw(&mut canvas, &plan, picture);
        assert!(new && std::ptr::eq(made, Arc::as_ptr(&stage.bundles[&9].image.planes)));
        let (low, middle, high) = seen(&out);
        assert!(low.abs_diff(100) <= 1 && middle.abs_diff(200) <= 1 && high.abs_diff(200) <= 1);
        let (_, new) = stage.draw(&mut canvas, &plan, picture);
        assert!(!new);
    }
}
