//! Opus from the audio of a stream, for targets that carry no AAC. The first target that needs a
//! packet encodes it, and the others get the same bytes. Nothing is encoded while no target asks,
//! and the hub's thread never encodes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;

use crate::base::{Timestamp, partial_debug};
use crate::decode::{self, AudioBackend, Converter};
use crate::encode::OpusPackets;
use crate::media::{AudioCodec, AudioConfig, EncodedPacket, StreamConfig, Track};
use crate::text::Problem;
use crate::wire::codec::opus_head;

/// Maximum number of packets whose Opus is kept for targets that are behind: about 20 seconds.
const MAX_KEPT_PACKETS: usize = 1_024;

/// The Opus packets of one packet of the stream, each with its presentation time.
pub(in crate::broadcast) type Encoded = Arc<[(Timestamp, Bytes)]>;

/// The encoder of Opus, and the config of the audio that it encodes.
pub(in crate::broadcast) type SourceAudio = (Arc<SharedOpus>, AudioConfig);

/// The encoder that the targets of a hub share.
#[derive(Debug, Default)]
pub struct SharedOpus {
    state: Mutex<State>,
    /// True if outputs that carry both codecs get Opus instead of AAC.
    is_preferred: AtomicBool,
}

#[derive(Default)]
struct State {
    encoder: Option<Encoder>,
    /// The audio that cannot be encoded, and why.
    failed: Option<(AudioConfig, Problem)>,
    /// True if the reason was not taken yet.
    is_failure_new: bool,
    /// The DTS of the packets that were encoded last, oldest first.
    kept: VecDeque<(Timestamp, Encoded)>,
}

partial_debug! { State {} }

/// Decodes audio, and encodes it as Opus.
struct Encoder {
    config: AudioConfig,
    decoder: Box<dyn AudioBackend>,
    /// The converter with the input format that it was created for.
    converter: Option<((u32, u16), Converter)>,
    packets: OpusPackets,
}

impl SharedOpus {
    /// Sets whether outputs that carry both codecs get Opus instead of AAC.
    pub fn prefer(&self, is_preferred: bool) {
        self.is_preferred.store(is_preferred, Ordering::Relaxed);
    }

    /// Returns true if outputs that carry both codecs get Opus instead of AAC.
    pub fn is_preferred(&self) -> bool {
        self.is_preferred.load(Ordering::Relaxed)
    }

    /// Replaces the audio of a config by Opus, if that is preferred. Returns the encoder.
    pub fn replace(self: &Arc<Self>, config: &mut StreamConfig) -> Option<SourceAudio> {
        let audio = config.audio.as_mut().filter(|_| self.is_preferred())?;
        let encoded = Self::config(audio);
        Some((Arc::clone(self), std::mem::replace(audio, encoded)))
    }

    /// Returns once why the audio cannot be encoded, after an output needed it.
    pub fn take_failure(&self) -> Option<Problem> {
        let mut state = self.state.lock();
        let is_new = std::mem::take(&mut state.is_failure_new);
        state.failed.as_ref().filter(|_| is_new).map(|(_, why)| why.clone())
    }

    /// Returns the config of the Opus that [`SharedOpus::of`] makes from this audio.
    pub fn config(audio: &AudioConfig) -> AudioConfig {
        let channels = audio.channels.clamp(1, 2);
        let config = AudioConfig {
            codec: AudioCodec::Opus,
            sample_rate: OpusPackets::SAMPLE_RATE_HZ,
            channels,
            bitrate: OpusPackets::bitrate(channels),
            codec_config: Bytes::new(),
        };
        let codec_config = opus_head(&config);
        AudioConfig { codec_config, ..config }
    }

    /// Returns the Opus of a packet with this config. A packet that no target took while it was
    /// new, and that later packets follow, has none.
    ///
    /// # Errors
    /// Fails if the audio cannot be decoded or encoded at all.
    pub fn of(&self, config: &AudioConfig, packet: &EncodedPacket) -> Result<Encoded, Problem> {
        if config.codec == AudioCodec::Opus && config.channels <= 2 {
            return Ok(Arc::new([(packet.pts, packet.data.clone())]));
        }
        let mut state = self.state.lock();
        if let Some((newest, _)) = state.kept.back()
            && packet.dts <= *newest
        {
            let found = state.kept.iter().rfind(|(dts, _)| *dts == packet.dts);
            return Ok(found.map_or_else(|| Vec::new().into(), |(_, its)| Arc::clone(its)));
        }
        if state.encoder.as_ref().is_none_or(|encoder| encoder.config != *config) {
            if let Some((_, why)) = state.failed.as_ref().filter(|(known, _)| known == config) {
                return Err(why.clone());
            }
            match Encoder::open(config) {
                Ok(encoder) => (state.encoder, state.failed) = (Some(encoder), None),
                Err(why) => {
                    tracing::warn!(%why, "encoding audio as Opus failed: outputs with Opus are silent");
                    (state.encoder, state.failed) = (None, Some((config.clone(), why.clone())));
                    state.is_failure_new = true;
                    return Err(why);
                }
            }
        }
        let mut made = Vec::new();
        if let Some(encoder) = &mut state.encoder {
            encoder.packet(packet, &mut made);
        }
        let made: Encoded = made.into();
        if state.kept.len() >= MAX_KEPT_PACKETS {
            state.kept.pop_front();
        }
        state.kept.push_back((packet.dts, Arc::clone(&made)));
        Ok(made)
    }
}

