//! Converts text styles and slide show timing of OBS's files to onair's properties.

use std::time::Duration;

use serde_json::Value;

use crate::capture::browser::DEFAULT_CSS;
use crate::capture::text::{Align, Shadow, Style, TextAppearance};
use crate::capture::{BrowserPage, Order, Pace, Properties, Rgba, WhenHidden};
use crate::media::Size;
use crate::media::playback_control::EndBehavior;
use crate::studio::settings::import::obs::json::{color, is_off, is_on, number, part, text, whole};
use crate::text::problem::{Problem, problem};

/// The bit for bold in a font's `flags`.
const BOLD_FLAG: u64 = 1;
const ITALIC_FLAG: u64 = 2;
const LINE_FLAGS: u64 = 4 | 8;

/// Converts the properties of a source of this kind (without its version). Also returns the
/// unsupported parts.
pub fn properties(kind: &str, source: &Value) -> (Properties, Vec<Problem>) {
    let settings = part(source, "settings");
    let mut not = Vec::new();
    let (hidden, at_end) = (hidden(kind, settings), at_end(kind, settings));
    let base = Properties { hidden, at_end, ..Properties::default() };
    let set = match kind {
        "text_ft2_source" => Properties { text: free_type(source, settings, &mut not), ..base },
        "text_gdiplus" => Properties { text: gdi(source, settings, &mut not), ..base },
        "slideshow" => Properties { slides: pace(settings, &mut not), ..base },
        "xshm_input" | "xcomposite_input" | "display_capture" | "screen_capture" => {
            Properties { without_pointer: is_off(settings, "show_cursor"), ..base }
        }
        "monitor_capture" => {
            Properties { without_pointer: is_off(settings, "capture_cursor"), ..base }
        }
        "browser_source" => Properties { page: Box::new(page(settings, &mut not)), ..base },
        _ if kind.starts_with("pipewire-") => {
            Properties { without_pointer: is_off(settings, "ShowCursor"), ..base }
        }
        _ => base,
    };
    (set.bounded(), not)
}

/// Returns the properties of a page. OBS does not write values that the user has not changed.
fn page(settings: &Value, not: &mut Vec<Problem>) -> BrowserPage {
    let side =
        |key, usual: u32| whole(settings, key).and_then(|it| it.try_into().ok()).unwrap_or(usual);
    let has_css = settings.get("css").is_some();
    let fps = is_on(settings, "fps_custom").then(|| side("fps", 30));
    if is_on(settings, "reroute_audio") {
        not.push(problem!("import-page-audio"));
    }
    BrowserPage {
        size: Some(Size::new(side("width", 800), side("height", 600))),
        fps,
        css: if has_css { text(settings, "css").to_owned() } else { DEFAULT_CSS.to_owned() },
        shut_down_when_hidden: is_on(settings, "shutdown"),
        refresh_when_shown: is_on(settings, "restart_when_active"),
        local_network: false,
    }
}

/// Returns the behavior of media while hidden.
fn hidden(kind: &str, settings: &Value) -> WhenHidden {
    match kind {
        "ffmpeg_source" if is_off(settings, "restart_on_activate") => WhenHidden::Plays,
        "ffmpeg_source" => WhenHidden::Restarts,
        "slideshow" | "vlc_source" => match text(settings, "playback_behavior") {
            "pause_unpause" => WhenHidden::Pauses,
            "stop_restart" => WhenHidden::Restarts,
            // A setting that the user has not changed is not in the file.
            "" if kind == "vlc_source" => WhenHidden::Restarts,
            _ => WhenHidden::Plays,
        },
        _ => WhenHidden::Plays,
    }
}

/// Returns the behavior of media at the end.
fn at_end(kind: &str, settings: &Value) -> EndBehavior {
    match kind {
        "ffmpeg_source" if is_off(settings, "is_local_file") || is_on(settings, "looping") => {
            EndBehavior::Loop
        }
        "ffmpeg_source" if is_off(settings, "clear_on_media_end") => EndBehavior::Hold,
        "ffmpeg_source" => EndBehavior::Clear,
        "vlc_source" if is_off(settings, "loop") => EndBehavior::Clear,
        _ => EndBehavior::Loop,
    }
}

/// Returns a color whose opacity is a separate value from 0 to 100.
fn with_opacity(settings: &Value, key: &str, default: u64, opacity: &str, usual: f64) -> Rgba {
    let share = number(settings, opacity).unwrap_or(usual).clamp(0.0, 100.0) / 100.0;
    let alpha = (share * 255.0).round() as u8;
    Rgba { alpha, ..color(whole(settings, key).unwrap_or(default)) }
}

