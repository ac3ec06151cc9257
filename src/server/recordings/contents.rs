//! The contents of one recorded file: the tags of the stream in FLV, or its packets in MP4 fragments. The times of
//! each file begin at zero. This module has no I/O.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::base::Timestamp;
use crate::media::{EncodedPacket, StreamEvent, Track};
use crate::server::recordings::tags::{StreamConfigs, StreamTag, is_same_audio, is_same_video};
use crate::wire::container::flv::{TagKind, file_header, write_tag};
use crate::wire::container::mp4::{Writer, live};
use crate::wire::container::{AudioTrack, Format, Muxer as _, MuxerOutput, TrackId, Tracks};

/// How long an MP4 file waits for the config of the other track.
const MAX_TRACK_WAIT_MICROS: i64 = 1_000_000;
/// Maximum number of packets that wait for the config of the other track.
const MAX_WAITING_PACKETS: usize = 1_024;
/// Maximum total size of the waiting packets, in bytes.
const MAX_WAITING_BYTES: usize = 32 << 20;
/// A backward step of the times that is larger than this is not jitter. The file continues without
/// the step.
const MAX_BACKWARD_JUMP_MICROS: i64 = 1_000_000;
const MAX_BACKWARD_JUMP_MS: i64 = 1_000;
/// The distance between the newest packet before a removed step and the first packet after it.
const JUMP_GAP_MICROS: i64 = 20_000;
const JUMP_GAP_MS: i64 = 20;

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
            // FLV counts modulo 2^32.
            Self::Flv(contents) => contents.push(tag.kind, time.as_millis() as u32, &tag.body),
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
            Self::Flv(contents) => std::mem::take(&mut contents.units),
            Self::Mp4(contents) => contents.units(at, configs, ends),
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
            Self::Flv(_) => MuxerOutput::default(),
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

/// The times of a file, in milliseconds. They begin at zero, and continue if the times of the stream begin again.
#[derive(Debug, Default)]
pub(super) struct FileTimes {
    video: Option<KindTimes>,
    audio: Option<KindTimes>,
}

/// The newest time of one kind of media.
#[derive(Copy, Clone, Debug)]
struct KindTimes {
    stream_ms: u32,
    /// The same time in the file. It is negative for audio that is older than the first keyframe.
    file_ms: i64,
}

impl KindTimes {
    /// Returns how far a time of the stream is ahead, in milliseconds.
    fn ahead(self, stream_ms: u32) -> i64 {
        i64::from(stream_ms.wrapping_sub(self.stream_ms).cast_signed())
    }

    fn at(self, stream_ms: u32) -> i64 {
        self.file_ms + self.ahead(stream_ms)
    }
}

impl FileTimes {
    /// Returns true if the file has media.
    pub fn has_begun(&self) -> bool {
        self.video.or(self.audio).is_some()
    }

    /// Returns the newest time of the file.
    pub fn newest(&self) -> Duration {
        let newest = [self.video, self.audio].into_iter().flatten().map(|it| it.file_ms).max();
        Duration::from_millis(newest.unwrap_or(0).max(0).unsigned_abs())
    }

    /// Returns the time in the file that a tag would have.
    pub fn of(&self, kind: TagKind, stream_ms: u32) -> Duration {
        Duration::from_millis(self.at(kind, stream_ms).max(0).unsigned_abs())
    }

    /// Records the time of a tag. Returns its time in the file.
    pub fn note(&mut self, tag: &StreamTag) -> Duration {
        match tag.is_media {
            true => self.add(tag.kind, tag.time_ms),
            // The time of a config may have no meaning.
            false => self.of(tag.kind, tag.time_ms).min(self.newest()),
        }
    }

    /// Records media. Returns its time in the file.
    fn add(&mut self, kind: TagKind, stream_ms: u32) -> Duration {
        let file_ms = self.at(kind, stream_ms);
        let known = if kind == TagKind::Audio { &mut self.audio } else { &mut self.video };
        let is_late =
            known.is_some_and(|it| (-MAX_BACKWARD_JUMP_MS..0).contains(&it.ahead(stream_ms)));
        if !is_late {
            *known = Some(KindTimes { stream_ms, file_ms });
        }
        Duration::from_millis(file_ms.max(0).unsigned_abs())
    }

    fn at(&self, kind: TagKind, stream_ms: u32) -> i64 {
        let (own, other) = match kind {
            TagKind::Audio => (self.audio, self.video),
            TagKind::Video | TagKind::Script => (self.video, self.audio),
        };
        match (own, other) {
            (None, None) => 0,
            (None, Some(it)) => it.at(stream_ms),
            (Some(it), _) if it.ahead(stream_ms) >= -MAX_BACKWARD_JUMP_MS => it.at(stream_ms),
            // The times of the other kind have begun again too: both kinds stay in sync.
            (_, Some(it)) if it.ahead(stream_ms).abs() <= MAX_BACKWARD_JUMP_MS => it.at(stream_ms),
            (Some(it), other) => {
                it.file_ms.max(other.map_or(0, |it| it.file_ms)).saturating_add(JUMP_GAP_MS)
            }
        }
    }
}

