//! The mixer's strips: settings, sources and states. The file is long because its tests follow a
//! strip from the choice of its source to the notices about it.

use std::collections::{BTreeMap, BTreeSet};

use crate::audio::AudioChoice;
use crate::capture;
use crate::compose::scene::SceneId;
use crate::media::playback_control::EndBehavior;
use crate::media::source_status::{SourceFormat, SourceReport, SourceState};
use crate::media::{ExtraTracks, Track};
use crate::mix::{self, StripId};
use crate::studio::engine::Engine;
use crate::studio::engine::handlers::poll;
use crate::studio::engine::undo_history::{Change, UndoState};
use crate::studio::event::{self, Event, stats};
use crate::studio::live::recording::audio_tracks;
use crate::studio::live::recording::audio_tracks::TrackNames;
use crate::studio::live::target_events;
use crate::studio::mixer;
use crate::studio::mixer::monitoring::{Monitoring, MonitoringOutput};
use crate::studio::mixer::{AudioStrip, HeldTalkKeys, TalkMode};
use crate::studio::notices::groups;
use crate::studio::notices::message::StudioMessage;
use crate::studio::notices::row::Group;
use crate::studio::program::{Program, source_strips};
use crate::studio::scenes::{Collection, MAIN_SOURCE, clean_name};
use crate::studio::snapshot::StripView;

/// How a strip captures the monitoring device.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Capture {
    /// The strip may capture the device, but a device is unknown yet, or the source is down.
    Possible,
    /// The strip delivers the audio of the device.
    Delivers,
}

/// A strip, its source, and how it captures the monitoring device.
type StripCapture<'a> = (&'a AudioStrip, &'a AudioChoice, Option<Capture>);

