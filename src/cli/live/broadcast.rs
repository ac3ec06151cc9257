//! Runs the broadcast: sends the commands, prints the events, decides how it ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::base::Timestamp;
use crate::base::queue::Empty;
use crate::capture::{Instead, VideoChoice};
use crate::cli::exit::Exit;
use crate::cli::live::control::{self, Asked, Control, Names, Run};
use crate::cli::output::{Output, complain};
use crate::cli::signals::Interrupt;
use crate::cli::words;
use crate::compose::scene::SourceId;
use crate::mix::{Lamp, StripId};
use crate::studio::event::{RecordingState, TargetState};
use crate::studio::message::Message;
use crate::studio::scenes::MAIN;
use crate::studio::stats::Stats;
use crate::studio::{Command, Config, Edit, Event, Snapshot, Studio};

/// How long ending may take in all before the program leaves without.
const END: Duration = Duration::from_secs(5);

/// How long to wait for events between looks at the clock and at Ctrl-C: until the first picture…
const EAGER: Duration = Duration::from_millis(20);
/// …and afterwards.
const CALM: Duration = Duration::from_millis(80);

/// How it went so far.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The last state of each target, and the exit code of its failure.
    targets: BTreeMap<usize, (TargetState, Option<u8>)>,
    /// A target has been live at some time.
    live: BTreeMap<usize, bool>,
    /// A target was turned away when it was last tried.
    refused: BTreeMap<usize, bool>,
    recording: Option<RecordingState>,
    /// When the first picture (or sound, without pictures) was encoded.
    first: Option<Timestamp>,
    last_stats: Option<Box<Stats>>,
    stopped: bool,
    codec_failed: bool,
    device_failed: bool,
}

/// Runs the broadcast to its end.
pub(super) fn run(config: Config, run: &Run, output: &Output) -> Exit {
    let (record, duration) = (run.record.as_deref(), run.duration);
    let clock = config.clock;
    let Some(interrupt) = Interrupt::listen() else { return Exit::Error };
    let mut orders = match Orders::listen(run) {
        Ok(orders) => orders,
        Err(error) => {
            complain(&format!("listening for signals and commands: {error}"));
            return Exit::Error;
        }
    };
    let enabled = config.settings.targets.iter().filter(|target| target.enabled);
    let targets: Vec<usize> = enabled.map(|target| target.id as usize).collect();
    let visible = config.keys_path.is_none()
        && config.settings.targets.iter().any(|it| !it.is_built_in() && it.key().is_none());
    let mut studio = match Studio::start(config) {
        Ok(studio) => studio,
        Err(error) => {
            complain(&format!("starting: {error}"));
            return Exit::Error;
        }
    };
    let Some(events) = studio.events() else { return Exit::Error };
    if visible {
        words::print_message(output, &Message::KeyVisible);
    }
    let mut outcome = Outcome::default();
    if record.is_none() || !targets.is_empty() {
        studio.send(Command::GoLive);
    }
    if let Some(path) = record {
        studio.send(Command::StartRecording(path.to_owned()));
    }
    let (mut stopping_since, mut draining) = (None, false);
    loop {
        let patience = match outcome.first {
            None => EAGER,
            Some(first) => duration
                .map_or(CALM, |duration| (first + duration).since(clock.now()).clamp(EAGER, CALM)),
        };
        match events.recv_timeout(patience) {
            Ok(event) => {
                outcome.note(&event);
                words::print(output, &event);
            }
            Err(Empty::Waiting) => {}
            Err(Empty::Closed) => break,
        }
        if outcome.stopped {
            break;
        }
        if outcome.first.is_none() && studio.snapshot().figures.encoded > 0 {
            outcome.first = Some(clock.now());
        }
        let over = duration.zip(outcome.first);
        let over = over.is_some_and(|(duration, first)| clock.now() >= first + duration);
        let hopeless = !targets.is_empty()
            && record.is_none()
            && outcome.targets.len() == targets.len()
            && outcome.targets.values().all(|(state, _)| *state == TargetState::Failed);
        let stop = orders.obey(&studio);
        match stopping_since {
            None if run.drain && !draining && !hopeless && (over || stop || interrupt.is_set()) => {
                studio.send(Command::StopRecording);
                studio.send(Command::StopAfterDelay);
                draining = true;
            }
            // A second Ctrl-C ends the program by itself.
            None if hopeless || stop || !draining && (over || interrupt.is_set()) => {
                studio.send(Command::StopRecording);
                studio.send(Command::StopLive);
                stopping_since = Some(clock.now());
            }
            Some(since) if clock.now().since(since) > END => break,
            _ => {}
        }
    }
    let exit = outcome.exit(&targets, record.is_some());
    if let Err(stuck) = studio.end(END) {
        tracing::warn!(%stuck, "ending");
    }
    while let Ok(event) = events.try_recv() {
        words::print(output, &event);
    }
    words::summary(
        output,
        outcome.last_stats.as_deref(),
        exit,
        || json!({ "seconds": outcome.first.map(|first| words::seconds(clock.now().since(first))) }),
    );
    exit
}

