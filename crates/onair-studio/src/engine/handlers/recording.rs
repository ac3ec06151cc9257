//! Handles recordings, replays, screenshots, and unfinished files of an earlier run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::Worker;
use crate::files::Trouble;
use crate::media::{ExtraTracks, VideoFrame};
use crate::studio::engine::Engine;
use crate::studio::event::{self, Event, ProgramName};
use crate::studio::live::on_air::OnAir;
use crate::studio::live::recording::audio_tracks;
use crate::studio::live::recording::repair::Repairs;
use crate::studio::notices::message::StudioMessage;
use crate::text::problem::problem;
use crate::wire::container::Format;

impl Engine {
    pub fn begin_repairs(&mut self) {
        self.state.repairs = self.config.journal.as_deref().and_then(Repairs::start);
    }

    /// Returns true if a recording of this run writes to this file, even if the recording is
    /// paused.
    pub fn is_written(&self, path: &Path) -> bool {
        let on_air = self.live.on_air.iter().chain(self.live.others.values());
        let mut recordings = on_air.filter_map(OnAir::recording);
        recordings.any(|it| it.recorder.figures().path == path)
    }

    pub fn poll_repairs(&mut self) {
        self.state.library.poll(&self.settings.preferences.recording_folder);
        let Some(repairs) = &self.state.repairs else { return };
        for message in repairs.messages() {
            self.notices.raise(&message, "");
        }
    }

    pub fn start_recording(&mut self, path: PathBuf) {
        if self.live.stopping || self.state.quitting {
            return;
        }
        if self.live.on_air.as_ref().is_some_and(OnAir::is_recording) {
            return;
        }
        self.notices.active.clear(&[
            "recording-failed",
            "recording-not-started",
            "recording-none",
            "recording-held",
            "recording-saved",
            "recording-renamed",
            "recording-encoder-failed",
            "tracks-left-out",
            "disk-space",
            "disk-slow",
        ]);
        let shown = path.display().to_string();
        // A file that is being inspected would end the recording.
        if self.live.is_passthrough() || self.live.opening.is_some() {
            let reason = problem!("recording-passthrough");
            self.notices.raise(&StudioMessage::RecordingNotStarted { path: shown, reason }, "");
            return;
        }
        self.live.has_recording_failed = false;
        self.want_source_recordings(&path);
        self.want_canvas_recording(&path);
        let own = self.open_own_encode(ProgramName::Main, None);
        if !self.begin_broadcast() {
            self.notices.send_event(Event::Stopped);
            return;
        }
        self.record_sources(BTreeMap::new());
        self.record_second();
        let choices = self.settings.preferences.recording.clone();
        let names = self.track_names();
        let tracks = (self.tracks_for(&path), &names);
        let Some(on_air) = &mut self.live.on_air else { return };
        let Some(program) = &self.state.program else { return };
        let journal = self.config.journal.clone();
        match on_air.record(&path, &choices, journal, tracks, program, own) {
            Ok(started) => {
                self.live.is_recorded_later = self.live.is_summarized;
                let renamed = (started.path != path).then(|| StudioMessage::RecordingRenamed {
                    path: started.path.display().to_string(),
                });
                self.notices.send_event(Event::Recording(started));
                self.notices.raise_some(renamed);
            }
            Err(error) => {
                let reason = error.problem();
                self.notices.send_event(Event::Recording(event::Recording {
                    program: ProgramName::Main,
                    path,
                    state: event::RecordingState::Failed,
                    duration: Duration::ZERO,
                    bytes: 0,
                    reason: Some(reason.clone()),
                    part: 1,
                    paused: false,
                }));
                self.notices.raise(&StudioMessage::RecordingNotStarted { path: shown, reason }, "");
                self.live.has_recording_failed = true;
                self.end_recordings_beside();
                self.end_if_idle();
            }
        }
    }

