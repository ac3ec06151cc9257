//! Serves the status icon and its menu, announces them, and shows notifications, on a separate
//! thread.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::{FutureExt as _, StreamExt as _};
use zbus::blocking::Connection;
use zbus::connection::Builder;
use zbus::zvariant::Value;
use zbus::{MatchRule, MessageStream};

use crate::app::desktop::backend::menu::{self, Menu};
use crate::app::desktop::backend::status_item::{self, StatusItem};
use crate::app::desktop::notification::{Notification, Step};
use crate::app::desktop::state::{DesktopRequest, DesktopState, Shared};
use crate::app::desktop::status_icon::StatusIcon;
use crate::app::icon;
use crate::base::Stop;
use crate::base::portal::{self, Failure};

const WATCHER_NAME: &str = "org.kde.StatusNotifierWatcher";
const WATCHER_PATH: &str = "/StatusNotifierWatcher";
const NOTIFICATIONS_NAME: &str = "org.freedesktop.Notifications";
const NOTIFICATIONS_PATH: &str = "/org/freedesktop/Notifications";

/// Interval between checks for changes.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Interval between checks for a program that shows status icons, because a panel can start later,
/// or restart.
const SEEK_INTERVAL: Duration = Duration::from_secs(3);
/// A service that does not reply within this time counts as missing.
const REPLY_TIMEOUT: Duration = Duration::from_secs(3);
/// The expiry time of a notification in milliseconds; −1 means that the notification server chooses
/// it.
const DEFAULT_EXPIRY_MILLIS: i32 = -1;
/// The name of the action for a click on the notification itself.
const DEFAULT_ACTION: &str = "default";
/// Maximum number of clicks that wait to be handled.
const MAX_WAITING_CLICKS: usize = 8;
/// The urgency of a notification that stays until the user reads it or onair withdraws it.
const CRITICAL_URGENCY: u8 = 2;

/// Returns the text as notification servers show it: they interpret some markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Runs until a stop is requested.
pub(in crate::app::desktop) fn serve(shared: &Arc<Shared>, bus: Option<&str>, stop: &Stop) {
    let connection = match open(shared, bus) {
        Ok(connection) => connection,
        Err(error) => {
            tracing::debug!(%error, "no session bus: no desktop notifications");
            return;
        }
    };
    let clicks = clicks(&connection);
    let mut desktop = Desktop {
        connection,
        clicks,
        notification: Notification::default(),
        shown: None,
        watcher: None,
        sent_state: None,
        sent_revision: 0,
    };
    let mut seek_at = Instant::now();
    while !stop.wait(POLL_INTERVAL) {
        let revision = shared.revision.load(Ordering::Acquire);
        let Some(state) = shared.state.lock().clone() else { continue };
        if Instant::now() >= seek_at {
            desktop.announce();
            seek_at = Instant::now() + SEEK_INTERVAL;
        }
        desktop.tell(state, revision);
        desktop.follow_clicks(shared);
    }
    desktop.close();
    // A stream that is dropped starts a task, which needs a runtime.
    zbus::block_on(async { drop(desktop.clicks.take()) });
}

fn open(shared: &Arc<Shared>, bus: Option<&str>) -> Result<Connection, Failure> {
    let builder = match bus {
        Some(address) => Builder::address(address)?,
        None => Builder::session()?,
    };
    let builder = builder
        .method_timeout(REPLY_TIMEOUT)
        .serve_at(status_item::OBJECT_PATH, StatusItem(Arc::clone(shared)))?
        .serve_at(menu::OBJECT_PATH, Menu(Arc::clone(shared)))?;
    portal::connect_blocking(builder)
}

/// Receives clicks on the buttons of notifications, of onair and of other programs, and the
/// activation tokens that come before them.
fn clicks(connection: &Connection) -> Option<MessageStream> {
    let rule = MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .interface(NOTIFICATIONS_NAME)
        .map(zbus::match_rule::Builder::build);
    let stream = rule.and_then(|rule| {
        zbus::block_on(MessageStream::for_match_rule(
            rule,
            connection.inner(),
            Some(MAX_WAITING_CLICKS),
        ))
    });
    stream
        .inspect_err(|error| tracing::debug!(%error, "receiving clicks on notifications failed"))
        .ok()
}

struct Desktop {
    connection: Connection,
    /// Clicks on notifications.
    clicks: Option<MessageStream>,
    notification: Notification,
    /// The id that the desktop assigned to the notification.
    shown: Option<u32>,
    /// The program that shows the status icon.
    watcher: Option<String>,
    sent_state: Option<DesktopState>,
    /// The revision of the menu that was announced last.
    sent_revision: u32,
}

