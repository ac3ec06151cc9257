//! Selects a part of a file, cut at keyframes, without encoding.

use std::time::Duration;

use crate::base::Timestamp;
use crate::wire::container::{Index, SampleLocation, TrackId};

/// The part of a file to keep, in the file's own time.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// The time of the beginning, which is moved to the last keyframe at or before this time.
    pub from: Duration,
    /// The end; `None` means the end of the file.
    pub to: Option<Duration>,
}

impl Cut {
    /// Keeps the samples of the part, shifts them to zero, and returns the original beginning.
    pub(super) fn apply(&self, index: &mut Index) -> Duration {
        // Audio before time zero is the codec's delay, but players still count from zero.
        let first = index.samples.iter().map(|place| place.pts).min().unwrap_or_default();
        let zero = first.max(Timestamp::ZERO);
        let within = |at: Duration| zero.offset(i64::try_from(at.as_micros()).unwrap_or(i64::MAX));
        let ends = |at: Timestamp| self.to.is_some_and(|to| at >= within(to));
        let latest = index.samples.iter().map(|place| place.pts).max().unwrap_or_default();
        if within(self.from) > latest {
            // There are no samples this late.
            index.samples.clear();
            index.chapters.clear();
            return self.from;
        }
        // A part from the beginning keeps its timestamps unchanged.
        let key =
            (!self.from.is_zero()).then(|| keyframe_before(index, within(self.from))).flatten();
        // The frames from a hidden keyframe on stay hidden, up to the beginning.
        let key = key.filter(|key| index.shows(key.pts));
        if !self.from.is_zero() {
            index.shown_from = index.shown_from.filter(|_| key.is_none()).map(|_| Timestamp::ZERO);
        }
        let begin = match (&key, self.from.is_zero()) {
            (_, true) => first,
            (Some(key), false) => key.pts,
            (None, false) => within(self.from),
        };
        // Frames after the end are kept only if a frame that is displayed earlier may depend on
        // them.
        let seen = index.samples.iter().filter(|it| it.track == TrackId::Video && !ends(it.pts));
        let last = seen.map(|place| place.dts).max();
        index.samples.retain(|place| match place.track {
            // Frames that are displayed before the keyframe depend on earlier frames, even if they are
            // decoded after it.
            TrackId::Video => {
                let follows = |key: &SampleLocation| place.dts >= key.dts && place.pts >= key.pts;
                key.as_ref().is_none_or(follows) && Some(place.dts) <= last
            }
            TrackId::Audio(_) => place.pts >= begin && !ends(place.pts),
        });
        index.chapters.retain(|chapter| chapter.at >= begin && !ends(chapter.at));
        if self.from.is_zero() {
            return Duration::ZERO;
        }
        let back = begin.as_micros().saturating_neg();
        for place in &mut index.samples {
            (place.dts, place.pts) = (place.dts.offset(back), place.pts.offset(back));
        }
        for chapter in &mut index.chapters {
            chapter.at = chapter.at.offset(back);
        }
        begin.since(zero)
    }
}

