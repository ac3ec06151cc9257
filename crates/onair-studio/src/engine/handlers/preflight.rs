//! The pre-flight check: immediate findings, and background tests.

use std::time::Duration;

use crate::audio::AudioChoice;
use crate::media::source_status::{SourceReport, SourceState};
use crate::mix::Reading;
use crate::studio::command::Command;
use crate::studio::engine::Engine;
use crate::studio::engine::handlers::live::cause;
use crate::studio::notices::message::StudioMessage;
use crate::studio::preflight::recommendation::{CheckedTargets, MeasuredQuality, Measurement};
use crate::studio::preflight::{Plan, PlannedCheck, Preflight, UploadTest};
use crate::studio::snapshot::health::readiness;
use crate::studio::snapshot::{Checked, StripView};
use crate::studio::targets::address::AddressFault;
use crate::studio::targets::misfits::misfits;
use crate::studio::targets::{Target, address, services};
use crate::text::Problem;
use crate::text::problem::problem;

/// A microphone counts as off if its maximum level stays below this.
const MIC_OFF_DBFS: f32 = -55.0;

/// Time limit for the end of an earlier check or measurement.
const CHECK_END_TIMEOUT: Duration = Duration::from_secs(10);

impl Engine {
    /// Ends a running check or measurement, and begins the requested one after it, unless a
    /// broadcast is running.
    pub fn request_check(&mut self, command: Command) {
        if self.live.is_busy() || self.live.stopping || self.state.quitting {
            return;
        }
        self.end_checks();
        self.state.requested_check = Some(command);
        self.state.check_by = self.clock.now() + CHECK_END_TIMEOUT;
        self.begin_requested_check();
    }

    /// Begins the requested check or measurement once the stored keys are loaded and the threads of
    /// earlier ones have ended: a service may refuse a second test stream with the same key. A
    /// stuck thread does not delay it further after a while.
    fn begin_requested_check(&mut self) {
        let is_late =
            self.state.requested_check.is_some() && self.clock.now() >= self.state.check_by;
        self.endings.checks.retain(|worker| !is_late && !worker.is_finished());
        if self.state.quitting || self.secrets.pending || !self.endings.checks.is_empty() {
            return;
        }
        match self.state.requested_check.take() {
            Some(Command::Check { test_stream }) => self.check(test_stream),
            Some(Command::MeasureQuality { test_stream }) => self.measure_quality(test_stream),
            _ => {}
        }
    }

    pub fn poll_checks(&mut self) {
        self.begin_requested_check();
        if let Some(preflight) = &mut self.state.preflight {
            preflight.poll();
        }
        if let Some(measurement) = &mut self.state.measurement {
            measurement.poll();
        }
    }

    /// Returns the state of the last check. A requested check counts as running.
    pub fn checked(&self) -> Option<Checked> {
        if let Some(Command::Check { .. }) = self.state.requested_check {
            return Some(Checked { found: Vec::new(), running: true });
        }
        let preflight = self.state.preflight.as_ref()?;
        Some(Checked { found: preflight.found.clone(), running: preflight.is_running() })
    }

    /// Returns the state of the last measurement. A requested measurement counts as running.
    pub fn measured(&self) -> Option<MeasuredQuality> {
        if let Some(Command::MeasureQuality { .. }) = self.state.requested_check {
            return Some(MeasuredQuality { running: true, ..MeasuredQuality::default() });
        }
        self.state.measurement.as_ref().map(|it| it.measured().clone())
    }

