//! What was asked for and comes with a later snapshot: new items are selected, a new scene is named.

use std::collections::BTreeSet;

use crate::compose::scene::{Content, Item, ItemId, SceneId};
use crate::studio::live::view::LiveState;
use crate::studio::{Command, Snapshot};
use crate::ui::scenes::draft::{Draft, Named, edited};

/// So many commands later it will not come any more.
const GIVE_UP: u64 = 8;

/// What there was when something was asked for.
#[derive(Debug, Default)]
pub(in crate::ui::scenes) struct Arrivals {
    items: Option<BTreeSet<ItemId>>,
    scenes: Option<BTreeSet<SceneId>>,
    /// Its properties are shown too.
    properties: bool,
    asked_at: u64,
}

impl Draft {
    /// Items that come from now on to the scene that is worked on are selected.
    pub(in crate::ui) fn await_items(&mut self, snapshot: &Snapshot) {
        let mut items = BTreeSet::new();
        snapshot.scenes.collection.each(|item| {
            items.insert(item.id);
        });
        let asked_at = snapshot.obeyed;
        self.arrivals = Arrivals { items: Some(items), asked_at, ..Arrivals::default() };
        self.choose(None);
    }

    /// The same of a source whose properties are to be shown.
    pub(in crate::ui::scenes) fn show_what_comes(&mut self, snapshot: &Snapshot) {
        self.await_items(snapshot);
        self.arrivals.properties = true;
    }

    /// The scene that comes is named at once.
    pub(in crate::ui::scenes) fn await_scene(&mut self, snapshot: &Snapshot) {
        let scenes = snapshot.scenes.collection.scenes.iter().map(|scene| scene.id);
        let (scenes, asked_at) = (Some(scenes.collect()), snapshot.obeyed);
        self.arrivals = Arrivals { scenes, asked_at, ..Arrivals::default() };
    }

    /// Sees what has become of what was asked for; what is to be done then.
    pub(in crate::ui) fn learn(&mut self, snapshot: &Snapshot) -> Option<Command> {
        let came = self.learn_items(snapshot);
        let command = self.learn_scene(snapshot);
        let gave_up = snapshot.obeyed > self.arrivals.asked_at + GIVE_UP;
        if came || command.is_some() || gave_up {
            self.arrivals = Arrivals::default();
        }
        command.flatten()
    }

    fn learn_items(&mut self, snapshot: &Snapshot) -> bool {
        let Some(before) = &self.arrivals.items else { return false };
        let scene = snapshot.scenes.collection.scene(edited(snapshot));
        let items = scene.map(|scene| scene.items.as_slice()).unwrap_or_default();
        let new = items.iter().filter(|item| !before.contains(&item.id));
        let new: Vec<&Item> = new.collect();
        let Some(last) = new.last() else { return false };
        let properties = self.arrivals.properties;
        self.choose_all(new.iter().map(|item| item.id), false);
        if let Content::Source(id) = last.content
            && properties
        {
            self.show_properties(id);
        }
        true
    }

    /// Whether the scene has come, and what is shown of it: all of it at once where nobody watches.
    fn learn_scene(&mut self, snapshot: &Snapshot) -> Option<Option<Command>> {
        let before = self.arrivals.scenes.as_ref()?;
        let mut scenes = snapshot.scenes.collection.scenes.iter();
        let new = scenes.find(|scene| !before.contains(&scene.id))?;
        self.rename(Named::Scene(new.id), new.name.clone());
        self.select_name = true;
        let idle = snapshot.live == LiveState::Idle && snapshot.recording.is_none();
        Some(match self.studio_mode {
            true => Some(Command::PrepareScene(Some(new.id))),
            false => idle.then_some(Command::SwitchScene(new.id)),
        })
    }
}
