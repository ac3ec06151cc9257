//! The encoders of FFmpeg's libraries that run on the processor, and the options with which onair
//! opens them: low delay, B-frames and look-ahead only if chosen, and keyframes on request.

use crate::encode::backend::process::family::{Family, Options, Requirement, usual_rate};
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
            // Neither look-ahead nor B-frames unless they are chosen, so the packet of a frame is
            // ready at once. The threads of this tune encode slices, which delays no frame.
            ("tune", "zerolatency"),
            ("profile", "high"),
            ("forced-idr", "1"),
        ],
        options: |config, level| {
            let tree = u8::from(config.look_ahead > 0);
            vec![
                ("level", level.to_owned()),
                ("threads", threads().to_string()),
                ("rc-lookahead", config.look_ahead.to_string()),
                ("mbtree", tree.to_string()),
            ]
        },
        rate: |control, bits, looks_ahead| {
            // With look-ahead, the library fills a small buffer too little.
            software_rate(control, bits, if looks_ahead { 300 } else { 250 })
        },
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
        options: |config, _| {
            let more = "log-level=error:info=0:scenecut=0:open-gop=0:repeat-headers=0:high-tier=0";
            let mut all = format!("{more}:pools={}", threads());
            let (b_frames, look_ahead) = (config.b_frames, config.look_ahead);
            if b_frames > 0 || look_ahead > 0 {
                // The library needs more frames than there are B-frames in a row.
                let depth = look_ahead.max(b_frames + 1);
                let adapts = if look_ahead > 0 { 2 } else { 0 };
                all += &format!(":bframes={b_frames}:b-adapt={adapts}:rc-lookahead={depth}");
                all += &format!(":cutree={}", u8::from(look_ahead > 0));
            }
            vec![("x265-params", all)]
        },
        rate: |control, bits, looks_ahead| {
            software_rate(control, bits, if looks_ahead { 250 } else { 100 })
        },
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
        rate: |control, bits, _| match control {
            RateControl::Crf(quality) | RateControl::Cq(quality) => {
                // 51 is the worst quality of other encoders, and 63 that of this one.
                vec![("crf", (u32::from(quality) * 63 / 51).to_string())]
            }
            // With low delay, there is no other rate control.
            RateControl::Cbr | RateControl::Vbr => software_rate(RateControl::Cbr, bits, 250),
        },
    },
];

/// Returns the options of a rate control. With CBR, the buffer has this length in milliseconds. With half
/// a second, two seconds cost up to 13 % too much; see `docs/evidence/encoder.md`.
fn software_rate(control: RateControl, bits: u64, buffer_ms: u64) -> Options {
    let mut options = usual_rate(control, bits);
    if control == RateControl::Cbr {
        options.retain(|(name, _)| *name != "bufsize");
        options.push(("bufsize", (bits * buffer_ms / 1_000).to_string()));
    }
    options
}

/// Maximum number of threads of a software encoder. With more, the slices of a frame become so small
/// that the quality suffers.
const MAX_THREADS: usize = 6;

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS)
}
