//! Runs the broadcast: sends the commands, prints the events, and determines the exit code. The
//! file is long because its tests feed whole runs of events.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use crate::base::Timestamp;
use crate::base::queue::Empty;
use crate::cli::live::control::Run;
use crate::cli::live::control::run::RunCommands;
use crate::cli::live::folded::Folded;
use crate::cli::live::missing_source::Missing;
use crate::cli::live::remote_control;
use crate::cli::output::exit::Exit;
use crate::cli::output::{Output, complain, events};
use crate::cli::process::signals::{Interrupt, cannot_start};
use crate::media::Track;
use crate::mix::Strip;
use crate::net::Trouble;
use crate::studio::event::stats::Stats;
use crate::studio::event::{ProgramName, Recording, RecordingState, TargetState};
use crate::studio::notices::message::StudioMessage;
use crate::studio::targets::address;
use crate::studio::{Command, Config, Event, ProgramCommand, Studio};
use crate::text::Problem;
use crate::ui::input::rules::runner::RuleRunner;

/// The time limit for the end of the broadcast without late audio, after which the process exits
/// anyway.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// The time limit for the end of the broadcast while a recording is being finalized. It is longer
/// than the 30 s after which the studio reports that the disk was too slow.
const RECORDING_END_TIMEOUT: Duration = Duration::from_secs(35);

/// How long onair waits for events between checks of the clock and of Ctrl-C, before the first
/// frame.
const EAGER_POLL_INTERVAL: Duration = Duration::from_millis(20);
/// How long onair waits for events between checks of the clock and of Ctrl-C, after the first
/// frame.
const CALM_POLL_INTERVAL: Duration = Duration::from_millis(80);

/// The result of the broadcast so far.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The last state of each target, and the exit code of its failure.
    targets: BTreeMap<usize, (TargetState, Option<u8>)>,
    /// The targets that have been live at some time.
    live: BTreeMap<usize, bool>,
    /// The last problem of each target.
    trouble: BTreeMap<usize, Trouble>,
    /// The main sources, each with the state that determines the exit code if the source never
    /// delivers.
    sources: BTreeMap<bool, Missing>,
    /// The state of the recording of `--record`.
    recording: Option<RecordingState>,
    /// The newest file of this recording.
    recorded_file: PathBuf,
    /// True if a command has begun another recording, whose state does not count.
    is_recorded_again: bool,
    /// The states of the recordings of single sources and of the second canvas, and why they failed.
    sources_recorded: BTreeMap<String, (RecordingState, Option<Problem>)>,
    /// The recordings that are being written.
    writing: BTreeSet<PathBuf>,
    /// The time at which the first frame (or audio, without video) was encoded.
    first: Option<Timestamp>,
    last_stats: Option<Box<Stats>>,
    stopped: bool,
    /// True if the studio panicked.
    crashed: bool,
    /// The first failure of an encoder.
    codec_failed: Option<Problem>,
    /// The first source that could not be opened.
    device_failed: Option<Problem>,
    /// The reason why the file of `--copy` was not sent to its end.
    copy_failed: Option<Problem>,
    /// The reason why the recording of `--record` is not complete.
    recording_failed: Option<Problem>,
}

