//! Tests the values of every pixel format. Frames in the layout of the kernel's documentation, in
//! many sizes, with and without row padding, must give the original colors.

use std::time::Duration;

use super::*;
use crate::capture::camera::driver::{Layout, PlaneBytes};
use crate::capture::camera::pixel_format::{
    BayerOrder, Bits, Bytes, Chroma, ChromaOrder, PackedOrder, PlaneMemory, RgbOrder, Samples,
};
use crate::media::Size;
use crate::media::frame::Range;

/// The bytes of a plane, and its stride.
struct Laid {
    data: Vec<u8>,
    stride: u32,
}

/// A frame in a camera's pixel format.
struct TestFrame {
    planes: Vec<Laid>,
    color: Color,
}

impl TestFrame {
    fn raw(&self) -> RawFrame<'_> {
        let part = |index: usize| {
            let plane = self.planes.get(index);
            plane
                .map(|plane| PlaneBytes { data: &plane.data, stride: plane.stride })
                .unwrap_or_default()
        };
        let layout = Layout { stride: part(0).stride, color: self.color };
        let more = [part(1), part(2)];
        RawFrame { data: part(0).data, more, age: Duration::ZERO, layout }
    }

    fn turned(&self, pixel: Pixel, size: Size) -> Result<(Planes, Color), String> {
        let mut planes = Planes::black(size);
        // Makes unwritten pixels visible.
        planes.y.fill(1);
        planes.u.fill(1);
        planes.v.fill(1);
        let color = PixelConverter::default().turn(pixel, size, self.raw(), &mut planes)?;
        Ok((planes, color))
    }
}

