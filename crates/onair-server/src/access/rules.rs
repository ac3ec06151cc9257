//! The rules of applications: keys, addresses, tokens and limits.

use std::collections::HashMap;

use crate::base::Secret;
use crate::base::secret::is_same_secret;
use crate::server::access::action::Action;
use crate::server::access::address_list::AddressList;
use crate::server::access::callback::rules::{CallKind, CallbackRules};
use crate::server::access::proxies::ProxyRules;
use crate::server::access::token::key_source::TokenRules;

/// The rules for who may publish, or for who may play. Without keys and tokens, no secret is
/// needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionRules {
    /// The keys. A client needs one of them: `?key=…`.
    pub keys: Vec<Secret>,
    /// True if a signed token is accepted instead of a key: `?token=…`.
    pub tokens: bool,
    pub addresses: AddressList,
}

impl ActionRules {
    /// Returns true if anybody at any address is allowed.
    pub(crate) fn is_open(&self) -> bool {
        !self.needs_secret() && !self.restricts_addresses()
    }

    /// Returns true if some addresses are refused.
    pub(crate) fn restricts_addresses(&self) -> bool {
        self.addresses != AddressList::default()
    }

    /// Returns true if a client must have a secret.
    pub fn needs_secret(&self) -> bool {
        self.tokens || !self.keys.is_empty()
    }

    /// Returns true if this is one of the keys. Each key is compared completely, so that timing
    /// reveals nothing.
    pub(crate) fn has_key(&self, given: &str) -> bool {
        let is_same = |key: &Secret| is_same_secret(key.expose().as_bytes(), given.as_bytes());
        self.keys.iter().fold(false, |any, key| any | is_same(key))
    }
}

/// Limits of an application; `None` means that only the server's limit applies.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct AppLimits {
    /// Maximum number of published streams.
    pub streams: Option<usize>,
    /// Maximum number of viewers per stream.
    pub viewers: Option<usize>,
    /// Maximum bitrate of a publisher, in bits per second.
    pub bitrate: Option<u64>,
    /// Maximum width and height of a publisher's video. The video may also be rotated by 90°.
    pub size: Option<(u32, u32)>,
}

/// The rules of an application.
#[derive(Clone, Debug, Default)]
pub struct AppRules {
    pub publish: ActionRules,
    pub play: ActionRules,
    pub limits: AppLimits,
    /// The callbacks to other systems, which decide after all other rules.
    pub callbacks: Option<CallbackRules>,
}

impl AppRules {
    /// Returns the rules for an action.
    pub fn of(&self, action: Action) -> &ActionRules {
        match action {
            Action::Publish => &self.publish,
            Action::Play => &self.play,
        }
    }

    /// Returns true if a callback decides about an action.
    pub fn is_asked(&self, action: Action) -> bool {
        let kind = match action {
            Action::Publish => CallKind::Publish,
            Action::Play => CallKind::Play,
        };
        self.callbacks.as_ref().is_some_and(|it| it.urls.contains_key(&kind))
    }
}

/// The rules of all applications.
#[derive(Clone, Debug, Default)]
pub struct AccessRules {
    /// The rules of applications without their own.
    pub others: AppRules,
    /// The applications with their own rules, by name.
    pub apps: HashMap<String, AppRules>,
    /// The tokens that are accepted.
    pub tokens: TokenRules,
    /// The proxies that may name the addresses of their clients.
    pub proxies: ProxyRules,
}

impl AccessRules {
    /// Returns the name of an application with its own rules.
    pub fn own_name(&self, app: &str) -> Option<String> {
        self.apps.contains_key(app).then(|| app.to_owned())
    }

    /// Returns the rules of an application.
    pub fn of(&self, app: &str) -> &AppRules {
        self.apps.get(app).unwrap_or(&self.others)
    }

    /// Returns true if anybody at any address may perform this action in some application.
    pub fn is_open(&self, action: Action) -> bool {
        let mut all = std::iter::once(&self.others).chain(self.apps.values());
        all.any(|app| app.of(action).is_open() && !app.is_asked(action))
    }

    /// Returns all rules.
    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut AppRules> {
        std::iter::once(&mut self.others).chain(self.apps.values_mut())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_has_its_own_rules_or_those_of_the_others() {
        let mut rules = AccessRules::default();
        rules.apps.insert("a/b".to_owned(), AppRules::default());
        for rules in rules.all_mut() {
            rules.limits.streams = Some(1);
        }
        rules.others.play.keys = vec![Secret::new("of-others"), Secret::new("second")];
        assert!(rules.of("live").play.has_key("second"));
        assert!(!rules.of("live").play.has_key("secon"));
        assert!(!rules.of("live").play.has_key(""));
        assert!(!rules.of("a/b").of(Action::Play).needs_secret());
        assert_eq!(rules.of("a/b").limits.streams, Some(1));
    }
}
