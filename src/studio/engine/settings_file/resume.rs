//! Records the running broadcast, and resumes it after a crash.

use crate::studio::command::{Command, PartCommand};
use crate::studio::engine::Engine;
use crate::studio::notices::message::StudioMessage;
use crate::studio::settings::part::PartKind;
use crate::studio::settings::part::on_air::OnAirMark;

impl Engine {
    /// Offers to resume a broadcast that a crash interrupted.
    pub(in crate::studio::engine) fn offer_to_resume(&mut self) {
        let Some(path) = self.file.on_air.path.as_deref().filter(|_| self.file.path.is_some())
        else {
            return;
        };
        let Some(mark) = OnAirMark::left(path) else { return };
        let (targets, scene) = (mark.target_names(), mark.scene.clone());
        self.notices.tell(&StudioMessage::Interrupted { targets, scene }, "");
        self.file.on_air.left = Some(mark);
    }

    /// Goes live as before the crash.
    pub(in crate::studio::engine) fn resume(&mut self) {
        let Some(mark) = self.file.on_air.left.take() else { return };
        self.notices.active.clear(&["on-air-interrupted"]);
        for kind in PartKind::ALL {
            let name = mark.part(kind).to_owned();
            self.handle(Command::Part(PartCommand::Use(kind, name)));
        }
        if let Some(scene) = self.settings.collection.scene_named(&mark.scene) {
            let id = scene.id;
            self.switch_scene(id);
        }
        mark.choose_targets(&mut self.targets.list);
        self.remember_targets();
        // This run now owns the file. A clean end removes the file, however soon that occurs.
        self.file.on_air.written = Some(mark);
        self.handle(Command::GoLive);
    }

    /// Updates the record of the broadcast, once per second.
    pub(in crate::studio::engine) fn note_on_air(&mut self) {
        let Some(path) = self.file.on_air.path.clone() else { return };
        // A passthrough has no scene to resume.
        if !self.live.is_publishing() || self.live.is_passthrough() {
            if self.file.on_air.written.is_some() {
                self.file.on_air.remove();
            }
            return;
        }
        if self.file.on_air.left.take().is_some() {
            // The user went live without resuming.
            self.notices.active.clear(&["on-air-interrupted"]);
        }
        let mark = OnAirMark::of(&self.settings, &self.targets.list);
        if self.file.on_air.written.as_ref() == Some(&mark) {
            return;
        }
        if let Err(error) = mark.write(&path) {
            tracing::warn!(%error, "writing the on-air note failed");
        }
        self.file.on_air.written = Some(mark);
    }

    /// Removes the record after a clean end, because there is nothing to resume.
    pub(in crate::studio::engine) fn forget_on_air(&mut self) {
        let own = self.file.on_air.written.is_some() || self.file.on_air.left.is_some();
        if own {
            self.file.on_air.remove();
        }
    }
}
