//! Detects frames whose transfer function or primaries onair does not use (HDR, and SDR in BT.2020
//! and P3), and converts their 10 bits to 8 bits of BT.709.
#![allow(unsafe_code)]

use std::ffi::c_int;

use crate::base::WorkerPool;
use crate::decode::backend::ffmpeg::color_table::{Table, TenBitPlanes};
use crate::decode::backend::ffmpeg::system as ffi;
use crate::decode::backend::ffmpeg::transfer::{Kind, Matrix, Primaries, Transfer};
use crate::media::Planes;
use crate::text::Problem;
use crate::text::problem::problem;

/// The maximum luminance in cd/m².
const MAX_LUMINANCE: f64 = 10_000.0;

/// Converts frames with these colors. The table is built for the first frame.
#[derive(Default)]
pub(super) struct Mapper {
    table: Option<Table>,
    workers: Option<WorkerPool>,
    /// The last declared peak, which is kept because not every frame declares a peak.
    peak: Option<u16>,
}

/// Returns the kind of a frame, if the frame needs conversion. A frame without a declaration is not
/// HDR.
fn kind(frame: &ffi::AVFrame, full: bool) -> Option<Kind> {
    let transfer = match frame.color_trc {
        ffi::AVCOL_TRC_SMPTE2084 => Transfer::Pq,
        ffi::AVCOL_TRC_ARIB_STD_B67 => Transfer::Hlg,
        _ => Transfer::Gamma,
    };
    let wide = matches!(frame.colorspace, ffi::AVCOL_SPC_BT2020_NCL | ffi::AVCOL_SPC_BT2020_CL);
    let primaries = match frame.color_primaries {
        ffi::AVCOL_PRI_BT2020 => Primaries::Bt2020,
        ffi::AVCOL_PRI_SMPTE432 => Primaries::P3,
        // Unspecified primaries are derived from the other parameters.
        ffi::AVCOL_PRI_UNSPECIFIED if wide || transfer != Transfer::Gamma => Primaries::Bt2020,
        _ => Primaries::Bt709,
    };
    let matrix = match frame.colorspace {
        _ if wide => Matrix::Bt2020,
        ffi::AVCOL_SPC_BT709 => Matrix::Bt709,
        ffi::AVCOL_SPC_BT470BG | ffi::AVCOL_SPC_SMPTE170M | ffi::AVCOL_SPC_FCC => Matrix::Bt601,
        ffi::AVCOL_SPC_UNSPECIFIED if primaries == Primaries::Bt2020 => Matrix::Bt2020,
        ffi::AVCOL_SPC_UNSPECIFIED => Matrix::Bt709,
        // RGB and other formats.
        _ => return None,
    };
    let ours = transfer == Transfer::Gamma && primaries == Primaries::Bt709;
    (!ours).then_some(Kind { transfer, primaries, matrix, full, peak: None })
}

/// Returns the side data of this kind, if the frame has it.
fn beside<T: Copy>(frame: &ffi::AVFrame, kind: ffi::AVFrameSideDataType) -> Option<T> {
    // SAFETY: the call reads the list of a valid frame, and null is checked.
    let found = unsafe { ffi::av_frame_get_side_data(frame, kind).as_ref() }?;
    let data = found.data.cast::<T>();
    if data.is_null() || !data.is_aligned() || found.size < size_of::<T>() {
        return None;
    }
    // SAFETY: side data of this kind is this structure of plain numbers, with this size.
    Some(unsafe { *data })
}

/// Returns the declared peak in cd/m², limited by the peak of the mastering display.
fn declared_peak(frame: &ffi::AVFrame) -> Option<u16> {
    let level: Option<ffi::AVContentLightMetadata> =
        beside(frame, ffi::AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);
    let display: Option<ffi::AVMasteringDisplayMetadata> =
        beside(frame, ffi::AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);
    let display = display.filter(|it| it.has_luminance != 0).map(|it| it.max_luminance);
    let display = display.filter(|it| it.den > 0).map(|it| f64::from(it.num) / f64::from(it.den));
    let sane = |peak: f64| (1.0..=MAX_LUMINANCE).contains(&peak).then_some(peak);
    let peaks = [level.and_then(|it| sane(f64::from(it.MaxCLL))), display.and_then(sane)];
    peaks.into_iter().flatten().reduce(f64::min).map(|peak| peak as u16)
}

/// Returns a plane of 16-bit values with at least this many columns and rows.
fn plane(
    data: *const u8,
    stride: c_int,
    columns: usize,
    rows: usize,
) -> Result<(&'static [u16], usize), Problem> {
    let numbers = usize::try_from(stride).unwrap_or(0) / 2;
    let data = data.cast::<u16>();
    if data.is_null() || !data.is_aligned() || stride % 2 != 0 || numbers < columns || rows == 0 {
        return Err(problem!("decode-no-plane"));
    }
    let length = numbers * (rows - 1) + columns;
    // SAFETY: the plane of the library has this many rows with this stride, each with this many
    // values. `Mapper::show` uses it only while it borrows the frame.
    Ok((unsafe { std::slice::from_raw_parts(data, length) }, numbers))
}

impl Mapper {
    /// Returns the kind of a frame, if the frame needs conversion.
    pub fn kind(&mut self, frame: &ffi::AVFrame, full: bool) -> Option<Kind> {
        let kind = kind(frame, full)?;
        if kind.transfer != Transfer::Pq {
            return Some(kind);
        }
        self.peak = declared_peak(frame).or(self.peak);
        Some(Kind { peak: self.peak, ..kind })
    }

    /// Returns true if a frame's planes are supported: 4:2:0 with 10 bits, and rows from top to
    /// bottom.
    pub fn reads(frame: &ffi::AVFrame) -> bool {
        let down = frame.linesize.iter().take(3).all(|stride| *stride > 0 && stride % 2 == 0);
        cfg!(target_endian = "little") && frame.format == ffi::AV_PIX_FMT_YUV420P10LE && down
    }

    /// Converts a frame that [`Self::reads`] accepts and that is at least as large as `planes`.
    pub fn show(
        &mut self,
        kind: Kind,
        frame: &ffi::AVFrame,
        planes: &mut Planes,
    ) -> Result<(), Problem> {
        let size = planes.size();
        let (width, height) = (size.width as usize, size.height as usize);
        let [luma, cb, cr, ..] = frame.data;
        let [of_luma, of_cb, of_cr, ..] = frame.linesize;
        let from = TenBitPlanes([
            plane(luma, of_luma, width, height)?,
            plane(cb, of_cb, width / 2, height / 2)?,
            plane(cr, of_cr, width / 2, height / 2)?,
        ]);
        let workers = self.workers.get_or_insert_with(|| WorkerPool::of_this_machine("colours"));
        let table = match &mut self.table {
            Some(table) if table.kind() == kind => table,
            table => table.insert(Table::new(kind, workers)),
        };
        table.show(&from, planes, workers);
        Ok(())
    }
}
