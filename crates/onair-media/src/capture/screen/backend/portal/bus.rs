//! Asks the desktop to share a display or window (org.freedesktop.portal.ScreenCast, versions 1 to
//! 5). This module opens a session, sends the options, waits for the user's answer in the dialog,
//! and opens PipeWire for the selected content. Every call has a time limit, except the dialog,
//! which ends when it is no longer needed.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};
use zbus::{Connection, MessageStream};

use crate::base::portal::{
    self, Failure, Options, PORTAL_BUS_NAME, PORTAL_PATH, Results, Waiting, handle, limited,
    request, text,
};
use crate::base::{Secret, Stop};
use crate::capture::screen::display::{Fault, Sharing};

const SCREEN_CAST_INTERFACE: &str = "org.freedesktop.portal.ScreenCast";

/// Time limit of a check for messages.
const READ_TIMEOUT: Duration = Duration::from_millis(1);
/// Time limit for the desktop to report why a stream ended.
const END_REASON_TIMEOUT: Duration = Duration::from_millis(400);

/// Kinds of sources (`AvailableSourceTypes`).
const DISPLAY_SOURCE_TYPE: u32 = 1;
const WINDOW_SOURCE_TYPE: u32 = 2;
/// Pointer modes (`AvailableCursorModes`).
const HIDDEN_CURSOR_MODE: u32 = 1;
const EMBEDDED_CURSOR_MODE: u32 = 2;
/// The value of `persist_mode` with which the permission lasts until revoked, from version 4 on.
const PERSIST_UNTIL_REVOKED: u32 = 2;
const MIN_PERSIST_VERSION: u32 = 4;

/// A request for sharing.
pub(super) struct PortalRequest<'a> {
    pub(super) window: bool,
    pub(super) pointer: bool,
    /// The token of an earlier permission.
    pub(super) token: Option<&'a Secret>,
}

/// The display or window that the user shares.
pub(super) struct Shared {
    /// The connection to PipeWire, restricted to the shared content.
    pub(super) fd: OwnedFd,
    /// The node id of the stream in PipeWire.
    pub(super) node: u32,
    /// The token for sharing the content again without a dialog.
    pub(super) token: Option<Secret>,
}

/// A session with the portal. Dropping the session ends the sharing.
pub(super) struct Session {
    runtime: Runtime,
    /// The link to the desktop; `None` only during drop.
    link: Option<Link>,
}

/// The part of a session that needs the runtime, even for its end.
struct Link {
    connection: Connection,
    path: OwnedObjectPath,
    /// Messages that the desktop has ended the session.
    closed: MessageStream,
    /// Messages that the portal has stopped.
    owners: MessageStream,
    ended: bool,
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Denied => Self::Denied,
            Failure::Unanswered => Self::Ended(failure.to_string()),
            _ => Self::NoPortal(failure.to_string()),
        }
    }
}

fn runtime() -> Result<Runtime, Fault> {
    portal::runtime().map_err(|error| Fault::Other(error.to_string()))
}

async fn property(connection: &Connection, name: &str) -> Result<u32, Fault> {
    Ok(portal::property(connection, SCREEN_CAST_INTERFACE, name).await?.0)
}

/// The features of the portal.
struct PortalSupport {
    version: u32,
    kinds: u32,
    pointers: u32,
}

impl PortalSupport {
    async fn ask(connection: &Connection) -> Result<Self, Fault> {
        let version = property(connection, "version").await?;
        let kinds = property(connection, "AvailableSourceTypes").await?;
        // Available since version 2.
        let pointers = property(connection, "AvailableCursorModes").await.unwrap_or(0);
        Ok(Self { version, kinds, pointers })
    }
}

/// Returns the options of the sharing dialog.
pub(super) fn offers() -> Result<Sharing, Fault> {
    runtime()?.block_on(async {
        let connection = portal::connect().await?;
        let able = PortalSupport::ask(&connection).await?;
        Ok(Sharing {
            screens: able.kinds & DISPLAY_SOURCE_TYPE != 0,
            windows: able.kinds & WINDOW_SOURCE_TYPE != 0,
            remembers: able.version >= MIN_PERSIST_VERSION,
        })
    })
}

/// Returns the node id of the first selected stream, from an array of ids and properties.
fn first_stream(results: &Results) -> Option<u32> {
    let streams = results.get("streams")?.try_clone().ok()?;
    let streams = Vec::<(u32, HashMap<String, OwnedValue>)>::try_from(streams).ok()?;
    streams.first().map(|(node, _)| *node)
}

impl Session {
    /// Sends the request, and waits for the user's answer until `stop` is set.
    pub(super) fn ask(
        portal_request: &PortalRequest<'_>,
        stop: &Stop,
        asking: &dyn Fn(),
    ) -> Result<(Self, Shared), Fault> {
        let runtime = runtime()?;
        let (link, shared) = runtime.block_on(Self::begin(portal_request, stop, asking))?;
        Ok((Self { runtime, link: Some(link) }, shared))
    }

