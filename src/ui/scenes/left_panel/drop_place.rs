//! The place at which a dragged item lands in the list, among its siblings, in a group or outside
//! of its group. The list goes downwards, while the drawing order goes upwards. Members are in rows
//! below their group.

use crate::compose::scene::{Content, Item, ItemId};
use crate::ui::scenes::draft::place_of;

/// A row of the list.
#[derive(Copy, Clone, Debug)]
struct ListRow {
    id: ItemId,
    depth: u32,
    /// The group that contains the item.
    parent: Option<ItemId>,
    /// The position among its siblings, without the dragged item, counted from the bottom.
    index: usize,
    /// The number of members of a group, without the dragged item.
    members: Option<usize>,
}

/// The place at which an item lands.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct DropPlace {
    /// The group that will contain the item.
    pub group: Option<ItemId>,
    /// The position in the group or scene, counted from the bottom.
    pub to: usize,
    /// The number of groups around the place.
    pub depth: u32,
    /// The number of rows of the list above the place.
    pub rows_above: usize,
}

/// Adds the rows of these items from the topmost one, without `dragged` and its members.
fn add_rows(
    items: &[Item],
    dragged: ItemId,
    (depth, parent): (u32, Option<ItemId>),
    rows: &mut Vec<ListRow>,
) {
    let rest: Vec<&Item> = items.iter().filter(|item| item.id != dragged).collect();
    for (index, item) in rest.into_iter().enumerate().rev() {
        let others = |members: &Vec<Item>| members.iter().filter(|it| it.id != dragged).count();
        let members = match &item.content {
            Content::Group(members) => Some(others(members)),
            Content::Source(_) | Content::Scene(_) => None,
        };
        rows.push(ListRow { id: item.id, depth, parent, index, members });
        add_rows(item.members(), dragged, (depth + 1, Some(item.id)), rows);
    }
}

/// Returns the ids of all rows of these items, from the topmost one.
pub(super) fn rows_of(items: &[Item]) -> Vec<ItemId> {
    let each = |item: &Item| [vec![item.id], rows_of(item.members())].concat();
    items.iter().rev().flat_map(each).collect()
}

/// Returns the item with this id, also within groups.
fn find(items: &[Item], id: ItemId) -> Option<&Item> {
    items.iter().find_map(|item| match item.id == id {
        true => Some(item),
        false => find(item.members(), id),
    })
}

