//! The tables `[[ice_server]]` of `onair serve --config FILE`: STUN and TURN servers for WebRTC
//! viewers.

use std::path::PathBuf;

use serde::Deserialize;

use crate::cli::live::targets::KeySource;
use crate::cli::serve::values::Note;
use crate::server::{IceLogin, IceServer};
use crate::text::Problem;
use crate::text::problem::problem;

/// The table `[[ice_server]]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::cli::serve) struct IceServerTable {
    url: String,
    username: Option<String>,
    credential_file: Option<PathBuf>,
}

/// Checks the number of servers.
pub(in crate::cli::serve) fn check_count(count: usize) -> Result<(), Problem> {
    if count > IceServer::MAX_COUNT {
        return Err(problem!("serve-too-many-ice-servers", most = IceServer::MAX_COUNT));
    }
    Ok(())
}

/// Returns the servers in the tables. `note` gets each invalid value by its path, such as
/// `ice_server.0.url`.
pub(in crate::cli::serve) fn servers(
    tables: Vec<IceServerTable>,
    note: Note<'_>,
) -> Vec<IceServer> {
    if let Err(why) = check_count(tables.len()) {
        note("ice_server", &why);
        return Vec::new();
    }
    let mut servers = Vec::new();
    for (at, table) in tables.into_iter().enumerate() {
        match table.server() {
            Ok(server) => servers.push(server),
            Err((key, why)) => note(&format!("ice_server.{at}.{key}"), &why),
        }
    }
    servers
}

impl IceServerTable {
    /// # Errors
    /// Fails with the key of the invalid value and the reason.
    fn server(self) -> Result<IceServer, (&'static str, Problem)> {
        let credential = self.credential_file.map(|path| KeySource::File(path).read());
        let credential = credential.transpose().map_err(|(why, _)| ("credential_file", why))?;
        let login = match (self.username, credential) {
            (Some(username), Some(credential)) => Some(IceLogin { username, credential }),
            (None, None) => None,
            _ => return Err(("username", problem!("serve-ice-login"))),
        };
        IceServer::new(&self.url, login).map_err(|why| ("url", why))
    }
}
