//! Asks the desktop to share a screen or window (org.freedesktop.portal.ScreenCast, versions 1 to 5):
//! a session is made, what may be chosen is told, the person answers the desktop's dialog, and PipeWire
//! is opened for what was chosen. Every call has a limit but the dialog, which ends when nobody
//! wants it any more.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use zbus::message::Type;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, MatchRule, MessageStream};

use crate::base::{Secret, Stop};
use crate::capture::display::{Fault, Sharing};

const SERVICE: &str = "org.freedesktop.portal.Desktop";
const PATH: &str = "/org/freedesktop/portal/desktop";
const CAST: &str = "org.freedesktop.portal.ScreenCast";
const REQUEST: &str = "org.freedesktop.portal.Request";
const SESSION: &str = "org.freedesktop.portal.Session";

/// How long anything may take that no person has to answer.
const LIMIT: Duration = Duration::from_secs(10);
/// How often it is looked whether somebody still waits for the answer.
const LOOK: Duration = Duration::from_millis(50);
/// How long it may take to see that nothing has come.
const GLANCE: Duration = Duration::from_millis(1);
/// How long the desktop may take to say why a stream has ended.
const LAST_WORDS: Duration = Duration::from_millis(400);

/// Kinds of sources (`AvailableSourceTypes`).
const SCREEN: u32 = 1;
const WINDOW: u32 = 2;
/// Ways to show the pointer (`AvailableCursorModes`).
const HIDDEN: u32 = 1;
const EMBEDDED: u32 = 2;
/// It is allowed until it is taken back (`persist_mode`), from version 4 on.
const FOR_GOOD: u32 = 2;
const REMEMBERS: u32 = 4;

/// What is asked for.
pub(super) struct Wish<'a> {
    pub(super) window: bool,
    pub(super) pointer: bool,
    /// What the desktop gave when it was allowed before.
    pub(super) token: Option<&'a Secret>,
}

/// What was shared.
pub(super) struct Shared {
    /// PipeWire, where nothing but this can be seen.
    pub(super) fd: OwnedFd,
    /// The stream's number there.
    pub(super) node: u32,
    /// By which it is had again without a question.
    pub(super) token: Option<Secret>,
}

/// A session with the portal. Dropping it ends the sharing.
pub(super) struct Session {
    runtime: Runtime,
    /// `None` while it is being dropped.
    link: Option<Link>,
}

/// What of a session lives on the runtime; also its end needs that.
struct Link {
    connection: Connection,
    path: OwnedObjectPath,
    /// Tells when the desktop ends the session.
    closed: MessageStream,
    /// Tells when the portal goes away.
    owners: MessageStream,
    ended: bool,
}

fn fault(error: &zbus::Error) -> Fault {
    Fault::NoPortal(error.to_string().chars().take(200).collect())
}

fn runtime() -> Result<Runtime, Fault> {
    let made = Builder::new_current_thread().enable_all().build();
    made.map_err(|error| Fault::Other(error.to_string()))
}

async fn limited<T>(what: impl Future<Output = zbus::Result<T>>) -> Result<T, Fault> {
    match timeout(LIMIT, what).await {
        Ok(done) => done.map_err(|error| fault(&error)),
        Err(_) => Err(Fault::NoPortal("it does not answer".to_owned())),
    }
}

async fn property(connection: &Connection, name: &str) -> Result<u32, Fault> {
    let interface = Some("org.freedesktop.DBus.Properties");
    let body = (CAST, name);
    let asked = connection.call_method(Some(SERVICE), PATH, interface, "Get", &body);
    let reply = limited(asked).await?;
    let read = reply.body().deserialize::<OwnedValue>().and_then(|value| Ok(u32::try_from(value)?));
    read.map_err(|error| fault(&error))
}

/// What the portal can be asked for.
struct Able {
    version: u32,
    kinds: u32,
    pointers: u32,
}

impl Able {
    async fn ask(connection: &Connection) -> Result<Self, Fault> {
        let version = property(connection, "version").await?;
        let kinds = property(connection, "AvailableSourceTypes").await?;
        // Since version 2.
        let pointers = property(connection, "AvailableCursorModes").await.unwrap_or(0);
        Ok(Self { version, kinds, pointers })
    }
}

/// What the desktop's dialog offers.
pub(super) fn offers() -> Result<Sharing, Fault> {
    runtime()?.block_on(async {
        let connection = limited(Connection::session()).await?;
        let able = Able::ask(&connection).await?;
        Ok(Sharing {
            screens: able.kinds & SCREEN != 0,
            windows: able.kinds & WINDOW != 0,
            remembers: able.version >= REMEMBERS,
        })
    })
}

