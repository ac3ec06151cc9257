//! The contents of a finished Matroska file from its header and its index (`Cues`), so that most of
//! the file stays unread.

use crate::base::Timestamp;
use crate::wire::container::mkv::ebml::id;
use crate::wire::container::mkv::index::{ClusterWalk, MAX_MASTER_BYTES, head_at};
use crate::wire::container::mkv::reader::{cue_units, cues_at};
use crate::wire::container::{Error, FilePart, Index, ReadAt, SampleLocation, TrackId, Unit, read};

/// Number of samples at the start of a file among which the first presented one is.
const FIRST_SAMPLES: usize = 96;

/// The contents of a finished file.
#[derive(Debug)]
pub struct Outline {
    /// The walk at the first cluster.
    walk: ClusterWalk,
    /// Time of the first sample, in the times of an index for copying.
    pub begins: Timestamp,
    /// End of the last sample.
    pub ends: Timestamp,
    /// The listed keyframes of the video by time, each with the position of its cluster.
    pub keyframes: Vec<Unit>,
}

impl Outline {
    /// Reads the contents. Returns `None` if the file was cut off, or has no index.
    ///
    /// # Errors
    /// Fails if the file is not Matroska, cannot be read, or has no usable track.
    pub fn read(source: &mut dyn ReadAt) -> Result<Option<Self>, Error> {
        let mut walk = ClusterWalk::to_copy();
        walk.begin(source)?;
        let mut cues = None;
        while let Some(found) = head_at(source, walk.at)?.filter(|found| found.id != id::CLUSTER) {
            let content = walk.at.saturating_add(found.length as u64);
            if let (id::SEEK_HEAD, Some(size)) = (found.id, found.size) {
                let bytes = read(source, content, size, MAX_MASTER_BYTES, FilePart::Header)?;
                cues = cues.or(cues_at(&bytes, walk.segment));
            }
            if !walk.step(source)? {
                break;
            }
        }
        walk.index.usable()?;
        let Some(cues) = cues.filter(|_| walk.is_finished()) else { return Ok(None) };
        let Some(found) = head_at(source, cues)?.filter(|found| found.id == id::CUES) else {
            return Ok(None);
        };
        let (content, size) = (cues + found.length as u64, found.size.unwrap_or(u64::MAX));
        let bytes = read(source, content, size, MAX_MASTER_BYTES, FilePart::Index)?;
        let keyframes = cue_units(&bytes, &walk, source.size());
        // An index of another file points to any bytes.
        let Some(last) = keyframes.last() else { return Ok(None) };
        if head_at(source, last.at)?.is_none_or(|found| found.id != id::CLUSTER) {
            return Ok(None);
        }
        let mut first = walk.clone();
        while first.index.samples.len() < FIRST_SAMPLES && first.step(source)? {}
        first.index.measure_frame_rate();
        walk.index.tracks = first.index.tracks;
        walk.index.finished = true;
        let begins = first.index.samples.iter().map(|sample| sample.pts).min();
        // The duration that a file declares is the length of its content, or the end.
        let mut rest = walk.clone();
        rest.at = last.at;
        while rest.step(source)? {}
        let ends = rest.index.end();
        Ok(begins.map(|begins| Self { walk, begins, ends, keyframes }))
    }

    /// Returns the contents without samples.
    pub const fn index(&self) -> &Index {
        &self.walk.index
    }

    /// Returns at most `most` frames of the video in decoding order, beginning with this keyframe.
    /// Their decoding times are not known.
    ///
    /// # Errors
    /// Fails if the file cannot be read.
    pub fn frames(
        &self,
        source: &mut dyn ReadAt,
        keyframe: Unit,
        most: usize,
    ) -> Result<Vec<SampleLocation>, Error> {
        let mut walk = self.walk.clone();
        walk.at = keyframe.at;
        let mut frames: Vec<SampleLocation> = Vec::new();
        let mut has_more = true;
        while has_more && frames.len() < most {
            has_more = walk.step(source)?;
            // The keyframe flag of a frame in a group comes after the frame.
            if walk.group.is_some_and(|end| walk.at < end) {
                continue;
            }
            for sample in walk.index.samples.drain(..) {
                let begins = sample.keyframe && sample.pts >= keyframe.time;
                if sample.track == TrackId::Video && (begins || !frames.is_empty()) {
                    frames.push(sample);
                }
            }
        }
        frames.truncate(most);
        Ok(frames)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use bytes::Bytes;

    use super::*;
    use crate::media::{EncodedPacket, Rotation, StreamEvent, Track};
    use crate::wire::container::mkv::{self, Writer};
    use crate::wire::container::mp4::live::simulated::aac;
    use crate::wire::container::track_config::tests::rotated_video;
    use crate::wire::container::{Muxer, Tracks};

    const FRAMES: i64 = 1_000;
    const FRAME_BYTES: usize = 20_000;
    const GOP_FRAMES: i64 = 10;

    /// A file that counts the bytes that are read.
    struct Counting<'a> {
        file: &'a [u8],
        read: usize,
    }

