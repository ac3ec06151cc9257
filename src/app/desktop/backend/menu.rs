//! The menu of the status icon: the health sentence, *Go Live* or *Stop*, and the window
//! (com.canonical.dbusmenu).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use zbus::interface;
use zbus::zvariant::{OwnedValue, Structure, Value};

use crate::app::desktop::state::{DesktopRequest, DesktopState, Shared};
use crate::studio::notices::health::Activity;

pub(super) const OBJECT_PATH: &str = "/MenuBar";
pub(super) const INTERFACE_NAME: &str = "com.canonical.dbusmenu";

pub(super) const ROOT_ENTRY: i32 = 0;
const HEALTH_ENTRY: i32 = 1;
const SEPARATOR_ENTRY: i32 = 2;
const GO_LIVE_ENTRY: i32 = 3;
const SHOW_ENTRY: i32 = 4;

/// The entries whose properties change.
const CHANGING_ENTRIES: [i32; 3] = [HEALTH_ENTRY, GO_LIVE_ENTRY, SHOW_ENTRY];

/// The properties that entries no longer have, which do not occur here.
type Removed = Vec<(i32, Vec<&'static str>)>;
type Properties = HashMap<&'static str, Value<'static>>;
/// An entry: its id, its properties, and its child entries.
type Layout = (i32, Properties, Vec<Value<'static>>);

pub(super) struct Menu(pub Arc<Shared>);

/// Returns the properties of an entry.
fn properties(id: i32, state: &DesktopState) -> Properties {
    // An underscore would mark an access key.
    let label = |text: &str| Value::from(text.replace('_', "__"));
    match id {
        ROOT_ENTRY => HashMap::from([("children-display", Value::from("submenu"))]),
        HEALTH_ENTRY => {
            HashMap::from([("label", label(&state.sentence)), ("enabled", Value::from(false))])
        }
        SEPARATOR_ENTRY => HashMap::from([("type", Value::from("separator"))]),
        GO_LIVE_ENTRY => {
            let enabled = state.activity != Activity::Stopping;
            HashMap::from([("label", label(&state.go_live)), ("enabled", Value::from(enabled))])
        }
        SHOW_ENTRY => HashMap::from([("label", label(&state.show))]),
        _ => HashMap::new(),
    }
}

/// Returns the arguments of the signal `ItemsPropertiesUpdated`.
pub(super) fn updated(state: &DesktopState) -> (Vec<(i32, Properties)>, Removed) {
    (CHANGING_ENTRIES.into_iter().map(|id| (id, properties(id, state))).collect(), Vec::new())
}

impl Menu {
    fn state(&self) -> Option<DesktopState> {
        self.0.state.lock().clone()
    }

    fn of(&self, id: i32) -> Properties {
        self.state().map(|state| properties(id, &state)).unwrap_or_default()
    }

    fn is_outdated(&self) -> bool {
        let shared = &self.0;
        shared.read_revision.load(Ordering::Acquire) != shared.revision.load(Ordering::Acquire)
    }

    fn happened(&self, id: i32, event: &str) {
        match (id, event) {
            (GO_LIVE_ENTRY, "clicked") => self.0.ask(DesktopRequest::GoLiveOrStop),
            (SHOW_ENTRY, "clicked") => self.0.ask(DesktopRequest::Raise),
            _ => {}
        }
    }
}

#[interface(name = "com.canonical.dbusmenu")]
impl Menu {
    #[zbus(property)]
    fn version(&self) -> u32 {
        3
    }

    #[zbus(property)]
    fn text_direction(&self) -> &'static str {
        "ltr"
    }

    #[zbus(property)]
    fn status(&self) -> &'static str {
        "normal"
    }

    #[zbus(property)]
    fn icon_theme_path(&self) -> Vec<String> {
        Vec::new()
    }

    fn get_layout(&self, parent: i32, depth: i32, _names: Vec<String>) -> (u32, Layout) {
        let leaves = [HEALTH_ENTRY, SEPARATOR_ENTRY, GO_LIVE_ENTRY, SHOW_ENTRY];
        let below = leaves.into_iter().filter(|_| parent == ROOT_ENTRY && depth != 0);
        let below = below.map(|id| {
            let none: Vec<Value<'static>> = Vec::new();
            Value::from(Structure::from((id, self.of(id), none)))
        });
        // The revision is read before the entries: after a change in between, the panel reads them
        // again.
        let revision = self.0.revision.load(Ordering::Acquire);
        self.0.read_revision.store(revision, Ordering::Relaxed);
        (revision, (parent, self.of(parent), below.collect()))
    }

    fn get_group_properties(&self, ids: Vec<i32>, _names: Vec<String>) -> Vec<(i32, Properties)> {
        let all = vec![ROOT_ENTRY, HEALTH_ENTRY, SEPARATOR_ENTRY, GO_LIVE_ENTRY, SHOW_ENTRY];
        let ids = if ids.is_empty() { all } else { ids };
        ids.into_iter().map(|id| (id, self.of(id))).collect()
    }

    fn get_property(&self, id: i32, name: &str) -> zbus::fdo::Result<OwnedValue> {
        let value = self.of(id).remove(name).and_then(|value| value.try_to_owned().ok());
        value.ok_or_else(|| zbus::fdo::Error::InvalidArgs(name.to_owned()))
    }

    fn event(&self, id: i32, event: &str, _data: Value<'_>, _time: u32) {
        self.happened(id, event);
    }

    fn event_group(&self, events: Vec<(i32, String, OwnedValue, u32)>) -> Vec<i32> {
        for (id, event, ..) in events {
            self.happened(id, &event);
        }
        Vec::new()
    }

    /// Returns true if the panel must read the menu again before it shows the menu.
    fn about_to_show(&self, _id: i32) -> bool {
        self.is_outdated()
    }

    fn about_to_show_group(&self, ids: Vec<i32>) -> (Vec<i32>, Vec<i32>) {
        (if self.is_outdated() { ids } else { Vec::new() }, Vec::new())
    }
}
