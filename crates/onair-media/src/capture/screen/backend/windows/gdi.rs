//! Displays and windows by GDI, which every Windows, remote session and virtual machine has. It does not say what has
//! changed, so each frame is new in whole and costs time on the processor. What programs draw past it is black.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::mem::size_of;
use std::ptr;

use windows_sys::Win32::Foundation::HWND;
use windows_sys::Win32::Graphics::Gdi::{
    BI_RGB, BITMAPINFO, BITMAPINFOHEADER, BitBlt, CAPTUREBLT, CreateCompatibleDC, CreateDIBSection,
    DIB_RGB_COLORS, DeleteDC, DeleteObject, GdiFlush, GetDC, HBITMAP, HDC, HGDIOBJ, ReleaseDC,
    SRCCOPY, SelectObject,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{DI_NORMAL, DrawIconEx, HICON, IsHungAppWindow};

use crate::capture::screen::area::Area;
use crate::capture::screen::backend::windows::way::{CaptureWay, News, Subject};
use crate::capture::screen::display::Fault;
use crate::media::Size;

/// Maximum side length of a bitmap in pixels, so that its size cannot overflow.
const MAX_SIDE: u32 = 16_384;

/// Draws the inside of a window.
const PW_CLIENTONLY: u32 = 1;
/// Also draws what a window shows with Direct3D.
const PW_RENDERFULLCONTENT: u32 = 2;

/// Returns the fault of a call of the system that has just failed.
pub(super) fn other(what: &'static str) -> Fault {
    Fault::Other(format!("{what}: {}", std::io::Error::last_os_error()))
}

#[link(name = "user32")]
unsafe extern "system" {
    fn PrintWindow(window: HWND, target: HDC, flags: u32) -> i32;
}

/// A bitmap with rows from top to bottom, and blue, green, red and an unused byte in each pixel.
pub(super) struct Bitmap {
    context: HDC,
    bitmap: HBITMAP,
    before: HGDIOBJ,
    pixels: *mut u8,
    size: Size,
}

impl Bitmap {
    pub(super) fn new(size: Size) -> Result<Self, Fault> {
        let fits = |side: u32| (1..=MAX_SIDE).contains(&side);
        if !fits(size.width) || !fits(size.height) {
            return Err(Fault::Other(format!("a bitmap of {size}")));
        }
        let about = BITMAPINFO {
            bmiHeader: BITMAPINFOHEADER {
                biSize: size_of::<BITMAPINFOHEADER>() as u32,
                biWidth: size.width.cast_signed(),
                // Negative: from top to bottom.
                biHeight: -size.height.cast_signed(),
                biPlanes: 1,
                biBitCount: 32,
                biCompression: BI_RGB,
                ..BITMAPINFOHEADER::default()
            },
            ..BITMAPINFO::default()
        };
        // SAFETY: the structure describes a bitmap of 32 bits per pixel, whose memory belongs to the bitmap. What has
        // been created is released by `drop`, or here.
        unsafe {
            let context = CreateCompatibleDC(ptr::null_mut());
            if context.is_null() {
                return Err(other("CreateCompatibleDC"));
            }
            let mut pixels: *mut c_void = ptr::null_mut();
            let (about, place) = (&raw const about, &raw mut pixels);
            let bitmap =
                CreateDIBSection(context, about, DIB_RGB_COLORS, place, ptr::null_mut(), 0);
            if bitmap.is_null() || pixels.is_null() {
                let fault = other("CreateDIBSection");
                DeleteDC(context);
                return Err(fault);
            }
            let before = SelectObject(context, bitmap);
            Ok(Self { context, bitmap, before, pixels: pixels.cast(), size })
        }
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    pub(super) fn pixels(&self) -> &[u8] {
        let bytes = self.size.width as usize * self.size.height as usize * 4;
        // SAFETY: the memory of the bitmap has this size, lives as long as `self`, and GDI writes it only in the
        // methods that borrow `self` mutably. `flush` ended those.
        unsafe { std::slice::from_raw_parts(self.pixels, bytes) }
    }

    pub(super) fn fill(&mut self, value: u8) {
        let bytes = self.size.width as usize * self.size.height as usize * 4;
        // SAFETY: as in `pixels`.
        unsafe { ptr::write_bytes(self.pixels, value, bytes) };
    }

    /// Copies from the displays, at this position in the coordinates of Windows.
    pub(super) fn copy_screen(&mut self, (x, y): (i32, i32), size: Size) -> Result<(), Fault> {
        let (width, height) = (size.width.cast_signed(), size.height.cast_signed());
        // SAFETY: GDI clips to both areas. The context of the displays is released.
        unsafe {
            let screen = GetDC(ptr::null_mut());
            if screen.is_null() {
                return Err(other("GetDC"));
            }
            let done =
                BitBlt(self.context, 0, 0, width, height, screen, x, y, SRCCOPY | CAPTUREBLT);
            let fault = (done == 0).then(|| other("BitBlt"));
            ReleaseDC(ptr::null_mut(), screen);
            GdiFlush();
            fault.map_or(Ok(()), Err)
        }
    }

    /// Lets a window draw its inside here.
    pub(super) fn copy_window(&mut self, window: HWND) -> Result<(), Fault> {
        // SAFETY: plain calls, which fail if the window is gone.
        unsafe {
            let done = PrintWindow(window, self.context, PW_CLIENTONLY | PW_RENDERFULLCONTENT) != 0
                || PrintWindow(window, self.context, PW_CLIENTONLY) != 0;
            let fault = (!done).then(|| other("PrintWindow"));
            GdiFlush();
            fault.map_or(Ok(()), Err)
        }
    }

    /// Draws an icon in its own size.
    pub(super) fn draw_icon(&mut self, icon: HICON) -> bool {
        // SAFETY: a plain call, which fails if the icon is gone. GDI clips to the bitmap.
        unsafe {
            let drawn = DrawIconEx(self.context, 0, 0, icon, 0, 0, 0, ptr::null_mut(), DI_NORMAL);
            GdiFlush();
            drawn != 0
        }
    }
}

impl Drop for Bitmap {
    fn drop(&mut self) {
        // SAFETY: nobody else has these objects. A bitmap is released after its context lets it go.
        unsafe {
            SelectObject(self.context, self.before);
            DeleteObject(self.bitmap);
            DeleteDC(self.context);
        }
    }
}

/// A capture by GDI.
pub(super) struct Gdi {
    subject: Subject,
    bitmap: Bitmap,
    /// True if the bitmap shows the window as it is since the last call of `take`.
    is_drawn: bool,
    /// Rows of a part that is narrower than the bitmap.
    rows: Vec<u8>,
}

impl Gdi {
    pub(super) fn new(subject: Subject, part: Area) -> Result<Self, Fault> {
        let bitmap = Bitmap::new(Size::new(part.width, part.height))?;
        Ok(Self { subject, bitmap, is_drawn: false, rows: Vec::new() })
    }
}

impl CaptureWay for Gdi {
    fn take(&mut self) -> Result<News, Fault> {
        if let Subject::Window(window) = self.subject {
            // A program that does not answer would make the capture wait, too.
            // SAFETY: a plain call.
            if unsafe { IsHungAppWindow(window) } != 0 {
                return Ok(News::None);
            }
        }
        self.is_drawn = false;
        let size = self.bitmap.size();
        Ok(News::Part(Area::new(0, 0, size.width, size.height)))
    }

    fn read(&mut self, part: Area) -> Result<&[u8], Fault> {
        let (left, top) = match self.subject {
            Subject::Display { at: corner, .. } | Subject::AllDisplays { at: corner } => {
                let at = (
                    corner.0.saturating_add(part.x.cast_signed()),
                    corner.1.saturating_add(part.y.cast_signed()),
                );
                self.bitmap.copy_screen(at, Size::new(part.width, part.height))?;
                (0, 0)
            }
            Subject::Window(window) => {
                if !self.is_drawn {
                    self.bitmap.copy_window(window)?;
                    self.is_drawn = true;
                }
                (part.x as usize, part.y as usize)
            }
        };
        let short = || Fault::Other("a frame that is too short".to_owned());
        let line = self.bitmap.size().width as usize * 4;
        let (width, height) = (part.width as usize * 4, part.height as usize);
        if width == line {
            return self.bitmap.pixels().get(top * line..(top + height) * line).ok_or_else(short);
        }
        self.rows.clear();
        let lines = self.bitmap.pixels().chunks_exact(line).skip(top).take(height);
        for row in lines {
            self.rows.extend_from_slice(row.get(left * 4..left * 4 + width).ok_or_else(short)?);
        }
        self.rows.get(..width * height).ok_or_else(short)
    }

    fn draws_pointer(&self) -> bool {
        false
    }
}
