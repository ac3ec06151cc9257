//! The contents of a file that is still being written: FLV, or MP4 in fragments. This module has no I/O.

use crate::wire::container::flv::index::Scan;
use crate::wire::container::mp4::Reader;
use crate::wire::container::{Error, Format, Index, ReadAt};

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

    /// Reads the parts of the file that have become complete.
    ///
    /// # Errors
    /// Fails if the file has another format, or cannot be read. A file that has just begun may be too short.
    pub fn read_on(&mut self, source: &mut dyn ReadAt) -> Result<(), Error> {
        match self {
            Self::Flv(scan) => scan.read_on(source),
            Self::Mp4(reader) => reader.read_growing(source),
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
    use crate::wire::container::mp4::live::tests::aac;
    use crate::wire::container::{Muxer, flv, mp4};

    /// Tests that every prefix of a file is read without an error, and that all samples are known
    /// in the end.
    #[test]
    fn a_file_is_read_while_it_grows() {
        let tracks = mp4::live::tracks(None, Some(&aac()));
        for format in [Format::Flv, Format::Mp4] {
            let mut muxer: Box<dyn Muxer> = match format {
                Format::Mp4 => Box::new(mp4::Writer::new(tracks.clone())),
                _ => Box::new(flv::Recording::new(tracks.clone())),
            };
            let mut file = muxer.begin().to_vec();
            for number in 0..10_i64 {
                let at = Timestamp::from_micros(number * 1_024_000_000 / 48_000);
                let data = Bytes::from_static(&[7; 50]);
                let packet = EncodedPacket::received(Track::Audio, (at, at), true, data);
                muxer.write(&StreamEvent::Packet(packet));
                file.extend_from_slice(&muxer.flush(file.len() as u64).append);
                muxer.commit();
            }
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
