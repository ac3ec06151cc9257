//! What the studio knows about the guests of the show.

mod guest_load;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::Timestamp;
use crate::mix::StripId;
use crate::server::guests::{GuestState, GuestView, Guests};
use crate::server::{MeetingPlace, MeetingState};
use crate::studio::engine::server::guest_desk::guest_load::GuestLoad;
use crate::studio::event::stats;
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
    /// Whether guests send less video, because the computer does not keep up.
    pub load: GuestLoad,
    /// What the guests cost in the last second, while there are guests.
    pub traffic: Option<stats::Guests>,
    /// The number of bytes of the program that the guests had got, and when.
    sent_until: Option<(Timestamp, u64)>,
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
    /// True if the guest goes on air without a name tag.
    pub is_untagged: bool,
}

impl GuestDesk {
    pub fn new(most: usize) -> Self {
        let guests = (most > 0).then(Guests::new).flatten().map(Arc::new);
        Self { guests, most, ..Self::default() }
    }

    /// Returns true if a guest is connected.
    pub fn has_guests(&self) -> bool {
        self.known.values().any(|known| known.view.is_present)
    }

    /// Returns true if a place has or had a guest, who may return.
    pub fn has_used_places(&self) -> bool {
        self.known.values().any(|known| known.view.is_present || known.view.connections > 0)
    }

    /// Notes what the guests send, in bits per second, and how many bytes of the program they have got so far.
    pub fn count_traffic(&mut self, (received, sent_bytes): (u64, u64), now: Timestamp) {
        let budget = self.guests.as_ref().and_then(|guests| guests.budget());
        let before = self.sent_until.replace((now, sent_bytes)).filter(|_| budget.is_some());
        let sent = before.map_or(0, |(then, bytes)| {
            // The sessions of guests who left are missing.
            let bits = sent_bytes.saturating_sub(bytes) as f64 * 8.0;
            (bits / now.since(then).as_secs_f64().max(0.1)) as u64
        });
        self.traffic = budget.map(|budget| stats::Guests { budget, received, sent });
    }

    /// Returns the name of a guest as it is shown: the ID until the guest has given one.
    pub fn shown_name(&self, id: &str) -> String {
        let name = self.known.get(id).map(|known| known.view.name.trim()).unwrap_or_default();
        if name.is_empty() { id } else { name }.to_owned()
    }

    /// Tells the name tags the names.
    pub fn write_names(&self) {
        let names = self.known.keys().map(|id| (id.clone(), self.shown_name(id)));
        self.entrance.names.set(names.collect());
    }

    /// Makes the mixes again, because the mixer is a new one.
    pub fn forget_mixes(&mut self) {
        self.known.values_mut().for_each(|known| known.mix_for = None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_guest_there_is_no_traffic() {
        let mut desk = GuestDesk::new(1);
        desk.count_traffic((0, 0), Timestamp::ZERO);
        assert_eq!(desk.traffic, None);
    }
}
