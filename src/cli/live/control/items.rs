//! Parses `--control` lines about items of scenes: hiding, locking, ordering and placing them.

use toml::{Table, Value};

use crate::cli::control::split;
use crate::compose::scene::{Item, ItemId, ItemTransition, Scene};
use crate::studio::settings::scenes::amounts;
use crate::studio::settings::scenes::collection::item_transition_of;
use crate::studio::{Collection, Command, Edit};
use crate::text::Problem;
use crate::text::problem::problem;

/// The syntax of these lines.
const ITEM_SYNTAX: &str = "item hide|show|lock|unlock|up|down|top|bottom [ITEM] · \
                     item show-by|hide-by [ITEM:] KIND [MS] (fade, slide-left, slide-right, \
                     slide-top, slide-bottom, none) · \
                     item place [ITEM:] NAME=VALUE … (x, y, width, height, fit, rotation, crop, \
                     flip_x, flip_y, opacity, blend)";

/// A change of an item.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Hide(bool),
    Lock(bool),
    Up,
    Down,
    Top,
    Bottom,
    /// Sets how the item appears.
    ShowBy(Option<ItemTransition>),
    /// Sets how the item disappears.
    HideBy(Option<ItemTransition>),
    /// Changes placement values, which have the names of settings files.
    Place(Table),
}

/// Parses `hide My logo`, `place My logo: x=0.5 width=0.25`. Returns the item's name and the
/// change.
///
/// # Errors
/// Fails with a sentence that shows the syntax.
pub fn parse(text: &str) -> Result<(String, Change), Problem> {
    let (word, rest) = split(text);
    let change = match word {
        "hide" => Change::Hide(true),
        "show" => Change::Hide(false),
        "lock" => Change::Lock(true),
        "unlock" => Change::Lock(false),
        "up" => Change::Up,
        "down" => Change::Down,
        "top" => Change::Top,
        "bottom" => Change::Bottom,
        "show-by" | "hide-by" => {
            let (name, kind) = rest.rsplit_once(": ").unwrap_or(("", rest));
            let unknown = || problem!("control-write", syntax = ITEM_SYNTAX);
            let kind = Some(kind.trim()).filter(|it| !it.is_empty());
            let kind = kind.and_then(item_transition_of).ok_or_else(unknown)?;
            let change = if word == "show-by" { Change::ShowBy } else { Change::HideBy };
            return Ok((name.trim().to_owned(), change(kind)));
        }
        "place" => {
            let (name, values) = with_values(rest)?;
            return if values.is_empty() {
                Err(problem!("control-write", syntax = ITEM_SYNTAX))
            } else {
                Ok((name, Change::Place(values)))
            };
        }
        _ => return Err(problem!("control-write", syntax = ITEM_SYNTAX)),
    };
    Ok((rest.to_owned(), change))
}

/// Parses an optional name, and values by name after a colon: `My logo: x=0.5 y=0`. If there is no
/// value, the whole text is the name.
///
/// # Errors
/// Fails with the invalid value.
pub fn with_values(text: &str) -> Result<(String, Table), Problem> {
    // A name may contain a colon, and so may a file, which comes last.
    let words = text.find(" file=").and_then(|at| text.get(..=at)).unwrap_or(text);
    let split = words.rfind(": ").map(|at| (text.get(..at), text.get(at + 2..)));
    match split {
        Some((Some(name), Some(rest))) => Ok((name.trim().to_owned(), values(rest)?)),
        _ if text.contains('=') && !text.contains(": ") => Ok((String::new(), values(text)?)),
        _ => Ok((text.trim().trim_end_matches(':').to_owned(), Table::new())),
    }
}

/// Parses `x=0.5 fit=cover crop=[0.1,0,0,0]`. A file comes last, because its name can contain
/// spaces.
fn values(text: &str) -> Result<Table, Problem> {
    let (words, file) = match text.split_once("file=") {
        Some((words, file)) if words.is_empty() || words.ends_with(' ') => (words, Some(file)),
        _ => (text, None),
    };
    let mut values = Table::new();
    for word in words.split_whitespace() {
        let (name, value) = word
            .split_once('=')
            .filter(|(name, value)| !name.is_empty() && !value.is_empty())
            .ok_or_else(|| problem!("control-write-for", text = word, syntax = "NAME=VALUE"))?;
        values.insert(name.to_owned(), value_of(value));
    }
    if let Some(file) = file {
        values.insert("file".to_owned(), Value::String(file.trim().to_owned()));
    }
    Ok(values)
}

