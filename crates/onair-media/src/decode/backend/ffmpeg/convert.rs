//! Converts the library's frames to onair's I420 planes. I420 is copied. For other formats, the
//! library's scaler writes to a frame of the library, because its fast paths write beyond the rows
//! of tight buffers. The module `hdr` handles HDR and wide colors.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::ptr;

use crate::base::Timestamp;
use crate::decode::backend::ffmpeg::hdr::Mapper;
use crate::decode::backend::ffmpeg::library::{Code, Frame, check};
use crate::decode::backend::ffmpeg::system as ffi;
use crate::decode::backend::ffmpeg::transfer::Kind;
use crate::media::frame::{Matrix, Range};
use crate::media::{Color, Planes, PlanesPool, Size, VideoFrame};
use crate::text::Problem;
use crate::text::problem::problem;

/// Number of frames that the pool keeps for reuse. Frames in use wait to be shown, or are on their
/// way to the window.
const MAX_IDLE_FRAMES: usize = 6;

/// Converts frames of the library to onair frames.
#[derive(Default)]
pub(super) struct Converter {
    pool: PlanesPool<MAX_IDLE_FRAMES>,
    scaler: Scaler,
    /// The frame into which the scaler writes, with its size and its pixel format.
    converted: Option<(Size, ffi::AVPixelFormat, Frame)>,
    mapper: Mapper,
    /// The kind of the last frame, if it was mapped.
    mapped: Option<Kind>,
    /// A frame downloaded from the hardware.
    fetched: Option<Frame>,
}

/// Owns the library's converter.
struct Scaler(*mut ffi::SwsContext);

impl Default for Scaler {
    fn default() -> Self {
        Self(ptr::null_mut())
    }
}

// SAFETY: the object is used by one thread at a time (all methods take `&mut`), and the library
// does not bind it to a thread.
unsafe impl Send for Scaler {}

impl Drop for Scaler {
    fn drop(&mut self) {
        // SAFETY: the pointer came from sws_getCachedContext (or is null, which is allowed).
        unsafe { ffi::sws_freeContext(self.0) }
    }
}

/// The color interpretation of a frame, and that of the output.
struct ColorInterpretation {
    color: Color,
    /// The coefficients of the frame's matrix, in the numbering of the scaler.
    source: u32,
    /// True if onair frames do not support the frame's matrix.
    foreign: bool,
    /// True for RGB, or an RGB palette.
    rgb: bool,
}

fn meaning(frame: &ffi::AVFrame) -> ColorInterpretation {
    // SAFETY: the call reads a static table, and null is checked.
    let flags = unsafe { ffi::av_pix_fmt_desc_get(frame.format).as_ref() }.map_or(0, |it| it.flags);
    if flags & u64::from(ffi::AV_PIX_FMT_FLAG_RGB | ffi::AV_PIX_FMT_FLAG_PAL) != 0 {
        let source = ffi::SWS_CS_ITU709;
        return ColorInterpretation { color: Color::PROGRAM, source, foreign: true, rgb: true };
    }
    let full = frame.color_range == ffi::AVCOL_RANGE_JPEG
        || matches!(
            frame.format,
            ffi::AV_PIX_FMT_YUVJ420P
                | ffi::AV_PIX_FMT_YUVJ422P
                | ffi::AV_PIX_FMT_YUVJ444P
                | ffi::AV_PIX_FMT_YUVJ440P
        );
    let range = if full { Range::Full } else { Range::Limited };
    let (matrix, source, foreign) = match frame.colorspace {
        ffi::AVCOL_SPC_BT709 => (Matrix::Bt709, ffi::SWS_CS_ITU709, false),
        ffi::AVCOL_SPC_BT470BG | ffi::AVCOL_SPC_SMPTE170M => {
            (Matrix::Bt601, ffi::SWS_CS_ITU601, false)
        }
        ffi::AVCOL_SPC_FCC => (Matrix::Bt601, ffi::SWS_CS_FCC, true),
        ffi::AVCOL_SPC_SMPTE240M => (Matrix::Bt709, ffi::SWS_CS_SMPTE240M, true),
        ffi::AVCOL_SPC_BT2020_NCL | ffi::AVCOL_SPC_BT2020_CL => {
            (Matrix::Bt709, ffi::SWS_CS_BT2020, true)
        }
        // The usual matrix for the size, if the stream does not declare one.
        _ if frame.height < 720 => (Matrix::Bt601, ffi::SWS_CS_ITU601, false),
        _ => (Matrix::Bt709, ffi::SWS_CS_ITU709, false),
    };
    ColorInterpretation { color: Color { matrix, range }, source, foreign, rgb: false }
}

