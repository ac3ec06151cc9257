//! Scene collections and profiles: switching, creating, renaming, deleting, restoring versions. The
//! file is long because its tests follow a collection through a whole engine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::files::Trouble;
use crate::studio::command::PartCommand;
use crate::studio::engine::removed_strips::RemovedStrips;
use crate::studio::engine::scene_state::FileDone;
use crate::studio::engine::undo_history::UndoHistory;
use crate::studio::engine::{Engine, SAVE_TIMEOUT};
use crate::studio::event::Event;
use crate::studio::live::on_air::OnAir;
use crate::studio::notices::message::StudioMessage;
use crate::studio::notices::row::Group;
use crate::studio::program::Program;
use crate::studio::settings::ImportReport;
use crate::studio::settings::part::files::PartFiles;
use crate::studio::settings::part::import::PartImport;
use crate::studio::settings::part::versions::VersionId;
use crate::studio::settings::part::{PartKind, exchange, is_same_name};
use crate::studio::settings::{Preferences, Settings};
use crate::studio::snapshot::{PartVersions, PartsView};
use crate::studio::targets::{Target, address};
use crate::text::problem::{Problem, problem};

impl Engine {
    /// Updates the list of collections and profiles for the window.
    pub fn list_parts(&mut self) {
        let Some(files) = self.file.parts() else { return };
        self.file.view = Arc::new(PartsView {
            collections: files.names(PartKind::Collection, &self.settings),
            profiles: files.names(PartKind::Profile, &self.settings),
            deleted_collections: files.deleted(PartKind::Collection, &self.settings),
            deleted_profiles: files.deleted(PartKind::Profile, &self.settings),
            in_use: self.settings.in_use.clone(),
            is_kept: true,
            ..(*self.file.view).clone()
        });
    }

    /// Executes a command for collections and profiles.
    pub fn handle_part(&mut self, command: PartCommand) {
        // If nothing is saved, there are no collections or profiles.
        let Some(files) = self.file.parts() else { return };
        // A running save would replace what this command writes, and has versions to add.
        self.finish_save(SAVE_TIMEOUT, false);
        if self.file.is_saving() {
            return self.part_done(Err(problem!("part-busy")));
        }
        let done = match command {
            PartCommand::Use(kind, name) => self.use_part(&files, kind, &name),
            PartCommand::New(kind, name) => self.new_part(&files, kind, &name),
            PartCommand::Duplicate(kind, name) => self.duplicate_part(&files, kind, &name),
            PartCommand::Rename { kind, was, name } => self.rename_part(&files, kind, &was, &name),
            PartCommand::Delete(kind, name) => self.delete_part(&files, kind, &name),
            PartCommand::ListVersions(kind, name) => {
                let versions = files.versions().described(kind, &name);
                let view = Arc::make_mut(&mut self.file.view);
                view.versions = Some(PartVersions { kind, name, versions });
                Ok(())
            }
            PartCommand::Restore { kind, name, id } => {
                match is_same_name(&name, self.settings.in_use.name(kind)) {
                    true => self.restore_part(&files, kind, &id),
                    false => files.restore(kind, &name, &id, &self.settings),
                }
            }
            PartCommand::Import { kind, path, with_key } => self.read_part(kind, path, with_key),
            PartCommand::Export { kind, name, path } => {
                self.export_part(&files, kind, &name, &path)
            }
        };
        self.part_done(done);
    }

    /// Reports whether a command failed, or ends the report about an earlier one.
    pub fn part_done(&mut self, done: Result<(), Problem>) {
        self.notices.active.clear(&["part-failed"]);
        if let Err(reason) = done {
            self.notices.raise(&StudioMessage::PartFailed { reason }, "");
        }
        // Other collections and profiles may now be unused.
        self.settings.keyring_addresses.taken = None;
        self.forget_deleted();
        self.list_parts();
    }

    /// Checks whether the user may switch now. Another profile must wait until the stream ends.
    fn may_change(&self, kind: PartKind) -> Result<(), Problem> {
        match kind == PartKind::Profile && self.live.is_busy() {
            true => Err(problem!("part-profile-on-air")),
            false => Ok(()),
        }
    }