/// Returns the strip that the notice about captured monitoring names: the strip is monitored
/// itself, or it sends the monitoring of other strips to viewers.
fn reported_captor(strips: &[StripCapture<'_>]) -> Option<StripId> {
    let solo = strips.iter().any(|(it, _, _)| it.strip.solo);
    let is_monitored = |it: &AudioStrip, choice: &AudioChoice| {
        let is_audible = !it.strip.muted && *choice != AudioChoice::None;
        is_audible && if solo { it.strip.solo } else { it.strip.monitoring.is_monitored() }
    };
    let are_others_monitored =
        strips.iter().any(|(it, choice, capture)| capture.is_none() && is_monitored(it, choice));
    let captor = strips.iter().find(|(it, choice, capture)| {
        let is_sent = it.strip.monitoring.in_program() && !it.strip.muted;
        *capture == Some(Capture::Delivers)
            && (is_monitored(it, choice) || (is_sent && are_others_monitored))
    });
    captor.map(|(it, _, _)| it.id)
}

/// Returns true if the video of a strip is visible, and if one of these scenes is the strip's.
pub fn is_shown(
    strip: &AudioStrip,
    seen: &[AudioChoice],
    (collection, scenes): (&Collection, &BTreeSet<SceneId>),
) -> bool {
    let is_video = strip.talk != TalkMode::WhileShown || seen.contains(&strip.choice);
    let named = || collection.scenes.iter().find(|scene| scene.name == strip.scene);
    is_video && (strip.scene.is_empty() || named().is_some_and(|it| scenes.contains(&it.id)))
}

impl Engine {
    /// Updates the mixer after a change of the strips.
    pub fn set_strips(&mut self) {
        let there = |id: &StripId| self.settings.strips.iter().any(|strip| strip.id == *id);
        self.state.talking.strips.retain(there);
        if mixer::free_id(&self.settings.strips).is_some() {
            self.notices.active.clear(&[groups::NO_STRIP_NOTICE]);
        }
        let Some(program) = &mut self.state.program else { return };
        let seen = source_strips::seen(program, &self.settings.collection);
        let scenes = self.settings.collection.scenes_in_program();
        let talking = &self.state.talking;
        let tracks = self.settings.strips.iter().map(|it| (it.id, self.source_tracks(it)));
        let tracks: BTreeMap<StripId, ExtraTracks> = tracks.collect();
        let Some(program) = &mut self.state.program else { return };
        let effective_strip = |strip: &AudioStrip| {
            let shown = is_shown(strip, &seen, (&self.settings.collection, &scenes));
            let effective = strip.effective_strip(talking.is_held(strip.id), shown);
            let own = tracks.get(&strip.id).copied().unwrap_or_default();
            mix::Strip { tracks: effective.tracks.and(own), ..effective }
        };
        let main = (program.video_choice().clone(), program.transport(MAIN_SOURCE).at_end());
        let sources = &self.settings.collection.sources;
        program.set_shown_files(sources);
        let at_end = |strip: &AudioStrip| {
            let shown_end = source_strips::shown_end(sources, (&main.0, main.1), &strip.choice);
            shown_end.unwrap_or(strip.at_end)
        };
        let strips = self.settings.strips.iter().map(|strip| program.resolved(strip));
        let strips: Vec<AudioStrip> = strips.collect();
        let messages = program.set_strips(&strips, &effective_strip, &at_end);
        self.state.stage.shown_audio = seen;
        self.state.stage.shown_scenes = scenes;
        for message in self.unreported(messages) {
            self.notices.raise(&message, "");
        }
        self.guard_monitoring();
    }

    /// Leaves strips that capture the monitoring device out of monitoring, because they would play
    /// their own audio again and again. Reports such a strip if it is monitored, or if it sends the
    /// monitoring of other strips to viewers.
    fn guard_monitoring(&mut self) {
        let Some(program) = &self.state.program else { return };
        let played = self.state.listening.as_ref().map(MonitoringOutput::device);
        let played = played.unwrap_or_default();
        let with_capture = |strip| {
            let capture = self.captures_monitoring(program, strip, &played);
            (strip, program.choice_of(strip), capture)
        };
        let strips: Vec<StripCapture<'_>> = self.settings.strips.iter().map(with_capture).collect();
        let captor = reported_captor(&strips);
        let captors = strips.iter().filter(|(_, _, capture)| capture.is_some());
        let ids: BTreeSet<StripId> = captors.map(|(strip, _, _)| strip.id).collect();
        if ids != self.state.unmonitored {
            program.mixer().set_unmonitored(ids.clone());
        }
        self.state.unmonitored = ids;
        self.report_capture(captor);
    }

    /// Raises or withdraws the notice about a strip that captures the monitoring device.
    fn report_capture(&mut self, captor: Option<StripId>) {
        if captor == self.state.reported_capture {
            return;
        }
        self.state.reported_capture = captor;
        self.notices.take_back("monitoring-captured");
        let strip = self.settings.strips.iter().find(|strip| Some(strip.id) == captor);
        if let Some(source) = strip.map(|strip| self.labelled(strip).1) {
            self.notices.raise(&StudioMessage::MonitoringCaptured { source }, "");
        }
    }

    /// Returns how a strip's source or its open fallback captures the monitoring device, if one of
    /// them does. A source that is down delivers nothing.
    fn captures_monitoring(
        &self,
        program: &Program,
        strip: &AudioStrip,
        played: &str,
    ) -> Option<Capture> {
        let monitoring = &self.settings.monitoring;
        let capture = |choice: &AudioChoice, report: &SourceReport| {
            let is_captured = monitoring.is_captured_by(choice, &report.id, played);
            match is_captured {
                Some(false) => None,
                Some(true) if !report.state.is_down() => Some(Capture::Delivers),
                Some(true) | None => Some(Capture::Possible),
            }
        };
        let fallback = strip.if_silent.as_ref().zip(program.fallback_report(strip.id));
        let own = capture(program.choice_of(strip), &self.strip_report(strip.id));
        own.max(fallback.and_then(|(choice, report)| capture(choice, report)))
    }

    /// Returns the notices about strips that no video source already reports.
    pub fn unreported(&self, of: Vec<(AudioChoice, StudioMessage)>) -> Vec<StudioMessage> {
        let own = of.into_iter().filter(|(choice, _)| !self.reported_video(choice));
        own.map(|(_, message)| message).collect()
    }

    /// Mutes and unmutes strips that follow the visibility of their video, or their scene.
    pub fn attend_strips(&mut self) {
        let program = self.state.program.as_ref();
        let seen = program.map(|program| source_strips::seen(program, &self.settings.collection));
        let scenes = self.settings.collection.scenes_in_program();
        let stage = &self.state.stage;
        if seen.is_some_and(|seen| seen != stage.shown_audio || scenes != stage.shown_scenes) {
            self.set_strips();
        }
    }

    /// Gives strips the new names of their scenes.
    pub fn follow_scene_names(&mut self, before: &Collection) {
        let mut is_changed = false;
        for strip in self.settings.strips.iter_mut().filter(|strip| !strip.scene.is_empty()) {
            let old = before.scenes.iter().find(|scene| scene.name == strip.scene);
            let new = old.and_then(|old| self.settings.collection.scene(old.id));
            if let Some(new) = new.filter(|new| new.name != strip.scene) {
                strip.scene.clone_from(&new.name);
                is_changed = true;
            }
        }
        if is_changed {
            self.set_strips();
        }
    }

    /// Updates the strips after a change of the scenes from `before`. A paste restores the removed
    /// strips of its sources. Returns the previous strips if they changed.
    pub fn follow_shown(&mut self, before: &Collection, is_paste: bool) -> Option<Vec<AudioStrip>> {
        if before.sources == self.settings.collection.sources {
            return None;
        }
        let old_strips = self.settings.strips.clone();
        let main = self.state.program.as_ref().map(|it| it.audio_choice());
        let without_strip = source_strips::follow(
            &mut self.settings.strips,
            main.or(self.settings.audio.as_ref()),
            &before.sources,
            &self.settings.collection.sources,
            // A file that exists but cannot be read counts as Y4M, which has no audio. A missing
            // file gets a strip, because it may appear later.
            &|choice| {
                let absent = choice.path().is_some_and(|path| !path.exists());
                absent || !capture::shows(choice)
            },
        );
        if !without_strip.is_empty() {
            self.notices.active.clear(&[groups::NO_STRIP_NOTICE]);
            let source = without_strip.join(", ");
            self.notices.raise(&StudioMessage::NoStrip { source }, "");
        }
        if self.settings.strips == old_strips {
            return None;
        }
        let removed = &mut self.state.stage.removed_strips;
        removed.remember(&old_strips, &self.settings.strips);
        if is_paste {
            removed.restore(&old_strips, &mut self.settings.strips);
        }
        self.set_strips();
        Some(old_strips)
    }

    /// Returns true if a video source already reports this device's problems.
    fn reported_video(&self, choice: &AudioChoice) -> bool {
        let main = self.state.program.as_ref().map(|program| program.video_choice());
        source_strips::is_shown(&self.settings.collection.sources, choice)
            || main.is_some_and(|main| mixer::is_audio_of(choice, main))
    }

    /// Starts the audio after the start of the program.
    pub fn begin_audio(&mut self) {
        // The new mixer monitors all strips.
        self.state.unmonitored.clear();
        self.set_strips();
        self.begin_monitoring();
    }

    fn begin_monitoring(&mut self) {
        let Some(program) = &self.state.program else { return };
        let monitoring = self.settings.monitoring.clone();
        self.notices.take_back("monitoring-failed");
        if let Some(before) = self.state.listening.take() {
            before.end(program.mixer());
        }
        self.state.listening =
            Some(MonitoringOutput::start(monitoring, program.mixer(), self.clock));
    }

    /// Ends monitoring before the program ends.
    pub fn end_monitoring(&mut self) {
        if let (Some(monitoring), Some(program)) =
            (self.state.listening.take(), &self.state.program)
        {
            monitoring.end(program.mixer());
        }
    }

    pub fn set_monitoring(&mut self, monitoring: Monitoring) {
        if self.settings.monitoring != monitoring {
            self.settings.monitoring = monitoring;
            self.begin_monitoring();
            self.guard_monitoring();
            self.changed();
        }
    }

    /// Binds a strip to a scene: it is heard only while the program shows this scene.
    pub fn set_strip_scene(&mut self, id: StripId, scene: &str) {
        let scene = clean_name(scene);
        self.with_strip(id, |it| it.scene = scene);
    }

    /// Changes one strip, if it exists.
    pub fn with_strip(&mut self, id: StripId, change: impl FnOnce(&mut AudioStrip)) {
        self.with_mixer(|strips| {
            if let Some(strip) = strips.iter_mut().find(|strip| strip.id == id) {
                change(strip);
            }
        });
    }

    /// Changes the mixer as one undo step.
    fn with_mixer(&mut self, change: impl FnOnce(&mut Vec<AudioStrip>)) {
        let before = self.settings.strips.clone();
        change(&mut self.settings.strips);
        if self.settings.strips == before {
            return;
        }
        if let Some(change) = Change::of_mixer(&before, &self.settings.strips) {
            self.add_step(UndoState { scenes: None, strips: Some(before) }, change);
        }
        self.set_strips();
        self.changed();
    }

    pub fn set_gain(&mut self, gain: f32) {
        let gain_db = if gain.is_finite() { gain.clamp(-60.0, 20.0) } else { 0.0 };
        self.with_strip(StripId::MAIN, |it| it.strip.gain_db = gain_db);
    }

    /// Sets the source of the main strip.
    pub fn select_audio(&mut self, choice: AudioChoice) {
        self.notices.active.clear(&["no-microphone"]);
        let before = self.state.program.as_ref().map(Program::audio_report).unwrap_or_default();
        let at_end = self.settings.strips.first().map_or(EndBehavior::Loop, |main| main.at_end);
        let message = self.state.program.as_mut().and_then(|it| it.select_audio(choice, at_end));
        self.source_closed(&before, Group::AudioDown.keys());
        self.notices.raise_some(message);
        // The video of the new source can be shown when that of the earlier one was not.
        self.set_strips();
    }

    pub fn add_strip(&mut self, choice: AudioChoice) {
        self.add_named_strip(choice, String::new());
    }

    pub fn add_named_strip(&mut self, choice: AudioChoice, name: String) {
        let Some(id) = mixer::free_id(&self.settings.strips) else { return };
        let strip = AudioStrip { name, ..AudioStrip::new(id, choice) };
        self.with_mixer(|strips| strips.push(strip));
    }

    pub fn remove_strip(&mut self, id: StripId) {
        if id != StripId::MAIN {
            self.with_mixer(|strips| strips.retain(|strip| strip.id != id));
        }
    }

    /// Handles a press or release of the push-to-talk key of one strip, or of all strips. A
    /// release has an effect regardless of the press, so that no microphone stays open.
    pub fn push_to_talk_key(&mut self, id: Option<StripId>, held: bool) {
        let before = self.state.talking.clone();
        let talking = &mut self.state.talking;
        match id {
            None if held => talking.all = true,
            None => *talking = HeldTalkKeys::default(),
            Some(id) if held => drop(talking.strips.insert(id)),
            Some(id) => {
                if std::mem::take(&mut talking.all) {
                    talking.strips = self.settings.strips.iter().map(|strip| strip.id).collect();
                }
                talking.strips.remove(&id);
            }
        }
        if self.state.talking != before {
            tracing::debug!("the push-to-talk key is {}", if held { "held" } else { "let go" });
            self.set_strips();
        }
    }

    pub fn poll_strips(&mut self) {
        let Some(program) = &mut self.state.program else { return };
        let messages = program.open_audio_fallbacks();
        let closed = program.strips_closed();
        let changes = program.strip_changes();
        for report in closed {
            self.source_closed(&report, Group::AudioDown.keys());
        }
        for message in self.unreported(messages) {
            self.notices.raise(&message, "");
        }
        for change in changes {
            let (kind, device) = target_events::audio_kind(&change.choice);
            let back = poll::is_back(&change.report, &change.before);
            if !self.reported_video(&change.choice) {
                self.tell_of(&change.report, &change.before, device.then_some(false));
            } else if back {
                // The problem may have been reported before a scene showed the source.
                self.take_back(&change.report, &change.before);
            }
            let report = change.report;
            self.notices.send_event(Event::Source(event::Source {
                track: Track::Audio,
                kind,
                back,
                report,
            }));
        }
        if let Some(program) = &self.state.program {
            let on_air = self.live.on_air.iter().chain(self.live.others.values());
            on_air.for_each(|it| it.set_audio_delay(program.mixer().lag()));
        }
        self.follow_plugins();
        self.follow_tracks();
        self.guard_monitoring();
        match self.state.listening.as_ref().and_then(MonitoringOutput::news) {
            Some(Err(reason)) => {
                let detail = reason.to_string();
                self.notices.raise(&StudioMessage::MonitoringFailed { reason }, detail);
            }
            Some(Ok(())) => self.notices.take_back("monitoring-failed"),
            None => {}
        }
    }

    /// Withdraws the notices about a source that was closed. The notices with these keys stay while
    /// another source with the same name does not deliver either.
    pub fn source_closed(&mut self, report: &SourceReport, keys: &[&str]) {
        let name = poll::device_name(report);
        self.tell_alarm(&SourceReport::default(), report, name);
        self.notices.active.clear_of(&["file-failed"], name);
        if name.is_empty() || self.is_still_down(name) {
            return;
        }
        self.notices.active.clear_of(keys, name);
        for key in keys.iter().filter(|_| report.state.is_down()) {
            self.notices.is_over(key, name);
        }
    }

    /// Returns true if an open audio source or the main video source has this name and does not
    /// deliver.
    fn is_still_down(&self, name: &str) -> bool {
        let Some(program) = &self.state.program else { return false };
        let is_it =
            |report: &SourceReport| report.state.is_down() && poll::device_name(report) == name;
        // A camera has its own notices, and can have the same name as its microphone.
        let (_, is_camera) = target_events::video_kind(program.video_choice());
        source_strips::last_reports(program).any(is_it)
            || (!is_camera && is_it(&program.video_report()))
    }

    /// Encodes extra audio tracks while they are needed.
    fn follow_tracks(&mut self) {
        let used = audio_tracks::used(&self.settings.strips);
        let (Some(program), Some(on_air)) = (&self.state.program, &mut self.live.on_air) else {
            return;
        };
        if let Err(reason) = on_air.follow_tracks(used, program) {
            self.notices.raise(&StudioMessage::EncoderFailed { reason }, "");
        }
    }

    /// Returns the state of a strip's source. The main strip's source is the chosen audio source.
    fn strip_report(&self, id: StripId) -> SourceReport {
        let Some(program) = &self.state.program else { return SourceReport::default() };
        if id == StripId::MAIN { program.audio_report() } else { program.strip_report(id) }
    }

    /// Returns the source of a strip. The main strip's source is the chosen audio source.
    fn choice_of<'a>(&'a self, strip: &'a AudioStrip) -> &'a AudioChoice {
        let program = self.state.program.as_ref();
        program.map_or(&strip.choice, |program| program.choice_of(strip))
    }

    /// Returns the name of a strip, and the state of its source.
    fn labelled<'a>(&self, strip: &'a AudioStrip) -> (&'a AudioStrip, String, SourceReport) {
        let report = self.strip_report(strip.id);
        let choice = self.choice_of(strip);
        // A played file is named after itself, not after its device.
        let device = matches!(
            choice,
            AudioChoice::Mic(_) | AudioChoice::System(_) | AudioChoice::Application(_)
        );
        let label = audio_tracks::label(strip, choice, if device { &report.name } else { "" });
        (strip, label, report)
    }

    /// Returns the state of each strip that has a source, for the statistics.
    pub fn strip_stats(&self) -> Vec<stats::Strip> {
        let Some(program) = &self.state.program else { return Vec::new() };
        let strips = self.settings.strips.iter();
        let strips = strips.filter(|strip| *self.choice_of(strip) != AudioChoice::None);
        let figures = strips.map(|strip| self.labelled(strip)).map(|(strip, name, report)| {
            let reading = program.mixer().strip_meter(strip.id).unwrap_or_default();
            stats::Strip {
                name,
                state: report.state,
                level_dbfs: reading.peak_dbfs,
                held_dbfs: reading.held_dbfs,
                clipped: reading.clipped,
                rms_dbfs: reading.rms_dbfs,
                drift_ppm: report.drift_ppm,
            }
        });
        figures.collect()
    }

    /// Returns the names of the recording tracks.
    pub fn track_names(&self) -> TrackNames {
        let given = &self.settings.preferences.recording.track_names;
        if self.state.program.is_none() {
            return given.clone();
        }
        let labelled = self.settings.strips.iter().map(|strip| {
            let (strip, label, _) = self.labelled(strip);
            (strip, label)
        });
        audio_tracks::names(given, &labelled.collect::<Vec<_>>())
    }

    /// Returns the strips and their states, the main strip first.
    pub fn strip_views(&self) -> Vec<StripView> {
        let Some(program) = &self.state.program else { return Vec::new() };
        let (stage, collection) = (&self.state.stage, &self.settings.collection);
        let view = |audio: &AudioStrip| {
            let (_, name, report) = self.labelled(audio);
            let audio = program.resolved(audio);
            let open = (report.state, report.format) == (SourceState::Open, SourceFormat::Unknown);
            StripView {
                name,
                shown: is_shown(&audio, &stage.shown_audio, (collection, &stage.shown_scenes)),
                held: self.state.talking.is_held(audio.id),
                has_no_audio: open && mixer::has_video(&audio.choice),
                device: report.name,
                state: report.state,
                drift_ppm: report.drift_ppm,
                meter: program.mixer().strip_meter(audio.id).unwrap_or_default(),
                audio,
            }
        };
        self.settings.strips.iter().map(view).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::Worker;
    use crate::capture::VideoChoice;
    use crate::media::{FrameRate, ProgramId, Size};
    use crate::mix::filter::{Filter, Slot};
    use crate::mix::{MonitoringMode, Strip};
    use crate::studio::command::Command;
    use crate::studio::engine::handlers::live::tests::{at_rest, end, until, with_program};
    use crate::studio::mixer::TalkMode;
    use crate::studio::program::{CanvasContent, OtherCanvas};
    use crate::studio::scenes::edits::Edit;
    use crate::studio::targets::quality::Quality;

    /// Returns a stream that cannot be reached.
    fn unreachable(port: u16) -> AudioChoice {
        format!("stream:rtmp://127.0.0.1:{port}/live/guest").parse().unwrap()
    }

    /// Returns the names of the sources with a notice that they do not deliver.
    fn troubles(engine: &Engine) -> Vec<String> {
        let notices = engine.notices.active.notices().iter();
        let about = notices.filter(|notice| Group::AudioDown.keys().contains(&notice.key()));
        let mut names: Vec<String> = about.filter_map(|notice| notice.value("device")).collect();
        names.sort();
        names
    }

    /// Waits until this number of audio sources do not deliver.
    fn until_down(engine: &mut Engine, count: usize) {
        until("trouble", || {
            engine.poll_sources();
            engine.poll_strips();
            let program = engine.state.program.as_ref().unwrap();
            source_strips::last_reports(program).filter(|it| it.state.is_down()).count() == count
        });
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_cannot_be_saved_is_refused_with_a_notice() {
        use std::os::unix::ffi::OsStrExt as _;
        use std::path::PathBuf;
        let bad = || PathBuf::from(std::ffi::OsStr::from_bytes(b"/v/a \xFF.wav"));
        let (mut engine, _ends) = at_rest(None);
        let (preferences, strips) =
            (engine.settings.preferences.clone(), engine.settings.strips.clone());
        let mut other = preferences.clone();
        other.recording_folder = bad();
        let (id, choice) = (StripId::MAIN, AudioChoice::File(bad()));
        for command in [
            Command::AddStrip(choice.clone()),
            Command::SelectStrip { id, choice: choice.clone() },
            Command::SetIfSilent { id, choice: Some(choice.clone()) },
            Command::SelectAudio(choice),
            Command::SelectVideo(VideoChoice::File(bad())),
            Command::SetPreferences { preferences: other, part_changes: 0 },
        ] {
            engine.notices.active.clear(&["path-invalid"]);
            engine.handle(command.clone());
            let mut notices = engine.notices.active.notices().iter();
            assert!(notices.any(|it| it.key() == "path-invalid"), "{command:?}");
        }
        let settings = &engine.settings;
        assert_eq!((&settings.preferences, &settings.strips), (&preferences, &strips));
        assert_eq!((&settings.video, &settings.audio), (&None, &None));
    }

    #[test]
    fn the_statistics_omit_strips_without_a_source() {
        let (mut engine, _ends) = with_program(None);
        assert_eq!((engine.settings.strips.len(), engine.strip_stats().len()), (1, 0));
        engine.add_strip(AudioChoice::Tone);
        assert_eq!(engine.strip_stats().len(), 1);
        let program = engine.state.program.as_mut().unwrap();
        assert!(program.select_audio(AudioChoice::Tone, EndBehavior::Loop).is_none());
        assert_eq!(engine.strip_stats().len(), 2);
    }

    #[test]
    fn two_changes_of_a_strip_from_the_same_settings_both_hold() {
        let (mut engine, _ends) = at_rest(None);
        engine.add_strip(AudioChoice::Silence);
        let id = StripId(1);
        let strip = |engine: &Engine| {
            let found = engine.settings.strips.iter().find(|strip| strip.id == id);
            found.unwrap().strip.clone()
        };
        let before = strip(&engine);
        let muted = Strip { muted: true, ..before.clone() };
        let quieter = Strip { gain_db: -6.0, ..before.clone() };
        for strip in [muted, quieter] {
            engine.handle(Command::SetStrip { id, before: before.clone(), strip });
        }
        assert_eq!(strip(&engine), Strip { muted: true, gain_db: -6.0, ..before });
    }

    #[test]
    fn a_released_push_to_talk_key_closes_its_strips_however_it_was_pressed() {
        let (mut engine, _ends) = at_rest(None);
        engine.add_strip(AudioChoice::Silence);
        engine.add_strip(AudioChoice::Silence);
        let [first, second] = [StripId(1), StripId(2)];
        let mut held_after = |id, held| {
            engine.push_to_talk_key(id, held);
            [StripId::MAIN, first, second].map(|id| engine.state.talking.is_held(id))
        };
        assert_eq!(held_after(Some(first), true), [false, true, false]);
        assert_eq!(held_after(None, false), [false; 3]);
        assert_eq!(held_after(None, true), [true; 3]);
        assert_eq!(held_after(Some(first), false), [true, false, true]);
        assert_eq!(held_after(Some(second), false), [true, false, false]);
        assert_eq!(held_after(None, false), [false; 3]);
    }

    #[test]
    fn the_notice_about_a_source_ends_when_its_last_strip_closes_it() {
        let (mut engine, _ends) = with_program(None);
        engine.add_strip(unreachable(1));
        engine.add_strip(unreachable(1));
        until_down(&mut engine, 2);
        assert_eq!(troubles(&engine), ["rtmp://127.0.0.1:1"]);
        engine.remove_strip(StripId(1));
        engine.poll_strips();
        assert_eq!(troubles(&engine), ["rtmp://127.0.0.1:1"], "another strip uses it");
        engine.with_strip(StripId(2), |it| it.choice = AudioChoice::Silence);
        engine.poll_strips();
        assert!(troubles(&engine).is_empty());
        // The event log has its duration.
        assert!(engine.notices.log.entries().iter().any(|entry| entry.lasted.is_some()));
        end(engine);
    }

    #[test]
    fn the_notice_about_a_fallback_ends_when_the_fallback_closes() {
        let (mut engine, _ends) = with_program(None);
        engine.add_strip(unreachable(1));
        engine.with_strip(StripId(1), |it| it.if_silent = Some(unreachable(2)));
        until_down(&mut engine, 2);
        assert_eq!(troubles(&engine), ["rtmp://127.0.0.1:1", "rtmp://127.0.0.1:2"]);
        engine.with_strip(StripId(1), |it| it.if_silent = None);
        engine.poll_strips();
        assert_eq!(troubles(&engine), ["rtmp://127.0.0.1:1"]);
        end(engine);
    }

    #[test]
    fn another_main_source_ends_only_the_notices_about_the_earlier_one() {
        let (mut engine, _ends) = with_program(None);
        engine.select_audio(unreachable(1));
        engine.add_strip(unreachable(2));
        until_down(&mut engine, 2);
        engine.notices.raise(&StudioMessage::MicrophoneLost { device: "Guest".into() }, "");
        let strips = ["Guest", "rtmp://127.0.0.1:2"];
        assert_eq!(troubles(&engine), [strips[0], "rtmp://127.0.0.1:1", strips[1]]);
        engine.select_audio(AudioChoice::Tone);
        assert_eq!(troubles(&engine), strips);
        engine.select_video(VideoChoice::Test);
        assert_eq!(troubles(&engine), strips);
        end(engine);
    }

    #[test]
    fn a_strip_is_audible_only_in_its_scene_also_under_its_new_name() {
        let (mut engine, _ends) = with_program(None);
        engine.edit(&Edit::AddScene("Talk".into()));
        let (main, talk) = (SceneId(1), SceneId(2));
        engine.handle(Command::SetStripScene { id: StripId::MAIN, scene: "Talk".into() });
        let is_muted = |engine: &Engine| {
            let main = engine.strip_views().remove(0);
            let mixer = engine.state.program.as_ref().unwrap().mixer();
            let is_muted = mixer.strip_settings(StripId::MAIN).unwrap().muted;
            assert_eq!(main.audio.is_muted(main.held, main.shown), is_muted);
            is_muted
        };
        assert!(is_muted(&engine));
        engine.switch_scene(talk);
        assert!(!is_muted(&engine));
        engine.edit(&Edit::RenameScene(talk, "Interview".into()));
        assert_eq!(engine.settings.strips[0].scene, "Interview");
        assert!(!is_muted(&engine));
        // A scene that another one shows is in the program too, unless it is hidden there.
        engine.switch_scene(main);
        assert!(is_muted(&engine));
        engine.edit(&Edit::ShowScene { scene: main, shown: talk });
        assert!(!is_muted(&engine));
        let item = engine.settings.collection.scenes[0].items.last().unwrap().id;
        engine.edit(&Edit::HideItem(item, true));
        assert!(is_muted(&engine));
        engine.handle(Command::SetStripScene { id: StripId::MAIN, scene: String::new() });
        assert!(!is_muted(&engine));
        end(engine);
    }

    #[test]
    fn the_main_strip_follows_the_video_of_its_source() {
        let (mut engine, _ends) = with_program(None);
        let clip: AudioChoice = "file:/nowhere/clip.mp4".parse().unwrap();
        engine.select_audio(clip.clone());
        engine.with_strip(StripId::MAIN, |it| it.talk = TalkMode::WhileShown);
        let is_muted = |engine: &Engine| {
            let main = engine.strip_views().remove(0);
            let mixer = engine.state.program.as_ref().unwrap().mixer();
            let is_muted = mixer.strip_settings(StripId::MAIN).unwrap().muted;
            assert_eq!(main.audio.is_muted(main.held, main.shown), is_muted);
            is_muted
        };
        assert!(is_muted(&engine));
        // A microphone has no video that could be hidden.
        engine.select_audio(AudioChoice::Silence);
        assert!(!is_muted(&engine));
        engine.select_audio(clip.clone());
        assert_eq!(engine.strip_views()[0].audio.choice, clip);
        assert!(is_muted(&engine));
        end(engine);
    }

    #[test]
    fn a_source_with_another_name_has_no_notice_under_the_earlier_one() {
        let (mut engine, _ends) = with_program(None);
        let lost = |name: &str| SourceReport {
            state: SourceState::Lost,
            name: name.into(),
            ..SourceReport::default()
        };
        engine.tell_of(&lost("First"), &SourceReport::default(), Some(false));
        engine.tell_of(&lost("Second"), &lost("First"), Some(false));
        assert_eq!(troubles(&engine), ["Second"]);
        end(engine);
    }

    #[test]
    fn a_new_program_has_no_notices_about_the_sources_of_the_earlier_one() {
        let (mut engine, _ends) = with_program(None);
        engine.notices.raise(&StudioMessage::MicrophoneLost { device: "Guest".into() }, "");
        let size = Size::new(640, 360);
        engine.set_quality(&Quality { size, ..engine.settings.quality.clone() });
        assert_eq!(engine.state.quality.size, size);
        assert!(troubles(&engine).is_empty());
        end(engine);
    }

    #[test]
    fn a_quality_chosen_while_a_broadcast_ends_applies_after_it() {
        let (mut engine, _ends) = with_program(None);
        let (release, hangs) = crossbeam_channel::bounded::<()>(0);
        let ending = Worker::spawn("ending", move |_| assert!(hangs.recv().is_err())).unwrap();
        engine.endings.broadcasts.push(ending);
        let size = Size::new(640, 360);
        engine.set_quality(&Quality { size, ..engine.settings.quality.clone() });
        engine.poll();
        let program_size =
            |engine: &Engine| engine.state.program.as_ref().unwrap().compositor().config().size;
        assert_ne!(program_size(&engine), size, "its late audio is lost");
        drop(release);
        until("new size", || {
            engine.poll();
            program_size(&engine) == size
        });
        end(engine);
    }

    #[test]
    fn another_program_also_waits_for_late_audio() {
        let (mut engine, _ends) = with_program(None);
        let folder = tempfile::tempdir().unwrap();
        let (id, scene) = (ProgramId(1), engine.settings.collection.current);
        let canvas = OtherCanvas {
            shows: CanvasContent::Scene(scene),
            size: Size::new(180, 320),
            rate: FrameRate::FPS_30,
        };
        engine.start_program(id, canvas, &folder.path().join("tall.mkv"));
        let strip = Strip { offset_us: -1_000_000, ..Strip::default() };
        engine.state.program.as_ref().unwrap().mixer().set_strip(StripId::MAIN, strip);
        until("delay", || {
            engine.poll_strips();
            engine.live.others[&id].hub().audio_delay() == Duration::from_secs(1)
        });
        engine.stop_programs();
        end(engine);
    }

    #[test]
    fn a_strip_that_captures_the_monitoring_device_is_not_monitored() {
        let (mut engine, _ends) = with_program(None);
        let unmonitored =
            |engine: &Engine| engine.state.program.as_ref().unwrap().mixer().unmonitored();
        let speakers = |name: &str| Monitoring::Device(format!("none:{name}"));
        engine.settings.monitoring = speakers("a");
        engine.add_strip(AudioChoice::System(Some("none:a".into())));
        let captor = BTreeSet::from([StripId(1)]);
        assert_eq!(unmonitored(&engine), captor);
        engine.set_monitoring(speakers("b"));
        assert!(unmonitored(&engine).is_empty());
        engine.set_monitoring(speakers("a"));
        assert_eq!(unmonitored(&engine), captor);
        // A new program has a new mixer.
        let size = Size::new(640, 360);
        engine.set_quality(&Quality { size, ..engine.settings.quality.clone() });
        assert_eq!(unmonitored(&engine), captor);
        engine.set_monitoring(Monitoring::Off);
        assert!(unmonitored(&engine).is_empty());
        end(engine);
    }

    #[test]
    fn captured_monitoring_is_reported_if_someone_hears_it() {
        let strip = |id, monitoring| {
            let strip = Strip { monitoring, ..Strip::default() };
            AudioStrip { strip, ..AudioStrip::new(StripId(id), AudioChoice::Tone) }
        };
        let (off, both) = (MonitoringMode::Program, MonitoringMode::Both);
        let solo = |mut it: AudioStrip| {
            it.strip.solo = true;
            it
        };
        let mute = |mut it: AudioStrip| {
            it.strip.muted = true;
            it
        };
        let (none, tone) = (AudioChoice::None, AudioChoice::Tone);
        let captured = Some(Capture::Delivers);
        // The columns: another strip, its source, the strip that captures, its capture.
        for (other, choice, captor, capture, expected) in [
            (strip(0, off), &tone, strip(1, off), captured, false),
            (strip(0, off), &tone, strip(1, both), captured, true),
            (strip(0, off), &tone, solo(strip(1, off)), captured, true),
            (strip(0, both), &tone, strip(1, off), captured, true),
            (strip(0, both), &tone, strip(1, MonitoringMode::Tracks), captured, false),
            (strip(0, both), &tone, mute(strip(1, both)), captured, false),
            (mute(strip(0, both)), &tone, strip(1, off), captured, false),
            (strip(0, both), &none, strip(1, off), captured, false),
            (strip(0, both), &tone, strip(1, both), Some(Capture::Possible), false),
            (strip(0, both), &tone, strip(1, both), None, false),
        ] {
            let strips = [(&other, choice, None), (&captor, &tone, capture)];
            let expected = expected.then_some(StripId(1));
            assert_eq!(reported_captor(&strips), expected, "{other:?}, {captor:?}");
        }
    }

    #[test]
    fn captured_monitoring_is_reported_once_for_each_strip() {
        let (mut engine, _ends) = with_program(None);
        engine.add_strip(AudioChoice::Silence);
        let reported = |engine: &Engine| -> Vec<Option<String>> {
            let notices = engine.notices.active.notices().iter();
            let about = notices.filter(|it| it.key() == "monitoring-captured");
            about.map(|notice| notice.value("source")).collect()
        };
        for (name, captor, expected) in [
            ("First", Some(StripId(1)), vec![Some("First".to_owned())]),
            ("Second", Some(StripId(1)), vec![Some("First".to_owned())]),
            ("Second", None, Vec::new()),
        ] {
            engine.settings.strips[1].name = name.into();
            engine.report_capture(captor);
            assert_eq!(reported(&engine), expected);
        }
        end(engine);
    }

    #[test]
    fn the_next_strip_does_not_replace_the_removed_side_chain_of_a_filter() {
        let (mut engine, _ends) = with_program(None);
        engine.add_strip(AudioChoice::Tone);
        let filter = Filter::Compressor {
            threshold_dbfs: -30.0,
            ratio: 4.0,
            attack_ms: 6.0,
            release_ms: 60.0,
            gain_db: 0.0,
            side_chain: Some(StripId(1)),
        };
        let filters = vec![Slot { enabled: true, filter }];
        engine.with_strip(StripId::MAIN, |it| it.strip.filters = filters);
        engine.remove_strip(StripId(1));
        engine.add_strip(AudioChoice::Silence);
        let ids = |engine: &Engine| -> Vec<u32> {
            engine.settings.strips.iter().map(|strip| strip.id.0).collect()
        };
        assert_eq!(ids(&engine), [0, 2]);
        engine.step(true);
        engine.step(true);
        assert_eq!(ids(&engine), [0, 1], "undo restores the side chain");
        end(engine);
    }

    #[test]
    fn a_source_that_was_cut_and_pasted_has_the_same_strip() {
        let (mut engine, _ends) = with_program(None);
        let scene = engine.settings.collection.current;
        let choice: VideoChoice = "file:/nowhere/clip.mp4".parse().unwrap();
        engine.edit(&Edit::AddSource { scene, name: "Clip".into(), choice: choice.clone() });
        let muted = Strip { muted: true, gain_db: -6.0, ..Strip::default() };
        engine.with_strip(StripId(1), |it| it.strip = muted);
        let before = engine.settings.strips.clone();
        assert_eq!((before.len(), before[1].strip.muted), (2, true));
        let collection = &engine.settings.collection;
        let item = collection.scenes[0].items.last().unwrap();
        let (id, copied) = (item.id, collection.copied([item]));
        engine.edit(&Edit::RemoveItem(id));
        assert_eq!(engine.settings.strips.len(), 1);
        engine.edit(&Edit::Paste(scene, copied));
        assert_eq!(engine.settings.strips, before);
        // A new source has a new strip.
        engine.step(true);
        engine.edit(&Edit::AddSource { scene, name: "Clip".into(), choice });
        assert_eq!(engine.settings.strips[1].strip, Strip::default());
        end(engine);
    }
}
