//! `--tls-ca` and `--tls-pin`: whom to trust beside the system's roots.

use std::path::Path;

use crate::cli::exit::Exit;
use crate::net::Trust;

/// Puts the flags together.
///
/// # Errors
/// What is wrong with them, and the exit code.
pub fn read(ca: Option<&Path>, pin: Option<&str>) -> Result<Trust, (String, Exit)> {
    if let Some(ca) = ca
        && let Err(error) = std::fs::File::open(ca)
    {
        return Err((format!("--tls-ca {}: {error}", ca.display()), Exit::File));
    }
    let pin = match pin {
        Some(pin) => Some(pin.parse().map_err(|why| (format!("--tls-pin: {why}"), Exit::Usage))?),
        None => None,
    };
    Ok(Trust { ca_file: ca.map(Path::to_owned), pin })
}