    fn use_part(&mut self, files: &PartFiles, kind: PartKind, name: &str) -> Result<(), Problem> {
        if is_same_name(name, self.settings.in_use.name(kind)) {
            return Ok(());
        }
        self.may_change(kind)?;
        // The secrets of the old collection or profile are stored before it is replaced.
        self.keep_keys();
        let warnings = files.switch(kind, name, &mut self.settings)?;
        self.state.stage.switches += u64::from(kind == PartKind::Collection);
        for reason in warnings {
            self.notices.raise(&StudioMessage::SettingsBad { reason }, "");
        }
        self.follow_part(kind);
        Ok(())
    }

    fn new_part(&mut self, files: &PartFiles, kind: PartKind, name: &str) -> Result<(), Problem> {
        let name = files.free_name(kind, name, &self.settings)?;
        // The program on air stays as it is until the user chooses the new collection or profile.
        if self.live.is_busy() {
            return files.park(kind, &name, &Settings::default());
        }
        self.keep_keys();
        let mut new = self.settings.clone();
        kind.copy(&Settings::default(), &mut new);
        new.in_use.set(kind, &name);
        files.begin(kind, &mut self.settings, new)?;
        self.state.stage.switches += u64::from(kind == PartKind::Collection);
        self.follow_part(kind);
        Ok(())
    }

    fn duplicate_part(
        &mut self,
        files: &PartFiles,
        kind: PartKind,
        name: &str,
    ) -> Result<(), Problem> {
        self.may_change(kind)?;
        let name = files.free_name(kind, name, &self.settings)?;
        self.keep_keys();
        let mut new = self.settings.clone();
        new.in_use.set(kind, &name);
        if kind == PartKind::Profile {
            // If a key is changed in one profile, the key in the other stays unchanged. A key that
            // is still being loaded is found only under its present name.
            let is_answered = self.secrets.answered == self.secrets.fetch;
            let is_known = |it: &Target| is_answered || address::secret_of(it).is_some();
            let stored = new.targets.iter_mut().filter(|it| !it.keep_as.is_empty() && is_known(it));
            for target in stored {
                target.keep_as = Target::new_key_name();
                self.secrets.changed.insert(target.id);
            }
        }
        files.begin(kind, &mut self.settings, new)?;
        self.state.stage.switches += u64::from(kind == PartKind::Collection);
        self.targets.list.clone_from(&self.settings.targets);
        self.file.begin_versions(&self.settings);
        self.changed();
        Ok(())
    }

    fn rename_part(
        &mut self,
        files: &PartFiles,
        kind: PartKind,
        was: &str,
        name: &str,
    ) -> Result<(), Problem> {
        let name = match is_same_name(was, name) {
            true => crate::studio::settings::part::check_name(name)?,
            false => files.free_name(kind, name, &self.settings)?,
        };
        if is_same_name(was, self.settings.in_use.name(kind)) {
            self.settings.in_use.set(kind, &name);
            files.versions().rename(kind, was, &name);
            self.file.begin_versions(&self.settings);
            self.changed();
            return Ok(());
        }
        files.rename(kind, was, &name)
    }

    fn delete_part(
        &mut self,
        files: &PartFiles,
        kind: PartKind,
        name: &str,
    ) -> Result<(), Problem> {
        if is_same_name(name, self.settings.in_use.name(kind)) {
            let names = files.names(kind, &self.settings);
            let other = names.into_iter().find(|it| !is_same_name(it, name));
            let other = other.ok_or_else(|| problem!("part-only-one"))?;
            self.use_part(files, kind, &other)?;
        }
        let removed = files.read(kind, name).ok();
        files.remove(kind, name)?;
        // A deleted collection can be restored, and its sources then need their secrets. The user
        // was told that a profile is restored without its stream keys.
        match kind {
            PartKind::Collection => files.list_entries(name),
            PartKind::Profile => {
                if let Some((removed, _)) = &removed {
                    self.forget_secrets(files, removed);
                }
            }
        }
        Ok(())
    }

    /// Deletes the keyring entries of deleted collections and sources whose versions are gone too.
    pub fn forget_deleted(&self) {
        // A running save may add a version that needs an entry.
        let files = self.file.parts().filter(|_| !self.file.is_saving());
        let (Some(keys), Some(files)) = (&self.secrets.keys, files) else { return };
        for name in files.take_needless_entries(&self.settings) {
            keys.forget(&name);
        }
    }

