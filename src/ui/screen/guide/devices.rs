//! The step for camera and microphone: a preview of the program, and the level of the audio.

use egui::{CornerRadius, Rect, Role, Sense, Ui, WidgetInfo, vec2};

use crate::audio::AudioChoice;
use crate::capture::{CameraChoice, DisplayTarget, VideoChoice};
use crate::studio::Command;
use crate::studio::snapshot::{AudioSource, SourceState};
use crate::ui::input::actions::key;
use crate::ui::scenes::kind::icon_of_choice;
use crate::ui::screen::guide::columns::columns;
use crate::ui::studio_page::mixer::labels::{levels_of, meter_of};
use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{FRAME_BACKGROUND, Type, gap};
use crate::ui::text::format;
use crate::ui::video::{FrameView, fitted};
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, Select, label, menu_item, menu_rule, paragraph};

/// A peak level below this value counts as silent.
const SILENT_PEAK_DBFS: f32 = -55.0;
/// The level below which viewers would raise their volume.
const QUIET_PEAK_DBFS: f32 = -32.0;

pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, program: &mut FrameView) {
    let room = ui.available_rect_before_wrap();
    let quality = &view.snapshot.quality;
    let shape = quality.size.aspect();
    let width = (room.height() * shape).min(room.width() * 0.55);
    let preview = |ui: &mut Ui, view: &mut View<'_>| {
        let height = width / shape;
        let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
        let name = view.texts.get("guide-picture");
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &*name));
        let rect: Rect = fitted(rect, shape, ui.pixels_per_point());
        if !program.paint(ui, rect) {
            ui.painter().rect_filled(rect, CornerRadius::ZERO, FRAME_BACKGROUND);
        }
    };
    columns(ui, width, view, preview, |ui, view| {
        let width = ui.available_width();
        camera(ui, view, width);
        ui.add_space(gap::S);
        microphone(ui, view, width);
    });
}

fn camera(ui: &mut Ui, view: &mut View<'_>, width: f32) {
    let (theme, texts, snapshot) = (view.theme, view.texts, view.snapshot);
    let name = texts.get("guide-camera");
    label(ui, &name, Type::Small, theme.secondary);
    let usual = snapshot.usual_video();
    let video = usual.as_ref();
    let choice = video.map(|video| &video.choice);
    let (screen, test) = (texts.get("guide-screen"), texts.get("test-pattern"));
    let open = video.map_or("", |video| video.name.as_str());
    let shown = match choice {
        Some(VideoChoice::Test) => test.to_string(),
        Some(VideoChoice::Screen(_)) => screen.to_string(),
        Some(_) if !open.is_empty() => open.to_owned(),
        _ => texts.get("guide-no-camera").to_string(),
    };
    let mut wanted = None;
    let icon = choice.map_or(Icon::Camera, icon_of_choice);
    Select::new(&name, &shown, width).icon(icon).show(ui, theme, |ui| {
        for (index, device) in snapshot.cameras.iter().enumerate() {
            let chosen = match choice {
                Some(VideoChoice::Camera(CameraChoice { id: Some(id), .. })) => *id == device.id,
                Some(VideoChoice::Camera(_)) => index == 0,
                _ => false,
            };
            if menu_item(ui, theme, &device.name, "", chosen, true) {
                wanted = Some(VideoChoice::Camera(CameraChoice::of(&device.id)));
            }
        }
        if !snapshot.cameras.is_empty() {
            menu_rule(ui, theme);
        }
        let is_screen = matches!(choice, Some(VideoChoice::Screen(_)));
        if menu_item(ui, theme, &screen, "", is_screen, true) {
            wanted = Some(VideoChoice::Screen(DisplayTarget::default()));
        }
        if menu_item(ui, theme, &test, "", choice == Some(&VideoChoice::Test), true) {
            wanted = Some(VideoChoice::Test);
        }
    });
    if let Some(choice) = wanted {
        view.send(Command::SelectVideo(choice));
    }
    let trouble = match video.map(|video| video.state) {
        Some(SourceState::Opening) => Some((key!("state-opening"), theme.secondary)),
        Some(SourceState::Stalled) => Some((key!("state-stalled"), theme.warn)),
        Some(SourceState::Lost) => Some((key!("state-lost"), theme.warn)),
        Some(SourceState::Failed) => Some((why_failed(choice), theme.warn)),
        _ => None,
    };
    match trouble {
        Some((key, color)) => drop(paragraph(ui, &texts.get(key), Type::Small, color)),
        None if snapshot.cameras.is_empty() => {
            paragraph(ui, &texts.get("guide-no-camera-advice"), Type::Small, theme.secondary);
            let again = texts.get("search-again");
            let button = Button::new(&again).small().weight(ButtonWeight::Plain);
            if button.icon(Icon::Refresh).show(ui, theme).clicked() {
                view.send(Command::RefreshDevices);
            }
        }
        None => {}
    }
}

