//! Inputs: lists, kinds, settings, new ones and names.

use serde_json::{Map, Value, json};

use crate::audio::AudioChoice;
use crate::call::{Call, CallResult, Failure, Outcome, RequestEntry, set};
use crate::capture::VideoChoice;
use crate::capture::text::Content;
use crate::names::{INPUT_KINDS, Input, inputs};
use crate::protocol::status;
use crate::requests::items;
use onair_studio::scenes::MAIN_SOURCE;
use onair_studio::scenes::edits::Edit;
use onair_studio::{Command, Snapshot};

pub const REQUESTS: &[RequestEntry] = &[
    ("GetInputList", list),
    ("GetInputKindList", kinds),
    ("GetSpecialInputs", special),
    ("GetInputSettings", settings),
    ("SetInputSettings", set_settings),
    ("CreateInput", create),
    ("RemoveInput", remove),
    ("SetInputName", rename),
    ("GetSourceActive", active),
];

fn list(call: &Call<'_>) -> CallResult {
    let kind = call.optional_text("inputKind")?;
    let all =
        inputs(call.studio).into_iter().filter(|input| kind.is_none_or(|it| it == input.kind));
    let all = all.map(|input| {
        json!({
            "inputName": input.name,
            "inputUuid": input.uuid,
            "inputKind": input.kind,
            "unversionedInputKind": unversioned(input.kind),
        })
    });
    Ok(Outcome::Answer(json!({ "inputs": all.collect::<Vec<Value>>() })))
}

/// Returns a kind without the version at its end.
pub fn unversioned(kind: &str) -> &str {
    match kind.rsplit_once("_v") {
        Some((plain, version)) if version.bytes().all(|it| it.is_ascii_digit()) => plain,
        _ => kind,
    }
}

fn kinds(call: &Call<'_>) -> CallResult {
    let plain = call.optional_flag("unversioned")?.unwrap_or(false);
    let kinds = INPUT_KINDS.iter().map(|kind| if plain { unversioned(kind) } else { kind });
    Ok(Outcome::Answer(json!({ "inputKinds": kinds.collect::<Vec<&str>>() })))
}

fn special(call: &Call<'_>) -> CallResult {
    let all = inputs(call.studio);
    let of = |kind: &str, count: usize| {
        let mut names: Vec<Value> = all
            .iter()
            .filter(|input| input.kind == kind)
            .map(|input| input.name.clone().into())
            .collect();
        names.resize(count, Value::Null);
        names
    };
    let (system, mics) = (of("pulse_output_capture", 2), of("pulse_input_capture", 4));
    let mut answer = Map::new();
    for (prefix, names) in [("desktop", system), ("mic", mics)] {
        for (number, name) in (1..).zip(names) {
            answer.insert(format!("{prefix}{number}"), name);
        }
    }
    Ok(Outcome::Answer(Value::Object(answer)))
}

/// Returns the choice of an input in the form of the command line, unless it is an address, which
/// can contain secrets.
fn word(choice: &str) -> Value {
    match choice.split_once(':') {
        Some(("stream", _)) => "stream:***".into(),
        Some(("browser", page)) if page.contains("://") => "browser:***".into(),
        _ => choice.into(),
    }
}

