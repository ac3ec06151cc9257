//! The desktop's permanent permissions, which are tokens for sharing a display or window again
//! without a dialog (`restore_token` of org.freedesktop.portal.ScreenCast). Tokens are secrets,
//! because they give access to the screen, and the studio stores them with the stream keys. A
//! source takes a token when it opens, and returns a replacement, because each token works only
//! once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::base::Secret;
use crate::capture::screen::area::Area;
use crate::capture::screen::target::{SHARED_CONTENT_ID, shared_name};

/// Maximum number of open sources of the same choice, each with its own token.
const MAX_TOKENS: usize = 4;
/// Maximum number of choices with tokens.
pub(in crate::capture) const MAX_CHOICES: usize = 64;
/// Maximum size of a token, in bytes. Portals use UUIDs, which are shorter.
const MAX_TOKEN_BYTES: usize = 512;

#[cfg_attr(not(feature = "wayland"), allow(dead_code, reason = "only a portal uses all of it"))]
#[derive(Debug)]
struct Entry {
    token: Secret,
    /// True while an open source uses the token.
    taken: bool,
}

#[derive(Debug, Default)]
struct Inside {
    /// True while stored tokens are being loaded.
    fetching: bool,
    kept: BTreeMap<String, Vec<Entry>>,
    /// Names whose tokens had the old names of regions. Several regions can have the same new name.
    renamed: BTreeSet<String>,
    /// Names whose tokens changed since the last check.
    changed: BTreeSet<String>,
    /// Number of user requests for a new dialog, by name.
    asked: BTreeMap<String, u64>,
}

/// The stored permissions. All clones share the same permissions.
#[derive(Clone, Debug, Default)]
pub struct Permissions(Arc<Mutex<Inside>>);

impl PartialEq for Permissions {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Returns the name of a display's tokens, which does not depend on the captured region.
pub(in crate::capture) fn screen_key(id: Option<&str>) -> Option<String> {
    // The choice `screen` has this meaning in a Wayland session.
    let id = id.unwrap_or(SHARED_CONTENT_ID);
    shared_name(id)?;
    Some(format!("screen:{id}"))
}

/// Returns the name under which onair 0.1 stored the tokens of a region.
pub(in crate::capture) fn old_screen_key(key: &str, part: Area) -> String {
    format!("{key}@{part}")
}

/// Returns the current name for a name from [`old_screen_key`].
fn renamed(key: &str) -> Option<&str> {
    let (name, part) = key.rsplit_once('@')?;
    (name.starts_with("screen:") && part.parse::<Area>().is_ok()).then_some(name)
}

pub(in crate::capture) fn window_key(id: &str) -> Option<String> {
    shared_name(id)?;
    Some(format!("window:{id}"))
}

#[cfg_attr(not(feature = "wayland"), allow(dead_code, reason = "only a portal uses all of it"))]
impl Permissions {
    /// Announces stored tokens, so that sources wait for [`Self::fetched`].
    pub fn fetching(&self) {
        self.0.lock().fetching = true;
    }

    /// Records that all stored tokens have arrived.
    pub fn fetched(&self) {
        self.0.lock().fetching = false;
    }

    pub(in crate::capture) fn is_fetching(&self) -> bool {
        self.0.lock().fetching
    }

    /// Restores a result of [`Self::take_changes`] from an earlier run, with one token per line.
    pub fn restore(&self, key: &str, kept: &Secret) {
        let mut inside = self.0.lock();
        let renamed = renamed(key);
        if renamed.is_some() {
            // The entry with the old name is deleted.
            inside.changed.insert(key.to_owned());
        }
        let key = renamed.unwrap_or(key);
        let takes_tokens = if inside.kept.contains_key(key) {
            renamed.is_some() && inside.renamed.contains(key)
        } else {
            inside.kept.len() < MAX_CHOICES
        };
        if !takes_tokens {
            return;
        }
        if renamed.is_some() {
            inside.renamed.insert(key.to_owned());
            inside.changed.insert(key.to_owned());
        }
        let good = |line: &&str| !line.is_empty() && line.len() <= MAX_TOKEN_BYTES;
        let entries = inside.kept.entry(key.to_owned()).or_default();
        let free = MAX_TOKENS.saturating_sub(entries.len());
        let tokens = kept.expose().lines().filter(good).take(free);
        entries.extend(tokens.map(|token| Entry { token: Secret::new(token), taken: false }));
    }

    /// Takes the tokens to store, by name. An empty secret means that the entry must be deleted.
    pub fn take_changes(&self) -> Vec<(String, Secret)> {
        let mut inside = self.0.lock();
        let changed = std::mem::take(&mut inside.changed);
        let text = |key: &String| {
            let entries = inside.kept.get(key).into_iter().flatten();
            let lines: Vec<&str> = entries.map(|entry| entry.token.expose()).collect();
            Secret::new(lines.join("\n"))
        };
        changed
            .into_iter()
            .map(|key| {
                let text = text(&key);
                (key, text)
            })
            .collect()
    }

    /// Handles the user's request for a new dialog, by dropping the permission.
    pub fn ask_again(&self, key: &str) {
        let mut inside = self.0.lock();
        if inside.kept.remove(key).is_some() {
            inside.changed.insert(key.to_owned());
        }
        if inside.asked.len() < MAX_CHOICES || inside.asked.contains_key(key) {
            *inside.asked.entry(key.to_owned()).or_default() += 1;
        }
    }

