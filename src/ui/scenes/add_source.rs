//! What can be put on top of a scene: a list, and lists of what is too many for it.

use egui::{ScrollArea, Ui};

use crate::capture::text::Content;
use crate::capture::{
    self, CameraChoice, ColorSource, Rgba, ScreenInfo, VideoChoice, WindowInfo, sharing,
};
use crate::compose::scene::SceneId;
use crate::media::Size;
use crate::studio::scenes::MAIN;
use crate::studio::{Command, Edit};
use crate::ui::input::actions::key;
use crate::ui::mixer::labels;
use crate::ui::scenes::draft::{Draft, Page};
use crate::ui::scenes::menu::line;
use crate::ui::style::theme::Type;
use crate::ui::text::format;
use crate::ui::view::file_request::FileRequest;
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{menu_item, menu_rule, paragraph};

/// What a colour is at first, and what a gradient runs to.
const GROUND: Rgba = Rgba { red: 0x1e, green: 0x24, blue: 0x30, alpha: 255 };
const BELOW: Rgba = Rgba { red: 0x3b, green: 0x5b, blue: 0x8c, alpha: 255 };

/// The list that is open.
pub(super) fn list(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, scene: SceneId) {
    // Windows come and go.
    labels::look_again(ui, view);
    let height = ui.ctx().content_rect().height() * 0.8;
    ui.set_max_height(height);
    ScrollArea::vertical().id_salt("add").max_height(height).show(ui, |ui| match draft.adding {
        None => everything(ui, view, draft, scene),
        Some(page) => {
            let name = view.texts.get("add-back");
            if menu_item(ui, view.theme, &name, "", false, true) {
                draft.adding = None;
            }
            menu_rule(ui, view.theme);
            match page {
                Page::Screens => screens(ui, view, draft, scene),
                Page::Windows => windows(ui, view, draft, scene),
                Page::Again => again(ui, view, scene),
            }
        }
    });
}

/// Whether there is room for it.
fn add(
    view: &mut View<'_>,
    draft: &mut Draft,
    scene: SceneId,
    name: impl Into<String>,
    choice: VideoChoice,
) -> bool {
    let edit = Edit::AddSource { scene, name: name.into(), choice };
    let comes = view.snapshot.scenes.collection.takes(&edit);
    view.send(Command::Edit(edit));
    draft.choose(None);
    comes
}

fn everything(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, scene: SceneId) {
    let texts = view.texts;
    let snapshot = view.snapshot;
    for camera in &snapshot.cameras {
        if line(ui, view, &camera.name, true) {
            let choice = VideoChoice::Camera(CameraChoice::of(&camera.id));
            add(view, draft, scene, &camera.name, choice);
        }
    }
    let name = texts.get("test-pattern");
    if line(ui, view, &name, true) {
        add(view, draft, scene, &*name, VideoChoice::Test);
    }
    for (name, window) in [(key!("add-screen"), false), (key!("add-window"), true)] {
        let name = texts.get(name);
        let none = if window { snapshot.windows.is_empty() } else { snapshot.screens.is_empty() };
        // Each is asked for apart; what is there already can be shown again.
        if none && capture::in_wayland() {
            if line(ui, view, &name, true) {
                let choice = asked_for(view, window);
                add(view, draft, scene, &*name, choice);
            }
        } else {
            let page = if window { Page::Windows } else { Page::Screens };
            open(ui, view, draft, &name, page);
        }
    }
    for (name, kind) in [
        (key!("add-image"), FileRequest::Image),
        (key!("add-slides"), FileRequest::Slides),
        (key!("add-slide"), FileRequest::Slide),
        (key!("add-video"), FileRequest::Video),
        (key!("add-text-file"), FileRequest::Text),
    ] {
        if line(ui, view, &texts.get(name), true) {
            view.wish(WindowRequest::PickSource(kind, scene));
        }
    }
    let said = texts.get("add-text");
    let graded = ColorSource { to: Some(BELOW), ..ColorSource::plain(GROUND) };
    let minutes = std::time::Duration::from_secs(300);
    for (name, choice) in [
        (key!("add-text"), VideoChoice::Text(Content::Words(said.to_string()))),
        (key!("add-clock"), VideoChoice::Text(Content::Clock(String::new()))),
        (key!("add-countdown"), VideoChoice::Text(Content::Countdown(minutes))),
        (key!("add-stopwatch"), VideoChoice::Text(Content::Stopwatch)),
        (key!("add-color"), VideoChoice::Color(ColorSource::plain(GROUND))),
        (key!("add-gradient"), VideoChoice::Color(graded)),
        (key!("add-stream"), VideoChoice::Stream("rtmp://127.0.0.1/live/onair".into())),
    ] {
        let name = texts.get(name);
        if line(ui, view, &name, true) {
            // What it says or looks like comes next.
            if add(view, draft, scene, &*name, choice) {
                draft.show_what_comes(snapshot);
            }
        }
    }
    menu_rule(ui, view.theme);
    if line(ui, view, &texts.get("scenes-main"), true) {
        view.send(Command::Edit(Edit::ShowSource { scene, source: MAIN }));
    }
    open(ui, view, draft, &texts.get("add-again"), Page::Again);
}

