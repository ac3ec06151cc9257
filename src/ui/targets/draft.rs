//! The typed texts and the state of the list of targets.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use egui::{Id, Rect};
use zeroize::Zeroizing;

use crate::base::{Latest, Secret, partial_debug};
use crate::media::VideoFrame;
use crate::studio::live::view::LiveState;
use crate::studio::snapshot::TargetView;
use crate::studio::targets::TargetState;
use crate::studio::targets::address::{self, AddressFault};
use crate::studio::targets::services;
use crate::studio::{Command, Route, Snapshot, Target, TargetPlace};
use crate::ui::video::FrameView;
use crate::ui::widgets::RowFocus;

/// The state of the *Broadcast* panel, which is kept between frames.
#[derive(Default)]
pub struct Draft {
    /// The id of the target that is open for editing.
    pub(super) open: Option<u32>,
    /// The order of the targets in the list.
    pub(super) order: Vec<u32>,
    /// The keyboard focus in the list.
    pub(super) rows: RowFocus,
    /// The position of the list in the last frame.
    pub(super) cards: Option<Rect>,
    /// The targets that are live or connecting. Changes to their addresses wait until the user
    /// applies them.
    pub(super) running: BTreeSet<u32>,
    /// The targets that were live when they failed, while changes were waiting. A part of a key must
    /// not end a stream that reconnects, so the changes still wait.
    held: BTreeSet<u32>,
    /// The targets that are live, or reconnect after they were live. A server can ask for a new
    /// connection, which is no problem at first.
    on_air: BTreeSet<u32>,
    /// True if the menu that adds a target opens next.
    pub(super) adds: bool,
    texts: BTreeMap<u32, Texts>,
    pub(super) key_shown: bool,
    /// True if the advanced fields are expanded.
    pub(super) advanced: bool,
    /// True if the user tried to go live although a value was missing, so that the missing value is
    /// marked.
    pub(super) complain: bool,
    pub(super) focus: Option<Part>,
    /// The address that was copied last, and the time of the copy in seconds.
    pub(super) copied_at: Option<(&'static str, f64)>,
    /// The number of the broadcast whose summary was closed.
    pub(super) summary_closed: u64,
    /// The id of a new target that the snapshot does not contain yet. The target opens once the
    /// snapshot contains it.
    pub(super) awaited: Option<u32>,
    /// The frame view of the viewer monitor, with the slot of its frames.
    pub(super) viewers: Option<(Latest<VideoFrame>, FrameView)>,
    /// The frames of the second canvas.
    pub(in crate::ui) canvas: Option<(Latest<VideoFrame>, FrameView)>,
}

/// The two fields that determine the destination of a stream.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Server,
    Key,
}

impl Part {
    /// Returns the field that the user must edit.
    fn of(fault: &AddressFault) -> Self {
        if fault.is_of_key() { Self::Key } else { Self::Server }
    }
}

/// The text fields of one target.
#[derive(Default)]
pub(super) struct Texts {
    /// The server address, which is zeroized because a complete URL contains the stream key.
    pub server: Zeroizing<String>,
    pub key: Zeroizing<String>,
    /// The playback address, which can contain secrets.
    pub play_url: Zeroizing<String>,
    /// True if the user changed the key, so that a stored key does not replace it.
    pub touched: bool,
    /// True if the user changed the server address.
    pub server_touched: bool,
    /// True if the user changed the playback address.
    pub watched: bool,
    more: Option<AdvancedTexts>,
}

/// The texts of the advanced fields.
#[derive(Default)]
pub(super) struct AdvancedTexts {
    pub name: String,
    pub ports: String,
    pub proxy: String,
    pub bind: String,
}

partial_debug!(Draft { open });

impl AdvancedTexts {
    /// Returns the typed route to the server.
    pub(super) fn route(&self) -> Route {
        Route {
            ports: self.ports.trim().to_owned(),
            proxy: Secret::new(self.proxy.trim()),
            bind: self.bind.trim().to_owned(),
        }
    }
}

/// Returns the id of the server field.
pub fn server_field() -> Id {
    Id::unique("target-server")
}

/// Returns the id of the key field.
pub fn key_field() -> Id {
    Id::unique("target-key")
}

