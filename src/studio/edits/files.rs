//! The files that a source plays or shows after its first one.

use std::path::{Path, PathBuf};

use crate::capture::{Heeds, Properties};
use crate::compose::scene::SourceId;
use crate::studio::scenes::Collection;

impl Collection {
    pub(super) fn add_file(&mut self, id: SourceId, path: &Path) -> Option<()> {
        let files = self.files_mut(id)?;
        (files.len() < Properties::MOST_FILES).then(|| files.push(path.to_owned()))
    }

    pub(super) fn remove_file(&mut self, id: SourceId, index: usize) -> Option<()> {
        let files = self.files_mut(id)?;
        (index < files.len()).then(|| drop(files.remove(index)))
    }

    fn files_mut(&mut self, id: SourceId) -> Option<&mut Vec<PathBuf>> {
        let source = self.sources.iter_mut().find(|source| source.id == id)?;
        let plays = matches!(Heeds::of(&source.choice), Some(Heeds::Media | Heeds::Slides));
        plays.then_some(&mut source.properties.files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::Edit;

    #[test]
    fn files_follow_media_files_and_slides_only() {
        let mut it = Collection::default();
        let scene = it.current;
        for choice in ["file:/a.mp4", "image:/a.png", "slides:/a.png"] {
            let (name, choice) = (choice.to_owned(), choice.parse().unwrap());
            assert!(it.apply(&Edit::AddSource { scene, name, choice }));
        }
        assert!(it.apply(&Edit::AddFile(SourceId(1), "/b.mp4".into())));
        assert!(it.apply(&Edit::AddFile(SourceId(1), "/c.mp4".into())));
        assert!(!it.apply(&Edit::AddFile(SourceId(2), "/b.mp4".into())));
        assert!(it.apply(&Edit::AddFile(SourceId(3), "/b.png".into())));
        assert!(!it.apply(&Edit::RemoveFile(SourceId(1), 2)));
        assert!(it.apply(&Edit::RemoveFile(SourceId(1), 0)));
        assert_eq!(it.sources[0].properties.files, [PathBuf::from("/c.mp4")]);
        for _ in 1..Properties::MOST_FILES {
            assert!(it.apply(&Edit::AddFile(SourceId(1), "/d.mp4".into())));
        }
        assert!(!it.apply(&Edit::AddFile(SourceId(1), "/e.mp4".into())), "bounded");
    }
}
