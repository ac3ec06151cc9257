//! Studio mode: edits of the preview reach the program at *Take*.

use std::time::Duration;

use crate::compose::scene::SceneId;
use crate::compose::transition::Transition;
use crate::studio::engine::Engine;
use crate::studio::event::Event;
use crate::studio::mixer::{AudioStrip, is_audio_of};
use crate::studio::program::Program;

/// Removed sources of the previous program stay open for this time after its transition, which can
/// begin late.
const REMOVED_SOURCE_GRACE: Duration = Duration::from_secs(1);

impl Engine {
    pub fn switch_scene(&mut self, id: SceneId) {
        let transition = self.settings.collection.transition_to(id).clone();
        self.switch_scene_with(id, transition);
    }

    fn switch_scene_with(&mut self, id: SceneId, transition: Transition) {
        let collection = &mut self.settings.collection;
        let Some(scene) = collection.scene(id).filter(|_| collection.current != id) else { return };
        let name = scene.name.clone();
        collection.current = id;
        self.stage_changed(Some(transition));
        self.notices.send_event(Event::Scene(name));
        self.changed();
    }

    pub fn set_preview_scene(&mut self, id: Option<SceneId>) {
        let collection = &self.settings.collection;
        let preview_scene = id.filter(|id| collection.scene(*id).is_some());
        if preview_scene != self.state.stage.preview_scene {
            self.state.stage.t_bar = 0.0;
        }
        self.state.stage.preview_scene = preview_scene;
        if preview_scene.is_none() {
            self.preview_frames.clear();
        }
        if preview_scene.is_some() != collection.program_scenes.is_some() {
            // This shows the preview scene too.
            self.stage_changed(None);
        } else {
            self.show_preview();
        }
    }

    /// Switches the preview to the program, and the program to the preview.
    pub fn take_preview(&mut self) {
        let Some(id) = self.state.stage.preview_scene else { return };
        self.take_with(id, self.settings.collection.transition_to(id).clone());
    }

    fn take_with(&mut self, id: SceneId, transition: Transition) {
        self.state.stage.t_bar = 0.0;
        let collection = &self.settings.collection;
        let before = collection.current;
        if id == before && collection.program_scenes.as_deref() != Some(&collection.scenes) {
            // The program shows the same scene without the latest edits.
            self.stage_changed(Some(transition.clone()));
        }
        self.switch_scene_with(id, transition);
        self.set_preview_scene(Some(before));
    }

    /// Moves the T-bar of studio mode: 0 is the program, and 1 the preview, which then becomes the
    /// program. Between them, viewers see both.
    pub fn set_t_bar(&mut self, position: f32) {
        let Some(id) = self.state.stage.preview_scene else { return };
        let position = if position.is_finite() { position.clamp(0.0, 1.0) } else { 0.0 };
        if position < 1.0 {
            self.state.stage.t_bar = position;
            return self.show_t_bar();
        }
        // Viewers already see the preview almost alone, and no frame must show the old program.
        let held = self.state.program.as_ref().map(Program::hold);
        self.take_with(id, Transition::CUT);
        self.show_t_bar();
        drop(held);
    }

    /// Mixes the preview into the program as far as the T-bar is moved.
    fn show_t_bar(&mut self) {
        let stage = &self.state.stage;
        let (position, collection) = (stage.t_bar, &self.settings.collection);
        let other = stage.preview_scene.filter(|_| position > 0.0);
        let other = other
            .map(|id| (collection.plan(id), collection.transition_to(id).kind.clone(), position));
        if let Some(program) = &mut self.state.program {
            program.set_t_bar(other);
        }
    }