/// A conversion by the library's scaler.
struct Task {
    format: ffi::AVPixelFormat,
    /// The matrix coefficients of input and output, in the numbering of the scaler.
    matrices: [u32; 2],
    /// True if input and output have full range.
    full: bool,
}

impl Converter {
    /// Converts a frame. If the width or height is odd, the last column or row is cropped.
    pub fn convert(&mut self, frame: &mut Frame, pts: Timestamp) -> Result<VideoFrame, Problem> {
        if frame.get().format == ffi::AV_PIX_FMT_VAAPI {
            let mut fetched = match self.fetched.take() {
                Some(fetched) => fetched,
                None => Frame::new().map_err(Code::text)?,
            };
            fetch(&mut fetched, frame).map_err(Code::text)?;
            let made = self.make(&fetched, pts);
            self.fetched = Some(fetched);
            return made;
        }
        self.make(frame, pts)
    }

    fn make(&mut self, frame: &Frame, pts: Timestamp) -> Result<VideoFrame, Problem> {
        let fields = frame.get();
        let side = |value: c_int| u32::try_from(value).unwrap_or(0) & !1;
        let size = Size::new(side(fields.width), side(fields.height));
        if !size.is_valid() {
            return Err(problem!(
                "decode-frame-size",
                size = format!("{}x{}", fields.width, fields.height)
            ));
        }
        let meaning = meaning(fields);
        let full = meaning.color.range == Range::Full;
        self.mapped = if meaning.rgb { None } else { self.mapper.kind(fields, full) };
        let is_ours = matches!(
            fields.format,
            ffi::AV_PIX_FMT_YUV420P | ffi::AV_PIX_FMT_YUVJ420P | ffi::AV_PIX_FMT_YUVA420P
        );
        let mut planes = self.pool.fresh(size, false);
        if let Some(kind) = self.mapped {
            if Mapper::reads(fields) {
                self.mapper.show(kind, fields, &mut planes)?;
            } else {
                // Only the format is changed: the mapper's table does the rest.
                let (format, same) = (ffi::AV_PIX_FMT_YUV420P10LE, ffi::SWS_CS_BT2020);
                self.scale(fields, size, &Task { format, matrices: [same, same], full })?;
                if let Some((.., converted)) = &self.converted {
                    self.mapper.show(kind, converted.get(), &mut planes)?;
                }
            }
            return Ok(VideoFrame { pts, color: Color::PROGRAM, surface: planes.share().into() });
        }
        if is_ours && !meaning.foreign {
            copy(fields, &mut planes)?;
        } else {
            let target = match meaning.color.matrix {
                Matrix::Bt601 => ffi::SWS_CS_ITU601,
                Matrix::Bt709 => ffi::SWS_CS_ITU709,
            };
            let matrices = [meaning.source, target];
            self.scale(fields, size, &Task { format: ffi::AV_PIX_FMT_YUV420P, matrices, full })?;
            if let Some((.., converted)) = &self.converted {
                copy(converted.get(), &mut planes)?;
            }
        }
        Ok(VideoFrame { pts, color: meaning.color, surface: planes.share().into() })
    }

    /// Returns true if frames were downloaded from the hardware.
    pub fn has_fetched(&self) -> bool {
        self.fetched.is_some()
    }

