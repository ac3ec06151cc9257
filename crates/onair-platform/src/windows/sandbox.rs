//! Restricts a process by mitigation policies, which it gives itself and cannot take back. Windows has none for a single
//! thread, and onair decodes in its own process, which opens windows and loads the drivers of graphics cards. So a
//! decoder has only what the whole process has, and the log says so.
//!
//! | who | policies |
//! |---|---|
//! | commands without a window | [`process`]: no code that other programs inject, and none from the network |
//! | encoder processes | [`encoder`]: also no process of its own, and no fonts but those of the system |
//! | the same, without a driver | [`encoder_is_loaded`]: also no code that is made at run time |
//!
//! A system that lacks a policy goes on without it.
#![allow(unsafe_code)]

use std::path::{Component, Path, Prefix};
use std::sync::Once;

use windows_sys::Win32::Storage::FileSystem::GetDriveTypeW;
use windows_sys::Win32::System::Threading::{
    PROCESS_MITIGATION_POLICY, ProcessChildProcessPolicy, ProcessDynamicCodePolicy,
    ProcessExtensionPointDisablePolicy, ProcessFontDisablePolicy, ProcessImageLoadPolicy,
    SetProcessMitigationPolicy,
};

use crate::system::process::own_program;
use crate::system::wide;

/// A policy, and the flags that it gets. All of these policies are one number of 32 bits.
type Policy = (PROCESS_MITIGATION_POLICY, u32);

/// `DisableExtensionPoints`: no AppInit libraries, no hooks of other programs, no old input methods.
const NO_EXTENSIONS: Policy = (ProcessExtensionPointDisablePolicy, 1);
/// `NoLowMandatoryLabelImages`: no libraries from folders that confined programs can write to.
const NO_LOW_LIBRARIES: Policy = (ProcessImageLoadPolicy, 2);
/// The same with `NoRemoteImages`: no libraries from other computers, either.
const NO_REMOTE_LIBRARIES: Policy = (ProcessImageLoadPolicy, 3);
/// `NoChildProcessCreation`.
const NO_CHILDREN: Policy = (ProcessChildProcessPolicy, 1);
/// `DisableNonSystemFonts`: the system reads no other fonts for this process.
const NO_FONTS: Policy = (ProcessFontDisablePolicy, 1);
/// `ProhibitDynamicCode`: memory is either written or run, and never first the one and then the other.
const NO_NEW_CODE: Policy = (ProcessDynamicCodePolicy, 1);

/// `DRIVE_REMOTE`.
const REMOTE_DRIVE: u32 = 4;

static REPORTED: Once = Once::new();

fn report() {
    REPORTED.call_once(|| tracing::info!("not on this system: decoders are not confined"));
}

/// Does nothing: crash reports can be written anyway.
pub fn crash_folder(_folder: &Path) {}

/// Restricts the whole process to code that was installed on this computer.
pub fn process() {
    apply(&for_process(is_remote(&own_program())));
}

/// Reports that this system does not restrict files.
pub fn files(_named: &[&Path]) {
    report();
}

/// Returns false: this system refuses no folder.
pub fn is_replaced(_path: &Path) -> bool {
    false
}

/// Reports that this system does not restrict the thread.
pub fn video_decoder() {
    report();
}

/// Reports that this system does not restrict the thread.
pub fn audio_decoder() {
    report();
}

/// Restricts this encoder process before it loads a library.
pub fn encoder(_is_hardware: bool) {
    process();
    apply(&[NO_CHILDREN, NO_FONTS]);
}

/// Restricts this encoder process further, once its library is loaded: the start code of libraries that MinGW has
/// linked writes to their code. Drivers of graphics cards also make code later, so they go without this.
pub fn encoder_is_loaded(is_hardware: bool) {
    if !is_hardware {
        apply(&[NO_NEW_CODE]);
    }
}

/// A program that lies on another computer itself may have its libraries there.
const fn for_process(is_remote: bool) -> [Policy; 2] {
    [NO_EXTENSIONS, if is_remote { NO_LOW_LIBRARIES } else { NO_REMOTE_LIBRARIES }]
}

fn apply(policies: &[Policy]) {
    for (policy, flags) in policies {
        // SAFETY: the call reads one number.
        let done = unsafe {
            SetProcessMitigationPolicy(*policy, (&raw const *flags).cast(), size_of::<u32>())
        };
        if done == 0 {
            let error = std::io::Error::last_os_error();
            tracing::info!(%error, policy, "this policy is not on this system");
        }
    }
}

/// Returns true if a file lies on another computer.
fn is_remote(file: &Path) -> bool {
    let Some(Component::Prefix(prefix)) = file.components().next() else { return false };
    match prefix.kind() {
        Prefix::UNC(..) | Prefix::VerbatimUNC(..) => true,
        Prefix::Disk(_) | Prefix::VerbatimDisk(_) => {
            let letter = prefix.as_os_str().to_string_lossy();
            let letter = letter.trim_start_matches(r"\\?\");
            let root = Path::new(letter).join(r"\");
            // SAFETY: the text ends with a zero.
            unsafe { GetDriveTypeW(wide(root.as_os_str()).as_ptr()) == REMOTE_DRIVE }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_on_another_computer_may_load_its_libraries() {
        assert!(is_remote(Path::new(r"\\server\share\onair.exe")));
        assert!(is_remote(Path::new(r"\\?\UNC\server\share\onair.exe")));
        for local in [r"C:\onair.exe", r"\\?\C:\onair.exe", "onair.exe", r"\onair.exe", ""] {
            assert!(!is_remote(Path::new(local)), "{local}");
        }
        assert_eq!(for_process(true)[1], NO_LOW_LIBRARIES);
        assert_eq!(for_process(false)[1], NO_REMOTE_LIBRARIES);
    }

    #[test]
    fn a_restricted_process_still_does_its_work() {
        process();
        let file = std::env::temp_dir().join(format!("onair-sandbox-{}", std::process::id()));
        std::fs::write(&file, "written").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"written");
        std::fs::remove_file(&file).unwrap();
    }
}