/// Returns the settings of an input: its choice in the form of the command line, and the most
/// important ones with the names of OBS.
pub fn settings_of(studio: &Snapshot, input: &Input) -> Value {
    if let Some(choice) = input.source.and_then(|id| studio.shown_by(id)) {
        let mut settings = json!({ "choice": word(&choice.to_string()) });
        match choice {
            VideoChoice::Text(Content::Words(words)) => set(&mut settings, "text", words.as_str()),
            VideoChoice::Text(Content::File(path)) => {
                set(&mut settings, "from_file", true);
                set(&mut settings, "text_file", path.display().to_string());
            }
            VideoChoice::Image(path) => set(&mut settings, "file", path.display().to_string()),
            VideoChoice::File(path) => {
                set(&mut settings, "is_local_file", true);
                set(&mut settings, "local_file", path.display().to_string());
            }
            VideoChoice::Stream(_) => set(&mut settings, "is_local_file", false),
            VideoChoice::Browser(_) => {
                let path = choice.path();
                set(&mut settings, "is_local_file", path.is_some());
                if let Some(path) = path {
                    set(&mut settings, "local_file", path.display().to_string());
                }
            }
            _ => {}
        }
        return settings;
    }
    let strip = studio.strips.iter().find(|view| Some(view.audio.id) == input.strip);
    let Some(choice) = strip.map(|view| &view.audio.choice) else { return json!({}) };
    let mut settings = json!({ "choice": word(&choice.to_string()) });
    match choice {
        AudioChoice::Mic(id) | AudioChoice::System(id) => {
            set(&mut settings, "device_id", id.as_deref().unwrap_or("default"));
        }
        AudioChoice::File(path) => set(&mut settings, "local_file", path.display().to_string()),
        _ => {}
    }
    settings
}

fn settings(call: &Call<'_>) -> CallResult {
    let input = call.input()?;
    let settings = settings_of(call.studio, &input);
    Ok(Outcome::Answer(json!({ "inputSettings": settings, "inputKind": input.kind })))
}

/// Reads the choice of a source of this kind from settings.
///
/// `present` is what the input shows, if it exists. Clients change one of the settings that they
/// got, and send all of them back.
fn video_choice(
    kind: &str,
    settings: &Call<'_>,
    present: Option<&VideoChoice>,
) -> Result<Option<VideoChoice>, Failure> {
    let present = present.map(|choice| word(&choice.to_string()));
    if let Some(word) = settings.optional_text("choice")?
        && present.is_none_or(|present| present != *word)
    {
        let wrong = |_| Failure::new(status::INVALID_FIELD, "The field `choice` is not valid.");
        return word.parse().map(Some).map_err(wrong);
    }
    Ok(match kind {
        "text_ft2_source_v2" => {
            let words = settings.optional_text("text")?.map(|it| Content::Words(it.to_owned()));
            let file = settings.optional_text("text_file")?.map(|it| Content::File(it.into()));
            words.or(file).map(VideoChoice::Text)
        }
        "image_source" => settings.optional_text("file")?.map(|it| VideoChoice::Image(it.into())),
        "ffmpeg_source" => {
            let file = settings.optional_text("local_file")?;
            let url = settings.optional_text("input")?.filter(|url| url.contains("://"));
            let file = file.map(|it| VideoChoice::File(it.into()));
            file.or(url.map(|it| VideoChoice::Stream(it.to_owned())))
        }
        "browser_source" => {
            let page = settings.optional_text("url")?.filter(|url| !url.is_empty());
            let page = page.or(settings.optional_text("local_file")?);
            let choice = page.map(|page| format!("browser:{page}").parse()).transpose();
            choice.map_err(|_| {
                Failure::new(status::INVALID_FIELD, "The address of the page is not valid.")
            })?
        }
        "onair_test_source" => Some(VideoChoice::Test),
        _ => None,
    })
}

/// Reads the choice of a strip of this kind from settings.
/// `present` is as for [`video_choice`].
fn audio_choice(
    kind: &str,
    settings: &Call<'_>,
    present: Option<&AudioChoice>,
) -> Result<Option<AudioChoice>, Failure> {
    let present = present.map(|choice| word(&choice.to_string()));
    if let Some(word) = settings.optional_text("choice")?
        && present.is_none_or(|present| present != *word)
    {
        let wrong = |_| Failure::new(status::INVALID_FIELD, "The field `choice` is not valid.");
        return word.parse().map(Some).map_err(wrong);
    }
    let device = settings.optional_text("device_id")?;
    let device = device.map(|id| Some(id.to_owned()).filter(|id| id != "default"));
    Ok(match kind {
        "pulse_input_capture" => device.map(AudioChoice::Mic),
        "pulse_output_capture" => device.map(AudioChoice::System),
        "ffmpeg_source" => {
            settings.optional_text("local_file")?.map(|path| AudioChoice::File(path.into()))
        }
        "onair_tone" => Some(AudioChoice::Tone),
        "onair_silence" => Some(AudioChoice::Silence),
        _ => None,
    })
}

