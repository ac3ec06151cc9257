//! The undo history of scenes and the mixer, in the order of the user's changes.

use crate::compose::scene::SourceId;
use crate::mix::{Strip, StripId};
use crate::studio::mixer::{AudioStrip, TalkMode};
use crate::studio::scenes::Collection;
use crate::studio::scenes::edits::Edit;

/// Maximum number of undo steps.
pub const MAX_STEPS: usize = 100;

/// The state before a change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UndoState {
    pub scenes: Option<Collection>,
    pub strips: Option<Vec<AudioStrip>>,
}

/// The kind of a change. Continuous changes of one kind, such as a drag, are one step.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Scenes(Edit),
    Mixer(StripId, DraggedControl),
    /// A separate step.
    Apart,
}

/// The dragged control of a strip.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum DraggedControl {
    Gain,
    Balance,
    Offset,
    /// Values of filters, but not adding, removing, enabling or disabling them.
    Filters,
}

impl Change {
    /// Returns the kind of a mixer change, or `None` if it cannot be undone. Mute, solo
    /// and push-to-talk are excluded, because undoing another change must not open a microphone.
    pub fn of_mixer(before: &[AudioStrip], after: &[AudioStrip]) -> Option<Self> {
        let still = |strip: &AudioStrip| AudioStrip {
            strip: Strip { muted: false, solo: false, ..strip.strip.clone() },
            talk: TalkMode::default(),
            scene: String::new(),
            ..strip.clone()
        };
        if before.len() != after.len() {
            return Some(Self::Apart);
        }
        let pairs = before.iter().zip(after).map(|(before, after)| (still(before), still(after)));
        let mut changed = pairs.filter(|(before, after)| before != after);
        let (before, after) = changed.next()?;
        if changed.next().is_some() || before.id != after.id {
            return Some(Self::Apart);
        }
        let (old, new) = (&before.strip, &after.strip);
        let filters = old.filters.len() == new.filters.len()
            && old.filters.iter().zip(&new.filters).all(|(old, new)| {
                old.enabled == new.enabled
                    && old.filter.kind() == new.filter.kind()
                    && old.filter.side_chain() == new.filter.side_chain()
            });
        let drawn = [
            (DraggedControl::Gain, Strip { gain_db: new.gain_db, ..old.clone() }),
            (DraggedControl::Balance, Strip { balance: new.balance, ..old.clone() }),
            (DraggedControl::Offset, Strip { offset_us: new.offset_us, ..old.clone() }),
            (DraggedControl::Filters, Strip { filters: new.filters.clone(), ..old.clone() }),
        ];
        let is_it = |(what, strip): &(DraggedControl, Strip)| {
            AudioStrip { strip: strip.clone(), ..before.clone() } == after
                && (*what != DraggedControl::Filters || filters)
        };
        let drawn = drawn.iter().find(|it| is_it(it));
        Some(drawn.map_or(Self::Apart, |(what, _)| Self::Mixer(after.id, *what)))
    }

    /// Returns true if the change names the scene that the `last` change added; `before` is the
    /// state before that change.
    fn names_scene_added_by(&self, last: &Self, before: &UndoState) -> bool {
        let (Self::Scenes(Edit::RenameScene(id, _)), Self::Scenes(Edit::AddScene(_))) =
            (self, last)
        else {
            return false;
        };
        before.scenes.as_ref().is_some_and(|scenes| scenes.scene(*id).is_none())
    }

    fn continues(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Scenes(new), Self::Scenes(old)) => new.continues(old),
            (Self::Mixer(strip, what), Self::Mixer(other, before)) => {
                strip == other && what == before
            }
            _ => false,
        }
    }
}

/// The undo history.
#[derive(Debug, Default)]
pub struct UndoHistory {
    /// The changes, each with the state before it.
    done: Vec<(UndoState, Change)>,
    undone: Vec<(UndoState, Change)>,
}

impl UndoHistory {
    /// Adds a change to the history; `before` is the state before it. A change that continues the
    /// last one joins its step, unless `apart` is set because some time has passed. The name of a
    /// new scene always joins the step that added the scene.
    pub fn add(&mut self, before: UndoState, change: Change, apart: bool) {
        self.undone.clear();
        if let Some((before, last)) = self.done.last_mut()
            && change.names_scene_added_by(last, before)
        {
            *last = change;
            return;
        }
        if !apart && self.done.last().is_some_and(|(_, last)| change.continues(last)) {
            return;
        }
        if self.done.len() >= MAX_STEPS {
            self.done.remove(0);
        }
        self.done.push((before, change));
    }

