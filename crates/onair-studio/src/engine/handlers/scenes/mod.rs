//! Shows and edits scenes, and handles the states of their sources.

mod studio_mode;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::base::Worker;
use crate::base::queue::{self, Full, Receiver};
use crate::capture::camera::control;
use crate::capture::camera::control::{MAX_CAMERAS, MAX_CONTROLS};
use crate::capture::{Properties, sharing};
use crate::compose::degradation::Degradation;
use crate::compose::filter::filtered_size;
use crate::compose::scene::{Plan, SceneId, SourceId};
use crate::compose::transition::Transition;
use crate::compose::{SideView, ViewDetail, ViewOf};
use crate::media::Track;
use crate::media::playback_control::EndBehavior;
use crate::media::source_status::{SourceFormat, SourceReport, SourceState};
use crate::studio::engine::Engine;
use crate::studio::engine::degradation::DegradableParts;
use crate::studio::engine::removed_strips;
use crate::studio::engine::scene_state::FileDone;
use crate::studio::engine::undo_history::{Change, UndoState};
use crate::studio::event::{self, Event};
use crate::studio::mixer::AudioStrip;
use crate::studio::notices::message::StudioMessage;
use crate::studio::notices::row::Group;
use crate::studio::notices::{Notice, groups};
use crate::studio::program::{Program, RetryReport, source_strips};
use crate::studio::scenes::edits::{Edit, RefusedParts};
use crate::studio::scenes::{Collection, MAIN_SOURCE};
use crate::studio::settings::import::report::ImportReport;
use crate::studio::settings::scenes::collection;
use crate::studio::snapshot::{SceneSource, Scenes};
use crate::studio::sources;
use crate::studio::sources::missing_files::FileNews;
use crate::text::problem::problem;
use crate::text::{Language, Problem};

/// Maximum number of scenes and sources that are drawn in addition to the program.
const MAX_VIEWS: usize = 100;

impl Engine {
    /// Gives the started program its sources and its scene.
    pub fn begin_scenes(&mut self) {
        if self
            .settings
            .collection
            .current()
            .is_some_and(|it| it.id != self.settings.collection.current)
        {
            self.settings.collection.current =
                self.settings.collection.scenes.first().map(|it| it.id).unwrap_or_default();
        }
        self.stage_changed(None);
    }

    /// Applies a change of the main video source, which scenes may share.
    pub fn follow_main(&mut self) {
        let Some(program) = &mut self.state.program else { return };
        let messages = program.set_sources(&self.settings.collection);
        self.follow_sources(&messages);
        self.attend_strips();
    }

    /// Handles sources that were opened or closed: withdraws the notices about removed sources, and
    /// reports failures.
    fn follow_sources(&mut self, messages: &[StudioMessage]) {
        let closed = self.state.program.as_mut().map(Program::sources_closed).unwrap_or_default();
        for (name, report) in closed {
            // A source that no scene shows any more cannot have an alarm.
            self.tell_alarm(&SourceReport::default(), &report, &name);
            self.notices.active.clear_of(Group::SceneSource.keys(), &name);
            self.notices.active.clear_of(Group::SkippedFile.keys(), &name);
        }
        for message in messages {
            self.notices.raise(message, "");
        }
    }

    /// Opens missing files that have appeared.
    pub fn retry_missing_files(&mut self) {
        let tried = self.state.program.as_mut().map(Program::retry_missing_files);
        self.report_missing_files(tried.unwrap_or_default());
    }

    /// Retries everything at the user's request.
    pub fn try_again(&mut self) {
        let tried = self.state.program.as_mut().map(|it| it.retry(None));
        self.report_missing_files(tried.unwrap_or_default());
    }

    fn report_missing_files(&mut self, RetryReport { mut messages, strips }: RetryReport) {
        messages.extend(self.unreported(strips));
        for message in messages {
            // The reason for this failure may differ from the one reported before.
            for (_, value) in message.problem().args() {
                let value = Language::English.value(value);
                self.notices.active.clear_of(Group::SceneSource.keys(), &value);
                self.notices.active.clear_of(&["file-failed"], &value);
            }
            self.notices.raise(&message, "");
        }
    }

    /// Reports news about files, and withdraws the notices with these keys for files that are gone.
    fn tell_news(&mut self, keys: &[&str], news: FileNews) {
        for path in news.gone {
            self.notices.active.clear_of(keys, &path);
        }
        for message in news.messages {
            self.notices.raise(&message, "");
        }
    }

