//! Writes segments of an MPEG-2 transport stream (ISO/IEC 13818-1) with H.264 and AAC or MP3, as devices without
//! fragmented MP4 need. The continuity counters of a segment begin and end so that any next segment continues them,
//! so each segment can be made alone. This module has no I/O.

use bytes::{BufMut, Bytes, BytesMut};

use crate::base::Timestamp;
use crate::media::{AudioCodec, AudioConfig, EncodedPacket, Track, VideoCodec, VideoConfig};
use crate::wire::codec::aac::{AudioSpecificConfig, adts};
use crate::wire::codec::h264::{DecoderConfig, avcc_to_annexb};
use crate::wire::container::ts::section::crc;
use crate::wire::container::ts::{CLOCK, PACKET};

/// The PIDs.
const PAT: u16 = 0;
const PMT: u16 = 0x1000;
const VIDEO: u16 = 0x100;
const AUDIO: u16 = 0x101;
/// Bytes of a packet header, and of the packet after it.
const HEADER: usize = 4;
const ROOM: usize = PACKET - HEADER;
/// The counter of a PID has this many values.
const COUNTER: usize = 16;
/// Times of decoding are this much later than the clock, and the clock begins later than zero, because frames may be
/// shown before the first one is decoded.
const DELAY: i64 = CLOCK / 2;
const FIRST_CLOCK: i64 = CLOCK;
/// Times have 33 bits.
const TIME_MASK: i64 = (1 << 33) - 1;
/// Maximum number of audio packets, and of their bytes, in one unit.
const MAX_AUDIO_UNIT: usize = 6;
const MAX_AUDIO_BYTES: usize = 8 << 10;
/// An access unit delimiter for any kind of frames (H.264 §7.3.2.4).
const DELIMITER: &[u8] = &[0x09, 0xF0];

/// The writer for tracks that do not change.
#[derive(Debug)]
pub struct Writer {
    video: Option<DecoderConfig>,
    audio: Option<AudioForm>,
}

/// How audio is written.
#[derive(Debug)]
enum AudioForm {
    /// With ADTS headers.
    Aac(AudioSpecificConfig),
    Mp3,
}

/// A unit of one PID (§2.4.3.6).
#[derive(Debug)]
struct PesUnit {
    pid: u16,
    /// In ticks of the clock, without the delay.
    dts: i64,
    keyframe: bool,
    data: Bytes,
}

impl Writer {
    /// Creates a writer; `None` if a track has no form in a transport stream that old devices know.
    pub fn new(video: Option<&VideoConfig>, audio: Option<&AudioConfig>) -> Option<Self> {
        let video = match video {
            Some(video) if video.codec == VideoCodec::H264 => {
                Some(DecoderConfig::parse(&video.config).ok()?)
            }
            Some(_) => return None,
            None => None,
        };
        let audio = match audio.map(|audio| (audio.codec, audio)) {
            Some((AudioCodec::Aac, audio)) => {
                let config = AudioSpecificConfig::parse(&audio.config).ok()?;
                adts::header(&config, 0).ok()?;
                Some(AudioForm::Aac(config))
            }
            Some((AudioCodec::Mp3, _)) => Some(AudioForm::Mp3),
            Some(_) => return None,
            None => None,
        };
        (video.is_some() || audio.is_some()).then_some(Self { video, audio })
    }

    /// Makes a segment of these packets, which are sorted by DTS. Segments have consecutive numbers.
    pub fn segment(&self, packets: &[EncodedPacket], number: u64) -> Bytes {
        let units = self.units(packets);
        let bytes: usize = units.iter().map(|unit| unit.data.len() + ROOM).sum();
        let mut out = Output { out: BytesMut::with_capacity(bytes + bytes / 16), counts: [0; 2] };
        let counter = (number % COUNTER as u64) as u8;
        out.section(PAT, &self.pat(), counter);
        out.section(PMT, &self.pmt(), counter);
        let last = |pid| units.iter().rposition(|unit| unit.pid == pid);
        let ends = [last(VIDEO), last(AUDIO)];
        for (index, unit) in units.iter().enumerate() {
            let has_clock = unit.pid == self.clock_pid();
            out.unit(unit, has_clock, ends.contains(&Some(index)));
        }
        out.out.freeze()
    }

