//! The connected outputs of a Wayland desktop. winit lists each output twice that exists when the
//! window opens, and keeps one of the two after the output is disconnected.
//!
//! Everything happens on the window's thread. Nothing blocks: winit reads all events of the
//! connection, including those of this queue.

use std::collections::{BTreeMap, BTreeSet};

use eframe::CreationContext;
use raw_window_handle::{HasDisplayHandle as _, RawDisplayHandle};
use wayland_backend::client::Backend;
use wayland_client::protocol::wl_output::{self, WlOutput};
use wayland_client::protocol::wl_registry::{self, WlRegistry};
use wayland_client::{Connection, Dispatch, EventQueue, Proxy as _, QueueHandle};

/// The version of `wl_output` from which outputs have names.
const NAMED: u32 = 4;

/// The outputs of the desktop on which the window opened.
pub struct Outputs {
    connection: Connection,
    queue: EventQueue<ConnectedOutputs>,
    connected: ConnectedOutputs,
}

/// The connected outputs by their global names, with the names for users once known.
#[derive(Default)]
struct ConnectedOutputs {
    outputs: BTreeMap<u32, (WlOutput, Option<String>)>,
    /// True if the compositor is too old to name its outputs.
    is_unnamed: bool,
}

impl Outputs {
    /// Follows the outputs. Returns `None` if the desktop is not a Wayland desktop.
    pub fn new(context: &CreationContext<'_>) -> Option<Self> {
        let RawDisplayHandle::Wayland(display) = context.display_handle().ok()?.as_raw() else {
            return None;
        };
        // SAFETY: the handle is a valid `wl_display`, which winit closes after eframe has dropped
        // the window's state, and this value with it.
        let backend = unsafe { Backend::from_foreign_display(display.display.as_ptr().cast()) };
        let connection = Connection::from_backend(backend);
        let queue = connection.new_event_queue();
        connection.display().get_registry(&queue.handle(), ());
        Some(Self { connection, queue, connected: ConnectedOutputs::default() })
    }

    /// Returns the names of the connected outputs, or `None` while they are unknown.
    pub fn names(&mut self) -> Option<BTreeSet<String>> {
        if let Err(error) = self.queue.dispatch_pending(&mut self.connected) {
            tracing::debug!(%error, "reading the compositor's events failed");
            return None;
        }
        // winit flushes again if the socket is full.
        let _ = self.connection.flush();
        let outputs = self.connected.outputs.values();
        let names: BTreeSet<String> = outputs.filter_map(|(_, name)| name.clone()).collect();
        (!names.is_empty() && !self.connected.is_unnamed).then_some(names)
    }
}

impl Dispatch<WlRegistry, ()> for ConnectedOutputs {
    fn event(
        connected: &mut Self,
        registry: &WlRegistry,
        event: wl_registry::Event,
        (): &(),
        _: &Connection,
        queue: &QueueHandle<Self>,
    ) {
        match event {
            wl_registry::Event::Global { name, interface, version }
                if interface == WlOutput::interface().name =>
            {
                if version < NAMED {
                    connected.is_unnamed = true;
                    return;
                }
                let output = registry.bind(name, NAMED, queue, name);
                connected.outputs.insert(name, (output, None));
            }
            wl_registry::Event::GlobalRemove { name } => {
                if let Some((output, _)) = connected.outputs.remove(&name) {
                    output.release();
                }
            }
            _ => {}
        }
    }
}

impl Dispatch<WlOutput, u32> for ConnectedOutputs {
    fn event(
        connected: &mut Self,
        _: &WlOutput,
        event: wl_output::Event,
        output: &u32,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let wl_output::Event::Name { name } = event
            && let Some((_, known)) = connected.outputs.get_mut(output)
        {
            *known = Some(name);
        }
    }
}
