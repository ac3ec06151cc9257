//! The window in front, for rules. X11 and Windows tell it to every program. Wayland tells it to none.

use crate::base::partial_debug;
use crate::capture::screen::backend::FrontConnection;
use crate::capture::screen::display::WindowInfo;
use crate::capture::screen::target::is_wayland;
use crate::text::Problem;
use crate::text::problem::problem;

/// Returns the reason why this session does not tell which window is in front, as far as it is known
/// without a connection.
pub fn refusal() -> Option<Problem> {
    if cfg!(windows) {
        return None;
    }
    if is_wayland() {
        return Some(problem!("front-window-wayland"));
    }
    let has_display = std::env::var_os("DISPLAY").is_some_and(|value| !value.is_empty());
    (!has_display).then(|| problem!("display-none"))
}

/// Tells which window is in front.
pub struct FrontWindow(FrontConnection);

partial_debug! {
    FrontWindow {}
}

impl FrontWindow {
    /// Connects to the display.
    ///
    /// # Errors
    /// Fails with the reason.
    pub fn connect() -> Result<Self, Problem> {
        if let Some(why) = refusal() {
            return Err(why);
        }
        FrontConnection::connect().map(Self).map_err(|fault| Problem::from(&fault))
    }

    /// Returns the window in front, or `None` if there is none.
    ///
    /// # Errors
    /// Fails if the display does not answer. Another connection may then succeed.
    pub fn window(&self) -> Result<Option<WindowInfo>, Problem> {
        self.0.window().map_err(|fault| Problem::from(&fault))
    }
}
