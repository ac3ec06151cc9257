//! Imports the video sources of OBS's files as onair sources, and lists the unsupported parts.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::capture::{CameraChoice, Properties, VideoChoice};
use crate::studio::settings::import::obs::json::{
    array, color, is_off, is_on, number, part, text, whole,
};
use crate::studio::settings::import::obs::text_and_slides;
use crate::text::problem::{Problem, problem};

/// An imported source.
#[derive(Debug)]
pub struct ImportedSource {
    pub choice: VideoChoice,
    pub properties: Properties,
    /// Descriptions of the unsupported parts.
    pub not: Vec<Problem>,
    /// The crop: left, top, right and bottom in pixels.
    pub cut: Option<[f64; 4]>,
}

/// Returns the kind of a source without its version.
pub fn kind(source: &Value) -> &str {
    let kind = text(source, "id");
    let versioned =
        kind.rsplit_once("_v").filter(|(_, it)| it.chars().all(|it| it.is_ascii_digit()));
    versioned.map_or(kind, |(kind, _)| kind)
}

/// Converts an OBS source to an onair source. The error is the source's kind, or the reason why it
/// is not imported.
pub fn read(source: &Value) -> Result<ImportedSource, Problem> {
    let settings = part(source, "settings");
    let kind = kind(source);
    let (mut not, mut then) = (Vec::new(), Vec::new());
    let wanted = match kind {
        "image_source" => format!("image:{}", text(settings, "file")),
        "slideshow" => {
            let (first, rest) = slides(settings, &mut not);
            then = rest;
            format!("slides:{first}")
        }
        "color_source" => {
            // A color that the user has not changed is not in the file. It is white, or gray since
            // the third version.
            let newest = [text(source, "id"), text(source, "versioned_id")]
                .into_iter()
                .any(|it| it.ends_with("_v3"));
            let usual = if newest { 0xffd1_d1d1 } else { 0xffff_ffff };
            format!("color:{}", color(whole(settings, "color").unwrap_or(usual)))
        }
        "ffmpeg_source" => media(settings, &mut not),
        "vlc_source" => {
            let (first, rest) = playlist(settings, &mut not);
            then = rest;
            first
        }
        // The device file is replaced by onair's id of the camera, if there is one.
        "v4l2_input" if text(settings, "device_id").starts_with("/dev/") => {
            let id = text(settings, "device_id");
            let properties = Properties::default();
            let choice = VideoChoice::Camera(CameraChoice::of(id));
            return Ok(ImportedSource { choice, properties, not, cut: cut(settings) });
        }
        // Other ids are not valid here: the first camera is used, and must be chosen again.
        "v4l2_input"
        | "dshow_input"
        | "av_capture_input"
        | "macos-avcapture"
        | "pipewire-camera-source" => {
            if names_device(settings) {
                not.push(problem!("import-first-camera"));
            }
            "camera".into()
        }
        "xshm_input" => {
            let number = number(settings, "screen").unwrap_or(0.0);
            if number > 0.0 {
                // OBS counts displays from 0.
                let number = (number.round() + 1.0).to_string();
                not.push(problem!("import-first-screen", number = number));
            }
            "screen".into()
        }
        "monitor_capture" | "display_capture" | "screen_capture" => "screen".into(),
        // Each of these sources needs its own dialog of the desktop.
        "pipewire-desktop-capture-source" | "pipewire-screen-capture-source" => {
            format!("screen:wayland/{}", shared_name(source))
        }
        "pipewire-window-capture-source" => format!("window:wayland/{}", shared_name(source)),
        "xcomposite_input" => {
            format!("window:{}", window(settings).ok_or_else(|| problem!("import-a-window"))?)
        }
        "browser_source" if is_on(settings, "is_local_file") => {
            format!("browser:{}", text(settings, "local_file"))
        }
        "browser_source" => format!("browser:{}", page_address(settings)),
        "window_capture" => return Err(problem!("import-a-window")),
        "text_gdiplus" if is_on(settings, "read_from_file") => {
            format!("text-file:{}", text(settings, "file"))
        }
        "text_ft2_source" if is_on(settings, "from_file") => {
            format!("text-file:{}", text(settings, "text_file"))
        }
        "text_gdiplus" | "text_ft2_source" => format!("text:{}", text(settings, "text")),
        other => return Err(other.into()),
    };
    let choice = wanted.parse().map_err(|_| Problem::from(kind))?;
    let (mut properties, without) = text_and_slides::properties(kind, source);
    properties.files = then;
    let properties = properties.bounded();
    not.extend(without);
    Ok(ImportedSource { choice, properties, not, cut: cut(settings) })
}

/// Returns the address of a page, which OBS may have without its scheme.
fn page_address(settings: &Value) -> String {
    match text(settings, "url") {
        "" => "https://obsproject.com/browser-source".to_owned(),
        url if url.contains("://") => url.to_owned(),
        url => format!("http://{url}"),
    }
}

/// Returns true if a specific device was chosen.
pub fn names_device(settings: &Value) -> bool {
    let keys = ["device_id", "video_device_id", "device", "camera_id"];
    keys.iter().any(|key| !matches!(text(settings, key), "" | "default"))
}

