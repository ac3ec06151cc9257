//! An open display or window.
#![allow(unsafe_code)]

use windows_sys::Win32::Foundation::{HWND, POINT};
use windows_sys::Win32::Graphics::Gdi::{
    ClientToScreen, HMONITOR, MONITOR_DEFAULTTONULL, MonitorFromPoint,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{IsIconic, IsWindow, IsWindowVisible};

use crate::capture::screen::area::Area;
use crate::capture::screen::backend::windows::chosen::Chosen;
use crate::capture::screen::backend::windows::desktop::{
    ALL_DISPLAYS_ID, inner_size, is_cloaked, origin, screens, windows,
};
use crate::capture::screen::backend::windows::pointer::PointerWatch;
use crate::capture::screen::backend::windows::way::{News, Subject};
use crate::capture::screen::display::{
    Change, Fault, Grabber, PlacedPointer, ScreenInfo, WindowInfo,
};
use crate::media::Size;

/// Where the pixels come from.
enum Target {
    /// A display, whose whole area was this.
    Screen { whole: Area, origin: (i32, i32) },
    /// A window, which had this size.
    Window { window: HWND, size: Size, number: String },
}

/// A capture by the best way that works.
pub(super) struct Grab {
    target: Target,
    subject: Subject,
    /// The captured part: of all displays together, or of the inside of the window.
    area: Area,
    name: String,
    id: String,
    chosen: Chosen,
    /// True if the pointer is wanted.
    wants_pointer: bool,
    pointer: PointerWatch,
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
        let area = area.even().map_err(Fault::Format)?;
        let origin = origin();
        let subject = subject_of(screen, area, origin)?;
        let target = Target::Screen { whole: screen.area, origin };
        Self::begin(target, subject, area, (screen.name.clone(), screen.id.clone()), pointer)
    }

    pub(super) fn of_window(id: &str, before: Option<&str>, pointer: bool) -> Result<Self, Fault> {
        let windows = windows();
        let infos: Vec<&WindowInfo> = windows.iter().map(|(_, info)| info).collect();
        let found = WindowInfo::position_again(&infos, before, id);
        // The list has no windows that Windows hides.
        if before
            .is_some_and(|number| infos.iter().all(|info| info.number != number) && hidden(number))
        {
            return Err(Fault::Elsewhere(id.to_owned()));
        }
        let (window, info) = found
            .and_then(|found| windows.get(found))
            .ok_or_else(|| Fault::Absent("no such window".to_owned()))?;
        if !info.shown {
            return Err(Fault::Hidden(info.name.clone()));
        }
        let (size, number) = (info.size, info.number.clone());
        let target = Target::Window { window: *window, size, number };
        let area = Area::new(0, 0, size.width, size.height).even().map_err(Fault::Format)?;
        let names = (info.name.clone(), id.to_owned());
        Self::begin(target, Subject::Window(*window), area, names, pointer)
    }

    fn begin(
        target: Target,
        subject: Subject,
        area: Area,
        (name, id): (String, String),
        wants_pointer: bool,
    ) -> Result<Self, Fault> {
        let chosen = Chosen::best(subject, area, wants_pointer)?;
        let pointer = PointerWatch::new();
        Ok(Self { target, subject, area, name, id, chosen, wants_pointer, pointer })
    }

    /// Returns the captured part in whole, relative to its own corner.
    fn whole(&self) -> Area {
        Area::new(0, 0, self.area.width, self.area.height)
    }

    /// Goes on with the next way.
    fn fall_back(&mut self, fault: &Fault) -> Result<(), Fault> {
        self.chosen = self.chosen.after(fault, self.subject, self.area, self.wants_pointer)?;
        Ok(())
    }

    /// Returns true if the target has another size or place.
    fn is_reshaped(&self) -> Result<bool, Fault> {
        match &self.target {
            Target::Screen { whole, origin: before } => {
                let screens = screens()?;
                let now = screens
                    .iter()
                    .find(|screen| screen.id == self.id)
                    .ok_or_else(|| Fault::Absent("the screen is gone".to_owned()))?;
                Ok(now.area != *whole || origin() != *before)
            }
            Target::Window { window, size, .. } => {
                // SAFETY: plain calls.
                let (is_open, is_minimized, is_visible) = unsafe {
                    (IsWindow(*window) != 0, IsIconic(*window) != 0, IsWindowVisible(*window) != 0)
                };
                if !is_open {
                    return Err(Fault::Absent("the window was closed".to_owned()));
                }
                if is_minimized {
                    return Err(Fault::Hidden(self.name.clone()));
                }
                if !is_visible {
                    return Err(Fault::Elsewhere(self.name.clone()));
                }
                Ok(inner_size(*window).is_some_and(|now| now != *size))
            }
        }
    }

    /// Returns the position of the captured part in the coordinates of Windows.
    fn corner(&self) -> (i32, i32) {
        match self.subject {
            Subject::Display { at, .. } | Subject::AllDisplays { at } => at,
            Subject::Window(window) => {
                let mut corner = POINT::default();
                // SAFETY: the call writes the structure.
                unsafe { ClientToScreen(window, &raw mut corner) };
                (corner.x, corner.y)
            }
        }
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
        if self.is_reshaped()? {
            return Ok(Change { reshaped: true, ..Change::default() });
        }
        let dirty = match self.chosen.way().take() {
            Ok(News::None) => None,
            Ok(News::Part(part)) => Some(part),
            Err(fault) => {
                self.fall_back(&fault)?;
                Some(self.whole())
            }
        };
        Ok(Change { dirty, ..Change::default() })
    }

    fn show_part(&mut self, _: Option<Area>) -> bool {
        // Reopening takes only a moment, and shows no dialog.
        false
    }

    fn read(&mut self, part: Area) -> Result<&[u8], Fault> {
        if let Err(fault) = self.chosen.way().read(part) {
            self.fall_back(&fault)?;
        }
        self.chosen.way().read(part)
    }

    fn pointer(&mut self) -> Result<Option<PlacedPointer>, Fault> {
        if !self.wants_pointer || self.chosen.way().draws_pointer() {
            return Ok(None);
        }
        Ok(self.pointer.placed(self.corner()))
    }
}

