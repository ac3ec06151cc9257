//! All strips of the mixer: pulls a block from each strip, feeds side chains, and mixes the blocks
//! by time. This module has no thread and no clock: the mixer's loop calls it. The file is
//! long because its tests mix whole sets of strips.
//!
//! A strip can need an advance (a negative offset, a filter with look-ahead). In this case, all
//! other strips wait: the program is produced [`StripSet::lag`] after the newest audio, and each
//! strip's delay line returns the audio of the right time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::Timestamp;
use crate::media::ExtraTrack;
use crate::mix::block::Shape;
use crate::mix::meter::Meter;
use crate::mix::strip::{Channel, Strip};
use crate::mix::strip_id::StripId;

/// Maximum number of strips: 32 of the user, and one for stingers.
pub const MAX_STRIPS: usize = 33;

pub struct StripSet {
    shape: Shape,
    channels: Vec<Channel>,
    /// Strips that are never in monitoring.
    unmonitored: BTreeSet<StripId>,
    /// The sample after the newest stored sample, counted from the program's origin.
    end: i64,
}

/// The result of a block.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct StripBlock {
    /// True if no strip of the program had audio for the whole block.
    pub silent: bool,
}

impl StripSet {
    pub fn new(shape: Shape) -> Self {
        Self { shape, channels: Vec::new(), unmonitored: BTreeSet::new(), end: 0 }
    }

    /// Returns the strip with this id, and adds it if it does not exist. Returns `None` beyond
    /// [`MAX_STRIPS`].
    pub fn strip(
        &mut self,
        id: StripId,
        meter: impl FnOnce() -> Arc<Mutex<Meter>>,
    ) -> Option<&mut Channel> {
        match self.channels.iter().position(|channel| channel.id == id) {
            Some(index) => self.channels.get_mut(index),
            None if self.channels.len() >= MAX_STRIPS => None,
            None => {
                self.channels.push(Channel::new(id, self.shape, meter()));
                self.channels.last_mut()
            }
        }
    }

    pub fn remove(&mut self, id: StripId) {
        self.channels.retain(|channel| channel.id != id);
    }

    /// Leaves these strips out of monitoring, even while they are solo.
    pub fn set_unmonitored(&mut self, ids: BTreeSet<StripId>) {
        self.unmonitored = ids;
    }

    /// Returns true if any strip has a source.
    pub fn has_sources(&self) -> bool {
        self.channels.iter().any(Channel::has_source)
    }

    /// Returns true if a strip has a plugin.
    pub fn has_plugins(&self) -> bool {
        self.channels.iter().any(Channel::has_plugins)
    }

    /// Returns the time after the end of a block at which the block can be requested.
    pub fn delay(&self) -> Duration {
        self.channels.iter().map(Channel::delay).max().unwrap_or_default()
    }

    /// Returns the number of samples by which the program is behind its newest audio.
    pub fn lag(&self) -> i64 {
        self.channels.iter().map(Channel::early).max().unwrap_or(0).max(0)
    }

    /// Clears the stored audio, because the next block does not continue it.
    pub fn skip_to(&mut self, first: i64) {
        for channel in &mut self.channels {
            channel.forget();
        }
        self.end = first;
    }

    /// Pulls and stores the block that begins with sample `first`, at `at`. `behind` is the number
    /// of samples by which the program is behind the block. `behind` can exceed the current lag.
    pub fn take(&mut self, first: i64, at: Timestamp, frames: usize, behind: i64) -> StripBlock {
        let behind = self.lag().max(behind);
        for channel in &mut self.channels {
            channel.keep(behind, frames);
            channel.pull(at, frames);
        }
        for index in 0..self.channels.len() {
            // While a strip is processed, it reads the others. A muted one counts as silent.
            let (before, rest) = self.channels.split_at_mut(index);
            let Some((channel, after)) = rest.split_first_mut() else { break };
            channel.process(|id| {
                let mut others = before.iter().chain(after.iter());
                others.find(|other| other.id == id && !other.settings.muted).map(Channel::raw)
            });
        }
        self.end = first + frames as i64;
        let mut program = self.channels.iter().filter(|it| it.settings.monitoring.in_program());
        StripBlock { silent: program.all(|channel| channel.silent) }
    }

