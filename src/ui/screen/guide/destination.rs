//! The step for the destination of the stream: a service, the user's own server, or the built-in
//! server for a trial.

use std::borrow::Cow;
use std::cell::Cell;

use egui::{Id, Key, ScrollArea, Ui};
use zeroize::Zeroizing;

use crate::base::{Secret, partial_debug};
use crate::studio::targets::address;
use crate::studio::targets::services::{self, KNOWN_SERVICES, Service};
use crate::studio::{Command, Snapshot, Target, TargetPlace};
use crate::text::Problem;
use crate::ui::screen::guide::columns::columns;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::sentence;
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{Button, ButtonWeight, Field, Row, label, paragraph, select_all};

/// The error for an incomplete step. The message is displayed beside the field.
pub(super) struct Incomplete;

/// The kind of destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    TryHere,
    OwnServer,
    /// A service with this id.
    Service(String),
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Part {
    Server,
    Key,
}

/// The state of the step between two frames.
#[derive(Default)]
pub(super) struct Destination {
    kind: Kind,
    /// The server address, which is zeroized because a complete URL contains the stream key.
    server: Zeroizing<String>,
    key: Zeroizing<String>,
    key_shown: bool,
    wrong: Option<(Part, Problem)>,
    focus: Option<Part>,
    /// The target that this step has added. Another choice replaces it.
    added: Option<u32>,
}

partial_debug!(Destination { kind });

impl Destination {
    /// Creates the state that matches the current targets.
    pub fn of(snapshot: &Snapshot) -> Self {
        let mut targets = snapshot.targets.iter().map(|view| &view.target);
        let Some(target) = targets.rfind(|target| target.enabled && !target.is_built_in()) else {
            return Self::default();
        };
        let kind = match target.service.as_str() {
            "" => Kind::OwnServer,
            service => Kind::Service(service.to_owned()),
        };
        let key = target.key().map_or("", Secret::expose);
        Self {
            kind,
            server: Zeroizing::new(target.server().to_owned()),
            key: Zeroizing::new(key.to_owned()),
            ..Self::default()
        }
    }

    /// Returns true if the step has texts that the targets do not have.
    pub fn has_typed(&self, snapshot: &Snapshot) -> bool {
        let now = Self::of(snapshot);
        let texts =
            |it: &Self| [it.server.trim().to_owned(), it.key.trim().to_owned()].map(Zeroizing::new);
        self.kind != Kind::TryHere && (self.kind != now.kind || texts(self) != texts(&now))
    }

    fn choose(&mut self, kind: Kind, service: Option<&Service>) {
        if self.kind == kind {
            return;
        }
        // A stream key belongs to one service, and so does an address.
        self.key.clear();
        self.server.clear();
        if let Some(server) = service.and_then(|service| service.servers.first()) {
            self.server.push_str(server);
        }
        (self.kind, self.wrong, self.key_shown) = (kind, None, false);
    }

    /// Returns the first field of the chosen destination.
    fn first_field(&self, service: Option<&Service>) -> Option<Part> {
        match self.kind {
            Kind::TryHere => None,
            _ if needs_server(service) => Some(Part::Server),
            _ => Some(Part::Key),
        }
    }

    /// Divides a complete URL in the key field, because some services show the server and the key as
    /// one URL.
    fn split_key(&mut self) {
        if let Some((server, url)) = address::split(&self.key) {
            *self.server = server;
            *self.key = url.stream.expose().to_owned();
        }
    }

    /// Completes the server address if its service shows the address in another form.
    fn complete_server(&mut self) {
        let Cow::Owned(complete) = services::completed(&self.server) else { return };
        *self.server = complete;
    }