fn set_settings(call: &Call<'_>) -> CallResult {
    let input = call.input()?;
    let settings = Call { data: call.object("inputSettings")?, ..*call };
    if let Some(id) = input.source {
        let present = call.studio.shown_by(id);
        let Some(choice) = video_choice(input.kind, &settings, present)? else {
            return Ok(Outcome::nothing());
        };
        return match id {
            MAIN_SOURCE => Ok(Outcome::command(Command::SelectVideo(choice))),
            id => call.edit_only(Edit::SetSource(id, choice)),
        };
    }
    let present = call.studio.strips.iter().find(|view| Some(view.audio.id) == input.strip);
    let present = present.map(|view| &view.audio.choice);
    let choice = audio_choice(input.kind, &settings, present)?;
    Ok(match (input.strip, choice) {
        (Some(id), Some(choice)) => Outcome::command(Command::SelectStrip { id, choice }),
        _ => Outcome::nothing(),
    })
}

/// Fails if an input or a scene has this name.
fn check_new_name(call: &Call<'_>, name: &str) -> Result<(), Failure> {
    let scenes = &call.studio.scenes.collection.scenes;
    let is_taken = inputs(call.studio).iter().any(|input| input.name == name)
        || scenes.iter().any(|scene| scene.name == name);
    match is_taken {
        true => {
            let comment = format!("There is already a source `{name}`.");
            Err(Failure::new(status::ALREADY_EXISTS, comment))
        }
        false => Ok(()),
    }
}

fn create(call: &Call<'_>) -> CallResult {
    let (scene, name, kind) = (call.scene()?, call.new_name("inputName")?, call.text("inputKind")?);
    check_new_name(call, name)?;
    if !INPUT_KINDS.contains(&kind) {
        let comment = format!("onair has no inputs of the kind `{kind}`.");
        return Err(Failure::new(status::INVALID_INPUT_KIND, comment));
    }
    let empty = Map::new();
    let data =
        if call.field("inputSettings").is_some() { call.object("inputSettings")? } else { &empty };
    let settings = Call { data, ..*call };
    let is_audio = kind.starts_with("pulse_")
        || kind.starts_with("pipewire_audio")
        || matches!(kind, "onair_tone" | "onair_silence");
    let lacking = || {
        let comment = "The field `inputSettings` does not say what to show, such as \
                       {\"choice\": \"text:Hello\"}.";
        Failure::new(status::INVALID_FIELD, comment)
    };
    if !is_audio {
        let choice = video_choice(kind, &settings, None)?.ok_or_else(lacking)?;
        let edit = Edit::AddSource { scene: scene.id, name: name.to_owned(), choice };
        return items::add(call, scene, edit, Value::Null);
    }
    let choice = match (audio_choice(kind, &settings, None)?, kind) {
        (Some(choice), _) => choice,
        (None, "pulse_input_capture") => AudioChoice::Mic(None),
        (None, "pulse_output_capture") => AudioChoice::System(None),
        (None, _) => return Err(lacking()),
    };
    let before: Vec<_> = call.studio.strips.iter().map(|view| view.audio.id).collect();
    let (name, wanted) = (name.to_owned(), name.to_owned());
    let finish = move |studio: &Snapshot| {
        // Another request may have created one too.
        let is_new = |input: &Input| {
            input.strip.is_some_and(|id| !before.contains(&id)) && input.name == wanted
        };
        let found = inputs(studio).into_iter().find(is_new);
        let lost = || Failure::new(status::ACTION_FAILED, "The input was not created.");
        // An input that has only audio is in no scene.
        Ok(json!({ "inputUuid": found.ok_or_else(lost)?.uuid, "sceneItemId": 0 }))
    };
    let commands = vec![Command::AddNamedStrip { choice, name }];
    Ok(Outcome::Commands(commands, Box::new(finish)))
}

