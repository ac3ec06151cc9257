//! The codec backends. Each backend implements every method, because the traits have no default
//! methods.

mod automatic;
mod bitstream;
mod candidates;
mod external;
mod fdk_aac;
mod frame_times;
mod inventory;
mod measurements;
mod openh264;
mod opus;
#[cfg(test)]
pub(super) mod pipelined;
pub(super) mod process;
mod replacement;
mod traits;

use crate::base::Timestamp;
use crate::encode::backend::candidates::{AUDIO_ENCODERS, Candidate, OPENH264};
use crate::encode::backend::process::family_of;
use crate::encode::config::{self, Choice, Preset, Profile, RateControl};
use crate::encode::error::Error;
use crate::media::TrackKind;
use crate::text::Problem;
use crate::text::problem::problem;

pub(super) use automatic::lighter;
pub use automatic::{Aim, Selection, select};
use inventory::measured_encoders;
pub use inventory::{KnownEncoder, known_encoders, known_encoders_so_far, try_encoders};
pub use opus::OpusEncoder;
pub(super) use replacement::Replacement;
pub(super) use traits::{AudioBackend, Block, Description, VideoBackend};

/// An open backend, and the reason why it was chosen.
pub(super) struct Opened<B: ?Sized> {
    pub backend: Box<B>,
    /// The backends that failed, with the reasons, or else the reason why this backend was chosen.
    pub why: String,
}

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

/// Opens the selected video encoder. *Auto* is the built-in one, unless the encoders of this
/// computer were measured and a better one is fast enough.
pub(super) fn open_video(config: &config::Video) -> Result<Opened<dyn VideoBackend>, Error> {
    #[cfg(test)]
    if config.encoder == Choice::Pipelined {
        let backend = Box::new(pipelined::Encoder::open(config)?);
        return Ok(Opened { backend, why: "asked for".to_owned() });
    }
    if let Some(family) = family_of(config.encoder) {
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
    if config.encoder == Choice::Auto
        && let Some(opened) = open_automatic(config)
    {
        return Ok(opened);
    }
    let is_ahead = config.b_frames > 0 || config.look_ahead > 0;
    if config.preset != Preset::Auto || config.rate_control != RateControl::Cbr || is_ahead {
        return Err(Error::Config(problem!("encode-no-tuning")));
    }
    open_builtin(config)
}

/// Opens the best encoder of H.264 whose measured speed is enough. Returns `None` if that is the
/// built-in one, or nothing is measured.
fn open_automatic(config: &config::Video) -> Option<Opened<dyn VideoBackend>> {
    let Selection { encoder, preset, speed } =
        select(measured_encoders(), Aim::WidestReach, config.size, config.frame_rate);
    let family = family_of(encoder)?;
    let preset = if config.preset == Preset::Auto { preset } else { config.preset };
    let chosen = config::Video { encoder, preset, ..*config };
    match external::Encoder::open(family, &chosen) {
        Ok(backend) => {
            let why = format!("measured at {:.0} fps for this size", speed.unwrap_or_default());
            Some(Opened { backend: Box::new(backend), why })
        }
        Err(error) => {
            tracing::warn!(%error, "the automatic choice does not open");
            None
        }
    }
}

/// Opens the built-in encoder, which replaces one that failed.
pub(super) fn open_builtin(config: &config::Video) -> Result<Opened<dyn VideoBackend>, Error> {
    let why = match config.encoder {
        Choice::Auto => "built in, and no other encoder was measured to be fast enough",
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

/// Moves a timestamp by a number of samples.
pub(super) fn after_samples(from: Timestamp, samples: i64, rate: u32) -> Timestamp {
    from.offset(crate::media::samples::frames_to_micros(samples, rate))
}
