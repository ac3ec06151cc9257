//! Decodes audio and fills a speaker, whose count of played samples is the master clock. Without a
//! speaker, this module passes the audio on at the pace of the session clock. It runs on the
//! presenter thread, and never waits.

mod feeding;
mod speaker;

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;
use crate::media::samples::{frames_to_micros, micros_to_frames};
use crate::media::{AudioCodec, AudioConfig, SampleBlock};
use crate::player::buffer::packets::{BufferedPacket, Popped};
use crate::player::buffer::samples::Fifo;
use crate::player::decode::describe;
use crate::player::decode::stretch::TimeStretch;
use crate::player::session::shared::Shared;
use crate::player::state::Severity;
use crate::player::state::anomaly::Anomaly;
use crate::text::problem::problem;
use onair_media::decode::{self, AudioBackend};

pub use crate::player::decode::audio::speaker::Speaker;

/// Initial amount of audio that waits in the speaker, without its latency, in µs.
const INITIAL_FILL_MICROS: i64 = 150_000;
/// Increase of the amount of waiting audio after an underrun, in µs.
const UNDERRUN_INCREASE_MICROS: i64 = 30_000;
/// Maximum amount of waiting audio, in µs.
const MAX_FILL_MICROS: i64 = 240_000;
/// An underrun within this time after a start, in µs, is caused by the start.
const START_GRACE_MICROS: i64 = 500_000;
/// If the timestamps are ahead of the counted samples by more than this, in µs, silence fills the
/// gap.
const MIN_GAP_MICROS: i64 = 40_000;
/// How far audio is decoded ahead of the position, in µs, without the speaker's latency.
const DECODE_AHEAD_MICROS: i64 = 400_000;
/// Maximum number of packets decoded in a row, so that frames do not wait.
const MAX_PACKETS_PER_TURN: usize = 24;

/// Audio that was or will be played, for measuring and recording.
pub(crate) struct PlayedAudio<'a> {
    /// The time at which the first frame leaves the speaker (session clock).
    pub(crate) at: Timestamp,
    pub(crate) rate: u32,
    pub(crate) channels: u16,
    pub(crate) data: &'a [f32],
}

/// The state of playback while a speaker is filled.
#[derive(Copy, Clone, Debug)]
struct FeedRequest {
    now: Timestamp,
    position: Timestamp,
    speed: f64,
    volume: f32,
    /// True if no more audio arrives.
    ended: bool,
}

/// See the module documentation.
#[derive(Default)]
pub(crate) struct AudioDecoding {
    decoder: Option<Box<dyn AudioBackend>>,
    config: Option<AudioConfig>,
    /// The last config, if it has no decoder. Streams repeat their configs.
    refused: Option<AudioConfig>,
    /// The number of playback restarts before the decoded audio, see `Packets::restart`.
    generation: u32,
    fifo: Fifo,
    device: Option<Device>,
    reported_damage: bool,
    /// True if audio is due but missing.
    is_audio_missing: bool,
    /// True if there has been audio.
    any: bool,
    /// True if the last written audio is silence for missing audio.
    filling: bool,
    pub(crate) samples: u64,
    pub(crate) underruns: u64,
    /// The balance, from −1 to 1; see [`AudioDecoding::set_balance`].
    balance: f32,
    scratch: Vec<f32>,
    block: Vec<f32>,
    /// The media time up to which audio was passed on, without a device.
    passed: Option<Timestamp>,
    /// Audio before this time does not play, see [`BufferedPacket::Seam`].
    seam: Option<Timestamp>,
}

/// A speaker in use.
struct Device {
    speaker: Box<dyn Speaker>,
    rate: u32,
    channels: u16,
    stretch: TimeStretch,
    written: u64,
    /// The media times of the written frames, oldest first.
    written_spans: VecDeque<Entry>,
    /// The media time of the next frame to write.
    cursor: Option<Timestamp>,
    /// The audio that should wait in the speaker, in µs.
    ahead: i64,
    /// The speaker's recent maximum latency, in µs.
    latency: f64,
    /// The number of underruns at the last check.
    speaker_underruns: u64,
    /// The start of continuous audio.
    flowing: Option<Timestamp>,
    /// The time at which all written audio will have been played.
    played_until: Timestamp,
    volume: f32,
}

