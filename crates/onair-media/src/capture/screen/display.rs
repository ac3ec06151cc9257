//! The interface of a display system, with its displays, its windows, and their pixels. There are
//! two real backends (X11 and the portal), and a fake in the tests of
//! [`screen`](crate::capture::screen).

use std::sync::Arc;

use crate::base::Stop;
use crate::capture::screen::area::Area;
use crate::capture::screen::permission::Permissions;
use crate::media::{FrameRate, Size};
use crate::text::problem::{Problem, Value, problem};

/// The reason why a display or window is unavailable, with the system's message.
#[cfg_attr(not(feature = "wayland"), allow(dead_code, reason = "only a portal uses all of it"))]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", Problem::from(self))]
pub(in crate::capture) enum Fault {
    /// The address of the display is unknown.
    NoDisplay,
    /// The session does not show its displays to X11, and this build has no support for the portal.
    #[cfg_attr(feature = "wayland", allow(dead_code, reason = "said by builds without it"))]
    Lacking,
    /// The selected display belongs to XWayland, which provides no image of it.
    XWayland,
    /// There is no portal. No dialog was shown.
    NoPortal(String),
    /// PipeWire cannot transfer the frames. No dialog was shown.
    NoPipeWire(String),
    /// The desktop has no dialog for windows.
    NoWindows,
    /// The user declined or closed the dialog.
    Denied,
    /// The desktop ended the sharing.
    Ended(String),
    /// The shared content cannot be shown.
    Unusable(String),
    /// The shared content cannot be shown because of its size.
    UnusableSize(Problem),
    /// The display is unreachable, or went away.
    Display(String),
    /// The display or window does not exist, or no longer exists.
    Absent(String),
    /// The window with this name is minimized.
    Hidden(String),
    /// The window with this name is hidden, or on another desktop.
    #[cfg_attr(not(windows), allow(dead_code, reason = "other systems do not tell"))]
    Elsewhere(String),
    /// The pixels of the X server have this many bits.
    Depth(u8),
    /// The pixels of the display or window cannot be read.
    Format(Problem),
    /// Another error.
    Other(String),
    /// onair does not support displays on this system.
    #[cfg_attr(target_os = "linux", allow(dead_code, reason = "for systems that lack it"))]
    NotOnThisSystem,
}

/// The time of the next attempt after a failure.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) enum RetryRequest {
    /// At any time, because an attempt is cheap and invisible.
    Soon,
    /// At increasing intervals, because an attempt wakes other programs.
    Later,
    /// On the user's request, because an attempt shows a dialog.
    WhenAsked,
}

impl From<&Fault> for Problem {
    fn from(fault: &Fault) -> Self {
        fault.of(&problem!("display-it").into())
    }
}

impl Fault {
    /// Returns the problem with the display or window of this name.
    pub(in crate::capture) fn of(&self, name: &Value) -> Problem {
        let name = name.clone();
        match self {
            Self::NoDisplay => problem!("display-none"),
            Self::Lacking => problem!("display-not-built"),
            Self::XWayland => problem!("display-xwayland"),
            Self::NoPortal(reason) => problem!("display-no-portal", reason = reason),
            Self::NoPipeWire(reason) => problem!("display-no-pipewire", reason = reason),
            Self::NoWindows => problem!("display-no-windows"),
            Self::Denied => problem!("display-denied", name = name),
            Self::Ended(_) => problem!("display-ended", name = name),
            Self::Unusable(_) => problem!("display-unusable", name = name),
            Self::Absent(_) => problem!("display-absent", name = name),
            Self::Hidden(name) => problem!("display-minimized", name = name),
            Self::Elsewhere(name) => problem!("display-elsewhere", name = name),
            Self::Depth(depth) => problem!("display-depth", name = name, depth = *depth),
            Self::Format(reason) | Self::UnusableSize(reason) => {
                problem!("display-format", name = name, reason = reason)
            }
            Self::Display(reason) => problem!("display-no-answer", reason = reason),
            Self::Other(_) => problem!("display-broken", name = name),
            Self::NotOnThisSystem => problem!("device-not-on-this-system", device = name),
        }
    }

    /// Returns the error text of the system.
    pub(in crate::capture) fn detail(&self) -> &str {
        match self {
            Self::NoDisplay
            | Self::Lacking
            | Self::XWayland
            | Self::NoWindows
            | Self::Denied
            | Self::Depth(_)
            | Self::Format(_)
            | Self::UnusableSize(_)
            | Self::NotOnThisSystem => "",
            Self::NoPortal(detail)
            | Self::NoPipeWire(detail)
            | Self::Ended(detail)
            | Self::Unusable(detail)
            | Self::Display(detail)
            | Self::Absent(detail)
            | Self::Hidden(detail)
            | Self::Elsewhere(detail)
            | Self::Other(detail) => detail,
        }
    }

