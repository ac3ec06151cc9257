//! Imports the transitions of an OBS collection, the default one and those of scenes, with their
//! kinds and settings as far as onair supports them.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::capture::Rgba;
use crate::compose::scene::{ItemTransition, ItemTransitionKind};
use crate::compose::transition::{
    Easing, Kind, Matte, Order, Pattern, Side, Stinger, Transition, Wipe,
};
use crate::studio::settings::import::obs::json::{array, color, is_on, number, part, text, whole};
use crate::text::problem::{Problem, problem};

/// The assumed frame rate for a stinger's transition point in frames, because the file does not
/// contain the rate.
const DEFAULT_FPS: f64 = 30.0;

/// Returns the default transition, and a description of how it differs from OBS's, if it does.
pub fn read(json: &Value) -> (Kind, Option<Problem>) {
    named(json, text(json, "current_transition"))
}

/// Returns the transition of a scene, if it has its own, read from the scene's private settings.
pub fn of_scene(json: &Value, scene: &Value) -> (Option<Transition>, Option<Problem>) {
    let private = part(scene, "private_settings");
    let name = text(private, "transition");
    if name.is_empty() {
        return (None, None);
    }
    let usual = number(json, "transition_duration").unwrap_or(300.0);
    let ms = number(private, "transition_duration").unwrap_or(usual).clamp(0.0, 20_000.0);
    let (kind, not) = named(json, name);
    (Some(Transition { kind, duration: Duration::from_millis(ms as u64) }.bounded()), not)
}

/// Returns how an item appears or disappears. Another kind becomes a fade.
pub fn of_item(table: &Value) -> Option<ItemTransition> {
    use ItemTransitionKind as Kind;
    let settings = part(table, "transition");
    let kind = match text(table, "id") {
        "" | "cut_transition" => return None,
        // OBS states the target side, onair the origin.
        "slide_transition" | "swipe_transition" => match text(settings, "direction") {
            "right" => Kind::SlideLeft,
            "up" => Kind::SlideBottom,
            "down" => Kind::SlideTop,
            _ => Kind::SlideRight,
        },
        _ => Kind::Fade,
    };
    let ms = number(table, "duration").filter(|it| *it > 0.0).unwrap_or(300.0).min(20_000.0);
    Some(ItemTransition { kind, duration: Duration::from_millis(ms as u64) }.bounded())
}

/// Returns true if an item's transition becomes a fade, although it is none in OBS.
pub fn differs_in_item(table: &Value) -> bool {
    let known = ["", "cut_transition", "fade_transition", "slide_transition", "swipe_transition"];
    !known.contains(&text(table, "id"))
}

fn named(json: &Value, name: &str) -> (Kind, Option<Problem>) {
    let all = array(json, "transitions");
    let Some(table) = all.iter().find(|table| text(table, "name") == name) else {
        return by_name(name);
    };
    let settings = part(table, "settings");
    let side = || match text(settings, "direction") {
        "right" => Side::Left,
        "up" => Side::Bottom,
        "down" => Side::Top,
        // OBS states the target side, onair the origin.
        _ => Side::Right,
    };
    let kind = match text(table, "id") {
        "cut_transition" => Kind::Cut,
        "fade_transition" => Kind::Fade,
        // The transition of a plugin that many collections use.
        "move_transition" => Kind::Move(Easing::Smooth),
        "slide_transition" => Kind::Slide(side()),
        "swipe_transition" => {
            let not =
                is_on(settings, "swipe_in").then(|| problem!("import-swipe-in", name = &name));
            return (Kind::Swipe(side()), not);
        }
        "fade_to_color_transition" => {
            let Rgba { red, green, blue, .. } = color(whole(settings, "color").unwrap_or(0));
            Kind::FadeColor([red, green, blue])
        }
        "obs_stinger_transition" => return stinger(name, settings),
        "wipe_transition" => return wipe(name, settings),
        other => {
            return (Kind::Fade, Some(problem!("import-transition", name = &name, kind = &other)));
        }
    };
    (kind, None)
}

/// Finds a cut or a fade. They have no settings, and are not in the file's list: the file contains
/// only their names, in the language of OBS.
fn by_name(name: &str) -> (Kind, Option<Problem>) {
    let lower = name.to_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| word.to_lowercase() == lower);
    match lower.as_str() {
        _ if is(&CUT_NAMES) => (Kind::Cut, None),
        _ if name.is_empty() || is(&FADE_NAMES) => (Kind::Fade, None),
        it if it.contains("color") || it.contains("colour") => (Kind::FadeColor([0; 3]), None),
        "move" => (Kind::Move(Easing::Smooth), None),
        it if it.contains("slide") => (Kind::Slide(Side::Right), None),
        it if it.contains("swipe") => (Kind::Swipe(Side::Right), None),
        _ => (Kind::Fade, Some(problem!("import-transition-unknown", name = &name))),
    }
}

