//! The smaller layers of a connection that carries the video in several sizes at once. Each layer
//! comes from a hub of its own, so a slow link drops the frames of one layer and not those of the
//! others. The stream itself is always first: its subscription is not here, and layers wait while
//! the connection is full.

use std::future::pending;
use std::sync::Arc;

use tokio::sync::watch;

use crate::broadcast::hub::HubFeed;
use crate::broadcast::hub::backlog::Limits;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::broadcast::hub::subscription::Subscription;
use crate::media::RenditionId;

/// A layer that is being sent.
#[derive(Debug)]
struct Layer {
    feed: HubFeed,
    subscription: Subscription,
}

/// The smaller layers of one connection.
#[derive(Debug)]
pub(super) struct Layers {
    wanted: watch::Receiver<Vec<HubFeed>>,
    /// The number of smaller layers that the server takes.
    most: usize,
    sent: Vec<Layer>,
}

impl Layers {
    /// Begins without layers. `taken` is the number of layers that the server takes, with the
    /// largest one.
    pub fn new(mut wanted: watch::Receiver<Vec<HubFeed>>, taken: u8) -> Self {
        wanted.mark_changed();
        Self { wanted, most: usize::from(taken.saturating_sub(1)), sent: Vec::new() }
    }

    /// Begins and ends layers. A new layer begins at a keyframe of its own.
    pub fn follow(&mut self) {
        if !self.wanted.has_changed().unwrap_or(false) {
            return;
        }
        let wanted = self.wanted.borrow_and_update();
        let wanted = wanted.get(..wanted.len().min(self.most)).unwrap_or_default();
        let goes_on =
            self.sent.iter().zip(wanted).take_while(|(layer, feed)| layer.feed.is_same(feed));
        let goes_on = goes_on.count();
        self.sent.truncate(goes_on);
        for feed in wanted.iter().skip(goes_on) {
            let newest = Some(feed.handed_out());
            let subscription = feed.subscribe("layer", Limits::LIVE, newest, RenditionId::Main);
            // The hub may be so new that it has no frames.
            feed.ask_keyframe(RenditionId::Main);
            self.sent.push(Layer { feed: feed.clone(), subscription });
        }
    }

    /// Waits for the next packet of a layer, and returns it with the number of the layer, from 1
    /// on. Without layers, waits forever. This function is cancel-safe.
    pub async fn next(&self) -> (u8, Arc<SharedPacket>) {
        let of = |place: usize| async move {
            let tag = match self.sent.get(place) {
                Some(layer) => layer.subscription.next().await,
                None => None,
            };
            match tag {
                Some(tag) => tag,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            tag = of(0) => (1, tag),
            tag = of(1) => (2, tag),
        }
    }

    /// Asks for a keyframe of a layer, from 1 on.
    pub fn ask_keyframe(&self, layer: u8) {
        let place = usize::from(layer).wrapping_sub(1);
        if let Some(layer) = self.sent.get(place) {
            layer.feed.ask_keyframe(RenditionId::Main);
        }
    }

    /// Returns the number of smaller layers that are being sent.
    pub fn count(&self) -> u8 {
        u8::try_from(self.sent.len()).unwrap_or(u8::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::queue::{self, Full, Sender};
    use crate::broadcast::hub::Hub;
    use crate::broadcast::hub::gop::tests::of_rendition;
    use crate::media::{EncodedPacket, StreamConfig};

    fn layer() -> (Sender<EncodedPacket>, Hub) {
        let (packets, input) = queue::bounded("packets", 64, Full::Block);
        let video = of_rendition(RenditionId::Main, 0).rendition.map(|it| it.video.clone());
        (packets, Hub::spawn(StreamConfig { video, audio: None }, input).unwrap())
    }

    #[tokio::test]
    async fn layers_begin_at_their_keyframes_and_the_server_limits_their_number() {
        let [(half, first), (quarter, second)] = [layer(), layer()];
        let wanted = watch::Sender::new(vec![first.feed(), second.feed()]);
        let mut all = Layers::new(wanted.subscribe(), 3);
        assert_eq!(all.count(), 0);
        all.follow();
        assert_eq!(all.count(), 2);
        half.send(of_rendition(RenditionId::Main, 40)).unwrap();
        half.send(of_rendition(RenditionId::Main, 2_000)).unwrap();
        let (number, tag) = all.next().await;
        assert_eq!((number, tag.dts.as_millis()), (1, 2_000), "the first frame is no keyframe");
        quarter.send(of_rendition(RenditionId::Main, 2_000)).unwrap();
        assert_eq!(all.next().await.0, 2);
        // The larger layer goes on when the smaller one ends.
        wanted.send_replace(vec![first.feed()]);
        all.follow();
        assert_eq!(all.count(), 1);
        half.send(of_rendition(RenditionId::Main, 2_040)).unwrap();
        assert_eq!(all.next().await.1.dts.as_millis(), 2_040);
        for (taken, count) in [(1, 0), (2, 1), (0, 0)] {
            let mut few = Layers::new(wanted.subscribe(), taken);
            few.follow();
            assert_eq!(few.count(), count);
        }
    }
}
