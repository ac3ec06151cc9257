//! Encodes in an encoder process; see [`process`](crate::encode::backend::process).

use std::collections::VecDeque;

use crate::encode::backend::bitstream;
use crate::encode::backend::frame_times::FrameTimes;
use crate::encode::backend::process::{Client, Family, Packet, Trouble};
use crate::encode::backend::traits::{Description, VideoBackend};
use crate::encode::config;
use crate::encode::config::RateControl;
use crate::encode::error::Error;
use crate::encode::level::Level;
use crate::media::{
    BitsPerSecond, EncodedPacket, Planes, Priority, Rotation, Size, Track, TrackKind, VideoCodec,
    VideoConfig, VideoFrame,
};
use crate::text::problem::problem;

/// An encoder in a process.
pub(super) struct Encoder {
    client: Client,
    family: &'static Family,
    rate_control: RateControl,
    preset: Option<&'static str>,
    config: VideoConfig,
    /// The level of H.264.
    level: Option<Level>,
    profile: &'static str,
    /// The level for display.
    described: String,
    looks_ahead: bool,
    times: FrameTimes,
    ready: VecDeque<EncodedPacket>,
}

impl Encoder {
    pub(super) fn open(family: &'static Family, config: &config::Video) -> Result<Self, Error> {
        let Size { width, height } = config.size;
        if !config.size.is_valid() || width < 16 || height < 16 {
            return Err(Error::Config(problem!("encode-size")));
        }
        let encoder = family.choice.name();
        if let Some(trouble) = family.lack() {
            return Err(Error::Process { encoder, trouble });
        }
        let preset = family.preset(config);
        if let Some(name) = preset.filter(|name| !family.choice.presets().contains(name)) {
            let known = family.choice.presets();
            let name = problem!("encode-no-preset", preset = name, known = known);
            return Err(Error::Config(name));
        }
        family.check_ahead(config).map_err(Error::Config)?;
        let controls = family.rate_controls(config.rate_control);
        let mut refused = None;
        for rate_control in controls {
            let config = config::Video { rate_control, ..*config };
            match Self::open_with(family, &config, preset) {
                // Some drivers offer only some of the rate controls.
                Err(Error::Process { trouble, .. }) if trouble.is_about_settings() => {
                    refused.get_or_insert(Error::Process { encoder, trouble });
                }
                opened => return opened,
            }
        }
        Err(refused.unwrap_or(Error::NoBackend { kind: TrackKind::Video, tried: Vec::new() }))
    }

    /// Returns the rate control that is used.
    pub(super) fn rate_control(&self) -> RateControl {
        self.rate_control
    }

    fn open_with(
        family: &'static Family,
        config: &config::Video,
        preset: Option<&'static str>,
    ) -> Result<Self, Error> {
        let level = match family.codec {
            VideoCodec::H264 => {
                let level = Level::for_stream(config.size, config.frame_rate, config.bitrate);
                Some(level.ok_or_else(|| Error::Config(problem!("encode-level")))?)
            }
            _ => None,
        };
        let encoder = family.choice.name();
        let failed = |trouble| Error::Process { encoder, trouble };
        let named = level.map(|level| level.to_string()).unwrap_or_default();
        let open = || Client::open(family.task(config, &named)).map_err(failed);
        let mut client = open()?;
        let (codec, rate) = (family.codec, config.frame_rate);
        let codec_config = match bitstream::codec_config(encoder, codec, &client.header, rate) {
            Err(_) if family.is_hardware => {
                // Some drivers write the parameter sets only into the first packet.
                let mut first = Vec::new();
                let black = Planes::black(config.size);
                let mut each = |packet: Packet| first.extend(packet.data);
                let encoded = client.encode(0, true, &black, &mut each);
                encoded.and_then(|()| client.finish(&mut each)).map_err(failed)?;
                client = open()?;
                bitstream::codec_config(encoder, codec, &first, rate)?
            }
            made => made?,
        };
        let (profile, described) = bitstream::profile_and_level(codec, &codec_config);
        let described = if level.is_some() { named } else { described };
        tracing::debug!(library = client.library, "encoder process is open");
        let video = VideoConfig {
            codec,
            size: config.size,
            frame_rate: config.frame_rate,
            bitrate: config.bitrate,
            codec_config,
            pixel_aspect: None,
            rotation: Rotation::None,
        };
        Ok(Self {
            client,
            family,
            rate_control: config.rate_control,
            preset,
            config: video,
            level,
            profile,
            described,
            looks_ahead: config.look_ahead > 0,
            times: FrameTimes::new(config.b_frames > 0, config.frame_rate.period()),
            ready: VecDeque::new(),
        })
    }

    fn failed(&self, trouble: Trouble) -> Error {
        Error::Process { encoder: self.family.choice.name(), trouble }
    }

    /// Accepts packets of the process. Packets that cannot be, such as those of unknown frames, are
    /// garbage.
    fn accept(&mut self, packets: Vec<Packet>) -> Result<(), Error> {
        for packet in packets {
            let Some((pts, dts)) = self.times.take(packet.number, packet.dts) else {
                return Err(self.failed(Trouble::Garbage));
            };
            let data = bitstream::packet(self.family.codec, &packet.data);
            if data.is_empty() {
                return Err(self.failed(Trouble::Garbage));
            }
            self.ready.push_back(EncodedPacket {
                track: Track::Video,
                pts,
                dts,
                keyframe: packet.key,
                priority: match packet.key {
                    true => Priority::Key,
                    false if bitstream::is_disposable(self.family.codec, &data) => {
                        Priority::Disposable
                    }
                    false => Priority::Inter,
                },
                data,
                captured: pts,
                rendition: None,
            });
        }
        Ok(())
    }
}

impl VideoBackend for Encoder {
    fn send_frame(&mut self, frame: &VideoFrame, key: bool) -> Result<(), Error> {
        let (expected, got) = (self.config.size, frame.size());
        if got != expected {
            return Err(Error::Size { expected, got });
        }
        let Some(number) = self.times.add(frame.pts) else {
            return Err(self.failed(Trouble::Garbage));
        };
        let mut packets = Vec::new();
        let encoded =
            self.client.encode(number, key, frame.planes(), &mut |packet| packets.push(packet));
        encoded.map_err(|trouble| self.failed(trouble))?;
        self.accept(packets)
    }

    fn receive_packet(&mut self) -> Result<Option<EncodedPacket>, Error> {
        Ok(self.ready.pop_front())
    }

    fn finish(&mut self) -> Result<(), Error> {
        let mut packets = Vec::new();
        let finished = self.client.finish(&mut |packet| packets.push(packet));
        finished.map_err(|trouble| self.failed(trouble))?;
        self.accept(packets)
    }

    fn set_bitrate(&mut self, bitrate: BitsPerSecond) -> Result<BitsPerSecond, Error> {
        let bitrate = self.level.map_or(bitrate, |level| bitrate.min(level.max_bitrate()));
        let options = self.family.rate_options(self.rate_control, bitrate, self.looks_ahead);
        self.client.change(options).map_err(|trouble| self.failed(trouble))?;
        Ok(bitrate)
    }

    fn changes_bitrate(&self) -> bool {
        self.family.changes_bitrate
    }

    fn config(&self) -> &VideoConfig {
        &self.config
    }

    fn description(&self) -> Description {
        Description {
            name: self.family.choice.name(),
            profile: self.profile,
            level: self.described.clone(),
            preset: self.preset,
        }
    }
}