/// The names of a cut in OBS's languages.
#[rustfmt::skip]
const CUT_NAMES: [&str; 55] = [
    "Cięcie", "Cortar", "Corte", "Coupure", "Cut", "Cắt", "Decupare", "Etena", "Geàrr", "Gzem", "Izrezivanje",
    "Izreži", "Jêkirin", "Kes", "Klip", "Klipp", "Knip", "Knippen", "Kutt", "Kəs", "Leikkaa", "Lõika", "Paputol",
    "Potong", "Putulin", "Qıyıw", "Schnitt", "Sečenje", "Strih", "Střih", "Taglio", "Talla", "Tniycie",
    "Éles vágás", "Αποκοπή", "Изрязване", "Обрезка", "Рэзкі", "Сечење", "Կտրել", "חתוך", "برش", "قطع", "كەس",
    "काटें", "ছেদন", "வெட்டு", "කපන්න", "ตัด", "ຕັດ", "მოჭრა", "カット", "直接切换",
    "直接轉場", "자르기",
];

/// The names of a fade in OBS's languages.
#[rustfmt::skip]
const FADE_NAMES: [&str; 53] = [
    "Crìon", "Desvanecer", "Desvanecimiento", "Dissolvenza", "Esmaecer", "Estompare", "Esvaecer", "Esvair", "Fade",
    "Fondu", "Forløpning", "Hajuv", "Häivytä", "Iraungi", "Izbljeđivanje", "Lumaho", "Mờ dần", "Overgang",
    "Palabo", "Pojemaj", "Prelínať", "Pudar", "Resap", "Slábnutí", "Soldur", "Tifsit", "Tona",
    "Tədrici Dəyişkənlik", "Vervaag", "Vervagen", "Wendabûn", "Zanikanie", "Zatamnjenje", "Áttűnés", "Überblende",
    "Ξεθώριασμα", "Затамњење", "Затухание", "Затуханне", "Затъмнение", "Թուլացնել", "עמעום", "تلاشي",
    "سۇسلاشتۇر", "محو شدن", "धुँधला", "ফেইড", "เฟด", "ຈາງຫາຍ", "მილევა", "フェード", "淡入淡出",
    "서서히 사라지기",
];

fn stinger(name: &str, settings: &Value) -> (Kind, Option<Problem>) {
    let point = number(settings, "transition_point").unwrap_or(0.0).clamp(0.0, 20_000.0);
    let in_frames = number(settings, "tp_type").unwrap_or(0.0) as i64 == 1;
    let ms = if in_frames { point * 1e3 / DEFAULT_FPS } else { point };
    let mut not = in_frames
        .then(|| problem!("import-cut-in-frames", name = &name, ms = ms.round().to_string()));
    let matte = match number(settings, "track_matte_layout").unwrap_or(0.0) as i64 {
        _ if !is_on(settings, "track_matte_enabled") => Matte::Own,
        0 => Matte::Right,
        1 => Matte::Below,
        _ => {
            not = Some(problem!("import-matte-apart", name = &name));
            Matte::Own
        }
    };
    let stinger = Stinger {
        file: text(settings, "path").into(),
        cut: Duration::from_millis(ms as u64),
        matte,
        invert: matte != Matte::Own && is_on(settings, "invert_matte"),
        ..Stinger::default()
    };
    (Kind::Stinger(stinger), not)
}

/// OBS's wipe images by name, with the most similar pattern of onair.
const WIPE_IMAGES: [(&str, Pattern); 14] = [
    ("linear-h", Pattern::Left),
    ("linear-v", Pattern::Top),
    ("linear-topleft", Pattern::Diagonal),
    ("linear-topright", Pattern::UpperRight),
    ("box-topleft", Pattern::Diagonal),
    ("box-topright", Pattern::UpperRight),
    ("box-botleft", Pattern::LowerLeft),
    ("box-botright", Pattern::LowerRight),
    ("barndoor-h", Pattern::Doors),
    ("barndoor-v", Pattern::FlatDoors),
    ("blinds-h", Pattern::FlatBlinds),
    ("clock", Pattern::Clock),
    ("iris", Pattern::Circle),
    ("square", Pattern::Box),
];

