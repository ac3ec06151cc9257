//! The rows of a frame in the driver's memory.

use crate::capture::camera::driver::{PlaneBytes, RawFrame};
use crate::media::Size;

/// The remaining memory of a frame, which is read plane by plane.
pub(super) struct Rows<'a> {
    width: usize,
    height: usize,
    rest: &'a [u8],
    whole: usize,
    stride: usize,
    more: std::array::IntoIter<PlaneBytes<'a>, 2>,
}

impl<'a> Rows<'a> {
    /// Returns the rows of a frame with this size.
    pub(super) fn of(raw: &RawFrame<'a>, size: Size) -> Self {
        Self {
            width: size.width as usize,
            height: size.height as usize,
            rest: raw.data,
            whole: raw.data.len(),
            stride: raw.layout.stride as usize,
            more: raw.more.into_iter(),
        }
    }

    /// Rows without padding in one memory block.
    pub(super) fn tight(data: &'a [u8], size: Size) -> Self {
        let more = [PlaneBytes::default(); 2].into_iter();
        let (width, height) = (size.width as usize, size.height as usize);
        Self { width, height, rest: data, whole: data.len(), stride: 0, more }
    }

    /// Returns the width and height of the frame, which may be odd. If the width is odd, the rows
    /// are longer than those of the planes.
    pub(super) const fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Switches to the next memory block, which contains the next planes.
    pub(super) fn turn_over(&mut self) {
        let part = self.more.next().unwrap_or_default();
        self.rest = part.data;
        self.whole = part.data.len();
        self.stride = part.stride as usize;
    }

    /// Sets the stride of the next planes in the same memory to `by` / `over` of the previous one.
    pub(super) fn stretch(&mut self, by: usize, over: usize) {
        self.stride = self.stride.saturating_mul(by) / over.max(1);
    }

    /// Returns the next plane of `height` rows, with its stride. `row` is the number of bytes of a
    /// row.
    pub(super) fn plane(&mut self, row: usize, height: usize) -> Result<(&'a [u8], usize), String> {
        let stride = self.stride.max(row);
        let used = self.whole - self.rest.len();
        let wanted = stride.saturating_mul(height);
        match self.rest.split_at_checked(wanted) {
            Some((plane, rest)) => {
                self.rest = rest;
                Ok((plane, stride))
            }
            None => Err(short(self.whole, used.saturating_add(wanted))),
        }
    }

    /// Returns the next plane, row by row.
    pub(super) fn rows(
        &mut self,
        row: usize,
        height: usize,
    ) -> Result<impl Iterator<Item = &'a [u8]> + use<'a>, String> {
        let (plane, stride) = self.plane(row, height)?;
        Ok(plane.chunks_exact(stride).map(move |line| line.get(..row).unwrap_or(line)))
    }
}

fn short(length: usize, wanted: usize) -> String {
    format!("{length} bytes in a frame instead of {wanted}")
}