    impl ReadAt for Counting<'_> {
        fn size(&self) -> u64 {
            self.file.len() as u64
        }

        fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
            self.read += buffer.len();
            self.file.read_at(at, buffer)
        }
    }

    /// Makes a file of 40 s whose first sample is at 100 ms, and which declares this duration or lacks its end.
    fn file(duration: Option<Timestamp>) -> Vec<u8> {
        let tracks =
            Tracks { video: Some(rotated_video(Rotation::None)), audio: vec![aac().into()] };
        let mut writer = Writer::new(tracks);
        let mut file = writer.begin().to_vec();
        for number in 0..FRAMES {
            let at = Timestamp::from_millis(100 + number * 40);
            for (track, bytes) in [(Track::Video, FRAME_BYTES), (Track::Audio, 100)] {
                let keyframe = track == Track::Audio || number % GOP_FRAMES == 0;
                let data = Bytes::from(vec![7; bytes]);
                let packet = EncodedPacket::received(track, (at, at), keyframe, data);
                writer.write(&StreamEvent::Packet(packet));
            }
            if number % 25 == 24 {
                file.extend_from_slice(&writer.flush(file.len() as u64).append);
                writer.commit();
            }
        }
        if let Some(duration) = duration {
            let piece = writer.finish(file.len() as u64, duration);
            file.extend_from_slice(&piece.append);
            for (at, bytes) in piece.patches {
                let at = usize::try_from(at).unwrap();
                file[at..at + bytes.len()].copy_from_slice(&bytes);
            }
        }
        file
    }

    /// onair and FFmpeg declare the end of the last sample as the duration, and mkvmerge the length of the content.
    #[test]
    fn a_finished_file_is_known_without_reading_its_frames() {
        check(&file(Some(Timestamp::from_millis(100 + FRAMES * 40))));
        check(&file(Some(Timestamp::from_millis(FRAMES * 40))));
    }

    fn check(file: &[u8]) {
        let mut source = Counting { file, read: 0 };
        let outline = Outline::read(&mut source).unwrap().unwrap();
        let whole = mkv::index(&mut &*file).unwrap();
        assert_eq!(outline.index().tracks, whole.tracks);
        assert!(outline.index().finished && whole.finished);
        let first = whole.samples.iter().map(|sample| sample.pts).min();
        assert_eq!((Some(outline.begins), outline.ends), (first, whole.end()));
        let video: Vec<_> =
            whole.samples.iter().filter(|sample| sample.track == TrackId::Video).collect();
        let times: Vec<_> = outline.keyframes.iter().map(|unit| unit.time).collect();
        let expected: Vec<_> =
            video.iter().filter(|sample| sample.keyframe).map(|sample| sample.pts).collect();
        assert_eq!(times, expected);
        // The second keyframe of a cluster.
        let unit = outline.keyframes[51];
        let frames = outline.frames(&mut source, unit, 12).unwrap();
        let from = 51 * GOP_FRAMES as usize;
        let places = |samples: &[SampleLocation]| -> Vec<_> {
            samples.iter().map(|it| (it.pts, it.at, it.size, it.keyframe)).collect()
        };
        let expected: Vec<_> = video[from..from + 12].iter().copied().copied().collect();
        assert_eq!(places(&frames), places(&expected));
        assert!(source.read < file.len() / 100, "{}", source.read);
    }

    #[test]
    fn a_file_that_was_cut_off_has_no_outline() {
        let whole = file(Some(Timestamp::from_millis(100 + FRAMES * 40)));
        for file in [&file(None)[..], &whole[..whole.len() / 2]] {
            assert!(Outline::read(&mut &*file).unwrap().is_none());
        }
    }
}
