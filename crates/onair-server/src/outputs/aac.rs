//! Encodes the Opus of a stream as AAC for receivers without Opus, on a separate thread for each such stream, while it has
//! such receivers (`stream/receivers`).

use std::sync::Arc;
use std::time::Duration;

use crate::base::worker::Worker;
use crate::base::{Timestamp, sandbox};
use crate::decode::{self, AudioBackend, Converter};
use crate::encode::AacPackets;
use crate::media::{
    AudioCodec, AudioConfig, Codec, EncodedPacket, StreamEvent, Track, TrackConfig,
};
use crate::server::registry::Registry;
use crate::server::stream::Stream;
use crate::server::stream::message::Message;
use crate::server::stream::message_sink::{Arrival, MessageSink};
use crate::server::stream::receivers::aac_need::AacBody;
use crate::server::stream::sink::Sink as _;
use crate::text::Problem;
use crate::wire::container::flv::events::TagEvent;
use crate::wire::container::flv::reader::Reader;
use crate::wire::container::flv::tag_body::{config_body, packet_body};
use crate::wire::container::flv::{Tag, TagKind};

/// Interval between checks for remaining receivers.
const RECEIVER_CHECK_INTERVAL: Duration = Duration::from_millis(200);
/// Duration for which a thread continues without receivers, for a player that connects again.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum number of streams per core. The AAC of a stream takes about one hundredth of a core.
const MAX_STREAMS_PER_CORE: usize = 32;
/// The sample rate of all AAC, which is that of Opus.
const SAMPLE_RATE_HZ: u32 = 48_000;

/// Starts threads for streams that need AAC, until the server ends.
pub(crate) async fn run(registry: Arc<Registry>) {
    let wanted = Arc::clone(&registry.aac.wanted);
    loop {
        tokio::select! {
            () = registry.stopped() => return,
            () = wanted.notified() => {}
        }
        for stream in registry.streams() {
            if stream.claim_aac() {
                begin(&registry, &stream);
            }
        }
    }
}

/// Starts the thread of a stream.
fn begin(registry: &Arc<Registry>, stream: &Arc<Stream>) {
    let mut workers = registry.aac.workers.lock();
    workers.retain(|worker| !worker.is_finished());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if workers.len() >= cores * MAX_STREAMS_PER_CORE {
        tracing::warn!(stream.app, stream.name, "too many streams need AAC");
        return stream.fail_aac();
    }
    let (its_registry, its) = (Arc::clone(registry), Arc::clone(stream));
    // The thread decodes audio from untrusted clients.
    let worker = Worker::spawn("aac", move |_| {
        sandbox::video_decoder();
        work(&its_registry, &its);
    });
    match worker {
        Ok(worker) => workers.push(worker),
        Err(error) => {
            tracing::warn!(%error, "starting a thread for AAC failed");
            stream.fail_aac();
        }
    }
}

/// Encodes until there are no more receivers.
fn work(registry: &Registry, stream: &Arc<Stream>) {
    let sink = MessageSink::new(registry.next_id(), registry.config.limits.queue_bytes);
    stream.join(Arc::<MessageSink>::clone(&sink));
    // A publisher that begins after this line is in the queue. One that began just before must not be missed.
    let mut epoch = stream.aac_need().0;
    let mut maker = AacMaker::new();
    let mut bodies = Vec::new();
    let mut needed: Timestamp = registry.clock.now();
    while !registry.is_stopping() {
        sink.wait(RECEIVER_CHECK_INTERVAL);
        for arrival in sink.take() {
            let result = match &arrival {
                Arrival::Message(message) => maker.message(message, &mut bodies),
                Arrival::Back => {
                    maker = AacMaker::new();
                    bodies.clear();
                    epoch = stream.aac_need().0;
                    Ok(())
                }
                // The gap is filled with silence.
                Arrival::Gone | Arrival::Lost { .. } => Ok(()),
            };
            if let Err(why) = result {
                tracing::warn!(%why, stream.app, stream.name, "encoding AAC failed");
                stream.fail_aac();
                return leave(registry, stream, &sink);
            }
        }
        if !bodies.is_empty() {
            stream.add_aac(epoch, std::mem::take(&mut bodies));
        }
        let now = registry.clock.now();
        if stream.aac_need().1 {
            needed = now;
        } else if now.since(needed) >= IDLE_TIMEOUT && stream.end_aac() {
            break;
        }
    }
    leave(registry, stream, &sink);
}

fn leave(registry: &Registry, stream: &Stream, sink: &MessageSink) {
    stream.leave(sink.id());
    registry.tidy(stream);
}

