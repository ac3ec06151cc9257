//! `onair live`: a broadcast without a window. The command uses the same studio as the window.

mod broadcast;
mod control;
mod folded;
mod record_tracks;
pub mod targets;

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{
    NonEmptyStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser,
};
use clap::parser::ValueSource;

use crate::audio::AudioChoice;
use crate::base::Clock;
use crate::capture::VideoChoice;
use crate::cli::flags::value::{bytes, delay, duration, sample_rate};
use crate::cli::flags::{Globals, network, value};
use crate::cli::live::targets::KeySource;
use crate::cli::output::Output;
use crate::cli::output::exit::Exit;
use crate::cli::output::redact::check_file;
use crate::encode;
use crate::media::{BitsPerSecond, FrameRate, Size};
use crate::studio::settings::part::files::PartFiles;
use crate::studio::settings::part::on_air::OnAirMark;
use crate::studio::settings::{
    ServerToken, default_journal, default_path, keys_beside, read_services, services_beside,
};
use crate::studio::targets::address::parse;
use crate::studio::targets::services::SERVICES;
use crate::studio::targets::sharing::{check_host, check_origin};
use crate::studio::{Adapt, Collection, Config, Quality, RecordingChoices, Settings, Target};
use crate::text::problem::{Problem, problem};
use crate::wire::container::Format;

