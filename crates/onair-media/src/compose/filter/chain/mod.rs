//! Applies the filters of one source in order, and keeps their last results.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use crate::base::partial_debug;
use crate::base::{Pooled, Timestamp, WorkerPool};
use crate::compose::draw::color_convert::ColorConvert;
use crate::compose::filter::assets::{AssetSupply, FilterAssets};
use crate::compose::filter::background::Background;
use crate::compose::filter::blur::beauty::Beauty;
use crate::compose::filter::blur::{Blur, Sharpen};
use crate::compose::filter::color::correction::ColorCorrection;
use crate::compose::filter::color::key::{ChromaKey, ColorKey, LumaKey};
use crate::compose::filter::color::lut::Lut;
use crate::compose::filter::crop::Crop;
use crate::compose::filter::deinterlace::Deinterlace;
use crate::compose::filter::delay::Delay;
use crate::compose::filter::denoise::Denoise;
use crate::compose::filter::overlay::{Mask, Watermark};
use crate::compose::filter::scale::Scale;
use crate::compose::filter::settings::{Filter, MAX_FILTERS, Slot};
use crate::compose::filter::step::Step;
use crate::media::{Color, Planes, PlanesPool, VideoFrame};

/// Number of frames of one filter that the pool keeps for reuse.
const MAX_FILTER_FRAMES: usize = 4;

/// A filter as it should be in the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedFilter {
    pub slot: Slot,
    /// The content of the filter's file, without which the frame passes unchanged or is hidden.
    pub material: AssetSupply,
}

/// The replacement for a source whose visibility mask file is not available.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cover {
    /// No frame is shown, because the file can arrive at any moment.
    Nothing,
    Placeholder,
}

impl WantedFilter {
    /// Returns the replacement for the frame, if this is an enabled mask without its file.
    pub(in crate::compose) fn cover(&self) -> Option<Cover> {
        if !self.slot.enabled {
            return None;
        }
        let cover = match self.material {
            AssetSupply::Coming => Cover::Nothing,
            AssetSupply::Lacking => Cover::Placeholder,
            AssetSupply::Nothing | AssetSupply::There(_) => return None,
        };
        self.slot.filter.hides_by_file().then_some(cover)
    }
}

/// A frame that was computed from another frame.
struct ComputedFrame {
    from: Arc<Pooled<Planes>>,
    frame: VideoFrame,
}

enum Work {
    Step(Box<dyn Step>),
    // These filters keep earlier frames.
    Denoise(Denoise),
    Deinterlace(Deinterlace),
    Delay(Delay),
    Background(Box<Background>),
}

struct Link {
    wanted: WantedFilter,
    work: Work,
    pool: PlanesPool<MAX_FILTER_FRAMES>,
    /// The last result, kept so that a static frame costs nothing.
    made: Option<ComputedFrame>,
}

/// The filters of one source.
#[derive(Default)]
pub struct Chain {
    links: Vec<Link>,
    cover: Option<Cover>,
    tint: ColorConvert,
    tinted: Option<ComputedFrame>,
    pool: PlanesPool<MAX_FILTER_FRAMES>,
}

partial_debug!(Chain { cover });