    /// Returns the extra audio tracks for a file of this name, and reports dropped tracks.
    fn tracks_for(&mut self, path: &Path) -> ExtraTracks {
        let used = audio_tracks::used(&self.settings.strips);
        // The recording has this track as its first one.
        let mix = self.settings.preferences.recording.mix;
        let used = mix.map_or(used, |mix| used.with(mix, false));
        if used.is_empty() || Format::of_path(path) != Some(Format::Flv) {
            return used;
        }
        // Multitrack tags in FLV disturb players that do not support them, and most players do not.
        self.notices.raise(&StudioMessage::TracksLeftOut { path: path.display().to_string() }, "");
        ExtraTracks::NONE
    }

    pub fn stop_recording(&mut self) {
        self.stop_source_recordings();
        self.stop_second_recording();
        let Some(on_air) = &mut self.live.on_air else { return };
        let stays = self.settings.preferences.recording.keeps_always();
        if let Some(recording) = on_air.recording().filter(|_| !self.live.is_recorded_later) {
            self.live.summarized_file = Some(recording.recorder.figures().path);
        }
        if on_air.is_publishing() || stays {
            self.endings.broadcasts.extend(on_air.finish_recording(self.last_words.0.clone()));
        } else {
            self.end_broadcast();
        }
    }

    pub fn with_recording(&mut self, act: impl FnOnce(&crate::broadcast::Recorder)) {
        self.notices.active.clear(&["recording-none"]);
        match self.live.on_air.as_ref().and_then(OnAir::recording) {
            Some(recording) => act(&recording.recorder),
            None => self.notices.raise(&StudioMessage::RecordingNone {}, ""),
        }
    }

    /// Handles a file that was created, paused, completed or abandoned.
    pub fn recording_happened(&mut self, recording: event::Recording) {
        let is_main = recording.program == ProgramName::Main;
        if is_main && recording.state == event::RecordingState::Finished {
            let is_earlier = self.live.summarized_file.as_ref() == Some(&recording.path);
            if !self.live.is_recorded_later || is_earlier {
                self.live.summary.recording = Some(recording.path.clone());
            }
        }
        let message = recording.message();
        if recording.state != event::RecordingState::Writing {
            // The next file was created after all, or is no longer needed.
            self.notices.active.clear(&["recording-held"]);
            // A warning about the disk also applies to the next file of the recording.
            let mut on_air = self.live.on_air.iter().chain(self.live.others.values());
            if !on_air.any(OnAir::is_recording) {
                self.notices.active.clear(&["disk-space", "disk-slow"]);
            }
        }
        self.notices.send_event(Event::Recording(recording.clone()));
        if let Some(message) = message {
            self.notices.raise_of_file(&message, recording.path);
        }
    }

    /// Keeps the replay buffer as configured while the encoders run.
    pub fn keep_replay(&mut self) {
        let choices = &self.settings.preferences.recording;
        if let Some(on_air) = &mut self.live.on_air {
            on_air.keep_replay(choices);
        }
    }

    pub fn save_replay(&mut self, path: PathBuf) {
        self.notices.active.clear(&[
            "replay-failed",
            "replay-saved",
            "replay-empty",
            "tracks-left-out",
        ]);
        let names = self.track_names();
        let tracks = self.tracks_for(&path);
        let clip = self.live.on_air.as_ref().and_then(|it| it.clip(tracks, &names));
        let report = |state, reason| {
            let (path, duration, bytes) = (path.clone(), Duration::ZERO, 0);
            Event::Replay(event::Replay { path, state, duration, bytes, reason })
        };
        let Some(clip) = clip else {
            let message = StudioMessage::ReplayEmpty {};
            let reason = Some(message.problem());
            self.notices.send_event(report(event::RecordingState::Failed, reason));
            self.notices.raise(&message, "");
            return;
        };
        self.notices.send_event(report(event::RecordingState::Writing, None));
        let tell = self.last_words.0.clone();
        self.beside("save-replay", move || {
            let replay = match clip.save(&path) {
                Ok(saved) => event::Replay {
                    path: saved.path,
                    state: event::RecordingState::Finished,
                    duration: saved.duration,
                    bytes: saved.bytes,
                    reason: None,
                },
                Err(error) => event::Replay {
                    path,
                    state: event::RecordingState::Failed,
                    duration: Duration::ZERO,
                    bytes: 0,
                    reason: Some(error.problem()),
                },
            };
            let _ = tell.send(Event::Replay(replay));
        });
    }

