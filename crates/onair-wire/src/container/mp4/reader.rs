//! Reads an MP4 file box by box, either completely or incrementally while bytes still arrive. The
//! file can be ordinary or fragmented, and it can be truncated. An ordinary file is read by its
//! index, at any position. A fragmented file is read from its start or from any fragment.

use crate::base::Timestamp;
use crate::wire::container::demuxer::Demuxer;
use crate::wire::container::mp4::boxes::{Name, header};
use crate::wire::container::mp4::chapters;
use crate::wire::container::mp4::encryption::EncryptedSample;
use crate::wire::container::mp4::fragments::{mfra, mfra_at, sidx, units_in};
use crate::wire::container::mp4::movie::{Movie, moof, moov};
use crate::wire::container::mp4::writer::{CHAPTER_MARK, MDAT_HEADER_BYTES, Writer};
use crate::wire::container::{
    Chapter, Error, FilePart, Format, Index, ReadAt, SampleLocation, Unit, max_samples, read,
};

/// Maximum size of a `moov` in bytes, enough for days of samples.
const MAX_MOOV_BYTES: usize = 512 << 20;
/// Maximum size of a `moof` in bytes.
const MAX_MOOF_BYTES: usize = 16 << 20;
/// Maximum length in bytes of a box that may contain a chapter.
const MAX_CHAPTER_BOX_BYTES: usize = 512;
/// Maximum length of an index of fragments in bytes.
const MAX_INDEX_BYTES: usize = 4 << 20;
/// Maximum number of samples in a file of unknown length (half a day).
const MAX_SAMPLES: usize = 4_000_000;
/// Maximum number of samples in one fragment of a file of unknown length.
const MAX_FRAGMENT_SAMPLES: usize = 100_000;

const BAD_HEADER_ERROR: Error = Error::Damaged(FilePart::Header);

/// The contents of a file and, if onair wrote it, the data for finishing it in place.
#[derive(Debug)]
pub struct FileIndex {
    pub index: Index,
    /// Position of the space for the `mdat` header, if onair wrote the file.
    pub room: Option<u64>,
    /// Encrypted samples.
    pub encrypted: Vec<EncryptedSample>,
}

/// Indexes the file for copying.
///
/// # Errors
/// Fails if the file is not MP4, cannot be read, or has no usable track.
pub fn index(source: &mut dyn ReadAt) -> Result<Index, Error> {
    survey(source).map(|survey| survey.index)
}

/// Works like [`index`], but for playback, with every known codec.
///
/// # Errors
/// Fails with the same errors as [`index`].
pub fn index_to_play(source: &mut dyn ReadAt) -> Result<Index, Error> {
    let max_samples = max_samples(source.size());
    limited_index_to_play(source, max_samples)
}

/// Works like [`index_to_play`], but for a file of at most `max_samples` samples.
///
/// # Errors
/// Fails with the same errors as [`index`], and if there are more samples.
pub fn limited_index_to_play(source: &mut dyn ReadAt, max_samples: usize) -> Result<Index, Error> {
    let index = Index { to_play: true, max_samples, ..Index::default() };
    Reader::of(index, true).all(source).map(|survey| survey.index)
}

/// Works like [`index_to_play`] with the decryption key. Also returns the encrypted samples.
///
/// # Errors
/// Fails with the same errors as [`index`].
pub fn index_encrypted(source: &mut dyn ReadAt) -> Result<(Index, Vec<EncryptedSample>), Error> {
    let max_samples = max_samples(source.size());
    let index = Index { to_play: true, has_key: true, max_samples, ..Index::default() };
    Reader::of(index, true).all(source).map(|survey| (survey.index, survey.encrypted))
}

