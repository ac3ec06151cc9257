//! `onair check` for this computer: the studio's pre-flight check without the window. Nothing is
//! sent, except to the test mode of a service and with `--test-stream`.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::audio::AudioChoice;
use crate::base::{Clock, Secret, Stop};
use crate::broadcast::recorder;
use crate::capture::VideoChoice;
use crate::cli::flags::{Globals, value};
use crate::cli::output::events;
use crate::cli::output::exit::Exit;
use crate::cli::output::flag_cures::{is_target_invalid, with_flags};
use crate::cli::process::signals::cannot_start;
use crate::media::{BitsPerSecond, FrameRate, Size};
use crate::studio::notices::message::StudioMessage;
use crate::studio::settings::{default_path, keys_beside, read_services, services_beside};
use crate::studio::snapshot::{Snapshot, SourceState};
use crate::studio::targets::misfits::misfits;
use crate::studio::{Command, Config, Level, Notice, Quality, Studio, Target};
use crate::text::Language;
use crate::text::problem::{Problem, problem};

/// The time that sources may take to open and to deliver data.
const SOURCE_TIMEOUT: Duration = Duration::from_secs(8);
const LISTEN_DURATION: Duration = Duration::from_millis(1_500);
/// The time limit of the check, after the time for the sources.
const CHECK_TIMEOUT: Duration = Duration::from_secs(120);
const POLL_INTERVAL: Duration = Duration::from_millis(50);
const STUDIO_END_TIMEOUT: Duration = Duration::from_secs(5);

/// Flags of `onair check` that describe the planned broadcast.
#[derive(Clone, Debug, clap::Args)]
pub struct Flags {
    /// With a URL, also check this computer
    #[arg(long)]
    pub machine: bool,
    /// Video source, as in `onair live`
    #[arg(
        long,
        value_name = "SOURCE",
        value_parser = value::video(),
        hide_possible_values = true
    )]
    pub video: Option<VideoChoice>,
    /// Audio source, as in `onair live`
    #[arg(
        long,
        value_name = "SOURCE",
        value_parser = value::audio(),
        hide_possible_values = true
    )]
    pub audio: Option<AudioChoice>,
    /// Frame size [default: from --settings, else 1280x720]
    #[arg(long, value_name = "WxH")]
    pub size: Option<Size>,
    /// Frames per second [default: from --settings, else 30]
    #[arg(long, value_name = "RATE")]
    pub fps: Option<FrameRate>,
    /// Video bitrate [default: from --settings, else 2500k]
    #[arg(long, value_name = "BITRATE")]
    pub video_bitrate: Option<BitsPerSecond>,
    /// File for the recording. onair checks the free space and the permissions of its folder
    #[arg(long, value_name = "PATH")]
    pub record: Option<PathBuf>,
    /// Measure the upload to the custom servers in --settings: publish a test pattern for six
    /// seconds under a random name (onair-test-…), without the stream key. Viewers of the stream do
    /// not see the test, but the server may list or record it
    #[arg(long, conflicts_with = "url")]
    pub test_stream: bool,
}

/// Checks this computer and the enabled targets of `--settings`. With a URL, only the limits of the
/// URL's service are checked.
///
/// # Errors
/// Fails with a sentence and the exit code if the check cannot run.
pub fn inspect(
    flags: &Flags,
    url: Option<&str>,
    globals: &Globals,
    clock: Clock,
) -> Result<Vec<Notice>, (Problem, Exit)> {
    let named = globals.settings_to_go_by().map_err(|why| (why, Exit::File))?;
    let (mut settings, warnings) = named.unwrap_or_default();
    settings.video = flags.video.clone().or(settings.video);
    settings.audio = flags.audio.clone().or(settings.audio);
    let quality = &mut settings.quality;
    *quality = Quality {
        size: flags.size.unwrap_or(quality.size),
        frame_rate: flags.fps.unwrap_or(quality.frame_rate),
        video_bitrate: flags.video_bitrate.unwrap_or(quality.video_bitrate),
        ..quality.clone()
    };
    if let Some(path) = &flags.record {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        settings.preferences.recording_folder = folder.map_or_else(|| ".".into(), PathBuf::from);
    }
    let in_use = globals.settings_in_use().filter(|_| url.is_none());
    let of_settings = in_use.is_some();
    if !of_settings {
        settings.targets = vec![Target { enabled: false, ..Target::built_in() }];
    }
    let asked = url.map(|url| Target::custom(0, url, Secret::default()));
    let beside = globals.settings.clone().or_else(default_path).as_deref().map(services_beside);
    let (services, _) = beside.as_deref().map(read_services).unwrap_or_default();
    let misfits = misfits(asked.as_slice(), &services, &settings.quality);
    let any = settings.targets.iter().any(|target| target.enabled);
    let keys_path = in_use.as_deref().map(keys_beside);
    let config = Config {
        warnings,
        keys_path,
        services,
        calm: true,
        loudness: false,
        ..Config::new(clock, settings)
    };
    let studio = Studio::start(config).map_err(|error| (cannot_start(&error), Exit::Error))?;
    let found = check(&studio, flags.test_stream, clock);
    if let Err(stuck) = studio.end(STUDIO_END_TIMEOUT) {
        tracing::warn!(%stuck, "the end took too long");
    }
    let mut found = found.ok_or_else(|| (problem!("cli-too-long"), Exit::Error))?;
    if let Some(path) = &flags.record
        && let Err(error) = recorder::try_out(path)
    {
        // For a requested recording, a bad folder is an error rather than a warning.
        match found.iter_mut().find(|notice| notice.key() == "found-folder-bad") {
            Some(folder) => folder.level = Level::Error,
            None => {
                let (path, reason) = (path.display().to_string(), error.problem());
                let bad = StudioMessage::FoundRecordBad { path, reason };
                found.push(bad.notice(found.len() as u64, ""));
            }
        }
    }
    for misfit in misfits {
        found.push(misfit.notice(found.len() as u64, ""));
    }
    if !any {
        // No targets were requested.
        found.retain(|notice| notice.key() != "no-target");
    }
    Ok(found)
}

