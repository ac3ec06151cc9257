//! Tests of the status icon and the notifications on the desktop. The test runs a session bus and
//! provides the panel and the notification server on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use onair::app::{DesktopRequest, DesktopState, DesktopStatus};
use onair::studio::notices::health::Activity;
use parking_lot::Mutex;
use zbus::blocking::connection::Builder;
use zbus::blocking::{Connection, Proxy};
use zbus::zvariant::{OwnedValue, Value};

use crate::peers::desktop::Desktop;
use crate::peers::{self, LIMIT, wait_for};

/// All that onair told the desktop.
#[derive(Default)]
pub(crate) struct DesktopLog {
    /// Bus names of the tray icons.
    pub lamps: Vec<String>,
    /// The replaced ID, summary and body of each notification.
    notifications: Vec<(u32, String, String)>,
    closed: Vec<u32>,
}

struct Panel(Arc<Mutex<DesktopLog>>);

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Panel {
    fn register_status_notifier_item(&self, service: String) {
        self.0.lock().lamps.push(service);
    }
}

struct Notifications(Arc<Mutex<DesktopLog>>);

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    #[allow(clippy::too_many_arguments, reason = "the interface has them")]
    #[allow(clippy::needless_pass_by_value, reason = "they come so from the bus")]
    fn notify(
        &self,
        _app: String,
        replaces: u32,
        _icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        hints: std::collections::HashMap<String, OwnedValue>,
        _expires: i32,
    ) -> u32 {
        assert_eq!(actions, ["default", "Show onair"]);
        assert_eq!(hints.get("urgency").and_then(|it| u8::try_from(it).ok()), Some(2));
        let mut received = self.0.lock();
        received.notifications.push((replaces, summary, body));
        40 + received.notifications.len() as u32
    }

    fn close_notification(&self, id: u32) {
        self.0.lock().closed.push(id);
    }
}

fn on_air(alarm: bool, key: &'static str, sentence: &str) -> DesktopState {
    DesktopState {
        activity: Activity::OnAir,
        trouble: alarm,
        seen: false,
        alarm,
        key,
        sentence: sentence.into(),
        detail: "Attempt 4 in 3 s".into(),
        go_live: "Stop".into(),
        show: "Show onair".into(),
    }
}

/// Serves a panel and notifications on a bus.
pub(crate) fn serve(bus: &str, received: &Arc<Mutex<DesktopLog>>) -> Connection {
    Builder::address(bus)
        .unwrap()
        .serve_at("/StatusNotifierWatcher", Panel(Arc::clone(received)))
        .unwrap()
        .serve_at("/org/freedesktop/Notifications", Notifications(Arc::clone(received)))
        .unwrap()
        .name("org.kde.StatusNotifierWatcher")
        .unwrap()
        .name("org.freedesktop.Notifications")
        .unwrap()
        .build()
        .unwrap()
}

