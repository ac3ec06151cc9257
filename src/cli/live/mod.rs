//! `onair live`: a broadcast without a window. The command uses the same studio as the window.

pub mod args;
mod broadcast;
mod canvas;
mod control;
mod folded;
mod meeting;
mod missing_source;
mod mixes;
mod record_sources;
mod record_tracks;
mod remote_control;
pub mod server_flags;
pub mod targets;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::parser::ValueSource;

use crate::audio::AudioChoice;
use crate::base::Clock;
use crate::capture::VideoChoice;
use crate::cli::flags::Globals;
use crate::cli::live::args::Args;
use crate::cli::live::targets::{add_built_in, used_targets};
use crate::cli::output::Output;
use crate::cli::output::exit::Exit;
use crate::cli::output::redact::check_file;
use crate::compose::scene::SourceId;
use crate::files::Trouble;
use crate::files::name_pattern::{NameValues, path_by};
use crate::mix::StripId;
use crate::studio::notices::event_log;
use crate::studio::settings::part::files::PartFiles;
use crate::studio::settings::part::on_air::OnAirMark;
use crate::studio::settings::{
    ServerToken, VirtualCameraSource, default_journal, default_path, keys_beside, read_services,
    services_beside,
};
use crate::studio::targets::address::parse;
use crate::studio::targets::services::ServiceList;
use crate::studio::{Collection, Config, Quality, RecordingChoices, Settings, Target};
use crate::text::problem::{Problem, problem};

/// Runs the command.
pub fn run(args: &Args, matches: &clap::ArgMatches, globals: &Globals, clock: Clock) -> Exit {
    let output = Output::new(clock, globals.json);
    let prepared = prepare(args, matches, globals, clock)
        .and_then(|config| Ok((sources_of(args, &config)?, config, remote_control::read(args)?)));
    let files = canvas::files(matches);
    match prepared.and_then(|prepared| Ok((prepared, files?))) {
        Ok(((sources, config, remote), files)) => {
            let (settings, quality) = (&config.settings, &config.settings.quality);
            let scene = settings.collection.current().map(|scene| scene.name.clone());
            let (size, fps) = (Some(quality.size), quality.frame_rate.as_f64());
            let values = NameValues { scene: scene.unwrap_or_default(), size, fps };
            let run = control::Run {
                copy: args.copy.clone().map(|path| (path, args.again)),
                record: files.program.map(|path| path_by(&path, &values)),
                record_canvas: files.second.map(|path| path_by(&path, &values)),
                duration: args.duration,
                replay_to: args.replay_to.clone(),
                control: args.control,
                drain: args.stop_after_delay,
                remote,
                sources,
                virtual_camera: args.virtual_camera.is_some(),
            };
            broadcast::run(config, &run, &output)
        }
        Err((why, exit)) => output.refuse(&why, exit),
    }
}

type Refusal = (Problem, Exit);

/// Creates the studio configuration and the targets that the flags describe.
fn prepare(
    args: &Args,
    matches: &clap::ArgMatches,
    globals: &Globals,
    clock: Clock,
) -> Result<Config, Refusal> {
    let beside = globals.settings.clone().or_else(default_path).as_deref().map(services_beside);
    let (services, wrong) = beside.as_deref().map(read_services).unwrap_or_default();
    let given = given_targets(matches, &services)?;
    check_files(args)?;
    let net = args.route.read()?;
    let (mut settings, mut warnings, in_use) = stored_settings(args, globals)?;
    warnings.extend(wrong);
    // This file also contains the data that the window has stored: the keys of targets and the
    // addresses of sources.
    let keys_path = in_use.as_deref().map(keys_beside);
    // A broadcast to targets from the settings can be resumed; keys from the command line are not
    // stored.
    let of_settings = given.is_empty() && !args.built_in;
    let on_air_mark = in_use.as_deref().filter(|_| of_settings).map(OnAirMark::place);
    let to_given = !given.is_empty();
    settings.targets = used_targets(args, given, &settings.targets);
    if args.guests.is_some() {
        add_built_in(&mut settings.targets);
    }
    server_flags::check(args, &settings.targets)?;
    let play_key = server_flags::play_key(args)?;
    settings.play_key |= play_key.is_some();
    apply_flags(args, matches, &mut settings)?;
    apply_outputs(args, matches, to_given, &mut settings)?;
    check_event_log(args)?;
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
        server: server_flags::read(args)?,
        guests: args.guests.map_or(0, usize::from),
        event_log_path: args.why.clone(),
        ..Config::new(clock, settings)
    };
    config.meeting = meeting::read(args, &net)?;
    config.options.net = net;
    if let Some(folder) = &args.delay_folder {
        config.delay_folder.clone_from(folder);
    }
    config.retry_for = args.retry_for;
    config.journal = default_journal().filter(|_| config.program);
    Ok(config)
}

