//! Passes the studio's audio to guests.

use crate::base::queue::Receiver;
use crate::media::SampleBlock;
use crate::server::service::Server;
use crate::server::webrtc::whep::production::guest_audio;

impl Server {
    /// Lets a guest hear this audio, which must not contain the guest. It replaces the earlier audio, and ends with its
    /// queue.
    pub fn serve_guest_audio(&self, id: &str, blocks: Receiver<SampleBlock>) {
        let place = self.registry.config.guests.as_ref().and_then(|guests| guests.of_id(id));
        if let Some(place) = place {
            guest_audio::serve(&place, blocks);
        }
    }
}
