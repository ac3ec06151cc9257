//! `onair devices`: lists the devices, displays, windows, encoders and decoders of this computer.

pub mod plugins;

use serde_json::{Value, json};

use crate::audio::{self, ApplicationInfo, DeviceInfo};
use crate::base::Clock;
use crate::capture::camera::control::Span;
use crate::capture::{self, CameraControl, CameraInfo, ScreenInfo, Sharing, WindowInfo};
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
    let list = DeviceList::read();
    if output.is_json() {
        output.object(list.to_json(output.language()));
        return Exit::Ok;
    }
    print_cameras(&output, &list.cameras);
    print_devices(&output, &problem!("out-microphones"), "mic:", &list.microphones);
    print_devices(&output, &problem!("out-speakers"), "", &list.speakers);
    print_applications(&output, list.applications.as_deref());
    print_displays(&output, list.screens.as_deref(), list.sharing.as_ref());
    print_windows(&output, list.windows.as_deref(), list.sharing.as_ref());
    print_encoders(&output);
    print_decoders(&output);
    Exit::Ok
}

/// What the system lists: devices, and what is displayed.
struct DeviceList {
    cameras: Vec<CameraInfo>,
    microphones: Vec<DeviceInfo>,
    speakers: Vec<DeviceInfo>,
    applications: Result<Vec<ApplicationInfo>, Problem>,
    screens: Result<Vec<ScreenInfo>, Problem>,
    windows: Result<Vec<WindowInfo>, Problem>,
    /// What the desktop can share; `None` without such a desktop.
    sharing: Option<Result<Sharing, Problem>>,
}

impl DeviceList {
    fn read() -> Self {
        Self {
            cameras: capture::cameras(),
            microphones: audio::microphones(),
            speakers: audio::speakers(),
            applications: audio::applications(),
            screens: capture::screens(),
            windows: capture::windows(),
            sharing: capture::sharing(),
        }
    }

    fn to_json(&self, language: Language) -> Value {
        let cameras: Vec<Value> = self.cameras.iter().map(camera).collect();
        let audio = |devices: &[DeviceInfo]| -> Vec<Value> { devices.iter().map(device).collect() };
        let applications: Vec<Value> =
            self.applications.iter().flatten().map(application).collect();
        let screens: Vec<Value> = self.screens.iter().flatten().map(screen).collect();
        let windows: Vec<Value> = self.windows.iter().flatten().map(window).collect();
        let encoders = encode::known_encoders().iter().map(|it| encoder(it, language));
        let encoders: Vec<Value> = encoders.collect();
        let decoders = inventory::all();
        let decoders: Vec<Value> = decoders.iter().map(|it| decoder(it, language)).collect();
        json!({
            "cameras": cameras,
            "microphones": audio(&self.microphones),
            "speakers": audio(&self.speakers),
            "applications": applications,
            "screens": screens,
            "windows": windows,
            "sharing": self.sharing.as_ref().map(|it| shared(it, language)),
            "encoders": encoders,
            "decoders": decoders,
            "decoding_hardware": decoding_hardware(language),
        })
    }
}

/// Prints the heading of a section.
fn heading(output: &Output, text: &Problem) {
    output.line(&output.say(text));
}

/// Prints a line of a section.
fn entry(output: &Output, text: &Problem) {
    output.line(&format!("  {}", output.say(text)));
}

/// Prints the reason why a section is empty.
fn none(output: &Output, why: &Problem) {
    let reason = output.language().say_with_cure(why);
    entry(output, &problem!("out-none", reason = reason));
}

/// Returns the text that follows an id, if it applies.
fn remark(output: &Output, applies: bool, text: &Problem) -> String {
    match applies {
        true => format!(", {}", output.say(text)),
        false => String::new(),
    }
}

