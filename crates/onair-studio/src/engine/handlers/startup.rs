//! Handles the startup before anything is sent: finds devices, loads keys, and reads the files of
//! filters, so that the first frames are complete.

use std::time::Duration;

use crate::audio::AudioChoice;
use crate::capture::{CameraChoice, VideoChoice};
use crate::studio::command::Command;
use crate::studio::engine::Engine;
use crate::studio::event::Event;
use crate::studio::notices::message::StudioMessage;
use crate::studio::program::Program;
use crate::studio::scenes::Collection;
use crate::studio::scenes::edits::Edit;
use crate::text::problem::problem;

/// The longest time for which the files of filters may delay the first frame.
const FILTER_FILE_TIMEOUT: Duration = Duration::from_secs(3);

impl Engine {
    /// Returns true while devices are searched for, or while keys or files of filters are loaded.
    /// All of this usually takes moments, and has a time limit.
    pub fn must_wait(&self) -> bool {
        let state = &self.state;
        let files = || {
            // A running broadcast does not wait.
            let idle = !self.live.is_busy();
            let in_time = self.startup.read_by.is_none_or(|by| self.clock.now() < by);
            let filters = || state.program.as_ref().is_some_and(Program::awaits_filters);
            idle && in_time && (filters() || self.awaits_recorded_sources())
        };
        self.startup.is_undecided() || self.secrets.pending || files()
    }

    /// Postpones a command until the startup has nothing left to wait for, and until a broadcast
    /// that is ending has ended.
    pub fn postpone(&mut self, command: Command) {
        self.startup.read_by.get_or_insert(self.clock.now() + FILTER_FILE_TIMEOUT);
        if !self.startup.postponed.contains(&command) {
            self.startup.postponed.push(command);
        }
    }

    /// Executes postponed commands as soon as possible.
    pub fn go_on(&mut self) {
        if self.startup.postponed.is_empty() || self.must_wait() || self.live.stopping {
            return;
        }
        for command in std::mem::take(&mut self.startup.postponed) {
            self.handle(command);
        }
        self.note_on_air();
        // A recording is postponed again if going live has failed and its encoders are ending.
        if self.startup.postponed.is_empty() {
            self.startup.read_by = None;
        }
    }

    /// Drops the postponed commands that this command stops: a broadcast and a recording are stopped
    /// separately. Returns true if that is all, because what the command stops has not begun.
    pub fn cancels_postponed(&mut self, command: &Command) -> bool {
        let waiting = self.startup.postponed.len();
        if waiting == 0 {
            return false;
        }
        let is_busy = self.live.is_busy();
        let stops_recording = *command == Command::StopRecording;
        let stays = |it: &Command| matches!(it, Command::StartRecording(_)) != stops_recording;
        self.startup.postponed.retain(stays);
        if self.startup.postponed.is_empty() {
            self.startup.read_by = None;
            if !is_busy && !self.live.stopping {
                self.notices.send_event(Event::Stopped);
            }
        }
        // Without a broadcast, there is nothing more to stop.
        let only_records = !stops_recording && !self.live.is_publishing();
        !is_busy || only_records && self.startup.postponed.len() < waiting
    }

