//! The page *Audio*: the monitoring device, and the push-to-talk key, which the user chooses by
//! pressing it.

use egui::Ui;

use crate::studio::{Command, Monitoring, Preferences};
use crate::ui::dialogs::card::DialogContext;
use crate::ui::dialogs::settings::draft::SettingsDraft;
use crate::ui::dialogs::settings::row::{Choice, choice_row, row};
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::input::actions::key;
use crate::ui::input::push_to_talk::{self, KeyPress};
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::Texts;
use crate::ui::view::View;
use crate::ui::widgets::{Button, named_switch, paragraph};

pub(super) fn monitoring(ui: &mut Ui, view: &mut View<'_>, draft: &mut SettingsDraft) {
    let (texts, speakers) = (view.texts, &view.snapshot.speakers);
    // The entries in the order of the list: off, the default device, and the speakers.
    let mut ways = vec![
        (Monitoring::Off, texts.get("monitoring-device-off").to_string()),
        (Monitoring::Default, texts.get("monitoring-device-default").to_string()),
    ];
    ways.extend(speakers.iter().map(|it| (Monitoring::Device(it.id.clone()), it.name.clone())));
    let now = &view.snapshot.monitoring;
    let place = ways.iter().position(|(one, _)| one == now).unwrap_or_else(|| {
        // A selected device that is unplugged stays in the list.
        if let Monitoring::Device(id) = now {
            ways.push((now.clone(), id.clone()));
        }
        ways.len().saturating_sub(1)
    });
    let all: Vec<Choice<usize>> =
        ways.iter().enumerate().map(|(place, (_, name))| (place, name.clone(), None)).collect();
    let wanted = choice_row(ui, view, draft, Setting::Monitoring, (place, 0), &all);
    if let Some((monitoring, _)) = wanted.and_then(|place| ways.into_iter().nth(place)) {
        view.send(Command::SetMonitoring(monitoring));
    }
}

/// Returns the name of the push-to-talk key.
pub(super) fn talk_key_name(texts: &Texts, preferences: &Preferences) -> String {
    match preferences.push_to_talk_key.name() {
        "Space" => texts.get("key-space").to_string(),
        "mouse-3" => texts.get("key-mouse-3").to_string(),
        "mouse-4" => texts.get("key-mouse-4").to_string(),
        "mouse-5" => texts.get("key-mouse-5").to_string(),
        name => name.to_owned(),
    }
}

pub(super) fn push_to_talk_key(ui: &mut Ui, view: &View<'_>, needs: &mut DialogContext<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    if needs.settings.talk_key.is_some()
        && let Some(pressed) = push_to_talk::pressed(ui.ctx())
    {
        needs.settings.talk_key = (pressed == KeyPress::Other).then_some(true);
        if let KeyPress::Key(key) = pressed {
            needs.preferences.push_to_talk_key = key;
        }
    }
    let usual = Preferences::default();
    let (key, on) = (needs.preferences.push_to_talk_key, needs.preferences.push_to_talk_everywhere);
    let changed = key != usual.push_to_talk_key || on != usual.push_to_talk_everywhere;
    let default = changed.then(|| talk_key_name(texts, &usual));
    let mut waits = needs.settings.talk_key;
    let reset = row(ui, view, needs.settings, Setting::PushToTalk, default.as_deref(), |ui, _| {
        let name = texts.get("push-to-talk-chosen");
        let text = match waits {
            Some(_) => texts.get("push-to-talk-press").to_string(),
            None => talk_key_name(texts, needs.preferences),
        };
        let called = format!("{name} {text}");
        let width = ui.available_width();
        let button = Button::new(&text).name(&called).width(width).selected(waits.is_some());
        let response = button.show(ui, theme);
        if response.clicked() {
            waits = waits.is_none().then_some(false);
            response.request_focus();
        } else if !response.has_focus() {
            waits = None;
        }
        ui.add_space(gap::XS);
        let everywhere = texts.get("push-to-talk-everywhere");
        ui.add_enabled_ui(needs.elsewhere.can_be(), |ui| {
            let on = &mut needs.preferences.push_to_talk_everywhere;
            *on ^= named_switch(ui, theme, &everywhere, "", Type::Small, *on);
        });
        let note = match waits {
            Some(true) => Some((key!("push-to-talk-refused"), "")),
            _ => needs.elsewhere.note(key, on),
        };
        if let Some((note, trigger)) = note {
            let note = texts.with(note, &[("trigger", trigger.into())]);
            paragraph(ui, &note, Type::Small, theme.secondary);
        }
    });
    needs.settings.talk_key = waits;
    if reset {
        needs.preferences.push_to_talk_key = usual.push_to_talk_key;
        needs.preferences.push_to_talk_everywhere = usual.push_to_talk_everywhere;
    }
}
