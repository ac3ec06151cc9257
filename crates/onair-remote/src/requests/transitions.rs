//! Transitions. OBS has a list of transitions with names; onair has kinds, each of which is one
//! entry of that list.

use std::time::Duration;

use serde_json::{Value, json};

use crate::call::{Call, CallResult, Failure, Outcome, RequestEntry, set};
use crate::compose::transition::{Easing, Kind, Side, Transition, Wipe};
use crate::names::transition_uuid;
use crate::protocol::status;
use onair_studio::scenes::edits::Edit;
use onair_studio::{Command, Snapshot};

pub const REQUESTS: &[RequestEntry] = &[
    ("GetTransitionKindList", kinds),
    ("GetSceneTransitionList", list),
    ("GetCurrentSceneTransition", current),
    ("SetCurrentSceneTransition", set_current),
    ("SetCurrentSceneTransitionDuration", set_duration),
    ("GetSceneSceneTransitionOverride", scene_transition),
    ("SetSceneSceneTransitionOverride", set_scene_transition),
    ("TriggerStudioModeTransition", take),
    ("SetTBarPosition", set_t_bar),
];

/// The limits of a duration in milliseconds.
const DURATION_RANGE_MILLIS: (f64, f64) = (50.0, 20_000.0);

/// The names and kinds of transitions, with the names of OBS. A stinger is only listed while it is
/// chosen, because it needs a file.
const KINDS: [(&str, &str); 8] = [
    ("Cut", "cut_transition"),
    ("Fade", "fade_transition"),
    ("Fade to Color", "fade_to_color_transition"),
    ("Slide", "slide_transition"),
    ("Swipe", "swipe_transition"),
    ("Luma Wipe", "wipe_transition"),
    ("Stinger", "obs_stinger_transition"),
    ("Move", "move_transition"),
];

fn place(kind: &Kind) -> usize {
    match kind {
        Kind::Cut => 0,
        Kind::Fade => 1,
        Kind::FadeColor(_) => 2,
        Kind::Slide(_) => 3,
        Kind::Swipe(_) => 4,
        Kind::Luma(_) => 5,
        Kind::Stinger(_) => 6,
        Kind::Move(_) => 7,
    }
}

/// Returns the name and UUID of a transition.
pub fn transition_name(studio: &Snapshot, transition: &Transition) -> (&'static str, String) {
    let place = place(&transition.kind);
    let name = KINDS.get(place).map_or("", |(name, _)| name);
    (name, transition_uuid(studio, place as u32))
}

fn kinds(_: &Call<'_>) -> CallResult {
    let kinds: Vec<&str> = KINDS.iter().map(|(_, kind)| *kind).collect();
    Ok(Outcome::Answer(json!({ "transitionKinds": kinds })))
}

/// Returns the form of a transition in lists.
fn entry(studio: &Snapshot, place: usize, (name, kind): (&str, &str)) -> Value {
    json!({
        "transitionName": name,
        "transitionUuid": transition_uuid(studio, place as u32),
        "transitionKind": kind,
        "transitionFixed": place == 0 || name == "Stinger",
        "transitionConfigurable": false,
    })
}

fn list(call: &Call<'_>) -> CallResult {
    let transition = &call.studio.scenes.collection.transition;
    let (name, uuid) = transition_name(call.studio, transition);
    let is_listed = |(place, _): &(usize, &(&str, &str))| {
        *place != 6 || matches!(transition.kind, Kind::Stinger(_))
    };
    let all = KINDS.iter().enumerate().filter(is_listed);
    let all: Vec<Value> = all.map(|(place, of)| entry(call.studio, place, *of)).collect();
    Ok(Outcome::Answer(json!({
        "currentSceneTransitionName": name,
        "currentSceneTransitionUuid": uuid,
        "currentSceneTransitionKind": KINDS.get(place(&transition.kind)).map(|(_, kind)| kind),
        "transitions": all,
    })))
}

/// Returns the duration of a transition, unless it is fixed.
pub fn duration_of(transition: &Transition) -> Value {
    match transition.kind {
        Kind::Cut | Kind::Stinger(_) => Value::Null,
        _ => (transition.duration.as_millis() as u64).into(),
    }
}

fn current(call: &Call<'_>) -> CallResult {
    let transition = &call.studio.scenes.collection.transition;
    let place = place(&transition.kind);
    let mut answer = entry(call.studio, place, KINDS.get(place).copied().unwrap_or_default());
    set(&mut answer, "transitionDuration", duration_of(transition));
    set(&mut answer, "transitionSettings", json!({}));
    Ok(Outcome::Answer(answer))
}

/// Returns the kind with this name. The settings of the present kind stay.
fn kind_named(call: &Call<'_>, name: &str, present: &Transition) -> Result<Kind, Failure> {
    let default = &call.studio.scenes.collection.transition;
    if let Some(same) = [present, default]
        .into_iter()
        .find(|transition| transition_name(call.studio, transition).0 == name)
    {
        return Ok(same.kind.clone());
    }
    match name {
        "Cut" => Ok(Kind::Cut),
        "Fade" => Ok(Kind::Fade),
        "Move" => Ok(Kind::Move(Easing::default())),
        "Fade to Color" => Ok(Kind::FadeColor([0; 3])),
        "Slide" => Ok(Kind::Slide(Side::default())),
        "Swipe" => Ok(Kind::Swipe(Side::default())),
        "Luma Wipe" => Ok(Kind::Luma(Wipe::default())),
        _ => Err(Failure::not_found("transition", name)),
    }
}

