//! The backlog of one output, measured by timestamps. If the output is too slow, inter frames up to
//! the next keyframe are dropped, while audio and keyframes are kept. Past a hard limit, the output
//! restarts at the newest keyframe. This module is pure.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::base::Timestamp;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::media::{ExtraRendition, Priority, Track};

/// Limits for the backlog, by timestamps and by size.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The duration above which frames without dependents are dropped.
    pub disposable: Duration,
    /// The duration above which inter frames up to the next keyframe are dropped.
    pub inter: Duration,
    /// The size in bytes below which no limit applies, because the system's buffer would hold that
    /// much.
    pub harmless: usize,
    /// The duration above which all packets are dropped, and the output restarts at the newest
    /// keyframe.
    pub reset: Duration,
    /// The hard limit in bytes.
    pub bytes: usize,
}

impl Limits {
    /// Limits for a network output, whose viewers prefer missing frames to falling behind.
    pub const LIVE: Self = Self {
        disposable: Duration::from_millis(700),
        inter: Duration::from_millis(900),
        harmless: 128 << 10,
        reset: Duration::from_secs(10),
        bytes: 32 << 20,
    };
    /// Limits for a file. A disk that stalls for half a minute causes no loss.
    pub const FILE: Self = Self {
        disposable: Duration::from_secs(30),
        inter: Duration::from_secs(30),
        harmless: 0,
        reset: Duration::from_secs(30),
        bytes: 128 << 20,
    };
    /// Limits for passthrough. There is no live edge to follow, so late packets are sent, not
    /// dropped. Only a link that is too slow for the file causes dropped frames.
    pub const PASSTHROUGH_LIMITS: Self = Self {
        disposable: Duration::from_secs(30),
        inter: Duration::from_secs(30),
        harmless: 128 << 10,
        reset: Duration::from_secs(60),
        bytes: 64 << 20,
    };
}

/// The queue of one output.
#[derive(Debug)]
pub(in crate::broadcast) struct Backlog {
    limits: Limits,
    tags: VecDeque<Arc<SharedPacket>>,
    bytes: usize,
    /// True while frames are dropped up to the next keyframe, because they depend on a dropped
    /// frame.
    awaiting_keyframe: bool,
    /// True while audio is dropped too, because a stream with video begins with a keyframe.
    awaiting_start: bool,
    /// The further renditions whose frames are dropped up to their next keyframe.
    incomplete: Incomplete,
    /// True if packets that are dropped until the start count as lost, because an earlier
    /// connection had begun.
    begun: bool,
    /// The last DTS and the duration of the initial packets, which arrive together and do not
    /// indicate a slow output.
    burst: Option<(crate::base::Timestamp, Duration)>,
    figures: Figures,
    /// The total of `dropped_audio` over all queues of an output.
    lost_audio: Arc<AtomicU64>,
}

/// The further renditions of which a frame is missing, by their places. A rendition that has not begun
/// is one of them.
type Incomplete = [bool; ExtraRendition::MAX];

/// Counters of an output.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Frames passed to the output.
    pub taken_frames: u64,
    /// Frames dropped because the output was too slow.
    pub dropped_frames: u64,
    /// Dropped audio packets. Audio is dropped only past the hard limit.
    pub dropped_audio: u64,
    /// The number of times that the hard limit was reached.
    pub resets: u64,
}

impl Backlog {
    /// Creates the queue of a new output. `begin` contains its first packets, which start with a
    /// keyframe, or is empty.
    pub fn new(limits: Limits, has_video: bool, begin: &[Arc<SharedPacket>]) -> Self {
        let burst = begin.first().zip(begin.last());
        let mut tags: VecDeque<_> = begin.iter().cloned().collect();
        let incomplete = complete([true; ExtraRendition::MAX], &mut tags);
        Self {
            limits,
            bytes: tags.iter().map(|tag| tag.size()).sum(),
            tags,
            awaiting_keyframe: has_video && begin.is_empty(),
            awaiting_start: has_video && begin.is_empty(),
            begun: false,
            burst: burst.map(|(first, last)| (last.dts, last.dts.since(first.dts))),
            figures: Figures::default(),
            lost_audio: Arc::default(),
            incomplete,
        }
    }

