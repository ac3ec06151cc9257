//! Handles the user's own services, the settings of the built-in server (its successor, its names,
//! and the key that viewers need), and the program's audio for its viewers.

use std::collections::BTreeSet;

use crate::base::Secret;
use crate::base::queue::{self, Full};
use crate::player::chat::service::youtube;
use crate::server::{ProgramAudio, ProgramAudioNeed};
use crate::studio::engine::Engine;
use crate::studio::live::on_air::OnAir;
use crate::studio::settings::stream_keys::KeyOwner;
use crate::studio::settings::{MAX_SERVICES, check_successor, read_services, services_beside};
use crate::studio::targets::services::{Service, ServiceList};
use crate::studio::targets::sharing::{ServerNames, check_host, check_names, check_origin};
use crate::wire::chat::service::Service as ChatService;

/// The name of the stored play key.
const PLAY_KEY_NAME: &str = "play-key";
/// The name of the stored key of YouTube's API.
const YOUTUBE_KEY_NAME: &str = "youtube-key";

/// Maximum number of audio blocks (10 ms) that wait for the built-in server.
const MAX_QUEUED_AUDIO_BLOCKS: usize = 16;

impl Engine {
    /// Passes the program's audio to the built-in server while browsers listen to the stream over WebRTC.
    pub fn follow_listeners(&mut self) {
        let need = self.built_in.program_audio_need();
        let on_air = self.live.on_air.as_ref().filter(|_| need != ProgramAudioNeed::Unneeded);
        let origin = on_air.and_then(OnAir::built_in_origin);
        let is_settled = need == ProgramAudioNeed::Served || origin.is_none();
        if is_settled && origin == self.live.audio_tapped_at {
            return;
        }
        self.live.audio_tapped_at = None;
        let Some(program) = &self.state.program else { return };
        let Some(origin) = origin else {
            return program.mixer().set_tap(None);
        };
        let (tap, blocks) =
            queue::bounded("browser audio", MAX_QUEUED_AUDIO_BLOCKS, Full::DropOldest);
        program.mixer().set_tap(Some(tap));
        self.built_in.serve_program_audio(ProgramAudio { blocks, origin });
        self.live.audio_tapped_at = Some(origin);
    }

    /// Returns the list of the user's services to change. Another window or the user may have
    /// changed the file, so this is the file's list, unless it lacks changes of this window or has
    /// errors.
    fn current_services(&self) -> Vec<Service> {
        let path = self.file.path.as_deref().filter(|_| !self.file.services_changed);
        match path.map(|path| read_services(&services_beside(path))) {
            Some((list, wrong)) if wrong.is_empty() => list.own().to_vec(),
            _ => self.services.own().to_vec(),
        }
    }

    pub fn put_service(&mut self, was: Option<&str>, service: &Service) {
        let mut own = self.current_services();
        // Targets of unused profiles keep using the service under its earlier ids.
        let replaced = own.iter().filter(|it| was == Some(&*it.id) || it.id == service.id);
        let ids = replaced.flat_map(|it| it.earlier_ids.iter().chain([&it.id]));
        let earlier: BTreeSet<_> = ids.filter(|id| **id != service.id).cloned().collect();
        let service = Service { earlier_ids: earlier.into_iter().collect(), ..service.clone() };
        let mut at = own.iter().position(|known| was == Some(&*known.id));
        // The new id may belong to another service, which this service then replaces.
        let same = own.iter().position(|known| known.id == service.id);
        if let Some(same) = same.filter(|same| at.is_some_and(|at| at != *same)) {
            own.remove(same);
            at = own.iter().position(|known| was == Some(&*known.id));
        }
        match at.or(same) {
            Some(at) => {
                if let Some(place) = own.get_mut(at) {
                    *place = service.clone();
                }
            }
            None if own.len() >= MAX_SERVICES => return,
            None => own.push(service.clone()),
        }
        if let Some(was) = was {
            // Targets keep using the service under its new id.
            for target in self.targets.list.iter_mut().filter(|target| target.service == was) {
                target.service = service.id.to_string();
            }
            self.settings.targets.clone_from(&self.targets.list);
        }
        self.set_services(own);
    }