impl Desktop {
    /// Announces the status icon once to each panel that shows status icons.
    fn announce(&mut self) {
        let (bus, path) = (Some("org.freedesktop.DBus"), "/org/freedesktop/DBus");
        let owner = self.connection.call_method(bus, path, bus, "GetNameOwner", &WATCHER_NAME);
        let owner = owner.ok().and_then(|reply| reply.body().deserialize::<String>().ok());
        if owner == self.watcher {
            return;
        }
        self.watcher = owner;
        let (Some(_), Some(name)) = (&self.watcher, self.connection.unique_name()) else { return };
        let answer = self.connection.call_method(
            Some(WATCHER_NAME),
            WATCHER_PATH,
            Some(WATCHER_NAME),
            "RegisterStatusNotifierItem",
            &name.as_str(),
        );
        if let Err(error) = answer {
            tracing::debug!(%error, "the desktop refuses the status icon");
        }
    }

    /// Announces changes of the state to the desktop. `revision` is that of the menu.
    fn tell(&mut self, state: DesktopState, revision: u32) {
        if self.sent_state.as_ref() == Some(&state) && self.sent_revision == revision {
            return;
        }
        match self.notification.look(&state) {
            Some(Step::Show { summary, body }) => {
                self.notify(&summary, &escaped(&body), &state.show);
            }
            Some(Step::Close) => self.close(),
            None => {}
        }
        let before = self.sent_state.as_ref();
        let item = |name: &str, is_new: bool| match is_new {
            true => self.connection.emit_signal(
                None::<&str>,
                status_item::OBJECT_PATH,
                status_item::INTERFACE_NAME,
                name,
                &(),
            ),
            false => Ok(()),
        };
        let has_new_icon = before.map(StatusIcon::of) != Some(StatusIcon::of(&state));
        let status = status_item::status(&state);
        let result = item("NewIcon", has_new_icon)
            .and_then(|()| item("NewToolTip", true))
            .and_then(|()| match before.map(status_item::status) == Some(status) {
                true => Ok(()),
                false => self.connection.emit_signal(
                    None::<&str>,
                    status_item::OBJECT_PATH,
                    status_item::INTERFACE_NAME,
                    "NewStatus",
                    &(status,),
                ),
            });
        let result = result.and_then(|()| match self.sent_revision == revision {
            true => Ok(()),
            false => self.tell_menu(&state, revision),
        });
        if let Err(error) = result {
            tracing::debug!(%error, "a message to the desktop failed");
        }
        (self.sent_state, self.sent_revision) = (Some(state), revision);
    }

    /// Announces that the entries of the menu have changed.
    fn tell_menu(&self, state: &DesktopState, revision: u32) -> zbus::Result<()> {
        let (to, path, name) = (None::<&str>, menu::OBJECT_PATH, menu::INTERFACE_NAME);
        let entries = menu::updated(state);
        self.connection.emit_signal(to, path, name, "ItemsPropertiesUpdated", &entries)?;
        self.connection.emit_signal(to, path, name, "LayoutUpdated", &(revision, menu::ROOT_ENTRY))
    }

    /// Shows the window after a click on the notification.
    fn follow_clicks(&mut self, shared: &Shared) {
        let Some(clicks) = &mut self.clicks else { return };
        while let Some(Some(Ok(message))) = clicks.next().now_or_never() {
            let Ok((id, word)) = message.body().deserialize::<(u32, String)>() else { continue };
            if Some(id) != self.shown {
                continue;
            }
            match message.header().member().map(|member| member.as_str()) {
                Some("ActivationToken") => *shared.token.lock() = Some(word),
                Some("ActionInvoked") if word == DEFAULT_ACTION => {
                    shared.ask(DesktopRequest::Raise);
                }
                _ => {}
            }
        }
    }

    fn notify(&mut self, summary: &str, body: &str, show: &str) {
        let app_id = icon::app_id();
        let hints = HashMap::from([
            ("urgency", Value::from(CRITICAL_URGENCY)),
            ("desktop-entry", Value::from(&*app_id)),
        ]);
        let actions = [DEFAULT_ACTION, show];
        let answer = self.connection.call_method(
            Some(NOTIFICATIONS_NAME),
            NOTIFICATIONS_PATH,
            Some(NOTIFICATIONS_NAME),
            "Notify",
            &(
                "onair",
                self.shown.unwrap_or_default(),
                &*app_id,
                summary,
                body,
                &actions[..],
                hints,
                DEFAULT_EXPIRY_MILLIS,
            ),
        );
        match answer {
            Ok(reply) => self.shown = reply.body().deserialize().ok(),
            Err(error) => tracing::debug!(%error, "the desktop shows no notification"),
        }
    }

    /// Closes the notification, because its problem has ended or the user has seen it.
    fn close(&mut self) {
        let Some(id) = self.shown.take() else { return };
        let answer = self.connection.call_method(
            Some(NOTIFICATIONS_NAME),
            NOTIFICATIONS_PATH,
            Some(NOTIFICATIONS_NAME),
            "CloseNotification",
            &id,
        );
        if let Err(error) = answer {
            // The user has already closed the notification.
            tracing::debug!(%error, "closing a notification failed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_notification_is_shown_as_text() {
        assert_eq!(escaped("<b> & 3 s"), "&lt;b&gt; &amp; 3 s");
    }
}
