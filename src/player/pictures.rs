//! The video thread: packets become pictures, as fast as the presenter takes them.

use std::sync::Arc;
use std::time::Duration;

use crate::base::queue;
use crate::base::{Stop, Timestamp};
use crate::decode::{self, VideoBackend};
use crate::media::{EncodedPacket, VideoFrame, VideoParameters};
use crate::player::odd::Odd;
use crate::player::packets::{Popped, Unit};
use crate::player::shared::Shared;
use crate::player::{Failure, Kind, Severity};

/// Pictures that wait to be shown, beyond what the decoder itself holds back.
pub(super) const DEPTH: usize = 6;

/// Without a picture that begins anew for so long, it begins anywhere; and that is said.
const LONG: Duration = Duration::from_secs(2);
const GIVE_UP: Duration = Duration::from_secs(5);

/// A picture, and how often playing had begun elsewhere before it (`Packets::restart`).
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) generation: u32,
    pub(super) frame: VideoFrame,
}

/// Decodes until the packets end or the presenter is gone.
pub(super) fn run(shared: &Arc<Shared>, stop: &Stop, pictures: &queue::Sender<Decoded>) {
    let mut thread = Decoding {
        shared,
        decoder: None,
        parameters: None,
        told_damage: false,
        generation: 0,
        waiting: Waiting::default(),
    };
    while !stop.is_set() && !shared.stop.is_set() {
        let (generation, popped) = shared.video.pop(Duration::from_millis(100));
        if generation != thread.generation {
            // Another place of the stream: nothing of the one before is wanted.
            thread.generation = generation;
            if let Some(decoder) = &mut thread.decoder {
                drop(decoder.flush());
                decoder.reset();
            }
        }
        let ready = match popped {
            Popped::Unit(unit) => thread.take(unit),
            Popped::Nothing => continue,
            Popped::Closed => {
                let rest = thread.decoder.as_mut().map(|decoder| decoder.flush());
                thread.send(rest.unwrap_or_default(), pictures);
                return;
            }
        };
        if !thread.send(ready, pictures) {
            return;
        }
    }
}

struct Decoding<'a> {
    shared: &'a Shared,
    decoder: Option<Box<dyn VideoBackend>>,
    parameters: Option<VideoParameters>,
    told_damage: bool,
    /// Of the packets that are being decoded.
    generation: u32,
    waiting: Waiting,
}

/// Pictures that come and cannot be decoded, because none before them was.
#[derive(Debug, Default)]
struct Waiting {
    since: Option<Timestamp>,
    /// It begins wherever it can.
    anywhere: bool,
}

