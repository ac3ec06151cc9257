//! The contents of an imported collection or profile.

use crate::base::Secret;
use crate::studio::settings::Settings;
use crate::studio::settings::import::in_short;
use crate::studio::settings::secret_addresses::{self, StoredAddress};
use crate::text::Problem;

/// The contents of a file.
#[derive(Clone, Debug)]
pub struct PartImport {
    /// The name in the file, or in the program that wrote it.
    pub name: String,
    /// The settings, whose addresses contain no secrets.
    pub settings: Settings,
    /// The parts that were not imported.
    pub left_out: Vec<Problem>,
    stored: Vec<StoredAddress>,
}

impl PartImport {
    pub(in crate::settings) fn new(
        name: String,
        mut settings: Settings,
        left_out: Vec<Problem>,
    ) -> Self {
        // The import is not in use yet. The collection in use may have an address that differs only
        // in its secret.
        let moment = jiff::Timestamp::now().as_microsecond().to_string();
        let stored = secret_addresses::conceal_apart(settings.addresses(), &moment);
        Self { name, settings, left_out, stored }
    }

    /// Returns the addresses with secrets, by the names under which they are stored.
    pub fn addresses(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.stored.iter().filter_map(|it| Some((it.name.as_str(), it.url.as_ref()?)))
    }

    /// Returns the parts that were not imported, shortened for a notice.
    pub fn left_out_in_short(&self) -> Vec<Problem> {
        in_short(&self.left_out)
    }

    /// Returns the stream keys, by the names under which they are stored.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.settings.targets.iter().filter_map(|it| Some((it.keep_as.as_str(), it.key()?)))
    }
}
