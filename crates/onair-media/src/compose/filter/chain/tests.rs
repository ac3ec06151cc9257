//! Tests of chains of filters: sizes, static frames, delays, state and hiding.

use std::sync::LazyLock;

use super::*;
use crate::compose::filter::color::correction::Correction;
use crate::compose::filter::color::cube::Cube;
use crate::compose::filter::color::lut::Table;
use crate::media::{NumericSettings, Size};

fn wanted(filters: impl IntoIterator<Item = Filter>) -> Vec<WantedFilter> {
    let slot = |filter: Filter| {
        let [table, image] = &*TEST_ASSETS;
        let material = if filter.kind() == "lut" { table } else { image };
        let material = AssetSupply::There(material.clone());
        WantedFilter { slot: Slot { enabled: true, filter }, material }
    };
    filters.into_iter().map(slot).collect()
}

/// A LUT that makes everything gray, and a transparent image. Both are read once.
static TEST_ASSETS: LazyLock<[FilterAssets; 2]> = LazyLock::new(|| {
    [table_of(), FilterAssets::Image(Arc::new(Planes::transparent(Size::new(20, 10))))]
});

fn table_of() -> FilterAssets {
    let text = "LUT_1D_SIZE 2\n0.5 0.5 0.5\n0.5 0.5 0.5\n";
    FilterAssets::Table(Arc::new(Table::new(&Cube::parse(text).unwrap())))
}

fn frame_of(size: Size, color: Color) -> VideoFrame {
    let mut planes = Planes::black(size);
    planes.y.iter_mut().zip(0_usize..).for_each(|(y, n)| *y = (n * 7 % 219) as u8 + 16);
    planes.u.iter_mut().zip(0_usize..).for_each(|(u, n)| *u = (n * 5 % 224) as u8 + 16);
    planes.v.iter_mut().zip(0_usize..).for_each(|(v, n)| *v = (n * 3 % 224) as u8 + 16);
    VideoFrame { pts: Timestamp::ZERO, color, surface: Arc::new(Pooled::unpooled(planes)).into() }
}

#[test]
fn every_filter_takes_every_size_with_and_without_alpha() {
    for size in [Size::new(2, 2), Size::new(2, 6), Size::new(66, 34)] {
        let mut clear = frame_of(size, Color::PROGRAM);
        let mut planes = clear.planes().clone();
        planes.alpha = Some(vec![200; size.pixels()]);
        clear.surface = Arc::new(Pooled::unpooled(planes)).into();
        for frame in [frame_of(size, Color::WEBCAM), clear] {
            for filter in Filter::kinds() {
                for extreme in [0, 1, 2] {
                    let mut filter = filter.clone();
                    // The largest frame takes seconds, so it is made only once, with alpha.
                    let once = size == Size::new(2, 2) && frame.planes().alpha.is_some();
                    let again = filter.kind() == "scale" && !once;
                    let most = if again { 200.0 } else { 1e9 };
                    for parameter in filter.parameters() {
                        let ends = [parameter.rest, -1e9, most];
                        filter.set(parameter.name, ends[extreme]);
                    }
                    let mut chain = Chain::default();
                    chain.set(&wanted([filter.clone()]));
                    let out = chain.apply(&frame, Timestamp::ZERO, false, &WorkerPool::alone());
                    assert_eq!(out.size(), filter.size(size), "{filter:?}");
                    assert!(out.size().is_valid());
                    assert!(out.color == Color::PROGRAM || chain.is_empty());
                }
            }
        }
    }
}

#[test]
fn what_changes_nothing_gives_the_same_frame() {
    let frame = frame_of(Size::new(64, 36), Color::PROGRAM);
    let still: Vec<_> = Filter::kinds()
        .into_iter()
        .filter(|filter| matches!(filter.kind(), "crop" | "color" | "scale" | "delay"))
        .collect();
    let mut chain = Chain::default();
    chain.set(&wanted(still));
    assert_eq!(
        *chain.apply(&frame, Timestamp::ZERO, false, &WorkerPool::alone()).planes(),
        *frame.planes()
    );
    chain.set(&[]);
    assert!(chain.is_empty());
    assert!(Arc::ptr_eq(
        chain.apply(&frame, Timestamp::ZERO, false, &WorkerPool::alone()).shared(),
        frame.shared()
    ));
}