impl Device {
    /// Increases the buffered audio after an underrun.
    fn adapt(&mut self, now: Timestamp) {
        let speaker_underruns = self.speaker.underruns();
        let settled = self.flowing.is_some_and(|at| now.micros_since(at) > START_GRACE_MICROS);
        if speaker_underruns > self.speaker_underruns && settled {
            self.ahead = (self.ahead + UNDERRUN_INCREASE_MICROS).min(MAX_FILL_MICROS);
            tracing::debug!(ahead_ms = self.ahead / 1_000, "the audio output ran empty");
        }
        self.speaker_underruns = speaker_underruns;
        self.flowing.get_or_insert(now);
    }
}

#[derive(Copy, Clone, Debug)]
struct Entry {
    from: u64,
    frames: u64,
    media: Timestamp,
    lasts: i64,
}

impl AudioDecoding {
    /// Returns the rate and channels of the waiting audio, for opening a speaker.
    pub(crate) fn format(&self) -> Option<(u32, u16)> {
        self.fifo.format()
    }

    /// Returns the rate and channels of the audio that the speaker was opened for.
    pub(crate) fn device_format(&self) -> Option<(u32, u16)> {
        self.device.as_ref().map(|device| (device.rate, device.channels))
    }

    /// Attaches a speaker for audio of this rate and these channels. The speaker was opened with
    /// the number of channels that `balance::speaker_channels` returns.
    pub(crate) fn attach(&mut self, speaker: Box<dyn Speaker>, rate: u32, channels: u16) {
        self.device = Some(Device {
            speaker,
            rate,
            channels,
            stretch: TimeStretch::new(rate, channels),
            written: 0,
            written_spans: VecDeque::new(),
            cursor: None,
            ahead: INITIAL_FILL_MICROS,
            latency: 0.0,
            speaker_underruns: 0,
            flowing: None,
            played_until: Timestamp::ZERO,
            volume: -1.0,
        });
    }

    /// Removes the speaker; the caller drops it, which can take time.
    pub(crate) fn detach(&mut self) -> Option<Box<dyn Speaker>> {
        self.passed = None;
        self.device.take().map(|device| device.speaker)
    }

    /// Removes the speaker after a format change. Also returns the time until which the speaker
    /// plays its audio. The new audio begins at that time.
    pub(crate) fn detach_playing(&mut self) -> Option<(Box<dyn Speaker>, Timestamp)> {
        let until = self.device.as_ref()?.played_until;
        // The next speaker plays silence until its audio is due.
        self.filling = true;
        self.detach().map(|speaker| (speaker, until))
    }

    /// Returns the reason why the speaker failed, once it has.
    pub(crate) fn failure(&self) -> Option<String> {
        self.device.as_ref().and_then(|device| device.speaker.failed())
    }

    /// Returns true if another device is now the system's default, which the speaker should be.
    pub(crate) fn has_moved(&self) -> bool {
        self.device.as_ref().is_some_and(|device| device.speaker.has_moved())
    }

    /// Returns true if all received audio was passed on.
    pub(crate) fn is_drained(&self, now: Timestamp) -> bool {
        self.fifo.is_empty() && self.device.as_ref().is_none_or(|device| device.played_until <= now)
    }

    /// Returns the recent maximum latency of the speaker, in µs.
    pub(crate) fn latency(&self) -> i64 {
        self.device.as_ref().map_or(0, |device| device.latency as i64)
    }

    /// Decodes the audio that is needed soon, up to `DECODE_AHEAD_MICROS` after `position`.
    pub(crate) fn decode(&mut self, shared: &Shared, position: Option<Timestamp>) {
        for _ in 0..MAX_PACKETS_PER_TURN {
            let ahead = match (self.fifo.end(), position) {
                (Some(end), Some(position)) => end.micros_since(position),
                (Some(_), None) => frames_to_micros(
                    self.fifo.frames() as i64,
                    self.fifo.format().map_or(48_000, |(rate, _)| rate),
                ),
                (None, _) => i64::MIN,
            };
            if ahead > DECODE_AHEAD_MICROS + self.latency() {
                return;
            }
            let (generation, popped) = shared.packets.audio.pop(Duration::ZERO);
            self.restart(generation);
            match popped {
                Popped::Unit(unit) => self.take(unit, shared),
                Popped::Nothing | Popped::Closed => return,
            }
        }
    }

