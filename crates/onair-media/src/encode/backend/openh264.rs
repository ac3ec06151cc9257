//! Encodes H.264 with OpenH264, through its C interface, because the safe wrapper supports neither
//! CABAC nor several slices.
//!
//! The stream is Constrained High profile with CABAC and only P-frames, without lookahead, so the
//! packet of each frame is available immediately. [`RateControl`] chooses the quantizer of each
//! frame. IDR frames appear on request (no intra period, no scene-change detection), and in the place
//! of a frame that would exceed the bitrate. A frame that exceeds the bitrate anyway is skipped.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::Arc;

use openh264_sys2 as sys;

use crate::base::Pooled;
use crate::encode::backend::traits::{Description, VideoBackend};
use crate::encode::config::Profile;
use crate::encode::error::{Error, Flaw, Step};
use crate::encode::rate::RateControl;
use crate::encode::scene_change::SceneDetector;
use crate::encode::{avcc, config, level};
use crate::media::{
    BitsPerSecond, EncodedPacket, FrameRate, Planes, Priority, Rotation, Size, Track, VideoCodec,
    VideoConfig, VideoFrame,
};
use crate::text::problem::problem;

const ENCODER_NAME: &str = "openh264";

/// Maximum number of frames per second that the library assumes. The library clips higher rates.
const MAX_FRAME_RATE: f64 = 60.0;

/// Maximum number of new attempts for a keyframe that far exceeds its budget. In measurements, new
/// attempts happened at most once or twice in ten seconds of the hardest clip, at the start and at
/// scene changes.
const MAX_KEYFRAME_RETRIES: usize = 2;

/// The quantizer of a coarse picture, the highest of H.264.
const COARSEST_QP: i32 = 51;
/// The size of the blocks of a coarse picture, which is that of macroblocks.
const COARSE_BLOCK: usize = 16;

/// The encoder: a C++ object and the buffer that describes its output.
pub(super) struct Encoder {
    raw: Raw,
    config: VideoConfig,
    level: level::Level,
    profile: Profile,
    rate: RateControl,
    scenes: SceneDetector,
    /// True if the last encoded frame did not leave, so that no inter frame may refer to it.
    lost_reference: bool,
    /// The current settings of the library.
    library_params: Box<sys::SEncParamExt>,
    /// The packet of the last frame, until it is received.
    ready: Option<EncodedPacket>,
}

/// Owns the C++ object.
struct Raw {
    object: *mut sys::ISVCEncoder,
    /// The description of the last output, which points into the object. The description is on the
    /// heap because of its size (9 KB).
    info: Box<sys::SFrameBSInfo>,
}

// SAFETY: the object is used by one thread at a time (mutating methods take `&mut`), the library
// does not bind it to a thread, and `info` points only into it.
unsafe impl Send for Raw {}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: the pointer came from WelsCreateSVCEncoder and is destroyed only here;
        // Uninitialize has no effect on an encoder that was never initialized.
        unsafe {
            if let Some(uninitialize) = (**self.object).Uninitialize {
                uninitialize(self.object);
            }
            sys::source::APILoader::WelsDestroySVCEncoder(self.object);
        }
    }
}

fn codec_error(step: Step, code: c_int) -> Error {
    Error::Codec { encoder: ENCODER_NAME, step, code: i64::from(code) }
}

fn check(step: Step, code: c_int) -> Result<(), Error> {
    if code == 0 { Ok(()) } else { Err(codec_error(step, code)) }
}

impl Raw {
    fn create() -> Result<Self, Error> {
        let mut object: *mut sys::ISVCEncoder = ptr::null_mut();
        // SAFETY: the library writes one pointer.
        let code = unsafe { sys::source::APILoader::WelsCreateSVCEncoder(&raw mut object) };
        if code != 0 || object.is_null() {
            return Err(codec_error(Step::Start, code));
        }
        Ok(Self { object, info: Box::default() })
    }

    fn set_option<T>(
        &mut self,
        option: sys::ENCODER_OPTION,
        step: Step,
        mut value: T,
    ) -> Result<(), Error> {
        // SAFETY: the object is alive; the value outlives the call and has the type that
        // codec_app_def.h describes for the option.
        let code = unsafe {
            let set = (**self.object).SetOption.ok_or_else(|| codec_error(step, -1))?;
            set(self.object, option, (&raw mut value).cast::<c_void>())
        };
        check(step, code)
    }
}

