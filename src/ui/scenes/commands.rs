//! Commands for the selected items and for the current scene, from the palette, hotkeys and menus,
//! and moves of items in the list.

use egui::Context;

use crate::compose::scene::{Content, Fit, Item, ItemId, Placement, SceneId, SourceId};
use crate::media::Size;
use crate::studio::scenes::MAIN_SOURCE;
use crate::studio::scenes::edits::MovedInto;
use crate::studio::{Edit, Snapshot};
use crate::ui::input::actions::Action;
use crate::ui::input::possible::ImpossibleReason;
use crate::ui::scenes::canvas::group_box;
use crate::ui::scenes::canvas::interact::page_of;
use crate::ui::scenes::canvas::interaction::Interaction;
use crate::ui::scenes::clipboard;
use crate::ui::scenes::draft::{
    Draft, RenamedObject, TransitionScope, chosen, edited, items_of, name_of, natural, place_of,
    together,
};
use crate::ui::scenes::placement::{self, AlignTo};
use crate::ui::view::View;

/// Returns the reason why a command is impossible for the selected items or for the current scene.
pub fn why_not(snapshot: &Snapshot, draft: &Draft, action: Action) -> Option<ImpossibleReason> {
    match action {
        Action::Paste => (!clipboard::has(draft)).then_some(ImpossibleReason::NothingCopied),
        Action::ZoomFit => draft.zoom.fits().then_some(ImpossibleReason::CanvasFits),
        _ if action.is_about_items() => {
            why_not_with(snapshot, draft, &chosen(snapshot, draft), action)
        }
        _ if action.is_about_scene() => why_not_on_scene(snapshot, edited(snapshot), action),
        _ => None,
    }
}

/// Returns the reason why a command is impossible for these items.
pub(super) fn why_not_on(
    snapshot: &Snapshot,
    items: &[&Item],
    action: Action,
) -> Option<ImpossibleReason> {
    edits(snapshot, items, action).err()
}

/// Works like [`why_not_on`], also for a command that needs what was copied before.
pub(super) fn why_not_with(
    snapshot: &Snapshot,
    draft: &Draft,
    items: &[&Item],
    action: Action,
) -> Option<ImpossibleReason> {
    let is_empty = action == Action::PasteTransform && draft.copied_place.is_none();
    why_not_on(snapshot, items, action).or(is_empty.then_some(ImpossibleReason::NothingCopied))
}

/// Returns the reason why a command is impossible for this scene.
pub(super) fn why_not_on_scene(
    snapshot: &Snapshot,
    scene: SceneId,
    action: Action,
) -> Option<ImpossibleReason> {
    scene_edits(snapshot, scene, action).err()
}

/// Executes a command on the selected items or on the current scene, if it is possible there.
pub fn act(ctx: &Context, view: &mut View<'_>, draft: &mut Draft, action: Action) {
    let scene = edited(view.snapshot);
    if action == Action::Paste {
        clipboard::paste(view, draft, scene);
    } else if action.is_about_scene() {
        act_on_scene(view, draft, scene, action);
    } else {
        let items = chosen(view.snapshot, draft);
        act_on(ctx, view, draft, &items, action);
    }
}

/// Executes a command on these items, if it is possible.
pub(super) fn act_on(
    ctx: &Context,
    view: &mut View<'_>,
    draft: &mut Draft,
    items: &[&Item],
    action: Action,
) {
    let Ok(edits) = edits(view.snapshot, items, action) else { return };
    let ids: Vec<ItemId> = items.iter().map(|item| item.id).collect();
    match action {
        Action::Copy | Action::Cut => clipboard::copy(ctx, view, draft, &ids),
        Action::Duplicate => clipboard::duplicate(view, draft, &ids),
        Action::Group => draft.await_items(view.snapshot),
        Action::CopyTransform => {
            draft.copied_place = items.first().map(|item| item.place);
            // The same words set the placement with `item place` of `--control`.
            if let Some(Placement { x, y, width, height, rotation, .. }) = draft.copied_place {
                ctx.copy_text(format!(
                    "x={x:.4} y={y:.4} width={width:.4} height={height:.4} rotation={rotation:.1}"
                ));
            }
        }
        Action::PasteTransform => {
            let Some(place) = draft.copied_place else { return };
            let free = items.iter().filter(|item| !item.locked);
            return together(view, free.map(|item| Edit::SetPlace(item.id, place)).collect());
        }
        Action::ItemInteract => {
            if let [item] = items {
                draft.choose(Some(item.id));
                draft.interaction = Some(Interaction::new(item.id));
            }
        }
        Action::ItemRename => {
            if let [item] = items {
                draft.rename(RenamedObject::Item(item.id), name_of(view, item));
            }
        }
        _ => {}
    }
    let replaces = matches!(action, Action::Cut | Action::Delete);
    if replaces && ids.iter().any(|id| draft.is_chosen(*id)) {
        draft.choose(None);
    }
    together(view, edits);
}

