//! A broadcast: encoders, the hub, the targets and the recording, from *Go Live* to the end.

mod begin;
pub(crate) mod figures;
pub(crate) mod late_audio;
mod layer_steering;
pub(crate) mod layers;
mod mix_hubs;
mod mixes;
mod recording;
mod rendition_targets;
mod renditions;
#[cfg(test)]
mod tests;
mod time_on_air;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Weak;
use std::time::Duration;

use crate::base::queue::Sender;
use crate::base::{Clock, Timestamp, Worker};
use crate::broadcast::adaptation::{Sample, without_layers};
use crate::broadcast::{Hub, PassthroughFile, Publisher, publisher};
use crate::encode::{AudioEncoder, Incident, VideoEncoder};
use crate::media::{BitsPerSecond, ExtraTracks, FrameRate, ProgramId, Size};
use crate::server::KeyframeRequest;
use crate::studio::event::stats::{DelayFigures, DelayState};
use crate::studio::event::{Event, ProgramName, stats};
use crate::studio::live::adaptation::{Adaptation, Outcome, TargetSample, Terms};
use crate::studio::live::dropped_frames::DroppedFrames;
pub use begin::Opened;

use crate::studio::live::on_air::layers::LayerEncodes;
use crate::studio::live::on_air::mix_hubs::Mixes;
use crate::studio::live::on_air::renditions::ExtraRenditions;
use crate::studio::live::on_air::time_on_air::TimeOnAir;
use crate::studio::live::outputs::target::{TargetOutput, WantedTarget};
use crate::studio::live::outputs::{OutputNews, Outputs, background};
use crate::studio::live::passthrough::Passthrough;
use crate::studio::live::recording::RecordingOutput;
use crate::studio::live::recording::audio_tracks::ExtraTrackEncoders;
use crate::studio::live::second_rendition::SecondRendition;
use crate::studio::live::stream_delay::StreamDelay;
use crate::studio::live::view::{LiveFigures, LiveState, PassthroughView};
use crate::studio::notices::message::StudioMessage;
use crate::studio::program::Program;
use crate::studio::targets::quality::{Adapt, Quality};
use crate::text::Problem;

/// Maximum number of frames that wait for the encoder. More would only add delay.
const MAX_QUEUED_FRAMES: usize = 4;
/// Maximum number of audio blocks (10 ms) that wait for the encoder.
const MAX_QUEUED_AUDIO_BLOCKS: usize = 64;
/// Maximum number of packets that wait for the hub, which never waits for an output.
const MAX_QUEUED_PACKETS: usize = 256;

/// Time limit for ending the encoders. The sum of this limit and the limits of the other parts of a
/// broadcast, except for files, is below the 3 s that *Stop* may take, without the audio delay and
/// the look-ahead. The limit includes the delay of the audio sources, which is at most half a second.
const ENCODERS_END_TIMEOUT: Duration = Duration::from_millis(700);
/// Additional time limit for an encoder that looks ahead.
const MAX_FLUSH_TIME: Duration = Duration::from_secs(5);
/// Time limit for ending the second encode.
const RENDITION_END_TIMEOUT: Duration = Duration::from_millis(200);
/// Time limit for ending the extra audio tracks.
const AUDIO_TRACKS_END_TIMEOUT: Duration = Duration::from_millis(200);
/// Time limit for ending the hub.
const HUB_END_TIMEOUT: Duration = Duration::from_millis(500);
/// Time limit for ending the targets.
const OUTPUTS_END_TIMEOUT: Duration = Duration::from_millis(900);
/// Time limit for finalizing a file in the background, which may be on a slow disk.
const FILE_END_TIMEOUT: Duration = Duration::from_secs(30);
/// Time limit for finalizing a file when onair quits. The next start repairs an unfinished file.
const QUIT_FILE_END_TIMEOUT: Duration = Duration::from_millis(2_000);