#[test]
fn a_still_frame_is_filtered_once_and_nothing_is_allocated_once_warm() {
    let mut chain = Chain::default();
    // The last filter is the one that is changed below.
    let mut filters = Filter::kinds();
    // The background changes when its thread has looked at the frame.
    filters.retain(|filter| !matches!(filter.kind(), "luma-key" | "background"));
    filters.extend(Filter::of_kind("luma-key"));
    chain.set(&wanted(filters.clone()));
    let frame = frame_of(Size::new(64, 36), Color::WEBCAM);
    let first = chain.apply(&frame, Timestamp::ZERO, false, &WorkerPool::alone());
    assert!(Arc::ptr_eq(
        first.shared(),
        chain.apply(&frame, Timestamp::ZERO, false, &WorkerPool::alone()).shared()
    ));
    // Only the last filter changed: the filters before it are not run again.
    let before = chain
        .links
        .iter()
        .map(|link| link.made.as_ref().map(|it| it.frame.planes().y.as_ptr() as usize))
        .collect::<Vec<_>>();
    let mut other = filters;
    if let Some(filter) = other.last_mut() {
        filter.set("low", 0.3);
    }
    chain.set(&wanted(other));
    assert!(!Arc::ptr_eq(
        first.shared(),
        chain.apply(&frame, Timestamp::ZERO, false, &WorkerPool::alone()).shared()
    ));
    let after = chain
        .links
        .iter()
        .map(|link| link.made.as_ref().map(|it| it.frame.planes().y.as_ptr() as usize))
        .collect::<Vec<_>>();
    assert_eq!(before[..before.len() - 1], after[..after.len() - 1]);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..40 {
        let out = chain.apply(
            &frame_of(Size::new(64, 36), Color::WEBCAM),
            Timestamp::ZERO,
            false,
            &WorkerPool::alone(),
        );
        seen.insert(out.planes().y.as_ptr() as usize);
    }
    assert!(seen.len() <= 3, "{} buffers", seen.len());
}

#[test]
fn what_waited_behind_a_mask_that_was_being_read_is_never_seen() {
    let masked = |material: Option<AssetSupply>| {
        let mask = Filter::of_kind("mask").unwrap();
        let mut list = wanted([mask, Filter::Delay { ms: 100.0 }]);
        list[0].material = material.unwrap_or_else(|| list[0].material.clone());
        list
    };
    let mut chain = Chain::default();
    chain.set(&masked(Some(AssetSupply::Coming)));
    let frame = frame_of(Size::new(20, 10), Color::PROGRAM);
    let apply = |chain: &mut Chain, n: i64| {
        chain.apply(&frame, Timestamp::from_millis(40 * n), false, &WorkerPool::alone())
    };
    (0..5).for_each(|n| drop(apply(&mut chain, n)));
    chain.set(&masked(None));
    for n in 5..10 {
        let alpha = apply(&mut chain, n).planes().alpha.clone();
        assert!(alpha.is_some_and(|alpha| alpha.iter().all(|it| *it == 0)), "{n}");
    }
}

/// Returns the output frame at each of `count` steps, 40 ms apart, with these delays.
fn delayed(lengths: impl Fn(usize) -> Vec<f32>, count: usize) -> Vec<usize> {
    let mut chain = Chain::default();
    let mut made = Vec::new();
    let out = (0..count).map(|n| {
        chain.set(&wanted(lengths(n).into_iter().map(|ms| Filter::Delay { ms })));
        let frame = frame_of(Size::new(2, 2), Color::PROGRAM);
        let at = Timestamp::from_millis(40 * n as i64);
        let out = chain.apply(&frame, at, false, &WorkerPool::alone());
        made.push(Arc::clone(frame.shared()));
        made.iter().position(|it| Arc::ptr_eq(it, out.shared())).unwrap()
    });
    out.collect()
}

