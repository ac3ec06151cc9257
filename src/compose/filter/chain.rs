//! The filters of one source, in order, and what each made last.

use std::sync::Arc;
use std::time::Duration;

use fast_image_resize::Resizer;

use crate::base::wide::wide;
use crate::base::{Crew, Fresh, Pool, Pooled, Timestamp};
use crate::compose::filter::beauty::Beauty;
use crate::compose::filter::blur::{Blur, Sharpen};
use crate::compose::filter::crop::Crop;
use crate::compose::filter::deinterlace::Deinterlace;
use crate::compose::filter::delay::Delay;
use crate::compose::filter::denoise::Denoise;
use crate::compose::filter::key::{ChromaKey, ColorKey, LumaKey};
use crate::compose::filter::lut::Lut;
use crate::compose::filter::material::{Material, Supply};
use crate::compose::filter::picture::{Mask, Watermark};
use crate::compose::filter::scale::Scale;
use crate::compose::filter::setting::{Filter, MOST_FILTERS, Slot};
use crate::compose::filter::step::Step;
use crate::compose::filter::tone::{Settings, Tone};
use crate::compose::tint::Tint;
use crate::media::{Color, Planes, Size, VideoFrame};

/// Pictures of one filter that may be on their way at once.
const IDLE: usize = 4;

/// A filter as the chain is to have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub slot: Slot,
    /// What is in its file: without it the picture passes as it is, or nothing is seen of it.
    pub material: Supply,
}

/// What is seen of a source while the file is not there by which some of it is hidden.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cover {
    /// What lies below: it may come any moment.
    Nothing,
    Slate,
}

impl Wanted {
    fn cover(&self) -> Option<Cover> {
        let cover = match self.material {
            Supply::Coming => Cover::Nothing,
            Supply::Lacking => Cover::Slate,
            Supply::Nothing | Supply::There(_) => return None,
        };
        self.slot.filter.hides_by_file().then_some(cover)
    }
}

/// Pictures of one shape.
struct Shelf {
    shape: (Size, bool),
    pool: Pool<Planes>,
}

/// A picture made of another.
struct Made {
    from: Arc<Pooled<Planes>>,
    frame: VideoFrame,
}

enum Work {
    Step(Box<dyn Step>),
    // These remember earlier pictures.
    Denoise(Denoise),
    Deinterlace(Deinterlace),
    Delay(Delay),
}

struct Link {
    wanted: Wanted,
    work: Work,
    shelf: Option<Shelf>,
    /// Kept, so that a picture that stands still costs nothing.
    made: Option<Made>,
}

/// What is done to the pictures of one source.
#[derive(Default)]
pub struct Chain {
    links: Vec<Link>,
    cover: Option<Cover>,
    tint: Tint,
    tinted: Option<Made>,
    shelf: Option<Shelf>,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain").field("links", &self.links.len()).finish_non_exhaustive()
    }
}

fn take(shelf: &mut Option<Shelf>, shape: (Size, bool)) -> Fresh<Planes> {
    let fits = |shelf: &&mut Shelf| shelf.shape == shape;
    if let Some(shelf) = shelf.as_mut().filter(fits) {
        return shelf.pool.fresh();
    }
    let (size, alpha) = shape;
    let pool = if alpha { Planes::alpha_pool(size, IDLE) } else { Planes::pool(size, IDLE) };
    let first = pool.fresh();
    *shelf = Some(Shelf { shape, pool });
    first
}

