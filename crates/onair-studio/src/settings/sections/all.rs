//! The values of all sections, as the studio uses them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::audio::AudioChoice;
use crate::capture::VideoChoice;
use crate::capture::camera::control::WantedControls;
use crate::server::ChatRules;
use crate::studio::live::second_canvas::SecondCanvas;
use crate::studio::mixer::AudioStrip;
use crate::studio::mixer::monitoring::Monitoring;
use crate::studio::scenes::Collection;
use crate::studio::settings::part::names::InUse;
use crate::studio::settings::secret_addresses::KeyringAddresses;
use crate::studio::settings::sections::window::{
    Preferences, RemoteChoices, Rule, VirtualCameraChoices,
};
use crate::studio::targets::Target;
use crate::studio::targets::quality::Quality;
use crate::studio::targets::sharing::{ServerCertificate, ServerNames, ServerReach};
use crate::studio::watch::chat::ChatChoices;
use crate::studio::watch::choices::PlayerChoices;
use crate::studio::watch::viewport::Viewport;

/// All settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The main video source. `None` if nothing was chosen yet: onair then uses a camera if there
    /// is one, otherwise the test pattern.
    pub video: Option<VideoChoice>,
    /// The main audio source; `None` if nothing was chosen yet.
    pub audio: Option<AudioChoice>,
    /// The settings of cameras by their ids.
    pub cameras: BTreeMap<String, WantedControls>,
    /// The names of the collection and the profile in use.
    pub in_use: InUse,
    /// The scenes and their sources.
    pub collection: Collection,
    pub quality: Quality,
    /// The targets, the built-in server first. They are saved without keys.
    pub targets: Vec<Target>,
    /// The second canvas.
    pub canvas: SecondCanvas,
    /// The stream delay.
    pub delay: Duration,
    /// The mixer's strips, the main one first. The main strip's source is `audio`.
    pub strips: Vec<AudioStrip>,
    /// The monitoring device.
    pub monitoring: Monitoring,
    /// The volume of the players, 0…1.
    pub volume: f32,
    pub player_muted: bool,
    /// The last stream that was played.
    pub watch_url: String,
    /// The player options.
    pub player: PlayerChoices,
    /// The display of the chat.
    pub chat: ChatChoices,
    /// Recent streams, the newest first.
    pub recent: Vec<String>,
    /// The streams of the tiles on the *Watch* page, and the viewport of each.
    pub wall: Vec<(String, Viewport)>,
    /// The successor of the built-in server; empty means none.
    pub successor: String,
    /// Which computers can reach the built-in server.
    pub reach: ServerReach,
    /// The rules of the built-in server's chats.
    pub chat_rules: ChatRules,
    /// True if viewers of the built-in server need a key, which is stored with the stream keys.
    pub play_key: bool,
    pub server_names: ServerNames,
    /// Where the certificate of the built-in server's HTTPS comes from.
    pub server_certificate: ServerCertificate,
    /// True if SRT clients of the built-in server need a passphrase, which is stored with the
    /// stream keys.
    pub srt_passphrase: bool,
    /// The server at which guests across the internet meet the studio; empty means none.
    pub meeting: String,
    /// Whether and where other programs can control onair. The password is stored with the stream
    /// keys.
    pub remote: RemoteChoices,
    /// The format of the virtual camera.
    pub virtual_camera: VirtualCameraChoices,
    /// The rules: events, and the commands that they run.
    pub rules: Vec<Rule>,
    pub preferences: Preferences,
    /// The addresses in the keyring, which are not saved with the settings.
    pub keyring_addresses: KeyringAddresses,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            video: None,
            audio: None,
            cameras: BTreeMap::new(),
            in_use: InUse::default(),
            collection: Collection::default(),
            quality: Quality::default(),
            targets: vec![Target::built_in()],
            canvas: SecondCanvas::default(),
            delay: Duration::ZERO,
            strips: vec![AudioStrip::main()],
            monitoring: Monitoring::Off,
            volume: 1.0,
            player_muted: false,
            watch_url: String::new(),
            player: PlayerChoices::default(),
            chat: ChatChoices::default(),
            recent: Vec::new(),
            wall: Vec::new(),
            successor: String::new(),
            reach: ServerReach::default(),
            chat_rules: ChatRules::default(),
            play_key: false,
            server_names: ServerNames::default(),
            server_certificate: ServerCertificate::default(),
            srt_passphrase: false,
            meeting: String::new(),
            remote: RemoteChoices::default(),
            virtual_camera: VirtualCameraChoices::default(),
            rules: Vec::new(),
            preferences: Preferences::default(),
            keyring_addresses: KeyringAddresses::default(),
        }
    }
}