    fn clock_pid(&self) -> u16 {
        if self.video.is_some() { VIDEO } else { AUDIO }
    }

    fn units(&self, packets: &[EncodedPacket]) -> Vec<PesUnit> {
        let mut units = Vec::new();
        let mut waiting: Vec<(i64, Bytes)> = Vec::new();
        for packet in packets {
            let dts = clock(packet.dts);
            match packet.track {
                Track::Video => {
                    let Some(data) = self.frame(packet) else { continue };
                    units.push(video_unit(dts, clock(packet.pts), packet.keyframe, &data));
                }
                Track::Audio => {
                    let Some(data) = self.sound(packet) else { continue };
                    let bytes: usize = waiting.iter().map(|(_, data)| data.len()).sum();
                    if waiting.len() >= MAX_AUDIO_UNIT || bytes + data.len() > MAX_AUDIO_BYTES {
                        units.extend(audio_unit(&mut waiting));
                    }
                    waiting.push((dts, data));
                }
                Track::Extra(_) => {}
            }
        }
        units.extend(audio_unit(&mut waiting));
        units.sort_by_key(|unit| unit.dts);
        units
    }

    /// A frame in Annex B, with its delimiter, and with the parameter sets before keyframes.
    fn frame(&self, packet: &EncodedPacket) -> Option<Bytes> {
        let config = self.video.as_ref()?;
        let sets = config.parameter_sets().filter(|_| packet.keyframe);
        let before = std::iter::once(DELIMITER).chain(sets);
        // Packets have lengths of four bytes, whatever the config says.
        avcc_to_annexb(&packet.data, 4, before).ok()
    }

    fn sound(&self, packet: &EncodedPacket) -> Option<Bytes> {
        match self.audio.as_ref()? {
            AudioForm::Mp3 => Some(packet.data.clone()),
            AudioForm::Aac(config) => {
                let header = adts::header(config, packet.data.len()).ok()?;
                Some([&header[..], &packet.data].concat().into())
            }
        }
    }

    /// The table of programs (§2.4.4.3): program 1.
    fn pat(&self) -> Bytes {
        let [high, low] = (0xE000 | PMT).to_be_bytes();
        section(0, &[0, 1, high, low])
    }

    /// The streams of the program (§2.4.4.8).
    fn pmt(&self) -> Bytes {
        let mut body = BytesMut::new();
        body.put_u16(0xE000 | self.clock_pid());
        body.put_u16(0xF000);
        let mut stream = |kind: u8, pid: u16| {
            body.put_u8(kind);
            body.put_u16(0xE000 | pid);
            body.put_u16(0xF000);
        };
        if self.video.is_some() {
            stream(0x1B, VIDEO);
        }
        match self.audio {
            Some(AudioForm::Aac(_)) => stream(0x0F, AUDIO),
            Some(AudioForm::Mp3) => stream(0x03, AUDIO),
            None => {}
        }
        section(2, &body)
    }
}

fn clock(at: Timestamp) -> i64 {
    (i128::from(at.as_micros()) * i128::from(CLOCK) / 1_000_000) as i64
}

fn video_unit(dts: i64, pts: i64, keyframe: bool, data: &[u8]) -> PesUnit {
    let mut out = BytesMut::with_capacity(data.len() + 19);
    // Frames have no limit of their length.
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
    PesUnit { pid: VIDEO, dts, keyframe, data: out.freeze() }
}

/// Joins audio packets in one unit.
fn audio_unit(waiting: &mut Vec<(i64, Bytes)>) -> Option<PesUnit> {
    let dts = waiting.first()?.0;
    let length: usize = waiting.iter().map(|(_, data)| data.len()).sum();
    let mut out = BytesMut::with_capacity(length + 14);
    out.put_slice(&[0, 0, 1, 0xC0]);
    out.put_u16(u16::try_from(length + 8).unwrap_or(0));
    out.put_slice(&[0x84, 0x80, 5]);
    put_time(&mut out, 2, dts);
    waiting.drain(..).for_each(|(_, data)| out.put_slice(&data));
    Some(PesUnit { pid: AUDIO, dts, keyframe: true, data: out.freeze() })
}