    /// Returns the first missing or invalid value, with its field.
    fn fault(&self) -> Option<(Part, Problem)> {
        if self.kind == Kind::TryHere {
            return None;
        }
        let (server, key) = (self.server.trim(), self.key.trim());
        // The address of a service never contains the key.
        let key_apart = self.kind != Kind::OwnServer;
        let target = Target { key_apart, ..Target::custom(0, server, Secret::new(key)) };
        let fault = address::fault(&target)?;
        let part = if fault.is_of_key() { Part::Key } else { Part::Server };
        Some((part, fault.problem()))
    }
}

/// Returns true if the user must enter the server address. A service with a known address needs only
/// the key.
fn needs_server(service: Option<&Service>) -> bool {
    service.is_none_or(|service| service.servers.is_empty())
}

/// Draws the step. Returns true if Enter was pressed to continue.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Destination) -> bool {
    let mut next = false;
    let width = (ui.available_width() * 0.42).floor();
    let chosen = Cell::new(None);
    let now = draft.kind.clone();
    columns(
        ui,
        width,
        view,
        |ui, view| {
            let room = ui.available_height();
            ScrollArea::vertical().max_height(room).auto_shrink(false).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                chosen.set(list(ui, view, &now));
            });
        },
        |ui, view| {
            if let Some(kind) = chosen.take() {
                let service = match &kind {
                    Kind::Service(id) => view.snapshot.services.find(id),
                    _ => None,
                };
                draft.choose(kind, service);
                if ui.input(|input| input.key_pressed(Key::Enter)) {
                    draft.focus = draft.first_field(service);
                }
            }
            next = details(ui, view, draft);
        },
    );
    next
}

fn list(ui: &mut Ui, view: &View<'_>, now: &Kind) -> Option<Kind> {
    let (theme, texts) = (view.theme, view.texts);
    let mut chosen = None;
    let mut row = |ui: &mut Ui, icon, title: &str, second: &str, kind: Kind| {
        let row = Row { icon, title, second, chosen: *now == kind, lamp: None };
        let response = row.show(ui, theme);
        if response.clicked() {
            chosen = Some(kind);
        }
    };
    let (here, own) = (texts.get("guide-try-here"), texts.get("target-own"));
    row(ui, Icon::Screen, &here, &texts.get("guide-try-here-second"), Kind::TryHere);
    row(ui, Icon::Broadcast, &own, &texts.get("target-own-second"), Kind::OwnServer);
    for service in view.snapshot.services.all() {
        let kind = Kind::Service(service.id.to_string());
        row(ui, Icon::External, service.name_in(texts.language()), "", kind);
    }
    chosen
}

fn details(ui: &mut Ui, view: &mut View<'_>, draft: &mut Destination) -> bool {
    let (theme, texts) = (view.theme, view.texts);
    ui.spacing_mut().item_spacing.y = gap::XS;
    let service = match &draft.kind {
        Kind::TryHere => {
            paragraph(ui, &texts.get("guide-here-what"), Type::Body, theme.text);
            ui.add_space(gap::S);
            paragraph(ui, &texts.get("guide-here-how"), Type::Body, theme.secondary);
            return false;
        }
        Kind::OwnServer => None,
        Kind::Service(id) => view.snapshot.services.find(id),
    };
    let mut next = false;
    if needs_server(service) {
        let hint = match service {
            Some(_) => texts.get("service-no-address"),
            None => texts.get("server-hint"),
        };
        next |= field(ui, view, draft, Part::Server, &hint);
        ui.add_space(gap::S);
    }
    if !address::needs_key(&draft.server) {
        return next;
    }
    next |= field(ui, view, draft, Part::Key, &texts.get("stream-key-hint"));
    ui.add_space(gap::XS);
    paragraph(ui, &texts.get("guide-key-kept"), Type::Small, theme.secondary);
    if let Some(service) = service.filter(|service| !service.key_page.is_empty()) {
        ui.add_space(gap::S);
        let name = texts.with("get-key", &[("service", service.name_in(texts.language()).into())]);
        let button = Button::new(&name).small().icon(Icon::External).weight(ButtonWeight::Plain);
        if button.show(ui, theme).clicked() {
            ui.ctx().open_url(egui::OpenUrl::new_tab(&*service.key_page));
        }
    }
    next
}

