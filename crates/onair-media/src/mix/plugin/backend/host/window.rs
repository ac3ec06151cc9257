//! The plugin's own window, with X11: a window of the plugin (*floating*), or one of onair in which
//! the plugin draws (*embedded*).

use std::ffi::CString;
use std::sync::atomic::Ordering;

use clap_sys::ext::gui::{CLAP_WINDOW_API_X11, clap_plugin_gui, clap_window, clap_window_handle};
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ConfigureWindowAux, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
    WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::mix::plugin::backend::host::callbacks::HOST;
use crate::mix::plugin::backend::host::instance::Instance;

/// The size of a window whose plugin names none.
const DEFAULT_SIZE: (u32, u32) = (640, 480);
/// The largest size.
const MAX_SIDE: u32 = 8_192;

/// An open window.
pub(super) struct Window {
    gui: &'static clap_plugin_gui,
    /// The window of onair, in which the plugin draws.
    frame: Option<Frame>,
}

struct Frame {
    connection: RustConnection,
    window: u32,
    delete: u32,
    size: (u32, u32),
}

impl Window {
    /// Shows the window. Returns `None` if there is no display, or the plugin has no window.
    pub fn open(instance: &Instance, title: &str) -> Option<Self> {
        let gui = instance.gui?;
        let floating = instance.supports(true);
        if !floating && !instance.supports(false) {
            return None;
        }
        HOST.closed.store(false, Ordering::Release);
        let (plugin, api) = (instance.plugin, CLAP_WINDOW_API_X11.as_ptr());
        // SAFETY: this is the main thread; the functions are called as CLAP says.
        unsafe {
            if !gui.create.is_some_and(|create| create(plugin, api, floating)) {
                return None;
            }
            let mut frame = None;
            if floating {
                let title = CString::new(title).unwrap_or_default();
                if let Some(suggest) = gui.suggest_title {
                    suggest(plugin, title.as_ptr());
                }
            } else {
                let (mut width, mut height) = DEFAULT_SIZE;
                if let Some(get) = gui.get_size {
                    get(plugin, &raw mut width, &raw mut height);
                }
                frame = Frame::open((width, height), title);
                let window = frame.as_ref().map(|frame| clap_window {
                    api,
                    specific: clap_window_handle { x11: frame.window.into() },
                });
                let is_parent = window.is_some_and(|window| {
                    gui.set_parent.is_some_and(|set| set(plugin, &raw const window))
                });
                if !is_parent {
                    if let Some(destroy) = gui.destroy {
                        destroy(plugin);
                    }
                    return None;
                }
            }
            if let Some(show) = gui.show {
                show(plugin);
            }
            Some(Self { gui, frame })
        }
    }

    /// Follows the user and the plugin. Returns true if the user closed the window.
    pub fn is_closed(&mut self, instance: &Instance) -> bool {
        let Some(frame) = &mut self.frame else { return false };
        let wanted = HOST.size.lock().take();
        let is_new = |size: &(u32, u32)| *size != frame.size;
        if let Some((width, height)) = wanted.filter(is_new) {
            frame.resize((width, height));
        }
        while let Ok(Some(event)) = frame.connection.poll_for_event() {
            match event {
                Event::ClientMessage(message) if message.data.as_data32()[0] == frame.delete => {
                    return true;
                }
                Event::ConfigureNotify(it) if it.window == frame.window => {
                    let size = (u32::from(it.width), u32::from(it.height));
                    if size != frame.size {
                        frame.size = size;
                        // SAFETY: this is the main thread, and the window is open.
                        unsafe {
                            let resizes =
                                self.gui.can_resize.is_some_and(|can| can(instance.plugin));
                            if let Some(set) = self.gui.set_size.filter(|_| resizes) {
                                set(instance.plugin, size.0, size.1);
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        false
    }

    pub fn close(self, instance: &Instance) {
        // SAFETY: this is the main thread, and the window is open.
        unsafe {
            if let Some(hide) = self.gui.hide {
                hide(instance.plugin);
            }
            if let Some(destroy) = self.gui.destroy {
                destroy(instance.plugin);
            }
        }
        if let Some(frame) = self.frame {
            let _ = frame.connection.destroy_window(frame.window);
            let _ = frame.connection.flush();
        }
    }
}

impl Frame {
    fn open(size: (u32, u32), title: &str) -> Option<Self> {
        let side = |side: u32| side.clamp(1, MAX_SIDE);
        let size = (side(size.0), side(size.1));
        let (connection, screen) = RustConnection::connect(None).ok()?;
        let root = connection.setup().roots.get(screen)?.root;
        let window = connection.generate_id().ok()?;
        let atom = |name: &str| {
            let cookie = connection.intern_atom(false, name.as_bytes()).ok()?;
            cookie.reply().ok().map(|reply| reply.atom)
        };
        let (protocols, delete) = (atom("WM_PROTOCOLS")?, atom("WM_DELETE_WINDOW")?);
        let (name, utf8) = (atom("_NET_WM_NAME")?, atom("UTF8_STRING")?);
        let events = CreateWindowAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        let class = WindowClass::INPUT_OUTPUT;
        let (width, height) = (size.0 as u16, size.1 as u16);
        connection
            .create_window(0, window, root, 0, 0, width, height, 0, class, 0, &events)
            .ok()?;
        let replace = PropMode::REPLACE;
        connection.change_property32(replace, window, protocols, AtomEnum::ATOM, &[delete]).ok()?;
        connection.change_property8(replace, window, name, utf8, title.as_bytes()).ok()?;
        connection.map_window(window).ok()?;
        connection.flush().ok()?;
        Some(Self { connection, window, delete, size })
    }

    fn resize(&mut self, size: (u32, u32)) {
        let (width, height) = (size.0.clamp(1, MAX_SIDE), size.1.clamp(1, MAX_SIDE));
        let values = ConfigureWindowAux::new().width(width).height(height);
        let _ = self.connection.configure_window(self.window, &values);
        let _ = self.connection.flush();
        self.size = (width, height);
    }
}
