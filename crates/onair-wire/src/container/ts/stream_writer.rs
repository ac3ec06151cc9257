//! Writes an endless transport stream, packet by packet, for receivers that join at any time. The
//! tables are repeated before each keyframe and several times per second, and the clock appears
//! often enough for hardware decoders (§2.7.2). This module has no I/O.

use bytes::{BufMut, Bytes};

use crate::media::{AudioConfig, EncodedPacket, VideoConfig};
use crate::wire::container::ts::demuxer::PACKET_BYTES;
use crate::wire::container::ts::event::TICKS_PER_SECOND;
use crate::wire::container::ts::writer::{
    Output, PAT_PID, PMT_PID, VIDEO_PID, Writer, clock_field, pat, put_field, put_header,
};

/// Maximum interval between tables.
const TABLE_INTERVAL_TICKS: i64 = TICKS_PER_SECOND / 5;
/// Maximum interval between clocks, if there are packets. The limit of the standard is 100 ms.
const CLOCK_INTERVAL_TICKS: i64 = TICKS_PER_SECOND / 25;
/// The PID of packets without content.
const NULL_PID: u16 = 0x1FFF;

/// A writer of one stream. Counters continue from packet to packet.
#[derive(Debug)]
pub struct StreamWriter {
    writer: Writer,
    /// True if the receivers take Opus.
    takes_opus: bool,
    out: Output,
    /// The continuity counter of the next tables.
    tables: u8,
    /// The version of the program map table.
    version: u8,
    /// The times of the last tables and of the last clock.
    tables_at: Option<i64>,
    clock_at: Option<i64>,
}

impl StreamWriter {
    /// Creates a writer. Returns `None` if transport streams do not carry the codec of a track, or
    /// if there is no track.
    pub fn new(video: Option<&VideoConfig>, audio: Option<&AudioConfig>) -> Option<Self> {
        Self::with(video, audio, false)
    }

    /// Works like [`StreamWriter::new`], but takes also Opus if the receivers do.
    pub fn with(
        video: Option<&VideoConfig>,
        audio: Option<&AudioConfig>,
        takes_opus: bool,
    ) -> Option<Self> {
        Some(Self {
            writer: Writer::with(video, audio, takes_opus)?,
            takes_opus,
            out: Output::default(),
            tables: 0,
            version: 0,
            tables_at: None,
            clock_at: None,
        })
    }

    /// Sets new configs of the tracks, from the next packet on. Returns false, without a change, if
    /// transport streams do not carry them.
    pub fn set_tracks(&mut self, video: Option<&VideoConfig>, audio: Option<&AudioConfig>) -> bool {
        let Some(writer) = Writer::with(video, audio, self.takes_opus) else { return false };
        if writer.streams() != self.writer.streams() {
            self.version = (self.version + 1) % 32;
            (self.tables_at, self.clock_at) = (None, None);
        }
        self.writer = writer;
        true
    }

    /// Returns the transport packets of a packet; empty if it is damaged, or of another track.
    /// Packets must be sorted by DTS.
    pub fn write(&mut self, packet: &EncodedPacket) -> Bytes {
        for unit in self.writer.units(std::slice::from_ref(packet)) {
            let is_late = |last: Option<i64>, most| {
                last.is_none_or(|last| !(last..last + most).contains(&unit.dts))
            };
            let clock_pid = self.writer.clock_pid();
            let starts_gop = unit.pid == VIDEO_PID && unit.keyframe;
            if starts_gop || is_late(self.tables_at, TABLE_INTERVAL_TICKS) {
                self.out.section(PAT_PID, &pat(), self.tables);
                self.out.section(PMT_PID, &self.writer.pmt(self.version), self.tables);
                self.tables = (self.tables + 1) % 16;
                self.tables_at = Some(unit.dts);
            }
            let has_clock = unit.pid == clock_pid;
            if !has_clock && is_late(self.clock_at, CLOCK_INTERVAL_TICKS) {
                self.clock(clock_pid, unit.dts);
            }
            if has_clock || is_late(self.clock_at, CLOCK_INTERVAL_TICKS) {
                self.clock_at = Some(unit.dts);
            }
            self.out.unit(&unit, has_clock, false);
        }
        self.out.out.split().freeze()
    }

    /// Writes a packet with only the clock, which has the counter of the packet before it (§2.4.3.3).
    fn clock(&mut self, pid: u16, dts: i64) {
        let counter = self.out.last_counter(pid);
        put_header(&mut self.out.out, 0, pid);
        self.out.out.put_u8(0x20 | counter);
        let field = clock_field(dts, 0);
        put_field(&mut self.out.out, &field, PACKET_BYTES - 4 - field.len());
    }
}

