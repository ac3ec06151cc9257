//! What the ways to read the pixels of displays and windows have in common.

use std::ffi::c_void;

use windows_sys::Win32::Foundation::HWND;

use crate::capture::screen::area::Area;
use crate::capture::screen::display::Fault;

/// What is captured.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// A part of one display.
    Display {
        /// `HMONITOR`.
        monitor: *mut c_void,
        /// The corner of the part on the display.
        corner: (u32, u32),
        /// The corner of the part in the coordinates of Windows.
        at: (i32, i32),
    },
    /// A part of all displays together, whose corner this is in the coordinates of Windows.
    AllDisplays { at: (i32, i32) },
    /// The inside of a window.
    Window(HWND),
}

/// What a frame has brought.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing, or nothing yet.
    None,
    /// New pixels in this part.
    Part(Area),
}

/// One way to read pixels.
pub(super) trait CaptureWay {
    /// Takes the newest frame, without waiting.
    fn take(&mut self) -> Result<News, Fault>;
    /// Reads a part of the frame, in rows without padding.
    fn read(&mut self, part: Area) -> Result<&[u8], Fault>;
    /// Returns true if the pointer is in the picture already.
    fn draws_pointer(&self) -> bool;
}
