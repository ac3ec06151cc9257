//! Drag and drop on X11 (XDND 5). A hidden window of onair receives the drag instead of the visible
//! window (`XdndProxy`). The hidden window requests the type of the data, accepts addresses, and
//! forwards drags of files to the visible window, whose library replies.

use std::sync::Arc;

use raw_window_handle::{HasWindowHandle as _, RawWindowHandle};
use x11rb::connection::Connection as _;
use x11rb::errors::{ReplyError, ReplyOrIdError};
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
    SelectionNotifyEvent, Window as WindowId, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::app::drops::drag::{Drag, Window};
use crate::base::{Stop, Worker};

x11rb::atom_manager! {
    /// The names that the protocol uses.
    Atoms: AtomsCookie {
        XdndAware,
        XdndProxy,
        XdndEnter,
        XdndPosition,
        XdndStatus,
        XdndLeave,
        XdndDrop,
        XdndFinished,
        XdndSelection,
        XdndTypeList,
        XdndActionCopy,
        UriList: b"text/uri-list",
        MozUrl: b"text/x-moz-url",
        Utf8: b"UTF8_STRING",
        PlainUtf8: b"text/plain;charset=utf-8",
        Plain: b"text/plain",
        ONAIR_DROP,
        ONAIR_END,
    }
}

const XDND_VERSION: u32 = 5;
/// Maximum size of the dragged data, in units of four bytes.
const MAX_PROPERTY_UNITS: u32 = 16 << 10;
/// Maximum number of types that a source may offer.
const MAX_DATA_TYPES: u32 = 64;

/// Receives addresses until it is dropped.
pub(in crate::app::drops) struct DropReceiver {
    connection: Arc<RustConnection>,
    proxy: WindowId,
    end: Atom,
    _worker: Worker,
}

impl DropReceiver {
    /// Starts to receive drags for the window.
    pub(in crate::app::drops) fn open(
        creation: &eframe::CreationContext<'_>,
        window: Window,
    ) -> Result<Self, String> {
        let handle = creation.window_handle().map_err(|error| error.to_string())?;
        let shown = match handle.as_raw() {
            RawWindowHandle::Xlib(handle) => WindowId::try_from(handle.window).ok(),
            RawWindowHandle::Xcb(handle) => Some(handle.window.get()),
            _ => None,
        };
        let shown = shown.ok_or("the window is none of X11")?;
        let (connection, screen) =
            RustConnection::connect(None).map_err(|error| error.to_string())?;
        let (atoms, proxy) =
            stand_in(&connection, screen, shown).map_err(|error| error.to_string())?;
        let connection = Arc::new(connection);
        let windows = DropWindows {
            connection: Arc::clone(&connection),
            atoms,
            shown,
            proxy,
            window,
            drag: None,
        };
        let worker = Worker::spawn("onair-drops", move |stop| windows.run(stop))
            .map_err(|error| error.to_string())?;
        Ok(Self { connection, proxy, end: atoms.ONAIR_END, _worker: worker })
    }
}

impl Drop for DropReceiver {
    fn drop(&mut self) {
        // Wakes the thread, which waits for the display.
        self._worker.stop();
        let wake = ClientMessageEvent::new(32, self.proxy, self.end, [0; 5]);
        let _ = self.connection.send_event(false, self.proxy, EventMask::NO_EVENT, wake);
        let _ = self.connection.flush();
    }
}

fn stand_in(
    connection: &RustConnection,
    screen: usize,
    shown: WindowId,
) -> Result<(Atoms, WindowId), ReplyOrIdError> {
    let atoms = Atoms::new(connection)?.reply()?;
    let root = connection.setup().roots.get(screen).map_or(x11rb::NONE, |screen| screen.root);
    let proxy = connection.generate_id()?;
    let none = CreateWindowAux::new();
    let class = WindowClass::INPUT_ONLY;
    connection.create_window(0, proxy, root, -1, -1, 1, 1, 0, class, 0, &none)?.check()?;
    let (window, atom) = (AtomEnum::WINDOW, AtomEnum::ATOM);
    for (of, name, kind, value) in [
        (proxy, atoms.XdndAware, atom, XDND_VERSION),
        (proxy, atoms.XdndProxy, window, proxy),
        (shown, atoms.XdndProxy, window, proxy),
    ] {
        connection.change_property32(PropMode::REPLACE, of, name, kind, &[value])?.check()?;
    }
    Ok((atoms, proxy))
}