    fn take(&mut self, unit: BufferedPacket<AudioConfig>, shared: &Shared) {
        match unit {
            BufferedPacket::Configure(config) => {
                if self.decoder.is_some() && self.config.as_ref() == Some(&config)
                    || self.refused.as_ref() == Some(&config)
                {
                    return;
                }
                match decode::open_audio(&config) {
                    Ok(decoder) => {
                        let described = describe(decoder.name(), &config);
                        let form = (config.sample_rate, config.channels);
                        match &self.config {
                            Some(before) if before.codec != config.codec => {
                                shared.report.report_anomaly(&Anomaly::ChangedCodec(
                                    decoder.name().to_owned(),
                                ));
                            }
                            Some(before) if (before.sample_rate, before.channels) != form => {
                                shared
                                    .report
                                    .report_anomaly(&Anomaly::ChangedAudio(described.clone()));
                            }
                            _ => {}
                        }
                        shared.report.figures.lock().audio = described;
                        self.decoder = Some(decoder);
                        self.config = Some(config);
                        self.refused = None;
                    }
                    Err(error) => {
                        self.decoder = None;
                        self.refused = Some(config);
                        shared.report.unsupported_audio((&error).into());
                    }
                }
            }
            BufferedPacket::Gap => {
                if let Some(decoder) = &mut self.decoder {
                    decoder.reset();
                }
            }
            BufferedPacket::Seam(at) => {
                let at = at.offset(shared.controls.av_offset());
                self.fifo.end_at(at);
                self.seam = Some(at);
                // These codecs are decoded from a fresh state at the start of a file.
                let fresh = [AudioCodec::Vorbis, AudioCodec::Opus];
                let fresh = self.config.as_ref().is_some_and(|it| fresh.contains(&it.codec));
                if let Some(decoder) = self.decoder.as_mut().filter(|_| fresh) {
                    decoder.reset();
                }
            }
            BufferedPacket::Packet(packet) => {
                let Some(decoder) = &mut self.decoder else { return };
                match decoder.decode(&packet) {
                    Ok(Some(mut samples)) => {
                        self.any = true;
                        samples.pts = samples.pts.offset(shared.controls.av_offset());
                        if let Some(seam) = self.seam {
                            begin_at(&mut samples, seam);
                        }
                        self.fifo.push(samples);
                    }
                    Ok(None) => {}
                    Err(error) => {
                        shared.report.figures.lock().damaged += 1;
                        if !std::mem::replace(&mut self.reported_damage, true) {
                            let problem = problem!("player-damaged-audio");
                            shared.report.say(problem, Severity::Warning, error.to_string());
                        }
                    }
                }
            }
        }
    }

    /// Takes audio that was decoded elsewhere.
    #[cfg(any(test, feature = "test-support"))]
    pub(crate) fn take_decoded(&mut self, samples: SampleBlock) {
        self.any = true;
        self.fifo.push(samples);
    }

    /// Drops audio that was decoded before the restart with this number, because it is from another
    /// position of the stream.
    pub(crate) fn restart(&mut self, generation: u32) {
        if std::mem::replace(&mut self.generation, generation) == generation {
            return;
        }
        self.fifo.clear();
        (self.passed, self.seam) = (None, None);
        if let Some(decoder) = &mut self.decoder {
            decoder.reset();
        }
    }

    /// Sets the balance: −1 is left only, 1 is right only.
    pub(crate) fn set_balance(&mut self, balance: f32) {
        self.balance = balance;
    }

    /// Drops audio before `from`.
    pub(crate) fn forget_before(&mut self, from: Timestamp) {
        self.fifo.skip_to(from);
    }

