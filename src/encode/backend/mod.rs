//! The codecs. A backend answers every question itself: the traits have no default methods.

mod fdk_aac;
mod openh264;
#[cfg(test)]
pub(super) mod pipelined;
mod traits;

use crate::base::Timestamp;
use crate::encode::config::{self, Choice};
use crate::encode::error::Error;

pub(super) use traits::{AudioBackend, Block, Description, VideoBackend};

/// A backend that opened, and why it is this one.
pub(super) struct Opened<B: ?Sized> {
    pub backend: Box<B>,
    /// What was tried before it and why that failed; else why it was chosen.
    pub why: String,
}

type Candidate<C, B> = (&'static str, fn(&C) -> Result<Box<B>, Error>);

fn first_that_opens<C, B: ?Sized>(
    kind: &'static str,
    chosen: &str,
    config: &C,
    candidates: &[Candidate<C, B>],
) -> Result<Opened<B>, Error> {
    let mut tried = Vec::new();
    for (name, open) in candidates {
        match open(config) {
            Ok(backend) => {
                let why = if tried.is_empty() { chosen.to_owned() } else { tried.join("; ") };
                return Ok(Opened { backend, why });
            }
            Err(error) => tried.push(format!("{name}: {error}")),
        }
    }
    Err(Error::NoBackend { kind, tried })
}

/// Opens the video encoder that was chosen, or the best there is.
pub(super) fn open_video(config: &config::Video) -> Result<Opened<dyn VideoBackend>, Error> {
    const OPENH264: Candidate<config::Video, dyn VideoBackend> =
        ("openh264", |config| Ok(Box::new(openh264::Encoder::open(config)?)));
    #[cfg(test)]
    const PIPELINED: Candidate<config::Video, dyn VideoBackend> =
        ("pipelined", |config| Ok(Box::new(pipelined::Encoder::open(config)?)));
    match config.encoder {
        Choice::Auto => first_that_opens(
            "H.264",
            "the only encoder on this machine that needs no hardware",
            config,
            &[OPENH264],
        ),
        Choice::OpenH264 => first_that_opens("H.264", "asked for", config, &[OPENH264]),
        #[cfg(test)]
        Choice::Pipelined => first_that_opens("H.264", "asked for", config, &[PIPELINED]),
    }
}

/// Opens the audio encoder.
pub(super) fn open_audio(config: &config::Audio) -> Result<Opened<dyn AudioBackend>, Error> {
    const FDK: Candidate<config::Audio, dyn AudioBackend> =
        ("fdk-aac", |config| Ok(Box::new(fdk_aac::Encoder::open(config)?)));
    first_that_opens("AAC", "the only AAC encoder built in", config, &[FDK])
}

/// Moves a stamp by a number of samples.
pub(super) fn after_samples(from: Timestamp, samples: i64, rate: u32) -> Timestamp {
    from.offset(crate::media::samples::frames_to_micros(samples, rate))
}
