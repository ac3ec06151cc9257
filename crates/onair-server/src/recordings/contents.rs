//! The contents of one recorded file: the tags of the stream in FLV, or its packets in MP4 fragments. The times of
//! each file begin at zero. This module has no I/O.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::base::Timestamp;
use crate::media::{EncodedPacket, StreamEvent, Track};
use crate::server::recordings::tags::{StreamConfigs, StreamTag, is_same_audio, is_same_video};
use crate::wire::container::flv::metadata::{DurationSlots, bare_metadata, is_metadata};
use crate::wire::container::flv::{TAG_HEADER_BYTES, TagKind, file_header, write_tag};
use crate::wire::container::mp4::{Writer, live};
use crate::wire::container::{AudioTrack, Format, Muxer as _, MuxerOutput, TrackId, Tracks};

/// How long an MP4 file waits for the config of the other track.
const MAX_TRACK_WAIT_MICROS: i64 = 1_000_000;
/// How long the other track can join an FLV file. Players wait a little longer.
pub(super) const FLV_TRACK_WAIT: Duration = Duration::from_secs(1);
/// Maximum number of packets that wait for the config of the other track.
const MAX_WAITING_PACKETS: usize = 1_024;
/// Maximum total size of the waiting packets, in bytes.
const MAX_WAITING_BYTES: usize = 32 << 20;
/// A backward step of the times that is larger than this is not jitter. The file continues without
/// the step.
const MAX_BACKWARD_JUMP_MICROS: i64 = 1_000_000;
/// A track that begins more than this before the start of the file has times of another origin.
const MAX_EARLY_START_MICROS: i64 = 10_000_000;
/// The distance between the newest packet before a removed step and the first packet after it.
const JUMP_GAP_MICROS: i64 = 20_000;
/// Maximum size of the tags that an FLV file holds back until its first media, in bytes.
const MAX_FLV_HEAD_BYTES: u64 = 1 << 20;

/// The contents of one file.
#[derive(Debug)]
pub(super) enum Contents {
    Flv(FlvContents),
    Mp4(Box<Mp4Contents>),
}

/// Units that are complete for the file, each of which can be the last one.
pub(super) type Units = Vec<Bytes>;

impl Contents {
    /// Creates the contents of a new file in this format.
    pub fn new(format: Format, configs: &StreamConfigs) -> Self {
        match format {
            Format::Mp4 => Self::Mp4(Box::default()),
            Format::Flv | Format::Mkv => Self::Flv(FlvContents::new(configs)),
        }
    }

    /// Adds a tag with its time in the file; `events` is its parsed content.
    pub fn add(
        &mut self,
        tag: &StreamTag,
        time: Duration,
        events: &[(TrackId, StreamEvent)],
        configs: &StreamConfigs,
    ) {
        match self {
            Self::Flv(contents) => contents.add(tag, time),
            Self::Mp4(contents) => {
                for (_, event) in events {
                    if let StreamEvent::Packet(packet) = event {
                        contents.packet(packet, configs);
                    }
                }
            }
        }
    }

    /// Returns the complete units, for a file that ends at `at`. If `ends` is true, returns all
    /// remaining units.
    pub fn units(&mut self, at: u64, configs: &StreamConfigs, ends: bool) -> Units {
        match self {
            Self::Flv(contents) => contents.units(),
            Self::Mp4(contents) => contents.units(at, configs, ends),
        }
    }

    /// Returns true if a track that begins now needs the next file.
    pub fn has_settled(&self) -> bool {
        match self {
            Self::Flv(contents) => contents.end >= FLV_TRACK_WAIT,
            Self::Mp4(contents) => contents.muxer.is_some(),
        }
    }

    /// Records that the units are in the file.
    pub fn commit(&mut self) {
        if let Self::Mp4(contents) = self
            && let Some(muxer) = &mut contents.muxer
        {
            muxer.commit();
        }
    }

    /// Completes a file of this size.
    pub fn finish(&mut self, at: u64) -> MuxerOutput {
        match self {
            Self::Flv(contents) => contents.finish(),
            Self::Mp4(contents) => contents.finish(at),
        }
    }

    /// Returns the number of bytes that [`Contents::finish`] will need.
    pub fn index_weight(&self) -> u64 {
        match self {
            Self::Flv(_) => 0,
            Self::Mp4(contents) => {
                contents.muxer.as_ref().map_or(0, |muxer| muxer.index_weight() as u64)
            }
        }
    }
}

/// A time of a stream.
pub(super) trait StreamTime: Copy {
    /// Returns `self - other` in microseconds.
    fn micros_since(self, other: Self) -> i64;
}

