//! Scenes, groups, the program and the preview.

use serde_json::{Value, json};

use crate::call::{Call, CallResult, Failure, Outcome, RequestEntry};
use crate::compose::scene::{Scene, SceneId};
use crate::names::{group_name, groups, scene_uuid};
use crate::protocol::status;
use onair_studio::scenes::edits::Edit;
use onair_studio::{Command, Snapshot};

pub const REQUESTS: &[RequestEntry] = &[
    ("GetSceneList", list),
    ("GetGroupList", group_list),
    ("GetCurrentProgramScene", program),
    ("SetCurrentProgramScene", set_program),
    ("GetCurrentPreviewScene", preview),
    ("SetCurrentPreviewScene", set_preview),
    ("CreateScene", create),
    ("RemoveScene", remove),
    ("SetSceneName", rename),
];

/// Returns the name and UUID of a scene, or two nulls.
fn shown(studio: &Snapshot, id: Option<SceneId>) -> (Value, Value) {
    let scene = id.and_then(|id| studio.scenes.collection.scene(id));
    let name = scene.map(|scene| scene.name.as_str().into());
    let uuid = scene.map(|scene| scene_uuid(studio, scene.id).into());
    (name.unwrap_or_default(), uuid.unwrap_or_default())
}

/// Returns the scenes in the order of OBS, which numbers them from the bottom of the list.
pub fn scene_array(studio: &Snapshot) -> Value {
    let scenes = studio.scenes.collection.scenes.iter().rev().enumerate().map(|(index, scene)| {
        json!({
            "sceneName": scene.name,
            "sceneIndex": index,
            "sceneUuid": scene_uuid(studio, scene.id),
        })
    });
    scenes.collect()
}

fn list(call: &Call<'_>) -> CallResult {
    let scenes = &call.studio.scenes;
    let (program, program_uuid) = shown(call.studio, Some(scenes.collection.current));
    let (preview, preview_uuid) = shown(call.studio, scenes.preview_scene);
    Ok(Outcome::Answer(json!({
        "currentProgramSceneName": program,
        "currentProgramSceneUuid": program_uuid,
        "currentPreviewSceneName": preview,
        "currentPreviewSceneUuid": preview_uuid,
        "scenes": scene_array(call.studio),
    })))
}

fn group_list(call: &Call<'_>) -> CallResult {
    let names: Vec<String> = groups(call.studio).into_iter().map(group_name).collect();
    Ok(Outcome::Answer(json!({ "groups": names })))
}

fn program(call: &Call<'_>) -> CallResult {
    let (name, uuid) = shown(call.studio, Some(call.studio.scenes.collection.current));
    Ok(Outcome::Answer(json!({
        "sceneName": name,
        "sceneUuid": uuid,
        "currentProgramSceneName": name,
        "currentProgramSceneUuid": uuid,
    })))
}

fn set_program(call: &Call<'_>) -> CallResult {
    Ok(Outcome::command(Command::SwitchScene(call.scene()?.id)))
}

fn in_studio_mode(call: &Call<'_>) -> Result<SceneId, Failure> {
    let off = || Failure::new(status::STUDIO_MODE_NOT_ACTIVE, "Studio mode is off.");
    call.studio.scenes.preview_scene.ok_or_else(off)
}

fn preview(call: &Call<'_>) -> CallResult {
    let (name, uuid) = shown(call.studio, Some(in_studio_mode(call)?));
    Ok(Outcome::Answer(json!({
        "sceneName": name,
        "sceneUuid": uuid,
        "currentPreviewSceneName": name,
        "currentPreviewSceneUuid": uuid,
    })))
}

fn set_preview(call: &Call<'_>) -> CallResult {
    in_studio_mode(call)?;
    Ok(Outcome::command(Command::SetPreviewScene(Some(call.scene()?.id))))
}

/// Fails if there is a scene with this name.
fn check_new_name(call: &Call<'_>, name: &str) -> Result<(), Failure> {
    let is_taken = |scene: &Scene| scene.name == name;
    match call.studio.scenes.collection.scenes.iter().any(is_taken) {
        true => {
            let comment = format!("There is already a scene `{name}`.");
            Err(Failure::new(status::ALREADY_EXISTS, comment))
        }
        false => Ok(()),
    }
}

