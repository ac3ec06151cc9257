//! Opens the reader of a file format.

use crate::wire::container::{Demuxer, Error, Format, ReadAt, audio, mkv, mp4};

/// Opens the reader for this format. `None` means an audio-only file, whose header defines the
/// format.
///
/// # Errors
/// Fails if no reader supports the format, or if bytes are missing ([`Error::is_missing`]).
pub fn open(format: Option<Format>, source: &mut dyn ReadAt) -> Result<Box<dyn Demuxer>, Error> {
    match format {
        Some(Format::Mp4) => Ok(Box::new(mp4::Reader::to_play())),
        Some(Format::Mkv) => Ok(Box::new(mkv::Reader::to_play())),
        Some(Format::Flv) => Err(Error::UnknownFormat),
        None => audio::open(source),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use proptest::prelude::*;

    use super::*;
    use crate::base::Timestamp;
    use crate::media::{EncodedPacket, StreamEvent, Track};
    use crate::wire::container::mp4::live::simulated::aac;
    use crate::wire::container::{Muxer, SampleLocation, Tracks, Unit};

    /// A file whose bytes arrive over time, and the requested positions.
    struct Coming<'a> {
        bytes: &'a [u8],
        come: u64,
        wanted: u64,
    }

    impl ReadAt for Coming<'_> {
        fn size(&self) -> u64 {
            self.bytes.len() as u64
        }

        fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
            let end = at + buffer.len() as u64;
            if end > self.come && end <= self.size() {
                self.wanted = end;
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.bytes.read_at(at, buffer)
        }
    }

    /// Repeats a call with more bytes each time that some are missing.
    fn patiently<T>(
        coming: &mut Coming<'_>,
        mut it: impl FnMut(&mut Coming<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        for _ in 0..100_000 {
            match it(coming) {
                Err(error) if error.is_missing() => coming.come = coming.wanted,
                done => return done,
            }
        }
        panic!("it goes round and round");
    }

    /// Makes a file with ten seconds of audio in fragments or clusters. `finished` adds an index.
    fn file(format: Format, finished: bool) -> Vec<u8> {
        let tracks = Tracks { video: None, audio: vec![aac().into()] };
        let mut muxer: Box<dyn Muxer> = match format {
            Format::Mp4 => Box::new(mp4::Writer::new(tracks)),
            _ => Box::new(mkv::Writer::new(tracks)),
        };
        let mut file = muxer.begin().to_vec();
        for number in 0..470_i64 {
            let at = Timestamp::from_micros(number * 1_024_000_000 / 48_000);
            let data = vec![number as u8; 300 + number as usize % 7].into();
            let packet = EncodedPacket::received(Track::Audio, (at, at), true, data);
            muxer.write(&StreamEvent::Packet(packet));
            if number % 47 == 46 {
                file.extend(muxer.flush(file.len() as u64).append);
                muxer.commit();
            }
        }
        if finished {
            let piece = muxer.finish(file.len() as u64, Timestamp::from_millis(10_027));
            file.extend(piece.append);
            for (at, bytes) in piece.patches {
                file[at as usize..at as usize + bytes.len()].copy_from_slice(&bytes);
            }
        }
        file
    }

    fn all(bytes: &[u8], format: Format) -> (Box<dyn Demuxer>, Vec<SampleLocation>) {
        let mut coming = Coming { bytes, come: 0, wanted: 0 };
        let mut demuxer = open(Some(format), &mut b"".as_slice()).unwrap();
        patiently(&mut coming, |it| demuxer.head(it)).unwrap();
        if demuxer.is_whole() {
            let found = demuxer.index().samples.clone();
            return (demuxer, found);
        }
        let mut found = Vec::new();
        while patiently(&mut coming, |it| demuxer.read_on(it, &mut found)).unwrap() {}
        (demuxer, found)
    }

    #[test]
    fn bit_by_bit_the_same_is_found_as_at_once() {
        for format in [Format::Mp4, Format::Mkv] {
            for finished in [true, false] {
                let bytes = file(format, finished);
                let index = match format {
                    Format::Mp4 => mp4::index_to_play(&mut &bytes[..]),
                    _ => mkv::index_to_play(&mut &bytes[..]),
                };
                let index = index.unwrap();
                assert_eq!(index.samples.len(), 470);
                let (demuxer, found) = all(&bytes, format);
                assert_eq!(found, index.samples, "{format} {finished}");
                assert_eq!(demuxer.index().tracks, index.tracks);
                assert_eq!(demuxer.is_whole(), format == Format::Mp4 && finished);
            }
        }
    }

    #[test]
    fn one_begins_at_any_unit() {
        for (format, finished) in [(Format::Mkv, true), (Format::Mkv, false), (Format::Mp4, false)]
        {
            let bytes = file(format, finished);
            let (mut demuxer, whole) = all(&bytes, format);
            let mut coming = Coming { bytes: &bytes, come: 0, wanted: 0 };
            patiently(&mut coming, |it| demuxer.look_up(it)).unwrap();
            let mut units = demuxer.units_in(&bytes, 0);
            assert_eq!(units.len(), 10, "{format}");
            if finished {
                assert_eq!(demuxer.units(), units);
                let end = demuxer.end().unwrap().as_millis();
                assert!((10_000..10_100).contains(&end), "{end}");
            }
            units.push(demuxer.beginning());
            for unit in units {
                let mut coming = Coming { bytes: &bytes, come: 0, wanted: 0 };
                demuxer.go_to(unit);
                let mut found = Vec::new();
                while patiently(&mut coming, |it| demuxer.read_on(it, &mut found)).unwrap() {}
                let first = whole.iter().position(|place| place.at > unit.at).unwrap();
                assert_eq!(found, whole[first..], "{format} {unit:?}");
            }
            // A wrong index.
            demuxer.go_to(Unit { time: Timestamp::ZERO, at: 77 });
            let found = demuxer.read_on(&mut &bytes[..], &mut Vec::new());
            assert!(matches!(found, Err(Error::Damaged(_))), "{found:?}");
        }
    }

    #[test]
    fn packets_before_damage_are_found() {
        let mut bytes = file(Format::Mkv, false);
        // A cluster whose time exceeds the number range.
        bytes.extend([0x1F, 0x43, 0xB6, 0x75, 0x8B, 0xE7, 0x89]);
        bytes.extend([0; 9]);
        let mut coming = Coming { bytes: &bytes, come: 0, wanted: 0 };
        let mut demuxer = open(Some(Format::Mkv), &mut b"".as_slice()).unwrap();
        patiently(&mut coming, |it| demuxer.head(it)).unwrap();
        coming.come = bytes.len() as u64;
        let mut found = Vec::new();
        let end = loop {
            match demuxer.read_on(&mut coming, &mut found) {
                Ok(true) => {}
                end => break end,
            }
        };
        assert!(
            matches!(end, Err(Error::TooMuch(crate::wire::container::FilePart::Structure))),
            "{end:?}"
        );
        assert_eq!(found.len(), 470);
    }

    proptest! {
        #[test]
        fn whatever_comes_it_ends(
            format in prop_oneof![Just(Format::Mp4), Just(Format::Mkv)],
            finished: bool,
            harm in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
            at in any::<prop::sample::Index>(),
        ) {
            let mut bytes = file(format, finished);
            for (place, value) in harm {
                let place = place.index(bytes.len());
                bytes[place] = value;
            }
            let mut demuxer = open(Some(format), &mut b"".as_slice()).unwrap();
            let mut found = Vec::new();
            let source = &mut &bytes[..];
            if demuxer.head(source).is_ok() {
                let _ = demuxer.look_up(source);
                while matches!(demuxer.read_on(source, &mut found), Ok(true)) {}
                let units = demuxer.units_in(&bytes, 0);
                let at = at.index(bytes.len()) as u64;
                for unit in units.into_iter().chain([Unit { time: Timestamp::MAX, at }]) {
                    demuxer.go_to(unit);
                    while matches!(demuxer.read_on(source, &mut found), Ok(true)) {}
                }
            }
        }
    }
}
