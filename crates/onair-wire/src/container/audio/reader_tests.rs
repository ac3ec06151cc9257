//! Tests with audio files that arrive in parts. From any position, the reader must find the same
//! packets as in the whole file.

use std::io;

use proptest::prelude::*;

use super::*;
use crate::base::Timestamp;
use crate::wire::container::audio::tests::{
    flac_frame, id3, mp3_frame, opus_head, opus_stream, page, stream_info, wav, whole,
};
use crate::wire::container::{SampleLocation, Unit};

/// A file whose bytes arrive over time, and the requested positions. The end is unknown until it
/// has arrived.
struct Coming<'a> {
    bytes: &'a [u8],
    come: u64,
    wanted: u64,
    knows_size: bool,
}

impl<'a> Coming<'a> {
    fn new(bytes: &'a [u8], knows_size: bool) -> Self {
        Self { bytes, come: 0, wanted: 0, knows_size }
    }

    /// Repeats a call with more bytes each time that some are missing.
    fn patiently<T>(
        &mut self,
        mut it: impl FnMut(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        for _ in 0..100_000 {
            match it(self) {
                Err(error) if error.is_missing() => self.come = self.wanted,
                done => return done,
            }
        }
        panic!("it goes round and round");
    }
}

impl ReadAt for Coming<'_> {
    fn size(&self) -> u64 {
        let whole = self.bytes.len() as u64;
        if self.knows_size || self.come >= whole { whole } else { u64::MAX / 4 }
    }

    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = self.end(at, buffer.len())?;
        if end > self.come {
            self.wanted = end;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.bytes.read_at(at, buffer)
    }
}

/// A file that a web server announces as larger than any file. Only its first bytes arrive.
struct Huge<'a>(&'a [u8]);

impl ReadAt for Huge<'_> {
    fn size(&self) -> u64 {
        1 << 59
    }

    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_at(at, buffer).map_err(|_| io::ErrorKind::WouldBlock.into())
    }
}

#[test]
fn a_seek_table_of_a_file_of_any_length_gives_positions_in_order() {
    let mut file = mp3_frame(0);
    file[36..40].copy_from_slice(b"Xing");
    // Only the number of frames and the seek table are present.
    file[40..44].copy_from_slice(&5_u32.to_be_bytes());
    file[44..48].copy_from_slice(&1_000_u32.to_be_bytes());
    (0..100).for_each(|number| file[48 + number] = (number * 255 / 99) as u8);
    (0..200).for_each(|number| file.extend(mp3_frame(number)));
    let reader = open(&mut Huge(&file)).unwrap();
    let places: Vec<u64> = reader.units().iter().map(|unit| unit.at).collect();
    assert!(places.len() > 10 && places.is_sorted(), "{places:?}");
    assert!(places.last() > Some(&(1 << 58)), "{places:?}");
}

/// Makes MP3 frames after a tag with their number.
fn tagged() -> Vec<u8> {
    let mut head = mp3_frame(0);
    head[36..40].copy_from_slice(b"Info");
    head[40..44].copy_from_slice(&3_u32.to_be_bytes());
    head[44..48].copy_from_slice(&300_u32.to_be_bytes());
    head[48..52].copy_from_slice(&(417 * 301_u32).to_be_bytes());
    head[52..56].copy_from_slice(b"LAME");
    head[73..76].copy_from_slice(&[0x24, 0x03, 0xE8]);
    let frames = (0..300_u32).flat_map(|number| mp3_frame(number as u8));
    [id3(5_000), head, frames.collect()].concat()
}

fn adts(frames: usize) -> Vec<u8> {
    let config = crate::wire::codec::aac::AudioSpecificConfig::lc(48_000, 2).unwrap();
    let frame = |number: usize| {
        let length = 300 + number * 7_919 % 90;
        let header = crate::wire::codec::aac::adts::header(&config, length).unwrap();
        header.into_iter().chain(std::iter::repeat_n(number as u8, length)).collect::<Vec<u8>>()
    };
    (0..frames).flat_map(frame).collect()
}

fn flac(frames: u8) -> Vec<u8> {
    let mut file = b"fLaC\x80\x00\x00\x22".to_vec();
    file.extend(stream_info(u32::from(frames) * 4_096 - 1_000));
    (0..frames).for_each(|number| file.extend(flac_frame(number)));
    file
}

