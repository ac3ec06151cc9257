//! The folder of crash reports of earlier runs. The studio reports each of them once, and the file
//! stays. `cli/process/crash.rs` writes the reports.

use std::fs;
use std::path::{Path, PathBuf};

/// Maximum number of stored reports.
const MAX_STORED_REPORTS: usize = 10;
/// The extension of a report that was not displayed yet.
const NEW_REPORT_SUFFIX: &str = ".new.txt";

/// Returns the folder `onair/crashes` in the user's state folder, or `None` if the system has no
/// state folder.
pub fn default_folder() -> Option<PathBuf> {
    let folder = dirs::state_dir().or_else(dirs::data_local_dir)?;
    Some(folder.join("onair").join("crashes"))
}

/// Returns the path of a report that is written at this time, in microseconds since 1970.
pub fn path_of(folder: &Path, wall_micros: i64) -> PathBuf {
    let at = jiff::Timestamp::from_microsecond(wall_micros).unwrap_or_default();
    folder.join(format!("crash-{}{NEW_REPORT_SUFFIX}", at.strftime("%Y-%m-%dT%H-%M-%S%.6fZ")))
}

/// Returns the newest unreported report, which then counts as reported. Old reports are deleted.
pub(crate) fn take(folder: &Path) -> Option<PathBuf> {
    let list = fs::read_dir(folder).ok()?;
    let name = |path: &PathBuf| path.file_name().and_then(|name| name.to_str().map(str::to_owned));
    let mut reports: Vec<(String, PathBuf)> = list
        .flatten()
        .map(|entry| entry.path())
        .filter_map(|path| Some((name(&path)?, path)))
        .filter(|(name, _)| name.starts_with("crash-") && name.ends_with(".txt"))
        .collect();
    // The names begin with the time.
    reports.sort();
    let old = reports.len().saturating_sub(MAX_STORED_REPORTS);
    for (_, path) in reports.drain(..old) {
        let _: std::io::Result<()> = fs::remove_file(path);
    }
    let mut newest = None;
    for (name, path) in reports {
        let Some(bare) = name.strip_suffix(NEW_REPORT_SUFFIX) else { continue };
        let known = folder.join(format!("{bare}.txt"));
        newest = Some(match fs::rename(&path, &known) {
            Ok(()) => known,
            Err(_) => path,
        });
    }
    newest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_crash_report_is_shown_once_and_old_ones_are_deleted() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(take(&folder.path().join("none")), None);
        assert_eq!(take(folder.path()), None);
        for second in 0..14 {
            fs::write(path_of(folder.path(), second * 1_000_000), "report").unwrap();
        }
        fs::write(folder.path().join("notes.txt"), "mine").unwrap();
        let report = take(folder.path()).unwrap();
        assert_eq!(report.file_name().unwrap(), "crash-1970-01-01T00-00-13.000000Z.txt");
        assert_eq!(fs::read_to_string(report).unwrap(), "report");
        assert_eq!(take(folder.path()), None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), MAX_STORED_REPORTS + 1);
    }
}
