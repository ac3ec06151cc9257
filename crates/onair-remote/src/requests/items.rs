//! Scene items: lists, visibility, order and transforms.

use std::f64::consts::PI;

use serde_json::{Map, Value, json};

use crate::call::{Call, CallResult, Failure, Outcome, RequestEntry};
use crate::compose::scene::{Blend, Content, Fit, Item, ItemId, Placement, Scene};
use crate::names::{Input, content_name, content_uuid, inputs};
use crate::protocol::status;
use onair_studio::Snapshot;
use onair_studio::scenes::edits::Edit;

pub const REQUESTS: &[RequestEntry] = &[
    ("GetSceneItemList", list),
    ("GetGroupSceneItemList", list),
    ("GetSceneItemId", id),
    ("GetSceneItemSource", source),
    ("CreateSceneItem", create),
    ("RemoveSceneItem", remove),
    ("DuplicateSceneItem", duplicate),
    ("GetSceneItemTransform", transform),
    ("SetSceneItemTransform", set_transform),
    ("GetSceneItemEnabled", enabled),
    ("SetSceneItemEnabled", set_enabled),
    ("GetSceneItemLocked", locked),
    ("SetSceneItemLocked", set_locked),
    ("GetSceneItemIndex", index),
    ("SetSceneItemIndex", set_index),
    ("GetSceneItemBlendMode", blend),
    ("SetSceneItemBlendMode", set_blend),
];

/// How a frame fits into its box, with the names of OBS.
const BOUNDS: [(&str, Fit); 4] = [
    ("OBS_BOUNDS_SCALE_INNER", Fit::Contain),
    ("OBS_BOUNDS_SCALE_OUTER", Fit::Cover),
    ("OBS_BOUNDS_STRETCH", Fit::Stretch),
    ("OBS_BOUNDS_MAX_ONLY", Fit::Original),
];

/// The blend modes, with the names of OBS.
const BLENDS: [(&str, Blend); 7] = [
    ("OBS_BLEND_NORMAL", Blend::Normal),
    ("OBS_BLEND_ADDITIVE", Blend::Add),
    ("OBS_BLEND_SUBTRACT", Blend::Subtract),
    ("OBS_BLEND_SCREEN", Blend::Screen),
    ("OBS_BLEND_MULTIPLY", Blend::Multiply),
    ("OBS_BLEND_LIGHTEN", Blend::Lighten),
    ("OBS_BLEND_DARKEN", Blend::Darken),
];

/// The alignment of OBS whose position is the top left corner: bits for left and top.
const TOP_LEFT: u64 = 1 | 4;

/// The width and height of the program in pixels.
fn canvas(studio: &Snapshot) -> (f64, f64) {
    let size = studio.quality.size;
    (f64::from(size.width), f64::from(size.height))
}

/// Returns the size of an item's content in pixels; scenes and groups are as large as the program.
fn content_size(studio: &Snapshot, item: &Item) -> (f64, f64) {
    match item.content {
        Content::Source(id) => {
            let size = studio.scenes.source(id).and_then(|it| it.size);
            size.map_or((0.0, 0.0), |size| (f64::from(size.width), f64::from(size.height)))
        }
        Content::Scene(_) | Content::Group(_) => canvas(studio),
    }
}

/// Returns the offset from the center of a box to the point of this alignment, after rotation.
fn offset((width, height): (f64, f64), rotation: f64, alignment: u64) -> (f64, f64) {
    let side = |low: u64, high: u64, length: f64| match alignment {
        it if it & low != 0 => -length / 2.0,
        it if it & high != 0 => length / 2.0,
        _ => 0.0,
    };
    let (x, y) = (side(1, 2, width), side(4, 8, height));
    let (sin, cos) = (rotation * PI / 180.0).sin_cos();
    (x * cos - y * sin, x * sin + y * cos)
}