impl Chain {
    /// These are the filters from now on. One that is as it was goes on with what it remembers, and so
    /// does one whose amounts alone are others.
    pub fn set(&mut self, wanted: &[Wanted]) {
        let mut before = std::mem::take(&mut self.links);
        let on = wanted.iter().take(MOST_FILTERS).filter(|wanted| wanted.slot.enabled);
        self.cover = on.clone().filter_map(Wanted::cover).max();
        // As many delays as there were keep their order: what waits in one came before what waits in another.
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
                // What waits in another would be lost at each step of a number that is drawn.
                let other = || before.iter().position(Link::is_delay).map(|at| before.remove(at));
                *link = link.take().or_else(other).map(|link| link.delayed(wanted, by));
            }
            if link.is_none() {
                let adjusted = before.iter_mut().position(|it| it.adjust(wanted));
                *link = adjusted.map(|at| before.remove(at));
            }
            if link.is_none() {
                let new = |work| Link { wanted: wanted.clone(), work, shelf: None, made: None };
                *link = work(wanted).map(new);
            }
        }
        self.links = links.into_iter().flatten().collect();
    }

    /// Whether pictures pass as they are.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty() && self.cover.is_none()
    }

    /// What is seen instead of what it makes.
    pub fn cover(&self) -> Option<Cover> {
        self.cover
    }

    /// The picture of the instant `at` with everything done to it. `lean`: without what is costly. The
    /// crew helps.
    pub fn apply(
        &mut self,
        picture: &VideoFrame,
        at: Timestamp,
        lean: bool,
        crew: &Crew,
    ) -> VideoFrame {
        if self.links.is_empty() {
            return picture.clone();
        }
        let mut frame = self.tint(picture);
        for link in &mut self.links {
            if !(lean && link.wanted.slot.filter.is_costly()) {
                frame = link.run(&frame, at, crew);
            }
        }
        frame
    }

    /// The picture in the program's colours.
    fn tint(&mut self, picture: &VideoFrame) -> VideoFrame {
        if picture.color == Color::PROGRAM {
            self.tinted = None;
            return picture.clone();
        }
        if let Some(frame) = kept(self.tinted.as_ref(), picture) {
            return frame;
        }
        let from = &**picture.planes;
        let mut out = take(&mut self.shelf, (from.size(), !from.is_opaque()));
        out.copy(from);
        wide(
            #[inline(always)]
            || self.tint.apply(picture.color, &mut out),
        );
        let frame = VideoFrame { color: Color::PROGRAM, planes: out.share(), ..*picture };
        let from = Arc::clone(&picture.planes);
        self.tinted = Some(Made { from, frame: frame.clone() });
        frame
    }
}

/// How long a filter delays; `None`: it does not.
fn length(wanted: &Wanted) -> Option<Duration> {
    match wanted.slot.filter {
        Filter::Delay { ms } => delay_of(ms),
        _ => None,
    }
}

/// What was made of this picture, if it was the last one.
fn kept(made: Option<&Made>, picture: &VideoFrame) -> Option<VideoFrame> {
    let made = made.filter(|made| Arc::ptr_eq(&made.from, &picture.planes))?;
    Some(VideoFrame { pts: picture.pts, ..made.frame.clone() })
}

impl Link {
    fn is_delay(&self) -> bool {
        matches!(self.work, Work::Delay(_))
    }

    /// A delay with what waits in it, set to what is wanted.
    fn delayed(mut self, wanted: &Wanted, by: Duration) -> Self {
        if let Work::Delay(delay) = &mut self.work {
            delay.set(by);
        }
        self.wanted = wanted.clone();
        self
    }

    /// Does the same by other amounts from now on, if it remembers anything that is worth keeping.
    fn adjust(&mut self, wanted: &Wanted) -> bool {
        match (&mut self.work, wanted.slot.filter.clone().bounded()) {
            (Work::Denoise(it), Filter::Denoise { spatial, temporal }) => it.set(spatial, temporal),
            (Work::Deinterlace(it), Filter::Deinterlace { mode, field }) => it.set(mode, field),
            _ => return false,
        }
        (self.wanted, self.made) = (wanted.clone(), None);
        true
    }

    fn run(&mut self, picture: &VideoFrame, at: Timestamp, crew: &Crew) -> VideoFrame {
        let step: &mut dyn Step = match &mut self.work {
            Work::Step(step) => &mut **step,
            Work::Denoise(denoise) => denoise,
            Work::Deinterlace(deinterlace) => deinterlace,
            Work::Delay(delay) => return delay.run(picture, at),
        };
        if let Some(frame) = kept(self.made.as_ref(), picture) {
            return frame;
        }
        // What was made goes back to its shelf, if nobody else has it.
        self.made = None;
        let from = &**picture.planes;
        let shape = step.shape(from.size(), !from.is_opaque());
        let mut out = take(&mut self.shelf, shape);
        step.run(from, &mut out, crew);
        let frame = VideoFrame { planes: out.share(), ..*picture };
        self.made = Some(Made { from: Arc::clone(&picture.planes), frame: frame.clone() });
        frame
    }
}

/// How long a delay is; `None`: there is none.
fn delay_of(ms: f32) -> Option<Duration> {
    let by = Duration::try_from_secs_f32(ms.clamp(0.0, 500.0) / 1e3).unwrap_or_default();
    (!by.is_zero()).then_some(by)
}