    /// Makes the default choices once the devices are known.
    pub fn decide(&mut self) {
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
            if microphones {
                self.select_audio(AudioChoice::Mic(None));
            } else {
                // The choice is not saved, because a later start may find a microphone.
                let (choice, instead) = match self.shows_test_pattern() {
                    true => (AudioChoice::Tone, "tone"),
                    false => (AudioChoice::Silence, "silence"),
                };
                self.select_audio(choice);
                let instead = instead.to_owned();
                self.notices.raise(&StudioMessage::NoMicrophone { instead }, "");
            }
        }
    }

    /// Returns true if the program shows the test pattern, to which the test tone belongs. Other
    /// sources beside it make no difference, so that each start chooses the same audio.
    fn shows_test_pattern(&self) -> bool {
        if !self.config.scenes_only {
            let program = self.state.program.as_ref();
            return program.map(Program::video_choice) == Some(&VideoChoice::Test);
        }
        let collection = &self.settings.collection;
        let plan = collection.program_plan(collection.current);
        let mut shown = plan.sources().filter_map(|id| collection.source(id));
        shown.any(|source| source.choice == VideoChoice::Test)
    }

    /// Returns the initial main video source, apart from the sources of the scenes; `None` means
    /// that the devices decide.
    pub fn first_video(&mut self) -> Option<VideoChoice> {
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
            self.notices.raise(&StudioMessage::NoCamera {}, "");
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
    pub fn usual_video(&self) -> VideoChoice {
        match self.machine.devices.cameras().first() {
            Some(first) if self.config.scenes_only => {
                VideoChoice::Camera(CameraChoice::of(&first.id))
            }
            Some(_) => VideoChoice::Camera(CameraChoice::default()),
            None => VideoChoice::Test,
        }
    }

    /// Returns true if the scenes contain only the source that the first start chose. In studio
    /// mode, this is false: an import must not replace what the program shows.
    pub fn has_first_scenes(&self) -> bool {
        // The first start may have found no camera.
        [self.usual_video(), VideoChoice::Test].into_iter().any(|choice| {
            let mut first = Collection::default();
            first.adopt_main(&self.source_name(&choice), choice);
            self.settings.collection == first
        })
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
    pub fn select_in_scene(&mut self, choice: VideoChoice) {
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
        self.edit_program(&edit);
    }

    /// Returns the default name of a source: that of its device or file.
    pub fn source_name(&self, choice: &VideoChoice) -> String {
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
            VideoChoice::Guest(_) => problem!("source-guest"),
            VideoChoice::Browser(_) => problem!("source-browser"),
            VideoChoice::Text(_) | VideoChoice::None => problem!("source-text"),
        };
        language.say(&kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Clock, Latest};
    use crate::media::Size;
    use crate::studio::engine::config::Config;
    use crate::studio::engine::handle::assemble;
    use crate::studio::engine::handlers::live::tests::{at_rest, end, on_air};
    use crate::studio::live::on_air::OnAir;
    use crate::studio::settings::Settings;
    use crate::studio::snapshot::AudioSource;
    use crate::studio::sources::open::SourceOpener;
    use crate::studio::targets::quality::Quality;

    /// Starts the window's studio on a computer without devices. Returns the settings after the
    /// start, and the audio source. The notice about the microphone names this audio source.
    fn start(settings: &Settings) -> (Settings, AudioSource) {
        let config = Config {
            keyring: false,
            scenes_only: true,
            ..Config::new(Clock::start(), settings.clone())
        };
        let (mut engine, _ends) = assemble(config).unwrap();
        let quality = Quality { size: Size::new(320, 180), ..Quality::default() };
        let media = SourceOpener::opened_by(crate::capture::open_by);
        let program = Program::start(engine.clock, &quality, Latest::default(), media).unwrap();
        engine.state.program = Some(program);
        let (video, audio) = (engine.first_video(), engine.settings.audio.clone());
        engine.startup.undecided = (video.is_none(), audio.is_none());
        if let Some(audio) = audio {
            engine.select_audio(audio);
        }
        engine.decide();
        let snapshot = engine.snapshot(false);
        let audio = snapshot.audio.unwrap();
        let notice = snapshot.notices.iter().find(|notice| notice.key() == "no-microphone");
        let says_tone = notice.map(|notice| notice.summary().contains("the test tone instead"));
        let expected = (!audio.chosen).then_some(audio.choice == AudioChoice::Tone);
        assert_eq!(says_tone, expected);
        drop(engine.state.program.take().map(Program::end));
        (engine.settings.clone(), audio)
    }

    #[test]
    fn each_start_without_a_microphone_chooses_the_same_audio() {
        let (mut settings, audio) = start(&Settings::default());
        assert_eq!((audio.choice, audio.chosen), (AudioChoice::Tone, false));
        assert_eq!(settings.audio, None, "a later start may find a microphone");
        let scene = settings.collection.current;
        let logo = || VideoChoice::Image("logo.png".into());
        let add = Edit::AddSource { scene, name: "Logo".into(), choice: logo() };
        assert!(settings.collection.apply(&add));
        let (mut settings, audio) = start(&settings);
        assert_eq!((audio.choice, audio.chosen), (AudioChoice::Tone, false));
        // Without the test pattern there is no tone, and onair chooses silence, not the user.
        let mut sources = settings.collection.sources.iter();
        let pattern = sources.find(|it| it.choice == VideoChoice::Test).unwrap().id;
        assert!(settings.collection.apply(&Edit::SetSource(pattern, logo())));
        let (mut settings, audio) = start(&settings);
        assert_eq!((audio.choice, audio.chosen), (AudioChoice::Silence, false));
        settings.audio = Some(AudioChoice::Silence);
        let (_, audio) = start(&settings);
        assert_eq!((audio.choice, audio.chosen), (AudioChoice::Silence, true));
    }

    #[test]
    fn an_import_replaces_the_source_of_the_first_start_and_no_source_that_the_user_chose() {
        let (settings, _) = start(&Settings::default());
        let (mut engine, _ends) = at_rest(None);
        engine.settings.collection = settings.collection.clone();
        assert!(engine.has_first_scenes());
        engine.settings.collection.copy_for_program();
        assert!(!engine.has_first_scenes());
        let [first] = settings.collection.sources.as_slice() else { panic!() };
        let camera = VideoChoice::Camera(CameraChoice::of("c920"));
        for edit in [
            Edit::SetSource(first.id, camera),
            Edit::RenameSource(first.id, "Mine".into()),
            Edit::RenameScene(settings.collection.current, "Talk".into()),
        ] {
            engine.settings.collection = settings.collection.clone();
            assert!(engine.settings.collection.apply(&edit), "{edit:?}");
            assert!(!engine.has_first_scenes(), "{edit:?}");
        }
    }

    #[test]
    fn a_command_that_waits_does_not_keep_a_broadcast_on_air() {
        let (mut engine, _ends) = on_air();
        engine.postpone(Command::StartRecording("show.mp4".into()));
        engine.postpone(Command::GoLive);
        engine.handle(Command::StopLive);
        assert!(engine.live.on_air.is_none(), "the broadcast goes on");
        assert_eq!(engine.startup.postponed, [Command::StartRecording("show.mp4".into())]);
        engine.handle(Command::StopRecording);
        assert!(engine.startup.postponed.is_empty());
        end(engine);
    }

    #[test]
    fn a_broadcast_that_waits_for_keys_is_starting_until_it_is_canceled() {
        let (mut engine, _ends) = at_rest(None);
        engine.secrets.pending = true;
        engine.handle(Command::GoLive);
        let snapshot = engine.snapshot(false);
        assert!(snapshot.is_starting() && snapshot.keys_pending);
        engine.handle(Command::StopLive);
        assert!(!engine.snapshot(false).is_starting());
    }

    #[test]
    fn a_broadcast_that_waits_is_stopped_without_the_recording() {
        let (mut engine, ends) = on_air();
        let folder = tempfile::tempdir().unwrap();
        engine.start_recording(folder.path().join("show.mkv"));
        engine.stop_live();
        // The targets have ended.
        engine.live.stopping = false;
        engine.postpone(Command::GoLive);
        let is_recording =
            |engine: &Engine| engine.live.on_air.as_ref().is_some_and(OnAir::is_recording);
        engine.handle(Command::StopLive);
        assert!(engine.startup.postponed.is_empty() && is_recording(&engine));
        let mut events = std::iter::from_fn(|| ends.events.try_recv().ok());
        assert!(!events.any(|event| matches!(event, Event::Stopped)), "the command line goes on");
        end(engine);
    }

    #[test]
    fn a_recording_that_waits_is_stopped_without_the_broadcast() {
        let (mut engine, ends) = at_rest(None);
        engine.postpone(Command::StartRecording("show.mkv".into()));
        engine.postpone(Command::GoLive);
        let has_stopped = || {
            let mut events = std::iter::from_fn(|| ends.events.try_recv().ok());
            events.any(|event| matches!(event, Event::Stopped))
        };
        engine.handle(Command::StopRecording);
        assert_eq!(engine.startup.postponed, [Command::GoLive]);
        assert!(!has_stopped(), "the broadcast is still to begin");
        assert!(!engine.snapshot(false).is_settled(0), "other commands wait for the broadcast");
        engine.handle(Command::StopLive);
        assert!(engine.startup.postponed.is_empty());
        assert!(has_stopped());
        assert!(engine.snapshot(false).is_settled(0));
    }

    #[test]
    fn a_quality_chosen_while_devices_are_sought_is_that_of_the_program() {
        let (mut engine, _ends) = on_air();
        engine.end_broadcast();
        engine.startup.undecided = (false, true);
        let quality = Quality { size: Size::new(640, 360), ..engine.settings.quality.clone() };
        engine.set_quality(&quality);
        engine.startup.undecided = (false, false);
        engine.apply_quality();
        let program = engine.state.program.as_ref().unwrap();
        assert_eq!(program.compositor().config().size, engine.state.quality.size);
        assert_eq!(engine.state.quality, quality);
        end(engine);
    }

    #[test]
    fn an_empty_scene_has_video_after_the_quality_changes_unless_only_audio_is_wanted() {
        for (choice, has_video) in [(VideoChoice::Test, true), (VideoChoice::None, false)] {
            let quality = Quality { size: Size::new(320, 180), ..Quality::default() };
            let settings = Settings {
                video: Some(choice),
                audio: Some(AudioChoice::Silence),
                quality: quality.clone(),
                ..Settings::default()
            };
            let config = Config {
                keyring: false,
                scenes_only: true,
                ..Config::new(Clock::start(), settings)
            };
            let (mut engine, _ends) = assemble(config).unwrap();
            engine.state.quality = quality.clone();
            engine.begin_program();
            engine.edit(&Edit::AddScene("Empty".into()));
            let empty = engine.settings.collection.scene_named("Empty").unwrap().id;
            engine.switch_scene(empty);
            for size in [quality.size, Size::new(640, 360)] {
                engine.set_quality(&Quality { size, ..quality.clone() });
                let program = engine.state.program.as_ref().unwrap();
                assert_eq!(program.compositor().config().size, size);
                assert_eq!(program.has_video(), has_video, "{size}");
            }
            end(engine);
        }
    }
}
