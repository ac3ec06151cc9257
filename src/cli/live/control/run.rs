//! Executes commands while a broadcast without a window runs. The commands come from the lines of
//! `--control` and from signals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::capture::{VideoChoice, VideoFallback, sharing};
use crate::cli::control::{Lines, MAX_COMMANDS_PER_TURN};
use crate::cli::live::control::{self, LiveCommand, Names, Run, filters, guests, items, page};
use crate::cli::live::record_sources;
use crate::cli::output::Output;
use crate::compose::scene::SourceId;
use crate::compose::transition::Transition;
use crate::files::name_pattern::path_by;
use crate::mix::{Strip, StripId, StripLamp};
use crate::platform::signals::{self, Signal};
use crate::studio::mixer::TalkMode;
use crate::studio::snapshot::{RecordingFigures, StripView};
use crate::studio::{Collection, Command, Edit, ProgramCommand, Snapshot, Studio, is_audio_of};
use crate::text::Problem;
use crate::text::problem::problem;

/// The commands during the run.
pub struct RunCommands {
    names: Names,
    replay: Arc<AtomicBool>,
    chapter: Arc<AtomicBool>,
    lines: Option<Lines>,
}

type Done = Result<(), Problem>;

impl RunCommands {
    /// # Errors
    /// Fails if the system provides no thread or signal handler.
    pub fn listen(run: &Run) -> std::io::Result<Self> {
        Ok(Self {
            names: Names::beside(run.record.as_deref(), run.replay_to.clone()),
            replay: signals::flag(Signal::First)?,
            chapter: signals::flag(Signal::Second)?,
            lines: run.control.then(Lines::listen).transpose()?,
        })
    }

    /// Executes the commands, and returns whether one of them ends the run.
    pub fn run(&mut self, studio: &Studio, output: &Output) -> bool {
        if self.replay.swap(false, Ordering::Relaxed) {
            studio.send(Command::SaveReplay(self.names.replay.clone()));
        }
        if self.chapter.swap(false, Ordering::Relaxed) {
            studio.send(Command::Chapter(String::new()));
        }
        let (names, waiting) = (&self.names, &mut self.lines);
        let mut stop = false;
        let ends = |text: &str| text == "stop";
        for _ in 0..MAX_COMMANDS_PER_TURN {
            let line = waiting.as_mut().and_then(|lines| lines.take_for(studio, ends));
            let Some(line) = line else { break };
            let done = match control::parse(&line.text, names) {
                Ok(None) => continue,
                Ok(Some(LiveCommand::Stop)) => {
                    stop = true;
                    Ok(())
                }
                Ok(Some(asked)) => carry_out(asked, studio),
                Err(why) => Err(why),
            };
            line.answer(output, &done);
        }
        stop
    }
}

