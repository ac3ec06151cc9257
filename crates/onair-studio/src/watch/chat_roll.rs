//! The newest messages of the own chat and of the chats of services in one list, in the order in which
//! they came, for the texts of scenes that show them. Messages that are deleted in their chat disappear.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::capture::text::ChatBoard;
use crate::studio::event::service_chat::ServiceLine;
use crate::wire::chat::{ChatLine, ChatPost};

/// The list; see the module documentation.
#[derive(Debug, Default)]
pub struct ChatRoll {
    board: ChatBoard,
    /// The place of each message in the order. Messages are known by their chat and number.
    places: BTreeMap<(bool, u64), u64>,
    last_place: u64,
    own: Arc<[ChatPost]>,
    services: Arc<[ServiceLine]>,
}

impl ChatRoll {
    /// Returns the board with the messages.
    pub fn board(&self) -> ChatBoard {
        self.board.clone()
    }

    /// Shows the messages of these lists.
    pub fn follow(&mut self, own: &Arc<[ChatPost]>, services: &Arc<[ServiceLine]>) {
        if Arc::ptr_eq(own, &self.own) && Arc::ptr_eq(services, &self.services) {
            return;
        }
        (self.own, self.services) = (Arc::clone(own), Arc::clone(services));
        let own = self.own.iter().map(|post| ((true, post.id), &post.line));
        let services = self.services.iter().map(|it| ((false, it.number), &it.post.line));
        let mut all: Vec<(u64, &ChatLine)> = Vec::new();
        let mut places = BTreeMap::new();
        for (message, line) in own.chain(services) {
            let place = self.places.get(&message).copied().unwrap_or_else(|| {
                self.last_place += 1;
                self.last_place
            });
            places.insert(message, place);
            all.push((place, line));
        }
        self.places = places;
        all.sort_by_key(|(place, _)| *place);
        let first = all.len().saturating_sub(ChatBoard::MAX_LINES.into());
        let shown = all.get(first..).unwrap_or_default().iter();
        self.board.set(shown.map(|(_, line)| words(line)).collect());
    }
}

fn words(line: &ChatLine) -> String {
    match line.name.as_str() {
        "" => line.text.clone(),
        name => format!("{name}: {}", line.text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::chat::ChatRole;
    use crate::wire::chat::service::ServicePost;

    fn line(name: &str, text: &str) -> ChatLine {
        ChatLine::new(name, text).unwrap()
    }

    fn own(posts: &[(u64, &str)]) -> Arc<[ChatPost]> {
        let post = |(id, text): &(u64, &str)| ChatPost {
            id: *id,
            from: 1,
            role: ChatRole::Viewer,
            line: line("Ann", text),
        };
        posts.iter().map(post).collect()
    }

    fn services(lines: &[(u64, &str)]) -> Arc<[ServiceLine]> {
        let address = Arc::new("twitch:show".parse().unwrap());
        let of = |(number, text): &(u64, &str)| ServiceLine {
            number: *number,
            address: Arc::clone(&address),
            post: ServicePost {
                id: String::new(),
                from: String::new(),
                role: ChatRole::Viewer,
                line: line("", text),
            },
        };
        lines.iter().map(of).collect()
    }

    #[test]
    fn messages_of_all_chats_stay_in_the_order_in_which_they_came() {
        let mut roll = ChatRoll::default();
        let shown = |roll: &ChatRoll| roll.places.len();
        roll.follow(&own(&[]), &services(&[(1, "first")]));
        roll.follow(&own(&[(5, "second")]), &services(&[(1, "first")]));
        roll.follow(&own(&[(5, "second")]), &services(&[(1, "first"), (2, "third")]));
        let order: Vec<_> = roll.places.iter().map(|(of, place)| (*place, *of)).collect();
        let order: BTreeMap<_, _> = order.into_iter().collect();
        let order: Vec<_> = order.into_values().collect();
        assert_eq!(order, [(false, 1), (true, 5), (false, 2)]);
        // A deleted message disappears.
        roll.follow(&own(&[]), &services(&[(1, "first"), (2, "third")]));
        assert_eq!(shown(&roll), 2);
        assert_eq!(words(&line("Ann", "hi")), "Ann: hi");
        assert_eq!(words(&line("", "raid")), "raid");
    }
}