/// Returns the library's settings. Each value was measured; see docs/evidence/encoder.md.
fn settings(
    config: &config::Video,
    defaults: sys::SEncParamExt,
    level: level::Level,
) -> sys::SEncParamExt {
    let side = |side: u32| c_int::try_from(side).unwrap_or(c_int::MAX);
    let bitrate = c_int::try_from(config.bitrate.0).unwrap_or(c_int::MAX);
    let slices = slices(config);
    let mut params = defaults;
    params.iUsageType = sys::CAMERA_VIDEO_REAL_TIME;
    params.iPicWidth = side(config.size.width);
    params.iPicHeight = side(config.size.height);
    params.iTargetBitrate = bitrate;
    params.iMaxBitrate = 0; // No limit: it only controls frame skipping.
    params.iRCMode = sys::RC_OFF_MODE;
    params.fMaxFrameRate = config.frame_rate.as_f64().min(MAX_FRAME_RATE) as f32;
    params.iTemporalLayerNum = 1;
    params.iSpatialLayerNum = 1;
    params.iComplexityMode = sys::LOW_COMPLEXITY;
    params.uiIntraPeriod = 0; // Keyframes come only on request.
    params.iNumRefFrame = 1;
    params.eSpsPpsIdStrategy = sys::CONSTANT_ID;
    params.bPrefixNalAddingCtrl = false;
    params.bEnableSSEI = false;
    params.bSimulcastAVC = false;
    params.iPaddingFlag = 0;
    params.iEntropyCodingModeFlag = 1;
    params.bEnableFrameSkip = false;
    // 0 would silently mean 12…42.
    params.iMinQp = 12;
    params.iMaxQp = 51;
    params.uiMaxNalSize = 0;
    params.bEnableLongTermReference = false;
    params.iMultipleThreadIdc = slices;
    params.bUseLoadBalancing = false;
    params.iLoopFilterDisableIdc = 0;
    // The slice header has twice this value: slightly less smoothing than usual, for sharper edges.
    params.iLoopFilterAlphaC0Offset = -1;
    params.iLoopFilterBetaOffset = -1;
    // The denoiser saves 10 to 25 % of the bits by PSNR on noise and test cards, but costs 60 %
    // more CPU.
    params.bEnableDenoise = false;
    // Background detection freezes areas that it classifies as background. This detection takes 1
    // to 3.5 % more bits for the same quality, and the cost of a frame no longer follows its
    // quantizer.
    params.bEnableBackgroundDetection = false;
    // The library would disable adaptive quantization anyway.
    params.bEnableAdaptiveQuant = false;
    params.bEnableFrameCroppingFlag = true;
    params.bEnableSceneChangeDetect = false;
    let layer = &mut params.sSpatialLayers[0];
    layer.iVideoWidth = side(config.size.width);
    layer.iVideoHeight = side(config.size.height);
    layer.fFrameRate = params.fMaxFrameRate;
    layer.iSpatialBitrate = bitrate;
    layer.iMaxSpatialBitrate = 0;
    layer.uiProfileIdc = sys::PRO_HIGH;
    layer.uiLevelIdc = level.idc();
    layer.sSliceArgument.uiSliceMode =
        if slices > 1 { sys::SM_FIXEDSLCNUM_SLICE } else { sys::SM_SINGLE_SLICE };
    layer.sSliceArgument.uiSliceNum = u32::from(slices);
    layer.bVideoSignalTypePresent = true;
    layer.uiVideoFormat = 5; // Unspecified.
    layer.bFullRange = false;
    layer.bColorDescriptionPresent = true;
    layer.uiColorPrimaries = 1; // BT.709, the color space of the program.
    layer.uiTransferCharacteristics = 1;
    layer.uiColorMatrix = 1;
    params
}

/// Returns the number of slices and threads. One slice has the best quality, and one thread encodes
/// 720p30 in a quarter of real time. Several slices are needed only beyond twice that rate.
fn slices(config: &config::Video) -> u16 {
    let rate = f64::from(config.size.macroblocks()) * config.frame_rate.as_f64();
    let wanted = (rate / 216_000.0).ceil().clamp(1.0, 4.0) as u16;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    wanted.min(u16::try_from(cores).unwrap_or(4))
}