/// Executes a command on this scene, if it is possible.
pub(super) fn act_on_scene(view: &mut View<'_>, draft: &mut Draft, scene: SceneId, action: Action) {
    let Ok(edits) = scene_edits(view.snapshot, scene, action) else { return };
    match action {
        Action::SceneRename => {
            if let Some(named) = view.snapshot.scenes.collection.scene(scene) {
                draft.rename(RenamedObject::Scene(scene), named.name.clone());
            }
        }
        Action::SceneTransition => draft.transition = Some(TransitionScope::Scene(scene)),
        Action::SceneFilters => {
            draft.choose(None);
            draft.show_filters(SourceId::of_scene(scene));
        }
        _ => {}
    }
    together(view, edits);
}

/// Returns the items to which an action on this one applies: all selected items of the edited
/// scene, if it is one of them.
pub(super) fn meant(snapshot: &Snapshot, draft: &Draft, id: ItemId) -> Vec<ItemId> {
    match draft.is_chosen(id) {
        true => chosen(snapshot, draft).into_iter().map(|item| item.id).collect(),
        false => vec![id],
    }
}

/// The edits of a command, or the reason why it is impossible.
type Edits = Result<Vec<Edit>, ImpossibleReason>;

/// Returns the edits of a command on these items. The list is empty if the command needs more than
/// edits: see [`act_on`].
fn edits(snapshot: &Snapshot, items: &[&Item], action: Action) -> Edits {
    use ImpossibleReason as Why;
    let [first, others @ ..] = items else { return Err(Why::NoItem) };
    let ids = || items.iter().map(|item| item.id);
    // These commands apply to a single item.
    let one = || if others.is_empty() { Ok(first.id) } else { Err(Why::SeveralItems) };
    let align = |to| aligned(snapshot, items, to);
    Ok(match action {
        Action::Copy | Action::Duplicate => Vec::new(),
        Action::CopyTransform => one().map(|_| Vec::new())?,
        Action::PasteTransform => unlocked(items).map(|_| Vec::new())?,
        Action::Cut | Action::Delete => ids().map(Edit::RemoveItem).collect(),
        Action::Group => {
            let together = match items {
                [item] => group_with_below(snapshot, item.id),
                _ => ids().collect(),
            };
            // Only items of one list are grouped.
            let (_, beside) = place_among(snapshot, first.id);
            if together.iter().filter(|id| beside.contains(id)).count() < 2 {
                return Err(Why::TooFewItems);
            }
            vec![Edit::Group(together)]
        }
        Action::Ungroup => match first.content {
            Content::Group(_) => vec![Edit::Ungroup(first.id, snapshot.quality.size)],
            _ => return Err(Why::NoGroup),
        },
        Action::ShowHide => ids().map(|id| Edit::HideItem(id, !first.hidden)).collect(),
        Action::Lock => ids().map(|id| Edit::LockItem(id, !first.locked)).collect(),
        Action::AlignLeft => align(AlignTo::Left)?,
        Action::AlignCenter => align(AlignTo::Center)?,
        Action::AlignRight => align(AlignTo::Right)?,
        Action::AlignTop => align(AlignTo::Top)?,
        Action::AlignMiddle => align(AlignTo::Middle)?,
        Action::AlignBottom => align(AlignTo::Bottom)?,
        Action::ItemUp | Action::ItemDown | Action::ItemTop | Action::ItemBottom => {
            let id = one()?;
            vec![Edit::MoveItem(id, position(snapshot, id, action)?)]
        }
        Action::ItemIntoGroup => {
            let (_, nearest) =
                moving_in(snapshot, one()?).into_iter().next().ok_or(Why::NoGroupBeside)?;
            vec![nearest]
        }
        Action::ItemOutOfGroup => vec![moving_out(snapshot, one()?).ok_or(Why::NotInGroup)?],
        Action::ItemRename => one().map(|_| Vec::new())?,
        Action::ItemInteract => {
            one()?;
            match page_of(snapshot, first) {
                Some(_) if !first.hidden => Vec::new(),
                _ => return Err(Why::NoPage),
            }
        }
        Action::DuplicateSource => match first.content {
            Content::Source(source) if source != MAIN_SOURCE => vec![Edit::DuplicateSource(one()?)],
            _ => return Err(Why::NoOwnSource),
        },
        _ => {
            let placed = |item: &Item| {
                let place = transformed(snapshot, item, action)?;
                Some(Edit::SetPlace(item.id, place))
            };
            unlocked(items)?.into_iter().filter_map(placed).collect()
        }
    })
}

