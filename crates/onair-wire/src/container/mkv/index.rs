//! Indexes a Matroska file, complete or truncated, without reading its frames.

use bytes::Bytes;

use crate::base::Timestamp;
use crate::media::VideoCodec;
use crate::wire::container::flv::Metadata;
use crate::wire::container::mkv::codecs::{
    AAC_CODEC_ID, AVC_CODEC_ID, colors, name, other_audio, other_video, pcm, pixel_aspect, rotation,
};
use crate::wire::container::mkv::compression::{encoding, unsupported_content};
use crate::wire::container::mkv::decode_order::decoding_times;
use crate::wire::container::mkv::ebml::{
    ElementHeader, MAX_ELEMENT_HEADER_BYTES, child, elements, float, head, id, text, uint, vint,
};
use crate::wire::container::mkv::header::{
    DURATION_ELEMENT_BYTES, RESERVED_CHAPTER_BYTES, RESERVED_SEEK_HEAD_BYTES, TYPE_AUDIO,
    TYPE_SUBTITLE, TYPE_VIDEO,
};
use crate::wire::container::mkv::lacing;
use crate::wire::container::mkv::writer::{Cue, Layout, delay_ticks};
use crate::wire::container::track_config::{aac_config_with_metadata, h264_config_with_metadata};
use crate::wire::container::{
    AudioTrack, Chapter, Error, FilePart, Index, MAX_AUDIO_TRACKS, Part, ReadAt, SampleLocation,
    TrackId, UnsupportedContent, audio_track, language, max_samples, read, unsupported,
};

/// The longest accepted header, track list or chapter list in bytes.
pub(super) const MAX_MASTER_BYTES: usize = 4 << 20;

/// Indexes the file for copying.
///
/// # Errors
/// Fails if the file is not Matroska, cannot be read, or has no usable track.
pub fn index(source: &mut dyn ReadAt) -> Result<Index, Error> {
    survey(source).map(|survey| survey.index)
}

/// Works like [`index`], but for playback, with audio of every known codec.
///
/// # Errors
/// Fails with the same errors as [`index`].
pub fn index_to_play(source: &mut dyn ReadAt) -> Result<Index, Error> {
    let mut walk = ClusterWalk::to_play();
    walk.index.max_samples = max_samples(source.size());
    walk.walk(source)?;
    walk.finish().map(|survey| survey.index)
}

/// The contents of a file and, if onair wrote the file, the data for finishing it in place.
#[derive(Debug)]
pub struct FileIndex {
    pub index: Index,
    pub layout: Option<Layout>,
    pub cues: Vec<Cue>,
}

/// Works like [`index`], but also returns the data for finishing the file.
///
/// # Errors
/// Fails with the same errors as [`index`].
pub fn survey(source: &mut dyn ReadAt) -> Result<FileIndex, Error> {
    let mut walk = ClusterWalk::to_copy();
    walk.index.max_samples = max_samples(source.size());
    walk.walk(source)?;
    walk.finish()
}

/// A walk through the file from element to element, which pauses while bytes are missing.
#[derive(Clone, Debug)]
pub(super) struct ClusterWalk {
    pub index: Index,
    /// Position of the next element.
    pub at: u64,
    /// Nanoseconds per tick.
    pub scale_nanos: u64,
    /// The tracks in use.
    pub used: Vec<UsedTracks>,
    pub segment: u64,
    /// True if the segment has a size and is complete.
    segment_known: bool,
    has_duration: bool,
    pub info: Option<(u64, Bytes)>,
    tracks_at: Option<u64>,
    /// Position and length of the element after `Tracks`.
    after_tracks: Option<(u64, u64)>,
    /// Position and length of the last chapters behind that element.
    later_chapters: Option<(u64, usize)>,
    seek_head_at: Option<u64>,
    ours: bool,
    /// The current cluster: its position, its content, and its end if known.
    pub cluster: (u64, u64, Option<u64>),
    cluster_time: u64,
    /// End of the block group with the last sample.
    pub group: Option<u64>,
    pub cues: Vec<Cue>,
    laced: bool,
    /// True if the block additions of video are its alpha channel.
    has_alpha: bool,
}

