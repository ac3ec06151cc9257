//! Muting people in a chat.

use crate::server::registry::chat::Chats;
use crate::server::registry::chat::moderation::{MutedPerson, NotMuted};

impl Chats {
    /// Mutes the person who sent messages under this number, and deletes the stored messages of that person.
    ///
    /// # Errors
    /// Fails with the reason why the person is not muted.
    pub fn mute(&self, app: &str, stream: &str, id: u64) -> Result<(), NotMuted> {
        let room = self.room(app, stream).ok_or(NotMuted::Unknown)?;
        let mut past = room.past.lock();
        let person = past.people.iter().find(|person| person.id == id);
        let person = person.ok_or(NotMuted::Unknown)?.clone();
        if person.is_staff {
            return Err(NotMuted::Staff);
        }
        self.muted.lock().add(&(app.to_owned(), stream.to_owned()), person);
        let of_person = past.posts.iter().filter(|(post, _)| post.from == id);
        let ids: Vec<u64> = of_person.map(|(post, _)| post.id).collect();
        past.delete(&ids, &room.frames);
        Ok(())
    }

    /// Returns true if this is the number of the streamer or a moderator.
    pub fn is_staff(&self, app: &str, stream: &str, id: u64) -> bool {
        let room = self.room(app, stream);
        room.is_some_and(|it| it.past.lock().people.iter().any(|it| it.id == id && it.is_staff))
    }

    /// Unmutes a person. Returns false if nobody with this number is muted.
    pub fn unmute(&self, app: &str, stream: &str, id: u64) -> bool {
        self.muted.lock().remove(&(app.to_owned(), stream.to_owned()), id)
    }

    /// Returns the muted people of a chat, even while the chat has no members.
    pub fn muted(&self, app: &str, stream: &str) -> Vec<MutedPerson> {
        self.muted.lock().of(&(app.to_owned(), stream.to_owned()))
    }
}