fn create(call: &Call<'_>) -> CallResult {
    let name = call.new_name("sceneName")?;
    check_new_name(call, name)?;
    let before: Vec<SceneId> =
        call.studio.scenes.collection.scenes.iter().map(|it| it.id).collect();
    let finish = move |studio: &Snapshot| {
        let mut scenes = studio.scenes.collection.scenes.iter().rev();
        let new = scenes.find(|scene| !before.contains(&scene.id));
        let lost = || Failure::new(status::ACTION_FAILED, "The scene was not created.");
        Ok(json!({ "sceneUuid": scene_uuid(studio, new.ok_or_else(lost)?.id) }))
    };
    call.edit(Edit::AddScene(name.to_owned()), Box::new(finish))
}

fn remove(call: &Call<'_>) -> CallResult {
    let scene = call.scene()?;
    if call.studio.scenes.collection.scenes.len() < 2 {
        let comment = "The last scene cannot be removed.";
        return Err(Failure::new(status::ACTION_FAILED, comment));
    }
    call.edit_only(Edit::RemoveScene(scene.id))
}

fn rename(call: &Call<'_>) -> CallResult {
    let (scene, name) = (call.scene()?, call.new_name("newSceneName")?);
    if scene.name != name {
        check_new_name(call, name)?;
    }
    call.edit_only(Edit::RenameScene(scene.id, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::call::tests::{commands, read, refused};

    fn two_scenes() -> Snapshot {
        let mut studio = Snapshot::default();
        let scenes = Arc::make_mut(&mut studio.scenes.collection);
        assert!(scenes.apply(&Edit::AddScene("Break".into())));
        studio
    }

    #[test]
    fn scenes_are_listed_from_the_bottom_and_chosen_by_name_or_uuid() {
        let studio = two_scenes();
        let list = read(REQUESTS, &studio, "GetSceneList", &Value::Null);
        assert_eq!(list["currentProgramSceneName"], "Main");
        assert_eq!(list["currentPreviewSceneName"], Value::Null);
        let names: Vec<_> = list["scenes"].as_array().unwrap().iter().collect();
        assert_eq!((&names[0]["sceneName"], &names[0]["sceneIndex"]), (&json!("Break"), &json!(0)));
        let uuid = &names[0]["sceneUuid"];
        for data in [json!({ "sceneName": "Break" }), json!({ "sceneUuid": uuid })] {
            let sent = commands(REQUESTS, &studio, "SetCurrentProgramScene", &data);
            assert_eq!(sent, [Command::SwitchScene(SceneId(2))]);
        }
        for (data, status) in [
            (json!({}), 300),
            (json!({ "sceneName": "break" }), 600),
            (json!({ "sceneName": 5 }), 401),
            (json!({ "sceneUuid": "x" }), 600),
        ] {
            assert_eq!(
                refused(REQUESTS, &studio, "SetCurrentProgramScene", &data),
                status,
                "{data}"
            );
        }
    }

    #[test]
    fn scenes_are_created_renamed_and_removed_like_in_the_window() {
        let studio = two_scenes();
        let new = json!({ "sceneName": "Talk" });
        assert_eq!(
            commands(REQUESTS, &studio, "CreateScene", &new),
            [Command::Edit(Edit::AddScene("Talk".into()))]
        );
        assert_eq!(refused(REQUESTS, &studio, "CreateScene", &json!({ "sceneName": "Main" })), 601);
        let renamed = json!({ "sceneName": "Break", "newSceneName": "Main" });
        assert_eq!(refused(REQUESTS, &studio, "SetSceneName", &renamed), 601);
        assert_eq!(
            commands(REQUESTS, &studio, "RemoveScene", &json!({ "sceneName": "Break" })),
            [Command::Edit(Edit::RemoveScene(SceneId(2)))]
        );
        let only = Snapshot::default();
        assert_eq!(refused(REQUESTS, &only, "RemoveScene", &json!({ "sceneName": "Main" })), 701);
        let preview =
            refused(REQUESTS, &only, "SetCurrentPreviewScene", &json!({ "sceneName": "Main" }));
        assert_eq!(preview, status::STUDIO_MODE_NOT_ACTIVE);
    }
}
