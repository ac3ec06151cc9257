//! Handles the list of targets: changes, saving, and keys. The file is long because its tests follow
//! an edit from the typed key to the connection and the keyring.

use std::time::Duration;

use crate::base::{Secret, queue};
use crate::net::CertificatePin;
use crate::studio::command::Command;
use crate::studio::engine::Engine;
use crate::studio::event::TargetState;
use crate::studio::notices::message::StudioMessage;
use crate::studio::notices::row::Group;
use crate::studio::settings::secret_addresses;
use crate::studio::settings::secret_addresses::StoredAddress;
use crate::studio::settings::stream_keys::{KeyAnswer, KeyOwner, Keys};
use crate::studio::targets::address::AddressFault;
use crate::studio::targets::{MAX_TARGETS, Target, address};

/// The time after the last keystroke at which the edits of a target are applied.
const EDIT_SETTLE_DELAY: Duration = Duration::from_millis(1_500);

/// The time within which the keyring must have returned all keys. A user who has to unlock the
/// keyring may need longer: the keys are then used when they arrive.
const KEYRING_TIMEOUT: Duration = Duration::from_secs(15);

/// The prefix of stored permissions' names.
const PERMISSION_PREFIX: &str = "permission ";

/// Returns the name of a stored permission.
fn kept_as(key: &str) -> String {
    format!("{PERMISSION_PREFIX}{key}")
}

impl Engine {
    /// Takes the saved targets, and requests their keys.
    pub fn begin_targets(&mut self) {
        self.targets.list.clone_from(&self.settings.targets);
        let Some(path) = self.config.keys_path.clone() else { return };
        let keys = match Keys::start(path, self.config.keyring) {
            Ok(keys) => keys,
            Err(error) => {
                self.notices.raise(&StudioMessage::KeyNotKept { reason: error.into() }, "");
                return;
            }
        };
        self.secrets.keys = Some(keys);
        self.adopt_written_keys();
        self.forget_deleted();
        self.fetch_play_key();
        self.fetch_remote_password();
        self.fetch_meeting_key();
        self.fetch_srt_passphrase();
        self.fetch_youtube_key();
        self.fetch_secrets();
    }

    /// Stores the keys that somebody wrote into the settings file by hand, and rewrites the file
    /// without them.
    fn adopt_written_keys(&mut self) {
        let Some(keys) = self.secrets.keys.as_ref().filter(|_| self.file.parts().is_some()) else {
            return;
        };
        let mut adopted = false;
        for target in &mut self.targets.list {
            // onair itself never writes a key there.
            let Some(secret) = address::secret_of(target) else { continue };
            if target.keep_as.is_empty() {
                target.keep_as = Target::new_key_name();
            }
            target.remember_key = true;
            keys.keep_or_file(&target.keep_as, &secret);
            adopted = true;
        }
        if adopted {
            self.remember_targets();
        }
    }

    /// Loads secrets that are stored outside the settings.
    pub fn fetch_secrets(&mut self) {
        let Some(keys) = &self.secrets.keys else { return };
        for target in self.targets.list.iter().filter(|target| target.remember_key) {
            keys.load(KeyOwner::Target(target.id), &target.keep_as);
            self.secrets.pending = true;
        }
        let (_, kept) = self.settings.concealed();
        for missing in kept.iter().filter(|kept| kept.url.is_none()) {
            keys.load(KeyOwner::Address, &missing.name);
            self.secrets.pending = true;
        }
        // Displays and windows that the user chose in the desktop's dialog wait for the stored
        // permissions.
        for key in self.settings.permissions() {
            self.state.stage.permissions.fetching();
            keys.load(KeyOwner::Permission, &kept_as(&key));
            self.secrets.pending = true;
        }
        self.secrets.fetch = self.secrets.fetch.wrapping_add(1);
        keys.mark(self.secrets.fetch);
        let pending = self.secrets.pending;
        self.secrets.wait_until = pending.then(|| self.clock.now() + KEYRING_TIMEOUT);
    }

