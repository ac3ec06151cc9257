//! Writes an MP4 file, with fragments during recording and one index at the end; see the
//! [module](super).

use bytes::{BufMut, Bytes, BytesMut};

use crate::base::Timestamp;
use crate::media::codec_config::gcd;
use crate::media::{EncodedPacket, FrameRate, Metadata, StreamEvent, VideoCodec};
use crate::wire::codec::Colors;
use crate::wire::container::mp4::boxes::{put_box, put_full, put_matrix};
use crate::wire::container::mp4::chapters;
use crate::wire::container::mp4::fragment::{
    NON_SYNC_SAMPLE_FLAGS, SYNC_SAMPLE_FLAGS, SampleRun, moof,
};
use crate::wire::container::mp4::sample_table::{Entry, Table, ticks};
use crate::wire::container::mp4::track_boxes::{Kind, Trak};
use crate::wire::container::{
    Chapter, Error, FilePart, Muxer, MuxerOutput, ReadAt, Timing, TrackId, Tracks, audio_frame,
    read,
};

/// Ticks per second of the movie if there is no audio.
pub(super) const MOVIE_TIMESCALE: u32 = 90_000;
/// The finest timescale of a movie.
const MAX_MOVIE_TIMESCALE: u64 = 1_000_000_000;
/// Maximum number of chapters in `chpl`.
const MAX_CHAPTERS: usize = 255;
/// The first bytes of a `free` box that contains a chapter between fragments.
pub(super) const CHAPTER_MARK: &[u8; 8] = b"onairchp";
/// Size in bytes of the box that becomes the header of `mdat`.
pub(super) const MDAT_HEADER_BYTES: u64 = 16;
/// Size in bytes of a box's length and name.
const BOX_HEADER_BYTES: u64 = 8;

/// The MP4 writer.
#[derive(Debug)]
pub struct Writer {
    tracks: Vec<Track>,
    shape: Tracks,
    /// Colors of the video in the container.
    colors: Colors,
    /// Position of the space for the `mdat` header.
    room_at: u64,
    /// Ticks per second of the movie.
    movie_timescale: u32,
    sequence: u32,
    chapters: Vec<Chapter>,
    new_chapters: Vec<Chapter>,
    /// Positions of the flushed data, track by track.
    handed: Vec<u64>,
    waiting: usize,
    /// Id of the first track.
    first_id: u32,
}

#[derive(Debug)]
struct Track {
    id: TrackId,
    table: Table,
    /// Samples of the current fragment.
    entries: Vec<Entry>,
    data: Vec<Bytes>,
}

/// Returns the ticks per second and the ticks per frame for this frame rate, both whole numbers.
pub(super) fn video_timescale(rate: FrameRate) -> (u32, u32) {
    let (mut scale, mut period) = (rate.num(), rate.den());
    while scale < 10_000 {
        scale *= 10;
        period *= 10;
    }
    (scale, period)
}

impl Writer {
    /// Creates a writer for these tracks.
    pub fn new(shape: Tracks) -> Self {
        let tracks: Vec<_> = shape
            .ids()
            .map(|id| {
                let (timescale, duration) = match id {
                    TrackId::Video => {
                        let rate = shape.video.as_ref().map(|video| video.frame_rate);
                        video_timescale(rate.unwrap_or(FrameRate::FPS_30))
                    }
                    TrackId::Audio(index) => {
                        let audio = shape.audio.get(usize::from(index));
                        let audio = audio.map(|audio| audio_frame(&audio.config));
                        let (duration, rate) = audio.unwrap_or((1_024, 48_000));
                        (rate, duration)
                    }
                };
                let table = Table::new(timescale, duration);
                Track { id, table, entries: Vec::new(), data: Vec::new() }
            })
            .collect();
        let audio = tracks.iter().find(|track: &&Track| track.id != TrackId::Video);
        let movie_timescale = audio.map_or(MOVIE_TIMESCALE, |track| track.table.timescale);
        Self {
            tracks,
            shape,
            colors: Colors::default(),
            room_at: 0,
            movie_timescale,
            sequence: 0,
            chapters: Vec::new(),
            new_chapters: Vec::new(),
            handed: Vec::new(),
            waiting: 0,
            first_id: 1,
        }
    }

