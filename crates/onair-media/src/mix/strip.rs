//! A strip of the mixer: its settings ([`Strip`], plain values), and the running strip: pull,
//! filter, meter, fader, and a delay line.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::Timestamp;
use crate::media::{AudioFeed, ExtraTracks, Pulled};
use crate::mix::block::{Shape, bound, ramp};
use crate::mix::delay_line::DelayLine;
use crate::mix::filter::{Chain, Slot};
use crate::mix::meter::Meter;
use crate::mix::strip_id::StripId;

/// The destination of a strip: viewers, the operator, or recordings only.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum MonitoringMode {
    /// The strip is only in the program.
    #[default]
    Program,
    /// The strip is in the program and in monitoring.
    Both,
    /// The strip is only in monitoring.
    MonitorOnly,
    /// The strip is only in its extra tracks of recordings.
    Tracks,
}

impl MonitoringMode {
    /// Returns true if the strip is in the program.
    pub const fn in_program(self) -> bool {
        matches!(self, Self::Program | Self::Both)
    }

    /// Returns true if the strip is in monitoring.
    pub const fn is_monitored(self) -> bool {
        matches!(self, Self::Both | Self::MonitorOnly)
    }

    /// Returns the mode with the strip in the program or not, and monitoring unchanged.
    #[must_use]
    pub const fn with_program(self, in_program: bool) -> Self {
        match (in_program, self.is_monitored()) {
            (true, true) => Self::Both,
            (true, false) => Self::Program,
            (false, true) => Self::MonitorOnly,
            (false, false) => Self::Tracks,
        }
    }
}

/// The settings of a strip.
#[derive(Clone, Debug, PartialEq)]
pub struct Strip {
    /// The fader level, -60…+20 dB, where -60 is silence.
    pub gain_db: f32,
    pub muted: bool,
    /// The balance from −1 (left) through 0 to 1 (right). The balance affects only stereo audio.
    pub balance: f32,
    /// True to replace all channels with their mean.
    pub mono: bool,
    /// The sync offset, which delays (> 0) or advances (< 0) the strip's audio by at most
    /// [`Strip::MAX_OFFSET`].
    pub offset_us: i64,
    pub monitoring: MonitoringMode,
    /// The extra recording tracks that contain the strip, independently of the monitoring mode.
    pub tracks: ExtraTracks,
    /// True if the strip is solo. While any strip is solo, monitoring contains only solo strips;
    /// the program does not change.
    pub solo: bool,
    /// Filters in their order, at most [`super::filter::MAX_FILTERS`].
    pub filters: Vec<Slot>,
}

impl Strip {
    /// Maximum sync offset of a strip.
    pub const MAX_OFFSET: Duration = Duration::from_secs(20);

    /// Adopts the settings in which `after` differs from `before`. Other settings may have changed
    /// since `before`.
    pub fn merge(&mut self, before: &Self, after: Self) {
        let Self { gain_db, muted, balance, mono, offset_us, monitoring, tracks, solo, filters } =
            after;
        adopt(&mut self.gain_db, &before.gain_db, gain_db);
        adopt(&mut self.muted, &before.muted, muted);
        adopt(&mut self.balance, &before.balance, balance);
        adopt(&mut self.mono, &before.mono, mono);
        adopt(&mut self.offset_us, &before.offset_us, offset_us);
        adopt(&mut self.monitoring, &before.monitoring, monitoring);
        adopt(&mut self.tracks, &before.tracks, tracks);
        adopt(&mut self.solo, &before.solo, solo);
        adopt(&mut self.filters, &before.filters, filters);
    }

    /// Returns the combined factor of fader and mute.
    fn factor(&self) -> f32 {
        let gain = if self.gain_db.is_finite() { self.gain_db.clamp(-60.0, 20.0) } else { 0.0 };
        if self.muted || gain <= -60.0 { 0.0 } else { 10_f32.powf(gain / 20.0) }
    }

    /// Returns the sync offset in samples.
    fn offset(&self, rate: u32) -> i64 {
        let most = Self::MAX_OFFSET.as_micros() as i64;
        crate::media::samples::micros_to_frames(self.offset_us.clamp(-most, most), rate)
    }
}

/// Sets a value that differs from `before`.
fn adopt<T: PartialEq>(value: &mut T, before: &T, after: T) {
    if after != *before {
        *value = after;
    }
}

impl Default for Strip {
    fn default() -> Self {
        Self {
            gain_db: 0.0,
            muted: false,
            balance: 0.0,
            mono: false,
            offset_us: 0,
            monitoring: MonitoringMode::Program,
            tracks: ExtraTracks::NONE,
            solo: false,
            filters: Vec::new(),
        }
    }
}

/// A running strip.
pub struct Channel {
    pub id: StripId,
    pub settings: Arc<Strip>,
    feed: Option<Box<dyn AudioFeed>>,
    chain: Chain,
    shape: Shape,
    meter: Arc<Mutex<Meter>>,
    /// Unfiltered audio, for side chains.
    raw: Vec<f32>,
    /// Filtered audio, before the fader.
    block: Vec<f32>,
    line: DelayLine,
    fader: f32,
    sides: [f32; 2],
    /// True if the last block could not be filled.
    pub silent: bool,
}

