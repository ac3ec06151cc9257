//! Writes a Matroska file that is readable at every moment; see the [module](super).

use bytes::{BufMut, Bytes, BytesMut};

use crate::base::Timestamp;
use crate::media::{EncodedPacket, Metadata, StreamEvent};
use crate::wire::codec::{self, Colors};
use crate::wire::container::mkv::ebml::{
    UNKNOWN_SIZE, id, long_size, put_binary, put_id, put_master, put_uint, put_void,
};
use crate::wire::container::mkv::header::{
    DURATION_ELEMENT_BYTES, RESERVED_CHAPTER_BYTES, RESERVED_SEEK_HEAD_BYTES, TICK_NANOS, chapters,
    duration, info, number, put_ebml, put_tracks, seek_head,
};
use crate::wire::container::{
    AudioTrack, Chapter, Muxer, MuxerOutput, Timing, TrackId, Tracks, audio_track,
};

/// Maximum span of a cluster in ms, because the time of a block is a 16-bit offset from its
/// cluster.
const MAX_CLUSTER_SPAN_MS: i64 = 30_000;
/// The longest header of a simple block in bytes: id, size, track, time, flags.
const MAX_BLOCK_HEADER_BYTES: usize = 16;

/// Positions in a file, from its start.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Start of the segment's content.
    pub segment: u64,
    pub info: u64,
    pub duration: u64,
    pub tracks: u64,
    pub chapters: u64,
    /// Position and length of the chapters after a cluster, once the reserved space is too small.
    pub later_chapters: Option<(u64, usize)>,
}

/// A keyframe for the index.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Cue {
    /// Time in milliseconds.
    pub time: u64,
    /// Position of its cluster, from the start of the segment's content.
    pub cluster: u64,
    /// Position of its block in the cluster's content.
    pub block: u64,
}

/// The Matroska writer.
#[derive(Debug, Default)]
pub struct Writer {
    tracks: Tracks,
    /// Colors of the video in the container.
    colors: Colors,
    /// Codec delay of each audio track in nanoseconds.
    delays: Vec<u64>,
    layout: Layout,
    pending: Vec<EncodedPacket>,
    waiting: usize,
    new_cues: Vec<Cue>,
    cues: Vec<Cue>,
    chapters: Vec<Chapter>,
    new_chapters: Vec<Chapter>,
    new_later_chapters: Option<(u64, usize)>,
}

/// Rounds a time to milliseconds, with an error of at most half a millisecond.
fn ticks(at: Timestamp) -> i64 {
    const MICROS_PER_TICK: i64 = (TICK_NANOS / 1_000) as i64;
    at.as_micros().saturating_add(MICROS_PER_TICK / 2).div_euclid(MICROS_PER_TICK)
}

/// Returns a codec delay in ticks, rounded as in other muxers.
pub(super) fn delay_ticks(nanos: u64, scale_nanos: u64) -> i64 {
    let scale = scale_nanos.max(1);
    i64::try_from(nanos.saturating_add(scale / 2) / scale).unwrap_or(i64::MAX / 4)
}

impl Writer {
    /// Creates a writer for these tracks.
    pub fn new(tracks: Tracks) -> Self {
        Self { tracks, ..Self::default() }
    }

    /// Creates a writer for a file copy. Audio before time zero becomes the codec delay, like the
    /// first samples of Opus. The colors are those of the original container.
    pub fn copying(tracks: Tracks, timing: &Timing, colors: Colors) -> Self {
        let delay = |(index, audio): (usize, &AudioTrack)| {
            let begins = timing.of(audio_track(index)).map_or(0, |it| it.begins.as_micros());
            let needed = begins.min(0).unsigned_abs().div_ceil(1_000) * TICK_NANOS;
            let own = codec::opus_delay_nanos(&audio.config);
            let reached = delay_ticks(own, TICK_NANOS) >= delay_ticks(needed, TICK_NANOS);
            if reached { own } else { needed }
        };
        let delays = tracks.audio.iter().enumerate().map(delay).collect();
        Self { delays, colors, ..Self::new(tracks) }
    }

