//! `onair devices`: lists the devices, displays, windows, encoders and decoders of this computer.

use serde_json::{Value, json};

use crate::audio::{self, ApplicationInfo, DeviceInfo};
use crate::base::Clock;
use crate::capture::camera::control::Span;
use crate::capture::{self, CameraControl, Sharing};
use crate::cli::flags::Globals;
use crate::cli::output::Output;
use crate::cli::output::exit::Exit;
use crate::decode::{NoDecoder, inventory};
use crate::encode::{self, KnownEncoder};
use crate::media::{Codec, Track};
use crate::text::Language;
use crate::text::problem::{Problem, problem};

/// Runs the command.
pub fn run(globals: &Globals, clock: Clock) -> Exit {
    let output = Output::new(clock, globals.json);
    let cameras = capture::cameras();
    let microphones = audio::microphones();
    let speakers = audio::speakers();
    let applications = audio::applications();
    let (screens, windows) = (capture::screens(), capture::windows());
    let sharing = crate::capture::sharing();
    let language = output.language();
    let none = |why: &Problem| {
        let reason = language.say_with_cure(why);
        format!("  {}", output.say(&problem!("out-none", reason = reason)))
    };
    let title = |text: Problem| output.line(&output.say(&text));
    let entry = |text: Problem| output.line(&format!("  {}", output.say(&text)));
    let beside = |shown: bool, text: Problem| match shown {
        true => format!(", {}", output.say(&text)),
        false => String::new(),
    };
    if output.is_json() {
        let screens: Vec<Value> = screens.unwrap_or_default().iter().map(screen).collect();
        let windows: Vec<Value> = windows.unwrap_or_default().iter().map(window).collect();
        let cameras: Vec<Value> = cameras.iter().map(camera).collect();
        let audio = |devices: &[DeviceInfo]| -> Vec<Value> { devices.iter().map(device).collect() };
        let encoders = encode::known_encoders().iter().map(|it| encoder(it, language));
        let encoders: Vec<Value> = encoders.collect();
        let decoders = inventory::all();
        let decoders: Vec<Value> = decoders.iter().map(|it| decoder(it, language)).collect();
        let list = json!({
            "cameras": cameras,
            "microphones": audio(&microphones),
            "speakers": audio(&speakers),
            "applications": applications.iter().flatten().map(application).collect::<Vec<_>>(),
            "screens": screens,
            "windows": windows,
            "sharing": sharing.as_ref().map(|it| shared(it, language)),
            "encoders": encoders,
            "decoders": decoders,
            "decoding_hardware": decoding_hardware(language),
        });
        output.object(list);
        return Exit::Ok;
    }
    title(problem!("out-cameras"));
    for camera in &cameras {
        output.line(&format!("  {}  (camera:{})", camera.name, camera.id));
        for format in &camera.formats {
            output.line(&format!("      {} {:.4} fps {}", format.size, format.fps, format.pixel));
        }
        for control in capture::controls(&camera.id) {
            let range = match &control.span {
                Span::Switch => output.say(&problem!("out-control-switch")),
                Span::Number { least, most, step } => {
                    let [least, most, step] = [least, most, step].map(ToString::to_string);
                    let text =
                        problem!("out-control-range", least = least, most = most, step = step);
                    output.say(&text)
                }
                Span::Menu(items) => {
                    let items = items.iter().map(|(value, name)| format!("{value} {name}"));
                    items.collect::<Vec<_>>().join(", ")
                }
            };
            let (name, value) = (&control.name, control.value);
            output.line(&format!("      {name} = {value}  ({range})"));
        }
    }
    if cameras.is_empty() {
        entry(problem!("out-no-camera"));
    }
    for (name, word, devices) in [
        (problem!("out-microphones"), "mic:", &microphones),
        (problem!("out-speakers"), "", &speakers),
    ] {
        title(name);
        for device in devices {
            let default = beside(device.default, problem!("out-default"));
            output.line(&format!("  {}  ({word}{}{default})", device.name, device.id));
        }
        if devices.is_empty() {
            entry(problem!("out-none-found"));
        }
    }
    title(problem!("out-applications"));
    match &applications {
        Ok(playing) => {
            for application in playing {
                let (name, program) = (&application.name, &application.program);
                let program = output.say(&problem!("out-program", name = program));
                output.line(&format!("  {name}  (app:{name}, {program})"));
            }
            if playing.is_empty() {
                entry(problem!("out-none-plays"));
            }
        }
        Err(why) => output.line(&none(why)),
    }
    title(problem!("out-displays"));
    let asks = |it: &Sharing| beside(!it.remembers, problem!("out-asks"));
    let dialog = output.say(&problem!("out-dialog-gives"));
    if let Some(Ok(it)) = sharing.as_ref().filter(|it| it.as_ref().is_ok_and(|it| it.screens)) {
        output.line(&format!("  {dialog}  (screen:wayland{})", asks(it)));
    }
    match &screens {
        Err(_) if matches!(sharing, Some(Ok(_))) => {}
        Err(_) if let Some(Err(why)) = &sharing => output.line(&none(why)),
        Ok(screens) => {
            for screen in screens {
                let main = beside(screen.primary, problem!("out-main-display"));
                let (name, id, area) = (&screen.name, &screen.id, screen.area);
                output.line(&format!("  {name}  {area}  (screen:{id}{main})"));
            }
        }
        Err(why) => output.line(&none(why)),
    }
    title(problem!("out-windows"));
    match &sharing {
        Some(Ok(it)) if it.windows => {
            output.line(&format!("  {dialog}  (window:wayland{})", asks(it)));
        }
        Some(Ok(_)) => entry(problem!("out-no-single-windows")),
        Some(Err(_)) | None => {}
    }
    for window in windows.iter().flatten() {
        let minimized = beside(!window.shown, problem!("out-minimized"));
        let (name, id, size) = (&window.name, &window.id, window.size);
        output.line(&format!("  {name}  {size}  (window:{id}{minimized})"));
    }
    match &windows {
        Err(_) if matches!(sharing, Some(Ok(_))) => {}
        Ok(windows) if windows.is_empty() => entry(problem!("out-none-found")),
        Ok(_) => {}
        Err(why) => output.line(&none(why)),
    }
    encoders(&output);
    decoders(&output);
    Exit::Ok
}