    /// Deletes keyring entries that were used only by a deleted profile.
    fn forget_secrets(&self, files: &PartFiles, removed: &Settings) {
        let Some(keys) = &self.secrets.keys else { return };
        let own = PartKind::ALL.iter().filter_map(|it| it.text_of(&self.settings).ok());
        let own: Vec<String> = own.collect();
        let (_, addresses) = removed.concealed();
        let is_own = |name: &str| own.iter().any(|text| text.contains(name));
        let stream_keys = removed.targets.iter().map(|target| target.keep_as.as_str());
        for name in stream_keys.filter(|name| !name.is_empty()) {
            if !is_own(name) && !files.mention_key(name) {
                keys.forget(name);
            }
        }
        for kept in &addresses {
            if !is_own(&kept.name) && !files.mention(&kept.name) {
                keys.forget(&kept.name);
            }
        }
    }

    fn restore_part(
        &mut self,
        files: &PartFiles,
        kind: PartKind,
        id: &VersionId,
    ) -> Result<(), Problem> {
        self.may_change(kind)?;
        let name = self.settings.in_use.name(kind).to_owned();
        let trouble = |error: std::io::Error| Trouble::problem(&error);
        let old = files.versions().read(kind, &name, id)?;
        self.keep_keys();
        // The current content is stored too, so that the user can return to it.
        let now = kind.text_of(&self.settings).map_err(trouble)?;
        files.versions().add(kind, &name, &now).map_err(trouble)?;
        if kind == PartKind::Collection {
            files.list_entries(&name);
        }
        kind.copy(&old, &mut self.settings);
        self.follow_part(kind);
        let versions = files.versions().described(kind, &name);
        Arc::make_mut(&mut self.file.view).versions = Some(PartVersions { kind, name, versions });
        Ok(())
    }

    /// Reads a file to import. The studio does not wait for this, because a collection of OBS can
    /// name many media files, whose headers are read too.
    fn read_part(&mut self, kind: PartKind, path: PathBuf, with_key: bool) -> Result<(), Problem> {
        self.with_file("part-import", move || {
            let read = exchange::read(kind, &path).map(Box::new);
            FileDone::PartRead(kind, with_key, path, read)
        })
    }

    /// Adds the contents of a file to import, once the file was read.
    pub fn part_read(
        &mut self,
        kind: PartKind,
        with_key: bool,
        path: &Path,
        read: Result<Box<PartImport>, Problem>,
    ) {
        let Some(files) = self.file.parts() else { return };
        let done = read.and_then(|import| self.import_part(&files, kind, &import, with_key));
        let path = path.display().to_string();
        let failed = |reason| problem!("part-import-failed", path = path, reason = reason);
        self.part_done(done.map_err(failed));
    }

    fn import_part(
        &mut self,
        files: &PartFiles,
        kind: PartKind,
        import: &PartImport,
        with_key: bool,
    ) -> Result<(), Problem> {
        let name = exchange::import(files, kind, import, &self.settings)?;
        if let Some(keys) = &self.secrets.keys {
            let stream_keys = import.keys().filter(|_| with_key);
            import.addresses().chain(stream_keys).for_each(|(name, key)| keys.keep(name, key));
        }
        let left_out = problem!("list", items = import.left_out_in_short());
        let some_left = !import.left_out.is_empty();
        self.notices.raise(&StudioMessage::PartImported { name: name.clone() }, "");
        if some_left {
            self.notices.raise(&StudioMessage::ScenesLeftOut { what: left_out }, "");
        }
        if kind == PartKind::Collection {
            // A broadcast or recording goes on with its own scenes.
            let is_free = !self.live.is_busy();
            if is_free {
                self.use_part(files, kind, &name)?;
            }
            let mut report = ImportReport::new(&import.settings.collection, &import.left_out);
            if is_free {
                report.missing = ImportReport::new(&self.settings.collection, &[]).missing;
            }
            report.collection = name;
            self.state.stage.report_import(report, is_free);
        }
        Ok(())
    }

