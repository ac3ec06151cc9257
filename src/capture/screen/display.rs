//! What the rest of the room asks of a display: its screens, its windows, and their pixels. Two real
//! backends (X11, the desktop's portal), one fake in the tests of [`screen`](crate::capture::screen).

use std::sync::Arc;

use crate::base::Stop;
use crate::capture::screen::area::Area;
use crate::capture::screen::permission::Permissions;
use crate::media::{FrameRate, Size};

/// Why a screen or window cannot be had, with what the machine said.
#[cfg_attr(not(feature = "wayland"), allow(dead_code, reason = "only a portal uses all of it"))]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::capture) enum Fault {
    /// Nothing tells where the display is.
    #[error(
        "there is no display: start onair in a desktop session, or set DISPLAY to the X11 display \
         that is to be shown"
    )]
    NoDisplay,
    /// The session does not show its screens to X11, and this build cannot ask the desktop.
    #[cfg_attr(feature = "wayland", allow(dead_code, reason = "said by builds without it"))]
    #[error(
        "This is a Wayland session, whose screens need an onair that was built with the feature \
         'wayland'; this one was not. With it the desktop is asked what to share; without it log in to \
         an X11 (Xorg) session. Programs that run under XWayland can be shown as windows"
    )]
    Lacking,
    /// What was chosen is a screen of XWayland, which has no frame of its own.
    #[error(
        "This display is XWayland, which does not see the screens of its Wayland session: choose \
         screen:wayland"
    )]
    XWayland,
    /// Nobody can be asked to share a screen. Nothing was asked.
    #[error(
        "the desktop offers no screen sharing ({0}): it needs xdg-desktop-portal with the part that \
         belongs to this desktop (xdg-desktop-portal-gnome, -kde, -wlr…), and PipeWire"
    )]
    NoPortal(String),
    /// The frames cannot be carried. Nothing was asked.
    #[error(
        "PipeWire, which carries the pictures of a Wayland session, does not answer ({0}): it has to \
         run, with its session manager (wireplumber)"
    )]
    NoPipeWire(String),
    /// The desktop has no dialog for this.
    #[error("This desktop shares whole screens only, no single windows: choose screen:wayland")]
    NoWindows,
    /// The person said no, or closed the dialog.
    #[error("it was refused in the desktop's dialog")]
    Denied,
    /// It was shared, and is not any more.
    #[error("the desktop does not share it any more ({0})")]
    Ended(String),
    /// What was asked for was given, and cannot be shown.
    #[error("what the desktop shares cannot be shown ({0})")]
    Unusable(String),
    /// The display cannot be reached, or went away.
    #[error("the display does not answer ({0})")]
    Display(String),
    /// There is no such screen or window (any more).
    #[error("it is not there ({0})")]
    Absent(String),
    /// The window of this name is minimised.
    #[error("the window {0} is minimised")]
    Hidden(String),
    /// Its pixels cannot be read.
    #[error("it has a format that cannot be read ({0})")]
    Format(String),
    /// Anything else.
    #[error("the display refused ({0})")]
    Other(String),
}

/// When something that failed is tried again.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) enum RetryRequest {
    /// All the time: trying costs nothing and is not seen.
    Soon,
    /// At growing intervals: others are woken by it.
    Later,
    /// When a person wants it: trying shows a dialog.
    WhenAsked,
}

impl Fault {
    pub(in crate::capture) fn again(&self) -> RetryRequest {
        match self {
            Self::NoDisplay
            | Self::XWayland
            | Self::Display(_)
            | Self::Absent(_)
            | Self::Hidden(_)
            | Self::Format(_)
            | Self::Other(_) => RetryRequest::Soon,
            Self::Lacking | Self::NoPortal(_) | Self::NoPipeWire(_) | Self::NoWindows => {
                RetryRequest::Later
            }
            Self::Denied | Self::Ended(_) | Self::Unusable(_) => RetryRequest::WhenAsked,
        }
    }
}

/// A monitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScreenInfo {
    /// Its connector's name, which stays; `all` for all of them together.
    pub id: String,
    /// For people.
    pub name: String,
    /// Where it is on the desktop.
    pub area: Area,
    /// The main one.
    pub primary: bool,
}

