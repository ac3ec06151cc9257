//! A client for the desktop's portal (xdg-desktop-portal). The portal replies to each request with
//! a signal, and may show a dialog before it replies. A session lives until onair, the desktop or
//! the portal ends it. Every call has a time limit, except calls that wait for the user, which end
//! when the caller no longer needs the reply.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::runtime::{self, Runtime};
use tokio::time::timeout;
use zbus::blocking;
use zbus::connection::Builder;
use zbus::match_rule::Builder as RuleBuilder;
use zbus::message::Type;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, MatchRule, Message, MessageStream};

use crate::base::worker::Stop;

/// The name of the portal on the session bus.
pub const PORTAL_BUS_NAME: &str = "org.freedesktop.portal.Desktop";
/// The object path of the portal's interfaces.
pub const PORTAL_PATH: &str = "/org/freedesktop/portal/desktop";
/// The bus names of the portal's backends, one for each desktop, begin like this.
const BACKEND_NAMESPACE: &str = "org.freedesktop.impl.portal.desktop";
const REQUEST_INTERFACE: &str = "org.freedesktop.portal.Request";
const SESSION_INTERFACE: &str = "org.freedesktop.portal.Session";

/// Time limit for calls that do not wait for the user.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// How often onair checks whether the reply is still needed.
pub const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Maximum length of texts from other programs, in characters.
const MAX_TEXT_CHARS: usize = 200;

/// The reason why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is no bus, no portal, no such interface of the portal, or no reply.
    #[error("{0}")]
    Absent(String),
    /// The portal does not allow onair to make this request.
    #[error("{0}")]
    NotAllowed(String),
    /// The portal stopped during the request.
    #[error("it ended while it was asked")]
    Gone,
    /// The user declined the request.
    #[error("it was refused in the desktop's dialog")]
    Denied,
    /// The dialog closed without a reply.
    #[error("its dialog has ended without an answer")]
    Unanswered,
}

impl From<zbus::Error> for Failure {
    fn from(error: zbus::Error) -> Self {
        let words = error.to_string().chars().take(MAX_TEXT_CHARS).collect();
        match error {
            zbus::Error::MethodError(name, ..) if name.ends_with(".NotAllowed") => {
                Self::NotAllowed(words)
            }
            _ => Self::Absent(words),
        }
    }
}

/// Named values to send in a call.
pub type Options<'a> = HashMap<&'a str, Value<'a>>;
/// Named values of a reply.
pub type Results = HashMap<String, OwnedValue>;

/// Creates a runtime for the calls of one connection, on the calling thread.
///
/// # Errors
/// Fails if the system has no resources for the runtime.
pub fn runtime() -> io::Result<Runtime> {
    runtime::Builder::new_current_thread().enable_all().build()
}

/// Connects to the session bus.
///
/// # Errors
/// Fails with the reason why the connection failed.
pub async fn connect() -> Result<Connection, Failure> {
    limited(Connection::session()).await
}

/// Connects with these options, from a thread that has no runtime. There is a time limit, because a
/// bus that accepts connections and never answers would block the thread for ever.
///
/// # Errors
/// Fails with the reason why the connection failed.
pub fn connect_blocking(builder: Builder<'_>) -> Result<blocking::Connection, Failure> {
    zbus::block_on(limited(builder.build())).map(blocking::Connection::from)
}

/// Waits, with a time limit, for a call that does not wait for the user.
///
/// # Errors
/// Fails with the error of the called service, or after a timeout.
pub async fn limited<T>(what: impl Future<Output = zbus::Result<T>>) -> Result<T, Failure> {
    match timeout(CALL_TIMEOUT, what).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(Failure::Absent("it does not answer".to_owned())),
    }
}

