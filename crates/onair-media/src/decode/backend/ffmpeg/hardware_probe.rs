//! Tests hardware decoding with a frame, because a driver can open a device but fail at the first
//! frame, decode the frame incorrectly, or lack a decoder. The test runs only once.

use std::sync::OnceLock;

use bytes::{BufMut, Bytes, BytesMut};

use crate::base::Timestamp;
use crate::decode::backend::ffmpeg::hardware::{Device, INTERFACE_NAME};
use crate::decode::backend::ffmpeg::library::Codec;
use crate::decode::backend::ffmpeg::system as ffi;
use crate::decode::backend::ffmpeg::video::Decoder;
use crate::decode::traits::VideoBackend;
use crate::media::{EncodedPacket, Size, Track, VideoCodec, VideoConfig, VideoFrame};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::codec::h264::DecoderConfig;
use crate::wire::container::track_config::bare_video_config;

/// The result of the test.
struct ProbedHardware<D> {
    /// The device for decoders, which use the device if it supports their stream. The device is
    /// `None` if the hardware fails.
    device: Option<D>,
    /// The hardware's name, or the reason why H.264 is not decoded there.
    name: Result<&'static str, Problem>,
}

static PROBE_RESULT: OnceLock<ProbedHardware<Device>> = OnceLock::new();

fn found() -> &'static ProbedHardware<Device> {
    PROBE_RESULT.get_or_init(|| {
        judge(Device::open(), |device| {
            let codec = Codec::find(ffi::AV_CODEC_ID_H264)?;
            let decoder = Decoder::open(codec, &test_config()?, Some(device));
            prove(&mut decoder.map_err(|error| Problem::from(&error))?)
        })
    })
}

/// Returns the hardware device for a decoder.
pub(super) fn device() -> Option<&'static Device> {
    found().device.as_ref()
}

/// Returns the name of the graphics hardware for decoding.
///
/// # Errors
/// Fails with the reason if there is no hardware.
pub fn hardware() -> Result<&'static str, Problem> {
    found().name.clone()
}

/// Returns the same as [`hardware()`] if the test has already run, otherwise `None`, because
/// opening the device takes time.
pub fn hardware_known() -> Option<Result<&'static str, Problem>> {
    PROBE_RESULT.get().map(|found| found.name.clone())
}

/// Runs the test, and evaluates its result. `prove` returns whether the hardware decoded the frame,
/// or an error if the frame is missing or wrong.
fn judge<D>(
    opened: Result<D, Problem>,
    prove: impl FnOnce(&D) -> Result<bool, Problem>,
) -> ProbedHardware<D> {
    let device = match opened {
        Ok(device) => device,
        Err(why) => return ProbedHardware { device: None, name: Err(why) },
    };
    match prove(&device) {
        Ok(true) => ProbedHardware { device: Some(device), name: Ok(INTERFACE_NAME) },
        // The hardware may support other codecs: some systems omit codecs with license fees.
        Ok(false) => {
            let why = problem!("decode-device-without-h264", device = INTERFACE_NAME);
            ProbedHardware { device: Some(device), name: Err(why) }
        }
        Err(why) => {
            let why = problem!("decode-device-fails", device = INTERFACE_NAME, reason = why);
            ProbedHardware { device: None, name: Err(why) }
        }
    }
}

/// Decodes the test frame. Returns whether the hardware decoded the frame, or an error if the frame
/// is missing or wrong.
fn prove(decoder: &mut dyn VideoBackend) -> Result<bool, Problem> {
    let mut frames = decoder.decode(&packet()).map_err(|error| Problem::from(&error))?;
    if frames.is_empty() {
        frames = decoder.flush();
    }
    let frame = frames.first().ok_or_else(|| problem!("decode-no-frame"))?;
    if !is_right(frame) {
        return Err(problem!("decode-wrong-frame"));
    }
    Ok(decoder.by().hardware.is_some())
}

const TEST_FRAME_SIZE: Size = Size::new(256, 144);
/// The luma of the four quarters of the test frame, row by row.
const TEST_FRAME_LUMA: [u8; 4] = [48, 144, 96, 208];
/// The red chroma of the left and right halves.
const TEST_FRAME_CR: [u8; 2] = [160, 96];
/// The tolerance for luma and chroma. Decoders agree exactly, but converters may differ.
const COLOR_TOLERANCE: u8 = 4;

