//! Lists the displays of the desktop, and chooses the scale for the display of the window. If the
//! desktop gives each display its own name, that name stays the same while other displays are
//! connected or removed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use eframe::egui::{self, ViewportCommand};

use crate::base::sanitize::sanitized;
use crate::media::Size;
use crate::studio::{Command, Preferences};
use crate::ui::style::scale;
use crate::ui::style::theme::size;
use crate::ui::{Display, Screen};

/// Interval at which the displays are listed, so that a removed display is detected in time.
const DISPLAY_POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The displays of the desktop.
#[derive(Default)]
pub(super) struct Displays {
    /// The time at which the displays are listed next.
    at: Option<Instant>,
    /// True on a Wayland desktop.
    is_wayland: bool,
    /// The names that winit lists twice.
    doubled: BTreeSet<String>,
}

impl Displays {
    pub(super) fn new(context: &eframe::CreationContext<'_>) -> Self {
        Self { is_wayland: is_wayland(context), ..Self::default() }
    }

    /// Updates the list of displays that projectors can fill, and at first chooses the scale.
    /// Returns the commands about projectors whose displays were connected or disconnected.
    pub(super) fn follow(
        &mut self,
        ctx: &egui::Context,
        frame: &eframe::Frame,
        screen: &mut Screen,
    ) -> Vec<Command> {
        let now = Instant::now();
        match self.at {
            Some(at) if now < at => return Vec::new(),
            Some(_) => {}
            None => fit(ctx, frame, screen),
        }
        self.at = Some(now + DISPLAY_POLL_INTERVAL);
        screen.set_displays(ctx, self.listed(frame))
    }

    /// Returns all displays, in the order in which the desktop lists them. The list is empty if the
    /// desktop does not report its displays.
    fn listed(&mut self, frame: &eframe::Frame) -> Vec<Display> {
        let Some(window) = frame.winit_window() else { return Vec::new() };
        let own = window.current_monitor();
        let mut monitors: Vec<_> = window.available_monitors().collect();
        if self.is_wayland {
            let names: Vec<String> =
                monitors.iter().map(|it| it.name().unwrap_or_default()).collect();
            let mut connected = connected(&names, &mut self.doubled).into_iter();
            monitors.retain(|_| connected.next().unwrap_or_default());
        }
        let mut displays: Vec<Display> = Vec::new();
        for (index, monitor) in monitors.into_iter().enumerate() {
            let name = monitor.name().map(|name| sanitized(&name).trim().to_owned());
            let name = name.filter(|name| !name.is_empty()).unwrap_or_default();
            let size = monitor.size();
            displays.push(Display {
                name: unique_name(&displays, name, index),
                size: Size::new(size.width, size.height),
                is_own: own.as_ref() == Some(&monitor),
            });
        }
        displays
    }
}

pub(super) fn is_wayland(context: &eframe::CreationContext<'_>) -> bool {
    use raw_window_handle::{HasDisplayHandle as _, RawDisplayHandle};
    let handle = context.display_handle().map(|handle| handle.as_raw());
    matches!(handle, Ok(RawDisplayHandle::Wayland(_)))
}

/// Chooses the interface scale for the display on which the window opens. The first frame is drawn
/// again at this scale before anybody sees it. A window that moves to another display keeps its
/// scale, because its content may not fit there otherwise.
fn fit(ctx: &egui::Context, frame: &eframe::Frame, screen: &mut Screen) {
    let Some(window) = frame.winit_window() else { return };
    let own = window.current_monitor();
    // While the desktop does not report which display this is, the scale suits the smallest one.
    let monitors = own.map_or_else(|| window.available_monitors().collect(), |own| vec![own]);
    let scales = monitors.iter().map(|monitor| {
        let size = monitor.size();
        scale::of_display(Size::new(size.width, size.height), monitor.scale_factor())
    });
    let Some(scale) = scales.min() else { return };
    if screen.set_display_scale(ctx, scale) {
        tracing::info!(scale, "interface scale of the display");
        ctx.request_discard("the interface scale of the display");
        let Preferences { size, maximized, .. } = screen.preferences();
        let size = size.map_or(size::INITIAL_WINDOW, |size| size.map(f32::from));
        if !maximized {
            ctx.send_viewport_cmd(ViewportCommand::InnerSize(size.into()));
        }
    }
}

/// Returns which entries of winit's list of monitors on Wayland are connected outputs, so that each
/// connected output counts once. winit lists an output that exists when the window opens twice, and
/// removes only one of the two entries when the output is disconnected. The last entry with a name
/// is therefore the valid one. The order is that of the list from which egui takes the display of a
/// new window. `doubled` collects the names of the outputs that winit lists twice.
fn connected(names: &[String], doubled: &mut BTreeSet<String>) -> Vec<bool> {
    let count = |name: &String| names.iter().filter(|it| *it == name).count();
    doubled.extend(names.iter().filter(|name| count(name) > 1).cloned());
    let is_last = |index: usize, name: &String| !names.iter().skip(index + 1).any(|it| it == name);
    let is_connected = |name: &String| count(name) > usize::from(doubled.contains(name));
    let each = names.iter().enumerate();
    each.map(|(index, name)| is_last(index, name) && is_connected(name)).collect()
}

/// Returns a unique name for a display: a missing or repeated name gets the display's number.
fn unique_name(before: &[Display], name: String, index: usize) -> String {
    let taken = before.iter().any(|display| display.name == name);
    if name.is_empty() || taken { format!("{name} #{}", index + 1).trim().to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_of_wayland_count_once_and_only_while_they_are_connected() {
        let mut doubled = BTreeSet::new();
        let mut of = |names: &str| {
            let names: Vec<String> = names.split(' ').map(str::to_owned).collect();
            let connected = connected(&names, &mut doubled);
            let shown = names.iter().zip(connected).filter(|(_, connected)| *connected);
            shown.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("A B A B"), "A B");
        assert_eq!(of("A A B"), "A", "unplugged");
        assert_eq!(of("A A B B"), "A B", "plugged in again");
        assert_eq!(of("A A B"), "A");
        // An output that was connected later is listed once.
        assert_eq!(of("A A B C"), "A C");
        assert_eq!(of("A A B"), "A");
        // The first output is disconnected and connected again, so it is the last one now.
        assert_eq!(of("B A B"), "B");
        assert_eq!(of("B A B A"), "B A");
    }

    #[test]
    fn displays_with_the_same_name_or_none_are_distinguished() {
        let mut displays: Vec<Display> = Vec::new();
        for (index, name) in ["DELL", "", "DELL", "HDMI-1"].into_iter().enumerate() {
            let name = unique_name(&displays, name.to_owned(), index);
            displays.push(Display { name, size: Size::new(1, 1), is_own: false });
        }
        let names: Vec<&str> = displays.iter().map(|display| display.name.as_str()).collect();
        assert_eq!(names, ["DELL", "#2", "DELL #3", "HDMI-1"]);
    }
}