/// Runs the broadcast to its end.
pub(super) fn run(config: Config, run: &Run, output: &Output) -> Exit {
    let (record, duration) = (run.record.as_deref(), run.duration);
    let clock = config.clock;
    let refuse = |why: &Problem| output.refuse(why, Exit::Error);
    let interrupt = match Interrupt::listen() {
        Ok(interrupt) => interrupt,
        Err(why) => return refuse(&why),
    };
    output.write_beside();
    let mut orders = match RunCommands::listen(run) {
        Ok(orders) => orders,
        Err(error) => return refuse(&cannot_start(&error)),
    };
    let enabled = config.settings.targets.iter().filter(|target| target.enabled);
    let targets: Vec<usize> = enabled.map(|target| target.id as usize).collect();
    let visible = shows_key(&config);
    let has_rules = !config.settings.rules.is_empty();
    let mut studio = match Studio::start(config) {
        Ok(studio) => studio,
        Err(error) => return refuse(&cannot_start(&error)),
    };
    let Some(events) = studio.events() else { return Exit::Error };
    let _rules = match has_rules.then(|| RuleRunner::start(studio.link())).transpose() {
        Ok(rules) => rules,
        Err(error) => return refuse(&cannot_start(&error)),
    };
    if run.virtual_camera {
        studio.send(Command::SwitchVirtualCamera(true));
    }
    let remote = run.remote.clone().map(|it| remote_control::start(&studio, it, output));
    // Dropping the server disconnects its clients.
    let _remote = match remote.transpose() {
        Ok(remote) => remote,
        Err(why) => return output.refuse(&why, Exit::File),
    };
    if visible {
        events::print_message(output, &StudioMessage::KeyVisible {});
    }
    let (mut outcome, mut folded) = (Outcome::default(), Folded::default());
    if let Some(path) = run.record_canvas.clone() {
        studio.send(Command::Programs(ProgramCommand::RecordCanvas(path)));
    }
    if !run.sources.is_empty() {
        studio.send(Command::Programs(ProgramCommand::RecordSources(run.sources.clone())));
    }
    if let Some((path, again)) = run.copy.clone() {
        studio.send(Command::SendFile { path, again });
    } else if record.is_none() || !targets.is_empty() {
        studio.send(Command::GoLive);
    }
    if let Some(path) = record {
        studio.send(Command::StartRecording(path.to_owned()));
    }
    let (mut stopping_since, mut draining) = (None, false);
    // If no target accepts the file, the run ends after the configured duration.
    let started = run.copy.as_ref().map(|_| clock.now());
    loop {
        let patience = match outcome.first {
            None => EAGER_POLL_INTERVAL,
            Some(first) => duration.map_or(CALM_POLL_INTERVAL, |duration| {
                (first + duration).since(clock.now()).clamp(EAGER_POLL_INTERVAL, CALM_POLL_INTERVAL)
            }),
        };
        match events.recv_timeout(patience) {
            Ok(event) => {
                outcome.note(&event);
                folded.print(output, &event);
            }
            Err(Empty::Waiting) => {}
            Err(Empty::Closed) => break,
        }
        let is_ending = stopping_since.is_some() || draining;
        if outcome.is_over(record.is_some(), is_ending)
            && (is_ending || !outcome.goes_on(run.stays()))
        {
            break;
        }
        if outcome.first.is_none() && studio.snapshot().figures.encoded > 0 {
            outcome.first = Some(clock.now());
        }
        let over = duration.zip(outcome.first.or(started));
        let over = over.is_some_and(|(duration, first)| clock.now() >= first + duration);
        let hopeless = outcome
            .is_hopeless(&targets, || record.is_some() || studio.snapshot().recording.is_some());
        let stop = orders.run(&studio, output);
        match stopping_since {
            None if run.drain && !draining && !hopeless && (over || stop || interrupt.is_set()) => {
                studio.send(Command::StopRecording);
                studio.send(Command::StopAfterDelay);
                draining = true;
            }
            // A second Ctrl-C ends onair immediately.
            None if hopeless || stop || !draining && (over || interrupt.is_set()) => {
                if run.stays() && !studio.snapshot().is_live_or_recording() {
                    break;
                }
                studio.send(Command::StopRecording);
                studio.send(Command::StopLive);
                stopping_since = Some(clock.now());
            }
            Some(since) if clock.now().since(since) > outcome.end_timeout() => break,
            _ => {}
        }
    }
    let snapshots = studio.snapshots();
    match studio.end(END_TIMEOUT) {
        Ok(()) => outcome.crashed = !snapshots.get().is_some_and(|snapshot| snapshot.ended),
        Err(stuck) => tracing::warn!(%stuck, "the end took too long"),
    }
    while let Ok(event) = events.try_recv() {
        outcome.note(&event);
        folded.print(output, &event);
    }
    folded.end(output);
    let (exit, error) = outcome.result(&targets, record.is_some());
    if let Some(why) = &outcome.copy_failed {
        complain(why.clone());
    }
    events::summary(output, outcome.last_stats.as_deref(), exit, || {
        let seconds =
            outcome.first.map(|first| crate::cli::output::stats::seconds(clock.now().since(first)));
        let error = error.map(|why| output.language().say_with_cure(why));
        json!({ "seconds": seconds, "error": error })
    });
    exit
}