#[test]
fn a_delay_keeps_what_waits_while_its_length_is_drawn() {
    // The other delay stays unchanged. 100 to 111 ms are three frames; 80 ms are two more.
    let seen = delayed(|n| vec![100.0 + n as f32, 80.0], 12);
    assert_eq!(seen, [0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6]);
    // One of two equal delays is changed: the first or the second.
    for drawn in [[101.0, 100.0], [100.0, 101.0]] {
        let seen = delayed(|n| if n < 9 { vec![100.0; 2] } else { drawn.into() }, 14);
        assert_eq!(seen, [0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7], "{drawn:?}");
    }
    // A second delay is inserted before the first delay and removed again. Three frames wait in the
    // first delay all the time.
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
        VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, surface: planes.into() }
    };
    let denoise = |temporal| Filter::Denoise { spatial: 0.0, temporal };
    let see = |chain: &mut Chain, filter: Filter, frame: &VideoFrame| {
        chain.set(&wanted([filter]));
        let out = chain.apply(frame, Timestamp::ZERO, false, &WorkerPool::alone());
        out.planes().y[64]
    };
    let mut chain = Chain::default();
    assert_eq!(see(&mut chain, denoise(1.0), &grey(100, 100)), 100);
    // The noise is 4: the remembered frames suppress it at each step of the slider.
    let held = see(&mut chain, denoise(0.9), &grey(104, 104));
    assert!((100..103).contains(&held), "{held}");
    // After the filter was switched off completely, it begins again.
    assert_eq!(see(&mut chain, denoise(0.0), &grey(104, 104)), 104);
    assert_eq!(see(&mut chain, denoise(1.0), &grey(108, 108)), 108);

    use crate::compose::filter::deinterlace::{Deinterlacing, Field};
    let woven = |mode, field| Filter::Deinterlace { mode, field };
    let mut chain = Chain::default();
    // Static lines are kept, for either field.
    let still = woven(Deinterlacing::Adaptive, Field::Top);
    see(&mut chain, still.clone(), &grey(50, 200));
    let kept = see(&mut chain, still, &grey(50, 200));
    let turned = see(&mut chain, woven(Deinterlacing::Adaptive, Field::Bottom), &grey(50, 200));
    assert_eq!((kept, turned), (200, 200));
    let first = |chain: &Chain| chain.links[0].made.as_ref().unwrap().frame.planes().y[0];
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
fn what_hides_something_covers_the_frame_while_its_file_is_not_there() {
    let cover = |kinds: &[(&str, bool, AssetSupply)]| {
        let wanted = kinds.iter().map(|(kind, enabled, material)| {
            let filter = Filter::of_kind(kind).unwrap();
            WantedFilter { slot: Slot { enabled: *enabled, filter }, material: material.clone() }
        });
        let mut chain = Chain::default();
        chain.set(&wanted.collect::<Vec<_>>());
        // A cover implies that the chain is not empty.
        assert!(chain.cover().is_none() || !chain.is_empty());
        chain.cover()
    };
    let there = AssetSupply::There(TEST_ASSETS[1].clone());
    let (coming, lacking) = (AssetSupply::Coming, AssetSupply::Lacking);
    assert_eq!(cover(&[("mask", true, coming.clone())]), Some(Cover::Nothing));
    assert_eq!(cover(&[("mask", true, lacking.clone())]), Some(Cover::Placeholder));
    let both = [("mask", true, lacking.clone()), ("mask", true, coming.clone())];
    assert_eq!(cover(&both), Some(Cover::Placeholder));
    assert_eq!(cover(&[("mask", false, lacking.clone())]), None, "it is off");
    assert_eq!(cover(&[("mask", true, there)]), None);
    assert_eq!(cover(&[("mask", true, AssetSupply::Nothing)]), None, "no file is chosen yet");
    for kind in ["lut", "watermark"] {
        assert_eq!(cover(&[(kind, true, coming.clone()), (kind, true, lacking.clone())]), None);
    }
}

#[test]
fn a_filter_that_is_off_and_one_too_many_do_nothing() {
    let darker = |enabled| WantedFilter {
        material: AssetSupply::Nothing,
        slot: Slot {
            enabled,
            filter: Filter::Color(Correction { gain: 0.5, ..Correction::NO_CHANGE }),
        },
    };
    let mut chain = Chain::default();
    chain.set(&[darker(false)]);
    assert!(chain.is_empty());
    chain.set(&vec![darker(true); MAX_FILTERS * 2]);
    assert_eq!(chain.links.len(), MAX_FILTERS);
}
