//! The list of targets: a switch each, how it fares, and one shown in full.

use egui::{
    Align, Color32, CornerRadius, Layout, Popup, PopupCloseBehavior, Rect, Role, Sense, Ui,
    UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::media::RenditionId;
use crate::studio::live::view::LiveState;
use crate::studio::snapshot::TargetView;
use crate::studio::targets::{MAX_TARGETS, TargetState, services};
use crate::studio::{Command, Target, TargetPlace};
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{RADIUS, Type, gap, size};
use crate::ui::targets::stage::stage_key;
use crate::ui::targets::{Draft, viewer_monitor};
use crate::ui::text::{Texts, format};
use crate::ui::view::View;
use crate::ui::widgets::{
    ButtonWeight, elided, focus_ring, icon_button, menu_item, menu_rule, paragraph, section, switch,
};

/// The heading with the button that adds an entry, and the list; tells whether the person's own
/// services are to be shown.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) -> bool {
    let services = heading(ui, view, draft);
    let snapshot = view.snapshot;
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        for entry in &snapshot.targets {
            ui.push_id(("target", entry.target.id), |ui| row(ui, view, draft, entry));
        }
    });
    if draft.complain && !snapshot.targets.iter().any(|entry| entry.target.enabled) {
        let said = view.texts.get("no-target-on");
        paragraph(ui, &said, Type::Small, view.theme.warn);
    }
    services
}

fn heading(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) -> bool {
    let (theme, texts) = (view.theme, view.texts);
    let mut services = false;
    ui.allocate_ui_with_layout(
        vec2(ui.available_width(), 24.0),
        Layout::right_to_left(Align::Center),
        |ui| {
            if view.snapshot.targets.len() < MAX_TARGETS {
                let name = texts.get("add-target");
                let button = icon_button(ui, theme, Icon::Plus, &name, 24.0, ButtonWeight::Quiet);
                services = menu(&button, view, draft);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                section(ui, theme, &texts.get("targets"));
            });
        },
    );
    services
}

/// What kind of target to add; tells whether the person's own services are to be shown.
fn menu(button: &egui::Response, view: &mut View<'_>, draft: &mut Draft) -> bool {
    let (theme, texts) = (view.theme, view.texts);
    let width = 250.0;
    let (mut chosen, mut services) = (None, false);
    Popup::menu(button)
        .width(width)
        .gap(gap::XS)
        .close_behavior(PopupCloseBehavior::CloseOnClick)
        .frame(
            egui::Frame::popup(&button.ctx.global_style())
                .fill(theme.panel)
                .inner_margin(egui::Margin::same(4)),
        )
        .show(|ui| {
            ui.spacing_mut().item_spacing = vec2(0.0, 2.0);
            ui.set_width(width - 10.0);
            let height = (ui.ctx().content_rect().height() - 160.0).clamp(120.0, 532.0);
            egui::ScrollArea::vertical().max_height(height).show(ui, |ui| {
                let (own, second) = (texts.get("target-own"), texts.get("target-own-second"));
                if menu_item(ui, theme, &own, &second, false, true) {
                    chosen = Some(("", "", ""));
                }
                for service in view.snapshot.services.all() {
                    if menu_item(ui, theme, &service.name, "", false, true) {
                        let known = services::SERVICES.iter().any(|it| it.id == service.id);
                        let name = if known { "" } else { &*service.name };
                        let server = service.servers.first().map_or("", |server| server);
                        chosen = Some((&*service.id, server, name));
                    }
                }
            });
            menu_rule(ui, theme);
            let (name, second) = (texts.get("services"), texts.get("services-second"));
            services = menu_item(ui, theme, &name, &second, false, true);
        });
    let Some((service, server, name)) = chosen else { return services };
    let list: Vec<Target> =
        view.snapshot.targets.iter().map(|entry| entry.target.clone()).collect();
    let moment = button.ctx.input(|input| input.time).to_bits() ^ view.snapshot.born;
    let target = Target::new_for(&list, moment);
    draft.awaited = Some(target.id);
    view.send(Command::PutTarget(Target {
        service: service.to_owned(),
        name: name.to_owned(),
        place: TargetPlace::Custom { server: server.to_owned(), key: Default::default() },
        ..target
    }));
    services
}

/// What a target is called.
pub fn title(texts: &Texts, target: &Target) -> String {
    if target.is_built_in() {
        return texts.get("target-builtin").to_string();
    }
    if !target.name.is_empty() {
        return target.name.clone();
    }
    if let Some(service) = services::SERVICES.iter().find(|it| it.id == target.service) {
        return service.name.to_string();
    }
    match host(target.server()) {
        "" => texts.get("target-unnamed").to_string(),
        host => host.to_owned(),
    }
}