/// Returns true if the command line contains a stream key, which other users of this computer can
/// see.
fn shows_key(config: &Config) -> bool {
    // Only a broadcast to targets from the settings can be resumed. Their keys are stored.
    config.on_air_mark.is_none() && config.settings.targets.iter().any(address::has_key_in_address)
}

impl Outcome {
    pub(super) fn note(&mut self, event: &Event) {
        match event {
            Event::Target(target) => {
                // A failed target stays failed; after it has ended, its last state counts.
                let exit = target.exit.or(match target.state {
                    TargetState::Stopped | TargetState::Live => None,
                    _ => self.targets.get(&target.index).and_then(|(_, exit)| *exit),
                });
                if target.state == TargetState::Live {
                    self.live.insert(target.index, true);
                }
                self.targets.insert(target.index, (target.state, exit));
                if target.state == TargetState::Reconnecting {
                    self.live.insert(target.index, false);
                }
                if target.state == TargetState::Connecting {
                    // The target was only live for a moment: some servers refuse by closing the
                    // connection.
                    self.live.remove(&target.index);
                }
                if let (Some(trouble), Some(_)) = (target.trouble, target.retry_in) {
                    self.trouble.insert(target.index, trouble);
                }
            }
            Event::Source(source) => {
                let missing = self.sources.entry(source.track == Track::Video).or_default();
                missing.note(source);
            }
            Event::Recording(recording) => self.note_recording(recording),
            Event::Stats(stats) => self.last_stats = Some(stats.clone()),
            Event::Totals(last) => self.last_stats.get_or_insert_default().count(last),
            Event::Notice(notice) if notice.key() == "passthrough-failed" => {
                self.copy_failed = Some(notice.problem.clone());
            }
            Event::Notice(notice) if notice.key() == "encoder-failed" => {
                self.codec_failed.get_or_insert_with(|| notice.problem.clone());
            }
            Event::Notice(notice) if notice.key() == "file-failed" => {
                self.device_failed.get_or_insert_with(|| notice.problem.clone());
            }
            Event::Stopped => self.stopped = true,
            _ => {}
        }
    }

    fn note_recording(&mut self, recording: &Recording) {
        match recording.state {
            RecordingState::Writing => self.writing.insert(recording.path.clone()),
            _ => self.writing.remove(&recording.path),
        };
        match &recording.program {
            ProgramName::Main => {}
            // A name that no source has.
            ProgramName::Second => return self.note_source("", recording),
            ProgramName::Source(name) => return self.note_source(name, recording),
        }
        let is_over = self.recording.is_some_and(|state| state != RecordingState::Writing);
        let is_other = self.recording.is_some() && self.recorded_file != recording.path;
        // Another recording begins with its own first file, perhaps while the earlier one is
        // finalized.
        self.is_recorded_again |= recording.part == 1 && (is_over || is_other);
        let is_later = self.is_recorded_again && (is_over || is_other);
        // A recording of which one part failed is not complete.
        if !is_later && self.recording != Some(RecordingState::Failed) {
            self.recording = Some(recording.state);
            self.recorded_file.clone_from(&recording.path);
            if recording.state == RecordingState::Failed {
                self.recording_failed = recording.message().map(|message| message.problem());
            }
        }
    }

