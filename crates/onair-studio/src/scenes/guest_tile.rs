//! A guest in the scenes: a group of the guest's video and the name tag, which move, hide and fade together.
//!
//! The tag is an ordinary text whose words follow the guest's name. So the streamer can style it, move it in the group, or
//! remove it. The guest's video can also be shown alone, as any source.

use crate::capture::text::{Content as Words, Style, TextAppearance};
use crate::capture::{Properties, Rgba, VideoChoice};
use crate::compose::scene::{Content, Item, ItemId, Placement, SourceId};
use crate::studio::scenes::edits::{CopiedItems, Edit};
use crate::studio::scenes::{Collection, Source};

/// The size of a guest's video in the scene, in program sizes.
const TILE_SIZE: f64 = 0.32;
/// The distance of the video from the edges.
const TILE_MARGIN: f64 = 0.02;
/// The line width of a tag in pixels. A long name becomes smaller, and never wraps.
const TAG_WIDTH: u32 = 4_096;
/// The size of a tag's letters, and the distance of its edges from them, in pixels.
const TAG_LETTERS: (u32, u32) = (48, 14);
const TAG_BACKGROUND: Rgba = Rgba { red: 0, green: 0, blue: 0, alpha: 170 };

/// Returns a corner of a scene.
pub fn corner(index: usize) -> Placement {
    let far = 1.0 - TILE_SIZE - TILE_MARGIN;
    let x = if index.is_multiple_of(2) { far } else { TILE_MARGIN };
    let y = if index % 4 < 2 { far } else { TILE_MARGIN };
    Placement { x, y, width: TILE_SIZE, height: TILE_SIZE, ..Placement::default() }
}

/// Returns the place of a tag: in the middle of the lower edge.
fn tag_place() -> Placement {
    Placement { x: 0.04, y: 0.83, width: 0.92, height: 0.14, ..Placement::default() }
}

fn tag_look() -> TextAppearance {
    let (size, padding) = TAG_LETTERS;
    let style =
        Style { size, padding, weight: 600, background: Some(TAG_BACKGROUND), ..Style::default() };
    TextAppearance { style, width: Some(TAG_WIDTH), ..TextAppearance::default() }
}

impl Collection {
    /// Returns a new group that shows a guest.
    pub fn guest_tile(
        &self,
        id: &str,
        name: &str,
        place: Placement,
        is_tagged: bool,
    ) -> CopiedItems {
        let SourceId(first) = self.next_source();
        let (video, words) = (SourceId(first), SourceId(first + 1));
        let shows = VideoChoice::Guest(id.to_owned());
        let says = VideoChoice::Text(Words::GuestName(id.to_owned()));
        let properties = Properties { text: tag_look(), ..Properties::default() };
        let tag = Source::new(words, format!("{name}: {id}"), says);
        let sources =
            vec![Source::new(video, name.to_owned(), shows), Source { properties, ..tag }];
        let tag = Item {
            place: tag_place(),
            hidden: !is_tagged,
            ..Item::new(ItemId(3), Content::Source(words))
        };
        let members = vec![Item::new(ItemId(2), Content::Source(video)), tag];
        let group = Item::new(ItemId(1), Content::Group(members));
        let group = Item { name: name.to_owned(), place, ..group };
        CopiedItems { items: vec![group], sources, ..CopiedItems::default() }
    }

    /// Returns the items that show a guest, in the scenes and in the program.
    pub fn guest_videos(&self, id: &str) -> Vec<ItemId> {
        self.items_of(|it| matches!(it, VideoChoice::Guest(of) if of == id))
    }

    /// Returns the items that show the name of a guest, in the scenes and in the program.
    pub fn guest_tags(&self, id: &str) -> Vec<ItemId> {
        self.items_of(|it| matches!(it, VideoChoice::Text(Words::GuestName(of)) if of == id))
    }