/// Prints the encoders, and the reasons why other encoders are not available.
fn encoders(output: &Output) {
    output.line(&output.say(&problem!("out-encoders")));
    for KnownEncoder { choice, name, codec, unavailable } in encode::known_encoders() {
        let flag = if choice.is_some() { format!(", --encoder {name}") } else { String::new() };
        let why = unavailable.as_ref().map_or_else(String::new, |why| {
            let text = problem!("out-unavailable", reason = Problem::from(why));
            format!("  {}", output.say(&text))
        });
        output.line(&format!("  {}  ({name}{flag}){why}", codec.name()));
    }
}

/// Prints the decoders, and the reasons why other decoders are not available.
fn decoders(output: &Output) {
    output.line(&output.say(&problem!("out-decoders")));
    let all = inventory::all();
    let mut lacking: Option<(NoDecoder, Vec<&str>)> = None;
    for entry in &all {
        match &entry.by {
            Ok(by) => output.line(&format!("  {}  ({by})", entry.codec)),
            Err(lack) => {
                lacking.get_or_insert_with(|| (*lack, Vec::new())).1.push(entry.codec);
            }
        }
    }
    if let Some((lack, codecs)) = lacking {
        let lack = output.language().say_with_cure(&lack.into());
        let text = problem!("out-none-for", codecs = &codecs, reason = lack);
        output.line(&format!("  {}", output.say(&text)));
    }
    let ffmpeg = match inventory::ffmpeg_version() {
        Ok(version) => problem!("out-ffmpeg", version = version),
        Err(lack) => problem!("out-ffmpeg-none", reason = Problem::from(lack)),
    };
    let hardware = match inventory::hardware() {
        Ok(name) => problem!("out-hardware", name = name.to_string()),
        Err(why) => problem!("out-hardware-none", reason = why),
    };
    for text in [ffmpeg, hardware] {
        output.line(&format!("  {}", output.say(&text)));
    }
}

