//! Filters of inputs. OBS gives each filter a name; onair names them after their kind.

use serde_json::{Value, json};

use crate::call::{Call, CallResult, Failure, Outcome, RequestEntry};
use crate::names::Input;
use crate::protocol::status;
use onair_media::compose::filter as video;
use onair_media::mix::filter as audio;
use onair_studio::scenes::edits::Edit;
use onair_studio::{Command, Snapshot};

pub const REQUESTS: &[RequestEntry] = &[
    ("GetSourceFilterList", list),
    ("GetSourceFilter", one),
    ("SetSourceFilterEnabled", set_enabled),
    ("SetSourceFilterIndex", set_index),
    ("RemoveSourceFilter", remove),
];

/// A filter of an input.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedFilter {
    pub name: String,
    pub kind: String,
    pub enabled: bool,
    /// The position among the filters of the input's video or audio.
    place: usize,
    is_audio: bool,
}

/// Returns the filters of an input: those of its video, and then those of its audio.
pub fn filters_of(studio: &Snapshot, input: &Input) -> Vec<NamedFilter> {
    let video = input.source.map(|id| studio.scenes.collection.filters(id)).unwrap_or_default();
    let video = video.iter().enumerate().map(|(place, slot)| NamedFilter {
        name: slot.filter.kind().to_owned(),
        kind: format!("onair_{}_filter", slot.filter.kind()),
        enabled: slot.enabled,
        place,
        is_audio: false,
    });
    let strip = studio.strips.iter().find(|view| Some(view.audio.id) == input.strip);
    let audio = strip.map(|view| view.audio.strip.filters.as_slice()).unwrap_or_default();
    let audio = audio.iter().enumerate().map(|(place, slot)| NamedFilter {
        name: format!("audio-{}", slot.filter.kind()),
        kind: format!("onair_audio_{}_filter", slot.filter.kind()),
        enabled: slot.enabled,
        place,
        is_audio: true,
    });
    let mut all: Vec<NamedFilter> = video.chain(audio).collect();
    let mut taken = std::collections::BTreeSet::new();
    for filter in &mut all {
        let (plain, mut number) = (filter.name.clone(), 1_u32);
        while !taken.insert(filter.name.clone()) {
            number += 1;
            filter.name = format!("{plain} {number}");
        }
    }
    all
}

/// Returns a filter in the form of lists.
pub fn form(index: usize, filter: &NamedFilter) -> Value {
    json!({
        "filterName": filter.name,
        "filterKind": filter.kind,
        "filterEnabled": filter.enabled,
        "filterIndex": index,
        "filterSettings": {},
    })
}

fn input(call: &Call<'_>) -> Result<Input, Failure> {
    match call.input_in("sourceName", "sourceUuid") {
        Ok(input) => Ok(input),
        Err(refused) => match call.scene_in("sourceName", "sourceUuid") {
            Ok(_) => Err(Failure::new(status::CANNOT_ACT, "Scenes have no filters in onair.")),
            Err(_) => Err(refused),
        },
    }
}

fn list(call: &Call<'_>) -> CallResult {
    if call.scene_in("sourceName", "sourceUuid").is_ok() {
        return Ok(Outcome::Answer(json!({ "filters": [] })));
    }
    let all = filters_of(call.studio, &input(call)?);
    let all = all.iter().enumerate().map(|(index, filter)| form(index, filter));
    Ok(Outcome::Answer(json!({ "filters": all.collect::<Vec<Value>>() })))
}

/// Returns the input, the filter in `filterName`, and its index.
fn found(call: &Call<'_>) -> Result<(Input, NamedFilter, usize), Failure> {
    let (input, name) = (input(call)?, call.text("filterName")?);
    let mut all = filters_of(call.studio, &input).into_iter().enumerate();
    let (index, filter) = all
        .find(|(_, filter)| filter.name == name)
        .ok_or_else(|| Failure::not_found("filter", name))?;
    Ok((input, filter, index))
}

fn one(call: &Call<'_>) -> CallResult {
    let (_, filter, index) = found(call)?;
    let mut answer = form(index, &filter);
    if let Some(answer) = answer.as_object_mut() {
        answer.remove("filterName");
    }
    Ok(Outcome::Answer(answer))
}

/// Changes the filters of the video or audio of an input like the window.
fn change(
    call: &Call<'_>,
    (input, filter): (&Input, &NamedFilter),
    of_video: impl FnOnce(&mut Vec<video::Slot>),
    of_audio: impl FnOnce(&mut Vec<audio::Slot>),
) -> CallResult {
    if filter.is_audio {
        let strip = call.studio.strips.iter().find(|view| Some(view.audio.id) == input.strip);
        let view = strip.ok_or_else(|| Failure::not_found("input", &input.name))?;
        let (id, before) = (view.audio.id, view.audio.strip.clone());
        let mut strip = before.clone();
        of_audio(&mut strip.filters);
        return Ok(Outcome::command(Command::SetStrip { id, before, strip }));
    }
    let id = input.source.ok_or_else(|| Failure::not_found("input", &input.name))?;
    let mut slots = call.studio.scenes.collection.filters(id).to_vec();
    of_video(&mut slots);
    call.edit_only(Edit::SetFilters(id, slots))
}