/// Flags of `onair live`.
#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("target").args(["to", "service"]).multiple(true))]
#[command(
    after_help = "Without --to and --record, onair sends to the targets of --settings that are on. \
    Without such targets, it sends to the built-in server as live/onair. With --settings, quality flags \
    that you omit have the values in the settings.\nSIGINT, SIGTERM and SIGHUP end the broadcast \
    cleanly. SIGUSR1 saves the replay buffer, and SIGUSR2 adds a chapter to the recording."
)]
pub struct Args {
    /// Video source: `camera[:ID][@1280x720,30,MJPEG]`, `screen[:ID]`, window:ID (screen:wayland,
    /// window:wayland: choose in the desktop's dialog), file:FILE, stream:URL, image:FILE,
    /// slides:FOLDER, color:#RRGGBB, text:WORDS, text-file:PATH, clock, countdown:SECONDS, stopwatch,
    /// test, none [default: a camera if there is one, else test]
    #[arg(long, value_name = "SOURCE", value_parser = value::video(), help_heading = "Sources")]
    pub video: Option<VideoChoice>,
    /// Audio source: `mic[:ID]`, `system[:ID]`, app:NAME (one application of `onair devices`),
    /// file:FILE, stream:URL, tone, silence, none [default: a microphone if there is one, else tone
    /// with the test pattern, else silence]
    #[arg(long, value_name = "SOURCE", value_parser = value::audio(), help_heading = "Sources")]
    pub audio: Option<AudioChoice>,
    /// Scene from --settings to broadcast [default: the last program scene]
    #[arg(long, value_name = "NAME", help_heading = "Sources", conflicts_with = "copy")]
    pub scene: Option<String>,
    /// Send this FLV, MP4 or MKV file as is, without encoding it. An FLV file can have any codec;
    /// an MP4 or MKV file needs a codec that FLV supports. The file starts when a target is
    /// connected. After a short stall, onair sends the backlog
    #[arg(long, value_name = "FILE", help_heading = "Sources", requires = "target",
          conflicts_with_all = ["video", "audio", "record", "replay", "control", "why", "monitor"])]
    pub copy: Option<PathBuf>,
    /// Loop the file of --copy
    #[arg(long = "loop", help_heading = "Sources", requires = "copy")]
    pub again: bool,

    /// Frame size
    #[arg(long, value_name = "WxH", default_value = "1280x720", help_heading = "Quality")]
    pub size: Size,
    /// Frames per second
    #[arg(long, value_name = "RATE", default_value = "30", help_heading = "Quality")]
    pub fps: FrameRate,
    /// Video bitrate
    #[arg(long, value_name = "BITRATE", default_value = "2500k", help_heading = "Quality")]
    pub video_bitrate: BitsPerSecond,
    /// Keyframe interval
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration,
          help_heading = "Quality")]
    pub keyframe_interval: Duration,
    /// Adaptive bitrate: slowest or first (follow the slowest or the first target), off, or
    /// rendition (slow targets get a second encode with a lower bitrate). For a single target without
    /// a recording, rendition works like slowest
    #[arg(long, value_name = "MODE", default_value = "slowest", help_heading = "Quality")]
    pub adapt: Adapt,
    /// Lowest video bitrate that adaptive bitrate may use
    #[arg(long, value_name = "BITRATE", default_value = "300k", help_heading = "Quality")]
    pub min_video_bitrate: BitsPerSecond,
    /// Below half of the bitrate, skip every other frame to keep the other frames sharp
    #[arg(long, help_heading = "Quality")]
    pub adapt_frames: bool,
    /// If the bitrate is too low for the frame size, encode at 3/4 or 1/2 of the size. When the
    /// size changes, a recording continues in a new file
    #[arg(long, help_heading = "Quality")]
    pub adapt_size: bool,
    /// Video encoder, from the list in `onair devices`
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = encoder(),
          help_heading = "Quality")]
    pub encoder: encode::Choice,
    /// Audio bitrate
    #[arg(long, value_name = "BITRATE", default_value = "128k", help_heading = "Quality")]
    pub audio_bitrate: BitsPerSecond,
    /// Sample rate in Hz: 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200
    /// or 96000
    #[arg(long, value_name = "HZ", default_value_t = 48_000, help_heading = "Quality",
          value_parser = sample_rate)]
    pub sample_rate: u32,
    /// Number of audio channels, 1 or 2
    #[arg(long, value_name = "N", default_value_t = 2, help_heading = "Quality",
          value_parser = clap::value_parser!(u16).range(1..=2))]
    pub channels: u16,

    /// Target (repeatable): an RTMP(S) URL that ends in the stream key, or an application's URL
    /// followed by --key-env, --key-file or --key-stdin
    #[arg(long, value_name = "URL", help_heading = "Targets")]
    pub to: Vec<String>,
    /// Send to this known service, or to one of your own services (services.toml beside the
    /// settings). Pass the stream key with the --key-… flag that follows (repeatable)
    #[arg(long, value_name = "NAME", value_parser = ServiceName, help_heading = "Targets")]
    pub service: Vec<String>,
    /// Send only to the built-in server, as live/onair, and not to the targets of --settings
    #[arg(long, conflicts_with_all = ["to", "service", "copy"], help_heading = "Targets")]
    pub built_in: bool,
    /// Let other computers on your network watch the built-in server over HTTP and WebRTC, without a
    /// password, unless viewers need a key. By default, only this computer can watch, unless --settings
    /// allow it
    #[arg(long, conflicts_with = "copy", help_heading = "Targets")]
    pub network: bool,
    /// Environment variable with the key that viewers of the built-in server need: `?key=…` after each
    /// link. Without it, --settings decide whether viewers need a key
    #[arg(long, value_name = "NAME", conflicts_with_all = ["copy", "play_key_file"],
          help_heading = "Targets")]
    pub play_key_env: Option<String>,
    /// File with the key that viewers of the built-in server need
    #[arg(long, value_name = "PATH", conflicts_with = "copy", help_heading = "Targets")]
    pub play_key_file: Option<PathBuf>,
    /// Host name that browsers may use for the built-in server, in addition to its addresses,
    /// localhost, and the name of this computer in .local (repeatable)
    #[arg(long, value_name = "HOST", value_parser = check_host, help_heading = "Targets")]
    pub name: Vec<String>,
    /// Origin whose pages may read from the built-in server, such as `https://example.com`, or `*` for
    /// all (repeatable)
    #[arg(long, value_name = "ORIGIN", value_parser = check_origin, help_heading = "Targets")]
    pub cors: Vec<String>,
    /// Resume the broadcast that a crash ended, with its targets, scene, collection and profile
    #[arg(long, conflicts_with_all = ["to", "service", "built_in", "copy", "scene", "collection",
          "profile"], help_heading = "Targets")]
    pub resume: bool,
    /// Environment variable with the stream key for the preceding --to
    #[arg(long, value_name = "NAME", requires = "target", help_heading = "Targets")]
    pub key_env: Vec<String>,
    /// File with the stream key for the preceding --to
    #[arg(long, value_name = "PATH", requires = "target", help_heading = "Targets")]
    pub key_file: Vec<PathBuf>,
    /// Read the stream key for the preceding --to from the first line of standard input
    #[arg(long, requires = "target", help_heading = "Targets")]
    pub key_stdin: bool,
    /// Turn on the viewer monitor for all targets. With =URL, monitor the preceding --to at that URL.
    /// The monitor reports black, frozen, silent, late, stalled or different streams, and other frame
    /// sizes
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true,
          default_missing_value = "", help_heading = "Targets")]
    pub monitor: Vec<String>,
    /// Lowest video bitrate for the preceding --to [default: the value of --min-video-bitrate]
    #[arg(long, value_name = "BITRATE", requires = "target", help_heading = "Targets")]
    pub target_min_bitrate: Vec<BitsPerSecond>,
    /// How long onair retries a target, at the start and after it loses the connection [default: no
    /// limit]
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Targets")]
    pub retry_for: Option<Duration>,
    /// Stream delay for all targets, at most 30 min. It does not delay recordings or the preview
    #[arg(long, value_name = "DURATION", value_parser = delay, help_heading = "Targets")]
    pub delay: Option<Duration>,
    /// When the broadcast ends (--duration, Ctrl-C, `stop`), send the delayed part first instead of
    /// discarding it
    #[arg(long, requires = "delay", help_heading = "Targets")]
    pub stop_after_delay: bool,
    /// Folder for the delayed part that does not fit into memory (64 MiB) [default: your cache
    /// folder]
    #[arg(long, value_name = "FOLDER", requires = "delay", help_heading = "Targets")]
    pub delay_folder: Option<PathBuf>,
    #[command(flatten, next_help_heading = "Targets")]
    pub route: network::Flags,

    /// Record to this file: .flv, .mp4 or .mkv
    #[arg(long, value_name = "PATH", help_heading = "Recording")]
    pub record: Option<PathBuf>,
    /// Record this audio source to an additional track with this NAME (repeatable, up to 5). The
    /// first additional track is track 2, because track 1 is always the program. A SOURCE of
    /// --audio or of a strip in --settings keeps its strip settings. Any other SOURCE is only in
    /// its track, not in the program
    #[arg(long, value_name = "NAME=SOURCE", value_parser = record_tracks::parse, conflicts_with = "copy",
          help_heading = "Recording")]
    pub record_track: Vec<record_tracks::Named>,
    /// Write the event log of the stream to this file, one line per event
    #[arg(long, value_name = "FILE")]
    pub why: Option<PathBuf>,
    /// Split the recording into files (NAME-part2…) of this duration
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "record",
          help_heading = "Recording")]
    pub split_time: Option<Duration>,
    /// Split the recording into files of at most this size: 700M, 2G
    #[arg(long, value_name = "SIZE", value_parser = bytes, requires = "record",
          help_heading = "Recording")]
    pub split_size: Option<u64>,
    /// Length of the replay buffer. SIGUSR1, or `replay` with --control, saves the buffer
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Recording")]
    pub replay: Option<Duration>,
    /// Memory limit of --replay
    #[arg(long, value_name = "SIZE", value_parser = bytes, default_value = "512M",
          help_heading = "Recording")]
    pub replay_size: u64,
    /// File for replays: .flv, .mp4 or .mkv [default: replay.mp4 beside --record, or in the current
    /// folder]
    #[arg(long, value_name = "PATH", help_heading = "Recording")]
    pub replay_to: Option<PathBuf>,
    /// Read commands from standard input, one per line (see `onair help live`)
    #[arg(long, conflicts_with = "key_stdin", help_heading = "Recording",
          long_help = CONTROL_HELP)]
    pub control: bool,
    /// Duration of the broadcast, from the first frame on [default: until you stop it]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub duration: Option<Duration>,
}

