//! Finds out which encoders work on this computer, and how fast they are. The speeds are kept in a
//! file until a library or driver changes.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::base::{Pooled, Timestamp, Worker};
use crate::encode::backend::candidates::{AUDIO_ENCODERS, Candidate, OPENH264};
use crate::encode::backend::external;
use crate::encode::backend::measurements::Measurements;
use crate::encode::backend::process::{Family, Trouble, families};
use crate::encode::backend::traits::VideoBackend;
use crate::encode::config::{self, AudioProfile, Choice, Preset, RateControl};
use crate::encode::error::{Error, Flaw};
use crate::media::{BitsPerSecond, Codec, Color, FrameRate, Planes, Size, VideoFrame};

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

/// Returns all encoders. Each encoder is tried once, the first time, unless it was measured before
/// with the same libraries and drivers. That takes a fraction of a second for each encoder of the
/// system's libraries.
pub fn known_encoders() -> &'static [KnownEncoder] {
    static KNOWN_ENCODERS: OnceLock<Vec<KnownEncoder>> = OnceLock::new();
    KNOWN_ENCODERS.get_or_init(|| {
        let measured = Measurements::read();
        let speed = |family: &'static Family| match measured.speed(family.choice) {
            Some(speed) => Ok(speed),
            None => speed(family),
        };
        let (video, audio) = trials();
        let mut all = vec![OPENH264.tried(Some(Choice::OpenH264), &video)];
        all.extend(families().map(|family| family.known(speed(family))));
        all.extend(AUDIO_ENCODERS.iter().map(|it| it.tried(None, &audio)));
        let speeds = all.iter().filter_map(|it| Some((it.choice?, it.speed_720p?)));
        measured.write(speeds);
        all
    })
}

/// Returns the encoders that were measured: now, or before with the same libraries and drivers.
/// The call does not wait.
pub(super) fn measured_encoders() -> &'static [KnownEncoder] {
    static MEASURED: OnceLock<Vec<KnownEncoder>> = OnceLock::new();
    match TRIAL.get() {
        Some(Some(trial)) if trial.is_finished() => known_encoders(),
        _ => MEASURED.get_or_init(|| {
            let measured = Measurements::read();
            let found = |family: &'static Family| {
                measured.speed(family.choice).map(|speed| family.known(Ok(speed)))
            };
            families().filter_map(found).collect()
        }),
    }
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
    let profile = AudioProfile::Lc;
    let audio = config::Audio { sample_rate: 48_000, channels: 2, bitrate, profile };
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
        b_frames: 0,
        look_ahead: 0,
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
