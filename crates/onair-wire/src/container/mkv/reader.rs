//! Reads a Matroska file incrementally, from its start or from any cluster, while bytes still
//! arrive.

use crate::base::Timestamp;
use crate::wire::container::demuxer::Demuxer;
use crate::wire::container::mkv::decode_order::DecodeOrder;
use crate::wire::container::mkv::ebml::{child, elements, head, id, uint};
use crate::wire::container::mkv::index::{ClusterWalk, MAX_MASTER_BYTES, head_at};
use crate::wire::container::{
    Error, FilePart, Format, Index, ReadAt, SampleLocation, TrackId, Unit, read,
};

/// Number of samples that are returned at a time, if available.
const MAX_SAMPLES_PER_TURN: usize = 48;
/// Maximum number of samples that are returned at a time, for all tracks together.
const MAX_TOTAL_SAMPLES_PER_TURN: usize = 4_096;

/// The incremental Matroska reader.
#[derive(Clone, Debug)]
pub struct Reader {
    walk: ClusterWalk,
    /// True if the header of the file was read.
    begun: bool,
    /// True if samples were read, so that the reordering depth is known.
    came: bool,
    order: DecodeOrder,
    /// Position of the index, from the header.
    cues_at: Option<u64>,
    units: Vec<Unit>,
    /// Position of the first cluster.
    beginning: u64,
    /// True if a cluster must begin at the current position.
    landing: bool,
}

impl Reader {
    /// Creates a reader for playback.
    pub fn to_play() -> Self {
        Self {
            walk: ClusterWalk::to_play(),
            begun: false,
            came: false,
            order: DecodeOrder::default(),
            cues_at: None,
            units: Vec::new(),
            beginning: 0,
            landing: false,
        }
    }

    fn take_cues(&mut self, content: &[u8], size: u64) {
        self.units = cue_units(content, &self.walk, size);
        // A cluster can contain several keyframes.
        self.units.dedup_by_key(|unit| unit.at);
    }
}

impl Demuxer for Reader {
    fn name(&self) -> &'static str {
        Format::Mkv.extension()
    }

    fn head(&mut self, source: &mut dyn ReadAt) -> Result<(), Error> {
        if !self.begun {
            self.walk.begin(source)?;
            self.begun = true;
        }
        while let Some(found) = head_at(source, self.walk.at)? {
            let content = self.walk.at.saturating_add(found.length as u64);
            match (found.id, found.size) {
                (id::CLUSTER, _) => break,
                (id::SEEK_HEAD, Some(size)) => {
                    let bytes = read(source, content, size, MAX_MASTER_BYTES, FilePart::Header)?;
                    self.cues_at = self.cues_at.or(cues_at(&bytes, self.walk.segment));
                }
                (id::CUES, Some(size)) => {
                    let bytes = read(source, content, size, MAX_MASTER_BYTES, FilePart::Header)?;
                    self.take_cues(&bytes, source.size());
                }
                _ => {}
            }
            if !self.walk.step(source)? {
                break;
            }
        }
        self.beginning = self.walk.at;
        self.walk.index.usable()
    }

    fn index(&self) -> &Index {
        &self.walk.index
    }

    fn read_on(
        &mut self,
        source: &mut dyn ReadAt,
        found: &mut Vec<SampleLocation>,
    ) -> Result<bool, Error> {
        if self.landing {
            let is = head_at(source, self.walk.at)?.is_some_and(|found| found.id == id::CLUSTER);
            if !is {
                return Err(Error::Damaged(FilePart::Index));
            }
            self.landing = false;
        }
        let mut goes_on = true;
        while goes_on {
            // The keyframe flag of a frame comes after the frame.
            let inside = self.walk.group.is_some_and(|end| self.walk.at < end);
            let count = self.walk.index.samples.len();
            if count >= MAX_SAMPLES_PER_TURN && !inside || count >= MAX_TOTAL_SAMPLES_PER_TURN {
                break;
            }
            match self.walk.step(source) {
                Ok(more) => goes_on = more,
                Err(error) if error.is_missing() && self.came && count > 0 && !inside => break,
                // Return the samples before the damage first.
                Err(error) if !error.is_missing() && count > 0 => break,
                Err(error) => return Err(error),
            }
        }
        let mut places = std::mem::take(&mut self.walk.index.samples);
        self.walk.index.alpha.clear();
        self.walk.cues.clear();
        self.came |= !places.is_empty();
        let is_video = |place: &&SampleLocation| place.track == TrackId::Video;
        let shown: Vec<_> = places.iter().filter(is_video).map(|it| it.pts).collect();
        let period = self.walk.index.tracks.length(TrackId::Video);
        let video = places.iter_mut().filter(|place| place.track == TrackId::Video);
        for (place, dts) in video.zip(self.order.next(&shown, period)) {
            place.dts = dts;
        }
        places.sort_by_key(|place| (place.dts, place.track));
        found.append(&mut places);
        Ok(goes_on)
    }

    fn beginning(&self) -> Unit {
        Unit { time: Timestamp::ZERO, at: self.beginning }
    }

    fn go_to(&mut self, unit: Unit) {
        self.walk.at = unit.at;
        (self.walk.group, self.landing) = (None, true);
        self.walk.index.samples.clear();
        self.order.leave();
    }

    fn end(&self) -> Option<Timestamp> {
        self.walk.end()
    }

    fn look_up(&mut self, source: &mut dyn ReadAt) -> Result<(), Error> {
        let Some(at) = self.cues_at.filter(|_| self.units.is_empty()) else { return Ok(()) };
        let found = if at < source.size() { head_at(source, at)? } else { None };
        if let Some(found) = found.filter(|found| found.id == id::CUES)
            && let Some(size) = found.size
        {
            let content = at.saturating_add(found.length as u64);
            let bytes = read(source, content, size, MAX_MASTER_BYTES, FilePart::Index)?;
            self.take_cues(&bytes, source.size());
        }
        self.cues_at = None;
        Ok(())
    }

    fn units(&self) -> &[Unit] {
        &self.units
    }

    fn units_in(&self, bytes: &[u8], at: u64) -> Vec<Unit> {
        let mark = id::CLUSTER.to_be_bytes();
        let begins = bytes.windows(mark.len()).enumerate().filter(|(_, four)| *four == mark);
        let unit = |(offset, _)| {
            let rest = bytes.get(offset..)?;
            let cluster = head(rest)?;
            let mut content = rest.get(cluster.length..)?;
            // A checksum may precede the time.
            for _ in 0..3 {
                let found = head(content)?;
                let size = usize::try_from(found.size?).ok().filter(|size| *size <= 64)?;
                let end = found.length + size;
                let value = content.get(found.length..end)?;
                if found.id == id::TIMESTAMP {
                    let time = self.walk.time(uint(value)?);
                    return Some(Unit { time, at: at.saturating_add(offset as u64) });
                }
                content = content.get(end..)?;
            }
            None
        };
        begins.filter_map(unit).collect()
    }

    fn stretch(&self) -> u64 {
        8 << 20
    }
}

