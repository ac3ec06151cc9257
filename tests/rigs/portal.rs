//! The common part of the desktop portals that tests implement. It answers each request at the
//! request's own object path and closes sessions.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use zbus::message::Header;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, ObjectServer, blocking};

pub const PATH: &str = "/org/freedesktop/portal/desktop";

pub type Options = HashMap<String, OwnedValue>;

/// An answer, with the response codes of the portals.
pub enum Answer<'a> {
    Yes(HashMap<&'a str, Value<'a>>),
    /// The user cancels.
    No,
    /// The dialog ends in another way.
    Nothing,
    /// The dialog stays open.
    Wait,
}

/// A portal request, and its sender.
pub struct Request<'a> {
    pub sender: String,
    options: &'a Options,
    connection: &'a Connection,
}

impl<'a> Request<'a> {
    pub fn new(header: &Header<'_>, options: &'a Options, connection: &'a Connection) -> Self {
        Self { sender: header.sender().unwrap().to_string(), options, connection }
    }

    /// Returns the object path that the caller chose with this token.
    fn path(&self, what: &str, token: &str) -> OwnedObjectPath {
        let token: &str = self.options[token].downcast_ref().unwrap();
        let sender = self.sender.trim_start_matches(':').replace('.', "_");
        OwnedObjectPath::try_from(format!("{PATH}/{what}/{sender}/{token}")).unwrap()
    }

    /// Sends the answer to the object path on which the caller listens.
    pub async fn answer(&self, answer: Answer<'_>) -> OwnedObjectPath {
        let path = self.path("request", "handle_token");
        let body = match answer {
            Answer::Yes(results) => (0_u32, results),
            Answer::No => (1, HashMap::new()),
            Answer::Nothing => (2, HashMap::new()),
            Answer::Wait => return path,
        };
        let interface = "org.freedesktop.portal.Request";
        let sent = self.connection.emit_signal(None::<&str>, &path, interface, "Response", &body);
        sent.await.unwrap();
        path
    }

    /// Leaves the dialog open. `closed` is incremented when the caller closes it.
    pub async fn stays(&self, server: &ObjectServer, closed: &Arc<AtomicU32>) {
        let path = self.path("request", "handle_token");
        server.at(&path, Canceled(Arc::clone(closed))).await.unwrap();
    }

    /// Starts the requested session. `closed` is incremented when it closes.
    pub async fn begin(&self, server: &ObjectServer, closed: &Arc<AtomicU32>) -> OwnedObjectPath {
        let path = self.path("session", "session_handle_token");
        server.at(&path, Ended(Arc::clone(closed))).await.unwrap();
        path
    }

    /// Answers with the handle of the session that was started.
    pub async fn began(&self, session: &OwnedObjectPath) -> OwnedObjectPath {
        self.answer(Answer::Yes(HashMap::from([("session_handle", session.as_str().into())]))).await
    }
}

/// Owns the portal's bus name until the value is dropped.
pub fn appear(builder: blocking::connection::Builder<'_>) -> blocking::Connection {
    builder.name("org.freedesktop.portal.Desktop").unwrap().build().unwrap()
}

/// Counts closed sessions.
struct Ended(Arc<AtomicU32>);

#[zbus::interface(name = "org.freedesktop.portal.Session")]
impl Ended {
    fn close(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Counts requests that their caller closed.
struct Canceled(Arc<AtomicU32>);

#[zbus::interface(name = "org.freedesktop.portal.Request")]
impl Canceled {
    fn close(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
