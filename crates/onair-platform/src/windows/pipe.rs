//! One end of a named pipe, with time limits.
#![allow(unsafe_code)]

use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr;
use std::time::Duration;

use windows_sys::Win32::Foundation::{
    ERROR_BROKEN_PIPE, ERROR_IO_PENDING, ERROR_PIPE_CONNECTED, GetLastError, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_OVERLAPPED, PIPE_ACCESS_DUPLEX, ReadFile, WriteFile,
};
use windows_sys::Win32::System::IO::{
    CancelIoEx, GetOverlappedResult, GetOverlappedResultEx, OVERLAPPED,
};
use windows_sys::Win32::System::Pipes::{
    ConnectNamedPipe, CreateNamedPipeW, PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS,
    PIPE_TYPE_BYTE, PIPE_WAIT,
};
use windows_sys::Win32::System::Threading::{CreateEventW, INFINITE};

/// The size of a pipe's buffers. A longer message is passed in parts.
const BUFFER_BYTES: u32 = 64 << 10;

/// One end of a connection.
#[derive(Debug)]
pub struct Pipe(pub(super) OwnedHandle);

impl Pipe {
    /// Creates an instance of the pipe with this name, which ends with a zero.
    pub fn create(name: &[u16], also: u32, max_instances: u32) -> io::Result<Self> {
        // SAFETY: the name ends with a zero. The handle is new and has no other owner.
        unsafe {
            let handle = CreateNamedPipeW(
                name.as_ptr(),
                PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | also,
                PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
                max_instances,
                BUFFER_BYTES,
                BUFFER_BYTES,
                0,
                ptr::null(),
            );
            if handle == INVALID_HANDLE_VALUE {
                return Err(io::Error::last_os_error());
            }
            Ok(Self(OwnedHandle::from_raw_handle(handle)))
        }
    }

    /// Waits for a process that connects.
    pub fn accept(&self) -> io::Result<()> {
        // SAFETY: `complete` keeps the structure until the system has finished with it.
        self.complete(None, |state| unsafe { ConnectNamedPipe(self.0.as_raw_handle(), state) })
            .map(|_| ())
    }

    /// Writes all bytes. `limit` is the time for each part that the buffer of the pipe takes.
    pub fn write_all(&self, mut bytes: &[u8], limit: Option<Duration>) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = self.write(bytes, limit)?;
            bytes = bytes.get(count..).unwrap_or_default();
        }
        Ok(())
    }

    /// Reads what is there, or waits for it. Fails if the other end is closed.
    pub fn read(&self, buffer: &mut [u8], limit: Option<Duration>) -> io::Result<usize> {
        let length = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        let start = buffer.as_mut_ptr();
        // SAFETY: `complete` keeps the structure and, as its caller, this function the buffer, until the system has
        // finished with them.
        self.complete(limit, |state| unsafe {
            ReadFile(self.0.as_raw_handle(), start, length, ptr::null_mut(), state)
        })
    }

    fn write(&self, bytes: &[u8], limit: Option<Duration>) -> io::Result<usize> {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        // SAFETY: as in `read`.
        self.complete(limit, |state| unsafe {
            WriteFile(self.0.as_raw_handle(), bytes.as_ptr(), length, ptr::null_mut(), state)
        })
    }

    /// Starts an operation and waits until the system has finished with it, or cancels it after `limit`. Returns the
    /// number of bytes.
    fn complete(
        &self,
        limit: Option<Duration>,
        start: impl FnOnce(*mut OVERLAPPED) -> i32,
    ) -> io::Result<usize> {
        // SAFETY: a plain call. The handle is new and has no other owner.
        let event = unsafe {
            let event = CreateEventW(ptr::null(), 1, 0, ptr::null());
            if event.is_null() {
                return Err(io::Error::last_os_error());
            }
            OwnedHandle::from_raw_handle(event)
        };
        let mut state = OVERLAPPED { hEvent: event.as_raw_handle(), ..OVERLAPPED::default() };
        if start(&raw mut state) == 0 {
            // SAFETY: a plain call.
            match unsafe { GetLastError() } {
                ERROR_IO_PENDING => {}
                ERROR_PIPE_CONNECTED => return Ok(0),
                ERROR_BROKEN_PIPE => return Err(io::ErrorKind::BrokenPipe.into()),
                error => return Err(io::Error::from_raw_os_error(error.cast_signed())),
            }
        }
        let millis = limit
            // Less than a millisecond would mean not to wait.
            .map(|limit| u32::try_from(limit.as_micros().div_ceil(1000)).unwrap_or(INFINITE - 1))
            .unwrap_or(INFINITE);
        let (handle, mut count) = (self.0.as_raw_handle(), 0);
        // SAFETY: the structure lives until the operation has ended: after the time limit, the operation is cancelled
        // and its end is awaited.
        unsafe {
            if GetOverlappedResultEx(handle, &raw const state, &raw mut count, millis, 0) != 0 {
                return Ok(count as usize);
            }
            let error = io::Error::last_os_error();
            CancelIoEx(handle, &raw const state);
            if GetOverlappedResult(handle, &raw const state, &raw mut count, 1) != 0 {
                return Ok(count as usize);
            }
            Err(error)
        }
    }
}