impl Channel {
    pub fn new(id: StripId, shape: Shape, meter: Arc<Mutex<Meter>>) -> Self {
        Self {
            id,
            settings: Arc::new(Strip::default()),
            feed: None,
            chain: Chain::default(),
            shape,
            meter,
            raw: Vec::new(),
            block: Vec::new(),
            line: DelayLine::new(shape.channels),
            fader: f32::NAN,
            sides: [1.0; 2],
            silent: true,
        }
    }

    pub fn set(&mut self, settings: Arc<Strip>) {
        // Plugins that are equal can have different processes.
        if self.settings.filters != settings.filters || self.has_plugins() {
            self.chain.set(&settings.filters, self.shape);
        }
        self.settings = settings;
    }

    pub fn set_feed(&mut self, feed: Option<Box<dyn AudioFeed>>) {
        self.feed = feed;
    }

    pub fn has_source(&self) -> bool {
        self.feed.is_some()
    }

    pub fn has_plugins(&self) -> bool {
        self.settings.filters.iter().any(|slot| slot.enabled && slot.filter.plugin().is_some())
    }

    /// Returns the time after the end of a block at which the block can be requested.
    pub fn delay(&self) -> Duration {
        self.feed.as_ref().map_or(Duration::ZERO, |feed| feed.delay())
    }

    /// Returns the delay of the strip's audio after the filters, in samples. The delay is negative
    /// for an advance.
    fn shift(&self) -> i64 {
        self.settings.offset(self.shape.rate) - self.chain.held(self.shape.channels) as i64
    }

    /// Returns the number of samples by which the strip must read its source early, now or with
    /// full filters. The number is the longest delay of the strip's filters, minus the sync offset.
    pub fn early(&self) -> i64 {
        let late = self.chain.latency().max(self.chain.held(self.shape.channels));
        late as i64 - self.settings.offset(self.shape.rate)
    }

    /// Pulls the block that begins at `at`.
    pub fn pull(&mut self, at: Timestamp, frames: usize) {
        self.raw.clear();
        self.raw.resize(frames * self.shape.channels, 0.0);
        let pulled = self.feed.as_mut().map_or(Pulled::Silence, |it| it.pull(at, &mut self.raw));
        // Extreme values are device errors.
        bound(&mut self.raw, 16.0);
        self.silent = pulled == Pulled::Silence;
    }

    /// Returns the unfiltered audio.
    pub fn raw(&self) -> &[f32] {
        &self.raw
    }

    /// Filters, meters and stores the pulled audio. `raw` returns the strips' unfiltered blocks.
    pub fn process<'a>(&mut self, raw: impl Fn(StripId) -> Option<&'a [f32]>) {
        let channels = self.shape.channels;
        self.block.clear();
        self.block.extend_from_slice(&self.raw);
        self.chain.process(&mut self.block, self.shape, raw);
        if self.settings.mono && channels > 1 {
            for frame in self.block.chunks_mut(channels) {
                let mean = frame.iter().sum::<f32>() / channels as f32;
                frame.fill(mean);
            }
        }
        let to = self.settings.factor();
        if self.fader.is_nan() {
            self.fader = to;
        }
        // While the filters fill, there is no output.
        if !self.block.is_empty() {
            ramp(&mut self.fader, to, channels, &mut self.block);
            if channels == 2 {
                self.balance();
            }
        }
        let seconds = (self.block.len() / channels.max(1)) as f32 / self.shape.rate as f32;
        let starved = self.silent && self.raw.iter().all(|sample| *sample == 0.0);
        let mut meter = self.meter.lock();
        meter.push(&self.block, channels, self.shape.rate);
        meter.starve(starved.then_some(seconds));
        drop(meter);
        self.line.push(&self.block);
    }

    /// Reduces one side according to the balance.
    fn balance(&mut self) {
        let lean = self.settings.balance;
        let lean = if lean.is_finite() { lean.clamp(-1.0, 1.0) } else { 0.0 };
        let to = [1.0 - lean.max(0.0), 1.0 + lean.min(0.0)];
        if self.sides == [1.0; 2] && to == [1.0; 2] {
            return;
        }
        let frames = (self.block.len() / 2).max(1) as f32;
        let from = self.sides;
        for (index, frame) in self.block.chunks_mut(2).enumerate() {
            let part = (index as f32 + 1.0) / frames;
            for ((sample, from), to) in frame.iter_mut().zip(from).zip(to) {
                *sample *= from + (to - from) * part;
            }
        }
        self.sides = to;
    }

    /// Adds to `out` the audio that begins `back` samples before the end of the pulled audio.
    pub fn add(&self, back: i64, out: &mut [f32]) {
        self.line.add(back + self.shift(), out);
    }

    /// Adds the newest audio to `out`.
    pub fn add_newest(&self, frames: i64, out: &mut [f32]) {
        self.line.add(frames, out);
    }

    /// Clears the stored audio.
    pub fn forget(&mut self) {
        self.line = DelayLine::new(self.shape.channels);
    }

    /// Keeps the audio that [`Channel::add`] needs while the program is this far behind the next
    /// block.
    pub fn keep(&mut self, behind: i64, frames: usize) {
        let back = behind + self.settings.offset(self.shape.rate).max(0);
        self.line.keep(usize::try_from(back).unwrap_or(0) + 4 * frames);
    }

    /// Returns the number of samples per channel to keep.
    #[cfg(test)]
    pub fn kept(&self) -> usize {
        self.line.len()
    }
}
