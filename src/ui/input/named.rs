//! Commands for objects that the user has named: scenes, sources, audio sources, targets, scene
//! collections, profiles and layouts. A hotkey can run these commands, and those in `actions`.

use crate::compose::scene::{Content, Item, SceneId};
use crate::mix::Strip;
use crate::studio::command::PartCommand;
use crate::studio::scenes::Collection;
use crate::studio::settings::PREDEFINED_LAYOUTS;
use crate::studio::settings::hotkeys::Hotkey;
use crate::studio::settings::part::PartKind;
use crate::studio::targets::{Target, services};
use crate::studio::{Command, Edit, Snapshot};
use crate::ui::input::actions::{Action, key};
use crate::ui::style::icons::Icon;
use crate::ui::text::Texts;

/// What a command does with its object.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedKind {
    /// Switches to a scene.
    Scene,
    /// Shows or hides a source in the program scene.
    Source,
    /// Mutes or unmutes an audio source.
    Strip,
    /// Turns a target on or off.
    Target,
    /// Switches to a scene collection; `Profile` switches to a profile.
    Collection,
    Profile,
    /// Arranges the panels as in a saved layout.
    Layout,
}

impl NamedKind {
    /// All kinds in display order.
    pub const ALL: [Self; 7] = [
        Self::Scene,
        Self::Source,
        Self::Strip,
        Self::Target,
        Self::Collection,
        Self::Profile,
        Self::Layout,
    ];

    /// Returns the word before the name of the object in the settings file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Scene => "scene",
            Self::Source => "show-hide",
            Self::Strip => "mute",
            Self::Target => "target",
            Self::Collection => "collection",
            Self::Profile => "profile",
            Self::Layout => "layout",
        }
    }

    /// Returns the text keys for the name of the command and for its explanation.
    fn keys(self) -> (&'static str, &'static str) {
        match self {
            Self::Scene => (key!("named-scene"), key!("tip-named-scene")),
            Self::Source => (key!("named-show-hide"), key!("tip-named-show-hide")),
            Self::Strip => (key!("named-mute"), key!("tip-named-mute")),
            Self::Target => (key!("named-target"), key!("tip-named-target")),
            Self::Collection => (key!("named-collection"), key!("tip-named-collection")),
            Self::Profile => (key!("named-profile"), key!("tip-named-profile")),
            Self::Layout => (key!("named-layout"), key!("tip-named-layout")),
        }
    }

    pub fn icon(self) -> Icon {
        match self {
            Self::Scene | Self::Collection => Icon::Film,
            Self::Source => Icon::Eye,
            Self::Strip => Icon::SpeakerOff,
            Self::Target => Icon::Broadcast,
            Self::Profile => Icon::Settings,
            Self::Layout => Icon::Layout,
        }
    }
}

/// A command for a named object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedCommand {
    pub kind: NamedKind,
    /// The name of the object; empty for the built-in server as a target.
    pub name: String,
}

/// Returns the name of a target in commands, which is the same in all languages: empty for the
/// built-in server, and `None` if the target has no name, service or address.
pub fn name_of_target(target: &Target) -> Option<&str> {
    if target.is_built_in() {
        return Some("");
    }
    let service = || services::KNOWN_SERVICES.iter().find(|it| it.id == target.service);
    let name = match &*target.name {
        "" => service().map(|service| &*service.name),
        name => Some(name),
    };
    let authority = || target.server().split_once("://")?.1.split(['/', '?']).next();
    let host = || authority()?.rsplit('@').next();
    name.or_else(host).filter(|name| !name.is_empty())
}

/// Returns the items of the program scene that show a source with this name, also within groups.
pub fn items_of<'a>(collection: &'a Collection, name: &str) -> Vec<&'a Item> {
    fn walk<'a>(items: &'a [Item], found: &mut Vec<&'a Item>, fits: &impl Fn(&Item) -> bool) {
        for item in items {
            if fits(item) {
                found.push(item);
            }
            walk(item.members(), found, fits);
        }
    }
    let fits = |item: &Item| match item.content {
        Content::Source(id) => collection.source(id).is_some_and(|source| source.name == name),
        _ => false,
    };
    let mut found = Vec::new();
    if let Some(scene) = collection.program_scene() {
        walk(&scene.items, &mut found, &fits);
    }
    found
}

/// Returns the command that shows a scene: in studio mode in the preview, otherwise in the program.
pub fn show_scene(studio_mode: bool, id: SceneId) -> Command {
    if studio_mode { Command::SetPreviewScene(Some(id)) } else { Command::SwitchScene(id) }
}

