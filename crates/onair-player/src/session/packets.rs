//! The waiting packets of a player: for the decoders, and for the time shift.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::media::{AudioConfig, VideoConfig};
use crate::player::buffer::dvr_window::DvrWindow;
use crate::player::buffer::packets::{BufferedPacket, Packets};
use crate::player::buffer::time_shift::{KeptPacket, TimeShift};
use crate::player::session::config::{Config, Source};

/// Maximum number of packets per track that the feed of a file reads ahead.
const MAX_READ_AHEAD_PACKETS: usize = 250;

/// See the module documentation.
#[derive(Debug)]
pub(crate) struct WaitingPackets {
    pub(crate) video: Packets<VideoConfig>,
    pub(crate) audio: Packets<AudioConfig>,
    /// The DVR window of the server's playlist.
    pub(crate) dvr_window: Arc<DvrWindow>,
    /// The time shift of a live stream.
    pub(crate) shift: Mutex<TimeShift>,
}

/// The restart numbers in the queues of both tracks, see `Packets::restart`.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Start {
    pub(crate) video: u32,
    pub(crate) audio: u32,
}

impl WaitingPackets {
    pub(crate) fn new(config: &Config) -> Self {
        let live = matches!(config.source, Source::Url(_));
        let ahead = if live { None } else { Some(MAX_READ_AHEAD_PACKETS) };
        Self {
            video: ahead.map_or_else(Packets::default, Packets::new),
            audio: ahead.map_or_else(Packets::default, Packets::new),
            dvr_window: Arc::default(),
            shift: Mutex::new(TimeShift::new(config.time_shift.filter(|_| live))),
        }
    }

    /// Clears the queues, the time shift and decoded data; configs stay.
    pub(crate) fn restart(&self) -> Start {
        let mut shift = self.shift.lock();
        let video = self.video.restart_with_config();
        let audio = self.audio.restart_with_config();
        // A paused recording stores what arrives.
        for config in shift.leave() {
            self.hand_over(config);
        }
        Start { video, audio }
    }

    /// Closes the queues, which ends the stream.
    pub(crate) fn close(&self) {
        self.video.close();
        self.audio.close();
    }

    /// Returns true once the stream has ended. The queues still contain the rest.
    pub(crate) fn is_closed(&self) -> bool {
        self.video.is_closed()
    }

    /// Returns true if the queues are empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.video.is_empty() && self.audio.is_empty()
    }

    /// Passes on an item, or only stores it while the player is behind. Returns the number of
    /// packets that were dropped.
    pub(crate) fn hand_on(&self, kept: KeptPacket) -> u64 {
        // The lock is held while the item is passed on, so that nothing comes between a restart and
        // its first items.
        let mut shift = self.shift.lock();
        if shift.push(&kept) { self.hand_over(kept) } else { 0 }
    }

    /// Puts an item into its decoder's queue.
    pub(crate) fn hand_over(&self, kept: KeptPacket) -> u64 {
        match kept {
            KeptPacket::Video(unit) => self.video.push(unit),
            KeptPacket::Audio(unit) => {
                self.audio.push(unit);
                0
            }
        }
    }

    /// Marks a gap in both tracks.
    pub(crate) fn gap(&self) {
        self.hand_on(KeptPacket::Video(BufferedPacket::Gap));
        self.hand_on(KeptPacket::Audio(BufferedPacket::Gap));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::Timestamp;
    use crate::media::{EncodedPacket, Track};
    use crate::player::buffer::packets::Popped;
    use crate::player::buffer::time_shift::TimeShiftDepth;

    #[test]
    fn packets_that_a_paused_recording_stored_are_not_played_at_another_position() {
        let source = Source::Url("rtmp://host/files/a".into());
        let time_shift = Some(TimeShiftDepth::default());
        let packets = WaitingPackets::new(&Config { time_shift, ..Config::new(source) });
        let audio = |ms| {
            let at = Timestamp::from_millis(ms);
            let data = vec![0; 10].into();
            let packet = EncodedPacket::received(Track::Audio, (at, at), true, data);
            KeptPacket::Audio(BufferedPacket::Packet(packet))
        };
        packets.hand_on(audio(0));
        packets.shift.lock().hold();
        packets.hand_on(audio(20));
        packets.restart();
        packets.hand_on(audio(9_000));
        assert!(!packets.shift.lock().is_behind());
        let (_, Popped::Unit(BufferedPacket::Packet(packet))) = packets.audio.pop(Duration::ZERO)
        else {
            panic!("the new packet is stored only");
        };
        assert_eq!(packet.dts, Timestamp::from_millis(9_000));
    }
}
