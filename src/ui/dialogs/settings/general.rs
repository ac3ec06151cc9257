//! The page *General*: language, colors, size, motion, meters.

use egui::Ui;

use crate::mix::MeterFall;
use crate::studio::{Language, Preferences, Theme};
use crate::ui::dialogs::card::DialogContext;
use crate::ui::dialogs::settings::row::{Choice, choice_row, noted_choice_row, row};
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::input::actions::key;
use crate::ui::style::scale;
use crate::ui::text;
use crate::ui::view::View;
use crate::ui::widgets::switch;

pub(super) fn language(ui: &mut Ui, view: &View<'_>, needs: &mut DialogContext<'_>) {
    let all = [
        (Language::System, view.texts.get("settings-language-system").to_string(), None),
        (Language::English, text::Language::English.name().to_owned(), None),
        (Language::Chinese, text::Language::Chinese.name().to_owned(), None),
    ];
    let now = &mut needs.preferences.language;
    let both = (*now, Preferences::default().language);
    if let Some(language) = choice_row(ui, view, needs.settings, Setting::Language, both, &all) {
        *now = language;
    }
}

pub(super) fn theme(ui: &mut Ui, view: &View<'_>, needs: &mut DialogContext<'_>) {
    let all = [
        (Theme::Dark, view.texts.get("theme-dark").to_string(), None),
        (Theme::Light, view.texts.get("theme-light").to_string(), None),
    ];
    let now = &mut needs.preferences.theme;
    let both = (*now, Preferences::default().theme);
    if let Some(theme) = choice_row(ui, view, needs.settings, Setting::Theme, both, &all) {
        *now = theme;
    }
}

pub(super) fn scale(ui: &mut Ui, view: &View<'_>, needs: &mut DialogContext<'_>) {
    let percent = |scale: u16| format!("{scale}\u{a0}%");
    let suits = [("scale", percent(needs.display_scale).into())];
    let now = &mut needs.preferences.ui_scale;
    // Other scales can be set in the settings file.
    let mut scales = scale::PERCENT_CHOICES.to_vec();
    scales.extend(now.filter(|it| !scale::PERCENT_CHOICES.contains(it)));
    scales.sort_unstable();
    let automatic = (None, view.texts.with("settings-scale-auto", &suits), None);
    let all: Vec<Choice<Option<u16>>> = std::iter::once(automatic)
        .chain(scales.into_iter().map(|scale| (Some(scale), percent(scale), None)))
        .collect();
    let (wanted, used) = needs.scales;
    let limited = (used < wanted).then(|| {
        let args = [("wanted", percent(wanted).into()), ("used", percent(used).into())];
        view.texts.with("settings-scale-limited", &args)
    });
    let (both, note) = ((*now, Preferences::default().ui_scale), limited.as_deref());
    if let Some(scale) =
        noted_choice_row(ui, view, needs.settings, Setting::Scale, both, &all, note)
    {
        *now = scale;
    }
}

pub(super) fn motion(ui: &mut Ui, view: &View<'_>, needs: &mut DialogContext<'_>) {
    let on = &mut needs.preferences.reduced_motion;
    let off = view.texts.get("setting-off");
    let default = on.then_some(&*off);
    let mut pressed = false;
    let reset = row(ui, view, needs.settings, Setting::Motion, default, |ui, name| {
        pressed = switch(ui, view.theme, name, *on);
    });
    *on ^= pressed || reset;
}

pub(super) fn meter(ui: &mut Ui, view: &View<'_>, needs: &mut DialogContext<'_>) {
    let texts = view.texts;
    let ways = [
        (MeterFall::Fast, key!("settings-meter-fast")),
        (MeterFall::Medium, key!("settings-meter-medium")),
        (MeterFall::Slow, key!("settings-meter-slow")),
    ];
    let all: Vec<Choice<MeterFall>> = ways
        .into_iter()
        .map(|(one, key)| {
            let rate = format!("{:.1}", one.rate());
            let rate = texts.with("settings-meter-tip", &[("rate", rate.into())]);
            (one, format!("{} · {rate}", texts.get(key)), None)
        })
        .collect();
    let now = &mut needs.preferences.meter_fall;
    let both = (*now, Preferences::default().meter_fall);
    if let Some(fall) = choice_row(ui, view, needs.settings, Setting::Meter, both, &all) {
        *now = fall;
    }
}
