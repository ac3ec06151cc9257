//! The virtual camera as a node of PipeWire: a stream that drives its graph, with one fixed format,
//! because some programs negotiate for ever if they have a choice. A thread of the library calls the
//! callbacks, which copy the newest frame into the buffer of the program that uses the camera.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::Once;
use std::sync::atomic::{AtomicPtr, Ordering};

use parking_lot::Mutex;
use {libspa_sys as spa, pipewire_sys as pw};

use crate::capture::screen::backend::portal::pod::{Object, Value};
use crate::media::{FrameRate, Size};
use crate::text::Problem;
use crate::text::problem::problem;

const STREAM_NAME: &CStr = c"onair virtual camera";
const STREAM_PROPERTIES: &CStr = c"{ media.class = \"Video/Source\" media.type = \"Video\" \
    media.category = \"Capture\" media.role = \"Camera\" node.name = \"onair-virtual-camera\" \
    node.description = \"onair Virtual Camera\" node.nick = \"onair\" \
    node.virtual = true }";
/// Preferred, minimum and maximum number of buffers.
const BUFFER_COUNT_RANGE: [i32; 3] = [4, 2, 8];

/// The state that the callbacks share with the camera's thread.
struct Cell {
    /// The newest frame as YUYV.
    frame: Vec<u8>,
    /// Bytes per row.
    stride: usize,
    /// True while a program uses the camera.
    used: bool,
    number: u64,
    ended: Option<String>,
}

/// Data of the callbacks, which lives as long as the stream.
struct Inside {
    cell: Mutex<Cell>,
    stream: AtomicPtr<pw::pw_stream>,
    /// The hook that connects the callbacks to the stream. The library writes to the hook.
    hook: spa::spa_hook,
}

/// The camera. Dropping it removes the camera.
pub(in crate::capture::camera) struct Node {
    thread: NonNull<pw::pw_thread_loop>,
    context: *mut pw::pw_context,
    core: *mut pw::pw_core,
    /// Pointer from `Box::into_raw`, shared with the callbacks.
    inside: NonNull<Inside>,
}

impl Node {
    /// Offers a camera with this size and rate.
    pub(in crate::capture::camera) fn open(size: Size, rate: FrameRate) -> Result<Self, Problem> {
        static PIPEWIRE_INIT: Once = Once::new();
        // SAFETY: the call has no arguments to read, and runs once.
        PIPEWIRE_INIT.call_once(|| unsafe { pw::pw_init(ptr::null_mut(), ptr::null_mut()) });
        // SAFETY: the name ends with a zero, and there are no properties.
        let thread = unsafe { pw::pw_thread_loop_new(STREAM_NAME.as_ptr(), ptr::null()) };
        let thread = NonNull::new(thread).ok_or_else(|| failed("its loop cannot be made"))?;
        let stride = size.width as usize * 2;
        let frame = vec![0; stride * size.height as usize];
        let cell = Cell { frame, stride, used: false, number: 0, ended: None };
        let inside = Box::new(Inside {
            cell: Mutex::new(cell),
            stream: AtomicPtr::new(ptr::null_mut()),
            // SAFETY: an unused hook is all zeros.
            hook: unsafe { std::mem::zeroed() },
        });
        // SAFETY: the pointer from `into_raw` is not null.
        let inside = unsafe { NonNull::new_unchecked(Box::into_raw(inside)) };
        let mut node = Self { thread, context: ptr::null_mut(), core: ptr::null_mut(), inside };
        node.connect(size, rate)?;
        Ok(node)
    }

