//! A session with the portal (org.freedesktop.portal.GlobalShortcuts, versions 1 and 2). The
//! session covers the push-to-talk key and the hotkeys of commands while onair needs them. If the
//! session closes, or the portal or a program behind the portal stops, or the portal sends invalid
//! data, the push-to-talk key counts as released.

use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui;
use futures_util::StreamExt as _;
use parking_lot::Mutex;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Structure, Value};
use zbus::{Connection, Message, MessageStream};

use crate::app::global_keys::key_state::KeyState;
use crate::base::Stop;
use crate::base::portal::{
    self, Failure, Options, POLL_INTERVAL, PORTAL_BUS_NAME, PORTAL_PATH, Results, Waiting, limited,
    owner_change,
};
use crate::ui::{GlobalKeyReply, PUSH_TO_TALK_ID};

const SHORTCUTS_INTERFACE: &str = "org.freedesktop.portal.GlobalShortcuts";
const REGISTRY_INTERFACE: &str = "org.freedesktop.host.portal.Registry";
/// The name of onair's desktop entry.
const DESKTOP_ENTRY_NAME: &str = "onair";
/// The name of the session, and the last part of its object path. Plasma 5 stores the keys under
/// this name. A different name at each start would lose the user's changes, and the new keys would
/// be in use by the previous name.
const SESSION_NAME: &str = "onair";
/// The service that reports the keys to Plasma's backend of the portal.
const PLASMA_KEY_SERVICE: &str = "org.kde.kglobalaccel";
/// A second report of the same key within this time is not a new press, because the desktop can
/// report a held key repeatedly.
const MIN_PRESS_INTERVAL: Duration = Duration::from_secs(1);
/// Maximum number of requests to a portal that stops and starts again. The number is limited
/// because the portal can ask the user each time.
const MAX_REQUESTS: u32 = 5;
/// Maximum length of the desktop's descriptions, in characters.
const MAX_DESCRIPTION_CHARS: usize = 60;
/// Maximum number of keys in a session.
const MAX_SHORTCUTS: usize = 200;

/// Receivers of the session's events.
pub(super) struct PortalEvent {
    line: Arc<KeyState>,
    reply: Arc<Mutex<GlobalKeyReply>>,
    given: Arc<Mutex<TriggerNames>>,
    pressed: Pressed,
    wake: egui::Context,
    held: bool,
    /// The time at which the desktop last reported each held hotkey.
    last_activated: HashMap<String, Instant>,
}

/// Receives the presses of commands' hotkeys, on any thread.
pub(super) type Pressed = Arc<dyn Fn(&str) + Send + Sync>;
/// The desktop's description of each key. The description is empty if the desktop has none.
pub(super) type TriggerNames = BTreeMap<String, String>;

/// A key that onair requests from the desktop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shortcut {
    pub(super) id: String,
    /// The preferred trigger, if any.
    pub(super) trigger: Option<String>,
    /// The name that the desktop displays.
    pub(super) called: String,
}

impl PortalEvent {
    pub(super) fn new(
        line: &Arc<KeyState>,
        (reply, given): (&Arc<Mutex<GlobalKeyReply>>, &Arc<Mutex<TriggerNames>>),
        pressed: &Pressed,
        wake: egui::Context,
    ) -> Self {
        let (line, reply, given) = (Arc::clone(line), Arc::clone(reply), Arc::clone(given));
        let pressed = Arc::clone(pressed);
        Self { line, reply, given, pressed, wake, held: false, last_activated: HashMap::new() }
    }

    /// Handles the report that a key is pressed or still held.
    fn activated(&mut self, id: &str) {
        if id == PUSH_TO_TALK_ID {
            return self.held(true);
        }
        let now = Instant::now();
        let before = self.last_activated.insert(id.to_owned(), now);
        if before.is_none_or(|before| now - before > MIN_PRESS_INTERVAL) {
            (self.pressed)(id);
        }
    }

