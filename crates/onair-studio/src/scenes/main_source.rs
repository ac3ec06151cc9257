//! Converts the source of `--video` to an ordinary source, because the window supports only
//! ordinary ones.

use std::sync::Arc;

use crate::capture::{Properties, VideoChoice, VideoFallback};
use crate::compose::scene::{Content, Item, SourceId};
use crate::studio::scenes::{Collection, MAIN_SOURCE, Source};

impl Collection {
    /// Replaces [`MAIN_SOURCE`] in every item with a source of this name and choice, with the
    /// filters and the fallback of [`MAIN_SOURCE`]. Without a choice, those items are removed.
    /// Returns true if an item showed [`MAIN_SOURCE`].
    pub(crate) fn adopt_main(&mut self, name: &str, choice: VideoChoice) -> bool {
        if !self.uses(MAIN_SOURCE) {
            return false;
        }
        let filters = std::mem::take(&mut self.main_filters);
        let fallback = std::mem::replace(&mut self.main_fallback, VideoFallback::Keep);
        let own = (choice != VideoChoice::None).then(|| {
            let (id, name) = (self.next_source(), self.free_source_name(name));
            let properties = Properties::default();
            self.sources.push(Source {
                id,
                name,
                choice,
                filters,
                properties,
                fallback,
                record: false,
            });
            id
        });
        let copy = self.program_scenes.iter_mut().flat_map(Arc::make_mut);
        for scene in self.scenes.iter_mut().chain(copy) {
            replace(&mut scene.items, own);
        }
        true
    }

    /// Returns the default source of commands: [`MAIN_SOURCE`] if a scene shows it, otherwise the
    /// lowest source of the current scene of the program.
    pub fn usual_source(&self) -> SourceId {
        fn lowest(items: &[Item]) -> Option<SourceId> {
            items.iter().find_map(|item| match &item.content {
                Content::Source(id) => Some(*id),
                Content::Group(members) => lowest(members),
                Content::Scene(_) => None,
            })
        }
        let lowest = || self.program_scene().and_then(|scene| lowest(&scene.items));
        if self.uses(MAIN_SOURCE) { MAIN_SOURCE } else { lowest().unwrap_or(MAIN_SOURCE) }
    }
}

/// Makes items that show [`MAIN_SOURCE`] show this source instead, or removes them.
fn replace(items: &mut Vec<Item>, own: Option<SourceId>) {
    items.retain(|item| own.is_some() || item.content != Content::Source(MAIN_SOURCE));
    for item in items {
        match (&mut item.content, own) {
            (Content::Source(id), Some(own)) if *id == MAIN_SOURCE => *id = own,
            (Content::Group(members), own) => replace(members, own),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::scene::ItemId;
    use crate::studio::scenes::edits::Edit;

    fn with_main_in_a_group() -> Collection {
        let mut it = Collection::default();
        let scene = it.current;
        let add = Edit::AddSource { scene, name: "Logo".into(), choice: VideoChoice::Test };
        let fallback = Edit::SetFallback(MAIN_SOURCE, VideoFallback::Placeholder);
        for edit in [add, fallback, Edit::Group(vec![ItemId(1), ItemId(2)])] {
            assert!(it.apply(&edit), "{edit:?}");
        }
        assert!(it.apply(&Edit::DuplicateScene(scene)));
        it
    }

    #[test]
    fn the_main_video_becomes_a_separate_source_in_every_scene() {
        let mut it = with_main_in_a_group();
        assert_eq!(it.usual_source(), MAIN_SOURCE);
        it.copy_for_program();
        let camera: VideoChoice = "camera:c920".parse().unwrap();
        assert!(it.adopt_main("Logo", camera.clone()));
        assert!(!it.uses(MAIN_SOURCE) && it.main_fallback == VideoFallback::Keep);
        let own = it.sources.last().unwrap();
        assert_eq!((own.name.as_str(), &own.choice), ("Logo 2", &camera));
        assert_eq!(own.fallback, VideoFallback::Placeholder);
        let (id, mut shown) = (own.id, 0);
        it.each(|item| shown += usize::from(item.content == Content::Source(id)));
        assert_eq!((shown, it.usual_source()), (2, id));
        assert!(!it.adopt_main("Again", VideoChoice::Test), "there is none left");
        assert_eq!(it.sources.len(), 2);
    }

    #[test]
    fn without_video_its_items_go_and_the_others_stay() {
        let mut it = with_main_in_a_group();
        assert!(it.adopt_main("None", VideoChoice::None));
        let mut contents = Vec::new();
        it.each(|item| contents.push(item.content.clone()));
        assert!(!contents.contains(&Content::Source(MAIN_SOURCE)));
        assert_eq!(contents.iter().filter(|it| matches!(it, Content::Source(_))).count(), 2);
        assert_eq!(it.sources.len(), 1);
    }
}
