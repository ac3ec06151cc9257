//! Decodes MP3, FLAC and Vorbis with Symphonia. More than two channels are downmixed to stereo.

use symphonia_bundle_flac::FlacDecoder;
use symphonia_bundle_mp3::MpaDecoder;
use symphonia_codec_vorbis::VorbisDecoder;
use symphonia_core::codecs::audio::well_known::{CODEC_ID_FLAC, CODEC_ID_MP3, CODEC_ID_VORBIS};
use symphonia_core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia_core::packet::PacketRef;
use symphonia_core::units::{Duration, Timestamp};

use super::guarded;
use crate::decode::downmix;
use crate::decode::error::Error;
use crate::decode::traits::AudioBackend;
use crate::media::{AudioCodec, AudioConfig, EncodedPacket, SampleBlock};
use crate::text::problem::problem;
use crate::wire::codec::mpeg_audio;

/// Maximum size of a packet in bytes. A FLAC frame of 65,535 samples in 8 channels is shorter.
const MAX_PACKET_BYTES: usize = 2 << 20;
/// Maximum number of frames in an MP3 packet.
const MAX_FRAMES: usize = 64;

/// The Symphonia decoder.
pub(crate) struct Decoder {
    inner: Box<dyn AudioDecoder>,
    config: AudioConfig,
    block: Vec<f32>,
}

fn name(codec: AudioCodec) -> &'static str {
    match codec {
        AudioCodec::Flac => "FLAC",
        AudioCodec::Vorbis => "Vorbis",
        _ => "MP3",
    }
}

fn open(config: &AudioConfig) -> Result<Box<dyn AudioDecoder>, Error> {
    let codec = name(config.codec);
    let damaged = |error: symphonia_core::errors::Error| Error::Config {
        codec,
        reason: error.to_string().into(),
    };
    let mut wanted = AudioCodecParameters::new();
    wanted.with_extra_data(config.codec_config.to_vec().into_boxed_slice());
    let options = AudioDecoderOptions::default();
    guarded(codec, || -> Result<Box<dyn AudioDecoder>, Error> {
        Ok(match config.codec {
            AudioCodec::Flac => {
                wanted.for_codec(CODEC_ID_FLAC);
                Box::new(FlacDecoder::try_new(&wanted, &options).map_err(damaged)?)
            }
            AudioCodec::Vorbis => {
                wanted.for_codec(CODEC_ID_VORBIS);
                Box::new(VorbisDecoder::try_new(&wanted, &options).map_err(damaged)?)
            }
            _ => {
                wanted.for_codec(CODEC_ID_MP3);
                Box::new(MpaDecoder::try_new(&wanted, &options).map_err(damaged)?)
            }
        })
    })
}

impl Decoder {
    pub(crate) fn open(config: &AudioConfig) -> Result<Self, Error> {
        let inner = open(config)?;
        Ok(Self { inner, config: config.clone(), block: Vec::new() })
    }

    /// Decodes one frame, appends the audio to `out`, and returns the rate and the number of
    /// channels.
    fn frame(&mut self, data: &[u8], out: &mut Vec<f32>) -> Result<(u32, u16), Error> {
        let codec = name(self.config.codec);
        let packet = PacketRef::new(0, Timestamp::from(0_i64), Duration::from(0_u64), data);
        let decoded = self.inner.decode_ref(&packet);
        let decoded =
            decoded.map_err(|error| Error::Damaged { codec, reason: error.to_string().into() })?;
        let (rate, channels) = (decoded.spec().rate(), decoded.num_planes());
        decoded.copy_to_vec_interleaved(&mut self.block);
        if channels <= 2 {
            out.extend_from_slice(&self.block);
        } else {
            downmix::to_stereo(&self.block, channels, 0, out);
        }
        let channels = u16::try_from(channels.min(2)).unwrap_or(0);
        Ok((rate, channels))
    }

    fn all(&mut self, packet: &EncodedPacket) -> Result<Option<SampleBlock>, Error> {
        let (mut data, mut format) = (Vec::new(), None);
        if matches!(self.config.codec, AudioCodec::Flac | AudioCodec::Vorbis) {
            format = Some(self.frame(&packet.data, &mut data)?);
        } else {
            let mut rest = &packet.data[..];
            for _ in 0..MAX_FRAMES {
                let Some(header) = mpeg_audio::header(rest) else { break };
                let Some((frame, after)) = rest.split_at_checked(header.length) else { break };
                let before = data.len();
                match self.frame(frame, &mut data) {
                    Ok(found) if format.is_none_or(|format| format == found) => {
                        format = Some(found);
                    }
                    // The format changes within a packet: this frame is dropped, and the next
                    // packet has the new format.
                    Ok(_) => data.truncate(before),
                    // The first frames after a seek refer to missing frames.
                    Err(error) if after.is_empty() && format.is_none() => return Err(error),
                    Err(_) => {}
                }
                rest = after;
            }
            if format.is_none() && !packet.data.is_empty() {
                let reason = problem!("decode-no-frame");
                return Err(Error::Damaged { codec: name(self.config.codec), reason });
            }
        }
        let Some((rate, channels)) = format.filter(|(_, it)| *it > 0 && !data.is_empty()) else {
            return Ok(None);
        };
        Error::check_rate(name(self.config.codec), rate)?;
        Ok(Some(SampleBlock { pts: packet.pts, rate, channels, data: data.into() }))
    }
}

impl AudioBackend for Decoder {
    fn decode(&mut self, packet: &EncodedPacket) -> Result<Option<SampleBlock>, Error> {
        let codec = name(self.config.codec);
        if packet.data.len() > MAX_PACKET_BYTES {
            return Err(Error::length(codec, packet.data.len()));
        }
        let mut finished = false;
        let decoded = guarded(codec, || {
            let decoded = self.all(packet);
            finished = true;
            decoded
        });
        if !finished {
            // The decoder failed halfway, so its state cannot be trusted.
            self.reset();
        }
        decoded
    }

    fn reset(&mut self) {
        // If a new decoder cannot be opened, the old one is better than none.
        if let Ok(inner) = open(&self.config) {
            self.inner = inner;
        }
    }

    fn name(&self) -> &str {
        name(self.config.codec)
    }
}
