//! The contents of an imported collection or profile.

use crate::base::Secret;
use crate::studio::settings::Settings;
use crate::studio::settings::import::in_short;
use crate::text::Problem;

/// The contents of a file.
#[derive(Clone, Debug)]
pub struct PartImport {
    /// The name in the file, or in the program that wrote it.
    pub name: String,
    pub settings: Settings,
    /// The parts that were not imported.
    pub left_out: Vec<Problem>,
}

impl PartImport {
    /// Returns the parts that were not imported, shortened for a notice.
    pub fn left_out_in_short(&self) -> Vec<Problem> {
        in_short(&self.left_out)
    }

    /// Returns the stream keys, by the names under which they are stored.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.settings.targets.iter().filter_map(|it| Some((it.keep_as.as_str(), it.key()?)))
    }
}