fn remove(call: &Call<'_>) -> CallResult {
    let input = call.input()?;
    let Some(id) = input.source else {
        let strip = input.strip.filter(|id| *id != onair_media::mix::StripId::MAIN);
        let main = || Failure::new(status::CANNOT_ACT, "The main strip cannot be removed.");
        return Ok(Outcome::command(Command::RemoveStrip(strip.ok_or_else(main)?)));
    };
    let mut shown = Vec::new();
    call.studio.scenes.collection.each(|item| {
        if item.content == crate::compose::scene::Content::Source(id) {
            shown.push(Edit::RemoveItem(item.id));
        }
    });
    call.edit_only(Edit::Several(shown))
}

fn rename(call: &Call<'_>) -> CallResult {
    let (input, name) = (call.input()?, call.new_name("newInputName")?.to_owned());
    if input.name == name {
        return Ok(Outcome::nothing());
    }
    check_new_name(call, &name)?;
    match (input.source, input.strip) {
        (Some(MAIN_SOURCE), _) => {
            let comment = "The source of --video has the name of its content.";
            Err(Failure::new(status::NOT_CONFIGURABLE, comment))
        }
        (Some(id), _) => call.edit_only(Edit::RenameSource(id, name)),
        (None, Some(id)) => Ok(Outcome::command(Command::RenameStrip { id, name })),
        (None, None) => Err(Failure::not_found("input", &input.name)),
    }
}

