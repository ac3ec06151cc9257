//! Replaces an audio source while it is silent or lost. The feed keeps reading the source, and
//! plays the source again from its first audible sample, independently of the component that opens
//! or closes the fallback.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::audio::signal_watch::SignalWatch;
use crate::audio::source::Source;
use crate::base::{Timestamp, partial_debug};
use crate::media::source_status::{SourceAlarm, SourceReport, SourceState, SourceStatus};
use crate::media::{AudioFeed, Pulled};

/// Returns true if a source in this state is inaudible.
pub fn is_out(report: &SourceReport) -> bool {
    is_out_by(report.state, report.alarm)
}

fn is_out_by(state: SourceState, alarm: Option<SourceAlarm>) -> bool {
    state.is_down() || alarm.is_some_and(SourceAlarm::is_silence)
}

/// Sets or removes the fallback of a source.
#[derive(Clone, Default)]
pub struct AudioFallback(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// True if a fallback exists for silence, so that silence must be detected.
    wanted: AtomicBool,
    /// True if the mixer has not taken the newest fallback yet.
    given: AtomicBool,
    other: Mutex<Option<Box<dyn AudioFeed>>>,
}

partial_debug!(AudioFallback {});

impl AudioFallback {
    /// Sets whether to detect silence of the source.
    pub fn set_wanted(&self, wanted: bool) {
        self.0.wanted.store(wanted, Ordering::Relaxed);
    }

    /// Sets the feed that plays while the source is silent. `None` removes the feed. The previous
    /// feed is dropped on the mixer's thread.
    pub fn give(&self, other: Option<Box<dyn AudioFeed>>) {
        let mut slot = self.0.other.lock();
        let before = std::mem::replace(&mut *slot, other);
        // The lock is still held, so the mixer takes the feed only together with this flag.
        self.0.given.store(true, Ordering::Release);
        drop(slot);
        // A previous fallback that was never taken.
        drop(before);
    }

    /// Wraps a source of this rate, and reports its silence as the alarm `silence`. The alarm is
    /// `None` if another component already detects silence.
    pub fn over(&self, source: Source, rate: u32, silence: Option<SourceAlarm>) -> Source {
        let Source { feed, status, transport } = source;
        let watch = silence.map(|it| SignalWatch::for_silence(Arc::clone(&status), rate, it));
        let shared = Arc::clone(&self.0);
        let its_status = Arc::clone(&status);
        let (other, share) = (None, 0.0);
        let feed = FallbackFeed {
            feed,
            watch,
            status: its_status,
            shared,
            other,
            share,
            block: Vec::new(),
        };
        Source { feed: Box::new(feed), status, transport }
    }
}

struct FallbackFeed {
    feed: Box<dyn AudioFeed>,
    watch: Option<SignalWatch>,
    status: Arc<SourceStatus>,
    shared: Arc<Shared>,
    other: Option<Box<dyn AudioFeed>>,
    /// The share of the fallback in the output. The share moves between 0 and 1 within a block, to
    /// avoid a click.
    share: f32,
    /// The current block of the fallback.
    block: Vec<f32>,
}

impl FallbackFeed {
    fn listen(&mut self, pulled: Pulled, block: &[f32]) {
        let wanted = self.shared.wanted.load(Ordering::Relaxed);
        match &mut self.watch {
            Some(watch) if !wanted => watch.rest(),
            Some(watch) if pulled == Pulled::Audio => watch.hear(block),
            Some(watch) => watch.miss(block),
            None => {}
        }
    }
}

impl AudioFeed for FallbackFeed {
    fn pull(&mut self, at: Timestamp, out: &mut [f32]) -> Pulled {
        let pulled = self.feed.pull(at, out);
        self.listen(pulled, out);
        if self.shared.given.load(Ordering::Acquire)
            && let Some(mut given) = self.shared.other.try_lock()
        {
            // A removed fallback still fades out in this block.
            if given.is_some() || self.share == 0.0 {
                self.shared.given.store(false, Ordering::Relaxed);
                self.other = given.take();
            }
        }
        let Some(other) = &mut self.other else {
            self.share = 0.0;
            return pulled;
        };
        self.block.clear();
        self.block.resize(out.len(), 0.0);
        let others = other.pull(at, &mut self.block);
        let leaves = self.shared.given.load(Ordering::Relaxed);
        let (state, alarm) = self.status.state_and_alarm();
        let to = if is_out_by(state, alarm) && !leaves { 1.0 } else { 0.0 };
        let step = (to - self.share) / out.len().max(1) as f32;
        for (own, theirs) in out.iter_mut().zip(&self.block) {
            self.share += step;
            *own += (theirs - *own) * self.share;
        }
        self.share = to;
        if to > 0.0 { others } else { pulled }
    }

