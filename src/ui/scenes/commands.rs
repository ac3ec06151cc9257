//! Commands for the selected items, from the palette, hotkeys and menus.

use std::sync::Arc;

use egui::Context;

use crate::compose::scene::{Content, Item, ItemId};
use crate::studio::{Command, Edit};
use crate::ui::input::actions::Action;
use crate::ui::scenes::clipboard;
use crate::ui::scenes::draft::{Draft, each, edited, natural};
use crate::ui::scenes::placement::{self, AlignTo};
use crate::ui::view::View;

/// Executes an action on the selected items. Without a selection, only *Paste* does something.
pub fn act(ctx: &Context, view: &mut View<'_>, draft: &mut Draft, action: Action) {
    if action == Action::Paste {
        return clipboard::paste(view, draft, edited(view.snapshot));
    }
    let collection = Arc::clone(&view.snapshot.scenes.collection);
    let items: Vec<&Item> =
        draft.chosen().into_iter().filter_map(|id| collection.item(id)).collect();
    let Some(first) = items.first() else { return };
    let ids: Vec<_> = items.iter().map(|item| item.id).collect();
    match action {
        Action::Copy => clipboard::copy(ctx, view, draft, &ids),
        Action::Cut => {
            clipboard::copy(ctx, view, draft, &ids);
            each(view, &ids, Edit::RemoveItem);
            draft.choose(None);
        }
        Action::Duplicate => clipboard::duplicate(view, draft, &ids),
        Action::Delete => {
            each(view, &ids, Edit::RemoveItem);
            draft.choose(None);
        }
        Action::Group => {
            let together = match ids.as_slice() {
                [one] => group_with_below(view, *one),
                _ => ids,
            };
            view.send(Command::Edit(Edit::Group(together)));
            draft.choose(None);
        }
        Action::Ungroup => {
            let canvas = view.snapshot.quality.size;
            if matches!(first.content, Content::Group(_)) {
                view.send(Command::Edit(Edit::Ungroup(first.id, canvas)));
            }
        }
        Action::ShowHide => each(view, &ids, |id| Edit::HideItem(id, !first.hidden)),
        Action::Lock => each(view, &ids, |id| Edit::LockItem(id, !first.locked)),
        Action::AlignLeft => align(view, &items, AlignTo::Left),
        Action::AlignCenter => align(view, &items, AlignTo::Center),
        Action::AlignRight => align(view, &items, AlignTo::Right),
        Action::AlignTop => align(view, &items, AlignTo::Top),
        Action::AlignMiddle => align(view, &items, AlignTo::Middle),
        Action::AlignBottom => align(view, &items, AlignTo::Bottom),
        _ => {}
    }
}

/// Aligns several items with each other, or a single one with the program. Locked items stay.
pub(super) fn align(view: &mut View<'_>, items: &[&Item], to: AlignTo) {
    let items: Vec<&Item> = items.iter().copied().filter(|item| !item.locked).collect();
    if items.is_empty() {
        return;
    }
    let places: Vec<_> =
        items.iter().map(|item| (item.place, natural(view.snapshot, item))).collect();
    let places = placement::aligned(&places, to, view.snapshot.quality.size);
    let edits = items.iter().zip(places).map(|(item, new)| Edit::SetPlace(item.id, new));
    view.send(Command::Edit(Edit::Several(edits.collect())));
}

/// Returns the ids of an item and of the one below it.
pub(super) fn group_with_below(view: &View<'_>, id: ItemId) -> Vec<ItemId> {
    let (index, beside) = place_among(view, id);
    let below = index.checked_sub(1).and_then(|index| beside.get(index)).copied();
    [Some(id), below].into_iter().flatten().collect()
}

/// Returns the index of an item in its group or scene, and the ids of all items there.
pub(super) fn place_among(view: &View<'_>, id: ItemId) -> (usize, Vec<ItemId>) {
    fn find(items: &[Item], id: ItemId) -> Option<(usize, Vec<ItemId>)> {
        if let Some(index) = items.iter().position(|item| item.id == id) {
            return Some((index, items.iter().map(|item| item.id).collect()));
        }
        items.iter().find_map(|item| find(item.members(), id))
    }
    let collection = &view.snapshot.scenes.collection;
    let scene = collection.scene(edited(view.snapshot));
    scene.and_then(|scene| find(&scene.items, id)).unwrap_or_default()
}
