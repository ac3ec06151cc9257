//! One strip of the mixer: name, source, fader, balance, sync offset and monitoring.

use egui::{Align, DragValue, Id, Layout, Ui, vec2};

use crate::audio::AudioChoice;
use crate::media::ExtraTrack;
use crate::media::playback_control::EndBehavior;
use crate::mix::filter::Unit;
use crate::mix::{MonitoringMode, Strip, StripId};
use crate::studio::snapshot::{SourceState, StripView};
use crate::studio::{Command, Monitoring, TalkMode};
use crate::ui::dialogs::mixer::filters::display;
use crate::ui::dialogs::mixer::row::{line, one_of, slider_line};
use crate::ui::input::actions::key;
use crate::ui::studio_page::mixer::labels;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap, size};
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{
    Button, Field, Select, icon_button, label, menu_item, menu_rule, named_switch, number_field,
    paragraph, scrolled,
};

pub fn show(ui: &mut Ui, view: &mut View<'_>, strip: &StripView, after: &mut Strip) {
    head(ui, view, strip);
    let name = labels::label_of(view, strip);
    let reading = strip.meter;
    let width = ui.available_width();
    let silent = labels::silent(view, strip);
    labels::meter_of(ui, view, &name, reading.into(), silent, width);
    ui.add_space(gap::XS);
    // A text that is no number must not stay in the fields of another strip.
    ui.push_id(strip.audio.id.0, |ui| {
        let (title, balance) = (view.texts.get("gain"), view.texts.get("strip-balance"));
        let named = view.texts.with("gain-of", &[("name", name.as_str().into())]);
        let (value, bounds) = (&mut after.gain_db, (&(-60.0..=20.0), 0.0));
        slider_line(ui, view, (&title, &named), value, bounds, display(Unit::Decibels));
        let (value, bounds) = (&mut after.balance, (&(-1.0..=1.0), 0.0));
        slider_line(ui, view, (&balance, &balance), value, bounds, display(Unit::Share));
    });
    offset(ui, view, after);
    switches(ui, view, strip, after);
    monitoring_row(ui, view, strip, after);
    end(ui, view, strip);
}

/// Draws the list of fallbacks, one of which replaces the source while it is silent or lost.
pub fn if_silent(ui: &mut Ui, view: &mut View<'_>, strip: &StripView) {
    let choice = &strip.audio.choice;
    let suits = matches!(
        choice,
        AudioChoice::Mic(_) | AudioChoice::System(_) | AudioChoice::Application(_)
    );
    if !suits && strip.audio.if_silent.is_none() {
        return;
    }
    let (id, theme) = (strip.audio.id, view.theme);
    let (name, keep) = (view.texts.get("strip-if-silent"), view.texts.get("strip-if-silent-keep"));
    let now = &strip.audio.if_silent;
    let title = |view: &View<'_>, choice: &AudioChoice| labels::name_of_choice(view, choice, "");
    let chosen = now.as_ref().map_or_else(|| keep.to_string(), |other| title(view, other));
    line(ui, view, &name, |ui, view| {
        let select = Select::new(&name, &chosen, ui.available_width());
        select.show(ui, theme, |ui| {
            if menu_item(ui, theme, &keep, "", now.is_none(), true) {
                view.send(Command::SetIfSilent { id, choice: None });
            }
            menu_rule(ui, theme);
            scrolled(ui, "if-silent", |ui| {
                for other in labels::choices(view, None) {
                    let pointless = matches!(other, AudioChoice::Silence) || other == *choice;
                    let is_it = now.as_ref() == Some(&other);
                    let title = title(view, &other);
                    if !pointless && menu_item(ui, theme, &title, "", is_it, true) {
                        view.send(Command::SetIfSilent { id, choice: Some(other) });
                    }
                }
            });
        });
    });
}

/// Draws the end behavior of a file. Draws nothing for a file that is also shown, because that file
/// has the end behavior of its video source.
fn end(ui: &mut Ui, view: &mut View<'_>, strip: &StripView) {
    let choice = &strip.audio.choice;
    if !matches!(choice, AudioChoice::File(_)) || labels::is_shown(view, choice) {
        return;
    }
    let (id, theme, name) = (strip.audio.id, view.theme, view.texts.get("at-end"));
    line(ui, view, &name, |ui, view| {
        ui.spacing_mut().item_spacing.x = gap::XS;
        for (key, at_end) in [
            (key!("at-end-loop"), EndBehavior::Loop),
            (key!("strip-end-silent"), EndBehavior::Clear),
        ] {
            let chosen = (strip.audio.at_end == EndBehavior::Loop) == (at_end == EndBehavior::Loop);
            let text = view.texts.get(key);
            let button = Button::new(&text).selected(chosen).small();
            if button.show(ui, theme).clicked() {
                view.send(Command::SetStripEnd { id, at_end });
            }
        }
        let text = view.texts.get("strip-restart");
        let name =
            view.texts.with("strip-restart-of", &[("name", labels::label_of(view, strip).into())]);
        if Button::new(&text).name(&name).small().show(ui, theme).clicked() {
            view.send(Command::RestartStrip(id));
        }
    });
}