/// The running broadcast.
#[derive(Debug)]
pub struct OnAir {
    /// The program that is sent or recorded.
    program: ProgramId,
    /// The name of the program in events.
    name: ProgramName,
    hub: Hub,
    video: Option<VideoEncoder>,
    /// The keyframe request to `video`, created once, so that a repeated one is recognized.
    keyframe_request: Option<KeyframeRequest>,
    audio: Option<AudioEncoder>,
    outputs: Outputs,
    /// The totals of targets that were switched off or restarted.
    left: LiveFigures,
    time_on_air: TimeOnAir,
    /// The delay between the hub and the targets.
    stream_delay: Option<StreamDelay>,
    began: Base,
    /// The instant of the first frame.
    began_at: Timestamp,
    video_rate: stats::Meter,
    audio_rate: stats::Meter,
    encoder_failed: bool,
    fps: (u64, Timestamp, f64),
    /// The frame rates of the last seconds, because a single value is not meaningful.
    lately: VecDeque<f64>,
    frame_rate: FrameRate,
    /// The step between encoded frames that the encoder uses.
    frame_step: u32,
    /// True if `frame_step` has changed since the last count of frames.
    is_mixed_second: bool,
    /// The number of frames encoded up to the last check, and the total encoding time.
    encoding: (u64, Duration),
    /// The mean time to encode a frame over the last second.
    encode_time: Option<Duration>,
    /// The mean time to draw and encode a frame, in milliseconds, for each of the last seconds.
    frame_times: VecDeque<f32>,
    /// Due frames that were not drawn or not encoded.
    skipped: u64,
    adaptation: Adaptation,
    /// The second encode, if there is video.
    second: Option<SecondRendition>,
    /// The further renditions of the main program, if there is video.
    renditions: Option<ExtraRenditions>,
    /// The smaller layers, if there is video.
    layers: Option<LayerEncodes>,
    /// The file that replaces the program.
    passthrough: Option<Passthrough>,
    /// The extra audio tracks, if there is audio.
    extras: Option<ExtraTrackEncoders>,
    /// The hubs of outputs with other sound.
    mixes: Mixes,
    /// The instant after which the next recording begins.
    record_after: Option<Timestamp>,
    /// The extra audio tracks of recordings that are ending.
    ending_tracks: Vec<Weak<ExtraTracks>>,
}

/// The program's counters at the beginning of the broadcast; the broadcast's own counters start at
/// zero.
#[derive(Copy, Clone, Debug, Default)]
struct Base {
    captured: u64,
    skipped: u64,
    samples: u64,
}

/// Returns the notice about an encoder that another one replaced.
fn encoder_message(incident: Incident) -> StudioMessage {
    let Incident { encoder, reason, now, lighter } = incident;
    let encoder = encoder.to_owned();
    if let Some(preset) = lighter {
        return StudioMessage::EncoderLightened { encoder, preset: preset.to_owned() };
    }
    match encoder == now {
        true => StudioMessage::EncoderRestarted { encoder, reason },
        false => StudioMessage::EncoderReplaced { encoder, now: now.to_owned(), reason },
    }
}

impl OnAir {
    /// Begins a broadcast of a file, which is not encoded.
    pub fn of_passthrough(
        passthrough: PassthroughFile,
        path: &Path,
        again: bool,
        quality: &Quality,
        clock: Clock,
    ) -> std::io::Result<Self> {
        let (passthrough, hub) = Passthrough::start(passthrough, path, again, clock)?;
        let quality = Quality { adapt: Adapt::Off, ..quality.clone() };
        Ok(Self { passthrough: Some(passthrough), ..Self::new(hub, &quality, clock) })
    }

