//! Handles addresses with secrets (user and password, a query, the target's key). Sources of
//! scenes, sources of strips and playback addresses can contain such secrets. They are saved without
//! the secrets, but with the name of the keyring entry that contains the whole address. This module
//! is pure.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::audio::AudioChoice;
use crate::base::Secret;
use crate::capture::{VideoChoice, browser};
use crate::studio::mixer::AudioStrip;
use crate::studio::scenes::Collection;
use crate::studio::targets::Target;
use crate::studio::targets::address::{KEYRING_ENTRY_SEPARATOR, kept_name};

/// The text that replaces the host of an address that cannot be parsed safely.
const HIDDEN_HOST: &str = "hidden";

/// An address to store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAddress {
    /// The name in the keyring.
    pub name: String,
    /// The whole address; `None` if it is not loaded yet.
    pub url: Option<Secret>,
}

/// The addresses in the keyring. They are not saved with the settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeyringAddresses {
    /// The addresses of these settings that the keyring contains, by the names of their entries. A
    /// stored address keeps its name. Saving the settings removes addresses that no longer occur.
    pub known: BTreeMap<String, Secret>,
    /// The names that unused collections and profiles need, if they were read. No other address
    /// gets these names.
    pub taken: Option<BTreeSet<String>>,
}

impl KeyringAddresses {
    /// Returns the name of this address, if the keyring contains the address.
    pub fn name_of(&self, url: &str) -> Option<&String> {
        self.known.iter().find(|(_, known)| known.expose() == url).map(|(name, _)| name)
    }
}

/// All parts of the settings that can contain an address with a secret.
#[derive(Debug)]
pub struct AddressFields<'a> {
    pub video: &'a mut Option<VideoChoice>,
    pub collection: &'a mut Collection,
    pub audio: &'a mut Option<AudioChoice>,
    pub strips: &'a mut [AudioStrip],
    pub targets: &'a mut [Target],
}

/// Returns the displayable part of an address, or `None` if the address contains no secret.
pub fn without_secrets(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    if !rest.contains(['?', '@', '#']) {
        return None;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, after) = rest.split_at_checked(end)?;
    if after.contains('@') {
        // If a password contains a slash or a question mark, its end cannot be determined.
        return Some(format!("{scheme}://{HIDDEN_HOST}"));
    }
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let path = after.split(['?', '#']).next().unwrap_or_default();
    Some(format!("{scheme}://{host}{path}"))
}

/// Replaces each secret address by its saved form, and returns the entries for the keyring.
pub fn conceal(places: AddressFields<'_>, names: &KeyringAddresses) -> Vec<StoredAddress> {
    conceal_by(places, "", names)
}

/// Works like [`conceal`], but the names of the entries also depend on `salt`, so that no other
/// settings use them for other addresses.
pub fn conceal_apart(places: AddressFields<'_>, salt: &str) -> Vec<StoredAddress> {
    conceal_by(places, salt, &KeyringAddresses::default())
}

fn conceal_by(
    mut places: AddressFields<'_>,
    salt: &str,
    given: &KeyringAddresses,
) -> Vec<StoredAddress> {
    let mut names = Names { salt, given, kept: BTreeMap::new() };
    // No other address gets the name of an address that is stored, or that is not loaded yet.
    visit(&mut places, &mut |url, own| {
        if let Some(name) = kept_name(url) {
            names.kept.insert(name.to_owned(), None);
        } else if let Some(name) = given.name_of(url)
            && displayed(url, &own, true).is_some_and(|plain| !plain.is_empty())
        {
            // If the name also occurs without its address, the address is loaded once more.
            names.kept.entry(name.clone()).or_insert_with(|| Some(Secret::new(url.as_str())));
        }
    });
    visit(&mut places, &mut |url, own| {
        if kept_name(url).is_some() {
            return;
        }
        match displayed(url, &own, given.name_of(url).is_some()) {
            None => {}
            Some(plain) if plain.is_empty() => url.clear(),
            Some(plain) => {
                let name = names.name(&plain, url);
                *url = format!("{plain}{KEYRING_ENTRY_SEPARATOR}{name}");
            }
        }
    });
    names.kept.into_iter().map(|(name, url)| StoredAddress { name, url }).collect()
}

