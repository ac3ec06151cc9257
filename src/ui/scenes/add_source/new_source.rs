//! Adds a new source to a scene.

use crate::capture::{VideoChoice, sharing};
use crate::compose::scene::SceneId;
use crate::studio::{Command, Edit};
use crate::ui::scenes::add_source::first_place;
use crate::ui::scenes::draft::{Draft, edited};
use crate::ui::view::View;

/// Returns a display or window capture for which the desktop opens a separate sharing dialog.
pub(super) fn asked_for(view: &View<'_>, window: bool) -> VideoChoice {
    let sources = view.snapshot.scenes.collection.sources.iter();
    let there: Vec<&VideoChoice> = sources.map(|source| &source.choice).collect();
    sharing::another(window, &there)
}

/// Adds a new source to the edited scene, with its initial placement, and selects the source when
/// it arrives.
pub(in crate::ui) fn add(
    view: &mut View<'_>,
    draft: &mut Draft,
    name: impl Into<String>,
    choice: VideoChoice,
) {
    let edit = edit_for(view.snapshot, edited(view.snapshot), name.into(), choice);
    draft.await_items(view.snapshot);
    view.send(Command::Edit(edit));
}

/// Returns the edit that adds a new source.
pub(in crate::ui) fn edit_for(
    snapshot: &crate::studio::Snapshot,
    scene: SceneId,
    name: String,
    choice: VideoChoice,
) -> Edit {
    let there = snapshot.scenes.collection.scene(scene);
    let alone = there.is_none_or(|scene| scene.items.is_empty());
    let place = first_place::of(&choice, alone);
    Edit::PlaceSource { scene, name, choice, place }
}