    /// Makes the queue also count dropped audio in `lost_audio`.
    pub fn counting(self, lost_audio: Arc<AtomicU64>) -> Self {
        Self { lost_audio, ..self }
    }

    /// Adds a packet to the backlog.
    pub fn push(&mut self, tag: &Arc<SharedPacket>) {
        if tag.starts_gop() {
            self.awaiting_keyframe = false;
            self.awaiting_start = false;
        } else if self.awaiting_start && !tag.leads {
            // If the output has never begun, no packet counts as lost.
            if self.begun {
                let is_audio = matches!(tag.track, Track::Audio | Track::Extra(_));
                self.missed(u64::from(tag.track == Track::Video), u64::from(is_audio));
            }
            return;
        } else if tag.track == Track::Video && self.awaiting_keyframe {
            self.figures.dropped_frames += 1;
            return;
        } else if let Some(its) = tag.extra_rendition()
            && let Some(is_incomplete) = self.incomplete.get_mut(its.place())
        {
            *is_incomplete &= !tag.keyframe;
            if *is_incomplete {
                return;
            }
        }
        self.bytes += tag.size();
        self.tags.push_back(Arc::clone(tag));
        let allowed = self.allowed_burst();
        let many = self.bytes > self.limits.harmless;
        if many && self.queued() > self.limits.disposable + allowed {
            self.discard(|tag| tag.priority == Priority::Disposable);
        }
        if many && self.queued() > self.limits.inter + allowed {
            self.drop_to_keyframe();
        }
        if self.queued() > self.limits.reset + allowed || self.bytes > self.limits.bytes {
            self.reset();
        }
    }

    /// Restarts for a new connection, with the first keyframe in the backlog, or with the next one.
    /// Without video, the connection begins with the backlog.
    pub fn begin_anew(&mut self, has_video: bool) {
        self.begun = true;
        if !has_video {
            return;
        }
        let key = self.tags.iter().position(|tag| tag.starts_gop());
        let mut kept = key.map(|at| self.tags.split_off(at));
        self.discard(|_| true);
        let none = [true; ExtraRendition::MAX];
        self.missing(kept.as_mut().map_or(none, |kept| complete(none, kept)));
        self.awaiting_keyframe = kept.is_none();
        self.awaiting_start = kept.is_none();
        self.tags = kept.unwrap_or_default();
        self.bytes = self.tags.iter().map(|tag| tag.size()).sum();
    }

    /// Removes and returns the next packet to send.
    pub fn pop(&mut self) -> Option<Arc<SharedPacket>> {
        let tag = self.tags.pop_front()?;
        self.bytes = self.bytes.saturating_sub(tag.size());
        self.figures.taken_frames += u64::from(tag.track == Track::Video);
        Some(tag)
    }

    /// Returns the number of waiting frames.
    pub fn frames(&self) -> usize {
        self.tags.iter().filter(|tag| tag.track == Track::Video).count()
    }

    /// Removes and returns the next audio packet up to `until`, regardless of the packets before
    /// it.
    pub fn pop_audio(&mut self, until: crate::base::Timestamp) -> Option<Arc<SharedPacket>> {
        let at = self.tags.iter().position(|tag| tag.track == Track::Audio)?;
        let tag = self.tags.get(at).filter(|tag| tag.dts <= until)?;
        self.bytes = self.bytes.saturating_sub(tag.size());
        self.tags.remove(at)
    }

    /// Returns the next packet, without removing it.
    pub fn peek(&self) -> Option<&Arc<SharedPacket>> {
        self.tags.front()
    }

    /// Returns the duration of the backlog.
    pub fn queued(&self) -> Duration {
        self.span().map_or(Duration::ZERO, |(oldest, newest)| newest.since(oldest))
    }