    pub(in crate::capture) fn again(&self) -> RetryRequest {
        match self {
            Self::NoDisplay
            | Self::XWayland
            | Self::Display(_)
            | Self::Absent(_)
            | Self::Hidden(_)
            | Self::Elsewhere(_)
            | Self::Depth(_)
            | Self::Format(_)
            | Self::Other(_) => RetryRequest::Soon,
            Self::NotOnThisSystem
            | Self::Lacking
            | Self::NoPortal(_)
            | Self::NoPipeWire(_)
            | Self::NoWindows => RetryRequest::Later,
            Self::Denied | Self::Ended(_) | Self::Unusable(_) | Self::UnusableSize(_) => {
                RetryRequest::WhenAsked
            }
        }
    }
}

/// A monitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScreenInfo {
    /// The name of its connector, which is stable; `all` for all displays together.
    pub id: String,
    /// The display name for users.
    pub name: String,
    /// Position and size on the desktop.
    pub area: Area,
    /// True for the main display.
    pub primary: bool,
}

/// The options of the sharing dialog (in a Wayland session).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// True if the dialog offers whole displays (`screen:wayland`).
    pub screens: bool,
    /// True if the dialog offers single windows (`window:wayland`).
    pub windows: bool,
    /// True if an earlier permission works again without a dialog.
    pub remembers: bool,
}

/// A window of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowInfo {
    /// `PROGRAM/TITLE`, which stays the same after a restart of onair or of the program.
    pub id: String,
    /// Title of the window.
    pub name: String,
    /// The window class of its program.
    pub class: String,
    /// The window number in the display, `0x…`, while it is open.
    pub number: String,
    /// Size without the window frame.
    pub size: Size,
    /// True if the window is not minimized.
    pub shown: bool,
}

impl WindowInfo {
    /// Finds the window that was captured before, by its number, while it is open, because its
    /// title may have changed. Otherwise, works like [`WindowInfo::position`].
    pub(in crate::capture) fn position_again(
        windows: &[&Self],
        before: Option<&str>,
        id: &str,
    ) -> Option<usize> {
        let same = before.and_then(|number| windows.iter().position(|it| it.number == number));
        same.or_else(|| Self::position(windows, id))
    }

    /// Finds the window with this number, or with this program and title, or with this title.
    /// Otherwise, finds a window of the program, preferably a visible one, because the title may
    /// have changed.
    pub(in crate::capture) fn position(windows: &[&Self], id: &str) -> Option<usize> {
        let by = |fits: &dyn Fn(&Self) -> bool| windows.iter().position(|window| fits(window));
        let class = id.split_once('/').map_or(id, |(class, _)| class);
        by(&|window| window.number == id)
            .or_else(|| by(&|window| window.id == id))
            .or_else(|| by(&|window| window.name == id))
            .or_else(|| by(&|window| window.class == class && !class.is_empty() && window.shown))
            .or_else(|| by(&|window| window.class == class && !class.is_empty()))
    }
}

/// A change of the captured content.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::capture) struct Change {
    /// The part with new pixels, relative to the frame's corner.
    pub(in crate::capture) dirty: Option<Area>,
    /// True if the size or position changed, so that the capture must be reopened.
    pub(in crate::capture) reshaped: bool,
    /// True if the size changed, so that earlier pixels are invalid.
    pub(in crate::capture) resized: bool,
}

/// The parameters for opening a capture.
#[cfg_attr(not(feature = "wayland"), allow(dead_code, reason = "only a portal uses all of it"))]
pub(in crate::capture) struct Attempt<'a> {
    /// True to capture the pointer.
    pub(in crate::capture) pointer: bool,
    /// Maximum useful frame rate.
    pub(in crate::capture) rate: FrameRate,
    /// The number of the window that this source captured before.
    pub(in crate::capture) before: Option<&'a str>,
    /// Set when the capture is no longer needed. An open dialog checks this flag.
    pub(in crate::capture) stop: &'a Stop,
    /// The permissions of the desktop.
    pub(in crate::capture) permissions: &'a Permissions,
    /// A callback that is called repeatedly while the user's answer is awaited.
    pub(in crate::capture) asking: &'a dyn Fn(),
}

