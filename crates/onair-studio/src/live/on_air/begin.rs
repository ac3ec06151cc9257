//! The beginning of a program's outputs: its encoders and its hub. Opening an encoder can take a
//! while, so all programs that begin together are opened first, and then begin at one instant.

use std::sync::Arc;

use super::{MAX_QUEUED_AUDIO_BLOCKS, MAX_QUEUED_FRAMES, MAX_QUEUED_PACKETS, OnAir};
use crate::base::queue::{self, Full};
use crate::base::{Clock, Timestamp};
use crate::broadcast::Hub;
use crate::encode::{AudioCodecChoice, AudioEncoder, VideoEncoder, video};
use crate::media::{ProgramId, RenditionId, StreamConfig};
use crate::server::KeyframeRequest;
use crate::studio::event::{self, Event, ProgramName};
use crate::studio::live::on_air::Base;
use crate::studio::live::on_air::layers::LayerEncodes;
use crate::studio::live::on_air::renditions::ExtraRenditions;
use crate::studio::live::recording::audio_tracks::ExtraTrackEncoders;
use crate::studio::live::second_rendition::SecondRendition;
use crate::studio::program::{Program, ProgramQueues, ProgramSound};
use crate::studio::targets::quality::Quality;
use crate::text::Problem;
use crate::text::problem::problem;

/// The outputs of a program that have not begun.
#[derive(Debug)]
pub struct Opened {
    on_air: OnAir,
    queues: ProgramQueues,
    events: Vec<Event>,
}

impl Opened {
    /// Connects video and audio to the encoders from this instant on. Nothing is sent yet. Returns
    /// the events about the encoders.
    pub fn begin(self, program: &Program, from: Timestamp) -> (OnAir, Vec<Event>) {
        let Self { mut on_air, queues, events } = self;
        on_air.hub.set_audio_delay(program.mixer().lag());
        let (composed, mixed) = (program.compositor().figures(), program.mixer().figures());
        program.attach(queues, from);
        on_air.began_at = from;
        on_air.began =
            Base { captured: composed.captured, skipped: composed.skipped, samples: mixed.samples };
        (on_air, events)
    }
}

impl OnAir {
    /// Opens the encoders of the main program, and connects video and audio to them.
    #[cfg(test)]
    pub fn begin(
        program: &Program,
        quality: &Quality,
        clock: Clock,
    ) -> Result<(Self, Vec<Event>), Problem> {
        let opened = Self::open_main(program, quality, clock)?;
        Ok(opened.begin(program, clock.now()))
    }

    /// Returns the name of the program in events.
    pub const fn name(&self) -> &ProgramName {
        &self.name
    }

    /// Opens the encoders of the main program.
    pub fn open_main(
        program: &Program,
        quality: &Quality,
        clock: Clock,
    ) -> Result<Opened, Problem> {
        let sound = ProgramSound::of(program);
        Self::open(program, (ProgramId::MAIN, ProgramName::Main), sound, quality, clock)
    }

    /// Opens the encoders of a program.
    pub fn open(
        program: &Program,
        (id, name): (ProgramId, ProgramName),
        sound: ProgramSound,
        quality: &Quality,
        clock: Clock,
    ) -> Result<Opened, Problem> {
        let (packets, input) = queue::bounded("packets", MAX_QUEUED_PACKETS, Full::Block);
        let (video, frames, second, renditions) = if id == ProgramId::MAIN && !program.has_video() {
            (None, None, None, None)
        } else {
            let (frames, waiting) = queue::bounded("frames", MAX_QUEUED_FRAMES, Full::DropOldest);
            // The main program may be composed larger than the stream, for its recording.
            let composed = match id {
                ProgramId::MAIN => program.compositor().config().size,
                _ => quality.size,
            };
            let config = video::Config { size: composed, ..quality.video_config() };
            let (rendition, size) = (RenditionId::Main, quality.size);
            let encoder =
                VideoEncoder::spawn_rendition(config, rendition, size, waiting, packets.clone())
                    .map_err(|error| Problem::from(&error))?;
            // The second rendition is drawn from the frames of the main program.
            let second = (id == ProgramId::MAIN)
                .then(|| SecondRendition::new(packets.clone(), quality, composed));
            let renditions = (id == ProgramId::MAIN)
                .then(|| ExtraRenditions::new(packets.clone(), quality, composed));
            (Some(encoder), Some(frames), second, renditions)
        };
        let (audio, blocks, extras) = if sound == ProgramSound::None {
            (None, None, None)
        } else {
            let (blocks, waiting) = queue::bounded("audio", MAX_QUEUED_AUDIO_BLOCKS, Full::Block);
            let config = crate::encode::audio::Config {
                sample_rate: quality.sample_rate,
                channels: quality.channels,
                bitrate: quality.audio_bitrate,
                profile: quality.audio_profile,
            };
            let encoder = AudioEncoder::spawn(config, waiting, packets.clone())
                .map_err(|error| Problem::from(&error))?;
            let extras = (sound == ProgramSound::Shared)
                .then(|| ExtraTrackEncoders::new(id, packets.clone(), config));
            (Some(encoder), Some(blocks), extras)
        };
        drop(packets);
        if video.is_none() && audio.is_none() {
            return Err(problem!("encode-nothing"));
        }
        let of_video = |it| event::Encoder::of_video(name.clone(), it, false);
        let of_audio = |it| event::Encoder::of_audio(name.clone(), it);
        let opened = video.iter().map(of_video).chain(audio.iter().map(of_audio));
        let events = opened.map(Event::Encoder).collect();
        let parameters = StreamConfig {
            video: video.as_ref().map(|video| video.config().clone()),
            audio: audio.as_ref().map(|audio| audio.config().clone()),
        };
        let hub = Hub::spawn(parameters, input).map_err(Problem::from)?;
        if let Some(video) = &video {
            hub.on_keyframe_wanted(video.keyframe_request());
        }
        hub.set_video_delay(quality.video_config().delay());
        hub.set_b_frames(quality.b_frames > 0);
        hub.prefer_opus(quality.audio_codec == AudioCodecChoice::Opus);
        let keyframe_request =
            video.as_ref().map(|video| KeyframeRequest(Arc::new(video.keyframe_request())));
        let on_air = Self { program: id, name, ..Self::new(hub, quality, clock) };
        let layers =
            second.as_ref().map(|_| LayerEncodes::new(quality, program.compositor().config().size));
        let on_air = Self { video, keyframe_request, audio, second, ..on_air };
        let on_air = Self { renditions, layers, extras, ..on_air };
        let queues = ProgramQueues { id, video: frames, audio: blocks, sound };
        Ok(Opened { on_air, queues, events })
    }
}
