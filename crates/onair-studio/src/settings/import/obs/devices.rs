//! Resolves the devices of an imported collection. OBS names a camera by its device file and an
//! audio device by the server's name. If such a device exists on this computer, its source keeps it;
//! otherwise, the source uses the default device, and the import reports that.

use std::path::Path;

use crate::audio::AudioChoice;
use crate::capture::{CameraChoice, VideoChoice};
use crate::studio::settings::import::Import;
use crate::text::problem::problem;

/// The beginning of the id of an audio device that was not looked up yet.
pub const UNRESOLVED: &str = "obs:";

/// Finds the devices of this computer.
pub struct KnownDevices<'a> {
    /// Returns the id of the camera at a device file.
    pub camera: &'a dyn Fn(&Path) -> Option<String>,
    /// Returns the id of the microphone with this name.
    pub microphone: &'a dyn Fn(&str) -> Option<String>,
    /// Returns the id of the speaker with this name.
    pub speaker: &'a dyn Fn(&str) -> Option<String>,
}

impl std::fmt::Debug for KnownDevices<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KnownDevices").finish_non_exhaustive()
    }
}

impl Import {
    /// Looks up the devices.
    pub fn settle_devices(&mut self, known: &KnownDevices<'_>) {
        for source in &mut self.collection.sources {
            let VideoChoice::Camera(camera) = &mut source.choice else { continue };
            let Some(id) = camera.id.as_deref().filter(|id| id.starts_with("/dev/")) else {
                continue;
            };
            match (known.camera)(Path::new(id)) {
                Some(id) => camera.id = Some(id),
                None => {
                    *camera = CameraChoice::default();
                    let what = problem!("import-first-camera");
                    let name = &source.name;
                    self.left_out.push(problem!("import-of-source", name = name, what = what));
                }
            }
        }
        for strip in &mut self.strips {
            let (id, find) = match &mut strip.choice {
                AudioChoice::Mic(Some(id)) => (id, known.microphone),
                AudioChoice::System(Some(id)) => (id, known.speaker),
                _ => continue,
            };
            let Some(name) = id.strip_prefix(UNRESOLVED) else { continue };
            if let Some(found) = find(name) {
                *id = found;
                continue;
            }
            strip.choice = match &strip.choice {
                AudioChoice::Mic(_) => AudioChoice::Mic(None),
                _ => AudioChoice::System(None),
            };
            let name = &strip.name;
            self.left_out.push(problem!("import-default-device", name = name));
        }
        self.left_out.sort_by_cached_key(ToString::to_string);
    }
}
