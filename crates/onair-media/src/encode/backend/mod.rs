//! The codec backends. Each backend implements every method, because the traits have no default
//! methods.

mod bitstream;
mod external;
mod fdk_aac;
mod openh264;
mod opus;
#[cfg(test)]
pub(super) mod pipelined;
pub(super) mod process;
mod replacement;
mod traits;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::base::{Pooled, Timestamp, Worker};
use crate::encode::backend::process::{Family, Trouble, families, family};
use crate::encode::config::{self, Choice, Preset, Profile, RateControl};
use crate::encode::error::{Error, Flaw};
use crate::media::{
    AudioCodec, BitsPerSecond, Codec, Color, FrameRate, Planes, Size, TrackKind, VideoCodec,
    VideoFrame,
};
use crate::text::Problem;
use crate::text::problem::problem;

pub use opus::OpusEncoder;
pub(super) use replacement::Replacement;
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

/// The built-in video encoder, which opens on every computer.
const OPENH264: Candidate<config::Video, dyn VideoBackend> = Candidate {
    name: Choice::OpenH264.name(),
    library: "OpenH264",
    codec: Codec::Video(VideoCodec::H264),
    open: |config| Ok(Box::new(openh264::Encoder::open(config)?)),
};

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

/// Opens the selected video encoder. *Auto* is the built-in one: it is always there, and its speed
/// and its pictures are known.
pub(super) fn open_video(config: &config::Video) -> Result<Opened<dyn VideoBackend>, Error> {
    #[cfg(test)]
    if config.encoder == Choice::Pipelined {
        let backend = Box::new(pipelined::Encoder::open(config)?);
        return Ok(Opened { backend, why: "asked for".to_owned() });
    }
    if let Some(family) = family(config.encoder) {
        let no_backend = |error: Error| {
            let reason = Problem::from(&error);
            let tried = problem!("encode-tried", encoder = family.choice.name(), reason = reason);
            Error::NoBackend { kind: TrackKind::Video, tried: vec![tried] }
        };
        return match external::Encoder::open(family, config) {
            Ok(backend) => {
                let used = backend.rate_control();
                let why = match used == config.rate_control {
                    true => "asked for".to_owned(),
                    false => format!(
                        "asked for; {} does not offer {}, so it uses {used}",
                        family.library, config.rate_control
                    ),
                };
                Ok(Opened { backend: Box::new(backend), why })
            }
            // The name of the encoder is part of these errors.
            Err(error @ (Error::Config(_) | Error::Process { .. })) => Err(error),
            Err(error) => Err(no_backend(error)),
        };
    }
    if config.preset != Preset::Auto || config.rate_control != RateControl::Cbr {
        return Err(Error::Config(problem!("encode-no-tuning")));
    }
    open_builtin(config)
}

/// Opens the built-in encoder, which replaces one that failed.
pub(super) fn open_builtin(config: &config::Video) -> Result<Opened<dyn VideoBackend>, Error> {
    let why = match config.encoder {
        Choice::Auto => "the only encoder on this computer that needs no hardware",
        _ => "asked for",
    };
    first_that_opens(TrackKind::Video, why, config, [&OPENH264].into_iter())
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
#[derive(Clone, Debug, PartialEq)]
pub struct KnownEncoder {
    /// The value in the settings file; `None` for audio, which has no choice.
    pub choice: Option<Choice>,
    pub name: &'static str,
    /// The name of the library, for display.
    pub library: &'static str,
    pub codec: Codec,
    /// True if the encoder runs on graphics hardware.
    pub hardware: bool,
    /// The reason why the encoder does not open on this computer, if it does not open.
    pub unavailable: Option<Error>,
    /// The measured speed in frames per second at 1280x720, with the usual preset; only for encoders
    /// that are tried in a process.
    pub speed_720p: Option<f64>,
}

/// Returns all encoders. Each encoder is tried once, the first time. That takes a fraction of a
/// second for each encoder of the system's libraries.
pub fn known_encoders() -> &'static [KnownEncoder] {
    static KNOWN_ENCODERS: OnceLock<Vec<KnownEncoder>> = OnceLock::new();
    KNOWN_ENCODERS.get_or_init(|| {
        let (video, audio) = trials();
        let mut all = vec![OPENH264.tried(Some(Choice::OpenH264), &video)];
        all.extend(families().map(|family| family.known(speed(family))));
        all.extend(AUDIO_ENCODERS.iter().map(|it| it.tried(None, &audio)));
        all
    })
}

/// The thread that tries the encoders.
static TRIAL: OnceLock<Option<Worker>> = OnceLock::new();

/// Starts to try the encoders on another thread, for [`known_encoders_so_far`].
pub fn try_encoders() {
    TRIAL.get_or_init(|| {
        let tried = Worker::spawn("onair-encoders", |_| {
            known_encoders();
        });
        tried.inspect_err(|error| tracing::warn!(%error, "trying the encoders failed")).ok()
    });
}

