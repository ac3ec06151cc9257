//! Scene collections, profiles, the video format and the stream service.

use serde_json::{Value, json};

use crate::call::{Call, CallResult, Failure, Outcome, RequestEntry};
use crate::protocol::status;
use onair_base::media::{FrameRate, Size};
use onair_studio::Command;
use onair_studio::command::PartCommand;
use onair_studio::settings::part::PartKind;
use onair_studio::targets::Target;
use onair_studio::targets::services::host_of;

pub const REQUESTS: &[RequestEntry] = &[
    ("GetSceneCollectionList", collections),
    ("SetCurrentSceneCollection", set_collection),
    ("CreateSceneCollection", create_collection),
    ("GetProfileList", profiles),
    ("SetCurrentProfile", set_profile),
    ("CreateProfile", create_profile),
    ("GetVideoSettings", video),
    ("SetVideoSettings", set_video),
    ("GetStreamServiceSettings", service),
];

/// The limits of a side of the frame in pixels, and of the parts of a frame rate.
const SIDE_RANGE: (f64, f64) = (8.0, 4_096.0);
const RATE_RANGE: (f64, f64) = (1.0, 1_000_000.0);

fn collections(call: &Call<'_>) -> CallResult {
    let parts = &call.studio.parts;
    Ok(Outcome::Answer(json!({
        "currentSceneCollectionName": parts.in_use.collection,
        "sceneCollections": parts.collections,
    })))
}

fn profiles(call: &Call<'_>) -> CallResult {
    let parts = &call.studio.parts;
    Ok(Outcome::Answer(json!({
        "currentProfileName": parts.in_use.profile,
        "profiles": parts.profiles,
    })))
}

/// Returns the name in this field. It must be that of a collection or profile, or a new one.
fn part_name(
    call: &Call<'_>,
    kind: PartKind,
    field: &str,
    is_new: bool,
) -> Result<String, Failure> {
    let name = call.text(field)?;
    if !call.studio.parts.is_kept {
        let comment = "onair runs without saved collections and profiles.";
        return Err(Failure::new(status::CANNOT_ACT, comment));
    }
    match (call.studio.parts.names(kind).iter().any(|it| it == name), is_new) {
        (true, true) => {
            let comment = format!("`{name}` exists already.");
            Err(Failure::new(status::ALREADY_EXISTS, comment))
        }
        (false, false) => Err(Failure::not_found("collection or profile", name)),
        _ => Ok(name.to_owned()),
    }
}

/// Uses this collection or profile. The profile cannot change during a broadcast.
fn switch(call: &Call<'_>, kind: PartKind, name: String) -> CallResult {
    let wanted = name.clone();
    let finish = move |studio: &onair_studio::Snapshot| match studio.parts.in_use.name(kind) {
        now if now == wanted => Ok(Value::Null),
        _ => Err(Failure::new(status::CANNOT_ACT, "onair cannot switch now.")),
    };
    if call.studio.parts.in_use.name(kind) == name {
        return Ok(Outcome::nothing());
    }
    let command = Command::Part(PartCommand::Use(kind, name));
    Ok(Outcome::Commands(vec![command], Box::new(finish)))
}

fn set_collection(call: &Call<'_>) -> CallResult {
    let kind = PartKind::Collection;
    switch(call, kind, part_name(call, kind, "sceneCollectionName", false)?)
}

fn create_collection(call: &Call<'_>) -> CallResult {
    let kind = PartKind::Collection;
    let name = part_name(call, kind, "sceneCollectionName", true)?;
    Ok(Outcome::command(Command::Part(PartCommand::New(kind, name))))
}

fn set_profile(call: &Call<'_>) -> CallResult {
    let kind = PartKind::Profile;
    switch(call, kind, part_name(call, kind, "profileName", false)?)
}

fn create_profile(call: &Call<'_>) -> CallResult {
    let name = part_name(call, PartKind::Profile, "profileName", true)?;
    Ok(Outcome::command(Command::Part(PartCommand::New(PartKind::Profile, name))))
}

fn video(call: &Call<'_>) -> CallResult {
    let (size, rate) = (call.studio.quality.size, call.studio.quality.frame_rate);
    Ok(Outcome::Answer(json!({
        "fpsNumerator": rate.num(),
        "fpsDenominator": rate.den(),
        "baseWidth": size.width,
        "baseHeight": size.height,
        "outputWidth": size.width,
        "outputHeight": size.height,
    })))
}