/// Returns the transform of an item in the form of OBS, which counts in pixels.
pub fn transform_of(studio: &Snapshot, item: &Item) -> Value {
    let (place, (across, down)) = (item.place, canvas(studio));
    let (width, height) = (place.width * across, place.height * down);
    let (source_width, source_height) = content_size(studio, item);
    let center = (place.x * across + width / 2.0, place.y * down + height / 2.0);
    let corner = offset((width, height), place.rotation, TOP_LEFT);
    let scale = |length: f64, source: f64, flipped: bool| {
        let scale = if source > 0.0 { length / source } else { 1.0 };
        if flipped { -scale } else { scale }
    };
    let bounds = BOUNDS.iter().find(|(_, fit)| *fit == place.fit).map(|(name, _)| name);
    // Clients refuse parts of pixels here.
    let crop = |share: f64, length: f64| (share * length).round() as u32;
    json!({
        "sourceWidth": source_width,
        "sourceHeight": source_height,
        "positionX": center.0 + corner.0,
        "positionY": center.1 + corner.1,
        "rotation": place.rotation,
        "scaleX": scale(width, source_width, place.flip_x),
        "scaleY": scale(height, source_height, place.flip_y),
        "width": width,
        "height": height,
        "alignment": TOP_LEFT,
        "boundsType": bounds,
        "boundsAlignment": 0,
        "boundsWidth": width,
        "boundsHeight": height,
        "cropToBounds": place.fit == Fit::Cover,
        "cropLeft": crop(place.crop.left, source_width),
        "cropTop": crop(place.crop.top, source_height),
        "cropRight": crop(place.crop.right, source_width),
        "cropBottom": crop(place.crop.bottom, source_height),
    })
}

/// Returns the name of an item's blend mode.
fn blend_name(item: &Item) -> &'static str {
    BLENDS.iter().find(|(_, blend)| *blend == item.blend).map_or("", |(name, _)| name)
}

/// Returns the name, UUID and kind of an item's content, and whether it is a group.
fn content(studio: &Snapshot, inputs: &[Input], item: &Item) -> (String, Value, Value, Value) {
    let name = content_name(studio, inputs, item);
    let uuid = content_uuid(studio, inputs, item);
    let (kind, is_group) = match item.content {
        Content::Source(id) => {
            let input = inputs.iter().find(|input| input.source == Some(id));
            (input.map(|input| input.kind.into()).unwrap_or_default(), Value::Null)
        }
        Content::Scene(_) => (Value::Null, false.into()),
        Content::Group(_) => (Value::Null, true.into()),
    };
    (name, uuid, kind, is_group)
}

/// Returns items in the form of OBS, the lowest first.
pub fn item_array(studio: &Snapshot, items: &[Item]) -> Value {
    let inputs = inputs(studio);
    let items = items.iter().enumerate().map(|(index, item)| {
        let (name, uuid, kind, is_group) = content(studio, &inputs, item);
        let of = if kind.is_null() { "OBS_SOURCE_TYPE_SCENE" } else { "OBS_SOURCE_TYPE_INPUT" };
        json!({
            "sceneItemId": item.id.0,
            "sceneItemIndex": index,
            "sceneItemEnabled": !item.hidden,
            "sceneItemLocked": item.locked,
            "sceneItemTransform": transform_of(studio, item),
            "sceneItemBlendMode": blend_name(item),
            "sourceName": name,
            "sourceUuid": uuid,
            "sourceType": of,
            "inputKind": kind,
            "isGroup": is_group,
        })
    });
    items.collect()
}

fn list(call: &Call<'_>) -> CallResult {
    let items = item_array(call.studio, call.item_list()?.items);
    Ok(Outcome::Answer(json!({ "sceneItems": items })))
}

fn id(call: &Call<'_>) -> CallResult {
    let (list, name) = (call.item_list()?, call.text("sourceName")?);
    let skip = call.optional_number("searchOffset", (-1.0, 10_000.0))?.unwrap_or(0.0);
    let inputs = inputs(call.studio);
    let mut fits =
        list.items.iter().filter(|item| content_name(call.studio, &inputs, item) == name);
    // A negative offset means the topmost item.
    let found = if skip < 0.0 { fits.next_back() } else { fits.nth(skip as usize) };
    let found = found.ok_or_else(|| Failure::not_found("item of the source", name))?;
    Ok(Outcome::Answer(json!({ "sceneItemId": found.id.0 })))
}