    /// Returns the DTS of the oldest and of the newest waiting packet.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.tags.front()?.dts, self.tags.back()?.dts))
    }

    /// Returns the number of waiting packets.
    pub fn len(&self) -> usize {
        self.tags.len()
    }

    /// Returns the counters of the backlog.
    pub fn figures(&self) -> Figures {
        self.figures
    }

    /// Returns the duration of the initial packets while any of them waits, otherwise zero.
    fn allowed_burst(&mut self) -> Duration {
        match (self.burst, self.tags.front()) {
            (Some((until, span)), Some(first)) if first.dts <= until => span,
            _ => {
                self.burst = None;
                Duration::ZERO
            }
        }
    }

    /// Drops the inter frames before the newest keyframe. If there is no keyframe, or if the newest
    /// keyframe is too old, drops all inter frames, and also later inter frames up to the next
    /// keyframe.
    fn drop_to_keyframe(&mut self) {
        let newest = self.tags.back().map(|tag| tag.dts).unwrap_or_default();
        let fresh =
            |tag: &SharedPacket| tag.starts_gop() && newest.since(tag.dts) <= self.limits.inter;
        match self.tags.iter().rposition(|tag| fresh(tag)) {
            Some(at) => {
                let mut kept = self.tags.split_off(at);
                let (_, broken) = self.discard(|tag| tag.priority < Priority::Key);
                self.missing(complete(broken, &mut kept));
                self.bytes += kept.iter().map(|tag| tag.size()).sum::<usize>();
                self.tags.extend(kept);
            }
            None => {
                let (frames, broken) = self.discard(|tag| tag.priority < Priority::Key);
                self.missing(broken);
                self.awaiting_keyframe |= frames > 0;
            }
        }
    }

    /// Restarts at the newest keyframe, or at the next one, because the output is too far behind.
    fn reset(&mut self) {
        self.figures.resets += 1;
        let newest = self.tags.back().map(|tag| tag.dts).unwrap_or_default();
        let kept = match self.tags.iter().rposition(|tag| tag.starts_gop()) {
            Some(at) => self.tags.split_off(at),
            None => VecDeque::new(),
        };
        let late = kept.front().is_none_or(|key| newest.since(key.dts) > self.limits.inter);
        let kept_bytes: usize = kept.iter().map(|tag| tag.size()).sum();
        let mut stays = if late || kept_bytes > self.limits.bytes {
            self.tags.extend(kept);
            VecDeque::new()
        } else {
            kept
        };
        let (frames, broken) = self.discard(|_| true);
        self.missing(complete(broken, &mut stays));
        self.awaiting_keyframe = stays.is_empty() && (frames > 0 || self.awaiting_keyframe);
        self.bytes = stays.iter().map(|tag| tag.size()).sum();
        self.tags = stays;
    }

    /// Drops the packets that `which` selects. Returns the number of frames among them, and the
    /// further renditions that need a keyframe after the remaining packets. Updates `bytes`.
    fn discard(&mut self, which: impl Fn(&SharedPacket) -> bool) -> (u64, Incomplete) {
        let mut frames = 0;
        let mut audio = 0;
        let mut broken = Incomplete::default();
        self.tags.retain(|tag| {
            let mut gone = which(tag);
            match tag.track {
                Track::Video => frames += u64::from(gone),
                Track::Audio | Track::Extra(_) => audio += u64::from(gone),
                Track::Rendition(its) => {
                    if let Some(broken) = broken.get_mut(its.place()) {
                        let is_needed = tag.priority != Priority::Disposable;
                        *broken = (*broken && !tag.keyframe) || gone && is_needed;
                        gone |= *broken;
                    }
                }
            }
            !gone
        });
        self.bytes = self.tags.iter().map(|tag| tag.size()).sum();
        self.missed(frames, audio);
        (frames, broken)
    }

    /// Drops the next frames of these renditions up to their keyframes.
    fn missing(&mut self, renditions: Incomplete) {
        self.incomplete.iter_mut().zip(renditions).for_each(|(is, missing)| *is |= missing);
    }

    fn missed(&mut self, frames: u64, audio: u64) {
        self.figures.dropped_frames += frames;
        self.figures.dropped_audio += audio;
        self.lost_audio.fetch_add(audio, Ordering::Relaxed);
    }
}

