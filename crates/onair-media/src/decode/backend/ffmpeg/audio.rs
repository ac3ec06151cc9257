//! Decodes audio with FFmpeg, and converts any sample format to interleaved 32-bit floats with at
//! most two channels.
#![allow(unsafe_code)]

use crate::decode::backend::ffmpeg::library::{Code, Codec, Context};
use crate::decode::backend::ffmpeg::system as ffi;
use crate::decode::downmix;
use crate::decode::error::{Error, SAMPLE_RATES, Step};
use crate::decode::traits::AudioBackend;
use crate::media::{AudioConfig, EncodedPacket, SampleBlock};

const DECODER_NAME: &str = "FFmpeg";

/// Maximum size of a packet in bytes, enough for several seconds of any format.
const MAX_PACKET_BYTES: usize = 1 << 20;
/// Maximum number of samples in one packet, for all channels together.
const MAX_PACKET_SAMPLES: usize = 4 << 20;
/// Maximum number of channels that are downmixed.
const MAX_CHANNELS: usize = 16;

/// The audio decoder.
pub(super) struct Decoder {
    context: Context,
    codec: Codec,
    config: AudioConfig,
    name: String,
}

fn start(codec: Codec, config: &AudioConfig) -> Result<Context, Error> {
    let context = Context::open(codec, &config.codec_config, |context| {
        context.sample_rate = i32::try_from(config.sample_rate).unwrap_or(0);
        let channels = i32::from(config.channels.clamp(1, 8));
        // SAFETY: the layout belongs to the context, and is empty.
        unsafe { ffi::av_channel_layout_default(&raw mut context.ch_layout, channels) };
        context.thread_count = 1;
    });
    context.map_err(|code| Error::Codec {
        decoder: DECODER_NAME,
        step: Step::Start,
        code: i64::from(code.0),
    })
}

impl Decoder {
    pub fn open(codec: Codec, config: &AudioConfig) -> Result<Self, Error> {
        Ok(Self {
            context: start(codec, config)?,
            codec,
            config: config.clone(),
            name: format!("{} ({DECODER_NAME})", config.codec.name()),
        })
    }

    /// Decodes a packet, and returns its samples, rate and channels.
    fn run(&mut self, packet: &EncodedPacket) -> Result<Option<SampleBlock>, Code> {
        let sent = self.context.send(&packet.data, packet.pts.as_micros(), true);
        let mut made: Option<SampleBlock> = None;
        let received = loop {
            match self.context.receive() {
                Ok(Some(frame)) => {
                    take(frame.get(), packet, &mut made);
                    frame.clear();
                }
                Ok(None) => break Ok(()),
                Err(code) => break Err(code),
            }
        };
        match made {
            // Return the valid audio before the damage.
            Some(samples) => Ok(Some(samples)),
            None => sent.and(received).map(|()| None),
        }
    }
}

/// Appends a frame's samples, if they have the same format as the previous ones.
fn take(frame: &ffi::AVFrame, packet: &EncodedPacket, made: &mut Option<SampleBlock>) {
    let frames = usize::try_from(frame.nb_samples).unwrap_or(0);
    let channels = usize::try_from(frame.ch_layout.nb_channels).unwrap_or(0);
    let rate = u32::try_from(frame.sample_rate).unwrap_or(0);
    if frames == 0 || !(1..=MAX_CHANNELS).contains(&channels) || !SAMPLE_RATES.contains(&rate) {
        return;
    }
    if frames.saturating_mul(channels) > MAX_PACKET_SAMPLES {
        return;
    }
    let Some(values) = interleaved(frame, frames, channels) else { return };
    let mask = if frame.ch_layout.order == ffi::AV_CHANNEL_ORDER_NATIVE {
        // SAFETY: with this channel order, the mask is the valid member of the union.
        unsafe { frame.ch_layout.u.mask }
    } else {
        0
    };
    let kept = channels.min(2) as u16;
    let made = made.get_or_insert_with(|| SampleBlock {
        pts: packet.pts,
        rate,
        channels: kept,
        data: Vec::new().into(),
    });
    if (made.rate, made.channels) != (rate, kept) || made.data.len() > MAX_PACKET_SAMPLES {
        return;
    }
    if channels <= 2 {
        made.data.extend(values);
    } else {
        downmix::to_stereo(&values, channels, mask, &mut made.data);
    }
}

