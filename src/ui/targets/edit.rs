//! The editor of one target: its address and key, the storage of the key, and the limits of its
//! service.

use std::time::Duration;

use egui::{Align, Id, Key, Layout, Ui, vec2};

use crate::studio::snapshot::TargetView;
use crate::studio::targets::TargetState;
use crate::studio::targets::address::{self, AddressFault};
use crate::studio::{Command, KeyPlace, Target};
use crate::ui::input::actions::key;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap};
use crate::ui::targets::draft::{Part, key_field, server_field};
use crate::ui::targets::media::{simulcast, target_audio};
use crate::ui::targets::{Draft, advanced, limits, second_canvas, viewer_monitor};
use crate::ui::text::sentence;
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{
    Button, ButtonWeight, Field, icon_button, label, paragraph, select_all, switch,
};

/// Draws the fields of a target. If the target is live, a new address or key restarts only its own
/// connection.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, entry: &TargetView) {
    let width = ui.available_width();
    if entry.target.is_built_in() {
        let server = &view.snapshot.server;
        let stopped = match entry.target.enabled {
            true => key!("server-stopped"),
            false => key!("server-stopped-off"),
        };
        address(ui, view, draft, (key!("watch-at"), &server.play_url, stopped), width);
        address(ui, view, draft, (key!("watch-in-browser"), &server.page_url, stopped), width);
        let running = draft.running.contains(&entry.target.id);
        second_canvas::of_target(ui, view, draft, &entry.target, running);
        target_audio::show(ui, view, draft, &entry.target, running, width);
        viewer_monitor::show(ui, view, draft, entry, false, width);
        return;
    }
    let running = draft.running.contains(&entry.target.id);
    server(ui, view, draft, &entry.target, width);
    if address::needs_key(&draft.texts(entry.target.id).server) {
        stream_key(ui, view, draft, &entry.target, width);
    }
    second_canvas::of_target(ui, view, draft, &entry.target, running);
    target_audio::show(ui, view, draft, &entry.target, running, width);
    simulcast::show(ui, view, draft, &entry.target, running, width);
    advanced::show(ui, view, draft, &entry.target, width);
    other_connection(ui, view, draft, &entry.target);
    below(ui, view, draft, entry);
    viewer_monitor::show(ui, view, draft, entry, running, width);
}

/// Draws the buttons that apply or discard all changes to a running target together.
fn other_connection(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, target: &Target) {
    let Some(wanted) = draft.waiting(target) else { return };
    let (theme, texts) = (view.theme, view.texts);
    paragraph(ui, &texts.get("target-reconnects"), Type::Small, theme.secondary);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap::S;
        let (apply, discard) = (texts.get("target-apply"), texts.get("target-discard"));
        let button = Button::new(&apply).small().weight(ButtonWeight::Primary);
        if button.show(ui, theme).clicked() {
            draft.complain = draft.fault_of(target).is_some();
            if !draft.complain {
                view.send(Command::RestartTarget(wanted));
            }
        }
        if Button::new(&discard).small().show(ui, theme).clicked() {
            draft.forget(target.id);
        }
    });
}

fn server(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, target: &Target, width: f32) {
    let (theme, texts) = (view.theme, view.texts);
    label(ui, &texts.get("server"), Type::Small, theme.secondary);
    let fault = draft.fault_of(target).filter(|fault| draft.complain && !fault.is_of_key());
    let focus = draft.focus.take_if(|part| *part == Part::Server).is_some();
    // If every target of a service has its own address, the hint in the field explains that.
    let hint = match view.snapshot.services.find(&target.service) {
        Some(service) if service.servers.is_empty() => "service-no-address",
        _ => "server-hint",
    };
    let field = Field {
        name: &texts.get("server"),
        hint: &texts.get(hint),
        wrong: fault.is_some(),
        limit: 2048,
        width,
        ..Field::new(server_field(), &mut draft.texts(target.id).server)
    }
    .show(ui, theme);
    if focus {
        field.response.request_focus();
        field.response.scroll_to_me(None);
    }
    if let Some(fault) = fault {
        let words = sentence(&texts.say_with_cure(&fault.problem()));
        paragraph(ui, &words, Type::Small, theme.warn);
    }
    if field.response.changed() {
        draft.texts(target.id).server_touched = true;
        draft.complain &= draft.fault_of(target).is_some();
        draft.changed(target).into_iter().for_each(|command| view.send(command));
    }
    if field.response.lost_focus() && !draft.texts(target.id).server.is_empty() {
        draft.complete_server(target).into_iter().for_each(|command| view.send(command));
        let fault = draft.fault_of(target);
        draft.complain |= fault.as_ref().is_some_and(|fault| !fault.is_of_key());
        if fault == Some(AddressFault::NoKey) && ui.input(|input| input.key_pressed(Key::Enter)) {
            draft.focus = Some(Part::Key);
        }
    }
    apart(ui, view, draft, target);
    ui.add_space(gap::XS);
}