/// Returns the number of frames in the budget of the rate control: a keyframe interval of at most 2
/// s.
fn budgeted(config: &config::Video) -> usize {
    let seconds = config.keyframe_interval.as_secs_f64().min(2.0);
    (seconds * config.frame_rate.as_f64()).round().max(1.0) as usize
}

fn bits_per_frame(bitrate: BitsPerSecond, rate: FrameRate) -> f64 {
    f64::from(bitrate.0) / rate.as_f64()
}

/// Returns the frame without detail: each block of luma has one shade, and there is no color. A
/// keyframe of it fits nearly any bitrate.
fn coarse(frame: &VideoFrame) -> VideoFrame {
    let planes = frame.planes();
    let (from, stride) = (&planes.y, planes.luma_stride().max(1));
    let mut flat = Planes::black(frame.size());
    let bands = from.chunks(stride * COARSE_BLOCK).zip(flat.y.chunks_mut(stride * COARSE_BLOCK));
    for (band, flat) in bands {
        for left in (0..stride).step_by(COARSE_BLOCK) {
            let block = |row: usize| row + left..row + stride.min(left + COARSE_BLOCK);
            let rows = (0..band.len()).step_by(stride).map(block);
            let (mut sum, mut count) = (0_usize, 0_usize);
            for samples in rows.clone().filter_map(|row| band.get(row)) {
                sum += samples.iter().map(|&luma| usize::from(luma)).sum::<usize>();
                count += samples.len();
            }
            let mean = (sum / count.max(1)) as u8;
            for row in rows {
                if let Some(samples) = flat.get_mut(row) {
                    samples.fill(mean);
                }
            }
        }
    }
    let surface = Arc::new(Pooled::unpooled(flat)).into();
    VideoFrame { pts: frame.pts, surface, color: frame.color }
}

impl Encoder {
    pub(super) fn open(config: &config::Video) -> Result<Self, Error> {
        Self::open_as(config, Profile::High)
    }

    pub(super) fn open_as(config: &config::Video, profile: Profile) -> Result<Self, Error> {
        let Size { width, height } = config.size;
        if !config.size.is_valid() || width < 16 || height < 16 {
            return Err(Error::Config(problem!("encode-size")));
        }
        let level = level::Level::for_stream(config.size, config.frame_rate, config.bitrate)
            .ok_or_else(|| Error::Config(problem!("encode-level")))?;
        let mut raw = Raw::create()?;
        raw.set_option(sys::ENCODER_OPTION_TRACE_LEVEL, Step::Start, sys::WELS_LOG_QUIET)?;
        let mut params = sys::SEncParamExt::default();
        // SAFETY: the object is alive and writes one structure, then reads one.
        let code = unsafe {
            let table = &**raw.object;
            let (Some(defaults), Some(initialize)) = (table.GetDefaultParams, table.InitializeExt)
            else {
                return Err(codec_error(Step::Start, -1));
            };
            match defaults(raw.object, &raw mut params) {
                0 => {
                    params = settings(config, params, level);
                    if profile == Profile::ConstrainedBaseline {
                        // This profile has no arithmetic coding (H.264, A.2.1).
                        params.iEntropyCodingModeFlag = 0;
                        params.sSpatialLayers[0].uiProfileIdc = sys::PRO_BASELINE;
                    }
                    initialize(raw.object, &raw const params)
                }
                code => code,
            }
        };
        check(Step::Configure, code)?;
        // SAFETY: the object is initialized; it writes one structure.
        let code = unsafe {
            let encode = (**raw.object).EncodeParameterSets;
            encode.ok_or_else(|| codec_error(Step::Start, -1))?(raw.object, &raw mut *raw.info)
        };
        check(Step::Describe, code)?;
        let mut encoder = Self {
            raw,
            config: VideoConfig {
                codec: VideoCodec::H264,
                size: config.size,
                frame_rate: config.frame_rate,
                bitrate: config.bitrate,
                codec_config: bytes::Bytes::new(),
                pixel_aspect: None,
                rotation: Rotation::None,
            },
            level,
            rate: RateControl::new(
                bits_per_frame(config.bitrate, config.frame_rate),
                budgeted(config),
                config.frame_rate.as_f64(),
                config.size.pixels(),
            ),
            scenes: SceneDetector::default(),
            lost_reference: false,
            library_params: Box::new(params),
            profile,
            ready: None,
        };
        let units: Vec<&[u8]> = encoder.units().filter_map(avcc::strip_start_code).collect();
        let of_kind = |kind| units.iter().copied().find(|nal| avcc::kind(nal) == kind);
        let Some((sps, pps)) = of_kind(7).zip(of_kind(8)) else {
            return Err(Error::Malformed { encoder: ENCODER_NAME, flaw: Flaw::NoConfig });
        };
        let record = avcc::configuration(sps, pps, config.frame_rate)?;
        encoder.config.codec_config = record;
        Ok(encoder)
    }