/// Tags with the times of the file.
#[derive(Debug)]
pub(super) struct FlvContents {
    units: Units,
}

impl FlvContents {
    fn new(configs: &StreamConfigs) -> Self {
        let mut contents = Self { units: vec![file_header(true, true)] };
        for (kind, body) in configs.tags() {
            contents.push(kind, 0, body);
        }
        contents
    }

    fn push(&mut self, kind: TagKind, time_ms: u32, body: &[u8]) {
        let mut out = BytesMut::new();
        write_tag(kind, time_ms, body, &mut out);
        self.units.push(out.freeze());
    }
}

/// Packets for fragments.
#[derive(Debug, Default)]
pub(super) struct Mp4Contents {
    /// Packets before the header, which needs the configs of both tracks.
    waiting: Vec<EncodedPacket>,
    muxer: Option<Writer>,
    tracks: Tracks,
    /// The time of the stream at the start of the file.
    base: Option<Timestamp>,
    /// The newest time of each track, from the start of the file.
    newest: BTreeMap<TrackId, Timestamp>,
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
        let (video, audio) = (configs.video.as_ref(), configs.audio.as_ref());
        let is_due = waited >= MAX_TRACK_WAIT_MICROS || self.is_full() || ends;
        if !(video.is_some() && audio.is_some() || is_due) || video.is_none() && audio.is_none() {
            return None;
        }
        self.tracks = live::tracks(video, audio);
        // A track without its config begins with the next file.
        let others = configs.other_audio.iter().map_while(Option::as_ref);
        self.tracks.audio.extend(others.filter(|_| audio.is_some()).cloned().map(AudioTrack::from));
        self.base = self.waiting.iter().map(|packet| packet.dts).min();
        let mut muxer = Writer::new(self.tracks.clone());
        let header = muxer.begin();
        self.muxer = Some(muxer);
        for packet in std::mem::take(&mut self.waiting) {
            self.write(&packet, configs);
        }
        Some(header)
    }

    fn write(&mut self, packet: &EncodedPacket, configs: &StreamConfigs) {
        let (Some(muxer), Some(base)) = (&mut self.muxer, &mut self.base) else { return };
        let is_video = packet.track == Track::Video;
        let fits = match packet.track {
            Track::Video => self
                .tracks
                .video
                .as_ref()
                .zip(configs.video.as_ref())
                .is_some_and(|(its, now)| is_same_video(its, now)),
            Track::Audio | Track::Extra(_) => match TrackId::from(packet.track) {
                TrackId::Video => false,
                TrackId::Audio(number) => self
                    .tracks
                    .audio
                    .get(usize::from(number))
                    .zip(configs.audio_of(number))
                    .is_some_and(|(its, now)| is_same_audio(&its.parameters, now)),
            },
        };
        // The next file begins with the new config.
        if !fits || is_video && !packet.keyframe && !self.has_keyframe {
            return;
        }
        self.has_keyframe |= is_video;
        let newest = self.newest.entry(packet.track.into()).or_insert(Timestamp::ZERO);
        let mut dts = packet.dts.micros_since(*base);
        if dts + MAX_BACKWARD_JUMP_MICROS < newest.as_micros() {
            let goes_on = newest.as_micros() + JUMP_GAP_MICROS;
            *base = packet.dts.offset(goes_on.saturating_neg());
            dts = goes_on;
        }
        let dts = Timestamp::from_micros(dts.max(newest.as_micros()).max(0));
        let pts = dts.offset(packet.pts.micros_since(packet.dts));
        *newest = dts;
        let lasts = self.tracks.length(packet.track.into());
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

    /// Returns the times in the file of media with these times in the stream, in milliseconds.
    fn recorded(media: &[(TagKind, u32)]) -> Vec<u128> {
        let mut times = FileTimes::default();
        media.iter().map(|(kind, time_ms)| times.add(*kind, *time_ms).as_millis()).collect()
    }

    #[test]
    fn a_stream_whose_times_begin_again_goes_on_in_the_file() {
        use TagKind::{Audio, Video};
        let begin = 3_600_000;
        let media = [
            (Video, begin),
            // Audio from before the keyframe stays in sync with the video.
            (Audio, begin - 30),
            (Audio, begin + 10),
            (Video, begin + 2_000),
            (Audio, begin + 2_010),
            (Video, 0),
            // The audio before the step arrives after it.
            (Audio, begin + 2_050),
            (Audio, 10),
            (Video, 40),
            (Audio, 50),
        ];
        assert_eq!(recorded(&media), [0, 0, 10, 2_000, 2_010, 2_030, 2_050, 2_040, 2_070, 2_080]);
    }

    #[test]
    fn a_file_of_many_weeks_has_increasing_times() {
        const DAY_MS: u32 = 24 * 3_600 * 1_000;
        let days: Vec<_> =
            (0..60).map(|day: u32| (TagKind::Video, day.wrapping_mul(DAY_MS))).collect();
        let expected: Vec<_> = (0..60).map(|day| day * u128::from(DAY_MS)).collect();
        assert_eq!(recorded(&days), expected);
    }
}
