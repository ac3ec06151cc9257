//! The list of targets, each with a switch and its state. One target can be open for editing.

use std::collections::BTreeMap;

use egui::{
    Align, Color32, CornerRadius, Frame, Layout, Margin, Popup, PopupCloseBehavior, Rect,
    RectAlign, Response, Role, Sense, Stroke, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::media::RenditionId;
use crate::studio::live::monitor::view::MonitorView;
use crate::studio::live::view::LiveState;
use crate::studio::snapshot::TargetView;
use crate::studio::targets::address::{self, AddressFault};
use crate::studio::targets::{MAX_TARGETS, TargetState, services};
use crate::studio::{Command, KeyPlace, Target, TargetPlace};
use crate::ui::input::actions::key;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{BORDER_WIDTH, CARD_RADIUS, Type, gap};
use crate::ui::targets::stage::stage_key;
use crate::ui::targets::{Draft, edit, viewer_monitor};
use crate::ui::text::{Texts, format, sentence};
use crate::ui::view::View;
use crate::ui::widgets::{
    Button, ButtonWeight, Wrapped, context_menu, elided, focus_in_view, focus_ring, menu_frame,
    menu_item, menu_rule, paragraph, return_focus, switch,
};

/// The margin between the border of a card and its contents.
const CARD_MARGIN: Margin = Margin::symmetric(10, 6);
/// The height of a closed card, without its padding.
const CLOSED_CARD_HEIGHT_POINTS: f32 = 38.0;
/// The height of the line with the name.
const NAME_LINE_HEIGHT_POINTS: f32 = 20.0;
/// The left edge of the text, to the right of the lamp.
const TEXT_INDENT_POINTS: f32 = 21.0;
/// Maximum height of the sentence about a problem in a closed card.
const MAX_PROBLEM_HEIGHT_POINTS: f32 = 48.0;

/// Draws the targets as cards, and the button that adds one. Returns true if the user opened the
/// dialog *Your own services*.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) -> bool {
    let (theme, snapshot) = (view.theme, view.snapshot);
    let mut all: BTreeMap<u32, (&TargetView, TargetStatus)> = snapshot
        .targets
        .iter()
        .map(|entry| (entry.target.id, (entry, status(view, draft, entry))))
        .collect();
    reorder(ui, view, draft, &all);
    draft.rows.begin(ui, draft.order.iter().map(|id| u64::from(*id)).collect());
    let top = ui.cursor().min;
    for id in draft.order.clone() {
        let Some((entry, status)) = all.remove(&id) else { continue };
        // The controls keep the keyboard focus when figures appear above the cards.
        let own = UiBuilder::new().scope_id(ui.scope_id().with(("target", id)));
        ui.scope_builder(own, |ui| card(ui, view, draft, entry, &status));
    }
    let bottom = pos2(ui.max_rect().right(), ui.cursor().top());
    draft.cards = Some(Rect::from_min_max(top, bottom));
    if draft.complain && !snapshot.targets.iter().any(|entry| entry.target.enabled) {
        let warning = view.texts.get("no-target-on");
        paragraph(ui, &warning, Type::Small, theme.warn);
    }
    if snapshot.targets.len() >= MAX_TARGETS {
        return false;
    }
    let name = view.texts.get("add-target");
    let button = Button::new(&name).small().weight(ButtonWeight::Quiet).icon(Icon::Plus);
    let response = button.show(ui, theme);
    draft.rows.button(&response);
    if std::mem::take(&mut draft.adds) {
        Popup::open_id(ui.ctx(), Popup::default_response_id(&response));
        response.request_focus();
    }
    add(&response, view, draft)
}

/// Sorts targets with a problem first while on air. The order does not change while the pointer is
/// over the list, or while a target is being edited.
fn reorder(
    ui: &Ui,
    view: &View<'_>,
    draft: &mut Draft,
    all: &BTreeMap<u32, (&TargetView, TargetStatus)>,
) {
    let targets = &view.snapshot.targets;
    let mut order: Vec<u32> = targets.iter().map(|it| it.target.id).collect();
    let same = order.len() == draft.order.len() && order.iter().all(|id| draft.order.contains(id));
    let pointed_at = draft.cards.is_some_and(|cards| ui.rect_contains_pointer(cards));
    if same && (draft.open.is_some() || pointed_at) {
        return;
    }
    if view.snapshot.live != LiveState::Idle {
        order.sort_by_key(|id| !all.get(id).is_some_and(|(_, status)| status.trouble));
    }
    draft.order = order;
}