    fn check_size(&self, frame: &VideoFrame) -> Result<(), Error> {
        let (expected, got) = (self.config.size, frame.size());
        if got == expected { Ok(()) } else { Err(Error::Size { expected, got }) }
    }

    /// Encodes a frame with this quantizer, and returns the number of bits. `raw.info` describes
    /// the result until the next attempt.
    fn attempt(&mut self, frame: &VideoFrame, key: bool, qp: i32) -> Result<f64, Error> {
        self.check_size(frame)?;
        let size = self.config.size;
        if self.library_params.sSpatialLayers[0].iDLayerQp != qp {
            self.library_params.sSpatialLayers[0].iDLayerQp = qp;
            let option = sys::ENCODER_OPTION_SVC_ENCODE_PARAM_EXT;
            self.raw.set_option(option, Step::SetQuantizer, *self.library_params)?;
        }
        if key {
            // SAFETY: the object is alive. The C++ method has a second argument, the simulcast
            // layer, which is used only for simulcast.
            let code = unsafe {
                let force = (**self.raw.object).ForceIntraFrame;
                force.ok_or_else(|| codec_error(Step::Start, -1))?(self.raw.object, true)
            };
            check(Step::ForceKeyframe, code)?;
        }
        let planes = frame.planes();
        let stride = |stride: usize| c_int::try_from(stride).unwrap_or(0);
        let mut source = sys::SSourcePicture {
            iColorFormat: sys::videoFormatI420,
            iStride: [
                stride(planes.luma_stride()),
                stride(planes.chroma_stride()),
                stride(planes.chroma_stride()),
                0,
            ],
            // The library only reads, although its types are mutable.
            pData: [
                planes.y.as_ptr().cast_mut(),
                planes.u.as_ptr().cast_mut(),
                planes.v.as_ptr().cast_mut(),
                ptr::null_mut(),
            ],
            iPicWidth: stride(size.width as usize),
            iPicHeight: stride(size.height as usize),
            uiTimeStamp: frame.pts.as_millis(),
            ..sys::SSourcePicture::default()
        };
        // SAFETY: the object is initialized for frames of this size (checked above), the planes
        // have the size that `Planes` guarantees and outlive the call, and `info` is ours to write
        // to.
        let code = unsafe {
            let encode = (**self.raw.object).EncodeFrame;
            encode.ok_or_else(|| codec_error(Step::Start, -1))?(
                self.raw.object,
                &raw mut source,
                &raw mut *self.raw.info,
            )
        };
        check(Step::Encode, code)?;
        let bytes: usize = self.units().map(<[u8]>::len).sum();
        Ok(bytes as f64 * 8.0)
    }

    /// Returns the NAL units of the last output, each with its start code.
    fn units(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let layers = usize::try_from(self.raw.info.iLayerNum).unwrap_or(0);
        self.raw.info.sLayerInfo.iter().take(layers).flat_map(|layer| {
            let count = usize::try_from(layer.iNalCount).unwrap_or(0);
            let lengths: &[c_int] = if count == 0 || layer.pNalLengthInByte.is_null() {
                &[]
            } else {
                // SAFETY: the encoder filled in this many lengths; they stay valid until its next
                // call, which needs `&mut self`.
                unsafe { std::slice::from_raw_parts(layer.pNalLengthInByte, count) }
            };
            let start: *const u8 = layer.pBsBuf;
            lengths.iter().scan(0_usize, move |offset, len| {
                let len = usize::try_from(*len).unwrap_or(0);
                // SAFETY: the NAL units of the layer are consecutive in its buffer, with these
                // lengths, until the encoder's next call, which needs `&mut self`.
                let unit = unsafe { std::slice::from_raw_parts(start.add(*offset), len) };
                *offset += len;
                Some(unit)
            })
        })
    }
}

