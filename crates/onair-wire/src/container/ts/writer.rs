//! Writes segments of an MPEG-2 transport stream (ISO/IEC 13818-1) with H.264 or HEVC and AAC or MP3, for devices
//! without fragmented MP4. The continuity counters start and end such that the next segment always continues them,
//! so each segment can be made independently. This module has no I/O.

use bytes::{BufMut, Bytes, BytesMut};

use crate::base::Timestamp;
use crate::media::{AudioConfig, EncodedPacket, Track, VideoCodec, VideoConfig};
use crate::wire::codec::h264::{DecoderConfig, avcc_nals, nals_to_annexb};
use crate::wire::codec::hevc_parameter_sets;
use crate::wire::container::ts::audio_form::AudioForm;
use crate::wire::container::ts::demuxer::PACKET_BYTES;
use crate::wire::container::ts::event::{TICKS_PER_SECOND, ticks};
use crate::wire::container::ts::section::crc;

/// The PIDs.
pub(super) const PAT_PID: u16 = 0;
pub(super) const PMT_PID: u16 = 0x1000;
pub(super) const VIDEO_PID: u16 = 0x100;
const AUDIO_PID: u16 = 0x101;
/// The first byte of a packet.
const SYNC_BYTE: u8 = 0x47;
/// Bytes of a packet after its header.
const PAYLOAD_BYTES: usize = PACKET_BYTES - 4;
/// Number of values of a PID's continuity counter.
const CONTINUITY_COUNTER_VALUES: usize = 16;
/// Decoding times are this much later than the clock.
const DECODE_DELAY_TICKS: i64 = TICKS_PER_SECOND / 2;
/// The initial value of the clock, which is above zero because frames may be shown before the first
/// one is decoded.
const INITIAL_CLOCK: i64 = TICKS_PER_SECOND;
/// Times have 33 bits.
const TIMESTAMP_MASK: i64 = (1 << 33) - 1;
/// Maximum number of audio packets in one unit. Even with audio alone, the clock must appear every
/// 100 ms (§2.7.2).
const MAX_AUDIO_UNIT_PACKETS: usize = 4;
/// Maximum size of the audio packets in one unit, in bytes.
const MAX_AUDIO_UNIT_BYTES: usize = 32 << 10;
/// A writer for tracks whose codec config does not change.
#[derive(Clone, Debug, PartialEq)]
pub struct Writer {
    video: Option<VideoForm>,
    audio: Option<AudioForm>,
}

/// The form of the video in the stream.
#[derive(Clone, Debug, PartialEq)]
struct VideoForm {
    is_hevc: bool,
    /// Size of a NAL unit's length field in bytes.
    length_size: usize,
    /// The parameter sets, in the order in which they are written.
    sets: Vec<Bytes>,
}

/// A unit of one PID (§2.4.3.6).
#[derive(Debug)]
pub(super) struct PesUnit {
    pub pid: u16,
    /// The decoding time in ticks of the clock, without the delay.
    pub dts: i64,
    pub keyframe: bool,
    data: Bytes,
}

impl VideoForm {
    fn new(config: &VideoConfig) -> Option<Self> {
        let form = match config.codec {
            VideoCodec::H264 => {
                let record = DecoderConfig::parse(&config.codec_config).ok()?;
                let sets = [record.sps, record.pps].concat();
                Self { is_hevc: false, length_size: record.length_size, sets }
            }
            VideoCodec::Hevc => {
                let length_size = usize::from(config.codec_config.get(21)? & 3) + 1;
                Self { is_hevc: true, length_size, sets: hevc_parameter_sets(&config.codec_config) }
            }
            _ => return None,
        };
        (!form.sets.is_empty()).then_some(form)
    }

    const fn stream_type(&self) -> u8 {
        if self.is_hevc { 0x24 } else { 0x1B }
    }

