//! Gives a window on a Wayland desktop the keyboard focus with an activation token
//! (xdg-activation-v1). winit uses such tokens only for new windows.
//!
//! Everything happens on the window's thread. Nothing blocks: winit reads all events of the
//! connection, including those of this queue.

use eframe::CreationContext;
use raw_window_handle::{
    HasDisplayHandle as _, HasWindowHandle as _, RawDisplayHandle, RawWindowHandle,
};
use wayland_backend::client::{Backend, ObjectId};
use wayland_client::protocol::wl_registry::{Event, WlRegistry};
use wayland_client::protocol::wl_surface::WlSurface;
use wayland_client::{Connection, Dispatch, EventQueue, Proxy as _, QueueHandle};
use wayland_protocols::xdg::activation::v1::client::xdg_activation_v1::XdgActivationV1;

/// Maximum length of a token in bytes. libwayland closes the connection if a message exceeds 4,096
/// bytes, and tokens are far shorter.
const MAX_TOKEN_BYTES: usize = 256;

/// The activation of one window.
pub struct Activation {
    connection: Connection,
    queue: EventQueue<Globals>,
    globals: Globals,
    surface: WlSurface,
}

/// The compositor's globals that onair uses.
#[derive(Default)]
struct Globals {
    /// `None` until the compositor announces the activation protocol, or if the compositor does not
    /// support it.
    activation: Option<XdgActivationV1>,
}

impl Activation {
    /// Prepares the activation of the window that eframe has created. Returns `None` if the desktop
    /// is not a Wayland desktop.
    pub fn new(context: &CreationContext<'_>) -> Option<Self> {
        let RawDisplayHandle::Wayland(display) = context.display_handle().ok()?.as_raw() else {
            return None;
        };
        let RawWindowHandle::Wayland(window) = context.window_handle().ok()?.as_raw() else {
            return None;
        };
        // SAFETY: the handle is a valid `wl_display`, which winit closes after eframe has dropped
        // the window's state, and this value with it.
        let backend = unsafe { Backend::from_foreign_display(display.display.as_ptr().cast()) };
        let connection = Connection::from_backend(backend);
        // SAFETY: the handle is a valid `wl_surface` of this connection while the window exists.
        let surface = unsafe {
            ObjectId::from_ptr(WlSurface::interface(), window.surface.as_ptr().cast()).ok()?
        };
        let surface = WlSurface::from_id(&connection, surface).ok()?;
        let queue = connection.new_event_queue();
        connection.display().get_registry(&queue.handle(), ());
        Some(Self { connection, queue, globals: Globals::default(), surface })
    }

    /// Asks the compositor for the focus, with a token of the program that the user just used. The
    /// compositor ignores unknown and outdated tokens.
    pub fn activate(&mut self, token: &str) {
        if !is_usable(token) {
            return;
        }
        let dispatched = self.queue.dispatch_pending(&mut self.globals);
        match (&self.globals.activation, dispatched) {
            (Some(activation), Ok(_)) => {
                activation.activate(token.to_owned(), &self.surface);
                // winit flushes again if the socket is full.
                let _ = self.connection.flush();
            }
            (None, Ok(_)) => tracing::debug!("the compositor does not support activation"),
            (_, Err(error)) => tracing::debug!(%error, "reading the compositor's events failed"),
        }
    }
}

/// Returns true if a token can be sent. Tokens come from other programs and may be invalid.
fn is_usable(token: &str) -> bool {
    (1..=MAX_TOKEN_BYTES).contains(&token.len()) && !token.contains('\0')
}

impl Dispatch<WlRegistry, ()> for Globals {
    fn event(
        globals: &mut Self,
        registry: &WlRegistry,
        event: Event,
        (): &(),
        _: &Connection,
        queue: &QueueHandle<Self>,
    ) {
        if let Event::Global { name, interface, .. } = event
            && interface == XdgActivationV1::interface().name
        {
            globals.activation = Some(registry.bind(name, 1, queue, ()));
        }
    }
}

wayland_client::delegate_noop!(Globals: XdgActivationV1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_not_sent_to_the_compositor() {
        assert!(is_usable("4d1c2a"));
        for token in ["", "a\0b", &"x".repeat(MAX_TOKEN_BYTES + 1)] {
            assert!(!is_usable(token), "{token}");
        }
    }
}
