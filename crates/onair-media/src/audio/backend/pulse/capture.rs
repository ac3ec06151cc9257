//! Captures one application. This module records each stream of the application separately
//! (`direct_on_input`) from the monitor of its sink, and adds new streams as they appear.

use std::collections::BTreeMap;
use std::time::Duration;

use pulseaudio::protocol::{
    ChannelMap, Command, CreateRecordStreamReply, GetSinkInfo, RecordStreamParams, SampleFormat,
    SampleSpec, SinkInfo, SinkInputInfo, SubscriptionMask,
    stream::{BufferAttr, StreamFlags},
};

use super::Owner;
use crate::audio::backend::pulse::link::{Link, ServerMessage, own_props};
use crate::audio::backend::pulse::mixdown::Mixdown;
use crate::audio::choice::is_application;
use crate::audio::system::{Fault, Sink, Stream};
use crate::base::{Stop, Timestamp, Worker};

/// Maximum number of streams of one application.
const MAX_STREAMS: usize = 32;
/// Maximum wait for audio between checks for streams.
const LISTEN_TIMEOUT: Duration = Duration::from_millis(20);
/// Interval between attempts to capture a stream, if the first attempt failed.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// Fragments per second.
const FRAGMENTS_PER_SECOND: u32 = 100;

/// Starts capturing the application or program with this name.
pub(in crate::audio::backend) fn record(
    name: &str,
    rate: u32,
    sink: Sink,
) -> Result<Box<dyn Stream>, Fault> {
    let mut link = Link::connect()?;
    link.order(&Command::Subscribe(SubscriptionMask::SINK_INPUT), &mut |_| ())?;
    let mut capture = Capture {
        name: name.to_owned(),
        rate,
        channels: sink.channels(),
        link,
        blend: Mixdown::new(rate, sink.channels(), sink.now()),
        streams: BTreeMap::new(),
        sink,
        stale: true,
        again: None,
    };
    capture.update()?;
    let state = capture.sink.capture_state();
    let body = move |stop: &Stop| {
        if let Err(fault) = capture.run(stop) {
            state.latch.set(|| fault.detail().to_owned());
        }
    };
    let worker = Worker::spawn("application-audio", body);
    let worker = worker.map_err(|error| Fault::Other(error.to_string()))?;
    Ok(Box::new(Running { _worker: worker }))
}

/// A running capture, which ends when it is dropped.
struct Running {
    _worker: Worker,
}

impl Stream for Running {}

struct Capture {
    name: String,
    rate: u32,
    channels: u16,
    link: Link,
    blend: Mixdown,
    /// The captured streams: the server's number and the channel of each.
    streams: BTreeMap<u32, u32>,
    sink: Sink,
    /// True if the list of streams may have changed since the last check.
    stale: bool,
    /// The time of the next attempt for streams that could not be captured.
    again: Option<Timestamp>,
}

impl Capture {
    fn run(&mut self, stop: &Stop) -> Result<(), Fault> {
        while !stop.is_set() {
            self.with(|link, aside| link.listen(LISTEN_TIMEOUT, aside))?;
            let (now, sink, rate) = (self.sink.now(), &mut self.sink, self.rate);
            let channels = self.channels;
            self.blend.pass(now, |samples| {
                let frames = samples.len() / usize::from(channels.max(1));
                let lasts = frames as i64 * 1_000_000 / i64::from(rate.max(1));
                sink.push(samples, channels, lasts);
            });
            if self.stale || self.again.is_some_and(|again| now >= again) {
                self.update()?;
            }
        }
        Ok(())
    }

    /// Sends a request to the server, and handles audio that arrives meanwhile.
    fn with<T>(
        &mut self,
        talk: impl FnOnce(&mut Link, &mut dyn FnMut(ServerMessage<'_>)) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let Self { link, blend, streams, sink, stale, .. } = self;
        let mut aside = |aside: ServerMessage<'_>| match aside {
            ServerMessage::Audio(channel, piece) => blend.hear(channel, piece, sink.now()),
            ServerMessage::Command(Command::SubscribeEvent(_)) => *stale = true,
            ServerMessage::Command(Command::RecordStreamKilled(channel)) => {
                // The stream ended, or plays on another sink now.
                streams.retain(|_, its| its != channel);
                blend.remove(*channel);
                *stale = true;
            }
            ServerMessage::Command(_) => {}
        };
        talk(link, &mut aside)
    }

    /// Captures new streams of the application, and drops ended ones.
    fn update(&mut self) -> Result<(), Fault> {
        (self.stale, self.again) = (false, None);
        let list: Vec<SinkInputInfo> =
            self.with(|link, aside| link.list(&Command::GetSinkInputInfoList, aside))?;
        let mut gone = Vec::new();
        self.streams.retain(|input, channel| {
            let stays = list.iter().any(|it| it.index == *input);
            if !stays {
                gone.push(*channel);
            }
            stays
        });
        for channel in gone {
            self.blend.remove(channel);
            self.end(channel)?;
        }
        for input in &list {
            let is_its = Owner::of(&input.props)
                .is_some_and(|owner| is_application(&self.name, &owner.name, &owner.program));
            let known = self.streams.contains_key(&input.index);
            if !is_its || known {
                continue;
            }
            if self.streams.len() >= MAX_STREAMS {
                break;
            }
            match self.begin(input) {
                Ok(channel) => {
                    self.streams.insert(input.index, channel);
                    self.blend.add(channel);
                }
                Err(fault @ Fault::Refused(_)) => return Err(fault),
                // The stream ended meanwhile, or is moving to another sink.
                Err(fault) => {
                    tracing::debug!(%fault, detail = fault.detail(), "capturing an application failed");
                    self.again = Some(self.sink.now() + RETRY_INTERVAL);
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, input: &SinkInputInfo) -> Result<u32, Fault> {
        let on = GetSinkInfo { index: Some(input.sink_index), name: None };
        let on: SinkInfo = self.with(|link, aside| link.ask(&Command::GetSinkInfo(on), aside))?;
        let (mono, frame) = (self.channels == 1, 4 * u32::from(self.channels));
        let params = RecordStreamParams {
            sample_spec: SampleSpec {
                format: SampleFormat::Float32Le,
                channels: u8::try_from(self.channels).unwrap_or(2),
                sample_rate: self.rate,
            },
            channel_map: if mono { ChannelMap::mono() } else { ChannelMap::stereo() },
            source_index: on.monitor_source_index,
            direct_on_input_index: Some(input.index),
            buffer_attr: BufferAttr {
                max_length: u32::MAX,
                fragment_size: self.rate / FRAGMENTS_PER_SECOND * frame,
                ..Default::default()
            },
            flags: StreamFlags { adjust_latency: true, ..Default::default() },
            props: own_props(),
            ..Default::default()
        };
        let reply: CreateRecordStreamReply =
            self.with(|link, aside| link.ask(&Command::CreateRecordStream(params), aside))?;
        Ok(reply.channel)
    }

    fn end(&mut self, channel: u32) -> Result<(), Fault> {
        let ended =
            self.with(|link, aside| link.order(&Command::DeleteRecordStream(channel), aside));
        match ended {
            // The server removed the stream first.
            Err(Fault::Absent(_)) | Ok(()) => Ok(()),
            Err(fault) => Err(fault),
        }
    }
}