/// Prints the cameras with their formats and controls.
fn print_cameras(output: &Output, cameras: &[CameraInfo]) {
    heading(output, &problem!("out-cameras"));
    for camera in cameras {
        output.line(&format!("  {}  (camera:{})", camera.name, camera.id));
        for format in &camera.formats {
            output.line(&format!("      {} {:.4} fps {}", format.size, format.fps, format.pixel));
        }
        for control in capture::controls(&camera.id) {
            let range = range(output, &control.span);
            let (name, value) = (&control.name, control.value);
            output.line(&format!("      {name} = {value}  ({range})"));
        }
    }
    if cameras.is_empty() {
        entry(output, &problem!("out-no-camera"));
    }
}

/// Returns the values of a camera control as a text.
fn range(output: &Output, span: &Span) -> String {
    match span {
        Span::Switch => output.say(&problem!("out-control-switch")),
        Span::Number { least, most, step } => {
            let [least, most, step] = [least, most, step].map(ToString::to_string);
            output.say(&problem!("out-control-range", least = least, most = most, step = step))
        }
        Span::Menu(items) => {
            let items = items.iter().map(|(value, name)| format!("{value} {name}"));
            items.collect::<Vec<_>>().join(", ")
        }
    }
}

/// Prints microphones or speakers. `word` is the kind of source in `--audio`.
fn print_devices(output: &Output, title: &Problem, word: &str, devices: &[DeviceInfo]) {
    heading(output, title);
    for device in devices {
        let default = remark(output, device.default, &problem!("out-default"));
        output.line(&format!("  {}  ({word}{}{default})", device.name, device.id));
    }
    if devices.is_empty() {
        entry(output, &problem!("out-none-found"));
    }
}

/// Prints the applications that play audio.
fn print_applications(output: &Output, applications: Result<&[ApplicationInfo], &Problem>) {
    heading(output, &problem!("out-applications"));
    match applications {
        Ok([]) => entry(output, &problem!("out-none-plays")),
        Ok(playing) => {
            for ApplicationInfo { name, program, .. } in playing {
                let program = output.say(&problem!("out-program", name = program));
                output.line(&format!("  {name}  (app:{name}, {program})"));
            }
        }
        Err(why) => none(output, why),
    }
}

/// Prints the choice for which the desktop shows its dialog. `what` is the kind of source.
fn dialog(output: &Output, what: &str, sharing: &Sharing) {
    let dialog = output.say(&problem!("out-dialog-gives"));
    let asks = remark(output, !sharing.remembers, &problem!("out-asks"));
    output.line(&format!("  {dialog}  ({what}:wayland{asks})"));
}

/// Prints the displays.
fn print_displays(
    output: &Output,
    screens: Result<&[ScreenInfo], &Problem>,
    sharing: Option<&Result<Sharing, Problem>>,
) {
    heading(output, &problem!("out-displays"));
    if let Some(Ok(it)) = sharing
        && it.screens
    {
        dialog(output, "screen", it);
    }
    match (screens, sharing) {
        (Ok(screens), _) => {
            for screen in screens {
                let main = remark(output, screen.primary, &problem!("out-main-display"));
                let (name, id, area) = (&screen.name, &screen.id, screen.area);
                output.line(&format!("  {name}  {area}  (screen:{id}{main})"));
            }
        }
        (Err(_), Some(Ok(_))) => {}
        (Err(why), _) => none(output, sharing.and_then(|it| it.as_ref().err()).unwrap_or(why)),
    }
}

/// Prints the windows.
fn print_windows(
    output: &Output,
    windows: Result<&[WindowInfo], &Problem>,
    sharing: Option<&Result<Sharing, Problem>>,
) {
    heading(output, &problem!("out-windows"));
    match sharing {
        Some(Ok(it)) if it.windows => dialog(output, "window", it),
        Some(Ok(_)) => entry(output, &problem!("out-no-single-windows")),
        Some(Err(_)) | None => {}
    }
    match (windows, sharing) {
        (Err(_), Some(Ok(_))) => {}
        (Ok([]), _) => entry(output, &problem!("out-none-found")),
        (Ok(windows), _) => {
            for window in windows {
                let minimized = remark(output, !window.shown, &problem!("out-minimized"));
                let (name, id, size) = (&window.name, &window.id, window.size);
                output.line(&format!("  {name}  {size}  (window:{id}{minimized})"));
            }
        }
        (Err(why), _) => none(output, why),
    }
}