/// Returns the edits of a command on this scene. The list is empty if the command needs more than
/// edits: see [`act_on_scene`].
fn scene_edits(snapshot: &Snapshot, id: SceneId, action: Action) -> Edits {
    use ImpossibleReason as Why;
    let scenes = &snapshot.scenes.collection.scenes;
    let index = scenes.iter().position(|scene| scene.id == id).unwrap_or(0);
    let last = scenes.len().saturating_sub(1);
    match action {
        Action::SceneDuplicate => Ok(vec![Edit::DuplicateScene(id)]),
        Action::SceneUp if index == 0 => Err(Why::AtTop),
        Action::SceneUp => Ok(vec![Edit::MoveScene(id, index - 1)]),
        Action::SceneDown if index == last => Err(Why::AtBottom),
        Action::SceneDown => Ok(vec![Edit::MoveScene(id, index + 1)]),
        Action::SceneRemove if last == 0 => Err(Why::LastScene),
        Action::SceneRemove => Ok(vec![Edit::RemoveScene(id)]),
        _ => Ok(Vec::new()),
    }
}

/// Returns the items that are not locked. Locked items cannot be moved.
fn unlocked<'a>(items: &[&'a Item]) -> Result<Vec<&'a Item>, ImpossibleReason> {
    let free: Vec<&Item> = items.iter().copied().filter(|item| !item.locked).collect();
    if free.is_empty() { Err(ImpossibleReason::Locked) } else { Ok(free) }
}

/// Aligns several items with each other, or a single one with the program. Locked items stay.
fn aligned(snapshot: &Snapshot, items: &[&Item], to: AlignTo) -> Edits {
    let free = unlocked(items)?;
    // The only unlocked one of several items has no other item to be aligned with.
    if free.len() < items.len().min(2) {
        return Err(ImpossibleReason::Locked);
    }
    let place = |item: &&Item| (group_box::shown(snapshot, item), natural(snapshot, item));
    let places: Vec<_> = free.iter().map(place).collect();
    let places = placement::aligned(&places, to, snapshot.quality.size);
    let put = |(item, new): (&&Item, Placement)| {
        Edit::SetPlace(item.id, group_box::put(snapshot, item, new))
    };
    let edits = free.iter().zip(places).map(put);
    Ok(vec![Edit::Several(edits.collect())])
}

/// Returns the placement of an item after a command that places, turns or flips it.
fn transformed(snapshot: &Snapshot, item: &Item, action: Action) -> Option<Placement> {
    let place = item.place;
    let whole = Placement { x: 0.0, y: 0.0, width: 1.0, height: 1.0, rotation: 0.0, ..place };
    Some(match action {
        Action::ItemFit => Placement { fit: Fit::Contain, ..whole },
        Action::ItemFill => Placement { fit: Fit::Cover, ..whole },
        Action::ItemStretch => Placement { fit: Fit::Stretch, ..whole },
        Action::ItemCenter => {
            let (x, y) = ((1.0 - place.width) / 2.0, (1.0 - place.height) / 2.0);
            Placement { x, y, ..place }
        }
        Action::ItemOriginalSize => {
            original_size(place, natural(snapshot, item), snapshot.quality.size)
        }
        Action::ItemFlipX => Placement { flip_x: !place.flip_x, ..place },
        Action::ItemFlipY => Placement { flip_y: !place.flip_y, ..place },
        Action::ItemRotate => {
            Placement { rotation: (place.rotation + 90.0).rem_euclid(360.0), ..place }
        }
        Action::ItemReset => Placement::default(),
        _ => return None,
    })
}

/// Resets an item to its original size, and keeps its center.
fn original_size(place: Placement, natural: Size, canvas: Size) -> Placement {
    let tight = placement::tight(&Placement { fit: Fit::Original, ..place }, natural, canvas);
    Placement { fit: Fit::Contain, ..tight }
}

/// Returns the position to which a command moves an item among its siblings, counted from the
/// bottom.
fn position(snapshot: &Snapshot, id: ItemId, action: Action) -> Result<usize, ImpossibleReason> {
    let (index, beside) = place_among(snapshot, id);
    let top = beside.len().saturating_sub(1);
    match action {
        Action::ItemUp | Action::ItemTop if index >= top => Err(ImpossibleReason::AtTop),
        Action::ItemDown | Action::ItemBottom if index == 0 => Err(ImpossibleReason::AtBottom),
        Action::ItemUp => Ok(index + 1),
        Action::ItemDown => Ok(index - 1),
        Action::ItemTop => Ok(top),
        _ => Ok(0),
    }
}

