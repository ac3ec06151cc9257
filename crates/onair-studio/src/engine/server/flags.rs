//! What the command line says about the built-in server, instead of the settings.

use std::net::SocketAddr;

use crate::base::Secret;
use crate::net::Identity;
use crate::net::tls::acme::AcmeConfig;

/// The flags of the built-in server. `None` means that the settings decide.
#[derive(Clone, Debug, Default)]
pub struct ServerFlags {
    /// The address of HTTPS.
    pub https: Option<SocketAddr>,
    /// The certificate of HTTPS, instead of the one that onair makes. Its files are read again when they change.
    pub identity: Option<Identity>,
    /// The authority that issues the certificate of HTTPS.
    pub acme: Option<AcmeConfig>,
    /// The address of SRT.
    pub srt: Option<SocketAddr>,
    /// The passphrase that all SRT clients need.
    pub srt_passphrase: Option<Secret>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Clock;
    use crate::net::Runtime;
    use crate::studio::engine::server::{BuiltIn, Serve};
    use crate::studio::settings::Settings;
    use crate::studio::targets::sharing::ServerReach;

    #[test]
    fn srt_opens_and_closes_while_the_server_runs_unless_a_flag_says_where_it_is() {
        let runtime = Runtime::start().unwrap();
        let usual = || BuiltIn::new(Serve::WhenNeeded, None, None, &Settings::default());
        let (closed, open) =
            (ServerReach::default(), ServerReach { srt: true, ..ServerReach::default() });
        let mut built_in = usual();
        built_in.start(&runtime, Clock::start()).unwrap();
        for (reach, is_open) in [(closed, false), (open, true), (closed, false), (open, true)] {
            built_in.set_reach(reach).unwrap();
            assert_eq!(built_in.ready().srt.is_some(), is_open, "{reach:?}");
        }
        built_in.shutdown();
        let srt = "127.0.0.1:0".parse().ok();
        let mut fixed = usual().with_flags(ServerFlags { srt, ..ServerFlags::default() });
        fixed.start(&runtime, Clock::start()).unwrap();
        let address = fixed.ready().srt;
        assert!(address.is_some());
        fixed.set_reach(open).unwrap();
        fixed.set_reach(closed).unwrap();
        assert_eq!(fixed.ready().srt, address);
        fixed.shutdown();
    }
}