/// Returns the names of the layouts that the user saved.
fn own_layouts(snapshot: &Snapshot) -> impl Iterator<Item = &String> {
    let is_preset = |name: &String| PREDEFINED_LAYOUTS.iter().any(|(preset, _)| preset == name);
    snapshot.preferences.panels.layouts.keys().filter(move |name| !is_preset(name))
}

impl NamedCommand {
    /// Returns the command with this name in the settings file.
    pub fn parse(text: &str) -> Option<Self> {
        let (word, name) = text.split_once(':')?;
        let kind = NamedKind::ALL.into_iter().find(|kind| kind.word() == word)?;
        Some(Self { kind, name: name.to_owned() })
    }

    /// Returns the commands for all objects that exist now.
    pub fn all(snapshot: &Snapshot) -> Vec<Self> {
        let collection = &snapshot.scenes.collection;
        let mut all = Vec::new();
        let mut add = |kind, name: &str| {
            let command = Self { kind, name: name.to_owned() };
            // If several objects have the same name, the command applies to the first one.
            if !all.contains(&command) {
                all.push(command);
            }
        };
        collection.scenes.iter().for_each(|scene| add(NamedKind::Scene, &scene.name));
        collection.sources.iter().for_each(|source| add(NamedKind::Source, &source.name));
        snapshot.strips.iter().for_each(|strip| add(NamedKind::Strip, &strip.name));
        for entry in &snapshot.targets {
            if let Some(name) = name_of_target(&entry.target) {
                add(NamedKind::Target, name);
            }
        }
        for (kind, part) in
            [(NamedKind::Collection, PartKind::Collection), (NamedKind::Profile, PartKind::Profile)]
        {
            snapshot.parts.names(part).iter().for_each(|name| add(kind, name));
        }
        own_layouts(snapshot).for_each(|name| add(NamedKind::Layout, name));
        all
    }

    /// Returns the name of the command for the user.
    pub fn title(&self, texts: &Texts) -> String {
        let name = match (self.kind, &*self.name) {
            (NamedKind::Target, "") => texts.get("target-builtin").to_string(),
            (_, name) => name.to_owned(),
        };
        texts.with(self.kind.keys().0, &[("name", name.into())])
    }

    /// Returns the text key for the sentence that explains the command.
    pub fn tip(&self) -> &'static str {
        self.kind.keys().1
    }

    /// Returns true if the command is currently possible.
    pub fn is_possible(&self, snapshot: &Snapshot) -> bool {
        let (name, parts) = (&self.name, &snapshot.parts);
        let collection = &snapshot.scenes.collection;
        let other = |kind| parts.names(kind).contains(name) && parts.in_use.name(kind) != name;
        match self.kind {
            NamedKind::Scene => collection.scene_named(name).is_some(),
            NamedKind::Source => !items_of(collection, name).is_empty(),
            NamedKind::Strip => snapshot.strips.iter().any(|strip| strip.name == *name),
            NamedKind::Target => {
                snapshot.targets.iter().any(|it| name_of_target(&it.target) == Some(name))
            }
            NamedKind::Layout => own_layouts(snapshot).any(|known| known == name),
            NamedKind::Collection => other(PartKind::Collection),
            NamedKind::Profile => other(PartKind::Profile),
        }
    }

    /// Returns the command for the studio. Returns `None` if the command is currently impossible,
    /// and for layouts, which belong to the window.
    pub fn command(&self, snapshot: &Snapshot) -> Option<Command> {
        if !self.is_possible(snapshot) {
            return None;
        }
        let (name, collection) = (&self.name, &snapshot.scenes.collection);
        let part = |kind| Command::Part(PartCommand::Use(kind, name.clone()));
        Some(match self.kind {
            NamedKind::Scene => {
                let studio_mode = snapshot.scenes.preview_scene.is_some();
                show_scene(studio_mode, collection.scene_named(name)?.id)
            }
            NamedKind::Source => {
                let items = items_of(collection, name);
                let hide = items.iter().any(|item| !item.hidden);
                let edits = items.iter().map(|item| Edit::HideItem(item.id, hide));
                Command::EditProgram(Edit::Several(edits.collect()))
            }
            NamedKind::Strip => {
                let audio = &snapshot.strips.iter().find(|strip| strip.name == *name)?.audio;
                let strip = Strip { muted: !audio.strip.muted, ..audio.strip.clone() };
                Command::SetStrip { id: audio.id, before: audio.strip.clone(), strip }
            }
            NamedKind::Target => {
                let mut targets = snapshot.targets.iter().map(|it| &it.target);
                let target = targets.find(|it| name_of_target(it) == Some(name))?;
                Command::PutTarget(Target { enabled: !target.enabled, ..target.clone() })
            }
            NamedKind::Collection => part(PartKind::Collection),
            NamedKind::Profile => part(PartKind::Profile),
            NamedKind::Layout => return None,
        })
    }
}