impl Draft {
    /// Copies new values from the snapshot into the fields. Returns the changes that waited for a
    /// target that now no longer runs.
    pub fn learn(&mut self, snapshot: &Snapshot) -> Vec<Command> {
        let running = snapshot.targets.iter().filter(|view| is_running(snapshot, view));
        let running = running.map(|view| view.target.id).collect();
        let was_running = std::mem::replace(&mut self.running, running);
        let is_on_air = |view: &&TargetView| {
            matches!(view.state, Some(TargetState::Live | TargetState::Reconnecting))
        };
        let on_air = snapshot.targets.iter().filter(is_on_air).map(|view| view.target.id).collect();
        let was_on_air = std::mem::replace(&mut self.on_air, on_air);
        for view in &snapshot.targets {
            let TargetPlace::Custom { server, key } = &view.target.place else { continue };
            let texts = self.texts.entry(view.target.id).or_insert_with(|| Texts {
                server: Zeroizing::new(server.clone()),
                play_url: Zeroizing::new(view.target.play_url.expose().to_owned()),
                ..Texts::default()
            });
            // The secret part of the playback address may arrive later than the rest.
            let play_url = view.target.play_url.expose();
            if !texts.watched && *texts.play_url != play_url {
                play_url.clone_into(&mut texts.play_url);
            }
            if !texts.server_touched && *texts.server != *server {
                server.clone_into(&mut texts.server);
            }
            if !texts.touched && *texts.key != key.expose() {
                *texts.key = key.expose().to_owned();
            }
        }
        let known = |id: u32| snapshot.targets.iter().any(|view| view.target.id == id);
        self.texts.retain(|id, _| known(*id));
        if self.awaited.is_some_and(known) {
            let id = self.awaited.take().unwrap_or_default();
            self.edit(id);
        }
        self.open = self.open.filter(|id| known(*id));
        self.release(snapshot, &was_running, &was_on_air)
    }

    /// Returns the changes that no longer wait, because their target stopped running.
    fn release(
        &mut self,
        snapshot: &Snapshot,
        was_running: &BTreeSet<u32>,
        was_on_air: &BTreeSet<u32>,
    ) -> Vec<Command> {
        let mut released = Vec::new();
        let held = std::mem::take(&mut self.held);
        for view in &snapshot.targets {
            let id = view.target.id;
            let was_held = held.contains(&id);
            let waited = was_held || was_running.contains(&id);
            if !waited || self.running.contains(&id) || !self.is_elsewhere(&view.target) {
                continue;
            }
            if (was_held || was_on_air.contains(&id)) && snapshot.live != LiveState::Idle {
                self.held.insert(id);
            } else {
                released.extend(self.changed(&view.target));
            }
        }
        released
    }

    /// Reads the fields of a target again, because it was changed elsewhere.
    pub fn relearn(&mut self, id: u32) {
        if let Some(texts) = self.texts.get_mut(&id) {
            (texts.touched, texts.server_touched) = (false, false);
        }
    }

    /// Discards the typed values of the targets that are not running, because the targets were
    /// replaced. The new ones can have the same ids.
    pub fn forget_idle(&mut self) {
        self.texts.retain(|id, _| self.running.contains(id));
        self.complain = false;
    }

    /// Opens a target for editing, or closes the open one.
    pub(super) fn choose(&mut self, id: Option<u32>) {
        if self.open != id {
            self.open = id;
            self.key_shown = false;
            self.complain = false;
        }
    }

    pub(super) fn texts(&mut self, id: u32) -> &mut Texts {
        self.texts.entry(id).or_default()
    }

    /// Returns the texts of the advanced fields.
    pub(super) fn more(&mut self, target: &Target) -> &mut AdvancedTexts {
        self.texts(target.id).more.get_or_insert_with(|| AdvancedTexts {
            name: target.name.clone(),
            ports: target.route.ports.clone(),
            proxy: target.route.proxy.expose().to_owned(),
            bind: target.route.bind.clone(),
        })
    }

    /// Marks the first problem that prevents going live. Returns true if there is one. A key that
    /// the keyring may still deliver is none, because the studio waits for it.
    pub fn complain(&mut self, snapshot: &Snapshot) -> bool {
        let targets = snapshot.targets.iter().map(|view| &view.target);
        let mut enabled = targets.filter(|target| target.enabled).peekable();
        let fault = if enabled.peek().is_none() && !snapshot.targets.is_empty() {
            Some((self.open, None))
        } else {
            let fault = |target: &Target| {
                let fault = self.fault_of(target)?;
                let comes = fault == AddressFault::NoKey && snapshot.awaits_key(target);
                (!comes).then_some((target.id, fault))
            };
            enabled.find_map(fault).map(|(id, fault)| (Some(id), Some(Part::of(&fault))))
        };
        let Some((open, part)) = fault else { return false };
        self.choose(open);
        self.complain = true;
        self.focus = part;
        true
    }