/// Sends a command. The snapshot already includes the effects of all earlier commands.
fn carry_out(asked: LiveCommand, studio: &Studio) -> Done {
    match asked {
        LiveCommand::Command(command) => {
            can_carry_out(&command, || studio.snapshot().recording)?;
            if let Command::Guest(guest) = &*command {
                guests::check(guest, &studio.snapshot())?;
            }
            studio.send(match *command {
                Command::StartRecording(path) => {
                    Command::StartRecording(path_by(&path, &studio.snapshot().name_values()))
                }
                other => other,
            });
        }
        LiveCommand::TBar(position) => {
            if studio.snapshot().scenes.preview_scene.is_none() {
                return Err(problem!("control-not-prepared"));
            }
            studio.send(Command::TBar(position));
        }
        LiveCommand::StripScene(name, scene_name) => {
            let snapshot = studio.snapshot();
            let scene = match scene(&snapshot, &scene_name) {
                Err(_) if scene_name == "all" => String::new(),
                found => snapshot
                    .scenes
                    .collection
                    .scene(found?)
                    .map(|it| it.name.clone())
                    .unwrap_or_default(),
            };
            strip(studio, &name, |id| Command::SetStripScene { id, scene: scene.clone() })?;
        }
        LiveCommand::Stop => {}
        LiveCommand::Scene(name) => {
            studio.send(Command::SwitchScene(scene(&studio.snapshot(), &name)?));
        }
        LiveCommand::SceneTransition(name, transition) => {
            let id = scene(&studio.snapshot(), &name)?;
            studio.send(Command::Edit(Edit::SetSceneTransition(id, transition)));
        }
        LiveCommand::Prepare(name) => {
            let preview_scene = match scene(&studio.snapshot(), &name) {
                Err(_) if name == "none" => None,
                scene => Some(scene?),
            };
            studio.send(Command::SetPreviewScene(preview_scene));
        }
        LiveCommand::Take(transition) => take(studio, transition)?,
        LiveCommand::Item(name, change) => {
            let scenes = studio.snapshot().scenes.collection;
            if let Some(command) = items::edit(&name, &change, &scenes)? {
                studio.send(command);
            }
        }
        LiveCommand::Filter(name, filter) => {
            let snapshot = studio.snapshot();
            let id = filtered_of(&snapshot, &name)?;
            let slots = filters::of_video(&filter, snapshot.scenes.collection.filters(id))?;
            studio.send(Command::Edit(Edit::SetFilters(id, slots)));
        }
        LiveCommand::StripFilter(name, filter) => {
            let snapshot = studio.snapshot();
            let named = |view: &StripView| (view.name.clone(), view.audio.id);
            let names: Vec<_> = snapshot.strips.iter().map(named).collect();
            let mut wanted = Vec::new();
            for view in strips_of(&snapshot, &name)? {
                let before = view.audio.strip.clone();
                let filters = filters::of_audio(&filter, &before.filters, &names)?;
                let strip = Strip { filters, ..before.clone() };
                wanted.push(Command::SetStrip { id: view.audio.id, before, strip });
            }
            wanted.into_iter().for_each(|command| studio.send(command));
        }
        LiveCommand::Set(name, setting) => {
            for view in strips_of(&studio.snapshot(), &name)? {
                let before = view.audio.strip.clone();
                let strip = setting.on(&before);
                studio.send(Command::SetStrip { id: view.audio.id, before, strip });
            }
        }
        LiveCommand::Duplicate { item, source } => duplicate(studio, &item, source)?,
        LiveCommand::Media(name, go) => {
            studio.send(Command::Media(media_source(&studio.snapshot(), &name)?, go));
        }
        LiveCommand::AtEnd(name, at_end) => {
            studio.send(Command::AtEnd(media_source(&studio.snapshot(), &name)?, at_end));
        }
        LiveCommand::AddFile(name, path) => {
            let snapshot = studio.snapshot();
            let edit = Edit::AddFile(source_of(&snapshot, &name)?, path);
            if !snapshot.scenes.collection.takes(&edit) {
                return Err(problem!("control-no-room", name = name));
            }
            studio.send(Command::Edit(edit));
        }
        LiveCommand::RemoveFile(name, number) => {
            let snapshot = studio.snapshot();
            let edit = Edit::RemoveFile(source_of(&snapshot, &name)?, number.saturating_sub(2));
            if !snapshot.scenes.collection.takes(&edit) {
                return Err(problem!("control-no-entry", name = name, number = number));
            }
            studio.send(Command::Edit(edit));
        }
        LiveCommand::IfBlack(name, fallback) => if_black(studio, &name, fallback)?,
        LiveCommand::Ask(name) => {
            let snapshot = studio.snapshot();
            let id = source_of(&snapshot, &name)?;
            can_ask(&name, snapshot.shown_by(id))?;
            studio.send(Command::ShareAgain(id));
        }
        LiveCommand::Page(name, line) => on_page(studio, &name, line)?,
        LiveCommand::Talk(name, held) if name.is_empty() => {
            can_talk(studio.snapshot().strips.iter().map(|strip| strip.audio.talk))?;
            studio.send(Command::PushToTalkKeys(held));
        }
        LiveCommand::Talk(name, held) => {
            let snapshot = studio.snapshot();
            can_talk(strips_of(&snapshot, &name)?.iter().map(|strip| strip.audio.talk))?;
            strip(studio, &name, |id| Command::TalkKeyOf { id, held })?;
        }
        LiveCommand::RecordSource(name, path) => {
            let name = if name == record_sources::MAIN { String::new() } else { name };
            let source = source_of(&studio.snapshot(), &name)?;
            studio.send(match path {
                Some(path) => {
                    Command::Programs(ProgramCommand::RecordSources([(source, path)].into()))
                }
                None => Command::Programs(ProgramCommand::StopSource(source)),
            });
        }
        LiveCommand::ResetLoudness => studio.send(Command::ResetLoudness),
        LiveCommand::ClipOut(name) if name.is_empty() => {
            studio.send(Command::ClearClip(StripLamp::All));
        }
        LiveCommand::ClipOut(name) => {
            strip(studio, &name, |id| Command::ClearClip(StripLamp::Strip(id)))?;
        }
        LiveCommand::StripEnd(name, at_end) => {
            let snapshot = studio.snapshot();
            let strips = strips_of(&snapshot, &name)?;
            can_play_file(&name, &strips)?;
            has_own_end(&name, &strips, &snapshot)?;
            strip(studio, &name, |id| Command::SetStripEnd { id, at_end })?;
        }
        LiveCommand::IfSilent(name, choice) => {
            strip(studio, &name, |id| Command::SetIfSilent { id, choice: choice.clone() })?;
        }
        LiveCommand::StripRestart(name) => {
            can_play_file(&name, &strips_of(&studio.snapshot(), &name)?)?;
            strip(studio, &name, Command::RestartStrip)?;
        }
    }
    Ok(())
}