/// Returns what to capture for this area of all displays together.
fn subject_of(screen: &ScreenInfo, area: Area, origin: (i32, i32)) -> Result<Subject, Fault> {
    let add = |from: i32, by: u32| from.saturating_add_unsigned(by);
    let at = (add(origin.0, area.x), add(origin.1, area.y));
    if screen.id == ALL_DISPLAYS_ID {
        return Ok(Subject::AllDisplays { at });
    }
    let point = POINT { x: add(origin.0, screen.area.x), y: add(origin.1, screen.area.y) };
    // SAFETY: a plain call.
    let monitor: HMONITOR = unsafe { MonitorFromPoint(point, MONITOR_DEFAULTTONULL) };
    if monitor.is_null() {
        return Err(Fault::Absent("the screen is gone".to_owned()));
    }
    let corner = (area.x.saturating_sub(screen.area.x), area.y.saturating_sub(screen.area.y));
    Ok(Subject::Display { monitor, corner, at })
}

/// Returns true if the window with this number is open, and its program or Windows hides it.
fn hidden(number: &str) -> bool {
    let digits = number.strip_prefix("0x").unwrap_or_default();
    let Ok(window) = usize::from_str_radix(digits, 16) else { return false };
    let window = window as HWND;
    // SAFETY: plain calls, which fail for what is no window.
    unsafe { IsWindow(window) != 0 && (IsWindowVisible(window) == 0 || is_cloaked(window)) }
}

#[cfg(test)]
mod tests {
    use super::hidden;

    #[test]
    fn what_is_no_window_is_not_hidden() {
        for number in ["", "0x", "0x1", "12", "0xffffffffffffffffff", "x"] {
            assert!(!hidden(number), "{number}");
        }
    }
}