fn media(settings: &Value, not: &mut Vec<Problem>) -> String {
    if number(settings, "speed_percent").is_some_and(|it| (it - 100.0).abs() > 0.5) {
        not.push(problem!("import-another-speed"));
    }
    if is_off(settings, "is_local_file") {
        return format!("stream:{}", text(settings, "input"));
    }
    format!("file:{}", text(settings, "local_file"))
}

/// Returns the first entry of a playlist, and the files that follow it.
fn playlist(settings: &Value, not: &mut Vec<Problem>) -> (String, Vec<PathBuf>) {
    let all = array(settings, "playlist");
    let mut all = all.iter().map(|it| text(it, "value")).filter(|it| !it.is_empty());
    let first = all.next().unwrap_or_default();
    let is_file = |it: &&str| !it.contains("://") && !Path::new(it).is_dir();
    let (files, others): (Vec<&str>, Vec<&str>) = all.partition(is_file);
    // A stream does not end, so nothing follows it.
    let stream = first.contains("://");
    let left_out = if stream { files.len() + others.len() } else { others.len() };
    if left_out > 0 {
        not.push(problem!("import-follows-no-file", count = left_out));
    }
    if files.len() > Properties::MAX_ADDITIONAL_FILES {
        not.push(problem!("import-list-beyond", most = Properties::MAX_ADDITIONAL_FILES));
    }
    if is_on(settings, "shuffle") {
        not.push(problem!("import-list-shuffled"));
    }
    if stream {
        return (format!("stream:{first}"), Vec::new());
    }
    (format!("file:{first}"), files.into_iter().map(PathBuf::from).collect())
}

/// Returns the first image or folder of a slide show, and the following ones.
fn slides(settings: &Value, not: &mut Vec<Problem>) -> (String, Vec<PathBuf>) {
    let all = array(settings, "files");
    let mut all = all.iter().map(|it| text(it, "value")).filter(|it| !it.is_empty());
    let first = all.next().unwrap_or_default().to_owned();
    let rest: Vec<PathBuf> = all.map(PathBuf::from).collect();
    if rest.len() > Properties::MAX_ADDITIONAL_FILES {
        not.push(problem!("import-slides-beyond", most = Properties::MAX_ADDITIONAL_FILES + 1));
    }
    (first, rest)
}

/// Returns an X11 window, whose number, title and program are on separate lines.
fn window(settings: &Value) -> Option<String> {
    let mut lines = text(settings, "capture_window").split("\r\n");
    let (_, title, program) = (lines.next()?, lines.next()?.trim(), lines.next()?.trim());
    match (program, title) {
        ("", "") => None,
        ("", name) | (name, "") => Some(name.to_owned()),
        (program, title) => Some(format!("{program}/{title}")),
    }
}

fn cut(settings: &Value) -> Option<[f64; 4]> {
    let side = |key| number(settings, key).unwrap_or(0.0).max(0.0);
    let cut = [side("cut_left"), side("cut_top"), side("cut_right"), side("cut_bot")];
    cut.iter().any(|side| *side > 0.0).then_some(cut)
}