    fn export_part(
        &mut self,
        files: &PartFiles,
        kind: PartKind,
        name: &str,
        path: &Path,
    ) -> Result<(), Problem> {
        let mut settings = self.settings.clone();
        files.borrow(kind, name, &mut settings)?;
        exchange::export(kind, &settings, path)?;
        let path = path.display().to_string();
        self.notices.raise(&StudioMessage::PartExported { path }, "");
        Ok(())
    }

    /// Applies a changed collection or profile.
    fn follow_part(&mut self, kind: PartKind) {
        match kind {
            PartKind::Collection => self.follow_collection(),
            PartKind::Profile => self.follow_profile(),
        }
        self.fetch_secrets();
        self.file.begin_versions(&self.settings);
        let view = Arc::make_mut(&mut self.file.view);
        view.changes += 1;
        view.collection_changes += u64::from(kind == PartKind::Collection);
        self.changed();
    }

    /// Applies a changed collection, which is a scene change on air: outputs and encoders continue.
    fn follow_collection(&mut self) {
        // Guests who were on air when the collection was stored are not asked for again.
        self.forget_earlier_guests();
        let (_, wanted) = self.settings.concealed();
        let known = &mut self.settings.keyring_addresses.known;
        known.retain(|name, _| wanted.iter().any(|kept| kept.name == *name));
        (self.state.stage.undo_history, self.state.stage.last_edit) =
            (UndoHistory::default(), None);
        // The ids of strips apply only to their collection.
        self.state.stage.removed_strips = RemovedStrips::default();
        let is_studio_mode = self.state.stage.preview_scene.is_some();
        self.set_preview_scene(None);
        // Sources that both collections show stay open.
        let held = self.state.program.as_ref().map(Program::hold);
        let (video, audio) = (self.first_video(), self.settings.audio.clone());
        self.startup.undecided = (video.is_none(), audio.is_none());
        if let Some(audio) = audio {
            self.select_audio(audio);
        }
        self.begin_scenes();
        if let Some(video) = video {
            self.select_video(video);
        }
        self.set_strips();
        if self.startup.is_undecided() {
            self.decide();
        }
        drop(held);
        if is_studio_mode {
            self.set_preview_scene(Some(self.settings.collection.current));
        }
        if let Some(scene) = self.settings.collection.current() {
            self.notices.send_event(Event::Scene(scene.name.clone()));
        }
    }

    /// Sets the preferences. If the sender does not know the latest switch yet, the profile in use
    /// keeps its own preferences, such as its hotkeys.
    pub fn set_preferences(&mut self, preferences: Preferences, part_changes: u64) {
        let newer = (part_changes != self.file.view.changes).then(|| self.settings.clone());
        self.settings.preferences = preferences;
        if let Some(newer) = newer {
            PartKind::Profile.copy(&newer, &mut self.settings);
        }
        self.notices.log.set_language(self.settings.preferences.language.spoken());
        if let Some(program) = &self.state.program {
            program.mixer().set_fall(self.settings.preferences.meter_fall);
        }
        self.live.replay_failed = false;
        self.keep_replay();
        self.end_if_idle();
        self.follow_recorded_size();
        self.changed();
    }

    /// Composes the program at the size that recordings need, unless it is on air.
    fn follow_recorded_size(&mut self) {
        if self.is_composed_as_chosen() {
            return;
        }
        match &self.live.on_air {
            // If only the replay buffer uses the encoders, it starts again.
            Some(on_air) if !on_air.is_busy() => self.end_broadcast(),
            Some(_) => {}
            None => self.apply_quality_when_idle(),
        }
    }

