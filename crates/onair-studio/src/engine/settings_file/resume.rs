//! Records the running broadcast, and resumes it after a crash.

use std::time::Duration;

use crate::studio::command::{Command, PartCommand};
use crate::studio::engine::Engine;
use crate::studio::notices::message::StudioMessage;
use crate::studio::settings::part::on_air::OnAirMark;
use crate::studio::settings::part::{PartKind, is_same_name};

impl Engine {
    /// Offers to resume a broadcast that a crash interrupted.
    pub fn offer_to_resume(&mut self) {
        let Some(path) = self.file.on_air.path.as_deref().filter(|_| self.file.path.is_some())
        else {
            return;
        };
        let Some(mark) = OnAirMark::left(path) else { return };
        self.notices.raise(&offer(&mark), "");
        self.file.on_air.left = Some(mark);
    }

    /// Goes live as before the crash. If the profile or collection of that broadcast cannot be used
    /// now, nothing is sent, and the offer remains.
    pub fn resume(&mut self) {
        if self.file.on_air.is_resuming {
            return;
        }
        // The record stays until the broadcast begins, because this run may crash before that.
        let Some(mark) = self.file.on_air.left.clone() else { return };
        self.notices.active.clear(&["on-air-interrupted"]);
        // A recording refuses another profile, and must then keep its scenes.
        for kind in [PartKind::Profile, PartKind::Collection] {
            let name = mark.part(kind).to_owned();
            self.handle(Command::Part(PartCommand::Use(kind, name)));
            if !is_same_name(mark.part(kind), self.settings.in_use.name(kind)) {
                // The command has reported the reason.
                self.notices.raise_again(&offer(&mark));
                return;
            }
        }
        if let Some(scene) = self.settings.collection.scene_named(&mark.scene) {
            let id = scene.id;
            self.switch_scene(id);
        }
        mark.choose_targets(&mut self.targets.list);
        self.remember_targets();
        self.file.on_air.is_resuming = true;
        self.handle(Command::GoLive);
        // A clean end removes the record, however soon that occurs.
        self.note_on_air();
    }

    /// Updates the record of the broadcast, once per second and after going live.
    pub fn note_on_air(&mut self) {
        let Some(path) = self.file.on_air.path.clone() else { return };
        if !self.file.finish_mark(Duration::ZERO) {
            // The disk is slow, and the next second continues.
            return;
        }
        // A passthrough has no scene to resume.
        if !self.live.is_publishing() || self.live.is_passthrough() {
            if self.file.on_air.written.is_some() {
                self.file.remove_mark();
            }
            self.offer_again();
            return;
        }
        self.file.on_air.is_resuming = false;
        if self.file.on_air.left.take().is_some() {
            // The user may have gone live without resuming.
            self.notices.active.clear(&["on-air-interrupted"]);
        }
        self.file.begin_mark(path, OnAirMark::of(&self.settings, &self.targets.list));
    }

    /// Offers again to resume, if going live has failed or was canceled.
    fn offer_again(&mut self) {
        if self.startup.postponed.contains(&Command::GoLive) {
            return;
        }
        if std::mem::replace(&mut self.file.on_air.is_resuming, false)
            && let Some(mark) = &self.file.on_air.left
        {
            self.notices.raise_again(&offer(mark));
        }
    }

    /// Removes the record after a clean end, because there is nothing to resume. Each change of the
    /// file may take at most `limit`.
    pub fn forget_on_air(&mut self, limit: Duration) {
        if self.file.finish_mark(limit)
            && (self.file.on_air.written.is_some() || self.file.on_air.left.is_some())
        {
            self.file.remove_mark();
            self.file.finish_mark(limit);
        }
        if self.file.on_air.change.is_pending() {
            tracing::warn!("changing the on-air note did not end in time");
        }
    }
}

