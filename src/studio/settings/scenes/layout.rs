//! How a scene collection is written: tables whose defaults are left out.

use serde::Serialize;

use crate::capture::VideoFallback;
use crate::compose::scene::{Blend, Content, Crop, Fit, Item, Placement, Scene};
use crate::compose::transition::{Kind, Stinger, Transition, Wipe};
use crate::studio::scenes::{Collection, MAIN, Source};
use crate::studio::settings::reading::parts::word_of;
use crate::studio::settings::scenes::transition_words::{matte_text, transition_text};
use crate::studio::settings::scenes::{filters, properties};

/// A collection as it is laid out in a file.
#[derive(Debug, Serialize)]
pub(in crate::studio::settings) struct Table {
    current: String,
    transition: String,
    transition_ms: u64,
    /// In the stead of the picture that is chosen by `video`.
    #[serde(skip_serializing_if = "Option::is_none")]
    main_if_black: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wipe: Option<WipeTable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stinger: Option<StingerTable>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sources: Vec<SourceTable>,
    /// Those of the picture that is chosen by `video`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    main_filters: Vec<toml::Table>,
    scenes: Vec<SceneTable>,
}

#[derive(Debug, Serialize)]
struct WipeTable {
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<String>,
    softness: u8,
    invert: bool,
}

impl WipeTable {
    /// `None` where it is as it is without being told.
    fn of(wipe: &Wipe) -> Option<Self> {
        let Wipe { softness, invert, .. } = *wipe;
        let picture = wipe.picture().map(|path| path.display().to_string());
        let plain = Wipe::default();
        let told = picture.is_some() || (softness, invert) != (plain.softness, plain.invert);
        told.then_some(Self { picture, softness, invert })
    }
}

#[derive(Debug, Serialize)]
struct StingerTable {
    file: String,
    cut_ms: u64,
    matte: String,
    invert: bool,
    volume: u8,
}

impl StingerTable {
    fn of(stinger: &Stinger) -> Self {
        Self {
            file: stinger.file.display().to_string(),
            cut_ms: u64::try_from(stinger.cut.as_millis()).unwrap_or(0),
            matte: matte_text(stinger.matte),
            invert: stinger.invert,
            volume: stinger.volume,
        }
    }
}

#[derive(Debug, Serialize)]
struct SourceTable {
    name: String,
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    when_hidden: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_end: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    if_black: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<String>,
    #[serde(skip_serializing_if = "toml::Table::is_empty")]
    text: toml::Table,
    #[serde(skip_serializing_if = "toml::Table::is_empty")]
    slides: toml::Table,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    filters: Vec<toml::Table>,
}

#[derive(Debug, Serialize)]
struct SceneTable {
    name: String,
    /// These where it has a transition of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    transition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transition_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wipe: Option<WipeTable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stinger: Option<StingerTable>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<ItemTable>,
}

/// What is as in [`Item::new`] is not written.
#[derive(Debug, Default, Serialize)]
struct ItemTable {
    /// The picture that is chosen by `video`.
    #[serde(skip_serializing_if = "Option::is_none")]
    main: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scene: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fit: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation: Option<f64>,
    /// Left, top, right, bottom.
    #[serde(skip_serializing_if = "Option::is_none")]
    crop: Option<[f64; 4]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flip_x: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flip_y: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opacity: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blend: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locked: Option<bool>,
    /// The members of a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<Self>>,
}

/// How a collection is written; `None` for the one that is there from the start.
pub(in crate::studio::settings) fn table(collection: &Collection) -> Option<Table> {
    (*collection != Collection::default()).then(|| whole_table(collection))
}

/// How any collection is written.
pub(in crate::studio::settings) fn whole_table(collection: &Collection) -> Table {
    let scene_name = |id| collection.scene(id).map(|scene| scene.name.clone());
    let source = |source: &Source| SourceTable {
        name: source.name.clone(),
        source: source.choice.to_string(),
        pointer: source.properties.without_pointer.then_some(false),
        when_hidden: properties::hidden_text(source.properties.hidden),
        at_end: properties::at_end_text(source.properties.at_end),
        if_black: fallback_text(&source.fallback),
        files: source.properties.files.iter().map(|path| path.display().to_string()).collect(),
        text: properties::text_table(&source.properties.text),
        slides: properties::slides_table(&source.properties.slides),
        filters: filters::tables(&source.filters),
    };
    let own = |scene: &Scene| collection.own_transitions.get(&scene.id);
    let scene = |scene: &Scene| SceneTable {
        name: scene.name.clone(),
        transition: own(scene).map(|it| transition_text(&it.kind)),
        transition_ms: own(scene).map(millis),
        wipe: own(scene).and_then(wipe_table),
        stinger: own(scene).and_then(stinger_table),
        items: scene.items.iter().map(|item| item_table(collection, item)).collect(),
    };
    Table {
        current: scene_name(collection.current).unwrap_or_default(),
        transition: transition_text(&collection.transition.kind),
        transition_ms: millis(&collection.transition),
        wipe: wipe_table(&collection.transition),
        stinger: stinger_table(&collection.transition),
        sources: collection.sources.iter().map(source).collect(),
        main_if_black: fallback_text(&collection.main_fallback),
        main_filters: filters::tables(&collection.main_filters),
        scenes: collection.scenes.iter().map(scene).collect(),
    }
}