    pub fn take_screenshot(&mut self, path: PathBuf) {
        self.take_screenshot_of(self.program_frames.get(), path);
    }

    /// Writes a screenshot, if there is a frame.
    pub fn take_screenshot_of(&mut self, frame: Option<VideoFrame>, path: PathBuf) {
        self.notices.active.clear(&["screenshot-failed", "screenshot-saved"]);
        let Some(frame) = frame else {
            let reason = Some(problem!("screenshot-none"));
            self.saved(Event::Screenshot(event::Screenshot { path, reason }));
            return;
        };
        let tell = self.last_words.0.clone();
        self.beside("screenshot", move || {
            let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
            let saved = match made
                .and_then(|()| crate::player::present::screenshot::save(&path, &frame))
            {
                Ok(path) => event::Screenshot { path, reason: None },
                Err(error) => event::Screenshot { path, reason: Some(Trouble::problem(&error)) },
            };
            let _ = tell.send(Event::Screenshot(saved));
        });
    }

    /// Reports a saved file or a new chapter.
    pub fn saved(&mut self, event: Event) {
        let mut file = None;
        let message = match &event {
            Event::Replay(replay) => {
                file = Some(replay.path.clone());
                let path = replay.path.display().to_string();
                match replay.reason.clone() {
                    None => StudioMessage::ReplaySaved { path },
                    Some(reason) => StudioMessage::ReplayFailed { path, reason },
                }
            }
            Event::Screenshot(screenshot) => {
                file = Some(screenshot.path.clone());
                let path = screenshot.path.display().to_string();
                match screenshot.reason.clone() {
                    None => StudioMessage::SnapshotSaved { path },
                    Some(reason) => StudioMessage::SnapshotFailed { path, reason },
                }
            }
            Event::Chapter(chapter) => {
                self.notices.active.clear(&["chapter-added"]);
                StudioMessage::ChapterAdded { title: chapter.title.clone() }
            }
            _ => {
                self.notices.send_event(event);
                return;
            }
        };
        self.notices.send_event(event);
        self.notices.raise_of_file(&message, file);
    }

    /// Runs slow work in the background. The studio waits for the work before it ends.
    fn beside(&mut self, name: &str, work: impl FnOnce() + Send + 'static) {
        match Worker::spawn(name, move |_| work()) {
            Ok(worker) => {
                self.endings.saving.retain(|worker| !worker.is_finished());
                self.endings.saving.push(worker);
            }
            Err(error) => tracing::error!(%error, name, "starting a thread failed"),
        }
    }
}

#[cfg(test)]
pub(in crate::engine) mod tests {
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use crate::media::{BitsPerSecond, Size};
    use crate::studio::command::Command;
    use crate::studio::engine::Engine;
    use crate::studio::engine::handlers::live::tests::{at_rest, end, on_air, until, with_program};
    use crate::studio::event::stats::{self, Stats};
    use crate::studio::event::{self, Event, ProgramName};
    use crate::studio::live::outputs::OutputNews;
    use crate::studio::live::recording::library::RecordingsCommand;
    use crate::studio::notices::Notice;
    use crate::studio::notices::message::StudioMessage;
    use crate::studio::targets::quality::{Adapt, Quality};
    use crate::text::Language;
    use crate::text::problem::problem;

    #[test]
    fn a_pause_or_a_chapter_without_a_recording_is_reported() {
        let chapter = Command::Chapter(String::new());
        for command in [Command::PauseRecording, chapter, Command::SplitRecording] {
            let (mut engine, _ends) = at_rest(None);
            engine.handle(command);
            let keys = engine.notices.active.notices().iter().map(|notice| notice.key());
            assert!(keys.eq(["recording-none"]));
        }
    }