impl StreamTime for Timestamp {
    fn micros_since(self, other: Self) -> i64 {
        Self::micros_since(self, other)
    }
}

/// The time of a tag in milliseconds, modulo 2^32.
impl StreamTime for u32 {
    fn micros_since(self, other: Self) -> i64 {
        i64::from(self.wrapping_sub(other).cast_signed()) * 1_000
    }
}

/// The times of a file. They begin at zero, and continue if the times of the stream begin again.
#[derive(Debug, Default)]
pub(super) struct FileTimes<T = u32> {
    /// The stream's time at the start of the file. Without it, the first media is the start.
    start: Option<T>,
    newest: BTreeMap<TrackId, TrackTimes<T>>,
}

/// The newest time of one track.
#[derive(Copy, Clone, Debug)]
struct TrackTimes<T> {
    stream: T,
    /// The same time in the file. It is negative for audio that is older than the first keyframe.
    file_micros: i64,
}

impl<T: StreamTime> FileTimes<T> {
    /// Returns true if the file has media.
    pub fn has_begun(&self) -> bool {
        !self.newest.is_empty()
    }

    /// Returns the newest time of the file.
    pub fn newest(&self) -> Duration {
        duration(self.newest.values().map(|it| it.file_micros).max().unwrap_or(0))
    }

    /// Returns the time in the file that media would have.
    pub fn of(&self, track: TrackId, stream: T) -> Duration {
        duration(self.at(track, stream))
    }

    /// Records media. Returns its time in the file.
    pub fn add(&mut self, track: TrackId, stream: T) -> Duration {
        let file_micros = self.at(track, stream);
        let is_late = self.newest.get(&track).is_some_and(|it| {
            (-MAX_BACKWARD_JUMP_MICROS..0).contains(&stream.micros_since(it.stream))
        });
        if !is_late {
            self.newest.insert(track, TrackTimes { stream, file_micros });
        }
        duration(file_micros)
    }

    fn at(&self, track: TrackId, stream: T) -> i64 {
        let ahead = |it: &TrackTimes<T>| stream.micros_since(it.stream);
        let at = |it: &TrackTimes<T>| it.file_micros.saturating_add(ahead(it));
        let others = self.newest.iter().filter(|(other, _)| **other != track).map(|(_, it)| it);
        let nearest = others.min_by_key(|it| ahead(it).saturating_abs());
        match (self.newest.get(&track), nearest) {
            (None, None) => self.start.map_or(0, |start| stream.micros_since(start)),
            (None, Some(it)) if at(it) >= -MAX_EARLY_START_MICROS => at(it),
            (Some(it), _) if ahead(it) >= -MAX_BACKWARD_JUMP_MICROS => at(it),
            // The times of another track have begun again too: the tracks stay in sync.
            (_, Some(it)) if ahead(it).saturating_abs() <= MAX_BACKWARD_JUMP_MICROS => at(it),
            _ => {
                let newest = self.newest.values().map(|it| it.file_micros).max().unwrap_or(0);
                newest.saturating_add(JUMP_GAP_MICROS)
            }
        }
    }

    /// Moves all later times of the file.
    fn delay(&mut self, micros: i64) {
        for it in self.newest.values_mut() {
            it.file_micros = it.file_micros.saturating_add(micros);
        }
    }
}

impl FileTimes {
    /// Records the time of a tag. Returns its time in the file.
    pub fn note(&mut self, tag: &StreamTag) -> Duration {
        match tag.is_media {
            true => self.add(tag.track, tag.time_ms),
            // The time of a config may have no meaning.
            false => self.of(tag.track, tag.time_ms).min(self.newest()),
        }
    }
}

/// Returns a time of the file, which is not before the start of the file.
fn duration(file_micros: i64) -> Duration {
    Duration::from_micros(file_micros.max(0).unsigned_abs())
}

/// Tags with the times of the file. The metadata of the publisher can declare the duration of another file, so the
/// number is 0 until the end of this file.
#[derive(Debug)]
pub(super) struct FlvContents {
    units: Units,
    /// Number of bytes of all tags so far.
    length: u64,
    has_metadata: bool,
    has_media: bool,
    /// The tracks in the header of the file so far, and those with tags.
    declared: SeenTracks,
    seen: SeenTracks,
    end: Duration,
    durations: DurationSlots,
}

impl FlvContents {
    fn new(configs: &StreamConfigs) -> Self {
        let header = file_header(false, false);
        let length = header.len() as u64;
        let mut contents = Self {
            units: vec![header],
            length,
            has_metadata: false,
            has_media: false,
            declared: SeenTracks::default(),
            seen: SeenTracks::default(),
            end: Duration::ZERO,
            durations: DurationSlots::default(),
        };
        for (kind, body) in configs.tags() {
            contents.push(kind, 0, body);
        }
        contents
    }

