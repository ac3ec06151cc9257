//! Adds a new source to a scene.

use crate::capture::text::Content;
use crate::capture::{VideoChoice, sharing};
use crate::compose::scene::{Placement, SceneId};
use crate::studio::{Command, Edit, Snapshot};
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
    snapshot: &Snapshot,
    scene: SceneId,
    name: String,
    choice: VideoChoice,
) -> Edit {
    edit(scene, name, choice, is_empty(snapshot, scene))
}

/// Returns the edits that add new sources with these names. Only the first source can fill the
/// program.
pub(in crate::ui) fn edits_for(
    snapshot: &Snapshot,
    scene: SceneId,
    sources: impl IntoIterator<Item = (String, VideoChoice)>,
) -> Vec<Edit> {
    let mut alone = is_empty(snapshot, scene);
    let sources = sources.into_iter();
    sources.map(|(name, choice)| edit(scene, name, choice, std::mem::take(&mut alone))).collect()
}

fn is_empty(snapshot: &Snapshot, scene: SceneId) -> bool {
    let there = snapshot.scenes.collection.scene(scene);
    there.is_none_or(|scene| scene.items.is_empty())
}

fn edit(scene: SceneId, name: String, choice: VideoChoice, alone: bool) -> Edit {
    let place = first_placement(&choice, alone);
    Edit::PlaceSource { scene, name, choice, place }
}

/// Returns the placement of a new source. In an empty scene (`alone`), the source fills the program.
/// Otherwise it covers only a part.
fn first_placement(choice: &VideoChoice, alone: bool) -> Placement {
    let (x, y, width, height) = match choice {
        // The lines of a chat need more room.
        VideoChoice::Text(Content::Chat(_)) => (0.03, 0.68, 0.4, 0.28),
        // A text is placed in the lower third of the frame.
        VideoChoice::Text(_) => (0.05, 0.8, 0.4, 0.1),
        _ if alone => (0.0, 0.0, 1.0, 1.0),
        VideoChoice::Camera(_) => (0.67, 0.65, 0.3, 0.3),
        VideoChoice::Image(_) => (0.72, 0.04, 0.25, 0.25),
        _ => (0.2, 0.2, 0.6, 0.6),
    };
    Placement { x, y, width, height, ..Placement::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_comes_covers_what_is_there() {
        for choice in ["camera", "screen", "image:/a.png", "file:/a.mp4", "color:#000000", "clock"]
        {
            let choice: VideoChoice = choice.parse().unwrap();
            let place = first_placement(&choice, false);
            assert!(place.width * place.height < 0.5, "{choice}");
            assert!(place.x + place.width <= 1.0 && place.y + place.height <= 1.0, "{choice}");
            let alone = first_placement(&choice, true);
            let text = matches!(choice, VideoChoice::Text(_));
            assert_eq!(alone == Placement::default(), !text, "{choice}");
        }
    }
}