    #[test]
    fn a_replay_or_screenshot_of_nothing_is_an_event_and_a_notice() {
        for (command, key) in [
            (Command::SaveReplay("replay.mp4".into()), "replay-empty"),
            (Command::Screenshot("screenshot.png".into()), "screenshot-failed"),
        ] {
            let (mut engine, ends) = at_rest(None);
            engine.handle(command);
            let keys = engine.notices.active.notices().iter().map(|notice| notice.key());
            assert!(keys.eq([key]));
            let events = std::iter::from_fn(|| ends.events.try_recv().ok());
            let mut failures = events.filter_map(|event| match event {
                Event::Replay(it) if it.state == event::RecordingState::Failed => it.reason,
                Event::Screenshot(it) => it.reason,
                _ => None,
            });
            assert!(failures.next().is_some() && failures.next().is_none(), "{key}");
        }
    }

    #[test]
    fn a_change_of_adaptive_bitrate_keeps_the_replay_buffer() {
        let (mut engine, _ends) = with_program(None);
        let choices = &mut engine.settings.preferences.recording;
        (choices.replay, choices.replay_always) = (Some(Duration::from_secs(10)), true);
        engine.keep_always();
        let changes: [fn(&mut Quality); 5] = [
            |it| it.video_bitrate = BitsPerSecond(1_000_000),
            |it| it.adapt = Adapt::First,
            |it| it.least_bitrate = BitsPerSecond(200_000),
            |it| it.adapt_frames = true,
            |it| it.adapt_size = true,
        ];
        for change in changes {
            let mut quality = engine.settings.quality.clone();
            change(&mut quality);
            engine.set_quality(&quality);
            assert!(engine.live.on_air.is_some() && engine.state.quality == quality, "{quality:?}");
        }
        // The encoders must start again for another size.
        let size = Size::new(640, 360);
        engine.set_quality(&Quality { size, ..engine.settings.quality.clone() });
        assert!(engine.live.on_air.is_none());
        end(engine);
    }

    #[test]
    fn a_new_chapter_is_confirmed_and_replaces_the_confirmation_of_the_last() {
        let (mut engine, ends) = at_rest(None);
        for title in ["Chapter 1", "Chapter 2"] {
            let (path, at) = ("show.mkv".into(), Duration::from_secs(1));
            let chapter = event::Chapter { path, at, title: title.to_owned() };
            engine.all_happened(vec![OutputNews::Chapter(chapter.clone())]);
            let notices = engine.notices.active.notices().iter();
            let summaries: Vec<_> = notices.map(Notice::summary).collect();
            assert_eq!(summaries, [format!("Chapter added: {title}")]);
            let mut events = std::iter::from_fn(|| ends.events.try_recv().ok());
            assert!(events.any(|event| matches!(event, Event::Chapter(it) if it == chapter)));
        }
    }

    #[test]
    fn a_recording_that_is_requested_while_a_broadcast_ends_begins_after_it() {
        let (mut engine, ends) = on_air();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("show.mkv");
        engine.stop_live();
        engine.handle(Command::StartRecording(path.clone()));
        assert!(engine.live.on_air.is_none() && engine.live.stopping);
        until("recording", || {
            engine.poll();
            engine.is_written(&path)
        });
        let mut events = std::iter::from_fn(|| ends.events.try_recv().ok());
        assert!(!events.any(|event| matches!(event, Event::Stopped)), "the command line goes on");
        end(engine);
    }

    #[test]
    fn a_second_stop_of_the_broadcast_does_not_cancel_a_recording_that_waits() {
        let (mut engine, _ends) = on_air();
        engine.stop_live();
        let record = Command::StartRecording("show.mkv".into());
        engine.handle(record.clone());
        for command in [Command::StopLive, Command::StopAfterDelay] {
            engine.handle(command);
            assert_eq!(engine.startup.postponed, std::slice::from_ref(&record));
        }
        engine.handle(Command::StopRecording);
        assert!(engine.startup.postponed.is_empty());
        end(engine);
    }