    /// Sets a control of a camera. `None` sets the control to its default, as for all controls that
    /// the user never set.
    pub fn set_camera(&mut self, camera: String, control: String, value: Option<i64>) {
        let cameras = &mut self.settings.cameras;
        let is_new = !cameras.contains_key(&camera);
        if control::plain(&control) != control || (is_new && cameras.len() >= MAX_CAMERAS) {
            return;
        }
        let wanted = cameras.entry(camera).or_default();
        match value {
            Some(value) if wanted.len() < MAX_CONTROLS || wanted.contains_key(&control) => {
                wanted.insert(control, value);
            }
            Some(_) => {}
            None => {
                wanted.remove(&control);
            }
        }
        cameras.retain(|_, wanted| !wanted.is_empty());
        self.state.stage.board.want(&self.settings.cameras);
        self.changed();
    }

    pub fn reset_camera(&mut self, camera: &str) {
        if self.settings.cameras.remove(camera).is_some() {
            self.state.stage.board.want(&self.settings.cameras);
            self.changed();
        }
    }

    pub fn share_again(&mut self, source: SourceId) {
        let collection = &self.settings.collection;
        let choice = match source {
            MAIN_SOURCE => self.settings.video.as_ref(),
            id => collection.source(id).map(|source| &source.choice),
        };
        if let Some(key) = choice.and_then(sharing::key) {
            self.state.stage.permissions.ask_again(&key);
        }
    }

    /// Sets the end behavior of a media file. A scene source stores it in its properties. The main
    /// video source keeps it until it is closed.
    pub fn set_at_end(&mut self, id: SourceId, at_end: EndBehavior) {
        if let Some(source) = self.settings.collection.source(id) {
            let properties = Properties { at_end, ..source.properties.clone() };
            self.edit(&Edit::SetProperties(id, properties));
        } else if let Some(program) = &self.state.program {
            program.transport(id).set_at_end(at_end);
        }
    }

    pub fn edit(&mut self, edit: &Edit) {
        self.edit_with(edit, Collection::attempt_parts);
    }

    /// Applies an edit that viewers see at once, also in studio mode.
    pub fn edit_program(&mut self, edit: &Edit) {
        self.edit_with(edit, Collection::attempt_in_program);
    }

    fn edit_with(
        &mut self,
        edit: &Edit,
        attempt: fn(&mut Collection, &Edit) -> (bool, Option<RefusedParts>),
    ) {
        let before = self.settings.collection.clone();
        let (done, refused) = attempt(&mut self.settings.collection, edit);
        self.notices.raise_some(refused.map(|it| StudioMessage::refused(it, done)));
        if !done {
            return;
        }
        let old_strips = self.follow_shown(&before, matches!(edit, Edit::Paste(..)));
        // A change of the program alone cannot be undone.
        if !before.equals_apart_from_program(&self.settings.collection) {
            let then = UndoState { scenes: Some(before.clone()), strips: old_strips };
            self.add_step(then, Change::Scenes(edit.clone()));
        }
        self.edited(&before);
    }

    /// Adds an undo step for a change.
    pub fn add_step(&mut self, before: UndoState, change: Change) {
        self.state.stage.add_step(before, change, self.clock.now());
    }

    pub fn step(&mut self, back: bool) {
        let before = self.settings.collection.clone();
        let (undo_history, old_strips) =
            (&mut self.state.stage.undo_history, &self.settings.strips);
        let then = if back {
            undo_history.undo(&before, old_strips)
        } else {
            undo_history.redo(&before, old_strips)
        };
        let Some(UndoState { scenes, strips }) = then else { return };
        self.state.stage.last_edit = None;
        let (has_strips, has_scenes) = (strips.is_some(), scenes.is_some());
        if let Some(mut scenes) = scenes {
            scenes.keep_program(&before);
            self.settings.collection = scenes;
        }
        // The strips are opened for the sources of the new scenes, and of the program.
        if let Some(mut strips) = strips {
            let shown = self.settings.collection.program_only_sources();
            let is_new = |own: &&AudioStrip| strips.iter().all(|it| it.choice != own.choice);
            let own = self.settings.strips.iter().filter(is_new);
            let own = own.filter(|own| source_strips::is_shown(&shown, &own.choice));
            let own: Vec<AudioStrip> = own.cloned().collect();
            own.into_iter().for_each(|strip| removed_strips::add(&mut strips, strip));
            self.settings.strips = strips;
        }
        self.reveal_known();
        if has_strips {
            self.set_strips();
            self.changed();
        }
        if has_scenes {
            self.edited(&before);
        }
    }