impl Chain {
    /// Sets the filters. A filter that is unchanged, or differs only in its amounts, keeps its
    /// state.
    pub fn set(&mut self, wanted: &[WantedFilter]) {
        let mut before = std::mem::take(&mut self.links);
        let on = wanted.iter().take(MAX_FILTERS).filter(|wanted| wanted.slot.enabled);
        self.cover = on.clone().filter_map(WantedFilter::cover).max();
        let masks = on.clone().filter(|it| {
            it.slot.filter.hides_by_file() && matches!(it.material, AssetSupply::There(_))
        });
        if masks.count() > before.iter().filter(|it| it.is_mask()).count() {
            // Queued or remembered frames were made without this filter.
            before.retain(|it| matches!(it.work, Work::Step(_)));
        }
        // If the number of delays stays the same, they keep their order, because the frames in one
        // delay came before those in another.
        let delays = on.clone().filter(|wanted| length(wanted).is_some()).count();
        let in_order = delays == before.iter().filter(|link| link.is_delay()).count();
        let same = on.clone().map(|wanted| {
            let any = in_order && length(wanted).is_some();
            let fits = |link: &Link| if any { link.is_delay() } else { link.wanted == *wanted };
            before.iter().position(fits).map(|index| before.remove(index))
        });
        let mut links: Vec<Option<Link>> = same.collect();
        for (link, wanted) in links.iter_mut().zip(on) {
            if let Some(by) = length(wanted) {
                // Otherwise, a delay would lose its queue at each step while the user drags its
                // number.
                let other = || before.iter().position(Link::is_delay).map(|at| before.remove(at));
                *link = link.take().or_else(other).map(|link| link.delayed(wanted, by));
            }
            if link.is_none() {
                let adjusted = before.iter_mut().position(|it| it.adjust(wanted));
                *link = adjusted.map(|at| before.remove(at));
            }
            if link.is_none() {
                let new = |work| Link {
                    wanted: wanted.clone(),
                    work,
                    pool: PlanesPool::default(),
                    made: None,
                };
                *link = work(wanted).map(new);
            }
        }
        self.links = links.into_iter().flatten().collect();
    }

    /// Returns true if frames pass unchanged.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty() && self.cover.is_none()
    }

    /// Returns the replacement for the result, if the result must not be shown.
    pub fn cover(&self) -> Option<Cover> {
        self.cover
    }

    /// Filters the frame of the instant `at`. `lean` skips costly filters. The worker pool shares
    /// the work.
    pub fn apply(
        &mut self,
        input: &VideoFrame,
        at: Timestamp,
        lean: bool,
        workers: &WorkerPool,
    ) -> VideoFrame {
        if self.links.is_empty() {
            return input.clone();
        }
        let mut frame = self.tint(input, workers);
        for link in &mut self.links {
            if !(lean && link.wanted.slot.filter.is_costly()) {
                frame = link.run(&frame, at, workers);
            }
        }
        frame
    }

    /// Converts the frame to the program's colors.
    fn tint(&mut self, input: &VideoFrame, workers: &WorkerPool) -> VideoFrame {
        if input.color == Color::PROGRAM {
            self.tinted = None;
            return input.clone();
        }
        if let Some(frame) = kept(self.tinted.as_ref(), input) {
            return frame;
        }
        let from = input.planes();
        let mut out = self.pool.fresh(from.size(), !from.is_opaque());
        out.copy(from);
        self.tint.apply(input.color, &mut out, workers);
        let frame = VideoFrame { color: Color::PROGRAM, surface: out.share().into(), ..*input };
        let from = Arc::clone(input.shared());
        self.tinted = Some(ComputedFrame { from, frame: frame.clone() });
        frame
    }
}

/// Returns the delay of a filter, or `None` if it has none.
fn length(wanted: &WantedFilter) -> Option<Duration> {
    match wanted.slot.filter {
        Filter::Delay { ms } => delay_of(ms),
        _ => None,
    }
}

/// Returns the last result, if it was made from this frame.
fn kept(made: Option<&ComputedFrame>, input: &VideoFrame) -> Option<VideoFrame> {
    let made = made.filter(|made| Arc::ptr_eq(&made.from, input.shared()))?;
    Some(VideoFrame { pts: input.pts, ..made.frame.clone() })
}

impl Link {
    fn is_mask(&self) -> bool {
        self.wanted.slot.filter.hides_by_file()
    }

    fn is_delay(&self) -> bool {
        matches!(self.work, Work::Delay(_))
    }

    /// Sets a delay, which keeps its queue, to the wanted length.
    fn delayed(mut self, wanted: &WantedFilter, by: Duration) -> Self {
        if let Work::Delay(delay) = &mut self.work {
            delay.set(by);
        }
        self.wanted = wanted.clone();
        self
    }

    /// Changes the amounts in place if the filter has state that is worth keeping. Returns true if
    /// the amounts were changed in place.
    fn adjust(&mut self, wanted: &WantedFilter) -> bool {
        match (&mut self.work, wanted.slot.filter.clone().bounded()) {
            (Work::Denoise(it), Filter::Denoise { spatial, temporal }) => it.set(spatial, temporal),
            (Work::Deinterlace(it), Filter::Deinterlace { mode, field }) => it.set(mode, field),
            (Work::Background(it), Filter::Background { mode, sigma }) => it.set(mode, sigma),
            _ => return false,
        }
        (self.wanted, self.made) = (wanted.clone(), None);
        true
    }