/// Returns all encoders like [`known_encoders`], but without waiting: those that have not been
/// tried are not available yet.
pub fn known_encoders_so_far() -> &'static [KnownEncoder] {
    static UNTRIED: OnceLock<Vec<KnownEncoder>> = OnceLock::new();
    match TRIAL.get() {
        Some(Some(trial)) if trial.is_finished() => known_encoders(),
        _ => UNTRIED.get_or_init(|| {
            let (video, audio) = trials();
            let mut all = vec![OPENH264.tried(Some(Choice::OpenH264), &video)];
            all.extend(families().map(|family| {
                let (encoder, trouble) = (family.choice.name(), Trouble::NotTried);
                family.known(Err(Error::Process { encoder, trouble }))
            }));
            all.extend(AUDIO_ENCODERS.iter().map(|it| it.tried(None, &audio)));
            all
        }),
    }
}

/// Returns the configurations with which built-in encoders are tried.
fn trials() -> (config::Video, config::Audio) {
    let bitrate = BitsPerSecond(128_000);
    let audio = config::Audio { sample_rate: 48_000, channels: 2, bitrate };
    (trial(Size::new(320, 180), Choice::OpenH264), audio)
}

/// Returns a usual configuration for trying an encoder.
fn trial(size: Size, encoder: Choice) -> config::Video {
    config::Video {
        size,
        frame_rate: FrameRate::FPS_30,
        bitrate: BitsPerSecond(2_500_000),
        keyframe_interval: Duration::from_secs(2),
        encoder,
        preset: Preset::Auto,
        rate_control: RateControl::Cbr,
    }
}

impl Family {
    /// Returns the description of an encoder that was tried with this result.
    fn known(&self, speed: Result<f64, Error>) -> KnownEncoder {
        let (unavailable, speed_720p) = match speed {
            Ok(speed) => (None, Some(speed)),
            Err(error) => (Some(error), None),
        };
        KnownEncoder {
            choice: Some(self.choice),
            name: self.choice.name(),
            library: self.library,
            codec: Codec::Video(self.codec),
            hardware: self.is_hardware,
            unavailable,
            speed_720p,
        }
    }
}

/// Number of frames that are encoded to try an encoder.
const TRIAL_FRAMES: i64 = 5;

/// Returns the speed of an encoder in frames per second.
fn speed(family: &'static Family) -> Result<f64, Error> {
    let config = trial(Size::new(1280, 720), family.choice);
    let mut encoder = external::Encoder::open(family, &config)?;
    let frames = (0..TRIAL_FRAMES).map(|number| trial_frame(config.size, number));
    let frames: Vec<VideoFrame> = frames.collect();
    let started = Instant::now();
    for (number, frame) in frames.iter().enumerate() {
        encoder.send_frame(frame, number == 0)?;
    }
    encoder.finish()?;
    let took = started.elapsed().as_secs_f64().max(0.001);
    let mut packets = 0;
    while encoder.receive_packet()?.is_some() {
        packets += 1;
    }
    match packets {
        TRIAL_FRAMES => Ok(TRIAL_FRAMES as f64 / took),
        _ => Err(Error::Malformed { encoder: family.choice.name(), flaw: Flaw::NoSlice }),
    }
}

/// Returns a frame with detail that moves.
fn trial_frame(size: Size, number: i64) -> VideoFrame {
    let pts = Timestamp::from_millis(number * 33);
    let mut planes = Planes::black(size);
    let (width, shift) = (size.width as usize, number.unsigned_abs() as usize * 3);
    for (row, luma) in planes.y.chunks_mut(width.max(1)).enumerate() {
        for (column, luma) in luma.iter_mut().enumerate() {
            let (x, y) = (column + shift, row + shift / 2);
            *luma = 16 + ((x ^ y).wrapping_mul(x / 8 + y / 4) % 219) as u8;
        }
    }
    let surface = Arc::new(Pooled::unpooled(planes)).into();
    VideoFrame { pts, surface, color: Color::PROGRAM }
}

impl<C, B: ?Sized> Candidate<C, B> {
    fn tried(&self, choice: Option<Choice>, config: &C) -> KnownEncoder {
        let unavailable = (self.open)(config).err();
        let (name, library, codec) = (self.name, self.library, self.codec);
        let (hardware, speed_720p) = (false, None);
        KnownEncoder { choice, name, library, codec, hardware, unavailable, speed_720p }
    }
}

/// Moves a timestamp by a number of samples.
pub(super) fn after_samples(from: Timestamp, samples: i64, rate: u32) -> Timestamp {
    from.offset(crate::media::samples::frames_to_micros(samples, rate))
}
