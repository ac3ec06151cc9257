//! The studio's working state of scenes and the mixer: the preview scene, the undo history, and
//! open files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::audio::AudioChoice;
use crate::base::queue::Receiver;
use crate::base::{Latest, Timestamp, Worker};
use crate::capture::browser::StudioBoard;
use crate::capture::{CameraControls, Permissions};
use crate::compose::scene::SceneId;
use crate::compose::{ViewDetail, ViewOf};
use crate::media::VideoFrame;
use crate::studio::engine::degradation::ReportedDegradation;
use crate::studio::engine::removed_strips::RemovedStrips;
use crate::studio::engine::undo_history::{Change, UndoHistory, UndoState};
use crate::studio::scenes::Collection;
use crate::studio::settings::import::report::ImportReport;
use crate::studio::settings::part::PartKind;
use crate::studio::settings::part::import::PartImport;
use crate::studio::settings::scenes::collection::Import;
use crate::studio::watch::chat_roll::ChatRoll;

/// Similar changes within this time are one undo step.
const UNDO_MERGE_WINDOW: Duration = Duration::from_millis(1_500);

/// The unsaved state of scenes.
#[derive(Debug, Default)]
pub struct SceneState {
    /// The requested and current controls of cameras.
    pub board: CameraControls,
    /// The desktop's permissions for displays and windows.
    pub permissions: Permissions,
    /// The state of the studio for browser pages.
    pub pages: StudioBoard,
    /// The messages of the chat for texts.
    pub chat: ChatRoll,
    pub degradation: ReportedDegradation,
    pub preview_scene: Option<SceneId>,
    /// The position of the T-bar, from 0 (program) to 1 (preview).
    pub t_bar: f32,
    /// The time at which sources that only the previous program showed are removed.
    pub forget_at: Option<Timestamp>,
    /// The views drawn in addition to the program.
    pub views: BTreeMap<ViewOf, ViewDetail>,
    /// The newest frame of each view.
    pub view_frames: Arc<BTreeMap<ViewOf, Latest<VideoFrame>>>,
    /// Scenes that were reported as having too many layers, with their names at that time.
    pub crowded: BTreeMap<SceneId, String>,
    /// The audio of the visible sources at the last update of the strips.
    pub shown_audio: Vec<AudioChoice>,
    /// The scenes in the program at that time.
    pub shown_scenes: BTreeSet<SceneId>,
    pub undo_history: UndoHistory,
    pub last_edit: Option<Timestamp>,
    /// True while the user holds a mouse button in the window.
    pub is_gesture: bool,
    /// The strips that return when their sources are pasted.
    pub removed_strips: RemovedStrips,
    /// The collection as passed to the window.
    pub shared: Arc<Collection>,
    /// The number of times that another collection came into use.
    pub switches: u64,
    /// What the last import could not carry over, until the user has read it.
    pub import_report: Option<Arc<ImportReport>>,
    /// The number of imports.
    pub imports: u64,
    /// A file with scenes or a profile that is being read or written.
    pub file: Option<Receiver<FileDone>>,
    pub workers: Vec<Worker>,
}

impl SceneState {
    /// Begins or ends a gesture. Similar changes of one gesture are one undo step, also with pauses
    /// between them. Changes of two gestures are separate steps.
    pub fn set_gesture(&mut self, is_gesture: bool) {
        (self.is_gesture, self.last_edit) = (is_gesture, None);
    }

    /// Shows what an import could not carry over. `is_used` is true if its collection is in use.
    pub fn report_import(&mut self, report: ImportReport, is_used: bool) {
        self.imports += 1;
        let report = ImportReport { number: self.imports, is_used, ..report };
        self.import_report = (!report.is_empty()).then(|| Arc::new(report));
    }

    /// Returns true if there are views that a slow computer does not draw.
    pub fn has_droppable_views(&self) -> bool {
        self.preview_scene.is_some() || self.views.keys().any(|of| of.is_droppable())
    }

    /// Adds an undo step for a change at this time.
    pub fn add_step(&mut self, before: UndoState, change: Change, now: Timestamp) {
        let is_late = |last| !self.is_gesture && now.since(last) > UNDO_MERGE_WINDOW;
        let apart = self.last_edit.is_none_or(is_late);
        self.last_edit = Some(now);
        self.undo_history.add(before, change, apart);
    }
}