/// What the desktop's own dialog gives, where it is asked for screens (a session of Wayland).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// Whole screens: `screen:wayland`.
    pub screens: bool,
    /// Single windows: `window:wayland`.
    pub windows: bool,
    /// What was allowed once can be had again without a question.
    pub remembers: bool,
}

/// A window of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowInfo {
    /// `PROGRAM/TITLE`: the same after a restart of either program.
    pub id: String,
    /// Its title.
    pub name: String,
    /// What its program calls its kind.
    pub class: String,
    /// The display's number for it, `0x…`, while it is open.
    pub number: String,
    /// Without its frame.
    pub size: Size,
    /// Not minimised.
    pub shown: bool,
}

impl WindowInfo {
    /// The window that is meant: by number; by program and title; or, where the title has changed,
    /// the first that is shown of the program.
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

/// What happened to what is being taken.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::capture) struct Change {
    /// The part whose pixels are new, counted from the frame's corner.
    pub(in crate::capture) dirty: Option<Area>,
    /// It has another size or place: it has to be opened again.
    pub(in crate::capture) reshaped: bool,
    /// It has another size, and has followed: what was read before is void.
    pub(in crate::capture) resized: bool,
}

/// What a display is told when something is to be opened.
#[cfg_attr(not(feature = "wayland"), allow(dead_code, reason = "only a portal uses all of it"))]
pub(in crate::capture) struct Attempt<'a> {
    /// The pointer is to be seen.
    pub(in crate::capture) pointer: bool,
    /// More frames a second are of no use.
    pub(in crate::capture) rate: FrameRate,
    /// Set when nobody wants it any more; whoever waits for a person looks at it.
    pub(in crate::capture) stop: &'a Stop,
    /// What the desktop has allowed.
    pub(in crate::capture) permissions: &'a Permissions,
    /// Called now and then while a person is asked.
    pub(in crate::capture) asking: &'a dyn Fn(),
}

/// The pointer's image.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::capture) struct Pointer {
    pub(in crate::capture) width: u32,
    pub(in crate::capture) height: u32,
    /// The pixel that points.
    pub(in crate::capture) hot: (u32, u32),
    /// Rows of alpha, red, green and blue, from the highest byte; multiplied by alpha.
    pub(in crate::capture) pixels: Vec<u32>,
}

/// The pointer and where its upper left corner is, counted from the frame's; perhaps outside.
#[derive(Clone, Debug)]
pub(in crate::capture) struct Placed {
    pub(in crate::capture) x: i64,
    pub(in crate::capture) y: i64,
    pub(in crate::capture) image: Arc<Pointer>,
}

impl PartialEq for Placed {
    fn eq(&self, other: &Self) -> bool {
        (self.x, self.y) == (other.x, other.y) && Arc::ptr_eq(&self.image, &other.image)
    }
}

/// An open screen or window. Lives on one thread; any call may wait for the display.
pub(in crate::capture) trait Grabber {
    /// Even sides.
    fn size(&self) -> Size;
    fn name(&self) -> &str;
    fn id(&self) -> &str;
    /// What happened since the last call; does not wait.
    fn changes(&mut self) -> Result<Change, Fault>;
    /// The pixels of a part: rows without padding, each of blue, green, red and a byte of nothing.
    fn read(&mut self, part: Area) -> Result<&[u8], Fault>;
    /// The pointer, if it is to be shown and is there.
    fn pointer(&mut self) -> Result<Option<Placed>, Fault>;
}

/// A display. No default methods: each backend answers every question.
pub(in crate::capture) trait ScreenSystem: Send + Sync {
    /// The monitors there are, the main one first.
    fn screens(&self) -> Result<Vec<ScreenInfo>, Fault>;
    /// The windows that programs show.
    fn windows(&self) -> Result<Vec<WindowInfo>, Fault>;
    /// Begins to take a monitor (`None`: the main one), or a part of it.
    fn grab_screen(
        &self,
        id: Option<&str>,
        part: Option<Area>,
        attempt: &Attempt<'_>,
    ) -> Result<Box<dyn Grabber>, Fault>;
    /// Begins to take a window.
    fn grab_window(&self, id: &str, attempt: &Attempt<'_>) -> Result<Box<dyn Grabber>, Fault>;
}

#[cfg(test)]
mod tests {
    use super::*;

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
        c.shown = false;
        assert_eq!(WindowInfo::position(&[&c], "Browser/x"), Some(0));
    }
}
