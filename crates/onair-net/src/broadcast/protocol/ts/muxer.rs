//! Converts the packets of the hub to transport packets.

use bytes::Bytes;

use crate::base::Timestamp;
use crate::broadcast::hub::sequence_headers::SequenceHeaders;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::broadcast::protocol::elementary::{self, Contents, Elementary};
use crate::broadcast::protocol::link::StreamStart;
use crate::media::{AudioCodec, Codec, EncodedPacket, VideoCodec};
use crate::wire::container::ts::StreamWriter;

/// Converts the packets of one connection.
#[derive(Debug, Default)]
pub(in crate::broadcast::protocol) struct Muxer {
    stream: Elementary,
    writer: Option<StreamWriter>,
}

impl Muxer {
    /// Begins a stream.
    pub fn begin(&mut self, start: &StreamStart<'_>) {
        self.stream.begin(start);
        let config = &self.stream.config;
        self.writer = StreamWriter::new(config.video.as_ref(), config.audio.as_ref());
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
        let packet = EncodedPacket::received(packet.track, times, packet.keyframe, data);
        self.writer.as_mut().map_or_else(Bytes::new, |writer| writer.write(&packet))
    }

    /// Passes the present configs to the writer.
    fn set_tracks(&mut self) {
        let config = &self.stream.config;
        let (video, audio) = (config.video.as_ref(), config.audio.as_ref());
        match &mut self.writer {
            Some(writer) => {
                if !writer.set_tracks(video, audio) {
                    tracing::warn!("the stream goes on with a codec that MPEG-TS does not carry");
                }
            }
            None => self.writer = StreamWriter::new(video, audio),
        }
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
