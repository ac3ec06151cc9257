//! Reads Y4M (YUV4MPEG2) files of ffmpeg and mjpegtools. Such a file has one text line of
//! parameters, and then frames, each with a text line and raw planes. The reader supports 8 bits in
//! 4:2:0, 4:2:2, 4:4:4 or gray. Lengths are checked before memory is allocated for them.

use std::io::{BufRead, Read, Seek, SeekFrom};
use std::time::Duration;

use crate::capture::camera::convert::PixelConverter;
use crate::capture::camera::driver::{Layout, PlaneBytes, RawFrame};
use crate::capture::camera::pixel_format::Pixel;
use crate::media::frame::Range;
use crate::media::{Color, FrameRate, Planes, Size};
use crate::text::problem::{Problem, problem};

/// Maximum length of a parameter line, in bytes.
const MAX_PARAMETER_LINE_BYTES: u64 = 1_024;
/// Maximum number of frames in a file whose frames have separate parameters.
const MAX_FRAMES: usize = 4_000_000;

/// The reason why a file cannot be played.
#[derive(Debug, thiserror::Error)]
#[error("{}", Problem::from(self))]
pub(in crate::capture) enum Error {
    Io(#[from] std::io::Error),
    NotY4m,
    Header(String),
    Pixels(String),
    Empty,
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::Io(error) => error.into(),
            Error::NotY4m => problem!("y4m-none"),
            Error::Header(what) => problem!("y4m-damaged", what = what),
            Error::Pixels(format) => problem!("y4m-format", format = format),
            Error::Empty => problem!("y4m-empty"),
        }
    }
}

/// The parameters of the first line.
#[derive(Clone, Debug, PartialEq)]
struct Header {
    width: usize,
    height: usize,
    rate: FrameRate,
    pixel: Pixel,
    color: Color,
    /// Length of the line, in bytes.
    length: u64,
}

/// A file that can be read frame by frame, from any frame on.
#[derive(Debug)]
pub(in crate::capture) struct Reader<R> {
    source: R,
    header: Header,
    frames: Frames,
    raw: Vec<u8>,
}

/// The positions of the frames' planes.
#[derive(Debug)]
enum Frames {
    /// All frames begin with a plain `FRAME` line.
    Even {
        count: u64,
    },
    At(Vec<u64>),
}

impl<R: BufRead + Seek> Reader<R> {
    /// Reads the header and finds the frames.
    pub(in crate::capture) fn open(mut source: R) -> Result<Self, Error> {
        let header = read_header(&mut source)?;
        let length = source.seek(SeekFrom::End(0))?;
        let record = header.frame_bytes() as u64 + 6;
        let body = length.saturating_sub(header.length);
        let frames = if body.is_multiple_of(record) && is_bare(&mut source, header.length)? {
            Frames::Even { count: body / record }
        } else {
            Frames::At(scan(&mut source, &header, length)?)
        };
        let reader = Self { source, header, frames, raw: Vec::new() };
        if reader.frames() == 0 { Err(Error::Empty) } else { Ok(reader) }
    }

    /// Returns the number of frames in the file, at least 1.
    pub(in crate::capture) fn frames(&self) -> u64 {
        match &self.frames {
            Frames::Even { count } => *count,
            Frames::At(places) => places.len() as u64,
        }
    }

    /// Returns the frame rate of the file.
    pub(in crate::capture) fn rate(&self) -> FrameRate {
        self.header.rate
    }

    /// Returns the output size: the file's size, with an odd width or height reduced by one.
    pub(in crate::capture) fn size(&self) -> Size {
        let even = |side: usize| (side & !1) as u32;
        Size::new(even(self.header.width), even(self.header.height))
    }

    /// Returns the color space. Y4M does not specify the matrix, so the program's matrix is
    /// assumed.
    pub(in crate::capture) fn color(&self) -> Color {
        self.header.color
    }

    /// Reads a frame into planes of [`Reader::size`].
    pub(in crate::capture) fn read(
        &mut self,
        frame: u64,
        planes: &mut Planes,
    ) -> Result<(), Error> {
        let bytes = self.header.frame_bytes();
        let start = match &self.frames {
            Frames::Even { .. } => self.header.length + frame * (bytes as u64 + 6) + 6,
            Frames::At(places) => {
                let place = usize::try_from(frame).ok().and_then(|frame| places.get(frame));
                *place.ok_or(Error::Empty)?
            }
        };
        // Frames are consecutive: a relative seek keeps the reader's buffer.
        let here = self.source.stream_position()?;
        let ahead = i64::try_from(start).unwrap_or(i64::MAX) - i64::try_from(here).unwrap_or(0);
        self.source.seek_relative(ahead)?;
        let Header { width, height, pixel, .. } = self.header;
        if pixel == Pixel::Yuv420m && width.is_multiple_of(2) && height.is_multiple_of(2) {
            self.source.read_exact(&mut planes.y)?;
            self.source.read_exact(&mut planes.u)?;
            self.source.read_exact(&mut planes.v)?;
            return Ok(());
        }
        self.raw.resize(bytes, 0);
        self.source.read_exact(&mut self.raw)?;
        self.convert(planes)
    }

