//! Reasons why a file cannot be created or written.

use std::io;
use std::path::Path;

use crate::base::sandbox;
use crate::platform::{ForbiddenName, errors};
use crate::text::Problem;
use crate::text::problem::problem;

/// The reason why a file cannot be created or written.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// The disk is full.
    Full,
    /// The user's disk quota is used up.
    Quota,
    /// The file system does not allow files of this size.
    TooLarge,
    /// The user has no permission.
    Forbidden,
    /// The sandbox allows only the folder of the start, and another folder has replaced it.
    Replaced,
    /// The file system is read-only.
    ReadOnly,
    /// The folder does not exist.
    NoFolder,
    /// The file was removed.
    Gone,
    /// A component of the path is not a folder.
    NotAFolder,
    /// The path is a folder instead of a file.
    Folder,
    NameTooLong,
    /// The system gives no file this name.
    ForbiddenName,
    /// All possible names are taken.
    NamesTaken,
    /// This process, or the system, has too many files and connections open.
    TooManyFiles,
    /// The drive has an error.
    Broken,
    /// The file name indicates no known format.
    Format,
    /// Writing did not end in time.
    Slow,
    /// There is nothing to write.
    Nothing,
    /// The thread that writes the file has panicked.
    Crashed,
    /// Any other reason.
    Other,
}

/// The error of a file in a folder that was replaced after the sandbox started.
#[derive(Debug, thiserror::Error)]
#[error("the folder was replaced or mounted after the start")]
struct FolderReplaced;

/// Returns the error of a change to this file. If the sandbox refused the change because the folder
/// was replaced, the error says so.
pub fn change_error(path: &Path, error: io::Error) -> io::Error {
    match error.kind() {
        kind @ io::ErrorKind::PermissionDenied if sandbox::is_replaced(path) => {
            io::Error::new(kind, FolderReplaced)
        }
        _ => error,
    }
}

impl Trouble {
    /// Returns the reason that corresponds to a system error.
    pub fn of(error: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        if error.get_ref().is_some_and(|inner| inner.is::<FolderReplaced>()) {
            return Self::Replaced;
        }
        if error.get_ref().is_some_and(|inner| inner.is::<ForbiddenName>()) {
            return Self::ForbiddenName;
        }
        if errors::is_too_many_files(error) {
            return Self::TooManyFiles;
        }
        if errors::is_broken_device(error) {
            return Self::Broken;
        }
        match error.kind() {
            Kind::StorageFull => Self::Full,
            Kind::QuotaExceeded => Self::Quota,
            Kind::FileTooLarge => Self::TooLarge,
            Kind::PermissionDenied => Self::Forbidden,
            Kind::ReadOnlyFilesystem => Self::ReadOnly,
            Kind::NotFound => Self::NoFolder,
            Kind::StaleNetworkFileHandle => Self::Gone,
            Kind::NotADirectory => Self::NotAFolder,
            Kind::IsADirectory => Self::Folder,
            Kind::InvalidFilename => Self::NameTooLong,
            Kind::AlreadyExists => Self::NamesTaken,
            _ => Self::Other,
        }
    }

