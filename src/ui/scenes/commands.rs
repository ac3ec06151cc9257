//! Commands for the selected items, from the palette, hotkeys and menus, and moves of items in the
//! list.

use std::sync::Arc;

use egui::Context;

use crate::compose::scene::{Content, Item, ItemId};
use crate::studio::scenes::edits::MovedInto;
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
    find(items_of(view), id).unwrap_or_default()
}

/// Returns the group that contains an item, if any, and the item's position there.
pub(super) fn place_of(items: &[Item], id: ItemId) -> Option<(Option<ItemId>, usize)> {
    if let Some(index) = items.iter().position(|item| item.id == id) {
        return Some((None, index));
    }
    items.iter().find_map(|item| {
        let (group, index) = place_of(item.members(), id)?;
        Some((group.or(Some(item.id)), index))
    })
}

/// Returns the items of the edited scene.
fn items_of<'a>(view: &'a View<'_>) -> &'a [Item] {
    let scene = view.snapshot.scenes.collection.scene(edited(view.snapshot));
    scene.map_or(&[], |scene| scene.items.as_slice())
}

/// Returns the edit that moves an item to this position in a group, or in the scene itself.
pub(super) fn moving(view: &View<'_>, item: ItemId, group: Option<ItemId>, to: usize) -> Edit {
    match place_of(items_of(view), item) {
        Some((own, _)) if own == group => Edit::MoveItem(item, to),
        _ => Edit::MoveInto(MovedInto { item, group, to, canvas: view.snapshot.quality.size }),
    }
}

/// Returns the edit that moves an item out of its group, to the place above the group; `None` if it
/// is in no group.
pub(super) fn moving_out(view: &View<'_>, item: ItemId) -> Option<Edit> {
    let items = items_of(view);
    let (group, _) = place_of(items, item)?;
    let (outer, index) = place_of(items, group?)?;
    Some(moving(view, item, outer, index + 1))
}

/// Returns the groups next to an item, the nearest one above it first, each with the edit that moves
/// the item into it.
pub(super) fn moving_in<'a>(view: &'a View<'_>, item: ItemId) -> Vec<(&'a Item, Edit)> {
    let collection = &view.snapshot.scenes.collection;
    let (index, beside) = place_among(view, item);
    let group =
        |id: &ItemId| collection.item(*id).filter(|item| matches!(item.content, Content::Group(_)));
    let above = beside.iter().skip(index + 1).filter_map(group).map(|it| (it, 0));
    let below = beside.iter().take(index).rev().filter_map(group);
    let below = below.map(|it| (it, it.members().len()));
    let each = |(group, to): (&'a Item, usize)| (group, moving(view, item, Some(group.id), to));
    above.chain(below).map(each).collect()
}
