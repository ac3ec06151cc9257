//! What has gone out since the last keyframe, kept so that a newcomer can start at once.
//! Pure; runs on the hub's thread.

use std::sync::Arc;

use crate::broadcast::Tag;

/// More than this is not kept (a keyframe interval of minutes at a high bitrate): newcomers then
/// wait for the next keyframe.
const MAX_BYTES: usize = 32 << 20;

/// The packets since the last keyframe, that one first. Stays empty for sound alone.
#[derive(Debug, Default)]
pub(super) struct Gop {
    tags: Vec<Arc<Tag>>,
    bytes: usize,
}

impl Gop {
    /// Remembers a packet that goes out now.
    pub fn push(&mut self, tag: &Arc<Tag>) {
        if tag.starts_gop() {
            self.clear();
        } else if self.tags.is_empty() {
            return;
        }
        if self.bytes + tag.body.len() > MAX_BYTES {
            self.clear();
            return;
        }
        self.bytes += tag.body.len();
        self.tags.push(Arc::clone(tag));
    }

    /// What is kept, oldest first.
    pub fn tags(&self) -> &[Arc<Tag>] {
        &self.tags
    }

    fn clear(&mut self) {
        self.tags.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::base::Timestamp;
    use crate::media::{EncodedPacket, Priority, Track};

    /// A small packet; pictures every 2,000 ms are keyframes.
    pub fn packet(track: Track, dts: i64) -> EncodedPacket {
        let keyframe = track == Track::Audio || dts % 2_000 == 0;
        EncodedPacket {
            track,
            pts: Timestamp::from_millis(dts),
            dts: Timestamp::from_millis(dts),
            keyframe,
            priority: if keyframe { Priority::Key } else { Priority::Inter },
            data: Bytes::from_static(&[0, 0, 0, 1, 9]),
            captured: Timestamp::from_millis(dts),
        }
    }

    pub fn tag(track: Track, dts: i64) -> Arc<Tag> {
        Arc::new(Tag::new(&packet(track, dts)))
    }

    #[test]
    fn starts_at_the_latest_keyframe_and_stays_bounded() {
        let mut gop = Gop::default();
        gop.push(&tag(Track::Video, 33));
        assert!(gop.tags().is_empty(), "nothing before the first keyframe");
        for dts in [2_000, 2_033, 4_000, 4_033] {
            gop.push(&tag(Track::Video, dts));
            gop.push(&tag(Track::Audio, dts));
        }
        let kept: Vec<i64> = gop.tags().iter().map(|tag| tag.dts.as_millis()).collect();
        assert_eq!(kept, [4_000, 4_000, 4_033, 4_033]);

        let mut large = (*tag(Track::Video, 4_066)).clone();
        large.body = Bytes::from(vec![0; MAX_BYTES]);
        gop.push(&Arc::new(large));
        assert!(gop.tags().is_empty());
        gop.push(&tag(Track::Video, 6_000));
        assert_eq!(gop.tags().len(), 1);
    }
}