    /// Updates the program after a change of the collection.
    fn edited(&mut self, before: &Collection) {
        self.follow_scene_names(before);
        let switched = before.current != self.settings.collection.current;
        self.stage_changed(switched.then_some(Transition::CUT));
        if let Some(scene) = self.settings.collection.current().filter(|_| switched) {
            self.notices.send_event(Event::Scene(scene.name.clone()));
        }
        let ends = |it: &Collection| -> Vec<EndBehavior> {
            it.sources.iter().map(|source| source.properties.at_end).collect()
        };
        // An audio file that is also shown ends as its source specifies.
        if ends(before) != ends(&self.settings.collection) {
            self.set_strips();
        }
        self.changed();
    }

    /// Opens the sources whose addresses were loaded from the keyring.
    pub fn revealed_scenes(&mut self) {
        self.stage_changed(None);
    }

    /// Updates the program's sources and scenes.
    fn stage_changed(&mut self, transition: Option<Transition>) {
        self.settings.collection.note_ids();
        self.follow_studio_mode(transition.as_ref());
        let (collection, active_notices) = (&self.settings.collection, &mut self.notices.active);
        // Forgets scenes that were deleted or renamed.
        self.state.stage.crowded.retain(|id, name| {
            let stays = collection.scene(*id).is_some_and(|it| it.name == *name);
            if !stays {
                active_notices.clear_of(&[groups::CROWDED_SCENE_NOTICE], name);
            }
            stays
        });
        self.state.stage.shared = Arc::new(collection.clone());
        let (id, plan) = (collection.current, collection.program_plan(collection.current));
        let Some(program) = &mut self.state.program else { return };
        let more = plan.more;
        let messages = program.change(collection, plan, transition);
        self.follow_sources(&messages);
        // A scene that is also in the preview is reported as it is there.
        if self.state.stage.preview_scene != Some(id) {
            self.tell_crowded(id, more);
        }
        self.attend_strips();
        self.show_preview();
        self.show_views();
    }

    /// Reports once that a scene has too many layers. The scene is reported again only if it has
    /// had few enough layers in the meantime.
    fn tell_crowded(&mut self, id: SceneId, more: bool) {
        let crowded = &mut self.state.stage.crowded;
        let scene = self.settings.collection.scene(id).map(|it| it.name.clone());
        let scene = scene.unwrap_or_default();
        if more && crowded.insert(id, scene.clone()).is_none() {
            self.notices.raise(&StudioMessage::Crowded { scene }, "");
        } else if !more && crowded.remove(&id).is_some() {
            self.notices.active.clear_of(&[groups::CROWDED_SCENE_NOTICE], &scene);
        }
    }

    /// Sets the views that are drawn in addition to the program.
    pub fn look_at(&mut self, views: BTreeMap<ViewOf, ViewDetail>) {
        let stage = &mut self.state.stage;
        stage.views = views.into_iter().take(MAX_VIEWS).collect();
        let slot = |of| stage.view_frames.get(of).cloned().unwrap_or_default();
        stage.view_frames = Arc::new(stage.views.keys().map(|of| (*of, slot(of))).collect());
        self.show_views();
    }

    fn show_views(&mut self) {
        let (collection, stage) = (&self.settings.collection, &self.state.stage);
        let view = |(of, detail): (&ViewOf, &ViewDetail)| {
            let plan = match *of {
                ViewOf::Scene(id) => collection.scene(id).map(|_| collection.plan(id)),
                // The view before a filter is for picking colors from a source.
                ViewOf::BeforeFilter(id, _) if id.is_composed() => None,
                ViewOf::Source(id) | ViewOf::BeforeFilter(id, _) => {
                    let exists = id == MAIN_SOURCE || collection.source(id).is_some();
                    exists.then(|| Plan::simple(id))
                }
            };
            let (plan, slot) = (Arc::new(plan?), stage.view_frames.get(of)?.clone());
            Some((*of, SideView { plan, detail: *detail, slot }))
        };
        let views = stage.views.iter().filter_map(view).collect();
        if let Some(program) = &mut self.state.program {
            program.set_views(views);
        }
    }

    /// Returns true if the main video source is shown anywhere.
    pub fn wants_main(&self) -> bool {
        self.settings.collection.uses(MAIN_SOURCE)
    }

    pub fn import_scenes(&mut self, path: PathBuf) {
        let name = self.settings.in_use.collection.clone();
        let switches = self.state.stage.switches;
        let begun = self.with_file("scenes-import", move || {
            let read = collection::import(&path).map(Box::new);
            FileDone::Read(path, name, switches, read)
        });
        self.part_done(begun);
    }

