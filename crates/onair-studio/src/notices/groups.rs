//! Groups of notice keys that are withdrawn together.

use crate::studio::notices::Notice;

/// A notice that ends others: its key, the keys of these others, and the value that names the
/// subject of both (empty: there is only one).
type Ending = (&'static str, &'static [&'static str], &'static str);

/// The notices that end others. They withdraw them, and give their log entries a duration.
const ENDING_NOTICES: &[Ending] = &[
    ("target-back", TARGET_NOTICES, "host"),
    ("target-on-air", TARGET_NOTICES, "host"),
    ("camera-back", &["camera-lost", "camera-stalled", "camera-failed"], "device"),
    ("microphone-back", &["microphone-lost", "microphone-stalled", "microphone-failed"], "device"),
    ("source-back", &["source-trouble"], "device"),
    ("meeting-back", &["meeting-lost"], "host"),
    ("bitrate-restored", &["bitrate-lowered"], ""),
    ("size-restored", &["size-lowered"], ""),
    ("rendition-restored", &["rendition-lowered"], "host"),
    ("frames-dropped-over", DROPPED_FRAME_NOTICES, "host"),
    ("player-speaker-back", &["player-no-speaker"], ""),
    ("scenes-imported", &["scenes-import-failed"], ""),
    ("scenes-exported", &["scenes-export-failed"], ""),
];

/// Returns true if a notice with this key ends others.
pub fn is_end(key: &str) -> bool {
    ENDING_NOTICES.iter().any(|(end, ..)| *end == key)
}

/// Returns true if `end` ends the problem of the earlier notice `begun`.
pub fn ends(end: &Notice, begun: &Notice) -> bool {
    let of_target = end.target.is_none() || end.target == begun.target;
    of_target
        && ENDING_NOTICES.iter().any(|(key, ended, subject)| {
            *key == end.key()
                && ended.contains(&begun.key())
                && end.value(subject) == begun.value(subject)
        })
}

/// Notices about sources that do not deliver.
pub const SOURCE_DOWN_NOTICES: &[&str] = &[
    "camera-lost",
    "camera-stalled",
    "camera-failed",
    "microphone-lost",
    "microphone-stalled",
    "microphone-failed",
    "source-trouble",
    "file-failed",
];

/// Notices about open audio sources that do not deliver.
pub const AUDIO_DOWN_NOTICES: &[&str] =
    &["microphone-lost", "microphone-stalled", "microphone-failed", "source-trouble"];

/// Notices about scene sources that are not displayed.
pub const SCENE_SOURCE_NOTICES: &[&str] = &["scene-source-failed", "scene-source-lost"];

/// Notices about files that a source skips.
pub const SKIPPED_FILE_NOTICES: &[&str] = &["scene-file-left-out", "scene-files-left-out"];

/// Notices about files that filters need.
pub const FILTER_NOTICES: &[&str] = &["filter-failed", "mask-failed"];

/// Notices about transitions.
pub const TRANSITION_NOTICES: &[&str] = &["transition-failed"];

/// Notices about a target, which a new attempt makes obsolete. The first two are about the target's
/// settings, not about its connection.
pub const TARGET_NOTICES: &[&str] = &[
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

/// Notices about a recording that ended too early.
pub const RECORDING_ENDED_NOTICES: &[&str] = &["recording-failed", "recording-not-started"];

/// Notices about frames that are dropped for a target.
pub const DROPPED_FRAME_NOTICES: &[&str] =
    &["passthrough-left-out", "frames-dropped", "frames-late"];

/// Notices that apply only during a broadcast.
pub const BROADCAST_NOTICES: &[&str] = &[
    "encoder-slow",
    "encoder-lightened",
    "encoder-restarted",
    "encoder-replaced",
    "recording-encoder-failed",
    "misfit",
    "frames-dropped",
    "frames-late",
    "passthrough-left-out",
    "bitrate-lowered",
    "size-lowered",
    "rendition-lowered",
    "target-silent",
    "target-no-network",
];

/// Notices about adaptations to a slow connection.
pub const ADAPTATION_NOTICES: &[&str] = &[
    "bitrate-lowered",
    "bitrate-restored",
    "size-lowered",
    "size-restored",
    "rendition-lowered",
    "rendition-restored",
    "rendition-failed",
];

/// Notices from the viewer monitor.
pub const MONITOR_NOTICES: &[&str] = &[
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
pub const PLAYER_NOTICES: &[&str] = &[
    "watch-no-stream",
    "watch-unreachable",
    "watch-refused",
    "watch-lost",
    "watch-codec",
    "watch-file",
    "watch-failed",
];

/// Notices about the stream that a player plays, which end when the user ends the playback. Notices
/// about files that a player writes remain.
pub const PLAYBACK_NOTICES: &[&str] = &[
    "player-audio-missing",
    "player-damaged-audio",
    "player-damaged-stream",
    "player-damaged-video",
    "player-file-damaged",
    "player-fixed",
    "player-no-audio-codec",
    "player-no-headers",
    "player-no-keyframe",
    "player-no-speaker",
    "player-no-start",
    "player-no-video-codec",
    "player-stalled",
    "player-too-slow",
    "player-unmoved",
];

/// Notices about the progress of a playback, which also end when the stream or file ends. Notices
/// about its contents remain.
pub const PROGRESS_NOTICES: &[&str] = &["player-stalled", "player-too-slow"];

/// Notices about a computer that does not keep up.
pub const DEGRADATION_NOTICES: &[&str] = &[
    "degradation-preview",
    "degradation-transitions",
    "degradation-filters",
    "degradation-rate",
    "degradation-over",
];

/// Notices about what viewers get, and about the recording. Alarms of sources are also about this.
pub const PROGRAM_NOTICES: &[&[&str]] = &[
    SOURCE_DOWN_NOTICES,
    SCENE_SOURCE_NOTICES,
    SKIPPED_FILE_NOTICES,
    FILTER_NOTICES,
    TRANSITION_NOTICES,
    TARGET_NOTICES,
    DROPPED_FRAME_NOTICES,
    ADAPTATION_NOTICES,
    MONITOR_NOTICES,
    RECORDING_ENDED_NOTICES,
    &["degradation-transitions", "degradation-filters", "degradation-rate"],
    &[
        "encoder-failed",
        "encoder-slow",
        "encoder-lightened",
        "encoder-restarted",
        "encoder-replaced",
        "recording-encoder-failed",
    ],
    &["server-failed", "passthrough-failed", "delay-short"],
    &["passthrough-without"],
    &["recording-held", "tracks-left-out", "disk-space", "disk-slow"],
    &["scene-crowded", NO_STRIP_NOTICE, "key-visible", "password-visible"],
];

/// The notice about a strip that could not be added, which is withdrawn once there is space.
pub const NO_STRIP_NOTICE: &str = "scene-no-strip";

/// The notice about a scene with too many layers, which is withdrawn once the scene has fewer.
pub const CROWDED_SCENE_NOTICE: &str = "scene-crowded";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::notices::message::StudioMessage;

    #[test]
    fn a_notice_ends_the_problems_of_its_subject_only() {
        let back = |host: &str| {
            StudioMessage::TargetBack {
                id: 1,
                host: host.into(),
                server: "same".into(),
                seconds: "2.5".into(),
                frames: "none".into(),
            }
            .notice(1, "")
        };
        let busy = |id: u32, host: &str| {
            let mut notice = back(host);
            notice.problem = crate::text::problem::problem!("target-busy", host = host);
            notice.target = Some(id);
            notice
        };
        assert!(ends(&back("a:1935"), &busy(1, "a:1935")));
        assert!(!ends(&back("a:1935"), &busy(1, "b:1935")), "another host");
        assert!(!ends(&back("a:1935"), &busy(2, "a:1935")), "another target on the same host");
        assert!(!ends(&busy(1, "a:1935"), &busy(1, "a:1935")), "a problem ends nothing");
        assert!(is_end("target-back") && !is_end("target-busy"));
    }

    #[test]
    fn an_export_that_succeeds_ends_one_that_failed() {
        let path = |name: &str| name.to_owned();
        let (done, reason) = (path("b.toml"), "the disk is full".into());
        let failed = StudioMessage::ScenesExportFailed { path: path("a.toml"), reason };
        let failed = failed.notice(1, "");
        assert!(ends(&StudioMessage::ScenesExported { path: done }.notice(2, ""), &failed));
        let (scenes, sources, strips) = ("1".into(), "1".into(), "0".into());
        let imported = StudioMessage::ScenesImported { scenes, sources, strips };
        assert!(!ends(&imported.notice(3, ""), &failed), "another task");
    }
}
