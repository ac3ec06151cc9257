//! Handles the startup before anything is sent: finds devices, loads keys, and reads the files of
//! filters, so that the first frames are complete.

use std::time::Duration;

use crate::audio::AudioChoice;
use crate::capture::{CameraChoice, VideoChoice};
use crate::studio::command::Command;
use crate::studio::engine::Engine;
use crate::studio::notices::message::StudioMessage;
use crate::studio::program::Program;
use crate::studio::scenes::edits::Edit;
use crate::text::problem::problem;

/// The longest time for which the files of filters may delay the first frame.
const FILTER_FILE_TIMEOUT: Duration = Duration::from_secs(3);

impl Engine {
    /// Returns true while devices are searched for, or while keys or files of filters are loaded.
    /// All of this usually takes moments, and has a time limit.
    pub(in crate::studio::engine) fn must_wait(&self) -> bool {
        let state = &self.state;
        let files = || {
            // A running broadcast does not wait.
            let idle = !self.live.is_busy();
            let in_time = self.startup.read_by.is_none_or(|by| self.clock.now() < by);
            idle && in_time && state.program.as_ref().is_some_and(Program::awaits_filters)
        };
        self.startup.is_undecided() || self.secrets.pending || files()
    }

    /// Postpones a command until the startup has nothing left to wait for.
    pub(in crate::studio::engine) fn postpone(&mut self, command: Command) {
        self.startup.read_by.get_or_insert(self.clock.now() + FILTER_FILE_TIMEOUT);
        if !self.startup.postponed.contains(&command) {
            self.startup.postponed.push(command);
        }
    }

    /// Executes postponed commands as soon as possible.
    pub(in crate::studio::engine) fn go_on(&mut self) {
        if self.startup.postponed.is_empty() || self.must_wait() {
            return;
        }
        for command in std::mem::take(&mut self.startup.postponed) {
            self.handle(command);
        }
        self.startup.read_by = None;
    }

    /// Makes the default choices once the devices are known.
    pub(in crate::studio::engine) fn decide(&mut self) {
        let (video, audio) = self.startup.undecided;
        let (cameras, microphones) = (
            !self.machine.devices.cameras().is_empty(),
            !self.machine.devices.microphones().is_empty(),
        );
        if video {
            self.startup.undecided.0 = false;
            self.decide_video(cameras);
        }
        if audio {
            self.startup.undecided.1 = false;
            let test = match self.config.scenes_only {
                true => {
                    self.settings.collection.sources.iter().all(|it| it.choice == VideoChoice::Test)
                }
                false => {
                    self.state.program.as_ref().map(Program::video_choice)
                        == Some(&VideoChoice::Test)
                }
            };
            if microphones {
                self.select_audio(AudioChoice::Mic(None));
            } else {
                let instead = if test { AudioChoice::Tone } else { AudioChoice::Silence };
                self.select_audio(instead);
                self.notices.tell(&StudioMessage::NoMicrophone {}, "");
            }
        }
    }

    /// Returns the initial main video source, apart from the sources of the scenes; `None` means
    /// that the devices decide.
    pub(in crate::studio::engine) fn first_video(&mut self) -> Option<VideoChoice> {
        if !self.wants_main() {
            // If no scene shows the main source, nobody sees it, and no device is opened.
            return Some(VideoChoice::None);
        }
        let kept = self.settings.video.clone();
        if !self.config.scenes_only {
            return kept;
        }
        // A camera is handled later, when its name in the system is known.
        let known = kept.filter(|choice| !matches!(choice, VideoChoice::Camera(_)))?;
        self.adopt_main(known);
        Some(VideoChoice::None)
    }

    /// Chooses the video source if the user chose none: a camera, or the test pattern.
    fn decide_video(&mut self, cameras: bool) {
        let kept = self.settings.video.clone().filter(|_| self.config.scenes_only);
        if kept.is_none() && !cameras {
            self.notices.tell(&StudioMessage::NoCamera {}, "");
        }
        let choice = kept.unwrap_or_else(|| self.usual_video());
        if self.config.scenes_only {
            self.adopt_main(choice);
        } else {
            self.select_video(choice);
        }
    }

    /// Returns the default video source: a camera (in scenes, the first one by its id), or the test
    /// pattern.
    pub(in crate::studio::engine) fn usual_video(&self) -> VideoChoice {
        match self.machine.devices.cameras().first() {
            Some(first) if self.config.scenes_only => {
                VideoChoice::Camera(CameraChoice::of(&first.id))
            }
            Some(_) => VideoChoice::Camera(CameraChoice::default()),
            None => VideoChoice::Test,
        }
    }

    /// Makes the source of `--video`, or of old settings, a source of the scenes.
    fn adopt_main(&mut self, choice: VideoChoice) {
        let none = choice == VideoChoice::None;
        let name = self.source_name(&choice);
        if self.settings.collection.adopt_main(&name, choice) {
            self.settings.video = none.then_some(VideoChoice::None);
            self.revealed_scenes();
            self.changed();
        }
    }

    /// Sets the source that the scenes show by default, or adds it to the current scene.
    pub(in crate::studio::engine) fn select_in_scene(&mut self, choice: VideoChoice) {
        self.startup.undecided.0 = false;
        if self.wants_main() {
            return self.adopt_main(choice);
        }
        let name = self.source_name(&choice);
        let collection = &self.settings.collection;
        let (id, scene) = (collection.usual_source(), collection.current);
        let edit = match collection.source(id) {
            Some(_) => {
                Edit::Several(vec![Edit::SetSource(id, choice), Edit::RenameSource(id, name)])
            }
            None => Edit::AddSource { scene, name, choice },
        };
        self.edit(&edit);
    }

    /// Returns the default name of a source: that of its device or file.
    pub(in crate::studio::engine) fn source_name(&self, choice: &VideoChoice) -> String {
        let language = self.settings.preferences.language.spoken();
        let devices = &self.machine.devices;
        let kind = match choice {
            VideoChoice::Camera(camera) => {
                let mut found = devices.cameras().iter();
                let found = found.find(|it| camera.id.as_deref().is_none_or(|id| it.id == id));
                return found.map_or_else(
                    || language.say(&problem!("source-camera")),
                    |it| it.name.clone(),
                );
            }
            VideoChoice::File(path) | VideoChoice::Image(path) | VideoChoice::Slides(path) => {
                return path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            }
            VideoChoice::Screen(_) => problem!("source-display"),
            VideoChoice::Window(_) => problem!("source-window"),
            VideoChoice::Test => problem!("source-test-pattern"),
            VideoChoice::Color(_) => problem!("source-color"),
            VideoChoice::Stream(_) => problem!("source-stream"),
            VideoChoice::Text(_) | VideoChoice::None => problem!("source-text"),
        };
        language.say(&kind)
    }
}