/// Returns the part of an address that is saved, or `None` if the whole address is saved. The part
/// is empty if nothing of the address is saved. `stored` means that the keyring contains the
/// address, so that the address contains a secret even if the target's key is not loaded.
fn displayed(url: &str, own: &AddressOwner<'_>, stored: bool) -> Option<String> {
    match *own {
        AddressOwner::Source => without_secrets(url),
        AddressOwner::Watched { secret: false, .. } if !stored => None,
        AddressOwner::Watched { forget: true, .. } => Some(String::new()),
        AddressOwner::Watched { secret, key, .. } => {
            let shown = without_secrets(url).unwrap_or_else(|| url.to_owned());
            // The key may be any part of the address, also a key that is not loaded.
            if secret && !key.is_empty() && !shown.contains(key) {
                return Some(shown);
            }
            let (scheme, rest) = shown.split_once("://").unwrap_or_default();
            let host = rest.split('/').next().unwrap_or_default();
            let is_key = host.is_empty() || (!key.is_empty() && host.contains(key));
            Some(format!("{scheme}://{}", if is_key { HIDDEN_HOST } else { host }))
        }
    }
}

/// Inserts a loaded address wherever its name occurs. Returns true if the name occurs anywhere.
pub fn reveal(mut places: AddressFields<'_>, name: &str, url: &Secret) -> bool {
    let mut found = false;
    visit(&mut places, &mut |place, _| {
        if kept_name(place) == Some(name) {
            url.expose().clone_into(place);
            found = true;
        }
    });
    found
}

/// Returns the scenes for other users, without secrets and without the names of keyring entries.
pub fn for_others(collection: &Collection) -> Collection {
    let mut collection = collection.clone();
    for choice in choices(&mut collection) {
        clean_choice(choice);
    }
    collection
}

/// Returns the strips for other users, without secrets and without the names of keyring entries.
pub fn strips_for_others(strips: &[AudioStrip]) -> Vec<AudioStrip> {
    let mut strips = strips.to_vec();
    for choice in audio_of(&mut strips) {
        if let AudioChoice::Stream(url) = choice {
            clean(url);
        }
    }
    strips
}

/// Removes the secrets of a video source. The address of a page is saved as it is, but others do not
/// get its parameters.
fn clean_choice(choice: &mut VideoChoice) {
    match choice {
        VideoChoice::Stream(url) => clean(url),
        VideoChoice::Browser(page) if browser::is_address(page) => clean(page),
        _ => {}
    }
}

/// Removes the secrets of all video and audio sources, and the names of keyring entries.
pub fn clean_all(mut places: AddressFields<'_>) {
    places.video.iter_mut().chain(choices(places.collection)).for_each(clean_choice);
    visit(&mut places, &mut |url, owner| {
        if let AddressOwner::Source = owner {
            clean(url);
        }
    });
}

/// Removes the secrets of an address.
fn clean(url: &mut String) {
    if let Some(plain) = without_secrets(url) {
        *url = plain;
    }
}

#[derive(Debug)]
struct Names<'a> {
    salt: &'a str,
    given: &'a KeyringAddresses,
    kept: BTreeMap<String, Option<Secret>>,
}

impl Names<'_> {
    /// Returns the entry name for an address with this displayable part. The name of a new address
    /// depends only on that part and the salt, because a name derived from the secret would help to
    /// guess the secret. Equal names are numbered.
    fn name(&mut self, plain: &str, url: &str) -> String {
        if let Some(name) = self.given.name_of(url) {
            return name.clone();
        }
        let mut number = 0_u32;
        loop {
            let digest = Sha256::digest(format!("{number} {}{plain}", self.salt));
            let name = HEXLOWER.encode(digest.get(..8).unwrap_or_default());
            let free = match self.kept.get(&name) {
                None => !self.given.taken.as_ref().is_some_and(|taken| taken.contains(&name)),
                Some(known) => known.as_ref().is_some_and(|known| known.expose() == url),
            };
            if free {
                self.kept.insert(name.clone(), Some(Secret::new(url)));
                return name;
            }
            number += 1;
        }
    }
}

