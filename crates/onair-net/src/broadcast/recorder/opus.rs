//! Opus in recordings. The audio of the stream is encoded as Opus on the recorder's thread, once for all
//! outputs that want it.

use super::Writer;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::broadcast::recorder::file::Error;
use crate::media::{AudioCodec, Codec};

impl Writer {
    /// Writes the Opus packets of a packet of the stream.
    pub(super) fn take_opus(&mut self, tag: &SharedPacket) -> Result<(), Error> {
        let Some((opus, config)) = &self.opus else { return Ok(()) };
        for packet in opus.packets(config, tag) {
            self.write(&SharedPacket::of(Codec::Audio(AudioCodec::Opus), packet))?;
        }
        Ok(())
    }
}