/// Returns the listed keyframes of the video, or of the first track, in a file of this size.
pub(super) fn cue_units(content: &[u8], walk: &ClusterWalk, size: u64) -> Vec<Unit> {
    let video = walk.used.iter().find(|used| used.track == TrackId::Video);
    let number = video.or(walk.used.first()).map(|used| used.number);
    let mut units = Vec::new();
    for (_, point) in elements(content).filter(|(its, _)| *its == id::CUE_POINT) {
        let time = child(point, id::CUE_TIME).and_then(uint);
        let places = elements(point).filter(|(its, _)| *its == id::CUE_TRACK_POSITIONS);
        let place = places.map(|(_, place)| place).find(|place| {
            let track = child(place, id::CUE_TRACK).and_then(uint);
            track.is_none() || track == number
        });
        let offset = place.and_then(|it| child(it, id::CUE_CLUSTER_POSITION)).and_then(uint);
        let at = offset.and_then(|offset| walk.segment.checked_add(offset));
        if let (Some(time), Some(at)) = (time, at.filter(|at| *at < size)) {
            units.push(Unit { time: walk.time(time), at });
        }
    }
    units.sort_unstable_by_key(|unit| (unit.time, unit.at));
    units
}

/// Returns the position of the index in `SeekHead`.
pub(super) fn cues_at(content: &[u8], segment: u64) -> Option<u64> {
    let seek = elements(content)
        .filter(|(its, _)| *its == id::SEEK)
        .find(|(_, seek)| child(seek, id::SEEK_ID).and_then(uint) == Some(id::CUES.into()));
    let offset = child(seek?.1, id::SEEK_POSITION).and_then(uint)?;
    segment.checked_add(offset)
}

#[cfg(test)]
mod tests {
    use crate::media::Rotation;
    use crate::wire::container::mkv::{self, Writer};
    use crate::wire::container::mp4::live::tracks;
    use crate::wire::container::track_config::tests::rotated_video;
    use crate::wire::container::{Demuxer, Muxer};

    /// GStreamer writes texts with the NUL of C.
    #[test]
    fn a_file_whose_texts_end_in_nul_is_read() {
        let tracks = tracks(Some(&rotated_video(Rotation::None)), None);
        let mut file = Writer::new(tracks).begin().to_vec();
        let at = file.windows(8).position(|it| it == b"matroska").unwrap();
        file.insert(at + 8, 0);
        // The sizes of the text and of the header.
        file[at - 1] += 1;
        file[4] += 1;
        assert!(mkv::index(&mut &file[..]).unwrap().tracks.video.is_some());
        super::Reader::to_play().head(&mut &file[..]).unwrap();
    }
}
