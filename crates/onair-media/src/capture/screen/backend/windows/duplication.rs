//! A display by DXGI desktop duplication (Windows 8 and newer). It says which parts have changed, and draws no border.
//!
//! The system ends a duplication when the display changes its mode, when a game takes it over, and when it asks for a
//! password. onair then starts it again until that succeeds, and keeps the last frame until then.
#![allow(unsafe_code)]

use std::mem::size_of;

use windows::Win32::Foundation::{E_ACCESSDENIED, RECT};
use windows::Win32::Graphics::Direct3D11::ID3D11Texture2D;
use windows::Win32::Graphics::Dxgi::Common::{
    DXGI_MODE_ROTATION_IDENTITY, DXGI_MODE_ROTATION_UNSPECIFIED,
};
use windows::Win32::Graphics::Dxgi::{
    CreateDXGIFactory1, DXGI_ERROR_ACCESS_LOST, DXGI_ERROR_WAIT_TIMEOUT, DXGI_OUTDUPL_FRAME_INFO,
    DXGI_OUTDUPL_MOVE_RECT, IDXGIAdapter, IDXGIFactory1, IDXGIOutput1, IDXGIOutputDuplication,
};
use windows::core::Interface as _;

use crate::capture::screen::area::Area;
use crate::capture::screen::backend::windows::direct3d::{Device, Picture, failed};
use crate::capture::screen::backend::windows::way::{CaptureWay, News, Subject};
use crate::capture::screen::display::Fault;
use crate::media::Size;

/// Time limit for the first frame in milliseconds.
const FIRST_FRAME_TIMEOUT_MILLIS: u32 = 500;
/// Maximum number of graphics cards, and of displays of one.
const MAX_LISTED: u32 = 64;
/// Maximum number of changed parts that are joined. With more, the whole picture counts as changed.
const MAX_PARTS: usize = 256;

/// A running duplication.
pub(super) struct Duplication {
    device: Device,
    output: IDXGIOutput1,
    /// `None` while the system allows none.
    running: Option<IDXGIOutputDuplication>,
    /// True until `running` has delivered a frame. The first one is new in whole.
    is_fresh: bool,
    picture: Picture,
    /// The captured part of the display.
    part: Area,
}

impl Duplication {
    /// Starts a duplication of this part, and waits for its first frame.
    pub(super) fn new(subject: Subject, part: Area) -> Result<Self, Fault> {
        let Subject::Display { monitor, corner, .. } = subject else {
            return Err(Fault::Other("it captures one display only".to_owned()));
        };
        let (card, output) = output_of(monitor)?;
        let device = Device::new(Some(&card))?;
        let running = begin(&output, &device).map_err(failed("DuplicateOutput"))?;
        // SAFETY: a plain call.
        let rotation = unsafe { running.GetDesc() }.Rotation;
        // The picture of a turned display is as the panel has it.
        if rotation != DXGI_MODE_ROTATION_IDENTITY && rotation != DXGI_MODE_ROTATION_UNSPECIFIED {
            return Err(Fault::Other("the display is rotated".to_owned()));
        }
        let picture = Picture::new(&device, Size::new(part.width, part.height))?;
        let part = Area::new(corner.0, corner.1, part.width, part.height);
        let mut this =
            Self { device, output, running: Some(running), is_fresh: true, picture, part };
        match this.next(FIRST_FRAME_TIMEOUT_MILLIS)? {
            News::None => Err(Fault::Other("no frame came".to_owned())),
            News::Part(_) => Ok(this),
        }
    }

    fn next(&mut self, timeout_millis: u32) -> Result<News, Fault> {
        let whole = Area::new(0, 0, self.part.width, self.part.height);
        let running = match &self.running {
            Some(running) => running.clone(),
            None => match begin(&self.output, &self.device) {
                Ok(running) => {
                    self.is_fresh = true;
                    self.running = Some(running.clone());
                    running
                }
                // The desktop of passwords, or a change that is not over.
                Err(error) if is_pause(&error) => return Ok(News::None),
                Err(error) => return Err(failed("DuplicateOutput")(error)),
            },
        };
        let (mut about, mut resource) = (DXGI_OUTDUPL_FRAME_INFO::default(), None);
        // SAFETY: the call writes the two values.
        let got =
            unsafe { running.AcquireNextFrame(timeout_millis, &raw mut about, &raw mut resource) };
        match got {
            Ok(()) => {}
            Err(error) if error.code() == DXGI_ERROR_WAIT_TIMEOUT => return Ok(News::None),
            Err(error) if is_pause(&error) => {
                self.running = None;
                return Ok(News::None);
            }
            Err(error) => return Err(failed("AcquireNextFrame")(error)),
        }
        let changed = if std::mem::take(&mut self.is_fresh) {
            Some(self.part)
        } else if about.LastPresentTime == 0 {
            // Only the pointer has moved.
            None
        } else {
            Some(changed(&running, &about).unwrap_or(self.part))
        };
        let changed = changed.and_then(|it| it.within(self.part));
        let copied = match (changed, &resource) {
            (None, _) | (_, None) => Ok(false),
            (Some(_), Some(resource)) => resource
                .cast::<ID3D11Texture2D>()
                .map_err(failed("ID3D11Texture2D"))
                .and_then(|it| self.picture.copy(&it, (self.part.x, self.part.y))),
        };
        // The resource is invalid from here on.
        drop(resource);
        // SAFETY: a plain call.
        let released = unsafe { running.ReleaseFrame() };
        if let Err(error) = released
            && !is_pause(&error)
        {
            return Err(failed("ReleaseFrame")(error));
        }
        Ok(match (copied?, changed) {
            (true, Some(changed)) => {
                News::Part(changed.relative_to(self.part).within(whole).unwrap_or(whole))
            }
            _ => News::None,
        })
    }
}