    /// Returns the reason why a target cannot be used with the typed values, if any.
    pub(super) fn fault_of(&self, target: &Target) -> Option<AddressFault> {
        if target.is_built_in() { None } else { address::fault(&self.filled(target)) }
    }

    /// Opens the menu that adds a target, as soon as the list is drawn.
    pub fn begin_adding(&mut self) {
        self.adds = true;
    }

    /// Opens a target, whose viewer monitor is then visible.
    pub fn show(&mut self, id: u32) {
        self.choose(Some(id));
    }

    /// Opens a target, and focuses its first field.
    pub fn edit(&mut self, id: u32) {
        self.choose(Some(id));
        self.focus = Some(Part::Server);
    }

    /// Opens a target, and focuses its key field.
    pub fn edit_key(&mut self, id: u32) {
        self.choose(Some(id));
        self.focus = Some(Part::Key);
    }

    /// Returns the target with the typed values.
    pub(super) fn filled(&self, target: &Target) -> Target {
        let Some(texts) = self.texts.get(&target.id) else { return target.clone() };
        let place = TargetPlace::Custom {
            server: texts.server.trim().to_owned(),
            key: Secret::new(texts.key.trim()),
        };
        let play_url = Secret::new(texts.play_url.trim());
        let filled = Target { place, play_url, ..target.clone() };
        match &texts.more {
            Some(more) => {
                Target { name: more.name.trim().to_owned(), route: more.route(), ..filled }
            }
            None => filled,
        }
    }

    /// Returns the target with the typed values, except those that need a new connection if the
    /// target is running.
    pub(super) fn put(&self, target: &Target) -> Target {
        let filled = self.filled(target);
        if target.is_built_in() {
            return target.clone();
        }
        if !self.running.contains(&target.id) && !self.held.contains(&target.id) {
            return filled;
        }
        let (place, route) = (target.place.clone(), target.route.clone());
        Target { place, route, ..filled }
    }

    /// Returns the command for the changed values that need no new connection, or `None` if no such
    /// value has changed.
    pub(super) fn changed(&self, target: &Target) -> Option<Command> {
        Some(self.put(target)).filter(|put| put != target).map(Command::PutTarget)
    }

    /// Returns the changed target, if the changes need a new connection and wait for the user.
    pub(super) fn waiting(&self, target: &Target) -> Option<Target> {
        let waits = self.running.contains(&target.id) || self.held.contains(&target.id);
        (waits && self.is_elsewhere(target)).then(|| self.filled(target))
    }

    /// Returns true if the typed values need a new connection.
    fn is_elsewhere(&self, target: &Target) -> bool {
        let filled = self.filled(target);
        (&filled.place, &filled.route) != (&target.place, &target.route)
    }

    /// Completes the typed server address if its service shows the address in another form. Returns
    /// the command for the change.
    pub(super) fn complete_server(&mut self, target: &Target) -> Option<Command> {
        let texts = self.texts(target.id);
        let Cow::Owned(complete) = services::completed(&texts.server) else { return None };
        *texts.server = complete;
        texts.server_touched = true;
        self.changed(target)
    }

    /// Discards the typed values of a target.
    pub(super) fn forget(&mut self, id: u32) {
        self.texts.remove(&id);
        self.held.remove(&id);
        self.complain = false;
    }
}

