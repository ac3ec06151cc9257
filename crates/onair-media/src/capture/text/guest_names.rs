//! The names of guests as texts: the studio writes them on a board, and the name tags of guests read them.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// The names of the guests by their IDs. The studio sets them, and all texts that show one read them.
#[derive(Clone, Debug, Default)]
pub struct GuestNames(Arc<Mutex<BTreeMap<String, String>>>);

impl PartialEq for GuestNames {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl GuestNames {
    /// Maximum length of an ID.
    pub const MAX_ID_BYTES: usize = 16;

    /// Sets the names of all guests.
    pub fn set(&self, names: BTreeMap<String, String>) {
        *self.0.lock() = names;
    }

    /// Returns the name of a guest in one line; empty for an unknown one.
    pub(super) fn of(&self, id: &str) -> String {
        let name = self.0.lock().get(id).cloned().unwrap_or_default();
        name.replace(['\r', '\n'], " ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_and_that_of_an_unknown_guest_is_empty() {
        let names = GuestNames::default();
        assert_eq!(names.of("g1"), "");
        names.set(BTreeMap::from([("g1".to_owned(), "Ada\nLovelace".to_owned())]));
        assert_eq!((names.of("g1").as_str(), names.of("g2").as_str()), ("Ada Lovelace", ""));
    }
}