const CONTROL_HELP: &str = "Read commands from standard input, one per line.

  pause, resume, split, stop-recording    control the recording
  record PATH, replay [PATH]              start a recording, save the replay buffer
  chapter [TITLE], snapshot [PATH]        add a chapter, save a screenshot
  scene NAME, prepare NAME|none           change the program or the preview
  take [KIND [DURATION] [OPTION]…]        switch the preview to the program
  transition KIND [DURATION] [OPTION]… [file=PATH]
  scene-transition NAME: KIND …|none      set the transition of one scene
  item hide|show|lock|unlock|up|down|top|bottom [ITEM]
  item place [ITEM:] WHAT=VALUE …         move or change an item
  duplicate [ITEM], duplicate-source ITEM with the same source, or with a copy of it
  filter on|off|remove KIND [SOURCE]
  filter set|add KIND [SOURCE:] WHAT=VALUE …
  media pause|resume|restart|next|previous|seek TIME [SOURCE]
  media at-end loop|clear|hold [SOURCE]   at the end of a file
  media add SOURCE: FILE                  add a file to the playlist
  media remove NUMBER SOURCE              remove a file from the playlist
  if-black [NAME:] keep|placeholder|SOURCE
                                          set the fallback for black or lost video
  ask [SOURCE]                            show the sharing dialog of Wayland again
  talk press|release [STRIP]              push-to-talk
  clip-out [STRIP]                        reset clip indicators
  reset-loudness                          reset integrated loudness and true peak
  strip gain DECIBELS [STRIP], strip balance PERCENT [STRIP]
  strip mute|unmute|solo|unsolo|mono|stereo [STRIP]
  strip offset TIME [STRIP]
  strip monitoring off|both|only|tracks [STRIP]
  strip filter on|off|set|add|remove KIND …
  strip at-end loop|clear|hold [STRIP]    at the end of an audio file
  strip restart [STRIP]                   play an audio file from its start
  strip if-silent [STRIP:] keep|SOURCE    set the fallback for silent or lost audio
  stop                                    end the broadcast

