//! Settings of the window.

use std::time::Duration;

use egui::{Id, ScrollArea, Sense, Ui, vec2};

use crate::encode::Choice;
use crate::media::{ExtraTrack, ExtraTracks};
use crate::mix::MeterFall;
use crate::studio::{Command, Language, Quality, Theme as ThemeChoice, mixer};
use crate::ui::dialogs::card::{DialogAnswer, Needs, heading, modal};
use crate::ui::dialogs::output;
use crate::ui::input::actions::key;
use crate::ui::input::push_to_talk;
use crate::ui::input::push_to_talk::Pressed;
use crate::ui::style::theme::{Theme, Type, gap, size};
use crate::ui::text;
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{
    Button, Field, Select, elided, label, menu_item, named_switch, paragraph,
};
use crate::wire::container::Format;

/// Of what is in it.
const WIDTH: f32 = 480.0;

pub fn show(
    ctx: &egui::Context,
    view: &mut View<'_>,
    needs: &mut Needs<'_>,
) -> Option<DialogAnswer> {
    let theme = view.theme;
    modal(ctx, theme, "settings", WIDTH, |ui| {
        let close = heading(ui, view, &view.texts.get("settings"));
        let before = needs.preferences.clone();
        // As high as the window lets it be, below the heading.
        let height = (ctx.content_rect().height() - 140.0).max(160.0);
        let area = ScrollArea::vertical().max_height(height).min_scrolled_height(height);
        area.show(ui, |ui| {
            ui.set_width(WIDTH - gap::M);
            columns(
                ui,
                |ui, left| {
                    if left { language(ui, view, needs) } else { appearance(ui, view, needs) }
                },
            );
            motion(ui, view, needs);
            meters(ui, view, needs);
            push_to_talk_key(ui, view, needs);
            encoder(ui, view);
            output::output_page(ui, view);
            folder(ui, view, needs);
            recording(ui, view, needs);
            replay_always(ui, view, needs);
            tracks(ui, view, needs);
            renderer(ui, view, needs);
        });
        if *needs.preferences != before {
            view.wish(WindowRequest::Preferences);
        }
        close.then_some(DialogAnswer::Close)
    })
}

/// Two halves beside each other; the first one is the left.
fn columns(ui: &mut Ui, mut half: impl FnMut(&mut Ui, bool)) {
    let width = (ui.available_width() - gap::S) / 2.0;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = gap::S;
        for left in [true, false] {
            ui.vertical(|ui| {
                ui.set_width(width);
                half(ui, left);
            });
        }
    });
}

/// A name above a control.
fn caption(ui: &mut Ui, theme: &Theme, text: &str) {
    ui.add_space(gap::XS);
    label(ui, text, Type::Small, theme.secondary);
}

fn language(ui: &mut Ui, view: &View<'_>, needs: &mut Needs<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("settings-language");
    caption(ui, theme, &name);
    let system = texts.get("settings-language-system");
    let all = [
        (Language::System, &*system),
        (Language::English, text::Language::English.name()),
        (Language::Chinese, text::Language::Chinese.name()),
    ];
    let chosen =
        all.iter().find(|(one, _)| *one == needs.preferences.language).map_or("", |(_, name)| name);
    let select = Select::new(&name, chosen, ui.available_width());
    select.show(ui, theme, |ui| {
        for (one, name) in all {
            if menu_item(ui, theme, name, "", one == needs.preferences.language, true) {
                needs.preferences.language = one;
            }
        }
    });
}

fn appearance(ui: &mut Ui, view: &View<'_>, needs: &mut Needs<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("settings-theme");
    caption(ui, theme, &name);
    ui.horizontal(|ui| {
        let width = (ui.available_width() - gap::S) / 2.0;
        for (one, text) in [
            (ThemeChoice::Dark, texts.get("theme-dark")),
            (ThemeChoice::Light, texts.get("theme-light")),
        ] {
            let chosen = needs.preferences.theme == one;
            let button = Button::new(&text).width(width).selected(chosen);
            if button.show(ui, theme).clicked() {
                needs.preferences.theme = one;
            }
        }
    });
}