#[test]
fn errors_are_notified_and_the_lamp_goes_live() {
    peers::require!("Xvfb", "dbus-daemon");
    let desktop = Desktop::start();
    let received = Arc::new(Mutex::new(DesktopLog::default()));
    let status = DesktopStatus::new(egui::Context::default(), Some(desktop.bus().to_owned()));
    status.show(on_air(false, "health-good", "All good."));
    // The desktop panel starts later than onair.
    let panel = serve(desktop.bus(), &received);
    wait_for("the lamp", LIMIT, || received.lock().lamps.len() == 1);

    let name = received.lock().lamps[0].clone();
    let item = "org.kde.StatusNotifierItem";
    let lamp = Proxy::new(&panel, name.clone(), "/StatusNotifierItem", item).unwrap();
    let word = |property: &str| lamp.get_property::<String>(property).unwrap();
    assert_eq!((word("Id"), word("Status")), ("onair".into(), "Active".into()));
    let icons: Vec<(i32, i32, Vec<u8>)> = lamp.get_property("IconPixmap").unwrap();
    let middle = (11 * 22 + 11) * 4;
    assert_eq!((icons[0].0, &icons[0].2[middle..middle + 4]), (22, &[255, 0xFF, 0x41, 0x55][..]));

    // The window is hidden and a target fails: one notification appears, is replaced by a worse
    // one, and is withdrawn at the end.
    status.show(on_air(true, "health-partly", "On air, but not on Twitch."));
    wait_for("a notification", LIMIT, || received.lock().notifications.len() == 1);
    let expected = (0, "On air, but not on Twitch.".to_owned(), "Attempt 4 in 3 s".to_owned());
    assert_eq!(received.lock().notifications[0], expected);
    status.show(on_air(true, "health-lost", "Not on air: the connection to Twitch was lost."));
    wait_for("another", LIMIT, || received.lock().notifications.len() == 2);
    assert_eq!(received.lock().notifications[1].0, 41);
    // A click on the notification shows the window. A click on another application's notification,
    // or on another button, does not.
    let (path, interface) = ("/org/freedesktop/Notifications", "org.freedesktop.Notifications");
    for (id, token) in [(42_u32, "of-click"), (7, "of-another")] {
        panel.emit_signal(None::<&str>, path, interface, "ActivationToken", &(id, token)).unwrap();
    }
    for (id, action) in [(7_u32, "default"), (42, "snooze"), (42, "default")] {
        panel.emit_signal(None::<&str>, path, interface, "ActionInvoked", &(id, action)).unwrap();
    }
    let mut asked = Vec::new();
    wait_for("the click", LIMIT, || {
        asked.extend(status.asked());
        !asked.is_empty()
    });
    assert_eq!(asked, [DesktopRequest::Raise]);
    // The click's activation token is returned once.
    assert_eq!((status.token().as_deref(), status.token()), (Some("of-click"), None));
    status.show(on_air(false, "health-good", "All good."));
    wait_for("its end", LIMIT, || received.lock().closed == [42]);

    // The menu has the status sentence and the action of the large button.
    let menu = Proxy::new(&panel, name, "/MenuBar", "com.canonical.dbusmenu").unwrap();
    type Entries = Vec<(i32, std::collections::HashMap<String, OwnedValue>)>;
    let none: Vec<String> = Vec::new();
    let entries: Entries =
        menu.call("GetGroupProperties", &(vec![1_i32, 3], none.clone())).unwrap();
    let label = |index: usize| String::try_from(entries[index].1["label"].clone()).unwrap();
    assert_eq!((label(0), label(1)), ("All good.".to_owned(), "Stop".to_owned()));
    type Layout = (i32, std::collections::HashMap<String, OwnedValue>, Vec<OwnedValue>);
    let (_, layout): (u32, Layout) = menu.call("GetLayout", &(0_i32, -1_i32, none)).unwrap();
    assert_eq!(layout.2.len(), 4);
    // libdbusmenu reads the menu again only for a higher revision than the one that it has.
    let read = || -> (u32, Layout) {
        let none: Vec<String> = Vec::new();
        menu.call("GetLayout", &(0_i32, -1_i32, none)).unwrap()
    };
    let is_outdated = || -> bool { menu.call("AboutToShow", &(0_i32,)).unwrap() };
    let (before, _) = read();
    assert!(before > 0 && !is_outdated());
    let revisions = Arc::new(Mutex::new(Vec::new()));
    let (signals, its) = (menu.receive_signal("LayoutUpdated").unwrap(), Arc::clone(&revisions));
    std::thread::spawn(move || {
        for signal in signals {
            its.lock().push(signal.body().deserialize::<(u32, i32)>().unwrap());
        }
    });
    let idle = DesktopState {
        activity: Activity::Ready,
        go_live: "Go Live".into(),
        ..on_air(false, "health-ready", "Ready to go live.")
    };
    status.show(idle.clone());
    wait_for("a new menu", LIMIT, || revisions.lock().iter().any(|it| it.0 > before && it.1 == 0));
    assert!(is_outdated());
    let (after, layout) = read();
    assert_eq!((Some(&(after, 0)), is_outdated()), (revisions.lock().last(), false));
    assert!(format!("{layout:?}").contains("Go Live"), "{layout:?}");
    // The same state again is no new menu.
    status.show(idle);
    assert_eq!(read().0, after);
    let _: () = menu.call("Event", &(3_i32, "clicked", Value::from(0_i32), 0_u32)).unwrap();
    let _: () = lamp.call("ProvideXdgActivationToken", &("of-lamp",)).unwrap();
    let _: () = lamp.call("Activate", &(0_i32, 0_i32)).unwrap();
    let mut asked = Vec::new();
    wait_for("what was clicked", LIMIT, || {
        asked.extend(status.asked());
        asked == [DesktopRequest::GoLiveOrStop, DesktopRequest::Raise]
    });
    assert_eq!(status.token().as_deref(), Some("of-lamp"));
}

#[test]
fn the_connection_to_the_desktop_ends_in_order() {
    peers::require!("Xvfb", "dbus-daemon");
    let desktop = Desktop::start();
    let received = Arc::new(Mutex::new(DesktopLog::default()));
    let panel = serve(desktop.bus(), &received);
    let status = DesktopStatus::new(egui::Context::default(), Some(desktop.bus().to_owned()));
    status.show(on_air(false, "health-good", "All good."));
    wait_for("the lamp", LIMIT, || received.lock().lamps.len() == 1);
    let name = received.lock().lamps[0].clone();
    let interface = "org.freedesktop.DBus";
    let bus = Proxy::new(&panel, interface, "/org/freedesktop/DBus", interface).unwrap();
    let is_connected = || -> bool { bus.call("NameHasOwner", &(&*name,)).unwrap() };
    assert!(is_connected());

    let panicked = Arc::new(AtomicBool::new(false));
    let (its, before) = (Arc::clone(&panicked), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() == Some("onair-desktop") {
            its.store(true, Ordering::SeqCst);
        }
        before(panic);
    }));
    drop(status);
    wait_for("the end of the connection", LIMIT, || !is_connected());
    assert!(!panicked.load(Ordering::SeqCst), "the thread panicked");
}
