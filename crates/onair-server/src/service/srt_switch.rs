//! The port of SRT, which can open, move and close while the server runs.

use crate::server::registry::config::Listen;
use crate::server::service::Server;
use crate::server::service::listen::{Error, released};
use crate::server::service::srt::{self, SrtListener};

impl Server {
    /// Serves SRT at this address, or no longer. Its clients are disconnected, because their connections share the socket.
    /// This function must not be called within the runtime.
    ///
    /// # Errors
    /// Fails if the server cannot listen there. SRT stays closed then.
    pub fn set_srt(&mut self, srt: Option<Listen>) -> Result<(), Error> {
        if let Some(SrtListener { port, socket }) = self.ports.srt.take() {
            self.runtime.block_on(async {
                port.close().await;
                released(&socket).await;
            });
        }
        self.addresses.srt = None;
        let Some(listen) = srt else { return Ok(()) };
        let (socket, address) = srt::open_port(&self.runtime, listen)?;
        self.addresses.srt = Some(address);
        self.ports.srt = Some(srt::serve(&self.runtime, &self.registry, socket));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::base::Clock;
    use crate::net::Runtime;
    use crate::server::registry::config::{Config, Listen};
    use crate::server::service::Server;

    #[test]
    fn a_port_that_opens_again_waits_for_its_connections_and_stays_the_same() {
        let any = Listen::exactly("127.0.0.1:0".parse().unwrap());
        let config =
            Config { rtmp: any, http: None, webrtc: None, srt: Some(any), ..Config::default() };
        let runtime = Runtime::start().unwrap();
        let mut server = Server::start(&runtime, Clock::start(), config).unwrap();
        let address = server.addresses().srt.unwrap();
        let shared = server.ports.srt.as_ref().unwrap().socket.clone();
        let socket = shared.upgrade().unwrap();
        // A connection notices a little later that the port is closed.
        runtime.spawn(async move {
            while shared.strong_count() > 1 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            drop(socket);
        });
        server.set_srt(Some(Listen::exactly(address))).unwrap();
        assert_eq!(server.addresses().srt, Some(address));
    }
}