    /// Keeps the program's copy of the scenes in studio mode, and renews it at a transition. Outside
    /// studio mode, the program shows each edit at once.
    pub(super) fn follow_studio_mode(&mut self, transition: Option<&Transition>) {
        let is_studio_mode = self.state.stage.preview_scene.is_some();
        let collection = &mut self.settings.collection;
        let had_copy = collection.program_scenes.is_some();
        if is_studio_mode && had_copy && transition.is_none() {
            return;
        }
        collection.keep_leaving();
        if is_studio_mode {
            collection.copy_for_program();
        } else {
            collection.program_scenes = None;
        }
        if had_copy {
            let hides_after = transition.map(Transition::hides_after).unwrap_or_default();
            let forget_at = self.clock.now() + hides_after + REMOVED_SOURCE_GRACE;
            self.state.stage.forget_at = Some(forget_at);
        }
    }

    /// Removes the sources that only the previous program showed, when its transition has ended.
    pub(super) fn forget_previous_program(&mut self) {
        let now = self.clock.now();
        if self.state.stage.forget_at.take_if(|at| *at <= now).is_none() {
            return;
        }
        let before = self.settings.collection.clone();
        self.settings.collection.forget_leaving();
        if self.settings.collection.sources == before.sources {
            return;
        }
        if let Some(old_strips) = self.follow_shown(&before, false) {
            let (collection, strips) = (&self.settings.collection, &self.settings.strips);
            let source_of = |strip: &AudioStrip| {
                let mut gone =
                    before.sources.iter().filter(|it| collection.source(it.id).is_none());
                gone.find(|it| is_audio_of(&strip.choice, &it.choice)).map(|it| it.id)
            };
            let is_gone = |old: &AudioStrip| strips.iter().all(|strip| strip.id != old.id);
            let removed = old_strips.into_iter().filter(is_gone);
            let removed: Vec<_> =
                removed.filter_map(|strip| Some((source_of(&strip)?, strip))).collect();
            self.state.stage.undo_history.keep_strips(&removed, strips);
        }
        self.edited(&before);
    }