/// Makes Ogg pages of 40 ms, in which every third packet continues in the next page.
fn opus(pages: i64) -> Vec<u8> {
    let mut file = page(2, 0, 7, &[19], &opus_head());
    file.extend(page(0, 0, 7, &[8], b"OpusTags"));
    for number in 1..=pages {
        let data = [vec![0xF8; 30], vec![0xF8; 40]].concat();
        file.extend(page(0, 1_920 * number, 7, &[30, 40], &data));
    }
    file.extend(page(0, -1, 7, &[255], &[0xF8; 255]));
    file.extend(page(5, 1_920 * pages + 900, 7, &[45], &[0xF8; 45]));
    file
}

fn files() -> Vec<(&'static str, Vec<u8>)> {
    let streams = [opus_stream(7, 0), opus_stream(8, 1), opus_stream(9, 1)].concat();
    vec![
        ("mp3", tagged()),
        ("bare mp3", (0..400_u32).flat_map(|number| mp3_frame(number as u8)).collect()),
        ("adts", [id3(100), adts(500)].concat()),
        ("flac", flac(100)),
        ("opus", opus(400)),
        ("streams", streams),
        ("wav", wav(24, b"LIST\x03\0\0\0abc\0", 100_000)),
    ]
}

fn all(coming: &mut Coming<'_>) -> (Box<dyn Demuxer>, Vec<SampleLocation>) {
    let mut reader = coming.patiently(|it| open(it)).unwrap();
    coming.patiently(|it| reader.head(it)).unwrap();
    let mut found = Vec::new();
    while coming.patiently(|it| reader.read_on(it, &mut found)).unwrap() {}
    (reader, found)
}

#[test]
fn bit_by_bit_the_same_is_found_as_at_once() {
    for (name, bytes) in files() {
        let index = index(&mut bytes.as_slice()).unwrap();
        let (begins, ends) = index.audible_span.unwrap();
        for knows_size in [true, false] {
            let (reader, found) = all(&mut Coming::new(&bytes, knows_size));
            assert!(found == index.samples, "{name} {knows_size}");
            assert_eq!(reader.audible_from(), Some(begins), "{name} {knows_size}");
            let mut ended = reader.clone();
            ended.look_up(&mut bytes.as_slice()).unwrap();
            assert_eq!(ended.end(), Some(ends), "{name} {knows_size}");
            let its = reader.index();
            let expected = (&index.tracks, &index.links);
            assert_eq!((&its.tracks, &its.links), expected, "{name} {knows_size}");
            assert_eq!(its.holes, index.holes, "{name} {knows_size}");
        }
    }
}

#[test]
fn where_it_ends_is_known_beforehand_or_reckoned() {
    for (name, bytes) in files() {
        let (begins, ends) = index(&mut bytes.as_slice()).unwrap().audible_span.unwrap();
        let source = &mut bytes.as_slice();
        let mut reader = open(source).unwrap();
        reader.head(source).unwrap();
        let mut found = Vec::new();
        reader.read_on(source, &mut found).unwrap();
        reader.look_up(source).unwrap();
        let off = reader.end().map(|end| end.micros_since(ends));
        let length = ends.micros_since(begins);
        match name {
            "opus" | "streams" => assert_eq!(off, None, "{name}"),
            // ADTS frames differ in length.
            "adts" => assert!(off.unwrap().abs() < length / 50, "{name}: {off:?} of {length}"),
            _ => assert_eq!(off, Some(0), "{name}"),
        }
    }
}