    pub fn remove_service(&mut self, id: &str) {
        let mut own = self.current_services();
        own.retain(|known| known.id != id);
        self.set_services(own);
    }

    fn set_services(&mut self, own: Vec<Service>) {
        self.services = ServiceList::with_own(own);
        self.file.services_changed = true;
        self.changed();
    }

    pub fn set_successor(&mut self, url: &str) {
        // The window has reported an invalid address.
        if let Ok(url) = check_successor(url) {
            self.settings.successor.clone_from(&url);
            self.built_in.set_successor(url);
            self.changed();
        }
    }

    pub fn set_server_names(&mut self, names: ServerNames) {
        let ServerNames { hosts, origins } = names;
        let hosts = check_names(hosts.iter().map(String::as_str), check_host);
        let origins = check_names(origins.iter().map(String::as_str), check_origin);
        // The window has reported bad names.
        if let (Ok(hosts), Ok(origins)) = (hosts, origins) {
            let names = ServerNames { hosts, origins };
            self.settings.server_names.clone_from(&names);
            self.built_in.set_names(names);
            self.changed();
        }
    }

    /// Requests the stored key of YouTube's API.
    pub fn fetch_youtube_key(&mut self) {
        let keys = self.secrets.keys.as_ref();
        if let Some(keys) = keys.filter(|_| self.settings.chat.youtube_key) {
            keys.load(KeyOwner::YouTube, YOUTUBE_KEY_NAME);
        }
    }

    /// Takes the stored key of YouTube's API. Chats that were refused without it are joined again.
    pub fn youtube_key_loaded(&mut self, key: Option<Secret>) {
        if key.is_some() {
            youtube::set_key(key);
            self.service_chats.retry(ChatService::YouTube);
        }
    }

    /// Sets the key of YouTube's API; an empty one means none.
    pub fn set_youtube_key(&mut self, key: &Secret) {
        let key = Some(Secret::new(key.expose().trim())).filter(|key| !key.is_empty());
        if let Some(keys) = &self.secrets.keys {
            match &key {
                Some(key) => keys.keep_or_file(YOUTUBE_KEY_NAME, key),
                None => keys.forget(YOUTUBE_KEY_NAME),
            }
        }
        self.watch.set_youtube_key(key.is_some());
        self.settings.chat.youtube_key = key.is_some();
        self.changed();
        youtube::set_key(key);
        self.service_chats.retry(ChatService::YouTube);
    }

    /// Requests the stored play key, if viewers need one.
    pub fn fetch_play_key(&mut self) {
        let wanted = self.settings.play_key && self.config.play_key.is_none();
        if let Some(keys) = self.secrets.keys.as_ref().filter(|_| wanted) {
            keys.load(KeyOwner::Viewers, PLAY_KEY_NAME);
            (self.secrets.pending, self.secrets.play_key_pending) = (true, true);
        }
    }

    /// Takes the stored play key. A key that was lost is replaced, so that the server stays closed.
    pub fn play_key_loaded(&mut self, key: Option<Secret>) {
        // A key that was made meanwhile is newer.
        if !std::mem::take(&mut self.secrets.play_key_pending) {
            return;
        }
        match key {
            Some(key) => self.built_in.set_play_key(Some(key)),
            None => self.renew_play_key(),
        }
    }

    /// Sets whether viewers need a key.
    pub fn set_play_key(&mut self, needed: bool) {
        if needed == self.settings.play_key {
            return;
        }
        self.settings.play_key = needed;
        self.changed();
        if needed {
            self.renew_play_key();
            return;
        }
        self.secrets.play_key_pending = false;
        self.built_in.set_play_key(None);
        if let Some(keys) = &self.secrets.keys {
            keys.forget(PLAY_KEY_NAME);
        }
    }