    fn follow_profile(&mut self) {
        self.targets.list.clone_from(&self.settings.targets);
        self.targets.events.clear();
        self.targets.reported_causes.clear();
        self.targets.edited.clear();
        self.targets.unfinished.clear();
        // The ids are now those of other targets.
        self.live.summary.targets.iter_mut().for_each(|it| it.id = None);
        self.secrets.changed.clear();
        self.notices.active.clear(Group::Target.keys());
        self.state.preflight = None;
        self.set_preferences(self.settings.preferences.clone(), self.file.view.changes);
        // If only the replay buffer uses the encoders, it starts again with the new quality.
        if self.live.on_air.as_ref().is_some_and(|on_air: &OnAir| !on_air.is_busy()) {
            self.end_broadcast();
        } else {
            self.apply_quality_when_idle();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::capture::VideoChoice;
    use crate::studio::command::Command;
    use crate::studio::engine::handle::OwnerEnds;
    use crate::studio::engine::handlers::live::tests::{at_rest, save, until};
    use crate::studio::notices::Notice;
    use crate::studio::scenes::Collection;
    use crate::studio::scenes::edits::Edit;
    use crate::studio::settings::stream_keys::Keys;

    const ADDRESS: &str = "rtmp://me:planted@cam.example/live/door";

    /// Returns a studio with a source whose address has a password, and the file of the keys.
    fn with_secret_source(folder: &Path) -> (Engine, OwnerEnds, PathBuf) {
        let (mut engine, ends) = at_rest(Some(folder));
        let file = folder.join("keys.toml");
        engine.secrets.keys = Some(Keys::start(file.clone(), false).unwrap());
        let scene = engine.settings.collection.current;
        let choice = VideoChoice::Stream(ADDRESS.into());
        let source = Edit::AddSource { scene, name: "Door".into(), choice };
        assert!(engine.settings.collection.apply(&source));
        (engine, ends, file)
    }

    #[test]
    fn preferences_that_are_older_than_a_switch_change_nothing_in_the_new_profile() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends) = at_rest(Some(folder.path()));
        let part_changes = engine.file.view.changes;
        let mut preferences = engine.settings.preferences.clone();
        preferences.push_to_talk_everywhere = true;
        preferences.reduced_motion = true;
        let kind = PartKind::Profile;
        engine.handle(Command::Part(PartCommand::New(kind, "Other".into())));
        engine.handle(Command::SetPreferences { preferences: preferences.clone(), part_changes });
        let stored = &engine.settings.preferences;
        assert!(!stored.push_to_talk_everywhere, "it belongs to the old profile");
        assert!(stored.reduced_motion, "it belongs to no profile");
        let part_changes = engine.file.view.changes;
        engine.handle(Command::SetPreferences { preferences, part_changes });
        assert!(engine.settings.preferences.push_to_talk_everywhere);
    }