/// Drops the frames of incomplete further renditions up to their keyframes. Returns the renditions
/// that are still incomplete.
fn complete(mut incomplete: Incomplete, tags: &mut VecDeque<Arc<SharedPacket>>) -> Incomplete {
    tags.retain(|tag| {
        let its = tag.extra_rendition().and_then(|its| incomplete.get_mut(its.place()));
        its.is_none_or(|is_incomplete| {
            *is_incomplete &= !tag.keyframe;
            !*is_incomplete
        })
    });
    incomplete
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broadcast::hub::gop::tests::{packet, tag};
    use crate::media::EncodedPacket;

    fn limits() -> Limits {
        Limits { bytes: 1 << 20, harmless: 0, ..Limits::LIVE }
    }

    /// Feeds both tracks of a stream from `from` to `to` (in ms): frames of 40 ms and audio of 20
    /// ms.
    fn feed(backlog: &mut Backlog, from: i64, to: i64) {
        for dts in (from..to).step_by(20) {
            if dts % 40 == 0 {
                backlog.push(&tag(Track::Video, dts));
            }
            backlog.push(&tag(Track::Audio, dts));
        }
    }

    fn take(backlog: &mut Backlog) -> (Vec<i64>, Vec<i64>) {
        let (mut video, mut audio) = (Vec::new(), Vec::new());
        while let Some(tag) = backlog.pop() {
            match tag.track {
                Track::Video => video.push(tag.dts.as_millis()),
                Track::Audio | Track::Extra(_) => audio.push(tag.dts.as_millis()),
                Track::Rendition(_) => {}
            }
        }
        (video, audio)
    }

    #[test]
    fn begins_with_a_keyframe_and_nothing_before_it() {
        let mut backlog = Backlog::new(limits(), true, &[]);
        feed(&mut backlog, 1_960, 2_060);
        let (video, audio) = take(&mut backlog);
        assert_eq!(video, [2_000, 2_040]);
        assert_eq!(audio, [2_000, 2_020, 2_040]);
        assert_eq!(backlog.figures().dropped_frames, 0);
    }

    #[test]
    fn audio_is_taken_past_the_frames_before_it_up_to_a_time() {
        let mut backlog = Backlog::new(limits(), true, &[]);
        feed(&mut backlog, 0, 120);
        let until = crate::base::Timestamp::from_millis(60);
        let popped: Vec<_> = std::iter::from_fn(|| backlog.pop_audio(until)).collect();
        assert_eq!(
            popped.iter().map(|tag| tag.dts.as_millis()).collect::<Vec<_>>(),
            [0, 20, 40, 60]
        );
        assert!(popped.iter().all(|tag| tag.track == Track::Audio));
        assert_eq!(take(&mut backlog), (vec![0, 40, 80], vec![80, 100]));
        assert_eq!((backlog.bytes, backlog.len()), (0, 0));
    }

    #[test]
    fn a_slow_output_loses_inter_frames_down_to_a_keyframe_and_nothing_else() {
        let mut backlog = Backlog::new(limits(), true, &[]);
        feed(&mut backlog, 0, 3_500);
        let (video, audio) = take(&mut backlog);
        // All keyframes are present, and each inter frame follows its predecessor.
        assert_eq!(video.iter().filter(|dts| **dts % 2_000 == 0).count(), 2);
        assert!(
            video.windows(2).all(|pair| pair[1] % 2_000 == 0 || pair[1] - pair[0] == 40),
            "{video:?}"
        );
        assert_eq!(audio.len(), 3_500 / 20);
        let figures = backlog.figures();
        assert_eq!(figures.taken_frames + figures.dropped_frames, 3_500_u64.div_ceil(40));
        assert!(figures.dropped_frames > 0 && figures.resets == 0);
        assert_eq!((backlog.bytes, backlog.len()), (0, 0));
    }

    #[test]
    fn a_small_stream_loses_nothing_while_a_system_would_hold_it() {
        let limits = Limits { harmless: 4_000, ..limits() };
        let mut backlog = Backlog::new(limits, true, &[]);
        feed(&mut backlog, 0, 20);
        let each = backlog.bytes / 2;
        // In 40 ms there are two packets of the main tracks (a frame and audio), and one more audio
        // packet.
        let fits = i64::try_from(4_000 / each).unwrap() / 3 * 40;
        assert!(fits > 1_000, "{fits} ms");
        feed(&mut backlog, 20, fits);
        assert_eq!(backlog.figures().dropped_frames, 0);
        feed(&mut backlog, fits, fits + 500);
        assert!(backlog.figures().dropped_frames > 0);
    }

    #[test]
    fn frames_flow_again_from_the_keyframe_that_follows() {
        let mut backlog = Backlog::new(limits(), true, &[]);
        feed(&mut backlog, 0, 1_500);
        take(&mut backlog);
        feed(&mut backlog, 1_500, 2_400);
        let (video, _) = take(&mut backlog);
        assert_eq!(video.first(), Some(&2_000));
        assert_eq!(video.len(), 10);
    }

    #[test]
    fn the_hard_limit_starts_afresh_at_the_newest_keyframe() {
        let mut backlog = Backlog::new(limits(), true, &[]);
        feed(&mut backlog, 0, 60_000);
        assert!(backlog.queued() <= Limits::LIVE.reset);
        let figures = backlog.figures();
        assert!(figures.resets > 0 && figures.dropped_audio > 0);
        let (video, _) = take(&mut backlog);
        assert_eq!(video.first().map(|dts| dts % 2_000), Some(0));

        // The memory stays bounded even without any keyframe.
        let mut backlog = Backlog::new(Limits { bytes: 2_000, ..limits() }, false, &[]);
        for dts in 0..10_000 {
            backlog.push(&tag(Track::Audio, dts));
            assert!(backlog.bytes <= 2_000);
        }
    }

    #[test]
    fn of_a_file_nothing_is_lost_that_a_link_brings_later() {
        let mut backlog = Backlog::new(Limits::PASSTHROUGH_LIMITS, true, &[]);
        feed(&mut backlog, 0, 20_000);
        let (video, audio) = take(&mut backlog);
        assert_eq!((video.len(), audio.len()), (500, 1_000));
        // A backlog above its limit is reported and bounded.
        let mut backlog =
            Backlog::new(Limits { harmless: 0, ..Limits::PASSTHROUGH_LIMITS }, true, &[]);
        feed(&mut backlog, 0, 200_000);
        assert!(
            backlog.queued() <= Limits::PASSTHROUGH_LIMITS.reset
                && backlog.figures().dropped_frames > 0
        );
    }

    #[test]
    fn another_connection_begins_with_a_keyframe_and_what_it_misses_is_counted() {
        let mut backlog = Backlog::new(Limits::PASSTHROUGH_LIMITS, true, &[]);
        feed(&mut backlog, 0, 2_400);
        backlog.pop();
        backlog.begin_anew(true);
        assert_eq!(backlog.figures().dropped_frames, 49);
        let (video, audio) = take(&mut backlog);
        assert_eq!((video.len(), audio.len()), (10, 20));
        feed(&mut backlog, 2_400, 3_000);
        backlog.begin_anew(true);
        feed(&mut backlog, 3_000, 4_040);
        // Without a waiting keyframe, the output restarts at the next one.
        assert_eq!(take(&mut backlog), (vec![4_000], vec![4_000, 4_020]));
        let Figures { taken_frames, dropped_frames, .. } = backlog.figures();
        assert_eq!((taken_frames, dropped_frames), (12, 89), "each is one or the other");
        assert_eq!((backlog.bytes, backlog.len()), (0, 0));
        let mut backlog = Backlog::new(Limits::PASSTHROUGH_LIMITS, false, &[]);
        backlog.push(&tag(Track::Audio, 0));
        backlog.begin_anew(false);
        assert_eq!(backlog.len(), 1);
    }

    #[test]
    fn the_burst_at_the_beginning_is_no_sign_of_slowness() {
        let begin: Vec<_> = (0..49).map(|n| tag(Track::Video, n * 40)).collect();
        let mut backlog = Backlog::new(limits(), true, &begin);
        feed(&mut backlog, 1_960, 2_400);
        assert_eq!(backlog.figures().dropped_frames, 0);
        feed(&mut backlog, 2_400, 4_000);
        assert!(backlog.figures().dropped_frames > 0);
    }

    /// A frame of a further rendition.
    fn further(dts: i64, keyframe: bool) -> Arc<SharedPacket> {
        let track = Track::Rendition(ExtraRendition::at(0).unwrap());
        let priority = if keyframe { Priority::Key } else { Priority::Inter };
        let packet = EncodedPacket { track, keyframe, priority, ..packet(Track::Video, dts) };
        Arc::new(SharedPacket::new(packet))
    }

    /// Takes the frames of the main and of the further rendition.
    fn both(backlog: &mut Backlog) -> [Vec<i64>; 2] {
        let (mut main, mut other) = (Vec::new(), Vec::new());
        while let Some(tag) = backlog.pop() {
            match tag.track {
                Track::Video => main.push(tag.dts.as_millis()),
                Track::Rendition(_) => other.push(tag.dts.as_millis()),
                Track::Audio | Track::Extra(_) => {}
            }
        }
        [main, other]
    }

    #[test]
    fn a_further_rendition_begins_with_its_keyframe() {
        let begin = [tag(Track::Video, 0), further(0, false), tag(Track::Video, 40)];
        let mut backlog = Backlog::new(limits(), true, &begin);
        backlog.push(&further(40, false));
        backlog.push(&further(80, true));
        backlog.push(&further(120, false));
        assert_eq!(both(&mut backlog), [vec![0, 40], vec![80, 120]]);
        let begin = [tag(Track::Video, 0), further(0, true), further(40, false)];
        let mut backlog = Backlog::new(limits(), true, &begin);
        backlog.push(&further(80, false));
        assert_eq!(both(&mut backlog), [vec![0], vec![0, 40, 80]]);
        assert_eq!(backlog.figures().dropped_audio, 0);
    }

    #[test]
    fn no_frame_of_a_further_rendition_is_sent_without_those_before_it() {
        // The keyframe of the further rendition comes with that of the main one, or later.
        for late in [0, 80] {
            let mut backlog = Backlog::new(limits(), true, &[]);
            for dts in (0..2_400).step_by(40) {
                backlog.push(&tag(Track::Video, dts));
                backlog.push(&further(dts, dts == 0 || dts == 2_000 + late));
            }
            let [main, other] = both(&mut backlog);
            let after: Vec<i64> = (2_000..2_400).step_by(40).collect();
            assert_eq!(main, [vec![0], after.clone()].concat(), "{late}");
            let after: Vec<i64> = after.into_iter().filter(|dts| *dts >= 2_000 + late).collect();
            assert_eq!(other, [vec![0], after].concat(), "{late}");
        }
    }

    #[test]
    fn a_further_rendition_begins_again_with_a_new_connection() {
        let mut backlog = Backlog::new(limits(), true, &[]);
        for dts in [0, 40, 80] {
            backlog.push(&tag(Track::Video, dts));
            backlog.push(&further(dts, dts == 0));
        }
        backlog.pop();
        backlog.pop();
        backlog.begin_anew(true);
        backlog.push(&tag(Track::Video, 2_000));
        backlog.push(&further(2_000, false));
        backlog.push(&further(2_040, true));
        assert_eq!(both(&mut backlog), [vec![2_000], vec![2_040]]);
    }
}