    fn new(hub: Hub, quality: &Quality, clock: Clock) -> Self {
        Self {
            program: ProgramId::MAIN,
            name: ProgramName::Main,
            hub,
            video: None,
            keyframe_request: None,
            audio: None,
            outputs: Outputs::default(),
            left: LiveFigures::default(),
            time_on_air: TimeOnAir::default(),
            stream_delay: None,
            began: Base::default(),
            began_at: Timestamp::ZERO,
            video_rate: stats::Meter::default(),
            audio_rate: stats::Meter::default(),
            encoder_failed: false,
            fps: (0, clock.now(), 0.0),
            lately: VecDeque::new(),
            frame_rate: quality.frame_rate,
            frame_step: 1,
            is_mixed_second: false,
            encoding: (0, Duration::ZERO),
            encode_time: None,
            frame_times: VecDeque::new(),
            skipped: 0,
            adaptation: Adaptation::new(quality),
            second: None,
            renditions: None,
            layers: None,
            passthrough: None,
            extras: None,
            mixes: Mixes::default(),
            record_after: None,
            ending_tracks: Vec::new(),
        }
    }

    /// Returns the file that is sent instead of the program.
    pub fn passthrough(&self) -> Option<PassthroughView> {
        self.passthrough.as_ref().map(Passthrough::view)
    }

    /// Returns the name of the file after it was sent completely or became unreadable, and the
    /// reason in the latter case.
    pub fn passthrough_over(&self) -> Option<(String, Option<Problem>)> {
        let passthrough = self.passthrough.as_ref()?;
        let failure = passthrough.progress().failure;
        let ended = self.targets().any(|it| it.publisher.state() == publisher::State::Stopped);
        (failure.is_some() || ended && !self.is_publishing()).then(|| (passthrough.name(), failure))
    }

    /// Starts the stream delay for the targets.
    pub fn start_stream_delay(
        &mut self,
        delay: Duration,
        folder: PathBuf,
        clock: Clock,
    ) -> std::io::Result<()> {
        self.mixes.end_sent();
        self.stream_delay = Some(StreamDelay::start(delay, folder, &self.hub, clock)?);
        self.adaptation.set_lag(delay);
        Ok(())
    }

    /// Returns the state of the stream delay.
    pub fn held(&self) -> Option<DelayFigures> {
        self.stream_delay.as_ref().map(StreamDelay::figures)
    }

    /// Sends the delayed part, and takes no more packets. Returns false if there is no stream
    /// delay, or if the delayed part is already being sent.
    pub fn drain(&self) -> bool {
        let Some(stream_delay) = self.stream_delay.as_ref() else { return false };
        let draining = stream_delay.figures().state == DelayState::Draining;
        stream_delay.drain();
        !draining
    }

    /// Adds these targets, and returns the last events of their earlier attempts.
    pub fn publish(
        &mut self,
        runtime: &crate::net::Runtime,
        clock: Clock,
        wanted: Vec<WantedTarget>,
    ) -> Vec<OutputNews> {
        let left = self.forget(|sent| wanted.iter().any(|it| it.id == sent.id));
        for wanted in wanted {
            let WantedTarget { id, label, built_in, floor, mix, tracks, renditions, .. } = wanted;
            let mut target = wanted.target;
            self.open_sent(mix);
            self.adaptation.forget(id);
            let mut drops = DroppedFrames::default();
            if self.passthrough.is_some() {
                target = target.whole();
                drops = DroppedFrames::of_file();
            }
            // The layers are encoded from the frames of the main program, and not delayed.
            if self.layers.is_none() || self.stream_delay.is_some() {
                target.layers = 1;
            }
            target.extras = self.sent_tracks(mix, tracks);
            target.renditions = self.sent_renditions(&renditions);
            target.await_media = self.stream_delay.is_some();
            let publisher = Publisher::start(runtime, target, self.sent_hub(mix), clock);
            let program = self.name.clone();
            self.outputs.add(TargetOutput {
                id,
                program,
                label,
                built_in,
                publisher,
                floor,
                mix,
                tracks,
                renditions,
                drops,
            });
        }
        left
    }

    /// Sets the minimum video bitrate for a target's connection.
    pub fn set_floor(&mut self, id: u32, floor: Option<BitsPerSecond>) {
        for sent in self.outputs.all_mut::<TargetOutput>().filter(|sent| sent.id == id) {
            sent.floor = floor;
        }
    }