/// Works like [`index`], but also returns the data for finishing the file.
///
/// # Errors
/// Fails with the same errors as [`index`].
pub fn survey(source: &mut dyn ReadAt) -> Result<FileIndex, Error> {
    let index = Index { max_samples: max_samples(source.size()), ..Index::default() };
    let found = Reader::of(index, true).all(source)?;
    // Other programs reserve the same space. Their files may have contents that onair would lose.
    let is_ours = found.room.is_some() && Writer::has_begun(source, &found.index.tracks)?;
    Ok(FileIndex { room: found.room.filter(|_| is_ours), ..found })
}

/// The incremental MP4 reader.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    index: Index,
    /// True to read the whole file, including data after an index, and chapters at any position.
    surveys: bool,
    movie: Option<Movie>,
    /// Position of the next box.
    at: u64,
    /// Number of boxes before the next box.
    number: u64,
    /// Position of the space for the `mdat` header.
    room: Option<u64>,
    units: Vec<Unit>,
    /// End time according to the file.
    end: Option<Timestamp>,
    looked: bool,
    /// Position of the first read, after the samples that precede all fragments.
    beginning: u64,
    first: Vec<SampleLocation>,
    /// True if a fragment must begin at the current position.
    landing: bool,
}

/// A top-level box.
#[derive(Copy, Clone, Debug)]
struct TopBox {
    name: Name,
    /// Position of its content.
    content: u64,
    end: u64,
}

/// Reads the box at `at`. Returns `None` if it is incomplete.
fn next_box(source: &mut dyn ReadAt, at: u64) -> Result<Option<TopBox>, Error> {
    let size = source.size();
    let start = read(source, at, size.saturating_sub(at).min(16), 16, FilePart::Structure)?;
    let Some((head, name, length)) = header(&start) else { return Ok(None) };
    let length = if length == 0 { size - at } else { length };
    let end = at.checked_add(length).filter(|end| *end <= size);
    Ok(end.map(|end| TopBox { name, content: at + head as u64, end }))
}

/// Returns true if a file may begin with this box.
const fn may_begin(name: Name) -> bool {
    matches!(&name, b"ftyp" | b"styp" | b"moov" | b"free" | b"wide" | b"mdat")
}

impl Reader {
    /// Creates a reader for playback while bytes arrive.
    pub fn to_play() -> Self {
        Self::of(Index { to_play: true, max_samples: MAX_SAMPLES, ..Index::default() }, false)
    }

    fn of(index: Index, surveys: bool) -> Self {
        Self { index, surveys, ..Self::default() }
    }

    /// Reads the complete boxes of a file that grows by fragments, until the index has `most`
    /// samples. Returns true if that limit ended the read.
    ///
    /// # Errors
    /// Fails if the file is not MP4, or cannot be read.
    pub fn read_growing(&mut self, source: &mut dyn ReadAt, most: usize) -> Result<bool, Error> {
        while let Some(next) = next_box(source, self.at)? {
            // The samples of a fragment follow its header.
            if next.name == *b"moof" && next_box(source, next.end)?.is_none() {
                break;
            }
            if self.index.samples.len() >= most {
                return Ok(true);
            }
            self.take(source, next)?;
        }
        Ok(false)
    }

    /// Returns the index so far, with the samples in the order of the file.
    pub fn index_so_far(&mut self) -> &mut Index {
        &mut self.index
    }

    /// Reads the whole file.
    fn all(mut self, source: &mut dyn ReadAt) -> Result<FileIndex, Error> {
        while let Some(next) = next_box(source, self.at)? {
            self.take(source, next)?;
        }
        let Some(movie) = self.movie else { return Err(self.no_movie()) };
        if !movie.fragmented {
            // The box of the samples may be incomplete, but each of these samples is whole.
            let ends = self.index.samples.iter().map(|it| it.at + u64::from(it.size));
            self.index.whole = ends.fold(self.index.whole, u64::max);
        }
        if let Some((begins, ends)) = movie.shown() {
            self.index.show_only(begins, ends);
        }
        self.index.usable()?;
        self.index.arrange();
        Ok(FileIndex { index: self.index, room: self.room, encrypted: movie.encrypted })
    }