/// Checks that a command does not start a second recording, and does not need a recording while
/// there is none.
fn can_carry_out(command: &Command, recording: impl FnOnce() -> Option<RecordingFigures>) -> Done {
    match command {
        Command::StartRecording(_) => recording().map_or(Ok(()), |current| {
            let path = current.path.display().to_string();
            Err(problem!("control-records-already", path = path))
        }),
        Command::PauseRecording
        | Command::ResumeRecording
        | Command::Chapter(_)
        | Command::SplitRecording
        | Command::StopRecording => {
            recording().map(|_| ()).ok_or_else(|| problem!("control-no-recording"))
        }
        _ => Ok(()),
    }
}

/// Returns the scene with this name.
fn scene(snapshot: &Snapshot, name: &str) -> Result<crate::compose::scene::SceneId, Problem> {
    let scene = snapshot.scenes.collection.scene_named(name);
    scene.map(|scene| scene.id).ok_or_else(|| problem!("control-no-scene", name = name))
}

/// Switches the preview to the program. A named transition replaces the transition of the scene, if
/// the scene has one, or else the default transition.
fn take(studio: &Studio, transition: Option<Transition>) -> Done {
    let scenes = studio.snapshot().scenes;
    let preview_scene = scenes.preview_scene.ok_or_else(|| problem!("control-not-prepared"))?;
    if let Some(transition) = transition {
        let edit = if scenes.collection.own_transitions.contains_key(&preview_scene) {
            Edit::SetSceneTransition(preview_scene, Some(transition))
        } else {
            Edit::SetTransition(transition)
        };
        studio.send(Command::Edit(edit));
    }
    studio.send(Command::Transition);
    Ok(())
}

/// Returns the source with this name. Without a name, returns the source of --video, or the lowest
/// source in the scene.
fn source_of(snapshot: &Snapshot, name: &str) -> Result<SourceId, Problem> {
    let collection = &snapshot.scenes.collection;
    let named =
        collection.sources.iter().find(|source| source.name == name).map(|source| source.id);
    let id = named.or(name.is_empty().then(|| collection.usual_source()));
    id.ok_or_else(|| problem!("control-no-source", name = name))
}

/// Returns the source, scene or group with this name, whose filters a command changes.
fn filtered_of(snapshot: &Snapshot, name: &str) -> Result<SourceId, Problem> {
    source_of(snapshot, name).or_else(|why| {
        let collection = &snapshot.scenes.collection;
        let mut group = None;
        collection.each(|item| {
            if item.is_group() && item.name == name {
                group = group.or(Some(item.filtered()));
            }
        });
        let scene = || collection.scene_named(name).map(|scene| SourceId::of_scene(scene.id));
        group.or_else(scene).ok_or(why)
    })
}

/// Returns the source with this name, if its kind plays something.
fn media_source(snapshot: &Snapshot, name: &str) -> Result<SourceId, Problem> {
    let id = source_of(snapshot, name)?;
    match snapshot.shown_by(id) {
        Some(
            VideoChoice::File(_)
            | VideoChoice::Slides(_)
            | VideoChoice::Stream(_)
            // The kind of a source that is not chosen yet is unknown.
            | VideoChoice::None,
        )
        | None => Ok(id),
        Some(choice) => {
            Err(problem!("control-no-media", name = shown(name), kind = kind_of(choice)))
        }
    }
}

/// Returns the name of a source in a problem; without a name, the main video source is meant.
fn shown(name: &str) -> &str {
    if name.is_empty() { "--video" } else { name }
}

