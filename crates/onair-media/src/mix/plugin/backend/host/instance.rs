//! A plugin, with the functions of it that run on the main thread.

use std::ffi::{CStr, c_void};
use std::ptr;

use clap_sys::ext::audio_ports::{
    CLAP_EXT_AUDIO_PORTS, clap_audio_port_info, clap_plugin_audio_ports,
};
use clap_sys::ext::gui::{CLAP_EXT_GUI, CLAP_WINDOW_API_X11, clap_plugin_gui};
use clap_sys::ext::latency::{CLAP_EXT_LATENCY, clap_plugin_latency};
use clap_sys::ext::params::{
    CLAP_EXT_PARAMS, CLAP_PARAM_IS_HIDDEN, CLAP_PARAM_IS_READONLY, CLAP_PARAM_IS_STEPPED,
    clap_param_info, clap_plugin_params,
};
use clap_sys::ext::posix_fd_support::{CLAP_EXT_POSIX_FD_SUPPORT, clap_plugin_posix_fd_support};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_plugin_state};
use clap_sys::ext::timer_support::{CLAP_EXT_TIMER_SUPPORT, clap_plugin_timer_support};
use clap_sys::plugin::clap_plugin;
use clap_sys::stream::{clap_istream, clap_ostream};

use crate::mix::plugin::backend::host::events::{EventList, Events, output};
use crate::mix::plugin::backend::host::ports::{MAX_BLOCK, Ports};
use crate::mix::plugin::backend::host::texts::text;
use crate::mix::plugin::parameter::{MAX_PARAMETERS, MAX_STATE, PluginParameter, PluginValues};
use crate::mix::plugin::trouble::Refusal;

/// Maximum number of ports of each direction, and of their channels.
const MAX_PORTS: u32 = 16;
const MAX_PORT_CHANNELS: u32 = 64;

/// A plugin and its extensions, which live until the process ends.
pub(super) struct Instance {
    pub plugin: *const clap_plugin,
    pub params: Option<&'static clap_plugin_params>,
    pub gui: Option<&'static clap_plugin_gui>,
    state: Option<&'static clap_plugin_state>,
    latency: Option<&'static clap_plugin_latency>,
    timers: Option<&'static clap_plugin_timer_support>,
    files: Option<&'static clap_plugin_posix_fd_support>,
    pub ports: Ports,
    shown: Vec<PluginParameter>,
}

impl Instance {
    pub fn begin(plugin: *const clap_plugin) -> Result<Self, Refusal> {
        // SAFETY: the plugin was just created, and its functions are called as CLAP says.
        unsafe {
            let init = (*plugin).init.ok_or(Refusal::NotAPlugin)?;
            if !init(plugin) {
                return Err(Refusal::Failed { step: "plugin.init".into() });
            }
            let ports: Option<&clap_plugin_audio_ports> = extension(plugin, CLAP_EXT_AUDIO_PORTS);
            let ports = ports.ok_or(Refusal::NoAudio)?;
            let ports = Ports {
                inputs: channels(plugin, ports, true),
                outputs: channels(plugin, ports, false),
            };
            if ports.inputs.first().is_none_or(|it| *it == 0)
                || ports.outputs.first().is_none_or(|it| *it == 0)
            {
                return Err(Refusal::NoAudio);
            }
            let params: Option<&clap_plugin_params> = extension(plugin, CLAP_EXT_PARAMS);
            let shown = params.map(|params| parameters(plugin, params)).unwrap_or_default();
            Ok(Self {
                plugin,
                params,
                gui: extension(plugin, CLAP_EXT_GUI),
                state: extension(plugin, CLAP_EXT_STATE),
                latency: extension(plugin, CLAP_EXT_LATENCY),
                timers: extension(plugin, CLAP_EXT_TIMER_SUPPORT),
                files: extension(plugin, CLAP_EXT_POSIX_FD_SUPPORT),
                ports,
                shown,
            })
        }
    }