/// Returns the offer to resume the broadcast of this record.
fn offer(mark: &OnAirMark) -> StudioMessage {
    StudioMessage::Interrupted { targets: mark.target_names(), scene: mark.scene.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Secret;
    use crate::studio::engine::handlers::live::tests::{end, until, with_program};
    use crate::studio::notices::Notice;
    use crate::studio::targets::Target;

    const LIMIT: Duration = Duration::from_secs(60);

    /// Updates the record, and waits for the change of its file.
    fn note(engine: &mut Engine) {
        engine.note_on_air();
        assert!(engine.file.finish_mark(LIMIT));
    }

    #[test]
    fn a_broadcast_is_resumed_only_with_its_own_profile() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends) = with_program(Some(folder.path()));
        let target = Target::custom(1, "rtmp://127.0.0.1:1/app", Secret::new("key"));
        engine.targets.list = vec![target.clone()];
        engine.remember_targets();
        let kind = PartKind::Profile;
        let mut interrupted = engine.settings.clone();
        interrupted.in_use.set(kind, "Friday");
        let mark = OnAirMark::of(&interrupted, &engine.targets.list);
        let path = folder.path().join("on-air.toml");
        mark.write(&path).unwrap();
        engine.file.on_air.path = Some(path.clone());
        engine.file.on_air.left = Some(mark.clone());
        let refuses = |engine: &mut Engine| {
            engine.handle(Command::Resume);
            assert!(!engine.live.is_publishing());
            assert_eq!(engine.settings.in_use.name(kind), "Main");
            assert_eq!(engine.file.on_air.left.as_ref(), Some(&mark));
            let notices = engine.notices.active.notices().iter();
            let mut keys: Vec<_> = notices.map(Notice::key).collect();
            keys.retain(|key| ["on-air-interrupted", "part-failed"].contains(key));
            assert_eq!(keys, ["part-failed", "on-air-interrupted"]);
        };
        // The profile does not exist.
        refuses(&mut engine);
        for command in
            [PartCommand::Duplicate(kind, "Friday".into()), PartCommand::Use(kind, "Main".into())]
        {
            engine.handle(Command::Part(command));
        }
        // A recording needs the current profile.
        engine.start_recording(folder.path().join("show.mkv"));
        assert!(engine.live.is_busy());
        refuses(&mut engine);
        engine.handle(Command::StopRecording);
        engine.handle(Command::Resume);
        assert_eq!(engine.settings.in_use.name(kind), "Friday");
        // The encoders of the recording are still ending. The record stays until the broadcast
        // begins, and the offer returns if going live is canceled.
        let offers = |engine: &mut Engine| {
            engine.note_on_air();
            assert_eq!((engine.file.on_air.left.as_ref(), path.exists()), (Some(&mark), true));
            let mut notices = engine.notices.active.notices().iter();
            notices.any(|it| it.key() == "on-air-interrupted")
        };
        assert_eq!(engine.startup.postponed, [Command::GoLive]);
        assert!(!offers(&mut engine));
        engine.handle(Command::StopLive);
        assert!(engine.startup.postponed.is_empty() && offers(&mut engine));
        engine.handle(Command::Resume);
        assert!(!offers(&mut engine));
        // Without a keyring, the profile in the file has no key.
        engine.targets.list = vec![target];
        until("broadcast", || {
            engine.poll();
            engine.live.is_publishing()
        });
        // From now on, the record is that of this run, and a clean end removes it.
        assert!(engine.file.finish_mark(LIMIT));
        assert!(engine.file.on_air.left.is_none() && engine.file.on_air.written.is_some());
        engine.stop_live();
        note(&mut engine);
        assert!(!path.exists() && engine.file.on_air.left.is_none());
        end(engine);
    }

    #[test]
    fn two_broadcasts_with_the_same_settings_keep_their_records() {
        use std::fs;

        use crate::base::Worker;
        use crate::base::queue::{self, Full};
        use crate::studio::engine::handlers::live::tests::on_air;

        // The id of a thread looks like that of another onair process.
        let (sender, ids) = queue::bounded("test", 1, Full::Block);
        let other = Worker::spawn("other", move |stop| {
            let thread = fs::read_link("/proc/thread-self").unwrap();
            let id = thread.file_name().unwrap().to_str().unwrap().to_owned();
            sender.send(id).unwrap();
            while !stop.wait(Duration::from_secs(1)) {}
        })
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("on-air.toml");
        let (mut engine, _ends) = on_air();
        engine.file.on_air.path = Some(path.clone());
        OnAirMark::of(&engine.settings, &engine.targets.list).write(&path).unwrap();
        let process = |id: &str| format!("process = {id}\n");
        let (own, id) = (std::process::id().to_string(), ids.recv().unwrap());
        let own_record = fs::read_to_string(&path).unwrap();
        let record = own_record.replace(&process(&own), &process(&id));
        assert_ne!(record, own_record);
        fs::write(&path, &record).unwrap();
        note(&mut engine);
        assert_eq!(fs::read_to_string(&path).unwrap(), record, "the other one goes on");
        // The other broadcast ends.
        fs::remove_file(&path).unwrap();
        for _ in 0..2 {
            note(&mut engine);
            assert_eq!(fs::read_to_string(&path).unwrap(), own_record);
            fs::remove_file(&path).unwrap();
        }
        // Another broadcast begins, and this one ends.
        fs::write(&path, &record).unwrap();
        engine.stop_live();
        note(&mut engine);
        engine.forget_on_air(LIMIT);
        assert_eq!(fs::read_to_string(&path).unwrap(), record);
        end(engine);
        drop(other);
    }
}