impl SharedOpus {
    /// Returns the Opus of a packet as packets. There are none if the audio cannot be encoded, which is logged once.
    pub fn packets(&self, config: &AudioConfig, packet: &EncodedPacket) -> Vec<EncodedPacket> {
        let Ok(encoded) = self.of(config, packet) else { return Vec::new() };
        let made = |(pts, data): &(Timestamp, Bytes)| {
            EncodedPacket::received(Track::Audio, (*pts, *pts), true, data.clone())
        };
        encoded.iter().map(made).collect()
    }
}

impl Encoder {
    fn open(config: &AudioConfig) -> Result<Self, Problem> {
        let decoder = decode::open_audio(config).map_err(|error| Problem::from(&error))?;
        let packets = OpusPackets::open(config.channels).map_err(|error| Problem::from(&error))?;
        Ok(Self { config: config.clone(), decoder, converter: None, packets })
    }

    fn packet(&mut self, packet: &EncodedPacket, made: &mut Vec<(Timestamp, Bytes)>) {
        let block = match self.decoder.decode(packet) {
            Ok(Some(block)) => block,
            Ok(None) => return,
            Err(error) => return tracing::debug!(%error, "decoding audio for Opus failed"),
        };
        let form = (block.rate, block.channels);
        if self.converter.as_ref().is_none_or(|(known, _)| *known != form) {
            let to = (OpusPackets::SAMPLE_RATE_HZ, self.packets.channels());
            match Converter::new(form, to) {
                Ok(converter) => self.converter = Some((form, converter)),
                Err(error) => return tracing::debug!(%error, "resampling audio for Opus failed"),
            }
        }
        let Some((_, converter)) = &mut self.converter else { return };
        let held = i64::try_from(converter.held().as_micros()).unwrap_or(0);
        let starts = block.pts.as_micros() - held;
        let samples = converter.convert(&block.data);
        self.packets.push(starts, samples, &mut |at, packet| match packet {
            Ok(data) => made.push((Timestamp::from_micros(at), data)),
            Err(error) => tracing::debug!(%error, "encoding audio as Opus failed"),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::BitsPerSecond;

    fn pcm() -> AudioConfig {
        AudioConfig {
            codec: AudioCodec::PcmS16Le,
            sample_rate: 48_000,
            channels: 2,
            bitrate: BitsPerSecond(0),
            codec_config: Bytes::new(),
        }
    }

    /// A packet of 20 ms.
    fn packet(number: i64) -> EncodedPacket {
        let at = Timestamp::from_millis(number * 20);
        EncodedPacket::received(Track::Audio, (at, at), true, Bytes::from(vec![7; 960 * 4]))
    }

    #[test]
    fn a_packet_is_encoded_once_for_all_targets() {
        let opus = SharedOpus::default();
        let one: Vec<Encoded> = (0..20).map(|it| opus.of(&pcm(), &packet(it)).unwrap()).collect();
        let total: usize = one.iter().map(|encoded| encoded.len()).sum();
        assert!((19..=20).contains(&total), "{total}");
        // Another target is behind.
        for (number, encoded) in one.iter().enumerate() {
            let other = opus.of(&pcm(), &packet(number as i64)).unwrap();
            assert!(Arc::ptr_eq(encoded, &other), "{number}");
        }
        // A target that began earlier has no audio there.
        assert!(opus.of(&pcm(), &packet(-5)).unwrap().is_empty());
    }

    #[test]
    fn what_is_kept_for_targets_that_are_behind_is_bounded() {
        let opus = SharedOpus::default();
        (0..1_100).for_each(|it| _ = opus.of(&pcm(), &packet(it)).unwrap());
        assert_eq!(opus.state.lock().kept.len(), MAX_KEPT_PACKETS);
        assert!(opus.of(&pcm(), &packet(3)).unwrap().is_empty());
    }

    #[test]
    fn audio_that_cannot_be_encoded_is_tried_once() {
        let broken = AudioConfig { channels: 0, sample_rate: 0, ..pcm() };
        let opus = SharedOpus::default();
        let first = opus.of(&broken, &packet(0)).unwrap_err();
        assert_eq!(opus.state.lock().failed, Some((broken.clone(), first.clone())));
        assert_eq!(opus.of(&broken, &packet(1)), Err(first.clone()));
        assert!(opus.packets(&broken, &packet(2)).is_empty());
        assert_eq!((opus.take_failure(), opus.take_failure()), (Some(first), None));
        assert!(opus.of(&pcm(), &packet(3)).is_ok() && opus.state.lock().failed.is_none());
    }

    #[test]
    fn opus_stays_as_it_is() {
        let config = AudioConfig { codec: AudioCodec::Opus, ..pcm() };
        let opus = SharedOpus::default();
        let encoded = opus.of(&config, &packet(3)).unwrap();
        assert_eq!(*encoded, [(packet(3).pts, packet(3).data)]);
    }
}
