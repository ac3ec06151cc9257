//! Passes the studio's audio to guests.

use std::sync::Arc;

use crate::base::queue::Receiver;
use crate::media::SampleBlock;
use crate::server::registry::config::Listen;
use crate::server::registry::guests::GUEST_APP;
use crate::server::service::{Error, Server};
use crate::server::stream::thumbnails::ThumbnailImage;
use crate::server::webrtc::whep::production::guest_audio;

impl Server {
    /// Returns a small image of a guest, a few seconds old at most, which a sandboxed thread makes while somebody asks.
    pub fn guest_image(&self, id: &str) -> Option<Arc<ThumbnailImage>> {
        let registry = &self.registry;
        let names = (GUEST_APP.to_owned(), id.to_owned());
        let stream = registry.find(&names.0, &names.1)?;
        let now = registry.clock.now();
        let publisher = stream.publisher_figures(now).filter(|it| it.video.is_some())?;
        // The thread keeps the image, which a later call returns.
        drop(registry.thumbnails.of_stream(&names, publisher.id, now, || stream.keyframe()));
        registry.thumbnails.image(&names, publisher.id)
    }

    /// Returns what the guests send, in bits per second, and the number of bytes of the program that they have got in
    /// their current sessions.
    pub fn guest_traffic(&self) -> (u64, u64) {
        let registry = &self.registry;
        let Some(guests) = &registry.config.guests else { return (0, 0) };
        let now = registry.clock.now();
        let sessions = guests.sessions();
        let sends = |id: &str| {
            let stream = registry.find(GUEST_APP, id)?;
            stream.publisher_figures(now).map(|it| it.bitrate)
        };
        let received = sessions.iter().filter_map(|(id, _)| sends(id)).sum();
        let own = registry.config.own_stream.as_ref();
        let own = own.and_then(|own| registry.find(&own.app, &own.stream));
        let viewers = own.map(|stream| stream.viewers(now)).unwrap_or_default();
        let is_guest = |id: u64| sessions.iter().any(|(_, viewer)| *viewer == Some(id));
        let sent = viewers.iter().filter(|it| is_guest(it.id)).map(|it| it.bytes).sum();
        (received, sent)
    }

    /// Lets a guest hear this audio, which must not contain the guest. It replaces the earlier audio, and ends with its
    /// queue.
    pub fn serve_guest_audio(&self, id: &str, blocks: Receiver<SampleBlock>) {
        let place = self.registry.config.guests.as_ref().and_then(|guests| guests.of_id(id));
        if let Some(place) = place {
            guest_audio::serve(&place, blocks);
        }
    }

    /// Moves the port of WebRTC alone, like [`move_http`](Self::move_http): guests across the internet need it on all
    /// addresses.
    ///
    /// # Errors
    /// Fails if the server cannot listen on `to`.
    pub fn move_webrtc_port(&mut self, to: Listen) -> Result<(), Error> {
        self.move_webrtc(to)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;

    use crate::base::Clock;
    use crate::net::Runtime;
    use crate::server::registry::config::{Config, Listen};
    use crate::server::service::Server;

    #[test]
    fn the_sessions_of_guests_stay_when_only_the_pages_move() {
        let any = Listen::exactly("127.0.0.1:0".parse().unwrap());
        let config = Config { rtmp: any, http: Some(any), webrtc: Some(any), ..Config::default() };
        let runtime = Runtime::start().unwrap();
        let mut server = Server::start(&runtime, Clock::start(), config).unwrap();
        let socket = |server: &Server| server.ports.webrtc.as_ref().unwrap().socket.clone();
        let (before, webrtc) = (socket(&server), server.addresses().webrtc.unwrap());
        server.move_http(any, Listen::exactly(webrtc)).unwrap();
        assert!(Weak::ptr_eq(&before, &socket(&server)));
        server.move_http(any, any).unwrap();
        assert!(!Weak::ptr_eq(&before, &socket(&server)), "another address");
    }
}