    /// Returns an access unit delimiter for frames of any kind (H.264 §7.3.2.4, H.265 §7.3.2.5).
    const fn delimiter(&self) -> &'static [u8] {
        if self.is_hevc { &[0x46, 0x01, 0x50] } else { &[0x09, 0xF0] }
    }

    fn is_delimiter(&self, nal: &[u8]) -> bool {
        let kind = |head: &u8| if self.is_hevc { (head >> 1 & 0x3F, 35) } else { (head & 0x1F, 9) };
        nal.first().map(kind).is_some_and(|(kind, delimiter)| kind == delimiter)
    }

    /// Converts a frame to Annex B, with its delimiter, and parameter sets before keyframes; `None` if it is damaged.
    fn frame(&self, packet: &EncodedPacket) -> Option<Bytes> {
        let own: Result<Vec<&[u8]>, _> = avcc_nals(&packet.data, self.length_size).collect();
        let mut own = own.ok()?;
        own.retain(|nal| !self.is_delimiter(nal));
        if own.is_empty() {
            return None;
        }
        let sets = self.sets.iter().filter(|_| packet.keyframe).map(|set| &set[..]);
        let own = own.iter().copied();
        Some(nals_to_annexb(std::iter::once(self.delimiter()).chain(sets).chain(own)))
    }
}

impl Writer {
    /// Creates a writer. Returns `None` if players do not support the codec of a track in transport streams.
    pub fn new(video: Option<&VideoConfig>, audio: Option<&AudioConfig>) -> Option<Self> {
        Self::with(video, audio, false)
    }

    /// Works like [`Writer::new`], but takes also Opus if the receivers do.
    pub(super) fn with(
        video: Option<&VideoConfig>,
        audio: Option<&AudioConfig>,
        takes_opus: bool,
    ) -> Option<Self> {
        let (has_video, has_audio) = (video.is_some(), audio.is_some());
        let video = video.and_then(VideoForm::new);
        let audio = audio.and_then(|audio| AudioForm::new(audio, takes_opus));
        let has_all = (video.is_some(), audio.is_some()) == (has_video, has_audio);
        (has_all && (has_video || has_audio)).then_some(Self { video, audio })
    }

    /// Makes a segment of these packets, which must be sorted by DTS in each track. Consecutive segments must have
    /// consecutive numbers.
    pub fn segment(&self, packets: &[EncodedPacket], number: u64) -> Bytes {
        let units = self.units(packets);
        let bytes: usize = units.iter().map(|unit| unit.data.len() + PAYLOAD_BYTES).sum();
        let out = BytesMut::with_capacity(bytes + bytes / 16);
        let mut out = Output { out, counts: [0; 2] };
        let counter = (number % CONTINUITY_COUNTER_VALUES as u64) as u8;
        out.section(PAT_PID, &pat(), counter);
        out.section(PMT_PID, &self.pmt(0), counter);
        let last = |pid| units.iter().rposition(|unit| unit.pid == pid);
        let ends = [last(VIDEO_PID), last(AUDIO_PID)];
        for (index, unit) in units.iter().enumerate() {
            let has_clock = unit.pid == self.clock_pid();
            out.unit(unit, has_clock, ends.contains(&Some(index)));
        }
        out.out.freeze()
    }

    /// Returns the PID whose packets contain the clock.
    pub(super) const fn clock_pid(&self) -> u16 {
        if self.video.is_some() { VIDEO_PID } else { AUDIO_PID }
    }

    /// Returns the units of these packets, sorted by DTS.
    pub(super) fn units(&self, packets: &[EncodedPacket]) -> Vec<PesUnit> {
        let mut units = Vec::new();
        let mut waiting: Vec<(i64, Bytes)> = Vec::new();
        let stream_id = self.audio.as_ref().map_or(0xC0, AudioForm::stream_id);
        for packet in packets {
            let dts = clock(packet.dts);
            match (packet.track, &self.video, &self.audio) {
                (Track::Video, Some(video), _) => {
                    let Some(data) = video.frame(packet) else { continue };
                    units.push(video_unit(dts, clock(packet.pts), packet.keyframe, &data));
                }
                (Track::Audio, _, Some(audio)) => {
                    let Some(data) = audio.packet(&packet.data) else { continue };
                    let bytes: usize = waiting.iter().map(|(_, data)| data.len()).sum();
                    if waiting.len() >= MAX_AUDIO_UNIT_PACKETS
                        || bytes + data.len() > MAX_AUDIO_UNIT_BYTES
                    {
                        units.extend(audio_unit(stream_id, &mut waiting));
                    }
                    waiting.push((dts, data));
                }
                _ => {}
            }
        }
        units.extend(audio_unit(stream_id, &mut waiting));
        units.sort_by_key(|unit| unit.dts);
        units
    }

