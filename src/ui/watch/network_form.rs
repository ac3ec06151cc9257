//! The form for the connection options, with the values as typed.

use crate::base::{Secret, partial_debug};
use crate::studio::Route;
use crate::studio::watch::choices::Network;
use crate::text::Problem;

/// The typed values, which may be invalid.
#[derive(Clone)]
pub struct NetworkForm {
    pub ports: String,
    pub proxy: String,
    pub bind: String,
    pub ca_file: String,
}

// Without the proxy, which can contain a password.
partial_debug!(NetworkForm { ports, bind, ca_file });

impl NetworkForm {
    /// Returns the initial values of the fields.
    pub fn of(network: &Network) -> Self {
        Self {
            ports: network.route.ports.clone(),
            proxy: network.route.proxy.expose().to_owned(),
            bind: network.route.bind.clone(),
            ca_file: network.ca_file.clone(),
        }
    }

    /// Returns the typed route.
    pub fn route(&self) -> Route {
        Route {
            ports: self.ports.trim().to_owned(),
            proxy: Secret::new(self.proxy.trim()),
            bind: self.bind.trim().to_owned(),
        }
    }

    /// Applies the typed values. If one is invalid, `network` stays unchanged.
    ///
    /// # Errors
    /// Fails with the problem of a value, without a password.
    pub fn put_into(&self, network: &mut Network) -> Result<(), Problem> {
        let (route, ca_file) = (self.route(), self.ca_file.trim().to_owned());
        let asked = Network { route, ca_file, ..network.clone() };
        asked.options(&Default::default())?;
        *network = asked;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_is_typed_is_not_printed() {
        let mut typed = NetworkForm::of(&Network::default());
        typed.proxy = "socks5://me:planted@proxy.example:1080".into();
        assert!(!format!("{typed:?}").contains("planted"));
    }

    #[test]
    fn a_wrong_field_leaves_the_route_and_whatever_else_is_asked_for() {
        let mut network = Network { ca_file: "/a.pem".into(), ..Network::default() };
        network.route.ports = "443".into();
        let mut typed = NetworkForm::of(&network);
        typed.bind = "not an address".into();
        typed.ca_file = "/b.pem".into();
        network.reconnect = false;
        assert!(typed.put_into(&mut network).is_err());
        assert_eq!((network.route.ports.as_str(), network.ca_file.as_str()), ("443", "/a.pem"));
        assert!(network.route.bind.is_empty() && !network.reconnect);
        typed.bind = " 127.0.0.1 ".into();
        typed.put_into(&mut network).unwrap();
        assert_eq!(
            (network.route.bind.as_str(), network.ca_file.as_str()),
            ("127.0.0.1", "/b.pem")
        );
        assert!(!network.reconnect);
    }
}
