//! How scenes, sources and strips are named in the protocol. OBS has *inputs*, which can have video
//! and audio; onair has sources and mixer strips. A source and the strip of its audio are one input,
//! and every other strip is an input without video.

use data_encoding::HEXLOWER;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::audio::AudioChoice;
use crate::call::{Call, Failure};
use crate::capture::VideoChoice;
use crate::compose::scene::{Content, Item, ItemId, Scene, SceneId, SourceId};
use crate::protocol::status;
use onair_media::mix::StripId;
use onair_studio::scenes::MAIN_SOURCE;
use onair_studio::snapshot::StripView;
use onair_studio::{Snapshot, is_audio_of};

/// A source, a strip, or a source with the strip of its audio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    pub name: String,
    pub uuid: String,
    pub kind: &'static str,
    pub source: Option<SourceId>,
    pub strip: Option<StripId>,
}

/// Returns a UUID that is the same in each run for the same object. The name of the collection is a
/// part of it, because another collection uses the same ids for other objects.
fn uuid(studio: &Snapshot, kind: &str, id: u32) -> String {
    let collection = &studio.parts.in_use.collection;
    let digest = Sha256::digest(format!("onair {kind} {id} {collection}"));
    let mut bytes = [0_u8; 16];
    bytes.iter_mut().zip(digest).for_each(|(byte, of)| *byte = of);
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    // Version 8 (RFC 9562), whose content is free.
    (*version, *variant) = (*version & 0x0F | 0x80, *variant & 0x3F | 0x80);
    let hex = HEXLOWER.encode(&bytes);
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    let parts = [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)];
    parts.join("-")
}

pub fn scene_uuid(studio: &Snapshot, id: SceneId) -> String {
    uuid(studio, "scene", id.0)
}

pub fn group_uuid(studio: &Snapshot, id: ItemId) -> String {
    uuid(studio, "group", id.0)
}

pub fn transition_uuid(studio: &Snapshot, index: u32) -> String {
    uuid(studio, "transition", index)
}

/// Returns the kind of a video source, with the name that OBS uses for such sources on Linux.
pub fn video_kind(choice: &VideoChoice) -> &'static str {
    match choice {
        VideoChoice::Camera(_) => "v4l2_input",
        VideoChoice::Screen(_) => "xshm_input",
        VideoChoice::Window(_) => "xcomposite_input",
        VideoChoice::Test => "onair_test_source",
        VideoChoice::File(_) | VideoChoice::Stream(_) | VideoChoice::Guest(_) => "ffmpeg_source",
        VideoChoice::Browser(_) => "browser_source",
        VideoChoice::Image(_) => "image_source",
        VideoChoice::Slides(_) => "slideshow_v2",
        VideoChoice::Color(_) => "color_source_v3",
        VideoChoice::Text(_) => "text_ft2_source_v2",
        VideoChoice::None => "onair_empty_source",
    }
}

/// Returns the kind of an audio source, with the name that OBS uses for such sources on Linux.
pub fn audio_kind(choice: &AudioChoice) -> &'static str {
    match choice {
        AudioChoice::Mic(_) => "pulse_input_capture",
        AudioChoice::System(_) => "pulse_output_capture",
        AudioChoice::Application(_) => "pipewire_audio_application_capture",
        AudioChoice::Tone => "onair_tone",
        AudioChoice::Silence | AudioChoice::None => "onair_silence",
        AudioChoice::File(_) | AudioChoice::Stream(_) | AudioChoice::Guest(_) => "ffmpeg_source",
    }
}

/// All kinds of inputs.
pub const INPUT_KINDS: [&str; 15] = [
    "v4l2_input",
    "xshm_input",
    "xcomposite_input",
    "onair_test_source",
    "ffmpeg_source",
    "browser_source",
    "image_source",
    "slideshow_v2",
    "color_source_v3",
    "text_ft2_source_v2",
    "pulse_input_capture",
    "pulse_output_capture",
    "pipewire_audio_application_capture",
    "onair_tone",
    "onair_silence",
];