fn set_video(call: &Call<'_>) -> CallResult {
    if call.studio.is_live_or_recording() {
        let comment = "The video format cannot change during a broadcast or recording.";
        return Err(Failure::new(status::OUTPUT_RUNNING, comment));
    }
    let mut quality = call.studio.quality.clone();
    // onair has one size: that of the output.
    let side = |output: &str, base: &str| {
        let output = call.optional_number(output, SIDE_RANGE)?;
        Ok(output.or(call.optional_number(base, SIDE_RANGE)?))
    };
    let (width, height) = (side("outputWidth", "baseWidth")?, side("outputHeight", "baseHeight")?);
    let even = |wanted: Option<f64>, now: u32| wanted.map_or(now, |it| it as u32 & !1);
    quality.size = Size::new(even(width, quality.size.width), even(height, quality.size.height));
    let number = |name: &str| call.optional_number(name, RATE_RANGE);
    let (num, den) = (number("fpsNumerator")?, number("fpsDenominator")?);
    if num.is_some() || den.is_some() {
        let rate = quality.frame_rate;
        let num = num.map_or(rate.num(), |it| it as u32);
        let den = den.map_or(rate.den(), |it| it as u32);
        let wrong = || Failure::new(status::OUT_OF_RANGE, "The frame rate must be from 1 to 240.");
        quality.frame_rate = FrameRate::new(num, den).ok_or_else(wrong)?;
    }
    Ok(Outcome::command(Command::SetQuality(quality)))
}

/// Returns the target that OBS would have: the first one that is on, or else the first one.
fn main_target<'a>(call: &Call<'a>) -> Option<&'a Target> {
    let mut all = call.studio.targets.iter().map(|view| &view.target);
    all.clone().find(|target| target.enabled).or_else(|| all.next())
}

fn service(call: &Call<'_>) -> CallResult {
    let server = main_target(call).map(Target::server).unwrap_or_default();
    // The address can contain the key.
    let server = match server.split_once("://").zip(host_of(server)) {
        Some(((scheme, _), host)) => format!("{scheme}://{host}"),
        None => String::new(),
    };
    Ok(Outcome::Answer(json!({
        "streamServiceType": "rtmp_custom",
        "streamServiceSettings": { "server": server, "key": "", "use_auth": false },
    })))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::call::tests::{commands, read, refused};
    use onair_studio::Snapshot;
    use onair_studio::snapshot::{PartsView, TargetView};

    #[test]
    fn the_service_names_the_host_and_never_the_key() {
        let target = Target {
            enabled: true,
            ..Target::custom(1, "rtmp://me:tulip@host/app/tulip-key", Default::default())
        };
        let studio = Snapshot { targets: vec![TargetView::idle(target)], ..Snapshot::default() };
        let answer = read(REQUESTS, &studio, "GetStreamServiceSettings", &Value::Null);
        assert_eq!(answer["streamServiceSettings"]["server"], "rtmp://host");
        assert!(!answer.to_string().contains("tulip"), "{answer}");
    }

    #[test]
    fn the_video_format_changes_in_even_pixels() {
        let studio = Snapshot::default();
        let wanted = json!({ "outputWidth": 1921, "baseHeight": 1080, "fpsNumerator": 60 });
        match commands(REQUESTS, &studio, "SetVideoSettings", &wanted).as_slice() {
            [Command::SetQuality(quality)] => {
                assert_eq!(quality.size, Size::new(1920, 1080));
                assert_eq!(quality.frame_rate.num(), 60);
            }
            other => panic!("{other:?}"),
        }
        let fast = json!({ "fpsNumerator": 241, "fpsDenominator": 1 });
        assert_eq!(refused(REQUESTS, &studio, "SetVideoSettings", &fast), 402);
        assert_eq!(read(REQUESTS, &studio, "GetVideoSettings", &Value::Null)["outputWidth"], 1280);
    }

    #[test]
    fn collections_are_switched_by_name_if_they_are_saved() {
        let other = json!({ "sceneCollectionName": "Other" });
        let unsaved = refused(REQUESTS, &Snapshot::default(), "SetCurrentSceneCollection", &other);
        assert_eq!(unsaved, 703);
        let names = vec!["Other".to_owned(), "Usual".to_owned()];
        let parts = PartsView { collections: names, is_kept: true, ..PartsView::default() };
        let studio = Snapshot { parts: Arc::new(parts), ..Snapshot::default() };
        let wanted = PartCommand::Use(PartKind::Collection, "Other".to_owned());
        let sent = commands(REQUESTS, &studio, "SetCurrentSceneCollection", &other);
        assert_eq!(sent, [Command::Part(wanted)]);
        assert_eq!(refused(REQUESTS, &studio, "CreateSceneCollection", &other), 601);
        let missing = json!({ "sceneCollectionName": "Missing" });
        assert_eq!(refused(REQUESTS, &studio, "SetCurrentSceneCollection", &missing), 600);
    }
}
