//! `--tls-ca` and `--tls-pin`: certificates to trust in addition to the system's.

use std::fs::File;
use std::path::PathBuf;

use crate::cli::output::exit::Exit;
use crate::net::Trust;
use crate::text::problem::{Problem, problem};

/// Flags for trusted certificates.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(id = "trust")]
pub struct Flags {
    /// Trust this certificate authority or server certificate (PEM) for TLS, in addition to those of
    /// the system
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Trust only the server certificate with this SHA-256 (DER, hex) for TLS
    #[arg(long, value_name = "SHA256")]
    tls_pin: Option<String>,
}

impl Flags {
    /// Returns the certificate file as the user entered it.
    pub(in crate::cli) fn ca_file(&self) -> String {
        self.tls_ca.as_ref().map(|path| path.display().to_string()).unwrap_or_default()
    }

    /// Reads the options.
    ///
    /// # Errors
    /// Fails with the problem and the exit code.
    pub fn read(&self) -> Result<Trust, (Problem, Exit)> {
        if let Some(ca) = &self.tls_ca
            && let Err(error) = File::open(ca)
        {
            let flag = format!("--tls-ca {}", ca.display());
            let reason = Problem::from(error);
            return Err((problem!("cli-flag", flag = flag, reason = reason), Exit::File));
        }
        let pin = self.tls_pin.as_ref().map(|pin| pin.parse()).transpose();
        let pin = pin.map_err(|why: Problem| {
            (problem!("cli-flag", flag = "--tls-pin", reason = why), Exit::Usage)
        })?;
        Ok(Trust { ca_file: self.tls_ca.clone(), pin, ..Trust::default() })
    }
}