/// Any command that a hotkey can run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnyCommand {
    Action(Action),
    Named(NamedCommand),
}

impl From<Action> for AnyCommand {
    fn from(action: Action) -> Self {
        Self::Action(action)
    }
}

impl From<NamedCommand> for AnyCommand {
    fn from(command: NamedCommand) -> Self {
        Self::Named(command)
    }
}

impl AnyCommand {
    /// Returns the command with this name in the settings file.
    pub fn parse(text: &str) -> Option<Self> {
        let named = || NamedCommand::parse(text).map(Self::Named);
        Action::named(text).map(Self::Action).or_else(named)
    }

    /// Returns the name in the settings file.
    pub fn setting(&self) -> String {
        match self {
            Self::Action(action) => action.name().to_owned(),
            Self::Named(NamedCommand { kind, name }) => format!("{}:{name}", kind.word()),
        }
    }

    /// Returns the name of the command for the user.
    pub fn title(&self, texts: &Texts) -> String {
        match self {
            Self::Action(action) => texts.get(action.key()).to_string(),
            Self::Named(command) => command.title(texts),
        }
    }

    /// Returns the text key for the sentence that explains the command.
    pub fn tip(&self) -> &'static str {
        match self {
            Self::Action(action) => action.tip(),
            Self::Named(command) => command.tip(),
        }
    }

    /// Returns true if the hotkey of the command may work in other windows.
    pub fn may_be_global(&self) -> bool {
        match self {
            Self::Action(action) => action.may_be_global(),
            Self::Named(command) => {
                matches!(command.kind, NamedKind::Scene | NamedKind::Source | NamedKind::Strip)
            }
        }
    }

    /// Returns true if the object of the command exists. Otherwise its key must stay free for other
    /// programs. In onair's windows, the keymap still reserves the key of an action or of a strip.
    pub fn has_object(&self, snapshot: &Snapshot) -> bool {
        let collection = &snapshot.scenes.collection;
        match self {
            Self::Action(action) => {
                action.scene().is_none_or(|place| place < collection.scenes.len())
            }
            // The program need not show the source now.
            Self::Named(NamedCommand { kind: NamedKind::Source, name }) => {
                collection.sources.iter().any(|source| source.name == *name)
            }
            // The part in use exists, although a switch to it is impossible.
            Self::Named(NamedCommand { kind: NamedKind::Collection, name }) => {
                snapshot.parts.collections.contains(name)
            }
            Self::Named(NamedCommand { kind: NamedKind::Profile, name }) => {
                snapshot.parts.profiles.contains(name)
            }
            Self::Named(command) => command.is_possible(snapshot),
        }
    }

    /// Returns the default hotkey, or `None` if there is none.
    pub fn usual_hotkey(&self) -> Option<Hotkey> {
        match self {
            Self::Action(action) => action.usual_hotkey(),
            Self::Named(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::text::Language;

    #[test]
    fn commands_are_named_in_the_settings_and_for_the_user() {
        for kind in NamedKind::ALL {
            let command = NamedCommand { kind, name: "Mine: 1".to_owned() };
            let any = AnyCommand::from(command.clone());
            assert_eq!(AnyCommand::parse(&any.setting()), Some(any.clone()), "{kind:?}");
            for language in [Language::English, Language::Chinese] {
                let texts = Texts::new(language);
                assert!(any.title(&texts).contains("Mine: 1"), "{kind:?}");
                assert!(texts.has(command.tip()), "{kind:?}");
            }
        }
        assert_eq!(AnyCommand::parse("mute"), Some(Action::Mute.into()));
        for unknown in ["dance", "dance:Gaming", "scene", ""] {
            assert_eq!(AnyCommand::parse(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn targets_have_names_that_no_language_changes() {
        let own = |url: &str| Target::custom(1, url, Default::default());
        assert_eq!(name_of_target(&Target::built_in()), Some(""));
        assert_eq!(name_of_target(&own("rtmp://me:secret@live.example/app")), Some("live.example"));
        assert_eq!(name_of_target(&own("")), None);
        let named = Target { name: "Mine".to_owned(), ..own("") };
        assert_eq!(name_of_target(&named), Some("Mine"));
    }
}