/// What is asked for while it runs.
struct Orders {
    names: Names,
    replay: Arc<AtomicBool>,
    chapter: Arc<AtomicBool>,
    control: Option<Control>,
}

impl Orders {
    fn listen(run: &Run) -> std::io::Result<Self> {
        use signal_hook::consts::{SIGUSR1, SIGUSR2};
        Ok(Self {
            names: Names::beside(run.record.as_deref(), run.replay_to.clone()),
            replay: Interrupt::flag(SIGUSR1)?,
            chapter: Interrupt::flag(SIGUSR2)?,
            control: if run.control { Some(Control::listen()?) } else { None },
        })
    }

    /// Hands on what was asked for; tells whether the end was.
    fn obey(&mut self, studio: &Studio) -> bool {
        if self.replay.swap(false, Ordering::Relaxed) {
            studio.send(Command::SaveReplay(self.names.replay.clone()));
        }
        if self.chapter.swap(false, Ordering::Relaxed) {
            studio.send(Command::Chapter(String::new()));
        }
        let mut stop = false;
        while let Some(line) = self.control.as_ref().and_then(Control::line) {
            match control::parse(&line, &self.names) {
                Ok(Some(Asked::Command(command))) => studio.send(*command),
                Ok(Some(Asked::Scene(name))) => {
                    let scenes = studio.snapshot().scenes.collection;
                    match scenes.scene_named(&name) {
                        Some(scene) => studio.send(Command::SwitchScene(scene.id)),
                        None => complain(&format!("there is no scene '{name}'")),
                    }
                }
                Ok(Some(Asked::SceneTransition(name, transition))) => {
                    let scenes = studio.snapshot().scenes.collection;
                    match scenes.scene_named(&name) {
                        Some(scene) => {
                            let edit = Edit::SetSceneTransition(scene.id, transition);
                            studio.send(Command::Edit(edit));
                        }
                        None => complain(&format!("there is no scene '{name}'")),
                    }
                }
                Ok(Some(Asked::Duplicate { item, source })) => duplicate(studio, &item, source),
                Ok(Some(Asked::Media(name, go))) => {
                    command_for(studio, &name, |id| Command::Media(id, go));
                }
                Ok(Some(Asked::AtEnd(name, at_end))) => {
                    command_for(studio, &name, |id| Command::AtEnd(id, at_end));
                }
                Ok(Some(Asked::AddFile(name, path))) => {
                    command_for(studio, &name, |id| Command::Edit(Edit::AddFile(id, path)));
                }
                Ok(Some(Asked::RemoveFile(name, number))) => {
                    let index = number.saturating_sub(2);
                    command_for(studio, &name, |id| Command::Edit(Edit::RemoveFile(id, index)));
                }
                Ok(Some(Asked::IfBlack(name, instead))) => if_black(studio, &name, instead),
                Ok(Some(Asked::Ask(name))) => command_for(studio, &name, Command::ShareAgain),
                Ok(Some(Asked::Talk(name, held))) => talk(studio, &name, held),
                Ok(Some(Asked::ClipOut(name))) if name.is_empty() => {
                    studio.send(Command::ClearClip(Lamp::All));
                }
                Ok(Some(Asked::ClipOut(name))) => {
                    strip(studio, &name, |id| Command::ClearClip(Lamp::Strip(id)));
                }
                Ok(Some(Asked::StripEnd(name, at_end))) => {
                    strip(studio, &name, |id| Command::SetStripEnd { id, at_end });
                }
                Ok(Some(Asked::IfSilent(name, choice))) => {
                    strip(studio, &name, |id| Command::SetIfSilent { id, choice: choice.clone() });
                }
                Ok(Some(Asked::StripRestart(name))) => strip(studio, &name, Command::RestartStrip),
                Ok(Some(Asked::Stop)) => stop = true,
                Ok(None) => {}
                Err(why) => complain(&why),
            }
        }
        stop
    }
}

/// The source of this name; without a name the picture that --video names.
fn source_of(snapshot: &Snapshot, name: &str) -> Option<SourceId> {
    let mut sources = snapshot.scenes.collection.sources.iter();
    let named = sources.find(|source| source.name == name).map(|source| source.id);
    let id = named.or(name.is_empty().then_some(MAIN));
    if id.is_none() {
        complain(&format!("there is no source '{name}'"));
    }
    id
}