    pub(in crate::engine) fn finished(path: impl Into<PathBuf>) -> event::Recording {
        event::Recording {
            program: ProgramName::Main,
            path: path.into(),
            state: event::RecordingState::Finished,
            duration: Duration::from_secs(1),
            bytes: 1,
            reason: None,
            part: 1,
            paused: false,
        }
    }

    #[test]
    fn a_recording_that_is_finished_after_a_later_one_began_is_in_the_summary() {
        let (mut engine, _ends) = on_air();
        let folder = tempfile::tempdir().unwrap();
        let (show, later) = (folder.path().join("show.mkv"), folder.path().join("later.mkv"));
        engine.start_recording(show.clone());
        engine.live.is_summarized = true;
        engine.stop_recording();
        engine.start_recording(later.clone());
        engine.recording_happened(finished(&show));
        engine.stop_recording();
        engine.recording_happened(finished(&later));
        assert_eq!(engine.live.summary.recording, Some(show));
        end(engine);
    }

    #[test]
    fn warnings_about_the_disk_outlast_a_file_but_not_the_recording() {
        let (mut engine, _ends) = on_air();
        let folder = tempfile::tempdir().unwrap();
        engine.start_recording(folder.path().join("show.mkv"));
        let warnings = || {
            let (minutes, megabytes) = ("9".into(), "600".into());
            vec![
                OutputNews::Message(StudioMessage::DiskSpace { minutes, megabytes }),
                OutputNews::Message(StudioMessage::DiskSlow { seconds: "6".into() }),
            ]
        };
        let keys = |engine: &Engine| -> Vec<_> {
            let keys = engine.notices.active.notices().iter().map(Notice::key);
            let is_about_disk = |key: &&str| key.starts_with("disk-") || *key == "recording-held";
            keys.filter(is_about_disk).collect()
        };
        let (path, reason) = ("show-part2.mkv".into(), problem!("file-full"));
        let held = StudioMessage::RecordingHeld { path, reason };
        engine.all_happened(warnings());
        engine.all_happened(vec![OutputNews::Message(held)]);
        // The recording is paused in its second file, and then splits.
        let paused = event::Recording {
            state: event::RecordingState::Writing,
            part: 2,
            paused: true,
            ..finished("show-part2.mkv")
        };
        engine.recording_happened(paused);
        assert_eq!(keys(&engine), ["disk-space", "disk-slow", "recording-held"]);
        engine.recording_happened(event::Recording { part: 2, ..finished("show-part2.mkv") });
        assert_eq!(keys(&engine), ["disk-space", "disk-slow"]);
        engine.all_happened(vec![OutputNews::NoticeOver("disk-slow")]);
        assert_eq!(keys(&engine), ["disk-space"]);
        engine.all_happened(warnings());
        engine.stop_recording();
        engine.recording_happened(event::Recording { part: 3, ..finished("show-part3.mkv") });
        assert!(keys(&engine).is_empty());
        end(engine);
    }

    #[test]
    fn a_recording_that_begins_after_a_broadcast_is_not_in_its_summary() {
        let (mut engine, _ends) = on_air();
        let folder = tempfile::tempdir().unwrap();
        engine.start_recording(folder.path().join("show.mkv"));
        // The broadcast ends, and its recording goes on for a while.
        engine.live.is_summarized = true;
        engine.recording_happened(finished("show.mkv"));
        assert_eq!(engine.live.summary.recording.as_deref(), Some(Path::new("show.mkv")));
        engine.stop_recording();
        engine.start_recording(folder.path().join("later.mkv"));
        engine.recording_happened(finished("later.mkv"));
        assert_eq!(engine.live.summary.recording.as_deref(), Some(Path::new("show.mkv")));
        // The next broadcast begins during the later recording.
        engine.begin_summary();
        engine.recording_happened(finished("later.mkv"));
        assert_eq!(engine.live.summary.recording.as_deref(), Some(Path::new("later.mkv")));
        end(engine);
    }

