//! Keeps the measured speeds of encoders in a file of the cache folder, until the libraries or the
//! drivers change. Only successes are kept: whether a reason still applies is found out each time.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::encode::choice::Choice;

/// Maximum size of the file.
const MAX_BYTES: usize = 16 << 10;

/// The measured speeds, in frames per second.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Measurements {
    file: Option<PathBuf>,
    /// Names the libraries and drivers.
    key: String,
    speeds: Vec<(Choice, f64)>,
}

impl Measurements {
    /// Reads the file. Speeds of other libraries and drivers are ignored.
    pub fn read() -> Self {
        // Other libraries than those of the system are not in the key.
        let has_others = std::env::var_os("LD_LIBRARY_PATH").is_some_and(|it| !it.is_empty());
        let file = dirs::cache_dir().filter(|_| !has_others);
        Self::of(file.map(|folder| folder.join("onair").join("encoders")), key())
    }

    fn of(file: Option<PathBuf>, key: String) -> Self {
        let text = file.as_deref().and_then(|file| std::fs::read(file).ok());
        let text = text.filter(|text| text.len() <= MAX_BYTES);
        let text = text.and_then(|text| String::from_utf8(text).ok()).unwrap_or_default();
        let mut lines = text.lines();
        let speeds = match lines.next() {
            Some(first) if first == key => lines.filter_map(speed).collect(),
            _ => Vec::new(),
        };
        Self { file, key, speeds }
    }

    /// Returns the measured speed of an encoder.
    pub fn speed(&self, encoder: Choice) -> Option<f64> {
        self.speeds.iter().find(|(choice, _)| *choice == encoder).map(|(_, speed)| *speed)
    }

    /// Writes the file if the speeds are not those that were read. A failure only means that the
    /// encoders are measured again.
    pub fn write(&self, speeds: impl Iterator<Item = (Choice, f64)>) {
        let speeds: Vec<_> = speeds.collect();
        let Some(file) = self.file.as_deref().filter(|_| speeds != self.speeds) else { return };
        let lines = speeds.iter().map(|(choice, speed)| format!("{} {speed:.1}\n", choice.name()));
        let text = format!("{}\n{}", self.key, lines.collect::<String>());
        let write = |folder: &Path| {
            std::fs::create_dir_all(folder)?;
            let mut part = tempfile::NamedTempFile::new_in(folder)?;
            std::io::Write::write_all(&mut part, text.as_bytes())?;
            part.persist(file).map_err(std::io::Error::from)
        };
        if let Some(Err(error)) = file.parent().map(write) {
            tracing::debug!(%error, "the speeds of the encoders were not kept");
        }
    }
}

fn speed(line: &str) -> Option<(Choice, f64)> {
    let (name, speed) = line.split_once(' ')?;
    let speed = speed.parse().ok().filter(|speed: &f64| (0.1..1e6).contains(speed));
    name.parse().ok().zip(speed)
}

/// Returns a text that changes with the libraries, the drivers and this program.
fn key() -> String {
    let mut hasher = DefaultHasher::new();
    let parts = [
        // The system writes this file whenever a library is installed or updated.
        "/etc/ld.so.cache",
        "/proc/driver/nvidia/version",
        "/sys/module/i915/srcversion",
        "/sys/module/xe/srcversion",
        "/sys/module/amdgpu/srcversion",
        "/proc/cpuinfo",
    ];
    for part in parts {
        let changed = std::fs::metadata(part).ok().and_then(|it| it.modified().ok());
        match part {
            "/etc/ld.so.cache" => changed.hash(&mut hasher),
            "/proc/cpuinfo" => std::thread::available_parallelism().ok().hash(&mut hasher),
            _ => std::fs::read(part).ok().hash(&mut hasher),
        }
    }
    format!("onair {} {:016x}", env!("CARGO_PKG_VERSION"), hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_kept_until_the_libraries_change() {
        let folder = tempfile::tempdir().unwrap();
        let file = Some(folder.path().join("onair").join("encoders"));
        let of = |key: &str| Measurements::of(file.clone(), key.to_owned());
        assert_eq!(of("1").speed(Choice::X264), None);
        of("1").write([(Choice::X264, 93.2), (Choice::SvtAv1, 120.0)].into_iter());
        assert_eq!(of("1").speed(Choice::X264), Some(93.2));
        assert_eq!(
            (of("1").speed(Choice::SvtAv1), of("1").speed(Choice::X265)),
            (Some(120.0), None)
        );
        assert_eq!(of("2").speeds, []);
        let file = file.as_deref().unwrap();
        for text in ["1\nx264 nan\nx264\nx264 -1\nvp9 5\n", "1", "", "\0\n"] {
            std::fs::write(file, text).unwrap();
            assert_eq!(of("1").speeds, [], "{text}");
        }
        std::fs::write(file, vec![b'1'; MAX_BYTES + 1]).unwrap();
        assert_eq!(of("1").speeds, []);
        assert_eq!(key(), key());
    }
}
