//! What is saved of a plugin.

use std::sync::Arc;

use crate::mix::plugin::link::Link;
use crate::mix::plugin::parameter::{MAX_PARAMETERS, PluginValues};
use crate::mix::plugin::plugin_id::PluginId;

/// A plugin with its saved state. Two are equal if what is saved is equal.
#[derive(Clone, Debug)]
pub struct Plugin {
    pub plugin: PluginId,
    /// The state, which only the plugin understands; empty for the default.
    pub state: Arc<[u8]>,
    /// The parameters that differ from the state.
    pub values: PluginValues,
    /// The connection with the running plugin.
    pub link: Arc<Link>,
}

impl PartialEq for Plugin {
    fn eq(&self, other: &Self) -> bool {
        let saved = |it: &Self| (it.plugin.clone(), Arc::clone(&it.state));
        self.values == other.values && saved(self) == saved(other)
    }
}

impl Plugin {
    /// Creates the plugin with its default state.
    pub fn new(plugin: PluginId) -> Self {
        Self { plugin, state: Arc::default(), values: PluginValues::new(), link: Arc::default() }
    }

    /// Returns the same settings for another strip, with a process of its own.
    #[must_use]
    pub fn separate(&self) -> Self {
        Self { link: Arc::default(), ..self.clone() }
    }

    /// Sets a parameter. Returns false if there are too many.
    pub fn set(&mut self, id: u32, value: f64) -> bool {
        let fits = self.values.len() < MAX_PARAMETERS || self.values.contains_key(&id);
        if fits && value.is_finite() {
            self.values.insert(id, value);
        }
        fits && value.is_finite()
    }

    /// Returns the settings with the state that the plugin reported, or `None` if there is none, or
    /// if the plugin has not yet followed these settings.
    pub fn with_saved(&self) -> Option<Self> {
        let saved = self.link.saved()?;
        let follows = saved.of_state == self.state && saved.of_values == self.values;
        let mut new = Self { state: Arc::clone(&saved.state), ..self.clone() };
        for (id, value) in &mut new.values {
            if let Some(now) = saved.values.get(id) {
                *value = *now;
            }
        }
        if !saved.has_state {
            new.values.extend(saved.changed.iter().map(|(id, value)| (*id, *value)));
        }
        (follows && new != *self).then_some(new)
    }

    /// Writes the parameters as `ID=VALUE`, separated by spaces.
    pub fn written_values(&self) -> String {
        let words: Vec<String> =
            self.values.iter().map(|(id, value)| format!("{id}={value}")).collect();
        words.join(" ")
    }

    /// Reads what [`written_values`](Self::written_values) wrote. Returns `None` if a word is not
    /// valid.
    pub fn parse_values(text: &str) -> Option<PluginValues> {
        let word = |word: &str| {
            let (id, value) = word.split_once('=')?;
            let value = value.parse::<f64>().ok().filter(|it| it.is_finite())?;
            Some((id.parse().ok()?, value))
        };
        let values: Option<PluginValues> = text.split_whitespace().map(word).collect();
        values.filter(|values| values.len() <= MAX_PARAMETERS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mix::plugin::link::Saved;

    #[test]
    fn parameters_come_back_as_they_were_written() {
        let mut plugin = Plugin::new(PluginId::default());
        assert!(plugin.set(7, -0.25) && plugin.set(4_000_000_000, 1e-9));
        assert!(!plugin.set(8, f64::NAN));
        let text = plugin.written_values();
        assert_eq!(Plugin::parse_values(&text), Some(plugin.values));
        assert_eq!(Plugin::parse_values(""), Some(PluginValues::new()));
        for bad in ["1", "a=1", "1=b", "1=inf", "-1=2"] {
            assert_eq!(Plugin::parse_values(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_reported_state_is_taken_only_if_the_plugin_had_followed_the_settings() {
        let mut plugin = Plugin::new(PluginId::default());
        plugin.set(1, 0.5);
        let saved = |of_value: f64| Saved {
            state: Arc::from(*b"new"),
            values: PluginValues::from([(1, 0.75), (2, 9.0)]),
            of_values: PluginValues::from([(1, of_value)]),
            has_state: true,
            ..Saved::default()
        };
        plugin.link.save(saved(0.25));
        assert_eq!(plugin.with_saved(), None, "the plugin has not got 0.5 yet");
        plugin.link.save(saved(0.5));
        let new = plugin.with_saved().unwrap();
        assert_eq!((&*new.state, &new.values), (&b"new"[..], &PluginValues::from([(1, 0.75)])));
        assert_eq!(new.with_saved(), None);
        assert!(plugin.separate().with_saved().is_none(), "a copy has no process yet");
    }
}