ITEM is an item of the current scene, or SCENE/ITEM. WHAT=VALUE uses the names in the settings.";

/// Runs the command.
pub fn run(args: &Args, matches: &clap::ArgMatches, globals: &Globals, clock: Clock) -> Exit {
    let output = Output::new(clock, globals.json);
    match prepare(args, matches, globals, clock) {
        Ok(config) => {
            let run = control::Run {
                copy: args.copy.clone().map(|path| (path, args.again)),
                record: args.record.clone(),
                duration: args.duration,
                replay_to: args.replay_to.clone(),
                control: args.control,
                drain: args.stop_after_delay,
            };
            broadcast::run(config, &run, &output)
        }
        Err((why, exit)) => {
            output.refuse(&why, exit);
            exit
        }
    }
}

type Refusal = (Problem, Exit);

/// The parser for the name of a service, which is a known service or one of the user's own
/// services.
#[derive(Clone, Debug)]
struct ServiceName;

impl TypedValueParser for ServiceName {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, clap::Error> {
        NonEmptyStringValueParser::new().parse_ref(command, arg, value)
    }

    /// Returns the known services. The help of each contains the page that shows the stream key
    /// and, if each show has a separate address, the address too.
    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(SERVICES.iter().filter_map(|service| match &service.id {
            Cow::Borrowed(id) => {
                let (name, page) = (&service.name, &service.key_page);
                Some(PossibleValue::new(*id).help(match service.servers.is_empty() {
                    true => format!("{name}; address (for --to) and key for each show: {page}"),
                    false => format!("{name}; key: {page}"),
                }))
            }
            Cow::Owned(_) => None,
        })))
    }
}

