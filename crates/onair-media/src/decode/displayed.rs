//! Stretches and rotates the frames of a video decoder as their stream demands. The pixels of
//! anamorphic video are not square. Phones record upright video as sideways frames with a rotation.

use crate::decode::error::Error;
use crate::decode::traits::{DecoderInfo, VideoBackend};
use crate::media::scale::FrameScaler;
use crate::media::{EncodedPacket, PixelAspect, Planes, PlanesPool, Rotation};
use crate::media::{VideoConfig, VideoFrame};

/// Maximum number of stretched or rotated frames that are kept for reuse.
const MAX_IDLE_FRAMES: usize = 8;

/// See the module documentation.
struct DisplayedDecoder {
    decoder: Box<dyn VideoBackend>,
    pixel_aspect: Option<PixelAspect>,
    rotation: Rotation,
    scaler: FrameScaler,
    stretched: PlanesPool<MAX_IDLE_FRAMES>,
    rotated: PlanesPool<MAX_IDLE_FRAMES>,
}

/// Returns a decoder whose frames are stretched and rotated.
pub(super) fn displayed(
    decoder: Box<dyn VideoBackend>,
    config: &VideoConfig,
) -> Box<dyn VideoBackend> {
    let VideoConfig { pixel_aspect, rotation, .. } = *config;
    let pixel_aspect = pixel_aspect.filter(|it| it.differs(PixelAspect::SQUARE));
    if pixel_aspect.is_none() && rotation == Rotation::None {
        return decoder;
    }
    let scaler = FrameScaler::default();
    let (stretched, rotated) = (PlanesPool::default(), PlanesPool::default());
    Box::new(DisplayedDecoder { decoder, pixel_aspect, rotation, scaler, stretched, rotated })
}

impl DisplayedDecoder {
    fn display(&mut self, frames: Vec<VideoFrame>) -> Vec<VideoFrame> {
        let display = |frame| {
            let stretched = self.stretch(frame);
            self.rotate(stretched)
        };
        frames.into_iter().map(display).collect()
    }

    fn stretch(&mut self, frame: VideoFrame) -> VideoFrame {
        let size = self.pixel_aspect.map_or(frame.size(), |it| it.stretched(frame.size()));
        // The frames of decoders have no alpha plane.
        if size == frame.size() || !frame.planes().is_opaque() {
            return frame;
        }
        let mut out = self.stretched.fresh(size, false);
        let size = out.size();
        let Planes { y, u, v, .. } = &mut *out;
        if let Err(fault) = self.scaler.scale(frame.planes(), [y, u, v], size) {
            // Scaling cannot fail with valid planes.
            tracing::warn!(%fault, "stretching a frame failed");
        }
        VideoFrame { surface: out.share().into(), ..frame }
    }

    fn rotate(&mut self, frame: VideoFrame) -> VideoFrame {
        if self.rotation == Rotation::None {
            return frame;
        }
        let planes = frame.planes();
        let size = self.rotation.size(planes.size());
        let mut out = self.rotated.fresh(size, !planes.is_opaque());
        out.copy_rotated(planes, self.rotation);
        VideoFrame { surface: out.share().into(), ..frame }
    }
}

impl VideoBackend for DisplayedDecoder {
    fn prepare(&mut self) {
        self.decoder.prepare();
    }

    fn decode(&mut self, packet: &EncodedPacket) -> Result<Vec<VideoFrame>, Error> {
        let frames = self.decoder.decode(packet)?;
        Ok(self.display(frames))
    }

    fn flush(&mut self) -> Vec<VideoFrame> {
        let frames = self.decoder.flush();
        self.display(frames)
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
    use crate::media::{Color, Size, Track, VideoCodec};
    use crate::wire::container::track_config::bare_video_config;

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

    fn config(pixel_aspect: Option<PixelAspect>, rotation: Rotation) -> VideoConfig {
        let config = bare_video_config(VideoCodec::H264, bytes::Bytes::new(), &[]);
        VideoConfig { size: Size::new(6, 4), pixel_aspect, rotation, ..config }
    }

    #[test]
    fn frames_are_stretched_before_they_are_rotated() {
        for ((width, height), rotation, size, white) in [
            ((2, 1), Rotation::None, Size::new(12, 4), 0),
            ((1, 2), Rotation::None, Size::new(6, 8), 0),
            ((2, 1), Rotation::Right, Size::new(4, 12), 3),
            ((100, 101), Rotation::None, Size::new(6, 4), 0),
        ] {
            let config = config(PixelAspect::new(width, height), rotation);
            assert_eq!(config.displayed_size(), size);
            let frames = displayed(Box::new(Fake), &config).flush();
            let [frame] = &frames[..] else { panic!("{frames:?}") };
            assert_eq!((frame.size(), frame.color), (size, Color::JPEG));
            assert_eq!(frame.pts, Timestamp::from_millis(40));
            let place = frame.planes().y.iter().position(|luma| *luma > 200);
            assert_eq!(place, Some(white), "{width}:{height} {rotation:?}");
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
            let mut decoder = displayed(Box::new(Fake), &config(None, rotation));
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
