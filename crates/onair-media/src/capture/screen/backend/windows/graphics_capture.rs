//! Displays and windows by Windows.Graphics.Capture (Windows 10 version 1903 and newer).
//!
//! The system keeps a few textures and fills one whenever the display or window shows something new, also when other
//! windows cover it. It draws a yellow border on the screen around what is captured. Since Windows 11, a program can
//! turn it off; then onair does. The border is never in the picture.
#![allow(unsafe_code)]

use std::mem::size_of;
use std::time::{Duration, Instant};

use windows::Graphics::Capture::{
    Direct3D11CaptureFrame, Direct3D11CaptureFramePool, GraphicsCaptureAccess,
    GraphicsCaptureAccessKind, GraphicsCaptureItem, GraphicsCaptureSession,
};
use windows::Graphics::DirectX::Direct3D11::IDirect3DDevice;
use windows::Graphics::DirectX::DirectXPixelFormat;
use windows::Graphics::SizeInt32;
use windows::Win32::Graphics::Direct3D11::ID3D11Texture2D;
use windows::Win32::Graphics::Dxgi::IDXGIDevice;
use windows::Win32::Graphics::Gdi::HMONITOR;
use windows::Win32::System::WinRT::Direct3D11::{
    CreateDirect3D11DeviceFromDXGIDevice, IDirect3DDxgiInterfaceAccess,
};
use windows::Win32::System::WinRT::Graphics::Capture::IGraphicsCaptureItemInterop;
use windows::core::{Interface as _, factory};
use windows_sys::Win32::Foundation::{HWND, POINT, RECT};
use windows_sys::Win32::Graphics::Dwm::{DWMWA_EXTENDED_FRAME_BOUNDS, DwmGetWindowAttribute};
use windows_sys::Win32::Graphics::Gdi::ClientToScreen;

use crate::capture::screen::area::Area;
use crate::capture::screen::backend::windows::direct3d::{Device, Picture, failed};
use crate::capture::screen::backend::windows::way::{CaptureWay, News, Subject};
use crate::capture::screen::display::Fault;
use crate::media::Size;

/// Number of textures that the system fills in turn.
const BUFFERS: i32 = 2;
/// Maximum number of frames that are taken in one go, in case the system is faster than this thread.
const MAX_FRAMES: usize = 8;
/// Time limit for the first frame, and for the permission to have no border.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(500);
/// Interval between two looks at what the system was asked for.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// A running capture.
pub(super) struct GraphicsCapture {
    device: IDirect3DDevice,
    pool: Direct3D11CaptureFramePool,
    session: GraphicsCaptureSession,
    /// The size of the textures.
    size: SizeInt32,
    subject: Subject,
    picture: Picture,
    whole: Area,
    draws_pointer: bool,
}

impl GraphicsCapture {
    /// Starts a capture of this part, and waits for its first frame.
    pub(super) fn new(subject: Subject, part: Area, pointer: bool) -> Result<Self, Fault> {
        let is_supported = GraphicsCaptureSession::IsSupported();
        if !is_supported.map_err(failed("IsSupported"))? {
            return Err(Fault::Other("this version of Windows does not support it".to_owned()));
        }
        let item = item(subject)?;
        let device = Device::new(None)?;
        let size = item.Size().map_err(failed("Size"))?;
        let picture = Picture::new(&device, Size::new(part.width, part.height))?;
        let device = device_of(&device)?;
        let format = DirectXPixelFormat::B8G8R8A8UIntNormalized;
        let pool = Direct3D11CaptureFramePool::CreateFreeThreaded(&device, format, BUFFERS, size)
            .map_err(failed("CreateFreeThreaded"))?;
        let session = pool.CreateCaptureSession(&item).map_err(failed("CreateCaptureSession"))?;
        // From here on, `drop` ends the capture.
        let whole = Area::new(0, 0, part.width, part.height);
        let mut capture =
            Self { device, pool, session, size, subject, picture, whole, draws_pointer: false };
        capture.configure(pointer)?;
        capture.session.StartCapture().map_err(failed("StartCapture"))?;
        capture.await_first()?;
        Ok(capture)
    }

    /// Turns off the pointer, which onair draws itself, and the border.
    fn configure(&mut self, pointer: bool) -> Result<(), Fault> {
        // Before Windows 10 version 2004, the pointer is always in the picture.
        if let Err(error) = self.session.SetIsCursorCaptureEnabled(false) {
            if !pointer {
                return Err(failed("SetIsCursorCaptureEnabled")(error));
            }
            self.draws_pointer = true;
        }
        let has_border = remove_border(&self.session).is_err();
        // A border around a whole display would be in the way. DXGI duplication draws none.
        if has_border && matches!(self.subject, Subject::Display { .. }) {
            return Err(Fault::Other("this version of Windows draws a border".to_owned()));
        }
        Ok(())
    }

    fn await_first(&mut self) -> Result<(), Fault> {
        let end = Instant::now() + ANSWER_TIMEOUT;
        while matches!(self.take()?, News::None) {
            if Instant::now() >= end {
                return Err(Fault::Other("no frame came".to_owned()));
            }
            std::thread::sleep(LOOK_INTERVAL);
        }
        Ok(())
    }