    /// Creates a writer for a file copy, with the timescales of its tracks, its original time zero
    /// and the colors of the original container.
    pub fn copying(shape: Tracks, timing: &Timing, colors: Colors) -> Self {
        let mut writer = Self { colors, ..Self::new(shape) };
        for track in &mut writer.tracks {
            let Some(its) = timing.of(track.id) else { continue };
            let usual = track.table.timescale;
            let timescale = match (its.timescale, track.id) {
                // Times in milliseconds need a timescale in which milliseconds are exact.
                (0, TrackId::Video) if !usual.is_multiple_of(1_000) => MOVIE_TIMESCALE,
                (0, _) => usual,
                (timescale, _) => timescale,
            };
            let period = ticks(Timestamp::ZERO + its.period, timescale).max(1);
            let table = Table::new(timescale, u32::try_from(period).unwrap_or(u32::MAX));
            let shown_from = its.shown_from.map(|from| ticks(from, timescale));
            track.table = table.copying(ticks(timing.zero, timescale), shown_from);
        }
        // A timescale in which the edits of every track are exact.
        let mut movie = 1_u64;
        for track in &writer.tracks {
            let its = u64::from(track.table.timescale.max(1));
            let both = movie / gcd(movie, its) * its;
            movie = if both < MAX_MOVIE_TIMESCALE { both } else { movie.max(its) };
        }
        writer.movie_timescale = u32::try_from(movie).unwrap_or(MOVIE_TIMESCALE);
        writer
    }

    /// Returns true if the file begins like a file that onair writes with these tracks.
    ///
    /// # Errors
    /// Fails if the file cannot be read.
    pub fn has_begun(source: &mut dyn ReadAt, tracks: &Tracks) -> Result<bool, Error> {
        let mut writer = Self::new(tracks.clone());
        let begin = writer.begin();
        // Values such as the bitrate may differ, but they have no effect on the length of the index,
        // which its header contains.
        let length = writer.room_at + MDAT_HEADER_BYTES + BOX_HEADER_BYTES;
        let available = length.min(source.size());
        let start = read(source, 0, available, begin.len(), FilePart::Header)?;
        Ok(available == length && begin.starts_with(&start))
    }

    /// Continues a file that was cut off. The file contains these samples (in file order), and its
    /// free space is at `room_at`.
    pub fn resume(
        shape: Tracks,
        samples: &[crate::wire::container::SampleLocation],
        chapters: Vec<Chapter>,
        room_at: u64,
    ) -> Self {
        let mut writer = Self::new(shape);
        writer.room_at = room_at;
        writer.chapters = chapters;
        for track in &mut writer.tracks {
            let mut chunk: Vec<Entry> = Vec::new();
            let (mut chunk_at, mut end) = (0, 0);
            let mut last = None;
            for place in samples.iter().filter(|place| place.track == track.id) {
                if place.at != end || chunk.len() >= 64 {
                    track.table.chunk(chunk_at, &chunk);
                    chunk.clear();
                    chunk_at = place.at;
                }
                let entry =
                    entry(place.dts, place.pts, place.size, place.keyframe, &track.table, last);
                last = Some(entry.dts);
                end = place.at + u64::from(place.size);
                chunk.push(entry);
            }
            track.table.chunk(chunk_at, &chunk);
        }
        writer
    }