    /// Returns the program map table: the streams of the program (§2.4.4.8).
    pub(super) fn pmt(&self, version: u8) -> Bytes {
        let mut body = BytesMut::new();
        body.put_u16(0xE000 | self.clock_pid());
        body.put_u16(0xF000);
        for (stream_type, pid) in self.streams().into_iter().flatten() {
            body.put_u8(stream_type);
            body.put_u16(0xE000 | pid);
            let audio = self.audio.as_ref().filter(|_| pid == AUDIO_PID);
            let descriptors = audio.map(AudioForm::descriptors).unwrap_or_default();
            body.put_u16(0xF000 | descriptors.len() as u16);
            body.put_slice(&descriptors);
        }
        section(2, version, &body)
    }

    /// Returns the stream types and PIDs of video and audio.
    pub(super) fn streams(&self) -> [Option<(u8, u16)>; 2] {
        let video = self.video.as_ref().map(|it| (it.stream_type(), VIDEO_PID));
        [video, self.audio.as_ref().map(|it| (it.stream_type(), AUDIO_PID))]
    }
}

/// Returns the program association table (§2.4.4.3), which lists only program 1.
pub(super) fn pat() -> Bytes {
    let [high, low] = (0xE000 | PMT_PID).to_be_bytes();
    section(0, 0, &[0, 1, high, low])
}

fn clock(at: Timestamp) -> i64 {
    ticks(at.as_micros())
}

fn video_unit(dts: i64, pts: i64, keyframe: bool, data: &[u8]) -> PesUnit {
    let mut out = BytesMut::with_capacity(data.len() + 19);
    // A length of 0 means that the length is not limited.
    out.put_slice(&[0, 0, 1, 0xE0, 0, 0, 0x84]);
    if pts == dts {
        out.put_slice(&[0x80, 5]);
        put_time(&mut out, 2, pts);
    } else {
        out.put_slice(&[0xC0, 10]);
        put_time(&mut out, 3, pts);
        put_time(&mut out, 1, dts);
    }
    out.put_slice(data);
    PesUnit { pid: VIDEO_PID, dts, keyframe, data: out.freeze() }
}

/// Joins audio packets into one unit.
fn audio_unit(stream_id: u8, waiting: &mut Vec<(i64, Bytes)>) -> Option<PesUnit> {
    let dts = waiting.first()?.0;
    let length: usize = waiting.iter().map(|(_, data)| data.len()).sum();
    let mut out = BytesMut::with_capacity(length + 14);
    out.put_slice(&[0, 0, 1, stream_id]);
    out.put_u16(u16::try_from(length + 8).unwrap_or(0));
    out.put_slice(&[0x84, 0x80, 5]);
    put_time(&mut out, 2, dts);
    waiting.drain(..).for_each(|(_, data)| out.put_slice(&data));
    Some(PesUnit { pid: AUDIO_PID, dts, keyframe: true, data: out.freeze() })
}

/// Writes a time with its prefix and marker bits (§2.4.3.7).
fn put_time(out: &mut BytesMut, mark: u8, ticks: i64) {
    let ticks = ticks.saturating_add(INITIAL_CLOCK + DECODE_DELAY_TICKS) & TIMESTAMP_MASK;
    out.put_u8(mark << 4 | (ticks >> 29) as u8 & 0x0E | 1);
    out.put_u16((ticks >> 14) as u16 & 0xFFFE | 1);
    out.put_u16((ticks << 1) as u16 & 0xFFFE | 1);
}

/// Returns a section with one table (§2.4.4).
fn section(table: u8, version: u8, body: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u8(table);
    out.put_u16(0xB000 | (body.len() as u16 + 9));
    // The table's ID is 1, it is current, and this is its only section.
    out.put_slice(&[0, 1, 0xC1 | version << 1, 0, 0]);
    out.put_slice(body);
    let checksum = crc(&out);
    out.put_u32(checksum);
    out.freeze()
}

/// The packets of a stream.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub out: BytesMut,
    /// Number of packets of video and of audio.
    counts: [usize; 2],
}

impl Output {
    /// Writes a table.
    pub fn section(&mut self, pid: u16, section: &[u8], counter: u8) {
        put_header(&mut self.out, 0x4000, pid);
        self.out.put_u8(0x10 | counter);
        // The section begins at once, and the rest of the packet is padding.
        self.out.put_u8(0);
        self.out.put_slice(section);
        self.out.put_bytes(0xFF, PAYLOAD_BYTES.saturating_sub(1 + section.len()));
    }