/// Sets the second canvas, and the mixes of the targets and of the recordings. The list of targets is that of the command
/// line if `to_given` is true.
fn apply_outputs(
    args: &Args,
    matches: &clap::ArgMatches,
    to_given: bool,
    settings: &mut Settings,
) -> Result<(), Refusal> {
    let mut targets = std::mem::take(&mut settings.targets);
    let given = if to_given { targets.as_mut_slice() } else { &mut [] };
    let applied = canvas::apply(matches, args.canvas.as_ref(), given, settings)
        .and_then(|()| mixes::apply(matches, given, settings));
    settings.targets = targets;
    applied
}

/// Returns the sources that are recorded alone, with their files.
fn sources_of(args: &Args, config: &Config) -> Result<BTreeMap<SourceId, PathBuf>, Refusal> {
    let settings = &config.settings;
    let has_main = settings.video != Some(VideoChoice::None);
    record_sources::find(&args.record_source, &settings.collection, has_main)
}

/// Returns the targets of the command line, with the numbers from 0 as their ids.
fn given_targets(
    matches: &clap::ArgMatches,
    services: &ServiceList,
) -> Result<Vec<Target>, Refusal> {
    let mut given = Vec::new();
    for (target, id) in targets::written(matches, services)?.into_iter().zip(0..) {
        if let Err(why) = parse(&target.url, target.key.as_ref()) {
            let why = match targets::with_key_advice(why) {
                why if why.id() == "cli-no-key" => why,
                why => problem!("cli-flag", flag = "--to", reason = why),
            };
            return Err((why, Exit::Usage));
        }
        given.push(Target {
            monitor: target.play_url.is_some().then_some(true),
            play_url: target.play_url.unwrap_or_default(),
            least_bitrate: target.least_bitrate,
            simulcast: target.simulcast,
            ..Target::custom(id, &target.url, target.key.unwrap_or_default())
        });
    }
    Ok(given)
}

/// Fails if a recording has no known format, or if the file to send is not readable.
fn check_files(args: &Args) -> Result<(), Refusal> {
    let recorded = args.record.iter().map(|path| ("--record", path));
    for (flag, path) in recorded.chain(args.replay_to.iter().map(|path| ("--replay-to", path))) {
        control::check_format(flag, path).map_err(|why| (why, Exit::Usage))?;
    }
    if let Some(path) = &args.copy {
        check_file(path).map_err(|why| (why, Exit::File))?;
    }
    Ok(())
}

/// Returns the settings to start with, their warnings, and the settings file in use.
fn stored_settings(
    args: &Args,
    globals: &Globals,
) -> Result<(Settings, Vec<Problem>, Option<PathBuf>), Refusal> {
    let named = globals.settings_to_go_by().map_err(|why| (why, Exit::File))?;
    let in_use = globals.settings_in_use();
    if args.resume {
        let in_use = in_use.or_else(default_path);
        let (settings, warnings) = resumed(in_use.as_deref()).map_err(|why| (why, Exit::File))?;
        return Ok((settings, warnings, in_use));
    }
    let (settings, warnings) = named.unwrap_or_default();
    Ok((settings, warnings, in_use))
}

