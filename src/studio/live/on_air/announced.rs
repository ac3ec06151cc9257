//! What the targets of a broadcast still have to tell, and what they are called.

use super::OnAir;
use crate::studio::live::publishers::{PublisherNews, Publishers, drain};

impl OnAir {
    /// Forgets what earlier tries have left; gives what they still had to tell.
    pub(in crate::studio) fn forget_ended(&mut self) -> Vec<PublisherNews> {
        self.forget(|sent| sent.publisher.state().is_over())
    }

    pub(super) fn forget(&mut self, which: impl Fn(&Publishers) -> bool) -> Vec<PublisherNews> {
        let mut happenings = Vec::new();
        self.sent.retain(|sent| {
            let gone = which(sent);
            if gone {
                drain(sent, &mut happenings);
                happenings.extend(sent.last_drops());
            }
            !gone
        });
        happenings
    }

    /// What the targets have told so far, in order: before others are left to hear the rest.
    pub(in crate::studio) fn heard_so_far(&mut self) -> Vec<PublisherNews> {
        let mut happenings = Vec::new();
        for sent in &self.sent {
            drain(sent, &mut happenings);
        }
        happenings
    }

    /// What messages call a target.
    pub(in crate::studio) fn label(&self, id: u32) -> Option<String> {
        self.sent.iter().find(|sent| sent.id == id).map(|sent| sent.label.clone())
    }
}
