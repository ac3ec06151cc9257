//! A file with plugins.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

use clap_sys::entry::clap_plugin_entry;
use clap_sys::factory::plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory};
use clap_sys::plugin::clap_plugin_descriptor;
use clap_sys::version::clap_version_is_compatible;
use libloading::os::unix::{Library as Loaded, RTLD_LOCAL, RTLD_NOW};

use crate::mix::plugin::backend::host::callbacks::CLAP_HOST;
use crate::mix::plugin::backend::host::instance::Instance;
use crate::mix::plugin::backend::host::texts::text;
use crate::mix::plugin::trouble::{PluginDescription, Refusal};

/// Maximum number of features that are read.
const MAX_FEATURES: usize = 64;
/// Maximum number of plugins that are read.
const MAX_PLUGINS: u32 = 500;

/// The file, which a process loads only once.
static LOADED: OnceLock<Loaded> = OnceLock::new();

/// A loaded file. It stays loaded until the process ends.
pub(super) struct Library {
    factory: *const clap_plugin_factory,
}

impl Library {
    pub fn load(file: &Path) -> Result<Self, Refusal> {
        // SAFETY: loading runs the plugin's own start code. This process exists for that.
        let library = unsafe { Loaded::open(Some(file), RTLD_NOW | RTLD_LOCAL) };
        let library = library.map_err(|error| Refusal::Unloadable { reason: error.to_string() })?;
        // SAFETY: in a CLAP file, the name means this structure.
        let entry = unsafe { library.get::<*const clap_plugin_entry>(b"clap_entry\0") };
        let entry: *const clap_plugin_entry =
            entry.map(|entry| *entry).map_err(|_| Refusal::NotAPlugin)?;
        // The plugin's threads may run its code until the process ends.
        let _ = LOADED.set(library);
        let path = CString::new(file.as_os_str().as_bytes()).map_err(|_| Refusal::NotAPlugin)?;
        // SAFETY: the entry belongs to a loaded file, and its functions are called as CLAP says.
        let factory = unsafe {
            if entry.is_null() || !clap_version_is_compatible((*entry).clap_version) {
                return Err(Refusal::NotAPlugin);
            }
            let (Some(init), Some(get_factory)) = ((*entry).init, (*entry).get_factory) else {
                return Err(Refusal::NotAPlugin);
            };
            if !init(path.as_ptr()) {
                return Err(Refusal::Failed { step: "entry.init".into() });
            }
            get_factory(CLAP_PLUGIN_FACTORY_ID.as_ptr()).cast::<clap_plugin_factory>()
        };
        if factory.is_null() { Err(Refusal::NotAPlugin) } else { Ok(Self { factory }) }
    }

    fn descriptors(&self) -> Vec<&clap_plugin_descriptor> {
        // SAFETY: the factory lives as long as the process, and so do its descriptors.
        unsafe {
            let (Some(count), Some(get)) =
                ((*self.factory).get_plugin_count, (*self.factory).get_plugin_descriptor)
            else {
                return Vec::new();
            };
            let all = 0..count(self.factory).min(MAX_PLUGINS);
            all.filter_map(|index| get(self.factory, index).as_ref()).collect()
        }
    }

    /// Returns the plugins of the file.
    pub fn plugins(&self) -> Vec<PluginDescription> {
        let describe = |it: &clap_plugin_descriptor| PluginDescription {
            id: text(it.id),
            name: text(it.name),
            vendor: text(it.vendor),
            version: text(it.version),
            is_effect: features(it).iter().any(|feature| feature == "audio-effect"),
        };
        let all = self.descriptors().into_iter().map(describe);
        all.filter(|it| !it.id.is_empty()).collect()
    }

    /// Returns the name of a plugin with its maker.
    pub fn name_of(&self, id: &str) -> Option<String> {
        let it = self.plugins().into_iter().find(|it| it.id == id)?;
        let name = if it.name.is_empty() { it.id } else { it.name };
        Some(if it.vendor.is_empty() { name } else { format!("{name} ({})", it.vendor) })
    }

    /// Creates a plugin.
    pub fn create(&self, id: &str) -> Result<Instance, Refusal> {
        let id = CString::new(id).map_err(|_| Refusal::NotInFile)?;
        // SAFETY: the factory and the host live as long as the process.
        let plugin = unsafe {
            let create = (*self.factory).create_plugin.ok_or(Refusal::NotAPlugin)?;
            create(self.factory, &raw const CLAP_HOST, id.as_ptr())
        };
        if plugin.is_null() {
            return Err(Refusal::Failed { step: "create_plugin".into() });
        }
        Instance::begin(plugin)
    }
}

fn features(of: &clap_plugin_descriptor) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = of.features;
    // SAFETY: the list ends with a null pointer.
    unsafe {
        while !next.is_null() && !(*next).is_null() && found.len() < MAX_FEATURES {
            found.push(text(*next));
            next = next.add(1);
        }
    }
    found
}
