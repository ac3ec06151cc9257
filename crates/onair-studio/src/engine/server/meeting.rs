//! The server at which guests across the internet meet the studio, as the settings name it. Its key is stored with the
//! stream keys.

use crate::base::Secret;
use crate::server::MeetingPlace;
use crate::studio::engine::Engine;
use crate::studio::notices::message::StudioMessage;
use crate::studio::settings::stream_keys::KeyOwner;

/// The name under which the key is stored.
const KEY_NAME: &str = "meeting-key";

impl Engine {
    /// Requests the stored key, if the settings name a server and the command line does not.
    pub fn fetch_meeting_key(&mut self) {
        let desk = &self.built_in.desk;
        let is_wanted = !self.settings.meeting.is_empty() && desk.meeting.is_none();
        if let Some(keys) =
            self.secrets.keys.as_ref().filter(|_| is_wanted && desk.guests.is_some())
        {
            keys.load(KeyOwner::Meeting, KEY_NAME);
        }
    }

    /// Takes the stored key.
    pub fn meeting_key_loaded(&mut self, key: Secret) {
        if self.built_in.desk.meeting.is_none() {
            self.meet(key);
        }
    }

    pub fn set_meeting(&mut self, url: &str, key: Secret) {
        self.settings.meeting = url.trim().to_owned();
        self.notices.take_back("meeting-lost");
        if let Some(keys) = &self.secrets.keys {
            match self.settings.meeting.is_empty() {
                true => keys.forget(KEY_NAME),
                false => keys.keep_or_file(KEY_NAME, &key),
            }
        }
        self.changed();
        self.meet(key);
    }

    fn meet(&mut self, key: Secret) {
        let url = self.settings.meeting.clone();
        if url.is_empty() {
            return self.built_in.set_meeting(None);
        }
        match MeetingPlace::new(&url, key, self.config.options.net.clone()) {
            Ok(place) => self.built_in.set_meeting(Some(place)),
            Err(reason) => {
                self.built_in.set_meeting(None);
                self.notices.raise(&StudioMessage::MeetingLost { host: url, reason }, "");
            }
        }
    }
}