/// Returns all inputs. Their names differ: where two have the same name, the later one gets a
/// number.
pub fn inputs(studio: &Snapshot) -> Vec<Input> {
    let collection = &studio.scenes.collection;
    let main = studio.video.as_ref().filter(|video| video.choice != VideoChoice::None);
    let main = main.filter(|_| collection.uses(MAIN_SOURCE)).map(|video| {
        let name = match video.name.as_str() {
            "" => video.choice.to_string(),
            name => name.to_owned(),
        };
        (MAIN_SOURCE, name, &video.choice)
    });
    let own = collection.sources.iter().map(|it| (it.id, it.name.clone(), &it.choice));
    let mut strips: Vec<&StripView> =
        studio.strips.iter().filter(|it| it.audio.choice != AudioChoice::None).collect();
    let mut found = Vec::new();
    for (id, name, choice) in main.into_iter().chain(own) {
        let place = strips.iter().position(|strip| is_audio_of(&strip.audio.choice, choice));
        let strip = place.map(|place| strips.remove(place).audio.id);
        let (uuid, kind) = (uuid(studio, "source", id.0), video_kind(choice));
        found.push(Input { name, uuid, kind, source: Some(id), strip });
    }
    for strip in strips {
        let (id, name) = (strip.audio.id, strip.name.clone());
        let (uuid, kind) = (uuid(studio, "strip", id.0), audio_kind(&strip.audio.choice));
        found.push(Input { name, uuid, kind, source: None, strip: Some(id) });
    }
    let mut taken = std::collections::BTreeSet::new();
    for input in &mut found {
        let (plain, mut number) = (input.name.clone(), 1_u32);
        while !taken.insert(input.name.clone()) {
            number += 1;
            input.name = format!("{plain} {number}");
        }
    }
    found
}

/// Returns the UUID of what an item shows, or null if it no longer exists.
pub fn content_uuid(studio: &Snapshot, inputs: &[Input], item: &Item) -> Value {
    match item.content {
        Content::Source(id) => {
            let input = inputs.iter().find(|input| input.source == Some(id));
            input.map(|input| input.uuid.clone().into()).unwrap_or_default()
        }
        Content::Scene(id) => scene_uuid(studio, id).into(),
        Content::Group(_) => group_uuid(studio, item.id).into(),
    }
}

/// Returns the name of an item's content.
pub fn content_name(studio: &Snapshot, inputs: &[Input], item: &Item) -> String {
    match &item.content {
        Content::Source(id) => {
            let input = inputs.iter().find(|input| input.source == Some(*id));
            input.map(|input| input.name.clone()).unwrap_or_default()
        }
        Content::Scene(id) => {
            studio.scenes.collection.scene(*id).map(|it| it.name.clone()).unwrap_or_default()
        }
        Content::Group(_) => group_name(item),
    }
}

/// Returns the name of a group, which need not have one in onair.
pub fn group_name(item: &Item) -> String {
    match item.name.as_str() {
        "" => format!("Group {}", item.id.0),
        name => name.to_owned(),
    }
}

/// Returns the groups of all scenes.
pub fn groups(studio: &Snapshot) -> Vec<&Item> {
    fn walk<'a>(items: &'a [Item], found: &mut Vec<&'a Item>) {
        for item in items {
            if matches!(item.content, Content::Group(_)) {
                found.push(item);
            }
            walk(item.members(), found);
        }
    }
    let mut found = Vec::new();
    studio.scenes.collection.scenes.iter().for_each(|scene| walk(&scene.items, &mut found));
    found
}

/// A list of items: a scene, or a group within a scene.
pub struct ItemList<'a> {
    pub scene: &'a Scene,
    pub items: &'a [Item],
}

impl<'a> Call<'a> {
    /// Reads the name or UUID in these fields, of which there must be one.
    fn name_or_uuid(&self, name: &str, uuid: &str) -> Result<(&'a str, bool), Failure> {
        match self.optional_text(uuid)? {
            Some(value) => Ok((value, true)),
            None => Ok((self.text(name)?, false)),
        }
    }