fn source(call: &Call<'_>) -> CallResult {
    let (_, _, item) = call.item()?;
    let (name, uuid, ..) = content(call.studio, &inputs(call.studio), item);
    Ok(Outcome::Answer(json!({ "sourceName": name, "sourceUuid": uuid })))
}

/// Returns the ids of all items of a scene.
fn ids(scene: &Scene) -> Vec<ItemId> {
    fn walk(items: &[Item], found: &mut Vec<ItemId>) {
        for item in items {
            found.push(item.id);
            walk(item.members(), found);
        }
    }
    let mut found = Vec::new();
    walk(&scene.items, &mut found);
    found
}

/// Executes an edit that adds an item to a scene. The answer contains the id of the item.
pub fn add(call: &Call<'_>, scene: &Scene, edit: Edit, more: Value) -> CallResult {
    let (id, before) = (scene.id, ids(scene));
    let finish = move |studio: &Snapshot| {
        let lost = || Failure::new(status::ACTION_FAILED, "The item was not created.");
        let scene = studio.scenes.collection.scene(id).ok_or_else(lost)?;
        let new = ids(scene).into_iter().filter(|id| !before.contains(id)).max();
        let mut answer = json!({ "sceneItemId": new.ok_or_else(lost)?.0 });
        if let (Value::Object(answer), Value::Object(more)) = (&mut answer, more) {
            answer.extend(more);
        }
        Ok(answer)
    };
    call.edit(edit, Box::new(finish))
}

fn create(call: &Call<'_>) -> CallResult {
    let scene = call.scene()?;
    let edit = match call.scene_in("sourceName", "sourceUuid") {
        Ok(shown) => {
            if call.studio.scenes.collection.reaches(shown.id, scene.id) {
                let comment = "A scene cannot show itself.";
                return Err(Failure::new(status::CANNOT_ACT, comment));
            }
            Edit::ShowScene { scene: scene.id, shown: shown.id }
        }
        Err(_) => {
            let input = call.input_in("sourceName", "sourceUuid")?;
            let audio = || Failure::new(status::CANNOT_ACT, "The input has only audio.");
            Edit::ShowSource { scene: scene.id, source: input.source.ok_or_else(audio)? }
        }
    };
    let is_shown = call.optional_flag("sceneItemEnabled")?.unwrap_or(true);
    if is_shown {
        return add(call, scene, edit, Value::Null);
    }
    let mut copy = onair_studio::Collection::clone(&call.studio.scenes.collection);
    copy.apply(&edit);
    let new = copy.scene(scene.id).and_then(|scene| scene.items.last()).map(|item| item.id);
    let hide = new.map(|id| Edit::HideItem(id, true));
    add(call, scene, Edit::Several(std::iter::once(edit).chain(hide).collect()), Value::Null)
}

fn remove(call: &Call<'_>) -> CallResult {
    call.edit_only(Edit::RemoveItem(call.item()?.2.id))
}

fn duplicate(call: &Call<'_>) -> CallResult {
    let (list, _, item) = call.item()?;
    let other = match call.field("destinationSceneName").or(call.field("destinationSceneUuid")) {
        Some(_) => call.scene_in("destinationSceneName", "destinationSceneUuid")?,
        None => list.scene,
    };
    if other.id == list.scene.id {
        return add(call, list.scene, Edit::DuplicateItem(item.id), Value::Null);
    }
    match item.content {
        Content::Source(source) => {
            add(call, other, Edit::ShowSource { scene: other.id, source }, Value::Null)
        }
        Content::Scene(shown) => {
            add(call, other, Edit::ShowScene { scene: other.id, shown }, Value::Null)
        }
        Content::Group(_) => {
            let comment = "A group can only be duplicated within its scene.";
            Err(Failure::new(status::CANNOT_ACT, comment))
        }
    }
}

fn transform(call: &Call<'_>) -> CallResult {
    let (_, _, item) = call.item()?;
    Ok(Outcome::Answer(json!({ "sceneItemTransform": transform_of(call.studio, item) })))
}

/// The longest distance and length in pixels.
const MAX_PIXELS: f64 = 90_001.0;

