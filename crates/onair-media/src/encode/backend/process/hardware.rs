//! The encoders of graphics cards, and the options with which onair opens them: low delay,
//! B-frames and look-ahead only if chosen, and keyframes on request. `docs/how-to/choose-an-encoder.md` says which of them were
//! never run on real hardware.

use crate::encode::backend::process::family::{Family, Options, Requirement, usual_rate};
use crate::encode::config::{Choice, RateControl};
use crate::media::VideoCodec;

/// On Linux, the drivers of Intel and AMD need a device for rendering. On Windows, whether there is a
/// driver is found out by loading it.
const RENDERER: Requirement =
    if cfg!(windows) { Requirement::Nothing } else { Requirement::Device("/dev/dri", "renderD") };

/// Returns what an encoder needs that only Linux has.
const fn only_on_linux(needs: Requirement) -> Requirement {
    if cfg!(windows) { Requirement::System("Linux") } else { needs }
}

const fn nvenc(choice: Choice, codec: VideoCodec, encoder: &'static str) -> Family {
    Family {
        choice,
        codec,
        encoder,
        library: "NVENC",
        is_hardware: true,
        changes_bitrate: true,
        pixels: "yuv420p",
        preset_option: "preset",
        // Whether there is a driver is found out by loading it.
        needs: Requirement::Nothing,
        fixed: &[
            ("tune", "hq"),
            ("multipass", "qres"),
            ("delay", "0"),
            ("forced-idr", "1"),
            ("?no-scenecut", "1"),
            ("?spatial-aq", "1"),
            ("?b_ref_mode", "disabled"),
        ],
        options: |config, level| {
            let (b_frames, look_ahead) = (config.b_frames, config.look_ahead);
            let mut all = vec![("rc-lookahead", look_ahead.to_string())];
            // This option forbids frames to leave in another order, and to wait.
            let at_once = u8::from(b_frames == 0 && look_ahead == 0);
            all.push(("zerolatency", at_once.to_string()));
            if config.encoder == Choice::H264Nvenc {
                all.extend([("profile", "high".to_owned()), ("level", level.to_owned())]);
            }
            all
        },
        rate: |control, bits, _| match control {
            RateControl::Cbr => with(("rc", "cbr"), usual_rate(control, bits)),
            RateControl::Vbr => with(("rc", "vbr"), usual_rate(control, bits)),
            RateControl::Crf(quality) | RateControl::Cq(quality) => {
                vec![("rc", "constqp".to_owned()), ("qp", quality.to_string())]
            }
        },
    }
}

const fn qsv(choice: Choice, codec: VideoCodec, encoder: &'static str) -> Family {
    Family {
        choice,
        codec,
        encoder,
        library: "Intel Quick Sync",
        is_hardware: true,
        changes_bitrate: false,
        pixels: "nv12",
        preset_option: "preset",
        needs: RENDERER,
        fixed: &[
            ("async_depth", "1"),
            ("forced_idr", "1"),
            ("?scenario", "livestreaming"),
            ("?look_ahead", "0"),
        ],
        options: |config, _| match config.encoder {
            Choice::H264Qsv => vec![("profile", "high".to_owned())],
            _ => Vec::new(),
        },
        rate: |control, bits, _| match control {
            RateControl::Cbr | RateControl::Vbr => usual_rate(control, bits),
            RateControl::Crf(quality) | RateControl::Cq(quality) => {
                // The library's unit is 118 (FF_QP2LAMBDA).
                let quality = (u32::from(quality) * 118).to_string();
                vec![("flags", "+qscale".to_owned()), ("global_quality", quality)]
            }
        },
    }
}