fn active(call: &Call<'_>) -> CallResult {
    let collection = &call.studio.scenes.collection;
    let (in_program, in_preview) = match call.scene_in("sourceName", "sourceUuid") {
        Ok(scene) => {
            let preview = call.studio.scenes.preview_scene;
            let shows = |id| collection.reaches(id, scene.id);
            (shows(collection.current), preview.is_some_and(shows))
        }
        Err(_) => {
            let input = call.input_in("sourceName", "sourceUuid")?;
            let source = input.source;
            let shows = |plan: crate::compose::scene::Plan| {
                source.is_some_and(|id| plan.sources().any(|it| it == id))
            };
            let preview = call.studio.scenes.preview_scene.map(|id| collection.plan(id));
            let in_program = source.is_none() || shows(collection.program_plan(collection.current));
            (in_program, preview.is_some_and(shows))
        }
    };
    let showing = in_program || in_preview;
    Ok(Outcome::Answer(json!({ "videoActive": in_program, "videoShowing": showing })))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::call::tests::{commands, read, refused};
    use crate::compose::scene::SceneId;
    use onair_media::mix::StripId;
    use onair_studio::AudioStrip;
    use onair_studio::snapshot::StripView;

    fn studio() -> Snapshot {
        let mut studio = Snapshot::default();
        let scenes = Arc::make_mut(&mut studio.scenes.collection);
        for (name, choice) in [
            ("Title", "text:Hello"),
            ("Feed", "stream:rtmp://host/app/secret-key"),
            ("Alerts", "browser:https://alerts.example/secret-key"),
        ] {
            let (name, choice) = (name.to_owned(), choice.parse().unwrap());
            assert!(scenes.apply(&Edit::AddSource { scene: SceneId(1), name, choice }));
        }
        let mic = AudioStrip::new(StripId(0), AudioChoice::Mic(None));
        studio.strips.push(StripView::open(mic, "Mic"));
        studio
    }

    #[test]
    fn settings_never_contain_an_address_with_its_key() {
        let studio = studio();
        let feed = read(REQUESTS, &studio, "GetInputSettings", &json!({ "inputName": "Feed" }));
        assert_eq!(feed["inputSettings"]["choice"], "stream:***");
        assert!(!feed.to_string().contains("secret"));
        let page = read(REQUESTS, &studio, "GetInputSettings", &json!({ "inputName": "Alerts" }));
        assert_eq!(page["inputSettings"]["choice"], "browser:***");
        assert_eq!(page["inputKind"], "browser_source");
        assert!(!page.to_string().contains("secret"));
        let title = read(REQUESTS, &studio, "GetInputSettings", &json!({ "inputName": "Title" }));
        assert_eq!(title["inputSettings"]["text"], "Hello");
    }

    #[test]
    fn a_text_changes_and_unknown_settings_change_nothing() {
        let studio = studio();
        let data = json!({ "inputName": "Title", "inputSettings": { "text": "Bye" } });
        let id = studio.scenes.collection.sources[0].id;
        let choice = VideoChoice::Text(Content::Words("Bye".into()));
        let sent = commands(REQUESTS, &studio, "SetInputSettings", &data);
        assert_eq!(sent, [Command::Edit(Edit::SetSource(id, choice.clone()))]);
        // Clients send all settings back, with one of them changed.
        let got = read(REQUESTS, &studio, "GetInputSettings", &json!({ "inputName": "Title" }));
        let mut settings = got["inputSettings"].clone();
        settings["text"] = "Bye".into();
        let data = json!({ "inputName": "Title", "inputSettings": settings });
        let sent = commands(REQUESTS, &studio, "SetInputSettings", &data);
        assert_eq!(sent, [Command::Edit(Edit::SetSource(id, choice))]);
        let other = json!({ "inputName": "Title", "inputSettings": { "outline": true } });
        assert_eq!(read(REQUESTS, &studio, "SetInputSettings", &other), Value::Null);
        let wrong = json!({ "inputName": "Title", "inputSettings": { "choice": "nonsense:1" } });
        assert_eq!(refused(REQUESTS, &studio, "SetInputSettings", &wrong), 400);
    }

    #[test]
    fn inputs_are_created_renamed_and_removed_everywhere() {
        let studio = studio();
        let image = json!({
            "sceneName": "Main", "inputName": "Logo", "inputKind": "image_source",
            "inputSettings": { "file": "/logo.png" },
        });
        let sent = commands(REQUESTS, &studio, "CreateInput", &image);
        assert!(matches!(sent.as_slice(), [Command::Edit(Edit::AddSource { name, .. })]
            if name == "Logo"));
        let mic = json!({
            "sceneName": "Main", "inputName": "Guest", "inputKind": "pulse_input_capture",
        });
        let (choice, name) = (AudioChoice::Mic(None), "Guest".to_owned());
        let strip = [Command::AddNamedStrip { choice, name }];
        assert_eq!(commands(REQUESTS, &studio, "CreateInput", &mic), strip);
        for (kind, name, status) in [
            ("game_capture", "Page", 605),
            ("browser_source", "Page", 400),
            ("image_source", "Title", 601),
            ("image_source", "New", 400),
        ] {
            let data = json!({ "sceneName": "Main", "inputName": name, "inputKind": kind });
            assert_eq!(refused(REQUESTS, &studio, "CreateInput", &data), status, "{kind} {name}");
        }
        let sent = commands(REQUESTS, &studio, "RemoveInput", &json!({ "inputName": "Title" }));
        let item = crate::compose::scene::ItemId(2);
        assert_eq!(sent, [Command::Edit(Edit::Several(vec![Edit::RemoveItem(item)]))]);
        assert_eq!(refused(REQUESTS, &studio, "RemoveInput", &json!({ "inputName": "Mic" })), 703);
        let renamed = json!({ "inputName": "Title", "newInputName": "Headline" });
        assert!(matches!(commands(REQUESTS, &studio, "SetInputName", &renamed).as_slice(),
            [Command::Edit(Edit::RenameSource(_, name))] if name == "Headline"));
    }

    #[test]
    fn kinds_are_listed_with_and_without_their_versions() {
        let kinds = read(REQUESTS, &studio(), "GetInputKindList", &json!({ "unversioned": true }));
        let kinds = kinds["inputKinds"].as_array().unwrap().clone();
        assert!(kinds.contains(&json!("text_ft2_source")) && kinds.contains(&json!("v4l2_input")));
        let special = read(REQUESTS, &studio(), "GetSpecialInputs", &Value::Null);
        assert_eq!((&special["mic1"], &special["desktop1"]), (&json!("Mic"), &Value::Null));
        let active =
            read(REQUESTS, &studio(), "GetSourceActive", &json!({ "sourceName": "Title" }));
        assert_eq!(active, json!({ "videoActive": true, "videoShowing": true }));
    }
}