    async fn begin(
        portal_request: &PortalRequest<'_>,
        stop: &Stop,
        asking: &dyn Fn(),
    ) -> Result<(Link, Shared), Fault> {
        let connection = portal::connect().await?;
        let able = PortalSupport::ask(&connection).await?;
        let kind = if portal_request.window { WINDOW_SOURCE_TYPE } else { DISPLAY_SOURCE_TYPE };
        if able.kinds & kind == 0 {
            return Err(match portal_request.window {
                true if able.kinds & DISPLAY_SOURCE_TYPE != 0 => Fault::NoWindows,
                _ => Fault::NoPortal("it shares nothing of this kind".to_owned()),
            });
        }
        let soon = Waiting { stop, asking, person: false };
        let person = Waiting { person: true, ..soon };
        let path = portal::begin(&connection, SCREEN_CAST_INTERFACE, Options::new(), &soon).await?;
        let closed = portal::closed(&connection, &path).await?;
        let owners = portal::owners(&connection).await?;
        let shared = Self::choose(&connection, &path, portal_request, &able, &soon, &person).await;
        if shared.is_err() {
            portal::close(&connection, &path).await;
        }
        Ok((Link { connection, path, closed, owners, ended: false }, shared?))
    }

    async fn choose(
        connection: &Connection,
        path: &OwnedObjectPath,
        portal_request: &PortalRequest<'_>,
        able: &PortalSupport,
        soon: &Waiting<'_>,
        person: &Waiting<'_>,
    ) -> Result<Shared, Fault> {
        let own = handle();
        let kind = if portal_request.window { WINDOW_SOURCE_TYPE } else { DISPLAY_SOURCE_TYPE };
        let mut options: Options<'_> = HashMap::from([
            ("handle_token", own.as_str().into()),
            ("types", kind.into()),
            ("multiple", false.into()),
        ]);
        let pointer =
            if portal_request.pointer { EMBEDDED_CURSOR_MODE } else { HIDDEN_CURSOR_MODE };
        // Without this option, the desktop decides, and usually hides the pointer.
        if able.pointers & pointer != 0 {
            options.insert("cursor_mode", pointer.into());
        }
        if able.version >= MIN_PERSIST_VERSION {
            options.insert("persist_mode", PERSIST_UNTIL_REVOKED.into());
            if let Some(token) = portal_request.token {
                options.insert("restore_token", token.expose().into());
            }
        }
        let body = (path, options);
        let call = connection.call_method(
            Some(PORTAL_BUS_NAME),
            PORTAL_PATH,
            Some(SCREEN_CAST_INTERFACE),
            "SelectSources",
            &body,
        );
        request(connection, &own, call, soon).await?;
        let own = handle();
        let options: Options<'_> = HashMap::from([("handle_token", own.as_str().into())]);
        let body = (path, "", options);
        let call = connection.call_method(
            Some(PORTAL_BUS_NAME),
            PORTAL_PATH,
            Some(SCREEN_CAST_INTERFACE),
            "Start",
            &body,
        );
        let chosen = request(connection, &own, call, person).await?;
        let node = first_stream(&chosen);
        let node = node.ok_or_else(|| Fault::Unusable("nothing was chosen".to_owned()))?;
        let token = text(&chosen, "restore_token").map(Secret::new);
        let body = (path, Options::new());
        let opened = connection.call_method(
            Some(PORTAL_BUS_NAME),
            PORTAL_PATH,
            Some(SCREEN_CAST_INTERFACE),
            "OpenPipeWireRemote",
            &body,
        );
        // From here on, the user has answered: no error may cause another dialog automatically.
        let unusable = |reason: String| Fault::Unusable(format!("PipeWire: {reason}"));
        let opened = limited(opened).await.map_err(|fault| unusable(fault.to_string()))?;
        let fd = opened.body().deserialize::<zbus::zvariant::OwnedFd>();
        let fd = fd.map_err(|error| unusable(error.to_string()))?;
        Ok(Shared { fd: fd.into(), node, token })
    }

    /// Returns the reason, if the desktop has ended the sharing.
    pub(super) fn ended(&mut self) -> Option<String> {
        self.listen(READ_TIMEOUT)
    }

    /// Returns the desktop's reason for the end of the stream.
    pub(super) fn last_words(&mut self) -> Option<String> {
        self.listen(END_REASON_TIMEOUT)
    }

    fn listen(&mut self, limit: Duration) -> Option<String> {
        let Link { closed, owners, ended, .. } = self.link.as_mut()?;
        let reason = self.runtime.block_on(async {
            let either = async {
                tokio::select! {
                    _ = closed.next() => "sharing was stopped in the desktop",
                    _ = owners.next() => "the desktop's portal has ended",
                }
            };
            timeout(limit, either).await
        });
        let reason = reason.ok()?;
        *ended = true;
        Some(reason.to_owned())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(link) = self.link.take() else { return };
        self.runtime.block_on(async {
            if !link.ended {
                portal::close(&link.connection, &link.path).await;
            }
            drop(link);
        });
    }
}
