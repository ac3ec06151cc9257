//! Asks the desktop's screen saver over D-Bus, or else the portal, to keep the computer awake. Without either,
//! nothing happens. The request lives as long as its connection.

use std::collections::HashMap;
use std::time::Duration;

use zbus::zvariant::Value;

use crate::base::Stop;
use crate::base::backend::portal;

/// Keeps the computer awake until the stop is requested.
pub fn hold_awake(stop: &Stop) {
    const INHIBIT_REASON: &str = "On air or recording";
    // A service that does not reply within this time counts as missing.
    const REPLY_TIMEOUT: Duration = Duration::from_secs(5);
    let session = zbus::connection::Builder::session().map_err(portal::Failure::from);
    let open = |builder: zbus::connection::Builder<'_>| {
        portal::connect_blocking(builder.method_timeout(REPLY_TIMEOUT))
    };
    let connection = match session.and_then(open) {
        Ok(connection) => connection,
        Err(error) => {
            tracing::debug!(%error, "no session bus: the screen may blank");
            return;
        }
    };
    let saver = "org.freedesktop.ScreenSaver";
    let saver_path = "/org/freedesktop/ScreenSaver";
    let mut cookie: Option<u32> = None;
    match connection.call_method(
        Some(saver),
        saver_path,
        Some(saver),
        "Inhibit",
        &("onair", INHIBIT_REASON),
    ) {
        Ok(reply) => cookie = reply.body().deserialize().ok(),
        Err(error) => {
            tracing::debug!(%error, "no screen saver service: using the portal");
            // The flags: 4 prevents suspend, 8 prevents the idle state.
            let options: HashMap<&str, Value<'_>> =
                HashMap::from([("reason", Value::from(INHIBIT_REASON))]);
            let inhibited = connection.call_method(
                Some(portal::PORTAL_BUS_NAME),
                portal::PORTAL_PATH,
                Some("org.freedesktop.portal.Inhibit"),
                "Inhibit",
                &("", 12_u32, options),
            );
            if let Err(error) = inhibited {
                tracing::debug!(%error, "no service can prevent screen blanking");
                return;
            }
        }
    }
    while !stop.wait(Duration::from_secs(3600)) {}
    if let Some(cookie) = cookie
        && let Err(error) =
            connection.call_method(Some(saver), saver_path, Some(saver), "UnInhibit", &cookie)
    {
        tracing::debug!(%error, "releasing the screen saver failed");
    }
}