    pub(super) fn show_preview(&mut self) {
        let collection = &self.settings.collection;
        let is_there = |id: &SceneId| collection.scene(*id).is_some();
        // Without its scene, studio mode continues. Otherwise the next click would go on air.
        let id = self.state.stage.preview_scene;
        let id = id.and_then(|id| [id, collection.current].into_iter().find(is_there));
        self.state.stage.preview_scene = id;
        let preview = id.map(|id| (collection.plan(id), self.preview_frames.clone()));
        let crowded = id.zip(preview.as_ref().map(|(plan, _)| plan.more));
        if let Some(program) = &mut self.state.program {
            program.prepare(preview);
            if let Some((id, more)) = crowded {
                self.tell_crowded(id, more);
            }
        }
        if id.is_none() {
            self.state.stage.t_bar = 0.0;
        }
        self.show_t_bar();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::AudioChoice;
    use crate::capture::VideoChoice;
    use crate::compose::scene::{ItemId, Scene};
    use crate::studio::engine::handlers::live::tests::{end, on_air};
    use crate::studio::scenes::edits::Edit;

    /// Adds a clip to the current scene.
    fn add_clip(engine: &mut Engine) {
        let (name, choice) = ("Clip".to_owned(), VideoChoice::File("/nonexistent/clip.mkv".into()));
        let scene = engine.settings.collection.current;
        engine.edit(&Edit::AddSource { scene, name, choice });
    }

    /// Switches the preview to the program, and lets the transition end.
    fn take(engine: &mut Engine) {
        engine.take_preview();
        engine.state.stage.forget_at = Some(engine.clock.now());
        engine.poll_scenes();
    }

    /// Returns the numbers of sources, strips, and items in the program.
    fn counts(engine: &Engine) -> (usize, usize, usize) {
        let collection = &engine.settings.collection;
        let shown = collection.program_plan(collection.current).sources().count();
        (collection.sources.len(), engine.settings.strips.len(), shown)
    }

    #[test]
    fn a_source_that_is_removed_in_the_preview_stays_in_the_program_with_its_audio() {
        let (mut engine, _ends) = on_air();
        let (sources, strips, shown) = counts(&engine);
        add_clip(&mut engine);
        let with_clip = (sources + 1, strips + 1, shown + 1);
        engine.set_preview_scene(Some(engine.settings.collection.current));
        engine.edit(&Edit::RemoveItem(ItemId(2)));
        assert_eq!(counts(&engine), with_clip);
        take(&mut engine);
        assert_eq!(counts(&engine), (sources, strips, shown));
        engine.step(true);
        assert_eq!(counts(&engine), (sources + 1, strips + 1, shown));
        engine.set_preview_scene(None);
        assert_eq!(counts(&engine), with_clip, "without studio mode, the program has all edits");
        end(engine);
    }

    #[test]
    fn a_strip_with_the_id_of_a_removed_one_returns_with_an_undo() {
        let (mut engine, _ends) = on_air();
        engine.add_strip(AudioChoice::Tone);
        let with_tone = engine.settings.strips.clone();
        engine.remove_strip(with_tone.last().unwrap().id);
        engine.set_preview_scene(Some(engine.settings.collection.current));
        add_clip(&mut engine);
        assert_eq!(engine.settings.strips.last().unwrap().id, with_tone.last().unwrap().id);
        take(&mut engine);
        engine.step(true);
        take(&mut engine);
        engine.step(true);
        assert_eq!(engine.settings.strips, with_tone);
        end(engine);
    }

    #[test]
    fn a_source_that_is_undone_after_it_was_taken_stays_in_the_program_with_its_audio() {
        let (mut engine, _ends) = on_air();
        let (sources, strips, shown) = counts(&engine);
        engine.set_preview_scene(Some(engine.settings.collection.current));
        engine.set_gain(-6.0);
        add_clip(&mut engine);
        assert_eq!(counts(&engine), (sources + 1, strips + 1, shown));
        take(&mut engine);
        for _ in 0..2 {
            engine.step(true);
            assert_eq!(counts(&engine), (sources + 1, strips + 1, shown + 1));
        }
        assert_eq!(engine.settings.strips[0].strip.gain_db, 0.0);
        take(&mut engine);
        assert_eq!(counts(&engine), (sources, strips, shown));
        engine.step(false);
        assert_eq!(counts(&engine), (sources, strips, shown), "the clip is not redone yet");
        engine.step(false);
        assert_eq!(counts(&engine), (sources + 1, strips + 1, shown));
        end(engine);
    }

    #[test]
    fn the_undo_of_a_removal_restores_the_strip_and_the_undo_of_a_later_change_does_not() {
        let (mut engine, _ends) = on_air();
        let (sources, strips, _) = counts(&engine);
        add_clip(&mut engine);
        engine.set_preview_scene(Some(engine.settings.collection.current));
        engine.edit(&Edit::RemoveItem(ItemId(2)));
        engine.set_gain(-6.0);
        engine.edit(&Edit::LockItem(ItemId(1), true));
        take(&mut engine);
        let state = |engine: &Engine| {
            let (sources, strips, _) = counts(engine);
            (sources, strips, engine.settings.strips[0].strip.gain_db)
        };
        assert_eq!(state(&engine), (sources, strips, -6.0));
        engine.edit_program(&Edit::DuplicateSource(ItemId(2)));
        engine.step(true);
        assert_eq!(state(&engine), (sources, strips, -6.0));
        engine.step(true);
        assert_eq!(state(&engine), (sources, strips, 0.0));
        engine.step(true);
        assert_eq!(state(&engine), (sources + 1, strips + 1, 0.0));
        engine.step(false);
        assert_eq!(state(&engine), (sources, strips, 0.0));
        end(engine);
    }

    #[test]
    fn a_change_of_an_item_that_is_only_in_the_program_is_no_undo_step() {
        let (mut engine, _ends) = on_air();
        add_clip(&mut engine);
        engine.set_preview_scene(Some(engine.settings.collection.current));
        engine.edit(&Edit::RemoveItem(ItemId(2)));
        engine.edit_program(&Edit::HideItem(ItemId(2), true));
        let is_hidden = |scene: Option<&Scene>| scene.unwrap().items.get(1).map(|it| it.hidden);
        assert_eq!(is_hidden(engine.settings.collection.program_scene()), Some(true));
        engine.step(true);
        assert_eq!(is_hidden(engine.settings.collection.current()), Some(false));
        end(engine);
    }

    #[test]
    fn an_edit_or_undo_during_the_transition_does_not_end_the_previous_program() {
        let (mut engine, _ends) = on_air();
        let (sources, strips, _) = counts(&engine);
        add_clip(&mut engine);
        engine.set_preview_scene(Some(engine.settings.collection.current));
        engine.edit(&Edit::RemoveItem(ItemId(2)));
        engine.take_preview();
        let count = |engine: &Engine| (counts(engine).0, counts(engine).1);
        engine.edit(&Edit::LockItem(ItemId(1), true));
        assert_eq!(count(&engine), (sources + 1, strips + 1));
        engine.step(true);
        assert_eq!(count(&engine), (sources + 1, strips + 1));
        engine.state.stage.forget_at = Some(engine.clock.now());
        engine.poll_scenes();
        assert_eq!(count(&engine), (sources, strips));
        end(engine);
    }

    #[test]
    fn the_t_bar_changes_the_program_only_at_its_other_end() {
        let (mut engine, _ends) = on_air();
        let first = engine.settings.collection.current;
        engine.edit(&Edit::AddScene("Break".into()));
        let second = engine.settings.collection.scenes[1].id;
        let at = |engine: &Engine| {
            let stage = &engine.state.stage;
            (engine.settings.collection.current, stage.preview_scene, stage.t_bar)
        };
        engine.set_t_bar(0.5);
        assert_eq!(at(&engine), (first, None, 0.0), "there is no preview");
        engine.set_preview_scene(Some(second));
        engine.set_t_bar(0.5);
        assert_eq!(at(&engine), (first, Some(second), 0.5));
        engine.set_t_bar(f32::NAN);
        assert_eq!(at(&engine), (first, Some(second), 0.0));
        engine.set_t_bar(0.9);
        engine.set_t_bar(3.0);
        assert_eq!(at(&engine), (second, Some(first), 0.0));
        engine.set_t_bar(0.5);
        engine.set_preview_scene(None);
        assert_eq!(at(&engine), (second, None, 0.0));
        end(engine);
    }

    #[test]
    fn an_undo_puts_no_other_source_into_the_program() {
        let (mut engine, _ends) = on_air();
        let scene = engine.settings.collection.current;
        add_clip(&mut engine);
        engine.edit(&Edit::RemoveItem(ItemId(2)));
        let (name, choice) = ("Pattern".to_owned(), VideoChoice::Test);
        engine.edit(&Edit::AddSource { scene, name, choice });
        engine.set_preview_scene(Some(scene));
        let shown = |engine: &Engine| -> Vec<VideoChoice> {
            let collection = &engine.settings.collection;
            let plan = collection.program_plan(scene);
            let sources = plan.sources().filter_map(|id| collection.source(id));
            sources.map(|source| source.choice.clone()).collect()
        };
        for _ in 0..2 {
            engine.step(true);
            assert_eq!(shown(&engine), [VideoChoice::Test]);
        }
        let collection = &engine.settings.collection;
        let ids = |scene: &Scene| scene.items.iter().map(|item| item.id).collect::<Vec<_>>();
        assert_eq!(collection.current().map(ids), Some(vec![ItemId(1), ItemId(2)]));
        assert_eq!(collection.program_scene().map(ids), Some(vec![ItemId(1), ItemId(3)]));
        end(engine);
    }
}
