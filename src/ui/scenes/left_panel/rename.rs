//! Renames a scene or a source in its row.

use egui::text::{CCursor, CCursorRange};
use egui::text_edit::TextEditState;
use egui::{Id, Key, TextEdit, Ui};

use crate::compose::scene::{Content, ItemId};
use crate::studio::scenes::MAIN_SOURCE;
use crate::studio::{Collection, Command, Edit};
use crate::ui::scenes::draft::{Draft, RenamedObject, items_of, place_of};
use crate::ui::style::theme::CONTROL_RADIUS;
use crate::ui::view::View;
use crate::ui::widgets::focus_ring;

/// Draws a name field in place of the row, if the user is renaming it. Returns true in that case.
pub fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, what: RenamedObject) -> bool {
    let Some((named, text)) = draft.naming.as_mut().filter(|(named, _)| *named == what) else {
        return false;
    };
    let id = Id::unique("scene-name");
    // The field has its focus and its selection before it takes the events of this frame. On a slow computer,
    // these already include the name that the user types.
    if std::mem::take(&mut draft.selects_name) {
        let mut state = TextEditState::default();
        let range = CCursorRange::two(CCursor::new(0), CCursor::new(text.chars().count()));
        state.cursor.set_char_range(Some(range));
        state.store(ui.ctx(), id);
        ui.memory_mut(|memory| memory.request_focus(id));
    }
    let field = ui.add(
        TextEdit::singleline(text)
            .id(id)
            .char_limit(crate::studio::scenes::MAX_NAME)
            .desired_width(f32::INFINITY),
    );
    let field = field.accessible_name(&*view.texts.get("scene-name"));
    focus_ring(ui, view.theme, &field, CONTROL_RADIUS);
    let cancelled = ui.input(|input| input.key_pressed(Key::Escape));
    if field.lost_focus() {
        let text = std::mem::take(text);
        if !cancelled {
            view.send(Command::Edit(match named {
                RenamedObject::Scene(id) => Edit::RenameScene(*id, text),
                RenamedObject::Item(id) => renamed(&view.snapshot.scenes.collection, *id, text),
            }));
        }
        draft.naming = None;
        // The list keeps the keys after a name was typed.
        if cancelled || ui.input(|input| input.key_pressed(Key::Enter)) {
            let row = match what {
                RenamedObject::Scene(id) => ("scene", id.0),
                RenamedObject::Item(id) => ("item", id.0),
            };
            ui.memory_mut(|memory| memory.request_focus(ui.scope_id().with(row)));
        }
    } else if !field.has_focus() {
        field.request_focus();
    }
    true
}

/// Ends the renaming of an object that has lost its row. Otherwise, the name field would take the
/// keyboard focus when the row returns. The name applies if the object still exists.
pub fn end_without_row(view: &mut View<'_>, draft: &mut Draft) {
    let snapshot = view.snapshot;
    let collection = &snapshot.scenes.collection;
    let shown = items_of(snapshot);
    let has_row = |named: RenamedObject| match named {
        RenamedObject::Scene(id) => collection.scene(id).is_some(),
        RenamedObject::Item(id) => place_of(shown, id).is_some(),
    };
    let ended = draft.naming.take_if(|(named, _)| !has_row(*named));
    if let Some((RenamedObject::Item(id), name)) = ended
        && collection.item(id).is_some()
    {
        view.send(Command::Edit(renamed(collection, id, name)));
    }
}

/// Returns the edit that renames an item. If the item is the only one that shows its source, the
/// source is renamed, so that all messages use the new name. Otherwise, the item gets its own name.
fn renamed(collection: &Collection, id: ItemId, name: String) -> Edit {
    let own = Edit::RenameItem(id, name.clone());
    let Some(item) = collection.item(id) else { return own };
    let Content::Source(source) = item.content else { return own };
    let mut shown = 0;
    collection.each(|it| shown += usize::from(it.content == item.content));
    if source == MAIN_SOURCE || shown > 1 || name.trim().is_empty() {
        return own;
    }
    let rename = Edit::RenameSource(source, name);
    if item.name.is_empty() {
        return rename;
    }
    // Otherwise the item's own name would remain.
    Edit::Several(vec![rename, Edit::RenameItem(id, String::new())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renaming_the_only_item_of_a_source_renames_the_source() {
        let mut it = Collection::default();
        let scene = it.current;
        let choice = crate::capture::VideoChoice::Test;
        assert!(it.apply(&Edit::AddSource { scene, name: "Test pattern".into(), choice }));
        let (main, id, source) = (ItemId(1), ItemId(2), crate::compose::scene::SourceId(1));
        let rename = |it: &mut Collection, id, name: &str| {
            let edit = renamed(it, id, name.into());
            assert!(it.apply(&edit), "{edit:?}");
        };
        rename(&mut it, id, "Guest");
        assert_eq!((it.source_name(source), &*it.item(id).unwrap().name), ("Guest", ""));
        // The main video source has no name, so its item is renamed.
        rename(&mut it, main, "Me");
        assert_eq!(it.item(main).unwrap().name, "Me");
        // If a source is shown twice, each item has its own name, and the source keeps its name.
        assert!(it.apply(&Edit::ShowSource { scene, source }));
        rename(&mut it, ItemId(3), "Guest, small");
        assert_eq!(
            (it.source_name(source), &*it.item(ItemId(3)).unwrap().name),
            ("Guest", "Guest, small")
        );
        rename(&mut it, id, "Guest, large");
        assert!(it.apply(&Edit::RemoveItem(ItemId(3))));
        // Once only one item shows the source, renaming the item renames the source.
        rename(&mut it, id, "Ada");
        assert_eq!((it.source_name(source), &*it.item(id).unwrap().name), ("Ada", ""));
    }
}