/// Parses a value as in settings files. Anything else is a string.
fn value_of(text: &str) -> Value {
    let line = format!("value = {text}").parse::<Table>();
    let value = line.ok().and_then(|mut table| table.remove("value"));
    value.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Returns the command for a change, or `None` if nothing changes. Viewers see changes of the
/// current scene at once, also in studio mode.
///
/// # Errors
/// Fails if there is no such item, or if a value is not valid.
pub fn edit(
    name: &str,
    change: &Change,
    collection: &Collection,
) -> Result<Option<Command>, Problem> {
    let (scene, item, command) = find(name, collection)?;
    let order = |to: fn(usize, usize) -> usize| {
        let beside = beside(&scene.items, item.id);
        beside.map(|(at, count)| Edit::MoveItem(item.id, to(at, count - 1)))
    };
    let edit = match change {
        Change::Hide(hidden) => Some(Edit::HideItem(item.id, *hidden)),
        Change::Lock(locked) => Some(Edit::LockItem(item.id, *locked)),
        Change::ShowBy(it) => Some(Edit::SetShow(item.id, *it)),
        Change::HideBy(it) => Some(Edit::SetHide(item.id, *it)),
        Change::Up => order(|at, top| (at + 1).min(top)),
        Change::Down => order(|at, _| at.saturating_sub(1)),
        Change::Top => order(|_, top| top),
        Change::Bottom => order(|_, _| 0),
        Change::Place(values) => {
            let wanted = amounts::of_item(collection, item, values)?;
            let edits = [
                (wanted.place != item.place).then_some(Edit::SetPlace(item.id, wanted.place)),
                (wanted.opacity != item.opacity)
                    .then_some(Edit::SetOpacity(item.id, wanted.opacity)),
                (wanted.blend != item.blend).then_some(Edit::SetBlend(item.id, wanted.blend)),
                (wanted.hidden != item.hidden).then_some(Edit::HideItem(item.id, wanted.hidden)),
                (wanted.locked != item.locked).then_some(Edit::LockItem(item.id, wanted.locked)),
                (wanted.show != item.show).then_some(Edit::SetShow(item.id, wanted.show)),
                (wanted.hide != item.hide).then_some(Edit::SetHide(item.id, wanted.hide)),
            ];
            let edits: Vec<Edit> = edits.into_iter().flatten().collect();
            (!edits.is_empty()).then_some(Edit::Several(edits))
        }
    };
    Ok(edit.map(command))
}

/// An item with its scene, and the command that carries out its edits.
type FoundItem<'a> = (&'a Scene, &'a Item, fn(Edit) -> Command);

/// Finds an item by its name in the current scene, or by `SCENE/ITEM` in another scene.
fn find<'a>(name: &str, collection: &'a Collection) -> Result<FoundItem<'a>, Problem> {
    let in_scene = |scene: &'a Scene, name: &str, command: fn(Edit) -> Command| {
        Some((scene, collection.item_named(scene, name)?, command))
    };
    let of_another = || {
        let (scene, item) = name.split_once('/')?;
        in_scene(collection.scene_named(scene.trim())?, item.trim(), Command::Edit)
    };
    let current = collection.program_scene();
    current
        .and_then(|scene| in_scene(scene, name, Command::EditProgram))
        .or_else(of_another)
        .ok_or_else(|| problem!("control-no-item-anywhere", name = name))
}

