//! Copies, cuts, pastes and duplicates the selection, also between scenes.

use egui::{Context, Event, Key, Modifiers, Ui};

use crate::compose::scene::{ItemId, SceneId};
use crate::studio::{Collection, Command, Edit};
use crate::ui::scenes::draft::{Clip, Draft, each, edited, name_of, place_of};
use crate::ui::view::View;

/// Handles the keys of a focused list or canvas for these items.
pub(super) fn keyboard(ui: &Ui, view: &mut View<'_>, draft: &mut Draft, items: &[ItemId]) {
    let mut asked = None;
    ui.input_mut(|input| {
        input.events.retain(|event| {
            let known = matches!(event, Event::Copy | Event::Cut | Event::Paste(_));
            if known {
                asked = Some(event.clone());
            }
            !known
        });
    });
    match asked {
        Some(Event::Copy) => copy(ui.ctx(), view, draft, items),
        Some(Event::Cut) => {
            copy(ui.ctx(), view, draft, items);
            each(view, items, Edit::RemoveItem);
            draft.choose(None);
        }
        Some(Event::Paste(words)) if words == draft.clip.words => {
            let scene = edited(view.snapshot);
            paste(view, draft, scene);
        }
        _ => {}
    }
    if ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::D)) {
        duplicate(view, draft, items);
    }
}

/// Returns these items without the members of groups among them: a copy of a group already contains
/// its members.
fn outermost(collection: &Collection, items: &[ItemId]) -> Vec<ItemId> {
    let contains = |group: ItemId, id: ItemId| {
        collection.item(group).is_some_and(|it| place_of(it.members(), id).is_some())
    };
    let is_inside = |id: ItemId| items.iter().any(|group| contains(*group, id));
    items.iter().copied().filter(|id| !is_inside(*id)).collect()
}

/// Copies these items for pasting.
pub(super) fn copy(ctx: &Context, view: &View<'_>, draft: &mut Draft, items: &[ItemId]) {
    let collection = &view.snapshot.scenes.collection;
    let items = outermost(collection, items);
    // The copied items are in drawing order.
    let mut found = Vec::new();
    collection.each(|item| {
        if items.contains(&item.id) {
            found.push(item.clone());
        }
    });
    if found.is_empty() {
        return;
    }
    let names: Vec<String> = found.iter().map(|item| name_of(view, item)).collect();
    draft.clip = Clip { words: names.join("\n"), copied: collection.copied(&found) };
    ctx.copy_text(draft.clip.words.clone());
}

/// Returns true if there is something to paste.
pub(super) fn has(draft: &Draft) -> bool {
    !draft.clip.copied.items.is_empty()
}

/// Pastes the copied items into a scene.
pub(super) fn paste(view: &mut View<'_>, draft: &mut Draft, scene: SceneId) {
    if has(draft) {
        draft.await_items(view.snapshot);
        view.send(Command::Edit(Edit::Paste(scene, draft.clip.copied.clone())));
    }
}

/// Duplicates each of these items.
pub(super) fn duplicate(view: &mut View<'_>, draft: &mut Draft, items: &[ItemId]) {
    draft.await_items(view.snapshot);
    let items = outermost(&view.snapshot.scenes.collection, items);
    each(view, &items, Edit::DuplicateItem);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::VideoChoice;

    #[test]
    fn a_member_is_not_copied_beside_its_group() {
        let mut collection = Collection::default();
        let scene = collection.current;
        for name in ["Guest", "Logo", "Clock"] {
            let add = Edit::AddSource { scene, name: name.into(), choice: VideoChoice::Test };
            assert!(collection.apply(&add));
        }
        let [inner, outer, alone] = [ItemId(2), ItemId(3), ItemId(4)];
        assert!(collection.apply(&Edit::Group(vec![inner])));
        let inner_group = collection.scenes[0].items[1].id;
        assert!(collection.apply(&Edit::Group(vec![inner_group, outer])));
        let group = collection.scenes[0].items[1].id;
        // A selection with Shift contains the rows of the members too.
        let all = [alone, group, outer, inner_group, inner];
        assert_eq!(outermost(&collection, &all), [alone, group]);
        assert_eq!(outermost(&collection, &[inner, alone]), [inner, alone]);
    }
}
