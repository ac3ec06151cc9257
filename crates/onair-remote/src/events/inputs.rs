//! Changes of inputs, their audio and their filters, and volume meters.

use serde_json::{Value, json};

use crate::call::set;
use crate::events::Event;
use crate::names::{Input, inputs};
use crate::protocol::subscription::{
    FILTERS, INPUT_ACTIVE_STATE, INPUT_SHOW_STATE, INPUTS, MEDIA_INPUTS,
};
use crate::requests::{
    filter_form, filters_of, media_state, monitor_name, offset_millis, settings_of, tracks_of,
    unversioned, volume_of,
};
use onair_studio::Snapshot;
use onair_studio::snapshot::StripView;

fn named(input: &Input) -> Value {
    json!({ "inputName": input.name, "inputUuid": input.uuid })
}

/// Returns the data of an event about an input, with one more field.
fn with(input: &Input, field: &str, value: impl Into<Value>) -> Value {
    let mut data = named(input);
    set(&mut data, field, value);
    data
}

fn strip_of<'a>(studio: &'a Snapshot, input: &Input) -> Option<&'a StripView> {
    studio.strips.iter().find(|view| Some(view.audio.id) == input.strip)
}

pub fn changes(before: &Snapshot, after: &Snapshot, found: &mut Vec<Event>) {
    let (old, new) = (inputs(before), inputs(after));
    let event = |name, data| Event::new(name, INPUTS, data);
    for input in new.iter().filter(|input| old.iter().all(|it| it.uuid != input.uuid)) {
        found.push(event(
            "InputCreated",
            json!({
                "inputName": input.name,
                "inputUuid": input.uuid,
                "inputKind": input.kind,
                "unversionedInputKind": unversioned(input.kind),
                "inputSettings": settings_of(after, input),
                "defaultInputSettings": {},
            }),
        ));
    }
    for input in old.iter().filter(|input| new.iter().all(|it| it.uuid != input.uuid)) {
        found.push(event("InputRemoved", named(input)));
    }
    for input in &new {
        let Some(was) = old.iter().find(|it| it.uuid == input.uuid) else { continue };
        if was.name != input.name {
            found.push(event("InputNameChanged", with(input, "oldInputName", was.name.clone())));
        }
        let settings = settings_of(after, input);
        if settings_of(before, was) != settings {
            found.push(event("InputSettingsChanged", with(input, "inputSettings", settings)));
        }
        audio(input, (strip_of(before, was), strip_of(after, input)), found);
        filters(input, (before, was), after, found);
        video((before, after), input, found);
    }
}

/// Finds changes of the audio of an input.
fn audio(
    input: &Input,
    (was, is): (Option<&StripView>, Option<&StripView>),
    found: &mut Vec<Event>,
) {
    let Some((was, is)) = was.zip(is) else { return };
    let (was, is) = (&was.audio.strip, &is.audio.strip);
    let mut note = |name, data| found.push(Event::new(name, INPUTS, data));
    if was.muted != is.muted {
        note("InputMuteStateChanged", with(input, "inputMuted", is.muted));
    }
    if was.gain_db.to_bits() != is.gain_db.to_bits() {
        let (db, factor) = volume_of(is.gain_db);
        let mut data = with(input, "inputVolumeDb", db);
        set(&mut data, "inputVolumeMul", factor);
        note("InputVolumeChanged", data);
    }
    if was.balance.to_bits() != is.balance.to_bits() {
        let balance = (f64::from(is.balance) + 1.0) / 2.0;
        note("InputAudioBalanceChanged", with(input, "inputAudioBalance", balance));
    }
    if was.offset_us != is.offset_us {
        let data = with(input, "inputAudioSyncOffset", offset_millis(is));
        note("InputAudioSyncOffsetChanged", data);
    }
    if monitor_name(was.monitoring) != monitor_name(is.monitoring) {
        let data = with(input, "monitorType", monitor_name(is.monitoring));
        note("InputAudioMonitorTypeChanged", data);
    }
    if tracks_of(was) != tracks_of(is) {
        note("InputAudioTracksChanged", with(input, "inputAudioTracks", tracks_of(is)));
    }
}

/// Finds changes of the filters of an input.
fn filters(
    input: &Input,
    (before, was): (&Snapshot, &Input),
    after: &Snapshot,
    found: &mut Vec<Event>,
) {
    let (old, new) = (filters_of(before, was), filters_of(after, input));
    if old == new {
        return;
    }
    let source = json!({ "sourceName": input.name, "sourceUuid": input.uuid });
    let with = |fields: Value| {
        let mut data = source.clone();
        if let (Value::Object(data), Value::Object(fields)) = (&mut data, fields) {
            data.extend(fields);
        }
        data
    };
    let mut note = |name, data| found.push(Event::new(name, FILTERS, data));
    for filter in old.iter().filter(|filter| new.iter().all(|it| it.name != filter.name)) {
        note("SourceFilterRemoved", with(json!({ "filterName": filter.name })));
    }
    for (index, filter) in new.iter().enumerate() {
        match old.iter().find(|it| it.name == filter.name) {
            None => note("SourceFilterCreated", with(filter_form(index, filter))),
            Some(was) if was.enabled != filter.enabled => {
                let fields = json!({ "filterName": filter.name, "filterEnabled": filter.enabled });
                note("SourceFilterEnableStateChanged", with(fields));
            }
            Some(_) => {}
        }
    }
    let mut names = (
        old.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(),
        new.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(),
    );
    let is_reordered = names.0 != names.1;
    names.0.sort_unstable();
    names.1.sort_unstable();
    if is_reordered && names.0 == names.1 {
        let all = new.iter().enumerate().map(|(index, filter)| filter_form(index, filter));
        note("SourceFilterListReindexed", with(json!({ "filters": all.collect::<Vec<Value>>() })));
    }
}