/// Returns true if every part of the frame has the expected color in its middle.
fn is_right(frame: &VideoFrame) -> bool {
    if frame.size() != TEST_FRAME_SIZE {
        return false;
    }
    let planes = frame.planes();
    let near = |plane: &[u8], stride: usize, (x, y): (usize, usize), wanted: u8| {
        plane.get(y * stride + x).is_some_and(|is| is.abs_diff(wanted) <= COLOR_TOLERANCE)
    };
    let (luma, chroma) = (planes.luma_stride(), planes.chroma_stride());
    let middles = [(64, 36), (192, 36), (64, 108), (192, 108)];
    let reds = [(32, 36), (96, 36)];
    middles.into_iter().zip(TEST_FRAME_LUMA).all(|(at, wanted)| near(&planes.y, luma, at, wanted))
        && reds
            .into_iter()
            .zip(TEST_FRAME_CR)
            .all(|(at, wanted)| near(&planes.v, chroma, at, wanted))
}

fn test_config() -> Result<VideoConfig, Problem> {
    let config = DecoderConfig::new(
        Bytes::from_static(&TEST_FRAME_SPS),
        Bytes::from_static(&TEST_FRAME_PPS),
    );
    let config = config.and_then(|config| config.build()).map_err(|error| error.to_string())?;
    let bare = bare_video_config(VideoCodec::H264, config, &[]);
    Ok(VideoConfig { size: TEST_FRAME_SIZE, ..bare })
}

fn packet() -> EncodedPacket {
    let mut data = BytesMut::with_capacity(4 + TEST_FRAME_SLICE.len());
    data.put_u32(TEST_FRAME_SLICE.len() as u32);
    data.extend_from_slice(&TEST_FRAME_SLICE);
    let times = (Timestamp::ZERO, Timestamp::ZERO);
    EncodedPacket::received(Track::Video, times, true, data.freeze())
}