/// Returns the ids of an item and of the one below it.
fn group_with_below(snapshot: &Snapshot, id: ItemId) -> Vec<ItemId> {
    let (index, beside) = place_among(snapshot, id);
    let below = index.checked_sub(1).and_then(|index| beside.get(index)).copied();
    [Some(id), below].into_iter().flatten().collect()
}

/// Returns the index of an item in its group or scene, and the ids of all items there.
fn place_among(snapshot: &Snapshot, id: ItemId) -> (usize, Vec<ItemId>) {
    let items = items_of(snapshot);
    let Some((group, index)) = place_of(items, id) else { return (0, Vec::new()) };
    let beside = match group.and_then(|group| snapshot.scenes.collection.item(group)) {
        Some(group) => group.members(),
        None => items,
    };
    (index, beside.iter().map(|item| item.id).collect())
}

/// Returns the edit that moves an item to this position in a group, or in the scene itself.
pub(super) fn moving(snapshot: &Snapshot, item: ItemId, group: Option<ItemId>, to: usize) -> Edit {
    match place_of(items_of(snapshot), item) {
        Some((own, _)) if own == group => Edit::MoveItem(item, to),
        _ => Edit::MoveInto(MovedInto { item, group, to, canvas: snapshot.quality.size }),
    }
}

/// Returns the edit that moves an item out of its group, to the place above the group; `None` if it
/// is in no group.
pub(super) fn moving_out(snapshot: &Snapshot, item: ItemId) -> Option<Edit> {
    let items = items_of(snapshot);
    let (group, _) = place_of(items, item)?;
    let (outer, index) = place_of(items, group?)?;
    Some(moving(snapshot, item, outer, index + 1))
}

