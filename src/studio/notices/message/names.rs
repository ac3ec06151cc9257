//! The names of all messages; those that are taken back together stand together.

use super::StudioMessage;
use crate::studio::notices::scenes;

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

/// Of those that transitions do.
pub(in crate::studio) const TRANSITION: &[&str] = &["transition-failed"];

/// Of a target; a new try makes them untrue.
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

/// Of what was made to fit a connection.
pub(in crate::studio) const ADAPTATION: &[&str] = &[
    "bitrate-lowered",
    "bitrate-restored",
    "size-lowered",
    "size-restored",
    "rendition-lowered",
    "rendition-restored",
    "rendition-failed",
];

/// Of what is wrong with what viewers get.
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

/// Of what is watched.
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

const OTHERS: &[&str] = &[
    "camera-back",
    "no-camera",
    "microphone-back",
    "no-microphone",
    "source-back",
    "video-black",
    "video-frozen",
    "stream-black",
    "stream-frozen",
    "clip-black",
    "clip-frozen",
    "screen-black",
    "window-black",
    "camera-format",
    "audio-zero",
    "audio-silent",
    "audio-faint",
    "audio-clipped",
    "system-silent",
    "played-silent",
    "default-changed",
    "encoder-failed",
    "encoder-slow",
    "key-visible",
    "password-visible",
    "key-not-kept",
    "misfit",
    "target-back",
    "target-on-air",
    "codecs-unannounced",
    "passthrough-failed",
    "passthrough-ended",
    "frames-dropped-over",
    "items-too-many",
    "items-too-deep",
    "ungroup-cut",
    "ungroup-stretched",
    "ungroup-scaled",
    "delay-on",
    "delay-short",
    "monitor-well",
    "network-changed",
    "slept",
    "broadcast-ended",
    "server-says",
    "fault-struck",
    "port-taken",
    "server-failed",
    "server-open",
    "server-open-to-play",
    "recording-not-started",
    "recording-failed",
    "recording-held",
    "recording-renamed",
    "tracks-left-out",
    "recording-saved",
    "recording-repaired",
    "recording-lost",
    "disk-space",
    "disk-slow",
    "replay-saved",
    "replay-failed",
    "replay-empty",
    "screenshot-saved",
    "screenshot-failed",
    "monitoring-failed",
    "crashed",
    "settings-bad",
    "settings-not-saved",
    "scene-source-back",
    scenes::NO_STRIP,
    scenes::CROWDED,
    "scenes-imported",
    "scenes-left-out",
    "scenes-import-failed",
    "scenes-exported",
    "scenes-export-failed",
];

impl StudioMessage {
    /// Every name there is, for the test that looks for its texts in each language.
    pub fn keys() -> impl Iterator<Item = &'static str> {
        [
            DOWN,
            SOURCE,
            LEFT_OUT,
            FILTER,
            TRANSITION,
            TARGET,
            ADAPTATION,
            MONITOR,
            WATCH,
            DEGRADATION,
            DROPS,
            OTHERS,
        ]
        .into_iter()
        .flatten()
        .copied()
    }
}
