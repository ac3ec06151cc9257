//! Lists the displays of the desktop. If the desktop gives each display its own name, that name
//! stays the same while other displays are connected or removed.

use crate::base::sanitize::sanitized;
use crate::media::Size;
use crate::ui::Display;

/// Returns all displays, in the order in which the desktop lists them. The list is empty if the
/// desktop does not report its displays.
pub(super) fn listed(frame: &eframe::Frame) -> Vec<Display> {
    let Some(window) = frame.winit_window() else { return Vec::new() };
    let own = window.current_monitor();
    let mut displays: Vec<Display> = Vec::new();
    for (index, monitor) in window.available_monitors().enumerate() {
        let name = monitor.name().map(|name| sanitized(&name).trim().to_owned());
        let name = name.filter(|name| !name.is_empty()).unwrap_or_default();
        let size = monitor.size();
        displays.push(Display {
            name: told_apart(&displays, name, index),
            size: Size::new(size.width, size.height),
            is_own: own.as_ref() == Some(&monitor),
        });
    }
    displays
}

/// Returns a unique name for a display: a missing or repeated name gets the display's number.
fn told_apart(before: &[Display], name: String, index: usize) -> String {
    let taken = before.iter().any(|display| display.name == name);
    if name.is_empty() || taken { format!("{name} #{}", index + 1).trim().to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_of_one_name_or_none_are_told_apart() {
        let mut displays: Vec<Display> = Vec::new();
        for (index, name) in ["DELL", "", "DELL", "HDMI-1"].into_iter().enumerate() {
            let name = told_apart(&displays, name.to_owned(), index);
            displays.push(Display { name, size: Size::new(1, 1), is_own: false });
        }
        let names: Vec<&str> = displays.iter().map(|display| display.name.as_str()).collect();
        assert_eq!(names, ["DELL", "#2", "DELL #3", "HDMI-1"]);
    }
}
