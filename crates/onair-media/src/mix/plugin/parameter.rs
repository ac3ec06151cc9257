//! The parameters of a plugin, and the limits of what is saved of it.

use std::collections::BTreeMap;

/// Maximum size of a plugin's state in bytes.
pub const MAX_STATE: usize = 256 << 10;
/// Maximum number of a plugin's parameters.
pub(in crate::mix) const MAX_PARAMETERS: usize = 2_048;

/// Values of parameters by their ids.
pub type PluginValues = BTreeMap<u32, f64>;

/// A parameter, as its plugin describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginParameter {
    pub id: u32,
    pub name: String,
    pub lowest: f64,
    pub highest: f64,
    pub rest: f64,
    /// True if only whole numbers are valid.
    pub stepped: bool,
    pub value: f64,
}