    /// Returns the items of a guest: the groups that contain nothing else, and the items outside of these groups.
    pub fn guest_tiles(&self, id: &str) -> Vec<ItemId> {
        let mut own = self.guest_videos(id);
        own.extend(self.guest_tags(id));
        let mut groups = Vec::new();
        let mut members = Vec::new();
        self.each_with_program(|item| {
            let inner = item.members();
            if !inner.is_empty() && inner.iter().all(|it| own.contains(&it.id)) {
                groups.push(item.id);
                members.extend(inner.iter().map(|it| it.id));
            }
        });
        let alone = own.into_iter().filter(|it| !members.contains(it));
        groups.extend(alone);
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// Returns the edits that hide a guest, or show the guest again.
    pub fn hide_guest(&self, id: &str, hidden: bool) -> Edit {
        let mut items = self.guest_tiles(id);
        if !hidden {
            items.extend(self.guest_videos(id));
        }
        Edit::Several(items.into_iter().map(|item| Edit::HideItem(item, hidden)).collect())
    }

    fn items_of(&self, is_its: impl Fn(&VideoChoice) -> bool) -> Vec<ItemId> {
        let sources = self.sources.iter().filter(|it| is_its(&it.choice));
        let sources: Vec<SourceId> = sources.map(|it| it.id).collect();
        let mut items = Vec::new();
        self.each_with_program(|item| {
            let is_its = matches!(item.content, Content::Source(shown) if sources.contains(&shown));
            if is_its && !items.contains(&item.id) {
                items.push(item.id);
            }
        });
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a collection with these guests on air.
    fn with(guests: &[&str]) -> Collection {
        let mut it = Collection::default();
        for (index, id) in guests.iter().enumerate() {
            let tile = it.guest_tile(id, "Ada", corner(index), true);
            assert!(it.apply(&Edit::Paste(it.current, tile)));
        }
        it
    }

    #[test]
    fn the_tag_of_a_guest_moves_hides_and_goes_with_the_video() {
        let mut it = with(&["g1", "g2"]);
        let [tile] = it.guest_tiles("g1")[..] else { panic!("{:?}", it.guest_tiles("g1")) };
        let group = it.item(tile).unwrap();
        assert_eq!(
            (group.name.as_str(), group.place, group.members().len()),
            ("Ada", corner(0), 2)
        );
        assert!(it.apply(&it.hide_guest("g1", true)));
        assert!(it.item(tile).unwrap().hidden);
        assert!(it.apply(&it.hide_guest("g1", false)));
        assert!(!it.item(tile).unwrap().hidden && !it.item(it.guest_tags("g1")[0]).unwrap().hidden);
        assert!(it.apply(&Edit::RemoveItem(tile)));
        assert_eq!((it.guest_tiles("g1"), it.sources.len()), (vec![], 2), "only those of g2");
        assert_eq!(it.guest_tiles("g2").len(), 1);
    }

    #[test]
    fn a_guest_in_a_group_of_the_streamer_leaves_the_rest_of_the_group_alone() {
        let mut it = with(&["g1", "g2"]);
        let [one, two] = [it.guest_tiles("g1")[0], it.guest_tiles("g2")[0]];
        assert!(it.apply(&Edit::Group(vec![one, two])));
        assert_eq!((it.guest_tiles("g1"), it.guest_tiles("g2")), (vec![one], vec![two]));
        // Without the tag, the group is still the guest's.
        assert!(it.apply(&Edit::RemoveItem(it.guest_tags("g1")[0])));
        assert_eq!(it.guest_tiles("g1"), [one]);
    }

    #[test]
    fn a_guest_in_studio_mode_is_one_tile_in_the_scenes_and_in_the_program() {
        let mut it = Collection::default();
        it.copy_for_program();
        let tile = it.guest_tile("g1", "Ada", corner(0), false);
        assert!(it.attempt_in_program(&Edit::Paste(it.current, tile)).0);
        assert_eq!((it.guest_tiles("g1").len(), it.sources.len()), (1, 2));
        assert!(it.item(it.guest_tags("g1")[0]).unwrap().hidden);
    }

    #[test]
    fn four_guests_have_a_corner_each() {
        let corners: Vec<_> = (0..4).map(corner).map(|it| (it.x, it.y)).collect();
        for (index, place) in corners.iter().enumerate() {
            assert!(!corners[..index].contains(place), "{corners:?}");
        }
    }
}
