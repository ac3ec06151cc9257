//! What an import of scenes could not carry over, in three groups, and the files that it needs. A
//! long list without an order hides the one line that matters before the next broadcast.

use std::path::PathBuf;

use crate::compose::scene::SourceId;
use crate::studio::scenes::Collection;
use crate::text::Problem;
use crate::text::problem::Value;

/// Maximum number of entries of a group in the window.
const MAX_ENTRIES: usize = 200;

/// The report about an import.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportReport {
    /// Changes with each import.
    pub number: u64,
    /// The name of the collection that now has the scenes.
    pub collection: String,
    /// True if that collection is in use.
    pub is_used: bool,
    pub scenes: usize,
    pub sources: usize,
    /// Parts that are missing in the scenes.
    pub lost: Vec<Problem>,
    /// Parts that look, sound or behave otherwise.
    pub changed: Vec<Problem>,
    /// Differences that hardly anyone notices.
    pub cosmetic: Vec<Problem>,
    /// The sources whose file does not exist on this computer.
    pub missing: Vec<MissingFile>,
}

/// A source without its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingFile {
    pub source: SourceId,
    pub name: String,
    pub path: PathBuf,
}

/// A group of the report.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Loss {
    Lost,
    Changed,
    Cosmetic,
}

impl ImportReport {
    /// Sorts these parts into the groups, and looks for the files of the collection's sources.
    pub fn new(collection: &Collection, left_out: &[Problem]) -> Self {
        let mut report = Self {
            scenes: collection.scenes.len(),
            sources: collection.sources.len(),
            ..Self::default()
        };
        for part in left_out {
            let group = match loss_of(part) {
                Loss::Lost => &mut report.lost,
                Loss::Changed => &mut report.changed,
                Loss::Cosmetic => &mut report.cosmetic,
            };
            if group.len() < MAX_ENTRIES {
                group.push(part.clone());
            }
        }
        report.missing = missing(collection);
        report
    }

    /// Returns true if there is nothing that the user should see.
    pub fn is_empty(&self) -> bool {
        let Self { lost, changed, cosmetic, missing, .. } = self;
        lost.is_empty() && changed.is_empty() && cosmetic.is_empty() && missing.is_empty()
    }
}

/// Returns the sources whose file does not exist.
fn missing(collection: &Collection) -> Vec<MissingFile> {
    let sources = collection.sources.iter().filter_map(|source| {
        let path = source.choice.path()?;
        let is_missing = !path.as_os_str().is_empty() && !path.exists();
        is_missing.then(|| MissingFile {
            source: source.id,
            name: source.name.clone(),
            path: path.to_owned(),
        })
    });
    sources.take(MAX_ENTRIES).collect()
}

fn loss_of(part: &Problem) -> Loss {
    match part.id() {
        // These name a source or filter, and say in another problem what is different.
        "import-of-source" | "import-of-filter" | "import-of-audio" => {
            let inner = part.args().iter().find_map(|(_, value)| match value {
                Value::Problem(inner) => Some(inner),
                _ => None,
            });
            match inner.map(loss_of) {
                Some(Loss::Cosmetic) => Loss::Cosmetic,
                _ => Loss::Changed,
            }
        }
        "import-blending-of"
        | "import-scaling-of"
        | "import-size-unknown"
        | "import-cut-of-screen"
        | "import-swipe-in"
        | "import-cut-in-frames"
        | "import-appears-by"
        | "import-goes-by"
        | "import-discarded"
        | "import-retro"
        | "import-doubled"
        | "import-bounded"
        | "import-gradient"
        | "import-second-color"
        | "import-shape"
        | "import-undistorted"
        | "import-capitals"
        | "import-last-lines"
        | "import-lines" => Loss::Cosmetic,
        "import-default-device"
        | "import-first-camera"
        | "import-first-screen"
        | "import-another-speed"
        | "import-transition"
        | "import-transition-unknown"
        | "import-transition-stays"
        | "import-wipe"
        | "import-matte-apart"
        | "import-cut-off-group"
        | "import-transparency"
        | "import-list-shuffled"
        | "import-slides-by"
        | "import-slides-by-key"
        | "import-deinterlacing"
        | "import-downwards"
        | "import-multiplied"
        | "import-color"
        | "import-any-color"
        | "import-added"
        | "import-audio-hidden"
        | "import-shared-strip"
        | "import-main-filters-stay"
        | "import-main-fallback-stays"
        | "import-newer" => Loss::Changed,
        _ => Loss::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::scenes::edits::Edit;
    use crate::text::problem::problem;

    #[test]
    fn parts_are_grouped_by_what_the_user_loses_and_missing_files_are_listed() {
        let mut collection = Collection::default();
        let scene = collection.current;
        for (name, choice) in [("Clip", "file:/none/a.mp4"), ("Bars", "test")] {
            let choice = choice.parse().unwrap();
            assert!(collection.apply(&Edit::AddSource { scene, name: name.into(), choice }));
        }
        let parts = [
            problem!("import-scripts"),
            problem!("import-of-source", name = "Cam", what = problem!("import-first-camera")),
            problem!("import-of-source", name = "Title", what = problem!("import-capitals")),
            problem!("import-blending-of", name = "Logo"),
        ];
        let report = ImportReport::new(&collection, &parts);
        let ids = |group: &[Problem]| group.iter().map(Problem::id).collect::<Vec<_>>();
        assert_eq!(ids(&report.lost), ["import-scripts"]);
        assert_eq!(ids(&report.changed), ["import-of-source"]);
        assert_eq!(ids(&report.cosmetic), ["import-of-source", "import-blending-of"]);
        let [missing] = &report.missing[..] else { panic!("{:?}", report.missing) };
        assert_eq!((&*missing.name, &*missing.path), ("Clip", "/none/a.mp4".as_ref()));
        assert!(!report.is_empty() && ImportReport::default().is_empty());
    }
}
