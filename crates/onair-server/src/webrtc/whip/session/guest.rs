//! The audio that a guest hears, over the connection on which the guest publishes.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use str0m::format::Codec;
use str0m::media::{Frequency, MediaTime};

use crate::server::registry::{ConnectionSlot, Registry};
use crate::server::webrtc::whip::session::{Session, broken};
use crate::text::problem::{Problem, problem};

impl Session {
    /// Sends the waiting audio to a guest. Fails if the guest's place has ended.
    pub(super) fn speak(
        &mut self,
        registry: &Arc<Registry>,
        slot: &ConnectionSlot,
    ) -> Result<(), Problem> {
        let Some(place) = &self.guest else { return Ok(()) };
        if place.is_over() {
            return Err(problem!("left-guest-removed"));
        }
        for (at, packet) in place.take_audio(self.transport.mailbox.id) {
            self.write_audio(at, &packet)?;
            // str0m must be polled after each change.
            self.drain(registry, slot)?;
        }
        Ok(())
    }

    /// Writes a packet of Opus with its time in µs.
    fn write_audio(&mut self, at: i64, packet: &Bytes) -> Result<(), Problem> {
        let Some(writer) = self.audio.and_then(|mid| self.transport.rtc.writer(mid)) else {
            return Ok(());
        };
        let opus = writer.payload_params().find(|it| it.spec().codec == Codec::Opus);
        let Some(pt) = opus.map(|params| params.pt()) else { return Ok(()) };
        let ticks = u64::try_from(at).unwrap_or(0).saturating_mul(48) / 1_000;
        let time = MediaTime::new(ticks, Frequency::FORTY_EIGHT_KHZ);
        // The page only sends if it offered to send alone.
        match writer.write(pt, Instant::now(), time, packet.to_vec()) {
            Ok(()) | Err(str0m::RtcError::NotSendingDirection(_)) => Ok(()),
            Err(error) => Err(broken(&error)),
        }
    }
}
