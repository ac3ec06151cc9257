//! The available devices, displays and windows. Listing them can take a while, so it runs on two
//! threads. The first frame waits for the thread that lists devices, but not for the thread that
//! lists displays.

use std::sync::Arc;

use crate::capture::{ScreenInfo, WindowInfo};
use crate::studio::snapshot::Device;
use crate::studio::sources::background_search::{Outcome, Search};
use crate::{audio, capture};

#[derive(Debug, Default)]
struct FoundDevices {
    cameras: Vec<Device>,
    microphones: Vec<Device>,
    speakers: Vec<Device>,
    applications: Vec<String>,
}

/// Maximum number of listed devices of each kind, and of listed applications.
const MAX_DEVICES: usize = 64;
/// Maximum number of listed windows.
const MAX_WINDOWS: usize = 200;

/// The displays, and the windows on them.
#[derive(Debug, Default)]
struct DisplayContent {
    screens: Arc<[ScreenInfo]>,
    windows: Arc<[WindowInfo]>,
}

/// The last results, and running searches.
#[derive(Debug, Default)]
pub struct Devices {
    found: FoundDevices,
    search: Search<FoundDevices>,
    shown: DisplayContent,
    display: Search<DisplayContent>,
}

impl Devices {
    /// Starts a search, unless one is running.
    pub fn refresh(&mut self) {
        self.poll_display();
        if self.search.is_under_way() {
            return;
        }
        self.search.begin("devices", || {
            let cameras = capture::cameras();
            let audio = |devices: Vec<audio::DeviceInfo>| {
                let device = |it: audio::DeviceInfo| Device {
                    id: it.id,
                    name: it.name,
                    default: it.default,
                };
                devices.into_iter().map(device).take(MAX_DEVICES).collect()
            };
            let microphones = audio(audio::microphones());
            let speakers = audio(audio::speakers());
            // If the audio system does not distinguish applications, there are none to choose from.
            let applications = audio::applications().unwrap_or_default();
            FoundDevices {
                cameras: cameras
                    .into_iter()
                    .map(|camera| Device { id: camera.id, name: camera.name, default: false })
                    .take(MAX_DEVICES)
                    .collect(),
                microphones,
                speakers,
                applications: applications
                    .into_iter()
                    .map(|it| it.name)
                    .take(MAX_DEVICES)
                    .collect(),
            }
        });
    }

    fn poll_display(&mut self) {
        if self.display.is_under_way() {
            return;
        }
        self.display.begin("displays", || {
            // Without a display, there is nothing to choose from; a source that needs a display
            // reports the reason itself.
            let mut windows = capture::windows().unwrap_or_default();
            own_last(&mut windows);
            windows.truncate(MAX_WINDOWS);
            let screens = capture::screens().unwrap_or_default();
            DisplayContent { screens: screens.into(), windows: windows.into() }
        });
    }

    /// Returns true if a search for devices has ended since the last call.
    pub fn poll(&mut self) -> bool {
        if let Outcome::Over(Some(shown)) = self.display.poll() {
            self.shown = shown;
        }
        let Outcome::Over(found) = self.search.poll() else { return false };
        // If the search failed, the earlier results are kept.
        self.found = found.unwrap_or_else(|| std::mem::take(&mut self.found));
        true
    }

    pub fn cameras(&self) -> &[Device] {
        &self.found.cameras
    }

    pub fn screens(&self) -> &Arc<[ScreenInfo]> {
        &self.shown.screens
    }

    pub fn windows(&self) -> &Arc<[WindowInfo]> {
        &self.shown.windows
    }

    pub fn speakers(&self) -> &[Device] {
        &self.found.speakers
    }

    pub fn applications(&self) -> &[String] {
        &self.found.applications
    }

    pub fn microphones(&self) -> &[Device] {
        &self.found.microphones
    }
}

/// Moves onair's own windows to the end, because a capture of them shows the program within itself.
fn own_last(windows: &mut [WindowInfo]) {
    windows.sort_by_key(|window| window.class.eq_ignore_ascii_case("onair"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_windows_are_listed_last_and_the_others_keep_their_order() {
        let window = |class: &str, name: &str| WindowInfo {
            id: format!("{class}/{name}"),
            name: name.to_owned(),
            class: class.to_owned(),
            number: "0x1".to_owned(),
            size: crate::media::Size::new(640, 360),
            shown: true,
        };
        let mut windows = [window("onair", "onair"), window("game", "Z"), window("Editor", "A")];
        own_last(&mut windows);
        assert_eq!(windows.map(|it| it.class), ["game", "Editor", "onair"]);
    }
}