    /// Notes the state of the recording of a source. If one part failed, it is not complete.
    fn note_source(&mut self, name: &str, recording: &Recording) {
        let why = recording.message().map(|message| message.problem());
        let state = self.sources_recorded.entry(name.to_owned());
        let state = state.or_insert((RecordingState::Writing, None));
        if state.0 != RecordingState::Failed {
            *state = (recording.state, why.filter(|_| recording.state == RecordingState::Failed));
        }
    }

    /// Returns the time limit for the end of the broadcast, including its late audio.
    fn end_timeout(&self) -> Duration {
        let limit = if self.writing.is_empty() { END_TIMEOUT } else { RECORDING_END_TIMEOUT };
        limit + Strip::MAX_OFFSET
    }

    /// Returns true if the broadcast has stopped. If no target can be used, going live fails before
    /// the requested recording begins, and the run goes on.
    fn is_over(&mut self, recorded: bool, stopping: bool) -> bool {
        let awaits_recording =
            recorded && !stopping && self.codec_failed.is_none() && self.recording.is_none();
        std::mem::take(&mut self.stopped) && !awaits_recording
    }

    /// Returns true if the run goes on after the broadcast has stopped, because a client of remote
    /// control can start the next one, or the virtual camera is in use.
    fn goes_on(&self, stays: bool) -> bool {
        stays && self.codec_failed.is_none() && self.copy_failed.is_none()
    }

    /// Returns true if all targets have failed, and the run has nothing else to do. `recorded` says
    /// whether there is a recording, which goes on until the end of the run.
    fn is_hopeless(&self, targets: &[usize], recorded: impl FnOnce() -> bool) -> bool {
        !targets.is_empty()
            && self.targets.len() == targets.len()
            && self.targets.values().all(|(state, _)| *state == TargetState::Failed)
            && !recorded()
    }

