//! The contents of a file that is still being written: FLV, or MP4 in fragments. This module has no I/O.

use crate::wire::container::flv::index::Scan;
use crate::wire::container::mp4::Reader;
use crate::wire::container::{Error, Format, Index, ReadAt};

/// Number of new samples after which a read stops, so that the caller can store them.
const MAX_NEW_SAMPLES: usize = 100_000;

/// Reads the contents of a file repeatedly, each time from the position where the last read
/// stopped.
#[derive(Debug)]
pub enum GrowingIndex {
    Flv(Box<Scan>),
    Mp4(Box<Reader>),
}

impl GrowingIndex {
    /// Creates the reader for a format; `None` if files of this format are not readable while they grow.
    pub fn new(format: Format) -> Option<Self> {
        match format {
            Format::Flv => Some(Self::Flv(Box::default())),
            Format::Mp4 => Some(Self::Mp4(Box::new(Reader::to_play()))),
            Format::Mkv => None,
        }
    }

    /// Reads the parts of the file that have become complete. Returns true if the caller must take
    /// the samples from the index before the next read, which reads more of the file.
    ///
    /// # Errors
    /// Fails if the file has another format, or cannot be read. A file that has just begun may be too short.
    pub fn read_on(&mut self, source: &mut dyn ReadAt) -> Result<bool, Error> {
        match self {
            Self::Flv(scan) => scan.read_on(source, MAX_NEW_SAMPLES),
            Self::Mp4(reader) => reader.read_growing(source, MAX_NEW_SAMPLES),
        }
    }

    /// Returns the index so far, with the samples in the order of the file.
    pub fn index(&mut self) -> &mut Index {
        match self {
            Self::Flv(scan) => scan.index(),
            Self::Mp4(reader) => reader.index_so_far(),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::base::Timestamp;
    use crate::media::{EncodedPacket, StreamEvent, Track};
    use crate::wire::container::mp4::live::simulated::aac;
    use crate::wire::container::{Muxer, flv, mp4};

    /// Makes a file in progress with this many samples, of which `per_flush` are in each fragment.
    fn file(format: Format, count: i64, per_flush: i64) -> Vec<u8> {
        let tracks = mp4::live::tracks(None, Some(&aac()));
        let mut muxer: Box<dyn Muxer> = match format {
            Format::Mp4 => Box::new(mp4::Writer::new(tracks)),
            _ => Box::new(flv::Recording::new(tracks)),
        };
        let mut file = muxer.begin().to_vec();
        for number in 0..count {
            let at = Timestamp::from_micros(number * 1_024_000_000 / 48_000);
            let data = Bytes::from_static(&[7; 50]);
            let packet = EncodedPacket::received(Track::Audio, (at, at), true, data);
            muxer.write(&StreamEvent::Packet(packet));
            if (number + 1) % per_flush == 0 {
                file.extend_from_slice(&muxer.flush(file.len() as u64).append);
                muxer.commit();
            }
        }
        file
    }

    #[test]
    fn a_long_file_is_read_in_parts() {
        for format in [Format::Flv, Format::Mp4] {
            let count = MAX_NEW_SAMPLES + 2_000;
            let file = file(format, count as i64, 1_000);
            let mut growing = GrowingIndex::new(format).unwrap();
            let mut parts = Vec::new();
            let mut has_more = true;
            while has_more {
                has_more = growing.read_on(&mut &file[..]).unwrap();
                parts.push(std::mem::take(&mut growing.index().samples).len());
            }
            assert_eq!(parts, [MAX_NEW_SAMPLES, 2_000], "{format}");
        }
    }

    /// Tests that every prefix of a file is read without an error, and that all samples are known
    /// in the end.
    #[test]
    fn a_file_is_read_while_it_grows() {
        for format in [Format::Flv, Format::Mp4] {
            let file = file(format, 10, 1);
            let mut growing = GrowingIndex::new(format).unwrap();
            let mut counts = Vec::new();
            for length in (0..file.len()).step_by(7).chain([file.len()]) {
                let read = growing.read_on(&mut &file[..length]);
                assert!(read.is_ok() || counts.is_empty(), "{format} {length}: {read:?}");
                let index = growing.index();
                let within = |it: &crate::wire::container::SampleLocation| {
                    it.at + u64::from(it.size) <= length as u64
                };
                assert!(index.samples.iter().all(within), "{format} {length}");
                if !index.tracks.audio.is_empty() {
                    counts.push(index.samples.len());
                }
            }
            assert!(counts.is_sorted() && counts.last() == Some(&10), "{format}: {counts:?}");
        }
    }
}
