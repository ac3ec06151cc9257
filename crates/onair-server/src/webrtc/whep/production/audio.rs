//! Audio for browsers over WebRTC: Opus. Opus is passed on. Audio in other codecs is encoded once for all
//! viewers.

use bytes::Bytes;

use crate::decode::{self, AudioBackend, Converter};
use crate::encode::OpusPackets;
use crate::media::{AudioCodec, AudioConfig, EncodedPacket, SampleBlock};
use crate::text::Problem;
use crate::wire::container::audio::opus_lasts;
use crate::wire::webrtc::rtp::{self, opus};

/// The largest error of packet times, in µs: FLV has whole milliseconds.
const MAX_TIME_ERROR_MICROS: i64 = 2_000;

/// Makes Opus packets from an audio track.
pub(super) enum OpusSource {
    /// The audio is already Opus.
    Passthrough,
    Transcoded(Box<Transcoder>),
}

impl OpusSource {
    /// Creates a source for a track with this config.
    ///
    /// # Errors
    /// Fails if the codec cannot be decoded or encoded.
    pub fn open(config: &AudioConfig) -> Result<Self, Problem> {
        if config.codec == AudioCodec::Opus && config.channels <= 2 {
            return Ok(Self::Passthrough);
        }
        Ok(Self::Transcoded(Box::new(Transcoder::open(config)?)))
    }

    /// Calls `each` with each resulting packet and its presentation time.
    pub fn packet(&mut self, packet: &EncodedPacket, each: &mut dyn FnMut(i64, Bytes)) {
        match self {
            Self::Passthrough => each(packet.pts.as_micros(), packet.data.clone()),
            Self::Transcoded(transcoder) => transcoder.packet(packet, each),
        }
    }
}

/// Decodes audio, and encodes it as Opus.
pub(super) struct Transcoder {
    decoder: Box<dyn AudioBackend>,
    maker: OpusMaker,
}

/// Encodes audio of any rate as Opus.
pub(super) struct OpusMaker {
    /// The converter with the input format that it was created for.
    converter: Option<((u32, u16), Converter)>,
    packets: OpusPackets,
}

impl Transcoder {
    fn open(config: &AudioConfig) -> Result<Self, Problem> {
        let decoder = decode::open_audio(config).map_err(|error| Problem::from(&error))?;
        Ok(Self { decoder, maker: OpusMaker::open(config.channels)? })
    }

    fn packet(&mut self, packet: &EncodedPacket, each: &mut dyn FnMut(i64, Bytes)) {
        match self.decoder.decode(packet) {
            Ok(Some(block)) => self.maker.block(&block, each),
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, "decoding audio for WHEP failed"),
        }
    }
}

impl OpusMaker {
    /// Opens an encoder for audio with this number of channels. More than two are mixed to stereo.
    ///
    /// # Errors
    /// Fails if the encoder does not open.
    pub fn open(channels: u16) -> Result<Self, Problem> {
        let packets = OpusPackets::open(channels);
        let packets = packets.map_err(|error| Problem::words(error.to_string()))?;
        Ok(Self { converter: None, packets })
    }

    /// Calls `each` for every packet that this block completes, with its presentation time.
    pub fn block(&mut self, block: &SampleBlock, each: &mut dyn FnMut(i64, Bytes)) {
        let form = (block.rate, block.channels);
        if self.converter.as_ref().is_none_or(|(known, _)| *known != form) {
            let to = (OpusPackets::SAMPLE_RATE_HZ, self.packets.channels());
            match Converter::new(form, to) {
                Ok(converter) => self.converter = Some((form, converter)),
                Err(error) => return tracing::debug!(%error, "resampling audio for WHEP failed"),
            }
        }
        let Some((_, converter)) = &mut self.converter else { return };
        let held = i64::try_from(converter.held().as_micros()).unwrap_or(0);
        let starts = block.pts.as_micros() - held;
        let samples = converter.convert(&block.data);
        self.packets.push(starts, samples, &mut |at, packet| match packet {
            Ok(data) => each(at, data),
            Err(error) => tracing::debug!(%error, "encoding audio for WHEP failed"),
        });
    }
}

/// Joins packets in pairs for many listeners: each packet costs the same for each of them, however
/// long it is. The audio arrives one packet later.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    first: Option<(i64, Bytes)>,
}

impl Pairing {
    /// Returns the resulting packets of all packets that `make` passes on.
    pub fn packets(
        &mut self,
        joins: bool,
        make: impl FnOnce(&mut dyn FnMut(i64, Bytes)),
    ) -> Vec<(i64, Bytes)> {
        let mut packets = Vec::new();
        make(&mut |at, data| {
            self.packet((at, data), joins, &mut |at, data| packets.push((at, data)));
        });
        packets
    }

    /// Handles a packet with its presentation time, and calls `each` with each resulting packet. If
    /// `joins` is false, no packet waits for the next one.
    pub fn packet(
        &mut self,
        (at, data): (i64, Bytes),
        joins: bool,
        each: &mut dyn FnMut(i64, Bytes),
    ) {
        if let Some((first_at, first)) = self.first.take() {
            let lasts = opus_lasts(&first).map_or(0, |samples| micros(samples as usize));
            let follows = (at - first_at - lasts).abs() <= MAX_TIME_ERROR_MICROS;
            if let Some(joined) =
                follows.then(|| opus::join(&first, &data, rtp::MAX_PAYLOAD_BYTES)).flatten()
            {
                return each(first_at, joined);
            }
            each(first_at, first);
        }
        match joins {
            true => self.first = Some((at, data)),
            false => each(at, data),
        }
    }
}