/// Returns the last keyframe at or before this time, or else the first one.
fn keyframe_before(index: &Index, at: Timestamp) -> Option<SampleLocation> {
    let keys = || index.samples.iter().filter(|it| it.track == TrackId::Video && it.keyframe);
    keys().rfind(|place| place.pts <= at).or_else(|| keys().next()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Chapter;

    fn sample(track: TrackId, millis: (i64, i64), keyframe: bool) -> SampleLocation {
        let (dts, pts) = (Timestamp::from_millis(millis.0), Timestamp::from_millis(millis.1));
        SampleLocation { track, keyframe, dts, pts, at: 0, size: 1 }
    }

    /// Makes an index of ten seconds at 10 fps with a keyframe every two seconds, and audio every
    /// 100 ms. The frame after each keyframe is displayed before it.
    fn index() -> Index {
        let mut samples = Vec::new();
        for number in 0..100 {
            let at = number * 100;
            let shown = if number % 20 == 1 { at - 150 } else { at };
            samples.push(sample(TrackId::Video, (at - 200, shown), number % 20 == 0));
            samples.push(sample(TrackId::Audio(0), (at, at), true));
        }
        let chapter = |at| Chapter { at: Timestamp::from_millis(at), title: String::new() };
        let chapters = [1_000, 4_500, 9_000].map(chapter).to_vec();
        let mut index = Index { samples, chapters, ..Index::default() };
        index.samples.retain(|place| place.pts >= Timestamp::ZERO);
        index.arrange();
        index
    }

    fn cut(from: u64, to: Option<u64>) -> (Duration, Index) {
        let mut index = index();
        let cut = Cut { from: Duration::from_millis(from), to: to.map(Duration::from_millis) };
        (cut.apply(&mut index), index)
    }

    fn of(index: &Index, track: TrackId) -> Vec<i64> {
        let all = index.samples.iter().filter(|place| place.track == track);
        all.map(|place| place.pts.as_micros() / 1_000).collect()
    }

    #[test]
    fn a_part_begins_at_a_keyframe_and_at_zero() {
        let (begun, part) = cut(5_300, Some(8_000));
        assert_eq!(begun, Duration::from_secs(4));
        let video = of(&part, TrackId::Video);
        // The frame that is displayed before the keyframe depends on the removed part.
        assert_eq!(video.first_chunk(), Some(&[0, 200, 300]));
        // The last frame depends on the keyframe that is displayed after it.
        assert_eq!(video.last_chunk(), Some(&[3_900, 4_000, 3_950]));
        let audio = of(&part, TrackId::Audio(0));
        assert_eq!((audio.first(), audio.last()), (Some(&0), Some(&3_900)));
        let chapters: Vec<_> = part.chapters.iter().map(|it| it.at.as_micros()).collect();
        assert_eq!(chapters, [500_000]);
    }

    #[test]
    fn a_part_without_limits_is_the_whole() {
        let (begun, part) = cut(0, None);
        assert_eq!((begun, part.samples.len()), (Duration::ZERO, index().samples.len()));
        // There is nothing after the end.
        assert!(cut(60_000, None).1.samples.is_empty());
        assert!(cut(3_000, Some(1_000)).1.samples.is_empty());
        // Audio before the first frame is kept in a part from the beginning.
        let (begun, part) = cut(0, Some(1_000));
        assert_eq!(begun, Duration::ZERO);
        assert_eq!(of(&part, TrackId::Audio(0)).first_chunk(), Some(&[0, 100]));
        assert_eq!(of(&part, TrackId::Video).iter().filter(|at| **at < 1_000).count(), 9);
    }

    #[test]
    fn hidden_frames_stay_hidden_in_a_part() {
        let mut index = index();
        index.shown_from = Some(Timestamp::from_millis(5_000));
        let cut = Cut { from: Duration::from_millis(5_500), to: None };
        assert_eq!(cut.apply(&mut index), Duration::from_millis(5_500));
        assert_eq!(index.shown_from, Some(Timestamp::ZERO));
        assert_eq!(of(&index, TrackId::Video)[0], -5_500);
        // All frames of a later part are shown.
        let mut index = self::index();
        index.shown_from = Some(Timestamp::from_millis(5_000));
        let cut = Cut { from: Duration::from_millis(7_000), to: None };
        assert_eq!(cut.apply(&mut index), Duration::from_millis(6_000));
        assert_eq!(index.shown_from, None);
    }

    #[test]
    fn audio_alone_is_cut_where_it_is_asked_for() {
        let mut index = index();
        index.samples.retain(|place| place.track != TrackId::Video);
        let cut = Cut { from: Duration::from_millis(1_250), to: Some(Duration::from_secs(2)) };
        assert_eq!(cut.apply(&mut index), Duration::from_millis(1_250));
        assert_eq!(of(&index, TrackId::Audio(0)).first_chunk(), Some(&[50, 150]));
    }
}
