//! The plugins of this computer, which a thread finds when the list is needed first.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::base::Worker;
#[cfg(target_os = "linux")]
use crate::mix::plugin::backend::scan::scan;
#[cfg(not(target_os = "linux"))]
use crate::mix::plugin::no_plugins::scan;
use crate::mix::plugin::plugin_id::{PluginId, files};

/// Found plugins with their names.
#[derive(Clone, Debug, Default)]
pub struct FoundPlugins {
    /// True while the files are looked through.
    pub searching: bool,
    /// The audio effects, by name.
    pub plugins: Vec<(PluginId, String)>,
}

static SEARCH: Mutex<Option<Worker>> = Mutex::new(None);
static FOUND: OnceLock<Mutex<Arc<FoundPlugins>>> = OnceLock::new();

/// Returns the plugins that were found until now. The first call begins to look for them, and so
/// does a call with `again`. It never waits.
pub fn found(again: bool) -> Arc<FoundPlugins> {
    let mut begins = false;
    let shared = FOUND.get_or_init(|| {
        begins = true;
        Mutex::default()
    });
    let mut list = shared.lock();
    if begins || (again && !list.searching) {
        let searching = FoundPlugins { searching: true, plugins: list.plugins.clone() };
        *list = Arc::new(searching);
        let search = Worker::spawn("plugin-search", |stop| {
            let mut plugins = Vec::new();
            for file in files() {
                if stop.is_set() {
                    break;
                }
                let effects = scan(&file).unwrap_or_default();
                plugins.extend(effects.into_iter().filter(|it| it.is_effect).map(|it| {
                    let name = if it.name.is_empty() { it.id.clone() } else { it.name };
                    (PluginId { file: file.clone(), id: it.id }, name)
                }));
            }
            plugins.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
            if let Some(shared) = FOUND.get() {
                *shared.lock() = Arc::new(FoundPlugins { searching: false, plugins });
            }
        });
        match search {
            // Dropping it stops an earlier search.
            Ok(search) => *SEARCH.lock() = Some(search),
            Err(_) => *list = Arc::default(),
        }
    }
    Arc::clone(&list)
}