/// The pointer's image.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::capture) struct Pointer {
    pub(in crate::capture) width: u32,
    pub(in crate::capture) height: u32,
    /// Position of the hot spot.
    pub(in crate::capture) hot: (u32, u32),
    /// Rows of premultiplied pixels, with alpha, red, green and blue from the highest byte on.
    pub(in crate::capture) pixels: Vec<u32>,
}

/// The pointer, and the position of its upper left corner relative to the frame's corner. The
/// pointer can be outside the frame.
#[derive(Clone, Debug)]
pub(in crate::capture) struct PlacedPointer {
    pub(in crate::capture) x: i64,
    pub(in crate::capture) y: i64,
    pub(in crate::capture) image: Arc<Pointer>,
}

impl PartialEq for PlacedPointer {
    fn eq(&self, other: &Self) -> bool {
        (self.x, self.y) == (other.x, other.y) && Arc::ptr_eq(&self.image, &other.image)
    }
}

/// An open display or window, which lives on one thread. Any call can block on the display.
pub(in crate::capture) trait Grabber {
    /// Returns the size, which has an even width and height.
    fn size(&self) -> Size;
    fn name(&self) -> &str;
    fn id(&self) -> &str;
    /// Returns the number of the captured window in the display, if it has one.
    fn number(&self) -> Option<&str>;
    /// Returns the changes since the last call, without waiting.
    fn changes(&mut self) -> Result<Change, Fault>;
    /// Shows another part of a display, or the whole display for `None`, from the next call of
    /// [`Self::changes`] on. Returns false if the capture must be reopened for it.
    fn show_part(&mut self, part: Option<Area>) -> bool;
    /// Reads the pixels of a part, in rows without padding. Each pixel is blue, green, red and an
    /// unused byte.
    fn read(&mut self, part: Area) -> Result<&[u8], Fault>;
    /// Returns the pointer, if requested and visible.
    fn pointer(&mut self) -> Result<Option<PlacedPointer>, Fault>;
}

/// A display system. The trait has no default methods, so each backend implements all of them.
pub(in crate::capture) trait ScreenSystem: Send + Sync {
    /// Returns the monitors, the main one first.
    fn screens(&self) -> Result<Vec<ScreenInfo>, Fault>;
    /// Returns the windows that programs show.
    fn windows(&self) -> Result<Vec<WindowInfo>, Fault>;
    /// Starts capturing a monitor (`None` for the main one), or a part of it.
    fn grab_screen(
        &self,
        id: Option<&str>,
        part: Option<Area>,
        attempt: &Attempt<'_>,
    ) -> Result<Box<dyn Grabber>, Fault>;
    /// Starts capturing a window.
    fn grab_window(&self, id: &str, attempt: &Attempt<'_>) -> Result<Box<dyn Grabber>, Fault>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;

    #[test]
    fn unreadable_pixels_have_a_reason_in_each_language() {
        let chinese = |fault: &Fault| Language::Chinese.say_with_cure(&Problem::from(fault));
        assert_eq!(
            chinese(&Fault::Depth(16)),
            "无法采集显示器或窗口（每像素 16 位）。请将 X11 会话的颜色深度设为 24 位。"
        );
        let composite = chinese(&Fault::Format(problem!("display-no-composite")));
        assert!(composite.contains("X 服务器没有 Composite 扩展"), "{composite}");
    }

    #[test]
    fn a_window_is_found_after_its_title_changed() {
        let window = |class: &str, name: &str, number: &str| WindowInfo {
            id: format!("{class}/{name}"),
            name: name.to_owned(),
            class: class.to_owned(),
            number: number.to_owned(),
            size: Size::new(2, 2),
            shown: true,
        };
        let (a, b) = (window("Browser", "News", "0x1"), window("Editor", "a/b.txt", "0x2"));
        let mut c = window("Browser", "Mail", "0x3");
        let position = |id| WindowInfo::position(&[&a, &b, &c], id);
        assert_eq!(position("Editor/a/b.txt"), Some(1));
        assert_eq!(position("Browser/Mail"), Some(2));
        assert_eq!(position("Browser/Weather"), Some(0));
        assert_eq!(position("0x3"), Some(2));
        assert_eq!(position("News"), Some(0));
        assert_eq!((position("Terminal/x"), position("")), (None, None));
        // The captured window stays the same, and another one is captured when it is closed.
        let again = |before| WindowInfo::position_again(&[&a, &b, &c], before, "Browser/Weather");
        assert_eq!(
            (again(Some("0x3")), again(Some("0x4")), again(None)),
            (Some(2), Some(0), Some(0))
        );
        c.shown = false;
        assert_eq!(WindowInfo::position(&[&c], "Browser/x"), Some(0));
    }
}
