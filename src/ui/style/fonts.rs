//! The fonts of the window: Inter in four weights with tabular digits, and a CJK font in three
//! weights with the characters of the Chinese texts. `packaging/fonts.sh` builds both from Debian's
//! fonts (SIL Open Font License, `assets/fonts/OFL.txt`). For other characters that users type,
//! onair looks up a font of the system on demand.

use std::sync::Arc;

use egui::{FontData, FontDefinitions, FontFamily};

use crate::ui::style::theme::Weight;

const FONT_FACES: [(&str, &[u8]); 7] = [
    ("latin-400", include_bytes!("../../../assets/fonts/latin-400.otf")),
    ("latin-500", include_bytes!("../../../assets/fonts/latin-500.otf")),
    ("latin-600", include_bytes!("../../../assets/fonts/latin-600.otf")),
    ("latin-700", include_bytes!("../../../assets/fonts/latin-700.otf")),
    ("cjk-400", include_bytes!("../../../assets/fonts/cjk-400.otf")),
    ("cjk-500", include_bytes!("../../../assets/fonts/cjk-500.otf")),
    ("cjk-700", include_bytes!("../../../assets/fonts/cjk-700.otf")),
];

/// Returns the font definitions, with the families of [`Weight::family`].
pub fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    for (name, bytes) in FONT_FACES {
        fonts.font_data.insert(name.into(), Arc::new(FontData::from_static(bytes)));
    }
    for (weight, latin, cjk) in [
        (Weight::Regular, "latin-400", "cjk-400"),
        (Weight::Medium, "latin-500", "cjk-500"),
        (Weight::SemiBold, "latin-600", "cjk-700"),
        (Weight::Bold, "latin-700", "cjk-700"),
    ] {
        fonts.families.insert(weight.family(), vec![latin.into(), cjk.into()]);
    }
    fonts.families.insert(FontFamily::Monospace, vec!["latin-400".into(), "cjk-400".into()]);
    fonts
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::FontId;
    use egui::epaint::TextOptions;
    use egui::epaint::text::Fonts;

    #[test]
    fn every_character_of_the_texts_can_be_drawn() {
        // These folders contain the texts of the window, and the guide that it displays.
        let folders = [
            "assets/i18n/en",
            "assets/i18n/zh-CN",
            "docs/tutorial",
            "docs/how-to",
            "docs/reference",
            "docs/explanation",
            "docs/zh-CN/tutorial",
            "docs/zh-CN/how-to",
        ];
        let folder = |it| format!("{}/{it}", env!("CARGO_MANIFEST_DIR"));
        let files = folders.into_iter().flat_map(|it| std::fs::read_dir(folder(it)).unwrap());
        let texts: Vec<String> =
            files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
        assert!(texts.len() > 60, "{}", texts.len());
        let mut fonts = Fonts::new(TextOptions::default(), definitions());
        let mut view = fonts.with_pixels_per_point(1.0);
        for weight in [Weight::Regular, Weight::Medium, Weight::SemiBold, Weight::Bold] {
            let font = FontId::new(14.0, weight.family());
            let all = texts.iter().flat_map(|text| text.chars());
            let drawn = all.filter(|it| !it.is_control());
            let missing: std::collections::BTreeSet<char> =
                drawn.filter(|it| !view.has_glyphs(&font, it.encode_utf8(&mut [0; 4]))).collect();
            assert!(missing.is_empty(), "run packaging/fonts.sh: {missing:?}");
        }
    }

    #[test]
    fn emphasized_chinese_text_has_its_own_weight() {
        let definitions = definitions();
        let faces = |weight: Weight| definitions.families[&weight.family()].clone();
        for weight in [Weight::Medium, Weight::SemiBold, Weight::Bold] {
            let (plain, emphasized) = (faces(Weight::Regular), faces(weight));
            let shared: Vec<&String> = plain.iter().filter(|it| emphasized.contains(it)).collect();
            assert!(shared.is_empty(), "{weight:?}: {shared:?}");
        }
    }

    #[test]
    fn latin_and_chinese_letters_have_one_baseline() {
        use crate::ui::style::theme::Type;
        let mut fonts = Fonts::new(TextOptions::default(), definitions());
        let kinds = [
            Type::Tiny,
            Type::Small,
            Type::Section,
            Type::Figure,
            Type::FigureStrong,
            Type::Body,
            Type::Sentence,
            Type::Title,
            Type::Timer,
            Type::Big,
            Type::Key,
        ];
        for scale in [1.0, 1.25, 1.5, 1.75, 2.0, 3.0] {
            let mut view = fonts.with_pixels_per_point(scale);
            for kind in kinds {
                let font = kind.font();
                let galley = view.layout_no_wrap("H中".to_owned(), font, egui::Color32::WHITE);
                let row = &galley.rows[0].row;
                let [latin, chinese] = &row.glyphs[..] else { panic!("two letters") };
                assert_eq!(latin.pos.y, chinese.pos.y, "{kind:?} at {scale}");
            }
        }
    }
}
