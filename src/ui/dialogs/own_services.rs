//! The dialog *Your own services*: adds, changes and removes services, each with its addresses and
//! limits.

use egui::{Align, Id, Key, Layout, Modifiers, ScrollArea, Ui, vec2};

use crate::studio::Command;
use crate::studio::settings::{OwnPart, OwnService, read_own};
use crate::studio::targets::services::{Service, USUAL_LIMITS, host_of};
use crate::text::problem::problem;
use crate::ui::dialogs::card::{
    DialogAnswer, Services, ServicesFocus, heading, modal, removal_question,
};
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::input::actions::key;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::sentence;
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, Field, at_line_end, icon_button, label, paragraph};

pub fn show(
    ctx: &egui::Context,
    view: &mut View<'_>,
    draft: &mut Services,
    fresh: bool,
) -> Option<DialogAnswer> {
    if fresh {
        draft.returns = std::mem::take(&mut draft.from_settings);
        draft.focused = Some(OwnPart::Name);
    }
    let returns = draft.returns;
    let answer = modal(ctx, view.theme, "services", 520.0, |ui| {
        let mut close = heading(ui, view, &view.texts.get("services"));
        // Without services, the settings opened the form at once, and the list would be empty.
        let is_alone = returns && view.snapshot.services.own().is_empty();
        // Escape returns to the list before it closes the dialog.
        let in_form = draft.typed.is_some();
        if in_form && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
            leave(view, draft);
            close |= is_alone;
        }
        if draft.typed.is_some() {
            close |= form(ui, view, draft) && is_alone;
        } else if let Some(service) = asked_about(view, draft) {
            question(ui, view, draft, service);
        } else {
            draft.removal = None;
            list(ui, view, draft);
        }
        close.then_some(DialogAnswer::Close)
    });
    if answer.is_some() {
        leave(view, draft);
        (draft.removal, draft.next_focus) = (None, None);
    }
    match answer {
        Some(DialogAnswer::Close) if returns => Some(DialogAnswer::Setting(Setting::Services)),
        answer => answer,
    }
}

/// Closes the form. Its texts are kept if the user changed them.
fn leave(view: &View<'_>, draft: &mut Services) {
    let mut own = view.snapshot.services.own().iter();
    let saved = own.find(|it| draft.was.as_deref() == Some(&*it.id));
    let saved = saved.map_or_else(OwnService::default, OwnService::from);
    if let Some(typed) = draft.typed.take().filter(|typed| *typed != saved) {
        draft.left.insert(draft.was.take(), typed);
    }
}

/// Closes the form, and discards its texts.
fn clear(draft: &mut Services) {
    (draft.was, draft.typed, draft.wrong) = Default::default();
}

/// Returns the service about whose removal the dialog asks.
fn asked_about<'a>(view: &View<'a>, draft: &Services) -> Option<&'a Service> {
    let id = draft.removal.as_deref()?;
    view.snapshot.services.own().iter().find(|it| it.id == id)
}

/// Asks for confirmation before a service is removed.
fn question(ui: &mut Ui, view: &mut View<'_>, draft: &mut Services, service: &Service) {
    let texts = view.texts;
    let title = texts.with("service-remove-title", &[("name", service.name.to_string().into())]);
    let (note, yes) = (texts.get("service-remove-note"), texts.get("service-remove-yes"));
    let focuses_no = draft.next_focus.take_if(|it| *it == ServicesFocus::Keep).is_some();
    let id = service.id.to_string();
    let next = match removal_question(ui, view, &title, &note, &yes, focuses_no) {
        Some(true) => {
            view.send(Command::RemoveService(id));
            ServicesFocus::Add
        }
        Some(false) => ServicesFocus::Remove(id),
        None => return,
    };
    (draft.removal, draft.next_focus) = (None, Some(next));
}

fn list(ui: &mut Ui, view: &mut View<'_>, draft: &mut Services) {
    let (theme, texts) = (view.theme, view.texts);
    paragraph(ui, &texts.get("services-note"), Type::Small, theme.secondary);
    ui.add_space(gap::S);
    let own = view.snapshot.services.own();
    // A new service must not get the texts of a removed one with the same id.
    draft.left.retain(|id, _| id.as_ref().is_none_or(|id| own.iter().any(|it| *it.id == **id)));
    if own.is_empty() {
        paragraph(ui, &texts.get("services-none"), Type::Body, theme.text);
    }
    ScrollArea::vertical().max_height(360.0).auto_shrink([false, true]).show(ui, |ui| {
        for service in own {
            ui.push_id(&*service.id, |ui| row(ui, view, draft, service));
        }
    });
    ui.add_space(gap::S);
    let add = Button::new(&texts.get("service-add")).icon(Icon::Plus).show(ui, theme);
    if draft.next_focus.take_if(|it| *it == ServicesFocus::Add).is_some() {
        add.request_focus();
    }
    if add.clicked() {
        draft.open(None, OwnService::default());
    }
}

