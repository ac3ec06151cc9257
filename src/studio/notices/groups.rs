//! Names of notices that are withdrawn together.

/// Of sources that do not deliver.
pub(in crate::studio) const DOWN: &[&str] = &[
    "camera-lost",
    "camera-stalled",
    "camera-failed",
    "microphone-lost",
    "microphone-stalled",
    "microphone-failed",
    "source-trouble",
    "file-failed",
];

/// Of sources of the scenes that are not shown.
pub(in crate::studio) const SOURCE: &[&str] = &["scene-source-failed", "scene-source-lost"];

/// Of files that a source leaves out.
pub(in crate::studio) const LEFT_OUT: &[&str] = &["scene-file-left-out", "scene-files-left-out"];

/// Of files that filters work with.
pub(in crate::studio) const FILTER: &[&str] = &["filter-failed", "mask-failed"];

/// Notices of transitions.
pub(in crate::studio) const TRANSITION: &[&str] = &["transition-failed"];

/// Of a target; a new try makes them untrue. The first two are about its settings and no trouble on the way.
pub(in crate::studio) const TARGET: &[&str] = &[
    "no-target",
    "target-invalid",
    "target-settings",
    "target-no-network",
    "target-silent",
    "target-no-such-host",
    "target-unreachable",
    "target-timeout",
    "target-certificate",
    "target-not-rtmp",
    "target-refused",
    "target-busy",
    "target-lost",
    "target-failed",
];

/// Of frames that are dropped for a target; `frames-dropped-over` takes them back.
pub(in crate::studio) const DROPS: &[&str] = &["passthrough-left-out", "frames-dropped"];

/// Notices that apply only during a broadcast.
pub(in crate::studio) const BROADCAST: &[&str] = &[
    "encoder-slow",
    "misfit",
    "frames-dropped",
    "passthrough-left-out",
    "bitrate-lowered",
    "size-lowered",
    "rendition-lowered",
    "target-silent",
    "target-no-network",
];

/// Notices of adaptations to a slow connection.
pub(in crate::studio) const ADAPTATION: &[&str] = &[
    "bitrate-lowered",
    "bitrate-restored",
    "size-lowered",
    "size-restored",
    "rendition-lowered",
    "rendition-restored",
    "rendition-failed",
];

/// Notices of the viewer monitor.
pub(in crate::studio) const MONITOR: &[&str] = &[
    "monitor-unreachable",
    "monitor-no-stream",
    "monitor-stalled",
    "monitor-different",
    "monitor-black",
    "monitor-frozen",
    "monitor-silent",
    "monitor-late",
    "monitor-wrong-size",
];

/// Notices of players.
pub(in crate::studio) const WATCH: &[&str] = &[
    "watch-no-stream",
    "watch-unreachable",
    "watch-refused",
    "watch-lost",
    "watch-codec",
    "watch-file",
    "watch-failed",
];

/// Of a machine that does not keep up.
pub(in crate::studio) const DEGRADATION: &[&str] = &[
    "degradation-preview",
    "degradation-transitions",
    "degradation-filters",
    "degradation-rate",
    "degradation-over",
];

/// A missing strip; withdrawn once there is room.
pub(in crate::studio) const NO_STRIP: &str = "scene-no-strip";

/// A scene with too many layers; withdrawn once it has fewer.
pub(in crate::studio) const CROWDED: &str = "scene-crowded";
