//! A player in simulated time for tests of the whole path (`studio/program/lip_sync_tests.rs`). It steps the real
//! parts of the feed thread and the presenter, without a codec.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::media::{EncodedPacket, SampleBlock, StreamEvent, Track};
use crate::player::buffer::packets::BufferedPacket;
use crate::player::buffer::reception::Reception;
use crate::player::clock::frame_pacing::{Cadence, PacingVerdict, judge};
use crate::player::clock::playout::{Change, Playout};
use crate::player::decode::audio::{AudioDecoding, Speaker};
use crate::player::demux::{Demux, Demuxed};
use crate::wire::container::flv::{Reader, TagEvent, TagKind};

/// Counts of errors and audible corrections.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct SimulatedFault {
    pub stalled: u32,
    pub jumped: u32,
    pub dropped: u32,
    pub damaged: u32,
    pub underruns: u64,
}

/// See the module documentation.
pub struct Viewer {
    reader: Reader,
    demux: Demux,
    reception: Reception,
    playout: Playout,
    audio: AudioDecoding,
    cadence: Cadence,
    frames: VecDeque<(Timestamp, Bytes)>,
    from: Option<Timestamp>,
    format: (u32, u16),
    trouble: SimulatedFault,
}

impl Viewer {
    /// Creates a viewer that plays audio of this rate and channel count on this speaker.
    pub fn new(speaker: Box<dyn Speaker>, rate: u32, channels: u16) -> Self {
        let mut audio = AudioDecoding::default();
        audio.attach(speaker, rate, channels);
        Self {
            reader: Reader::new(|_| true),
            demux: Demux::new(true),
            reception: Reception::of_live(Duration::from_millis(300)),
            playout: Playout::default(),
            audio,
            cadence: Cadence::default(),
            frames: VecDeque::new(),
            from: None,
            format: (rate, channels),
            trouble: SimulatedFault::default(),
        }
    }

    /// Adds stream bytes that arrive at `now`.
    pub fn receive(&mut self, bytes: &[u8], now: Timestamp) {
        self.reader.push(bytes);
        while let Some(read) = self.reader.next_tag().unwrap() {
            if read.tag.kind == TagKind::Script {
                continue;
            }
            for event in read.events.into_iter().flatten() {
                match event {
                    TagEvent::Event(event) => self.take(event, now),
                    _ => self.trouble.damaged += 1,
                }
            }
        }
    }

    fn take(&mut self, event: StreamEvent, now: Timestamp) {
        match self.demux.event(event, now) {
            Demuxed::Video(BufferedPacket::Packet(packet)) => {
                self.reception.arrived(Track::Video, packet.dts, now);
                self.cadence.note(packet.pts);
                self.frames.push_back((packet.pts, packet.data));
            }
            Demuxed::Audio(BufferedPacket::Packet(packet)) => {
                self.reception.arrived(Track::Audio, packet.dts, now);
                let samples = self.decoded(&packet);
                self.audio.take_decoded(samples);
            }
            Demuxed::Video(BufferedPacket::Configure(_))
            | Demuxed::Audio(BufferedPacket::Configure(_)) => {}
            _ => self.trouble.damaged += 1,
        }
    }

    fn decoded(&self, packet: &EncodedPacket) -> SampleBlock {
        let (rate, channels) = self.format;
        let samples = packet.data.as_chunks::<2>().0.iter();
        let data: Vec<f32> =
            samples.map(|it| f32::from(i16::from_le_bytes(*it)) / 32_768.0).collect();
        SampleBlock { pts: packet.pts, rate, channels, data: data.into() }
    }

    /// Runs one round of the presenter. `show` gets each due frame with its lateness in
    /// microseconds.
    pub fn step(&mut self, now: Timestamp, show: &mut dyn FnMut(&Bytes, i64)) {
        self.reception.set_speaker_latency(self.audio.latency());
        let received = self.reception.received(now);
        if !self.playout.has_started()
            && let Some(prospect) = self.playout.prospect(now, &received)
        {
            self.audio.forget_before(prospect);
        }
        match self.playout.step(now, &received, self.audio.position_played()) {
            Change::None => {}
            Change::Started(at) => self.begin(at, true, now),
            Change::Jumped(at) => {
                self.trouble.jumped += 1;
                self.begin(at, true, now);
            }
            Change::Resumed(at) => self.begin(at, false, now),
            Change::Stalled => {
                self.trouble.stalled += 1;
                self.reception.broke(now);
            }
        }
        if !self.playout.is_running() {
            return;
        }
        let (position, speed) = (self.playout.position(), self.playout.speed());
        self.audio.play(now, position, speed, 1.0, false, &mut |_| {});
        while let Some((pts, frame)) = self.frames.front() {
            let successor = self.frames.len() > 1;
            let position = self.playout.position_at(now);
            let verdict = judge(*pts, position, speed, self.cadence.period(), successor);
            match verdict {
                PacingVerdict::Wait(_) => return,
                _ if self.from.is_some_and(|from| *pts < from) => {}
                PacingVerdict::Show { .. } => show(frame, position.micros_since(*pts)),
                PacingVerdict::Drop => self.trouble.dropped += 1,
            }
            self.frames.pop_front();
        }
    }

    fn begin(&mut self, at: Timestamp, skip: bool, now: Timestamp) {
        let position = self.audio.seek(at, skip);
        self.playout.set_position(position);
        self.reception.begun(now, position);
        if skip {
            self.from = Some(at);
        }
    }

    /// Returns the errors so far.
    pub fn trouble(&self) -> SimulatedFault {
        SimulatedFault { underruns: self.audio.underruns, ..self.trouble }
    }
}
