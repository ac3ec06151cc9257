//! What must be known before anything goes out: which devices there are, keys that are kept elsewhere,
//! and files that filters work with, so that the first pictures are as all the others.

use std::time::Duration;

use crate::audio::AudioChoice;
use crate::capture::{CameraChoice, VideoChoice};
use crate::studio::command::Command;
use crate::studio::engine::Engine;
use crate::studio::notices::message::StudioMessage;
use crate::studio::program::Program;

/// How long files that filters work with may keep the first picture waiting.
const READ_WITHIN: Duration = Duration::from_secs(3);

impl Engine {
    /// Devices are being looked for, or keys and files of filters fetched: they answer within moments.
    pub(in crate::studio::engine) fn must_wait(&self) -> bool {
        let state = &self.state;
        let files = || {
            // What goes out already does not wait.
            let idle = !self.live.is_busy();
            let in_time = self.startup.read_by.is_none_or(|by| self.clock.now() < by);
            idle && in_time && state.program.as_ref().is_some_and(Program::awaits_filters)
        };
        self.startup.is_undecided() || self.secrets.pending || files()
    }

    /// Does this once it need not wait any more.
    pub(in crate::studio::engine) fn postpone(&mut self, command: Command) {
        self.startup.read_by.get_or_insert(self.clock.now() + READ_WITHIN);
        if !self.startup.postponed.contains(&command) {
            self.startup.postponed.push(command);
        }
    }

    /// What had to wait is done as soon as it may be.
    pub(in crate::studio::engine) fn go_on(&mut self) {
        if self.startup.postponed.is_empty() || self.must_wait() {
            return;
        }
        for command in std::mem::take(&mut self.startup.postponed) {
            self.handle(command);
        }
        self.startup.read_by = None;
    }

    /// Devices were looked for: decide what was left to us.
    pub(in crate::studio::engine) fn decide(&mut self) {
        let (video, audio) = self.startup.undecided;
        let (cameras, microphones) = (
            !self.machine.devices.cameras().is_empty(),
            !self.machine.devices.microphones().is_empty(),
        );
        if video {
            self.startup.undecided.0 = false;
            if cameras {
                self.select_video(VideoChoice::Camera(CameraChoice::default()));
            } else {
                self.select_video(VideoChoice::Test);
                self.notices.tell(&StudioMessage::NoCamera {}, "");
            }
        }
        if audio {
            self.startup.undecided.1 = false;
            let test =
                self.state.program.as_ref().map(Program::video_choice) == Some(&VideoChoice::Test);
            if microphones {
                self.select_audio(AudioChoice::Mic(None));
            } else {
                let instead = if test { AudioChoice::Tone } else { AudioChoice::Silence };
                self.select_audio(instead);
                self.notices.tell(&StudioMessage::NoMicrophone {}, "");
            }
        }
    }
}