/// Returns the position of an item among its siblings, counted from the bottom, and the number of
/// siblings.
fn beside(items: &[Item], id: ItemId) -> Option<(usize, usize)> {
    let at = items.iter().position(|item| item.id == id);
    let within = || items.iter().find_map(|item| beside(item.members(), id));
    at.map(|at| (at, items.len())).or_else(within)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::capture::VideoChoice;

    #[test]
    fn lines_are_changes_of_items() {
        let of = |line: &str| parse(line).unwrap();
        assert_eq!(of("hide My logo"), ("My logo".into(), Change::Hide(true)));
        assert_eq!(
            (of("show"), of("top A").1),
            ((String::new(), Change::Hide(false)), Change::Top)
        );
        let (name, Change::Place(values)) = of("place My: logo: x=0.5 fit=cover crop=[0.1,0,0,0]")
        else {
            panic!("no place")
        };
        assert_eq!((name.as_str(), values["x"].as_float()), ("My: logo", Some(0.5)));
        assert_eq!(values["fit"].as_str(), Some("cover"));
        assert_eq!(values["crop"].as_array().map(Vec::len), Some(4));
        assert_eq!(of("place x=1").0, "");
        for bad in ["", "move A", "place", "place A", "place A: x", "place A: =1"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let (name, values) = with_values("Face: amount=0.5 color=#00ff00 file=/a: b.cube").unwrap();
        assert_eq!((name.as_str(), values["file"].as_str()), ("Face", Some("/a: b.cube")));
        assert_eq!(values["color"].as_str(), Some("#00ff00"));
        let (name, values) = with_values("Face: file=/a b.cube").unwrap();
        assert_eq!((name.as_str(), values["file"].as_str()), ("Face", Some("/a b.cube")));
        assert_eq!(with_values("My face").unwrap(), ("My face".into(), Table::new()));
    }

    #[test]
    fn items_of_every_scene_are_found_and_changed() {
        let mut it = Collection::default();
        let first = it.current;
        let logo =
            |scene| Edit::AddSource { scene, name: "Logo".into(), choice: VideoChoice::Test };
        assert!(it.apply(&logo(first)) && it.apply(&Edit::AddScene("Break".into())));
        let other = it.scenes.last().unwrap().id;
        assert!(it.apply(&Edit::ShowSource { scene: other, source: it.sources[0].id }));
        let change = |it: &mut Collection, line: &str| {
            let (name, change) = parse(line).unwrap();
            let edit = edit(&name, &change, it).unwrap();
            match edit {
                Some(Command::Edit(edit) | Command::EditProgram(edit)) => it.apply(&edit),
                _ => false,
            }
        };
        let shown = |it: &Collection, scene| {
            it.item_named(it.scene(scene).unwrap(), "Logo").unwrap().clone()
        };
        assert!(change(&mut it, "hide Logo") && shown(&it, first).hidden);
        assert!(!shown(&it, other).hidden);
        assert!(change(&mut it, "hide Break/Logo") && shown(&it, other).hidden);
        assert!(change(&mut it, "bottom Logo"));
        assert_eq!(it.scenes[0].items[0].id, shown(&it, first).id);
        assert!(change(&mut it, "up Logo") && !change(&mut it, "up Logo"));
        assert!(change(&mut it, "place Logo: x=0.5 opacity=0.25"));
        assert_eq!((shown(&it, first).place.x, shown(&it, first).opacity), (0.5, 0.25));
        assert!(!change(&mut it, "place Logo: x=0.5"));
        let (name, place) = parse("place Logo: colour=red").unwrap();
        assert!(edit(&name, &place, &it).unwrap_err().to_string().contains("rotation"));
        assert!(edit("Nothing", &Change::Up, &it).unwrap_err().to_string().contains("SCENE/ITEM"));
    }

    #[test]
    fn lines_about_the_current_scene_change_the_program_of_studio_mode() {
        let mut it = Collection::default();
        let (scene, name) = (it.current, "Logo".to_owned());
        assert!(it.apply(&Edit::AddSource { scene, name, choice: VideoChoice::Test }));
        it.program_scenes = Some(Arc::new(it.scenes.clone()));
        let id = it.scenes[0].items[1].id;
        assert!(it.apply(&Edit::RenameItem(id, "Corner".into())));
        let hide = |name: &str| edit(name, &Change::Hide(true), &it).unwrap().unwrap();
        assert_eq!(hide("Logo"), Command::EditProgram(Edit::HideItem(id, true)));
        assert_eq!(hide("Main/Corner"), Command::Edit(Edit::HideItem(id, true)));
    }
}
