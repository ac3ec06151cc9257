//! The encoders of FFmpeg's libraries that run on the processor, and the options with which onair
//! opens them: low delay, no B-frames, and keyframes on request.

use crate::encode::backend::process::family::{Family, Requirement, usual_rate};
use crate::encode::config::{Choice, RateControl};
use crate::media::VideoCodec;

/// The encoders in software.
pub(super) const SOFTWARE: &[Family] = &[
    Family {
        choice: Choice::X264,
        codec: VideoCodec::H264,
        encoder: "libx264",
        library: "x264",
        is_hardware: false,
        changes_bitrate: true,
        pixels: "yuv420p",
        preset_option: "preset",
        needs: Requirement::Nothing,
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
        pixels: "yuv420p",
        preset_option: "preset",
        needs: Requirement::Nothing,
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
        pixels: "yuv420p",
        preset_option: "preset",
        needs: Requirement::Nothing,
        fixed: &[("qmin", "1"), ("qmax", "63")],
        // Low delay, so the packet of a frame is ready at once.
        options: |_, _| {
            vec![("svtav1-params", format!("pred-struct=1:rtc=1:scd=0:lp={}", threads()))]
        },
        rate: |control, bits| match control {
            RateControl::Crf(quality) | RateControl::Cq(quality) => {
                // 51 is the worst quality of other encoders, and 63 that of this one.
                vec![("crf", (u32::from(quality) * 63 / 51).to_string())]
            }
            // With low delay, there is no other rate control.
            RateControl::Cbr | RateControl::Vbr => usual_rate(RateControl::Cbr, bits),
        },
    },
];

/// Maximum number of threads of a software encoder. With more, the slices of a frame become so small
/// that the quality suffers.
const MAX_THREADS: usize = 6;

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS)
}
