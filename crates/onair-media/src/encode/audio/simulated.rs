//! The thread of the audio encoder with an uncompressed codec at any rate, for tests of the whole
//! path (`studio/program/lip_sync_tests.rs`). Like the real encoder, the codec counts samples, has
//! no clock, and begins before its input.

use super::*;
use crate::media::{AudioCodec, BitsPerSecond};
use crate::wire::codec::aac::AudioSpecificConfig;

/// Samples per channel in a packet.
const PACKET_SAMPLES: usize = 32;

struct Bare {
    config: AudioConfig,
    waiting: Vec<i16>,
    made: i64,
}

impl Bare {
    fn give(&mut self, each: &mut dyn FnMut(Block)) {
        let length = PACKET_SAMPLES * usize::from(self.config.channels);
        while self.waiting.len() >= length {
            let data =
                self.waiting.drain(..length).flat_map(|sample| sample.to_le_bytes()).collect();
            each(Block { data, start: self.made - PACKET_SAMPLES as i64 });
            self.made += PACKET_SAMPLES as i64;
        }
    }
}

impl AudioBackend for Bare {
    fn encode(&mut self, pcm: &[i16], each: &mut dyn FnMut(Block)) -> Result<(), Error> {
        self.waiting.extend_from_slice(pcm);
        self.give(each);
        Ok(())
    }

    fn flush(&mut self, _: &mut dyn FnMut(Block)) -> Result<(), Error> {
        Ok(())
    }

    fn block_len(&self) -> usize {
        PACKET_SAMPLES
    }

    fn config(&self) -> &AudioConfig {
        &self.config
    }

    fn description(&self) -> Description {
        Description { name: "bare", profile: "", level: String::new(), preset: None }
    }
}

/// Returns the audio config of these packets: AAC, which the player does not use here.
pub fn audio_config(sample_rate: u32, channels: u16) -> AudioConfig {
    let codec_config = AudioSpecificConfig::lc(sample_rate, channels).and_then(|it| it.build());
    let bitrate = BitsPerSecond(sample_rate * u32::from(channels) * 16);
    let codec_config = codec_config.unwrap_or_default();
    AudioConfig { codec: AudioCodec::Aac, sample_rate, channels, bitrate, codec_config }
}

/// Starts the thread, which ends with its input. `repaired` counts the samples that were inserted
/// or dropped to stay in sync.
pub fn spawn(
    audio_config: AudioConfig,
    input: queue::Receiver<SampleBlock>,
    output: queue::Sender<EncodedPacket>,
    repaired: Arc<AtomicU64>,
) -> Worker {
    let AudioConfig { sample_rate, channels, bitrate, .. } = audio_config;
    let profile = AudioProfile::Lc;
    let config = Config { sample_rate, channels, bitrate, profile };
    Worker::spawn("bare-aenc", move |stop| {
        let waiting = vec![0; PACKET_SAMPLES * usize::from(channels)];
        let mut backend = Bare { config: audio_config, waiting, made: 0 };
        let shared = Shared::default();
        let mut street = EncoderThread::new(config, Track::Audio, &mut backend, &shared, &output);
        street.run(&input, stop).unwrap();
        let [filled, skipped] = [&shared.filled, &shared.skipped];
        let all = filled.load(Ordering::Relaxed) + skipped.load(Ordering::Relaxed);
        repaired.store(all, Ordering::Relaxed);
    })
    .unwrap()
}
