//! Duplicates items, with the same source or a new one.

use crate::compose::scene::{Content, Item, ItemId, Placement};
use crate::studio::scenes::{Collection, MAX_SOURCES};

impl Collection {
    /// Duplicates an item with the same source.
    pub(super) fn duplicate_item(&mut self, id: ItemId) -> Option<()> {
        let copy = self.item(id)?.clone();
        self.put_beside(id, copy)
    }

    /// Duplicates an item and its source.
    pub(super) fn duplicate_source(&mut self, id: ItemId) -> Option<()> {
        let mut copy = self.item(id)?.clone();
        let Content::Source(source) = copy.content else { return None };
        if self.sources.len() >= MAX_SOURCES {
            return None;
        }
        let mut source = self.source(source)?.clone();
        (source.id, source.name) = (self.next_source(), self.free_source_name(&source.name));
        (copy.content, copy.name) = (Content::Source(source.id), String::new());
        self.sources.push(source);
        self.put_beside(id, copy)
    }

    /// Inserts a copy above an item, with a small offset so that both are visible.
    fn put_beside(&mut self, id: ItemId, copy: Item) -> Option<()> {
        let mut next = self.next_item();
        let before = [copy];
        let mut copy = before.clone();
        renumber(&mut copy, &mut next);
        let filters = self.composed_filters.clone();
        self.copy_group_filters((&before, &copy), &filters);
        let [mut copy] = copy;
        copy.place = Placement { x: copy.place.x + 0.03, y: copy.place.y + 0.03, ..copy.place };
        let (list, index) = self.place_of(id)?;
        list.insert(index + 1, copy);
        Some(())
    }
}

/// Renumbers items, starting at `next`.
pub fn renumber(items: &mut [Item], next: &mut ItemId) {
    for item in items {
        item.id = *next;
        next.0 += 1;
        if let Content::Group(members) = &mut item.content {
            renumber(members, next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Properties, VideoChoice};
    use crate::compose::scene::SourceId;
    use crate::studio::scenes::edits::Edit;

    fn edited(edits: &[Edit]) -> Collection {
        let mut collection = Collection::default();
        for edit in edits {
            assert!(collection.apply(edit), "{edit:?}");
        }
        collection
    }

    fn logo() -> Edit {
        let scene = Collection::default().current;
        Edit::AddSource { scene, name: "Logo".into(), choice: VideoChoice::Test }
    }

    #[test]
    fn an_item_is_duplicated_with_its_source_or_with_a_new_independent_one() {
        let mut it = edited(&[logo(), Edit::RenameItem(ItemId(2), "Corner".into())]);
        let (first, mut properties) = (SourceId(1), Properties::default());
        properties.without_pointer = true;
        assert!(it.apply(&Edit::SetProperties(first, properties.clone())));
        assert!(it.apply(&Edit::DuplicateItem(ItemId(2))));
        assert_eq!((it.sources.len(), it.scenes[0].items.len()), (1, 3));
        assert!(it.apply(&Edit::DuplicateSource(ItemId(2))));
        let [one, two] = &it.sources[..] else { panic!("{:?}", it.sources) };
        assert_eq!((&*one.name, &*two.name), ("Logo", "Logo 2"));
        assert_eq!((&one.choice, &one.properties), (&two.choice, &two.properties), "as it was set");
        // The copy is directly above the first item, with an offset, and is named after its source.
        let items = &it.scenes[0].items;
        let names: Vec<&str> = items.iter().map(|item| it.item_name(item)).collect();
        assert_eq!(names, ["", "Corner", "Logo 2", "Corner"]);
        assert!(items[2].place.x > items[1].place.x);
        // From then on, each has its own settings.
        let second = two.id;
        assert!(it.apply(&Edit::SetProperties(second, Properties::default())));
        assert_eq!(it.source(first).map(|it| &it.properties), Some(&properties));
        // The main video source, groups and scenes have no source that could be duplicated.
        assert!(!it.apply(&Edit::DuplicateSource(ItemId(1))));
        assert!(it.apply(&Edit::Group(vec![ItemId(1), ItemId(2)])));
        let group = it.scenes[0].items.iter().find(|item| !item.members().is_empty()).unwrap().id;
        assert!(!it.apply(&Edit::DuplicateSource(group)));
        assert!(it.apply(&Edit::DuplicateSource(ItemId(2))), "a member beside itself");
        assert_eq!(it.item(group).unwrap().members().len(), 3);
    }

    #[test]
    fn nothing_is_duplicated_beyond_the_bounds() {
        let mut it = edited(&[logo()]);
        while it.sources.len() < MAX_SOURCES {
            assert!(it.apply(&Edit::DuplicateSource(ItemId(2))));
        }
        assert!(!it.apply(&Edit::DuplicateSource(ItemId(2))));
        assert!(it.apply(&Edit::DuplicateItem(ItemId(2))));
    }
}