fn wipe(name: &str, settings: &Value) -> (Kind, Option<Problem>) {
    let image = text(settings, "luma_image");
    let stem = Path::new(image).file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let like = WIPE_IMAGES.iter().find(|(known, _)| *known == stem).map(|(_, pattern)| *pattern);
    let order = match like {
        Some(pattern) => Order::Pattern(pattern),
        // A file of the user.
        None if Path::new(image).is_absolute() => Order::Image(image.into()),
        None => Order::Pattern(Pattern::Left),
    };
    let not = (like.is_none() && !Path::new(image).is_absolute())
        .then(|| problem!("import-wipe", name = &name, image = &image));
    let softness = number(settings, "luma_softness").unwrap_or(0.03).clamp(0.0, 1.0);
    let softness = (softness * 100.0).round() as u8;
    (Kind::Luma(Wipe { order, softness, invert: is_on(settings, "luma_invert") }), not)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(id: &str, settings: &Value) -> (Kind, Option<Problem>) {
        let table = json!({"id": id, "name": "Mine", "settings": settings});
        read(&json!({"current_transition": "Mine", "transitions": [{"name": 3}, table]}))
    }

    #[test]
    fn a_stinger_comes_with_its_cut_and_matte() {
        let settings = json!({
            "path": "/v/swoosh.webm", "transition_point": 350, "track_matte_enabled": true,
            "track_matte_layout": 1, "invert_matte": true
        });
        let (kind, not) = of("obs_stinger_transition", &settings);
        let Kind::Stinger(it) = kind else { panic!("{kind:?}") };
        assert_eq!((it.cut, it.matte), (Duration::from_millis(350), Matte::Below));
        assert!(it.invert && it.file.ends_with("swoosh.webm") && not.is_none());
        let settings = json!({"path": "/v/a.webm", "tp_type": 1, "transition_point": 15});
        let (kind, not) = of("obs_stinger_transition", &settings);
        assert!(matches!(kind, Kind::Stinger(it) if it.cut == Duration::from_millis(500)));
        assert!(not.unwrap().to_string().contains("500 ms"));
    }

    #[test]
    fn an_imported_scene_may_have_its_own_transition() {
        let json = json!({
            "current_transition": "Fade", "transition_duration": 400,
            "transitions": [{"id": "swipe_transition", "name": "Wusch", "settings": {}}]
        });
        let of = |private: Value| of_scene(&json, &json!({"private_settings": private})).0;
        let wusch = of(json!({"transition": "Wusch", "transition_duration": 900})).unwrap();
        assert_eq!(wusch.kind, Kind::Swipe(Side::Right));
        assert_eq!(wusch.duration, Duration::from_millis(900));
        let cut = of(json!({"transition": "Cut"})).unwrap();
        assert_eq!((cut.kind, cut.duration), (Kind::Cut, Duration::from_millis(400)));
        for none in [json!({"transition": ""}), json!({"transition": 7}), json!(null)] {
            assert_eq!(of(none), None);
        }
        let far = of(json!({"transition": "Fade", "transition_duration": 1e30})).unwrap();
        assert_eq!(far.duration, crate::compose::transition::MAX_STINGER_DURATION);
    }

    #[test]
    fn wipes_are_taken_by_the_name_of_their_image() {
        let (kind, not) =
            of("wipe_transition", &json!({"luma_image": "clock.png", "luma_softness": 0.2}));
        let clock = Wipe { softness: 20, ..Wipe::of(Pattern::Clock) };
        assert_eq!((kind, not), (Kind::Luma(clock), None));
        let (kind, not) =
            of("wipe_transition", &json!({"luma_image": "spiral.png", "luma_invert": true}));
        assert!(matches!(kind, Kind::Luma(Wipe { invert: true, .. })));
        assert!(not.unwrap().to_string().contains("spiral.png"));
        let (kind, _) = of("wipe_transition", &json!({"luma_image": "/home/ada/mine.png"}));
        let Kind::Luma(wipe) = kind else { panic!("{kind:?}") };
        assert_eq!(wipe.image(), Some(Path::new("/home/ada/mine.png")));
    }

    #[test]
    fn other_transitions_keep_directions_and_colors_and_unknown_ones_are_reported() {
        let slide = of("slide_transition", &json!({"direction": "down"}));
        assert_eq!(slide, (Kind::Slide(Side::Top), None));
        let color = of("fade_to_color_transition", &json!({"color": 0xff00_00ff_u32}));
        assert_eq!(color, (Kind::FadeColor([255, 0, 0]), None));
        assert!(
            of("shader_transition", &Value::Null)
                .1
                .unwrap()
                .to_string()
                .contains("shader_transition")
        );
        for (name, kind) in [
            ("Cut", Kind::Cut),
            ("Schnitt", Kind::Cut),
            ("直接切换", Kind::Cut),
            ("обрезка", Kind::Cut),
            ("Überblende", Kind::Fade),
            ("", Kind::Fade),
            ("Slide", Kind::Slide(Side::Right)),
        ] {
            assert_eq!(read(&json!({"current_transition": name})), (kind, None));
        }
        // The unknown transition may be a cut. The report states that a fade is used instead.
        let (kind, not) = read(&json!({"current_transition": "Hakk"}));
        assert!(kind == Kind::Fade && not.unwrap().to_string().contains("'Hakk'"));
        assert!(of("swipe_transition", &json!({"swipe_in": true})).1.is_some());
    }
}