    pub fn activate(&self, rate: u32) -> bool {
        // SAFETY: the plugin is not active.
        let activate = unsafe { (*self.plugin).activate };
        // SAFETY: as above.
        activate.is_some_and(|it| unsafe { it(self.plugin, rate.into(), 1, MAX_BLOCK as u32) })
    }

    pub fn deactivate(&self) {
        // SAFETY: the plugin is active, and its audio thread has ended.
        unsafe {
            if let Some(deactivate) = (*self.plugin).deactivate {
                deactivate(self.plugin);
            }
        }
    }

    pub fn on_main_thread(&self) {
        // SAFETY: this is the main thread.
        unsafe {
            if let Some(call) = (*self.plugin).on_main_thread {
                call(self.plugin);
            }
        }
    }

    pub fn on_timer(&self, number: u32) {
        if let Some(call) = self.timers.and_then(|it| it.on_timer) {
            // SAFETY: this is the main thread.
            unsafe { call(self.plugin, number) };
        }
    }

    pub fn on_file(&self, file: i32, flags: u32) {
        if let Some(call) = self.files.and_then(|it| it.on_fd) {
            // SAFETY: this is the main thread.
            unsafe { call(self.plugin, file, flags) };
        }
    }

    pub fn latency(&self) -> u32 {
        let get = self.latency.and_then(|it| it.get);
        // SAFETY: the plugin is active.
        get.map_or(0, |get| unsafe { get(self.plugin) })
    }

    pub fn has_state(&self) -> bool {
        self.state.is_some_and(|it| it.save.is_some() && it.load.is_some())
    }

    /// Returns the state, or `None` if there is none or it is too large.
    pub fn save_state(&self) -> Option<Vec<u8>> {
        let save = self.state?.save?;
        let mut state: Vec<u8> = Vec::new();
        let stream = clap_ostream { ctx: (&raw mut state).cast(), write: Some(write) };
        // SAFETY: the stream lives during the call.
        unsafe { save(self.plugin, &raw const stream) }.then_some(state)
    }

    pub fn load_state(&self, state: &[u8]) -> bool {
        let Some(load) = self.state.and_then(|it| it.load) else { return false };
        let mut rest: &[u8] = state;
        let stream = clap_istream { ctx: (&raw mut rest).cast(), read: Some(read) };
        // SAFETY: the stream lives during the call.
        unsafe { load(self.plugin, &raw const stream) }
    }

    /// Sets values while the plugin is not active.
    pub fn flush(&self, events: &Events, values: &PluginValues) {
        events.push(values);
        self.flush_events(&events.take());
    }

    /// Passes events on without audio, on the main thread or, while the plugin is active, on the
    /// audio thread.
    pub fn flush_events(&self, events: &EventList) {
        if let Some(flush) = self.params.and_then(|it| it.flush) {
            let (input, output) = (events.input(), output());
            // SAFETY: both lists live during the call.
            unsafe { flush(self.plugin, &raw const input, &raw const output) };
        }
    }

    /// Returns the parameters that users can set, with their current values.
    pub fn parameters(&self) -> Vec<PluginParameter> {
        let values = self.values();
        let now = |it: &PluginParameter| PluginParameter {
            value: values.get(&it.id).copied().unwrap_or(it.rest),
            ..it.clone()
        };
        self.shown.iter().map(now).collect()
    }

    /// Returns the current values of the parameters.
    pub fn values(&self) -> PluginValues {
        let Some(get) = self.params.and_then(|it| it.get_value) else {
            return PluginValues::new();
        };
        let value = |it: &PluginParameter| {
            let mut value = 0.0;
            // SAFETY: this is the main thread; the place lives during the call.
            let known = unsafe { get(self.plugin, it.id, &raw mut value) };
            (known && value.is_finite()).then_some((it.id, value))
        };
        self.shown.iter().filter_map(value).collect()
    }

    pub fn has_window(&self) -> bool {
        self.supports(true) || self.supports(false)
    }

    /// Returns true if the plugin can show a window with X11.
    pub fn supports(&self, floating: bool) -> bool {
        let check = self.gui.and_then(|it| it.is_api_supported);
        let api = CLAP_WINDOW_API_X11.as_ptr();
        // SAFETY: this is the main thread.
        check.is_some_and(|check| unsafe { check(self.plugin, api, floating) })
    }
}