/// Creates the studio configuration and the targets that the flags describe.
fn prepare(
    args: &Args,
    matches: &clap::ArgMatches,
    globals: &Globals,
    clock: Clock,
) -> Result<Config, Refusal> {
    let beside = globals.settings.clone().or_else(default_path).as_deref().map(services_beside);
    let (services, wrong) = beside.as_deref().map(read_services).unwrap_or_default();
    let written = targets::written(matches, &services)?;
    let mut wanted: Vec<Target> = Vec::new();
    for (target, id) in written.into_iter().zip(0..) {
        if let Err(why) = parse(&target.url, target.key.as_ref()) {
            return Err((problem!("cli-flag", flag = "--to", reason = why), Exit::Usage));
        }
        wanted.push(Target {
            monitor: target.play_url.is_some().then_some(true),
            play_url: target.play_url.unwrap_or_default(),
            least_bitrate: target.least_bitrate,
            ..Target::custom(id, &target.url, target.key.unwrap_or_default())
        });
    }
    for (flag, path) in [("--record", &args.record), ("--replay-to", &args.replay_to)] {
        if let Some(path) = path.as_ref().filter(|path| Format::of_path(path).is_none()) {
            let flag = format!("{flag} {}", path.display());
            let reason = problem!("file-format");
            return Err((problem!("cli-flag", flag = flag, reason = reason), Exit::Usage));
        }
    }
    if let Some(path) = &args.copy {
        check_file(path).map_err(|why| (why.into(), Exit::File))?;
    }
    let net = args.route.read()?;
    let named = globals.settings_to_go_by().map_err(|why| (why, Exit::File))?;
    let (mut settings, mut warnings) = named.unwrap_or_default();
    let mut in_use = globals.settings_in_use();
    if args.resume {
        in_use = in_use.or_else(default_path);
        (settings, warnings) = resumed(in_use.as_deref()).map_err(|why| (why, Exit::File))?;
    }
    warnings.extend(wrong);
    // This file also contains the data that the window has stored: the keys of targets and the
    // addresses of sources.
    let keys_path = in_use.as_deref().map(keys_beside);
    // A broadcast to targets from the settings can be resumed; keys from the command line are not
    // stored.
    let of_settings = wanted.is_empty() && !args.built_in;
    let on_air_mark = in_use.as_deref().filter(|_| of_settings).map(OnAirMark::place);
    if args.built_in {
        wanted = vec![built_in(&settings.targets)];
    } else if wanted.is_empty() && args.record.is_none() {
        wanted.clone_from(&settings.targets);
    }
    if args.monitor.iter().any(String::is_empty) {
        wanted.iter_mut().for_each(|target| target.monitor = Some(true));
    }
    settings.targets = wanted;
    settings.reach.http |= args.network;
    settings.server_names.hosts.extend(args.name.iter().cloned());
    settings.server_names.origins.extend(args.cors.iter().cloned());
    let play_key = args.play_key_env.clone().map(KeySource::Env);
    let play_key = play_key.or_else(|| args.play_key_file.clone().map(KeySource::File));
    let play_key = play_key.map(|source| source.read_for_links()).transpose()?;
    settings.play_key |= play_key.is_some();
    settings.delay = args.delay.unwrap_or(settings.delay);
    if let Some(duration) = args.duration
        && duration <= settings.delay
        && !args.stop_after_delay
        && args.copy.is_none()
        && !settings.targets.is_empty()
    {
        let why = "--duration ends before the delay is over, so that nothing would be sent: add \
                   --stop-after-delay";
        return Err((why.into(), Exit::Usage));
    }
    choose_scene(args, &mut settings)?;
    settings.video = args.video.clone().or(settings.video);
    settings.audio = args.audio.clone().or(settings.audio);
    if settings.audio.is_none() && settings.video == Some(VideoChoice::Test) {
        // Tests of the output must be reproducible: no microphone is opened unless requested.
        settings.audio = Some(AudioChoice::Tone);
    }
    record_tracks::add(&args.record_track, &mut settings).map_err(|why| (why, Exit::Usage))?;
    settings.quality = quality(args, matches, &settings.quality);
    settings.preferences.recording = recording(args, matches, settings.preferences.recording);
    if args.replay_to.is_some() && settings.preferences.recording.replay.is_none() {
        return Err((problem!("flag-replay-to"), Exit::Usage));
    }
    let mut config = Config {
        server_token: ServerToken::of_user_or_none(),
        play_key,
        services,
        warnings,
        keys_path,
        on_air_mark,
        calm: true,
        program: args.copy.is_none(),
        loudness: globals.json,
        history_path: args.why.clone(),
        ..Config::new(clock, settings)
    };
    config.options.net = net;
    if let Some(folder) = &args.delay_folder {
        config.delay_folder.clone_from(folder);
    }
    config.retry_for = args.retry_for;
    config.journal = default_journal().filter(|_| config.program);
    Ok(config)
}

