//! Keeps the speaker filled with decoded audio, and with silence where audio is missing.

use super::{
    AudioDecoding, Device, Entry, FeedRequest, MIN_GAP_MICROS, PlayedAudio,
    UNDERRUN_INCREASE_MICROS,
};
use crate::base::Timestamp;
use crate::media::samples::{frames_to_micros, micros_to_frames};
use crate::player::decode::balance::{lean, speaker_channels};

/// Duration of each write to the speaker, in µs.
const CHUNK_MICROS: i64 = 10_000;
/// While less audio than this waits in the speaker, in µs, silence replaces missing audio.
const MIN_FILL_MICROS: i64 = 20_000;
/// The part of the speaker's latency that remains after a call: it rises at once, and falls by a
/// tenth in about a second.
const LATENCY_DECAY: f64 = 0.999;
/// Maximum number of writes per call. The limit is higher than the buffer needs. It ends the loop
/// for a device that accepts everything.
const MAX_WRITES: usize = 64;

/// Amounts of audio for a speaker, in frames.
struct FillLevels {
    /// The size of a write.
    chunk: usize,
    /// The amount that should wait in the speaker.
    full: usize,
    /// Below this amount, silence replaces missing audio.
    least: usize,
}

/// The audio of the next write, whose samples are in `AudioDecoding::block`.
struct NextBlock {
    media: Timestamp,
    /// Duration in the media, in µs.
    lasts: i64,
    /// The audio that was written but has not been played, in µs.
    in_flight: i64,
}

impl Device {
    /// Sets the volume, and adapts the amounts of audio to the speaker.
    fn levels(&mut self, request: &FeedRequest) -> FillLevels {
        if (self.volume - request.volume).abs() > f32::EPSILON {
            self.speaker.set_volume(request.volume);
            self.volume = request.volume;
        }
        let chunk = micros_to_frames(CHUNK_MICROS, self.rate).max(1) as usize;
        self.adapt(request.now);
        let latency = self.speaker.queued().saturating_sub(self.speaker.waiting());
        let latency = frames_to_micros(latency as i64, self.rate) as f64;
        self.latency = latency.max(self.latency * LATENCY_DECAY);
        let full = micros_to_frames(self.ahead, self.rate) as usize;
        let least = (micros_to_frames(MIN_FILL_MICROS, self.rate) as usize).min(full / 2);
        FillLevels { chunk, full, least }
    }
}

