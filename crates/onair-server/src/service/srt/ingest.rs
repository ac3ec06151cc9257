//! Makes the messages of a stream from a publisher's transport stream.

use bytes::Bytes;

use crate::base::Timestamp;
use crate::media::{Codec, EncodedPacket, StreamConfig, StreamEvent, Track, TrackConfig};
use crate::server::stream::Incoming;
use crate::wire::container::flv::{TagKind, config_body, metadata_body, metadata_by, packet_body};
use crate::wire::container::ts::{Demuxer, StreamEvents};

/// How long audio waits for the first picture.
const MAX_AUDIO_HOLD_MICROS: i64 = 1_500_000;
/// A time that is this far from the last one belongs to another clock.
const MAX_STEP_MICROS: i64 = 10_000_000;

/// A publisher's transport stream.
#[derive(Debug, Default)]
pub(super) struct Ingest {
    demuxer: Demuxer,
    events: StreamEvents,
    known: StreamConfig,
    /// True once the first messages were made.
    begun: bool,
    /// The time of the first packet, and the last one, in the stream's clock.
    clock: Option<Clock>,
    messages: Vec<Incoming>,
}

#[derive(Copy, Clone, Debug)]
struct Clock {
    /// The stream's time that is zero.
    origin: i64,
    last: i64,
}

impl Ingest {
    /// Takes a part of the transport stream.
    pub fn push(&mut self, bytes: &[u8]) {
        let mut found = Vec::new();
        let events = &mut self.events;
        self.demuxer.push(bytes, &mut |event| events.take(event, &mut |event| found.push(event)));
        found.into_iter().for_each(|event| self.take(event));
    }

    /// Takes the messages so far.
    pub fn messages(&mut self) -> &mut Vec<Incoming> {
        &mut self.messages
    }

    fn take(&mut self, event: StreamEvent) {
        match event {
            StreamEvent::Config(config) => {
                let is_new = match config {
                    TrackConfig::Video(video) => {
                        let is_new = self.known.video.as_ref() != Some(&video);
                        self.known.video = Some(video);
                        is_new
                    }
                    TrackConfig::Audio(audio) => {
                        let is_new = self.known.audio.as_ref() != Some(&audio);
                        self.known.audio = Some(audio);
                        is_new
                    }
                };
                if is_new && self.begun {
                    self.configure();
                }
            }
            StreamEvent::Packet(packet) => self.packet(&packet),
            _ => {}
        }
    }

    fn packet(&mut self, packet: &EncodedPacket) {
        let codec = match packet.track {
            Track::Video => self.known.video.as_ref().map(|video| Codec::Video(video.codec)),
            Track::Audio => self.known.audio.as_ref().map(|audio| Codec::Audio(audio.codec)),
            Track::Extra(_) | Track::Rendition(_) => None,
        };
        let Some(codec) = codec else { return };
        let dts = packet.dts.as_micros();
        let clock = self.clock.get_or_insert(Clock { origin: dts, last: dts });
        if (dts - clock.last).abs() > MAX_STEP_MICROS {
            // Another clock continues where this one ended.
            clock.origin += dts - clock.last;
        }
        clock.last = dts;
        let origin = clock.origin;
        if !self.begun {
            let begins = match packet.track {
                Track::Video => packet.keyframe,
                // A stream without a picture begins with its audio.
                _ => self.known.video.is_none() && dts - origin >= MAX_AUDIO_HOLD_MICROS,
            };
            if !begins {
                return;
            }
            self.begun = true;
            // All times count from the first message.
            if let Some(clock) = &mut self.clock {
                clock.origin = dts;
            }
            self.configure();
        }
        let origin = self.clock.map_or(origin, |clock| clock.origin);
        let at = |time: Timestamp| {
            Timestamp::from_micros(time.micros_since(Timestamp::from_micros(origin)))
        };
        let dts = at(packet.dts);
        // Audio from before the first picture has no picture.
        if dts < Timestamp::ZERO {
            return;
        }
        let times = (dts, at(packet.pts));
        let moved =
            EncodedPacket::received(packet.track, times, packet.keyframe, packet.data.clone());
        let kind = if packet.track == Track::Video { TagKind::Video } else { TagKind::Audio };
        if let Some(body) = packet_body(codec, &moved) {
            self.add(kind, dts, body, false);
        }
    }

    /// Adds the metadata and the configs of all known tracks.
    fn configure(&mut self) {
        let origin = self.clock.map_or(0, |clock| clock.last - clock.origin);
        let now = Timestamp::from_micros(origin.max(0));
        let metadata = metadata_body(&metadata_by(&self.known, ""));
        self.add(TagKind::Script, Timestamp::ZERO, metadata, true);
        let video = self.known.video.clone().map(TrackConfig::Video);
        let audio = self.known.audio.clone().map(TrackConfig::Audio);
        for (kind, config) in [(TagKind::Video, video), (TagKind::Audio, audio)] {
            if let Some(body) = config.as_ref().and_then(config_body) {
                self.add(kind, now, body, false);
            }
        }
    }

    fn add(&mut self, kind: TagKind, at: Timestamp, body: Bytes, metadata: bool) {
        // Times of FLV wrap around.
        let time_ms = (at.as_millis() & i64::from(u32::MAX)) as u32;
        self.messages.push(Incoming { kind, time_ms, body, metadata });
    }
}