    /// Returns the timestamp of a block in ticks.
    fn stamp(&self, packet: &EncodedPacket) -> i64 {
        let delay = match TrackId::from(packet.track) {
            TrackId::Video => None,
            TrackId::Audio(index) => self.delays.get(usize::from(index)),
        };
        ticks(packet.pts) + delay.map_or(0, |nanos| delay_ticks(*nanos, TICK_NANOS))
    }

    /// Continues a file that onair wrote and that was cut off, with this layout and these
    /// keyframes.
    pub fn resume(tracks: Tracks, layout: Layout, cues: Vec<Cue>, chapters: Vec<Chapter>) -> Self {
        Self { layout, cues, chapters, ..Self::new(tracks) }
    }

    /// Returns the content of the reserved space with these chapters, or `None` if they do not fit.
    fn chapter_room(&self) -> Option<Bytes> {
        if self.chapters.is_empty() && self.new_chapters.is_empty() {
            let mut out = BytesMut::new();
            put_void(&mut out, RESERVED_CHAPTER_BYTES);
            return Some(out.freeze());
        }
        let mut out = self.all_chapters();
        let rest = RESERVED_CHAPTER_BYTES
            .checked_sub(out.len())
            .filter(|rest| self.layout.later_chapters.is_none() && (*rest == 0 || *rest >= 2))?;
        if rest > 0 {
            put_void(&mut out, rest);
        }
        Some(out.freeze())
    }

    fn all_chapters(&self) -> BytesMut {
        let all: Vec<Chapter> = self.chapters.iter().chain(&self.new_chapters).cloned().collect();
        chapters(&all)
    }

    /// Returns the patch that removes the chapters from their present place.
    fn without_chapters(&self) -> (u64, Bytes) {
        let reserved = (self.layout.chapters, RESERVED_CHAPTER_BYTES);
        let (at, length) = self.layout.later_chapters.unwrap_or(reserved);
        let mut room = BytesMut::new();
        put_void(&mut room, length);
        (at, room.freeze())
    }

    fn cluster(&mut self, samples: &[EncodedPacket], at: u64, out: &mut BytesMut) {
        let first = samples.iter().map(|sample| self.stamp(sample)).min().unwrap_or(0).max(0);
        let mut content = BytesMut::with_capacity(self.waiting + 64);
        put_uint(&mut content, id::TIMESTAMP, first.unsigned_abs());
        for sample in samples {
            let track = TrackId::from(sample.track);
            let Some(number) = number(&self.tracks, track) else { continue };
            let time = self.stamp(sample);
            // Audio has cues only in files without video, one per cluster.
            let is_cue = match track {
                TrackId::Video => sample.keyframe,
                TrackId::Audio(0) => {
                    self.tracks.video.is_none()
                        && self.new_cues.last().is_none_or(|cue| cue.cluster != at)
                }
                TrackId::Audio(_) => false,
            };
            if is_cue {
                let (time, block) = (time.max(0).unsigned_abs(), content.len() as u64);
                self.new_cues.push(Cue { time, cluster: at, block });
            }
            put_id(&mut content, id::SIMPLE_BLOCK);
            crate::wire::container::mkv::ebml::put_size(&mut content, sample.data.len() as u64 + 4);
            content.put_u8(0x80 | number);
            content.put_i16(i16::try_from(time - first).unwrap_or(i16::MAX));
            content.put_u8(if sample.keyframe { 0x80 } else { 0 });
            content.put_slice(&sample.data);
        }
        put_binary(out, id::CLUSTER, &content);
    }