impl AudioDecoding {
    /// Fills the speaker.
    pub(super) fn feed(
        &mut self,
        request: &FeedRequest,
        on_played: &mut dyn FnMut(PlayedAudio<'_>),
    ) {
        let Some(device) = &mut self.device else { return };
        let levels = device.levels(request);
        for _ in 0..MAX_WRITES {
            let Some(next) = self.next_block(request, &levels) else { return };
            if !self.write_block(request, &next, on_played) {
                return;
            }
        }
    }

    /// Puts the next audio for the speaker, or silence, into the block. Returns `None` if the
    /// speaker needs no audio now.
    fn next_block(&mut self, request: &FeedRequest, levels: &FillLevels) -> Option<NextBlock> {
        let device = self.device.as_mut()?;
        let FillLevels { chunk, full, least } = *levels;
        let (waiting, queued) = (device.speaker.waiting(), device.speaker.queued());
        let in_flight = frames_to_micros(queued as i64, device.rate);
        let mut cursor = device.cursor.unwrap_or_else(|| request.position.offset(in_flight));
        let same = self.fifo.format() == Some((device.rate, device.channels));
        if !same && !self.fifo.is_empty() {
            // After a format change, the presenter opens another speaker.
            return None;
        }
        if let (Some(front), Some(end)) = (self.fifo.front(), self.fifo.end())
            && end <= cursor
        {
            if self.is_audio_missing && end > request.position {
                // Otherwise, silence would replace all later audio too.
                cursor = front;
            } else {
                self.fifo.clear();
            }
        }
        if waiting >= full {
            return None;
        }
        let hole = self.fifo.front().map(|front| front.micros_since(cursor));
        // After silence, audio begins at its time; continuous audio is not delayed for a small
        // gap.
        let little = if self.filling { 0 } else { MIN_GAP_MICROS };
        self.block.clear();
        let (media, lasts) = match hole {
            Some(hole) if hole <= little || micros_to_frames(hole, device.rate) == 0 => {
                self.filling = false;
                if hole < -MIN_GAP_MICROS {
                    self.fifo.skip_to(cursor);
                }
                let wanted = chunk + device.stretch.look_ahead();
                self.fifo.peek(wanted, &mut self.scratch);
                let stretch = &mut device.stretch;
                let used = stretch.process(&self.scratch, chunk, request.speed, &mut self.block);
                let media = self.fifo.front().unwrap_or(cursor);
                self.fifo.consume(used);
                self.samples += used as u64;
                self.is_audio_missing = false;
                (media, frames_to_micros(used as i64, device.rate))
            }
            None if request.ended => {
                if waiting == 0 {
                    // The device plays the rest, but its latency no longer counts it down.
                    device.written_spans.clear();
                }
                return None;
            }
            // No audio yet: wait while the speaker and its latency still have at least half of the
            // buffer, unless the device would soon run empty.
            None if queued * 2 >= full && waiting >= least => return None,
            _ => {
                if self.any && hole.is_none() && !self.is_audio_missing {
                    self.is_audio_missing = true;
                    self.underruns += 1;
                }
                self.filling = true;
                let rest = hole.map_or(chunk as i64, |hole| micros_to_frames(hole, device.rate));
                let frames = chunk.min(usize::try_from(rest).unwrap_or(chunk));
                self.block.resize(frames * usize::from(device.channels), 0.0);
                (cursor, frames_to_micros(frames as i64, device.rate))
            }
        };
        Some(NextBlock { media, lasts, in_flight })
    }

    /// Writes the block to the speaker. Returns true if the speaker may take more.
    fn write_block(
        &mut self,
        request: &FeedRequest,
        next: &NextBlock,
        on_played: &mut dyn FnMut(PlayedAudio<'_>),
    ) -> bool {
        let Some(device) = &mut self.device else { return false };
        let NextBlock { media, lasts, in_flight } = *next;
        let frames = self.block.len() / usize::from(device.channels.max(1));
        if frames == 0 {
            return false;
        }
        let leans = device.channels == 2 && self.balance != 0.0;
        let taken = if leans || device.channels != speaker_channels(device.channels) {
            // Measurement and recording get the audio without the balance.
            lean(&self.block, device.channels, self.balance, &mut self.scratch);
            device.speaker.write(&self.scratch).min(frames)
        } else {
            device.speaker.write(&self.block).min(frames)
        };
        device.written_spans.push_back(Entry {
            from: device.written,
            frames: taken as u64,
            media,
            lasts: lasts * taken as i64 / frames as i64,
        });
        device.written += taken as u64;
        while device.written_spans.len() > 512 {
            device.written_spans.pop_front();
        }
        device.cursor = Some(media.offset(lasts));
        device.played_until =
            request.now.offset(in_flight + frames_to_micros(taken as i64, device.rate));
        let until_played = media.micros_since(request.position) as f64 / request.speed;
        on_played(PlayedAudio {
            // Use the smoothed position, because the device counts in blocks.
            at: request.now.offset(until_played as i64),
            rate: device.rate,
            channels: device.channels,
            data: &self.block,
        });
        if taken < frames {
            // The speaker has no more room: the rejected samples are lost. The buffered amount
            // decreases, so that this does not happen again.
            device.ahead = (device.ahead - UNDERRUN_INCREASE_MICROS).max(UNDERRUN_INCREASE_MICROS);
        }
        taken == frames
    }
}
