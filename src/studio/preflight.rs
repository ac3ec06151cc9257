//! *Ready?*: looks at everything that a broadcast needs without going live. Sources and levels are
//! read as they are; the encoder is tried with a second of moving picture; each target is asked as
//! far as its answer to `connect` and left again. On a thread of its own.

use std::time::Duration;

use crate::base::queue::{self, Full, Receiver, Sender};
use crate::base::{Clock, Stop, Timestamp, Worker};
use crate::broadcast::publisher;
use crate::capture::{self, VideoChoice};
use crate::encode::{self, VideoEncoder};
use crate::media::FrameGrid;
use crate::net::rtmp::Client;
use crate::net::{Error, Pin, Runtime};
use crate::studio::Quality;
use crate::studio::notice::{Level, Notice, Remedy};

/// Findings that may wait to be read: more than there can be.
const FINDINGS: usize = 64;
/// How long the encoder is tried, in pictures of the chosen rate.
const TRIED: Duration = Duration::from_secs(1);
/// How long that may take.
const TRIED_WITHIN: Duration = Duration::from_secs(20);
/// With less than this share of its speed to spare, a machine will stumble sooner or later.
const SPARE: f64 = 1.3;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    Picture {
        name: String,
    },
    NoPicture,
    Sound {
        db: String,
    },
    Silence,
    Loud {
        db: String,
    },
    NoSound,
    /// How many times faster than needed.
    Encoder {
        times: String,
    },
    EncoderSlow {
        times: String,
    },
    EncoderFailed {
        reason: String,
    },
    Target {
        host: String,
        ms: String,
    },
    TargetFailed {
        id: u32,
        host: String,
        cause: String,
        advice: String,
        pin: Option<Pin>,
    },
    NoTarget,
}

impl Found {
    /// Every name there is, for the test that looks for its texts in each language.
    pub const KEYS: &[&str] = &[
        "found-picture",
        "found-no-picture",
        "found-sound",
        "found-silence",
        "found-loud",
        "found-no-sound",
        "found-encoder",
        "found-encoder-slow",
        "found-encoder-failed",
        "found-target",
        "found-target-failed",
        "found-no-target",
    ];

    fn key(&self) -> &'static str {
        match self {
            Self::Picture { .. } => "found-picture",
            Self::NoPicture => "found-no-picture",
            Self::Sound { .. } => "found-sound",
            Self::Silence => "found-silence",
            Self::Loud { .. } => "found-loud",
            Self::NoSound => "found-no-sound",
            Self::Encoder { .. } => "found-encoder",
            Self::EncoderSlow { .. } => "found-encoder-slow",
            Self::EncoderFailed { .. } => "found-encoder-failed",
            Self::Target { .. } => "found-target",
            Self::TargetFailed { .. } => "found-target-failed",
            Self::NoTarget => "found-no-target",
        }
    }

    fn args(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Picture { name } => vec![("name", name.clone())],
            Self::Sound { db } | Self::Loud { db } => vec![("db", db.clone())],
            Self::Encoder { times } | Self::EncoderSlow { times } => {
                vec![("times", times.clone())]
            }
            Self::EncoderFailed { reason } => vec![("reason", reason.clone())],
            Self::Target { host, ms } => vec![("host", host.clone()), ("ms", ms.clone())],
            Self::TargetFailed { host, cause, .. } => {
                vec![("host", host.clone()), ("cause", cause.clone())]
            }
            Self::NoPicture | Self::Silence | Self::NoSound | Self::NoTarget => Vec::new(),
        }
    }

    fn level(&self) -> Level {
        match self {
            Self::Picture { .. }
            | Self::Sound { .. }
            | Self::Encoder { .. }
            | Self::Target { .. } => Level::Info,
            Self::Silence | Self::Loud { .. } | Self::NoSound | Self::EncoderSlow { .. } => {
                Level::Warning
            }
            _ => Level::Error,
        }
    }

    fn summary(&self) -> String {
        match self {
            Self::Picture { name } => format!("The picture comes from {name}."),
            Self::NoPicture => "The picture source delivers nothing: a slate would go out.".into(),
            Self::Sound { db } => format!("There is sound, {db} dB at its loudest."),
            Self::Silence => "The microphone is silent.".into(),
            Self::Loud { db } => format!("The sound clips: {db} dB."),
            Self::NoSound => "The sound source delivers nothing: silence would go out.".into(),
            Self::Encoder { times } => {
                format!("This machine encodes the chosen quality {times} times faster than needed.")
            }
            Self::EncoderSlow { times } => {
                format!("This machine is hardly fast enough: {times} times what is needed.")
            }
            Self::EncoderFailed { reason } => format!("The encoder does not work: {reason}"),
            Self::Target { host, ms } => {
                format!("{host} answers after {ms} ms. The key is tried at Go Live.")
            }
            Self::TargetFailed { host, cause, .. } => format!("{host}: {cause}"),
            Self::NoTarget => "No target is switched on.".into(),
        }
    }

    fn advice(&self) -> String {
        match self {
            Self::NoPicture => "Choose another picture, or look why it delivers nothing.".into(),
            Self::Silence => "Say something; look whether it is muted or turned down.".into(),
            Self::Loud { .. } => "Turn the sound down below its meter.".into(),
            Self::NoSound => "Choose another sound source, or plug it in.".into(),
            Self::EncoderSlow { .. } => {
                "Choose a smaller picture or a lower frame rate, or close other programs.".into()
            }
            Self::EncoderFailed { .. } => "Choose another picture size or frame rate.".into(),
            Self::TargetFailed { advice, .. } => advice.clone(),
            Self::NoTarget => "Switch one on in the list of targets.".into(),
            _ => String::new(),
        }
    }

    fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::TargetFailed { id, pin: Some(pin), .. } => {
                Some(Remedy::TrustCertificate { target: *id, pin: *pin })
            }
            Self::TargetFailed { id, .. } => Some(Remedy::EditTarget(*id)),
            Self::NoPicture => Some(Remedy::UseTestSource),
            _ => None,
        }
    }

    /// As people are told it.
    pub fn notice(&self, id: u64) -> Notice {
        Notice {
            id,
            key: self.key(),
            args: self.args(),
            level: self.level(),
            summary: self.summary(),
            advice: self.advice(),
            detail: String::new(),
            remedy: self.remedy(),
        }
    }
}