/// Draws the state of the source, and its clock drift.
fn state(ui: &mut Ui, view: &mut View<'_>, strip: &StripView) {
    let (text, color) = labels::state_of(view, strip.state, strip.drift_ppm);
    let text = match strip.state {
        SourceState::Open if strip.has_no_audio => labels::level(view, strip),
        SourceState::Open if text.is_empty() => view.texts.get("state-open").to_string(),
        _ => text,
    };
    let response = label(ui, &text, Type::Small, color);
    if strip.drift_ppm.is_some() {
        response.on_hover_text(&*view.texts.get("tip-drift"));
    }
}

/// Draws the name field, the source choice, and the remove button.
fn head(ui: &mut Ui, view: &mut View<'_>, strip: &StripView) {
    let theme = view.theme;
    let id = strip.audio.id;
    let choice = &strip.audio.choice;
    let source = labels::name_of_choice(view, choice, &strip.device);
    let title = view.texts.get("strip-name");
    let width = ui.available_width();
    ui.horizontal(|ui| {
        let field = Id::unique("strip-name").with(id.0);
        let mut name = ui
            .data(|data| data.get_temp::<String>(field))
            .unwrap_or_else(|| strip.audio.name.clone());
        let kept = Field {
            name: &title,
            hint: &source,
            limit: crate::studio::MAX_STRIP_NAME,
            width: width * 0.45,
            ..Field::new(field.with("edit"), &mut name)
        }
        .show(ui, theme);
        if kept.response.lost_focus() {
            // Escape brings the old name back.
            let cancelled = ui.input(|input| input.key_pressed(egui::Key::Escape));
            if !cancelled && name != strip.audio.name {
                view.send(Command::RenameStrip { id, name });
            }
            ui.data_mut(|data| data.remove::<String>(field));
        } else if kept.response.has_focus() && kept.response.changed() {
            ui.data_mut(|data| data.insert_temp(field, name));
        }
        let away = if id == StripId::MAIN { 0.0 } else { size::CONTROL_HEIGHT + gap::S };
        let name = view.texts.get("strip-source");
        let select = Select::new(&name, &source, ui.available_width() - away);
        select.show(ui, theme, |ui| {
            labels::look_again(ui, view);
            let choices = labels::choices(view, Some(id));
            scrolled(ui, "sounds", |ui| {
                for one in choices {
                    let title = labels::name_of_choice(view, &one, "");
                    if menu_item(ui, theme, &title, "", one == *choice, true) {
                        view.send(Command::SelectStrip { id, choice: one });
                    }
                }
            });
            menu_rule(ui, theme);
            if menu_item(ui, theme, &view.texts.get("audio-file"), "", false, true) {
                view.request(WindowRequest::PickStripFile(Some(id)));
            }
        });
        if id != StripId::MAIN {
            let name = view.texts.get("strip-remove");
            if icon_button(ui, theme, Icon::Close, &name, size::CONTROL_HEIGHT).clicked() {
                view.send(Command::RemoveStrip(id));
            }
        }
    });
    ui.add_space(gap::S);
}

fn offset(ui: &mut Ui, view: &mut View<'_>, after: &mut Strip) {
    let name = view.texts.get("strip-offset");
    line(ui, view, &name, |ui, view| {
        let most = Strip::MAX_OFFSET.as_millis() as f64;
        let mut millis = after.offset_us as f64 / 1_000.0;
        let value = DragValue::new(&mut millis).max_decimals(1);
        let (named, range, size) = ((&*name, " ms"), -most..=most, vec2(110.0, 26.0));
        let (response, fault) = number_field(ui, view.theme, value, range, named, size);
        if response.on_hover_text(&*view.texts.get("tip-offset")).changed() {
            after.offset_us = (millis * 1_000.0).round() as i64;
        }
        let (note, color) = match (fault, after.offset_us) {
            (Some(fault), _) => (fault.say(ui, view.texts, " ms"), view.theme.warn),
            (None, 0) => return,
            (None, 1..) => (view.texts.get("offset-later").to_string(), view.theme.secondary),
            (None, _) => (view.texts.get("offset-earlier").to_string(), view.theme.secondary),
        };
        label(ui, &note, Type::Small, color);
    });
}

fn switches(ui: &mut Ui, view: &mut View<'_>, strip: &StripView, after: &mut Strip) {
    let name = view.texts.get("strip-switches");
    line(ui, view, &name, |ui, view| {
        for (key, tip, on) in [
            (key!("mute"), key!("tip-mute"), &mut after.muted),
            (key!("strip-mono"), key!("tip-mono"), &mut after.mono),
            (key!("strip-solo"), key!("tip-solo"), &mut after.solo),
        ] {
            let (text, tip) = (view.texts.get(key), view.texts.get(tip));
            if named_switch(ui, view.theme, &text, &tip, Type::Body, *on) {
                *on = !*on;
            }
            ui.add_space(gap::S);
        }
        let choice = &strip.audio.choice;
        if matches!(choice, AudioChoice::File(_) | AudioChoice::Stream(_)) {
            while_shown(ui, view, strip);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| state(ui, view, strip));
    });
}