/// Returns the word for the kind of a source.
fn kind_of(choice: &impl ToString) -> String {
    let word = choice.to_string();
    word.split(':').next().unwrap_or_default().to_owned()
}

/// Does something on the page of the source with this name.
fn on_page(studio: &Studio, name: &str, line: page::PageLine) -> Done {
    let snapshot = studio.snapshot();
    let id = source_of(&snapshot, name)?;
    match snapshot.shown_by(id) {
        // The kind of a source that is not chosen yet is unknown.
        Some(VideoChoice::Browser(_) | VideoChoice::None) | None => {}
        Some(choice) => {
            return Err(problem!("control-no-page", name = shown(name), kind = kind_of(choice)));
        }
    }
    match line {
        page::PageLine::Refresh => studio.send(Command::RefreshPage(id)),
        page::PageLine::Inputs(inputs) => {
            inputs.into_iter().for_each(|input| studio.send(Command::PageInput(id, input)));
        }
    }
    Ok(())
}

/// Checks that the desktop has a sharing dialog for a source that shows this.
fn can_ask(name: &str, choice: Option<&VideoChoice>) -> Done {
    match choice {
        Some(choice) if !sharing::asks_desktop(choice) => {
            Err(problem!("control-no-dialog", name = shown(name)))
        }
        _ => Ok(()),
    }
}

/// Checks that a push-to-talk key has an effect in one of these modes.
fn can_talk(mut modes: impl Iterator<Item = TalkMode>) -> Done {
    match modes.any(|mode| matches!(mode, TalkMode::PushToTalk | TalkMode::PushToMute)) {
        true => Ok(()),
        false => Err(problem!("control-no-talk")),
    }
}

/// Sets the fallback of the source with this name, if its kind supports one.
fn if_black(studio: &Studio, name: &str, fallback: VideoFallback) -> Done {
    let snapshot = studio.snapshot();
    let id = source_of(&snapshot, name)?;
    // The kind of a source that is not chosen yet is unknown.
    let choice = snapshot.shown_by(id).filter(|choice| **choice != VideoChoice::None);
    if let Some(choice) =
        choice.filter(|choice| fallback != VideoFallback::Keep && !VideoFallback::suits(choice))
    {
        return Err(problem!("control-if-black", name = shown(name), kind = kind_of(choice)));
    }
    studio.send(Command::Edit(Edit::SetFallback(id, fallback)));
    Ok(())
}

/// Duplicates an item of the current scene, with the same source or a separate one.
fn duplicate(studio: &Studio, name: &str, source: bool) -> Done {
    let scenes = studio.snapshot().scenes.collection;
    let item = scenes.program_scene().and_then(|scene| scenes.item_named(scene, name));
    let item = item.ok_or_else(|| problem!("control-no-item", name = name))?;
    let edit = if source { Edit::DuplicateSource } else { Edit::DuplicateItem };
    let edit = edit(item.id);
    if !Collection::clone(&scenes).attempt_in_program(&edit).0 {
        return Err(problem!("control-no-duplicate", name = name));
    }
    studio.send(Command::EditProgram(edit));
    Ok(())
}

/// Returns the strips with this name. Without a name, returns the main strip.
fn strips_of<'a>(snapshot: &'a Snapshot, name: &str) -> Result<Vec<&'a StripView>, Problem> {
    let strips = &snapshot.strips;
    let is_it = |strip: &&StripView| match name {
        "" => strip.audio.id == StripId::MAIN,
        name => strip.name == name,
    };
    let named: Vec<&StripView> = strips.iter().filter(is_it).collect();
    if named.is_empty() {
        let known: Vec<&str> = strips.iter().map(|strip| &*strip.name).collect();
        return Err(problem!("control-no-strip", name = name, known = &known));
    }
    Ok(named)
}

/// Checks that one of these strips plays a file, because only a file has an end and a start.
fn can_play_file(name: &str, strips: &[&StripView]) -> Done {
    let Some(first) = strips.first() else { return Ok(()) };
    if strips.iter().any(|strip| strip.audio.choice.path().is_some()) {
        return Ok(());
    }
    let kind = kind_of(&first.audio.choice);
    Err(problem!("control-no-audio-file", name = shown_strip(name), kind = kind))
}