    /// Returns true if the stream is sent to this target, or if the target is connecting.
    pub fn publishes_to(&self, id: u32) -> bool {
        self.targets().any(|sent| sent.id == id && !sent.is_over())
    }

    /// Removes ended targets with their totals, and returns their last events.
    pub fn forget_ended(&mut self) -> Vec<OutputNews> {
        let words = self.forget(TargetOutput::is_over);
        self.left = LiveFigures::default();
        self.time_on_air = TimeOnAir::default();
        words
    }

    fn forget(&mut self, which: impl Fn(&TargetOutput) -> bool) -> Vec<OutputNews> {
        let mut removed = self.outputs.take(which);
        self.keep_totals(&removed);
        removed.last_words()
    }

    /// Takes the events of the outputs until now, before the outputs are replaced.
    pub fn poll_outputs(&mut self, now: Timestamp) -> Vec<OutputNews> {
        self.outputs.poll(now)
    }

    /// Returns the name of a target in messages.
    pub fn label(&self, id: u32) -> Option<String> {
        self.targets().find(|sent| sent.id == id).map(|sent| sent.label.clone())
    }

    /// Ends one target in the background; the others continue.
    pub fn end_publisher(&mut self, id: u32, events: Sender<Event>) -> Option<Worker> {
        let removed = self.outputs.take(|sent: &TargetOutput| sent.id == id);
        self.keep_totals(&removed);
        removed.stop_beside(OUTPUTS_END_TIMEOUT, events)
    }

    /// Returns the hub, for comparing the sent stream with the viewers' stream.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Returns the time of the program that is 0 in the times of the built-in server's stream, if that stream is
    /// sent without a stream delay and contains the program.
    pub fn built_in_origin(&self) -> Option<Timestamp> {
        let has_program = self.stream_delay.is_none() && self.audio.is_some();
        let mut targets = self.targets().filter(|sent| has_program && sent.built_in);
        targets.find(|sent| !sent.is_over())?.publisher.figures().origin
    }

    /// Returns a function that makes the next frame a keyframe, for a viewer that waits for a
    /// keyframe. Returns `None` if the keyframe would not reach the viewer soon: for passthrough,
    /// and with a stream delay.
    pub fn keyframe_request(&self) -> Option<&KeyframeRequest> {
        self.keyframe_request.as_ref().filter(|_| self.stream_delay.is_none())
    }

    /// Returns the targets in starting order.
    pub fn targets(&self) -> impl Iterator<Item = &TargetOutput> {
        self.outputs.all()
    }

    /// Sets how late audio is, so that video waits for it.
    pub fn set_audio_delay(&self, lag: Duration) {
        self.hub.set_audio_delay(lag);
    }

    pub fn is_publishing(&self) -> bool {
        self.targets().any(|sent| !sent.is_over())
    }

    pub fn is_recording(&self) -> bool {
        self.recording().is_some()
    }

    /// Returns true if there are outputs other than the replay buffer.
    pub fn is_busy(&self) -> bool {
        self.is_publishing() || self.is_recording()
    }

    pub fn retry_now(&self) {
        self.targets().for_each(|sent| sent.publisher.retry_now());
    }

    /// Applies a new quality that the user chose.
    pub fn set_quality(&mut self, quality: &Quality) {
        if self.passthrough.is_some() {
            // A file is sent unchanged.
            return;
        }
        self.adaptation.set(quality);
        self.set_encoder();
    }

    fn set_encoder(&mut self) {
        let Some(video) = &self.video else { return };
        let step = self.adaptation.frame_step();
        video.set_frame_step(step);
        video.set_bitrate(self.adaptation.bitrate());
        video.set_size(self.adaptation.size());
        if std::mem::replace(&mut self.frame_step, step) != step {
            // Earlier seconds cannot be compared with the new wanted frame rate.
            self.lately.clear();
            self.is_mixed_second = true;
        }
    }

