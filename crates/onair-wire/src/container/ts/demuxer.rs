//! Transport stream packets (ISO/IEC 13818-1 §2.4.3.2): synchronization, continuity and
//! demultiplexing.

use crate::wire::container::ts::audio::AudioUnits;
use crate::wire::container::ts::event::{Codec, Event};
use crate::wire::container::ts::pes::Pes;
use crate::wire::container::ts::section;
use crate::wire::container::ts::section::{Kind, Sections};
use crate::wire::container::ts::video::VideoUnits;

/// Size of a packet in bytes.
pub const PACKET_BYTES: usize = 188;
const SYNC_BYTE: u8 = 0x47;
/// Demultiplexes a transport stream.
#[derive(Debug, Default)]
pub struct Demuxer {
    /// Bytes of an incomplete packet.
    rest: Vec<u8>,
    /// True if packet synchronization is lost.
    astray: bool,
    pat: Sections,
    pmt: Option<(u16, Sections)>,
    video: Option<Stream<VideoUnits>>,
    audio: Option<Stream<AudioUnits>>,
    reported: Vec<Codec>,
    scrambled: bool,
    encrypted: bool,
    time: Unwrap,
    events: Vec<Event>,
}

#[derive(Debug)]
struct Stream<T> {
    pid: u16,
    kind: u8,
    counter: Option<u8>,
    /// True if the next packet is the first one after [`Demuxer::finish`].
    begins: bool,
    pes: Pes,
    reader: T,
}

/// Reader of packed audio, which is not in a transport stream.
#[derive(Debug)]
pub struct PackedAudio(AudioUnits);

/// Creates a reader of AAC with ADTS, or of MPEG audio, depending on the first bytes.
pub fn packed_audio(first: Option<&[u8; 4]>) -> PackedAudio {
    // MPEG audio has a layer number where ADTS has zero.
    let mpeg = first.is_some_and(|[_, second, ..]| second & 0x06 != 0);
    PackedAudio(AudioUnits::new(if mpeg { Codec::Mpeg } else { Codec::Aac }, 2))
}

impl PackedAudio {
    /// Reads data that begins at `pts`.
    pub fn read(&mut self, pts: i64, data: &[u8], events: &mut Vec<Event>) {
        self.0.read(Some(pts), data, events);
    }
}

/// Extends 33-bit times to 64 bits: each time is the candidate nearest to the previous one.
#[derive(Debug, Default)]
struct Unwrap(Option<i64>);

impl Unwrap {
    fn next(&mut self, time: u64) -> i64 {
        const TIMESTAMP_WRAP_TICKS: i64 = 1 << 33;
        let time = (time as i64) & (TIMESTAMP_WRAP_TICKS - 1);
        let next = match self.0 {
            None => time,
            Some(last) => {
                let ahead = (time - last).rem_euclid(TIMESTAMP_WRAP_TICKS);
                last.saturating_add(if ahead >= TIMESTAMP_WRAP_TICKS / 2 {
                    ahead - TIMESTAMP_WRAP_TICKS
                } else {
                    ahead
                })
            }
        };
        self.0 = Some(next);
        next
    }
}

impl Demuxer {
    /// Creates a demuxer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next bytes of the stream, split at any position, and passes the events to `take`.
    pub fn push(&mut self, data: &[u8], take: &mut dyn FnMut(Event)) {
        let mut data = data;
        while !data.is_empty() {
            let missing = self.wanted().saturating_sub(self.rest.len());
            let (more, after) = data.split_at(missing.min(data.len()));
            self.rest.extend_from_slice(more);
            data = after;
            while self.rest.len() >= self.wanted() {
                self.one();
                for event in self.events.drain(..) {
                    take(event);
                }
            }
        }
    }

    /// Ends the stream or one of its segments, and passes the buffered data to `take`.
    pub fn finish(&mut self, take: &mut dyn FnMut(Event)) {
        self.end_video();
        self.end_audio();
        if let Some(video) = &mut self.video {
            video.begins = true;
        }
        if let Some(audio) = &mut self.audio {
            audio.begins = true;
        }
        for event in self.events.drain(..) {
            take(event);
        }
    }

    /// Returns the number of buffered bytes.
    pub fn held(&self) -> usize {
        let video = self.video.as_ref().map_or(0, |video| video.pes.held());
        let audio = self.audio.as_ref().map_or(0, |audio| audio.pes.held() + audio.reader.held());
        self.rest.len() + video + audio
    }