/// A track in use.
#[derive(Copy, Clone, Debug)]
pub(super) struct UsedTracks {
    /// Number of the track in the file.
    pub number: u64,
    pub track: TrackId,
    /// Duration of a sample, if the file declares it.
    period_nanos: Option<u64>,
    /// Codec delay, by which presentation is earlier than the timestamps. It is used only for
    /// copying.
    delay_nanos: u64,
}

pub(super) fn head_at(source: &mut dyn ReadAt, at: u64) -> Result<Option<ElementHeader>, Error> {
    let left = source.size().saturating_sub(at).min(MAX_ELEMENT_HEADER_BYTES as u64);
    let bytes = read(source, at, left, MAX_ELEMENT_HEADER_BYTES, FilePart::Structure)?;
    Ok(head(&bytes))
}

impl ClusterWalk {
    fn walk(&mut self, source: &mut dyn ReadAt) -> Result<(), Error> {
        self.begin(source)?;
        while self.step(source)? {}
        Ok(())
    }

    /// Creates a walk for copying.
    pub(super) fn to_copy() -> Self {
        Self {
            index: Index::default(),
            at: 0,
            scale_nanos: 1_000_000,
            used: Vec::new(),
            segment: 0,
            segment_known: false,
            has_duration: false,
            info: None,
            tracks_at: None,
            after_tracks: None,
            later_chapters: None,
            seek_head_at: None,
            ours: false,
            cluster: (0, 0, None),
            cluster_time: 0,
            group: None,
            cues: Vec::new(),
            laced: false,
            has_alpha: false,
        }
    }

    /// Creates a walk for playback.
    pub(super) fn to_play() -> Self {
        let mut walk = Self::to_copy();
        walk.index.to_play = true;
        walk
    }

    /// Reads the header of the file.
    pub(super) fn begin(&mut self, source: &mut dyn ReadAt) -> Result<(), Error> {
        let Some(ebml) = head_at(source, 0)?.filter(|head| head.id == id::EBML) else {
            return Err(Error::Damaged(FilePart::Header));
        };
        let size = ebml.size.ok_or(Error::Damaged(FilePart::Header))?;
        let content = read(source, ebml.length as u64, size, MAX_MASTER_BYTES, FilePart::Header)?;
        let kind = child(&content, id::DOC_TYPE).unwrap_or_default();
        if !matches!(text(kind), b"matroska" | b"webm") {
            return Err(Error::Damaged(FilePart::Header));
        }
        self.at = ebml.length as u64 + size;
        Ok(())
    }

    /// Reads or enters the next element. Returns false at the end. If the element cannot be read
    /// yet, the caller may call again.
    pub(super) fn step(&mut self, source: &mut dyn ReadAt) -> Result<bool, Error> {
        let at = self.at;
        let Some(found) = head_at(source, at)? else { return Ok(false) };
        let content = at + found.length as u64;
        if self.group.is_some_and(|end| at >= end) {
            self.group = None;
        }
        let step_in = match found.id {
            id::SEGMENT if self.segment == 0 => {
                self.segment = content;
                let end = found.size.and_then(|size| content.checked_add(size));
                // If the segment ends after the end of the file, the file was cut off.
                self.segment_known = end.is_some_and(|end| end <= source.size());
                self.index.whole = content;
                true
            }
            // This is the second segment of a concatenated file.
            id::SEGMENT => return Ok(false),
            id::CLUSTER => {
                self.cluster = (at, content, found.size.and_then(|size| content.checked_add(size)));
                self.cluster_time = 0;
                true
            }
            id::BLOCK_GROUP => {
                self.group = found.size.and_then(|size| content.checked_add(size));
                true
            }
            _ => false,
        };
        if step_in {
            self.at = content;
            return Ok(true);
        }
        let end = found.size.and_then(|size| content.checked_add(size));
        let Some(end) = end.filter(|end| *end <= source.size()) else { return Ok(false) };
        self.element(source, found.id, at, content, end - content)?;
        self.at = end;
        match self.cluster.2 {
            // Within a cluster of known size, only the end of the cluster makes it complete.
            Some(cluster_end) if end < cluster_end => {}
            // The index is written again.
            _ if found.id == id::CUES => {}
            _ => self.index.whole = self.index.whole.max(end),
        }
        Ok(true)
    }