impl Decoding<'_> {
    fn take(&mut self, unit: Unit<VideoParameters>) -> Vec<VideoFrame> {
        match unit {
            Unit::Configure(parameters) => self.configure(parameters),
            Unit::Gap => {
                let Some(decoder) = &mut self.decoder else { return Vec::new() };
                let rest = decoder.flush();
                decoder.reset();
                rest
            }
            Unit::Seam(_) => Vec::new(),
            Unit::Packet(packet) => {
                let frames = self.decode(&packet);
                self.begin_anywhere(&packet, frames)
            }
        }
    }

    fn decode(&mut self, packet: &EncodedPacket) -> Vec<VideoFrame> {
        let Some(decoder) = &mut self.decoder else { return Vec::new() };
        let began = self.shared.clock.now();
        match decoder.decode(packet) {
            Ok(frames) => {
                let took = self.shared.clock.now().since(began);
                let pixels = frames.iter().map(|frame| frame.size().pixels()).sum();
                if let Some(parameters) = &self.parameters {
                    self.shared.ability.note(parameters.codec, pixels, took);
                }
                frames
            }
            Err(error) => {
                self.damaged(&error);
                Vec::new()
            }
        }
    }

    /// Streams whose pictures are renewed bit by bit, or whose keyframes are not the strict kind, never
    /// give what the decoder waits for: where such a keyframe comes, and else after a while, it begins
    /// where it is, with a decoder that knows when the picture is whole, if there is one.
    fn begin_anywhere(
        &mut self,
        packet: &EncodedPacket,
        frames: Vec<VideoFrame>,
    ) -> Vec<VideoFrame> {
        let Some(decoder) = &mut self.decoder else { return frames };
        if !frames.is_empty() {
            self.waiting = Waiting::default();
            return frames;
        }
        let waits = decoder.is_waiting();
        if !waits && !self.waiting.anywhere {
            self.waiting.since = None;
            return frames;
        }
        let for_so_long = packet.dts.since(*self.waiting.since.get_or_insert(packet.dts));
        if for_so_long >= GIVE_UP {
            self.shared.odd(&Odd::NoKeyframe);
        }
        if !waits || self.waiting.anywhere || !(packet.keyframe || for_so_long >= LONG) {
            return frames;
        }
        self.waiting.anywhere = true;
        let system = self.parameters.as_ref().and_then(decode::open_tolerant);
        if let Some(system) = system {
            tracing::debug!("no picture begins anew: the system's decoder goes on");
            *decoder = system;
            decoder.name().clone_into(&mut self.shared.figures.lock().video);
        }
        decoder.begin_anywhere();
        self.decode(packet)
    }

    fn configure(&mut self, parameters: VideoParameters) -> Vec<VideoFrame> {
        // Encoders repeat their configuration: that is no change.
        if self.decoder.is_some()
            && self.parameters.as_ref().is_some_and(|known| {
                (known.codec, &known.config) == (parameters.codec, &parameters.config)
            })
        {
            return Vec::new();
        }
        let rest = self.decoder.as_mut().map(|decoder| decoder.flush()).unwrap_or_default();
        let before = self.parameters.as_ref().map(|known| known.codec);
        self.waiting = Waiting::default();
        match decode::open_preferred(&parameters, self.shared.prefer) {
            Ok(mut decoder) => {
                if self.parameters.is_none() {
                    // Its first picture is mostly still on its way.
                    decoder.prepare();
                }
                if before.is_some_and(|before| before != parameters.codec) {
                    self.shared.odd(&Odd::ChangedCodec(decoder.name().to_owned()));
                }
                let mut figures = self.shared.figures.lock();
                decoder.name().clone_into(&mut figures.video);
                figures.decoder = Some(decoder.by());
                drop(figures);
                self.decoder = Some(decoder);
                self.parameters = Some(parameters);
            }
            Err(error) if error.is_final() => self.shared.fail(Failure::new(
                Kind::Codec,
                format!("the picture cannot be shown: {error}"),
                "Ask the broadcaster for H.264 video of 8 bits, 4:2:0, not interlaced; with FFmpeg's \
                 libraries (onair devices lists what they decode) other kinds can be shown too.",
            )),
            Err(error) => {
                // The next configuration may be whole.
                self.decoder = None;
                self.damaged(&error);
            }
        }
        rest
    }

    fn damaged(&mut self, error: &decode::Error) {
        self.shared.figures.lock().damaged += 1;
        if !self.told_damage {
            self.told_damage = true;
            self.shared.say(
                "player-damaged-picture",
                Severity::Warning,
                "Part of the picture arrives damaged and is left out.",
                "",
                error.to_string(),
            );
        }
    }

    /// False once the presenter is gone.
    fn send(&self, frames: Vec<VideoFrame>, pictures: &queue::Sender<Decoded>) -> bool {
        if frames.is_empty() {
            return true;
        }
        let mut figures = self.shared.figures.lock();
        figures.decoded += frames.len() as u64;
        // What is made of HDR, and whether hardware helps, is known with the pictures only.
        if let Some(decoder) = &self.decoder {
            figures.decoder = Some(decoder.by());
            if figures.video != decoder.name() {
                decoder.name().clone_into(&mut figures.video);
            }
        }
        drop(figures);
        let generation = self.generation;
        frames.into_iter().all(|frame| pictures.send(Decoded { generation, frame }).is_ok())
    }
}
