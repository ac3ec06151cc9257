//! Shows the window with a simulated studio, to look at every state:
//!
//! `cargo run --example window_demo -- on-air [light] [zh] [studio|monitor] [guide|settings|help|palette|file|stop|close] [full]`

use onair::app::{self, Options};
use onair::studio::settings::Panels;
use onair::studio::{Language, Preferences, Theme};
use onair::ui::Dialog;

#[path = "../tests/demo/mod.rs"]
mod demo;

fn main() -> Result<(), app::Error> {
    app::run_file_dialog();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| args.iter().any(|arg| arg == word);
    let state = args.iter().find(|arg| demo::STATES.contains(&arg.as_str()));
    let state = state.map_or("idle", String::as_str);
    let dialogs = [
        ("guide", Dialog::Guide),
        ("settings", Dialog::Settings),
        ("help", Dialog::Help),
        ("palette", Dialog::Palette),
        ("file", Dialog::Passthrough),
        ("stop", Dialog::ConfirmStop),
        ("close", Dialog::ConfirmClose),
    ];
    let layout = ["studio", "monitor"].into_iter().find(|layout| has(layout)).unwrap_or("simple");
    let panels = Panels { layout: layout.to_owned(), ..Panels::default() };
    let options = Options {
        preferences: Preferences {
            panels: Box::new(panels),
            language: if has("zh") { Language::Chinese } else { Language::English },
            theme: if has("light") { Theme::Light } else { Theme::Dark },
            ..Preferences::default()
        },
        page: demo::page_of(state),
        dialog: dialogs.iter().find(|(word, _)| has(word)).map(|(_, dialog)| *dialog),
        full_screen: has("full"),
        ..Options::default()
    };
    demo::draw_large();
    let demo = demo::Demo::new(state);
    if layout == "studio" {
        demo.change(demo::states::prepare);
    }
    app::run(demo.moving(30), options)
}