    fn deactivated(&mut self, id: &str) {
        if id == PUSH_TO_TALK_ID {
            self.held(false);
        }
        self.last_activated.remove(id);
    }

    fn given(&self, given: TriggerNames) {
        let talk = given.get(PUSH_TO_TALK_ID).cloned().unwrap_or_default();
        tracing::debug!("the desktop grants hotkeys: {given:?}");
        *self.given.lock() = given;
        self.reply(GlobalKeyReply::Given(talk));
    }

    fn held(&mut self, held: bool) {
        if std::mem::replace(&mut self.held, held) != held {
            self.line.elsewhere(held);
        }
    }

    fn reply(&self, reply: GlobalKeyReply) {
        tracing::info!("answer of the desktop to the request for a push-to-talk key: {reply:?}");
        *self.reply.lock() = reply;
        self.wake.request_repaint();
    }
}

impl Drop for PortalEvent {
    fn drop(&mut self) {
        self.held(false);
    }
}

/// The way in which a session ends.
enum End {
    /// The portal that is running offers no sessions for shortcuts.
    Missing,
    /// The portal stopped; another one may have started.
    Gone { back: bool },
    /// The backend with this bus name stopped, and the session with it.
    BackendGone(String),
    /// The session ended permanently.
    Over(GlobalKeyReply),
}

impl From<Failure> for End {
    /// Converts the failure of a session that failed before the portal asked the user.
    fn from(failure: Failure) -> Self {
        tracing::debug!(%failure, "the portal grants no hotkey");
        match failure {
            Failure::Absent(_) => Self::Missing,
            Failure::NotAllowed(_) => Self::Over(GlobalKeyReply::Unknown),
            Failure::Gone => Self::Gone { back: false },
            Failure::Denied | Failure::Unanswered => Self::Over(GlobalKeyReply::Unanswered),
        }
    }
}

/// Requests the keys, and reports their presses until `stop` is set.
pub(super) fn hear(shortcuts: &[Shortcut], stop: &Stop, mut events: PortalEvent) {
    let Ok(runtime) = portal::runtime() else { return events.reply(GlobalKeyReply::Missing) };
    runtime.block_on(async {
        let connection = match portal::connect().await {
            Ok(connection) => connection,
            Err(failure) => {
                tracing::debug!(%failure, "no session bus");
                return events.reply(GlobalKeyReply::Missing);
            }
        };
        let (session, request, times) = (None, None, 0);
        let mut asked = ShortcutRequest { connection, session, request, times, shortcuts, stop };
        let over = tokio::select! {
            over = asked.follow(&mut events) => Some(over),
            () = stopped(stop) => None,
        };
        events.held(false);
        asked.close().await;
        if let Some(reply) = over.filter(|_| !stop.is_set()) {
            events.reply(reply);
        }
    });
}