fn set_transform(call: &Call<'_>) -> CallResult {
    let (_, _, item) = call.item()?;
    let place = moved(call, item, call.object("sceneItemTransform")?)?;
    call.edit_only(Edit::SetPlace(item.id, place))
}

/// Returns the placement of an item with these changes.
fn moved(call: &Call<'_>, item: &Item, change: &Map<String, Value>) -> Result<Placement, Failure> {
    let call = Call { data: change, ..*call };
    let (mut place, (across, down)) = (item.place, canvas(call.studio));
    let (source_width, source_height) = content_size(call.studio, item);
    let length = |name: &str| call.optional_number(name, (0.0, MAX_PIXELS));
    let (was_width, was_height) = (place.width * across, place.height * down);
    let (mut width, mut height) = (was_width, was_height);
    let center = (place.x * across + width / 2.0, place.y * down + height / 2.0);
    // The point that stays where it is, unless it is moved.
    let corner = offset((width, height), place.rotation, TOP_LEFT);
    let (mut x, mut y) = (center.0 + corner.0, center.1 + corner.1);
    if let Some(degrees) = call.optional_number("rotation", (-360.0, 360.0))? {
        place.rotation = degrees.rem_euclid(360.0);
    }
    for (name, source, length, flip) in [
        ("scaleX", source_width, &mut width, &mut place.flip_x),
        ("scaleY", source_height, &mut height, &mut place.flip_y),
    ] {
        if let Some(scale) = call.optional_number(name, (-MAX_PIXELS, MAX_PIXELS))? {
            *flip = scale < 0.0;
            if source > 0.0 && scale != 0.0 {
                *length = source * scale.abs();
            }
        }
    }
    if let Some(bounds) = call.optional_text("boundsType")?
        && bounds != "OBS_BOUNDS_NONE"
    {
        let known = BOUNDS.iter().find(|(name, _)| *name == bounds).map(|(_, fit)| *fit);
        place.fit = match (known, bounds) {
            (Some(fit), _) => fit,
            (None, "OBS_BOUNDS_SCALE_TO_WIDTH" | "OBS_BOUNDS_SCALE_TO_HEIGHT") => Fit::Contain,
            (None, _) => {
                let comment = "The field `boundsType` has an unknown value.";
                return Err(Failure::new(status::INVALID_FIELD, comment));
            }
        };
    }
    width = length("boundsWidth")?.filter(|it| *it > 0.0).unwrap_or(width);
    height = length("boundsHeight")?.filter(|it| *it > 0.0).unwrap_or(height);
    let at = |name: &str| call.optional_number(name, (-MAX_PIXELS, MAX_PIXELS));
    (x, y) = (at("positionX")?.unwrap_or(x), at("positionY")?.unwrap_or(y));
    let alignment = call.optional_number("alignment", (0.0, 15.0))?;
    let alignment = alignment.map_or(TOP_LEFT, |it| it as u64);
    let point = offset((width, height), place.rotation, alignment);
    (place.width, place.height) = (width / across, height / down);
    place.x = (x - point.0 - width / 2.0) / across;
    place.y = (y - point.1 - height / 2.0) / down;
    for (name, source, side) in [
        ("cropLeft", source_width, &mut place.crop.left),
        ("cropRight", source_width, &mut place.crop.right),
        ("cropTop", source_height, &mut place.crop.top),
        ("cropBottom", source_height, &mut place.crop.bottom),
    ] {
        if let Some(pixels) = length(name)?
            && source > 0.0
        {
            *side = pixels / source;
        }
    }
    Ok(place.bounded())
}

fn enabled(call: &Call<'_>) -> CallResult {
    Ok(Outcome::Answer(json!({ "sceneItemEnabled": !call.item()?.2.hidden })))
}

fn set_enabled(call: &Call<'_>) -> CallResult {
    let id = call.item()?.2.id;
    call.edit_only(Edit::HideItem(id, !call.flag("sceneItemEnabled")?))
}

fn locked(call: &Call<'_>) -> CallResult {
    Ok(Outcome::Answer(json!({ "sceneItemLocked": call.item()?.2.locked })))
}