    #[test]
    fn a_recording_after_a_broadcast_has_its_own_share_of_skipped_frames() {
        let (mut engine, _ends) = on_air();
        engine.end_broadcast();
        let second = |engine: &mut Engine, captured, skipped| {
            let video = Some(stats::Video { captured, skipped, ..stats::Video::default() });
            engine.live.series.second(&Stats { video, ..Stats::default() });
            engine.live.series.pace()
        };
        // The last seconds of the broadcast.
        for number in 1..=10 {
            assert_eq!(second(&mut engine, number * 30, 0), None);
        }
        engine.live.stopping = false;
        let folder = tempfile::tempdir().unwrap();
        engine.start_recording(folder.path().join("show.mkv"));
        assert!(engine.live.on_air.is_some());
        for number in 1..=10 {
            assert_eq!(second(&mut engine, number * 30, 1), None);
        }
        end(engine);
    }

    #[test]
    fn the_counters_of_an_earlier_recording_still_count() {
        let (mut engine, ends) = with_program(None);
        let folder = tempfile::tempdir().unwrap();
        let later = folder.path().join("later.mkv");
        engine.start_recording(folder.path().join("show.mkv"));
        until("frames", || {
            let on_air = engine.live.on_air.as_ref();
            on_air.is_some_and(|on_air| on_air.live_figures().encoded > 2)
        });
        engine.stop_recording();
        engine.handle(Command::StartRecording(later.clone()));
        until("later recording", || {
            engine.poll();
            engine.is_written(&later)
        });
        engine.second();
        engine.stop_recording();
        until("end", || {
            engine.poll();
            !engine.live.stopping
        });
        let counters = std::iter::from_fn(|| ends.events.try_recv().ok()).filter_map(|event| {
            let stats = |it: stats::Video| (it.encoded, it.keyframes);
            match event {
                Event::Stats(it) => it.video.map(stats),
                Event::Totals(it) => it.video,
                _ => None,
            }
        });
        let counters: Vec<_> = counters.collect();
        let [first, second, last] = counters[..] else { panic!("{counters:?}") };
        assert!(first.0 > 2 && first.1 > 0, "{counters:?}");
        assert!(second.0 >= first.0 && second.1 >= first.1, "{counters:?}");
        assert!(last.0 >= second.0 && last.1 >= second.1, "{counters:?}");
        end(engine);
    }

    #[test]
    fn a_broadcast_without_encoders_keeps_the_earlier_counters() {
        let (mut engine, _ends) = at_rest(None);
        let video = Some(stats::Video { encoded: 5, ..stats::Video::default() });
        let audio = Some(stats::Audio { samples: 6, ..stats::Audio::default() });
        engine.live.earlier = Stats { video, audio, ..Stats::default() };
        engine.live.ending = Some(Stats::default());
        engine.broadcast_counted(stats::Totals::default());
        assert_eq!((engine.live.earlier.video, engine.live.earlier.audio), (video, audio));
    }

    #[test]
    fn a_recording_keeps_its_name_and_place_while_it_is_written() {
        let (mut engine, _ends) = on_air();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("show.mkv");
        engine.start_recording(path.clone());
        let mut refused = |command| {
            engine.handle(Command::Recordings(command));
            engine.state.library.poll(folder.path());
            let outcome = engine.state.library.view().outcome.clone();
            outcome.filter(|it| it.failed).map(|it| Language::English.say(&it.text))
        };
        let text = refused(RecordingsCommand::Rename(path.clone(), "other".to_owned()));
        assert_eq!(text.as_deref(), Some("onair could not rename show.mkv: still being written"));
        let text = refused(RecordingsCommand::Trash(path.clone()));
        assert!(text.is_some_and(|text| text.ends_with(": still being written")));
        assert!(path.exists());
        end(engine);
    }
}
