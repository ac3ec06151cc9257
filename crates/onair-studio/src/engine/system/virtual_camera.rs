//! The virtual camera: whether it is on, its format, and its notice.

use crate::capture::{VirtualCamera, VirtualCameraFormat, VirtualCameraState};
use crate::studio::engine::Engine;
use crate::studio::notices::message::StudioMessage;
use crate::studio::settings::{VirtualCameraChoices, VirtualCameraSource};
use crate::studio::snapshot::VirtualCameraView;

impl Engine {
    pub fn virtual_camera_view(&self) -> VirtualCameraView {
        let camera = self.state.virtual_camera.as_ref();
        VirtualCameraView {
            choices: self.settings.virtual_camera,
            state: camera.map(VirtualCamera::state).unwrap_or_default(),
        }
    }

    pub fn switch_virtual_camera(&mut self, on: bool) {
        if on == self.state.virtual_camera.is_some() {
            return;
        }
        self.state.virtual_camera = None;
        self.notices.take_back("virtual-camera-failed");
        if on {
            self.start_virtual_camera();
        }
        self.tell_unseen();
    }

    fn start_virtual_camera(&mut self) {
        let format = self.virtual_camera_format();
        let (program, preview) = (self.program_frames.clone(), self.preview_frames.clone());
        match VirtualCamera::start(program, preview, format, self.clock) {
            Ok(camera) => self.state.virtual_camera = Some(camera),
            Err(error) => {
                let reason = error.to_string().into();
                self.notices.raise(&StudioMessage::VirtualCameraFailed { reason }, "");
            }
        }
    }

    fn virtual_camera_format(&self) -> VirtualCameraFormat {
        let (choices, quality) = (self.settings.virtual_camera, &self.state.quality);
        VirtualCameraFormat {
            size: choices.size.filter(|it| it.is_valid()).unwrap_or(quality.size),
            rate: quality.frame_rate,
            mirrored: choices.mirrored,
        }
    }

    pub fn set_virtual_camera(&mut self, choices: VirtualCameraChoices) {
        if choices != self.settings.virtual_camera {
            self.settings.virtual_camera = choices;
            self.changed();
        }
    }

    /// Follows the program's format and the choices, and reports a failure.
    pub fn poll_virtual_camera(&mut self) {
        let Some(camera) = &self.state.virtual_camera else { return };
        if camera.format() != self.virtual_camera_format() {
            self.state.virtual_camera = None;
            return self.start_virtual_camera();
        }
        // Without studio mode, there is no preview.
        let is_preview = self.settings.virtual_camera.source == VirtualCameraSource::Preview;
        camera.show_preview(is_preview && self.state.stage.preview_scene.is_some());
        let key = "virtual-camera-failed";
        let is_reported = self.notices.active.notices().iter().any(|it| it.key() == key);
        match camera.state() {
            VirtualCameraState::Failed(reason) if !is_reported => {
                self.notices.raise(&StudioMessage::VirtualCameraFailed { reason }, "");
            }
            VirtualCameraState::Waiting | VirtualCameraState::Used if is_reported => {
                self.notices.take_back(key);
            }
            _ => {}
        }
    }
}