/// Returns the settings of a broadcast that a crash interrupted.
fn resumed(path: Option<&std::path::Path>) -> Result<(Settings, Vec<Problem>), Problem> {
    let mark = path.and_then(|path| Some((path, OnAirMark::left(&OnAirMark::place(path))?)));
    let (path, mark) = mark.ok_or_else(|| problem!("cli-nothing-to-resume"))?;
    let (mut settings, mut warnings) = Settings::read(path);
    warnings.extend(mark.prepare(&PartFiles::beside(path), &mut settings)?);
    Ok((settings, warnings))
}

/// Returns the parser for the name of a video encoder.
fn encoder() -> impl TypedValueParser<Value = encode::Choice> {
    let names = PossibleValuesParser::new(encode::Choice::ALL.map(encode::Choice::name));
    names.try_map(|name| name.parse())
}

/// Returns the built-in server as configured in the settings.
fn built_in(known: &[Target]) -> Target {
    let known = known.iter().find(|target| target.is_built_in()).cloned();
    Target { enabled: true, ..known.unwrap_or_else(Target::built_in) }
}

/// Returns the value of the flag, or else the stored value.
fn chosen<T>(matches: &clap::ArgMatches, flag: &str, said: T, kept: T) -> T {
    match matches.value_source(flag) {
        Some(ValueSource::DefaultValue) | None => kept,
        Some(_) => said,
    }
}

/// Returns the quality from the flags, completed from the settings.
fn quality(args: &Args, matches: &clap::ArgMatches, kept: &Quality) -> Quality {
    macro_rules! chosen {
        ($flag:ident, $kept:expr) => {
            chosen(matches, stringify!($flag), args.$flag, $kept)
        };
    }
    Quality {
        size: chosen!(size, kept.size),
        frame_rate: chosen!(fps, kept.frame_rate),
        video_bitrate: chosen!(video_bitrate, kept.video_bitrate),
        adapt: chosen!(adapt, kept.adapt),
        least_bitrate: chosen!(min_video_bitrate, kept.least_bitrate),
        adapt_frames: args.adapt_frames || kept.adapt_frames,
        adapt_size: args.adapt_size || kept.adapt_size,
        keyframe_interval: chosen!(keyframe_interval, kept.keyframe_interval),
        encoder: chosen!(encoder, kept.encoder),
        audio_bitrate: chosen!(audio_bitrate, kept.audio_bitrate),
        sample_rate: chosen!(sample_rate, kept.sample_rate),
        channels: chosen!(channels, kept.channels),
    }
}

/// Returns the recording options from the flags, completed from the settings.
fn recording(args: &Args, matches: &clap::ArgMatches, kept: RecordingChoices) -> RecordingChoices {
    RecordingChoices {
        split_time: args.split_time.or(kept.split_time),
        split_bytes: args.split_size.or(kept.split_bytes),
        replay: args.replay.or(kept.replay),
        replay_bytes: chosen(matches, "replay_size", args.replay_size, kept.replay_bytes),
        ..kept
    }
}