    /// Writes a unit. The last unit of a PID ends with the last value of the counter.
    pub fn unit(&mut self, unit: &PesUnit, has_clock: bool, is_last: bool) {
        let first_field = first_field(unit, has_clock);
        let first_room = PAYLOAD_BYTES - first_field.len();
        let left = unit.data.len().saturating_sub(first_room);
        let [of_video, of_audio] = &mut self.counts;
        let count = if unit.pid == VIDEO_PID { of_video } else { of_audio };
        let mut packets = 1 + left.div_ceil(PAYLOAD_BYTES);
        if is_last {
            let end = (*count + packets).next_multiple_of(CONTINUITY_COUNTER_VALUES);
            // Each packet needs at least one byte.
            packets = (end - *count).min(unit.data.len());
        }
        let mut rest = &unit.data[..];
        for after in (0..packets).rev() {
            let is_first = after + 1 == packets;
            let field: &[u8] = if is_first { &first_field } else { &[] };
            let room = PAYLOAD_BYTES - field.len();
            let size = rest.len().saturating_sub(after).min(room);
            let (payload, behind) = rest.split_at(size);
            put_header(&mut self.out, if is_first { 0x4000 } else { 0 }, unit.pid);
            let stuffing = room - size;
            let control = if field.is_empty() && stuffing == 0 { 0x10 } else { 0x30 };
            self.out.put_u8(control | (*count % CONTINUITY_COUNTER_VALUES) as u8);
            put_field(&mut self.out, field, stuffing);
            self.out.put_slice(payload);
            *count += 1;
            rest = behind;
        }
    }

    /// Returns the continuity counter of the last packet of this PID with content.
    pub fn last_counter(&self, pid: u16) -> u8 {
        let [of_video, of_audio] = self.counts;
        let count = if pid == VIDEO_PID { of_video } else { of_audio };
        ((count + CONTINUITY_COUNTER_VALUES - 1) % CONTINUITY_COUNTER_VALUES) as u8
    }
}

/// Writes the first bytes of a packet, with these flags.
pub(super) fn put_header(out: &mut BytesMut, flags: u16, pid: u16) {
    out.put_u8(SYNC_BYTE);
    out.put_u16(flags | pid);
}

/// Returns the adaptation field of the first packet of a unit (§2.4.3.5): the clock, and whether decoding can start.
fn first_field(unit: &PesUnit, has_clock: bool) -> Vec<u8> {
    let random_access = if unit.keyframe { 0x40 } else { 0 };
    if !has_clock {
        return vec![1, random_access];
    }
    clock_field(unit.dts, random_access)
}

/// Returns an adaptation field with the clock at this DTS.
pub(super) fn clock_field(dts: i64, flags: u8) -> Vec<u8> {
    let base = dts.saturating_add(INITIAL_CLOCK) & TIMESTAMP_MASK;
    let mut field = vec![7, flags | 0x10];
    field.extend_from_slice(&((base >> 1) as u32).to_be_bytes());
    field.extend_from_slice(&[(base << 7) as u8 & 0x80 | 0x7E, 0]);
    field
}