    /// Returns the number of bytes that are checked together. Without synchronization, a packet
    /// counts only if another one follows.
    fn wanted(&self) -> usize {
        if self.astray { PACKET_BYTES + 1 } else { PACKET_BYTES }
    }

    /// Reads the packet at the start of `rest`, which has at least the wanted length.
    fn one(&mut self) {
        let mut packet = [0; PACKET_BYTES];
        let follows = !self.astray || self.rest.get(PACKET_BYTES) == Some(&SYNC_BYTE);
        match self.rest.get(..PACKET_BYTES) {
            Some(bytes) if follows && bytes.first() == Some(&SYNC_BYTE) => {
                packet.copy_from_slice(bytes);
            }
            _ => {
                // No synchronization: skip to the next byte that may begin a packet.
                let next = self.rest.iter().skip(1).position(|byte| *byte == SYNC_BYTE);
                let skip = next.map_or(self.rest.len(), |next| next + 1);
                self.rest.drain(..skip);
                if !std::mem::replace(&mut self.astray, true) {
                    self.events.push(Event::Lost);
                }
                return;
            }
        }
        self.astray = false;
        self.rest.drain(..PACKET_BYTES);
        self.packet(&packet);
    }

    fn packet(&mut self, packet: &[u8; PACKET_BYTES]) {
        let [_, b1, b2, b3, ..] = *packet;
        if b1 & 0x80 != 0 {
            // The receiver marked the packet as damaged.
            return;
        }
        let starts = b1 & 0x40 != 0;
        let pid = u16::from_be_bytes([b1 & 0x1F, b2]);
        let mut at = 4;
        let mut discontinuity = false;
        if b3 & 0x20 != 0 {
            let [length, flags] = [packet[4], packet[5]];
            discontinuity = length > 0 && flags & 0x80 != 0;
            at += 1 + usize::from(length);
        }
        let payload = if b3 & 0x10 != 0 { packet.get(at..).unwrap_or_default() } else { &[] };
        if payload.is_empty() {
            return;
        }
        if b3 & 0xC0 != 0 {
            let ours = self.video.as_ref().is_some_and(|video| video.pid == pid)
                || self.audio.as_ref().is_some_and(|audio| audio.pid == pid);
            if ours && !std::mem::replace(&mut self.scrambled, true) {
                self.events.push(Event::Scrambled);
            }
            return;
        }
        let counter = b3 & 0xF;
        if pid == 0 {
            if let Some(section) = self.pat.push(payload, starts) {
                self.program_association(&section);
            }
        } else if let Some((its, sections)) = &mut self.pmt
            && *its == pid
        {
            if let Some(section) = sections.push(payload, starts) {
                self.program_map(&section);
            }
        } else if let Some(video) = &mut self.video
            && video.pid == pid
        {
            match video.continuity(counter, discontinuity) {
                Continuity::Repeated => return,
                Continuity::Broken => {
                    video.pes.drop_it();
                    self.events.push(Event::Lost);
                }
                Continuity::Fine => {}
            }
            if starts {
                self.end_video();
            }
            if let Some(video) = &mut self.video
                && video.pes.push(payload, starts)
            {
                self.end_video();
            }
        } else if let Some(audio) = &mut self.audio
            && audio.pid == pid
        {
            match audio.continuity(counter, discontinuity) {
                Continuity::Repeated => return,
                Continuity::Broken => {
                    audio.pes.drop_it();
                    audio.reader.forget();
                    self.events.push(Event::Lost);
                }
                Continuity::Fine => {}
            }
            if starts {
                self.end_audio();
            }
            if let Some(audio) = &mut self.audio
                && audio.pes.push(payload, starts)
            {
                self.end_audio();
            }
        }
    }

    fn end_video(&mut self) {
        let Some(video) = &mut self.video else { return };
        let Some(unit) = video.pes.take() else { return };
        let dts = unit.dts.or(unit.pts).map(|time| self.time.next(time));
        // The PTS is near the DTS, even if one of them wrapped.
        let pts = unit.pts.zip(dts).map(|(pts, dts)| {
            let mut near = Unwrap(Some(dts));
            near.next(pts)
        });
        video.reader.read(dts, pts, &unit.data, &mut self.events);
    }

    fn end_audio(&mut self) {
        let Some(audio) = &mut self.audio else { return };
        let Some(unit) = audio.pes.take() else { return };
        let pts = unit.pts.map(|time| self.time.next(time));
        audio.reader.read(pts, &unit.data, &mut self.events);
    }