    /// Returns the newest frame.
    fn newest(&self) -> Result<Option<Direct3D11CaptureFrame>, Fault> {
        let mut newest: Option<Direct3D11CaptureFrame> = None;
        for _ in 0..MAX_FRAMES {
            match self.pool.TryGetNextFrame() {
                Ok(frame) => {
                    if let Some(older) = newest.replace(frame) {
                        let _ = older.Close();
                    }
                }
                // Without a frame, the call succeeds and returns nothing.
                Err(error) if error.code().is_ok() => break,
                Err(error) => return Err(failed("TryGetNextFrame")(error)),
            }
        }
        Ok(newest)
    }

    fn take_from(&mut self, frame: &Direct3D11CaptureFrame) -> Result<News, Fault> {
        let size = frame.ContentSize().map_err(failed("ContentSize"))?;
        if size != self.size {
            let format = DirectXPixelFormat::B8G8R8A8UIntNormalized;
            self.pool.Recreate(&self.device, format, BUFFERS, size).map_err(failed("Recreate"))?;
            self.size = size;
            return Ok(News::None);
        }
        let access: IDirect3DDxgiInterfaceAccess =
            frame.Surface().and_then(|it| it.cast()).map_err(failed("Surface"))?;
        // SAFETY: a plain call. The texture is valid until the frame is closed.
        let texture: ID3D11Texture2D =
            unsafe { access.GetInterface() }.map_err(failed("GetInterface"))?;
        let corner = match self.subject {
            Subject::Display { corner, .. } => Some(corner),
            Subject::Window(window) => inside_of(window),
            Subject::AllDisplays { .. } => None,
        };
        let Some(corner) = corner else { return Ok(News::None) };
        Ok(if self.picture.copy(&texture, corner)? { News::Part(self.whole) } else { News::None })
    }
}

impl CaptureWay for GraphicsCapture {
    fn take(&mut self) -> Result<News, Fault> {
        let Some(frame) = self.newest()? else { return Ok(News::None) };
        let news = self.take_from(&frame);
        let _ = frame.Close();
        news
    }

    fn read(&mut self, part: Area) -> Result<&[u8], Fault> {
        self.picture.read(part)
    }

    fn draws_pointer(&self) -> bool {
        self.draws_pointer
    }
}

impl Drop for GraphicsCapture {
    fn drop(&mut self) {
        // Without these calls, the border would stay until the last reference is gone.
        let _ = self.session.Close();
        let _ = self.pool.Close();
    }
}

fn item(subject: Subject) -> Result<GraphicsCaptureItem, Fault> {
    let makes = factory::<GraphicsCaptureItem, IGraphicsCaptureItemInterop>()
        .map_err(failed("GraphicsCaptureItem"))?;
    // SAFETY: plain calls, which fail if the display or window is gone.
    let made = unsafe {
        match subject {
            Subject::Display { monitor, .. } => makes.CreateForMonitor(HMONITOR(monitor)),
            Subject::Window(window) => {
                makes.CreateForWindow(windows::Win32::Foundation::HWND(window))
            }
            Subject::AllDisplays { .. } => {
                return Err(Fault::Other("it captures one display only".to_owned()));
            }
        }
    };
    made.map_err(failed("CreateForMonitor or CreateForWindow"))
}

/// Returns the device in the form that the capture takes.
fn device_of(device: &Device) -> Result<IDirect3DDevice, Fault> {
    let device: IDXGIDevice = device.device.cast().map_err(failed("IDXGIDevice"))?;
    // SAFETY: a plain call.
    unsafe { CreateDirect3D11DeviceFromDXGIDevice(&device) }
        .and_then(|it| it.cast())
        .map_err(failed("CreateDirect3D11DeviceFromDXGIDevice"))
}

/// Turns off the border. Asks for the permission first, which a program that was not installed from the store gets
/// without a dialog.
fn remove_border(session: &GraphicsCaptureSession) -> windows::core::Result<()> {
    if let Ok(answer) =
        GraphicsCaptureAccess::RequestAccessAsync(GraphicsCaptureAccessKind::Borderless)
    {
        let end = Instant::now() + ANSWER_TIMEOUT;
        // 0: not answered yet.
        while answer.Status().is_ok_and(|status| status.0 == 0) && Instant::now() < end {
            std::thread::sleep(LOOK_INTERVAL);
        }
    }
    session.SetIsBorderRequired(false)
}

/// Returns where the inside of a window begins in its picture, which includes the frame but not its shadow.
fn inside_of(window: HWND) -> Option<(u32, u32)> {
    let (mut frame, mut corner) = (RECT::default(), POINT::default());
    // SAFETY: the calls write the structures, the first one of this size.
    let found = unsafe {
        let (place, bytes) = ((&raw mut frame).cast(), size_of::<RECT>() as u32);
        DwmGetWindowAttribute(window, DWMWA_EXTENDED_FRAME_BOUNDS as u32, place, bytes) >= 0
            && ClientToScreen(window, &raw mut corner) != 0
    };
    found.then(|| (distance(frame.left, corner.x), distance(frame.top, corner.y)))
}

/// A maximized window begins beyond its display, and its picture does not.
fn distance(from: i32, to: i32) -> u32 {
    u32::try_from(i64::from(to) - i64::from(from)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inside_of_a_window_never_begins_before_its_frame() {
        assert_eq!(
            (distance(-8, 0), distance(0, -8), distance(i32::MIN, i32::MAX)),
            (8, 0, u32::MAX)
        );
    }
}