/// Writes a time with its marks (§2.4.3.7).
fn put_time(out: &mut BytesMut, mark: u8, ticks: i64) {
    let ticks = (ticks + FIRST_CLOCK + DELAY) & TIME_MASK;
    out.put_u8(mark << 4 | (ticks >> 29) as u8 & 0x0E | 1);
    out.put_u16((ticks >> 14) as u16 & 0xFFFE | 1);
    out.put_u16((ticks << 1) as u16 & 0xFFFE | 1);
}

/// A section with one table (§2.4.4).
fn section(table: u8, body: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u8(table);
    out.put_u16(0xB000 | (body.len() as u16 + 9));
    // Number 1, the current version 0, and the only section.
    out.put_slice(&[0, 1, 0xC1, 0, 0]);
    out.put_slice(body);
    let checksum = crc(&out);
    out.put_u32(checksum);
    out.freeze()
}

/// The packets of a segment.
struct Output {
    out: BytesMut,
    /// Number of packets of video and of audio.
    counts: [usize; 2],
}

impl Output {
    fn section(&mut self, pid: u16, section: &[u8], counter: u8) {
        self.out.put_slice(&[0x47]);
        self.out.put_u16(0x4000 | pid);
        self.out.put_u8(0x10 | counter);
        // The section begins at once, and the rest is unused.
        self.out.put_u8(0);
        self.out.put_slice(section);
        self.out.put_bytes(0xFF, ROOM.saturating_sub(1 + section.len()));
    }

    /// Writes a unit. The last one of a PID ends with the last value of the counter.
    fn unit(&mut self, unit: &PesUnit, has_clock: bool, is_last: bool) {
        let first_field = first_field(unit, has_clock);
        let first_room = ROOM - first_field.len();
        let left = unit.data.len().saturating_sub(first_room);
        let needed = 1 + left.div_ceil(ROOM);
        let [of_video, of_audio] = &mut self.counts;
        let count = if unit.pid == VIDEO { of_video } else { of_audio };
        let extra = match (*count + needed) % COUNTER {
            rest if is_last && rest > 0 => COUNTER - rest,
            _ => 0,
        };
        // Packets with one byte each make up for those that are missing.
        let extra = if unit.data.len() > needed + extra { extra } else { 0 };
        let mut rest = &unit.data[..];
        let mut small = extra;
        let mut is_first = true;
        while !rest.is_empty() {
            let field: &[u8] = if is_first { &first_field } else { &[] };
            let room = ROOM - field.len();
            let after = rest.len().saturating_sub(1);
            let size = match small {
                0 => rest.len().min(room),
                // The last packets must still hold the rest.
                _ if after > 0 => 1,
                _ => rest.len().min(room),
            };
            small = small.saturating_sub(1);
            let (payload, behind) = rest.split_at(size);
            self.out.put_u8(0x47);
            self.out.put_u16(if is_first { 0x4000 } else { 0 } | unit.pid);
            let stuffing = room - size;
            let control = if field.is_empty() && stuffing == 0 { 0x10 } else { 0x30 };
            self.out.put_u8(control | (*count % COUNTER) as u8);
            put_field(&mut self.out, field, stuffing);
            self.out.put_slice(payload);
            *count += 1;
            (rest, is_first) = (behind, false);
        }
    }
}

/// The adaptation field of the first packet of a unit (§2.4.3.5): the clock, and whether decoding can start.
fn first_field(unit: &PesUnit, has_clock: bool) -> Vec<u8> {
    let random_access = if unit.keyframe { 0x40 } else { 0 };
    if !has_clock {
        return vec![1, random_access];
    }
    let base = (unit.dts + FIRST_CLOCK) & TIME_MASK;
    let mut field = vec![7, random_access | 0x10];
    field.extend_from_slice(&((base >> 1) as u32).to_be_bytes());
    field.extend_from_slice(&[(base << 7) as u8 & 0x80 | 0x7E, 0]);
    field
}

