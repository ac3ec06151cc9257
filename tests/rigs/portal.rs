//! What every part of a desktop's portal does that a test plays itself: requests are answered at an address of
//! their own, sessions are closed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};

pub const PATH: &str = "/org/freedesktop/portal/desktop";

pub type Options = HashMap<String, OwnedValue>;

/// Where the caller of a request listens.
pub fn request_path(sender: &str, options: &Options) -> OwnedObjectPath {
    let handle: &str = options["handle_token"].downcast_ref().unwrap();
    let sender = sender.trim_start_matches(':').replace('.', "_");
    ObjectPath::try_from(format!("{PATH}/request/{sender}/{handle}")).unwrap().into()
}

/// Answers a request at the address that its caller listens at.
pub async fn respond(
    connection: &zbus::Connection,
    sender: &str,
    options: &Options,
    code: u32,
    results: HashMap<&str, Value<'_>>,
) -> OwnedObjectPath {
    let path = request_path(sender, options);
    let interface = "org.freedesktop.portal.Request";
    let body = (code, results);
    connection.emit_signal(None::<&str>, &path, interface, "Response", &body).await.unwrap();
    path
}

/// Counts the sessions that were closed.
pub struct Ended(pub Arc<AtomicU32>);

#[zbus::interface(name = "org.freedesktop.portal.Session")]
impl Ended {
    fn close(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