/// Sends a command for the source of this name.
fn command_for(studio: &Studio, name: &str, command: impl FnOnce(SourceId) -> Command) {
    if let Some(id) = source_of(&studio.snapshot(), name) {
        studio.send(command(id));
    }
}

/// What is shown in the stead of the source of this name, where it is of a kind that suits.
fn if_black(studio: &Studio, name: &str, instead: Instead) {
    let snapshot = studio.snapshot();
    let Some(id) = source_of(&snapshot, name) else { return };
    // Of what is not chosen yet nobody knows what it will be.
    let choice = snapshot.shown_by(id).filter(|choice| **choice != VideoChoice::None);
    match choice.filter(|choice| instead != Instead::Keep && !Instead::suits(choice)) {
        Some(choice) => {
            let what = if name.is_empty() { "the picture of --video" } else { name };
            let word = choice.to_string();
            let kind = word.split(':').next().unwrap_or_default();
            complain(&format!(
                "if-black: {what} is of the kind '{kind}', which is shown as it is: \
                 write the name of a camera, a stream or a media file"
            ));
        }
        None => studio.send(Command::Edit(Edit::SetInstead(id, instead))),
    }
}

/// One more of an item of the scene on the program, with the same source or with one of its own.
fn duplicate(studio: &Studio, name: &str, source: bool) {
    let scenes = studio.snapshot().scenes.collection;
    let Some(item) = scenes.item_named(scenes.current, name) else {
        return complain(&format!("there is no item '{name}' in the scene that is shown"));
    };
    let edit = if source { Edit::DuplicateSource } else { Edit::DuplicateItem };
    let edit = edit(item.id);
    if scenes.takes(&edit) {
        studio.send(Command::Edit(edit));
    } else {
        complain(&format!(
            "'{name}' cannot be duplicated: it has no source of its own, or there are too many"
        ));
    }
}

/// Holds the talk key of the strips of this name, or lets it go; without a name of all.
fn talk(studio: &Studio, name: &str, held: bool) {
    if name.is_empty() {
        studio.send(Command::TalkKey(held));
        return;
    }
    strip(studio, name, |id| Command::TalkKeyOf { id, held });
}

/// Sends a command for the strips of this name; without a name for the main one.
fn strip(studio: &Studio, name: &str, command: impl Fn(StripId) -> Command) {
    if name.is_empty() {
        studio.send(command(StripId::MAIN));
        return;
    }
    let strips = studio.snapshot().strips;
    let named = strips.iter().filter(|strip| strip.name == name);
    let ids: Vec<StripId> = named.map(|strip| strip.sound.id).collect();
    if ids.is_empty() {
        let known: Vec<&str> = strips.iter().map(|strip| &*strip.name).collect();
        complain(&format!("there is no strip '{name}'; there are: {}", known.join(", ")));
    }
    for id in ids {
        studio.send(command(id));
    }
}

impl Outcome {
    pub(super) fn note(&mut self, event: &Event) {
        match event {
            Event::Target(target) => {
                // Once failed, a target stays so; once over, its last word stands.
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
                    // It seemed live for a moment: some servers refuse by hanging up.
                    self.live.remove(&target.index);
                }
                if target.retry_in.is_some() {
                    let refused = matches!(target.stage, Some("connect" | "publish"));
                    self.refused.insert(target.index, refused);
                }
            }
            Event::Recording(recording) => self.recording = Some(recording.state),
            Event::Stats(stats) => self.last_stats = Some(stats.clone()),
            Event::Notice(notice) if notice.key == "encoder-failed" => self.codec_failed = true,
            Event::Notice(notice) if notice.key == "file-failed" => self.device_failed = true,
            Event::Stopped => self.stopped = true,
            _ => {}
        }
    }

    /// 0 if every target was live at the end and the recording is whole, else the code of the first
    /// that was not.
    pub(super) fn exit(&self, targets: &[usize], recorded: bool) -> Exit {
        if self.codec_failed {
            return Exit::Codec;
        }
        if targets.is_empty() && !recorded {
            return Exit::Usage;
        }
        for index in targets {
            let live = self.live.get(index).copied().unwrap_or_default();
            match self.targets.get(index) {
                Some((TargetState::Failed, exit)) => return words::exit(*exit),
                Some(_) if live => {}
                // Was live once and was being sought when the end came, or never was.
                Some(_) if self.live.contains_key(index) => return Exit::Lost,
                Some(_) if self.refused.get(index) == Some(&true) => return Exit::Refused,
                _ => return Exit::Unreachable,
            }
        }
        if self.device_failed {
            return Exit::File;
        }
        if recorded && self.recording != Some(RecordingState::Finished) {
            return Exit::File;
        }
        Exit::Ok
    }
}
