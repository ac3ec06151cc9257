//! The encoders of FFmpeg's libraries that onair knows, and the options with which onair opens
//! them. An option whose name begins with `?` may be missing in the library, or not accept its
//! value.

use crate::encode::backend::process::wire::Task;
use crate::encode::config::{Choice, Preset, RateControl, Video};
use crate::media::BitsPerSecond;

/// An encoder of the library.
#[derive(Debug)]
pub(in crate::encode) struct Family {
    pub choice: Choice,
    /// The name in FFmpeg.
    encoder: &'static str,
    /// The name for display.
    pub library: &'static str,
    pub is_hardware: bool,
    /// Options that are always the same.
    fixed: &'static [(&'static str, &'static str)],
}

/// All encoders.
pub(in crate::encode) const FAMILIES: &[Family] = &[Family {
    choice: Choice::X264,
    encoder: "libx264",
    library: "x264",
    is_hardware: false,
    fixed: &[
        // Neither look-ahead nor B-frames, so the packet of a frame is ready at once.
        ("tune", "zerolatency"),
        ("profile", "high"),
        ("forced-idr", "1"),
    ],
}];

/// Returns the encoder of a choice.
pub(in crate::encode) fn family(choice: Choice) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.choice == choice)
}

/// Maximum number of threads of a software encoder. With more, the slices of a frame become so small
/// that the quality suffers.
const MAX_THREADS: usize = 6;

impl Family {
    /// Returns the preset of a configuration.
    pub fn preset(&self, config: &Video) -> Option<&'static str> {
        match config.preset {
            Preset::Auto => self.choice.usual_preset(),
            Preset::Named(name) => Some(name),
        }
    }

    /// Returns the task for the process. `level` is the level of H.264, such as `3.1`.
    pub(in crate::encode) fn task(&self, config: &Video, level: &str) -> Task {
        let (size, rate) = (config.size, config.frame_rate);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // The keyframes come on request. This is the library's own limit, which is never reached.
        let most = 2.0 * config.keyframe_interval.as_secs_f64() * rate.as_f64();
        let mut options = vec![
            ("video_size", size.to_string()),
            ("time_base", format!("{}/{}", rate.den(), rate.num())),
            ("pixel_format", "yuv420p".to_owned()),
            // The color space of the program.
            ("color_primaries", "bt709".to_owned()),
            ("color_trc", "bt709".to_owned()),
            ("colorspace", "bt709".to_owned()),
            ("color_range", "tv".to_owned()),
            ("?chroma_sample_location", "left".to_owned()),
            ("flags", "+global_header".to_owned()),
            ("g", format!("{:.0}", most.clamp(2.0, 100_000.0))),
            ("bf", "0".to_owned()),
            ("threads", cores.min(MAX_THREADS).to_string()),
            ("level", level.to_owned()),
        ];
        options.extend(self.preset(config).map(|preset| ("preset", preset.to_owned())));
        options.extend(self.fixed.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let mut options: Vec<_> =
            options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        if let RateControl::Crf(quality) = config.rate_control {
            options.push(("crf".to_owned(), quality.to_string()));
        }
        options.extend(self.rate_options(config.rate_control, config.bitrate));
        let (encoder, is_hardware) = (self.encoder.to_owned(), self.is_hardware);
        Task { encoder, is_hardware, size, frame_rate: rate, options }
    }

    /// Returns the options of a bitrate. They can be changed while the encoder is open.
    pub(in crate::encode) fn rate_options(
        &self,
        control: RateControl,
        bitrate: BitsPerSecond,
    ) -> Vec<(String, String)> {
        let bits = u64::from(bitrate.0);
        let of = |values: &[(&str, u64)]| {
            let owned = |(name, value): &(&str, u64)| ((*name).to_owned(), value.to_string());
            values.iter().map(owned).collect()
        };
        match control {
            // The buffer is what a second may exceed the bitrate by.
            RateControl::Cbr => of(&[("b", bits), ("maxrate", bits), ("bufsize", bits / 2)]),
            RateControl::Vbr => {
                of(&[("b", bits), ("maxrate", bits * 3 / 2), ("bufsize", bits * 2)])
            }
            RateControl::Crf(_) => of(&[("maxrate", bits), ("bufsize", bits)]),
        }
    }
}
