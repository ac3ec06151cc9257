//! The current access rules, with their run-time state. A reload replaces all rules.

use std::collections::HashMap;
use std::sync::Arc;

use sysinfo::System;

use crate::base::Secret;
use crate::server::access::callback::calls::{Callbacks, Notices};
use crate::server::access::rules::AccessRules;
use crate::server::access::token::key_source::Tokens;
use crate::server::registry::config::Config;

/// The rules for who may publish and play, and which web pages may read; see [`Config`].
#[derive(Debug)]
pub(crate) struct Access {
    pub rules: AccessRules,
    pub tokens: Tokens,
    /// The callbacks by application. `None` is for applications without their own rules.
    callbacks: HashMap<Option<String>, Arc<Callbacks>>,
    pub http_names: Vec<String>,
    pub cors: Vec<String>,
    /// The token for changes over HTTP.
    pub http_token: Option<Secret>,
}

impl Access {
    /// Creates the rules for a configuration; `before` contains the previous ones in a reload. A
    /// configuration without a token keeps the previous token.
    pub fn new(config: &Config, notices: &Notices, before: Option<&Self>) -> Self {
        let Config { publish_keys, access: mut rules, cors, http_token, .. } = config.clone();
        let http_token = http_token.or_else(|| before?.http_token.clone());
        let http_names = known_names(config);
        for app in rules.all_mut().filter(|app| app.publish.keys.is_empty()) {
            app.publish.keys.clone_from(&publish_keys);
        }
        let apps = rules.apps.iter().map(|(name, app)| (Some(name.clone()), app));
        let apps = apps.chain([(None, &rules.others)]);
        let callbacks = apps.filter_map(|(name, app)| {
            let callbacks = app.callbacks.as_ref()?;
            Some((name, Arc::new(Callbacks::new(callbacks, notices))))
        });
        let callbacks = callbacks.collect();
        let tokens = Tokens::new(&rules.tokens, before.map(|access| &access.tokens));
        Self { tokens, callbacks, rules, http_names, cors, http_token }
    }

    /// Returns the callbacks of an application.
    pub fn callbacks(&self, app: &str) -> Option<&Arc<Callbacks>> {
        self.callbacks.get(&self.rules.own_name(app))
    }
}

/// Returns the host names by which browsers may address the server: those of the configuration, and this
/// computer's name in the local network, such as `studio.local`.
///
/// The name in the local network is safe from DNS rebinding. Names in `.local` are resolved by
/// multicast on the local network (RFC 6762 §3), not by the DNS, so that no website can make such a
/// name refer to this computer. An attacker on the same network who answers for the name can reach
/// the server without that trick.
pub(crate) fn known_names(config: &Config) -> Vec<String> {
    config.http_names.iter().cloned().chain(own_local_name()).collect()
}

/// Returns this computer's name in the local network, such as `studio.local`.
pub fn own_local_name() -> Option<String> {
    System::host_name().ok().and_then(|name| local_name(&name))
}

/// Returns the name of a host in the local network: the first label of its name, in `.local`.
fn local_name(host: &str) -> Option<String> {
    let label = host.split('.').next().unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (!label.is_empty() && label.bytes().all(fits)).then(|| format!("{label}.local"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_computer_is_known_by_its_name_in_the_local_network() {
        assert_eq!(local_name("studio").as_deref(), Some("studio.local"));
        assert_eq!(local_name("studio.example.com").as_deref(), Some("studio.local"));
        for odd in ["", ".example", "two words", "工作室"] {
            assert_eq!(local_name(odd), None, "{odd}");
        }
        let config = Config { http_names: vec!["live.example".to_owned()], ..Config::default() };
        let names = known_names(&config);
        assert_eq!(names.first().map(String::as_str), Some("live.example"));
        assert!(names.iter().skip(1).all(|name| name.ends_with(".local")), "{names:?}");
    }
}
