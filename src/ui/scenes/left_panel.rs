//! The left panel: what is seen and what is heard, each a list from which one is chosen.

use std::path::Path;

use egui::{Align, Layout, ScrollArea, Ui, vec2};

use crate::audio::AudioChoice;
use crate::capture::{CameraChoice, VideoChoice};
use crate::mix::StripId;
use crate::studio::Command;
use crate::studio::snapshot::{Device, SourceState};
use crate::ui::input::actions::key;
use crate::ui::scenes;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::format;
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{Button, ButtonWeight, Row, icon_button, label, paragraph, section};

/// The panel.
pub fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut scenes::Draft) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        crate::ui::scenes::list::show(ui, view, draft);
        ui.add_space(gap::L);
        pictures(ui, view);
        ui.add_space(gap::L);
        sounds(ui, view);
    });
}

fn heading(ui: &mut Ui, view: &mut View<'_>, text: &str, refresh: bool) {
    ui.allocate_ui_with_layout(
        vec2(ui.available_width(), 24.0),
        Layout::right_to_left(Align::Center),
        |ui| {
            if refresh {
                let name = view.texts.get("refresh-devices");
                if icon_button(ui, view.theme, Icon::Refresh, &name, 24.0, ButtonWeight::Quiet)
                    .clicked()
                {
                    view.send(Command::RefreshDevices);
                }
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                section(ui, view.theme, text);
            });
        },
    );
    ui.add_space(2.0);
}

/// The lamp and the second line of the chosen source.
fn state_of(
    view: &View<'_>,
    state: SourceState,
    format: &str,
    plain: &str,
) -> (egui::Color32, String) {
    match state {
        SourceState::Open => {
            (view.theme.good, if format.is_empty() { plain.to_owned() } else { format.to_owned() })
        }
        SourceState::Opening => {
            (view.theme.secondary, view.texts.get(key!("state-opening")).to_string())
        }
        SourceState::Stalled => {
            (view.theme.warn, view.texts.get(key!("state-stalled")).to_string())
        }
        SourceState::Lost => (view.theme.warn, view.texts.get(key!("state-lost")).to_string()),
        SourceState::Failed => (view.theme.warn, view.texts.get(key!("state-failed")).to_string()),
    }
}

struct SourceLine<'a> {
    icon: Icon,
    title: &'a str,
    second: &'a str,
    chosen: bool,
}

/// One row; tells whether it was pressed.
fn row(
    ui: &mut Ui,
    view: &View<'_>,
    line: &SourceLine<'_>,
    state: Option<SourceState>,
    format: &str,
) -> bool {
    let (lamp, second) = match state.filter(|_| line.chosen) {
        Some(state) => {
            let (lamp, second) = state_of(view, state, format, line.second);
            (Some(lamp), second)
        }
        None => (None, line.second.to_owned()),
    };
    Row { icon: line.icon, title: line.title, second: &second, chosen: line.chosen, lamp }
        .show(ui, view.theme)
        .clicked()
}