    fn add(&mut self, tag: &StreamTag, time: Duration) {
        if tag.is_media && !self.has_media && !self.has_metadata {
            self.add_metadata();
        }
        // FLV counts modulo 2^32.
        self.push(tag.kind, time.as_millis() as u32, &tag.body);
        if tag.is_media {
            self.has_media = true;
            self.end = self.end.max(time);
        }
    }

    /// Adds metadata to the beginning of a stream without metadata, so that the file declares its duration.
    fn add_metadata(&mut self) {
        // The file header stays first.
        let rest = self.units.split_off(self.units.len().min(1));
        let rest_bytes = rest.iter().map(Bytes::len).sum::<usize>() as u64;
        self.length -= rest_bytes;
        self.push(TagKind::Script, 0, &bare_metadata());
        self.length += rest_bytes;
        self.units.extend(rest);
    }

    fn push(&mut self, kind: TagKind, time_ms: u32, body: &[u8]) {
        let mut out = BytesMut::new();
        self.seen.video |= kind == TagKind::Video;
        self.seen.audio |= kind == TagKind::Audio;
        if kind == TagKind::Script {
            self.has_metadata |= is_metadata(body);
            let body = self.durations.reserve(body, self.length + TAG_HEADER_BYTES as u64);
            write_tag(kind, time_ms, &body, &mut out);
        } else {
            write_tag(kind, time_ms, body, &mut out);
        }
        self.length += out.len() as u64;
        self.units.push(out.freeze());
    }

    /// Returns the complete units. A file without media stays empty, so that it is removed.
    fn units(&mut self) -> Units {
        match self.has_media || self.length > MAX_FLV_HEAD_BYTES {
            true => {
                let mut units = std::mem::take(&mut self.units);
                if self.declared == SeenTracks::default()
                    && let Some(header) = units.first_mut()
                {
                    *header = self.seen.header();
                    self.declared = self.seen;
                }
                units
            }
            false => Units::new(),
        }
    }

    /// Corrects the declared durations and tracks. (Without media, the file is empty.)
    fn finish(&self) -> MuxerOutput {
        let mut patches =
            if self.has_media { self.durations.patches(self.end) } else { Vec::new() };
        if self.has_media && self.declared != self.seen {
            patches.push((0, self.seen.header()));
        }
        MuxerOutput { append: Bytes::new(), patches }
    }
}

/// The tracks of an FLV file. Players wait for each track in its header.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
struct SeenTracks {
    video: bool,
    audio: bool,
}

impl SeenTracks {
    fn header(self) -> Bytes {
        file_header(self.audio, self.video)
    }
}

/// Packets for fragments.
#[derive(Debug, Default)]
pub(super) struct Mp4Contents {
    /// Packets before the header, which needs the configs of both tracks.
    waiting: Vec<EncodedPacket>,
    muxer: Option<Writer>,
    tracks: Tracks,
    times: FileTimes<Timestamp>,
    /// The last time of each track in the file, which never decreases.
    last: BTreeMap<TrackId, Timestamp>,
    end: Timestamp,
    has_keyframe: bool,
}

impl Mp4Contents {
    fn packet(&mut self, packet: &EncodedPacket, configs: &StreamConfigs) {
        if self.muxer.is_some() {
            return self.write(packet, configs);
        }
        if !self.is_full() {
            self.waiting.push(packet.clone());
        }
    }

    /// Returns true if no more packets may wait.
    fn is_full(&self) -> bool {
        let bytes: usize = self.waiting.iter().map(|packet| packet.data.len()).sum();
        self.waiting.len() >= MAX_WAITING_PACKETS || bytes >= MAX_WAITING_BYTES
    }

    /// Begins the file if the tracks are known.
    fn begin(&mut self, configs: &StreamConfigs, ends: bool) -> Option<Bytes> {
        let (first, last) = (self.waiting.first()?, self.waiting.last()?);
        let waited = last.dts.micros_since(first.dts).abs();
        let (video, audio) = (configs.video(), configs.audio.as_ref());
        let is_due = waited >= MAX_TRACK_WAIT_MICROS || self.is_full() || ends;
        if !(video.is_some() && audio.is_some() || is_due) || video.is_none() && audio.is_none() {
            return None;
        }
        self.tracks = live::tracks(video, audio);
        // A track without its config begins with the next file.
        let others = configs.other_audio.iter().map_while(Option::as_ref);
        self.tracks.audio.extend(others.filter(|_| audio.is_some()).cloned().map(AudioTrack::from));
        let earliest = first.dts.offset(-MAX_EARLY_START_MICROS);
        let times = self.waiting.iter().map(|packet| packet.dts);
        self.times.start = times.filter(|dts| *dts >= earliest).min();
        let mut muxer = Writer::new(self.tracks.clone());
        let header = muxer.begin();
        self.muxer = Some(muxer);
        for packet in std::mem::take(&mut self.waiting) {
            self.write(&packet, configs);
        }
        Some(header)
    }

