//! Decodes video with FFmpeg. The decoder takes one packet at a time, and returns the frames that
//! are then ready. The library's decoders return frames in presentation order.

use crate::base::Timestamp;
use crate::decode::backend::ffmpeg::convert::Converter;
use crate::decode::backend::ffmpeg::hardware::Device;
use crate::decode::backend::ffmpeg::library::{Code, Codec, Context};
use crate::decode::backend::ffmpeg::{hardware, system as ffi};
use crate::decode::error::{Error, Step};
use crate::decode::traits::{DecoderInfo, VideoBackend};
use crate::media::{EncodedPacket, VideoCodec, VideoConfig, VideoFrame};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::codec;

const DECODER_NAME: &str = "FFmpeg";

/// Maximum size of a packet in bytes.
const MAX_PACKET_BYTES: usize = 16 << 20;

/// Maximum number of pixels in a frame: H.264 level 5.2, as everywhere in onair (4096×2304). The
/// maximum limits the memory that a stream can make the library allocate.
const MAX_PIXELS: i64 = 36_864 * 256;

/// Maximum number of frames from one packet.
const MAX_FRAMES: usize = 64;

/// The number of consecutive failed keyframes that ends the stream.
const MAX_FAILED_KEYFRAMES: u32 = 3;

/// The video decoder.
pub(super) struct Decoder {
    context: Context,
    codec: Codec,
    config: VideoConfig,
    converter: Converter,
    /// True if the decoder uses hardware where possible.
    hardware: bool,
    name: String,
    /// The HDR label in the decoder's name.
    hdr_label: Option<&'static str>,
    /// True if no frame before the next keyframe can be decoded.
    waiting: bool,
    failed_keyframes: u32,
    last: Timestamp,
    /// The time of the frame that was returned early.
    early: Option<Timestamp>,
}

fn start(codec: Codec, config: &VideoConfig, device: Option<&Device>) -> Result<Context, Error> {
    // A decoder needs nothing of a vpcC except its colors.
    let colors = match config.codec {
        VideoCodec::Vp9 => codec::vp9_colors(&config.codec_config),
        _ => None,
    };
    let codec_config = match config.codec {
        VideoCodec::Vp9 | VideoCodec::Vp8 => &[],
        _ => &config.codec_config[..],
    };
    let context = Context::open(codec, codec_config, |context| {
        context.max_pixels = MAX_PIXELS;
        if let Some((primaries, transfer)) = colors {
            // The library uses the numbers of H.273.
            context.color_primaries = primaries.into();
            context.color_trc = transfer.into();
        }
        if config.codec == VideoCodec::Av1 {
            // Decode one frame at a time, instead of several on separate threads.
            context.flags |= ffi::AV_CODEC_FLAG_LOW_DELAY as i32;
        }
        if let Some(device) = device {
            device.attach(context);
        }
    });
    context.map_err(|code| Error::Codec {
        decoder: DECODER_NAME,
        step: Step::Start,
        code: i64::from(code.0),
    })
}

impl Decoder {
    /// Opens a decoder. `device` is the hardware that the decoder uses if possible.
    pub fn open(
        codec: Codec,
        config: &VideoConfig,
        device: Option<&Device>,
    ) -> Result<Self, Error> {
        let name = config.codec.name();
        if config.codec.needs_config() && config.codec_config.is_empty() {
            return Err(Error::Config { codec: name, reason: problem!("decode-empty") });
        }
        Ok(Self {
            context: start(codec, config, device)?,
            codec,
            config: config.clone(),
            converter: Converter::default(),
            hardware: device.is_some(),
            name: format!("{name} ({DECODER_NAME})"),
            hdr_label: None,
            waiting: true,
            failed_keyframes: 0,
            last: Timestamp::ZERO,
            early: None,
        })
    }

    /// Receives all frames that are ready.
    fn receive(&mut self, frames: &mut Vec<VideoFrame>) -> Result<(), Problem> {
        loop {
            let frame = match self.context.receive() {
                Ok(Some(frame)) => frame,
                Ok(None) => return Ok(()),
                Err(code) => return Err(code.text().into()),
            };
            if frames.len() >= MAX_FRAMES {
                continue;
            }
            let pts = frame.get().pts;
            let pts =
                if pts == ffi::AV_NOPTS_VALUE { self.last } else { Timestamp::from_micros(pts) };
            let made = self.converter.convert(frame, pts);
            frame.clear();
            frames.push(made?);
            self.tell();
        }
    }

