//! Opus in recordings. The audio of the stream is encoded as Opus on the recorder's thread, once for all
//! outputs that want it.

use super::Writer;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::broadcast::recorder::file::Error;
use crate::media::{AudioCodec, Codec, EncodedPacket, Track};

impl Writer {
    /// Writes the Opus packets of a packet of the stream.
    pub(super) fn take_opus(&mut self, tag: &SharedPacket) -> Result<(), Error> {
        let Some((opus, config)) = &self.opus else { return Ok(()) };
        let encoded = opus.of(config, tag).unwrap_or_else(|error| {
            tracing::warn!(%error, "encoding audio as Opus failed");
            Vec::new().into()
        });
        for (pts, data) in encoded.iter() {
            let packet = EncodedPacket::received(Track::Audio, (*pts, *pts), true, data.clone());
            self.write(&SharedPacket::of(Codec::Audio(AudioCodec::Opus), packet))?;
        }
        Ok(())
    }
}
