//! Reads the packets of the hub as elementary data with codec configs.
//!
//! A stream that onair encodes has its configs and its packets as elementary data. The packets of a
//! file, and those of a delayed stream that has no config, are bodies of FLV. An FLV reader
//! converts these bodies, because their codecs are known only from the bodies themselves.

use std::sync::Arc;

use bytes::Bytes;

use crate::broadcast::hub::sequence_headers::SequenceHeaders;
use crate::broadcast::hub::shared_packet::{Configurations, SharedPacket};
use crate::broadcast::protocol::link::StreamStart;
use crate::media::{Codec, StreamConfig, StreamEvent, Track, TrackConfig};
use crate::wire::container::flv::events::TagEvent;
use crate::wire::container::flv::{Reader, Tag, TagKind};

/// The reader of one connection.
#[derive(Debug, Default)]
pub(super) struct Elementary {
    /// The configs of the tracks.
    pub config: StreamConfig,
    /// The reader of bodies, if the stream consists of bodies.
    bodies: Option<Reader>,
    /// The configs of the bodies that were read last.
    configurations: Option<Configurations>,
}

/// What a packet contains.
#[derive(Debug)]
pub(super) struct Contents {
    /// True if the configs have changed.
    pub is_changed: bool,
    /// The elementary data; `None` for a config, or the end of a track.
    pub data: Option<Bytes>,
}

impl Elementary {
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
    }

    /// Takes a packet.
    pub fn take(&mut self, packet: &SharedPacket) -> Contents {
        let mut is_changed = false;
        if let Some(new) = &packet.configurations
            && !self.configurations.as_ref().is_some_and(|known| Arc::ptr_eq(known, new))
        {
            let new = Arc::clone(new);
            is_changed |= self.learn(&new);
            self.configurations = Some(new);
        }
        let its_video = packet.rendition.as_ref().filter(|_| packet.starts_gop());
        if let Some(rendition) = its_video
            && self.config.video.as_ref() != Some(&rendition.video)
        {
            self.config.video = Some(rendition.video.clone());
            is_changed = true;
        }
        if self.bodies.is_none() {
            return Contents { is_changed, data: Some(packet.data.clone()) };
        }
        let (data, is_new) = self.read(packet.track, packet.flv_body().clone());
        Contents { is_changed: is_changed || is_new, data }
    }

    /// Reads the configs of bodies. Returns true if they differ from the known ones.
    fn learn(&mut self, configs: &[(Track, Bytes)]) -> bool {
        let mut is_new = false;
        for (track, body) in configs {
            is_new |= self.read(*track, body.clone()).1;
        }
        is_new
    }

    /// Reads a body, and takes its config. Returns its data, if it has any, and true if the config
    /// is a new one.
    fn read(&mut self, track: Track, body: Bytes) -> (Option<Bytes>, bool) {
        let Some(reader) = self.bodies.as_mut() else { return (None, false) };
        let kind = if track == Track::Video { TagKind::Video } else { TagKind::Audio };
        let read = reader.read(Tag { kind, time_ms: 0, body });
        let (mut data, mut is_new) = (None, false);
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
                TagEvent::Event(StreamEvent::Packet(its)) => data = Some(its.data),
                _ => {}
            }
        }
        (data, is_new)
    }
}

/// Returns the configs of a stream.
pub(super) fn config_of(head: &SequenceHeaders) -> StreamConfig {
    let mut stream = Elementary { bodies: Some(Reader::new(|_| true)), ..Elementary::default() };
    stream.config = head.config.clone();
    if stream.config == StreamConfig::default() {
        stream.learn(&head.config_bodies);
    }
    stream.config
}

/// Returns the names of the stream's codecs that do not satisfy `is_carried`.
pub(super) fn uncarried(
    head: &SequenceHeaders,
    is_carried: impl Fn(&Codec) -> bool,
) -> Vec<String> {
    let config = config_of(head);
    let video = config.video.map(|it| Codec::Video(it.codec));
    let audio = config.audio.map(|it| Codec::Audio(it.codec));
    let all = video.into_iter().chain(audio);
    all.filter(|codec| !is_carried(codec)).map(|codec| codec.name().to_owned()).collect()
}