/// Draws the switch that makes a clip or stream audible only while its video is shown.
fn while_shown(ui: &mut Ui, view: &mut View<'_>, strip: &StripView) {
    let (text, tip) = (view.texts.get("strip-while-shown"), view.texts.get("tip-while-shown"));
    let on = strip.audio.talk == TalkMode::WhileShown;
    if named_switch(ui, view.theme, &text, &tip, Type::Body, on) {
        let talk = if on { TalkMode::Open } else { TalkMode::WhileShown };
        view.send(Command::SetTalk { id: strip.audio.id, talk });
    }
    ui.add_space(gap::S);
}

/// Draws the choice of the audio tracks in which recordings contain the strip. The first track is
/// the program.
fn tracks(ui: &mut Ui, view: &mut View<'_>, strip: &StripView, after: &mut Strip) {
    let title = view.texts.get("strip-tracks");
    let strip = labels::label_of(view, strip);
    line(ui, view, &title, |ui, view| {
        ui.spacing_mut().item_spacing.x = gap::XS;
        let (theme, texts) = (view.theme, view.texts);
        let of = |number: u8| {
            let numbers = [("number", number.to_string().into()), ("name", strip.as_str().into())];
            texts.with("strip-track-of", &numbers)
        };
        // This changes the setting above, so that users find it here too.
        let (name, program) = (of(1), after.monitoring.in_program());
        let first = Button::new("1").name(&name).selected(program).small();
        let first = first.show(ui, theme).on_hover_text(&*texts.get("tip-track-program"));
        if first.clicked() {
            after.monitoring = after.monitoring.with_program(!program);
        }
        for track in ExtraTrack::all() {
            let (text, name) = (track.to_string(), of(track.number()));
            let there = after.tracks.has(track);
            let button = Button::new(&text).name(&name).selected(there).small();
            let called = view.snapshot.track_names.get(track.place() + 1);
            let called = called.filter(|called| !called.is_empty());
            let tip = called.map_or_else(
                || texts.get("tip-track-empty").to_string(),
                |called| texts.with("tip-track", &[("name", called.as_str().into())]),
            );
            if button.show(ui, theme).on_hover_text(tip).clicked() {
                after.tracks = after.tracks.with(track, !there);
            }
        }
    });
}

/// Draws the choice of the scene in which the strip is heard.
fn scene_row(ui: &mut Ui, view: &mut View<'_>, strip: &StripView) {
    let (title, all) = (view.texts.get("strip-scene"), view.texts.get("strip-scene-all"));
    let collection = std::sync::Arc::clone(&view.snapshot.scenes.collection);
    let own = strip.audio.scene.clone();
    let mut chosen = None;
    line(ui, view, &title, |ui, view| {
        let shown = if own.is_empty() { &*all } else { &own };
        let select = Select::new(&title, shown, ui.available_width());
        select.show(ui, view.theme, |ui| {
            egui::ScrollArea::vertical().max_height(360.0).show(ui, |ui| {
                if menu_item(ui, view.theme, &all, "", own.is_empty(), true) {
                    chosen = Some(String::new());
                }
                for scene in &collection.scenes {
                    let is_own = scene.name == own;
                    if menu_item(ui, view.theme, &scene.name, "", is_own, true) {
                        chosen = Some(scene.name.clone());
                    }
                }
            });
        });
    });
    if let Some(scene) = chosen {
        view.send(Command::SetStripScene { id: strip.audio.id, scene });
    }
}

fn monitoring_row(ui: &mut Ui, view: &mut View<'_>, strip: &StripView, after: &mut Strip) {
    let name = view.texts.get("monitoring");
    let all = [
        (key!("monitoring-off"), MonitoringMode::Program),
        (key!("monitoring-both"), MonitoringMode::Both),
        (key!("monitoring-only"), MonitoringMode::MonitorOnly),
        (key!("monitoring-tracks"), MonitoringMode::Tracks),
    ];
    if let Some(mode) = one_of(ui, view, &name, &all, after.monitoring, None) {
        after.monitoring = mode;
    }
    if labels::is_unheard(view, strip) {
        let why = view.texts.get("strip-unheard-why");
        paragraph(ui, &why, Type::Small, view.theme.warn);
        let on = view.texts.get("turn-on-monitoring");
        if Button::new(&on).small().show(ui, view.theme).clicked() {
            view.send(Command::SetMonitoring(Monitoring::Default));
        }
    }
    tracks(ui, view, strip, after);
    scene_row(ui, view, strip);
    let name = view.texts.get("strip-push-to-talk");
    let all = [
        (key!("push-to-talk-off"), TalkMode::Open),
        (key!("push-to-talk-on"), TalkMode::PushToTalk),
        (key!("push-to-mute"), TalkMode::PushToMute),
    ];
    let tip = Some(key!("tip-push-to-talk"));
    if let Some(talk) = one_of(ui, view, &name, &all, strip.audio.talk, tip) {
        view.send(Command::SetTalk { id: strip.audio.id, talk });
    }
}