/// Reads a numeric property of a portal interface, and the unique bus name of the portal.
///
/// # Errors
/// Fails like [`limited`], and if the property is not a number.
pub async fn property(
    connection: &Connection,
    interface: &str,
    name: &str,
) -> Result<(u32, String), Failure> {
    let properties = Some("org.freedesktop.DBus.Properties");
    let body = (interface, name);
    let asked =
        connection.call_method(Some(PORTAL_BUS_NAME), PORTAL_PATH, properties, "Get", &body);
    let reply = limited(asked).await?;
    let value = reply.body().deserialize::<OwnedValue>()?;
    let number = u32::try_from(value).map_err(zbus::Error::from)?;
    let owner = reply.header().sender().map(|name| name.as_str().to_owned());
    Ok((number, owner.unwrap_or_default()))
}

/// Returns a new name for a request or session. The name becomes part of the path of the reply.
pub fn handle() -> String {
    static NEXT_HANDLE_NUMBER: AtomicU64 = AtomicU64::new(1);
    format!("onair_{}_{}", std::process::id(), NEXT_HANDLE_NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// The caller that waits for a reply.
#[derive(Clone, Copy)]
pub struct Waiting<'a> {
    /// Set if the reply is no longer needed.
    pub stop: &'a Stop,
    /// A callback that is called repeatedly while the caller waits.
    pub asking: &'a dyn Fn(),
    /// True if a person replies, so there is no time limit.
    pub person: bool,
}

impl std::fmt::Debug for Waiting<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiting").field("person", &self.person).finish_non_exhaustive()
    }
}

/// Receives signals of `sender` (its unique or well-known name) at this path.
///
/// # Errors
/// Fails with the same errors as [`limited`].
pub async fn signals(
    connection: &Connection,
    (sender, path): (&str, &str),
    interface: &str,
    member: Option<&str>,
) -> Result<MessageStream, Failure> {
    let rule = MatchRule::builder()
        .msg_type(Type::Signal)
        .sender(sender)
        .and_then(|rule| rule.path(path))
        .and_then(|rule| rule.interface(interface))
        .and_then(|rule| if let Some(member) = member { rule.member(member) } else { Ok(rule) })?
        .build();
    limited(MessageStream::for_match_rule(rule, connection, Some(16))).await
}

/// Receives messages when the portal's service starts, stops or is replaced.
///
/// # Errors
/// Fails with the same errors as [`limited`].
pub async fn owners(connection: &Connection) -> Result<MessageStream, Failure> {
    owners_of(connection, PORTAL_BUS_NAME).await
}

/// Receives messages when the service with this bus name starts, stops or is replaced.
///
/// # Errors
/// Fails with the same errors as [`limited`].
pub async fn owners_of(connection: &Connection, name: &str) -> Result<MessageStream, Failure> {
    owner_changes(connection, |rule| rule.arg(0, name)).await
}

/// Receives messages when a backend of the portal starts, stops or is replaced.
///
/// # Errors
/// Fails with the same errors as [`limited`].
pub async fn backend_owners(connection: &Connection) -> Result<MessageStream, Failure> {
    owner_changes(connection, |rule| rule.arg0ns(BACKEND_NAMESPACE)).await
}

/// Receives messages when the owners of bus names change. `names` limits the rule to some names.
async fn owner_changes<'a>(
    connection: &Connection,
    names: impl FnOnce(RuleBuilder<'a>) -> zbus::Result<RuleBuilder<'a>>,
) -> Result<MessageStream, Failure> {
    let rule = MatchRule::builder()
        .msg_type(Type::Signal)
        .sender("org.freedesktop.DBus")
        .and_then(|rule| rule.interface("org.freedesktop.DBus"))
        .and_then(|rule| rule.member("NameOwnerChanged"))
        .and_then(names)?
        .build();
    limited(MessageStream::for_match_rule(rule, connection, Some(4))).await
}

/// Returns a bus name, its previous owner and its new owner, read from this message of the bus.
pub fn owner_change(message: &Message) -> Option<(String, String, String)> {
    let change = message.body().deserialize::<(String, String, String)>();
    change.ok()
}