    /// Returns the scene with the name or UUID in these fields.
    pub fn scene_in(&self, name: &str, uuid: &str) -> Result<&'a Scene, Failure> {
        let (wanted, by_uuid) = self.name_or_uuid(name, uuid)?;
        let is_it = |scene: &&Scene| match by_uuid {
            true => scene_uuid(self.studio, scene.id) == wanted,
            false => scene.name == wanted,
        };
        let found = self.studio.scenes.collection.scenes.iter().find(is_it);
        found.ok_or_else(|| Failure::not_found("scene", wanted))
    }

    pub fn scene(&self) -> Result<&'a Scene, Failure> {
        self.scene_in("sceneName", "sceneUuid")
    }

    /// Returns the items of the scene or group in `sceneName` or `sceneUuid`.
    pub fn item_list(&self) -> Result<ItemList<'a>, Failure> {
        let refused = match self.scene() {
            Ok(scene) => return Ok(ItemList { scene, items: &scene.items }),
            Err(refused) => refused,
        };
        let (wanted, by_uuid) = self.name_or_uuid("sceneName", "sceneUuid")?;
        let is_it = |group: &&&Item| match by_uuid {
            true => group_uuid(self.studio, group.id) == wanted,
            false => group_name(group) == wanted,
        };
        let groups = groups(self.studio);
        let group = groups.iter().find(is_it).copied().ok_or(refused)?;
        let scenes = &self.studio.scenes.collection.scenes;
        let scene = scenes.iter().find(|scene| contains(&scene.items, group.id));
        let scene = scene.ok_or_else(|| Failure::not_found("scene", wanted))?;
        Ok(ItemList { scene, items: group.members() })
    }

    /// Returns the item in `sceneItemId`, which must be in the given scene or group.
    pub fn item(&self) -> Result<(ItemList<'a>, usize, &'a Item), Failure> {
        let (list, id) = (self.item_list()?, self.index("sceneItemId")?);
        let found = list.items.iter().enumerate().find(|(_, item)| u64::from(item.id.0) == id);
        let (index, item) = found.ok_or_else(|| Failure::not_found("item", &id.to_string()))?;
        Ok((list, index, item))
    }

    /// Returns the input with the name or UUID in these fields.
    pub fn input_in(&self, name: &str, uuid: &str) -> Result<Input, Failure> {
        let (wanted, by_uuid) = self.name_or_uuid(name, uuid)?;
        let is_it = |input: &Input| match by_uuid {
            true => input.uuid == wanted,
            false => input.name == wanted,
        };
        let found = inputs(self.studio).into_iter().find(is_it);
        found.ok_or_else(|| Failure::not_found("input", wanted))
    }

    pub fn input(&self) -> Result<Input, Failure> {
        self.input_in("inputName", "inputUuid")
    }

    /// Returns the strip of the input in `inputName` or `inputUuid`.
    pub fn strip(&self) -> Result<(Input, &'a StripView), Failure> {
        let input = self.input()?;
        let is_it = |view: &&StripView| Some(view.audio.id) == input.strip;
        let view = self.studio.strips.iter().find(is_it).ok_or_else(|| {
            let comment = format!("The input `{}` has no audio.", input.name);
            Failure::new(status::INVALID_STATE, comment)
        })?;
        Ok((input, view))
    }
}

fn contains(items: &[Item], id: ItemId) -> bool {
    items.iter().any(|item| item.id == id || contains(item.members(), id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use onair_studio::AudioStrip;

    #[test]
    fn a_file_and_the_strip_of_its_audio_are_one_input() {
        let mut studio = Snapshot::default();
        let clip: VideoChoice = "file:clip.mp4".parse().unwrap();
        let edit =
            onair_studio::Edit::AddSource { scene: SceneId(1), name: "Clip".into(), choice: clip };
        assert!(std::sync::Arc::make_mut(&mut studio.scenes.collection).apply(&edit));
        let strip = |id: u32, choice: &str, name: &str| {
            StripView::open(AudioStrip::new(StripId(id), choice.parse().unwrap()), name)
        };
        studio.strips = vec![
            strip(0, "mic", "Mic"),
            strip(1, "file:clip.mp4", "clip.mp4"),
            strip(2, "tone", "Mic"),
        ];
        let found = inputs(&studio);
        let named: Vec<_> = found.iter().map(|it| (it.name.as_str(), it.kind)).collect();
        assert_eq!(
            named,
            [("Clip", "ffmpeg_source"), ("Mic", "pulse_input_capture"), ("Mic 2", "onair_tone")]
        );
        assert_eq!((found[0].source.is_some(), found[0].strip), (true, Some(StripId(1))));
    }

    #[test]
    fn uuids_are_stable_and_differ_between_kinds_and_collections() {
        let mut studio = Snapshot::default();
        let first = scene_uuid(&studio, SceneId(1));
        assert_eq!(first, scene_uuid(&Snapshot::default(), SceneId(1)));
        assert_eq!((first.len(), first.as_bytes()[14]), (36, b'8'));
        assert_ne!(first, group_uuid(&studio, ItemId(1)));
        std::sync::Arc::make_mut(&mut studio.parts).in_use.collection = "Other".to_owned();
        assert_ne!(first, scene_uuid(&studio, SceneId(1)));
    }
}
