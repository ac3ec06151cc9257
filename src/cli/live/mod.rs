//! `onair live`: a broadcast without a window. Drives the same studio as the window does.

mod broadcast;
pub mod targets;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use crate::audio::AudioChoice;
use crate::base::Clock;
use crate::capture::VideoChoice;
use crate::cli::exit::Exit;
use crate::cli::globals::Globals;
use crate::cli::output::{Output, complain};
use crate::cli::trust;
use crate::cli::value::duration;
use crate::media::{BitsPerSecond, FrameRate, Size};
use crate::studio::targets::parse;
use crate::studio::{Config, Quality, Settings, Wanted};
use crate::wire::container::Format;

/// Flags of `onair live`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "With no --to and no --record the stream goes to the built-in server as \
    live/onair.\nSIGINT and SIGTERM end the broadcast cleanly.")]
pub struct Args {
    /// Picture: `camera[:ID]`, file:CLIP.y4m, test, none [default: a camera if there is one, else test]
    #[arg(long, value_name = "SOURCE", help_heading = "Sources")]
    pub video: Option<VideoChoice>,
    /// Sound: `mic[:ID]`, file:CLIP.wav, tone, silence, none [default: a microphone if there is one,
    /// else tone with the test picture, else silence]
    #[arg(long, value_name = "SOURCE", help_heading = "Sources")]
    pub audio: Option<AudioChoice>,
    /// Scene of the collection in --settings that goes out
    #[arg(long, value_name = "NAME", help_heading = "Sources", hide = true)]
    pub scene: Option<String>,

    /// Picture size
    #[arg(long, value_name = "WxH", default_value = "1280x720", help_heading = "Quality")]
    pub size: Size,
    /// Pictures a second
    #[arg(long, value_name = "RATE", default_value = "30", help_heading = "Quality")]
    pub fps: FrameRate,
    /// Bitrate of the picture
    #[arg(long, value_name = "BITRATE", default_value = "2500k", help_heading = "Quality")]
    pub video_bitrate: BitsPerSecond,
    /// Time from keyframe to keyframe
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration,
          help_heading = "Quality")]
    pub keyframe_interval: Duration,
    /// Video encoder: auto or openh264
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = ["auto", "openh264"],
          help_heading = "Quality")]
    pub encoder: String,
    /// Bitrate of the sound
    #[arg(long, value_name = "BITRATE", default_value = "128k", help_heading = "Quality")]
    pub audio_bitrate: BitsPerSecond,
    /// Samples a second
    #[arg(long, value_name = "HZ", default_value_t = 48_000, help_heading = "Quality",
          value_parser = clap::value_parser!(u32).range(8_000..=96_000))]
    pub sample_rate: u32,
    /// Channels, 1 or 2
    #[arg(long, value_name = "N", default_value_t = 2, help_heading = "Quality",
          value_parser = clap::value_parser!(u16).range(1..=2))]
    pub channels: u16,

    /// Where to send (repeatable): an RTMP(S) URL whose last part is the key, or an application's
    /// URL followed by --key-env, --key-file or --key-stdin
    #[arg(long, value_name = "URL", help_heading = "Targets")]
    pub to: Vec<String>,
    /// The key of the --to before it is in this environment variable
    #[arg(long, value_name = "NAME", requires = "to", help_heading = "Targets")]
    pub key_env: Vec<String>,
    /// The key of the --to before it is in this file
    #[arg(long, value_name = "PATH", requires = "to", help_heading = "Targets")]
    pub key_file: Vec<PathBuf>,
    /// The key of the --to before it is the first line of standard input
    #[arg(long, requires = "to", help_heading = "Targets")]
    pub key_stdin: bool,
    /// How long a target is tried again, at first and after a loss [default: for ever]
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Targets")]
    pub retry_for: Option<Duration>,
    #[command(flatten, next_help_heading = "Targets")]
    pub trust: trust::Flags,

    /// Record into this file: .flv, .mp4 or .mkv
    #[arg(long, value_name = "PATH", help_heading = "Recording")]
    pub record: Option<PathBuf>,
    /// End after this long, counted from the first picture [default: until interrupted]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub duration: Option<Duration>,
}

/// Runs the command.
pub fn run(args: &Args, matches: &clap::ArgMatches, globals: &Globals, clock: Clock) -> Exit {
    let output = Output::new(clock, globals.json);
    match prepare(args, matches, globals, clock) {
        Ok((config, wanted)) => {
            broadcast::run(config, wanted, args.record.as_deref(), args.duration, &output)
        }
        Err((why, exit)) => {
            complain(&why);
            output.event("summary", json!({"error": why, "exit": exit.code()}), || None);
            exit
        }
    }
}

type Refusal = (String, Exit);

/// The studio and the targets that the flags describe.
fn prepare(
    args: &Args,
    matches: &clap::ArgMatches,
    globals: &Globals,
    clock: Clock,
) -> Result<(Config, Vec<Wanted>), Refusal> {
    if args.scene.is_some() {
        let why = "--scene: this version has no scenes; choose --video and --audio";
        return Err((why.into(), Exit::Usage));
    }
    let written = targets::written(matches).map_err(|error| match error {
        targets::Error::Usage(why) => (why, Exit::Usage),
        targets::Error::Unreadable(why) => (why, Exit::File),
    })?;
    let mut wanted: Vec<Wanted> = Vec::new();
    for target in written {
        if let Err(why) = parse(&target.url, target.key.as_ref()) {
            return Err((format!("--to: {why}"), Exit::Usage));
        }
        wanted.push(Wanted::Url { url: target.url, key: target.key });
    }
    if wanted.is_empty() && args.record.is_none() {
        wanted.push(Wanted::BuiltIn);
    }
    if let Some(path) = args.record.as_ref().filter(|path| Format::of_path(path).is_none()) {
        let why = format!(
            "--record {}: the name says the format: let it end in .flv, .mp4 or .mkv",
            path.display()
        );
        return Err((why, Exit::Usage));
    }
    let trust = args.trust.read()?;
    let (mut settings, warnings) = match &globals.settings {
        Some(path) if !path.exists() => {
            return Err((
                format!("--settings {}: there is no such file", path.display()),
                Exit::File,
            ));
        }
        Some(path) => Settings::read(path),
        None => Default::default(),
    };
    settings.video = args.video.clone().or(settings.video);
    settings.audio = args.audio.clone().or(settings.audio);
    if settings.audio.is_none() && settings.video == Some(VideoChoice::Test) {
        // Tests of the way out are reproducible: no microphone is opened unasked.
        settings.audio = Some(AudioChoice::Tone);
    }
    settings.quality = Quality {
        size: args.size,
        frame_rate: args.fps,
        video_bitrate: args.video_bitrate,
        keyframe_interval: args.keyframe_interval,
        audio_bitrate: args.audio_bitrate,
        sample_rate: args.sample_rate,
        channels: args.channels,
    };
    let encoder = args.encoder.parse().map_err(|why| (why, Exit::Usage))?;
    let mut config = Config { warnings, encoder, ..Config::new(clock, settings) };
    config.options.net.trust = trust;
    config.retry_for = args.retry_for;
    Ok((config, wanted))
}
