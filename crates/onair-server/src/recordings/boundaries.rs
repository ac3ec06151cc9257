//! The tags at which a new file of a recording can begin, and the amount of data between two of these tags. This module
//! has no I/O.

use std::time::Duration;

use crate::server::recordings::tags::StreamTag;
use crate::wire::container::flv::TagKind;

/// The video has ended if this much audio arrives without a frame.
pub(crate) const VIDEO_END_TIMEOUT: Duration = Duration::from_secs(20);
/// A larger step between two tags is a jump of the timestamps, and not audio of this duration.
const MAX_AUDIO_STEP: Duration = Duration::from_secs(1);

/// The boundaries between the tags of a stream.
#[derive(Debug, Default)]
pub(super) struct Boundaries {
    /// Duration of the audio since the last frame.
    audio_since_frame: Duration,
    /// Number of bytes since the last boundary.
    group: u64,
    /// Maximum number of bytes between two boundaries.
    largest_group: u64,
}

impl Boundaries {
    /// Adds the next tag of the stream. `step` is the time that the tag adds to the file, or `None` if the stream has no
    /// video. Returns true if a new file can begin with this tag.
    pub fn add(&mut self, tag: &StreamTag, step: Option<Duration>) -> bool {
        let begins = match tag.kind {
            TagKind::Video => {
                if tag.is_media {
                    self.audio_since_frame = Duration::ZERO;
                }
                tag.is_keyframe
            }
            // Audio whose timestamps are ahead of the video says nothing about the end of the video.
            TagKind::Audio if tag.is_media => step.is_none_or(|step| {
                self.audio_since_frame += step.min(MAX_AUDIO_STEP);
                self.has_video_ended()
            }),
            TagKind::Audio | TagKind::Script => false,
        };
        if begins {
            self.largest_group = self.largest_group.max(std::mem::take(&mut self.group));
        }
        self.group += tag.body.len() as u64;
        begins
    }

    /// Returns true if only audio has arrived for a while.
    pub fn has_video_ended(&self) -> bool {
        self.audio_since_frame >= VIDEO_END_TIMEOUT
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

    /// Adds a tag that adds this many seconds to the file.
    fn add(boundaries: &mut Boundaries, body: &[u8], step: Option<u64>) -> bool {
        let kind = if body[0] == AUDIO[0] { TagKind::Audio } else { TagKind::Video };
        let mut out = BytesMut::new();
        write_tag(kind, 0, body, &mut out);
        let tag = StreamTag::parse(&out.freeze()).unwrap();
        boundaries.add(&tag, step.map(Duration::from_secs))
    }

    #[test]
    fn audio_is_a_boundary_without_video_or_after_its_end() {
        let mut boundaries = Boundaries::default();
        assert!(add(&mut boundaries, &AUDIO, None));
        assert!(add(&mut boundaries, &KEYFRAME, None));
        for _ in 0..19 {
            assert!(!add(&mut boundaries, &AUDIO, Some(1)));
        }
        assert!(!add(&mut boundaries, &[0xAF, 0, 0x11, 0x90], Some(1)), "a config");
        assert!(!add(&mut boundaries, &AUDIO, Some(0)));
        assert!(add(&mut boundaries, &AUDIO, Some(1)));
        // The times begin again with each file.
        assert!(add(&mut boundaries, &AUDIO, Some(0)));
        // The video returns.
        assert!(!add(&mut boundaries, &FRAME, Some(0)));
        assert!(!add(&mut boundaries, &AUDIO, Some(0)));
        assert!(add(&mut boundaries, &KEYFRAME, Some(0)));
    }

    #[test]
    fn audio_is_no_boundary_while_frames_arrive() {
        let mut boundaries = Boundaries::default();
        add(&mut boundaries, &KEYFRAME, Some(0));
        assert!(!add(&mut boundaries, &AUDIO, Some(3_600)), "the timestamps jump");
        for _ in 0..100 {
            add(&mut boundaries, &FRAME, Some(0));
            assert!(!add(&mut boundaries, &AUDIO, Some(1)));
        }
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
