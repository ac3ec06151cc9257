//! `onair remux` and `onair repair`: convert the format of recordings, and complete interrupted
//! ones.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use crate::base::{Clock, sandbox};
use crate::broadcast::recorder::Error;
use crate::broadcast::recorder::remux::{
    self, Cut, Failure, RepairMethod, Report, remux_part, repair,
};
use crate::cli::flags::{Globals, value};
use crate::cli::output::Output;
use crate::cli::output::exit::Exit;
use crate::cli::output::progress::Progress;
use crate::cli::output::redact::check_file;
use crate::cli::output::stats::seconds;
use crate::cli::process::signals::Interrupt;
use crate::files::Trouble;
use crate::problems::ToProblem;
use crate::text::problem::{Problem, problem};
use crate::wire::container::Part;

/// Arguments of `onair remux`.
#[derive(Clone, Debug, clap::Args)]
pub struct RemuxArgs {
    /// An FLV, MP4 or MKV file. onair copies all its tracks: H.264, HEVC, AV1 and VP9, AAC, MP3, Opus, FLAC,
    /// AC-3 and E-AC-3
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// The new file: .flv, .mp4 or .mkv
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// Drop content of this kind if the new file cannot contain it, instead of failing (repeatable)
    #[arg(long, value_name = "KIND", value_enum)]
    pub drop: Vec<Drop>,
    /// Copy only the part after this time. The part begins at the last keyframe before this time, because onair copies
    /// without encoding
    #[arg(long, value_name = "TIME", value_parser = value::duration)]
    pub from: Option<Duration>,
    /// Copy only the part before this time
    #[arg(long, value_name = "TIME", value_parser = value::duration)]
    pub to: Option<Duration>,
}

/// Parts that may be dropped.
#[derive(Copy, Clone, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Drop {
    /// Video tracks
    Video,
    /// Audio tracks
    Audio,
    /// Subtitle tracks
    Subtitles,
    /// Timecode and other tracks
    Data,
    /// Video after a change of size within an FLV file
    Resized,
    /// The transparency of video
    Alpha,
    /// The rotation of video
    Rotation,
}

impl From<Drop> for Part {
    fn from(drop: Drop) -> Self {
        match drop {
            Drop::Video => Self::Video,
            Drop::Audio => Self::Audio,
            Drop::Subtitles => Self::Subtitles,
            Drop::Data => Self::Data,
            Drop::Resized => Self::Resized,
            Drop::Alpha => Self::Alpha,
            Drop::Rotation => Self::Rotation,
        }
    }
}

/// Arguments of `onair repair`.
#[derive(Clone, Debug, clap::Args)]
pub struct RepairArgs {
    /// An unfinished recording. onair repairs its own recordings in place. For other files, it
    /// writes a repaired copy beside the file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Runs `onair remux`.
pub fn run(args: &RemuxArgs, globals: &Globals, clock: Clock) -> Exit {
    let output = Output::new(clock, globals.json);
    if let Some(exit) = refused(&output, &[&args.input, &args.output]) {
        return exit;
    }
    let drop: Vec<Part> = args.drop.iter().copied().map(Part::from).collect();
    let part = Cut { from: args.from.unwrap_or_default(), to: args.to };
    if args.to.is_some_and(|to| to <= part.from) {
        return output.refuse(&problem!("remux-empty-part"), Exit::Usage);
    }
    sandbox::files(&[&args.output]);
    work(&output, ("remux", &args.input), |progress| {
        remux_part(part, &drop, &args.input, &args.output, progress)
    })
}

/// Runs `onair repair`.
pub fn run_repair(args: &RepairArgs, globals: &Globals, clock: Clock) -> Exit {
    let output = Output::new(clock, globals.json);
    if let Some(exit) = refused(&output, &[&args.file]) {
        return exit;
    }
    sandbox::files(&[&args.file]);
    work(&output, ("repair", &args.file), |progress| repair(&args.file, progress))
}

/// Reports an address that was given in place of a file.
fn refused(output: &Output, paths: &[&Path]) -> Option<Exit> {
    let why = paths.iter().find_map(|path| check_file(path).err())?;
    Some(output.refuse(&why, Exit::File))
}

fn work(
    output: &Output,
    (name, path): (&str, &Path),
    work: impl FnOnce(remux::Progress<'_>) -> Result<Report, Failure>,
) -> Exit {
    let interrupt = match Interrupt::listen() {
        Ok(interrupt) => interrupt,
        Err(why) => return output.refuse(&why, Exit::Error),
    };
    let shown = Progress::of_events(output, path.display().to_string());
    let result = work(&|share| {
        shown.set(share);
        interrupt.is_set()
    });
    drop(shown);
    match result {
        Ok(report) => {
            tell(output, name, &report);
            Exit::Ok
        }
        Err(failure) => {
            let exit = match &failure {
                Failure::Write(Error { kind: Trouble::Format, .. }) => Exit::Usage,
                Failure::Interrupted => Exit::Error,
                Failure::Lacking { .. } => Exit::Codec,
                _ => Exit::File,
            };
            output.refuse(&(&failure).into(), exit)
        }
    }
}

fn tell(output: &Output, name: &str, report: &Report) {
    let path = report.path.display();
    let left_out: Vec<Problem> = report.left_out.iter().map(ToProblem::to_problem).collect();
    let how = match report.how {
        RepairMethod::Whole => "whole",
        RepairMethod::InPlace => "repaired",
        RepairMethod::Copied => "written",
    };
    let mut fields = json!({
        "path": path.to_string(),
        "state": how,
        "seconds": seconds(report.duration),
        "packets": report.packets,
        "cut_bytes": report.cut,
        "left_out": left_out.iter().map(|it| output.say(it)).collect::<Vec<_>>(),
    });
    if let (Some(begins), Some(fields)) = (report.begins, fields.as_object_mut()) {
        fields.insert("from".to_owned(), seconds(begins).into());
    }
    output.event(name, fields, || {
        let how = match report.how {
            RepairMethod::Whole => "whole",
            RepairMethod::InPlace => "in-place",
            RepairMethod::Copied => "copied",
        };
        let seconds = format!("{:.1}", report.duration.as_secs_f64());
        let (path, packets) = (path.to_string(), report.packets);
        let text =
            problem!("out-remux", how = how, path = path, seconds = seconds, packets = packets);
        Some(output.say(&match left_out.is_empty() {
            true => text,
            false => problem!("out-left-out", what = text, tracks = left_out),
        }))
    });
}