/// Writes an adaptation field, made longer by this many bytes.
fn put_field(out: &mut BytesMut, field: &[u8], stuffing: usize) {
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
mod tests {
    use super::*;
    use crate::media::{BitsPerSecond, FrameRate, Size};
    use crate::wire::container::ts::{Demuxer, Event};

    const SPS: &[u8] = &[
        0x67, 0x42, 0xC0, 0x1E, 0xDA, 0x02, 0x80, 0xBF, 0xE5, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04,
        0x00, 0x00, 0x03, 0x00, 0xC8, 0x3C, 0x58, 0xBA, 0x80,
    ];
    const PPS: &[u8] = &[0x68, 0xCE, 0x0F, 0xC8];

    fn video() -> VideoConfig {
        let config = DecoderConfig::new(Bytes::from_static(SPS), Bytes::from_static(PPS)).unwrap();
        VideoConfig {
            codec: VideoCodec::H264,
            size: Size::new(640, 360),
            frame_rate: FrameRate::FPS_30,
            bitrate: BitsPerSecond(1_000_000),
            config: config.build().unwrap(),
        }
    }

    fn audio(codec: AudioCodec) -> AudioConfig {
        AudioConfig {
            codec,
            sample_rate: 48_000,
            channels: 2,
            bitrate: BitsPerSecond(128_000),
            config: Bytes::from_static(&[0x11, 0x90]),
        }
    }

    /// Two seconds of frames of these sizes, with audio.
    fn packets(from: i64, sizes: impl Fn(i64) -> usize) -> Vec<EncodedPacket> {
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

    /// Checks that the counters go on from segment to segment.
    fn check_counters(stream: &[u8]) {
        let mut last = std::collections::HashMap::new();
        for packet in stream.chunks(PACKET) {
            assert_eq!((packet.len(), packet[0]), (PACKET, 0x47));
            let pid = u16::from_be_bytes([packet[1] & 0x1F, packet[2]]);
            let counter = packet[3] & 0xF;
            if let Some(last) = last.insert(pid, counter) {
                assert_eq!(counter, (last + 1) % 16, "PID {pid:#x}");
            }
        }
        assert_eq!(last.len(), 4);
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
        check_counters(&stream);
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
        let sounds = events.iter().filter(|event| matches!(event, Event::Audio { .. })).count();
        assert_eq!(sounds, sent.len() - of_video.len());
    }

    #[test]
    fn only_codecs_of_old_devices_have_a_form() {
        let of = |video: Option<VideoCodec>, codec: Option<AudioCodec>| {
            let video = video.map(|codec| VideoConfig { codec, ..self::video() });
            Writer::new(video.as_ref(), codec.map(audio).as_ref()).is_some()
        };
        assert!(of(Some(VideoCodec::H264), Some(AudioCodec::Aac)));
        assert!(of(None, Some(AudioCodec::Mp3)) && of(Some(VideoCodec::H264), None));
        assert!(!of(Some(VideoCodec::Hevc), Some(AudioCodec::Aac)));
        assert!(!of(Some(VideoCodec::H264), Some(AudioCodec::Opus)) && !of(None, None));
        let broken = VideoConfig { config: Bytes::from_static(&[1, 2]), ..video() };
        assert!(Writer::new(Some(&broken), None).is_none());
    }

    #[test]
    fn damaged_packets_are_left_out() {
        let writer = Writer::new(Some(&video()), Some(&audio(AudioCodec::Aac))).unwrap();
        let packet = |track, data: Vec<u8>| {
            EncodedPacket::received(track, (Timestamp::ZERO, Timestamp::ZERO), true, data.into())
        };
        let all = [
            packet(Track::Video, vec![0, 0, 0, 9, 1]),
            packet(Track::Audio, vec![0; 10_000]),
            packet(Track::Video, Vec::new()),
        ];
        // What has no frame at all is a delimiter alone.
        assert!(writer.segment(&all, 0).len() <= 20 * PACKET);
        assert_eq!(writer.segment(&[], u64::MAX).len(), 2 * PACKET);
    }
}