/// Returns the font and size; `usual` is the size if the file contains none.
fn font(settings: &Value, usual: u32, not: &mut Vec<Problem>) -> Style {
    let font = part(settings, "font");
    let flags = whole(font, "flags").unwrap_or(0);
    let style = text(font, "style").to_lowercase();
    if flags & LINE_FLAGS != 0 {
        not.push(problem!("import-lines"));
    }
    let size = number(font, "size").map_or(usual, |it| it.clamp(1.0, 10_000.0) as u32);
    let bold = flags & BOLD_FLAG != 0 || style.contains("bold");
    Style {
        family: text(font, "face").to_owned(),
        size,
        weight: if bold { 700 } else { 400 },
        italic: flags & ITALIC_FLAG != 0 || style.contains("italic") || style.contains("oblique"),
        ..Style::default()
    }
}

/// Returns the default size, which is larger in later versions of both kinds of text source.
fn usual_size(source: &Value, first: u32) -> u32 {
    let version = text(source, "versioned_id");
    if version.ends_with("_v2") || version.ends_with("_v3") { 256 } else { first }
}

fn free_type(source: &Value, settings: &Value, not: &mut Vec<Problem>) -> TextAppearance {
    let (first, second) = (whole(settings, "color1"), whole(settings, "color2"));
    if first.unwrap_or(0xFFFF_FFFF) != second.unwrap_or(0xFFFF_FFFF) {
        not.push(problem!("import-second-color"));
    }
    if is_on(settings, "log_mode") {
        not.push(problem!("import-last-lines"));
    }
    let style = Style {
        color: color(first.unwrap_or(0xFFFF_FFFF)),
        // OBS always outlines with this style.
        outline: is_on(settings, "outline").then_some((Rgba::BLACK, 2)),
        shadow: is_on(settings, "drop_shadow").then_some(Shadow {
            color: Rgba::BLACK,
            right: 4,
            down: 4,
            blur: 0,
        }),
        ..font(settings, usual_size(source, 32), not)
    };
    let width = whole(settings, "custom_width").filter(|width| *width >= 100);
    let width = width.filter(|_| is_on(settings, "word_wrap"));
    TextAppearance {
        style,
        width: width.and_then(|it| u32::try_from(it).ok()),
        ..TextAppearance::default()
    }
}

fn gdi(source: &Value, settings: &Value, not: &mut Vec<Problem>) -> TextAppearance {
    for (key, what) in [
        ("gradient", problem!("import-gradient")),
        ("vertical", problem!("import-downwards")),
        ("chatlog", problem!("import-last-lines")),
    ] {
        if is_on(settings, key) {
            not.push(what);
        }
    }
    if number(settings, "transform").is_some_and(|it| it != 0.0) {
        not.push(problem!("import-capitals"));
    }
    let outline = is_on(settings, "outline").then(|| {
        let color = with_opacity(settings, "outline_color", 0x00FF_FFFF, "outline_opacity", 100.0);
        (color, number(settings, "outline_size").unwrap_or(2.0).clamp(0.0, 100.0) as u32)
    });
    let ground = with_opacity(settings, "bk_color", 0, "bk_opacity", 0.0);
    let style = Style {
        color: with_opacity(settings, "color", 0x00FF_FFFF, "opacity", 100.0),
        outline,
        background: (ground.alpha > 0).then_some(ground),
        align: match text(settings, "align") {
            "center" => Align::Center,
            "right" => Align::Right,
            _ => Align::Left,
        },
        ..font(settings, usual_size(source, 36), not)
    };
    let wraps = is_on(settings, "extents") && !is_off(settings, "extents_wrap");
    let width = whole(settings, "extents_cx").filter(|_| wraps);
    TextAppearance {
        style,
        width: width.and_then(|it| u32::try_from(it).ok()),
        ..TextAppearance::default()
    }
}