    /// Returns the tracks with their tables; `chapters` is the id of the chapter track, if any.
    fn traks(&self, whole: bool, chapters: Option<u32>) -> impl Iterator<Item = Trak<'_>> {
        let movie_timescale = self.movie_timescale;
        (self.first_id..).zip(&self.tracks).filter_map(move |(id, track)| {
            let (kind, first) = match track.id {
                TrackId::Video => (Kind::Video(self.shape.video.as_ref()?, &self.colors), true),
                TrackId::Audio(n) => (Kind::Audio(self.shape.audio.get(usize::from(n))?), n == 0),
            };
            let chapters = chapters.filter(|_| id == 1);
            let table = &track.table;
            Some(Trak { id, kind, first, table, movie_timescale, chapters, whole })
        })
    }

    /// Makes the index: without samples, or with all samples and the chapter titles.
    fn moov(&self, whole: bool, titles: Option<&Table>) -> Bytes {
        let mut out = BytesMut::new();
        let tracks = u32::try_from(self.tracks.len()).unwrap_or(u32::MAX);
        let titled = titles.map(|_| tracks.saturating_add(1));
        put_box(&mut out, *b"moov", |out| {
            let end = self.traks(whole, None).map(|trak| trak.end()).max().unwrap_or(0);
            put_full(out, *b"mvhd", 1, 0, |out| {
                out.put_bytes(0, 16);
                out.put_u32(self.movie_timescale);
                out.put_u64(if whole { end } else { 0 });
                out.put_u32(0x1_0000);
                out.put_u16(0x0100);
                out.put_bytes(0, 10);
                put_matrix(out);
                out.put_bytes(0, 24);
                let last = (self.first_id - 1).saturating_add(titled.unwrap_or(tracks));
                out.put_u32(last.saturating_add(1));
            });
            for trak in self.traks(whole, titled) {
                trak.write(out);
            }
            if let (Some(table), Some(id)) = (titles, titled) {
                let movie_timescale = self.movie_timescale;
                let (kind, first, chapters) = (Kind::Chapters, false, None);
                Trak { id, kind, first, table, movie_timescale, chapters, whole }.write(out);
            }
            if !whole {
                put_box(out, *b"mvex", |out| {
                    for (trak, track) in self.traks(whole, None).zip(&self.tracks) {
                        put_full(out, *b"trex", 0, 0, |out| {
                            out.put_u32(trak.id);
                            out.put_u32(1);
                            out.put_u32(track.table.default_duration);
                            out.put_u32(0);
                            out.put_u32(if track.id == TrackId::Video {
                                NON_SYNC_SAMPLE_FLAGS
                            } else {
                                SYNC_SAMPLE_FLAGS
                            });
                        });
                    }
                });
            } else if !self.chapters.is_empty() {
                put_box(out, *b"udta", |out| put_chpl(out, &self.chapters));
            }
        });
        out.freeze()
    }

    /// Makes a `moof` for the waiting samples, whose data follows in track order.
    fn moof(&self, data_offset: u32) -> BytesMut {
        let runs: Vec<_> = (1_u32..)
            .zip(&self.tracks)
            .filter(|(_, track)| !track.entries.is_empty())
            .map(|(number, track)| SampleRun {
                number,
                video: track.id == TrackId::Video,
                entries: &track.entries,
                last_duration: track.table.default_duration,
            })
            .collect();
        moof(self.sequence, &runs, data_offset)
    }

    /// Makes the initialization segment of a live stream. A file begins differently, because its
    /// writer completes it at its end.
    pub(super) fn initialization(&self) -> Bytes {
        let mut out = BytesMut::new();
        self.put_ftyp(&mut out);
        out.put_slice(&self.moov(false, None));
        out.freeze()
    }

    /// Creates a writer for segments of a live stream. Tracks are numbered from `first_id`, and the
    /// video timescale is exact for milliseconds.
    pub(super) fn live(shape: Tracks, first_id: u32) -> Self {
        let mut writer = Self::new(shape);
        writer.first_id = first_id;
        for track in writer.tracks.iter_mut().filter(|track| track.id == TrackId::Video) {
            let period = u64::from(track.table.default_duration) * u64::from(MOVIE_TIMESCALE)
                / u64::from(track.table.timescale.max(1));
            let period = u32::try_from(period).unwrap_or(u32::MAX);
            track.table = Table::new(MOVIE_TIMESCALE, period);
        }
        writer
    }

    fn put_ftyp(&self, out: &mut BytesMut) {
        put_box(out, *b"ftyp", |out| {
            out.put_slice(b"isom");
            out.put_u32(0x200);
            out.put_slice(b"isomiso5iso6");
            let codec = self.shape.video.as_ref().map(|video| video.codec);
            out.put_slice(match codec {
                Some(VideoCodec::Hevc) => b"hvc1",
                Some(VideoCodec::Av1) => b"av01",
                Some(VideoCodec::Vp9) => b"iso4",
                _ => b"avc1",
            });
            out.put_slice(b"mp41");
        });
    }
}

fn entry(
    dts: Timestamp,
    pts: Timestamp,
    size: u32,
    keyframe: bool,
    table: &Table,
    last: Option<i64>,
) -> Entry {
    let at = table.settle(ticks(dts, table.timescale), last);
    let composition = if pts == dts { 0 } else { ticks(pts, table.timescale) - at };
    Entry { dts: at, composition: i32::try_from(composition).unwrap_or(0), size, keyframe }
}

/// Writes the chapter list that most players read. Each entry has a start in units of 100 ns, and a
/// title of up to 255 bytes.
fn put_chpl(out: &mut BytesMut, chapters: &[Chapter]) {
    let listed = chapters.get(..MAX_CHAPTERS).unwrap_or(chapters);
    put_full(out, *b"chpl", 1, 0, |out| {
        out.put_u32(0);
        out.put_u8(u8::try_from(listed.len()).unwrap_or(u8::MAX));
        for chapter in listed {
            out.put_u64(chapter.at.as_micros().max(0).unsigned_abs().saturating_mul(10));
            out.put_u8(u8::try_from(chapter.title.len()).unwrap_or(u8::MAX));
            out.put_slice(chapter.title.as_bytes());
        }
    });
}

