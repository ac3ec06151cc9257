//! An open display or window.
#![allow(unsafe_code)]

use windows_sys::Win32::Foundation::{HWND, POINT};
use windows_sys::Win32::Graphics::Gdi::ClientToScreen;
use windows_sys::Win32::UI::WindowsAndMessaging::{IsHungAppWindow, IsIconic, IsWindow};

use crate::capture::screen::area::Area;
use crate::capture::screen::backend::windows::desktop::{
    ALL_DISPLAYS_ID, inner_size, origin, screens, windows,
};
use crate::capture::screen::backend::windows::gdi::Bitmap;
use crate::capture::screen::backend::windows::pointer::PointerWatch;
use crate::capture::screen::display::{Change, Fault, Grabber, PlacedPointer, WindowInfo};
use crate::media::Size;

/// Where the pixels come from.
enum Target {
    /// A display, whose whole area was this.
    Screen { whole: Area, origin: (i32, i32) },
    /// A window, which had this size.
    Window { window: HWND, size: Size, number: String },
}

/// A capture by GDI.
pub(super) struct Grab {
    target: Target,
    /// The captured part: of all displays together, or of the inside of the window.
    area: Area,
    name: String,
    id: String,
    bitmap: Bitmap,
    /// True if the bitmap shows the window as it is since the last call of `changes`.
    is_drawn: bool,
    /// Rows of a part that is narrower than the bitmap.
    rows: Vec<u8>,
    pointer: Option<PointerWatch>,
}

impl Grab {
    pub(super) fn of_screen(
        id: Option<&str>,
        part: Option<Area>,
        pointer: bool,
    ) -> Result<Self, Fault> {
        let screens = screens()?;
        let screen = match id {
            None => screens.first(),
            // This entry follows the single displays. Without other displays, it is the only one.
            Some(ALL_DISPLAYS_ID) => screens.last(),
            Some(id) => screens.iter().find(|screen| screen.id == id),
        };
        let screen = screen.ok_or_else(|| Fault::Absent("no such screen".to_owned()))?;
        let area = match part {
            None => screen.area,
            Some(part) => part
                .moved(screen.area.x, screen.area.y)
                .within(screen.area)
                .ok_or_else(|| Fault::Absent("the region lies beside the screen".to_owned()))?,
        };
        let target = Target::Screen { whole: screen.area, origin: origin() };
        Self::begin(target, area, screen.name.clone(), screen.id.clone(), pointer)
    }

    pub(super) fn of_window(id: &str, before: Option<&str>, pointer: bool) -> Result<Self, Fault> {
        let windows = windows();
        let infos: Vec<&WindowInfo> = windows.iter().map(|(_, info)| info).collect();
        let found = WindowInfo::position_again(&infos, before, id);
        let (window, info) = found
            .and_then(|found| windows.get(found))
            .ok_or_else(|| Fault::Absent("no such window".to_owned()))?;
        if !info.shown {
            return Err(Fault::Hidden(info.name.clone()));
        }
        let (size, number) = (info.size, info.number.clone());
        let target = Target::Window { window: *window, size, number };
        let area = Area::new(0, 0, size.width, size.height);
        Self::begin(target, area, info.name.clone(), id.to_owned(), pointer)
    }

    fn begin(
        target: Target,
        area: Area,
        name: String,
        id: String,
        pointer: bool,
    ) -> Result<Self, Fault> {
        let area = area.even().map_err(Fault::Format)?;
        // A window always draws all of itself.
        let size = match target {
            Target::Screen { .. } => Size::new(area.width, area.height),
            Target::Window { size, .. } => size,
        };
        let bitmap = Bitmap::new(size)?;
        let pointer = pointer.then(PointerWatch::new);
        Ok(Self { target, area, name, id, bitmap, is_drawn: false, rows: Vec::new(), pointer })
    }

    /// Returns the position of the captured part in the coordinates of Windows.
    fn corner(&self) -> (i32, i32) {
        let at = (self.area.x.cast_signed(), self.area.y.cast_signed());
        let (left, top) = match self.target {
            Target::Screen { origin, .. } => origin,
            Target::Window { window, .. } => {
                let mut corner = POINT::default();
                // SAFETY: the call writes the structure.
                unsafe { ClientToScreen(window, &raw mut corner) };
                (corner.x, corner.y)
            }
        };
        (left.saturating_add(at.0), top.saturating_add(at.1))
    }
}

impl Grabber for Grab {
    fn size(&self) -> Size {
        Size::new(self.area.width, self.area.height)
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn number(&self) -> Option<&str> {
        match &self.target {
            Target::Screen { .. } => None,
            Target::Window { number, .. } => Some(number),
        }
    }

    fn changes(&mut self) -> Result<Change, Fault> {
        let mut change = Change::default();
        match &self.target {
            Target::Screen { whole, origin: before } => {
                let screens = screens()?;
                let now = screens
                    .iter()
                    .find(|screen| screen.id == self.id)
                    .ok_or_else(|| Fault::Absent("the screen is gone".to_owned()))?;
                change.reshaped = now.area != *whole || origin() != *before;
            }
            Target::Window { window, size, .. } => {
                // SAFETY: plain calls.
                let (is_open, is_minimized, is_hung) = unsafe {
                    (IsWindow(*window) != 0, IsIconic(*window) != 0, IsHungAppWindow(*window) != 0)
                };
                if !is_open {
                    return Err(Fault::Absent("the window was closed".to_owned()));
                }
                if is_minimized {
                    return Err(Fault::Hidden(self.name.clone()));
                }
                // A program that does not answer would make the capture wait, too.
                if is_hung {
                    return Ok(change);
                }
                change.reshaped = inner_size(*window).is_some_and(|now| now != *size);
            }
        }
        if !change.reshaped {
            self.is_drawn = false;
            change.dirty = Some(Area::new(0, 0, self.area.width, self.area.height));
        }
        Ok(change)
    }

    fn show_part(&mut self, _: Option<Area>) -> bool {
        // Reopening takes only a moment, and shows no dialog.
        false
    }

    fn read(&mut self, part: Area) -> Result<&[u8], Fault> {
        let (left, top) = match self.target {
            Target::Screen { .. } => {
                let (x, y) = self.corner();
                let at = (
                    x.saturating_add(part.x.cast_signed()),
                    y.saturating_add(part.y.cast_signed()),
                );
                self.bitmap.copy_screen(at, Size::new(part.width, part.height))?;
                (0, 0)
            }
            Target::Window { window, .. } => {
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

    fn pointer(&mut self) -> Result<Option<PlacedPointer>, Fault> {
        let corner = self.corner();
        Ok(self.pointer.as_mut().and_then(|pointer| pointer.placed(corner)))
    }
}