    /// Starts a check. `test_stream` is true if the user agrees to test streams.
    fn check(&mut self, test_stream: bool) {
        let mut known = self.sources();
        let audible = self.settings.audio != Some(AudioChoice::None);
        if self.settings.strips.first().is_some_and(|main| main.strip.muted) && audible {
            known.push(StudioMessage::FoundMuted {});
        }
        // Without a microphone, the main source is silence, which the user did not choose.
        let chose_silence =
            matches!(self.settings.audio, Some(AudioChoice::None | AudioChoice::Silence));
        let is_silent = self.state.program.as_ref().is_some_and(|program| {
            matches!(program.audio_choice(), AudioChoice::None | AudioChoice::Silence)
        });
        let is_about_audio = |it: &StudioMessage| {
            matches!(it, StudioMessage::FoundMuted {} | StudioMessage::FoundAudioDown { .. })
        };
        if is_silent
            && !chose_silence
            && !known.iter().any(is_about_audio)
            && !readiness(&self.snapshot(false)).audio
        {
            known.push(StudioMessage::FoundNoAudio { reason: problem!("device-no-microphone") });
        }
        known.extend(misfits(&self.targets.list, &self.services, &self.settings.quality));
        let asked = self.planned_checks(&mut known, test_stream);
        if test_stream && !self.has_custom_server() {
            known.push(StudioMessage::FoundNoTestStream {});
        }
        let folder = self.settings.preferences.recording_folder.clone();
        let plan = Plan { folder: Some(folder), ..self.plan(asked) };
        match Preflight::start(&known, plan) {
            Ok(preflight) => self.state.preflight = Some(preflight),
            Err(error) => self.no_thread(&error),
        }
    }

    /// Returns true if a target with a custom server is on. Only such a server gets a test stream.
    fn has_custom_server(&self) -> bool {
        self.targets.list.iter().any(|target| {
            target.enabled
                && !target.is_built_in()
                && self.upload_test(target, true) == UploadTest::TestStream
        })
    }

    /// Returns the way to test the upload to a target. `test_stream` is true if the user agrees to
    /// test streams.
    fn upload_test(&self, target: &Target, test_stream: bool) -> UploadTest {
        let service = self.services.of_target(&target.service, target.server());
        UploadTest::of(service, target.server(), test_stream)
    }

    /// Returns messages about the current states of the sources.
    fn sources(&self) -> Vec<StudioMessage> {
        let Some(program) = &self.state.program else { return Vec::new() };
        let collection = &self.settings.collection;
        let mut found = Vec::new();
        if program.has_video() {
            found.push(match program.open_video(collection) {
                Some(name) => StudioMessage::FoundVideo { name },
                None => StudioMessage::FoundNoVideo {
                    reason: program.video_failure().unwrap_or_else(|| problem!("source-no-data")),
                },
            });
            let down = program.video_down(collection).into_iter();
            found.extend(down.map(|source| StudioMessage::FoundSourceDown { source }));
        }
        let strips = self.strip_views();
        let (choice, report) = (program.audio_choice(), program.audio_report());
        let meter = program.mixer().meter();
        found.extend(strips.first().and_then(|main| main_audio(choice, report, main, &meter)));
        let others = strips.into_iter().skip(1);
        let down = others.filter(|strip| is_audible(strip) && strip.state.is_down());
        found.extend(down.map(|strip| StudioMessage::FoundAudioDown {
            source: strip.name,
            reason: reason_of(program.strip_report(strip.audio.id)),
        }));
        found
    }

    /// Starts to measure the recommended quality. `test_stream` is true if the user agrees to a
    /// test stream.
    fn measure_quality(&mut self, test_stream: bool) {
        let enabled = self.targets.list.iter().filter(|target| target.enabled);
        let far = enabled.filter(|target| !target.is_built_in());
        let services =
            far.clone().filter_map(|it| self.services.of_target(&it.service, it.server()));
        let limits = services.map(|service| service.limits).collect();
        let targets = CheckedTargets { count: far.count() as u32, limits };
        let mut faults = Vec::new();
        let asked = self.planned_checks(&mut faults, test_stream);
        let fault = faults.first().map(StudioMessage::problem);
        match Measurement::start(self.plan(asked), targets, fault) {
            Ok(measurement) => self.state.measurement = Some(measurement),
            Err(error) => self.no_thread(&error),
        }
    }

    /// Ends a requested or running check and measurement. Their test streams would take upload from
    /// the broadcast, and a service may refuse a second stream with the same key.
    pub fn end_checks(&mut self) {
        self.state.requested_check = None;
        let check = self.state.preflight.take_if(|it| it.is_running()).map(Preflight::end);
        let measurement = self.state.measurement.take_if(|it| it.is_running());
        self.endings.checks.extend(check.into_iter().chain(measurement.map(Measurement::end)));
    }

    fn no_thread(&mut self, error: &std::io::Error) {
        let reason = error.into();
        self.notices.raise(&StudioMessage::EncoderFailed { reason }, "");
    }

    fn compose_time(&self) -> Duration {
        let program = self.state.program.as_ref();
        program.map(|program| program.compositor().figures().draw_time).unwrap_or_default()
    }