fn check(studio: &Studio, test_stream: bool, clock: Clock) -> Option<Vec<Notice>> {
    let nap = Stop::new();
    let wait = |limit: Duration, done: &dyn Fn(&Snapshot) -> bool| {
        let until = clock.now() + limit;
        loop {
            let snapshot = studio.snapshot();
            if done(&snapshot) {
                return Some(snapshot);
            }
            if clock.now() >= until {
                return None;
            }
            nap.wait(POLL_INTERVAL);
        }
    };
    let opening = SourceState::Opening;
    let _ = wait(SOURCE_TIMEOUT, &|snapshot| {
        snapshot.video.as_ref().is_some_and(|video| video.state != opening)
            && snapshot.audio.as_ref().is_some_and(|audio| audio.state != opening)
    });
    let from = clock.now();
    let _ = wait(LISTEN_DURATION * 2, &|_| clock.now().since(from) >= LISTEN_DURATION);
    studio.send(Command::Check { test_stream });
    let done =
        |snapshot: &Snapshot| snapshot.checked.as_ref().is_some_and(|checked| !checked.running);
    let last = wait(CHECK_TIMEOUT, &done)?;
    last.checked.map(|checked| checked.found)
}

/// Returns the findings as JSON.
pub fn fields(found: &[Notice], language: Language) -> Vec<Value> {
    let field = |notice: &Notice| {
        json!({
            "name": notice.key().strip_prefix("found-").unwrap_or(notice.key()),
            "level": level(notice.level),
            "ok": notice.level != Level::Error,
            "summary": language.say(&notice.problem),
            "advice": language.cure(&with_flags(&notice.problem)),
            "values": events::values(&notice.problem, language),
        })
    };
    found.iter().map(field).collect()
}

/// Returns the findings as lines of text for users.
pub fn lines(found: &[Notice], language: Language) -> Vec<String> {
    let mut lines = Vec::new();
    for notice in found {
        let mark = match notice.level {
            Level::Info => '✓',
            Level::Warning => '!',
            Level::Error => '✗',
        };
        lines.push(format!("{mark} {}", language.say(&notice.problem)));
        lines.extend(language.cure(&with_flags(&notice.problem)).map(|cure| format!("  {cure}")));
    }
    lines
}

/// Returns the exit code: 0 if no finding prevents the broadcast, or else the code of the first
/// finding that does. Warnings do not prevent the broadcast.
pub fn exit(found: &[Notice]) -> Exit {
    let first = found.iter().find(|notice| notice.level == Level::Error);
    match first.map(Notice::key) {
        None => Exit::Ok,
        Some("found-no-video") => Exit::Device,
        Some("found-folder-bad" | "found-record-bad") => Exit::File,
        Some("found-encoder-failed" | "found-encoder-too-slow") => Exit::Codec,
        Some("found-target-failed") => {
            match first.is_some_and(|notice| is_target_invalid(&notice.problem)) {
                true => Exit::Usage,
                false => Exit::Unreachable,
            }
        }
        Some(_) => Exit::Error,
    }
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_gives_the_exit_code_and_a_warning_gives_none() {
        let times = || "0.4".to_owned();
        let slow = StudioMessage::FoundEncoderTooSlow { times: times() }.notice(0, "");
        let hardly = StudioMessage::FoundEncoderSlow { times: times() }.notice(1, "");
        let (path, reason) = ("/x/y.mp4".to_owned(), "the disk is full".into());
        let full = StudioMessage::FoundRecordBad { path, reason }.notice(2, "");
        assert_eq!(exit(&[]), Exit::Ok);
        assert_eq!(exit(std::slice::from_ref(&hardly)), Exit::Ok);
        assert_eq!(exit(&[hardly.clone(), slow.clone(), full.clone()]), Exit::Codec);
        assert_eq!(exit(&[hardly, full, slow]), Exit::File);
        let reason = problem!("io-not-found");
        let no_video = StudioMessage::FoundNoVideo { reason }.notice(0, "");
        assert_eq!(exit(&[no_video]), Exit::Device);
        let failed = |cause| {
            let host = "live.example".to_owned();
            StudioMessage::FoundTargetFailed { id: 0, host, cause, pin: None }.notice(0, "")
        };
        let no_key = problem!("target-key-missing").with_cure(problem!("target-cure-address"));
        assert_eq!(exit(&[failed(no_key)]), Exit::Usage);
        let silent = problem!("net-no-answer", seconds = "10");
        assert_eq!(exit(&[failed(silent)]), Exit::Unreachable);
    }
}