// A frame of flat colors that x264 encoded, with the Main profile, which all hardware supports, and
// larger than the minimum size of any hardware:
//
// ffmpeg -f lavfi -i "color=black:s=256x144:r=25,format=yuv420p,geq=cb=128:\
// cr='if(lt(X,64),160,96)':lum='if(lt(X,128),if(lt(Y,72),48,96),if(lt(Y,72),144,208))'" \
// -frames:v 1 -c:v libx264 -profile:v main -preset veryslow \
// -x264-params qp=18:threads=1:info=0:bframes=0 -bsf:v filter_units=remove_types=6 key.h264
const TEST_FRAME_SPS: [u8; 24] = [
    0x67, 0x4D, 0x40, 0x0C, 0xA6, 0x11, 0x04, 0x04, 0xEC, 0x04, 0x40, 0x00, 0x00, 0x03, 0x00, 0x40,
    0x00, 0x00, 0x0C, 0x83, 0xC5, 0x0A, 0x84, 0x60,
];
const TEST_FRAME_PPS: [u8; 6] = [0x68, 0xE8, 0x43, 0x02, 0x32, 0xC8];
const TEST_FRAME_SLICE: [u8; 83] = [
    0x65, 0x88, 0x82, 0x1D, 0x7F, 0xFE, 0xC7, 0x6F, 0xE6, 0x59, 0x37, 0x74, 0x77, 0x36, 0x7C, 0x07,
    0x49, 0x7C, 0x2D, 0x6E, 0xCC, 0xDD, 0x4B, 0x74, 0x96, 0xD8, 0x84, 0x96, 0x1B, 0x50, 0x98, 0x4B,
    0x7A, 0x1D, 0x6F, 0x5E, 0x0D, 0x74, 0xA1, 0x32, 0xB4, 0x1B, 0x94, 0x8B, 0x8F, 0x07, 0x79, 0xF7,
    0xC3, 0x5A, 0x00, 0x05, 0x56, 0x0B, 0x38, 0xFF, 0x33, 0x79, 0x9E, 0xD1, 0x94, 0x13, 0x54, 0xDF,
    0x60, 0xC0, 0xAF, 0x1A, 0x86, 0x36, 0x87, 0xF2, 0x23, 0x1F, 0x03, 0xE0, 0xD2, 0x25, 0xCD, 0xA5,
    0xDB, 0x7A, 0x3D,
];

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::Pooled;
    use crate::decode::error::Error;
    use crate::decode::traits::DecoderInfo;
    use crate::media::Planes;

    /// Simulated hardware.
    struct Fake {
        /// The result for the packet.
        decoded: Result<Vec<VideoFrame>, Error>,
        /// The frames that the decoder returns only at the end.
        held: Vec<VideoFrame>,
        hardware: Option<&'static str>,
    }

    impl VideoBackend for Fake {
        fn prepare(&mut self) {}

        fn decode(&mut self, packet: &EncodedPacket) -> Result<Vec<VideoFrame>, Error> {
            assert!(packet.keyframe);
            self.decoded.clone()
        }

        fn flush(&mut self) -> Vec<VideoFrame> {
            std::mem::take(&mut self.held)
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
            DecoderInfo { library: "fake", hardware: self.hardware }
        }
    }

    fn software() -> Decoder {
        let codec = Codec::find(ffi::AV_CODEC_ID_H264).unwrap();
        Decoder::open(codec, &test_config().unwrap(), None).unwrap()
    }

    fn frame() -> VideoFrame {
        let frames = software().decode(&packet()).unwrap();
        assert_eq!(frames.len(), 1);
        frames.into_iter().next().unwrap()
    }

    fn of(frame: VideoFrame) -> Fake {
        Fake { decoded: Ok(vec![frame]), held: Vec::new(), hardware: Some(INTERFACE_NAME) }
    }

    fn judged(mut fake: Fake) -> Result<&'static str, Problem> {
        let found = judge(Ok(()), |()| prove(&mut fake));
        // Missing or failing hardware is not used any more; hardware that supports other codecs is
        // still used.
        let harm = found.name.as_ref().is_err_and(|why| why.id() != "decode-device-without-h264");
        assert_eq!(found.device.is_none(), harm);
        found.name
    }

    #[test]
    fn hardware_is_there_once_it_has_decoded_a_frame_right() {
        assert_eq!(judged(of(frame())), Ok(INTERFACE_NAME));
        let late =
            Fake { decoded: Ok(Vec::new()), held: vec![frame()], hardware: Some(INTERFACE_NAME) };
        assert_eq!(judged(late), Ok(INTERFACE_NAME));
    }

    #[test]
    fn hardware_that_fails_is_none_and_says_why() {
        let black = VideoFrame {
            surface: Arc::new(Pooled::unpooled(Planes::black(TEST_FRAME_SIZE))).into(),
            ..frame()
        };
        let small = Size::new(128, 72);
        let small = VideoFrame {
            surface: Arc::new(Pooled::unpooled(Planes::black(small))).into(),
            ..frame()
        };
        let mut grey = Planes::clone(frame().planes());
        grey.v.fill(128);
        let grey = VideoFrame { surface: Arc::new(Pooled::unpooled(grey)).into(), ..frame() };
        for wrong in [black, small, grey] {
            let why = judged(of(wrong)).unwrap_err().to_string();
            assert_eq!(why, "the VAAPI device failed a test: an incorrect frame was returned");
        }
        let nothing =
            Fake { decoded: Ok(Vec::new()), held: Vec::new(), hardware: Some(INTERFACE_NAME) };
        let why = judged(nothing).unwrap_err().to_string();
        assert_eq!(why, "the VAAPI device failed a test: no frame was returned");
        let error = Error::Damaged { codec: "H.264", reason: "Input/output error".into() };
        let broken = Fake { decoded: Err(error), held: Vec::new(), hardware: Some(INTERFACE_NAME) };
        let why = judged(broken).unwrap_err().to_string();
        assert!(why.starts_with("the VAAPI device failed a test: "), "{why}");
        assert!(why.contains("Input/output error"), "{why}");
        let none = judge::<()>(Err("no device".into()), |()| unreachable!("there is none"));
        assert_eq!((none.device, none.name), (None, Err("no device".into())));
    }

    /// Tests that a frame of the library's own decoder proves nothing. The library uses this
    /// decoder if the hardware lacks the codec.
    #[test]
    fn what_the_processor_decodes_proves_nothing_and_spares_other_codecs() {
        assert_eq!(prove(&mut software()), Ok(false));
        let found = judge(Ok(()), |()| prove(&mut software()));
        let why = problem!("decode-device-without-h264", device = INTERFACE_NAME);
        assert_eq!((found.device, found.name), (Some(()), Err(why)));
    }

    /// Tests the report about this computer. Most test computers have no decoding hardware, and
    /// report the reason. On the others, the hardware must decode the test frame correctly.
    #[test]
    fn the_report_on_hardware_decoding_matches_the_hardware_that_is_used() {
        assert_eq!(hardware_known().unwrap_or_else(hardware), hardware());
        match hardware() {
            Ok(name) => assert!(name == INTERFACE_NAME && device().is_some()),
            Err(why) => assert!(why.to_string().contains(INTERFACE_NAME), "{why}"),
        }
    }
}