    /// Returns the number of calls of [`Self::ask_again`] for this name.
    pub(in crate::capture) fn asked(&self, key: &str) -> u64 {
        self.0.lock().asked.get(key).copied().unwrap_or(0)
    }

    /// Takes a token that no other source uses.
    pub(in crate::capture) fn take(&self, key: &str) -> Option<Secret> {
        let mut inside = self.0.lock();
        let entry = inside.kept.get_mut(key)?.iter_mut().find(|entry| !entry.taken)?;
        entry.taken = true;
        Some(entry.token.clone())
    }

    /// Takes back a token that its source no longer uses.
    pub(in crate::capture) fn give_back(&self, key: &str, token: &Secret) {
        let mut inside = self.0.lock();
        let entries = inside.kept.get_mut(key).into_iter().flatten();
        for entry in entries.filter(|entry| entry.token == *token) {
            entry.taken = false;
        }
    }

    /// Stores the replacement of a token, which the source uses from now on.
    pub(in crate::capture) fn keep(&self, key: &str, used: Option<&Secret>, token: &Secret) {
        let bytes = token.expose();
        if bytes.is_empty() || bytes.len() > MAX_TOKEN_BYTES || bytes.chars().any(char::is_control)
        {
            return;
        }
        let mut inside = self.0.lock();
        if inside.kept.len() >= MAX_CHOICES && !inside.kept.contains_key(key) {
            return;
        }
        let entries = inside.kept.entry(key.to_owned()).or_default();
        entries.retain(|entry| Some(&entry.token) != used && entry.token != *token);
        if entries.len() >= MAX_TOKENS {
            entries.remove(0);
        }
        entries.push(Entry { token: token.clone(), taken: true });
        inside.changed.insert(key.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text)
    }

    #[test]
    fn tokens_are_replaced_shared_out_and_kept() {
        let permissions = Permissions::default();
        let key = screen_key(None).unwrap();
        assert_eq!(key, "screen:wayland");
        permissions.restore(&key, &secret("first-token\nsecond-token\n"));
        let (first, second) = (permissions.take(&key), permissions.take(&key));
        assert_eq!(
            (first.clone(), second),
            (Some(secret("first-token")), Some(secret("second-token")))
        );
        assert_eq!(permissions.take(&key), None, "each has its own");
        assert_eq!(permissions.take_changes(), []);
        permissions.keep(&key, first.as_ref(), &secret("third-token"));
        let kept = permissions.take_changes();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].1.expose(), "second-token\nthird-token");
        assert_eq!(permissions.take(&key), None, "its source has it");
        permissions.give_back(&key, &secret("third-token"));
        assert_eq!(permissions.take(&key), Some(secret("third-token")));
        assert!(!format!("{permissions:?}").contains("token\""), "{permissions:?}");
    }

    #[test]
    fn what_is_asked_again_is_forgotten() {
        let permissions = Permissions::default();
        let key = screen_key(Some("wayland/left")).unwrap();
        permissions.keep(&key, None, &secret("a-token"));
        assert_eq!(permissions.take_changes()[0].0, key);
        assert_eq!(permissions.asked(&key), 0);
        permissions.ask_again(&key);
        assert_eq!((permissions.asked(&key), permissions.take(&key)), (1, None));
        assert_eq!(permissions.take_changes(), [(key, Secret::default())]);
    }

    #[test]
    fn tokens_with_the_old_name_of_a_region_are_kept_under_the_new_name() {
        let permissions = Permissions::default();
        let key = screen_key(Some("wayland/left")).unwrap();
        let old = old_screen_key(&key, Area::new(0, 0, 64, 32));
        assert_eq!(old, "screen:wayland/left@64x32+0+0");
        permissions.restore(&old, &secret("old-token"));
        let changes = permissions.take_changes();
        assert_eq!(changes, [(key.clone(), secret("old-token")), (old.clone(), Secret::default())]);
        // Another region of this display has its own token.
        let other = old_screen_key(&key, Area::new(64, 0, 64, 32));
        permissions.restore(&other, &secret("other-token"));
        let both = secret("old-token\nother-token");
        let changes = permissions.take_changes();
        assert_eq!(changes, [(key.clone(), both), (other, Secret::default())]);
        assert_eq!(permissions.take(&key), Some(secret("old-token")));
        assert_eq!(permissions.take(&key), Some(secret("other-token")));
        // Tokens with the new name are newer, and stay.
        let permissions = Permissions::default();
        permissions.restore(&key, &secret("new-token"));
        permissions.restore(&old, &secret("old-token"));
        assert_eq!(permissions.take_changes(), [(old, Secret::default())]);
        assert_eq!(permissions.take(&key), Some(secret("new-token")));
        assert_eq!(permissions.take(&key), None);
    }

    #[test]
    fn invalid_tokens_are_not_kept_and_their_number_is_limited() {
        let permissions = Permissions::default();
        for bad in ["", "two\nlines", &"x".repeat(MAX_TOKEN_BYTES + 1)] {
            permissions.keep("screen:wayland", None, &secret(bad));
        }
        assert_eq!(permissions.take_changes(), []);
        for number in 0..9 {
            permissions.keep("screen:wayland", None, &secret(&format!("token-{number}")));
        }
        let kept = permissions.take_changes();
        assert_eq!(kept[0].1.expose(), "token-5\ntoken-6\ntoken-7\ntoken-8");
        for number in 0..MAX_CHOICES + 9 {
            permissions.keep(&format!("screen:wayland/{number}"), None, &secret("a-token"));
        }
        assert_eq!(permissions.take_changes().len(), MAX_CHOICES - 1);
    }
}
