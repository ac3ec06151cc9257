//! Alpha planes: what is made of them on the way through filters.

/// `value · by / 255`, rounded.
pub(super) fn times(value: u8, by: u8) -> u8 {
    let product = u16::from(value) * u16::from(by) + 128;
    ((product + (product >> 8)) >> 8) as u8
}

/// Multiplies a plane by another, or leaves it where there is none.
pub(super) fn multiply(plane: &mut [u8], by: Option<&Vec<u8>>) {
    for (value, by) in plane.iter_mut().zip(by.into_iter().flatten()) {
        *value = times(*value, *by);
    }
}

/// A plane of half the width and height, drawn out to the full ones: each new pixel is three parts
/// of the nearest old one and one of the next, each way.
#[derive(Debug, Default)]
pub(super) struct Doubler {
    row: Vec<u16>,
}

impl Doubler {
    /// `small` has rows of `width` pixels, `out` twice as many rows of twice the width.
    pub fn double(&mut self, small: &[u8], width: usize, out: &mut [u8]) {
        let width = width.max(1);
        // A column of air at either side.
        self.row.resize(width + 2, 0);
        let count = small.len() / width;
        let line = |row: usize| small.get(row * width..(row + 1) * width).unwrap_or_default();
        for (index, out) in out.chunks_exact_mut(width * 2).enumerate() {
            let near = (index / 2).min(count.saturating_sub(1));
            let far = if index % 2 == 0 { near.saturating_sub(1) } else { near + 1 };
            let far = far.min(count.saturating_sub(1));
            let inner = self.row.iter_mut().skip(1);
            for ((mixed, near), far) in inner.zip(line(near)).zip(line(far)) {
                *mixed = u16::from(*near) * 3 + u16::from(*far);
            }
            if let [first, second, .., last_but_one, last] = self.row.as_mut_slice() {
                *first = *second;
                *last = *last_but_one;
            } else if let [first, only, last] = self.row.as_mut_slice() {
                (*first, *last) = (*only, *only);
            }
            for (out, around) in out.chunks_exact_mut(2).zip(self.row.windows(3)) {
                if let (&mut [ref mut left, ref mut right], &[before, here, after]) = (out, around)
                {
                    *left = ((here * 3 + before + 8) >> 4) as u8;
                    *right = ((here * 3 + after + 8) >> 4) as u8;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubling_keeps_what_is_even_and_softens_steps() {
        let mut doubler = Doubler::default();
        let mut out = vec![1; 16];
        doubler.double(&[200; 4], 2, &mut out);
        assert_eq!(out, [200; 16]);
        let mut out = vec![0; 8];
        doubler.double(&[0, 255], 2, &mut out);
        assert_eq!(out, [0, 64, 191, 255, 0, 64, 191, 255]);
        let mut out = vec![0; 4];
        doubler.double(&[77], 1, &mut out);
        assert_eq!(out, [77; 4]);
    }

    #[test]
    fn multiplying_is_exact_at_its_ends() {
        for value in 0..=255 {
            assert_eq!((times(value, 255), times(value, 0)), (value, 0));
        }
    }
}