fn set_current(call: &Call<'_>) -> CallResult {
    let now = &call.studio.scenes.collection.transition;
    let kind = kind_named(call, call.text("transitionName")?, now)?;
    call.edit_only(Edit::SetTransition(Transition { kind, ..now.clone() }))
}

fn duration(call: &Call<'_>) -> Result<Option<Duration>, Failure> {
    let millis = call.optional_number("transitionDuration", DURATION_RANGE_MILLIS)?;
    Ok(millis.map(|millis| Duration::from_millis(millis as u64)))
}

fn set_duration(call: &Call<'_>) -> CallResult {
    let missing =
        || Failure::new(status::MISSING_FIELD, "The field `transitionDuration` is missing.");
    let duration = duration(call)?.ok_or_else(missing)?;
    let now = call.studio.scenes.collection.transition.clone();
    call.edit_only(Edit::SetTransition(Transition { duration, ..now }))
}

fn scene_transition(call: &Call<'_>) -> CallResult {
    let own = call.studio.scenes.collection.own_transitions.get(&call.scene()?.id);
    Ok(Outcome::Answer(json!({
        "transitionName": own.map(|own| transition_name(call.studio, own).0),
        "transitionDuration": own.map(duration_of),
    })))
}

fn set_scene_transition(call: &Call<'_>) -> CallResult {
    let (scene, collection) = (call.scene()?, &call.studio.scenes.collection);
    let own = collection.own_transitions.get(&scene.id);
    let now = own.unwrap_or(&collection.transition);
    let is_removed = call.data.get("transitionName").is_some_and(Value::is_null);
    let wanted = match (call.optional_text("transitionName")?, duration(call)?) {
        (None, None) => None,
        (None, Some(_)) if is_removed => None,
        (name, duration) => {
            let kind = name.map(|name| kind_named(call, name, now)).transpose()?;
            Some(Transition {
                kind: kind.unwrap_or_else(|| now.kind.clone()),
                duration: duration.unwrap_or(now.duration),
            })
        }
    };
    call.edit_only(Edit::SetSceneTransition(scene.id, wanted))
}

pub fn take(call: &Call<'_>) -> CallResult {
    if call.studio.scenes.preview_scene.is_none() {
        return Err(Failure::new(status::STUDIO_MODE_NOT_ACTIVE, "Studio mode is off."));
    }
    Ok(Outcome::command(Command::Transition))
}

/// Moves the T-bar. Like the handle in the window, a bar that is released near an end goes there.
pub fn set_t_bar(call: &Call<'_>) -> CallResult {
    const CATCH: f64 = 0.03;
    if call.studio.scenes.preview_scene.is_none() {
        return Err(Failure::new(status::STUDIO_MODE_NOT_ACTIVE, "Studio mode is off."));
    }
    let position = call.number("position", (0.0, 1.0))?;
    let is_released = call.optional_flag("release")?.unwrap_or(true);
    let position = match position {
        it if is_released && it <= CATCH => 0.0,
        it if is_released && it >= 1.0 - CATCH => 1.0,
        it => it,
    };
    Ok(Outcome::command(Command::TBar(position as f32)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::tests::{commands, read, refused};
    use crate::compose::scene::SceneId;

    #[test]
    fn kinds_are_the_transitions_and_keep_their_duration() {
        let studio = Snapshot::default();
        let list = read(REQUESTS, &studio, "GetSceneTransitionList", &Value::Null);
        assert_eq!(list["currentSceneTransitionName"], "Fade");
        assert_eq!(list["transitions"].as_array().unwrap().len(), 7, "no stinger");
        let current = read(REQUESTS, &studio, "GetCurrentSceneTransition", &Value::Null);
        assert_eq!(current["transitionDuration"], 300);
        let sent = commands(
            REQUESTS,
            &studio,
            "SetCurrentSceneTransition",
            &json!({ "transitionName": "Slide" }),
        );
        let duration = Duration::from_millis(300);
        let slide = Transition { kind: Kind::Slide(Side::Right), duration };
        assert_eq!(sent, [Command::Edit(Edit::SetTransition(slide))]);
        let wrong = json!({ "transitionName": "Explosion" });
        assert_eq!(refused(REQUESTS, &studio, "SetCurrentSceneTransition", &wrong), 600);
        let short = json!({ "transitionDuration": 49 });
        assert_eq!(refused(REQUESTS, &studio, "SetCurrentSceneTransitionDuration", &short), 402);
        assert_eq!(refused(REQUESTS, &studio, "TriggerStudioModeTransition", &Value::Null), 506);
    }

    #[test]
    fn a_scene_gets_its_own_transition_and_loses_it() {
        let studio = Snapshot::default();
        let own = json!({ "sceneName": "Main", "transitionName": "Cut" });
        let sent = commands(REQUESTS, &studio, "SetSceneSceneTransitionOverride", &own);
        let duration = Duration::from_millis(300);
        let cut = Transition { kind: Kind::Cut, duration };
        let edit = Edit::SetSceneTransition(SceneId(1), Some(cut));
        assert_eq!(sent, [Command::Edit(edit)]);
        let none = json!({ "sceneName": "Main", "transitionName": null });
        let answer = read(REQUESTS, &studio, "SetSceneSceneTransitionOverride", &none);
        assert_eq!(answer, Value::Null, "there was none");
    }
}
