//! Boundaries between files, and the start of a file whose first frames are hidden.

use crate::base::Timestamp;
use crate::player::buffer::packets::BufferedPacket;
use crate::player::input::feed::InputFeed;

impl InputFeed {
    /// Sets a boundary at `raw` microseconds: audio from before the boundary plays at most up to
    /// it, and audio from after the boundary plays from there on.
    pub(in crate::player) fn seam(&mut self, raw: i64) {
        self.demux.timeline.turn();
        let seam = BufferedPacket::Seam(self.media_time(raw));
        self.shared.packets.audio.push_waiting(seam, &self.shared.lifetime.stop);
    }

    /// Hides the next frames that are before `raw` microseconds.
    pub(in crate::player) fn hide_before(&self, raw: i64) {
        let seam = BufferedPacket::Seam(self.media_time(raw));
        self.shared.packets.video.push_waiting(seam, &self.shared.lifetime.stop);
    }

    fn media_time(&self, raw: i64) -> Timestamp {
        let (anchor, media) = self.anchor;
        media.offset(raw.saturating_sub(anchor))
    }
}