    /// Makes a new play key, and stores it.
    pub fn renew_play_key(&mut self) {
        if !self.settings.play_key {
            return;
        }
        self.secrets.play_key_pending = false;
        let key = self.built_in.renew_play_key();
        if let (Some(keys), Some(key)) = (&self.secrets.keys, key) {
            keys.keep_or_file(PLAY_KEY_NAME, &key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::studio::command::{Command, PartCommand};
    use crate::studio::engine::handlers::live::tests::{at_rest, save};
    use crate::studio::settings::part::PartKind;
    use crate::studio::settings::{OwnService, read_own};
    use crate::studio::targets::Target;

    fn service(name: &str) -> Service {
        let (name, servers) = (name.to_owned(), "rtmp://h/app".to_owned());
        read_own(&OwnService { name, servers, ..OwnService::default() }).unwrap()
    }

    #[test]
    fn services_that_another_window_has_saved_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("services.toml");
        let saved = |engine: &mut Engine| {
            save(engine);
            assert!(!engine.file.services_changed);
            let list = read_services(&path).0;
            list.own().iter().map(|it| it.name.to_string()).collect::<Vec<_>>()
        };
        let (mut first, _first_ends) = at_rest(Some(folder.path()));
        let (mut second, _second_ends) = at_rest(Some(folder.path()));
        first.put_service(None, &service("One"));
        assert_eq!(saved(&mut first), ["One"]);
        second.put_service(None, &service("Two"));
        assert_eq!(saved(&mut second), ["One", "Two"]);
        // Several changes before the next save all count.
        first.put_service(Some("one"), &service("Three"));
        first.put_service(None, &service("Four"));
        assert_eq!(saved(&mut first), ["Three", "Two", "Four"]);
        second.remove_service("two");
        assert_eq!(saved(&mut second), ["Three", "Four"]);
        // A file with an error does not replace the services of the window.
        std::fs::write(&path, "[[service]").unwrap();
        second.put_service(None, &service("Five"));
        assert_eq!(saved(&mut second), ["Three", "Four", "Five"]);
    }

    #[test]
    fn a_renamed_service_stays_that_of_targets_in_other_profiles() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends) = at_rest(Some(folder.path()));
        engine.put_service(None, &service("One"));
        // The service does not have this server.
        let target = Target::custom(1, "rtmp://relay.example/app", Secret::default());
        engine.put_target(Target { enabled: false, service: "one".into(), ..target });
        let kind = PartKind::Profile;
        engine.handle(Command::Part(PartCommand::New(kind, "Other".into())));
        engine.put_service(Some("one"), &service("Two"));
        // The new name is that of another service, which is replaced.
        engine.put_service(None, &service("Three"));
        engine.put_service(Some("two"), &service("Three"));
        save(&mut engine);
        engine.handle(Command::Part(PartCommand::Use(kind, "Main".into())));
        let target = engine.targets.list.iter().find(|it| it.id == 1).unwrap();
        let read = read_services(&folder.path().join("services.toml")).0;
        for list in [&engine.services, &read] {
            let found = list.of_target(&target.service, target.server());
            assert_eq!(found.map(|it| &*it.name), Some("Three"));
            assert_eq!(list.own().len(), 1);
        }
    }

    #[test]
    fn a_service_that_is_added_during_a_save_is_saved_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends) = at_rest(Some(folder.path()));
        engine.put_service(None, &service("One"));
        engine.save();
        engine.put_service(None, &service("Two"));
        engine.finish_save(Duration::from_secs(60), false);
        assert!(engine.file.services_changed);
        save(&mut engine);
        assert!(!engine.file.services_changed);
        let list = read_services(&folder.path().join("services.toml")).0;
        let names: Vec<_> = list.own().iter().map(|it| &*it.name).collect();
        assert_eq!(names, ["One", "Two"]);
    }
}