/// What is shown in a source's stead; `None`: nothing else.
fn fallback_text(fallback: &VideoFallback) -> Option<String> {
    (*fallback != VideoFallback::Keep).then(|| fallback.to_string())
}

fn millis(transition: &Transition) -> u64 {
    u64::try_from(transition.duration.as_millis()).unwrap_or(0)
}

fn wipe_table(transition: &Transition) -> Option<WipeTable> {
    match &transition.kind {
        Kind::Luma(wipe) => WipeTable::of(wipe),
        _ => None,
    }
}

fn stinger_table(transition: &Transition) -> Option<StingerTable> {
    match &transition.kind {
        Kind::Stinger(stinger) => Some(StingerTable::of(stinger)),
        _ => None,
    }
}

/// How an item is written.
pub(in crate::studio::settings) fn table_of(collection: &Collection, item: &Item) -> toml::Table {
    toml::Table::try_from(item_table(collection, item)).unwrap_or_default()
}

fn item_table(collection: &Collection, item: &Item) -> ItemTable {
    let (place, none) = (&item.place, Placement::default());
    let number = |value: f64, default: f64| {
        // A hundred-thousandth of the program is no pixel.
        (value != default).then(|| (value * 1e6).round() / 1e6)
    };
    let crop = place.crop;
    let mut table = ItemTable {
        name: item.name.clone(),
        x: number(place.x, none.x),
        y: number(place.y, none.y),
        width: number(place.width, none.width),
        height: number(place.height, none.height),
        fit: word_of(&Fit::ALL, &place.fit).filter(|_| place.fit != none.fit),
        rotation: number(place.rotation, 0.0),
        crop: (crop != Crop::default()).then_some([crop.left, crop.top, crop.right, crop.bottom]),
        flip_x: place.flip_x.then_some(true),
        flip_y: place.flip_y.then_some(true),
        opacity: number(f64::from(item.opacity), 1.0),
        blend: word_of(&Blend::ALL, &item.blend).filter(|_| item.blend != Blend::Normal),
        hidden: item.hidden.then_some(true),
        locked: item.locked.then_some(true),
        ..ItemTable::default()
    };
    match &item.content {
        Content::Source(MAIN) => table.main = Some(true),
        Content::Source(id) => table.source = Some(collection.source_name(*id).to_owned()),
        Content::Scene(id) => table.scene = collection.scene(*id).map(|scene| scene.name.clone()),
        Content::Group(items) => {
            table.items = Some(items.iter().map(|item| item_table(collection, item)).collect());
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use toml::Value;

    use super::*;
    use crate::compose::transition::{Matte, Order, Pattern};
    use crate::studio::settings::Settings;

    #[test]
    fn wipes_by_a_picture_and_stingers_come_back_and_odd_ones_are_told() {
        let order = Order::Picture("/v/a \"b\".png".into());
        let stinger = Stinger {
            file: "/v/转场.webp".into(),
            cut: Duration::from_millis(1_250),
            matte: Matte::Color([0, 255, 16]),
            invert: true,
            volume: 40,
        };
        for kind in [
            Kind::Luma(Wipe { order, softness: 0, invert: false }),
            Kind::Luma(Wipe::of(Pattern::Dissolve)),
            Kind::Stinger(stinger),
        ] {
            let transition = Transition { kind, duration: Duration::from_millis(700) };
            let mut before = Collection { transition: transition.clone(), ..Collection::default() };
            let mut own = before.scenes[0].clone();
            (own.id, own.name) = (before.next_scene(), "Own".into());
            own.items.clear();
            before.own_transitions.insert(own.id, transition);
            before.scenes.push(own);
            let (read, warnings) = Settings::parse(
                &toml::to_string(&toml::Table::from_iter([(
                    "collection".to_owned(),
                    Value::try_from(whole_table(&before)).unwrap(),
                )]))
                .unwrap(),
            );
            assert_eq!(warnings, Vec::<String>::new());
            assert_eq!(read.collection.transition, before.transition);
            assert_eq!(read.collection.own_transitions, before.own_transitions);
        }
        let text = "[collection]\ntransition = 'stinger'\n[collection.stinger]\nfile = 7\n\
            cut_ms = -1\nmatte = 'left'\ninvert = 1\nvolume = 101\n";
        let (settings, warnings) = Settings::parse(text);
        assert_eq!(settings.collection.transition.kind, Kind::Stinger(Stinger::default()));
        assert_eq!(warnings.len(), 5, "{warnings:#?}");
    }
}