    fn write(&mut self, packet: &EncodedPacket, configs: &StreamConfigs) {
        let Some(muxer) = &mut self.muxer else { return };
        let is_video = packet.track == Track::Video;
        let track = TrackId::from(packet.track);
        let fits = match track {
            TrackId::Video => {
                let both = self.tracks.video.as_ref().zip(configs.video());
                both.is_some_and(|(its, now)| is_same_video(its, now))
            }
            TrackId::Audio(number) => {
                let its = self.tracks.audio.get(usize::from(number));
                let both = its.zip(configs.audio_of(number));
                both.is_some_and(|(its, now)| is_same_audio(&its.config, now))
            }
        };
        // The next file begins with the new config.
        if !fits || is_video && !packet.keyframe && !self.has_keyframe {
            return;
        }
        self.has_keyframe |= is_video;
        let last = self.last.entry(track).or_insert(Timestamp::ZERO);
        let mut dts = Timestamp::ZERO + self.times.add(track, packet.dts);
        let late = last.micros_since(dts);
        if late > MAX_BACKWARD_JUMP_MICROS {
            // A wrong time was far ahead. The times of a track never decrease, so all tracks
            // continue after it, in sync.
            let delay = late.saturating_add(JUMP_GAP_MICROS);
            self.times.delay(delay);
            dts = dts.offset(delay);
        }
        let dts = dts.max(*last);
        *last = dts;
        let pts = dts.offset(packet.pts.micros_since(packet.dts));
        let lasts = self.tracks.length(track);
        self.end = self.end.max(pts + lasts);
        muxer.write(&StreamEvent::Packet(EncodedPacket { dts, pts, ..packet.clone() }));
    }

    fn units(&mut self, at: u64, configs: &StreamConfigs, ends: bool) -> Units {
        let mut units = Units::new();
        if self.muxer.is_none() {
            units.extend(self.begin(configs, ends));
        }
        if let Some(muxer) = self.muxer.as_mut().filter(|muxer| muxer.waiting() > 0) {
            let begun: usize = units.iter().map(Bytes::len).sum();
            units.push(muxer.flush(at + begun as u64).append);
        }
        units
    }

    fn finish(&mut self, at: u64) -> MuxerOutput {
        let end = self.end;
        self.muxer.as_mut().map(|muxer| muxer.finish(at, end)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIDEO: TrackId = TrackId::Video;
    const AUDIO: TrackId = TrackId::Audio(0);

    /// Returns the times in the file of media with these times in the stream, in milliseconds.
    fn recorded(media: &[(TrackId, u32)]) -> Vec<u128> {
        let mut times = FileTimes::default();
        let times = media.iter().map(|(track, time_ms)| times.add(*track, *time_ms));
        times.map(|time| time.as_millis()).collect()
    }

    #[test]
    fn a_stream_whose_times_begin_again_goes_on_in_the_file() {
        let begin = 3_600_000;
        let media = [
            (VIDEO, begin),
            // Audio from before the keyframe stays in sync with the video.
            (AUDIO, begin - 30),
            (AUDIO, begin + 10),
            (VIDEO, begin + 2_000),
            (AUDIO, begin + 2_010),
            (VIDEO, 0),
            // The audio before the step arrives after it.
            (AUDIO, begin + 2_050),
            (AUDIO, 10),
            (VIDEO, 40),
            (AUDIO, 50),
        ];
        assert_eq!(recorded(&media), [0, 0, 10, 2_000, 2_010, 2_030, 2_050, 2_040, 2_070, 2_080]);
    }

    #[test]
    fn a_first_packet_with_a_wrong_time_holds_no_track_at_the_start() {
        let media = [(AUDIO, 3_600_000), (VIDEO, 0), (AUDIO, 20), (VIDEO, 40)];
        assert_eq!(recorded(&media), [0, 20, 40, 60]);
    }

    #[test]
    fn a_file_of_many_weeks_has_increasing_times() {
        const DAY_MS: u32 = 24 * 3_600 * 1_000;
        let days: Vec<_> = (0..60).map(|day: u32| (VIDEO, day.wrapping_mul(DAY_MS))).collect();
        let expected: Vec<_> = (0..60).map(|day| day * u128::from(DAY_MS)).collect();
        assert_eq!(recorded(&days), expected);
    }
}
