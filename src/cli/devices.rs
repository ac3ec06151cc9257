//! `onair devices`: what there is to choose from.

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
use crate::text::{Language, Problem};

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
    let none = |why: &Problem| format!("  none: {}", language.say_with_cure(why));
    if output.is_json() {
        let screens: Vec<Value> = screens.unwrap_or_default().iter().map(screen).collect();
        let windows: Vec<Value> = windows.unwrap_or_default().iter().map(window).collect();
        let cameras: Vec<Value> = cameras.iter().map(camera).collect();
        let sound = |devices: &[DeviceInfo]| -> Vec<Value> { devices.iter().map(device).collect() };
        let list = json!({
            "cameras": cameras,
            "microphones": sound(&microphones),
            "speakers": sound(&speakers),
            "applications": applications.iter().flatten().map(application).collect::<Vec<_>>(),
            "screens": screens,
            "windows": windows,
            "sharing": sharing.as_ref().map(|it| shared(it, language)),
            "encoders": encode::known_encoders().iter().map(encoder).collect::<Vec<_>>(),
            "decoders": inventory::all().iter().map(decoder).collect::<Vec<_>>(),
            "decoding_hardware": decoding_hardware(),
        });
        output.line(&list.to_string());
        return Exit::Ok;
    }
    output.line("Cameras");
    for camera in &cameras {
        output.line(&format!("  {}  (camera:{})", camera.name, camera.id));
        for format in &camera.formats {
            output.line(&format!("      {} {:.4} fps {}", format.size, format.fps, format.pixel));
        }
        for control in capture::controls(&camera.id) {
            let range = match &control.span {
                Span::Switch => "0 or 1".to_owned(),
                Span::Number { least, most, step } => format!("{least} to {most} by {step}"),
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
        output.line("  none found: plug one in, or use --video test");
    }
    for (title, word, devices) in
        [("Microphones", "mic:", &microphones), ("Speakers", "", &speakers)]
    {
        output.line(title);
        for device in devices {
            let default = if device.default { ", default" } else { "" };
            output.line(&format!("  {}  ({word}{}{default})", device.name, device.id));
        }
        if devices.is_empty() {
            output.line("  none found");
        }
    }
    output.line("Applications");
    match &applications {
        Ok(playing) => {
            for application in playing {
                let (name, program) = (&application.name, &application.program);
                output.line(&format!("  {name}  (app:{name}, program {program})"));
            }
            if playing.is_empty() {
                output.line("  none plays");
            }
        }
        Err(why) => output.line(&none(why)),
    }
    output.line("Screens");
    let asks = |it: &Sharing| if it.remembers { "" } else { ", asks each time" };
    if let Some(Ok(it)) = sharing.as_ref().filter(|it| it.as_ref().is_ok_and(|it| it.screens)) {
        output.line(&format!(
            "  the one that the desktop's dialog gives  (screen:wayland{})",
            asks(it)
        ));
    }
    match &screens {
        Err(_) if matches!(sharing, Some(Ok(_))) => {}
        Err(_) if let Some(Err(why)) = &sharing => output.line(&none(why)),
        Ok(screens) => {
            for screen in screens {
                let main = if screen.primary { ", main" } else { "" };
                let (name, id, area) = (&screen.name, &screen.id, screen.area);
                output.line(&format!("  {name}  {area}  (screen:{id}{main})"));
            }
        }
        Err(why) => output.line(&none(why)),
    }
    output.line("Windows");
    match &sharing {
        Some(Ok(it)) if it.windows => {
            let asks = asks(it);
            output.line(&format!(
                "  the one that the desktop's dialog gives  (window:wayland{asks})"
            ));
        }
        Some(Ok(_)) => output.line("  this desktop shares whole screens only, no single windows"),
        Some(Err(_)) | None => {}
    }
    for window in windows.iter().flatten() {
        let minimised = if window.shown { "" } else { ", minimised" };
        let (name, id, size) = (&window.name, &window.id, window.size);
        output.line(&format!("  {name}  {size}  (window:{id}{minimised})"));
    }
    match &windows {
        Err(_) if matches!(sharing, Some(Ok(_))) => {}
        Ok(windows) if windows.is_empty() => output.line("  none found"),
        Ok(_) => {}
        Err(why) => output.line(&none(why)),
    }
    encoders(&output);
    decoders(&output);
    Exit::Ok
}

/// What can be encoded, by what, and why the rest cannot.
fn encoders(output: &Output) {
    output.line("Encoders");
    for KnownEncoder { choice, name, codec, unavailable } in encode::known_encoders() {
        let flag = if choice.is_some() { format!(", --encoder {name}") } else { String::new() };
        let why =
            unavailable.as_ref().map_or_else(String::new, |why| format!("  unavailable: {why}"));
        output.line(&format!("  {}  ({name}{flag}){why}", codec.name()));
    }
}

/// What can be played, by what, and why the rest cannot.
fn decoders(output: &Output) {
    output.line("Decoders");
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
        output.line(&format!("  none for {}: {lack}", codecs.join(", ")));
    }
    match inventory::ffmpeg_version() {
        Ok(version) => output.line(&format!("  FFmpeg's libraries: {version}")),
        Err(lack) => {
            let lack = output.language().say(&lack.into());
            output.line(&format!("  FFmpeg's libraries: none, {lack}"));
        }
    }
    match inventory::hardware() {
        Ok(name) => output.line(&format!("  hardware: {name}")),
        Err(why) => {
            output.line(&format!("  hardware: none, {}", output.language().say(&why)));
        }
    }
}

fn encoder(known: &KnownEncoder) -> Value {
    json!({
        "type": match known.codec {
            Codec::Video(_) => "video",
            Codec::Audio(_) => "audio",
        },
        "codec": known.codec.name(),
        "name": known.name,
        "available": known.unavailable.is_none(),
        "why": known.unavailable.as_ref().map(ToString::to_string),
    })
}

fn decoder(entry: &inventory::Entry) -> Value {
    json!({
        "type": match entry.track {
            Track::Video => "video",
            Track::Audio | Track::Extra(_) => "audio",
        },
        "codec": entry.codec,
        "by": entry.by.as_ref().ok(),
        "why": entry.by.as_ref().err().map(ToString::to_string),
    })
}

fn decoding_hardware() -> Value {
    match inventory::hardware() {
        Ok(name) => json!({ "name": name }),
        Err(why) => json!({ "why": why.to_string() }),
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
