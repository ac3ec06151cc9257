//! Converts the packets of the hub to transport packets.
//!
//! A stream that onair encodes has its configs and its packets as elementary data. The packets of a
//! file, and those of a delayed stream that has no config, are bodies of FLV. An FLV reader
//! converts these bodies, because their codecs are known only from the bodies themselves.

use std::sync::Arc;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::broadcast::hub::sequence_headers::SequenceHeaders;
use crate::broadcast::hub::shared_packet::{Configurations, SharedPacket};
use crate::broadcast::protocol::link::StreamStart;
use crate::media::{
    AudioCodec, Codec, EncodedPacket, StreamConfig, StreamEvent, Track, TrackConfig, VideoCodec,
    VideoConfig,
};
use crate::wire::container::flv::events::TagEvent;
use crate::wire::container::flv::{Reader, Tag, TagKind};
use crate::wire::container::ts::StreamWriter;

/// Converts the packets of one connection.
#[derive(Debug, Default)]
pub(in crate::broadcast::protocol) struct Muxer {
    /// The configs of the tracks.
    config: StreamConfig,
    writer: Option<StreamWriter>,
    /// The reader of bodies, if the stream consists of bodies.
    bodies: Option<Reader>,
    /// The configs of the bodies that were read last.
    configurations: Option<Configurations>,
}

impl Muxer {
    /// Begins a stream.
    pub fn begin(&mut self, start: &StreamStart<'_>) {
        self.config = start.head.config.clone();
        if self.config.video.is_none() && self.config.audio.is_none() {
            self.bodies = Some(Reader::new(|_| true));
            self.configurations = start.first.and_then(|first| first.configurations.clone());
            let configs = self.configurations.as_deref().unwrap_or(&start.head.config_bodies);
            let configs = configs.to_vec();
            self.learn(&configs);
        }
        if let Some(rendition) = &start.rendition {
            self.config.video = Some(rendition.video.clone());
        }
        self.writer = StreamWriter::new(self.config.video.as_ref(), self.config.audio.as_ref());
    }

    /// Returns the transport packets of a packet. `origin` becomes time zero.
    pub fn write(&mut self, packet: &SharedPacket, origin: Timestamp) -> Bytes {
        if let Some(new) = &packet.configurations
            && !self.configurations.as_ref().is_some_and(|known| Arc::ptr_eq(known, new))
        {
            let new = Arc::clone(new);
            self.learn(&new);
            self.configurations = Some(new);
        }
        let its_video = packet.rendition.as_ref().filter(|_| packet.starts_gop());
        if let Some(rendition) = its_video
            && self.config.video.as_ref() != Some(&rendition.video)
        {
            self.set_video(rendition.video.clone());
        }
        let data = if self.bodies.is_some() {
            match self.read(packet.track, packet.flv_body().clone()) {
                Some(read) => read.data,
                // This is a config, or the end of a track.
                None => return Bytes::new(),
            }
        } else {
            packet.data.clone()
        };
        let at = |time: Timestamp| Timestamp::from_micros(time.micros_since(origin));
        let times = (at(packet.dts), at(packet.pts));
        let packet = EncodedPacket::received(packet.track, times, packet.keyframe, data);
        self.writer.as_mut().map_or_else(Bytes::new, |writer| writer.write(&packet))
    }

    fn set_video(&mut self, video: VideoConfig) {
        self.config.video = Some(video);
        self.set_tracks();
    }

    /// Passes the present configs to the writer.
    fn set_tracks(&mut self) {
        let (video, audio) = (self.config.video.as_ref(), self.config.audio.as_ref());
        match &mut self.writer {
            Some(writer) => {
                if !writer.set_tracks(video, audio) {
                    tracing::warn!("the stream goes on with a codec that MPEG-TS does not carry");
                }
            }
            None => self.writer = StreamWriter::new(video, audio),
        }
    }

    fn learn(&mut self, configs: &[(Track, Bytes)]) {
        for (track, body) in configs {
            self.read(*track, body.clone());
        }
    }

    /// Reads a body, and takes its config. Returns its packet, if it has one.
    fn read(&mut self, track: Track, body: Bytes) -> Option<EncodedPacket> {
        let reader = self.bodies.as_mut()?;
        let kind = if track == Track::Video { TagKind::Video } else { TagKind::Audio };
        let read = reader.read(Tag { kind, time_ms: 0, body });
        let (mut packet, mut is_new) = (None, false);
        for event in read.events.into_iter().flatten() {
            match event {
                TagEvent::Event(StreamEvent::Config(TrackConfig::Video(video))) => {
                    is_new |= self.config.video.as_ref() != Some(&video);
                    self.config.video = Some(video);
                }
                TagEvent::Event(StreamEvent::Config(TrackConfig::Audio(audio))) => {
                    is_new |= self.config.audio.as_ref() != Some(&audio);
                    self.config.audio = Some(audio);
                }
                TagEvent::Event(StreamEvent::Packet(its)) => packet = Some(its),
                _ => {}
            }
        }
        if is_new {
            self.set_tracks();
        }
        packet
    }
}

/// Returns the names of the stream's codecs that transport streams of onair do not carry.
pub(in crate::broadcast::protocol) fn uncarried(head: &SequenceHeaders) -> Vec<String> {
    let mut muxer = Muxer { bodies: Some(Reader::new(|_| true)), ..Muxer::default() };
    muxer.config = head.config.clone();
    if muxer.config == StreamConfig::default() {
        muxer.learn(&head.config_bodies);
    }
    let video = muxer.config.video.map(|it| Codec::Video(it.codec));
    let audio = muxer.config.audio.map(|it| Codec::Audio(it.codec));
    let is_carried = |codec: &Codec| {
        matches!(
            codec,
            Codec::Video(VideoCodec::H264 | VideoCodec::Hevc)
                | Codec::Audio(AudioCodec::Aac | AudioCodec::Mp3)
        )
    };
    let all = video.into_iter().chain(audio);
    all.filter(|codec| !is_carried(codec)).map(|codec| codec.name().to_owned()).collect()
}
