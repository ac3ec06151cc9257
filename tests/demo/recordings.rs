//! The recordings of a simulated folder, and the summary of an ended broadcast.

use super::states::WALL_MICROS;
use super::*;
use onair::media::{AudioCodec, VideoCodec};
use onair::studio::live::recording::library::details::{AudioTrackSummary, Details, VideoTrack};
use onair::studio::live::recording::library::view::{FileState, RecordingFile, RecordingsView};
use onair::studio::live::view::{BroadcastSummary, BroadcastTarget};
use onair::text::Problem;

/// The folder of the recordings.
pub const FOLDER: &str = "/home/ada/Videos";

/// Returns the details of a recording with a keyframe every two seconds.
fn details(seconds: u64, video: bool) -> Details {
    let audio = |name: &str| AudioTrackSummary {
        name: name.into(),
        codec: AudioCodec::Aac,
        sample_rate: 48_000,
        channels: 2,
    };
    let track =
        VideoTrack { codec: VideoCodec::H264, size: Size::new(1920, 1080), fps: Some(30.0) };
    Details {
        duration: Duration::from_secs(seconds),
        video: video.then_some(track),
        audio: if video { vec![audio("Program"), audio("Voice")] } else { vec![audio("")] },
        keyframes: (0..seconds / 2).map(|key| Duration::from_secs(key * 2)).collect(),
        thumbnail: video.then(|| picture(0)),
        unfinished: false,
    }
}

/// Returns a list with files in every state.
pub fn recordings() -> Arc<RecordingsView> {
    let known = |seconds, video| FileState::Known(Arc::new(details(seconds, video)));
    let files = [
        ("onair 2026-11-20 10-15-00.mp4", 48_000_000, FileState::Changing),
        ("onair 2026-11-20 09-12-00.mkv", 1_240_000_000, known(2_554, true)),
        ("interview.mp4", 310_000_000, known(642, true)),
        ("voice only.mp4", 9_800_000, known(320, false)),
        ("cut off.mkv", 12_000, FileState::Unreadable(Problem::words("the file has no end"))),
        ("older.flv", 88_000_000, FileState::Waiting),
    ];
    // How many minutes ago each file was last written.
    let minutes_ago = [0, 32, 1_103, 1_140, 2_610, 9_877];
    let files = files.into_iter().zip(minutes_ago);
    let files = files.map(|((name, bytes, state), ago)| RecordingFile {
        path: format!("{FOLDER}/{name}").into(),
        bytes,
        wall_micros: WALL_MICROS - ago * 60_000_000,
        state,
    });
    Arc::new(RecordingsView {
        folder: FOLDER.into(),
        is_read: true,
        files: files.collect(),
        more: 12,
        free: Some(81_000_000_000),
        ..RecordingsView::default()
    })
}

fn sent_to(id: u32, label: &str) -> BroadcastTarget {
    BroadcastTarget { id: Some(id), label: label.into(), was_live: true }
}

/// Returns the summary of a broadcast of almost three quarters of an hour.
pub fn summary() -> BroadcastSummary {
    BroadcastSummary {
        number: 1,
        on_air_for: Duration::from_secs(2_554),
        targets: vec![sent_to(9, "Twitch (live.twitch.tv:1935)"), sent_to(0, "127.0.0.1:1935")],
        peak_viewers: 14,
        sent_bytes: 812_000_000,
        skipped_frames: 0,
        dropped_frames: 36,
        lost_frames: 0,
        total_frames: 76_620,
        reconnects: 1,
        interrupted: Duration::from_secs(19),
        recording: Some(format!("{FOLDER}/onair 2026-11-20 09-12-00.mkv").into()),
    }
}
