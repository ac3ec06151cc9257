//! The running filters of a strip in order, block by block, on the mixer's thread.

use crate::mix::block::{Shape, bound, factor, ramp, within};
use crate::mix::filter::denoise::Denoise;
use crate::mix::filter::dynamics::{Compressor, Expander, Gate};
use crate::mix::filter::equalizer::Equalizer;
use crate::mix::filter::limiter::Limiter;
use crate::mix::filter::loudness::Leveler;
use crate::mix::filter::settings::{Filter, MAX_FILTERS, Slot};
use crate::mix::plugin::{Runner, start};
use crate::mix::strip_id::StripId;

/// Maximum level after a filter: 60 dB above full scale. The squares of such samples and their sums
/// are still numbers, also in the denoiser.
const MAX_LEVEL: f32 = 1_000.0;

/// The active filters of a strip.
#[derive(Default)]
pub struct Chain {
    stages: Vec<FilterStage>,
    /// The audio that remained in removed filters, indexed by the position of the filter. This
    /// audio precedes the output of the current filter at that position.
    rests: Vec<Vec<f32>>,
}

struct FilterStage {
    slot: Slot,
    /// The running filter, or `None` while the filter is disabled or cannot run.
    work: Option<Work>,
    /// The number of samples per channel before the first real audio. These samples are dropped.
    empty: usize,
    /// Samples per channel in the filter.
    held: usize,
}

enum Work {
    Gain { now: f32, to: f32 },
    Equalizer(Equalizer),
    Denoise(Box<Denoise>),
    Gate(Gate),
    Expander(Expander),
    Compressor(Compressor),
    Limiter(Limiter),
    Leveler(Box<Leveler>),
    Plugin(Box<Runner>),
}

impl Chain {
    /// Applies these settings from the next block on. Unchanged filters continue. A changed filter
    /// keeps its state if its kind and position stay the same.
    pub fn set(&mut self, slots: &[Slot], shape: Shape) {
        let before = std::mem::take(&mut self.stages).into_iter();
        let mut before: Vec<Option<FilterStage>> = before.map(Some).collect();
        let slots = slots.iter().take(MAX_FILTERS);
        // A plugin goes on at any place, because it would take seconds to start it again.
        let moved: Vec<Option<FilterStage>> = slots
            .clone()
            .map(|slot| {
                slot.filter.plugin()?;
                let goes_on =
                    |old: &mut FilterStage| old.same_kind(slot) && old.adjust(slot, shape);
                before.iter_mut().find_map(|old| old.take_if(goes_on))
            })
            .collect();
        let mut before = before.into_iter();
        for (place, (slot, moved)) in slots.zip(moved).enumerate() {
            let mut old = before.next().flatten();
            let goes_on = |old: &mut FilterStage| {
                old.slot == *slot || (old.same_kind(slot) && old.adjust(slot, shape))
            };
            let is_plugin = slot.filter.plugin().is_some();
            let stage = if is_plugin { moved } else { old.take_if(goes_on) };
            self.stages.push(stage.unwrap_or_else(|| FilterStage::new(slot, shape)));
            self.keep_rest(place, old, shape);
        }
        let others = self.stages.len();
        for (place, old) in (others..).zip(before) {
            self.keep_rest(place, old, shape);
        }
    }

    fn keep_rest(&mut self, place: usize, old: Option<FilterStage>, shape: Shape) {
        let rest = old.map(|old| old.rest(shape)).unwrap_or_default();
        if rest.is_empty() {
            return;
        }
        if self.rests.len() <= place {
            self.rests.resize_with(place + 1, Vec::new);
        }
        self.rests.iter_mut().skip(place).take(1).for_each(|it| it.extend_from_slice(&rest));
    }

    /// Returns the delay of the audio in samples per channel when all filters are full.
    pub fn latency(&self) -> usize {
        self.stages.iter().filter_map(|stage| stage.work.as_ref()).map(Work::latency).sum()
    }

    /// Returns the number of samples per channel that are still in the filters.
    pub fn held(&self, channels: usize) -> usize {
        let rests: usize = self.rests.iter().map(Vec::len).sum();
        self.stages.iter().map(|stage| stage.held).sum::<usize>() + rests / channels.max(1)
    }