    /// Starts or resumes playback, so that `media` plays now. A device needs time to start, so this
    /// function returns the media time that actually plays now. Without a device, audio that was
    /// due before the stall is still passed on, unless `skip` is true.
    pub(crate) fn seek(&mut self, media: Timestamp, skip: bool) -> Timestamp {
        self.is_audio_missing = false;
        let Some(device) = &mut self.device else {
            let from = self.passed.filter(|_| !skip).map_or(media, |passed| passed.min(media));
            self.passed = Some(from);
            self.fifo.skip_to(from);
            return media;
        };
        self.passed = None;
        let queued = frames_to_micros(device.speaker.queued() as i64, device.rate);
        device.written_spans.clear();
        device.stretch.reset();
        device.flowing = None;
        let (cursor, position) = if skip {
            // Audio that cannot be played in time is skipped.
            (media.offset(queued), media)
        } else {
            (media, media.offset(-queued))
        };
        device.cursor = Some(cursor);
        self.fifo.skip_to(cursor);
        position
    }

    /// Returns the media time that leaves the speaker now, or `None` if there is no device, or
    /// while the device still plays audio from before the last start.
    pub(crate) fn position_played(&self) -> Option<Timestamp> {
        let device = self.device.as_ref()?;
        let head = device.written.saturating_sub(device.speaker.queued() as u64);
        let entry = device
            .written_spans
            .iter()
            .rev()
            .find(|entry| head >= entry.from && head < entry.from + entry.frames)?;
        let part = (head - entry.from) as f64 / entry.frames.max(1) as f64;
        Some(entry.media.offset((entry.lasts as f64 * part) as i64))
    }

    /// Keeps the speaker filled. Without a speaker, passes on the audio due at `position`.
    pub(crate) fn play(
        &mut self,
        now: Timestamp,
        position: Timestamp,
        speed: f64,
        volume: f32,
        ended: bool,
        on_played: &mut dyn FnMut(PlayedAudio<'_>),
    ) {
        if self.device.is_some() {
            let request = FeedRequest { now, position, speed, volume, ended };
            self.feed(&request, on_played);
        } else {
            self.pass(now, position, speed, ended, on_played);
        }
    }

    fn pass(
        &mut self,
        now: Timestamp,
        position: Timestamp,
        speed: f64,
        ended: bool,
        on_played: &mut dyn FnMut(PlayedAudio<'_>),
    ) {
        while self.fifo.front().is_some_and(|front| front <= position) {
            let Some(block) = self.fifo.pop() else { break };
            self.is_audio_missing = false;
            if let Some(passed) = self.passed {
                let hole = block.pts.micros_since(passed);
                if hole > MIN_GAP_MICROS {
                    let silence = micros_to_frames(hole.min(10_000_000), block.rate);
                    self.block.clear();
                    let count = usize::try_from(silence).unwrap_or(0);
                    self.block.resize(count * usize::from(block.channels), 0.0);
                    let at = now.offset((passed.micros_since(position) as f64 / speed) as i64);
                    on_played(PlayedAudio {
                        at,
                        rate: block.rate,
                        channels: block.channels,
                        data: &self.block,
                    });
                }
            }
            let at = now.offset((block.pts.micros_since(position) as f64 / speed) as i64);
            self.samples += block.frames() as u64;
            self.passed = Some(block.end());
            on_played(PlayedAudio {
                at,
                rate: block.rate,
                channels: block.channels,
                data: &block.data,
            });
        }
        let late = self.passed.is_some_and(|end| position.micros_since(end) > MIN_GAP_MICROS);
        if self.any && self.fifo.is_empty() && late && !ended && !self.is_audio_missing {
            self.is_audio_missing = true;
            self.underruns += 1;
        }
    }
}

/// Removes the samples before `from`.
fn begin_at(samples: &mut SampleBlock, from: Timestamp) {
    let early = micros_to_frames(from.micros_since(samples.pts), samples.rate);
    let Some(early) = usize::try_from(early).ok().filter(|early| *early > 0) else { return };
    let early = early.min(samples.frames());
    samples.data.drain(..early * usize::from(samples.channels));
    samples.pts = samples.pts.offset(frames_to_micros(early as i64, samples.rate));
}

#[cfg(test)]
mod tests;