/// The result of a file operation.
#[derive(Debug)]
pub enum FileDone {
    /// A file with scenes to import. The name and [`SceneState::switches`] are those of the
    /// collection for which it was chosen.
    Read(PathBuf, String, u64, Result<Box<Import>, crate::text::Problem>),
    Written(PathBuf, Option<crate::text::Problem>),
    /// A file to import as a collection or profile, and whether the user wants its stream keys.
    PartRead(PartKind, bool, PathBuf, Result<Box<PartImport>, crate::text::Problem>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::scene::SourceId;
    use crate::mix::StripId;
    use crate::studio::command::{Command, PartCommand};
    use crate::studio::engine::Engine;
    use crate::studio::engine::handlers::live::tests::{at_rest, until};
    use crate::studio::engine::undo_history::DraggedControl;
    use crate::studio::notices::Notice;
    use crate::studio::scenes::edits::Edit;
    use crate::studio::settings::scenes::collection;

    #[test]
    fn a_view_before_a_filter_is_not_dropped_on_a_slow_computer() {
        let mut stage = SceneState::default();
        stage.views.insert(ViewOf::BeforeFilter(SourceId(1), 0), ViewDetail::Full);
        assert!(!stage.has_droppable_views());
        stage.views.insert(ViewOf::Source(SourceId(1)), ViewDetail::Full);
        assert!(stage.has_droppable_views());
        let stage = SceneState { preview_scene: Some(SceneId(1)), ..SceneState::default() };
        assert!(stage.has_droppable_views());
    }

    #[test]
    fn a_gesture_with_pauses_is_one_undo_step_and_two_gestures_are_two() {
        let mut stage = SceneState::default();
        let change = |stage: &mut SceneState, millis: i64| {
            let before = UndoState { scenes: None, strips: Some(Vec::new()) };
            let change = Change::Mixer(StripId::MAIN, DraggedControl::Gain);
            stage.add_step(before, change, Timestamp::from_millis(millis));
        };
        let steps = |stage: &mut SceneState| {
            std::iter::from_fn(|| stage.undo_history.undo(&Collection::default(), &[])).count()
        };
        for (is_gesture, count) in [(true, 1), (false, 2)] {
            stage.set_gesture(is_gesture);
            change(&mut stage, 1_000);
            change(&mut stage, 9_000);
            assert_eq!(steps(&mut stage), count);
        }
        for from in [1_000, 1_200] {
            stage.set_gesture(true);
            change(&mut stage, from);
            stage.set_gesture(false);
        }
        change(&mut stage, 1_300);
        change(&mut stage, 1_400);
        assert_eq!(steps(&mut stage), 3);
    }

    #[test]
    fn a_failed_import_of_a_profile_names_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends) = at_rest(Some(folder.path()));
        let (kind, path) = (PartKind::Profile, folder.path().join("Friday.toml"));
        std::fs::write(&path, "a = 1").unwrap();
        engine.handle(Command::Part(PartCommand::Import { kind, path, with_key: false }));
        until("end of the import", || {
            engine.poll_scenes();
            engine.state.stage.file.is_none()
        });
        let notices = engine.notices.active.notices();
        let failed = notices.iter().find(|it| it.key() == "part-failed").unwrap();
        assert!(failed.summary().contains("Friday.toml: this is not"), "{}", failed.summary());
    }

    #[test]
    fn an_import_that_ends_after_a_switch_goes_into_no_other_collection() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends) = at_rest(Some(folder.path()));
        let path = folder.path().join("scenes.toml");
        let mut exported = engine.settings.collection.clone();
        assert!(exported.apply(&Edit::AddScene("Talk".into())));
        collection::export(&exported, &[], &path).unwrap();
        let kind = PartKind::Collection;
        // The result is taken only here.
        let end = |engine: &mut Engine| -> Vec<&'static str> {
            until("end of the import", || {
                engine.poll_scenes();
                engine.state.stage.file.is_none()
            });
            engine.notices.active.notices().iter().map(Notice::key).collect()
        };
        let has_talk = |engine: &Engine| engine.settings.collection.scene_named("Talk").is_some();
        for command in [
            PartCommand::New(kind, "Other".into()),
            PartCommand::Use(kind, "Main".into()),
            PartCommand::Duplicate(kind, "Copy".into()),
        ] {
            engine.handle(Command::ImportScenes(path.clone()));
            engine.handle(Command::Part(command));
            assert!(end(&mut engine).contains(&"part-failed"));
            assert!(!has_talk(&engine));
        }
        // The same collection has another name.
        engine.handle(Command::ImportScenes(path));
        let rename = PartCommand::Rename { kind, was: "Copy".into(), name: "Show".into() };
        engine.handle(Command::Part(rename));
        assert_eq!(engine.settings.in_use.collection, "Show");
        assert!(end(&mut engine).contains(&"scenes-imported"));
        assert!(has_talk(&engine));
    }
}