    pub fn export_scenes(&mut self, path: PathBuf) {
        let (collection, strips) = (self.settings.collection.clone(), self.settings.strips.clone());
        let begun = self.with_file("scenes-export", move || {
            let failed = collection::export(&collection, &strips, &path).err();
            FileDone::Written(path, failed)
        });
        self.part_done(begun);
    }

    /// Reads or writes a file on another thread, unless such a thread is still running.
    pub fn with_file(
        &mut self,
        name: &str,
        job: impl FnOnce() -> FileDone + Send + 'static,
    ) -> Result<(), Problem> {
        if self.state.stage.file.is_some() {
            return Err(problem!("import-busy"));
        }
        let (tell, done) = queue::bounded("scenes-file", 1, Full::DropOldest);
        let mut job = Some(job);
        let worker = Worker::spawn(name, move |_| {
            if let Some(job) = job.take() {
                // The studio may have ended in the meantime.
                let _ = tell.send(job());
            }
        });
        let worker =
            worker.map_err(|error| problem!("source-no-thread", reason = error.to_string()))?;
        self.state.stage.workers = vec![worker];
        self.state.stage.file = Some(done);
        Ok(())
    }

    /// Returns true if a scene file is being read or written.
    pub fn scenes_busy(&self) -> bool {
        self.state.stage.workers.iter().any(|worker| !worker.is_finished())
    }

    /// Handles finished file operations and changed sources.
    pub fn poll_scenes(&mut self) {
        if let Some(done) = self.state.stage.file.as_ref().map(Receiver::try_recv) {
            match done {
                Ok(done) => {
                    self.state.stage.file = None;
                    // Another import or export can begin now.
                    self.notices.active.clear(&["part-failed"]);
                    self.file_done(done);
                }
                Err(queue::Empty::Waiting) => {}
                Err(queue::Empty::Closed) => self.state.stage.file = None,
            }
        }
        self.forget_previous_program();
        let Some(program) = &mut self.state.program else { return };
        let level = program.compositor().figures().degradation;
        let stage = &mut self.state.stage;
        let parts = DegradableParts {
            views: stage.has_droppable_views(),
            costly_filters: self.settings.collection.has_costly_filters(),
        };
        let is_about = |it: &Notice| Group::Degradation.keys().contains(&it.key());
        let is_reported = self.notices.active.notices().iter().any(is_about);
        let message = stage.degradation.update(level, parts, is_reported);
        let changes = program.source_changes();
        let left_out = program.files_left_out();
        let seen_changed = program.seen_changed();
        let filters = program.filter_changes(&self.settings.collection);
        let transitions = program.transition_changes();
        if let Some(message) = message {
            self.notices.active.clear(Group::Degradation.keys());
            self.notices.raise(&message, "");
        }
        self.tell_news(Group::Filter.keys(), filters);
        self.tell_news(Group::Transition.keys(), transitions);
        if seen_changed {
            self.attend_strips();
        }
        for change in changes {
            self.tell_alarm(&change.report, &change.before, &change.name);
            let message = sources::message(&change);
            if let Some(StudioMessage::SceneSourceBack { source }) = &message {
                self.notices.active.clear_of(Group::SceneSource.keys(), source);
            }
            let back = matches!(message, Some(StudioMessage::SceneSourceBack { .. }));
            self.notices.raise_some(message.map(|message| (message, change.report.detail.clone())));
            let (kind, _) = crate::studio::live::target_events::video_kind(&change.choice);
            let source = event::Source { track: Track::Video, kind, back, report: change.report };
            self.notices.send_event(Event::Source(source));
        }
        for (source, message) in left_out {
            self.notices.active.clear_of(Group::SkippedFile.keys(), &source);
            self.notices.raise_some(message);
        }
        self.show_fallbacks();
    }

    /// Shows or removes the fallbacks of black, frozen or lost sources.
    fn show_fallbacks(&mut self) {
        let collection = &self.settings.collection;
        let Some(program) = &mut self.state.program else { return };
        if program.is_out_otherwise(collection) {
            let messages = program.set_sources(collection);
            self.follow_sources(&messages);
        }
    }