/// Draws the menu with the kinds of target to add. Returns true if the user opened the dialog *Your
/// own services*.
fn add(button: &Response, view: &mut View<'_>, draft: &mut Draft) -> bool {
    let (theme, texts) = (view.theme, view.texts);
    let width = 250.0;
    let (mut chosen, mut services) = (None, false);
    return_focus(button);
    // Beside the panel, because *Stop* is below the button.
    Popup::menu(button)
        .align(RectAlign::LEFT_START)
        .width(width)
        .gap(gap::XS)
        .close_behavior(PopupCloseBehavior::CloseOnClick)
        .frame(menu_frame(&button.ctx, theme))
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
                    if menu_item(ui, theme, service.name_in(texts.language()), "", false, true) {
                        let known = services::KNOWN_SERVICES.iter().any(|it| it.id == service.id);
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
    let target = Target::new_for(&list);
    draft.awaited = Some(target.id);
    view.send(Command::PutTarget(Target {
        service: service.to_owned(),
        name: name.to_owned(),
        place: TargetPlace::Custom { server: server.to_owned(), key: Default::default() },
        ..target
    }));
    services
}

/// Returns the name of a target.
pub fn title(texts: &Texts, target: &Target) -> String {
    if target.is_built_in() {
        return texts.get("target-builtin").to_string();
    }
    if !target.name.is_empty() {
        return target.name.clone();
    }
    if let Some(service) = services::KNOWN_SERVICES.iter().find(|it| it.id == target.service) {
        return service.name_in(texts.language()).to_owned();
    }
    match host(target.server()) {
        "" => texts.get("target-unnamed").to_string(),
        host => host.to_owned(),
    }
}

/// Returns the host in a server URL that may be incomplete.
fn host(server: &str) -> &str {
    let rest = server.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

/// The state of a target for display: a lamp, a text, and whether there is a problem.
struct TargetStatus {
    lamp: Color32,
    words: String,
    trouble: bool,
}

fn status(view: &View<'_>, draft: &Draft, entry: &TargetView) -> TargetStatus {
    let (theme, texts) = (view.theme, view.texts);
    // The health bar shows the cause of one target.
    let cause = entry.cause.as_ref().filter(|_| view.health.target != Some(entry.target.id));
    let fine = |lamp, words| TargetStatus { lamp, words, trouble: false };
    let bad = |state: String| {
        let words = match cause {
            Some(cause) => format!("{state} · {}", sentence(&texts.say(cause))),
            None => state,
        };
        TargetStatus { lamp: theme.warn, words, trouble: true }
    };
    let broadcasting = view.snapshot.live != LiveState::Idle;
    match entry.state.filter(|_| entry.target.enabled) {
        Some(TargetState::Live) if broadcasting => live(view, entry),
        Some(TargetState::Connecting) if broadcasting && entry.cause.is_none() => {
            let stage = texts.get(stage_key(entry.stage.unwrap_or_default())).to_string();
            fine(theme.secondary, stage)
        }
        Some(TargetState::Connecting | TargetState::Reconnecting) if broadcasting => {
            bad(attempt(texts, entry))
        }
        Some(TargetState::Failed) => bad(texts.get("target-gave-up").to_string()),
        _ => {
            let (words, trouble) = before(view, draft, &entry.target);
            let lamp = if trouble { theme.warn } else { theme.secondary };
            TargetStatus { lamp, words, trouble }
        }
    }
}

/// Returns the number of the next attempt, with the time until then. A target that was never live
/// does not reconnect.
fn attempt(texts: &Texts, entry: &TargetView) -> String {
    let number = ("number", (entry.tries + 1).to_string().into());
    let reconnects = entry.was_live || entry.state == Some(TargetState::Reconnecting);
    match entry.retry_in.filter(|wait| !wait.is_zero()) {
        Some(wait) => {
            let seconds = wait.as_secs_f64().ceil().to_string();
            let key = match reconnects {
                true => key!("target-retrying"),
                false => key!("target-connecting"),
            };
            texts.with(key, &[number, ("seconds", seconds.into())])
        }
        None if reconnects => texts.with("target-retrying-now", &[number]),
        None => texts.with("target-connecting-now", &[number]),
    }
}

/// Returns the state on air: the sent bitrate and the result of the viewer monitor.
fn live(view: &View<'_>, entry: &TargetView) -> TargetStatus {
    let (theme, texts) = (view.theme, view.texts);
    let rate = format::bitrate(entry.bitrate);
    let mut sent = match entry.size.filter(|_| entry.rendition_id == RenditionId::Second) {
        Some(size) => format!("{rate} · {size}"),
        None => rate,
    };
    if entry.target.is_built_in() {
        sent = texts.counted("viewers", view.snapshot.server.viewers);
    }
    // Without viewers, nobody is behind and nobody is reached.
    let unwatched = view.snapshot.is_unwatched(&entry.target);
    let says = |it: &&MonitorView| it.state != "waiting" && !(unwatched && it.state == "ok");
    match entry.monitor.as_ref().filter(says) {
        Some(monitor) => {
            let words = viewer_monitor::in_card(texts, monitor);
            match viewer_monitor::is_trouble(monitor) {
                true => TargetStatus { lamp: theme.warn, words, trouble: true },
                false => TargetStatus {
                    lamp: theme.live,
                    words: format!("{sent} · {words}"),
                    trouble: false,
                },
            }
        }
        None => {
            let words = texts.with("target-live", &[("rate", sent.into())]);
            TargetStatus { lamp: theme.live, words, trouble: false }
        }
    }
}

/// Returns the state before going live: a missing value, or the host and the place of the key.
fn before(view: &View<'_>, draft: &Draft, target: &Target) -> (String, bool) {
    let texts = view.texts;
    if !target.enabled {
        return (texts.get("target-off").to_string(), false);
    }
    if target.is_built_in() {
        let url = view.snapshot.server.shown_url();
        let words = texts.get("target-builtin-second");
        return (if url.is_empty() { words.to_string() } else { url.to_owned() }, false);
    }
    if let Some(fault) = draft.fault_of(target) {
        let key = match fault {
            AddressFault::NoServer => key!("target-lacks-server"),
            AddressFault::Server(_) => key!("target-bad-server"),
            AddressFault::NoApplication => key!("target-lacks-app"),
            AddressFault::NoKey => key!("target-lacks-key"),
            AddressFault::Key(_) => key!("target-bad-key"),
        };
        return (texts.get(key).to_string(), true);
    }
    let kept = match (&view.snapshot.key_place, target.remember_key) {
        _ if !address::needs_key(target.server()) => key!("target-key-none"),
        (_, false) => key!("target-key-forgotten"),
        (None | Some(KeyPlace::Keyring), true) => key!("target-key-keyring"),
        (Some(KeyPlace::File(_)), true) => key!("target-key-file"),
    };
    let kept = texts.get(kept);
    let (host, title) = (host(target.server()), title(texts, target));
    (if host == title { kept.to_string() } else { format!("{host} · {kept}") }, false)
}

/// Draws a target: a line that opens it, its switch, and its editor if it is open.
fn card(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    entry: &TargetView,
    status: &TargetStatus,
) {
    let theme = view.theme;
    let id = entry.target.id;
    let open = draft.open == Some(id);
    let line = if status.trouble { theme.warn_line() } else { theme.line };
    let shown = Frame::new()
        .stroke(Stroke::new(BORDER_WIDTH, line))
        .corner_radius(CornerRadius::same(CARD_RADIUS))
        .inner_margin(CARD_MARGIN)
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = gap::XS;
            let response = head(ui, view, draft, entry, (status, open));
            if open {
                if status.trouble {
                    paragraph(ui, &status.words, Type::Small, theme.warn);
                }
                edit::show(ui, view, draft, entry);
            }
            response
        });
    // The lamp and the switch leave no room for a ring around the line with the name.
    focus_ring(ui, theme, &shown.inner.with_new_rect(shown.response.rect), CARD_RADIUS);
}

