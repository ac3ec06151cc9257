//! Draws the scenes and groups that have filters. Each is drawn as one image on a transparent
//! canvas. The image becomes a frame like that of a camera, goes through the filters, and is placed
//! like any other frame. A scene fills its canvas; the frame of a group is as large as the area of
//! its items, so that its filters see the same picture wherever the group is.
//!
//! Each renderer has its own filters here, because a preview draws the same scene at another size,
//! and some filters keep earlier frames.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Pooled, Timestamp, WorkerPool};
use crate::compose::draw::layer::DrawStep;
use crate::compose::draw::prepare::Image;
use crate::compose::filter::{Chain, Cover, Filter, Slot, WantedFilter};
use crate::compose::layout::Rect;
use crate::compose::scene::{Placement, SourceId};
use crate::media::{Color, Planes, PlanesPool, Size, VideoFrame};

/// Number of frames of one scene or group that the pool keeps for reuse.
const MAX_FRAMES: usize = 4;

/// The filters of a scene or group, as the studio wants them.
#[derive(Debug, Default)]
pub struct ComposedFilters {
    pub wanted: Vec<WantedFilter>,
    /// Changes with every change of `wanted`.
    pub version: u64,
}

/// What all scenes and groups of a drawing share.
#[derive(Copy, Clone)]
pub struct FilterInput<'a> {
    pub filters: &'a BTreeMap<SourceId, ComposedFilters>,
    /// The instant of the frame.
    pub at: Timestamp,
    /// True if costly filters are skipped.
    pub lean: bool,
    /// The frame that replaces one whose visibility mask cannot be read.
    pub placeholder: Option<&'a VideoFrame>,
}

/// The frames of a renderer's scenes and groups with filters.
#[derive(Default)]
pub struct ComposedFrames(BTreeMap<SourceId, Composed>);

#[derive(Default)]
struct Composed {
    chain: Chain,
    /// The version of the filters in the chain, and the scale for which they were made.
    version: Option<u64>,
    /// The image from which the frame was made.
    from: Option<Arc<Pooled<Planes>>>,
    pool: PlanesPool<MAX_FRAMES>,
    frame: Option<VideoFrame>,
    /// The filtered frame, and its instant.
    filtered: Option<(VideoFrame, Timestamp)>,
    bounds: Option<Rect>,
    /// The number of the drawing that last used the frame.
    last: u64,
}

impl ComposedFrames {
    /// Returns the frame of a scene or group, and its place on its canvas.
    pub fn get(&self, id: SourceId, canvas: Size) -> Option<(&VideoFrame, Placement)> {
        let it = self.0.get(&id)?;
        let (frame, bounds) = (&it.filtered.as_ref()?.0, it.bounds?);
        let part = |length: i64, of: u32| length as f64 / f64::from(of.max(1));
        let place = Placement {
            x: part(bounds.x, canvas.width),
            y: part(bounds.y, canvas.height),
            width: part(bounds.width, canvas.width),
            height: part(bounds.height, canvas.height),
            ..Placement::default()
        };
        Some((frame, place))
    }