    /// Adapts the video to the links. Returns the changes, and the reason if a required second
    /// encode is missing.
    pub fn adapt(
        &mut self,
        now: Timestamp,
        program: &Program,
    ) -> (Option<Outcome>, Option<Problem>) {
        let sending = self.targets().filter(|sent| !sent.is_over()).count();
        let terms = Terms {
            second: self.second.as_ref().is_some_and(SecondRendition::serves_slow_links),
            alone: sending <= 1 && !self.is_recording() && self.replay().is_none(),
            sends: sending > 0,
        };
        // A target that has ended needs no second encode.
        let targets = self.outputs.all::<TargetOutput>().filter(|it| !it.is_over());
        let main = self.adaptation.bitrate();
        let targets = targets.map(|it| {
            let smaller = usize::from(it.publisher.figures().layers.saturating_sub(1));
            TargetSample {
                id: it.id,
                built_in: it.built_in,
                floor: it.floor,
                reconnecting: it.publisher.state() == publisher::State::Reconnecting,
                sample: without_layers(Sample::of(&it.publisher, now), main, smaller),
            }
        });
        let outcome = self.adaptation.update(now, targets, terms);
        if outcome.is_some() {
            self.set_encoder();
        }
        let is_codec_refused = self.targets().any(|sent| sent.publisher.needs_h264());
        let wanted = match is_codec_refused {
            true => Some((self.adaptation.bitrate(), self.adaptation.size())),
            false => self.adaptation.second(),
        };
        let followed = self.second.as_mut().map(|it| it.follow(wanted, program, &self.hub));
        for sent in self.targets() {
            sent.publisher.set_rendition(self.adaptation.rendition_id(sent.id));
        }
        (outcome, followed.and_then(Result::err))
    }

    /// Leaves B-frames out from now on, for an output that does not take them.
    pub fn end_b_frames(&self) {
        if let Some(video) = &self.video {
            video.end_b_frames();
            self.hub.set_b_frames(false);
        }
    }

    /// Returns the allowed video bitrate.
    pub fn allowed(&self) -> BitsPerSecond {
        self.adaptation.bitrate()
    }

    /// Returns the bitrate and size of the second encode, while it is needed.
    pub fn second(&self) -> Option<(BitsPerSecond, Size)> {
        self.adaptation.second()
    }

    /// Returns the events since the last call.
    pub fn poll(&mut self, now: Timestamp) -> Vec<OutputNews> {
        let mut happenings = self.outputs.poll(now);
        self.count_time_on_air(now);
        if let Some(passthrough) = &self.passthrough {
            let targets = self.targets().map(|sent| &sent.publisher);
            passthrough.begin_when_ready(targets, self.stream_delay.is_some());
        }
        if !self.is_publishing() {
            self.mixes.end_sent();
            self.stream_delay = None;
            self.adaptation.set_lag(Duration::ZERO);
        }
        let held = self.stream_delay.as_mut().and_then(StreamDelay::poll);
        happenings.extend(held.map(OutputNews::Delay));
        happenings.extend(self.poll_own_encode());
        happenings.extend(self.poll_renditions());
        let silent = self.opus_failures().into_iter();
        let silent = silent.map(|reason| StudioMessage::OpusFailed { reason });
        happenings.extend(silent.map(OutputNews::Message));
        let second = self.second.as_ref().and_then(SecondRendition::encoder);
        let incidents = self.video.iter().chain(second).flat_map(VideoEncoder::take_incidents);
        let incidents = incidents.chain(self.layers.iter().flat_map(LayerEncodes::take_incidents));
        happenings.extend(incidents.map(|it| OutputNews::Message(encoder_message(it))));
        let failed = self.video.as_ref().and_then(VideoEncoder::failed);
        let failed = failed.or_else(|| self.audio.as_ref().and_then(AudioEncoder::failed));
        let failed = failed.or_else(|| self.extras.as_ref().and_then(ExtraTrackEncoders::failure));
        if let Some(error) = failed.filter(|_| !self.encoder_failed) {
            self.encoder_failed = true;
            happenings.push(OutputNews::Encoder(Problem::from(&error)));
        }
        happenings
    }