/// Selects the scene of the settings to broadcast.
fn choose_scene(args: &Args, settings: &mut Settings) -> Result<(), Refusal> {
    let collection = &mut settings.collection;
    let Some(name) = &args.scene else {
        if args.video.is_some() {
            // A video source was requested, so only this source is shown.
            *collection = Collection::default();
        }
        return Ok(());
    };
    if let Some(scene) = collection.scene_named(name) {
        collection.current = scene.id;
        return Ok(());
    }
    let names: Vec<&str> = collection.scenes.iter().map(|scene| scene.name.as_str()).collect();
    Err((problem!("cli-no-scene", name = name, scenes = &names), Exit::File))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches};

    use super::*;
    use crate::cli::{Cli, Sub};

    /// Returns the result of `make` for these arguments.
    fn of<T>(words: &[&str], make: impl FnOnce(&Args, &clap::ArgMatches) -> T) -> T {
        let all = ["onair", "live"].iter().chain(words);
        let matches = Cli::command().try_get_matches_from(all).unwrap();
        let Some(Sub::Live(args)) = Cli::from_arg_matches(&matches).unwrap().command else {
            unreachable!("it is live")
        };
        make(&args, matches.subcommand_matches("live").unwrap())
    }

    fn quality_of(words: &[&str], kept: &Quality) -> Quality {
        of(words, |args, matches| quality(args, matches, kept))
    }

    #[test]
    fn recordings_are_made_as_the_settings_say_unless_a_flag_says_otherwise() {
        let made = |words: &[&str], kept: &RecordingChoices| {
            of(words, |args, matches| recording(args, matches, kept.clone()))
        };
        let usual = RecordingChoices::default();
        assert_eq!(made(&[], &usual), usual);
        let minutes = |count: u64| Some(Duration::from_secs(count * 60));
        let kept = RecordingChoices {
            split_time: minutes(30),
            split_bytes: Some(700_000_000),
            replay: minutes(1),
            replay_bytes: 64 << 20,
            ..usual
        };
        assert_eq!(made(&["--replay-to", "again.mkv"], &kept), kept);
        let words = ["--record", "a.mp4", "--split-time", "10m", "--replay-size", "512M"];
        let wanted =
            RecordingChoices { split_time: minutes(10), replay_bytes: 512_000_000, ..kept.clone() };
        assert_eq!(made(&words, &kept), wanted);
    }

    #[test]
    fn flags_come_before_the_settings_and_these_before_what_is_usual() {
        let usual = Quality::default();
        assert_eq!(quality_of(&[], &usual), usual);
        // The defaults of the flags are the usual values.
        let cli = Cli::command();
        let live = cli.find_subcommand("live").unwrap();
        let all: Vec<String> = live
            .get_arguments()
            .filter(|arg| arg.get_help_heading() == Some("Quality"))
            .filter_map(|arg| {
                let usual = arg.get_default_values().first()?.to_str()?;
                arg.get_action()
                    .takes_values()
                    .then(|| format!("--{}={usual}", arg.get_id().as_str().replace('_', "-")))
            })
            .collect();
        assert!(all.len() >= 9, "{all:?}");
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let kept = Quality {
            size: Size::new(640, 360),
            frame_rate: "60".parse().unwrap(),
            video_bitrate: BitsPerSecond(900_000),
            adapt: Adapt::Off,
            least_bitrate: BitsPerSecond(200_000),
            adapt_frames: false,
            adapt_size: false,
            keyframe_interval: Duration::from_secs(1),
            encoder: encode::Choice::OpenH264,
            audio_bitrate: BitsPerSecond(96_000),
            sample_rate: 44_100,
            channels: 1,
        };
        assert_eq!(quality_of(&all, &kept), usual);
        assert_eq!(quality_of(&[], &kept), kept);
        let some = quality_of(&["--fps", "30", "--adapt-size"], &kept);
        let rate = FrameRate::FPS_30;
        assert_eq!(some, Quality { frame_rate: rate, adapt_size: true, ..kept });
    }
}