    fn program_association(&mut self, section: &[u8]) {
        let Some(pid) = section::program_map_pid(section) else { return };
        if self.pmt.as_ref().is_none_or(|(its, _)| *its != pid) {
            self.pmt = Some((pid, Sections::default()));
        }
    }

    fn program_map(&mut self, section: &[u8]) {
        let Some(streams) = section::streams(section) else { return };
        let (mut video, mut audio) = (None, None);
        let mut others = Vec::new();
        for stream in streams {
            match stream.kind {
                // The first stream of each kind is used. Among several codecs, a codec that every
                // onair player decodes is preferred.
                Kind::Video(Codec::H264) if is_kind(&video, |it| it == HEVC_KIND) => {
                    video = Some(stream);
                }
                Kind::Video(Codec::Hevc) if video.is_none() => video = Some(stream),
                Kind::Audio(Codec::Aac | Codec::Mpeg | Codec::Opus | Codec::S302m)
                    if is_kind(&audio, |it| DOLBY_KINDS.contains(&it)) =>
                {
                    audio = Some(stream);
                }
                Kind::Audio(Codec::Ac3 | Codec::Eac3) if audio.is_none() => audio = Some(stream),
                Kind::Video(codec @ (Codec::H264 | Codec::Hevc | Codec::Other(_)))
                | Kind::Audio(codec) => others.push((stream.kind, codec)),
                Kind::Video(_) | Kind::Data => {}
            }
        }
        for (kind, codec) in others {
            let taken = matches!(kind, Kind::Video(_)) && video.is_some()
                || matches!(kind, Kind::Audio(_)) && audio.is_some();
            if !taken && !self.reported.contains(&codec) && self.reported.len() < 16 {
                self.reported.push(codec);
                self.events.push(Event::Unsupported(codec));
            }
        }
        let is_encrypted = |stream: &Option<section::Stream>| stream.is_some_and(|it| it.encrypted);
        if (is_encrypted(&video) || is_encrypted(&audio))
            && !std::mem::replace(&mut self.encrypted, true)
        {
            self.events.push(Event::Encrypted);
        }
        if let Some(stream) = video
            && self
                .video
                .as_ref()
                .is_none_or(|it| (it.pid, it.kind) != (stream.pid, stream.stream_type))
        {
            self.end_video();
            let Kind::Video(codec) = stream.kind else { return };
            let reader = VideoUnits::new(codec);
            self.video = Some(Stream::new(stream.pid, stream.stream_type, reader));
        }
        if let Some(stream) = audio
            && self
                .audio
                .as_ref()
                .is_none_or(|it| (it.pid, it.kind) != (stream.pid, stream.stream_type))
        {
            self.end_audio();
            let Kind::Audio(codec) = stream.kind else { return };
            let reader = AudioUnits::new(codec, stream.channels);
            self.audio = Some(Stream::new(stream.pid, stream.stream_type, reader));
        }
    }
}

const HEVC_KIND: Kind = Kind::Video(Codec::Hevc);
const DOLBY_KINDS: [Kind; 2] = [Kind::Audio(Codec::Ac3), Kind::Audio(Codec::Eac3)];

/// Returns true if there is no stream yet, or one of this kind.
fn is_kind(stream: &Option<section::Stream>, kind: impl Fn(Kind) -> bool) -> bool {
    stream.as_ref().is_none_or(|stream| kind(stream.kind))
}

enum Continuity {
    Fine,
    /// The same packet was repeated, which the standard allows.
    Repeated,
    Broken,
}

impl<T> Stream<T> {
    fn new(pid: u16, kind: u8, reader: T) -> Self {
        Self { pid, kind, counter: None, begins: true, pes: Pes::default(), reader }
    }