    fn connect(&mut self, size: Size, rate: FrameRate) -> Result<(), Problem> {
        // SAFETY: the loop lives as long as `self`; the context is created in it before its thread
        // runs.
        self.context = unsafe {
            let looping = pw::pw_thread_loop_get_loop(self.thread.as_ptr());
            pw::pw_context_new(looping, ptr::null_mut(), 0)
        };
        if self.context.is_null() {
            return Err(failed("its client part is not installed (libpipewire's modules)"));
        }
        // SAFETY: the loop lives as long as `self`, and is started once.
        if unsafe { pw::pw_thread_loop_start(self.thread.as_ptr()) } != 0 {
            return Err(failed("its thread cannot be started"));
        }
        let _lock = Locked::of(self.thread);
        // SAFETY: the context lives as long as `self`.
        self.core = unsafe { pw::pw_context_connect(self.context, ptr::null_mut(), 0) };
        if self.core.is_null() {
            return Err(problem!("virtual-camera-no-pipewire"));
        }
        // SAFETY: the core is alive; the texts end with a zero; the stream takes ownership of the
        // properties.
        let stream = unsafe {
            let about = pw::pw_properties_new_string(STREAM_PROPERTIES.as_ptr());
            pw::pw_stream_new(self.core, STREAM_NAME.as_ptr(), about)
        };
        if stream.is_null() {
            return Err(failed(&std::io::Error::last_os_error().to_string()));
        }
        let inside = self.inside.as_ptr();
        // SAFETY: `inside` lives until the stream is gone, as do its hook and the static table of
        // callbacks; no other reference exists yet.
        unsafe {
            (*inside).stream.store(stream, Ordering::Relaxed);
            let hook = &raw mut (*inside).hook;
            pw::pw_stream_add_listener(stream, hook, &raw const STREAM_EVENTS, inside.cast());
        }
        let offer = offer(size, rate);
        let mut params = [offer.as_ptr().cast::<spa::spa_pod>()];
        let flags = pw::pw_stream_flags_PW_STREAM_FLAG_DRIVER
            | pw::pw_stream_flags_PW_STREAM_FLAG_MAP_BUFFERS;
        // SAFETY: the stream is alive; the parameters are complete objects and are copied.
        let done = unsafe {
            let direction = spa::SPA_DIRECTION_OUTPUT;
            pw::pw_stream_connect(stream, direction, u32::MAX, flags, params.as_mut_ptr(), 1)
        };
        if done < 0 {
            return Err(failed(&std::io::Error::from_raw_os_error(-done).to_string()));
        }
        Ok(())
    }

    fn cell(&self) -> &Mutex<Cell> {
        // SAFETY: the data lives as long as `self`, and is only shared.
        &unsafe { self.inside.as_ref() }.cell
    }

    /// Returns true while a program uses the camera, or the reason why the camera ended.
    pub(in crate::capture::camera) fn is_used(&self) -> Result<bool, Problem> {
        let cell = self.cell().lock();
        cell.ended.as_deref().map_or(Ok(cell.used), |reason| Err(failed(reason)))
    }