    /// Returns 0 if every target was live at the end and the recording is complete, or else the
    /// exit code of the first failure. The failure of the encoder, a source, the recording or the
    /// file of `--copy` is also returned.
    fn result(&self, targets: &[usize], recorded: bool) -> (Exit, Option<&Problem>) {
        if self.crashed {
            return (Exit::Error, None);
        }
        if self.codec_failed.is_some() {
            return (Exit::Codec, self.codec_failed.as_ref());
        }
        if self.copy_failed.is_some() {
            return (Exit::File, self.copy_failed.as_ref());
        }
        if targets.is_empty() && !recorded {
            return (Exit::Usage, None);
        }
        for index in targets {
            let live = self.live.get(index).copied().unwrap_or_default();
            match self.targets.get(index) {
                Some((TargetState::Failed, exit)) => return (events::exit(*exit), None),
                Some(_) if live => {}
                // The target was live and was reconnecting at the end, or was never live.
                Some(_) if self.live.contains_key(index) => return (Exit::Lost, None),
                _ => {
                    let trouble = self.trouble.get(index).copied().unwrap_or(Trouble::Failed);
                    return (events::exit(Some(trouble.class().exit_code())), None);
                }
            }
        }
        if self.device_failed.is_some() {
            return (Exit::File, self.device_failed.as_ref());
        }
        if let Some(failure) = self.sources.values().find_map(Missing::failure) {
            return failure;
        }
        if recorded && self.recording != Some(RecordingState::Finished) {
            return (Exit::File, self.recording_failed.as_ref());
        }
        let mut sources = self.sources_recorded.values();
        if let Some((_, why)) = sources.find(|(state, _)| *state != RecordingState::Finished) {
            return (Exit::File, why.as_ref());
        }
        (Exit::Ok, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::source_status::{SourceReport, SourceState};
    use crate::studio::event::{Source, Target, stats};

    fn target(state: TargetState, trouble: Option<Trouble>, exit: Option<u8>) -> Event {
        let retry_in = trouble.filter(|_| exit.is_none()).map(|_| Duration::from_secs(1));
        Event::Target(Target { state, trouble, exit, retry_in, ..Target::default() })
    }

    /// Returns the exit code of a run with one target and these events.
    fn exit(events: &[Event]) -> Exit {
        let mut outcome = Outcome::default();
        events.iter().for_each(|event| outcome.note(event));
        outcome.result(&[0], false).0
    }

    #[test]
    fn the_kind_of_trouble_names_the_code_whenever_it_ends() {
        for (trouble, code) in [
            (Trouble::NoSuchHost, Exit::Unreachable),
            (Trouble::NoNetwork, Exit::Unreachable),
            (Trouble::Timeout, Exit::Unreachable),
            (Trouble::Settings, Exit::File),
            (Trouble::Refused, Exit::Refused),
            (Trouble::Busy, Exit::Refused),
            (Trouble::Lost, Exit::Lost),
        ] {
            let trying = target(TargetState::Connecting, Some(trouble), None);
            assert_eq!(exit(&[trying]), code, "interrupted: {trouble:?}");
            let given_up = Some(trouble.class().exit_code());
            let failed = target(TargetState::Failed, Some(trouble), given_up);
            assert_eq!(exit(&[failed]), code, "given up: {trouble:?}");
        }
        let live = target(TargetState::Live, None, None);
        let lost = target(TargetState::Reconnecting, Some(Trouble::Busy), None);
        assert_eq!(exit(&[live.clone(), lost]), Exit::Lost, "was live once");
        assert_eq!(exit(std::slice::from_ref(&live)), Exit::Ok);
        let mut crashed = Outcome { crashed: true, ..Outcome::default() };
        crashed.note(&live);
        assert_eq!(crashed.result(&[0], false).0, Exit::Error);
    }

    #[test]
    fn a_key_on_the_command_line_is_visible_with_a_settings_file_too() {
        let config = |key: &str| {
            let target = crate::studio::Target::custom(0, "rtmp://h/app/key", key.into());
            let settings = crate::studio::Settings { targets: vec![target], ..Default::default() };
            let keys_path = Some("keys.toml".into());
            Config { keys_path, ..Config::new(crate::base::Clock::start(), settings) }
        };
        assert!(shows_key(&config("")));
        assert!(!shows_key(&config("from a file")));
        let on_air_mark = Some("on-air.toml".into());
        assert!(!shows_key(&Config { on_air_mark, ..config("") }), "targets of the settings");
    }

    fn recording(path: &str, part: u32, state: RecordingState) -> Event {
        Event::Recording(Recording {
            program: ProgramName::Main,
            path: path.into(),
            state,
            duration: Duration::from_secs(1),
            bytes: 1,
            reason: None,
            part,
            paused: false,
        })
    }

    #[test]
    fn the_end_waits_for_every_recording_on_a_slow_disk() {
        let mut outcome = Outcome::default();
        let mut limit_after = |path, state| {
            outcome.note(&recording(path, 1, state));
            outcome.end_timeout() - Strip::MAX_OFFSET
        };
        assert_eq!(limit_after("show.mp4", RecordingState::Writing), RECORDING_END_TIMEOUT);
        assert_eq!(limit_after("show-part2.mp4", RecordingState::Writing), RECORDING_END_TIMEOUT);
        assert_eq!(limit_after("show-part2.mp4", RecordingState::Failed), RECORDING_END_TIMEOUT);
        assert_eq!(limit_after("show.mp4", RecordingState::Finished), END_TIMEOUT);
        assert_eq!(limit_after("later.mp4", RecordingState::Writing), RECORDING_END_TIMEOUT);
    }

    #[test]
    fn a_recording_with_a_failed_part_is_not_complete() {
        let with = |states: [RecordingState; 2]| {
            let mut outcome = Outcome::default();
            let parts = states.into_iter().zip(1..);
            parts.for_each(|(state, part)| outcome.note(&recording("show.mp4", part, state)));
            outcome.result(&[], true).0
        };
        assert_eq!(with([RecordingState::Finished, RecordingState::Finished]), Exit::Ok);
        assert_eq!(with([RecordingState::Failed, RecordingState::Finished]), Exit::File);
        assert_eq!(with([RecordingState::Finished, RecordingState::Failed]), Exit::File);
    }

    #[test]
    fn the_summary_states_the_failure_of_the_encoder_a_source_or_the_recording() {
        let notice = |message: StudioMessage| Event::Notice(message.notice(0, ""));
        let (path, reason) = (String::new(), Problem::from("no memory"));
        let codec = StudioMessage::EncoderFailed { reason: reason.clone() };
        let file = StudioMessage::FileFailed { path, reason, is_file: true };
        let source = |kind| {
            let (state, reason) = (SourceState::Failed, crate::problem!("source-no-data"));
            let report = SourceReport { state, reason, ..SourceReport::default() };
            Event::Source(Source { track: Track::Audio, kind, back: false, report })
        };
        for (event, exit, key) in [
            (notice(codec), Exit::Codec, "encoder-failed"),
            (notice(file), Exit::File, "file-failed"),
            (source("mic"), Exit::Device, "source-no-data"),
            (source("stream"), Exit::Unreachable, "source-no-data"),
            (source("file"), Exit::File, "source-no-data"),
            (recording("show.mp4", 1, RecordingState::Failed), Exit::File, "recording-failed"),
        ] {
            let mut outcome = Outcome::default();
            outcome.note(&event);
            let (found, error) = outcome.result(&[], true);
            assert_eq!((found, error.unwrap().id()), (exit, key));
            outcome.note(&target(TargetState::Failed, Some(Trouble::Refused), Some(7)));
            let (found, error) = outcome.result(&[0], true);
            let is_of_target = exit != Exit::Codec;
            assert_eq!((found == Exit::Refused, error.is_none()), (is_of_target, is_of_target));
        }
        let mut outcome = Outcome::default();
        for reason in ["no memory", "no encoder"] {
            outcome.note(&notice(StudioMessage::EncoderFailed { reason: reason.into() }));
        }
        assert!(outcome.codec_failed.unwrap().to_string().contains("no memory"));
    }

    #[test]
    fn recordings_of_commands_do_not_change_the_exit_code() {
        use RecordingState::{Failed, Finished, Writing};
        let exit = |events: &[(&str, u32, RecordingState)]| {
            let mut outcome = Outcome::default();
            for (path, part, state) in events {
                outcome.note(&recording(path, *part, *state));
            }
            outcome.result(&[], true).0
        };
        let begun = ("a.mkv", 1, Writing);
        let finished = ("a.mkv", 1, Finished);
        let unfinished = ("a.mkv", 1, Failed);
        assert_eq!(exit(&[begun, finished, ("b.mkv", 1, Failed)]), Exit::Ok);
        assert_eq!(
            exit(&[begun, unfinished, ("b.mkv", 1, Writing), ("b.mkv", 1, Finished)]),
            Exit::File
        );
        // The next recording begins while the file of the first one is finalized.
        let other = ("b.mkv", 1, Writing);
        assert_eq!(exit(&[begun, other, finished, ("b.mkv", 1, Failed)]), Exit::Ok);
        assert_eq!(exit(&[begun, other, ("b.mkv", 1, Finished), unfinished]), Exit::File);
        assert_eq!(exit(&[begun, other, ("b-part2.mkv", 2, Failed), finished]), Exit::Ok);
        // The first recording is split, and its second file is paused.
        let split = [begun, finished, ("a-part2.mkv", 2, Writing), ("a-part2.mkv", 2, Writing)];
        let last = [("a-part2.mkv", 2, Failed), other];
        assert_eq!(exit(&[&split[..], &last].concat()), Exit::File);
        // The file of the first recording was moved, and its name is used again.
        assert_eq!(exit(&[begun, finished, begun, unfinished]), Exit::Ok);
    }

    #[test]
    fn the_summary_counts_the_frames_of_the_last_second() {
        let counted = |before: Option<u64>| {
            let mut outcome = Outcome::default();
            if let Some(encoded) = before {
                let video = stats::Video { encoded, fps: 30.0, ..stats::Video::default() };
                let stats = Stats { video: Some(video), ..Stats::default() };
                outcome.note(&Event::Stats(Box::new(stats)));
            }
            let totals = stats::Totals { video: Some((61, 2)), ..stats::Totals::default() };
            outcome.note(&Event::Totals(totals));
            let video = outcome.last_stats.unwrap().video.unwrap();
            (video.encoded, video.keyframes, video.fps)
        };
        assert_eq!(counted(Some(31)), (61, 2, 30.0));
        assert_eq!(counted(None), (61, 2, 0.0), "the run took less than a second");
    }

    #[test]
    fn a_run_without_usable_targets_waits_for_its_recording() {
        let recording = || recording("show.mp4", 1, RecordingState::Writing);
        let unusable = target(TargetState::Failed, None, Some(2));
        let over = |events: &[Event], recorded, stopping| {
            let mut outcome = Outcome::default();
            events.iter().for_each(|event| outcome.note(event));
            outcome.is_over(recorded, stopping)
        };
        let failed = [unusable.clone(), Event::Stopped];
        assert!(over(&failed, false, false));
        assert!(!over(&failed, true, false), "the recording is still to begin");
        assert!(over(&failed, true, true), "the user has stopped the run");
        assert!(!over(&[unusable, recording()], true, false));
        let notice = StudioMessage::EncoderFailed { reason: "no encoder".into() }.notice(0, "");
        assert!(over(&[Event::Stopped, Event::Notice(notice)], true, false));
        // The end of going live is not taken for the end of the recording.
        let mut outcome = Outcome::default();
        outcome.note(&Event::Stopped);
        assert!(!outcome.is_over(true, false));
        outcome.note(&recording());
        assert!(!outcome.is_over(true, false));
        outcome.note(&Event::Stopped);
        assert!(outcome.is_over(true, false));
    }

    #[test]
    fn a_recording_goes_on_after_all_targets_have_failed() {
        let mut outcome = Outcome::default();
        outcome.note(&target(TargetState::Failed, Some(Trouble::Refused), Some(7)));
        assert!(outcome.is_hopeless(&[0], || false));
        assert!(!outcome.is_hopeless(&[0], || true));
        assert!(!outcome.is_hopeless(&[0, 1], || false), "the other target goes on");
        assert!(!Outcome::default().is_hopeless(&[], || false), "there are no targets");
    }

    #[test]
    fn a_source_that_never_delivered_has_the_code_of_its_kind() {
        let source = |kind, state| {
            let report = SourceReport { state, ..SourceReport::default() };
            Event::Source(Source { track: Track::Video, kind, back: false, report })
        };
        let with = |sources: &[Event]| {
            let live = target(TargetState::Live, None, None);
            exit(&[&[live], sources].concat())
        };
        for (kind, code) in [
            ("camera", Exit::Device),
            ("screen", Exit::Device),
            ("file", Exit::File),
            ("image", Exit::File),
            ("stream", Exit::Unreachable),
        ] {
            assert_eq!(with(&[source(kind, SourceState::Failed)]), code, "{kind}");
            let came = [source(kind, SourceState::Failed), source(kind, SourceState::Open)];
            assert_eq!(with(&came), Exit::Ok, "{kind}: it came later");
            let went = [source(kind, SourceState::Open), source(kind, SourceState::Lost)];
            assert_eq!(with(&went), Exit::Ok, "{kind}: a slate stood in");
            assert_eq!(
                with(&[source(kind, SourceState::Opening)]),
                Exit::Ok,
                "{kind}: ended too soon"
            );
        }
    }
}