/// Lays out a frame whose pixels have these three values (luma and chroma, or red, green and blue),
/// with this many extra bytes after each row (of luma).
fn lay(
    pixel: Pixel,
    size: Size,
    more: usize,
    color: Color,
    at: impl Fn(usize, usize) -> [u8; 3],
) -> TestFrame {
    let (width, height) = (size.width as usize, size.height as usize);
    let mut planes: Vec<Laid> = Vec::new();
    let mut plane = |together: bool, rows: Vec<Vec<u8>>, more: usize| {
        let stride = rows[0].len() + more;
        let mut data = Vec::new();
        for row in rows {
            data.extend(row);
            data.extend(vec![99; more]);
        }
        match planes.last_mut().filter(|_| together) {
            Some(last) => last.data.extend(data),
            None => planes.push(Laid { data, stride: stride as u32 }),
        }
    };
    let every = |row: &dyn Fn(usize) -> Vec<u8>, count: usize| -> Vec<Vec<u8>> {
        (0..count).map(row).collect()
    };
    let samples = |samples: Samples, of: &dyn Fn(usize) -> u8| -> Vec<u8> {
        let all: Vec<u8> = (0..width).map(of).collect();
        match samples {
            Samples::Eight => all,
            // The low bits are set: truncation must not round up.
            Samples::Wide(bits) => all
                .iter()
                .flat_map(|x| (u16::from(*x) << (bits - 8) | ((1 << (bits - 8)) - 1)).to_le_bytes())
                .collect(),
            Samples::High => all.iter().flat_map(|x| [*x, 0xFF]).collect(),
            Samples::Tens => {
                let mut row: Vec<u8> =
                    all.chunks(4).flat_map(|four| [four, &[0xFF]].concat()).collect();
                row.truncate((width * 10).div_ceil(8));
                row
            }
            Samples::Twelves => {
                let mut row: Vec<u8> =
                    all.chunks(2).flat_map(|two| [two, &[0xFF]].concat()).collect();
                row.truncate((width * 12).div_ceil(8));
                row
            }
        }
    };
    let each = |make: &dyn Fn([u8; 3]) -> Vec<u8>| -> Vec<Vec<u8>> {
        let row = |y: usize| (0..width).flat_map(|x| make(at(x, y))).collect::<Vec<u8>>();
        (0..height).map(row).collect()
    };
    match pixel.form() {
        PixelLayout::Quads => {
            let order: Vec<char> = pixel.name().chars().collect();
            let row = |y: usize| -> Vec<u8> {
                let pair = |pair: usize| {
                    // An odd last pixel has no neighbor.
                    let (left, right) = (at(pair * 2, y), at(pair * 2 + 1, y));
                    let mut lumas = [left[0], right[0]].into_iter();
                    let byte = |of: &char| match of {
                        'Y' => lumas.next().unwrap(),
                        'U' => left[1],
                        _ => left[2],
                    };
                    order.iter().map(byte).collect::<Vec<u8>>()
                };
                let mut row: Vec<u8> = (0..width.div_ceil(2)).flat_map(pair).collect();
                row.truncate(width * 2);
                row
            };
            plane(false, every(&row, height), more);
        }
        PixelLayout::Luma(kind) => {
            plane(false, every(&|y| samples(kind, &|x| at(x, y)[0]), height), more);
        }
        PixelLayout::Pairs(chroma, first, memory) => {
            plane(false, every(&|y| (0..width).map(|x| at(x, y)[0]).collect(), height), more);
            let (across, down) = steps(chroma);
            let order = if first == ChromaOrder::U { [1, 2] } else { [2, 1] };
            let row = |y: usize| -> Vec<u8> {
                let pair = |x: usize| order.map(|of| at(x * across, y * down)[of]);
                (0..width.div_ceil(across)).flat_map(pair).collect()
            };
            // The chroma plane has the same stride as luma, unless its rows are longer.
            let long = width.div_ceil(across) * 2;
            let apart = if across == 1 { (width + more) * 2 } else { width + more };
            let more = apart.max(long) - long;
            plane(memory == PlaneMemory::One, every(&row, height.div_ceil(down)), more);
        }
        PixelLayout::WidePairs => {
            let wide = |x: u8| [0xC0, x];
            let luma =
                |y: usize| -> Vec<u8> { (0..width).flat_map(|x| wide(at(x, y)[0])).collect() };
            plane(false, every(&luma, height), more);
            let row = |y: usize| -> Vec<u8> {
                let pair = |x: usize| [1, 2].map(|of| wide(at(x * 2, y * 2)[of])).concat();
                (0..width.div_ceil(2)).flat_map(pair).collect()
            };
            let long = width.div_ceil(2) * 4;
            let more = (width * 2 + more).max(long) - long;
            plane(true, every(&row, height.div_ceil(2)), more);
        }
        PixelLayout::Planes(chroma, first, memory) => {
            plane(false, every(&|y| (0..width).map(|x| at(x, y)[0]).collect(), height), more);
            let (across, down) = steps(chroma);
            for of in if first == ChromaOrder::U { [1, 2] } else { [2, 1] } {
                let long = width.div_ceil(across);
                let row = |y: usize| (0..long).map(|x| at(x * across, y * down)[of]).collect();
                let more = ((width + more) / across).max(long) - long;
                plane(memory == PlaneMemory::One, every(&row, height.div_ceil(down)), more);
            }
        }
        PixelLayout::Whole(order) => {
            let rows = each(&|[y, u, v]| match order {
                PackedOrder::Yuv => vec![y, u, v],
                PackedOrder::Yuvx => vec![y, u, v, 0],
                PackedOrder::Xyuv => vec![0, y, u, v],
                PackedOrder::Vuyx => vec![v, u, y, 0],
            });
            plane(false, rows, more);
        }
        PixelLayout::Rgb(bytes, ends) => {
            let rows = each(&|[r, g, b]| {
                let three = if ends == RgbOrder::Red { vec![r, g, b] } else { vec![b, g, r] };
                match bytes {
                    Bytes::Three => three,
                    Bytes::Fourth => [three, vec![0]].concat(),
                    Bytes::Skipped => [vec![0], three].concat(),
                }
            });
            plane(false, rows, more);
        }
        PixelLayout::Rgb16(bits) => {
            let rows = each(&|of| {
                let [r, g, b] = of.map(u16::from);
                match bits {
                    Bits::B565 => (r >> 3 << 11 | g >> 2 << 5 | b >> 3).to_le_bytes().to_vec(),
                    Bits::B565High => (r >> 3 << 11 | g >> 2 << 5 | b >> 3).to_be_bytes().to_vec(),
                    // The unused bit is set: it must not count as red.
                    Bits::B555 | Bits::B555High => {
                        let two: u16 = 1 << 15 | r >> 3 << 10 | g >> 3 << 5 | b >> 3;
                        if bits == Bits::B555 { two.to_le_bytes() } else { two.to_be_bytes() }
                            .to_vec()
                    }
                }
            });
            plane(false, rows, more);
        }
        PixelLayout::Bayer(order, kind) => {
            let seen = match order {
                BayerOrder::Bggr => [2, 1, 1, 0],
                BayerOrder::Gbrg => [1, 2, 0, 1],
                BayerOrder::Grbg => [1, 0, 2, 1],
                BayerOrder::Rggb => [0, 1, 1, 2],
            };
            let row = |y: usize| samples(kind, &|x| at(x, y)[seen[y % 2 * 2 + x % 2]]);
            plane(false, every(&row, height), more);
        }
        PixelLayout::Jpeg | PixelLayout::H264 => panic!("{pixel:?} is compressed"),
    }
    TestFrame { planes, color }
}