fn encoder(known: &KnownEncoder, language: Language) -> Value {
    json!({
        "type": match known.codec {
            Codec::Video(_) => "video",
            Codec::Audio(_) => "audio",
        },
        "codec": known.codec.name(),
        "name": known.name,
        "available": known.unavailable.is_none(),
        "why": known.unavailable.as_ref().map(|why| language.say(&why.into())),
    })
}

fn decoder(entry: &inventory::Entry, language: Language) -> Value {
    json!({
        "type": match entry.track {
            Track::Video => "video",
            Track::Audio | Track::Extra(_) => "audio",
        },
        "codec": entry.codec,
        "by": entry.by.as_ref().ok(),
        "why": entry.by.as_ref().err().map(|lack| language.say(&(*lack).into())),
    })
}

fn decoding_hardware(language: Language) -> Value {
    match inventory::hardware() {
        Ok(name) => json!({ "name": name }),
        Err(why) => json!({ "why": language.say(&why) }),
    }
}

fn screen(screen: &capture::ScreenInfo) -> Value {
    json!({
        "id": screen.id,
        "name": screen.name,
        "x": screen.area.x,
        "y": screen.area.y,
        "width": screen.area.width,
        "height": screen.area.height,
        "primary": screen.primary,
    })
}

fn shared(sharing: &Result<Sharing, Problem>, language: Language) -> Value {
    match sharing {
        Ok(it) => json!({
            "screens": it.screens,
            "windows": it.windows,
            "remembers": it.remembers,
            "why": null,
        }),
        Err(why) => json!({
            "screens": false,
            "windows": false,
            "remembers": false,
            "why": language.say_with_cure(why),
        }),
    }
}

fn window(window: &capture::WindowInfo) -> Value {
    json!({
        "id": window.id,
        "name": window.name,
        "class": window.class,
        "number": window.number,
        "width": window.size.width,
        "height": window.size.height,
        "shown": window.shown,
    })
}

fn camera(camera: &capture::CameraInfo) -> Value {
    let formats: Vec<Value> = camera
        .formats
        .iter()
        .map(|format| {
            json!({
                "width": format.size.width,
                "height": format.size.height,
                "fps": format.fps,
                "pixel": format.pixel,
            })
        })
        .collect();
    let controls: Vec<Value> = capture::controls(&camera.id).iter().map(control).collect();
    json!({ "id": camera.id, "name": camera.name, "formats": formats, "controls": controls })
}

fn control(control: &CameraControl) -> Value {
    let mut value = json!({
        "name": control.name,
        "title": control.title,
        "default": control.default,
        "value": control.value,
        "active": control.active,
    });
    let more = match &control.span {
        Span::Switch => json!({ "kind": "switch" }),
        Span::Number { least, most, step } => {
            json!({ "kind": "number", "min": least, "max": most, "step": step })
        }
        Span::Menu(items) => {
            let items: Vec<Value> =
                items.iter().map(|(value, name)| json!({ "value": value, "name": name })).collect();
            json!({ "kind": "menu", "items": items })
        }
    };
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    value
}

fn application(application: &ApplicationInfo) -> Value {
    json!({ "id": application.name, "name": application.name, "program": application.program })
}

fn device(device: &DeviceInfo) -> Value {
    json!({ "id": device.id, "name": device.name, "default": device.default })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_in_the_language_of_the_output() {
        let lack = NoDecoder::NotBuilt;
        let known = KnownEncoder {
            choice: None,
            name: "other",
            codec: Codec::Video(crate::media::VideoCodec::H264),
            unavailable: Some(encode::Error::Config(lack.into())),
        };
        let entry = inventory::Entry { track: Track::Video, codec: "HEVC", by: Err(lack) };
        for language in Language::ALL {
            let text = language.say(&lack.into());
            assert_eq!(encoder(&known, language)["why"], text);
            assert_eq!(decoder(&entry, language)["why"], text);
        }
    }
}
