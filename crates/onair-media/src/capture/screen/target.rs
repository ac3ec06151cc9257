//! The selected display, and the ids of displays and windows: an X11 name, or the keyword for the
//! sharing dialog of a Wayland session.

use crate::capture::screen::area::Area;

/// The id of content from the sharing dialog. Additional content with its own dialog has the id
/// `wayland/NAME`.
pub(in crate::capture) const SHARED_CONTENT_ID: &str = "wayland";

/// Returns the name in `wayland/NAME`, empty for `wayland`, or `None` for other ids.
pub(in crate::capture) fn shared_name(id: &str) -> Option<&str> {
    let rest = id.strip_prefix(SHARED_CONTENT_ID)?;
    if rest.is_empty() {
        Some(rest)
    } else {
        rest.strip_prefix('/').filter(|name| !name.is_empty())
    }
}

/// Returns true in a Wayland session, whose displays X11 does not show.
pub(in crate::capture) fn is_wayland() -> bool {
    std::env::var_os("WAYLAND_DISPLAY").is_some_and(|value| !value.is_empty())
        || std::env::var_os("XDG_SESSION_TYPE").is_some_and(|kind| kind == "wayland")
}

/// A monitor, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct DisplayTarget {
    /// An id from `onair devices`, `wayland` (or `wayland/NAME`) for the sharing dialog, or `x11`
    /// for the main display of X11. With `None`, the session decides.
    pub id: Option<String>,
    /// A part relative to the monitor's corner; `None` for the whole monitor.
    pub part: Option<Area>,
}

/// Formats as `ID`, `ID@WIDTHxHEIGHT+X+Y` or `@WIDTHxHEIGHT+X+Y`.
impl std::fmt::Display for DisplayTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id.as_deref().unwrap_or_default())?;
        self.part.map_or(Ok(()), |part| write!(f, "@{part}"))
    }
}

impl std::str::FromStr for DisplayTarget {
    type Err = crate::text::Problem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (id, part) = match text.rsplit_once('@') {
            Some((id, part)) => (id, Some(part.parse()?)),
            None => (text, None),
        };
        let id = Some(id.to_owned()).filter(|id| !id.is_empty());
        Ok(Self { id, part })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_read_back_as_written() {
        for text in [
            "",
            "wayland/left",
            "wayland@64x32+0+2",
            "HDMI-1",
            "DP-2@640x480+0+10",
            "@640x480+0+10",
        ] {
            assert_eq!(text.parse::<DisplayTarget>().unwrap().to_string(), text);
        }
        assert!("HDMI-1@big".parse::<DisplayTarget>().is_err());
    }

    #[test]
    fn requests_to_the_desktop_are_distinguished_from_names() {
        assert_eq!(shared_name("wayland"), Some(""));
        assert_eq!(shared_name("wayland/left"), Some("left"));
        for other in ["", "HDMI-1", "waylandia", "wayland/", "x11", "Wayland"] {
            assert_eq!(shared_name(other), None, "{other}");
        }
    }
}
