//! Lists the plugins in a file, by a process that loads it.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::mix::plugin::backend::connection::{MessageReader, send};
use crate::mix::plugin::backend::ring::Ring;
use crate::mix::plugin::backend::supervisor::{launch, trouble};
use crate::mix::plugin::trouble::{PluginDescription, PluginTrouble};
use crate::mix::plugin::wire::{Reply, Request};

/// Time limit for a file. Large plugins read hundreds of files when they are loaded.
const SCAN_TIMEOUT: Duration = Duration::from_secs(10);

/// Returns the plugins in a file. The file is loaded in a process of its own.
///
/// # Errors
/// Fails with the reason why the file is of no use.
pub fn scan(file: &Path) -> Result<Vec<PluginDescription>, PluginTrouble> {
    let not_started =
        |error: std::io::Error| PluginTrouble::NotStarted { reason: error.to_string() };
    let ring = Ring::new(1).map_err(not_started)?;
    let (socket, _helper) = launch(&ring)?;
    let request = Request::Scan(file.to_string_lossy().into_owned());
    send(&socket, &request.to_bytes(), SCAN_TIMEOUT).map_err(|error| trouble(&error))?;
    let until = Instant::now() + SCAN_TIMEOUT;
    let mut reader = MessageReader::default();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let message = reader.next(&socket, left).map_err(|error| trouble(&error))?;
        match message.map(|message| Reply::parse(&message)) {
            None if left.is_zero() => {
                return Err(PluginTrouble::Hung { seconds: SCAN_TIMEOUT.as_secs() });
            }
            None => {}
            Some(Ok(Reply::Found(plugins))) => return Ok(plugins),
            Some(Ok(Reply::Refused(refusal))) => return Err(PluginTrouble::Refused(refusal)),
            Some(_) => return Err(PluginTrouble::Garbage),
        }
    }
}
