//! What keeps a file from being made or written, in words for a person, and what helps. The window has
//! these words in its languages (`assets/i18n/…/causes.txt`).

use std::io;

/// The kinds of trouble.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// The disk is full.
    Full,
    /// The share of it that is allowed is used up.
    Quota,
    /// A file may not be so large there.
    TooLarge,
    /// This user may not.
    Forbidden,
    /// Nobody may.
    ReadOnly,
    /// The folder is not there.
    NoFolder,
    /// The file was there, and is no more.
    Gone,
    /// What should be a folder is none.
    NotAFolder,
    /// What should be a file is a folder.
    Folder,
    NameTooLong,
    /// All that could be tried are taken.
    NamesTaken,
    /// This program, or the system, has too many files and connections open.
    TooManyFiles,
    /// The drive fails.
    Broken,
    /// Its name tells no format.
    Format,
    /// Anything else.
    Other,
}

impl Trouble {
    /// All of them but the last, which has no words of its own.
    pub const KNOWN: [Self; 14] = [
        Self::Full,
        Self::Quota,
        Self::TooLarge,
        Self::Forbidden,
        Self::ReadOnly,
        Self::NoFolder,
        Self::Gone,
        Self::NotAFolder,
        Self::Folder,
        Self::NameTooLong,
        Self::NamesTaken,
        Self::TooManyFiles,
        Self::Broken,
        Self::Format,
    ];

    /// What the system's answer means.
    pub fn of(error: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        #[cfg(unix)]
        match error.raw_os_error() {
            Some(libc::EMFILE | libc::ENFILE) => return Self::TooManyFiles,
            Some(libc::EIO | libc::ENXIO | libc::ENODEV) => return Self::Broken,
            _ => {}
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

    /// In words; `None`: the system's own are all there is.
    pub const fn cause(self) -> Option<&'static str> {
        Some(match self {
            Self::Full => "the disk is full",
            Self::Quota => "your share of the disk is used up",
            Self::TooLarge => "files may not become larger there",
            Self::Forbidden => "no permission to write there",
            Self::ReadOnly => "the disk is read-only",
            Self::NoFolder => "the folder is not there",
            Self::Gone => "the file was removed",
            Self::NotAFolder => "a part of its path is a file, not a folder",
            Self::Folder => "there is a folder of that name",
            Self::NameTooLong => "the name is too long",
            Self::NamesTaken => "all its names are taken",
            Self::TooManyFiles => "too many open files",
            Self::Broken => "the drive does not work",
            Self::Format => "its name ends in none of .flv, .mp4 and .mkv",
            Self::Other => return None,
        })
    }

    /// What helps.
    pub const fn cure(self) -> &'static str {
        match self {
            Self::Full => "Make room on the disk, or choose another one.",
            Self::Quota => "Remove files of yours from that disk, or choose another one.",
            Self::TooLarge => "Split recordings into smaller files, or choose another disk.",
            Self::Forbidden => "Choose a folder you may write to.",
            Self::ReadOnly => "Choose another disk, or make this one writable.",
            Self::NoFolder | Self::Gone => {
                "Check that the folder or drive is still there, or choose another."
            }
            Self::NotAFolder | Self::Folder | Self::NamesTaken => "Choose another name or folder.",
            Self::NameTooLong => "Choose a shorter name.",
            Self::TooManyFiles => {
                "Close other programs, or raise the limit of open files (ulimit -n)."
            }
            Self::Broken => "Check the drive and its cable, or choose another one.",
            Self::Format => "Let the name end in .mp4, .mkv or .flv.",
            Self::Other => "Choose another folder or drive.",
        }
    }

    /// The cause, or what the system says where that is all there is.
    pub fn words(error: &io::Error) -> String {
        Self::of(error).cause().map_or_else(|| error.to_string(), str::to_owned)
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

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
            assert_eq!(Trouble::words(&error), trouble.cause().unwrap());
        }
        let odd = io::Error::other("never heard of");
        assert_eq!(
            (Trouble::of(&odd), Trouble::words(&odd)),
            (Trouble::Other, "never heard of".into())
        );
        // "Make room" is for a disk that has none.
        let roomy = Trouble::KNOWN.iter().filter(|it| it.cure().contains("room")).count();
        assert_eq!(roomy, 1);
    }
}