    fn file_done(&mut self, done: FileDone) {
        let shown = |path: PathBuf| path.display().to_string();
        match done {
            FileDone::Read(_, name, switches, Ok(_)) if switches != self.state.stage.switches => {
                self.part_done(Err(problem!("import-other-collection", name = name)));
            }
            FileDone::Read(_, _, _, Ok(mut import)) => {
                let before = self.settings.collection.clone();
                let old_strips = self.settings.strips.clone();
                let main = self.state.program.as_ref().map(|it| it.audio_choice().clone());
                if self.has_first_scenes() {
                    self.settings.collection = Collection::default();
                }
                let settings = &mut self.settings;
                let (scenes, sources, strips) =
                    import.give(&mut settings.collection, &mut settings.strips, main.as_ref());
                if self.config.scenes_only && self.wants_main() {
                    let kept = self.settings.video.clone();
                    let choice = kept.unwrap_or_else(|| self.usual_video());
                    let name = self.source_name(&choice);
                    self.settings.collection.adopt_main(&name, choice);
                }
                let left_out = import.left_out_in_short();
                let followed = self.follow_shown(&before, false).is_some();
                let then = UndoState {
                    scenes: (self.settings.collection != before).then(|| before.clone()),
                    strips: (self.settings.strips != old_strips).then_some(old_strips),
                };
                if then != UndoState::default() {
                    self.add_step(then, Change::Apart);
                }
                if self.settings.collection != before {
                    self.edited(&before);
                }
                if strips > 0 && !followed {
                    self.set_strips();
                    self.changed();
                }
                let (scenes, sources) = (scenes.to_string(), sources.to_string());
                let strips = strips.to_string();
                self.notices.raise(&StudioMessage::ScenesImported { scenes, sources, strips }, "");
                if !left_out.is_empty() {
                    self.notices.raise(
                        &StudioMessage::ScenesLeftOut { what: problem!("list", items = left_out) },
                        "",
                    );
                }
                // The imported scenes have other ids here, so the files are looked for anew.
                let mut report = ImportReport::new(&self.settings.collection, &import.left_out);
                (report.scenes, report.sources) =
                    (import.collection.scenes.len(), import.collection.sources.len());
                report.collection.clone_from(&self.settings.in_use.collection);
                self.state.stage.report_import(report, true);
            }
            FileDone::Read(path, _, _, Err(reason)) => {
                let path = shown(path);
                self.notices.raise(&StudioMessage::ScenesImportFailed { path, reason }, "");
            }
            FileDone::Written(path, None) => {
                self.notices.raise(&StudioMessage::ScenesExported { path: shown(path) }, "");
            }
            FileDone::Written(path, Some(reason)) => {
                let path = shown(path);
                self.notices.raise(&StudioMessage::ScenesExportFailed { path, reason }, "");
            }
            FileDone::PartRead(kind, with_key, path, read) => {
                self.part_read(kind, with_key, &path, read);
            }
        }
    }

    /// Returns the scenes for the window.
    pub fn scenes_view(&self) -> Scenes {
        let stage = &self.state.stage;
        let program = self.state.program.as_ref();
        let own = stage.shared.sources.iter().map(|source| source.id);
        let sources = program.into_iter().flat_map(|program| {
            [MAIN_SOURCE].into_iter().chain(own.clone()).map(|id| {
                let report = program.source_report(id);
                let transport = program.transport(id);
                let frame_size = match report.format {
                    SourceFormat::Video { size, .. } => Some(size),
                    _ => None,
                };
                SceneSource {
                    id,
                    playing: transport.position(),
                    left_out: transport.left_out(),
                    filter_problems: program.filter_problems(stage.shared.filters(id)),
                    device: report.id.clone(),
                    state: report.state,
                    name: report.name,
                    // The size as displayed: a filter may have reduced it.
                    size: frame_size.map(|size| filtered_size(stage.shared.filters(id), size)),
                    frame_size,
                    reason: if report.state == SourceState::Open {
                        Problem::default()
                    } else {
                        report.reason
                    },
                }
            })
        });
        let (can_undo, can_redo) = stage.undo_history.can();
        Scenes {
            collection: Arc::clone(&stage.shared),
            sources: sources.collect(),
            preview_scene: stage.preview_scene,
            t_bar: stage.t_bar,
            import_report: stage.import_report.clone(),
            preview: self.preview_frames.clone(),
            views: Arc::clone(&stage.view_frames),
            can_undo,
            can_redo,
            skips_filters: stage.degradation.level() >= Degradation::Filters,
            transition_problems: program.map(Program::transition_problems).unwrap_or_default(),
            controls: self.state.stage.board.listed(),
            formats: self.state.stage.board.formats(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::engine::handlers::live::tests::{end, on_air};

    #[test]
    fn removing_the_scene_in_the_preview_does_not_end_studio_mode() {
        let (mut engine, _ends) = on_air();
        engine.edit(&Edit::AddScene("Talk".into()));
        let talk = engine.settings.collection.scene_named("Talk").unwrap().id;
        engine.set_preview_scene(Some(talk));
        engine.edit(&Edit::RemoveScene(talk));
        let current = engine.settings.collection.current;
        assert!(talk != current && engine.state.stage.preview_scene == Some(current));
        end(engine);
    }
}
