//! `onair devices`: what there is to choose from.

use serde_json::{Value, json};

use crate::audio::{self, DeviceInfo};
use crate::base::Clock;
use crate::capture;
use crate::cli::exit::Exit;
use crate::cli::globals::Globals;
use crate::cli::output::Output;

/// Runs the command.
pub fn run(globals: &Globals, clock: Clock) -> Exit {
    let output = Output::new(clock, globals.json);
    let cameras = capture::cameras();
    let microphones = audio::microphones();
    let speakers = audio::speakers();
    if output.is_json() {
        let cameras: Vec<Value> = cameras.iter().map(camera).collect();
        let sound = |devices: &[DeviceInfo]| -> Vec<Value> { devices.iter().map(device).collect() };
        let list = json!({
            "cameras": cameras,
            "microphones": sound(&microphones),
            "speakers": sound(&speakers),
            // Screens and windows are no sources of this version.
            "screens": [],
            "windows": [],
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
    Exit::Ok
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
    json!({ "id": camera.id, "name": camera.name, "formats": formats })
}

fn device(device: &DeviceInfo) -> Value {
    json!({ "id": device.id, "name": device.name, "default": device.default })
}