/// The host in a server's URL, as far as it has been typed.
fn host(server: &str) -> &str {
    let rest = server.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

/// How it fares: a lamp and words.
fn fares(view: &View<'_>, entry: &TargetView) -> (Option<Color32>, String) {
    let (theme, texts) = (view.theme, view.texts);
    let cause = || entry.cause.as_ref().map(|cause| texts.say(cause)).unwrap_or_default();
    let broadcasting = view.snapshot.live != LiveState::Idle;
    match entry.state {
        Some(TargetState::Live) if broadcasting => {
            let rate = match entry.size.filter(|_| entry.rendition_id == RenditionId::Second) {
                Some(size) => format!("{} · {size}", format::bitrate(entry.bitrate)),
                None => format::bitrate(entry.bitrate),
            };
            if let Some(monitor) = entry.monitor.as_ref().filter(|it| it.state != "waiting") {
                let (words, color) = viewer_monitor::state(theme, texts, monitor);
                return (Some(color.unwrap_or(theme.live)), format!("{rate} · {words}"));
            }
            (Some(theme.live), texts.with("target-live", &[("rate", rate.into())]))
        }
        Some(TargetState::Connecting) if broadcasting && entry.cause.is_none() => {
            let stage = texts.get(stage_key(entry.stage.unwrap_or_default())).to_string();
            (Some(theme.secondary), stage)
        }
        Some(TargetState::Connecting | TargetState::Reconnecting) if broadcasting => {
            (Some(theme.warn), texts.with("target-retrying", &[("cause", cause().into())]))
        }
        Some(TargetState::Failed) => {
            (Some(theme.warn), texts.with("target-gave-up", &[("cause", cause().into())]))
        }
        _ if entry.target.is_built_in() => (None, texts.get("target-builtin-second").to_string()),
        _ => (None, host(entry.target.server()).to_owned()),
    }
}

fn row(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, entry: &TargetView) {
    let theme = view.theme;
    let id = entry.target.id;
    let title = title(view.texts, &entry.target);
    let (lamp, second) = fares(view, entry);
    let chosen = draft.chosen == id;
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), size::ROW), Sense::click());
    response.widget_info(|| WidgetInfo {
        current_text_value: Some(second.clone()),
        ..WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), chosen, &title)
    });
    let fill = if chosen {
        theme.raised
    } else if response.hovered() {
        theme.hover
    } else {
        Color32::TRANSPARENT
    };
    ui.painter().rect_filled(rect, CornerRadius::same(RADIUS), fill);
    let side = Rect::from_min_max(pos2(rect.right() - 44.0, rect.top()), rect.max);
    let mut words =
        Rect::from_min_max(pos2(rect.left() + 10.0, rect.top()), pos2(side.left(), rect.bottom()));
    if let Some(lamp) = lamp {
        ui.painter().circle_filled(pos2(words.left() + 4.0, rect.center().y), 4.0, lamp);
        words.min.x += 16.0;
    }
    let color = if entry.target.enabled { theme.text } else { theme.secondary };
    if second.is_empty() || second == title {
        elided(ui, words, Align::Min, &title, Type::Body.font(), color);
    } else {
        let (upper, lower) = words.shrink2(vec2(0.0, 4.0)).split_top_bottom_at_fraction(0.54);
        elided(ui, upper, Align::Min, &title, Type::Body.font(), color);
        elided(ui, lower, Align::Min, &second, Type::Small.font(), theme.secondary);
    }
    focus_ring(ui, theme, &response, RADIUS);
    let mut at = ui.new_child(
        UiBuilder::new()
            .max_rect(side.shrink2(vec2(7.0, 0.0)))
            .layout(Layout::right_to_left(Align::Center)),
    );
    let name = view.texts.with("target-on", &[("name", title.as_str().into())]);
    if switch(&mut at, theme, &name, entry.target.enabled) {
        let enabled = !entry.target.enabled;
        let target = draft.filled(&entry.target);
        view.send(Command::PutTarget(Target { enabled, ..target }));
        if enabled {
            draft.choose(id);
        }
    }
    if response.on_hover_text(&second).clicked() {
        draft.choose(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_shown_without_secrets() {
        assert_eq!(host("rtmp://live.example.com/app/key"), "live.example.com");
        assert_eq!(host("rtmp://me:secret@host:1936/app?s=1"), "host:1936");
        assert_eq!(host("rtmp"), "");
    }
}