    fn plan(&self, targets: Vec<PlannedCheck>) -> Plan {
        Plan {
            runtime: self.runtime.clone(),
            clock: self.clock,
            quality: self.settings.quality.clone(),
            compose_time: self.compose_time(),
            folder: None,
            targets,
        }
    }

    /// Returns the enabled targets that can be checked. The problems of the other enabled targets
    /// are added to `known`.
    fn planned_checks(
        &mut self,
        known: &mut Vec<StudioMessage>,
        test_stream: bool,
    ) -> Vec<PlannedCheck> {
        let enabled: Vec<_> =
            self.targets.list.iter().filter(|target| target.enabled).cloned().collect();
        if enabled.is_empty() {
            known.push(StudioMessage::NoTarget {});
        }
        let mut asked = Vec::new();
        for target in enabled {
            if target.is_built_in() {
                self.start_built_in_if_needed();
            }
            match address::resolve(&target, self.built_in.entrance(), &self.config.options, None) {
                Ok(resolved) => {
                    asked.push(PlannedCheck {
                        id: target.id,
                        host: resolved.url.host_and_port(),
                        upload_test: self.upload_test(&target, test_stream),
                        built_in: target.is_built_in(),
                        target: resolved,
                    });
                }
                Err(reason) => {
                    // Otherwise the stored key would seem to be missing.
                    let is_keyring_silent = self.secrets.answered != self.secrets.fetch
                        && target.remembers_key()
                        && address::fault(&target) == Some(AddressFault::NoKey);
                    known.push(StudioMessage::FoundTargetFailed {
                        id: target.id,
                        host: services::host_of(target.server()).unwrap_or("?").to_owned(),
                        cause: match is_keyring_silent {
                            true => StudioMessage::KeyringSilent {}.problem(),
                            false => cause(reason),
                        },
                        pin: None,
                    });
                }
            }
        }
        asked
    }
}

/// Returns the message about the main audio source; there is none about silence. `strip` is the
/// main strip, and `meter` is the reading of the program's meter.
fn main_audio(
    choice: &AudioChoice,
    report: SourceReport,
    strip: &StripView,
    meter: &Reading,
) -> Option<StudioMessage> {
    let db = format!("{:.0}", meter.held_dbfs).replace('-', "−");
    match (choice, report.state) {
        (AudioChoice::None | AudioChoice::Silence, _) => None,
        (_, SourceState::Open) if meter.clipped => Some(StudioMessage::FoundLoud { db }),
        // The level of the program is that of other sources.
        (_, SourceState::Open) if !strip.audio.strip.monitoring.in_program() => {
            Some(StudioMessage::FoundMonitorOnly { source: strip.name.clone() })
        }
        // The level of the source is unknown.
        (_, SourceState::Open) if strip.audio.is_muted(strip.held, strip.shown) => None,
        // Other sources may be audible in the program.
        (AudioChoice::Mic(_), SourceState::Open) if strip.meter.held_dbfs < MIC_OFF_DBFS => {
            Some(StudioMessage::FoundSilence {})
        }
        (_, SourceState::Open) => Some(StudioMessage::FoundAudio { db }),
        _ => Some(StudioMessage::FoundNoAudio { reason: reason_of(report) }),
    }
}

/// Returns true if viewers should hear the strip, at least while its key is held or released.
fn is_audible(strip: &StripView) -> bool {
    strip.audio.strip.monitoring.in_program()
        && [true, false].iter().any(|held| !strip.audio.is_muted(*held, strip.shown))
}