    /// Returns the problem that corresponds to a system error, or to the problem inside an error.
    pub fn problem(error: &io::Error) -> Problem {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Problem>()) {
            Some(reason) => problem!("file-other", reason = reason),
            None => Self::of(error).in_words(&error.to_string()),
        }
    }

    /// Returns the problem of a settings file, whose folder the user cannot choose in the window.
    pub fn settings_problem(error: &io::Error) -> Problem {
        let reason = Self::problem(error);
        match Self::of(error) {
            Self::Replaced | Self::TooManyFiles | Self::Broken => reason,
            _ => reason.with_cure(problem!("settings-cure-folder")),
        }
    }

    /// Returns the cause and the remedy, or `None` if only the system's message is known.
    pub fn as_problem(self) -> Option<Problem> {
        Some(match self {
            Self::Full => problem!("file-full"),
            Self::Quota => problem!("file-quota"),
            Self::TooLarge => problem!("file-too-large"),
            Self::Forbidden => problem!("file-forbidden"),
            Self::Replaced => problem!("file-replaced"),
            Self::ReadOnly => problem!("file-read-only"),
            Self::NoFolder => problem!("file-no-folder"),
            Self::Gone => problem!("file-gone"),
            Self::NotAFolder => problem!("file-not-a-folder"),
            Self::Folder => problem!("file-folder"),
            Self::NameTooLong => problem!("file-name-too-long"),
            Self::ForbiddenName => problem!("file-forbidden-name"),
            Self::NamesTaken => problem!("file-names-taken"),
            Self::TooManyFiles => problem!("file-too-many-open"),
            Self::Broken => problem!("file-broken"),
            Self::Format => problem!("file-format"),
            Self::Slow => problem!("file-slow"),
            Self::Nothing => problem!("file-nothing"),
            Self::Crashed => problem!("internal-error"),
            Self::Other => return None,
        })
    }

    /// Returns the cause and the remedy, or else the system's message.
    pub fn in_words(self, words: &str) -> Problem {
        self.as_problem().unwrap_or_else(|| problem!("file-other", reason = words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(unix)]
    use crate::text::Language;

    /// All reasons except `Other`, which has no text.
    const ALL_KNOWN: [Trouble; 19] = [
        Trouble::Full,
        Trouble::Quota,
        Trouble::TooLarge,
        Trouble::Forbidden,
        Trouble::Replaced,
        Trouble::ReadOnly,
        Trouble::NoFolder,
        Trouble::Gone,
        Trouble::NotAFolder,
        Trouble::Folder,
        Trouble::NameTooLong,
        Trouble::ForbiddenName,
        Trouble::NamesTaken,
        Trouble::TooManyFiles,
        Trouble::Broken,
        Trouble::Format,
        Trouble::Slow,
        Trouble::Nothing,
        Trouble::Crashed,
    ];

    #[cfg(unix)]
    #[test]
    fn what_the_system_answers_has_a_cause_and_a_cure() {
        for (number, trouble) in [
            (libc::ENOSPC, Trouble::Full),
            (libc::EDQUOT, Trouble::Quota),
            (libc::EFBIG, Trouble::TooLarge),
            (libc::EACCES, Trouble::Forbidden),
            (libc::EPERM, Trouble::Forbidden),
            (libc::EROFS, Trouble::ReadOnly),
            (libc::ENOENT, Trouble::NoFolder),
            (libc::ENOTDIR, Trouble::NotAFolder),
            (libc::EISDIR, Trouble::Folder),
            (libc::ENAMETOOLONG, Trouble::NameTooLong),
            (libc::EMFILE, Trouble::TooManyFiles),
            (libc::ENFILE, Trouble::TooManyFiles),
            (libc::EIO, Trouble::Broken),
        ] {
            let error = io::Error::from_raw_os_error(number);
            assert_eq!(Trouble::of(&error), trouble, "{error}");
            assert_eq!(Some(Trouble::problem(&error)), trouble.as_problem());
        }
        let replaced = io::Error::new(io::ErrorKind::PermissionDenied, FolderReplaced);
        assert_eq!(Trouble::of(&replaced), Trouble::Replaced);
        let forbidden = io::Error::new(io::ErrorKind::InvalidInput, ForbiddenName);
        assert_eq!(Trouble::of(&forbidden), Trouble::ForbiddenName);
        let odd = io::Error::other("never heard of");
        assert_eq!(Trouble::of(&odd), Trouble::Other);
        assert_eq!(Trouble::problem(&odd).to_string(), "never heard of");
        // The advice to free disk space is only for a full disk.
        let cure = |it: &Trouble| Language::English.cure(&it.as_problem().unwrap()).unwrap();
        assert_eq!(ALL_KNOWN.iter().filter(|it| cure(it).contains("Free some space")).count(), 1);
    }
}
