//! Reads LUTs in the `.cube` format (Adobe's Cube LUT Specification 1.0, with the ranges that
//! Resolve writes): one-dimensional LUTs of up to 4,096 lines, and three-dimensional LUTs of up to
//! 65 points per side. This module is pure. The length of the input text bounds its work.

use crate::text::problem::{Problem, problem};

/// Maximum number of points per side.
const MAX_3D_LUT_POINTS: usize = 65;
/// Maximum number of lines of a one-dimensional LUT.
const MAX_1D_LUT_LINES: usize = 4_096;
/// Maximum absolute value of a valid color.
const MAX_VALUE: f32 = 1_000.0;

/// Maximum length of a LUT file in bytes.
pub const MAX_BYTES: u64 = 24 << 20;

/// A LUT as read from its file.
#[derive(Clone, Debug, PartialEq)]
pub struct Cube {
    /// The number of points per side.
    size: usize,
    /// True for one table per channel. Otherwise, red varies fastest, then green, then blue.
    one_dimensional: bool,
    low: [f32; 3],
    high: [f32; 3],
    colors: Vec<[f32; 3]>,
}

/// Parses exactly three numbers.
fn three<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<[f32; 3]> {
    let mut number = || words.next()?.parse::<f32>().ok().filter(|it| it.abs() <= MAX_VALUE);
    let three = [number()?, number()?, number()?];
    words.next().is_none().then_some(three)
}