    /// Converts the data to 4:2:0 with an even width and height.
    fn convert(&self, planes: &mut Planes) -> Result<(), Error> {
        let Header { width, height, pixel, color, .. } = self.header;
        let (data, chroma) = self.raw.split_at((width * height).min(self.raw.len()));
        let (u, v) = chroma.split_at(chroma.len() / 2);
        let more = [u, v].map(|data| PlaneBytes { data, stride: 0 });
        let layout = Layout { stride: 0, color };
        let raw = RawFrame { data, more, age: Duration::ZERO, layout };
        let size = Size::new(width as u32, height as u32);
        let converted = PixelConverter::default().turn(pixel, size, raw, planes);
        converted.map(drop).map_err(Error::Header)
    }
}

impl Header {
    fn frame_bytes(&self) -> usize {
        let (width, height) = (self.width, self.height);
        let chroma = match self.pixel {
            Pixel::Yuv420m => width.div_ceil(2) * height.div_ceil(2),
            Pixel::Yuv422m => width.div_ceil(2) * height,
            Pixel::Yuv444m => width * height,
            _ => 0,
        };
        width * height + 2 * chroma
    }
}

/// Reads one line without its end. Fails if the line is too long.
fn line(source: &mut impl BufRead) -> Result<String, Error> {
    let mut bytes = Vec::new();
    source.take(MAX_PARAMETER_LINE_BYTES).read_until(b'\n', &mut bytes)?;
    if bytes.pop() != Some(b'\n') {
        return Err(Error::Header("a line without an end".to_owned()));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn read_header(source: &mut impl BufRead) -> Result<Header, Error> {
    let mut magic = [0; 9];
    source.read_exact(&mut magic).map_err(|_| Error::NotY4m)?;
    if &magic != b"YUV4MPEG2" {
        return Err(Error::NotY4m);
    }
    let text = line(source)?;
    let (mut width, mut height, mut rate, mut pixel) = (0, 0, None, Pixel::Yuv420m);
    let mut color = Color::PROGRAM;
    for word in text.split_ascii_whitespace() {
        let mut letters = word.chars();
        let (tag, value) = (letters.next(), letters.as_str());
        let bad = || Error::Header(format!("'{}'", word.escape_debug()));
        match tag {
            Some('W') => width = value.parse().map_err(|_| bad())?,
            Some('H') => height = value.parse().map_err(|_| bad())?,
            Some('F') => {
                let (num, den) = value.split_once(':').ok_or_else(bad)?;
                let pair = num.parse().ok().zip(den.parse().ok());
                rate = pair.and_then(|(num, den)| FrameRate::new(num, den));
                rate.ok_or_else(bad)?;
            }
            Some('C') => {
                pixel = match value {
                    "420" | "420jpeg" | "420mpeg2" | "420paldv" => Pixel::Yuv420m,
                    "422" => Pixel::Yuv422m,
                    "444" => Pixel::Yuv444m,
                    "mono" => Pixel::Grey,
                    _ => return Err(Error::Pixels(value.escape_debug().to_string())),
                }
            }
            Some('X') if value == "COLORRANGE=FULL" => color.range = Range::Full,
            _ => {}
        }
    }
    let side = 2..=Size::MAX_SIDE as usize;
    if !side.contains(&width) || !side.contains(&height) {
        return Err(Error::Header(format!("a size of {width}x{height}")));
    }
    let rate = rate.ok_or_else(|| Error::Header("no frame rate".to_owned()))?;
    let length = magic.len() as u64 + text.len() as u64 + 1;
    Ok(Header { width, height, rate, pixel, color, length })
}

/// Returns true if the frame at `start` begins with a plain `FRAME`.
fn is_bare<R: Read + Seek>(source: &mut R, start: u64) -> Result<bool, Error> {
    source.seek(SeekFrom::Start(start))?;
    let mut first = [0; 6];
    Ok(source.read_exact(&mut first).is_ok() && &first == b"FRAME\n")
}

/// Finds the frames one by one.
fn scan<R: BufRead + Seek>(
    source: &mut R,
    header: &Header,
    length: u64,
) -> Result<Vec<u64>, Error> {
    let mut places = Vec::new();
    let mut at = header.length;
    while places.len() < MAX_FRAMES {
        source.seek(SeekFrom::Start(at))?;
        let Ok(text) = line(source) else { break };
        if !text.starts_with("FRAME") {
            break;
        }
        let planes = source.stream_position()?;
        at = planes + header.frame_bytes() as u64;
        // A truncated last frame is ignored.
        if at > length {
            break;
        }
        places.push(planes);
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn file(header: &str, frame: &str, frames: &[&[u8]]) -> Cursor<Vec<u8>> {
        let mut bytes = format!("{header}\n").into_bytes();
        for planes in frames {
            bytes.extend_from_slice(frame.as_bytes());
            bytes.push(b'\n');
            bytes.extend_from_slice(planes);
        }
        Cursor::new(bytes)
    }

    fn planes(reader: &mut Reader<Cursor<Vec<u8>>>, frame: u64) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
        let mut planes = Planes::black(reader.size());
        reader.read(frame, &mut planes).unwrap();
        (planes.y, planes.u, planes.v)
    }

    #[test]
    fn every_subsampling_becomes_420() {
        let y = [10, 20, 30, 40, 50, 60, 70, 80];
        let cases: [(&str, &[u8], &[u8]); 5] = [
            ("C420jpeg", &[1, 2], &[3, 4]),
            ("", &[1, 2], &[3, 4]),
            ("C422", &[0, 1, 2, 3], &[2, 4, 4, 4]),
            ("C444", &[1, 1, 2, 2, 1, 1, 2, 2], &[3, 3, 4, 4, 3, 3, 4, 4]),
            ("Cmono", &[], &[]),
        ];
        for (tag, u, v) in cases {
            let frame = [&y[..], u, v].concat();
            let head = format!("YUV4MPEG2 W4 H2 F30000:1001 Ip A1:1 {tag}");
            for line in ["FRAME", "FRAME Ip"] {
                let mut reader = Reader::open(file(&head, line, &[&frame, &frame])).unwrap();
                assert_eq!((reader.frames(), reader.size()), (2, Size::new(4, 2)));
                assert_eq!(reader.rate(), "29.97".parse().unwrap());
                let want = match tag {
                    "Cmono" => (vec![128; 2], vec![128; 2]),
                    "C422" => (vec![1, 2], vec![3, 4]),
                    _ => (vec![1, 2], vec![3, 4]),
                };
                for frame in [1, 0, 1] {
                    assert_eq!(
                        planes(&mut reader, frame),
                        (y.to_vec(), want.0.clone(), want.1.clone())
                    );
                }
            }
        }
    }

    #[test]
    fn odd_sides_are_cut_and_a_truncated_frame_is_skipped() {
        let frame: Vec<u8> = (0..5 * 3 + 2 * 3 * 2).collect();
        let head = "YUV4MPEG2 W5 H3 F25:1 XCOLORRANGE=FULL";
        let mut reader = Reader::open(file(head, "FRAME", &[&frame, &frame[..9]])).unwrap();
        assert_eq!((reader.frames(), reader.size()), (1, Size::new(4, 2)));
        assert_eq!(reader.color().range, Range::Full);
        let (y, u, v) = planes(&mut reader, 0);
        assert_eq!((y, u, v), (vec![0, 1, 2, 3, 5, 6, 7, 8], vec![15, 16], vec![21, 22]));
    }

    #[test]
    fn hostile_files_are_refused() {
        let frame = [0; 6];
        for head in [
            "",
            "YUV4MPEG",
            "YUV4MPEG2",
            "YUV4MPEG2 W2 H2",
            "YUV4MPEG2 W2 H2 F0:0",
            "YUV4MPEG2 W0 H2 F30:1",
            "YUV4MPEG2 W-2 H2 F30:1",
            "YUV4MPEG2 W99999999999 H2 F30:1",
            "YUV4MPEG2 W9000 H2 F30:1",
            "YUV4MPEG2 W2 H2 F30:1 C420p10",
            "RIFF W2 H2 F30:1",
        ] {
            assert!(Reader::open(file(head, "FRAME", &[&frame])).is_err(), "{head}");
        }
        let endless = format!("YUV4MPEG2 {}", "X".repeat(5_000));
        assert!(Reader::open(file(&endless, "FRAME", &[&frame])).is_err());
        assert!(matches!(
            Reader::open(file("YUV4MPEG2 W2 H2 F30:1", "FRAME", &[])),
            Err(Error::Empty)
        ));
        assert!(Reader::open(file("YUV4MPEG2 W8192 H8192 F30:1", "FRAME", &[&frame])).is_err());
    }
}