    fn run(&mut self, input: &VideoFrame, at: Timestamp, workers: &WorkerPool) -> VideoFrame {
        let step: &mut dyn Step = match &mut self.work {
            Work::Step(step) => &mut **step,
            Work::Denoise(denoise) => denoise,
            Work::Deinterlace(deinterlace) => deinterlace,
            Work::Delay(delay) => return delay.run(input, at),
            Work::Background(background) => {
                // A mask can come later than the frame to which it belongs.
                background.offer(input.planes(), kept(self.made.as_ref(), input).is_some());
                if background.has_news() {
                    self.made = None;
                }
                &mut **background
            }
        };
        if let Some(frame) = kept(self.made.as_ref(), input) {
            return frame;
        }
        // The result goes back to its pool, unless another user holds it.
        self.made = None;
        let from = input.planes();
        let (size, alpha) = step.shape(from.size(), !from.is_opaque());
        let mut out = self.pool.fresh(size, alpha);
        step.run(from, &mut out, workers);
        let frame = VideoFrame { surface: out.share().into(), ..*input };
        self.made = Some(ComputedFrame { from: Arc::clone(input.shared()), frame: frame.clone() });
        frame
    }
}

/// Returns the length of a delay; `None` means no delay.
fn delay_of(ms: f32) -> Option<Duration> {
    let by = Duration::try_from_secs_f32(ms.clamp(0.0, 500.0) / 1e3).unwrap_or_default();
    (!by.is_zero()).then_some(by)
}

/// Returns the implementation of a filter, or `None` if it has no effect.
fn work(wanted: &WantedFilter) -> Option<Work> {
    let image = || match &wanted.material {
        AssetSupply::There(FilterAssets::Image(image)) => Some(Arc::clone(image)),
        _ => None,
    };
    let step: Box<dyn Step> = match wanted.slot.filter.clone().bounded() {
        Filter::Crop { left, top, right, bottom } => {
            Box::new(Crop { sides: [left, top, right, bottom] })
        }
        Filter::Color(correction) => Box::new(ColorCorrection::new(correction)),
        Filter::ChromaKey { color, similarity, smoothness, spill, protect } => {
            Box::new(ChromaKey::new(color, similarity, smoothness, spill, protect))
        }
        Filter::ColorKey { color, similarity, smoothness } => {
            Box::new(ColorKey::new(color, similarity, smoothness))
        }
        Filter::LumaKey { low, low_smooth, high, high_smooth } => {
            Box::new(LumaKey::new(low, low_smooth, high, high_smooth))
        }
        Filter::Scale { width, height, kernel } => {
            Box::new(Scale { width, height, kernel, resizers: Default::default() })
        }
        Filter::Sharpen { amount } => Box::new(Sharpen::new(amount)),
        Filter::Blur { sigma } => Box::new(Blur::new(sigma)),
        Filter::Denoise { spatial, temporal } => {
            return Some(Work::Denoise(Denoise::new(spatial, temporal)));
        }
        Filter::Beauty { smooth, whiten, area } => Box::new(Beauty::new(smooth, whiten, area)),
        Filter::Deinterlace { mode, field } => {
            return Some(Work::Deinterlace(Deinterlace::new(mode, field)));
        }
        Filter::Lut { amount, .. } => match &wanted.material {
            AssetSupply::There(FilterAssets::Table(table)) => {
                Box::new(Lut::new(Arc::clone(table), amount))
            }
            _ => return None,
        },
        Filter::Mask { reading, .. } => Box::new(Mask::new(image()?, reading)),
        Filter::Watermark { corner, width, margin, opacity, .. } => {
            Box::new(Watermark::new(image()?, corner, width, margin, opacity))
        }
        Filter::Background { mode, sigma } => {
            return Some(Work::Background(Box::new(Background::new(mode, sigma))));
        }
        Filter::Delay { ms } => {
            return delay_of(ms).map(|by| Work::Delay(Delay::new(by)));
        }
    };
    Some(Work::Step(step))
}
