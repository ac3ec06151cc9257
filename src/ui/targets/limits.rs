//! What the services of the enabled targets take: nothing above it can be chosen, and why is said beside it.

use egui::Ui;

use crate::media::BitsPerSecond;
use crate::studio::targets::services::{Misfit, Service};
use crate::studio::{Command, Quality};
use crate::ui::input::actions::key;
use crate::ui::style::theme::Type;
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, paragraph};

/// The most that can be chosen where no service has a limit.
pub const MAX_VIDEO: BitsPerSecond = BitsPerSecond(12_000_000);

/// The services that the stream would go to now.
fn services<'a>(view: &View<'a>) -> impl Iterator<Item = &'a Service> {
    let snapshot = view.snapshot;
    let enabled = snapshot.targets.iter().map(|it| &it.target).filter(|it| it.enabled);
    enabled.filter_map(|it| snapshot.services.of_target(&it.service, it.server()))
}

/// The lowest limit of the video bitrate, and whose it is in words.
pub fn video_bitrate(view: &View<'_>) -> Option<(BitsPerSecond, String)> {
    let limits = services(view).filter_map(|it| Some((it.limits.video?, it)));
    let (most, service) =
        limits.min_by_key(|(most, _)| *most).filter(|(most, _)| *most < MAX_VIDEO)?;
    let kbps = (most.0 / 1_000).to_string();
    Some((most, words(view, key!("limit-video"), service, kbps)))
}

/// The lowest limit of the audio bitrate, and whose it is in words.
pub fn audio_bitrate(view: &View<'_>) -> Option<(BitsPerSecond, String)> {
    let limits = services(view).filter_map(|it| Some((it.limits.audio?, it)));
    let (most, service) = limits.min_by_key(|(most, _)| *most)?;
    let kbps = (most.0 / 1_000).to_string();
    Some((most, words(view, key!("limit-audio"), service, kbps)))
}

/// Why frames of this size cannot be chosen.
pub fn why_no_size(view: &View<'_>, wanted: &Quality) -> Option<String> {
    refused(view, wanted, |misfit| matches!(misfit, Misfit::Height { .. }), key!("limit-height"))
}

/// Why this many frames a second cannot be chosen.
pub fn why_no_rate(view: &View<'_>, wanted: &Quality) -> Option<String> {
    refused(view, wanted, |misfit| matches!(misfit, Misfit::Rate { .. }), key!("limit-rate"))
}

/// Why keyframes cannot be so far apart.
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
    let service = service.name.to_string();
    view.texts.with(text, &[("service", service.into()), ("most", most.into())])
}

/// Where a value is above a limit all the same, as after another target was chosen: that, and a button that
/// lowers it.
pub fn lower(ui: &mut Ui, view: &mut View<'_>) {
    let now = view.snapshot.quality.clone();
    let over = services(view).find(|service| service.fit(&now) != now);
    let Some(service) = over else { return };
    let (fit, name) = (service.fit(&now), service.name.to_string());
    let said = view.texts.with("limit-over", &[("service", name.clone().into())]);
    paragraph(ui, &said, Type::Small, view.theme.warn);
    let name = view.texts.with("fit-quality", &[("service", name.into())]);
    if Button::new(&name).small().look(ButtonWeight::Warn).show(ui, view.theme).clicked() {
        view.send(Command::SetQuality(fit));
    }
}