    fn continuity(&mut self, counter: u8, discontinuity: bool) -> Continuity {
        let last = self.counter.replace(counter);
        // Some servers restart the counter in each segment. Then an equal counter is no repetition.
        let begins = std::mem::take(&mut self.begins);
        match last {
            Some(last) if last == counter && !discontinuity && !begins => Continuity::Repeated,
            Some(last) if (last + 1) & 0xF != counter && !discontinuity => Continuity::Broken,
            _ => Continuity::Fine,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn crc(data: &[u8]) -> [u8; 4] {
        section::crc(data).to_be_bytes()
    }

    /// Makes a packet of `pid` with this payload, padded to full length.
    fn packet(pid: u16, counter: u8, starts: bool, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![SYNC_BYTE, (pid >> 8) as u8 | if starts { 0x40 } else { 0 }, pid as u8];
        let stuffing = PACKET_BYTES - 4 - payload.len();
        if stuffing == 0 {
            out.push(0x10 | counter & 0xF);
        } else {
            out.push(0x30 | counter & 0xF);
            out.push((stuffing - 1) as u8);
            if stuffing > 1 {
                out.push(0);
                out.resize(4 + stuffing, 0xFF);
            }
        }
        out.extend_from_slice(payload);
        assert_eq!(out.len(), PACKET_BYTES);
        out
    }

    fn section(table: u8, body: &[u8]) -> Vec<u8> {
        let length = body.len() + 9;
        let mut out = vec![table, 0xB0 | (length >> 8) as u8, length as u8, 0, 1, 0xC1, 0, 0];
        out.extend_from_slice(body);
        let sum = crc(&out);
        out.extend(sum);
        out.insert(0, 0);
        out
    }

    /// Makes PAT and PMT with H.264 at 0x100 and AAC at 0x101.
    fn tables() -> Vec<u8> {
        let pat = section(0, &[0, 1, 0xE0, 0x20]);
        let pmt = section(2, &[0xE1, 0, 0xF0, 0, 0x1B, 0xE1, 0, 0xF0, 0, 0x0F, 0xE1, 1, 0xF0, 0]);
        [packet(0, 0, true, &pat), packet(0x20, 0, true, &pmt)].concat()
    }

    fn stamp(marker: u8, time: u64) -> [u8; 5] {
        [
            marker << 4 | ((time >> 29) as u8 & 0xE) | 1,
            (time >> 22) as u8,
            (time >> 14) as u8 | 1,
            (time >> 7) as u8,
            (time << 1) as u8 | 1,
        ]
    }

    fn pes(id: u8, pts: u64, data: &[u8]) -> Vec<u8> {
        let mut out = vec![0, 0, 1, id, 0, 0, 0x80, 0x80, 5];
        out.extend(stamp(2, pts));
        out.extend_from_slice(data);
        out
    }

    fn read(data: &[u8], step: usize) -> Vec<Event> {
        let mut demuxer = Demuxer::new();
        let mut events = Vec::new();
        for part in data.chunks(step) {
            demuxer.push(part, &mut |event| events.push(event));
        }
        demuxer.finish(&mut |event| events.push(event));
        events
    }

    const HIGH_PROFILE_SPS: &[u8] = &[0x27, 0x64, 0x00, 0x1f, 0xac, 0x56, 0x80, 0xb4, 0x0a, 0x19];

    fn key() -> Vec<u8> {
        let start = [0, 0, 0, 1];
        [
            &start,
            &[9, 0xF0][..],
            &start,
            HIGH_PROFILE_SPS,
            &start,
            &[0x28, 0xee, 0x3c, 0xb0],
            &start,
            &[0x65, 1, 2, 3],
        ]
        .concat()
    }

    fn adts(payload: &[u8]) -> Vec<u8> {
        let config = crate::wire::codec::aac::AudioSpecificConfig::lc(48_000, 2).unwrap();
        let head = crate::wire::codec::aac::adts::header(&config, payload.len()).unwrap();
        [&head[..], payload].concat()
    }

    #[test]
    fn frames_and_audio_come_out_whole_across_the_wrap() {
        let near = (1 << 33) - 1_000;
        let frames = [adts(&[1; 20]), adts(&[2; 30])].concat();
        let mut data = tables();
        data.extend(packet(0x100, 0, true, &pes(0xE0, near, &key())));
        // An audio frame crosses the boundary of two units.
        data.extend(packet(0x101, 0, true, &pes(0xC0, near, &frames[..40])));
        data.extend(packet(0x101, 1, true, &pes(0xC0, 920, &frames[40..])));
        let inter = [0, 0, 1, 0x41, 9];
        data.extend(packet(0x100, 1, true, &pes(0xE0, 2_000, &inter)));
        let near = near as i64;
        for step in [1, 7, 188, data.len()] {
            let events = read(&data, step);
            let mut video = Vec::new();
            let mut audio = Vec::new();
            for event in &events {
                match event {
                    Event::Video { dts, keyframe, data, .. } => {
                        video.push((*dts, *keyframe, data.to_vec()));
                    }
                    Event::Audio { pts, data, .. } => audio.push((*pts, data.len())),
                    Event::VideoConfig { config, .. } => assert_eq!(config[1], 0x64),
                    Event::AudioConfig(config) => assert_eq!(&config[..], [0x11, 0x90]),
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(
                video,
                [
                    (near, true, vec![0, 0, 0, 4, 0x65, 1, 2, 3]),
                    (near + 3_000, false, vec![0, 0, 0, 2, 0x41, 9])
                ]
            );
            assert_eq!(audio, [(near, 20), (near + 1_920, 30)]);
        }
    }

    #[test]
    fn missing_packets_cost_one_frame_and_are_reported() {
        let long = [key(), vec![7; 400]].concat();
        let unit = pes(0xE0, 9_000, &long);
        let mut data = tables();
        let parts: Vec<_> = unit.chunks(184).collect();
        data.extend(packet(0x100, 0, true, parts[0]));
        // The second packet is lost.
        data.extend(packet(0x100, 2, false, parts[2]));
        data.extend(packet(0x100, 3, true, &pes(0xE0, 12_000, &key())));
        let events = read(&data, 188);
        assert!(events.contains(&Event::Lost));
        let video = events.iter().filter(|e| matches!(e, Event::Video { .. })).count();
        assert_eq!(video, 1);
    }

    #[test]
    fn a_segment_may_begin_with_the_counter_that_ended_the_last_one() {
        let segment = |pts| {
            let video = packet(0x100, 0, true, &pes(0xE0, pts, &key()));
            let audio = packet(0x101, 0, true, &pes(0xC0, pts, &adts(&[1; 20])));
            [tables(), video, audio].concat()
        };
        let (mut demuxer, mut video, mut audio) = (Demuxer::new(), Vec::new(), Vec::new());
        for pts in [9_000, 18_000] {
            let mut take = |event: Event| match event {
                Event::Video { dts, .. } => video.push(dts),
                Event::Audio { pts, .. } => audio.push(pts),
                _ => {}
            };
            demuxer.push(&segment(pts), &mut take);
            demuxer.finish(&mut take);
        }
        assert_eq!((video, audio), (vec![9_000, 18_000], vec![9_000, 18_000]));
        // Within a segment, the standard allows a repetition.
        let twice = [segment(9_000), packet(0x100, 0, true, &pes(0xE0, 9_000, &key()))].concat();
        let events = read(&twice, 188);
        assert_eq!(events.iter().filter(|it| matches!(it, Event::Video { .. })).count(), 1);
    }

    #[test]
    fn other_codecs_are_named_and_noise_is_passed_over() {
        let pat = section(0, &[0, 1, 0xE0, 0x20]);
        let pmt = section(2, &[0xE1, 0, 0xF0, 0, 0x02, 0xE1, 0, 0xF0, 0, 0x11, 0xE1, 1, 0xF0, 0]);
        let data = [
            vec![1, 2, 3, 0x47, 5],
            packet(0, 0, true, &pat),
            packet(0x20, 0, true, &pmt),
            packet(0x20, 1, true, &pmt),
        ];
        let events = read(&data.concat(), 50);
        assert_eq!(
            events,
            [
                Event::Lost,
                Event::Unsupported(Codec::Other(0x02)),
                Event::Unsupported(Codec::Other(0x11))
            ]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_the_same_however_they_are_cut(
            noise in proptest::collection::vec(any::<u8>(), 0..1_200),
            at in 0_usize..1_000,
            cut in 1_usize..400,
        ) {
            let mut data = [tables(), packet(0x100, 0, true, &pes(0xE0, 5, &key()))].concat();
            data.extend(packet(0x101, 0, true, &pes(0xC0, 5, &adts(&[3; 50]))));
            let at = at.min(data.len());
            data.splice(at..at, noise);
            let whole = read(&data, data.len());
            prop_assert_eq!(&read(&data, cut), &whole);
        }

        #[test]
        fn damaged_packets_harm_nobody(
            hits in proptest::collection::vec((0_usize..752, any::<u8>()), 1..12),
        ) {
            let mut data = [tables(), packet(0x100, 0, true, &pes(0xE0, 5, &key()))].concat();
            data.extend(packet(0x101, 0, true, &pes(0xC0, 5, &adts(&[3; 50]))));
            for (at, value) in hits {
                if let Some(byte) = data.get_mut(at) {
                    *byte = value;
                }
            }
            let _ = read(&data, 100);
        }
    }
}