/// Returns the reason why a source delivers no data.
fn reason_of(report: SourceReport) -> Problem {
    Some(report.reason).filter(|it| !it.is_empty()).unwrap_or_else(|| problem!("source-no-data"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::queue::{self, Full};
    use crate::base::{Latest, Secret, Worker};
    use crate::media::Size;
    use crate::mix::{MonitoringMode, Strip, StripId};
    use crate::studio::engine::handlers::live::tests::{at_rest, end, until, with_program};
    use crate::studio::mixer::{AudioStrip, TalkMode};
    use crate::studio::program::Program;
    use crate::studio::sources::open::SourceOpener;
    use crate::studio::targets::quality::Quality;

    #[test]
    fn a_check_without_a_microphone_warns_unless_silence_was_chosen() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends) = at_rest(None);
        let quality = Quality { size: Size::new(320, 180), ..Quality::default() };
        let media = SourceOpener::opened_by(crate::capture::open_by);
        let program = Program::start(engine.clock, &quality, Latest::default(), media).unwrap();
        engine.state.program = Some(program);
        engine.settings.quality = quality;
        engine.settings.preferences.recording_folder = folder.path().to_owned();
        for (choice, warns) in [(None, true), (Some(AudioChoice::Silence), false)] {
            engine.settings.audio = choice;
            engine.state.preflight = None;
            engine.check(false);
            let found = &engine.state.preflight.as_ref().unwrap().found;
            let is_told = found.iter().any(|notice| notice.key() == "found-no-audio");
            assert_eq!(is_told, warns);
        }
    }

    #[test]
    fn a_check_says_that_a_test_stream_has_no_server() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends) = at_rest(None);
        engine.settings.preferences.recording_folder = folder.path().to_owned();
        let custom = || Target::custom(1, "rtmp://h.example/app", "key".into());
        let twitch = Target::custom(2, "rtmp://live.twitch.tv/app", "key".into());
        for (target, is_custom) in [
            (Target::built_in(), false),
            (Target { service: "twitch".into(), ..twitch }, false),
            (Target { enabled: false, ..custom() }, false),
            (custom(), true),
        ] {
            engine.targets.list = vec![target];
            assert_eq!(engine.has_custom_server(), is_custom, "{:?}", engine.targets.list);
        }
        engine.targets.list.clear();
        for test_stream in [true, false] {
            engine.state.preflight = None;
            engine.check(test_stream);
            let found = &engine.state.preflight.as_ref().unwrap().found;
            let is_told = found.iter().any(|notice| notice.key() == "found-no-test-stream");
            assert_eq!(is_told, test_stream);
        }
    }

    #[test]
    fn a_silent_microphone_is_found_beside_music_unless_it_is_muted_or_waits_for_its_key() {
        let music = Reading { held_dbfs: -12.0, ..Reading::default() };
        let found = |muted, talk, held_dbfs| {
            let strip = Strip { muted, ..Strip::default() };
            let audio = AudioStrip { strip, talk, ..AudioStrip::main() };
            let mut view = StripView::open(audio, "Microphone");
            view.meter.held_dbfs = held_dbfs;
            let report = SourceReport { state: SourceState::Open, ..SourceReport::default() };
            main_audio(&AudioChoice::Mic(None), report, &view, &music)
        };
        assert_eq!(found(false, TalkMode::Open, -60.0), Some(StudioMessage::FoundSilence {}));
        assert_eq!(found(true, TalkMode::Open, -60.0), None);
        assert_eq!(found(false, TalkMode::PushToTalk, -60.0), None);
        let works = StudioMessage::FoundAudio { db: "−12".into() };
        assert_eq!(found(false, TalkMode::Open, -20.0), Some(works));
    }

    #[test]
    fn a_microphone_that_viewers_do_not_hear_is_named_and_not_called_working() {
        let strip = Strip { monitoring: MonitoringMode::MonitorOnly, ..Strip::default() };
        let mut view = StripView::open(AudioStrip { strip, ..AudioStrip::main() }, "Voice");
        view.meter.held_dbfs = -12.0;
        let report = SourceReport { state: SourceState::Open, ..SourceReport::default() };
        let found = main_audio(&AudioChoice::Mic(None), report, &view, &Reading::default());
        assert_eq!(found, Some(StudioMessage::FoundMonitorOnly { source: "Voice".into() }));
    }

    #[test]
    fn other_audio_sources_that_viewers_should_hear_are_checked() {
        let (mut engine, _ends) = with_program(None);
        engine.select_audio(AudioChoice::Silence);
        engine.add_strip(AudioChoice::File("/nowhere/jingle.wav".into()));
        let id = StripId(1);
        let is_found = |engine: &Engine| {
            let mut found = engine.sources().into_iter();
            found.any(|it| matches!(it, StudioMessage::FoundAudioDown { .. }))
        };
        until("failure of the file", || is_found(&engine));
        engine.with_strip(id, |it| it.talk = TalkMode::PushToTalk);
        assert!(is_found(&engine));
        engine.with_strip(id, |it| it.strip.muted = true);
        assert!(!is_found(&engine));
        engine.with_strip(id, |it| {
            it.strip = Strip { monitoring: MonitoringMode::Tracks, ..Strip::default() };
        });
        assert!(!is_found(&engine));
        end(engine);
    }

    #[test]
    fn a_new_check_or_measurement_replaces_a_running_one_and_begins_after_its_end() {
        let folder = tempfile::tempdir().unwrap();
        for command in
            [Command::Check { test_stream: false }, Command::MeasureQuality { test_stream: false }]
        {
            let (mut engine, _ends) = at_rest(None);
            engine.settings.preferences.recording_folder = folder.path().to_owned();
            engine.state.preflight = Some(Preflight::endless().unwrap());
            engine.state.measurement = Some(Measurement::endless().unwrap());
            // The end of the earlier test stream takes a while.
            let (closed, waits) = queue::bounded::<()>("closed", 1, Full::Block);
            let ending = Worker::spawn("ending", move |_| assert!(waits.recv().is_none())).unwrap();
            engine.endings.checks.push(ending);
            engine.handle(command.clone());
            engine.poll();
            assert!(engine.state.preflight.is_none() && engine.state.measurement.is_none());
            let (checked, measured) = (engine.checked(), engine.measured());
            let is_check = matches!(command, Command::Check { .. });
            assert_eq!(checked.map(|it| it.running), is_check.then_some(true));
            assert_eq!(measured.map(|it| it.running), (!is_check).then_some(true));
            drop(closed);
            until("new check", || {
                engine.poll();
                engine.state.requested_check.is_none()
            });
            assert_eq!(engine.state.preflight.is_some(), is_check);
            assert_eq!(engine.state.measurement.is_some(), !is_check);
        }
    }

    #[test]
    fn a_check_begins_after_a_while_if_an_earlier_one_does_not_end() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends) = at_rest(None);
        engine.settings.preferences.recording_folder = folder.path().to_owned();
        let (closed, waits) = queue::bounded::<()>("closed", 1, Full::Block);
        let stuck = Worker::spawn("stuck", move |_| assert!(waits.recv().is_none())).unwrap();
        engine.endings.checks.push(stuck);
        engine.handle(Command::Check { test_stream: false });
        engine.poll();
        assert!(engine.state.preflight.is_none());
        engine.state.check_by = engine.clock.now();
        engine.poll();
        assert!(engine.state.preflight.is_some() && engine.state.requested_check.is_none());
        drop(closed);
    }

    #[test]
    fn a_check_waits_for_the_keyring_and_reports_if_it_does_not_respond() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends) = at_rest(None);
        engine.settings.preferences.recording_folder = folder.path().to_owned();
        engine.targets.list = vec![Target {
            remember_key: true,
            keep_as: "one".into(),
            ..Target::custom(1, "rtmp://127.0.0.1:1/app", Secret::default())
        }];
        (engine.secrets.pending, engine.secrets.fetch) = (true, 1);
        engine.handle(Command::Check { test_stream: false });
        engine.poll();
        assert!(engine.state.preflight.is_none());
        assert!(engine.checked().is_some_and(|checked| checked.running));
        engine.secrets.wait_until = Some(engine.clock.now());
        engine.poll();
        let found = &engine.state.preflight.as_ref().unwrap().found;
        let failed = found.iter().find(|notice| notice.key() == "found-target-failed").unwrap();
        assert!(failed.summary().contains("keyring is not responding"), "{failed:?}");
        assert!(failed.advice().starts_with("Unlock the keyring"), "{failed:?}");
    }

    #[test]
    fn a_broadcast_and_a_recording_end_a_running_check() {
        let folder = tempfile::tempdir().unwrap();
        for records in [false, true] {
            let (mut engine, _ends) = with_program(None);
            engine.targets.list = vec![Target::custom(1, "rtmp://127.0.0.1:1/app", "key".into())];
            engine.state.preflight = Some(Preflight::endless().unwrap());
            engine.state.measurement = Some(Measurement::endless().unwrap());
            match records {
                true => engine.start_recording(folder.path().join("show.mkv")),
                false => engine.go_live(),
            }
            assert!(engine.live.is_busy());
            let snapshot = engine.snapshot(false);
            assert!(snapshot.checked.is_none() && snapshot.measured.is_none());
            end(engine);
        }
    }
}
