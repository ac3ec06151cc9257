//! Which targets have not been sent all of a file that goes out as it is: told once of each.

use std::collections::BTreeSet;

use crate::broadcast::Publisher;
use crate::studio::message::Message;

#[derive(Debug, Default)]
pub(super) struct Missed {
    told: BTreeSet<u32>,
}

impl Missed {
    /// What is to be told of these targets, each with its id.
    pub fn look<'a>(
        &mut self,
        targets: impl IntoIterator<Item = (u32, &'a Publisher)>,
    ) -> Vec<Message> {
        let missing = |publisher: &Publisher| {
            let figures = publisher.figures();
            figures.dropped_frames > 0 || figures.dropped_sounds > 0
        };
        targets
            .into_iter()
            .filter(|(id, publisher)| missing(publisher) && self.told.insert(*id))
            .map(|(_, publisher)| {
                let url = &publisher.target().url;
                Message::FilmLeftOut { host: format!("{}:{}", url.host, url.port) }
            })
            .collect()
    }
}