    /// Sends a frame.
    pub(in crate::capture::camera) fn send(&self, frame: &[u8]) {
        {
            let mut cell = self.cell().lock();
            if cell.frame.len() == frame.len() {
                cell.frame.copy_from_slice(frame);
            }
        }
        let _lock = Locked::of(self.thread);
        // SAFETY: the loop is locked, and the stream lives as long as `self`.
        unsafe {
            pw::pw_stream_trigger_process(self.inside.as_ref().stream.load(Ordering::Relaxed));
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // SAFETY: the thread is stopped first (if it runs; this is another one), so no callback
        // runs and nothing is in use; then all objects are destroyed once, in reverse order, and
        // last the data that the callbacks shared.
        unsafe {
            pw::pw_thread_loop_stop(self.thread.as_ptr());
            let stream = self.inside.as_ref().stream.load(Ordering::Relaxed);
            if !stream.is_null() {
                pw::pw_stream_destroy(stream);
            }
            if !self.core.is_null() {
                pw::pw_core_disconnect(self.core);
            }
            if !self.context.is_null() {
                pw::pw_context_destroy(self.context);
            }
            pw::pw_thread_loop_destroy(self.thread.as_ptr());
            drop(Box::from_raw(self.inside.as_ptr()));
        }
    }
}

/// The lock of a running loop, which is released at the end.
struct Locked(NonNull<pw::pw_thread_loop>);

impl Locked {
    fn of(thread: NonNull<pw::pw_thread_loop>) -> Self {
        // SAFETY: the loop runs and this is not its thread.
        unsafe { pw::pw_thread_loop_lock(thread.as_ptr()) };
        Self(thread)
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // SAFETY: the loop was locked by this thread.
        unsafe { pw::pw_thread_loop_unlock(self.0.as_ptr()) };
    }
}

fn failed(reason: &str) -> Problem {
    problem!("virtual-camera-node-failed", reason = reason)
}

/// Returns the format of the camera: packed pixels, because some programs cannot use planes.
fn offer(size: Size, rate: FrameRate) -> Vec<u64> {
    Object::new(spa::SPA_TYPE_OBJECT_Format, spa::SPA_PARAM_EnumFormat)
        .one(spa::SPA_FORMAT_mediaType, Value::Id(spa::SPA_MEDIA_TYPE_video))
        .one(spa::SPA_FORMAT_mediaSubtype, Value::Id(spa::SPA_MEDIA_SUBTYPE_raw))
        .one(spa::SPA_FORMAT_VIDEO_format, Value::Id(spa::SPA_VIDEO_FORMAT_YUY2))
        .one(spa::SPA_FORMAT_VIDEO_size, Value::Rectangle(size.width, size.height))
        .one(spa::SPA_FORMAT_VIDEO_framerate, Value::Fraction(rate.num(), rate.den()))
        .finish()
}

/// Returns the delivery of frames: in shared memory.
fn delivery(stride: usize, length: usize) -> [Vec<u64>; 2] {
    let memory = 1 << spa::SPA_DATA_MemFd | 1 << spa::SPA_DATA_MemPtr;
    let [length, stride] = [length, stride].map(|it| i32::try_from(it).unwrap_or(i32::MAX));
    let header = size_of::<spa::spa_meta_header>() as i32;
    [
        Object::new(spa::SPA_TYPE_OBJECT_ParamBuffers, spa::SPA_PARAM_Buffers)
            .choice(
                spa::SPA_PARAM_BUFFERS_buffers,
                spa::SPA_CHOICE_Range,
                &BUFFER_COUNT_RANGE.map(Value::Int),
            )
            .one(spa::SPA_PARAM_BUFFERS_blocks, Value::Int(1))
            .one(spa::SPA_PARAM_BUFFERS_size, Value::Int(length))
            .one(spa::SPA_PARAM_BUFFERS_stride, Value::Int(stride))
            .choice(spa::SPA_PARAM_BUFFERS_dataType, spa::SPA_CHOICE_Flags, &[Value::Int(memory)])
            .finish(),
        Object::new(spa::SPA_TYPE_OBJECT_ParamMeta, spa::SPA_PARAM_Meta)
            .one(spa::SPA_PARAM_META_type, Value::Id(spa::SPA_META_Header))
            .one(spa::SPA_PARAM_META_size, Value::Int(header))
            .finish(),
    ]
}

static STREAM_EVENTS: pw::pw_stream_events = pw::pw_stream_events {
    version: pw::PW_VERSION_STREAM_EVENTS,
    destroy: None,
    state_changed: Some(state_changed),
    control_info: None,
    io_changed: None,
    param_changed: Some(param_changed),
    add_buffer: None,
    remove_buffer: None,
    process: Some(process),
    drained: None,
    command: None,
    trigger_done: None,
};

/// # Safety
/// Only the stream may call this function, with its data.
unsafe extern "C" fn state_changed(
    data: *mut c_void,
    _old: pw::pw_stream_state,
    state: pw::pw_stream_state,
    error: *const c_char,
) {
    // SAFETY: `data` is the listener's data, which outlives the stream.
    let inside = unsafe { &*data.cast::<Inside>() };
    let mut cell = inside.cell.lock();
    cell.used = state == pw::pw_stream_state_PW_STREAM_STATE_STREAMING;
    let ended = [
        pw::pw_stream_state_PW_STREAM_STATE_ERROR,
        pw::pw_stream_state_PW_STREAM_STATE_UNCONNECTED,
    ];
    if !ended.contains(&state) {
        return;
    }
    let reason = if error.is_null() {
        "the connection has ended".to_owned()
    } else {
        // SAFETY: the text ends with a zero and lives through the call.
        unsafe { CStr::from_ptr(error) }.to_string_lossy().chars().take(200).collect()
    };
    cell.ended.get_or_insert(reason);
}

/// # Safety
/// Only the stream may call this function, with its data.
unsafe extern "C" fn param_changed(data: *mut c_void, id: u32, param: *const spa::spa_pod) {
    if id != spa::SPA_PARAM_Format || param.is_null() {
        return;
    }
    // SAFETY: `data` is the listener's data, which outlives the stream.
    let inside = unsafe { &*data.cast::<Inside>() };
    // The only format that was offered was chosen.
    let objects = {
        let cell = inside.cell.lock();
        delivery(cell.stride, cell.frame.len())
    };
    let mut params = objects.each_ref().map(|object| object.as_ptr().cast::<spa::spa_pod>());
    let stream = inside.stream.load(Ordering::Relaxed);
    // SAFETY: this is the calling stream; the parameters are complete objects and are copied.
    let done: c_int =
        unsafe { pw::pw_stream_update_params(stream, params.as_mut_ptr(), params.len() as u32) };
    if done < 0 {
        tracing::debug!(error = -done, "negotiating the format with PipeWire failed");
    }
}

/// # Safety
/// Only the stream may call this function, with its data.
unsafe extern "C" fn process(data: *mut c_void) {
    // SAFETY: `data` is the listener's data, which outlives the stream.
    let inside = unsafe { &*data.cast::<Inside>() };
    let stream = inside.stream.load(Ordering::Relaxed);
    // SAFETY: this is the calling stream.
    let buffer = unsafe { pw::pw_stream_dequeue_buffer(stream) };
    let Some(buffer) = NonNull::new(buffer) else { return };
    let mut cell = inside.cell.lock();
    cell.number += 1;
    // SAFETY: the buffer was just dequeued, so its description is valid, and it belongs to this
    // stream until it is queued again. The parts are checked for null and for their length.
    unsafe {
        if let Some(described) = buffer.as_ref().buffer.as_ref() {
            if let Some(part) = described.datas.as_mut().filter(|_| described.n_datas > 0) {
                let room = part.maxsize as usize;
                if !part.data.is_null() && room >= cell.frame.len() {
                    let to = part.data.cast::<u8>();
                    ptr::copy_nonoverlapping(cell.frame.as_ptr(), to, cell.frame.len());
                    if let Some(chunk) = part.chunk.as_mut() {
                        chunk.offset = 0;
                        chunk.size = u32::try_from(cell.frame.len()).unwrap_or(0);
                        chunk.stride = i32::try_from(cell.stride).unwrap_or(0);
                        chunk.flags = 0;
                    }
                }
            }
            for at in 0..described.n_metas as usize {
                let Some(meta) = described.metas.add(at).as_ref() else { break };
                let fits = meta.size as usize >= size_of::<spa::spa_meta_header>();
                if meta.type_ == spa::SPA_META_Header
                    && fits
                    && let Some(header) = meta.data.cast::<spa::spa_meta_header>().as_mut()
                {
                    header.flags = 0;
                    header.offset = 0;
                    header.pts = now();
                    header.dts_offset = 0;
                    header.seq = cell.number;
                }
            }
        }
        pw::pw_stream_queue_buffer(stream, buffer.as_ptr());
    }
}

/// Returns the time of the clock that PipeWire uses, in nanoseconds.
fn now() -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one structure.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::screen::backend::portal::pod;

    #[test]
    fn what_is_offered_is_well_formed() {
        let size = Size::new(640, 360);
        let [buffers, header] = delivery(1_280, 640 * 360 * 2);
        for object in [offer(size, FrameRate::FPS_30), buffers, header] {
            let bytes: Vec<u8> = object.iter().flat_map(|unit| unit.to_ne_bytes()).collect();
            let length = pod::length(bytes[..8].try_into().unwrap());
            assert_eq!(length.unwrap().next_multiple_of(8), bytes.len());
        }
    }
}