/// Returns the number of pixels that share a chroma value, horizontally and vertically.
fn steps(chroma: Chroma) -> (usize, usize) {
    match chroma {
        Chroma::C420 => (2, 2),
        Chroma::C422 => (2, 1),
        Chroma::C444 => (1, 1),
    }
}

/// Returns all formats of uncompressed pixels.
fn raw() -> impl Iterator<Item = Pixel> {
    let compressed = |pixel: &Pixel| matches!(pixel.form(), PixelLayout::Jpeg | PixelLayout::H264);
    Pixel::ALL.iter().copied().filter(move |pixel| !compressed(pixel))
}

/// The tested sizes: the smallest size, sizes that are not multiples of 4 or 8, sizes long enough
/// for fast paths, and odd sizes, whose last column or row is dropped.
const TESTED_SIZES: [Size; 11] = [
    Size::new(3, 3),
    Size::new(35, 2),
    Size::new(2, 7),
    Size::new(133, 5),
    Size::new(641, 3),
    Size::new(2, 2),
    Size::new(6, 2),
    Size::new(2, 10),
    Size::new(34, 6),
    Size::new(70, 4),
    Size::new(132, 4),
];

const FULL_RANGE_COLOR: Color = Color { range: Range::Full, ..Color::PROGRAM };
const LIMITED_RANGE_COLOR: Color = Color { range: Range::Limited, ..Color::WEBCAM };

/// Returns the reference conversion from full-range RGB to limited-range BT.709.
fn by_definition([r, g, b]: [u8; 3]) -> [u8; 3] {
    let [r, g, b] = [r, g, b].map(|x| f64::from(x) / 255.0);
    let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    let (u, v) = ((b - y) / 1.8556, (r - y) / 1.5748);
    [16.0 + 219.0 * y, 128.0 + 224.0 * u, 128.0 + 224.0 * v].map(|x| x.round() as u8)
}

