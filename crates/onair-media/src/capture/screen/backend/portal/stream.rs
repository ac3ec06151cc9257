//! A video stream of PipeWire. A thread of the library runs its loop and calls the callbacks of
//! this module, which store their results in a cell that the source's thread reads. The newest
//! buffer is kept until the next one arrives, so a frame is copied only when needed.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::os::fd::{IntoRawFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::Once;
use std::sync::atomic::{AtomicPtr, Ordering};

use parking_lot::Mutex;
use {libspa_sys as spa, pipewire_sys as pw};

use crate::capture::screen::area::Area;
use crate::capture::screen::backend::portal::frame::{Content, MAX_CHANGED_PARTS, MappedFrame};
use crate::capture::screen::backend::portal::pod::{Format, Object, Value};
use crate::capture::screen::backend::portal::{frame, pod};
use crate::media::{FrameRate, Size};

const STREAM_NAME: &CStr = c"onair screen";
const STREAM_PROPERTIES: &CStr = c"media.type=Video media.category=Capture media.role=Screen";
/// Preferred, minimum and maximum number of buffers for the producer, in addition to the buffer
/// that is kept.
const BUFFER_COUNT_RANGE: [i32; 3] = [4, 3, 8];

/// The current state of the stream.
#[derive(Default)]
struct Cell {
    format: Option<Format>,
    /// The newest frame and its buffer.
    held: Option<HeldBuffer>,
    /// True if the newest frame has not been read yet.
    fresh: bool,
    /// The changed part of the newest frame since the last read.
    dirty: Option<Area>,
    /// The reason why the stream ended.
    ended: Option<End>,
}

/// The reason why there are no more frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The other side, or PipeWire itself, is gone.
    Gone(String),
    /// The format is not supported.
    Unfit(String),
}

struct HeldBuffer {
    buffer: NonNull<pw::pw_buffer>,
    frame: MappedFrame,
}

// SAFETY: only the loop's thread uses a buffer; other threads read the frame under the lock with
// which the loop's thread releases it.
unsafe impl Send for HeldBuffer {}

/// Data of the callbacks, which lives as long as the stream.
struct Inside {
    cell: Mutex<Cell>,
    stream: AtomicPtr<pw::pw_stream>,
    /// The hook that connects the callbacks to the stream. The library writes to the hook.
    hook: spa::spa_hook,
}

/// A video stream with its loop. Dropping the value ends the stream and the loop.
pub(super) struct Stream {
    thread: NonNull<pw::pw_thread_loop>,
    context: *mut pw::pw_context,
    core: *mut pw::pw_core,
    /// Pointer from `Box::into_raw`, shared with the callbacks.
    inside: NonNull<Inside>,
}

// SAFETY: the library's objects are used under the lock of its loop, or after its thread has ended,
// on any thread.
unsafe impl Send for Stream {}

/// A new frame since the last read.
pub(super) struct StreamNews<'a> {
    frame: &'a MappedFrame,
    /// Changed part of the frame.
    pub(super) dirty: Area,
}

impl StreamNews<'_> {
    /// Returns the captured part of the stream's frames.
    pub(super) fn shown(&self) -> Area {
        self.frame.shown
    }

    /// Copies a part as blue, green, red and an unused byte to the same part (minus `corner`) of a
    /// frame with rows of `row` bytes.
    pub(super) fn copy(&self, part: Area, corner: (u32, u32), to: &mut [u8], row: usize) {
        // SAFETY: this value lives under the lock with which buffers are released.
        unsafe { self.frame.copy(part, corner, to, row) }
    }
}

impl Stream {
    /// Connects to PipeWire through `fd` and requests the frames of `node`, at most at `rate`.
    pub(super) fn open(fd: OwnedFd, node: u32, rate: FrameRate) -> Result<Self, String> {
        static PIPEWIRE_INIT: Once = Once::new();
        // SAFETY: the call has no arguments to read, and runs once.
        PIPEWIRE_INIT.call_once(|| unsafe { pw::pw_init(ptr::null_mut(), ptr::null_mut()) });
        // SAFETY: the name ends with a zero, and there are no properties.
        let thread = unsafe { pw::pw_thread_loop_new(STREAM_NAME.as_ptr(), ptr::null()) };
        let thread = NonNull::new(thread).ok_or("its loop cannot be made")?;
        let inside = Box::new(Inside {
            cell: Mutex::default(),
            stream: AtomicPtr::new(ptr::null_mut()),
            // SAFETY: an unused hook is all zeros.
            hook: unsafe { std::mem::zeroed() },
        });
        // SAFETY: the pointer from `into_raw` is not null.
        let inside = unsafe { NonNull::new_unchecked(Box::into_raw(inside)) };
        let mut stream = Self { thread, context: ptr::null_mut(), core: ptr::null_mut(), inside };
        stream.connect(fd, node, rate)?;
        Ok(stream)
    }

