//! Planes as the converting library fills them, and RGB on its way into the program's colours.

use yuv::{
    BufferStoreMut, YuvConversionMode, YuvError, YuvPlanarImageMut, YuvRange, YuvStandardMatrix,
};

use crate::media::Size;

/// A function of the library that turns RGB.
pub(super) type Turn = fn(
    &mut YuvPlanarImageMut<'_, u8>,
    &[u8],
    u32,
    YuvRange,
    YuvStandardMatrix,
    YuvConversionMode,
) -> Result<(), YuvError>;

/// Three planes of this size, 4:2:0 with nothing between their rows.
pub(super) fn three_planes<'a>(
    Size { width, height }: Size,
    [y, u, v]: [&'a mut [u8]; 3],
) -> YuvPlanarImageMut<'a, u8> {
    YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(y),
        y_stride: width,
        u_plane: BufferStoreMut::Borrowed(u),
        u_stride: width / 2,
        v_plane: BufferStoreMut::Borrowed(v),
        v_stride: width / 2,
        width,
        height,
    }
}

/// RGB in full range, whose rows are `stride` bytes apart, into BT.709 in limited range.
pub(super) fn turned(
    turn: Turn,
    data: &[u8],
    stride: usize,
    planes: &mut YuvPlanarImageMut<'_, u8>,
) -> Result<(), String> {
    let (range, matrix) = (YuvRange::Limited, YuvStandardMatrix::Bt709);
    turn(planes, data, stride as u32, range, matrix, YuvConversionMode::Balanced)
        .map_err(|fault| fault.to_string())
}