/// Draws a field with its error. Returns true if Enter was pressed in the field.
fn field(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Destination,
    part: Part,
    hint: &str,
) -> bool {
    let (theme, texts) = (view.theme, view.texts);
    let (id, name) = match part {
        Part::Server => (Id::unique("guide-server"), texts.get("server")),
        Part::Key => (Id::unique("guide-key"), texts.get("stream-key")),
    };
    label(ui, &name, Type::Small, theme.secondary);
    let wrong = draft.wrong.clone().filter(|(at, _)| *at == part).map(|(_, why)| why);
    let eye = match draft.key_shown {
        true => (Icon::EyeOff, texts.get("hide-key")),
        false => (Icon::Eye, texts.get("show-key")),
    };
    let paste = texts.get("paste");
    let buttons = [(Icon::Paste, &*paste), (eye.0, &*eye.1)];
    let (text, hidden, buttons): (_, _, &[_]) = match part {
        Part::Server => (&mut draft.server, false, &[]),
        Part::Key => (&mut draft.key, !draft.key_shown, &buttons),
    };
    let width = ui.available_width();
    let field = Field {
        name: &name,
        hint,
        hidden,
        wrong: wrong.is_some(),
        limit: 2048,
        buttons,
        width,
        ..Field::new(id, text)
    }
    .show(ui, theme);
    if draft.focus.take_if(|at| *at == part).is_some() {
        field.response.request_focus();
    }
    match field.pressed {
        Some(0) => {
            // If the clipboard has no text, the key stays.
            select_all(ui, id, &draft.key);
            field.response.request_focus();
            view.request(WindowRequest::Paste);
        }
        Some(_) => draft.key_shown = !draft.key_shown,
        None => {}
    }
    if let Some(why) = wrong {
        paragraph(ui, &sentence(&texts.say(&why)), Type::Small, theme.warn);
    }
    if field.response.changed() {
        draft.split_key();
        draft.wrong.take_if(|(at, _)| *at == part);
    }
    if field.response.lost_focus() {
        draft.complete_server();
    }
    field.response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter))
}

/// Makes the chosen destination the only enabled target. Returns the id of its target, unless it is
/// the built-in server.
pub(super) fn apply(
    view: &mut View<'_>,
    draft: &mut Destination,
) -> Result<Option<u32>, Incomplete> {
    if let Some((part, why)) = draft.fault() {
        (draft.focus, draft.wrong) = (Some(part), Some((part, why)));
        return Err(Incomplete);
    }
    let snapshot = view.snapshot;
    let list: Vec<Target> = snapshot.targets.iter().map(|view| view.target.clone()).collect();
    let target = filled(snapshot, &list, draft);
    let changed = target.as_ref().map(|target| target.id);
    for other in &list {
        let wanted = match &target {
            Some(_) => false,
            None => other.is_built_in(),
        };
        if Some(other.id) != changed && other.enabled != wanted {
            view.send(Command::PutTarget(Target { enabled: wanted, ..other.clone() }));
        }
    }
    if let Some(target) = target {
        if !list.iter().any(|known| known.id == target.id) {
            draft.added = Some(target.id);
        }
        view.send(Command::PutTarget(target));
    }
    Ok(changed)
}