/// The type of the dragged data, if it is known.
enum Known {
    /// The types that are left to request, in reverse order. One type has already been requested
    /// from the source.
    Asked(Vec<Atom>),
    /// Files, or data that onair does not support: the window's library replies.
    Theirs,
    Address(String),
}

/// A drag over the window.
struct Dragged {
    source: WindowId,
    known: Known,
    /// The messages that have no reply so far. The window's library may have to reply to these
    /// messages.
    kept: Vec<ClientMessageEvent>,
    /// True if the user dropped the data before its type was known.
    dropped: bool,
}

struct DropWindows {
    connection: Arc<RustConnection>,
    atoms: Atoms,
    shown: WindowId,
    proxy: WindowId,
    window: Window,
    drag: Option<Dragged>,
}

/// Maximum number of messages that are kept until the type of the data is known. These include an
/// enter message and a position message.
const MAX_PENDING_MESSAGES: usize = 8;

impl DropWindows {
    fn run(mut self, stop: &Stop) {
        while !stop.is_set() {
            let Ok(event) = self.connection.wait_for_event() else { return };
            let done = match event {
                Event::ClientMessage(message) => self.on_client_message(message),
                Event::SelectionNotify(answer) => self.answered(answer),
                _ => Ok(()),
            };
            // If the source is gone, the drag has ended.
            if let Err(error) = done {
                tracing::debug!(%error, "a drag ended early");
                self.end();
            }
        }
    }

    fn on_client_message(&mut self, message: ClientMessageEvent) -> Result<(), ReplyError> {
        let atoms = self.atoms;
        let data = message.data.as_data32();
        let [source, ..] = data;
        if message.type_ == atoms.XdndEnter {
            self.end();
            let kinds = self.kinds(&data)?;
            let mut drag =
                Dragged { source, known: Known::Theirs, kept: Vec::new(), dropped: false };
            drag.kept.push(message);
            let mut wanted: Vec<Atom> =
                [atoms.Plain, atoms.PlainUtf8, atoms.Utf8, atoms.MozUrl, atoms.UriList].into();
            wanted.retain(|kind| kinds.contains(kind));
            drag.known = Known::Asked(wanted);
            self.drag = Some(drag);
            return self.ask_next();
        }
        let Some(drag) = self.drag.as_mut().filter(|drag| drag.source == source) else {
            return Ok(());
        };
        let (over, dropped) = (message.type_ == atoms.XdndLeave, message.type_ == atoms.XdndDrop);
        match &drag.known {
            Known::Theirs => self.pass_on(message)?,
            Known::Asked(_) => {
                drag.dropped |= dropped;
                if drag.kept.len() < MAX_PENDING_MESSAGES || dropped || over {
                    drag.kept.push(message);
                }
                if message.type_ == atoms.XdndPosition {
                    self.status(source)?;
                }
            }
            Known::Address(address) if dropped => {
                let address = address.clone();
                self.take(source, address)?;
            }
            Known::Address(_) if message.type_ == atoms.XdndPosition => self.status(source)?,
            Known::Address(_) => {}
        }
        if over || (dropped && !matches!(self.drag, Some(Dragged { known: Known::Asked(_), .. }))) {
            self.end();
        }
        Ok(())
    }

    /// Returns the types that the source offers. The message itself contains at most three types; a
    /// longer list is in a property.
    fn kinds(&self, data: &[u32; 5]) -> Result<Vec<Atom>, ReplyError> {
        let [source, flags, few @ ..] = *data;
        if flags & 1 == 0 {
            return Ok(few.to_vec());
        }
        let list = self.atoms.XdndTypeList;
        let atom = AtomEnum::ATOM;
        let asked = self.connection.get_property(false, source, list, atom, 0, MAX_DATA_TYPES)?;
        Ok(asked.reply()?.value32().map(Iterator::collect).unwrap_or_default())
    }

    /// Requests the data in the next type. If no type is left, the window's library takes over.
    fn ask_next(&mut self) -> Result<(), ReplyError> {
        let Some(Dragged { known, .. }) = &mut self.drag else { return Ok(()) };
        let Known::Asked(kinds) = known else { return Ok(()) };
        let Some(kind) = kinds.pop() else {
            *known = Known::Theirs;
            return self.hand_over();
        };
        let (selection, into) = (self.atoms.XdndSelection, self.atoms.ONAIR_DROP);
        let now = x11rb::CURRENT_TIME;
        self.connection.convert_selection(self.proxy, selection, kind, into, now)?;
        Ok(self.connection.flush()?)
    }