/// A name for one request or session: each is answered at an address made of it.
fn handle() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("onair_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

type Options<'a> = HashMap<&'a str, Value<'a>>;
type Results = HashMap<String, OwnedValue>;

/// What a person is waited for with.
struct Waiting<'a> {
    stop: &'a Stop,
    asking: &'a dyn Fn(),
    /// `None`: a person answers.
    limit: Option<Duration>,
}

/// Asks for something that is answered by a signal, after a dialog or without one.
async fn request(
    connection: &Connection,
    handle: &str,
    call: impl Future<Output = zbus::Result<zbus::Message>>,
    waiting: &Waiting<'_>,
) -> Result<Results, Fault> {
    let own = connection.unique_name().map(|name| name.as_str().to_owned()).unwrap_or_default();
    let sender = own.trim_start_matches(':').replace('.', "_");
    let path = format!("{PATH}/request/{sender}/{handle}");
    let rule = |error: zbus::Error| fault(&error);
    let answered = MatchRule::builder()
        .msg_type(Type::Signal)
        .sender(SERVICE)
        .and_then(|rule| rule.path(path.as_str()))
        .and_then(|rule| rule.interface(REQUEST))
        .and_then(|rule| rule.member("Response"))
        .map_err(rule)?
        .build();
    let mut answers = limited(MessageStream::for_match_rule(answered, connection, Some(2))).await?;
    let mut owners = owners(connection).await?;
    // Not before somebody listens.
    limited(call).await?;
    let mut waited = Duration::ZERO;
    loop {
        let answer = tokio::select! {
            answer = answers.next() => answer,
            _ = owners.next() => {
                return Err(Fault::NoPortal("it ended while it was asked".to_owned()));
            }
            () = tokio::time::sleep(LOOK) => {
                (waiting.asking)();
                waited += LOOK;
                let late = waiting.limit.is_some_and(|limit| waited >= limit);
                if late || waiting.stop.is_set() {
                    let close = connection.call_method(
                        Some(SERVICE), path.as_str(), Some(REQUEST), "Close", &(),
                    );
                    let _ = timeout(LIMIT / 10, close).await;
                    return Err(Fault::NoPortal("it does not answer".to_owned()));
                }
                continue;
            }
        };
        let Some(answer) = answer else {
            return Err(Fault::NoPortal("the session bus has ended".to_owned()));
        };
        let answer = answer.map_err(|error| fault(&error))?;
        let read = answer.body().deserialize::<(u32, Results)>();
        return match read.map_err(|error| fault(&error))? {
            (0, results) => Ok(results),
            (1, _) => Err(Fault::Denied),
            (_, _) => Err(Fault::Ended("its dialog has ended without an answer".to_owned())),
        };
    }
}

/// Tells when the portal's service ends or is replaced.
async fn owners(connection: &Connection) -> Result<MessageStream, Fault> {
    let rule = |error: zbus::Error| fault(&error);
    let changed = MatchRule::builder()
        .msg_type(Type::Signal)
        .sender("org.freedesktop.DBus")
        .and_then(|rule| rule.interface("org.freedesktop.DBus"))
        .and_then(|rule| rule.member("NameOwnerChanged"))
        .and_then(|rule| rule.arg(0, SERVICE))
        .map_err(rule)?
        .build();
    limited(MessageStream::for_match_rule(changed, connection, Some(4))).await
}

fn text(results: &Results, name: &str) -> Option<String> {
    results.get(name).and_then(|value| <&str>::try_from(value).ok().map(str::to_owned))
}

/// The first of the streams that were chosen: an array of numbers and properties.
fn first_stream(results: &Results) -> Option<u32> {
    let streams = results.get("streams")?.try_clone().ok()?;
    let streams = Vec::<(u32, HashMap<String, OwnedValue>)>::try_from(streams).ok()?;
    streams.first().map(|(node, _)| *node)
}

impl Session {
    /// Asks; waits for the person's answer unless `stop` is set.
    pub(super) fn ask(
        wish: &Wish<'_>,
        stop: &Stop,
        asking: &dyn Fn(),
    ) -> Result<(Self, Shared), Fault> {
        let runtime = runtime()?;
        let (link, shared) = runtime.block_on(Self::begin(wish, stop, asking))?;
        Ok((Self { runtime, link: Some(link) }, shared))
    }