fn set_locked(call: &Call<'_>) -> CallResult {
    let id = call.item()?.2.id;
    call.edit_only(Edit::LockItem(id, call.flag("sceneItemLocked")?))
}

fn index(call: &Call<'_>) -> CallResult {
    Ok(Outcome::Answer(json!({ "sceneItemIndex": call.item()?.1 })))
}

fn set_index(call: &Call<'_>) -> CallResult {
    let (list, _, item) = call.item()?;
    let index = call.index("sceneItemIndex")?;
    if index >= list.items.len() as u64 {
        let comment = format!("The scene has {} items.", list.items.len());
        return Err(Failure::new(status::OUT_OF_RANGE, comment));
    }
    call.edit_only(Edit::MoveItem(item.id, index as usize))
}

fn blend(call: &Call<'_>) -> CallResult {
    Ok(Outcome::Answer(json!({ "sceneItemBlendMode": blend_name(call.item()?.2) })))
}

fn set_blend(call: &Call<'_>) -> CallResult {
    let (id, wanted) = (call.item()?.2.id, call.text("sceneItemBlendMode")?);
    let known = BLENDS.iter().find(|(name, _)| *name == wanted);
    let unknown = || Failure::new(status::INVALID_FIELD, "The blend mode is unknown.");
    call.edit_only(Edit::SetBlend(id, known.ok_or_else(unknown)?.1))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::call::tests::{commands, read, refused};
    use crate::capture::VideoChoice;
    use crate::compose::scene::SceneId;
    use onair_base::media::Size;
    use onair_studio::Command;
    use onair_studio::snapshot::{SceneSource, SourceState};

    /// Returns a studio with a logo of 640x360 in front of the main source.
    fn with_logo() -> Snapshot {
        let mut studio = Snapshot::default();
        let edit = Edit::AddSource {
            scene: SceneId(1),
            name: "Logo".into(),
            choice: VideoChoice::Image("logo.png".into()),
        };
        let scenes = Arc::make_mut(&mut studio.scenes.collection);
        assert!(scenes.apply(&edit));
        let id = scenes.sources[0].id;
        let size = Some(Size::new(640, 360));
        studio.scenes.sources.push(SceneSource {
            id,
            state: SourceState::Open,
            name: String::new(),
            size,
            frame_size: size,
            reason: Default::default(),
            playing: None,
            left_out: Arc::default(),
            filter_problems: Vec::new(),
            device: String::new(),
        });
        studio
    }

    fn place_after(studio: &Snapshot, change: &Value) -> Placement {
        let data = json!({ "sceneName": "Main", "sceneItemId": 2, "sceneItemTransform": change });
        match commands(REQUESTS, studio, "SetSceneItemTransform", &data).as_slice() {
            [Command::Edit(Edit::SetPlace(ItemId(2), place))] => *place,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn items_are_found_by_their_source_and_listed_from_the_bottom() {
        let studio = with_logo();
        let list = read(REQUESTS, &studio, "GetSceneItemList", &json!({ "sceneName": "Main" }));
        let logo = &list["sceneItems"][1];
        assert_eq!((&logo["sourceName"], &logo["sceneItemId"]), (&json!("Logo"), &json!(2)));
        assert_eq!(logo["inputKind"], "image_source");
        let asked = json!({ "sceneName": "Main", "sourceName": "Logo" });
        assert_eq!(read(REQUESTS, &studio, "GetSceneItemId", &asked), json!({ "sceneItemId": 2 }));
        let of = json!({ "sceneName": "Main", "sceneItemId": 2 });
        assert_eq!(read(REQUESTS, &studio, "GetSceneItemSource", &of)["sourceName"], "Logo");
        assert_eq!(read(REQUESTS, &studio, "GetSceneItemIndex", &of)["sceneItemIndex"], 1);
        let missing = json!({ "sceneName": "Main", "sceneItemId": 9 });
        assert_eq!(refused(REQUESTS, &studio, "GetSceneItemIndex", &missing), 600);
        let beyond = json!({ "sceneName": "Main", "sceneItemId": 2, "sceneItemIndex": 2 });
        assert_eq!(refused(REQUESTS, &studio, "SetSceneItemIndex", &beyond), 402);
    }

    #[test]
    fn a_transform_that_was_read_can_be_set_again() {
        let mut studio = with_logo();
        let place = Placement {
            x: 0.25,
            y: 0.5,
            width: 0.5,
            height: 0.25,
            rotation: 30.0,
            fit: Fit::Stretch,
            flip_x: true,
            ..Placement::default()
        };
        Arc::make_mut(&mut studio.scenes.collection).scenes[0].items[1].place = place;
        let data = json!({ "sceneName": "Main", "sceneItemId": 2 });
        let read = read(REQUESTS, &studio, "GetSceneItemTransform", &data);
        assert!(read["sceneItemTransform"]["cropLeft"].is_u64(), "no part of a pixel");
        let mut change = read["sceneItemTransform"].clone();
        // One value changes, so that the edit has an effect.
        change["cropLeft"] = 64.into();
        let again = place_after(&studio, &change);
        assert!((again.crop.left - 0.1).abs() < 1e-9);
        for (one, other) in
            [(again.x, 0.25), (again.y, 0.5), (again.width, 0.5), (again.height, 0.25)]
        {
            assert!((one - other).abs() < 1e-9, "{again:?}");
        }
        assert_eq!((again.rotation, again.fit, again.flip_x), (30.0, Fit::Stretch, true));
    }

    #[test]
    fn positions_and_scales_are_pixels_of_the_program() {
        let studio = with_logo();
        let moved = place_after(&studio, &json!({ "positionX": 320, "positionY": 180 }));
        assert_eq!((moved.x, moved.y, moved.width), (0.25, 0.25, 1.0));
        let scaled = place_after(&studio, &json!({ "scaleX": -1.0, "scaleY": 0.5 }));
        assert_eq!((scaled.width, scaled.height, scaled.flip_x), (0.5, 0.25, true));
        let centered = place_after(
            &studio,
            &json!({ "positionX": 640, "positionY": 360, "alignment": 0, "boundsWidth": 640,
                     "boundsHeight": 360, "boundsType": "OBS_BOUNDS_STRETCH" }),
        );
        assert_eq!((centered.x, centered.y, centered.fit), (0.25, 0.25, Fit::Stretch));
        for wrong in [json!({ "positionX": "left" }), json!({ "rotation": 1e9 })] {
            let data =
                json!({ "sceneName": "Main", "sceneItemId": 2, "sceneItemTransform": wrong });
            assert!([401, 402].contains(&refused(
                REQUESTS,
                &studio,
                "SetSceneItemTransform",
                &data
            )));
        }
    }

    #[test]
    fn changes_of_items_are_the_edits_of_the_window() {
        let studio = with_logo();
        let with = |name: &str, value: Value| {
            let mut data = json!({ "sceneName": "Main", "sceneItemId": 2 });
            data[name] = value;
            data
        };
        for (name, data, edit) in [
            (
                "SetSceneItemEnabled",
                with("sceneItemEnabled", false.into()),
                Edit::HideItem(ItemId(2), true),
            ),
            (
                "SetSceneItemLocked",
                with("sceneItemLocked", true.into()),
                Edit::LockItem(ItemId(2), true),
            ),
            ("SetSceneItemIndex", with("sceneItemIndex", 0.into()), Edit::MoveItem(ItemId(2), 0)),
            (
                "SetSceneItemBlendMode",
                with("sceneItemBlendMode", "OBS_BLEND_SCREEN".into()),
                Edit::SetBlend(ItemId(2), Blend::Screen),
            ),
            ("RemoveSceneItem", with("x", Value::Null), Edit::RemoveItem(ItemId(2))),
            ("DuplicateSceneItem", with("x", Value::Null), Edit::DuplicateItem(ItemId(2))),
        ] {
            assert_eq!(commands(REQUESTS, &studio, name, &data), [Command::Edit(edit)], "{name}");
        }
        let itself = json!({ "sceneName": "Main", "sourceName": "Main" });
        assert_eq!(refused(REQUESTS, &studio, "CreateSceneItem", &itself), 703);
    }
}