/// Returns the target with the typed values; `None` means the built-in server.
fn filled(snapshot: &Snapshot, list: &[Target], draft: &Destination) -> Option<Target> {
    let (server, key) = (draft.server.trim(), draft.key.trim());
    let service = match &draft.kind {
        Kind::TryHere => return None,
        Kind::OwnServer => "",
        Kind::Service(id) => id,
    };
    let own = list.iter().filter(|target| !target.is_built_in());
    let known = own.filter(|target| target.service == service).find(|target| {
        draft.added == Some(target.id) || !service.is_empty() || target.server() == server
    });
    let added = list.iter().find(|target| draft.added == Some(target.id));
    let target = known.or(added).cloned().unwrap_or_else(|| Target::new_for(list));
    let built_in_service = KNOWN_SERVICES.iter().any(|it| it.id == service);
    let name = snapshot.services.find(service).filter(|_| !built_in_service);
    Some(Target {
        service: service.to_owned(),
        name: name.map_or(target.name, |service| service.name.to_string()),
        place: TargetPlace::Custom { server: server.to_owned(), key: Secret::new(key) },
        enabled: true,
        ..target
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(kind: Kind, server: &str, key: &str) -> Destination {
        Destination {
            kind,
            server: Zeroizing::new(server.to_owned()),
            key: Zeroizing::new(key.to_owned()),
            ..Destination::default()
        }
    }

    #[test]
    fn what_is_missing_is_named_at_its_field() {
        let at = |draft: &Destination| draft.fault().map(|(part, _)| part);
        let twitch = || Kind::Service("twitch".into());
        assert_eq!(at(&Destination::default()), None);
        assert_eq!(at(&typed(Kind::OwnServer, "", "")), Some(Part::Server));
        assert_eq!(at(&typed(Kind::OwnServer, "nonsense", "key")), Some(Part::Server));
        assert_eq!(at(&typed(Kind::OwnServer, "rtmp://host/app", "")), Some(Part::Key));
        assert_eq!(at(&typed(Kind::OwnServer, "rtmp://host/app/whole", "")), None);
        assert_eq!(at(&typed(twitch(), "rtmps://host/app/x", " ")), Some(Part::Key));
        assert_eq!(at(&typed(twitch(), "rtmps://host/app", "secret")), None);
        assert_eq!(at(&typed(twitch(), "rtmps://host/app", "two words")), Some(Part::Key));
        assert_eq!(at(&typed(Kind::OwnServer, "rtmp://host", "key")), Some(Part::Server));
    }

    #[test]
    fn a_complete_url_in_the_key_field_is_divided() {
        let mut draft = typed(Kind::OwnServer, "", "rtmp://host/app/live_secret");
        draft.split_key();
        assert_eq!((&**draft.server, &**draft.key), ("rtmp://host/app", "live_secret"));
        draft.split_key();
        assert_eq!(&**draft.key, "live_secret");
    }

    #[test]
    fn the_key_is_not_printed_and_not_kept_for_another_service() {
        let mut draft = typed(Kind::Service("twitch".into()), "rtmp://host/app", "live_secret");
        assert!(!format!("{draft:?}").contains("secret"));
        draft.choose(Kind::OwnServer, None);
        assert!(draft.key.is_empty() && draft.server.is_empty());
    }

    #[test]
    fn another_choice_takes_the_place_of_the_target_that_was_added() {
        let snapshot = Snapshot::default();
        let mut list = vec![Target::built_in()];
        let mut draft = typed(Kind::Service("twitch".into()), "rtmps://host/app", "one");
        let first = filled(&snapshot, &list, &draft).unwrap();
        assert!(first.remember_key && first.enabled && first.id == 1, "{first:?}");
        list.push(first);
        // The same service is chosen again, in a later run of the guide.
        draft.key = Zeroizing::new("two".into());
        let again = filled(&snapshot, &list, &draft).unwrap();
        assert_eq!((again.id, again.key().unwrap().expose()), (1, "two"));
        // Another target is added, and the first one stays.
        let own = typed(Kind::OwnServer, "rtmp://own/app", "k");
        assert_eq!(filled(&snapshot, &list, &own).unwrap().id, 2);
        // If this guide has added the first target, the other one replaces it.
        let own = Destination { added: Some(1), ..own };
        let replaced = filled(&snapshot, &list, &own).unwrap();
        assert_eq!((replaced.id, replaced.service.as_str()), (1, ""));
    }
}
