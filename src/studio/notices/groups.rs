//! Groups of notice keys that are withdrawn together.

/// Notices of sources that do not deliver.
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

/// Notices of scene sources that are not displayed.
pub(in crate::studio) const SOURCE: &[&str] = &["scene-source-failed", "scene-source-lost"];

/// Notices of files that a source skips.
pub(in crate::studio) const LEFT_OUT: &[&str] = &["scene-file-left-out", "scene-files-left-out"];

/// Notices of files that filters need.
pub(in crate::studio) const FILTER: &[&str] = &["filter-failed", "mask-failed"];

/// Notices of transitions.
pub(in crate::studio) const TRANSITION: &[&str] = &["transition-failed"];

/// Notices of a target, which a new attempt makes obsolete. The first two are about the target's
/// settings, not about its connection.
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

/// Notices of frames that are dropped for a target, which `frames-dropped-over` withdraws.
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

/// Notices of a computer that does not keep up.
pub(in crate::studio) const DEGRADATION: &[&str] = &[
    "degradation-preview",
    "degradation-transitions",
    "degradation-filters",
    "degradation-rate",
    "degradation-over",
];

/// The notice of a missing strip, which is withdrawn once there is space.
pub(in crate::studio) const NO_STRIP: &str = "scene-no-strip";

/// The notice of a scene with too many layers, which is withdrawn once the scene has fewer.
pub(in crate::studio) const CROWDED: &str = "scene-crowded";