    fn put_cues(&self, out: &mut BytesMut) {
        put_master(out, id::CUES, |out| {
            for cue in &self.cues {
                put_master(out, id::CUE_POINT, |out| {
                    put_uint(out, id::CUE_TIME, cue.time);
                    put_master(out, id::CUE_TRACK_POSITIONS, |out| {
                        put_uint(out, id::CUE_TRACK, 1);
                        put_uint(out, id::CUE_CLUSTER_POSITION, cue.cluster);
                        put_uint(out, id::CUE_RELATIVE_POSITION, cue.block);
                    });
                });
            }
        });
    }
}

impl Muxer for Writer {
    fn begin(&mut self) -> Bytes {
        let mut out = BytesMut::new();
        put_ebml(&mut out);
        put_id(&mut out, id::SEGMENT);
        out.put_u64(UNKNOWN_SIZE);
        let segment = out.len() as u64;
        let (info, duration_at) = info();
        let info_at = segment + RESERVED_SEEK_HEAD_BYTES as u64;
        let tracks_at = info_at + info.len() as u64;
        out.put_slice(&seek_head(&[
            (id::INFO, info_at - segment),
            (id::TRACKS, tracks_at - segment),
        ]));
        out.put_slice(&info);
        put_tracks(&mut out, &self.tracks, &self.colors, &self.delays);
        self.layout = Layout {
            segment,
            info: info_at,
            duration: info_at + duration_at as u64,
            tracks: tracks_at,
            chapters: out.len() as u64,
            later_chapters: None,
        };
        out.put_slice(&self.chapter_room().unwrap_or_default());
        out.freeze()
    }

    fn write(&mut self, event: &StreamEvent) {
        match event {
            StreamEvent::Packet(packet) => {
                self.waiting += packet.data.len() + MAX_BLOCK_HEADER_BYTES;
                self.pending.push(packet.clone());
            }
            StreamEvent::Metadata(Metadata::Chapter(chapter)) => {
                self.waiting += 1;
                self.new_chapters.push(chapter.clone());
            }
            _ => {}
        }
    }

    fn waiting(&self) -> usize {
        self.waiting
    }

    fn flush(&mut self, at: u64) -> MuxerOutput {
        self.new_cues.clear();
        let pending = std::mem::take(&mut self.pending);
        let mut out = BytesMut::with_capacity(self.waiting + 64);
        let mut rest = pending.as_slice();
        while let Some(first) = rest.first() {
            // These are usually all samples, because a flush spans one second.
            let limit = self.stamp(first) + MAX_CLUSTER_SPAN_MS;
            let count = rest.iter().position(|sample| self.stamp(sample) > limit);
            let (samples, after) = rest.split_at(count.unwrap_or(rest.len()));
            let place = at + out.len() as u64 - self.layout.segment;
            self.cluster(samples, place, &mut out);
            rest = after;
        }
        self.pending = pending;
        let mut patches = Vec::new();
        if !self.new_chapters.is_empty() {
            match self.chapter_room() {
                Some(room) => patches.push((self.layout.chapters, room)),
                None => {
                    // The file may never be finished, so all chapters follow the clusters.
                    patches.push(self.without_chapters());
                    let all = self.all_chapters();
                    self.new_later_chapters = Some((at + out.len() as u64, all.len()));
                    out.put_slice(&all);
                }
            }
        }
        MuxerOutput { append: out.freeze(), patches }
    }

    fn commit(&mut self) {
        self.cues.append(&mut self.new_cues);
        self.chapters.append(&mut self.new_chapters);
        self.layout.later_chapters = self.new_later_chapters.or(self.layout.later_chapters);
        self.discard();
    }

    fn discard(&mut self) {
        self.pending.clear();
        self.new_cues.clear();
        self.new_chapters.clear();
        self.new_later_chapters = None;
        self.waiting = 0;
    }