    /// Updates the name according to the kind of frames.
    fn tell(&mut self) {
        let label = self.converter.hdr_label();
        if label != self.hdr_label {
            self.hdr_label = label;
            let more = label.map(|label| format!(", {label}")).unwrap_or_default();
            self.name = format!("{}{more} ({DECODER_NAME})", self.config.codec.name());
        }
    }

    fn run(&mut self, packet: &EncodedPacket, frames: &mut Vec<VideoFrame>) -> Result<(), Problem> {
        self.last = packet.pts;
        let sent = self.context.send(&packet.data, packet.pts.as_micros(), packet.keyframe);
        let received = self.receive(frames);
        sent.map_err(Code::text)?;
        received
    }

    /// Gets the first frame, which the library would delay until no frame can precede it. To get
    /// the frame, this function ends the stream, and restarts it with the same packet, whose frame
    /// the library then returns again.
    fn hurry(
        &mut self,
        packet: &EncodedPacket,
        frames: &mut Vec<VideoFrame>,
    ) -> Result<(), Problem> {
        self.context.end();
        let received = self.receive(frames);
        self.context.forget();
        received?;
        self.early = frames.last().map(|frame| frame.pts);
        self.run(packet, &mut Vec::new())
    }

    /// Drops the second copy of the frame that was returned early.
    fn leave_out_early(&mut self, frames: &mut Vec<VideoFrame>) {
        if let Some(at) = frames.iter().position(|frame| Some(frame.pts) == self.early) {
            frames.remove(at);
            self.early = None;
        }
    }

    /// Opens a decoder without history, and without hardware after a failure.
    fn renew(&mut self) -> Result<(), Error> {
        self.hardware = false;
        self.context = start(self.codec, &self.config, None)?;
        Ok(())
    }
}

impl VideoBackend for Decoder {
    /// Does nothing, because the library allocates on demand.
    fn prepare(&mut self) {}

    fn decode(&mut self, packet: &EncodedPacket) -> Result<Vec<VideoFrame>, Error> {
        if packet.data.len() > MAX_PACKET_BYTES {
            self.waiting = true;
            return Err(Error::length(self.config.codec.name(), packet.data.len()));
        }
        if packet.data.is_empty() || (self.waiting && !packet.keyframe) {
            return Ok(Vec::new());
        }
        let mut frames = Vec::new();
        let mut ran = self.run(packet, &mut frames);
        if self.waiting && ran.is_ok() && frames.is_empty() {
            ran = self.hurry(packet, &mut frames);
        } else {
            self.leave_out_early(&mut frames);
        }
        match ran {
            Ok(()) => {
                self.waiting = false;
                self.failed_keyframes = 0;
                Ok(frames)
            }
            Err(reason) => {
                self.waiting = true;
                if packet.keyframe {
                    self.failed_keyframes += 1;
                    if self.failed_keyframes >= MAX_FAILED_KEYFRAMES {
                        let code = i64::from(MAX_FAILED_KEYFRAMES);
                        let step = Step::DecodeKeyframes;
                        return Err(Error::Codec { decoder: DECODER_NAME, step, code });
                    }
                    self.renew()?;
                } else {
                    self.context.forget();
                }
                Err(Error::Damaged { codec: self.config.codec.name(), reason })
            }
        }
    }

    fn flush(&mut self) -> Vec<VideoFrame> {
        let mut frames = Vec::new();
        self.context.end();
        // A frame that fails now is lost, and nothing follows it.
        let _ = self.receive(&mut frames);
        self.leave_out_early(&mut frames);
        self.reset();
        frames
    }

    fn reset(&mut self) {
        self.context.forget();
        self.waiting = true;
        self.failed_keyframes = 0;
        self.early = None;
    }

    fn is_waiting(&self) -> bool {
        self.waiting
    }

    fn begin_anywhere(&mut self) {
        // The H.264 decoder of the library delays frames until they are complete.
        self.waiting = false;
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn by(&self) -> DecoderInfo {
        // The hardware may not support the stream, so the hardware is reported only after it has
        // decoded a frame.
        let fetched = self.hardware && self.converter.has_fetched();
        DecoderInfo { library: DECODER_NAME, hardware: fetched.then_some(hardware::INTERFACE_NAME) }
    }
}