/// What is to be tried on the thread.
pub(super) struct Plan {
    pub runtime: Runtime,
    pub clock: Clock,
    pub quality: Quality,
    pub encoder: encode::Choice,
    /// Of the targets that are switched on: id, host and what a publisher would use.
    pub targets: Vec<(u32, String, publisher::Target)>,
}

/// A look that is under way, or over.
#[derive(Debug)]
pub(super) struct Preflight {
    findings: Receiver<Found>,
    worker: Worker,
    pub found: Vec<Notice>,
}

impl Preflight {
    /// Begins with what is known already, and tries the rest.
    pub fn start(known: &[Found], plan: Plan) -> std::io::Result<Self> {
        let (sender, findings) = queue::bounded("findings", FINDINGS, Full::DropOldest);
        let worker = Worker::spawn("preflight", move |stop| look(&plan, &sender, stop))?;
        let mut preflight = Self { findings, worker, found: Vec::new() };
        known.iter().for_each(|found| preflight.add(found));
        Ok(preflight)
    }

    fn add(&mut self, found: &Found) {
        self.found.push(found.notice(self.found.len() as u64));
    }

    /// Takes what was found since.
    pub fn poll(&mut self) {
        while let Ok(found) = self.findings.try_recv() {
            self.add(&found);
        }
    }

    /// Whether there is more to come.
    pub fn is_running(&self) -> bool {
        !self.worker.is_finished() || !self.findings.is_empty()
    }
}

fn look(plan: &Plan, tell: &Sender<Found>, stop: &Stop) {
    let _ = tell.send(try_encoder(plan, stop));
    for (id, host, target) in &plan.targets {
        if stop.is_set() {
            return;
        }
        let _ = tell.send(ask(plan, *id, host, target));
    }
}

/// How fast this machine encodes the moving test picture while it does everything else it does.
fn try_encoder(plan: &Plan, stop: &Stop) -> Found {
    let Quality { size, frame_rate, video_bitrate, keyframe_interval, .. } = plan.quality;
    let failed = |reason: String| Found::EncoderFailed { reason };
    let grid = FrameGrid { origin: Timestamp::ZERO, rate: frame_rate };
    let context = capture::Context { clock: plan.clock, grid, size };
    let mut source = match capture::open(&VideoChoice::Test, &context) {
        Ok(source) => source,
        Err(error) => return failed(error.to_string()),
    };
    let config = encode::video::Config {
        size,
        frame_rate,
        bitrate: video_bitrate,
        keyframe_interval,
        encoder: plan.encoder,
    };
    let (pictures, waiting) = queue::bounded("tried pictures", 4, Full::Block);
    let (packets, encoded) = queue::bounded("tried packets", 4, Full::DropOldest);
    let encoder = match VideoEncoder::spawn(config, waiting, packets) {
        Ok(encoder) => encoder,
        Err(error) => return failed(error.to_string()),
    };
    let count = (TRIED.as_secs_f64() * frame_rate.as_f64()).ceil() as i64;
    let begun = plan.clock.now();
    for number in 0..count {
        let late = plan.clock.now().since(begun) > TRIED_WITHIN;
        let picture = source.feed.picture(grid.instant(number));
        let sent = picture.is_some_and(|picture| pictures.send(picture).is_ok());
        if stop.is_set() || late || !sent {
            break;
        }
    }
    drop(pictures);
    // The end of its packets is the end of its work.
    while encoded.recv_timeout(Duration::from_secs(1)).is_ok() {}
    let figures = encoder.figures();
    if let Some(error) = encoder.failed() {
        return failed(error.to_string());
    }
    let needed = figures.encoded as f64 / frame_rate.as_f64();
    let times = needed / figures.busy.as_secs_f64().max(1e-6);
    let said = format!("{times:.1}");
    if times < SPARE { Found::EncoderSlow { times: said } } else { Found::Encoder { times: said } }
}

/// Asks a target as far as its answer to `connect`.
fn ask(plan: &Plan, id: u32, host: &str, target: &publisher::Target) -> Found {
    let begun = plan.clock.now();
    let asked = Client::check(&target.url, &target.options, plan.clock, &|_| {});
    let host = host.to_owned();
    match plan.runtime.block_on(asked) {
        Ok(_) => {
            let ms = plan.clock.now().since(begun).as_millis().to_string();
            Found::Target { host, ms }
        }
        Err(error) => failed(id, host, &error),
    }
}

fn failed(id: u32, host: String, error: &Error) -> Found {
    Found::TargetFailed {
        id,
        host,
        cause: error.cause.to_string(),
        advice: error.advice(),
        pin: error.pin_to_offer(),
    }
}