    /// Ends the publishers in the background; the rest of the broadcast continues.
    pub fn end_publishers(&mut self, events: Sender<Event>) -> Option<Worker> {
        self.stream_delay = None;
        self.outputs.take(|_: &TargetOutput| true).stop_beside(OUTPUTS_END_TIMEOUT, events)
    }

    /// Ends everything in the background: encoders are flushed, files are finalized, and streams
    /// are unpublished. The program must already have detached the encoders. `quits` is true if onair
    /// quits, so that files have less time.
    pub fn end(self, quits: bool, events: Sender<Event>) -> Option<Worker> {
        background("end-broadcast", move || {
            let Self {
                program,
                hub,
                mut video,
                second,
                renditions,
                layers,
                audio,
                extras,
                mut outputs,
                stream_delay,
                passthrough,
                mixes: _mixes,
                ..
            } = self;
            if let Some(stream_delay) = &stream_delay {
                stream_delay.discard();
            }
            // During the wait for late audio, a target that is not live must not go live.
            outputs.stop_early(OUTPUTS_END_TIMEOUT);
            let late = hub.audio_delay().min(Self::max_audio_wait(quits));
            let look_ahead = hub.video_delay().min(MAX_FLUSH_TIME);
            let stuck = [
                video.as_mut().and_then(|it| it.wait(ENCODERS_END_TIMEOUT + look_ahead).err()),
                second.and_then(|second| second.join(RENDITION_END_TIMEOUT).err()),
                renditions.and_then(|it| it.join(RENDITION_END_TIMEOUT).err()),
                layers.and_then(|layers| layers.join(RENDITION_END_TIMEOUT).err()),
                audio.and_then(|audio| audio.join(ENCODERS_END_TIMEOUT + late).err()),
                extras.and_then(|extras| extras.join(AUDIO_TRACKS_END_TIMEOUT).err()),
                passthrough.and_then(|passthrough| passthrough.end(ENCODERS_END_TIMEOUT).err()),
                hub.finish(HUB_END_TIMEOUT).err(),
            ];
            for own in outputs.all_mut().filter_map(|it: &mut RecordingOutput| it.own.as_mut()) {
                own.finish(ENCODERS_END_TIMEOUT);
            }
            for stuck in stuck.into_iter().flatten() {
                tracing::warn!(%stuck, "ending the broadcast failed");
            }
            let file_limit = if quits { QUIT_FILE_END_TIMEOUT } else { FILE_END_TIMEOUT };
            outputs.stop(OUTPUTS_END_TIMEOUT, file_limit, |event| {
                let _ = events.send(event);
            });
            let encoded = video.map(|video| video.figures());
            let targets = outputs.all_mut().map(|sent: &mut TargetOutput| sent.figures());
            let totals = stats::Totals {
                video: encoded.map(|video| (video.encoded, video.keyframes)),
                targets: targets.collect(),
            };
            // The summary is about the main program.
            if program == ProgramId::MAIN {
                let _ = events.send(Event::Totals(totals));
            }
        })
    }

    /// Returns the overall state of the broadcast.
    pub fn live_state(&self) -> LiveState {
        let mut best = LiveState::Idle;
        if self.held().is_some_and(|held| held.begins_in.is_some()) && self.is_publishing() {
            return LiveState::Connecting { stage: "delay" };
        }
        for sent in self.targets() {
            let report = sent.publisher.report();
            match report.state {
                publisher::State::Live => return LiveState::OnAir,
                publisher::State::Reconnecting => {
                    best = LiveState::Reconnecting {
                        retry_in: report.retry_in.unwrap_or_default(),
                        cause: report.problem().unwrap_or_default(),
                    };
                }
                publisher::State::Connecting if best == LiveState::Idle => {
                    best = match (report.retry_in, report.problem()) {
                        (Some(retry_in), Some(cause)) => {
                            LiveState::Reconnecting { retry_in, cause }
                        }
                        _ => LiveState::Connecting { stage: report.stage.name() },
                    };
                }
                _ => {}
            }
        }
        best
    }
}