    async fn begin(
        wish: &Wish<'_>,
        stop: &Stop,
        asking: &dyn Fn(),
    ) -> Result<(Link, Shared), Fault> {
        let connection = limited(Connection::session()).await?;
        let able = Able::ask(&connection).await?;
        let kind = if wish.window { WINDOW } else { SCREEN };
        if able.kinds & kind == 0 {
            return Err(match wish.window {
                true if able.kinds & SCREEN != 0 => Fault::NoWindows,
                _ => Fault::NoPortal("it shares nothing of this kind".to_owned()),
            });
        }
        let soon = Waiting { stop, asking, limit: Some(LIMIT) };
        let person = Waiting { stop, asking, limit: None };
        let (own, session) = (handle(), handle());
        let options: Options<'_> = HashMap::from([
            ("handle_token", own.as_str().into()),
            ("session_handle_token", session.as_str().into()),
        ]);
        let body = (options,);
        let call = connection.call_method(Some(SERVICE), PATH, Some(CAST), "CreateSession", &body);
        let made = request(&connection, &own, call, &soon).await?;
        let path =
            text(&made, "session_handle").and_then(|path| OwnedObjectPath::try_from(path).ok());
        let path = path.ok_or_else(|| Fault::NoPortal("it gave no session".to_owned()))?;
        let closed = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender(SERVICE)
            .and_then(|rule| rule.path(path.as_str().to_owned()))
            .and_then(|rule| rule.interface(SESSION))
            .and_then(|rule| rule.member("Closed"))
            .map_err(|error| fault(&error))?
            .build();
        let closed = limited(MessageStream::for_match_rule(closed, &connection, Some(2))).await?;
        let owners = owners(&connection).await?;
        let shared = Self::choose(&connection, &path, wish, &able, &soon, &person).await;
        if shared.is_err() {
            close(&connection, &path).await;
        }
        Ok((Link { connection, path, closed, owners, ended: false }, shared?))
    }

    async fn choose(
        connection: &Connection,
        path: &OwnedObjectPath,
        wish: &Wish<'_>,
        able: &Able,
        soon: &Waiting<'_>,
        person: &Waiting<'_>,
    ) -> Result<Shared, Fault> {
        let own = handle();
        let kind = if wish.window { WINDOW } else { SCREEN };
        let mut options: Options<'_> = HashMap::from([
            ("handle_token", own.as_str().into()),
            ("types", kind.into()),
            ("multiple", false.into()),
        ]);
        let pointer = if wish.pointer { EMBEDDED } else { HIDDEN };
        // Without it the desktop does as it likes, which is to hide it.
        if able.pointers & pointer != 0 {
            options.insert("cursor_mode", pointer.into());
        }
        if able.version >= REMEMBERS {
            options.insert("persist_mode", FOR_GOOD.into());
            if let Some(token) = wish.token {
                options.insert("restore_token", token.expose().into());
            }
        }
        let body = (path, options);
        let call = connection.call_method(Some(SERVICE), PATH, Some(CAST), "SelectSources", &body);
        request(connection, &own, call, soon).await?;
        let own = handle();
        let options: Options<'_> = HashMap::from([("handle_token", own.as_str().into())]);
        let body = (path, "", options);
        let call = connection.call_method(Some(SERVICE), PATH, Some(CAST), "Start", &body);
        let chosen = request(connection, &own, call, person).await?;
        let node = first_stream(&chosen);
        let node = node.ok_or_else(|| Fault::Unusable("nothing was chosen".to_owned()))?;
        let token = text(&chosen, "restore_token").map(Secret::new);
        let body = (path, Options::new());
        let opened =
            connection.call_method(Some(SERVICE), PATH, Some(CAST), "OpenPipeWireRemote", &body);
        // From here on a person has been asked: nothing may lead to another question by itself.
        let unusable = |reason: String| Fault::Unusable(format!("PipeWire: {reason}"));
        let opened = limited(opened).await.map_err(|fault| unusable(fault.to_string()))?;
        let fd = opened.body().deserialize::<zbus::zvariant::OwnedFd>();
        let fd = fd.map_err(|error| unusable(error.to_string()))?;
        Ok(Shared { fd: fd.into(), node, token })
    }

    /// Whether the desktop has ended the sharing; why, in words.
    pub(super) fn ended(&mut self) -> Option<String> {
        self.listen(GLANCE)
    }

    /// The stream has ended: what the desktop has to say to that.
    pub(super) fn last_words(&mut self) -> Option<String> {
        self.listen(LAST_WORDS)
    }

    fn listen(&mut self, limit: Duration) -> Option<String> {
        let Link { closed, owners, ended, .. } = self.link.as_mut()?;
        let said = self.runtime.block_on(async {
            let either = async {
                tokio::select! {
                    _ = closed.next() => "sharing was stopped in the desktop",
                    _ = owners.next() => "the desktop's portal has ended",
                }
            };
            timeout(limit, either).await
        });
        let said = said.ok()?;
        *ended = true;
        Some(said.to_owned())
    }
}

async fn close(connection: &Connection, path: &OwnedObjectPath) {
    let close = connection.call_method(Some(SERVICE), path.as_str(), Some(SESSION), "Close", &());
    let _ = timeout(LIMIT / 10, close).await;
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(link) = self.link.take() else { return };
        self.runtime.block_on(async {
            if !link.ended {
                close(&link.connection, &link.path).await;
            }
            drop(link);
        });
    }
}
