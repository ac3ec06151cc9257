//! Names of collections and profiles, and which of them is in use.

use serde::{Deserialize, Serialize};

use crate::base::named;
use crate::text::problem::{Problem, problem};

/// The default name of the first collection or profile.
pub const DEFAULT_NAME: &str = "Main";

/// Maximum number of characters of a name, which must be valid as a file name with an extension.
pub const MAX_NAME: usize = 60;

/// Characters that some file systems do not allow in names.
const FORBIDDEN_NAME_CHARS: &[char] = &['/', '\\', ':', '*', '?', '"', '<', '>', '|'];

named! {
    /// The kind of a part.
    #[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum PartKind {
        #[default]
        Collection = "collection",
        Profile = "profile",
    }
    /// Returns the name of the kind on the command line and in JSON.
    fn word;
}

impl PartKind {
    /// Returns the folder of the unused collections or profiles.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Collection => "collections",
            Self::Profile => "profiles",
        }
    }
}

/// The names of the collection and the profile in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InUse {
    #[serde(deserialize_with = "name")]
    pub collection: String,
    #[serde(deserialize_with = "name")]
    pub profile: String,
}

impl Default for InUse {
    fn default() -> Self {
        Self { collection: DEFAULT_NAME.into(), profile: DEFAULT_NAME.into() }
    }
}

impl InUse {
    /// Returns the name of the collection or profile in use.
    pub fn name(&self, kind: PartKind) -> &str {
        match kind {
            PartKind::Collection => &self.collection,
            PartKind::Profile => &self.profile,
        }
    }

    pub(crate) fn set(&mut self, kind: PartKind, name: &str) {
        match kind {
            PartKind::Collection => self.collection = name.into(),
            PartKind::Profile => self.profile = name.into(),
        }
    }
}

fn name<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    check_name(&name).map_err(crate::studio::settings::reading::values::refuse)
}

/// Checks a name.
///
/// # Errors
/// Fails with the problem of the name.
pub fn check_name(name: &str) -> Result<String, Problem> {
    let name = name.trim();
    if name.is_empty() {
        return Err(problem!("part-name-empty"));
    }
    if name.chars().count() > MAX_NAME {
        return Err(problem!("part-name-long", most = MAX_NAME));
    }
    if name.starts_with('.') {
        return Err(problem!("part-name-dot"));
    }
    let bad =
        |it: char| FORBIDDEN_NAME_CHARS.contains(&it) || !crate::base::sanitize::is_harmless(it);
    if name.contains(bad) || name.contains(['\n', '\t']) {
        return Err(problem!("part-name-character"));
    }
    Ok(name.to_owned())
}

/// Returns true if both names mean the same file on a file system that ignores the case of letters.
pub fn is_same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}