/// What does the work of a filter; `None`: nothing is to be done.
fn work(wanted: &Wanted) -> Option<Work> {
    let picture = || match &wanted.material {
        Supply::There(Material::Picture(picture)) => Some(Arc::clone(picture)),
        _ => None,
    };
    let step: Box<dyn Step> = match wanted.slot.filter.clone().bounded() {
        Filter::Crop { left, top, right, bottom } => {
            Box::new(Crop { sides: [left, top, right, bottom] })
        }
        Filter::Color { gain, brightness, contrast, gamma, saturation, hue_degrees, opacity } => {
            Box::new(Tone::new(Settings {
                gain,
                brightness,
                contrast,
                gamma,
                saturation,
                hue_degrees,
                opacity,
            }))
        }
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
            Box::new(Scale { width, height, kernel, resizer: Resizer::default() })
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
            Supply::There(Material::Table(table)) => Box::new(Lut::new(Arc::clone(table), amount)),
            _ => return None,
        },
        Filter::Mask { reading, .. } => Box::new(Mask::new(picture()?, reading)),
        Filter::Watermark { corner, width, margin, opacity, .. } => {
            Box::new(Watermark::new(picture()?, corner, width, margin, opacity))
        }
        Filter::Delay { ms } => {
            return delay_of(ms).map(|by| Work::Delay(Delay::new(by)));
        }
    };
    Some(Work::Step(step))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::compose::filter::cube::Cube;
    use crate::compose::filter::lut::Table;

    fn wanted(filters: impl IntoIterator<Item = Filter>) -> Vec<Wanted> {
        let slot = |filter: Filter| {
            let [table, picture] = &*FILES;
            let material = if filter.kind() == "lut" { table } else { picture };
            let material = Supply::There(material.clone());
            Wanted { slot: Slot { enabled: true, filter }, material }
        };
        filters.into_iter().map(slot).collect()
    }

    /// A colour table that turns everything grey, and a picture of which nothing is seen; read once.
    static FILES: LazyLock<[Material; 2]> = LazyLock::new(|| {
        [table_of(), Material::Picture(Arc::new(Planes::transparent(Size::new(20, 10))))]
    });

    fn table_of() -> Material {
        let text = "LUT_1D_SIZE 2\n0.5 0.5 0.5\n0.5 0.5 0.5\n";
        Material::Table(Arc::new(Table::new(&Cube::parse(text).unwrap())))
    }

    fn picture(size: Size, color: Color) -> VideoFrame {
        let mut planes = Planes::black(size);
        planes.y.iter_mut().zip(0_usize..).for_each(|(y, n)| *y = (n * 7 % 219) as u8 + 16);
        planes.u.iter_mut().zip(0_usize..).for_each(|(u, n)| *u = (n * 5 % 224) as u8 + 16);
        planes.v.iter_mut().zip(0_usize..).for_each(|(v, n)| *v = (n * 3 % 224) as u8 + 16);
        VideoFrame { pts: Timestamp::ZERO, color, planes: Arc::new(Pooled::unpooled(planes)) }
    }

    #[test]
    fn every_filter_takes_every_size_with_and_without_alpha() {
        for size in [Size::new(2, 2), Size::new(2, 6), Size::new(66, 34)] {
            let mut clear = picture(size, Color::PROGRAM);
            let mut planes = (**clear.planes).clone();
            planes.alpha = Some(vec![200; size.pixels()]);
            clear.planes = Arc::new(Pooled::unpooled(planes));
            for frame in [picture(size, Color::WEBCAM), clear] {
                for filter in Filter::kinds() {
                    for extreme in [0, 1, 2] {
                        let mut filter = filter.clone();
                        // The largest picture that there is takes seconds: it is made of one size only.
                        let again = filter.kind() == "scale" && size != Size::new(2, 2);
                        let most = if again { 200.0 } else { 1e9 };
                        for parameter in filter.parameters() {
                            let ends = [parameter.rest, -1e9, most];
                            filter.set(parameter.name, ends[extreme]);
                        }
                        let mut chain = Chain::default();
                        chain.set(&wanted([filter.clone()]));
                        let out = chain.apply(&frame, Timestamp::ZERO, false, &Crew::alone());
                        assert_eq!(out.size(), filter.size(size), "{filter:?}");
                        assert!(out.size().is_valid());
                        assert!(out.color == Color::PROGRAM || chain.is_empty());
                    }
                }
            }
        }
    }

    #[test]
    fn what_changes_nothing_gives_the_same_picture() {
        let frame = picture(Size::new(64, 36), Color::PROGRAM);
        let still: Vec<_> = Filter::kinds()
            .into_iter()
            .filter(|filter| matches!(filter.kind(), "crop" | "color" | "scale" | "delay"))
            .collect();
        let mut chain = Chain::default();
        chain.set(&wanted(still));
        assert_eq!(
            **chain.apply(&frame, Timestamp::ZERO, false, &Crew::alone()).planes,
            **frame.planes
        );
        chain.set(&[]);
        assert!(chain.is_empty());
        assert!(Arc::ptr_eq(
            &chain.apply(&frame, Timestamp::ZERO, false, &Crew::alone()).planes,
            &frame.planes
        ));
    }

    #[test]
    fn a_picture_that_stands_still_is_filtered_once_and_nothing_is_allocated_once_warm() {
        let mut chain = Chain::default();
        // The last is the one that is changed below.
        let mut filters = Filter::kinds();
        filters.retain(|filter| filter.kind() != "luma-key");
        filters.extend(Filter::of_kind("luma-key"));
        chain.set(&wanted(filters.clone()));
        let frame = picture(Size::new(64, 36), Color::WEBCAM);
        let first = chain.apply(&frame, Timestamp::ZERO, false, &Crew::alone());
        assert!(Arc::ptr_eq(
            &first.planes,
            &chain.apply(&frame, Timestamp::ZERO, false, &Crew::alone()).planes
        ));
        // The last one alone is another: those before it are not carried out again.
        let before = chain
            .links
            .iter()
            .map(|link| link.made.as_ref().map(|it| it.frame.planes.y.as_ptr() as usize))
            .collect::<Vec<_>>();
        let mut other = filters;
        if let Some(filter) = other.last_mut() {
            filter.set("low", 0.3);
        }
        chain.set(&wanted(other));
        assert!(!Arc::ptr_eq(
            &first.planes,
            &chain.apply(&frame, Timestamp::ZERO, false, &Crew::alone()).planes
        ));
        let after = chain
            .links
            .iter()
            .map(|link| link.made.as_ref().map(|it| it.frame.planes.y.as_ptr() as usize))
            .collect::<Vec<_>>();
        assert_eq!(before[..before.len() - 1], after[..after.len() - 1]);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..40 {
            let out = chain.apply(
                &picture(Size::new(64, 36), Color::WEBCAM),
                Timestamp::ZERO,
                false,
                &Crew::alone(),
            );
            seen.insert(out.planes.y.as_ptr() as usize);
        }
        assert!(seen.len() <= 3, "{} buffers", seen.len());
    }

    /// Which picture comes out at each of so many, 40 ms apart, while the delays are these.
    fn delayed(lengths: impl Fn(usize) -> Vec<f32>, count: usize) -> Vec<usize> {
        let mut chain = Chain::default();
        let mut made = Vec::new();
        let out = (0..count).map(|n| {
            chain.set(&wanted(lengths(n).into_iter().map(|ms| Filter::Delay { ms })));
            let frame = picture(Size::new(2, 2), Color::PROGRAM);
            let at = Timestamp::from_millis(40 * n as i64);
            let out = chain.apply(&frame, at, false, &Crew::alone());
            made.push(frame.planes);
            made.iter().position(|it| Arc::ptr_eq(it, &out.planes)).unwrap()
        });
        out.collect()
    }

    #[test]
    fn a_delay_keeps_what_waits_while_its_length_is_drawn() {
        // The other one stays as it is. 100 to 111 ms are three pictures, 80 ms two more.
        let seen = delayed(|n| vec![100.0 + n as f32, 80.0], 12);
        assert_eq!(seen, [0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6]);
        // One of two that are alike, the first or the second.
        for drawn in [[101.0, 100.0], [100.0, 101.0]] {
            let seen = delayed(|n| if n < 9 { vec![100.0; 2] } else { drawn.into() }, 14);
            assert_eq!(seen, [0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7], "{drawn:?}");
        }
        // Another is put before it, and taken away: three pictures wait in the first all the time.
        let seen = delayed(|n| if n == 6 { vec![40.0, 100.0] } else { vec![100.0] }, 9);
        assert_eq!(seen, [0, 0, 0, 0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_remembers_goes_on_with_that_while_its_amounts_are_drawn() {
        let size = Size::new(64, 36);
        let grey = |luma: u8, odd: u8| {
            let mut planes = Planes::black(size);
            for (row, line) in planes.y.chunks_exact_mut(64).enumerate() {
                line.fill(if row % 2 == 0 { luma } else { odd });
            }
            let planes = Arc::new(Pooled::unpooled(planes));
            VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, planes }
        };
        let denoise = |temporal| Filter::Denoise { spatial: 0.0, temporal };
        let see = |chain: &mut Chain, filter: Filter, frame: &VideoFrame| {
            chain.set(&wanted([filter]));
            let out = chain.apply(frame, Timestamp::ZERO, false, &Crew::alone());
            out.planes.y[64]
        };
        let mut chain = Chain::default();
        assert_eq!(see(&mut chain, denoise(1.0), &grey(100, 100)), 100);
        // Noise of 4: what is remembered holds it down, at each step of the slider.
        let held = see(&mut chain, denoise(0.9), &grey(104, 104));
        assert!((100..103).contains(&held), "{held}");
        // Once it was switched off altogether it begins anew.
        assert_eq!(see(&mut chain, denoise(0.0), &grey(104, 104)), 104);
        assert_eq!(see(&mut chain, denoise(1.0), &grey(108, 108)), 108);

        use crate::compose::filter::deinterlace::{Deinterlacing, Field};
        let woven = |mode, field| Filter::Deinterlace { mode, field };
        let mut chain = Chain::default();
        // Lines that stand still are kept, by whichever field it goes.
        let still = woven(Deinterlacing::Adaptive, Field::Top);
        see(&mut chain, still.clone(), &grey(50, 200));
        let kept = see(&mut chain, still, &grey(50, 200));
        let turned = see(&mut chain, woven(Deinterlacing::Adaptive, Field::Bottom), &grey(50, 200));
        assert_eq!((kept, turned), (200, 200));
        let first = |chain: &Chain| chain.links[0].made.as_ref().unwrap().frame.planes.y[0];
        assert_eq!(first(&chain), 50, "nothing moved");
        see(&mut chain, woven(Deinterlacing::Linear, Field::Bottom), &grey(50, 200));
        see(&mut chain, woven(Deinterlacing::Adaptive, Field::Bottom), &grey(50, 200));
        assert_eq!(first(&chain), 200, "what was before that is not remembered");
    }

    #[test]
    fn a_delay_of_no_length_is_none() {
        for ms in [0.0, -1.0, f32::NAN, f32::NEG_INFINITY] {
            assert_eq!(delay_of(ms), None, "{ms}");
        }
        assert_eq!(delay_of(f32::INFINITY), Some(Duration::from_millis(500)));
    }

    #[test]
    fn what_hides_something_covers_the_picture_while_its_file_is_not_there() {
        let cover = |kinds: &[(&str, bool, Supply)]| {
            let wanted = kinds.iter().map(|(kind, enabled, material)| {
                let filter = Filter::of_kind(kind).unwrap();
                Wanted { slot: Slot { enabled: *enabled, filter }, material: material.clone() }
            });
            let mut chain = Chain::default();
            chain.set(&wanted.collect::<Vec<_>>());
            // It is kept where there is nothing else to do.
            assert!(chain.cover().is_none() || !chain.is_empty());
            chain.cover()
        };
        let there = Supply::There(FILES[1].clone());
        let (coming, lacking) = (Supply::Coming, Supply::Lacking);
        assert_eq!(cover(&[("mask", true, coming.clone())]), Some(Cover::Nothing));
        assert_eq!(cover(&[("mask", true, lacking.clone())]), Some(Cover::Slate));
        let both = [("mask", true, lacking.clone()), ("mask", true, coming.clone())];
        assert_eq!(cover(&both), Some(Cover::Slate));
        assert_eq!(cover(&[("mask", false, lacking.clone())]), None, "it is off");
        assert_eq!(cover(&[("mask", true, there)]), None);
        assert_eq!(cover(&[("mask", true, Supply::Nothing)]), None, "no file is chosen yet");
        for kind in ["lut", "watermark"] {
            assert_eq!(cover(&[(kind, true, coming.clone()), (kind, true, lacking.clone())]), None);
        }
    }

    #[test]
    fn a_filter_that_is_off_and_one_too_many_do_nothing() {
        let darker = |enabled| Wanted {
            material: Supply::Nothing,
            slot: Slot {
                enabled,
                filter: Filter::Color {
                    gain: 0.5,
                    brightness: 0.0,
                    contrast: 1.0,
                    gamma: 1.0,
                    saturation: 1.0,
                    hue_degrees: 0.0,
                    opacity: 1.0,
                },
            },
        };
        let mut chain = Chain::default();
        chain.set(&[darker(false)]);
        assert!(chain.is_empty());
        chain.set(&vec![darker(true); MOST_FILTERS * 2]);
        assert_eq!(chain.links.len(), MOST_FILTERS);
    }
}
