//! The devices there are. Looking for them can take a while (drivers answer when they like), so a
//! thread does it.

use crate::base::Worker;
use crate::base::queue::{self, Full, Receiver};
use crate::studio::snapshot::Device;
use crate::{audio, capture};

#[derive(Debug, Default)]
struct Found {
    cameras: Vec<Device>,
    microphones: Vec<Device>,
    speakers: Vec<Device>,
    applications: Vec<String>,
}

/// What was found last, and a search that may be under way.
#[derive(Debug, Default)]
pub(super) struct Devices {
    found: Found,
    search: Option<Receiver<Found>>,
}

impl Devices {
    /// Starts to look, unless that is under way.
    pub(super) fn refresh(&mut self) {
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

    /// Whether a search has ended since the last call.
    pub(super) fn poll(&mut self) -> bool {
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