/// A line that opens a list of its own.
fn open(ui: &mut Ui, view: &View<'_>, draft: &mut Draft, name: &str, page: Page) {
    let text = view.texts.with("add-more", &[("name", name.into())]);
    if menu_item(ui, view.theme, &text, "", false, true) {
        draft.adding = Some(page);
    }
}

/// What the desktop is asked for, of a name of its own.
fn asked_for(view: &View<'_>, window: bool) -> VideoChoice {
    let sources = view.snapshot.scenes.collection.sources.iter();
    let there: Vec<&VideoChoice> = sources.map(|source| &source.choice).collect();
    sharing::another(window, &there)
}

/// A line with what it is below its name.
fn entry(ui: &mut Ui, view: &View<'_>, title: &str, second: &str) -> bool {
    let pressed = menu_item(ui, view.theme, title, second, false, true);
    if pressed {
        ui.close();
    }
    pressed
}

/// What a monitor is called.
pub(super) fn screen_name(view: &View<'_>, screen: &ScreenInfo) -> String {
    if screen.id == "all" { view.texts.get("screen-all").to_string() } else { screen.name.clone() }
}

/// How large a monitor is, and whether it is the main one.
pub(super) fn screen_kind(view: &View<'_>, screen: &ScreenInfo) -> String {
    let size = format::size(Size::new(screen.area.width, screen.area.height));
    if screen.primary { view.texts.with("screen-primary", &[("size", size.into())]) } else { size }
}

/// What a window is called.
pub(super) fn window_name(window: &WindowInfo) -> &str {
    if window.name.is_empty() { &window.class } else { &window.name }
}

fn screens(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, scene: SceneId) {
    let texts = view.texts;
    let name =
        texts.get(if capture::in_wayland() { key!("share-ask") } else { key!("screen-main") });
    if line(ui, view, &name, true) {
        let choice = if capture::in_wayland() {
            asked_for(view, false)
        } else {
            VideoChoice::Screen(capture::DisplayTarget::default())
        };
        add(view, draft, scene, &*texts.get("add-screen"), choice);
    }
    for screen in view.snapshot.screens.iter() {
        let name = screen_name(view, screen);
        if entry(ui, view, &name, &screen_kind(view, screen)) {
            let id = Some(screen.id.clone());
            let choice = VideoChoice::Screen(capture::DisplayTarget { id, ..Default::default() });
            add(view, draft, scene, name, choice);
        }
    }
}

fn windows(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, scene: SceneId) {
    let texts = view.texts;
    if capture::in_wayland() && line(ui, view, &texts.get("share-ask"), true) {
        let choice = asked_for(view, true);
        add(view, draft, scene, &*texts.get("add-window"), choice);
    }
    for window in view.snapshot.windows.iter() {
        let size = format::size(window.size);
        let kind = if window.shown {
            format!("{} · {size}", window.class)
        } else {
            texts.with("window-minimised", &[("class", window.class.as_str().into())])
        };
        let name = window_name(window);
        if entry(ui, view, name, &kind) {
            add(view, draft, scene, name, VideoChoice::Window(window.id.clone()));
        }
    }
    if view.snapshot.windows.is_empty() {
        paragraph(ui, &texts.get("windows-none"), Type::Small, view.theme.secondary);
    }
}

fn again(ui: &mut Ui, view: &mut View<'_>, scene: SceneId) {
    let texts = view.texts;
    let collection = std::sync::Arc::clone(&view.snapshot.scenes.collection);
    for source in &collection.sources {
        if line(ui, view, &source.name, true) {
            view.send(Command::Edit(Edit::ShowSource { scene, source: source.id }));
        }
    }
    for other in collection.scenes.iter().filter(|it| it.id != scene) {
        let name = texts.with("add-scene", &[("name", other.name.as_str().into())]);
        if line(ui, view, &name, !collection.reaches(other.id, scene)) {
            view.send(Command::Edit(Edit::ShowScene { scene, shown: other.id }));
        }
    }
    if collection.sources.is_empty() && collection.scenes.len() < 2 {
        paragraph(ui, &texts.get("add-again-none"), Type::Small, view.theme.secondary);
    }
}