/// Prints the encoders, and the reasons why other encoders are not available.
fn print_encoders(output: &Output) {
    heading(output, &problem!("out-encoders"));
    for known in encode::known_encoders() {
        let KnownEncoder { choice, name, library, codec, unavailable, speed_720p, .. } = known;
        let flag = if choice.is_some() { format!(", --encoder {name}") } else { String::new() };
        let note = match (unavailable, speed_720p) {
            (Some(why), _) => {
                let why = output.language().say_with_cure(&Problem::from(why));
                Some(problem!("out-unavailable", reason = why))
            }
            (None, Some(fps)) => Some(problem!("out-encoder-speed", fps = format!("{fps:.0}"))),
            (None, None) => None,
        };
        let note = note.map_or_else(String::new, |note| format!("  {}", output.say(&note)));
        output.line(&format!("  {}  ({library}{flag}){note}", codec.name()));
        if let Some(presets) = choice.map(encode::Choice::presets).filter(|it| !it.is_empty()) {
            let presets = presets.join(", ");
            output.line(&format!("      --preset {presets}"));
        }
    }
}

/// Prints the decoders, and the reasons why other decoders are not available.
fn print_decoders(output: &Output) {
    heading(output, &problem!("out-decoders"));
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
        entry(output, &problem!("out-none-for", codecs = &codecs, reason = lack));
    }
    let ffmpeg = match inventory::ffmpeg_version() {
        Ok(version) => problem!("out-ffmpeg", version = version),
        Err(lack) => problem!("out-ffmpeg-none", reason = Problem::from(lack)),
    };
    let hardware = match inventory::hardware() {
        Ok(name) => problem!("out-hardware", name = name.to_string()),
        Err(why) => problem!("out-hardware-none", reason = why),
    };
    entry(output, &ffmpeg);
    entry(output, &hardware);
}

fn encoder(known: &KnownEncoder, language: Language) -> Value {
    let reason = known.unavailable.as_ref().map(|why| language.say_with_cure(&why.into()));
    json!({
        "type": match known.codec {
            Codec::Video(_) => "video",
            Codec::Audio(_) => "audio",
        },
        "codec": known.codec.name(),
        "name": known.name,
        "library": known.library,
        "hardware": known.hardware,
        "available": known.unavailable.is_none(),
        "reason": reason,
        "speed_720p": known.speed_720p.map(|fps| (fps * 10.0).round() / 10.0),
        "presets": known.choice.map(encode::Choice::presets),
        // The older name of `reason`, without the cure.
        "why": known.unavailable.as_ref().map(|why| language.say(&why.into())),
    })
}

fn decoder(entry: &inventory::Entry, language: Language) -> Value {
    json!({
        "type": match entry.track {
            Track::Video | Track::Rendition(_) => "video",
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

fn screen(screen: &ScreenInfo) -> Value {
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

fn window(window: &WindowInfo) -> Value {
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

fn camera(camera: &CameraInfo) -> Value {
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
            library: "Other",
            codec: Codec::Video(crate::media::VideoCodec::H264),
            hardware: false,
            unavailable: Some(encode::Error::Config(lack.into())),
            speed_720p: None,
        };
        let entry = inventory::Entry { track: Track::Video, codec: "HEVC", by: Err(lack) };
        for language in Language::ALL {
            let text = language.say(&lack.into());
            assert_eq!(encoder(&known, language)["why"], text);
            assert_eq!(decoder(&entry, language)["why"], text);
        }
    }
}