    /// Lets these strips return together with their sources. The strips were removed later than
    /// the sources, which the program of studio mode still showed. `now` are the other strips.
    pub fn keep_strips(&mut self, removed: &[(SourceId, AudioStrip)], now: &[AudioStrip]) {
        for states in [&mut self.done, &mut self.undone] {
            let (mut gone, mut strips) = (removed.to_vec(), now.to_vec());
            for (state, _) in states.iter_mut().rev() {
                let shows = |id| state.scenes.as_ref().is_some_and(|it| it.shows(id));
                let returned: Vec<_> = gone.extract_if(.., |(id, _)| shows(*id)).collect();
                if let Some(own) = &mut state.strips {
                    own.retain(|it| {
                        let is_gone =
                            |strip: &AudioStrip| strip.id == it.id && strip.choice == it.choice;
                        !gone.iter().any(|(_, strip)| is_gone(strip))
                    });
                    strips.clone_from(own);
                } else if !returned.is_empty() {
                    strips.extend(returned.into_iter().map(|(_, strip)| strip));
                    state.strips = Some(strips.clone());
                }
                if gone.is_empty() {
                    break;
                }
            }
        }
    }

    /// Restores the state before the last change. The current scene, mute, solo and push-to-talk
    /// stay unchanged.
    pub fn undo(&mut self, scenes: &Collection, strips: &[AudioStrip]) -> Option<UndoState> {
        Self::step(&mut self.done, &mut self.undone, scenes, strips)
    }

    /// Restores the state before the last undo, and returns it.
    pub fn redo(&mut self, scenes: &Collection, strips: &[AudioStrip]) -> Option<UndoState> {
        Self::step(&mut self.undone, &mut self.done, scenes, strips)
    }

    pub fn can(&self) -> (bool, bool) {
        (!self.done.is_empty(), !self.undone.is_empty())
    }

