//! Follows the plugins of strips: takes the states that they report into the settings, and tells of
//! those that fail.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::mix::filter::Filter;
use crate::mix::plugin::{LinkState, PluginTrouble};
use crate::studio::engine::Engine;
use crate::studio::notices::message::StudioMessage;

/// The notices about a plugin that does not run.
const DOWN: [&str; 2] = ["plugin-restarted", "plugin-bypassed"];

impl Engine {
    pub(in crate::engine::handlers) fn follow_plugins(&mut self) {
        let (mut changed, mut messages) = (false, Vec::new());
        let mut names = BTreeSet::new();
        let strips = self.settings.strips.iter_mut();
        for slot in strips.flat_map(|strip| &mut strip.strip.filters) {
            let Filter::Plugin(plugin) = &mut slot.filter else { continue };
            if let Some(new) = plugin.with_saved() {
                *plugin = Arc::new(new);
                changed = true;
            }
            let device = plugin.plugin.short().to_owned();
            match plugin.link.news() {
                Some(LinkState::Restarting(trouble)) => {
                    let reason = (&trouble).into();
                    messages
                        .push(StudioMessage::PluginRestarted { device: device.clone(), reason });
                }
                // The user has added the filter, and chooses a plugin next.
                Some(LinkState::Bypassed(PluginTrouble::NotChosen)) => {}
                Some(LinkState::Bypassed(trouble)) => {
                    let reason = (&trouble).into();
                    messages.push(StudioMessage::PluginBypassed { device: device.clone(), reason });
                }
                Some(LinkState::Running) => {
                    let of = |notice: &crate::studio::notices::Notice| {
                        DOWN.contains(&notice.key())
                            && notice.value("device").is_some_and(|it| it == device)
                    };
                    if self.notices.active.notices().iter().any(of) {
                        messages.push(StudioMessage::PluginBack { device: device.clone() });
                    }
                }
                Some(LinkState::Off | LinkState::Starting) | None => {}
            }
            if slot.enabled {
                names.insert(device);
            }
        }
        for message in messages {
            self.notices.raise(&message, "");
        }
        let active = self.notices.active.notices().iter();
        let about = active.filter(|notice| DOWN.contains(&notice.key()));
        let about = about.filter_map(|notice| notice.value("device"));
        let gone: Vec<String> = about.filter(|device| !names.contains(device)).collect();
        for device in gone {
            // The filter was removed or turned off.
            self.notices.active.clear_of(&DOWN, &device);
        }
        if changed {
            self.set_strips();
            self.changed();
        }
    }
}