async fn stopped(stop: &Stop) {
    while !stop.is_set() {
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

struct ShortcutRequest<'a> {
    connection: Connection,
    /// The open session.
    session: Option<OwnedObjectPath>,
    /// The name of the request that waits for the user.
    request: Option<String>,
    /// The number of further requests for which the portal may ask the user.
    times: u32,
    shortcuts: &'a [Shortcut],
    stop: &'a Stop,
}

impl ShortcutRequest<'_> {
    /// Opens a new session whenever the portal or its backend stops and starts again.
    async fn follow(&mut self, events: &mut PortalEvent) -> GlobalKeyReply {
        loop {
            let Ok(mut owners) = portal::owners(&self.connection).await else {
                return GlobalKeyReply::Missing;
            };
            let end = self.session(&mut owners, events).await;
            events.held(false);
            let back = match end {
                End::Over(reply) => return reply,
                End::Missing => {
                    self.close().await;
                    events.reply(GlobalKeyReply::Missing);
                    false
                }
                End::Gone { back } => {
                    // The session ended with its portal.
                    self.session = None;
                    events.reply(GlobalKeyReply::Gone);
                    if !back {
                        self.start(PORTAL_BUS_NAME).await;
                    }
                    back
                }
                End::BackendGone(name) => {
                    self.close().await;
                    events.reply(GlobalKeyReply::Gone);
                    if !self.returns(&name).await {
                        return GlobalKeyReply::Missing;
                    }
                    true
                }
            };
            if !back && !comes(&mut owners).await {
                return GlobalKeyReply::Missing;
            }
            if self.times >= MAX_REQUESTS {
                return GlobalKeyReply::Ended;
            }
            // Plasma keeps the sessions of a portal that stopped. Their object paths contain the
            // name of the connection, and a second session with such a path fails.
            let Ok(connection) = portal::connect().await else { return GlobalKeyReply::Missing };
            self.connection = connection;
        }
    }

    async fn close(&mut self) {
        if let Some(session) = self.session.take() {
            if let Some(request) = self.request.take() {
                portal::close_request(&self.connection, &request).await;
            }
            portal::close(&self.connection, &session).await;
        }
    }

    /// Waits until a backend runs again. Returns `false` if the connection to the bus ends first.
    async fn returns(&self, name: &str) -> bool {
        let Ok(mut owners) = portal::owners_of(&self.connection, name).await else { return false };
        self.start(name).await || comes(&mut owners).await
    }

    /// Asks the bus to start a service, because no other program might do so. Returns true if the
    /// service runs.
    async fn start(&self, name: &str) -> bool {
        const MESSAGE_BUS_NAME: &str = "org.freedesktop.DBus";
        let (bus, path) = (Some(MESSAGE_BUS_NAME), "/org/freedesktop/DBus");
        let body = (name, 0_u32);
        let start = self.connection.call_method(bus, path, bus, "StartServiceByName", &body);
        limited(start).await.is_ok()
    }

    /// Returns the session's keys. A backend that does not know the session does not answer.
    async fn listed(&self, session: &OwnedObjectPath) -> Result<TriggerNames, Failure> {
        let body = |options: Options<'static>| Structure::from((session.clone(), options));
        let soon = Waiting { stop: self.stop, asking: &|| (), person: false };
        request_shortcuts(&self.connection, portal::handle(), "ListShortcuts", body, &soon).await
    }

    /// Returns the shortcuts in the format that the portal's requests expect.
    fn requested(&self) -> Vec<(String, Options<'static>)> {
        let request = |it: &Shortcut| {
            let trigger = it.trigger.clone().map(|it| ("preferred_trigger", it.into()));
            let called = ("description", it.called.clone().into());
            (it.id.clone(), [called].into_iter().chain(trigger).collect())
        };
        self.shortcuts.iter().map(request).collect()
    }

    async fn session(&mut self, owners: &mut MessageStream, events: &mut PortalEvent) -> End {
        match self.open(owners, events).await {
            Ok(end) | Err(end) => end,
        }
    }

    async fn open(
        &mut self,
        owners: &mut MessageStream,
        events: &mut PortalEvent,
    ) -> Result<End, End> {
        let connection = self.connection.clone();
        // This call must be the first one. Portals before 1.20 do not support this call; later ones
        // require a registered program.
        let body = (DESKTOP_ENTRY_NAME, Options::new());
        let (portal, registry) = (Some(PORTAL_BUS_NAME), Some(REGISTRY_INTERFACE));
        let register = connection.call_method(portal, PORTAL_PATH, registry, "Register", &body);
        if let Err(failure) = limited(register).await {
            tracing::debug!(%failure, "the portal refuses the application ID");
        }
        let (_, owner) = portal::property(&connection, SHORTCUTS_INTERFACE, "version").await?;
        let soon = Waiting { stop: self.stop, asking: &|| (), person: false };
        // Plasma 5 accepts the keys only here; other desktops expect them in `BindShortcuts`.
        let early = Options::from([
            ("shortcuts", Value::new(self.requested())),
            ("session_handle_token", SESSION_NAME.into()),
        ]);
        let mut backends = portal::backend_owners(&connection).await?;
        let mut key_service = portal::owners_of(&connection, PLASMA_KEY_SERVICE).await?;
        let path = portal::begin(&connection, SHORTCUTS_INTERFACE, early, &soon).await?;
        let path = self.session.insert(path).clone();
        let mut closed = portal::closed(&connection, &path).await?;
        let mut news =
            portal::signals(&connection, (&owner, PORTAL_PATH), SHORTCUTS_INTERFACE, None).await?;
        events.reply(GlobalKeyReply::Waits);
        self.times += 1;
        let listed = self.listed(&path).await.unwrap_or_default();
        let (session, requested) = (path.clone(), self.requested());
        let body = |options: Options<'static>| Structure::from((session, requested, "", options));
        let person = Waiting { person: true, ..soon };
        // Plasma 5 has granted the keys with the session. `BindShortcuts` would only open its
        // settings, at each start of onair.
        let has_all = self.shortcuts.iter().all(|it| listed.contains_key(&it.id));
        let handle = portal::handle();
        // Without a dialog, there is no request to close.
        self.request = (!has_all).then(|| handle.clone());
        let mut bind = pin!(request_shortcuts(&connection, handle, "BindShortcuts", body, &person));
        // The descriptions of the keys, once the portal has replied.
        let mut given = has_all.then_some(listed);
        given.iter().for_each(|given| events.given(given.clone()));
        // True while Plasma's key service is stopped.
        let mut silent = false;
        let is_given = |given: &Option<TriggerNames>, one, other| {
            if given.is_some() { one } else { End::Over(other) }
        };
        loop {
            tokio::select! {
                answer = &mut bind, if given.is_none() => {
                    self.request = None;
                    let words = match answer {
                        Ok(words) => words,
                        Err(Failure::Denied) => return Ok(End::Over(GlobalKeyReply::Refused)),
                        // The user is not asked again automatically.
                        Err(Failure::Gone) => return Ok(End::Over(GlobalKeyReply::Unanswered)),
                        Err(failure) => return Err(failure.into()),
                    };
                    events.given(words.clone());
                    given = Some(words);
                }
                message = news.next() => match message {
                    // The last reports of a service can arrive later than the news of its end.
                    Some(Ok(_)) if silent => {}
                    Some(Ok(message)) => hear_one(&message, &path, &mut given, events),
                    Some(Err(_)) => events.held(false),
                    None => return Ok(End::Over(GlobalKeyReply::Ended)),
                },
                _ = closed.next() => {
                    self.session = None;
                    return Ok(is_given(&given, End::Over(GlobalKeyReply::Ended), GlobalKeyReply::Unanswered));
                }
                change = owners.next() => {
                    let Some(change) = change else { return Ok(End::Over(GlobalKeyReply::Ended)) };
                    let change = change.ok().and_then(|it| owner_change(&it));
                    if let Some((.., now)) = change.filter(|(_, before, _)| *before == owner) {
                        self.session = None;
                        let back = !now.is_empty();
                        return Ok(is_given(&given, End::Gone { back }, GlobalKeyReply::Unanswered));
                    }
                }
                change = backends.next() => {
                    let Some(change) = change else { return Ok(End::Over(GlobalKeyReply::Ended)) };
                    let change = change.ok().and_then(|it| owner_change(&it));
                    let Some((name, ..)) = change.filter(|(_, before, _)| !before.is_empty()) else {
                        continue;
                    };
                    // The portal does not report the end of its backend, and the release of a key
                    // would never arrive. A desktop can have several backends, and only the portal
                    // knows which of them has the session.
                    tracing::debug!("{name} has stopped");
                    events.held(false);
                    let listed = self.listed(&path).await;
                    if given.is_some() && matches!(listed, Err(Failure::Unanswered)) {
                        return Ok(End::BackendGone(name));
                    }
                }
                // Plasma's backend registers the keys again when this service is back.
                change = key_service.next() => {
                    let Some(change) = change else { return Ok(End::Over(GlobalKeyReply::Ended)) };
                    let change = change.ok().and_then(|it| owner_change(&it));
                    silent = change.is_some_and(|(.., now)| now.is_empty());
                    tracing::debug!("{PLASMA_KEY_SERVICE} {}", if silent { "has stopped" } else { "is back" });
                    events.held(false);
                }
            }
        }
    }
}

