//! Parameter events to and from a plugin.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::Ordering;

use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_PARAM_VALUE, clap_event_header, clap_event_param_value,
    clap_input_events, clap_output_events,
};
use parking_lot::Mutex;

use crate::mix::plugin::backend::host::callbacks::HOST;
use crate::mix::plugin::parameter::PluginValues;

/// Values that the plugin is to take with its next block.
#[derive(Debug, Default)]
pub(super) struct Events(Mutex<PluginValues>);

impl Events {
    pub fn push(&self, values: &PluginValues) {
        self.0.lock().extend(values.iter().map(|(id, value)| (*id, *value)));
    }

    /// Returns the events, and forgets them.
    pub fn take(&self) -> EventList {
        EventList::of(&std::mem::take(&mut *self.0.lock()))
    }
}

/// Events for one block, all at its start.
pub(super) struct EventList(Vec<clap_event_param_value>);

impl EventList {
    pub fn of(values: &PluginValues) -> Self {
        let event = |(id, value): (&u32, &f64)| clap_event_param_value {
            header: clap_event_header {
                size: size_of::<clap_event_param_value>() as u32,
                time: 0,
                space_id: CLAP_CORE_EVENT_SPACE_ID,
                type_: CLAP_EVENT_PARAM_VALUE,
                flags: 0,
            },
            param_id: *id,
            cookie: ptr::null_mut(),
            note_id: -1,
            port_index: -1,
            channel: -1,
            key: -1,
            value: *value,
        };
        Self(values.iter().map(event).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the list for the plugin, which is valid as long as this value.
    pub fn input(&self) -> clap_input_events {
        let ctx = (&raw const self.0).cast_mut().cast::<c_void>();
        clap_input_events { ctx, size: Some(size), get: Some(get) }
    }
}

/// Returns a list that takes what the plugin changes by itself.
pub(super) fn output() -> clap_output_events {
    clap_output_events { ctx: ptr::null_mut(), try_push: Some(try_push) }
}

unsafe extern "C" fn size(list: *const clap_input_events) -> u32 {
    // SAFETY: `ctx` is the list of a living `EventList`.
    let events = unsafe { &*(*list).ctx.cast::<Vec<clap_event_param_value>>() };
    u32::try_from(events.len()).unwrap_or(0)
}

unsafe extern "C" fn get(list: *const clap_input_events, index: u32) -> *const clap_event_header {
    // SAFETY: as in `size`.
    let events = unsafe { &*(*list).ctx.cast::<Vec<clap_event_param_value>>() };
    events.get(index as usize).map_or(ptr::null(), |event| &raw const event.header)
}

unsafe extern "C" fn try_push(
    _: *const clap_output_events,
    event: *const clap_event_header,
) -> bool {
    // SAFETY: the plugin passes an event.
    if !event.is_null() && unsafe { (*event).type_ } == CLAP_EVENT_PARAM_VALUE {
        HOST.dirty.store(true, Ordering::Release);
    }
    true
}
