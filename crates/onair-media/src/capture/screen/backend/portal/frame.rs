//! A frame in a PipeWire buffer. This module validates the values of a buffer, which come from
//! another program, and returns the frame's visible part, changed part and pixels. Only shared
//! memory is accepted, because reading graphics memory is slow, and onair requested shared memory
//! from the desktop.

#![allow(unsafe_code)]

use std::os::fd::{BorrowedFd, RawFd};
use std::ptr::NonNull;

use libspa_sys as spa;

use crate::capture::screen::area::Area;
use crate::capture::screen::backend::portal::pod::Format;
use crate::media::Size;

/// Maximum number of changed parts for which onair asks the producer.
pub(super) const MAX_CHANGED_PARTS: usize = 16;

/// The content of a buffer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// No new frame, or a frame that must not be shown.
    Nothing,
    Frame(MappedFrame),
}

/// A frame with rows in mapped memory, which is valid as long as its buffer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MappedFrame {
    /// Address of the first pixel.
    start: NonNull<u8>,
    /// Bytes from one row to the next, at least the size of a row.
    stride: usize,
    /// The whole frame. Like all areas here, this area has the orientation of the frame, not of the
    /// buffer.
    pub(super) whole: Area,
    /// The visible part of the frame.
    pub(super) shown: Area,
    /// Part that changed since the last frame.
    pub(super) dirty: Area,
    /// The orientation in the buffer.
    pub(super) turn: BufferOrientation,
    /// True if red is first instead of blue.
    red_first: bool,
}

// SAFETY: the pointer leads to memory that PipeWire has mapped for the process, which any thread
// may read; the owner of this value keeps it no longer than the buffer.
unsafe impl Send for MappedFrame {}

/// The orientation of a frame in its buffer. For a rotated display, the desktop delivers rotated
/// pixels.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BufferOrientation {
    /// True if a row of the frame is a column of the buffer.
    across: bool,
    /// Whether the frame is mirrored horizontally, and whether vertically.
    mirrored: (bool, bool),
}

impl BufferOrientation {
    /// Creates the orientation that undoes a transformation of the buffer
    /// (`SPA_META_TRANSFORMATION_…`, rotated counterclockwise after mirroring). Unknown
    /// transformations are ignored.
    fn undoing(transformation: u32) -> Self {
        let (across, mirrored) = match transformation {
            spa::SPA_META_TRANSFORMATION_90 => (true, (true, false)),
            spa::SPA_META_TRANSFORMATION_180 => (false, (true, true)),
            spa::SPA_META_TRANSFORMATION_270 => (true, (false, true)),
            spa::SPA_META_TRANSFORMATION_Flipped => (false, (true, false)),
            spa::SPA_META_TRANSFORMATION_Flipped90 => (true, (false, false)),
            spa::SPA_META_TRANSFORMATION_Flipped180 => (false, (false, true)),
            spa::SPA_META_TRANSFORMATION_Flipped270 => (true, (true, true)),
            _ => (false, (false, false)),
        };
        Self { across, mirrored }
    }

    /// Converts a part of the buffer, whose area is `all`, to a part of the frame.
    fn upright(self, part: Area, all: Area) -> Area {
        let turned = |it: Area| match self.across {
            true => Area::new(it.y, it.x, it.height, it.width),
            false => it,
        };
        let (Area { x, y, width, height }, all) = (turned(part), turned(all));
        let x = if self.mirrored.0 { all.width - (x + width) } else { x };
        let y = if self.mirrored.1 { all.height - (y + height) } else { y };
        Area::new(x, y, width, height)
    }

    /// Returns the position of a pixel of the frame `all` in the buffer.
    fn place(self, x: u32, y: u32, all: Area) -> (usize, usize) {
        let x = if self.mirrored.0 { all.width - 1 - x } else { x } as usize;
        let y = if self.mirrored.1 { all.height - 1 - y } else { y } as usize;
        if self.across { (y, x) } else { (x, y) }
    }
}