    #[test]
    fn studio_mode_stays_on_in_another_collection() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends) = at_rest(Some(folder.path()));
        let kind = PartKind::Collection;
        assert!(engine.settings.collection.apply(&Edit::AddScene("Talk".into())));
        let scene = engine.settings.collection.scene_named("Talk").map(|it| it.id);
        engine.handle(Command::SetPreviewScene(scene));
        assert!(scene.is_some() && engine.state.stage.preview_scene == scene);
        engine.handle(Command::Part(PartCommand::New(kind, "Other".into())));
        assert_eq!(engine.state.stage.preview_scene, Some(engine.settings.collection.current));
        engine.handle(Command::SetPreviewScene(None));
        engine.handle(Command::Part(PartCommand::Use(kind, "Main".into())));
        assert_eq!(engine.state.stage.preview_scene, None);
    }

    #[test]
    fn a_deleted_collection_keeps_its_secrets_and_a_deleted_profile_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends, file) = with_secret_source(folder.path());
        engine.put_target(Target {
            enabled: false,
            remember_key: true,
            keep_as: "0123456789abcdef".into(),
            ..Target::custom(1, "rtmp://h/app", "stream-key".into())
        });
        for kind in PartKind::ALL {
            for command in
                [PartCommand::New(kind, "Other".into()), PartCommand::Delete(kind, "Main".into())]
            {
                engine.handle(Command::Part(command));
            }
            let files = engine.file.parts().unwrap();
            assert_eq!(files.deleted(kind, &engine.settings), ["Main"], "it can be restored");
        }
        engine.secrets.keys.take().unwrap().end(Duration::from_secs(60));
        let kept = std::fs::read_to_string(&file).unwrap();
        assert!(kept.contains("planted") && !kept.contains("stream-key"), "{kept}");
    }

    #[test]
    fn the_secrets_of_a_deleted_collection_are_deleted_after_its_last_version() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends, file) = with_secret_source(folder.path());
        let kind = PartKind::Collection;
        engine.handle(Command::Part(PartCommand::New(kind, "Other".into())));
        engine.handle(Command::Part(PartCommand::Delete(kind, "Main".into())));
        let files = engine.file.parts().unwrap();
        assert!(files.take_needless_entries(&engine.settings).is_empty(), "it can be restored");
        std::fs::remove_dir_all(folder.path().join("versions/collections/Main")).unwrap();
        engine.handle(Command::Part(PartCommand::ListVersions(kind, "Main".into())));
        engine.secrets.keys.take().unwrap().end(Duration::from_secs(60));
        let kept = std::fs::read_to_string(&file).unwrap();
        assert!(!kept.contains("planted"), "{kept}");
    }

    /// Deletes the source of [`with_secret_source`], and saves the settings before and after.
    fn delete_secret_source(engine: &mut Engine) {
        engine.file.begin_versions(&engine.settings);
        for collection in [engine.settings.collection.clone(), Collection::default()] {
            engine.settings.collection = collection;
            engine.changed();
            save(engine);
        }
    }

    #[test]
    fn a_restored_version_has_the_password_of_a_source_that_was_deleted_since() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends, file) = with_secret_source(folder.path());
        delete_secret_source(&mut engine);
        let (kind, name) = (PartKind::Collection, "Main".to_owned());
        let id = engine.file.parts().unwrap().versions().list(kind, &name)[0].clone();
        engine.handle(Command::Part(PartCommand::Restore { kind, name, id }));
        until("password", || {
            engine.poll_stream_keys();
            !engine.secrets.pending
        });
        let door = engine.settings.collection.sources.iter().find(|it| it.name == "Door");
        let choice = VideoChoice::Stream(ADDRESS.into());
        assert_eq!(door.map(|it| &it.choice), Some(&choice));
        engine.secrets.keys.take().unwrap().end(Duration::from_secs(60));
        assert!(std::fs::read_to_string(&file).unwrap().contains("planted"));
    }

    #[test]
    fn the_password_of_a_deleted_source_is_deleted_after_its_last_version() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends, file) = with_secret_source(folder.path());
        delete_secret_source(&mut engine);
        let kind = PartKind::Collection;
        let list = || Command::Part(PartCommand::ListVersions(kind, "Main".into()));
        engine.handle(list());
        let files = engine.file.parts().unwrap();
        assert!(folder.path().join("deleted-entries.txt").exists(), "it can be restored");
        std::fs::remove_dir_all(folder.path().join("versions")).unwrap();
        assert!(files.versions().list(kind, "Main").is_empty());
        engine.handle(list());
        engine.secrets.keys.take().unwrap().end(Duration::from_secs(60));
        let kept = std::fs::read_to_string(&file).unwrap();
        assert!(!kept.contains("planted"), "{kept}");
    }

    #[test]
    fn an_import_or_export_is_refused_until_the_running_one_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends) = at_rest(Some(folder.path()));
        let keys = |engine: &Engine| -> Vec<&'static str> {
            engine.notices.active.notices().iter().map(Notice::key).collect()
        };
        let path = folder.path().join("scenes.toml");
        let (release, held) = std::sync::mpsc::sync_channel::<()>(0);
        let done = FileDone::Written(path.clone(), None);
        let begun = engine.with_file("slow", move || {
            let _ = held.recv();
            done
        });
        assert!(begun.is_ok());
        let kind = PartKind::Profile;
        for command in [
            Command::Part(PartCommand::Import { kind, path: path.clone(), with_key: false }),
            Command::ImportScenes(path.clone()),
            Command::ExportScenes(path.clone()),
        ] {
            engine.notices.active.clear(&["part-failed"]);
            engine.handle(command);
            assert_eq!(keys(&engine), ["part-failed"]);
            let summary = engine.notices.active.notices()[0].summary();
            assert!(summary.contains("another import or export is still running"), "{summary}");
        }
        // Other commands do not wait for the file.
        engine.handle(Command::Part(PartCommand::Duplicate(kind, "Copy".into())));
        assert_eq!(engine.settings.in_use.name(kind), "Copy");
        engine.handle(Command::ExportScenes(path.clone()));
        drop(release);
        until("end of the export", || {
            engine.poll_scenes();
            engine.state.stage.file.is_none()
        });
        assert_eq!(keys(&engine), ["scenes-exported"]);
        engine.handle(Command::ExportScenes(path));
        assert!(engine.state.stage.file.is_some());
        assert_eq!(keys(&engine), ["scenes-exported"]);
    }
}
