//! The access rules in force, with what they need at run time. A reload replaces them as a whole.

use std::collections::HashMap;
use std::sync::Arc;

use crate::server::access::callback::calls::{Callbacks, Notices};
use crate::server::access::rules::AccessRules;
use crate::server::access::token::key_source::Tokens;
use crate::server::service::config::Config;

/// Who may publish and play, and whose pages may read. See [`Config`].
#[derive(Debug)]
pub(in crate::server) struct Access {
    pub rules: AccessRules,
    pub tokens: Tokens,
    /// By application; `None` for those without rules of their own.
    callbacks: HashMap<Option<String>, Arc<Callbacks>>,
    pub http_names: Vec<String>,
    pub cors: Vec<String>,
}

impl Access {
    /// Creates it for a configuration, after another one if it is reloaded.
    pub fn new(config: &Config, notices: &Notices, before: Option<&Self>) -> Self {
        let Config { publish_keys, access: mut rules, http_names, cors, .. } = config.clone();
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
        Self { tokens, callbacks, rules, http_names, cors }
    }

    /// The callbacks of an application.
    pub fn callbacks(&self, app: &str) -> Option<&Arc<Callbacks>> {
        let name = self.rules.apps.contains_key(app).then(|| app.to_owned());
        self.callbacks.get(&name)
    }
}
