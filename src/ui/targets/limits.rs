//! The limits of the enabled services. The user cannot select higher values, and a text beside them
//! shows the reason.

use egui::Ui;

use crate::media::BitsPerSecond;
use crate::studio::targets::misfits::Misfit;
use crate::studio::targets::quality::Preset;
use crate::studio::targets::services::Service;
use crate::studio::{Command, Quality};
use crate::ui::input::actions::key;
use crate::ui::style::theme::Type;
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, paragraph};

/// The maximum video bitrate, if no service has a lower limit.
pub const MAX_VIDEO_BITRATE: BitsPerSecond = BitsPerSecond(12_000_000);

/// Returns the services of the enabled targets.
fn services<'a>(view: &View<'a>) -> impl Iterator<Item = &'a Service> {
    let snapshot = view.snapshot;
    let enabled = snapshot.targets.iter().map(|it| &it.target).filter(|it| it.enabled);
    enabled.filter_map(|it| snapshot.services.of_target(&it.service, it.server()))
}

/// Returns the lowest limit of the video bitrate if it is below `bitrate`, with this text, which
/// names the service.
fn video_limit(
    view: &View<'_>,
    bitrate: BitsPerSecond,
    text: &'static str,
) -> Option<(BitsPerSecond, String)> {
    let limits = services(view).filter_map(|it| Some((it.limits.video?, it)));
    let (most, service) =
        limits.min_by_key(|(most, _)| *most).filter(|(most, _)| *most < bitrate)?;
    let kbps = format::grouped(u64::from(most.0 / 1_000));
    Some((most, words(view, text, service, kbps)))
}

/// Returns the lowest limit of the video bitrate, with a text that names the service.
pub fn video_bitrate(view: &View<'_>) -> Option<(BitsPerSecond, String)> {
    video_limit(view, MAX_VIDEO_BITRATE, key!("limit-video"))
}

/// Returns the reason why this preset cannot be selected.
pub fn why_no_preset(view: &View<'_>, preset: &Preset) -> Option<String> {
    let wanted = preset.applied_to(&view.snapshot.quality);
    let why_no_bitrate =
        || video_limit(view, preset.video_bitrate, key!("limit-bitrate")).map(|(_, why)| why);
    why_no_size(view, &wanted).or_else(|| why_no_rate(view, &wanted)).or_else(why_no_bitrate)
}

/// Returns the lowest limit of the audio bitrate, with a text that names the service.
pub fn audio_bitrate(view: &View<'_>) -> Option<(BitsPerSecond, String)> {
    let limits = services(view).filter_map(|it| Some((it.limits.audio?, it)));
    let (most, service) = limits.min_by_key(|(most, _)| *most)?;
    let kbps = format::grouped(u64::from(most.0 / 1_000));
    Some((most, words(view, key!("limit-audio"), service, kbps)))
}

/// Returns the reason why this frame size cannot be selected.
pub fn why_no_size(view: &View<'_>, wanted: &Quality) -> Option<String> {
    refused(view, wanted, |misfit| matches!(misfit, Misfit::Height { .. }), key!("limit-height"))
}

/// Returns the reason why this frame rate cannot be selected.
pub fn why_no_rate(view: &View<'_>, wanted: &Quality) -> Option<String> {
    refused(view, wanted, |misfit| matches!(misfit, Misfit::Rate { .. }), key!("limit-rate"))
}

/// Returns the reason why this keyframe interval cannot be selected.
pub fn why_no_interval(view: &View<'_>, wanted: &Quality) -> Option<String> {
    let is = |misfit: &Misfit| matches!(misfit, Misfit::Keyframes { .. });
    refused(view, wanted, is, key!("limit-keyframes"))
}

fn refused(
    view: &View<'_>,
    wanted: &Quality,
    is: impl Fn(&Misfit) -> bool,
    text: &'static str,
) -> Option<String> {
    services(view).find_map(|service| {
        let misfit = service.misfits(wanted).into_iter().find(|misfit| is(misfit))?;
        Some(words(view, text, service, misfit.numbers().0.to_string()))
    })
}

fn words(view: &View<'_>, text: &'static str, service: &Service, most: String) -> String {
    let service = service.name_in(view.texts.language()).to_owned();
    view.texts.with(text, &[("service", service.into()), ("most", most.into())])
}

/// Returns the quality within the limits of a service. Values that cannot change now stay.
pub fn fit(view: &View<'_>, service: &Service) -> Quality {
    let now = &view.snapshot.quality;
    let fit = service.fit(now);
    match view.snapshot.is_live_or_recording() {
        true => Quality { video_bitrate: fit.video_bitrate, ..now.clone() },
        false => fit,
    }
}

/// Draws a warning if a value exceeds a limit, for example after the user selected another target.
/// A button lowers the value.
pub fn lower(ui: &mut Ui, view: &mut View<'_>) {
    let now = view.snapshot.quality.clone();
    let over = services(view).find(|service| service.fit(&now) != now);
    let Some(service) = over else { return };
    let (fit, name) = (fit(view, service), service.name_in(view.texts.language()).to_owned());
    let warning = view.texts.with("limit-over", &[("service", name.clone().into())]);
    paragraph(ui, &warning, Type::Small, view.theme.warn);
    if fit == now {
        return;
    }
    let name = view.texts.with("fit-quality", &[("service", name.into())]);
    if Button::new(&name).small().weight(ButtonWeight::Warn).show(ui, view.theme).clicked() {
        view.send(Command::SetQuality(fit));
    }
}
