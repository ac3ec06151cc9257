//! Tests of items that are dragged from other programs and dropped on the window, by the
//! drag-and-drop protocol of X11 (XDND 5). Players open dropped URLs in the forms that browsers and
//! editors use. Dropped files still reach the window.

use crate::peers::desktop::Desktop;
use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg, wait_for};
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
    SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// An application from which something is dragged.
struct Source {
    connection: RustConnection,
    window: Window,
    /// The dragged data, by type.
    offers: Vec<(&'static str, Vec<u8>)>,
}

impl Source {
    fn new(desktop: &Desktop, offers: &[(&'static str, &[u8])]) -> Self {
        let (connection, screen) = RustConnection::connect(Some(&desktop.display())).unwrap();
        let root = connection.setup().roots[screen].root;
        let window = connection.generate_id().unwrap();
        let (class, aux) = (WindowClass::INPUT_OUTPUT, CreateWindowAux::new());
        connection.create_window(0, window, root, 0, 0, 1, 1, 0, class, 0, &aux).unwrap();
        let offers = offers.iter().map(|(kind, bytes)| (*kind, bytes.to_vec())).collect();
        let source = Self { connection, window, offers };
        let selection = source.atom("XdndSelection");
        source.connection.set_selection_owner(window, selection, x11rb::CURRENT_TIME).unwrap();
        source
    }

    fn atom(&self, name: &str) -> u32 {
        self.connection.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom
    }

    /// The window that receives drag-and-drop messages on behalf of this one.
    fn proxy(&self, of: Window) -> Window {
        let name = self.atom("XdndProxy");
        let asked = self.connection.get_property(false, of, name, AtomEnum::WINDOW, 0, 1).unwrap();
        let reply = asked.reply().unwrap();
        reply.value32().and_then(|mut all| all.next()).unwrap_or(of)
    }

    fn say(&self, to: Window, name: &str, data: [u32; 4]) {
        let [a, b, c, d] = data;
        let data = [self.window, a, b, c, d];
        let message = ClientMessageEvent::new(32, to, self.atom(name), data);
        let proxy = self.proxy(to);
        self.connection.send_event(false, proxy, EventMask::NO_EVENT, message).unwrap();
        self.connection.flush().unwrap();
    }

    /// The window's next message of this name. Until it comes, answers requests for the dragged
    /// data.
    fn wait(&self, name: &str) -> [u32; 5] {
        let (wanted, mut found) = (self.atom(name), None);
        wait_for(name, LIMIT, || {
            while found.is_none()
                && let Some(event) = self.connection.poll_for_event().unwrap()
            {
                match event {
                    Event::SelectionRequest(asked) => self.give(&asked),
                    Event::ClientMessage(message) if message.type_ == wanted => {
                        found = Some(message.data.as_data32());
                    }
                    _ => {}
                }
            }
            found.is_some()
        });
        found.unwrap()
    }

    fn give(&self, asked: &SelectionRequestEvent) {
        let offer = self.offers.iter().find(|(kind, _)| self.atom(kind) == asked.target);
        let property = match offer {
            Some((_, bytes)) => {
                let (to, name, kind) = (asked.requestor, asked.property, asked.target);
                self.connection.change_property8(PropMode::REPLACE, to, name, kind, bytes).unwrap();
                asked.property
            }
            None => x11rb::NONE,
        };
        let answer = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: asked.time,
            requestor: asked.requestor,
            selection: asked.selection,
            target: asked.target,
            property,
        };
        let none = EventMask::NO_EVENT;
        self.connection.send_event(false, asked.requestor, none, answer).unwrap();
        self.connection.flush().unwrap();
    }

    fn enter(&self, window: Window) {
        let mut kinds = self.offers.iter().map(|(kind, _)| self.atom(kind));
        let mut next = || kinds.next().unwrap_or(x11rb::NONE);
        self.say(window, "XdndEnter", [5 << 24, next(), next(), next()]);
    }

    /// Drags over the window, and drops once the window says that it accepts.
    fn drop_on(&self, window: Window) {
        self.enter(window);
        let copy = self.atom("XdndActionCopy");
        self.say(window, "XdndPosition", [0, 300 << 16 | 300, 0, copy]);
        let [sender, may, ..] = self.wait("XdndStatus");
        assert_eq!((sender, may & 1), (window, 1));
        self.say(window, "XdndDrop", [0, 0, 0, 0]);
        let [sender, ..] = self.wait("XdndFinished");
        assert_eq!(sender, window);
    }
}

struct Shown {
    desktop: Desktop,
    _manager: Peer,
    window: Peer,
    id: Window,
    _home: tempfile::TempDir,
}

fn studio() -> Shown {
    let desktop = Desktop::start();
    let manager = desktop.manage();
    let home = tempfile::tempdir().unwrap();
    let settings = "version = 2\nvideo = \"test\"\naudio = \"silence\"\n";
    let mut window = desktop.studio(home.path(), settings, "trace");
    let id = desktop.shown(&mut window);
    let id = id.strip_prefix("0x").unwrap();
    let id = Window::from_str_radix(id, 16).unwrap();
    Shown { desktop, _manager: manager, window, id, _home: home }
}

#[test]
fn an_address_that_is_dropped_is_played() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xprop", "ffmpeg");
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let rtmp = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let names = ["browser", "mozilla", "editor"];
    let urls = names.map(|name| format!("{rtmp}/live/Pl4nted-{name}"));
    let _publishers = urls.each_ref().map(|url| ffmpeg::publish(url, None));
    let shown = studio();
    let wide: Vec<u8> =
        format!("{}\nA title", urls[1]).encode_utf16().flat_map(u16::to_ne_bytes).collect();
    let list = format!("{}\r\n", urls[0]);
    let offers: [&[(&'static str, &[u8])]; 3] = [
        &[("text/uri-list", list.as_bytes()), ("text/plain", b"nothing")],
        &[("text/x-moz-url", &wide), ("text/html", b"<a>")],
        &[("UTF8_STRING", urls[2].as_bytes())],
    ];
    for (name, offers) in names.iter().zip(offers) {
        let source = Source::new(&shown.desktop, offers);
        source.drop_on(shown.id);
        let stream = format!("Pl4nted-{name}");
        serve.wait_event(&format!("a player of {name}"), |event| {
            event["event"] == "join" && event["stream"] == stream.as_str()
        });
    }
    // The dropped address may hold a stream key.
    let log = shown.window.errors();
    let lines = log.lines().filter(|line| line.contains("drop") && line.contains("Pl4nted"));
    assert_eq!(lines.count(), 0);
}

#[test]
fn files_and_sources_that_break_off_are_survived() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xprop", "ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("film.mp4");
    ffmpeg::make(&file, "320x180", "5", &["-g", "25"]);
    let mut shown = studio();
    // The drag enters and the source window disappears before it is asked for data.
    for _ in 0..3 {
        let source = Source::new(&shown.desktop, &[("text/uri-list", b"rtmp://host/live/a")]);
        source.enter(shown.id);
        drop(source);
    }
    // A drag that leaves in time, and then text that is no address: the window accepts neither.
    let source = Source::new(&shown.desktop, &[("text/plain", b"just words")]);
    source.enter(shown.id);
    source.say(shown.id, "XdndLeave", [0; 4]);
    let list = format!("file://{}\r\n", file.display());
    let source = Source::new(&shown.desktop, &[("text/uri-list", list.as_bytes())]);
    source.drop_on(shown.id);
    assert!(shown.window.status().is_none(), "{}", shown.window.errors());
}