impl VideoBackend for Encoder {
    fn send_frame(&mut self, frame: &VideoFrame, key: bool) -> Result<(), Error> {
        // A refused frame changes neither the scene detector nor the rate control.
        self.check_size(frame)?;
        if self.scenes.is_new(&frame.planes().y, frame.planes().luma_stride()) {
            self.rate.expect_new_scene();
        }
        let mut key = key || self.lost_reference;
        if self.rate.is_too_full(key) {
            // The next encoded frame still needs to be a keyframe.
            self.lost_reference = key;
            self.rate.skip();
            return Ok(());
        }
        let mut qp = self.rate.choose(key);
        let mut bits = self.attempt(frame, key, qp)?;
        if !key && !self.rate.fits(bits) {
            key = true;
            qp = self.rate.key_instead(bits, qp);
            bits = self.attempt(frame, key, qp)?;
        }
        // A keyframe has no references, so it can be encoded again in its own place.
        for _ in 0..if key { MAX_KEYFRAME_RETRIES } else { 0 } {
            let Some(other) = self.rate.again(bits, qp) else { break };
            qp = other;
            bits = self.attempt(frame, key, qp)?;
        }
        if !self.rate.fits(bits) && self.rate.is_stuck() {
            (key, qp) = (true, COARSEST_QP);
            bits = self.attempt(&coarse(frame), key, qp)?;
        }
        self.lost_reference = !self.rate.fits(bits);
        if self.lost_reference {
            self.rate.skip();
            return Ok(());
        }
        self.rate.done(key, qp, bits);
        let keyframe = self.raw.info.eFrameType == sys::videoFrameTypeIDR;
        let data = avcc::packet(self.units())?;
        if data.is_empty() {
            return Err(Error::Malformed { encoder: ENCODER_NAME, flaw: Flaw::NoSlice });
        }
        self.ready = Some(EncodedPacket {
            track: Track::Video,
            pts: frame.pts,
            dts: frame.pts,
            keyframe,
            priority: if keyframe { Priority::Key } else { Priority::Inter },
            data,
            captured: frame.pts,
            rendition: None,
        });
        Ok(())
    }

    fn receive_packet(&mut self) -> Result<Option<EncodedPacket>, Error> {
        Ok(self.ready.take())
    }

    fn finish(&mut self) -> Result<(), Error> {
        // This encoder never delays packets.
        Ok(())
    }

    fn set_bitrate(&mut self, bitrate: BitsPerSecond) -> Result<BitsPerSecond, Error> {
        let bitrate = bitrate.min(self.level.max_bitrate());
        self.rate.set_bits_per_frame(bits_per_frame(bitrate, self.config.frame_rate));
        Ok(bitrate)
    }

    fn changes_bitrate(&self) -> bool {
        true
    }

    fn config(&self) -> &VideoConfig {
        &self.config
    }

