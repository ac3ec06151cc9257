//! Converts the packets of the hub to transport packets.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::base::Timestamp;
use crate::broadcast::hub::opus::SharedOpus;
use crate::broadcast::hub::sequence_headers::SequenceHeaders;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::broadcast::protocol::elementary::{self, Contents, Elementary};
use crate::broadcast::protocol::link::StreamStart;
use crate::media::{AudioCodec, AudioConfig, Codec, EncodedPacket, Track, VideoCodec};
use crate::wire::container::ts::StreamWriter;

/// Converts the packets of one connection.
#[derive(Debug, Default)]
pub(in crate::broadcast::protocol) struct Muxer {
    stream: Elementary,
    writer: Option<StreamWriter>,
    /// Encodes the audio, if the stream is sent with Opus.
    opus: Option<Arc<SharedOpus>>,
}

impl Muxer {
    /// Begins a stream.
    pub fn begin(&mut self, start: &StreamStart<'_>) {
        self.stream.begin(start);
        self.opus = start.opus.is_preferred().then(|| Arc::clone(start.opus));
        self.writer = self.writer();
    }

    /// Returns the transport packets of a packet. `origin` becomes time zero.
    pub fn write(&mut self, packet: &SharedPacket, origin: Timestamp) -> Bytes {
        let Contents { is_changed, data } = self.stream.take(packet);
        if is_changed {
            self.set_tracks();
        }
        let Some(data) = data else { return Bytes::new() };
        let at = |time: Timestamp| Timestamp::from_micros(time.micros_since(origin));
        let times = (at(packet.dts), at(packet.pts));
        let Some(writer) = &mut self.writer else { return Bytes::new() };
        if let (Track::Audio, Some(opus), Some(config)) =
            (packet.track, &self.opus, &self.stream.config.audio)
        {
            let times = (packet.dts, packet.pts);
            let elementary = EncodedPacket::received(Track::Audio, times, true, data);
            let mut all = BytesMut::new();
            for packet in opus.packets(config, &elementary) {
                let (pts, dts) = (at(packet.pts), at(packet.dts));
                all.extend_from_slice(&writer.write(&EncodedPacket { pts, dts, ..packet }));
            }
            return all.freeze();
        }
        let packet = EncodedPacket::received(packet.track, times, packet.keyframe, data);
        writer.write(&packet)
    }

    /// Passes the present configs to the writer.
    fn set_tracks(&mut self) {
        let audio = self.audio();
        let video = self.stream.config.video.as_ref();
        match &mut self.writer {
            Some(writer) => {
                if !writer.set_tracks(video, audio.as_ref()) {
                    tracing::warn!("the stream goes on with a codec that MPEG-TS does not carry");
                }
            }
            None => self.writer = self.writer(),
        }
    }

    /// Returns the config of the audio that is sent.
    fn audio(&self) -> Option<AudioConfig> {
        let audio = self.stream.config.audio.as_ref()?;
        Some(if self.opus.is_some() { SharedOpus::config(audio) } else { audio.clone() })
    }

    fn writer(&self) -> Option<StreamWriter> {
        let video = self.stream.config.video.as_ref();
        StreamWriter::with(video, self.audio().as_ref(), self.opus.is_some())
    }
}

/// Returns the names of the stream's codecs that transport streams of onair do not carry.
pub(in crate::broadcast::protocol) fn uncarried(head: &SequenceHeaders) -> Vec<String> {
    elementary::uncarried(head, |codec| {
        matches!(
            codec,
            Codec::Video(VideoCodec::H264 | VideoCodec::Hevc)
                | Codec::Audio(AudioCodec::Aac | AudioCodec::Mp3)
        )
    })
}