const fn amf(choice: Choice, codec: VideoCodec, encoder: &'static str) -> Family {
    Family {
        choice,
        codec,
        encoder,
        library: "AMD AMF",
        is_hardware: true,
        changes_bitrate: false,
        pixels: "nv12",
        preset_option: "quality",
        needs: RENDERER,
        fixed: &[
            ("usage", "lowlatency"),
            ("?enforce_hrd", "1"),
            ("?filler_data", "0"),
            ("?vbaq", "1"),
            ("?forced_idr", "1"),
        ],
        options: |config, _| match config.encoder {
            Choice::H264Amf => vec![("profile", "high".to_owned())],
            _ => Vec::new(),
        },
        rate: |control, bits, _| match control {
            RateControl::Cbr => with(("rc", "cbr"), usual_rate(control, bits)),
            RateControl::Vbr => with(("rc", "vbr_latency"), usual_rate(control, bits)),
            RateControl::Crf(quality) | RateControl::Cq(quality) => {
                let quality = quality.to_string();
                vec![("rc", "cqp".to_owned()), ("qp_i", quality.clone()), ("qp_p", quality)]
            }
        },
    }
}

/// Encoders of phones' and single-board computers' chips.
const fn v4l2(choice: Choice, codec: VideoCodec, encoder: &'static str) -> Family {
    Family {
        choice,
        codec,
        encoder,
        library: "V4L2",
        is_hardware: true,
        changes_bitrate: false,
        pixels: "nv12",
        preset_option: "preset",
        needs: only_on_linux(Requirement::Device("/dev", "video")),
        fixed: &[],
        options: |_, _| Vec::new(),
        rate: |_, bits, _| vec![("b", bits.to_string())],
    }
}

/// The encoders that drivers of graphics cards offer to Windows.
const fn media_foundation(choice: Choice, codec: VideoCodec, encoder: &'static str) -> Family {
    Family {
        library: "Media Foundation",
        needs: if cfg!(windows) { Requirement::Nothing } else { Requirement::System("Windows") },
        // Without this option, Windows may offer an encoder in software, whose pictures are worse than those of OpenH264.
        fixed: &[("hw_encoding", "1"), ("?scenario", "live_streaming")],
        rate: |control, bits, _| match control {
            RateControl::Cbr => vec![("b", bits.to_string()), ("rate_control", "cbr".to_owned())],
            // The usual one for a live stream: the bitrate on average, and low delay.
            RateControl::Vbr => {
                vec![("b", bits.to_string()), ("rate_control", "ld_vbr".to_owned())]
            }
            RateControl::Crf(quality) | RateControl::Cq(quality) => {
                // From 0 to 100, and more is better. 51 is the worst quality of other encoders.
                let quality = 100 - u32::from(quality.min(51)) * 100 / 51;
                vec![("rate_control", "quality".to_owned()), ("quality", quality.to_string())]
            }
        },
        ..v4l2(choice, codec, encoder)
    }
}