    fn step(
        from: &mut Vec<(UndoState, Change)>,
        to: &mut Vec<(UndoState, Change)>,
        scenes: &Collection,
        strips: &[AudioStrip],
    ) -> Option<UndoState> {
        let (mut then, change) = from.pop()?;
        let now = UndoState {
            scenes: then.scenes.as_ref().map(|_| scenes.clone()),
            strips: then.strips.as_ref().map(|_| strips.to_vec()),
        };
        to.push((now, change));
        if let Some(then) = then.scenes.as_mut().filter(|it| it.scene(scenes.current).is_some()) {
            then.current = scenes.current;
        }
        for strip in then.strips.iter_mut().flatten() {
            if let Some(now) = strips.iter().find(|now| now.id == strip.id) {
                (strip.strip.muted, strip.strip.solo) = (now.strip.muted, now.strip.solo);
                strip.talk = now.talk;
                strip.scene.clone_from(&now.scene);
            }
        }
        Some(then)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::AudioChoice;
    use crate::capture::VideoChoice;
    use crate::compose::scene::SceneId;
    use crate::mix::filter::{Filter, Slot};
    use crate::studio::scenes::MAX_SCENES;

    fn strips() -> Vec<AudioStrip> {
        vec![AudioStrip::main(), AudioStrip::new(StripId(1), AudioChoice::Tone)]
    }

    fn with(strips: &[AudioStrip], change: impl FnOnce(&mut Vec<AudioStrip>)) -> Vec<AudioStrip> {
        let mut strips = strips.to_vec();
        change(&mut strips);
        strips
    }

    #[test]
    fn scenes_and_mixer_have_one_history_and_a_drag_is_one_step() {
        let (mut scenes, mut strips, mut steps) =
            (Collection::default(), strips(), UndoHistory::default());
        let logo =
            Edit::AddSource { scene: SceneId(1), name: "A".into(), choice: VideoChoice::Test };
        let before = UndoState { scenes: Some(scenes.clone()), strips: None };
        assert!(scenes.apply(&logo));
        steps.add(before, Change::Scenes(logo), false);
        for gain in 1..=20 {
            let after = with(&strips, |it| it[1].strip.gain_db = -gain as f32);
            let change = Change::of_mixer(&strips, &after).unwrap();
            assert_eq!(change, Change::Mixer(StripId(1), DraggedControl::Gain));
            steps.add(UndoState { scenes: None, strips: Some(strips) }, change, false);
            strips = after;
        }
        // The strip was muted and got push-to-talk in the meantime. Both stay.
        let muted = with(&strips, |it| {
            it[1].strip.muted = true;
            it[1].talk = TalkMode::PushToTalk;
        });
        assert_eq!(Change::of_mixer(&strips, &muted), None);
        let back = steps.undo(&scenes, &muted).unwrap();
        assert_eq!(back.scenes, None);
        let back = back.strips.unwrap();
        assert_eq!((back[1].strip.gain_db, back[1].strip.muted), (0.0, true));
        assert_eq!(back[1].talk, TalkMode::PushToTalk);
        let forth = steps.redo(&scenes, &back).unwrap().strips.unwrap();
        assert_eq!(forth[1].strip.gain_db, -20.0);
        steps.undo(&scenes, &forth).unwrap();
        let first = steps.undo(&scenes, &back).unwrap();
        assert_eq!(first, UndoState { scenes: Some(Collection::default()), strips: None });
        assert_eq!(steps.undo(&scenes, &back), None);
        assert_eq!(steps.can(), (false, true));
    }

    #[test]
    fn adding_removing_or_switching_a_filter_is_a_separate_undo_step() {
        let plain = strips();
        let slot = |db, enabled| Slot { enabled, filter: Filter::Gain { db } };
        let filtered = with(&plain, |it| it[0].strip.filters = vec![slot(0.0, true)]);
        let turned = with(&plain, |it| it[0].strip.filters = vec![slot(3.0, true)]);
        let off = with(&plain, |it| it[0].strip.filters = vec![slot(0.0, false)]);
        let named = with(&plain, |it| it[1].name = "Music".into());
        let gone = with(&plain, |it| drop(it.pop()));
        let both = with(&turned, |it| it[0].strip.gain_db = 1.0);
        let other = with(&plain, |it| it[1].choice = AudioChoice::Silence);
        for (before, after) in [
            (&plain, &filtered),
            (&filtered, &off),
            (&plain, &named),
            (&plain, &gone),
            (&filtered, &both),
            (&plain, &other),
        ] {
            assert_eq!(Change::of_mixer(before, after), Some(Change::Apart), "{after:?}");
        }
        let drawn = Change::of_mixer(&filtered, &turned);
        assert_eq!(drawn, Some(Change::Mixer(StripId::MAIN, DraggedControl::Filters)));
        assert!(!Change::Apart.continues(&Change::Apart));
        assert_eq!(Change::of_mixer(&plain, &plain), None);
    }

    #[test]
    fn a_new_scene_and_its_name_are_one_step() {
        let (mut scenes, mut steps) = (Collection::default(), UndoHistory::default());
        let mut change = |scenes: &mut Collection, edit: Edit| {
            let before = UndoState { scenes: Some(scenes.clone()), strips: None };
            assert!(scenes.apply(&edit));
            steps.add(before, Change::Scenes(edit), true);
        };
        change(&mut scenes, Edit::AddScene("Scene".into()));
        let new = scenes.scenes.last().unwrap().id;
        change(&mut scenes, Edit::RenameScene(new, "Talk".into()));
        // A later name is a separate step.
        change(&mut scenes, Edit::RenameScene(new, "Interview".into()));
        let named = steps.undo(&scenes, &[]).unwrap().scenes.unwrap();
        assert_eq!(named.scene(new).unwrap().name, "Talk");
        let none = steps.undo(&named, &[]).unwrap().scenes.unwrap();
        assert_eq!(none.scene(new), None);
        assert_eq!(steps.can(), (false, true));
    }

    #[test]
    fn the_history_stays_bounded() {
        let (mut it, mut steps) = (Collection::default(), UndoHistory::default());
        for number in 0..MAX_SCENES * 2 {
            let edit = Edit::AddScene(format!("{number}"));
            let before = UndoState { scenes: Some(it.clone()), strips: None };
            it.apply(&edit);
            steps.add(before, Change::Scenes(edit), true);
        }
        assert_eq!((it.scenes.len(), steps.done.len()), (MAX_SCENES, MAX_STEPS));
    }
}