    const fn no_movie(&self) -> Error {
        if self.number == 0 { BAD_HEADER_ERROR } else { Error::Damaged(FilePart::UnwrittenIndex) }
    }

    /// Reads the next box.
    fn take(&mut self, source: &mut dyn ReadAt, next: TopBox) -> Result<(), Error> {
        let TopBox { name, content, end } = next;
        if self.number == 0 && !may_begin(name) {
            return Err(BAD_HEADER_ERROR);
        }
        let length = end - content;
        let mut is_whole = true;
        match &name {
            b"moov" if self.surveys || self.movie.is_none() => {
                is_whole = self.movie.is_none();
                let bytes = read(source, content, length, MAX_MOOV_BYTES, FilePart::Index)?;
                self.moov(source, &bytes)?;
            }
            b"moof" => {
                if let Some(movie) = self.movie.as_mut().filter(|movie| movie.fragmented) {
                    let bytes = read(source, content, length, MAX_MOOF_BYTES, FilePart::Structure)?;
                    moof(&bytes, self.at, movie, &mut self.index, source.size())?;
                }
                // The fragment is complete only with its data.
                is_whole = false;
            }
            b"sidx" if !self.surveys && self.movie.is_some() && self.beginning == 0 => {
                let bytes = read(source, content, length, MAX_INDEX_BYTES, FilePart::Index)?;
                if let Some((units, ends)) = sidx(&bytes, end, source.size()) {
                    (self.units, self.end) = (units, Some(self.end.unwrap_or(ends)));
                }
            }
            b"free" if self.number == 1 && end - self.at == MDAT_HEADER_BYTES => {
                self.room = Some(self.at);
            }
            b"free" if self.surveys && (16..=MAX_CHAPTER_BOX_BYTES as u64).contains(&length) => {
                let bytes =
                    read(source, content, length, MAX_CHAPTER_BOX_BYTES, FilePart::Chapters)?;
                chapter(&bytes, &mut self.index);
            }
            _ => {}
        }
        (self.at, self.number, self.landing) = (end, self.number + 1, false);
        if is_whole {
            self.index.whole = end;
        }
        Ok(())
    }

    /// Reads an index. If there are two, the file was nearly finished, and the last one applies.
    fn moov(&mut self, source: &mut dyn ReadAt, bytes: &[u8]) -> Result<(), Error> {
        let first = self.movie.is_none();
        let Index { to_play, has_key, max_samples, .. } = self.index;
        let mut found = Index { to_play, has_key, max_samples, ..Index::default() };
        let mut movie = moov(bytes, &mut found, source.size())?;
        if !first && (movie.fragmented || found.samples.is_empty()) {
            return Ok(());
        }
        // The list `chpl` is more exact, but limited to 255 entries.
        let titles = std::mem::take(&mut movie.titles);
        if self.surveys {
            let titled = chapters::titles(source, &titles)?;
            if titled.len() > found.chapters.len() {
                found.chapters = titled;
            }
        }
        if found.chapters.is_empty() {
            found.chapters = std::mem::take(&mut self.index.chapters);
        }
        found.finished &= first && !movie.fragmented;
        found.whole = self.index.whole;
        self.index = found;
        self.end = movie.length.and_then(|seconds| {
            let micros = seconds * 1e6;
            (1.0..1e15).contains(&micros).then(|| Timestamp::from_micros(micros as i64))
        });
        self.movie = Some(movie);
        Ok(())
    }
}

