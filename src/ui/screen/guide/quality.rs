//! The step for the quality: the measured results, the recommendation, and the usual presets.

use egui::{Ui, vec2};

use crate::media::BitsPerSecond;
use crate::studio::preflight::recommendation::{
    Limit, MEASURED_SIZES, MeasuredQuality, Recommendation, Upload, is_fast_enough,
};
use crate::studio::targets::quality::{PRESETS, Preset};
use crate::studio::{Command, Quality};
use crate::ui::input::actions::key;
use crate::ui::screen::guide::columns::columns;
use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap};
use crate::ui::targets::{PRESET_TEXTS, limits};
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, Row, label, paragraph};

/// Draws the step. If `arrived` is true, the step has just opened, and the measurement starts.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, preset: &mut Option<usize>, arrived: bool) {
    if arrived {
        view.send(Command::MeasureQuality { test_stream: false });
    }
    let measured = view.snapshot.measured.clone().unwrap_or_default();
    let recommended = measured.recommendation.filter(|_| !measured.running);
    let width = (ui.available_width() * 0.46).floor();
    columns(
        ui,
        width,
        view,
        |ui, view| choices(ui, view, preset, recommended.as_ref()),
        |ui, view| results(ui, view, &measured),
    );
}

fn choices(
    ui: &mut Ui,
    view: &View<'_>,
    preset: &mut Option<usize>,
    recommended: Option<&Recommendation>,
) {
    let (theme, texts) = (view.theme, view.texts);
    ui.spacing_mut().item_spacing.y = 2.0;
    let chosen = chosen(view, *preset);
    for (index, (one, (title, second))) in PRESETS.iter().zip(PRESET_TEXTS).enumerate() {
        let title = texts.get(title);
        let is_recommended = recommended.is_some_and(|it| it.preset == *one);
        let why_not = why_not(view, one);
        let second = match (&why_not, is_recommended) {
            (Some(why), _) => why.clone(),
            (None, true) => {
                texts.with("guide-recommended", &[("what", texts.get(second).to_string().into())])
            }
            (None, false) => texts.get(second).to_string(),
        };
        let icon = if is_recommended { Icon::Check } else { Icon::Film };
        let row =
            Row { icon, title: &title, second: &second, chosen: chosen == Some(index), lamp: None };
        let response = ui.add_enabled_ui(why_not.is_none(), |ui| row.show(ui, theme)).inner;
        if response.clicked() {
            *preset = Some(index);
        }
        if let Some(why) = why_not {
            response.on_disabled_hover_text(why);
        }
    }
}

/// Returns the reason why this preset cannot be selected.
fn why_not(view: &View<'_>, preset: &Preset) -> Option<String> {
    if view.snapshot.is_live_or_recording() {
        return Some(view.texts.get("quality-on-air").to_string());
    }
    limits::why_no_preset(view, preset)
}

/// Returns the recommendation, unless the quality cannot change now.
fn recommendation(view: &View<'_>) -> Option<Recommendation> {
    let measured = view.snapshot.measured.as_ref();
    measured.filter(|_| !view.snapshot.is_live_or_recording())?.recommendation
}

/// Returns the selected preset: the user's choice if it is still possible, or else the recommended
/// one, or else the current one, unless a service does not accept it.
fn chosen(view: &View<'_>, preset: Option<usize>) -> Option<usize> {
    let is_possible =
        |index: &usize| PRESETS.get(*index).is_some_and(|preset| why_not(view, preset).is_none());
    preset.filter(is_possible).or_else(|| {
        PRESETS.iter().position(|one| {
            let is_chosen = match recommendation(view) {
                Some(found) => found.preset == *one,
                None => one.is_of(&view.snapshot.quality),
            };
            is_chosen && limits::why_no_preset(view, one).is_none()
        })
    })
}