/// Checks that one of these strips plays a file without a video source. A file that is also shown
/// has the end behavior of its video source.
fn has_own_end(name: &str, strips: &[&StripView], snapshot: &Snapshot) -> Done {
    let main = snapshot.video.iter().map(|video| &video.choice);
    let sources = snapshot.scenes.collection.sources.iter().map(|source| &source.choice);
    let videos: Vec<&VideoChoice> = main.chain(sources).collect();
    let is_shown =
        |strip: &StripView| videos.iter().any(|video| is_audio_of(&strip.audio.choice, video));
    let mut files = strips.iter().filter(|strip| strip.audio.choice.path().is_some());
    match files.any(|strip| !is_shown(strip)) {
        true => Ok(()),
        false => Err(problem!("control-shown-file", name = shown_strip(name))),
    }
}

/// Returns the name of a strip in a problem; without a name, the main strip is meant.
fn shown_strip(name: &str) -> &str {
    if name.is_empty() { "--audio" } else { name }
}

/// Sends a command for the strips with this name. Without a name, the command is for the main
/// strip.
fn strip(studio: &Studio, name: &str, command: impl Fn(StripId) -> Command) -> Done {
    let snapshot = studio.snapshot();
    for strip in strips_of(&snapshot, name)? {
        studio.send(command(strip.audio.id));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::audio::AudioChoice;
    use crate::studio::AudioStrip;

    #[test]
    fn a_second_recording_and_a_change_of_no_recording_are_refused() {
        let current = || RecordingFigures {
            path: "show.mkv".into(),
            duration: Duration::from_secs(1),
            bytes: 1,
            paused: false,
            chapters: 0,
        };
        let record = Command::StartRecording("other.mkv".into());
        let refused = can_carry_out(&record, || Some(current())).unwrap_err();
        let text = "onair is already recording to show.mkv: use 'stop-recording' first";
        assert_eq!(refused.to_string(), text);
        assert_eq!(can_carry_out(&record, || None), Ok(()));
        for command in [
            Command::PauseRecording,
            Command::ResumeRecording,
            Command::Chapter(String::new()),
            Command::SplitRecording,
            Command::StopRecording,
        ] {
            assert_eq!(can_carry_out(&command, || Some(current())), Ok(()));
            let refused = can_carry_out(&command, || None).unwrap_err();
            assert_eq!(refused.id(), "control-no-recording", "{command:?}");
        }
    }

    #[test]
    fn commands_without_an_effect_are_refused() {
        let id = |done: Done| done.err().map(|why| why.id());
        assert_eq!(id(can_ask("", Some(&VideoChoice::Test))), Some("control-no-dialog"));
        let shared = "window:wayland".parse().unwrap();
        assert_eq!(id(can_ask("", Some(&shared))), None);
        assert_eq!(id(can_ask("", None)), None, "the source is not chosen yet");
        let open = [TalkMode::Open, TalkMode::WhileShown];
        assert_eq!(id(can_talk(open.into_iter())), Some("control-no-talk"));
        assert_eq!(id(can_talk([].into_iter())), Some("control-no-talk"));
        for mode in [TalkMode::PushToTalk, TalkMode::PushToMute] {
            assert_eq!(id(can_talk([TalkMode::Open, mode].into_iter())), None);
        }
    }

    /// Returns a strip with this source.
    fn view(choice: AudioChoice) -> StripView {
        StripView::open(AudioStrip::new(StripId(1), choice), "")
    }

    #[test]
    fn an_end_needs_a_file_and_a_shown_file_has_the_end_of_its_video() {
        let [tone, jingle, clip] =
            ["tone", "file:jingle.wav", "file:clip.mp4"].map(|it| view(it.parse().unwrap()));
        let refused = can_play_file("", &[&tone]).unwrap_err();
        assert!(refused.to_string().starts_with("--audio (tone) "), "{refused}");
        assert_eq!(can_play_file("Jingle", &[&tone, &jingle]), Ok(()));
        let mut snapshot = Snapshot::default();
        assert_eq!(has_own_end("", &[&clip], &snapshot), Ok(()));
        let scene = snapshot.scenes.collection.current;
        let choice: VideoChoice = "file:clip.mp4".parse().unwrap();
        let clip_source = Edit::AddSource { scene, name: "Clip".into(), choice };
        assert!(Arc::make_mut(&mut snapshot.scenes.collection).apply(&clip_source));
        let refused = has_own_end("", &[&tone, &clip], &snapshot).unwrap_err();
        assert_eq!(refused.id(), "control-shown-file");
        assert_eq!(has_own_end("", &[&clip, &jingle], &snapshot), Ok(()));
    }
}
