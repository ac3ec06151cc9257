//! The server at which guests across the internet meet the studio, as the settings name it. Its key is stored with the
//! stream keys.

use crate::base::Secret;
use crate::server::MeetingPlace;
use crate::studio::engine::Engine;
use crate::studio::notices::message::StudioMessage;
use crate::studio::settings::stream_keys::KeyOwner;
use crate::text::problem::problem;

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
    pub fn meeting_key_loaded(&mut self, key: Option<Secret>) {
        if self.built_in.desk.meeting.is_some() {
            return;
        }
        match key {
            Some(key) => self.meet(key),
            None if self.settings.meeting.is_empty() => {}
            None => {
                let (host, reason) = (self.settings.meeting.clone(), problem!("meeting-no-key"));
                self.notices.raise(&StudioMessage::MeetingLost { host, reason }, "");
            }
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
        let place = match url.is_empty() {
            true => None,
            false => match MeetingPlace::new(&url, key, self.config.options.net.clone()) {
                Ok(place) => Some(place),
                Err(reason) => {
                    self.notices.raise(&StudioMessage::MeetingLost { host: url, reason }, "");
                    None
                }
            },
        };
        if let Err(message) = self.built_in.set_meeting(place) {
            self.notices.raise(&message, "");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::engine::handlers::live::tests::at_rest;
    use crate::studio::engine::server::guest_desk::GuestDesk;
    use crate::studio::settings::stream_keys::Keys;

    #[test]
    fn a_key_that_is_no_longer_stored_is_reported_and_one_that_is_there_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends) = at_rest(Some(folder.path()));
        let keys = Keys::start(folder.path().join("keys.toml"), false).unwrap();
        engine.secrets.keys = Some(keys);
        engine.settings.meeting = "https://live.example.com".into();
        engine.built_in.desk = GuestDesk::new(1);
        for is_stored in [false, true] {
            if is_stored {
                engine.secrets.keys.as_ref().unwrap().keep(KEY_NAME, &Secret::new("the key"));
            }
            engine.fetch_meeting_key();
            engine.fetch_secrets();
            while engine.secrets.answered != engine.secrets.fetch {
                engine.poll_stream_keys();
                std::thread::yield_now();
            }
            let mut notices = engine.notices.active.notices().iter();
            assert_eq!(notices.any(|it| it.key() == "meeting-lost"), !is_stored);
            assert_eq!(engine.built_in.desk.meeting.is_some(), is_stored);
            engine.notices.take_back("meeting-lost");
        }
    }
}