    /// Adds the program's block that begins with sample `first` to `out`.
    pub fn program(&self, first: i64, out: &mut [f32]) {
        self.add(first, |strip| strip.monitoring.in_program(), out);
    }

    /// Adds the program's block without one strip to `out`.
    pub fn program_without(&self, without: Option<StripId>, first: i64, out: &mut [f32]) {
        let included = self.channels.iter().filter(|channel| {
            channel.settings.monitoring.in_program() && Some(channel.id) != without
        });
        for channel in included {
            channel.add(self.end - first, out);
        }
    }

    /// Adds an extra track's block that begins with sample `first` to `out`.
    pub fn track(&self, track: ExtraTrack, first: i64, out: &mut [f32]) {
        self.add(first, |strip| strip.tracks.has(track), out);
    }

    fn add(&self, first: i64, is_included: impl Fn(&Strip) -> bool, out: &mut [f32]) {
        for channel in self.channels.iter().filter(|channel| is_included(&channel.settings)) {
            channel.add(self.end - first, out);
        }
    }

    /// Adds the operator's audio of the newest block to `out`.
    pub fn monitoring(&self, out: &mut [f32]) {
        let solo = self.channels.iter().any(|channel| channel.settings.solo);
        let frames = (out.len() / self.shape.channels) as i64;
        for channel in &self.channels {
            let Strip { solo: its, monitoring: mode, .. } = *channel.settings;
            let is_monitored = if solo { its } else { mode.is_monitored() };
            if is_monitored && !self.unmonitored.contains(&channel.id) {
                channel.add_newest(frames, out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::samples::micros_to_frames;
    use crate::media::{AudioFeed, ExtraTracks, Pulled};
    use crate::mix::filter::{Filter, Slot};
    use crate::mix::plugin::LinkState;
    use crate::mix::strip::MonitoringMode;

    const RATE_HZ: u32 = 48_000;
    const BLOCK_FRAMES: usize = 480;

    /// A source whose sample at this index is 1, and whose other samples are 0.
    struct Click(i64);

    impl AudioFeed for Click {
        fn pull(&mut self, at: Timestamp, out: &mut [f32]) -> Pulled {
            let first = micros_to_frames(at.as_micros(), RATE_HZ);
            for (index, sample) in (first..).zip(out) {
                *sample = if index == self.0 { 0.5 } else { 0.0 };
            }
            Pulled::Audio
        }

        fn delay(&self) -> Duration {
            Duration::ZERO
        }
    }

    /// A source with a constant level.
    struct Level(f32);

    impl AudioFeed for Level {
        fn pull(&mut self, _: Timestamp, out: &mut [f32]) -> Pulled {
            out.fill(self.0);
            Pulled::Audio
        }

        fn delay(&self) -> Duration {
            Duration::ZERO
        }
    }

    fn strip_set(strips: Vec<(Strip, Box<dyn AudioFeed>)>) -> StripSet {
        let mut strip_set = StripSet::new(Shape { rate: RATE_HZ, channels: 1 });
        for (id, (settings, feed)) in (0..).map(StripId).zip(strips) {
            let meter = || Arc::new(Mutex::new(Meter::default()));
            let channel = strip_set.strip(id, meter).unwrap();
            channel.set(Arc::new(settings));
            channel.set_feed(Some(feed));
        }
        strip_set
    }

    /// Returns the program's samples from the first possible sample on.
    fn run(strip_set: &mut StripSet, blocks: i64) -> Vec<f32> {
        changed(strip_set, blocks, |_, _| {})
    }

    /// Runs the strips like [`run`], with a change before each block.
    fn changed(
        strip_set: &mut StripSet,
        blocks: i64,
        mut change: impl FnMut(&mut StripSet, i64),
    ) -> Vec<f32> {
        let mut program = Vec::new();
        let mut next = 0;
        let frames = i64::from(strip_set.shape.rate) / 100;
        for block in 0..blocks {
            change(strip_set, block);
            let at = Timestamp::from_micros(block * 10_000);
            strip_set.take(block * frames, at, frames as usize, block * frames - next);
            for _ in 0..4 {
                if next + frames > strip_set.end - strip_set.lag() {
                    break;
                }
                let mut out = vec![0.0; frames as usize];
                strip_set.program(next, &mut out);
                program.extend(out);
                next += frames;
            }
        }
        program
    }

    /// A source in which the value of each sample is its position.
    struct Ramp {
        rate: u32,
    }

    const RAMP_STEP: f32 = 1.0 / 2_097_152.0;

    impl AudioFeed for Ramp {
        fn pull(&mut self, at: Timestamp, out: &mut [f32]) -> Pulled {
            let first = micros_to_frames(at.as_micros(), self.rate);
            for (index, sample) in (first..).zip(out) {
                *sample = index as f32 * RAMP_STEP;
            }
            Pulled::Audio
        }

        fn delay(&self) -> Duration {
            Duration::ZERO
        }
    }

    /// Returns the first sample of a program that differs from the ramp.
    fn astray(program: &[f32]) -> Option<(usize, f32)> {
        let wrong = |(index, sample): (usize, &f32)| {
            let is = sample / RAMP_STEP;
            ((is - index as f32).abs() > 0.01).then_some((index, is))
        };
        program.iter().enumerate().find_map(wrong)
    }

    fn clicks(program: &[f32]) -> Vec<usize> {
        let loud = |(index, sample): (usize, &f32)| (sample.abs() > 0.2).then_some(index);
        program.iter().enumerate().filter_map(loud).collect()
    }

    #[test]
    fn a_strip_is_moved_in_time_and_the_others_are_not() {
        let moved = |offset_ms: i64| Strip { offset_us: offset_ms * 1_000, ..Strip::default() };
        for (offset_ms, came, where_to) in [
            (0, 9_000, 9_000),
            (100, 9_000, 13_800),
            (-50, 9_000, 6_600),
            (1_000, 9_000, 57_000),
            (20_000, 9_000, 969_000),
            (-20_000, 969_000, 9_000),
            // The offset is limited to this value.
            (-60_000, 969_000, 9_000),
        ] {
            let mut strip_set = strip_set(vec![
                (moved(offset_ms), Box::new(Click(came))),
                (Strip::default(), Box::new(Click(4_000))),
            ]);
            let mut expected = vec![4_000, where_to];
            expected.sort_unstable();
            let blocks = if offset_ms.abs() > 1_000 { 2_100 } else { 140 };
            assert_eq!(clicks(&run(&mut strip_set, blocks)), expected, "{offset_ms} ms");
        }
    }

    #[test]
    fn a_guest_hears_the_program_without_the_own_strip() {
        let mut strip_set = strip_set(vec![
            (Strip::default(), Box::new(Level(0.125))),
            (Strip::default(), Box::new(Level(0.25))),
            (Strip { muted: true, ..Strip::default() }, Box::new(Level(0.5))),
        ]);
        let mut last_sample = |without: Option<StripId>, block: i64| {
            strip_set.take(block * 480, Timestamp::from_micros(block * 10_000), BLOCK_FRAMES, 0);
            let mut out = [0.0; BLOCK_FRAMES];
            strip_set.program_without(without, block * 480, &mut out);
            out[BLOCK_FRAMES - 1]
        };
        let without = [Some(StripId(0)), Some(StripId(1)), None];
        let samples: Vec<f32> =
            (1..).zip(without).map(|(block, it)| last_sample(it, block)).collect();
        assert_eq!(samples, [0.25, 0.125, 0.375]);
    }

    #[test]
    fn filters_that_look_ahead_do_not_make_their_audio_late() {
        let filters = vec![Slot {
            enabled: true,
            filter: Filter::Limiter { threshold_dbfs: 0.0, release_ms: 60.0 },
        }];
        let limited = Strip { filters, ..Strip::default() };
        let mut strip_set = strip_set(vec![
            (limited, Box::new(Click(9_000))),
            (Strip::default(), Box::new(Click(4_000))),
        ]);
        assert_eq!(strip_set.lag(), 240);
        assert_eq!(clicks(&run(&mut strip_set, 40)), [4_000, 9_000]);
    }

    #[test]
    fn a_sync_offset_set_while_running_leaves_no_gap_in_the_times() {
        let mut strip_set = strip_set(vec![(Strip::default(), Box::new(Level(0.25)))]);
        let mut next = 0;
        for block in 0..100 {
            let offset_us = if block < 50 { 0 } else { -200_000 };
            let strip = Arc::new(Strip { offset_us, ..Strip::default() });
            strip_set.strip(StripId(0), Default::default).unwrap().set(strip);
            strip_set.take(
                block * 480,
                Timestamp::from_micros(block * 10_000),
                BLOCK_FRAMES,
                block * 480 - next,
            );
            while next + 480 <= strip_set.end - strip_set.lag() {
                let mut out = [0.0; BLOCK_FRAMES];
                strip_set.program(next, &mut out);
                assert!(out.iter().all(|&s| (s - 0.25).abs() < 1e-6), "block {block}, {next}");
                next += 480;
            }
        }
        assert_eq!(next, 80 * 480);
    }

    #[test]
    fn a_removed_sync_offset_costs_no_strip_a_sample() {
        let early = |offset_ms: i64| Strip { offset_us: offset_ms * 1_000, ..Strip::default() };
        let muted = |offset_ms| Strip { muted: true, ..early(offset_ms) };
        for removed in [false, true] {
            let mut strip_set = strip_set(vec![
                (muted(-2_000), Box::new(Level(0.5))),
                (Strip::default(), Box::new(Ramp { rate: RATE_HZ })),
            ]);
            let program = changed(&mut strip_set, 400, |strip_set, block| match block {
                250 if removed => strip_set.remove(StripId(0)),
                250 => {
                    let strip = strip_set.strip(StripId(0), Default::default).unwrap();
                    strip.set(Arc::new(muted(0)));
                }
                _ => {}
            });
            assert_eq!((program.len(), astray(&program)), (400 * BLOCK_FRAMES, None), "{removed}");
            assert!(
                strip_set.channels.iter().all(|it| it.kept() <= 5 * BLOCK_FRAMES),
                "kept for ever"
            );
        }
        // The strip has its correct time from then on.
        let mut strip_set = strip_set(vec![(early(-2_000), Box::new(Ramp { rate: RATE_HZ }))]);
        let program = changed(&mut strip_set, 400, |strip_set, block| {
            if block == 250 {
                let strip = strip_set.strip(StripId(0), Default::default).unwrap();
                strip.set(Arc::new(early(0)));
            }
        });
        let (before, after) = program.split_at(50 * BLOCK_FRAMES);
        assert_eq!(before[100] / RAMP_STEP, (100 + 2 * RATE_HZ) as f32);
        for (index, sample) in (50 * BLOCK_FRAMES..).zip(after) {
            assert!((sample / RAMP_STEP - index as f32).abs() < 0.01, "{index}");
        }
    }

    #[test]
    fn filters_that_look_ahead_come_and_go_without_a_lost_or_repeated_sample() {
        // Both filters change only the delay of this audio.
        let limiter = Filter::Limiter { threshold_dbfs: 0.0, release_ms: 60.0 };
        let denoise = Filter::Denoise { amount: 0.0 };
        let gain = Filter::Gain { db: 0.0 };
        let lists: [&[&Filter]; 16] = [
            &[],
            &[&limiter],
            &[],
            &[&denoise],
            &[],
            &[&gain, &limiter],
            &[&limiter],
            &[&limiter, &denoise],
            &[&gain, &denoise],
            &[&denoise, &limiter],
            &[&limiter],
            &[&denoise, &limiter, &limiter],
            &[&gain, &gain, &limiter],
            &[&denoise],
            &[&limiter, &gain, &denoise],
            &[],
        ];
        for rate in [48_000, 44_100] {
            for others_ms in [0, -100] {
                // A short interval in which the filters fill, and an interval in which they do not.
                for every in [7, 1] {
                    let mut strip_set = StripSet::new(Shape { rate, channels: 1 });
                    let other = Strip { offset_us: others_ms * 1_000, ..Strip::default() };
                    let other = Arc::new(Strip { muted: true, ..other });
                    strip_set.strip(StripId(1), Default::default).unwrap().set(other);
                    let channel = strip_set.strip(StripId(0), Default::default).unwrap();
                    channel.set_feed(Some(Box::new(Ramp { rate })));
                    let program = changed(&mut strip_set, 150, |strip_set, block| {
                        let list = lists.get((block / every) as usize).copied().unwrap_or_default();
                        let slot =
                            |filter: &&Filter| Slot { enabled: true, filter: (*filter).clone() };
                        let filters = list.iter().map(slot).collect();
                        let strip = Arc::new(Strip { filters, ..Strip::default() });
                        strip_set.strip(StripId(0), Default::default).unwrap().set(strip);
                    });
                    let case = format!("{rate} Hz, {others_ms} ms, every {every}");
                    assert!(program.len() >= 135 * rate as usize / 100, "{case}");
                    assert_eq!(astray(&program), None, "{case}");
                }
            }
        }
        // A disabled filter counts like a removed one.
        let mut strip_set = strip_set(vec![(Strip::default(), Box::new(Ramp { rate: RATE_HZ }))]);
        let program = changed(&mut strip_set, 60, |strip_set, block| {
            let filters = vec![Slot { enabled: block % 20 < 10, filter: limiter.clone() }];
            let strip = Arc::new(Strip { filters, ..Strip::default() });
            strip_set.strip(StripId(0), Default::default).unwrap().set(strip);
        });
        assert_eq!(astray(&program), None);
    }

    #[test]
    fn a_plugin_that_does_not_run_loses_no_sample_and_delays_no_other_strip() {
        let limiter = Filter::Limiter { threshold_dbfs: 0.0, release_ms: 60.0 };
        let lists: [&[&str]; 6] =
            [&[], &["plugin"], &["limiter", "plugin"], &["plugin", "limiter"], &["limiter"], &[]];
        let mut strip_set = strip_set(vec![
            (Strip::default(), Box::new(Ramp { rate: RATE_HZ })),
            (Strip { gain_db: -60.0, ..Strip::default() }, Box::new(Level(0.5))),
        ]);
        let mut before = usize::MAX;
        let program = changed(&mut strip_set, 120, |strip_set, block| {
            let place = (block / 20) as usize;
            if place == before {
                return;
            }
            before = place;
            let of = |word: &&str| match *word {
                "limiter" => limiter.clone(),
                // Tests have no launcher, so the plugin is bypassed.
                _ => Filter::of_kind(Filter::PLUGIN).unwrap(),
            };
            let filters: Vec<Filter> =
                lists.get(place).copied().unwrap_or_default().iter().map(of).collect();
            let plugins: Vec<_> = filters.iter().filter_map(Filter::plugin).cloned().collect();
            let slot = |filter| Slot { enabled: true, filter };
            let filters = filters.into_iter().map(slot).collect();
            let strip = Arc::new(Strip { filters, ..Strip::default() });
            strip_set.strip(StripId(0), Default::default).unwrap().set(strip);
            let began = std::time::Instant::now();
            for plugin in plugins {
                while !matches!(plugin.link.state(), LinkState::Bypassed(_)) {
                    assert!(began.elapsed() < Duration::from_secs(60));
                    std::thread::yield_now();
                }
            }
        });
        assert!(program.len() >= 110 * BLOCK_FRAMES);
        assert_eq!(astray(&program), None);
    }

    #[test]
    fn a_voice_ducks_the_music() {
        let ducking = Slot {
            enabled: true,
            filter: Filter::Compressor {
                threshold_dbfs: -30.0,
                ratio: 4.0,
                attack_ms: 5.0,
                release_ms: 50.0,
                gain_db: 0.0,
                side_chain: Some(StripId(1)),
            },
        };
        let music = Strip { filters: vec![ducking], ..Strip::default() };
        let level = |voice: f32, muted| {
            let monitoring = MonitoringMode::MonitorOnly;
            let voiced = Strip { muted, monitoring, ..Strip::default() };
            let mut strip_set = strip_set(vec![
                (music.clone(), Box::new(Level(0.5))),
                (voiced, Box::new(Level(voice))),
            ]);
            *run(&mut strip_set, 100).last().unwrap()
        };
        assert!([level(0.0, false), level(0.5, true)].iter().all(|it| (it - 0.5).abs() < 1e-4));
        // −6.02 dBFS is 23.98 dB above the threshold: three quarters of it are removed.
        let ducked = 20.0 * (level(0.5, false) / 0.5).log10();
        assert!((ducked + 17.98).abs() < 0.1, "{ducked}");
    }

    #[test]
    fn extra_tracks_hold_their_strips_at_the_same_instants_as_the_program() {
        let (two, three) = (ExtraTrack::new(2).unwrap(), ExtraTrack::new(3).unwrap());
        let strip = |tracks: &[ExtraTrack], mode, gain_db, offset_us| Strip {
            tracks: tracks.iter().copied().collect::<ExtraTracks>(),
            monitoring: mode,
            gain_db,
            offset_us,
            ..Strip::default()
        };
        let mut strip_set = strip_set(vec![
            (strip(&[two], MonitoringMode::Program, 0.0, -50_000), Box::new(Click(9_000))),
            (strip(&[two, three], MonitoringMode::Tracks, -6.0, 100_000), Box::new(Click(4_000))),
            (
                Strip { muted: true, ..strip(&[three], MonitoringMode::MonitorOnly, 0.0, 0) },
                Box::new(Level(0.7)),
            ),
        ]);
        let (mut next, mut outputs) = (0, [Vec::new(), Vec::new(), Vec::new()]);
        for block in 0..60 {
            strip_set.take(
                block * 480,
                Timestamp::from_micros(block * 10_000),
                BLOCK_FRAMES,
                block * 480 - next,
            );
            while next + 480 <= strip_set.end - strip_set.lag() {
                let mut out = [[0.0; BLOCK_FRAMES]; 3];
                strip_set.program(next, &mut out[0]);
                strip_set.track(two, next, &mut out[1]);
                strip_set.track(three, next, &mut out[2]);
                for (output, out) in outputs.iter_mut().zip(out) {
                    output.extend(out);
                }
                next += 480;
            }
        }
        assert_eq!(clicks(&outputs[0]), [6_600]);
        assert_eq!(clicks(&outputs[1]), [6_600, 8_800]);
        assert_eq!(clicks(&outputs[2]), [8_800]);
        assert!((outputs[1][8_800] - 0.5 * 10_f32.powf(-0.3)).abs() < 1e-4);
        assert_eq!(outputs[0][6_600], outputs[1][6_600]);
    }

    /// A source with one side at 0.5 and the other at 0.25.
    struct Sides;

    impl AudioFeed for Sides {
        fn pull(&mut self, _: Timestamp, out: &mut [f32]) -> Pulled {
            out.chunks_mut(2).for_each(|frame| frame.copy_from_slice(&[0.5, 0.25]));
            Pulled::Audio
        }

        fn delay(&self) -> Duration {
            Duration::ZERO
        }
    }

    #[test]
    fn balance_turns_one_side_down_and_mono_makes_both_their_mean() {
        let sides = |balance: f32, mono: bool| {
            let mut strip_set = StripSet::new(Shape { rate: RATE_HZ, channels: 2 });
            let channel = strip_set.strip(StripId(0), Default::default).unwrap();
            channel.set(Arc::new(Strip { balance, mono, ..Strip::default() }));
            channel.set_feed(Some(Box::new(Sides)));
            let mut out = [0.0; 2 * BLOCK_FRAMES];
            // The balance reaches its target within a block.
            for block in 0..2 {
                let first = block * BLOCK_FRAMES as i64;
                strip_set.take(first, Timestamp::from_micros(block * 10_000), BLOCK_FRAMES, 0);
                out.fill(0.0);
                strip_set.program(first, &mut out);
            }
            assert!(out.chunks(2).all(|frame| *frame == out[..2]), "{balance}, {mono}: a step");
            [out[0], out[1]]
        };
        for (balance, mono, expected) in [
            (0.0, false, [0.5, 0.25]),
            (0.5, false, [0.25, 0.25]),
            (1.0, false, [0.0, 0.25]),
            (-0.4, false, [0.5, 0.15]),
            (-1.0, false, [0.5, 0.0]),
            (f32::NAN, false, [0.5, 0.25]),
            (0.0, true, [0.375, 0.375]),
            // A mono voice can still be moved to one side.
            (-1.0, true, [0.375, 0.0]),
        ] {
            let levels = sides(balance, mono);
            let near = levels.iter().zip(expected).all(|(is, wanted)| (is - wanted).abs() < 1e-6);
            assert!(near, "{balance}, {mono}: {levels:?}");
        }
    }

    /// A tone with some blocks of NaN, as from broken drivers, or with silence instead of these
    /// blocks.
    struct Broken {
        with: [f32; 3],
        at: usize,
    }

    impl AudioFeed for Broken {
        fn pull(&mut self, _: Timestamp, out: &mut [f32]) -> Pulled {
            for (index, sample) in out.iter_mut().enumerate() {
                let at = self.at + index;
                *sample = match at / BLOCK_FRAMES {
                    3 | 7 => self.with[at % 3],
                    _ => 0.3 * (std::f32::consts::TAU * (at % 48) as f32 / 48.0).sin(),
                };
            }
            self.at += out.len();
            Pulled::Audio
        }

        fn delay(&self) -> Duration {
            Duration::ZERO
        }
    }

    #[test]
    fn what_is_no_number_is_silence_to_filters_and_nothing_of_it_stays() {
        for filter in Filter::ALL_KINDS {
            let slot = Slot { enabled: true, filter: filter.clone() };
            let strip = Strip { filters: vec![slot], ..Strip::default() };
            let output = |with| {
                let feed = Box::new(Broken { with, at: 0 });
                run(&mut strip_set(vec![(strip.clone(), feed)]), 60)
            };
            let broken = output([f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
            assert!(broken.iter().all(|sample| sample.is_finite()), "{filter:?}");
            assert_eq!(broken, output([0.0; 3]), "{filter:?}");
        }
    }

    #[test]
    fn solo_changes_the_monitoring_and_not_the_program() {
        let solo = Strip { solo: true, ..Strip::default() };
        let both = Strip { monitoring: MonitoringMode::Both, ..Strip::default() };
        let only = Strip { monitoring: MonitoringMode::MonitorOnly, ..Strip::default() };
        let feed = |level| Box::new(Level(level)) as Box<dyn AudioFeed>;
        let hear_without = |unmonitored: &[u32], strips| {
            let mut strip_set = strip_set(strips);
            strip_set.set_unmonitored(unmonitored.iter().copied().map(StripId).collect());
            strip_set.take(0, Timestamp::ZERO, BLOCK_FRAMES, 0);
            let (mut program, mut monitoring) = ([0.0; BLOCK_FRAMES], [0.0; BLOCK_FRAMES]);
            strip_set.program(0, &mut program);
            strip_set.monitoring(&mut monitoring);
            (program[100], monitoring[100])
        };
        let hear = |strips| hear_without(&[], strips);
        let levels = hear(vec![(both.clone(), feed(0.25)), (only.clone(), feed(0.5))]);
        assert_eq!(levels, (0.25, 0.75));
        let strips = || {
            let strips = [(&both, 0.25), (&only, 0.5), (&solo, 0.125)];
            Vec::from(strips.map(|(strip, level)| (strip.clone(), feed(level))))
        };
        assert_eq!(hear(strips()), (0.375, 0.125));
        // A strip that is left out of monitoring stays out while it is solo.
        assert_eq!(hear_without(&[2], strips()), (0.375, 0.0));
        let levels = hear_without(&[0], vec![(both, feed(0.25)), (only, feed(0.5))]);
        assert_eq!(levels, (0.25, 0.5));
    }
}