/// Draws the lamp, the name and the state. A click opens or closes the card. The card draws the
/// focus ring.
fn head(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    entry: &TargetView,
    (status, open): (&TargetStatus, bool),
) -> Response {
    let theme = view.theme;
    let id = entry.target.id;
    let title = title(view.texts, &entry.target);
    let width = ui.available_width() - TEXT_INDENT_POINTS;
    // A problem must be readable in a narrow window too. An open card has the sentence below.
    let trouble = (status.trouble && !open).then(|| {
        let (text, color) = (&status.words, theme.warn);
        Wrapped::new(ui, text, Type::Small, color, width, MAX_PROBLEM_HEIGHT_POINTS, Align::Min)
    });
    let height = match &trouble {
        Some(lines) => {
            CLOSED_CARD_HEIGHT_POINTS.max(NAME_LINE_HEIGHT_POINTS + lines.height() + 2.0)
        }
        None if status.trouble => NAME_LINE_HEIGHT_POINTS,
        None => CLOSED_CARD_HEIGHT_POINTS,
    };
    let room = vec2(ui.available_width(), height);
    let (rect, response) = ui.allocate_exact_size(room, Sense::click());
    draft.rows.row(u64::from(id), &response);
    response.widget_info(|| WidgetInfo {
        current_text_value: Some(status.words.clone()),
        ..WidgetInfo::labeled(Role::Button, ui.is_enabled(), &title)
    });
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_expanded(open));
    let (upper, lower) = rect.split_top_bottom_at_y(rect.top() + NAME_LINE_HEIGHT_POINTS);
    ui.painter().circle_filled(pos2(rect.left() + 5.0, upper.center().y), 4.5, status.lamp);
    let words = |line: Rect, right: f32| {
        line.with_min_x(line.left() + TEXT_INDENT_POINTS).with_max_x(line.right() - right)
    };
    let color = if entry.target.enabled { theme.text } else { theme.secondary };
    elided(ui, words(upper, 40.0), Align::Min, &title, Type::BodyStrong.font(), color);
    let line = words(lower, 0.0);
    if let Some(lines) = trouble {
        lines.paint(ui, line.min + vec2(0.0, 1.0));
    } else if !status.trouble {
        elided(ui, line, Align::Min, &status.words, Type::Small.font(), theme.secondary);
    }
    if response.has_focus() {
        // An open card can be higher than the panel.
        focus_in_view(ui, response.id, rect.expand2(CARD_MARGIN.left_top()));
    }
    let side = upper.with_min_x(upper.right() - 30.0);
    let mut at =
        ui.new_child(UiBuilder::new().max_rect(side).layout(Layout::right_to_left(Align::Center)));
    let name = view.texts.with("target-on", &[("name", title.as_str().into())]);
    if switch(&mut at, theme, &name, entry.target.enabled) {
        let enabled = !entry.target.enabled;
        let target = Target { enabled, ..draft.put(&entry.target) };
        view.send(Command::PutTarget(target));
    }
    context(&response, view, draft, entry);
    let response = response.on_hover_text(&status.words);
    if response.clicked() {
        draft.choose((!open).then_some(id));
    }
    response
}

/// Draws the context menu of a target.
fn context(response: &Response, view: &mut View<'_>, draft: &mut Draft, entry: &TargetView) {
    let target = &entry.target;
    context_menu(response, view.theme, |ui| {
        let line = |ui: &mut Ui, view: &View<'_>, key, enabled| {
            let pressed = menu_item(ui, view.theme, &view.texts.get(key), "", false, enabled);
            if pressed {
                ui.close();
            }
            pressed
        };
        if line(ui, view, key!("target-edit"), true) {
            draft.choose(Some(target.id));
        }
        let turn = if target.enabled { key!("target-turn-off") } else { key!("target-turn-on") };
        if line(ui, view, turn, true) {
            view.send(Command::PutTarget(Target { enabled: !target.enabled, ..draft.put(target) }));
        }
        // A running target must be switched off before it can be removed.
        let removable = !target.is_built_in() && !draft.running.contains(&target.id);
        if line(ui, view, key!("remove-target"), removable) {
            view.send(Command::RemoveTarget(target.id));
        }
    });
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