/// Returns the name of a source as part of an id.
fn shared_name(source: &Value) -> String {
    let plain = |sign: &char| sign.is_alphanumeric() || matches!(sign, ' ' | '-' | '_');
    let name: String = text(source, "name").chars().filter(plain).take(60).collect();
    if name.trim().is_empty() { "OBS".to_owned() } else { name.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::playback_control::EndBehavior;
    use serde_json::json;

    fn of(kind: &str, settings: &Value) -> Result<(String, Vec<Problem>), Problem> {
        let taken = read(&json!({"id": kind, "name": "It", "settings": settings}))?;
        Ok((taken.choice.to_string(), taken.not))
    }

    fn whole(kind: &str, settings: &Value) -> String {
        let (choice, not) = of(kind, settings).unwrap();
        assert_eq!(not, Vec::<String>::new());
        choice
    }

    #[test]
    fn their_kinds_are_ours() {
        let window = json!({"capture_window": "31457283\r\nNews: today\r\nfirefox"});
        assert_eq!(whole("xcomposite_input", &window), "window:firefox/News: today");
        assert!(of("xcomposite_input", &json!({})).unwrap_err().to_string().contains("window"));
        let file = json!({"from_file": true, "text_file": "/t/score.txt", "text": "no"});
        assert_eq!(whole("text_ft2_source_v2", &file), "text-file:/t/score.txt");
        let file = json!({"read_from_file": true, "file": "/t/a.txt"});
        assert_eq!(whole("text_gdiplus_v3", &file), "text-file:/t/a.txt");
        assert_eq!(whole("text_gdiplus", &json!({"text": "Hi"})), "text:Hi");
        assert_eq!(whole("color_source_v3", &json!({"color": 0xFF00_80FF_u32})), "color:#ff8000");
        assert_eq!(whole("color_source_v3", &json!({})), "color:#d1d1d1");
        assert_eq!(whole("color_source_v2", &json!({})), "color:#ffffff");
        let clip = json!({"local_file": "/v/a.mp4", "looping": true});
        assert_eq!(whole("ffmpeg_source", &clip), "file:/v/a.mp4");
        let stream = json!({"is_local_file": false, "input": "rtmp://host/live/x"});
        assert_eq!(whole("ffmpeg_source", &stream), "stream:rtmp://host/live/x");
        let page = json!({"url": "https://alerts.example/a?token=1"});
        assert_eq!(whole("browser_source", &page), "browser:https://alerts.example/a?token=1");
        let page = json!({"is_local_file": true, "local_file": "/o/page.html", "url": "no"});
        assert_eq!(whole("browser_source", &page), "browser:/o/page.html");
        assert_eq!(
            whole("browser_source", &json!({"url": "h.example"})),
            "browser:http://h.example"
        );
        let (camera, not) = of("pipewire-camera-source", &json!({"camera_id": "v4l2:/x"})).unwrap();
        assert_eq!((camera.as_str(), not.len()), ("camera", 1), "{not:?}");
    }

    #[test]
    fn slides_are_those_that_were_chosen_in_their_order() {
        let files = json!({"files": [{"value": "/p/b.png"}, {"value": "/p/a.png"}, {"value": ""},
                                     {"value": "/q"}, {"value": "/r/c.png"}]});
        let taken = read(&json!({"id": "slideshow", "name": "It", "settings": files})).unwrap();
        // The import does not show the whole folder /p, because the user did not choose its other
        // files.
        assert_eq!(taken.choice.to_string(), "slides:/p/b.png");
        assert_eq!(taken.properties.files, ["/p/a.png", "/q", "/r/c.png"].map(PathBuf::from));
        assert_eq!(taken.not, Vec::<String>::new());
        let folder = json!({"files": [{"value": "/a/b"}]});
        assert_eq!(whole("slideshow", &folder), "slides:/a/b");
        assert_eq!(of("slideshow", &json!({})), Err("slideshow".into()));
    }

    #[test]
    fn clips_end_as_theirs_do() {
        let end = |kind: &str, settings: &Value| {
            let taken = read(&json!({"id": kind, "settings": settings})).unwrap();
            assert_eq!(taken.not, Vec::<String>::new());
            taken.properties.at_end
        };
        let clip = |settings: Value| {
            let mut clip = settings;
            clip["local_file"] = "/v/a.mp4".into();
            end("ffmpeg_source", &clip)
        };
        assert_eq!(clip(json!({"looping": true, "clear_on_media_end": true})), EndBehavior::Loop);
        assert_eq!(clip(json!({})), EndBehavior::Clear, "as a new one has it");
        assert_eq!(clip(json!({"looping": false, "clear_on_media_end": false})), EndBehavior::Hold);
        let stream = json!({"is_local_file": false, "input": "rtmp://host/live/x"});
        assert_eq!(end("ffmpeg_source", &stream), EndBehavior::Loop);
        let list = |round: bool| json!({"loop": round, "playlist": [{"value": "/v/a.mp4"}]});
        assert_eq!(end("vlc_source", &list(true)), EndBehavior::Loop);
        assert_eq!(end("vlc_source", &list(false)), EndBehavior::Clear);
    }

    #[test]
    fn differences_of_video_sources_are_reported() {
        let not = |kind: &str, settings: &Value| {
            let differences = of(kind, settings).unwrap().1;
            differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        let once = json!({"local_file": "/v/a.mp4", "speed_percent": 50});
        assert_eq!(not("ffmpeg_source", &once), "the playback speed");
        let list = json!({"shuffle": true, "playlist":
            [{"value": "/v/a.mp4"}, {"value": "rtmp://h/a/b"}, {"value": "/v/c d.mp4"}]});
        let taken = read(&json!({"id": "vlc_source", "settings": list})).unwrap();
        assert_eq!(taken.choice.to_string(), "file:/v/a.mp4");
        assert_eq!(taken.properties.files, [PathBuf::from("/v/c d.mp4")]);
        assert_eq!(taken.not.len(), 2, "{:?}", taken.not);
        let list = json!({"playlist": [{"value": "rtmp://h/a/b"}, {"value": "/v/c.mp4"}]});
        assert!(not("vlc_source", &list).starts_with("playlist entries: 1 ("));
        assert!(not("xshm_input", &json!({"screen": 1})).contains("display 2"));
        let many: Vec<_> = (0..300).map(|n| json!({"value": format!("/p/{n}.png")})).collect();
        let many = read(&json!({"id": "slideshow", "settings": {"files": many}})).unwrap();
        assert_eq!(many.properties.files.len(), Properties::MAX_ADDITIONAL_FILES);
        assert_eq!(many.not, ["slides after the first 201"]);
        let screen = json!({"show_cursor": false, "cut_top": 40, "cut_left": -3});
        let taken = read(&json!({"id": "xshm_input", "settings": screen})).unwrap();
        assert!(taken.properties.without_pointer);
        assert_eq!(taken.cut, Some([0.0, 40.0, 0.0, 0.0]));
    }
}
