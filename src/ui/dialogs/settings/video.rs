//! The page *Video*: the size and rate of the program's frames, within the limits of the targets'
//! services, and the virtual camera.

use egui::Ui;

use crate::media::{BitsPerSecond, FrameRate, Size};
use crate::studio::settings::{VirtualCameraChoices, VirtualCameraSource};
use crate::studio::{Command, Quality};
use crate::ui::dialogs::settings::draft::SettingsDraft;
use crate::ui::dialogs::settings::row::{Choice, choice, row};
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::input::actions::key;
use crate::ui::style::theme::Type;
use crate::ui::targets::limits;
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{label, paragraph, switch, whole_slider};

/// The usual frame sizes, with the portrait ones last.
pub(super) const FRAME_SIZES: [(u32, u32); 8] = [
    (640, 360),
    (854, 480),
    (1280, 720),
    (1920, 1080),
    (2560, 1440),
    (3840, 2160),
    (720, 1280),
    (1080, 1920),
];
const FRAME_RATES: [u32; 6] = [24, 25, 30, 48, 50, 60];

/// Returns the reason why size and rate cannot be changed now, if the program is on air or recorded.
fn fixed(view: &View<'_>) -> Option<String> {
    let is_fixed = view.snapshot.is_live_or_recording();
    is_fixed.then(|| view.texts.get("quality-on-air").to_string())
}

pub(super) fn size(ui: &mut Ui, view: &mut View<'_>, draft: &mut SettingsDraft) {
    let sizes = FRAME_SIZES.map(|(width, height)| Size::new(width, height)).to_vec();
    let all = (Setting::Size, sizes);
    frames(ui, view, draft, all, |it| &mut it.size, format::size, limits::why_no_size);
}

pub(super) fn rate(ui: &mut Ui, view: &mut View<'_>, draft: &mut SettingsDraft) {
    let rates = FRAME_RATES.iter().filter_map(|rate| FrameRate::new(*rate, 1)).collect();
    let texts = view.texts;
    let name = |rate| texts.with("fps", &[("value", format::rate(rate).into())]);
    let all = (Setting::Rate, rates);
    frames(ui, view, draft, all, |it| &mut it.frame_rate, name, limits::why_no_rate);
}

