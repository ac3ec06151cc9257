//! Groups of notice keys that are withdrawn together.

/// Notices about sources that do not deliver.
pub(in crate::studio) const SOURCE_DOWN_NOTICES: &[&str] = &[
    "camera-lost",
    "camera-stalled",
    "camera-failed",
    "microphone-lost",
    "microphone-stalled",
    "microphone-failed",
    "source-trouble",
    "file-failed",
];

/// Notices about scene sources that are not displayed.
pub(in crate::studio) const SCENE_SOURCE_NOTICES: &[&str] =
    &["scene-source-failed", "scene-source-lost"];

/// Notices about files that a source skips.
pub(in crate::studio) const SKIPPED_FILE_NOTICES: &[&str] =
    &["scene-file-left-out", "scene-files-left-out"];

/// Notices about files that filters need.
pub(in crate::studio) const FILTER_NOTICES: &[&str] = &["filter-failed", "mask-failed"];

/// Notices about transitions.
pub(in crate::studio) const TRANSITION_NOTICES: &[&str] = &["transition-failed"];

/// Notices about a target, which a new attempt makes obsolete. The first two are about the target's
/// settings, not about its connection.
pub(in crate::studio) const TARGET_NOTICES: &[&str] = &[
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

/// Notices about frames that are dropped for a target. `frames-dropped-over` withdraws them.
pub(in crate::studio) const DROPPED_FRAME_NOTICES: &[&str] =
    &["passthrough-left-out", "frames-dropped"];

/// Notices that apply only during a broadcast.
pub(in crate::studio) const BROADCAST_NOTICES: &[&str] = &[
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

/// Notices about adaptations to a slow connection.
pub(in crate::studio) const ADAPTATION_NOTICES: &[&str] = &[
    "bitrate-lowered",
    "bitrate-restored",
    "size-lowered",
    "size-restored",
    "rendition-lowered",
    "rendition-restored",
    "rendition-failed",
];

/// Notices from the viewer monitor.
pub(in crate::studio) const MONITOR_NOTICES: &[&str] = &[
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

/// Notices about players.
pub(in crate::studio) const PLAYER_NOTICES: &[&str] = &[
    "watch-no-stream",
    "watch-unreachable",
    "watch-refused",
    "watch-lost",
    "watch-codec",
    "watch-file",
    "watch-failed",
];

/// Notices about a computer that does not keep up.
pub(in crate::studio) const DEGRADATION_NOTICES: &[&str] = &[
    "degradation-preview",
    "degradation-transitions",
    "degradation-filters",
    "degradation-rate",
    "degradation-over",
];

/// The notice about a strip that could not be added, which is withdrawn once there is space.
pub(in crate::studio) const NO_STRIP_NOTICE: &str = "scene-no-strip";

/// The notice about a scene with too many layers, which is withdrawn once the scene has fewer.
pub(in crate::studio) const CROWDED_SCENE_NOTICE: &str = "scene-crowded";
