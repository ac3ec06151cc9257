//! Encodes the audio that a guest hears: everything in the program except the guest. Each guest has a mix, an encoder
//! and a thread of its own.

use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::base::queue::{Empty, Receiver};
use crate::base::{Stop, Worker};
use crate::media::SampleBlock;
use crate::server::registry::guests::GuestSlot;
use crate::server::webrtc::whep::production::audio::OpusMaker;
use crate::text::Problem;

/// Interval at which the thread checks whether it should stop.
const STOP_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Encodes these blocks for a guest until the queue or the place ends.
pub(crate) fn serve(place: &Arc<GuestSlot>, blocks: Receiver<SampleBlock>) {
    let its = Arc::downgrade(place);
    let worker = Worker::spawn("guest audio", move |stop| {
        if let Err(why) = run(&its, &blocks, stop) {
            tracing::warn!(%why, "encoding the audio for a guest failed");
        }
    });
    match worker {
        Ok(worker) => place.set_encoder(worker),
        Err(error) => tracing::warn!(%error, "a guest gets no audio"),
    }
}

fn run(
    place: &Weak<GuestSlot>,
    blocks: &Receiver<SampleBlock>,
    stop: &Stop,
) -> Result<(), Problem> {
    let mut maker: Option<OpusMaker> = None;
    while !stop.is_set() {
        let block = match blocks.recv_timeout(STOP_POLL_INTERVAL) {
            Ok(block) => block,
            Err(Empty::Waiting) => continue,
            Err(Empty::Closed) => break,
        };
        let maker = match &mut maker {
            Some(maker) => maker,
            none => none.insert(OpusMaker::open(block.channels)?),
        };
        let Some(place) = place.upgrade() else { break };
        maker.block(&block, &mut |at, packet| place.say(at, packet));
    }
    Ok(())
}