#[test]
fn one_begins_at_any_unit() {
    for (name, bytes) in files() {
        let index = index(&mut bytes.as_slice()).unwrap();
        let mut reader = open(&mut bytes.as_slice()).unwrap();
        reader.head(&mut bytes.as_slice()).unwrap();
        reader.look_up(&mut bytes.as_slice()).unwrap();
        let mut units = reader.units().to_vec();
        if units.is_empty() {
            units = reader.units_in(&bytes, 0);
        }
        let least = if name == "streams" { 0 } else { 2 };
        assert!(units.len() >= least, "{name}: {}", units.len());
        units.push(reader.beginning());
        for unit in units {
            let mut coming = Coming::new(&bytes, true);
            reader.go_to(unit);
            let mut found = Vec::new();
            while coming.patiently(|it| reader.read_on(it, &mut found)).unwrap() {}
            let first = index.samples.iter().position(|place| place.at >= unit.at);
            // The last packet ends on its last page.
            let Some(first) = first else {
                assert!(found.is_empty(), "{name} {unit:?}");
                continue;
            };
            let wanted = &index.samples[first..];
            assert_eq!(found.len(), wanted.len(), "{name} {unit:?}");
            let near = if name == "adts" { 300_000 } else { 30 };
            for (found, wanted) in found.iter().zip(wanted) {
                assert_eq!((found.at, found.size), (wanted.at, wanted.size), "{name} {unit:?}");
                let off = found.pts.micros_since(wanted.pts);
                assert!(off.abs() <= near, "{name} {unit:?}: {off} µs");
            }
            let off = found.first().unwrap().pts.micros_since(unit.time);
            assert!(off.abs() < 30_000.max(near), "{name} {unit:?}: {off} µs");
        }
        // Past the end, nothing is found.
        reader.go_to(Unit { time: Timestamp::ZERO, at: bytes.len() as u64 + 9 });
        assert_eq!(reader.read_on(&mut bytes.as_slice(), &mut Vec::new()).ok(), Some(false));
    }
}

#[test]
fn positions_with_a_variable_bitrate_are_those_of_the_table() {
    // The first half has frames of 417 bytes, the second half of 1,044.
    let mut large = vec![7; 1_044];
    large[..4].copy_from_slice(&[0xFF, 0xFB, 0xE0, 0x64]);
    let mut head = mp3_frame(0);
    head[36..40].copy_from_slice(b"Xing");
    head[40..44].copy_from_slice(&7_u32.to_be_bytes());
    head[44..48].copy_from_slice(&2_000_u32.to_be_bytes());
    let size = 417 * 1_001 + 1_044 * 1_000;
    head[48..52].copy_from_slice(&(size as u32).to_be_bytes());
    for part in 0..100 {
        let at = 417 * part.min(50) * 20 + 1_044 * (part.max(50) - 50) * 20;
        head[52 + part] = (at * 256 / size) as u8;
    }
    let frames = std::iter::repeat_n(mp3_frame(1), 1_000).chain(std::iter::repeat_n(large, 1_000));
    let bytes: Vec<u8> = std::iter::once(head).chain(frames).flatten().collect();
    let index = index(&mut bytes.as_slice()).unwrap();
    let mut reader = open(&mut bytes.as_slice()).unwrap();
    reader.head(&mut bytes.as_slice()).unwrap();
    let length = reader.end().unwrap();
    assert_eq!(Some(length), index.audible_span.map(|span| span.1));
    for unit in reader.units().to_vec() {
        reader.go_to(unit);
        let mut found = Vec::new();
        reader.read_on(&mut bytes.as_slice(), &mut found).unwrap();
        let first = found.first().unwrap();
        let wanted = index.samples.iter().find(|place| place.at == first.at).unwrap();
        // 1/256 of the bytes is not exact.
        let off = first.pts.micros_since(wanted.pts);
        assert!(off.abs() < length.as_micros() / 100, "{unit:?}: {off} µs");
    }
}

proptest! {
    #[test]
    fn whatever_comes_it_ends(
        kind in any::<u8>(),
        knows_size: bool,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
    ) {
        let mut bytes = whole(kind);
        for (place, value) in changes {
            *place.get_mut(&mut bytes) = value;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        let mut coming = Coming::new(&bytes, knows_size);
        if let Ok(mut reader) = coming.patiently(|it| open(it))
            && coming.patiently(|it| reader.head(it)).is_ok()
        {
            let mut found = Vec::new();
            while matches!(coming.patiently(|it| reader.read_on(it, &mut found)), Ok(true)) {}
            let _ = coming.patiently(|it| reader.look_up(it));
            let mut units = reader.units_in(&bytes, 0);
            units.extend(reader.units().iter().take(50));
            units.push(Unit { time: Timestamp::MAX, at: at.index(bytes.len()) as u64 });
            for unit in units {
                reader.go_to(unit);
                while matches!(coming.patiently(|it| reader.read_on(it, &mut found)), Ok(true)) {}
            }
        }
    }
}
