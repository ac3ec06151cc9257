//! Helper processes that read memory of this process and talk to it over a stream.
#![allow(unsafe_code)]

pub mod launcher;
pub mod shared_memory;

use std::fs::OpenOptions;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr;
use std::time::Duration;

use windows_sys::Win32::Foundation::{
    DUPLICATE_SAME_ACCESS, DuplicateHandle, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, SECURITY_IDENTIFICATION,
};
use windows_sys::Win32::System::Console::{GetStdHandle, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE};
use windows_sys::Win32::System::Diagnostics::Debug::{
    SEM_FAILCRITICALERRORS, SEM_NOGPFAULTERRORBOX, SEM_NOOPENFILEERRORBOX, SetErrorMode,
};
use windows_sys::Win32::System::Memory::FILE_MAP_READ;
use windows_sys::Win32::System::Pipes::GetNamedPipeInfo;
use windows_sys::Win32::System::Threading::GetCurrentProcess;

use crate::system::child_process::launcher::Helper;
use crate::system::child_process::shared_memory::{Mapping, SharedMemory};
use crate::system::pipe::Pipe;
use crate::system::wide;

/// One end of the stream between this process and a helper.
#[derive(Debug)]
pub struct HelperStream(Pipe);

impl HelperStream {
    /// Reads what is there, or waits for it. Returns 0 if the other end is closed. `None` is no time limit.
    ///
    /// # Errors
    /// Fails with [`io::ErrorKind::TimedOut`] after the time limit.
    pub fn read(&self, into: &mut [u8], limit: Option<Duration>) -> io::Result<usize> {
        match self.0.read(into, limit) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
            result => result,
        }
    }

    /// Writes all bytes. `limit` is the time for each part that the other end takes.
    ///
    /// # Errors
    /// Fails if the other end is closed or does not read.
    pub fn write_all(&self, bytes: &[u8], limit: Duration) -> io::Result<()> {
        self.0.write_all(bytes, Some(limit))
    }
}

/// Memory that this helper inherited.
#[derive(Debug)]
pub struct InheritedMemory(OwnedHandle);

impl InheritedMemory {
    /// Maps the memory, which must have at least this length in bytes.
    ///
    /// # Errors
    /// Fails if the memory is shorter, or the system has no addresses left.
    pub fn map(&self, length: usize) -> io::Result<Mapping> {
        Mapping::of(self.0.as_raw_handle(), length)
    }
}

/// Starts a helper that can read this memory.
///
/// # Errors
/// Fails if the system cannot start the helper.
pub fn launch(helper: &str, memory: &SharedMemory) -> io::Result<(HelperStream, Helper)> {
    let (stream, theirs) = stream()?;
    let theirs = inheritable(theirs.as_raw_handle(), None)?;
    let memory = inheritable(memory.handle(), Some(FILE_MAP_READ))?;
    let helper = launcher::launch(helper, theirs.as_raw_handle(), memory.as_raw_handle())?;
    Ok((HelperStream(stream), helper))
}

/// Returns the two ends of a stream. Its name is not known to other processes; one that guesses it makes this call fail,
/// and learns nothing.
fn stream() -> io::Result<(Pipe, OwnedHandle)> {
    // The keys of this hash come from the system's random numbers.
    let random = RandomState::new().hash_one(std::process::id());
    let name = format!(r"\\.\pipe\onair-helper-{}-{random:016x}", std::process::id());
    let ours = Pipe::create(&wide(name.as_ref()), FILE_FLAG_FIRST_PIPE_INSTANCE, 1)?;
    let mut options = OpenOptions::new();
    options.security_qos_flags(SECURITY_IDENTIFICATION).custom_flags(FILE_FLAG_OVERLAPPED);
    let theirs = options.read(true).write(true).open(name)?;
    ours.accept()?;
    Ok((ours, theirs.into()))
}

/// Returns another handle of the same object, which a process can inherit. `access` limits what it can do.
fn inheritable(handle: HANDLE, access: Option<u32>) -> io::Result<OwnedHandle> {
    let mut copy = ptr::null_mut();
    let options = if access.is_none() { DUPLICATE_SAME_ACCESS } else { 0 };
    // SAFETY: the handle is open. The new one has no other owner.
    unsafe {
        let own = GetCurrentProcess();
        let access = access.unwrap_or(0);
        match DuplicateHandle(own, handle, own, &raw mut copy, access, 1, options) {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(OwnedHandle::from_raw_handle(copy)),
        }
    }
}

/// Returns the stream and the memory of this helper, or `None` if a user started the command.
pub fn inherited() -> Option<(HelperStream, InheritedMemory)> {
    // SAFETY: plain calls. The handles are open, and nothing else in this process owns them. What is no pipe is
    // refused.
    unsafe {
        let (stream, memory) = (GetStdHandle(STD_INPUT_HANDLE), GetStdHandle(STD_OUTPUT_HANDLE));
        let is_open = |handle: HANDLE| !handle.is_null() && handle != INVALID_HANDLE_VALUE;
        let nothing = ptr::null_mut();
        if !is_open(stream)
            || !is_open(memory)
            || GetNamedPipeInfo(stream, ptr::null_mut(), nothing, nothing, nothing) == 0
        {
            return None;
        }
        // A driver that crashes, or a library that lacks another one, opens no window.
        SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
        let stream = Pipe(OwnedHandle::from_raw_handle(stream));
        Some((HelperStream(stream), InheritedMemory(OwnedHandle::from_raw_handle(memory))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(100);

    #[test]
    fn both_ends_of_a_stream_carry_bytes_and_see_the_end_and_the_time_limit() {
        let (ours, theirs) = stream().unwrap();
        let (ours, theirs) = (HelperStream(ours), HelperStream(Pipe(theirs)));
        ours.write_all(b"there", LIMIT).unwrap();
        let mut buffer = [0; 16];
        assert_eq!(theirs.read(&mut buffer, None).unwrap(), 5);
        theirs.write_all(b"back", LIMIT).unwrap();
        assert_eq!(ours.read(&mut buffer, Some(LIMIT)).unwrap(), 4);
        assert_eq!(&buffer[..4], b"back");
        let late = ours.read(&mut buffer, Some(LIMIT)).unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
        drop(theirs);
        assert_eq!(ours.read(&mut buffer, None).unwrap(), 0);
    }

    #[test]
    fn the_inheritable_handle_of_memory_only_reads() {
        let mut memory = SharedMemory::new(6).unwrap();
        assert!(memory.fill(&[b"abc", b"def"]));
        let inherited = InheritedMemory(inheritable(memory.handle(), Some(FILE_MAP_READ)).unwrap());
        assert_eq!(inherited.map(6).unwrap().bytes(), b"abcdef");
        // The memory has whole pages.
        assert!(inherited.map(1 << 20).is_err());
        assert!(Mapping::writable(inherited.0.as_raw_handle(), 6).is_err());
    }
}
