//! The replacement of encoder processes on systems that have none yet.

use crate::encode::backend::process::trouble::{Packet, Trouble};
use crate::encode::backend::process::wire::Task;
use crate::media::Planes;

/// An encoder process, of which there is none.
pub(in crate::encode) struct Client {
    pub library: String,
    pub header: Vec<u8>,
}

/// Returns the exit code of a process that has nothing to do.
pub fn run() -> i32 {
    2
}

impl Client {
    /// Fails: there is no launcher.
    pub fn open(_task: Task) -> Result<Self, Trouble> {
        Err(Trouble::NoLauncher)
    }

    /// Fails: there is no process.
    pub fn encode(
        &mut self,
        _number: u64,
        _key: bool,
        _planes: &Planes,
        _each: &mut dyn FnMut(Packet),
    ) -> Result<(), Trouble> {
        Err(Trouble::Ended)
    }

    /// Fails: there is no process.
    pub fn change(&mut self, _options: Vec<(String, String)>) -> Result<(), Trouble> {
        Err(Trouble::Ended)
    }

    /// Fails: there is no process.
    pub fn finish(&mut self, _each: &mut dyn FnMut(Packet)) -> Result<(), Trouble> {
        Err(Trouble::Ended)
    }
}
