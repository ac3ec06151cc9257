//! The codec backends. Each backend implements every method, because the traits have no default
//! methods.

mod fdk_aac;
mod openh264;
mod opus;
#[cfg(test)]
pub(super) mod pipelined;
mod traits;

use std::sync::OnceLock;
use std::time::Duration;

use crate::base::Timestamp;
use crate::encode::config::{self, Choice, Profile};
use crate::encode::error::Error;
use crate::media::{AudioCodec, BitsPerSecond, Codec, FrameRate, Size, TrackKind, VideoCodec};
use crate::text::Problem;
use crate::text::problem::problem;

pub use opus::OpusEncoder;
pub(super) use traits::{AudioBackend, Block, Description, VideoBackend};

/// An open backend, and the reason why it was chosen.
pub(super) struct Opened<B: ?Sized> {
    pub backend: Box<B>,
    /// The backends that failed, with the reasons, or else the reason why this backend was chosen.
    pub why: String,
}

/// A codec, and the function that opens its encoder.
struct Candidate<C, B: ?Sized> {
    name: &'static str,
    /// The name of the library, for display.
    library: &'static str,
    /// The codec of the encoder.
    codec: Codec,
    open: fn(&C) -> Result<Box<B>, Error>,
}

/// The video encoders, best first.
const VIDEO_ENCODERS: &[(Choice, Candidate<config::Video, dyn VideoBackend>)] = &[(
    Choice::OpenH264,
    Candidate {
        name: Choice::OpenH264.name(),
        library: "OpenH264",
        codec: Codec::Video(VideoCodec::H264),
        open: |config| Ok(Box::new(openh264::Encoder::open(config)?)),
    },
)];

/// The audio encoders, best first.
const AUDIO_ENCODERS: &[Candidate<config::Audio, dyn AudioBackend>] = &[Candidate {
    name: "fdk-aac",
    library: "FDK-AAC",
    codec: Codec::Audio(AudioCodec::Aac),
    open: |config| Ok(Box::new(fdk_aac::Encoder::open(config)?)),
}];

fn first_that_opens<'a, C: 'a, B: ?Sized + 'a>(
    kind: TrackKind,
    chosen: &str,
    config: &C,
    candidates: impl Iterator<Item = &'a Candidate<C, B>>,
) -> Result<Opened<B>, Error> {
    let mut tried = Vec::new();
    for candidate in candidates {
        match (candidate.open)(config) {
            Ok(backend) => {
                let failed: Vec<_> = tried.iter().map(Problem::to_string).collect();
                let why = if failed.is_empty() { chosen.to_owned() } else { failed.join("; ") };
                return Ok(Opened { backend, why });
            }
            Err(error) => {
                let reason = Problem::from(&error);
                tried.push(problem!("encode-tried", encoder = candidate.name, reason = reason));
            }
        }
    }
    Err(Error::NoBackend { kind, tried })
}

/// Opens the selected video encoder, or the best available one.
pub(super) fn open_video(config: &config::Video) -> Result<Opened<dyn VideoBackend>, Error> {
    #[cfg(test)]
    if config.encoder == Choice::Pipelined {
        let backend = Box::new(pipelined::Encoder::open(config)?);
        return Ok(Opened { backend, why: "asked for".to_owned() });
    }
    let is_wanted = |choice: Choice| [Choice::Auto, choice].contains(&config.encoder);
    let candidates = VIDEO_ENCODERS.iter().filter(|(choice, _)| is_wanted(*choice));
    let why = match config.encoder {
        Choice::Auto => "the only encoder on this computer that needs no hardware",
        _ => "asked for",
    };
    first_that_opens(TrackKind::Video, why, config, candidates.map(|(_, candidate)| candidate))
}

/// Opens an encoder with the Constrained Baseline profile of H.264.
pub(super) fn open_baseline(config: &config::Video) -> Result<Box<dyn VideoBackend>, Error> {
    Ok(Box::new(openh264::Encoder::open_as(config, Profile::ConstrainedBaseline)?))
}

/// Opens the audio encoder.
pub(super) fn open_audio(config: &config::Audio) -> Result<Opened<dyn AudioBackend>, Error> {
    first_that_opens(
        TrackKind::Audio,
        "the only AAC encoder built in",
        config,
        AUDIO_ENCODERS.iter(),
    )
}

/// An encoder that onair knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownEncoder {
    /// The value in the settings file; `None` for audio, which has no choice.
    pub choice: Option<Choice>,
    pub name: &'static str,
    /// The name of the library, for display.
    pub library: &'static str,
    pub codec: Codec,
    /// The reason why the encoder does not open on this computer, if it does not open.
    pub unavailable: Option<Error>,
}

/// Returns all encoders. Each encoder is tried once.
pub fn known_encoders() -> &'static [KnownEncoder] {
    static KNOWN_ENCODERS: OnceLock<Vec<KnownEncoder>> = OnceLock::new();
    KNOWN_ENCODERS.get_or_init(|| {
        let video = config::Video {
            size: Size::new(320, 180),
            frame_rate: FrameRate::FPS_30,
            bitrate: BitsPerSecond(500_000),
            keyframe_interval: Duration::from_secs(2),
            encoder: Choice::Auto,
        };
        let audio =
            config::Audio { sample_rate: 48_000, channels: 2, bitrate: BitsPerSecond(128_000) };
        let video = VIDEO_ENCODERS.iter().map(|(choice, it)| it.tried(Some(*choice), &video));
        video.chain(AUDIO_ENCODERS.iter().map(|it| it.tried(None, &audio))).collect()
    })
}

impl<C, B: ?Sized> Candidate<C, B> {
    fn tried(&self, choice: Option<Choice>, config: &C) -> KnownEncoder {
        let unavailable = (self.open)(config).err();
        let (name, library, codec) = (self.name, self.library, self.codec);
        KnownEncoder { choice, name, library, codec, unavailable }
    }
}

/// Moves a timestamp by a number of samples.
pub(super) fn after_samples(from: Timestamp, samples: i64, rate: u32) -> Timestamp {
    from.offset(crate::media::samples::frames_to_micros(samples, rate))
}