    /// Returns the tone mapping of the last frame as a text, if the frame was HDR.
    pub fn hdr_label(&self) -> Option<&'static str> {
        self.mapped.and_then(Kind::hdr_label)
    }

    /// Converts the frame, without a change of size, into `self.converted`.
    fn scale(&mut self, frame: &ffi::AVFrame, size: Size, task: &Task) -> Result<(), Problem> {
        // SAFETY: the call reads a static table.
        if unsafe { ffi::sws_isSupportedInput(frame.format) } == 0 {
            return Err(problem!("decode-pixel-format", format = i64::from(frame.format)));
        }
        let format = task.format;
        if self.converted.as_ref().is_none_or(|(its, of, _)| (*its, *of) != (size, format)) {
            self.converted = Some((size, format, room(size, format).map_err(Code::text)?));
        }
        let Some((.., converted)) = &mut self.converted else { return Ok(()) };
        let (width, height) = (size.width as c_int, size.height as c_int);
        let [source, target] = task.matrices;
        let full = c_int::from(task.full);
        let target_fields = converted.get_mut();
        // SAFETY: both frames have planes of at least this size in their formats, with the rows and
        // padding of the library; the tables are static; null is checked.
        unsafe {
            self.scaler.0 = ffi::sws_getCachedContext(
                self.scaler.0,
                width,
                height,
                frame.format,
                width,
                height,
                format,
                (ffi::SWS_BILINEAR | ffi::SWS_ACCURATE_RND) as c_int,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null(),
            );
            if self.scaler.0.is_null() {
                return Err(problem!("decode-pixel-format", format = i64::from(frame.format)));
            }
            ffi::sws_setColorspaceDetails(
                self.scaler.0,
                ffi::sws_getCoefficients(source as c_int),
                full,
                ffi::sws_getCoefficients(target as c_int),
                full,
                0,
                1 << 16,
                1 << 16,
            );
            let rows = ffi::sws_scale(
                self.scaler.0,
                frame.data.as_ptr().cast(),
                frame.linesize.as_ptr(),
                0,
                height,
                target_fields.data.as_ptr(),
                target_fields.linesize.as_ptr(),
            );
            if rows == height { Ok(()) } else { Err(problem!("decode-no-frame")) }
        }
    }
}

/// Creates a frame whose memory the library allocates.
fn room(size: Size, format: ffi::AVPixelFormat) -> Result<Frame, Code> {
    let mut frame = Frame::new()?;
    let fields = frame.get_mut();
    (fields.width, fields.height) = (size.width as c_int, size.height as c_int);
    fields.format = format;
    // SAFETY: size and format are set, and the frame is empty.
    check(unsafe { ffi::av_frame_get_buffer(frame.raw(), 0) })?;
    Ok(frame)
}

/// Downloads a frame from the hardware, with its metadata.
fn fetch(into: &mut Frame, from: &mut Frame) -> Result<(), Code> {
    into.clear();
    // SAFETY: `from` is a hardware frame; `into` is empty and gets its own memory.
    check(unsafe { ffi::av_hwframe_transfer_data(into.raw(), from.raw(), 0) })?;
    // SAFETY: both frames are valid; the color description and the side data are copied.
    check(unsafe { ffi::av_frame_copy_props(into.raw(), from.raw()) })?;
    let (width, height) = (from.get().width, from.get().height);
    let fields = into.get_mut();
    // The hardware frame may be larger than its visible part.
    (fields.width, fields.height) = (width.min(fields.width), height.min(fields.height));
    Ok(())
}

/// Copies three I420 planes that are at least as large as `planes`.
fn copy(frame: &ffi::AVFrame, planes: &mut Planes) -> Result<(), Problem> {
    let (luma, chroma) = (planes.luma_stride(), planes.chroma_stride());
    let targets = [(&mut planes.y, luma), (&mut planes.u, chroma), (&mut planes.v, chroma)];
    for ((data, stride), (target, width)) in
        frame.data.iter().zip(frame.linesize.iter()).zip(targets)
    {
        let stride = *stride as isize;
        if data.is_null() || stride.unsigned_abs() < width {
            return Err(problem!("decode-no-plane"));
        }
        for (number, to) in target.chunks_exact_mut(width).enumerate() {
            // SAFETY: the plane has at least as many rows as ours, each of at least `width` bytes,
            // `stride` bytes apart (possibly negative); the frame keeps them until it is cleared,
            // and they are not modified during that time.
            let from = unsafe {
                std::slice::from_raw_parts(
                    data.offset(stride * number as isize).cast_const(),
                    width,
                )
            };
            to.copy_from_slice(from);
        }
    }
    Ok(())
}