/// The owner of an address.
enum AddressOwner<'a> {
    /// A source.
    Source,
    /// The playback address of a target.
    Watched { key: &'a str, secret: bool, forget: bool },
}

/// Returns all choices of video sources in a collection, including those of fallbacks.
fn choices(collection: &mut Collection) -> impl Iterator<Item = &mut VideoChoice> {
    let own = collection.sources.iter_mut();
    let own = own.flat_map(|it| std::iter::once(&mut it.choice).chain(it.fallback.choice_mut()));
    own.chain(collection.main_fallback.choice_mut())
}

/// Returns all choices of audio sources of strips, including those of fallbacks.
fn audio_of(strips: &mut [AudioStrip]) -> impl Iterator<Item = &mut AudioChoice> {
    let strips = strips.iter_mut();
    strips.flat_map(|it| std::iter::once(&mut it.choice).chain(&mut it.if_silent))
}

/// Visits every address that can contain a secret, always in the same order.
fn visit(places: &mut AddressFields<'_>, see: &mut dyn FnMut(&mut String, AddressOwner<'_>)) {
    for choice in places.video.iter_mut().chain(choices(places.collection)) {
        if let VideoChoice::Stream(url) = choice {
            see(url, AddressOwner::Source);
        }
    }
    for choice in places.audio.iter_mut().chain(audio_of(places.strips)) {
        if let AudioChoice::Stream(url) = choice {
            see(url, AddressOwner::Source);
        }
    }
    for target in places.targets.iter_mut() {
        if target.play_url.is_empty() {
            continue;
        }
        let secret = !target.may_show_play_url();
        let key = target.stream_key().unwrap_or_default();
        let (key, forget) = (key.expose(), !target.remember_key);
        let mut url = target.play_url.expose().to_owned();
        see(&mut url, AddressOwner::Watched { key, secret, forget });
        target.play_url = Secret::new(url);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mix::StripId;
    use crate::studio::settings::Settings;
    use proptest::prelude::*;

    const PLANTED_ADDRESS: &str = "rtmp://me:pl4nted@cam.example/live/door?token=pl4nted";

    fn sample() -> Settings {
        let stream = |url: &str| VideoChoice::Stream(url.into());
        let mut settings = Settings { video: Some(stream(PLANTED_ADDRESS)), ..Settings::default() };
        let mut collection = Collection::default();
        for (name, url) in [
            ("Door", PLANTED_ADDRESS),
            ("Yard", "rtmp://cam.example/live/door?token=another-pl4nted"),
            ("Open", "rtmp://cam.example/live/open"),
        ] {
            let id = collection.next_source();
            collection.sources.push(crate::studio::scenes::Source {
                id,
                name: name.into(),
                choice: stream(url),
                filters: Vec::new(),
                properties: Default::default(),
                fallback: Default::default(),
                record: false,
            });
        }
        settings.collection = collection;
        let radio = AudioChoice::Stream("https://radio.example/pl4?k=pl4nted#x".into());
        settings.strips.push(AudioStrip::new(StripId(1), radio));
        settings.targets.push(Target {
            remember_key: true,
            play_url: "rtmp://me:pl4nted@h/app/show".into(),
            ..Target::custom(1, "rtmp://h/app", "pl4nted-key".into())
        });
        settings.targets.push(Target {
            play_url: "rtmp://h/app/show?t=pl4nted".into(),
            ..Target::custom(2, "rtmp://h/app", "".into())
        });
        settings.targets.push(Target {
            remember_key: true,
            play_url: "rtmp://h/app/pl4nted-key".into(),
            ..Target::custom(3, "rtmp://h/app", "pl4nted-key".into())
        });
        settings
    }

    #[test]
    fn what_is_written_holds_no_secret_and_comes_back_whole() {
        let settings = sample();
        let (written, kept) = settings.concealed();
        assert!(!format!("{:?} {:?}", written.video, written.collection).contains("pl4nted"));
        let plain: Vec<_> =
            kept.iter().filter_map(|it| it.url.as_ref()).map(Secret::expose).collect();
        assert_eq!(plain.len(), 5, "{plain:?}");
        let watched: Vec<_> = written.targets.iter().map(|it| it.play_url.expose()).collect();
        assert!(watched.iter().all(|url| !url.contains("pl4nted")), "{watched:?}");
        assert_eq!(watched[2], "", "of a target that nothing is kept of");
        // Concealing again, before anything is loaded, loses nothing.
        let (again, names) = written.concealed();
        assert_eq!(again, written);
        let known =
            |list: &[StoredAddress]| list.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
        assert_eq!(known(&names), known(&kept));
        assert!(names.iter().all(|it| it.url.is_none()));
        // One address after the other is loaded.
        let mut read = written;
        for it in &kept {
            assert!(reveal(read.addresses(), &it.name, it.url.as_ref().unwrap()));
        }
        let mut wanted = settings;
        wanted.targets[2].play_url = Secret::default();
        assert_eq!(read, wanted);
        assert!(read.concealed().1.iter().all(|it| it.url.is_some()));
        assert!(!reveal(read.addresses(), "0123456789abcdef", &"x".into()));
    }

    #[test]
    fn an_address_that_is_not_loaded_yet_keeps_its_name() {
        let video = VideoChoice::Stream("rtmp://cam.example/door?token=pl4nted".into());
        let mut settings = Settings { video: Some(video), ..Settings::default() };
        let name = settings.concealed().1[0].name.clone();
        let shown = format!("rtmp://cam.example/door{KEYRING_ENTRY_SEPARATOR}{name}");
        settings.strips.push(AudioStrip::new(StripId(1), AudioChoice::Stream(shown.clone())));
        let (_, kept) = settings.concealed();
        assert_eq!(kept.len(), 2, "{kept:?}");
        assert!(kept.iter().all(|it| (it.name == name) == it.url.is_none()), "{kept:?}");
        // The same address is loaded in one place and not in the other, as after a switch.
        let url = "rtmp://cam.example/door?token=pl4nted";
        settings.keyring_addresses.known.insert(name.clone(), url.into());
        for (video, audio) in [(&*shown, url), (url, &*shown)] {
            settings.video = Some(VideoChoice::Stream(video.into()));
            settings.strips[1] = AudioStrip::new(StripId(1), AudioChoice::Stream(audio.into()));
            let (_, kept) = settings.concealed();
            assert!(kept.len() == 1 && kept[0].name == name && kept[0].url.is_none(), "{kept:?}");
        }
    }

    #[test]
    fn a_loaded_play_address_is_not_written_while_the_key_in_it_is_missing() {
        for url in ["rtmp://h/app/pl4nted-key", "rtmp://h/app/pl4nted-key?token=pl4nted"] {
            let mut settings = Settings::default();
            settings.targets.push(Target {
                remember_key: true,
                play_url: url.into(),
                ..Target::custom(1, "rtmp://h/app", "".into())
            });
            let name = "0123456789abcdef".to_owned();
            settings.keyring_addresses.known.insert(name.clone(), url.into());
            let (mut written, kept) = settings.concealed();
            let shown = format!("rtmp://h{KEYRING_ENTRY_SEPARATOR}{name}");
            assert_eq!(written.targets[1].play_url.expose(), shown);
            assert_eq!(kept, [StoredAddress { name: name.clone(), url: Some(url.into()) }]);
            assert!(reveal(written.addresses(), &name, &url.into()));
            assert_eq!(written.targets, settings.targets);
            settings.targets[1].remember_key = false;
            assert_eq!(settings.concealed().0.targets[1].play_url.expose(), "");
        }
    }

    #[test]
    fn a_play_address_with_the_key_of_a_complete_url_is_not_written() {
        for url in ["rtmp://h/app/pl4nted-key", "pl4nted-key", "rtmp://pl4nted-key/app"] {
            for server in ["rtmp://h/app/pl4nted-key", "rtmp://h/a/b/pl4nted-key?token=pl4nted"] {
                let mut settings = Settings::default();
                settings.targets.push(Target {
                    remember_key: true,
                    play_url: url.into(),
                    ..Target::custom(1, server, Secret::default())
                });
                let (mut written, kept) = settings.concealed();
                let shown = written.targets[1].play_url.expose();
                assert!(!shown.contains("pl4nted"), "{shown}");
                let [StoredAddress { name, url: Some(stored) }] = &kept[..] else {
                    panic!("{kept:?}")
                };
                assert!(reveal(written.addresses(), name, stored));
                assert_eq!(written.targets, settings.targets);
                settings.targets[1].remember_key = false;
                assert_eq!(settings.concealed().0.targets[1].play_url.expose(), "");
            }
        }
    }

    #[test]
    fn an_address_keeps_its_name_and_gets_no_name_of_another_collection() {
        let address = |token: &str| format!("rtmp://cam.example/door?token={token}");
        let mut settings = Settings::default();
        let mut name = |token: &str, names: &KeyringAddresses| {
            settings.video = Some(VideoChoice::Stream(address(token)));
            settings.keyring_addresses = names.clone();
            settings.concealed().1.remove(0).name
        };
        let mut names = KeyringAddresses::default();
        let first = name("one", &names);
        names.known.insert(first.clone(), Secret::new(address("one")));
        assert_eq!(name("two", &names), first, "nothing else needs the entry");
        names.taken = Some([first.clone()].into());
        assert_eq!(name("one", &names), first, "a stored address");
        let second = name("two", &names);
        assert_ne!(second, first);
        names.known.insert(second.clone(), Secret::new(address("two")));
        names.taken = None;
        assert_eq!((name("one", &names), name("two", &names)), (first, second));
    }

    #[test]
    fn what_is_given_to_others_has_neither_secrets_nor_names() {
        for collection in [sample().collection, sample().concealed().0.collection] {
            let given = format!("{:?}", for_others(&collection));
            assert!(!given.contains("pl4nted") && !given.contains("kept"), "{given}");
            assert!(given.contains("rtmp://cam.example/live/door"), "{given}");
        }
    }

    #[test]
    fn addresses_that_cannot_be_taken_apart_are_hidden_whole() {
        for (url, shown) in [
            ("rtmp://h/app", None),
            ("/home/ada/what? me@home #1.flv", None),
            ("rtmp://me:pw@h:1936/app/x", Some("rtmp://h:1936/app/x")),
            ("rtmp://[::1]/app?x=1", Some("rtmp://[::1]/app")),
            ("rtmp://me:p/w@h/app", Some("rtmp://hidden")),
            ("rtmp://me:12?4@h/app", Some("rtmp://hidden")),
            ("http://h/a?mail=me@home", Some("http://hidden")),
            ("rtmp://me:p@w@h/a", Some("rtmp://h/a")),
            ("rtmp://me:p@w/x@h/a", Some("rtmp://hidden")),
        ] {
            assert_eq!(without_secrets(url).as_deref(), shown, "{url}");
        }
        assert_eq!(kept_name("rtmp://h/a#kept=0123456789abcdef"), Some("0123456789abcdef"));
        assert_eq!(kept_name("rtmp://h/a#kept=../../etc"), None);
    }

    proptest! {
        #[test]
        fn no_password_and_no_token_is_ever_shown(
            user in "[a-z]{0,4}", secret in "[A-Z0-9@/?#:]{0,6}ZQX[A-Z0-9@/?#:]{0,6}",
            query in any::<bool>(),
        ) {
            let url = match query {
                true => format!("rtmp://h/app/show?{user}={secret}"),
                false => format!("rtmp://{user}:{secret}@h/app/show"),
            };
            let shown = without_secrets(&url).unwrap();
            prop_assert!(!shown.contains("ZQX"), "{} {}", url, shown);
        }
    }
}