/// Returns a packet without content, which fills a datagram.
pub fn null_packet() -> [u8; PACKET_BYTES] {
    let mut packet = [0xFF; PACKET_BYTES];
    let [high, low] = NULL_PID.to_be_bytes();
    for (place, byte) in packet.iter_mut().zip([0x47, high, low, 0x10]) {
        *place = byte;
    }
    packet
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::base::Timestamp;
    use crate::media::{AudioCodec, Track, VideoCodec};
    use crate::wire::container::ts::writer::tests::{audio, packets, video};
    use crate::wire::container::ts::{Demuxer, Event};

    /// Returns the clocks of a stream in milliseconds, and checks the counters of all PIDs.
    fn clocks(stream: &[u8]) -> Vec<i64> {
        let (mut last, mut clocks) = (HashMap::new(), Vec::new());
        for packet in stream.chunks(PACKET_BYTES) {
            assert_eq!((packet.len(), packet[0]), (PACKET_BYTES, 0x47));
            let pid = u16::from_be_bytes([packet[1] & 0x1F, packet[2]]);
            let (counter, has_payload) = (packet[3] & 0xF, packet[3] & 0x10 != 0);
            let known = last.insert(pid, counter);
            let step = u8::from(has_payload);
            assert!(known.is_none_or(|known| counter == (known + step) % 16), "PID {pid:#x}");
            if packet[3] & 0x20 != 0 && packet[4] > 0 && packet[5] & 0x10 != 0 {
                let base = u32::from_be_bytes(packet[6..10].try_into().unwrap());
                clocks.push((i64::from(base) * 2 + i64::from(packet[10] >> 7)) / 90);
            }
        }
        clocks
    }

    #[test]
    fn opus_packets_of_any_size_are_read_back_if_the_receivers_take_them() {
        let audio = audio(AudioCodec::Opus);
        assert!(StreamWriter::new(Some(&video()), Some(&audio)).is_none());
        let mut writer = StreamWriter::with(Some(&video()), Some(&audio), true).unwrap();
        let sizes = [1_usize, 254, 255, 256, 509, 510, 511, 1_275];
        let mut stream = Vec::new();
        let mut sent = Vec::new();
        for (number, size) in (0..).zip(sizes) {
            let at = Timestamp::from_millis(number * 20);
            // A packet of one frame of 20 ms (RFC 6716 §3.1).
            let mut data = vec![number as u8; size];
            data[0] = 0xFC;
            let packet = EncodedPacket::received(Track::Audio, (at, at), true, data.into());
            stream.extend_from_slice(&writer.write(&packet));
            sent.push(packet.data);
        }
        let (mut demuxer, mut read) = (Demuxer::new(), Vec::new());
        let mut take = |event| {
            if let Event::Audio { data, .. } = event {
                read.push(data);
            }
        };
        demuxer.push(&stream, &mut take);
        demuxer.finish(&mut take);
        assert_eq!(read, sent);
    }

    #[test]
    fn a_stream_written_packet_by_packet_is_read_back() {
        let audio = audio(AudioCodec::Aac);
        let mut writer = StreamWriter::new(Some(&video()), Some(&audio)).unwrap();
        let sizes = |frame: i64| if frame % 7 == 0 { 20_000 } else { 10 + frame as usize * 13 };
        let sent: Vec<_> = (0..5).flat_map(|from| packets(from, sizes)).collect();
        let stream: Vec<u8> = sent.iter().flat_map(|packet| writer.write(packet)).collect();
        assert!(clocks(&stream).windows(2).all(|pair| (0..=40).contains(&(pair[1] - pair[0]))));
        let (mut demuxer, mut events) = (Demuxer::new(), Vec::new());
        demuxer.push(&stream, &mut |event| events.push(event));
        demuxer.finish(&mut |event| events.push(event));
        let frames: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Event::Video { keyframe, data, .. } => Some((*keyframe, data.clone())),
                _ => None,
            })
            .collect();
        let of_video = sent.iter().filter(|it| it.track == Track::Video);
        assert_eq!(frames, of_video.map(|it| (it.keyframe, it.data.clone())).collect::<Vec<_>>());
        let audio_count =
            events.iter().filter(|event| matches!(event, Event::Audio { .. })).count();
        assert_eq!(audio_count, sent.iter().filter(|it| it.track == Track::Audio).count());
    }

    #[test]
    fn slow_video_keeps_the_clock_and_the_tables_going() {
        let audio = audio(AudioCodec::Aac);
        let mut writer = StreamWriter::new(Some(&video()), Some(&audio)).unwrap();
        let all = packets(0, |_| 100);
        let slow = all.iter().filter(|it| it.track == Track::Audio || it.keyframe);
        let stream: Vec<u8> = slow.flat_map(|packet| writer.write(packet)).collect();
        let times = clocks(&stream);
        assert!(times.len() > 40, "{}", times.len());
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] <= 100), "{times:?}");
        let tables = stream.chunks(PACKET_BYTES).filter(|it| it[1..3] == [0x40, 0]).count();
        assert!((9..=12).contains(&tables), "{tables}");
    }

    #[test]
    fn a_new_track_changes_the_version_of_the_table_and_a_new_size_does_not() {
        let mut writer = StreamWriter::new(Some(&video()), None).unwrap();
        assert!(writer.set_tracks(Some(&video()), None) && writer.version == 0);
        let audio = audio(AudioCodec::Aac);
        assert!(writer.set_tracks(Some(&video()), Some(&audio)) && writer.version == 1);
        let av1 = VideoConfig { codec: VideoCodec::Av1, ..video() };
        assert!(!writer.set_tracks(Some(&av1), Some(&audio)) && writer.version == 1);
        let at = (Timestamp::ZERO, Timestamp::ZERO);
        let packet = EncodedPacket::received(Track::Audio, at, true, vec![1; 9].into());
        let stream = writer.write(&packet);
        // The version and the current flag of the second packet's table.
        assert_eq!(stream[PACKET_BYTES + 5 + 5], 0xC1 | 1 << 1);
    }

    #[test]
    fn a_packet_that_fills_is_ignored_by_receivers() {
        let mut events = 0;
        Demuxer::new().push(&null_packet(), &mut |_| events += 1);
        assert_eq!(events, 0);
    }
}