/// Returns the values of a frame in −1…1, interleaved.
fn interleaved(frame: &ffi::AVFrame, frames: usize, channels: usize) -> Option<Vec<f32>> {
    let (packed, planar) = ((frames * channels, 1), (frames, channels));
    let from_u8 = |value: u8| (f32::from(value) - 128.0) / 128.0;
    let from_i16 = |value: i16| f32::from(value) / 32_768.0;
    let from_i32 = |value: i32| (f64::from(value) / 2_147_483_648.0) as f32;
    match frame.format {
        ffi::AV_SAMPLE_FMT_U8 => values(frame, packed, from_u8),
        ffi::AV_SAMPLE_FMT_S16 => values(frame, packed, from_i16),
        ffi::AV_SAMPLE_FMT_S32 => values(frame, packed, from_i32),
        ffi::AV_SAMPLE_FMT_FLT => values(frame, packed, |value: f32| value),
        ffi::AV_SAMPLE_FMT_DBL => values(frame, packed, |value: f64| value as f32),
        ffi::AV_SAMPLE_FMT_U8P => values(frame, planar, from_u8),
        ffi::AV_SAMPLE_FMT_S16P => values(frame, planar, from_i16),
        ffi::AV_SAMPLE_FMT_S32P => values(frame, planar, from_i32),
        ffi::AV_SAMPLE_FMT_FLTP => values(frame, planar, |value: f32| value),
        ffi::AV_SAMPLE_FMT_DBLP => values(frame, planar, |value: f64| value as f32),
        _ => None,
    }
}

/// Returns the values of plane `number`; `T` matches the frame's format.
fn plane<T: Copy>(frame: &ffi::AVFrame, number: usize, count: usize) -> Option<&[T]> {
    if frame.extended_data.is_null() {
        return None;
    }
    // SAFETY: there is a pointer for each plane, whose number follows from the format and the
    // channels.
    let data = unsafe { *frame.extended_data.add(number) };
    if data.is_null() || !data.cast::<T>().is_aligned() {
        return None;
    }
    // SAFETY: the planes of the library have the declared number of values of this type, and the
    // frame keeps them until it is cleared.
    Some(unsafe { std::slice::from_raw_parts(data.cast::<T>().cast_const(), count) })
}

/// Returns the values of these planes, each with `count` values, interleaved.
fn values<T: Copy>(
    frame: &ffi::AVFrame,
    (count, planes): (usize, usize),
    value: impl Fn(T) -> f32,
) -> Option<Vec<f32>> {
    let mut out = vec![0.0; count * planes];
    for number in 0..planes {
        let from = plane::<T>(frame, number, count)?;
        for (to, from) in out.iter_mut().skip(number).step_by(planes).zip(from) {
            *to = value(*from);
        }
    }
    Some(out)
}

impl AudioBackend for Decoder {
    fn decode(&mut self, packet: &EncodedPacket) -> Result<Option<SampleBlock>, Error> {
        if packet.data.is_empty() {
            return Ok(None);
        }
        if packet.data.len() > MAX_PACKET_BYTES {
            return Err(Error::length(self.config.codec.name(), packet.data.len()));
        }
        match self.run(packet) {
            Ok(samples) => Ok(samples.map(finite)),
            Err(code) => {
                self.context.forget();
                let reason = code.text().into();
                Err(Error::Damaged { codec: self.config.codec.name(), reason })
            }
        }
    }

    fn reset(&mut self) {
        // Not every decoder resets completely, but a new one has no history. If it cannot be
        // opened, the old one is better than none.
        match start(self.codec, &self.config) {
            Ok(context) => self.context = context,
            Err(_) => self.context.forget(),
        }
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// Replaces values that are not finite, and clamps the other values. Damaged floats may have any
/// value, which must not reach a speaker.
fn finite(mut samples: SampleBlock) -> SampleBlock {
    for value in samples.data.iter_mut() {
        *value = if value.is_finite() { value.clamp(-4.0, 4.0) } else { 0.0 };
    }
    samples
}