impl Writer {
    fn packet(&mut self, packet: &EncodedPacket) {
        let id = TrackId::from(packet.track);
        let Some(track) = self.tracks.iter_mut().find(|track| track.id == id) else { return };
        let Ok(size) = u32::try_from(packet.data.len()) else { return };
        let last = track.entries.last().map(|entry| entry.dts).or_else(|| track.table.last_dts());
        let entry = entry(packet.dts, packet.pts, size, packet.keyframe, &track.table, last);
        self.waiting += packet.data.len() + 32;
        track.entries.push(entry);
        track.data.push(packet.data.clone());
    }

    fn chapter(&mut self, chapter: &Chapter) {
        self.waiting += 32 + chapter.title.len();
        self.new_chapters.push(chapter.clone());
    }
}

impl Muxer for Writer {
    fn begin(&mut self) -> Bytes {
        let mut out = BytesMut::new();
        self.put_ftyp(&mut out);
        self.room_at = out.len() as u64;
        put_box(&mut out, *b"free", |out| out.put_bytes(0, 8));
        out.put_slice(&self.moov(false, None));
        out.freeze()
    }

    fn write(&mut self, event: &StreamEvent) {
        match event {
            StreamEvent::Packet(packet) => self.packet(packet),
            StreamEvent::Metadata(Metadata::Chapter(chapter)) => self.chapter(chapter),
            _ => {}
        }
    }

    fn waiting(&self) -> usize {
        self.waiting
    }

    fn flush(&mut self, at: u64) -> MuxerOutput {
        let mut out = BytesMut::with_capacity(self.waiting + 256);
        for chapter in &self.new_chapters {
            put_box(&mut out, *b"free", |out| {
                out.put_slice(CHAPTER_MARK);
                out.put_u64(chapter.at.as_micros().max(0).unsigned_abs());
                out.put_slice(chapter.title.as_bytes());
            });
        }
        self.handed.clear();
        if self.tracks.iter().any(|track| !track.entries.is_empty()) {
            self.sequence += 1;
            let length = self.moof(0).len();
            let header = u32::try_from(length + 8).unwrap_or(u32::MAX);
            let mut data_at = at + out.len() as u64 + u64::from(header);
            out.put_slice(&self.moof(header));
            put_box(&mut out, *b"mdat", |out| {
                for track in &self.tracks {
                    self.handed.push(data_at);
                    for data in &track.data {
                        out.put_slice(data);
                        data_at += data.len() as u64;
                    }
                }
            });
        }
        MuxerOutput { append: out.freeze(), patches: Vec::new() }
    }

    fn commit(&mut self) {
        for (track, at) in self.tracks.iter_mut().zip(&self.handed) {
            track.table.chunk(*at, &track.entries);
        }
        self.chapters.append(&mut self.new_chapters);
        self.discard();
    }

    fn discard(&mut self) {
        for track in &mut self.tracks {
            track.entries.clear();
            track.data.clear();
        }
        self.new_chapters.clear();
        self.handed.clear();
        self.waiting = 0;
    }

    fn finish(&mut self, at: u64, end: Timestamp) -> MuxerOutput {
        let mut append = BytesMut::new();
        if self.chapters.is_empty() {
            append.put_slice(&self.moov(true, None));
        } else {
            // The titles are in a box, so that the file can be parsed before the header is filled in.
            let (titles, table) = chapters::samples(&self.chapters, at + 8, end);
            put_box(&mut append, *b"mdat", |out| out.put_slice(&titles));
            append.put_slice(&self.moov(true, Some(&table)));
        }
        let mut room = BytesMut::new();
        room.put_u32(1);
        room.put_slice(b"mdat");
        room.put_u64(at.saturating_sub(self.room_at));
        MuxerOutput { append: append.freeze(), patches: vec![(self.room_at, room.freeze())] }
    }

    fn close(&mut self, _at: u64, _end: Timestamp) -> Vec<(u64, Bytes)> {
        // The file stays fragmented.
        Vec::new()
    }

    fn index_weight(&self) -> usize {
        let chapters = chapters::weight(&self.chapters) + chapters::weight(&self.new_chapters);
        2_000 + chapters + self.tracks.iter().map(|track| track.table.weight()).sum::<usize>()
    }
}
