//! The position of the current file in a list that can change. This module is pure.

use std::path::{Path, PathBuf};

/// See the module documentation. Without files, the source is a stream.
#[derive(Debug, Default)]
pub(super) struct PlaylistPosition {
    /// The list at the last update.
    files: Vec<PathBuf>,
    /// The current file.
    file: PathBuf,
    /// Index of the current file. If the file was removed, this is the index of its successor.
    at: usize,
    gone: bool,
}

impl PlaylistPosition {
    /// Starts at the first of these files.
    pub(super) fn new(files: Vec<PathBuf>) -> Self {
        let file = files.first().cloned().unwrap_or_default();
        Self { files, file, at: 0, gone: false }
    }

    /// Returns the current file, even if it was removed.
    pub(super) fn file(&self) -> Option<&Path> {
        (!self.files.is_empty()).then_some(&*self.file)
    }

    /// Returns the file with this index.
    pub(super) fn at(&self, index: usize) -> Option<&Path> {
        self.files.get(index).map(PathBuf::as_path)
    }

    /// Returns the index of the first entry with this path.
    pub(super) fn find(&self, path: &Path) -> Option<usize> {
        self.files.iter().position(|it| it == path)
    }

    pub(super) fn count(&self) -> usize {
        self.files.len()
    }

    /// Returns the index of the current file or, if that was removed, of the nearest one.
    pub(super) fn index(&self) -> usize {
        self.at.min(self.files.len().saturating_sub(1))
    }

    /// Returns true if no other file is before or after the current one.
    pub(super) fn is_alone(&self) -> bool {
        self.files.len() < 2 && !self.gone
    }

    /// Returns true if the current file was removed.
    pub(super) fn is_gone(&self) -> bool {
        self.gone
    }

    /// Returns true if the current file is not the first one.
    pub(super) fn is_beyond_first(&self) -> bool {
        self.at > 0 || self.gone
    }

    /// Returns the index of the next file, unless this is the last one.
    pub(super) fn next(&self) -> Option<usize> {
        let next = if self.gone { self.at } else { self.at + 1 };
        (next < self.files.len()).then_some(next)
    }

    /// Returns the index of the previous file. For the first file, this is the last one.
    pub(super) fn previous(&self) -> usize {
        self.at.checked_sub(1).unwrap_or_else(|| self.files.len().saturating_sub(1))
    }

    /// Sets the current file.
    pub(super) fn go_to(&mut self, index: usize) {
        if let Some(file) = self.files.get(index) {
            self.file.clone_from(file);
            (self.at, self.gone) = (index, false);
        }
    }

    /// Sets the list; the current file continues.
    pub(super) fn follow(&mut self, files: Vec<PathBuf>) {
        if self.files == files {
            return;
        }
        // Equal entries at the start and the end keep their identity: a file may be in the list
        // twice.
        let alike = |pair: &(&PathBuf, &PathBuf)| pair.0 == pair.1;
        let front = self.files.iter().zip(&files).take_while(alike).count();
        let most = self.files.len().min(files.len()) - front;
        let back = self.files.iter().rev().zip(files.iter().rev()).take(most);
        let back = back.take_while(alike).count();
        let (ends, now_ends) = (self.files.len() - back, files.len() - back);
        let changed = files.get(front..now_ends).unwrap_or_default();
        let found = changed.iter().position(|file| *file == self.file);
        let touched = if self.gone {
            (front..=ends).contains(&self.at)
        } else {
            (front..ends).contains(&self.at)
        };
        match found {
            Some(index) if touched => (self.at, self.gone) = (front + index, false),
            None if touched && !self.gone => (self.at, self.gone) = (front, true),
            _ if touched => self.at = front,
            _ if self.at >= ends => self.at = self.at - ends + now_ends,
            _ => {}
        }
        self.files = files;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &str) -> Vec<PathBuf> {
        names.chars().map(|name| name.to_string().into()).collect()
    }

    /// Plays the entry with this index, applies each list in turn, and returns the file, its index
    /// and the next index.
    fn after(names: &str, at: usize, lists: &[&str]) -> (String, usize, Option<usize>, bool) {
        let mut place = PlaylistPosition::new(files(names));
        place.go_to(at);
        lists.iter().for_each(|names| place.follow(files(names)));
        let file = place.file().unwrap().display().to_string();
        (file, place.index(), place.next(), place.gone)
    }

    #[test]
    fn the_file_that_plays_is_found_again_where_others_came_or_went() {
        let is = |file: &str, index, next| (file.to_owned(), index, next, false);
        assert_eq!(after("abc", 1, &["abcd"]), is("b", 1, Some(2)));
        assert_eq!(after("abc", 2, &["abcd"]), is("c", 2, Some(3)));
        assert_eq!(after("abc", 2, &["ac"]), is("c", 1, None));
        assert_eq!(after("abc", 0, &["a"]), is("a", 0, None));
        assert_eq!(after("abcd", 2, &["acb"]), is("c", 1, Some(2)));
        // Of two equal entries, the one that plays is found.
        assert_eq!(after("axbab", 4, &["abab"]), is("b", 3, None));
        assert_eq!(after("abab", 1, &["aba"]), is("b", 1, Some(2)));
        assert_eq!(after("abab", 3, &["abbab"]), is("b", 4, None));
    }

    #[test]
    fn after_one_that_was_taken_out_comes_what_followed_it() {
        let gone = |file: &str, index, next| (file.to_owned(), index, next, true);
        assert_eq!(after("abc", 1, &["ac"]), gone("b", 1, Some(1)));
        assert_eq!(after("abc", 2, &["ab"]), gone("c", 1, None));
        assert_eq!(after("abc", 1, &["ac", "a"]), gone("b", 0, None));
        assert_eq!(after("abcd", 2, &["abd", "ad"]), gone("c", 1, Some(1)));
        assert_eq!(after("abc", 1, &["ac", "acd"]), gone("b", 1, Some(1)));
        assert_eq!(after("abc", 1, &["a", "ae"]), gone("b", 1, Some(1)));
        // The file is back, as after an undo.
        assert_eq!(after("abc", 1, &["ac", "abc"]), ("b".into(), 1, Some(2), false));
        assert_eq!(after("ab", 1, &["a", "ab"]), ("b".into(), 1, None, false));
    }

    #[test]
    fn one_goes_from_file_to_file() {
        let mut place = PlaylistPosition::new(files("abc"));
        assert_eq!(
            (place.previous(), place.is_beyond_first(), place.is_alone()),
            (2, false, false)
        );
        place.go_to(2);
        assert_eq!((place.previous(), place.is_beyond_first()), (1, true));
        place.go_to(7);
        assert_eq!(place.index(), 2, "there is none");
        place.follow(files("a"));
        assert_eq!((place.previous(), place.is_gone(), place.is_alone()), (0, true, false));
        place.go_to(0);
        assert!(place.is_alone() && !place.is_beyond_first());
        let stream = PlaylistPosition::new(Vec::new());
        assert_eq!((stream.file(), stream.count(), stream.next()), (None, 0, None));
    }
}
