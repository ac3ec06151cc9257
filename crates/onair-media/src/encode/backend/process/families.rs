//! The encoders of FFmpeg's libraries that onair knows, and the options with which onair opens
//! them. An option whose name begins with `?` may be missing in the library, or not accept its
//! value.

use crate::encode::backend::process::wire::Task;
use crate::encode::config::{Choice, Preset, RateControl, Video};
use crate::media::{BitsPerSecond, VideoCodec};

/// Options with their values.
type Options = Vec<(&'static str, String)>;

/// An encoder of the library.
#[derive(Debug)]
pub(in crate::encode) struct Family {
    pub choice: Choice,
    pub codec: VideoCodec,
    /// The name in FFmpeg.
    encoder: &'static str,
    /// The name for display.
    pub library: &'static str,
    pub is_hardware: bool,
    /// True if the bitrate of the open encoder can be changed.
    pub changes_bitrate: bool,
    /// Options that are always the same.
    fixed: &'static [(&'static str, &'static str)],
    /// Returns the options of a configuration. `level` is the level of H.264, such as `3.1`.
    options: fn(&Video, &str) -> Options,
    /// Returns the options of a rate control.
    rate: fn(RateControl, u64) -> Options,
}

/// All encoders.
pub(in crate::encode) const FAMILIES: &[Family] = &[
    Family {
        choice: Choice::X264,
        codec: VideoCodec::H264,
        encoder: "libx264",
        library: "x264",
        is_hardware: false,
        changes_bitrate: true,
        fixed: &[
            // Neither look-ahead nor B-frames, so the packet of a frame is ready at once.
            ("tune", "zerolatency"),
            ("profile", "high"),
            ("forced-idr", "1"),
        ],
        options: |_, level| vec![("level", level.to_owned()), ("threads", threads().to_string())],
        rate: usual_rate,
    },
    Family {
        choice: Choice::X265,
        codec: VideoCodec::Hevc,
        encoder: "libx265",
        library: "x265",
        is_hardware: false,
        changes_bitrate: false,
        // More threads would encode frames at the same time, and delay packets.
        fixed: &[("tune", "zerolatency"), ("forced-idr", "1"), ("threads", "1")],
        options: |_, _| {
            let more = "log-level=error:info=0:scenecut=0:open-gop=0:repeat-headers=0:high-tier=0";
            vec![("x265-params", format!("{more}:pools={}", threads()))]
        },
        rate: usual_rate,
    },
    Family {
        choice: Choice::SvtAv1,
        codec: VideoCodec::Av1,
        encoder: "libsvtav1",
        library: "SVT-AV1",
        is_hardware: false,
        changes_bitrate: false,
        fixed: &[("qmin", "1"), ("qmax", "63")],
        // Low delay, so the packet of a frame is ready at once.
        options: |_, _| {
            vec![("svtav1-params", format!("pred-struct=1:rtc=1:scd=0:lp={}", threads()))]
        },
        rate: |control, bits| match control {
            RateControl::Crf(quality) => {
                // 51 is the worst quality of other encoders, and 63 that of this one.
                vec![("crf", (u32::from(quality) * 63 / 51).to_string())]
            }
            // With low delay, there is no other rate control.
            RateControl::Cbr | RateControl::Vbr => usual_rate(RateControl::Cbr, bits),
        },
    },
];

/// Returns the encoder of a choice.
pub(in crate::encode) fn family(choice: Choice) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.choice == choice)
}

/// Maximum number of threads of a software encoder. With more, the slices of a frame become so small
/// that the quality suffers.
const MAX_THREADS: usize = 6;

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS)
}

/// Returns the options of a rate control that most encoders have.
fn usual_rate(control: RateControl, bits: u64) -> Options {
    let of = |values: &[(&'static str, u64)]| -> Options {
        values.iter().map(|(name, value)| (*name, value.to_string())).collect()
    };
    match control {
        // The buffer is what a second may exceed the bitrate by.
        RateControl::Cbr => of(&[("b", bits), ("maxrate", bits), ("bufsize", bits / 2)]),
        RateControl::Vbr => of(&[("b", bits), ("maxrate", bits * 3 / 2), ("bufsize", bits * 2)]),
        RateControl::Crf(quality) => {
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

    /// Returns the rate control that the encoder uses instead of another one.
    pub fn rate_control(&self, control: RateControl) -> RateControl {
        match (self.choice, control) {
            (Choice::SvtAv1, RateControl::Vbr) => RateControl::Cbr,
            _ => control,
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
        ];
        options.extend(self.preset(config).map(|preset| ("preset", preset.to_owned())));
        options.extend(self.fixed.iter().map(|(name, value)| (*name, (*value).to_owned())));
        options.extend((self.options)(config, level));
        let mut options = owned(options);
        options.extend(self.rate_options(config.rate_control, config.bitrate));
        let (encoder, is_hardware) = (self.encoder.to_owned(), self.is_hardware);
        Task { encoder, is_hardware, size, frame_rate: rate, options }
    }

    /// Returns the options of a bitrate. Some encoders change them while they are open.
    pub(in crate::encode) fn rate_options(
        &self,
        control: RateControl,
        bitrate: BitsPerSecond,
    ) -> Vec<(String, String)> {
        owned((self.rate)(control, bitrate.0.into()))
    }
}

fn owned(options: Options) -> Vec<(String, String)> {
    options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