fn motion(ui: &mut Ui, view: &View<'_>, needs: &mut Needs<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    ui.add_space(gap::S);
    let (name, note) = (texts.get("settings-motion"), texts.get("settings-motion-note"));
    let on = &mut needs.preferences.reduced_motion;
    *on ^= named_switch(ui, theme, &name, "", Type::Body, *on);
    paragraph(ui, &note, Type::Small, theme.secondary);
}

fn meters(ui: &mut Ui, view: &View<'_>, needs: &mut Needs<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    caption(ui, theme, &texts.get("settings-meter"));
    ui.horizontal(|ui| {
        let width = (ui.available_width() - 2.0 * gap::S) / 3.0;
        for (one, key) in [
            (MeterFall::Fast, key!("settings-meter-fast")),
            (MeterFall::Medium, key!("settings-meter-medium")),
            (MeterFall::Slow, key!("settings-meter-slow")),
        ] {
            let chosen = needs.preferences.meter_fall == one;
            let rate = format!("{:.1}", one.rate());
            let tip = texts.with("settings-meter-tip", &[("rate", rate.into())]);
            let text = texts.get(key);
            let button = Button::new(&text).width(width).selected(chosen);
            if button.show(ui, theme).on_hover_text(tip).clicked() {
                needs.preferences.meter_fall = one;
            }
        }
    });
}

/// The key, which is chosen by pressing it, and where it is heard.
fn push_to_talk_key(ui: &mut Ui, view: &View<'_>, needs: &mut Needs<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("strip-push-to-talk");
    caption(ui, theme, &name);
    let state = Id::unique("talk-key");
    // While a key is waited for: whether the last one could not be it.
    let mut refused: Option<bool> = ui.data(|data| data.get_temp(state)).flatten();
    if refused.is_some()
        && let Some(pressed) = push_to_talk::pressed(ui.ctx())
    {
        refused = (pressed == Pressed::Other).then_some(true);
        if let Pressed::Key(key) = pressed {
            needs.preferences.push_to_talk_key = key;
        }
    }
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap::S;
        let key = match needs.preferences.push_to_talk_key.name() {
            "Space" => texts.get("key-space").to_string(),
            "mouse-3" => texts.get("key-mouse-3").to_string(),
            "mouse-4" => texts.get("key-mouse-4").to_string(),
            "mouse-5" => texts.get("key-mouse-5").to_string(),
            name => name.to_owned(),
        };
        let waits = refused.is_some();
        let text = if waits { texts.get("push-to-talk-press").to_string() } else { key };
        let called = format!("{name} {text}");
        let button = Button::new(&text).name(&called).width(140.0).selected(waits);
        let response = button.show(ui, theme);
        if response.clicked() {
            refused = (!waits).then_some(false);
            response.request_focus();
        } else if !response.has_focus() {
            refused = None;
        }
        let everywhere = texts.get("push-to-talk-everywhere");
        ui.add_enabled_ui(needs.elsewhere.can_be(), |ui| {
            let on = &mut needs.preferences.push_to_talk_everywhere;
            *on ^= named_switch(ui, theme, &everywhere, "", Type::Small, *on);
        });
    });
    let (key, on) = (needs.preferences.push_to_talk_key, needs.preferences.push_to_talk_everywhere);
    let note = match refused {
        Some(true) => Some((key!("push-to-talk-refused"), "")),
        _ => needs.elsewhere.note(key, on),
    };
    if let Some((note, trigger)) = note {
        let note = texts.with(note, &[("trigger", trigger.into())]);
        paragraph(ui, &note, Type::Small, theme.secondary);
    }
    ui.data_mut(|data| data.insert_temp(state, refused));
}