    /// Handles loaded keys.
    pub fn poll_stream_keys(&mut self) {
        while let Some(answer) = self.secrets.keys.as_ref().and_then(Keys::poll) {
            match answer {
                KeyAnswer::Place(place) => self.secrets.place = Some(place),
                KeyAnswer::Loaded { what: KeyOwner::Address, name, key } => match key {
                    Some(url) => self.reveal(&name, &url),
                    None => self.notices.raise(&StudioMessage::AddressLost {}, ""),
                },
                KeyAnswer::Loaded { what: KeyOwner::Viewers, key, .. } => self.play_key_loaded(key),
                KeyAnswer::Loaded { what: KeyOwner::RemoteControl, key, .. } => {
                    self.remote_password_loaded(key);
                }
                KeyAnswer::Loaded { what: KeyOwner::Meeting, key, .. } => {
                    self.meeting_key_loaded(key);
                }
                KeyAnswer::Loaded { what: KeyOwner::SrtClients, key, .. } => {
                    self.srt_passphrase_loaded(key);
                }
                KeyAnswer::Loaded { what: KeyOwner::YouTube, key, .. } => {
                    self.youtube_key_loaded(key);
                }
                KeyAnswer::Loaded { key: None, .. } => {}
                KeyAnswer::Loaded { what: KeyOwner::Permission, name, key: Some(key) } => {
                    let name = name.strip_prefix(PERMISSION_PREFIX).unwrap_or_default();
                    self.state.stage.permissions.restore(name, &key);
                }
                KeyAnswer::Loaded { what: KeyOwner::Target(id), name, key: Some(key) } => {
                    // Another profile, in use since the request, has targets with the same ids.
                    let is_its = |target: &&mut Target| target.id == id && target.keep_as == name;
                    // The settings need the key to recognize it in a playback address.
                    for list in [&mut self.targets.list, &mut self.settings.targets] {
                        if let Some(target) = list.iter_mut().find(is_its) {
                            address::add_secret(target, &key);
                        }
                    }
                }
                KeyAnswer::Ready(fetch) => self.keys_are_loaded(fetch),
                KeyAnswer::Failed(reason) => {
                    self.notices.raise(&StudioMessage::KeyNotKept { reason }, "");
                }
                KeyAnswer::Recovered => self.notices.take_back("key-not-kept"),
            }
        }
        if self.secrets.wait_until.is_some_and(|until| self.clock.now() >= until) {
            self.stop_waiting_for_keys();
            self.notices.raise(&StudioMessage::KeyringSilent {}, "");
        }
        self.keep_permissions();
    }

    /// Ends the wait for the keys, unless more keys were requested in the meantime.
    fn keys_are_loaded(&mut self, fetch: u32) {
        self.secrets.answered = fetch;
        if fetch == self.secrets.fetch {
            self.stop_waiting_for_keys();
            self.notices.take_back("keyring-silent");
        }
    }

    fn stop_waiting_for_keys(&mut self) {
        (self.secrets.pending, self.secrets.wait_until) = (false, None);
        self.state.stage.permissions.fetched();
    }

    /// Stores the desktop's permissions at once, because the replaced tokens are invalid.
    fn keep_permissions(&mut self) {
        let changes = self.state.stage.permissions.take_changes();
        let Some(keys) = &self.secrets.keys else { return };
        for (key, tokens) in changes {
            keys.keep(&kept_as(&key), &tokens);
        }
    }

    /// Opens the source whose address was loaded.
    fn reveal(&mut self, name: &str, url: &Secret) {
        let before = self.settings.clone();
        if !secret_addresses::reveal(self.settings.addresses(), name, url) {
            return;
        }
        self.settings.keyring_addresses.known.insert(name.to_owned(), url.clone());
        for target in &mut self.targets.list {
            // An address that the user has typed in the meantime is newer.
            if address::kept_name(target.play_url.expose()) == Some(name) {
                target.play_url = url.clone();
            }
        }
        if self.settings.collection != before.collection {
            self.revealed_scenes();
        }
        if self.settings.video != before.video
            && let Some(video) = self.settings.video.clone()
        {
            self.select_video(video);
        }
        if self.settings.audio != before.audio
            && let Some(audio) = self.settings.audio.clone()
        {
            self.select_audio(audio);
        }
        if self.settings.strips != before.strips {
            self.set_strips();
        }
    }

    /// Inserts the loaded addresses into scenes and strips from the time before they were loaded.
    pub fn reveal_known(&mut self) {
        for (name, url) in self.settings.keyring_addresses.known.clone() {
            secret_addresses::reveal(self.settings.addresses(), &name, &url);
        }
    }

    pub fn put_target(&mut self, mut target: Target) {
        let id = target.id;
        let same = |known: &Target| known.id == id && known.server() == target.server();
        // After a change of the server, the new address may be a complete URL with the key.
        target.key_apart &= self.targets.list.iter().any(same);
        let known = self.targets.list.iter().find(|known| known.id == id);
        let is_doubtful =
            |known: &Target| known.play_url != target.play_url || !known.may_show_play_url();
        target.play_url_unchecked = !target.play_url.is_empty()
            && target.stream_key().is_none()
            && known.is_none_or(is_doubtful);
        let full = self.targets.list.len() >= MAX_TARGETS;
        let (is_live, floor) = (self.is_live(id), target.least_bitrate);
        match self.targets.list.iter_mut().find(|known| known.id == id) {
            Some(known) if *known == target => return,
            Some(known) => {
                let way = |it: &Target| (it.place.clone(), it.route.clone(), it.pin);
                if !is_live && way(known) != way(&target) {
                    let due = self.clock.now() + EDIT_SETTLE_DELAY;
                    let edited = self.targets.edited.entry(id);
                    edited.or_insert_with(|| (due, known.clone())).0 = due;
                }
                let key = address::secret_of(known) != address::secret_of(&target);
                if key || known.remember_key != target.remember_key {
                    self.secrets.changed.insert(id);
                }
                if target.enabled && !known.enabled {
                    // Switching a target on is a request to connect it.
                    self.targets.unfinished.remove(&id);
                }
                *known = target;
            }
            None if full => return,
            None => {
                self.secrets.changed.insert(id);
                if self.live.is_publishing() && address::fault(&target).is_some() {
                    self.targets.unfinished.insert(id);
                }
                self.targets.list.push(target);
            }
        }
        if let Some(on_air) = self.live.sending_to(id) {
            on_air.set_floor(id, floor);
        }
        self.remember_targets();
        // A key that is still being typed would start a stream under a part of its name.
        let enabled = self.targets.list.iter().any(|known| known.id == id && known.enabled);
        if !enabled || !self.targets.edited.contains_key(&id) {
            self.follow_switch(id);
        }
    }