/// Returns an extension of a plugin.
///
/// # Safety
/// `T` must be the type of the extension.
unsafe fn extension<T>(plugin: *const clap_plugin, name: &CStr) -> Option<&'static T> {
    // SAFETY: extensions live as long as their plugin, which is never destroyed.
    unsafe {
        let get = (*plugin).get_extension?;
        get(plugin, name.as_ptr()).cast::<T>().as_ref()
    }
}

/// Returns the number of channels of each port.
unsafe fn channels(
    plugin: *const clap_plugin,
    ports: &clap_plugin_audio_ports,
    is_input: bool,
) -> Vec<usize> {
    let (Some(count), Some(get)) = (ports.count, ports.get) else { return Vec::new() };
    // SAFETY: this is the main thread; every field of the structure may be zero before.
    unsafe {
        let all = 0..count(plugin, is_input).min(MAX_PORTS);
        all.map(|index| {
            let mut info: clap_audio_port_info = std::mem::zeroed();
            let known = get(plugin, index, is_input, &raw mut info);
            if known { info.channel_count.min(MAX_PORT_CHANNELS) as usize } else { 0 }
        })
        .collect()
    }
}

unsafe fn parameters(
    plugin: *const clap_plugin,
    params: &clap_plugin_params,
) -> Vec<PluginParameter> {
    let (Some(count), Some(get)) = (params.count, params.get_info) else { return Vec::new() };
    let one = |index| {
        // SAFETY: this is the main thread; every field of the structure may be zero before.
        let info = unsafe {
            let mut info: clap_param_info = std::mem::zeroed();
            if !get(plugin, index, &raw mut info) {
                return None;
            }
            // A text without an end must not be read beyond it.
            if let Some(last) = info.name.last_mut() {
                *last = 0;
            }
            info
        };
        let hidden = info.flags & (CLAP_PARAM_IS_HIDDEN | CLAP_PARAM_IS_READONLY) != 0;
        let numbers = [info.min_value, info.max_value, info.default_value];
        let is_valid = numbers.iter().all(|it| it.is_finite()) && info.min_value <= info.max_value;
        (is_valid && !hidden).then(|| PluginParameter {
            id: info.id,
            name: text(info.name.as_ptr()),
            lowest: info.min_value,
            highest: info.max_value,
            rest: info.default_value,
            stepped: info.flags & CLAP_PARAM_IS_STEPPED != 0,
            value: info.default_value,
        })
    };
    // SAFETY: this is the main thread.
    let count = unsafe { count(plugin) }.min(MAX_PARAMETERS as u32);
    (0..count).filter_map(one).collect()
}

unsafe extern "C" fn write(stream: *const clap_ostream, from: *const c_void, size: u64) -> i64 {
    // SAFETY: `ctx` is the list of `save_state`.
    let state = unsafe { &mut *(*stream).ctx.cast::<Vec<u8>>() };
    let Ok(length) = usize::try_from(size) else { return -1 };
    if from.is_null() || state.len().saturating_add(length) > MAX_STATE {
        return -1;
    }
    // SAFETY: the plugin passes this many bytes.
    state.extend_from_slice(unsafe { std::slice::from_raw_parts(from.cast(), length) });
    i64::try_from(length).unwrap_or(-1)
}

unsafe extern "C" fn read(stream: *const clap_istream, to: *mut c_void, size: u64) -> i64 {
    // SAFETY: `ctx` is the rest of `load_state`.
    let rest = unsafe { &mut *(*stream).ctx.cast::<&[u8]>() };
    let length = usize::try_from(size).unwrap_or(usize::MAX).min(rest.len());
    let (now, later) = rest.split_at(length);
    if !to.is_null() {
        // SAFETY: the plugin has room for this many bytes.
        unsafe { ptr::copy_nonoverlapping(now.as_ptr(), to.cast(), length) };
    }
    *rest = later;
    i64::try_from(length).unwrap_or(-1)
}