    fn finish(&mut self, at: u64, end: Timestamp) -> MuxerOutput {
        let segment = self.layout.segment;
        let mut out = BytesMut::new();
        let mut places = vec![
            (id::INFO, self.layout.info - segment),
            (id::TRACKS, self.layout.tracks - segment),
        ];
        let mut patches = Vec::new();
        if !self.chapters.is_empty() {
            let place = match self.chapter_room() {
                Some(room) => {
                    // A failed flush may have damaged the reserved space.
                    patches.push((self.layout.chapters, room));
                    self.layout.chapters
                }
                None => {
                    patches.push(self.without_chapters());
                    let place = at + out.len() as u64;
                    out.put_slice(&chapters(&self.chapters));
                    place
                }
            };
            places.push((id::CHAPTERS, place - segment));
        }
        if !self.cues.is_empty() {
            places.push((id::CUES, at + out.len() as u64 - segment));
            self.put_cues(&mut out);
        }
        let size = at + out.len() as u64 - segment;
        patches.push((segment - 8, Bytes::copy_from_slice(&long_size(size))));
        patches.push((segment, seek_head(&places)));
        debug_assert_eq!(duration(end).len(), DURATION_ELEMENT_BYTES);
        patches.push((self.layout.duration, duration(end)));
        MuxerOutput { append: out.freeze(), patches }
    }

    fn close(&mut self, at: u64, end: Timestamp) -> Vec<(u64, Bytes)> {
        let segment = self.layout.segment;
        let size = Bytes::copy_from_slice(&long_size(at.saturating_sub(segment)));
        vec![(segment - 8, size), (self.layout.duration, duration(end))]
    }

    fn index_weight(&self) -> usize {
        RESERVED_CHAPTER_BYTES + (self.cues.len() + self.new_cues.len()) * 40
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Track;
    use crate::wire::container::mkv::index::{FileIndex, survey};
    use crate::wire::container::mp4::live::simulated::aac;
    use crate::wire::container::mp4::live::tracks;

    fn put(file: &mut Vec<u8>, piece: &MuxerOutput) {
        file.extend_from_slice(&piece.append);
        for (at, bytes) in &piece.patches {
            let at = usize::try_from(*at).unwrap();
            file[at..at + bytes.len()].copy_from_slice(bytes);
        }
    }

    #[test]
    fn chapters_that_exceed_the_reserved_space_are_in_a_file_that_is_cut_off() {
        let mut writer = Writer::new(tracks(None, Some(&aac())));
        let mut file = writer.begin().to_vec();
        let mut wanted = Vec::new();
        for number in 0..300_i64 {
            let at = Timestamp::from_millis(number * 20);
            let data = Bytes::from_static(&[7; 50]);
            let packet = EncodedPacket::received(Track::Audio, (at, at), true, data);
            let chapter = Chapter::new(at, &format!("Chapter {number:03}."));
            wanted.push(chapter.clone());
            writer.write(&StreamEvent::Packet(packet));
            writer.write(&StreamEvent::Metadata(Metadata::Chapter(chapter)));
            let piece = writer.flush(file.len() as u64);
            put(&mut file, &piece);
            writer.commit();
        }
        assert!(writer.all_chapters().len() > RESERVED_CHAPTER_BYTES);
        // Each title is in the file once, also after the file was finished.
        let once = |file: &[u8]| file.windows(12).filter(|it| *it == b"Chapter 000.").count() == 1;
        let FileIndex { index, layout, cues } = survey(&mut &file[..]).unwrap();
        assert_eq!(index.chapters, wanted);
        assert!(once(&file) && !index.finished);
        assert_eq!((layout, index.whole), (Some(writer.layout), file.len() as u64));
        let mut writer = Writer::resume(index.tracks, layout.unwrap(), cues, index.chapters);
        put(&mut file, &writer.finish(index.whole, Timestamp::from_millis(6_000)));
        let FileIndex { index, .. } = survey(&mut &file[..]).unwrap();
        assert_eq!(index.chapters, wanted);
        assert!(once(&file) && index.finished);
    }
}
