//! What an imported collection or profile has in it.

use crate::base::Secret;
use crate::studio::Settings;
use crate::studio::settings::import::in_short;
use crate::text::Problem;

/// What a file had in it.
#[derive(Clone, Debug)]
pub struct PartImport {
    /// As its file or its owner calls it.
    pub name: String,
    pub settings: Settings,
    /// What was not taken.
    pub left_out: Vec<Problem>,
}

impl PartImport {
    /// What was not taken, as far as a notice has room for it.
    pub fn left_out_in_short(&self) -> Vec<Problem> {
        in_short(&self.left_out)
    }

    /// Stream keys that came with it, by the names under which they are kept.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.settings.targets.iter().filter_map(|it| Some((it.keep_as.as_str(), it.key()?)))
    }
}
