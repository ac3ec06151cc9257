//! MP4, Matroska and files of sound alone that are read bit by bit while the bytes are still to come, as
//! from a web server: whoever reads is told what is missing, and calls again once it is there.

use crate::base::Timestamp;
use crate::wire::container::{Error, Format, Index, ReadAt, SampleLocation, Unit, audio, mkv, mp4};

/// A file of any of these formats.
#[derive(Clone, Debug)]
pub enum IncrementalReader {
    Mp4(Box<mp4::IncrementalReader>),
    Mkv(Box<mkv::IncrementalReader>),
    Sound(Box<audio::IncrementalReader>),
}

impl IncrementalReader {
    /// Of a file of this format; `None`: it is not read so.
    pub fn new(format: Format) -> Option<Self> {
        match format {
            Format::Mp4 => Some(Self::Mp4(Box::default())),
            Format::Mkv => Some(Self::Mkv(Box::default())),
            Format::Flv => None,
        }
    }

    /// Of a file of sound alone, whose kind its head tells.
    pub fn of_audio() -> Self {
        Self::Sound(Box::default())
    }

    /// What it is called, once its head was read.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Mp4(_) => Format::Mp4.extension(),
            Self::Mkv(_) => Format::Mkv.extension(),
            Self::Sound(it) => it.kind().map_or("sound", audio::Kind::extension),
        }
    }

    /// Of sound alone, when what is heard begins: what its encoder put before it comes earlier.
    pub fn heard_from(&self) -> Option<Timestamp> {
        match self {
            Self::Sound(it) => Some(it.heard_from()),
            Self::Mp4(_) | Self::Mkv(_) => None,
        }
    }

    /// Reads what tells of the whole. Where bytes are missing it goes on when it is called again, as the
    /// others do.
    ///
    /// # Errors
    /// What is wrong with the file, or [`Error::is_missing`].
    pub fn head(&mut self, source: &mut dyn ReadAt) -> Result<(), Error> {
        match self {
            Self::Mp4(it) => it.head(source),
            Self::Mkv(it) => it.head(source),
            Self::Sound(it) => it.head(source),
        }
    }

    /// Whether what tells where everything is has not come yet, and may stand at the end.
    pub fn is_blind(&self) -> bool {
        matches!(self, Self::Mp4(it) if it.is_blind())
    }

    /// Whether all samples are known by now.
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Mp4(it) if it.is_whole())
    }

    /// What is in it; samples only where [all are known](Self::is_whole).
    pub fn index(&self) -> &Index {
        match self {
            Self::Mp4(it) => it.index(),
            Self::Mkv(it) => it.index(),
            Self::Sound(it) => it.index(),
        }
    }

    /// Where it ends, as it tells itself.
    pub fn end(&self) -> Option<Timestamp> {
        match self {
            Self::Mp4(it) => it.end(),
            Self::Mkv(it) => it.end(),
            Self::Sound(it) => it.end(),
        }
    }

    /// Looks up where units are, where that stands at the end.
    ///
    /// # Errors
    /// As [`head`](Self::head).
    pub fn look_up(&mut self, source: &mut dyn ReadAt) -> Result<(), Error> {
        match self {
            Self::Mp4(it) => it.look_up(source),
            Self::Mkv(it) => it.look_up(source),
            Self::Sound(it) => it.look_up(source),
        }
    }

    /// Where units are, as far as that is known, by their times.
    pub fn units(&self) -> &[Unit] {
        match self {
            Self::Mp4(it) => it.units(),
            Self::Mkv(it) => it.units(),
            Self::Sound(it) => it.units(),
        }
    }

    /// The first one.
    pub fn beginning(&self) -> Unit {
        match self {
            Self::Mp4(it) => it.beginning(),
            Self::Mkv(it) => it.beginning(),
            Self::Sound(it) => it.beginning(),
        }
    }

    /// The units that begin in these bytes, which stand at `at`; and perhaps what only looks like one.
    pub fn units_in(&self, bytes: &[u8], at: u64) -> Vec<Unit> {
        match self {
            Self::Mp4(it) => it.units_in(bytes, at),
            Self::Mkv(it) => it.units_in(bytes, at),
            Self::Sound(it) => it.units_in(bytes, at),
        }
    }

    /// What is read next begins there.
    pub fn go_to(&mut self, unit: Unit) {
        match self {
            Self::Mp4(it) => it.go_to(unit),
            Self::Mkv(it) => it.go_to(unit),
            Self::Sound(it) => it.go_to(unit),
        }
    }

    /// Between two places that are so near, in bytes, units are read one after the other: about as much as
    /// is asked for at a time, and of pictures, which take more, more.
    pub fn stretch(&self) -> u64 {
        match self {
            Self::Mp4(_) | Self::Mkv(_) => 8 << 20,
            Self::Sound(_) => 128 << 10,
        }
    }

    /// Adds the samples that follow to `found`. False at the end.
    ///
    /// # Errors
    /// As [`head`](Self::head).
    pub fn read_on(
        &mut self,
        source: &mut dyn ReadAt,
        found: &mut Vec<SampleLocation>,
    ) -> Result<bool, Error> {
        match self {
            Self::Mp4(it) => it.read_on(source, found),
            Self::Mkv(it) => it.read_on(source, found),
            Self::Sound(it) => it.read_on(source, found),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::media::{AudioCodec, AudioConfig, BitsPerSecond};
    use crate::wire::container::{Muxer, Sample, TrackId, Tracks};

    /// Bytes of which only some have come; and what is wanted of the others.
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

    /// Does it, with some bytes more each time that they are missing.
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

    fn audio() -> AudioConfig {
        AudioConfig {
            codec: AudioCodec::Aac,
            sample_rate: 48_000,
            channels: 2,
            bitrate: BitsPerSecond(128_000),
            config: Bytes::from_static(&[0x11, 0x90]),
        }
    }

    /// Ten seconds of sound; in fragments or clusters, `finished` with an index.
    fn file(format: Format, finished: bool) -> Vec<u8> {
        let tracks = Tracks { video: None, audio: vec![audio().into()] };
        let mut muxer: Box<dyn Muxer> = match format {
            Format::Mp4 => Box::new(mp4::Writer::new(tracks)),
            _ => Box::new(mkv::Writer::new(tracks)),
        };
        let mut file = muxer.start().to_vec();
        for number in 0..470_i64 {
            let at = Timestamp::from_micros(number * 1_024_000_000 / 48_000);
            let data = vec![number as u8; 300 + number as usize % 7].into();
            let track = TrackId::Audio(0);
            muxer.sample(&Sample { track, dts: at, pts: at, keyframe: true, data });
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

    fn all(bytes: &[u8], format: Format) -> (IncrementalReader, Vec<SampleLocation>) {
        let mut coming = Coming { bytes, come: 0, wanted: 0 };
        let mut gradual = IncrementalReader::new(format).unwrap();
        patiently(&mut coming, |it| gradual.head(it)).unwrap();
        if gradual.is_whole() {
            let found = gradual.index().samples.clone();
            return (gradual, found);
        }
        let mut found = Vec::new();
        while patiently(&mut coming, |it| gradual.read_on(it, &mut found)).unwrap() {}
        (gradual, found)
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
                let (gradual, found) = all(&bytes, format);
                assert_eq!(found, index.samples, "{format} {finished}");
                assert_eq!(gradual.index().tracks, index.tracks);
                assert_eq!(gradual.is_whole(), format == Format::Mp4 && finished);
            }
        }
    }

    #[test]
    fn one_begins_at_any_unit() {
        for (format, finished) in [(Format::Mkv, true), (Format::Mkv, false), (Format::Mp4, false)]
        {
            let bytes = file(format, finished);
            let (mut gradual, whole) = all(&bytes, format);
            let mut coming = Coming { bytes: &bytes, come: 0, wanted: 0 };
            patiently(&mut coming, |it| gradual.look_up(it)).unwrap();
            let mut units = gradual.units_in(&bytes, 0);
            assert_eq!(units.len(), 10, "{format}");
            if finished {
                assert_eq!(gradual.units(), units);
                let end = gradual.end().unwrap().as_millis();
                assert!((10_000..10_100).contains(&end), "{end}");
            }
            units.push(gradual.beginning());
            for unit in units {
                let mut coming = Coming { bytes: &bytes, come: 0, wanted: 0 };
                gradual.go_to(unit);
                let mut found = Vec::new();
                while patiently(&mut coming, |it| gradual.read_on(it, &mut found)).unwrap() {}
                let first = whole.iter().position(|place| place.at > unit.at).unwrap();
                assert_eq!(found, whole[first..], "{format} {unit:?}");
            }
            // An index that lies.
            gradual.go_to(Unit { time: Timestamp::ZERO, at: 77 });
            let found = gradual.read_on(&mut &bytes[..], &mut Vec::new());
            assert!(matches!(found, Err(Error::Damaged(_))), "{found:?}");
        }
    }

    #[test]
    fn what_stands_before_damage_is_found() {
        let mut bytes = file(Format::Mkv, false);
        // A cluster whose time is longer than a number.
        bytes.extend([0x1F, 0x43, 0xB6, 0x75, 0x8B, 0xE7, 0x89]);
        bytes.extend([0; 9]);
        let mut coming = Coming { bytes: &bytes, come: 0, wanted: 0 };
        let mut gradual = IncrementalReader::new(Format::Mkv).unwrap();
        patiently(&mut coming, |it| gradual.head(it)).unwrap();
        coming.come = bytes.len() as u64;
        let mut found = Vec::new();
        let end = loop {
            match gradual.read_on(&mut coming, &mut found) {
                Ok(true) => {}
                end => break end,
            }
        };
        assert!(matches!(end, Err(Error::TooMuch("numbers"))), "{end:?}");
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
            let mut gradual = IncrementalReader::new(format).unwrap();
            let mut found = Vec::new();
            let source = &mut &bytes[..];
            if gradual.head(source).is_ok() {
                let _ = gradual.look_up(source);
                while matches!(gradual.read_on(source, &mut found), Ok(true)) {}
                let units = gradual.units_in(&bytes, 0);
                let at = at.index(bytes.len()) as u64;
                for unit in units.into_iter().chain([Unit { time: Timestamp::MAX, at }]) {
                    gradual.go_to(unit);
                    while matches!(gradual.read_on(source, &mut found), Ok(true)) {}
                }
            }
        }
    }
}
