//! Converts camera frames to I420 in one step.

mod bayer;
#[cfg(test)]
mod every_format_tests;
mod jpeg;
mod rgb;
mod rows;
mod yuv;

use crate::capture::camera::convert::bayer::Demosaic;
use crate::capture::camera::convert::jpeg::Jpegs;
use crate::capture::camera::convert::rows::Rows;
use crate::capture::camera::driver::RawFrame;
use crate::capture::camera::pixel_format::{Pixel, PixelLayout};
use crate::media::{Color, Planes, Size};

/// The pixel converter of one camera.
#[derive(Default)]
pub(in crate::capture) struct PixelConverter {
    jpegs: Jpegs,
    demosaic: Demosaic,
    /// Two rows of RGB.
    scratch: Vec<u8>,
}

impl PixelConverter {
    /// Fills `planes` with a frame of this size, without an odd last column or row. Returns an
    /// error text for an invalid frame.
    pub(in crate::capture) fn turn(
        &mut self,
        pixel: Pixel,
        size: Size,
        raw: RawFrame<'_>,
        planes: &mut Planes,
    ) -> Result<Color, String> {
        let color = raw.layout.color;
        let rows = &mut Rows::of(&raw, size);
        match pixel.form() {
            PixelLayout::Quads => yuv::quads(pixel, rows, planes)?,
            PixelLayout::Pairs(chroma, first, memory) => {
                yuv::pairs((chroma, first, memory), rows, planes)?;
            }
            PixelLayout::WidePairs => yuv::wide_pairs(rows, planes)?,
            PixelLayout::Planes(chroma, first, memory) => {
                yuv::planar((chroma, first, memory), rows, planes)?;
            }
            PixelLayout::Whole(order) => yuv::whole(order, rows, planes)?,
            PixelLayout::Luma(samples) => {
                yuv::luma(samples, rows, planes)?;
                yuv::colourless(planes);
            }
            // RGB is converted to the program's color space.
            PixelLayout::Rgb(bytes, ends) => {
                rgb::bytes((bytes, ends, color.range), rows, &mut self.scratch, planes)?;
                return Ok(Color::PROGRAM);
            }
            PixelLayout::Rgb16(bits) => {
                rgb::bits((bits, color.range), rows, &mut self.scratch, planes)?;
                return Ok(Color::PROGRAM);
            }
            PixelLayout::Bayer(order, samples) => {
                let kind = (order, samples, color.range);
                self.demosaic.turn(kind, rows, &mut self.scratch, planes)?;
                return Ok(Color::PROGRAM);
            }
            // H.264 frames depend on earlier ones.
            PixelLayout::H264 => return Err("H.264 without a decoder".to_owned()),
            PixelLayout::Jpeg => {
                self.jpegs.turn(raw.data, size, planes)?;
                return Ok(Color::JPEG);
            }
        }
        Ok(color)
    }
}