/// Makes AAC bodies from the messages of one publisher.
struct AacMaker {
    reader: Reader,
    transcoder: Option<(AudioConfig, Transcoder)>,
    /// The time of the last body in µs.
    last: Option<i64>,
}

struct Transcoder {
    decoder: Box<dyn AudioBackend>,
    /// The converter with the input format that it was created for.
    converter: Option<((u32, u16), Converter)>,
    packets: AacPackets,
}

impl AacMaker {
    fn new() -> Self {
        Self { reader: Reader::of_known_tracks(|_| false), transcoder: None, last: None }
    }

    /// Takes a message, and adds the resulting bodies.
    ///
    /// # Errors
    /// Fails if the audio cannot be decoded or encoded at all.
    fn message(&mut self, message: &Message, bodies: &mut Vec<AacBody>) -> Result<(), Problem> {
        if message.kind != TagKind::Audio {
            return Ok(());
        }
        let (kind, time_ms) = (message.kind, message.time_ms);
        let read = self.reader.read(Tag { kind, time_ms, body: message.body() });
        for event in read.events.into_iter().flatten() {
            match event {
                TagEvent::Event(StreamEvent::Config(TrackConfig::Audio(config))) => {
                    self.configure(config, time_ms, bodies)?;
                }
                TagEvent::Event(StreamEvent::Packet(packet)) if packet.track == Track::Audio => {
                    self.packet(&packet, bodies)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn configure(
        &mut self,
        config: AudioConfig,
        time_ms: u32,
        bodies: &mut Vec<AacBody>,
    ) -> Result<(), Problem> {
        if config.codec != AudioCodec::Opus {
            self.transcoder = None;
            return Ok(());
        }
        if self.transcoder.as_ref().is_some_and(|(known, _)| *known == config) {
            return Ok(());
        }
        let transcoder = Transcoder::open(&config)?;
        let aac = TrackConfig::Audio(transcoder.packets.config().clone());
        bodies.extend(config_body(&aac).map(|body| AacBody { time_ms, body, is_config: true }));
        self.transcoder = Some((config, transcoder));
        Ok(())
    }

    fn packet(&mut self, packet: &EncodedPacket, bodies: &mut Vec<AacBody>) -> Result<(), Problem> {
        let Some((_, transcoder)) = &mut self.transcoder else { return Ok(()) };
        let last = &mut self.last;
        transcoder.packet(packet, &mut |packet| {
            let micros = packet.pts.as_micros();
            // Receivers want increasing times, also when the publisher's clock goes back a little.
            if last.is_some_and(|last| (0..1_000_000).contains(&(last - micros))) {
                return;
            }
            *last = Some(micros);
            // Times are modulo 2^32 in FLV and RTMP.
            let time_ms = ((micros + 500) / 1_000).rem_euclid(1 << 32) as u32;
            let body = packet_body(Codec::Audio(AudioCodec::Aac), packet);
            bodies.extend(body.map(|body| AacBody { time_ms, body, is_config: false }));
        })
    }
}

impl Transcoder {
    fn open(config: &AudioConfig) -> Result<Self, Problem> {
        let decoder = decode::open_audio(config).map_err(|error| Problem::from(&error))?;
        let packets = AacPackets::open(SAMPLE_RATE_HZ, config.channels.clamp(1, 2));
        let packets = packets.map_err(|error| Problem::words(error.to_string()))?;
        Ok(Self { decoder, converter: None, packets })
    }

    fn packet(
        &mut self,
        packet: &EncodedPacket,
        each: &mut dyn FnMut(&EncodedPacket),
    ) -> Result<(), Problem> {
        let block = match self.decoder.decode(packet) {
            Ok(Some(block)) => block,
            Ok(None) => return Ok(()),
            Err(error) => {
                tracing::debug!(%error, "decoding Opus for AAC failed");
                return Ok(());
            }
        };
        let form = (block.rate, block.channels);
        if self.converter.as_ref().is_none_or(|(known, _)| *known != form) {
            let to = (SAMPLE_RATE_HZ, self.packets.config().channels);
            let converter = Converter::new(form, to);
            let converter = converter.map_err(Problem::words)?;
            self.converter = Some((form, converter));
        }
        let Some((_, converter)) = &mut self.converter else { return Ok(()) };
        let held = i64::try_from(converter.held().as_micros()).unwrap_or(0);
        let starts = Timestamp::from_micros(block.pts.as_micros() - held);
        let samples = converter.convert(&block.data);
        let pushed = self.packets.push(starts, samples, &mut |at, data| {
            each(&EncodedPacket::received(Track::Audio, (at, at), true, data));
        });
        pushed.map_err(|error| Problem::words(error.to_string()))
    }
}