/// The video encoder of the next broadcast, with the reason for each that does not open.
fn encoder(ui: &mut Ui, view: &mut View<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("settings-encoder");
    caption(ui, theme, &name);
    let now = view.snapshot.quality.encoder;
    let best = texts.get("settings-encoder-auto");
    let shown = |choice: Choice| if choice == Choice::Auto { &*best } else { choice.name() };
    let select = Select::new(&name, shown(now), ui.available_width());
    let mut wanted = None;
    select.show(ui, theme, |ui| {
        for choice in Choice::ALL {
            let known = view.snapshot.encoders.iter().find(|it| it.choice == Some(choice));
            let why = known.and_then(|it| it.unavailable.as_ref()).map(ToString::to_string);
            let (second, can) = (why.as_deref().unwrap_or_default(), why.is_none());
            if menu_item(ui, theme, shown(choice), second, choice == now, can) {
                wanted = Some(choice);
            }
        }
    });
    if let Some(encoder) = wanted {
        let quality = Quality { encoder, ..view.snapshot.quality.clone() };
        view.send(Command::SetQuality(quality));
    }
}

fn folder(ui: &mut Ui, view: &mut View<'_>, needs: &Needs<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    caption(ui, theme, &texts.get("settings-folder"));
    ui.horizontal(|ui| {
        let change = texts.get("settings-folder-change");
        let path = needs.preferences.recording_folder.display().to_string();
        let (rect, _) = ui
            .allocate_exact_size(vec2(ui.available_width() - 110.0, size::CONTROL), Sense::hover());
        elided(ui, rect, egui::Align::Min, &path, Type::Body.font(), theme.text);
        if Button::new(&change).width(102.0).show(ui, theme).clicked() {
            view.wish(WindowRequest::PickRecordingFolder);
        }
    });
}

/// Minutes or megabytes after which a recording goes on in a new file.
const SPLITS: [(Option<u64>, Option<u64>); 6] = [
    (None, None),
    (Some(10), None),
    (Some(30), None),
    (Some(60), None),
    (None, Some(2_000)),
    (None, Some(4_000)),
];
/// Seconds that the replay buffer keeps.
const REPLAYS: [u64; 6] = [0, 15, 30, 60, 120, 300];

fn recording(ui: &mut Ui, view: &View<'_>, needs: &mut Needs<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    let choices = &mut needs.preferences.recording;
    let width = (ui.available_width() - 2.0 * gap::S) / 3.0;
    let split_text = |minutes: Option<Duration>, bytes: Option<u64>| match (minutes, bytes) {
        (Some(time), _) => {
            let minutes = (time.as_secs() / 60).to_string();
            texts.with("settings-minutes", &[("count", minutes.into())])
        }
        (None, Some(bytes)) => format!("{:.1} GB", bytes as f64 / 1e9),
        (None, None) => texts.get("settings-split-never").to_string(),
    };
    let replay_text = |replay: Option<Duration>| match replay {
        None => texts.get("settings-replay-off").to_string(),
        Some(time) => {
            texts.with("settings-seconds", &[("count", time.as_secs().to_string().into())])
        }
    };
    let column = |ui: &mut Ui, key: &'static str, chosen: &str, menu: &mut dyn FnMut(&mut Ui)| {
        ui.vertical(|ui| {
            ui.set_width(width);
            let name = texts.get(key);
            caption(ui, theme, &name);
            let select = Select::new(&name, chosen, width);
            select.show(ui, theme, |ui| menu(ui));
        });
    };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap::S;
        let name = choices.format.extension().to_uppercase();
        column(ui, key!("settings-format"), &name, &mut |ui| {
            for format in [Format::Mp4, Format::Mkv, Format::Flv] {
                let name = format.extension().to_uppercase();
                if menu_item(ui, theme, &name, "", format == choices.format, true) {
                    choices.format = format;
                }
            }
        });
        let chosen = split_text(choices.split_time, choices.split_bytes);
        column(ui, key!("settings-split"), &chosen, &mut |ui| {
            for (minutes, megabytes) in SPLITS {
                let time = minutes.map(|minutes| Duration::from_secs(minutes * 60));
                let bytes = megabytes.map(|megabytes| megabytes * 1_000_000);
                let name = split_text(time, bytes);
                let is_chosen = (choices.split_time, choices.split_bytes) == (time, bytes);
                if menu_item(ui, theme, &name, "", is_chosen, true) {
                    (choices.split_time, choices.split_bytes) = (time, bytes);
                }
            }
        });
        let chosen = replay_text(choices.replay);
        column(ui, key!("settings-replay"), &chosen, &mut |ui| {
            for seconds in REPLAYS {
                let replay = (seconds > 0).then(|| Duration::from_secs(seconds));
                let name = replay_text(replay);
                if menu_item(ui, theme, &name, "", choices.replay == replay, true) {
                    choices.replay = replay;
                }
            }
        });
    });
}