/// Finds changes of the visibility and the playback of an input.
fn video((before, after): (&Snapshot, &Snapshot), input: &Input, found: &mut Vec<Event>) {
    let Some(id) = input.source else { return };
    let in_program = |studio: &Snapshot| {
        let collection = &studio.scenes.collection;
        collection.program_plan(collection.current).sources().any(|it| it == id)
    };
    let in_preview = |studio: &Snapshot| {
        let preview = studio.scenes.preview_scene;
        let plan = preview.map(|id| studio.scenes.collection.plan(id));
        plan.is_some_and(|plan| plan.sources().any(|it| it == id))
    };
    let is_same = std::sync::Arc::ptr_eq(&before.scenes.collection, &after.scenes.collection)
        && before.scenes.preview_scene == after.scenes.preview_scene;
    if !is_same {
        let (was, is) = (in_program(before), in_program(after));
        if was != is {
            let data = with(input, "videoActive", is);
            found.push(Event::new("InputActiveStateChanged", INPUT_ACTIVE_STATE, data));
        }
        let (was, is) = (was || in_preview(before), is || in_preview(after));
        if was != is {
            let data = with(input, "videoShowing", is);
            found.push(Event::new("InputShowStateChanged", INPUT_SHOW_STATE, data));
        }
    }
    let state = |studio: &Snapshot| {
        let source = studio.scenes.source(id)?;
        source.playing.map(|_| media_state(source))
    };
    let (was, is) = (state(before), state(after));
    if was == is {
        return;
    }
    let mut note = |name| found.push(Event::new(name, MEDIA_INPUTS, named(input)));
    match (was, is) {
        (_, Some("OBS_MEDIA_STATE_ENDED")) => note("MediaInputPlaybackEnded"),
        (Some("OBS_MEDIA_STATE_PAUSED"), Some("OBS_MEDIA_STATE_PLAYING")) => {}
        (_, Some("OBS_MEDIA_STATE_PLAYING")) => note("MediaInputPlaybackStarted"),
        _ => {}
    }
}

/// Returns a level in decibels as a factor.
fn factor(dbfs: f32) -> f64 {
    if dbfs <= -60.0 { 0.0 } else { 10_f64.powf(f64::from(dbfs) / 20.0) }
}

/// Returns the data of the meters of all inputs with audio: for each channel its level, its peak,
/// and its peak before the fader.
pub fn meters(studio: &Snapshot) -> Value {
    let all = inputs(studio).into_iter().filter_map(|input| {
        let meter = &strip_of(studio, &input)?.meter;
        let rms = factor(meter.rms_dbfs);
        let peaks = match meter.channels_dbfs {
            Some(peaks) => peaks.to_vec(),
            None => vec![meter.peak_dbfs],
        };
        let levels = peaks.into_iter().map(factor).map(|peak| json!([rms.min(peak), peak, peak]));
        Some(with(&input, "inputLevelsMul", levels.collect::<Vec<Value>>()))
    });
    json!({ "inputs": all.collect::<Vec<Value>>() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mix::{Strip, StripId};
    use onair_studio::AudioStrip;

    fn with_mic(strip: Strip) -> Snapshot {
        let mic = AudioStrip { strip, ..AudioStrip::new(StripId(0), "mic".parse().unwrap()) };
        Snapshot { strips: vec![StripView::open(mic, "Mic")], ..Snapshot::default() }
    }

    fn between(before: &Snapshot, after: &Snapshot) -> Vec<Event> {
        let mut found = Vec::new();
        changes(before, after, &mut found);
        found
    }

    #[test]
    fn each_setting_of_a_strip_has_its_event() {
        let before = with_mic(Strip::default());
        let strip = Strip {
            muted: true,
            gain_db: -60.0,
            balance: 1.0,
            offset_us: 80_000,
            ..Strip::default()
        };
        let found = between(&before, &with_mic(strip));
        let names: Vec<_> = found.iter().map(|event| event.name).collect();
        assert_eq!(
            names,
            [
                "InputMuteStateChanged",
                "InputVolumeChanged",
                "InputAudioBalanceChanged",
                "InputAudioSyncOffsetChanged"
            ]
        );
        assert_eq!(found[1].data["inputVolumeDb"], -100.0);
        assert_eq!((&found[2].data["inputAudioBalance"], &found[2].intent), (&json!(1.0), &INPUTS));
        let gone = between(&before, &Snapshot::default());
        assert_eq!(gone[0].name, "InputRemoved");
        assert_eq!(between(&Snapshot::default(), &before)[0].name, "InputCreated");
    }

    #[test]
    fn meters_have_a_level_for_each_channel() {
        let mut studio = with_mic(Strip::default());
        studio.strips[0].meter.channels_dbfs = Some([-20.0, -90.0]);
        studio.strips[0].meter.rms_dbfs = -40.0;
        let levels = &meters(&studio)["inputs"][0]["inputLevelsMul"];
        assert_eq!(levels.as_array().unwrap().len(), 2);
        assert!((levels[0][1].as_f64().unwrap() - 0.1).abs() < 1e-6);
        assert!((levels[0][0].as_f64().unwrap() - 0.01).abs() < 1e-6);
        assert_eq!(levels[1], json!([0.0, 0.0, 0.0]));
    }
}