/// Draws the row for the frames' size or rate, the part `of` the quality.
fn frames<T: PartialEq + Copy>(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut SettingsDraft,
    (setting, mut values): (Setting, Vec<T>),
    of: fn(&mut Quality) -> &mut T,
    name: impl Fn(T) -> String,
    why_not: fn(&View<'_>, &Quality) -> Option<String>,
) {
    let mut quality = view.snapshot.quality.clone();
    let now = *of(&mut quality);
    if !values.contains(&now) {
        values.insert(0, now);
    }
    let choose = |value| {
        *of(&mut quality) = value;
        (value, name(value), fixed(view).or_else(|| why_not(view, &quality)))
    };
    let all: Vec<Choice<T>> = values.into_iter().map(choose).collect();
    let usual = *of(&mut Quality::default());
    let is_fixed = fixed(view).is_some();
    let default = (now != usual && !is_fixed).then(|| name(usual));
    let mut wanted = None;
    let reset = row(ui, view, draft, setting, default.as_deref(), |ui, row_name| {
        wanted = choice(ui, view, row_name, (now, usual), &name(now), &all);
    });
    let wanted = if reset { Some(usual) } else { wanted };
    if let Some(value) = wanted.filter(|_| !is_fixed) {
        *of(&mut quality) = value;
        view.send(Command::SetQuality(quality));
    }
}

pub(super) fn bitrate(ui: &mut Ui, view: &mut View<'_>, draft: &mut SettingsDraft) {
    let quality = view.snapshot.quality.clone();
    let usual = Quality::default().video_bitrate;
    let limit = limits::video_bitrate(view);
    let most = limit.as_ref().map_or(limits::MAX_VIDEO_BITRATE, |(most, _)| *most);
    let default = (quality.video_bitrate != usual).then(|| format::bitrate(usual.0));
    let mut wanted = None;
    let reset = row(ui, view, draft, Setting::Bitrate, default.as_deref(), |ui, name| {
        let theme = view.theme;
        label(ui, &format::bitrate(quality.video_bitrate.0), Type::FigureStrong, theme.text);
        let mut kbps = quality.video_bitrate.0 as f32 / 1_000.0;
        let (range, width) = (300.0..=most.0 as f32 / 1_000.0, ui.available_width());
        if whole_slider(ui, theme, &mut kbps, (range, 100.0), 2_500.0, name, width).changed() {
            wanted = Some(BitsPerSecond(kbps as u32 * 1_000));
        }
        if let Some((_, why)) = &limit {
            paragraph(ui, why, Type::Small, theme.secondary);
        }
    });
    let wanted = if reset { Some(usual.min(most)) } else { wanted };
    if let Some(video_bitrate) = wanted {
        view.send(Command::SetQuality(Quality { video_bitrate, ..quality }));
    } else {
        limits::lower(ui, view);
    }
}

/// Draws the choice between the program and the preview.
pub(super) fn camera_source(ui: &mut Ui, view: &mut View<'_>, draft: &mut SettingsDraft) {
    let now = view.snapshot.virtual_camera.choices;
    let texts = view.texts;
    let name = |source| match source {
        VirtualCameraSource::Program => texts.get(key!("projector-program")).to_string(),
        VirtualCameraSource::Preview => texts.get(key!("projector-preview")).to_string(),
    };
    let all: Vec<Choice<_>> = [VirtualCameraSource::Program, VirtualCameraSource::Preview]
        .map(|source| (source, name(source), None))
        .into();
    let usual = VirtualCameraSource::default();
    let default = (now.source != usual).then(|| name(usual));
    let mut wanted = None;
    let reset = row(ui, view, draft, Setting::CameraSource, default.as_deref(), |ui, row_name| {
        wanted = choice(ui, view, row_name, (now.source, usual), &name(now.source), &all);
    });
    if let Some(source) = if reset { Some(usual) } else { wanted } {
        view.send(Command::SetVirtualCamera(VirtualCameraChoices { source, ..now }));
    }
}

/// Draws the choice of the size, which is that of the program by default.
pub(super) fn camera_size(ui: &mut Ui, view: &mut View<'_>, draft: &mut SettingsDraft) {
    let now = view.snapshot.virtual_camera.choices;
    let texts = view.texts;
    let name = |size: Option<Size>| {
        size.map_or_else(|| texts.get(key!("camera-size-program")).to_string(), format::size)
    };
    let mut sizes = vec![None];
    sizes.extend(FRAME_SIZES.map(|(width, height)| Some(Size::new(width, height))));
    if !sizes.contains(&now.size) {
        sizes.push(now.size);
    }
    let all: Vec<Choice<_>> = sizes.into_iter().map(|size| (size, name(size), None)).collect();
    let default = now.size.is_some().then(|| name(None));
    let mut wanted = None;
    let reset = row(ui, view, draft, Setting::CameraSize, default.as_deref(), |ui, row_name| {
        wanted = choice(ui, view, row_name, (now.size, None), &name(now.size), &all);
    });
    if let Some(size) = if reset { Some(None) } else { wanted } {
        view.send(Command::SetVirtualCamera(VirtualCameraChoices { size, ..now }));
    }
}

/// Draws the switch that exchanges left and right.
pub(super) fn camera_mirrored(ui: &mut Ui, view: &mut View<'_>, draft: &mut SettingsDraft) {
    let now = view.snapshot.virtual_camera.choices;
    let off = view.texts.get("setting-off");
    let default = now.mirrored.then_some(&*off);
    let mut pressed = false;
    let reset = row(ui, view, draft, Setting::CameraMirrored, default, |ui, name| {
        pressed = switch(ui, view.theme, name, now.mirrored);
    });
    if pressed || reset {
        let mirrored = !now.mirrored;
        view.send(Command::SetVirtualCamera(VirtualCameraChoices { mirrored, ..now }));
    }
}