impl Demuxer for Reader {
    fn name(&self) -> &'static str {
        Format::Mp4.extension()
    }

    fn head(&mut self, source: &mut dyn ReadAt) -> Result<(), Error> {
        while let Some(next) = next_box(source, self.at)? {
            if self.movie.is_some() && matches!(&next.name, b"moof" | b"mdat") {
                break;
            }
            self.take(source, next)?;
            if self.is_whole() {
                if let Some((begins, ends)) = self.movie.as_ref().and_then(Movie::shown) {
                    self.index.show_only(begins, ends);
                }
                self.index.usable()?;
                self.index.arrange();
                return Ok(());
            }
        }
        if self.movie.is_none() {
            return Err(self.no_movie());
        }
        self.beginning = self.at;
        self.first.clone_from(&self.index.samples);
        self.index.max_samples = MAX_FRAGMENT_SAMPLES;
        self.index.usable()
    }

    fn index(&self) -> &Index {
        &self.index
    }

    fn read_on(
        &mut self,
        source: &mut dyn ReadAt,
        found: &mut Vec<SampleLocation>,
    ) -> Result<bool, Error> {
        loop {
            if !self.index.samples.is_empty() {
                if let Some((begins, _)) = self.movie.as_ref().and_then(Movie::shown) {
                    self.index.hide_before(begins);
                }
                let samples = &mut self.index.samples;
                samples.sort_by_key(|sample| (sample.dts, sample.track));
                found.append(samples);
                return Ok(true);
            }
            let next = next_box(source, self.at)?;
            let is_unit = next.is_some_and(|it| matches!(&it.name, b"moof" | b"sidx" | b"styp"));
            if self.landing && !is_unit {
                return Err(Error::Damaged(FilePart::Index));
            }
            let Some(next) = next else { return Ok(false) };
            self.take(source, next)?;
            // There is no key.
            if let Some(movie) = &mut self.movie {
                movie.encrypted.clear();
            }
        }
    }

    fn beginning(&self) -> Unit {
        Unit { time: Timestamp::ZERO, at: self.beginning }
    }

    fn go_to(&mut self, unit: Unit) {
        self.at = unit.at;
        self.landing = unit.at != self.beginning;
        self.index.samples.clear();
        if !self.landing {
            self.index.samples.clone_from(&self.first);
        }
        if let Some(movie) = &mut self.movie {
            if self.landing { movie.go_to(unit.time) } else { movie.restart() }
        }
    }

    fn end(&self) -> Option<Timestamp> {
        self.end
    }

    fn is_blind(&self) -> bool {
        self.movie.is_none()
    }

    fn is_whole(&self) -> bool {
        self.movie.as_ref().is_some_and(|movie| !movie.fragmented)
    }

    fn look_up(&mut self, source: &mut dyn ReadAt) -> Result<(), Error> {
        let size = source.size();
        if self.looked || self.is_whole() || !self.units.is_empty() || size < 16 {
            return Ok(());
        }
        let last = read(source, size - 16, 16, 16, FilePart::Index)?;
        if let Some(at) = mfra_at(&last, size) {
            let bytes = read(source, at, size - at, MAX_INDEX_BYTES, FilePart::Index)?;
            let movie = self.movie.as_ref();
            self.units = movie.and_then(|movie| mfra(&bytes, movie, size)).unwrap_or_default();
        }
        self.looked = true;
        Ok(())
    }

    fn units(&self) -> &[Unit] {
        &self.units
    }

    fn units_in(&self, bytes: &[u8], at: u64) -> Vec<Unit> {
        self.movie.as_ref().map_or_else(Vec::new, |movie| units_in(bytes, at, movie))
    }

    fn stretch(&self) -> u64 {
        8 << 20
    }
}

