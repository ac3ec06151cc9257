//! The devices there are, and the screens and windows. Looking for them can take a while (drivers and
//! displays answer when they like), so threads do it: one for devices, which the first picture waits
//! for, and one for displays, which it does not.

use std::sync::Arc;

use crate::base::Worker;
use crate::base::queue::{self, Full, Receiver};
use crate::capture::{ScreenInfo, WindowInfo};
use crate::studio::snapshot::Device;
use crate::{audio, capture};

#[derive(Debug, Default)]
struct Found {
    cameras: Vec<Device>,
    microphones: Vec<Device>,
    speakers: Vec<Device>,
    applications: Vec<String>,
}

/// Windows that are listed; a desktop that has more has them for somebody else.
const MOST_WINDOWS: usize = 200;

/// What a display shows.
#[derive(Debug, Default)]
struct Shown {
    screens: Arc<[ScreenInfo]>,
    windows: Arc<[WindowInfo]>,
}

/// What was found last, and searches that may be under way.
#[derive(Debug, Default)]
pub(super) struct Devices {
    found: Found,
    search: Option<Receiver<Found>>,
    shown: Shown,
    display: Option<Receiver<Shown>>,
}

impl Devices {
    /// Starts to look, unless that is under way.
    pub(super) fn refresh(&mut self) {
        self.look_at_display();
        if self.search.is_some() {
            return;
        }
        let (answer, search) = queue::bounded("devices", 1, Full::DropOldest);
        let looking = Worker::spawn("devices", move |_| {
            let cameras = capture::cameras();
            let sound = |devices: Vec<audio::DeviceInfo>| {
                let device = |it: audio::DeviceInfo| Device {
                    id: it.id,
                    name: it.name,
                    default: it.default,
                };
                devices.into_iter().map(device).collect()
            };
            let microphones = sound(audio::microphones());
            let speakers = sound(audio::speakers());
            // Where the sound system does not tell applications apart there are none to choose.
            let applications = audio::applications().unwrap_or_default();
            // The studio may have ended meanwhile.
            let _ = answer.send(Found {
                cameras: cameras
                    .into_iter()
                    .map(|camera| Device { id: camera.id, name: camera.name, default: false })
                    .collect(),
                microphones,
                speakers,
                applications: applications.into_iter().map(|it| it.name).collect(),
            });
        });
        match looking {
            Ok(_) => self.search = Some(search),
            Err(error) => tracing::warn!(%error, "looking for devices"),
        }
    }

    fn look_at_display(&mut self) {
        if self.display.is_some() {
            return;
        }
        let (answer, display) = queue::bounded("displays", 1, Full::DropOldest);
        let looking = Worker::spawn("displays", move |_| {
            // Where there is no display there is nothing to choose; a source that is wanted of one says
            // why itself.
            let mut windows = capture::windows().unwrap_or_default();
            windows.truncate(MOST_WINDOWS);
            let screens = capture::screens().unwrap_or_default();
            // The studio may have ended meanwhile.
            let _ = answer.send(Shown { screens: screens.into(), windows: windows.into() });
        });
        match looking {
            Ok(_) => self.display = Some(display),
            Err(error) => tracing::warn!(%error, "looking for screens"),
        }
    }

    /// Whether a search for devices has ended since the last call.
    pub(super) fn poll(&mut self) -> bool {
        match self.display.as_ref().map(Receiver::try_recv) {
            Some(Ok(shown)) => (self.shown, self.display) = (shown, None),
            Some(Err(queue::Empty::Closed)) => self.display = None,
            Some(Err(queue::Empty::Waiting)) | None => {}
        }
        let Some(search) = &self.search else { return false };
        match search.try_recv() {
            Ok(found) => self.found = found,
            Err(queue::Empty::Waiting) => return false,
            // The search failed; what was found before stands.
            Err(queue::Empty::Closed) => {}
        }
        self.search = None;
        true
    }

    pub(super) fn cameras(&self) -> &[Device] {
        &self.found.cameras
    }

    pub(super) fn screens(&self) -> &Arc<[ScreenInfo]> {
        &self.shown.screens
    }

    pub(super) fn windows(&self) -> &Arc<[WindowInfo]> {
        &self.shown.windows
    }

    pub(super) fn speakers(&self) -> &[Device] {
        &self.found.speakers
    }

    pub(super) fn applications(&self) -> &[String] {
        &self.found.applications
    }

    pub(super) fn microphones(&self) -> &[Device] {
        &self.found.microphones
    }
}