    /// Filters a block of interleaved audio in place. `side` returns another strip's unfiltered
    /// block. While filters with look-ahead are added or removed, the output length can differ.
    pub fn process<'a>(
        &mut self,
        block: &mut Vec<f32>,
        shape: Shape,
        side: impl Fn(StripId) -> Option<&'a [f32]>,
    ) {
        for place in 0..self.stages.len().max(self.rests.len()) {
            if let Some(stage) = self.stages.get_mut(place) {
                stage.process(block, shape, &side);
            }
            if let Some(rest) = self.rests.get_mut(place).filter(|rest| !rest.is_empty()) {
                block.splice(0..0, rest.drain(..));
            }
        }
        self.rests.clear();
    }
}

impl FilterStage {
    fn new(slot: &Slot, shape: Shape) -> Self {
        let work = slot.enabled.then(|| Work::new(&slot.filter, shape));
        let empty = work.as_ref().map_or(0, Work::latency);
        Self { slot: slot.clone(), work, empty, held: 0 }
    }

    fn process<'a>(
        &mut self,
        block: &mut Vec<f32>,
        shape: Shape,
        side: impl Fn(StripId) -> Option<&'a [f32]>,
    ) {
        let Some(work) = &mut self.work else { return };
        let channels = shape.channels.max(1);
        let came = block.len() / channels;
        match work {
            Work::Gain { now, to } => ramp(now, *to, channels, block),
            Work::Equalizer(it) => it.process(block, channels),
            Work::Denoise(it) => it.process(block),
            Work::Gate(it) => it.process(block, channels),
            Work::Expander(it) => it.process(block, channels),
            Work::Compressor(it) => match self.slot.filter.side_chain().map(side) {
                // A missing or muted strip counts as silent: it ducks nothing, and the gain stays.
                Some(None) => it.process(block, Some(&[]), channels),
                Some(Some(key)) => it.process(block, Some(key), channels),
                None => it.process(block, None, channels),
            },
            Work::Limiter(it) => it.process(block, channels),
            Work::Leveler(it) => it.process(block, channels),
            Work::Plugin(it) => self.empty += it.process(block),
        }
        bound(block, MAX_LEVEL);
        let empty = self.empty.min(block.len() / channels);
        block.drain(..empty * channels);
        self.empty -= empty;
        self.held = (self.held + came).saturating_sub(block.len() / channels);
    }

    /// Flushes the remaining audio.
    fn rest(mut self, shape: Shape) -> Vec<f32> {
        if let Some(Work::Plugin(it)) = &self.work {
            // The process needs time for the last audio, so the rest is unfiltered.
            return it.rest(self.held);
        }
        let (held, mut rest) = (self.held, Vec::new());
        let wanted = held * shape.channels;
        let most = self.work.as_ref().map_or(0, Work::latency) + self.empty + held;
        // Each pass adds as many samples as the filter holds, so this number of passes suffices.
        for _ in 0..=most / held.max(1) {
            if rest.len() < wanted {
                let mut block = vec![0.0; wanted];
                self.process(&mut block, shape, |_| None);
                rest.append(&mut block);
            }
        }
        rest.truncate(wanted);
        rest
    }

    fn same_kind(&self, slot: &Slot) -> bool {
        self.slot.filter.kind() == slot.filter.kind() && self.slot.enabled == slot.enabled
    }

    /// Applies new settings without losing the state. Returns true if that was possible.
    fn adjust(&mut self, slot: &Slot, shape: Shape) -> bool {
        let done = match (&mut self.work, &slot.filter) {
            (None, _) => true,
            (Some(Work::Gain { to, .. }), Filter::Gain { db }) => {
                *to = factor(within(*db, -60.0, 30.0, 0.0));
                true
            }
            (Some(Work::Equalizer(it)), filter) => it.adjust(filter, shape),
            (Some(Work::Denoise(it)), Filter::Denoise { amount }) => {
                it.set_amount(*amount);
                true
            }
            (Some(Work::Gate(it)), filter) => it.adjust(filter, shape),
            (Some(Work::Expander(it)), filter) => it.adjust(filter, shape),
            (Some(Work::Compressor(it)), filter) => it.adjust(filter, shape),
            (Some(Work::Limiter(it)), Filter::Limiter { threshold_dbfs, release_ms }) => {
                it.adjust(*threshold_dbfs, *release_ms, shape);
                true
            }
            (Some(Work::Leveler(it)), Filter::Loudness { target_lufs, most_db }) => {
                it.adjust(*target_lufs, *most_db);
                true
            }
            (Some(Work::Plugin(it)), Filter::Plugin(plugin)) => it.adjust(plugin),
            _ => false,
        };
        if done {
            self.slot = slot.clone();
        }
        done
    }
}