fn set_enabled(call: &Call<'_>) -> CallResult {
    let ((input, filter, _), enabled) = (found(call)?, call.flag("filterEnabled")?);
    let place = filter.place;
    change(
        call,
        (&input, &filter),
        |slots| slots.iter_mut().skip(place).take(1).for_each(|slot| slot.enabled = enabled),
        |slots| slots.iter_mut().skip(place).take(1).for_each(|slot| slot.enabled = enabled),
    )
}

/// Moves an entry of a list.
fn moved<T>(list: &mut Vec<T>, from: usize, to: usize) {
    if from < list.len() && to < list.len() {
        let entry = list.remove(from);
        list.insert(to, entry);
    }
}

fn set_index(call: &Call<'_>) -> CallResult {
    let ((input, filter, index), wanted) = (found(call)?, call.index("filterIndex")? as usize);
    let all = filters_of(call.studio, &input);
    let other = all.get(wanted).filter(|other| other.is_audio == filter.is_audio);
    let Some(other) = other else {
        let comment = "The field `filterIndex` is not among the filters of this kind.";
        return Err(Failure::new(status::OUT_OF_RANGE, comment));
    };
    if wanted == index {
        return Ok(Outcome::nothing());
    }
    let (from, to) = (filter.place, other.place);
    change(call, (&input, &filter), |slots| moved(slots, from, to), |slots| moved(slots, from, to))
}

fn remove(call: &Call<'_>) -> CallResult {
    let (input, filter, _) = found(call)?;
    let place = filter.place;
    change(
        call,
        (&input, &filter),
        |slots| drop(slots.drain(place..=place)),
        |slots| drop(slots.drain(place..=place)),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::call::tests::{commands, read, refused};
    use crate::compose::scene::SceneId;

    fn studio() -> Snapshot {
        let mut studio = Snapshot::default();
        let scenes = Arc::make_mut(&mut studio.scenes.collection);
        let (name, choice) = ("Camera".to_owned(), "test".parse().unwrap());
        assert!(scenes.apply(&Edit::AddSource { scene: SceneId(1), name, choice }));
        let blur = || video::Slot { enabled: true, filter: video::Filter::Blur { sigma: 2.0 } };
        let sharpen = video::Filter::Sharpen { amount: 0.5 };
        scenes.sources[0].filters =
            vec![blur(), video::Slot { enabled: false, filter: sharpen }, blur()];
        studio
    }

    #[test]
    fn filters_have_the_names_of_their_kinds_which_differ() {
        let list =
            read(REQUESTS, &studio(), "GetSourceFilterList", &json!({ "sourceName": "Camera" }));
        let names: Vec<_> =
            list["filters"].as_array().unwrap().iter().map(|it| it["filterName"].clone()).collect();
        assert_eq!(names, ["blur", "sharpen", "blur 2"]);
        let of = json!({ "sourceName": "Camera", "filterName": "sharpen" });
        let one = read(REQUESTS, &studio(), "GetSourceFilter", &of);
        assert_eq!((&one["filterIndex"], &one["filterEnabled"]), (&json!(1), &json!(false)));
        let none = json!({ "sourceName": "Camera", "filterName": "glow" });
        assert_eq!(refused(REQUESTS, &studio(), "GetSourceFilter", &none), 600);
    }

    #[test]
    fn filters_are_enabled_moved_and_removed_by_one_edit() {
        let slots = |name: &str, field: &str, value: Value| {
            let mut data = json!({ "sourceName": "Camera", "filterName": "sharpen" });
            data[field] = value;
            match commands(REQUESTS, &studio(), name, &data).as_slice() {
                [Command::Edit(Edit::SetFilters(_, slots))] => {
                    slots.iter().map(|it| (it.filter.kind(), it.enabled)).collect::<Vec<_>>()
                }
                other => panic!("{other:?}"),
            }
        };
        let on = slots("SetSourceFilterEnabled", "filterEnabled", true.into());
        assert_eq!(on, [("blur", true), ("sharpen", true), ("blur", true)]);
        let first = slots("SetSourceFilterIndex", "filterIndex", 0.into());
        assert_eq!(first, [("sharpen", false), ("blur", true), ("blur", true)]);
        let removed = slots("RemoveSourceFilter", "x", Value::Null);
        assert_eq!(removed, [("blur", true), ("blur", true)]);
        let beyond = json!({ "sourceName": "Camera", "filterName": "blur", "filterIndex": 3 });
        assert_eq!(refused(REQUESTS, &studio(), "SetSourceFilterIndex", &beyond), 402);
    }
}
