//! The page *Video*: the size and rate of the program's frames, within the limits of the targets'
//! services.

use egui::Ui;

use crate::media::{BitsPerSecond, FrameRate, Size};
use crate::studio::live::view::LiveState;
use crate::studio::{Command, Quality};
use crate::ui::dialogs::settings::draft::SettingsDraft;
use crate::ui::dialogs::settings::row::{Choice, choice_row, row};
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::style::theme::Type;
use crate::ui::targets::limits;
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{label, paragraph, slider};

/// The usual frame sizes, with the portrait ones last.
const FRAME_SIZES: [(u32, u32); 8] = [
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

/// Returns the reason why size and rate cannot be changed now, if the program is on air.
fn fixed(view: &View<'_>) -> Option<String> {
    let idle = view.snapshot.live == LiveState::Idle;
    (!idle).then(|| view.texts.get("quality-on-air").to_string())
}

pub(super) fn size(ui: &mut Ui, view: &mut View<'_>, draft: &mut SettingsDraft) {
    let quality = view.snapshot.quality.clone();
    let mut sizes: Vec<Size> =
        FRAME_SIZES.iter().map(|(width, height)| Size::new(*width, *height)).collect();
    if !sizes.contains(&quality.size) {
        sizes.insert(0, quality.size);
    }
    let all: Vec<Choice<Size>> = sizes
        .into_iter()
        .map(|size| {
            let wanted = Quality { size, ..quality.clone() };
            let why_not = fixed(view).or_else(|| limits::why_no_size(view, &wanted));
            (size, format::size(size), why_not)
        })
        .collect();
    let both = (quality.size, Quality::default().size);
    if let Some(size) = choice_row(ui, view, draft, Setting::Size, both, &all)
        && fixed(view).is_none()
    {
        view.send(Command::SetQuality(Quality { size, ..quality }));
    }
}

pub(super) fn rate(ui: &mut Ui, view: &mut View<'_>, draft: &mut SettingsDraft) {
    let quality = view.snapshot.quality.clone();
    let mut rates: Vec<FrameRate> =
        FRAME_RATES.iter().filter_map(|rate| FrameRate::new(*rate, 1)).collect();
    if !rates.contains(&quality.frame_rate) {
        rates.insert(0, quality.frame_rate);
    }
    let all: Vec<Choice<FrameRate>> = rates
        .into_iter()
        .map(|frame_rate| {
            let wanted = Quality { frame_rate, ..quality.clone() };
            let why_not = fixed(view).or_else(|| limits::why_no_rate(view, &wanted));
            (frame_rate, format!("{}\u{a0}fps", format::rate(frame_rate)), why_not)
        })
        .collect();
    let both = (quality.frame_rate, Quality::default().frame_rate);
    if let Some(frame_rate) = choice_row(ui, view, draft, Setting::Rate, both, &all)
        && fixed(view).is_none()
    {
        view.send(Command::SetQuality(Quality { frame_rate, ..quality }));
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
        if slider(ui, theme, &mut kbps, range, 2_500.0, name, width).changed() {
            let bits = (kbps / 100.0).round().max(3.0) as u32 * 100_000;
            wanted = Some(BitsPerSecond(bits.min(most.0)));
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
