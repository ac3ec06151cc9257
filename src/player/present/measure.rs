//! Reads the markers of presented video and audio, to measure latency and lip sync at presentation.
//! This module runs on the presenter thread.

use crate::base::{Clock, Timestamp};
use crate::media::VideoFrame;
use crate::media::markers::{self, FlashReader, LipSync, OnsetReader};
use crate::player::decode::audio::PlayedAudio;

/// Measurement of latency and lip sync at presentation.
#[derive(Debug)]
pub(in crate::player) struct Measure {
    flashes: FlashReader,
    onsets: Option<(u32, OnsetReader)>,
    lip_sync: LipSync,
    latency_ms: Option<f64>,
    arrival_ms: Option<f64>,
}

impl Measure {
    pub(in crate::player) fn new() -> Self {
        Self {
            flashes: FlashReader::new(),
            onsets: None,
            lip_sync: LipSync::new(),
            latency_ms: None,
            arrival_ms: None,
        }
    }

    /// Records that a frame that arrived at `came` is shown at `at`.
    pub(in crate::player) fn shown(
        &mut self,
        frame: &VideoFrame,
        at: Timestamp,
        came: Option<Timestamp>,
        clock: Clock,
    ) {
        let (luma, stride, size) = (&frame.planes().y, frame.planes().luma_stride(), frame.size());
        let Some(time_ms) = markers::read_band(luma, stride, size) else { return };
        let age = |at: Timestamp| {
            let wall = clock.wall_micros(at);
            // The marker has whole milliseconds, rounded down.
            let age = markers::age_ms(time_ms, wall.div_euclid(1_000)) as f64;
            age + wall.rem_euclid(1_000) as f64 / 1_000.0
        };
        self.latency_ms = Some(age(at));
        self.arrival_ms = came.map(age);
        if self.flashes.on_frame(time_ms, markers::is_flash(luma, stride, size)) {
            self.lip_sync.flash(at);
        }
    }

    /// Records audio that is or will be played.
    pub(in crate::player) fn on_played(&mut self, audio: &PlayedAudio<'_>) {
        let fresh = self.onsets.as_ref().is_none_or(|(rate, _)| *rate != audio.rate);
        if fresh {
            self.onsets = Some((audio.rate, OnsetReader::new(audio.rate)));
        }
        let Some((_, reader)) = &mut self.onsets else { return };
        let lip_sync = &mut self.lip_sync;
        reader.push(audio.at, audio.channels, audio.data, |at| lip_sync.onset(at));
    }

    /// Returns the time from writing the last marker to showing it, in milliseconds.
    pub(in crate::player) fn latency_ms(&self) -> Option<f64> {
        self.latency_ms
    }

    /// Returns the time in milliseconds from writing the last marker to the arrival of the last
    /// byte of its frame.
    pub(in crate::player) fn arrival_ms(&self) -> Option<f64> {
        self.arrival_ms
    }

    /// Returns the median of the last 5 audio delays relative to the video, in milliseconds;
    /// positive means late audio.
    pub(in crate::player) fn av_offset_ms(&self) -> Option<f64> {
        self.lip_sync.offset_ms()
    }
}
