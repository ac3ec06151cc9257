//! The audio ports of a plugin.

/// Maximum number of samples per channel that the plugin gets at a time.
pub(super) const MAX_BLOCK: usize = 1_024;

/// The channels of each port; the first port is the main one.
#[derive(Clone, Debug)]
pub(super) struct Ports {
    pub inputs: Vec<usize>,
    pub outputs: Vec<usize>,
}