    /// Returns true if the user has not yet typed the whole address or the key of a target that was
    /// added on air. The card of the target and the health bar show what is missing.
    pub fn is_unfinished(&self, target: &Target) -> bool {
        use AddressFault::{NoApplication, NoKey, NoServer, Server};
        let fault = address::fault(target);
        self.targets.unfinished.contains(&target.id)
            && matches!(fault, Some(NoServer | Server(_) | NoApplication | NoKey))
    }

    /// Returns true if the stream is sent to this target.
    pub fn is_live(&self, id: u32) -> bool {
        let live = self.targets.events.get(&id).is_some_and(|it| it.state == TargetState::Live);
        // The last event of a target that was switched off may be old.
        live && self.live.sends_to(id)
    }

    /// Connects the edited targets after a typing pause, or at once if `at_once` is true.
    pub fn restart_edited(&mut self, at_once: bool) {
        let now = self.clock.now();
        let due = self.targets.edited.extract_if(.., |_, (due, _)| at_once || *due <= now);
        for (id, (_, before)) in due.collect::<Vec<_>>() {
            let sought = self.live.is_publishing();
            let target = self.targets.list.iter().find(|it| it.id == id && it.enabled).cloned();
            let Some(target) = target.filter(|_| sought) else {
                continue;
            };
            if self.is_live(id) {
                // The old address has worked in the meantime. A part of a new key must not end the
                // stream, so the window again offers to apply what was typed.
                let Target { place, route, key_apart, .. } = before;
                self.put_target(Target { place, route, ..target });
                // A change of the server has cleared this flag.
                if let Some(known) = self.targets.list.iter_mut().find(|it| it.id == id) {
                    known.key_apart = key_apart;
                }
                continue;
            }
            if self.is_unfinished(&target) {
                continue;
            }
            let Some(wanted) = self.resolve(&target) else { continue };
            self.clear_link_notices(id);
            if self.live.on_air.is_some() {
                // The earlier connection is forgotten, because the server has accepted nothing over
                // it.
                drop(self.publish(vec![wanted]));
                self.targets.reported_causes.remove(&id);
                self.notices.active.clear_target(Group::Target.keys(), id);
            }
        }
    }

    /// Changes a target's address or key, also on air. The earlier connection ends while the new
    /// one starts, and the other targets continue.
    pub fn restart_target(&mut self, target: Target) {
        let id = target.id;
        self.put_target(target);
        self.targets.edited.remove(&id);
        let sought = self.live.sends_to(id);
        let target = self.targets.list.iter().find(|it| it.id == id && it.enabled).cloned();
        let Some(target) = target.filter(|_| sought) else {
            return self.follow_switch(id);
        };
        let Some(wanted) = self.resolve(&target) else { return };
        self.clear_link_notices(id);
        if self.is_live(id) {
            // That the user changes the address is no loss.
            self.live.series.switched_off(id as usize, self.clock.now());
        }
        if let Some(on_air) = self.live.sending_to(id) {
            // The end of the earlier connection is not reported, because the target continues.
            let (nobody, _) = queue::bounded("last-words", 1, queue::Full::DropOldest);
            self.endings.broadcasts.extend(on_air.end_publisher(id, nobody));
            let left = self.publish(vec![wanted]);
            self.targets.reported_causes.remove(&id);
            self.notices.active.clear_target(Group::Target.keys(), id);
            self.all_happened(left);
        }
    }

    pub fn remove_target(&mut self, id: u32) {
        let Some(at) = self.targets.list.iter().position(|target| target.id == id) else { return };
        let removed = self.targets.list.remove(at);
        let kept = &removed.keep_as;
        let needless = !kept.is_empty() && !self.file.is_key_kept_for_parked(kept);
        if let Some(keys) = self.secrets.keys.as_ref().filter(|_| needless) {
            keys.forget(kept);
        }
        self.secrets.changed.remove(&id);
        self.remember_targets();
        self.follow_switch(id);
        self.targets.events.remove(&id);
        self.targets.unfinished.remove(&id);
        // A new target may get the same id.
        self.live.series.removed(id as usize, self.clock.now());
        let mut in_summary = self.live.summary.targets.iter_mut();
        if let Some(known) = in_summary.find(|it| it.id == Some(id)) {
            known.id = None;
        }
    }

