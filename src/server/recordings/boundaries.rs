//! The tags at which a new file of a recording can begin, and the amount of data between two of these tags. This module
//! has no I/O.

use std::time::Duration;

use crate::server::recordings::tags::StreamTag;
use crate::wire::container::flv::TagKind;

/// The video has ended if there is audio, but no frame for this long.
const VIDEO_END_TIMEOUT: Duration = Duration::from_secs(20);

/// The boundaries between the tags of a stream.
#[derive(Debug, Default)]
pub(super) struct Boundaries {
    video_ended: bool,
    /// Number of bytes since the last boundary.
    group: u64,
    /// Maximum number of bytes between two boundaries.
    largest_group: u64,
}

impl Boundaries {
    /// Adds the next tag of the stream. `pause` is the time since the last frame, or `None` if the stream has no video.
    /// Returns true if a new file can begin with this tag.
    pub fn add(&mut self, tag: &StreamTag, pause: Option<Duration>) -> bool {
        let begins = match tag.kind {
            TagKind::Video => {
                self.video_ended &= !tag.is_media;
                tag.is_keyframe
            }
            TagKind::Audio if tag.is_media => {
                self.video_ended |= pause.is_some_and(|pause| pause >= VIDEO_END_TIMEOUT);
                self.video_ended || pause.is_none()
            }
            TagKind::Audio | TagKind::Script => false,
        };
        if begins {
            self.largest_group = self.largest_group.max(std::mem::take(&mut self.group));
        }
        self.group += tag.body.len() as u64;
        begins
    }

    /// Returns the maximum number of bytes between two boundaries.
    pub fn largest_group(&self) -> u64 {
        self.largest_group.max(self.group)
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::wire::container::flv::write_tag;

    const KEYFRAME: [u8; 5] = [0x17, 1, 0, 0, 0];
    const FRAME: [u8; 5] = [0x27, 1, 0, 0, 0];
    const AUDIO: [u8; 4] = [0xAF, 1, 2, 3];

    fn add(boundaries: &mut Boundaries, body: &[u8], pause: Option<u64>) -> bool {
        let kind = if body[0] == AUDIO[0] { TagKind::Audio } else { TagKind::Video };
        let mut out = BytesMut::new();
        write_tag(kind, 0, body, &mut out);
        let tag = StreamTag::parse(&out.freeze()).unwrap();
        boundaries.add(&tag, pause.map(Duration::from_secs))
    }

    #[test]
    fn audio_is_a_boundary_without_video_or_after_its_end() {
        let mut boundaries = Boundaries::default();
        assert!(add(&mut boundaries, &AUDIO, None));
        assert!(add(&mut boundaries, &KEYFRAME, None));
        assert!(!add(&mut boundaries, &AUDIO, Some(19)));
        assert!(!add(&mut boundaries, &[0xAF, 0, 0x11, 0x90], Some(20)), "a config");
        assert!(!add(&mut boundaries, &AUDIO, Some(0)));
        assert!(add(&mut boundaries, &AUDIO, Some(20)));
        // The time since the last frame begins again with each file.
        assert!(add(&mut boundaries, &AUDIO, Some(0)));
        // The video returns.
        assert!(!add(&mut boundaries, &FRAME, Some(0)));
        assert!(!add(&mut boundaries, &AUDIO, Some(0)));
        assert!(add(&mut boundaries, &KEYFRAME, Some(0)));
    }

    #[test]
    fn groups_of_audio_alone_do_not_grow() {
        let mut boundaries = Boundaries::default();
        for _ in 0..100 {
            add(&mut boundaries, &AUDIO, None);
        }
        assert_eq!(boundaries.largest_group(), AUDIO.len() as u64);
        for _ in 0..9 {
            add(&mut boundaries, &FRAME, Some(0));
        }
        assert_eq!(boundaries.largest_group(), (AUDIO.len() + 9 * FRAME.len()) as u64);
    }
}