    fn element(
        &mut self,
        source: &mut dyn ReadAt,
        id: u32,
        at: u64,
        content: u64,
        size: u64,
    ) -> Result<(), Error> {
        if self.tracks_at.is_some() && self.after_tracks.is_none() {
            self.after_tracks = Some((at, content + size - at));
        }
        match id {
            id::SEEK_HEAD if self.seek_head_at.is_none() => self.seek_head_at = Some(at),
            id::INFO if self.info.is_none() => {
                let bytes = read(source, content, size, MAX_MASTER_BYTES, FilePart::Header)?;
                let scale = child(&bytes, id::TIMESTAMP_SCALE).and_then(uint);
                self.scale_nanos = scale.filter(|scale| *scale > 0).unwrap_or(1_000_000);
                let duration = child(&bytes, id::DURATION).and_then(float);
                self.has_duration = duration.is_some_and(|duration| duration > 0.0);
                let app = child(&bytes, id::MUXING_APP).unwrap_or_default();
                self.ours = app.starts_with(b"onair ");
                self.info = Some((content, bytes));
            }
            id::TRACKS if self.used.is_empty() => {
                let bytes = read(source, content, size, MAX_MASTER_BYTES, FilePart::Structure)?;
                self.tracks(&bytes);
                self.tracks_at = Some(at);
            }
            id::CHAPTERS => {
                let bytes = read(source, content, size, MAX_MASTER_BYTES, FilePart::Chapters)?;
                self.chapters(&bytes);
                if self.after_tracks.is_some_and(|(first, _)| first < at) {
                    let length = usize::try_from(content + size - at).ok();
                    self.later_chapters = length.map(|length| (at, length));
                }
            }
            id::TIMESTAMP => {
                let bytes = read(source, content, size, 8, FilePart::Structure)?;
                self.cluster_time = uint(&bytes).unwrap_or(0);
            }
            id::SIMPLE_BLOCK | id::BLOCK => {
                self.block(source, id == id::SIMPLE_BLOCK, at, content, size)?;
            }
            id::BLOCK_ADDITIONS if self.group.is_some() && self.has_alpha => {
                self.additions(source, content, content + size)?;
            }
            id::REFERENCE_BLOCK if self.group.is_some() => {
                if let Some(sample) = self.index.samples.last_mut()
                    && sample.track == TrackId::Video
                {
                    sample.keyframe = false;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn tracks(&mut self, content: &[u8]) {
        let entries = elements(content).filter(|(its, _)| *its == id::TRACK_ENTRY);
        for (_, entry) in entries {
            let codec = child(entry, id::CODEC_ID).unwrap_or_default();
            let codec = String::from_utf8_lossy(text(codec)).into_owned();
            let had_video = self.index.tracks.video.is_some();
            if !self.track(entry, &codec) {
                let kind = child(entry, id::TRACK_TYPE).and_then(uint).unwrap_or(0);
                let part = match kind {
                    TYPE_VIDEO => Part::Video,
                    TYPE_AUDIO => Part::Audio,
                    TYPE_SUBTITLE => Part::Subtitles,
                    _ => Part::Data,
                };
                self.index.note_unsupported(Some(part), unsupported_content(entry, &codec));
                self.index.note_unsupported_track(unsupported::of_mkv(kind, &codec));
            }
            if let (false, Some(video)) = (had_video, &mut self.index.tracks.video) {
                video.rotation = rotation(entry).unwrap_or_default();
                video.pixel_aspect = pixel_aspect(entry).or(video.pixel_aspect);
                self.index.colors = colors(entry);
            }
        }
    }

    /// Adds a track. Returns true if the track can be used.
    fn track(&mut self, entry: &[u8], codec: &str) -> bool {
        let number = child(entry, id::TRACK_NUMBER).and_then(uint);
        let kind = child(entry, id::TRACK_TYPE).and_then(uint);
        let (Some(number), Some(kind)) = (number, kind) else { return false };
        let Ok(encoding) = encoding(entry) else { return false };
        let config = child(entry, id::CODEC_PRIVATE).map(Bytes::copy_from_slice);
        let config = encoding.config(config);
        let track = match kind {
            TYPE_AUDIO => self.audio_track(entry, codec, config),
            TYPE_VIDEO => self.video_track(entry, codec, config),
            _ => None,
        };
        if let Some(track) = track {
            self.index.compressions.extend(encoding.frames.map(|it| (track, it)));
            self.uses(entry, number, track);
        }
        track.is_some()
    }

    fn audio_track(&mut self, entry: &[u8], codec: &str, config: Option<Bytes>) -> Option<TrackId> {
        let tracks = &mut self.index.tracks;
        if tracks.audio.len() >= MAX_AUDIO_TRACKS {
            return None;
        }
        let audio = if codec.starts_with(AAC_CODEC_ID) {
            aac_config_with_metadata(config?, &Metadata::default())?
        } else {
            let config = config.unwrap_or_default();
            let pcm = pcm(entry, codec, &config).map(|pcm| pcm.audio_config());
            pcm.or_else(|| other_audio(entry, codec, config))?
        };
        let track = AudioTrack::named(audio, &name(entry));
        // The default is English (RFC 9559 §5.1.4.1.19).
        let language = language(text(child(entry, id::LANGUAGE).unwrap_or(b"eng")));
        tracks.audio.push(AudioTrack { language, ..track });
        Some(audio_track(tracks.audio.len() - 1))
    }

    fn video_track(&mut self, entry: &[u8], codec: &str, config: Option<Bytes>) -> Option<TrackId> {
        let tracks = &mut self.index.tracks;
        if tracks.video.is_some() {
            return None;
        }
        let has_no_config = config.as_ref().is_none_or(Bytes::is_empty);
        if codec == AVC_CODEC_ID && !has_no_config {
            let nanos = child(entry, id::DEFAULT_DURATION).and_then(uint);
            let nanos = nanos.filter(|nanos| (1_000_000..=10_000_000_000).contains(nanos));
            let frame_rate = nanos.map(|nanos| 1e9 / nanos as f64);
            let metadata = Metadata { frame_rate, ..Metadata::default() };
            tracks.video = Some(h264_config_with_metadata(config?, &metadata)?);
            return Some(TrackId::Video);
        }
        let mut video = other_video(entry, codec, config.unwrap_or_default())?;
        if has_no_config && !self.index.to_play {
            // When copying, the config comes from the frames.
            video.codec_config = Bytes::new();
        }
        tracks.video = Some(video);
        let mode = child(entry, id::VIDEO).and_then(|it| child(it, id::ALPHA_MODE));
        self.has_alpha = mode.and_then(uint) == Some(1);
        Some(TrackId::Video)
    }

    fn uses(&mut self, entry: &[u8], number: u64, track: TrackId) {
        let nanos = child(entry, id::DEFAULT_DURATION).and_then(uint);
        let period_nanos = nanos.filter(|nanos| (1_000..=10_000_000_000).contains(nanos));
        let delay = child(entry, id::CODEC_DELAY).and_then(uint);
        let copies = !self.index.to_play;
        let delay_nanos = delay.filter(|delay| copies && *delay < 10_000_000_000).unwrap_or(0);
        self.used.push(UsedTracks { number, track, period_nanos, delay_nanos });
    }

    fn chapters(&mut self, content: &[u8]) {
        self.index.chapters.clear();
        let Some(edition) = child(content, id::EDITION_ENTRY) else { return };
        for (_, atom) in elements(edition).filter(|(its, _)| *its == id::CHAPTER_ATOM) {
            let nanos = child(atom, id::CHAPTER_TIME_START).and_then(uint).unwrap_or(0);
            let display = child(atom, id::CHAPTER_DISPLAY).unwrap_or_default();
            let title = child(display, id::CHAP_STRING).unwrap_or_default();
            let at = i64::try_from(nanos / 1_000).unwrap_or(0);
            let title = String::from_utf8_lossy(text(title));
            self.index.push_chapter(Chapter::new(Timestamp::from_micros(at), &title));
        }
    }

    fn block(
        &mut self,
        source: &mut dyn ReadAt,
        simple: bool,
        at: u64,
        content: u64,
        size: u64,
    ) -> Result<(), Error> {
        let prefix = read(source, content, size.min(12), 12, FilePart::Samples)?;
        let Some((Some(number), length)) = vint(&prefix) else { return Ok(()) };
        let Some([high, low, flags]) = prefix.get(length..length + 3) else { return Ok(()) };
        let Some(used) = self.used.iter().find(|used| used.number == number).copied() else {
            return Ok(());
        };
        let track = used.track;
        let data = length as u64 + 3;
        let Some(data_size) = size.checked_sub(data) else { return Ok(()) };
        if let (TrackId::Video, Some(video)) = (track, &self.index.tracks.video)
            && video.codec == VideoCodec::H264
            && video.codec_config.is_empty()
        {
            // Each frame in Annex B begins with a start code of four bytes (ITU-T H.264 §B.1.2).
            let start = prefix.get(length + 3..).unwrap_or_default();
            self.index.annex_b |= start.starts_with(&[0, 0, 0, 1]);
        }
        let time = i128::from(self.cluster_time) + i128::from(i16::from_be_bytes([*high, *low]));
        let pts_ticks = time - i128::from(delay_ticks(used.delay_nanos, self.scale_nanos));
        let nanos = pts_ticks.saturating_mul(i128::from(self.scale_nanos));
        let keyframe = track != TrackId::Video || !simple || flags & 0x80 != 0;
        let has_video = self.index.tracks.video.is_some();
        let cluster = self.cluster.0.saturating_sub(self.segment);
        let is_cue = if has_video {
            track == TrackId::Video && keyframe
        } else {
            track == TrackId::Audio(0) && self.cues.last().is_none_or(|cue| cue.cluster != cluster)
        };
        let (frames, period_nanos) = if flags & 0x06 == 0 {
            let Ok(whole) = u32::try_from(data_size) else { return Ok(()) };
            (vec![(0, whole)], 0)
        } else {
            let header_size = data_size.min(lacing::MAX_LACE_HEADER_BYTES as u64);
            let sizes = read(
                source,
                content + data,
                header_size,
                lacing::MAX_LACE_HEADER_BYTES,
                FilePart::Samples,
            )?;
            let usual = self.index.tracks.length(track).as_nanos();
            let period_nanos = used.period_nanos.map_or(usual, u128::from);
            match lacing::frames(*flags, &sizes, data_size) {
                Some(frames) if period_nanos > 0 || frames.len() == 1 => (frames, period_nanos),
                _ => {
                    self.laced = true;
                    (Vec::new(), 0)
                }
            }
        };
        if is_cue {
            let time = u64::try_from(time).unwrap_or(0);
            self.cues.push(Cue { time, cluster, block: at.saturating_sub(self.cluster.1) });
        }
        for (index, (from, size)) in frames.into_iter().enumerate() {
            let later = i128::try_from(index as u128 * period_nanos).unwrap_or(0);
            // Rounded to the nearest microsecond.
            let micros = nanos.saturating_add(later + 500).div_euclid(1_000);
            let pts = Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX / 2));
            let at = content + data + from;
            self.index.push(SampleLocation { track, keyframe, dts: pts, pts, at, size })?;
        }
        Ok(())
    }

    /// Reads the additions of the last block, of which the first kind (`BlockAddID` 1) is the alpha
    /// channel.
    fn additions(&mut self, source: &mut dyn ReadAt, from: u64, end: u64) -> Result<(), Error> {
        let (mut at, mut kind, mut data) = (from, 1, None);
        while at < end {
            let Some(found) = head_at(source, at)? else { break };
            let content = at + found.length as u64;
            if found.id == id::BLOCK_MORE {
                if kind == 1 && data.is_some() {
                    break;
                }
                (at, kind, data) = (content, 1, None);
                continue;
            }
            let size =
                found.size.filter(|size| content.checked_add(*size).is_some_and(|it| it <= end));
            let Some(size) = size else { break };
            match found.id {
                id::BLOCK_ADD_ID => {
                    kind = uint(&read(source, content, size, 8, FilePart::Structure)?).unwrap_or(1);
                }
                id::BLOCK_ADDITIONAL => data = Some((content, size)),
                _ => {}
            }
            at = content + size;
        }
        let data = data.filter(|_| kind == 1);
        let Some((at, size)) = data.and_then(|(at, size)| Some((at, u32::try_from(size).ok()?)))
        else {
            return Ok(());
        };
        let last = self.index.samples.last().filter(|last| last.track == TrackId::Video);
        // There is one alpha block per frame.
        if let Some(last) = last.filter(|_| self.index.alpha.len() < self.index.samples.len()) {
            self.index.alpha.push(SampleLocation { at, size, ..*last });
        }
        Ok(())
    }

    /// Returns true if the file was finished: it is not cut off, and declares its duration.
    pub(super) const fn is_finished(&self) -> bool {
        self.segment_known && self.has_duration
    }

    /// Returns the time of a block or cue.
    pub(super) fn time(&self, ticks: u64) -> Timestamp {
        let nanos = u128::from(ticks) * u128::from(self.scale_nanos);
        // Rounded to the nearest microsecond.
        let micros = i64::try_from((nanos + 500) / 1_000).unwrap_or(i64::MAX / 4);
        Timestamp::from_micros(micros.min(i64::MAX / 4))
    }

    /// Returns the end time that the file declares.
    pub(super) fn end(&self) -> Option<Timestamp> {
        let (_, info) = self.info.as_ref()?;
        let ticks = child(info, id::DURATION).and_then(float)?;
        let micros = ticks * self.scale_nanos as f64 / 1_000.0;
        (1.0..1e15).contains(&micros).then(|| Timestamp::from_micros(micros as i64))
    }

    /// Returns the positions of the elements in a file that onair wrote.
    fn layout(&self) -> Option<Layout> {
        let (info_content, info) = self.info.as_ref().filter(|_| self.ours)?;
        let (chapters, length) = self.after_tracks?;
        let info_at = self.segment + RESERVED_SEEK_HEAD_BYTES as u64;
        let mut at = 0;
        let mut duration = None;
        while let Some(found) = info.get(at..).and_then(head) {
            let end = at + found.length + usize::try_from(found.size?).ok()?;
            if matches!(found.id, id::VOID | id::DURATION) && end - at == DURATION_ELEMENT_BYTES {
                duration = Some(info_content + at as u64);
                break;
            }
            at = end;
        }
        // The space for chapters: empty, or chapters with nothing after them.
        let is_room = length == RESERVED_CHAPTER_BYTES as u64 || !self.index.chapters.is_empty();
        let fits = self.seek_head_at == Some(self.segment)
            && info_at < *info_content
            && *info_content - info_at <= 12
            && is_room;
        fits.then_some(Layout {
            segment: self.segment,
            info: info_at,
            duration: duration?,
            tracks: self.tracks_at?,
            chapters,
            later_chapters: self.later_chapters,
        })
    }

    fn finish(mut self) -> Result<FileIndex, Error> {
        if self.laced {
            self.index.note_unsupported(Some(Part::Audio), UnsupportedContent::LacedBlocks);
        }
        let copies = !self.index.to_play;
        if copies && !self.index.alpha.is_empty() {
            self.index.note_unsupported(Some(Part::Alpha), UnsupportedContent::Transparency);
        }
        if copies && self.scale_nanos < 1_000_000 {
            let ticks = u32::try_from(1_000_000_000 / self.scale_nanos.max(1)).unwrap_or(1_000);
            self.index.timescales = self.index.tracks.ids().map(|id| (id, ticks)).collect();
        }
        if copies {
            self.index.measure_frame_rate();
        }
        self.index.usable()?;
        self.index.finished = self.is_finished();
        let period = self.index.tracks.length(TrackId::Video);
        let is_video = |place: &&SampleLocation| place.track == TrackId::Video;
        let shown: Vec<_> = self.index.samples.iter().filter(is_video).map(|it| it.pts).collect();
        let decoded = decoding_times(&shown, period);
        let video = self.index.samples.iter_mut().filter(|place| place.track == TrackId::Video);
        // Times before zero, up to one tick, come only from rounding.
        let tick = i64::try_from(self.scale_nanos.div_ceil(1_000)).unwrap_or(0);
        let first = shown.iter().all(|at| *at >= Timestamp::ZERO);
        let rounded = Timestamp::from_micros(-tick)..Timestamp::ZERO;
        for (place, dts) in video.zip(decoded) {
            place.dts =
                if copies && first && rounded.contains(&dts) { Timestamp::ZERO } else { dts };
        }
        let layout = self.layout();
        self.index.arrange();
        Ok(FileIndex { index: self.index, layout, cues: self.cues })
    }
}