    /// Accepts a certificate at the user's request, and repeats the attempt that failed because of
    /// the certificate, if any.
    pub fn trust(&mut self, id: u32, pin: CertificatePin) {
        let mut notices = self.notices.active.notices().iter();
        let failed = notices.any(|it| it.key() == "target-certificate" && it.target == Some(id));
        self.notices.active.clear_target(&["target-certificate"], id);
        let known = self.targets.list.iter().find(|target| target.id == id);
        let Some(target) = known.cloned() else { return };
        let enabled = target.enabled;
        self.put_target(Target { pin: Some(pin), ..target });
        // A recording or the replay buffer may use the encoders meanwhile.
        if failed && enabled && !self.live.is_publishing() {
            self.handle(Command::GoLive);
        } else {
            self.follow_switch(id);
        }
    }

    /// Stores the targets in the settings file, without secrets.
    pub fn remember_targets(&mut self) {
        self.settings.targets.clone_from(&self.targets.list);
        self.tell_misfits();
        self.changed();
    }

    /// Stores addresses with secrets, and deletes obsolete ones.
    fn keep_addresses(&mut self) {
        let Some(keys) = &self.secrets.keys else { return };
        let (_, mut wanted) = self.settings.concealed();
        let known = &self.settings.keyring_addresses.known;
        let is_new =
            |it: &StoredAddress| it.url.is_some() && known.get(&it.name) != it.url.as_ref();
        if wanted.iter().any(is_new)
            && self.settings.keyring_addresses.taken.is_none()
            && let Some(parts) = self.file.parts()
        {
            self.settings.keyring_addresses.taken = Some(parts.address_names(&self.settings));
            (_, wanted) = self.settings.concealed();
        }
        let known = &mut self.settings.keyring_addresses.known;
        let gone = known.extract_if(.., |name, _| !wanted.iter().any(|kept| kept.name == *name));
        for (name, _) in gone.collect::<Vec<_>>() {
            if !self.file.keeps_deleted(&name) {
                keys.forget(&name);
            }
        }
        let known = &mut self.settings.keyring_addresses.known;
        for StoredAddress { name, url } in wanted {
            let Some(url) = url else { continue };
            if known.get(&name) != Some(&url) {
                keys.keep(&name, &url);
                known.insert(name, url);
            }
        }
    }