/// Draws a text that explains how a complete URL is divided into server and key, without showing
/// the key. A button moves the key into its own field. The button's tooltip explains the other
/// division.
fn apart(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, target: &Target) {
    let (theme, texts) = (view.theme, view.texts);
    let typed = draft.texts(target.id);
    if !typed.key.is_empty() {
        return;
    }
    let Some((server, url)) = address::split(&typed.server) else { return };
    let text = texts.with("split-line", &[("app", url.app.clone().into())]);
    paragraph(ui, &text, Type::Small, theme.secondary);
    let other = texts.with("split-other", &[("app", format!("{}/…", url.app).into())]);
    let name = texts.get("split-apart");
    let pressed = Button::new(&name).small().weight(ButtonWeight::Quiet).show(ui, theme);
    if pressed.on_hover_text(other).clicked() {
        *typed.server = server;
        *typed.key = url.stream.expose().to_owned();
        (typed.touched, typed.server_touched) = (true, true);
        draft.changed(target).into_iter().for_each(|command| view.send(command));
    }
}

fn stream_key(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, target: &Target, width: f32) {
    let (theme, texts) = (view.theme, view.texts);
    ui.allocate_ui_with_layout(vec2(width, 18.0), Layout::right_to_left(Align::Center), |ui| {
        let service = view.snapshot.services.of_target(&target.service, target.server());
        if let Some(service) = service.filter(|service| !service.key_page.is_empty()) {
            let name =
                texts.with("get-key", &[("service", service.name_in(texts.language()).into())]);
            if icon_button(ui, theme, Icon::External, &name, 18.0).clicked() {
                ui.ctx().open_url(egui::OpenUrl::new_tab(&*service.key_page));
            }
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            label(ui, &texts.get("stream-key"), Type::Small, theme.secondary);
        });
    });
    let eye = if draft.key_shown {
        (Icon::EyeOff, texts.get("hide-key"))
    } else {
        (Icon::Eye, texts.get("show-key"))
    };
    let hidden = !draft.key_shown;
    // An invalid key is marked at once, a missing key only if the user needs it.
    let marks = |fault: &AddressFault| match fault {
        AddressFault::Key(_) => true,
        fault => draft.complain && fault.is_of_key(),
    };
    let fault = draft.fault_of(target).filter(marks);
    let focus = draft.focus.take_if(|part| *part == Part::Key).is_some();
    let field = Field {
        name: &texts.get("stream-key"),
        hint: &texts.get("stream-key-hint"),
        hidden,
        wrong: fault.is_some(),
        limit: 2048,
        buttons: &[(Icon::Paste, &texts.get("paste")), (eye.0, &eye.1)],
        width,
        ..Field::new(key_field(), &mut draft.texts(target.id).key)
    }
    .show(ui, theme);
    if focus {
        // A hidden key is replaced, not edited.
        select_all(ui, key_field(), &draft.texts(target.id).key);
        field.response.request_focus();
        field.response.scroll_to_me(None);
    }
    if let Some(fault) = fault {
        paragraph(ui, &sentence(&texts.say(&fault.problem())), Type::Small, theme.warn);
    }
    match field.pressed {
        Some(0) => {
            // If the clipboard has no text, the key stays.
            select_all(ui, key_field(), &draft.texts(target.id).key);
            field.response.request_focus();
            view.request(WindowRequest::Paste);
        }
        Some(_) => draft.key_shown = !draft.key_shown,
        None => {}
    }
    if field.response.changed() {
        let typed = draft.texts(target.id);
        typed.touched = true;
        // Some services show the server and the key as one URL.
        if let Some((server, url)) = address::split(&typed.key) {
            *typed.server = server;
            *typed.key = url.stream.expose().to_owned();
            typed.server_touched = true;
        }
        draft.complain &= draft.fault_of(target).is_some();
        draft.changed(target).into_iter().for_each(|command| view.send(command));
    }
}