#[test]
fn every_kind_has_its_colours_at_every_size() {
    let colours = [[200, 90, 30], [16, 128, 128], [255, 0, 255], [81, 90, 240], [0, 255, 7]];
    for pixel in raw() {
        for size in TESTED_SIZES {
            for more in [0, 6] {
                for (of, color) in colours
                    .iter()
                    .flat_map(|of| [(*of, FULL_RANGE_COLOR), (*of, LIMITED_RANGE_COLOR)])
                {
                    let frame = lay(pixel, size, more, color, |_, _| of);
                    let (planes, found) = frame.turned(pixel, size).unwrap();
                    let (want, off) = if pixel.is_rgb() {
                        assert_eq!(found, Color::PROGRAM, "{pixel:?}");
                        let expanded = |x: u8| {
                            let x = (f64::from(x) - 16.0) * 255.0 / 219.0;
                            x.round().clamp(0.0, 255.0) as u8
                        };
                        let coarse = |at: usize| match pixel.form() {
                            PixelLayout::Rgb16(Bits::B555 | Bits::B555High) => {
                                of[at] >> 3 << 3 | of[at] >> 5
                            }
                            PixelLayout::Rgb16(_) if at == 1 => of[at] >> 2 << 2 | of[at] >> 6,
                            PixelLayout::Rgb16(_) => of[at] >> 3 << 3 | of[at] >> 5,
                            _ => of[at],
                        };
                        let rgb = [0, 1, 2].map(coarse);
                        let rgb = if color.range == Range::Full { rgb } else { rgb.map(expanded) };
                        (by_definition(rgb), 1)
                    } else {
                        assert_eq!(found, color, "{pixel:?}: as the driver says");
                        let grey = matches!(pixel.form(), PixelLayout::Luma(_));
                        (if grey { [of[0], 128, 128] } else { of }, 0)
                    };
                    for (plane, want) in
                        [(&planes.y, want[0]), (&planes.u, want[1]), (&planes.v, want[2])]
                    {
                        let wrong = plane.iter().position(|x| x.abs_diff(want) > off);
                        let wrong = wrong.map(|at| (at, plane[at], want));
                        assert_eq!(wrong, None, "{pixel:?} {size}+{more} {of:?} {color:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn every_pixel_is_where_it_was() {
    // Blocks of four pixels: two alternating colors, and luma that increases within a block of YUV.
    for (pixel, size) in raw().flat_map(|pixel| {
        [(36, 8), (37, 8), (36, 9), (37, 9)].map(|(x, y)| (pixel, Size::new(x, y)))
    }) {
        let rgb = pixel.is_rgb();
        let at = |x: usize, y: usize| {
            let odd = (x / 4 + y / 4) % 2 == 1;
            match (rgb, odd) {
                (true, true) => [255, 16, 16],
                (true, false) => [16, 16, 255],
                (false, true) => [(x * 5 + y) as u8, 60, 200],
                (false, false) => [(x * 5 + y) as u8, 90, 30],
            }
        };
        let (planes, _) = lay(pixel, size, 6, FULL_RANGE_COLOR, at).turned(pixel, size).unwrap();
        // Colors of a sensor mix at their boundary.
        let bayer = matches!(pixel.form(), PixelLayout::Bayer(..));
        let inner = |at: usize, of: usize| !bayer || (1..of - 1).contains(&(at % of));
        let grey = matches!(pixel.form(), PixelLayout::Luma(_));
        for y in 0..8 {
            for x in (0..36).filter(|x| inner(*x, 4) && inner(y, 4)) {
                let of = at(x, y);
                let (want, off) = if rgb { (by_definition(of), 3) } else { (of, 0) };
                let got = planes.y[y * 36 + x];
                assert!(got.abs_diff(want[0]) <= off, "{pixel:?} at {x},{y}: {got}, {want:?}");
                let place = y / 2 * 18 + x / 2;
                let got = [planes.u[place], planes.v[place]];
                let near = got[0].abs_diff(want[1]) <= off && got[1].abs_diff(want[2]) <= off;
                assert!(grey || bayer || near, "{pixel:?} at {x},{y}: {got:?}, {want:?}");
            }
        }
    }
}

#[test]
fn finer_chroma_becomes_the_mean_of_four_or_two() {
    // Chroma that differs between all four pixels.
    let at = |x: usize, y: usize| {
        [50, [10, 20, 40, 70][y % 2 * 2 + x % 2], [90, 80, 60, 31][y % 2 * 2 + x % 2]]
    };
    for pixel in raw() {
        let chroma = match pixel.form() {
            PixelLayout::Pairs(chroma, ..) | PixelLayout::Planes(chroma, ..) => chroma,
            PixelLayout::Whole(_) => Chroma::C444,
            _ => continue,
        };
        let size = Size::new(34, 4);
        let (planes, _) = lay(pixel, size, 4, FULL_RANGE_COLOR, at).turned(pixel, size).unwrap();
        let want = match chroma {
            Chroma::C420 => (10, 90),
            Chroma::C422 => (25, 75),
            Chroma::C444 => (35, 65),
        };
        let all = |plane: &[u8], want: u8| plane.iter().all(|x| *x == want);
        let right = all(&planes.u, want.0) && all(&planes.v, want.1);
        assert!(right, "{pixel:?}: {} {}, not {want:?}", planes.u[0], planes.v[0]);
    }
}

#[test]
fn a_frame_that_is_too_short_is_an_error_of_every_kind() {
    for pixel in raw() {
        for size in TESTED_SIZES {
            for more in [0, 6] {
                let whole = lay(pixel, size, more, FULL_RANGE_COLOR, |_, _| [100; 3]);
                for plane in 0..whole.planes.len() {
                    let mut frame = lay(pixel, size, more, FULL_RANGE_COLOR, |_, _| [100; 3]);
                    let data = &mut frame.planes[plane].data;
                    data.pop();
                    assert!(frame.turned(pixel, size).is_err(), "{pixel:?} {size}");
                    frame.planes[plane].data.clear();
                    assert!(frame.turned(pixel, size).is_err(), "{pixel:?} {size}");
                    frame.planes[plane].stride = u32::MAX;
                    assert!(frame.turned(pixel, size).is_err(), "{pixel:?} {size}");
                    frame.planes.truncate(plane);
                    assert!(frame.turned(pixel, size).is_err(), "{pixel:?} {size}");
                }
            }
            // Extra data at the end is common.
            let mut frame = lay(pixel, size, 0, FULL_RANGE_COLOR, |_, _| [100; 3]);
            for plane in &mut frame.planes {
                plane.data.extend([7; 33]);
            }
            assert!(frame.turned(pixel, size).is_ok(), "{pixel:?} {size}");
        }
    }
}

#[test]
fn what_is_no_frame_is_an_error_of_every_kind() {
    let size = Size::new(64, 64);
    for data in [&b""[..], b"\xFF\xD8\xFF\xD9", &[0xFF; 300], &[0; 5]] {
        for pixel in Pixel::ALL {
            for stride in [0, 1, 64, u32::MAX] {
                let planes = vec![Laid { data: data.to_vec(), stride }];
                let frame = TestFrame { planes, color: LIMITED_RANGE_COLOR };
                assert!(frame.turned(*pixel, size).is_err(), "{pixel:?}");
            }
        }
    }
}