/// Changes the settings as the flags say, except the targets and keys.
fn apply_flags(
    args: &Args,
    matches: &clap::ArgMatches,
    settings: &mut Settings,
) -> Result<(), Refusal> {
    settings.reach.http |= args.network;
    settings.server_names.hosts.extend(args.name.iter().cloned());
    settings.server_names.origins.extend(args.cors.iter().cloned());
    settings.chat.services.extend(args.chat.iter().cloned());
    settings.chat = std::mem::take(&mut settings.chat).checked();
    settings.delay = args.delay.unwrap_or(settings.delay);
    check_duration(args, settings)?;
    choose_scene(args, settings)?;
    settings.video = args.video.clone().or_else(|| settings.video.take());
    settings.audio = args.audio.clone().or_else(|| settings.audio.take());
    if settings.audio.is_none() && settings.video == Some(VideoChoice::Test) {
        // Tests of the output must be reproducible: no microphone is opened unless requested.
        settings.audio = Some(AudioChoice::Tone);
    }
    record_tracks::add(&args.record_track, settings).map_err(|why| (why, Exit::Usage))?;
    settings.rules.extend(args.rules.iter().cloned());
    match args.virtual_camera.as_deref() {
        Some("preview") => settings.virtual_camera.source = VirtualCameraSource::Preview,
        Some(_) => settings.virtual_camera.source = VirtualCameraSource::Program,
        None => {}
    }
    if args.copy.is_none() && sends_nothing(settings) {
        return Err((problem!("cli-nothing-to-send"), Exit::Usage));
    }
    settings.quality = quality(args, matches, &settings.quality);
    let Quality { video_codec, encoder, .. } = settings.quality;
    if !video_codec.fits(encoder) {
        let (codec, encoder) = (video_codec.name(), encoder.name());
        let why = problem!("cli-codec-encoder", codec = codec, encoder = encoder);
        return Err((why, Exit::Usage));
    }
    let kept = std::mem::take(&mut settings.preferences.recording);
    settings.preferences.recording = recording(args, matches, kept);
    if args.replay_to.is_some() && settings.preferences.recording.replay.is_none() {
        return Err((problem!("flag-replay-to"), Exit::Usage));
    }
    Ok(())
}

/// Fails if the broadcast would end before the stream delay lets anything through.
fn check_duration(args: &Args, settings: &Settings) -> Result<(), Refusal> {
    let ends_early = args.duration.is_some_and(|duration| duration <= settings.delay)
        && !args.stop_after_delay
        && args.copy.is_none()
        && !settings.targets.is_empty();
    if ends_early { Err((problem!("cli-duration-in-delay"), Exit::Usage)) } else { Ok(()) }
}

/// Fails if the file of `--why` is not writable.
fn check_event_log(args: &Args) -> Result<(), Refusal> {
    let Some(path) = &args.why else { return Ok(()) };
    event_log::try_out(path).map_err(|error| {
        let (flag, reason) = (format!("--why {}", path.display()), Trouble::problem(&error));
        (problem!("cli-flag", flag = flag, reason = reason), Exit::File)
    })
}

/// Returns the settings of a broadcast that a crash interrupted.
fn resumed(path: Option<&std::path::Path>) -> Result<(Settings, Vec<Problem>), Problem> {
    let mark = path.and_then(|path| Some((path, OnAirMark::left(&OnAirMark::place(path))?)));
    let (path, mark) = mark.ok_or_else(|| problem!("cli-nothing-to-resume"))?;
    let (mut settings, mut warnings) = Settings::read(path);
    warnings.extend(mark.prepare(&PartFiles::beside(path), &mut settings)?);
    Ok((settings, warnings))
}

/// Returns true if neither video nor audio was requested, and the settings contain no other source.
fn sends_nothing(settings: &Settings) -> bool {
    settings.video == Some(VideoChoice::None)
        && settings.audio == Some(AudioChoice::None)
        && settings.collection.sources.is_empty()
        && settings.strips.iter().all(|strip| strip.id == StripId::MAIN)
}