    fn answered(&mut self, answer: SelectionNotifyEvent) -> Result<(), ReplyError> {
        if !matches!(self.drag, Some(Dragged { known: Known::Asked(_), .. })) {
            return Ok(());
        }
        if answer.property == x11rb::NONE {
            return self.ask_next();
        }
        let any = AtomEnum::ANY;
        let asked = self.connection.get_property(
            true,
            self.proxy,
            answer.property,
            any,
            0,
            MAX_PROPERTY_UNITS,
        )?;
        let bytes = asked.reply()?.value;
        let found = match answer.target {
            kind if kind == self.atoms.MozUrl => first_line(&utf16(&bytes)),
            kind if kind == self.atoms.UriList && is_of_files(&bytes) => {
                if let Some(drag) = &mut self.drag {
                    drag.known = Known::Theirs;
                }
                return self.hand_over();
            }
            _ => first_line(&String::from_utf8_lossy(&bytes)),
        };
        let Some(address) = found else { return self.ask_next() };
        let Some(drag) = &mut self.drag else { return Ok(()) };
        if drag.dropped {
            let source = drag.source;
            self.take(source, address)?;
            self.end();
            return Ok(());
        }
        drag.known = Known::Address(address);
        drag.kept.clear();
        self.window.tell(Drag::Over(true));
        Ok(())
    }

    /// Forwards all kept messages to the visible window.
    fn hand_over(&mut self) -> Result<(), ReplyError> {
        let Some(drag) = &mut self.drag else { return Ok(()) };
        let (kept, dropped) = (std::mem::take(&mut drag.kept), drag.dropped);
        for message in kept {
            self.pass_on(message)?;
        }
        if dropped {
            self.end();
        }
        Ok(())
    }

    fn pass_on(&self, message: ClientMessageEvent) -> Result<(), ReplyError> {
        let message = ClientMessageEvent { window: self.shown, ..message };
        self.connection.send_event(false, self.shown, EventMask::NO_EVENT, message)?;
        Ok(self.connection.flush()?)
    }

    /// Tells the source that the data may be dropped anywhere in the window.
    fn status(&self, source: WindowId) -> Result<(), ReplyError> {
        let copy = self.atoms.XdndActionCopy;
        self.say(source, self.atoms.XdndStatus, [self.shown, 1, 0, 0, copy])
    }

    fn take(&self, source: WindowId, address: String) -> Result<(), ReplyError> {
        let copy = self.atoms.XdndActionCopy;
        self.window.tell(Drag::Dropped(address));
        self.say(source, self.atoms.XdndFinished, [self.shown, 1, copy, 0, 0])
    }

    fn say(&self, source: WindowId, what: Atom, data: [u32; 5]) -> Result<(), ReplyError> {
        let message = ClientMessageEvent::new(32, source, what, data);
        self.connection.send_event(false, source, EventMask::NO_EVENT, message)?;
        Ok(self.connection.flush()?)
    }

    fn end(&mut self) {
        if let Some(Dragged { known: Known::Address(_), .. }) = self.drag.take() {
            self.window.tell(Drag::Over(false));
        }
    }
}

/// Returns true if a list of URIs contains files.
fn is_of_files(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes).lines().any(|line| line.trim_start().starts_with("file:"))
}

/// Decodes UTF-16 in native byte order, as Mozilla's programs send it.
fn utf16(bytes: &[u8]) -> String {
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_ne_bytes(*pair));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Returns the first line that is an address and nothing else. In a URI list, `#` begins a comment.
fn first_line(text: &str) -> Option<String> {
    let lines =
        text.lines().map(|line| line.trim_matches(|c: char| c.is_whitespace() || c == '\0'));
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.next().filter(|line| crate::ui::is_address(line)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_what_programs_give() {
        let url = Some("rtmp://host/live/a".to_owned());
        assert_eq!(first_line("# a remark\r\nrtmp://host/live/a\r\n"), url);
        assert_eq!(first_line("rtmp://host/live/a\0"), url);
        assert_eq!(first_line("a title\nrtmp://host/live/a"), None);
        assert_eq!(first_line("see rtmp://host/live/a"), None);
        let wide: Vec<u8> =
            "rtmp://host/live/a\nA title".encode_utf16().flat_map(u16::to_ne_bytes).collect();
        assert_eq!(first_line(&utf16(&wide)), url);
        assert!(is_of_files(b"file:///a.flv\r\n") && !is_of_files(b"rtmp://host/live/a\r\n"));
    }
}
