//! What the studio knows about the guests of the show.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::mix::StripId;
use crate::server::guests::{GuestState, GuestView, Guests};
use crate::server::{MeetingPlace, MeetingState};
use crate::studio::sources::open::GuestEntrance;

/// The guests, as last looked at.
#[derive(Debug, Default)]
pub struct GuestDesk {
    /// The places; `None` if the show has no guests.
    pub guests: Option<Arc<Guests>>,
    /// Maximum number of guests.
    pub most: usize,
    /// The server at which guests across the internet meet the studio.
    pub meeting: Option<Arc<MeetingPlace>>,
    /// The state of the connection to it, as last looked at.
    pub meeting_state: MeetingState,
    /// Where the sources of guests find their streams.
    pub entrance: GuestEntrance,
    pub known: BTreeMap<String, KnownGuest>,
    /// True while the show is sent to a target.
    pub was_publishing: bool,
}

/// A guest as last looked at.
#[derive(Debug, Default)]
pub struct KnownGuest {
    pub view: GuestView,
    pub state: GuestState,
    /// The connection and the strip for which the guest's mix was made.
    pub mix_for: Option<(u32, Option<StripId>)>,
}

impl GuestDesk {
    pub fn new(most: usize) -> Self {
        let guests = (most > 0).then(Guests::new).flatten().map(Arc::new);
        Self { guests, most, ..Self::default() }
    }

    /// Makes the mixes again, because the mixer is a new one.
    pub fn forget_mixes(&mut self) {
        self.known.values_mut().for_each(|known| known.mix_for = None);
    }
}
