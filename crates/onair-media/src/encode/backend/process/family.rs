//! An encoder of FFmpeg's libraries, and how onair opens it. An option whose name begins with `?` may
//! be missing in the library, or not accept its value.

use crate::encode::backend::process::trouble::Trouble;
use crate::encode::backend::process::wire::Task;
use crate::encode::config::{Choice, Preset, RateControl, Video};
use crate::media::{BitsPerSecond, VideoCodec};
use crate::text::Problem;
use crate::text::problem::problem;

/// Options with their values.
pub(super) type Options = Vec<(&'static str, String)>;

/// An encoder of the library.
#[derive(Debug)]
pub(in crate::encode) struct Family {
    pub choice: Choice,
    pub codec: VideoCodec,
    /// The name in FFmpeg.
    pub(super) encoder: &'static str,
    /// The name for display.
    pub library: &'static str,
    pub is_hardware: bool,
    /// True if the bitrate of the open encoder can be changed.
    pub changes_bitrate: bool,
    /// Options that are always the same.
    pub(super) fixed: &'static [(&'static str, &'static str)],
    /// The layout of the frames in FFmpeg: `yuv420p`, `nv12`, or, for frames in the memory of the graphics card,
    /// `vaapi` or `vulkan`.
    pub(super) pixels: &'static str,
    /// The name of the option for the preset.
    pub(super) preset_option: &'static str,
    /// What the computer must have.
    pub(super) needs: Requirement,
    /// Returns the options of a configuration. `level` is the level of H.264, such as `3.1`.
    pub(super) options: fn(&Video, &str) -> Options,
    /// Returns the options of a rate control, for an encoder that looks ahead or not.
    pub(super) rate: fn(RateControl, u64, bool) -> Options,
}

/// What an encoder needs beside the library.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Requirement {
    Nothing,
    /// A file in this folder whose name begins like this, which is a device.
    Device(&'static str, &'static str),
    /// A device like that, or a driver that the user has chosen with this variable of the environment, which may need
    /// none.
    DeviceOrDriver(&'static str, &'static str, &'static str),
    /// This operating system, which is another one.
    System(&'static str),
}

/// Returns the options of a rate control that most encoders have.
pub(super) fn usual_rate(control: RateControl, bits: u64) -> Options {
    let of = |values: &[(&'static str, u64)]| -> Options {
        values.iter().map(|(name, value)| (*name, value.to_string())).collect()
    };
    match control {
        // The buffer is what a second may exceed the bitrate by.
        RateControl::Cbr => of(&[("b", bits), ("maxrate", bits), ("bufsize", bits / 2)]),
        RateControl::Vbr => of(&[("b", bits), ("maxrate", bits * 3 / 2), ("bufsize", bits * 2)]),
        RateControl::Crf(quality) | RateControl::Cq(quality) => {
            of(&[("crf", quality.into()), ("maxrate", bits), ("bufsize", bits)])
        }
    }
}

impl Family {
    /// Returns the preset of a configuration.
    pub fn preset(&self, config: &Video) -> Option<&'static str> {
        match config.preset {
            Preset::Auto => self.choice.usual_preset(),
            Preset::Named(name) => Some(name),
        }
    }

    /// Fails if the encoder does not offer this number of B-frames or frames to look ahead.
    pub fn check_ahead(&self, config: &Video) -> Result<(), Problem> {
        let encoder = self.choice.name();
        let (b_frames, look_ahead) = (self.choice.max_b_frames(), self.choice.max_look_ahead());
        let (b_most, ahead_most) = (b_frames.to_string(), look_ahead.to_string());
        Err(match (b_frames, look_ahead) {
            (0, _) if config.b_frames > 0 => problem!("encode-b-frames-none", encoder = encoder),
            (most, _) if config.b_frames > most => {
                problem!("encode-b-frames", encoder = encoder, most = b_most)
            }
            (_, 0) if config.look_ahead > 0 => {
                problem!("encode-look-ahead-none", encoder = encoder)
            }
            (_, most) if config.look_ahead > most => {
                problem!("encode-look-ahead", encoder = encoder, most = ahead_most)
            }
            _ => return Ok(()),
        })
    }

    /// Returns the rate controls to try for one that was chosen, the best first.
    pub fn rate_controls(&self, control: RateControl) -> Vec<RateControl> {
        let first = match (self.choice, control) {
            (Choice::SvtAv1, RateControl::Vbr) => RateControl::Cbr,
            _ => control,
        };
        let mut all = vec![first];
        if self.is_hardware {
            // Some drivers offer only some of them.
            let more = [RateControl::Vbr, RateControl::Cq(RateControl::USUAL_CRF)];
            let is_later = |it: &RateControl| {
                !matches!((first, it), (RateControl::Cq(_) | RateControl::Crf(_), _))
                    && *it != first
            };
            all.extend(more.into_iter().filter(is_later));
        }
        all
    }

    /// Returns the reason why the encoder cannot work on this computer, if that is clear without
    /// trying.
    pub fn lack(&self) -> Option<Trouble> {
        match self.needs {
            Requirement::Nothing => None,
            Requirement::System(name) => Some(Trouble::OtherSystem { name }),
            Requirement::Device(folder, start) => no_device(folder, start),
            Requirement::DeviceOrDriver(folder, start, variable) => {
                no_device(folder, start).filter(|_| std::env::var_os(variable).is_none())
            }
        }
    }

    /// Returns the task for the process. `level` is the level of H.264, such as `3.1`.
    pub(in crate::encode) fn task(&self, config: &Video, level: &str) -> Task {
        let (size, rate) = (config.size, config.frame_rate);
        // The keyframes come on request. This is the library's own limit, which is never reached.
        let most = 2.0 * config.keyframe_interval.as_secs_f64() * rate.as_f64();
        let mut options = vec![
            ("video_size", size.to_string()),
            ("time_base", format!("{}/{}", rate.den(), rate.num())),
            ("pixel_format", self.pixels.to_owned()),
            // The color space of the program.
            ("color_primaries", "bt709".to_owned()),
            ("color_trc", "bt709".to_owned()),
            ("colorspace", "bt709".to_owned()),
            ("color_range", "tv".to_owned()),
            ("?chroma_sample_location", "left".to_owned()),
            ("flags", "+global_header".to_owned()),
            ("g", format!("{:.0}", most.clamp(2.0, 100_000.0))),
            ("bf", config.b_frames.to_string()),
        ];
        options.extend(self.preset(config).map(|preset| (self.preset_option, preset.to_owned())));
        options.extend(self.fixed.iter().map(|(name, value)| (*name, (*value).to_owned())));
        options.extend((self.options)(config, level));
        let mut options = owned(options);
        options.extend(owned((self.rate)(
            config.rate_control,
            config.bitrate.0.into(),
            config.look_ahead > 0,
        )));
        let (encoder, is_hardware) = (self.encoder.to_owned(), self.is_hardware);
        Task { encoder, is_hardware, size, frame_rate: rate, options }
    }

    /// Returns the options that change the bitrate of the open encoder.
    pub(in crate::encode) fn rate_options(
        &self,
        control: RateControl,
        bitrate: BitsPerSecond,
        looks_ahead: bool,
    ) -> Vec<(String, String)> {
        let mut options = (self.rate)(control, bitrate.0.into(), looks_ahead);
        options.retain(|(name, _)| matches!(*name, "b" | "maxrate" | "bufsize"));
        owned(options)
    }
}

fn owned(options: Options) -> Vec<(String, String)> {
    options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Returns the reason if a folder has no file whose name begins like this.
fn no_device(folder: &str, start: &str) -> Option<Trouble> {
    let mut found = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_it = |entry: std::fs::DirEntry| entry.file_name().to_string_lossy().starts_with(start);
    let device = format!("{folder}/{start}");
    (!found.any(is_it)).then_some(Trouble::NoDevice { device })
}
