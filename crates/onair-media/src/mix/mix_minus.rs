//! The mixes for guests: each is the program without the strip of one guest, because a guest who hears the own voice
//! late cannot speak. A mix without a listener is not made.

use crate::base::queue::Sender;
use crate::media::SampleBlock;
use crate::mix::strip_id::StripId;

/// The mixes of all guests.
#[derive(Default)]
pub struct MixesMinus(Vec<MixMinus>);

struct MixMinus {
    guest: u32,
    without: Option<StripId>,
    queue: Sender<SampleBlock>,
}

impl MixesMinus {
    /// Sets the mix of a guest, or ends it.
    pub fn set(&mut self, guest: u32, mix: Option<(Option<StripId>, Sender<SampleBlock>)>) {
        self.0.retain(|it| it.guest != guest);
        self.0.extend(mix.map(|(without, queue)| MixMinus { guest, without, queue }));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sends each guest the block that `make` returns for the strip to leave out.
    pub fn send(&mut self, mut make: impl FnMut(Option<StripId>) -> SampleBlock) {
        self.0.retain(|it| it.queue.send(make(it.without)).is_ok());
    }
}
