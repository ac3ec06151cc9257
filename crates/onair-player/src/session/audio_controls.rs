//! Audio output: volume, balance, the speaker, and the offset of the audio from the video.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};

use parking_lot::Mutex;

use crate::player::session::config::{Config, MAX_AV_OFFSET_MS};

/// See the module documentation.
#[derive(Debug)]
pub(crate) struct AudioControls {
    volume: AtomicU32,
    muted: AtomicBool,
    /// −1 (left) … 1 (right).
    balance: AtomicU32,
    /// Microseconds by which audio plays after its timestamps.
    av_offset: AtomicI64,
    /// The chosen speaker.
    speaker: Arc<Mutex<Option<String>>>,
    /// The number of choices of a speaker.
    speaker_choices: AtomicU32,
}

/// Clamps a balance to the valid range.
fn fair(balance: f32) -> f32 {
    if balance.is_finite() { balance.clamp(-1.0, 1.0) } else { 0.0 }
}

impl AudioControls {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            volume: AtomicU32::new(config.volume.to_bits()),
            muted: AtomicBool::new(config.muted),
            balance: AtomicU32::new(fair(config.balance).to_bits()),
            av_offset: AtomicI64::new(0),
            speaker: Arc::new(Mutex::new(config.device.clone())),
            speaker_choices: AtomicU32::new(0),
        }
    }

    pub(crate) fn set_volume(&self, volume: f32) {
        let volume = if volume.is_finite() { volume.clamp(0.0, 1.0) } else { 1.0 };
        self.volume.store(volume.to_bits(), Ordering::Relaxed);
    }

    pub(crate) fn volume(&self) -> f32 {
        f32::from_bits(self.volume.load(Ordering::Relaxed))
    }

    pub(crate) fn set_muted(&self, muted: bool) {
        self.muted.store(muted, Ordering::Relaxed);
    }

    pub(crate) fn muted(&self) -> bool {
        self.muted.load(Ordering::Relaxed)
    }

    /// Returns the volume of the speaker, 0 if muted.
    pub(crate) fn loudness(&self) -> f32 {
        if self.muted() { 0.0 } else { self.volume() }
    }

    pub(crate) fn set_balance(&self, balance: f32) {
        self.balance.store(fair(balance).to_bits(), Ordering::Relaxed);
    }

    pub(crate) fn balance(&self) -> f32 {
        f32::from_bits(self.balance.load(Ordering::Relaxed))
    }

    pub(crate) fn av_offset(&self) -> i64 {
        self.av_offset.load(Ordering::Relaxed)
    }

    /// Returns the chosen speaker, for opening it.
    pub(crate) fn speaker(&self) -> Arc<Mutex<Option<String>>> {
        Arc::clone(&self.speaker)
    }

    pub(crate) fn choose_speaker(&self, id: Option<String>) {
        *self.speaker.lock() = id;
        self.speaker_choices.fetch_add(1, Ordering::Release);
    }

    /// Returns the number of speaker choices.
    pub(crate) fn speaker_choices(&self) -> u32 {
        self.speaker_choices.load(Ordering::Acquire)
    }

    /// Sets the time by which audio plays after its timestamps, or before them if `millis` is
    /// negative. Limits the time, and returns it in microseconds.
    pub(crate) fn set_av_offset(&self, millis: i32) -> i64 {
        let offset = i64::from(millis.clamp(-MAX_AV_OFFSET_MS, MAX_AV_OFFSET_MS)) * 1_000;
        self.av_offset.store(offset, Ordering::Relaxed);
        offset
    }
}