/// The words for CBR, VBR and a constant quantizer, and the option for that quantizer.
type RateWords = ([&'static str; 3], &'static str);

const VAAPI_RATES: RateWords = (["CBR", "VBR", "CQP"], "global_quality");
const VULKAN_RATES: RateWords = (["cbr", "vbr", "cqp"], "qp");

/// Returns the options of a rate control in these words. `to_quantizer` converts a quality to the unit of the codec.
fn card_rate(
    ([cbr, vbr, cqp], option): RateWords,
    control: RateControl,
    bits: u64,
    to_quantizer: fn(u8) -> u32,
) -> Options {
    match control {
        RateControl::Cbr => with(("rc_mode", cbr), usual_rate(control, bits)),
        RateControl::Vbr => with(("rc_mode", vbr), usual_rate(control, bits)),
        RateControl::Crf(quality) | RateControl::Cq(quality) => {
            vec![("rc_mode", cqp.to_owned()), (option, to_quantizer(quality).to_string())]
        }
    }
}

/// Encoders of AMD and Intel on Linux, through Mesa's or Intel's driver.
const fn vaapi(choice: Choice, codec: VideoCodec, encoder: &'static str) -> Family {
    Family {
        library: "VAAPI",
        pixels: "vaapi",
        needs: only_on_linux(Requirement::DeviceOrDriver(
            "/dev/dri",
            "renderD",
            "LIBVA_DRIVER_NAME",
        )),
        // A frame leaves at once.
        fixed: &[("?async_depth", "1")],
        options: |config, level| match config.encoder {
            Choice::H264Vaapi => vec![("profile", "high".to_owned()), ("level", level.to_owned())],
            _ => Vec::new(),
        },
        rate: |control, bits, _| card_rate(VAAPI_RATES, control, bits, u32::from),
        ..v4l2(choice, codec, encoder)
    }
}

/// The same for AV1, which counts quality from 1 to 255.
const fn vaapi_av1(choice: Choice, encoder: &'static str) -> Family {
    Family {
        rate: |control, bits, _| card_rate(VAAPI_RATES, control, bits, av1_quality),
        ..vaapi(choice, VideoCodec::Av1, encoder)
    }
}

/// Encoders of any card whose driver has the video extensions of Vulkan. The loader of the system knows the drivers.
const fn vulkan(choice: Choice, codec: VideoCodec, encoder: &'static str) -> Family {
    Family {
        library: "Vulkan",
        pixels: "vulkan",
        needs: Requirement::Nothing,
        fixed: &[("?async_depth", "1"), ("?tune", "hq"), ("?usage", "stream")],
        options: |config, level| match config.encoder {
            Choice::H264Vulkan => vec![("profile", "high".to_owned()), ("level", level.to_owned())],
            _ => Vec::new(),
        },
        rate: |control, bits, _| card_rate(VULKAN_RATES, control, bits, u32::from),
        ..v4l2(choice, codec, encoder)
    }
}

/// The same for AV1.
const fn vulkan_av1(choice: Choice, encoder: &'static str) -> Family {
    Family {
        rate: |control, bits, _| card_rate(VULKAN_RATES, control, bits, av1_quality),
        ..vulkan(choice, VideoCodec::Av1, encoder)
    }
}

/// Converts a quality. 51 is the worst quality of other encoders, and 255 that of AV1.
fn av1_quality(quality: u8) -> u32 {
    (u32::from(quality.min(51)) * 255 / 51).max(1)
}

/// All encoders of graphics cards.
pub(super) const HARDWARE: &[Family] = &[
    nvenc(Choice::H264Nvenc, VideoCodec::H264, "h264_nvenc"),
    nvenc(Choice::HevcNvenc, VideoCodec::Hevc, "hevc_nvenc"),
    nvenc(Choice::Av1Nvenc, VideoCodec::Av1, "av1_nvenc"),
    qsv(Choice::H264Qsv, VideoCodec::H264, "h264_qsv"),
    qsv(Choice::HevcQsv, VideoCodec::Hevc, "hevc_qsv"),
    qsv(Choice::Av1Qsv, VideoCodec::Av1, "av1_qsv"),
    amf(Choice::H264Amf, VideoCodec::H264, "h264_amf"),
    amf(Choice::HevcAmf, VideoCodec::Hevc, "hevc_amf"),
    amf(Choice::Av1Amf, VideoCodec::Av1, "av1_amf"),
    media_foundation(Choice::H264Mf, VideoCodec::H264, "h264_mf"),
    media_foundation(Choice::HevcMf, VideoCodec::Hevc, "hevc_mf"),
    v4l2(Choice::H264V4l2, VideoCodec::H264, "h264_v4l2m2m"),
    v4l2(Choice::HevcV4l2, VideoCodec::Hevc, "hevc_v4l2m2m"),
    vaapi(Choice::H264Vaapi, VideoCodec::H264, "h264_vaapi"),
    vaapi(Choice::HevcVaapi, VideoCodec::Hevc, "hevc_vaapi"),
    vaapi_av1(Choice::Av1Vaapi, "av1_vaapi"),
    vulkan(Choice::H264Vulkan, VideoCodec::H264, "h264_vulkan"),
    vulkan(Choice::HevcVulkan, VideoCodec::Hevc, "hevc_vulkan"),
    vulkan_av1(Choice::Av1Vulkan, "av1_vulkan"),
];

fn with((name, value): (&'static str, &str), more: Options) -> Options {
    std::iter::once((name, value.to_owned())).chain(more).collect()
}