fn pace(settings: &Value, not: &mut Vec<Problem>) -> Pace {
    let ms = |key: &str, usual: f64| {
        Duration::from_millis(number(settings, key).unwrap_or(usual).clamp(0.0, 3_600_000.0) as u64)
    };
    let kind = text(settings, "transition");
    if !matches!(kind, "" | "fade" | "cut") {
        not.push(problem!("import-slides-by", kind = &kind));
    }
    if text(settings, "slide_mode") == "mode_manual" {
        not.push(problem!("import-slides-by-key"));
    }
    if is_on(settings, "hide") {
        not.push(problem!("import-nothing-after-slides"));
    }
    let mode = text(settings, "playback_mode");
    let shuffled = mode == "random" || is_on(settings, "randomize");
    let round = mode != "once" && !is_off(settings, "loop");
    Pace {
        // OBS's value includes the fade.
        time: ms("slide_time", 8_000.0),
        fade: if kind == "cut" { Duration::ZERO } else { ms("transition_speed", 700.0) },
        order: if shuffled { Order::Shuffled } else { Order::Name },
        repeat: round,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(kind: &str, version: &str, settings: &Value) -> (Properties, Vec<Problem>) {
        properties(kind, &json!({"versioned_id": version, "settings": settings}))
    }

    #[test]
    fn texts_look_as_they_did() {
        let (set, not) = of(
            "text_ft2_source",
            "text_ft2_source_v2",
            &json!({"font": {"face": "DejaVu Sans", "style": "Bold Oblique", "size": 72, "flags": 0},
                    "color1": 0x8033_66FF_u32, "color2": 0x8033_66FF_u32, "outline": true,
                    "drop_shadow": true, "custom_width": 640, "word_wrap": true}),
        );
        let TextAppearance { style, width, .. } = set.text;
        assert_eq!((style.family.as_str(), style.size, style.weight), ("DejaVu Sans", 72, 700));
        assert!(style.italic && not.is_empty(), "{not:?}");
        assert_eq!(style.color.channels(), [255, 0x66, 0x33, 0x80]);
        assert_eq!((style.outline, width), (Some((Rgba::BLACK, 2)), Some(640)));
        assert_eq!(style.shadow.map(|it| (it.right, it.down, it.blur)), Some((4, 4, 0)));
        let (set, not) = of(
            "text_gdiplus",
            "text_gdiplus",
            &json!({"font": {"face": "Arial", "flags": 5, "size": 40}, "color": 0xFF, "opacity": 50,
                    "outline": true, "outline_size": 6, "outline_color": 0xFF00, "bk_color": 0xFF0000,
                    "bk_opacity": 100, "align": "right", "extents": true, "extents_cx": 300,
                    "gradient": true}),
        );
        let TextAppearance { style, width, .. } = set.text;
        assert_eq!(style.color.channels(), [255, 0, 0, 128]);
        assert_eq!(style.outline, Some((Rgba::opaque(0, 255, 0), 6)));
        assert_eq!(style.background, Some(Rgba::opaque(0, 0, 255)));
        assert_eq!((style.align, width, style.weight), (Align::Right, Some(300), 700));
        assert_eq!(not, ["the gradient", "underline and strikeout"]);
        // A value that is not in the file has its default.
        let size = |version| of("text_ft2_source", version, &json!({})).0.text.style.size;
        assert_eq!((size("text_ft2_source"), size("text_ft2_source_v2")), (32, 256));
        assert_eq!(of("text_ft2_source", "", &json!({})).0.text.width, None);
    }

    #[test]
    fn slides_keep_their_time() {
        let (set, not) = of(
            "slideshow",
            "",
            &json!({"slide_time": 3000, "transition": "swipe", "transition_speed": 250,
                    "playback_mode": "random", "loop": false,
                    "playback_behavior": "pause_unpause"}),
        );
        let Pace { time, fade, order, repeat } = set.slides;
        assert_eq!((time.as_millis(), fade.as_millis()), (3_000, 250));
        assert_eq!((order, repeat, set.hidden), (Order::Shuffled, false, WhenHidden::Pauses));
        assert_eq!(not, ["the slide transition 'swipe' (onair fades between slides)"]);
        assert_eq!(
            of("slideshow", "", &json!({"transition": "cut"})).0.slides.fade,
            Duration::ZERO
        );
    }

    #[test]
    fn what_is_not_in_the_file_is_as_theirs_is_at_first() {
        let hidden = |kind: &str, settings: Value| of(kind, "", &settings).0.hidden;
        assert_eq!(hidden("vlc_source", json!({})), WhenHidden::Restarts);
        let plays = json!({"playback_behavior": "always_play"});
        assert_eq!(hidden("vlc_source", plays), WhenHidden::Plays);
        assert_eq!(hidden("slideshow", json!({})), WhenHidden::Plays);
        let without = |kind: &str, key: &str| {
            let mut settings = json!({});
            assert!(!of(kind, "", &settings).0.without_pointer, "{kind}");
            settings[key] = false.into();
            of(kind, "", &settings).0.without_pointer
        };
        assert!(without("pipewire-screen-capture-source", "ShowCursor"));
        assert!(
            without("xshm_input", "show_cursor") && without("monitor_capture", "capture_cursor")
        );
    }
}