    fn connect(&mut self, fd: OwnedFd, node: u32, rate: FrameRate) -> Result<(), String> {
        // SAFETY: the loop lives as long as `self`; the context is created in it before its thread
        // runs.
        self.context = unsafe {
            let looping = pw::pw_thread_loop_get_loop(self.thread.as_ptr());
            pw::pw_context_new(looping, ptr::null_mut(), 0)
        };
        if self.context.is_null() {
            return Err("its client part is not installed (libpipewire's modules)".to_owned());
        }
        // SAFETY: the loop lives as long as `self`, and is started once.
        if unsafe { pw::pw_thread_loop_start(self.thread.as_ptr()) } != 0 {
            return Err("its thread cannot be started".to_owned());
        }
        // SAFETY: the loop runs and this is not its thread.
        unsafe { pw::pw_thread_loop_lock(self.thread.as_ptr()) };
        let done = self.connect_locked(fd, node, rate);
        // SAFETY: the loop was locked above.
        unsafe { pw::pw_thread_loop_unlock(self.thread.as_ptr()) };
        done
    }

    fn connect_locked(&mut self, fd: OwnedFd, node: u32, rate: FrameRate) -> Result<(), String> {
        // SAFETY: the context lives as long as `self`; the descriptor is handed over, and PipeWire
        // closes it even on failure.
        self.core = unsafe {
            pw::pw_context_connect_fd(self.context, fd.into_raw_fd(), ptr::null_mut(), 0)
        };
        if self.core.is_null() {
            return Err(format!("connecting: {}", std::io::Error::last_os_error()));
        }
        // SAFETY: the core is alive; the texts end with a zero; the stream takes ownership of the
        // properties.
        let stream = unsafe {
            let about = pw::pw_properties_new_string(STREAM_PROPERTIES.as_ptr());
            pw::pw_stream_new(self.core, STREAM_NAME.as_ptr(), about)
        };
        if stream.is_null() {
            return Err(format!("a stream: {}", std::io::Error::last_os_error()));
        }
        let inside = self.inside.as_ptr();
        // SAFETY: `inside` lives until the stream is gone, as do its hook and the static table of
        // callbacks; no other reference exists yet.
        unsafe {
            (*inside).stream.store(stream, Ordering::Relaxed);
            let hook = &raw mut (*inside).hook;
            pw::pw_stream_add_listener(stream, hook, &raw const STREAM_EVENTS, inside.cast());
        }
        let offer = offer(rate);
        let mut params = [offer.as_ptr().cast::<spa::spa_pod>()];
        let flags = pw::pw_stream_flags_PW_STREAM_FLAG_AUTOCONNECT
            | pw::pw_stream_flags_PW_STREAM_FLAG_MAP_BUFFERS
            | pw::pw_stream_flags_PW_STREAM_FLAG_DONT_RECONNECT;
        // SAFETY: the stream is alive; the parameters are complete objects and are copied.
        let done = unsafe {
            let direction = spa::SPA_DIRECTION_INPUT;
            pw::pw_stream_connect(stream, direction, node, flags, params.as_mut_ptr(), 1)
        };
        if done < 0 {
            return Err(format!("a stream: {}", std::io::Error::from_raw_os_error(-done)));
        }
        Ok(())
    }

