//! What an encoder process needs of Linux.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::Read as _;
use std::os::fd::FromRawFd as _;
use std::path::{Path, PathBuf};

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use crate::base::sandbox;
use crate::encode::backend::process::wire::Refusal;

/// Restricts the process, as far as the encoder can work.
pub(super) fn restrict(is_hardware: bool) {
    let no_memory_image = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call reads one structure.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const no_memory_image) };
    sandbox::encoder(is_hardware);
}

/// What the library writes to standard error, such as the reason of a driver.
pub(super) struct LastWords(Option<File>);

impl LastWords {
    /// Redirects standard error. The pipe never blocks: when it is full, text is lost.
    pub(super) fn listen() -> Self {
        let mut ends = [0; 2];
        // SAFETY: the call writes two descriptors, which then have no other owner.
        unsafe {
            if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK) != 0 {
                return Self(None);
            }
            libc::dup2(ends[1], libc::STDERR_FILENO);
            libc::close(ends[1]);
            Self(Some(File::from_raw_fd(ends[0])))
        }
    }

    /// Returns what was written since the last call.
    pub(super) fn take(&mut self) -> String {
        let mut text = vec![0; 64 << 10];
        let length = self.0.as_mut().and_then(|pipe| pipe.read(&mut text).ok()).unwrap_or(0);
        String::from_utf8_lossy(text.get(..length).unwrap_or_default()).into_owned()
    }
}

/// Returns the files that may be this major version of libavcodec, the best first. The loader of the
/// system knows the folders.
pub(super) fn candidates(major: u32) -> Vec<PathBuf> {
    vec![format!("libavcodec.so.{major}").into()]
}

/// A loaded library, with those that it has loaded.
pub(super) struct Loaded(Library);

impl Loaded {
    pub(super) fn open(path: &Path) -> Result<Self, Refusal> {
        // SAFETY: loading runs the library's own start code. This process exists for that.
        let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
        library.map(Self).map_err(|error| {
            let reason = error.to_string();
            // The loader has no other way to tell an absent file from one that it cannot load. A
            // file that lacks one of its own libraries has another name in this message.
            let name = path.to_string_lossy();
            match reason.contains("No such file") && reason.contains(&*name) {
                true => Refusal::NoLibrary,
                false => Refusal::Unloadable { reason },
            }
        })
    }

    /// Returns the function with this name, which ends with a zero.
    ///
    /// # Safety
    /// `T` must be the type of the function.
    pub(super) unsafe fn function<T: Copy>(&self, name: &[u8]) -> Option<T> {
        // SAFETY: the caller knows the type.
        unsafe { self.0.get(name) }.ok().map(|function| *function)
    }

    /// Does nothing: the library's messages go to standard error.
    pub(super) fn collect_messages(&self) {}
}