    /// Stores or deletes the keys that have changed.
    pub fn keep_keys(&mut self) {
        self.keep_addresses();
        let changed = std::mem::take(&mut self.secrets.changed);
        let Some(keys) = &self.secrets.keys else { return };
        for target in self.targets.list.iter().filter(|target| changed.contains(&target.id)) {
            match address::secret_of(target) {
                _ if target.keep_as.is_empty() => {}
                Some(secret) if target.remember_key => keys.keep(&target.keep_as, &secret),
                // A profile that was duplicated before its keys were loaded shares their names.
                _ if self.file.is_key_kept_for_parked(&target.keep_as) => {}
                _ => keys.forget(&target.keep_as),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::VideoChoice;
    use crate::media::BitsPerSecond;
    use crate::net::Trouble;
    use crate::studio::command::PartCommand;
    use crate::studio::engine::handlers::live::tests::{at_rest, end, on_air, until, with_program};
    use crate::studio::event;
    use crate::studio::scenes::edits::Edit;
    use crate::studio::settings::part::PartKind;
    use crate::studio::targets::TargetPlace;

    #[test]
    fn the_keys_of_a_first_request_do_not_end_the_wait_for_those_of_a_second() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends) = at_rest(None);
        engine.secrets.keys = Some(Keys::start(folder.path().join("keys.toml"), false).unwrap());
        engine.targets.list.push(Target {
            remember_key: true,
            keep_as: "one".into(),
            ..Target::custom(1, "rtmp://127.0.0.1:1/app", Secret::default())
        });
        engine.fetch_secrets();
        let first = engine.secrets.fetch;
        engine.fetch_secrets();
        engine.keys_are_loaded(first);
        assert!(engine.secrets.pending);
        engine.keys_are_loaded(engine.secrets.fetch);
        assert!(!engine.secrets.pending);
    }

    #[test]
    fn a_key_that_arrives_after_a_switch_goes_to_no_target_of_another_profile() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends) = at_rest(None);
        let keys = Keys::start(folder.path().join("keys.toml"), false).unwrap();
        keys.keep("one", &Secret::new("key-of-one"));
        engine.secrets.keys = Some(keys);
        let target = |name: &str| Target {
            remember_key: true,
            keep_as: name.into(),
            ..Target::custom(1, &format!("rtmp://{name}.example/app"), Secret::default())
        };
        engine.targets.list = vec![target("one")];
        engine.fetch_secrets();
        // The user switches to another profile before the keyring answers.
        engine.targets.list = vec![target("two")];
        await_keys(&mut engine);
        assert_eq!(engine.targets.list, [target("two")]);
        engine.targets.list = vec![target("one")];
        engine.fetch_secrets();
        await_keys(&mut engine);
        assert_eq!(engine.targets.list[0].key(), Some(&Secret::new("key-of-one")));
    }

    #[test]
    fn only_unused_profiles_are_searched_for_the_key_of_a_removed_target() {
        let folder = tempfile::tempdir().unwrap();
        for (unused, is_needed) in [("collections", false), ("profiles", true)] {
            let (mut engine, _ends) = at_rest(Some(folder.path()));
            let keys = Keys::start(folder.path().join("keys.toml"), false).unwrap();
            keys.keep("one", &Secret::new("planted-key"));
            engine.secrets.keys = Some(keys);
            engine.targets.list = vec![Target {
                enabled: false,
                remember_key: true,
                keep_as: "one".into(),
                ..Target::custom(1, "rtmp://h.example/app", Secret::default())
            }];
            let place = folder.path().join(unused);
            std::fs::create_dir_all(&place).unwrap();
            std::fs::write(place.join("Other.toml"), "# one\n").unwrap();
            engine.remove_target(1);
            engine.secrets.keys.take().unwrap().end(Duration::from_secs(60));
            let stored = std::fs::read_to_string(folder.path().join("keys.toml")).unwrap();
            assert_eq!(stored.contains("planted-key"), is_needed, "{unused}");
        }
    }

    /// Waits until the requested keys are loaded.
    fn await_keys(engine: &mut Engine) {
        while engine.secrets.pending {
            engine.poll_stream_keys();
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_loaded_key_is_not_written_with_a_play_address_and_is_copied_with_its_profile() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends) = at_rest(Some(folder.path()));
        let keys = Keys::start(folder.path().join("keys.toml"), false).unwrap();
        let (key, address) = ("planted-key", "rtmp://h.example/app/planted-key");
        keys.keep("one", &Secret::new(key));
        keys.keep("0123456789abcdef", &Secret::new(address));
        engine.secrets.keys = Some(keys);
        engine.settings.targets = vec![Target {
            enabled: false,
            remember_key: true,
            keep_as: "one".into(),
            play_url: "rtmp://h.example#kept=0123456789abcdef".into(),
            ..Target::custom(1, "rtmp://h.example/app", Secret::default())
        }];
        engine.targets.list.clone_from(&engine.settings.targets);
        engine.fetch_secrets();
        await_keys(&mut engine);
        assert_eq!(engine.settings.targets[0].play_url.expose(), address);
        let text = PartKind::Profile.text_of(&engine.settings).unwrap();
        assert!(!text.contains("planted"), "{text}");
        engine.handle(Command::Part(PartCommand::Duplicate(PartKind::Profile, "Copy".into())));
        assert_eq!(engine.settings.in_use.name(PartKind::Profile), "Copy");
        assert_eq!(engine.targets.list[0].key(), Some(&Secret::new(key)));
    }

    #[test]
    fn a_key_that_arrives_after_the_timeout_is_copied_with_its_profile() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends) = at_rest(Some(folder.path()));
        let keys = Keys::start(folder.path().join("keys.toml"), false).unwrap();
        keys.keep("one", &Secret::new("key-of-one"));
        engine.secrets.keys = Some(keys);
        engine.settings.targets = vec![Target {
            enabled: false,
            remember_key: true,
            keep_as: "one".into(),
            ..Target::custom(1, "rtmp://h.example/app", Secret::default())
        }];
        engine.targets.list.clone_from(&engine.settings.targets);
        engine.fetch_secrets();
        engine.stop_waiting_for_keys();
        engine.handle(Command::Part(PartCommand::Duplicate(PartKind::Profile, "Copy".into())));
        assert_eq!(engine.settings.in_use.name(PartKind::Profile), "Copy");
        until("key", || {
            engine.poll_stream_keys();
            engine.targets.list[0].key().is_some()
        });
        // A target whose key is known gets its own name.
        engine.handle(Command::Part(PartCommand::Duplicate(PartKind::Profile, "Third".into())));
        assert_ne!(engine.targets.list[0].keep_as, "one");
    }

    #[test]
    fn a_new_target_in_another_profile_does_not_replace_the_key_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends) = at_rest(Some(folder.path()));
        let keys = Keys::start(folder.path().join("keys.toml"), false).unwrap();
        engine.secrets.keys = Some(keys);
        let add = |engine: &mut Engine, key: &str| {
            let place = TargetPlace::Custom {
                server: "rtmp://h.example/app".into(),
                key: Secret::new(key),
            };
            let new = Target::new_for(&[Target::built_in()]);
            engine.put_target(Target { enabled: false, place, ..new });
        };
        let kind = PartKind::Profile;
        add(&mut engine, "key-of-one");
        engine.handle(Command::Part(PartCommand::New(kind, "Other".into())));
        add(&mut engine, "key-of-two");
        for (name, key) in [("Main", "key-of-one"), ("Other", "key-of-two")] {
            engine.handle(Command::Part(PartCommand::Use(kind, name.into())));
            await_keys(&mut engine);
            let target = engine.targets.list.iter().find(|it| it.id == 1).unwrap();
            assert_eq!(target.key(), Some(&Secret::new(key)), "{name}");
        }
    }

    #[test]
    fn a_play_address_that_is_typed_while_the_key_is_missing_is_not_written() {
        let (mut engine, _ends) = at_rest(None);
        let typed = |url: &str, key: &str| Target {
            enabled: false,
            remember_key: true,
            keep_as: "one".into(),
            play_url: url.into(),
            ..Target::custom(1, "rtmp://h.example/app", Secret::new(key))
        };
        let written = |engine: &Engine| PartKind::Profile.text_of(&engine.settings).unwrap();
        let (open, secret) = ("rtmp://h.example/app/show", "rtmp://h.example/app/planted-key");
        // The settings file may contain an open address, whose key is missing at first.
        engine.targets.list = vec![typed(open, "")];
        engine.put_target(Target { name: "Mine".into(), ..typed(open, "") });
        assert!(written(&engine).contains(open));
        engine.put_target(typed(secret, ""));
        assert!(!written(&engine).contains("planted"), "{}", written(&engine));
        engine.put_target(Target { name: "Mine".into(), ..typed(secret, "") });
        assert!(!written(&engine).contains("planted"), "{}", written(&engine));
        // The key is deleted after the address was entered.
        engine.targets.list = vec![typed(secret, "planted-key")];
        engine.put_target(typed(secret, ""));
        assert!(!written(&engine).contains("planted"), "{}", written(&engine));
        // With its key, an address is known to be open.
        engine.put_target(typed(open, ""));
        assert!(!written(&engine).contains(open));
        engine.put_target(typed(open, "planted-key"));
        assert!(written(&engine).contains(open));
    }

    #[test]
    fn an_undo_keeps_the_addresses_that_were_loaded_meanwhile() {
        let (mut engine, _ends) = at_rest(None);
        let scene = engine.settings.collection.current;
        let stored = VideoChoice::Stream("rtmp://h/live#kept=0123456789abcdef".into());
        engine.edit(&Edit::AddSource { scene, name: "Door".into(), choice: stored });
        engine.edit(&Edit::AddScene("Talk".into()));
        let url = "rtmp://me:pw@h/live";
        engine.reveal("0123456789abcdef", &Secret::new(url));
        engine.step(true);
        assert!(engine.settings.collection.scene_named("Talk").is_none());
        let sources = engine.settings.collection.sources.iter();
        let choices: Vec<_> = sources.map(|source| &source.choice).collect();
        assert_eq!(choices, [&VideoChoice::Stream(url.into())]);
    }

    /// Returns the event that target 1 has failed because of its certificate.
    fn certificate_rejected() -> event::Target {
        event::Target {
            index: 1,
            state: TargetState::Failed,
            trouble: Some(Trouble::Certificate),
            pin: Some(CertificatePin::of(b"certificate")),
            ..event::Target::default()
        }
    }

    #[test]
    fn a_certificate_that_is_trusted_without_a_failed_attempt_starts_no_broadcast() {
        let (mut engine, _ends) = on_air();
        engine.targets.list.push(Target::custom(2, "rtmp://127.0.0.1:1/app", Secret::new("key")));
        engine.stop_live();
        engine.live.stopping = false;
        // The last attempt failed for another reason, and a check finds the certificate.
        let (trouble, pin) = (Some(Trouble::Refused), None);
        engine.target_happened(event::Target { trouble, pin, ..certificate_rejected() });
        let pin = CertificatePin::of(b"certificate");
        engine.trust(1, pin);
        assert!(!engine.live.is_publishing());
        assert_eq!(engine.targets.list[0].pin, Some(pin));
        // The target is switched off after its attempt failed.
        engine.target_happened(certificate_rejected());
        engine.targets.list[0].enabled = false;
        engine.trust(1, CertificatePin::of(b"another"));
        assert!(!engine.live.is_publishing(), "a broadcast to the other target");
        end(engine);
    }

    #[test]
    fn a_trusted_certificate_starts_the_broadcast_during_a_recording() {
        let (mut engine, _ends) = on_air();
        let folder = tempfile::tempdir().unwrap();
        engine.start_recording(folder.path().join("show.mkv"));
        engine.stop_live();
        engine.live.stopping = false;
        engine.target_happened(certificate_rejected());
        assert!(engine.live.on_air.is_some() && !engine.live.is_publishing());
        engine.trust(1, CertificatePin::of(b"certificate"));
        assert!(engine.live.is_publishing());
        end(engine);
    }

    #[test]
    fn a_certificate_that_is_trusted_on_air_connects_its_target_at_once() {
        let (mut engine, _ends) = on_air();
        engine.targets.list.push(Target::custom(2, "rtmp://127.0.0.1:1/app", Secret::new("key")));
        engine.target_happened(event::Target { index: 2, ..certificate_rejected() });
        let is_sent = |engine: &Engine| {
            engine.live.on_air.as_ref().is_some_and(|on_air| on_air.publishes_to(2))
        };
        let is_rejected = |engine: &Engine| {
            engine.notices.active.notices().iter().any(|it| it.key() == "target-certificate")
        };
        assert!(!is_sent(&engine) && is_rejected(&engine));
        let pin = CertificatePin::of(b"certificate");
        engine.handle(Command::TrustCertificate { target: 2, pin });
        assert!(is_sent(&engine) && !is_rejected(&engine));
        assert_eq!(engine.targets.list[1].pin, Some(pin));
        // The connection already uses the pin, and must not begin again for it.
        assert!(engine.targets.edited.is_empty());
        end(engine);
    }

    #[test]
    fn a_key_that_is_typed_on_air_is_used_when_it_is_complete() {
        let (mut engine, _ends) = on_air();
        let typed = |key: &str| Target {
            key_apart: true,
            ..Target::custom(2, "rtmp://127.0.0.1:1/app", Secret::new(key))
        };
        let is_sent = |engine: &Engine| {
            engine.live.on_air.as_ref().is_some_and(|on_air| on_air.publishes_to(2))
        };
        engine.targets.list.push(typed(""));
        for key in ["a", "ab", "abc"] {
            engine.put_target(typed(key));
            assert!(!is_sent(&engine), "a stream under {key:?}");
        }
        // The target was live before it was switched off.
        let old = event::Target { state: TargetState::Live, ..event::Target::default() };
        engine.targets.events.insert(2, old);
        engine.restart_edited(true);
        assert!(is_sent(&engine));
        // A target that is switched off does not wait.
        engine.put_target(Target { enabled: false, ..typed("abcd") });
        assert!(!is_sent(&engine));
        end(engine);
    }

    #[test]
    fn a_target_that_is_added_on_air_is_no_problem_before_its_address_and_key_are_typed() {
        let (mut engine, _ends) = on_air();
        let typed = |server: &str, key: &str| {
            let added = Target::custom(2, server, Secret::new(key));
            Command::PutTarget(Target { key_apart: !key.is_empty(), ..added })
        };
        let is_sent = |engine: &Engine| {
            engine.live.on_air.as_ref().is_some_and(|on_air| on_air.publishes_to(2))
        };
        let server = "rtmp://127.0.0.1:1/app";
        for part in ["", "rtmp", "rtmp://", "rtmp://127.0.0.1:1", server] {
            engine.handle(typed(part, ""));
            engine.restart_edited(true);
            assert!(
                engine.notices.active.notices().iter().all(|it| it.target != Some(2)),
                "{part}"
            );
            assert!(!is_sent(&engine) && !engine.targets.events.contains_key(&2), "{part}");
        }
        engine.handle(typed(server, "key"));
        engine.restart_edited(true);
        assert!(is_sent(&engine));
        // A key that disappears later is a problem.
        engine.handle(typed(server, ""));
        engine.restart_edited(true);
        let mut notices = engine.notices.active.notices().iter();
        assert!(notices.any(|it| (it.key(), it.target) == ("target-invalid", Some(2))));
        end(engine);
    }

    #[test]
    fn the_problem_of_a_target_that_is_added_on_air_follows_its_edits() {
        let (mut engine, _ends) = on_air();
        let mut cause_with = |key: &str| {
            let added = Target::custom(2, "rtmp://127.0.0.1:1/app", Secret::new(key));
            engine.handle(Command::PutTarget(Target { key_apart: !key.is_empty(), ..added }));
            engine.restart_edited(true);
            engine.targets.events.get(&2).and_then(|it| it.cause.clone())
        };
        assert!(cause_with("").is_none());
        let invalid = cause_with("a key");
        assert!(invalid.is_some());
        let missing = cause_with("");
        assert!(missing.is_some() && missing != invalid);
        end(engine);
    }

    #[test]
    fn a_target_without_a_key_that_is_switched_on_on_air_is_a_problem() {
        for is_added_on_air in [true, false] {
            let (mut engine, _ends) = if is_added_on_air { on_air() } else { with_program(None) };
            let first = Target::custom(1, "rtmp://127.0.0.1:1/app", Secret::new("key"));
            engine.targets.list = vec![first];
            let keyless = |enabled| {
                let added = Target::custom(2, "rtmp://127.0.0.1:1/app", Secret::default());
                Command::PutTarget(Target { enabled, ..added })
            };
            engine.handle(keyless(true));
            engine.handle(keyless(false));
            if !is_added_on_air {
                engine.go_live();
            }
            assert!(engine.live.is_publishing());
            let is_reported = |engine: &Engine| {
                let mut notices = engine.notices.active.notices().iter();
                notices.any(|it| (it.key(), it.target) == ("target-invalid", Some(2)))
            };
            assert!(!is_reported(&engine), "added on air: {is_added_on_air}");
            engine.handle(keyless(true));
            assert!(is_reported(&engine), "added on air: {is_added_on_air}");
            end(engine);
        }
    }

    #[test]
    fn an_edit_waits_for_the_user_if_the_old_key_goes_live_first() {
        let (mut engine, _ends) = on_air();
        let typed = |key: &str| Target::custom(1, "rtmp://127.0.0.1:1/app", Secret::new(key));
        let key = |engine: &Engine| engine.targets.list[0].key().cloned();
        for part in ["n", "new"] {
            engine.put_target(typed(part));
        }
        let live = event::Target { state: TargetState::Live, ..event::Target::default() };
        engine.targets.events.insert(1, live);
        engine.restart_edited(true);
        assert!(engine.targets.edited.is_empty());
        // The window compares the typed key with this one.
        assert_eq!(key(&engine), Some(Secret::new("key")));
        assert!(engine.secrets.changed.contains(&1), "the new key may be stored already");
        // The new address of a target that is already live is for its next connection.
        engine.put_target(typed("next"));
        engine.restart_edited(true);
        assert_eq!(key(&engine), Some(Secret::new("next")));
        end(engine);
    }

    #[test]
    fn a_minimum_bitrate_that_changes_on_air_applies_to_the_connection() {
        let (mut engine, _ends) = on_air();
        let least_bitrate = Some(BitsPerSecond(900_000));
        let target = Target { least_bitrate, ..engine.targets.list[0].clone() };
        engine.handle(Command::PutTarget(target));
        let on_air = engine.live.on_air.as_ref().unwrap();
        assert_eq!(on_air.targets().next().unwrap().floor, least_bitrate);
        end(engine);
    }

    #[test]
    fn the_notices_of_a_failed_target_disappear_when_it_is_switched_off() {
        for is_on_air in [true, false] {
            let (mut engine, _ends) = on_air();
            let second = Target::custom(2, "rtmp://127.0.0.1:1/app", Secret::new("key"));
            engine.targets.list.push(second.clone());
            if !is_on_air {
                engine.stop_live();
            }
            engine.target_happened(event::Target {
                index: 2,
                state: TargetState::Failed,
                trouble: Some(Trouble::Refused),
                ..event::Target::default()
            });
            let is_shown = |engine: &Engine| {
                engine.notices.active.notices().iter().any(|notice| notice.target == Some(2))
            };
            assert!(is_shown(&engine));
            engine.handle(Command::PutTarget(Target { enabled: false, ..second }));
            assert!(!is_shown(&engine), "on air: {is_on_air}");
            end(engine);
        }
    }

    #[test]
    fn the_notices_about_a_slow_link_end_with_its_connection() {
        let key = |key: &str| Target::custom(1, "rtmp://127.0.0.1:1/app", Secret::new(key));
        let off = Target { enabled: false, ..key("key") };
        for command in [Command::RestartTarget(key("new")), Command::PutTarget(off)] {
            let (mut engine, _ends) = on_air();
            let host = engine.live.on_air.as_ref().unwrap().label(1).unwrap();
            let (size, kbps) = ("640x360".to_owned(), "800".to_owned());
            let lowered = StudioMessage::RenditionLowered { host: host.clone(), size, kbps };
            engine.notices.raise(&lowered, "");
            engine.notices.raise(&StudioMessage::FramesDropped { id: 1, host, kbps: None }, "");
            let count = |engine: &Engine| {
                let keys = engine.notices.active.notices().iter().map(|notice| notice.key());
                keys.filter(|key| ["rendition-lowered", "frames-dropped"].contains(key)).count()
            };
            assert_eq!(count(&engine), 2);
            engine.handle(command);
            assert_eq!(count(&engine), 0);
            end(engine);
        }
    }

    #[test]
    fn a_target_can_be_switched_off_while_the_earlier_encoders_still_end() {
        let (mut engine, _ends) = on_air();
        // A passthrough has replaced the replay buffer, whose encoders are ending.
        engine.live.stopping = true;
        let off = Target { enabled: false, ..engine.targets.list[0].clone() };
        engine.handle(Command::PutTarget(off));
        assert!(!engine.live.is_publishing());
        end(engine);
    }

    #[test]
    fn a_connection_that_already_uses_an_edit_does_not_start_again_for_it() {
        let (mut engine, _ends) = on_air();
        let typed = |key: &str| Target::custom(2, "rtmp://127.0.0.1:1/app", Secret::new(key));
        engine.targets.list.push(typed(""));
        engine.put_target(typed("abc"));
        assert!(engine.targets.edited.contains_key(&2));
        engine.handle(Command::StartTarget(2));
        assert!(engine.targets.edited.is_empty());
        end(engine);
    }
}