/// Reads a chapter between fragments.
fn chapter(bytes: &[u8], index: &mut Index) -> Option<()> {
    let rest = bytes.strip_prefix(CHAPTER_MARK)?;
    let (at, title) = rest.split_first_chunk()?;
    let micros = i64::try_from(u64::from_be_bytes(*at)).ok()?;
    let title = String::from_utf8_lossy(title);
    index.push_chapter(Chapter::new(Timestamp::from_micros(micros), &title));
    Some(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::media::{EncodedPacket, Rotation, StreamEvent, Track};
    use crate::wire::container::mp4::boxes::{put_box, put_full};
    use crate::wire::container::mp4::live::{
        ChunkSample, ChunkTrack, chunk, initialization, simulated::aac, tracks,
    };
    use crate::wire::container::mp4::sample_table::Entry;
    use crate::wire::container::track_config::tests::rotated_video;
    use crate::wire::container::{Muxer, Part, UnsupportedContent};

    /// Makes a file with four audio packets. Without `finish`, the file is one that was cut off.
    fn file(finish: bool) -> Vec<u8> {
        let mut writer = Writer::new(tracks(None, Some(&aac())));
        let mut file = writer.begin().to_vec();
        for number in 0..4_i64 {
            let at = Timestamp::from_micros(number * 1_024_000_000 / 48_000);
            let packet =
                EncodedPacket::received(Track::Audio, (at, at), true, Bytes::from_static(&[7; 50]));
            writer.write(&StreamEvent::Packet(packet));
        }
        file.extend(writer.flush(file.len() as u64).append);
        writer.commit();
        if finish {
            let piece = writer.finish(file.len() as u64, Timestamp::from_millis(85));
            file.extend(piece.append);
            for (at, bytes) in piece.patches {
                file[at as usize..at as usize + bytes.len()].copy_from_slice(&bytes);
            }
        }
        file
    }

    #[test]
    fn only_a_file_that_onair_wrote_is_finished_in_place() {
        let ours = file(false);
        let found = survey(&mut &ours[..]).unwrap();
        assert_eq!((found.index.samples.len(), found.room), (4, Some(36)));
        // OBS Studio reserves the same space, but writes another minor version.
        let mut other = ours.clone();
        other[14] = 0;
        let found = survey(&mut &other[..]).unwrap();
        assert_eq!((found.index.samples.len(), found.room), (4, None));
        // An index that has more than onair writes.
        let mut longer = ours;
        let length = u32::from_be_bytes(*longer[52..].first_chunk().unwrap());
        longer[52..56].copy_from_slice(&(length + 8).to_be_bytes());
        let end = 52 + length as usize;
        let longer = [&longer[..end], b"\0\0\0\x08udta", &longer[end..]].concat();
        let found = survey(&mut &longer[..]).unwrap();
        assert_eq!((found.index.samples.len(), found.room), (4, None));
    }

    #[test]
    fn a_file_that_lost_its_last_samples_is_not_finished() {
        let whole = file(true);
        // The index before the samples, as in most downloads.
        let mdat_end = 36 + u64::from_be_bytes(*whole[44..].first_chunk().unwrap()) as usize;
        let mut moov = whole[mdat_end..].to_vec();
        let place = 12 + moov.windows(4).position(|name| name == b"stco").unwrap();
        let at = u32::from_be_bytes(*moov[place..].first_chunk().unwrap());
        let moved = (at + moov.len() as u32).to_be_bytes();
        moov[place..place + 4].copy_from_slice(&moved);
        let whole = [&whole[..36], &moov[..], &whole[36..mdat_end]].concat();
        let found = survey(&mut &whole[..]).unwrap().index;
        assert_eq!((found.samples.len(), found.finished), (4, true));
        assert_eq!(found.whole, whole.len() as u64);
        // Half of the third packet and the whole fourth one are missing.
        let cut = &whole[..whole.len() - 75];
        let found = survey(&mut &cut[..]).unwrap().index;
        assert_eq!((found.samples.len(), found.finished), (2, false));
        assert_eq!(found.whole, whole.len() as u64 - 100);
    }

    #[test]
    fn a_copy_keeps_the_rotation_of_the_video() {
        for rotation in Rotation::orientations() {
            let video = rotated_video(rotation);
            let size = video.size;
            let file = initialization(&tracks(Some(&video), None), 1);
            let found = index(&mut &file[..]).unwrap().tracks;
            let read = found.video.as_ref().unwrap();
            assert_eq!((read.rotation, read.size), (rotation, size));
            assert_eq!(read.displayed_size(), rotation.size(size));
            let copy = initialization(&found, 1);
            let copied = index(&mut &copy[..]).unwrap().tracks.video.unwrap();
            assert_eq!(copied.rotation, rotation);
        }
    }

    #[test]
    fn fragments_without_times_follow_the_samples_of_the_index() {
        let mut file = file(true);
        let moov = file.windows(4).rposition(|name| name == b"moov").unwrap() - 4;
        let mut mvex = bytes::BytesMut::new();
        put_box(&mut mvex, *b"mvex", |out| {
            put_full(out, *b"trex", 0, 0, |out| {
                let fields = [1_u32, 1, 1_024, 0, 0].map(u32::to_be_bytes);
                out.extend_from_slice(fields.as_flattened());
            });
        });
        file.extend(&mvex);
        let length = (file.len() - moov) as u32;
        file[moov..moov + 4].copy_from_slice(&length.to_be_bytes());
        let entry = Entry { dts: 0, composition: 0, size: 3, keyframe: true };
        let sample = ChunkSample { entry, data: Bytes::from_static(b"abc") };
        let chunk = chunk(ChunkTrack { number: 1, video: false }, 1, &[sample], 1_024);
        let mut chunk = chunk.to_vec();
        let tfdt = chunk.windows(4).position(|name| name == b"tfdt").unwrap();
        chunk[tfdt..tfdt + 4].copy_from_slice(b"free");
        file.extend(chunk);
        let check = |samples: &[SampleLocation]| {
            assert_eq!(samples.len(), 5);
            assert!(samples.windows(2).all(|pair| pair[0].dts < pair[1].dts), "{samples:?}");
        };
        check(&index(&mut &file[..]).unwrap().samples);
        // Also after the return to the beginning.
        let (mut reader, mut source) = (Reader::to_play(), &file[..]);
        reader.head(&mut source).unwrap();
        for _ in 0..2 {
            let mut found = Vec::new();
            while reader.read_on(&mut source, &mut found).unwrap() {}
            check(&found);
            reader.go_to(reader.beginning());
        }
    }

    #[test]
    fn frames_that_need_another_config_are_skipped_and_reported() {
        let video = rotated_video(Rotation::None);
        let mut writer = Writer::new(tracks(Some(&video), None));
        let mut file = writer.begin().to_vec();
        for millis in [vec![0, 33], vec![66]] {
            for at in millis.into_iter().map(Timestamp::from_millis) {
                let data = Bytes::from_static(&[7; 50]);
                let packet = EncodedPacket::received(Track::Video, (at, at), true, data);
                writer.write(&StreamEvent::Packet(packet));
            }
            file.extend(writer.flush(file.len() as u64).append);
            writer.commit();
        }
        let moov = writer.finish(file.len() as u64, Timestamp::from_millis(100)).append;
        let place = |moov: &[u8], name: &[u8]| moov.windows(4).position(|it| it == name).unwrap();
        let number = |moov: &[u8], at: usize| {
            u32::from_be_bytes(*moov.get(at..).and_then(<[u8]>::first_chunk).unwrap())
        };
        // A second description with another configuration, which the second chunk uses.
        let first = place(&moov, b"stsd") + 12;
        let length = number(&moov, first);
        let second = first + length as usize;
        let mut entry = moov[first..second].to_vec();
        *entry.last_mut().unwrap() = 9;
        let mut moov = [&moov[..second], &entry[..], &moov[second..]].concat();
        moov[first - 1] = 2;
        let last_run = place(&moov, b"stsc") + 24;
        moov[last_run + 11] = 2;
        for name in [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"] {
            let at = place(&moov, name) - 4;
            let longer = number(&moov, at) + length;
            moov[at..at + 4].copy_from_slice(&longer.to_be_bytes());
        }
        file.extend(moov);
        let found = survey(&mut &file[..]).unwrap().index;
        assert_eq!(found.samples.len(), 2);
        assert_eq!(
            found.unsupported_contents,
            [(Some(Part::Resized), UnsupportedContent::ResizedFrames)]
        );
    }
}
