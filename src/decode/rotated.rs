//! Rotates the frames of a video decoder as their file demands. Phones record upright video as
//! sideways frames with a rotation.

use crate::decode::error::Error;
use crate::decode::traits::{DecoderInfo, VideoBackend};
use crate::media::{EncodedPacket, PlanesPool, Rotation, VideoFrame};

/// Maximum number of rotated frames that are kept for reuse.
const MAX_IDLE_FRAMES: usize = 8;

/// See the module documentation.
struct RotatedDecoder {
    decoder: Box<dyn VideoBackend>,
    rotation: Rotation,
    pool: PlanesPool<MAX_IDLE_FRAMES>,
}

/// Returns a decoder whose frames are rotated.
pub(super) fn rotated(decoder: Box<dyn VideoBackend>, rotation: Rotation) -> Box<dyn VideoBackend> {
    match rotation {
        Rotation::None => decoder,
        _ => Box::new(RotatedDecoder { decoder, rotation, pool: PlanesPool::default() }),
    }
}

impl RotatedDecoder {
    fn rotate(&mut self, frames: Vec<VideoFrame>) -> Vec<VideoFrame> {
        let rotate = |frame: VideoFrame| {
            let planes = frame.planes();
            let size = self.rotation.size(planes.size());
            let mut out = self.pool.fresh(size, !planes.is_opaque());
            out.copy_rotated(planes, self.rotation);
            VideoFrame { surface: out.share().into(), ..frame }
        };
        frames.into_iter().map(rotate).collect()
    }
}

impl VideoBackend for RotatedDecoder {
    fn prepare(&mut self) {
        self.decoder.prepare();
    }

    fn decode(&mut self, packet: &EncodedPacket) -> Result<Vec<VideoFrame>, Error> {
        let frames = self.decoder.decode(packet)?;
        Ok(self.rotate(frames))
    }

    fn flush(&mut self) -> Vec<VideoFrame> {
        let frames = self.decoder.flush();
        self.rotate(frames)
    }

    fn reset(&mut self) {
        self.decoder.reset();
    }

    fn is_waiting(&self) -> bool {
        self.decoder.is_waiting()
    }

    fn begin_anywhere(&mut self) {
        self.decoder.begin_anywhere();
    }

    fn name(&self) -> &str {
        self.decoder.name()
    }

    fn by(&self) -> DecoderInfo {
        self.decoder.by()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::{Pooled, Timestamp};
    use crate::media::{Color, Planes, Size, Track};

    /// A decoder whose only frame is white at its upper left.
    struct Fake;

    impl Fake {
        fn frames() -> Vec<VideoFrame> {
            let mut planes = Planes::black(Size::new(6, 4));
            planes.y[0] = 235;
            let surface = Arc::new(Pooled::unpooled(planes)).into();
            vec![VideoFrame { pts: Timestamp::from_millis(40), color: Color::JPEG, surface }]
        }
    }

    impl VideoBackend for Fake {
        fn prepare(&mut self) {}

        fn decode(&mut self, _packet: &EncodedPacket) -> Result<Vec<VideoFrame>, Error> {
            Ok(Self::frames())
        }

        fn flush(&mut self) -> Vec<VideoFrame> {
            Self::frames()
        }

        fn reset(&mut self) {}

        fn is_waiting(&self) -> bool {
            false
        }

        fn begin_anywhere(&mut self) {}

        fn name(&self) -> &str {
            "fake"
        }

        fn by(&self) -> DecoderInfo {
            DecoderInfo { library: "fake", hardware: None }
        }
    }

    #[test]
    fn every_frame_is_rotated() {
        let at = Timestamp::ZERO;
        let packet = EncodedPacket::received(Track::Video, (at, at), true, bytes::Bytes::new());
        for (rotation, size, white) in [
            (Rotation::None, Size::new(6, 4), 0),
            (Rotation::Right, Size::new(4, 6), 3),
            (Rotation::Half, Size::new(6, 4), 23),
            (Rotation::Left, Size::new(4, 6), 20),
        ] {
            let mut decoder = rotated(Box::new(Fake), rotation);
            let mut frames = decoder.decode(&packet).unwrap();
            frames.extend(decoder.flush());
            assert_eq!(frames.len(), 2);
            for frame in frames {
                assert_eq!((frame.size(), frame.color), (size, Color::JPEG));
                assert_eq!(frame.pts, Timestamp::from_millis(40));
                let place = frame.planes().y.iter().position(|luma| *luma == 235);
                assert_eq!(place, Some(white), "{rotation:?}");
            }
        }
    }
}