/// Returns the place at which `dragged` lands in a scene with these items, or `None` if it stays.
/// `rows` is the distance of the drag in rows, down if positive, and `depth` the number of groups
/// that the pointer asks for, where several are possible.
pub(super) fn drop_place(
    items: &[Item],
    dragged: ItemId,
    rows: f32,
    depth: i64,
) -> Option<DropPlace> {
    let all = rows_of(items);
    let own = all.iter().position(|id| *id == dragged)?;
    let after_own = own + 1 + rows_of(find(items, dragged)?.members()).len();
    let target = (own as f32 + rows).clamp(0.0, all.len() as f32 - 1.0);
    let row = target.round() as usize;
    let is_group = all
        .get(row)
        .and_then(|id| find(items, *id))
        .is_some_and(|item| matches!(item.content, Content::Group(_)));
    let is_own = (own..after_own).contains(&row);
    // The gap between two rows, counted from the top, and true if the item goes into the group
    // above the gap.
    let (gap, enters) = match (is_own, is_group) {
        (true, _) => (own, false),
        (false, true) if target - row as f32 >= -0.25 => (row + 1, true),
        (false, true) => (row, false),
        (false, false) => (row + usize::from(row > own), false),
    };
    let mut rest = Vec::new();
    add_rows(items, dragged, (0, None), &mut rest);
    // Without the dragged item and its members, there are fewer rows above the gap.
    let at = if gap >= after_own { gap - (after_own - own) } else { gap };
    let above = at.checked_sub(1).and_then(|above| rest.get(above));
    let most = above.map_or(0, |above| above.depth + u32::from(above.members.is_some()));
    let least = rest.get(at).map_or(0, |below| below.depth).min(most);
    let depth = match enters {
        true => most,
        false => depth.clamp(i64::from(least), i64::from(most)) as u32,
    };
    let (group, to) = match above {
        None => (None, rest.iter().filter(|row| row.depth == 0).count()),
        Some(above) if above.depth < depth => (Some(above.id), above.members.unwrap_or_default()),
        Some(_) => {
            let mut before = rest.get(..at).unwrap_or_default().iter().rev();
            let sibling = before.find(|row| row.depth == depth)?;
            (sibling.parent, sibling.index)
        }
    };
    let rows_above = if is_own { after_own } else { gap };
    let stays = place_of(items, dragged) == Some((group, to));
    (!stays).then_some(DropPlace { group, to, depth, rows_above })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a scene whose rows are, from the top: 1, the group 2 with 3 and 4, 5, and the empty
    /// group 6.
    fn items() -> Vec<Item> {
        let plain = |id| Item::new(ItemId(id), Content::Source(crate::studio::scenes::MAIN_SOURCE));
        let group = |id, members| Item::new(ItemId(id), Content::Group(members));
        vec![group(6, vec![]), plain(5), group(2, vec![plain(4), plain(3)]), plain(1)]
    }

    /// Returns the group, the position from the bottom, and the number of rows above the place.
    fn place(id: u32, rows: f32, depth: i64) -> Option<(Option<u32>, usize, usize)> {
        let place = drop_place(&items(), ItemId(id), rows, depth)?;
        Some((place.group.map(|it| it.0), place.to, place.rows_above))
    }

    #[test]
    fn a_drag_lands_among_its_siblings() {
        assert_eq!(place(1, 0.0, 0), None);
        // Below the last member of a group, the pointer asks for no group.
        assert_eq!(place(1, 3.0, 0), Some((None, 2, 4)));
        assert_eq!(place(1, 4.0, 0), Some((None, 1, 5)));
        assert_eq!(place(5, -4.0, 0), Some((None, 3, 0)));
        assert_eq!(place(5, -99.0, 0), Some((None, 3, 0)));
        // The upper quarter of a group's row is the place above the group.
        assert_eq!(place(5, -3.4, 0), Some((None, 2, 1)));
        // Within a group.
        assert_eq!(place(3, 1.0, 1), Some((Some(2), 0, 4)));
        assert_eq!(place(4, -1.0, 1), Some((Some(2), 1, 2)));
    }

    #[test]
    fn a_drag_lands_in_a_group() {
        // On its row, or above its first member.
        assert_eq!(place(1, 1.0, 0), Some((Some(2), 2, 2)));
        assert_eq!(place(5, -3.0, 0), Some((Some(2), 2, 2)));
        assert_eq!(place(5, -2.0, 0), Some((Some(2), 2, 2)));
        // Between the members.
        assert_eq!(place(1, 2.0, 0), Some((Some(2), 1, 3)));
        assert_eq!(place(5, -1.0, 0), Some((Some(2), 1, 3)));
        // Below the last member, if the pointer is to the right.
        assert_eq!(place(1, 3.0, 1), Some((Some(2), 0, 4)));
        assert_eq!(place(5, 0.0, 1), Some((Some(2), 0, 5)));
        // An empty group.
        assert_eq!(place(5, 1.0, 0), Some((Some(6), 0, 6)));
        // A group in another one.
        assert_eq!(place(6, -2.0, 0), Some((Some(2), 1, 3)));
    }

    #[test]
    fn a_drag_lands_outside_of_its_group() {
        assert_eq!(place(3, -2.0, 1), Some((None, 4, 0)));
        assert_eq!(place(3, 2.0, 1), Some((None, 1, 5)));
        // The last member stays in its row, with the pointer to the left.
        assert_eq!(place(4, 0.0, 0), Some((None, 2, 4)));
        assert_eq!(place(4, 0.0, 1), None);
        assert_eq!(place(4, 0.0, -9), Some((None, 2, 4)));
    }

    #[test]
    fn a_group_never_lands_in_itself() {
        for rows in -9..9 {
            for depth in [-1, 0, 1, 5] {
                let place = drop_place(&items(), ItemId(2), rows as f32, depth);
                assert!(place.is_none_or(|it| it.group != Some(ItemId(2))), "{rows} {depth}");
            }
        }
        assert_eq!(place(2, 1.0, 0), None);
        assert_eq!(place(2, 2.0, 0), None);
        assert_eq!(drop_place(&[], ItemId(1), 1.0, 0), None);
    }
}
