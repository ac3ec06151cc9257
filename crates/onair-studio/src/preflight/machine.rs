//! The part of the pre-flight check about this computer: space and permissions in the recordings
//! folder, and the clock.

use std::path::Path;

use crate::broadcast::recorder;
use crate::files::free_space_for;
use crate::platform::clocks;
use crate::studio::notices::message::StudioMessage;
use crate::studio::targets::quality::Quality;

/// With disk space for fewer hours than this, the recording of a long event would end early.
const LOW_SPACE_HOURS: f64 = 2.0;
/// 2026-01-01 in seconds since 1970. An earlier clock is wrong, because onair is newer.
const MIN_CLOCK_SECONDS: i64 = 1_767_225_600;
/// A clock more than 20 years later is assumed to be wrong too.
const MAX_CLOCK_SECONDS: i64 = MIN_CLOCK_SECONDS + 20 * 31_557_600;

/// Checks whether recordings of this quality can be written to this folder, and for how many hours.
pub fn disk(folder: &Path, quality: &Quality) -> StudioMessage {
    let shown = folder.display().to_string();
    let bad = |error: recorder::Error| {
        let folder = shown.clone();
        StudioMessage::FoundFolderBad { folder, reason: error.problem() }
    };
    // Missing permissions, quotas and read-only disks are detected only by writing.
    let name = format!(".onair-check-{}.flv", std::process::id());
    if let Err(error) = recorder::try_out(&folder.join(name)) {
        return bad(error);
    }
    // The folder itself is created with the first recording.
    let Some(free) = free_space_for(folder) else {
        return StudioMessage::FoundDiskUnknown { folder: shown };
    };
    let hours = free as f64 * 8.0 / quality.bitrate().max(1) as f64 / 3_600.0;
    let hours_text = if hours < 10.0 { format!("{hours:.1}") } else { format!("{hours:.0}") };
    if hours < LOW_SPACE_HOURS {
        StudioMessage::FoundDiskLittle { folder: shown, hours: hours_text }
    } else {
        StudioMessage::FoundDisk { folder: shown, hours: hours_text }
    }
}

/// Checks whether the clock, which certificates and the event log depend on, is plausible.
pub fn clock(wall_micros: i64) -> StudioMessage {
    let seconds = wall_micros.div_euclid(1_000_000);
    let time = jiff::Timestamp::from_second(seconds)
        .map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
        .unwrap_or_default();
    if !(MIN_CLOCK_SECONDS..MAX_CLOCK_SECONDS).contains(&seconds) {
        return StudioMessage::FoundClockWrong { time };
    }
    match clocks::is_synchronised() {
        Some(false) => StudioMessage::FoundClockAlone { time },
        _ => StudioMessage::FoundClock { time },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_cannot_be_written_are_reported() {
        let quality = Quality::default();
        let folder = tempfile::tempdir().unwrap();
        let good = disk(&folder.path().join("not/yet/made"), &quality);
        assert!(
            matches!(good, StudioMessage::FoundDisk { .. } | StudioMessage::FoundDiskLittle { .. }),
            "{good:?}"
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        // No user can write there, not even root.
        let bad = disk(Path::new("/proc/onair"), &quality);
        assert!(matches!(&bad, StudioMessage::FoundFolderBad { .. }), "{bad:?}");
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        // No folder can be created inside a file.
        let StudioMessage::FoundFolderBad { reason, .. } = disk(&file.join("x"), &quality) else {
            panic!("a file is a folder")
        };
        assert_eq!(reason.to_string(), "part of the path is a file, not a folder");
    }

    #[test]
    fn a_disk_too_small_for_an_evening_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let free = free_space_for(folder.path()).unwrap() as f64;
        let mut quality = Quality::default();
        // A bitrate at which the free space is sufficient for one hour.
        quality.video_bitrate.0 = ((free * 8.0 / 3_600.0) as u64).min(u32::MAX.into()) as u32;
        let enough = free * 8.0 / 3_600.0 > f64::from(u32::MAX) * 2.0;
        let found = disk(folder.path(), &quality);
        assert!(enough || matches!(found, StudioMessage::FoundDiskLittle { .. }), "{found:?}");
    }

    #[test]
    fn a_clock_that_is_years_off_is_reported() {
        assert!(matches!(clock(0), StudioMessage::FoundClockWrong { .. }));
        assert!(matches!(clock(i64::MAX), StudioMessage::FoundClockWrong { .. }));
        let now = 1_800_000_000_000_000;
        assert!(matches!(
            clock(now),
            StudioMessage::FoundClock { .. } | StudioMessage::FoundClockAlone { .. }
        ));
    }
}