    /// Passes the newest frame to `at`, if it is new since the last read. The loop does not release
    /// the frame until `at` returns.
    ///
    /// # Errors
    /// Fails with the reason if there are no more frames.
    pub(super) fn poll(&self, mut at: impl FnMut(StreamNews<'_>)) -> Result<(), End> {
        // SAFETY: the data lives as long as `self`, and is only shared.
        let inside = unsafe { self.inside.as_ref() };
        let mut cell = inside.cell.lock();
        if let Some(end) = &cell.ended {
            return Err(end.clone());
        }
        let Cell { held, fresh, dirty, .. } = &mut *cell;
        if let Some(held) = held
            && std::mem::take(fresh)
        {
            let dirty = dirty.take().unwrap_or(held.frame.dirty);
            at(StreamNews { frame: &held.frame, dirty });
        }
        Ok(())
    }

    /// Makes the newest frame count as new, and as changed everywhere.
    pub(super) fn refresh(&self) {
        // SAFETY: as in `poll`.
        let mut cell = unsafe { self.inside.as_ref() }.cell.lock();
        let Cell { held, fresh, dirty, .. } = &mut *cell;
        if let Some(held) = held {
            (*fresh, *dirty) = (true, Some(held.frame.whole));
        }
    }

    /// Returns true if there is a new frame.
    pub(super) fn has_news(&self) -> Result<bool, End> {
        // SAFETY: as in `poll`.
        let cell = unsafe { self.inside.as_ref() }.cell.lock();
        cell.ended.clone().map_or(Ok(cell.fresh), Err)
    }
}

impl Drop for Stream {
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

/// Returns the offered formats. The formats have no modifiers, because modifiers would put frames
/// in graphics memory.
fn offer(rate: FrameRate) -> Vec<u64> {
    let pixels = [
        spa::SPA_VIDEO_FORMAT_BGRx,
        spa::SPA_VIDEO_FORMAT_BGRx,
        spa::SPA_VIDEO_FORMAT_BGRA,
        spa::SPA_VIDEO_FORMAT_RGBx,
        spa::SPA_VIDEO_FORMAT_RGBA,
    ];
    let most = Size::MAX_SIDE;
    let rates = [(rate.num(), rate.den()), (0, 1), (240, 1)];
    let limits = [(rate.num(), rate.den()), (1, 1), (rate.num(), rate.den())];
    let fractions = |all: [(u32, u32); 3]| all.map(|(a, b)| Value::Fraction(a, b));
    Object::new(spa::SPA_TYPE_OBJECT_Format, spa::SPA_PARAM_EnumFormat)
        .one(spa::SPA_FORMAT_mediaType, Value::Id(spa::SPA_MEDIA_TYPE_video))
        .one(spa::SPA_FORMAT_mediaSubtype, Value::Id(spa::SPA_MEDIA_SUBTYPE_raw))
        .choice(spa::SPA_FORMAT_VIDEO_format, spa::SPA_CHOICE_Enum, &pixels.map(Value::Id))
        .choice(
            spa::SPA_FORMAT_VIDEO_size,
            spa::SPA_CHOICE_Range,
            &[(1_920, 1_080), (1, 1), (most, most)].map(|(a, b)| Value::Rectangle(a, b)),
        )
        .choice(spa::SPA_FORMAT_VIDEO_framerate, spa::SPA_CHOICE_Range, &fractions(rates))
        .choice(spa::SPA_FORMAT_VIDEO_maxFramerate, spa::SPA_CHOICE_Range, &fractions(limits))
        .finish()
}

/// Returns the requested delivery of frames: in shared memory, with changed parts.
fn delivery_params() -> [Vec<u64>; 5] {
    let memory = 1 << spa::SPA_DATA_MemFd | 1 << spa::SPA_DATA_MemPtr;
    let meta = |kind: u32, sizes: &[i32]| {
        let object = Object::new(spa::SPA_TYPE_OBJECT_ParamMeta, spa::SPA_PARAM_Meta)
            .one(spa::SPA_PARAM_META_type, Value::Id(kind));
        match sizes {
            [size] => object.one(spa::SPA_PARAM_META_size, Value::Int(*size)),
            sizes => {
                let sizes: Vec<Value> = sizes.iter().map(|size| Value::Int(*size)).collect();
                object.choice(spa::SPA_PARAM_META_size, spa::SPA_CHOICE_Range, &sizes)
            }
        }
        .finish()
    };
    let region = size_of::<spa::spa_meta_region>() as i32;
    let parts = region * MAX_CHANGED_PARTS as i32;
    [
        Object::new(spa::SPA_TYPE_OBJECT_ParamBuffers, spa::SPA_PARAM_Buffers)
            .choice(
                spa::SPA_PARAM_BUFFERS_buffers,
                spa::SPA_CHOICE_Range,
                &BUFFER_COUNT_RANGE.map(Value::Int),
            )
            .choice(spa::SPA_PARAM_BUFFERS_dataType, spa::SPA_CHOICE_Flags, &[Value::Int(memory)])
            .finish(),
        meta(spa::SPA_META_Header, &[size_of::<spa::spa_meta_header>() as i32]),
        meta(spa::SPA_META_VideoDamage, &[parts, region, parts]),
        meta(spa::SPA_META_VideoCrop, &[region]),
        meta(spa::SPA_META_VideoTransform, &[size_of::<spa::spa_meta_videotransform>() as i32]),
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
    remove_buffer: Some(remove_buffer),
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
    let ended = [
        pw::pw_stream_state_PW_STREAM_STATE_ERROR,
        pw::pw_stream_state_PW_STREAM_STATE_UNCONNECTED,
    ];
    if !ended.contains(&state) {
        return;
    }
    let reason = if error.is_null() {
        "the stream of frames has ended".to_owned()
    } else {
        // SAFETY: the text ends with a zero and lives through the call.
        unsafe { CStr::from_ptr(error) }.to_string_lossy().chars().take(200).collect()
    };
    inside.cell.lock().ended.get_or_insert(End::Gone(reason));
}

/// # Safety
/// Only the stream may call this function, with its data.
unsafe extern "C" fn param_changed(data: *mut c_void, id: u32, param: *const spa::spa_pod) {
    if id != spa::SPA_PARAM_Format || param.is_null() {
        return;
    }
    // SAFETY: `data` is the listener's data, which outlives the stream.
    let inside = unsafe { &*data.cast::<Inside>() };
    // SAFETY: an object has at least its header of 8 bytes, which contains its length.
    let format = unsafe {
        let head = param.cast::<[u8; 8]>().read_unaligned();
        pod::length(head)
            .and_then(|length| pod::format(std::slice::from_raw_parts(param.cast::<u8>(), length)))
    };
    let unfit = match &format {
        None => Some("a format that is not for video".to_owned()),
        Some(format) => frame::unfit(format),
    };
    {
        let mut cell = inside.cell.lock();
        cell.format = format;
        if let Some(reason) = unfit {
            cell.ended.get_or_insert(End::Unfit(reason));
            return;
        }
    }
    let objects = delivery_params();
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
unsafe extern "C" fn remove_buffer(data: *mut c_void, buffer: *mut pw::pw_buffer) {
    // SAFETY: `data` is the listener's data, which outlives the stream.
    let inside = unsafe { &*data.cast::<Inside>() };
    let mut cell = inside.cell.lock();
    if cell.held.as_ref().is_some_and(|held| held.buffer.as_ptr() == buffer) {
        cell.held = None;
        cell.fresh = false;
    }
}

/// # Safety
/// Only the stream may call this function, with its data.
unsafe extern "C" fn process(data: *mut c_void) {
    // SAFETY: `data` is the listener's data, which outlives the stream.
    let inside = unsafe { &*data.cast::<Inside>() };
    let stream = inside.stream.load(Ordering::Relaxed);
    let mut cell = inside.cell.lock();
    loop {
        // SAFETY: this is the calling stream.
        let buffer = unsafe { pw::pw_stream_dequeue_buffer(stream) };
        let Some(buffer) = NonNull::new(buffer) else { return };
        let mut done_with = Some(buffer);
        if let Some(format) = cell.format {
            // SAFETY: the buffer was just dequeued, and its description is valid.
            let content = unsafe {
                let described = buffer.as_ref().buffer.as_ref();
                described.map(|described| frame::content(described, &format))
            };
            match content {
                None | Some(Ok(Content::Nothing)) => {}
                Some(Ok(Content::Frame(frame))) => {
                    let turned =
                        cell.held.as_ref().is_none_or(|held| held.frame.turn != frame.turn);
                    let dirty = if turned { frame.whole } else { frame.dirty };
                    cell.dirty = Some(cell.dirty.map_or(dirty, |before| before.joined(dirty)));
                    cell.fresh = true;
                    done_with = cell.held.replace(HeldBuffer { buffer, frame }).map(|it| it.buffer);
                }
                Some(Err(reason)) => {
                    cell.ended.get_or_insert(End::Unfit(reason));
                }
            }
        }
        if let Some(buffer) = done_with {
            // SAFETY: the buffer was dequeued from this stream and not returned.
            unsafe { pw::pw_stream_queue_buffer(stream, buffer.as_ptr()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_well_formed() {
        let all = delivery_params().into_iter().chain([offer(FrameRate::FPS_30)]);
        for object in all {
            let bytes: Vec<u8> = object.iter().flat_map(|unit| unit.to_ne_bytes()).collect();
            let length = pod::length(bytes[..8].try_into().unwrap());
            assert_eq!(length.unwrap().next_multiple_of(8), bytes.len());
        }
        assert_eq!(size_of::<spa::spa_meta_region>(), 16);
    }

    #[test]
    fn a_connection_to_nobody_ends() {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        drop(theirs);
        let Ok(stream) = Stream::open(ours.into(), 1, FrameRate::FPS_30) else { return };
        for _ in 0..2_000 {
            if let Err(End::Gone(_)) = stream.has_news() {
                return;
            }
            crate::base::Stop::new().wait(std::time::Duration::from_millis(5));
        }
        panic!("it never ends");
    }
}