/// Sends a request about the keys of a session, with this handle token. `body` returns the arguments
/// of the call, with the options of the request. Returns the desktop's descriptions of the keys.
async fn request_shortcuts(
    connection: &Connection,
    handle: String,
    method: &str,
    body: impl FnOnce(Options<'static>) -> Structure<'static>,
    waiting: &Waiting<'_>,
) -> Result<TriggerNames, Failure> {
    let body = body(Options::from([("handle_token", handle.clone().into())]));
    let (portal, interface) = (Some(PORTAL_BUS_NAME), Some(SHORTCUTS_INTERFACE));
    let call = connection.call_method(portal, PORTAL_PATH, interface, method, &body);
    let results = portal::request(connection, &handle, call, waiting).await?;
    Ok(described(results.get("shortcuts")))
}

/// Waits for a portal. Returns `false` if the connection to the bus ends first.
async fn comes(owners: &mut MessageStream) -> bool {
    while let Some(change) = owners.next().await {
        let change = change.ok().and_then(|it| owner_change(&it));
        if change.is_some_and(|(.., now)| !now.is_empty()) {
            return true;
        }
    }
    false
}

/// Handles a signal of the portal about onair's keys.
fn hear_one(
    message: &Message,
    path: &OwnedObjectPath,
    given: &mut Option<TriggerNames>,
    events: &mut PortalEvent,
) {
    type Pressed = (OwnedObjectPath, String, u64, Results);
    let header = message.header();
    let pressed = || message.body().deserialize::<Pressed>();
    match header.member().map_or("", |member| member.as_str()) {
        "Activated" => match pressed() {
            Ok((session, id, ..)) if session == *path => events.activated(&id),
            _ => {}
        },
        "Deactivated" => match pressed() {
            Ok((session, id, ..)) if session == *path => events.deactivated(&id),
            Ok(_) => {}
            // The key also counts as released if the message cannot be parsed.
            Err(_) => events.held(false),
        },
        "ShortcutsChanged" => {
            let changed = message.body().deserialize::<(OwnedObjectPath, Shortcuts)>();
            let Ok((session, shortcuts)) = changed else { return };
            if session != *path {
                return;
            }
            let words = described_in(&shortcuts);
            if given.as_ref().is_some_and(|given| *given != words) {
                // The key counts as released, because the user holds the old trigger and not the
                // new one.
                events.held(false);
                events.given(words.clone());
                *given = Some(words);
            }
        }
        _ => {}
    }
}

type Shortcuts = Vec<(String, Results)>;

/// Returns the desktop's descriptions of onair's keys.
fn described(shortcuts: Option<&OwnedValue>) -> TriggerNames {
    let shortcuts = shortcuts.and_then(|it| it.try_clone().ok());
    let shortcuts = shortcuts.and_then(|it| Shortcuts::try_from(it).ok());
    shortcuts.map(|it| described_in(&it)).unwrap_or_default()
}

fn described_in(shortcuts: &Shortcuts) -> TriggerNames {
    let words = |results: &Results| {
        let words = portal::text(results, "trigger_description").unwrap_or_default();
        let words = words.chars().filter(|sign| !sign.is_control()).take(MAX_DESCRIPTION_CHARS);
        words.collect::<String>().trim().to_owned()
    };
    let few = shortcuts.iter().take(MAX_SHORTCUTS);
    few.map(|(id, results)| (id.clone(), words(results))).collect()
}