/// Devices to list: those that are there, and the chosen one when it is not among them.
fn listed(devices: &[Device], chosen: Option<(&str, &str)>) -> Vec<(String, String)> {
    let mut list: Vec<(String, String)> =
        devices.iter().map(|device| (device.id.clone(), device.name.clone())).collect();
    if let Some((id, name)) = chosen
        && !list.iter().any(|(known, _)| known == id)
    {
        let name = if name.is_empty() { id } else { name };
        list.push((id.to_owned(), name.to_owned()));
    }
    list
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn pictures(ui: &mut Ui, view: &mut View<'_>) {
    let texts = view.texts;
    let snapshot = view.snapshot;
    heading(ui, view, &texts.get("video"), true);
    let source = snapshot.video.as_ref();
    let choice = source.map(|source| &source.choice);
    let state = source.map(|source| source.state);
    let format = source.and_then(|source| source.format).map_or_else(String::new, |(size, fps)| {
        let fps = format!("{fps:.0}");
        let rate = texts.with("fps", &[("value", fps.into())]);
        format!("{} · {rate}", format::size(size))
    });
    let mut select = None;
    let chosen_camera = match (choice, source) {
        (Some(VideoChoice::Camera(camera)), Some(source)) => {
            camera.id.as_deref().map(|id| (id, source.name.as_str()))
        }
        _ => None,
    };
    let cameras = listed(&snapshot.cameras, chosen_camera);
    for (index, (id, name)) in cameras.iter().enumerate() {
        let unnamed =
            |it: &VideoChoice| matches!(it, VideoChoice::Camera(camera) if camera.id.is_none());
        let any = index == 0 && choice.is_some_and(unnamed);
        let chosen = any || chosen_camera.is_some_and(|(chosen, _)| chosen == id);
        let line = SourceLine { icon: Icon::Camera, title: name, second: "", chosen };
        if row(ui, view, &line, state, &format) {
            select = Some(VideoChoice::Camera(CameraChoice::of(id)));
        }
    }
    let test = SourceLine {
        icon: Icon::TestPicture,
        title: &texts.get("test-pattern"),
        second: &texts.get("test-pattern-second"),
        chosen: choice == Some(&VideoChoice::Test),
    };
    if row(ui, view, &test, state, &format) {
        select = Some(VideoChoice::Test);
    }
    let file = match choice {
        Some(VideoChoice::File(path)) => Some(file_name(path)),
        _ => None,
    };
    let title = texts.get("video-file");
    let line = SourceLine {
        icon: Icon::Film,
        title: file.as_deref().unwrap_or(&title),
        second: &texts.get("video-file-second"),
        chosen: file.is_some(),
    };
    if row(ui, view, &line, state, &format) {
        view.wish(WindowRequest::PickVideoFile);
    }
    if choice == Some(&VideoChoice::None) {
        let title = texts.get("no-video");
        let line = SourceLine { icon: Icon::NoVideo, title: &title, second: "", chosen: true };
        row(ui, view, &line, None, "");
    }
    if let Some(choice) = select {
        view.send(Command::SelectVideo(choice));
    }
    if cameras.is_empty() {
        empty(ui, view, "no-camera-title", "no-camera-advice");
    }
}

fn sounds(ui: &mut Ui, view: &mut View<'_>) {
    let texts = view.texts;
    let snapshot = view.snapshot;
    heading(ui, view, &texts.get("audio"), false);
    let source = snapshot.audio.as_ref();
    let choice = source.map(|source| &source.choice);
    let state = source.map(|source| source.state);
    let chosen_mic = match (choice, source) {
        (Some(AudioChoice::Mic(Some(id))), Some(source)) => {
            Some((id.as_str(), source.name.as_str()))
        }
        _ => None,
    };
    let microphones = listed(&snapshot.microphones, chosen_mic);
    let mut select = None;
    if !microphones.is_empty() {
        let second = texts.get("microphone-default-second");
        let default = SourceLine {
            icon: Icon::Microphone,
            title: &texts.get("microphone-default"),
            second: &second,
            chosen: choice == Some(&AudioChoice::Mic(None)),
        };
        let name = source.map_or("", |source| source.name.as_str());
        if row(ui, view, &default, state, name) {
            select = Some(AudioChoice::Mic(None));
        }
    }
    for (id, name) in &microphones {
        let chosen = chosen_mic.is_some_and(|(chosen, _)| chosen == id);
        let line = SourceLine { icon: Icon::Microphone, title: name, second: "", chosen };
        if row(ui, view, &line, state, "") {
            select = Some(AudioChoice::Mic(Some(id.clone())));
        }
    }
    let mut played = crate::ui::mixer::labels::played(view);
    played.extend(crate::ui::mixer::labels::shown(view, Some(StripId::MAIN)));
    // One that is chosen stays in the list when its picture is gone.
    let stream = choice.filter(|one| matches!(one, AudioChoice::Stream(_)));
    let stream = stream.filter(|one| !played.contains(one)).cloned();
    let listed = choice.is_some_and(|one| played.contains(one));
    for one in played.into_iter().chain(stream) {
        let name = source.map_or("", |source| source.name.as_str());
        let chosen = choice == Some(&one);
        let title =
            crate::ui::mixer::labels::name_of_choice(view, &one, if chosen { name } else { "" });
        let line = SourceLine { icon: Icon::Note, title: &title, second: "", chosen };
        if row(ui, view, &line, state, "") {
            select = Some(one);
        }
    }
    let second = texts.get("test-tone-second");
    for (icon, title, second, one) in [
        (Icon::Tone, texts.get("test-tone"), &*second, AudioChoice::Tone),
        (Icon::Silence, texts.get("silence"), "", AudioChoice::Silence),
    ] {
        let line = SourceLine { icon, title: &title, second, chosen: choice == Some(&one) };
        if row(ui, view, &line, state, "") {
            select = Some(one);
        }
    }
    let file = match choice {
        Some(AudioChoice::File(path)) if !listed => Some(file_name(path)),
        _ => None,
    };
    let title = texts.get("audio-file");
    let line = SourceLine {
        icon: Icon::Note,
        title: file.as_deref().unwrap_or(&title),
        second: &texts.get("audio-file-second"),
        chosen: file.is_some(),
    };
    if row(ui, view, &line, state, "") {
        view.wish(WindowRequest::PickAudioFile);
    }
    if choice == Some(&AudioChoice::None) {
        let title = texts.get("no-audio");
        let line = SourceLine { icon: Icon::Silence, title: &title, second: "", chosen: true };
        row(ui, view, &line, None, "");
    }
    if let Some(choice) = select {
        view.send(Command::SelectAudio(choice));
    }
}

/// What to do where there is no device.
fn empty(ui: &mut Ui, view: &mut View<'_>, title: &'static str, advice: &'static str) {
    ui.add_space(gap::S);
    egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 0)).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = gap::XS;
        label(ui, &view.texts.get(title), Type::SmallStrong, view.theme.text);
        paragraph(ui, &view.texts.get(advice), Type::Small, view.theme.secondary);
        ui.add_space(gap::XS);
        let text = view.texts.get("search-again");
        if Button::new(&text).small().icon(Icon::Refresh).show(ui, view.theme).clicked() {
            view.send(Command::RefreshDevices);
        }
    });
}

/// Names used through [`empty`], for the test of texts.
const _: [&str; 2] = [key!("no-camera-title"), key!("no-camera-advice")];