/// Returns the groups next to an item, the nearest one above it first, each with the edit that moves
/// the item into it.
pub(super) fn moving_in<'a>(snapshot: &'a Snapshot, item: ItemId) -> Vec<(&'a Item, Edit)> {
    let collection = &snapshot.scenes.collection;
    let (index, beside) = place_among(snapshot, item);
    let group =
        |id: &ItemId| collection.item(*id).filter(|item| matches!(item.content, Content::Group(_)));
    let above = beside.iter().skip(index + 1).filter_map(group).map(|it| (it, 0));
    let below = beside.iter().take(index).rev().filter_map(group);
    let below = below.map(|it| (it, it.members().len()));
    let each = |(group, to): (&'a Item, usize)| (group, moving(snapshot, item, Some(group.id), to));
    above.chain(below).map(each).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::capture::VideoChoice;
    use crate::studio::Collection;

    /// Returns a snapshot whose scene has two sources above the main source, after these edits.
    fn with(edits: &[Edit]) -> Snapshot {
        let mut collection = Collection::default();
        let scene = collection.current;
        let add =
            |name: &str| Edit::AddSource { scene, name: name.into(), choice: VideoChoice::Test };
        for edit in [add("Guest"), add("Logo")].iter().chain(edits) {
            assert!(collection.apply(edit), "{edit:?}");
        }
        let mut snapshot = Snapshot::default();
        snapshot.scenes.collection = Arc::new(collection);
        snapshot
    }

    /// Returns a draft in which these items are selected, the last one as the main one.
    fn selected(ids: &[u32]) -> Draft {
        let mut draft = Draft::default();
        draft.choose_all(ids.iter().map(|id| ItemId(*id)), false);
        draft
    }

    #[test]
    fn a_command_on_items_is_impossible_for_the_reason_that_the_user_can_change() {
        use ImpossibleReason as Why;
        let group = Edit::Group(vec![ItemId(1), ItemId(2)]);
        let (plain, grouped) = (with(&[]), with(&[group]));
        let locked = with(&[Edit::LockItem(ItemId(2), true)]);
        let cases: &[(&Snapshot, &[u32], Action, Option<Why>)] = &[
            (&plain, &[], Action::Delete, Some(Why::NoItem)),
            (&plain, &[], Action::Paste, Some(Why::NothingCopied)),
            (&plain, &[99], Action::ItemFit, Some(Why::NoItem)),
            (&plain, &[2], Action::ItemFit, None),
            (&locked, &[2], Action::ItemFit, Some(Why::Locked)),
            (&locked, &[2], Action::AlignLeft, Some(Why::Locked)),
            (&locked, &[2, 3], Action::AlignLeft, Some(Why::Locked)),
            (&locked, &[2, 3], Action::ItemFit, None),
            (&locked, &[2], Action::ItemUp, None),
            (&plain, &[3], Action::ItemUp, Some(Why::AtTop)),
            (&plain, &[3], Action::ItemTop, Some(Why::AtTop)),
            (&plain, &[1], Action::ItemDown, Some(Why::AtBottom)),
            (&plain, &[1], Action::ItemBottom, Some(Why::AtBottom)),
            (&plain, &[1, 2], Action::ItemUp, Some(Why::SeveralItems)),
            (&plain, &[1, 2], Action::ItemRename, Some(Why::SeveralItems)),
            (&plain, &[1], Action::DuplicateSource, Some(Why::NoOwnSource)),
            (&plain, &[2], Action::DuplicateSource, None),
            (&plain, &[1], Action::Group, Some(Why::TooFewItems)),
            (&plain, &[2], Action::Group, None),
            (&plain, &[1, 3], Action::Group, None),
            (&grouped, &[1, 3], Action::Group, Some(Why::TooFewItems)),
            (&plain, &[2], Action::Ungroup, Some(Why::NoGroup)),
            (&plain, &[2], Action::ItemIntoGroup, Some(Why::NoGroupBeside)),
            (&plain, &[2], Action::ItemOutOfGroup, Some(Why::NotInGroup)),
            (&grouped, &[3], Action::ItemIntoGroup, None),
            (&grouped, &[2], Action::ItemOutOfGroup, None),
            (&plain, &[], Action::SceneUp, Some(Why::AtTop)),
            (&plain, &[], Action::SceneDown, Some(Why::AtBottom)),
            (&plain, &[], Action::SceneRemove, Some(Why::LastScene)),
            (&plain, &[], Action::SceneDuplicate, None),
            (&plain, &[], Action::GoLive, None),
        ];
        for &(snapshot, ids, action, reason) in cases {
            assert_eq!(why_not(snapshot, &selected(ids), action), reason, "{action:?} {ids:?}");
        }
    }

    #[test]
    fn the_selection_of_another_scene_is_left_alone() {
        let mut snapshot = with(&[Edit::AddScene("Talk".into())]);
        let draft = selected(&[2]);
        assert_eq!(why_not(&snapshot, &draft, Action::Delete), None);
        snapshot.scenes.preview_scene = snapshot.scenes.collection.scenes.last().map(|it| it.id);
        assert_eq!(why_not(&snapshot, &draft, Action::Delete), Some(ImpossibleReason::NoItem));
        // An action on a selected item of this scene does not change that of the other one.
        snapshot.scenes.preview_scene = None;
        let other = Edit::AddSource {
            scene: snapshot.scenes.collection.scenes[1].id,
            name: "Slides".into(),
            choice: VideoChoice::Test,
        };
        assert!(Arc::make_mut(&mut snapshot.scenes.collection).apply(&other));
        let there = snapshot.scenes.collection.scenes[1].items[0].id;
        let both = selected(&[there.0, 2]);
        assert_eq!(meant(&snapshot, &both, ItemId(2)), [ItemId(2)]);
        assert_eq!(meant(&snapshot, &both, ItemId(3)), [ItemId(3)]);
        assert_eq!(meant(&snapshot, &selected(&[3, 2]), ItemId(2)), [ItemId(2), ItemId(3)]);
    }

    #[test]
    fn every_item_that_is_not_locked_is_placed() {
        let snapshot = with(&[Edit::LockItem(ItemId(2), true)]);
        let items = chosen(&snapshot, &selected(&[1, 2, 3]));
        let placed =
            |id, fit| Edit::SetPlace(ItemId(id), Placement { fit, ..Placement::default() });
        let filled = edits(&snapshot, &items, Action::ItemFill);
        assert_eq!(filled, Ok(vec![placed(3, Fit::Cover), placed(1, Fit::Cover)]));
    }

    #[test]
    fn an_item_goes_to_the_ends_of_its_group() {
        let snapshot = with(&[]);
        let moved =
            |id: u32, action| edits(&snapshot, &chosen(&snapshot, &selected(&[id])), action);
        assert_eq!(moved(1, Action::ItemTop), Ok(vec![Edit::MoveItem(ItemId(1), 2)]));
        assert_eq!(moved(3, Action::ItemBottom), Ok(vec![Edit::MoveItem(ItemId(3), 0)]));
        assert_eq!(moved(2, Action::ItemUp), Ok(vec![Edit::MoveItem(ItemId(2), 2)]));
        assert_eq!(moved(2, Action::ItemDown), Ok(vec![Edit::MoveItem(ItemId(2), 0)]));
    }
}
