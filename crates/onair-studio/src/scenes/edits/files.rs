//! Edits of the files after the first one in a source's playlist.

use std::path::{Path, PathBuf};

use crate::capture::{Properties, UsedProperties};
use crate::compose::scene::SourceId;
use crate::studio::scenes::Collection;

impl Collection {
    pub(super) fn add_file(&mut self, id: SourceId, path: &Path) -> Option<()> {
        let files = self.files_mut(id)?;
        (files.len() < Properties::MAX_ADDITIONAL_FILES).then(|| files.push(path.to_owned()))
    }

    pub(super) fn remove_file(&mut self, id: SourceId, index: usize) -> Option<()> {
        let files = self.files_mut(id)?;
        (index < files.len()).then(|| drop(files.remove(index)))
    }

    pub(super) fn replace_file(
        &mut self,
        id: SourceId,
        index: usize,
        old: &Path,
        new: &Path,
    ) -> Option<()> {
        let files = self.files_mut(id)?;
        // The file may have moved within the playlist in the meantime.
        let stands = files.get(index).is_some_and(|it| it == old);
        let index = if stands { index } else { files.iter().position(|it| it == old)? };
        new.clone_into(files.get_mut(index)?);
        Some(())
    }

    fn files_mut(&mut self, id: SourceId) -> Option<&mut Vec<PathBuf>> {
        let source = self.sources.iter_mut().find(|source| source.id == id)?;
        let plays = matches!(
            UsedProperties::of(&source.choice),
            Some(UsedProperties::Media | UsedProperties::Slides)
        );
        plays.then_some(&mut source.properties.files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::scenes::edits::Edit;

    #[test]
    fn a_file_is_replaced_where_it_is_still_in_the_list() {
        let mut it = Collection::default();
        let (scene, source) = (it.current, SourceId(1));
        let choice = "file:/a.mp4".parse().unwrap();
        assert!(it.apply(&Edit::AddSource { scene, name: "Clip".to_owned(), choice }));
        for path in ["/b.mp4", "/c.mp4", "/b.mp4"] {
            assert!(it.apply(&Edit::AddFile(source, path.into())));
        }
        let replace = |index, old: &str, new: &str| {
            let (old, new) = (old.into(), new.into());
            Edit::ReplaceFile { source, index, old, new }
        };
        let files = |it: &Collection| {
            let files = it.sources[0].properties.files.iter();
            files.map(|it| it.display().to_string()).collect::<Vec<_>>()
        };
        assert!(it.apply(&replace(2, "/b.mp4", "/d.mp4")), "that one of two that are the same");
        assert_eq!(files(&it), ["/b.mp4", "/c.mp4", "/d.mp4"]);
        assert!(it.apply(&replace(0, "/d.mp4", "/e.mp4")), "where it is now");
        assert_eq!(files(&it), ["/b.mp4", "/c.mp4", "/e.mp4"]);
        assert!(!it.apply(&replace(1, "/gone.mp4", "/f.mp4")));
        assert!(!it.apply(&Edit::ReplaceFile {
            source: SourceId(9),
            index: 0,
            old: "/b.mp4".into(),
            new: "/f.mp4".into(),
        }));
        assert_eq!(files(&it), ["/b.mp4", "/c.mp4", "/e.mp4"]);
    }

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
        for _ in 1..Properties::MAX_ADDITIONAL_FILES {
            assert!(it.apply(&Edit::AddFile(SourceId(1), "/d.mp4".into())));
        }
        assert!(!it.apply(&Edit::AddFile(SourceId(1), "/e.mp4".into())), "bounded");
    }
}