fn results(ui: &mut Ui, view: &mut View<'_>, measured: &MeasuredQuality) {
    let (theme, texts) = (view.theme, view.texts);
    ui.spacing_mut().item_spacing.y = gap::XS;
    label(ui, &texts.get("guide-this-computer"), Type::SmallStrong, theme.secondary);
    let all_sizes = measured.speeds.len() >= MEASURED_SIZES;
    for (size, fps) in &measured.speeds {
        let args = [
            ("size", format::size_name(*size).into()),
            ("fps", format::grouped(*fps as u64).into()),
        ];
        line(ui, view, &texts.with("guide-speed", &args), is_fast_enough(*size, *fps));
    }
    if let Some(reason) = &measured.failure {
        line(ui, view, &texts.say(reason), false);
    } else if measured.running && measured.upload.is_none() && !all_sizes {
        paragraph(ui, &texts.get("guide-measuring"), Type::Body, theme.secondary);
    }
    ui.add_space(gap::S);
    label(ui, &texts.get("guide-upload"), Type::SmallStrong, theme.secondary);
    match &measured.upload {
        Some(upload) => {
            let (text, good) = upload_words(view, upload);
            line(ui, view, &text, good);
            let name = texts.get("send-test-stream");
            let is_offered = matches!(upload, Upload::NeedsConsent(_)) && !measured.running;
            if is_offered && Button::new(&name).small().show(ui, theme).clicked() {
                view.send(Command::MeasureQuality { test_stream: true });
            }
        }
        None => {
            let text = match all_sizes {
                true => texts.get("guide-measuring-upload"),
                false => texts.get("guide-upload-next"),
            };
            paragraph(ui, &text, Type::Body, theme.secondary);
        }
    }
    if measured.running {
        return;
    }
    ui.add_space(gap::S);
    if let Some(found) = &measured.recommendation {
        paragraph(ui, &reason(view, found), Type::BodyStrong, theme.text);
    }
    ui.add_space(gap::XS);
    let again = texts.get("guide-measure-again");
    let button = Button::new(&again).small().icon(Icon::Refresh).weight(ButtonWeight::Plain);
    if button.show(ui, theme).clicked() {
        view.send(Command::MeasureQuality { test_stream: false });
    }
}

/// Draws one result with its mark.
fn line(ui: &mut Ui, view: &View<'_>, text: &str, good: bool) {
    let theme = view.theme;
    let (icon, color) = if good { (Icon::Check, theme.good) } else { (Icon::Info, theme.warn) };
    ui.horizontal_top(|ui| {
        let (at, _) = ui.allocate_exact_size(vec2(16.0, 18.0), egui::Sense::hover());
        icons::paint_at(ui.painter(), icon, at.center(), 13.0, color);
        paragraph(ui, text, Type::Body, theme.text);
    });
}

fn upload_words(view: &View<'_>, upload: &Upload) -> (String, bool) {
    let texts = view.texts;
    let rate = |of: &BitsPerSecond| [("rate", format::bitrate(of.0).into())];
    match upload {
        Upload::Local => (texts.get("guide-upload-local").to_string(), true),
        Upload::NotMeasured => (texts.get("guide-upload-unknown").to_string(), false),
        Upload::AtLeast(found) => (texts.with("guide-upload-enough", &rate(found)), true),
        Upload::Limited(found) => (texts.with("guide-upload-limited", &rate(found)), false),
        Upload::NeedsConsent(problem) | Upload::Failed(problem) => {
            (texts.language().say_with_cure(problem), false)
        }
    }
}

/// Returns the recommendation, with the reason why it is not higher.
fn reason(view: &View<'_>, found: &Recommendation) -> String {
    let texts = view.texts;
    let quality = found.preset.applied_to(&view.snapshot.quality);
    let args = [
        ("size", format::size_name(quality.size).into()),
        ("rate", format::rate(quality.frame_rate).into()),
        ("bitrate", format::bitrate(found.bitrate.0).into()),
    ];
    let sentence = texts.with("guide-recommend", &args);
    let why = texts.get(match found.limit {
        Limit::None => key!("guide-because-all"),
        Limit::Encoder => key!("guide-because-encoder"),
        Limit::Upload => key!("guide-because-upload"),
        Limit::Unknown => key!("guide-because-unknown"),
        Limit::UploadTest => key!("guide-because-upload-test"),
        Limit::Service => key!("guide-because-service"),
    });
    texts.language().joined(&sentence, &why)
}

/// Applies the chosen quality.
pub(super) fn apply(view: &mut View<'_>, preset: Option<usize>) {
    let recommended = recommendation(view);
    let Some(one) = chosen(view, preset).and_then(|index| PRESETS.get(index)) else {
        return;
    };
    let now = &view.snapshot.quality;
    let quality = match recommended.filter(|found| found.preset == *one) {
        Some(found) => Quality { video_bitrate: found.bitrate, ..one.applied_to(now) },
        // The current preset keeps its bitrate.
        None if one.is_of(now) => return,
        None => one.applied_to(now),
    };
    let fit = |quality: Quality| {
        let targets = view.snapshot.targets.iter().map(|view| &view.target);
        let services = targets.filter(|target| target.enabled && !target.is_built_in());
        services.fold(quality, |quality, target| {
            let service = view.snapshot.services.of_target(&target.service, target.server());
            service.map_or(quality.clone(), |service| service.fit(&quality))
        })
    };
    let quality = fit(quality);
    if quality != *now {
        view.send(Command::SetQuality(quality));
    }
}