/// Returns the duration of this many samples per channel, in microseconds.
fn micros(frames: usize) -> i64 {
    frames as i64 * 1_000_000 / i64::from(OpusPackets::SAMPLE_RATE_HZ)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::encode::OpusEncoder;
    use crate::media::{BitsPerSecond, Track};

    fn opus() -> AudioConfig {
        let config = Bytes::from_static(b"OpusHead\x01\x02\0\0\x80\xBB\0\0\0\0\0");
        let (codec, bitrate) = (AudioCodec::Opus, BitsPerSecond(0));
        AudioConfig {
            codec,
            sample_rate: OpusPackets::SAMPLE_RATE_HZ,
            channels: 2,
            bitrate,
            codec_config: config,
        }
    }

    fn packet(at: i64, data: Bytes) -> EncodedPacket {
        let at = Timestamp::from_micros(at);
        EncodedPacket::received(Track::Audio, (at, at), true, data)
    }

    #[test]
    fn a_click_keeps_its_time_whatever_the_rate_was() {
        for rate in [44_100_u32, 48_000, 32_000] {
            // This is uncompressed audio in packets of 10 ms, with a click at 500 ms.
            let config = AudioConfig {
                codec: AudioCodec::PcmS16Le,
                sample_rate: rate,
                channels: 2,
                bitrate: BitsPerSecond(0),
                codec_config: Bytes::new(),
            };
            let mut source = OpusSource::open(&config).unwrap();
            let mut decoder = decode::open_audio(&opus()).unwrap();
            let (mut click, mut packets) = ((0.0_f32, 0), Vec::new());
            let length = rate / 100;
            for number in 0..100 {
                let samples = (0..length).flat_map(|at| {
                    let value: i16 = if number == 50 && at < length / 5 { 20_000 } else { 0 };
                    [value.to_le_bytes(), value.to_le_bytes()].concat()
                });
                let data = Bytes::from(samples.collect::<Vec<u8>>());
                source.packet(
                    &packet(3_000_000 + i64::from(number) * 10_000, data),
                    &mut |at, data| {
                        packets.push(at);
                        let block = decoder.decode(&packet(at, data)).unwrap().unwrap();
                        for (index, value) in block.data.iter().step_by(2).enumerate() {
                            if value.abs() > click.0 {
                                click = (value.abs(), at + micros(index));
                            }
                        }
                    },
                );
            }
            assert!(packets.windows(2).all(|two| two[1] - two[0] == 20_000), "{packets:?}");
            assert!(click.0 > 0.2 && (click.1 - 3_501_000).abs() < 4_000, "{rate}: {click:?}");
        }
    }

    #[test]
    fn joined_packets_decode_to_the_audio_of_the_packets_that_they_replace() {
        let mut encoder = OpusEncoder::open(2, BitsPerSecond(128_000)).unwrap();
        let made: Vec<(i64, Bytes)> = (0..10)
            .map(|number: usize| {
                let sample = |at: usize| (at as f32 * 0.05).sin() * 0.5;
                let from = number * OpusEncoder::FRAME_SAMPLES;
                let frame: Vec<f32> = (from..from + OpusEncoder::FRAME_SAMPLES)
                    .flat_map(|at| [sample(at), sample(at / 2)])
                    .collect();
                (micros(from), encoder.encode(&frame).unwrap())
            })
            .collect();
        let decoded = |packets: &[(i64, Bytes)]| {
            let mut decoder = decode::open_audio(&opus()).unwrap();
            let blocks =
                packets.iter().map(|(at, data)| decoder.decode(&packet(*at, data.clone())));
            blocks.flat_map(|block| block.unwrap().unwrap().data.to_vec()).collect::<Vec<f32>>()
        };
        let mut pairing = Pairing::default();
        let mut got = Vec::new();
        let mut give = |packet: &(i64, Bytes), joins| {
            pairing.packet(packet.clone(), joins, &mut |at, data| got.push((at, data)));
        };
        // The crowd leaves after nine packets.
        made[..9].iter().for_each(|packet| give(packet, true));
        give(&made[9], false);
        let times: Vec<i64> = got.iter().map(|(at, _)| *at).collect();
        assert_eq!(times, [0, 40_000, 80_000, 120_000, 160_000]);
        assert_eq!(decoded(&got), decoded(&made));
    }

    #[test]
    fn packets_with_a_gap_between_them_are_not_joined() {
        let mut pairing = Pairing::default();
        let mut got = Vec::new();
        let data = Bytes::from_static(&[0xF8, 1]);
        // The fourth packet is late, and the sixth one comes when the crowd has gone.
        for (at, joins) in
            [(0, true), (21, true), (40, true), (90, true), (110, true), (130, false), (150, false)]
        {
            let packet = (at * 1_000, data.clone());
            pairing.packet(packet, joins, &mut |at, data| got.push((at / 1_000, data.len())));
        }
        assert_eq!(got, [(0, 4), (40, 2), (90, 4), (130, 2), (150, 2)]);
    }

    #[test]
    fn opus_is_passed_on() {
        let mut source = OpusSource::open(&opus()).unwrap();
        let mut got = Vec::new();
        source.packet(&packet(5, Bytes::from_static(b"x")), &mut |at, data| got.push((at, data)));
        assert_eq!(got, [(5, Bytes::from_static(b"x"))]);
    }
}