    fn description(&self) -> Description {
        let profile = match self.profile {
            Profile::High => "High",
            Profile::ConstrainedBaseline => "Constrained Baseline",
        };
        Description { name: ENCODER_NAME, profile, level: self.level.to_string(), preset: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::media::Color;

    fn config(size: Size, bitrate: u32) -> config::Video {
        config::Video {
            size,
            frame_rate: FrameRate::FPS_30,
            bitrate: BitsPerSecond(bitrate),
            keyframe_interval: std::time::Duration::from_secs(2),
            encoder: config::Choice::OpenH264,
            preset: config::Preset::Auto,
            rate_control: config::RateControl::Cbr,
            b_frames: 0,
            look_ahead: 0,
        }
    }

    /// Encodes 12 s at 640x360 and 1 Mbit/s. Returns the kilobits of each frame, and the number of
    /// keyframes.
    fn encoded(mut draw: impl FnMut(usize, &mut [u8])) -> (Vec<f64>, usize) {
        let size = Size::new(640, 360);
        let (mut encoder, mut keyframes) = (Encoder::open(&config(size, 1_000_000)).unwrap(), 0);
        let kilobits = (0..360).map(|number: usize| {
            let mut planes = Planes::black(size);
            draw(number, &mut planes.y);
            let pts = Timestamp::from_millis(number as i64 * 1_000 / 30);
            let surface = Arc::new(Pooled::unpooled(planes)).into();
            let frame = VideoFrame { pts, surface, color: Color::PROGRAM };
            encoder.send_frame(&frame, number.is_multiple_of(60)).unwrap();
            let packet = encoder.receive_packet().unwrap();
            keyframes += usize::from(packet.as_ref().is_some_and(|it| it.keyframe));
            packet.map_or(0.0, |it| it.data.len() as f64 * 8.0 / 1_000.0)
        });
        (kilobits.collect(), keyframes)
    }

    /// A generator of noise with a fixed seed.
    fn noise() -> impl FnMut() -> u8 {
        let mut seed = 1_u32;
        move || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            16 + ((seed >> 16) % 220) as u8
        }
    }

    #[test]
    fn hard_content_costs_no_more_than_the_bitrate_and_its_bucket() {
        let peak = |kilobits: &[f64], frames: usize| {
            let sums = kilobits.windows(frames).map(|it| it.iter().sum::<f64>());
            sums.fold(0.0, f64::max) * 30.0 / frames as f64
        };
        for noise_first in [true, false] {
            let mut random = noise();
            let (kilobits, keyframes) =
                encoded(|number, luma| match (number / 60 % 2 == 0) == noise_first {
                    true => luma.fill_with(&mut random),
                    false => luma.fill(90),
                });
            let mean = kilobits.iter().sum::<f64>() / 12.0;
            let (one, two) = (peak(&kilobits, 30), peak(&kilobits, 60));
            let shown = kilobits.iter().filter(|&&it| it > 0.0).count();
            // x264 with a buffer of 1 s: 1,690 over one second, 1,339 over two.
            assert!(mean < 1_030.0 && one < 1_500.0 && two < 1_200.0, "{mean} {one} {two}");
            // Noise neither freezes the picture nor turns every frame into a keyframe.
            assert!(shown > 300 && keyframes < 30, "{shown} {keyframes}");
        }
        // Still pictures of fine detail, each for 0.7 s.
        let (mut picture, mut random) = (vec![0; 640 * 360], noise());
        let (kilobits, _) = encoded(|number, luma| {
            if number % 21 == 0 {
                for rows in picture.chunks_mut(1_280) {
                    let (first, second) = rows.split_at_mut(640);
                    first.chunks_mut(2).for_each(|pair| pair.fill(random()));
                    second.copy_from_slice(first);
                }
            }
            luma.copy_from_slice(&picture);
        });
        let (mean, one) = (kilobits.iter().sum::<f64>() / 12.0, peak(&kilobits, 30));
        let two = peak(&kilobits, 60);
        assert!(mean < 1_030.0 && one < 1_500.0 && two < 1_200.0, "{mean} {one} {two}");
    }

    #[test]
    fn a_frame_of_a_wrong_size_does_not_change_later_packets() {
        let (size, wrong_size) = (Size::new(160, 120), Size::new(160, 96));
        let config = config(size, 300_000);
        let frame = |size, luma, ms| {
            let mut planes = Planes::black(size);
            planes.y.fill(luma);
            let surface = Arc::new(Pooled::unpooled(planes)).into();
            VideoFrame { pts: Timestamp::from_millis(ms), surface, color: Color::PROGRAM }
        };
        let encode = |has_wrong_frame: bool| {
            let mut encoder = Encoder::open(&config).unwrap();
            encoder.send_frame(&frame(size, 16, 0), true).unwrap();
            encoder.receive_packet().unwrap().unwrap();
            if has_wrong_frame {
                let error = encoder.send_frame(&frame(wrong_size, 235, 33), false).unwrap_err();
                assert_eq!(error, Error::Size { expected: size, got: wrong_size });
            }
            encoder.send_frame(&frame(size, 16, 66), false).unwrap();
            encoder.receive_packet().unwrap().unwrap().data
        };
        // The wrong frame is bright, so the scene detector would report a new scene after it.
        assert_eq!(encode(true), encode(false));
    }
}