/// Writes an adaptation field with this many stuffing bytes.
pub(super) fn put_field(out: &mut BytesMut, field: &[u8], stuffing: usize) {
    match (field, stuffing) {
        ([], 0) => {}
        ([], 1) => out.put_u8(0),
        ([], more) => {
            out.put_u8((more - 1) as u8);
            out.put_u8(0);
            out.put_bytes(0xFF, more - 2);
        }
        ([length, rest @ ..], more) => {
            out.put_u8(length + more as u8);
            out.put_slice(rest);
            out.put_bytes(0xFF, more);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::media::{AudioCodec, BitsPerSecond, FrameRate, Rotation, Size};
    use crate::wire::codec::h264::annexb_nals;
    use crate::wire::container::ts::{Demuxer, Event};

    const BASELINE_PROFILE_SPS: &[u8] = &[
        0x67, 0x42, 0xC0, 0x1E, 0xDA, 0x02, 0x80, 0xBF, 0xE5, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04,
        0x00, 0x00, 0x03, 0x00, 0xC8, 0x3C, 0x58, 0xBA, 0x80,
    ];
    const BASELINE_PROFILE_PPS: &[u8] = &[0x68, 0xCE, 0x0F, 0xC8];

    pub fn video() -> VideoConfig {
        let config = DecoderConfig::new(
            Bytes::from_static(BASELINE_PROFILE_SPS),
            Bytes::from_static(BASELINE_PROFILE_PPS),
        )
        .unwrap();
        VideoConfig {
            codec: VideoCodec::H264,
            size: Size::new(640, 360),
            frame_rate: FrameRate::FPS_30,
            bitrate: BitsPerSecond(1_000_000),
            codec_config: config.build().unwrap(),
            pixel_aspect: None,
            rotation: Rotation::None,
        }
    }

    pub fn audio(codec: AudioCodec) -> AudioConfig {
        AudioConfig {
            codec,
            sample_rate: 48_000,
            channels: 2,
            bitrate: BitsPerSecond(128_000),
            codec_config: Bytes::from_static(&[0x11, 0x90]),
        }
    }

    /// Returns a record with made-up parameter sets.
    fn hevc() -> VideoConfig {
        let mut config = vec![1; 21];
        config.extend_from_slice(&[0xFF, 3]);
        for (kind, set) in [(32, [0x40, 1, 9]), (33, [0x42, 1, 9]), (34, [0x44, 1, 9])] {
            config.extend_from_slice(&[kind, 0, 1, 0, 3]);
            config.extend_from_slice(&set);
        }
        VideoConfig { codec: VideoCodec::Hevc, codec_config: config.into(), ..video() }
    }

    /// Returns two seconds of frames of these sizes, with audio.
    pub fn packets(from: i64, sizes: impl Fn(i64) -> usize) -> Vec<EncodedPacket> {
        let mut all = Vec::new();
        for frame in 0..60_i64 {
            let dts = Timestamp::from_micros((from * 60 + frame) * 1_000_000 / 30);
            let mut data = (sizes(frame) as u32 + 1).to_be_bytes().to_vec();
            data.push(if frame == 0 { 0x65 } else { 0x41 });
            data.extend((0..sizes(frame)).map(|byte| byte as u8 | 1));
            let pts = dts.offset(66_666);
            let packet = EncodedPacket::received(Track::Video, (dts, pts), frame == 0, data.into());
            all.push(packet);
        }
        for number in from * 94..(from + 1) * 94 {
            let at = Timestamp::from_micros(number * 1_024_000_000 / 48_000);
            let data = Bytes::from(vec![number as u8; 200 + number as usize % 90]);
            all.push(EncodedPacket::received(Track::Audio, (at, at), true, data));
        }
        all.sort_by_key(|packet| packet.dts);
        all
    }

    /// Checks that the counters continue from segment to segment.
    fn check_counters(stream: &[u8], pids: usize) {
        let mut last = std::collections::HashMap::new();
        for packet in stream.chunks(PACKET_BYTES) {
            assert_eq!((packet.len(), packet[0]), (PACKET_BYTES, 0x47));
            let pid = u16::from_be_bytes([packet[1] & 0x1F, packet[2]]);
            let counter = packet[3] & 0xF;
            if let Some(last) = last.insert(pid, counter) {
                assert_eq!(counter, (last + 1) % 16, "PID {pid:#x}");
            }
        }
        assert_eq!(last.len(), pids);
    }

    #[test]
    fn segments_are_read_back_and_go_on() {
        let writer = Writer::new(Some(&video()), Some(&audio(AudioCodec::Aac))).unwrap();
        let sizes = |frame: i64| if frame % 7 == 0 { 20_000 } else { 10 + frame as usize * 13 };
        let all: Vec<_> = (0..5).map(|from| packets(from, sizes)).collect();
        let mut stream = Vec::new();
        for (number, packets) in (14..).zip(&all) {
            stream.extend_from_slice(&writer.segment(packets, number));
        }
        check_counters(&stream, 4);
        let mut demuxer = Demuxer::new();
        let mut events = Vec::new();
        demuxer.push(&stream, &mut |event| events.push(event));
        demuxer.finish(&mut |event| events.push(event));
        let sent: Vec<_> = all.iter().flatten().collect();
        let frames: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Event::Video { dts, pts, keyframe, data, .. } => {
                    Some((*dts, *pts, *keyframe, data))
                }
                _ => None,
            })
            .collect();
        let of_video: Vec<_> = sent.iter().filter(|it| it.track == Track::Video).collect();
        assert_eq!(frames.len(), of_video.len());
        let first = frames[0].0;
        for (frame, packet) in frames.iter().zip(&of_video) {
            assert_eq!((frame.0 - first, frame.2), (clock(packet.dts), packet.keyframe));
            assert_eq!((frame.1 - first, &frame.3[..]), (clock(packet.pts), &packet.data[..]));
        }
        let audio_count =
            events.iter().filter(|event| matches!(event, Event::Audio { .. })).count();
        assert_eq!(audio_count, sent.len() - of_video.len());
    }

    #[test]
    fn only_codecs_of_old_devices_have_a_form() {
        let of = |video: Option<VideoCodec>, codec: Option<AudioCodec>| {
            let video = video.map(|codec| VideoConfig { codec, ..self::video() });
            Writer::new(video.as_ref(), codec.map(audio).as_ref()).is_some()
        };
        assert!(of(Some(VideoCodec::H264), Some(AudioCodec::Aac)));
        assert!(of(None, Some(AudioCodec::Mp3)) && of(Some(VideoCodec::H264), None));
        assert!(!of(Some(VideoCodec::Av1), Some(AudioCodec::Aac)));
        assert!(!of(Some(VideoCodec::H264), Some(AudioCodec::Opus)) && !of(None, None));
        let broken = VideoConfig { codec_config: Bytes::from_static(&[1, 2]), ..video() };
        assert!(Writer::new(Some(&broken), None).is_none());
    }

    #[test]
    fn frames_have_one_delimiter_and_keyframes_their_sets() {
        let frame = |config: &VideoConfig, keyframe, units: &[&[u8]]| {
            let mut data = BytesMut::new();
            for unit in units {
                data.put_u32(unit.len() as u32);
                data.put_slice(unit);
            }
            let at = (Timestamp::ZERO, Timestamp::ZERO);
            let packet = EncodedPacket::received(Track::Video, at, keyframe, data.freeze());
            let data = VideoForm::new(config).unwrap().frame(&packet)?;
            Some(annexb_nals(&data).map(<[u8]>::to_vec).collect::<Vec<_>>())
        };
        // Some encoders write delimiters too.
        let idr: &[u8] = &[0x65, 1, 2];
        let units = frame(&video(), true, &[&[0x09, 0x10], idr]).unwrap();
        assert_eq!(units, [&[0x09, 0xF0][..], BASELINE_PROFILE_SPS, BASELINE_PROFILE_PPS, idr]);
        let units = frame(&video(), false, &[&[0x41, 1]]).unwrap();
        assert_eq!(units, [&[0x09, 0xF0][..], &[0x41, 1]]);
        let units = frame(&hevc(), true, &[&[0x46, 1, 0x10], &[0x26, 1, 7]]).unwrap();
        let sets: [&[u8]; 3] = [&[0x40, 1, 9], &[0x42, 1, 9], &[0x44, 1, 9]];
        assert_eq!(units, [&[0x46, 1, 0x50][..], sets[0], sets[1], sets[2], &[0x26, 1, 7]]);
        assert_eq!(frame(&video(), true, &[&[0x09, 0x10]]), None);
        assert_eq!(Writer::new(Some(&hevc()), None).unwrap().pmt(0)[12], 0x24);
    }

    #[test]
    fn counters_go_on_after_units_of_any_size() {
        let writer = Writer::new(None, Some(&audio(AudioCodec::Mp3))).unwrap();
        let mut stream = Vec::new();
        for size in 2..1_500 {
            let at = (Timestamp::ZERO, Timestamp::ZERO);
            let data = Bytes::from(vec![7; size]);
            let packet = EncodedPacket::received(Track::Audio, at, true, data);
            stream.extend_from_slice(&writer.segment(&[packet], size as u64));
        }
        check_counters(&stream, 3);
    }

    #[test]
    fn damaged_packets_are_skipped() {
        let writer = Writer::new(Some(&video()), Some(&audio(AudioCodec::Aac))).unwrap();
        let packet = |track, data: Vec<u8>| {
            EncodedPacket::received(track, (Timestamp::ZERO, Timestamp::ZERO), true, data.into())
        };
        let all = [
            packet(Track::Video, vec![0, 0, 0, 9, 1]),
            packet(Track::Audio, vec![0; 10_000]),
            packet(Track::Video, Vec::new()),
        ];
        let tables_alone = 2 * PACKET_BYTES;
        assert_eq!(writer.segment(&all, 0).len(), tables_alone);
        assert_eq!(writer.segment(&[], u64::MAX).len(), tables_alone);
    }
}