/// Returns the value of the flag, or else the stored value.
fn chosen<T>(matches: &clap::ArgMatches, flag: &str, given: T, kept: T) -> T {
    match matches.value_source(flag) {
        Some(ValueSource::DefaultValue) | None => kept,
        Some(_) => given,
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
        video_codec: chosen!(video_codec, kept.video_codec),
        encoder: chosen!(encoder, kept.encoder),
        preset: chosen!(preset, kept.preset),
        rate_control: chosen!(rate_control, kept.rate_control),
        b_frames: chosen!(b_frames, kept.b_frames),
        look_ahead: chosen!(look_ahead, kept.look_ahead),
        audio_bitrate: chosen!(audio_bitrate, kept.audio_bitrate),
        audio_codec: chosen!(audio_codec, kept.audio_codec),
        audio_profile: chosen!(audio_profile, kept.audio_profile),
        sample_rate: chosen!(sample_rate, kept.sample_rate),
        channels: chosen!(channels, kept.channels),
    }
}

/// Returns the recording options from the flags, completed from the settings. As in the settings, a
/// duration of zero disables an option. The replay buffer alone does not keep the command running.
fn recording(args: &Args, matches: &clap::ArgMatches, kept: RecordingChoices) -> RecordingChoices {
    RecordingChoices {
        split_time: args.split_time.or(kept.split_time).filter(|it| !it.is_zero()),
        split_bytes: args.split_size.or(kept.split_bytes),
        replay: args.replay.or(kept.replay).filter(|it| !it.is_zero()),
        replay_bytes: chosen(matches, "replay_size", args.replay_size, kept.replay_bytes),
        replay_always: false,
        encoder: args.record_encoder.or(kept.encoder),
        quality: args.record_quality.or(kept.quality),
        size: args.record_size.or(kept.size),
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
    use std::time::Duration;

    use clap::{CommandFactory, FromArgMatches};

    use super::*;
    use crate::base::Secret;
    use crate::cli::live::targets::sends_to_settings;
    use crate::cli::{Cli, Sub};
    use crate::encode;
    use crate::media::{BitsPerSecond, FrameRate, Size};
    use crate::studio::Adapt;
    use crate::text::Language;

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
        let always = RecordingChoices { replay_always: true, ..kept.clone() };
        assert_eq!(made(&[], &always), kept);
        let words = ["--record", "a.mp4", "--split-time", "10m", "--replay-size", "512M"];
        let wanted =
            RecordingChoices { split_time: minutes(10), replay_bytes: 512_000_000, ..kept.clone() };
        assert_eq!(made(&words, &kept), wanted);
        let words = ["--record", "a.mp4", "--split-time", "0", "--replay", "0s"];
        let wanted = RecordingChoices { split_time: None, replay: None, ..kept.clone() };
        assert_eq!(made(&words, &kept), wanted);
    }

    #[test]
    fn a_value_that_the_settings_exclude_is_refused_with_the_range() {
        for (flag, range) in [
            ("--video-bitrate=500M", "8k to 200M"),
            ("--min-video-bitrate=1k", "8k to 200M"),
            ("--audio-bitrate=1k", "8k to 200M"),
            ("--keyframe-interval=10m", "0.1s to 20s"),
            ("--keyframe-interval=0s", "0.1s to 20s"),
            ("--split-time=1ms", "1s to 365d"),
            ("--replay=2h", "1s to 1h"),
            ("--replay-size=100G", "1.1M to 17.1G"),
            ("--duration=0s", "longer than 0"),
        ] {
            let words = ["onair", "live", "--record", "a.mp4", flag];
            let refused = Cli::command().try_get_matches_from(words).unwrap_err();
            assert_eq!(refused.exit_code(), 2);
            assert!(refused.to_string().contains(range), "{refused}");
        }
    }

    #[test]
    fn a_duration_within_the_stream_delay_is_refused_in_both_languages() {
        let delay = Duration::from_secs(5);
        let targets = vec![Target::custom(0, "rtmp://h/live", Secret::default())];
        let settings = Settings { delay, targets, ..Settings::default() };
        let refused = |words: &[&str]| of(words, |args, _| check_duration(args, &settings).err());
        let (why, exit) = refused(&["--duration", "3s"]).unwrap();
        assert_eq!((why.id(), exit), ("cli-duration-in-delay", Exit::Usage));
        for language in Language::ALL {
            assert!(language.say_with_cure(&why).contains("--stop-after-delay"), "{language:?}");
        }
        let drained = ["--delay", "5s", "--duration", "3s", "--stop-after-delay"];
        for words in [&drained[..], &["--duration", "6s"], &[]] {
            assert_eq!(refused(words), None, "{words:?}");
        }
    }

    #[test]
    fn flags_of_the_built_in_server_need_it_as_a_target() {
        let refused = |words: &[&str]| {
            of(words, |args, matches| {
                let given = given_targets(matches, &ServiceList::default()).unwrap();
                let used = used_targets(args, given, &Settings::default().targets);
                server_flags::check(args, &used).err()
            })
        };
        let to = ["--to", "rtmp://h/live/key"];
        for flag in [
            &["--network"][..],
            &["--play-key-env", "NAME"],
            &["--play-key-file", "key"],
            &["--name", "studio.example"],
            &["--cors", "*"],
            &["--https", "127.0.0.1:0"],
            &["--srt", "127.0.0.1:0"],
        ] {
            for others in [&to[..], &["--record", "a.mp4"]] {
                let (why, exit) = refused(&[flag, others].concat()).unwrap();
                assert_eq!((why.id(), exit), ("cli-no-server", Exit::Usage), "{flag:?}");
            }
            for others in [&[][..], &["--built-in"], &["--record", "a.mp4", "--built-in"]] {
                assert_eq!(refused(&[flag, others].concat()), None, "{flag:?} {others:?}");
            }
        }
        assert_eq!(refused(&to), None);
    }

    #[test]
    fn a_file_sent_as_is_has_no_flags_of_quality() {
        let cli = Cli::command();
        let live = cli.find_subcommand("live").unwrap();
        let quality = live.get_arguments().filter(|arg| {
            arg.get_help_heading() == Some("Quality")
                || ["target_min_bitrate", "target_simulcast"].contains(&arg.get_id().as_str())
        });
        let copy = ["onair", "live", "--to", "rtmp://h/live/key", "--copy", "a.flv"];
        let parsed = |more: &[&str]| Cli::command().try_get_matches_from(copy.iter().chain(more));
        assert!(parsed(&[]).is_ok());
        let quality: Vec<_> = quality.collect();
        assert_eq!(quality.len(), 21);
        for arg in quality {
            let usual = arg.get_default_values().first().and_then(|it| it.to_str());
            let usual = usual.or((arg.get_id() == "target_simulcast").then_some("2"));
            let flag = format!("--{}", arg.get_long().unwrap());
            let flag = match arg.get_action().takes_values() {
                true => format!("{flag}={}", usual.unwrap_or("300k")),
                false => flag,
            };
            let kind = parsed(&[flag.as_str()]).unwrap_err().kind();
            assert_eq!(kind, clap::error::ErrorKind::ArgumentConflict, "{flag}");
        }
    }

    #[test]
    fn a_broadcast_needs_video_or_audio() {
        let with = |video, audio| {
            let (video, audio) = (Some(video), Some(audio));
            sends_nothing(&Settings { video, audio, ..Settings::default() })
        };
        assert!(with(VideoChoice::None, AudioChoice::None));
        assert!(!with(VideoChoice::Test, AudioChoice::None));
        assert!(!with(VideoChoice::None, AudioChoice::Tone));
        assert!(!sends_nothing(&Settings::default()), "the usual devices");
    }

    #[test]
    fn a_resumed_broadcast_has_its_targets_although_it_is_recorded() {
        for (words, sends) in [
            (&["--resume", "--record", "a.mp4"][..], true),
            (&["--record", "a.mp4"], false),
            (&["--resume"], true),
            (&[], true),
        ] {
            assert_eq!(of(words, |args, _| sends_to_settings(args)), sends, "{words:?}");
        }
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
            video_codec: encode::CodecChoice::H264,
            encoder: encode::Choice::X264,
            preset: "slow".parse().unwrap(),
            rate_control: encode::RateControl::Crf(20),
            b_frames: 2,
            look_ahead: 20,
            audio_bitrate: BitsPerSecond(96_000),
            audio_codec: encode::AudioCodecChoice::Opus,
            audio_profile: encode::AudioProfile::He,
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