impl Cube {
    /// Parses a LUT.
    ///
    /// # Errors
    /// Fails with the problem and the line number.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let mut kind: Option<(bool, usize)> = None;
        let (mut low, mut high) = ([0.0; 3], [1.0; 3]);
        let mut colors = Vec::new();
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            let fault = |what: Problem| problem!("lut-line", line = number + 1, what = what);
            let mut words = line.split_ascii_whitespace();
            let Some(first) = words.next() else { continue };
            match first {
                _ if first.starts_with('#') => {}
                "TITLE" => {}
                "LUT_1D_SIZE" | "LUT_3D_SIZE" => {
                    let flat = first == "LUT_1D_SIZE";
                    let most = if flat { MAX_1D_LUT_LINES } else { MAX_3D_LUT_POINTS };
                    let size = words.next().and_then(|word| word.parse().ok());
                    let size = size.filter(|size| (2..=most).contains(size));
                    let size = size.ok_or_else(|| fault(problem!("lut-size", most = most)))?;
                    if kind.replace((flat, size)).is_some() {
                        return Err(fault(problem!("lut-second-size")));
                    }
                }
                "DOMAIN_MIN" | "DOMAIN_MAX" => {
                    let ends =
                        three(words).ok_or_else(|| fault(problem!("lut-numbers", count = 3)))?;
                    *(if first == "DOMAIN_MIN" { &mut low } else { &mut high }) = ends;
                }
                "LUT_1D_INPUT_RANGE" | "LUT_3D_INPUT_RANGE" => {
                    let ends = three(words.chain(["0"]))
                        .ok_or_else(|| fault(problem!("lut-numbers", count = 2)))?;
                    let [from, to, _] = ends;
                    (low, high) = ([from; 3], [to; 3]);
                }
                // Other words are notes from the program that wrote the file.
                _ if first.starts_with(|it: char| it.is_ascii_alphabetic())
                    && !first.to_ascii_lowercase().starts_with("nan")
                    && !first.to_ascii_lowercase().starts_with("inf") => {}
                _ => {
                    let (flat, size) = kind.ok_or_else(|| fault(problem!("lut-early")))?;
                    let count = if flat { size } else { size * size * size };
                    if colors.len() >= count {
                        return Err(fault(problem!("lut-too-many", count = count)));
                    }
                    let color = three(line.split_ascii_whitespace());
                    colors.push(color.ok_or_else(|| fault(problem!("lut-numbers", count = 3)))?);
                }
            }
        }
        let (one_dimensional, size) = kind.ok_or_else(|| problem!("lut-no-size"))?;
        let count = if one_dimensional { size } else { size * size * size };
        if colors.len() != count {
            return Err(problem!("lut-count", count = colors.len(), wanted = count));
        }
        if low.iter().zip(&high).any(|(low, high)| high - low < 1e-6) {
            return Err(problem!("lut-domain"));
        }
        Ok(Self { size, one_dimensional, low, high, colors })
    }

    /// Maps a color (1 is white) with linear interpolation. In three dimensions, the interpolation
    /// is within a tetrahedron.
    pub fn map(&self, color: [f32; 3]) -> [f32; 3] {
        let last = self.size - 1;
        let mut cell = [0_usize; 3];
        let mut part = [0.0_f32; 3];
        let axes = color.iter().zip(&self.low).zip(&self.high);
        for ((cell, part), ((value, low), high)) in cell.iter_mut().zip(&mut part).zip(axes) {
            let at = ((value - low) / (high - low)).clamp(0.0, 1.0) * last as f32;
            *cell = (at as usize).min(last - 1);
            *part = at - *cell as f32;
        }
        let [r, g, b] = cell;
        let [x, y, z] = part;
        if self.one_dimensional {
            let line = |index: usize, part: f32, channel: usize| {
                let of = |index: usize| {
                    let color = self.colors.get(index).and_then(|it| it.get(channel));
                    color.copied().unwrap_or(0.0)
                };
                of(index) + (of(index + 1) - of(index)) * part
            };
            return [line(r, x, 0), line(g, y, 1), line(b, z, 2)];
        }
        let at = |dr: usize, dg: usize, db: usize| {
            let index = ((b + db) * self.size + g + dg) * self.size + r + dr;
            self.colors.get(index).copied().unwrap_or([0.0; 3])
        };
        // The path goes from one corner to the opposite one, along the axes in the order of their
        // fractions.
        let (first, second, parts) = if x >= y && y >= z {
            (at(1, 0, 0), at(1, 1, 0), [x, y, z])
        } else if x >= z && z >= y {
            (at(1, 0, 0), at(1, 0, 1), [x, z, y])
        } else if z >= x && x >= y {
            (at(0, 0, 1), at(1, 0, 1), [z, x, y])
        } else if y >= x && x >= z {
            (at(0, 1, 0), at(1, 1, 0), [y, x, z])
        } else if y >= z && z >= x {
            (at(0, 1, 0), at(0, 1, 1), [y, z, x])
        } else {
            (at(0, 0, 1), at(0, 1, 1), [z, y, x])
        };
        let [p, q, s] = parts;
        let corners = [(at(0, 0, 0), 1.0 - p), (first, p - q), (second, q - s), (at(1, 1, 1), s)];
        let mut out = [0.0; 3];
        for (corner, weight) in corners {
            out.iter_mut().zip(corner).for_each(|(out, value)| *out += value * weight);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn three_dimensional(size: usize, map: impl Fn([f32; 3]) -> [f32; 3]) -> String {
        let mut text = format!("TITLE \"Look\"\n# a note\nLUT_3D_SIZE {size}\n");
        let step = |index: usize| index as f32 / (size - 1) as f32;
        for b in 0..size {
            for g in 0..size {
                for r in 0..size {
                    let [r, g, b] = map([step(r), step(g), step(b)]);
                    text.push_str(&format!("{r:.6} {g:.6} {b:.6}\n"));
                }
            }
        }
        text
    }

    #[test]
    fn between_its_steps_a_straight_map_is_exact() {
        let swap = |[r, g, b]: [f32; 3]| [b * 0.5 + 0.1, r, 1.0 - g];
        let cube = Cube::parse(&three_dimensional(5, swap)).unwrap();
        for color in [[0.0; 3], [1.0; 3], [0.3, 0.61, 0.87], [0.9, 0.2, 0.5], [0.1, 0.4, 0.2]] {
            let (have, want) = (cube.map(color), swap(color));
            assert!(have.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-4), "{have:?} {want:?}");
        }
        let flat = "LUT_1D_SIZE 3\nDOMAIN_MIN 0 0 0\nDOMAIN_MAX 2 1 1\n0 0 1\n0.5 1 0.5\n1 0 0\n";
        let cube = Cube::parse(flat).unwrap();
        assert_eq!(cube.map([1.0, 0.25, 0.5]), [0.5, 0.5, 0.5]);
        let ranged =
            "\u{feff}LUT_3D_INPUT_RANGE 0.0 4.0\r\n".to_owned() + &three_dimensional(2, |it| it);
        assert_eq!(Cube::parse(&ranged).unwrap().map([1.0, 2.0, 4.0]), [0.25, 0.5, 1.0]);
    }

    #[test]
    fn errors_in_a_lut_are_named() {
        for (text, word) in [
            ("", "LUT_"),
            ("LUT_3D_SIZE 66\n", "2 to 65"),
            ("LUT_3D_SIZE 1\n", "2 to 65"),
            ("LUT_3D_SIZE 99999999999999999999\n", "2 to 65"),
            ("LUT_1D_SIZE 4097\n", "2 to 4096"),
            ("LUT_1D_SIZE 2\nLUT_3D_SIZE 2\n", "twice"),
            ("0 0 0\nLUT_1D_SIZE 2\n", "before"),
            ("LUT_1D_SIZE 2\n0 0 0\n", "expected 2 colors, but found 1"),
            ("LUT_1D_SIZE 2\n0 0 0\n1 1 1\n2 2 2\n", "more than 2"),
            ("LUT_1D_SIZE 2\n0 0\n1 1 1\n", "line 2"),
            ("LUT_1D_SIZE 2\n0 0 0 0\n1 1 1\n", "line 2"),
            ("LUT_1D_SIZE 2\nnan 0 0\n1 1 1\n", "line 2"),
            ("LUT_1D_SIZE 2\n0 inf 0\n1 1 1\n", "line 2"),
            ("LUT_1D_SIZE 2\n0 1e30 0\n1 1 1\n", "line 2"),
            ("LUT_1D_SIZE 2\nDOMAIN_MIN 1 1 1\n0 0 0\n1 1 1\n", "empty"),
        ] {
            let why = Cube::parse(text).unwrap_err();
            assert!(why.to_string().contains(word), "{text:?}: {why}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_table_or_a_reason(
            text in "(LUT_(1|3)D_SIZE [0-9]{1,3}\n|DOMAIN_M(IN|AX) |TITLE|#|nan |-?[0-9.e]{1,6} |\n)*",
            color in prop::array::uniform3(prop::num::f32::ANY),
        ) {
            if let Ok(cube) = Cube::parse(&text) {
                cube.map(color);
            }
        }

        #[test]
        fn a_small_table_maps_any_colour(
            values in prop::collection::vec(-2.0_f32..2.0, 24),
            color in prop::array::uniform3(prop::num::f32::ANY),
        ) {
            let mut text = "LUT_3D_SIZE 2\n".to_owned();
            for three in values.chunks(3) {
                text.push_str(&format!("{} {} {}\n", three[0], three[1], three[2]));
            }
            let out = Cube::parse(&text).unwrap().map(color);
            prop_assert!(color.iter().any(|it| it.is_nan()) || out.iter().all(|it| it.abs() < 2.1));
        }
    }
}