/// Returns true if a target is live, or connecting without a problem.
fn is_running(snapshot: &Snapshot, view: &TargetView) -> bool {
    snapshot.live != LiveState::Idle
        && match view.state {
            Some(TargetState::Live) => true,
            Some(TargetState::Connecting | TargetState::Reconnecting) => view.cause.is_none(),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Problem;

    #[test]
    fn what_is_typed_is_judged_and_marked_at_its_field() {
        let mut draft = Draft::default();
        let mut part_of = |server: &str, key: &str| {
            let texts = draft.texts(1);
            (*texts.server, *texts.key) = (server.to_owned(), key.to_owned());
            let fault = draft.fault_of(&Target::custom(1, "", Secret::default()));
            fault.as_ref().map(Part::of)
        };
        for server in [
            "rtmp://live.example.com/app",
            " rtmps://live.example.com:443/live2 ",
            "rtmp://[::1]:1935/live",
            "rtmpt://live.example.com/app",
        ] {
            assert_eq!(part_of(server, "key"), None, "{server}");
            assert_eq!(part_of(server, ""), Some(Part::Key), "{server}");
            assert_eq!(part_of(server, "two words"), Some(Part::Key), "{server}");
        }
        for server in [
            "",
            "live.example.com",
            "http://a/b",
            "rtmp://",
            "rtmp:///app",
            "rtmp://:1935/a",
            "rtmp://a b/c",
            "rtmp://a",
        ] {
            assert_eq!(part_of(server, ""), Some(Part::Server), "{server}");
        }
    }

    #[test]
    fn an_address_that_kick_shows_gets_its_application() {
        let mut draft = Draft::default();
        let target = Target::custom(1, "", Secret::default());
        let kick = "rtmps://fa723fc1b171.global-contribute.live-video.net";
        let complete = format!("{kick}/app");
        let other = "rtmps://live.example.com";
        for (typed, wanted) in [(kick, Some(complete.as_str())), (other, None)] {
            *draft.texts(1).server = typed.to_owned();
            let put = |server| Command::PutTarget(Target::custom(1, server, Secret::default()));
            assert_eq!(draft.complete_server(&target), wanted.map(put));
            assert_eq!(*draft.texts(1).server, wanted.unwrap_or(typed));
        }
    }

    #[test]
    fn a_key_that_the_keyring_may_still_deliver_is_no_problem() {
        let mut draft = Draft::default();
        let target = Target::custom(7, "rtmp://live.example.com/app", Secret::default());
        let target = Target { remember_key: true, keep_as: "one".to_owned(), ..target };
        let mut snapshot = Snapshot { keys_pending: true, ..Snapshot::default() };
        snapshot.targets.push(TargetView::idle(target));
        assert!(!draft.complain(&snapshot));
        snapshot.keys_pending = false;
        assert!(draft.complain(&snapshot));
        assert_eq!(draft.focus, Some(Part::Key));
    }

    #[test]
    fn a_key_typed_during_an_attempt_is_used_for_the_next_one() {
        let mut draft = Draft::default();
        let target = Target::custom(7, "rtmp://live.example.com/app", Secret::new("old"));
        let mut snapshot = Snapshot::default();
        snapshot.targets.push(TargetView::idle(target));
        let mut in_state = |draft: &mut Draft, live, state, cause: bool| {
            snapshot.live = live;
            snapshot.targets[0].state = state;
            snapshot.targets[0].cause = cause.then(Problem::default);
            let sent = draft.learn(&snapshot);
            (sent, draft.waiting(&snapshot.targets[0].target).is_some())
        };
        let key_of = |sent: Vec<Command>| match &sent[..] {
            [Command::PutTarget(target)] => target.key().unwrap().expose().to_owned(),
            other => panic!("{other:?}"),
        };
        let starting = LiveState::Connecting { stage: "publish" };
        let (connecting, live) = (Some(TargetState::Connecting), Some(TargetState::Live));
        let lost = Some(TargetState::Reconnecting);
        // An attempt shows no problem yet, so the key waits until the attempt fails.
        in_state(&mut draft, starting.clone(), connecting, false);
        (*draft.texts(7).key, draft.texts(7).touched) = ("new".to_owned(), true);
        assert_eq!(in_state(&mut draft, starting.clone(), connecting, false), (vec![], true));
        let (sent, waits) = in_state(&mut draft, starting, connecting, true);
        assert_eq!((key_of(sent).as_str(), waits), ("new", false));
        // A stream that was on air reconnects with its own key, until the user applies the new one.
        in_state(&mut draft, LiveState::OnAir, live, false);
        assert_eq!(in_state(&mut draft, LiveState::OnAir, lost, true), (vec![], true));
        assert_eq!(in_state(&mut draft, LiveState::OnAir, live, false), (vec![], true));
        // If the server asks for a new connection, there is no problem until this connection fails.
        assert_eq!(in_state(&mut draft, LiveState::OnAir, lost, false), (vec![], true));
        assert_eq!(in_state(&mut draft, LiveState::OnAir, lost, true), (vec![], true));
        let (sent, waits) = in_state(&mut draft, LiveState::Idle, None, false);
        assert_eq!((key_of(sent).as_str(), waits), ("new", false));
    }

    #[test]
    fn the_key_is_not_printed() {
        let mut draft = Draft::default();
        draft.texts(1).key.push_str("live_secret");
        assert!(!format!("{draft:?}").contains("secret"));
    }
}