/// Draws the switch for storing the key, the certificate, the conflicts with the service, and the
/// remove button.
fn below(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, entry: &TargetView) {
    let (theme, texts) = (view.theme, view.texts);
    let target = &entry.target;
    ui.add_space(gap::XS);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap::S;
        let needs_key = address::needs_key(&draft.texts(target.id).server);
        let name = texts.get("remember-key");
        if needs_key && switch(ui, theme, &name, target.remember_key) {
            let remember_key = !target.remember_key;
            view.send(Command::PutTarget(Target { remember_key, ..draft.put(target) }));
        }
        let place = match (&view.snapshot.key_place, target.remember_key) {
            (_, false) => texts.get("key-forgotten").to_string(),
            (None | Some(KeyPlace::Keyring), true) => texts.get("key-in-keyring").to_string(),
            (Some(KeyPlace::File(path)), true) => {
                texts.with("key-in-file", &[("path", path.display().to_string().into())])
            }
        };
        if needs_key {
            label(ui, &name, Type::Small, theme.text).on_hover_text(place);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            // A running target must be switched off before it can be removed.
            ui.add_enabled_ui(!draft.running.contains(&target.id), |ui| {
                let name = texts.get("remove-target");
                let trash = icon_button(ui, theme, Icon::Trash, &name, 24.0);
                draft.rows.note(u64::from(target.id), &trash);
                if trash.clicked() {
                    view.send(Command::RemoveTarget(target.id));
                }
            });
        });
    });
    if let Some(pin) = target.pin {
        ui.horizontal(|ui| {
            let short: String = pin.to_string().chars().take(12).collect();
            let text = texts.with("pinned", &[("pin", short.into())]);
            label(ui, &text, Type::Small, theme.secondary).on_hover_text(pin.to_string());
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let name = texts.get("unpin");
                if icon_button(ui, theme, Icon::Close, &name, 20.0).clicked() {
                    view.send(Command::PutTarget(Target { pin: None, ..draft.put(target) }));
                }
            });
        });
    }
    misfits(ui, view, target);
    let gave_up = entry.state == Some(TargetState::Failed) && target.enabled;
    if gave_up && view.snapshot.live != crate::studio::live::view::LiveState::Idle {
        let name = texts.get("try-again");
        if Button::new(&name).small().icon(Icon::Refresh).show(ui, theme).clicked() {
            view.send(Command::StartTarget(target.id));
        }
    }
}

/// Draws the settings that conflict with the limits of the service.
fn misfits(ui: &mut Ui, view: &mut View<'_>, target: &Target) {
    let (theme, texts) = (view.theme, view.texts);
    let Some(service) = view
        .snapshot
        .services
        .of_target(&target.service, target.server())
        .filter(|_| target.enabled)
    else {
        return;
    };
    let misfits = service.misfits(&view.snapshot.quality);
    for misfit in &misfits {
        let warning = texts.say(&misfit.problem(service.name_in(texts.language())));
        paragraph(ui, &warning, Type::Small, theme.warn);
    }
    let fit = limits::fit(view, service);
    if !misfits.is_empty() && fit != view.snapshot.quality {
        let name =
            texts.with("fit-quality", &[("service", service.name_in(texts.language()).into())]);
        if Button::new(&name).small().weight(ButtonWeight::Warn).show(ui, theme).clicked() {
            view.send(Command::SetQuality(fit));
        }
    }
}

/// Draws an address of the built-in server, with a button that copies it, or the text for a stopped
/// server.
fn address(
    ui: &mut Ui,
    view: &View<'_>,
    draft: &mut Draft,
    (key, url, stopped): (&'static str, &str, &'static str),
    width: f32,
) {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get(key);
    label(ui, &name, Type::Small, theme.secondary);
    let mut text = if url.is_empty() { texts.get(stopped).to_string() } else { url.to_owned() };
    let now = ui.input(|input| input.time);
    let copied = draft.copied_at.is_some_and(|(of, at)| of == key && now - at < 2.0);
    let button = if copied {
        (Icon::Check, texts.get("copied").to_string())
    } else {
        (Icon::Copy, format!("{}: {name}", texts.get("copy-address")))
    };
    let buttons = [(button.0, button.1.as_str())];
    let field = Field {
        name: &name,
        limit: 2048,
        buttons: if url.is_empty() { &[] } else { &buttons },
        width,
        ..Field::new(Id::unique(key), &mut text)
    }
    .show(ui, theme);
    if field.pressed.is_some() {
        ui.ctx().copy_text(url.to_owned());
        draft.copied_at = Some((key, now));
        ui.ctx().request_repaint_after(Duration::from_millis(2050));
    }
}