    /// Sets the image of a scene or group in the drawing of this number. `scale` is the size of
    /// the canvas relative to the program. Without an image, nothing is shown.
    pub fn put(
        &mut self,
        id: SourceId,
        image: Option<Image>,
        input: &FilterInput<'_>,
        (drawing, scale): (u64, f64),
        workers: &WorkerPool,
    ) {
        let it = self.0.entry(id).or_default();
        it.last = drawing;
        let Some(image) = image else {
            (it.from, it.frame, it.filtered, it.bounds) = (None, None, None, None);
            return;
        };
        let wanted = input.filters.get(&id);
        let version = wanted.map(|it| it.version);
        if it.version != version {
            let list = wanted.map(|it| it.wanted.as_slice()).unwrap_or_default();
            let list: Vec<WantedFilter> = list.iter().map(|it| scaled(it, scale)).collect();
            it.chain.set(&list);
            (it.version, it.filtered) = (version, None);
        }
        it.bounds = Some(image.rect);
        let is_same = it.from.as_ref().is_some_and(|from| Arc::ptr_eq(from, &image.planes));
        if !is_same || it.frame.is_none() {
            // The old frame goes back to its pool first.
            (it.frame, it.filtered) = (None, None);
            let planes = straight(&image, &mut it.pool, workers);
            let surface = planes.into();
            it.frame = Some(VideoFrame { pts: input.at, color: Color::PROGRAM, surface });
            it.from = Some(image.planes);
        }
        // Two scenes can show the same group in the two halves of a transition.
        if it.filtered.as_ref().is_some_and(|(_, at)| *at == input.at) {
            return;
        }
        let shown = match it.chain.cover() {
            None => {
                it.frame.as_ref().map(|it_is| it.chain.apply(it_is, input.at, input.lean, workers))
            }
            Some(Cover::Placeholder) => input.placeholder.cloned(),
            Some(Cover::Nothing) => None,
        };
        it.filtered = shown.map(|frame| (frame, input.at));
    }

    /// Drops the frames that were last used before the drawing of this number.
    pub fn forget(&mut self, oldest: u64) {
        self.0.retain(|_, it| it.last >= oldest);
    }

    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Returns the area around these pieces.
pub fn around(pieces: &[DrawStep]) -> Option<Rect> {
    pieces.iter().map(DrawStep::bounds).reduce(Rect::around)
}

/// Returns the filter for a canvas of another size: a blur is measured in pixels.
fn scaled(wanted: &WantedFilter, scale: f64) -> WantedFilter {
    let filter = match wanted.slot.filter.clone() {
        Filter::Blur { sigma } => Filter::Blur { sigma: sigma * scale as f32 },
        other => other,
    };
    WantedFilter { slot: Slot { filter, ..wanted.slot }, ..wanted.clone() }
}

/// Returns the image as a frame, whose colors are not multiplied by their alpha. The frame has no
/// alpha if it is opaque.
fn straight(
    image: &Image,
    pool: &mut PlanesPool<MAX_FRAMES>,
    workers: &WorkerPool,
) -> Arc<Pooled<Planes>> {
    let from = &*image.planes;
    let size = from.size();
    let is_opaque = from.alpha.as_ref().is_none_or(|alpha| alpha.iter().all(|it| *it == 255));
    let mut out = pool.fresh(size, !is_opaque);
    if is_opaque {
        out.copy_pixels(from);
        return out.share();
    }
    let to: &mut Planes = &mut out;
    if let (Some(alpha), Some(own)) = (&from.alpha, &mut to.alpha) {
        own.copy_from_slice(alpha);
        divide(&from.y, alpha, 16, &mut to.y, workers);
    }
    if let Some(alpha) = image.chroma_alpha.as_ref() {
        divide(&from.u, alpha, 128, &mut to.u, workers);
        divide(&from.v, alpha, 128, &mut to.v, workers);
    }
    out.share()
}

/// Divides the values of a plane by their alpha. Where there is nothing, the result is `empty`.
fn divide(from: &[u8], alpha: &[u8], empty: u8, out: &mut [u8], workers: &WorkerPool) {
    const PART: usize = 1 << 16;
    let parts = out.chunks_mut(PART).zip(from.chunks(PART)).zip(alpha.chunks(PART));
    workers.each(
        parts,
        #[inline(always)]
        |((out, from), alpha)| {
            for ((out, value), alpha) in out.iter_mut().zip(from).zip(alpha) {
                let (value, part) = (u32::from(*value), u32::from(*alpha));
                *out = match part {
                    0 => empty,
                    255 => value as u8,
                    part => ((value * 255 + part / 2) / part).min(255) as u8,
                };
            }
        },
    );
}