/// Whether the replay buffer fills while nothing goes out.
fn replay_always(ui: &mut Ui, view: &View<'_>, needs: &mut Needs<'_>) {
    let choices = &mut needs.preferences.recording;
    if choices.replay.is_none() {
        return;
    }
    let (theme, texts) = (view.theme, view.texts);
    ui.add_space(gap::XS);
    let (name, tip) =
        (texts.get("settings-replay-always"), texts.get("settings-replay-always-note"));
    if named_switch(ui, theme, &name, &tip, Type::Small, choices.replay_always) {
        choices.replay_always ^= true;
    }
}

/// How many sound tracks a recording would have, and what they are called.
fn tracks(ui: &mut Ui, view: &View<'_>, needs: &mut Needs<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    let strips = view.snapshot.strips.iter();
    let used = strips.fold(ExtraTracks::NONE, |all, it| all.and(it.sound.strip.tracks));
    let numbers: Vec<u8> = std::iter::once(1).chain(used.iter().map(ExtraTrack::number)).collect();
    let count = numbers.len().to_string();
    caption(ui, theme, &texts.with("settings-tracks", &[("count", count.into())]));
    if used.is_empty() {
        paragraph(ui, &texts.get("settings-tracks-one"), Type::Small, theme.secondary);
        return;
    }
    let width = (ui.available_width() - gap::S) / 2.0;
    for pair in numbers.chunks(2) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = gap::S;
            for number in pair {
                track_name(ui, view, needs, *number, width);
            }
        });
    }
}

fn track_name(ui: &mut Ui, view: &View<'_>, needs: &mut Needs<'_>, number: u8, width: f32) {
    let place = usize::from(number).saturating_sub(1);
    let Some(given) = needs.preferences.recording.track_names.get_mut(place) else { return };
    let texts = view.texts;
    let name = texts.with("settings-track-name", &[("number", number.to_string().into())]);
    let own = view.snapshot.track_names.get(place).filter(|_| given.is_empty());
    let own = own.filter(|own| !own.is_empty()).cloned();
    let own = own.unwrap_or_else(|| texts.get("track-program").to_string());
    let field = Id::unique("track-name").with(number);
    let mut text = ui.data(|data| data.get_temp::<String>(field)).unwrap_or_else(|| given.clone());
    let kept = Field {
        id: field.with("edit"),
        text: &mut text,
        name: &name,
        hint: &format!("{number} · {own}"),
        hidden: false,
        wrong: false,
        limit: crate::studio::MAX_STRIP_NAME,
        buttons: &[],
        width,
    }
    .show(ui, view.theme);
    if kept.response.lost_focus() {
        *given = mixer::clean_name(&text);
        ui.data_mut(|data| data.remove::<String>(field));
    } else if kept.response.has_focus() {
        ui.data_mut(|data| data.insert_temp(field, text));
    }
}

fn renderer(ui: &mut Ui, view: &View<'_>, needs: &Needs<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    caption(ui, theme, &texts.get("settings-renderer"));
    let name = needs.renderer.name.clone();
    let text = if name.is_empty() {
        texts.get("renderer-unknown").to_string()
    } else if needs.renderer.software {
        texts.with("renderer-software", &[("name", name.into())])
    } else {
        texts.with("renderer-gpu", &[("name", name.into())])
    };
    paragraph(ui, &text, Type::Small, theme.secondary);
}
