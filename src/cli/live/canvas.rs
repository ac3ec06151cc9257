//! `--canvas WxH[,SCENE]`: the second canvas, to which the targets and the recording after it belong.

use std::path::PathBuf;

use clap::ArgMatches;
use clap::parser::ValueSource;

use crate::cli::output::exit::Exit;
use crate::media::Size;
use crate::studio::live::second_canvas::SecondCanvas;
use crate::studio::{Settings, Target};
use crate::text::problem::{Problem, problem};

/// The size of the second canvas, and the name of its scene.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canvas {
    size: Size,
    scene: String,
}

/// Parses `WxH[,SCENE]`.
pub(super) fn parse(text: &str) -> Result<Canvas, Problem> {
    let (size, scene) = text.split_once(',').unwrap_or((text, ""));
    Ok(Canvas { size: size.parse()?, scene: scene.trim().to_owned() })
}

/// The files of `--record` for the program and for the second canvas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RecordedFiles {
    pub program: Option<PathBuf>,
    pub second: Option<PathBuf>,
}

/// Returns the index of `--canvas` on the command line.
pub(super) fn index(matches: &ArgMatches) -> Option<usize> {
    matches.indices_of("canvas").into_iter().flatten().next()
}

/// Returns the files of `--record`.
///
/// # Errors
/// Fails for two files of one program.
pub(super) fn files(matches: &ArgMatches) -> Result<RecordedFiles, (Problem, Exit)> {
    let mut files = RecordedFiles::default();
    let indices = matches.indices_of("record").into_iter().flatten();
    let paths = matches.get_many::<PathBuf>("record").into_iter().flatten();
    for (at, path) in indices.zip(paths) {
        let is_second = index(matches).is_some_and(|canvas| at > canvas);
        let file = if is_second { &mut files.second } else { &mut files.program };
        if file.replace(path.clone()).is_some() {
            return Err((problem!("cli-two-records"), Exit::Usage));
        }
    }
    Ok(files)
}

/// Sets the second canvas of the command line, and its targets. Without `--canvas`, the canvas of the
/// settings is used only if the targets of the settings are used too.
///
/// # Errors
/// Fails for an unknown scene.
pub(super) fn apply(
    matches: &ArgMatches,
    canvas: Option<&Canvas>,
    given: &mut [Target],
    settings: &mut Settings,
) -> Result<(), (Problem, Exit)> {
    let Some(Canvas { size, scene }) = canvas else {
        settings.canvas.enabled &= given.is_empty();
        return Ok(());
    };
    let collection = &settings.collection;
    if !scene.is_empty() && collection.scene_named(scene).is_none() {
        let names: Vec<&str> = collection.scenes.iter().map(|scene| scene.name.as_str()).collect();
        return Err((problem!("cli-no-scene", name = scene.clone(), scenes = &names), Exit::File));
    }
    let (size, scene) = (*size, scene.clone());
    settings.canvas =
        SecondCanvas { enabled: true, size, scene, record: false, ..SecondCanvas::default() };
    let before = |flag: &str| {
        let is_given = matches.value_source(flag) == Some(ValueSource::CommandLine);
        let indices = matches.indices_of(flag).filter(|_| is_given).into_iter().flatten();
        indices.filter(|at| Some(*at) < index(matches)).count()
    };
    let main = before("to") + before("service");
    let is_alone = main + before("record") + before("built_in") == 0;
    if is_alone {
        return Err((problem!("cli-canvas-alone"), Exit::Usage));
    }
    given.iter_mut().skip(main).for_each(|target| target.second_canvas = true);
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::base::Secret;
    use crate::cli::Cli;

    fn of<T>(words: &[&str], make: impl FnOnce(&ArgMatches) -> T) -> T {
        let all = ["onair", "live"].iter().chain(words);
        let matches = Cli::command().try_get_matches_from(all).unwrap();
        make(matches.subcommand_matches("live").unwrap())
    }

    #[test]
    fn the_size_and_the_scene_are_read() {
        let canvas = parse("720x1280, Phone").unwrap();
        assert_eq!((canvas.size, canvas.scene.as_str()), (Size::new(720, 1_280), "Phone"));
        assert_eq!(parse("720x1280").unwrap().scene, "");
        for bad in ["720", "720x", "0x10", "Phone,720x1280"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn targets_and_files_after_the_canvas_belong_to_it() {
        let words = [
            "--to",
            "rtmp://a/app/k",
            "--record",
            "wide.mkv",
            "--canvas",
            "720x1280",
            "--to",
            "rtmp://b/app/k",
            "--record",
            "tall.mkv",
        ];
        let mut targets: Vec<_> =
            (0..2).map(|id| Target::custom(id, "rtmp://h/app", Secret::default())).collect();
        let mut settings = Settings::default();
        let canvas = parse("720x1280").unwrap();
        of(&words, |it| apply(it, Some(&canvas), &mut targets, &mut settings)).unwrap();
        assert_eq!([false, true], [targets[0].second_canvas, targets[1].second_canvas]);
        assert!(settings.canvas.enabled && !settings.canvas.record);
        let (program, second) = (Some("wide.mkv".into()), Some("tall.mkv".into()));
        assert_eq!(of(&words, files), Ok(RecordedFiles { program, second }));
        let twice = ["--record", "a.mkv", "--record", "b.mkv"];
        assert_eq!(of(&twice, files).unwrap_err().1, Exit::Usage);
        let alone = ["--canvas", "720x1280", "--to", "rtmp://b/app/k"];
        let refused = of(&alone, |it| apply(it, Some(&canvas), &mut targets, &mut settings));
        assert_eq!(refused.unwrap_err().0.id(), "cli-canvas-alone");
        let unknown = parse("720x1280,Nowhere").unwrap();
        let refused = of(&words, |it| apply(it, Some(&unknown), &mut targets, &mut settings));
        assert_eq!(refused.unwrap_err().0.id(), "cli-no-scene");
    }
}
