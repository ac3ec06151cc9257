//! The codec configs of a file's stream that a connection has sent. A file can have a new config
//! within the stream, and a connection that begins later needs it. This module is pure.

use std::sync::Arc;

use bytes::Bytes;

use crate::broadcast::hub::sequence_headers::SequenceHeaders;
use crate::broadcast::hub::shared_packet::{Configurations, SharedPacket};
use crate::media::Track;

/// The configs of the packet that was sent last; `None` means those of the stream's headers.
#[derive(Debug, Default)]
pub(super) struct SentConfigs(Option<Configurations>);

impl SentConfigs {
    /// Returns the configs with which a connection begins, if its first packet is known.
    pub fn begin(
        &mut self,
        first: Option<&SharedPacket>,
        head: &SequenceHeaders,
    ) -> Vec<(Track, Bytes)> {
        self.0 = first.and_then(|packet| packet.configurations.clone());
        self.0.as_deref().unwrap_or(&head.config_bodies).to_vec()
    }

    /// Returns the configs that the server needs before this packet.
    pub fn before(&mut self, packet: &SharedPacket, head: &SequenceHeaders) -> Vec<(Track, Bytes)> {
        let Some(now) = &packet.configurations else { return Vec::new() };
        let sent = self.0.replace(Arc::clone(now));
        if sent.as_ref().is_some_and(|sent| Arc::ptr_eq(sent, now)) {
            return Vec::new();
        }
        let sent = sent.as_deref().unwrap_or(&head.config_bodies);
        // A packet with a config is sent itself.
        let is_missing = |it: &&(Track, Bytes)| !sent.contains(it) && it.1 != *packet.flv_body();
        now.iter().filter(is_missing).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broadcast::hub::gop::tests::packet;
    use crate::media::StreamConfig;

    fn config(body: &'static [u8]) -> (Track, Bytes) {
        (Track::Video, Bytes::from_static(body))
    }

    fn sent(configs: Option<&Configurations>, body: &'static [u8]) -> SharedPacket {
        let packet = SharedPacket::with_body(packet(Track::Video, 0), Bytes::from_static(body));
        packet.under(configs.cloned())
    }

    #[test]
    fn a_connection_that_begins_after_a_new_config_gets_it() {
        let (old, new) = (config(b"old"), config(b"new"));
        let head = SequenceHeaders {
            config_bodies: vec![old.clone()],
            ..SequenceHeaders::of(&StreamConfig::default())
        };
        let changed: Arc<[_]> = vec![new.clone()].into();
        let (early, late) = (sent(None, b"frame"), sent(Some(&changed), b"frame"));
        let mut configs = SentConfigs::default();
        assert_eq!(configs.begin(Some(&late), &head), std::slice::from_ref(&new));
        assert_eq!(configs.before(&late, &head), []);
        // A connection that has the earlier config: the new one is sent, but not twice.
        let mut configs = SentConfigs::default();
        assert_eq!(configs.begin(Some(&early), &head), std::slice::from_ref(&old));
        assert_eq!(configs.before(&early, &head), []);
        assert_eq!(configs.before(&sent(Some(&changed), b"new"), &head), []);
        assert_eq!(configs.before(&late, &head), []);
        // The packet with the config was dropped.
        let mut configs = SentConfigs::default();
        configs.begin(None, &head);
        assert_eq!(configs.before(&late, &head), [new]);
        // The file begins again with the earlier config.
        let again: Arc<[_]> = vec![old.clone()].into();
        assert_eq!(configs.before(&sent(Some(&again), b"frame"), &head), [old]);
    }
}