impl CaptureWay for Duplication {
    fn take(&mut self) -> Result<News, Fault> {
        self.next(0)
    }

    fn read(&mut self, part: Area) -> Result<&[u8], Fault> {
        self.picture.read(part)
    }

    fn draws_pointer(&self) -> bool {
        false
    }
}

/// Returns true if the system will allow the duplication again.
fn is_pause(error: &windows::core::Error) -> bool {
    [DXGI_ERROR_ACCESS_LOST, E_ACCESSDENIED].contains(&error.code())
}

fn begin(output: &IDXGIOutput1, device: &Device) -> windows::core::Result<IDXGIOutputDuplication> {
    // SAFETY: a plain call.
    unsafe { output.DuplicateOutput(&device.device) }
}

/// Returns the display, and the graphics card to which it is connected.
fn output_of(monitor: *mut std::ffi::c_void) -> Result<(IDXGIAdapter, IDXGIOutput1), Fault> {
    // SAFETY: plain calls. The lists end with an error.
    unsafe {
        let cards: IDXGIFactory1 = CreateDXGIFactory1().map_err(failed("CreateDXGIFactory1"))?;
        for card in (0..MAX_LISTED).map_while(|card| cards.EnumAdapters1(card).ok()) {
            for output in (0..MAX_LISTED).map_while(|output| card.EnumOutputs(output).ok()) {
                if output.GetDesc().is_ok_and(|about| about.Monitor.0 == monitor) {
                    let output = output.cast().map_err(failed("IDXGIOutput1"))?;
                    return Ok((card.cast().map_err(failed("IDXGIAdapter"))?, output));
                }
            }
        }
    }
    Err(Fault::Other("no graphics card has this display".to_owned()))
}

/// Returns the area with all changes of a frame, or `None` if it is not known.
fn changed(running: &IDXGIOutputDuplication, about: &DXGI_OUTDUPL_FRAME_INFO) -> Option<Area> {
    if about.TotalMetadataBufferSize == 0 {
        return None;
    }
    let mut moves = [DXGI_OUTDUPL_MOVE_RECT::default(); MAX_PARTS];
    let mut dirty = [RECT::default(); MAX_PARTS];
    let (mut moved_bytes, mut dirty_bytes) = (0, 0);
    // SAFETY: the calls write at most what the sizes say. With more parts, they fail.
    unsafe {
        let bytes = size_of_val(&moves) as u32;
        running.GetFrameMoveRects(bytes, moves.as_mut_ptr(), &raw mut moved_bytes).ok()?;
        let bytes = size_of_val(&dirty) as u32;
        running.GetFrameDirtyRects(bytes, dirty.as_mut_ptr(), &raw mut dirty_bytes).ok()?;
    }
    let moved = moves.iter().take(moved_bytes as usize / size_of::<DXGI_OUTDUPL_MOVE_RECT>());
    let dirty = dirty.iter().take(dirty_bytes as usize / size_of::<RECT>());
    union(moved.map(|it| it.DestinationRect).chain(dirty.copied()))
}

/// Returns the smallest area with all of these, or `None` if one of them is none.
fn union(parts: impl Iterator<Item = RECT>) -> Option<Area> {
    let mut all: Option<Area> = None;
    for RECT { left, top, right, bottom } in parts {
        let side = |from: i32, to: i32| u32::try_from(i64::from(to) - i64::from(from)).ok();
        let part = Area::clipped(left.into(), top.into(), side(left, right)?, side(top, bottom)?)?;
        all = Some(all.map_or(part, |all| all.joined(part)));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_parts_are_joined_and_nonsense_is_not_known() {
        let part = |left, top, right, bottom| RECT { left, top, right, bottom };
        let joined = union([part(0, 0, 2, 2), part(10, 20, 30, 40)].into_iter());
        assert_eq!(joined, Some(Area::new(0, 0, 30, 40)));
        assert_eq!(union(std::iter::empty()), None);
        assert_eq!(
            union([part(10, 0, 2, 2)].into_iter()),
            None,
            "a part that ends before it begins"
        );
    }
}