    fn delay(&self) -> Duration {
        let other = self.other.as_ref().map_or(Duration::ZERO, |other| other.delay());
        self.feed.delay().max(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Transport;
    use crate::media::source_status::SourceFormat;

    /// A feed whose level is constant within each second, and which counts its requests.
    struct Level(fn(i64) -> f32, Arc<Mutex<usize>>);

    impl AudioFeed for Level {
        fn pull(&mut self, at: Timestamp, out: &mut [f32]) -> Pulled {
            *self.1.lock() += 1;
            out.fill(self.0(at.as_micros() / 1_000_000));
            Pulled::Audio
        }

        fn delay(&self) -> Duration {
            Duration::from_millis(20)
        }
    }

    fn level(of: fn(i64) -> f32) -> (Box<dyn AudioFeed>, Arc<Mutex<usize>>) {
        let asked = Arc::new(Mutex::new(0));
        (Box::new(Level(of, Arc::clone(&asked))), asked)
    }

    /// Creates a source that is silent for its first twelve seconds.
    fn source() -> (Source, Arc<Mutex<usize>>) {
        let status = SourceStatus::new("", "Voice");
        status.open(SourceFormat::Unknown);
        let (feed, asked) = level(|second| if second < 12 { 0.0 } else { 0.5 });
        (Source { feed, status, transport: Transport::default() }, asked)
    }

    /// Returns the last sample of each block between two seconds.
    fn ends(source: &mut Source, from: i64, to: i64) -> Vec<f32> {
        let blocks = (from * 100..to * 100).map(|block| {
            let mut out = [9.0; 480];
            source.feed.pull(Timestamp::from_micros(block * 10_000), &mut out);
            let jump = out.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
            assert!(jump < 0.01, "a click of {jump}");
            out[479]
        });
        blocks.collect()
    }

    #[test]
    fn the_fallback_plays_while_a_source_is_silent_and_ends_with_its_first_audio() {
        let (source, asked) = source();
        let stand_in = AudioFallback::default();
        let mut source = stand_in.over(source, 48_000, Some(SourceAlarm::PlayedSilent));
        assert!(ends(&mut source, 0, 6).iter().all(|it| *it == 0.0));
        assert!(!is_out(&source.status.report()), "nobody wants to know");
        stand_in.set_wanted(true);
        ends(&mut source, 6, 8);
        assert!(!is_out(&source.status.report()), "not for long enough");
        ends(&mut source, 8, 12);
        assert!(is_out(&source.status.report()));
        assert_eq!(source.status.report().alarm, Some(SourceAlarm::PlayedSilent));
        let (other, others) = level(|_| 0.25);
        stand_in.give(Some(other));
        let samples = ends(&mut source, 11, 12);
        assert!(samples[1..].iter().all(|it| (*it - 0.25).abs() < 1e-3), "{samples:?}");
        let samples = ends(&mut source, 12, 13);
        assert!((samples[0] - 0.5).abs() < 1e-3, "back at once: {}", samples[0]);
        assert_eq!(source.status.report().alarm, None);
        let counted = *others.lock();
        stand_in.give(None);
        assert!(ends(&mut source, 13, 14).iter().all(|it| (*it - 0.5).abs() < 1e-3));
        assert!(*others.lock() <= counted + 1, "closed");
        assert_eq!(*asked.lock(), 1_500, "it was listened to all the while");
    }

    #[test]
    fn the_fallback_replaces_a_lost_source_and_a_source_that_goes_away_fades() {
        let status = SourceStatus::new("", "Voice");
        let (feed, _) = level(|_| 0.0);
        let stand_in = AudioFallback::default();
        let source = Source { feed, status: Arc::clone(&status), transport: Transport::default() };
        // Another component detects the silence of this source.
        let mut source = stand_in.over(source, 48_000, None);
        stand_in.set_wanted(true);
        stand_in.give(Some(level(|_| 0.25).0));
        assert!(ends(&mut source, 0, 7).iter().all(|it| *it == 0.0), "it is not known to be out");
        status.down(SourceState::Lost, "gone", "");
        assert!((ends(&mut source, 7, 8)[99] - 0.25).abs() < 1e-3);
        stand_in.give(None);
        let samples = ends(&mut source, 8, 9);
        assert!(samples.iter().all(|it| it.abs() < 1e-3), "{samples:?}");
    }
}