fn microphone(ui: &mut Ui, view: &mut View<'_>, width: f32) {
    let (theme, texts, snapshot) = (view.theme, view.texts, view.snapshot);
    let name = texts.get("guide-microphone");
    label(ui, &name, Type::Small, theme.secondary);
    let audio = snapshot.audio.as_ref();
    let choice = audio.map(|audio| &audio.choice);
    let default = texts.get("microphone-default");
    let shown = match (choice, audio) {
        (Some(AudioChoice::Mic(None)), _) => default.to_string(),
        (Some(AudioChoice::Tone), _) => texts.get("test-tone").to_string(),
        (Some(AudioChoice::Silence | AudioChoice::None), _) => texts.get("silence").to_string(),
        (_, Some(audio)) if !audio.name.is_empty() => audio.name.clone(),
        _ => texts.get("guide-no-microphone").to_string(),
    };
    let mut wanted = None;
    Select::new(&name, &shown, width).icon(Icon::Microphone).show(ui, theme, |ui| {
        let mut line = |ui: &mut Ui, title: &str, one: AudioChoice| {
            if menu_item(ui, theme, title, "", choice == Some(&one), true) {
                wanted = Some(one);
            }
        };
        if !snapshot.microphones.is_empty() {
            line(ui, &default, AudioChoice::Mic(None));
        }
        for device in &snapshot.microphones {
            line(ui, &device.name, AudioChoice::Mic(Some(device.id.clone())));
        }
        line(ui, &texts.get("test-tone"), AudioChoice::Tone);
        line(ui, &texts.get("silence"), AudioChoice::Silence);
    });
    if let Some(choice) = wanted {
        view.send(Command::SelectAudio(choice));
    }
    let Some(audio) = audio else { return };
    ui.add_space(gap::XS);
    let levels = levels_of(audio);
    meter_of(ui, view, &name, levels, None, width);
    let (key, good) = level(audio);
    let db = format::signed(f64::from(audio.held_dbfs), 0, false);
    let words = texts.with(key, &[("db", db.into())]);
    let (icon, color) = match good {
        true => (Icon::Check, theme.good),
        false => (Icon::Info, theme.warn),
    };
    ui.horizontal_top(|ui| {
        let (at, _) = ui.allocate_exact_size(vec2(16.0, 18.0), Sense::hover());
        icons::paint_at(ui.painter(), icon, at.center(), 14.0, color);
        paragraph(ui, &words, Type::Body, color);
    });
}

/// Returns the text for a video source that does not open.
fn why_failed(choice: Option<&VideoChoice>) -> &'static str {
    match choice {
        Some(VideoChoice::Camera(_)) => key!("guide-camera-failed"),
        Some(VideoChoice::Screen(_)) => key!("guide-display-failed"),
        _ => key!("state-failed"),
    }
}

/// Returns the text for the level, and whether the level is good.
fn level(audio: &AudioSource) -> (&'static str, bool) {
    match &audio.choice {
        _ if audio.muted => (key!("guide-muted"), false),
        AudioChoice::Silence | AudioChoice::None => (key!("guide-silence"), false),
        _ if audio.state == SourceState::Failed || audio.state == SourceState::Lost => {
            (key!("guide-microphone-failed"), false)
        }
        AudioChoice::Tone => (key!("guide-test-tone"), false),
        _ if audio.clipped => (key!("guide-too-loud"), false),
        _ if audio.held_dbfs < SILENT_PEAK_DBFS => (key!("guide-nothing-heard"), false),
        _ if audio.held_dbfs < QUIET_PEAK_DBFS => (key!("guide-quiet"), false),
        _ => (key!("guide-good-level"), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_camera_is_called_a_camera_if_it_does_not_open() {
        let of = |choice: VideoChoice| why_failed(Some(&choice));
        assert_eq!(of(VideoChoice::Camera(CameraChoice::default())), "guide-camera-failed");
        assert_eq!(of(VideoChoice::Screen(DisplayTarget::default())), "guide-display-failed");
        assert_eq!(of(VideoChoice::Test), "state-failed");
    }

    #[test]
    fn the_level_is_judged_as_a_listener_would() {
        let judged = |choice: AudioChoice, held_dbfs: f32, muted: bool, clipped: bool| {
            let audio = AudioSource {
                choice,
                chosen: true,
                state: SourceState::Open,
                name: String::new(),
                gain_db: 0.0,
                muted,
                peak_dbfs: held_dbfs,
                channels_dbfs: None,
                held_dbfs,
                rms_dbfs: held_dbfs,
                clipped,
                drift_ppm: None,
            };
            level(&audio)
        };
        let of = |held, muted, clipped| judged(AudioChoice::Mic(None), held, muted, clipped);
        assert_eq!(of(-15.0, false, false), ("guide-good-level", true));
        assert_eq!(of(-40.0, false, false), ("guide-quiet", false));
        assert_eq!(of(-70.0, false, false), ("guide-nothing-heard", false));
        assert_eq!(of(-0.1, false, true), ("guide-too-loud", false));
        assert_eq!(of(-15.0, true, false), ("guide-muted", false));
        // The test tone does not count as a good level.
        let tone = judged(AudioChoice::Tone, -15.0, false, false);
        assert_eq!(tone, ("guide-test-tone", false));
    }
}