/// Sends a request whose reply is a signal. The portal may show a dialog before it replies.
/// `handle` is the name of the request in the options of the call.
///
/// # Errors
/// Fails with the reason why the request failed.
pub async fn request(
    connection: &Connection,
    handle: &str,
    call: impl Future<Output = zbus::Result<Message>>,
    waiting: &Waiting<'_>,
) -> Result<Results, Failure> {
    let path = request_path(connection, handle);
    let mut answers =
        signals(connection, (PORTAL_BUS_NAME, &path), REQUEST_INTERFACE, Some("Response")).await?;
    let mut owners = owners(connection).await?;
    // The call is sent only after the signal subscription is active.
    limited(call).await?;
    let mut waited = Duration::ZERO;
    loop {
        let answer = tokio::select! {
            answer = answers.next() => answer,
            change = owners.next() => match change {
                // The portal may have been started for this request.
                Some(Ok(change)) if owner_change(&change).is_some_and(|(_, old, _)| old.is_empty()) => {
                    continue;
                }
                _ => return Err(Failure::Gone),
            },
            () = tokio::time::sleep(POLL_INTERVAL) => {
                (waiting.asking)();
                waited += POLL_INTERVAL;
                let late = !waiting.person && waited >= CALL_TIMEOUT;
                if late || waiting.stop.is_set() {
                    close_at(connection, &path, REQUEST_INTERFACE).await;
                    return Err(Failure::Absent("it does not answer".to_owned()));
                }
                continue;
            }
        };
        let Some(answer) = answer else {
            return Err(Failure::Absent("the session bus has ended".to_owned()));
        };
        return match answer?.body().deserialize::<(u32, Results)>()? {
            (0, results) => Ok(results),
            (1, _) => Err(Failure::Denied),
            (_, _) => Err(Failure::Unanswered),
        };
    }
}

/// Returns the object path of the request with the name `handle`.
fn request_path(connection: &Connection, handle: &str) -> String {
    let own = connection.unique_name().map(|name| name.as_str().to_owned()).unwrap_or_default();
    let sender = own.trim_start_matches(':').replace('.', "_");
    format!("{PORTAL_PATH}/request/{sender}/{handle}")
}

/// Ends a request, and closes its dialog. `handle` is the name of the request.
pub async fn close_request(connection: &Connection, handle: &str) {
    close_at(connection, &request_path(connection, handle), REQUEST_INTERFACE).await;
}

/// Opens a session of this interface, with these options in addition to the usual ones. The session
/// has a new name, unless the options contain its name.
///
/// # Errors
/// Fails with the reason why the session failed.
pub async fn begin(
    connection: &Connection,
    interface: &str,
    mut options: Options<'_>,
    waiting: &Waiting<'_>,
) -> Result<OwnedObjectPath, Failure> {
    let own = handle();
    options.insert("handle_token", own.clone().into());
    options.entry("session_handle_token").or_insert_with(|| handle().into());
    let body = (options,);
    let call = connection.call_method(
        Some(PORTAL_BUS_NAME),
        PORTAL_PATH,
        Some(interface),
        "CreateSession",
        &body,
    );
    let made = request(connection, &own, call, waiting).await?;
    let path = text(&made, "session_handle");
    let path = path.and_then(|path| OwnedObjectPath::try_from(path).ok());
    path.ok_or_else(|| Failure::Absent("it gave no session".to_owned()))
}

/// Receives a message when the desktop ends this session.
///
/// # Errors
/// Fails with the same errors as [`limited`].
pub async fn closed(
    connection: &Connection,
    session: &OwnedObjectPath,
) -> Result<MessageStream, Failure> {
    signals(connection, (PORTAL_BUS_NAME, session.as_str()), SESSION_INTERFACE, Some("Closed"))
        .await
}

/// Ends this session.
pub async fn close(connection: &Connection, session: &OwnedObjectPath) {
    close_at(connection, session.as_str(), SESSION_INTERFACE).await;
}

async fn close_at(connection: &Connection, path: &str, interface: &str) {
    let close = connection.call_method(Some(PORTAL_BUS_NAME), path, Some(interface), "Close", &());
    let _ = timeout(CALL_TIMEOUT / 10, close).await;
}

/// Reads a text from the results.
pub fn text(results: &Results, name: &str) -> Option<String> {
    results.get(name).and_then(|value| <&str>::try_from(value).ok().map(str::to_owned))
}