fn row(ui: &mut Ui, view: &mut View<'_>, draft: &mut Services, service: &Service) {
    let (theme, texts) = (view.theme, view.texts);
    let size = vec2(ui.available_width(), 40.0);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        let named = |key| texts.with(key, &[("name", service.name.to_string().into())]);
        at_line_end(ui, |ui| {
            let edit = named(key!("service-edit"));
            if Button::new(&texts.get("edit")).name(&edit).small().show(ui, theme).clicked() {
                draft.open(Some(service.id.to_string()), OwnService::from(service));
            }
            let remove = named(key!("service-remove"));
            let remove = icon_button(ui, theme, Icon::Trash, &remove, 28.0);
            let own = ServicesFocus::Remove(service.id.to_string());
            if draft.next_focus.take_if(|it| *it == own).is_some() {
                remove.request_focus();
            }
            if remove.clicked() {
                draft.removal = Some(service.id.to_string());
                draft.next_focus = Some(ServicesFocus::Keep);
            }
        });
        ui.with_layout(Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            label(ui, &service.name, Type::Body, theme.text);
            let hosts: Vec<&str> = service.servers.iter().filter_map(|it| host_of(it)).collect();
            let second = match hosts.first() {
                Some(host) if hosts.len() > 1 => format!("{host} +{}", hosts.len() - 1),
                Some(host) => (*host).to_owned(),
                None => texts.get("service-no-address").to_string(),
            };
            let second = format!("{second} · --service {}", service.id);
            label(ui, &second, Type::Small, theme.secondary);
        });
    });
}

/// Draws the form. Returns true if the user left it without saving.
fn form(ui: &mut Ui, view: &mut View<'_>, draft: &mut Services) -> bool {
    let (theme, texts) = (view.theme, view.texts);
    let Services { was, typed: Some(own), wrong, focused, .. } = draft else { return false };
    let (width, mut entered) = (ui.available_width(), false);
    let mut field = |ui: &mut Ui,
                     text: &mut String,
                     name: &'static str,
                     hint: &'static str,
                     part: OwnPart,
                     width: f32| {
        ui.vertical(|ui| {
            ui.set_width(width);
            let title = texts.get(name);
            label(ui, &title, Type::Small, theme.secondary);
            let fault = wrong.as_ref().filter(|(its, _)| *its == part).map(|(_, why)| why.clone());
            let hint = if hint.is_empty() { String::new() } else { texts.get(hint).to_string() };
            let kept = Field {
                name: &title,
                hint: &hint,
                wrong: fault.is_some(),
                limit: 1_024,
                width,
                ..Field::new(Id::unique(name), text)
            }
            .show(ui, theme);
            if let Some(why) = fault {
                paragraph(ui, &sentence(&texts.say(&why)), Type::Small, theme.warn);
            }
            if focused.take_if(|its| *its == part).is_some() {
                kept.response.request_focus();
            }
            entered |= kept.response.lost_focus() && ui.input(|it| it.key_pressed(Key::Enter));
            if kept.response.changed() {
                wrong.take_if(|(its, _)| *its == part);
            }
        });
    };
    ui.spacing_mut().item_spacing.y = gap::XS;
    let (name, servers) = (key!("service-name"), key!("service-servers"));
    field(ui, &mut own.name, name, key!("service-name-hint"), OwnPart::Name, width);
    field(ui, &mut own.servers, servers, key!("service-servers-hint"), OwnPart::Servers, width);
    let page = key!("service-key-page");
    field(ui, &mut own.key_page, page, key!("service-key-page-hint"), OwnPart::KeyPage, width);
    ui.add_space(gap::XS);
    let usual = USUAL_LIMITS.keyframe_seconds.to_string();
    let limits = texts.with("service-limits", &[("seconds", usual.into())]);
    paragraph(ui, &limits, Type::Small, theme.text);
    let half = (width - gap::S) / 2.0;
    let pairs = [
        [
            (&mut own.video_kbps, key!("service-video"), OwnPart::Video),
            (&mut own.audio_kbps, key!("service-audio"), OwnPart::Audio),
        ],
        [
            (&mut own.height, key!("service-height"), OwnPart::Height),
            (&mut own.fps, key!("service-fps"), OwnPart::Fps),
        ],
    ];
    for pair in pairs {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = gap::S;
            for (text, name, part) in pair {
                field(ui, text, name, "", part, half);
            }
        });
    }
    let (text, name) = (&mut own.keyframe_seconds, key!("service-keyframes"));
    field(ui, text, name, "", OwnPart::Keyframes, half);
    ui.add_space(gap::S);
    let (mut keep, mut cancel, mut saved) = (false, false, false);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap::S;
        let name = texts.get("service-keep");
        keep = Button::new(&name).weight(ButtonWeight::Primary).show(ui, theme).clicked();
        cancel = Button::new(&texts.get("cancel")).show(ui, theme).clicked();
    });
    if keep || entered {
        let taken = |service: &Service| {
            let mut others = view.snapshot.services.own().iter();
            others.any(|it| it.id == service.id && was.as_deref() != Some(&*it.id))
        };
        match read_own(own) {
            Ok(service) if taken(&service) => {
                *wrong = Some((OwnPart::Name, problem!("service-taken")));
            }
            Ok(service) => {
                view.send(Command::PutService { was: was.clone(), service });
                saved = true;
            }
            Err(why) => *wrong = Some(why),
        }
        *focused = wrong.as_ref().map(|(part, _)| *part);
        ui.request_repaint();
    }
    if cancel || saved {
        clear(draft);
    }
    cancel
}
