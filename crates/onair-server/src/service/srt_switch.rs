//! The port of SRT, which can open, move and close while the server runs.

use crate::server::registry::config::Listen;
use crate::server::service::Server;
use crate::server::service::listen::Error;
use crate::server::service::srt;

impl Server {
    /// Serves SRT at this address, or no longer. Its clients are disconnected, because their connections share the socket.
    /// This function must not be called within the runtime.
    ///
    /// # Errors
    /// Fails if the server cannot listen there. SRT stays closed then.
    pub fn set_srt(&mut self, srt: Option<Listen>) -> Result<(), Error> {
        if let Some(port) = self.ports.srt.take() {
            self.runtime.block_on(port.close());
        }
        self.addresses.srt = None;
        let Some(listen) = srt else { return Ok(()) };
        let (socket, address) = srt::open_port(&self.runtime, listen)?;
        self.addresses.srt = Some(address);
        self.ports.srt = Some(srt::serve(&self.runtime, &self.registry, socket));
        Ok(())
    }
}