impl Work {
    fn latency(&self) -> usize {
        match self {
            Self::Denoise(it) => it.latency(),
            Self::Limiter(it) => it.latency(),
            Self::Plugin(it) => it.latency(),
            _ => 0,
        }
    }

    fn new(filter: &Filter, shape: Shape) -> Self {
        match filter {
            Filter::Gain { db } => {
                let to = factor(within(*db, -60.0, 30.0, 0.0));
                Self::Gain { now: to, to }
            }
            Filter::HighPass { .. }
            | Filter::LowPass { .. }
            | Filter::ThreeBand { .. }
            | Filter::TenBand { .. } => Self::Equalizer(Equalizer::new(filter, shape)),
            Filter::Denoise { amount } => Self::Denoise(Box::new(Denoise::new(*amount, shape))),
            Filter::Gate { .. } => Self::Gate(Gate::new(filter, shape)),
            Filter::Expander { .. } => Self::Expander(Expander::new(filter, shape)),
            Filter::Compressor { .. } => Self::Compressor(Compressor::new(filter, shape)),
            Filter::Limiter { threshold_dbfs, release_ms } => {
                Self::Limiter(Limiter::new(*threshold_dbfs, *release_ms, shape))
            }
            Filter::Loudness { target_lufs, most_db } => {
                Self::Leveler(Box::new(Leveler::new(*target_lufs, *most_db, shape)))
            }
            Filter::Plugin(plugin) => Self::Plugin(Box::new(start(plugin, shape))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;
    use std::mem::discriminant;

    use super::*;
    use crate::mix::filter::expected_gains;
    #[cfg(target_os = "linux")]
    use crate::mix::plugin::simulated;

    const STEREO_48_KHZ: Shape = Shape { rate: 48_000, channels: 2 };

    fn chain(filters: &[Filter], shape: Shape) -> Chain {
        let slot = |filter: &Filter| Slot { enabled: true, filter: filter.clone() };
        let slots: Vec<Slot> = filters.iter().map(slot).collect();
        let mut chain = Chain::default();
        chain.set(&slots, shape);
        chain
    }

    /// Creates a sine of `hz` with peaks at `dbfs`, in blocks of 10 ms.
    fn sine(shape: Shape, hz: f32, dbfs: f32, seconds: f32) -> Vec<Vec<f32>> {
        let frames = shape.rate as usize / 100;
        let blocks = (seconds * 100.0) as usize;
        let sample = |at: usize| {
            let phase = (f64::from(hz) * at as f64 / f64::from(shape.rate)).fract() as f32;
            factor(dbfs) * (TAU * phase).sin()
        };
        (0..blocks)
            .map(|block| {
                let at = |index| sample(block * frames + index);
                (0..frames).flat_map(|index| vec![at(index); shape.channels]).collect()
            })
            .collect()
    }

    fn filtered(chain: &mut Chain, shape: Shape, blocks: Vec<Vec<f32>>) -> Vec<f32> {
        let mut out = Vec::new();
        for mut block in blocks {
            chain.process(&mut block, shape, |_| None);
            out.extend(block);
        }
        out
    }

    /// Returns the gain of a filter in decibels at the end of six seconds of a sine, when the
    /// leveler has settled.
    fn gain(filter: Filter, hz: f32, dbfs: f32) -> f32 {
        let mut chain = chain(&[filter], STEREO_48_KHZ);
        let out = filtered(&mut chain, STEREO_48_KHZ, sine(STEREO_48_KHZ, hz, dbfs, 6.0));
        let tail = &out[out.len() - 48_000..];
        let square = tail.iter().map(|s| f64::from(s * s)).sum::<f64>() / tail.len() as f64;
        (10.0 * square.log10()) as f32 - (dbfs - 3.01)
    }

    /// Tests 440 Hz and 1 kHz through every filter, with the gain of its settings.
    /// `tests/devices/filters.rs` does the same through a real audio server.
    #[test]
    fn tones_leave_each_filter_with_the_gain_it_is_set_to() {
        let mut wrong = Vec::new();
        for case in expected_gains::cases() {
            let expected_gains::Case { filter, hz, dbfs, expected } = case;
            let gain = gain(filter.clone(), hz, dbfs);
            if !expected.is_met(gain, 0.0) {
                wrong.push(format!("{filter:?}, {hz} Hz at {dbfs}: {gain:.2} dB, {expected:?}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        for kind in Filter::ALL_KINDS {
            for tone in [440.0, 1_000.0] {
                let is = |case: &expected_gains::Case| {
                    discriminant(&case.filter) == discriminant(&kind) && case.hz == tone
                };
                assert!(expected_gains::cases().iter().any(is), "{kind:?} has not heard {tone} Hz");
            }
        }
    }

    /// Tests the adaptive filters, which need a while to settle.
    #[test]
    fn tones_are_brought_to_a_loudness_and_never_raised_by_the_denoiser() {
        let end = |filter: Filter, hz: f32| {
            let mut chain = chain(&[filter], STEREO_48_KHZ);
            let out = filtered(&mut chain, STEREO_48_KHZ, sine(STEREO_48_KHZ, hz, -30.0, 20.0));
            let tail = &out[out.len() - 48_000..];
            let square = tail.iter().map(|s| f64::from(s * s)).sum::<f64>() / tail.len() as f64;
            (10.0 * square.log10()) as f32 + 33.01
        };
        let leveler = Filter::Loudness { target_lufs: -16.0, most_db: 20.0 };
        // R 128 weights 440 Hz about half a decibel lower than 1 kHz.
        for (hz, expected) in [(1_000.0, 14.0), (440.0, 14.6)] {
            let gain = end(leveler.clone(), hz);
            assert!((gain - expected).abs() < 0.4, "{hz} Hz: {gain} dB");
            let gain = end(Filter::Denoise { amount: 1.0 }, hz);
            assert!(gain < 0.1, "{hz} Hz: {gain} dB");
        }
    }

    #[test]
    fn nothing_leaves_the_limiter_above_its_threshold() {
        let limiter = Filter::Limiter { threshold_dbfs: -3.0, release_ms: 10.0 };
        let mut chain = chain(&[limiter], STEREO_48_KHZ);
        let mut seed = 1_u32;
        let mut noise = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / 8_388_608.0 - 1.0
        };
        let mut most = 0.0_f32;
        for block in 0..300 {
            let loud = if block % 7 == 0 { 8.0 } else { 0.5 };
            let mut samples: Vec<f32> = (0..960).map(|_| noise() * loud).collect();
            chain.process(&mut samples, STEREO_48_KHZ, |_| None);
            most = samples.iter().fold(most, |most, s| most.max(s.abs()));
        }
        assert!(most <= factor(-3.0) + 1e-6 && most > factor(-3.5), "{most}");
    }

    #[test]
    fn a_removed_side_chain_strip_ducks_no_longer_without_a_step_in_the_level() {
        let ducking = Filter::Compressor {
            threshold_dbfs: -30.0,
            ratio: 4.0,
            attack_ms: 5.0,
            release_ms: 100.0,
            gain_db: 6.0,
            side_chain: Some(StripId(1)),
        };
        let mut chain = chain(&[ducking], STEREO_48_KHZ);
        let voice = vec![0.5; 960];
        let mut last: Option<f32> = None;
        for index in 0..200 {
            let mut block = vec![0.1; 960];
            let key = (index < 100).then_some(voice.as_slice());
            chain.process(&mut block, STEREO_48_KHZ, |_| key);
            for sample in block {
                let step = last.map_or(0.0, |last| (sample - last).abs());
                assert!(step < 0.01, "a step of {step} in block {index}");
                last = Some(sample);
            }
        }
        let end = last.unwrap_or_default();
        assert!((end - 0.1 * factor(6.0)).abs() < 1e-3, "{end}");
    }

    #[test]
    fn the_leveler_brings_speech_to_its_target_and_leaves_pauses_alone() {
        let filter = Filter::Loudness { target_lufs: -16.0, most_db: 20.0 };
        let mut chain = chain(&[filter], STEREO_48_KHZ);
        filtered(&mut chain, STEREO_48_KHZ, sine(STEREO_48_KHZ, 1_000.0, -30.0, 20.0));
        let mut meter = crate::mix::meter::Meter::default();
        meter.measure_loudness(true);
        for mut block in sine(STEREO_48_KHZ, 1_000.0, -30.0, 4.0) {
            chain.process(&mut block, STEREO_48_KHZ, |_| None);
            meter.push(&block, 2, 48_000);
        }
        let lufs = meter.reading().short_term_lufs.unwrap();
        assert!((lufs + 16.0).abs() < 0.2, "{lufs}");
        filtered(&mut chain, STEREO_48_KHZ, vec![vec![0.0; 960]; 100]);
        let before = chain.process_quiet();
        filtered(&mut chain, STEREO_48_KHZ, vec![vec![0.0; 960]; 1_000]);
        assert_eq!(chain.process_quiet(), before);
    }

    impl Chain {
        /// Processes a quiet block, and returns the resulting gain in thousandths.
        fn process_quiet(&mut self) -> f32 {
            let mut block = vec![1e-4; 960];
            self.process(&mut block, STEREO_48_KHZ, |_| None);
            (block[959] * 1e7).round()
        }
    }

    #[test]
    fn the_denoiser_takes_noise_away() {
        let shape = Shape { rate: 48_000, channels: 1 };
        let mut noisy = chain(&[Filter::Denoise { amount: 1.0 }], shape);
        let mut seed = 99_u64;
        let (mut before, mut after) = (0.0, 0.0);
        // The model needs seconds to recognize steady noise.
        for index in 0..800 {
            let mut block: Vec<f32> = (0..480)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_041);
                    ((seed >> 40) as f32 / 8_388_608.0 - 1.0) * 0.03
                })
                .collect();
            let power = |block: &[f32]| block.iter().map(|s| s * s).sum::<f32>();
            let is_late = index >= 700;
            before += if is_late { power(&block) } else { 0.0 };
            noisy.process(&mut block, shape, |_| None);
            after += if is_late { power(&block) } else { 0.0 };
        }
        let db = 10.0 * (after / before).log10();
        assert!(db < -15.0, "noise only fell by {db} dB");
    }

    #[test]
    fn the_denoiser_is_as_late_as_it_says_at_every_rate() {
        for rate in [48_000, 44_100, 32_000, 22_050, 96_000] {
            let shape = Shape { rate, channels: 1 };
            // The audio is too quiet for the model: it passes unchanged. The audio is delayed by
            // the declared latency, so that its time stays correct.
            let mut quiet = chain(&[Filter::Denoise { amount: 1.0 }], shape);
            let late = quiet.latency();
            let frames = rate as usize / 100;
            let mut out = Vec::new();
            for index in 0..40 {
                let mut block = vec![0.0; frames];
                if index == 10 {
                    block[17] = 1e-7;
                }
                quiet.process(&mut block, shape, |_| None);
                out.extend(block);
            }
            let crest = (0..out.len()).max_by(|&a, &b| out[a].total_cmp(&out[b])).unwrap();
            let found = crest as i64 - (10 * frames + 17) as i64;
            assert!(found.abs() <= 2, "{rate} Hz: {found}");
            assert_eq!((quiet.held(1), out.len()), (late, 40 * frames - late), "{rate} Hz");
        }
    }

    // There are processes of plugins only on this system.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_plugin_that_tells_its_delay_later_loses_no_sample() {
        let (runner, plugin) = simulated::plugin(STEREO_48_KHZ);
        let filter = Filter::of_kind(Filter::PLUGIN).unwrap();
        let empty = runner.latency();
        let work = Some(Work::Plugin(Box::new(runner)));
        let stage = FilterStage { slot: Slot { enabled: true, filter }, work, empty, held: 0 };
        let mut chain = Chain { stages: vec![stage], rests: Vec::new() };
        let (mut out, mut next) = (Vec::new(), 0);
        for block in 0..100 {
            if block == 10 {
                plugin.run();
            }
            let mut samples: Vec<f32> =
                (next..next + 960).map(|it| (it / 2) as f32 + 1.0).collect();
            next += 960;
            for sample in &mut samples {
                *sample /= 100_000.0;
            }
            chain.process(&mut samples, STEREO_48_KHZ, |_| None);
            out.extend(samples);
            plugin.filter();
        }
        let latency = 1_440 + simulated::DELAY as usize;
        assert_eq!((chain.latency(), chain.held(2)), (latency, latency));
        assert_eq!(out.len(), 2 * (48_000 - latency));
        for (index, sample) in out.iter().enumerate() {
            let frame = index / 2;
            // The plugin ran from the tenth block on.
            let expected = if frame < 4_800 { 0.0 } else { (frame as f32 + 1.0) / -100_000.0 };
            assert_eq!(*sample, expected, "{frame}");
        }
    }

    #[test]
    fn a_chain_of_the_highest_gains_stays_finite_and_recovers() {
        for last in Filter::ALL_KINDS {
            let slots = |db: f32| {
                let mut slots =
                    vec![Slot { enabled: true, filter: Filter::Gain { db } }; MAX_FILTERS];
                slots[MAX_FILTERS - 1].filter = last.clone();
                slots
            };
            let mut chain = Chain::default();
            chain.set(&slots(30.0), STEREO_48_KHZ);
            let loud = sine(STEREO_48_KHZ, 440.0, 0.0, 1.0);
            let loud = filtered(&mut chain, STEREO_48_KHZ, loud);
            assert!(loud.iter().all(|s| s.abs() <= MAX_LEVEL), "{last:?}");
            chain.set(&slots(0.0), STEREO_48_KHZ);
            let later = sine(STEREO_48_KHZ, 440.0, -6.0, 2.0);
            let later = filtered(&mut chain, STEREO_48_KHZ, later);
            assert!(later.iter().all(|s| s.abs() <= MAX_LEVEL), "{last:?}");
            let tail = &later[later.len() - 48_000..];
            assert!(tail.iter().any(|s| s.abs() > 1e-6), "{last:?}");
        }
    }

    #[test]
    fn settings_change_without_a_click_and_absurd_ones_do_no_harm() {
        let mut chain = chain(&[Filter::Gain { db: 0.0 }], STEREO_48_KHZ);
        let mut last = 0.0;
        for (index, mut block) in sine(STEREO_48_KHZ, 100.0, -6.0, 1.0).into_iter().enumerate() {
            let db = if index < 50 { 0.0 } else { -20.0 };
            chain.set(&[Slot { enabled: true, filter: Filter::Gain { db } }], STEREO_48_KHZ);
            chain.process(&mut block, STEREO_48_KHZ, |_| None);
            for sample in block.iter().step_by(2) {
                assert!((sample - last).abs() < 0.02, "a step in block {index}");
                last = *sample;
            }
        }
        for filter in Filter::ALL_KINDS {
            for value in [f32::NAN, f32::INFINITY, -1e30, 0.0] {
                let absurd = match filter {
                    Filter::Gain { .. } => Filter::Gain { db: value },
                    Filter::HighPass { .. } => Filter::HighPass { hz: value },
                    Filter::LowPass { .. } => Filter::LowPass { hz: value },
                    Filter::Denoise { .. } => Filter::Denoise { amount: value },
                    Filter::Gate { .. } => Filter::Gate {
                        open_dbfs: value,
                        close_dbfs: value,
                        attack_ms: value,
                        hold_ms: value,
                        release_ms: value,
                    },
                    Filter::Expander { .. } => Filter::Expander {
                        threshold_dbfs: value,
                        ratio: value,
                        attack_ms: value,
                        release_ms: value,
                        gain_db: value,
                    },
                    Filter::Compressor { .. } => Filter::Compressor {
                        threshold_dbfs: value,
                        ratio: value,
                        attack_ms: value,
                        release_ms: value,
                        gain_db: value,
                        side_chain: Some(StripId(9)),
                    },
                    Filter::Limiter { .. } => {
                        Filter::Limiter { threshold_dbfs: value, release_ms: value }
                    }
                    Filter::ThreeBand { .. } => {
                        Filter::ThreeBand { low_db: value, middle_db: value, high_db: value }
                    }
                    Filter::TenBand { .. } => Filter::TenBand { db: [value; 10] },
                    Filter::Plugin(_) => unreachable!("plugins are no built-in filters"),
                    Filter::Loudness { .. } => {
                        Filter::Loudness { target_lufs: value, most_db: value }
                    }
                };
                for rate in [8_000, 48_000, 192_000] {
                    let shape = Shape { rate, channels: 2 };
                    let mut chain = self::chain(std::slice::from_ref(&absurd), shape);
                    let out = filtered(&mut chain, shape, sine(shape, 440.0, -6.0, 0.2));
                    assert!(out.iter().all(|s| s.is_finite()), "{absurd:?} at {rate} Hz");
                }
            }
        }
    }
}
