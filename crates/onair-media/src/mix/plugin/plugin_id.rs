//! The name of a plugin, and the files in which plugins are.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// Maximum length of a name in bytes.
const MAX_LENGTH: usize = 4_096;
/// Maximum number of files that are listed.
const MAX_FILES: usize = 1_000;
/// Maximum depth of folders below a folder of plugins.
const MAX_DEPTH: usize = 4;

/// A plugin of a file, which can contain several. Written as `FILE#ID`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PluginId {
    pub file: PathBuf,
    pub id: String,
}

impl PluginId {
    /// Parses `FILE#ID`. Returns `None` if one of them is missing, or if the path is relative.
    pub fn parse(text: &str) -> Option<Self> {
        let (file, id) = text.rsplit_once('#')?;
        let is_text = |text: &str| !text.is_empty() && !text.contains(char::is_control);
        let path = Path::new(file);
        let is_valid = text.len() <= MAX_LENGTH && is_text(file) && is_text(id);
        (is_valid && path.is_absolute()).then(|| Self { file: path.to_owned(), id: id.to_owned() })
    }

    /// Returns true if no plugin is chosen.
    pub fn is_none(&self) -> bool {
        self.id.is_empty()
    }

    /// Returns a short name: the last part of the id.
    pub fn short(&self) -> &str {
        self.id.rsplit('.').next().filter(|it| !it.is_empty()).unwrap_or(&self.id)
    }
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_none() {
            true => Ok(()),
            false => write!(f, "{}#{}", self.file.display(), self.id),
        }
    }
}

/// Returns the files of CLAP plugins in the folders of `CLAP_PATH`, of the user and of the system.
/// Nothing is loaded.
pub fn files() -> Vec<PathBuf> {
    let named = std::env::var_os("CLAP_PATH").unwrap_or_default();
    let own = dirs::home_dir().map(|home| home.join(".clap"));
    let folders = std::env::split_paths(&named).filter(|it| it.is_absolute()).chain(own);
    let mut found = BTreeSet::new();
    for folder in folders.chain(["/usr/lib/clap".into(), "/usr/local/lib/clap".into()]) {
        collect(&folder, MAX_DEPTH, &mut found);
    }
    found.into_iter().collect()
}

fn collect(folder: &Path, depth: usize, found: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if found.len() >= MAX_FILES {
            return;
        }
        if path.is_dir() {
            if depth > 0 {
                collect(&path, depth - 1, found);
            }
        } else if path.extension().is_some_and(|it| it.eq_ignore_ascii_case("clap")) {
            found.insert(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_plugin_is_named_by_its_file_and_its_id() {
        let plugin = PluginId::parse("/usr/lib/clap/a#b.clap#org.example.gain").unwrap();
        assert_eq!((&*plugin.id, plugin.short()), ("org.example.gain", "gain"));
        assert_eq!(plugin.to_string(), "/usr/lib/clap/a#b.clap#org.example.gain");
        for bad in ["", "#", "/a.clap", "/a.clap#", "#id", "a.clap#id", "/a\n#id"] {
            assert_eq!(PluginId::parse(bad), None, "{bad}");
        }
        assert_eq!(PluginId::parse(&format!("/{}#a", "x".repeat(MAX_LENGTH))), None);
        assert_eq!(PluginId::default().to_string(), "");
    }

    #[test]
    fn plugins_are_found_in_folders_by_their_ending() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("vendor")).unwrap();
        for file in ["a.clap", "vendor/b.CLAP", "c.so"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        let mut found = BTreeSet::new();
        collect(folder.path(), 1, &mut found);
        let names: Vec<_> =
            found.iter().map(|it| it.strip_prefix(folder.path()).unwrap()).collect();
        assert_eq!(names, [Path::new("a.clap"), Path::new("vendor/b.CLAP")]);
    }
}
