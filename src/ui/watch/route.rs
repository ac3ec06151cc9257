//! The fields about how servers are reached, as they are typed.

use crate::base::Secret;
use crate::studio::Route;
use crate::studio::playing::Network;

/// What is typed, also while it makes no sense yet.
#[derive(Clone, Debug)]
pub struct Typed {
    pub ports: String,
    pub proxy: String,
    pub bind: String,
    pub ca_file: String,
}

impl Typed {
    /// What stands in the fields at first.
    pub fn of(network: &Network) -> Self {
        Self {
            ports: network.route.ports.clone(),
            proxy: network.route.proxy.expose().to_owned(),
            bind: network.route.bind.clone(),
            ca_file: network.ca_file.clone(),
        }
    }

    /// What was typed becomes what is asked for.
    pub fn put_into(&self, network: &mut Network) {
        network.route = Route {
            ports: self.ports.trim().to_owned(),
            proxy: Secret::new(self.proxy.trim()),
            bind: self.bind.trim().to_owned(),
        };
        self.ca_file.trim().clone_into(&mut network.ca_file);
    }
}
