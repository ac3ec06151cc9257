//! `--record-source SOURCE=PATH`: records single sources beside the program.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::cli::output::exit::Exit;
use crate::compose::scene::SourceId;
use crate::studio::live::source_recordings::MAX_SOURCE_RECORDINGS;
use crate::studio::scenes::{Collection, MAIN_SOURCE};
use crate::text::problem::{Problem, problem};
use crate::wire::container::Format;

/// The name of the source of `--video`.
pub(super) const MAIN: &str = "main";

/// A source with the file of its recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    pub(super) name: String,
    pub(super) path: PathBuf,
}

/// Parses `SOURCE=PATH`. The name ends at the first `=`.
pub(super) fn parse(text: &str) -> Result<SourceFile, Problem> {
    let (name, path) = text.split_once('=').ok_or_else(|| problem!("record-source-syntax"))?;
    let (name, path) = (name.trim().to_owned(), PathBuf::from(path));
    if name.is_empty() || path.as_os_str().is_empty() {
        return Err(problem!("record-source-syntax"));
    }
    if Format::of_path(&path).is_none() {
        let flag = format!("--record-source {text}");
        return Err(problem!("cli-flag", flag = flag, reason = problem!("file-format")));
    }
    Ok(SourceFile { name, path })
}

/// Returns the sources to be recorded. `has_main` is true if there is a main video source.
///
/// # Errors
/// Fails for an unknown source, for too many sources, and for a source with two files.
pub(super) fn find(
    wanted: &[SourceFile],
    collection: &Collection,
    has_main: bool,
) -> Result<BTreeMap<SourceId, PathBuf>, (Problem, Exit)> {
    let mut found = BTreeMap::new();
    for SourceFile { name, path } in wanted {
        let source = collection.sources.iter().find(|source| source.name == *name);
        let source = source.map(|source| source.id);
        let source = source.or_else(|| (has_main && name == MAIN).then_some(MAIN_SOURCE));
        let Some(source) = source else {
            let named = collection.sources.iter().map(|source| source.name.clone());
            let main = has_main.then(|| MAIN.to_owned());
            let known: Vec<String> = main.into_iter().chain(named).collect();
            let known = known.join(", ");
            return Err((
                problem!("record-source-unknown", name = name, known = known),
                Exit::File,
            ));
        };
        if found.insert(source, path.clone()).is_some() {
            return Err((problem!("record-source-twice", name = name), Exit::Usage));
        }
    }
    if found.len() > usize::from(MAX_SOURCE_RECORDINGS) {
        return Err((problem!("record-source-full", most = MAX_SOURCE_RECORDINGS), Exit::Usage));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::VideoChoice;
    use crate::studio::scenes::edits::Edit;

    #[test]
    fn names_and_files_are_read() {
        let read = parse("Front camera=a=b.mkv").unwrap();
        assert_eq!((read.name.as_str(), read.path.to_str()), ("Front camera", Some("a=b.mkv")));
        for bad in ["a.mkv", "=a.mkv", "Camera=", "Camera=a.txt"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sources_are_found_by_their_names() {
        let mut collection = Collection::default();
        let (scene, name) = (collection.current, "Camera".to_owned());
        collection.apply(&Edit::AddSource { scene, name, choice: VideoChoice::Test });
        let id = collection.sources[0].id;
        let find = |words: &[&str], has_main| {
            let wanted: Vec<SourceFile> = words.iter().map(|it| parse(it).unwrap()).collect();
            find(&wanted, &collection, has_main).map_err(|(why, exit)| (why.id().to_owned(), exit))
        };
        let both = [(MAIN_SOURCE, "m.mkv".into()), (id, "c.mkv".into())].into();
        assert_eq!(find(&["main=m.mkv", "Camera=c.mkv"], true), Ok(both));
        let unknown = Err(("record-source-unknown".to_owned(), Exit::File));
        assert_eq!(find(&["main=m.mkv"], false), unknown);
        assert_eq!(find(&["Choir=m.mkv"], true), unknown);
        let twice = Err(("record-source-twice".to_owned(), Exit::Usage));
        assert_eq!(find(&["Camera=a.mkv", "Camera=b.mkv"], true), twice);
    }
}