/// Returns the problem of a format, if any.
pub(super) fn unfit(format: &Format) -> Option<String> {
    let Format { pixels, width, height } = *format;
    let known = [
        spa::SPA_VIDEO_FORMAT_BGRx,
        spa::SPA_VIDEO_FORMAT_RGBx,
        spa::SPA_VIDEO_FORMAT_BGRA,
        spa::SPA_VIDEO_FORMAT_RGBA,
    ];
    if !known.contains(&pixels) {
        return Some(format!("its pixels are of kind {pixels}"));
    }
    let sides = 2..=Size::MAX_SIDE;
    let fits = sides.contains(&width) && sides.contains(&height);
    (!fits).then(|| format!("it has {width}×{height} pixels"))
}

/// Returns the first metadata of this kind in a buffer, with at least `least` bytes.
///
/// # Safety
/// `buffer` must be received from PipeWire and not returned yet.
unsafe fn meta(buffer: &spa::spa_buffer, kind: u32, least: usize) -> Option<&[u8]> {
    if buffer.metas.is_null() {
        return None;
    }
    // SAFETY: PipeWire provides the given number of descriptions.
    let all = unsafe { std::slice::from_raw_parts(buffer.metas, buffer.n_metas as usize) };
    let found = all.iter().find(|meta| meta.type_ == kind)?;
    let fits = !found.data.is_null() && found.size as usize >= least;
    // SAFETY: PipeWire provides `size` bytes that live as long as the buffer; any bytes are valid.
    fits.then(|| unsafe {
        std::slice::from_raw_parts(found.data.cast::<u8>(), found.size as usize)
    })
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Reads a rectangle of metadata, clipped to the frame. Returns `None` if it is empty.
fn region(bytes: &[u8], whole: Area) -> Option<Area> {
    let [x, y] = [number(bytes, 0)?, number(bytes, 4)?].map(|at| i64::from(at.cast_signed()));
    Area::clipped(x, y, number(bytes, 8)?, number(bytes, 12)?)?.within(whole)
}

/// Reads the content of a buffer. The error describes an invalid buffer.
///
/// # Safety
/// `buffer` must be received from PipeWire and not returned yet.
pub(super) unsafe fn content(buffer: &spa::spa_buffer, format: &Format) -> Result<Content, String> {
    if let Some(reason) = unfit(format) {
        return Err(reason);
    }
    if buffer.n_datas == 0 || buffer.datas.is_null() {
        return Err("a buffer without data".to_owned());
    }
    // SAFETY: there is at least one entry, which lives as long as the buffer.
    let data = unsafe { &*buffer.datas };
    // SAFETY: a non-null chunk lives as long as the buffer.
    let chunk = unsafe { data.chunk.as_ref() }.ok_or("a buffer without a description")?;
    // SAFETY: the caller guarantees this.
    let head = unsafe { meta(buffer, spa::SPA_META_Header, 4) };
    let corrupted = head
        .and_then(|head| number(head, 0))
        .is_some_and(|flags| flags & spa::SPA_META_HEADER_FLAG_CORRUPTED != 0)
        || chunk.flags.cast_unsigned() & spa::SPA_CHUNK_FLAG_CORRUPTED != 0;
    if corrupted || chunk.size == 0 {
        return Ok(Content::Nothing);
    }
    match data.type_ {
        spa::SPA_DATA_MemPtr => {}
        spa::SPA_DATA_MemFd => whole_file(data)?,
        spa::SPA_DATA_DmaBuf => {
            return Err("it comes in memory of the graphics card (DMA-BUF), which was not asked \
                        for"
            .to_owned());
        }
        kind => return Err(format!("it comes in memory of kind {kind}")),
    }
    let start = NonNull::new(data.data.cast::<u8>()).ok_or("a buffer that is not mapped")?;
    let (width, height) = (format.width as usize, format.height as usize);
    let row = width * 4;
    let stride = match chunk.stride {
        0 => row,
        stride => usize::try_from(stride)
            .ok()
            .filter(|stride| *stride >= row)
            .ok_or_else(|| format!("rows of {stride} bytes for {width} pixels"))?,
    };
    let most = data.maxsize as usize;
    let offset = (chunk.offset as usize).checked_rem(most).ok_or("a buffer of no bytes")?;
    let need = stride.checked_mul(height - 1).and_then(|bytes| bytes.checked_add(row));
    if need.is_none_or(|need| need > most - offset) {
        return Err(format!(
            "{most} bytes from {offset} for {width}×{height} pixels in rows of {stride}"
        ));
    }
    let whole = Area::new(0, 0, format.width, format.height);
    // SAFETY: the caller guarantees this.
    let turned = unsafe { meta(buffer, spa::SPA_META_VideoTransform, 4) };
    let turn =
        turned.and_then(|it| number(it, 0)).map(BufferOrientation::undoing).unwrap_or_default();
    // SAFETY: the caller guarantees this.
    let crop = unsafe { meta(buffer, spa::SPA_META_VideoCrop, 16) };
    let shown = crop.and_then(|crop| region(crop, whole)).unwrap_or(whole);
    // SAFETY: the caller guarantees this.
    let damage = unsafe { meta(buffer, spa::SPA_META_VideoDamage, 16) };
    let parts = damage.into_iter().flat_map(|damage| damage.chunks_exact(16));
    let parts = parts.take(MAX_CHANGED_PARTS).map_while(|part| region(part, whole));
    // Without reported parts, the whole frame may be new.
    let dirty = parts.reduce(Area::joined).unwrap_or(whole);
    let red_first =
        matches!(format.pixels, spa::SPA_VIDEO_FORMAT_RGBx | spa::SPA_VIDEO_FORMAT_RGBA);
    // SAFETY: `offset` is less than the number of mapped bytes.
    let start = unsafe { start.add(offset) };
    let [shown, dirty, whole] = [shown, dirty, whole].map(|part| turn.upright(part, whole));
    Ok(Content::Frame(MappedFrame { start, stride, whole, shown, dirty, turn, red_first }))
}

/// Checks the file's length, because reading past its end would terminate the process.
fn whole_file(data: &spa::spa_data) -> Result<(), String> {
    let need = u64::from(data.mapoffset) + u64::from(data.maxsize);
    let fd = RawFd::try_from(data.fd).ok().filter(|fd| *fd >= 0);
    let fd = fd.ok_or("a buffer in no file")?;
    // SAFETY: PipeWire keeps the file open as long as the buffer; it is borrowed for this call.
    let file = unsafe { BorrowedFd::borrow_raw(fd) };
    let held = crate::capture::screen::backend::shared_memory::length(file)
        .map_err(|error| error.to_string())?;
    if held < need {
        return Err(format!("a file of {held} bytes for {need}"));
    }
    Ok(())
}

impl MappedFrame {
    /// Copies a part as blue, green, red and a fourth byte to the same part (minus `corner`) of a
    /// frame with rows of `row` bytes. The part is clipped.
    ///
    /// # Safety
    /// The buffer must not be returned yet.
    pub(super) unsafe fn copy(&self, part: Area, corner: (u32, u32), to: &mut [u8], row: usize) {
        let Some(part) = part.within(self.whole) else { return };
        let bytes = part.width as usize * 4;
        let left = part.x.saturating_sub(corner.0) as usize * 4;
        let rows = to.chunks_exact_mut(row.max(1)).skip(part.y.saturating_sub(corner.1) as usize);
        for (line, to) in (part.y..part.y.saturating_add(part.height)).zip(rows) {
            if self.turn != BufferOrientation::default() {
                let Some(to) = to.get_mut(left..left + bytes) else { continue };
                for (x, to) in (part.x..).zip(to.as_chunks_mut::<4>().0) {
                    let (x, y) = self.turn.place(x, line, self.whole);
                    let from = self.start.as_ptr().cast_const();
                    // SAFETY: as below; each pixel of the frame is a pixel of the buffer.
                    *to = unsafe { from.add(y * self.stride + x * 4).cast::<[u8; 4]>().read() };
                    if self.red_first {
                        to.swap(0, 2);
                    }
                }
                continue;
            }
            let from = line as usize * self.stride + part.x as usize * 4;
            // SAFETY: the part is inside the frame, whose rows of `stride` bytes are all in mapped
            // memory, as `content` has checked. The producer may write meanwhile; the result would
            // be torn pixels, which are plain bytes with any value.
            let from = unsafe { std::slice::from_raw_parts(self.start.add(from).as_ptr(), bytes) };
            let Some(to) = to.get_mut(left..left + bytes) else { continue };
            to.copy_from_slice(from);
            if self.red_first {
                for pixel in to.chunks_exact_mut(4) {
                    pixel.swap(0, 2);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsRawFd;

    use super::*;

    /// A test buffer in PipeWire's layout with a 4 × 3 frame.
    struct Rig {
        pixels: Vec<u8>,
        chunk: spa::spa_chunk,
        data: spa::spa_data,
        metas: Vec<spa::spa_meta>,
    }

    /// A function that makes a buffer invalid in one way.
    type Spoil = fn(&mut Rig);

    const TEST_FORMAT: Format = Format { pixels: spa::SPA_VIDEO_FORMAT_BGRx, width: 4, height: 3 };

    impl Rig {
        fn new() -> Self {
            let mut pixels: Vec<u8> = (0..4 * 4 * 3).collect();
            let data = spa::spa_data {
                type_: spa::SPA_DATA_MemPtr,
                flags: 0,
                fd: -1,
                mapoffset: 0,
                maxsize: 48,
                data: pixels.as_mut_ptr().cast(),
                chunk: std::ptr::null_mut(),
            };
            let chunk = spa::spa_chunk { offset: 0, size: 48, stride: 16, flags: 0 };
            Self { pixels, chunk, data, metas: Vec::new() }
        }

        fn meta(&mut self, kind: u32, words: &mut [i32]) {
            let data = words.as_mut_ptr().cast();
            self.metas.push(spa::spa_meta { type_: kind, size: words.len() as u32 * 4, data });
        }

        fn content(&mut self, format: &Format) -> Result<Content, String> {
            self.data.chunk = &raw mut self.chunk;
            let buffer = spa::spa_buffer {
                n_metas: self.metas.len() as u32,
                n_datas: 1,
                metas: self.metas.as_mut_ptr(),
                datas: &raw mut self.data,
            };
            // SAFETY: all pointers lead into `self` with the declared sizes, except for values that
            // a test makes invalid on purpose, which must be detected before use.
            unsafe { content(&buffer, format) }
        }

        fn frame(&mut self) -> MappedFrame {
            match self.content(&TEST_FORMAT).unwrap() {
                Content::Frame(mapped) => mapped,
                Content::Nothing => panic!("nothing"),
            }
        }
    }

    #[test]
    fn pixels_go_where_they_belong_in_both_orders() {
        let mut rig = Rig::new();
        let mapped = rig.frame();
        assert_eq!((mapped.shown, mapped.dirty), (mapped.whole, mapped.whole));
        let mut to = vec![99; 16];
        // SAFETY: the rig is alive.
        unsafe { mapped.copy(Area::new(1, 1, 2, 2), (1, 1), &mut to, 8) };
        assert_eq!(to, [20, 21, 22, 23, 24, 25, 26, 27, 36, 37, 38, 39, 40, 41, 42, 43]);
        let red = Format { pixels: spa::SPA_VIDEO_FORMAT_RGBA, ..TEST_FORMAT };
        let Ok(Content::Frame(mapped)) = rig.content(&red) else { panic!("no picture") };
        // SAFETY: the rig is alive.
        unsafe { mapped.copy(Area::new(1, 1, 1, 1), (1, 1), &mut to, 8) };
        assert_eq!(to[..4], [22, 21, 20, 23]);
        assert_eq!(rig.pixels.len(), 48);
    }

    #[test]
    fn hostile_numbers_are_refused() {
        let tries: [(&str, Spoil); 12] = [
            ("rows of -16", |rig| rig.chunk.stride = -16),
            ("rows of 12", |rig| rig.chunk.stride = 12),
            ("in rows of 20", |rig| rig.chunk.stride = 20),
            ("in rows of 2147483647", |rig| rig.chunk.stride = i32::MAX),
            ("48 bytes from 16", |rig| rig.chunk.offset = 16),
            ("48 bytes from 15", |rig| rig.chunk.offset = u32::MAX - 48),
            ("of no bytes", |rig| rig.data.maxsize = 0),
            ("47 bytes", |rig| rig.data.maxsize = 47),
            ("not mapped", |rig| rig.data.data = std::ptr::null_mut()),
            ("DMA-BUF", |rig| rig.data.type_ = spa::SPA_DATA_DmaBuf),
            ("kind 77", |rig| rig.data.type_ = 77),
            ("no file", |rig| rig.data.type_ = spa::SPA_DATA_MemFd),
        ];
        for (words, spoil) in tries {
            let mut rig = Rig::new();
            spoil(&mut rig);
            let message = rig.content(&TEST_FORMAT).unwrap_err();
            assert!(message.contains(words), "{words}: {message}");
        }
        for (width, height) in [(0, 3), (4, 0), (1, 1), (60_000, 60_000), (u32::MAX, u32::MAX)] {
            assert!(
                Rig::new().content(&Format { width, height, ..TEST_FORMAT }).is_err(),
                "{width}"
            );
        }
        assert!(Rig::new().content(&Format { pixels: 0, ..TEST_FORMAT }).is_err());
    }

    #[test]
    fn a_file_that_is_shorter_than_it_says_is_not_read() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[0; 47]).unwrap();
        let mut rig = Rig::new();
        (rig.data.type_, rig.data.fd) = (spa::SPA_DATA_MemFd, i64::from(file.as_raw_fd()));
        assert!(rig.content(&TEST_FORMAT).unwrap_err().contains("47 bytes for 48"));
        file.write_all(&[0; 1]).unwrap();
        assert!(matches!(rig.content(&TEST_FORMAT), Ok(Content::Frame(_))));
        rig.data.mapoffset = 1;
        assert!(rig.content(&TEST_FORMAT).is_err());
    }

    #[test]
    fn corrupted_and_empty_buffers_show_nothing() {
        let mut rig = Rig::new();
        rig.chunk.size = 0;
        assert_eq!(rig.content(&TEST_FORMAT), Ok(Content::Nothing));
        let mut rig = Rig::new();
        rig.chunk.flags = spa::SPA_CHUNK_FLAG_CORRUPTED.cast_signed();
        assert_eq!(rig.content(&TEST_FORMAT), Ok(Content::Nothing));
        let mut rig = Rig::new();
        let mut head = [spa::SPA_META_HEADER_FLAG_CORRUPTED.cast_signed(), 0, 0, 0, 0, 0, 0, 0];
        rig.meta(spa::SPA_META_Header, &mut head);
        assert_eq!(rig.content(&TEST_FORMAT), Ok(Content::Nothing));
    }

    #[test]
    fn what_changed_and_what_is_meant_are_taken_as_far_as_they_lie_in_the_frame() {
        let mut rig = Rig::new();
        let mut damage = [-2, -2, 3, 3, 2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 4, 3];
        rig.meta(spa::SPA_META_VideoDamage, &mut damage);
        let mut crop = [1, 0, i32::MAX, 2];
        rig.meta(spa::SPA_META_VideoCrop, &mut crop);
        let mapped = rig.frame();
        assert_eq!(mapped.dirty, Area::new(0, 0, 3, 2), "up to the empty one");
        assert_eq!(mapped.shown, Area::new(1, 0, 3, 2));
        let mut rig = Rig::new();
        rig.meta(spa::SPA_META_VideoDamage, &mut [0; 4]);
        rig.meta(spa::SPA_META_VideoCrop, &mut [9, 9, 1, 1]);
        let mapped = rig.frame();
        assert_eq!((mapped.dirty, mapped.shown), (mapped.whole, mapped.whole));
    }

    /// Returns the rows of pixel numbers in a part of the buffer, which has four pixels per row.
    fn seen(mapped: &MappedFrame, part: Area) -> Vec<Vec<u8>> {
        let row = part.width as usize * 4;
        let mut to = vec![99; row * part.height as usize];
        // SAFETY: the rig is alive.
        unsafe { mapped.copy(part, (part.x, part.y), &mut to, row) };
        let pixels = |line: &[u8]| line.chunks_exact(4).map(|pixel| pixel[0] / 4).collect();
        to.chunks_exact(row).map(pixels).collect()
    }

    #[test]
    fn a_rotated_or_mirrored_display_is_shown_upright() {
        let cases: [(u32, &[&[u8]]); 9] = [
            (spa::SPA_META_TRANSFORMATION_None, &[&[0, 1, 2, 3], &[4, 5, 6, 7], &[8, 9, 10, 11]]),
            (spa::SPA_META_TRANSFORMATION_90, &[&[8, 4, 0], &[9, 5, 1], &[10, 6, 2], &[11, 7, 3]]),
            (spa::SPA_META_TRANSFORMATION_180, &[&[11, 10, 9, 8], &[7, 6, 5, 4], &[3, 2, 1, 0]]),
            (spa::SPA_META_TRANSFORMATION_270, &[&[3, 7, 11], &[2, 6, 10], &[1, 5, 9], &[0, 4, 8]]),
            (
                spa::SPA_META_TRANSFORMATION_Flipped,
                &[&[3, 2, 1, 0], &[7, 6, 5, 4], &[11, 10, 9, 8]],
            ),
            (
                spa::SPA_META_TRANSFORMATION_Flipped90,
                &[&[0, 4, 8], &[1, 5, 9], &[2, 6, 10], &[3, 7, 11]],
            ),
            (
                spa::SPA_META_TRANSFORMATION_Flipped180,
                &[&[8, 9, 10, 11], &[4, 5, 6, 7], &[0, 1, 2, 3]],
            ),
            (
                spa::SPA_META_TRANSFORMATION_Flipped270,
                &[&[11, 7, 3], &[10, 6, 2], &[9, 5, 1], &[8, 4, 0]],
            ),
            // Unknown transformations are ignored.
            (4_000_000_000, &[&[0, 1, 2, 3], &[4, 5, 6, 7], &[8, 9, 10, 11]]),
        ];
        for (transformation, want) in cases {
            let mut rig = Rig::new();
            let mut turned = [transformation.cast_signed()];
            rig.meta(spa::SPA_META_VideoTransform, &mut turned);
            // The visible part contains the buffer's pixels 5, 6, 9 and 10, of which 10 is new.
            let (mut crop, mut damage) = ([1, 1, 2, 2], [2, 2, 1, 1]);
            rig.meta(spa::SPA_META_VideoCrop, &mut crop);
            rig.meta(spa::SPA_META_VideoDamage, &mut damage);
            let mapped = rig.frame();
            assert_eq!(seen(&mapped, mapped.whole), want, "{transformation}");
            assert_eq!(seen(&mapped, mapped.dirty), [[10]], "{transformation}");
            let mut meant = seen(&mapped, mapped.shown).concat();
            meant.sort_unstable();
            assert_eq!(meant, [5, 6, 9, 10], "{transformation}");
            let red = Format { pixels: spa::SPA_VIDEO_FORMAT_RGBA, ..TEST_FORMAT };
            let Ok(Content::Frame(mapped)) = rig.content(&red) else { panic!("no picture") };
            let mut to = [99; 4];
            // SAFETY: the rig is alive.
            unsafe {
                mapped.copy(mapped.dirty, (mapped.dirty.x, mapped.dirty.y), &mut to, 4);
            }
            assert_eq!(to, [42, 41, 40, 43], "{transformation}");
        }
    }
}
